//! Laws of independent blocks of coordinates.

use super::{Channel, Denoise, Denoiser};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// The law of independent blocks of consecutive coordinates, such as a flat torus (T6.6).
///
/// ```
/// use driftproof::drift::{Channel, Denoise, Product, Sphere};
/// let (unit, double) = (Sphere::new(1, 1.0)?, Sphere::new(1, 2.0)?); // ±1 and ±2
/// let law = Product::new(vec![unit.into(), double.into()])?;
/// let mut mean = [0.0; 2];
/// law.denoise(Channel::canonical(1.0), &[0.5, 0.5], &mut mean);
/// assert!((mean[0] - 0.5_f64.tanh()).abs() < 1e-15); // R tanh(R x/σ²)
/// assert!((mean[1] - 2.0 * 1.0_f64.tanh()).abs() < 1e-15);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
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
    const SYMMETRIC: bool = true;

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
