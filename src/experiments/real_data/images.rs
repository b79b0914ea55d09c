//! Flows over sets of images: spectra, their null, and the vectors of most and of least growth.

use crate::drift::Denoiser;
use crate::error::Result;
use crate::experiments::plane_accuracy::exact_denoiser;
use crate::facts::Facts;
use crate::flow::{Method, Sampler, Trajectory, geometric_times};
use crate::lyapunov::top_pairs;
use crate::observe::data::exponents::{self, Effort, GapTest, GaussianLike, Run};
use crate::observe::data::noise::{self, Levels};
use crate::points::{PointSet, Scaling, Spacing};
use crate::random::Stream;
use crate::scenario::canonical;
use nalgebra::DMatrix;
use rayon::prelude::*;

/// What is run on a set of images.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What they show, for people.
    pub name: &'static str,
    /// The file.
    pub file: &'static str,
    /// Pixels in a row.
    pub side: usize,
    /// Trajectories over the data; the first of them are compared with the null.
    pub trajectories: usize,
    /// Trajectories over each draw of the null.
    pub of_null: usize,
    /// Draws of the null.
    pub draws: usize,
    /// Runge–Kutta steps.
    pub steps: usize,
    /// Leading pairs that are computed, where not all are.
    pub leading: usize,
    /// Vectors of least growth that are kept.
    pub bottom: usize,
}

impl Plan {
    /// Digits: all singular pairs are at hand.
    pub const DIGITS: Self = Self {
        name: "digits",
        file: "digits8x8_1797x64.npy",
        side: 8,
        trajectories: 12,
        of_null: 4,
        draws: 49,
        steps: 12,
        leading: 16,
        bottom: 3,
    };

    /// Clothing: leading pairs only.
    pub const CLOTHING: Self = Self {
        name: "clothing",
        file: "fashion_2000x28x28_u8.npy",
        side: 28,
        trajectories: 4,
        of_null: 1,
        draws: 19,
        steps: 12,
        leading: 16,
        bottom: 3,
    };
}

/// Angle below which leading pairs count as converged, and the most sweeps.
pub const CONVERGENCE: (f64, usize) = (1e-2, 8);

/// Flows over a set of images.
pub struct Images {
    /// What was run.
    pub plan: Plan,
    /// The images, the brightest grey level 1.
    pub set: PointSet,
    /// Distances between nearest neighbours.
    pub spacing: Spacing,
    /// Its exact denoiser.
    pub denoiser: Denoiser,
    /// Noise levels of the flow.
    pub levels: Levels,
    /// The trajectories.
    pub runs: Vec<Run>,
    /// Of each trajectory: end-point vectors of least growth as columns, the last first, and their log growth.
    pub bottom: Vec<(DMatrix<f64>, Vec<f64>)>,
    /// Mean log growth of each draw of the null, by index.
    pub null: Vec<Vec<f64>>,
    /// Whether a gap stands out.
    pub test: GapTest,
}

impl Images {
    /// Reads the set and runs all flows.
    ///
    /// *Errors*: as [`PointSet::named`]; [`crate::error::Error::Numeric`] when a flow leaves the finite numbers.
    pub fn measure(plan: &Plan, stream: Stream) -> Result<Self> {
        Self::of_set(PointSet::named(plan.file, Scaling::Unit)?, plan, stream)
    }

    /// [`Images::measure`] of other points.
    ///
    /// *Errors*: as there.
    pub fn of_set(set: PointSet, plan: &Plan, stream: Stream) -> Result<Self> {
        let levels = noise::levels(&set, stream.named("levels"), &mut Facts::new())?;
        let denoiser = exact_denoiser(&set)?;
        let (angle, sweeps) = CONVERGENCE;
        let effort = |trajectories| Effort {
            trajectories,
            steps: plan.steps,
            leading: (plan.leading, angle, sweeps),
        };
        let runs = exponents::run(&set, &denoiser, levels, effort(plan.trajectories), stream)?;
        let bottom = runs
            .par_iter()
            .enumerate()
            .map(|(i, run)| least(&denoiser, levels, plan, run, stream.indexed(i as u64)))
            .collect::<Result<_>>()?;
        let gaussian = GaussianLike::of(&set);
        let null = (0..plan.draws as u64)
            .into_par_iter()
            .map(|draw| {
                let stream = stream.named("null").indexed(draw);
                let runs = exponents::run_like(&gaussian, levels, effort(plan.of_null), stream)?;
                Ok(mean_growth(&runs))
            })
            .collect::<Result<Vec<_>>>()?;
        let null_gaps: Vec<Vec<f64>> = null.iter().map(|growth| gaps(growth)).collect();
        let test = GapTest::of(&exponents::mean_gaps(&runs[..plan.of_null]), &null_gaps);
        let spacing = set.spacing();
        Ok(Self { plan: *plan, set, spacing, denoiser, levels, runs, bottom, null, test })
    }

    /// What the test of the gap says, in words.
    pub fn verdict(&self) -> String {
        let Self { plan, test, .. } = self;
        let (p, draws) = (test.p_value, self.null.len());
        match test.index {
            Some(index) => format!(
                "{}: a gap after direction {index} stands out more than in every one of {draws} draws of the null \
                 (p = {p:.2})",
                plan.name
            ),
            None => format!(
                "{}: no gap stands out from {draws} draws of the null (p = {p:.2}), so no dimension is singled out",
                plan.name
            ),
        }
    }
}

/// Mean log growth over trajectories, by index.
pub fn mean_growth(runs: &[Run]) -> Vec<f64> {
    let count = runs[0].spectrum.log_growth.len();
    let mean = |i| runs.iter().map(|run| run.spectrum.log_growth[i]).sum::<f64>();
    (0..count).map(|i| mean(i) / runs.len() as f64).collect()
}

/// Differences of neighbours.
pub fn gaps(growth: &[f64]) -> Vec<f64> {
    growth.windows(2).map(|pair| pair[0] - pair[1]).collect()
}

/// End-point vectors of least growth: where only leading pairs are known, from those of the flow run back.
fn least(
    denoiser: &Denoiser,
    levels: Levels,
    plan: &Plan,
    run: &Run,
    stream: Stream,
) -> Result<(DMatrix<f64>, Vec<f64>)> {
    let (count, keep) = (run.spectrum.log_growth.len(), plan.bottom);
    if count == run.end.len() {
        let order: Vec<usize> = (0..keep).map(|i| count - 1 - i).collect();
        let growth = order.iter().map(|i| run.spectrum.log_growth[*i]).collect();
        return Ok((run.spectrum.end_vectors.select_columns(&order), growth));
    }
    // What grows most from the end to the start, starts in the directions that grew least.
    let up = Sampler::new(Method::Rk4, geometric_times(levels.end, levels.start, plan.steps));
    let flow = canonical(denoiser);
    let back = Trajectory::from(&flow, &up, run.end.as_slice())?;
    let (angle, sweeps) = CONVERGENCE;
    let pairs = top_pairs(&back, keep, angle, sweeps, stream.named("least"))?.spectrum;
    Ok((pairs.start_vectors, pairs.log_growth.iter().map(|growth| -growth).collect()))
}
