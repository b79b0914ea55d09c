//! DDIM and ancestral maps on laws with flat and with curved or thick normals, for T6.3.

use super::Observation;
use super::flat_laws::FlatLaw;
use super::more_digits::{MOST_DIMENSIONS, push_rounding, stated};
use super::picture::of_flow;
use crate::drift::{Canonical, Denoiser, Lanes, PUSH_ROUNDING};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{
    AncestralSteps, Carried, Method, Sampler, StepWorkspace, Steps, ancestral_step, carried,
};
use crate::linalg::{dot, frame_from_normals, largest_angle, orthonormalise, singular_values, svd};
use crate::random::Knobs;
use crate::scalar::Extended;
use nalgebra::{DMatrix, DVector};
use num_dual::DualStruct;
use serde::Serialize;

/// Directions along which Jacobians are compared.
const PROBES: usize = 4;

#[derive(Serialize)]
struct World {
    law: FlatLaw,
    /// σ_0 > … > σ_K.
    levels: Vec<f64>,
}

impl World {
    fn decode(knobs: &mut Knobs) -> Self {
        let law = FlatLaw::decode(knobs);
        let (first, steps) = (knobs.log_range(0.8, 10.0), knobs.count(1, 8));
        let mut levels = vec![first];
        // Unequal steps, some of them coarse: there is no truncation error to control.
        for u in law.stream.named("steps").uniforms(steps) {
            let last = levels[levels.len() - 1];
            levels.push(0.3 + (last - 0.3) * (0.3 + 0.6 * u));
        }
        Self { law, levels }
    }

    /// Directions along which Jacobians are compared, `D×k`.
    fn probe(&self) -> DMatrix<f64> {
        let (dim, probes) = (self.law.dim, PROBES.min(self.law.dim));
        let normals = self.law.stream.named("probe").normals(dim * probes);
        frame_from_normals(dim, probes, &normals)
    }

    /// The noise of each ancestral step.
    fn noise(&self) -> Vec<Vec<f64>> {
        let of = |k: usize| self.law.stream.named("noise").indexed(k as u64).normals(self.law.dim);
        (1..self.levels.len()).map(of).collect()
    }

    fn start(&self) -> Vec<f64> {
        let mut start = self.law.stream.named("start").normals(self.law.dim);
        let spread = 1.0 + self.levels[0];
        start.iter_mut().zip(&self.law.shift).for_each(|(y, shift)| *y = *y * spread + shift);
        start
    }
}

/// A state with tangents, moved by the maps.
struct Block(DMatrix<f64>);

impl Block {
    fn new(state: &[f64], tangents: &DMatrix<f64>) -> Self {
        let mut block = tangents.clone().insert_column(0, 0.0);
        block.column_mut(0).copy_from_slice(state);
        Self(block)
    }

    fn state(&self) -> &[f64] {
        &self.0.as_slice()[..self.0.nrows()]
    }

    fn tangents(&self) -> DMatrix<f64> {
        self.0.columns(1, self.0.ncols() - 1).into_owned()
    }

    fn ddim(&mut self, denoiser: &Denoiser, from: f64, to: f64) {
        let sampler = Sampler::new(Method::Euler, vec![from, to]);
        let lanes = Lanes::single(self.0.ncols() - 1);
        let flow = Canonical { denoiser };
        sampler.step(&flow, 0, self.0.as_mut_slice(), lanes, &mut StepWorkspace::default());
    }

    fn ancestral(&mut self, denoiser: &Denoiser, (from, to): (f64, f64), noise: &[f64]) {
        let lanes = Lanes::single(self.0.ncols() - 1);
        let block = self.0.as_mut_slice();
        ancestral_step(denoiser, from, to, noise, block, lanes, &mut StepWorkspace::default());
    }
}

/// Orbits of the DDIM maps.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs);
    let denoiser = world.law.denoiser()?;
    let sampler = &Sampler::new(Method::Euler, world.levels.clone());
    of_flow((&Canonical { denoiser: &denoiser }, sampler), &world.start(), (&denoiser, 1.0))
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs);
    let denoiser = world.law.denoiser()?;
    let facts = measure(&world, &denoiser)?;
    let labels = world.law.labels();
    Ok(Observation::new(&world, facts).labelled(labels))
}

/// What the maps do to the probe and along the normal, carried in extended precision; None where that takes too long.
pub fn extended(knobs: &mut Knobs) -> Result<Option<Facts>> {
    let world = World::decode(knobs);
    let (law, levels, dim) = (&world.law, &world.levels, world.law.dim);
    if dim > MOST_DIMENSIONS {
        return Ok(None);
    }
    let (denoiser, noise, start) = (&law.denoiser()?, &world.noise(), &world.start());
    let sampler = &Sampler::new(Method::Euler, levels.clone());
    let ddim = carried::<Extended>(&Steps { sampler, drift: &Canonical { denoiser } }, 0.0, start)?;
    let ancestral = carried::<Extended>(&AncestralSteps { denoiser, levels, noise }, 0.0, start)?;
    let rounding = push_rounding::<Extended>();
    let fact = |x: Extended| stated(x, rounding * (1.0 + x.re().abs()), Grade::Estimated);
    let (probe, normal) = (world.probe().map(Extended::from), law.normal().0.map(Extended::from));
    let shift = DVector::from_column_slice(&law.shift).map(Extended::from);
    let mut facts = Facts::new();
    for (name, Carried { states, jacobians }) in [("ddim", ddim), ("ancestral", ancestral)] {
        let image = &jacobians[0] * &probe;
        facts.set_series(&format!("{name}_of_probe"), image.iter().map(|x| fact(*x)).collect());
        let heights = states.iter().map(|x| fact(normal.tr_mul(&(x - &shift))[(0, 0)]));
        facts.set_series(&format!("normal_{name}"), heights.collect());
        let moved = jacobians.iter().fold(normal.clone(), |moved, jacobian| jacobian * moved);
        facts.set(&format!("normal_growth_{name}"), fact(normal.tr_mul(&moved)[(0, 0)]));
    }
    Ok(Some(facts))
}

fn measure(world: &World, denoiser: &Denoiser) -> Result<Facts> {
    let (law, levels) = (&world.law, &world.levels);
    let (dim, stream) = (law.dim, law.stream);
    let (first, last) = (levels[0], levels[levels.len() - 1]);
    let start = world.start();
    let (normal, width) = law.normal();
    let probe = world.probe();
    let probes = probe.ncols();

    let mut facts = Facts::new();
    let estimated = |value: f64, size: f64| {
        Quantity::new(value, PUSH_ROUNDING * (size + value.abs()), Grade::Estimated)
    };
    let matrix = |m: &DMatrix<f64>, size: f64| m.iter().map(|x| estimated(*x, size)).collect();
    facts.set("normal_width", Quantity::exact(width));
    facts.set_series("levels", levels.iter().map(|s| Quantity::exact(*s)).collect());

    // One step from the start: Jacobians of the maps against moments of the posterior.
    let moments = |sigma: f64, y: &[f64]| law.covariance(sigma, y);
    let covariance = moments(first, &start)?;
    let size = 1.0 + covariance.norm() / (first * first);
    facts.set_series("probe", probe.iter().map(|x| Quantity::exact(*x)).collect());
    let image = &covariance * &probe;
    facts.set_series("covariance_of_probe", matrix(&image, size * first * first));
    let noises = world.noise();
    let (mut ddim, mut ancestral) = (Block::new(&start, &probe), Block::new(&start, &probe));
    ddim.ddim(denoiser, first, levels[1]);
    ancestral.ancestral(denoiser, (first, levels[1]), &noises[0]);
    facts.set_series("ddim_of_probe", matrix(&ddim.tangents(), size));
    facts.set_series("ancestral_of_probe", matrix(&ancestral.tangents(), size));

    // The whole chain, with the normal and a random plane of n directions.
    let n = law.plane;
    let plane = frame_from_normals(dim, n, &stream.named("plane").normals(dim * n));
    let mut directions = plane.insert_column(0, 0.0);
    directions.set_column(0, &normal);
    let (mut ddim, mut ancestral) =
        (Block::new(&start, &directions), Block::new(&start, &directions));
    let height = |block: &Block| {
        let state =
            DVector::from_column_slice(block.state()) - DVector::from_column_slice(&law.shift);
        estimated(normal.dot(&state), 1.0 + first)
    };
    facts.push("normal_ddim", height(&ddim));
    facts.push("normal_ancestral", height(&ancestral));
    for (step, noise) in levels.windows(2).zip(&noises) {
        ddim.ddim(denoiser, step[0], step[1]);
        ancestral.ancestral(denoiser, (step[0], step[1]), noise);
        facts.push("normal_ddim", height(&ddim));
        facts.push("normal_ancestral", height(&ancestral));
        facts.push("normal_noise", estimated(dot(normal.as_slice(), noise), 1.0));
    }
    for (name, block) in [("normal_growth_ddim", &ddim), ("normal_growth_ancestral", &ancestral)] {
        facts.set(name, estimated(normal.dot(&block.0.column(1)), 0.01));
    }

    // The last step, from the least level to 0.
    let covariance = moments(last, ddim.state())?;
    let size = 1.0 + covariance.norm() / (last * last);
    let mut directions = probe.clone().insert_column(0, 0.0);
    directions.set_column(0, &normal);
    let mut fresh = Block::new(ddim.state(), &directions);
    fresh.ddim(denoiser, last, 0.0);
    let image = &covariance * &probe;
    facts.set_series("last_covariance_of_probe", matrix(&image, size * last * last));
    facts.set_series(
        "last_of_probe",
        matrix(&fresh.tangents().columns(1, probes).into_owned(), size),
    );
    facts.set("last_normal_growth", estimated(fresh.0.column(1).norm(), size));

    // E^n after the last step against the range of C; a plane contracted too unevenly cannot tell.
    let mut end = ddim.tangents().columns(1, n).into_owned();
    orthonormalise(&mut end);
    let mut whole = Block::new(ddim.state(), &end);
    whole.ddim(denoiser, last, 0.0);
    let mut image = whole.tangents();
    let values = singular_values(&image)?;
    let condition = size / values[n - 1];
    orthonormalise(&mut image);
    let range = svd(&covariance)?.left.columns(0, n).into_owned();
    let least = singular_values(&covariance)?[n - 1] / (last * last);
    let condition = condition.max(size / least);
    let angle = largest_angle(&image, &range)?;
    facts.set("range_condition", Quantity::exact(condition));
    facts.set("range_angle", estimated(angle, condition));
    Ok(facts)
}
