//! T2.6: what tangential alignment says of the overlap with the score.

use super::agreement::attained;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the bound, decide nothing.
const RESOLUTION: f64 = 1e-6;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "tangential_alignment_bounds_score_overlap",
    theory: &["T2.6"],
    summary: "The overlap of a plane with the score is at most ‖s_T‖ + sin Θ ‖s_N‖, so alignment makes it small \
              only where ‖s_N‖ ≫ ‖s_T‖",
    page: include_str!("../../theorems/tangential_alignment_bounds_score_overlap.md"),
    least_in_scope: 0.9,
    mutants: &[
        Mutant {
            name: "alignment_alone", what: "‖P_E s‖/‖s‖ ≤ sin Θ, also on the ridge (C10)"
        },
        Mutant { name: "tangential_score_dropped", what: "‖P_E s‖ ≤ sin Θ ‖s_N‖" },
        Mutant { name: "normal_score_dropped", what: "‖P_E s‖ ≤ ‖s_T‖" },
        Mutant { name: "angle_squared", what: "sin² Θ in place of sin Θ" },
        Mutant { name: "sharp_form_tenth_off", what: "nine tenths of the bound of the angle form" },
        Mutant {
            name: "without_H1",
            what: "an angle measured to a plane that is not the tangent plane",
        },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let sine = facts.series("sine");
    let (tangential, normal) = (facts.series("score_tangential"), facts.series("score_normal"));
    let (overlap, rightful) = (facts.series("overlap"), facts.series("same_plane"));
    let n = sine.len();
    if [tangential, normal, overlap, rightful].iter().any(|s| s.len() != n) {
        return Judgement::default();
    }
    let at_most = |name: String, left: Quantity, right: Quantity| {
        attained(name, left, right, 0.0, RESOLUTION)
    };
    let mut conclusions = Vec::new();
    let one = Quantity::exact(1.0);
    for k in 0..n {
        let sin = if v.is("angle_squared") { sine[k] * sine[k] } else { sine[k] };
        let total = (tangential[k] * tangential[k] + normal[k] * normal[k]).sqrt();
        let along = tangential[k]
            * v.scale("tangential_score_dropped", 0.0)
            * v.scale("alignment_alone", 0.0);
        let across = if v.is("alignment_alone") { total } else { normal[k] };
        let across = sin * across * v.scale("normal_score_dropped", 0.0);
        conclusions.push(at_most(
            format!("overlap at noise level {k}"),
            overlap[k],
            along + across,
        ));
        // ∠(s, E) ≥ φ − Θ, φ = ∠(s, T): with the cosine, while Θ < φ.
        let cos = (one - sine[k] * sine[k]).max(Quantity::exact(0.0)).sqrt();
        let turned_past = sine[k].value * tangential[k].value >= cos.value * normal[k].value;
        let sharp = if turned_past { total } else { along * cos + across };
        let sharp = sharp * v.scale("sharp_form_tenth_off", 0.9);
        conclusions.push(at_most(format!("angle form at noise level {k}"), overlap[k], sharp));
    }
    let same = rightful.iter().all(|r| r.value == 1.0);
    let hypotheses = vec![Margin::condition("H1 score split by the plane of the angle", same)];
    Judgement { hypotheses, conclusions }
}
