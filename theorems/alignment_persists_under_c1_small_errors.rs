//! T5. Statement: alignment_persists_under_c1_small_errors.md.

mod support;
mod tampering;

use driftproof::campaign::knobs;
use driftproof::claims::alignment_persists_under_c1_small_errors::CLAIM;
use driftproof::claims::riccati::FixedPoints;
use driftproof::drift::{Inexact, LearningError, Rotating};
use driftproof::facts::{Facts, Quantity};
use driftproof::flow::{Method, Sampler, Trajectory, uniform_times};
use driftproof::lyapunov::qr_history;
use driftproof::observe::observe;
use driftproof::verdict::Verdict;
use nalgebra::{DMatrix, dmatrix};
use tampering::held;

#[test]
fn no_world_moves_a_plane_farther_than_the_modulus() {
    support::no_world_violates(&CLAIM, 100, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

#[test]
fn the_modulus_is_the_integral_of_the_derivative_of_the_fixed_point() {
    let low = |e: f64| FixedPoints::of(2.0, 0.3 + e, 0.4 + e);
    for e in [0.05, 0.2, 0.6] {
        let (at, h) = (low(e), 1e-6);
        let slope = (low(e + h).low - low(e - h).low) / (2.0 * h);
        assert!((slope - (1.0 + at.low * at.low) / at.root).abs() < 1e-7, "{slope}");
        assert!(at.low - low(0.0).low <= e * (1.0 + at.low * at.low) / at.root);
    }
}

/// The end slope, over the first axis, of the line from the first axis under x' = A x + ripple.
fn end_slope(coefficient: f64, wave: f64) -> (f64, f64) {
    let c = 2.0;
    let linear = Rotating {
        turns: Vec::new(),
        mean: dmatrix![0.0, 0.0; 0.0, -c],
        wave: DMatrix::zeros(2, 2),
        frequency: 0.0,
        carried: true,
    };
    let error = LearningError::ripple(&[0.0, coefficient], &[wave, 0.0]);
    let field = Inexact { exact: &linear, error: &error, epsilon: 1.0 };
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, 8.0, 400));
    let path = Trajectory::from(&field, &sampler, &[0.0, 0.5]).unwrap();
    let plane = qr_history(&path, &dmatrix![1.0; 0.0]).pop().unwrap();
    (plane[(1, 0)] / plane[(0, 0)], path.end()[1])
}

#[test]
fn a_ripple_that_is_small_in_c0_only_turns_the_plane_but_not_the_support() {
    // C9: u = (0, e sin(kx/e)) along x = 0: displacement at most e/c, slope k/c whatever e.
    for e in [1e-2, 1e-4, 1e-6] {
        let (slope, height) = end_slope(e, 1.0 / e);
        assert!((slope - 0.5).abs() < 1e-6, "{slope}");
        assert!(height.abs() < 1e-6 + e / 2.0, "{height}");
    }
    // Of the same C⁰ size, but with a derivative as small: nothing turns.
    assert!(end_slope(1e-4, 1.0).0.abs() < 1e-4);
}

/// How many of 40 worlds that hold are violated after `tamper`, and how many hold.
fn caught(tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    tampering::caught(&CLAIM, held(&CLAIM, 5, 40), tamper)
}

#[test]
fn planes_of_another_start_or_another_field_are_caught() {
    // The difference of two planes that did not start alike.
    let (violated, held) = caught(|facts| {
        let apart = |q: &Quantity| *q + Quantity::exact(1.0);
        let series = facts.series("slope_difference").iter().map(apart).collect();
        facts.set_series("slope_difference", series);
    });
    assert!(held >= 20 && violated >= held / 2, "{violated} of {held}");
    // The Jacobian of the error added with the wrong sign: moved by 2 Du.
    let (violated, _) = caught(|facts| {
        let double = |q: &Quantity| *q * 2.0;
        let series = facts.series("jacobian_difference").iter().map(double).collect();
        facts.set_series("jacobian_difference", series);
    });
    assert!(violated >= 5, "{violated}");
}

#[test]
fn what_was_not_measured_is_never_called_persistent() {
    assert_ne!(CLAIM.judge(&Facts::new()).verdict(), Verdict::Holds);
    for name in ["slope_perturbed", "slope_difference", "displacement", "error_slope", "turning"] {
        let mut facts = observe(CLAIM.id, &mut knobs(&CLAIM, 5, 1)).unwrap().facts;
        let unknown = facts.series(name).iter().map(|_| Quantity::UNKNOWN).collect();
        facts.set_series(name, unknown);
        assert_ne!(CLAIM.judge(&facts).verdict(), Verdict::Holds, "{name}");
    }
}
