//! The judge of the rotated coupling on facts written by hand, from 2×2 formulas.

use driftproof::claims::find;
use driftproof::claims::riccati::{Coefficients, riccati_bound};
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::verdict::{Judgement, Verdict};
use nalgebra::{Matrix2, Vector2};

/// Intervals of the table.
const STEPS: usize = 256;

/// Variances 4 and 1/4, turned by `angle`; the plane starts with slope 1/5.
fn world(angle: f64, off: f64, bar: f64) -> (Facts, Matrix2<f64>) {
    let (sin, cos) = angle.sin_cos();
    let map = Matrix2::new(2.0 * cos, -2.0 * sin, 0.5 * sin, 0.5 * cos);
    let identity = Matrix2::identity();
    let jacobian = |t: f64| identity * (1.0 - t) + map * t;
    let rate = |t: f64| (map - identity) * jacobian(t).try_inverse().unwrap();
    let slope = |t: f64| {
        let line = jacobian(t) * Vector2::new(1.0, 0.2);
        line[1] / line[0]
    };
    let mut facts = Facts::new();
    let exact = |x: f64| Quantity::exact(x);
    let beside = |x: f64| Quantity::new(x + 0.5 * bar, bar, Grade::Estimated);
    facts.set_series("variance", vec![exact(4.0), exact(0.25)]);
    facts.set("tangent", exact(1.0));
    facts.set_series("rotation", [cos, sin, -sin, cos].map(exact).to_vec());
    facts.set_series("start_graph", vec![exact(0.2)]);
    for k in 0..=STEPS {
        let t = k as f64 / STEPS as f64;
        let a = rate(t);
        facts.push("time", exact(t));
        facts.push("gamma", exact(a[(0, 0)] - a[(1, 1)]));
        for (name, entry) in [("kappa", a[(1, 0)].abs()), ("eta", a[(0, 1)].abs())] {
            // Half-way it is compared with the closed form.
            facts.push(name, exact(entry + if k == STEPS / 2 { off } else { 0.0 }));
        }
        for (name, at) in [("tt", (0, 0)), ("tn", (0, 1)), ("nt", (1, 0)), ("nn", (1, 1))] {
            facts.push(&format!("rate_{name}"), exact(a[at]));
        }
        // The bound starts at the upper end of the first bar.
        let first = Quantity::new(0.1875, 0.0125, Grade::Estimated);
        facts.push("slope", if k == 0 { first } else { beside(slope(t).abs()) });
        facts.push("signed_slope", exact(slope(t) + if k == 0 { 0.0 } else { off }));
    }
    let middle = rate(0.5).map(|entry| exact(entry + off));
    facts.set_series("rate_matrix", middle.iter().copied().collect());
    facts.set_series("singular_value", vec![beside(2.0), beside(0.5)]);
    facts.set("least_transversality", exact(0.5));
    facts.set("end_angle_to_axes", exact(off));
    facts.set("start_angle_to_turned_axes", exact(2.0 * off));
    (facts, map)
}

fn judge(facts: &Facts) -> Judgement {
    find("rotated_coupling_solves_the_riccati_equation").unwrap().judge(facts)
}

#[test]
fn every_closed_form_is_that_of_two_by_two_matrices() {
    let off = 1e-4;
    let (facts, map) = world(0.3, off, 1e-8);
    let judgement = judge(&facts);
    let identity = Matrix2::identity();
    let half = (identity + map) * 0.5;
    let size = ((map - identity) * half.try_inverse().unwrap()).norm();
    let rooms = |name: &str| -> Vec<f64> {
        judgement.conclusions.iter().filter(|m| m.name == name).map(|m| m.room).collect()
    };
    let assert_all = |name: &str, count: usize, expected: f64| {
        let rooms = rooms(name);
        assert_eq!(rooms.len(), count, "{name}");
        for room in rooms {
            assert!((room / expected - 1.0).abs() < 1e-4, "{name}: {room} is not {expected}");
        }
    };
    assert_all("(a) entries of A", 4, -off / size);
    assert_all("(a) kappa", 1, -off / size);
    assert_all("(a) eta", 1, -off / size);
    assert_all("(e) end_angle_to_axes", 1, -off);
    assert_all("(e) start_angle_to_turned_axes", 1, -2.0 * off);
    let slope = |t: f64| {
        let line = (identity * (1.0 - t) + map * t) * Vector2::new(1.0, 0.2);
        line[1] / line[0]
    };
    for (name, t) in [("0.50", 0.5), ("1.00", 1.0)] {
        let name = format!("(d) scalar equation at t = {name}");
        assert_all(&name, 1, -off / (1.0 + slope(t).abs()));
        // The bar is that of the steps, small here; it does not vanish.
        let margin = judgement.conclusions.iter().find(|m| m.name == name).unwrap();
        let bar = (margin.slack - margin.room) * (1.0 + slope(t).abs());
        assert!((1e-12..1e-8).contains(&bar), "{bar}");
    }
    let series = |name: &str| facts.series(name);
    let table = Coefficients {
        times: series("time"),
        gamma: series("gamma"),
        kappa: series("kappa"),
        eta: series("eta"),
    };
    let bound = riccati_bound(table, 0.2).unwrap();
    for quarter in 1..=4 {
        let k = STEPS * quarter / 4;
        let (y, l) = (bound.y[k], series("slope")[k].value);
        assert_all(&format!("(c) bound at {quarter}/4"), 1, (y - l) / y.max(l));
    }
    let equalities: Vec<_> = judgement.conclusions.iter().filter(|m| m.room.is_nan()).collect();
    assert_eq!(equalities.len(), 6);
    for margin in equalities {
        assert!((margin.slack - 0.5).abs() < 1e-3, "{margin:?}");
    }
    assert_eq!(rooms("(b) transversal"), [1.0]);
}

#[test]
fn a_true_world_holds_and_what_cannot_be_read_says_nothing() {
    let (facts, _) = world(0.3, 0.0, 1e-8);
    assert_eq!(judge(&facts).verdict(), Verdict::Holds);
    for name in ["rotation", "start_graph", "variance", "rate_tt", "slope", "time", "kappa"] {
        let mut facts = facts.clone();
        facts.set_series(name, vec![]);
        assert!(judge(&facts).conclusions.is_empty(), "{name}");
    }
    for tangent in [0.0, 2.0] {
        let mut facts = facts.clone();
        facts.set("tangent", Quantity::exact(tangent));
        assert!(judge(&facts).conclusions.is_empty());
        facts.set_series("start_graph", vec![]);
        assert!(judge(&facts).conclusions.is_empty());
    }
}

/// H1: how far the spectrum of M stays from the negative half-line, over its norm √(4 + 1/4).
#[test]
fn the_way_is_clear_while_no_eigenvalue_is_on_the_negative_half_line() {
    // The trace is 2.5 cos, the determinant 1.
    for angle in [0.3_f64, 1.2, 1.8] {
        let half = 1.25 * angle.cos();
        let distance = match half * half - 1.0 {
            real if real >= 0.0 => half - real.sqrt(),
            _ if half > 0.0 => 1.0,
            square => (-square).sqrt(),
        };
        let clear = distance / 4.25_f64.sqrt();
        let judgement = judge(&world(angle, 0.0, 1e-8).0);
        let h1 = &judgement.hypotheses[0];
        assert_eq!(h1.slack, 1.0);
        assert!((h1.bar * clear / 1e-6 - 1.0).abs() < 1e-9, "{angle}");
        let h3 = &judgement.hypotheses[2];
        assert!(h3.slack == 1.0 && (h3.bar * 1.5 / 1e-6 - 1.0).abs() < 1e-9);
        // H2: M_TT + M_TN L_0 is a number, positive while cos > sin/5.
        let transversal = angle.cos() > 0.2 * angle.sin();
        assert_eq!(judgement.hypotheses[1].slack, if transversal { 1.0 } else { -1.0 });
        assert!((judgement.hypotheses[1].bar / 1e-6 - 1.0).abs() < 1e-9);
    }
    let behind = judge(&world(3.0, 0.0, 1e-8).0);
    assert_eq!(behind.hypotheses[0].slack, -1.0);
    assert_eq!(behind.verdict(), Verdict::OutOfScope);
}
