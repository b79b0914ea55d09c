//! T4.2: the displacement by an error, off and along a manifold: a comparison system, and white errors.

use super::riccati::{Coefficients, envelope, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::special::gauss_legendre;
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the larger side, decide nothing.
const RESOLUTION: f64 = 0.05;

/// Displacements below this share of the largest count as that.
const LEAST_SHARE: f64 = 1e-4;

/// Cross derivatives below this count as none.
const NO_CROSS: f64 = 1e-9;

/// Nodes of a quadrature rule on one interval.
const NODES: usize = 4;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "normal_errors_and_cross_derivatives_bound_the_displacement",
    theory: &["T4.2"],
    summary: "Tangential and normal parts of a displacement obey a 2×2 comparison system of rates, cross derivatives \
              and errors, at finite size and at first order; white errors give the ratio off/on from Jacobians",
    page: include_str!(
        "../../theorems/normal_errors_and_cross_derivatives_bound_the_displacement.md"
    ),
    least_in_scope: 0.5,
    mutants: &[
        Mutant { name: "cross_dropped", what: "κ = 0: tangential displacement stays tangential" },
        Mutant { name: "return_dropped", what: "η = 0: normal displacement stays normal" },
        Mutant {
            name: "frame_rotation_dropped",
            what: "κ and η of A, without the turning of the frame",
        },
        Mutant { name: "rates_exchanged", what: "Λ_T and λ_N exchanged" },
        Mutant { name: "normal_rate_doubled", what: "2λ_N: the normals contract twice as fast" },
        Mutant { name: "error_halved", what: "half of the error counts" },
        Mutant { name: "tangential_error_dropped", what: "w_T = 0" },
        Mutant { name: "normal_error_alone", what: "∫ e^{∫λ_N}|w_N| whatever J_NT is" },
        Mutant { name: "growth_counts_once", what: "Cov = q² ∫ J du, not J Jᵀ" },
        Mutant { name: "ratio_not_per_direction", what: "traces compared without D − d and d" },
    ],
    margins,
};

/// e^{Ms} for M = [[a, b], [c, d]] with bc ≥ 0, whose eigenvalues are real.
fn exponential([[a, b], [c, d]]: [[f64; 2]; 2], s: f64) -> [[f64; 2]; 2] {
    let (middle, half) = (0.5 * (a + d), 0.5 * (a - d));
    let q = (half * half + b * c).sqrt();
    let growth = (middle * s).exp();
    let cosh = growth * (q * s).cosh();
    let sinh = growth * if q > 0.0 { (q * s).sinh() / q } else { s };
    [[cosh + sinh * half, sinh * b], [sinh * c, cosh - sinh * half]]
}

/// The solution of the comparison system from 0, with the least favourable constants of every interval.
fn comparison(facts: &Facts, v: Variant, first: &str, error: &str) -> Option<Vec<[f64; 2]>> {
    let time = facts.series("time");
    let named = |name: &str| facts.series(&format!("{first}{name}"));
    let (mut tangent, mut normal) = (named("rate_tangent"), named("rate_normal"));
    if v.is("rates_exchanged") {
        std::mem::swap(&mut tangent, &mut normal);
    }
    let still = if v.is("frame_rotation_dropped") { "still_" } else { "" };
    let (kappa, eta) = (named(&format!("{still}kappa")), named(&format!("{still}eta")));
    let push = ["tangent", "normal"].map(|part| facts.series(&format!("{error}_{part}")));
    let all = [tangent, normal, kappa, eta, push[0], push[1]];
    let known = |q: &Quantity| q.value.is_finite() && q.bar.is_finite();
    if time.len() < 2 || all.iter().any(|s| s.len() != time.len() || !s.iter().all(known)) {
        return None;
    }
    let rule = gauss_legendre(NODES);
    let mut z = [0.0; 2];
    let mut bound = vec![z];
    for k in 0..time.len() - 1 {
        let h = time[k + 1].value - time[k].value;
        let most = |series: &[Quantity]| envelope(series, k, 1.0);
        let system = [
            [most(tangent), most(eta) * v.scale("return_dropped", 0.0)],
            [
                most(kappa) * v.scale("cross_dropped", 0.0),
                most(normal) * v.scale("normal_rate_doubled", 2.0),
            ],
        ];
        let half = v.scale("error_halved", 0.5);
        let error =
            [most(push[0]) * half * v.scale("tangential_error_dropped", 0.0), most(push[1]) * half];
        let apply = |m: [[f64; 2]; 2], z: [f64; 2]| m.map(|row| row[0] * z[0] + row[1] * z[1]);
        let mut next = apply(exponential(system, h), z);
        for (node, weight) in &rule {
            let pushed = apply(exponential(system, 0.5 * h * (1.0 + node)), error);
            (0..2).for_each(|i| next[i] += 0.5 * h * weight * pushed[i]);
        }
        z = next;
        bound.push(z);
    }
    Some(bound)
}

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let time = facts.series("time");
    let last = time.len().saturating_sub(1);
    let bound = |value: f64| Quantity::new(value, 0.0, Grade::Estimated);
    let mut conclusions = Vec::new();
    let systems = [
        ("(a) finite", "", "error", "displacement"),
        ("(b) first order", "first_", "first_error", "delta"),
    ];
    for (name, first, error, measured) in systems {
        let Some(z) = comparison(facts, v, first, error) else { return Judgement::default() };
        let parts = ["tangent", "normal"];
        let series = parts.map(|part| facts.series(&format!("{measured}_{part}")));
        if series.iter().any(|s| s.len() != time.len()) {
            return Judgement::default();
        }
        let largest = series.iter().flat_map(|s| s.iter()).fold(0.0, |m: f64, q| m.max(q.value));
        for (i, part) in parts.iter().enumerate() {
            for quarter in 1..=4 {
                let k = last * quarter / 4;
                let (left, right) = (series[i][k], bound(z[k][i]));
                let scale = left.value.max(right.value).max(LEAST_SHARE * largest).max(1e-9);
                let name = format!("{name} {part} at {quarter}/4");
                conclusions.push(Margin::attained(name, left, right, scale, RESOLUTION));
            }
        }
    }

    // (c) Without cross derivative the normal part knows nothing of the tangential one.
    let cross = facts.series("first_kappa").iter().fold(0.0, |m: f64, k| m.max(k.value));
    if cross < NO_CROSS || v.is("normal_error_alone") {
        let rates = facts.series("first_rate_normal").iter();
        let gamma: Vec<Quantity> =
            rates.map(|rate| -*rate * v.scale("normal_rate_doubled", 2.0)).collect();
        let half = v.scale("error_halved", 0.5);
        let kappa: Vec<Quantity> =
            facts.series("first_error_normal").iter().map(|w| *w * half).collect();
        let none = vec![Quantity::exact(0.0); time.len()];
        let coefficients = Coefficients { times: time, gamma: &gamma, kappa: &kappa, eta: &none };
        let Some(r) = riccati_bound(coefficients, 0.0) else { return Judgement::default() };
        let series = facts.series("delta_normal");
        let whole = facts.series("delta_tangent").iter().chain(series);
        let least = LEAST_SHARE * whole.fold(0.0, |m: f64, q| m.max(q.value));
        let scale = series[last].value.max(r.y[last]).max(least).max(1e-9);
        let name = "(c) normal errors alone";
        let right = bound(r.y[last]);
        conclusions.push(Margin::attained(name, series[last], right, scale, RESOLUTION));
    }
    conclusions.extend(white(facts, v));
    Judgement { hypotheses: Vec::new(), conclusions }
}

/// (d) the off/on ratio of white errors, and (e) its closed form for Gaussian data.
fn white(facts: &Facts, v: Variant) -> Vec<Margin> {
    let (d, n) = (facts.get("tangents"), facts.get("normals"));
    let ratio = |kind: &str| {
        let trace = |part: &str| facts.get(&format!("{kind}_{part}"));
        ((trace("normal") / n) / (trace("tangent") / d)).sqrt()
    };
    let equal = |name: &str, measured: Quantity, predicted: Quantity| {
        Margin::equal(name, measured, predicted, RESOLUTION)
    };
    let factor =
        if v.is("ratio_not_per_direction") { (n / d).sqrt() } else { Quantity::exact(1.0) };
    let mut margins =
        vec![equal("(d) ratio off/on", ratio("covariance"), ratio("integral") * factor)];
    margins.push(equal("(d) ratio off/on by kicks", ratio("kicked"), ratio("integral") * factor));
    let variances = facts.series("variances");
    let (Some(first), Some(last)) = (facts.series("time").first(), facts.series("time").last())
    else {
        return margins;
    };
    // The closed form is that of Gaussian data.
    let gaussian = facts.get("gaussian").value;
    if gaussian == 0.0 {
        return margins;
    }
    if gaussian.is_nan() || variances.is_empty() {
        margins.push(Margin::unknown("(e) normal variance"));
        return margins;
    }
    // J_i(τ, u)² = (λ + σ_τ²)/(λ + σ_u²), σ = e^{−u}.
    let (u, tau) = (first.value, last.value);
    let squares = |lambda: f64| -> f64 {
        let end = lambda + (-2.0 * tau).exp();
        if v.is("growth_counts_once") {
            // ∫ J du by the midpoint rule: a wrong formula needs no closed form.
            let nodes = (0..2000).map(|k| u + (tau - u) * (f64::from(k) + 0.5) / 2000.0);
            let sum: f64 = nodes.map(|u| (end / (lambda + (-2.0 * u).exp())).sqrt()).sum();
            return sum * (tau - u) / 2000.0;
        }
        match lambda > 0.0 {
            true => {
                let log = |u: f64| (lambda * (2.0 * u).exp()).ln_1p();
                end * (log(tau) - log(u)) / (2.0 * lambda)
            }
            false => 0.5 * end * ((2.0 * tau).exp() - (2.0 * u).exp()),
        }
    };
    let q = facts.get("white").value;
    let part = |flat: bool| -> f64 {
        let lambdas = variances.iter().map(|l| l.value).filter(|l| (*l == 0.0) == flat);
        lambdas.map(|l| q * q * squares(l)).sum()
    };
    let closed = |value: f64| Quantity::rounded(value, 1e3);
    margins.push(equal(
        "(e) tangential variance",
        facts.get("covariance_tangent"),
        closed(part(false)),
    ));
    margins.push(equal("(e) normal variance", facts.get("covariance_normal"), closed(part(true))));
    margins
}
