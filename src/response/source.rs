//! The law that a model starts from.

use crate::drift::{Channel, Denoise};
use crate::scalar::{Scalar, TANGENT_LANES, Tangents, seeded};
use nalgebra::DVector;

/// A positive density on R^D.
pub trait LogDensity: Sync {
    /// log ρ(x).
    fn log_density<S: Scalar>(&self, x: &[S]) -> S;

    /// The score ∇ log ρ(x).
    fn score(&self, x: &[f64]) -> DVector<f64> {
        let mut score = DVector::zeros(x.len());
        for first in (0..x.len()).step_by(TANGENT_LANES) {
            let lanes: Vec<Tangents> =
                x.iter().enumerate().map(|(i, &x)| seeded(x, i, first)).collect();
            if let Some(slopes) = self.log_density(&lanes).eps.0 {
                let last = x.len().min(first + TANGENT_LANES);
                (first..last).for_each(|i| score[i] = slopes[i - first]);
            }
        }
        score
    }
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
