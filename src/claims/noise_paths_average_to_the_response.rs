//! T1.4: the response of a stochastic sampler, as an average over its noise paths.

use super::agreement::{Relative, agree, attained};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the largest entry, decide nothing.
const RESOLUTION: f64 = 1e-3;

/// The same for sampled means, relative to the root of E Z².
const SAMPLED: f64 = 0.3;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "noise_paths_average_to_the_response",
    theory: &["T1.4"],
    summary: "With noise, the relative response is a conditional expectation over noise paths: of the Girsanov \
              weight, and of the divergence formula of the maps",
    page: include_str!("../../theorems/noise_paths_average_to_the_response.md"),
    least_in_scope: 0.7,
    mutants: &[
        Mutant { name: "weight_sign_flipped", what: "the weight −Σ⟨w, z⟩/γ" },
        Mutant { name: "weight_by_variance", what: "the weight Σ⟨w, z⟩/γ²" },
        Mutant { name: "noise_redrawn", what: "weight and path have different noise" },
        Mutant { name: "last_map_only", what: "the weight of the last map alone" },
        Mutant { name: "trace_dropped", what: "(c) without tr(dw dF⁻¹)" },
        Mutant { name: "score_dropped", what: "(c) without ⟨w, s⟩" },
        Mutant { name: "score_of_the_wrong_time", what: "(c) with the score before the map" },
        Mutant {
            name: "noise_forgets",
            what: "(c) noise does not average the response: the last map's own term",
        },
        Mutant { name: "bound_halved", what: "(d) half of the sum" },
        Mutant { name: "bound_of_the_mean", what: "(d) |E w|² instead of E|w|²" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let noise = facts.get("least_noise");
    let mut hypotheses =
        vec![Margin::at_least("H1 every map adds noise", noise, Quantity::exact(1e-6))];
    let mut conclusions = Vec::new();
    // What is measured depends on the world; a world that does not say which it is, is not judged.
    match facts.get("on_the_line").value {
        0.0 => by_paths(facts, v, &mut conclusions),
        1.0 => {
            let slope = facts.get("least_slope");
            let name = "H2 the maps without noise are invertible";
            hypotheses.push(Margin::at_least(name, slope, Quantity::exact(1e-3)));
            on_the_line(facts, v, &mut conclusions);
        }
        _ => (),
    }
    Judgement { hypotheses, conclusions }
}

/// (a) weak form, over sampled noise paths: the mean of the difference of the two sides is 0.
fn by_paths(facts: &Facts, v: Variant, conclusions: &mut Vec<Margin>) {
    let series = match () {
        () if v.is("weight_by_variance") => "difference_by_variance",
        () if v.is("noise_redrawn") => "difference_of_other_noise",
        () if v.is("last_map_only") => "difference_of_last_map",
        () if v.is("weight_sign_flipped") => "difference_of_flipped_weight",
        () => "difference",
    };
    for index in 0..facts.rows(&[series, "size"]) {
        let (difference, size) = (facts.at(series, index), facts.at("size", index));
        let name = format!("(a) pathwise less weighted, function {index}");
        let (measured, none) = (difference.abs(), Quantity::exact(0.0));
        conclusions.push(Margin::attained(name, measured, none, size.value, SAMPLED));
    }
}

/// (b), (c) at points of the end law, on a grid of states, and (d).
fn on_the_line(facts: &Facts, v: Variant, conclusions: &mut Vec<Margin>) {
    let law = facts.series("response_of_the_law");
    let sign = v.scale("weight_sign_flipped", -1.0);
    let weight: Vec<Quantity> = match () {
        () if v.is("weight_by_variance") => facts.series("weight_by_variance").to_vec(),
        () if v.is("last_map_only") => facts.series("weight_of_last_map").to_vec(),
        () => facts.series("weight").iter().map(|q| *q * sign).collect(),
    };
    let name = "(b) mean weight given the end state";
    conclusions.push(agree(name, law, &weight, Relative::Vector, RESOLUTION));

    let score = match v.is("score_of_the_wrong_time") {
        true => facts.series("score_part_before"),
        false => facts.series("score_part"),
    };
    let (of_trace, of_score) = (v.scale("trace_dropped", 0.0), v.scale("score_dropped", 0.0));
    let parts = facts.series("trace_part").iter().zip(score);
    let predicted: Vec<Quantity> = match v.is("noise_forgets") {
        true => facts.series("last_map_term").to_vec(),
        false => parts.map(|(trace, score)| -(*trace * of_trace + *score * of_score)).collect(),
    };
    let name = "(c) mean divergence and score terms given the end state";
    conclusions.push(agree(name, law, &predicted, Relative::Vector, RESOLUTION));

    // ‖g‖² ≤ Σ E|w|²/γ².
    let energy = match v.is("bound_of_the_mean") {
        true => facts.get("energy_of_the_mean"),
        false => facts.get("energy") * v.scale("bound_halved", 0.5),
    };
    let norm = facts.get("squared_norm");
    let name = "(d) squared norm of the response";
    conclusions.push(attained(name, norm, energy, 0.0, RESOLUTION));
}
