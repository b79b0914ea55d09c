//! Tangent planes from the flow at single data points, against exact planes and beside local PCA.

use super::exponents::STEPS;
use super::noise::Levels;
use super::tangents::on_sphere;
use super::trajectories;
use crate::drift::{Denoise, Denoiser, Lanes};
use crate::error::Result;
use crate::facts::{Facts, Quantity, REPORTED};
use crate::flow::{Method, Sampler, StepWorkspace, geometric_times};
use crate::linalg::{complement, largest_angle, svd};
use crate::points::{PointSet, local_planes};
use crate::random::Stream;
use crate::scenario::canonical;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Neighbourhood sizes that local PCA may choose from.
const NEIGHBOURS: [usize; 11] = [3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256];

/// Noise levels that the flow may choose from, over the one that was fixed beforehand.
const LEVELS: [f64; 4] = [0.125, 0.25, 0.5, 2.0];

/// Sizes of the sample at which sampling may stop.
const LOOKS: [usize; 4] = [64, 128, 256, 512];

/// It stops once the medians are known to this part of themselves.
const PRECISION: f64 = 0.2;

/// States and tangents that are moved side by side.
const COLUMNS: usize = 64;

/// Work on one set: points of the sample times atoms times D(1 + D), beyond which no further look is taken.
const MOST_WORK: usize = 1 << 25;

/// Exact unit normals at the points, where they are known: as given, or of the unit sphere.
pub fn exact_normals(set: &PointSet) -> Option<DMatrix<f64>> {
    let of_sphere = || {
        let mut normals = set.points.clone();
        normals.column_iter_mut().for_each(|mut normal| {
            normal.normalize_mut();
        });
        normals
    };
    set.normals.clone().or_else(|| on_sphere(set).then(of_sphere))
}

/// The `D×d` planes that the flow singles out at some points: the end-point vectors of most growth.
///
/// The flow is run backwards from each point, at the noise level where it ends; what grows most towards the
/// data grows least from there. The points' own atoms are left in, as in the model that is examined.
///
/// *Errors*: [`crate::error::Error::Numeric`] when a Jacobian is not finite.
pub fn flow_planes(
    denoiser: &Denoiser,
    levels: Levels,
    points: &[DVector<f64>],
    d: usize,
) -> Result<Vec<DMatrix<f64>>> {
    let (flow, dim) = (canonical(denoiser), denoiser.dim());
    let up = Sampler::new(Method::Rk4, geometric_times(levels.end, levels.start, STEPS));
    let identity = DMatrix::<f64>::identity(dim, dim);
    let columns = points.iter().flat_map(|at| [at.as_slice(), identity.as_slice()]);
    let mut block: Vec<f64> = columns.flatten().copied().collect();
    let lanes = Lanes { trajectories: points.len(), tangents: dim };
    let mut work = StepWorkspace::default();
    (0..up.maps()).for_each(|k| up.step(&flow, k, &mut block, lanes, &mut work));
    let jacobians = block.chunks_exact(dim * (1 + dim)).map(|run| &run[dim..]);
    let plane = |jacobian| {
        let start = svd(&DMatrix::from_column_slice(dim, dim, jacobian))?.right;
        Ok(start.columns(dim - d, d).into_owned())
    };
    jacobians.map(plane).collect()
}

/// Angles to the exact planes of the points of one sample.
#[derive(Default)]
struct Sample {
    /// At each noise level, one angle a point; the first level was fixed beforehand.
    flow: Vec<Vec<f64>>,
    /// At each neighbourhood size, one angle a point.
    pca: Vec<Vec<f64>>,
}

/// Compares planes of the flow and of local PCA with the exact ones, at points drawn without repetition.
///
/// The flow is judged at the noise level where the run ends, fixed beforehand, and at the level of the smallest
/// median angle to the exact planes on the first points; local PCA at the neighbourhood size of the smallest
/// median on all points: choices that nobody could make without the exact planes, in favour of either.
pub fn compare(
    set: &PointSet,
    normals: &DMatrix<f64>,
    denoiser: &Denoiser,
    levels: Levels,
    stream: Stream,
    facts: &mut Facts,
) -> Result<()> {
    let d = set.dim() - 1;
    let uniforms = stream.named("plane points").uniforms(set.len());
    let mut order: Vec<usize> = (0..set.len()).filter(|i| !normals[(0, *i)].is_nan()).collect();
    order.sort_by(|i, j| uniforms[*i].total_cmp(&uniforms[*j]));
    let sizes: Vec<usize> = NEIGHBOURS.into_iter().filter(|k| *k > d && *k <= set.len()).collect();
    let mut candidates: Vec<Levels> = LEVELS
        .into_iter()
        .map(|factor| Levels { end: factor * levels.end, ..levels })
        .filter(|level| level.end < 0.7 * level.start)
        .collect();
    candidates.insert(0, levels);
    if order.is_empty() {
        return Ok(());
    }
    let looks = looks(set, order.len());
    let level = level(looks.len());
    let mut sample =
        Sample { flow: vec![Vec::new(); candidates.len()], pca: vec![Vec::new(); sizes.len()] };
    let mut best_level = None;
    let mut done = 0;
    for look in looks.iter().copied() {
        let measured = order[done..look]
            .par_chunks((COLUMNS / (1 + set.dim())).max(1))
            .map(|points| angles(set, normals, denoiser, (&candidates, &sizes), best_level, points))
            .collect::<Result<Vec<_>>>()?;
        for more in measured {
            sample.flow.iter_mut().zip(more.flow).for_each(|(all, angles)| all.extend(angles));
            sample.pca.iter_mut().zip(more.pca).for_each(|(all, angles)| all.extend(angles));
        }
        done = look;
        best_level = best_level.or_else(|| least_median(&sample.flow));
        let known = |angles: &Vec<f64>| {
            let median = Quantity::sampled_median(angles, level);
            median.bar <= PRECISION * median.value
        };
        let best_pca = least_median(&sample.pca);
        let shown = [Some(0), best_level].into_iter().flatten().map(|k| &sample.flow[k]);
        if shown.chain(best_pca.map(|k| &sample.pca[k])).all(known) {
            break;
        }
    }
    facts.set("plane_points", Quantity::exact(done as f64));
    let (best, pca) = (best_level.unwrap_or(0), least_median(&sample.pca));
    let pca_angles = pca.map(|k| &sample.pca[k]);
    let shown = [
        ("flow", Some(&sample.flow[0])),
        ("best_flow", Some(&sample.flow[best])),
        ("pca", pca_angles),
    ];
    for (name, angles) in shown.into_iter().filter_map(|(name, angles)| Some((name, angles?))) {
        for (part, q) in [("median", 0.5), ("90", 0.9)] {
            facts
                .set(&format!("{name}_angle_{part}"), Quantity::sampled_quantile(angles, q, level));
        }
        let Some(pca) = pca_angles.filter(|_| name != "pca") else { continue };
        let closer = angles.iter().zip(pca).filter(|(flow, pca)| flow < pca).count();
        facts.set(&format!("{name}_closer_share"), Quantity::sampled_share(closer, done, level));
    }
    if let Some(pca) = pca {
        facts.set("pca_neighbours", Quantity::exact(sizes[pca] as f64));
    }
    facts.set("best_flow_sigma", Quantity::exact(candidates[best].end));
    for (level, angles) in candidates.iter().zip(&sample.flow) {
        let first = &angles[..angles.len().min(LOOKS[0])];
        facts.push("plane_sigma", Quantity::exact(level.end));
        facts.push("flow_angle_at_sigma", Quantity::sampled_median(first, REPORTED));
    }
    for (size, angles) in sizes.iter().zip(&sample.pca) {
        facts.push("plane_neighbours", Quantity::exact(*size as f64));
        facts.push("pca_angle_at_neighbours", Quantity::sampled_median(angles, level));
    }
    Ok(())
}

/// Angles to the exact planes at some points; once there is a best level, at that and the fixed one only.
fn angles(
    set: &PointSet,
    normals: &DMatrix<f64>,
    denoiser: &Denoiser,
    (levels, sizes): (&[Levels], &[usize]),
    best_level: Option<usize>,
    points: &[usize],
) -> Result<Sample> {
    let d = set.dim() - 1;
    let at: Vec<DVector<f64>> = points.iter().map(|i| set.points.column(*i).into()).collect();
    let exact: Vec<DMatrix<f64>> =
        points.iter().map(|i| complement(&normals.columns(*i, 1).into_owned())).collect();
    let off = |planes: &[DMatrix<f64>]| -> Result<Vec<f64>> {
        planes.iter().zip(&exact).map(|(plane, exact)| largest_angle(plane, exact)).collect()
    };
    let flow = |(k, level): (usize, &Levels)| match best_level {
        Some(best) if k != 0 && k != best => Ok(vec![f64::NAN; points.len()]),
        _ => off(&flow_planes(denoiser, *level, &at, d)?),
    };
    let flow = levels.iter().enumerate().map(flow).collect::<Result<_>>()?;
    let by_point =
        at.iter().map(|at| local_planes(set, at, sizes, d)).collect::<Result<Vec<_>>>()?;
    let by_size = |k: usize| by_point.iter().map(|planes| planes[k].clone()).collect::<Vec<_>>();
    let pca = (0..sizes.len()).map(|k| off(&by_size(k))).collect::<Result<_>>()?;
    Ok(Sample { flow, pca })
}

/// Sizes of the sample at which it may stop: at least one, no more than there are points.
fn looks(set: &PointSet, points: usize) -> Vec<usize> {
    let work = set.len() * set.dim() * (1 + set.dim());
    let mut looks: Vec<usize> =
        LOOKS.into_iter().map(|n| n.min(points)).filter(|n| n * work <= MOST_WORK).collect();
    looks.dedup();
    if looks.is_empty() { vec![trajectories(set.dim()).min(points)] } else { looks }
}

/// Which of the candidates has the smallest median; those not measured at every point have none.
fn least_median(candidates: &[Vec<f64>]) -> Option<usize> {
    let medians = candidates
        .iter()
        .map(|angles| Quantity::sampled_median(angles, REPORTED).value)
        .enumerate();
    let known = medians.filter(|(_, median)| !median.is_nan());
    known.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(k, _)| k)
}

/// The level of each of several looks, so that the intervals of all of them cover together as often as one that is
/// reported (Bonferroni): sampling may stop at whichever look.
fn level(looks: usize) -> f64 {
    1.0 - (1.0 - REPORTED) / looks as f64
}

#[cfg(test)]
mod tests;
