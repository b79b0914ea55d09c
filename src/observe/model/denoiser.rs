//! The learned denoiser against the exact one of the training data, and what the theory makes of the difference.

use super::spectrum::WHOLE;
use super::{Model, Tangent};
use crate::drift::{Atoms, Channel, Denoise, Drift, Workspace};
use crate::error::Result;
use crate::facts::{Facts, Grade, Quantity};
use crate::flow::{Sampler, Trajectory};
use crate::linalg::{complement, mu_max, mu_min, spectral_norm};
use crate::manifold::Manifold;
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

/// Noise levels at which the two are compared, equally far apart in log σ.
const LEVELS: usize = 12;

/// Steps of the paths on which distances are judged, equal in log σ; the bars are from twice as many.
const STEPS: usize = 64;

/// At one state of a learned trajectory, in canonical coordinates y = x/a.
struct Comparison {
    /// |e|, e = learned − exact.
    error: f64,
    /// |P_⊥ e|.
    normal: f64,
    /// ‖De‖; NaN above [`WHOLE`] dimensions.
    slope: f64,
    /// γ of the exact denoiser over the tangent plane (T2.5), in u = −log σ.
    gap: f64,
    /// κ of the exact denoiser without the turning of the plane.
    cross: f64,
}

/// Compares the two denoisers along learned trajectories between two noise levels.
///
/// Facts: series `error_sigma`, `error` (median |e|), `error_normal`, `error_slope` (median ‖De‖), `error_allowed` ((γ − 2κ)/4 of
/// the exact denoiser: with ‖De‖ below it, T5(b) has a fixed point), `error_turns`: what T5(b) says that ‖De‖ turns a plane by at
/// most, e (1 + y)²/√Δ as a tangent; infinite where there is no fixed point.
///
/// *Errors*: of nearest points and local planes.
pub fn compare<N: Drift>(
    model: &Model<'_, N>,
    atoms: &Atoms,
    tangent: &Tangent<'_>,
    starts: &DMatrix<f64>,
    (from, to): (f64, f64),
    facts: &mut Facts,
) -> Result<()> {
    let sigmas = crate::flow::geometric_times(from, to, LEVELS - 1);
    let times: Vec<f64> = sigmas.iter().map(|sigma| model.time_at_sigma(*sigma)).collect();
    let states = at_times(model, starts, &times);
    for (k, sigma) in sigmas.iter().enumerate() {
        let each: Vec<Comparison> = states[k]
            .column_iter()
            .collect::<Vec<_>>()
            .into_par_iter()
            .filter(|x| x.iter().all(|v| v.is_finite()))
            .map(|x| at(model, atoms, tangent, times[k], &x.into_owned()))
            .collect::<Result<_>>()?;
        let median = |of: fn(&Comparison) -> f64| {
            let values: Vec<f64> = each.iter().map(of).collect();
            super::median(&values)
        };
        facts.push("error_sigma", Quantity::exact(*sigma));
        facts.push("error", median(|c| c.error));
        facts.push("error_normal", median(|c| c.normal));
        facts.push("error_slope", median(|c| c.slope));
        facts.push("error_allowed", median(|c| 0.25 * (c.gap - 2.0 * c.cross)));
        facts.push("error_turns", median(Comparison::turns));
    }
    Ok(())
}

impl Comparison {
    /// e (1 + y)²/√Δ of T5(b), y the fixed point of the shaken coefficients; +∞ where they have none.
    fn turns(&self) -> f64 {
        let (e, gamma, kappa) = (self.slope, self.gap, self.cross);
        let shaken = gamma - 2.0 * e;
        let delta = shaken * shaken - 4.0 * (kappa + e) * (kappa + e);
        if !(shaken > 0.0 && delta > 0.0) {
            return if e.is_nan() { f64::NAN } else { f64::INFINITY };
        }
        let y = 2.0 * (kappa + e) / (shaken + delta.sqrt());
        e * (1.0 + y).powi(2) / delta.sqrt()
    }
}

/// The states of the flow from its starts at some later times, `D×n` each.
fn at_times<N: Drift>(
    model: &Model<'_, N>,
    starts: &DMatrix<f64>,
    times: &[f64],
) -> Vec<DMatrix<f64>> {
    let mut states = Vec::new();
    let (mut at, mut now) = (starts.clone(), model.span.0);
    for time in times {
        let steps =
            ((time - now) / (model.span.1 - model.span.0) * model.steps as f64).ceil().max(4.0);
        let part =
            Sampler::new(model.method, crate::flow::uniform_times(now, *time, steps as usize));
        at = super::ends(model.trained, &part, &at);
        states.push(at.clone());
        now = *time;
    }
    states
}

fn at<N: Drift>(
    model: &Model<'_, N>,
    atoms: &Atoms,
    tangent: &Tangent<'_>,
    s: f64,
    x: &DVector<f64>,
) -> Result<Comparison> {
    let (a, b) = model.trained.convention.levels.coefficients(s);
    let (y, sigma) = (x / a, b / a);
    let plane = tangent.plane(&y)?;
    let (learned, slope) = learned(model, s, x);
    let channel = Channel::canonical(sigma);
    let mut exact = vec![0.0; x.len()];
    atoms.denoise(channel, y.as_slice(), &mut exact);
    let error = learned - DVector::from_vec(exact);
    let normal = (&error - &plane * plane.tr_mul(&error)).norm();
    let mut found =
        Comparison { error: error.norm(), normal, slope: f64::NAN, gap: f64::NAN, cross: f64::NAN };
    if let Some(slope) = slope {
        let (_, covariance) = atoms.posterior(channel, y.as_slice());
        let own = covariance / (sigma * sigma);
        found.slope = spectral_norm(&(slope - &own))?;
        let across = complement(&plane);
        found.gap =
            mu_min(&(plane.tr_mul(&own) * &plane)) - mu_max(&(across.tr_mul(&own) * &across));
        found.cross = spectral_norm(&(across.tr_mul(&own) * &plane))?;
    }
    Ok(found)
}

/// The learned E[X|y], and its Jacobian in y up to [`WHOLE`] dimensions.
fn learned<N: Drift>(
    model: &Model<'_, N>,
    s: f64,
    x: &DVector<f64>,
) -> (DVector<f64>, Option<DMatrix<f64>>) {
    let mut work = Workspace::default();
    let (a, _) = model.trained.convention.levels.coefficients(s);
    if x.len() <= WHOLE {
        let (value, jacobian) = model.trained.denoised(s, x.as_slice(), &mut work);
        // dD/dy = a dD/dx.
        return (DVector::from_vec(value), Some(jacobian * a));
    }
    (DVector::from_vec(model.trained.denoised_value(s, x.as_slice(), &mut work)), None)
}

/// How far training data are off a manifold at most.
///
/// *Errors*: of nearest points.
pub fn off_the_set(atoms: &Atoms, manifold: &Manifold) -> Result<f64> {
    let distances =
        atoms.points().chunks_exact(atoms.dim()).map(|x| Ok(manifold.nearest(x)?.distance));
    distances.reduce(|a, b| Ok(a?.max(b?))).unwrap_or(Ok(0.0))
}

/// Facts of T4.3 (a), (b) along one learned trajectory near a known manifold that holds the training data, `off` it at most: `time` = −log σ,
/// `distance`, `spread` V, `error` |P_⊥ e|, `lean`, with `off_the_set` and `reach`; from the first time on at which the state stays
/// nearer than the reach. None where it never does.
///
/// Bars: the change from twice the steps, and rounding.
///
/// *Errors*: of trajectories and nearest points.
pub fn path<N: Drift>(
    model: &Model<'_, N>,
    atoms: &Atoms,
    (manifold, off): (&Manifold, f64),
    start: &DVector<f64>,
    (from, to): (f64, f64),
) -> Result<Option<Facts>> {
    let mut facts = Facts::new();
    facts.set("off_the_set", Quantity::new(off, 1e-12, Grade::Estimated));
    facts.set("reach", Quantity::rounded(manifold.reach_at_least(), 8.0));
    let sigmas = crate::flow::geometric_times(from, to, STEPS);
    let times: Vec<f64> = sigmas.iter().map(|sigma| model.time_at_sigma(*sigma)).collect();
    let entered =
        at_times(model, &DMatrix::from_columns(std::slice::from_ref(start)), &times[..1]).remove(0);
    let coarse = Sampler::new(model.method, times);
    let fine = coarse.refined();
    let run = |sampler| Trajectory::from(model.trained, sampler, entered.as_slice());
    let (coarse, fine) = (run(&coarse)?, run(&fine)?);
    let mut rows = Vec::new();
    for (k, sigma) in sigmas.iter().enumerate() {
        let s = coarse.sampler.times()[k];
        let near = measured(model, atoms, manifold, s, &fine.states[2 * k])?;
        let far = measured(model, atoms, manifold, s, &coarse.states[k])?;
        rows.push((*sigma, near, far));
    }
    let reach = manifold.reach_at_least();
    let Some(outside) = rows.iter().rposition(|(_, near, _)| near[0] >= reach) else {
        return Ok(Some(filled(facts, &rows)));
    };
    Ok((outside + 2 < rows.len()).then(|| filled(facts, &rows[outside + 1..])))
}

type Row = (f64, [f64; 4], [f64; 4]);

fn filled(mut facts: Facts, rows: &[Row]) -> Facts {
    for (sigma, near, far) in rows {
        facts.push("time", Quantity::exact(-sigma.ln()));
        for (i, name) in ["distance", "spread", "error", "lean"].into_iter().enumerate() {
            let bar = (near[i] - far[i]).abs() + 1e-10 * (1.0 + near[i].abs());
            facts.push(name, Quantity::new(near[i], bar, Grade::Estimated));
        }
    }
    facts
}

/// Distance, V, |P_⊥ e| and ⟨n, D − p⟩ at one state.
fn measured<N: Drift>(
    model: &Model<'_, N>,
    atoms: &Atoms,
    manifold: &Manifold,
    s: f64,
    x: &DVector<f64>,
) -> Result<[f64; 4]> {
    let (a, b) = model.trained.convention.levels.coefficients(s);
    let (y, sigma) = (x / a, b / a);
    let nearest = manifold.nearest(y.as_slice())?;
    let plane = manifold.tangent_frame(&nearest.place);
    let (mean, covariance) = atoms.posterior(Channel::canonical(sigma), y.as_slice());
    let mean = DVector::from_vec(mean);
    let away = &mean - &nearest.point;
    let spread = covariance.trace() + away.norm_squared();
    let error = learned(model, s, x).0 - &mean;
    // On the normal cone of an edge only the length of the whole error is known to bound its part.
    let normal = match nearest.boundary {
        true => error.norm(),
        false => (&error - &plane * plane.tr_mul(&error)).norm(),
    };
    let out = &y - &nearest.point;
    let lean = out.dot(&away) / nearest.distance.max(f64::MIN_POSITIVE);
    Ok([nearest.distance, spread, normal, lean])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_slope_turns_planes_up_to_the_fixed_point_of_the_shaken_coefficients() {
        let at = |slope: f64, gap: f64, cross: f64| {
            Comparison { error: 0.0, normal: 0.0, slope, gap, cross }.turns()
        };
        for (e, gamma, kappa) in [(0.05, 1.0, 0.1), (0.2, 1.0, 0.0), (0.01, 0.5, 0.2)] {
            // From the angle back to y, the lower root of (κ + e) − (γ − 2e) y + (κ + e) y².
            let (shaken, cross) = (gamma - 2.0 * e, kappa + e);
            let root = f64::sqrt(shaken * shaken - 4.0 * cross * cross);
            let y = (at(e, gamma, kappa) * root / e).sqrt() - 1.0;
            assert!((cross - shaken * y + cross * y * y).abs() < 1e-14 && y < 1.0, "{y}");
        }
        assert_eq!(at(0.3, 1.0, 0.0), f64::INFINITY);
        assert!(at(f64::NAN, 1.0, 0.0).is_nan());
    }
}
