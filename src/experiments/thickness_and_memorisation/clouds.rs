//! Laws on manifolds and the points drawn from them, and what is seen of their flows.

use super::median;
use crate::drift::{Atoms, Canonical, Channel, Denoise, Denoiser, Lanes, Moved, Sphere};
use crate::error::Result;
use crate::flow::{Method, Sampler, StepWorkspace, geometric_times};
use crate::linalg::{frame_from_normals, largest_angle, orthonormalise, svd, symmetric_eigen};
use crate::manifold::{Arc, Chart, Law, Manifold, Motion, Sphere as Round};
use crate::points::nearest_distances;
use crate::random::Stream;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use std::f64::consts::PI;

/// Noise level at which trajectories start.
pub const START: f64 = 10.0;

/// Noise level at which they end.
pub const END: f64 = 0.002;

/// Steps of the sampler, each of 0.093 in log σ.
pub const STEPS: usize = 92;

/// Every so many steps something is recorded.
const EVERY: usize = 4;

/// Trajectories side by side.
const TOGETHER: usize = 8;

/// Nodes of the half circle: closer than [`END`].
const NODES: usize = 2600;

/// A manifold with its uniform law.
pub struct Cloud {
    /// In words.
    pub name: &'static str,
    /// The manifold.
    pub manifold: Manifold,
    /// Its uniform law.
    pub exact: Denoiser,
    /// Dimension of the span of the sphere that it is, or is a part of: the D of T6.5.
    pub span: usize,
    /// Trajectories that are run.
    pub trajectories: usize,
}

impl Cloud {
    /// The unit circle in the plane.
    ///
    /// *Errors*: never.
    pub fn circle() -> Result<Self> {
        Ok(Self {
            name: "circle in R²",
            manifold: Manifold::new(Chart::Sphere(Round { dim: 1, radius: 1.0 }))?,
            exact: Sphere::new(2, 1.0)?.into(),
            span: 2,
            trajectories: 200,
        })
    }

    /// The unit sphere S² in the first three of eight coordinates.
    ///
    /// *Errors*: never.
    pub fn sphere() -> Result<Self> {
        let chart = Chart::Sphere(Round { dim: 2, radius: 1.0 });
        let frame = DMatrix::identity(8, 3);
        Ok(Self {
            name: "sphere S² in R⁸",
            manifold: Manifold::embedded(chart, Motion::identity(3, 8)?)?,
            exact: Moved::new(Sphere::new(3, 1.0)?.into(), frame, vec![0.0; 8])?.into(),
            span: 3,
            trajectories: 160,
        })
    }

    /// A half circle in the plane, by quadrature.
    ///
    /// *Errors*: never.
    pub fn arc() -> Result<Self> {
        let manifold = Manifold::new(Chart::Arc(Arc { radius: 1.0, from: 0.0, to: PI }))?;
        let (points, weights) = Law::uniform(manifold.clone()).quadrature(NODES)?;
        let exact = Atoms::quadrature(2, points.as_slice(), &weights, 0.0)?.into();
        Ok(Self { name: "half circle in R²", manifold, exact, span: 2, trajectories: 200 })
    }

    /// N points drawn from the law, and the median distance of one to its nearest neighbour.
    ///
    /// *Errors*: as [`Law::sample`].
    pub fn drawn(&self, n: usize, stream: Stream) -> Result<(Atoms, f64)> {
        let points = Law::uniform(self.manifold.clone()).sample(n, stream)?;
        let spacing = median(&nearest_distances(&points, &(0..n).collect::<Vec<_>>())).value;
        Ok((Atoms::new(self.manifold.ambient(), points.as_slice().to_vec(), None, 0.0)?, spacing))
    }

    /// Typical starts: points of the law with noise of the first level.
    ///
    /// *Errors*: as [`Law::sample`].
    pub fn starts(&self, stream: Stream) -> Result<Vec<f64>> {
        let law = Law::uniform(self.manifold.clone());
        let points = law.sample(self.trajectories, stream.named("points"))?;
        let noise = stream.named("noise").normals(points.len());
        Ok(points.iter().zip(noise).map(|(p, z)| p + START * z).collect())
    }
}

/// What is seen of one trajectory at one noise level.
#[derive(Clone, Debug)]
pub struct Seen {
    /// y.
    pub state: Vec<f64>,
    /// D_σ(y).
    pub mean: Vec<f64>,
    /// Angle between the tangent space and what the flow makes of a random plane, in radians.
    pub angle: f64,
    /// The same of the top-d left singular subspace.
    pub singular_angle: f64,
    /// log σ_d − log σ_{d+1} of the Jacobian.
    pub gap: f64,
    /// Eigenvalues d and d + 1 of C/σ², after the largest: [largest, d-th, next].
    pub spread: [f64; 3],
}

/// Noise levels at which something is recorded, with their steps.
fn levels(sampler: &Sampler, refined: usize) -> Vec<(usize, f64)> {
    let times = sampler.times().iter().copied().enumerate().skip(1);
    times.filter(|(k, sigma)| k % (EVERY * refined) == 0 && *sigma < 3.0).collect()
}

/// Runs trajectories with their Jacobians: noise levels, and for each of them what is seen of every trajectory.
///
/// `refined` steps are made in place of one.
///
/// *Errors*: as [`svd`].
pub fn pass<N: Denoise>(
    cloud: &Cloud,
    denoiser: &N,
    starts: &[f64],
    refined: usize,
    stream: Stream,
) -> Result<(Vec<f64>, Vec<Vec<Seen>>)> {
    let dim = cloud.manifold.ambient();
    let sampler = Sampler::new(Method::DormandPrince, geometric_times(START, END, STEPS * refined));
    let levels = levels(&sampler, refined);
    let chunk = |(c, starts): (usize, &[f64])| -> Result<Vec<Vec<Seen>>> {
        let lanes = Lanes { trajectories: starts.len() / dim, tangents: dim };
        let unit = DMatrix::<f64>::identity(dim, dim);
        let columns = starts.chunks_exact(dim).flat_map(|y| [y, unit.as_slice()]);
        let mut block: Vec<f64> = columns.flatten().copied().collect();
        let mut work = StepWorkspace::default();
        let mut seen = Vec::new();
        for k in 0..sampler.maps() {
            sampler.step(&Canonical { denoiser }, k, &mut block, lanes, &mut work);
            let Some((_, sigma)) = levels.iter().find(|(at, _)| *at == k + 1) else { continue };
            let width = dim * (1 + dim);
            let look = |(i, orbit): (usize, &[f64])| {
                let index = (c * TOGETHER + i) as u64;
                look(cloud, denoiser, *sigma, orbit, stream.indexed(index))
            };
            seen.push(block.chunks_exact(width).enumerate().map(look).collect::<Result<_>>()?);
        }
        Ok(seen)
    };
    let chunks = starts.par_chunks(TOGETHER * dim).enumerate().map(chunk);
    let chunks: Vec<Vec<Vec<Seen>>> = chunks.collect::<Result<_>>()?;
    let mut all = vec![Vec::new(); levels.len()];
    for seen in chunks {
        all.iter_mut().zip(seen).for_each(|(all, seen)| all.extend(seen));
    }
    Ok((levels.into_iter().map(|(_, sigma)| sigma).collect(), all))
}

/// What is seen of a state with its Jacobian.
fn look<N: Denoise>(
    cloud: &Cloud,
    denoiser: &N,
    sigma: f64,
    orbit: &[f64],
    stream: Stream,
) -> Result<Seen> {
    let (dim, d) = (cloud.manifold.ambient(), cloud.manifold.dim());
    let (state, tangents) = orbit.split_at(dim);
    let jacobian = DMatrix::from_column_slice(dim, dim, tangents);
    let foot = cloud.manifold.nearest(state)?;
    let tangent = cloud.manifold.tangent_frame(&foot.place);
    let mut plane = &jacobian * frame_from_normals(dim, d, &stream.normals(dim * d));
    orthonormalise(&mut plane);
    let decomposed = svd(&jacobian)?;
    let singular = decomposed.left.columns(0, d).into_owned();
    let (mean, covariance) = denoiser.posterior(Channel::canonical(sigma), state);
    let mut spread = symmetric_eigen(&(covariance / (sigma * sigma))).0;
    spread.sort_by(|a, b| b.total_cmp(a));
    Ok(Seen {
        state: state.to_vec(),
        mean,
        angle: largest_angle(&plane, &tangent)?,
        singular_angle: largest_angle(&singular, &tangent)?,
        gap: (decomposed.values[d - 1] / decomposed.values[d]).ln(),
        spread: [spread[0], spread[d - 1], spread[d]],
    })
}

/// Distance from a point to the nearest of the atoms.
pub fn nearest_atom(atoms: &Atoms, x: &[f64]) -> f64 {
    let x = DVector::from_column_slice(x);
    let all = atoms.points().chunks_exact(x.len());
    all.map(|p| (DVector::from_column_slice(p) - &x).norm()).fold(f64::INFINITY, f64::min)
}
