//! Checks of the computation itself, shown with the results.

use super::spectrum::{Run, WHOLE};
use super::{Model, ends};
use crate::drift::{Drift, Trained, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Quantity};
use crate::flow::Trajectory;
use crate::lyapunov::{Cocycle, qr_sweep};
use crate::random::Stream;
use nalgebra::{DMatrix, DVector};

/// The step of central differences, relative to the size of the state: the cube root of the rounding.
const STEP: f64 = 1e-5;

/// States the checks on the first trajectory.
///
/// Facts: `check_growth`, Σ log growth over all directions by QR, and `check_divergence`, ∫ tr A ds along the trajectory by
/// Simpson's rule on the steps, both by twice the steps, with the change from the steps as bar (up to [`WHOLE`] dimensions);
/// `check_difference`, ‖J v − central difference‖/‖J v‖ of the whole flow; `check_adjoint`, |⟨w, J v⟩ − ⟨Jᵀ w, v⟩|/(|w||J v|).
pub fn measure<N: Drift>(
    model: &Model<'_, N>,
    run: &Run,
    stream: Stream,
    facts: &mut Facts,
) -> Result<()> {
    let (dim, sampler) = (model.dim(), model.sampler());
    let path = Trajectory { sampler: &sampler, drift: model.trained, states: run.states.clone() };
    let unit = |name: &str| DVector::from_vec(stream.named(name).normals(dim)).normalize();
    let (v, w) = (unit("direction"), unit("covector"));
    let along = |mut frame: DMatrix<f64>| {
        (0..path.len()).for_each(|k| frame = path.push(k, &frame));
        frame
    };
    let pushed = along(DMatrix::from_columns(std::slice::from_ref(&v)));
    let mut pulled = DMatrix::from_columns(std::slice::from_ref(&w));
    (0..path.len()).rev().for_each(|k| pulled = path.pull(k, &pulled));
    let (left, right) = (w.dot(&pushed.column(0)), v.dot(&pulled.column(0)));
    facts.set("check_adjoint", Quantity::exact((left - right).abs() / pushed.norm()));

    let h = STEP * (1.0 + run.start.norm() / (dim as f64).sqrt());
    let starts = DMatrix::from_columns(&[&run.start + &v * h, &run.start - &v * h]);
    let moved = ends(model.trained, &sampler, &starts);
    let difference = (moved.column(0) - moved.column(1)) / (2.0 * h);
    facts.set(
        "check_difference",
        Quantity::exact((difference - pushed.column(0)).norm() / pushed.norm()),
    );

    if dim <= WHOLE {
        let growth = |path: &Trajectory<'_, Trained<N>>| -> (f64, f64) {
            let sum = qr_sweep(path, &DMatrix::identity(dim, dim)).log_growth.iter().sum();
            (sum, divergence(model, path))
        };
        let refined = sampler.refined();
        let finer = Trajectory::from(model.trained, &refined, run.start.as_slice())?;
        let (coarse, fine) = (growth(&path), growth(&finer));
        let of = |fine: f64, coarse: f64| {
            Quantity::new(fine, (fine - coarse).abs(), crate::facts::Grade::Estimated)
        };
        facts.set("check_growth", of(fine.0, coarse.0));
        facts.set("check_divergence", of(fine.1, coarse.1));
    }
    Ok(())
}

/// ∫ tr A ds by the rule of Simpson on pairs of steps where their number is even, else by trapezia.
fn divergence<N: Drift>(model: &Model<'_, N>, path: &Trajectory<'_, Trained<N>>) -> f64 {
    let times = path.sampler.times();
    let mut work = Workspace::default();
    let traces: Vec<f64> = times
        .iter()
        .zip(&path.states)
        .map(|(s, x)| model.trained.jacobian(*s, x.as_slice(), &mut work).trace())
        .collect();
    let steps = times.len() - 1;
    let h = (times[steps] - times[0]) / steps as f64;
    if steps % 2 == 1 {
        return h * (traces.iter().sum::<f64>() - 0.5 * (traces[0] + traces[steps]));
    }
    let weight = |k: usize| match k {
        0 => 1.0,
        k if k == steps => 1.0,
        k if k % 2 == 1 => 4.0,
        _ => 2.0,
    };
    h / 3.0 * traces.iter().enumerate().map(|(k, trace)| weight(k) * trace).sum::<f64>()
}
