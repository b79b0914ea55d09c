//! T1.5 (a)–(c). Statement: off_support_mass_follows_the_order_of_vanishing.md.

mod support;

use driftproof::claims::off_support_mass_follows_the_order_of_vanishing::CLAIM;
use driftproof::drift::LearningError;
use driftproof::facts::{Facts, Quantity};
use driftproof::flow::{InexactFlow, Maps, Method, Sampler, uniform_times};
use driftproof::manifold::{Body, Outline};
use driftproof::observe::off_support_mass_follows_the_order_of_vanishing::measure;
use driftproof::random::Stream;
use driftproof::scalar::Scalar;
use driftproof::special::gauss_legendre;
use driftproof::verdict::Verdict;
use std::f64::consts::{PI, TAU};

#[test]
fn no_body_violates_the_law_of_its_edge() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

fn ball(dim: usize, order: i32) -> Body {
    let outline = Outline::Ellipsoid { half_axes: vec![1.0; dim], mirror: vec![0.0; dim] };
    Body::new(vec![0.0; dim], outline, order).unwrap()
}

fn star(order: i32) -> Body {
    let outline = Outline::Star {
        radius: 1.2,
        cosines: vec![0.1, 0.15, -0.05],
        sines: vec![-0.05, 0.1, 0.04],
    };
    Body::new(vec![0.3, -0.2], outline, order).unwrap()
}

fn tilted_ellipsoid(dim: usize, order: i32) -> Body {
    let mirror: Vec<f64> = (0..dim).map(|_| (dim as f64).sqrt().recip()).collect();
    let half_axes = (0..dim).map(|i| 1.0 + 0.5 * i as f64).collect();
    Body::new(vec![0.1; dim], Outline::Ellipsoid { half_axes, mirror }, order).unwrap()
}

/// One explicit map x ← x + ε w(x), as a sampler of one step on a model that rests.
fn explicit(
    body: &Body,
    error: &LearningError,
    directions: &[(Vec<f64>, f64)],
    epsilon: f64,
) -> Facts {
    let rest = LearningError::constant(&vec![0.0; body.dim()]);
    let sampler = Sampler::new(Method::Euler, uniform_times(0.0, 1.0, 1));
    let maps = InexactFlow { sampler: &sampler, drift: &rest, error };
    measure(body, &maps, true, directions, epsilon).unwrap()
}

fn within(measured: Quantity, expected: f64, relative: f64) {
    let error = (measured.value - expected).abs();
    assert!(error <= relative * expected.abs(), "{measured:?} against {expected}");
}

#[test]
fn a_shifted_disc_loses_the_area_of_a_lens() {
    let disc = ball(2, 0);
    let directions = disc.directions(4096, Stream::root(0));
    let facts = explicit(&disc, &LearningError::constant(&[0.6, 0.8]), &directions, 0.08);
    for (mass, epsilon) in facts.series("mass").iter().zip(facts.series("epsilon")) {
        // Two unit discs whose centres are ε apart share 2 arccos(ε/2) − (ε/2)√(4 − ε²).
        let d = epsilon.value;
        let shared = 2.0 * (0.5 * d).acos() - 0.5 * d * (4.0 - d * d).sqrt();
        within(*mass, 1.0 - shared / PI, 1e-5);
    }
    within(facts.get("prefactor"), 2.0 / PI, 1e-5);
    within(facts.get("outward"), 2.0 / PI, 1e-5);
}

#[test]
fn a_shifted_ball_loses_what_a_half_sphere_integral_says() {
    // In R³ with k = 1: c = 15/(4π), ½∫c cos²₊ dS = ½ · 15/(4π) · 2π/3 = 5/4.
    let body = ball(3, 1);
    let mut directions = Vec::new();
    for (u, w) in gauss_legendre(12) {
        for height in [0.5 * (1.0 + u), -0.5 * (1.0 + u)] {
            for i in 0..8 {
                let (angle, rim) = (TAU * f64::from(i) / 8.0, (1.0 - height * height).sqrt());
                let direction = vec![rim * angle.cos(), rim * angle.sin(), height];
                directions.push((direction, 0.5 * w * TAU / 8.0));
            }
        }
    }
    let facts = explicit(&body, &LearningError::constant(&[0.0, 0.0, 1.0]), &directions, 0.02);
    within(facts.get("prefactor"), 1.25, 1e-3);
    within(facts.get("outward"), 2.5, 1e-12);
    assert!((facts.get("power").value - 2.0).abs() < 0.02);
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
}

#[test]
fn bodies_have_mass_one_and_boundaries_obey_the_divergence_theorem() {
    let rule = gauss_legendre(12);
    for order in 0..3 {
        for body in [star(order), tilted_ellipsoid(2, order), ball(2, order)] {
            let directions = body.directions(256, Stream::root(0));
            let mass: f64 =
                directions.iter().map(|(d, w)| w * body.mass_above(d, 1.0, &rule)).sum();
            assert!((mass - 1.0).abs() < 1e-12, "{mass}");
            // ∮⟨z − centre, n⟩dS = 2 volume, ∮ n dS = 0; the volume is ∫ stretch/2.
            let (mut flux, mut volume, mut normal) = (0.0, 0.0, [0.0; 2]);
            for (d, w) in &directions {
                let edge = body.boundary_point(d);
                let off = (0..2).map(|i| (edge.point[i] - body.centre()[i]) * edge.normal[i]);
                flux += w * edge.area * off.sum::<f64>();
                volume += 0.5 * w * body.stretch(d);
                (0..2).for_each(|i| normal[i] += w * edge.area * edge.normal[i]);
                assert!((body.gauge_square(&edge.point) - 1.0).abs() < 1e-13);
            }
            assert!((flux - 2.0 * volume).abs() < 1e-12 * volume, "{flux} {volume}");
            assert!(normal[0].hypot(normal[1]) < 1e-12);
        }
        // The density itself, on a grid of the plane; it is rough at the edge.
        let (body, h) = (star(order), 0.01);
        let cells = (-300..300).flat_map(|i| (-300..300).map(move |j| (i, j)));
        let total: f64 = cells
            .map(|(i, j)| body.density(&[h * (f64::from(i) + 0.5), h * (f64::from(j) + 0.5)]))
            .sum();
        assert!((total * h * h - 1.0).abs() < 3e-3, "{total}");
    }
    // A ball in R⁴, k = 2: C = 1/(π²/2 · 4 · B(2, 3)/2) = 12/π².
    assert!((ball(4, 2).density(&[0.0; 4]) - 12.0 / (PI * PI)).abs() < 1e-12);
}

#[test]
fn a_rotation_of_a_disc_moves_nothing_and_a_contraction_nothing_either() {
    // x ← x + ε Sx for antisymmetric S lies outside by ε²/2: P = O(ε^{2k+2}).
    let body = ball(2, 0);
    let directions = body.directions(64, Stream::root(0));
    let field =
        |m: [f64; 4]| move |x: &[f64]| [m[0] * x[0] + m[1] * x[1], m[2] * x[0] + m[3] * x[1]];
    let spin = field([0.0, -1.0, 1.0, 0.0])(&[0.6, 0.8]);
    assert!((spin[0] * 0.6 + spin[1] * 0.8).abs() < 1e-15);
    for (matrix, power) in [([0.0, -1.0, 1.0, 0.0], Some(2.0)), ([-1.0, 0.0, 0.0, -1.0], None)] {
        let facts = measure(&body, &Linear(matrix), true, &directions, 0.05).unwrap();
        assert!(facts.get("outward").value < 1e-12);
        match power {
            Some(power) => assert!((facts.get("power").value - power).abs() < 0.01),
            None => assert!(facts.series("mass").iter().all(|mass| mass.value == 0.0)),
        }
        assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
    }
}

/// x ← x + ε M x in the plane.
struct Linear([f64; 4]);

impl Maps for Linear {
    fn dim(&self) -> usize {
        2
    }
    fn maps(&self) -> usize {
        1
    }
    fn map<S: Scalar>(&self, _: usize, epsilon: S, x: &mut [S]) {
        let (a, b) = (x[0], x[1]);
        x[0] += (a * self.0[0] + b * self.0[1]) * epsilon;
        x[1] += (a * self.0[2] + b * self.0[3]) * epsilon;
    }
}

/// The first-order error of one model, and the moved points of the other sign.
struct Flipped<'a, M>(&'a M);

impl<M: Maps> Maps for Flipped<'_, M> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn maps(&self) -> usize {
        self.0.maps()
    }
    fn map<S: Scalar>(&self, k: usize, epsilon: S, x: &mut [S]) {
        let sign = if epsilon.re() == 0.0 { 1.0 } else { -1.0 };
        self.0.map(k, epsilon * sign, x);
    }
}

#[test]
fn wrong_signs_wrong_orders_and_forgotten_inverses_are_caught() {
    let exact = LearningError::fourier(2, 2, 1.5, 0.3, Stream::root(1));
    let sampler = Sampler::new(Method::Heun, uniform_times(0.0, 1.0, 3));
    for (seed, body) in [(1, star(0)), (2, star(2)), (3, tilted_ellipsoid(2, 1))] {
        let error = LearningError::fourier(2, 3, 1.0, body.layer(256), Stream::root(seed + 10));
        let maps = InexactFlow { sampler: &sampler, drift: &exact, error: &error };
        let directions = body.directions(128, Stream::root(0));
        let verdict = |facts: &Facts| CLAIM.judge(facts).verdict();
        let facts = measure(&body, &maps, false, &directions, 0.05).unwrap();
        assert_eq!(verdict(&facts), Verdict::Holds, "{seed}");
        let flipped = measure(&body, &Flipped(&maps), false, &directions, 0.05).unwrap();
        // H2 turns it away, and without H2 it would not hold either.
        assert_eq!(verdict(&flipped), Verdict::OutOfScope, "{seed}");
        let judgement = CLAIM.judge(&flipped).without_hypothesis("H2");
        assert_ne!(judgement.verdict(), Verdict::Holds, "{seed}");
        let mut other = facts.clone();
        other.set("order", Quantity::exact(f64::from(body.order() + 1)));
        assert_eq!(verdict(&other), Verdict::Violated, "{seed}");
        // Without Φ⁻¹ the points of the body are taken for their own starts.
        let forgotten = measure(&body, &maps, true, &directions, 0.05);
        assert!(forgotten.map_or(true, |facts| verdict(&facts) != Verdict::Holds), "{seed}");
    }
}

#[test]
fn degenerate_bodies_are_refused() {
    let ellipsoid =
        |half_axes: Vec<f64>, mirror: Vec<f64>| Outline::Ellipsoid { half_axes, mirror };
    let star = |c: f64| Outline::Star { radius: 1.0, cosines: vec![c], sines: vec![0.2] };
    for (outline, order) in [
        (ellipsoid(vec![1.0, 0.0], vec![0.0; 2]), 0),
        (ellipsoid(vec![1.0; 3], vec![0.0; 3]), 0),
        (ellipsoid(vec![1.0; 2], vec![1.0; 2]), 0),
        (ellipsoid(vec![1.0; 2], vec![0.0; 2]), -1),
        (star(0.9), 0),
    ] {
        assert!(Body::new(vec![0.0; 2], outline, order).is_err());
    }
}
