//! The sufficient condition T2.1 along learned trajectories, in the frame of the directions that contract least.

use super::spectrum::WHOLE;
use super::{Model, ends};
use crate::drift::{Drift, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Sampler, Trajectory, geometric_times, uniform_times};
use crate::linalg::{
    complement, frame_from_normals, largest_angle, spectral_norm, symmetric_eigen,
};
use crate::lyapunov::qr_history;
use crate::observe::frames::{Blocks, blocks_by_projector, slope_over};
use crate::random::Stream;
use nalgebra::{DMatrix, DVector};

/// Steps between the noise levels; facts are measured on this grid, flows also on its refinement.
const STEPS: usize = 64;

/// Relative rounding of block quantities.
const ROUNDING: f64 = 1e-9;

/// Facts of T2.1 along one learned trajectory between two noise levels, in u = −log σ, for a random d-plane that is carried along and
/// the frame of the top d eigenvectors of the symmetric part of A: the learned A need not be symmetric, and T2.1 does not ask for it.
///
/// The series begin where the constants of all that follows first admit the slope. None above [`WHOLE`] dimensions, or where that never is.
///
/// *Errors*: of trajectories and factorisations.
pub fn along<N: Drift>(
    model: &Model<'_, N>,
    start: &DVector<f64>,
    d: usize,
    (from, to): (f64, f64),
    stream: Stream,
) -> Result<Option<Facts>> {
    let dim = model.dim();
    if dim > WHOLE || d == 0 || d >= dim {
        return Ok(None);
    }
    let levels = geometric_times(from, to, STEPS);
    let coarse: Vec<f64> = levels.iter().map(|sigma| model.time_at_sigma(*sigma)).collect();
    let entry = Sampler::new(model.method, uniform_times(model.span.0, coarse[0], model.steps));
    let entered = ends(model.trained, &entry, &DMatrix::from_columns(std::slice::from_ref(start)));
    let coarse = Sampler::new(model.method, coarse);
    let fine = coarse.refined();
    let path = Trajectory::from(model.trained, &coarse, entered.as_slice())?;
    let finer = Trajectory::from(model.trained, &fine, entered.as_slice())?;
    let plane = frame_from_normals(dim, d, &stream.normals(dim * d));
    let (planes, finer_planes) = (qr_history(&path, &plane), qr_history(&finer, &plane));
    let times: Vec<f64> =
        fine.times().iter().map(|s| -model.trained.convention.levels.sigma(*s).ln()).collect();
    let mut work = Workspace::default();
    let jacobians: Vec<DMatrix<f64>> = fine
        .times()
        .iter()
        .zip(&finer.states)
        .map(|(s, x)| {
            let (a, b, da, db) = model.trained.convention.levels.rates(*s);
            // du/ds = −σ'/σ. The change from x to y = x/a adds a multiple of I, which no block sees.
            let rate = (da * b - a * db) / (a * b);
            model.trained.jacobian(*s, x.as_slice(), &mut work) / rate
        })
        .collect();
    let tangents: Vec<DMatrix<f64>> = jacobians
        .iter()
        .map(|a| symmetric_eigen(&((a + a.transpose()) * 0.5)).1.columns(0, d).into_owned())
        .collect();
    let mut facts = Facts::new();
    let estimated = |value: f64, bar: f64| {
        Quantity::new(value, bar + ROUNDING * (1.0 + value.abs()), Grade::Estimated)
    };
    for (k, rough) in planes.iter().enumerate().take(STEPS).skip(1) {
        let at = 2 * k;
        let (tangent, normal) = (&tangents[at], complement(&tangents[at]));
        let projector = |index: usize| &tangents[index] * tangents[index].transpose();
        let rate =
            |h: usize| (projector(at + h) - projector(at - h)) / (times[at + h] - times[at - h]);
        let (near, far) = (rate(1), rate(2));
        let off = spectral_norm(&(&near - &far))?;
        let Blocks { gamma, kappa, eta } =
            blocks_by_projector(&jacobians[at], tangent, &normal, &near)?;
        let slope = |plane: &DMatrix<f64>| slope_over(plane, tangent, &normal);
        let (l, other) = (slope(&finer_planes[at])?, slope(rough)?);
        facts.push("time", Quantity::exact(times[at]));
        facts.push("gamma", estimated(gamma, 0.0));
        facts.push("kappa", estimated(kappa, off));
        facts.push("eta", estimated(eta, off));
        facts.push("slope", estimated(l, (l - other).abs() + ROUNDING * l * l));
    }
    let last = 2 * (STEPS - 1);
    let sine = |plane: &DMatrix<f64>| {
        Ok::<f64, crate::error::Error>(largest_angle(plane, &tangents[last])?.sin())
    };
    let (end, other) = (sine(&finer_planes[last])?, sine(&planes[STEPS - 1])?);
    Ok(later(&facts).map(|mut later| {
        later.set("end_sine", estimated(end, (end - other).abs()));
        later
    }))
}

/// From the first time on at which the worst γ, κ, η of all that follows have a barrier above the slope.
fn later(facts: &Facts) -> Option<Facts> {
    let series = |name: &str| facts.series(name);
    let (mut gamma, mut kappa, mut eta) = (f64::INFINITY, 0.0_f64, 0.0_f64);
    let mut first = None;
    for k in (0..series("time").len()).rev() {
        gamma = gamma.min(series("gamma")[k].value - series("gamma")[k].bar);
        kappa = kappa.max(series("kappa")[k].value + series("kappa")[k].bar);
        eta = eta.max(series("eta")[k].value + series("eta")[k].bar);
        let delta = gamma * gamma - 4.0 * kappa * eta;
        if !(gamma > 0.0 && delta > 0.0) {
            break;
        }
        let slope = series("slope")[k].value + series("slope")[k].bar;
        if slope < (gamma + delta.sqrt()) / (2.0 * eta) {
            first = Some(k);
        }
    }
    let first = first.filter(|first| first + 4 < series("time").len())?;
    let mut later = Facts::new();
    facts.iter().for_each(|(name, series)| later.set_series(name, series[first..].to_vec()));
    Some(later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_begin_where_the_constants_of_all_that_follows_admit_the_slope() {
        // γ = 2, κ = 0.6, η = 1.6: Δ = 0.16, and the barrier is (2 + 0.4)/3.2 = 0.75.
        let from = |slopes: [f64; 8]| {
            let mut facts = Facts::new();
            for (k, slope) in slopes.into_iter().enumerate() {
                let row = [k as f64, 2.0, 0.6, 1.6, slope];
                for (name, value) in ["time", "gamma", "kappa", "eta", "slope"].into_iter().zip(row)
                {
                    facts.push(name, Quantity::exact(value));
                }
            }
            later(&facts).map(|later| later.series("time")[0].value)
        };
        assert_eq!(from([0.74; 8]), Some(0.0));
        assert_eq!(from([0.9, 0.76, 0.74, 0.5, 0.5, 0.5, 0.5, 0.5]), Some(2.0));
        // Fewer than five times are nothing.
        assert_eq!(from([0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5]), None);
        assert_eq!(from([0.76; 8]), None);
    }
}
