//! The radius of a noisy sphere point, |R u + σξ|, by quadrature in polar coordinates (T6.5).
//!
//! u is uniform on S^{n−1} and ξ ~ N(0, I) in R^n: a noncentral χ law. Nothing
//! here knows Bessel functions, so that the denoiser's are judged from outside.

use crate::facts::{Grade, Quantity};
use crate::special::gauss_legendre;
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Standard deviations of a bell-shaped integrand that are integrated on either side of its mode.
const REACH: f64 = 10.0;

/// Relative rounding allowed for these quadratures.
const QUADRATURE: f64 = 1e-11;

/// Nodes and weights on [−1, 1]: on 2·REACH deviations of a Gaussian they err by less than 1e-13.
static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| gauss_legendre(64));

/// ∫ f over [low, high].
fn integral(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let terms = RULE.iter().map(|(node, weight)| weight * f(middle + half * node));
    terms.sum::<f64>() * half
}

/// The law of ρ = |R u + σξ| on ρ > 0.
#[derive(Clone, Copy, Debug)]
pub struct RadialLaw {
    /// Dimension n ≥ 2 of the space around the sphere.
    pub dim: usize,
    /// R ≥ 0; 0 gives the central χ law.
    pub radius: f64,
    /// σ > 0.
    pub sigma: f64,
}

impl RadialLaw {
    /// The density f_σ(ρ).
    ///
    /// In polar coordinates about u: f = ρ^{n−1} |S^{n−2}| ∫_0^π φ_σ(ρe(θ) − Ru) sin^{n−2}θ dθ.
    /// *Accuracy*: 1e-12 relative, for n up to 200.
    ///
    /// ```
    /// use driftproof::claims::radial_law::RadialLaw;
    /// // R = 0, n = 2: the Rayleigh density ρ/σ² e^{−ρ²/2σ²}.
    /// let law = RadialLaw { dim: 2, radius: 0.0, sigma: 2.0 };
    /// let rayleigh = 3.0 / 4.0 * (-9.0_f64 / 8.0).exp();
    /// assert!((law.density(3.0) / rayleigh - 1.0).abs() < 1e-12);
    /// ```
    pub fn density(&self, rho: f64) -> f64 {
        let (n, power) = (self.dim as f64, self.dim as i32 - 2);
        let variance = self.sigma * self.sigma;
        let c = rho * self.radius / variance;
        // The mode of e^{c cos θ} sin^{n−2}θ, by its s = sin(θ/2), and the deviation about it.
        let p = f64::from(power);
        let cosine = if c == 0.0 { 0.0 } else { 2.0 * c / (p + p.hypot(2.0 * c)) };
        let (mode, flat) = match power {
            0 => (0.0, c),
            _ => (cosine.acos(), c * cosine + p / (1.0 - cosine * cosine)),
        };
        let (s_mode, c_mode) = (0.5 * mode).sin_cos();
        let peak = if power == 0 { 1.0 } else { 2.0 * s_mode * c_mode };
        let reach = std::f64::consts::SQRT_2 * REACH / flat.sqrt();
        let angular = integral((mode - reach).max(0.0), (mode + reach).min(PI), |theta| {
            let (sin, cos) = (0.5 * theta).sin_cos();
            let falls = (-2.0 * c * (sin - s_mode) * (sin + s_mode)).exp();
            falls * (2.0 * sin * cos / peak).powi(power)
        });
        let log_area =
            std::f64::consts::LN_2 + 0.5 * (n - 1.0) * PI.ln() - libm::lgamma(0.5 * (n - 1.0));
        let miss = rho - self.radius;
        let exponent = log_area + p * peak.ln() - 2.0 * c * s_mode * s_mode
            + (n - 1.0) * (rho / self.sigma).ln()
            - 0.5 * n * (2.0 * PI).ln()
            - 0.5 * miss * miss / variance;
        exponent.exp() * angular / self.sigma
    }

    /// √E ρ² = √(R² + nσ²), within σ of the bulk of the law.
    pub fn centre(&self) -> f64 {
        self.radius.hypot(self.sigma * (self.dim as f64).sqrt())
    }

    /// P(|Ru + σξ| < ρ), or the probability of the other side when `above`.
    ///
    /// *Accuracy*: 1e-12 relative on the lighter side of the centre.
    pub fn tail(&self, rho: f64, above: bool) -> f64 {
        // ρ is a 1-Lipschitz function of the Gaussian: its tails are no heavier than N(·, σ²).
        let reach = REACH * self.sigma;
        match above {
            true => integral(rho, rho.max(self.centre()) + reach, |r| self.density(r)),
            false => integral((rho.min(self.centre()) - reach).max(0.0), rho, |r| self.density(r)),
        }
    }

    /// [`RadialLaw::tail`] at a measured distance: it moves by the density times the bar.
    pub fn tail_at(&self, distance: Quantity, above: bool) -> Quantity {
        let (value, slope) = (self.tail(distance.value, above), self.density(distance.value));
        Quantity::new(value, QUADRATURE * value + slope * distance.bar, Grade::Estimated)
    }

    /// [`RadialLaw::density`] at a measured distance.
    pub fn density_at(&self, distance: Quantity) -> Quantity {
        let value = self.density(distance.value);
        let moved = self.density(distance.value + distance.bar) - value;
        Quantity::new(value, QUADRATURE * value + moved.abs(), Grade::Estimated)
    }
}
