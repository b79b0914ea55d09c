//! T1.5 (d): the response of a law on a closed manifold.

use super::agreement::{Relative, agree};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to what is compared, decide nothing.
const RESOLUTION: f64 = 0.1;

/// Wave numbers k of the test functions h sin(kφ)/k; 0 < h ≤ 3/2.
const WAVE_NUMBERS: [f64; 3] = [1.0, 4.0, 16.0];

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "normal_part_of_the_error_moves_singular_laws",
    theory: &["T1.5"],
    summary: "The response of a law on a closed manifold is a dipole layer exactly where the error has a normal part, and \
              that part is the rate at which samples leave: E dist = ε E|δ_N| + O(ε²), whatever the tangential part",
    page: include_str!("../../theorems/normal_part_of_the_error_moves_singular_laws.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant { name: "normal_term_dropped", what: "μ(f) = ∫⟨∇_M f, δ_T⟩" },
        Mutant { name: "tangent_term_dropped", what: "μ(f) = ∫⟨∇_N f, δ_N⟩" },
        Mutant {
            name: "dipole_fades", what: "μ(f_k) → 0 with ‖f_k‖_∞, as for a signed measure"
        },
        Mutant { name: "dipole_of_the_whole_error", what: "tangential errors make dipoles too" },
        Mutant { name: "distance_counts_the_whole_error", what: "E dist = ε E|δ|" },
        Mutant { name: "square_counts_the_whole_error", what: "E dist² = ε² E|δ|²" },
        Mutant { name: "bend_dropped", what: "dist(p + h, M) ≤ |h_N|" },
        Mutant { name: "bend_halved", what: "dist(p + h, M) ≤ |h_N| + K|h_T|²/4" },
        Mutant { name: "reach_dropped", what: "dist(p + h, M) ≥ |h_N|" },
        Mutant { name: "without_H1", what: "also on manifolds with boundary" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let get = |name: &str| facts.get(name);
    let mut conclusions = Vec::new();

    let tangent = get("tangent_term") * v.scale("tangent_term_dropped", 0.0);
    let normal = get("normal_term") * v.scale("normal_term_dropped", 0.0);
    let to = Relative::To(get("response_scale").value);
    let name = "(a) response = tangential + normal term";
    conclusions.push(agree(name, &[get("response")], &[tangent + normal], to, RESOLUTION));

    let flux = get(if v.is("dipole_of_the_whole_error") { "dipole_whole" } else { "dipole_limit" });
    let square = Relative::To(get("delta_square").value);
    for (i, k) in WAVE_NUMBERS.into_iter().enumerate() {
        let (dipole, size) = (facts.at("dipole", i), facts.at("dipole_size", i));
        let faded = flux * if v.is("dipole_fades") { k.recip() } else { 1.0 };
        let name = format!("(b) dipole at wave number {k}");
        conclusions.push(agree(name, &[dipole], &[faded], square, RESOLUTION));
        let name = format!("(b) size of the test function at wave number {k}");
        conclusions.push(Margin::at_most(name, size, Quantity::exact(1.5 / k)));
    }

    let rate = get(if v.is("distance_counts_the_whole_error") { "delta" } else { "delta_normal" });
    let to = Relative::To(get("delta").value);
    let name = "(c) rate of the mean distance";
    conclusions.push(agree(name, &[get("distance_rate")], &[rate], to, RESOLUTION));
    let rate = match v.is("square_counts_the_whole_error") {
        true => get("delta_square"),
        false => get("delta_normal_square"),
    };
    let name = "(c) rate of the mean square distance";
    conclusions.push(agree(name, &[get("square_rate")], &[rate], square, RESOLUTION));

    let (bend, reach) = (get("curvature"), get("reach"));
    let bend = bend * (0.5 * v.scale("bend_dropped", 0.0) * v.scale("bend_halved", 0.5));
    let (mut above, mut below): (Option<Margin>, Option<Margin>) = (None, None);
    let mut widest = Quantity::exact(0.0);
    let named = ["large_distance", "large_normal", "large_tangent"];
    for i in 0..facts.rows(&named) {
        let [distance, normal, tangent] = named.map(|name| facts.at(name, i));
        widest = widest.max(normal);
        let size = (normal.value + tangent.value).max(f64::MIN_POSITIVE);
        let square = tangent * tangent;
        let name = "(d) distance at most |h_N| + K|h_T|²/2";
        let margin = Margin::attained(name, distance, normal + bend * square, size, RESOLUTION);
        above = Some(lesser(above, margin));
        let lost = square / ((reach - normal) * 2.0) * v.scale("reach_dropped", 0.0);
        let name = "(d) distance at least |h_N| − |h_T|²/2(rch − |h_N|)";
        let margin = Margin::attained(name, normal - lost, distance, size, RESOLUTION);
        below = Some(lesser(below, margin));
    }
    conclusions.extend(above);
    conclusions.extend(below);

    let hypotheses = vec![
        Margin::condition("H1 closed manifold", get("closed").value == 1.0),
        Margin::at_least("H2 positive reach is proven", reach, Quantity::exact(1e-9)),
        Margin::at_most("H3 displacement within the reach", widest, reach * 0.9),
    ];
    Judgement { hypotheses, conclusions }
}

/// The margin with less slack; what is unknown counts as least.
fn lesser(held: Option<Margin>, other: Margin) -> Margin {
    match held {
        Some(held) if !(other.slack < held.slack || other.slack.is_nan()) => held,
        _ => other,
    }
}
