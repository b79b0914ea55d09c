//! Solvers and their steps: how far samples of exact fields end off the manifold.

use crate::drift::{Canonical, Denoiser, Drift, GaussianPath, Lanes, LearningError, Schedule};
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::model_class::{SIGMA_END, SIGMA_START, VARIANCE_PRESERVING};
use crate::experiments::shape::Shape;
use crate::experiments::words::{measured, short};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::{
    Maps, Method, Sampler, Scheme, StepWorkspace, StochasticSampler, geometric_times, uniform_times,
};
use crate::record::{Chapter, Relation};
use rayon::prelude::*;
use std::f64::consts::PI;

/// Samples for each point of the figure.
const SAMPLES: usize = 300;
/// Field evaluations that a sample may cost.
const EVALUATIONS: [usize; 7] = [4, 8, 16, 32, 64, 128, 256];

/// How the time of a run is divided.
#[derive(Clone, Copy, PartialEq)]
enum Grid {
    /// Equal steps of log σ in the canonical flow.
    LogSigma,
    /// Equal steps of the time of a schedule.
    Uniform(Schedule),
}

/// A sampler, with its field evaluations in a step.
#[derive(Clone, Copy, PartialEq)]
enum Solver {
    Flow(Method, usize),
    Ancestral,
}

const SOLVERS: [(&str, Solver); 4] = [
    ("Euler", Solver::Flow(Method::Euler, 1)),
    ("Heun", Solver::Flow(Method::Heun, 2)),
    ("RK4", Solver::Flow(Method::Rk4, 4)),
    ("ancestral (SDE)", Solver::Ancestral),
];

fn solve<V: Drift>(field: &V, method: Method, times: Vec<f64>, block: &mut [f64]) {
    let lanes = Lanes { trajectories: block.len() / field.dim(), tangents: 0 };
    let (sampler, mut work) = (Sampler::new(method, times), StepWorkspace::default());
    (0..sampler.maps()).for_each(|k| sampler.step(field, k, block, lanes, &mut work));
}

/// Samples y from states y at the first noise level.
fn run(
    setting: &Setting,
    denoiser: &Denoiser,
    grid: Grid,
    solver: Solver,
    steps: usize,
    starts: &[f64],
) -> Result<Vec<f64>> {
    let mut block = starts.to_vec();
    // Without a schedule the stochastic sampler has a = 1 and b = σ geometric in its time.
    let schedule = match grid {
        Grid::LogSigma => Schedule::Ve { sigma_min: SIGMA_END, sigma_max: SIGMA_START },
        Grid::Uniform(schedule) => schedule,
    };
    let ends = [SIGMA_START, SIGMA_END].map(|sigma| schedule.time_at_sigma(sigma));
    let times = uniform_times(ends[0], ends[1], steps);
    let signal = ends.map(|time| schedule.coefficients(time).0);
    match (solver, grid) {
        (Solver::Flow(method, _), Grid::LogSigma) => {
            let levels = geometric_times(SIGMA_START, SIGMA_END, steps);
            solve(&Canonical { denoiser }, method, levels, &mut block);
        }
        (Solver::Flow(method, _), Grid::Uniform(schedule)) => {
            block.iter_mut().for_each(|x| *x *= signal[0]);
            solve(&GaussianPath { schedule, denoiser }, method, times, &mut block);
            block.iter_mut().for_each(|x| *x /= signal[1]);
        }
        (Solver::Ancestral, _) => {
            let stream = setting.stream("model-classes").named("solver noise");
            let none = LearningError::constant(&[0.0; 2]);
            for (i, x) in block.chunks_exact_mut(2).enumerate() {
                let (noise, times) = (stream.indexed(i as u64), times.clone());
                let scheme = Scheme::Ancestral;
                let sampler =
                    StochasticSampler::new(schedule, scheme, times, denoiser, &none, noise)?;
                x.iter_mut().for_each(|x| *x *= signal[0]);
                (0..sampler.maps()).for_each(|k| sampler.map(k, 0.0, x));
                x.iter_mut().for_each(|x| *x /= signal[1]);
            }
        }
    }
    Ok(block)
}

/// The figure.
///
/// *Errors*: as [`Shape::spot`].
pub fn figure(setting: &Setting, shape: &Shape, chapter: &mut Chapter) -> Result<()> {
    let stream = setting.stream("model-classes").named("solvers");
    let data = shape.law.sample(SAMPLES, stream.named("data"))?;
    let noise = stream.named("noise").normals(data.len());
    let starts: Vec<f64> = data.iter().zip(noise).map(|(x, xi)| x + SIGMA_START * xi).collect();
    let grids = [
        ("equal steps of log σ", Grid::LogSigma),
        ("equal steps of time, VP", Grid::Uniform(VARIANCE_PRESERVING)),
        ("equal steps of time, flow matching", Grid::Uniform(Schedule::FlowMatching)),
    ];
    let fine = run(setting, &shape.denoiser, Grid::LogSigma, SOLVERS[2].1, 400, &starts)?;
    let exact = shape.thickness.hypot(SIGMA_END) * (2.0 / PI).sqrt();
    let (mut above, mut below, mut at_32) = (Vec::new(), Vec::new(), Vec::new());
    for (title, grid) in grids {
        let cost = Axis::log("evaluations of the field");
        let mut distance =
            Panel::new(title, cost.clone(), Axis::log("mean distance from the moons"));
        let mut miss = Panel::new(title, cost, Axis::log("median error of the end point"));
        for (n, (name, solver)) in SOLVERS.into_iter().enumerate() {
            let stages = match solver {
                Solver::Flow(_, stages) => stages,
                Solver::Ancestral => 1,
            };
            let costs: Vec<usize> =
                EVALUATIONS.into_iter().filter(|cost| *cost >= 2 * stages).collect();
            let ends: Vec<Vec<f64>> = costs
                .par_iter()
                .map(|cost| run(setting, &shape.denoiser, grid, solver, cost / stages, &starts))
                .collect::<Result<_>>()?;
            let (mut distances, mut misses) = (Vec::new(), Vec::new());
            for ends in &ends {
                distances.push(Quantity::sampled_mean(&shape.distances(ends)?, REPORTED));
                let apart = ends.chunks_exact(2).zip(fine.chunks_exact(2));
                let apart: Vec<f64> =
                    apart.map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).collect();
                misses.push(Quantity::sampled_median(&apart, REPORTED));
            }
            let x: Vec<f64> = costs.iter().map(|cost| *cost as f64).collect();
            if let Some(k) = costs.iter().position(|cost| *cost == 32) {
                at_32.push((title, name, distances[k]));
            }
            distance = distance.with(name, Ink::Series(n as u8), measured(x.clone(), &distances));
            if solver != Solver::Ancestral {
                miss = miss.with(name, Ink::Series(n as u8), measured(x, &misses));
            }
        }
        above.push(distance.with(
            "exact law",
            Ink::Guide,
            Mark::Rule { at: exact, vertical: false },
        ));
        below.push(miss);
    }
    above.extend(below);
    let said: Vec<String> = grids
        .iter()
        .map(|(title, _)| {
            let of = at_32.iter().filter(|found| found.0 == *title);
            let each: Vec<String> =
                of.map(|(_, name, q)| format!("{name} {}", short(q.value))).collect();
            format!("{title}: {}", each.join(", "))
        })
        .collect();
    let caption = format!(
        "Exact fields of two moons (thickness {}), inexact solvers: mean distance of {SAMPLES} samples from the moons against evaluations \
         of the field, with 95 % intervals (upper row), and median distance of the end point from that of RK4 with 400 steps of log σ (lower row; the \
         stochastic sampler has no such end point). With 32 evaluations the distances are: {}; the exact law has {}.",
        short(shape.thickness.hypot(SIGMA_END)),
        said.join("; "),
        short(exact),
    );
    let not_shown = "The distance of an inexact solver may also be less than the exact one: steps that overshoot towards the posterior mean make the \
                     law thinner. Equal distances do not mean equal laws.";
    let figure = Figure::new("solvers", "Solvers and steps", above);
    chapter.figures.push(figure.in_columns(3).says(caption, not_shown).within(2e-2));
    let farthest = at_32.iter().max_by(|a, b| a.2.value.total_cmp(&b.2.value));
    if let Some((title, name, worst)) = farthest {
        let leaves = worst.value - worst.bar > 1.2 * exact;
        chapter.find(
            if leaves { Relation::Sharpens } else { Relation::Agrees },
            "solvers",
            "Differences between model classes come from learned fields (T6.2 lists solver error among the causes).",
            format!(
                "With exact fields and 32 evaluations the mean distance from the moons is {} for {name} with {title}, beside {} of the exact law.",
                short(worst.value),
                short(exact)
            ),
        );
    }
    Ok(())
}
