//! What is true of a trained model: its samples, its finite-time spectrum, and what its errors do.

pub mod alignment;
pub mod compression;
pub mod conventions;
pub mod denoiser;
pub mod response;
pub mod selfchecks;
pub mod space;
pub mod spectrum;
pub mod symmetry;

use crate::drift::{Drift, Lanes, Trained};
use crate::error::{Error, Result};
use crate::facts::{Grade, Quantity, REPORTED};
use crate::flow::{Method, Sampler, StepWorkspace, uniform_times};
use crate::linalg::largest_angle;
use crate::manifold::Manifold;
use crate::points::{PointSet, local_planes};
use crate::random::Stream;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;
use space::Space;

/// A network of more multiply-adds a state is large, and less of it is run.
pub const LARGE: u64 = 1_000_000;

/// States that one task moves side by side.
const SIDE_BY_SIDE: usize = 16;

/// A model and how it is run.
pub struct Model<'a, N> {
    /// The network under its convention.
    pub trained: &'a Trained<N>,
    /// Where its states live.
    pub space: Space,
    /// The scheme of each step.
    pub method: Method,
    /// Steps, equal in s.
    pub steps: usize,
    /// Generating times between which the flow is run.
    pub span: (f64, f64),
}

impl<N: Drift> Model<'_, N> {
    /// The maps of the whole flow.
    pub fn sampler(&self) -> Sampler {
        Sampler::new(self.method, uniform_times(self.span.0, self.span.1, self.steps))
    }

    /// Dimension D of the state.
    pub fn dim(&self) -> usize {
        self.trained.dim()
    }

    /// `D×n` starts: noise of the level of the first time, or uniform points of the space.
    pub fn starts(&self, n: usize, stream: Stream) -> DMatrix<f64> {
        let (_, b) = self.trained.convention.levels.coefficients(self.span.0);
        let normals = stream.named("starts").normals(n * self.dim());
        let mut starts = DMatrix::from_vec(self.dim(), n, normals);
        match self.space {
            Space::Flat => starts *= b,
            space => starts.column_iter_mut().for_each(|mut x| space.normalise(x.as_mut_slice())),
        }
        starts
    }

    /// The time at which σ = b/a has this value, within the span.
    pub fn time_at_sigma(&self, sigma: f64) -> f64 {
        self.trained.convention.levels.time_at_sigma(sigma, self.span)
    }

    /// The noise levels at the two ends.
    pub fn sigmas(&self) -> (f64, f64) {
        let sigma = |s| self.trained.convention.levels.sigma(s);
        (sigma(self.span.0), sigma(self.span.1))
    }
}

/// Where the flow takes some starts, `D×n`; columns that leave the finite numbers are not finite.
pub fn ends(drift: &impl Drift, sampler: &Sampler, starts: &DMatrix<f64>) -> DMatrix<f64> {
    let dim = drift.dim();
    let mut states = starts.clone();
    states.as_mut_slice().par_chunks_mut(dim * SIDE_BY_SIDE).for_each(|block| {
        let mut work = StepWorkspace::default();
        let lanes = Lanes { trajectories: block.len() / dim, tangents: 0 };
        (0..sampler.maps()).for_each(|k| sampler.step(drift, k, block, lanes, &mut work));
    });
    states
}

/// Where tangent planes at samples come from.
pub enum Tangent<'a> {
    /// A manifold that is known.
    Known(&'a Manifold),
    /// Local PCA of the data, with so many dimensions and neighbours: an estimate.
    Local {
        /// The data.
        set: &'a PointSet,
        /// d.
        dimension: usize,
        /// Points of a neighbourhood.
        neighbours: usize,
    },
}

impl Tangent<'_> {
    /// d.
    pub fn dimension(&self) -> usize {
        match self {
            Self::Known(manifold) => manifold.dim(),
            Self::Local { dimension, .. } => *dimension,
        }
    }

    /// The `D×d` plane at the point nearest to a state.
    pub fn plane(&self, x: &DVector<f64>) -> Result<DMatrix<f64>> {
        match self {
            Self::Known(manifold) => {
                let nearest = manifold.nearest(x.as_slice())?;
                Ok(manifold.tangent_frame(&nearest.place))
            }
            Self::Local { set, dimension, neighbours } => {
                Ok(local_planes(set, x, &[*neighbours], *dimension)?.remove(0))
            }
        }
    }

    /// The distance of a state from the manifold, or from the nearest data point.
    pub fn distance(&self, x: &DVector<f64>) -> Result<f64> {
        match self {
            Self::Known(manifold) => Ok(manifold.nearest(x.as_slice())?.distance),
            Self::Local { set, .. } => {
                let square = set.points.column_iter().map(|p| (p - x).norm_squared());
                Ok(square.fold(f64::INFINITY, f64::min).sqrt())
            }
        }
    }

    /// The largest angle between a plane and the tangent plane at a state.
    pub fn angle(&self, x: &DVector<f64>, plane: &DMatrix<f64>) -> Result<f64> {
        largest_angle(&self.plane(x)?, plane)
    }

    /// In words.
    pub fn said(&self) -> String {
        match self {
            Self::Known(_) => "the known manifold".to_owned(),
            Self::Local { neighbours, .. } => {
                format!(
                    "local PCA of the data ({neighbours} neighbours, fixed beforehand; estimated)"
                )
            }
        }
    }
}

/// The median with its 95 % interval; of too few values for one, with their range.
pub fn median(values: &[f64]) -> Quantity {
    let mut sorted: Vec<f64> = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(&middle) = sorted.get(sorted.len() / 2) else { return Quantity::UNKNOWN };
    let sampled = Quantity::sampled_median(values, REPORTED);
    if sampled.value.is_finite() && sampled.bar.is_finite() {
        return sampled;
    }
    let range = values.iter().map(|v| (v - middle).abs()).fold(0.0, f64::max);
    // One value says nothing of others.
    let bar = if values.len() == 1 { f64::NAN } else { range };
    Quantity::new(middle, bar, Grade::Sampled)
}

/// Refuses samples that are not finite.
pub fn check_finite(states: &DMatrix<f64>) -> Result<()> {
    let lost = states.column_iter().filter(|x| !x.iter().all(|v| v.is_finite())).count();
    if lost == 0 {
        return Ok(());
    }
    let problem = format!("{lost} of {} samples leave the finite numbers", states.ncols());
    Err(Error::numeric("flow of the network", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_of_few_has_their_range_and_of_one_no_bar() {
        assert!(median(&[]).value.is_nan());
        let one = median(&[2.0]);
        assert!(one.value == 2.0 && one.bar.is_nan());
        let three = median(&[5.0, 1.0, 2.0]);
        assert_eq!((three.value, three.bar), (2.0, 3.0));
        let many: Vec<f64> = (0..101).map(f64::from).collect();
        let found = median(&many);
        // The interval of order statistics of a 95 % level: about 50 ± √101.
        assert!(found.value == 50.0 && found.bar > 8.0 && found.bar < 13.0, "{found:?}");
        assert!(median(&[1.0, f64::INFINITY, f64::INFINITY]).value.is_infinite());
    }
}
