//! The uniform law on a segment (T6.8).

use super::{Channel, Denoise};
use crate::error::Result;
use crate::scalar::Scalar;
use std::f64::consts::TAU;

/// The uniform law on [−h, h] in R.
///
/// The posterior is a Gaussian truncated to the segment, with density
/// proportional to e^{pu − qu²/2} at X = hu, p = a h x/b², q = a²h²/b²: regular
/// at pure noise (p = q = 0), where the closed form in erf is 0/0.
///
/// ```
/// use driftproof::drift::{Channel, Denoise, Segment};
/// let segment = Segment::new(1.0)?;
/// // At the end point, seen through little noise, the posterior is half a Gaussian: 1 − σ √(2/π).
/// let mut mean = [0.0];
/// segment.denoise(Channel::canonical(1e-3), &[1.0], &mut mean);
/// assert!((mean[0] - (1.0 - 1e-3 * (2.0 / std::f64::consts::PI).sqrt())).abs() < 1e-15);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    half_length: f64,
}

impl Segment {
    /// The segment [−h, h], h > 0.
    ///
    /// *Errors*: [`crate::error::Error::Input`] otherwise.
    pub fn new(half_length: f64) -> Result<Self> {
        super::check_positive("segment half length", half_length)?;
        Ok(Self { half_length })
    }

    /// h.
    pub fn half_length(&self) -> f64 {
        self.half_length
    }

    /// The posterior mode u, and tilt p − qu and precision q of the posterior of u' − u.
    ///
    /// The mode is found from real parts, but every origin u gives the same
    /// posterior exactly; this one keeps the exponents small.
    fn tilt<S: Scalar>(&self, channel: Channel<S>, x: S) -> (f64, S, S) {
        let gain = channel.signal * self.half_length;
        let (edge, at) = (gain.re(), x.re());
        let mode = if at >= edge {
            1.0
        } else if at <= -edge {
            -1.0
        } else {
            at / edge
        };
        let slope = gain / channel.noise_variance;
        (mode, slope * (x - gain * mode), slope * gain)
    }
}

impl Denoise for Segment {
    const SYMMETRIC: bool = true;

    fn dim(&self) -> usize {
        1
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let (mode, p, q) = self.tilt(channel, x[0]);
        out[0] = (p.truncated_mean(q, -1.0 - mode, 1.0 - mode) + mode) * self.half_length;
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        let (mode, p, q) = self.tilt(channel, x[0]);
        let miss = x[0] - channel.signal * self.half_length * mode;
        let peak = miss * miss / channel.noise_variance + (channel.noise_variance * TAU).ln();
        // X = hu has density 1/2 in u.
        p.log_truncated_mass(q, -1.0 - mode, 1.0 - mode) - peak * 0.5 - 2.0_f64.ln()
    }
}
