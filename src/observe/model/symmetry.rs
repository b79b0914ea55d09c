//! How far the Jacobian of the implied score is from symmetric, as that of a gradient is.

use super::spectrum::{Run, WHOLE};
use super::{Model, median};
use crate::drift::{Drift, Lanes, Workspace};
use crate::facts::{Facts, Quantity};
use crate::random::Stream;
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Times at which it is looked at, inside the span and equally far apart.
const TIMES: usize = 8;

/// Random directions that stand for all above [`WHOLE`] dimensions.
const PROBES: usize = 8;

/// Medians over trajectories of ‖J − Jᵀ‖/‖J‖ (Frobenius), J the Jacobian of the score that the network implies.
///
/// Facts: series `asymmetry_time`, `asymmetry_sigma`, `asymmetry`. Above [`WHOLE`] dimensions both norms are those of images of
/// random directions.
pub fn measure<N: Drift>(model: &Model<'_, N>, runs: &[Run], stream: Stream, facts: &mut Facts) {
    let times = model.sampler().times().to_vec();
    for nth in 1..=TIMES {
        let k = nth * (times.len() - 1) / (TIMES + 1);
        let s = times[k];
        let values: Vec<f64> = runs
            .par_iter()
            .filter_map(|run| run.states.get(k))
            .map(|x| asymmetry(model, s, x.as_slice(), stream.indexed(nth as u64)))
            .collect();
        facts.push("asymmetry_time", Quantity::exact(s));
        facts.push("asymmetry_sigma", Quantity::exact(model.trained.convention.levels.sigma(s)));
        facts.push("asymmetry", median(&values));
    }
}

fn asymmetry<N: Drift>(model: &Model<'_, N>, s: f64, x: &[f64], stream: Stream) -> f64 {
    let (dim, mut work) = (x.len(), Workspace::default());
    if dim <= WHOLE {
        let (_, jacobian) = model.trained.score(s, x, &mut work);
        return (&jacobian - jacobian.transpose()).norm() / jacobian.norm();
    }
    let (of_state, of_velocity) = model.trained.convention.score_weights(s);
    let probes = DMatrix::from_vec(dim, PROBES, stream.normals(dim * PROBES));
    let mut block = probes.clone().insert_column(0, 0.0);
    block.column_mut(0).copy_from_slice(x);
    let mut out = DMatrix::zeros(dim, PROBES + 1);
    let lanes = Lanes::single(PROBES);
    model.trained.push(s, block.as_slice(), lanes, out.as_mut_slice(), &mut work);
    let pushed = out.remove_column(0) * of_velocity;
    let pulled = model.trained.pull(s, x, &probes, &mut work) * of_velocity;
    (&pushed - &pulled).norm() / (pushed + probes * of_state).norm()
}
