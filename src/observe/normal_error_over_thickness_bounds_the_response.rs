//! Tubes about manifolds, Gaussian paths and their errors, for T1.6.

use super::Observation;
use super::limits::power;
use super::paths::{decode_schedule, state_schedule};
use crate::drift::{
    Channel, Denoise, Denoiser, Drift, ErrorWave, Gaussian, GaussianPath, InVelocity, Lanes,
    LearningError, Parametrisation, PartOf, Schedule, Sphere, Workspace,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, LEVEL, Quantity};
use crate::flow::{InexactFlow, Method, Sampler, uniform_times};
use crate::linalg::{complement, dot, largest_angle, orthonormalise, svd};
use crate::manifold::{Chart, Flat, Manifold, Motion, Part};
use crate::random::{Knobs, Stream, unit_vector};
use crate::response::{NoisyLaw, along_maps, sensitivities};
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Thicknesses: each a third of the one before.
const THICKNESSES: usize = 6;

/// Points of a tube, the same at every thickness; in pairs of opposite noise, on which the product
/// of the tangential and the normal term, which would make corrections of order √s, cancels.
const POINTS: usize = 16;

/// Orbits along which the splitting of the response is looked at.
const ORBITS: u64 = 3;

/// Maps of the model behind them.
const MAPS: usize = 6;

/// Steps of a path from its start to moderate noise, to the first level, and to the last.
const STEPS: [usize; 3] = [8, 24, 16];

/// Draws of the norm of g, steps behind them, and draws of the norms at single times.
const DRAWS: u64 = 40;
const DRAW_STEPS: usize = 24;
const STILL_DRAWS: u64 = 300;

/// A world.
#[derive(Serialize)]
struct World {
    /// A round sphere in all of R^D; otherwise a flat with a Gaussian on it.
    round: bool,
    ambient: usize,
    tangent: usize,
    /// s_0.
    thickness: f64,
    /// The normal error is s^exponent times a fixed field.
    exponent: f64,
    /// Size of the graph that is a plane tilted against the tangent space.
    tilt: f64,
    length: f64,
    schedule: Schedule,
    /// Predicts the velocity, or the noise.
    parametrisation: Parametrisation,
    /// Noise levels σ at the two ends that are compared.
    ends: [f64; 2],
    /// Whether norms over the law of a field that varies are sampled, and of which one.
    sampled: Option<Field>,
    #[serde(skip)]
    stream: Stream,
}

/// A velocity error that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Field {
    /// A random Fourier field.
    Fourier,
    /// w_i = sin x_i / √D: nearly parallel to the score of pure noise.
    Sines,
}

impl World {
    /// Decodes a world; the plainest is the unit circle with a constant velocity error of flow matching.
    fn decode(knobs: &mut Knobs) -> Self {
        let round = knobs.unit() < 0.5;
        let ambient = knobs.pick(&[2, 3, 4, 6]);
        let flat = knobs.count(1, ambient - 1);
        let tangent = if round { ambient - 1 } else { flat };
        let thickness = knobs.log_range(0.03, 0.1);
        let exponent = knobs.pick(&[0.0, 0.5, 1.0, 1.5]);
        let tilt = knobs.log_range(0.01, 3.0);
        let length = knobs.log_range(0.7, 3.0);
        let kind = knobs.count(0, 2);
        let beta = knobs.range(4.0, 12.0);
        let other = decode_schedule(knobs);
        let (schedule, parametrisation) = match kind {
            0 => (Schedule::FlowMatching, Parametrisation::Velocity),
            1 => {
                let constant = Schedule::VpLinear { beta_min: beta, beta_max: beta };
                (constant, Parametrisation::Velocity)
            }
            _ => (other, Parametrisation::Noise),
        };
        let last = knobs.log_range(0.003, 0.03);
        let ends = [last * knobs.range(3.0, 10.0), last];
        let sampled = knobs.pick(&[None, None, Some(Field::Sines), Some(Field::Fourier)]);
        let stream = knobs.stream("size");
        Self {
            round,
            ambient,
            tangent,
            thickness,
            exponent,
            tilt,
            length,
            schedule,
            parametrisation,
            ends,
            sampled,
            stream,
        }
    }

    fn denoiser(&self) -> Result<Denoiser> {
        if self.round {
            return Ok(Sphere::new(self.ambient, 1.0)?.into());
        }
        Ok(Gaussian::diagonal(&self.variances())?.into())
    }

    /// Variances of the Gaussian data: flat along the normals.
    fn variances(&self) -> Vec<f64> {
        let drawn = self.stream.named("variances").uniforms(self.ambient);
        let variance = |(i, u): (usize, f64)| if i < self.tangent { 0.3 + 2.0 * u } else { 0.0 };
        drawn.into_iter().enumerate().map(variance).collect()
    }

    fn manifold(&self) -> Result<Manifold> {
        if self.round {
            return Manifold::new(Chart::Sphere(crate::manifold::Sphere {
                dim: self.tangent,
                radius: 1.0,
            }));
        }
        let flat = Chart::Flat(Flat { half_widths: vec![1.0; self.tangent], bounded: false });
        Manifold::embedded(flat, Motion::identity(self.tangent, self.ambient)?)
    }

    /// A draw of the data.
    fn datum(&self, stream: Stream) -> Vec<f64> {
        if self.round {
            return unit_vector(&mut stream.rng(), self.ambient);
        }
        let normals = stream.normals(self.ambient);
        normals.iter().zip(self.variances()).map(|(z, v)| z * v.sqrt()).collect()
    }

    fn error(&self, name: &str) -> LearningError {
        LearningError::fourier(self.ambient, 4, self.length, 1.0, self.stream.named(name))
    }

    fn measure(&self) -> Result<Facts> {
        let mut facts = Facts::new();
        self.split(&mut facts)?;
        self.growth(&mut facts)?;
        self.tilted(&mut facts)?;
        self.constant_errors(&mut facts)?;
        if let Some(field) = self.sampled {
            self.norms(&mut facts, field)?;
        }
        Ok(facts)
    }

    /// g against div δ and the parts of δ and s, at ends of orbits of a model with that error.
    fn split(&self, facts: &mut Facts) -> Result<()> {
        let (denoiser, manifold) = (self.denoiser()?, self.manifold()?);
        // Flow matching to a = 1/(1+s), b = s/(1+s).
        let end = 1.0 / (1.0 + self.thickness);
        let drift = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &denoiser };
        let sampler = Sampler::new(Method::Heun, uniform_times(0.0, end, MAPS));
        let error = self.error("split");
        let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
        let source =
            NoisyLaw { denoiser: &denoiser, channel: Channel { signal: 0.0, noise_variance: 1.0 } };
        for orbit in 0..ORBITS {
            let start = self.stream.named("orbit").indexed(orbit).normals(self.ambient);
            let response = along_maps(&maps, &source, &start)?;
            let scaled = &response.states[MAPS] / end;
            let foot = manifold.nearest(scaled.as_slice())?;
            let frame = manifold.tangent_frame(&foot.place);
            let parts = |v: &DVector<f64>| {
                let tangent = &frame * frame.tr_mul(v);
                [tangent.norm(), (v - tangent).norm()]
            };
            let bar = response.rounding[MAPS];
            let mut push = |name: &str, value: f64| {
                facts.push(name, Quantity::new(value, bar + 1e-14 * value.abs(), Grade::Estimated));
            };
            push("response", response.from_error[MAPS]);
            push("divergence", response.divergence[MAPS]);
            let names = ["delta_tangent", "delta_normal", "score_tangent", "score_normal"];
            let [dt, dn] = parts(&response.delta[MAPS]);
            let [st, sn] = parts(&response.score[MAPS]);
            for (name, value) in names.iter().zip([dt, dn, st, sn]) {
                push(name, value);
            }
        }
        Ok(())
    }

    /// The root mean square of g over the same points of ever thinner tubes, for a late error whose normal part is s^exponent times a field.
    fn growth(&self, facts: &mut Facts) -> Result<()> {
        let (denoiser, manifold) = (self.denoiser()?, self.manifold()?);
        let field = self.error("late");
        let normal = PartOf { error: &field, part: Part::Normal, manifold: &manifold };
        let (mut thicknesses, mut sizes) = (Vec::new(), Vec::new());
        for j in 0..THICKNESSES as i32 {
            let s = self.thickness / 3_f64.powi(j);
            let share = s.powf(self.exponent);
            let mut sum = 0.0;
            for i in 0..POINTS as u64 {
                let stream = self.stream.named("tube").indexed(i / 2);
                let mut x = self.datum(stream.named("datum"));
                let noise = stream.named("noise").normals(self.ambient);
                let off = if i % 2 == 0 { s } else { -s };
                x.iter_mut().zip(&noise).for_each(|(x, z)| *x += off * z);
                let mut score = x.clone();
                denoiser.denoise(Channel::canonical(s), &x, &mut score);
                score.iter_mut().zip(&x).for_each(|(m, x)| *m = (*m - x) / (s * s));
                let (of_all, of_normal) = (late(&field, &x, &score), late(&normal, &x, &score));
                let g = of_all - of_normal + share * of_normal;
                sum += g * g / POINTS as f64;
            }
            thicknesses.push(s);
            sizes.push(sum.sqrt());
        }
        // Corrections are of relative size O(s) over a length of order 1.
        let corrections = 4.0 * thicknesses[2];
        facts.set("growth", power(&thicknesses, &sizes).widened(corrections));
        facts.set("exponent", Quantity::exact(self.exponent));
        Ok(())
    }

    /// Vectors of a plane that is tilted against a tangent space.
    fn tilted(&self, facts: &mut Facts) -> Result<()> {
        let manifold = self.manifold()?;
        let place = manifold.nearest(&self.datum(self.stream.named("tilted")))?.place;
        let tangent = manifold.tangent_frame(&place);
        let normal = complement(&tangent);
        let (d, codim) = (tangent.ncols(), normal.ncols());
        let drawn = self.stream.named("graph").normals(d * codim);
        let graph = DMatrix::from_vec(codim, d, drawn) * (self.tilt / ((d * codim) as f64).sqrt());
        let mut plane = &tangent + &normal * &graph;
        orthonormalise(&mut plane);
        let angle = largest_angle(&plane, &tangent)?;
        facts.set("tilt", Quantity::new(angle, 1e-7, Grade::Estimated));
        // Three vectors at random, and the steepest.
        let steepest = svd(&graph)?.right.column(0).into_owned();
        // In the orthonormal basis of the plane its steepest vector has other coordinates.
        let steepest = plane.tr_mul(&(&tangent + &normal * &graph)) * steepest;
        let random =
            |i: u64| DVector::from_vec(self.stream.named("in the plane").indexed(i).normals(d));
        for c in (0..3).map(random).chain([steepest]) {
            let delta = &plane * c;
            let share = normal.tr_mul(&delta).norm() / delta.norm();
            facts.push("tilted_normal", Quantity::new(share, 1e-12, Grade::Estimated));
        }
        Ok(())
    }

    /// ‖μ/ρ‖ for Gaussian data and an error that is constant in x: g = ⟨δ, Σ⁻¹x⟩ since δ is, so ‖g‖² = ⟨δ, Σ⁻¹δ⟩.
    fn constant_errors(&self, facts: &mut Facts) -> Result<()> {
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
        let mut times = uniform_times(from, middle, 2 * STEPS[0]);
        times.extend(tail(schedule.sigma(middle), self.ends[0], 2 * STEPS[1]));
        times.extend(tail(self.ends[0], self.ends[1], 2 * STEPS[2]));
        let drift = GaussianPath { schedule, denoiser: &denoiser };
        let norms = |stride: usize| -> Result<[[f64; 2]; 2]> {
            let times: Vec<f64> = times.iter().copied().step_by(stride).collect();
            let sampler = Sampler::new(Method::Rk4, times.clone());
            let maps = InexactFlow { sampler: &sampler, drift: &drift, error: &error };
            let path = sensitivities(&maps, &vec![0.0; self.ambient])?;
            let last = times.len() - 1;
            Ok([last - 2 * STEPS[2] / stride, last].map(|k| {
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
    fn norms(&self, facts: &mut Facts, field: Field) -> Result<()> {
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
        };
        let divergence: f64 =
            waves.waves().iter().map(|w| dot(&w.coefficient, &w.wave_vector).abs()).sum();
        let drift = Stein { denoiser: &denoiser, schedule, error: &waves };
        let (from, to) = (schedule.time_at_sigma(8.0), schedule.time_at_sigma(0.3));
        let sampler = Sampler::new(Method::Rk4, uniform_times(from, to, DRAW_STEPS));
        let noisy = |time: f64, stream: Stream| -> Vec<f64> {
            let (a, b) = schedule.coefficients(time);
            let noise = stream.named("noise").normals(self.ambient);
            let datum = self.datum(stream.named("datum"));
            datum.iter().zip(&noise).map(|(d, z)| a * d + b * z).collect()
        };
        let draw = |i: u64| -> f64 {
            let mut x = noisy(from, self.stream.named("draw").indexed(i));
            x.push(0.0);
            (0..DRAW_STEPS).for_each(|k| sampler.map(&drift, k, &mut x));
            x[self.ambient] * x[self.ambient]
        };
        let squares: Vec<f64> = (0..DRAWS).map(draw).collect();
        facts.set("sampled_norm", Quantity::sampled_mean(&squares, LEVEL).sqrt());
        for k in [0, DRAW_STEPS / 2, DRAW_STEPS] {
            let time = sampler.times()[k];
            let stream = self.stream.named("still").indexed(k as u64);
            let inner = |i: u64| drift.inner(time, &noisy(time, stream.indexed(i))).powi(2);
            let squares: Vec<f64> = (0..STILL_DRAWS).map(inner).collect();
            facts.push("score_term", Quantity::sampled_mean(&squares, LEVEL).sqrt());
            let level = schedule.coefficients(time).1;
            facts.push("noise_level", Quantity::rounded(level, 16.0));
        }
        // ∫ ds/b by the trapezoid rule, from above where 1/b is convex.
        let inverse = |t: f64| schedule.coefficients(t).1.recip();
        let (fine, coarse) = (trapezoid(inverse, from, to, 400), trapezoid(inverse, from, to, 200));
        facts.set("inverse_noise", Quantity::new(fine, (fine - coarse).abs(), Grade::Estimated));
        facts.set("span", Quantity::exact(to - from));
        facts.set("dim", Quantity::exact(dim));
        facts.set("field_sup", Quantity::rounded(sup, 64.0));
        facts.set("divergence_sup", Quantity::rounded(divergence, 64.0));
        Ok(())
    }
}

/// g = −(div w + ⟨w, s⟩) of a late error, for which δ = w: μ = −div(ρw).
fn late(error: &impl Drift, x: &[f64], score: &[f64]) -> f64 {
    let dim = x.len();
    let mut block = DMatrix::identity(dim, dim).insert_column(0, 0.0);
    block.column_mut(0).copy_from_slice(x);
    let mut out = block.clone();
    let lanes = Lanes::single(dim);
    error.push(0.0, block.as_slice(), lanes, out.as_mut_slice(), &mut Workspace::default());
    let divergence: f64 = (0..dim).map(|i| out[(i, i + 1)]).sum();
    -(divergence + dot(out.column(0).as_slice(), score))
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
        let mut divergence = S::from(0.0);
        for wave in self.error.waves() {
            let start = S::from(wave.phase);
            let phase = wave.wave_vector.iter().zip(x).fold(start, |sum, (&k, &x)| sum + x * k);
            divergence += phase.cos() * dot(&wave.coefficient, &wave.wave_vector);
        }
        rate[0] = -(divergence + self.inner(t, x));
    }
}

/// Decodes and measures.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs);
    let facts = world.measure()?;
    let family = if world.round { "tube about a sphere" } else { "tube about a flat" };
    Ok(Observation::new(&world, facts).labelled(Labels::of(family)))
}
