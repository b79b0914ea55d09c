//! T6.6. Statement: torus_flow_factors_into_circles.md.

mod support;

use driftproof::claims::torus_flow_factors_into_circles::CLAIM;
use driftproof::drift::{Canonical, Denoiser, Moved, Product, Sphere};
use driftproof::flow::{Method, Sampler, Trajectory, geometric_times};
use driftproof::linalg::{frame_from_normals, largest_angle};
use driftproof::lyapunov::{product, spectrum};
use driftproof::random::Stream;
use nalgebra::{DMatrix, DVector};

#[test]
fn no_random_torus_violates_the_factorisation() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// J from σ = 2 to `sigma_end` of the torus of these radii, turned by Q, from Q·start.
fn jacobian(radii: [f64; 2], turn: &DMatrix<f64>, start: &[f64], sigma_end: f64) -> DMatrix<f64> {
    let factors = radii.map(|r| Sphere::new(2, r).unwrap().into()).to_vec();
    let torus: Denoiser = Product::new(factors).unwrap().into();
    let law = Moved::new(torus, turn.clone(), vec![0.0; 4]).unwrap();
    let flow = Canonical { denoiser: &law };
    let sampler = Sampler::new(Method::DormandPrince, geometric_times(2.0, sigma_end, 60));
    let start = turn * DVector::from_column_slice(start);
    product(&Trajectory::from(&flow, &sampler, start.as_slice()).unwrap())
}

/// The columns e_2 and e_4: tangents of both circles at points on the first axis of each.
fn tangents() -> DMatrix<f64> {
    DMatrix::from_fn(4, 2, |r, c| f64::from(r == 2 * c + 1))
}

#[test]
fn a_circle_lost_in_the_noise_puts_a_radius_into_the_top_subspace() {
    let start = [2.5, 0.0, 1.5, 0.0];
    let identity = DMatrix::identity(4, 4);
    let angle = |radii| {
        let exact = spectrum(&jacobian(radii, &identity, &start, 0.1)).unwrap();
        largest_angle(&exact.end_vectors.columns(0, 2).into_owned(), &tangents()).unwrap()
    };
    assert!(angle([1.0, 0.8]) < 1e-12);
    // R_2 = 0.01: both factors of the second block are σ_T/σ_0 = 1/20 or so, below J_r of the first.
    assert!((angle([1.0, 0.01]) - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
}

#[test]
fn a_circle_of_radius_zero_contracts_like_a_point() {
    let j = jacobian([1.0, 1e-6], &DMatrix::identity(4, 4), &[2.5, 0.0, 1.5, 0.3], 0.1);
    let block = j.view((2, 2), (2, 2)) - DMatrix::identity(2, 2) * (0.1 / 2.0);
    assert!(block.norm() < 1e-8, "{block}"); // σ_T/σ_0 on both, up to (R/σ)²
}

#[test]
fn a_frame_that_is_not_turned_with_the_torus_is_caught() {
    let turn = frame_from_normals(4, 4, &Stream::root(2).normals(16));
    let j = jacobian([1.0, 0.5], &turn, &[2.5, 0.4, -1.5, 0.3], 0.1);
    let mixing = |m: &DMatrix<f64>| m.view((0, 2), (2, 2)).norm() / m.norm();
    assert!(mixing(&(turn.tr_mul(&j) * &turn)) < 1e-12);
    assert!(mixing(&j) > 0.05);
}

#[test]
fn wrong_blocks_and_a_wrong_time_direction_are_caught() {
    let start = [2.5, 0.0, 1.5, 0.0];
    let identity = DMatrix::identity(4, 4);
    let j = jacobian([1.0, 0.5], &identity, &start, 0.1);
    let exchanged = jacobian([0.5, 1.0], &identity, &start, 0.1);
    assert!((&j - exchanged).norm() > 0.1 * j.norm());
    // Upwards in σ every direction expands.
    let reversed = jacobian([1.0, 0.5], &identity, &start, 40.0);
    assert!(spectrum(&j).unwrap().log_growth[0] < 0.0);
    assert!(spectrum(&reversed).unwrap().log_growth[3] > 0.0);
}
