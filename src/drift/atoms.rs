//! Finite data sets, kernel mixtures and quadrature rules.

use super::kernel::Centres;
use super::{Channel, Denoise, Lanes, Workspace};
use crate::error::{Error, Result};
use crate::linalg::dot;
use crate::scalar::Scalar;
use nalgebra::DMatrix;
use std::f64::consts::TAU;

/// The law Σ_i w_i N(p_i, s² I): a data set (s = 0) or an isotropic Gaussian mixture.
///
/// ```
/// use driftproof::drift::{Atoms, Channel, Denoise};
/// let pair = Atoms::new(1, vec![-1.0, 1.0], None, 0.0)?;
/// let mut mean = [0.0];
/// pair.denoise(Channel { signal: 1.0, noise_variance: 0.5 }, &[0.3], &mut mean);
/// assert!((mean[0] - 0.6_f64.tanh()).abs() < 1e-15); // ±1 with equal weights: tanh(a x/b²)
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Atoms {
    pub(crate) points: Vec<f64>,
    pub(crate) dim: usize,
    pub(crate) log_weights: Vec<f64>,
    pub(crate) half_norms: Vec<f64>,
    pub(crate) thickness: f64,
    centres: Centres,
}

impl Atoms {
    /// Atoms at the columns of `points` (`dim`×N, column-major), thickened by a Gaussian of deviation `thickness` ≥ 0.
    ///
    /// Log weights need not be normalised; without them the atoms are equally likely.
    ///
    /// *Errors*: [`Error::Input`] for no points, sizes that do not fit, or numbers that are not finite.
    pub fn new(
        dim: usize,
        points: Vec<f64>,
        log_weights: Option<Vec<f64>>,
        thickness: f64,
    ) -> Result<Self> {
        if dim == 0 || points.is_empty() || !points.len().is_multiple_of(dim) {
            return Err(Error::input(
                "atoms",
                format!("{} coordinates do not make points of dimension {dim}", points.len()),
                "give at least one point, and the same number of coordinates for each",
            ));
        }
        let count = points.len() / dim;
        let mut log_weights = log_weights.unwrap_or_else(|| vec![0.0; count]);
        if log_weights.len() != count {
            return Err(Error::input(
                "atom weights",
                format!("{} weights for {count} points", log_weights.len()),
                "give one weight for each point",
            ));
        }
        if let Some(at) = points.iter().position(|v| !v.is_finite()) {
            return Err(Error::input(
                "atoms",
                format!("coordinate {} of point {} is {}", at % dim, at / dim, points[at]),
                "remove the points that are not finite",
            ));
        }
        if let Some(at) = log_weights.iter().position(|v| !v.is_finite()) {
            return Err(Error::input(
                "atom weights",
                format!("the log weight of point {at} is {}", log_weights[at]),
                "give positive, finite weights; drop points of weight 0",
            ));
        }
        if !(thickness >= 0.0 && thickness.is_finite()) {
            return Err(Error::input(
                "atom thickness",
                format!("{thickness} is not a standard deviation"),
                "give a finite number of at least 0",
            ));
        }
        let largest = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mass: f64 = log_weights.iter().map(|w| (w - largest).exp()).sum();
        let log_mass = largest + mass.ln();
        log_weights.iter_mut().for_each(|w| *w -= log_mass);
        let half_norms = points.chunks_exact(dim).map(|p| 0.5 * dot(p, p)).collect();
        let centres = Centres::new(dim, &points, &log_weights, thickness);
        Ok(Self { points, dim, log_weights, half_norms, thickness, centres })
    }

    /// The atoms at the nodes of a quadrature rule, column-major, with positive `weights`: a curve or
    /// surface law to the rule's accuracy, which needs nodes closer than σ = b/a (T6.8).
    ///
    /// *Errors*: as [`Atoms::new`], and for a weight that is not positive.
    pub fn quadrature(dim: usize, nodes: &[f64], weights: &[f64], thickness: f64) -> Result<Self> {
        let logs = weights.iter().map(|w| w.ln()).collect();
        Self::new(dim, nodes.to_vec(), Some(logs), thickness)
    }

    /// The points, `D×N` column-major.
    pub fn points(&self) -> &[f64] {
        &self.points
    }

    /// log w_i, normalised: Σ w_i = 1.
    pub fn log_weights(&self) -> &[f64] {
        &self.log_weights
    }

    /// |p_i|²/2.
    pub fn half_norms(&self) -> &[f64] {
        &self.half_norms
    }

    /// The standard deviation s of each atom.
    pub fn thickness(&self) -> f64 {
        self.thickness
    }

    /// [`Denoise::posterior`] of many states at once; `work` is scratch, grown on first use.
    ///
    /// *Shapes*: `states` and `means` are `D×T`, `covariances` T matrices `D×D`.
    pub fn posteriors(
        &self,
        channel: Channel<f64>,
        states: &[f64],
        means: &mut [f64],
        covariances: &mut [f64],
        work: &mut Vec<f64>,
    ) {
        self.centres.posteriors(channel, states, means, covariances, work);
    }

    /// a and the variance b² + a²s² of x around a p_i.
    fn spread<S: Scalar>(&self, channel: Channel<S>) -> (S, S) {
        let a = channel.signal;
        (a, channel.noise_variance + a * a * (self.thickness * self.thickness))
    }

    /// The likeliest atom at x, to which the others are compared.
    ///
    /// It is chosen by real parts, but every choice gives the same function
    /// exactly: it only fixes which exponentials are computed.
    fn reference<S: Scalar>(&self, (a, variance): (S, S), x: &[S]) -> usize {
        let (a, variance) = (a.re(), variance.re());
        let score = |i: usize| {
            let point = &self.points[i * self.dim..][..self.dim];
            let square = x.iter().zip(point).map(|(x, p)| (x.re() - a * p).powi(2)).sum::<f64>();
            self.log_weights[i] - square / (2.0 * variance)
        };
        let mut best = (0, score(0));
        for i in 1..self.log_weights.len() {
            let score = score(i);
            if score > best.1 {
                best = (i, score);
            }
        }
        best.0
    }

    /// The posterior odds of atom i against the reference atom.
    ///
    /// |x − a o|² − |x − a p|² is factored by hand, so that nearby atoms and
    /// their derivatives keep all digits however small the noise.
    fn odds<S: Scalar>(&self, (a, variance): (S, S), x: &[S], i: usize, reference: usize) -> S {
        let point = &self.points[i * self.dim..][..self.dim];
        let origin = &self.points[reference * self.dim..][..self.dim];
        let mut closer = S::from(0.0);
        for ((x, p), o) in x.iter().zip(point).zip(origin) {
            closer += (*x - a * *o - a * (0.5 * (p - o))) * (p - o);
        }
        let log_prior = self.log_weights[i] - self.log_weights[reference];
        (a * closer / variance + log_prior).exp()
    }
}

impl Denoise for Atoms {
    const SYMMETRIC: bool = true;

    fn dim(&self) -> usize {
        self.dim
    }

    fn denoise<S: Scalar>(&self, channel: Channel<S>, x: &[S], out: &mut [S]) {
        let (a, variance) = self.spread(channel);
        let reference = self.reference((a, variance), x);
        let origin = &self.points[reference * self.dim..][..self.dim];
        out.fill(S::from(0.0));
        let mut mass = S::from(0.0);
        for (i, point) in self.points.chunks_exact(self.dim).enumerate() {
            let odds = self.odds((a, variance), x, i, reference);
            mass += odds;
            for ((o, p), origin) in out.iter_mut().zip(point).zip(origin) {
                *o += odds * (p - origin);
            }
        }
        // Within one atom of deviation s the posterior mean moves by a s²/(b² + a²s²) of the residual.
        let gain = a * (self.thickness * self.thickness) / variance;
        for ((o, origin), x) in out.iter_mut().zip(origin).zip(x) {
            let mean = *o / mass + *origin;
            *o = mean + gain * (*x - a * mean);
        }
    }

    fn log_density<S: Scalar>(&self, channel: Channel<S>, x: &[S]) -> S {
        let (a, variance) = self.spread(channel);
        let reference = self.reference((a, variance), x);
        let origin = &self.points[reference * self.dim..][..self.dim];
        let mut mass = S::from(0.0);
        for i in 0..self.log_weights.len() {
            mass += self.odds((a, variance), x, i, reference);
        }
        let mut square = S::from(0.0);
        for (x, p) in x.iter().zip(origin) {
            let residual = *x - a * *p;
            square += residual * residual;
        }
        let log_peak = (variance * TAU).ln() * (-0.5 * self.dim as f64);
        log_peak - square / (variance * 2.0) + mass.ln() + self.log_weights[reference]
    }
    fn push(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        work: &mut Workspace,
    ) {
        self.centres.push(channel, block, lanes, out, &mut work.plain);
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
        let work = &mut work.plain;
        self.centres.push_with_divergence(channel, block, lanes, out, divergence, work);
    }

    fn posterior(&self, channel: Channel<f64>, x: &[f64]) -> (Vec<f64>, DMatrix<f64>) {
        let mut mean = vec![0.0; self.dim];
        let mut covariance = DMatrix::zeros(self.dim, self.dim);
        self.posteriors(channel, x, &mut mean, covariance.as_mut_slice(), &mut Vec::new());
        (mean, covariance)
    }
}
