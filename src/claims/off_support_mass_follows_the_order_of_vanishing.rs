//! T1.5 (a)–(c): where the mass of a compact body really goes.

use super::agreement::{Relative, agree, vanish};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to what is compared, decide nothing.
const RESOLUTION: f64 = 0.1;

/// Where ⟨δ,n⟩₊ has less than this share of |⟨δ,n⟩|, or this of |δ|, the next order in ε may be larger within the range.
const OUTWARD: f64 = 0.1;
const TANGENTIAL: f64 = 1e-6;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "off_support_mass_follows_the_order_of_vanishing",
    theory: &["T1.5"],
    summary: "An error moves the support; the mass off the old support is ε^{k+1}/(k+1) ∫ c⟨δ,n⟩₊^{k+1} for a density \
              that vanishes to order k at the boundary, so for k ≥ 1 the first-order response does not see it",
    page: include_str!("../../theorems/off_support_mass_follows_the_order_of_vanishing.md"),
    least_in_scope: 0.5,
    mutants: &[
        Mutant { name: "support_stays", what: "supp ρ^ε = supp ρ" },
        Mutant { name: "power_is_the_order", what: "P ∼ ε^k" },
        Mutant { name: "order_factor_dropped", what: "P = ε^{k+1} ∫ c⟨δ,n⟩₊^{k+1}" },
        Mutant { name: "inward_part", what: "⟨δ,n⟩₋ in place of ⟨δ,n⟩₊" },
        Mutant { name: "either_way", what: "|⟨δ,n⟩| in place of ⟨δ,n⟩₊" },
        Mutant { name: "tangential_error_moves_mass", what: "|δ| in place of ⟨δ,n⟩₊" },
        Mutant { name: "response_sees_the_mass", what: "P is of order ε for every k" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let order = facts.get("order").value;
    let integral = match () {
        () if v.is("inward_part") => "inward",
        () if v.is("either_way") => "either_way",
        () if v.is("tangential_error_moves_mass") => "whole",
        () => "outward",
    };
    let divisor = if v.is("order_factor_dropped") { 1.0 } else { order + 1.0 };
    let predicted = facts.get(integral) * divisor.recip();
    // What an error of this size would move if it pointed outward everywhere.
    let scale = facts.get("whole").value / (order + 1.0);
    let prefactor = facts.get("prefactor");

    let mut conclusions = Vec::new();
    let ones = |series: &[Quantity]| vec![Quantity::exact(1.0); series.len()];
    let inside = facts.series(if v.is("support_stays") {
        "old_winding_inside"
    } else {
        "moved_winding_inside"
    });
    let dim = facts.get("dim").value;
    if dim.is_nan() {
        conclusions.push(Margin::unknown("(a) moved points of the body lie in the moved boundary"));
    } else if dim == 2.0 {
        let to = Relative::To(1.0);
        let name = "(a) moved points of the body lie in the moved boundary";
        conclusions.push(agree(name, inside, &ones(inside), to, 1e-6));
        let outside = facts.series("moved_winding_outside");
        if inside.len() != outside.len() {
            conclusions
                .push(Margin::unknown("(a) as many moved points from within as from outside"));
        }
        let name = "(a) moved points from outside lie out of the moved boundary";
        conclusions.push(vanish(name, outside, 1.0, 1e-6));
    }
    conclusions.push(agree(
        "(b) mass off the support over ε^{k+1}",
        &[prefactor],
        &[predicted],
        Relative::To(scale),
        RESOLUTION,
    ));
    // A power is seen where mass leaves to leading order.
    let either = facts.get("either_way").value;
    let tangential = either <= TANGENTIAL * facts.get("whole").value;
    if either.is_nan() {
        conclusions.push(Margin::unknown("(b) power of ε"));
    } else if facts.get("outward").value > OUTWARD * either && !tangential {
        let power = if v.is("power_is_the_order") { order } else { order + 1.0 };
        let measured = facts.get("power");
        conclusions.push(Margin::equal(
            "(b) power of ε",
            measured,
            Quantity::exact(power),
            2.0 * RESOLUTION,
        ));
    }
    let seen = order == 0.0 || v.is("response_sees_the_mass");
    let rate = if seen { predicted } else { Quantity::exact(0.0) };
    let name = match order {
        0.0 => "(c) jump: d/dε of the mass is that of the single layer",
        _ => "(c) no jump: d/dε of the mass is 0",
    };
    let rates = [facts.get("rate")];
    conclusions.push(agree(name, &rates, &[rate], Relative::To(scale), RESOLUTION));

    let hypotheses = vec![
        Margin::at_most(
            "H1 density c s^k at the boundary",
            facts.get("edge_misfit"),
            Quantity::exact(1e-3),
        ),
        Margin::at_most(
            "H2 displacement εδ to first order",
            facts.get("remainder"),
            facts.get("largest_delta") * 0.1,
        ),
    ];
    Judgement { hypotheses, conclusions }
}
