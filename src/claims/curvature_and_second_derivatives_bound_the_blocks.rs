//! T2.3: blocks off the manifold from the Jacobian on it, the second derivative and the curvature.

use super::agreement::attained;
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the bound, decide nothing.
const RESOLUTION: f64 = 0.1;

/// Sizes below this count as this: the fields themselves are of order one.
const LEAST_SIZE: f64 = 1e-6;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "curvature_and_second_derivatives_bound_the_blocks",
    theory: &["T2.3"],
    summary: "Compression and cross derivatives at distance r from an invariant manifold differ from those on \
              it by at most the stated multiples of Hr and K",
    page: include_str!("../../theorems/curvature_and_second_derivatives_bound_the_blocks.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant {
            name: "second_derivative_dropped",
            what: "H = 0: the Jacobian on the manifold decides (C3)",
        },
        Mutant {
            name: "curvature_dropped",
            what: "K = 0: the turning of the tangent plane is left out",
        },
        Mutant {
            name: "foot_slip_halved",
            what: "the foot point slips half as fast against the flow",
        },
        Mutant {
            name: "compression_kept",
            what: "γ(x) ≥ γ(p): the compression does not weaken off the manifold",
        },
        Mutant {
            name: "cross_terms_kept", what: "η(x) ≤ η_A + k_A: no growth off the manifold"
        },
        Mutant {
            name: "blocks_transposed",
            what: "κ and η exchanged, as with a transposed Jacobian",
        },
        Mutant { name: "kappa_bound_halved", what: "κ ≤ (H r + K S)/2" },
        Mutant {
            name: "cross_bound_halved",
            what: "the map turns T into N by at most half of the bound",
        },
        Mutant { name: "without_H1", what: "also where K r ≥ 1" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let h = facts.get("second_derivative") * v.scale("second_derivative_dropped", 0.0);
    let k = facts.get("curvature") * v.scale("curvature_dropped", 0.0);
    let r = facts.get("distance");
    let (eta_on, kappa_on) = (facts.get("eta_on"), facts.get("kappa_on"));
    let one = Quantity::exact(1.0);
    let at_most = |name: &str, left: Quantity, right: Quantity| {
        attained(name, left, right, LEAST_SIZE, RESOLUTION)
    };
    let (kappa, eta) = match v.is("blocks_transposed") {
        true => (facts.get("eta"), facts.get("kappa")),
        false => (facts.get("kappa"), facts.get("eta")),
    };

    // Continuous time: e = p' − v(p), the slip of the foot point against the flow on the manifold.
    let slip = ((eta_on + kappa_on) * r + h * r * r * 0.5) / (one - k * r);
    let slip = slip * v.scale("foot_slip_halved", 0.5);
    let rest = h * r + k * slip;
    let spread = if v.is("cross_terms_kept") { Quantity::exact(0.0) } else { rest };
    let loss = h * r * 2.0 * v.scale("compression_kept", 0.0);
    let mut conclusions = vec![
        at_most("slip of the foot point", facts.get("foot_slip"), slip),
        at_most("kappa", kappa, rest * v.scale("kappa_bound_halved", 0.5)),
        at_most("eta", eta, eta_on + kappa_on + spread),
        at_most("gamma", facts.get("gamma_on") - loss, facts.get("gamma")),
    ];

    // Discrete time, for the map F of the same kind: q = F(p), p_1 nearest to F(x).
    let map = |name: &str| facts.get(&format!("map_{name}"));
    let (h, r1) = (
        map("second_derivative") * v.scale("second_derivative_dropped", 0.0),
        map("distance_after"),
    );
    let spread = (map("normal_norm") * r + h * r * r * 0.5) / (one - r1 / facts.get("reach"));
    let spread = spread * v.scale("foot_slip_halved", 0.5);
    conclusions.push(at_most("map: distance of the foot points", map("foot_distance"), spread));
    // K times the geodesic distance bounds the turning of the tangent plane.
    let turning = k * map("foot_arc");
    let cross = h * r + turning * map("tangent_norm");
    let error = h * r + turning * map("norm");
    let kept = if v.is("cross_terms_kept") { Quantity::exact(0.0) } else { error };
    let weaker = error * v.scale("compression_kept", 0.0);
    let (nt, tn) = match v.is("blocks_transposed") {
        true => (map("tn"), map("nt")),
        false => (map("nt"), map("tn")),
    };
    conclusions.extend([
        at_most("map: cross T to N", nt, cross * v.scale("cross_bound_halved", 0.5)),
        at_most("map: cross N to T", tn, map("tn_on") + kept),
        at_most("map: tangent stretch", map("tt_on") - weaker, map("tt")),
        at_most("map: normal stretch", map("nn"), map("nn_on") + kept),
    ]);
    let stretch = facts.get("curvature") * r;
    let reach = facts.get("reach");
    let hypotheses = vec![
        Margin::at_most("H1 K r below 1", stretch, one),
        Margin::at_most("H2 image inside the reach", r1, reach),
    ];
    Judgement { hypotheses, conclusions }
}
