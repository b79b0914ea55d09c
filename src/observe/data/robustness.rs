//! What errors of each parametrisation do to the samples of a data set: how far off, and in which direction.

use super::Watch;
use super::displacement::{Displaced, Model};
use super::exponents::{GaussianLike, moments};
use super::noise::Levels;
use super::tangents::size;
use crate::drift::{Atoms, Denoiser, InVelocity, LearningError, Parametrisation, Schedule};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity, REPORTED};
use crate::flow::geometric_times;
use crate::points::{PointSet, local_planes};
use crate::random::Stream;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use std::sync::atomic::Ordering;

/// The schedule on which errors become errors of the velocity; its flow is that of any other (T6.2).
const SCHEDULE: Schedule = Schedule::FlowMatching;

/// Root mean square of an error in each coordinate of a prediction, where the data have deviation 1 (root mean
/// square over the coordinates) and so has the noise.
const EPSILON: f64 = 0.1;

/// Waves of a smooth random error field.
const WAVES: usize = 16;

/// Runge–Kutta steps for each factor e of the noise level.
const STEPS_PER_E: f64 = 8.0;

/// The lower of the two levels at which samples are looked at, over the level where a typical posterior sees
/// one point: there the exact flow returns the points themselves.
const LOWEST: f64 = 1.0 / 32.0;

/// What a model predicts, and the kind of its error: a random direction, the same everywhere, or a smooth
/// random field.
pub fn errors() -> impl Iterator<Item = (Parametrisation, &'static str, String)> {
    let models = [
        (Parametrisation::Denoiser, "denoiser"),
        (Parametrisation::Noise, "noise"),
        (Parametrisation::Score, "score"),
        (Parametrisation::Velocity, "velocity"),
    ];
    let kinds = ["constant", "fourier"];
    models.into_iter().flat_map(move |(parametrisation, model)| {
        kinds.map(|kind| (parametrisation, kind, format!("{model}_{kind}")))
    })
}

/// Trajectories on the data and on each draw of the null, and how many draws.
fn effort(dim: usize) -> (usize, usize, usize) {
    if dim <= 128 { (24, 12, 5) } else { (12, 6, 3) }
}

/// Sets of trajectories that are run.
pub fn flows(dim: usize) -> usize {
    1 + effort(dim).2
}

/// A data set in the units of its errors, with what displacements are compared to.
struct Problem {
    set: PointSet,
    denoiser: Denoiser,
    /// Median distance to the nearest other point.
    spacing: f64,
    dimension: usize,
    neighbours: usize,
    sigmas: Vec<f64>,
    marks: Vec<usize>,
}

/// Of one error on one trajectory at one level, in units of the spacing.
#[derive(Clone, Copy)]
struct Outcome {
    normal_over_tangent: f64,
    normal: f64,
    size: f64,
    nearest: f64,
    change: f64,
}

/// The name of a fact, and where an outcome has it.
type Measure = (&'static str, fn(&Outcome) -> f64);

/// What is stated of every error.
const MEASURES: [Measure; 5] = [
    ("normal_over_tangent", |o| o.normal_over_tangent),
    ("normal_over_spacing", |o| o.normal),
    ("displacement_over_spacing", |o| o.size),
    ("nearest_over_spacing", |o| o.nearest),
    ("nearest_change_over_spacing", |o| o.change),
];

/// Measures how errors of equal size in each parametrisation displace samples, beside the same on Gaussian data.
///
/// Facts are told in [`super::observe`].
pub fn measure(
    set: &PointSet,
    levels: Levels,
    dimension: usize,
    stream: Stream,
    watch: Watch<'_>,
    facts: &mut Facts,
) -> Result<()> {
    let Some(neighbours) = size(dimension, set.len()) else { return Ok(()) };
    let (trajectories, of_null, draws) = effort(set.dim());
    let basin = facts.get("basin_sigma").value;
    // NaN when no basin was found.
    let lowest = LOWEST * basin.min(levels.end);
    let problem = Problem::new(set, levels, lowest, (dimension, neighbours))?;
    let on_data = problem.run(trajectories, stream.named("robustness"))?;
    (watch.after_each)();
    let gaussian = GaussianLike::of(set);
    let null = (0..draws)
        .into_par_iter()
        .filter(|_| !watch.stop.load(Ordering::Relaxed))
        .map(|draw| {
            let stream = stream.named("robustness null").indexed(draw as u64);
            let null =
                Problem::new(&gaussian.draw(stream), levels, lowest, (dimension, neighbours))?;
            let outcomes = null.run(of_null, stream)?;
            (watch.after_each)();
            Ok(outcomes)
        })
        .collect::<Result<Vec<_>>>()?;
    if null.len() < draws {
        return Ok(());
    }
    let unit = problem.unit(levels);
    facts.set("robust_epsilon", Quantity::exact(EPSILON));
    facts.set("robust_unit", Quantity::rounded(unit, set.dim() as f64));
    facts.set("robust_dimension", Quantity::exact(dimension as f64));
    facts.set("robust_ambient", Quantity::exact(set.dim() as f64));
    facts.set("robust_neighbours", Quantity::exact(neighbours as f64));
    facts.set("robust_trajectories", Quantity::exact(trajectories as f64));
    facts.set("robust_null_draws", Quantity::exact(draws as f64));
    facts.set("robust_null_trajectories", Quantity::exact(of_null as f64));
    for (level, mark) in problem.marks.iter().enumerate() {
        facts.push("robust_sigma", Quantity::exact(unit * problem.sigmas[*mark]));
        for (e, (_, _, name)) in errors().enumerate() {
            for (part, value) in MEASURES {
                let values = |run: &Outcomes| -> Vec<f64> {
                    run.iter().map(|at_levels| value(&at_levels[level][e])).collect()
                };
                facts.push(
                    &format!("{part}_of_{name}"),
                    Quantity::sampled_median(&values(&on_data), REPORTED),
                );
                let medians: Vec<f64> = null
                    .iter()
                    .map(|run| Quantity::sampled_median(&values(run), REPORTED).value)
                    .collect();
                let (mean, deviation) = moments(&medians);
                let of_null = Quantity::new(mean, 2.0 * deviation, Grade::Sampled);
                facts.push(&format!("null_{part}_of_{name}"), of_null);
            }
        }
    }
    Ok(())
}

/// For each trajectory and level, one outcome for each error.
type Outcomes = Vec<Vec<Vec<Outcome>>>;

impl Problem {
    fn new(
        set: &PointSet,
        levels: Levels,
        lowest: f64,
        (dimension, neighbours): (usize, usize),
    ) -> Result<Self> {
        let weights: Vec<f64> = set.log_weights.iter().map(|w| w.exp()).collect();
        let mean = &set.points * DVector::from_column_slice(&weights);
        let unit = levels.start / (set.dim() as f64).sqrt();
        let mut set = set.clone();
        for mut point in set.points.column_iter_mut() {
            point -= &mean;
            point /= unit;
        }
        let points = set.points.as_slice().to_vec();
        let denoiser = Atoms::new(set.dim(), points, Some(set.log_weights.clone()), 0.0)?.into();
        let steps = |from: f64, to: f64| ((from / to).ln() * STEPS_PER_E).ceil() as usize;
        let (first, second) = (steps(levels.start, levels.end), steps(levels.end, lowest));
        let mut sigmas = geometric_times(levels.start / unit, levels.end / unit, first);
        sigmas.extend(&geometric_times(levels.end / unit, lowest / unit, second)[1..]);
        let (spacing, marks) = (set.spacing().median, vec![first, first + second]);
        Ok(Self { set, denoiser, spacing, dimension, neighbours, sigmas, marks })
    }

    /// The length in the file that is 1 here.
    fn unit(&self, levels: Levels) -> f64 {
        levels.start / self.sigmas[0]
    }

    fn run(&self, trajectories: usize, stream: Stream) -> Result<Outcomes> {
        (0..trajectories as u64)
            .into_par_iter()
            .map(|i| self.trajectory(stream.named("trajectories").indexed(i)))
            .collect()
    }

    fn trajectory(&self, stream: Stream) -> Result<Vec<Vec<Outcome>>> {
        let dim = self.set.dim();
        let chosen = self.set.drawn(stream.uniforms(1)[0]);
        let noise = stream.named("noise").normals(dim);
        let point = self.set.points.column(chosen);
        let start: Vec<f64> =
            point.iter().zip(noise).map(|(x, n)| x + self.sigmas[0] * n).collect();
        // Root mean square 1 in each coordinate, on average over space for the field.
        let length = (dim as f64).sqrt();
        let direction =
            DVector::from_vec(stream.named("direction").normals(dim)).normalize() * length;
        let constant = LearningError::constant(direction.as_slice());
        let field = LearningError::fourier(dim, WAVES, length, length, stream.named("field"));
        let forced = errors().map(|(parametrisation, kind, _)| InVelocity {
            error: if kind == "constant" { &constant } else { &field },
            parametrisation,
            schedule: SCHEDULE,
        });
        let forced: Vec<InVelocity<'_, LearningError>> = forced.collect();
        let model = Model {
            denoiser: &self.denoiser,
            schedule: SCHEDULE,
            sigmas: self.sigmas.clone(),
            marks: self.marks.clone(),
        };
        let seen = model.run(&start, &forced, EPSILON)?;
        seen.iter().map(|displaced| self.outcomes(displaced)).collect()
    }

    fn outcomes(&self, seen: &Displaced) -> Result<Vec<Outcome>> {
        let planes = local_planes(&self.set, &seen.state, &[self.neighbours], self.dimension)?;
        let nearest = self.nearest(&seen.state);
        let outcome = |(displacement, inexact): (nalgebra::DVectorView<'_, f64>, &DVector<f64>)| {
            let (tangent, normal) = split(&planes[0], displacement);
            let away = self.nearest(inexact);
            Outcome {
                normal_over_tangent: normal / tangent,
                normal: EPSILON * normal / self.spacing,
                size: EPSILON * normal.hypot(tangent) / self.spacing,
                nearest: away / self.spacing,
                change: (away - nearest) / self.spacing,
            }
        };
        Ok(seen.displacements.column_iter().zip(&seen.inexact).map(outcome).collect())
    }

    fn nearest(&self, at: &DVector<f64>) -> f64 {
        let distances = self.set.points.column_iter().map(|x| (x - at).norm());
        distances.fold(f64::INFINITY, f64::min)
    }
}

/// Lengths of the parts of a displacement in a plane and orthogonal to it.
fn split(plane: &DMatrix<f64>, displacement: nalgebra::DVectorView<'_, f64>) -> (f64, f64) {
    let inside = plane * plane.tr_mul(&displacement);
    (inside.norm(), (displacement - inside).norm())
}

#[cfg(test)]
mod tests;
