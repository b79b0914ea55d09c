//! Plain numbers through the judging tower: every slack, room and bar by hand.

use driftproof::claims::agreement::{Relative, agree, vanish};
use driftproof::claims::radial_law::RadialLaw;
use driftproof::claims::riccati::{Coefficients, FixedPoints, constant_step, riccati_bound};
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::verdict::{Judgement, Margin, Verdict};
use std::f64::consts::PI;

fn q(value: f64, bar: f64) -> Quantity {
    Quantity::new(value, bar, Grade::Estimated)
}

/// Bars of numbers that are exact in binary are exact too.
#[test]
fn arithmetic_carries_bars_in_the_worst_case() {
    let (a, b) = (q(3.0, 0.5), q(-2.0, 0.25));
    assert_eq!(a + b, q(1.0, 0.75));
    assert_eq!(a - b, q(5.0, 0.75));
    assert_eq!(-a, q(-3.0, 0.5));
    assert_eq!(a * b, q(-6.0, 1.875)); // 3.5·2.25 − 6
    assert_eq!(a / b, q(-1.5, 0.5)); // 3.5/1.75 − 1.5
    assert_eq!(a * -2.0, q(-6.0, 1.0));
    assert_eq!((a / q(0.25, 0.25)).bar, f64::INFINITY);
    assert_eq!((q(0.0, 0.0) / q(0.25, 0.25)).bar, f64::INFINITY);
    assert_eq!(b.abs(), q(2.0, 0.25));
    assert_eq!(a.widened(-0.25), q(3.0, 0.75));
    assert_eq!(Quantity::rounded(-3.0, 4.0).bar, 12.0 * f64::EPSILON);
    assert_eq!(Quantity::rounded(-3.0, 4.0).grade, Grade::Symbolic);
}

#[test]
fn functions_carry_bars_by_their_slope() {
    // f, its slope at x, and x.
    type Case = (fn(Quantity) -> Quantity, fn(f64) -> f64, f64, f64);
    let cases: [Case; 4] = [
        (Quantity::sqrt, f64::sqrt, 0.25, 4.0),
        (Quantity::exp, f64::exp, 2.0_f64.exp(), 2.0),
        (Quantity::ln, f64::ln, 0.25, 4.0),
        (Quantity::atan, f64::atan, 0.1, 3.0),
    ];
    for (carried, plain, slope, x) in cases {
        // Rounding alone, then the bar as well.
        assert_eq!(carried(q(x, 0.0)), q(plain(x), f64::EPSILON * plain(x)));
        assert!((carried(q(x, 0.5)).bar / (0.5 * slope) - 1.0).abs() < 1e-14);
        assert_eq!(carried(q(x, 0.5)).value, plain(x));
    }
}

#[test]
fn the_weaker_evidence_counts() {
    let (sure, vague) =
        (Quantity::new(3.0, 0.0, Grade::Enclosed), Quantity::new(2.0, 0.0, Grade::Sampled));
    for both in [sure + vague, sure - vague, sure * vague, vague / sure, sure.max(vague)] {
        assert_eq!(both.grade, Grade::Sampled);
    }
    assert_eq!((sure * 2.0).grade, Grade::Enclosed);
}

#[test]
fn facts_keep_what_was_stated() {
    let mut facts = Facts::new();
    facts.set("one", q(1.0, 0.0));
    facts.push("two", q(1.0, 0.0));
    facts.push("two", q(2.0, 0.0));
    facts.set_series("three", vec![q(3.0, 0.0); 3]);
    assert_eq!(facts.get("one"), q(1.0, 0.0));
    assert_eq!(facts.series("two"), [q(1.0, 0.0), q(2.0, 0.0)]);
    assert!(facts.get("two").value.is_nan() && facts.get("none").value.is_nan());
    assert!(facts.series("none").is_empty());
    let lengths: Vec<_> = facts.iter().map(|(name, series)| (name, series.len())).collect();
    assert_eq!(lengths, [("one", 1), ("three", 3), ("two", 2)]);
}

#[test]
fn numbers_that_json_lacks_are_null() {
    let unknown = q(f64::INFINITY, f64::NAN);
    let text = serde_json::to_string(&unknown).unwrap();
    assert_eq!(text, r#"{"value":null,"bar":null,"grade":"estimated"}"#);
    let back: Quantity = serde_json::from_str(&text).unwrap();
    assert!(back.value.is_nan() && back.bar.is_nan());
    let known = q(0.1, 1e-300);
    let back: Quantity = serde_json::from_str(&serde_json::to_string(&known).unwrap()).unwrap();
    assert_eq!(back, known);
}

fn numbers(m: &Margin) -> (f64, f64, f64) {
    (m.slack, m.bar, m.room)
}

#[test]
fn slack_of_an_inequality_is_relative_to_the_larger_side() {
    let (left, right) = (q(1.0, 0.25), q(4.0, 0.75));
    assert_eq!(numbers(&Margin::at_most("", left, right)), (0.75, 0.25, 0.75));
    assert_eq!(numbers(&Margin::at_least("", left, right)), (-0.75, 0.25, -0.75));
    assert_eq!(numbers(&Margin::at_most("", -right, -left)), (0.75, 0.25, 0.75));
    let zero = Quantity::exact(0.0);
    assert_eq!(numbers(&Margin::at_most("", zero, q(0.0, 0.5))), (0.0, 0.5, 0.0));
    let infinite = Quantity::exact(f64::INFINITY);
    assert_eq!(numbers(&Margin::at_most("", left, infinite)), (1.0, 0.0, 1.0));
    assert_eq!(Margin::at_most("", infinite, infinite).verdict(), Verdict::Undecided);
    assert_eq!(Margin::at_most("", Quantity::UNKNOWN, infinite).verdict(), Verdict::Undecided);
    assert_eq!(numbers(&Margin::condition("", true)), (1.0, 0.0, 1.0));
    assert_eq!(numbers(&Margin::condition("", false)), (-1.0, 0.0, -1.0));
}

#[test]
fn slack_of_an_equality_is_in_units_of_the_bars() {
    let slack = |m: Quantity, p: Quantity, resolution| Margin::equal("", m, p, resolution).slack;
    let (one, two) = (q(1.0, 0.25), q(2.0, 0.75));
    // |1 − 2| is all of 0.25 + 0.75, which is half of 2 on either side.
    assert_eq!((slack(one, two, 0.5), slack(two, one, 0.5)), (0.0, 0.0));
    assert!(slack(one, two, 0.49).is_nan() && slack(two, one, 0.49).is_nan());
    assert_eq!(slack(q(1.75, 0.25), two, 1.0), 0.75); // 1 − 0.25/1
    // Wide bars excuse an agreement, not a disagreement.
    assert_eq!(slack(q(-1.0, 0.25), two, 0.0), -2.0); // 1 − 3/1
    let exact = Quantity::exact;
    assert_eq!(slack(exact(1.0), exact(2.0), 0.5), -f64::MAX);
    assert_eq!(slack(exact(2.0), exact(2.0), 0.0), 1.0);
    let margin = Margin::equal("", one, two, 0.5);
    assert_eq!(margin.misfit(), Some(1.0));
    assert!(margin.room.is_nan() && margin.bar == 0.0);
    assert_eq!(Margin::at_most("", one, two).misfit(), None);
}

#[test]
fn slack_of_an_attained_bound_counts_the_bars_as_room() {
    let slack = |left: Quantity, resolution| {
        Margin::attained("", left, q(0.75, 0.25), 2.0, resolution).slack
    };
    let left = q(1.0, 0.25);
    assert_eq!(slack(left, 0.25), 0.125); // (0.75 − 1 + 0.5)/2
    assert!(slack(left, 0.24).is_nan());
    assert!(slack(q(1.25, 0.25), 0.0).is_nan()); // a slack of 0
    assert_eq!(slack(q(2.0, 0.25), 0.0), -0.375); // (0.75 − 2 + 0.5)/2
    let margin = Margin::attained("", left, q(0.75, 0.25), 2.0, 1.0);
    assert_eq!((margin.bar, margin.room), (0.0, -0.125));
    let beyond = Margin::attained("", q(f64::INFINITY, 0.0), q(0.0, 0.0), 1.0, 1.0);
    assert_eq!((beyond.slack, beyond.verdict()), (-f64::MAX, Verdict::Violated));
}

fn margin(name: &str, slack: f64, bar: f64) -> Margin {
    Margin { name: name.into(), slack, bar, room: slack, sides: None }
}

#[test]
fn a_margin_is_decided_outside_of_its_bar() {
    for (slack, bar, verdict) in [
        (0.5, 0.5, Verdict::Holds),
        (0.0, 0.0, Verdict::Holds),
        (0.49, 0.5, Verdict::Undecided),
        (-0.5, 0.5, Verdict::Undecided),
        (-0.51, 0.5, Verdict::Violated),
        (f64::INFINITY, 0.0, Verdict::Undecided),
        (0.5, f64::NAN, Verdict::Undecided),
    ] {
        assert_eq!(margin("", slack, bar).verdict(), verdict, "{slack} ± {bar}");
    }
}

#[test]
fn a_failed_hypothesis_wins_and_an_unknown_one_decides_nothing() {
    let of = |slack: f64| margin("H1 m", slack, 0.5);
    let verdict = |hypotheses: &[f64], conclusions: &[f64]| {
        let all = |slacks: &[f64]| slacks.iter().map(|slack| of(*slack)).collect();
        Judgement { hypotheses: all(hypotheses), conclusions: all(conclusions) }.verdict()
    };
    let (yes, no, open) = (1.0, -1.0, 0.0);
    assert_eq!(verdict(&[yes, open, no], &[no]), Verdict::OutOfScope);
    assert_eq!(verdict(&[yes, open], &[no]), Verdict::Undecided);
    assert_eq!(verdict(&[yes], &[]), Verdict::Undecided);
    assert_eq!(verdict(&[yes], &[open, no]), Verdict::Violated);
    assert_eq!(verdict(&[yes], &[yes, open]), Verdict::Undecided);
    assert_eq!(verdict(&[yes, yes], &[yes, yes]), Verdict::Holds);
    assert_eq!(verdict(&[], &[yes]), Verdict::Holds);
}

#[test]
fn the_worst_conclusions_are_found() {
    let equality = |name: &str, slack: f64| Margin { room: f64::NAN, ..margin(name, slack, 0.0) };
    let conclusions = vec![
        margin("roomy", 0.9, 0.0),
        margin("tight", 0.1, 0.0),
        equality("equal", 0.5),
        equality("far", -2.0),
        equality("unknown", f64::NAN),
    ];
    let mut judgement = Judgement { hypotheses: vec![], conclusions };
    let name = |m: Option<&Margin>| m.map(|m| m.name.clone());
    assert_eq!(name(judgement.tightest()), Some("unknown".into()));
    assert_eq!(name(judgement.least_room()), Some("tight".into()));
    assert_eq!(name(judgement.largest_misfit()), Some("far".into()));
    judgement.hypotheses = vec![margin("H1 a", 1.0, 0.0), margin("H12 b", 1.0, 0.0)];
    let left = judgement.without_hypothesis("H1");
    assert_eq!(left.hypotheses.len(), 1);
    assert_eq!(left.hypotheses[0].name, "H12 b");
}

#[test]
fn vectors_agree_by_their_worst_entry() {
    let slack = |m: &[Quantity], p: &[Quantity], relative, resolution| {
        agree("", m, p, relative, resolution).slack
    };
    let predicted = [q(4.0, 0.25), q(-1.0, 0.25)];
    let measured = [q(4.25, 0.25), q(-1.0, 0.25)];
    let unit = Relative::To(1.0);
    assert_eq!(slack(&measured, &predicted, unit, 0.5), 0.5); // 1 − 0.25/0.5
    assert!(slack(&measured, &predicted, unit, 0.49).is_nan());
    // Bars of 0.5: an eighth of the largest entry, half of the smallest.
    assert_eq!(slack(&measured, &predicted, Relative::Vector, 0.125), 0.5);
    assert!(slack(&measured, &predicted, Relative::Vector, 0.124).is_nan());
    assert_eq!(slack(&measured, &predicted, Relative::Entry, 0.5), 0.5);
    assert!(slack(&measured, &predicted, Relative::Entry, 0.49).is_nan());
    // Without agreement, wide bars are no excuse; without bars neither.
    let off = [q(5.0, 0.25), q(-1.0, 0.25)];
    assert_eq!(slack(&off, &predicted, unit, 0.0), -1.0); // 1 − 1/0.5
    let reversed = [predicted[1], predicted[0]];
    assert_eq!(slack(&reversed, &predicted, unit, 0.0), -9.0); // 1 − 5/0.5
    assert_eq!(slack(&[Quantity::exact(1.0)], &[Quantity::exact(2.0)], unit, 1.0), -f64::MAX);
    assert!(slack(&predicted[..1], &predicted, unit, 1.0).is_nan());
    assert!(slack(&[], &[], unit, 1.0).is_nan());
    let vague = [q(1.0, f64::NAN)];
    assert!(slack(&vague, &[Quantity::exact(1.0)], unit, 1.0).is_nan());
    assert_eq!(vanish("", &[q(0.25, 0.5), q(-0.375, 0.5)], 1.0, 0.5).slack, 0.25);
    assert!(vanish("", &[q(0.25, 0.5)], 0.9, 0.5).slack.is_nan());
}

/// (R) with constant coefficients solved by 4000 steps of Runge–Kutta.
fn integrated(gamma: f64, kappa: f64, eta: f64, h: f64, start: f64) -> f64 {
    let rate = |y: f64| kappa - gamma * y + eta * y * y;
    let (steps, mut y) = (4000, start);
    let dt = h / f64::from(steps);
    for _ in 0..steps {
        let k1 = rate(y);
        let k2 = rate(y + 0.5 * dt * k1);
        let k3 = rate(y + 0.5 * dt * k2);
        let k4 = rate(y + dt * k3);
        y += dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
    }
    y
}

#[test]
fn one_step_of_the_riccati_equation_is_its_solution() {
    for (gamma, kappa, eta, h, start) in [
        (2.0, 0.3, 0.7, 1.25, 0.4),  // Δ > 0
        (-1.0, 0.2, 0.1, 0.75, 0.3), // expanding
        (0.5, 1.5, 0.75, 0.4, 0.2),  // Δ < 0
        (2.0, 1.0, 1.0, 0.8, 0.25),  // Δ = 0
        (3.0, -0.4, -0.5, 0.6, 0.9), // a shrinking quadratic term
    ] {
        let (y, pole) = constant_step(gamma, kappa, eta, h, start);
        let expected = integrated(gamma, kappa, eta, h, start);
        assert!((y - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{y} {expected}");
        assert!(!pole);
    }
    // y' = 1 + y²: tan, with poles at π/2 and then every π; y' = y²: 1/(1 − t).
    for (h, pole) in [(0.5 * PI - 1e-6, false), (0.5 * PI + 1e-6, true), (1.25 * PI, true)] {
        assert_eq!(constant_step(0.0, 1.0, 1.0, h, 0.0).1, pole, "{h}");
    }
    assert_eq!(constant_step(0.0, 0.0, 1.0, 0.5, 1.0), (2.0, false));
    assert!(constant_step(0.0, 0.0, 1.0, 1.0, 1.0).1);
    // Two poles passed: the sign is back, and the turn is counted. y = √2 tan(√2 t) for κ = 2, η = 1.
    assert!(constant_step(0.0, 2.0, 1.0, 4.4, 0.0).1);
    // A slow turn over a long time, and a long time without one, meet none.
    assert!(!constant_step(0.0, 0.01, 0.01, 10.0, 0.0).1);
    assert!(!constant_step(8.0, 0.1, 0.1, 2.0, 0.0).1);
}

#[test]
fn fixed_points_are_the_roots_and_the_explicit_form_the_solution() {
    let (gamma, kappa, eta) = (2.5, 0.5, 2.0);
    let points = FixedPoints::of(gamma, kappa, eta);
    // 0.5 − 2.5 y + 2 y² = 2 (y − 1/4)(y − 1).
    assert_eq!((points.low, points.barrier, points.root), (0.25, 1.0, 1.5));
    for (time, start) in [(0.0, 0.6), (0.75, 0.6), (2.0, 0.1), (0.5, 0.9)] {
        let expected = integrated(gamma, kappa, eta, time, start);
        assert!((points.after(time, start) - expected).abs() < 1e-12, "{time} {start}");
    }
    let linear = FixedPoints::of(2.0, 0.5, 0.0);
    assert_eq!((linear.low, linear.barrier, linear.root), (0.25, f64::INFINITY, 2.0));
    assert!((linear.after(1.5, 1.0) - integrated(2.0, 0.5, 0.0, 1.5, 1.0)).abs() < 1e-12);
    assert_eq!(FixedPoints::of(1.0, 1.0, 1.0).root, 0.0);
}

fn series(values: &[f64], bar: f64) -> Vec<Quantity> {
    values.iter().map(|v| q(*v, bar)).collect()
}

#[test]
fn the_riccati_bound_takes_the_worse_end_its_bar_and_the_bend() {
    // Two intervals; in the middle the second difference of γ is 0.8, of κ 1.6, of η 0.
    let times = series(&[0.0, 0.5, 1.25], 0.0);
    let gamma = series(&[2.0, 1.6, 2.0], 0.125);
    let kappa = series(&[0.2, 0.6, -0.6], 0.0625);
    let eta = series(&[0.1, 0.2, 0.3], 0.03125);
    let c = Coefficients { times: &times, gamma: &gamma, kappa: &kappa, eta: &eta };
    let worst = c.least_favourable();
    let near = |measured: f64, expected: f64| {
        assert!((measured - expected).abs() < 1e-14, "{measured} {expected}");
    };
    // The least γ: 1.6 − 0.125 − 0.8/8; the largest κ: 0.6 + 0.0625 + 1.6/8; η: 0.3 + 0.03125.
    let (g, k, [e0, e1]) = (1.375, 0.8625, [0.23125, 0.33125]);
    near(worst.gamma.value, g);
    near(worst.kappa.value, k);
    near(worst.eta.value, e1);
    near(worst.gamma.bar, 0.25);
    near(worst.kappa.bar, 0.125);
    near(worst.eta.bar, 0.0625);
    let bound = riccati_bound(c, 0.3).unwrap();
    let first = integrated(g, k, e0, 0.5, 0.3);
    assert!(bound.exists && bound.y.len() == 3 && bound.y[0] == 0.3);
    assert!((bound.y[1] - first).abs() < 1e-12);
    assert!((bound.y[2] - integrated(g, k, e1, 0.75, first)).abs() < 1e-12);
}

#[test]
fn the_riccati_bound_wants_every_number() {
    let (times, ones) = (series(&[0.0, 0.5, 1.0], 0.0), series(&[1.0; 3], 0.0));
    let solves = |times: &[Quantity], gamma: &[Quantity], start: f64| {
        let c = Coefficients { times, gamma, kappa: &ones, eta: &ones };
        riccati_bound(c, start).is_some()
    };
    assert!(solves(&times, &ones, 0.0));
    assert!(!solves(&times, &ones, f64::NAN));
    assert!(!solves(&times, &ones[..2], 0.0));
    assert!(!solves(&times, &series(&[1.0, f64::NAN, 1.0], 0.0), 0.0));
    assert!(!solves(&times, &series(&[1.0; 3], f64::INFINITY), 0.0));
    assert!(!solves(&series(&[0.0, 0.5, 0.5], 0.0), &ones, 0.0));
    assert!(!solves(&times[..1], &ones[..1], 0.0));
    let one =
        Coefficients { times: &times[..1], gamma: &ones[..1], kappa: &ones[..1], eta: &ones[..1] };
    assert!(riccati_bound(one, 0.0).is_none());
    // y' = 1 − y/5 + 3 y² leaves every bound before t = 1, and does not come back.
    let gamma = series(&[0.2; 3], 0.0);
    let eta = series(&[3.0; 3], 0.0);
    let c = Coefficients { times: &times, gamma: &gamma, kappa: &ones, eta: &eta };
    assert!(!riccati_bound(c, 0.5).unwrap().exists);
}

#[test]
fn in_space_the_radial_law_is_a_difference_of_two_bells() {
    // n = 3: f(ρ) = ρ/(Rσ√2π) (e^{−(ρ−R)²/2σ²} − e^{−(ρ+R)²/2σ²}).
    for (radius, sigma) in [(1.5, 0.5), (1.5, 4.0), (0.1, 1.0), (8.0, 0.05)] {
        let law = RadialLaw { dim: 3, radius, sigma };
        assert!((law.centre() - (radius * radius + 3.0 * sigma * sigma).sqrt()).abs() < 1e-12);
        for z in [-2.0, -0.5, 0.0, 1.0, 3.0] {
            let rho = law.centre() + z * sigma;
            if rho <= 0.0 {
                continue;
            }
            let bell = |x: f64| (-0.5 * (x / sigma).powi(2)).exp();
            let expected = rho * (bell(rho - radius) - bell(rho + radius))
                / (radius * sigma * (2.0 * PI).sqrt());
            assert!((law.density(rho) / expected - 1.0).abs() < 1e-10, "{radius} {sigma} {z}");
        }
    }
}

#[test]
fn without_a_sphere_the_radial_law_is_that_of_chi() {
    // R = 0, n = 2: tails e^{−ρ²/2σ²}; n = 4: (1 + u) e^{−u} with u = ρ²/2σ².
    for (dim, rho) in [(2, 0.7), (2, 6.0), (4, 1.0), (4, 7.0)] {
        let law = RadialLaw { dim, radius: 0.0, sigma: 2.0 };
        let u: f64 = rho * rho / 8.0;
        let (above, below) = match dim {
            2 => ((-u).exp(), -(-u).exp_m1()),
            _ => ((1.0 + u) * (-u).exp(), 1.0 - (1.0 + u) * (-u).exp()),
        };
        assert!((law.tail(rho, true) / above - 1.0).abs() < 1e-10);
        assert!((law.tail(rho, false) / below - 1.0).abs() < 1e-10);
        let measured = Quantity::new(rho, 0.25, Grade::Sampled);
        let (tail, density) = (law.tail_at(measured, true), law.density_at(measured));
        let bar = 1e-11 * above + 0.25 * law.density(rho);
        assert_eq!((tail.value, tail.grade), (law.tail(rho, true), Grade::Estimated));
        assert!((tail.bar / bar - 1.0).abs() < 1e-10);
        let moved = (law.density(rho + 0.25) - law.density(rho)).abs();
        assert_eq!(density.value, law.density(rho));
        assert!((density.bar / (moved + 1e-11 * density.value) - 1.0).abs() < 1e-6);
    }
}
