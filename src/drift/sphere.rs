//! The uniform law on a sphere (T6.5).

use super::{Channel, Denoise};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::special::{bessel_ratio_slope, bessel_ratio_taylor};
use std::f64::consts::TAU;

/// The uniform law on S^{n−1}(R) in R^n; n = 2 is a circle, n = 1 the two points ±R.
///
/// E[X|x] = R A_n(κ) x/|x| with κ = a R|x|/b² (T6.5), written as
/// (a R²/b²) g_n(κ²) x with g_n(κ²) = A_n(κ)/κ, which is analytic at x = 0.
///
/// The radial variance is smaller than the tangential one by a factor of
/// about (n−1)/(2κ), so a Jacobian in Cartesian coordinates knows it to 1e-16
/// of the *tangential* one only; [`Sphere::posterior_variances`] keeps its digits.
///
/// ```
/// use driftproof::drift::{Channel, Denoise, Sphere};
/// let sphere = Sphere::new(3, 2.0)?;
/// let mut mean = [0.0; 3];
/// sphere.denoise(Channel::canonical(1.0), &[0.0, 0.6, 0.8], &mut mean);
/// let langevin = 1.0 / 2.0_f64.tanh() - 0.5; // A_3(κ) = coth κ − 1/κ at κ = R|x|/σ² = 2
/// assert!((mean[1] - 2.0 * langevin * 0.6).abs() < 1e-14);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sphere {
    dim: usize,
    radius: f64,
}

impl Sphere {
    /// The sphere of that radius > 0 around 0 in R^dim, dim ≥ 1.
    ///
    /// *Errors*: [`Error::Input`] otherwise.
    pub fn new(dim: usize, radius: f64) -> Result<Self> {
        if dim == 0 {
            return Err(Error::input(
                "sphere dimension",
                "0 is not the dimension of the space around it",
                "give at least 1; 2 is a circle",
            ));
        }
        super::check_positive("sphere radius", radius)?;
        Ok(Self { dim, radius })
    }

    /// The radius R.
    pub fn radius(&self) -> f64 {
        self.radius
    }

    /// Eigenvalues of Cov(X|x) at |x| = `distance`: (radial, tangential) = R² (A_n'(κ), A_n(κ)/κ) (T6.5).
    ///
    /// *Accuracy*: 1e-13 relative in the radial and 1e-15 in the tangential one, for every κ up to 1e8 and n up to 1000.
    pub fn posterior_variances(&self, channel: Channel<f64>, distance: f64) -> (f64, f64) {
        let kappa = channel.signal * self.radius * distance / channel.noise_variance;
        let square = self.radius * self.radius;
        let tangential = bessel_ratio_taylor(self.dim, kappa * kappa)[0];
        (square * bessel_ratio_slope(self.dim, kappa), square * tangential)
    }
}

/// |x|².
fn norm_squared<S: Scalar>(x: &[S]) -> S {
    x.iter().fold(S::from(0.0), |sum, v| sum + *v * *v)
}

impl Denoise for Sphere {
    const SYMMETRIC: bool = true;

    fn dim(&self) -> usize {
        self.dim
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        // κ = |tilt·x|, tilt = a R/b².
        let tilt = channel.signal * self.radius / channel.noise_variance;
        let factor = (tilt * tilt * norm_squared(x)).bessel_ratio(self.dim) * tilt * self.radius;
        for (o, x) in out.iter_mut().zip(x) {
            *o = *x * factor;
        }
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        // log p = −(n/2) log 2πb² − M + log E[e^{κu}], M = (|x|² + a²R²)/2b². The expectation grows
        // as G − n/2, G = √(κ² + n²/4); M − G is taken as (M² − G²)/(M + G), since M² − κ² is a square.
        let half = self.dim as f64 / 2.0;
        let twice = channel.noise_variance * 2.0;
        let (norm, signal) = (norm_squared(x), channel.signal * self.radius);
        let tilt = signal / channel.noise_variance;
        let kappa_squared = tilt * tilt * norm;
        let growth = (kappa_squared + half * half).sqrt();
        let mismatch = (norm - signal * signal) / twice;
        let exponent = (norm + signal * signal) / twice;
        let gap = (mismatch * mismatch - half * half) / (exponent + growth);
        kappa_squared.log_bessel(self.dim) - gap - half - (twice * (TAU / 2.0)).ln() * half
    }
}
