//! Errors, their parts, stochastic samplers as maps, and the response by formulas that share no term.

use driftproof::drift::{
    Atoms, Canonical, Channel, Denoise, Denoiser, Drift, Gaussian, GaussianPath, InVelocity,
    Inexact, Lanes, LearningError, Onset, Parametrisation, PartOf, Schedule, Sphere, Thick,
    Workspace,
};
use driftproof::flow::{
    AncestralSteps, InexactFlow, Maps, Method, Orbit, Sampler, Scheme, StochasticSampler,
    ancestral_step, uniform_times,
};
use driftproof::lyapunov::product;
use driftproof::manifold::{Chart, Manifold, Part};
use driftproof::random::Stream;
use driftproof::response::{
    Lagrangian, LagrangianState, LogDensity, NoisyLaw, along_maps, log_density_slope, sensitivities,
};
use driftproof::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;

fn close(measured: f64, expected: f64, tolerance: f64) {
    let error = (measured - expected).abs();
    assert!(error <= tolerance * (1.0 + expected.abs()), "{measured} against {expected}");
}

fn noise(dim: usize) -> Gaussian {
    Gaussian::diagonal(&vec![1.0; dim]).unwrap()
}

/// N(0, I) as the law that models start from.
const PURE_NOISE: Channel<f64> = Channel { signal: 0.0, noise_variance: 1.0 };

#[test]
fn the_three_responses_of_maps_agree_to_rounding() {
    let sphere = Sphere::new(3, 1.5).unwrap();
    for (seed, method) in [(1, Method::Euler), (2, Method::Heun), (3, Method::Rk4)] {
        let error = LearningError::fourier(3, 6, 0.8, 1.0, Stream::root(seed));
        let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &sphere };
        let sampler = Sampler::new(method, uniform_times(0.0, 0.7, 12));
        let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
        let source = NoisyLaw { denoiser: &sphere, channel: PURE_NOISE };
        let response = along_maps(&maps, &source, &[0.4, -0.9, 1.1]).unwrap();
        let (g, by_error) = (response.from_divergence[12], response.from_error[12]);
        assert!(g.abs() > 0.05, "{g}");
        assert!((g - by_error).abs() <= response.rounding[12], "{g} {by_error}");
        let fixed = log_density_slope(&maps, &source, &response).unwrap();
        assert!((g - fixed).abs() <= response.rounding[12], "{g} {fixed}");
        // And the finite size: log ρ^ε at the fixed end, from inverses by Newton's method.
        let log_density = |epsilon: f64| {
            let mut start = response.states[0].clone();
            for _ in 0..20 {
                let orbit = Orbit::from(&maps, epsilon, start.as_slice()).unwrap();
                let jacobian = product(&orbit);
                start -= jacobian.lu().solve(&(orbit.end() - &response.states[12])).unwrap();
            }
            let orbit = Orbit::from(&maps, epsilon, start.as_slice()).unwrap();
            source.log_density(start.as_slice()) - product(&orbit).determinant().abs().ln()
        };
        close(log_density(0.0), response.log_density[12], 1e-12);
        let h = 1e-4;
        close((log_density(h) - log_density(-h)) / (2.0 * h), g, 1e-6);
    }
}

#[test]
fn the_response_of_gaussian_data_to_a_constant_error_is_in_closed_form() {
    // Trigonometric path: x_i(1) = √λ_i x_i(0); δ_i = b_i ∫ √λ_i/√S_i(t) dt and s = −x/λ, so g = ⟨δ, x/λ⟩.
    let variances = [4.0, 0.25];
    let data = Gaussian::diagonal(&variances).unwrap();
    let drift = GaussianPath { schedule: Schedule::Trigonometric, denoiser: &data };
    let error = LearningError::constant(&[0.7, -0.4]);
    let source = NoisyLaw { denoiser: &data, channel: PURE_NOISE };
    let end = 0.9;
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, end, 200));
    let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
    let start = [0.8, -1.3];
    let response = along_maps(&maps, &source, &start).unwrap();

    let spread = |i: usize, t: f64| {
        let angle = std::f64::consts::FRAC_PI_2 * t;
        (angle.cos().powi(2) + variances[i] * angle.sin().powi(2)).sqrt()
    };
    let mut expected = 0.0;
    for i in 0..2 {
        // Midpoint rule, fine enough for 1e-9.
        let n = 20_000;
        let kernel: f64 = (0..n).map(|k| 1.0 / spread(i, end * (k as f64 + 0.5) / n as f64)).sum();
        let delta = [0.7, -0.4][i] * spread(i, end) * kernel * end / n as f64;
        let (x, s) = (start[i] * spread(i, end), spread(i, end));
        close(response.delta[200][i], delta, 1e-8);
        close(response.score[200][i], -x / (s * s), 1e-8);
        expected += delta * x / (s * s);
    }
    close(response.from_error[200], expected, 1e-8);
    close(response.from_divergence[200], expected, 1e-8);
}

#[test]
fn the_equations_of_the_response_agree_with_the_maps_in_the_limit() {
    let sphere = Sphere::new(2, 1.0).unwrap();
    let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &sphere };
    let error = LearningError::fourier(2, 4, 1.0, 0.5, Stream::root(5));
    let source = NoisyLaw { denoiser: &sphere, channel: PURE_NOISE };
    let start = [0.6, -0.5];
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, 0.8, 100));
    let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
    let discrete = along_maps(&maps, &source, &start).unwrap();

    let larger = Lagrangian { drift: &drift, error: &error };
    let mut x = LagrangianState::start(&start, &source.score(&start), source.log_density(&start));
    for k in 0..100 {
        sampler.map(&larger, k, &mut x);
    }
    let state = LagrangianState::read(&x);
    close(state.from_error, discrete.from_error[100], 1e-6);
    close(state.from_divergence(), state.from_error, 1e-6);
    close(state.divergence, discrete.divergence[100], 1e-6);
    close(state.delta[0], discrete.delta[100][0], 1e-6);
    // The law of the path is known exactly: a = 0.8, b = 0.2.
    let law =
        NoisyLaw { denoiser: &sphere, channel: Channel { signal: 0.8, noise_variance: 0.2 * 0.2 } };
    let end = state.state.as_slice();
    close(state.log_density, law.log_density(end), 1e-6);
    close(state.inner, state.delta.dot(&law.score(end)), 1e-6);
    let off = (law.score(end) - &state.score).norm() / state.score.norm();
    assert!(off < 1e-6, "{off}");
}

/// P w at x/|x|, by hand.
fn tangential<S: Scalar>(x: &[S], w: &[S]) -> Vec<S> {
    let inner = |a: &[S], b: &[S]| a.iter().zip(b).fold(S::from(0.0), |s, (&a, &b)| s + a * b);
    let radial = inner(x, w) / inner(x, x);
    x.iter().zip(w).map(|(&x, &w)| w - x * radial).collect()
}

#[test]
fn parts_of_an_error_and_their_derivatives_are_those_of_the_sphere() {
    let sphere =
        Manifold::new(Chart::Sphere(driftproof::manifold::Sphere { dim: 2, radius: 2.0 })).unwrap();
    let error = LearningError::fourier(3, 5, 1.0, 1.0, Stream::root(9));
    // Two orders at once: an outer direction over an inner one.
    let x: Vec<Dual<Dual<f64>>> = [(0.9, 0.3, -0.2), (-1.2, 0.5, 0.7), (0.8, -0.4, 0.1)]
        .map(|(x, a, b)| Dual::new(Dual::new(x, a), Dual::new(b, 0.0)))
        .to_vec();
    let mut whole = x.clone();
    error.velocity(0.0.into(), &x, &mut whole);
    let expected = tangential(&x, &whole);
    for (part, sign) in [(Part::Tangent, 0.0), (Part::Normal, 1.0)] {
        let field = PartOf { error: &error, part, manifold: &sphere };
        let mut w = x.clone();
        field.velocity(0.0.into(), &x, &mut w);
        for i in 0..3 {
            let expected = if sign == 0.0 { expected[i] } else { whole[i] - expected[i] };
            close(w[i].re.re, expected.re.re, 1e-13);
            close(w[i].re.eps, expected.re.eps, 1e-12);
            close(w[i].eps.re, expected.eps.re, 1e-12);
            close(w[i].eps.eps, expected.eps.eps, 1e-11);
        }
    }
}

#[test]
fn a_normal_error_along_a_curve_is_orthogonal_to_it_and_turns_with_it() {
    let ellipse =
        Manifold::new(Chart::Ellipse(driftproof::manifold::Ellipse { a: 2.0, b: 1.0 })).unwrap();
    let error = LearningError::constant(&[1.0, 0.5]);
    let field = PartOf { error: &error, part: Part::Normal, manifold: &ellipse };
    let at = |angle: f64, off: f64| {
        let (normal, point) = ([angle.cos(), 2.0 * angle.sin()], [2.0 * angle.cos(), angle.sin()]);
        let length = normal[0].hypot(normal[1]);
        ([point[0] + off * normal[0] / length, point[1] + off * normal[1] / length], normal)
    };
    for angle in [0.3, 1.4, 4.0] {
        let (x, normal) = at(angle, 0.2);
        let mut w = [0.0; 2];
        field.velocity(0.0, &x, &mut w);
        close(w[0] * normal[1] - w[1] * normal[0], 0.0, 1e-12);
        // Constant along the normal, so its Jacobian kills it; along the curve, against a difference.
        let jacobian = field.jacobian(0.0, &x, &mut Workspace::default());
        let along = jacobian * DVector::from_column_slice(&normal);
        assert!(along.norm() < 1e-11, "{along}");
    }
}

#[test]
fn bounds_of_errors_hold_and_late_errors_are_late() {
    let error = LearningError::fourier(4, 8, 0.5, 1.0, Stream::root(2));
    let [size, slope, bend] = error.bounds();
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let waves = error.waves().iter();
    let wanted: f64 = waves.map(|w| norm(&w.coefficient) * norm(&w.wave_vector).powi(2)).sum();
    close(bend, wanted, 1e-12);
    let mut square = 0.0;
    for index in 0..400 {
        let x: Vec<f64> =
            Stream::root(3).indexed(index).normals(4).iter().map(|z| 5.0 * z).collect();
        let mut w = [0.0; 4];
        error.velocity(0.0, &x, &mut w);
        let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
        let jacobian = error.jacobian(0.0, &x, &mut Workspace::default());
        assert!(norm <= size && jacobian.norm() <= 2.0 * slope);
        square += norm * norm / 400.0;
    }
    // Mean square 1 over space and draws of the coefficients; 8 waves in 4 dimensions spread by some 40 %.
    assert!((0.3..2.5).contains(&square), "{square}");
    let late = LearningError::constant(&[2.0]).late(Onset { time: 0.8, width: 0.01 });
    let mut w = [0.0];
    for (t, expected) in [(0.5, 0.0), (0.8, 1.0), (0.95, 2.0)] {
        late.velocity(t, &[0.0], &mut w);
        close(w[0], expected, 1e-12);
    }
    let falling = LearningError::constant(&[2.0]).late(Onset { time: 0.8, width: -0.01 });
    falling.velocity(0.5, &[0.0], &mut w);
    close(w[0], 2.0, 1e-12);
}

#[test]
fn an_error_of_the_noise_moves_the_velocity_by_its_factor_and_an_inexact_field_by_epsilon() {
    let schedule = Schedule::FlowMatching;
    let error = LearningError::constant(&[1.0, 2.0]);
    let parametrisation = Parametrisation::Noise;
    let field = InVelocity { error: &error, parametrisation, schedule };
    let data = noise(2);
    let path = GaussianPath { schedule, denoiser: &data };
    let inexact = Inexact { exact: &path, error: &field, epsilon: 0.1 };
    let (mut v, mut moved) = ([0.0; 2], [0.0; 2]);
    path.velocity(0.5, &[1.0, 1.0], &mut v);
    inexact.velocity(0.5, &[1.0, 1.0], &mut moved);
    // w = −e/s at s = 1/2.
    close(moved[0] - v[0], -0.2, 1e-14);
    close(moved[1] - v[1], -0.4, 1e-14);
}

#[test]
fn an_inexact_field_pushes_tangents_as_its_generic_definition_does() {
    let (dim, sigma, epsilon) = (3, 0.4, 0.7);
    let points = Stream::root(5).normals(20 * dim);
    let data = Atoms::new(dim, points, None, 0.1).unwrap();
    let exact = Canonical { denoiser: &data };
    let error = LearningError::fourier(dim, 3, 0.8, 1.0, Stream::root(6));
    let field = Inexact { exact: &exact, error: &error, epsilon };
    let x = [0.3, -0.2, 0.5];
    let jacobian = field.jacobian(sigma, &x, &mut Workspace::default());
    for j in 0..dim {
        let seed = |(i, &x): (usize, &f64)| Dual::new(x, f64::from(u8::from(i == j)));
        let carried: Vec<Dual<f64>> = x.iter().enumerate().map(seed).collect();
        let mut moved = carried.clone();
        field.velocity(Dual::from(sigma), &carried, &mut moved);
        for (i, v) in moved.iter().enumerate() {
            close(jacobian[(i, j)], v.eps, 1e-12);
        }
    }
}

#[test]
fn sensitivities_are_the_derivative_of_orbits_in_the_size_of_the_error() {
    let sphere = Sphere::new(3, 1.0).unwrap();
    let error = LearningError::fourier(3, 3, 1.0, 1.0, Stream::root(4));
    for scheme in [Scheme::EulerMaruyama, Scheme::Ancestral] {
        let maps = StochasticSampler::new(
            Schedule::Trigonometric,
            scheme,
            uniform_times(0.05, 0.8, 20),
            &sphere,
            &error,
            Stream::root(8),
        )
        .unwrap();
        let start = [0.3, -1.0, 0.4];
        let (end, delta) = sensitivities(&maps, &start).unwrap().pop().unwrap();
        let at = |epsilon: f64| Orbit::from(&maps, epsilon, &start).unwrap().end().clone();
        assert_eq!(at(0.0), end);
        let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((&difference - &delta).norm() < 1e-8 * delta.norm());
    }
}

#[test]
fn ancestral_maps_of_any_path_are_the_canonical_step_in_its_own_coordinates() {
    let sphere = Sphere::new(2, 1.0).unwrap();
    let none = LearningError::constant(&[0.0, 0.0]);
    let schedule = Schedule::FlowMatching;
    let times = vec![0.3, 0.6];
    let maps =
        StochasticSampler::new(schedule, Scheme::Ancestral, times, &sphere, &none, Stream::root(1))
            .unwrap();
    let mut x = [0.5, -0.8];
    let mut y: Vec<f64> = x.iter().map(|x| x / 0.3).collect();
    maps.map(0, 0.0, &mut x);
    let lanes = Lanes::single(0);
    let (from, to) = (0.7 / 0.3, 0.4 / 0.6);
    ancestral_step(&sphere, from, to, maps.noise(0), &mut y, lanes, &mut Default::default());
    close(x[0], 0.6 * y[0], 1e-13);
    close(x[1], 0.6 * y[1], 1e-13);
}

#[test]
fn the_block_form_of_an_ancestral_step_is_its_map_on_values_and_duals() {
    let sphere = Denoiser::Sphere(Sphere::new(3, 1.5).unwrap());
    let thick = Thick::new(sphere, 0.05).unwrap();
    let levels = [3.0, 0.8, 0.3];
    let noise = [vec![0.4, -1.2, 0.7], vec![-0.9, 0.1, 1.6]];
    let steps = AncestralSteps { denoiser: &thick, levels: &levels, noise: &noise };
    let start = [1.2, -0.8, 2.0];
    let directions = DMatrix::from_row_slice(3, 2, &[1.0, 0.2, -0.5, 1.0, 0.3, -0.7]);
    // A state with its two tangents, as the block form moves them.
    let mut block: Vec<f64> = start.iter().chain(directions.iter()).copied().collect();
    let lanes = Lanes { trajectories: 1, tangents: 2 };
    for (k, z) in noise.iter().enumerate() {
        let (from, to) = (levels[k], levels[k + 1]);
        ancestral_step(&thick, from, to, z, &mut block, lanes, &mut Default::default());
    }
    let orbit = Orbit::from(&steps, 0.0, &start).unwrap();
    let tangents = product(&orbit) * directions;
    for (moved, expected) in block.iter().zip(orbit.end().iter().chain(tangents.iter())) {
        close(*moved, *expected, 1e-13);
    }
}

#[test]
fn euler_maruyama_keeps_the_variance_of_gaussian_data() {
    // One dimension: Var ← (α + β g)² Var + γ², D = g x; to first order in the step, the path's own variance.
    let data = Gaussian::diagonal(&[0.3]).unwrap();
    let none = LearningError::constant(&[0.0]);
    let schedule = Schedule::VpLinear { beta_min: 0.1, beta_max: 12.0 };
    let error_of = |steps: usize| {
        let times = uniform_times(0.02, 0.9, steps);
        let start = Stream::root(0);
        let maps = StochasticSampler::new(
            schedule,
            Scheme::EulerMaruyama,
            times.clone(),
            &data,
            &none,
            start,
        )
        .unwrap();
        let at = |t: f64| {
            let (a, b) = schedule.coefficients(t);
            (a, b, a * a * 0.3 + b * b)
        };
        let mut variance = at(0.02).2;
        for (k, &t) in times[..steps].iter().enumerate() {
            let (a, b, _) = at(t);
            let mut mean = [0.0];
            data.denoise(Channel { signal: a, noise_variance: b * b }, &[1.0], &mut mean);
            let (alpha, beta, gamma) = maps.coefficients(k);
            variance = (alpha + beta * mean[0]).powi(2) * variance + gamma * gamma;
        }
        (variance / at(0.9).2 - 1.0).abs()
    };
    let (coarse, fine) = (error_of(400), error_of(1600));
    assert!(fine < 0.01 && fine < 0.3 * coarse, "{coarse} {fine}");
}

#[test]
fn euler_maruyama_reverses_the_noising_process_and_no_other() {
    // Any multiple of g² keeps the law at each time; the noising process of a = s, b = 1 − s has
    // g² = −2b²σ'/σ = 2b/a. With D = E[X | x] the velocity is (D − x)/b, the score (aD − x)/b².
    let data = Gaussian::diagonal(&[0.3]).unwrap();
    let none = LearningError::constant(&[0.0]);
    let (schedule, scheme) = (Schedule::FlowMatching, Scheme::EulerMaruyama);
    let times = vec![0.2, 0.5, 0.9];
    let maps =
        StochasticSampler::new(schedule, scheme, times.clone(), &data, &none, Stream::root(0))
            .unwrap();
    for (k, pair) in times.windows(2).enumerate() {
        let (a, b, h) = (pair[0], 1.0 - pair[0], pair[1] - pair[0]);
        let half = b / a;
        let (of_x, of_mean, of_noise) = maps.coefficients(k);
        close(of_x, 1.0 - h * (1.0 / b + half / (b * b)), 1e-13);
        close(of_mean, h * (1.0 / b + half * a / (b * b)), 1e-13);
        close(of_noise, (2.0 * half * h).sqrt(), 1e-13);
    }
}

/// x ↦ a x + ε (c + b x), coordinate by coordinate, one set of numbers a map.
struct Diagonal(Vec<[[f64; 2]; 3]>);

impl Maps for Diagonal {
    fn dim(&self) -> usize {
        2
    }
    fn maps(&self) -> usize {
        self.0.len()
    }
    fn map<S: Scalar>(&self, k: usize, epsilon: S, x: &mut [S]) {
        let [a, b, c] = self.0[k];
        for i in 0..2 {
            x[i] = x[i] * a[i] + epsilon * (x[i] * b[i] + c[i]);
        }
    }
}

#[test]
fn the_estimate_of_rounding_is_units_of_the_terms_times_the_condition() {
    // A map that contracts comes first, so that what it loses is carried along.
    let maps = Diagonal(vec![
        [[0.25, 3.0], [0.3, -0.8], [1.5, -2.0]],
        [[5.0, 0.5], [0.6, 0.9], [0.7, 3.0]],
    ]);
    let pure = noise(2);
    let source =
        NoisyLaw { denoiser: &pure, channel: Channel { signal: 0.0, noise_variance: 1.0 } };
    let start = [1.2, -0.7];
    let response = along_maps(&maps, &source, &start).unwrap();
    let norm = |v: [f64; 2]| v[0].hypot(v[1]);
    let each = |f: &dyn Fn(usize) -> f64| [f(0), f(1)];
    let (mut x, mut delta, mut slope, mut whole) = (start, [0.0; 2], [0.0; 2], [1.0; 2]);
    let (mut lost, mut sum): (f64, f64) = (1.0, 0.0);
    for (k, [a, b, c]) in maps.0.iter().enumerate() {
        let error = each(&|i| b[i] * x[i] + c[i]);
        // δ is affine in x: Dδ ← (a Dδ + b)/a.
        (x, delta) = (each(&|i| a[i] * x[i]), each(&|i| a[i] * delta[i] + error[i]));
        slope = each(&|i| slope[i] + b[i] / a[i]);
        whole = each(&|i| whole[i] * a[i]);
        let score = each(&|i| -start[i] / whole[i]);
        let condition = whole[0].max(whole[1]) / whole[0].min(whole[1]);
        lost = lost.max((1.0 + norm(*a)) * norm(each(&|i| 1.0 / a[i])));
        let at_start = norm(start) + norm(each(&|i| whole[i] * score[i]));
        let terms = 1.0
            + norm(slope)
            + (norm(delta) + norm(error)) * norm(score)
            + norm(each(&|i| delta[i] / whole[i])) * at_start;
        sum += 16.0 * f64::EPSILON * condition * lost * terms;
        close(response.rounding[k + 1] / sum, 1.0, 1e-12);
        // The response itself: g = −(tr Dδ + ⟨δ, s⟩).
        let g = -(slope[0] + slope[1] + delta[0] * score[0] + delta[1] * score[1]);
        close(response.from_divergence[k + 1], g, 1e-13);
        close(response.from_error[k + 1], g, 1e-13);
    }
}

#[test]
fn an_end_that_moves_by_a_millionth_of_the_sensitivity_is_an_error() {
    let pure = noise(2);
    let source = NoisyLaw { denoiser: &pure, channel: PURE_NOISE };
    for size in [1e-3, 1e3] {
        let maps = Diagonal(vec![[[0.5, 2.0], [0.0; 2], [size, 0.0]]]);
        let right = along_maps(&maps, &source, &[0.4, 0.3]).unwrap();
        // A Jacobian that is off by the share η moves the end by η |δ|.
        for (share, fails) in [(0.5, false), (2.0, true)] {
            let mut wrong = right.clone();
            wrong.jacobian *= 1.0 + share * 1e-6 * (1.0 + size) / size;
            let slope = log_density_slope(&maps, &source, &wrong);
            assert_eq!(slope.is_err(), fails, "|δ| = {size}: {slope:?}");
        }
    }
}

/// v_i = c_i sin(x_i + x_{i+1}), around a circle of coordinates.
struct Ring;

impl Ring {
    const DIM: usize = 10;

    fn rate(i: usize) -> f64 {
        0.3 + 0.1 * i as f64
    }
}

impl Drift for Ring {
    fn dim(&self) -> usize {
        Self::DIM
    }
    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        for i in 0..Self::DIM {
            out[i] = (x[i] + x[(i + 1) % Self::DIM]).sin() * Self::rate(i);
        }
    }
}

/// w_i = b_i x_i².
struct Squares;

impl Drift for Squares {
    fn dim(&self) -> usize {
        Ring::DIM
    }
    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        for i in 0..Ring::DIM {
            out[i] = x[i] * x[i] * (1.0 - 0.3 * i as f64);
        }
    }
}

#[test]
fn the_equations_of_the_response_in_more_dimensions_than_lanes_are_in_closed_form() {
    let d = Ring::DIM;
    let larger = Lagrangian { drift: &Ring, error: &Squares };
    assert_eq!(larger.dim(), 3 * d + 4);
    let z = Stream::root(12).normals(3 * d + 4);
    let mut out = vec![0.0; 3 * d + 4];
    larger.velocity(0.3, &z, &mut out);
    let (x, delta, score) = (&z[..d], &z[d..2 * d], &z[2 * d..3 * d]);
    let (after, before) = (|i: usize| (i + 1) % d, |i: usize| (i + d - 1) % d);
    let cosine = |i: usize| Ring::rate(i) * (x[i] + x[after(i)]).cos();
    let sine = |i: usize| Ring::rate(i) * (x[i] + x[after(i)]).sin();
    let weight = |i: usize| 1.0 - 0.3 * i as f64;
    let sum = |f: &dyn Fn(usize) -> f64| (0..d).map(f).sum::<f64>();
    // ∂_j div v: x_j stands in the terms j and j − 1 of div v = Σ c_i cos(x_i + x_{i+1}).
    let bend = |j: usize| -sine(j) - sine(before(j));
    for i in 0..d {
        close(out[i], sine(i), 1e-13);
        let error = weight(i) * x[i] * x[i];
        close(out[d + i], cosine(i) * (delta[i] + delta[after(i)]) + error, 1e-13);
        let pulled = cosine(i) * score[i] + cosine(before(i)) * score[before(i)];
        close(out[2 * d + i], -pulled - bend(i), 1e-13);
    }
    let bent = sum(&|i| bend(i) * delta[i]);
    let divergence = sum(&|i| 2.0 * weight(i) * x[i]);
    let inner = sum(&|i| weight(i) * x[i] * x[i] * score[i]);
    let expected = [bent + divergence, inner - bent, -divergence - inner, -sum(&cosine)];
    out[3 * d..].iter().zip(expected).for_each(|(out, expected)| close(*out, expected, 1e-13));
}
