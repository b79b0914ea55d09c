//! Bent linear flows with an error, and data flows with one, for T5.

use super::Observation;
use super::frames::blocks_by_projector;
use super::later_stage::LaterStage;
use super::linear::{Blocks, LinearWorld};
use super::picture::{Scene, Size, samples, scattered};
use crate::drift::{Canonical, Drift, Inexact, LearningError, Rotating, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{InexactFlow, Method, Sampler, Trajectory, uniform_times};
use crate::linalg::{
    frame_from_normals, graph_operator, largest_angle, orthonormalise, spectral_norm,
};
use crate::lyapunov::qr_history;
use crate::random::{Knobs, Stream};
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector, dmatrix};
use serde::Serialize;

/// Intervals of the time grid; everything is run on this grid and on its refinement.
const STEPS: usize = 40;

/// The share of the data worlds in R^64.
const HIGH: f64 = 0.06;

/// The share of the worlds without data.
const LINEAR: f64 = 0.8;

/// Noise levels of a data world.
const LEVELS: usize = 40;

/// The field A(t) x + b(x) − b(0) − Db(0) x: it rests at 0, where its Jacobian is A(t).
#[derive(Serialize)]
struct Bent {
    linear: Rotating,
    bend: LearningError,
    #[serde(skip)]
    value: DVector<f64>,
    #[serde(skip)]
    slope: DMatrix<f64>,
}

impl Bent {
    fn new(linear: Rotating, bend: LearningError) -> Self {
        let rest = vec![0.0; bend.dim()];
        let mut value = DVector::zeros(bend.dim());
        bend.velocity(0.0, &rest, value.as_mut_slice());
        let slope = bend.jacobian(0.0, &rest, &mut Workspace::default());
        Self { linear, bend, value, slope }
    }
}

impl Drift for Bent {
    fn dim(&self) -> usize {
        self.linear.dim()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let mut bend = x.to_vec();
        self.bend.velocity(t, x, &mut bend);
        self.linear.velocity(t, x, out);
        for (i, (out, bend)) in out.iter_mut().zip(bend).enumerate() {
            let row = self.slope.row(i);
            let line = row.iter().zip(x).fold(S::from(0.0), |sum, (&m, &x)| sum + x * m);
            *out += bend - line - self.value[i];
        }
    }
}

/// A world that rests at 0 until the error moves it.
#[derive(Serialize)]
struct World {
    tangent: usize,
    span: f64,
    field: Bent,
    error: LearningError,
    #[serde(skip)]
    plane: DMatrix<f64>,
}

impl World {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let sharp = knobs.unit();
        let (size, stream) = (knobs.log_range(1e-3, 0.5), knobs.stream("error"));
        let world = LinearWorld::decode(knobs, Blocks::Full);
        let LinearWorld { tangent, span, flow, .. } = world;
        let start = knobs.log_range(0.01, 3.0);
        if sharp > 0.75 {
            return Ok(Self::sharp(knobs, size, start, span));
        }
        let dim = flow.dim();
        let steepness = knobs.log_range(0.3, 30.0);
        let error = match knobs.count(0, 2) {
            // Random, of one length; a ripple, small but steep; a constant, which moves the path only.
            0 => LearningError::fourier(dim, 3, 1.0, size, stream),
            1 => {
                let unit =
                    |name: &str| DVector::from_vec(stream.named(name).normals(dim)).normalize();
                let (c, k) = (unit("coefficient") * (size / steepness), unit("wave") * steepness);
                LearningError::ripple(c.as_slice(), k.as_slice())
            }
            _ => {
                let direction =
                    DVector::from_vec(stream.named("constant").normals(dim)).normalize();
                LearningError::constant((direction * size).as_slice())
            }
        };
        let bending = knobs.range(0.0, 1.0);
        let bend = LearningError::fourier(dim, 2, 1.0, bending, stream.named("bend"));
        let u = flow.frame_and_rate(0.0).0;
        let (t, n) = (u.columns(0, tangent), u.columns(tangent, dim - tangent));
        let normals = stream.named("plane").normals((dim - tangent) * tangent);
        let graph = DMatrix::from_vec(dim - tangent, tangent, normals);
        let plane = t + n * (&graph * (start / spectral_norm(&graph)?));
        Ok(Self { tangent, span, field: Bent::new(flow, bend), error, plane })
    }

    /// Constant 2×2 systems with an error whose Jacobian is the worst of its size at the start slope ℓ,
    /// Du = e (−ℓ, 1)⊗(1, ℓ)/(1 + ℓ²), on which the bounds are attained for short times.
    fn sharp(knobs: &mut Knobs, size: f64, start: f64, span: f64) -> Self {
        let (gamma, kappa, eta) =
            (knobs.range(0.0, 2.0), knobs.range(0.0, 0.5), knobs.range(0.0, 1.0));
        let scale = size / (1.0 + start * start);
        let error = LearningError::ripple(&[-start * scale, scale], &[1.0, start]);
        let linear = Rotating {
            turns: Vec::new(),
            wave: DMatrix::zeros(2, 2),
            mean: dmatrix![0.0, -eta; kappa, -gamma],
            frequency: 0.0,
            carried: true,
        };
        // The slope may change by a fraction of itself.
        let rate =
            (gamma + kappa / start + eta * start + size * (1.0 + start * start) / start).recip();
        let field = Bent::new(linear, LearningError::constant(&[0.0, 0.0]));
        Self { tangent: 1, span: span.min(0.2 * rate), field, error, plane: dmatrix![1.0; start] }
    }

    fn measure(&self) -> Result<Facts> {
        let (d, dim) = (self.tangent, self.field.dim());
        let mut plane = self.plane.clone();
        orthonormalise(&mut plane);
        let moved = Inexact { exact: &self.field, error: &self.error, epsilon: 1.0 };
        let coarse = Sampler::new(Method::Rk4, uniform_times(0.0, self.span, STEPS));
        let fine = coarse.refined();
        let rest = vec![0.0; dim];
        let still = [
            qr_history(&Trajectory::from(&self.field, &coarse, &rest)?, &plane),
            qr_history(&Trajectory::from(&self.field, &fine, &rest)?, &plane),
        ];
        let paths =
            [Trajectory::from(&moved, &coarse, &rest)?, Trajectory::from(&moved, &fine, &rest)?];
        let shaken = [qr_history(&paths[0], &plane), qr_history(&paths[1], &plane)];

        let mut facts = Facts::new();
        let mut work = Workspace::default();
        let estimated = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
        // Two resolutions may agree by accident at one time: the largest difference so far is what counts.
        let (mut drifted, mut bars) = (0.0_f64, [0.0_f64; 3]);
        let (mut before, mut turning) = ([const { None }; 2], 0.0_f64);
        for (k, t) in coarse.times().iter().enumerate() {
            let a = DMatrix::from_vec(dim, dim, self.field.linear.generator(*t));
            let (u, du) = self.field.linear.frame_and_rate(*t);
            let (ut, un) = (u.columns(0, d).into_owned(), u.columns(d, dim - d).into_owned());
            let dut = du.columns(0, d);
            let rate = dut * ut.transpose() + &ut * dut.transpose();
            let blocks = blocks_by_projector(&a, &ut, &un, &rate)?;
            let rounding = 64.0 * dim as f64 * f64::EPSILON * (spectral_norm(&a)? + 1.0);
            let exact = |value: f64| Quantity::new(value, rounding, Grade::Symbolic);
            facts.push("time", Quantity::exact(*t));
            facts.push("gamma", exact(blocks.gamma));
            facts.push("kappa", exact(blocks.kappa));
            facts.push("eta", exact(blocks.eta));

            let state = &paths[1].states[2 * k];
            drifted = drifted.max((state - &paths[0].states[k]).norm());
            facts.push("displacement", estimated(state.norm(), drifted));
            let there = moved.jacobian(*t, state.as_slice(), &mut work);
            let bar = rounding + 64.0 * f64::EPSILON + self.field.bend.bounds()[2] * drifted;
            facts.push("jacobian_difference", estimated(spectral_norm(&(there - &a))?, bar));

            // In the moving frame: how far each plane turned since the last time, in units of what it lacked
            // to the normal directions.
            for (before, plane) in before.iter_mut().zip([&still[1][2 * k], &shaken[1][2 * k]]) {
                let seen = u.tr_mul(plane);
                if let Some(last) = before.replace(seen.clone()) {
                    let axes = DMatrix::identity(dim, d);
                    let lacked = std::f64::consts::FRAC_PI_2 - largest_angle(&last, &axes)?;
                    turning = turning.max(largest_angle(&last, &seen)? / lacked);
                }
            }
            let graph = |plane: &DMatrix<f64>| match graph_operator(plane, &ut, &un) {
                Ok(graph) => graph,
                Err(_) => DMatrix::from_element(dim - d, d, f64::NAN),
            };
            let norm = |m: &DMatrix<f64>| match m.iter().all(|x| x.is_finite()) {
                true => spectral_norm(m),
                false => Ok(f64::NAN),
            };
            let graphs =
                [&still[0][k], &still[1][2 * k], &shaken[0][k], &shaken[1][2 * k]].map(graph);
            let [l0, l, m0, m] = &graphs;
            let measured = [(l0.clone(), l.clone()), (m0.clone(), m.clone()), (m0 - l0, m - l)];
            let names = ["slope", "slope_perturbed", "slope_difference"];
            for ((name, (rough, value)), bar) in names.into_iter().zip(measured).zip(&mut bars) {
                *bar = bar.max(norm(&(&value - rough))?);
                let size = norm(m)? + norm(l)?;
                let rounding = 1e3 * f64::EPSILON * (1.0 + size * size);
                facts.push(name, estimated(norm(&value)?, *bar + rounding));
            }
        }
        facts.set("turning", estimated(turning, 1e-6));
        facts.set("second_derivative", Quantity::exact(self.field.bend.bounds()[2]));
        facts.set("error_slope", Quantity::rounded(self.error.bounds()[1], 64.0));
        Ok(facts)
    }
}

/// A data flow with an error of the denoiser, in the later stage.
#[derive(Serialize)]
struct DataWorld {
    stage: LaterStage,
    size: f64,
    #[serde(skip)]
    stream: Stream,
}

impl DataWorld {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let (size, stream) = (knobs.log_range(1e-3, 1.0), knobs.stream("error"));
        Ok(Self { stage: LaterStage::decode(knobs, HIGH)?, size, stream })
    }

    /// dy/dσ = (y − D − e)/σ: an error of the denoiser of the size given, in units of the reach.
    fn error(&self) -> LearningError {
        let length = self.stage.scenario.manifold().reach().value.min(2.0);
        let amplitude = self.size * length / self.stage.scenario.sigma_end;
        LearningError::fourier(self.stage.state.len(), 4, length, amplitude, self.stream)
    }

    fn measure(&self) -> Result<Facts> {
        let stage = &self.stage;
        let (dim, d) = (stage.state.len(), stage.scenario.manifold().dim());
        let error = self.error();
        let exact = Canonical { denoiser: &stage.denoiser };
        let moved = Inexact { exact: &exact, error: &error, epsilon: 1.0 };
        let sampler = Sampler::new(Method::Heun, stage.levels(LEVELS));
        let plane = frame_from_normals(dim, d, &self.stream.named("plane").normals(dim * d));
        let end = Trajectory::from(&exact, &sampler, &stage.state)?.end().clone();
        let path = Trajectory::from(&moved, &sampler, &stage.state)?;
        let planes = qr_history(&path, &plane);
        let last = planes.last().expect("a history has a start");
        let (p, q) = (stage.nearest(end.as_slice())?, stage.nearest(path.end().as_slice())?);
        let frame = |foot| stage.frame(foot).columns(0, d).into_owned();
        let rounded = |value: f64| Quantity::new(value, 1e-9, Grade::Estimated);

        let manifold = stage.scenario.manifold();
        let chord = (&p.point - &q.point).norm();
        let mut facts = Facts::new();
        facts.set("curvature", Quantity::exact(manifold.curvature_at_most()));
        facts.set("reach", Quantity::exact(manifold.reach_at_least()));
        facts.set("end_chord", rounded(chord));
        // A geodesic is at most π/2 times its chord, for chords up to twice the reach.
        facts.set("end_distance", rounded(std::f64::consts::FRAC_PI_2 * chord));
        facts.set("angle_at_exact_end", rounded(largest_angle(last, &frame(&p))?));
        facts.set("angle_at_perturbed_end", rounded(largest_angle(last, &frame(&q))?));
        facts.set("boundary", Quantity::exact(f64::from(u8::from(p.boundary || q.boundary))));
        Ok(facts)
    }
}

/// A data world, or a bent field around the state of rest.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    if knobs.unit() > LINEAR {
        let world = DataWorld::decode(knobs)?;
        let (stage, error) = (&world.stage, &world.error());
        let sampler = Sampler::new(Method::Heun, stage.levels(LEVELS));
        let drift = &Canonical { denoiser: &stage.denoiser };
        let maps = &InexactFlow { sampler: &sampler, drift, error };
        let (size, data) = (Size::Of(1.0), Some(samples((&stage.denoiser, 1.0))?));
        let starts = std::slice::from_ref(&stage.state);
        return Scene { maps, size, starts, data }.draw();
    }
    let world = World::decode(knobs)?;
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, world.span, STEPS));
    let maps = &InexactFlow { sampler: &sampler, drift: &world.field, error: &world.error };
    let (rest, mut starts) =
        (vec![0.0; world.field.dim()], scattered(world.plane.column(0).as_slice()));
    starts[0] = rest;
    Scene { maps, size: Size::Of(1.0), starts: &starts, data: None }.draw()
}

/// A world of either kind, and its facts.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    if knobs.unit() > LINEAR {
        let world = DataWorld::decode(knobs)?;
        let facts = world.measure()?;
        let labels = world.stage.scenario.labels();
        return Ok(Observation::new(&world, facts).labelled(labels));
    }
    let world = World::decode(knobs)?;
    let facts = world.measure()?;
    Ok(Observation::new(&world, facts).labelled(Labels::of("bent linear")))
}
