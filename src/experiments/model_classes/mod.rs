//! Model classes compared fairly: what the exact fields share, and what differs once something is held fixed.

pub mod conjugacy;
pub mod contraction;
pub mod coupling;
pub mod held_fixed;
mod solvers;

use super::Setting;
use super::model_class::{SIGMA_END, SIGMA_START};
use super::robustness_of_the_support::pairs_of;
use super::shape::Shape;
use crate::error::Result;
use crate::record::Chapter;

/// Name of the chapter.
pub const NAME: &str = "model-classes";

/// What it is about.
pub const TITLE: &str = "Model classes compared fairly";

/// Figures and tables of the chapter.
pub const FIGURES: &[&str] =
    &["conjugacy", "error-held-fixed", "shift-off-a-flat", "contraction", "solvers", "coupling"];

/// Computes the chapter.
///
/// *Errors*: none in practice; as the models.
pub fn run(setting: &Setting) -> Result<Chapter> {
    let about = format!(
        "Exact models of the same law on different paths, between the noise levels σ = {SIGMA_START} and {SIGMA_END} unless said \
         otherwise. Comparisons fix one thing at a time: the fields, then the error of one prediction, then the noise, the \
         solver, the coupling. Two moons of radius 1 and thickness 0.05, and Gaussians where there is a closed form."
    );
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    let moons = Shape::moons()?;
    let pairs = pairs_of(&moons, 768, 256, setting.stream(NAME))?;
    (setting.begin)("exact fields of five schedules");
    conjugacy::figure(setting, &moons, &pairs, &mut chapter)?;
    (setting.begin)("one error held fixed at a time");
    held_fixed::figure(&mut chapter)?;
    (setting.begin)("ODE against SDE");
    contraction::figure(setting, &mut chapter)?;
    (setting.begin)("solvers");
    solvers::figure(setting, &moons, &mut chapter)?;
    (setting.begin)("couplings");
    coupling::figure(setting, &moons, &mut chapter)?;
    Ok(chapter)
}
