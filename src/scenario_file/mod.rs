//! Worlds stated in a text file: TOML for structure, [formulas](crate::formula) between quotes.
//!
//! [`Source`] holds the text and says where a mistake is, [`File`] the keys as they stand there, [`World`] what is run:
//! every default filled in, every formula parsed. [`TEMPLATES`] are the examples that come with the command.

mod build;
mod checks;
mod expectation;
mod explain;
mod field;
mod format;
mod free;
mod law;
mod located;
mod reader;
mod samples;
mod schema;
mod shape;
mod source;
mod starts;
mod templates;
mod trained;
mod weaknesses;
mod world;

pub use checks::{CLAIMS, FACTS, Fact, WORDINGS};
pub use expectation::{Comparison, Expectation, Outcome, Subject, Wording};
pub use explain::{explained, jacobian};
pub use field::{ErrorShape, Exact, FormulaField, FormulaMap, InDenoiser, ModelError, Velocity};
pub use format::{Expected, File};
pub use free::Free;
pub use law::DataLaw;
pub use located::{At, Components, Value};
pub use schema::schema;
pub use source::Source;
pub use templates::{TEMPLATES, Template, template};
pub use trained::TrainedModel;
pub use world::{Stepping, System, World};
