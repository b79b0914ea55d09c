//! Random sequences of maps in random frames, and the maps of samplers near data manifolds, for T2.2.

use super::Observation;
use super::frames::slope_over;
use super::later_stage::LaterStage;
use super::more_digits::{MOST_DIMENSIONS, push_rounding, stated};
use crate::drift::{Lanes, PUSH_ROUNDING};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::figure::Panel;
use crate::flow::{
    AncestralSteps, Carried, Method, Sampler, StepWorkspace, Steps, ancestral_step, carried,
};
use crate::linalg::{
    inverse, least_singular_value, orthonormalise, spectral_norm, symmetric_eigen,
};
use crate::random::{Knobs, Stream};
use crate::scalar::{Extended, Real};
use crate::scenario::{HIGH_DIMENSION, Labels, canonical};
use nalgebra::{DMatrix, DVector};
use num_dual::DualStruct;
use serde::Serialize;

/// Planes of the start cone whose images are measured.
const PLANES: usize = 40;

/// The share of the worlds whose maps are matrices without a sampler behind them.
const MATRICES: f64 = 0.65;

/// The share of the matrices in R^64.
const HIGH: f64 = 0.03;

/// A data world as a picture; none of the others.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    if knobs.unit() > MATRICES {
        let world = DataWorld::decode(knobs)?;
        return super::picture::of_scenario(&world.stage.scenario).map(Some);
    }
    Ok(None)
}

/// A world of either kind, and its facts.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    if knobs.unit() > MATRICES {
        let world = DataWorld::decode(knobs)?;
        let facts = world.maps()?.measure()?;
        let labels = world.stage.scenario.labels();
        return Ok(Observation::new(&world, facts).labelled(labels));
    }
    let world = World::decode(knobs);
    let facts = world.maps::<f64>(knobs.stream("maps"))?.measure()?;
    let labels = Labels::of("matrices").in_dimension(world.dim);
    Ok(Observation::new(&world, facts).labelled(labels))
}

/// The facts of a world of either kind, carried in extended precision; None in dimensions where that takes too long.
pub fn extended(knobs: &mut Knobs) -> Result<Option<Facts>> {
    if knobs.unit() > MATRICES {
        return DataWorld::decode(knobs)?.extended();
    }
    let world = World::decode(knobs);
    let maps = || world.maps::<Extended>(knobs.stream("maps"))?.facts();
    (world.dim <= MOST_DIMENSIONS).then(maps).transpose()
}

#[derive(Serialize)]
struct World {
    dim: usize,
    tangent: usize,
    maps: usize,
    /// Factor of the tangent block of each map.
    stretch: f64,
    /// Factor of the normal block relative to the tangent one.
    compression: f64,
    /// Size of the cross blocks.
    cross: f64,
    /// Size of the random part within the blocks.
    unevenness: f64,
    /// Slope of the start plane.
    start_slope: f64,
}

/// One map in its frames: J^k = U_{k+1}ᵀ dF_k U_k.
fn block_map(world: &World, stream: Stream) -> DMatrix<f64> {
    let (dim, d) = (world.dim, world.tangent);
    let noise = stream.normals(dim * dim);
    let size = (dim as f64).sqrt().recip();
    DMatrix::from_fn(dim, dim, |r, c| {
        let diagonal = match (r == c, r < d) {
            (true, true) => 1.0,
            (true, false) => world.compression,
            _ => 0.0,
        };
        let inside = (r < d) == (c < d);
        let random = if inside { world.unevenness } else { world.cross };
        world.stretch * (diagonal + random * size * noise[c * dim + r])
    })
}

impl World {
    fn decode(knobs: &mut Knobs) -> Self {
        // Maps of samplers in R^64 take seconds; matrices do not.
        let dim = if knobs.unit() > 1.0 - HIGH { HIGH_DIMENSION } else { knobs.count(2, 8) };
        Self {
            dim,
            tangent: knobs.count(1, (dim - 1).min(7)),
            maps: knobs.count(1, 12),
            stretch: knobs.log_range(0.3, 2.0),
            compression: knobs.range(0.2, 1.1),
            cross: knobs.range(0.0, 0.3),
            unevenness: knobs.range(0.0, 0.1),
            start_slope: knobs.log_range(0.02, 8.0),
        }
    }

    /// The maps in ambient coordinates, where the frames U_k are random and unrelated.
    fn maps<R: Real>(&self, stream: Stream) -> Result<Maps<R>> {
        let dim = self.dim;
        let frame = |k: usize| {
            let normals = stream.named("frames").indexed(k as u64).normals(dim * dim);
            let mut frame = DMatrix::from_vec(dim, dim, normals).map(R::from);
            orthonormalise(&mut frame);
            frame
        };
        let frames: Vec<DMatrix<R>> = (0..=self.maps).map(frame).collect();
        let ambient = |k: usize| {
            let block = block_map(self, stream.indexed(k as u64)).map(R::from);
            &frames[k + 1] * block * frames[k].transpose()
        };
        let jacobians: Vec<DMatrix<R>> = (0..self.maps).map(ambient).collect();
        let plane = start_plane(&frames[0], self.tangent, self.start_slope, stream)?;
        let planes = pushed(&jacobians, plane);
        let (tangent, start_slope) = (self.tangent, self.start_slope);
        let rounding = 32.0 * dim as f64 * R::EPSILON;
        Ok(Maps { tangent, jacobians, frames, planes, start_slope, rounding, stream })
    }
}

/// Frames of a plane and of its images.
fn pushed<R: Real>(jacobians: &[DMatrix<R>], plane: DMatrix<R>) -> Vec<DMatrix<R>> {
    let mut planes = vec![plane];
    for (k, jacobian) in jacobians.iter().enumerate() {
        let mut plane = jacobian * &planes[k];
        orthonormalise(&mut plane);
        planes.push(plane);
    }
    planes
}

/// What a step of a sampler is.
#[derive(Clone, Copy, Serialize)]
enum Step {
    /// Euler's step of the canonical flow in σ.
    Ddim,
    /// Heun's step of it.
    Heun,
    /// A step of the classical Runge–Kutta method.
    Rk4,
    /// A step with noise, which is frozen.
    Ancestral,
}

impl Step {
    /// The Runge–Kutta method of a step without noise.
    fn method(self) -> Option<Method> {
        match self {
            Self::Ddim => Some(Method::Euler),
            Self::Heun => Some(Method::Heun),
            Self::Rk4 => Some(Method::Rk4),
            Self::Ancestral => None,
        }
    }
}

/// A sampler of a law on a random manifold, run in the later stage.
#[derive(Serialize)]
pub struct DataWorld {
    stage: LaterStage,
    step: Step,
    steps: usize,
    start_slope: f64,
    #[serde(skip)]
    stream: Stream,
}

impl DataWorld {
    /// Decodes a data world; the plainest is DDIM on the uniform law of the unit circle.
    ///
    /// *Errors*: as [`crate::scenario::Scenario::decode`].
    pub fn decode(knobs: &mut Knobs) -> Result<Self> {
        let step = knobs.pick(&[Step::Ddim, Step::Heun, Step::Rk4, Step::Ancestral]);
        let steps = knobs.count(8, 40);
        let start_slope = knobs.log_range(0.02, 8.0);
        let stream = knobs.stream("sampler");
        let stage = LaterStage::decode(knobs, 0.0)?;
        Ok(Self { stage, step, steps, start_slope, stream })
    }

    /// The maps of the sampler in frames of the nearest points of its states.
    ///
    /// The plane travels with the states and not through the Jacobians, so that neither vouches for itself.
    ///
    /// *Errors*: as [`crate::manifold::Manifold::nearest`] for a state that is not finite.
    pub fn maps(&self) -> Result<Maps> {
        let (dim, d) = (self.stage.state.len(), self.stage.scenario.manifold().dim());
        let levels = self.stage.levels(self.steps);
        let identity = DMatrix::identity(dim, dim);
        let frame = |state: &[f64]| Ok(self.stage.frame(&self.stage.nearest(state)?));
        let mut state = self.stage.state.clone();
        let mut frames = vec![frame(&state)?];
        let mut planes = vec![start_plane(&frames[0], d, self.start_slope, self.stream)?];
        let mut jacobians = Vec::new();
        for k in 0..self.steps {
            jacobians.push(self.push(&levels, k, &state, &identity).1);
            let (next, mut plane) = self.push(&levels, k, &state, &planes[k]);
            orthonormalise(&mut plane);
            planes.push(plane);
            frames.push(frame(&next)?);
            state = next;
        }
        let (start_slope, stream) = (self.start_slope, self.stream);
        let rounding = PUSH_ROUNDING * dim as f64;
        Ok(Maps { tangent: d, jacobians, frames, planes, start_slope, rounding, stream })
    }

    /// The noise of the k-th step.
    fn noise(&self, k: usize) -> Vec<f64> {
        self.stream.named("noise").indexed(k as u64).normals(self.stage.state.len())
    }

    /// The facts of the same maps, carried in extended precision; None in dimensions where that takes too long.
    fn extended(&self) -> Result<Option<Facts>> {
        if self.stage.state.len() > MOST_DIMENSIONS {
            return Ok(None);
        }
        let (denoiser, start) = (&self.stage.denoiser, &self.stage.state);
        let levels = self.stage.levels(self.steps);
        let Carried { states, jacobians } = match self.step.method() {
            Some(method) => {
                let (sampler, drift) = (&Sampler::new(method, levels), &canonical(denoiser));
                carried::<Extended>(&Steps { sampler, drift }, 0.0, start)?
            }
            None => {
                let noise: Vec<_> = (0..self.steps).map(|k| self.noise(k)).collect();
                let (levels, noise) = (&levels, &noise);
                carried(&AncestralSteps { denoiser, levels, noise }, 0.0, start)?
            }
        };
        let frame = |state: &DVector<Extended>| {
            let state = state.map(|x| x.re());
            Ok(self.stage.frame(&self.stage.nearest(state.as_slice())?))
        };
        let frames = states.iter().map(frame).collect::<Result<Vec<_>>>()?;
        let d = self.stage.scenario.manifold().dim();
        let plane = start_plane(&orthonormal(&frames[0]), d, self.start_slope, self.stream)?;
        let maps = Maps::along(d, jacobians, &frames, plane, self.start_slope, self.stream);
        maps.facts().map(Some)
    }

    /// F_k(x) and dF_k(x)·V.
    fn push(
        &self,
        levels: &[f64],
        k: usize,
        state: &[f64],
        directions: &DMatrix<f64>,
    ) -> (Vec<f64>, DMatrix<f64>) {
        let (dim, lanes) = (state.len(), Lanes::single(directions.ncols()));
        let mut block = [state, directions.as_slice()].concat();
        let (denoiser, mut work) = (&self.stage.denoiser, StepWorkspace::default());
        match self.step.method() {
            Some(method) => {
                let sampler = Sampler::new(method, levels[k..k + 2].to_vec());
                sampler.step(&canonical(denoiser), 0, &mut block, lanes, &mut work);
            }
            None => {
                let (from, to) = (levels[k], levels[k + 1]);
                ancestral_step(denoiser, from, to, &self.noise(k), &mut block, lanes, &mut work);
            }
        }
        let pushed = DMatrix::from_column_slice(dim, directions.ncols(), &block[dim..]);
        (block[..dim].to_vec(), pushed)
    }
}

/// A frame that is orthonormal in all digits of another number.
fn orthonormal<R: Real>(frame: &DMatrix<f64>) -> DMatrix<R> {
    let mut frame = frame.map(R::from);
    orthonormalise(&mut frame);
    frame
}

/// Maps with frames, and the plane that they carry along: what T2.2 speaks of.
pub struct Maps<R: Real = f64> {
    /// Tangent directions d: the first columns of every frame.
    pub tangent: usize,
    /// dF_0, …, dF_{K−1}, `D×D`.
    pub jacobians: Vec<DMatrix<R>>,
    /// U_0, …, U_K, `D×D`.
    pub frames: Vec<DMatrix<R>>,
    /// E_0, …, E_K, `D×d`.
    pub planes: Vec<DMatrix<R>>,
    /// The slope of E_0, which is that of the cone too.
    start_slope: f64,
    /// Relative rounding of one map.
    rounding: f64,
    stream: Stream,
}

impl<R: Real> Maps<R> {
    /// The maps of a smooth flow, with frames and the planes that it carries along.
    pub(super) fn new(
        tangent: usize,
        jacobians: Vec<DMatrix<R>>,
        frames: Vec<DMatrix<R>>,
        planes: Vec<DMatrix<R>>,
        start_slope: f64,
        stream: Stream,
    ) -> Self {
        let rounding = push_rounding::<R>() * frames[0].nrows() as f64;
        Self { tangent, jacobians, frames, planes, start_slope, rounding, stream }
    }

    /// Maps carried in another number than their frames, with the images of a plane by their Jacobians.
    pub(super) fn along(
        tangent: usize,
        jacobians: Vec<DMatrix<R>>,
        frames: &[DMatrix<f64>],
        mut plane: DMatrix<R>,
        start_slope: f64,
        stream: Stream,
    ) -> Self {
        orthonormalise(&mut plane);
        let planes = pushed(&jacobians, plane);
        let frames = frames.iter().map(orthonormal).collect();
        Self::new(tangent, jacobians, frames, planes, start_slope, stream)
    }

    /// Block sizes of every map and of their product, slopes of the planes, and those of images of the first cone.
    ///
    /// *Errors*: [`crate::error::Error::Numeric`] when a singular value decomposition fails.
    pub(super) fn facts(&self) -> Result<Facts> {
        let (d, dim, maps) = (self.tangent, self.frames[0].nrows(), self.jacobians.len());
        let rounding = self.rounding;
        let mut facts = Facts::new();
        let state = |facts: &mut Facts, prefix: &str, j: &DMatrix<R>, steps: f64| -> Result<()> {
            let bar = rounding * steps * spectral_norm(j)?.re();
            let part = |r, c, h, w| j.view((r, c), (h, w)).into_owned();
            for (name, value) in [
                ("tt", least_singular_value(&part(0, 0, d, d))?),
                ("nn", spectral_norm(&part(d, d, dim - d, dim - d))?),
                ("nt", spectral_norm(&part(d, 0, dim - d, d))?),
                ("tn", spectral_norm(&part(0, d, d, dim - d))?),
            ] {
                facts.push(&format!("{prefix}_{name}"), stated(value, bar, Grade::Symbolic));
            }
            Ok(())
        };
        let mut product = DMatrix::identity(dim, dim);
        for (k, jacobian) in self.jacobians.iter().enumerate() {
            state(&mut facts, "step", &self.block(k), 1.0)?;
            product = jacobian * product;
        }
        let whole = self.frames[maps].tr_mul(&product) * &self.frames[0];
        state(&mut facts, "product", &whole, maps as f64)?;

        for (k, (frame, plane)) in self.frames.iter().zip(&self.planes).enumerate() {
            let (ut, un) = split(frame, d);
            let slope = slope_over(plane, &ut, &un)?;
            let bar = rounding * (1 + k) as f64 * (1.0 + slope.re() * slope.re()) * 10.0;
            facts.push("slope", stated(slope, bar, Grade::Estimated));
        }

        let first = self.block(0);
        let mut worst = R::from(0.0);
        for i in 0..PLANES {
            let stream = self.stream.named("cone").indexed(i as u64);
            let graph = random_graph(dim, d, self.start_slope, stream)?;
            let mut start = DMatrix::identity(dim, d);
            start.view_mut((d, 0), (dim - d, d)).copy_from(&graph);
            let image = &first * start;
            let slope = image.rows(d, dim - d) * inverse(&image.rows(0, d).into_owned())?;
            let norm = spectral_norm(&slope)?;
            worst = if norm > worst { norm } else { worst };
        }
        let bar = 1e3 * rounding * (1.0 + worst.re() * worst.re());
        // Of the planes that were drawn, not of all: their slopes are known to rounding.
        facts.set("cone_image_slope", stated(worst, bar, Grade::Estimated));
        Ok(facts)
    }

    /// J^k, the k-th map in its frames.
    fn block(&self, k: usize) -> DMatrix<R> {
        self.frames[k + 1].tr_mul(&self.jacobians[k]) * &self.frames[k]
    }
}

impl Maps {
    /// Block sizes of every map and of their product, slopes of the planes, and the cone form of the first map.
    ///
    /// *Errors*: [`crate::error::Error::Numeric`] when a singular value decomposition fails.
    pub fn measure(&self) -> Result<Facts> {
        let mut facts = self.facts()?;
        let cone = cone_slope(&self.block(0), self.tangent, self.start_slope);
        facts.set("cone_slope", Quantity::new(cone, 1e-9 * (1.0 + cone), Grade::Estimated));
        Ok(facts)
    }
}

/// U_T and U_N.
fn split<R: Real>(frame: &DMatrix<R>, d: usize) -> (DMatrix<R>, DMatrix<R>) {
    (frame.columns(0, d).into_owned(), frame.columns(d, frame.ncols() - d).into_owned())
}

/// An orthonormal basis of a random d-plane of this slope over the frame.
fn start_plane<R: Real>(
    frame: &DMatrix<R>,
    d: usize,
    slope: f64,
    stream: Stream,
) -> Result<DMatrix<R>> {
    let graph = random_graph(frame.nrows(), d, slope, stream.named("plane"))?;
    let (ut, un) = split(frame, d);
    let mut plane = ut + un * graph;
    orthonormalise(&mut plane);
    Ok(plane)
}

/// A random `(D−d)×d` graph operator of the given norm, half of them of rank one (the extreme ones).
fn random_graph<R: Real>(dim: usize, d: usize, slope: f64, stream: Stream) -> Result<DMatrix<R>> {
    let noise: Vec<R> = stream.normals((dim - d) * d + dim).into_iter().map(R::from).collect();
    let graph = if noise[0] > 0.0 {
        let (v, u) = (&noise[1..1 + dim - d], &noise[1 + dim - d..1 + dim]);
        DVector::from_column_slice(v) * DVector::from_column_slice(&u[..d]).transpose()
    } else {
        DMatrix::from_column_slice(dim - d, d, &noise[..(dim - d) * d])
    };
    let norm = spectral_norm(&graph)?;
    Ok(graph * (R::from(slope) / norm))
}

/// The least l' for which some s ≥ 0 gives JᵀQ_{l'}J − s Q_l ⪰ 0 (T2.2d), by bisection;
/// ∞ when no l' up to 10⁶ does.
fn cone_slope(j: &DMatrix<f64>, d: usize, slope: f64) -> f64 {
    let dim = j.nrows();
    let form = |l: f64| {
        DMatrix::from_diagonal(&DVector::from_fn(dim, |i, _| if i < d { l * l } else { -1.0 }))
    };
    let inner = form(slope);
    let includes = |image_slope: f64| {
        let pulled = j.tr_mul(&(form(image_slope) * j));
        // λ_min(pulled − s·inner) is concave in s, with a kink at its top: golden section to rounding.
        let least = |s: f64| *symmetric_eigen(&(&pulled - &inner * s)).0.last().expect("D > 0");
        let scale = pulled.amax() * dim as f64;
        let (mut low, mut high) = (0.0, scale * (1.0 + 1.0 / (slope * slope)));
        for _ in 0..80 {
            let (left, right) = (low + 0.382 * (high - low), low + 0.618 * (high - low));
            if least(left) < least(right) { low = left } else { high = right }
        }
        least(0.5 * (low + high)) >= -1e-13 * scale
    };
    let (mut low, mut high) = (1e-9_f64, 1e6_f64);
    if !includes(high) {
        return f64::INFINITY;
    }
    for _ in 0..48 {
        let middle = (low * high).sqrt();
        if includes(middle) { high = middle } else { low = middle }
    }
    high
}
