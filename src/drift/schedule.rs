//! Gaussian paths x_s = a(s) x_1 + b(s) ξ in generating time s: 0 is noise, 1 is data.

use crate::error::{Error, Result};
use crate::scalar::Scalar;
use num_dual::Dual;
use serde::{Deserialize, Serialize};

/// A noise schedule: the signal a(s) and noise level b(s), s in [0, 1] from noise to data.
///
/// *Ends*: a = 0 at s = 0 for [`Schedule::FlowMatching`], [`Schedule::Trigonometric`] and (up to
/// rounding) [`Schedule::VpCosine`]: σ = b/a is infinite there, but the drift of the path is
/// regular. b = 0 at s = 1 for all but [`Schedule::Ve`] and [`Schedule::Edm`]: the drift is not
/// defined there, and √ has no derivative; stop at a positive σ ([`Schedule::time_at_sigma`]).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Schedule {
    /// Variance preserving with β(t) = β_min + t (β_max − β_min), t = 1 − s.
    VpLinear {
        /// β at the data end.
        beta_min: f64,
        /// β at the noise end.
        beta_max: f64,
    },
    /// Variance preserving with a = cos θ(t)/cos θ(0), θ(t) = (π/2)(t + offset)/(1 + offset).
    VpCosine {
        /// Keeps β finite at the data end; 0.008 is customary.
        offset: f64,
    },
    /// Variance exploding: a = 1, b geometric from `sigma_max` to `sigma_min`.
    Ve {
        /// Noise level at the data end.
        sigma_min: f64,
        /// Noise level at the noise end.
        sigma_max: f64,
    },
    /// Sub-variance-preserving: a as [`Schedule::VpLinear`], b = 1 − a².
    SubVp {
        /// β at the data end.
        beta_min: f64,
        /// β at the noise end.
        beta_max: f64,
    },
    /// EDM: a = 1, b = (σ_max^{1/ρ} + s (σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ.
    Edm {
        /// Noise level at the data end.
        sigma_min: f64,
        /// Noise level at the noise end.
        sigma_max: f64,
        /// The exponent ρ; 7 is customary.
        rho: i32,
    },
    /// Conditional flow matching with independent coupling: a = s, b = 1 − s.
    FlowMatching,
    /// Trigonometric stochastic interpolant: a = sin(πs/2), b = cos(πs/2).
    Trigonometric,
}

impl Schedule {
    /// Refuses parameters for which b/a is not a positive, finite, strictly decreasing function inside (0, 1).
    ///
    /// *Errors*: [`Error::Input`], naming the parameter.
    pub fn validate(&self) -> Result<()> {
        match *self {
            Self::VpLinear { beta_min, beta_max } | Self::SubVp { beta_min, beta_max } => {
                if beta_min >= 0.0 && beta_max >= beta_min && beta_max > 0.0 && beta_max.is_finite()
                {
                    return Ok(());
                }
                Err(Error::input(
                    "schedule beta",
                    format!("beta_min = {beta_min} and beta_max = {beta_max}"),
                    "give 0 <= beta_min <= beta_max with beta_max positive; 0.1 and 20 are customary",
                ))
            }
            Self::VpCosine { offset } => {
                if offset >= 0.0 && offset.is_finite() {
                    return Ok(());
                }
                Err(Error::input(
                    "schedule offset",
                    format!("{offset} is negative or not finite"),
                    "give a number of at least 0; 0.008 is customary",
                ))
            }
            Self::Ve { sigma_min, sigma_max } | Self::Edm { sigma_min, sigma_max, .. } => {
                if !(sigma_min > 0.0 && sigma_max > sigma_min && sigma_max.is_finite()) {
                    return Err(Error::input(
                        "schedule sigma",
                        format!("sigma_min = {sigma_min} and sigma_max = {sigma_max}"),
                        "give 0 < sigma_min < sigma_max; 0.002 and 80 are customary",
                    ));
                }
                match *self {
                    Self::Edm { rho, .. } if rho <= 0 => Err(Error::input(
                        "schedule rho",
                        format!("{rho} is not positive"),
                        "give a whole number of at least 1; 7 is customary",
                    )),
                    _ => Ok(()),
                }
            }
            Self::FlowMatching | Self::Trigonometric => Ok(()),
        }
    }

    /// (a(s), b(s)).
    pub fn coefficients<S: Scalar>(&self, s: S) -> (S, S) {
        let one = S::from(1.0);
        match *self {
            Self::VpLinear { beta_min, beta_max } => {
                let twice_log_a = vp_twice_log_signal(one - s, beta_min, beta_max);
                ((twice_log_a * 0.5).exp(), (-twice_log_a.exp_m1()).sqrt())
            }
            Self::SubVp { beta_min, beta_max } => {
                let twice_log_a = vp_twice_log_signal(one - s, beta_min, beta_max);
                ((twice_log_a * 0.5).exp(), -twice_log_a.exp_m1())
            }
            Self::VpCosine { offset } => {
                let quarter = S::pi() * 0.5 / (1.0 + offset);
                let (start, angle) = (quarter * offset, quarter * (one - s + offset));
                let scale = start.cos().recip();
                // cos²θ0 − cos²θ = sin(θ−θ0) sin(θ+θ0): no cancellation near the data end.
                let squared = (angle - start).sin() * (angle + start).sin();
                (angle.cos() * scale, squared.sqrt() * scale)
            }
            Self::Ve { sigma_min, sigma_max } => {
                let log_ratio = S::from(sigma_min / sigma_max).ln();
                (one, (log_ratio * s).exp() * sigma_max)
            }
            Self::Edm { sigma_min, sigma_max, rho } => {
                let root = |sigma: f64| (S::from(sigma).ln() / f64::from(rho)).exp();
                let (low, high) = (root(sigma_min), root(sigma_max));
                (one, (high + s * (low - high)).powi(rho))
            }
            Self::FlowMatching => (s, one - s),
            Self::Trigonometric => {
                let angle = S::pi() * 0.5 * s;
                (angle.sin(), angle.cos())
            }
        }
    }

    /// (a, b, a', b') at s; the derivatives in s are exact, by a dual in time.
    pub fn rates<S: Scalar>(&self, s: S) -> (S, S, S, S) {
        rates(s, |s| self.coefficients(s))
    }

    /// The noise-to-signal ratio σ(s) = b/a, decreasing in s; ∞ at pure noise.
    pub fn sigma(&self, s: f64) -> f64 {
        let (a, b) = self.coefficients(s);
        b / a
    }

    /// The time s at which b/a = sigma, by bisection; the nearer end of [0, 1] when it is never reached.
    pub fn time_at_sigma(&self, sigma: f64) -> f64 {
        time_at_sigma(sigma, (0.0, 1.0), |s| self.sigma(s))
    }
}

/// The time between two at which a noise level that decreases is `sigma`, by bisection.
pub(super) fn time_at_sigma(
    sigma: f64,
    (mut low, mut high): (f64, f64),
    level: impl Fn(f64) -> f64,
) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if level(middle) > sigma { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Levels with their derivatives in s.
pub(super) fn rates<S: Scalar>(
    s: S,
    levels: impl Fn(Dual<S>) -> (Dual<S>, Dual<S>),
) -> (S, S, S, S) {
    let (a, b) = levels(Dual::new(s, S::from(1.0)));
    (a.re, b.re, a.eps, b.eps)
}

/// log a² at time-to-data t of the variance-preserving path with linear β.
fn vp_twice_log_signal<S: Scalar>(t: S, beta_min: f64, beta_max: f64) -> S {
    -(t * t * (0.5 * (beta_max - beta_min)) + t * beta_min)
}
