//! T3: QR-iterated subspaces against singular subspaces.

use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, LEVEL, Quantity, least_share};
use crate::verdict::{Judgement, Margin};

/// The parameters e and s at which the random-start bound (c) is checked: exceeded with probability at most
/// e + exp(−s²/2).
const RANDOM_START: (f64, f64) = (0.1, 3.0);

/// Wider error bars than this, relative or in logarithms or radians, decide nothing.
const RESOLUTION: f64 = 1e-3;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "qr_subspace_tracks_singular_subspace",
    theory: &["T3"],
    summary: "A QR-iterated random subspace tends to the top singular subspace at the rate of the gap, \
              and single-sweep exponents are off by at most the start overlap",
    page: include_str!("../../theorems/qr_subspace_tracks_singular_subspace.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant { name: "rate_squared", what: "the angle shrinks like (σ_{d+1}/σ_d)²" },
        Mutant { name: "start_angle_dropped", what: "the start angle t_0 is replaced by 1" },
        Mutant { name: "bias_halved", what: "the exponent bias is at most b_k/2" },
        Mutant { name: "one_sweep_is_the_spectrum", what: "log R_kk equals log σ_k: b_k = 0" },
        Mutant { name: "bias_sign_flipped", what: "QR sums overestimate the singular sums" },
        Mutant {
            name: "start_bound_without_dimension",
            what: "t_0 is at most (√(D−d) + √d + s)/e: the factor √d is dropped",
        },
        Mutant { name: "without_H1", what: "any start subspace, also one fixed in advance" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let ratio = facts.get("singular_ratio");
    let start = match v.is("start_angle_dropped") {
        true => Quantity::exact(1.0),
        false => facts.get("start_cotangent"),
    };
    let rate = if v.is("rate_squared") { ratio * ratio } else { ratio };
    // tan∠(E, W_d) ≤ (σ_{d+1}/σ_d) t_0, with t_0 = 1/cot so that a start without transversality stays finite.
    let product = facts.get("end_tangent") * start;
    let mut conclusions =
        vec![Margin::attained("(a) angle to W_d", product, rate, rate.value.abs(), RESOLUTION)];

    let factor = v.scale("bias_halved", 0.5) * v.scale("one_sweep_is_the_spectrum", 0.0);
    let sign = v.scale("bias_sign_flipped", -1.0);
    let named = ["log_sigma", "log_growth", "start_bias"];
    let (mut sum, mut previous) = (Quantity::exact(0.0), Quantity::exact(0.0));
    for k in 0..facts.rows(&named) {
        let [sigma, growth, bias] = named.map(|name| facts.at(name, k));
        let difference = growth - sigma;
        sum = sum - difference;
        let allowed = bias * factor;
        let zero = Quantity::exact(0.0);
        conclusions.push(bounded(format!("(b) sum of {} at least", k + 1), zero, sum * sign));
        conclusions.push(bounded(format!("(b) sum of {} at most", k + 1), sum, allowed));
        conclusions.push(bounded(format!("(b) value {} at least", k + 1), -allowed, difference));
        conclusions.push(bounded(format!("(b) value {} at most", k + 1), difference, previous));
        previous = allowed;
    }

    conclusions.push(random_start(facts, v));

    let reach = facts.get("angle_to_random_plane");
    let through = (rate / start).atan() + facts.get("angle_of_e_to_random_plane");
    conclusions.push(bounded("(d) triangle with a plane", reach, through));

    let hypotheses = vec![
        Margin::condition("H1 start drawn at random", facts.get("start_is_random").value == 1.0),
        Margin::at_most("H2 nonsingular on the top", Quantity::exact(0.0), facts.get("sigma_d")),
    ];
    Judgement { hypotheses, conclusions }
}

/// (c): the chance of a start beyond the bound, by its exact lower confidence limit (Clopper–Pearson), is at most
/// e + exp(−s²/2).
fn random_start(facts: &Facts, v: Variant) -> Margin {
    let (e, s) = RANDOM_START;
    let (dim, d) = (facts.get("start_dim").value, facts.get("start_subspace").value);
    let dimension = if v.is("start_bound_without_dimension") { 1.0 } else { d.sqrt() };
    let bound = dimension * ((dim - d).sqrt() + d.sqrt() + s) / e;
    let starts = facts.series("drawn_cotangent");
    let known = bound.is_finite() && starts.iter().all(|cot| !(cot.value + cot.bar).is_nan());
    let beyond = starts.iter().filter(|cot| (cot.value + cot.bar) * bound < 1.0).count();
    let least = match known && !starts.is_empty() {
        true => Quantity::new(least_share(beyond, starts.len(), 1.0 - LEVEL), 0.0, Grade::Sampled),
        false => Quantity::UNKNOWN,
    };
    let chance = Quantity::exact(e + (-0.5 * s * s).exp());
    Margin::attained("(c) random start", least, chance, chance.value, RESOLUTION)
}

/// `left <= right` in absolute logarithms or radians: these bounds are attained
/// (a frame inside the top subspace has no bias; angles of lines in a plane add).
fn bounded(name: impl Into<String>, left: Quantity, right: Quantity) -> Margin {
    Margin::attained(name, left, right, 1.0, RESOLUTION)
}
