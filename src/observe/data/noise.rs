//! At which noise levels a data set is seen as a whole, as a surface, or as single points.

use crate::error::{Error, Result};
use crate::facts::{Facts, Grade, Quantity, REPORTED};
use crate::linalg::spectral_norm;
use crate::points::PointSet;
use crate::random::Stream;
use nalgebra::DVector;

/// Noisy points at which the number of effective atoms is measured.
const PROBES: usize = 48;

/// Noise levels per factor of two.
const PER_OCTAVE: f64 = 2.0;

/// The run ends where a typical posterior averages over so many points: fewer do not show a plane.
const RESOLVED: f64 = 12.0;

/// Below so many effective atoms a typical posterior sees one point.
const BASIN: f64 = 1.5;

/// Atoms of a smaller posterior weight do not change its covariance.
const NEGLIGIBLE: f64 = 1e-15;

/// The noise levels between which the flow is run.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    /// Root mean square distance from the mean.
    pub start: f64,
    /// Where the run ends.
    pub end: f64,
}

/// Scans noise levels downwards and states what a posterior sees at each.
///
/// *Errors*: [`Error::Numeric`] when the spread of the points is not a positive number.
pub fn levels(set: &PointSet, stream: Stream, facts: &mut Facts) -> Result<Levels> {
    let weights: Vec<f64> = set.log_weights.iter().map(|w| w.exp()).collect();
    let mean = &set.points * DVector::from_column_slice(&weights);
    let square = |x: nalgebra::DVectorView<f64>| (x - &mean).norm_squared();
    let variance: f64 = set.points.column_iter().zip(&weights).map(|(x, w)| w * square(x)).sum();
    let start = variance.sqrt();
    if !(start.is_finite() && start > 0.0) {
        let problem = format!("the points are {start} from their mean, root mean square");
        return Err(Error::numeric("noise levels", problem));
    }
    let least = facts.get("spacing_least").value.max(1e-6 * start);
    let (mut end, mut basin) = (None, None);
    let mut sigma = start;
    while basin.is_none() && sigma > 0.01 * least {
        let probe = |i| effective_atoms(&Posterior::at_probe(set, sigma, stream, i).weights);
        let seen: Vec<f64> = (0..PROBES).map(probe).collect();
        let seen = Quantity::sampled_median(&seen, REPORTED);
        facts.push("sigma_level", Quantity::exact(sigma));
        facts.push("effective_atoms", seen);
        if end.is_none() && seen.value < RESOLVED {
            end = Some(sigma);
        }
        if seen.value < BASIN {
            basin = Some(sigma);
        }
        sigma *= (-std::f64::consts::LN_2 / PER_OCTAVE).exp();
    }
    // Few points are never resolved: then the run covers half of an octave at least.
    let end = end.unwrap_or(sigma).min(0.7 * start);
    facts.set("sigma_start", Quantity::rounded(start, set.dim() as f64));
    facts.set("sigma_end", Quantity::exact(end));
    if let Some(basin) = basin {
        // The first level of the scan below the threshold: it may lie up to the level above.
        let above = (std::f64::consts::LN_2 / PER_OCTAVE).exp() - 1.0;
        facts.set("basin_sigma", Quantity::new(basin, above * basin, Grade::Estimated));
        let half = 0.5 * basin;
        let sizes = (0..PROBES)
            .map(|i| Posterior::at_probe(set, half, stream, i).largest_variance())
            .collect::<Result<Vec<f64>>>()?;
        facts.set("basin_covariance", Quantity::sampled_median(&sizes, REPORTED));
    }
    Ok(Levels { start, end })
}

/// The posterior over the points at one noisy point.
struct Posterior<'a> {
    set: &'a PointSet,
    sigma: f64,
    weights: Vec<f64>,
}

impl<'a> Posterior<'a> {
    /// At a random point of the noisy law.
    fn at_probe(set: &'a PointSet, sigma: f64, stream: Stream, probe: usize) -> Self {
        let stream = stream.indexed(probe as u64);
        let chosen = set.drawn(stream.uniforms(1)[0]);
        let mut y = set.points.column(chosen).into_owned();
        for (coordinate, noise) in y.iter_mut().zip(stream.named("noise").normals(set.dim())) {
            *coordinate += sigma * noise;
        }
        let log = |(x, w): (nalgebra::DVectorView<f64>, &f64)| {
            w - 0.5 * (x - &y).norm_squared() / (sigma * sigma)
        };
        let logs: Vec<f64> = set.points.column_iter().zip(&set.log_weights).map(log).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logs.iter().map(|l| (l - top).exp()).sum();
        Self { set, sigma, weights: logs.iter().map(|l| (l - top).exp() / total).collect() }
    }

    /// The largest eigenvalue of C/σ².
    fn largest_variance(&self) -> Result<f64> {
        let seen: Vec<usize> =
            (0..self.weights.len()).filter(|i| self.weights[*i] > NEGLIGIBLE).collect();
        let weight = |i: usize| self.weights[seen[i]];
        let mut points = self.set.points.select_columns(&seen);
        let mean = &points * DVector::from_fn(seen.len(), |i, _| weight(i));
        for (i, mut point) in points.column_iter_mut().enumerate() {
            point -= &mean;
            point *= weight(i).sqrt() / self.sigma;
        }
        Ok(spectral_norm(&points)?.powi(2))
    }
}

/// exp of the entropy of posterior weights.
fn effective_atoms(weights: &[f64]) -> f64 {
    let entropy: f64 = weights.iter().map(|&p| if p > 0.0 { -p * p.ln() } else { 0.0 }).sum();
    entropy.exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    #[test]
    fn the_posterior_covariance_of_two_points_is_that_of_a_coin() {
        let set = PointSet {
            name: "two".into(),
            rows: 2,
            points: DMatrix::from_column_slice(2, 2, &[0.0, 0.0, 3.0, 4.0]),
            log_weights: vec![0.5_f64.ln(); 2],
            constant_columns: Vec::new(),
            normals: None,
            notes: Vec::new(),
        };
        let posterior = Posterior { set: &set, sigma: 2.0, weights: vec![0.2, 0.8] };
        // |x − x'|² p (1 − p)/σ² = 25·0.16/4.
        assert!((posterior.largest_variance().unwrap() - 1.0).abs() < 1e-14);
        assert_eq!(effective_atoms(&[1.0, 0.0]), 1.0);
        assert!((effective_atoms(&[0.25; 4]) - 4.0).abs() < 1e-14);
    }
}
