//! Random models with a learning error, as families of maps, shared by the claims of T1.

use super::laws::RandomLaw;
use super::paths::decode_schedule;
use crate::drift::{
    Atoms, Canonical, Channel, Denoiser, Drift, GaussianPath, LearningError, Onset,
    Parametrisation, PartOf, Schedule, Sphere,
};
use crate::error::Result;
use crate::flow::{
    InexactFlow, Maps, Method, Sampler, Scheme, StochasticSampler, geometric_times, uniform_times,
};
use crate::manifold::{self, Chart, Ellipse, Manifold, Part};
use crate::random::{Knobs, Stream};
use crate::response::NoisyLaw;
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::DVector;
use serde::Serialize;

/// Half axes of the ellipse on which the atoms of [`Data::Ellipse`] lie, and their thickness.
const ELLIPSE: (f64, f64, f64) = (1.5, 1.1, 0.3);

/// Errors are split along spheres in at most so many dimensions.
const MOST_SPLIT: usize = 4;

/// Sizes of the error for [`kink`], as parts of a step.
pub const SIZES: [f64; 5] = [-1.0, -0.5, 0.0, 0.5, 1.0];

/// By how much the two one-sided derivatives of an end point in ε differ at 0, from its places at [`SIZES`].
///
/// They do where an orbit meets a place where the error is not C¹, such as the medial axis of data along which it is split.
pub fn kink([far_back, back, here, ahead, far_ahead]: [&DVector<f64>; 5], step: f64) -> f64 {
    let bend = |before: &DVector<f64>, after: &DVector<f64>| (before - here) + (after - here);
    (bend(back, ahead) * 4.0 - bend(far_back, far_ahead)).norm() / step
}

/// How the exact model generates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A velocity field of waves, without a data law: its Jacobian has no symmetry.
    Waves,
    /// The probability flow of a Gaussian path.
    Flow,
    /// The canonical flow in σ.
    Canonical,
    /// Euler–Maruyama steps of the reverse SDE along a frozen noise path.
    EulerMaruyama,
    /// Ancestral steps along a frozen noise path.
    Ancestral,
}

impl Kind {
    /// True when its maps contain noise.
    pub fn is_stochastic(self) -> bool {
        matches!(self, Self::EulerMaruyama | Self::Ancestral)
    }
}

/// The data of a model.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// A law in general position.
    Law(RandomLaw),
    /// The uniform sphere of that radius around 0 in R^dim.
    Sphere { dim: usize, radius: f64 },
    /// Thick atoms on an ellipse around 0.
    Ellipse,
}

/// The error field of a model: waves, or one part of them along the data manifold, in some parametrisation.
#[derive(Clone, Debug, Serialize)]
pub struct ModelError {
    /// The field.
    pub waves: LearningError,
    /// The part that is kept.
    part: Option<Part>,
    #[serde(skip)]
    manifold: Option<Manifold>,
    /// The prediction that has this error.
    parametrisation: Parametrisation,
    /// The prediction of which the model needs the error; None for the field as it is.
    #[serde(skip)]
    into: Option<(Parametrisation, Schedule)>,
}

impl Drift for ModelError {
    fn dim(&self) -> usize {
        self.waves.dim()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        match (self.part, &self.manifold) {
            (Some(part), Some(manifold)) => {
                PartOf { error: &self.waves, part, manifold }.velocity(t, x, out);
            }
            _ => self.waves.velocity(t, x, out),
        }
        if let Some((into, schedule)) = &self.into {
            let factor = self.parametrisation.error_factor(*into, schedule, t);
            out.iter_mut().for_each(|w| *w *= factor);
        }
    }
}

/// A model with an error, and the law it starts from.
#[derive(Clone, Debug, Serialize)]
pub struct Model {
    /// How it generates.
    pub kind: Kind,
    /// The data of its denoiser.
    pub data: Data,
    /// Its path; the canonical flow has none.
    pub schedule: Schedule,
    /// The steps of a flow.
    pub method: Method,
    /// Times of the states; σ for the canonical flow.
    pub times: Vec<f64>,
    /// Its error.
    pub error: ModelError,
    #[serde(skip)]
    denoiser: Denoiser,
    #[serde(skip)]
    waves: LearningError,
    #[serde(skip)]
    sampler: Sampler,
}

/// What models to draw.
pub struct Choice<'a> {
    /// How they generate; the first is the plainest.
    pub kinds: &'a [Kind],
    /// Dimensions.
    pub dims: &'a [usize],
    /// At most so many maps of a method with one stage.
    pub most_maps: usize,
    /// Every map is invertible: no ancestral step from pure noise, which forgets its state.
    pub invertible: bool,
    /// Nothing varies on lengths much shorter than the noise.
    pub smooth: bool,
}

impl Model {
    /// Decodes a model; the plainest has two atoms in the plane, and a constant error.
    ///
    /// *Errors*: as the constructors of laws and manifolds.
    pub fn decode(knobs: &mut Knobs, choice: &Choice) -> Result<Self> {
        let kind = knobs.pick(choice.kinds);
        let schedule = decode_schedule(knobs);
        let law = RandomLaw::decode_in(knobs, choice.dims, 8);
        let (special, length) = (knobs.unit(), knobs.log_range(0.4, 4.0));
        let amplitude = knobs.log_range(0.1, 3.0);
        let data = match special {
            s if s > 0.9 && law.dim == 2 => Data::Ellipse,
            s if s > 0.7 && (2..=MOST_SPLIT).contains(&law.dim) => {
                Data::Sphere { dim: law.dim, radius: 1.5 }
            }
            _ => Data::Law(law.clone()),
        };
        let (denoiser, manifold) = data.build()?;
        let stream = knobs.stream("model");
        // Waves run in a unit of time; paths between two noise levels, now and then from pure noise.
        let method = knobs.pick(&[Method::Euler, Method::Heun, Method::Rk4]);
        let (from, to) = (knobs.log_range(1.0, 5.0), knobs.log_range(0.1, 0.6));
        let (from, to) = if choice.smooth { (1.0 + from, 0.4 + to) } else { (from, to) };
        let (even, pure) = (knobs.unit() < 0.5, knobs.unit() > 0.8);
        let shape = knobs.count(0, 4);
        let parametrisation = knobs.pick(&Parametrisation::ALL);
        let part = knobs.pick(&[None, Some(Part::Tangent), Some(Part::Normal)]);
        let stages = match method {
            Method::Euler => 1,
            Method::Heun => 2,
            _ => 4,
        };
        let stages = if kind.is_stochastic() { 1 } else { stages };
        let most = (choice.most_maps / stages).max(2);
        let count = knobs.count(1, most);
        // Only a velocity or a denoiser can err at pure noise.
        let regular =
            matches!(parametrisation, Parametrisation::Velocity | Parametrisation::Denoiser);
        let forgets = kind == Kind::Ancestral && choice.invertible;
        let pure = pure && regular && kind != Kind::EulerMaruyama && !forgets;
        let start = if pure { 0.0 } else { schedule.time_at_sigma(from) };
        let times = match kind {
            Kind::Waves => uniform_times(0.0, 1.0, count),
            Kind::Canonical => geometric_times(from, to, count),
            _ if even || pure => uniform_times(start, schedule.time_at_sigma(to), count),
            _ => {
                let levels = geometric_times(from, to, count);
                levels.iter().map(|s| schedule.time_at_sigma(*s)).collect()
            }
        };
        let into = match kind {
            Kind::Waves | Kind::Canonical => None,
            Kind::Flow => Some((Parametrisation::Velocity, schedule)),
            _ => Some((Parametrisation::Denoiser, schedule)),
        };
        let dim = law.dim;
        let noise = match kind {
            Kind::Canonical => from,
            _ => schedule.coefficients(times[0]).1,
        };
        let (length, shape) = match choice.smooth {
            true => (1.5 * length * noise.max(1.0), shape.min(2)),
            false => (length, shape),
        };
        let source = stream.named("error");
        let fourier = |length: f64| LearningError::fourier(dim, 5, length, amplitude, source);
        let unit = |name: &str| -> Vec<f64> {
            let z = source.named(name).normals(dim);
            let norm = z.iter().map(|z| z * z).sum::<f64>().sqrt();
            z.iter().map(|z| z / norm).collect()
        };
        let scaled = |v: Vec<f64>, by: f64| v.into_iter().map(|v| v * by).collect::<Vec<_>>();
        let waves = match shape {
            0 => LearningError::constant(&scaled(unit("direction"), amplitude)),
            1 | 2 => fourier(length),
            // Small, but of slope up to 3.
            3 => LearningError::ripple(
                &scaled(unit("direction"), 0.03 * amplitude),
                &scaled(unit("wave vector"), 30.0),
            ),
            _ => {
                let (first, last) = (times[0], times[times.len() - 1]);
                let time = first + 0.7 * (last - first);
                fourier(length).late(Onset { time, width: 0.1 * (last - first) })
            }
        };
        let part = part.filter(|_| manifold.is_some());
        let error = ModelError { waves, part, manifold, parametrisation, into };
        let waves = LearningError::fourier(dim, 4, 1.2, 1.0, stream.named("field"));
        let sampler = Sampler::new(method, times.clone());
        Ok(Self { kind, data, schedule, method, times, error, denoiser, waves, sampler })
    }

    /// What kind of model it is.
    pub fn labels(&self) -> Labels {
        match &self.data {
            _ if self.kind == Kind::Waves => Labels::of("waves").in_dimension(self.dim()),
            Data::Law(law) => law.labels(),
            Data::Sphere { .. } => Labels::of("sphere"),
            Data::Ellipse => Labels::of("atoms on an ellipse"),
        }
    }

    /// The exact posterior mean of the data.
    pub fn denoiser(&self) -> &Denoiser {
        &self.denoiser
    }

    /// The maps along the noise path of that stream.
    ///
    /// *Errors*: as [`StochasticSampler::new`].
    pub fn maps(&self, noise: Stream) -> Result<ModelMaps<'_>> {
        let scheme = match self.kind {
            Kind::EulerMaruyama => Scheme::EulerMaruyama,
            Kind::Ancestral => Scheme::Ancestral,
            _ => return Ok(ModelMaps::Steps(self, &self.sampler)),
        };
        let times = self.times.clone();
        let (denoiser, error) = (&self.denoiser, &self.error);
        let sampler = StochasticSampler::new(self.schedule, scheme, times, denoiser, error, noise)?;
        Ok(ModelMaps::Stochastic(sampler))
    }

    /// The steps of other times or another method instead.
    pub fn maps_of<'a>(&'a self, sampler: &'a Sampler) -> ModelMaps<'a> {
        ModelMaps::Steps(self, sampler)
    }

    /// a and b² at one of the times.
    pub fn channel(&self, time: f64) -> Channel<f64> {
        match self.kind {
            Kind::Waves => Channel { signal: 0.0, noise_variance: 1.0 },
            Kind::Canonical => Channel::canonical(time),
            _ => {
                let (a, b) = self.schedule.coefficients(time);
                Channel { signal: a, noise_variance: b * b }
            }
        }
    }

    /// The law of the path at one of the times; N(0, I) for waves.
    pub fn law(&self, time: f64) -> NoisyLaw<'_, Denoiser> {
        NoisyLaw { denoiser: &self.denoiser, channel: self.channel(time) }
    }

    /// How much more the rounding of a split error is at these states: near the medial axis of the data the
    /// nearest point turns fast.
    pub fn split_loss(&self, states: &[DVector<f64>]) -> f64 {
        let axis = match (self.error.part, &self.data) {
            (Some(_), Data::Sphere { .. }) => 0.0,
            // Of an ellipse it is a piece of the long axis.
            (Some(_), Data::Ellipse) => (ELLIPSE.0 * ELLIPSE.0 - ELLIPSE.1 * ELLIPSE.1) / ELLIPSE.0,
            _ => return 1.0,
        };
        let distance = |x: &DVector<f64>| {
            let beyond = (x[0].abs() - axis).max(0.0);
            x.iter().skip(1).fold(beyond * beyond, |sum, x| sum + x * x).sqrt()
        };
        1.0 + ELLIPSE.0 / states.iter().map(distance).fold(f64::INFINITY, f64::min)
    }

    /// A random state of about the size of those the model starts from.
    pub fn start(&self, stream: Stream) -> Vec<f64> {
        let Channel { signal, noise_variance } = self.channel(self.times[0]);
        let spread = (signal * signal + noise_variance).sqrt();
        stream.normals(self.dim()).iter().map(|z| z * spread).collect()
    }
}

/// The exact velocity of a flow.
impl Drift for Model {
    fn dim(&self) -> usize {
        self.error.dim()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let denoiser = &self.denoiser;
        match self.kind {
            Kind::Waves => self.waves.velocity(t, x, out),
            Kind::Canonical => Canonical { denoiser }.velocity(t, x, out),
            _ => GaussianPath { schedule: self.schedule, denoiser }.velocity(t, x, out),
        }
    }
}

/// The maps of a [`Model`].
pub enum ModelMaps<'a> {
    /// Of a flow.
    Steps(&'a Model, &'a Sampler),
    /// Of a reverse SDE.
    Stochastic(StochasticSampler<'a, Denoiser, ModelError>),
}

impl Maps for ModelMaps<'_> {
    fn dim(&self) -> usize {
        match self {
            Self::Steps(model, _) => model.dim(),
            Self::Stochastic(sampler) => sampler.dim(),
        }
    }

    fn maps(&self) -> usize {
        match self {
            Self::Steps(_, sampler) => sampler.maps(),
            Self::Stochastic(sampler) => sampler.maps(),
        }
    }

    fn map<S: Scalar>(&self, k: usize, epsilon: S, x: &mut [S]) {
        match self {
            Self::Steps(model, sampler) => {
                InexactFlow { sampler, drift: *model, error: &model.error }.map(k, epsilon, x);
            }
            Self::Stochastic(sampler) => sampler.map(k, epsilon, x),
        }
    }
}

impl Data {
    /// The denoiser, and the manifold along which errors can be split.
    fn build(&self) -> Result<(Denoiser, Option<Manifold>)> {
        Ok(match self {
            Self::Law(law) => (law.denoiser()?, None),
            Self::Sphere { dim, radius } => {
                let chart = manifold::Sphere { dim: dim - 1, radius: *radius };
                let manifold = Manifold::new(Chart::Sphere(chart))?;
                (Sphere::new(*dim, *radius)?.into(), Some(manifold))
            }
            Self::Ellipse => {
                let (a, b, thickness) = ELLIPSE;
                let angles = (0..6).map(|i| f64::from(i) * std::f64::consts::TAU / 6.0);
                let points = angles.flat_map(|t| [a * t.cos(), b * t.sin()]).collect();
                let manifold = Manifold::new(Chart::Ellipse(Ellipse { a, b }))?;
                (Atoms::new(2, points, None, thickness)?.into(), Some(manifold))
            }
        })
    }
}
