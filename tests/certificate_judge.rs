//! The judge of the certificate from posterior moments, on facts written by hand.

use driftproof::claims::find;
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::verdict::{Judgement, Verdict};

/// Intervals of the later stage, each of length 1/10.
const STEPS: usize = 16;

/// Constant moments on a grid whose first `early` levels are at the boundary.
///
/// K r = 1/10, so that the foot moves at up to 0.09/0.9; κ = η = 0.3 + 0.5·0.1, γ = 2.
fn world(early: usize) -> Facts {
    let mut facts = Facts::new();
    for k in 0..=STEPS + early {
        let numbers = [
            ("time", 0.5 + 0.1 * k as f64),
            ("curvature", 0.5),
            ("distance", 0.2),
            ("foot_drift", 0.09),
            ("cross_moment", 0.3),
            ("gamma", 2.0),
            ("interior", f64::from(k >= early)),
            ("foot_speed", 0.05),
            ("foot_step", 0.02),
            ("turning", 0.02),
            ("normal_variance", 0.04),
            ("fourth_moment", 0.2),
        ];
        for (name, value) in numbers {
            facts.push(name, Quantity::exact(value));
        }
        let slope = match k {
            k if k == early => Quantity::new(0.4, 0.05, Grade::Estimated),
            k => Quantity::exact(0.1 + 0.001 * k as f64),
        };
        facts.push("slope", slope);
    }
    facts.set("reach", Quantity::exact(0.5));
    facts
}

fn judge(facts: &Facts) -> Judgement {
    find("posterior_moments_certify_alignment").unwrap().judge(facts)
}

/// y' = 0.35 − 2y + 0.35y² from 0.45, by Runge–Kutta.
fn riccati(span: f64) -> f64 {
    let rate = |y: f64| 0.35 - 2.0 * y + 0.35 * y * y;
    let (steps, mut y) = (4000, 0.45);
    let h = span / f64::from(steps);
    for _ in 0..steps {
        let k1 = rate(y);
        let k2 = rate(y + 0.5 * h * k1);
        let k3 = rate(y + 0.5 * h * k2);
        let k4 = rate(y + h * k3);
        y += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
    }
    y
}

/// Facts with one number of a series replaced.
fn with(facts: &Facts, name: &str, at: usize, value: f64) -> Facts {
    let mut facts = facts.clone();
    let mut series = facts.series(name).to_vec();
    series[at] = Quantity::exact(value);
    facts.set_series(name, series);
    facts
}

#[test]
fn the_later_stage_is_bounded_from_its_first_level_on() {
    for early in [0, 3] {
        let facts = world(early);
        let judgement = judge(&facts);
        assert_eq!(judgement.verdict(), Verdict::Holds, "{judgement:#?}");
        let rooms = |name: &str| -> Vec<f64> {
            judgement.conclusions.iter().filter(|m| m.name == name).map(|m| m.room).collect()
        };
        for (name, k) in [("slope at 2/4", 8), ("slope at 3/4", 12), ("slope at 4/4", 16)] {
            let (y, slope) = (riccati(0.1 * k as f64), 0.1 + 0.001 * (k + early) as f64);
            let room = (y - slope) / y.max(slope);
            assert_eq!(rooms(name).len(), 1);
            assert!((rooms(name)[0] - room).abs() < 1e-9, "{name}: {:?} {room}", rooms(name));
        }
        for (name, room) in [
            ("speed of the foot point", 0.5),      // 0.05 of 0.1
            ("turning of the tangent plane", 0.6), // 0.02 of K·0.1
            ("normal variance", 0.8),              // 0.04 of 0.2/(4·0.25)
        ] {
            assert_eq!(rooms(name).len(), 3, "{name}");
            assert!(
                rooms(name).iter().all(|r| (r - room).abs() < 1e-9),
                "{name} {:?}",
                rooms(name)
            );
        }
        // H3: K r = 0.1 against 1.
        assert!((judgement.hypotheses[2].slack - 0.9).abs() < 1e-12);
    }
}

#[test]
fn slow_feet_are_compared_with_a_thousandth_of_the_noise_level() {
    let mut facts = world(0);
    for name in ["foot_drift", "foot_speed", "foot_step", "turning"] {
        let value = if name == "foot_speed" { 1e-5 } else { 0.0 };
        facts.set_series(name, vec![Quantity::exact(value); STEPS + 1]);
    }
    let judgement = judge(&facts);
    let rooms: Vec<f64> = judgement
        .conclusions
        .iter()
        .filter(|m| m.name == "speed of the foot point")
        .map(|m| m.room)
        .collect();
    for (room, k) in rooms.iter().zip([4, 8, 12]) {
        let noise = (-(0.5 + 0.1 * f64::from(k))).exp();
        assert!((room * 1e-3 * noise / -1e-5 - 1.0).abs() < 1e-9);
    }
    assert_eq!(rooms.len(), 3);
}

#[test]
fn the_stage_begins_where_the_condition_holds_and_ends_the_scope_where_it_fails() {
    let facts = world(3);
    let met = |facts: &Facts| -> Vec<bool> {
        judge(facts).hypotheses.iter().map(|h| h.verdict() == Verdict::Holds).collect()
    };
    assert_eq!(met(&facts), [true; 5]);
    // Before the stage nothing is asked.
    for (name, value) in [("foot_step", 9.0), ("distance", 9.0), ("slope", 9.0)] {
        assert_eq!(met(&with(&facts, name, 1, value)), [true; 5], "{name}");
    }
    assert_eq!(met(&with(&facts, "interior", 9, 0.0)), [true, false, true, true, true]);
    assert!(!met(&with(&facts, "distance", 9, 2.01))[2]);
    // A step of 2·0.1·0.1 and a millionth is allowed.
    assert_eq!(met(&with(&facts, "foot_step", 9, 0.020_000_9)), [true; 5]);
    assert!(!met(&with(&facts, "foot_step", 9, 0.020_001_1))[3]);
    // The faster end of a step allows it; it is of the level and the one before.
    let faster = with(&facts, "foot_drift", 9, 0.18);
    for at in [9, 10] {
        assert!(met(&with(&faster, "foot_step", at, 0.04))[3]);
    }
    for at in [8, 11] {
        assert!(!met(&with(&faster, "foot_step", at, 0.04))[3]);
    }
    // The first step that counts is the one after the first level.
    assert!(
        met(&with(&facts, "foot_step", 3, 9.0))[3] && !met(&with(&facts, "foot_step", 4, 9.0))[3]
    );
    // A later start: beyond the barrier (2 + √3.51)/0.7 = 5.5335…, without compression, outside of the tube.
    let first = |facts: &Facts| judge(facts).hypotheses[0].verdict() == Verdict::Holds;
    let only = |name: &str, value: f64| {
        let mut facts = world(0);
        facts.set_series(name, vec![Quantity::exact(value); STEPS + 1]);
        facts
    };
    assert!(first(&only("slope", 5.53)) && !first(&only("slope", 5.54)));
    assert!(!first(&only("gamma", -2.0)) && !first(&only("gamma", 0.69)));
    assert!(!first(&only("distance", 2.01)) && !first(&only("interior", 0.0)));
    // The last level is too late to begin.
    let (last, before) = (STEPS, STEPS - 1);
    assert!(!first(&with(&only("interior", 0.0), "interior", last, 1.0)));
    assert!(first(&with(&only("interior", 0.0), "interior", before, 1.0)));
}

#[test]
fn series_that_are_missing_say_nothing() {
    let facts = world(0);
    for name in ["curvature", "slope", "foot_drift", "distance", "cross_moment", "time"]
        .into_iter()
        .chain(["gamma", "interior", "foot_speed", "foot_step", "turning"])
    {
        let mut facts = facts.clone();
        facts.push(name, Quantity::exact(0.1));
        assert_eq!(judge(&facts), Judgement::default(), "{name}");
    }
    let mut short = Facts::new();
    for (name, series) in facts.iter() {
        short.set_series(name, series[..1].to_vec());
    }
    assert_eq!(judge(&short), Judgement::default());
    // Difference quotients reach 3 levels to either side, inside the stage: of levels 2, 4 and 6 of
    // nine only from the middle one, of five from none. Two levels are a stage.
    for (levels, quotients) in [(9, 1), (5, 0), (2, 0)] {
        let mut short = Facts::new();
        for (name, series) in facts.iter() {
            short.set_series(name, series[..series.len().min(levels)].to_vec());
        }
        let judgement = judge(&short);
        let speeds = judgement.conclusions.iter().filter(|m| m.name.starts_with("speed")).count();
        assert_eq!((speeds, judgement.conclusions.len()), (quotients, 6 + 2 * quotients));
    }
}
