//! T2.0. Statement: moving_frame_blocks_are_gauge_invariant.md.

mod support;

use driftproof::claims::moving_frame_blocks_are_gauge_invariant::CLAIM;
use driftproof::drift::Rotating;
use driftproof::facts::{Facts, Quantity};
use driftproof::linalg::{mu_max, mu_min, spectral_norm};
use driftproof::observe::{KNOBS, observe};
use driftproof::random::{Knobs, Stream};
use driftproof::verdict::Verdict;
use nalgebra::{DMatrix, Matrix2, Vector2, dmatrix, matrix, vector};

#[test]
fn no_random_frame_violates_the_block_formulas() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

#[test]
fn the_observer_measures_the_blocks_that_the_world_prescribes() {
    // The frame is carried along, so Ã = B(t) = mean + wave·sin(frequency·t) without any frame.
    for index in 0..100 {
        let mut knobs = Knobs::draw(Stream::root(71).indexed(index), KNOBS);
        let seen = observe(CLAIM.id, &mut knobs).unwrap();
        let flow: Rotating = serde_json::from_value(seen.world["flow"].clone()).unwrap();
        let d = seen.world["tangent"].as_u64().unwrap() as usize;
        let t = 0.5 * seen.world["span"].as_f64().unwrap();
        let b: DMatrix<f64> = &flow.mean + &flow.wave * (flow.frequency * t).sin();
        let n = b.nrows() - d;
        let part = |r, c, h, w| b.view((r, c), (h, w)).into_owned();
        let prescribed = [
            ("gamma", mu_min(&part(0, 0, d, d)) - mu_max(&part(d, d, n, n))),
            ("kappa", spectral_norm(&part(d, 0, n, d)).unwrap()),
            ("eta", spectral_norm(&part(0, d, d, n)).unwrap()),
        ];
        for (name, value) in prescribed {
            for route in ["frame", "projector", "gauged"] {
                let measured = seen.facts.get(&format!("{name}_{route}")).value;
                assert!((measured - value).abs() < 1e-12, "{index}: {name}_{route}");
            }
        }
    }
}

/// κ, η of a line with projector P and rate P' in the plane, for the field A; γ along its axes.
fn planar_blocks(a: Matrix2<f64>, p: Matrix2<f64>, rate: Matrix2<f64>) -> [f64; 3] {
    let q = Matrix2::identity() - p;
    let gamma = (p * a * p).trace() - (q * a * q).trace();
    [gamma, (q * (a - rate) * p).norm(), (p * (a + rate) * q).norm()]
}

/// Facts of a planar world: blocks by three routes, κ of a transported bundle.
fn facts(frame: [f64; 3], projector: [f64; 3], transported: f64) -> Facts {
    let known = |value: f64| Quantity::rounded(value, 8.0).widened(1e-15);
    let mut facts = Facts::new();
    for (i, name) in ["gamma", "kappa", "eta"].into_iter().enumerate() {
        facts.set(&format!("{name}_frame"), known(frame[i]));
        facts.set(&format!("{name}_gauged"), known(frame[i]));
        facts.set(&format!("{name}_projector"), known(projector[i]));
    }
    facts.set("size", Quantity::exact(2.0));
    facts.set("frame_speed", Quantity::exact(1.0));
    facts.set("kappa_transported", Quantity::exact(transported).widened(1e-14));
    facts
}

#[test]
fn a_line_turning_in_a_constant_field_has_the_blocks_of_the_hand_calculation() {
    // U = R(ωt) at t = 0: Ã = A − UᵀU' = [[a, b + ω], [c − ω, d]], with P' = [[0, ω], [ω, 0]].
    let (a, b, c, d) = (0.7, -0.4, 1.1, -0.9);
    for omega in [-0.8_f64, 0.3, 1.1] {
        let by_hand = [a - d, (c - omega).abs(), (b + omega).abs()];
        let field = matrix![a, b; c, d];
        let along = matrix![1.0, 0.0; 0.0, 0.0];
        let rate = matrix![0.0, omega; omega, 0.0];
        let right = planar_blocks(field, along, rate);
        let flipped = planar_blocks(field, along, -rate);
        let transposed = planar_blocks(field.transpose(), along, rate);
        let verdict = |blocks| CLAIM.judge(&facts(by_hand, blocks, 0.0)).verdict();
        for (measured, exact) in right.into_iter().zip(by_hand) {
            assert!((measured - exact).abs() < 1e-15);
        }
        // ω = c makes κ vanish: the frame turns as fast as the flow turns it.
        assert_eq!(verdict(right), Verdict::Holds);
        assert_eq!(verdict(flipped), Verdict::Violated);
        assert_eq!(verdict(transposed), Verdict::Violated);
    }
}

/// P and P' of the line spanned by `v`, moving with `v'`.
fn line(v: Vector2<f64>, dv: Vector2<f64>) -> (Matrix2<f64>, Matrix2<f64>) {
    let size = v.norm_squared();
    let p = v * v.transpose() / size;
    let rate = (dv * v.transpose() + v * dv.transpose()) / size - p * (2.0 * v.dot(&dv) / size);
    (p, rate)
}

#[test]
fn a_line_carried_by_the_flow_has_no_cross_derivative() {
    // x' = [[0, 0], [k, −c]] x carries (1, l): l' = k − c l.
    let (k, c) = (0.8, 1.7);
    let field = matrix![0.0, 0.0; k, -c];
    for l in [0.0, 0.2, -1.3] {
        let v = vector![1.0, l];
        let (p, rate) = line(v, vector![0.0, k - c * l]);
        let blocks = planar_blocks(field, p, rate);
        assert!(blocks[1] < 1e-15);
        // The same line held at rest, or carried by the transposed field, has one.
        let frozen = planar_blocks(field, p, Matrix2::zeros())[1];
        let (_, wrong_rate) = line(v, field.transpose() * v);
        let transposed = planar_blocks(field, p, wrong_rate)[1];
        let reference = [1.0, 2.0, 3.0];
        for (kappa, verdict) in [
            (blocks[1], Verdict::Holds),
            (frozen, Verdict::Violated),
            (transposed, Verdict::Violated),
        ] {
            assert_eq!(CLAIM.judge(&facts(reference, reference, kappa)).verdict(), verdict);
        }
    }
}

#[test]
fn the_diagonal_of_the_moving_frame_matrix_is_not_its_compression() {
    // B_TT = [[1, 3], [0, 1]]: diagonal rates 1, but μ_min = 1 − 3/2: some tangent direction shrinks.
    let b = dmatrix![1.0, 3.0; 0.0, 1.0];
    assert!((mu_min(&b) + 0.5).abs() < 1e-15);
    let mutant = CLAIM.mutant("diagonal_rates").unwrap();
    let mut facts = facts([-0.5, 1.0, 1.0], [-0.5, 1.0, 1.0], 0.0);
    facts.set("gamma_diagonal", Quantity::rounded(1.0, 8.0));
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
    assert_eq!(CLAIM.judge_mutant(&facts, mutant).verdict(), Verdict::Violated);
}

#[test]
fn an_unmeasured_block_decides_nothing() {
    let mut facts = facts([1.0; 3], [1.0; 3], 0.0);
    facts.set("eta_gauged", Quantity::UNKNOWN);
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Undecided);
}
