//! Manifolds by samples.

use super::kernel::{Kernel, Seen, turned};
use super::patch::{Axis, Patch, check_length, check_storage};
use super::zeros::Zeros;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use nalgebra::DVector;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::f64::consts::FRAC_2_PI;
use std::sync::Arc;

/// Steps of mean shift, which leave Newton's method little to do.
const SHIFTS: usize = 40;

/// Samples from which the ridge is found when it is made, at most: nearest points are looked for from there.
const MOST_PLACES: usize = 2000;

/// The least share of samples near which there must be a ridge.
const FOUND: f64 = 0.9;

/// The least ratio of the variances along and across the ridge, at half of the samples.
const LEAST_RATIO: f64 = 2.0;

/// What is stored of a ridge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RidgeParams {
    dimension: usize,
    #[serde(flatten)]
    kernel: Kernel,
}

/// The ridge of dimension d of the density of weighted samples under a Gaussian kernel of deviation w: the points x at which the
/// weighted mean of the samples, seen from x, lies in the plane through x of the d leading directions of their weighted covariance.
///
/// Local principal components with weights that fall smoothly with the distance from x; smooth itself, as sums of kernels are.
/// On a curve or surface that is sampled evenly and finely against w, it lies inside by w²/2 times the trace of the second
/// fundamental form, up to terms of order w⁴, and exactly at the radius r = R I₁(rR/w²)/I₀(rR/w²) on a circle. It ends where
/// the mean is as far off x as at the end of a half space of samples, √(2/π) w.
///
/// Its parameters are points of the space around it. Volumes, and proven bounds of curvature and reach, are not known.
///
/// *Source*: Genovese, Perone-Pacifico, Verdinelli and Wasserman, Nonparametric ridge estimation, 2014.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "RidgeParams", into = "RidgeParams")]
pub struct Ridge {
    params: Arc<RidgeParams>,
    /// Points of it, near samples.
    places: Arc<Vec<Vec<f64>>>,
    /// The median ratio of the variances along and across it.
    ratio: f64,
}

impl PartialEq for Ridge {
    fn eq(&self, other: &Self) -> bool {
        self.params == other.params
    }
}

impl From<Ridge> for RidgeParams {
    fn from(ridge: Ridge) -> Self {
        (*ridge.params).clone()
    }
}

impl TryFrom<RidgeParams> for Ridge {
    type Error = Error;
    fn try_from(params: RidgeParams) -> Result<Self> {
        Self::new(params.kernel.samples, params.dimension, params.kernel.width)
    }
}

impl Ridge {
    /// The ridge of points, each with the logarithm of its weight.
    ///
    /// *Errors*: [`Error::Input`] for sizes that do not fit, for a width that is not positive, when the samples spread across
    /// planes of that dimension nearly as far as along them, and when there is no ridge near them.
    pub fn new(samples: Vec<(Vec<f64>, f64)>, dimension: usize, width: f64) -> Result<Self> {
        let bad = |problem: String, hint: &str| Err(Error::input("samples", problem, hint));
        let n = samples.first().map_or(0, |(x, _)| x.len());
        check_length("width of the kernel", width)?;
        check_storage("samples", n, samples.len())?;
        let fits = |(x, log): &(Vec<f64>, f64)| {
            x.len() == n && x.iter().chain([log]).all(|x| x.is_finite())
        };
        if !samples.iter().all(fits) {
            let problem = "points of different lengths, or numbers that are not finite".to_owned();
            return bad(problem, "finite points of one space, with positive weights");
        }
        if dimension == 0 || dimension >= n {
            let problem = format!("dimension {dimension} among samples of R^{n}");
            return bad(problem, "a dimension from 1, below that of the space");
        }
        let params = Arc::new(RidgeParams { dimension, kernel: Kernel { width, samples } });
        let mut made = Self { params, places: Arc::default(), ratio: 0.0 };
        let stride = made.params.kernel.samples.len().div_ceil(MOST_PLACES);
        let starts: Vec<&Vec<f64>> =
            made.params.kernel.samples.iter().step_by(stride).map(|(x, _)| x).collect();
        let mut ratios: Vec<f64> = starts.par_iter().map(|x| made.ratio_at(x)).collect();
        ratios.sort_by(f64::total_cmp);
        made.ratio = ratios[ratios.len() / 2];
        if made.ratio.is_nan() || made.ratio < LEAST_RATIO {
            let problem = format!(
                "the variance along planes of dimension {dimension} is {:.2} times that across them, at half of the samples",
                made.ratio
            );
            return bad(problem, "another dimension, or another number of neighbours");
        }
        let places: Vec<Vec<f64>> = starts.par_iter().filter_map(|x| made.settled(x)).collect();
        if (places.len() as f64) < FOUND * starts.len() as f64 {
            let problem = format!("a ridge is found near {} of {}", places.len(), starts.len());
            return bad(problem, "fewer neighbours, more samples, or another dimension");
        }
        made.places = Arc::new(places);
        Ok(made)
    }

    /// The deviation of the kernel.
    pub fn width(&self) -> f64 {
        self.params.kernel.width
    }

    /// The number of samples.
    pub fn samples(&self) -> usize {
        self.params.kernel.samples.len()
    }

    /// The variance of samples along it by that across it, at half of them.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }

    /// The ridge of the same samples under a kernel twice as wide.
    ///
    /// *Errors*: as [`Ridge::new`].
    pub fn coarser(&self) -> Result<Self> {
        let RidgeParams { dimension, kernel: Kernel { width, samples } } = &*self.params;
        Self::new(samples.clone(), *dimension, 2.0 * width)
    }

    /// Points of it, near about so many samples.
    pub(crate) fn places(&self, count: usize) -> Vec<Vec<f64>> {
        let stride = self.places.len().div_ceil(count.max(1));
        self.places.iter().step_by(stride).cloned().collect()
    }

    /// For each of all its [`places`](Self::places), those within twice the width.
    pub(crate) fn neighbours(&self) -> Vec<Vec<usize>> {
        let reach = 4.0 * self.params.kernel.width * self.params.kernel.width;
        let near = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() <= reach
        };
        let places = &self.places;
        let of = |x: &Vec<f64>| (0..places.len()).filter(|&j| near(x, &places[j])).collect();
        places.iter().map(of).collect()
    }

    /// Whether it has ended before a point of it, or ends there.
    pub(crate) fn ends_at(&self, x: &[f64]) -> bool {
        let Seen { mean, .. } = self.params.kernel.seen(x);
        let off = mean.iter().zip(x).map(|(m, x)| (m - x) * (m - x)).sum::<f64>();
        // Rounding lets a point that was moved to the end count.
        off >= FRAC_2_PI * self.params.kernel.width * self.params.kernel.width * (1.0 - 1e-6)
    }

    /// The last point on the way from a point of it to another, which is beyond its end.
    pub(crate) fn end_between(&self, inside: &[f64], beyond: &[f64]) -> Vec<f64> {
        let at = |t: f64| -> Vec<f64> {
            let between: Vec<f64> =
                inside.iter().zip(beyond).map(|(a, b)| a + t * (b - a)).collect();
            self.settled(&between).unwrap_or_else(|| inside.to_vec())
        };
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if self.ends_at(&at(middle)) { high = middle } else { low = middle }
        }
        at(high)
    }

    /// Moves a point onto the ridge, by mean shift across the leading directions first.
    pub(crate) fn settled(&self, u: &[f64]) -> Option<Vec<f64>> {
        let mut x = DVector::from_column_slice(u);
        for _ in 0..SHIFTS {
            let Seen { mean, frame, .. } = self.params.kernel.seen(x.as_slice());
            let across = frame.columns_range(self.params.dimension..);
            let step = across * across.tr_mul(&(mean - &x));
            x += &step;
            if step.norm() < 1e-3 * self.params.kernel.width {
                break;
            }
        }
        self.solved(x.as_slice())
    }

    fn ratio_at(&self, x: &[f64]) -> f64 {
        let variances = self.params.kernel.seen(x).variances;
        let d = self.params.dimension;
        // Of samples in a plane there is none across.
        variances[d - 1] / variances[d].max(f64::EPSILON * variances[0])
    }
}

impl Zeros for Ridge {
    fn sizes(&self) -> (usize, usize) {
        let n = self.ambient();
        (n, n - self.params.dimension)
    }

    /// The mean less x along the last eigenvectors of the covariance, which turn with x.
    fn values<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let (n, d) = (self.ambient(), self.params.dimension);
        let real: Vec<f64> = x.iter().map(|x| x.re()).collect();
        let Seen { near, frame, variances, .. } = self.params.kernel.seen(&real);
        let coordinates = |v: &[S]| -> Vec<S> {
            let along = |column: usize| {
                v.iter().enumerate().fold(S::from(0.0), |sum, (i, v)| sum + *v * frame[(i, column)])
            };
            (0..n).map(along).collect()
        };
        let moved: Vec<S> = x.iter().zip(&real).map(|(x, r)| *x - *r).collect();
        // Nilpotent: how far x is from its real part.
        let moved = coordinates(&moved);
        let scale = (self.params.kernel.width * self.params.kernel.width).recip();
        let (mut mass, mut off) = (S::from(0.0), vec![0.0; n]);
        let mut first = vec![S::from(0.0); n];
        let mut second = vec![S::from(0.0); n * n];
        for (sample, log) in near {
            for (column, off) in off.iter_mut().enumerate() {
                *off = (0..n).map(|i| frame[(i, column)] * (sample[i] - real[i])).sum();
            }
            let across =
                moved.iter().zip(off.iter()).fold(S::from(0.0), |sum, (m, y)| sum + *m * *y);
            // All weights have e^(−|moved|²/2w²) besides, which their shares do not.
            let weight = (across * scale + log).exp();
            mass += weight;
            for i in 0..n {
                let part = weight * off[i];
                first[i] += part;
                (i..n).for_each(|j| second[i * n + j] += part * off[j]);
            }
        }
        let share = mass.recip();
        first.iter_mut().for_each(|m| *m *= share);
        let covariance =
            |i: usize, j: usize| second[i.min(j) * n + i.max(j)] * share - first[i] * first[j];
        let turn = turned(d, &variances, covariance);
        let off: Vec<S> = first.iter().zip(&moved).map(|(mean, x)| *mean - *x).collect();
        for (i, out) in out.iter_mut().enumerate() {
            *out = (0..d).fold(off[d + i], |sum, k| sum - turn[i * d + k] * off[k]);
        }
    }

    fn span(&self) -> f64 {
        self.params.kernel.width
    }
}

impl Patch for Ridge {
    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn ambient(&self) -> usize {
        self.params.kernel.samples[0].0.len()
    }
    fn dim(&self) -> usize {
        self.params.dimension
    }
    fn axes(&self) -> Vec<Axis> {
        let axis = |i: usize| {
            let range = self.params.kernel.samples.iter().map(|(x, _)| x[i]);
            let (from, to) = range.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                (low.min(x), high.max(x))
            });
            Axis::Ambient {
                from: from - self.params.kernel.width,
                to: to + self.params.kernel.width,
            }
        };
        (0..self.ambient()).map(axis).collect()
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let real: Vec<f64> = u.iter().map(|u| u.re()).collect();
        self.retract(u, self.settled(&real), out);
    }
    fn stretch(&self) -> f64 {
        f64::INFINITY
    }
    fn support(&self, c: &[f64]) -> f64 {
        let along = |(x, _): &(Vec<f64>, f64)| crate::linalg::dot(x, c);
        self.params.kernel.samples.iter().map(along).fold(f64::NEG_INFINITY, f64::max)
    }
}
