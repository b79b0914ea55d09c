//! Three estimates of tangent planes beside known planes: by the flow, by the posterior covariance, by local PCA.

use crate::drift::{Atoms, Channel, Denoise, Denoiser};
use crate::error::Result;
use crate::facts::{Quantity, REPORTED};
use crate::linalg::{largest_angle, symmetric_eigen};
use crate::observe::data::noise::Levels;
use crate::observe::data::planes::flow_planes;
use crate::points::{PointSet, local_planes};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Points whose flows are run side by side.
const BESIDE: usize = 8;

/// Who estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The d end-point Lyapunov vectors of most growth, of the flow that ends at the point at some noise level.
    Flow,
    /// The d leading eigenvectors of the posterior covariance at that noise level: local PCA with Gaussian weights,
    /// and the last step of the flow without its history.
    Posterior,
    /// The d leading directions of the nearest points.
    Neighbours,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Flow, Self::Posterior, Self::Neighbours];
}

/// The scales that the estimates may look at.
#[derive(Clone, Debug)]
pub struct Scales {
    /// Noise level at which flows start.
    pub start: f64,
    /// Noise levels at which they end.
    pub sigmas: Vec<f64>,
    /// Numbers of neighbours, increasing.
    pub sizes: Vec<usize>,
}

/// Largest principal angles to the known planes, in radians: one list a scale, one angle a point.
#[derive(Clone, Debug, Default)]
pub struct Angles {
    /// Of [`Method::Flow`], by noise level.
    pub flow: Vec<Vec<f64>>,
    /// Of [`Method::Posterior`], by noise level.
    pub posterior: Vec<Vec<f64>>,
    /// Of [`Method::Neighbours`], by size.
    pub neighbours: Vec<Vec<f64>>,
}

impl Angles {
    /// Those of one method.
    pub fn of(&self, method: Method) -> &[Vec<f64>] {
        match method {
            Method::Flow => &self.flow,
            Method::Posterior => &self.posterior,
            Method::Neighbours => &self.neighbours,
        }
    }

    /// The median over the points at each scale, with its 95 % bar.
    pub fn medians(&self, method: Method) -> Vec<Quantity> {
        self.of(method).iter().map(|angles| Quantity::sampled_median(angles, REPORTED)).collect()
    }

    /// The scale of the least median.
    pub fn best(&self, method: Method) -> usize {
        let medians = self.medians(method);
        (0..medians.len())
            .min_by(|i, j| medians[*i].value.total_cmp(&medians[*j].value))
            .unwrap_or(0)
    }

    fn extend(&mut self, more: Self) {
        let append = |all: &mut Vec<Vec<f64>>, more: Vec<Vec<f64>>| {
            all.resize(more.len(), Vec::new());
            all.iter_mut().zip(more).for_each(|(all, angles)| all.extend(angles));
        };
        append(&mut self.flow, more.flow);
        append(&mut self.posterior, more.posterior);
        append(&mut self.neighbours, more.neighbours);
    }
}

/// The exact denoiser of a point set.
///
/// *Errors*: as [`Atoms::new`].
pub fn exact_denoiser(set: &PointSet) -> Result<Denoiser> {
    let points = set.points.as_slice().to_vec();
    Ok(Atoms::new(set.dim(), points, Some(set.log_weights.clone()), 0.0)?.into())
}

/// Angles of all estimates, at all scales, to the known planes (`D×d` frames) at some points.
///
/// A point that belongs to the set is left in it, for every method.
///
/// *Errors*: [`crate::error::Error::Numeric`] when a Jacobian is not finite.
pub fn angles(
    set: &PointSet,
    denoiser: &Denoiser,
    scales: &Scales,
    at: &[DVector<f64>],
    known: &[DMatrix<f64>],
) -> Result<Angles> {
    let chunk = |(at, known): (&[DVector<f64>], &[DMatrix<f64>])| -> Result<Angles> {
        let d = known[0].ncols();
        let off = |planes: &[DMatrix<f64>]| -> Result<Vec<f64>> {
            planes.iter().zip(known).map(|(plane, known)| largest_angle(plane, known)).collect()
        };
        let flow = |end: &f64| {
            off(&flow_planes(denoiser, Levels { start: scales.start, end: *end }, at, d)?)
        };
        let posterior = |sigma: &f64| {
            let channel = Channel::canonical(*sigma);
            let plane = |at: &DVector<f64>| {
                let (_, covariance) = denoiser.posterior(channel, at.as_slice());
                symmetric_eigen(&covariance).1.columns(0, d).into_owned()
            };
            off(&at.iter().map(plane).collect::<Vec<_>>())
        };
        let by_point = at
            .iter()
            .map(|at| local_planes(set, at, &scales.sizes, d))
            .collect::<Result<Vec<_>>>()?;
        let of_size =
            |k: usize| by_point.iter().map(|planes| planes[k].clone()).collect::<Vec<_>>();
        Ok(Angles {
            flow: scales.sigmas.iter().map(flow).collect::<Result<_>>()?,
            posterior: scales.sigmas.iter().map(posterior).collect::<Result<_>>()?,
            neighbours: (0..scales.sizes.len()).map(|k| off(&of_size(k))).collect::<Result<_>>()?,
        })
    };
    let parts = at
        .par_chunks(BESIDE)
        .zip(known.par_chunks(BESIDE))
        .map(chunk)
        .collect::<Result<Vec<_>>>()?;
    let mut all = Angles::default();
    parts.into_iter().for_each(|part| all.extend(part));
    Ok(all)
}
