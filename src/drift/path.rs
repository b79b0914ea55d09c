//! The drift of a Gaussian path (T6.2), and its canonical form.

use super::divergence::combine_divergence;
use super::{Channel, Denoise, Drift, Lanes, Schedule, Workspace};
use crate::scalar::Scalar;
use nalgebra::DMatrix;

/// A schedule applied to a denoiser: v_s(x) = (b'/b) x + (a' − a b'/b) E[X | x] (T6.2), in generating time s.
#[derive(Clone, Copy, Debug)]
pub struct GaussianPath<'a, N> {
    /// The schedule (a, b).
    pub schedule: Schedule,
    /// The posterior mean of the data law.
    pub denoiser: &'a N,
}

impl<N: Denoise> Drift for GaussianPath<'_, N> {
    fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        let (a, b, da, db) = self.schedule.rates(s);
        let channel = Channel { signal: a, noise_variance: b * b };
        self.denoiser.denoise(channel, x, out);
        combine(x, out, db / b, da - a * db / b);
    }

    fn push(&self, s: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        let (a, b, da, db) = self.schedule.rates(s);
        let channel = Channel { signal: a, noise_variance: b * b };
        self.denoiser.push(channel, block, lanes, out, work);
        combine(block, out, db / b, da - a * db / b);
    }

    fn push_with_divergence(
        &self,
        s: f64,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Workspace,
    ) {
        let (a, b, da, db) = self.schedule.rates(s);
        let channel = Channel { signal: a, noise_variance: b * b };
        self.denoiser.push_with_divergence(channel, block, lanes, out, divergence, work);
        combine(block, out, db / b, da - a * db / b);
        combine_divergence(self.dim(), lanes, divergence, db / b, da - a * db / b);
    }

    fn pull(
        &self,
        s: f64,
        state: &[f64],
        covectors: &DMatrix<f64>,
        work: &mut Workspace,
    ) -> DMatrix<f64> {
        pull_through(self, N::SYMMETRIC, s, state, covectors, work)
    }
}

/// The canonical form dy/dσ = (y − D_σ(y))/σ of every Gaussian path; its time is σ, decreasing towards the data.
#[derive(Clone, Copy, Debug)]
pub struct Canonical<'a, N> {
    /// The posterior mean of the data law.
    pub denoiser: &'a N,
}

impl<N: Denoise> Drift for Canonical<'_, N> {
    fn dim(&self) -> usize {
        self.denoiser.dim()
    }

    fn velocity<S: Scalar>(&self, sigma: S, y: &[S], out: &mut [S]) {
        self.denoiser.denoise(Channel::canonical(sigma), y, out);
        combine(y, out, sigma.recip(), -sigma.recip());
    }

    fn push(&self, sigma: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        self.denoiser.push(Channel::canonical(sigma), block, lanes, out, work);
        combine(block, out, sigma.recip(), -sigma.recip());
    }

    fn push_with_divergence(
        &self,
        sigma: f64,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Workspace,
    ) {
        let channel = Channel::canonical(sigma);
        self.denoiser.push_with_divergence(channel, block, lanes, out, divergence, work);
        combine(block, out, sigma.recip(), -sigma.recip());
        combine_divergence(self.dim(), lanes, divergence, sigma.recip(), -sigma.recip());
    }

    fn pull(
        &self,
        sigma: f64,
        state: &[f64],
        covectors: &DMatrix<f64>,
        work: &mut Workspace,
    ) -> DMatrix<f64> {
        pull_through(self, N::SYMMETRIC, sigma, state, covectors, work)
    }
}

/// out ← linear·x + mean·out.
pub(super) fn combine<S: Scalar>(x: &[S], out: &mut [S], linear: S, mean: S) {
    for (o, x) in out.iter_mut().zip(x) {
        *o = *x * linear + *o * mean;
    }
}

/// Aᵀ·W: as A·W in one push where A is symmetric, else from the whole Jacobian.
fn pull_through<F: Drift>(
    field: &F,
    symmetric: bool,
    t: f64,
    state: &[f64],
    covectors: &DMatrix<f64>,
    work: &mut Workspace,
) -> DMatrix<f64> {
    if !symmetric {
        return field.jacobian(t, state, work).tr_mul(covectors);
    }
    let mut block = covectors.clone().insert_column(0, 0.0);
    block.column_mut(0).copy_from_slice(state);
    let mut out = DMatrix::zeros(block.nrows(), block.ncols());
    let lanes = Lanes::single(covectors.ncols());
    field.push(t, block.as_slice(), lanes, out.as_mut_slice(), work);
    out.remove_column(0)
}
