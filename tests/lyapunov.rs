//! Laws of Lyapunov exponents and vectors.

use driftproof::drift::Drift;
use driftproof::flow::{Method, Sampler, Trajectory, uniform_times};
use driftproof::linalg::{frame_from_normals, inverse, largest_angle};
use driftproof::lyapunov::{Cocycle, product, qr_history, qr_sweep, spectrum, top_pairs};
use driftproof::random::Stream;
use driftproof::scalar::Scalar;
use nalgebra::{DMatrix, dmatrix};

/// A nonlinear field with divergence −x_0 + cos(x_1) x_2 − 1 + t, not symmetric and not normal.
struct Field;

impl Drift for Field {
    fn dim(&self) -> usize {
        3
    }
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        out[0] = -x[0] * x[0] * 0.5 + x[1] * 1.5;
        out[1] = x[1].sin() * x[2] - x[0] * 0.7;
        out[2] = (t - 1.0) * x[2] + x[0] * x[1];
    }
}

fn divergence(t: f64, x: &[f64]) -> f64 {
    -x[0] + x[1].cos() * x[2] - 1.0 + t
}

/// Random maps that are neither symmetric nor normal.
fn maps(dim: usize, count: usize, seed: u64) -> Vec<DMatrix<f64>> {
    let stream = Stream::root(seed);
    let size = 0.5 / (dim as f64).sqrt();
    let shift = DMatrix::from_fn(dim, dim, |r, c| if c == r + 1 { 0.4 } else { 0.0 });
    let rates =
        DMatrix::from_fn(
            dim,
            dim,
            |r, c| {
                if r == c { 1.2 - 0.8 * r as f64 / dim as f64 } else { 0.0 }
            },
        );
    (0..count as u64)
        .map(|k| {
            let noise = DMatrix::from_vec(dim, dim, stream.indexed(k).normals(dim * dim));
            &rates + &shift + noise * size
        })
        .collect()
}

#[test]
fn products_compose_in_the_order_of_time() {
    let maps = maps(5, 9, 1);
    let (early, late) = maps.split_at(4);
    let whole = product(&maps[..]);
    assert!((product(late) * product(early) - &whole).norm() < 1e-13 * whole.norm());
    assert!((product(early) * product(late) - &whole).norm() > 0.1 * whole.norm());
}

#[test]
fn a_sweep_continued_from_its_frame_is_the_whole_sweep() {
    let maps = maps(5, 9, 2);
    let (early, late) = maps.split_at(4);
    let start = frame_from_normals(5, 3, &Stream::root(2).normals(15));
    let first = qr_sweep(early, &start);
    let second = qr_sweep(late, &first.frame);
    let whole = qr_sweep(&maps[..], &start);
    assert!((&second.frame - &whole.frame).norm() < 1e-13);
    for i in 0..3 {
        let sum = first.log_growth[i] + second.log_growth[i];
        assert!((sum - whole.log_growth[i]).abs() < 1e-13);
    }
    let history = qr_history(&maps[..], &start);
    assert_eq!(history.len(), 10);
    assert_eq!((&history[4], &history[9]), (&first.frame, &whole.frame));
}

#[test]
fn volume_growth_equals_integrated_divergence() {
    let n = 400;
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, 2.0, n));
    let orbit = Trajectory::from(&Field, &sampler, &[0.3, 0.9, -0.5]).unwrap();
    // Simpson's rule over the states.
    let value = |k: usize| divergence(sampler.times()[k], orbit.states[k].as_slice());
    let weight = |k: usize| if k == 0 || k == n { 1.0 } else { 2.0 + 2.0 * (k % 2) as f64 };
    let integral: f64 = (0..=n).map(|k| weight(k) * value(k)).sum::<f64>() * 2.0 / (3.0 * n as f64);
    let start = frame_from_normals(3, 3, &Stream::root(3).normals(9));
    let swept: f64 = qr_sweep(&orbit, &start).log_growth.iter().sum();
    let singular: f64 = spectrum(&product(&orbit)).unwrap().log_growth.iter().sum();
    assert!(integral.abs() > 0.5, "a volume that changes: {integral}");
    assert!((swept - integral).abs() < 1e-8, "{swept} against {integral}");
    assert!((singular - integral).abs() < 1e-8, "{singular} against {integral}");
}

#[test]
fn one_sweep_is_not_the_spectrum_though_the_volumes_agree() {
    // A shear by m: a sweep from the axes sees growths 0, 0; the singular values are about m and 1/m.
    let m = 30.0_f64;
    let shears = vec![dmatrix![1.0, m / 3.0; 0.0, 1.0]; 3];
    let swept = qr_sweep(&shears[..], &DMatrix::identity(2, 2)).log_growth;
    let exact = spectrum(&product(&shears[..])).unwrap().log_growth;
    // σ − 1/σ = m for a shear by m.
    assert!((exact[0] - (0.5 * m).asinh()).abs() < 1e-12);
    assert!(exact[0] - swept[0] > 3.0);
    assert!((exact.iter().sum::<f64>() - swept.iter().sum::<f64>()).abs() < 1e-12);
}

#[test]
fn the_whole_product_maps_start_vectors_to_end_vectors() {
    let j = product(&maps(6, 7, 4)[..]);
    let s = spectrum(&j).unwrap();
    for i in 0..6 {
        let image = &j * s.start_vectors.column(i);
        let expected = s.end_vectors.column(i) * s.log_growth[i].exp();
        assert!((image - expected).norm() < 1e-13 * j.norm());
        // With the names exchanged it is false.
        let wrong = &j * s.end_vectors.column(i);
        assert!((wrong - s.start_vectors.column(i) * s.log_growth[i].exp()).norm() > 1e-3);
    }
}

#[test]
fn reversing_time_exchanges_start_and_end_vectors() {
    let forward = maps(4, 6, 5);
    let backward: Vec<_> = forward.iter().rev().map(|m| inverse(m).unwrap()).collect();
    let there = spectrum(&product(&forward[..])).unwrap();
    let back = spectrum(&product(&backward[..])).unwrap();
    for i in 0..4 {
        let j = 3 - i;
        assert!((there.log_growth[i] + back.log_growth[j]).abs() < 1e-9);
        let parallel = |a: &DMatrix<f64>, b: &DMatrix<f64>| a.column(i).dot(&b.column(j)).abs();
        assert!(1.0 - parallel(&there.end_vectors, &back.start_vectors) < 1e-9);
        assert!(1.0 - parallel(&there.start_vectors, &back.end_vectors) < 1e-9);
    }
}

#[test]
fn a_converged_block_iteration_agrees_with_the_whole_spectrum() {
    let maps = maps(40, 12, 6);
    let exact = spectrum(&product(&maps[..])).unwrap();
    let k = 6;
    let top = top_pairs(&maps[..], k, 1e-8, 400, Stream::root(7)).unwrap();
    assert!(top.angle_bound <= 1e-8, "{} after {}", top.angle_bound, top.sweeps);
    let leading = |m: &DMatrix<f64>| m.columns(0, k).into_owned();
    let starts =
        largest_angle(&top.spectrum.start_vectors, &leading(&exact.start_vectors)).unwrap();
    let ends = largest_angle(&top.spectrum.end_vectors, &leading(&exact.end_vectors)).unwrap();
    assert!(starts < 1.1e-8 && ends < 1.1e-8, "{starts:e} {ends:e}");
    for i in 0..k {
        assert!((top.spectrum.log_growth[i] - exact.log_growth[i]).abs() < 1e-12);
        // Pairs belong together: J v_i = σ_i w_i with the signs of this run.
        let image = product(&maps[..]) * top.spectrum.start_vectors.column(i);
        let sigma = top.spectrum.log_growth[i].exp();
        let residual = (image / sigma - top.spectrum.end_vectors.column(i)).norm();
        assert!(residual < 1e-6, "{i}: {residual:e}");
    }
}

#[test]
fn the_angle_bound_of_an_unfinished_block_iteration_is_honest() {
    // Stopped early, for gaps of many sizes: the true angle stays within the reported one.
    let mut informative = 0;
    for seed in 0..12 {
        let maps = maps(40, 10, 100 + seed);
        let exact = spectrum(&product(&maps[..])).unwrap();
        for k in [1, 4, 9] {
            let truth = exact.start_vectors.columns(0, k).into_owned();
            for sweeps in [1, 2, 4, 8, 16] {
                let top = top_pairs(&maps[..], k, 0.0, sweeps, Stream::root(seed)).unwrap();
                assert_eq!(top.sweeps, sweeps);
                let angle = largest_angle(&top.spectrum.start_vectors, &truth).unwrap();
                let bound = top.angle_bound;
                assert!(
                    angle <= bound + 1e-10,
                    "seed {seed} k {k} sweeps {sweeps}: {angle} {bound}"
                );
                informative += usize::from(bound < 0.5);
            }
        }
    }
    assert!(informative > 60, "{informative} of 180 bounds say anything");
}

#[test]
fn products_beyond_the_range_of_numbers_keep_their_exponents() {
    // 900 maps of size e^{±3}: σ_1 = e^{2700} cannot be formed, its logarithm can.
    let turn = |a: f64| dmatrix![a.cos(), -a.sin(), 0.0; a.sin(), a.cos(), 0.0; 0.0, 0.0, 1.0];
    let grow = DMatrix::from_diagonal(&nalgebra::dvector![20.0, 0.05, 0.01]);
    // A constant turn that is undone: the product of 900 such maps is diag^900 in a turned basis.
    let map = turn(0.4) * grow * turn(-0.4);
    let maps = vec![map; 900];
    let top = top_pairs(&maps[..], 1, 1e-8, 20, Stream::root(8)).unwrap();
    assert!(top.angle_bound <= 1e-8);
    assert!((top.spectrum.log_growth[0] - 900.0 * 20.0_f64.ln()).abs() < 1e-9);
    let axis = turn(0.4).columns(0, 1).into_owned();
    assert!(largest_angle(&top.spectrum.end_vectors, &axis).unwrap() < 1e-8);
}

/// U diag(values) Vᵀ as two maps, U and V random turns.
fn with_singular_values(values: &[f64], seed: u64) -> Vec<DMatrix<f64>> {
    let dim = values.len();
    let turn = |name: &str| {
        frame_from_normals(dim, dim, &Stream::root(seed).named(name).normals(dim * dim))
    };
    // Sizes that only cancel in the product, so that scales have to be kept on the way.
    let diagonal = DMatrix::from_diagonal(&nalgebra::DVector::from_column_slice(values));
    vec![turn("start").transpose() * 40.0, turn("end") * diagonal / 40.0]
}

#[test]
fn without_convergence_of_the_residual_the_angle_bound_is_that_of_the_iteration() {
    // Width k + 4 = D: Ritz values are exact from the first round. The residual has a floor of ε σ_1² = 2e6,
    // far above the gap σ_2² − σ_3² = 75, so T3(a) alone speaks, with t_0 of T3(c).
    let maps = with_singular_values(&[1e11, 10.0, 5.0, 1.0, 1.0, 1.0], 11);
    for sweeps in 1..=12 {
        let top = top_pairs(&maps[..], 2, 0.0, sweeps, Stream::root(1)).unwrap();
        let k = 2.0_f64;
        let start = k.sqrt() * ((6.0 - k).sqrt() + k.sqrt() + 4.0) / 1e-3;
        let expected = start * 0.5_f64.powi(2 * (sweeps as i32 - 1));
        // Relative errors of σ_2 and σ_3, ε σ_1/σ_3 = 4e-6 each time they are multiplied.
        let ratio = top.angle_bound.tan() / expected;
        assert!((ratio - 1.0).abs() < 2e-3, "{sweeps}: {ratio}");
    }
}

#[test]
fn near_convergence_the_angle_bound_is_the_residual_over_the_gap() {
    let values = [3.0, 2.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
    let maps = with_singular_values(&values, 12);
    let j = product(&maps[..]);
    for sweeps in 5..=8 {
        let top = top_pairs(&maps[..], 3, 0.0, sweeps, Stream::root(2)).unwrap();
        let v = &top.spectrum.start_vectors;
        let squares = nalgebra::DVector::from_iterator(
            3,
            top.spectrum.log_growth.iter().map(|growth| (2.0 * growth).exp()),
        );
        let residual = (j.tr_mul(&(&j * v)) - v * DMatrix::from_diagonal(&squares)).norm();
        // The first discarded Ritz value is 1/2 up to the square of the angle, some 1e-6.
        let expected = residual / (squares[2] - 0.25);
        assert!(residual > 1e-10, "not yet converged: {residual:e}");
        let ratio = top.angle_bound.sin() / expected;
        assert!((ratio - 1.0).abs() < 1e-3, "{sweeps}: {ratio}");
    }
}

/// Maps that note how many columns each of their pushes and pulls carries.
struct Counting<'a>(&'a [DMatrix<f64>], std::cell::RefCell<Vec<usize>>);

impl Cocycle for Counting<'_> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn push(&self, k: usize, directions: &DMatrix<f64>) -> DMatrix<f64> {
        self.1.borrow_mut().push(directions.ncols());
        self.0.push(k, directions)
    }
    fn pull(&self, k: usize, covectors: &DMatrix<f64>) -> DMatrix<f64> {
        self.1.borrow_mut().push(covectors.ncols());
        self.0.pull(k, covectors)
    }
}

#[test]
fn a_round_costs_four_more_tangents_and_covectors_than_pairs() {
    let maps = maps(12, 3, 9);
    for (k, width) in [(1, 5), (3, 7), (5, 9), (10, 12)] {
        let counting = Counting(&maps, Default::default());
        top_pairs(&counting, k, 0.0, 2, Stream::root(3)).unwrap();
        // Two rounds of three pushes and three pulls.
        assert_eq!(*counting.1.borrow(), vec![width; 12], "k = {k}");
    }
}

#[test]
fn all_pairs_are_exact_at_once_and_without_growth_nothing_is_known() {
    let maps = maps(6, 4, 10);
    let all = top_pairs(&maps[..], 6, 0.0, 50, Stream::root(4)).unwrap();
    assert_eq!((all.sweeps, all.angle_bound), (1, 0.0));
    let exact = spectrum(&product(&maps[..])).unwrap();
    for (ours, exact) in all.spectrum.log_growth.iter().zip(&exact.log_growth) {
        assert!((ours - exact).abs() < 1e-11, "{ours} against {exact}");
    }
    let zero = vec![DMatrix::zeros(6, 6); 2];
    let none = top_pairs(&zero[..], 2, 1e-3, 3, Stream::root(5)).unwrap();
    assert_eq!((none.sweeps, none.angle_bound), (3, std::f64::consts::FRAC_PI_2));
    assert_eq!(none.spectrum.log_growth, [f64::NEG_INFINITY; 2]);
}

#[test]
fn no_maps_are_an_empty_cocycle() {
    let none: [DMatrix<f64>; 0] = [];
    assert!(Cocycle::is_empty(&none[..]) && product(&none[..]).is_empty());
    assert!(!Cocycle::is_empty(&maps(2, 1, 1)[..]));
}
