//! The response of models with an error, by maps and by equations, for T1.3.

use super::Observation;
use super::inexact_models::{Choice, Kind, Model};
use super::picture::{ORBITS, of_model};
use crate::drift::Drift;
use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Maps, Method, Orbit, Sampler, geometric_times};
use crate::linalg::{inverse, singular_values};
use crate::lyapunov::Cocycle;
use crate::random::{Knobs, Stream};
use crate::response::{
    Lagrangian, LagrangianState, LogDensity, along_maps, divergence_by_volume, log_density_slope,
};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Steps of the equations on the coarse grid.
const STEPS: usize = 20;

/// Nodes of the trapezoidal rule on the line; every second and every third make coarser rules.
const NODES: usize = 192;

/// Nodes resolve 1/dF, which has poles off the line, where dF changes from one to the next by less than this factor.
const STEEPEST: f64 = 2.0;

/// Half the length of the rule, in deviations of the noise and in units of the signal.
const REACH: (f64, f64) = (9.0, 7.0);

/// Rounding of sums over some ten steps, relative to the size of the terms.
const ROUNDING: f64 = 1e-12;

/// A difference of two resolutions can vanish by accident: this share of all that it changed on its way is added.
const FLOOR: f64 = 1.0 / 8.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Look {
    /// One orbit of the maps.
    Maps,
    /// Equations (i)–(iv) along one trajectory, on three grids.
    Equations,
    /// The mean of g over a law on the line.
    Line,
}

#[derive(Serialize)]
struct World {
    look: Look,
    model: Model,
    /// The start law is that of another time, wider by this factor.
    widened: f64,
    #[serde(skip)]
    stream: Stream,
    /// Every step of the equations is cut into so many.
    #[serde(skip)]
    finer: usize,
}

impl World {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let look = knobs.pick(&[Look::Maps, Look::Maps, Look::Maps, Look::Equations, Look::Line]);
        let other = knobs.unit() > 0.8;
        let size = knobs.unit();
        let flows = [Kind::Flow, Kind::Canonical];
        let all = [Kind::Flow, Kind::Waves, Kind::Canonical, Kind::EulerMaruyama, Kind::Ancestral];
        let (kinds, dims): (&[Kind], &[usize]) = match look {
            Look::Maps => (&all, &[2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 8]),
            Look::Equations => (&flows, &[2, 2, 2, 2, 3, 3, 4]),
            Look::Line => (&all, &[1]),
        };
        // One world in fifty at D = 16.
        let dims = if look == Look::Maps && size > 0.97 { &[16] } else { dims };
        let (most_maps, smooth) = if look == Look::Line { (4, true) } else { (10, false) };
        let choice = Choice { kinds, dims, most_maps, invertible: true, smooth };
        let model = Model::decode(knobs, &choice)?;
        // Maps carry any start law; the equations are compared with the law of the path.
        let widened = if look == Look::Equations && other { 1.5 } else { 1.0 };
        let stream = knobs.stream("world");
        let finer = if look == Look::Equations { knobs.steps(1) } else { 1 };
        Ok(Self { look, model, widened, stream, finer })
    }
}

pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs)?;
    let maps = world.model.maps(world.stream.named("noise"))?;
    let stream = world.stream.named("start");
    let others = (1..ORBITS).map(|nth| world.model.start(stream.indexed(nth as u64)));
    let starts: Vec<_> = std::iter::once(world.model.start(stream)).chain(others).collect();
    of_model(&world.model, &maps, &starts)
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let mut facts = Facts::new();
    facts.set("start_widened", Quantity::exact(world.widened));
    match world.look {
        Look::Maps => maps(&world, &mut facts)?,
        Look::Equations => equations(&world, &mut facts)?,
        Look::Line => line(&world, &mut facts)?,
    }
    let labels = match world.widened == 1.0 {
        true => world.model.labels(),
        false => Labels::against("another start law"),
    };
    Ok(Observation::new(&world, facts).labelled(labels))
}

fn maps(world: &World, facts: &mut Facts) -> Result<()> {
    let model = &world.model;
    let maps = model.maps(world.stream.named("noise"))?;
    let source = model.law(model.times[0]);
    let start = model.start(world.stream.named("start"));
    let response = along_maps(&maps, &source, &start)?;
    let last = maps.maps();
    let values = singular_values(&response.jacobian)?;
    facts.set("condition", Quantity::exact(values[0] / values[values.len() - 1]));
    facts.set("dim", Quantity::exact(start.len() as f64));

    let exact = |values: &[f64]| values.iter().map(|v| Quantity::exact(*v)).collect();
    let loss = model.split_loss(&response.states);
    let rounding: Vec<f64> = response.rounding.iter().map(|bar| bar * loss).collect();
    facts.set_series("rounding", exact(&rounding));
    // The terms share their relative rounding.
    let pairs = response.delta.iter().zip(&response.score);
    let products = pairs.map(|(delta, score)| delta.norm() * score.norm());
    let sizes = products.chain(response.divergence.iter().map(|d| d.abs()));
    let relative = rounding[last] / sizes.fold(1.0, f64::max);
    let term = |value: f64, size: f64| Quantity::new(value, relative * size, Grade::Estimated);
    let rows = |rows: &[DVector<f64>]| -> Vec<Quantity> {
        let entries = |row: &DVector<f64>| {
            let size = row.norm();
            row.iter().map(|v| term(*v, size)).collect::<Vec<_>>()
        };
        rows.iter().flat_map(entries).collect()
    };
    facts.set_series("delta", rows(&response.delta));
    facts.set_series("score", rows(&response.score));
    facts.set_series("error", rows(&response.error));
    let divergences = response.divergence.iter().map(|d| term(*d, d.abs()));
    facts.set_series("divergence", divergences.collect());
    // The Jacobians once more, from the orbit.
    let orbit = Orbit::from(&maps, 0.0, &start)?;
    let mut carried = response.score[0].clone();
    let mut carried_score = vec![carried.clone()];
    for (k, slope) in response.error_slope.iter().enumerate() {
        let jacobian = orbit.push(k, &DMatrix::identity(start.len(), start.len()));
        let back = inverse(&jacobian)?;
        let product = slope * &back;
        facts.push("trace", term(product.trace(), product.norm()));
        facts.push("trace_before", term(slope.trace(), slope.norm()));
        carried = back.tr_mul(&carried);
        carried_score.push(carried.clone());
    }
    facts.set_series("carried_score", rows(&carried_score));
    let estimated = |value: f64| Quantity::new(value, rounding[last], Grade::Estimated);
    facts.set("slope_at_fixed_point", estimated(log_density_slope(&maps, &source, &response)?));
    facts.set("divergence_by_volume", estimated(divergence_by_volume(&maps, &start)?));
    Ok(())
}

/// Grids of the equations, each with twice the steps of the one before.
const GRIDS: usize = 3;

/// The equations on one grid: the states at the coarse times, and the div δ of the maps by volumes.
struct Solution {
    states: Vec<Vec<f64>>,
    by_volume: f64,
}

impl Solution {
    fn of(model: &Model, sampler: &Sampler, every: usize, start: &[f64]) -> Result<Self> {
        let field = Lagrangian { drift: model, error: &model.error };
        let mut x = start.to_vec();
        let mut states = vec![x.clone()];
        for k in 0..sampler.maps() {
            sampler.map(&field, k, &mut x);
            if (k + 1) % every == 0 {
                states.push(x.clone());
            }
        }
        if !x.iter().all(|v| v.is_finite()) {
            return Err(Error::numeric("equations of the response", "their end is not finite"));
        }
        let by_volume = divergence_by_volume(&model.maps_of(sampler), &start[..model.dim()])?;
        Ok(Self { states, by_volume })
    }

    fn end(&self) -> &[f64] {
        &self.states[self.states.len() - 1]
    }
}

fn equations(world: &World, facts: &mut Facts) -> Result<()> {
    let model = &world.model;
    let (from, to) = (model.times[0], model.times[model.times.len() - 1]);
    let times = match model.kind {
        Kind::Canonical => geometric_times(from, to, STEPS),
        // Even steps of log σ resolve every schedule; from pure noise, of the time.
        _ if from == 0.0 => crate::flow::uniform_times(from, to, 2 * STEPS),
        _ => {
            let (schedule, n) = (&model.schedule, STEPS);
            let levels = geometric_times(schedule.sigma(from), schedule.sigma(to), n);
            levels.iter().map(|s| schedule.time_at_sigma(*s)).collect()
        }
    };
    let coarse = Sampler::new(Method::Rk4, times).finer(world.finer);
    let mut channel = model.channel(from);
    channel.noise_variance *= world.widened * world.widened;
    let source = crate::response::NoisyLaw { denoiser: model.denoiser(), channel };
    let state = model.start(world.stream.named("start"));
    let start = LagrangianState::start(&state, &source.score(&state), source.log_density(&state));
    let grids: Vec<Sampler> = (0..GRIDS).map(|k| coarse.clone().finer(1 << k)).collect();
    let solve = |(k, sampler): (usize, &Sampler)| Solution::of(model, sampler, 1 << k, &start);
    let solutions: Vec<Solution> = grids.iter().enumerate().map(solve).collect::<Result<_>>()?;
    let [coarsest, coarse, fine] = &solutions[..] else { unreachable!("as many as grids") };

    // Entry by entry: the difference at the end, and a share of all that it changed on the way. Two grids may agree by accident
    // where steps are stiff: a share of the difference from the third.
    let entry = |i: usize| {
        let differences: Vec<f64> =
            coarse.states.iter().zip(&fine.states).map(|(c, f)| c[i] - f[i]).collect();
        let drifted: f64 = differences.windows(2).map(|w| (w[1] - w[0]).abs()).sum();
        let size = fine.states.iter().map(|f| f[i].abs()).fold(1.0, f64::max);
        let last = differences[differences.len() - 1].abs();
        let before = FLOOR * (coarsest.end()[i] - coarse.end()[i]).abs();
        let bar = last + before + FLOOR * drifted + ROUNDING * size;
        Quantity::new(fine.end()[i], bar, Grade::Estimated)
    };
    let dim = model.dim();
    let entries = |range: std::ops::Range<usize>| -> Vec<Quantity> { range.map(entry).collect() };
    let state = entries(0..dim);
    facts.set_series("flow_delta", entries(dim..2 * dim));
    facts.set_series("flow_score", entries(2 * dim..3 * dim));
    for (name, i) in [("divergence", 0), ("inner", 1), ("response", 2), ("log_density", 3)] {
        facts.set(&format!("flow_{name}"), entry(3 * dim + i));
    }
    // div δ of the maps by volumes, on both grids.
    let spread = (fine.by_volume - coarse.by_volume).abs() + entry(3 * dim).bar;
    let by_volume = Quantity::new(fine.by_volume, spread, Grade::Estimated);
    facts.set("flow_divergence_by_volume", by_volume);
    // The law of the path at the end, its bars by the slope along those of the state.
    let law = model.law(to);
    let at = &fine.end()[..dim];
    let score = law.score(at);
    let reach = state.iter().map(|x| x.bar * x.bar).sum::<f64>().sqrt();
    let beyond: Vec<f64> = at.iter().zip(&state).map(|(x, q)| x + q.bar).collect();
    let bend = (law.score(&beyond) - &score).norm() * (dim as f64).sqrt();
    let size = score.norm();
    let rounded = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
    let scores = score.iter().map(|s| rounded(*s, 2.0 * bend + ROUNDING * (1.0 + size)));
    facts.set_series("path_score", scores.collect());
    let log_density = law.log_density(at);
    let bar = 2.0 * size * reach + ROUNDING * (1.0 + log_density.abs());
    facts.set("path_log_density", rounded(log_density, bar));
    Ok(())
}

fn line(world: &World, facts: &mut Facts) -> Result<()> {
    let model = &world.model;
    let maps = model.maps(world.stream.named("noise"))?;
    let channel = model.channel(model.times[0]);
    let source = model.law(model.times[0]);
    let last = maps.maps();
    let half = REACH.0 * channel.noise_variance.sqrt() + REACH.1 * channel.signal;
    let (mut rounding, mut least, mut most) = (0.0_f64, f64::INFINITY, f64::NEG_INFINITY);
    let (mut sums, mut before, mut steepest) = ([[0.0; 5]; 6], None, 1.0_f64);
    for node in 0..NODES {
        let x = half * (2.0 * node as f64 / NODES as f64 - 1.0);
        let weight = source.log_density(&[x]).exp();
        // Nodes without weight may lie where the maps overflow.
        if weight < 1e-18 {
            continue;
        }
        let response = along_maps(&maps, &source, &[x])?;
        let slope = response.jacobian[(0, 0)];
        (least, most) = (least.min(slope), most.max(slope));
        let change = slope.abs() / before.replace(slope.abs()).unwrap_or(slope.abs());
        steepest = steepest.max(change).max(change.recip());
        rounding = rounding.max(response.rounding[last]);
        let divergence = response.divergence[last];
        let (g, other) = (response.from_error[last], response.from_divergence[last]);
        let terms = [1.0, g, g.abs(), divergence, -other - divergence];
        sums[node % 6].iter_mut().zip(terms).for_each(|(s, t)| *s += weight * t);
    }
    let mean = |i: usize| {
        // The mean by the nodes that are `first` modulo `every`, a divisor of 6.
        let rule = |every: usize, first: usize| {
            let of = |i: usize| sums.iter().skip(first).step_by(every).map(|s| s[i]).sum::<f64>();
            of(i) / of(0)
        };
        let value = rule(1, 0);
        let coarser = [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)];
        // Of three shifted rules one has at least half their error, wherever the poles lie.
        let difference = coarser.map(|(every, first)| 2.0 * (rule(every, first) - value).abs());
        let size = sums.iter().map(|s| s[2]).sum::<f64>() / sums.iter().map(|s| s[0]).sum::<f64>();
        let bar = difference.into_iter().fold(1e-8 * (1.0 + size) + rounding, f64::max);
        let bar = if steepest < STEEPEST { bar } else { f64::INFINITY };
        Quantity::new(value, bar, Grade::Estimated)
    };
    // A slope of both signs is 0 in between.
    let flattest = if least * most > 0.0 { least.abs().min(most.abs()) } else { 1e-300 };
    facts.set("mean_response", mean(1));
    facts.set("mean_size", mean(2));
    facts.set("mean_divergence", mean(3));
    facts.set("mean_inner", mean(4));
    facts.set("condition", Quantity::exact(flattest.recip()));
    Ok(())
}
