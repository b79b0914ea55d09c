//! Alignment along trajectories over a data set: the condition T2.4, which needs no manifold, and the
//! certificate T2.5 where the manifold is known.

use super::exponents::{Run, sampler};
use super::noise::Levels;
use super::tangents;
use crate::drift::{Channel, Denoise, Denoiser};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::Trajectory;
use crate::linalg::{
    complement, frame_from_normals, graph_operator, spectral_norm, symmetric_eigen,
};
use crate::lyapunov::qr_history;
use crate::manifold::{Chart, Manifold, Sphere};
use crate::observe::posterior_moments_certify_alignment as certificate;
use crate::points::PointSet;
use crate::random::Stream;
use crate::scenario::canonical;
use nalgebra::DMatrix;
use rayon::prelude::*;

/// Dimensions at which the condition is looked at.
const DIMENSIONS: [usize; 5] = [1, 2, 4, 8, 16];

/// Above this dimension the D×D covariance along a path is too much for a check.
const MOST_DIM: usize = 128;

/// Steps between the noise levels; facts are measured on this grid, flows also on its refinement.
const STEPS: usize = 48;

/// Facts of T2.4 along every trajectory, for each dimension d: the series `time`, `gap`, `turning` and
/// `slope` from the noise level on at which the condition first holds.
pub fn along(
    denoiser: &Denoiser,
    runs: &[Run],
    levels: Levels,
    stream: Stream,
) -> Result<Vec<(usize, Facts)>> {
    let dim = denoiser.dim();
    if dim > MOST_DIM {
        return Ok(Vec::new());
    }
    let each = runs
        .par_iter()
        .enumerate()
        .map(|(i, run)| trajectory(denoiser, run, levels, stream.named("planes").indexed(i as u64)))
        .collect::<Result<Vec<_>>>()?;
    Ok(each.into_iter().flatten().collect())
}

/// Facts of T2.5 along every trajectory over points of the unit sphere, for a random plane of its
/// dimension; none for other points.
///
/// *Errors*: as [`certificate::Run::measure`].
pub fn certified(
    set: &PointSet,
    denoiser: &Denoiser,
    runs: &[Run],
    levels: Levels,
    stream: Stream,
) -> Result<Vec<(usize, Facts)>> {
    let dim = set.dim();
    if dim > MOST_DIM || !tangents::on_sphere(set) {
        return Ok(Vec::new());
    }
    let d = dim - 1;
    let manifold = Manifold::new(Chart::Sphere(Sphere { dim: d, radius: 1.0 }))?;
    let (flow, sampler) = (canonical(denoiser), sampler(levels, STEPS));
    runs.par_iter()
        .enumerate()
        .map(|(i, run)| {
            let stream = stream.named("certified planes").indexed(i as u64);
            let plane = frame_from_normals(dim, d, &stream.normals(dim * d));
            let along = certificate::Run {
                manifold: &manifold,
                denoiser,
                flow: &flow,
                sampler: &sampler,
                start: &run.start,
                plane: &plane,
            };
            Ok((d, along.measure()?))
        })
        .collect()
}

fn trajectory(
    denoiser: &Denoiser,
    run: &Run,
    levels: Levels,
    stream: Stream,
) -> Result<Vec<(usize, Facts)>> {
    let dim = denoiser.dim();
    let flow = canonical(denoiser);
    let coarse = sampler(levels, STEPS);
    let fine = coarse.refined();
    let widest = DIMENSIONS.into_iter().filter(|d| *d < dim).max().unwrap_or(1);
    let plane = frame_from_normals(dim, widest, &stream.normals(dim * widest));
    let (path, finer) = (
        Trajectory::from(&flow, &coarse, &run.start)?,
        Trajectory::from(&flow, &fine, &run.start)?,
    );
    let (frames, finer_frames) = (qr_history(&path, &plane), qr_history(&finer, &plane));
    // Eigenvalues and eigenvectors of C/σ² at every noise level of the fine grid.
    let spectra: Vec<(Vec<f64>, DMatrix<f64>)> = fine
        .times()
        .iter()
        .zip(&finer.states)
        .map(|(sigma, y)| {
            let (_, covariance) = denoiser.posterior(Channel::canonical(*sigma), y.as_slice());
            symmetric_eigen(&(covariance / (sigma * sigma)))
        })
        .collect();
    DIMENSIONS
        .into_iter()
        .filter(|d| *d < dim)
        .map(|d| {
            let mut facts = Facts::new();
            for k in 1..STEPS {
                let top = |index: usize| spectra[index].1.columns(0, d).into_owned();
                let (values, here) = (&spectra[2 * k].0, top(2 * k));
                let projector = |index: usize| {
                    let frame = top(index);
                    &frame * frame.transpose()
                };
                let u = |index: usize| -fine.times()[index].ln();
                let rate = |h: usize| -> Result<f64> {
                    let change = projector(2 * k + h) - projector(2 * k - h);
                    Ok(spectral_norm(&change)? / (u(2 * k + h) - u(2 * k - h)))
                };
                let (near, far) = (rate(1)?, rate(2)?);
                let normal = complement(&here);
                let slope = |frame: &DMatrix<f64>| {
                    let frame = frame.columns(0, d).into_owned();
                    match graph_operator(&frame, &here, &normal) {
                        Ok(graph) => spectral_norm(&graph),
                        Err(_) => Ok(f64::NAN),
                    }
                };
                let (l, other) = (slope(&finer_frames[2 * k])?, slope(&frames[k])?);
                let estimated = |value, bar| Quantity::new(value, bar, Grade::Estimated);
                facts.push("time", Quantity::exact(u(2 * k)));
                facts.push("gap", estimated(values[d - 1] - values[d], 1e-9 * (1.0 + values[0])));
                facts.push("turning", estimated(near, (near - far).abs()));
                facts.push("slope", estimated(l, (l - other).abs() + 1e-9 * (1.0 + l * l)));
            }
            Ok((d, later_stage(&facts)))
        })
        .collect()
}

/// The part of the series from the noise level on at which the hypotheses of T2.4 hold, with the
/// constants of all that follows; the last interval when they never do.
fn later_stage(facts: &Facts) -> Facts {
    let (gap, turning) = (facts.series("gap"), facts.series("turning"));
    let slope = facts.series("slope");
    let (mut least, mut most, mut first) = (f64::INFINITY, 0.0_f64, gap.len() - 2);
    for k in (0..gap.len()).rev() {
        least = least.min(gap[k].value - gap[k].bar);
        most = most.max(turning[k].value + turning[k].bar);
        if most >= 0.5 * least {
            break;
        }
        // The barrier is at least half the gap over the turning.
        if slope[k].value + slope[k].bar < 0.5 * least / most {
            first = k.min(first);
        }
    }
    let mut later = Facts::new();
    for (name, series) in facts.iter() {
        later.set_series(name, series[first..].to_vec());
    }
    later
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_stage_begins_where_the_hypotheses_hold_of_all_that_follows() {
        // Gap 2 and turning 0.5: the barrier is half the gap over the turning, 2.
        let from = |slopes: [f64; 6], turnings: [f64; 6]| {
            let mut facts = Facts::new();
            for (k, (slope, turning)) in slopes.into_iter().zip(turnings).enumerate() {
                let row = [k as f64, 2.0, turning, slope];
                for (name, value) in ["time", "gap", "turning", "slope"].into_iter().zip(row) {
                    facts.push(name, Quantity::exact(value));
                }
            }
            let later = later_stage(&facts);
            (later.series("time")[0].value, later.series("slope").len())
        };
        let even = [0.5; 6];
        assert_eq!(from([1.9; 6], even), (0.0, 6));
        assert_eq!(from([9.0, 2.1, 1.9, 1.0, 3.0, 1.0], even), (2.0, 4));
        // The largest turning and the least gap of what follows count.
        assert_eq!(from([1.3, 1.3, 1.3, 1.3, 1.3, 1.3], [0.1, 0.1, 0.1, 0.9, 0.1, 0.1]), (4.0, 2));
        // Never: the last interval, in which a claim is out of scope.
        assert_eq!(from([9.0; 6], even), (4.0, 2));
    }
}
