//! Laws of the linear flows whose moving-frame blocks are prescribed.

use driftproof::drift::{Drift, Lanes, Rotating, Turn, Workspace};
use driftproof::random::Stream;
use driftproof::scalar::Scalar;
use nalgebra::DMatrix;

/// A flow in four dimensions with full blocks and three turning planes.
fn flow(seed: u64, carried: bool) -> Rotating {
    let stream = Stream::root(seed);
    let noise = stream.named("turns").normals(6);
    let turn = |i, j, k: usize| Turn { i, j, phase: noise[2 * k], rate: noise[2 * k + 1] };
    let matrix = |name| DMatrix::from_vec(4, 4, stream.named(name).normals(16));
    Rotating {
        turns: vec![turn(0, 1, 0), turn(2, 0, 1), turn(3, 1, 2)],
        mean: matrix("mean"),
        wave: matrix("wave"),
        frequency: 1.7,
        carried,
    }
}

/// The same field without its fast push: what the trait derives from the velocity.
struct Plain(Rotating);

impl Drift for Plain {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.0.velocity(t, x, out);
    }
}

#[test]
fn the_fast_push_agrees_with_the_dual_push() {
    // Two trajectories with 11 tangents each: more than one bundle of dual lanes.
    let lanes = Lanes { trajectories: 2, tangents: 11 };
    for seed in 0..20 {
        let block = Stream::root(seed).named("block").normals(4 * lanes.columns());
        let (mut fast, mut plain) = (vec![0.0; block.len()], vec![f64::NAN; block.len()]);
        let mut work = Workspace::default();
        flow(seed, seed % 2 == 0).push(0.8, &block, lanes, &mut fast, &mut work);
        Plain(flow(seed, seed % 2 == 0)).push(0.8, &block, lanes, &mut plain, &mut work);
        for (a, b) in fast.iter().zip(&plain) {
            assert!((a - b).abs() < 1e-13, "seed {seed}");
        }
    }
}

#[test]
fn a_carried_frame_moves_with_the_prescribed_matrix() {
    // ξ = Uᵀx obeys ξ' = B ξ, so x' = U' ξ + U B ξ: the velocity of x = Uξ, U' by differences.
    for seed in 0..20 {
        let (flow, t, h) = (flow(seed, true), 0.6, 1e-4);
        let xi = DMatrix::from_vec(4, 1, Stream::root(seed).named("point").normals(4));
        let u = |t: f64| DMatrix::from_vec(4, 4, flow.frame(t));
        let rate = ((u(t + h) - u(t - h)) * 8.0 - (u(t + 2.0 * h) - u(t - 2.0 * h))) / (12.0 * h);
        let b = &flow.mean + &flow.wave * (flow.frequency * t).sin();
        let expected = &rate * &xi + u(t) * b * &xi;
        let (x, mut velocity) = (u(t) * &xi, vec![0.0; 4]);
        flow.velocity(t, x.as_slice(), &mut velocity);
        let error = (DMatrix::from_vec(4, 1, velocity) - expected).norm();
        assert!(error < 1e-10 * (1.0 + x.norm()) * 10.0, "seed {seed}: {error}");
    }
}

#[test]
fn a_frame_that_is_not_carried_conjugates_the_matrix() {
    for seed in 0..20 {
        let (flow, t) = (flow(seed, false), 0.6);
        let u = DMatrix::from_vec(4, 4, flow.frame(t));
        let b = &flow.mean + &flow.wave * (flow.frequency * t).sin();
        let a = flow.jacobian(t, &[0.0; 4], &mut Workspace::default());
        assert!((a - &u * b * u.transpose()).norm() < 1e-13 * 10.0);
    }
}

#[test]
fn the_frame_is_orthogonal_and_its_rate_is_skew_in_it() {
    for seed in 0..20 {
        let (u, du) = flow(seed, true).frame_and_rate(1.3);
        let spin = u.tr_mul(&du);
        assert!((u.tr_mul(&u) - DMatrix::identity(4, 4)).norm() < 1e-14);
        assert!((&spin + spin.transpose()).norm() < 1e-13);
    }
}

#[test]
fn one_turn_rotates_the_first_axis_towards_the_second() {
    let turns = vec![Turn { i: 0, j: 1, phase: 0.1, rate: 0.5 }];
    let rest = || DMatrix::zeros(2, 2);
    let flow = Rotating { turns, mean: rest(), wave: rest(), frequency: 0.0, carried: true };
    let (sin, cos) = 0.6_f64.sin_cos();
    for (a, b) in flow.frame(1.0).into_iter().zip([cos, sin, -sin, cos]) {
        assert!((a - b).abs() < 1e-15);
    }
    // B = 0: the flow is the rotation, A = [[0, −ω], [ω, 0]].
    let a = flow.jacobian(1.0, &[0.0, 0.0], &mut Workspace::default());
    assert!((a[(1, 0)] - 0.5).abs() < 1e-15 && (a[(0, 1)] + 0.5).abs() < 1e-15);
}
