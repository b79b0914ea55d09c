//! Fields and maps of formulas, and models with their errors.

use super::trained::TrainedModel;
use crate::drift::{
    Denoiser, Drift, GaussianPath, Lanes, LearningError, Parametrisation, Schedule, Workspace,
    push_generic,
};
use crate::flow::Maps;
use crate::formula::{self, Formula};
use crate::scalar::{Scalar, Tangents};
use nalgebra::DMatrix;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// Registers of formulas, kept from call to call.
    static REGISTERS: RefCell<formula::Workspace<Tangents>> = RefCell::default();
}

/// A vector of formulas of the state and, in a last slot, of the time.
#[derive(Clone, Debug)]
pub struct FormulaField {
    formula: Formula,
    dim: usize,
    timed: bool,
}

impl FormulaField {
    /// Over a table of names that holds the state, then the time if `timed`.
    pub(super) fn new(formula: Formula, timed: bool) -> Self {
        Self { dim: formula.dim(), formula, timed }
    }

    /// The formulas.
    pub fn formula(&self) -> &Formula {
        &self.formula
    }

    fn arguments<S: Scalar>(&self, t: S, x: &[S]) -> Vec<S> {
        x.iter().copied().chain(self.timed.then_some(t)).collect()
    }

    /// The Jacobian by symbolic derivatives, as a formula: one column after the other.
    pub fn symbolic(&self) -> Formula {
        self.formula.jacobian(0..self.dim)
    }

    /// The Jacobian at a state by the formula of [`FormulaField::symbolic`].
    pub fn jacobian_by(&self, symbolic: &Formula, t: f64, x: &[f64]) -> DMatrix<f64> {
        DMatrix::from_vec(self.dim, self.dim, symbolic.values(&self.arguments(t, x)))
    }

    /// Whether the formulas depend on time.
    pub fn is_timed(&self) -> bool {
        self.timed
    }
}

impl Drift for FormulaField {
    fn dim(&self) -> usize {
        self.dim
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        self.formula.evaluate(&self.arguments(t, x), &mut formula::Workspace::default(), out);
    }

    fn push(&self, t: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        REGISTERS.with_borrow_mut(|registers| {
            let mut arguments = vec![Tangents::from(t); self.dim + usize::from(self.timed)];
            push_generic(self.dim, block, lanes, out, work, |x, v| {
                arguments[..self.dim].copy_from_slice(x);
                self.formula.evaluate(&arguments, registers, v);
            });
        });
    }
}

/// A learning error of a prediction.
#[derive(Clone, Debug)]
pub struct ModelError {
    /// What is predicted with it.
    pub prediction: Parametrisation,
    /// ε.
    pub size: f64,
    /// The field.
    pub field: ErrorShape,
}

/// The kinds of error fields.
#[derive(Clone, Debug)]
pub enum ErrorShape {
    /// Formulas.
    Formula(FormulaField),
    /// Waves, or a constant.
    Waves(LearningError),
}

impl Drift for ErrorShape {
    fn dim(&self) -> usize {
        match self {
            Self::Formula(field) => field.dim(),
            Self::Waves(field) => field.dim(),
        }
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        match self {
            Self::Formula(field) => field.velocity(t, x, out),
            Self::Waves(field) => field.velocity(t, x, out),
        }
    }
}

/// A velocity before errors are added to it.
#[derive(Clone, Debug)]
pub enum Exact {
    /// Formulas of the file.
    Formula(FormulaField),
    /// A schedule over the exact denoiser of a law.
    Path(Schedule, Denoiser),
    /// A trained network: what it adds to the exact flow is not told apart.
    Network(Arc<TrainedModel>),
}

impl Exact {
    /// Signal and noise (a, b) of its states a·data + b·noise; None where they are points of the data space.
    pub fn levels(&self, time: f64) -> Option<(f64, f64)> {
        match self {
            Self::Formula(_) => None,
            Self::Path(schedule, _) => Some(schedule.coefficients(time)),
            Self::Network(model) => Some(model.trained.convention.levels.coefficients(time)),
        }
    }
}

/// A velocity with its learning errors.
#[derive(Clone, Debug)]
pub struct Velocity {
    /// Without errors.
    pub exact: Exact,
    /// What is added to it.
    pub errors: Vec<ModelError>,
}

impl Velocity {
    /// The same without errors.
    pub fn without_errors(&self) -> Self {
        Self { exact: self.exact.clone(), errors: Vec::new() }
    }

    /// All errors as one of the velocity.
    fn add_errors<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let factor = |prediction: Parametrisation| match &self.exact {
            Exact::Formula(_) => S::from(1.0),
            Exact::Path(schedule, _) => prediction.velocity_factor(schedule, t),
            Exact::Network(model) => {
                prediction.velocity_factor_of(model.trained.convention.levels.rates(t))
            }
        };
        add_errors(&self.errors, factor, (t, x), out);
    }
}

/// Adds errors at a time and a state, each times the factor of its prediction.
fn add_errors<S: Scalar>(
    errors: &[ModelError],
    factor: impl Fn(Parametrisation) -> S,
    (t, x): (S, &[S]),
    out: &mut [S],
) {
    let mut field = out.to_vec();
    for error in errors {
        error.field.velocity(t, x, &mut field);
        let factor = factor(error.prediction);
        out.iter_mut().zip(&field).for_each(|(v, e)| *v += *e * factor * error.size);
    }
}

impl Drift for Velocity {
    fn dim(&self) -> usize {
        match &self.exact {
            Exact::Formula(field) => field.dim(),
            Exact::Path(schedule, denoiser) => GaussianPath { schedule: *schedule, denoiser }.dim(),
            Exact::Network(model) => model.dim(),
        }
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        match &self.exact {
            Exact::Formula(field) => field.velocity(t, x, out),
            Exact::Path(schedule, denoiser) => {
                GaussianPath { schedule: *schedule, denoiser }.velocity(t, x, out);
            }
            Exact::Network(model) => model.trained.velocity(t, x, out),
        }
        self.add_errors(t, x, out);
    }

    fn push(&self, t: f64, block: &[f64], lanes: Lanes, out: &mut [f64], work: &mut Workspace) {
        match &self.exact {
            Exact::Formula(field) => field.push(t, block, lanes, out, work),
            Exact::Path(schedule, denoiser) => {
                GaussianPath { schedule: *schedule, denoiser }.push(t, block, lanes, out, work);
            }
            Exact::Network(model) => model.trained.push(t, block, lanes, out, work),
        }
        if self.errors.is_empty() {
            return;
        }
        let mut errors = vec![0.0; out.len()];
        push_generic(self.dim(), block, lanes, &mut errors, work, |x, v| {
            v.fill(Tangents::from(0.0));
            self.add_errors(Tangents::from(t), x, v);
        });
        out.iter_mut().zip(&errors).for_each(|(v, e)| *v += e);
    }
}

/// The errors of a path as one of its denoiser, which is what a stochastic sampler takes.
#[derive(Clone, Debug)]
pub struct InDenoiser {
    /// The errors.
    pub errors: Vec<ModelError>,
    /// The schedule that converts them.
    pub schedule: Schedule,
    /// Dimension of the state.
    pub dim: usize,
}

impl Drift for InDenoiser {
    fn dim(&self) -> usize {
        self.dim
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        out.fill(S::from(0.0));
        let factor =
            |p: Parametrisation| p.error_factor(Parametrisation::Denoiser, &self.schedule, t);
        add_errors(&self.errors, factor, (t, x), out);
    }
}

/// A map of formulas, applied again and again.
#[derive(Clone, Debug)]
pub struct FormulaMap {
    /// The image; its time is the number of the map.
    pub image: FormulaField,
    /// How many times.
    pub maps: usize,
}

impl Maps for FormulaMap {
    fn dim(&self) -> usize {
        self.image.dim()
    }

    fn maps(&self) -> usize {
        self.maps
    }

    fn map<S: Scalar>(&self, k: usize, _: S, x: &mut [S]) {
        let argument = x.to_vec();
        self.image.velocity(S::from(k as f64), &argument, x);
    }
}
