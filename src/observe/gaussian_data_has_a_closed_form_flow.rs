//! Flows of Gaussian data in every schedule and coupling, for T6.1.

use super::Observation;
use super::paths::{Flow, decode_schedule, state_schedule};
use super::picture::{STEPS, of_flow};
use crate::claims::gaussian_data_has_a_closed_form_flow::{INDEPENDENT, OPTIMAL, OTHER};
use crate::drift::{
    Atoms, Denoiser, Drift, Gaussian, GaussianPath, GaussianTransport, LinearCoupling, Moved,
    Product, Schedule,
};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Method, Sampler, geometric_times};
use crate::linalg::{dot, frame_from_normals};
use crate::random::{Knobs, Stream};
use crate::scenario::Labels;
use nalgebra::DMatrix;
use serde::Serialize;

/// Principal axes that are followed; all of them up to this dimension.
const MOST_AXES: usize = 8;

/// The common end of (d), relative to the smallest deviation of the data.
const SHARED_SIGMA: f64 = 1e-4;

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Coupling {
    Independent,
    Optimal,
    Rotated,
}

#[derive(Serialize)]
struct World {
    mean: Vec<f64>,
    /// λ, along the columns of a random orthogonal matrix.
    variances: Vec<f64>,
    /// False: two points on each axis, with the same mean and covariance.
    gaussian: bool,
    coupling: Coupling,
    /// For independent coupling; flow matching, with which it shares the ends, for a rotated one.
    schedule: Schedule,
    /// Generating times between which the flow runs.
    from: f64,
    to: f64,
    #[serde(skip)]
    axes: DMatrix<f64>,
    #[serde(skip)]
    stream: Stream,
    /// Every step is cut into so many.
    #[serde(skip)]
    finer: usize,
}

impl World {
    fn decode(knobs: &mut Knobs) -> Self {
        let mut schedule = decode_schedule(knobs);
        let choice = knobs.unit();
        let (gaussian, coupling) = match () {
            () if choice < 0.65 => (true, Coupling::Independent),
            () if choice < 0.8 => (true, Coupling::Optimal),
            () if choice < 0.9 => (false, Coupling::Independent),
            () => (true, Coupling::Rotated),
        };
        let dim = knobs.pick(&[2, 2, 2, 3, 3, 4, 5, 2, 3, 2, 3, 8, 2, 3, 4, 2, 2, 3, 2, 3, 64]);
        let (from, to) = (knobs.unit(), knobs.log_range(2e-3, 0.5));
        let some_flat = knobs.unit() > 0.6;
        let off_centre = knobs.unit() > 0.5;
        let stream = knobs.stream("gaussian data");
        let sizes = stream.named("variances").uniforms(2 * dim);
        let rotated = coupling == Coupling::Rotated;
        if rotated {
            // Straight lines between the same Gaussians as in flow matching.
            schedule = Schedule::FlowMatching;
        }
        let variance = |i: usize| match some_flat && !rotated && sizes[dim + i] < 0.3 {
            true => 0.0,
            // Log-uniform from 1e-3 to 1e2.
            false => 10.0_f64.powf(5.0 * sizes[i] - 3.0),
        };
        let means = stream.named("mean").normals(dim);
        let centred = rotated || !off_centre;
        let axes = match rotated {
            true => DMatrix::identity(dim, dim),
            false => frame_from_normals(dim, dim, &stream.named("axes").normals(dim * dim)),
        };
        // Half of the flows start at pure noise, where σ may be infinite.
        let (from, to) = match coupling {
            Coupling::Independent if from < 0.5 => (0.0, schedule.time_at_sigma(to)),
            Coupling::Independent => {
                (schedule.time_at_sigma(10.0 * from), schedule.time_at_sigma(to))
            }
            _ => (if from < 0.5 { 0.0 } else { 0.6 * (from - 0.5) }, 1.0 - to),
        };
        Self {
            mean: means.into_iter().map(|m| if centred { 0.0 } else { m }).collect(),
            variances: (0..dim).map(variance).collect(),
            gaussian,
            coupling,
            schedule,
            from,
            to,
            axes,
            stream,
            finer: knobs.steps(1),
        }
    }

    fn denoiser(&self) -> Result<Denoiser> {
        let axes = self.axes.clone();
        if self.gaussian {
            return Ok(Gaussian::new(self.mean.clone(), axes, self.variances.clone())?.into());
        }
        let pair = |v: &f64| Ok(Atoms::new(1, vec![-v.sqrt(), v.sqrt()], None, 0.0)?.into());
        let pairs = self.variances.iter().map(pair).collect::<Result<Vec<Denoiser>>>()?;
        Ok(Moved::new(Product::new(pairs)?.into(), axes, self.mean.clone())?.into())
    }

    fn displacement(&self) -> Result<GaussianTransport> {
        GaussianTransport::new(self.mean.clone(), self.axes.clone(), self.variances.clone())
    }

    /// Numbers of the axes that are followed.
    fn followed(&self) -> usize {
        self.mean.len().min(MOST_AXES)
    }

    /// The principal coordinate ⟨q_i, x⟩.
    fn coordinate(&self, i: usize, x: &[f64]) -> f64 {
        dot(self.axes.column(i).as_slice(), x)
    }

    /// A state of the path at time s: a sample of the data and of the noise.
    fn start(&self) -> Vec<f64> {
        let (a, b) = match self.coupling {
            Coupling::Independent => self.schedule.coefficients(self.from),
            _ => (self.from, 1.0 - self.from),
        };
        let dim = self.mean.len();
        let data = self.stream.named("point").normals(dim);
        let mut x = self.stream.named("noise").normals(dim);
        x.iter_mut().zip(&self.mean).for_each(|(x, m)| *x = *x * b + m * a);
        for (i, z) in data.iter().enumerate() {
            let reach = a * z * self.variances[i].sqrt();
            x.iter_mut().zip(self.axes.column(i).iter()).for_each(|(x, q)| *x += reach * q);
        }
        x
    }
}

/// Orbits of the world's own flow.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs);
    let (denoiser, start) = (world.denoiser()?, world.start());
    // Lines between pairs have the noise levels of flow matching.
    let schedule = match world.coupling {
        Coupling::Independent => world.schedule,
        _ => Schedule::FlowMatching,
    };
    let (first, last) = (schedule.sigma(world.from), schedule.sigma(world.to));
    let levels = geometric_times(first.min(20.0), last, STEPS);
    let times = levels.into_iter().map(|sigma| schedule.time_at_sigma(sigma));
    // From noise that may be pure in one step to where levels can be told.
    let times = match first > 20.0 {
        true => std::iter::once(world.from).chain(times).collect(),
        false => times.collect(),
    };
    let sampler = &Sampler::new(Method::Rk4, times);
    match world.coupling {
        Coupling::Independent => {
            let signal = world.schedule.coefficients(world.to).0;
            let path = &GaussianPath { schedule: world.schedule, denoiser: &denoiser };
            of_flow((path, sampler), &start, (&denoiser, signal))
        }
        // Both are lines between pairs: the signal is the time.
        Coupling::Optimal => {
            of_flow((&world.displacement()?, sampler), &start, (&denoiser, world.to))
        }
        Coupling::Rotated => {
            let coupling = &LinearCoupling::rotated(&world.variances, 1.0)?;
            of_flow((coupling, sampler), &start, (&denoiser, world.to))
        }
    }
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs);
    let mut facts = Facts::new();
    let k = world.followed();
    let (start, frame) = (world.start(), world.axes.columns(0, k).into_owned());
    let (span, exact) = ((world.from, world.to), Quantity::exact);
    let flow = match world.coupling {
        Coupling::Independent => {
            let denoiser = world.denoiser()?;
            let path = GaussianPath { schedule: world.schedule, denoiser: &denoiser };
            Flow::integrate(&path, span, &start, &frame, world.finer)?
        }
        Coupling::Optimal => {
            Flow::integrate(&world.displacement()?, span, &start, &frame, world.finer)?
        }
        Coupling::Rotated => {
            let coupling = LinearCoupling::rotated(&world.variances, 1.0)?;
            Flow::integrate(&coupling, span, &start, &frame, world.finer)?
        }
    };
    facts.set("gaussian", exact(f64::from(world.gaussian)));
    let coupling = match world.coupling {
        Coupling::Independent => INDEPENDENT,
        Coupling::Optimal => OPTIMAL,
        Coupling::Rotated => OTHER,
    };
    facts.set("coupling", exact(coupling));
    state_schedule(&mut facts, &world.schedule);
    facts.set("start_time", exact(world.from));
    facts.set("end_time", exact(world.to));
    for i in 0..k {
        let rounded = |x: &[f64]| Quantity::rounded(world.coordinate(i, x), 256.0);
        facts.push("variance", exact(world.variances[i]));
        facts.push("mean", rounded(&world.mean));
        facts.push("start", rounded(&start));
        facts.push("end", flow.state_fact(world.coordinate(i, flow.fine.state.as_slice())));
        let column = flow.fine.tangents.column(i);
        let along = world.coordinate(i, column.as_slice());
        let off = (column - world.axes.column(i) * along).norm();
        facts.push("jacobian", flow.tangent_fact(i, along));
        facts.push("off_axis", flow.tangent_fact(i, off));
    }
    state_spectrum(&mut facts, &flow, &frame)?;
    if world.gaussian && world.variances.iter().all(|v| *v > 0.0) && k == world.mean.len() {
        state_shared_end(&mut facts, &world)?;
    } else {
        facts.set("shared", Quantity::exact(0.0));
    }
    let labels = match (world.gaussian, world.coupling) {
        (true, Coupling::Independent) => Labels::of("gaussian, independent coupling"),
        (true, Coupling::Optimal) => Labels::of("gaussian, optimal coupling"),
        (true, Coupling::Rotated) => Labels::against("gaussian, rotated coupling"),
        (false, _) => Labels::against("two points on each axis"),
    };
    let labels = labels.in_dimension(world.mean.len());
    Ok(Observation::new(&world, facts).labelled(labels))
}

/// Singular values of J on the followed axes, and how far each axis is from the top end-point subspace.
fn state_spectrum(facts: &mut Facts, flow: &Flow, frame: &DMatrix<f64>) -> Result<()> {
    let spectrum = flow.spectrum()?;
    let d = spectrum.best_separated();
    let (top, bar) = spectrum.top(d);
    facts.set("subspace_dim", Quantity::exact(d as f64));
    for q in frame.column_iter() {
        let distance = (q - &top * top.tr_mul(&q)).norm();
        facts.push("distance_from_top", Quantity::new(distance, bar, Grade::Estimated));
    }
    facts.set_series("log_growth", spectrum.logs);
    Ok(())
}

/// Flow matching, trigonometric and optimal displacement from one state of N(0, I) to the data.
fn state_shared_end(facts: &mut Facts, world: &World) -> Result<()> {
    let least = world.variances.iter().copied().fold(f64::INFINITY, f64::min).sqrt();
    let sigma = SHARED_SIGMA * least;
    facts.set("shared", Quantity::exact(1.0));
    facts.set("shared_sigma", Quantity::exact(sigma));
    let start = world.stream.named("shared").normals(world.mean.len());
    for i in 0..world.followed() {
        facts.push("shared_start", Quantity::rounded(world.coordinate(i, &start), 256.0));
    }
    let denoiser = world.denoiser()?;
    let models =
        [("flow_matching", Schedule::FlowMatching), ("trigonometric", Schedule::Trigonometric)];
    for (model, schedule) in models {
        let to = schedule.time_at_sigma(sigma);
        let path = GaussianPath { schedule, denoiser: &denoiser };
        state_end(facts, world, model, &path, (to, schedule.coefficients(to).0), &start)?;
    }
    state_end(facts, world, "displacement", &world.displacement()?, (1.0, 1.0), &start)
}

/// The end of one model in the coordinates x/a − mean.
fn state_end(
    facts: &mut Facts,
    world: &World,
    model: &str,
    drift: &impl Drift,
    (to, signal): (f64, f64),
    start: &[f64],
) -> Result<()> {
    let flow = Flow::integrate(drift, (0.0, to), start, &world.axes, world.finer)?;
    for i in 0..world.followed() {
        let x = world.coordinate(i, flow.fine.state.as_slice());
        let mean = Quantity::rounded(world.coordinate(i, &world.mean), 256.0);
        facts.push(&format!("end_state_{model}"), flow.state_fact(x) * signal.recip() - mean);
        let along = world.coordinate(i, flow.fine.tangents.column(i).as_slice());
        facts.push(&format!("end_jacobian_{model}"), flow.tangent_fact(i, along) * signal.recip());
    }
    Ok(())
}
