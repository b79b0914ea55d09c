//! Laws built from laws: products, thickening, rigid motions, and the sum type over all of them.

use super::gaussian::check_frame;
use super::{Atoms, Channel, Denoise, Gaussian, Lanes, Segment, Sphere, Workspace};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DMatrixView};
use std::f64::consts::TAU;

/// The law of independent blocks of consecutive coordinates, such as a flat torus (T6.6).
#[derive(Clone, Debug)]
pub struct Product {
    factors: Vec<Denoiser>,
}

impl Product {
    /// The product of the factors, in order.
    ///
    /// *Errors*: [`Error::Input`] when there are none.
    pub fn new(factors: Vec<Denoiser>) -> Result<Self> {
        if factors.is_empty() {
            return Err(Error::input("product", "it has no factors", "give at least one law"));
        }
        Ok(Self { factors })
    }

    /// The factors, in order of their coordinates.
    pub fn factors(&self) -> &[Denoiser] {
        &self.factors
    }
}

impl Denoise for Product {
    fn dim(&self) -> usize {
        self.factors.iter().map(Denoise::dim).sum()
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let mut start = 0;
        for factor in &self.factors {
            let block = start..start + factor.dim();
            start = block.end;
            factor.denoise(channel, &x[block.clone()], &mut out[block]);
        }
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        let mut start = 0;
        self.factors.iter().fold(S::from(0.0), |sum, factor| {
            let block = start..start + factor.dim();
            start = block.end;
            sum + factor.log_density(channel, &x[block])
        })
    }
}

/// The law of X + s ξ', ξ' ~ N(0, I): any law with a thickness s.
///
/// Seen through (a, b²) it is the plain law seen through (a, b² + a²s²).
#[derive(Clone, Debug)]
pub struct Thick {
    inner: Box<Denoiser>,
    thickness: f64,
}

impl Thick {
    /// The law `inner` thickened by a Gaussian of deviation `thickness` ≥ 0.
    ///
    /// *Errors*: [`Error::Input`] for a thickness that is negative or not finite.
    pub fn new(inner: Denoiser, thickness: f64) -> Result<Self> {
        if thickness >= 0.0 && thickness.is_finite() {
            return Ok(Self { inner: Box::new(inner), thickness });
        }
        Err(Error::input(
            "thickness",
            format!("{thickness} is not a standard deviation"),
            "give a finite number of at least 0",
        ))
    }

    /// The law without its thickness.
    pub fn inner(&self) -> &Denoiser {
        &self.inner
    }

    /// The standard deviation s.
    pub fn thickness(&self) -> f64 {
        self.thickness
    }

    /// The channel through which the plain law is seen.
    fn seen<S: Scalar>(&self, channel: Channel<S>) -> Channel<S> {
        let added = channel.signal * channel.signal * (self.thickness * self.thickness);
        Channel { noise_variance: channel.noise_variance + added, ..channel }
    }
}

impl Denoise for Thick {
    fn dim(&self) -> usize {
        self.inner.dim()
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let seen = self.seen(channel);
        self.inner.denoise(seen, x, out);
        let gain = channel.signal * (self.thickness * self.thickness) / seen.noise_variance;
        for (o, x) in out.iter_mut().zip(x) {
            *o += gain * (*x - channel.signal * *o);
        }
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        self.inner.log_density(self.seen(channel), x)
    }

    fn push(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        work: &mut Workspace,
    ) {
        let seen = self.seen(channel);
        self.inner.push(seen, block, lanes, out, work);
        let gain = channel.signal * self.thickness * self.thickness / seen.noise_variance;
        for (o, x) in out.iter_mut().zip(block) {
            *o += gain * (x - channel.signal * *o);
        }
    }
}

/// The law of Q X + shift: a rigid motion, or an embedding of R^n in R^D.
///
/// The D − n directions outside the range of Q have variance 0.
#[derive(Clone, Debug)]
pub struct Moved {
    inner: Box<Denoiser>,
    frame: DMatrix<f64>,
    shift: Vec<f64>,
}

impl Moved {
    /// The law `inner` of R^n carried to R^D by the `D×n` frame Q and the shift of length D.
    ///
    /// *Errors*: [`Error::Input`] for sizes that do not fit, or columns that are not orthonormal to 1e-10.
    pub fn new(inner: Denoiser, frame: DMatrix<f64>, shift: Vec<f64>) -> Result<Self> {
        let (rows, columns) = frame.shape();
        if columns != inner.dim() || rows != shift.len() || rows < columns {
            return Err(Error::input(
                "moved law",
                format!(
                    "a {rows}×{columns} frame and a shift of length {} for a law in R^{}",
                    shift.len(),
                    inner.dim()
                ),
                "give a D×n frame and a shift of length D ≥ n for a law in R^n",
            ));
        }
        if let Some(bad) = shift.iter().find(|v| !v.is_finite()) {
            return Err(Error::input("shift", format!("{bad} is not finite"), "give numbers"));
        }
        check_frame("moved law", &frame)?;
        Ok(Self { inner: Box::new(inner), frame, shift })
    }

    /// The law before the motion.
    pub fn inner(&self) -> &Denoiser {
        &self.inner
    }

    /// Q, `D×n`.
    pub fn frame(&self) -> &DMatrix<f64> {
        &self.frame
    }

    /// The shift, length D.
    pub fn shift(&self) -> &[f64] {
        &self.shift
    }

    /// Qᵀ(x − a·shift), length n: the observation in the coordinates of the inner law.
    fn coordinates<S: Scalar>(&self, a: S, x: &[S]) -> Vec<S> {
        let coordinate = |i: usize| {
            let mut sum = S::from(0.0);
            for ((q, x), shift) in self.frame.column(i).iter().zip(x).zip(&self.shift) {
                sum += (*x - a * *shift) * *q;
            }
            sum
        };
        (0..self.frame.ncols()).map(coordinate).collect()
    }

    /// Q·m, accumulated on `out`.
    fn carry<S: Scalar>(&self, m: &[S], out: &mut [S]) {
        for (i, m) in m.iter().enumerate() {
            for (o, q) in out.iter_mut().zip(self.frame.column(i).iter()) {
                *o += *m * *q;
            }
        }
    }
}

impl Denoise for Moved {
    fn dim(&self) -> usize {
        self.shift.len()
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let observed = self.coordinates(channel.signal, x);
        let mut mean = vec![S::from(0.0); observed.len()];
        self.inner.denoise(channel, &observed, &mut mean);
        for (o, shift) in out.iter_mut().zip(&self.shift) {
            *o = S::from(*shift);
        }
        self.carry(&mean, out);
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        let observed = self.coordinates(channel.signal, x);
        // The part of x outside the range of Q is pure noise.
        let mut image = vec![S::from(0.0); self.dim()];
        self.carry(&observed, &mut image);
        let mut square = S::from(0.0);
        for ((x, image), shift) in x.iter().zip(&image).zip(&self.shift) {
            let residual = *x - channel.signal * *shift - *image;
            square += residual * residual;
        }
        let normal = (self.dim() - observed.len()) as f64;
        let noise = square / channel.noise_variance + (channel.noise_variance * TAU).ln() * normal;
        self.inner.log_density(channel, &observed) - noise * 0.5
    }

    fn push(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        work: &mut Workspace,
    ) {
        let (d, n) = self.frame.shape();
        let columns = lanes.columns();
        let mut observed = self.frame.tr_mul(&DMatrixView::from_slice(block, d, columns));
        // Only the states are shifted; tangents turn with the frame.
        let state_columns = (0..columns).step_by(1 + lanes.tangents);
        for column in state_columns.clone() {
            let state = &block[column * d..][..d];
            let coordinates = self.coordinates(channel.signal, state);
            observed.column_mut(column).copy_from_slice(&coordinates);
        }
        let mut means = DMatrix::zeros(n, columns);
        self.inner.push(channel, observed.as_slice(), lanes, means.as_mut_slice(), work);
        out.copy_from_slice((&self.frame * means).as_slice());
        for column in state_columns {
            for (o, shift) in out[column * d..].iter_mut().zip(&self.shift) {
                *o += shift;
            }
        }
    }
}

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
