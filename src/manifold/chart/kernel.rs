//! Means and covariances of weighted samples under a Gaussian kernel.

use crate::linalg::symmetric_eigen;
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

/// Samples whose weight is this share of the largest, as a logarithm, do not count: it is below rounding.
const FORGOTTEN: f64 = -36.0;

/// Weighted samples, and the deviation of the kernel that they are seen through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kernel {
    pub width: f64,
    /// Points, each with the logarithm of its weight.
    pub samples: Vec<(Vec<f64>, f64)>,
}

/// Mean and covariance of the samples, seen from a point.
pub(super) struct Seen<'a> {
    /// The samples that count, with the logarithm of their weights up to a constant.
    pub near: Vec<(&'a [f64], f64)>,
    /// The mean.
    pub mean: DVector<f64>,
    /// Eigenvalues of the covariance, decreasing.
    pub variances: Vec<f64>,
    /// Its eigenvectors.
    pub frame: DMatrix<f64>,
}

impl Kernel {
    fn near(&self, x: &[f64]) -> Vec<(&[f64], f64)> {
        let halved = 0.5 / (self.width * self.width);
        let log = |(sample, log): &(Vec<f64>, f64)| {
            log - halved * sample.iter().zip(x).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        };
        let logs: Vec<f64> = self.samples.iter().map(log).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let counted = self.samples.iter().zip(logs).filter(|(_, log)| log - top > FORGOTTEN);
        counted.map(|((sample, _), log)| (sample.as_slice(), log - top)).collect()
    }

    /// Seen from a point.
    pub fn seen(&self, x: &[f64]) -> Seen<'_> {
        let n = x.len();
        let near = self.near(x);
        let weights: Vec<f64> = near.iter().map(|(_, log)| log.exp()).collect();
        let total: f64 = weights.iter().sum();
        let mut mean = DVector::zeros(n);
        for ((sample, _), weight) in near.iter().zip(&weights) {
            mean.iter_mut().zip(*sample).for_each(|(m, x)| *m += weight / total * x);
        }
        let mut covariance = DMatrix::zeros(n, n);
        for ((sample, _), weight) in near.iter().zip(&weights) {
            for j in 0..n {
                let share = weight / total * (sample[j] - mean[j]);
                (0..n).for_each(|i| covariance[(i, j)] += share * (sample[i] - mean[i]));
            }
        }
        let (variances, frame) = symmetric_eigen(&covariance);
        Seen { near, mean, variances, frame }
    }
}

/// How the last eigenvectors N of a symmetric matrix C turn with its nilpotent part: the matrix L, row after row, for which
/// N − T Lᵀ is orthogonal to the invariant T + N L. `covariance` are entries of C in the frame (T, N) of eigenvectors of its
/// real part, whose eigenvalues are `variances`; T has d vectors.
///
/// From C₂₁ + C₂₂ L − L (C₁₁ + C₁₂ L) = 0, each step giving one more order of derivatives.
pub(super) fn turned<S: Scalar>(
    d: usize,
    variances: &[f64],
    covariance: impl Fn(usize, usize) -> S,
) -> Vec<S> {
    let n = variances.len();
    let mut turn = vec![S::from(0.0); (n - d) * d];
    for _ in 0..S::NDERIV {
        // (C₁₁ + C₁₂ L) above (C₂₁ + C₂₂ L).
        let applied = |i: usize, k: usize| {
            let terms = (d..n).map(|m| covariance(i, m) * turn[(m - d) * d + k]);
            terms.fold(covariance(i, k), |sum, term| sum + term)
        };
        let upper: Vec<S> = (0..d * d).map(|at| applied(at / d, at % d)).collect();
        let steps: Vec<S> = (0..turn.len())
            .map(|at| {
                let (i, k) = (at / d, at % d);
                let back = (0..d).map(|j| turn[i * d + j] * upper[j * d + k]);
                let residual = back.fold(applied(d + i, k), |sum, term| sum - term);
                residual * (variances[d + i] - variances[k]).recip()
            })
            .collect();
        turn.iter_mut().zip(steps).for_each(|(turn, step)| *turn -= step);
    }
    turn
}
