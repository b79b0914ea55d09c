//! T7: alignment without robustness, robustness without alignment, and what tells neither of them.

use super::agreement::{Relative, agree, vanish};
use super::compression_alone_does_not_align::planar;
use super::counterexample_maps::Example;
use super::naive_alignment::aligned;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to what is predicted, decide nothing.
const RESOLUTION: f64 = 1e-3;

/// The largest relative shift of the boundary of C12.
const LARGEST_SHIFT: f64 = 0.2;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "alignment_and_robustness_are_independent",
    theory: &["T7"],
    summary: "Six worlds in which angles, displacement, score overlap and lost mass go their own ways do what \
              their closed forms say",
    page: include_str!("../../theorems/alignment_and_robustness_are_independent.md"),
    least_in_scope: 0.7,
    mutants: &[
        Mutant {
            name: "alignment_implies_robustness",
            what: "where the plane aligns, errors across it do not grow (C7)",
        },
        Mutant {
            name: "robustness_implies_alignment",
            what: "where errors across M are damped, the plane aligns (C6 = C1)",
        },
        Mutant {
            name: "compression_attenuates_every_error",
            what: "alignment and C ≥ 20 halve an error, whenever it occurs (C8)",
        },
        Mutant {
            name: "c0_small_errors_keep_alignment",
            what: "an error that is small, with whatever slope, keeps alignment (C9)",
        },
        Mutant {
            name: "score_orthogonality_is_alignment",
            what: "an aligned plane is orthogonal to the score, also on the ridge (C10)",
        },
        Mutant {
            name: "response_on_support_keeps_mass",
            what: "the mass off the support is O(ε²) even at a jump of the density (C12)",
        },
        Mutant { name: "displacement_uncompressed", what: "C6: the displacement is τ" },
        Mutant { name: "late_error_attenuated", what: "C8: the whole compression acts on it" },
        Mutant { name: "error_slope_dropped", what: "C9: the slope is that of the exact flow" },
        Mutant { name: "overlap_is_the_sine", what: "C10: ‖P_E s‖/‖s‖ = sin Θ" },
        Mutant { name: "inward_errors_count", what: "C12: ⟨δ,n⟩ counts with either sign" },
        Mutant { name: "without_H1", what: "C10 off the ridge" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let Some(example) = Example::of(facts, v) else {
        return Judgement::default();
    };
    if let Some((hypotheses, conclusion)) = naive(facts, v) {
        return Judgement { hypotheses, conclusions: vec![conclusion] };
    }
    let exact = Quantity::exact;
    let mut hypotheses = Vec::new();
    let conclusions = match example.number {
        "C10" => {
            let ridge = facts.get("offset").value == 0.0;
            hypotheses.push(Margin::condition("H1 C10: the state is on the ridge", ridge));
            on_ridge(facts, &example, v)
        }
        "C12" => {
            let shift = exact(facts.get("size").value * shift(&example));
            let small = Margin::at_most("H2 C12: a small shift", shift, exact(LARGEST_SHIFT));
            hypotheses.push(small);
            off_support(facts, &example, v)
        }
        _ => match planar(facts, &example) {
            planar if planar.is_empty() => return Judgement::default(),
            planar => [planar, displacement(facts, &example)].concat(),
        },
    };
    Judgement { hypotheses, conclusions }
}

/// The wordings that T7 refutes, from what is common to all worlds; None for any other variant.
fn naive(facts: &Facts, v: Variant) -> Option<(Vec<Margin>, Margin)> {
    let exact = Quantity::exact;
    let (moved, total) = (facts.get("displacement_across").abs(), facts.get("error_total"));
    let at_most = |name: &str, left: Quantity, right: Quantity| Margin::at_most(name, left, right);
    if v.is("alignment_implies_robustness") {
        return Some((vec![aligned(facts)], at_most("errors do not grow", moved, total)));
    }
    if v.is("robustness_implies_alignment") {
        let damped = at_most("errors are damped", moved, total * 0.6);
        return Some((vec![damped], aligned(facts)));
    }
    if v.is("compression_attenuates_every_error") {
        let factor = facts.get("tangent_stretch") / facts.get("normal_stretch");
        let asked = Margin::at_least("compression factor", factor, exact(20.0));
        let halved = at_most("errors are halved", moved, total * 0.5);
        return Some((vec![asked, aligned(facts)], halved));
    }
    if v.is("c0_small_errors_keep_alignment") {
        let small = at_most("error is small", facts.get("error_size"), exact(0.05));
        let before = at_most("aligned without it", facts.get("exact_end_sine"), exact(0.05));
        return Some((vec![small, before], aligned(facts)));
    }
    if v.is("score_orthogonality_is_alignment") {
        let overlap = at_most("overlap with the score", facts.get("overlap"), exact(0.5));
        return Some((vec![aligned(facts)], overlap));
    }
    if v.is("response_on_support_keeps_mass") {
        let (mass, size) = (facts.get("mass_outside"), facts.get("size"));
        return Some((Vec::new(), at_most("mass off the support", mass, size * size)));
    }
    None
}

/// C6 to C9: how far an error moves the end, and the bounds that the statement makes of it.
fn displacement(facts: &Facts, example: &Example) -> Vec<Margin> {
    let part = |name: &str| facts.get(&format!("displacement_{name}"));
    let [c, k, h] = example.parameters;
    let predicted = example.displacement();
    let size = if example.number == "C9" { h / c } else { predicted };
    let closed = Quantity::new(predicted, 1e-12 * size, Grade::Symbolic);
    let across = part("across");
    let zero = [part("along"), part("elsewhere")];
    let mut conclusions = vec![
        agree("(e) displacement across M", &[across], &[closed], Relative::To(size), RESOLUTION),
        vanish("(e) displacement along M", &zero, size, RESOLUTION),
    ];
    let at_most = |name: &str, left: Quantity, right: f64| {
        Margin::attained(name, left, Quantity::rounded(right, 16.0), right, RESOLUTION)
    };
    match example.number {
        "C8" => {
            let kept = Quantity::exact(1.0) - across / Quantity::exact(k);
            conclusions.push(at_most("(e) C8 loses at most ch/2", kept, 0.5 * c * k));
        }
        "C9" => conclusions.push(at_most("(e) C9 moves at most e/c", across.abs(), size)),
        _ => (),
    }
    conclusions
}

/// C10: a plane of slope l in the first tangent direction, that of a share f of |s|², overlaps by √(1 − f sin²).
fn on_ridge(facts: &Facts, example: &Example, v: Variant) -> Vec<Margin> {
    let [thickness, from, to] = example.parameters;
    let shrunk = |variance: f64| ((variance + to * to) / (variance + from * from)).sqrt();
    let slope = example.slope * shrunk(thickness * thickness) / shrunk(1.0);
    let square = slope * slope / (1.0 + slope * slope);
    let overlap = match v.is("overlap_is_the_sine") {
        true => square.sqrt(),
        false => (1.0 - facts.get("share").value * square).sqrt(),
    };
    let closed = |value: f64| Quantity::rounded(value, 1e3);
    let measured = facts.get("overlap");
    vec![
        Margin::equal("(f) slope on the ridge", facts.get("slope"), closed(slope), RESOLUTION),
        Margin::equal("(f) overlap with the score", measured, closed(overlap), RESOLUTION),
        vanish("(f) score along the ridge", &[facts.get("score_normal")], 1.0, RESOLUTION),
    ]
}

/// ε times this is the largest shift of the boundary of C12, relative to its size.
fn shift(example: &Example) -> f64 {
    let [_, a, b] = example.parameters;
    (a.abs() + b.abs()) * example.span
}

/// C12: the law is uniform on |y| ≤ 1 at the end and v = −c y, the error ε(a + b y).
///
/// The end ±1 comes from R g_±, g_± = e^{−εbτ}(±1 − εa ∫_0^τ e^{ms} ds), m = −c + εb, where the law starts
/// on |y| ≤ R. Where ε(|a| + |b|)τ ≤ 1/5, the second derivative of g in ε is below 6(|a| + |b|)²τ².
fn off_support(facts: &Facts, example: &Example, v: Variant) -> Vec<Margin> {
    let ([c, a, b], span) = (example.parameters, example.span);
    let size = facts.get("size").value;
    let grown = |m: f64| if m == 0.0 { span } else { (m * span).exp_m1() / m };
    let pulled = |end: f64| {
        let m = size * b - c;
        (-size * b * span).exp() * (end - size * a * grown(m))
    };
    let lost = |end: f64| 0.5 * (1.0 - end * pulled(end)).max(0.0);
    let mass = lost(1.0) + lost(-1.0);
    let rate = |end: f64| {
        let outward = b * span + end * a * grown(-c);
        0.5 * if v.is("inward_errors_count") { outward.abs() } else { outward.max(0.0) }
    };
    let first = size * (rate(1.0) + rate(-1.0));
    let measured = facts.get("mass_outside");
    let scale = size * shift(example);
    let predicted = [Quantity::new(mass, 1e-14, Grade::Symbolic)];
    let exact =
        agree("(g) mass off the support", &[measured], &predicted, Relative::To(scale), RESOLUTION);
    let off = (measured - Quantity::new(first, 1e-14, Grade::Symbolic)).abs();
    let second = Quantity::exact(3.0 * scale * scale);
    vec![exact, Margin::attained("(g) first order in ε", off, second, scale, RESOLUTION)]
}
