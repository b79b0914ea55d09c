//! Laws moved rigidly, or embedded in a larger space.

use super::gaussian::check_frame;
use super::{Channel, Denoise, Denoiser, Lanes, Workspace};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DMatrixView};
use std::f64::consts::TAU;

/// The law of Q X + shift: a rigid motion, or an embedding of R^n in R^D.
///
/// The D − n directions outside the range of Q have variance 0.
///
/// ```
/// use driftproof::drift::{Channel, Denoise, Moved, Sphere};
/// use nalgebra::DMatrix;
/// // The two points ±1 of a line, carried to (1, 2) ± (0.6, 0.8) of the plane.
/// let frame = DMatrix::from_column_slice(2, 1, &[0.6, 0.8]);
/// let law = Moved::new(Sphere::new(1, 1.0)?.into(), frame, vec![1.0, 2.0])?;
/// let mut mean = [0.0; 2];
/// law.denoise(Channel::canonical(1.0), &[1.3, 2.4], &mut mean);
/// // (1.3, 2.4) is 0.5 along the frame: (1, 2) + tanh(0.5) (0.6, 0.8).
/// assert!((mean[1] - (2.0 + 0.8 * 0.5_f64.tanh())).abs() < 1e-15);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Moved {
    inner: Box<Denoiser>,
    frame: DMatrix<f64>,
    shift: Vec<f64>,
}

impl Moved {
    /// The law `inner` of R^n carried to R^D by the `D×n` frame Q and the shift of length D.
    ///
    /// *Errors*: [`Error::Input`] for sizes that do not fit, or columns that are not orthonormal to 1e-10.
    pub fn new(inner: Denoiser, frame: DMatrix<f64>, shift: Vec<f64>) -> Result<Self> {
        let (rows, columns) = frame.shape();
        if columns != inner.dim() || rows != shift.len() || rows < columns {
            return Err(Error::input(
                "moved law",
                format!(
                    "a {rows}×{columns} frame and a shift of length {} for a law in R^{}",
                    shift.len(),
                    inner.dim()
                ),
                "give a D×n frame and a shift of length D ≥ n for a law in R^n",
            ));
        }
        if let Some(bad) = shift.iter().find(|v| !v.is_finite()) {
            return Err(Error::input("shift", format!("{bad} is not finite"), "give numbers"));
        }
        check_frame("moved law", &frame)?;
        Ok(Self { inner: Box::new(inner), frame, shift })
    }

    /// The law before the motion.
    pub fn inner(&self) -> &Denoiser {
        &self.inner
    }

    /// Q, `D×n`.
    pub fn frame(&self) -> &DMatrix<f64> {
        &self.frame
    }

    /// The shift, length D.
    pub fn shift(&self) -> &[f64] {
        &self.shift
    }

    /// Qᵀ(x − a·shift), length n: the observation in the coordinates of the inner law.
    fn coordinates<S: Scalar>(&self, a: S, x: &[S]) -> Vec<S> {
        let coordinate = |i: usize| {
            let mut sum = S::from(0.0);
            for ((q, x), shift) in self.frame.column(i).iter().zip(x).zip(&self.shift) {
                sum += (*x - a * *shift) * *q;
            }
            sum
        };
        (0..self.frame.ncols()).map(coordinate).collect()
    }

    /// States and tangents in the coordinates of the inner law, `n × lanes.columns()`.
    fn observed(&self, channel: Channel<f64>, block: &[f64], lanes: Lanes) -> DMatrix<f64> {
        let d = self.dim();
        let mut observed = self.frame.tr_mul(&DMatrixView::from_slice(block, d, lanes.columns()));
        // Only the states are shifted; tangents turn with the frame.
        for column in (0..lanes.columns()).step_by(1 + lanes.tangents) {
            let coordinates = self.coordinates(channel.signal, &block[column * d..][..d]);
            observed.column_mut(column).copy_from_slice(&coordinates);
        }
        observed
    }

    /// Means and tangents of the inner law carried to R^D.
    fn carry_means(&self, means: &DMatrix<f64>, lanes: Lanes, out: &mut [f64]) {
        out.copy_from_slice((&self.frame * means).as_slice());
        for state in out.chunks_exact_mut(self.dim() * (1 + lanes.tangents)) {
            state.iter_mut().zip(&self.shift).for_each(|(o, shift)| *o += shift);
        }
    }

    /// Q·m, accumulated on `out`.
    fn carry<S: Scalar>(&self, m: &[S], out: &mut [S]) {
        for (i, m) in m.iter().enumerate() {
            for (o, q) in out.iter_mut().zip(self.frame.column(i).iter()) {
                *o += *m * *q;
            }
        }
    }
}

impl Denoise for Moved {
    const SYMMETRIC: bool = true;

    fn dim(&self) -> usize {
        self.shift.len()
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let observed = self.coordinates(channel.signal, x);
        let mut mean = vec![S::from(0.0); observed.len()];
        self.inner.denoise(channel, &observed, &mut mean);
        for (o, shift) in out.iter_mut().zip(&self.shift) {
            *o = S::from(*shift);
        }
        self.carry(&mean, out);
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        let observed = self.coordinates(channel.signal, x);
        // The part of x outside the range of Q is pure noise.
        let mut image = vec![S::from(0.0); self.dim()];
        self.carry(&observed, &mut image);
        let mut square = S::from(0.0);
        for ((x, image), shift) in x.iter().zip(&image).zip(&self.shift) {
            let residual = *x - channel.signal * *shift - *image;
            square += residual * residual;
        }
        let normal = (self.dim() - observed.len()) as f64;
        let noise = square / channel.noise_variance + (channel.noise_variance * TAU).ln() * normal;
        self.inner.log_density(channel, &observed) - noise * 0.5
    }

    fn push(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        work: &mut Workspace,
    ) {
        let observed = self.observed(channel, block, lanes);
        let mut means = DMatrix::zeros(self.inner.dim(), lanes.columns());
        self.inner.push(channel, observed.as_slice(), lanes, means.as_mut_slice(), work);
        self.carry_means(&means, lanes, out);
    }

    fn push_with_divergence(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Workspace,
    ) {
        let observed = self.observed(channel, block, lanes);
        let mut means = DMatrix::zeros(self.inner.dim(), lanes.columns());
        let (from, to) = (observed.as_slice(), means.as_mut_slice());
        // The trace of Q J Qᵀ is that of J.
        self.inner.push_with_divergence(channel, from, lanes, to, divergence, work);
        self.carry_means(&means, lanes, out);
    }
}
