//! T2.5: alignment certified by posterior moments along one trajectory.

use super::agreement::attained;
use super::riccati::{Coefficients, FixedPoints, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the bound, decide nothing.
const RESOLUTION: f64 = 0.05;

/// Speeds below this part of σ count as this: the bar of a difference quotient hides them.
const LEAST_SPEED: f64 = 1e-3;

/// Times to either side that the measured rates are taken from.
const STENCIL: usize = 3;

/// A foot point that moves by more than this multiple of what its speed allows has jumped.
const LARGEST_STEP: f64 = 2.0;

/// A smaller step is no jump: the data are of size one, and feet this close need Kr = 1 to be apart.
const SMALLEST_JUMP: f64 = 1e-6;

/// The claim.
pub const CLAIM: Claim = Claim {
    id: "posterior_moments_certify_alignment",
    theory: &["T2.5"],
    summary: "Posterior mean and covariance along one trajectory bound the angle between a propagated plane \
              and the tangent plane of the data",
    page: include_str!("../../theorems/posterior_moments_certify_alignment.md"),
    least_in_scope: 0.4,
    mutants: &[
        Mutant { name: "cross_moments_dropped", what: "κ = η = 0: normal compression alone" },
        Mutant { name: "gamma_doubled", what: "the compression counts twice" },
        Mutant { name: "start_forgotten", what: "the start slope is taken as 0" },
        Mutant {
            name: "normal_variance_bound_halved", what: "λ_max(C_N) ≤ E‖X−p‖⁴/(8 rch²)"
        },
        Mutant {
            name: "lever_dropped", what: "‖p'‖ ≤ ‖P(m−p)‖: the factor 1/(1−Kr) is left out"
        },
        Mutant { name: "turning_halved", what: "‖P'‖ ≤ K‖p'‖/2" },
        Mutant {
            name: "tube_ignored",
            what: "also at the boundary, beyond the focal distance, or across a jump of the foot point",
        },
    ],
    margins,
};

fn margins(facts: &Facts, v: Variant) -> Judgement {
    let curvature = facts.series("curvature");
    let (slope, spread) = (facts.series("slope"), facts.series("foot_drift"));
    let (distance, cross) = (facts.series("distance"), facts.series("cross_moment"));
    let times = facts.series("time");
    let n = times.len();
    let named = ["gamma", "interior", "foot_speed", "foot_step", "turning"];
    let complete = [slope, spread, distance, cross, curvature].iter().all(|s| s.len() == n)
        && named.iter().all(|name| facts.series(name).len() == n);
    if n < 2 || !complete {
        return Judgement::default();
    }
    // κ, η ≤ ‖P_⊥CP‖/σ² + K |P(m−p)|/(1−Kr).
    let one = Quantity::exact(1.0);
    let stretch: Vec<Quantity> = (0..n).map(|k| curvature[k] * distance[k]).collect();
    let foot_speed = |k: usize| spread[k] / (one - stretch[k]);
    let kept = v.scale("cross_moments_dropped", 0.0);
    let coupling: Vec<Quantity> =
        (0..n).map(|k| (cross[k] + curvature[k] * foot_speed(k)) * kept).collect();
    let gamma: Vec<Quantity> =
        facts.series("gamma").iter().map(|g| *g * v.scale("gamma_doubled", 2.0)).collect();

    // The later stage starts where the condition first holds: inside the tube, a barrier above the slope.
    let ignored = v.is("tube_ignored");
    let interior = |k: usize| ignored || facts.series("interior")[k].value == 1.0;
    let ready = |k: usize| {
        let points = FixedPoints::of(gamma[k].value, coupling[k].value, coupling[k].value);
        let inside = interior(k) && (ignored || stretch[k].value < 1.0);
        inside && points.root > 0.0 && gamma[k].value > 0.0 && slope[k].value < points.barrier
    };
    let stage = (0..n - 1).find(|k| ready(*k));
    let first = stage.unwrap_or(n - 2);
    // A foot point that moves no faster than the proof allows has not jumped to another sheet.
    let on_sheet = |k: usize| {
        let allowed = foot_speed(k).value.max(foot_speed(k - 1).value);
        let step = times[k].value - times[k - 1].value;
        facts.series("foot_step")[k].value <= LARGEST_STEP * allowed * step + SMALLEST_JUMP
    };
    let tightest = stretch[first..].iter().copied().fold(Quantity::exact(0.0), Quantity::max);
    let mut hypotheses = vec![
        Margin::condition("H1 the condition holds at some noise level", stage.is_some()),
        Margin::condition("H2 interior nearest points from then on", (first..n).all(interior)),
        Margin::at_most("H3 K r below 1 from then on", tightest, one),
        Margin::condition("H4 the foot point stays on its sheet", (first + 1..n).all(on_sheet)),
    ];
    if ignored {
        hypotheses.retain(|h| !["H2", "H3", "H4"].contains(&&h.name[..2]));
    }
    let coefficients = Coefficients {
        times: &times[first..],
        gamma: &gamma[first..],
        kappa: &coupling[first..],
        eta: &coupling[first..],
    };
    let start = (slope[first].value + slope[first].bar) * v.scale("start_forgotten", 0.0);
    let Some(bound) = riccati_bound(coefficients, start) else {
        return Judgement { hypotheses, conclusions: Vec::new() };
    };
    hypotheses.push(Margin::condition("H5 Riccati solution exists", bound.exists));

    let at_most = |name: String, measured: Quantity, bound: Quantity| {
        attained(name, measured, bound, 0.0, RESOLUTION)
    };
    let last = bound.y.len() - 1;
    let mut conclusions = Vec::new();
    for quarter in [2, 3, 4] {
        let k = last * quarter / 4;
        let y = Quantity::rounded(bound.y[k], 1e3);
        conclusions.push(at_most(format!("slope at {quarter}/4"), slope[first + k], y));
    }
    // The steps of the proof, inside the stage: the foot point, its tangent plane, the a-priori order of C_N.
    let reach = facts.get("reach");
    for quarter in [1, 2, 3] {
        let k = first + last * quarter / 4;
        let least = LEAST_SPEED * (-times[k].value).exp();
        let at_most = |name: &str, measured: Quantity, bound: Quantity| {
            attained(name, measured, bound, least, RESOLUTION)
        };
        // Difference quotients that reach out of the stage may straddle a boundary or a jump.
        if k >= first + STENCIL && k + STENCIL < n {
            let speed = if v.is("lever_dropped") { spread[k] } else { foot_speed(k) };
            conclusions.push(at_most(
                "speed of the foot point",
                facts.series("foot_speed")[k],
                speed,
            ));
            let turning = curvature[k] * foot_speed(k) * v.scale("turning_halved", 0.5);
            let turned = facts.series("turning")[k];
            conclusions.push(at_most("turning of the tangent plane", turned, turning));
        }
        let moments = ["normal_variance", "fourth_moment"];
        if moments.iter().any(|name| !facts.series(name).is_empty()) {
            let [variance, fourth] = moments.map(|name| facts.at(name, k));
            let factor = v.scale("normal_variance_bound_halved", 0.5);
            let bound = fourth / (reach * reach * 4.0) * factor;
            conclusions.push(attained("normal variance", variance, bound, 0.0, RESOLUTION));
        }
    }
    Judgement { hypotheses, conclusions }
}
