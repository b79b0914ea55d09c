//! What forces alignment along one orbit, how tight the bounds on it are, and what fails without each hypothesis.

pub mod counterexamples;
pub mod path;
mod pictures;
pub mod scatter;

use super::Setting;
use crate::error::Result;
use crate::record::Chapter;

/// The name of the chapter.
pub const NAME: &str = "sufficient-condition";

/// What it is about.
pub const TITLE: &str = "The sufficient condition, and what fails without it";

/// Its figures, and its table.
pub const FIGURES: &[&str] = &[
    "along-an-orbit",
    "bounds-against-truth",
    "counterexamples-1",
    "counterexamples-2",
    "counterexamples-3",
    "counterexamples",
];

/// Computes the chapter.
///
/// *Errors*: of the computations.
pub fn run(setting: &Setting) -> Result<Chapter> {
    let about = "Our formalisation of the paper's sufficient condition (late compression, small cross derivatives, bounded second \
                 derivatives) is a differential inequality along one orbit: y' = κ − γy + ηy² bounds the slope of a carried \
                 plane over the tangent (T2.1 to T2.5). First its coefficients and bounds along three orbits over curves with exact \
                 scores; then the bounds against what is measured, over random worlds of the checkers; then every counterexample of \
                 the theory page to a weaker condition (T7), run in one to five dimensions, drawn in the plane where it happens, and \
                 judged by the claims of this program.";
    let mut chapter = Chapter::new(NAME, TITLE, about, setting.seed);
    let stream = setting.stream(NAME);
    (setting.begin)("coefficients along three orbits");
    path::add(&mut chapter, stream.named("path"))?;
    (setting.begin)("bounds against truth");
    scatter::add(&mut chapter, stream.named("scatter"))?;
    (setting.begin)("counterexamples");
    counterexamples::add(&mut chapter)?;
    Ok(chapter)
}
