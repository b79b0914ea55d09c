//! The world that a scenario file states.

use super::build::Builder;
use super::expectation::Expectation;
use super::field::{ErrorShape, Exact, FormulaField, FormulaMap, InDenoiser, ModelError, Velocity};
use super::format::{File, Model};
use super::free::Free;
use super::law::DataLaw;
use super::located::At;
use super::reader::Reader;
use super::source::Source;
use super::trained::TrainedModel;
use crate::drift::Schedule;
use crate::error::Result;
use crate::flow::{Method, Sampler, Scheme, adaptive_times};
use crate::manifold::Manifold;
use crate::random::Stream;
use nalgebra::DMatrix;
use std::path::Path;

/// The least local error of a step that means anything.
pub(super) const LEAST_TOLERANCE: f64 = 1e-13;

/// What moves the state.
#[derive(Clone, Debug)]
pub enum System {
    /// A flow, in steps.
    Flow {
        /// dx/dt.
        velocity: Velocity,
        /// First and last time.
        span: (f64, f64),
        /// Its steps.
        steps: Stepping,
    },
    /// A map.
    Map(FormulaMap),
    /// The reverse stochastic equation of a path, or DDIM.
    Noisy {
        /// The schedule.
        schedule: Schedule,
        /// How it is stepped.
        scheme: Scheme,
        /// The law behind it.
        law: Box<DataLaw>,
        /// Its errors, of the denoiser.
        errors: InDenoiser,
        /// Generating times.
        times: Vec<f64>,
    },
}

impl System {
    /// Signal and noise (a, b) of states a·data + b·noise; None where states are points of the data space.
    pub fn levels(&self, time: f64) -> Option<(f64, f64)> {
        match self {
            Self::Flow { velocity, .. } => velocity.exact.levels(time),
            Self::Noisy { schedule, .. } => Some(schedule.coefficients(time)),
            Self::Map(_) => None,
        }
    }

    /// Its first time.
    pub fn begins(&self) -> f64 {
        match self {
            Self::Flow { span, .. } => span.0,
            Self::Noisy { times, .. } => times[0],
            Self::Map(_) => 0.0,
        }
    }
}

/// How a flow is stepped.
#[derive(Clone, Debug)]
pub enum Stepping {
    /// On these times.
    Fixed(Method, Vec<f64>),
    /// Dormand–Prince on times chosen for the state.
    Adaptive(f64),
}

/// A world as it is run: every default filled in.
#[derive(Clone, Debug)]
pub struct World {
    /// What it is called: its title, or else the stem of its file.
    pub name: String,
    /// What the file says of it.
    pub about: String,
    /// Dimension D of the state.
    pub dim: usize,
    /// What the coordinates are called.
    pub coordinates: Vec<String>,
    /// What moves the state.
    pub system: System,
    /// The data manifold.
    pub manifold: Option<Manifold>,
    /// The schedule and the law of a path.
    pub path: Option<(Schedule, DataLaw)>,
    /// The law of the data that a network was trained on.
    pub trained_on: Option<DataLaw>,
    /// Starts of the trajectories.
    pub starts: Vec<Vec<f64>>,
    /// The plane that is carried along, `D×d`, for each start; any basis.
    pub planes: Vec<DMatrix<f64>>,
    /// Whether the planes were drawn.
    pub random_planes: bool,
    /// How long a run is left alone before exponents are averaged.
    pub transient: Option<f64>,
    /// The constants that a search may move.
    pub free: Vec<Free>,
    /// Where its random numbers come from.
    pub stream: Stream,
    /// The seed of that stream.
    pub seed: u64,
    /// What is expected of it.
    pub checks: Vec<Expectation>,
    /// What was noticed while it was read; see [`World::weaknesses`].
    pub(super) notes: Vec<String>,
}

impl Stepping {
    /// The method of each step.
    pub fn method(&self) -> Method {
        match self {
            Self::Fixed(method, _) => *method,
            Self::Adaptive(_) => Method::DormandPrince,
        }
    }
}

impl World {
    /// Reads a file.
    ///
    /// *Errors*: [`crate::error::Error::Input`] with line and column for everything that does not fit.
    pub fn read(path: &Path) -> Result<(Self, Source)> {
        let source = Source::read(path)?;
        let file = source.parse()?;
        let world = Self::of(&source, &file)?;
        Ok((world, source))
    }

    /// The world of a file that has been read.
    ///
    /// *Errors*: as [`World::read`].
    pub fn of(source: &Source, file: &File) -> Result<Self> {
        let of_formulas = matches!(file.model.value, Model::Ode { .. } | Model::Map { .. });
        if file.state.is_none() && of_formulas {
            let problem = "formulas need names for the state";
            let hint = "add [state] with names = [\"x\", \"y\"]";
            return Err(source.error(&file.model.span, problem, hint));
        }
        let path_time = At { value: "s".to_owned(), span: file.model.span.clone() };
        let time = match &file.model.value {
            Model::Ode { time, .. } => time.as_ref(),
            Model::Map { count, .. } => count.as_ref(),
            Model::Path { .. } | Model::Network { .. } => file.state.as_ref().map(|_| &path_time),
        };
        let reader = Reader::new(source, file, time)?;
        Builder { reader: &reader, file }.world()
    }

    /// True when neither the velocity nor the map depends on time: then exponents have a limit to tend to.
    pub fn is_autonomous(&self) -> bool {
        match &self.system {
            System::Flow { velocity, .. } => {
                let timed = |field: &ErrorShape| match field {
                    ErrorShape::Formula(field) => field.is_timed(),
                    ErrorShape::Waves(_) => false,
                };
                matches!(&velocity.exact, Exact::Formula(field) if !field.is_timed())
                    && !velocity.errors.iter().any(|error| timed(&error.field))
            }
            System::Map(map) => !map.image.is_timed(),
            System::Noisy { .. } => false,
        }
    }

    /// The same world with its manifold [seen more coarsely](Manifold::coarser), where samples are all that is known of it.
    ///
    /// *Errors*: as [`Manifold::coarser`].
    pub fn coarser(&self) -> Option<Result<Self>> {
        let manifold = self.manifold.as_ref()?.coarser()?;
        Some(manifold.map(|manifold| Self { manifold: Some(manifold), ..self.clone() }))
    }

    /// The factor a(s) between states and data: 1 but on a path.
    pub fn signal(&self, time: f64) -> f64 {
        self.system.levels(time).map_or(1.0, |(signal, _)| signal)
    }

    /// The network that moves the state, where one does.
    pub fn network(&self) -> Option<&TrainedModel> {
        match &self.system {
            System::Flow { velocity: Velocity { exact: Exact::Network(model), .. }, .. } => {
                Some(model)
            }
            _ => None,
        }
    }

    /// The errors of its model.
    pub fn errors(&self) -> &[ModelError] {
        match &self.system {
            System::Flow { velocity, .. } => &velocity.errors,
            System::Noisy { errors, .. } => &errors.errors,
            System::Map(_) => &[],
        }
    }

    /// The formulas that move the state, where it is moved by some.
    pub fn formulas(&self) -> Option<&FormulaField> {
        match &self.system {
            System::Flow { velocity: Velocity { exact: Exact::Formula(field), .. }, .. } => {
                Some(field)
            }
            System::Map(map) => Some(&map.image),
            _ => None,
        }
    }

    /// Whether finer steps are the same world.
    pub fn has_steps(&self) -> bool {
        matches!(self.system, System::Flow { .. })
    }

    /// The same world with so many times the steps, a power of 2; as it is where it has none to refine.
    pub fn refined(mut self, factor: usize) -> Self {
        let System::Flow { steps, .. } = &mut self.system else { return self };
        match steps {
            Stepping::Fixed(method, times) => {
                let sampler = Sampler::new(*method, std::mem::take(times));
                *times = sampler.finer(factor).times().to_vec();
            }
            // Local errors of order 5 fall with that power of the steps.
            Stepping::Adaptive(tolerance) => {
                *tolerance = (*tolerance / (factor as f64).powi(5)).max(LEAST_TOLERANCE);
            }
        }
        self
    }

    /// The times of the steps from a start.
    ///
    /// *Errors*: as [`adaptive_times`].
    pub fn times(&self, start: &[f64]) -> Result<Vec<f64>> {
        match &self.system {
            System::Flow { steps: Stepping::Fixed(_, times), .. } | System::Noisy { times, .. } => {
                Ok(times.clone())
            }
            System::Flow { velocity, span, steps: Stepping::Adaptive(tolerance) } => {
                adaptive_times(velocity, span.0, span.1, start, *tolerance)
            }
            System::Map(map) => Ok((0..=map.maps).map(|k| k as f64).collect()),
        }
    }
}
