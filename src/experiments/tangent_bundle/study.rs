//! One kind of sample, and how far the estimates are off on it.

use crate::error::Result;
use crate::experiments::plane_accuracy::{Angles, Method, Scales, angles, exact_denoiser};
use crate::facts::{Facts, Quantity, REPORTED};
use crate::manifold::{Chart, Density, Law, Manifold, Motion};
use crate::observe::data::noise;
use crate::points::PointSet;
use crate::random::Stream;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Noise levels that the estimates may choose from are 2^(j/d) times the one that is fixed beforehand: a ball of that
/// radius holds 2^j times as many points.
const DOUBLINGS: std::ops::RangeInclusive<i32> = -2..=7;

/// Which of them is fixed beforehand: j = 0.
pub const FIXED_LEVEL: usize = 2;

/// Neighbourhood sizes that local PCA may choose from, at most half of the points.
const SIZES: [usize; 13] = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];

/// The size that is fixed beforehand.
pub const FIXED_SIZE: usize = 32;

/// The flow starts at, and ends at most at, so many times the spread of the data.
const SPREADS: (f64, f64) = (4.0, 2.0);

/// Noisy points of a manifold.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The manifold, in its own space.
    pub chart: Chart,
    /// Dimension D of the space that it is put into, by a random rotation.
    pub ambient: usize,
    /// Number of points N.
    pub points: usize,
    /// Standard deviation s of the noise in each of the D directions.
    pub noise: f64,
    /// Length of c in the density exp⟨c, x⟩; 0 is uniform.
    pub tilt: f64,
}

impl Sample {
    /// Dimension d of the manifold.
    pub fn dim(&self) -> usize {
        self.chart.dim()
    }

    /// Noise levels over the one that is fixed beforehand.
    fn factors(&self) -> Vec<f64> {
        DOUBLINGS.map(|j| 2.0_f64.powf(f64::from(j) / self.dim() as f64)).collect()
    }

    fn sizes(&self) -> Vec<usize> {
        SIZES.into_iter().filter(|k| *k > self.dim() && 2 * k <= self.points).collect()
    }

    /// Angles of all estimates at the first `queries` points of one draw, to the tangent plane at the point of the
    /// manifold that is nearest to each.
    ///
    /// *Errors*: as [`Law::sample`], [`Manifold::nearest`] and [`angles`].
    pub fn measure(&self, queries: usize, stream: Stream) -> Result<Angles> {
        let motion = Motion::random(self.chart.ambient(), self.ambient, stream.named("motion"))?;
        let along = motion.matrix().column(0) * self.tilt;
        let manifold = Manifold::embedded(self.chart.clone(), motion)?;
        let density = match self.tilt {
            0.0 => Density::Uniform,
            _ => Density::Tilt { direction: along.as_slice().to_vec() },
        };
        let law = Law::OnManifold { manifold: manifold.clone(), density, thickness: self.noise };
        let set = PointSet::of_points("sample", law.sample(self.points, stream.named("points"))?);
        let levels = noise::levels(&set, stream.named("levels"), &mut Facts::new())?;
        let most = SPREADS.1 * levels.start;
        let sigmas = self.factors().into_iter().map(|factor| (factor * levels.end).min(most));
        let scales = Scales {
            start: SPREADS.0 * levels.start,
            sigmas: sigmas.collect(),
            sizes: self.sizes(),
        };
        let at: Vec<DVector<f64>> =
            (0..queries.min(set.len())).map(|i| set.points.column(i).into()).collect();
        let known = |at: &DVector<f64>| -> Result<DMatrix<f64>> {
            Ok(manifold.tangent_frame(&manifold.nearest(at.as_slice())?.place))
        };
        let known = at.iter().map(known).collect::<Result<Vec<_>>>()?;
        angles(&set, &exact_denoiser(&set)?, &scales, &at, &known)
    }
}

/// How the estimates did over several draws, in degrees.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The sample.
    pub sample: Sample,
    /// Its name along the axis that it belongs to.
    pub at: f64,
    /// Median angles: for each method, scale by scale, one a draw.
    pub(super) medians: [Vec<Vec<f64>>; 3],
}

impl Outcome {
    /// Draws the sample several times.
    ///
    /// *Errors*: as [`Sample::measure`].
    pub fn of(
        sample: Sample,
        at: f64,
        (draws, queries): (usize, usize),
        stream: Stream,
    ) -> Result<Self> {
        let each = (0..draws as u64)
            .into_par_iter()
            .map(|i| sample.measure(queries, stream.indexed(i)))
            .collect::<Result<Vec<Angles>>>()?;
        let medians = Method::ALL.map(|method| {
            let of_draw = |angles: &Angles| -> Vec<f64> {
                angles.medians(method).iter().map(|q| q.value.to_degrees()).collect()
            };
            let by_draw: Vec<Vec<f64>> = each.iter().map(of_draw).collect();
            (0..by_draw[0].len()).map(|s| by_draw.iter().map(|m| m[s]).collect()).collect()
        });
        Ok(Self { sample, at, medians })
    }

    fn of_method(&self, method: Method) -> &[Vec<f64>] {
        &self.medians[method as usize]
    }

    /// The mean over draws of the median angle at each scale, in degrees.
    pub fn by_scale(&self, method: Method) -> Vec<Quantity> {
        self.of_method(method).iter().map(|draws| Quantity::sampled_mean(draws, REPORTED)).collect()
    }

    /// The scale of the least mean: chosen with the known planes at hand, in favour of the method.
    pub fn best(&self, method: Method) -> usize {
        let means = self.by_scale(method);
        (0..means.len()).min_by(|i, j| means[*i].value.total_cmp(&means[*j].value)).unwrap_or(0)
    }

    /// The scale that is fixed beforehand.
    pub fn fixed(&self, method: Method) -> usize {
        match method {
            Method::Flow | Method::Posterior => FIXED_LEVEL,
            Method::Neighbours => {
                self.sample.sizes().iter().position(|k| *k == FIXED_SIZE).unwrap_or(0)
            }
        }
    }

    /// The median angle at the scale of the least mean, or at the fixed one.
    pub fn angle(&self, method: Method, best: bool) -> Quantity {
        let scale = if best { self.best(method) } else { self.fixed(method) };
        Quantity::sampled_mean(&self.of_method(method)[scale], REPORTED)
    }

    /// What the best or the fixed scale is: over the fixed noise level, or a number of neighbours.
    pub fn scale(&self, method: Method, best: bool) -> f64 {
        let scale = if best { self.best(method) } else { self.fixed(method) };
        match method {
            Method::Flow | Method::Posterior => self.sample.factors()[scale],
            Method::Neighbours => self.sample.sizes()[scale] as f64,
        }
    }

    /// The scales that a method may choose from.
    pub fn scales(&self, method: Method) -> Vec<f64> {
        match method {
            Method::Flow | Method::Posterior => self.sample.factors(),
            Method::Neighbours => self.sample.sizes().iter().map(|k| *k as f64).collect(),
        }
    }

    /// The angle of one method over that of another, the geometric mean over draws, each at its best scale or each at
    /// its fixed one: its logarithm, with the bar of paired draws.
    pub fn log_ratio(&self, method: Method, other: Method, best: bool) -> Quantity {
        let of = |method| {
            let scale = if best { self.best(method) } else { self.fixed(method) };
            &self.of_method(method)[scale]
        };
        let logs: Vec<f64> = of(method).iter().zip(of(other)).map(|(a, b)| (a / b).ln()).collect();
        Quantity::sampled_mean(&logs, REPORTED)
    }
}
