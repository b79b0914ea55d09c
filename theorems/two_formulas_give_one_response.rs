//! T1.3. Statement: two_formulas_give_one_response.md.

mod support;
mod tampering;

use driftproof::campaign::knobs;
use driftproof::claims::two_formulas_give_one_response::CLAIM;
use driftproof::drift::{Channel, Drift, Gaussian, GaussianPath, LearningError, Schedule, Sphere};
use driftproof::facts::{Facts, Quantity};
use driftproof::flow::{
    InexactFlow, Maps, Method, Orbit, Sampler, Scheme, StochasticSampler, uniform_times,
};
use driftproof::linalg::inverse;
use driftproof::lyapunov::product;
use driftproof::observe::observe;
use driftproof::random::Stream;
use driftproof::response::{
    Lagrangian, LagrangianState, LogDensity, NoisyLaw, along_maps, divergence_by_volume,
    log_density_slope, sensitivities,
};
use driftproof::scalar::Scalar;
use num_dual::Dual;
use tampering::held;

#[test]
fn no_orbit_tells_the_two_formulas_apart() {
    support::no_world_violates(&CLAIM, 200, file!());
}

#[test]
fn the_claim_stands_and_its_mutants_fall() {
    support::stands_and_refutes_its_mutants(&CLAIM);
}

/// N(0, 1), or N(0, I).
const PURE_NOISE: Channel<f64> = Channel { signal: 0.0, noise_variance: 1.0 };

/// x ← m x + ε (p + q x) on the line.
struct Affine {
    slope: f64,
    constant: f64,
    linear: f64,
}

impl Maps for Affine {
    fn dim(&self) -> usize {
        1
    }

    fn maps(&self) -> usize {
        1
    }

    fn map<S: Scalar>(&self, _: usize, epsilon: S, x: &mut [S]) {
        x[0] = x[0] * self.slope + epsilon * (x[0] * self.linear + self.constant);
    }
}

#[test]
fn an_affine_map_of_a_gaussian_is_in_closed_form() {
    let normal = Gaussian::diagonal(&[1.0]).unwrap();
    let source = NoisyLaw { denoiser: &normal, channel: PURE_NOISE };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-13 * (1.0 + b.abs()), "{a} {b}");
    for slope in [2.0, -0.3] {
        let (p, q) = (0.7, -1.1);
        let maps = Affine { slope, constant: p, linear: q };
        for x in [-1.5, 0.4, 3.0] {
            let response = along_maps(&maps, &source, &[x]).unwrap();
            // y = m x has score −x/m, so g = −[q/m − (p + q x) x/m], whose mean under N(0, 1) is 0.
            let expected = -q / slope + (p + q * x) * x / slope;
            close(response.from_error[1], expected);
            close(response.from_divergence[1], expected);
            close(log_density_slope(&maps, &source, &response).unwrap(), expected);
            close(divergence_by_volume(&maps, &[x]).unwrap(), q / slope);
        }
    }
}

#[test]
fn bars_of_maps_are_small_in_most_worlds() {
    let (mut small, mut all) = (0, 0);
    for index in 0..300 {
        let Ok(observation) = observe(CLAIM.id, &mut knobs(&CLAIM, 3, index)) else { continue };
        if let Some(bar) = observation.facts.series("rounding").last() {
            all += 1;
            small += usize::from(bar.value < 1e-8);
        }
    }
    assert!(all > 100 && small * 10 >= all * 9, "{small} of {all}");
}

/// What is wrong with the equations.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    TraceDropped,
    ScoreTermDropped,
    ScoreAgainstTime,
    VolumeSlopeDropped,
    ErrorNotInSensitivity,
    DivergenceOfErrorOnly,
    InnerWithoutError,
}

/// Equations (i)–(iv) with a fault.
struct Faulty<'a, V, W>(Lagrangian<'a, V, W>, Fault);

impl<V: Drift, W: Drift> Drift for Faulty<'_, V, W> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.0.velocity(t, x, out);
        let n = (x.len() - 4) / 3;
        let (state, score) = (&x[..n], &x[2 * n..3 * n]);
        let mut w = state.to_vec();
        self.0.error.velocity(t, state, &mut w);
        let along = w.iter().zip(score).fold(S::from(0.0), |sum, (&w, &s)| sum + w * s);
        let divergence = -out[3 * n + 2] - along;
        match self.1 {
            Fault::Nothing => (),
            Fault::TraceDropped => out[3 * n + 2] += divergence,
            Fault::ScoreTermDropped => out[3 * n + 2] += along,
            Fault::ScoreAgainstTime => out[2 * n..3 * n].iter_mut().for_each(|s| *s = -*s),
            Fault::VolumeSlopeDropped => {
                // s' = −Aᵀs alone.
                for j in 0..n {
                    let seed = |i: usize| S::from(f64::from(u8::from(i == j)));
                    let carried: Vec<Dual<S>> =
                        state.iter().enumerate().map(|(i, &x)| Dual::new(x, seed(i))).collect();
                    let mut v = carried.clone();
                    self.0.drift.velocity(Dual::from_re(t), &carried, &mut v);
                    let pulled = v.iter().zip(score);
                    out[2 * n + j] = -pulled.fold(S::from(0.0), |sum, (v, &s)| sum + v.eps * s);
                }
            }
            Fault::ErrorNotInSensitivity => {
                out[n..2 * n].iter_mut().zip(&w).for_each(|(d, &w)| *d -= w);
            }
            Fault::DivergenceOfErrorOnly => out[3 * n] = divergence,
            Fault::InnerWithoutError => out[3 * n + 1] -= along,
        }
    }
}

#[test]
fn every_fault_of_the_equations_is_caught() {
    let sphere = Sphere::new(2, 1.0).unwrap();
    let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &sphere };
    let error = LearningError::fourier(2, 4, 1.0, 0.8, Stream::root(5));
    let source = NoisyLaw { denoiser: &sphere, channel: PURE_NOISE };
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, 0.8, 60));
    let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
    let channel = Channel { signal: 0.8, noise_variance: 0.2 * 0.2 };
    let law = NoisyLaw { denoiser: &sphere, channel };
    let miss = |fault: Fault, start: &[f64]| {
        let field = Faulty(Lagrangian { drift: &drift, error: &error }, fault);
        let (score, log_density) = (source.score(start), source.log_density(start));
        let mut x = LagrangianState::start(start, &score, log_density);
        (0..60).for_each(|k| sampler.map(&field, k, &mut x));
        let end = LagrangianState::read(&x);
        let score = law.score(end.state.as_slice());
        let divergence = divergence_by_volume(&maps, start).unwrap();
        let inner = sensitivities(&maps, start).unwrap()[60].1.dot(&score);
        // (i), (ii), (iii) and (iv) against the maps and the law.
        let misses = [
            end.divergence - divergence,
            (&end.score - &score).norm() / score.norm(),
            end.inner - inner,
            end.from_error + divergence + inner,
            end.delta.dot(&score) - inner,
        ];
        misses.into_iter().fold(0.0, |m: f64, e| m.max(e.abs()))
    };
    // A term that is dropped may integrate to nothing along one trajectory.
    let starts = [[0.6, -0.5], [-1.1, 0.7], [0.2, 1.4]];
    let off = |fault| starts.iter().map(|start| miss(fault, start)).fold(0.0, f64::max);
    assert!(off(Fault::Nothing) < 1e-4, "{}", off(Fault::Nothing));
    for fault in [
        Fault::TraceDropped,
        Fault::ScoreTermDropped,
        Fault::ScoreAgainstTime,
        Fault::VolumeSlopeDropped,
        Fault::ErrorNotInSensitivity,
        Fault::DivergenceOfErrorOnly,
        Fault::InnerWithoutError,
    ] {
        assert!(off(fault) > 1e-2, "{fault:?} {}", off(fault));
    }
}

#[test]
fn a_transposed_jacobian_in_the_score_is_caught() {
    // A field of waves: its Jacobian is not symmetric.
    let drift = LearningError::fourier(3, 4, 1.0, 1.0, Stream::root(2));
    let error = LearningError::fourier(3, 4, 1.0, 1.0, Stream::root(3));
    let normal = Gaussian::diagonal(&[1.0, 1.0, 1.0]).unwrap();
    let source = NoisyLaw { denoiser: &normal, channel: PURE_NOISE };
    let sampler = Sampler::new(Method::Euler, vec![0.0, 0.5]);
    let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
    let start = [0.5, -0.8, 1.2];
    let response = along_maps(&maps, &source, &start).unwrap();
    let jacobian = product(&Orbit::from(&maps, 0.0, &start).unwrap());
    let transposed = inverse(&jacobian).unwrap() * (jacobian.transpose() * &response.score[1]);
    let fixed = log_density_slope(&maps, &source, &response).unwrap();
    let wrong = response.from_error[1] + response.error[0].dot(&(&response.score[1] - transposed));
    assert!((response.from_error[1] - fixed).abs() <= response.rounding[1]);
    assert!((wrong - fixed).abs() > 1e-2, "{wrong} {fixed}");
}

#[test]
fn the_commutator_kept_in_the_divergence_is_caught() {
    // Dδ_{k+1} = (dF Dδ + D²F[δ,·] + dw) dF⁻¹; without the last factor the trace is another number.
    let drift = LearningError::fourier(2, 4, 1.0, 1.0, Stream::root(12));
    let error = LearningError::fourier(2, 4, 1.0, 1.0, Stream::root(13));
    let normal = Gaussian::diagonal(&[1.0, 1.0]).unwrap();
    let source = NoisyLaw { denoiser: &normal, channel: PURE_NOISE };
    let sampler = Sampler::new(Method::Euler, vec![0.0, 0.5]);
    let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
    let response = along_maps(&maps, &source, &[0.5, -0.8]).unwrap();
    let by_volume = divergence_by_volume(&maps, &[0.5, -0.8]).unwrap();
    assert!((response.divergence[1] - by_volume).abs() <= response.rounding[1]);
    let kept = response.error_slope[0].trace();
    assert!((kept - by_volume).abs() > 1e-2, "{kept} {by_volume}");
}

#[test]
fn a_noise_path_redrawn_between_the_formulas_is_caught() {
    let sphere = Sphere::new(2, 1.0).unwrap();
    let error = LearningError::fourier(2, 4, 1.0, 0.5, Stream::root(6));
    let maps = |seed: u64| {
        let times = uniform_times(0.2, 0.8, 6);
        let (schedule, noise) = (Schedule::FlowMatching, Stream::root(seed));
        StochasticSampler::new(schedule, Scheme::Ancestral, times, &sphere, &error, noise).unwrap()
    };
    let channel = Channel { signal: 0.2, noise_variance: 0.8 * 0.8 };
    let source = NoisyLaw { denoiser: &sphere, channel };
    let response = along_maps(&maps(1), &source, &[0.6, -0.5]).unwrap();
    let (g, bar) = (response.from_error[6], response.rounding[6]);
    let same = log_density_slope(&maps(1), &source, &response).unwrap();
    assert!((same - g).abs() <= bar, "{same} {g}");
    // Along another path the end does not stay where it is held.
    assert!(log_density_slope(&maps(2), &source, &response).is_err());
}

/// How many of 60 worlds of maps that hold are violated after `tamper`, and how many hold.
fn caught(tamper: impl Fn(&mut Facts)) -> (usize, usize) {
    tampering::caught(
        &CLAIM,
        held(&CLAIM, 7, 60).filter(|seen| seen.world["look"] == "maps"),
        tamper,
    )
}

#[test]
fn terms_dropped_by_the_computation_are_caught() {
    let zero = |facts: &mut Facts, name: &str| {
        let zeros = vec![Quantity::exact(0.0); facts.series(name).len()];
        facts.set_series(name, zeros);
    };
    // A constant error has no trace.
    let (violated, held) = caught(|facts| zero(facts, "trace"));
    assert!(held >= 20 && violated * 2 >= held, "{violated} of {held}");
    let (violated, held) = caught(|facts| zero(facts, "error"));
    assert!(held >= 20 && violated * 10 >= held * 9, "{violated} of {held}");
}

#[test]
fn time_of_the_wrong_sign_and_a_score_of_the_wrong_time_are_caught() {
    let (violated, held) = caught(|facts| {
        for name in ["error", "trace"] {
            let flipped = facts.series(name).iter().map(|w| -*w).collect();
            facts.set_series(name, flipped);
        }
    });
    assert!(held >= 20 && violated * 20 >= held * 19, "{violated} of {held}");
    let (violated, held) = caught(|facts| {
        let dim = facts.get("dim").value as usize;
        let mut scores = facts.series("score").to_vec();
        let first = scores[..dim].to_vec();
        scores.truncate(scores.len() - dim);
        facts.set_series("score", [first, scores].concat());
    });
    assert!(held >= 20 && violated * 10 >= held * 9, "{violated} of {held}");
}
