//! Linear flows with turning frames, and canonical flows near data manifolds, for T2.1.

use super::Observation;
use super::frames::{blocks_by_projector, slope_over};
use super::later_stage::LaterStage;
use super::linear::{Blocks, LinearWorld};
use super::posterior_moments_certify_alignment::{Errors, ROUNDING};
use crate::drift::{Channel, Denoise, Rotating};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{Method, Sampler, Trajectory};
use crate::linalg::{largest_angle, mu_min, orthonormalise, spectral_norm, symmetric_norm};
use crate::lyapunov::qr_history;
use crate::random::{Knobs, Stream};
use crate::scenario::canonical;
use nalgebra::{DMatrix, dmatrix};
use serde::Serialize;

/// The share of the worlds that are linear flows.
const LINEAR: f64 = 0.65;

/// Intervals of the noise levels of a data world; the refinement halves them.
const STEPS: usize = 60;

/// Times of the refinement to either side that the difference quotients of P reach.
const STENCIL: usize = 4;

/// A projector that turns by more than this between two times of the refinement has jumped.
const LARGEST_TURN: f64 = 0.2;

/// Fewest intervals of a measured stretch.
const SHORTEST: usize = 15;

/// A data world as a picture; none of the others.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    if knobs.unit() > LINEAR {
        let world = DataWorld::decode(knobs)?;
        return super::picture::of_scenario(&world.stage.scenario).map(Some);
    }
    Ok(None)
}

/// A world of either kind, and its facts.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    if knobs.unit() > LINEAR {
        let world = DataWorld::decode(knobs)?;
        let facts = world.path()?.measure()?;
        let labels = world.stage.scenario.labels();
        return Ok(Observation::new(&world, facts).labelled(labels));
    }
    let sharp = knobs.unit() > 0.8;
    let mut world = LinearWorld::decode(knobs, Blocks::Full).stepped(knobs);
    if sharp {
        // The constant 2×2 system on which the bound is attained.
        let (gamma, kappa, eta) =
            (knobs.range(0.2, 3.0), knobs.range(0.0, 0.6), knobs.range(0.0, 0.6));
        world.tangent = 1;
        world.flow = Rotating {
            turns: Vec::new(),
            mean: dmatrix![0.0, -eta; kappa, -gamma],
            wave: DMatrix::zeros(2, 2),
            frequency: 0.0,
            carried: true,
        };
    }
    // A random start plane, or one at a chosen slope, also beyond the barrier.
    let (u, _) = world.flow.frame_and_rate(0.0);
    let slope = knobs.log_range(0.01, 10.0);
    let plane = plane_of_slope(&u, world.tangent, slope, knobs.stream("plane"))?;
    let facts = world.measure(plane)?;
    let labels = world.labels();
    Ok(Observation::new(&world, facts).labelled(labels))
}

/// A basis of a random d-plane of this slope over the first d columns of the frame.
///
/// The plane depends on the span of those columns alone: which basis of it and of its complement is at hand may be decided
/// by rounding.
fn plane_of_slope(
    frame: &DMatrix<f64>,
    d: usize,
    slope: f64,
    stream: Stream,
) -> Result<DMatrix<f64>> {
    let dim = frame.nrows();
    let (tangent, normal) = (frame.columns(0, d), frame.columns(d, dim - d));
    let random = DMatrix::from_vec(dim, dim, stream.normals(dim * dim));
    let graph = normal * normal.tr_mul(&(random * tangent));
    let size = spectral_norm(&graph)?;
    Ok(tangent + graph * (slope / size))
}

/// The canonical flow of a law on a random manifold, in the later stage.
#[derive(Serialize)]
pub struct DataWorld {
    stage: LaterStage,
    start_slope: f64,
    #[serde(skip)]
    stream: Stream,
    #[serde(skip)]
    steps: usize,
}

/// The share of the data worlds in R^64.
const HIGH: f64 = 0.06;

/// A run of a data world at two resolutions, with the frames it is measured in.
pub struct Path<'a> {
    world: &'a DataWorld,
    coarse: Sampler,
    fine: Sampler,
    /// `[U_T U_N]` at every time of the refinement, `D×D`: of the nearest points, unless a caller puts others.
    pub frames: Vec<DMatrix<f64>>,
    /// How far state and projector may be off at every time of the refinement.
    errors: Vec<Errors>,
    /// First coarse time at which the frames are smooth and all differences exist.
    first: usize,
}

impl DataWorld {
    /// Decodes a data world; the plainest is the uniform law of the unit circle.
    ///
    /// *Errors*: as [`crate::scenario::Scenario::decode`].
    pub fn decode(knobs: &mut Knobs) -> Result<Self> {
        let start_slope = knobs.log_range(0.01, 10.0);
        let stream = knobs.stream("plane");
        let stage = LaterStage::decode(knobs, HIGH)?;
        Ok(Self { stage, start_slope, stream, steps: knobs.steps(STEPS) })
    }

    /// The states and the frames of their nearest points, over the last stretch on which these are
    /// interior and do not jump. Where it is too short, the tangent plane at the last of them, at rest.
    ///
    /// *Errors*: as [`Trajectory::from`].
    pub fn path(&self) -> Result<Path<'_>> {
        let sampler = |steps| Sampler::new(Method::Rk4, self.stage.levels(steps));
        let (coarse, fine) = (sampler(self.steps), sampler(2 * self.steps));
        let flow = canonical(&self.stage.denoiser);
        let rough = Trajectory::from(&flow, &coarse, &self.stage.state)?.states;
        let states = Trajectory::from(&flow, &fine, &self.stage.state)?.states;
        let (mut frames, mut errors) = (Vec::new(), Vec::new());
        let mut smooth_from = 0;
        for (i, state) in states.iter().enumerate() {
            let foot = self.stage.nearest(state.as_slice())?;
            let frame = self.stage.frame(&foot);
            // The state between two coarse times is no worse than the one after it.
            let next = i.div_ceil(2);
            let off = (&states[2 * next] - &rough[next]).norm();
            let off = off + ROUNDING * fine.times()[i];
            errors.push(Errors::new(off, &foot, self.stage.curvature(&foot)));
            let jumped = match frames.last() {
                Some(before) => largest_angle(&self.tangent(before), &self.tangent(&frame))?,
                None => 0.0,
            };
            if jumped > LARGEST_TURN {
                smooth_from = i;
            }
            if !self.stage.is_near(&foot) {
                smooth_from = i + 1;
            }
            frames.push(frame);
        }
        let mut first = smooth_from.div_ceil(2) + STENCIL / 2;
        if first + SHORTEST + STENCIL / 2 > self.steps {
            let rest = frames.last().expect("a start at least").clone();
            frames.fill(rest);
            errors.iter_mut().for_each(|e| e.turned = 0.0);
            first = STENCIL / 2;
        }
        Ok(Path { world: self, coarse, fine, frames, errors, first })
    }

    fn tangent(&self, frame: &DMatrix<f64>) -> DMatrix<f64> {
        frame.columns(0, self.stage.scenario.manifold().dim()).into_owned()
    }
}

impl Path<'_> {
    /// The facts of T2.1 in the time u = −log σ.
    ///
    /// *Accuracy*: P' is a fourth-order difference; its bar is the change from the one of twice the
    /// step, and the error of P over the step. The bar of A is that of C/σ² (T2.5).
    ///
    /// *Errors*: as [`Trajectory::from`].
    pub fn measure(&self) -> Result<Facts> {
        let stage = &self.world.stage;
        let flow = canonical(&stage.denoiser);
        let d = stage.scenario.manifold().dim();
        let (first, last) = (self.first, self.world.steps - STENCIL / 2);
        let start = Trajectory::from(&flow, &self.fine, &stage.state)?.states;
        let frame = &self.frames[2 * first];
        let mut plane = plane_of_slope(frame, d, self.world.start_slope, self.world.stream)?;
        orthonormalise(&mut plane);
        let from =
            |sampler: &Sampler, k: usize| Sampler::new(Method::Rk4, sampler.times()[k..].to_vec());
        let (coarse, fine) = (from(&self.coarse, first), from(&self.fine, 2 * first));
        let begin = start[2 * first].as_slice();
        let rough = qr_history(&Trajectory::from(&flow, &coarse, begin)?, &plane);
        let planes = qr_history(&Trajectory::from(&flow, &fine, begin)?, &plane);

        let mut facts = Facts::new();
        for k in first..=last {
            let (i, sigma) = (2 * k, self.coarse.times()[k]);
            let errors = &self.errors[i];
            let (ut, un) = (
                self.frames[i].columns(0, d).into_owned(),
                self.frames[i].columns(d, self.frames[i].ncols() - d).into_owned(),
            );
            let (_, covariance) =
                stage.denoiser.posterior(Channel::canonical(sigma), start[i].as_slice());
            let scaled = covariance / (sigma * sigma);
            let size = symmetric_norm(&scaled);
            let a = &scaled - DMatrix::identity(ut.nrows(), ut.nrows());
            let (rate, rate_bar) = self.projector_rate(i, d)?;
            let blocks = blocks_by_projector(&a, &ut, &un, &rate)?;
            let bar = errors.of_blocks(sigma, size) + ROUNDING * (1.0 + size);
            let estimated = |value: f64, bar: f64| Quantity::new(value, bar, Grade::Estimated);
            let turning = rate_bar + 2.0 * symmetric_norm(&rate) * errors.turned;
            facts.push("time", Quantity::exact(-sigma.ln()));
            facts.push("gamma", estimated(blocks.gamma, 2.0 * bar));
            facts.push("kappa", estimated(blocks.kappa, bar + turning));
            facts.push("eta", estimated(blocks.eta, bar + turning));
            let on_tangents = &a * &ut;
            facts.push("kappa_of_a", estimated(spectral_norm(&un.tr_mul(&on_tangents))?, bar));
            let normal = blocks.gamma - mu_min(&ut.tr_mul(&on_tangents));
            facts.push("normal_compression", estimated(normal, bar));
            let (fine, rough) = (&planes[2 * (k - first)], &rough[k - first]);
            let (l, l_rough) = (slope_over(fine, &ut, &un)?, slope_over(rough, &ut, &un)?);
            let turned = errors.turned + ROUNDING;
            let slope_bar = (l - l_rough).abs() + turned * (1.0 + l * l);
            facts.push("slope", estimated(l, slope_bar));
            if k == last {
                let angle = largest_angle(fine, &ut)?;
                let angle_bar = largest_angle(fine, rough)? + turned;
                facts.set("end_sine", estimated(angle.sin(), angle_bar));
            }
        }
        Ok(facts)
    }

    /// P' at a time of the refinement, and how far it may be off in norm.
    fn projector_rate(&self, i: usize, d: usize) -> Result<(DMatrix<f64>, f64)> {
        let projector = |i: usize| {
            let tangent = self.frames[i].columns(0, d);
            tangent * tangent.transpose()
        };
        let times = self.fine.times();
        let h = (times[0] / times[1]).ln();
        let difference = |s: usize| {
            let (near, far) =
                (projector(i + s) - projector(i - s), projector(i + 2 * s) - projector(i - 2 * s));
            (near * 8.0 - far) / (12.0 * h * s as f64)
        };
        let rate = difference(1);
        let off = (i - 2..=i + 2).map(|j| self.errors[j].turned).fold(0.0, f64::max);
        let bar = symmetric_norm(&(&rate - difference(2))) + 1.5 * (off + ROUNDING) / h;
        Ok((rate, bar))
    }
}
