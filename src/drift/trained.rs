//! The drift of a trained network under a convention.

use super::path::combine;
use super::{Convention, Drift, Lanes, Workspace, jacobian_by_push};
use crate::network::Field;
use crate::scalar::Scalar;
use nalgebra::DMatrix;

/// The value of a network as a field of its own time and of a state.
impl Drift for Field {
    fn dim(&self) -> usize {
        Self::dim(self)
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.eval(t, x, out);
    }

    fn push(&self, t: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        Self::push(self, t, block, lanes.trajectories, lanes.tangents, out, &mut work.network);
    }

    fn pull(
        &self,
        t: f64,
        state: &[f64],
        covectors: &DMatrix<f64>,
        work: &mut Workspace,
    ) -> DMatrix<f64> {
        Self::pull(self, t, state, covectors, &mut work.network)
    }
}

/// A network with its convention: the velocity of the flow from noise (s = 0) to data (s = 1).
#[derive(Clone, Debug)]
pub struct Trained<N> {
    /// The network: its value as a field of its own time and of the scaled state.
    pub network: N,
    /// What its numbers mean.
    pub convention: Convention,
}

impl<N: Drift> Trained<N> {
    /// The prediction of the data E[X|x] at (s, x), and its Jacobian in x.
    pub fn denoised(&self, s: f64, x: &[f64], work: &mut Workspace) -> (Vec<f64>, DMatrix<f64>) {
        self.combined(self.convention.denoiser_weights(s), s, x, work)
    }

    /// The prediction of the data alone.
    pub fn denoised_value(&self, s: f64, x: &[f64], work: &mut Workspace) -> Vec<f64> {
        let (of_state, of_velocity) = self.convention.denoiser_weights(s);
        let mut value = vec![0.0; x.len()];
        self.push(s, x, Lanes::single(0), &mut value, work);
        value.iter().zip(x).map(|(v, x)| of_state * x + of_velocity * v).collect()
    }

    /// The score that the network implies at (s, x), and its Jacobian in x.
    pub fn score(&self, s: f64, x: &[f64], work: &mut Workspace) -> (Vec<f64>, DMatrix<f64>) {
        self.combined(self.convention.score_weights(s), s, x, work)
    }

    /// c_x x + c_v v(s, x) and its Jacobian.
    fn combined(
        &self,
        (of_state, of_velocity): (f64, f64),
        s: f64,
        x: &[f64],
        work: &mut Workspace,
    ) -> (Vec<f64>, DMatrix<f64>) {
        let mut value = vec![0.0; x.len()];
        let mut jacobian = jacobian_by_push(x.len(), x, |block, lanes, out| {
            self.push(s, block, lanes, out, work);
            value.copy_from_slice(&out[..x.len()]);
        });
        jacobian *= of_velocity;
        jacobian.iter_mut().step_by(x.len() + 1).for_each(|entry| *entry += of_state);
        value.iter_mut().zip(x).for_each(|(v, x)| *v = of_state * x + of_velocity * *v);
        (value, jacobian)
    }
}

impl<N: Drift> Drift for Trained<N> {
    fn dim(&self) -> usize {
        self.network.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        let weights = self.convention.weights(s);
        let input: Vec<S> = x.iter().map(|x| *x * weights.input).collect();
        self.network.velocity(weights.time, &input, out);
        combine(x, out, weights.state, weights.network);
    }

    fn push(&self, s: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        let weights = self.convention.weights(s);
        if weights.input == 1.0 {
            self.network.push(weights.time, block, lanes, out, work);
        } else {
            // Tangents are scaled as the states are.
            let input: Vec<f64> = block.iter().map(|x| x * weights.input).collect();
            self.network.push(weights.time, &input, lanes, out, work);
        }
        combine(block, out, weights.state, weights.network);
    }

    fn pull(
        &self,
        s: f64,
        state: &[f64],
        covectors: &DMatrix<f64>,
        work: &mut Workspace,
    ) -> DMatrix<f64> {
        let weights = self.convention.weights(s);
        let input: Vec<f64> = state.iter().map(|x| x * weights.input).collect();
        let pulled = self.network.pull(weights.time, &input, covectors, work);
        pulled * (weights.network * weights.input) + covectors * weights.state
    }
}
