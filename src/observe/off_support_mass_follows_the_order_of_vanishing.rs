//! Mass that inexact models put outside of compact bodies, for T1.5 (a)–(c).

mod rays;

pub use rays::measure;

use super::Observation;
use super::displaced::start_of;
use super::picture::{ORBITS, Scene, Size};
use crate::drift::{Drift, LearningError};
use crate::error::Result;
use crate::facts::Facts;
use crate::figure::Panel;
use crate::flow::{InexactFlow, Method, Sampler, uniform_times};
use crate::linalg::dot;
use crate::manifold::{Body, Outline};
use crate::random::{Knobs, Stream, unit_vector};
use crate::scalar::Scalar;
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Directions in the plane, evenly spaced, and in more dimensions, drawn.
const PLANAR: usize = 128;
const DRAWN: usize = 32;

/// A world: the body that carries the exact law at the end, the exact model, and its error.
#[derive(Serialize)]
struct World {
    body: Body,
    /// The exact velocity; None for a model that rests.
    exact: Option<LearningError>,
    error: Push,
    method: Method,
    maps: usize,
    /// ε_0.
    epsilon: f64,
    #[serde(skip)]
    stream: Stream,
}

/// An error field.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Push {
    /// A sum of waves.
    Waves(LearningError),
    /// x ↦ M (x − centre), M row by row.
    Linear {
        /// Where it vanishes.
        centre: Vec<f64>,
        /// M.
        matrix: Vec<f64>,
    },
}

impl Drift for Push {
    fn dim(&self) -> usize {
        match self {
            Self::Waves(waves) => waves.dim(),
            Self::Linear { centre, .. } => centre.len(),
        }
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        match self {
            Self::Waves(waves) => waves.velocity(t, x, out),
            Self::Linear { centre, matrix } => {
                for (out, row) in out.iter_mut().zip(matrix.chunks_exact(x.len())) {
                    let terms = row.iter().zip(x.iter().zip(centre));
                    *out = terms.fold(S::from(0.0), |sum, (&m, (&x, &c))| sum + (x - c) * m);
                }
            }
        }
    }
}

impl World {
    /// Decodes a world; the plainest is the uniform disc, moved by one explicit map.
    fn decode(knobs: &mut Knobs) -> Result<Self> {
        let dim = knobs.pick(&[2, 2, 2, 2, 3, 4, 6, 16, 64]);
        let order = knobs.pick(&[0, 1, 2]);
        let star = dim == 2 && knobs.unit() > 0.5;
        let aspect = knobs.log_range(1.0, 3.0);
        let bumps = knobs.range(0.0, 0.6);
        let kind = knobs.unit();
        let flows = knobs.unit() > 0.6;
        let epsilon = knobs.range(0.02, 0.08);
        let length = knobs.log_range(0.7, 3.0);
        let waves = knobs.count(1, 4);
        let stream = knobs.stream("body");
        let centre = stream.named("centre").normals(dim);
        let outline = match star {
            true => {
                let terms = stream.named("star").normals(6);
                // Falling as 1/m²: the outline stays smooth, its curvature changes sign.
                let total: f64 =
                    (0..6).map(|i| terms[i].abs() / ((i / 2 + 1) as f64).powi(2)).sum();
                let term = |i: usize| bumps * terms[i] / (((i / 2 + 1) as f64).powi(2) * total);
                let [cosines, sines] =
                    [0, 1].map(|which| (0..3).map(|m| term(2 * m + which)).collect());
                Outline::Star { radius: 1.0, cosines, sines }
            }
            false => {
                let shares = stream.named("axes").uniforms(dim);
                let half_axes = shares.iter().map(|u| aspect.powf(u - 0.5)).collect();
                let mirror = unit_vector(&mut stream.named("mirror").rng(), dim);
                Outline::Ellipsoid { half_axes, mirror }
            }
        };
        let body = Body::new(centre.clone(), outline, order)?;
        // The error is measured against the depth on which the leading order holds.
        let size = body.layer(256);
        let linear = |matrix: Vec<f64>| Push::Linear { centre: centre.clone(), matrix };
        let small = dim <= 6;
        let error = match kind {
            k if k > 0.85 && small => linear(
                (0..dim * dim)
                    .map(|i| if i / dim == i % dim { -0.5 * size } else { 0.0 })
                    .collect(),
            ),
            k if k > 0.7 && small && !star => {
                linear(tangential(&body, &stream.named("spin").normals(dim * dim), 0.5 * size))
            }
            _ => {
                Push::Waves(LearningError::fourier(dim, waves, length, size, stream.named("error")))
            }
        };
        let moving = flows && small && matches!(error, Push::Waves(_));
        let exact = moving.then(|| LearningError::fourier(dim, 2, 1.5, 0.3, stream.named("exact")));
        let (method, maps) = if flows { (Method::Heun, 3) } else { (Method::Euler, 1) };
        Ok(Self { body, exact, error, method, maps, epsilon, stream })
    }

    fn sampler(&self) -> Sampler {
        Sampler::new(self.method, uniform_times(0.0, 1.0, self.maps))
    }

    /// Measures the world.
    ///
    /// *Errors*: [`Error::Numeric`] when a start or an exit is not found.
    fn measure(&self) -> Result<Facts> {
        let sampler = self.sampler();
        let rest = LearningError::constant(&vec![0.0; self.body.dim()]);
        let drift = self.exact.as_ref().unwrap_or(&rest);
        let maps = InexactFlow { sampler: &sampler, drift, error: &self.error };
        let count = if self.body.dim() == 2 { PLANAR } else { DRAWN };
        let directions = self.body.directions(count, self.stream.named("directions"));
        measure(&self.body, &maps, self.exact.is_none(), &directions, self.epsilon)
    }
}

/// A S A⁻¹ for an antisymmetric S: tangent to all q = const of an ellipsoid {c + A u}.
fn tangential(body: &Body, normals: &[f64], size: f64) -> Vec<f64> {
    let dim = body.dim();
    // Columns of A and A⁻ᵀ: the boundary in the directions of the axes, and its conjugate.
    let unit = |i: usize| -> Vec<f64> { (0..dim).map(|j| f64::from(u8::from(i == j))).collect() };
    let from =
        |p: &[f64]| -> Vec<f64> { p.iter().zip(body.centre()).map(|(p, c)| p - c).collect() };
    let axes: Vec<Vec<f64>> = (0..dim).map(|i| from(&body.at_depth(&unit(i), 0.0))).collect();
    let mut matrix = vec![0.0; dim * dim];
    for i in 0..dim {
        for j in 0..dim {
            let spin = (normals[i * dim + j] - normals[j * dim + i]) * size / (dim as f64).sqrt();
            let square = dot(&axes[j], &axes[j]);
            for r in 0..dim {
                for c in 0..dim {
                    matrix[r * dim + c] += axes[i][r] * spin * axes[j][c] / square;
                }
            }
        }
    }
    matrix
}

/// The boundary of the body, and points of it under the exact model and under the model with the error.
pub fn picture(knobs: &mut Knobs) -> Result<Option<Panel>> {
    let world = World::decode(knobs)?;
    let sampler = world.sampler();
    let rest = LearningError::constant(&vec![0.0; world.body.dim()]);
    let drift = world.exact.as_ref().unwrap_or(&rest);
    let maps = &InexactFlow { sampler: &sampler, drift, error: &world.error };
    let boundary = |count: usize, name: &str| -> Vec<Vec<f64>> {
        let directions = world.body.directions(count, world.stream.named(name));
        directions.iter().map(|(direction, _)| world.body.at_depth(direction, 0.0)).collect()
    };
    let outline: Vec<DVector<f64>> =
        boundary(PLANAR, "outline").into_iter().map(DVector::from_vec).collect();
    let origin = |end: Vec<f64>| {
        let end = DVector::from_vec(end);
        Ok(start_of(maps, 0.0, &end, end.clone())?.0.as_slice().to_vec())
    };
    let origins = boundary(ORBITS, "picture").into_iter().map(origin);
    let (data, starts) =
        (Some(DMatrix::from_columns(&outline)), &origins.collect::<Result<Vec<_>>>()?);
    Scene { maps, size: Size::Visible, starts, data }.draw()
}

/// Decodes and measures.
pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs)?;
    let facts = world.measure()?;
    let family = match world.body.outline() {
        Outline::Ellipsoid { .. } => "ellipsoid",
        Outline::Star { .. } => "star",
    };
    let labels = Labels::of(family).in_dimension(world.body.dim());
    Ok(Observation::new(&world, facts).labelled(labels))
}
