//! The exact fields of all Gaussian paths are one flow (T6.2): end points, end subspaces and gaps, to rounding.

use crate::drift::{
    Canonical, Drift, GaussianPath, InVelocity, Inexact, Lanes, LearningError, Pairs,
    Parametrisation, Schedule,
};
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::model_class::{SIGMA_END, SIGMA_START, VARIANCE_PRESERVING};
use crate::experiments::shape::Shape;
use crate::experiments::words::{short, with_bar};
use crate::facts::Quantity;
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::{Method, Sampler, StepWorkspace, geometric_times};
use crate::lyapunov::spectrum;
use crate::observe::limits::power;
use crate::record::{Chapter, Relation};
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Trajectories that are compared.
const TRAJECTORIES: usize = 16;
/// Steps of the comparison, each twice the one before.
const STEPS: [usize; 7] = [16, 32, 64, 128, 256, 512, 1024];
/// Steps of the flow that all are compared with.
const FINE: usize = 2048;
/// The coupling by transport is another flow however fine its steps.
const TRANSPORT_STEPS: usize = 128;
/// Size of the errors.
const EPSILON: f64 = 0.1;

/// The schedules that are compared.
pub const SCHEDULES: [(&str, Schedule); 5] = [
    ("VP", VARIANCE_PRESERVING),
    ("VE", Schedule::Ve { sigma_min: SIGMA_END, sigma_max: SIGMA_START }),
    ("VP, cosine", Schedule::VpCosine { offset: 0.008 }),
    ("flow matching", Schedule::FlowMatching),
    ("interpolant", Schedule::Trigonometric),
];

/// Where trajectories end, in units of the data, with what their Jacobians say.
pub struct Ends {
    /// `D×n`.
    pub points: Vec<f64>,
    /// The first end-point vector of each.
    pub top: Vec<Vec<f64>>,
    /// log σ_1/σ_2 of each.
    pub gaps: Vec<f64>,
}

/// Carries points y = x/a by RK4 between the two noise levels, equal steps of log σ, with their Jacobians.
///
/// *Errors*: as [`spectrum`].
pub fn carry<V: Drift>(
    field: &V,
    schedule: Option<Schedule>,
    steps: usize,
    points: &[f64],
) -> Result<Ends> {
    let d = field.dim();
    let levels = geometric_times(SIGMA_START, SIGMA_END, steps);
    let times = match schedule {
        Some(schedule) => levels.iter().map(|sigma| schedule.time_at_sigma(*sigma)).collect(),
        None => levels,
    };
    let signal = |time: f64| schedule.map_or(1.0, |schedule| schedule.coefficients(time).0);
    let (first, last) = (signal(times[0]), signal(times[steps]));
    let unit = DMatrix::<f64>::identity(d, d) * first;
    let columns = points.chunks_exact(d).flat_map(|y| {
        let state = y.iter().map(|y| first * y);
        state.chain(unit.iter().copied()).collect::<Vec<f64>>()
    });
    let mut block: Vec<f64> = columns.collect();
    let lanes = Lanes { trajectories: points.len() / d, tangents: d };
    let (sampler, mut work) = (Sampler::new(Method::Rk4, times), StepWorkspace::default());
    (0..steps).for_each(|k| sampler.step(field, k, &mut block, lanes, &mut work));
    block.iter_mut().for_each(|x| *x /= last);
    let mut ends = Ends { points: Vec::new(), top: Vec::new(), gaps: Vec::new() };
    for columns in block.chunks_exact(d * (1 + d)) {
        ends.points.extend_from_slice(&columns[..d]);
        let found = spectrum(&DMatrix::from_column_slice(d, d, &columns[d..]))?;
        ends.top.push(found.end_vectors.column(0).iter().copied().collect());
        ends.gaps.push(found.log_growth[0] - found.log_growth[1]);
    }
    Ok(ends)
}

impl Ends {
    /// The largest differences over the trajectories: of end points, of the angle between first vectors in radians, of gaps.
    pub fn differ(&self, other: &Self) -> [f64; 3] {
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        let d = self.points.len() / self.gaps.len().max(1);
        let apart = |(a, b): (&[f64], &[f64])| {
            a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        };
        let pairs = self.points.chunks_exact(d).zip(other.points.chunks_exact(d));
        // |u ∓ v| near 0 keeps its digits, where the cosine does not.
        let angle = |(u, v): (&Vec<f64>, &Vec<f64>)| {
            let turned: Vec<f64> = v.iter().map(|v| -v).collect();
            2.0 * (0.5 * apart((u, v)).min(apart((u, &turned)))).asin()
        };
        [
            most(&mut pairs.map(apart)),
            most(&mut self.top.iter().zip(&other.top).map(angle)),
            most(&mut self.gaps.iter().zip(&other.gaps).map(|(a, b)| (a - b).abs())),
        ]
    }
}

/// The same error in one prediction of every schedule: the ends with it.
fn with_error(
    shape: &Shape,
    schedule: Schedule,
    parametrisation: Parametrisation,
    steps: usize,
    points: &[f64],
) -> Result<Ends> {
    // A constant vector is the same function of x and of x/a.
    let constant = LearningError::constant(&[0.6, 0.8]);
    let exact = GaussianPath { schedule, denoiser: &shape.denoiser };
    let error = InVelocity { error: &constant, parametrisation, schedule };
    let inexact = Inexact { exact: &exact, error: &error, epsilon: EPSILON };
    carry(&inexact, Some(schedule), steps, points)
}

/// One figure: differences of the classes against steps.
///
/// *Errors*: as [`carry`].
pub fn figure(
    setting: &Setting,
    shape: &Shape,
    pairs: &Pairs,
    chapter: &mut Chapter,
) -> Result<()> {
    let stream = setting.stream("model-classes").named("conjugacy");
    let data = shape.law.sample(TRAJECTORIES, stream.named("data"))?;
    let noise = stream.named("noise").normals(data.len());
    let points: Vec<f64> = data.iter().zip(noise).map(|(x, xi)| x + SIGMA_START * xi).collect();
    let reference = carry(&Canonical { denoiser: &shape.denoiser }, None, FINE, &points)?;
    let kinds = [Parametrisation::Noise, Parametrisation::Denoiser, Parametrisation::Velocity];
    let references: Vec<Ends> = kinds
        .into_par_iter()
        .map(|kind| with_error(shape, VARIANCE_PRESERVING, kind, FINE, &points))
        .collect::<Result<_>>()?;
    let jobs: Vec<(usize, usize)> =
        (0..SCHEDULES.len()).flat_map(|n| STEPS.map(|steps| (n, steps))).collect();
    let found: Vec<[f64; 6]> = jobs
        .into_par_iter()
        .map(|(n, steps)| {
            let schedule = SCHEDULES[n].1;
            let path = GaussianPath { schedule, denoiser: &shape.denoiser };
            let exact = carry(&path, Some(schedule), steps, &points)?.differ(&reference);
            let mut all = [exact[0], exact[1], exact[2], 0.0, 0.0, 0.0];
            for ((kind, reference), out) in kinds.into_iter().zip(&references).zip(&mut all[3..]) {
                *out = with_error(shape, schedule, kind, steps, &points)?.differ(reference)[0];
            }
            Ok(all)
        })
        .collect::<Result<_>>()?;
    let transport = carry(pairs, Some(Schedule::FlowMatching), TRANSPORT_STEPS, &points)?;
    let transport = transport.differ(&reference);

    let titles = [
        "end points",
        "first end-point vectors",
        "gaps of exponents (log σ₁/σ₂)",
        "ends, equal error of the noise",
        "ends, equal error of the denoiser",
        "ends, equal error of the velocity",
    ];
    let units = ["length", "radians", "no unit", "length", "length", "length"];
    let steps: Vec<f64> = STEPS.iter().map(|steps| *steps as f64).collect();
    let mut panels = Vec::new();
    for (which, (title, unit)) in titles.into_iter().zip(units).enumerate() {
        let y = Axis::log(format!("largest difference ({unit})")).from_to(1e-15, 30.0);
        let mut panel = Panel::new(title, Axis::log("steps of RK4"), y);
        for (n, (name, _)) in SCHEDULES.iter().enumerate() {
            let at = |k: usize| found[n * STEPS.len() + k][which].max(1e-16);
            // Beside each other, for most of them are the same.
            let beside = 2.0_f64.powf(0.16 * (n as f64 - 2.0));
            let x = steps.iter().map(|steps| steps * beside).collect();
            let mark = Mark::points(x, (0..STEPS.len()).map(at).collect());
            panel = panel.with(name, Ink::Series(n as u8), mark);
        }
        if let Some(at) = transport.get(which) {
            panel = panel.with(
                "minibatch transport",
                Ink::Null,
                Mark::Rule { at: *at, vertical: false },
            );
        }
        panels.push(panel);
    }
    let finest = |which: usize| {
        let last = |n: usize| found[(n + 1) * STEPS.len() - 1][which];
        (0..SCHEDULES.len()).map(last).fold(0.0, f64::max)
    };
    let least_velocity = (1..SCHEDULES.len())
        .map(|n| found[(n + 1) * STEPS.len() - 1][5])
        .fold(f64::INFINITY, f64::min);
    let widths: Vec<f64> = steps.iter().map(|steps| steps.recip()).collect();
    let worst =
        |k: usize| (0..SCHEDULES.len()).map(|n| found[n * STEPS.len() + k][0]).fold(0.0, f64::max);
    let order = power(&widths, &(0..STEPS.len()).map(worst).collect::<Vec<_>>());
    let caption = format!(
        "Largest difference over {TRAJECTORIES} trajectories of two moons between each model class and the canonical flow (markers beside each other belong to \
         one number of steps; RK4, equal steps of log σ from {SIGMA_START} to {SIGMA_END}, canonical flow with {FINE} steps). Upper row, exact fields: \
         with {} steps all five schedules agree to {} in the end point, {} in the direction of the first end-point vector and {} in \
         the gap; the difference of the end points falls with the steps to the power −({}) (Runge–Kutta: −4). The flow of the minibatch transport \
         coupling differs by {}, {} and {}. Lower row, all with one constant error of size {EPSILON}, compared with the variance-preserving \
         model of {FINE} steps: equal errors of the noise prediction or of the denoiser leave differences of {} and {}; equal \
         errors of the velocity leave at least {}.",
        STEPS[STEPS.len() - 1],
        short(finest(0)),
        short(finest(1)),
        short(finest(2)),
        with_bar(order),
        short(transport[0]),
        short(transport[1]),
        short(transport[2]),
        short(finest(3)),
        short(finest(4)),
        short(least_velocity),
    );
    let not_shown = "No bars: these are differences of single computations, not of samples. Training is not shown: two networks trained \
                     on the two paths make different errors, which is all that can set the classes apart.";
    let figure = Figure::new("conjugacy", "Gaussian paths are one flow", panels);
    // Differences near rounding are not reproduced.
    chapter.figures.push(figure.in_columns(3).says(caption, not_shown).within(0.5));
    chapter.find(
        one_flow([finest(0), finest(1), finest(2)], order),
        "conjugacy",
        "T6.2: exact models on Gaussian paths have one flow; end subspaces and gaps of exponents are the same for all schedules.",
        format!(
            "Five schedules agree to {} (end points), {} rad (first vectors) and {} (gaps) with {} steps.",
            short(finest(0)),
            short(finest(1)),
            short(finest(2)),
            STEPS[STEPS.len() - 1]
        ),
    );
    chapter.find(
        claim_of_the_class(finest(3).max(finest(4)), least_velocity),
        "conjugacy",
        "Our reading of the paper (the abstract does not say it): the class of the model decides how robust its support is (T6.2, T6.4).",
        format!(
            "Flows of Gaussian paths with equal errors of the noise prediction or the denoiser give samples that differ by at most {}, with equal \
             errors of the velocity by at least {}.",
            short(finest(3).max(finest(4))),
            short(least_velocity)
        ),
    );
    Ok(())
}

/// A difference that is a solver's, and one that is not.
const SAME: f64 = 1e-5;
const OTHER: f64 = 1e-3;

/// Whether the differences of end points, vectors and gaps are those of a solver of order 4.
pub fn one_flow(finest: [f64; 3], order: Quantity) -> Relation {
    let worst = finest.into_iter().fold(0.0, f64::max);
    match finest.iter().sum::<f64>().is_finite() && order.value.is_finite() {
        false => Relation::Open,
        true if worst < SAME && order.value + order.bar > 3.5 => Relation::Agrees,
        true => Relation::Contradicts,
    }
}

/// Whether classes differ under equal errors: of the noise prediction and the denoiser (the larger), of the velocity (the least).
pub fn claim_of_the_class(noise_or_denoiser: f64, velocity: f64) -> Relation {
    match (noise_or_denoiser, velocity) {
        (noise, velocity) if noise > OTHER && velocity > OTHER => Relation::Agrees,
        (noise, velocity) if noise < SAME && velocity > OTHER => Relation::Sharpens,
        (noise, velocity) if noise < SAME && velocity < SAME => Relation::Contradicts,
        _ => Relation::Open,
    }
}
