//! The finite-time spectrum of a trained flow: whole, or its leading pairs by block iteration.

use super::space::Space;
use super::{Model, check_finite};
use crate::drift::Drift;
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity, REPORTED};
use crate::flow::{Sampler, Trajectory, uniform_times};
use crate::lyapunov::{Spectrum, product, spectrum, top_pairs};
use crate::observe::data::Watch;
use crate::observe::data::exponents::{Effort, gap_of};
use crate::observe::data::noise::Levels;
use crate::points::PointSet;
use crate::random::Stream;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Above this dimension leading pairs stand for the whole spectrum.
pub const WHOLE: usize = 128;

/// Relative rounding of a product of Jacobians, times their number.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// The error of N steps over the change to 2N of them is 1/(1 − 2^−p), at most so much.
const BY_STEPS: f64 = 2.0;

/// One trajectory with its spectrum.
pub struct Run {
    /// The state at the first time.
    pub start: DVector<f64>,
    /// The state at the last.
    pub end: DVector<f64>,
    /// All states.
    pub states: Vec<DVector<f64>>,
    /// log singular values and vectors of the tangent map of all steps.
    pub spectrum: Spectrum,
    /// How far each log singular value may be off: by the iteration where it is a leading pair, else by the steps.
    pub bars: Vec<f64>,
    /// The whole Jacobian, up to [`WHOLE`].
    pub jacobian: Option<DMatrix<f64>>,
    /// How the iteration went: the angle that the leading subspace may be off, and its rounds.
    pub iteration: Option<(f64, usize)>,
}

/// Trajectories that are run, more where they are cheap.
pub fn trajectories(dim: usize) -> usize {
    match dim {
        0..=8 => 48,
        9..=WHOLE => 8,
        _ => 1,
    }
}

/// How leading pairs are found: their number, the angle at which the iteration stops, and its most rounds.
#[derive(Clone, Copy, Debug)]
pub struct Leading {
    /// k.
    pub pairs: usize,
    /// In radians.
    pub angle: f64,
    /// Rounds of one push and one pull.
    pub rounds: usize,
}

/// Runs the flow between two times from `D×n` starts, each with its tangent map.
///
/// *Errors*: of trajectories that leave the finite numbers.
pub fn run<N: Drift>(
    model: &Model<'_, N>,
    starts: &DMatrix<f64>,
    times: Vec<f64>,
    leading: Leading,
    stream: Stream,
) -> Result<Vec<Run>> {
    check_finite(starts)?;
    let sampler = Sampler::new(model.method, times);
    let refined = sampler.refined();
    (0..starts.ncols())
        .into_par_iter()
        .map(|i| {
            let start = starts.column(i).into_owned();
            let path = Trajectory::from(model.trained, &sampler, start.as_slice())?;
            let (end, states) = (path.end().clone(), path.states.clone());
            if model.dim() <= WHOLE {
                let jacobian = product(&path);
                let found = spectrum(&jacobian)?;
                let finer = product(&Trajectory::from(model.trained, &refined, start.as_slice())?);
                let finer = spectrum(&finer)?;
                let top = found.log_growth[0];
                let bars = found.log_growth.iter().zip(&finer.log_growth).map(|(g, f)| {
                    BY_STEPS * (g - f).abs() + ROUNDING * sampler.maps() as f64 * (top - g).exp()
                });
                let bars = bars.collect();
                return Ok(Run {
                    start,
                    end,
                    states,
                    spectrum: found,
                    bars,
                    jacobian: Some(jacobian),
                    iteration: None,
                });
            }
            let k = leading.pairs.min(model.dim());
            let pairs =
                top_pairs(&path, k, leading.angle, leading.rounds, stream.indexed(i as u64))?;
            let iteration = Some((pairs.angle_bound, pairs.sweeps));
            Ok(Run {
                start,
                end,
                states,
                spectrum: pairs.spectrum,
                bars: pairs.residuals,
                jacobian: None,
                iteration,
            })
        })
        .collect()
}

/// States the spectrum of some runs: means over trajectories, with the larger of the spread's and the runs' own bars.
pub fn state(runs: &[Run], facts: &mut Facts) {
    for i in 0..runs[0].spectrum.log_growth.len() {
        let values: Vec<f64> = runs.iter().map(|run| run.spectrum.log_growth[i]).collect();
        let own = runs.iter().map(|run| run.bars[i]).sum::<f64>() / runs.len() as f64;
        let mean = match values.len() {
            1 => Quantity::new(values[0], 0.0, Grade::Estimated),
            _ => Quantity::sampled_mean(&values, REPORTED),
        };
        facts.push("log_growth", mean.widened(own));
        facts.push("log_growth_bar", Quantity::new(own, 0.0, Grade::Estimated));
    }
    facts.set("trajectories", Quantity::exact(runs.len() as f64));
    if let Some((angle, _)) =
        runs.iter().filter_map(|run| run.iteration).reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
    {
        facts.set("pairs_angle_bound", Quantity::new(angle, 0.0, Grade::Estimated));
        let rounds =
            runs.iter().filter_map(|run| run.iteration).map(|run| run.1).max().unwrap_or(0);
        facts.set("pairs_rounds", Quantity::exact(rounds as f64));
    }
}

/// Whether some gap of the learned flow stands out of the null: Gaussian data of the same number, mean and covariance, each draw
/// with its own exact flow between the same noise levels.
///
/// Facts `gap`, `null_gap`, `gap_p_value`, `gap_index`, `null_draws`, `null_sigma_start`, `null_sigma_end`.
pub fn against_null<N: Drift>(
    model: &Model<'_, N>,
    set: &PointSet,
    of_data: Levels,
    stream: Stream,
    watch: Watch<'_>,
    facts: &mut Facts,
) -> Result<Option<usize>> {
    let (first, last) = model.sigmas();
    let levels = Levels { start: of_data.start.min(first), end: of_data.end.max(last) };
    facts.set("null_sigma_start", Quantity::exact(levels.start));
    facts.set("null_sigma_end", Quantity::exact(levels.end));
    // As `data` runs its trajectories: from noisy points of the data.
    let effort = Effort::of(set.dim());
    let (from, to) = (model.time_at_sigma(levels.start), model.time_at_sigma(levels.end));
    let (a, _) = model.trained.convention.levels.coefficients(from);
    let columns: Vec<DVector<f64>> = (0..effort.trajectories as u64)
        .map(|i| {
            let stream = stream.named("noisy").indexed(i);
            let chosen = set.points.column(set.drawn(stream.uniforms(1)[0])).into_owned();
            (chosen + DVector::from_vec(stream.normals(set.dim())) * levels.start) * a
        })
        .collect();
    let starts = DMatrix::from_columns(&columns);
    let (pairs, angle, rounds) = effort.leading;
    let leading = Leading { pairs, angle, rounds };
    let runs = run(
        model,
        &starts,
        uniform_times(from, to, effort.steps.max(model.steps / 2)),
        leading,
        stream,
    )?;
    let growths: Vec<&[f64]> = runs.iter().map(|run| run.spectrum.log_growth.as_slice()).collect();
    gap_of(&growths, set, levels, stream, watch, facts)
}

/// The spectrum within the space of states, where that is not R^D: `intrinsic_growth`, and `leaves_space`, how much tangent
/// vectors leave it.
pub fn intrinsic(space: Space, runs: &[Run], facts: &mut Facts) -> Result<()> {
    if space == Space::Flat {
        return Ok(());
    }
    let mut all = Vec::new();
    for run in runs {
        let Some(jacobian) = &run.jacobian else { return Ok(()) };
        all.push(space.intrinsic(jacobian, &run.start, &run.end)?);
    }
    for i in 0..all[0].0.len() {
        let values: Vec<f64> = all.iter().map(|found| found.0[i]).collect();
        facts.push("intrinsic_growth", Quantity::sampled_mean(&values, REPORTED));
    }
    let leaves: Vec<f64> = all.iter().map(|found| found.1).collect();
    facts.set("leaves_space", super::median(&leaves));
    Ok(())
}
