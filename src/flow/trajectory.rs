//! One orbit of a sampler, and the linear cocycle of its Jacobians.

use super::{Sampler, StepWorkspace};
use crate::drift::{Drift, Lanes};
use crate::error::{Error, Result};
use crate::lyapunov::Cocycle;
use nalgebra::{DMatrix, DVector};

/// The states x_0, …, x_K of one orbit, with the maps that made it.
#[derive(Debug)]
pub struct Trajectory<'a, F> {
    /// The maps.
    pub sampler: &'a Sampler,
    /// The velocity field behind them.
    pub drift: &'a F,
    /// K + 1 states.
    pub states: Vec<DVector<f64>>,
}

impl<'a, F: Drift> Trajectory<'a, F> {
    /// The orbit from `start`.
    ///
    /// *Errors*: [`Error::Input`] when the start has not length D; [`Error::Numeric`] with the step and
    /// time at which the state left the finite numbers.
    pub fn from(drift: &'a F, sampler: &'a Sampler, start: &[f64]) -> Result<Self> {
        if start.len() != drift.dim() {
            let problem = format!("has length {}, not {}", start.len(), drift.dim());
            return Err(Error::input(
                "start state",
                problem,
                "give one number for each coordinate",
            ));
        }
        if !start.iter().all(|v| v.is_finite()) {
            return Err(Error::numeric("trajectory", "the start is not finite"));
        }
        let mut work = StepWorkspace::default();
        let mut x = DVector::from_column_slice(start);
        let mut states = vec![x.clone()];
        for k in 0..sampler.maps() {
            sampler.step(drift, k, x.as_mut_slice(), Lanes::single(0), &mut work);
            if !x.iter().all(|v| v.is_finite()) {
                let (t, before) = (sampler.times()[k], shown(&states[k]));
                let problem = format!("not finite after step {k}, from t = {t:e} and x = {before}");
                return Err(Error::numeric("trajectory", problem));
            }
            states.push(x.clone());
        }
        Ok(Self { sampler, drift, states })
    }

    /// The state x_K.
    pub fn end(&self) -> &DVector<f64> {
        self.states.last().expect("a trajectory has a start")
    }

    /// The Jacobians dF_k(x_k), K matrices `D×D`.
    pub fn jacobians(&self) -> Vec<DMatrix<f64>> {
        let d = self.drift.dim();
        (0..self.sampler.maps()).map(|k| self.push(k, &DMatrix::identity(d, d))).collect()
    }
}

/// The first coordinates of a state, for a message.
pub(super) fn shown(state: &DVector<f64>) -> String {
    let first: Vec<String> = state.iter().take(4).map(|x| format!("{x:.6e}")).collect();
    format!("({}{})", first.join(", "), if state.len() > 4 { ", …" } else { "" })
}

impl<F: Drift> Cocycle for Trajectory<'_, F> {
    fn dim(&self) -> usize {
        self.drift.dim()
    }

    fn len(&self) -> usize {
        self.sampler.maps()
    }

    fn push(&self, k: usize, frame: &DMatrix<f64>) -> DMatrix<f64> {
        let mut block = frame.clone().insert_column(0, 0.0);
        block.set_column(0, &self.states[k]);
        let lanes = Lanes::single(frame.ncols());
        let mut work = StepWorkspace::default();
        self.sampler.step(self.drift, k, block.as_mut_slice(), lanes, &mut work);
        block.remove_column(0)
    }

    fn pull(&self, k: usize, covectors: &DMatrix<f64>) -> DMatrix<f64> {
        let mut work = StepWorkspace::default();
        self.sampler.pull(self.drift, k, self.states[k].as_slice(), covectors, &mut work)
    }
}
