//! T1.1. Statement: sensitivity_carries_the_response_of_any_law.md.

mod support;
mod tampering;

use driftproof::claims::sensitivity_carries_the_response_of_any_law::CLAIM;
use driftproof::drift::{Channel, Denoise, Gaussian, LearningError, Schedule};
use driftproof::facts::{Facts, Quantity};
use driftproof::flow::{Maps, Orbit, Scheme, StochasticSampler};
use driftproof::lyapunov::product;
use driftproof::observe::{Observation, observe};
use driftproof::random::{Knobs, Stream};
use driftproof::response::sensitivities;
use driftproof::scalar::Scalar;
use driftproof::verdict::Verdict;
use nalgebra::{dmatrix, dvector};
use tampering::held;

#[test]
fn no_error_of_a_model_violates_the_weak_form() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// x ← A x + ε w, A neither symmetric nor normal.
struct Shear;

impl Maps for Shear {
    fn dim(&self) -> usize {
        2
    }

    fn maps(&self) -> usize {
        2
    }

    fn map<S: Scalar>(&self, _: usize, epsilon: S, x: &mut [S]) {
        let [a, b] = [x[0], x[1]];
        x[0] = a * 2.0 + b * 3.0 + epsilon;
        x[1] = b * -0.5 - epsilon * 2.0;
    }
}

#[test]
fn linear_maps_on_two_atoms_are_in_closed_form() {
    let a = dmatrix![2.0, 3.0; 0.0, -0.5];
    let w = dvector![1.0, -2.0];
    let expected = &a * &w + &w; // δ_2 = A w + w, at every start
    // E|x_2|² over two atoms with weights 1/4 and 3/4: slope 2 E⟨x_2, δ_2⟩.
    let atoms = [(0.25, dvector![1.0, 0.5]), (0.75, dvector![-0.3, 2.0])];
    let mut slope = 0.0;
    for (weight, start) in &atoms {
        let (end, delta) = sensitivities(&Shear, start.as_slice()).unwrap().pop().unwrap();
        assert!((&delta - &expected).norm() < 1e-14);
        assert!((&end - &a * &a * start).norm() < 1e-14);
        slope += weight * 2.0 * end.dot(&delta);
    }
    let mean = |epsilon: f64| -> f64 {
        let square = |(weight, start): &(f64, nalgebra::DVector<f64>)| {
            weight * Orbit::from(&Shear, epsilon, start.as_slice()).unwrap().end().norm_squared()
        };
        atoms.iter().map(square).sum()
    };
    // A quadratic in ε: its central quotient is exact at any size.
    assert!((0.5 * (mean(1.0) - mean(-1.0)) - slope).abs() < 1e-12, "{slope}");
    // And a transpose would show.
    assert!((a.transpose() * &w + &w - expected).norm() > 1.0);
    assert!((product(&Orbit::from(&Shear, 0.0, &[0.0, 0.0]).unwrap()) - &a * &a).norm() < 1e-14);
}

#[test]
fn an_ancestral_path_of_gaussian_data_is_in_closed_form() {
    // D(x) = g_k x, so δ_{k+1} = (α_k + β_k g_k) δ_k + β_k e, whatever the noise.
    let data = Gaussian::diagonal(&[0.4]).unwrap();
    let error = LearningError::constant(&[0.7]);
    let (schedule, times) = (Schedule::Trigonometric, vec![0.1, 0.4, 0.6, 0.9]);
    for (seed, scheme) in [(1, Scheme::Ancestral), (2, Scheme::EulerMaruyama)] {
        let noise = Stream::root(seed);
        let maps =
            StochasticSampler::new(schedule, scheme, times.clone(), &data, &error, noise).unwrap();
        let mut expected = 0.0;
        for (k, time) in times[..3].iter().enumerate() {
            let (a, b) = schedule.coefficients(*time);
            let mut gain = [0.0];
            data.denoise(Channel { signal: a, noise_variance: b * b }, &[1.0], &mut gain);
            let (alpha, beta, _) = maps.coefficients(k);
            expected = (alpha + beta * gain[0]) * expected + beta * 0.7;
        }
        let (_, delta) = sensitivities(&maps, &[0.3]).unwrap().pop().unwrap();
        assert!((delta[0] - expected).abs() < 1e-13, "{} {expected}", delta[0]);
    }
}

#[test]
fn an_atom_on_a_kink_has_no_slope() {
    // E max(0, x + ε) at the atom 0: the central quotient is 1/2 at every size, the one-sided ones 0 and 1.
    let ramp = |x: f64| x.max(0.0);
    for h in [1e-1, 1e-4, 1e-8] {
        assert_eq!((ramp(h) - ramp(-h)) / (2.0 * h), 0.5);
        assert_eq!((ramp(h) - ramp(0.0)) / h, 1.0);
    }
}

/// Of the first 80 worlds that hold and have this kind of model, how many are violated after `tamper`, and how many there are.
fn caught(kind: impl Fn(&str) -> bool, tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    let wanted = |seen: &Observation| kind(seen.world["model"]["kind"].as_str().unwrap());
    tampering::caught(&CLAIM, held(&CLAIM, 7, 80).filter(wanted), tamper)
}

#[test]
fn a_transposed_jacobian_in_the_model_is_caught() {
    // More than one map of waves, which are not symmetric; one map never meets its own Jacobian.
    let (violated, held) = caught(
        |kind| kind == "waves",
        |facts| {
            let dim = facts.get("dim").value as usize;
            let jacobians = facts.series("jacobian").to_vec();
            let transposed = (0..jacobians.len()).map(|at| {
                let (block, entry) = (at / (dim * dim), at % (dim * dim));
                jacobians[block * dim * dim + (entry % dim) * dim + entry / dim]
            });
            facts.set_series("jacobian", transposed.collect());
        },
    );
    assert!(held >= 8 && violated * 2 >= held, "{violated} of {held}");
}

#[test]
fn an_error_of_the_wrong_sign_and_of_a_later_time_are_caught() {
    let (violated, held) = caught(
        |_| true,
        |facts| {
            let flipped = facts.series("map_error").iter().map(|w| -*w).collect();
            facts.set_series("map_error", flipped);
        },
    );
    assert!(held >= 40 && violated * 20 >= held * 19, "{violated} of {held}");
    let (violated, held) = caught(
        |_| true,
        |facts| {
            let dim = facts.get("dim").value as usize;
            let mut errors = facts.series("map_error").to_vec();
            errors.rotate_left(dim);
            facts.set_series("map_error", errors);
        },
    );
    // Nothing is later where there is one map and one atom, or where all errors are equal.
    assert!(held >= 40 && violated * 3 >= held * 2, "{violated} of {held}");
}

#[test]
fn runs_along_two_noise_paths_are_caught() {
    let redraw = |facts: &mut Facts| {
        let other: Vec<Quantity> = facts.series("value_redrawn").to_vec();
        facts.set_series("value", other);
    };
    let (violated, held) = caught(|kind| matches!(kind, "euler-maruyama" | "ancestral"), redraw);
    assert!(held >= 15 && violated * 10 >= held * 9, "{violated} of {held}");
    // Where there is no noise nothing is redrawn.
    assert_eq!(caught(|kind| matches!(kind, "waves" | "flow"), redraw).0, 0);
}

/// Found by a search: one Runge–Kutta step from σ = 56 to the data, whose stages amplify their rounding.
#[test]
fn rounding_that_a_long_step_amplifies_violates_nothing() {
    let knobs = [
        0.0,
        0.0,
        0.0,
        0.3,
        0.8,
        1.0,
        0.435414986015793,
        0.0,
        0.7,
        0.5284459488923192,
        0.0,
        0.1720336595146449,
        0.0,
        0.0,
        0.0,
        0.0,
        1.0,
        0.0,
        0.48419114147328335,
        0.0,
        1.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.7242721848941196,
    ];
    let seen = observe(CLAIM.id, &mut Knobs::new(&knobs)).unwrap();
    assert_ne!(CLAIM.judge(&seen.facts).verdict(), Verdict::Violated);
}
