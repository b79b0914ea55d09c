//! Step sizes chosen on the plain state, then frozen: the tangents are those of the frozen maps.

use super::tableau::Method;
use crate::drift::{Drift, Lanes, Workspace};
use crate::error::{Error, Result};

/// A time grid on which [`Method::DormandPrince`] keeps the local error of the state below `tolerance`.
///
/// The error of a step is compared with `tolerance · (1 + |x_i|)` in every
/// coordinate. Use the grid with [`super::Sampler::new`]: steps that depend on
/// the state are not differentiated, so tangents belong to fixed maps.
///
/// *Errors*: [`Error::Numeric`] when the velocity is not finite, or the step
/// shrinks below rounding of the time.
pub fn adaptive_times<F: Drift>(
    drift: &F,
    from: f64,
    to: f64,
    start: &[f64],
    tolerance: f64,
) -> Result<Vec<f64>> {
    let tableau = Method::DormandPrince.tableau();
    let (size, span) = (start.len(), to - from);
    let mut work = Workspace::default();
    let mut stages = vec![vec![0.0; size]; tableau.b.len()];
    let (mut x, mut t, mut h) = (start.to_vec(), from, span / 100.0);
    let mut times = vec![from];
    let ulp = f64::EPSILON * from.abs().max(to.abs());
    while (to - t) * span > 0.0 {
        if h.abs() >= (to - t).abs() {
            h = to - t;
        }
        for (i, (row, c)) in tableau.a.iter().zip(tableau.c).enumerate() {
            let mut argument = x.clone();
            for (a, stage) in row.iter().zip(&stages) {
                argument.iter_mut().zip(stage).for_each(|(z, k)| *z += h * a * k);
            }
            drift.push(t + c * h, &argument, Lanes::single(0), &mut stages[i], &mut work);
        }
        let combine = |weights: &[f64], i: usize| -> f64 {
            weights.iter().zip(&stages).map(|(w, stage)| h * w * stage[i]).sum()
        };
        let error = (0..size)
            .map(|i| combine(tableau.error, i).abs() / (tolerance * (1.0 + x[i].abs())))
            .fold(0.0, |worst: f64, e| if e.is_nan() { f64::NAN } else { worst.max(e) });
        if error <= 1.0 {
            let next: Vec<f64> = (0..size).map(|i| x[i] + combine(tableau.b, i)).collect();
            x = next;
            t = if h == to - t { to } else { t + h };
            times.push(t);
        } else if h.abs() < 4.0 * ulp {
            let problem = format!("no step from t = {t} keeps the error below {tolerance:e}");
            return Err(Error::numeric("adaptive step size", problem));
        }
        // The usual controller: safety 0.9, growth within [0.2, 5]; a NaN error shrinks the step.
        let factor = 0.9 * error.powf(-0.2);
        h *= if factor.is_nan() { 0.2 } else { factor.clamp(0.2, 5.0) };
    }
    Ok(times)
}
