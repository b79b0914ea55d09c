//! The response from the error and the score alone (T1.3 (iv)), at many points side by side.

use crate::drift::{Drift, Lanes, Parametrisation, Schedule, scratch};
use crate::flow::{Sampler, StepWorkspace};

/// Points moved by the exact velocity of a Gaussian path, with q' = div w + ⟨w, s⟩ from q = 0.
///
/// From noise to data g = −q at the point where one arrives; from data back to noise g = q at the point
/// one starts from. The score s is read off the velocity, so no derivative of v enters, and no δ:
/// this shares nothing but the trajectory with [`super::CarriedPoints`].
///
/// ```
/// use driftproof::drift::{Gaussian, GaussianPath, LearningError, Schedule};
/// use driftproof::flow::{Method, Sampler, StepWorkspace, uniform_times};
/// use driftproof::response::AccruedPoints;
/// // N(0, 1) stays N(0, 1) at every time of this path: v = 0 and s = −x. With the error w = 3 everywhere
/// // q = ∫ ⟨3, −x⟩ dt = −3x.
/// let law = Gaussian::diagonal(&[1.0])?;
/// let path = GaussianPath { schedule: Schedule::Trigonometric, denoiser: &law };
/// let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, 0.5, 20));
/// let mut points = AccruedPoints::new(1, &[0.7]);
/// let error = LearningError::constant(&[3.0]);
/// points.run(&sampler, (path.schedule, &path), &error, &mut StepWorkspace::default());
/// assert!((points.accrued(0) + 0.5 * 3.0 * 0.7).abs() < 1e-12);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct AccruedPoints {
    dim: usize,
    lanes: Lanes,
    /// All states, then q of each point.
    block: Vec<f64>,
    /// Values of the error.
    room: Vec<f64>,
}

impl AccruedPoints {
    /// Starts at the columns of `states` (`dim`×points, column-major); an incomplete last column is left out.
    pub fn new(dim: usize, states: &[f64]) -> Self {
        let lanes = Lanes { trajectories: states.len() / dim, tangents: 0 };
        let mut block = states[..dim * lanes.trajectories].to_vec();
        block.resize((dim + 1) * lanes.trajectories, 0.0);
        Self { dim, lanes, block, room: Vec::new() }
    }

    /// Moves all points by every step of the sampler; `path` is the velocity and the schedule it belongs to.
    pub fn run<V: Drift, W: Drift>(
        &mut self,
        sampler: &Sampler,
        (schedule, path): (Schedule, &V),
        error: &W,
        work: &mut StepWorkspace,
    ) {
        let Self { dim, lanes, block, room } = self;
        let (dim, lanes) = (*dim, *lanes);
        let size = dim * lanes.trajectories;
        let room = scratch(room, size);
        let score = |t: f64, x: f64, v: f64| {
            let mean = Parametrisation::Velocity.denoised(&schedule, t, x, v);
            Parametrisation::Score.predicted(&schedule, t, x, mean)
        };
        for k in 0..sampler.maps() {
            sampler.step_by(k, block, work, |t, argument, out, field| {
                let states = &argument[..size];
                let (rates, growth) = out.split_at_mut(size);
                path.push(t, states, lanes, rates, field);
                error.push_with_divergence(t, states, lanes, room, growth, field);
                for (i, growth) in growth.iter_mut().enumerate() {
                    for j in i * dim..(i + 1) * dim {
                        *growth += room[j] * score(t, states[j], rates[j]);
                    }
                }
            });
        }
    }

    /// Number of points.
    pub fn count(&self) -> usize {
        self.lanes.trajectories
    }

    /// Where point i is.
    pub fn state(&self, i: usize) -> &[f64] {
        &self.block[i * self.dim..][..self.dim]
    }

    /// q of point i.
    pub fn accrued(&self, i: usize) -> f64 {
        self.block[self.dim * self.lanes.trajectories + i]
    }
}
