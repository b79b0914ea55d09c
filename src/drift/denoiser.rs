//! Posterior means: what turns a law into a drift.

use super::divergence::push_with_divergence_generic;
use super::{Lanes, Workspace, jacobian_by_push, push_generic};
use crate::scalar::{Scalar, SecondTangents, Tangents};
use nalgebra::DMatrix;

/// The observation x = a X + b ξ of a data point X through Gaussian noise, ξ ~ N(0, I).
///
/// Kept as the signal a and the noise *variance* b², which stay regular at
/// a = 0 (pure noise), where σ = b/a does not.
#[derive(Clone, Copy, Debug)]
pub struct Channel<S> {
    /// a.
    pub signal: S,
    /// b².
    pub noise_variance: S,
}

impl<S: Scalar> Channel<S> {
    /// The canonical observation y = X + σ ξ.
    pub fn canonical(sigma: S) -> Self {
        Self { signal: S::from(1.0), noise_variance: sigma * sigma }
    }

    /// The same channel on another carrier, as constants.
    pub fn lift<T: Scalar>(self) -> Channel<T> {
        Channel {
            signal: T::from(self.signal.re()),
            noise_variance: T::from(self.noise_variance.re()),
        }
    }
}

/// The posterior mean E[X | a X + b ξ = x] of a law, and the density of the noisy law.
pub trait Denoise: Sync {
    /// True when the Jacobian is symmetric everywhere, as it is for the exact posterior mean of any law:
    /// pulling covectors back then costs no more than pushing tangents. A denoiser with an error is not.
    const SYMMETRIC: bool = false;

    /// Dimension D.
    fn dim(&self) -> usize;

    /// Writes E[X | a X + b ξ = x] to `out`.
    ///
    /// Tweedie: a·E[X|x] = x + b² ∇ log p(x), p the density of [`Denoise::log_density`].
    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]);

    /// log p(x), p the density of a X + b ξ on R^D, normalised.
    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S;

    /// Posterior means of states, and products (a/b²) Cov(X|x)·V with their tangents, in one pass.
    ///
    /// (a/b²) Cov(X|x) is the Jacobian of the posterior mean, so the default
    /// differentiates [`Denoise::denoise`]; a faster override must agree.
    /// *Shapes*: as [`super::Drift::push`].
    fn push(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        work: &mut Workspace,
    ) {
        push_generic(self.dim(), block, lanes, out, work, |x, m| {
            self.denoise(channel.lift::<Tangents>(), x, m);
        });
    }

    /// [`Denoise::push`], and the divergence (a/b²) tr Cov(X|x) of the posterior mean with its derivatives along the
    /// tangents.
    ///
    /// The default differentiates [`Denoise::denoise`] twice; a faster override must agree.
    /// *Shapes*: as [`super::Drift::push_with_divergence`].
    fn push_with_divergence(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Workspace,
    ) {
        push_with_divergence_generic(
            self.dim(),
            (block, lanes),
            (out, divergence),
            work,
            |x, m| self.denoise(channel.lift::<Tangents>(), x, m),
            |x, m| self.denoise(channel.lift::<SecondTangents>(), x, m),
        );
    }

    /// The posterior mean m = E[X|x] and covariance C = Cov(X|x) = (b²/a) dm/dx, a > 0.
    fn posterior(&self, channel: Channel<f64>, x: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
        let mut work = Workspace::default();
        let mut mean = vec![0.0; self.dim()];
        let jacobian = jacobian_by_push(self.dim(), x, |block, lanes, out| {
            self.push(channel, block, lanes, out, &mut work);
            mean.copy_from_slice(&out[..self.dim()]);
        });
        (mean, jacobian * (channel.noise_variance / channel.signal))
    }
}
