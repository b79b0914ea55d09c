//! T1.6. Statement: normal_error_over_thickness_bounds_the_response.md.

mod support;
mod tampering;

use driftproof::claims::normal_error_over_thickness_bounds_the_response::CLAIM;
use driftproof::drift::{
    Channel, Drift, Gaussian, GaussianPath, InVelocity, LearningError, Parametrisation, Schedule,
    Workspace,
};
use driftproof::facts::{Facts, Quantity};
use driftproof::flow::{InexactFlow, Method, Sampler};
use driftproof::response::{LogDensity, NoisyLaw, along_maps};
use driftproof::scalar::Scalar;
use tampering::held;

#[test]
fn no_tube_and_no_path_violates_the_bounds() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// g at the end of a path to data at one point, one-dimensional, for a constant error of size 1, from x_0 = 1 at time `from`.
fn response(schedule: Schedule, parametrisation: Parametrisation, times: Vec<f64>) -> f64 {
    let point = Gaussian::diagonal(&[0.0]).unwrap();
    let constant = LearningError::constant(&[1.0]);
    let error = InVelocity { error: &constant, parametrisation, schedule };
    let (a, b) = schedule.coefficients(times[0]);
    let source =
        NoisyLaw { denoiser: &point, channel: Channel { signal: a, noise_variance: b * b } };
    let drift = GaussianPath { schedule, denoiser: &point };
    let sampler = Sampler::new(Method::Rk4, times);
    let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
    // x = b_0: one standard deviation, so |g| there is the norm of the linear g.
    let response = along_maps(&maps, &source, &[b]).unwrap();
    *response.from_divergence.last().unwrap()
}

#[test]
fn the_three_regimes_are_in_closed_form_at_a_point() {
    let near = |measured: f64, expected: f64| {
        assert!((measured.abs() - expected).abs() < 1e-4 * expected, "{measured} {expected}");
    };
    let steps =
        |from: f64, to: f64| (0..=200).map(move |k| from + (to - from) * f64::from(k) / 200.0);
    // Flow matching, b = 1 − t: ∫dt/b = log 1/b, here to b = e^{−5}.
    let times: Vec<f64> = steps(0.0, 5.0).map(|u| 1.0 - (-u).exp()).collect();
    near(response(Schedule::FlowMatching, Parametrisation::Velocity, times), 5.0);
    // Noise prediction: log σ_0/σ, on the trigonometric path with σ = cot(πt/2).
    let level = |sigma: f64| (1.0 / sigma).atan() * std::f64::consts::FRAC_2_PI;
    let times: Vec<f64> = steps(0.0, 5.0).map(|u| level(2.0 * (-u).exp())).collect();
    near(response(Schedule::Trigonometric, Parametrisation::Noise, times), 5.0);
    // Variance preserving with constant β: at most (2/β) arcosh e^{β/2} to the very end. In t = q², dt/b is regular.
    let schedule = Schedule::VpLinear { beta_min: 6.0, beta_max: 6.0 };
    let times: Vec<f64> = steps(1.0, 0.005).map(|q| 1.0 - q * q).collect();
    let whole = 2.0 / 6.0 * 3.0_f64.exp().acosh();
    let left = 2.0 / 6.0 * (3.0 * 0.005_f64.powi(2)).exp().acosh();
    near(response(schedule, Parametrisation::Velocity, times), whole - left);
}

/// (0, −z, y)/s: turns a tube about the first axis within itself.
struct Swirl(f64);

impl Drift for Swirl {
    fn dim(&self) -> usize {
        3
    }
    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        out.copy_from_slice(&[S::from(0.0), -x[2] / self.0, x[1] / self.0]);
    }
}

#[test]
fn a_steep_normal_error_of_order_one_may_leave_the_density_alone() {
    let s = 1e-3;
    let line = Gaussian::diagonal(&[1.0, 0.0, 0.0]).unwrap();
    let tube = NoisyLaw { denoiser: &line, channel: Channel::canonical(s) };
    let x = [0.4, 0.8 * s, -1.1 * s];
    let mut w = [0.0; 3];
    Swirl(s).velocity(0.0, &x, &mut w);
    assert!(w[1].hypot(w[2]) > 1.0);
    let divergence = Swirl(s).jacobian(0.0, &x, &mut Workspace::default()).trace();
    let score = tube.score(&x);
    assert!(score.norm() > 1000.0);
    let g: f64 = divergence + w.iter().zip(score.iter()).map(|(w, s)| w * s).sum::<f64>();
    assert!(g.abs() < 1e-9, "{g}");
}

/// How many of the first 30 worlds, of those that hold and are `wanted`, are violated after `tamper`, and how many there are.
fn caught(wanted: impl Fn(&Facts) -> bool, tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    tampering::caught(&CLAIM, held(&CLAIM, 7, 30).filter(|seen| wanted(&seen.facts)), tamper)
}

#[test]
fn a_wrong_parametrisation_a_late_start_and_another_exponent_are_caught() {
    let is = |facts: &Facts, name: &str, value: f64| facts.get(name).value == value;
    // A constant drift in variance-preserving time (family 0), taken for a constant noise prediction.
    let (violated, held) = caught(
        |facts| is(facts, "predicts_velocity", 1.0) && is(facts, "family", 0.0),
        |facts| facts.set("predicts_velocity", Quantity::exact(0.0)),
    );
    assert!(held >= 5 && violated == held, "{violated} of {held}");
    // A sphere of codimension 1 has one flat direction, others more: always some.
    let (violated, held) =
        caught(|_| true, |facts| facts.set("from", Quantity::exact(facts.get("from").value + 0.2)));
    assert!(held >= 15 && violated == held, "{violated} of {held}");
    let (violated, held) = caught(
        |facts| facts.get("exponent").value < 1.5,
        |facts| facts.set("exponent", Quantity::exact(facts.get("exponent").value - 0.5)),
    );
    assert!(held >= 10 && violated == held, "{violated} of {held}");
}
