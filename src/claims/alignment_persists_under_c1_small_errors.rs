//! T5: a propagated plane moves little when the field moves little in C¹.

use super::agreement::attained;
use super::riccati::{Coefficients, FixedPoints, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the bound, decide nothing.
const RESOLUTION: f64 = 2e-2;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "alignment_persists_under_c1_small_errors",
    theory: &["T5"],
    summary: "An error that is small with its first derivative moves a propagated plane by a computable \
              modulus; an error that is small alone does not bound it",
    page: include_str!("../../theorems/alignment_persists_under_c1_small_errors.md"),
    least_in_scope: 0.4,
    mutants: &[
        Mutant {
            name: "c0_small_suffices",
            what: "e = H ϱ: the derivative of the error does not count (C9)",
        },
        Mutant {
            name: "second_derivative_ignored",
            what: "e = ‖Du‖: the displaced path has the same Jacobian",
        },
        Mutant { name: "slope_factor_dropped", what: "e instead of e (1 + ℓ_ε²)" },
        Mutant { name: "gamma_doubled", what: "the compression counts twice" },
        Mutant {
            name: "eta_dropped",
            what: "the difference decays at the rate γ whatever the slopes",
        },
        Mutant { name: "half_the_error", what: "half of e is enough" },
        Mutant { name: "kappa_unmoved", what: "(b) κ of the exact field" },
        Mutant { name: "eta_unmoved", what: "(b) η of the exact field" },
        Mutant {
            name: "curvature_dropped",
            what: "(c) the tangent plane is the same at both end points",
        },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    if facts.get("end_distance").value.is_finite() {
        return end_points(facts, v);
    }
    let bend = facts.get("second_derivative") * v.scale("second_derivative_ignored", 0.0);
    let slope = facts.get("error_slope") * v.scale("c0_small_suffices", 0.0);
    let distance = facts.series("displacement");
    let error: Vec<Quantity> =
        distance.iter().map(|r| (bend * *r + slope) * v.scale("half_the_error", 0.5)).collect();
    let (exact, moved) = (facts.series("slope"), facts.series("slope_perturbed"));
    let series = [facts.series("gamma"), facts.series("kappa"), facts.series("eta"), exact, moved];
    if error.is_empty() || series.iter().any(|s| s.len() != error.len()) {
        return Judgement::default();
    }
    let [gamma, kappa, eta, ..] = series;

    // (a) N' ≤ e (1 + ℓ_ε²) − (γ − η (ℓ + ℓ_ε)) N, with the least favourable coefficients of every interval.
    let steep = v.scale("slope_factor_dropped", 0.0);
    let one = Quantity::exact(1.0);
    let source = |k: usize| error[k] * (one + moved[k] * moved[k] * steep);
    let decay = |k: usize| {
        let slopes = (exact[k] + moved[k]) * v.scale("eta_dropped", 0.0);
        gamma[k] * v.scale("gamma_doubled", 2.0) - eta[k] * slopes
    };
    let all = 0..error.len();
    let (decays, sources): (Vec<_>, Vec<_>) = all.map(|k| (decay(k), source(k))).unzip();
    let none = vec![Quantity::exact(0.0); error.len()];
    let times = facts.series("time");
    let linear = Coefficients { times, gamma: &decays, kappa: &sources, eta: &none };
    // A plane that turns by less than what it lacks to the normal directions cannot pass them between two times.
    let turning = facts.get("turning");
    let hypotheses =
        vec![Margin::at_most("H1 both planes stay transversal", turning, Quantity::exact(1.0))];
    let Some(bound) = riccati_bound(linear, 0.0) else {
        return Judgement { hypotheses, conclusions: Vec::new() };
    };
    let last = error.len() - 1;
    let mut conclusions = Vec::new();
    for quarter in 1..=4 {
        let k = last * quarter / 4;
        let name = format!("Jacobian moved at {quarter}/4");
        conclusions.push(at_most(name, facts.at("jacobian_difference", k), error[k]));
        let limit = Quantity::rounded(bound.y[k], 1e3);
        let name = format!("(a) plane moved at {quarter}/4");
        conclusions.push(at_most(name, facts.at("slope_difference", k), limit));
    }

    // (b) constants: the worst of the whole path.
    let constants = Coefficients { times, gamma, kappa, eta }.least_favourable();
    let e = error.iter().map(|e| e.value + e.bar).fold(0.0, f64::max);
    let span = times[last].value - times[0].value;
    let (g, k, n) = (constants.gamma.value, constants.kappa.value, constants.eta.value);
    let more = |mutant: &'static str| e * v.scale(mutant, 0.0);
    let shaken = FixedPoints::of(g, k + e, n + e);
    let judged = FixedPoints::of(g, k + more("kappa_unmoved"), n + more("eta_unmoved"));
    let start = moved[0].value + moved[0].bar;
    // Whether it applies is asked of the true constants, in every mutant.
    if [g, k, n, start].iter().any(|x| x.is_nan()) {
        conclusions.push(Margin::unknown("(b) perturbed slope"));
    } else if g > 0.0 && shaken.root > 0.0 && start < shaken.barrier {
        let limit = Quantity::rounded(judged.after(span, start), 1e3);
        conclusions.push(at_most("(b) perturbed slope".into(), moved[last], limit));
    }
    Judgement { hypotheses, conclusions }
}

/// (c): from one tangent plane to the other.
fn end_points(facts: &Facts, v: Variant) -> Judgement {
    let turned = facts.get("curvature") * facts.get("end_distance");
    let turned = turned * v.scale("curvature_dropped", 0.0);
    let limit = facts.get("angle_at_exact_end") + turned;
    let name = "(c) angle at the perturbed end point".to_owned();
    let chord = facts.get("end_chord");
    Judgement {
        hypotheses: vec![
            Margin::at_most(
                "H2 end points within twice the reach",
                chord,
                facts.get("reach") * 2.0,
            ),
            Margin::condition("H3 interior end points", facts.get("boundary").value == 0.0),
        ],
        conclusions: vec![at_most(name, facts.get("angle_at_perturbed_end"), limit)],
    }
}

/// The bounds are attained (constant 2×2 systems), so equality up to the bars is met.
fn at_most(name: String, measured: Quantity, bound: Quantity) -> Margin {
    attained(name, measured, bound, 0.0, RESOLUTION)
}
