//! Gaussian paths to segments, and quadrature denoisers of arcs, for T6.8.

use super::Observation;
use super::picture::{STEPS, of_flow};
use super::resolved::Resolved;
use crate::drift::{
    Atoms, Channel, Denoise, Denoiser, Gaussian, GaussianPath, Moved, Product, Schedule, Segment,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Method, Sampler, geometric_times};
use crate::linalg::frame_from_normals;
use crate::manifold::{Arc, Chart, Law, Manifold};
use crate::random::{Knobs, Stream};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;
use std::f64::consts::PI;

/// Step of log σ on the coarser grid; Dormand–Prince then errs by about 1e-8.
const STEP: f64 = 0.12;

/// Up to this many flat directions the law is a product with a degenerate Gaussian, which costs D².
const MOST_FACTORED: usize = 8;

#[derive(Serialize)]
struct World {
    half_length: f64,
    /// 0 for the uniform law, else that many equally spaced points.
    points: usize,
    /// The segment lies in R^D, turned and shifted; D − 1 directions are flat.
    dim: usize,
    schedule: Schedule,
    sigma_start: f64,
    sigma_end: f64,
    /// The canonical state x/a at `sigma_start`, in coordinates where the segment is the first axis.
    start: Vec<f64>,
    /// Slope of the line followed, over the segment.
    slope: f64,
    arc: ArcProbe,
    /// Every step is cut into so many.
    #[serde(skip)]
    finer: usize,
}

impl World {
    /// A rotation whose first column is along the segment, and where the segment lies.
    fn axes(&self, stream: Stream) -> (DMatrix<f64>, DVector<f64>) {
        let dim = self.dim;
        let turn = frame_from_normals(dim, dim, &stream.named("turn").normals(dim * dim));
        (turn, DVector::from_vec(stream.named("shift").normals(dim)))
    }
}

/// One observation of an arc, or of two moons, through Gaussian noise.
#[derive(Serialize)]
struct ArcProbe {
    radius: f64,
    /// 0 for two moons.
    opening: f64,
    sigma: f64,
    nodes: usize,
}

/// The world, and the stream of its axes.
fn decode(knobs: &mut Knobs) -> (World, Stream) {
    let sampled = knobs.unit() > 0.88;
    let half_length = knobs.log_range(0.3, 3.0);
    let dim = match knobs.unit() {
        u if u < 0.97 => 1 + (u * 6.0) as usize,
        _ => 64,
    };
    let sigma_end = half_length * knobs.log_range(0.02, 0.5);
    let sigma_start = half_length * knobs.log_range(1.5, 30.0);
    let schedule = knobs.pick(&[
        Schedule::Ve { sigma_min: 0.5 * sigma_end, sigma_max: 2.0 * sigma_start },
        Schedule::FlowMatching,
        Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 },
        Schedule::Trigonometric,
        Schedule::VpCosine { offset: 0.008 },
        Schedule::SubVp { beta_min: 0.1, beta_max: 20.0 },
        Schedule::Edm { sigma_min: 0.5 * sigma_end, sigma_max: 2.0 * sigma_start, rho: 7 },
    ]);
    let points = if sampled { knobs.count(3, 8) } else { 0 };
    let slope = knobs.log_range(0.05, 5.0);
    let stream = knobs.stream("segment");
    let mut start = stream.named("noise").normals(dim);
    start.iter_mut().for_each(|x| *x *= sigma_start);
    start[0] += half_length * knobs.range(0.0, 1.0);
    let opening = if knobs.unit() < 0.3 { 0.0 } else { knobs.range(0.2, 1.9) * PI };
    let radius = knobs.log_range(0.3, 3.0);
    let sigma = radius * knobs.log_range(0.05, 0.5);
    // Nodes per σ of arc; too few of them in some worlds.
    let density = if knobs.unit() < 0.85 { knobs.range(2.0, 6.0) } else { 0.2 };
    let length = if opening > 0.0 { opening * radius } else { PI * radius };
    let nodes = ((density * length / sigma) as usize).max(2);
    let arc = ArcProbe { radius, opening, sigma, nodes };
    let finer = knobs.steps(1);
    let world = World {
        half_length,
        points,
        dim,
        schedule,
        sigma_start,
        sigma_end,
        start,
        slope,
        arc,
        finer,
    };
    (world, stream)
}

/// Orbits to the segment; None on the line.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let (world, stream) = decode(knobs);
    let (turn, shift) = world.axes(stream);
    let law: Denoiser = embedded(line(&world)?, &turn, shift.as_slice().to_vec())?.into();
    let flow = &GaussianPath { schedule: world.schedule, denoiser: &law };
    let levels = geometric_times(world.sigma_start, world.sigma_end, STEPS);
    let times: Vec<f64> = levels.iter().map(|s| world.schedule.time_at_sigma(*s)).collect();
    let [first, last] = [times[0], times[STEPS]].map(|t| world.schedule.coefficients(t).0);
    let start = (&turn * DVector::from_column_slice(&world.start) + &shift) * first;
    of_flow((flow, &Sampler::new(Method::Rk4, times)), start.as_slice(), (&law, last))
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let (world, stream) = decode(knobs);
    let mut facts = follow(&world, stream)?;
    probe(&world.arc, stream.named("arc"), &mut facts)?;
    let labels = if world.points > 0 {
        Labels::against("points of a segment")
    } else {
        Labels::of("segment")
    };
    Ok(Observation::new(&world, facts).labelled(labels.in_dimension(world.dim)))
}

/// The law on the line.
fn line(world: &World) -> Result<Denoiser> {
    let h = world.half_length;
    Ok(match world.points {
        0 => Segment::new(h)?.into(),
        n => {
            let place = |i: usize| h * ((2 * i + 1) as f64 / n as f64 - 1.0);
            Atoms::new(1, (0..n).map(place).collect(), None, 0.0)?.into()
        }
    })
}

/// The law of the line carried to R^D along the first column of `turn`.
fn embedded(line: Denoiser, turn: &DMatrix<f64>, shift: Vec<f64>) -> Result<Moved> {
    let flat = turn.ncols() - 1;
    if flat == 0 || flat > MOST_FACTORED {
        return Moved::new(line, turn.columns(0, 1).into_owned(), shift);
    }
    // Segment × point: the same law, built another way.
    let point = Gaussian::new(vec![0.0; flat], DMatrix::identity(flat, flat), vec![0.0; flat])?;
    Moved::new(Product::new(vec![line, point.into()])?.into(), turn.clone(), shift)
}

fn follow(world: &World, stream: Stream) -> Result<Facts> {
    let dim = world.dim;
    let line = line(world)?;
    let (turn, shift) = world.axes(stream);
    let law = embedded(line.clone(), &turn, shift.as_slice().to_vec())?;
    let flow = GaussianPath { schedule: world.schedule, denoiser: &law };

    let steps = ((world.sigma_start / world.sigma_end).ln() / STEP).ceil() as usize;
    let steps = steps + steps % 2;
    let sigmas = geometric_times(world.sigma_start, world.sigma_end, steps);
    let times: Vec<f64> = sigmas.iter().map(|s| world.schedule.time_at_sigma(*s)).collect();
    let sampler = Sampler::new(Method::DormandPrince, times).finer(world.finer);
    let steps = sampler.maps();
    let refined = sampler.refined();
    let coefficients = |k: usize| -> (f64, f64) { world.schedule.coefficients(sampler.times()[k]) };
    let canonical = &turn * DVector::from_column_slice(&world.start) + &shift;
    let start = canonical * coefficients(0).0;
    let orbit = Resolved::new(&flow, &sampler, &refined, start.as_slice())?;

    let mut facts = Facts::new();
    facts.set("points", Quantity::exact(world.points as f64));
    facts.set("half_length", Quantity::exact(world.half_length));
    for k in [0, steps / 2, steps] {
        let (a, b) = coefficients(k);
        let sigma = b / a;
        let (state, bar) = orbit.state(k);
        let bar = if k == 0 { 1e-14 * state.norm() } else { bar };
        let place = turn.column(0).dot(&(state / a - &shift));
        facts.push("sigma", Quantity::rounded(sigma, 4.0));
        facts.push("signal", Quantity::rounded(a, 4.0));
        facts.push("place", Quantity::new(place, bar / a, Grade::Estimated));
        let channel = Channel::canonical(sigma);
        let mut mean = [0.0];
        line.denoise(channel, &[place], &mut mean);
        let rounding = 1e-14 * (place.abs() + world.half_length) / (sigma * sigma);
        let score = (mean[0] - place) / (sigma * sigma);
        facts.push("score", Quantity::new(score, rounding, Grade::Symbolic));
        let log = line.log_density(channel, &[place]);
        facts.push("log_density", Quantity::new(log, 1e-13 * (1.0 + log.abs()), Grade::Symbolic));
    }

    // The segment and at most two flat directions.
    let frame = turn.columns(0, dim.min(3)).into_owned();
    let jacobian = orbit.jacobian_in(&frame);
    facts.set("segment_factor", jacobian.at(0, 0));
    for i in 1..frame.ncols() {
        facts.push("flat_factor", jacobian.at(i, i));
    }
    facts.set("leak", jacobian.leak());
    if dim > 1 {
        let (along, away) = (turn.columns(0, 1).into_owned(), turn.columns(1, 1).into_owned());
        facts.set("slope_start", Quantity::rounded(world.slope, 8.0));
        facts.set("slope_end", orbit.end_slope(&(&along + &away * world.slope), &along, &away)?);
    }
    Ok(facts)
}

/// The posterior mean by atoms at quadrature nodes, with the change at twice as many as bar.
fn probe(arc: &ArcProbe, stream: Stream, facts: &mut Facts) -> Result<()> {
    let (manifold, arcs) = match arc.opening > 0.0 {
        true => {
            let chart = Arc { radius: arc.radius, from: 0.3, to: 0.3 + arc.opening };
            let arcs = vec![0.0, 0.0, arc.radius, chart.from, chart.to];
            (Manifold::new(Chart::Arc(chart))?, arcs)
        }
        false => {
            let r = arc.radius;
            let arcs = vec![0.0, 0.0, r, 0.0, PI, r, 0.5 * r, r, PI, 2.0 * PI];
            (Manifold::moons(r)?, arcs)
        }
    };
    let law = Law::uniform(manifold);
    let point = law.sample(1, stream.named("point"))?;
    let noise = stream.named("noise").normals(2);
    let observed: Vec<f64> = (0..2).map(|i| point[i] + arc.sigma * noise[i]).collect();
    let mean = |nodes: usize| -> Result<Vec<f64>> {
        let (points, weights) = law.quadrature(nodes)?;
        let atoms = Atoms::quadrature(2, points.as_slice(), &weights, 0.0)?;
        let mut mean = vec![0.0; 2];
        atoms.denoise(Channel::canonical(arc.sigma), &observed, &mut mean);
        Ok(mean)
    };
    let (coarse, fine) = (mean(arc.nodes)?, mean(2 * arc.nodes)?);
    for i in 0..2 {
        // The finer rule errs too, by a small part of the change where nodes are closer than σ.
        let bar = 1.5 * (fine[i] - coarse[i]).abs() + 1e-12 * arc.radius;
        facts.push("arc_mean", Quantity::new(coarse[i], bar, Grade::Estimated));
        facts.push("arc_observed", Quantity::exact(observed[i]));
    }
    let length = arc.radius * if arc.opening > 0.0 { arc.opening } else { PI };
    facts.set("arc_sigma", Quantity::exact(arc.sigma));
    facts.set("arc_size", Quantity::exact(arc.radius));
    // Gauss–Legendre nodes are farthest apart in the middle, by π/2 times their mean spacing.
    facts.set("arc_spacing", Quantity::exact(0.5 * PI * length / arc.nodes as f64));
    facts.set_series("arcs", arcs.into_iter().map(Quantity::exact).collect());
    Ok(())
}
