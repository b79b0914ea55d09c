//! Many trajectories, each with a frame, side by side.

use super::{Sampler, StepWorkspace};
use crate::drift::{Drift, Lanes};
use crate::linalg::orthonormalise_columns;
use nalgebra::DMatrix;

/// States with frames of tangents, moved together: [`crate::lyapunov::qr_sweep`] of many orbits at once.
#[derive(Clone, Debug)]
pub struct Bundle {
    dim: usize,
    lanes: Lanes,
    block: Vec<f64>,
    log_r: Vec<f64>,
    log_growth: Vec<f64>,
}

impl Bundle {
    /// Starts at the columns of `states` (`dim`×trajectories, column-major), each with the same `frame` (`D×K`).
    pub fn new(dim: usize, states: &[f64], frame: &DMatrix<f64>) -> Self {
        let (trajectories, tangents) = (states.len() / dim, frame.ncols());
        let columns = states.chunks_exact(dim).flat_map(|state| [state, frame.as_slice()]);
        Self {
            dim,
            lanes: Lanes { trajectories, tangents },
            block: columns.flatten().copied().collect(),
            log_r: vec![0.0; tangents],
            log_growth: vec![0.0; trajectories * tangents],
        }
    }

    /// Moves states and frames by map k of the sampler, orthonormalises the frames and adds up
    /// their log growths. Allocates nothing once `work` has grown.
    pub fn step<F: Drift>(
        &mut self,
        sampler: &Sampler,
        drift: &F,
        k: usize,
        work: &mut StepWorkspace,
    ) {
        sampler.step(drift, k, &mut self.block, self.lanes, work);
        if self.lanes.tangents == 0 {
            return;
        }
        let trajectories = self.block.chunks_exact_mut(self.dim * (1 + self.lanes.tangents));
        let growths = self.log_growth.chunks_exact_mut(self.lanes.tangents);
        for (trajectory, growth) in trajectories.zip(growths) {
            let frame = &mut trajectory[self.dim..];
            orthonormalise_columns(frame, self.dim, &mut self.log_r);
            growth.iter_mut().zip(&self.log_r).for_each(|(sum, log_r)| *sum += log_r);
        }
    }

    /// Number of trajectories and of tangents of each.
    pub fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// The state of trajectory t.
    pub fn state(&self, t: usize) -> &[f64] {
        &self.block[t * self.dim * (1 + self.lanes.tangents)..][..self.dim]
    }

    /// The frame of trajectory t, `D×K` column-major.
    pub fn frame(&self, t: usize) -> &[f64] {
        let width = self.dim * (1 + self.lanes.tangents);
        &self.block[t * width + self.dim..(t + 1) * width]
    }

    /// Σ_k log (R_k)_ii of trajectory t, as [`crate::lyapunov::QrSweep::log_growth`].
    pub fn log_growth(&self, t: usize) -> &[f64] {
        &self.log_growth[t * self.lanes.tangents..][..self.lanes.tangents]
    }
}
