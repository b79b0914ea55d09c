//! Gaussian paths of random laws beside their canonical flow, for T6.2.

use super::Observation;
use super::laws::{Kind, RandomLaw};
use super::paths::{Flow, decode_schedule, state_schedule};
use super::picture::{STEPS, of_flow};
use crate::drift::{
    Atoms, Canonical, Denoiser, Drift, Gaussian, GaussianPath, GaussianTransport, LinearCoupling,
    Schedule,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Method, Sampler, geometric_times};
use crate::linalg::{frame_from_normals, largest_angle};
use crate::random::{Knobs, Stream};
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::DMatrix;
use serde::Serialize;

/// Tangents carried: all directions up to this dimension.
const MOST_TANGENTS: usize = 8;

/// What joins noise to data.
/// Rounding of posterior sums relative to the largest entry: weights carry that of their exponents.
const POSTERIOR_ROUNDING: f64 = 1e-10;

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    /// Independent coupling, source N(0, I): a Gaussian path.
    Path,
    /// Optimal displacement to a Gaussian.
    Displacement,
    /// A rotated linear coupling to a Gaussian.
    Rotated,
    /// Independent coupling with a source of unequal deviations.
    OtherSource,
}

#[derive(Serialize)]
struct World {
    law: RandomLaw,
    model: Model,
    schedule: Schedule,
    /// Generating times.
    from: f64,
    to: f64,
    /// Deviations of the source, for a source other than N(0, I).
    source: Vec<f64>,
    /// Every step is cut into so many.
    #[serde(skip)]
    finer: usize,
}

/// The Gaussian path of a source with unequal deviations: a path of N(0, I) in stretched coordinates.
struct Stretched<'a> {
    path: GaussianPath<'a, Atoms>,
    deviations: &'a [f64],
}

impl Drift for Stretched<'_> {
    fn dim(&self) -> usize {
        self.deviations.len()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        let z: Vec<S> = x.iter().zip(self.deviations).map(|(x, d)| *x / *d).collect();
        self.path.velocity(s, &z, out);
        out.iter_mut().zip(self.deviations).for_each(|(o, d)| *o *= *d);
    }
}

impl World {
    fn decode(knobs: &mut Knobs) -> Self {
        let mut schedule = decode_schedule(knobs);
        let mut law = RandomLaw::decode(knobs);
        let choice = knobs.unit();
        let (high, low) = (knobs.log_range(0.5, 20.0), knobs.log_range(0.05, 0.4));
        let model = match () {
            () if choice < 0.76 => Model::Path,
            () if choice < 0.84 => Model::Displacement,
            () if choice < 0.92 => Model::Rotated,
            () => Model::OtherSource,
        };
        match model {
            Model::Path => (),
            Model::OtherSource => law.kind = Kind::Atoms { count: 5, thickness: 0.0 },
            Model::Displacement | Model::Rotated => {
                law.kind = Kind::Gaussian;
                schedule = Schedule::FlowMatching;
            }
        }
        let sizes = knobs.stream("source").uniforms(law.dim);
        let source = match model {
            Model::OtherSource => sizes.iter().map(|u| 0.5 + 2.0 * u).collect(),
            _ => vec![1.0; law.dim],
        };
        let (from, to) = (schedule.time_at_sigma(high), schedule.time_at_sigma(low));
        Self { law, model, schedule, from, to, source, finer: knobs.steps(1) }
    }

    /// The law whose posterior means the canonical flow uses.
    fn denoiser(&self) -> Result<Denoiser> {
        if self.model != Model::Rotated {
            return self.law.denoiser();
        }
        let dim = self.law.dim;
        let axes = DMatrix::identity(dim, dim);
        Ok(Gaussian::new(vec![0.0; dim], axes, self.law.variances())?.into())
    }

    /// A state x at the start, and y = x/a.
    fn start(&self, stream: Stream) -> (Vec<f64>, Vec<f64>) {
        let spread = (1.0 + self.schedule.sigma(self.from).powi(2)).sqrt();
        let normals = stream.named("state").normals(self.law.dim);
        let y: Vec<f64> = normals.iter().map(|z| spread * z).collect();
        let a = self.schedule.coefficients(self.from).0;
        (y.iter().map(|y| a * y).collect(), y)
    }

    /// The model's own flow.
    fn flow(&self, denoiser: &Denoiser, start: &[f64], frame: &DMatrix<f64>) -> Result<Flow> {
        let (schedule, span) = (self.schedule, (self.from, self.to));
        match (self.model, denoiser) {
            (Model::Displacement, Denoiser::Gaussian(g)) => {
                let (mean, variances) = (g.mean().to_vec(), g.variances().to_vec());
                let transport = GaussianTransport::new(mean, g.axes().clone(), variances)?;
                Flow::integrate(&transport, span, start, frame, self.finer)
            }
            (Model::Rotated, Denoiser::Gaussian(g)) => {
                let coupling = LinearCoupling::rotated(g.variances(), 1.0)?;
                Flow::integrate(&coupling, span, start, frame, self.finer)
            }
            (Model::OtherSource, Denoiser::Atoms(atoms)) => {
                let deviations = self.source.iter().cycle();
                let points = atoms.points().iter().zip(deviations).map(|(p, d)| p / d).collect();
                let logs = atoms.log_weights().to_vec();
                let inner = Atoms::new(self.law.dim, points, Some(logs), 0.0)?;
                let path = GaussianPath { schedule, denoiser: &inner };
                let stretched = Stretched { path, deviations: &self.source };
                Flow::integrate(&stretched, span, start, frame, self.finer)
            }
            _ => Flow::integrate(
                &GaussianPath { schedule, denoiser },
                span,
                start,
                frame,
                self.finer,
            ),
        }
    }
}

/// Orbits of the Gaussian path; None for models that are none.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs);
    if world.model != Model::Path {
        return Ok(None);
    }
    let (denoiser, schedule) = (world.denoiser()?, world.schedule);
    let levels = geometric_times(schedule.sigma(world.from), schedule.sigma(world.to), STEPS);
    let times = levels.into_iter().map(|sigma| schedule.time_at_sigma(sigma)).collect();
    let (start, _) = world.start(knobs.stream("start"));
    let signal = schedule.coefficients(world.to).0;
    let path = &GaussianPath { schedule, denoiser: &denoiser };
    of_flow((path, &Sampler::new(Method::Rk4, times)), &start, (&denoiser, signal))
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs);
    let denoiser = world.denoiser()?;
    let (dim, stream) = (world.law.dim, knobs.stream("start"));
    let k = dim.min(MOST_TANGENTS);
    let frame = frame_from_normals(dim, k, &stream.named("frame").normals(dim * k));
    let levels = [world.schedule.sigma(world.from), world.schedule.sigma(world.to)];
    let (a, b) = world.schedule.coefficients(world.from);
    let (x, y) = world.start(stream);

    let ours = world.flow(&denoiser, &x, &frame)?;
    let canonical = Canonical { denoiser: &denoiser };
    let theirs = Flow::integrate(&canonical, (levels[0], levels[1]), &y, &frame, world.finer)?;
    // The same flow between the noise levels b, as if the signal did not matter.
    let (_, b_end) = world.schedule.coefficients(world.to);
    let unscaled =
        Flow::integrate(&canonical, (b, b_end), &y, &DMatrix::zeros(dim, 0), world.finer)?;

    let mut facts = Facts::new();
    let flag = |condition: bool| Quantity::exact(f64::from(condition));
    facts.set("independent", flag(matches!(world.model, Model::Path | Model::OtherSource)));
    facts.set("standard_source", flag(world.model != Model::OtherSource));
    state_schedule(&mut facts, &world.schedule);
    facts.set("start_time", Quantity::exact(world.from));
    facts.set("end_time", Quantity::exact(world.to));
    facts.set_series("canonical_levels", levels.map(Quantity::exact).to_vec());
    for (name, flow) in [("end", &ours), ("canonical_end", &theirs), ("flow_between_b", &unscaled)]
    {
        let state = flow.fine.state.iter().map(|x| flow.state_fact(*x)).collect();
        facts.set_series(name, state);
    }
    for (name, flow) in [("jacobian", &ours), ("canonical_jacobian", &theirs)] {
        let entries = flow.fine.tangents.iter().enumerate();
        facts.set_series(name, entries.map(|(i, x)| flow.tangent_fact(i / dim, *x)).collect());
    }
    if let Denoiser::Atoms(atoms) = &denoiser {
        posterior_averages(atoms, (a, b), &x, &mut facts);
        let mut velocity = vec![0.0; dim];
        let path = GaussianPath { schedule: world.schedule, denoiser: &denoiser };
        path.velocity(world.from, &x, &mut velocity);
        let size = velocity.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let known = |v: &f64| Quantity::new(*v, POSTERIOR_ROUNDING * size, Grade::Symbolic);
        facts.set_series("velocity", velocity.iter().map(known).collect());
    }
    let (our_spectrum, their_spectrum) = (ours.spectrum()?, theirs.spectrum()?);
    let d = their_spectrum.best_separated();
    facts.set("subspace_dim", Quantity::exact(d as f64));
    if d < k {
        let (our_top, our_bar) = our_spectrum.top(d);
        let (their_top, their_bar) = their_spectrum.top(d);
        let plane = frame_from_normals(dim, d, &stream.named("plane").normals(dim * d));
        let angle = |a, b, bar| -> Result<Quantity> {
            Ok(Quantity::new(largest_angle(a, b)?, bar, Grade::Estimated))
        };
        let apart = angle(&our_top, &their_top, our_bar + their_bar)?;
        facts.set("angle_of_top_subspaces", apart);
        facts.set("alignment", angle(&our_top, &plane, our_bar)?);
        facts.set("canonical_alignment", angle(&their_top, &plane, their_bar)?);
    }
    facts.set_series("log_growth", our_spectrum.logs);
    facts.set_series("canonical_log_growth", their_spectrum.logs);
    let labels = match world.model {
        Model::Path => world.law.labels(),
        Model::Displacement => Labels::against("displacement to a gaussian"),
        Model::Rotated => Labels::against("rotated coupling to a gaussian"),
        Model::OtherSource => Labels::against("source of unequal deviations"),
    };
    Ok(Observation::new(&world, facts).labelled(labels))
}

/// E[X | x] and E[ξ | x] for x = aX + bξ over a mixture, by Bayes' formula, component by component.
fn posterior_averages(atoms: &Atoms, (a, b): (f64, f64), x: &[f64], facts: &mut Facts) {
    let thickness = atoms.thickness();
    let variance = b * b + (a * thickness).powi(2);
    let offset =
        |atom: &[f64]| -> Vec<f64> { x.iter().zip(atom).map(|(x, p)| x - a * p).collect() };
    let components = || atoms.points().chunks_exact(x.len()).zip(atoms.log_weights());
    let log = |(atom, w): (&[f64], &f64)| {
        w - offset(atom).iter().map(|o| o * o).sum::<f64>() / (2.0 * variance)
    };
    let top = components().map(log).fold(f64::NEG_INFINITY, f64::max);
    let (mut total, mut data, mut noise) = (0.0, vec![0.0; x.len()], vec![0.0; x.len()]);
    for (atom, w) in components() {
        let weight = (log((atom, w)) - top).exp();
        total += weight;
        for (i, o) in offset(atom).iter().enumerate() {
            // Within a component both parts of x − a p are Gaussian: each takes its share.
            data[i] += weight * (atom[i] + a * thickness * thickness / variance * o);
            noise[i] += weight * b / variance * o;
        }
    }
    for (name, sums) in [("posterior_data", data), ("posterior_noise", noise)] {
        let size = sums.iter().fold(0.0, |m: f64, v| m.max(v.abs())) / total;
        let bar = POSTERIOR_ROUNDING * size;
        let mean = |sum: &f64| Quantity::new(sum / total, bar, Grade::Symbolic);
        facts.set_series(name, sums.iter().map(mean).collect());
    }
}
