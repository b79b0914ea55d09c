//! T6.1. Statement: gaussian_data_has_a_closed_form_flow.md.

mod support;

use driftproof::campaign::{judge_world, knobs};
use driftproof::claims::gaussian_data_has_a_closed_form_flow::CLAIM;
use driftproof::claims::schedules::Path;
use driftproof::drift::{Drift, Gaussian, GaussianPath, LinearCoupling, Schedule};
use driftproof::facts::Quantity;
use driftproof::flow::{Method, Sampler, Trajectory, uniform_times};
use driftproof::linalg::frame_from_normals;
use driftproof::lyapunov::product;
use driftproof::observe::observe;
use driftproof::random::Stream;
use driftproof::scalar::Scalar;
use driftproof::verdict::Verdict;
use nalgebra::{DMatrix, DVector};

/// Error of 400 steps of order 4 and 5 on the flows below.
const ACCURACY: f64 = 1e-8;

#[test]
fn no_gaussian_flow_violates_its_closed_form() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

#[test]
fn the_schedules_of_both_towers_agree() {
    let (beta_min, beta_max, sigma_min, sigma_max) = (0.1, 20.0, 0.002, 80.0);
    let pairs = [
        (Schedule::VpLinear { beta_min, beta_max }, Path::new("vp-linear", &[beta_min, beta_max])),
        (Schedule::SubVp { beta_min, beta_max }, Path::new("sub-vp", &[beta_min, beta_max])),
        (Schedule::VpCosine { offset: 0.008 }, Path::new("vp-cosine", &[0.008])),
        (Schedule::Ve { sigma_min, sigma_max }, Path::new("ve", &[sigma_min, sigma_max])),
        (
            Schedule::Edm { sigma_min, sigma_max, rho: 7 },
            Path::new("edm", &[sigma_min, sigma_max, 7.0]),
        ),
        (Schedule::FlowMatching, Path::new("flow-matching", &[])),
        (Schedule::Trigonometric, Path::new("trigonometric", &[])),
    ];
    for (schedule, path) in pairs {
        for s in [0.0, 0.1, 0.5, 0.9, 0.999] {
            let (a, b, da, db) = schedule.rates(s);
            let at = path.at(s);
            let pairs = [(a, at.signal), (b, at.noise), (da, at.signal_rate), (db, at.noise_rate)];
            for (library, judge) in pairs {
                let close = (library - judge).abs() <= 1e-11 * (1.0 + judge.abs());
                assert!(close, "{schedule:?} at {s}: {library} and {judge}");
            }
        }
    }
}

/// A rotated Gaussian, its axes and variances.
fn law() -> (Gaussian, DMatrix<f64>, [f64; 3]) {
    let axes = frame_from_normals(3, 3, &Stream::root(4).normals(9));
    let variances = [9.0, 0.25, 0.0];
    (Gaussian::new(vec![0.0; 3], axes.clone(), variances.to_vec()).unwrap(), axes, variances)
}

/// The Jacobian of the flow from time `from` to `to`.
fn jacobian(drift: &impl Drift, from: f64, to: f64) -> DMatrix<f64> {
    let sampler = Sampler::new(Method::DormandPrince, uniform_times(from, to, 400));
    product(&Trajectory::from(drift, &sampler, &vec![0.3; drift.dim()]).unwrap())
}

/// Q diag(√((t²λ + (1−t)²)/(s²λ + (1−s)²))) Qᵀ: flow matching from s to t.
fn closed_form(axes: &DMatrix<f64>, variances: &[f64], s: f64, t: f64) -> DMatrix<f64> {
    let deviation = |u: f64, l: f64| (u * u * l + (1.0 - u).powi(2)).sqrt();
    let growth = variances.iter().map(|l| deviation(t, *l) / deviation(s, *l));
    let growth = DVector::from_iterator(variances.len(), growth);
    axes * DMatrix::from_diagonal(&growth) * axes.transpose()
}

/// A drift run with a factor: −1 is the wrong direction of time, 2 a forgotten ½ of S'/(2S).
struct Scaled<'a, F>(&'a F, f64);

impl<F: Drift> Drift for Scaled<'_, F> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        self.0.velocity(s, x, out);
        out.iter_mut().for_each(|o| *o *= self.1);
    }
}

#[test]
fn a_wrong_time_direction_and_a_forgotten_half_are_caught() {
    let (law, axes, variances) = law();
    let path = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &law };
    let expected = closed_form(&axes, &variances, 0.1, 0.9);
    let error = |factor: f64| (jacobian(&Scaled(&path, factor), 0.1, 0.9) - &expected).norm();
    assert!(error(1.0) < ACCURACY, "{}", error(1.0));
    assert!(error(-1.0) > 1.0 && error(2.0) > 1.0, "{} {}", error(-1.0), error(2.0));
}

#[test]
fn axes_not_rotated_are_caught() {
    let (law, _, variances) = law();
    let path = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &law };
    let diagonal = closed_form(&DMatrix::identity(3, 3), &variances, 0.1, 0.9);
    assert!((jacobian(&path, 0.1, 0.9) - diagonal).norm() > 0.3);
}

#[test]
fn a_transposed_jacobian_shows_under_a_rotated_coupling() {
    // x_1 = M x_0 with M = Λ^{1/2} R: the end Jacobian is M, whose singular values are still √λ.
    let coupling = LinearCoupling::rotated(&[4.0, 0.25], 1.0).unwrap();
    let end = jacobian(&coupling, 0.0, 1.0);
    assert!((&end - coupling.map()).norm() < ACCURACY);
    assert!((end.transpose() - coupling.map()).norm() > 1.0);
}

#[test]
fn one_schedule_for_another_is_caught() {
    // The facts of a world of one family, judged as if it were each other family.
    let mut caught = 0;
    for index in 0..40 {
        if judge_world(&CLAIM, 3, index).verdict != Verdict::Holds {
            continue;
        }
        let mut facts = observe(CLAIM.id, &mut knobs(&CLAIM, 3, index)).unwrap().facts;
        if facts.get("coupling").value != 0.0 {
            continue;
        }
        let family = facts.get("family").value;
        for other in 0..7 {
            facts.set("family", Quantity::exact(f64::from(other)));
            let holds = CLAIM.judge(&facts).verdict() == Verdict::Holds;
            assert_eq!(holds, f64::from(other) == family, "{family} as {other}");
            caught += u32::from(!holds);
        }
    }
    assert!(caught > 60, "{caught}");
}
