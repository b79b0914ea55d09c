//! The flow and the reverse diffusion of data on a flat, with a constant error along a normal.

use crate::drift::{
    Drift, Gaussian, GaussianPath, InVelocity, Inexact, LearningError, Parametrisation, Schedule,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Orbit, Sampler, Scheme, StochasticSampler};
use crate::linalg::frame_from_normals;
use crate::observe::inexact::Setting;
use crate::observe::resolved::Resolved;
use crate::random::{Knobs, Stream};
use crate::scalar::Scalar;
use nalgebra::DVector;
use serde::Serialize;

/// Steps of the runs.
const STEPS: usize = 48;

/// Gaussian data on a plane, with a constant error along a normal.
#[derive(Serialize)]
pub(super) struct FlatRun {
    /// Variances along random axes; 0 along the normal.
    variances: Vec<f64>,
    parametrisation: Parametrisation,
    /// Of the error.
    size: f64,
    /// Distance along the normal at the start.
    start: f64,
    /// Time steps.
    #[serde(skip)]
    steps: usize,
}

/// An error of the prediction, as one of the posterior mean.
struct InDenoiser<'a> {
    error: &'a LearningError,
    parametrisation: Parametrisation,
    schedule: Schedule,
}

impl Drift for InDenoiser<'_> {
    fn dim(&self) -> usize {
        self.error.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        self.error.velocity(s, x, out);
        let factor =
            self.parametrisation.error_factor(Parametrisation::Denoiser, &self.schedule, s);
        out.iter_mut().for_each(|e| *e *= factor);
    }
}

impl FlatRun {
    /// Decodes a run; the plainest has a constant error of the denoiser.
    pub(super) fn decode(knobs: &mut Knobs, stream: Stream) -> Self {
        let mut variances = stream.named("flat").uniforms(knobs.count(2, 5));
        variances[0] = 0.0;
        Self {
            variances,
            parametrisation: knobs.pick(&[Parametrisation::Denoiser, Parametrisation::Noise]),
            size: knobs.log_range(0.1, 1.0),
            start: knobs.range(0.0, 1.0),
            steps: knobs.steps(STEPS),
        }
    }

    /// Where both end, along the normal.
    pub(super) fn measure(
        &self,
        setting: &Setting,
        stream: Stream,
        facts: &mut Facts,
    ) -> Result<()> {
        let Self { ref variances, parametrisation, size, start, steps } = *self;
        let Setting { schedule, sigma_start, sigma_end, .. } = *setting;
        let dim = variances.len();
        let axes = frame_from_normals(dim, dim, &stream.named("axes").normals(dim * dim));
        let normal = axes.column(0).into_owned();
        let data = Gaussian::new(vec![0.0; dim], axes, variances.clone())?;
        // e_D = −σ e_ε: the sign makes both errors push along the normal.
        let sign = if parametrisation == Parametrisation::Noise { -1.0 } else { 1.0 };
        let error = LearningError::constant((&normal * (sign * size)).as_slice());
        let exactly = |name: &str, value: f64, facts: &mut Facts| {
            facts.set(name, Quantity::exact(value));
        };
        exactly("sigma_start", sigma_start, facts);
        exactly("sigma_end", sigma_end, facts);
        exactly("flat_error", size, facts);
        exactly("flat_start", start, facts);
        let of_noise = parametrisation == Parametrisation::Noise;
        exactly("flat_error_of_noise", f64::from(u8::from(of_noise)), facts);

        let sampler = Sampler::new(Method::Rk4, setting.times(steps));
        let refined = sampler.refined();
        let signal = |s: f64| schedule.coefficients(s).0;
        let first = signal(sampler.times()[0]);
        let other = DVector::from_vec(stream.named("flat start").normals(dim)) * first;
        let aside = &other - &normal * normal.dot(&other);
        let from = &aside + &normal * (start * first);

        let exact = GaussianPath { schedule, denoiser: &data };
        let velocity = InVelocity { error: &error, parametrisation, schedule };
        let inexact = Inexact { exact: &exact, error: &velocity, epsilon: 1.0 };
        let orbit = Resolved::new(&inexact, &sampler, &refined, from.as_slice())?;
        let (x, bar) = orbit.state(steps);
        let last = signal(sampler.times()[steps]);
        facts.set("flat_flow", Quantity::new(normal.dot(x) / last, bar / last, Grade::Estimated));

        // The same noise with and without error, from starts that differ along the normal.
        let denoised = InDenoiser { error: &error, parametrisation, schedule };
        let apart = |sampler: &Sampler| -> Result<f64> {
            let times = sampler.times().to_vec();
            let noise = stream.named("path");
            let maps = StochasticSampler::new(
                schedule,
                Scheme::Ancestral,
                times,
                &data,
                &denoised,
                noise,
            )?;
            let moved = Orbit::from(&maps, 1.0, from.as_slice())?;
            let exact = Orbit::from(&maps, 0.0, aside.as_slice())?;
            Ok(normal.dot(&(moved.end() - exact.end())) / last)
        };
        let (coarse, fine) = (apart(&sampler)?, apart(&refined)?);
        // Left sums of a smooth integrand: the error is of first order in the step.
        let (value, bar) =
            (2.0 * fine - coarse, 0.25 * (fine - coarse).abs() + 1e-11 * (1.0 + size));
        facts.set("flat_diffusion", Quantity::new(value, bar, Grade::Estimated));
        Ok(())
    }
}
