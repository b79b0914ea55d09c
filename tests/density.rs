//! Densities carried along flows and their response: closed forms, an independent formula, and wrong inputs that it sees.

use driftproof::drift::{
    Atoms, Channel, Denoise, Drift, Gaussian, GaussianPath, Inexact, Lanes, Schedule, Workspace,
};
use driftproof::flow::{Method, Sampler, StepWorkspace, uniform_times};
use driftproof::random::Stream;
use driftproof::response::{AccruedPoints, CarriedPoints, DensityAt, LogDensity, NoisyLaw};
use driftproof::scalar::Scalar;
use nalgebra::{DMatrix, DVector, Matrix3, Vector3};
use rand::RngExt;

const SCHEDULE: Schedule = Schedule::VpLinear { beta_min: 0.1, beta_max: 8.0 };

/// Independent numbers in (−1, 1).
fn numbers(name: &str, count: usize) -> Vec<f64> {
    let mut rng = Stream::root(5).named(name).rng();
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn channel(s: f64) -> Channel<f64> {
    let (a, b) = SCHEDULE.coefficients(s);
    Channel { signal: a, noise_variance: b * b }
}

fn sampler(from: f64, to: f64, steps: usize) -> Sampler {
    Sampler::new(Method::Rk4, uniform_times(from, to, steps))
}

/// w(x) = B x, B neither symmetric nor normal.
struct Shear(Matrix3<f64>);

impl Drift for Shear {
    fn dim(&self) -> usize {
        3
    }
    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        for (row, out) in self.0.row_iter().zip(out) {
            *out = row.iter().zip(x).map(|(b, x)| *x * *b).sum();
        }
    }
}

/// N(0, λ I) carried by its own flow, with the error B x: the model's law at s is N(0, r² e^{ετB} e^{ετBᵀ}),
/// so g = τ (⟨y, B y⟩/r² − tr B), τ the time since the start.
#[test]
fn isotropic_data_give_the_closed_form_both_ways() {
    let shear = Matrix3::new(0.4, 1.3, -0.2, 0.0, -0.9, 0.7, 0.5, 0.1, 0.8);
    let law = Gaussian::new(vec![0.0; 3], DMatrix::identity(3, 3), vec![0.3; 3]).unwrap();
    let drift = GaussianPath { schedule: SCHEDULE, denoiser: &law };
    let (start, end) = (0.1, 0.9);
    let mut work = StepWorkspace::default();
    let noise = NoisyLaw { denoiser: &law, channel: channel(start) };
    let data = NoisyLaw { denoiser: &law, channel: channel(end) };
    let starts = numbers("starts", 15);
    let mut forward = CarriedPoints::new(3, &starts);
    forward.run(&sampler(start, end, 200), &drift, &Shear(shear), &mut work);
    let arrived: Vec<f64> = (0..5).flat_map(|i| forward.state(i).to_vec()).collect();
    let mut back = CarriedPoints::new(3, &arrived);
    back.run(&sampler(end, start, 200), &drift, &Shear(shear), &mut work);
    let mut accrued = AccruedPoints::new(3, &starts);
    accrued.run(&sampler(start, end, 200), (SCHEDULE, &drift), &Shear(shear), &mut work);
    let variance = 0.3 * channel(end).signal.powi(2) + channel(end).noise_variance;
    for i in 0..5 {
        let y = Vector3::from_column_slice(forward.state(i));
        let exact = DensityAt {
            log_density: data.log_density(y.as_slice()),
            response: (end - start) * (y.dot(&(shear * y)) / variance - shear.trace()),
        };
        let before = noise.log_density(&starts[3 * i..3 * i + 3]);
        let score = data.score(y.as_slice());
        let ours = [forward.at_end(i, before, score.as_slice()), back.at_start(i, &noise)];
        for ours in ours {
            // RK4 with h = 0.004.
            assert!((ours.log_density - exact.log_density).abs() < 1e-8, "{ours:?}, {exact:?}");
            assert!((ours.response - exact.response).abs() < 1e-8, "{ours:?}, {exact:?}");
        }
        // From the error and the score alone, g = −q: with the score of another time, even that of the start of
        // the step, it is off by h.
        assert!((accrued.accrued(i) + exact.response).abs() < 1e-8, "{}", accrued.accrued(i));
        // By Liouville ℓ is D log(r_end/r_start), and dℓ/dε = div δ = τ tr B.
        let divergence = (end - start) * shear.trace();
        assert!((forward.log_volume_response(i) - divergence).abs() < 1e-8);
        assert!((forward.log_volume(i) + back.log_volume(i)).abs() < 1e-8);
    }
}

/// w(x) = (sin(x0 + 2 x1), x0 cos x1): its divergence is not 0.
struct Swirl;

impl Drift for Swirl {
    fn dim(&self) -> usize {
        2
    }
    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        out[0] = (x[0] + x[1] * 2.0).sin();
        out[1] = x[0] * x[1].cos();
    }
}

/// x' = v, q' = div w + ⟨w, s⟩ with the exact score s: −q is g by T1.3(iv), which needs no derivative of v.
struct Source<'a>(&'a Atoms);

impl Drift for Source<'_> {
    fn dim(&self) -> usize {
        3
    }
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let (a, b) = SCHEDULE.coefficients(t);
        let (variance, state) = (b * b, &x[..2]);
        let mut mean = [S::from(0.0); 2];
        self.0.denoise(Channel { signal: a, noise_variance: variance }, state, &mut mean);
        GaussianPath { schedule: SCHEDULE, denoiser: self.0 }.velocity(t, state, &mut out[..2]);
        let mut error = [S::from(0.0); 2];
        Swirl.velocity(t, state, &mut error);
        out[2] = (x[0] + x[1] * 2.0).cos() - x[0] * x[1].sin();
        for i in 0..2 {
            out[2] += error[i] * (a * mean[i] - x[i]) / variance; // Tweedie.
        }
    }
}

/// Four thick points of the plane, unequally likely.
fn plane() -> Atoms {
    let points = vec![1.0, 0.2, -0.8, 0.5, 0.1, -1.0, 0.4, 0.9];
    Atoms::new(2, points, Some(vec![0.0, 0.7, -0.5, 0.2]), 0.2).unwrap()
}

const DATA: f64 = 0.98;

/// Log densities and responses at the given points of time [`DATA`].
fn densities<V: Drift, W: Drift>(drift: &V, error: &W, points: &[f64]) -> Vec<DensityAt> {
    let law = plane();
    let mut carried = CarriedPoints::new(2, points);
    carried.run(&sampler(DATA, 0.0, 800), drift, error, &mut StepWorkspace::default());
    let noise = NoisyLaw { denoiser: &law, channel: channel(0.0) };
    (0..carried.count()).map(|i| carried.at_start(i, &noise)).collect()
}

/// The largest difference of responses from those of [`Source`].
fn disagreement(responses: &[DensityAt], points: &[f64]) -> f64 {
    let law = plane();
    let sampler = sampler(DATA, 0.0, 800);
    let mut work = StepWorkspace::default();
    let differences = points.chunks_exact(2).zip(responses).map(|(y, ours)| {
        let mut x = [y[0], y[1], 0.0];
        for k in 0..sampler.maps() {
            sampler.step(&Source(&law), k, &mut x, Lanes::single(0), &mut work);
        }
        (ours.response - x[2]).abs() // Back through time the sign of the integral turns.
    });
    differences.fold(0.0, f64::max)
}

/// The error of RK4 in the plane: 1e-6 at 400 steps, a sixteenth at 800, doubled twice for safety.
const RESOLVED: f64 = 2.5e-7;

#[test]
fn two_formulas_agree_on_the_response_of_a_mixture() {
    let law = plane();
    let drift = GaussianPath { schedule: SCHEDULE, denoiser: &law };
    let points = numbers("points", 20);
    let ours = densities(&drift, &Swirl, &points);
    let largest = ours.iter().map(|at| at.response.abs()).fold(0.0, f64::max);
    assert!(largest > 0.3, "the error matters: {largest}");
    assert!(disagreement(&ours, &points) < RESOLVED);
    let data = NoisyLaw { denoiser: &law, channel: channel(DATA) };
    for (at, y) in ours.iter().zip(points.chunks_exact(2)) {
        assert!((at.log_density - data.log_density(y)).abs() < RESOLVED);
    }
}

/// A field with its divergence multiplied by one factor, the derivatives by another.
struct Mutant<'a, F>(&'a F, f64, f64);

impl<F: Drift> Drift for Mutant<'_, F> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.0.velocity(t, x, out);
    }
    fn push_with_divergence(
        &self,
        t: f64,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Workspace,
    ) {
        self.0.push_with_divergence(t, block, lanes, out, divergence, work);
        for divergence in divergence.chunks_exact_mut(1 + lanes.tangents) {
            divergence[0] *= self.1;
            divergence[1..].iter_mut().for_each(|slope| *slope *= self.2);
        }
    }
}

#[test]
fn dropped_and_turned_terms_are_seen() {
    let law = plane();
    let drift = GaussianPath { schedule: SCHEDULE, denoiser: &law };
    let points = numbers("points", 20);
    let seen = |ours: Vec<DensityAt>| disagreement(&ours, &points) > 1e-2;
    assert!(!seen(densities(&Mutant(&drift, 1.0, 1.0), &Mutant(&Swirl, 1.0, 1.0), &points)));
    assert!(seen(densities(&drift, &Mutant(&Swirl, 0.0, 1.0), &points)), "no div w");
    assert!(seen(densities(&Mutant(&drift, 1.0, 0.0), &Swirl, &points)), "no ⟨∇ div v, δ⟩");
    assert!(seen(densities(&Mutant(&drift, 1.0, -1.0), &Swirl, &points)), "its sign");
    let data = NoisyLaw { denoiser: &law, channel: channel(DATA) };
    let exact = data.log_density(&points[..2]);
    let wrong = densities(&Mutant(&drift, -1.0, 1.0), &Swirl, &points)[0].log_density;
    assert!((wrong - exact).abs() > 1e-2, "the sign of div v");
}

#[test]
fn the_response_is_the_derivative_of_the_same_discrete_log_density() {
    let law = plane();
    let drift = GaussianPath { schedule: SCHEDULE, denoiser: &law };
    let points = numbers("few points", 6);
    let size = 1e-4;
    let moved =
        |e: f64| densities(&Inexact { exact: &drift, error: &Swirl, epsilon: e }, &Swirl, &points);
    let (plus, minus) = (moved(size), moved(-size));
    for ((plus, minus), at) in plus.iter().zip(&minus).zip(densities(&drift, &Swirl, &points)) {
        let difference = (plus.log_density - minus.log_density) / (2.0 * size);
        // ε² times a third derivative of some hundreds at most, and rounding 1e-12/ε.
        assert!((difference - at.response).abs() < 1e-5, "{difference} against {}", at.response);
    }
}

#[test]
fn one_point_more_changes_nothing() {
    let law = plane();
    let drift = GaussianPath { schedule: SCHEDULE, denoiser: &law };
    let points = numbers("many", 26);
    let together = densities(&drift, &Swirl, &points);
    for (y, expected) in points.chunks_exact(2).zip(together) {
        assert_eq!(densities(&drift, &Swirl, y)[0], expected, "to the bit");
    }
}

#[test]
fn sensitivities_are_those_of_the_moved_point() {
    // v = 0 and w = c: δ = c t, nothing else moves.
    struct Constant(f64);
    impl Drift for Constant {
        fn dim(&self) -> usize {
            2
        }
        fn velocity<S: Scalar>(&self, _: S, _: &[S], out: &mut [S]) {
            out.fill(S::from(self.0));
        }
    }
    let mut points = CarriedPoints::new(2, &[1.0, 2.0, 3.0, 4.0]);
    let mut work = StepWorkspace::default();
    points.run(&sampler(0.0, 0.5, 4), &Constant(0.0), &Constant(3.0), &mut work);
    assert_eq!(points.count(), 2);
    assert_eq!(points.state(1), [3.0, 4.0]);
    assert!((DVector::from_column_slice(points.sensitivity(1)).add_scalar(-1.5)).norm() < 1e-15);
    assert_eq!((points.log_volume(1), points.log_volume_response(1)), (0.0, 0.0));
    // A uniform density stays uniform: g = −⟨δ, s⟩ = 0 with s = 0.
    let at = points.at_end(1, -2.0, &[0.0, 0.0]);
    assert_eq!((at.log_density, at.response.abs()), (-2.0, 0.0));
}
