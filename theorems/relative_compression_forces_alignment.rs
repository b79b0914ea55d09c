//! T2.1. Statement: relative_compression_forces_alignment.md.

mod support;

use driftproof::claims::relative_compression_forces_alignment::CLAIM;
use driftproof::claims::riccati::{Coefficients, FixedPoints, constant_step, riccati_bound};
use driftproof::drift::{Rotating, Turn};
use driftproof::facts::{Facts, Quantity};
use driftproof::linalg::{graph_operator, largest_angle, mu_max, mu_min, spectral_norm};
use driftproof::observe::relative_compression_forces_alignment::DataWorld;
use driftproof::observe::{KNOBS, observe};
use driftproof::random::{Knobs, Stream};
use driftproof::verdict::Verdict;
use nalgebra::{DMatrix, DVector, dmatrix};

#[test]
fn no_random_flow_violates_the_riccati_bound() {
    support::no_world_violates(&CLAIM, 100, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// Steps of the propagation in [`propagate`].
const STEPS: usize = 400;

/// The bases E(t_k), k = 0..=STEPS, of E' = A(t) E: the classical Runge–Kutta method, written out.
fn propagate(
    generator: impl Fn(f64) -> DMatrix<f64>,
    span: f64,
    plane: DMatrix<f64>,
) -> Vec<DMatrix<f64>> {
    let h = span / STEPS as f64;
    let mut history = vec![plane];
    for k in 0..STEPS {
        let (t, e) = (k as f64 * h, &history[k]);
        let (first, middle, last) = (generator(t), generator(t + 0.5 * h), generator(t + h));
        let k1 = first * e;
        let k2 = &middle * (e + &k1 * (0.5 * h));
        let k3 = &middle * (e + &k2 * (0.5 * h));
        let k4 = last * (e + &k3 * h);
        history.push(e + (k1 + k2 * 2.0 + k3 * 2.0 + k4) * (h / 6.0));
    }
    history
}

/// Facts of a plane `bases` against the frames U, with the blocks prescribed by B (Ã = B, T2.0).
fn facts(
    b: impl Fn(f64) -> DMatrix<f64>,
    frame: impl Fn(f64) -> DMatrix<f64>,
    d: usize,
    span: f64,
    bases: &[DMatrix<f64>],
) -> Facts {
    let mut facts = Facts::new();
    let exact = |value: f64| Quantity::new(value, 1e-13, driftproof::facts::Grade::Symbolic);
    for (k, e) in bases.iter().enumerate() {
        let t = span * k as f64 / STEPS as f64;
        let (b, u) = (b(t), frame(t));
        let n = b.nrows() - d;
        let part = |r, c, h, w| b.view((r, c), (h, w)).into_owned();
        let (ut, un) = (u.columns(0, d).into_owned(), u.columns(d, n).into_owned());
        facts.push("time", Quantity::exact(t));
        facts.push("gamma", exact(mu_min(&part(0, 0, d, d)) - mu_max(&part(d, d, n, n))));
        facts.push("kappa", exact(spectral_norm(&part(d, 0, n, d)).unwrap()));
        facts.push("eta", exact(spectral_norm(&part(0, d, d, n)).unwrap()));
        let slope = spectral_norm(&graph_operator(e, &ut, &un).unwrap()).unwrap();
        facts.push("slope", exact(slope).widened(1e-9));
        if k == STEPS {
            let mut e = e.clone();
            driftproof::linalg::orthonormalise(&mut e);
            let sine = largest_angle(&e, &ut).unwrap().sin();
            facts.set("end_sine", exact(sine).widened(1e-9));
        }
    }
    facts
}

/// A constant planar field in the resting frame, from slope `l0`: its facts.
fn planar_facts(a: &DMatrix<f64>, l0: f64, span: f64) -> Facts {
    let bases = propagate(|_| a.clone(), span, dmatrix![1.0; l0]);
    facts(|_| a.clone(), |_| DMatrix::identity(2, 2), 1, span, &bases)
}

/// l(t) of the line through (1, l0) under A = [[0, −η], [κ, −γ]], from e^{At} in closed form.
fn exact_slope(gamma: f64, kappa: f64, eta: f64, l0: f64, t: f64) -> f64 {
    // A + γ/2 has square γ²/4 − κη =: p, so e^{At} ∝ C + S (A + γ/2).
    let p = 0.25 * gamma * gamma - kappa * eta;
    let q = p.abs().sqrt();
    let (c, s) = match p {
        p if p > 0.0 => ((q * t).cosh(), (q * t).sinh() / q),
        p if p < 0.0 => ((q * t).cos(), (q * t).sin() / q),
        _ => (1.0, t),
    };
    let (x, y) = (c + s * (0.5 * gamma - eta * l0), c * l0 + s * (kappa - 0.5 * gamma * l0));
    y / x
}

#[test]
fn the_constant_planar_system_attains_the_bound() {
    // Real roots, a double root (γ² = 4κη), complex roots before the pole, and κ = 0.
    for (gamma, kappa, eta, l0, span) in [
        (2.0, 0.5, 0.6, 1.3, 3.0),
        (1.0, 0.5, 0.5, 0.4, 2.0),
        (0.4, 0.7, 0.8, 0.1, 1.0),
        (1.5, 0.0, 0.5, 2.0, 2.0),
    ] {
        let a = dmatrix![0.0, -eta; kappa, -gamma];
        let facts = planar_facts(&a, l0, span);
        let bound = riccati_bound(
            Coefficients {
                times: facts.series("time"),
                gamma: facts.series("gamma"),
                kappa: facts.series("kappa"),
                eta: facts.series("eta"),
            },
            l0,
        )
        .unwrap();
        assert!(bound.exists);
        for (k, (y, l)) in bound.y.iter().zip(facts.series("slope")).enumerate() {
            let exact = exact_slope(gamma, kappa, eta, l0, span * k as f64 / STEPS as f64);
            assert!((y - exact).abs() < 1e-10, "bound {y} against {exact} at {k}");
            assert!((l.value - exact).abs() < 1e-9, "slope {l:?} against {exact} at {k}");
        }
        assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
    }
}

#[test]
fn a_cross_derivative_leaves_an_angle_that_no_compression_removes() {
    // C2: A = [[0, 0], [k, −c]]: l → k/c, for total compressions e^{−cτ} from e^{−4} to e^{−40}.
    for c in [2.0, 8.0, 20.0] {
        let k = 0.5 * c;
        let facts = planar_facts(&dmatrix![0.0, 0.0; k, -c], 0.3, 2.0);
        let end = facts.series("slope").last().unwrap().value;
        assert!((end - (0.5 + (0.3 - 0.5) * (-2.0 * c).exp())).abs() < 1e-5);
        assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
        let dropped = CLAIM.mutant("cross_terms_dropped").unwrap();
        assert_eq!(CLAIM.judge_mutant(&facts, dropped).verdict(), Verdict::Violated);
    }
}

#[test]
fn isotropic_contraction_aligns_nothing() {
    // C1: A = −c I contracts the normal direction as strongly as one likes; the slope stays.
    let facts = planar_facts(&(DMatrix::identity(2, 2) * -9.0), 0.7, 1.0);
    assert!((facts.series("slope").last().unwrap().value - 0.7).abs() < 1e-12);
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
}

#[test]
fn a_start_beyond_the_barrier_becomes_normal_at_the_predicted_time() {
    // C4: A = [[0, −h], [0, −c]], l0 > c/h: exactly normal at t* = log(h l0/(h l0 − c))/c.
    let (h, c) = (0.8_f64, 1.2_f64);
    for l0 in [1.51_f64, 2.0, 9.0] {
        let when = (h * l0 / (h * l0 - c)).ln() / c;
        assert!(!constant_step(c, 0.0, h, when * (1.0 - 1e-9), l0).1);
        assert!(constant_step(c, 0.0, h, when * (1.0 + 1e-9), l0).1);
        let a = dmatrix![0.0, -h; 0.0, -c];
        let end = propagate(|_| a.clone(), when, dmatrix![1.0; l0]).pop().unwrap();
        assert!(end[(0, 0)].abs() < 1e-7 * end[(1, 0)].abs(), "{end}");
    }
    // At the barrier itself it stays; below, it decays.
    assert!((constant_step(c, 0.0, h, 5.0, c / h).0 - c / h).abs() < 1e-12);
    let ratio = 9.0 * (-c * 5.0).exp(); // y/(y_+ − y) = 9 e^{−ct}
    let below = constant_step(c, 0.0, h, 5.0, 0.9 * c / h).0;
    assert!((below - c / h * ratio / (1.0 + ratio)).abs() < 1e-14);
    let facts = planar_facts(&dmatrix![0.0, -h; 0.0, -c], 2.0, 3.0);
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::OutOfScope);
}

#[test]
fn strong_cross_derivatives_rotate_the_line_through_the_normal() {
    // C4b: 4κη > γ²: eigenvalues −γ/2 ± iq, so every line returns after π/q, having met the normal once.
    let (gamma, kappa, eta) = (1.0, 1.5, 0.9);
    let q = (kappa * eta - 0.25_f64 * gamma * gamma).sqrt();
    let turn = std::f64::consts::PI / q;
    let a = dmatrix![0.0, -eta; kappa, -gamma];
    let lines = propagate(|_| a.clone(), turn, dmatrix![1.0; 0.2]);
    let end = lines.last().unwrap();
    assert!((end[(1, 0)] / end[(0, 0)] - 0.2).abs() < 1e-8);
    let crossings =
        lines.windows(2).filter(|w| w[0][(0, 0)].signum() != w[1][(0, 0)].signum()).count();
    assert_eq!(crossings, 1);
    // Once passed, a pole stays passed, also where the formula looks harmless again.
    for turns in [1.0, 1.5, 1.9, 2.3, 5.7] {
        assert!(constant_step(gamma, kappa, eta, turns * turn, 0.2).1, "{turns} turns");
    }
    assert_eq!(CLAIM.judge(&planar_facts(&a, 0.2, turn)).verdict(), Verdict::OutOfScope);
}

/// A turning four-dimensional flow with two tangent directions; nothing in it is symmetric or normal.
fn turning_flow() -> Rotating {
    let turn = |i, j, phase, rate| Turn { i, j, phase, rate };
    Rotating {
        turns: vec![turn(0, 2, 0.3, 0.9), turn(1, 3, -0.4, -0.7), turn(0, 1, 0.2, 0.5)],
        mean: dmatrix![0.6, 0.3, -0.1, 0.2; -0.2, 0.4, 0.2, 0.1; 0.1, -0.2, -2.6, 0.5; 0.2, 0.1, -0.3, -2.2],
        wave: dmatrix![0.1, 0.0, 0.0, 0.1; 0.0, 0.1, 0.1, 0.0; 0.0, 0.1, 0.2, 0.0; 0.1, 0.0, 0.0, 0.1],
        frequency: 2.0,
        carried: true,
    }
}

#[test]
fn mistakes_of_the_computing_tower_violate_the_bound() {
    let (flow, span) = (turning_flow(), 2.0);
    let generator = |t: f64| DMatrix::from_vec(4, 4, flow.generator(t));
    let b = |t: f64| &flow.mean + &flow.wave * (flow.frequency * t).sin();
    let frame = |t: f64| flow.frame_and_rate(t).0;
    let start = {
        let u = frame(0.0);
        u.columns(0, 2) + u.columns(2, 2) * dmatrix![0.2, -0.1; 0.1, 0.3]
    };
    let right = propagate(generator, span, start.clone());
    let transposed = propagate(|t| generator(t).transpose(), span, start.clone());
    let reversed = propagate(|t| -generator(span - t), span, start.clone());
    let verdict = |bases: &[DMatrix<f64>]| CLAIM.judge(&facts(b, frame, 2, span, bases)).verdict();
    assert_eq!(verdict(&right), Verdict::Holds);
    assert_eq!(verdict(&transposed), Verdict::Violated, "a transposed Jacobian");
    assert_eq!(verdict(&reversed), Verdict::Violated, "time run backwards");
    // The right plane measured in the frame of the start, which does not turn.
    let unrotated = facts(b, |_| frame(0.0), 2, span, &right);
    assert_eq!(CLAIM.judge(&unrotated).verdict(), Verdict::Violated, "a frame not rotated");
}

#[test]
fn the_observer_measures_the_blocks_that_the_world_prescribes() {
    for index in 0..20 {
        let mut values = Stream::root(72).indexed(index).uniforms(KNOBS);
        values[0] = 0.0; // a linear flow
        let seen = observe(CLAIM.id, &mut Knobs::new(&values)).unwrap();
        let flow: Rotating = serde_json::from_value(seen.world["flow"].clone()).unwrap();
        let d = seen.world["tangent"].as_u64().unwrap() as usize;
        for (k, t) in seen.facts.series("time").iter().enumerate() {
            let b = &flow.mean + &flow.wave * (flow.frequency * t.value).sin();
            let n = b.nrows() - d;
            let cross = spectral_norm(&b.view((d, 0), (n, d)).into_owned()).unwrap();
            assert!((seen.facts.series("kappa")[k].value - cross).abs() < 1e-12);
        }
    }
}

#[test]
fn flows_near_data_are_bounded_and_their_mistakes_are_caught() {
    let (mut met, mut transposed, mut unrotated, mut misplaced) = (0, 0, 0, 0);
    for index in 0..40 {
        let mut values = Stream::root(21).indexed(index).uniforms(KNOBS);
        values[0] = 0.0; // start slope 0.01, where the cross terms show
        let world = DataWorld::decode(&mut Knobs::new(&values)).unwrap();
        let mut path = world.path().unwrap();
        let honest = path.measure().unwrap();
        // A = C/σ² − I with C ≥ 0: no direction is compressed faster than by 1, and normals of data that the noise resolves nearly so.
        let normal = honest.series("normal_compression");
        assert!(normal.iter().all(|n| n.value <= 1.0 + n.bar), "world {index}");
        let verdict = CLAIM.judge(&honest).verdict();
        assert_ne!(verdict, Verdict::Violated, "world {index}");
        if verdict != Verdict::Holds {
            continue;
        }
        met += 1;
        assert!(normal.last().unwrap().value > 0.5, "world {index}");
        let with = |name: &str, series: &[Quantity]| {
            let mut facts = honest.clone();
            facts.set_series(name, series.to_vec());
            CLAIM.judge(&facts).verdict() == Verdict::Violated
        };
        // A = C/σ² − I is symmetric: transposing Ã exchanges the cross blocks, which P' tells apart.
        transposed += usize::from(with("kappa", honest.series("eta")));
        unrotated += usize::from(with("kappa", honest.series("kappa_of_a")));
        // Soon after the start, slopes over the frame of the last point.
        let last = path.frames.last().unwrap().clone();
        let soon = path.frames.len() - honest.series("slope").len() * 2;
        path.frames[soon..].fill(last);
        misplaced += usize::from(with("slope", path.measure().unwrap().series("slope")));
    }
    assert!(met >= 20, "{met} of 40 met the hypothesis");
    let caught = [transposed, unrotated, misplaced];
    assert!(caught.iter().all(|c| *c >= 1), "{caught:?} of {met} caught");
}

/// Smooth coefficients at n + 1 times of [0, 2], from a stream of normals.
fn smooth(noise: &[f64], n: usize) -> [Vec<Quantity>; 4] {
    let at = |t: f64| {
        [
            t,
            1.0 + 0.8 * (noise[0] + 2.0 * t).sin(),
            0.3 * (1.0 + (noise[1] + 3.0 * t).sin()),
            0.3 * (1.0 + (noise[2] - 2.0 * t).cos()),
        ]
    };
    let series = |i: usize| (0..=n).map(move |k| Quantity::exact(at(2.0 * k as f64 / n as f64)[i]));
    [0, 1, 2, 3].map(|i| series(i).collect())
}

fn solve([times, gamma, kappa, eta]: &[Vec<Quantity>; 4], start: f64) -> Option<Vec<f64>> {
    riccati_bound(Coefficients { times, gamma, kappa, eta }, start).map(|b| b.y)
}

#[test]
fn the_bound_lies_just_above_the_solution_of_the_riccati_equation() {
    for index in 0..50 {
        let noise = Stream::root(8).indexed(index).normals(3);
        // (R) by Runge–Kutta steps over the same formulas: node 2k is the time of step k.
        let steps = 4000;
        let [_, gamma, kappa, eta] = smooth(&noise, 2 * steps);
        let h = 2.0 / steps as f64;
        let rate = |i: usize, y: f64| kappa[i].value - gamma[i].value * y + eta[i].value * y * y;
        let mut y = 0.4;
        for k in 0..steps {
            let k1 = rate(2 * k, y);
            let k2 = rate(2 * k + 1, y + 0.5 * h * k1);
            let k3 = rate(2 * k + 1, y + 0.5 * h * k2);
            let k4 = rate(2 * k + 2, y + h * k3);
            y += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
        }
        // Over-estimates, by an amount that halves with the step.
        let excess = |n: usize| *solve(&smooth(&noise, n), 0.4).unwrap().last().unwrap() - y;
        let (coarse, fine) = (excess(200), excess(400));
        assert!(fine > 0.0 && coarse < 0.03 * (1.0 + y * y), "{coarse} {fine}");
        assert!((coarse / fine - 2.0).abs() < 0.1, "{coarse} {fine}");
    }
}

#[test]
fn the_bound_grows_with_cross_terms_and_bars_and_falls_with_compression() {
    for index in 0..50 {
        let base = smooth(&Stream::root(9).indexed(index).normals(3), 60);
        let start = 0.3;
        let end = |c: &[Vec<Quantity>; 4]| *solve(c, start).unwrap().last().unwrap();
        let reference = end(&base);
        let altered = |i: usize, f: &dyn Fn(Quantity) -> Quantity| {
            let mut c = base.clone();
            c[i].iter_mut().skip(20).take(10).for_each(|q| *q = f(*q));
            end(&c)
        };
        assert!(altered(1, &|q| q + Quantity::exact(0.1)) < reference);
        assert!(altered(2, &|q| q + Quantity::exact(0.1)) > reference);
        assert!(altered(3, &|q| q + Quantity::exact(0.1)) > reference);
        for series in 1..4 {
            assert!(altered(series, &|q| q.widened(0.01)) > reference);
        }
        // With the worst constants of the path the explicit form is a bound of the bound.
        let [times, gamma, kappa, eta] = &base;
        let c = Coefficients { times, gamma, kappa, eta };
        let worst = c.least_favourable();
        let points = FixedPoints::of(worst.gamma.value, worst.kappa.value, worst.eta.value);
        if worst.gamma.value > 0.0 && points.root > 0.0 && start < points.barrier {
            assert!(points.after(2.0, start) >= reference);
        }
        assert!(end(&base) < *solve(&base, 0.31).unwrap().last().unwrap());
    }
}

#[test]
fn an_unmeasured_coefficient_gives_no_bound() {
    for series in 0..4 {
        let mut c = smooth(&[0.0, 0.0, 0.0], 10);
        c[series][5] = Quantity::UNKNOWN;
        assert!(solve(&c, 0.1).is_none());
    }
    let mut unordered = smooth(&[0.0, 0.0, 0.0], 10);
    unordered[0].swap(3, 4);
    assert!(solve(&unordered, 0.1).is_none());
    assert_eq!(CLAIM.judge(&Facts::new()).verdict(), Verdict::Undecided);
}

#[test]
fn a_constant_step_keeps_its_digits_near_a_double_root() {
    // γ²/4 − κη = δ → 0: y(h) of the double root, y = (κh + (1 − γh/2) y0)/(1 + (γ/2 − η y0) h), plus O(δ).
    let (gamma, eta, h, y) = (2.0, 1.0, 0.01, 0.3);
    for delta in [0.0, 1e-16, 1e-14, -1e-14] {
        let kappa = (1.0 - delta) / eta;
        let (next, pole) = constant_step(gamma, kappa, eta, h, y);
        let double = (h + (1.0 - h) * y) / (1.0 + (1.0 - y) * h);
        assert!(!pole && (next - double).abs() < 1e-14, "{next} against {double}");
    }
}

#[test]
fn steps_of_the_constant_equation_compose() {
    let stream = Stream::root(10);
    for index in 0..200 {
        let v = DVector::from_vec(stream.indexed(index).normals(4)).map(f64::abs);
        let (gamma, kappa, eta, y) = (v[0], v[1], v[2], v[3]);
        let (half, crossed) = constant_step(gamma, kappa, eta, 0.2, y);
        let (two, again) = constant_step(gamma, kappa, eta, 0.2, half);
        let (whole, pole) = constant_step(gamma, kappa, eta, 0.4, y);
        if !pole {
            assert!(!crossed && !again && (two - whole).abs() < 1e-12 * (1.0 + whole * whole));
        } else {
            assert!(crossed || again);
        }
    }
}
