//! Laws of the samplers: order, tangents, transposes, adaptive grids.

use driftproof::drift::{
    Atoms, Canonical, Channel, Denoise, Drift, GaussianPath, Lanes, Schedule, Workspace,
};
use driftproof::error::Error;
use driftproof::flow::{
    Method, Sampler, StepWorkspace, Trajectory, adaptive_times, geometric_times, uniform_times,
};
use driftproof::lyapunov::{Cocycle, product};
use driftproof::random::Stream;
use driftproof::scalar::{Scalar, Tangents};
use nalgebra::{DMatrix, SVector, dmatrix};
use num_dual::Derivative;

const METHODS: [Method; 4] = [Method::Euler, Method::Heun, Method::Rk4, Method::DormandPrince];

/// x' = −(1 + t) x², y' = 2(1 + t) x y: with s = t + t²/2 and q = 1 + x0 s, x = x0/q and y = y0 q².
struct Rational;

impl Drift for Rational {
    fn dim(&self) -> usize {
        2
    }
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let rate = (t + 1.0) * x[0];
        out[0] = -rate * x[0];
        out[1] = rate * x[1] * 2.0;
    }
}

impl Rational {
    const START: [f64; 2] = [0.9, -0.7];

    /// State and Jacobian at time t, from START at time 0.
    fn exact(t: f64) -> ([f64; 2], DMatrix<f64>) {
        let [x0, y0] = Self::START;
        let s = t + 0.5 * t * t;
        let q = 1.0 + x0 * s;
        ([x0 / q, y0 * q * q], dmatrix![1.0 / (q * q), 0.0; 2.0 * y0 * s * q, q * q])
    }
}

/// A field whose Jacobian is neither symmetric nor normal, in three dimensions and time-dependent.
struct Swirl;

impl Drift for Swirl {
    fn dim(&self) -> usize {
        3
    }
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        out[0] = (x[1] * 2.0 + t).sin() - x[0] * x[2] * 0.5;
        out[1] = x[0] * t - x[1] * x[1] * 0.3 + x[2] * 1.5;
        out[2] = (x[0] * x[1] * 0.4).cos() - x[2];
    }
}

/// x' = x²: leaves the finite numbers at t = 1/x0.
#[derive(Debug)]
struct BlowUp;

impl Drift for BlowUp {
    fn dim(&self) -> usize {
        1
    }
    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        out[0] = x[0] * x[0];
    }
}

/// Errors of state and Jacobian at t = 1 with n uniform steps.
fn errors(method: Method, n: usize) -> (f64, f64) {
    let sampler = Sampler::new(method, uniform_times(0.0, 1.0, n));
    let orbit = Trajectory::from(&Rational, &sampler, &Rational::START).unwrap();
    let (x, jacobian) = Rational::exact(1.0);
    let end = orbit.end();
    ((end[0] - x[0]).hypot(end[1] - x[1]), (product(&orbit) - jacobian).norm())
}

/// Errors below this are rounding, and say nothing of the order.
const ROUNDING_FLOOR: f64 = 1e-12;

#[test]
fn every_method_converges_at_its_order_in_state_and_tangents() {
    for (method, n) in METHODS.into_iter().zip([800, 200, 40, 48]) {
        let order = f64::from(method.tableau().order);
        let ((x1, j1), (x2, j2)) = (errors(method, n), errors(method, 2 * n));
        assert!(x2 > ROUNDING_FLOOR && j2 > ROUNDING_FLOOR, "{method:?}: {x2:e} {j2:e}");
        for (coarse, fine) in [(x1, x2), (j1, j2)] {
            let measured = (coarse / fine).log2();
            assert!((measured - order).abs() < 0.25, "{method:?}: order {measured}");
        }
    }
}

#[test]
fn the_embedded_estimate_of_dormand_prince_has_weights_of_order_four() {
    // b − error are the weights of the fourth-order method: Σ b̂ c^k = 1/(k+1), k = 0..3.
    let tableau = Method::DormandPrince.tableau();
    for k in 0..5 {
        let moment = |w: &dyn Fn(usize) -> f64| -> f64 {
            tableau.c.iter().enumerate().map(|(i, c)| w(i) * c.powi(k)).sum()
        };
        let expected = 1.0 / f64::from(k + 1);
        assert!((moment(&|i| tableau.b[i]) - expected).abs() < 1e-14);
        let embedded = moment(&|i| tableau.b[i] - tableau.error[i]);
        assert_eq!((embedded - expected).abs() < 1e-14, k < 4, "moment {k}");
    }
}

#[test]
fn rows_of_every_tableau_add_up_to_their_nodes() {
    for method in METHODS {
        let tableau = method.tableau();
        for (row, c) in tableau.a.iter().zip(tableau.c) {
            assert!((row.iter().sum::<f64>() - c).abs() < 1e-14, "{method:?}");
        }
    }
}

#[test]
fn a_step_of_the_block_agrees_with_the_map_on_duals() {
    for method in METHODS {
        let sampler = Sampler::new(method, uniform_times(0.3, 1.1, 4));
        let block = Stream::root(4).normals(2 * 3 * 4);
        let lanes = Lanes { trajectories: 2, tangents: 3 };
        let mut stepped = block.clone();
        sampler.step(&Swirl, 2, &mut stepped, lanes, &mut StepWorkspace::default());
        for (before, after) in block.chunks_exact(12).zip(stepped.chunks_exact(12)) {
            let mut x: Vec<Tangents> = (0..3)
                .map(|r| {
                    let mut eps = SVector::zeros();
                    (0..3).for_each(|lane| eps[lane] = before[3 * (1 + lane) + r]);
                    Tangents::new(before[r], Derivative::some(eps))
                })
                .collect();
            sampler.map(&Swirl, 2, &mut x);
            for (r, x) in x.iter().enumerate() {
                assert!((x.re - after[r]).abs() < 1e-14, "{method:?}");
                let eps = x.eps.unwrap_generic(nalgebra::Const::<8>, nalgebra::Const::<1>);
                for lane in 0..3 {
                    assert!((eps[lane] - after[3 * (1 + lane) + r]).abs() < 1e-13, "{method:?}");
                }
            }
        }
    }
}

#[test]
fn pull_is_the_transpose_of_push() {
    for method in METHODS {
        let sampler = Sampler::new(method, uniform_times(0.0, 1.5, 5));
        let orbit = Trajectory::from(&Swirl, &sampler, &[0.4, -0.8, 0.6]).unwrap();
        let stream = Stream::root(6);
        let v = DMatrix::from_vec(3, 2, stream.named("v").normals(6));
        let w = DMatrix::from_vec(3, 2, stream.named("w").normals(6));
        for k in 0..5 {
            // ⟨W, JV⟩ = ⟨JᵀW, V⟩, and not ⟨JW, V⟩: the Jacobian is far from symmetric.
            let (pushed, pulled) = (orbit.push(k, &v), orbit.pull(k, &w));
            assert!((w.tr_mul(&pushed) - pulled.tr_mul(&v)).norm() < 1e-13, "{method:?}");
            let wrong = orbit.push(k, &w);
            assert!((w.tr_mul(&pushed) - wrong.tr_mul(&v)).norm() > 1e-2, "{method:?}");
        }
    }
}

#[test]
fn forward_and_back_returns_to_the_start_up_to_the_order() {
    for (method, tolerance) in METHODS.into_iter().zip([1e-1, 1e-3, 1e-8, 1e-11]) {
        let there = Sampler::new(method, uniform_times(0.0, 1.0, 100));
        let back = Sampler::new(method, uniform_times(1.0, 0.0, 100));
        let start = [0.4, -0.8, 0.6];
        let out = Trajectory::from(&Swirl, &there, &start).unwrap();
        let home = Trajectory::from(&Swirl, &back, out.end().as_slice()).unwrap();
        let error = (home.end() - &out.states[0]).norm();
        assert!(error < tolerance, "{method:?}: {error}");
        // Jacobians there and back cancel likewise.
        let loop_error = (product(&home) * product(&out) - DMatrix::identity(3, 3)).norm();
        assert!(loop_error < 10.0 * tolerance, "{method:?}: {loop_error}");
    }
}

#[test]
fn the_product_of_the_jacobians_is_the_difference_quotient_of_the_maps() {
    let sampler = Sampler::new(Method::Heun, uniform_times(0.0, 1.0, 8));
    let start = [0.4, -0.8, 0.6];
    let jacobian = product(&Trajectory::from(&Swirl, &sampler, &start).unwrap());
    let h = 1e-5;
    for axis in 0..3 {
        let end = |sign: f64| {
            let mut x = start;
            x[axis] += sign * h;
            Trajectory::from(&Swirl, &sampler, &x).unwrap().end().clone()
        };
        let quotient = (end(1.0) - end(-1.0)) / (2.0 * h);
        assert!((quotient - jacobian.column(axis)).norm() < 1e-8);
    }
}

#[test]
fn an_adaptive_grid_keeps_its_tolerance() {
    let (exact, _) = Rational::exact(1.0);
    let mut steps = Vec::new();
    for tolerance in [1e-4, 1e-6, 1e-8, 1e-10] {
        let times = adaptive_times(&Rational, 0.0, 1.0, &Rational::START, tolerance).unwrap();
        assert_eq!((times[0], *times.last().unwrap()), (0.0, 1.0));
        assert!(times.is_sorted_by(|a, b| a < b));
        steps.push(times.len() - 1);
        let sampler = Sampler::new(Method::DormandPrince, times);
        let orbit = Trajectory::from(&Rational, &sampler, &Rational::START).unwrap();
        let error = (orbit.end()[0] - exact[0]).abs().max((orbit.end()[1] - exact[1]).abs());
        // Local errors below `tolerance·(1 + |x|)` add up, carried by ‖J‖ < 6.
        assert!(error < 6.0 * 4.0 * tolerance * sampler.maps() as f64, "{tolerance}: {error}");
        assert!(error < 1e-3);
    }
    // A method of order five: a hundredth of the tolerance needs about 100^(1/5) = 2.5 times the steps.
    assert!(steps.windows(2).all(|w| w[1] >= w[0] && w[1] <= 4 * w[0] + 4), "{steps:?}");
    assert!(steps[3] > steps[0]);
}

#[test]
fn an_adaptive_grid_runs_down_too() {
    let (end, _) = Rational::exact(1.0);
    let times = adaptive_times(&Rational, 1.0, 0.0, &end, 1e-9).unwrap();
    assert!(times.is_sorted_by(|a, b| a > b));
    let sampler = Sampler::new(Method::DormandPrince, times);
    let home = Trajectory::from(&Rational, &sampler, &end).unwrap();
    assert!((home.end()[0] - Rational::START[0]).abs() < 1e-7);
    assert!((home.end()[1] - Rational::START[1]).abs() < 1e-7);
    assert_eq!(adaptive_times(&Rational, 0.5, 0.5, &end, 1e-9).unwrap(), [0.5]);
}

#[test]
fn a_sliver_left_at_the_end_is_not_an_error() {
    // Spans whose hundredths round: 100 equal steps need not land on the end exactly.
    struct Constant;
    impl Drift for Constant {
        fn dim(&self) -> usize {
            1
        }
        fn velocity<S: Scalar>(&self, _: S, _: &[S], out: &mut [S]) {
            out[0] = S::from(1.0);
        }
    }
    for k in 1..200 {
        let end = 1.0 + f64::from(k) * f64::EPSILON;
        let times = adaptive_times(&Constant, 1.0, end, &[0.0], 1e-6).unwrap();
        assert_eq!(*times.last().unwrap(), end);
    }
}

/// x' = scale·(shift + t)^power: what a step sees is its time alone.
struct Clock {
    scale: f64,
    shift: f64,
    power: i32,
}

impl Drift for Clock {
    fn dim(&self) -> usize {
        1
    }
    fn velocity<S: Scalar>(&self, t: S, _: &[S], out: &mut [S]) {
        out[0] = (t + self.shift).powi(self.power) * self.scale;
    }
}

#[test]
fn an_adaptive_grid_of_a_quartic_in_time_is_in_closed_form() {
    // The error weights of Dormand & Prince annihilate cubics: then the first step is a hundredth of the
    // span, and every next one is five times as long.
    for (from, to) in [(0.0, 2.0), (1.0, -1.0)] {
        let cubic = Clock { scale: 3.0, shift: -0.7, power: 3 };
        let times = adaptive_times(&cubic, from, to, &[0.2], 1e-9).unwrap();
        let expected = [0.0, 0.01, 0.06, 0.31, 1.0].map(|share: f64| from + share * (to - from));
        assert_eq!(times.len(), 5, "{times:?}");
        assert!(times.iter().zip(expected).all(|(t, e)| (t - e).abs() < 1e-14), "{times:?}");
    }
    // On a quartic the estimate is h⁵ times Σ e_i c_i⁴, whatever the time; the next step is
    // 0.9 (tolerance (1 + |x|)/estimate)^{1/5} times as long, at most five times.
    let nodes: [f64; 7] = [0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0];
    let errors = [
        71.0 / 57600.0,
        0.0,
        -71.0 / 16695.0,
        71.0 / 1920.0,
        -17253.0 / 339200.0,
        22.0 / 525.0,
        -1.0 / 40.0,
    ];
    let moment: f64 = nodes.iter().zip(errors).map(|(c, e)| e * c.powi(4)).sum();
    let (scale, shift, tolerance) = (50.0, 0.3, 1e-7);
    let quartic = Clock { scale, shift, power: 4 };
    for (from, to) in [(0.0, 1.5), (1.5, 0.0)] {
        let times = adaptive_times(&quartic, from, to, &[-2.0], tolerance).unwrap();
        let state = |t: f64| -2.0 + scale / 5.0 * ((t + shift).powi(5) - (from + shift).powi(5));
        let (mut t, mut h, mut expected) = (from, (to - from) / 100.0, vec![from]);
        while (to - t) * h > 1e-12 {
            h = if h.abs() < (to - t).abs() { h } else { to - t };
            let size = (scale * moment * h.powi(5)).abs() / (tolerance * (1.0 + state(t).abs()));
            if size <= 1.0 {
                t += h;
                expected.push(t);
            }
            h *= (0.9 * size.powf(-0.2)).clamp(0.2, 5.0);
        }
        assert!(times.len() > 8 && times.len() == expected.len(), "{times:?} {expected:?}");
        // The estimate cancels 1e-16 of the velocity h, 1e-5 of the tolerance, and the fifth root divides that by 5.
        assert!(times.iter().zip(&expected).all(|(t, e)| (t - e).abs() < 1e-6), "{times:?}");
    }
}

#[test]
fn an_adaptive_grid_sees_what_happens_within_a_step() {
    // Nothing until t = 0.5, then a cubic: three steps, and the fourth must not run over the kink.
    struct Late;
    impl Drift for Late {
        fn dim(&self) -> usize {
            1
        }
        fn velocity<S: Scalar>(&self, t: S, _: &[S], out: &mut [S]) {
            out[0] = if t.re() > 0.5 { (t - 0.5).powi(3) * 4.0 } else { S::from(0.0) };
        }
    }
    let times = adaptive_times(&Late, 0.0, 1.0, &[0.0], 1e-8).unwrap();
    assert!((times[3] - 0.31).abs() < 1e-15 && times[4] < 0.9, "{times:?}");
    let sampler = Sampler::new(Method::DormandPrince, times);
    let end = Trajectory::from(&Late, &sampler, &[0.0]).unwrap().end()[0];
    // ∫ 4 (t − 1/2)³ = 1/16.
    assert!((end - 0.0625).abs() < 1e-8 * sampler.maps() as f64, "{end}");
}

#[test]
fn a_flow_that_blows_up_is_an_error_and_says_when() {
    let failed = adaptive_times(&BlowUp, 0.0, 2.0, &[1.0], 1e-6).unwrap_err();
    // The pole at t = 1, moved by the tolerance.
    assert!(matches!(failed, Error::Numeric { .. }), "{failed}");
    let words = failed.to_string();
    let when = words.split("t = ").nth(1).and_then(|w| w.split(' ').next()).unwrap();
    assert!((when.parse::<f64>().unwrap() - 1.0).abs() < 1e-5, "{words}");
    let unreachable = adaptive_times(&BlowUp, 0.0, 0.5, &[f64::NAN], 1e-6);
    assert!(unreachable.is_err() && adaptive_times(&BlowUp, 0.0, 0.5, &[1.0], 0.0).is_err());

    let sampler = Sampler::new(Method::Euler, uniform_times(0.0, 20.0, 20));
    let message = Trajectory::from(&BlowUp, &sampler, &[1.0]).unwrap_err().to_string();
    // x ↦ x + x² doubles its digits: 1, 2, 6, 42, …, beyond 1e308 in step 10.
    assert!(message.contains("step 10") && message.contains("t = 1e1"), "{message}");
}

#[test]
fn refining_keeps_the_ends_and_halves_every_interval() {
    let sampler = Sampler::new(Method::Rk4, geometric_times(10.0, 0.01, 7));
    let refined = sampler.refined();
    assert_eq!(refined.maps(), 14);
    for (k, t) in sampler.times().iter().enumerate() {
        assert_eq!(refined.times()[2 * k], *t);
    }
    assert!((sampler.times()[3] / sampler.times()[2] - 1e-3_f64.powf(1.0 / 7.0)).abs() < 1e-14);
}

/// A denoiser with an error: its Jacobian is far from symmetric, as a learned one's may be.
struct Leaning;

impl Denoise for Leaning {
    fn dim(&self) -> usize {
        2
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let shrink = (channel.noise_variance + 1.0).recip() * channel.signal;
        out[0] = (x[0] + x[1] * 3.0) * shrink;
        out[1] = x[1] * x[1] * shrink;
    }

    fn log_density<S: Scalar>(&self, _: Channel<S>, _: &[S]) -> S {
        S::from(f64::NAN) // Not a posterior mean: no density belongs to it.
    }
}

#[test]
fn a_denoiser_that_is_no_gradient_is_pulled_by_its_transpose() {
    let leaning = Leaning;
    let exact = Atoms::new(2, vec![1.0, 0.0, -0.5, 0.8, 0.3, -1.0], None, 0.0).unwrap();
    let v = DMatrix::from_vec(2, 1, vec![0.3, -1.1]);
    let w = DMatrix::from_vec(2, 1, vec![0.9, 0.4]);
    fn defect<F: Drift>(field: &F, v: &DMatrix<f64>, w: &DMatrix<f64>) -> (f64, f64) {
        let (mut work, state) = (Workspace::default(), [0.7, -0.2]);
        let a = field.jacobian(0.6, &state, &mut work);
        let pulled = field.pull(0.6, &state, w, &mut work);
        ((pulled.tr_mul(v) - w.tr_mul(&(&a * v))).norm(), (&a - a.transpose()).norm())
    }
    for schedule in [Schedule::FlowMatching, Schedule::Trigonometric] {
        let (gap, skew) = defect(&GaussianPath { schedule, denoiser: &leaning }, &v, &w);
        assert!(gap < 1e-13 && skew > 0.1, "{gap} {skew}");
        let (gap, skew) = defect(&GaussianPath { schedule, denoiser: &exact }, &v, &w);
        assert!(gap < 1e-12 && skew < 1e-12, "{gap} {skew}");
    }
    let (gap, skew) = defect(&Canonical { denoiser: &leaning }, &v, &w);
    assert!(gap < 1e-13 && skew > 0.1, "{gap} {skew}");
}
