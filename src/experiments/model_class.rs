//! The model classes that are compared, run between the same two noise levels with an error of one prediction.

use crate::drift::{
    Denoise, Denoiser, Drift, GaussianPath, InVelocity, Inexact, Lanes, LearningError, Pairs,
    Parametrisation, Schedule,
};
use crate::error::{Error, Result};
use crate::flow::{
    InexactFlow, Maps, Method, Sampler, Scheme, StepWorkspace, StochasticSampler, geometric_times,
};
use crate::manifold::Law;
use crate::random::Stream;
use crate::response::sensitivities;
use crate::scalar::Scalar;
use crate::special::gauss_legendre;

/// Noise level σ = b/a at which every class starts, from its exact law there.
///
/// At pure noise an error of the noise prediction has an unbounded effect on the velocity, so no class can start there.
pub const SIGMA_START: f64 = 5.0;
/// Noise level at which every class ends.
pub const SIGMA_END: f64 = 0.01;

/// The noise levels between which a model runs.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The first, the largest.
    pub start: f64,
    /// The last.
    pub end: f64,
}

impl Range {
    /// From [`SIGMA_START`] to [`SIGMA_END`].
    pub const USUAL: Self = Self { start: SIGMA_START, end: SIGMA_END };

    /// Generating times of a schedule with equal steps of log σ.
    pub fn times(self, schedule: Schedule, steps: usize) -> Vec<f64> {
        let levels = geometric_times(self.start, self.end, steps);
        levels.into_iter().map(|sigma| schedule.time_at_sigma(sigma)).collect()
    }
}

/// Customary variance-preserving schedule.
pub const VARIANCE_PRESERVING: Schedule = Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 };

/// A class of generative models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Score-based, by the probability-flow ODE.
    ScoreOde,
    /// Score-based, by ancestral steps of the reverse SDE.
    ScoreSde,
    /// Conditional flow matching with the independent coupling.
    FlowMatching,
    /// Conditional flow matching with minibatch optimal transport.
    OptimalTransport,
    /// Trigonometric stochastic interpolant.
    Interpolant,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ScoreOde,
        Self::ScoreSde,
        Self::FlowMatching,
        Self::OptimalTransport,
        Self::Interpolant,
    ];

    /// Its place in [`Class::ALL`].
    pub fn place(self) -> usize {
        self as usize
    }

    /// As legends say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ScoreOde => "score, ODE",
            Self::ScoreSde => "score, SDE",
            Self::FlowMatching => "flow matching",
            Self::OptimalTransport => "OT flow matching",
            Self::Interpolant => "interpolant",
        }
    }

    /// Its path. Lines between pairs have the one of flow matching.
    pub fn schedule(self) -> Schedule {
        match self {
            Self::ScoreOde | Self::ScoreSde => VARIANCE_PRESERVING,
            Self::FlowMatching | Self::OptimalTransport => Schedule::FlowMatching,
            Self::Interpolant => Schedule::Trigonometric,
        }
    }

    /// Whether the prediction is an affine function of the velocity at each (s, x).
    ///
    /// On lines x = (1 − s) X_0 + s X_1 of any coupling E[X_1|x] = x + (1 − s) v and E[X_0|x] = x − s v; the score
    /// is tied to them only where X_0 is Gaussian given X_1.
    pub fn predicts(self, parametrisation: Parametrisation) -> bool {
        self != Self::OptimalTransport || parametrisation != Parametrisation::Score
    }

    /// The shift off a flat manifold of thickness s (`thickness`) by a constant normal unit error of a prediction, in units
    /// of the data: T6.1 with the factor of T6.4, and T4.3 for the SDE.
    ///
    /// *Accuracy*: 1e-10, Gauss–Legendre on 40 panels of log σ.
    pub fn flat_shift(self, parametrisation: Parametrisation, thickness: f64, range: Range) -> f64 {
        let Range { start, end } = range;
        let (schedule, s2, e2) = (self.schedule(), thickness.powi(2), end.powi(2));
        let rate = |sigma: f64| {
            let time = schedule.time_at_sigma(sigma);
            let denoiser =
                parametrisation.error_factor(Parametrisation::Denoiser, &schedule, time).abs();
            let kept = (s2 + e2) / (s2 + sigma * sigma);
            match self {
                Self::ScoreSde => 2.0 * kept * denoiser,
                // J(s) = (1 − s) + s·thickness carries the error w = e/(1 − s) from s = 1/(1 + σ) to the end.
                Self::OptimalTransport => {
                    let stretch = |sigma: f64| (sigma + thickness) / (1.0 + sigma);
                    let line = stretch(end) / stretch(sigma);
                    line * (1.0 + end) * denoiser / (1.0 + sigma)
                }
                _ => kept.sqrt() * denoiser,
            }
        };
        let rule = gauss_legendre(12);
        let width = (start / end).ln() / 40.0;
        let panel = |k: usize| -> f64 {
            let middle = end.ln() + (k as f64 + 0.5) * width;
            rule.iter().map(|(x, w)| 0.5 * width * w * rate((middle + 0.5 * width * x).exp())).sum()
        };
        (0..40).map(panel).sum()
    }
}

/// A model of a class with exact fields, to which errors are added.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a, T> {
    /// Its class.
    pub class: Class,
    /// The posterior mean of the data.
    pub denoiser: &'a Denoiser,
    /// The velocity of the coupling by optimal transport.
    pub transport: &'a T,
    /// Steps between the two noise levels, equal in log σ.
    pub steps: usize,
    /// The noise levels.
    pub range: Range,
}

/// An error of one prediction, of unit size.
#[derive(Clone, Copy, Debug)]
pub struct Flaw<'a> {
    /// The error as a function of time and state.
    pub error: &'a LearningError,
    /// What has it.
    pub parametrisation: Parametrisation,
}

impl Model<'_, Pairs> {
    /// `count` states drawn from the exact law at the first time, `D×count`.
    ///
    /// *Errors*: as [`Law::sample`].
    pub fn starts(&self, law: &Law, count: usize, stream: Stream) -> Result<Vec<f64>> {
        let time = self.class.schedule().time_at_sigma(self.range.start);
        if self.class == Class::OptimalTransport {
            let draw = |i: usize| self.transport.sample(time, stream.indexed(i as u64));
            return Ok((0..count).flat_map(draw).collect());
        }
        let (a, b) = self.class.schedule().coefficients(time);
        let data = law.sample(count, stream.named("data"))?;
        let noise = stream.named("noise").normals(data.len());
        Ok(data.iter().zip(noise).map(|(x, xi)| a * x + b * xi).collect())
    }
}

impl<T: Drift> Model<'_, T> {
    /// Generating times.
    fn times(&self) -> Vec<f64> {
        self.range.times(self.class.schedule(), self.steps)
    }

    /// Where the model with an error of size `epsilon` carries the states: samples x/a in units of the data, `D×count`.
    ///
    /// `noise` drives the SDE: trajectory i has the same path at every size.
    ///
    /// *Errors*: [`Error::Numeric`] when a sample is not finite.
    pub fn ends(
        &self,
        starts: &[f64],
        flaw: Flaw,
        epsilon: f64,
        noise: Stream,
    ) -> Result<Vec<f64>> {
        let mut block = starts.to_vec();
        let (schedule, denoiser) = (self.class.schedule(), self.denoiser);
        match self.class {
            Class::ScoreSde => {
                for (i, x) in block.chunks_exact_mut(denoiser.dim()).enumerate() {
                    let error = InDenoiser { flaw, schedule };
                    let sampler = self.stochastic(&error, noise.indexed(i as u64))?;
                    (0..sampler.maps()).for_each(|k| sampler.map(k, epsilon, x));
                }
            }
            Class::OptimalTransport => self.run(self.transport, flaw, epsilon, &mut block),
            _ => self.run(&GaussianPath { schedule, denoiser }, flaw, epsilon, &mut block),
        }
        let signal = schedule.coefficients(*self.times().last().unwrap_or(&1.0)).0;
        block.iter_mut().for_each(|x| *x /= signal);
        match block.iter().all(|x| x.is_finite()) {
            true => Ok(block),
            false => Err(Error::numeric(self.class.name(), "a sample is not finite")),
        }
    }

    /// Samples without error, and their derivatives δ in the size of the error, each `D×count`, in units of the data.
    ///
    /// *Errors*: as [`sensitivities`].
    pub fn first_order(
        &self,
        starts: &[f64],
        flaw: Flaw,
        noise: Stream,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let (schedule, denoiser) = (self.class.schedule(), self.denoiser);
        let sampler = Sampler::new(Method::Heun, self.times());
        let error =
            InVelocity { error: flaw.error, parametrisation: flaw.parametrisation, schedule };
        let path = GaussianPath { schedule, denoiser };
        let signal = schedule.coefficients(*self.times().last().unwrap_or(&1.0)).0;
        let (mut ends, mut deltas) = (Vec::new(), Vec::new());
        for (i, x) in starts.chunks_exact(denoiser.dim()).enumerate() {
            let along = match self.class {
                Class::ScoreSde => {
                    let error = InDenoiser { flaw, schedule };
                    sensitivities(&self.stochastic(&error, noise.indexed(i as u64))?, x)?
                }
                Class::OptimalTransport => {
                    let (sampler, error) = (&sampler, &error);
                    sensitivities(&InexactFlow { sampler, drift: self.transport, error }, x)?
                }
                _ => {
                    let (sampler, drift, error) = (&sampler, &path, &error);
                    sensitivities(&InexactFlow { sampler, drift, error }, x)?
                }
            };
            if let Some((end, delta)) = along.last() {
                ends.extend(end.iter().map(|x| x / signal));
                deltas.extend(delta.iter().map(|x| x / signal));
            }
        }
        Ok((ends, deltas))
    }

    fn run<V: Drift>(&self, exact: &V, flaw: Flaw, epsilon: f64, block: &mut [f64]) {
        let schedule = self.class.schedule();
        let error =
            &InVelocity { error: flaw.error, parametrisation: flaw.parametrisation, schedule };
        let inexact = Inexact { exact, error, epsilon };
        let sampler = Sampler::new(Method::Heun, self.times());
        let lanes = Lanes { trajectories: block.len() / exact.dim(), tangents: 0 };
        let mut work = StepWorkspace::default();
        (0..sampler.maps()).for_each(|k| sampler.step(&inexact, k, block, lanes, &mut work));
    }

    fn stochastic<'b>(
        &'b self,
        error: &'b InDenoiser<'b>,
        noise: Stream,
    ) -> Result<StochasticSampler<'b, Denoiser, InDenoiser<'b>>> {
        let (schedule, times) = (self.class.schedule(), self.times());
        StochasticSampler::new(schedule, Scheme::Ancestral, times, self.denoiser, error, noise)
    }
}

/// A flaw as an error of the denoiser (T6.4).
struct InDenoiser<'a> {
    flaw: Flaw<'a>,
    schedule: Schedule,
}

impl Drift for InDenoiser<'_> {
    fn dim(&self) -> usize {
        self.flaw.error.dim()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        self.flaw.error.velocity(s, x, out);
        let kind = self.flaw.parametrisation;
        let factor = kind.error_factor(Parametrisation::Denoiser, &self.schedule, s);
        out.iter_mut().for_each(|e| *e *= factor);
    }
}
