//! Where alignment begins and ends: the noise that is left at the end, the dimension, and the number of data points.

pub mod against;
mod basins;
mod clouds;
pub mod onset;

pub use clouds::{Cloud, Seen, pass};
pub use onset::{Family, Onset};

use super::Setting;
use crate::error::Result;
use crate::facts::{Grade, Quantity, REPORTED};
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
         plane that the flow makes of a random one (repeated QR); the gap is the difference of the log singular values d and d + 1 of the \
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

/// The slope of log y against log x by least squares, with Student's bar of its residuals.
fn power(x: &[f64], y: &[f64]) -> Quantity {
    let logs = |v: &[f64]| -> Vec<f64> { v.iter().map(|v| v.ln()).collect() };
    let (x, y) = (logs(x), logs(y));
    let n = x.len() as f64;
    let mean = |v: &[f64]| v.iter().sum::<f64>() / n;
    let (mx, my) = (mean(&x), mean(&y));
    let spread: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
    let slope = x.iter().zip(&y).map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / spread;
    let rest: f64 = x.iter().zip(&y).map(|(x, y)| (y - my - slope * (x - mx)).powi(2)).sum();
    // 97.5 % quantile of Student's law with n − 2 degrees of freedom, to 1 % for n ≥ 6.
    let student = 1.96 * (1.0 + 1.2 / (n - 2.0) + 1.4 / (n - 2.0).powi(2));
    Quantity::new(slope, student * (rest / (n - 2.0) / spread).sqrt(), Grade::Estimated)
}
