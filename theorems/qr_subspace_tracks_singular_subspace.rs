//! T3. Statement: qr_subspace_tracks_singular_subspace.md.

mod support;

use driftproof::claims::qr_subspace_tracks_singular_subspace::CLAIM;
use driftproof::facts::{Facts, Quantity};
use driftproof::linalg::{frame_from_normals, largest_angle};
use driftproof::lyapunov::{product, qr_sweep, spectrum, top_pairs};
use driftproof::random::Stream;
use driftproof::verdict::Verdict;
use nalgebra::{DMatrix, dmatrix};
use std::f64::consts::PI;

#[test]
fn no_random_product_violates_the_bounds() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// Starts on lines of the plane, evenly spread over half a turn, or over a part of it around the normal.
#[test]
fn starts_bent_towards_the_normal_refute_the_law_of_the_draw() {
    let verdict = |share: f64| {
        let mut facts = Facts::new();
        facts.set("start_dim", Quantity::exact(2.0));
        facts.set("start_subspace", Quantity::exact(1.0));
        let angles = (0..400).map(|i| share * PI * ((f64::from(i) + 0.5) / 400.0 - 0.5));
        let drawn = angles.map(|angle| Quantity::exact(angle.tan().abs())).collect();
        facts.set_series("drawn_cotangent", drawn);
        let judgement = CLAIM.judge(&facts);
        judgement.conclusions.iter().find(|m| m.name == "(c) random start").unwrap().verdict()
    };
    // d = 1, D = 2: t_0 > (1 + 1 + 3)/0.1 = 50 for a share of 2/(50 π) of all lines, and a third of those bent.
    assert_eq!(verdict(1.0), Verdict::Holds);
    assert_eq!(verdict(0.04), Verdict::Violated); // tan⁻¹(1/50)/(0.04 π/2) = 0.32
}

/// Non-normal maps with a gap, none of them symmetric or diagonal.
fn maps(count: usize) -> Vec<DMatrix<f64>> {
    let base =
        dmatrix![1.3, 0.4, 0.0, 0.1; -0.2, 1.1, 0.5, 0.0; 0.1, 0.0, 0.6, 0.3; 0.0, 0.2, -0.1, 0.5];
    let stream = Stream::root(5);
    (0..count)
        .map(|k| &base + DMatrix::from_vec(4, 4, stream.indexed(k as u64).normals(16)) * 0.05)
        .collect()
}

/// ∠(J E_0, W_d) after QR iteration, and ∠(E_0, V_d), for d = 2.
fn angles(maps: &[DMatrix<f64>], reference: &[DMatrix<f64>]) -> (f64, f64, f64) {
    let exact = spectrum(&product(reference)).unwrap();
    let start = frame_from_normals(4, 2, &Stream::root(9).normals(8));
    let end = qr_sweep(maps, &start).frame;
    let top = |m: &DMatrix<f64>| m.columns(0, 2).into_owned();
    let ratio = (exact.log_growth[2] - exact.log_growth[1]).exp();
    let t0 = largest_angle(&start, &top(&exact.start_vectors)).unwrap().tan();
    (largest_angle(&end, &top(&exact.end_vectors)).unwrap().tan(), ratio * t0, t0)
}

#[test]
fn a_transposed_jacobian_breaks_the_angle_bound() {
    let maps = maps(12);
    let transposed: Vec<_> = maps.iter().map(DMatrix::transpose).collect();
    let (true_angle, bound, _) = angles(&maps, &maps);
    let (wrong_angle, ..) = angles(&transposed, &maps);
    assert!(true_angle <= bound * (1.0 + 1e-9));
    assert!(wrong_angle > 10.0 * bound, "{wrong_angle} against {bound}");
}

#[test]
fn a_wrong_factor_order_breaks_the_angle_bound() {
    // The first maps turn the plane, the last do not: in the other order the end subspace differs.
    let turn =
        dmatrix![0.8, 0.0, -0.6, 0.0; 0.0, 1.0, 0.0, 0.0; 0.6, 0.0, 0.8, 0.0; 0.0, 0.0, 0.0, 1.0];
    let mut maps = maps(12);
    maps[11] = &turn * &maps[11];
    let reversed: Vec<_> = maps.iter().rev().cloned().collect();
    let (_, bound, _) = angles(&maps, &maps);
    let (wrong_angle, ..) = angles(&reversed, &maps);
    assert!(wrong_angle > 10.0 * bound, "{wrong_angle} against {bound}");
}

#[test]
fn growth_of_an_unrotated_frame_is_not_the_spectrum() {
    // Keeping the start frame (no QR: R_ii = |dF q_i|) misses the rotation of the frame.
    let maps = maps(12);
    let frame = frame_from_normals(4, 4, &Stream::root(9).normals(16));
    let unrotated: f64 =
        (0..4).map(|i| maps.iter().map(|m| (m * frame.column(i)).norm().ln()).sum::<f64>()).sum();
    let log_determinant: f64 = maps.iter().map(|m| m.determinant().abs().ln()).sum();
    let swept: f64 = qr_sweep(&maps[..], &frame).log_growth.iter().sum();
    assert!((swept - log_determinant).abs() < 1e-12 * 12.0 * 4.0);
    assert!((unrotated - log_determinant).abs() > 0.5);
}

#[test]
fn top_pairs_agree_with_the_whole_spectrum() {
    let maps = maps(12);
    let exact = spectrum(&product(&maps[..])).unwrap();
    let top = top_pairs(&maps[..], 2, 1e-9, 40, Stream::root(3)).unwrap();
    assert!(top.angle_bound <= 1e-9);
    for k in 0..2 {
        assert!((top.spectrum.log_growth[k] - exact.log_growth[k]).abs() < 1e-11);
    }
    let two = |m: &DMatrix<f64>| m.columns(0, 2).into_owned();
    let ends = largest_angle(&top.spectrum.end_vectors, &two(&exact.end_vectors)).unwrap();
    let starts = largest_angle(&top.spectrum.start_vectors, &two(&exact.start_vectors)).unwrap();
    assert!(ends < 1e-8 && starts < 1e-8);
}
