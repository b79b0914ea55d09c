//! The sum type over all laws.

use super::{
    Atoms, Channel, Denoise, Gaussian, Lanes, Moved, Product, Segment, Sphere, Thick, Workspace,
};
use crate::scalar::Scalar;
use nalgebra::DMatrix;

/// Any of the laws, so that a world can hold one.
#[derive(Clone, Debug)]
pub enum Denoiser {
    /// Points, mixtures and quadrature rules.
    Atoms(Atoms),
    /// A Gaussian.
    Gaussian(Gaussian),
    /// A sphere.
    Sphere(Sphere),
    /// A segment.
    Segment(Segment),
    /// Independent blocks of coordinates.
    Product(Product),
    /// A law with a thickness.
    Thick(Thick),
    /// A law moved or embedded rigidly.
    Moved(Moved),
}

/// The same expression for whichever law it is.
macro_rules! dispatch {
    ($self:expr, $law:ident => $value:expr) => {
        match $self {
            Denoiser::Atoms($law) => $value,
            Denoiser::Gaussian($law) => $value,
            Denoiser::Sphere($law) => $value,
            Denoiser::Segment($law) => $value,
            Denoiser::Product($law) => $value,
            Denoiser::Thick($law) => $value,
            Denoiser::Moved($law) => $value,
        }
    };
}

impl Denoise for Denoiser {
    const SYMMETRIC: bool = true;

    fn dim(&self) -> usize {
        dispatch!(self, law => law.dim())
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        dispatch!(self, law => law.denoise(channel, x, out));
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        dispatch!(self, law => law.log_density(channel, x))
    }

    fn push(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        work: &mut Workspace,
    ) {
        dispatch!(self, law => law.push(channel, block, lanes, out, work));
    }

    fn push_with_divergence(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Workspace,
    ) {
        dispatch!(self, law => {
            law.push_with_divergence(channel, block, lanes, out, divergence, work)
        });
    }

    fn posterior(&self, channel: Channel<f64>, x: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
        dispatch!(self, law => law.posterior(channel, x))
    }
}

macro_rules! wrap {
    ($($law:ident),*) => {$(
        impl From<$law> for Denoiser {
            fn from(law: $law) -> Self {
                Self::$law(law)
            }
        }
    )*};
}
wrap!(Atoms, Gaussian, Sphere, Segment, Product, Thick, Moved);
