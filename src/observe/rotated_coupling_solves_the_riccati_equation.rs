//! Rotated linear couplings, for T6.7.

use super::Observation;
use super::frames::blocks_in_frame;
use super::resolved::Resolved;
use crate::drift::{Drift, LinearCoupling, Turn, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Sampler, uniform_times};
use crate::linalg::{largest_angle, spectral_norm};
use crate::lyapunov::Spectrum;
use crate::random::Knobs;
use crate::scenario::Labels;
use nalgebra::DMatrix;
use serde::Serialize;

/// Intervals of the time grid, a multiple of 8: quarter points, and Runge–Kutta steps of the judge.
const STEPS: usize = 96;

#[derive(Serialize)]
struct World {
    /// λ, decreasing.
    variances: Vec<f64>,
    /// Rotations at time 0, applied from the last to the first; their rates are 0.
    turns: Vec<Turn>,
    /// The first d coordinates are the tangent ones.
    tangent: usize,
    /// L_0, `(D−d)×d`.
    graph: DMatrix<f64>,
    /// Time steps.
    #[serde(skip)]
    steps: usize,
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    // The plane, where the scalar equation is exact, or more dimensions.
    let dim = if knobs.unit() < 0.5 { 2 } else { knobs.count(3, 8) };
    let tangent = knobs.count(1, dim - 1);
    let spread = knobs.range(0.3, 4.0);
    let angle = knobs.range(0.0, 3.1);
    let slope = knobs.log_range(0.01, 5.0);
    let stream = knobs.stream("coupling");
    let mut variances: Vec<f64> =
        stream.named("variances").uniforms(dim).iter().map(|u| (-spread * u).exp()).collect();
    variances.sort_by(|a, b| b.total_cmp(a));
    let shares = stream.named("angles").normals(dim);
    let turn = |i: usize| {
        // In more dimensions the rotation is spread over all neighbours.
        let phase = if dim == 2 { angle } else { angle * shares[i] / (dim as f64).sqrt() };
        Turn { i, j: i + 1, phase, rate: 0.0 }
    };
    let turns = (0..dim - 1).map(turn).collect();
    let size = (dim - tangent) * tangent;
    let graph = DMatrix::from_vec(dim - tangent, tangent, stream.named("plane").normals(size));
    let graph = &graph * (slope / spectral_norm(&graph)?);
    let world = World { variances, turns, tangent, graph, steps: knobs.steps(STEPS) };
    let facts = measure(&world)?;
    let labels = Labels::of(if dim == 2 { "gaussian in the plane" } else { "gaussian" });
    Ok(Observation::new(&world, facts).labelled(labels))
}

impl World {
    fn rotation(&self) -> DMatrix<f64> {
        let d = self.variances.len();
        let mut r = DMatrix::identity(d, d);
        for turn in self.turns.iter().rev() {
            let (sin, cos) = turn.phase.sin_cos();
            for mut column in r.column_iter_mut() {
                let (x, y) = (column[turn.i], column[turn.j]);
                column[turn.i] = cos * x - sin * y;
                column[turn.j] = sin * x + cos * y;
            }
        }
        r
    }
}

fn measure(world: &World) -> Result<Facts> {
    let (dim, d) = (world.variances.len(), world.tangent);
    let rotation = world.rotation();
    let mut facts = Facts::new();
    let constants = |values: &[f64]| values.iter().map(|x| Quantity::exact(*x)).collect();
    facts.set_series("variance", constants(&world.variances));
    facts.set_series("rotation", constants(rotation.as_slice()));
    facts.set_series("start_graph", constants(world.graph.as_slice()));
    facts.set("tangent", Quantity::exact(d as f64));
    let root = |r: usize| world.variances[r].sqrt();
    let map = DMatrix::from_fn(dim, dim, |r, c| root(r) * rotation[(r, c)]);
    if LinearCoupling::singular_time(&map)?.is_some() {
        return Ok(facts); // Lines meet on the way: there is no flow to measure.
    }
    let drift = LinearCoupling::new(map)?;
    let sampler = Sampler::new(Method::DormandPrince, uniform_times(0.0, 1.0, world.steps));
    let refined = sampler.refined();
    let start: Vec<f64> = (0..dim).map(|i| 1.0 + i as f64).collect();
    let orbit = Resolved::new(&drift, &sampler, &refined, &start)?;

    let axes = DMatrix::identity(dim, dim);
    let (tangent, normal) =
        (axes.columns(0, d).into_owned(), axes.columns(d, dim - d).into_owned());
    let plane = &tangent + &normal * &world.graph;
    let slopes = orbit.slopes(&plane, &tangent, &normal)?;
    facts.set("least_transversality", orbit.transversality(&plane, &tangent));
    let mut work = Workspace::default();
    for (k, t) in sampler.times().iter().enumerate() {
        let (state, _) = orbit.state(k);
        let a = drift.jacobian(*t, state.as_slice(), &mut work);
        // The solve behind A loses digits in proportion to A itself.
        let rounding = 1e-14 * dim as f64 * (1.0 + a.norm()).powi(2);
        let exact = |value: f64| Quantity::new(value, rounding, Grade::Estimated);
        let blocks = blocks_in_frame(&a, d)?;
        facts.push("time", Quantity::exact(*t));
        facts.push("gamma", exact(blocks.gamma));
        facts.push("kappa", exact(blocks.kappa));
        facts.push("eta", exact(blocks.eta));
        let (slope, graph) = &slopes[k];
        facts.push("slope", *slope);
        if dim == 2 {
            for (name, entry) in [("tt", (0, 0)), ("tn", (0, 1)), ("nt", (1, 0)), ("nn", (1, 1))] {
                facts.push(&format!("rate_{name}"), exact(a[entry]));
            }
            facts.push("signed_slope", Quantity::new(graph[0], slope.bar, slope.grade));
        }
        if k == world.steps / 2 {
            facts.set_series("rate_matrix", a.iter().map(|x| exact(*x)).collect());
        }
    }

    let jacobian = orbit.jacobian_in(&axes);
    let spectra = jacobian.spectra()?;
    for k in 0..dim {
        facts.push("singular_value", jacobian.singular_value(&spectra, k));
    }
    let value = |k: usize| spectra.0.log_growth[k].exp();
    let rounding = 1e-11 * value(0) / (value(d - 1) - value(d)).abs();
    let mut angle = |name: &str, of: fn(&Spectrum) -> &DMatrix<f64>, to: &DMatrix<f64>| {
        let top = |s: &Spectrum| of(s).columns(0, d).into_owned();
        let bar = largest_angle(&top(&spectra.0), &top(&spectra.1))? + rounding;
        let angle = largest_angle(&top(&spectra.0), to)?;
        facts.set(name, Quantity::new(angle, bar, Grade::Estimated));
        Ok(())
    };
    angle("end_angle_to_axes", |s| &s.end_vectors, &tangent)?;
    angle("start_angle_to_axes", |s| &s.start_vectors, &tangent)?;
    angle("start_angle_to_turned_axes", |s| &s.start_vectors, &rotation.tr_mul(&tangent))?;
    Ok(facts)
}
