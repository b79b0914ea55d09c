//! At which noise levels a data set is seen as a whole, as a surface, or as single points.

use super::median;
use crate::facts::{Facts, Grade, Quantity};
use crate::points::PointSet;
use crate::random::Stream;
use rand::RngExt;

/// Noisy points at which the number of effective atoms is measured.
const PROBES: usize = 48;

/// Noise levels per factor of two.
const PER_OCTAVE: f64 = 2.0;

/// The run ends where a typical posterior averages over so many points: fewer do not show a plane.
const RESOLVED: f64 = 12.0;

/// Below so many effective atoms a typical posterior sees one point.
const BASIN: f64 = 1.5;

/// The noise levels between which the flow is run.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    /// Root mean square distance from the mean.
    pub start: f64,
    /// Where the run ends.
    pub end: f64,
}

/// Scans noise levels downwards and states what a posterior sees at each.
pub fn levels(set: &PointSet, stream: Stream, facts: &mut Facts) -> Levels {
    let weights: Vec<f64> = set.log_weights.iter().map(|w| w.exp()).collect();
    let mean = &set.points * nalgebra::DVector::from_column_slice(&weights);
    let square = |x: nalgebra::DVectorView<f64>| (x - &mean).norm_squared();
    let variance: f64 = set.points.column_iter().zip(&weights).map(|(x, w)| w * square(x)).sum();
    let start = variance.sqrt();
    let least = facts.get("spacing_least").value.max(1e-6 * start);
    let (mut end, mut basin) = (None, None);
    let mut sigma = start;
    while basin.is_none() && sigma > 0.01 * least {
        let seen = median((0..PROBES).map(|i| effective_atoms(set, sigma, stream, i)).collect());
        facts.push("sigma_level", Quantity::exact(sigma));
        facts.push("effective_atoms", Quantity::new(seen, 0.0, Grade::Sampled));
        if end.is_none() && seen < RESOLVED {
            end = Some(sigma);
        }
        if seen < BASIN {
            basin = Some(sigma);
        }
        sigma *= (-std::f64::consts::LN_2 / PER_OCTAVE).exp();
    }
    // Few points are never resolved: then the run covers half of an octave at least.
    let end = end.unwrap_or(sigma).min(0.7 * start);
    facts.set("sigma_start", Quantity::rounded(start, set.dim() as f64));
    facts.set("sigma_end", Quantity::exact(end));
    facts.set("basin_sigma", Quantity::new(basin.unwrap_or(sigma), 0.0, Grade::Sampled));
    Levels { start, end }
}

/// exp of the entropy of the posterior weights at a random point of the noisy law.
fn effective_atoms(set: &PointSet, sigma: f64, stream: Stream, probe: usize) -> f64 {
    let stream = stream.indexed(probe as u64);
    let chosen = stream.rng().random_range(0..set.len());
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
    let entropy: f64 = logs
        .iter()
        .map(|l| {
            let p = (l - top).exp() / total;
            if p > 0.0 { -p * p.ln() } else { 0.0 }
        })
        .sum();
    entropy.exp()
}
