//! T1.3: the relative response g = μ/ρ along an orbit, from the sensitivity and from the error alone.

use super::agreement::{Relative, agree};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Grade, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the terms, decide nothing: on maps,
const EXACT: f64 = 1e-6;

/// and on two grids.
const GRIDS: f64 = 3e-2;

/// Sums of terms smaller than this are compared with it instead of their own size.
const LEAST_SIZE: f64 = 1e-3;

/// Jacobians of a larger condition are taken as singular.
const LARGEST_CONDITION: f64 = 1e6;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "two_formulas_give_one_response",
    theory: &["T1.3"],
    summary: "The relative response of the density is −(div δ + ⟨δ,s⟩), which takes second derivatives of the model, \
              and minus the sum of div w + ⟨w,s⟩ along the orbit, which takes none: one number",
    page: include_str!("../../theorems/two_formulas_give_one_response.md"),
    least_in_scope: 0.6,
    mutants: &[
        Mutant { name: "trace_dropped", what: "g = −Σ⟨w, s⟩" },
        Mutant { name: "score_term_dropped", what: "g = −Σ tr(dw dF⁻¹)" },
        Mutant { name: "sign_flipped", what: "g = +Σ [tr(dw dF⁻¹) + ⟨w, s⟩]" },
        Mutant {
            name: "score_before_the_map",
            what: "⟨w_k, s_k(x_k)⟩ in place of ⟨w_k, s_{k+1}(x_{k+1})⟩",
        },
        Mutant { name: "score_without_volume", what: "s_{k+1} = dF_k⁻ᵀ s_k" },
        Mutant {
            name: "divergence_before_the_map", what: "tr dw_k in place of tr(dw_k dF_k⁻¹)"
        },
        Mutant { name: "divergence_of_sensitivity_dropped", what: "g = −⟨δ, s⟩" },
        Mutant { name: "inner_product_dropped", what: "g = −div δ" },
        Mutant { name: "inner_product_sign_flipped", what: "g = −(div δ − ⟨δ, s⟩)" },
        Mutant { name: "without_H2", what: "the score of the path, from another start law" },
    ],
    margins,
};

const ZERO: Quantity = Quantity { value: 0.0, bar: 0.0, grade: Grade::Symbolic };

fn inner(a: &[Quantity], b: &[Quantity]) -> Quantity {
    a.iter().zip(b).fold(ZERO, |sum, (a, b)| sum + *a * *b)
}

/// −(div δ + ⟨δ, s⟩).
fn by_sensitivity(divergence: Quantity, inner: Quantity, v: Variant) -> Quantity {
    let kept = |mutant| if v.is(mutant) { 0.0 } else { 1.0 };
    let sign = v.scale("inner_product_sign_flipped", -1.0) * kept("inner_product_dropped");
    -(divergence * kept("divergence_of_sensitivity_dropped") + inner * sign)
}

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let mut conclusions = Vec::new();
    on_maps(facts, v, &mut conclusions);
    by_equations(facts, v, &mut conclusions);
    on_the_line(facts, v, &mut conclusions);
    // A flow by equations is invertible as it is; of maps the condition has to be known.
    let condition = match facts.series("flow_delta").is_empty() {
        true => facts.get("condition"),
        false => Quantity::exact(1.0),
    };
    let hypotheses = vec![
        Margin::at_most("H1 maps invertible", condition, Quantity::exact(LARGEST_CONDITION)),
        Margin::condition(
            "H2 the start law is that of the path",
            facts.get("start_widened").value == 1.0,
        ),
    ];
    Judgement { hypotheses, conclusions }
}

fn on_maps(facts: &Facts, v: Variant, conclusions: &mut Vec<Margin>) {
    let dim = facts.get("dim").value as usize;
    let (traces, divergence) = (facts.series("trace"), facts.series("divergence"));
    let maps = traces.len();
    let rows = |name: &str| facts.series(name);
    let complete = divergence.len() == maps + 1
        && ["delta", "score", "carried_score"].iter().all(|n| rows(n).len() == (maps + 1) * dim)
        && rows("error").len() == maps * dim
        && rows("rounding").len() == maps + 1
        && rows("trace_before").len() == maps;
    if maps == 0 || dim == 0 || !complete {
        return;
    }
    let row = |name: &str, k: usize| &rows(name)[k * dim..][..dim];
    let scores = if v.is("score_without_volume") { "carried_score" } else { "score" };
    let kept = |mutant| if v.is(mutant) { 0.0 } else { 1.0 };
    let sign = v.scale("sign_flipped", -1.0);
    let (mut sum, mut terms) = (ZERO, LEAST_SIZE);
    let (mut from_error, mut from_sensitivity) = (Vec::new(), Vec::new());
    for k in 0..maps {
        let trace = if v.is("divergence_before_the_map") { rows("trace_before") } else { traces };
        let later = if v.is("score_before_the_map") { k } else { k + 1 };
        let along = inner(row("error", k), row(scores, later));
        let step = trace[k] * kept("trace_dropped") + along * kept("score_term_dropped");
        sum = sum - step * sign;
        let across = inner(row("delta", k + 1), row("score", k + 1));
        let sizes = [traces[k], inner(row("error", k), row("score", k + 1)), across];
        terms = sizes.iter().fold(terms, |m: f64, t| m.max(t.value.abs()));
        // One bar for the sums of either side: the terms share their rounding.
        let bar = rows("rounding")[k + 1].value;
        let estimated = |q: Quantity| Quantity::new(q.value, bar, Grade::Estimated);
        from_error.push(estimated(sum));
        from_sensitivity.push(estimated(by_sensitivity(divergence[k + 1], across, v)));
    }
    let judge = |name: &str, measured: &[Quantity], predicted: &[Quantity]| {
        agree(name, measured, predicted, Relative::To(terms), EXACT)
    };
    let bar = rows("rounding")[maps].value;
    let last = Quantity::new(divergence[maps].value, bar, Grade::Estimated);
    conclusions.push(judge("(a) both formulas on maps", &from_sensitivity, &from_error));
    let fixed = [facts.get("slope_at_fixed_point")];
    conclusions.push(judge("(b) slope of log ρ at a fixed point", &fixed, &from_error[maps - 1..]));
    let volume = [facts.get("divergence_by_volume")];
    conclusions.push(judge("(c) div δ by volumes", &volume, &[last]));
}

fn by_equations(facts: &Facts, v: Variant, conclusions: &mut Vec<Margin>) {
    let (delta, score) = (facts.series("flow_delta"), facts.series("path_score"));
    if delta.is_empty() || delta.len() != score.len() {
        return;
    }
    let across = inner(delta, score);
    let divergence = facts.get("flow_divergence_by_volume");
    let size = LEAST_SIZE + across.value.abs().max(divergence.value.abs());
    let mut judge = |name: &str, measured: Quantity, predicted: Quantity, size: f64| {
        conclusions.push(agree(name, &[measured], &[predicted], Relative::To(size), GRIDS));
    };
    judge("(d) equation (i) of div δ", facts.get("flow_divergence"), divergence, size);
    judge("(d) equation (iii) of ⟨δ,s⟩", facts.get("flow_inner"), across, size);
    let response = facts.get("flow_response") * v.scale("sign_flipped", -1.0);
    judge("(d) equation (iv) of g", response, by_sensitivity(divergence, across, v), size);
    let path = facts.get("path_log_density");
    judge("(d) log ρ", facts.get("flow_log_density"), path, 1.0 + path.value.abs());
    let carried = facts.series("flow_score");
    let name = "(d) equation (ii) of the score";
    conclusions.push(agree(name, carried, score, Relative::Vector, GRIDS));
}

fn on_the_line(facts: &Facts, v: Variant, conclusions: &mut Vec<Margin>) {
    let size = facts.get("mean_size").value;
    if facts.series("mean_response").is_empty() {
        return;
    }
    let judge = |name: &str, mean: Quantity| {
        agree(name, &[mean], &[ZERO], Relative::To(LEAST_SIZE + size), GRIDS)
    };
    conclusions.push(judge("(e) mean of g from the error", facts.get("mean_response")));
    let mean = by_sensitivity(facts.get("mean_divergence"), facts.get("mean_inner"), v);
    conclusions.push(judge("(e) mean of g from the sensitivity", mean));
}
