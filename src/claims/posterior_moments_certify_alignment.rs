//! T2.5: alignment certified by posterior moments along one trajectory.

use super::riccati::{Coefficients, FixedPoints, riccati_bound};
use super::{Claim, Mutant, Variant};
use crate::facts::{Facts, Quantity};
use crate::verdict::{Judgement, Margin};

/// Wider bars than this, relative to the bound, decide nothing.
const RESOLUTION: f64 = 0.05;

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
            name: "normal_variance_bound_lowered", what: "λ_max(C_N) ≤ E|X−p|⁴/(400 rch²)"
        },
        Mutant { name: "foot_speed_shrunk", what: "|p'| ≤ |P(m−p)|(1−Kr)/2" },
        Mutant {
            name: "tube_ignored",
            what: "also at the boundary, or beyond the focal distance (Kr ≥ 1)",
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
    if n < 2 || [slope, spread, distance, cross, curvature].iter().any(|s| s.len() != n) {
        return Judgement::default();
    }
    // κ, η ≤ ‖P_⊥CP‖/σ² + K |P(m−p)|/(1−Kr).
    let one = Quantity::exact(1.0);
    let foot_speed = |k: usize| spread[k] / (one - curvature[k] * distance[k]);
    let kept = v.scale("cross_moments_dropped", 0.0);
    let coupling: Vec<Quantity> =
        (0..n).map(|k| (cross[k] + curvature[k] * foot_speed(k)) * kept).collect();
    let gamma: Vec<Quantity> =
        facts.series("gamma").iter().map(|g| *g * v.scale("gamma_doubled", 2.0)).collect();

    // The later stage starts where the condition first holds: inside the tube, a barrier above the slope.
    let inside = |k: usize| {
        v.is("tube_ignored")
            || facts.series("interior")[k].value == 1.0 && (curvature[k] * distance[k]).value < 1.0
    };
    let ready = |k: usize| {
        let points = FixedPoints::of(gamma[k].value, coupling[k].value, coupling[k].value);
        inside(k) && points.root > 0.0 && gamma[k].value > 0.0 && slope[k].value < points.barrier
    };
    let stage = (0..n - 1).find(|k| ready(*k));
    let first = stage.unwrap_or(n - 2);
    let coefficients = Coefficients {
        times: &times[first..],
        gamma: &gamma[first..],
        kappa: &coupling[first..],
        eta: &coupling[first..],
    };
    let start = (slope[first].value + slope[first].bar) * v.scale("start_forgotten", 0.0);
    let Some(bound) = riccati_bound(coefficients, start) else {
        return Judgement::default();
    };

    let at_most = |name: String, measured: Quantity, bound: Quantity| {
        let scale = bound.value.abs().max(measured.value.abs()).max(f64::MIN_POSITIVE);
        Margin::attained(name, measured, bound, scale, RESOLUTION)
    };
    let last = bound.y.len() - 1;
    let mut conclusions = Vec::new();
    for quarter in [2, 3, 4] {
        let k = last * quarter / 4;
        let y = Quantity::rounded(bound.y[k], 1e3);
        conclusions.push(at_most(format!("slope at {quarter}/4"), slope[first + k], y));
    }
    // The steps of the proof, where the stage ends: the foot point's speed, and the a-priori order of C_N.
    let reach = facts.get("reach");
    let narrow = v.scale("foot_speed_shrunk", 0.5);
    for k in [first + last / 2, first + last * 3 / 4] {
        let shrunk = one - curvature[k] * distance[k];
        let speed = match v.is("foot_speed_shrunk") {
            true => foot_speed(k) * shrunk * shrunk * narrow,
            false => foot_speed(k),
        };
        let measured = facts.series("foot_speed")[k];
        conclusions.push(Margin::attained(
            "speed of the foot point",
            measured,
            speed,
            1.0,
            RESOLUTION,
        ));
        if let (Some(variance), Some(fourth)) =
            (facts.series("normal_variance").get(k), facts.series("fourth_moment").get(k))
        {
            let factor = v.scale("normal_variance_bound_lowered", 0.01);
            let bound = *fourth / (reach * reach * 4.0) * factor;
            conclusions.push(at_most("normal variance".into(), *variance, bound));
        }
    }
    let hypotheses = vec![
        Margin::condition("H1 the condition holds at some noise level", stage.is_some()),
        Margin::condition(
            "H2 interior nearest points with Kr < 1 from then on",
            (first..n).all(inside),
        ),
        Margin::condition("H3 Riccati solution exists", bound.exists),
    ];
    Judgement { hypotheses, conclusions }
}
