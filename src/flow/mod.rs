//! Samplers as maps: the maps F_k are the generative model, state and tangents in one pass.

mod adaptive;
mod ancestral;
mod bundle;
mod maps;
mod stochastic;
mod tableau;
mod trajectory;

pub use adaptive::adaptive_times;
pub use ancestral::{AncestralSteps, ancestral_step};
pub use bundle::Bundle;
pub use maps::{Carried, InexactFlow, Maps, Orbit, Steps, carried};
pub use stochastic::{Scheme, StochasticSampler};
pub use tableau::{Method, Tableau};
pub use trajectory::Trajectory;

use crate::drift::{Drift, Lanes, Workspace};
use crate::scalar::Scalar;
use nalgebra::DMatrix;

/// A sequence of maps F_0, …, F_{K−1}: one Runge–Kutta step on each interval of a time grid.
///
/// The grid may run up or down; in the canonical time σ it runs down.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    method: Method,
    times: Vec<f64>,
}

/// Scratch of [`Sampler::step`]: stages and the drift's own.
#[derive(Debug, Default)]
pub struct StepWorkspace {
    stages: Vec<f64>,
    argument: Vec<f64>,
    field: Workspace,
}

impl Sampler {
    /// One step of `method` on each interval of `times` (at least one time).
    pub fn new(method: Method, times: Vec<f64>) -> Self {
        Self { method, times }
    }

    /// Number of maps K.
    pub fn maps(&self) -> usize {
        self.times.len().saturating_sub(1)
    }

    /// The grid, K + 1 times.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// The grid with every interval halved: the same flow at twice the resolution.
    pub fn refined(&self) -> Self {
        let halves = self.times.windows(2).flat_map(|w| [w[0], 0.5 * (w[0] + w[1])]);
        let times = halves.chain(self.times.last().copied()).collect();
        Self { method: self.method, times }
    }

    /// x ← F_k(x) on any carrier: the reference that [`Sampler::step`] must agree with.
    pub fn map<S: Scalar>(&self, drift: &impl Drift, k: usize, x: &mut [S]) {
        self.map_field(|t, x, v| drift.velocity(t, x, v), k, x);
    }

    /// [`Sampler::map`] of a velocity field (t, x, out) written on this carrier alone.
    pub fn map_field<S: Scalar>(
        &self,
        velocity: impl Fn(S, &[S], &mut [S]),
        k: usize,
        x: &mut [S],
    ) {
        let tableau = self.method.tableau();
        let (t, h) = (self.times[k], self.times[k + 1] - self.times[k]);
        let mut stages: Vec<Vec<S>> = Vec::new();
        for (row, c) in tableau.a.iter().zip(tableau.c) {
            let mut argument = x.to_vec();
            for (a, stage) in row.iter().zip(&stages) {
                argument.iter_mut().zip(stage).for_each(|(z, k)| *z += *k * (h * a));
            }
            let mut stage = argument.clone();
            velocity(S::from(t + c * h), &argument, &mut stage);
            stages.push(stage);
        }
        for (b, stage) in tableau.b.iter().zip(&stages) {
            x.iter_mut().zip(stage).for_each(|(x, k)| *x += *k * (h * b));
        }
    }

    /// The same flow with so many times the steps, a power of 2.
    pub fn finer(self, factor: usize) -> Self {
        (0..factor.ilog2()).fold(self, |sampler, _| sampler.refined())
    }

    /// Moves a block of states and tangents by F_k and dF_k; allocates nothing once `work` has grown.
    ///
    /// *Shapes*: `block` is `D × lanes.columns()`, column-major.
    pub fn step<F: Drift>(
        &self,
        drift: &F,
        k: usize,
        block: &mut [f64],
        lanes: Lanes,
        work: &mut StepWorkspace,
    ) {
        self.step_by(k, block, work, |t, argument, out, field| {
            drift.push(t, argument, lanes, out, field);
        });
    }

    /// Moves `block` by step k for any right-hand side `rate(t, argument, out, scratch)` of its length.
    pub(crate) fn step_by(
        &self,
        k: usize,
        block: &mut [f64],
        work: &mut StepWorkspace,
        mut rate: impl FnMut(f64, &[f64], &mut [f64], &mut Workspace),
    ) {
        let tableau = self.method.tableau();
        let (t, h) = (self.times[k], self.times[k + 1] - self.times[k]);
        let size = block.len();
        work.stages.resize(tableau.b.len() * size, 0.0);
        work.argument.resize(size, 0.0);
        for (i, (row, c)) in tableau.a.iter().zip(tableau.c).enumerate() {
            if tableau.b[i] == 0.0 && i + 1 == tableau.b.len() {
                break; // A last stage of weight 0 only serves the error estimate.
            }
            let (done, rest) = work.stages.split_at_mut(i * size);
            work.argument.copy_from_slice(block);
            for (a, stage) in row.iter().zip(done.chunks_exact(size)) {
                if *a != 0.0 {
                    work.argument.iter_mut().zip(stage).for_each(|(z, k)| *z += h * a * k);
                }
            }
            rate(t + c * h, &work.argument, &mut rest[..size], &mut work.field);
        }
        for (b, stage) in tableau.b.iter().zip(work.stages.chunks_exact(size)) {
            if *b != 0.0 {
                block.iter_mut().zip(stage).for_each(|(x, k)| *x += h * b * k);
            }
        }
    }

    /// dF_k(x)ᵀ W: pulls covectors back through one map, from the state before it.
    ///
    /// *Shapes*: `state` has length D, `covectors` is `D×k`.
    pub fn pull<F: Drift>(
        &self,
        drift: &F,
        k: usize,
        state: &[f64],
        covectors: &DMatrix<f64>,
        work: &mut StepWorkspace,
    ) -> DMatrix<f64> {
        let tableau = self.method.tableau();
        let (t, h) = (self.times[k], self.times[k + 1] - self.times[k]);
        // The stage arguments z_i of the forward step, then the stages in reverse:
        // μ_i = A_iᵀ (h b_i W + h Σ_{j>i} a_ji μ_j),  dFᵀW = W + Σ μ_i.
        let mut arguments: Vec<Vec<f64>> = Vec::new();
        let mut stages: Vec<Vec<f64>> = Vec::new();
        for (row, c) in tableau.a.iter().zip(tableau.c) {
            let mut argument = state.to_vec();
            for (a, stage) in row.iter().zip(&stages) {
                argument.iter_mut().zip(stage).for_each(|(z, k)| *z += h * a * k);
            }
            let mut velocity = vec![0.0; state.len()];
            let lanes = Lanes::single(0);
            drift.push(t + c * h, &argument, lanes, &mut velocity, &mut work.field);
            arguments.push(argument);
            stages.push(velocity);
        }
        let mut pulled: Vec<DMatrix<f64>> = Vec::new(); // μ of the later stages, last first
        let count = tableau.b.len();
        for i in (0..count).rev() {
            let mut weight = covectors * (h * tableau.b[i]);
            for (mu, j) in pulled.iter().zip((i + 1..count).rev()) {
                weight += mu * (h * tableau.a[j][i]);
            }
            pulled.push(drift.pull(t + tableau.c[i] * h, &arguments[i], &weight, &mut work.field));
        }
        pulled.iter().fold(covectors.clone(), |sum, mu| sum + mu)
    }
}

/// n + 1 equally spaced times from `from` to `to`.
pub fn uniform_times(from: f64, to: f64, n: usize) -> Vec<f64> {
    (0..=n).map(|k| from + (to - from) * k as f64 / n as f64).collect()
}

/// n + 1 geometrically spaced noise levels from `from` to `to`: equal steps of u = −log σ.
pub fn geometric_times(from: f64, to: f64, n: usize) -> Vec<f64> {
    let ratio = (to / from).ln() / n as f64;
    (0..=n).map(|k| if k == n { to } else { from * (ratio * k as f64).exp() }).collect()
}
