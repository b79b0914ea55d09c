//! Log densities along a flow, and their response to an error of the velocity, at many points side by side.

use super::LogDensity;
use crate::drift::{Drift, Lanes, scratch};
use crate::flow::{Sampler, StepWorkspace};
use num_dual::Dual64;

/// log ρ^ε at one fixed point, and its derivative in ε at ε = 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DensityAt {
    /// log ρ.
    pub log_density: f64,
    /// g = d log ρ^ε/dε (T1.2).
    pub response: f64,
}

/// Points moved by the velocity v + ε w at ε = 0, with what their densities need (T1.3).
///
/// x' = v, δ' = A δ + w, ℓ' = div v, (dℓ/dε)' = ⟨∇div v, δ⟩ + div w, from δ = 0 and ℓ = 0:
/// δ is dx/dε, ℓ the log volume growth log |det dx/dx_start|, and dℓ/dε = div δ. Divergences and
/// derivatives are exact; the times are those of the [`Sampler`], whose method integrates all four at its order.
///
/// - From data back to noise: [`CarriedPoints::at_start`] gives log ρ and its response at the points
///   that one starts from, given the density of the noise.
/// - From noise to data: [`CarriedPoints::at_end`] gives both at the points where one arrives.
///
/// ```
/// use driftproof::drift::{Canonical, Channel, Drift, Gaussian};
/// use driftproof::flow::{Method, Sampler, StepWorkspace, uniform_times};
/// use driftproof::response::{CarriedPoints, NoisyLaw};
/// use driftproof::scalar::Scalar;
///
/// /// The error w(x) = x: everything stretches at rate ε.
/// struct Stretch;
/// impl Drift for Stretch {
///     fn dim(&self) -> usize {
///         1
///     }
///     fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
///         out.copy_from_slice(x);
///     }
/// }
///
/// // Data N(0, 3) seen at σ: N(0, 3 + σ²). From σ = 1, variance 4, back to σ = 2, variance 7.
/// let law = Gaussian::new(vec![0.0], nalgebra::DMatrix::identity(1, 1), vec![3.0])?;
/// let sampler = Sampler::new(Method::Rk4, uniform_times(1.0, 2.0, 100));
/// let mut points = CarriedPoints::new(1, &[0.5, 2.0]);
/// points.run(&sampler, &Canonical { denoiser: &law }, &Stretch, &mut StepWorkspace::default());
/// let noise = NoisyLaw { denoiser: &law, channel: Channel::canonical(2.0) };
/// for (i, y) in [0.5_f64, 2.0].into_iter().enumerate() {
///     let density = points.at_start(i, &noise);
///     assert!((density.log_density + 0.5 * (y * y / 4.0 + (8.0 * std::f64::consts::PI).ln())).abs() < 1e-9);
///     // Back through time, x stretches by e^ε: the variance at σ = 1 becomes 4 e^{−2ε}, and g = 1 − y²/4.
///     assert!((density.response - (1.0 - y * y / 4.0)).abs() < 1e-9);
/// }
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CarriedPoints {
    dim: usize,
    lanes: Lanes,
    /// For each point x and δ; then for each point ℓ and dℓ/dε.
    block: Vec<f64>,
    /// For the error: states, its values and its divergences.
    room: Vec<f64>,
}

impl CarriedPoints {
    /// Starts at the columns of `states` (`dim`×points, column-major); an incomplete last column is left out.
    pub fn new(dim: usize, states: &[f64]) -> Self {
        let lanes = Lanes { trajectories: states.len() / dim, tangents: 1 };
        let mut block = vec![0.0; (dim + 1) * lanes.columns()];
        for (to, from) in block.chunks_exact_mut(2 * dim).zip(states.chunks_exact(dim)) {
            to[..dim].copy_from_slice(from);
        }
        Self { dim, lanes, block, room: Vec::new() }
    }

    /// Moves all points by step k of the sampler; allocates nothing once `work` has grown.
    pub fn step<V: Drift, W: Drift>(
        &mut self,
        sampler: &Sampler,
        drift: &V,
        error: &W,
        k: usize,
        work: &mut StepWorkspace,
    ) {
        let Self { dim, lanes, block, room } = self;
        let (dim, lanes) = (*dim, *lanes);
        let plain = Lanes { tangents: 0, ..lanes };
        let room = scratch(room, (2 * dim + 1) * lanes.trajectories);
        let (states, room) = room.split_at_mut(dim * lanes.trajectories);
        let (values, divergences) = room.split_at_mut(dim * lanes.trajectories);
        sampler.step_by(k, block, work, |t, argument, out, field| {
            let size = dim * lanes.columns();
            let (rates, volumes) = out.split_at_mut(size);
            drift.push_with_divergence(t, &argument[..size], lanes, rates, volumes, field);
            for (to, from) in states.chunks_exact_mut(dim).zip(argument.chunks_exact(2 * dim)) {
                to.copy_from_slice(&from[..dim]);
            }
            error.push_with_divergence(t, states, plain, values, divergences, field);
            for (rate, w) in rates.chunks_exact_mut(2 * dim).zip(values.chunks_exact(dim)) {
                rate[dim..].iter_mut().zip(w).for_each(|(rate, w)| *rate += w);
            }
            for (volume, divergence) in volumes.chunks_exact_mut(2).zip(divergences.iter()) {
                volume[1] += divergence;
            }
        });
    }

    /// Moves all points by every step of the sampler.
    pub fn run<V: Drift, W: Drift>(
        &mut self,
        sampler: &Sampler,
        drift: &V,
        error: &W,
        work: &mut StepWorkspace,
    ) {
        (0..sampler.maps()).for_each(|k| self.step(sampler, drift, error, k, work));
    }

    /// Number of points.
    pub fn count(&self) -> usize {
        self.lanes.trajectories
    }

    /// Where point i is.
    pub fn state(&self, i: usize) -> &[f64] {
        &self.block[2 * i * self.dim..][..self.dim]
    }

    /// δ of point i.
    pub fn sensitivity(&self, i: usize) -> &[f64] {
        &self.block[(2 * i + 1) * self.dim..][..self.dim]
    }

    /// ℓ of point i.
    pub fn log_volume(&self, i: usize) -> f64 {
        self.block[self.dim * self.lanes.columns() + 2 * i]
    }

    /// dℓ/dε of point i: div δ, as a field of the points where they are.
    pub fn log_volume_response(&self, i: usize) -> f64 {
        self.block[self.dim * self.lanes.columns() + 2 * i + 1]
    }

    /// At the fixed point that point i started from, given the density `there` where the points are now,
    /// on which the error has no effect: log ρ = log `there`(x) + ℓ, g = ⟨∇ log `there`, δ⟩ + dℓ/dε.
    pub fn at_start<P: LogDensity>(&self, i: usize, there: &P) -> DensityAt {
        let coordinates = self.state(i).iter().zip(self.sensitivity(i));
        let moved: Vec<Dual64> = coordinates.map(|(x, delta)| Dual64::new(*x, *delta)).collect();
        let density = there.log_density(&moved);
        DensityAt {
            log_density: density.re + self.log_volume(i),
            response: density.eps + self.log_volume_response(i),
        }
    }

    /// At the fixed point where point i is now, given log ρ of the point it started from, on which the
    /// error has no effect, and the score s of the density here: log ρ − ℓ, g = −(div δ + ⟨δ, s⟩).
    pub fn at_end(&self, i: usize, log_density_at_start: f64, score: &[f64]) -> DensityAt {
        let inner: f64 = self.sensitivity(i).iter().zip(score).map(|(delta, s)| delta * s).sum();
        DensityAt {
            log_density: log_density_at_start - self.log_volume(i),
            response: -(self.log_volume_response(i) + inner),
        }
    }
}
