//! Data on convex curves in the plane: their exact flow, where it ends, and its tangent map there.

use super::shape::outline;
use crate::drift::{Atoms, Canonical, Channel, Denoise, Denoiser, Lanes};
use crate::error::{Error, Result};
use crate::flow::{Method, Sampler, StepWorkspace, geometric_times};
use crate::lyapunov::spectrum;
use crate::manifold::{Chart, Density, Ellipse, Law, Manifold, Nearest, Place};
use crate::random::Stream;
use nalgebra::{DMatrix, Matrix2, Vector2};
use rayon::prelude::*;

/// Maps of the flow between two noise levels.
pub const STEPS: usize = 100;

/// The noise level at which every flow starts.
const SIGMA_START: f64 = 2.0;

/// Trajectories that are moved together.
const TOGETHER: usize = 32;

/// A union of convex curves with a law on it.
pub struct Curve {
    /// What it is called in figures.
    pub name: &'static str,
    /// The curve.
    pub manifold: Manifold,
    /// The posterior of the data.
    pub denoiser: Denoiser,
    /// The noise level at which the flow starts.
    pub sigma_start: f64,
    law: Law,
    /// A point inside each piece, on the side to which it bends.
    centres: Vec<Vector2<f64>>,
}

/// Where an orbit is at a noise level, and what is above and below it there.
#[derive(Clone, Debug)]
pub struct End {
    /// The noise level σ.
    pub sigma: f64,
    /// The state y.
    pub state: Vector2<f64>,
    /// The nearest point of the curve.
    pub foot: Nearest,
    /// A unit tangent at the nearest point.
    pub tangent: Vector2<f64>,
    /// The top left singular vector of the flow's Jacobian.
    pub top: Vector2<f64>,
    /// log σ_1/σ_2 of that Jacobian.
    pub gap: f64,
    /// ∇ log p_σ(y).
    pub score: Vector2<f64>,
    /// The relative compression γ at y (T2.5).
    pub gamma: f64,
    /// The cross term κ at y, with the turning of the frame.
    pub kappa: f64,
}

/// The posterior at a state in the frame of its nearest point.
pub struct Moments {
    /// Tᵀ(m − p): how far the posterior mean lies along the tangent from the nearest point.
    pub along: f64,
    /// TᵀCT/σ².
    pub tangent: f64,
    /// NᵀCN/σ².
    pub normal: f64,
    /// NᵀCT/σ².
    pub cross: f64,
    /// The score (m − y)/σ².
    pub score: Vector2<f64>,
}

impl Curve {
    /// The uniform law of two moons of radius 1, from σ = 2 on.
    ///
    /// *Errors*: as [`Manifold::moons`] and [`Law::quadrature`].
    pub fn moons() -> Result<Self> {
        let centres = vec![Vector2::zeros(), Vector2::new(1.0, 0.5)];
        Self::new("two moons", Manifold::moons(1.0)?, Density::Uniform, 800, centres)
    }

    /// The ellipse of half axes 3/2 and 3/4, whose reach is 3/8, with a density in proportion to e^{x₁ + x₂/2}; from σ = 2 on.
    ///
    /// *Errors*: as [`Manifold::new`] and [`Law::quadrature`].
    pub fn ellipse() -> Result<Self> {
        let manifold = Manifold::new(Chart::Ellipse(Ellipse { a: 1.5, b: 0.75 }))?;
        let density = Density::Tilt { direction: vec![1.0, 0.5] };
        Self::new("ellipse", manifold, density, 1600, vec![Vector2::zeros()])
    }

    /// The uniform law of a circle of that radius, from σ = 2 on.
    ///
    /// *Errors*: as [`Manifold::new`] and [`Law::quadrature`].
    pub fn circle(radius: f64) -> Result<Self> {
        let manifold = Manifold::new(Chart::circle(radius))?;
        Self::new("circle", manifold, Density::Uniform, 1600, vec![Vector2::zeros()])
    }

    /// The nodes of a piece are closer than a third of the least noise level that is used, 0.02.
    fn new(
        name: &'static str,
        manifold: Manifold,
        density: Density,
        nodes: usize,
        centres: Vec<Vector2<f64>>,
    ) -> Result<Self> {
        let law = Law::OnManifold { manifold: manifold.clone(), density, thickness: 0.0 };
        let (points, weights) = law.quadrature(nodes)?;
        let denoiser = Atoms::quadrature(2, points.as_slice(), &weights, 0.0)?.into();
        Ok(Self { name, manifold, denoiser, sigma_start: SIGMA_START, law, centres })
    }

    /// States at the first noise level, drawn from the law there: X + σξ.
    ///
    /// *Errors*: as [`Law::sample`].
    pub fn starts(&self, count: usize, stream: Stream) -> Result<Vec<Vector2<f64>>> {
        let points = self.law.sample(count, stream.named("points"))?;
        let noise = stream.named("noise").normals(2 * count);
        let start = |(x, n): (_, &[f64])| x + Vector2::new(n[0], n[1]) * self.sigma_start;
        let columns = points.column_iter().map(|x| Vector2::new(x[0], x[1]));
        Ok(columns.zip(noise.chunks_exact(2)).map(start).collect())
    }

    /// The maps from the first noise level down to σ.
    pub fn sampler(&self, sigma: f64) -> Sampler {
        Sampler::new(Method::Rk4, geometric_times(self.sigma_start, sigma, STEPS))
    }

    /// Where these starts are at noise level σ, with the Jacobian of the flow to there.
    ///
    /// *Errors*: [`Error::Numeric`] for states that leave the finite numbers; as [`End::at`].
    pub fn ends(&self, sigma: f64, starts: &[Vector2<f64>]) -> Result<Vec<End>> {
        let carried = self.carry(&self.sampler(sigma), starts)?;
        carried
            .par_iter()
            .map(|(state, jacobian)| {
                let spectrum = spectrum(jacobian)?;
                let top = spectrum.end_vectors.column(0);
                let gap = spectrum.log_growth[0] - spectrum.log_growth[1];
                End::at(self, sigma, *state, Vector2::new(top[0], top[1]), gap)
            })
            .collect()
    }

    /// What [`Curve::ends`] says of the orbits that end at these states: the flow is run backwards, and the top left
    /// singular vector of J is the last right one of J⁻¹.
    ///
    /// *Errors*: as [`Curve::ends`].
    pub fn ends_at(&self, sigma: f64, states: &[Vector2<f64>]) -> Result<Vec<End>> {
        let levels = geometric_times(sigma, self.sigma_start, STEPS);
        let carried = self.carry(&Sampler::new(Method::Rk4, levels), states)?;
        carried
            .par_iter()
            .zip(states)
            .map(|((_, inverse), state)| {
                let spectrum = spectrum(inverse)?;
                let top = spectrum.start_vectors.column(1);
                let gap = spectrum.log_growth[0] - spectrum.log_growth[1];
                End::at(self, sigma, *state, Vector2::new(top[0], top[1]), gap)
            })
            .collect()
    }

    /// The ends of orbits and the Jacobians from their starts.
    ///
    /// *Errors*: [`Error::Numeric`] for states that leave the finite numbers.
    pub fn carry(
        &self,
        sampler: &Sampler,
        starts: &[Vector2<f64>],
    ) -> Result<Vec<(Vector2<f64>, DMatrix<f64>)>> {
        let flow = Canonical { denoiser: &self.denoiser };
        let together = |starts: &[Vector2<f64>]| {
            let with_frame = |y: &Vector2<f64>| [y[0], y[1], 1.0, 0.0, 0.0, 1.0];
            let mut block: Vec<f64> = starts.iter().flat_map(with_frame).collect();
            let lanes = Lanes { trajectories: starts.len(), tangents: 2 };
            let mut work = StepWorkspace::default();
            for k in 0..sampler.maps() {
                sampler.step(&flow, k, &mut block, lanes, &mut work);
            }
            let end =
                |b: &[f64]| (Vector2::new(b[0], b[1]), DMatrix::from_column_slice(2, 2, &b[2..]));
            block.chunks_exact(6).map(end).collect::<Vec<_>>()
        };
        let carried: Vec<_> = starts.par_chunks(TOGETHER).flat_map_iter(together).collect();
        if carried.iter().any(|(y, j)| !y.iter().chain(j.iter()).all(|v| v.is_finite())) {
            return Err(Error::numeric(self.name, "an orbit left the finite numbers"));
        }
        Ok(carried)
    }

    /// The nearest point of the curve.
    ///
    /// *Errors*: as [`Manifold::nearest`].
    pub fn nearest(&self, state: &Vector2<f64>) -> Result<Nearest> {
        self.manifold.nearest(state.as_slice())
    }

    /// The unit tangent at a place, in the direction of its parameter, and the normal to its left.
    pub fn frame(&self, place: &Place) -> (Vector2<f64>, Vector2<f64>) {
        let tangent = self.manifold.tangent_frame(place);
        let tangent = Vector2::new(tangent[0], tangent[1]);
        (tangent, Vector2::new(-tangent[1], tangent[0]))
    }

    /// The curvature at a place, positive where the curve bends towards `normal`.
    pub fn bend(&self, place: &Place, normal: &Vector2<f64>) -> f64 {
        let point = self.manifold.point(place);
        let inward = self.centres[place.piece] - Vector2::new(point[0], point[1]);
        self.manifold.curvature_at(place) * normal.dot(&inward).signum()
    }

    /// The posterior at a state in this frame.
    pub fn moments(
        &self,
        sigma: f64,
        state: &Vector2<f64>,
        foot: &Nearest,
        (tangent, normal): (&Vector2<f64>, &Vector2<f64>),
    ) -> Moments {
        let channel = Channel::canonical(sigma);
        let (mean, covariance) = self.denoiser.posterior(channel, state.as_slice());
        let square = sigma * sigma;
        let mean = Vector2::new(mean[0], mean[1]);
        let scaled = Matrix2::from_column_slice(covariance.as_slice()) / square;
        let point = Vector2::new(foot.point[0], foot.point[1]);
        Moments {
            along: tangent.dot(&(mean - point)),
            tangent: tangent.dot(&(scaled * tangent)),
            normal: normal.dot(&(scaled * normal)),
            cross: normal.dot(&(scaled * tangent)),
            score: (mean - state) / square,
        }
    }

    /// How fast the frame of the nearest point turns per unit of u = −log σ: at an end of the curve it rests; else
    /// p' = T⟨T, m − p⟩/(1 − kρ), y − p = ρN, and T' = kp'N.
    pub fn turning(
        &self,
        state: &Vector2<f64>,
        foot: &Nearest,
        normal: &Vector2<f64>,
        along: f64,
    ) -> f64 {
        let offset = state - Vector2::new(foot.point[0], foot.point[1]);
        let bend = self.bend(&foot.place, normal);
        match foot.boundary {
            true => 0.0,
            false => bend * along / (1.0 - bend * normal.dot(&offset)),
        }
    }

    /// Its [outline]: a line to draw.
    pub fn outline(&self, count: usize) -> (Vec<f64>, Vec<f64>) {
        outline(&self.manifold, count)
    }
}

impl End {
    /// What is to be known of the orbit with this top vector at this state.
    ///
    /// *Errors*: as [`Manifold::nearest`].
    pub fn at(
        curve: &Curve,
        sigma: f64,
        state: Vector2<f64>,
        top: Vector2<f64>,
        gap: f64,
    ) -> Result<Self> {
        let foot = curve.nearest(&state)?;
        let (tangent, normal) = curve.frame(&foot.place);
        let moments = curve.moments(sigma, &state, &foot, (&tangent, &normal));
        let (score, gamma) = (moments.score, moments.tangent - moments.normal);
        let turning = curve.turning(&state, &foot, &normal, moments.along);
        let kappa = (moments.cross - turning).abs();
        Ok(Self { sigma, state, foot, tangent, top, gap, score, gamma, kappa })
    }

    /// The angle between the top vector and the tangent, in degrees.
    pub fn angle(&self) -> f64 {
        let across = self.tangent.perp(&self.top).abs();
        across.atan2(self.tangent.dot(&self.top).abs()).to_degrees()
    }

    /// |⟨e, s⟩|/|s| for the top vector e.
    pub fn overlap(&self) -> f64 {
        self.top.dot(&self.score).abs() / self.score.norm()
    }

    /// |s_T|/|s|, what the overlap is under perfect alignment.
    pub fn tangent_share(&self) -> f64 {
        self.tangent.dot(&self.score).abs() / self.score.norm()
    }

    /// |s_T|/|s_N|: above 1 on the ridge.
    pub fn score_ratio(&self) -> f64 {
        self.tangent.dot(&self.score).abs() / self.tangent.perp(&self.score).abs()
    }
}
