//! What errors of each parametrisation do to the samples of a data set: how far off, and in which direction.

use super::displacement::{Displaced, Model};
use super::exponents::{gaussian_like, moments};
use super::noise::Levels;
use super::quantiles::quantile;
use super::tangents::{local_planes, size};
use super::{Watch, median};
use crate::drift::{Atoms, Denoiser, InVelocity, LearningError, Parametrisation, Schedule};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::geometric_times;
use crate::points::PointSet;
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
    let null = (0..draws)
        .into_par_iter()
        .filter(|_| !watch.stop.load(Ordering::Relaxed))
        .map(|draw| {
            let stream = stream.named("robustness null").indexed(draw as u64);
            let null =
                Problem::new(&gaussian_like(set, stream), levels, lowest, (dimension, neighbours))?;
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
            let parts: [(&str, fn(&Outcome) -> f64); 5] = [
                ("normal_over_tangent", |o| o.normal_over_tangent),
                ("normal_over_spacing", |o| o.normal),
                ("displacement_over_spacing", |o| o.size),
                ("nearest_over_spacing", |o| o.nearest),
                ("nearest_change_over_spacing", |o| o.change),
            ];
            for (part, value) in parts {
                let values = |run: &Outcomes| -> Vec<f64> {
                    run.iter().map(|at_levels| value(&at_levels[level][e])).collect()
                };
                facts.push(&format!("{part}_of_{name}"), median_with_bar(&values(&on_data)));
                let medians: Vec<f64> = null.iter().map(|run| median(values(run))).collect();
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

/// The median over trajectories, with the larger side of its 95 % interval as bar.
fn median_with_bar(values: &[f64]) -> Quantity {
    let estimate = quantile(values, 0.5, 1);
    Quantity::new(estimate.value, estimate.bar(), Grade::Sampled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use std::sync::atomic::AtomicBool;

    /// A lattice of step 1 in the plane of the first two of three coordinates, with three sites of 21.
    fn sheet() -> PointSet {
        let at = |i: usize| [(i % 21) as f64 - 10.0, (i / 21) as f64 - 10.0, 0.0];
        let points = DMatrix::from_iterator(3, 441, (0..441).flat_map(at));
        PointSet {
            name: "sheet".into(),
            rows: 441,
            points,
            log_weights: vec![-441.0_f64.ln(); 441],
            constant_columns: Vec::new(),
            normals: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_displacement_is_split_into_the_plane_and_off_it() {
        let plane = DMatrix::from_column_slice(3, 2, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let delta = DVector::from_vec(vec![3.0, 4.0, 12.0]);
        assert_eq!(split(&plane, delta.column(0)), (5.0, 12.0));
        // The normal in place of the plane swaps the parts.
        let normal = DMatrix::from_column_slice(3, 1, &[0.0, 0.0, 1.0]);
        assert_eq!(split(&normal, delta.column(0)), (12.0, 5.0));
    }

    #[test]
    fn off_a_flat_sheet_displacements_are_those_of_one_point() {
        // Normal to a flat sheet D is constant, so the closed form of one point holds for the normal part of
        // every trajectory: |δ_N| = |e_N| (1 − σ/σ_0) for the denoiser. Along the sheet, data of deviation 7.4
        // hold no displacement back before σ falls below it.
        let set = sheet();
        let levels = Levels { start: 8.56, end: 2.0 };
        let problem = Problem::new(&set, levels, 0.05, (2, 8)).unwrap();
        let unit = problem.unit(levels);
        assert!((unit - 8.56 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert!((problem.spacing - 1.0 / unit).abs() < 1e-12);
        let outcomes = problem.run(40, Stream::root(3)).unwrap();
        let ratio = 0.05 / 8.56;
        let normals: Vec<f64> = outcomes
            .iter()
            .map(|at_levels| at_levels[1][0].normal * problem.spacing / EPSILON / (1.0 - ratio))
            .collect();
        // |e_N| of a random direction of length √3 in R³ is uniform in [0, √3] (Archimedes): mean √3/2.
        let mean = normals.iter().sum::<f64>() / 40.0;
        assert!(normals.iter().all(|n| *n <= 3.0_f64.sqrt() + 1e-3), "{normals:?}");
        // Deviation of the mean of 40: √3/√12/√40 = 0.08.
        assert!((mean - 0.866).abs() < 0.32, "{mean}");
        // And the inexact flow ends off the sheet by ε times that, to first order and in full.
        for at_levels in &outcomes {
            let seen = at_levels[1][0];
            assert!(seen.nearest + 1e-9 >= seen.normal, "{} {}", seen.nearest, seen.normal);
        }
    }

    #[test]
    fn half_the_steps_change_less_than_the_bars() {
        let (set, levels) = (sheet(), Levels { start: 8.56, end: 2.0 });
        let coarse = Problem::new(&set, levels, 0.1, (2, 8)).unwrap();
        let mut fine = Problem::new(&set, levels, 0.1, (2, 8)).unwrap();
        let halves = |pair: &[f64]| [pair[0], (pair[0] * pair[1]).sqrt()];
        let last = fine.sigmas.last().copied();
        fine.sigmas = fine.sigmas.windows(2).flat_map(halves).chain(last).collect();
        fine.marks.iter_mut().for_each(|mark| *mark *= 2);
        let [one, other] = [coarse, fine].map(|problem| problem.run(12, Stream::root(4)).unwrap());
        for e in 0..8 {
            let middle = |run: &Outcomes| {
                let values: Vec<f64> = run.iter().map(|t| t[1][e].normal).collect();
                quantile(&values, 0.5, 1)
            };
            let (one, other) = (middle(&one), middle(&other));
            assert!((one.value - other.value).abs() < 0.1 * one.bar(), "{e}: {one:?} {other:?}");
        }
    }

    #[test]
    fn a_sheet_is_told_from_gaussian_data_and_late_errors_are_not_held_back() {
        let (stop, set) = (AtomicBool::new(false), sheet());
        let watch = Watch { stop: &stop, after_each: &|| () };
        let mut facts = Facts::new();
        facts.set("basin_sigma", Quantity::exact(0.5));
        let levels = Levels { start: 8.56, end: 2.0 };
        measure(&set, levels, 2, Stream::root(6), watch, &mut facts).unwrap();
        assert_eq!(facts.series("robust_sigma").len(), 2);
        let ratio = |name: &str| facts.series(&format!("normal_over_tangent_of_{name}"))[0].value;
        let normal = |name: &str| facts.series(&format!("normal_over_spacing_of_{name}"))[1].value;
        // σ log(σ_0/σ) and σ against 1: noise errors fade with the noise level, denoiser errors do not.
        for kind in ["constant", "fourier"] {
            let denoiser = normal(&format!("denoiser_{kind}"));
            for other in ["noise", "score", "velocity"] {
                assert!(normal(&format!("{other}_{kind}")) < 0.1 * denoiser, "{other} {kind}");
            }
        }
        assert!(ratio("denoiser_constant") > 0.0);
        // A run that was stopped states nothing.
        stop.store(true, Ordering::Relaxed);
        let mut facts = Facts::new();
        measure(&set, levels, 2, Stream::root(6), watch, &mut facts).unwrap();
        assert!(facts.series("robust_sigma").is_empty());
    }
}
