//! T2.4. Statement: adiabatic_gap_forces_alignment.md.

mod support;

use driftproof::claims::adiabatic_gap_forces_alignment::CLAIM;
use driftproof::drift::{Drift, Rotating, Turn, Workspace};
use driftproof::facts::{Facts, Quantity};
use driftproof::flow::{Method, Sampler, Trajectory, uniform_times};
use driftproof::linalg::spectral_norm;
use driftproof::lyapunov::qr_history;
use driftproof::observe::{KNOBS, observe};
use driftproof::random::{Knobs, Stream};
use driftproof::verdict::Verdict;
use nalgebra::{DMatrix, dmatrix};

#[test]
fn no_random_symmetric_flow_violates_the_adiabatic_bound() {
    support::no_world_violates(&CLAIM, 80, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// Maps of the planar examples.
const MAPS: usize = 800;

/// A(t) = R(ωt) diag(g, 0) R(ωt)ᵀ.
fn turning(gap: f64, omega: f64) -> Rotating {
    Rotating {
        turns: vec![Turn { i: 0, j: 1, phase: 0.0, rate: omega }],
        mean: dmatrix![gap, 0.0; 0.0, 0.0],
        wave: DMatrix::zeros(2, 2),
        frequency: 0.0,
        carried: false,
    }
}

/// Signed slopes, against R(ωt), of the line propagated from slope `start` on the frame at time 0.
fn slopes(flow: &Rotating, omega: f64, span: f64, start: f64) -> Vec<f64> {
    let sampler = Sampler::new(Method::DormandPrince, uniform_times(0.0, span, MAPS));
    let orbit = Trajectory::from(flow, &sampler, &[0.0, 0.0]).unwrap();
    let line = dmatrix![1.0; start] / start.hypot(1.0);
    let slope = |(line, t): (&DMatrix<f64>, &f64)| {
        let (sin, cos) = (omega * t).sin_cos();
        (cos * line[1] - sin * line[0]) / (cos * line[0] + sin * line[1])
    };
    qr_history(&orbit, &line).iter().zip(sampler.times()).map(slope).collect()
}

/// The facts of [`turning`], with slopes measured by the caller.
fn facts(gap: f64, omega: f64, span: f64, slopes: &[f64]) -> Facts {
    let mut facts = Facts::new();
    for (k, slope) in slopes.iter().enumerate() {
        facts.push("time", Quantity::exact(span * k as f64 / MAPS as f64));
        facts.push("gap", Quantity::rounded(gap, 4.0));
        facts.push("turning", Quantity::rounded(omega.abs(), 4.0));
        facts.push("slope", Quantity::exact(slope.abs()).widened(1e-10));
    }
    facts
}

/// y_- = 2k/(g + √(g² − 4k²)).
fn fixed_slope(gap: f64, omega: f64) -> f64 {
    2.0 * omega / (gap + (gap * gap - 4.0 * omega * omega).sqrt())
}

#[test]
fn a_turning_eigenframe_is_followed_at_exactly_the_fixed_slope() {
    // In the co-rotating frame ξ' = [[g, ω], [−ω, 0]] ξ: its top eigenvector has slope −y_-.
    for (gap, omega) in [(2.0, 0.3), (1.0, 0.45), (5.0, 2.0)] {
        let flow = turning(gap, omega);
        let low = fixed_slope(gap, omega);
        let co_rotating = dmatrix![gap, omega; -omega, 0.0];
        let image = &co_rotating * dmatrix![1.0; -low];
        assert!((image[1] / image[0] + low).abs() < 1e-14);
        for start in [0.0, -0.9, 0.7] {
            let span = 60.0 / gap;
            let slopes = slopes(&flow, omega, span, start);
            assert!((slopes[MAPS] + low).abs() < 1e-9, "{} against {low}", slopes[MAPS]);
            let judgement = CLAIM.judge(&facts(gap, omega, span, &slopes));
            assert_eq!(judgement.verdict(), Verdict::Holds);
            // Attained: both bounds end on the slope.
            assert!(judgement.conclusions.iter().all(|m| m.slack < 1e-6));
        }
    }
}

#[test]
fn the_bound_is_attained_on_the_whole_way_to_the_fixed_slope() {
    // A line lagging behind the frame: |L| obeys y' = ω − g y + ω y² with equality.
    let (gap, omega) = (1.5, 0.4);
    let slopes = slopes(&turning(gap, omega), omega, 2.0, -1.1);
    let judgement = CLAIM.judge(&facts(gap, omega, 2.0, &slopes));
    assert_eq!(judgement.verdict(), Verdict::Holds);
    assert!(judgement.conclusions.iter().all(|m| m.slack < 1e-8), "{judgement:?}");
    // A line ahead of the frame is carried through it: room to spare.
    let ahead = self::slopes(&turning(gap, omega), omega, 0.3, 1.1);
    let judgement = CLAIM.judge(&facts(gap, omega, 0.3, &ahead));
    assert!(judgement.conclusions.iter().all(|m| m.slack > 0.01));
}

#[test]
fn turning_faster_than_half_the_gap_loses_the_line() {
    let (gap, omega) = (1.0, 0.6);
    let slopes = slopes(&turning(gap, omega), omega, 20.0, 0.0);
    assert!(slopes.iter().any(|l| l.abs() > 20.0), "the line passes the normal direction");
    let judgement = CLAIM.judge(&facts(gap, omega, 20.0, &slopes));
    assert_eq!(judgement.verdict(), Verdict::OutOfScope);
}

#[test]
fn a_start_beyond_the_barrier_is_out_of_scope_and_passes_the_normal() {
    let (gap, omega) = (1.5, 0.4);
    let barrier = 1.0 / fixed_slope(gap, omega); // y_- y_+ = κ/η = 1
    let slopes = slopes(&turning(gap, omega), omega, 6.0, -1.05 * barrier);
    assert!(slopes.iter().any(|l| *l > 0.0), "it comes back from the other side");
    let judgement = CLAIM.judge(&facts(gap, omega, 6.0, &slopes));
    assert_eq!(judgement.verdict(), Verdict::OutOfScope);
}

#[test]
fn mistakes_of_the_computing_tower_violate_the_bound() {
    let (gap, omega, span) = (2.0, 0.3, 4.0);
    let flow = turning(gap, omega);
    let verdict = |slopes: &[f64]| CLAIM.judge(&facts(gap, omega, span, slopes)).verdict();
    assert_eq!(verdict(&slopes(&flow, omega, span, -0.4)), Verdict::Holds);
    // Measured in the frame of time 0.
    let unrotated = slopes(&flow, 0.0, span, -0.4);
    assert_eq!(verdict(&unrotated), Verdict::Violated, "a frame not rotated");
    // Measured in a frame that turns the other way: the transposed rotation.
    let transposed = slopes(&flow, -omega, span, -0.4);
    assert_eq!(verdict(&transposed), Verdict::Violated, "a transposed frame");
    // The field of −t carries the line backwards in time: its bottom eigenspace attracts.
    let backwards = Rotating { mean: -&flow.mean, ..turning(gap, omega) };
    let reversed = slopes(&backwards, omega, span, -0.4);
    assert_eq!(verdict(&reversed), Verdict::Violated, "time run backwards");
}

#[test]
fn the_observer_measures_gap_and_turning_of_the_symmetric_jacobian() {
    for index in 0..20 {
        let mut knobs = Knobs::draw(Stream::root(73).indexed(index), KNOBS);
        let seen = observe(CLAIM.id, &mut knobs).unwrap();
        let flow: Rotating = serde_json::from_value(seen.world["flow"].clone()).unwrap();
        let d = seen.world["tangent"].as_u64().unwrap() as usize;
        for (k, t) in seen.facts.series("time").iter().enumerate().step_by(20) {
            let t = t.value;
            let a = flow.jacobian(t, &vec![0.0; flow.dim()], &mut Workspace::default());
            assert!((&a - a.transpose()).norm() < 1e-13 * (1.0 + a.norm()));
            // A = U B Uᵀ with a diagonal B, so its eigenvalues are those of B.
            let b = &flow.mean + &flow.wave * (flow.frequency * t).sin();
            let tangent = (0..d).map(|i| b[(i, i)]).fold(f64::INFINITY, f64::min);
            let normal = (d..flow.dim()).map(|i| b[(i, i)]).fold(f64::NEG_INFINITY, f64::max);
            let gap = seen.facts.series("gap")[k].value;
            assert!((gap - (tangent - normal)).abs() < 1e-11, "{gap}");
            let projector = |t: f64| {
                let u = flow.frame_and_rate(t).0.columns(0, d).into_owned();
                &u * u.transpose()
            };
            let rate = (projector(t + 1e-5) - projector(t - 1e-5)) / 2e-5;
            let turning = seen.facts.series("turning")[k].value;
            assert!((turning - spectral_norm(&rate).unwrap()).abs() < 1e-8);
        }
    }
}

#[test]
fn unmeasured_facts_decide_nothing() {
    let full = facts(2.0, 0.3, 1.0, &vec![0.1; MAPS + 1]);
    assert_eq!(CLAIM.judge(&full).verdict(), Verdict::Holds);
    for name in ["time", "gap", "turning"] {
        let mut facts = full.clone();
        let mut series = facts.series(name).to_vec();
        series[MAPS / 2] = Quantity::UNKNOWN;
        facts.set_series(name, series);
        assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Undecided, "{name}");
    }
}
