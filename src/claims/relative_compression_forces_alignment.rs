//! T2.1: the Riccati bound in continuous time.

use super::agreement::attained;
use super::riccati::{Coefficients, FixedPoints, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the bound, decide nothing.
const RESOLUTION: f64 = 1e-2;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "relative_compression_forces_alignment",
    theory: &["T2.1"],
    summary: "While the Riccati solution exists, a propagated plane stays within its angle of the moving \
              tangent frame",
    page: include_str!("../../theorems/relative_compression_forces_alignment.md"),
    least_in_scope: 0.3,
    mutants: &[
        Mutant { name: "gamma_doubled", what: "the compression counts twice" },
        Mutant { name: "cross_terms_dropped", what: "κ = 0: compression alone aligns (C2)" },
        Mutant { name: "frame_rotation_ignored", what: "κ from A alone, without P'" },
        Mutant { name: "eta_dropped", what: "no quadratic term: any start slope is allowed (C4)" },
        Mutant { name: "eta_sign_flipped", what: "the quadratic term helps" },
        Mutant { name: "kappa_halved", what: "half the cross derivative is enough" },
        Mutant {
            name: "absolute_compression",
            what: "γ = −μ_max(Ã_NN): the tangent rate is left out (C1)",
        },
        Mutant { name: "without_H1", what: "the formula past the pole of the Riccati solution" },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let scaled = |name: &str, factor: f64| -> Vec<Quantity> {
        facts.series(name).iter().map(|q| *q * factor).collect()
    };
    let gamma = match v.is("absolute_compression") {
        true => scaled("normal_compression", 1.0),
        false => scaled("gamma", v.scale("gamma_doubled", 2.0)),
    };
    let kappa = match v.is("frame_rotation_ignored") {
        true => scaled("kappa_of_a", 1.0),
        false => {
            scaled("kappa", v.scale("cross_terms_dropped", 0.0) * v.scale("kappa_halved", 0.5))
        }
    };
    let eta = scaled("eta", v.scale("eta_dropped", 0.0) * v.scale("eta_sign_flipped", -1.0));
    let slope = facts.series("slope");
    let times = facts.series("time");
    let coefficients = Coefficients { times, gamma: &gamma, kappa: &kappa, eta: &eta };
    let start = slope.first().filter(|_| slope.len() == times.len());
    let Some(bound) = start.and_then(|l| riccati_bound(coefficients, l.value + l.bar)) else {
        return Judgement::default();
    };
    let last = bound.y.len() - 1;
    let mut conclusions = Vec::new();
    // The whole path is judged at its quarter points; the angle, measured another way, at the end.
    for quarter in 1..=4 {
        let k = last * quarter / 4;
        let y = Quantity::rounded(bound.y[k], 1e3);
        conclusions.push(slope_at_most(format!("slope at {quarter}/4"), slope[k], y));
    }
    let sine = bound.y[last] / (1.0 + bound.y[last] * bound.y[last]).sqrt();
    let sine = Quantity::rounded(sine, 1e3);
    conclusions.push(slope_at_most("sine of the angle".into(), facts.get("end_sine"), sine));

    if let Some(explicit) = explicit_bound(&coefficients, slope[0]) {
        let end = Quantity::rounded(explicit, 1e3);
        conclusions.push(slope_at_most("explicit constant form".into(), slope[last], end));
    }
    let hypotheses = vec![Margin::condition("H1 Riccati solution exists", bound.exists)];
    Judgement { hypotheses, conclusions }
}

/// The bound is attained (constant 2×2 systems), so equality up to the bars is met.
fn slope_at_most(name: String, measured: Quantity, bound: Quantity) -> Margin {
    attained(name, measured, bound, 0.0, RESOLUTION)
}

/// The explicit form with the least favourable constants of the whole path, where it applies:
/// γ > 0, Δ > 0 and a start below the barrier.
fn explicit_bound(c: &Coefficients<'_>, start: Quantity) -> Option<f64> {
    let worst = c.least_favourable();
    let points = FixedPoints::of(worst.gamma.value, worst.kappa.value, worst.eta.value);
    let start = start.value + start.bar;
    let applies = worst.gamma.value > 0.0 && points.root > 0.0 && start < points.barrier;
    let span = c.times.last()?.value - c.times.first()?.value;
    applies.then(|| points.after(span, start))
}
