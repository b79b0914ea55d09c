//! Where alignment begins and ends: the noise that is left at the end, the dimension, and the number of data points.

pub mod against;
mod basins;
mod clouds;
pub mod onset;

pub use clouds::{Cloud, Seen, pass};
pub use onset::{Family, Onset};

use super::Setting;
use crate::error::Result;
use crate::facts::{Grade, Quantity, REPORTED, student};
use crate::observe::limits::slope;
use crate::record::Chapter;

/// Its name.
pub const NAME: &str = "thickness-and-memorisation";

/// What it is about.
pub const TITLE: &str =
    "Thickness and memorisation: where alignment begins, and where every point is its own basin";

/// Its figures and tables.
pub const FIGURES: &[&str] =
    &["against-sigma", "against-the-number-of-points", "basins", "onset", "onset-levels", "onsets"];

/// Computes the chapter.
///
/// *Errors*: as the laws and flows that it runs.
pub fn run(setting: &Setting) -> Result<Chapter> {
    let stream = setting.stream(NAME);
    let about = format!(
        "Exact denoisers in the canonical form, from noise level σ = {} down to σ = {}, for a unit circle in R², a unit sphere S² in R⁸ and \
         a half circle in R², each as a law on the manifold and as N points drawn from it. Along every trajectory the full Jacobian is \
         carried; stopping at any σ is a model with that σ_min. The angle is that between the tangent space at the nearest point and the \
         plane that the flow makes of a random one, the range of the Jacobian on it; the gap is the difference of the log singular values d and d + 1 of the \
         Jacobian (exponents times time).",
        clouds::START,
        clouds::END,
    );
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    let clouds = [Cloud::circle()?, Cloud::sphere()?, Cloud::arc()?];
    (setting.begin)("thickness and memorisation: exact laws and their points");
    let fleets = against::fleets(&clouds, stream.named("points"))?;
    against::against_sigma(&mut chapter, &clouds, &fleets);
    against::against_number(&mut chapter, &clouds, &fleets);
    (setting.begin)("thickness and memorisation: basins");
    basins::add(&mut chapter, &clouds[0], &fleets[0])?;
    (setting.begin)("thickness and memorisation: onset in many dimensions");
    onset::add(&mut chapter, stream.named("onset"))?;
    Ok(chapter)
}

/// The median over trajectories, with its bar.
fn median(values: &[f64]) -> Quantity {
    Quantity::sampled_median(values, REPORTED)
}

/// The slope of log y against log x by least squares, with Student's 95 % bar of its residuals; unknown for fewer than three.
fn power(x: &[f64], y: &[f64]) -> Quantity {
    if x.len() < 3 {
        return Quantity::UNKNOWN;
    }
    let (slope, freedom) = (slope(x, y), x.len() - 2);
    let centred_logs = |v: &[f64]| -> Vec<f64> {
        let mean = v.iter().map(|v| v.ln()).sum::<f64>() / v.len() as f64;
        v.iter().map(|v| v.ln() - mean).collect()
    };
    let (x, y) = (centred_logs(x), centred_logs(y));
    let spread: f64 = x.iter().map(|x| x * x).sum();
    let rest: f64 = x.iter().zip(&y).map(|(x, y)| (y - slope * x).powi(2)).sum();
    let bar = student(freedom, 0.5 * (1.0 - REPORTED)) * (rest / freedom as f64 / spread).sqrt();
    Quantity::new(slope, bar, Grade::Estimated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_of_a_power_is_students_at_few_degrees_of_freedom() {
        // Residuals are even in log x and of mean 0: they leave the slope, and their squares add up to 28 c².
        let (c, at) = (0.03, [-5.0, -3.0, -1.0, 1.0, 3.0, 5.0_f64]);
        let x = at.map(f64::exp);
        let rest = [1.0, -3.0, 2.0, 2.0, -3.0, 1.0].map(|r| c * r);
        let y: Vec<f64> = at.iter().zip(rest).map(|(x, r)| (0.4 - 0.5 * x + r).exp()).collect();
        let found = power(&x, &y);
        assert!((found.value + 0.5).abs() < 1e-14);
        // t(0.975; 4) = 2.776445; Σ(log x)² = 70.
        let bar = 2.776445 * c * (28.0_f64 / 4.0 / 70.0).sqrt();
        assert!((found.bar / bar - 1.0).abs() < 1e-6, "{} {bar}", found.bar);
        assert!(power(&x[..2], &y[..2]).value.is_nan());
    }
}
