//! T2.2: alignment in discrete time, from Jacobian products only.

use super::agreement::attained;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the bound, decide nothing.
const RESOLUTION: f64 = 1e-3;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "compressing_maps_force_alignment",
    theory: &["T2.2"],
    summary: "A plane pushed by maps stays within the slope given step by step, by the product, by uniform \
              rates, and by the cone condition",
    page: include_str!("../../theorems/compressing_maps_force_alignment.md"),
    least_in_scope: 0.3,
    mutants: &[
        Mutant { name: "cross_terms_dropped", what: "‖J_NT‖ = 0 in every form" },
        Mutant {
            name: "start_forgotten",
            what: "(b) without l_1/C: any compression C > 1 aligns (C13)",
        },
        Mutant { name: "tangent_contraction_ignored", what: "m_k = 1: absolute compression (C1)" },
        Mutant { name: "back_terms_dropped", what: "‖J_TN‖ = 0: no denominator" },
        Mutant {
            name: "norms_exchanged",
            what: "‖J_NT‖ and ‖J_TN‖ exchanged, as with a transposed Jacobian",
        },
        Mutant { name: "cone_narrowed", what: "the image cone is half as wide" },
        Mutant { name: "without_H1", what: "the recursion past a vanishing denominator" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let cross = v.scale("cross_terms_dropped", 0.0);
    let back = v.scale("back_terms_dropped", 0.0);
    let swap = v.is("norms_exchanged");
    let (nt_name, tn_name) = if swap { ("tn", "nt") } else { ("nt", "tn") };
    let least = |q: Quantity| match v.is("tangent_contraction_ignored") {
        true => Quantity::exact(1.0),
        false => q,
    };
    let series = |name: &str| facts.series(&format!("step_{name}"));
    let (m, n, nt, tn) = (series("tt"), series("nn"), series(nt_name), series(tn_name));
    let slope = facts.series("slope");
    let (Some(start), Some(end)) = (slope.first().copied(), slope.last().copied()) else {
        return Judgement::default();
    };
    let at_most = |name: &str, measured: Quantity, bound: Quantity| {
        attained(name, measured, bound, 0.0, RESOLUTION)
    };
    let fraction = |tt: Quantity, nn: Quantity, nt: Quantity, tn: Quantity, l: Quantity| {
        let denominator = least(tt) - tn * l * back;
        ((nt * cross + nn * l) / denominator, denominator)
    };

    let steps = slope.len() - 1;
    if steps == 0 || [m, n, nt, tn].iter().any(|series| series.len() != steps) {
        return Judgement::default();
    }
    // A form applies where its denominator is positive; one that was not measured is kept, and decides nothing.
    let applies =
        |denominator: Quantity| denominator.value > denominator.bar || denominator.value.is_nan();

    let mut conclusions = Vec::new();
    // (a) step by step, from the measured slope, and as a recursion from the first one.
    let mut recursion = start;
    let mut least_denominator = Quantity::exact(f64::MAX);
    for k in 0..steps {
        let (bound, denominator) = fraction(m[k], n[k], nt[k], tn[k], slope[k]);
        if applies(denominator) {
            conclusions.push(at_most(&format!("(a) step {}", k + 1), slope[k + 1], bound));
        }
        let (next, denominator) = fraction(m[k], n[k], nt[k], tn[k], recursion);
        least_denominator = least_denominator.min(denominator);
        recursion = next;
    }
    conclusions.push(at_most("(a) all steps", end, recursion));

    // (b) the whole product, where its denominator is positive.
    let product = |name: &str| facts.get(&format!("product_{name}"));
    let start_kept = v.scale("start_forgotten", 0.0);
    let forgotten = product("nn") * start_kept;
    let (bound, denominator) =
        fraction(product("tt"), forgotten, product(nt_name), product(tn_name), start);
    if applies(denominator) {
        conclusions.push(at_most("(b) product", end, bound));
    }

    // (c) uniform rates, where the fixed points are real and the start is below the barrier.
    if let Some(bound) = uniform_bound(m, n, nt, tn, start, cross, back) {
        conclusions.push(at_most("(c) uniform rates", end, bound));
    }

    // (d) the cone condition on the first map: image planes stay inside, and it is the tightest form.
    let cone = facts.get("cone_slope") * v.scale("cone_narrowed", 0.5);
    conclusions.push(at_most("(d) planes of the cone", facts.get("cone_image_slope"), cone));
    let (bound, denominator) = fraction(m[0], n[0], nt[0], tn[0], start);
    if applies(denominator) {
        conclusions.push(at_most("(d) at most the step form", cone, bound));
    }
    let zero = Quantity::exact(0.0);
    let hypotheses =
        vec![Margin::at_least("H1 denominators stay positive", least_denominator, zero)];
    Judgement { hypotheses, conclusions }
}

/// T2.2(c): the limit of the increasing map (a + c l)/(1 − b l) with the worst rates, iterated from `start`.
fn uniform_bound(
    m: &[Quantity],
    n: &[Quantity],
    nt: &[Quantity],
    tn: &[Quantity],
    start: Quantity,
    cross: f64,
    back: f64,
) -> Option<Quantity> {
    let worst = |s: &[Quantity]| {
        s.iter().zip(m).map(|(x, m)| *x / *m).fold(Quantity::exact(0.0), Quantity::max)
    };
    let (a, b, c) = (worst(nt) * cross, worst(tn) * back, worst(n));
    let one = Quantity::exact(1.0);
    let discriminant = (one - c) * (one - c) - a * b * 4.0;
    if c.value >= 1.0 || discriminant.value <= discriminant.bar {
        return None;
    }
    let barrier = (1.0 - c.value + discriminant.value.sqrt()) / (2.0 * b.value);
    if start.value >= barrier {
        return None;
    }
    Some(m.iter().fold(start, |l, _| (a + c * l) / (one - b * l)))
}
