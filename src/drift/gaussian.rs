//! Gaussian data, possibly degenerate.

use super::{Channel, Denoise};
use crate::error::{Error, Result};
use crate::linalg::spectral_norm;
use crate::scalar::Scalar;
use nalgebra::DMatrix;
use std::f64::consts::TAU;

/// How far QᵀQ may be from I.
pub(crate) const FRAME_TOLERANCE: f64 = 1e-10;

/// The law N(mean, Q diag(λ) Qᵀ), λ ≥ 0 (T6.1): λ_i = 0 makes the data flat along column i of Q.
///
/// ```
/// use driftproof::drift::{Channel, Denoise, Gaussian};
/// let law = Gaussian::new(vec![0.0, 0.0], nalgebra::DMatrix::identity(2, 2), vec![3.0, 0.0])?;
/// let mut mean = [0.0; 2];
/// law.denoise(Channel { signal: 0.5, noise_variance: 0.25 }, &[2.0, 1.0], &mut mean);
/// assert_eq!(mean, [3.0, 0.0]); // a λ x/(a²λ + b²) = 0.5·3·2/(0.25·3 + 0.25)
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gaussian {
    mean: Vec<f64>,
    axes: DMatrix<f64>,
    variances: Vec<f64>,
}

impl Gaussian {
    /// The Gaussian of that mean, with variances λ along the columns of the orthogonal `D×D` matrix `axes`.
    ///
    /// *Errors*: [`Error::Input`] for sizes that do not fit, a negative variance, columns that are not
    /// orthonormal to 1e-10, or numbers that are not finite.
    pub fn new(mean: Vec<f64>, axes: DMatrix<f64>, variances: Vec<f64>) -> Result<Self> {
        check_gaussian(&mean, &axes, &variances)?;
        Ok(Self { mean, axes, variances })
    }

    /// N(0, diag(λ)).
    ///
    /// *Errors*: as [`Gaussian::new`].
    pub fn diagonal(variances: &[f64]) -> Result<Self> {
        let dim = variances.len();
        Self::new(vec![0.0; dim], DMatrix::identity(dim, dim), variances.to_vec())
    }

    /// The mean, length D.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Q, `D×D` orthogonal.
    pub fn axes(&self) -> &DMatrix<f64> {
        &self.axes
    }

    /// The variances λ along the columns of Q.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The coordinate ⟨Q_i, x − a·mean⟩.
    fn coordinate<S: Scalar>(&self, i: usize, a: S, x: &[S]) -> S {
        let mut sum = S::from(0.0);
        for ((q, x), m) in self.axes.column(i).iter().zip(x).zip(&self.mean) {
            sum += (*x - a * *m) * *q;
        }
        sum
    }
}

/// Refuses what is not a mean, an orthogonal matrix and variances of one dimension.
pub(crate) fn check_gaussian(mean: &[f64], axes: &DMatrix<f64>, variances: &[f64]) -> Result<()> {
    let d = mean.len();
    if d == 0 || axes.shape() != (d, d) || variances.len() != d {
        return Err(Error::input(
            "Gaussian",
            format!(
                "a mean of length {d}, axes {}×{} and {} variances",
                axes.nrows(),
                axes.ncols(),
                variances.len()
            ),
            "give a mean of length D ≥ 1, a D×D matrix and D variances",
        ));
    }
    if let Some(bad) = mean.iter().chain(variances).find(|v| !v.is_finite()) {
        return Err(Error::input(
            "Gaussian",
            format!("{bad} is not finite"),
            "give finite numbers",
        ));
    }
    if let Some(bad) = variances.iter().find(|v| **v < 0.0) {
        return Err(Error::input(
            "Gaussian variance",
            format!("{bad} is negative"),
            "give variances of at least 0 (0 for a flat direction)",
        ));
    }
    check_frame("Gaussian axes", axes)
}

/// Refuses a matrix whose columns are not orthonormal to [`FRAME_TOLERANCE`].
pub(crate) fn check_frame(what: &str, q: &DMatrix<f64>) -> Result<()> {
    let defect = q.tr_mul(q) - DMatrix::identity(q.ncols(), q.ncols());
    let size =
        if defect.iter().all(|v| v.is_finite()) { spectral_norm(&defect)? } else { f64::NAN };
    if size <= FRAME_TOLERANCE {
        return Ok(());
    }
    Err(Error::input(
        what,
        format!("the columns are not orthonormal: |QᵀQ − I| = {size:.1e}"),
        "orthonormalise them first, for instance with linalg::orthonormalise",
    ))
}

impl Denoise for Gaussian {
    const SYMMETRIC: bool = true;

    fn dim(&self) -> usize {
        self.mean.len()
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let a = channel.signal;
        for (o, m) in out.iter_mut().zip(&self.mean) {
            *o = S::from(*m);
        }
        for (i, &lambda) in self.variances.iter().enumerate() {
            let total = a * a * lambda + channel.noise_variance;
            let shift = self.coordinate(i, a, x) * a * lambda / total;
            for (o, q) in out.iter_mut().zip(self.axes.column(i).iter()) {
                *o += shift * *q;
            }
        }
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        let a = channel.signal;
        let mut sum = S::from(0.0);
        for (i, &lambda) in self.variances.iter().enumerate() {
            let total = a * a * lambda + channel.noise_variance;
            let c = self.coordinate(i, a, x);
            sum -= c * c / total + (total * TAU).ln();
        }
        sum * 0.5
    }
}
