//! Gaussian paths as the judges know them: closed forms of a, b and their rates, by hand.
//!
//! Written apart from the schedules of the computing tower, which differentiates its own by duals.

use crate::facts::Facts;
use std::f64::consts::FRAC_PI_2;

/// The families of paths x_s = a(s) x_1 + b(s) ξ; their place here is the fact `family`.
pub const FAMILIES: [&str; 7] =
    ["vp-linear", "vp-cosine", "ve", "sub-vp", "edm", "flow-matching", "trigonometric"];

/// One path: its family, and the parameters of that family in the order of their names below.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    family: &'static str,
    parameters: [f64; 3],
}

/// The values of a path at one time.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// a.
    pub signal: f64,
    /// b.
    pub noise: f64,
    /// a'.
    pub signal_rate: f64,
    /// b'.
    pub noise_rate: f64,
}

impl Path {
    /// The path of that family; missing parameters read as 0.
    pub fn new(family: &'static str, parameters: &[f64]) -> Self {
        let at = |i: usize| parameters.get(i).copied().unwrap_or(0.0);
        Self { family, parameters: [at(0), at(1), at(2)] }
    }

    /// The path of the facts `family` and `parameters`, if they name one.
    pub fn of(facts: &Facts) -> Option<Self> {
        let family = FAMILIES.get(facts.get("family").value as usize)?;
        let parameters: Vec<f64> = facts.series("parameters").iter().map(|p| p.value).collect();
        Some(Self::new(family, &parameters))
    }

    /// The name of the family.
    pub fn family(&self) -> &'static str {
        self.family
    }

    /// (a, b, a', b') at generating time s: 0 is noise, 1 is data.
    pub fn at(&self, s: f64) -> Values {
        let [p, q, r] = self.parameters;
        let t = 1.0 - s;
        let (a, b, da, db) = match self.family {
            // p = β_min, q = β_max: a² = exp(−∫_0^t β).
            "vp-linear" | "sub-vp" => {
                let beta = p + t * (q - p);
                let integral = p * t + 0.5 * (q - p) * t * t;
                let (a, lost) = ((-0.5 * integral).exp(), -(-integral).exp_m1());
                let da = 0.5 * beta * a;
                match self.family {
                    "sub-vp" => (a, lost, da, -beta * a * a),
                    _ => (a, lost.sqrt(), da, -0.5 * beta * a * a / lost.sqrt()),
                }
            }
            // p = offset: a = cos θ/cos θ_0; 1 − a² as a product, which does not cancel.
            "vp-cosine" => {
                let speed = FRAC_PI_2 / (1.0 + p);
                let (theta, first) = (speed * (t + p), speed * p);
                let b = ((theta - first).sin() * (theta + first).sin()).sqrt() / first.cos();
                let (a, da) = (theta.cos() / first.cos(), speed * theta.sin() / first.cos());
                (a, b, da, -a * da / b)
            }
            // p = σ_min, q = σ_max.
            "ve" => {
                let b = q * (p / q).powf(s);
                (1.0, b, 0.0, b * (p / q).ln())
            }
            // p = σ_min, q = σ_max, r = ρ.
            "edm" => {
                let (low, high) = (p.powf(r.recip()), q.powf(r.recip()));
                let root = high + s * (low - high);
                (1.0, root.powf(r), 0.0, r * root.powf(r - 1.0) * (low - high))
            }
            "flow-matching" => (s, t, 1.0, -1.0),
            _ => {
                let (sin, cos) = (FRAC_PI_2 * s).sin_cos();
                (sin, cos, FRAC_PI_2 * cos, -FRAC_PI_2 * sin)
            }
        };
        Values { signal: a, noise: b, signal_rate: da, noise_rate: db }
    }
}

impl Values {
    /// σ = b/a.
    pub fn sigma(&self) -> f64 {
        self.noise / self.signal
    }

    /// a' − a b'/b: the share of the posterior mean in the velocity.
    pub fn mean_share(&self) -> f64 {
        self.signal_rate - self.signal * self.noise_rate / self.noise
    }
}
