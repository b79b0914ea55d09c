//! The flow against the stochastic sampler: a kick off the manifold is contracted by ρ and by ρ² (T6.3).

use crate::drift::{Canonical, Lanes};
use crate::error::Result;
use crate::experiments::Setting;
use crate::experiments::relation::{self, met};
use crate::experiments::shape::Shape;
use crate::experiments::words::{measured, short, with_bar};
use crate::facts::{Quantity, REPORTED};
use crate::figure::{Axis, Figure, Ink, Mark, Panel};
use crate::flow::{Method, Sampler, StepWorkspace, ancestral_step, geometric_times};
use crate::record::{Chapter, Relation};
use std::array;

/// Noise levels of the runs.
const FROM: f64 = 0.2;
const TO: f64 = 0.02;
/// Steps between them, and trajectories.
const STEPS: usize = 60;
const TRAJECTORIES: usize = 200;
/// Ratios of single steps.
const RATIOS: [f64; 7] = [0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92];

/// The two samplers, as legends say it.
const NAMES: [&str; 2] = ["ODE (DDIM)", "SDE (ancestral)"];

/// States with one tangent each, which starts normal to the manifold.
struct Kicked {
    block: Vec<f64>,
    lanes: Lanes,
}

impl Kicked {
    fn new(shape: &Shape, states: &[f64]) -> Result<Self> {
        let mut block = Vec::new();
        for y in states.chunks_exact(2) {
            let foot = shape.manifold.nearest(y)?;
            let tangent = shape.manifold.tangent_frame(&foot.place);
            block.extend_from_slice(y);
            block.extend([-tangent[1], tangent[0]]);
        }
        Ok(Self { block, lanes: Lanes { trajectories: states.len() / 2, tangents: 1 } })
    }

    /// |P_⊥ v| at the nearest point of each state that is interior, v the tangent.
    fn normal_parts(&self, shape: &Shape) -> Result<Vec<f64>> {
        let mut parts = Vec::new();
        for columns in self.block.chunks_exact(4) {
            let foot = shape.manifold.nearest(&columns[..2])?;
            if !foot.boundary {
                let tangent = shape.manifold.tangent_frame(&foot.place);
                parts.push((columns[3] * tangent[0] - columns[2] * tangent[1]).abs());
            }
        }
        Ok(parts)
    }
}

/// States of the law of two moons without thickness at a noise level.
fn states(shape: &Shape, sigma: f64, setting: &Setting) -> Result<Vec<f64>> {
    let stream = setting.stream("model-classes").named("contraction");
    let data = shape.law.sample(TRAJECTORIES, stream.named("data"))?;
    let noise = stream.named("noise").normals(data.len());
    Ok(data.iter().zip(noise).map(|(x, xi)| x + sigma * xi).collect())
}

/// Moves by one step of either sampler; noise of step k.
fn step(
    which: usize,
    shape: &Shape,
    (from, to): (f64, f64),
    kicked: &mut Kicked,
    noise: &[f64],
    work: &mut StepWorkspace,
) {
    match which {
        0 => {
            let sampler = Sampler::new(Method::Euler, vec![from, to]);
            let field = Canonical { denoiser: &shape.denoiser };
            sampler.step(&field, 0, &mut kicked.block, kicked.lanes, work);
        }
        _ => {
            ancestral_step(&shape.denoiser, from, to, noise, &mut kicked.block, kicked.lanes, work)
        }
    }
}

/// Medians of what is left of a unit kick, along a run and after one step of each ratio; for each sampler.
type Left = [(Vec<Quantity>, Vec<Quantity>); 2];

fn measure(setting: &Setting, shape: &Shape) -> Result<Left> {
    let stream = setting.stream("model-classes").named("contraction").named("path");
    let levels = geometric_times(FROM, TO, STEPS);
    let mut left: Left = array::from_fn(|_| (Vec::new(), Vec::new()));
    for (which, (run, single)) in left.iter_mut().enumerate() {
        let mut work = StepWorkspace::default();
        let start = states(shape, FROM, setting)?;
        let mut kicked = Kicked::new(shape, &start)?;
        for (k, pair) in levels.windows(2).enumerate() {
            let noise = stream.indexed(k as u64).normals(start.len());
            step(which, shape, (pair[0], pair[1]), &mut kicked, &noise, &mut work);
            run.push(Quantity::sampled_median(&kicked.normal_parts(shape)?, REPORTED));
        }
        let sigma = 0.05;
        let start = states(shape, sigma, setting)?;
        for ratio in RATIOS {
            let mut kicked = Kicked::new(shape, &start)?;
            // Without noise the Jacobian is the same, and the foot is that of the mean.
            let none = vec![0.0; start.len()];
            step(which, shape, (sigma, ratio * sigma), &mut kicked, &none, &mut work);
            single.push(Quantity::sampled_median(&kicked.normal_parts(shape)?, REPORTED));
        }
    }
    Ok(left)
}

/// The figure.
///
/// *Errors*: as [`Shape::spot`].
pub fn figure(setting: &Setting, chapter: &mut Chapter) -> Result<()> {
    let shape = Shape::thin_moons()?;
    let left = measure(setting, &shape)?;
    let levels: Vec<f64> = geometric_times(FROM, TO, STEPS).split_off(1);
    let mut run = Panel::new(
        "along a run",
        Axis::log("noise level σ (length)"),
        Axis::log("what is left of a unit kick"),
    );
    let mut single = Panel::new(
        "after one step",
        Axis::log("ratio ρ of the noise levels"),
        Axis::log("what is left of a unit kick"),
    );
    let inks = [Ink::Measured, Ink::Error];
    for (which, (along, once)) in left.iter().enumerate() {
        let power = which as i32 + 1;
        let every = (5..levels.len()).step_by(6);
        let (ink, name) = (inks[which], NAMES[which]);
        let predicted = levels.iter().map(|sigma| (sigma / FROM).powi(power)).collect();
        run = run
            .with("flat, T6.3: ρ and ρ²", Ink::Predicted, Mark::dashed(levels.clone(), predicted))
            .with(
                name,
                ink,
                measured(
                    every.clone().map(|k| levels[k]).collect(),
                    &every.map(|k| along[k]).collect::<Vec<_>>(),
                ),
            );
        let predicted = RATIOS.iter().map(|ratio| ratio.powi(power)).collect();
        single = single
            .with("flat, T6.3: ρ and ρ²", Ink::Predicted, Mark::dashed(RATIOS.to_vec(), predicted))
            .with(name, ink, measured(RATIOS.to_vec(), once));
    }
    // The slope of log(what is left) over log σ, from the ends of the second half.
    let slope = |which: usize| {
        let (half, last) = (STEPS / 2, STEPS - 1);
        let along = &left[which].0;
        // A share of a median is off by as much as its logarithm, in small.
        (along[last] / along[half]).ln() * (levels[last] / levels[half]).ln().recip()
    };
    let end = |which: usize| left[which].0[STEPS - 1];
    let caption = format!(
        "Two moons without thickness. A kick normal to them is carried by the Jacobians of both samplers along the same kind of path; what \
         is left of it normal to the moons, median of {TRAJECTORIES} trajectories with 95 % intervals. Left: from σ = {FROM} to {TO} the \
         flow leaves {} (ratio of the levels {}), the stochastic sampler {} (its square {}); exponents over the later half {} and {}. Right: one step \
         from σ = 0.05 by a ratio ρ.",
        with_bar(end(0)),
        short(TO / FROM),
        with_bar(end(1)),
        short((TO / FROM).powi(2)),
        with_bar(slope(0)),
        with_bar(slope(1)),
    );
    let not_shown = "Feet at the ends of the moons are left out. Contraction of a kick made early is not robustness: errors made late \
                     in the run pass unattenuated through either sampler (C8).";
    let figure = Figure::new(
        "contraction",
        "ODE against SDE: contraction, and its square",
        vec![run, single],
    );
    chapter.figures.push(figure.says(caption, not_shown).within(5e-3));
    chapter.find(
        contracts(slope(0), slope(1)),
        "contraction",
        "T6.3: normals contract by ρ in a step of the flow and by ρ² in an ancestral step.",
        format!(
            "On two moons the kick falls like σ to the power of {} (flow) and {} (stochastic sampler).",
            with_bar(slope(0)),
            with_bar(slope(1))
        ),
    );
    Ok(())
}

/// Whether the powers of σ are 1 and 2, up to a twentieth for curvature.
pub fn contracts(flow: Quantity, stochastic: Quantity) -> Relation {
    relation::all([met(flow, 1.0, 0.05), met(stochastic, 2.0, 0.1)])
}
