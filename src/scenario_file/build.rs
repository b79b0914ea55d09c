//! From the keys of a file to its world.

use super::checks;
use super::field::{ErrorShape, Exact, FormulaField, FormulaMap, InDenoiser, ModelError, Velocity};
use super::format::{ErrorField, FieldShape, File, Method as MethodName, Model, Prediction};
use super::format::{Sampler as Steps, Scheme as SchemeName};
use super::free;
use super::law::{DataLaw, ambient};
use super::located::{At, Components};
use super::reader::Reader;
use super::shape::{manifold, schedule};
use super::trained::TrainedModel;
use super::world::{LEAST_TOLERANCE, Stepping, System, World};
use crate::drift::{Drift, LearningError, Parametrisation, Schedule};
use crate::error::Result;
use crate::facts::Grade;
use crate::flow::{Method, Scheme, geometric_times, uniform_times};
use crate::manifold::{Chart, Manifold};
use crate::random::Stream;
use std::sync::Arc;

/// Most steps of a run: its states are kept.
const MOST_STEPS: u32 = 2_000_000;

/// Builds the world of one file.
pub(super) struct Builder<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) file: &'a File,
}

impl Builder<'_> {
    /// The world, with every default filled in.
    pub(super) fn world(&self) -> Result<World> {
        let (reader, file) = (self.reader, self.file);
        let network = TrainedModel::read(reader, &file.model.value)?.map(Arc::new);
        let dim = self.dim(network.as_deref())?;
        let seed = file.seed.unwrap_or(1);
        let stream = Stream::root(seed).named("scenario file");
        let manifold = manifold(reader, file.manifold.as_ref(), dim)?;
        let mut notes = Vec::new();
        let path = self.path(manifold.as_ref(), dim, stream, &mut notes)?;
        let trained_on = match &network {
            Some(model) => self.trained_on(model, manifold.as_ref(), stream, &mut notes)?,
            None => None,
        };
        let system = self.system(path.as_ref(), network, dim, stream)?;
        let coordinates = match reader.coordinates.is_empty() {
            true => (0..dim).map(|i| format!("x[{i}]")).collect(),
            false => reader.coordinates.clone(),
        };
        let law = path.as_ref().map(|(_, law)| law).or(trained_on.as_ref());
        let starts = self.starts(&system, law, dim, stream)?;
        let (planes, random_planes) = self.planes(manifold.as_ref(), dim, starts.len(), stream)?;
        let mut world = World {
            name: self.name(),
            about: file.about.clone().unwrap_or_default(),
            dim,
            coordinates,
            system,
            manifold,
            path,
            trained_on,
            starts,
            planes,
            random_planes,
            transient: None,
            free: free::read(reader, file)?,
            stream,
            seed,
            checks: Vec::new(),
            notes,
        };
        world.transient = self.transient(&world)?;
        self.look_at_start(&world)?;
        world.checks = checks::read(reader, &file.checks, &world)?;
        self.weaknesses(&mut world);
        Ok(world)
    }

    fn name(&self) -> String {
        let stem = self.reader.source.path.file_stem().unwrap_or_default();
        self.file.title.clone().unwrap_or_else(|| stem.to_string_lossy().into_owned())
    }

    /// D: of the state where it is declared, else of the network, the law or the manifold.
    fn dim(&self, network: Option<&TrainedModel>) -> Result<usize> {
        let (reader, file) = (self.reader, self.file);
        if let Some(model) = network {
            return Ok(model.dim());
        }
        if !reader.coordinates.is_empty() {
            return Ok(reader.coordinates.len());
        }
        ambient(reader, file)
    }

    fn path(
        &self,
        manifold: Option<&Manifold>,
        dim: usize,
        stream: Stream,
        notes: &mut Vec<String>,
    ) -> Result<Option<(Schedule, DataLaw)>> {
        let (reader, file) = (self.reader, self.file);
        let Model::Path { schedule: name, sigma_start, sigma_end } = &file.model.value else {
            if let Some(law) = &file.law
                && !matches!(file.model.value, Model::Network { .. })
            {
                let problem = "only a model.path or a model.network has a law";
                let hint = "delete the law, or let [model.path] carry noise to it";
                return reader.refuse(&law.span, problem, hint);
            }
            return Ok(None);
        };
        let Some(law) = &file.law else {
            let problem = "a path needs the law of its data";
            return reader.refuse(&file.model.span, problem, "add [law.uniform] and a manifold");
        };
        let schedule = schedule(reader, name)?;
        let (start, end) = (reader.positive(sigma_start)?, reader.positive(sigma_end)?);
        if end >= start {
            let problem = format!("σ ends at {end}, not below its start {start}");
            return reader.refuse(&sigma_end.span, problem, "noise levels that decrease");
        }
        for (value, sigma) in [(sigma_start, start), (sigma_end, end)] {
            let time = schedule.time_at_sigma(sigma);
            let off = (schedule.sigma(time) - sigma).abs();
            if off.is_nan() || off > 1e-6 * sigma {
                let problem = format!("σ = {sigma} is no noise level of this schedule");
                return reader.refuse(
                    &value.span,
                    problem,
                    "a level between those of its two ends",
                );
            }
        }
        let law = DataLaw::new(reader, law, manifold, dim, end, stream.named("law"), notes)?;
        Ok(Some((schedule, law)))
    }

    /// The law that a network was trained on, where it is stated.
    fn trained_on(
        &self,
        model: &TrainedModel,
        manifold: Option<&Manifold>,
        stream: Stream,
        notes: &mut Vec<String>,
    ) -> Result<Option<DataLaw>> {
        let (reader, Model::Network { to, .. }) = (self.reader, &self.file.model.value) else {
            return Ok(None);
        };
        let Some(law) = &self.file.law else { return Ok(None) };
        let sigma = model.trained.convention.levels.sigma(model.check_time(reader, to)?);
        let stream = stream.named("law");
        DataLaw::new(reader, law, manifold, model.dim(), sigma, stream, notes).map(Some)
    }

    fn system(
        &self,
        path: Option<&(Schedule, DataLaw)>,
        network: Option<Arc<TrainedModel>>,
        dim: usize,
        stream: Stream,
    ) -> Result<System> {
        let (reader, file) = (self.reader, self.file);
        let has_levels = path.is_some() || network.is_some();
        let errors = file
            .errors
            .iter()
            .enumerate()
            .map(|(i, error)| self.error(error, dim, has_levels, stream.indexed(i as u64)))
            .collect::<Result<Vec<_>>>()?;
        let timed = reader.time.is_some();
        match &file.model.value {
            Model::Ode { drift, from, to, .. } => {
                let field = FormulaField::new(reader.field(drift, dim)?, timed);
                let span = (reader.number(from)?, reader.number(to)?);
                if span.0 == span.1 {
                    let problem = format!("the run ends at {}, where it starts", span.1);
                    return reader.refuse(&to.span, problem, "another last time");
                }
                let velocity = Velocity { exact: Exact::Formula(field), errors };
                let times = |steps| uniform_times(span.0, span.1, steps);
                let steps = self.stepping(times)?;
                Ok(System::Flow { velocity, span, steps })
            }
            Model::Map { image, maps, .. } => {
                if let Some(error) = file.errors.first() {
                    let problem = "errors are added to a velocity, which a map has not";
                    let hint = "write the error into the image";
                    return reader.refuse(&error.span, problem, hint);
                }
                if let Some(sampler) = &file.sampler {
                    let problem = "a map is applied as it is, without a sampler";
                    return reader.refuse(&sampler.span, problem, "delete [sampler]");
                }
                let image = FormulaField::new(reader.field(image, dim)?, timed);
                Ok(System::Map(FormulaMap { image, maps: reader.count(maps, 1, MOST_STEPS)? }))
            }
            Model::Path { sigma_start, sigma_end, .. } => {
                let (schedule, law) = path.expect("a path has been read");
                let (start, end) = (reader.number(sigma_start)?, reader.number(sigma_end)?);
                let times = |steps| -> Vec<f64> {
                    let levels = geometric_times(start, end, steps);
                    levels.into_iter().map(|sigma| schedule.time_at_sigma(sigma)).collect()
                };
                let noisy = match file.sampler.as_ref().map(|sampler| &sampler.value) {
                    Some(Steps::Stochastic { scheme, steps }) => Some(match scheme.value {
                        SchemeName::EulerMaruyama => (Scheme::EulerMaruyama, steps),
                        SchemeName::Ancestral => (Scheme::Ancestral, steps),
                    }),
                    Some(Steps::Ddim { steps }) => Some((Scheme::Ddim, steps)),
                    _ => None,
                };
                if let Some((scheme, steps)) = noisy {
                    let errors = InDenoiser { errors, schedule: *schedule, dim };
                    let (law, times) = (Box::new(law.clone()), times(self.steps(steps)?));
                    return Ok(System::Noisy { schedule: *schedule, scheme, law, errors, times });
                }
                let velocity =
                    Velocity { exact: Exact::Path(*schedule, law.denoiser.clone()), errors };
                let span = times(1);
                let steps = self.stepping(times)?;
                Ok(System::Flow { velocity, span: (span[0], span[1]), steps })
            }
            Model::Network { from, to, .. } => {
                let model = network.expect("a network has been read");
                let span = (model.check_time(reader, from)?, model.check_time(reader, to)?);
                if span.0 >= span.1 {
                    let problem =
                        format!("the run ends at {}, not after its start {}", span.1, span.0);
                    return reader.refuse(&to.span, problem, "a later time");
                }
                let steps = self.stepping(|steps| uniform_times(span.0, span.1, steps))?;
                let velocity = Velocity { exact: Exact::Network(model), errors };
                Ok(System::Flow { velocity, span, steps })
            }
        }
    }

    fn steps(&self, steps: &At<u32>) -> Result<usize> {
        self.reader.count(steps, 4, MOST_STEPS)
    }

    fn stepping(&self, times: impl Fn(usize) -> Vec<f64>) -> Result<Stepping> {
        let reader = self.reader;
        let Some(sampler) = &self.file.sampler else {
            let problem = "a flow needs its steps";
            let hint = "add [sampler.fixed] with method = \"rk4\" and steps = 1000";
            return reader.refuse(&self.file.model.span, problem, hint);
        };
        match &sampler.value {
            Steps::Fixed { method, steps } => {
                let method = match method.value {
                    MethodName::Euler => Method::Euler,
                    MethodName::Heun => Method::Heun,
                    MethodName::Rk4 => Method::Rk4,
                    MethodName::DormandPrince => Method::DormandPrince,
                };
                Ok(Stepping::Fixed(method, times(self.steps(steps)?)))
            }
            Steps::Adaptive { tolerance } => {
                let value = reader.positive(tolerance)?;
                if !(LEAST_TOLERANCE..=1e-2).contains(&value) {
                    let problem = format!("a tolerance of {value:e}; expected 1e-13 to 1e-2");
                    return reader.refuse(&tolerance.span, problem, "1e-9 is customary");
                }
                Ok(Stepping::Adaptive(value))
            }
            Steps::Stochastic { .. } | Steps::Ddim { .. } => {
                let problem = "only a model.path has noise levels to step between";
                reader.refuse(&sampler.span, problem, "[sampler.fixed] or [sampler.adaptive]")
            }
        }
    }

    fn error(
        &self,
        error: &At<ErrorField>,
        dim: usize,
        has_levels: bool,
        stream: Stream,
    ) -> Result<ModelError> {
        let (reader, At { value: ErrorField { prediction, size, field }, .. }) =
            (self.reader, error);
        if !has_levels && prediction.value != Prediction::Velocity {
            let problem = "a model of formulas predicts its velocity and nothing else";
            return reader.refuse(&prediction.span, problem, "prediction = \"velocity\"");
        }
        let shape = match &field.value {
            FieldShape::Formula(components) => {
                self.check_has_state(components)?;
                let formula = reader.field(components, dim)?;
                ErrorShape::Formula(FormulaField::new(formula, reader.time.is_some()))
            }
            FieldShape::Constant(direction) => {
                let direction = At { value: direction.clone(), span: field.span.clone() };
                ErrorShape::Waves(LearningError::constant(&reader.vector(&direction, dim)?))
            }
            FieldShape::Fourier { waves, length } => {
                let (waves, length) = (reader.count(waves, 1, 1000)?, reader.positive(length)?);
                let stream = stream.named("error");
                ErrorShape::Waves(LearningError::fourier(dim, waves, length, 1.0, stream))
            }
        };
        let prediction = match prediction.value {
            Prediction::Denoiser => Parametrisation::Denoiser,
            Prediction::Noise => Parametrisation::Noise,
            Prediction::Score => Parametrisation::Score,
            Prediction::Velocity => Parametrisation::Velocity,
        };
        Ok(ModelError { prediction, size: reader.number(size)?, field: shape })
    }

    fn check_has_state(&self, components: &At<Components>) -> Result<()> {
        if !self.reader.coordinates.is_empty() {
            return Ok(());
        }
        let problem = "formulas need names for the state";
        self.reader.refuse(&components.span, problem, "add [state] with names = [\"x\", \"y\"]")
    }

    fn transient(&self, world: &World) -> Result<Option<f64>> {
        let reader = self.reader;
        let Some(At { value, span }) = &self.file.exponents else { return Ok(None) };
        if !world.is_autonomous() {
            let problem = "this system depends on time: its exponents have no limit";
            let hint = "delete [exponents]; exponents of the whole run are computed in any case";
            return reader.refuse(span, problem, hint);
        }
        let transient = reader.not_negative(&value.transient)?;
        let length = match &world.system {
            System::Flow { span, .. } => (span.1 - span.0).abs(),
            System::Map(map) => map.maps as f64,
            System::Noisy { .. } => 0.0,
        };
        if transient > 0.9 * length {
            let problem = format!("a transient of {transient} in a run of length {length}");
            return reader.refuse(&value.transient.span, problem, "at most nine tenths of the run");
        }
        Ok(Some(transient))
    }

    /// Refuses a field that is not finite where it is first looked at.
    fn look_at_start(&self, world: &World) -> Result<()> {
        let Some(field) = world.formulas() else { return Ok(()) };
        let (span, time) = match (&self.file.model.value, &world.system) {
            (Model::Ode { drift, .. }, System::Flow { span, .. }) => (&drift.span, span.0),
            (Model::Map { image, .. }, _) => (&image.span, 0.0),
            _ => return Ok(()),
        };
        for start in &world.starts {
            let mut value = vec![0.0; world.dim];
            field.velocity(time, start, &mut value);
            if let Some(at) = value.iter().position(|v| !v.is_finite()) {
                let problem = format!(
                    "component {at} is {} at the start {start:?}, time {time}; expected a finite number",
                    value[at]
                );
                let hint = "another start, or a formula that is defined there";
                return self.reader.refuse(span, problem, hint);
            }
        }
        Ok(())
    }

    /// What a reader of the results should know.
    fn weaknesses(&self, world: &mut World) {
        let of_model = world.formulas().map(|field| (field, "in the formulas of the model"));
        let of_errors = world.errors().iter().filter_map(|error| match &error.field {
            ErrorShape::Formula(field) => Some((field, "in the formula of an error")),
            ErrorShape::Waves(_) => None,
        });
        let of_fields = of_model
            .into_iter()
            .chain(of_errors)
            .map(|(field, there)| (field.formula().kinks(), there));
        let pieces = world.manifold.as_ref().map_or(&[][..], Manifold::pieces);
        let of_charts = pieces.iter().filter_map(|piece| match &piece.chart {
            Chart::Stated(chart) => Some((chart.kinks(), "in the formulas of the chart")),
            Chart::Implicit(chart) => Some((chart.kinks(), "in the equations of the manifold")),
            _ => None,
        });
        let kinks = of_fields.chain(of_charts).flat_map(|(kinks, there)| {
            kinks.iter().map(move |kink| {
                let place = match &kink.helper {
                    Some(helper) => format!("in the definition of {helper}"),
                    None => there.to_owned(),
                };
                format!(
                    "{} ({place}) has kinks or jumps: derivatives are those of its pieces",
                    kink.name
                )
            })
        });
        let of_network = world.network().into_iter().flat_map(|model| &model.kinks);
        let of_network = of_network
            .map(|kink| format!("the network is not smooth, where the theory asks for C²: {kink}"));
        let kinks: Vec<String> = kinks.chain(of_network).collect();
        world.notes.extend(kinks);
        if let Some(manifold) = &world.manifold {
            let curvature = manifold.curvature();
            if curvature.grade >= Grade::Estimated {
                world.notes.push(format!(
                    "the curvature of the manifold is estimated: at least {:.4}",
                    curvature.value
                ));
            }
        }
    }
}
