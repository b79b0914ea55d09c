//! Gaussian paths run with a learning error of finite size, shared by the claims of T4.

use super::paths::decode_schedule;
use crate::drift::{InVelocity, LearningError, Onset, Parametrisation, Schedule};
use crate::error::Result;
use crate::flow::geometric_times;
use crate::linalg::complement;
use crate::manifold::{Manifold, Nearest};
use crate::random::{Knobs, Stream};
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// The least noise level of a run: some schedules end at 1e-3.
const LEAST_SIGMA: f64 = 1.5e-3;

/// A schedule between two noise levels, and what its model predicts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Setting {
    /// The schedule.
    pub schedule: Schedule,
    /// The prediction that is off.
    pub parametrisation: Parametrisation,
    /// Noise level at which the run starts.
    pub sigma_start: f64,
    /// Noise level at which it ends.
    pub sigma_end: f64,
}

impl Setting {
    /// Decodes schedule and prediction; the plainest is flow matching with an error of its denoiser.
    ///
    /// Noise levels that are too low for some schedules are raised, to a ratio of at least 3.
    pub fn decode(knobs: &mut Knobs, (sigma_start, sigma_end): (f64, f64)) -> Self {
        let sigma_end = sigma_end.max(LEAST_SIGMA);
        let sigma_start = sigma_start.max(3.0 * sigma_end);
        let schedule = decode_schedule(knobs);
        let parametrisation = knobs.pick(&Parametrisation::ALL);
        Self { schedule, parametrisation, sigma_start, sigma_end }
    }

    /// An error of the prediction as one of the velocity.
    pub fn in_velocity<'a, E>(&self, error: &'a E) -> InVelocity<'a, E> {
        InVelocity { error, parametrisation: self.parametrisation, schedule: self.schedule }
    }

    /// Generating times with equal steps of log σ.
    pub fn times(&self, steps: usize) -> Vec<f64> {
        let levels = geometric_times(self.sigma_start, self.sigma_end, steps);
        levels.into_iter().map(|sigma| self.schedule.time_at_sigma(sigma)).collect()
    }

    /// How far a unit error of the prediction carries a state off a flat at most, in units of x:
    /// max over times of b(t) ∫ |factor|/b. It sets the size of errors; no bound rests on it.
    pub fn lever(&self) -> f64 {
        let times = self.times(64);
        let share = |s: f64| {
            self.parametrisation.velocity_factor(&self.schedule, s).abs()
                / self.schedule.coefficients(s).1
        };
        let (mut sum, mut most) = (0.0, 0.0_f64);
        for w in times.windows(2) {
            sum += 0.5 * (w[1] - w[0]) * (share(w[0]) + share(w[1]));
            most = most.max(sum * self.schedule.coefficients(w[1]).1);
        }
        most
    }

    /// An error of unit size: constant along `direction`, a ripple of that direction, or a random
    /// field; all along, or from the middle of the noise levels on. The plainest is constant.
    pub fn decode_error(
        &self,
        knobs: &mut Knobs,
        direction: &[f64],
        stream: Stream,
    ) -> LearningError {
        let (kind, length) = (knobs.unit(), knobs.log_range(2.0, 0.2));
        let dim = direction.len();
        let error = match () {
            () if kind < 0.6 => LearningError::constant(direction),
            () if kind < 0.8 => {
                let waves = stream.named("ripple").normals(dim);
                let waves: Vec<f64> = waves.iter().map(|z| z / length).collect();
                LearningError::ripple(direction, &waves)
            }
            () => LearningError::fourier(dim, 2, length, 1.0, stream.named("fourier")),
        };
        if knobs.unit() < 0.8 {
            return error;
        }
        let time = self.schedule.time_at_sigma((self.sigma_start * self.sigma_end).sqrt());
        let span = self.times(1);
        error.late(Onset { time, width: 0.1 * (span[1] - span[0]) })
    }
}

/// A nearest point with orthonormal frames of its tangent and normal spaces.
pub struct Foot {
    /// The nearest point.
    pub nearest: Nearest,
    /// `D×d`.
    pub tangent: DMatrix<f64>,
    /// `D×(D−d)`.
    pub normal: DMatrix<f64>,
}

impl Foot {
    /// That of a state.
    ///
    /// *Errors*: as [`Manifold::nearest`].
    pub fn of(manifold: &Manifold, x: &DVector<f64>) -> Result<Self> {
        let nearest = manifold.nearest(x.as_slice())?;
        let tangent = manifold.tangent_frame(&nearest.place);
        let normal = complement(&tangent);
        Ok(Self { nearest, tangent, normal })
    }
}
