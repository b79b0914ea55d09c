//! Norms of the response along Gaussian paths, for T1.6 (b).

use super::{Field, World};
use crate::drift::{
    Channel, Denoise, Denoiser, Drift, ErrorWave, Gaussian, GaussianPath, InVelocity,
    LearningError, Parametrisation, Schedule,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, LEVEL, Quantity};
use crate::flow::{InexactFlow, Method, Sampler, uniform_times};
use crate::linalg::dot;
use crate::observe::paths::state_schedule;
use crate::random::{Stream, unit_vector};
use crate::response::sensitivities;
use crate::scalar::Scalar;
use std::f64::consts::TAU;

/// Steps of a path from its start to moderate noise, to the first level, and to the last.
const STEPS: [usize; 3] = [8, 24, 16];

/// Draws of the norm of g, steps behind them, and draws of the norms at single times.
const DRAWS: u64 = 40;
const DRAW_STEPS: usize = 24;
const STILL_DRAWS: u64 = 300;

/// Times of the latter: every third step.
const STILL_TIMES: usize = 8;

/// Wave number of the short wave, at length 1.
const WAVE: f64 = 4.0;

impl World {
    /// ‖μ/ρ‖ for Gaussian data and an error that is constant in x: g = ⟨δ, Σ⁻¹x⟩ since δ is, so ‖g‖² = ⟨δ, Σ⁻¹δ⟩.
    pub(super) fn constant_errors(&self, facts: &mut Facts) -> Result<()> {
        let variances = self.variances();
        let denoiser = Gaussian::diagonal(&variances)?;
        let size = unit_vector(&mut self.stream.named("constant").rng(), self.ambient);
        let constant = LearningError::constant(&size);
        let schedule = self.schedule;
        let error =
            InVelocity { error: &constant, parametrisation: self.parametrisation, schedule };
        // A noise prediction is no model at a = 0.
        let from = match self.parametrisation {
            Parametrisation::Noise => schedule.time_at_sigma(20.0),
            _ => 0.0,
        };
        let middle = schedule.time_at_sigma(2.0_f64.min(0.5 * schedule.sigma(from)));
        let tail = |from: f64, to: f64, n: usize| -> Vec<f64> {
            let level = |k: usize| (from.ln() + (to / from).ln() * k as f64 / n as f64).exp();
            (1..=n).map(|k| schedule.time_at_sigma(level(k))).collect()
        };
        let steps = STEPS.map(|n| 2 * n * self.finer);
        let mut times = uniform_times(from, middle, steps[0]);
        times.extend(tail(schedule.sigma(middle), self.ends[0], steps[1]));
        times.extend(tail(self.ends[0], self.ends[1], steps[2]));
        let drift = GaussianPath { schedule, denoiser: &denoiser };
        let norms = |stride: usize| -> Result<[[f64; 2]; 2]> {
            let times: Vec<f64> = times.iter().copied().step_by(stride).collect();
            let sampler = Sampler::new(Method::Rk4, times.clone());
            let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
            let path = sensitivities(&maps, &vec![0.0; self.ambient])?;
            let last = times.len() - 1;
            Ok([last - steps[2] / stride, last].map(|k| {
                let (a, b) = schedule.coefficients(times[k]);
                let terms = path[k].1.iter().zip(&variances);
                let square = |(d, v): (&f64, &f64)| (d * d / (a * a * v + b * b), *v == 0.0);
                let squares: Vec<(f64, bool)> = terms.map(square).collect();
                let all: f64 = squares.iter().map(|s| s.0).sum();
                let flat: f64 = squares.iter().filter(|s| s.1).map(|s| s.0).sum();
                [all.sqrt(), flat.sqrt()]
            }))
        };
        let (coarse, fine) = (norms(2)?, norms(1)?);
        state_schedule(facts, &schedule);
        facts.set("from", Quantity::exact(from));
        let velocity = f64::from(u8::from(self.parametrisation == Parametrisation::Velocity));
        facts.set("predicts_velocity", Quantity::exact(velocity));
        let flat: f64 = size[self.tangent..].iter().map(|e| e * e).sum();
        facts.set("error_size", Quantity::rounded(1.0, 16.0));
        facts.set("flat_error_size", Quantity::rounded(flat.sqrt(), 16.0));
        // One number may agree by accident, hardly all four.
        let pairs = coarse.iter().flatten().zip(fine.iter().flatten());
        let changed = pairs.map(|(c, f)| (c - f).abs()).fold(0.0, f64::max);
        for (end, fine) in fine.iter().enumerate() {
            let time = schedule.time_at_sigma(self.ends[end]);
            facts.push("end", Quantity::exact(time));
            for (name, value) in ["norm", "flat_norm"].iter().zip(fine) {
                let bar = changed + 1e-8 * fine[0];
                facts.push(name, Quantity::new(*value, bar, Grade::Estimated));
            }
        }
        Ok(())
    }

    /// Norms over the law of the path, by draws: of g for a velocity error that varies, and of ⟨w, s⟩ at three times.
    pub(super) fn norms(&self, facts: &mut Facts, field: Field) -> Result<()> {
        let denoiser = self.denoiser()?;
        let schedule = match self.parametrisation {
            Parametrisation::Velocity => self.schedule,
            _ => Schedule::Trigonometric,
        };
        let dim = self.ambient as f64;
        let (waves, sup) = match field {
            Field::Fourier => {
                let error = self.error("varying");
                let sup = error.bounds()[0];
                (error, sup)
            }
            Field::Sines => {
                let unit = |i: usize, by: f64| -> Vec<f64> {
                    (0..self.ambient).map(|j| if i == j { by } else { 0.0 }).collect()
                };
                let wave = |i| ErrorWave {
                    wave_vector: unit(i, 1.0),
                    phase: 0.0,
                    coefficient: unit(i, dim.sqrt().recip()),
                };
                (LearningError::sum(self.ambient, (0..self.ambient).map(wave).collect()), 1.0)
            }
            Field::Wave => {
                let along = unit_vector(&mut self.stream.named("wave").rng(), self.ambient);
                let wave = ErrorWave {
                    wave_vector: along.iter().map(|e| e * WAVE / self.length).collect(),
                    phase: self.stream.named("phase").uniforms(1)[0] * TAU,
                    coefficient: along,
                };
                (LearningError::sum(self.ambient, vec![wave]), 1.0)
            }
        };
        let drift = Stein { denoiser: &denoiser, schedule, error: &waves };
        let (from, to) = (schedule.time_at_sigma(8.0), schedule.time_at_sigma(0.3));
        let coarse = Sampler::new(Method::Rk4, uniform_times(from, to, DRAW_STEPS));
        let sampler = coarse.clone().finer(self.finer);
        let noisy = |time: f64, stream: Stream| -> Vec<f64> {
            let (a, b) = schedule.coefficients(time);
            let noise = stream.named("noise").normals(self.ambient);
            let datum = self.datum(stream.named("datum"));
            datum.iter().zip(&noise).map(|(d, z)| a * d + b * z).collect()
        };
        let draw = |i: u64| -> f64 {
            let mut x = noisy(from, self.stream.named("draw").indexed(i));
            x.push(0.0);
            (0..sampler.maps()).for_each(|k| sampler.map(&drift, k, &mut x));
            x[self.ambient] * x[self.ambient]
        };
        let squares: Vec<f64> = (0..DRAWS).map(draw).collect();
        facts.set("sampled_norm", Quantity::sampled_mean(&squares, LEVEL).sqrt());
        let mut divergences = Vec::new();
        for k in (0..=DRAW_STEPS).step_by(DRAW_STEPS / STILL_TIMES) {
            let time = coarse.times()[k];
            let stream = self.stream.named("still").indexed(k as u64);
            let terms = |i: u64| {
                let x = noisy(time, stream.indexed(i));
                [drift.divergence(&x), drift.inner(time, &x)]
            };
            let terms: Vec<[f64; 2]> = (0..STILL_DRAWS).map(terms).collect();
            let norm = |of: fn(&[f64; 2]) -> f64| {
                let squares: Vec<f64> = terms.iter().map(|t| of(t).powi(2)).collect();
                Quantity::sampled_mean(&squares, LEVEL).sqrt()
            };
            divergences.push(norm(|t| t[0]));
            if k % (DRAW_STEPS / 2) == 0 {
                facts.push("divergence_norm", norm(|t| t[0]));
                facts.push("score_term", norm(|t| t[1]));
                facts.push("source_norm", norm(|t| t[0] + t[1]));
                let level = schedule.coefficients(time).1;
                facts.push("noise_level", Quantity::rounded(level, 16.0));
            }
        }
        let sum = |stride: usize| {
            let taken: Vec<Quantity> = divergences.iter().copied().step_by(stride).collect();
            let (h, last) = ((to - from) / (taken.len() - 1) as f64, taken.len() - 1);
            let weight = |k: usize| if k == 0 || k == last { 0.5 * h } else { h };
            let zero = Quantity::exact(0.0);
            taken.iter().enumerate().fold(zero, |sum, (k, d)| sum + *d * weight(k))
        };
        let (fine, coarse) = (sum(1), sum(2));
        facts.set("divergence_total", fine.widened(fine.value - coarse.value));
        // ∫ ds/b by the trapezoid rule, from above where 1/b is convex.
        let inverse = |t: f64| schedule.coefficients(t).1.recip();
        let (fine, coarse) = (trapezoid(inverse, from, to, 400), trapezoid(inverse, from, to, 200));
        facts.set("inverse_noise", Quantity::new(fine, (fine - coarse).abs(), Grade::Estimated));
        facts.set("dim", Quantity::exact(dim));
        facts.set("field_sup", Quantity::rounded(sup, 64.0));
        Ok(())
    }
}

fn trapezoid(f: impl Fn(f64) -> f64, from: f64, to: f64, n: usize) -> f64 {
    let h = (to - from) / n as f64;
    let inside: f64 = (1..n).map(|k| f(from + h * k as f64)).sum();
    h * (inside + 0.5 * (f(from) + f(to)))
}

/// x' = v and g' = −(div w + ⟨w, s⟩) along a Gaussian path, s by Tweedie's formula.
struct Stein<'a> {
    denoiser: &'a Denoiser,
    schedule: Schedule,
    error: &'a LearningError,
}

impl Stein<'_> {
    /// div w.
    fn divergence<S: Scalar>(&self, x: &[S]) -> S {
        self.error.waves().iter().fold(S::from(0.0), |sum, wave| {
            let start = S::from(wave.phase);
            let phase = wave.wave_vector.iter().zip(x).fold(start, |sum, (&k, &x)| sum + x * k);
            sum + phase.cos() * dot(&wave.coefficient, &wave.wave_vector)
        })
    }

    /// ⟨w, s⟩.
    fn inner<S: Scalar>(&self, t: S, x: &[S]) -> S {
        let (a, b) = self.schedule.coefficients(t);
        let (mut mean, mut w) = (x.to_vec(), x.to_vec());
        self.denoiser.denoise(Channel { signal: a, noise_variance: b * b }, x, &mut mean);
        self.error.velocity(t, x, &mut w);
        let terms = w.iter().zip(x.iter().zip(&mean));
        terms.fold(S::from(0.0), |sum, (&w, (&x, &m))| sum + w * (a * m - x)) / (b * b)
    }
}

impl Drift for Stein<'_> {
    fn dim(&self) -> usize {
        self.error.dim() + 1
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let (x, _) = x.split_at(self.error.dim());
        let (velocity, rate) = out.split_at_mut(x.len());
        GaussianPath { schedule: self.schedule, denoiser: self.denoiser }.velocity(t, x, velocity);
        rate[0] = -(self.divergence(x) + self.inner(t, x));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::{NoisyLaw, along_maps};

    #[test]
    fn the_trapezoidal_rule_misses_a_parabola_by_a_sixth_of_the_square_of_its_step() {
        let found = trapezoid(|t| t * t, 1.0, 3.0, 20);
        assert!((found - (26.0 / 3.0 + 2.0 * 0.01 / 6.0)).abs() < 1e-12, "{found}");
    }

    /// The equation along the flow against the sum over its maps, which is exact for them.
    #[test]
    fn the_equation_of_the_response_is_the_limit_of_the_sum_over_maps() {
        let denoiser = Denoiser::from(Gaussian::diagonal(&[1.0, 0.3]).unwrap());
        let error = LearningError::fourier(2, 5, 0.7, 1.0, Stream::root(3));
        let schedule = Schedule::Trigonometric;
        let (from, to) = (0.2, 0.8);
        let sampler = Sampler::new(Method::Rk4, uniform_times(from, to, 100));
        let mut x = vec![0.4, -0.9, 0.0];
        let equation = Stein { denoiser: &denoiser, schedule, error: &error };
        (0..sampler.maps()).for_each(|k| sampler.map(&equation, k, &mut x));
        let drift = GaussianPath { schedule, denoiser: &denoiser };
        let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
        let (a, b) = schedule.coefficients(from);
        let channel = Channel { signal: a, noise_variance: b * b };
        let law = NoisyLaw { denoiser: &denoiser, channel };
        let response = along_maps(&maps, &law, &[0.4, -0.9]).unwrap();
        let exact = response.from_error[100];
        assert!(exact.abs() > 0.1 && (x[2] - exact).abs() < 1e-7, "{} against {exact}", x[2]);
    }
}
