//! T1.2: μ = ρg where ρ > 0 and μ = 0 where ρ = 0, robust or not.

use super::agreement::{Relative, agree};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the terms, decide nothing: for derivatives by duals,
const EXACT: f64 = 1e-6;

/// and for differences in ε.
const DIFFERENCES: f64 = 3e-2;

/// Terms smaller than this are compared with it instead of their own size.
const LEAST_SIZE: f64 = 1e-3;

/// Jacobians of a larger condition are taken as singular.
const LARGEST_CONDITION: f64 = 1e4;

/// Values of a density or a mean in ε: at −h, −h/2, −h/4, 0, h/4, h/2, h.
const VALUES: usize = 7;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "response_stays_in_the_support_of_every_model",
    theory: &["T1.2"],
    summary: "The response of a C¹ density is ρ times −(div δ + ⟨δ,s⟩), and 0 where ρ = 0: for every smooth error of \
              every model, so it is no evidence of robustness",
    page: include_str!("../../theorems/response_stays_in_the_support_of_every_model.md"),
    least_in_scope: 0.6,
    mutants: &[
        Mutant { name: "divergence_dropped", what: "μ = −ρ⟨δ, s⟩" },
        Mutant { name: "score_term_dropped", what: "μ = −ρ div δ" },
        Mutant { name: "sign_flipped", what: "μ = +ρ (div δ + ⟨δ, s⟩)" },
        Mutant { name: "score_of_the_start", what: "s_0(x_0) in place of s_K(x_K)" },
        Mutant { name: "volume_dropped", what: "ρ_K(x_K) = ρ_0(x_0)" },
        Mutant { name: "response_outside", what: "where ρ = 0, μ = −(largest ρ) div δ" },
        Mutant {
            name: "support_inclusion_shows_robustness",
            what: "since supp μ ⊂ supp ρ, the mean distance to the support is o(ε)",
        },
        Mutant {
            name: "vanishing_is_enough",
            what: "(c) for every f that vanishes on M, whatever its slope",
        },
        Mutant { name: "whole_sensitivity_leaves", what: "the mean distance grows like ε E|δ|" },
        Mutant { name: "without_H1", what: "also for densities with a kink" },
    ],
    margins,
};

const ZERO: Quantity = Quantity { value: 0.0, bar: 0.0, grade: Grade::Symbolic };

fn sum(terms: &[Quantity]) -> Quantity {
    terms.iter().fold(ZERO, |sum, t| sum + *t)
}

/// The derivative at 0, by extrapolation from the two smaller steps.
///
/// The bar is the larger of the differences of the three quotients, what bends within the step, and rounding. Where ρ has three derivatives
/// they shrink by four and the extrapolation errs by far less; where the second derivative of ρ jumps, as on the
/// boundary of its support, they shrink by two and it errs by a third of the larger.
fn slope(values: &[Quantity], step: Quantity, bend: Quantity) -> Quantity {
    let &[far_back, back, near_back, _, near_ahead, ahead, far_ahead] = values else {
        return Quantity::UNKNOWN;
    };
    // The larger of two numbers is the other one where one is unknown.
    if values.iter().any(|value| !(value.value + value.bar).is_finite()) {
        return Quantity::UNKNOWN;
    }
    let coarse = (far_ahead - far_back) / (step * 2.0);
    let (middle, fine) = ((ahead - back) / step, (near_ahead - near_back) / (step * 0.5));
    let value = (fine.value * 4.0 - middle.value) / 3.0;
    let spread = (fine.value - middle.value).abs().max((middle.value - coarse.value).abs());
    let rounding = 2.0 * (fine.bar + middle.bar);
    Quantity::new(value, spread + bend.value + rounding, fine.grade)
}

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let mut conclusions = Vec::new();
    of_a_density(facts, v, &mut conclusions);
    of_a_curve(facts, v, &mut conclusions);
    // A law on a curve has no density.
    let power = match facts.series("start_density").is_empty() {
        true => Quantity::exact(2.0),
        false => facts.get("power"),
    };
    let condition = facts.get("condition");
    let hypotheses = vec![
        Margin::condition("H1 the density is C¹", power.value > 1.0),
        Margin::at_most("H2 maps invertible", condition, Quantity::exact(LARGEST_CONDITION)),
    ];
    Judgement { hypotheses, conclusions }
}

fn of_a_density(facts: &Facts, v: Variant, conclusions: &mut Vec<Margin>) {
    let dim = facts.get("dim").value as usize;
    let (starts, volumes) = (facts.series("start_density"), facts.series("volume"));
    let points = starts.len();
    let scores = match v.is("score_of_the_start") {
        true => facts.series("delta_along_start_score"),
        false => facts.series("delta_along_score"),
    };
    let (values, fixed) = (facts.series("inside_value"), facts.series("slope_at_fixed_point"));
    let (divergence, steps) = (facts.series("divergence"), facts.series("inside_step"));
    let bends = facts.series("inside_bend");
    let complete = [volumes.len(), fixed.len(), divergence.len(), steps.len()] == [points; 4]
        && scores.len() == points * dim
        && values.len() == VALUES * points
        && facts.series("zero_value").len() == VALUES * facts.series("zero_step").len()
        && bends.len() == points
        && facts.series("zero_bend").len() == facts.series("zero_step").len();
    if points == 0 || dim == 0 || !complete {
        return;
    }
    let kept = |mutant| if v.is(mutant) { 0.0 } else { 1.0 };
    let sign = v.scale("sign_flipped", -1.0);
    let (mut largest, mut size) = (ZERO, LEAST_SIZE);
    let (mut measured, mut predicted, mut relative) = (Vec::new(), Vec::new(), Vec::new());
    let mut terms = LEAST_SIZE;
    for i in 0..points {
        let density = if v.is("volume_dropped") { starts[i] } else { starts[i] / volumes[i] };
        let across = sum(&scores[i * dim..][..dim]) * kept("score_term_dropped");
        let g = -(divergence[i] * kept("divergence_dropped") + across) * sign;
        let true_density = starts[i] / volumes[i];
        largest = largest.max(true_density);
        let term = divergence[i].value.abs().max(sum(&scores[i * dim..][..dim]).value.abs());
        terms = terms.max(term);
        size = size.max(true_density.value * term);
        relative.push(g);
        predicted.push(density * g);
        let (values, step) = (&values[VALUES * i..][..VALUES], steps[i]);
        measured.push(slope(values, step, bends[i]));
    }
    let judge = |name: &str, m: &[Quantity], p: &[Quantity], size: f64, resolution: f64| {
        agree(name, m, p, Relative::To(size), resolution)
    };
    conclusions.push(judge("(a) μ inside", &measured, &predicted, size, DIFFERENCES));
    conclusions.push(judge("(a) μ/ρ inside by duals", fixed, &relative, terms, EXACT));
    let values = facts.series("zero_value");
    let steps = facts.series("zero_step");
    let all = values.chunks(VALUES).zip(steps.iter().zip(facts.series("zero_bend")));
    let zero: Vec<Quantity> =
        all.map(|(values, (step, bend))| slope(values, *step, *bend)).collect();
    let outside: Vec<Quantity> = match v.is("response_outside") {
        true => facts.series("zero_divergence").iter().map(|d| -(largest * *d)).collect(),
        false => vec![ZERO; zero.len()],
    };
    conclusions.push(judge("(b) μ where the density vanishes", &zero, &outside, size, DIFFERENCES));
}

fn of_a_curve(facts: &Facts, v: Variant, conclusions: &mut Vec<Margin>) {
    let (near, far) = (facts.series("distance_half"), facts.series("distance"));
    let (normal, whole) = (facts.series("delta_normal"), facts.series("delta_size"));
    let off = facts.series("off_value");
    let points = near.len();
    let complete =
        [far.len(), normal.len(), whole.len()] == [points; 3] && off.len() == VALUES * points;
    if points == 0 || !complete {
        return;
    }
    let step = facts.get("step");
    let share = (points as f64).recip();
    let (mut measured, mut predicted, mut size, mut mass) = (ZERO, ZERO, LEAST_SIZE, ZERO);
    // dist/ε at h/2 and at h, extrapolated to 0; the difference at one point may vanish by accident.
    let rates: Vec<(Quantity, Quantity)> =
        near.iter().zip(far).map(|(near, far)| (*near * 2.0 / step, *far / step)).collect();
    let spread = rates.iter().map(|(f, c)| (f.value - c.value).abs()).fold(0.0, f64::max);
    for (i, (fine, coarse)) in rates.iter().enumerate() {
        let bar = spread + 3.0 * (fine.bar + coarse.bar);
        let value = 2.0 * fine.value - coarse.value;
        measured = measured + Quantity::new(value, bar, fine.grade) * share;
        let leaves = if v.is("whole_sensitivity_leaves") { whole[i] } else { normal[i] };
        predicted = predicted + leaves * share;
        size += share * whole[i].value;
        mass = mass + slope(&off[VALUES * i..][..VALUES], step, ZERO) * share;
    }
    // f = dist²: not zero at the moved points, but flat on M. One-sided, as the distances are.
    let squares: Vec<(Quantity, Quantity)> =
        near.iter().zip(far).map(|(n, f)| (*n * *n * 2.0 / step, *f * *f / step)).collect();
    let mean = |of: fn(&(Quantity, Quantity)) -> Quantity| {
        squares.iter().fold(ZERO, |sum, pair| sum + of(pair) * share)
    };
    let (fine, coarse) = (mean(|pair| pair.0), mean(|pair| pair.1));
    // Both are of order h, and cannot vanish together by accident as their difference can; on a wild curve the nearer step may
    // be farther off.
    let bar = 2.0 * fine.value + coarse.value + 3.0 * (fine.bar + coarse.bar);
    let square = Quantity::new(2.0 * fine.value - coarse.value, bar, fine.grade);
    // The mutant: any f that vanishes on M, here dist itself.
    let flat = if v.is("vanishing_is_enough") { measured } else { square };
    if v.is("support_inclusion_shows_robustness") {
        predicted = ZERO;
    }
    let judge = |name: &str, m: Quantity, p: Quantity| {
        agree(name, &[m], &[p], Relative::To(size), DIFFERENCES)
    };
    conclusions.push(judge("(c) μ off a curve", mass, ZERO));
    conclusions.push(judge("(c) μ of the squared distance", flat, ZERO));
    conclusions.push(judge("(d) rate of the mean distance", measured, predicted));
}
