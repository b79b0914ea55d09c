//! Top Lyapunov vectors at the end points of exact flows: direction, tangent, score, growth of alignment, failures.

mod arrows;
mod growth;
pub mod histograms;
pub mod places;

use super::Setting;
use super::curve::Curve;
use crate::error::Result;
use crate::record::Chapter;

/// The name of the chapter.
pub const NAME: &str = "lyapunov-vectors";

/// What it is about.
pub const TITLE: &str = "Lyapunov vectors, tangents and scores";

/// Its figures.
pub const FIGURES: &[&str] = &["arrows", "angles-and-overlaps", "growth", "where-it-fails"];

/// The noise level at which orbits end.
const SIGMA: f64 = 0.02;

/// A noise level at which single vectors are large enough to be seen.
const SIGMA_OF_PICTURES: f64 = 0.1;

/// An angle to the tangent, in degrees, up to which a vector is called aligned.
const ALIGNED: f64 = 10.0;

/// Computes the chapter.
///
/// *Errors*: of the computations.
pub fn run(setting: &Setting) -> Result<Chapter> {
    let about = format!(
        "Data: two moons (radius 1, reach 1/4) with the uniform law, and the ellipse with half axes 3/2 and 3/4 (reach 3/8) with \
         a density in proportion to exp(x₁ + x₂/2), by quadrature. Flow: the canonical form dy/dσ = (y − D(y))/σ of every Gaussian path, with the exact \
         posterior mean D, from σ = 2 down to σ = {SIGMA} (pictures: {SIGMA_OF_PICTURES}), {} Runge–Kutta steps of order 4 \
         equal in log σ, starts drawn from the exact law at σ = 2. Top Lyapunov vector: the first left singular vector of the \
         Jacobian of the whole flow. Tangent: that of the curve at the point nearest to the end. Score: ∇ log p_σ at the end. \
         Nothing is learned here; learning errors are in other chapters.",
        super::curve::STEPS
    );
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    let stream = setting.stream(NAME);
    let curves = [Curve::moons()?, Curve::ellipse()?];
    (setting.begin)("arrows at end points");
    arrows::add(&mut chapter, &curves, stream.named("arrows"))?;
    (setting.begin)("angles and overlaps with the score");
    histograms::add(&mut chapter, &curves, stream.named("histograms"))?;
    (setting.begin)("growth of alignment");
    growth::add(&mut chapter, &curves, stream.named("growth"))?;
    (setting.begin)("where alignment fails");
    places::add(&mut chapter, &curves, stream.named("places"))?;
    Ok(chapter)
}
