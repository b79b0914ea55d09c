//! T6.7. Statement: rotated_coupling_solves_the_riccati_equation.md.

mod support;

use driftproof::claims::rotated_coupling_solves_the_riccati_equation::CLAIM;
use driftproof::drift::{Drift, LinearCoupling, Workspace};
use driftproof::flow::{Method, Sampler, Trajectory, uniform_times};
use driftproof::linalg::{graph_operator, largest_angle};
use driftproof::lyapunov::{product, qr_sweep, spectrum};
use nalgebra::{DMatrix, dmatrix};
use std::f64::consts::{FRAC_PI_2, PI};

#[test]
fn no_random_coupling_violates_the_equation() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

fn orbit(coupling: &LinearCoupling, from: f64, to: f64) -> (Sampler, Vec<f64>) {
    let d = coupling.map().nrows();
    let sampler = Sampler::new(Method::DormandPrince, uniform_times(from, to, 100));
    (sampler, (0..d).map(|i| 1.0 + i as f64).collect())
}

#[test]
fn a_quarter_turn_tilts_the_first_axis_at_a_constant_rate() {
    // λ = (1, ¼), θ = π/2: J = [[1−t, −t], [t/2, 1−t]], so L(t) = (t/2)/(1−t) from L_0 = 0.
    let coupling = LinearCoupling::rotated(&[1.0, 0.25], FRAC_PI_2).unwrap();
    let (sampler, start) = orbit(&coupling, 0.0, 0.5);
    let end =
        qr_sweep(&Trajectory::from(&coupling, &sampler, &start).unwrap(), &dmatrix![1.0; 0.0]);
    let slope = graph_operator(&end.frame, &dmatrix![1.0; 0.0], &dmatrix![0.0; 1.0]).unwrap();
    assert!((slope[0] - 0.5).abs() < 1e-10, "{slope}");
}

#[test]
fn a_transposed_jacobian_exchanges_kappa_and_eta_and_is_caught() {
    // A(0) = M − I, M = [[√λ_1 c, −√λ_1 s], [√λ_2 s, √λ_2 c]]: κ = √λ_2 s, η = √λ_1 s.
    let (variances, angle) = ([4.0, 0.25], 0.7_f64);
    let coupling = LinearCoupling::rotated(&variances, angle).unwrap();
    let a = coupling.jacobian(0.0, &[1.0, 2.0], &mut Workspace::default());
    let (kappa, eta) = (0.5 * angle.sin(), 2.0 * angle.sin());
    let blocks = |m: &DMatrix<f64>| (m[(1, 0)].abs(), m[(0, 1)].abs());
    let matches = |(k, e): (f64, f64)| (k - kappa).abs() < 1e-14 && (e - eta).abs() < 1e-14;
    assert!(matches(blocks(&a)));
    assert!(!matches(blocks(&a.transpose())));
    // Its own claim refutes it too: the transposed blocks are a mutant that falls.
    assert!(CLAIM.mutants.iter().any(|m| m.name == "kappa_eta_exchanged"));
}

#[test]
fn a_wrong_time_direction_gives_the_inverse_and_is_caught() {
    let coupling = LinearCoupling::rotated(&[1.0, 0.3, 0.1], 1.2).unwrap();
    let jacobian = |from, to| {
        let (sampler, start) = orbit(&coupling, from, to);
        product(&Trajectory::from(&coupling, &sampler, &start).unwrap())
    };
    let (forward, backward) = (jacobian(0.0, 1.0), jacobian(1.0, 0.0));
    assert!((&forward - coupling.map()).norm() < 1e-9);
    assert!((&backward - coupling.map()).norm() > 0.5);
    assert!((forward * backward - DMatrix::identity(3, 3)).norm() < 1e-8);
}

#[test]
fn start_vectors_for_end_vectors_are_caught() {
    let coupling = LinearCoupling::rotated(&[1.0, 0.2], 0.8).unwrap();
    let exact = spectrum(coupling.map()).unwrap();
    let axis = dmatrix![1.0; 0.0];
    let angle = |m: &DMatrix<f64>| largest_angle(&m.columns(0, 1).into_owned(), &axis).unwrap();
    assert!(angle(&exact.end_vectors) < 1e-14);
    assert!((angle(&exact.start_vectors) - 0.8).abs() < 1e-14);
}

#[test]
fn factors_commute_so_their_order_is_not_tested_here() {
    // Every J(t) is a polynomial in M: the claim cannot see a wrong order, T3 does.
    let coupling = LinearCoupling::rotated(&[1.0, 0.2], 0.8).unwrap();
    let (early, late) = (coupling.jacobian_from_start(0.3), coupling.jacobian_from_start(0.9));
    assert!((&early * &late - &late * &early).norm() < 1e-15);
}

#[test]
fn a_half_turn_meets_a_singular_time_and_is_refused() {
    assert!(LinearCoupling::rotated(&[1.0, 0.25], PI).is_err());
    // In the plane: singular exactly when cos θ (√λ_1 + √λ_2) ≤ −2 (λ_1 λ_2)^{1/4}; here cos θ ≤ −0.9428.
    assert!(LinearCoupling::rotated(&[1.0, 0.25], (-0.94_f64).acos()).is_ok());
    assert!(LinearCoupling::rotated(&[1.0, 0.25], (-0.945_f64).acos()).is_err());
}
