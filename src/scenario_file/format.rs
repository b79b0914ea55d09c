//! The keys of a scenario file. The JSON schema of the format is made from these types and their comments.

mod data;
mod expected;
mod free;

pub use data::{CoordinateRange, Law, Manifold, UnionPart};
pub(super) use expected::on;
pub use expected::{Check, Expected};
pub use free::{FreeRange, Scale};

use super::located::{At, Components, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One world: what is integrated, the data it is measured against, and what is expected of it.
///
/// Numbers may be formulas of constants between quotes, such as "8/3" or "2*pi*radius".
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What the world is, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What to look for in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What the coordinates are called in formulas; needed where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<At<State>>,
    /// Constants and helper expressions, in any order.
    #[serde(default, rename = "let", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub definitions: BTreeMap<toml::Spanned<String>, At<Value>>,
    /// Constants of `let` that `driftproof explore --scenario` moves, each within its range; all else uses their value in
    /// `let`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, FreeRange>")]
    pub free: BTreeMap<toml::Spanned<String>, At<FreeRange>>,
    /// The data manifold, in the first coordinates of the state space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifold: Option<At<Manifold>>,
    /// The law of the data, which `model.path` carries noise to, and whose exact denoiser a `model.network` is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<At<Law>>,
    /// What moves the state.
    pub model: At<Model>,
    /// Learning errors, which are added to the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<At<ErrorField>>,
    /// Where trajectories start.
    pub start: At<Start>,
    /// The steps of a flow; maps have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampler: Option<At<Sampler>>,
    /// Asks for asymptotic Lyapunov exponents of an autonomous system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exponents: Option<At<Exponents>>,
    /// The seed of all random numbers; 1 when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What is expected: each passes, fails, or is inconclusive within the error bars.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<At<Check>>,
}

/// A point or a vector of the state space.
pub type Point = At<Vec<At<Value>>>;

/// The coordinates of the state.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum State {
    /// One name for each coordinate.
    Names(Vec<At<String>>),
    /// One name for all of them, whose components are x[0], x[1], ….
    Vector {
        /// The name.
        name: At<String>,
        /// How many coordinates there are.
        size: At<u32>,
    },
}

/// What moves the state.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Model {
    /// dx/dt = drift. A drift of your own from noise to data is one with `time = "s"`, `from = 0` and `to = 1`.
    Ode {
        /// One formula for each coordinate, or one whose value is a vector.
        drift: At<Components>,
        /// What the time is called in formulas; without it the system is autonomous.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time: Option<At<String>>,
        /// First time.
        from: At<Value>,
        /// Last time, which may be less than the first.
        to: At<Value>,
    },
    /// x ← image, again and again.
    Map {
        /// One formula for each coordinate, or one whose value is a vector.
        image: At<Components>,
        /// What the number of the map, from 0, is called in formulas; without it the system is autonomous.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<At<String>>,
        /// How many times it is applied.
        maps: At<u32>,
    },
    /// A noise schedule over the exact denoiser of `law`, as a flow in generating time s, 0 for noise and 1 for data.
    Path {
        /// a(s) and b(s) in x = a·data + b·noise.
        schedule: At<Schedule>,
        /// Noise level σ = b/a at which the run starts.
        sigma_start: At<Value>,
        /// Noise level at which it ends.
        sigma_end: At<Value>,
    },
    /// A trained network under its convention, as a flow in generating time s, 0 for noise and 1 for data.
    Network {
        /// A .onnx file, or .safetensors of a plain perceptron; relative paths start at the folder of the scenario file.
        file: At<String>,
        /// Noise levels and time: flow, flow-reversed, vp-linear, vp-cosine, ddpm:1000, ve, sub-vp, edm, trig, table:FILE.
        preset: At<String>,
        /// What the network predicts: velocity, score, eps, x0, v, edm-denoiser, edm-f.
        predicts: At<String>,
        /// σ_data of `edm-f`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sigma_data: Option<At<Value>>,
        /// What the network is given as its time, unlike its preset: s, 1-s, index, sigma, log-sigma, log-sigma/4.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time: Option<At<String>>,
        /// The input of the network that is the state, where it cannot be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<At<String>>,
        /// The input that is the time, where it cannot be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_input: Option<At<String>>,
        /// First generating time.
        from: At<Value>,
        /// Last generating time.
        to: At<Value>,
    },
}

/// A noise schedule.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Schedule {
    /// a = s, b = 1 − s.
    FlowMatching,
    /// a = sin(πs/2), b = cos(πs/2).
    Trigonometric,
    /// Variance preserving, β linear in 1 − s.
    VpLinear {
        /// β at the data end; 0.1 is customary.
        beta_min: At<Value>,
        /// β at the noise end; 20 is customary.
        beta_max: At<Value>,
    },
    /// Variance preserving, cosine of time.
    VpCosine {
        /// Keeps β finite at the data end; 0.008 is customary.
        offset: At<Value>,
    },
    /// a as `vp-linear`, b = 1 − a².
    SubVp {
        /// β at the data end.
        beta_min: At<Value>,
        /// β at the noise end.
        beta_max: At<Value>,
    },
    /// Variance exploding: a = 1, b geometric.
    Ve {
        /// Least noise level.
        sigma_min: At<Value>,
        /// Largest noise level.
        sigma_max: At<Value>,
    },
    /// EDM: a = 1, b a power of an affine function of s.
    Edm {
        /// Least noise level.
        sigma_min: At<Value>,
        /// Largest noise level.
        sigma_max: At<Value>,
        /// The power; 7 is customary.
        rho: At<u32>,
    },
}

/// A learning error: size times field, in what the model predicts.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorField {
    /// What is predicted with this error; a model that is no `path` has a velocity only.
    pub prediction: At<Prediction>,
    /// The factor ε.
    pub size: At<Value>,
    /// The field.
    pub field: At<FieldShape>,
}

/// What a model of a path predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prediction {
    /// The posterior mean of the data.
    Denoiser,
    /// The posterior mean of the noise.
    Noise,
    /// The gradient of the log density.
    Score,
    /// The velocity dx/ds.
    Velocity,
}

/// An error field.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum FieldShape {
    /// One formula for each coordinate, or one whose value is a vector; on a `path` the time is s.
    Formula(At<Components>),
    /// The same vector everywhere.
    Constant(Vec<At<Value>>),
    /// A random sum of waves, of mean square 1 over space.
    Fourier {
        /// How many waves.
        waves: At<u32>,
        /// Their correlation length.
        length: At<Value>,
    },
}

/// Where trajectories start; give `points` or `draws`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// One start each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<At<Vec<Point>>>,
    /// So many random states a·data + b·noise of a `path` or a `network` at its first time; without a law the noise alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draws: Option<At<u32>>,
    /// Vectors that span the plane which is carried along; a random one, as large as the manifold, when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<At<Vec<Point>>>,
}

/// How the flow is stepped. Steps are equal in time, and on a `path` in log σ.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Sampler {
    /// A Runge–Kutta method of fixed steps.
    Fixed {
        /// The method.
        method: At<Method>,
        /// How many steps.
        steps: At<u32>,
    },
    /// Dormand–Prince 5(4) with steps chosen for the state.
    Adaptive {
        /// Local error of a step, against 1 + |x|.
        tolerance: At<Value>,
    },
    /// DDIM on a `path`: the noise that the denoiser finds is kept, at its new level.
    Ddim {
        /// How many steps.
        steps: At<u32>,
    },
    /// The reverse stochastic equation of a `path`, its noise drawn once for each trajectory.
    Stochastic {
        /// How it is stepped.
        scheme: At<Scheme>,
        /// How many steps.
        steps: At<u32>,
    },
}

/// A Runge–Kutta method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Order 1.
    Euler,
    /// Order 2.
    Heun,
    /// Order 4.
    Rk4,
    /// Order 5.
    DormandPrince,
}

/// A step of the reverse stochastic equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Of Euler and Maruyama.
    EulerMaruyama,
    /// A draw of the less noisy state given the denoised one.
    Ancestral,
}

/// Asymptotic exponents: averages over the run after its transient.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponents {
    /// How long the run is left alone at first: a time, or a number of maps.
    pub transient: At<Value>,
}
