//! Small random laws without reference to a manifold, shared by the claims of T6.

use crate::drift::{Atoms, Denoiser, Gaussian, Moved, Product, Segment, Sphere};
use crate::error::Result;
use crate::linalg::frame_from_normals;
use crate::random::{Knobs, Stream};
use crate::scenario::{Corner, Labels, MANY_MODES};
use nalgebra::DMatrix;
use serde::Serialize;

/// A random law of R^D in general position.
#[derive(Clone, Debug, Serialize)]
pub struct RandomLaw {
    /// D.
    pub dim: usize,
    /// What it is.
    pub kind: Kind,
    /// Where its random numbers come from.
    #[serde(skip)]
    stream: Stream,
}

/// The families of laws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Weighted atoms of that number and thickness.
    Atoms {
        /// How many.
        count: usize,
        /// Their standard deviation.
        thickness: f64,
    },
    /// A Gaussian with random principal axes, some of them flat.
    Gaussian,
    /// A uniform sphere in a random subspace of that dimension.
    Sphere {
        /// Dimension of the subspace.
        span: usize,
    },
    /// Segment × Gaussian (× point), turned at random.
    SegmentTimesGaussian,
}

impl RandomLaw {
    /// Decodes a law; the plainest is one with few atoms in the plane.
    pub fn decode(knobs: &mut Knobs) -> Self {
        Self::decode_in(knobs, &[2, 2, 2, 3, 3, 4, 5, 8, 16], 32)
    }

    /// [`RandomLaw::decode`] with these dimensions D ≥ 1 to choose from, and at most so many atoms.
    pub fn decode_in(knobs: &mut Knobs, dims: &[usize], most_atoms: usize) -> Self {
        let dim = knobs.pick(dims);
        let (size, thickness) = (knobs.unit(), knobs.range(-0.4, 0.4).max(0.0));
        let kind = match knobs.count(0, 5) {
            0..=2 => {
                let more = (most_atoms - 2) as f64 * size;
                Kind::Atoms { count: 2 + more as usize, thickness }
            }
            3 => Kind::Gaussian,
            4 => Kind::Sphere { span: (2 + (size * (dim - 1) as f64) as usize).min(dim) },
            _ => Kind::SegmentTimesGaussian,
        };
        Self { dim, kind, stream: knobs.stream("law") }
    }

    /// What kind of law it is.
    pub fn labels(&self) -> Labels {
        let (family, modes) = match self.kind {
            Kind::Atoms { count, .. } => ("atoms", count),
            Kind::Gaussian => ("gaussian", 1),
            Kind::Sphere { .. } => ("sphere", 1),
            Kind::SegmentTimesGaussian => ("segment × gaussian", 1),
        };
        let labels = Labels::of(family).with(Corner::ManyModes, modes >= MANY_MODES);
        labels.in_dimension(self.dim)
    }

    /// The deviations of a Gaussian law, along the columns of [`RandomLaw::axes`].
    pub fn variances(&self) -> Vec<f64> {
        self.stream.named("variances").normals(self.dim).iter().map(|z| z * z).collect()
    }

    /// A random orthogonal matrix.
    pub fn axes(&self) -> DMatrix<f64> {
        let normals = self.stream.named("axes").normals(self.dim * self.dim);
        frame_from_normals(self.dim, self.dim, &normals)
    }

    /// Points and log weights of the atoms.
    pub fn atoms(&self, count: usize) -> (Vec<f64>, Vec<f64>) {
        let points = self.stream.named("points").normals(count * self.dim);
        (points, self.stream.named("weights").normals(count))
    }

    /// The exact posterior mean.
    ///
    /// *Errors*: as the constructors of the laws.
    pub fn denoiser(&self) -> Result<Denoiser> {
        let (dim, shift) = (self.dim, self.stream.named("shift").normals(self.dim));
        Ok(match self.kind {
            Kind::Atoms { count, thickness } => {
                let (points, weights) = self.atoms(count);
                Atoms::new(dim, points, Some(weights), thickness)?.into()
            }
            Kind::Gaussian => Gaussian::new(shift, self.axes(), self.variances())?.into(),
            Kind::Sphere { span } => {
                let frame = self.axes().columns(0, span).into_owned();
                Moved::new(Sphere::new(span, 1.5)?.into(), frame, shift)?.into()
            }
            Kind::SegmentTimesGaussian => {
                let mut factors = vec![Segment::new(2.0)?.into()];
                if dim > 1 {
                    let flat = vec![0.0; dim - 1];
                    let mut variances = self.variances();
                    variances.truncate(dim - 1);
                    let square = DMatrix::identity(dim - 1, dim - 1);
                    factors.push(Gaussian::new(flat, square, variances)?.into());
                }
                Moved::new(Product::new(factors)?.into(), self.axes(), shift)?.into()
            }
        })
    }
}
