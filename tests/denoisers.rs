//! Posterior means against sums, quadrature, and the laws that every denoiser obeys.

use driftproof::drift::{
    Atoms, Channel, Denoise, Denoiser, Gaussian, Lanes, Moved, Product, Segment, Sphere, Thick,
    Workspace,
};
use driftproof::linalg::frame_from_normals;
use driftproof::random::Stream;
use driftproof::special::gauss_legendre;
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;
use statrs::function::gamma::ln_gamma;
use std::f64::consts::{PI, TAU};

/// Rounding of sums of a few dozen terms of size one.
const ROUNDING: f64 = 1e-12;

/// A generic frame of R^rows.
fn frame(name: &str, rows: usize, columns: usize) -> DMatrix<f64> {
    let normals = Stream::root(1).named(name).normals(rows * columns);
    frame_from_normals(rows, columns, &normals)
}

fn atoms(dim: usize, count: usize, thickness: f64) -> Atoms {
    let stream = Stream::root(2).named("atoms");
    let weights = stream.named("weights").normals(count);
    Atoms::new(dim, stream.normals(dim * count), Some(weights), thickness).unwrap()
}

fn gaussian() -> Gaussian {
    let axes = frame("gaussian", 3, 3);
    Gaussian::new(vec![0.3, -0.2, 0.9], axes, vec![2.0, 0.3, 0.0]).unwrap()
}

/// One law of every kind, none aligned with the coordinates.
fn laws() -> Vec<(&'static str, Denoiser)> {
    let sphere = Sphere::new(3, 1.3).unwrap();
    let circle = Sphere::new(2, 0.8).unwrap();
    let segment = Segment::new(1.2).unwrap();
    let torus = Product::new(vec![circle.into(), segment.into(), circle.into()]).unwrap();
    let thick = Thick::new(sphere.into(), 0.4).unwrap();
    let moved = Moved::new(torus.clone().into(), frame("moved", 7, 5), vec![0.5; 7]).unwrap();
    vec![
        ("atoms", atoms(3, 6, 0.0).into()),
        ("mixture", atoms(3, 6, 0.3).into()),
        ("gaussian", gaussian().into()),
        ("two points", Sphere::new(1, 0.7).unwrap().into()),
        ("circle", circle.into()),
        ("sphere", sphere.into()),
        ("segment", segment.into()),
        ("torus", torus.into()),
        ("thick sphere", thick.clone().into()),
        ("moved torus", moved.into()),
        ("moved thick", Moved::new(thick.into(), frame("b", 4, 3), vec![-0.1; 4]).unwrap().into()),
    ]
}

/// From nearly pure noise to little noise.
const CHANNELS: [Channel<f64>; 4] = [
    Channel { signal: 0.05, noise_variance: 0.9 },
    Channel { signal: 0.6, noise_variance: 0.64 },
    Channel { signal: 1.0, noise_variance: 4.0 },
    Channel { signal: 0.9, noise_variance: 0.02 },
];

fn state(dim: usize, seed: u64) -> Vec<f64> {
    Stream::root(seed).named("state").normals(dim)
}

fn mean(law: &impl Denoise, channel: Channel<f64>, x: &[f64]) -> DVector<f64> {
    let mut out = DVector::zeros(law.dim());
    law.denoise(channel, x, out.as_mut_slice());
    out
}

/// ∇ log p by one dual for each coordinate.
fn score(law: &impl Denoise, channel: Channel<f64>, x: &[f64]) -> DVector<f64> {
    DVector::from_fn(x.len(), |i, _| {
        let dual = |j: usize| Dual::new(x[j], if i == j { 1.0 } else { 0.0 });
        let x: Vec<Dual<f64>> = (0..x.len()).map(dual).collect();
        law.log_density(channel.lift(), &x).eps
    })
}

#[test]
fn tweedie_ties_the_posterior_mean_to_the_density() {
    for (name, law) in laws() {
        for channel in CHANNELS {
            let x = state(law.dim(), 3);
            let lhs = mean(&law, channel, &x) * channel.signal;
            let right =
                DVector::from_vec(x.clone()) + score(&law, channel, &x) * channel.noise_variance;
            let error = (&lhs - right).norm();
            assert!(error < ROUNDING * (1.0 + lhs.norm()), "{name} {channel:?}: {error:e}");
        }
    }
}

#[test]
fn a_wrong_gain_breaks_tweedie() {
    // The check above must be able to fail: the same law seen through slightly less noise is rejected.
    for (name, law) in laws() {
        let x = state(law.dim(), 3);
        let channel = CHANNELS[1];
        let wrong = Channel { noise_variance: 0.63, ..channel };
        let lhs = mean(&law, wrong, &x) * channel.signal;
        let right =
            DVector::from_vec(x.clone()) + score(&law, channel, &x) * channel.noise_variance;
        assert!((lhs - right).norm() > 1e-4, "{name}");
    }
}

#[test]
fn posterior_covariance_is_symmetric_and_nonnegative() {
    for (name, law) in laws() {
        for channel in CHANNELS {
            let (_, covariance) = law.posterior(channel, &state(law.dim(), 4));
            let defect = (&covariance - covariance.transpose()).norm();
            assert!(defect < ROUNDING, "{name} {channel:?}: {defect:e}");
            let least = driftproof::linalg::mu_min(&covariance);
            assert!(least > -ROUNDING, "{name} {channel:?}: {least:e}");
        }
    }
}

#[test]
fn push_agrees_with_duals_of_the_definition() {
    // Overrides and the dispatch against one plain dual per tangent; two trajectories of eleven tangents.
    let lanes = Lanes { trajectories: 2, tangents: 11 };
    for (name, law) in laws() {
        let d = law.dim();
        let block = Stream::root(5).named(name).normals(d * lanes.columns());
        let mut out = vec![f64::NAN; block.len()];
        law.push(CHANNELS[1], &block, lanes, &mut out, &mut Workspace::default());
        for (from, to) in block.chunks(d * 12).zip(out.chunks(d * 12)) {
            for k in 1..12 {
                let dual = |j: usize| Dual::new(from[j], from[k * d + j]);
                let x: Vec<Dual<f64>> = (0..d).map(dual).collect();
                let mut expected = vec![Dual::from(0.0); d];
                law.denoise(CHANNELS[1].lift(), &x, &mut expected);
                for (j, expected) in expected.iter().enumerate() {
                    assert!((to[j] - expected.re).abs() < ROUNDING, "{name}");
                    assert!((to[k * d + j] - expected.eps).abs() < ROUNDING, "{name}");
                }
            }
        }
    }
}

#[test]
fn pure_noise_says_nothing() {
    // At a = 0 the posterior is the law itself and p = N(0, b² I).
    let channel = Channel { signal: 0.0, noise_variance: 0.7 };
    for (name, law) in laws() {
        let x = state(law.dim(), 6);
        let prior = mean(&law, channel, &x);
        assert!((&prior - mean(&law, channel, &state(law.dim(), 7))).norm() < ROUNDING, "{name}");
        let square: f64 = x.iter().map(|v| v * v).sum();
        let expected = -square / 1.4 - 0.5 * law.dim() as f64 * (TAU * 0.7).ln();
        assert!((law.log_density(channel, &x) - expected).abs() < ROUNDING, "{name}");
        // d/da E[X | x] at a = 0 is Cov(X) x/b².
        let mut out = vec![Dual::from(0.0); law.dim()];
        let lifted: Vec<_> = x.iter().map(|v| Dual::from(*v)).collect();
        let opening = Channel { signal: Dual::new(0.0, 1.0), noise_variance: Dual::from(0.7) };
        law.denoise(opening, &lifted, &mut out);
        assert!(out.iter().all(|o| o.eps.is_finite()), "{name}");
        if name == "sphere" {
            let expected = 1.3 * 1.3 / 3.0 * x[0] / 0.7;
            assert!((out[0].eps - expected).abs() < ROUNDING);
        }
        if name == "segment" {
            let expected = 1.2 * 1.2 / 3.0 * x[0] / 0.7;
            assert!((out[0].eps - expected).abs() < ROUNDING);
        }
    }
}

/// Mass, mean and covariance of a discrete posterior with those weights on the columns of `points`.
fn moments(points: &DMatrix<f64>, weights: &[f64]) -> (f64, DVector<f64>, DMatrix<f64>) {
    let mass: f64 = weights.iter().sum();
    let weights = DVector::from_column_slice(weights) / mass;
    let mean = points * &weights;
    let mut covariance = DMatrix::zeros(points.nrows(), points.nrows());
    for (point, weight) in points.column_iter().zip(&weights) {
        let offset = point - &mean;
        covariance += &offset * offset.transpose() * *weight;
    }
    (mass, mean, covariance)
}

/// b-Gaussian density of the observation x of each column of `points`.
fn likelihoods(points: &DMatrix<f64>, channel: Channel<f64>, x: &[f64]) -> Vec<f64> {
    let x = DVector::from_column_slice(x);
    let peak = (TAU * channel.noise_variance).powf(-0.5 * x.len() as f64);
    let of = |p: nalgebra::DVectorView<f64>| {
        let square = (&x - p * channel.signal).norm_squared();
        peak * (-square / (2.0 * channel.noise_variance)).exp()
    };
    points.column_iter().map(of).collect()
}

#[test]
fn atoms_agree_with_their_direct_posterior_sum() {
    let law = atoms(3, 6, 0.0);
    let points = DMatrix::from_column_slice(3, 6, law.points());
    for channel in CHANNELS {
        let x = state(3, 8);
        let mut weights = likelihoods(&points, channel, &x);
        weights.iter_mut().zip(law.log_weights()).for_each(|(w, l)| *w *= l.exp());
        let (mass, expected_mean, expected_covariance) = moments(&points, &weights);
        let (found, covariance) = law.posterior(channel, &x);
        assert!((DVector::from_vec(found) - expected_mean).norm() < ROUNDING);
        assert!((covariance - expected_covariance).norm() < ROUNDING);
        assert!((law.log_density(channel, &x) - mass.ln()).abs() < ROUNDING);
    }
    let total: f64 = law.log_weights().iter().map(|w| w.exp()).sum();
    assert!((total - 1.0).abs() < ROUNDING);
    for (half, p) in law.half_norms().iter().zip(points.column_iter()) {
        assert!((half - 0.5 * p.norm_squared()).abs() < ROUNDING);
    }
}

#[test]
fn near_atoms_keep_their_digits_under_tiny_noise() {
    // Two atoms δ apart, far from the origin, seen at the midpoint with σ = δ: tanh law of the pair.
    let (far, delta) = (1e3, 1e-6);
    let separation = (far + delta) - far;
    // A third one, of no weight there, must not be what the two are compared with.
    for others in [vec![], vec![far - 100.0]] {
        let points = others.into_iter().chain([far, far + delta]).collect();
        let law = Atoms::new(1, points, None, 0.0).unwrap();
        let (found, covariance) = law.posterior(Channel::canonical(delta), &[far]);
        // Odds e^{−δ²/2σ²}: mean far + δ/(1 + e^{1/2}), variance δ² w (1 − w).
        let w = 1.0 / (1.0 + (0.5 * (separation / delta).powi(2)).exp());
        assert!((found[0] - far - separation * w).abs() <= far * f64::EPSILON);
        let expected = separation * separation * w * (1.0 - w);
        assert!((covariance[(0, 0)] / expected - 1.0).abs() < 1e-9);
    }
}

#[test]
fn the_likeliest_atom_is_found_however_unlikely_it_is_beforehand() {
    // Seen at an atom with noise far below the distances, the posterior is that atom; compared with any other, its odds
    // are beyond all numbers.
    let (points, logs, sigma) = ([0.0, 1.0, -4.0, 9.0_f64], [0.0, -40.0, -3.0, -60.0], 1e-3_f64);
    let law = Atoms::new(1, points.to_vec(), Some(logs.to_vec()), 0.0).unwrap();
    for (point, log_weight) in points.iter().zip(law.log_weights()) {
        let x = [point + 0.5 * sigma];
        assert_eq!(mean(&law, Channel::canonical(sigma), &x)[0], *point);
        let peak = log_weight - 0.125 - 0.5 * (TAU * sigma * sigma).ln();
        let found = law.log_density(Channel::canonical(sigma), &x);
        assert!((found - peak).abs() < ROUNDING * peak.abs(), "{found} {peak}");
    }
}

#[test]
fn a_mixture_is_atoms_made_thick() {
    let thin = Thick::new(atoms(3, 6, 0.0).into(), 0.3).unwrap();
    for channel in CHANNELS {
        let x = state(3, 9);
        let difference = mean(&thin, channel, &x) - mean(&atoms(3, 6, 0.3), channel, &x);
        assert!(difference.norm() < ROUNDING);
        let logs = thin.log_density(channel, &x) - atoms(3, 6, 0.3).log_density(channel, &x);
        assert!(logs.abs() < ROUNDING);
    }
}

#[test]
fn gaussian_agrees_with_the_matrix_form_of_bayes() {
    let law = gaussian();
    let prior = law.axes()
        * DMatrix::from_diagonal(&DVector::from_column_slice(law.variances()))
        * law.axes().transpose();
    let prior_mean = DVector::from_column_slice(law.mean());
    for channel in CHANNELS {
        let (a, variance) = (channel.signal, channel.noise_variance);
        let x = DVector::from_vec(state(3, 10));
        let marginal = &prior * (a * a) + DMatrix::identity(3, 3) * variance;
        let inverse = marginal.clone().try_inverse().unwrap();
        let residual = &x - &prior_mean * a;
        let expected = &prior_mean + &prior * &inverse * &residual * a;
        let expected_covariance = &prior - &prior * &inverse * &prior * (a * a);
        let (found, covariance) = law.posterior(channel, x.as_slice());
        assert!((DVector::from_vec(found) - expected).norm() < ROUNDING);
        assert!((covariance - expected_covariance).norm() < ROUNDING);
        let log =
            -0.5 * (residual.dot(&(&inverse * &residual)) + (marginal * TAU).determinant().ln());
        assert!((law.log_density(channel, x.as_slice()) - log).abs() < ROUNDING);
    }
}

/// Posterior of the sphere along r = x/|x| by quadrature over the polar angle: log density of x, mean
/// along r, variances along and across r.
fn sphere_by_quadrature(n: usize, radius: f64, channel: Channel<f64>, distance: f64) -> [f64; 4] {
    let (nodes, weights): (Vec<f64>, Vec<f64>) = gauss_legendre(400).into_iter().unzip();
    let kappa = channel.signal * radius * distance / channel.noise_variance;
    // The density e^{κ(cos φ − 1)} sin^{n−2} φ has width about √(n/κ): 12 widths hold all of it.
    let widest = PI.min(12.0 * ((n as f64 + 10.0) / kappa.max(1e-300)).sqrt());
    let angles: Vec<f64> = nodes.iter().map(|x| 0.5 * widest * (1.0 + x)).collect();
    let law: Vec<f64> = (angles.iter().zip(&weights))
        .map(|(phi, w)| {
            let drop = -2.0 * kappa * (0.5 * phi).sin().powi(2);
            0.5 * widest * w * (drop + (n as f64 - 2.0) * phi.sin().ln()).exp()
        })
        .collect();
    let mass: f64 = law.iter().sum();
    let expect = |f: &dyn Fn(f64) -> f64| {
        angles.iter().zip(&law).map(|(phi, w)| w * f(*phi)).sum::<f64>() / mass
    };
    // Distances from the pole keep their digits: 1 − cos φ = 2 sin²(φ/2).
    let depth = |phi: f64| 2.0 * (0.5 * phi).sin().powi(2);
    let mean_depth = expect(&depth);
    let along = expect(&|phi| (depth(phi) - mean_depth).powi(2));
    let across = expect(&|phi| phi.sin().powi(2)) / (n as f64 - 1.0);
    // ∫ sin^{n−2} over [0, π] = √π Γ((n−1)/2)/Γ(n/2).
    let half = n as f64 / 2.0;
    let area = 0.5 * PI.ln() + ln_gamma(half - 0.5) - ln_gamma(half);
    let miss = distance - channel.signal * radius;
    let log_density = mass.ln()
        - area
        - miss * miss / (2.0 * channel.noise_variance)
        - half * (TAU * channel.noise_variance).ln();
    let square = radius * radius;
    [log_density, radius * (1.0 - mean_depth), square * along, square * across]
}

#[test]
fn sphere_agrees_with_quadrature_over_the_polar_angle() {
    let cases = [(2, 1.0), (2, 0.1), (3, 0.5), (5, 0.01), (20, 0.3), (100, 0.2), (1000, 0.05)];
    for (n, sigma) in cases {
        let law = Sphere::new(n, 1.4).unwrap();
        for distance in [0.3, 1.4, 2.5] {
            let channel = Channel { signal: 0.8, noise_variance: sigma * sigma };
            let [log_density, along, radial, tangential] =
                sphere_by_quadrature(n, 1.4, channel, distance);
            let mut direction = state(n, 11);
            let norm = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
            direction.iter_mut().for_each(|v| *v /= norm);
            let x: Vec<f64> = direction.iter().map(|v| v * distance).collect();
            let direction = DVector::from_vec(direction);
            let found = mean(&law, channel, &x);
            let label = format!("n={n} σ={sigma} |x|={distance}");
            assert!((&found - &direction * along).norm() < ROUNDING, "{label}");
            let log = law.log_density(channel, &x);
            // statrs' ln_gamma in the reference is good to 1e-13 of its value.
            let bound = ROUNDING * (1.0 + log.abs() + n as f64);
            assert!((log - log_density).abs() < bound, "{label}: {log} {log_density}");
            let variances = law.posterior_variances(channel, distance);
            assert!((variances.0 / radial - 1.0).abs() < 1e-10, "{label}: {variances:?} {radial}");
            assert!((variances.1 / tangential - 1.0).abs() < 1e-10, "{label}");
            if n <= 100 {
                let (_, covariance) = law.posterior(channel, &x);
                let identity = DMatrix::identity(n, n);
                let line = &direction * direction.transpose();
                let expected = &line * radial + (identity - &line) * tangential;
                assert!(
                    (covariance - expected).norm() < ROUNDING * tangential * n as f64,
                    "{label}"
                );
            }
        }
    }
}

#[test]
fn sphere_is_regular_at_its_centre_and_finite_at_extreme_concentration() {
    let law = Sphere::new(4, 2.0).unwrap();
    let (found, covariance) = law.posterior(Channel::canonical(0.5), &[0.0; 4]);
    // By symmetry the mean vanishes and the covariance is R²/n.
    assert_eq!(found, vec![0.0; 4]);
    assert!((covariance - DMatrix::identity(4, 4)).norm() < ROUNDING);
    for (n, sigma) in [(2, 1e-4), (1000, 1e-4), (3, 1e-7)] {
        let law = Sphere::new(n, 1.0).unwrap();
        let mut x = vec![0.0; n];
        x[1] = 1.0 + sigma;
        let mut out = vec![0.0; n];
        law.denoise(Channel::canonical(sigma), &x, &mut out);
        // 1 − A_n = (n − 1)/2κ + O(n²/κ²).
        let kappa = x[1] / (sigma * sigma);
        let gap = (n as f64 - 1.0) / (2.0 * kappa);
        assert!((1.0 - out[1] - gap).abs() < 1e-15 + n as f64 * gap / kappa, "n={n}");
        // Near the sphere the normal direction sees N(0, σ²), the tangent space the surface density.
        let log = law.log_density(Channel::canonical(sigma), &x);
        let log_area = 2.0_f64.ln() + 0.5 * n as f64 * PI.ln() - ln_gamma(0.5 * n as f64);
        let expected = -0.5 - 0.5 * (TAU * sigma * sigma).ln() - log_area;
        assert!((log - expected).abs() < 2.0 * n as f64 * sigma + 1e-9, "n={n}: {log} {expected}");
    }
}

#[test]
fn segment_agrees_with_the_closed_form_in_erf() {
    // T6.8: p = [Φ(u) − Φ(l)]/2ah, u, l = (x ± ah)/b; E[X] = (x + b (φ(u) − φ(l))/(Φ(u) − Φ(l)))/a.
    let (h, law) = (1.2, Segment::new(1.2).unwrap());
    let normal = |v: f64| (-0.5 * v * v).exp() / TAU.sqrt();
    for (a, b) in [(1.0, 0.3), (0.5, 1.0), (0.9, 0.05)] {
        for x in [-1.3, -0.4, 0.0, 0.9, 1.15] {
            let (upper, lower) = ((x + a * h) / b, (x - a * h) / b);
            let mass =
                0.5 * (libm::erf(upper / 2.0_f64.sqrt()) - libm::erf(lower / 2.0_f64.sqrt()));
            if mass < 1e-3 {
                continue; // here the closed form itself has lost its digits
            }
            let channel = Channel { signal: a, noise_variance: b * b };
            let log = law.log_density(channel, &[x]);
            assert!((log - (mass / (2.0 * a * h)).ln()).abs() < ROUNDING, "a={a} b={b} x={x}");
            let expected = (x + b * (normal(upper) - normal(lower)) / mass) / a;
            assert!((mean(&law, channel, &[x])[0] - expected).abs() < 1e-11, "a={a} b={b} x={x}");
        }
    }
}

#[test]
fn segment_agrees_with_quadrature_and_with_its_tail() {
    let law = Segment::new(1.2).unwrap();
    let (nodes, weights): (Vec<f64>, Vec<f64>) = gauss_legendre(600).into_iter().unzip();
    for sigma in [0.02, 0.3, 5.0] {
        for x in [0.0, 0.7, 1.2, 1.5] {
            let channel = Channel { signal: 0.9, noise_variance: sigma * sigma };
            let points = DMatrix::from_fn(1, nodes.len(), |_, j| 1.2 * nodes[j]);
            let mut law_weights = likelihoods(&points, channel, &[x]);
            law_weights.iter_mut().zip(&weights).for_each(|(l, w)| *l *= 0.5 * w);
            let (mass, expected, variance) = moments(&points, &law_weights);
            let (found, covariance) = law.posterior(channel, &[x]);
            assert!((found[0] - expected[0]).abs() < ROUNDING, "σ={sigma} x={x}");
            let error = (covariance[(0, 0)] / variance[(0, 0)] - 1.0).abs();
            assert!(error < 1e-10, "σ={sigma} x={x}: {error:e}");
            assert!(
                (law.log_density(channel, &[x]) - mass.ln()).abs()
                    < ROUNDING * (1.0 + mass.ln().abs())
            );
        }
    }
    // Far outside, X sits at the end but for an exponential of rate κ = (x − h)/σ²: variance 1/κ².
    let (found, covariance) = law.posterior(Channel::canonical(1e-3), &[3.0]);
    let rate = (3.0_f64 - 1.2) / 1e-6;
    // E[d] = 1/κ − 2/(σ²κ³) + … for the depth d, with density e^{−κd − d²/2σ²}.
    let depth = 1.0 / rate - 2.0 / (1e-6 * rate.powi(3));
    assert!((found[0] - (1.2 - depth)).abs() < 1e-15);
    assert!((covariance[(0, 0)] * rate * rate - 1.0).abs() < 1e-5); // next term 3 (σ/(x−h))²
    let log = law.log_density(Channel::canonical(1e-3), &[3.0]);
    let expected = -0.5 * (1.8e3_f64).powi(2) - (1e-3 * TAU.sqrt() * rate * 2.4).ln();
    assert!((log - expected).abs() < 1e-6, "{log} {expected}");
    // Deep inside, the ends are not seen: p = 1/2h, E[X] = x, Var = σ².
    let (found, covariance) = law.posterior(Channel::canonical(1e-7), &[0.3]);
    assert!((found[0] - 0.3).abs() < 1e-16 && (covariance[(0, 0)] / 1e-14 - 1.0).abs() < 1e-9);
    let log = law.log_density(Channel::canonical(1e-7), &[0.3]);
    assert!((log + 2.4_f64.ln()).abs() < 1e-14, "{log}");
}

#[test]
fn quadrature_atoms_converge_to_the_curve() {
    // A circle by the trapezoid rule, at a noise level wide against the node spacing.
    let count = 64;
    let angle = |i: usize| TAU * i as f64 / count as f64;
    let nodes: Vec<f64> = (0..count).flat_map(|i| [angle(i).cos(), angle(i).sin()]).collect();
    let rule = Atoms::quadrature(2, &nodes, &vec![TAU / count as f64; count], 0.1).unwrap();
    let circle = Thick::new(Sphere::new(2, 1.0).unwrap().into(), 0.1).unwrap();
    let (channel, x) = (Channel { signal: 0.9, noise_variance: 0.09 }, [0.4, -0.7]);
    assert!((mean(&rule, channel, &x) - mean(&circle, channel, &x)).norm() < ROUNDING);
    let logs = rule.log_density(channel, &x) - circle.log_density(channel, &x);
    assert!(logs.abs() < ROUNDING);
}

#[test]
fn moving_a_law_moves_its_posterior() {
    // An embedded circle, by hand: rotate back, denoise, rotate forward; normal directions see noise only.
    let circle = Sphere::new(2, 0.8).unwrap();
    let q = frame("embedding", 4, 2);
    let shift = vec![0.2, -1.0, 0.4, 0.0];
    let law = Moved::new(circle.into(), q.clone(), shift.clone()).unwrap();
    let channel = Channel { signal: 0.7, noise_variance: 0.3 };
    let x = DVector::from_vec(state(4, 12));
    let shift = DVector::from_vec(shift);
    let residual = &x - &shift * 0.7;
    let inside = q.transpose() * &residual;
    let expected = &q * mean(&circle, channel, inside.as_slice()) + &shift;
    assert!((mean(&law, channel, x.as_slice()) - expected).norm() < ROUNDING);
    let outside = (&residual - &q * &inside).norm_squared();
    let log = circle.log_density(channel, inside.as_slice()) - outside / 0.6 - (TAU * 0.3).ln();
    assert!((law.log_density(channel, x.as_slice()) - log).abs() < ROUNDING);
    let (_, covariance) = law.posterior(channel, x.as_slice());
    let normal = DMatrix::identity(4, 4) - &q * q.transpose();
    assert!((normal * covariance).norm() < ROUNDING);
}

#[test]
fn products_are_independent() {
    let circle = Sphere::new(2, 0.8).unwrap();
    let law = Product::new(vec![circle.into(), gaussian().into()]).unwrap();
    let x = state(5, 13);
    let (found, covariance) = law.posterior(CHANNELS[1], &x);
    let (first, block) = circle.posterior(CHANNELS[1], &x[..2]);
    let (second, other) = gaussian().posterior(CHANNELS[1], &x[2..]);
    assert_eq!(found, [first, second].concat());
    assert!((covariance.view((0, 0), (2, 2)) - block).norm() < ROUNDING);
    assert!((covariance.view((2, 2), (3, 3)) - other).norm() < ROUNDING);
    assert_eq!(covariance.view((0, 2), (2, 3)).norm(), 0.0);
    assert_eq!(law.factors().len(), 2);
}

#[test]
fn bad_laws_are_refused_with_advice() {
    let nan = f64::NAN;
    let identity = DMatrix::identity(2, 2);
    let circle = || Denoiser::from(Sphere::new(2, 1.0).unwrap());
    let refused = [
        Atoms::new(2, vec![], None, 0.0).err(),
        Atoms::new(0, vec![1.0], None, 0.0).err(),
        Atoms::new(2, vec![1.0; 3], None, 0.0).err(),
        Atoms::new(2, vec![1.0, nan], None, 0.0).err(),
        Atoms::new(2, vec![1.0; 4], Some(vec![0.0]), 0.0).err(),
        Atoms::new(2, vec![1.0; 4], Some(vec![0.0, f64::INFINITY]), 0.0).err(),
        Atoms::new(2, vec![1.0; 2], None, -1.0).err(),
        Atoms::quadrature(1, &[0.0, 1.0], &[1.0, 0.0], 0.0).err(),
        Atoms::quadrature(1, &[0.0, 1.0], &[1.0, -0.5], 0.0).err(),
        Gaussian::new(vec![], DMatrix::zeros(0, 0), vec![]).err(),
        Gaussian::new(vec![0.0; 2], identity.clone(), vec![1.0]).err(),
        Gaussian::new(vec![0.0; 2], identity.clone(), vec![1.0, -0.1]).err(),
        Gaussian::new(vec![0.0, nan], identity.clone(), vec![1.0, 1.0]).err(),
        Gaussian::new(vec![0.0; 2], &identity * 2.0, vec![1.0, 1.0]).err(),
        Gaussian::new(vec![0.0; 2], &identity * nan, vec![1.0, 1.0]).err(),
        Sphere::new(0, 1.0).err(),
        Sphere::new(2, 0.0).err(),
        Sphere::new(2, nan).err(),
        Segment::new(-1.0).err(),
        Segment::new(f64::INFINITY).err(),
        Product::new(vec![]).err(),
        Thick::new(circle(), nan).err(),
        Moved::new(circle(), identity.clone(), vec![0.0; 3]).err(),
        Moved::new(circle(), DMatrix::identity(3, 3), vec![0.0; 3]).err(),
        Moved::new(circle(), identity.clone(), vec![0.0, nan]).err(),
        Moved::new(circle(), &identity * 0.5, vec![0.0; 2]).err(),
    ];
    for (i, error) in refused.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("case {i} was accepted"));
        assert!(error.is_input() && error.to_string().contains("try:"), "case {i}: {error}");
    }
}

#[test]
fn states_that_are_not_finite_do_not_panic() {
    for (_, law) in laws() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            let x = vec![bad; law.dim()];
            let mut out = vec![0.0; law.dim()];
            law.denoise(CHANNELS[1], &x, &mut out);
            law.log_density(CHANNELS[1], &x);
        }
    }
}

#[test]
fn a_sphere_embedded_in_a_thousand_dimensions_costs_and_knows_only_its_own() {
    // The Jacobian acts on the plane of the circle alone: eigenvalues radial, tangential, and 0.
    let circle = Sphere::new(2, 1.0).unwrap();
    let q = frame("wide", 1000, 2);
    let law = Moved::new(circle.into(), q.clone(), vec![0.25; 1000]).unwrap();
    let channel = Channel { signal: 0.5, noise_variance: 0.3 };
    let direction = &q * DVector::from_vec(vec![0.6, 0.8]);
    let across = &q * DVector::from_vec(vec![-0.8, 0.6]);
    let outside = {
        let v = DVector::from_vec(state(1000, 14));
        &v - &q * (q.transpose() * &v)
    };
    let x = DVector::from_element(1000, 0.125) + &direction * 1.7 + &outside;
    let block = [x, direction.clone(), across.clone(), outside];
    let block: Vec<f64> = block.iter().flat_map(|v| v.iter().copied()).collect();
    let mut out = vec![0.0; 4000];
    law.push(channel, &block, Lanes::single(3), &mut out, &mut Workspace::default());
    let (radial, tangential) = circle.posterior_variances(channel, 1.7);
    let gain = channel.signal / channel.noise_variance;
    let column = |k: usize| DVector::from_column_slice(&out[k * 1000..][..1000]);
    assert!((column(1) - direction * (gain * radial)).norm() < ROUNDING);
    assert!((column(2) - across * (gain * tangential)).norm() < ROUNDING);
    assert!(column(3).norm() < ROUNDING);
}
