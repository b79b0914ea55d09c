//! T6.4. Statement: errors_convert_between_parametrisations.md.

mod support;
mod tampering;

use driftproof::claims::errors_convert_between_parametrisations::CLAIM;
use driftproof::drift::Parametrisation::{Denoiser, Noise, Score, Velocity};
use driftproof::drift::{Parametrisation, Schedule};
use driftproof::facts::{Facts, Quantity};
use num_dual::Dual;
use tampering::held;

#[test]
fn no_perturbed_prediction_violates_the_factors() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

fn close(measured: f64, expected: f64) {
    let error = (measured - expected).abs();
    assert!(error <= 1e-12 * (1.0 + expected.abs()), "{measured} against {expected}");
}

#[test]
fn factors_of_three_schedules_are_those_by_hand() {
    let s = 0.6;
    // Flow matching: a = s, b = 1 − s, w = e_D/(1−s) = −e_ε/s = e_score (1−s)/s.
    let factor = |kind: Parametrisation, schedule: &Schedule| kind.velocity_factor(schedule, s);
    let flow = Schedule::FlowMatching;
    close(factor(Denoiser, &flow), 1.0 / 0.4);
    close(factor(Noise, &flow), -1.0 / 0.6);
    close(factor(Score, &flow), 0.4 / 0.6);
    close(factor(Velocity, &flow), 1.0);
    // Trigonometric: a'b − ab' = π/2, so w = (π/2) e_D/b.
    let angle = std::f64::consts::FRAC_PI_2 * s;
    close(factor(Denoiser, &Schedule::Trigonometric), std::f64::consts::FRAC_PI_2 / angle.cos());
    // Variance exploding: a = 1, v = b' ε, so w = b' e_ε with b' = b log(σ_min/σ_max).
    let exploding = Schedule::Ve { sigma_min: 0.01, sigma_max: 50.0 };
    let level = 50.0 * (0.01_f64 / 50.0).powf(s);
    close(factor(Noise, &exploding), level * (0.01_f64 / 50.0).ln());
    // Variance preserving: v = (β/2)(x + score), so w = (β/2) e_score.
    let preserving = Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 };
    close(factor(Score, &preserving), 0.5 * (0.1 + 0.4 * 19.9));
}

#[test]
fn conversions_compose_and_go_back() {
    let schedule = Schedule::VpCosine { offset: 0.008 };
    let s = 0.7;
    for from in Parametrisation::ALL {
        close(from.error_factor(from, &schedule, s), 1.0);
        // Predict, then recover the posterior mean.
        let (x, mean) = (0.8, -0.3);
        let prediction = from.predicted(&schedule, s, x, mean);
        close(from.denoised(&schedule, s, x, prediction), mean);
        for to in Parametrisation::ALL {
            let there = from.error_factor(to, &schedule, s);
            close(there * to.error_factor(from, &schedule, s), 1.0);
            // The factor is the derivative of one prediction in the other, here by a dual.
            let moved = from.denoised(&schedule, s.into(), x.into(), Dual::new(prediction, 1.0));
            let slope = to.predicted(&schedule, s.into(), x.into(), moved).eps;
            close(slope, there);
        }
    }
    // e_D = −σ e_ε.
    close(Noise.error_factor(Denoiser, &schedule, s), -schedule.sigma(s));
}

/// How many of 30 worlds that hold are violated after `tamper`, and how many hold.
fn caught(tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    tampering::caught(&CLAIM, held(&CLAIM, 7, 30), tamper)
}

#[test]
fn a_transposed_error_jacobian_is_caught() {
    let (violated, held) = caught(|facts| {
        let slope = facts.series("error_slope").to_vec();
        let dim = slope.len().isqrt();
        let transposed = (0..slope.len()).map(|k| slope[(k % dim) * dim + k / dim]).collect();
        facts.set_series("error_slope", transposed);
    });
    assert!(held >= 15 && violated == held, "{violated} of {held}");
}

#[test]
fn a_wrong_sign_and_a_wrong_time_are_caught() {
    let (violated, held) = caught(|facts| {
        let series = "velocity_error_of_noise";
        let flipped = facts.series(series).iter().map(|w| -*w).collect();
        facts.set_series(series, flipped);
    });
    assert!(held >= 15 && violated == held, "{violated} of {held}");
    let (violated, held) = caught(|facts| {
        let time = facts.get("time").value;
        facts.set("time", Quantity::exact(0.99 * time + 0.005));
    });
    assert!(held >= 15 && violated == held, "{violated} of {held}");
}
