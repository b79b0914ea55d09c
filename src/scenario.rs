//! A data world: a law on a manifold, the exact denoiser of that law, and the noise levels between which it is run.

mod labels;

pub use labels::{Corner, HIGH_DIMENSION, Labels, MANY_MODES};

use crate::drift::{Atoms, Canonical, Denoiser, Moved, Sphere};
use crate::error::Result;
use crate::flow::{Method, Sampler, geometric_times};
use crate::manifold::{Chart, Density, Family, Law, Manifold};
use crate::random::{Knobs, Stream};
use nalgebra::{DMatrix, DVectorView};
use serde::{Deserialize, Serialize};

/// Most atoms of a quadrature rule on a curve.
const MOST_CURVE_NODES: usize = 3000;

/// Nodes per axis of a quadrature rule on a surface.
const SURFACE_NODES: usize = 48;

/// Phase and strength of the ripples of a law of many modes: three ridges from side to side, five or so on a closed
/// curve, e³ times as dense as the troughs.
const RIPPLES: (f64, f64) = (8.0, 1.5);

/// Points of the law that its spread is taken from.
const SPREAD: usize = 32;

/// Atoms drawn where neither a closed form nor a quadrature rule serves.
const SAMPLES: usize = 1500;

/// Maps of the canonical flow between the two noise levels.
pub const STEPS: usize = 100;

/// The parameters of a data world.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scenario {
    /// What the manifold was drawn from.
    pub family: Family,
    /// The law of the data, on its manifold.
    pub law: Law,
    /// Noise level at which the run starts.
    pub sigma_start: f64,
    /// Noise level at which it ends.
    pub sigma_end: f64,
    /// The state it starts from, at noise level `sigma_start`.
    pub start: Vec<f64>,
    /// What makes it hard.
    corners: Vec<Corner>,
    /// Nodes along each axis of a quadrature rule; 0 for a closed form, or samples.
    nodes: usize,
    /// Where samples and planes of this world are drawn from.
    stream: Stream,
}

impl Scenario {
    /// Decodes a data world; the plainest is the unit circle in the plane, uniform.
    ///
    /// *Errors*: as [`Manifold::draw`] and [`Law::sample`].
    pub fn decode(knobs: &mut Knobs, families: &[Family]) -> Result<Self> {
        Self::decode_in(knobs, families, &[2, 3, 4, 6, 10, 16, 64])
    }

    /// [`Scenario::decode`] with these ambient dimensions to choose from.
    ///
    /// *Errors*: as there.
    pub fn decode_in(knobs: &mut Knobs, families: &[Family], ambients: &[usize]) -> Result<Self> {
        let family = knobs.pick(families);
        let ambient = knobs.pick(ambients).max(family.least_ambient());
        let (fine, high) = (knobs.unit(), knobs.range(0.4, 1.5));
        let shape = knobs.pick(&[Shape::Uniform, Shape::Uniform, Shape::Tilted, Shape::Rippled]);
        let stream = knobs.stream("scenario");
        let manifold = Manifold::draw(family, ambient, knobs)?;
        // Noise is measured against the length on which the manifold bends.
        let reach = manifold.reach().value;
        let length = reach.min(2.0);
        let (least, most): (f64, f64) = match (has_closed_form(&manifold, shape), manifold.dim()) {
            (true, _) | (false, 1) => (0.02, 0.1),
            (false, 2) => (0.15, 0.25),
            _ => (0.3, 0.4),
        };
        let sigma_end = length * (least.ln() + fine * (most / least).ln()).exp();
        let sigma_start = length * high;
        let density = match shape {
            Shape::Uniform => Density::Uniform,
            Shape::Tilted => {
                let mut direction = stream.named("tilt").normals(ambient);
                direction.iter_mut().for_each(|c| *c *= 0.5 / (ambient as f64).sqrt());
                Density::Tilt { direction }
            }
            Shape::Rippled => {
                Density::ripples(&manifold, RIPPLES.0, RIPPLES.1, stream.named("ripples"))
            }
        };
        let nodes = match manifold.dim() {
            _ if has_closed_form(&manifold, shape) => 0,
            1 => {
                let spacing = 0.35 * sigma_end;
                ((manifold.volume(200)? / spacing) as usize).clamp(50, MOST_CURVE_NODES)
            }
            2 => SURFACE_NODES,
            _ => 0,
        };
        let law = Law::OnManifold { manifold, density, thickness: 0.0 };
        let mut start = law.sample(1, stream.named("point"))?.as_slice().to_vec();
        let noise = stream.named("noise").normals(ambient);
        start.iter_mut().zip(noise).for_each(|(x, n)| *x += sigma_start * n);
        let corners = corners(&law, reach, &start, shape, stream)?;
        Ok(Self { family, law, sigma_start, sigma_end, start, corners, nodes, stream })
    }

    /// Its family of manifolds, and what makes it hard.
    pub fn labels(&self) -> Labels {
        Labels { corners: self.corners.clone(), ..Labels::of(self.family.name()) }
    }

    /// The manifold of the data.
    pub fn manifold(&self) -> &Manifold {
        match &self.law {
            Law::OnManifold { manifold, .. } => manifold,
            _ => unreachable!("a scenario is decoded with a law on a manifold"),
        }
    }

    /// The exact posterior mean of the law: a closed form, a quadrature rule, or samples that then are the law.
    ///
    /// *Errors*: as [`Law::quadrature`] and [`Law::sample`].
    pub fn denoiser(&self) -> Result<Denoiser> {
        let Law::OnManifold { manifold, density, .. } = &self.law else {
            unreachable!("a scenario is decoded with a law on a manifold")
        };
        if let (Some(radius), true) = (sphere_radius(manifold), *density == Density::Uniform) {
            let sphere = Sphere::new(manifold.dim() + 1, radius)?;
            let motion = &manifold.pieces()[0].motion;
            let centre = motion.apply(&vec![0.0; motion.chart_dim()]);
            return Ok(Moved::new(sphere.into(), motion.matrix(), centre)?.into());
        }
        if self.nodes > 0 {
            let (points, weights) = self.law.quadrature(self.nodes)?;
            return Ok(Atoms::quadrature(points.nrows(), points.as_slice(), &weights, 0.0)?.into());
        }
        let points = self.law.sample(SAMPLES, self.stream.named("samples"))?;
        Ok(Atoms::new(points.nrows(), points.as_slice().to_vec(), None, 0.0)?.into())
    }

    /// The maps of the canonical flow from `sigma_start` to `sigma_end`, equal steps of log σ.
    pub fn sampler(&self) -> Sampler {
        Sampler::new(Method::Rk4, geometric_times(self.sigma_start, self.sigma_end, STEPS))
    }

    /// A random `D×k` start plane of this world.
    pub fn plane(&self, k: usize) -> DMatrix<f64> {
        let dim = self.start.len();
        let stream = self.stream.named("plane");
        crate::linalg::frame_from_normals(dim, k, &stream.normals(dim * k))
    }
}

/// The flow of a scenario in canonical form.
pub fn canonical(denoiser: &Denoiser) -> Canonical<'_, Denoiser> {
    Canonical { denoiser }
}

/// The radius of a sphere of any dimension; a circle is an ellipse with equal axes.
pub(crate) fn sphere_radius(manifold: &Manifold) -> Option<f64> {
    match manifold.pieces() {
        [piece] => match &piece.chart {
            Chart::Sphere(sphere) => Some(sphere.radius),
            Chart::Ellipse(ellipse) if ellipse.a == ellipse.b => Some(ellipse.a),
            _ => None,
        },
        _ => None,
    }
}

/// The densities that are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Uniform,
    Tilted,
    Rippled,
}

/// What makes a data world hard.
fn corners(
    law: &Law,
    reach: f64,
    start: &[f64],
    shape: Shape,
    stream: Stream,
) -> Result<Vec<Corner>> {
    let Law::OnManifold { manifold, .. } = law else {
        unreachable!("a scenario is decoded with a law on a manifold")
    };
    let curvature = manifold.curvature().value;
    let points = law.sample(SPREAD, stream.named("spread"))?;
    let mean = points.column_mean();
    let square = |x: DVectorView<f64>| (x - &mean).norm_squared();
    let spread = (points.column_iter().map(square).sum::<f64>() / SPREAD as f64).sqrt();
    let labels = Labels::of("")
        .with(Corner::HighCurvature, curvature * spread > 4.0)
        .with(Corner::ThinReach, reach * curvature < 0.5)
        .with(Corner::Boundary, manifold.nearest(start)?.boundary)
        .with(Corner::ManyModes, shape == Shape::Rippled)
        .in_dimension(start.len());
    Ok(labels.corners)
}

fn has_closed_form(manifold: &Manifold, shape: Shape) -> bool {
    shape == Shape::Uniform && sphere_radius(manifold).is_some()
}
