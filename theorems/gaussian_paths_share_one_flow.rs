//! T6.2. Statement: gaussian_paths_share_one_flow.md.

mod support;

use driftproof::claims::gaussian_paths_share_one_flow::CLAIM;
use driftproof::drift::{Atoms, Canonical, Drift, GaussianPath, Schedule};
use driftproof::flow::{Method, Sampler, Trajectory, uniform_times};
use driftproof::linalg::largest_angle;
use driftproof::lyapunov::{product, spectrum};
use driftproof::random::Stream;
use nalgebra::DMatrix;
use statrs::function::erf::erf;
use std::f64::consts::SQRT_2;

/// Error of 600 steps of order 5 on the flows below.
const ACCURACY: f64 = 1e-7;

#[test]
fn no_gaussian_path_violates_the_conjugacy() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

fn sampler(from: f64, to: f64) -> Sampler {
    Sampler::new(Method::DormandPrince, uniform_times(from, to, 600))
}

#[test]
fn every_path_moves_a_pair_of_points_along_its_quantiles() {
    // In one dimension a flow keeps the distribution function: ½Φ((y−1)/σ) + ½Φ((y+1)/σ), y = x/a, σ = b/a.
    let pair = Atoms::new(1, vec![-1.0, 1.0], None, 0.0).unwrap();
    let quantile = |y: f64, sigma: f64| {
        let normal = |z: f64| 0.5 * (1.0 + erf(z / SQRT_2));
        0.5 * (normal((y - 1.0) / sigma) + normal((y + 1.0) / sigma))
    };
    let schedules = [
        Schedule::FlowMatching,
        Schedule::Trigonometric,
        Schedule::VpLinear { beta_min: 0.5, beta_max: 8.0 },
        Schedule::SubVp { beta_min: 0.5, beta_max: 8.0 },
        Schedule::VpCosine { offset: 0.01 },
        Schedule::Ve { sigma_min: 0.1, sigma_max: 10.0 },
        Schedule::Edm { sigma_min: 0.1, sigma_max: 10.0, rho: 3 },
    ];
    for schedule in schedules {
        let (from, to) = (schedule.time_at_sigma(3.0), schedule.time_at_sigma(0.3));
        let path = GaussianPath { schedule, denoiser: &pair };
        for y in [-2.0, -0.1, 0.7, 5.0] {
            let start = schedule.coefficients(from).0 * y;
            let sampler = sampler(from, to);
            let end = Trajectory::from(&path, &sampler, &[start]).unwrap().end()[0];
            let before = quantile(y, schedule.sigma(from));
            let after = quantile(end / schedule.coefficients(to).0, schedule.sigma(to));
            assert!((before - after).abs() < ACCURACY, "{schedule:?} at {y}: {before} {after}");
        }
    }
}

/// Jacobians dF_k of flow matching on atoms in general position, and (a_t/a_s) × the canonical Jacobian.
fn both() -> (Vec<DMatrix<f64>>, DMatrix<f64>) {
    let stream = Stream::root(8);
    let atoms = Atoms::new(3, stream.named("atoms").normals(36), None, 0.0).unwrap();
    let schedule = Schedule::FlowMatching;
    let (from, to) = (schedule.time_at_sigma(2.0), schedule.time_at_sigma(0.4));
    let y = [1.0, -0.5, 0.8];
    let (a_s, a_t) = (schedule.coefficients(from).0, schedule.coefficients(to).0);
    let path = GaussianPath { schedule, denoiser: &atoms };
    let canonical = Canonical { denoiser: &atoms };
    let x: Vec<f64> = y.iter().map(|y| a_s * y).collect();
    let (ours, theirs) = (sampler(from, to), sampler(2.0, 0.4));
    let steps = Trajectory::from(&path, &ours, &x).unwrap().jacobians();
    let whole = product(&Trajectory::from(&canonical, &theirs, &y).unwrap());
    (steps, whole * (a_t / a_s))
}

#[test]
fn a_transposed_jacobian_and_a_wrong_factor_order_are_caught() {
    let (steps, expected) = both();
    let right = product(&steps[..]);
    assert!((&right - &expected).norm() < ACCURACY, "{}", (&right - &expected).norm());
    // Single steps are symmetric, their product is not: the two faults are one and the same here.
    let reversed: Vec<_> = steps.iter().rev().cloned().collect();
    assert!((product(&reversed[..]) - &expected).norm() > 1e-2);
    assert!((right.transpose() - &expected).norm() > 1e-2);
}

#[test]
fn start_point_vectors_are_not_end_point_vectors() {
    let (steps, expected) = both();
    let (ours, theirs) = (spectrum(&product(&steps[..])).unwrap(), spectrum(&expected).unwrap());
    let line = |m: &DMatrix<f64>| m.columns(0, 1).into_owned();
    let ends = largest_angle(&line(&ours.end_vectors), &line(&theirs.end_vectors)).unwrap();
    let mixed = largest_angle(&line(&ours.start_vectors), &line(&theirs.end_vectors)).unwrap();
    assert!(ends < ACCURACY && mixed > 1e-2, "{ends} {mixed}");
}

#[test]
fn a_wrong_time_direction_is_caught() {
    let pair = Atoms::new(1, vec![-1.0, 1.0], None, 0.0).unwrap();
    let canonical = Canonical { denoiser: &pair };
    // dy/du with u = −log σ is m − y: forgetting the minus of dσ/σ = −du turns it round.
    let mut out = [0.0];
    canonical.velocity(0.5, &[3.0], &mut out);
    let mean = (3.0_f64 / 0.25).tanh();
    assert!((out[0] * -0.5 - (mean - 3.0)).abs() < 1e-14);
    let forward = sampler(3.0, 0.3);
    let end = Trajectory::from(&canonical, &forward, &[0.5]).unwrap().end()[0];
    let backward = sampler(0.3, 3.0);
    let wrong = Trajectory::from(&canonical, &backward, &[0.5]).unwrap().end()[0];
    let again = Trajectory::from(&canonical, &backward, &[end]).unwrap().end()[0];
    assert!((again - 0.5).abs() < ACCURACY, "{again}");
    assert!((wrong - end).abs() > 0.3, "{wrong} {end}");
}
