//! T6.8: the flow to a uniform segment, and posterior means of arcs.

use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::special::gauss_legendre;
use crate::verdict::{Judgement, Margin};
use std::f64::consts::{PI, SQRT_2};
use std::sync::LazyLock;

/// Wider bars than this, relative, decide nothing.
const RESOLUTION: f64 = 1e-5;

/// Relative rounding of the closed forms in erfc, whose tails subtract nearby numbers.
const ROUNDING: f64 = 1e-11;

/// Panels of the reference quadrature of an arc are at most this many σ long.
const PANEL: f64 = 4.0;

/// Nodes and weights of a panel: with [`PANEL`] they err by rounding.
static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| gauss_legendre(32));

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "segment_flow_is_a_quantile_map",
    theory: &["T6.8", "T6.2"],
    summary: "The flow of any Gaussian path to a uniform segment maps quantiles to quantiles; quadrature \
              denoisers of arcs converge to the posterior mean",
    page: include_str!("../../theorems/segment_flow_is_a_quantile_map.md"),
    least_in_scope: 0.6,
    mutants: &[
        Mutant { name: "gaussian_instead", what: "the flow of N(0, h²/3), of the same variance" },
        Mutant { name: "score_sign_flipped", what: "the score is −p'/p" },
        Mutant { name: "width_unscaled", what: "erf((x ± h)/σ): the √2 is dropped" },
        Mutant { name: "densities_swapped", what: "J = f_T/f_0" },
        Mutant { name: "signal_forgotten", what: "J without a_T/a_0, for every schedule" },
        Mutant { name: "flat_like_segment", what: "flat directions contract by f_0/f_T" },
        Mutant { name: "arc_halved", what: "the arc as its first half" },
        Mutant { name: "without_H1", what: "also for finitely many points of the segment" },
        Mutant { name: "without_H2", what: "also for quadrature nodes farther apart than σ" },
    ],
    margins,
};

/// The law of hU + σξ, U uniform on [−1, 1]: p(x) = (1/4h)[erf((x+h)/σ√2) − erf((x−h)/σ√2)].
#[derive(Clone, Copy, Debug)]
pub struct NoisySegment {
    /// h > 0.
    pub half_length: f64,
    /// σ > 0.
    pub sigma: f64,
}

impl NoisySegment {
    /// ((|x| − h), (|x| + h))/σ√2.
    fn arguments(&self, x: f64) -> (f64, f64) {
        let width = self.sigma * SQRT_2;
        ((x.abs() - self.half_length) / width, (x.abs() + self.half_length) / width)
    }

    /// p(x).
    ///
    /// ```
    /// use driftproof::claims::segment_flow_is_a_quantile_map::NoisySegment;
    /// // Little noise: 1/2h inside, half of that at the end.
    /// let law = NoisySegment { half_length: 2.0, sigma: 0.01 };
    /// assert_eq!(law.density(0.5), 0.25);
    /// assert_eq!(law.density(-2.0), 0.125);
    /// ```
    pub fn density(&self, x: f64) -> f64 {
        let (near, far) = self.arguments(x);
        (libm::erfc(near) - libm::erfc(far)) / (4.0 * self.half_length)
    }

    /// p'(x)/p(x).
    pub fn score(&self, x: f64) -> f64 {
        let (near, far) = self.arguments(x);
        let bell = |z: f64| (-z * z).exp() / (self.sigma * (2.0 * PI).sqrt());
        let slope = (bell(far) - bell(near)) / (2.0 * self.half_length);
        x.signum() * slope / self.density(x)
    }

    /// The probability beyond x, away from 0: of (x, ∞) for x > 0, of (−∞, x) for x < 0.
    pub fn tail(&self, x: f64) -> f64 {
        let (near, far) = self.arguments(x);
        let integral = |z: f64| (-z * z).exp() / PI.sqrt() - z * libm::erfc(z);
        self.sigma * SQRT_2 / (4.0 * self.half_length) * (integral(near) - integral(far))
    }
}

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let (sigma, place) = (facts.series("sigma"), facts.series("place"));
    let signal = facts.series("signal");
    if sigma.len() < 2 || [place, signal].iter().any(|s| s.len() != sigma.len()) {
        return Judgement::default();
    }
    let h = facts.get("half_length").value;
    let law = |k: usize| NoisySegment {
        half_length: h,
        sigma: sigma[k].value * v.scale("width_unscaled", 1.0 / SQRT_2),
    };
    let last = sigma.len() - 1;
    let mut conclusions = Vec::new();

    // (a) Density and score of the denoiser against the closed form.
    let sign = v.scale("score_sign_flipped", -1.0);
    for k in 0..=last {
        let x = place[k].value;
        let score = known(law(k).score(x) * sign, 1.0 / sigma[k].value);
        let off = facts.series("score").get(k).map_or(Quantity::UNKNOWN, |s| (*s - score).abs());
        conclusions.push(vanishes("(a) score", off, 1.0 / sigma[k].value));
        let log = known(law(k).density(x).ln(), 1.0);
        let off =
            facts.series("log_density").get(k).map_or(Quantity::UNKNOWN, |l| (*l - log).abs());
        conclusions.push(vanishes("(a) log density", off, 1.0));
    }

    // (b) Quantiles, on the lighter side; the flow does not cross the middle.
    let tail = |k: usize| {
        let (x, law) = (place[k], law(k));
        Quantity::new(law.tail(x.value), ROUNDING + law.density(x.value) * x.bar, Grade::Estimated)
    };
    for k in 1..=last {
        conclusions.push(equal("(b) quantile", tail(k), tail(0)));
    }

    // (c) The Jacobian, by conjugacy for every schedule.
    let density = |k: usize| {
        let (x, law) = (place[k], law(k));
        let value = law.density(x.value);
        Quantity::new(value, value * (ROUNDING + law.score(x.value).abs() * x.bar), x.grade)
    };
    let variance = |k: usize| Quantity::exact(h * h / 3.0) + sigma[k] * sigma[k];
    let stretch = match (v.is("gaussian_instead"), v.is("densities_swapped")) {
        (true, _) => (variance(last) / variance(0)).sqrt(),
        (_, true) => density(last) / density(0),
        _ => density(0) / density(last),
    };
    let flat = if v.is("flat_like_segment") { stretch } else { sigma[last] / sigma[0] };
    let one = Quantity::exact(1.0);
    let gain = if v.is("signal_forgotten") { one } else { signal[last] / signal[0] };
    let along = facts.get("segment_factor");
    conclusions.push(equal("(c) factor along the segment", along, gain * stretch));
    for measured in facts.series("flat_factor") {
        conclusions.push(equal("(c) flat factor", *measured, gain * flat));
    }
    conclusions.push(vanishes("(c) mixed entries", facts.get("leak"), (gain * stretch).value));

    // (d) The slope of a line over the segment.
    let about_the_flat = ["flat_factor", "slope_start", "slope_end"];
    if about_the_flat.iter().any(|name| !facts.series(name).is_empty()) {
        if facts.series("flat_factor").is_empty() {
            conclusions.push(Margin::unknown("(c) flat factor"));
        }
        let slope = facts.get("slope_start") * (flat / stretch);
        conclusions.push(equal("(d) slope to the flat", facts.get("slope_end"), slope));
    }

    // (e) The posterior mean of an arc.
    let mean = arc_mean(facts, v.scale("arc_halved", 0.5));
    for (i, mean) in mean.into_iter().enumerate() {
        let off = (facts.at("arc_mean", i) - known(mean, facts.get("arc_size").value)).abs();
        conclusions.push(vanishes(
            "(e) posterior mean of an arc",
            off,
            facts.get("arc_sigma").value,
        ));
    }

    let hypotheses = vec![
        Margin::condition("H1 uniform on the whole segment", facts.get("points").value == 0.0),
        Margin::at_most("H2 nodes closer than σ", facts.get("arc_spacing"), facts.get("arc_sigma")),
    ];
    Judgement { hypotheses, conclusions }
}

/// E[X | X + σξ = y] for X uniform on circular arcs, by composite Gauss–Legendre quadrature;
/// `share` of each arc is integrated.
///
/// NaN when an arc or y is not known.
fn arc_mean(facts: &Facts, share: f64) -> [f64; 2] {
    let value = |name: &str| -> Vec<f64> { facts.series(name).iter().map(|q| q.value).collect() };
    let (y, arcs, sigma) = (value("arc_observed"), value("arcs"), facts.get("arc_sigma").value);
    let [y0, y1] = y[..] else { return [f64::NAN; 2] };
    if arcs.len() % 5 != 0 || arcs.iter().any(|x| x.is_nan()) {
        return [f64::NAN; 2];
    }
    let (mut mass, mut mean) = (0.0, [0.0; 2]);
    for arc in arcs.chunks_exact(5) {
        let [cx, cy, radius, from, to] = arc[..] else { return [f64::NAN; 2] };
        let to = from + share * (to - from);
        let panels = (radius * (to - from) / (PANEL * sigma)).ceil();
        let half = 0.5 * (to - from) / panels;
        for panel in 0..panels as usize {
            let middle = from + half * (2 * panel + 1) as f64;
            for (node, weight) in RULE.iter() {
                let (sin, cos) = (middle + half * node).sin_cos();
                let (px, py) = (cx + radius * cos, cy + radius * sin);
                let square = (y0 - px).powi(2) + (y1 - py).powi(2);
                let likelihood = weight * half * radius * (-0.5 * square / (sigma * sigma)).exp();
                mass += likelihood;
                mean[0] += likelihood * px;
                mean[1] += likelihood * py;
            }
        }
    }
    mean.map(|m| m / mass)
}

/// A closed form whose rounding is relative to `size`.
fn known(value: f64, size: f64) -> Quantity {
    Quantity::new(value, ROUNDING * (size + value.abs()), Grade::Symbolic)
}

fn equal(name: impl Into<String>, measured: Quantity, predicted: Quantity) -> Margin {
    Margin::equal(name, measured, predicted, RESOLUTION)
}

/// What is 0 in theory, against `scale`.
fn vanishes(name: &str, measured: Quantity, scale: f64) -> Margin {
    Margin::attained(name, measured, Quantity::exact(0.0), scale, RESOLUTION)
}
