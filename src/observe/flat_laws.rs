//! Laws on affine planes, with curved and thick counterparts, and their posterior covariances in closed form.

use crate::drift::{Atoms, Channel, Denoiser, Gaussian, Moved, Sphere};
use crate::error::Result;
use crate::linalg::frame_from_normals;
use crate::random::{Knobs, Stream};
use crate::scenario::Labels;
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// The families of laws.
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

/// A law of R^D on or near an affine plane.
#[derive(Serialize)]
pub struct FlatLaw {
    /// D.
    pub dim: usize,
    /// The dimension n of the affine plane that holds the data.
    pub plane: usize,
    kind: Kind,
    /// Standard deviation of thick atoms, 0 otherwise.
    thickness: f64,
    /// An orthonormal basis of R^D whose first n columns span the plane.
    #[serde(skip)]
    axes: DMatrix<f64>,
    /// A point of the plane.
    #[serde(skip)]
    pub shift: Vec<f64>,
    /// Where the random numbers of its world come from.
    #[serde(skip)]
    pub stream: Stream,
}

impl FlatLaw {
    /// Decodes a law; the plainest is atoms on a line of the plane.
    pub fn decode(knobs: &mut Knobs) -> Self {
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
        // A sphere curves from dimension 2 on; it may fill the space.
        let plane = if kind == Kind::CurvedSphere { plane.max(2) } else { plane };
        let thickness = if kind == Kind::ThickAtoms { knobs.range(0.1, 0.6) } else { 0.0 };
        let stream = knobs.stream("maps");
        let axes = frame_from_normals(dim, dim, &stream.named("axes").normals(dim * dim));
        let shift = stream.named("shift").normals(dim);
        Self { dim, plane, kind, thickness, axes, shift, stream }
    }

    /// What kind of law it is.
    pub fn labels(&self) -> Labels {
        let labels = match self.kind {
            Kind::Atoms => Labels::of("atoms in a plane"),
            Kind::Gaussian => Labels::of("gaussian in a plane"),
            Kind::Sphere => Labels::of("sphere in a plane"),
            Kind::ThickAtoms => Labels::against("thick atoms"),
            Kind::CurvedSphere => Labels::against("sphere in its own directions"),
        };
        labels.in_dimension(self.dim)
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

    /// The exact posterior mean.
    ///
    /// *Errors*: as the constructors of the laws.
    pub fn denoiser(&self) -> Result<Denoiser> {
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
    pub fn covariance(&self, sigma: f64, y: &[f64]) -> Result<DMatrix<f64>> {
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

    /// The normal that is followed, with the width of the data along it: a unit vector orthogonal to the
    /// plane, or one in which the sphere curves.
    pub fn normal(&self) -> (DVector<f64>, f64) {
        if self.kind == Kind::CurvedSphere {
            return (self.axes.column(0).into_owned(), self.radius());
        }
        let codim = self.dim - self.plane;
        let mixed = DVector::from_vec(self.stream.named("normal").normals(codim)).normalize();
        (self.axes.columns(self.plane, codim) * mixed, self.thickness)
    }
}
