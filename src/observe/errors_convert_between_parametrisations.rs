//! Perturbed denoisers, noise predictions and scores of random laws, for T6.4.

use super::Observation;
use super::laws::RandomLaw;
use super::paths::{decode_schedule, state_schedule};
use super::picture::{STEPS, Scene, Size, samples, scattered};
use crate::drift::{
    Canonical, Channel, Denoise, Denoiser, Drift, GaussianPath, InVelocity, PUSH_ROUNDING,
    Parametrisation, Schedule, Workspace,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{InexactFlow, Method, Sampler, geometric_times};
use crate::random::{Knobs, Stream};
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

#[derive(Serialize)]
struct World {
    law: RandomLaw,
    schedule: Schedule,
    time: f64,
    /// Size of the error.
    amplitude: f64,
    /// Predictions are clipped to [−clip, clip] in every coordinate, as samplers do; ∞ for none.
    #[serde(with = "crate::facts::nullable")]
    clip: f64,
    #[serde(skip)]
    stream: Stream,
}

/// A prediction that is off by a smooth field e(x) = amplitude (u + M x + sin(Nx)).
struct Perturbed<'a> {
    exact: &'a Denoiser,
    parametrisation: Parametrisation,
    schedule: Schedule,
    time: f64,
    error: &'a ErrorField,
    clip: f64,
}

struct ErrorField {
    amplitude: f64,
    constant: Vec<f64>,
    linear: DMatrix<f64>,
    wave: DMatrix<f64>,
}

impl ErrorField {
    fn new(dim: usize, amplitude: f64, stream: Stream) -> Self {
        let scale = (dim as f64).sqrt().recip();
        let matrix =
            |name: &str| DMatrix::from_vec(dim, dim, stream.named(name).normals(dim * dim)) * scale;
        let constant = stream.named("constant").normals(dim);
        Self { amplitude, constant, linear: matrix("linear"), wave: matrix("wave") }
    }

    fn value<S: Scalar>(&self, x: &[S], i: usize) -> S {
        let (mut line, mut phase) = (S::from(self.constant[i]), S::from(0.0));
        for (j, x) in x.iter().enumerate() {
            line += *x * self.linear[(i, j)];
            phase += *x * self.wave[(i, j)];
        }
        (line + phase.sin()) * self.amplitude
    }

    /// (e(x), De(x)), the slope by hand.
    fn with_slope(&self, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let value = DVector::from_fn(x.len(), |i, _| self.value(x, i));
        let phases = &self.wave * DVector::from_column_slice(x);
        let slope = DMatrix::from_fn(x.len(), x.len(), |i, j| {
            self.amplitude * (self.linear[(i, j)] + phases[i].cos() * self.wave[(i, j)])
        });
        (value, slope)
    }
}

impl Drift for ErrorField {
    fn dim(&self) -> usize {
        self.constant.len()
    }

    fn velocity<S: Scalar>(&self, _: S, x: &[S], out: &mut [S]) {
        out.iter_mut().enumerate().for_each(|(i, out)| *out = self.value(x, i));
    }
}

impl Denoise for Perturbed<'_> {
    fn dim(&self) -> usize {
        self.exact.dim()
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        self.exact.denoise(channel, x, out);
        // Through the prediction and back: what a sampler does with the output of a network.
        let (kind, time) = (self.parametrisation, S::from(self.time));
        for (i, o) in out.iter_mut().enumerate() {
            let prediction =
                kind.predicted(&self.schedule, time, x[i], *o) + self.error.value(x, i);
            let denoised = kind.denoised(&self.schedule, time, x[i], prediction);
            // Clipping branches, as no other field may: it stands for a sampler that is out of scope.
            *o = match denoised.re().abs() > self.clip {
                true => S::from(self.clip * denoised.re().signum()),
                false => denoised,
            };
        }
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        self.exact.log_density(channel, x)
    }
}

impl World {
    fn decode(knobs: &mut Knobs) -> Self {
        let schedule = decode_schedule(knobs);
        let law = RandomLaw::decode(knobs);
        let choice = knobs.unit();
        let sigma = knobs.log_range(0.02, 30.0);
        // One world in ten starts at pure noise, where no finite factor exists for some schedules.
        let time = if choice > 0.9 { 0.0 } else { schedule.time_at_sigma(sigma) };
        let clip = if (0.8..0.9).contains(&choice) { 0.2 } else { f64::INFINITY };
        let amplitude = knobs.log_range(1e-2, 10.0);
        Self { law, schedule, time, amplitude, clip, stream: knobs.stream("error") }
    }
}

/// What the same error of the denoiser does from the noise level of the world, at most 20, down to a tenth of it.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs);
    let (denoiser, schedule) = (world.law.denoiser()?, world.schedule);
    let first = schedule.sigma(world.time).min(20.0);
    let levels = geometric_times(first, 0.1 * first, STEPS);
    let times: Vec<f64> = levels.into_iter().map(|s| schedule.time_at_sigma(s)).collect();
    let ((a, b), signal) = (schedule.coefficients(times[0]), schedule.coefficients(times[STEPS]).0);
    let normals = world.stream.named("state").normals(world.law.dim);
    let start: Vec<f64> = normals.iter().map(|z| a.hypot(b) * z).collect();
    let field = ErrorField::new(world.law.dim, world.amplitude, world.stream);
    let parametrisation = Parametrisation::Denoiser;
    let error = &InVelocity { error: &field, parametrisation, schedule };
    let drift = &GaussianPath { schedule, denoiser: &denoiser };
    let maps = &InexactFlow { sampler: &Sampler::new(Method::Rk4, times), drift, error };
    let (starts, data) = (&scattered(&start), Some(samples((&denoiser, signal))?));
    Scene { maps, size: Size::Visible, starts, data }.draw()
}

/// Velocity and its Jacobian.
fn velocity(drift: &impl Drift, time: f64, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
    let mut value = DVector::zeros(x.len());
    drift.velocity(time, x, value.as_mut_slice());
    (value, drift.jacobian(time, x, &mut Workspace::default()))
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs);
    let denoiser = world.law.denoiser()?;
    let (schedule, time, dim) = (world.schedule, world.time, world.law.dim);
    let (a, b) = schedule.coefficients(time);
    let spread = a.hypot(b);
    let x: Vec<f64> = world.stream.named("state").normals(dim).iter().map(|z| spread * z).collect();
    let y: Vec<f64> = x.iter().map(|x| x / a).collect();
    let field = ErrorField::new(dim, world.amplitude, world.stream);
    let (error, slope) = field.with_slope(&x);

    let mut facts = Facts::new();
    state_schedule(&mut facts, &schedule);
    facts.set("time", Quantity::exact(time));
    facts.set("clipped", Quantity::exact(f64::from(world.clip.is_finite())));
    let rounded = |values: &[f64]| values.iter().map(|e| Quantity::rounded(*e, 256.0)).collect();
    facts.set_series("error", rounded(error.as_slice()));
    facts.set_series("error_slope", rounded(slope.as_slice()));

    let channel = Channel { signal: a, noise_variance: b * b };
    let mut mean = vec![0.0; dim];
    denoiser.denoise(channel, &x, &mut mean);
    let (plain, plain_slope) = velocity(&GaussianPath { schedule, denoiser: &denoiser }, time, &x);
    let (canonical, _) = velocity(&Canonical { denoiser: &denoiser }, b / a, &y);
    // Both velocities are sums of terms of this size, and so are their Jacobians.
    let (_, _, da, db) = schedule.rates(time);
    let stretch = (da / a).abs() + (db / b).abs();
    // Far from all atoms the log weights themselves are larger than the kernel reckons with.
    let square = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>();
    let log_weight = (square(&x) + a * a * square(&mean)) / (b * b);
    let rounding = PUSH_ROUNDING.max(f64::EPSILON * log_weight);
    let difference = |with: &[f64], without: &[f64], size: f64| -> Vec<Quantity> {
        let pairs = || with.iter().zip(without);
        let largest = pairs().map(|(w, e)| w.abs().max(e.abs())).fold(size, f64::max);
        pairs().map(|(w, e)| Quantity::new(w - e, rounding * largest, Grade::Estimated)).collect()
    };
    let reach = x.iter().chain(&mean).fold(1.0, |m: f64, v| m.max(v.abs()));
    let models = [
        ("denoiser", Parametrisation::Denoiser),
        ("noise", Parametrisation::Noise),
        ("score", Parametrisation::Score),
        ("velocity", Parametrisation::Velocity),
    ];
    for (model, parametrisation) in models {
        let (exact, error, clip) = (&denoiser, &field, world.clip);
        let perturbed = Perturbed { exact, parametrisation, schedule, time, error, clip };
        let path = GaussianPath { schedule, denoiser: &perturbed };
        let (value, jacobian) = velocity(&path, time, &x);
        let size = stretch * reach * 16.0;
        let moved = difference(value.as_slice(), plain.as_slice(), size);
        facts.set_series(&format!("velocity_error_of_{model}"), moved);
        let moved = difference(jacobian.as_slice(), plain_slope.as_slice(), size);
        facts.set_series(&format!("velocity_slope_of_{model}"), moved);
        let mut predicted = vec![0.0; dim];
        perturbed.denoise(channel, &x, &mut predicted);
        let moved = difference(&predicted, &mean, 16.0 * reach / a);
        facts.set_series(&format!("denoiser_error_of_{model}"), moved);
        if parametrisation == Parametrisation::Noise {
            // In canonical coordinates the same denoiser moves dy/dσ = (y − D)/σ.
            let moved: Vec<Quantity> = predicted
                .iter()
                .zip(&y)
                .zip(canonical.iter())
                .map(|((d, y), v)| {
                    let value = (y - d) * a / b - v;
                    let size = (y.abs() + d.abs() + reach) * a / b;
                    Quantity::new(value, 16.0 * rounding * size, Grade::Estimated)
                })
                .collect();
            facts.set_series("canonical_error_of_noise", moved);
        }
    }
    let labels = world.law.labels();
    Ok(Observation::new(&world, facts).labelled(labels))
}
