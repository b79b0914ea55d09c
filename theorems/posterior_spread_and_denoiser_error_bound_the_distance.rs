//! T4.3. Statement: posterior_spread_and_denoiser_error_bound_the_distance.md.

mod support;
mod tampering;
mod wordings;

use driftproof::claims::posterior_spread_and_denoiser_error_bound_the_distance::CLAIM;
use driftproof::drift::{Channel, Denoise, Sphere};
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::observe::observe;
use driftproof::random::Knobs;
use driftproof::verdict::{Margin, Verdict};
use wordings::judged;

#[test]
fn no_law_on_a_set_of_positive_reach_violates_the_bounds() {
    support::no_world_violates(&CLAIM, 150, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

#[test]
fn inside_a_sphere_the_lean_is_the_spread_over_the_diameter() {
    // ⟨n, q − p⟩ = |q − p|²/(2R) for all q of the sphere, n inwards at p: so also in the mean.
    for (n, radius, sigma) in [(2, 0.7, 0.2), (3, 1.0, 0.5), (16, 2.0, 0.1)] {
        let law = Sphere::new(n, radius).unwrap();
        let mut y = vec![0.0; n];
        y[n - 1] = 0.6 * radius;
        let (mean, covariance) = law.posterior(Channel::canonical(sigma), &y);
        let lean = radius - mean[n - 1];
        let spread = lean * lean + covariance.trace();
        let difference = lean - spread / (2.0 * radius);
        assert!(difference.abs() < 1e-13 * radius, "{lean} against {spread}/2R");
    }
}

#[test]
fn the_plainest_world_holds() {
    let facts = observe(CLAIM.id, &mut Knobs::new(&[])).unwrap().facts;
    assert_eq!(CLAIM.judge(&facts).verdict(), Verdict::Holds);
}

fn series(values: impl Iterator<Item = f64>) -> Vec<Quantity> {
    values.map(|v| Quantity::new(v, 1e-12, Grade::Symbolic)).collect()
}

/// V and e constant, at unit reach, from σ = 1 to e^{−2}: r = r_1 e^{−u} + (V/2 + e)(1 − e^{−u}).
struct Constant {
    spread: f64,
    error: f64,
    start: f64,
    of_noise: bool,
}

impl Constant {
    fn facts(&self) -> Facts {
        let times = || (0..=60).map(|k| 2.0 * f64::from(k) / 60.0);
        let push = 0.5 * self.spread + self.error;
        let distance = |u: f64| (-u).exp() * self.start + push * (1.0 - (-u).exp());
        let mut facts = Facts::new();
        facts.set("off_the_set", Quantity::exact(0.0));
        facts.set("reach", Quantity::exact(1.0));
        facts.set("curvature", Quantity::exact(1.0));
        facts.set("closed", Quantity::exact(1.0));
        facts.set_series("time", series(times()));
        facts.set_series("distance", series(times().map(distance)));
        facts.set_series("spread", series(times().map(|_| self.spread)));
        facts.set_series("lean", series(times().map(|_| 0.5 * self.spread)));
        facts.set_series("error", series(times().map(|_| self.error)));
        // A map from a point of the unit circle along its tangent by (1−ρ)·0.5 = 0.4: √1.16 − 1.
        facts.set("kept", Quantity::exact(0.2));
        let map = [
            ("start", 0.0),
            ("spread", 0.0),
            ("error", 0.0),
            ("slide", 0.5),
            ("distance", 1.16_f64.sqrt() - 1.0),
        ];
        for (name, value) in map {
            facts.set_series(&format!("map_{name}"), series([value].into_iter()));
        }
        let (end, c, start) = ((-2.0_f64).exp(), 0.3, 0.5);
        let (flow, diffusion) = match self.of_noise {
            // c σ_min log(σ_1/σ_min) and 2 c σ_min (1 − σ_min/σ_1).
            true => (c * end * 2.0, 2.0 * c * end * (1.0 - end)),
            false => (c * (1.0 - end), c * (1.0 - end * end)),
        };
        let numbers = [
            ("sigma_start", 1.0),
            ("sigma_end", end),
            ("flat_error", c),
            ("flat_start", start),
            ("flat_error_of_noise", f64::from(u8::from(self.of_noise))),
            ("flat_flow", end * start + flow),
            ("flat_diffusion", end * end * start + diffusion),
        ];
        for (name, value) in numbers {
            facts.set(name, Quantity::rounded(value, 1e4));
        }
        facts
    }
}

const PLAIN: Constant = Constant { spread: 0.08, error: 0.1, start: 0.3, of_noise: false };

fn verdict(facts: &Facts, mutant: Option<&str>) -> Verdict {
    judged(&CLAIM, facts, mutant).verdict()
}

#[test]
fn constant_spread_and_error_attain_the_bound() {
    let facts = PLAIN.facts();
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    let mutants = [
        "spread_dropped",
        "spread_halved",
        "error_dropped",
        "error_halved",
        "start_forgotten",
        "curvature_dropped",
        "curvature_halved",
        "constant_error_attenuated",
        "diffusion_contracts_once",
        "diffusion_error_not_doubled",
    ];
    for name in mutants {
        assert_eq!(verdict(&facts, Some(name)), Verdict::Violated, "{name}");
    }
    let of_noise = Constant { of_noise: true, ..PLAIN }.facts();
    assert_eq!(verdict(&of_noise, None), Verdict::Holds);
    assert_eq!(verdict(&of_noise, Some("noise_error_not_attenuated")), Verdict::Violated);
}

#[test]
fn on_a_convex_set_the_spread_does_not_count() {
    let mut facts = Constant { spread: 0.0, ..PLAIN }.facts();
    let wide = series((0..=60).map(|_| 25.0));
    facts.set_series("spread", wide);
    facts.set("reach", Quantity::exact(f64::INFINITY));
    assert_eq!(verdict(&facts, None), Verdict::Holds);
    // Anything that leans off it refutes the claim.
    facts.set_series("lean", series((0..=60).map(|_| 1e-3)));
    assert_eq!(verdict(&facts, None), Verdict::Violated);
}

#[test]
fn data_off_the_set_or_of_no_reach_are_out_of_scope() {
    let mut facts = PLAIN.facts();
    facts.set("off_the_set", Quantity::exact(0.1));
    assert_eq!(verdict(&facts, None), Verdict::OutOfScope);
    let mut facts = PLAIN.facts();
    facts.set("reach", Quantity::exact(0.0));
    assert_eq!(verdict(&facts, None), Verdict::OutOfScope);
}

/// Facts of the worlds among the first 80 that hold.
fn held() -> impl Iterator<Item = Facts> {
    tampering::held(&CLAIM, 7, 80).map(|seen| seen.facts)
}

/// How many worlds that hold are violated after `tamper`, and how many hold.
fn caught(tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    tampering::caught(&CLAIM, tampering::held(&CLAIM, 7, 80), tamper)
}

#[test]
fn a_time_that_runs_twice_as_fast_is_caught() {
    let (violated, all) = caught(|facts| {
        let time = facts.series("time").iter().map(|t| *t * 2.0).collect();
        facts.set_series("time", time);
        let error = facts.series("error").iter().map(|e| *e * 0.5).collect();
        facts.set_series("error", error);
    });
    assert!(all >= 40 && 4 * violated > all, "{violated} of {all}");
}

#[test]
fn a_spread_at_half_the_noise_level_is_caught() {
    let (violated, all) = caught(|facts| {
        let spread = facts.series("spread").iter().map(|v| *v * 0.25).collect();
        facts.set_series("spread", spread);
    });
    assert!(all >= 40 && 4 * violated > all, "{violated} of {all}");
}

#[test]
fn an_error_of_the_wrong_sign_is_caught_on_every_flat() {
    for name in ["flat_flow", "flat_diffusion"] {
        let (violated, all) = caught(|facts| {
            let (first, last) = (facts.get("sigma_start").value, facts.get("sigma_end").value);
            let power = if name == "flat_flow" { 1 } else { 2 };
            let kept = (last / first).powi(power) * facts.get("flat_start").value;
            // The start is carried with its own sign.
            let flipped = -(facts.get(name) - Quantity::exact(2.0 * kept));
            facts.set(name, flipped);
        });
        assert!(all >= 40 && violated == all, "{name}: {violated} of {all}");
    }
}

#[test]
fn errors_of_denoiser_and_noise_prediction_end_as_the_closed_forms_say() {
    // From the observed worlds, with formulas of their own.
    let (mut denoiser, mut noise) = (0, 0);
    for facts in held() {
        let of = |name: &str| facts.get(name).value;
        let (first, last, c) = (of("sigma_start"), of("sigma_end"), of("flat_error"));
        let moved = of("flat_flow") - last / first * of("flat_start");
        let expected = if of("flat_error_of_noise") == 1.0 {
            noise += 1;
            c * last * (first / last).ln()
        } else {
            denoiser += 1;
            c - c * last / first
        };
        let margin = Margin::equal(
            "moved",
            Quantity::new(moved, facts.get("flat_flow").bar, Grade::Estimated),
            Quantity::rounded(expected, 64.0),
            0.05,
        );
        assert_eq!(margin.verdict(), Verdict::Holds, "{moved} against {expected}");
    }
    assert!(denoiser > 10 && noise > 10);
}
