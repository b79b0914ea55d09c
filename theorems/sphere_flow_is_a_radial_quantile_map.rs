//! T6.5. Statement: sphere_flow_is_a_radial_quantile_map.md.

mod support;

use driftproof::claims::radial_law::RadialLaw;
use driftproof::claims::sphere_flow_is_a_radial_quantile_map::CLAIM;
use driftproof::drift::{Canonical, Channel, Denoise, Drift, Sphere};
use driftproof::flow::{Method, Sampler, Trajectory, geometric_times};
use driftproof::lyapunov::product;
use driftproof::scalar::Scalar;
use statrs::function::gamma::{gamma_lr, ln_gamma};
use std::f64::consts::PI;

#[test]
fn no_random_sphere_violates_the_closed_form() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

#[test]
fn the_radial_law_is_elementary_in_space() {
    // n = 3: f = ρ/(Rσ√2π) (e^{−(ρ−R)²/2σ²} − e^{−(ρ+R)²/2σ²}).
    for (radius, sigma, rho) in [(1.0, 0.1, 0.93), (2.0, 0.5, 2.8), (0.4, 3.0, 5.0)] {
        let bell = |x: f64| (-0.5 * (x / sigma).powi(2)).exp() / (sigma * (2.0 * PI).sqrt());
        let exact = rho / radius * (bell(rho - radius) - bell(rho + radius));
        let law = RadialLaw { dim: 3, radius, sigma };
        assert!((law.density(rho) / exact - 1.0).abs() < 1e-12, "{law:?}");
    }
}

#[test]
fn tails_agree_with_the_poisson_mixture_of_central_laws() {
    // P(ρ < r) = Σ_j Poisson(j; R²/2σ²) P(n/2 + j, r²/2σ²), P the regularised incomplete gamma function.
    for (dim, sigma, rho) in [(2, 0.5, 1.3), (5, 0.3, 1.1), (20, 0.2, 1.4), (200, 1.0, 13.9)] {
        let law = RadialLaw { dim, radius: 1.0, sigma };
        let (half, y) = (0.5 / (sigma * sigma), 0.5 * (rho / sigma).powi(2));
        let weight = |j: f64| (j * half.ln() - half - ln_gamma(j + 1.0)).exp();
        let term = |j: usize| weight(j as f64) * gamma_lr(0.5 * dim as f64 + j as f64, y);
        let mixture: f64 = (0..200).map(term).sum();
        let tail = law.tail(rho, false);
        assert!((tail / mixture - 1.0).abs() < 1e-9, "{law:?}: {tail} and {mixture}");
        assert!((tail + law.tail(rho, true) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn the_radial_law_is_the_density_of_the_denoiser_on_shells() {
    // Two routes to one number: quadrature here, Bessel functions there. f = |S^{n−1}| ρ^{n−1} p.
    for (dim, sigma, rho) in [(2, 0.05, 0.9), (7, 0.4, 1.2), (64, 3.0, 22.0), (200, 0.1, 1.7)] {
        let mut x = vec![0.0; dim];
        x[dim / 2] = rho;
        let log = Sphere::new(dim, 1.0).unwrap().log_density(Channel::canonical(sigma), &x);
        let n = dim as f64;
        let area = 2.0_f64.ln() + 0.5 * n * PI.ln() - libm::lgamma(0.5 * n);
        let shell = (log + area + (n - 1.0) * rho.ln()).exp();
        let law = RadialLaw { dim, radius: 1.0, sigma };
        assert!((law.density(rho) / shell - 1.0).abs() < 1e-11, "{law:?}");
    }
}

/// The canonical velocity times a factor: 2 is the drift of the reverse SDE without its noise.
struct Scaled<'a> {
    flow: Canonical<'a, Sphere>,
    factor: f64,
}

impl Drift for Scaled<'_> {
    fn dim(&self) -> usize {
        self.flow.dim()
    }

    fn velocity<S: Scalar>(&self, sigma: S, y: &[S], out: &mut [S]) {
        self.flow.velocity(sigma, y, out);
        out.iter_mut().for_each(|o| *o *= self.factor);
    }
}

/// How far the quantile moves from (σ_0, x_0) to σ_T, and J_r minus its prediction, relative, on S².
fn misses(factor: f64, method: Method, sigmas: (f64, f64), believed: (f64, f64)) -> (f64, f64) {
    let sphere = Sphere::new(3, 1.0).unwrap();
    let drift = Scaled { flow: Canonical { denoiser: &sphere }, factor };
    let sampler = Sampler::new(method, geometric_times(sigmas.0, sigmas.1, 100));
    let start = [1.1, -0.7, 2.0];
    let orbit = Trajectory::from(&drift, &sampler, &start).unwrap();
    let law = |sigma| RadialLaw { dim: 3, radius: 1.0, sigma };
    let (first, last) = (law(believed.0), law(believed.1));
    let unit = nalgebra::DVector::from_column_slice(&start).normalize();
    let (rho_0, rho_t) = (orbit.states[0].norm(), orbit.end().norm());
    let quantile = last.tail(rho_t, false) - first.tail(rho_0, false);
    let j_r = unit.dot(&(product(&orbit) * &unit));
    let predicted = first.density(rho_0) / last.density(rho_t);
    (quantile.abs(), (j_r / predicted - 1.0).abs())
}

#[test]
fn a_wrong_drift_a_wrong_direction_and_a_crude_method_are_caught() {
    let (fine, down, up) = (Method::DormandPrince, (2.0, 0.2), (0.2, 2.0));
    let (quantile, jacobian) = misses(1.0, fine, down, down);
    assert!(quantile < 1e-9 && jacobian < 1e-8, "{quantile:e}, {jacobian:e}");
    for wrong in [
        misses(2.0, fine, down, down),
        misses(1.0, fine, up, down),
        misses(1.0, Method::Euler, down, down),
    ] {
        assert!(wrong.0 > 1e-3 && wrong.1 > 1e-3, "{wrong:?}");
    }
}
