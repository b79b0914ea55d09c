//! DDIM and ancestral maps on laws with flat and with curved or thick normals, for T6.3.

use super::Observation;
use crate::drift::{Atoms, Canonical, Channel, Denoiser, Gaussian, Lanes, Moved, Sphere};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Method, Sampler, StepWorkspace, ancestral_step};
use crate::linalg::{dot, frame_from_normals, largest_angle, orthonormalise, singular_values, svd};
use crate::random::{Knobs, Stream};
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Directions along which Jacobians are compared.
const PROBES: usize = 4;

/// Rounding of a short chain of maps, relative to the largest number on its way.
const ROUNDING: f64 = 2e-14;

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Weighted atoms in a plane.
    Atoms,
    /// A Gaussian on a plane.
    Gaussian,
    /// A sphere in a plane; the normal is one of the plane.
    Sphere,
    /// Thickened atoms: every normal has a width.
    ThickAtoms,
    /// A sphere, and the direction in which it curves away.
    CurvedSphere,
}

#[derive(Serialize)]
struct World {
    /// D, and the dimension n of the affine plane that holds the data.
    dim: usize,
    plane: usize,
    kind: Kind,
    thickness: f64,
    /// σ_0 > … > σ_K.
    levels: Vec<f64>,
    /// An orthonormal basis of R^D whose first n columns span the plane.
    #[serde(skip)]
    axes: DMatrix<f64>,
    #[serde(skip)]
    shift: Vec<f64>,
    #[serde(skip)]
    stream: Stream,
}

impl World {
    fn decode(knobs: &mut Knobs) -> Self {
        let choice = knobs.unit();
        let kind = match () {
            () if choice < 0.35 => Kind::Atoms,
            () if choice < 0.6 => Kind::Gaussian,
            () if choice < 0.8 => Kind::Sphere,
            () if choice < 0.9 => Kind::ThickAtoms,
            () => Kind::CurvedSphere,
        };
        let dim = knobs.pick(&[2, 3, 3, 4, 5, 8, 16, 64]);
        let plane = knobs.count(1, dim.min(6) - 1);
        let plane = if kind == Kind::CurvedSphere { plane.max(2).min(dim) } else { plane };
        let (first, steps) = (knobs.log_range(0.8, 10.0), knobs.count(1, 8));
        let thickness = if kind == Kind::ThickAtoms { knobs.range(0.1, 0.6) } else { 0.0 };
        let stream = knobs.stream("maps");
        let mut levels = vec![first];
        // Unequal steps, some of them coarse: there is no truncation error to control.
        for u in stream.named("steps").uniforms(steps) {
            let last = levels[levels.len() - 1];
            levels.push(0.3 + (last - 0.3) * (0.3 + 0.6 * u));
        }
        let axes = frame_from_normals(dim, dim, &stream.named("axes").normals(dim * dim));
        let shift = stream.named("shift").normals(dim);
        Self { dim, plane, kind, thickness, levels, axes, shift, stream }
    }

    fn basis(&self) -> DMatrix<f64> {
        self.axes.columns(0, self.plane).into_owned()
    }

    /// Atoms of the law in R^D as columns, with log weights.
    fn points(&self) -> (DMatrix<f64>, Vec<f64>) {
        let count = self.plane + 4;
        let inner = self.stream.named("points").normals(self.plane * count);
        let mut points = self.basis() * DMatrix::from_vec(self.plane, count, inner);
        points.column_iter_mut().for_each(|mut p| p += DVector::from_column_slice(&self.shift));
        (points, self.stream.named("weights").normals(count))
    }

    fn variances(&self) -> Vec<f64> {
        let sizes = self.stream.named("variances").uniforms(self.dim);
        let flat = |(i, u): (usize, f64)| if i < self.plane { 0.1 + 3.0 * u } else { 0.0 };
        sizes.into_iter().enumerate().map(flat).collect()
    }

    fn radius(&self) -> f64 {
        1.5
    }

    fn denoiser(&self) -> Result<Denoiser> {
        Ok(match self.kind {
            Kind::Atoms | Kind::ThickAtoms => {
                let (points, logs) = self.points();
                let points = points.as_slice().to_vec();
                Atoms::new(self.dim, points, Some(logs), self.thickness)?.into()
            }
            Kind::Gaussian => {
                Gaussian::new(self.shift.clone(), self.axes.clone(), self.variances())?.into()
            }
            Kind::Sphere | Kind::CurvedSphere => {
                let sphere = Sphere::new(self.plane, self.radius())?;
                Moved::new(sphere.into(), self.basis(), self.shift.clone())?.into()
            }
        })
    }

    /// Cov(X | X + σξ = y), from sums and closed forms of its own: no derivative of a posterior mean.
    fn covariance(&self, sigma: f64, y: &[f64]) -> Result<DMatrix<f64>> {
        let y = DVector::from_column_slice(y);
        Ok(match self.kind {
            Kind::Atoms | Kind::ThickAtoms => {
                let (points, logs) = self.points();
                // Seen through its thickness s, an atom is a Gaussian of variance s²σ²/(σ² + s²).
                let (noise, thick) = (sigma * sigma, self.thickness * self.thickness);
                let total = noise + thick;
                let scores: Vec<f64> = points
                    .column_iter()
                    .zip(&logs)
                    .map(|(p, w)| w - 0.5 * (&y - p).norm_squared() / total)
                    .collect();
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights =
                    DVector::from_iterator(logs.len(), scores.iter().map(|s| (s - top).exp()));
                let weights = &weights / weights.sum();
                let mean = &points * &weights;
                let mut spread = DMatrix::zeros(self.dim, self.dim);
                for (p, w) in points.column_iter().zip(weights.iter()) {
                    let offset = p - &mean;
                    spread += &offset * offset.transpose() * *w;
                }
                spread * (noise / total).powi(2)
                    + DMatrix::identity(self.dim, self.dim) * (thick * noise / total)
            }
            Kind::Gaussian => {
                let noise = sigma * sigma;
                let posterior = self.variances().into_iter().map(|v| v * noise / (v + noise));
                let diagonal = DVector::from_iterator(self.dim, posterior);
                &self.axes * DMatrix::from_diagonal(&diagonal) * self.axes.transpose()
            }
            Kind::Sphere | Kind::CurvedSphere => {
                let basis = self.basis();
                let inside = basis.tr_mul(&(y - DVector::from_column_slice(&self.shift)));
                let (distance, sphere) = (inside.norm(), Sphere::new(self.plane, self.radius())?);
                let channel = Channel::canonical(sigma);
                let (radial, tangential) = sphere.posterior_variances(channel, distance);
                let out = &basis * inside / distance;
                let all = &basis * basis.transpose() * tangential;
                all + &out * out.transpose() * (radial - tangential)
            }
        })
    }

    /// The normal that is followed: a unit vector orthogonal to the plane, or one in which the sphere curves.
    fn normal(&self) -> (DVector<f64>, f64) {
        if self.kind == Kind::CurvedSphere {
            return (self.axes.column(0).into_owned(), self.radius());
        }
        let codim = self.dim - self.plane;
        let mixed = DVector::from_vec(self.stream.named("normal").normals(codim)).normalize();
        (self.axes.columns(self.plane, codim) * mixed, self.thickness)
    }
}

/// A state with tangents, moved by the maps.
struct Block(DMatrix<f64>);

impl Block {
    fn new(state: &[f64], tangents: &DMatrix<f64>) -> Self {
        let mut block = tangents.clone().insert_column(0, 0.0);
        block.column_mut(0).copy_from_slice(state);
        Self(block)
    }

    fn state(&self) -> &[f64] {
        &self.0.as_slice()[..self.0.nrows()]
    }

    fn tangents(&self) -> DMatrix<f64> {
        self.0.columns(1, self.0.ncols() - 1).into_owned()
    }

    fn ddim(&mut self, denoiser: &Denoiser, from: f64, to: f64) {
        let sampler = Sampler::new(Method::Euler, vec![from, to]);
        let lanes = Lanes::single(self.0.ncols() - 1);
        let flow = Canonical { denoiser };
        sampler.step(&flow, 0, self.0.as_mut_slice(), lanes, &mut StepWorkspace::default());
    }

    fn ancestral(&mut self, denoiser: &Denoiser, (from, to): (f64, f64), noise: &[f64]) {
        let lanes = Lanes::single(self.0.ncols() - 1);
        let block = self.0.as_mut_slice();
        ancestral_step(denoiser, from, to, noise, block, lanes, &mut StepWorkspace::default());
    }
}

pub fn observe(knobs: &mut Knobs) -> Result<Observation> {
    let world = World::decode(knobs);
    let denoiser = world.denoiser()?;
    let facts = measure(&world, &denoiser)?;
    Ok(Observation::new(&world, facts))
}

fn measure(world: &World, denoiser: &Denoiser) -> Result<Facts> {
    let (dim, levels, stream) = (world.dim, &world.levels, world.stream);
    let (first, last) = (levels[0], levels[levels.len() - 1]);
    let mut start = stream.named("start").normals(dim);
    start.iter_mut().zip(&world.shift).for_each(|(y, shift)| *y = *y * (1.0 + first) + shift);
    let (normal, width) = world.normal();
    let probes = PROBES.min(dim);
    let probe = frame_from_normals(dim, probes, &stream.named("probe").normals(dim * probes));

    let mut facts = Facts::new();
    let estimated = |value: f64, size: f64| {
        Quantity::new(value, ROUNDING * (size + value.abs()), Grade::Estimated)
    };
    let matrix = |m: &DMatrix<f64>, size: f64| m.iter().map(|x| estimated(*x, size)).collect();
    facts.set("normal_width", Quantity::exact(width));
    facts.set_series("levels", levels.iter().map(|s| Quantity::exact(*s)).collect());

    // One step from the start: Jacobians of the maps against moments of the posterior.
    let moments = |sigma: f64, y: &[f64]| world.covariance(sigma, y);
    let covariance = moments(first, &start)?;
    let size = 1.0 + covariance.norm() / (first * first);
    facts.set_series("probe", probe.iter().map(|x| Quantity::exact(*x)).collect());
    let image = &covariance * &probe;
    facts.set_series("covariance_of_probe", matrix(&image, size * first * first));
    let noises: Vec<Vec<f64>> =
        (1..levels.len()).map(|k| stream.named("noise").indexed(k as u64).normals(dim)).collect();
    let (mut ddim, mut ancestral) = (Block::new(&start, &probe), Block::new(&start, &probe));
    ddim.ddim(denoiser, first, levels[1]);
    ancestral.ancestral(denoiser, (first, levels[1]), &noises[0]);
    facts.set_series("ddim_of_probe", matrix(&ddim.tangents(), size));
    facts.set_series("ancestral_of_probe", matrix(&ancestral.tangents(), size));

    // The whole chain, with the normal and a random plane of n directions.
    let n = world.plane;
    let plane = frame_from_normals(dim, n, &stream.named("plane").normals(dim * n));
    let mut directions = plane.insert_column(0, 0.0);
    directions.set_column(0, &normal);
    let (mut ddim, mut ancestral) =
        (Block::new(&start, &directions), Block::new(&start, &directions));
    let height = |block: &Block| {
        let state =
            DVector::from_column_slice(block.state()) - DVector::from_column_slice(&world.shift);
        estimated(normal.dot(&state), 1.0 + first)
    };
    facts.push("normal_ddim", height(&ddim));
    facts.push("normal_ancestral", height(&ancestral));
    for (step, noise) in levels.windows(2).zip(&noises) {
        ddim.ddim(denoiser, step[0], step[1]);
        ancestral.ancestral(denoiser, (step[0], step[1]), noise);
        facts.push("normal_ddim", height(&ddim));
        facts.push("normal_ancestral", height(&ancestral));
        facts.push("normal_noise", estimated(dot(normal.as_slice(), noise), 1.0));
    }
    for (name, block) in [("normal_growth_ddim", &ddim), ("normal_growth_ancestral", &ancestral)] {
        facts.set(name, estimated(normal.dot(&block.0.column(1)), 0.01));
    }

    // The last step, from the least level to 0.
    let covariance = moments(last, ddim.state())?;
    let size = 1.0 + covariance.norm() / (last * last);
    let mut directions = probe.clone().insert_column(0, 0.0);
    directions.set_column(0, &normal);
    let mut fresh = Block::new(ddim.state(), &directions);
    fresh.ddim(denoiser, last, 0.0);
    let image = &covariance * &probe;
    facts.set_series("last_covariance_of_probe", matrix(&image, size * last * last));
    facts.set_series(
        "last_of_probe",
        matrix(&fresh.tangents().columns(1, probes).into_owned(), size),
    );
    facts.set("last_normal_growth", estimated(fresh.0.column(1).norm(), size));

    // E^n after the last step against the range of C; a plane contracted too unevenly cannot tell.
    let mut end = ddim.tangents().columns(1, n).into_owned();
    orthonormalise(&mut end);
    let mut whole = Block::new(ddim.state(), &end);
    whole.ddim(denoiser, last, 0.0);
    let mut image = whole.tangents();
    let values = singular_values(&image)?;
    let condition = size / values[n - 1];
    orthonormalise(&mut image);
    let range = svd(&covariance)?.left.columns(0, n).into_owned();
    let least = singular_values(&covariance)?[n - 1] / (last * last);
    let condition = condition.max(size / least);
    let angle = largest_angle(&image, &range)?;
    facts.set("range_condition", Quantity::exact(condition));
    facts.set("range_angle", estimated(angle, condition));
    Ok(facts)
}
