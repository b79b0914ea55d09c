//! Finite-time exponents of the flow over a data set, and whether they show a gap.

use super::noise::Levels;
use super::{Watch, trajectories};
use crate::drift::{Atoms, Denoiser};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity, REPORTED};
use crate::flow::{Method, Sampler, Trajectory, geometric_times};
use crate::linalg::symmetric_eigen;
use crate::lyapunov::{Cocycle, Spectrum, spectrum, top_pairs};
use crate::points::PointSet;
use crate::random::Stream;
use crate::scenario::canonical;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use std::sync::atomic::Ordering;

/// Runge–Kutta steps between the two noise levels, equal in log σ.
pub const STEPS: usize = 24;

/// Draws of the null; a gap is reported only when it stands out more than that of every draw, so at
/// p = 1/(1 + draws). More draws where they are cheap.
pub fn null_draws(dim: usize) -> usize {
    match dim {
        0..=8 => 99,
        9..=128 => 49,
        _ => 19,
    }
}

/// Singular values closer than 10 % separate nothing, however significant their difference.
const LEAST_GAP: f64 = 0.095_310_179_804_324_87; // ln 1.1

/// Above this dimension the leading part of the spectrum stands for the whole.
const WHOLE_SPECTRUM: usize = 128;

/// How much is computed.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Trajectories, each from a noisy point.
    pub trajectories: usize,
    /// Runge–Kutta steps.
    pub steps: usize,
    /// Leading pairs where the whole spectrum is too large, and the angle and most sweeps of [`top_pairs`].
    pub leading: (usize, f64, usize),
}

impl Effort {
    /// What a check spends on data of this dimension.
    pub fn of(dim: usize) -> Self {
        Self { trajectories: trajectories(dim), steps: STEPS, leading: (24, 1e-2, 2) }
    }
}

/// One trajectory: where it ends, and its spectrum.
pub struct Run {
    /// The state it starts from.
    pub start: Vec<f64>,
    /// The state at the end.
    pub end: DVector<f64>,
    /// log singular values and vectors of the whole Jacobian.
    pub spectrum: Spectrum,
    /// Where only leading pairs are known: [`crate::lyapunov::TopPairs::angle_bound`].
    pub angle_bound: Option<f64>,
}

/// Runs the canonical flow from random noisy points.
pub fn run(
    set: &PointSet,
    denoiser: &Denoiser,
    levels: Levels,
    effort: Effort,
    stream: Stream,
) -> Result<Vec<Run>> {
    (0..effort.trajectories)
        .into_par_iter()
        .map(|i| {
            let stream = stream.named("starts").indexed(i as u64);
            let chosen = set.drawn(stream.uniforms(1)[0]);
            let noise = stream.named("noise").normals(set.dim());
            let start: Vec<f64> = set
                .points
                .column(chosen)
                .iter()
                .zip(noise)
                .map(|(x, n)| x + levels.start * n)
                .collect();
            let sampler = sampler(levels, effort.steps);
            let flow = canonical(denoiser);
            let trajectory = Trajectory::from(&flow, &sampler, &start)?;
            let (spectrum, angle_bound) = spectrum_of(&trajectory, effort.leading, stream)?;
            Ok(Run { start, end: trajectory.end().clone(), spectrum, angle_bound })
        })
        .collect()
}

/// The maps of the flow between the two noise levels.
pub fn sampler(levels: Levels, steps: usize) -> Sampler {
    Sampler::new(Method::Rk4, geometric_times(levels.start, levels.end, steps))
}

fn spectrum_of(
    cocycle: &impl Cocycle,
    (k, angle, sweeps): (usize, f64, usize),
    stream: Stream,
) -> Result<(Spectrum, Option<f64>)> {
    let d = cocycle.dim();
    if d <= WHOLE_SPECTRUM {
        return Ok((spectrum(&crate::lyapunov::product(cocycle))?, None));
    }
    let pairs = top_pairs(cocycle, k, angle, sweeps, stream.named("pairs"))?;
    Ok((pairs.spectrum, Some(pairs.angle_bound)))
}

/// Mean gaps log σ_i − log σ_{i+1} over the trajectories.
pub fn mean_gaps(runs: &[Run]) -> Vec<f64> {
    let growths: Vec<&[f64]> = runs.iter().map(|run| run.spectrum.log_growth.as_slice()).collect();
    mean_gaps_of(&growths)
}

/// The same of log singular values, a slice for each trajectory.
pub fn mean_gaps_of(growths: &[&[f64]]) -> Vec<f64> {
    (1..growths[0].len())
        .map(|i| {
            let gap = |growth: &&[f64]| growth[i - 1] - growth[i];
            growths.iter().map(gap).sum::<f64>() / growths.len() as f64
        })
        .collect()
}

/// States exponents and gaps, and decides whether some gap stands out of the null.
///
/// The null has no manifold: as many Gaussian points of the same mean and
/// covariance, put through the same denoiser, noise levels and number of
/// trajectories. Returns the index of the gap if [`GapTest`] finds it significant:
/// how many directions lie above it. A run that
/// was stopped before all draws were made states no p-value.
pub fn against_null(
    set: &PointSet,
    runs: &[Run],
    levels: Levels,
    stream: Stream,
    watch: Watch<'_>,
    facts: &mut Facts,
) -> Result<Option<usize>> {
    facts.set("trajectories", Quantity::exact(runs.len() as f64));
    if let Some(widest) = runs.iter().filter_map(|run| run.angle_bound).reduce(f64::max) {
        facts.set("pairs_angle_bound", Quantity::new(widest, 0.0, Grade::Estimated));
    }
    for i in 0..runs[0].spectrum.log_growth.len() {
        let values: Vec<f64> = runs.iter().map(|run| run.spectrum.log_growth[i]).collect();
        facts.push("log_growth", Quantity::sampled_mean(&values, REPORTED));
    }
    let growths: Vec<&[f64]> = runs.iter().map(|run| run.spectrum.log_growth.as_slice()).collect();
    gap_of(&growths, set, levels, stream, watch, facts)
}

/// [`against_null`] of log singular values, a slice for each trajectory, whatever flow they are of.
///
/// Facts: series `gap` and `null_gap`, `gap_p_value`, `gap_index`, `null_draws`.
pub fn gap_of(
    growths: &[&[f64]],
    set: &PointSet,
    levels: Levels,
    stream: Stream,
    watch: Watch<'_>,
    facts: &mut Facts,
) -> Result<Option<usize>> {
    let observed = mean_gaps_of(growths);
    let draws = null_draws(set.dim());
    facts.set("null_draws", Quantity::exact(draws as f64));
    let gaussian = GaussianLike::of(set);
    let null = (0..draws)
        .into_par_iter()
        .filter(|_| !watch.stop.load(Ordering::Relaxed))
        .map(|draw| {
            let stream = stream.named("null").indexed(draw as u64);
            let gaps = mean_gaps(&run_like(&gaussian, levels, Effort::of(set.dim()), stream)?);
            (watch.after_each)();
            Ok(gaps)
        })
        .collect::<Result<Vec<_>>>()?;
    if null.len() < draws {
        return Ok(None);
    }

    let test = GapTest::of(&observed, &null);
    for (i, gap) in observed.iter().enumerate() {
        let each: Vec<f64> = growths.iter().map(|growth| growth[i] - growth[i + 1]).collect();
        let draws: Vec<f64> = null.iter().map(|gaps| gaps[i]).collect();
        facts.push("gap", Quantity { value: *gap, ..Quantity::sampled_mean(&each, REPORTED) });
        facts.push("null_gap", Quantity::sampled_mean(&draws, REPORTED));
    }
    facts.set("gap_p_value", Quantity::new(test.p_value, 0.0, Grade::Sampled));
    if let Some(index) = test.index {
        facts.set("gap_index", Quantity::new(index as f64, 0.0, Grade::Sampled));
    }
    Ok(test.index)
}

/// Runs the canonical flow over one draw of the null.
pub fn run_like(
    null: &GaussianLike<'_>,
    levels: Levels,
    effort: Effort,
    stream: Stream,
) -> Result<Vec<Run>> {
    let set = null.draw(stream);
    let atoms = Atoms::new(set.dim(), set.points.as_slice().to_vec(), None, 0.0)?;
    run(&set, &atoms.into(), levels, effort, stream)
}

/// Whether some gap of a spectrum stands out of those of a null.
#[derive(Clone, Copy, Debug)]
pub struct GapTest {
    /// The rank of the data among the draws of the null.
    pub p_value: f64,
    /// How many directions lie above the gap, if it stands out more than that of every draw.
    pub index: Option<usize>,
}

impl GapTest {
    /// Tests mean gaps against those of draws of the null.
    ///
    /// Every gap is standardised by the null's mean and deviation at
    /// its index; the statistic is the largest (of gaps of 10 % and more), its p-value its rank among the
    /// draws of the null, each standardised by the others.
    pub fn of(observed: &[f64], null: &[Vec<f64>]) -> Self {
        let draws = null.len();
        // The largest standardised gap, and where: against draws other than `without`.
        let statistic = |gaps: &[f64], without: usize| -> (f64, usize) {
            (0..gaps.len())
                .filter(|i| gaps[*i] >= LEAST_GAP)
                .map(|i| {
                    let others: Vec<f64> =
                        (0..draws).filter(|j| *j != without).map(|j| null[j][i]).collect();
                    let (mean, deviation) = moments(&others);
                    ((gaps[i] - mean) / deviation.max(f64::MIN_POSITIVE), i + 1)
                })
                .fold(
                    (f64::NEG_INFINITY, 0),
                    |best, next| if next.0 > best.0 { next } else { best },
                )
        };
        let (largest, index) = statistic(observed, draws);
        let exceeding = (0..draws).filter(|j| statistic(&null[*j], *j).0 >= largest).count();
        let p_value = (1 + exceeding) as f64 / (1 + draws) as f64;
        Self { p_value, index: (exceeding == 0 && index > 0).then_some(index) }
    }
}

/// Gaussian points of the same number, mean and covariance as a set: factored once, drawn often.
pub struct GaussianLike<'a> {
    set: &'a PointSet,
    mean: DVector<f64>,
    axes: DMatrix<f64>,
    deviations: Vec<f64>,
}

impl<'a> GaussianLike<'a> {
    /// Factors the covariance.
    pub fn of(set: &'a PointSet) -> Self {
        let weights: Vec<f64> = set.log_weights.iter().map(|w| w.exp()).collect();
        let mean = &set.points * DVector::from_column_slice(&weights);
        let mut centred = set.points.clone();
        for (mut column, weight) in centred.column_iter_mut().zip(&weights) {
            column -= &mean;
            column *= weight.sqrt();
        }
        let (variances, axes) = symmetric_eigen(&(&centred * centred.transpose()));
        let deviations = variances.iter().map(|v| v.max(0.0).sqrt()).collect();
        Self { set, mean, axes, deviations }
    }

    /// One draw.
    pub fn draw(&self, stream: Stream) -> PointSet {
        let (dim, count) = self.set.points.shape();
        let mut noise = DMatrix::from_vec(dim, count, stream.named("points").normals(dim * count));
        for (mut row, deviation) in noise.row_iter_mut().zip(&self.deviations) {
            row *= *deviation;
        }
        let mut points = &self.axes * noise;
        points.column_iter_mut().for_each(|mut column| column += &self.mean);
        PointSet {
            points,
            log_weights: vec![-(count as f64).ln(); count],
            normals: None,
            ..self.set.clone()
        }
    }
}

/// Mean and standard deviation (n − 1).
pub fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (square / (n - 1.0).max(1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_of_a_sample_counts_one_less() {
        let (mean, deviation) = moments(&[1.0, 2.0, 3.0, 6.0]);
        assert_eq!((mean, deviation), (3.0, (14.0_f64 / 3.0).sqrt()));
    }
}
