//! What forces alignment, and what does not.

use super::Setting;
use crate::error::Result;
use crate::record::Chapter;

/// The name of the chapter.
pub const NAME: &str = "sufficient-condition";

/// What it is about.
pub const TITLE: &str = "The sufficient condition, and what fails without it";

/// Computes the chapter.
///
/// *Errors*: of the computations.
pub fn run(setting: &Setting) -> Result<Chapter> {
    Ok(Chapter::new(NAME, TITLE, "", setting.seed))
}
