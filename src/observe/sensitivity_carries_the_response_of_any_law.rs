//! Models with an error on laws of a few atoms, with and without noise, for T1.1.

use super::Observation;
use super::inexact_models::{Choice, Kind, Model, ModelMaps, SIZES, kink};
use super::picture::{ORBITS, of_model};
use crate::drift::{Drift, PUSH_ROUNDING};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Maps, Orbit};
use crate::lyapunov::Cocycle;
use crate::random::{Knobs, Stream};
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;
use serde::Serialize;

/// Part of the length on which anything changes by which ε moves states; differences err by its square.
const STEP: f64 = 3e-4;

/// Sixteen units of the last digit.
const NUDGE: f64 = 16.0 * f64::EPSILON;

#[derive(Serialize)]
struct World {
    model: Model,
    /// Probabilities of the atoms (start and noise path) of the law.
    weights: Vec<f64>,
    /// The last test function is a ramp whose edge passes through the end of the first atom.
    ramp: bool,
    /// The start law moves with ε.
    start_moves: bool,
    #[serde(skip)]
    stream: Stream,
}

/// A function whose mean is compared; its gradient is written by hand.
enum Test {
    /// ⟨c, x⟩.
    Linear(Vec<f64>),
    /// sin⟨k, x⟩ + cos⟨k, x⟩.
    Wave(Vec<f64>),
    /// log(1 + |x − c|²).
    Log(Vec<f64>),
    /// max(⟨c, x⟩ − edge, 0): not C¹ on its edge.
    Ramp(Vec<f64>, f64),
}

fn inner<S: Scalar>(c: &[f64], x: &[S]) -> S {
    c.iter().zip(x).fold(S::from(0.0), |sum, (&c, &x)| sum + x * c)
}

impl Test {
    fn value<S: Scalar>(&self, x: &[S]) -> S {
        match self {
            Self::Linear(c) => inner(c, x),
            Self::Wave(k) => inner(k, x).sin() + inner(k, x).cos(),
            Self::Log(c) => {
                let square = |sum: S, (&x, &c): (&S, &f64)| sum + (x - c) * (x - c);
                x.iter().zip(c).fold(S::from(1.0), square).ln()
            }
            // Branches, as no field may: it stands for what the theorem leaves out.
            Self::Ramp(c, edge) => {
                let above = inner(c, x) - *edge;
                if above.re() > 0.0 { above } else { S::from(0.0) }
            }
        }
    }

    fn gradient(&self, x: &[f64]) -> Vec<f64> {
        let times = |c: &[f64], by: f64| c.iter().map(|c| c * by).collect();
        match self {
            Self::Linear(c) => c.clone(),
            Self::Wave(k) => {
                let phase = inner(k, x);
                times(k, phase.cos() - phase.sin())
            }
            Self::Log(c) => {
                let off: Vec<f64> = x.iter().zip(c).map(|(x, c)| x - c).collect();
                times(&off, 2.0 / (1.0 + inner(&off, &off)))
            }
            Self::Ramp(c, edge) => times(c, f64::from(u8::from(inner(c, x) > *edge))),
        }
    }
}

impl World {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let atoms = knobs.count(1, 5);
        let (special, size) = (knobs.unit(), knobs.unit());
        let kinds =
            [Kind::Waves, Kind::Flow, Kind::EulerMaruyama, Kind::Ancestral, Kind::Canonical];
        let dims: &[usize] = if size > 0.98 { &[16, 64] } else { &[2, 2, 2, 3, 3, 4, 5, 8] };
        let (invertible, smooth) = (false, false);
        let choice = Choice { kinds: &kinds, dims, most_maps: 8, invertible, smooth };
        let model = Model::decode(knobs, &choice)?;
        let stream = knobs.stream("atoms");
        // The Jacobians of one atom in 64 dimensions are facts enough.
        let atoms = if model.dim() > 8 { 1 } else { atoms };
        let shares: Vec<f64> =
            stream.named("weights").uniforms(atoms).iter().map(|u| 0.1 + u).collect();
        let total: f64 = shares.iter().sum();
        let weights = shares.iter().map(|s| s / total).collect();
        let (ramp, start_moves) = (special > 0.9, (0.8..0.9).contains(&special));
        Ok(Self { model, weights, ramp, start_moves, stream })
    }

    fn start(&self, atom: usize) -> Vec<f64> {
        self.model.start(self.stream.named("start").indexed(atom as u64))
    }

    /// dx_0/dε.
    fn start_slope(&self, atom: usize) -> Vec<f64> {
        if !self.start_moves {
            return vec![0.0; self.model.dim()];
        }
        self.stream.named("start slope").indexed(atom as u64).normals(self.model.dim())
    }

    fn maps(&self, atom: usize, path: &str) -> Result<ModelMaps<'_>> {
        self.model.maps(self.stream.named(path).indexed(atom as u64))
    }

    /// The end of one atom at error size ε.
    fn end<S: Scalar>(&self, maps: &ModelMaps, atom: usize, epsilon: S) -> Vec<S> {
        self.end_from(maps, atom, epsilon, 0.0)
    }

    /// The same from a start that is longer by that share.
    fn end_from<S: Scalar>(
        &self,
        maps: &ModelMaps,
        atom: usize,
        epsilon: S,
        longer: f64,
    ) -> Vec<S> {
        let pairs = self.start(atom).into_iter().zip(self.start_slope(atom));
        let mut x: Vec<S> = pairs.map(|(x, m)| epsilon * m + x * (1.0 + longer)).collect();
        (0..maps.maps()).for_each(|k| maps.map(k, epsilon, &mut x));
        x
    }

    fn tests(&self, first_end: &[f64]) -> Vec<Test> {
        let dim = self.model.dim();
        let normals = |name: &str| {
            let scale = (dim as f64).sqrt().recip();
            let z = self.stream.named(name).normals(dim);
            z.iter().map(|z| z * scale).collect::<Vec<f64>>()
        };
        let direction = normals("ramp");
        let last = match self.ramp {
            true => Test::Ramp(direction.clone(), inner(&direction, first_end)),
            false => Test::Log(normals("centre")),
        };
        vec![Test::Linear(normals("linear")), Test::Wave(normals("wave")), last]
    }
}

/// One noise path, from the starts of the atoms and others.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs)?;
    let starts: Vec<_> = (0..ORBITS).map(|atom| world.start(atom)).collect();
    of_model(&world.model, &world.maps(0, "noise")?, &starts)
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let facts = measure(&world)?;
    let labels = match (world.ramp, world.start_moves) {
        (true, _) => Labels::against("kink at an atom"),
        (_, true) => Labels::against("start that moves"),
        _ => world.model.labels(),
    };
    Ok(Observation::new(&world, facts).labelled(labels))
}

fn measure(world: &World) -> Result<Facts> {
    let (dim, atoms) = (world.model.dim(), world.weights.len());
    let maps: Vec<ModelMaps> =
        (0..atoms).map(|atom| world.maps(atom, "noise")).collect::<Result<_>>()?;
    let ends: Vec<Vec<Dual<f64>>> =
        (0..atoms).map(|i| world.end(&maps[i], i, Dual::new(0.0, 1.0))).collect();
    let first_end: Vec<f64> = ends[0].iter().map(|x| x.re).collect();
    let tests = world.tests(&first_end);

    let mut facts = Facts::new();
    let exact = Quantity::exact;
    facts.set("dim", exact(dim as f64));
    facts.set("maps", exact(maps[0].maps() as f64));
    facts.set("test_functions", exact(tests.len() as f64));
    facts.set("ramp", exact(f64::from(world.ramp)));
    facts.set("start_moves", exact(f64::from(world.start_moves)));
    facts.set_series("weight", world.weights.iter().map(|w| exact(*w)).collect());
    // Entries of one vector or matrix share the rounding of the largest, which may be more by a factor.
    let rounded = |values: &[f64], size: f64, loss: f64| -> Vec<Quantity> {
        let bar = PUSH_ROUNDING * loss * values.iter().fold(size, |m: f64, v| m.max(v.abs()));
        values.iter().map(|v| Quantity::new(*v, bar, Grade::Estimated)).collect()
    };
    let mut append = |name: &str, values: Vec<Quantity>| {
        values.into_iter().for_each(|value| facts.push(name, value));
    };
    let (mut longest, mut most_lost) = (0.0_f64, 1.0_f64);
    for (atom, maps) in maps.iter().enumerate() {
        let orbit = Orbit::from(maps, 0.0, &world.start(atom))?;
        let loss = world.model.split_loss(&orbit.states);
        most_lost = most_lost.max(loss);
        for k in 0..maps.maps() {
            let jacobian = orbit.push(k, &DMatrix::identity(dim, dim));
            append("jacobian", rounded(jacobian.as_slice(), 1.0, 1.0));
            let mut x: Vec<Dual<f64>> = orbit.states[k].iter().map(|x| (*x).into()).collect();
            maps.map(k, Dual::new(0.0, 1.0), &mut x);
            let error: Vec<f64> = x.iter().map(|x| x.eps).collect();
            append("map_error", rounded(&error, 0.0, loss));
        }
        for test in &tests {
            append("gradient", rounded(&test.gradient(orbit.end().as_slice()), 0.0, 1.0));
        }
        let slope = ends[atom].iter().map(|x| x.eps * x.eps).sum::<f64>().sqrt();
        longest = longest.max(slope);
    }
    // The derivative by a dual in ε through the whole model. One long step may amplify the rounding of its own stages: seen
    // in starts a few units of the last digit away.
    let nudged = [-NUDGE, NUDGE].map(|longer| -> Vec<Vec<Dual<f64>>> {
        let end = |i: usize| world.end_from(&maps[i], i, Dual::new(0.0, 1.0), longer);
        (0..atoms).map(end).collect()
    });
    for test in &tests {
        let slope = |ends: &[Vec<Dual<f64>>]| -> f64 {
            let of = |(weight, end): (&f64, &Vec<Dual<f64>>)| weight * test.value(end).eps;
            world.weights.iter().zip(ends).map(of).sum()
        };
        let mut size = 0.0;
        for (weight, end) in world.weights.iter().zip(&ends) {
            let gradient = test.gradient(&end.iter().map(|x| x.re).collect::<Vec<_>>());
            size += weight * gradient.iter().zip(end).map(|(g, x)| (g * x.eps).abs()).sum::<f64>();
        }
        let sum = slope(&ends);
        let unsteady = nudged.iter().map(|ends| (slope(ends) - sum).abs()).fold(0.0, f64::max);
        let bar = PUSH_ROUNDING * most_lost * size + 4.0 * unsteady;
        facts.push("dual_slope", Quantity::new(sum, bar, Grade::Estimated));
    }
    // Values at finite ε; those with ε > 0 once more along another noise path.
    let step = STEP / (1.0 + longest);
    facts.set("step", exact(step));
    for (atom, maps) in maps.iter().enumerate() {
        let ends = SIZES.map(|size| DVector::from(world.end(maps, atom, size * step)));
        facts.push("kink", exact(kink(ends.each_ref(), step)));
    }
    for test in &tests {
        for epsilon in [-step, -0.5 * step, 0.5 * step, step] {
            for atom in 0..atoms {
                let other =
                    world.maps(atom, if epsilon > 0.0 { "other noise" } else { "noise" })?;
                for (name, maps) in [("value", &maps[atom]), ("value_redrawn", &other)] {
                    let end = world.end(maps, atom, epsilon);
                    let value = test.value(&end);
                    let reach = end.iter().fold(1.0 + value.abs(), |m: f64, x| m.max(x.abs()));
                    let bar = PUSH_ROUNDING * reach;
                    facts.push(name, Quantity::new(value, bar, Grade::Estimated));
                }
            }
        }
    }
    Ok(facts)
}
