//! T1.4. Statement: noise_paths_average_to_the_response.md.

mod support;
mod tampering;

use driftproof::campaign::knobs;
use driftproof::claims::noise_paths_average_to_the_response::CLAIM;
use driftproof::drift::{Channel, Denoise, Drift, Gaussian, LearningError, Schedule};
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::flow::{Scheme, StochasticSampler};
use driftproof::observe::observe;
use driftproof::random::Stream;
use driftproof::response::sensitivities;
use driftproof::verdict::Verdict;
use tampering::held;

#[test]
fn no_sampler_violates_the_averages() {
    support::no_world_violates(&CLAIM, 100, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// The chain on N(0, λ) with a constant error of the denoiser, in closed form: every map is x ← r x + β c ε + γ z.
struct Chain {
    /// r, β and γ of each map.
    maps: Vec<(f64, f64, f64)>,
    start: f64,
}

impl Chain {
    fn of(schedule: Schedule, scheme: Scheme, times: &[f64], variance: f64) -> Self {
        let data = Gaussian::diagonal(&[variance]).unwrap();
        let none = LearningError::constant(&[0.0]);
        let sampler =
            StochasticSampler::new(schedule, scheme, times.to_vec(), &data, &none, Stream::root(0))
                .unwrap();
        let maps = (0..times.len() - 1).map(|k| {
            let (a, b) = schedule.coefficients(times[k]);
            let mut mean = [0.0];
            data.denoise(Channel { signal: a, noise_variance: b * b }, &[1.0], &mut mean);
            let (of_x, of_mean, of_noise) = sampler.coefficients(k);
            (of_x + of_mean * mean[0], of_mean, of_noise)
        });
        let (a, b) = schedule.coefficients(times[0]);
        Self { maps: maps.collect(), start: a * a * variance + b * b }
    }

    /// The end variance, dE X_K/dε and Σ β²/γ² for an error of 1.
    fn end(&self) -> (f64, f64, f64) {
        let step = |(variance, shift, energy): (f64, f64, f64), &(r, of_mean, of_noise)| {
            (
                r * r * variance + of_noise * of_noise,
                r * shift + of_mean,
                energy + (of_mean * of_mean) / (of_noise * of_noise),
            )
        };
        self.maps.iter().fold((self.start, 0.0, 0.0), step)
    }
}

#[test]
fn a_constant_error_of_a_linear_chain_shifts_its_end_law() {
    // g(y) = m y/S with m = dE X_K/dε, so ‖g‖² = m²/S: the closed form against sampled paths.
    let schedule = Schedule::Trigonometric;
    let times: Vec<f64> = (0..=8).map(|k| 0.3 + 0.06 * f64::from(k)).collect();
    for scheme in [Scheme::Ancestral, Scheme::EulerMaruyama] {
        let (variance, shift, energy) = Chain::of(schedule, scheme, &times, 0.6).end();
        assert!(shift * shift / variance <= energy);
        let data = Gaussian::diagonal(&[0.6]).unwrap();
        let error = LearningError::constant(&[1.0]);
        let (mut weights, mut deltas) = (Vec::new(), Vec::new());
        for path in 0..4000 {
            let stream = Stream::root(1).indexed(path);
            let noise = stream.named("noise");
            let maps =
                StochasticSampler::new(schedule, scheme, times.clone(), &data, &error, noise)
                    .unwrap();
            let (a, b) = schedule.coefficients(times[0]);
            let start = (a * a * 0.6 + b * b).sqrt() * stream.named("start").normals(1)[0];
            let orbit = sensitivities(&maps, &[start]).unwrap();
            let (end, delta) = orbit.last().unwrap();
            deltas.push(delta[0]);
            let mut weight = 0.0;
            for (k, (x, _)) in orbit[..8].iter().enumerate() {
                let mut e = [0.0];
                error.velocity(times[k], x.as_slice(), &mut e);
                let (_, of_mean, of_noise) = maps.coefficients(k);
                weight += of_mean * e[0] * maps.noise(k)[0] / of_noise;
            }
            weights.push(weight * end[0]);
        }
        // The sensitivity of a linear chain is the same along every path; E[Z X_K] = m.
        assert!(deltas.iter().all(|delta| (delta - shift).abs() < 1e-12));
        let mean = Quantity::sampled_mean(&weights, 0.999_999);
        assert!(
            (mean.value - shift).abs() < mean.bar && mean.bar < 0.3 * shift,
            "{mean:?} {shift}"
        );
    }
}

/// How many of 60 worlds that hold are violated after `tamper`, and how many hold.
fn caught(tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    tampering::caught(&CLAIM, held(&CLAIM, 3, 60), tamper)
}

#[test]
fn redrawn_noise_and_a_sign_are_caught() {
    // A noise path redrawn between weight and orbit: in sampled worlds, and on the line, where its mean is 0.
    let (violated, held) = caught(|facts| {
        let other = facts.series("difference_of_other_noise").to_vec();
        facts.set_series("difference", other);
        // On the line the weight of independent noise has mean 0 whatever the end.
        let none = facts.series("weight").iter().map(|_| Quantity::exact(0.0)).collect();
        facts.set_series("weight", none);
    });
    assert!(held >= 30 && violated >= held / 2, "{violated} of {held}");
    let (violated, held) = caught(|facts| {
        let flipped = facts.series("response_of_the_law").iter().map(|q| -*q).collect();
        facts.set_series("response_of_the_law", flipped);
    });
    assert!(violated >= held / 3, "{violated} of {held}");
}

#[test]
fn what_was_not_measured_is_never_an_average() {
    assert_ne!(CLAIM.judge(&Facts::new()).verdict(), Verdict::Holds);
    for index in 0..8 {
        let facts = observe(CLAIM.id, &mut knobs(&CLAIM, 3, index)).unwrap().facts;
        for (name, series) in facts.iter().filter(|(name, _)| *name != "energy_of_the_mean") {
            let wrong = name.contains("of_") && name != "response_of_the_law";
            if wrong
                || name.contains("variance")
                || name.contains("before")
                || name.contains("last")
            {
                continue; // read by mutants alone
            }
            let mut blind = facts.clone();
            blind
                .set_series(name, vec![Quantity::new(f64::NAN, 0.0, Grade::Sampled); series.len()]);
            assert_ne!(CLAIM.judge(&blind).verdict(), Verdict::Holds, "{name}");
        }
    }
}
