//! T6.3. Statement: sampler_maps_contract_normals_exactly.md.

mod support;

use driftproof::campaign::knobs;
use driftproof::claims::sampler_maps_contract_normals_exactly::CLAIM;
use driftproof::drift::{Atoms, Canonical, Drift, Lanes};
use driftproof::facts::Quantity;
use driftproof::flow::{Method, Sampler, StepWorkspace, Trajectory, ancestral_step};
use driftproof::linalg::largest_angle;
use driftproof::lyapunov::product;
use driftproof::observe::observe;
use driftproof::scalar::Scalar;
use driftproof::verdict::Verdict;
use nalgebra::{DMatrix, dmatrix};

/// Rounding of a few maps.
const ROUNDING: f64 = 1e-13;

#[test]
fn no_sampler_map_violates_its_jacobian() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// Points of the line x_2 = 1 in the plane, and points off any line.
fn laws() -> (Atoms, Atoms) {
    let flat = Atoms::new(2, vec![-1.0, 1.0, 0.4, 1.0, 1.5, 1.0], None, 0.0).unwrap();
    let full = Atoms::new(2, vec![-1.0, 1.0, 0.4, 0.2, 1.5, 1.1, 0.3, -0.9], None, 0.0).unwrap();
    (flat, full)
}

#[test]
fn two_atoms_give_the_jacobian_by_hand() {
    // Atoms ±1 at y = 0, σ = 1: posterior ±1 with equal odds, C = 1, so dF = ρ + (1 − ρ) = 1 for every ρ.
    let pair = Atoms::new(1, vec![-1.0, 1.0], None, 0.0).unwrap();
    let canonical = Canonical { denoiser: &pair };
    let sampler = Sampler::new(Method::Euler, vec![1.0, 0.3]);
    let ddim = product(&Trajectory::from(&canonical, &sampler, &[0.0]).unwrap());
    assert!((ddim[(0, 0)] - 1.0).abs() < ROUNDING);
    let mut block = [0.0, 1.0];
    let work = &mut StepWorkspace::default();
    ancestral_step(&pair, 1.0, 0.3, &[2.0], &mut block, Lanes::single(1), work);
    assert!((block[1] - 1.0).abs() < ROUNDING);
    // The noise alone moves the state: 0.3 √(1 − 0.09) · 2.
    assert!((block[0] - 0.6 * 0.91_f64.sqrt()).abs() < ROUNDING);
}

/// The canonical flow in the time u = −log σ: dy/du = D − y.
struct Logarithmic<'a>(Canonical<'a, Atoms>);

impl Drift for Logarithmic<'_> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn velocity<S: Scalar>(&self, u: S, y: &[S], out: &mut [S]) {
        let sigma = (-u).exp();
        self.0.velocity(sigma, y, out);
        out.iter_mut().for_each(|o| *o *= -sigma);
    }
}

#[test]
fn euler_steps_in_another_time_are_caught() {
    let (flat, _) = laws();
    let canonical = Canonical { denoiser: &flat };
    let height = |method| {
        let sampler = Sampler::new(method, vec![2.0, 0.5]);
        Trajectory::from(&canonical, &sampler, &[0.3, 5.0]).unwrap().end()[1] - 1.0
    };
    // In the time σ the normal coordinate is a straight line, which every Runge–Kutta method follows.
    for method in [Method::Euler, Method::Heun, Method::Rk4, Method::DormandPrince] {
        assert!((height(method) - 4.0 * 0.25).abs() < ROUNDING, "{method:?}");
    }
    // In the time u it is an exponential: Euler contracts by 1 − log(1/ρ) = 1 − log 4, past the plane.
    let sampler = Sampler::new(Method::Euler, vec![-2.0_f64.ln(), -0.5_f64.ln()]);
    let logarithmic = Logarithmic(canonical);
    let wrong = Trajectory::from(&logarithmic, &sampler, &[0.3, 5.0]).unwrap();
    assert!((wrong.end()[1] - 1.0 - 4.0 * (1.0 - 4.0_f64.ln())).abs() < ROUNDING);
}

#[test]
fn heun_steps_have_another_tangential_jacobian() {
    // Atoms ±1 at 0: dy/dσ = y(1 − 1/σ²)/σ there. Euler from 1 to ½ keeps 1; Heun does not.
    let pair = Atoms::new(1, vec![-1.0, 1.0], None, 0.0).unwrap();
    let canonical = Canonical { denoiser: &pair };
    let growth = |method| {
        let sampler = Sampler::new(method, vec![1.0, 0.5]);
        product(&Trajectory::from(&canonical, &sampler, &[0.0]).unwrap())[(0, 0)]
    };
    assert!((growth(Method::Euler) - 1.0).abs() < ROUNDING);
    // Slopes 0 and (1 − 4)/½ = −6, averaged: 1 + (−½)(−3) = 5/2.
    assert!((growth(Method::Heun) - 2.5).abs() < ROUNDING);
}

#[test]
fn tangents_with_noise_drawn_anew_are_caught() {
    let (_, full) = laws();
    let lanes = Lanes::single(1);
    let step = |noise: &[f64], y: [f64; 2]| {
        let mut block = [y[0], y[1], 0.6, 0.8];
        let work = &mut StepWorkspace::default();
        ancestral_step(&full, 1.5, 0.7, noise, &mut block, lanes, work);
        block
    };
    let (noise, fresh) = ([0.3, -1.2], [-0.4, 0.9]);
    let (y, h) = ([0.5, 0.2], 1e-5);
    let base = step(&noise, y);
    let ahead = step(&noise, [y[0] + 0.6 * h, y[1] + 0.8 * h]);
    let anew = step(&fresh, [y[0] + 0.6 * h, y[1] + 0.8 * h]);
    // One-sided difference: error of order h.
    for i in 0..2 {
        assert!(((ahead[i] - base[i]) / h - base[2 + i]).abs() < 1e-4);
        assert!(((anew[i] - base[i]) / h - base[2 + i]).abs() > 1e3);
    }
}

#[test]
fn trajectories_of_a_block_do_not_share_noise() {
    let (_, full) = laws();
    let (one, two) = ([0.5, 0.2], [-1.0, 2.0]);
    let noise = [0.3, -1.2, 0.7, 0.1];
    let mut both = [one[0], one[1], two[0], two[1]];
    let work = &mut StepWorkspace::default();
    let lanes = Lanes { trajectories: 2, tangents: 0 };
    ancestral_step(&full, 1.5, 0.7, &noise, &mut both, lanes, work);
    let mut alone = two;
    ancestral_step(&full, 1.5, 0.7, &noise[2..], &mut alone, Lanes::single(0), work);
    assert_eq!(both[2..], alone);
}

#[test]
fn the_end_subspace_of_a_transposed_product_is_caught() {
    // The last step ends in the range of its own covariance, the line of the data; transposed, it does not.
    let (flat, _) = laws();
    let canonical = Canonical { denoiser: &flat };
    let sampler = Sampler::new(Method::Euler, vec![2.0, 1.0, 0.5, 0.0]);
    let mut steps = Trajectory::from(&canonical, &sampler, &[0.3, 5.0]).unwrap().jacobians();
    // A shear before everything makes the product non-symmetric.
    steps.insert(0, dmatrix![1.0, 0.8; 0.0, 1.0]);
    let whole = product(&steps[..]);
    let line = |m: &DMatrix<f64>| (m * dmatrix![0.6; 0.8]).normalize();
    let data = dmatrix![1.0; 0.0];
    assert!(largest_angle(&line(&whole), &data).unwrap() < ROUNDING);
    assert!(largest_angle(&line(&whole.transpose()), &data).unwrap() > 0.1);
}

#[test]
fn the_covariance_of_another_level_is_caught() {
    let mut refuted = 0;
    for index in 0..20 {
        let mut facts = observe(CLAIM.id, &mut knobs(&CLAIM, 5, index)).unwrap().facts;
        if CLAIM.judge(&facts).verdict() != Verdict::Holds {
            continue;
        }
        let moved: Vec<Quantity> =
            facts.series("covariance_of_probe").iter().map(|q| *q * 1.001).collect();
        facts.set_series("covariance_of_probe", moved);
        refuted += u32::from(CLAIM.judge(&facts).verdict() == Verdict::Violated);
    }
    assert!(refuted >= 10, "{refuted}");
}
