//! Displacements by an error of finite size, at first order, and under white errors, for T4.2.

mod measure;

use super::Observation;
use super::linear::{Blocks, LinearWorld};
use super::picture::{STEPS, Scene, Size, samples, scattered};
use crate::drift::{
    Channel, Denoise, Denoiser, Drift, Gaussian, LearningError, Product, Rotating, Sphere,
};
use crate::error::Result;
use crate::facts::Facts;
use crate::figure::Panel;
use crate::flow::{InexactFlow, Method, Sampler, uniform_times};
use crate::linalg::complement;
use crate::random::{Knobs, Stream};
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Growth of a linear world in all, as a logarithm.
const MOST_GROWTH: f64 = 4.0;

/// The exact flow.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Flow {
    /// Linear, with prescribed blocks in a turning frame.
    Linear(Rotating),
    /// y' = D − y in u = −log σ, for a sphere times a Gaussian with flat directions, in a frame at rest.
    Path {
        /// Dimension of the space of the sphere and its radius.
        sphere: Option<(usize, f64)>,
        /// Variances of the other coordinates.
        variances: Vec<f64>,
    },
}

#[derive(Serialize)]
struct World {
    flow: Flow,
    /// Tangent directions d.
    tangent: usize,
    from: f64,
    to: f64,
    start: Vec<f64>,
    error: LearningError,
    epsilon: f64,
    /// Intensity of white errors.
    white: f64,
    /// `[U_T U_N]` of a frame at rest.
    #[serde(skip)]
    frame: DMatrix<f64>,
}

/// The canonical flow in u = −log σ.
struct InLogNoise(Denoiser);

impl InLogNoise {
    /// Of a sphere times a Gaussian.
    fn new(sphere: Option<(usize, f64)>, variances: &[f64]) -> Result<Self> {
        let mut factors: Vec<Denoiser> = Vec::new();
        if let Some((n, radius)) = sphere {
            factors.push(Sphere::new(n, radius)?.into());
        }
        if !variances.is_empty() {
            factors.push(Gaussian::diagonal(variances)?.into());
        }
        Ok(Self(Product::new(factors)?.into()))
    }
}

impl Drift for InLogNoise {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn velocity<S: Scalar>(&self, u: S, y: &[S], out: &mut [S]) {
        self.0.denoise(Channel::canonical((-u).exp()), y, out);
        out.iter_mut().zip(y).for_each(|(v, y)| *v -= *y);
    }
}

impl World {
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let linear = knobs.unit() < 0.6;
        let triangular = knobs.unit() < 0.25;
        // Nothing turns and nothing cancels: with D = 2 the bounds are attained.
        let aligned = knobs.unit() < 0.4;
        let size = knobs.log_range(0.01, 1.0);
        let angle = knobs.unit() * std::f64::consts::FRAC_PI_2;
        let kind = knobs.unit();
        let white = knobs.log_range(0.1, 1.0);
        let stream = knobs.stream("displacement");
        let (flow, tangent, from, to, frame) = match linear {
            true => Self::linear(knobs, triangular, aligned),
            false => Self::path(knobs, stream),
        };
        let dim = frame.nrows();
        let mut start = DVector::from_vec(stream.named("start").normals(dim));
        if let Flow::Path { sphere: Some((n, radius)), .. } = flow {
            // Along the first normal of the frame, which then is the radius.
            let out = frame.view((0, tangent), (n, 1)) * (radius * (0.5 + angle));
            start.rows_mut(0, n).copy_from(&out.column(0));
        }
        let mut direction = DVector::zeros(dim);
        let weights = stream.named("error").normals(dim);
        for (i, weight) in weights.iter().enumerate() {
            let share = if i < tangent { angle.cos() } else { angle.sin() };
            let weight = if aligned { weight.abs() } else { *weight };
            direction += frame.column(i) * (share * weight);
        }
        let direction = direction.as_slice();
        let error = match kind {
            k if aligned || k < 0.4 => LearningError::constant(direction),
            k if k < 0.7 => LearningError::ripple(direction, &stream.named("ripple").normals(dim)),
            _ => LearningError::fourier(dim, 2, 1.0, 1.0, stream.named("fourier")),
        };
        let start = start.as_slice().to_vec();
        Ok(Self { flow, tangent, from, to, start, error, epsilon: size, white, frame })
    }

    fn linear(
        knobs: &mut Knobs,
        triangular: bool,
        aligned: bool,
    ) -> (Flow, usize, f64, f64, DMatrix<f64>) {
        let LinearWorld { tangent, span, mut flow, .. } = LinearWorld::decode(knobs, Blocks::Full);
        let dim = flow.mean.nrows();
        // Blocks of A itself in a frame that turns past it: κ and η are then those of the turning.
        flow.carried = knobs.unit() < 0.6;
        if aligned {
            flow.turns.iter_mut().for_each(|turn| turn.rate = 0.0);
        }
        for r in 0..dim {
            for c in 0..dim {
                if triangular && r >= tangent && c < tangent {
                    (flow.mean[(r, c)], flow.wave[(r, c)]) = (0.0, 0.0);
                }
                if aligned && r != c {
                    // |mean| + |wave| (1 + sin) stays positive.
                    flow.wave[(r, c)] = flow.wave[(r, c)].abs();
                    flow.mean[(r, c)] = flow.mean[(r, c)].abs() + flow.wave[(r, c)];
                }
            }
        }
        let (frame, _) = flow.frame_and_rate(0.0);
        let span = span.min(MOST_GROWTH / (flow.mean.norm() + flow.wave.norm()).max(1e-9));
        (Flow::Linear(flow), tangent, 0.0, span, frame)
    }

    fn path(knobs: &mut Knobs, stream: Stream) -> (Flow, usize, f64, f64, DMatrix<f64>) {
        let round = knobs.unit() < 0.6;
        let sphere = round.then(|| (knobs.pick(&[2, 3, 4]), knobs.log_range(1.0, 2.0)));
        let least = usize::from(!round);
        let (plane, flat) = (knobs.count(least, 2), knobs.count(least, 2));
        let mut variances: Vec<f64> = (0..plane).map(|_| knobs.log_range(1.0, 0.2)).collect();
        variances.extend(vec![0.0; flat]);
        let n = sphere.map_or(0, |(n, _)| n);
        let dim = n + plane + flat;
        let tangent = n.saturating_sub(1) + plane;
        let mut normal = DMatrix::zeros(dim, dim - tangent);
        if n > 0 {
            let out = DVector::from_vec(stream.named("radius").normals(n)).normalize();
            normal.view_mut((0, 0), (n, 1)).copy_from(&out);
        }
        for j in 0..flat {
            normal[(n + plane + j, usize::from(n > 0) + j)] = 1.0;
        }
        let tangents = complement(&normal);
        let column = |c: usize| match c < tangent {
            true => tangents.column(c).into_owned(),
            false => normal.column(c - tangent).into_owned(),
        };
        let frame = DMatrix::from_columns(&(0..dim).map(column).collect::<Vec<_>>());
        let from = -knobs.range(0.0, 1.0);
        let to = from + knobs.range(1.0, 3.0);
        (Flow::Path { sphere, variances }, tangent, from, to, frame)
    }

    /// (U, U') at a time.
    fn frame_and_rate(&self, t: f64) -> (DMatrix<f64>, DMatrix<f64>) {
        match &self.flow {
            Flow::Linear(flow) => flow.frame_and_rate(t),
            Flow::Path { .. } => (self.frame.clone(), DMatrix::zeros(0, 0)),
        }
    }
}

/// The facts of z' = A z from `start` with a constant error, the first `tangent` axes tangent.
///
/// *Errors*: as [`crate::flow::Trajectory::from`].
pub fn measure_linear(
    matrix: &DMatrix<f64>,
    tangent: usize,
    span: f64,
    start: &[f64],
    error: &[f64],
) -> Result<Facts> {
    let dim = matrix.nrows();
    let flow = Rotating {
        turns: Vec::new(),
        mean: matrix.clone(),
        wave: DMatrix::zeros(dim, dim),
        frequency: 0.0,
        carried: false,
    };
    let world = World {
        flow: Flow::Linear(flow.clone()),
        tangent,
        from: 0.0,
        to: span,
        start: start.to_vec(),
        error: LearningError::constant(error),
        epsilon: 1.0,
        white: 1.0,
        frame: DMatrix::identity(dim, dim),
    };
    world.measure(&flow)
}

/// A Gaussian path; None for linear systems.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs)?;
    let Flow::Path { sphere, variances } = &world.flow else { return Ok(None) };
    let drift = &InLogNoise::new(*sphere, variances)?;
    let sampler = Sampler::new(Method::Rk4, uniform_times(world.from, world.to, STEPS));
    let maps = &InexactFlow { sampler: &sampler, drift, error: &world.error };
    let (size, starts) = (Size::Of(world.epsilon), &scattered(&world.start));
    Scene { maps, size, starts, data: Some(samples((&drift.0, 1.0))?) }.draw()
}

/// Decodes and measures.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let facts = match &world.flow {
        Flow::Linear(flow) => world.measure(flow)?,
        Flow::Path { sphere, variances } => world.measure(&InLogNoise::new(*sphere, variances)?)?,
    };
    let labels = Labels::of(match world.flow {
        Flow::Linear(_) => "linear",
        Flow::Path { .. } => "gaussian path",
    });
    Ok(Observation::new(&world, facts).labelled(labels))
}
