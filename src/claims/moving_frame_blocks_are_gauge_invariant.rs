//! T2.0: the block quantities of the moving-frame equation.

use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this part of ‖A‖ + ‖P'‖ decide nothing.
const RESOLUTION: f64 = 1e-6;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "moving_frame_blocks_are_gauge_invariant",
    theory: &["T2.0"],
    summary: "Compression and cross derivatives of the moving frame are functions of A, P and P' alone, and \
              κ = 0 on a transported tangent bundle",
    page: include_str!("../../theorems/moving_frame_blocks_are_gauge_invariant.md"),
    least_in_scope: 0.9,
    mutants: &[
        Mutant {
            name: "frame_rotation_dropped", what: "κ = ‖P_⊥AP‖ and η = ‖PAP_⊥‖, without P'"
        },
        Mutant {
            name: "frame_rotation_sign_flipped",
            what: "κ = ‖P_⊥(A + P')P‖, η = ‖P(A − P')P_⊥‖",
        },
        Mutant {
            name: "cross_terms_swapped",
            what: "κ and η exchanged, as with a transposed Jacobian",
        },
        Mutant {
            name: "frozen_bundle",
            what: "κ = 0 for a constant tangent space instead of a transported one",
        },
        Mutant {
            name: "diagonal_rates",
            what: "γ from the diagonals of Ã, as a QR sweep reads rates, instead of μ_min and μ_max",
        },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let route = if v.is("frame_rotation_dropped") {
        "of_a"
    } else if v.is("frame_rotation_sign_flipped") {
        "flipped"
    } else {
        "projector"
    };
    let (kappa, eta) =
        if v.is("cross_terms_swapped") { ("eta", "kappa") } else { ("kappa", "eta") };
    // A block may vanish: bars are fine or coarse against the whole, not against the block.
    let equal = |name: String, measured: Quantity, predicted: Quantity| {
        let block = measured.value.abs().max(predicted.value.abs());
        Margin::equal(name, measured, predicted, RESOLUTION * facts.get("size").value / block)
    };
    let mut conclusions = vec![equal(
        "gamma by frame and by projector".into(),
        facts.get(if v.is("diagonal_rates") { "gamma_diagonal" } else { "gamma_projector" }),
        facts.get("gamma_frame"),
    )];
    for (name, measured) in [("kappa", kappa), ("eta", eta)] {
        conclusions.push(equal(
            format!("{name} by frame and by projector"),
            facts.get(&format!("{measured}_{route}")),
            facts.get(&format!("{name}_frame")),
        ));
    }
    for name in ["gamma", "kappa", "eta"] {
        conclusions.push(equal(
            format!("{name} in another gauge"),
            facts.get(&format!("{name}_gauged")),
            facts.get(&format!("{name}_frame")),
        ));
    }
    let transported = if v.is("frozen_bundle") { "kappa_frozen" } else { "kappa_transported" };
    // Zero is predicted: what is left must lie within its own bar, itself small against ‖A‖.
    let (left, size) = (facts.get(transported), facts.get("size"));
    conclusions.push(Margin::attained(
        "kappa of a transported bundle",
        left,
        Quantity::exact(0.0),
        size.value,
        RESOLUTION,
    ));
    let zero = Quantity::exact(0.0);
    let hypotheses = vec![Margin::at_least("H1 the frame turns", facts.get("frame_speed"), zero)];
    Judgement { hypotheses, conclusions }
}
