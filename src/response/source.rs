//! The law that a model starts from.

use crate::drift::{Channel, Denoise};
use crate::scalar::{Scalar, TANGENT_LANES, Tangents};
use nalgebra::{DVector, SVector};
use num_dual::Derivative;

/// A positive density on R^D.
pub trait LogDensity: Sync {
    /// log ρ(x).
    fn log_density<S: Scalar>(&self, x: &[S]) -> S;

    /// The score ∇ log ρ(x).
    fn score(&self, x: &[f64]) -> DVector<f64> {
        let mut score = DVector::zeros(x.len());
        for first in (0..x.len()).step_by(TANGENT_LANES) {
            let seeded: Vec<Tangents> =
                x.iter().enumerate().map(|(i, &x)| lane(x, i, first)).collect();
            if let Some(slopes) = self.log_density(&seeded).eps.0 {
                let last = x.len().min(first + TANGENT_LANES);
                (first..last).for_each(|i| score[i] = slopes[i - first]);
            }
        }
        score
    }
}

/// Coordinate i with its own unit tangent in lane i − first, if it has one.
pub(super) fn lane(x: f64, i: usize, first: usize) -> Tangents {
    let mut eps = SVector::<f64, TANGENT_LANES>::zeros();
    if (first..first + TANGENT_LANES).contains(&i) {
        eps[i - first] = 1.0;
    }
    Tangents::new(x, Derivative::some(eps))
}

/// The law of a X + b ξ for data X: the exact law of a Gaussian path at one time.
#[derive(Clone, Copy, Debug)]
pub struct NoisyLaw<'a, N> {
    /// The law of X.
    pub denoiser: &'a N,
    /// a and b².
    pub channel: Channel<f64>,
}

impl<N: Denoise> LogDensity for NoisyLaw<'_, N> {
    fn log_density<S: Scalar>(&self, x: &[S]) -> S {
        self.denoiser.log_density(self.channel.lift(), x)
    }
}
