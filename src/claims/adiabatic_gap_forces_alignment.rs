//! T2.4: alignment with the slow spectral subspace of a symmetric Jacobian.

use super::agreement::attained;
use super::riccati::{Coefficients, FixedPoints, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the bound, decide nothing.
const RESOLUTION: f64 = 1e-2;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "adiabatic_gap_forces_alignment",
    theory: &["T2.4"],
    summary: "A plane carried by a symmetric Jacobian follows its top eigenspace when that turns slower than \
              half the gap",
    page: include_str!("../../theorems/adiabatic_gap_forces_alignment.md"),
    least_in_scope: 0.3,
    mutants: &[
        Mutant {
            name: "turning_dropped", what: "the eigenspace is taken as resting: ‖P'‖ = 0"
        },
        Mutant { name: "turning_halved", what: "half the turning speed" },
        Mutant { name: "gap_doubled", what: "the gap counts twice" },
        Mutant {
            name: "bottom_eigenspace",
            what: "the bottom eigenspace attracts (time reversed)",
        },
        Mutant { name: "without_H1", what: "no gap condition: ‖P'‖ may exceed half the gap" },
        Mutant { name: "without_H2", what: "any start slope, also beyond the barrier" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let turning: Vec<Quantity> = facts
        .series("turning")
        .iter()
        .map(|q| *q * (v.scale("turning_dropped", 0.0) * v.scale("turning_halved", 0.5)))
        .collect();
    let gap: Vec<Quantity> =
        facts.series("gap").iter().map(|q| *q * v.scale("gap_doubled", 2.0)).collect();
    let slope = facts.series(if v.is("bottom_eigenspace") { "slope_reversed" } else { "slope" });
    let times = facts.series("time");
    // γ is the gap itself, since P A P_⊥ = 0 for a spectral projector.
    let coefficients = Coefficients { times, gamma: &gap, kappa: &turning, eta: &turning };
    let (Some(first), Some(last)) = (slope.first(), slope.last()) else {
        return Judgement::default();
    };
    if slope.len() != times.len() {
        return Judgement::default();
    }
    let Some(bound) = riccati_bound(coefficients, first.value + first.bar) else {
        return Judgement::default();
    };

    // The explicit form, with the least favourable constants of the whole path.
    let worst = coefficients.least_favourable();
    let (least, speed) = (worst.gamma, worst.kappa);
    let points = FixedPoints::of(least.value, speed.value, speed.value);
    let span = times[times.len() - 1].value - times[0].value;
    let explicit = points.after(span, first.value + first.bar);

    let at_most = |name: &str, measured: Quantity, y: f64| {
        attained(name, measured, Quantity::rounded(y, 1e3), 0.0, RESOLUTION)
    };
    let conclusions = vec![
        at_most("slope below the Riccati bound", *last, bound.y[bound.y.len() - 1]),
        at_most("slope below the explicit bound", *last, explicit),
    ];
    let barrier = Quantity::exact(points.barrier);
    let hypotheses = vec![
        Margin::at_most("H1 turning below half the gap", speed, least * 0.5),
        Margin::at_most("H2 start below the barrier", *first, barrier),
    ];
    Judgement { hypotheses, conclusions }
}
