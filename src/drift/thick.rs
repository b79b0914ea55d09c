//! Laws with a thickness.

use super::divergence::combine_divergence;
use super::{Channel, Denoise, Denoiser, Lanes, Workspace};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// The law of X + s ξ', ξ' ~ N(0, I): any law with a thickness s.
///
/// Seen through (a, b²) it is the plain law seen through v = b² + a²s², with mean D say; within its
/// thickness the posterior then moves by a s²/v of the residual x − a D.
///
/// ```
/// use driftproof::drift::{Channel, Denoise, Sphere, Thick};
/// let law = Thick::new(Sphere::new(1, 1.0)?.into(), 1.0)?; // ±1, blurred by N(0, 1)
/// let mut mean = [0.0];
/// law.denoise(Channel::canonical(1.0), &[3.0], &mut mean);
/// let plain = 1.5_f64.tanh(); // tanh(x/v), v = 1 + 1
/// assert!((mean[0] - (plain + 0.5 * (3.0 - plain))).abs() < 1e-15);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Thick {
    inner: Box<Denoiser>,
    thickness: f64,
}

impl Thick {
    /// The law `inner` thickened by a Gaussian of deviation `thickness` ≥ 0.
    ///
    /// *Errors*: [`Error::Input`] for a thickness that is negative or not finite.
    pub fn new(inner: Denoiser, thickness: f64) -> Result<Self> {
        if thickness >= 0.0 && thickness.is_finite() {
            return Ok(Self { inner: Box::new(inner), thickness });
        }
        Err(Error::input(
            "thickness",
            format!("{thickness} is not a standard deviation"),
            "give a finite number of at least 0",
        ))
    }

    /// The law without its thickness.
    pub fn inner(&self) -> &Denoiser {
        &self.inner
    }

    /// The standard deviation s.
    pub fn thickness(&self) -> f64 {
        self.thickness
    }

    /// The channel through which the plain law is seen.
    fn seen<S: Scalar>(&self, channel: Channel<S>) -> Channel<S> {
        let added = channel.signal * channel.signal * (self.thickness * self.thickness);
        Channel { noise_variance: channel.noise_variance + added, ..channel }
    }

    /// Adds what thickness lets the posterior move to means (or their derivatives) of the plain law; returns a s²/v.
    fn add_residuals(
        &self,
        channel: Channel<f64>,
        seen: Channel<f64>,
        block: &[f64],
        out: &mut [f64],
    ) -> f64 {
        let gain = channel.signal * self.thickness * self.thickness / seen.noise_variance;
        for (o, x) in out.iter_mut().zip(block) {
            *o += gain * (x - channel.signal * *o);
        }
        gain
    }
}

impl Denoise for Thick {
    const SYMMETRIC: bool = true;

    fn dim(&self) -> usize {
        self.inner.dim()
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let seen = self.seen(channel);
        self.inner.denoise(seen, x, out);
        let gain = channel.signal * (self.thickness * self.thickness) / seen.noise_variance;
        for (o, x) in out.iter_mut().zip(x) {
            *o += gain * (*x - channel.signal * *o);
        }
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        self.inner.log_density(self.seen(channel), x)
    }

    fn push(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        work: &mut Workspace,
    ) {
        let seen = self.seen(channel);
        self.inner.push(seen, block, lanes, out, work);
        self.add_residuals(channel, seen, block, out);
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
        let seen = self.seen(channel);
        self.inner.push_with_divergence(seen, block, lanes, out, divergence, work);
        let gain = self.add_residuals(channel, seen, block, out);
        let kept = channel.noise_variance / seen.noise_variance;
        combine_divergence(self.dim(), lanes, divergence, gain, kept);
    }
}
