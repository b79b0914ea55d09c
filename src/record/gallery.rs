//! What is kept of an experiment of the gallery.

use super::{Schema, Versions};
use crate::figure::{Figure, Table};
use serde::{Deserialize, Serialize};

/// The name by which a record of the gallery is recognised.
pub const GALLERY_SCHEMA: &str = "driftproof-gallery";

/// As [`super::VERSION`], for records of the gallery.
pub const GALLERY_VERSION: u32 = 1;

/// As [`super::MINOR`], for records of the gallery. 1: compiler, vectors and cores.
pub const GALLERY_MINOR: u32 = 1;

/// One experiment: figures, tables, and what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chapter {
    /// What this file is.
    pub schema: Schema,
    /// What wrote it.
    pub versions: Versions,
    /// Name of the experiment, in kebab-case.
    pub name: String,
    /// What it is about.
    pub title: String,
    /// The setting, in a few sentences: what was run, with which parameters.
    pub about: String,
    /// The seed of all its random numbers.
    pub seed: u64,
    /// In order.
    pub figures: Vec<Figure>,
    /// In order, after the figures.
    pub tables: Vec<Table>,
    /// Rows of the table on the front page.
    pub findings: Vec<Finding>,
    /// The command that computes it again; empty in the gallery, where it follows from the name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Wall-clock seconds that it took: the only part that differs between two runs.
    pub seconds: f64,
}

/// A claim of the paper or of the theory, beside what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What the paper says, or the theory page, with its number.
    pub claim: String,
    /// What was found, with numbers.
    pub found: String,
    /// How the two stand to each other.
    pub relation: Relation,
    /// Name of the figure or table that shows it.
    pub figure: String,
}

/// How a finding stands to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Seen as claimed.
    Agrees,
    /// True under a condition that the claim leaves out, or weaker than what was seen.
    Sharpens,
    /// Not so.
    Contradicts,
    /// Cannot be told from what was run.
    Open,
}

impl Chapter {
    /// An experiment without results yet.
    pub fn new(name: &str, title: &str, about: impl Into<String>, seed: u64) -> Self {
        Self {
            schema: Schema {
                name: GALLERY_SCHEMA.to_owned(),
                version: GALLERY_VERSION,
                minor: GALLERY_MINOR,
            },
            versions: Versions::current(),
            name: name.to_owned(),
            title: title.to_owned(),
            about: about.into(),
            seed,
            figures: Vec::new(),
            tables: Vec::new(),
            findings: Vec::new(),
            command: String::new(),
            seconds: 0.0,
        }
    }

    /// Adds what was found.
    pub fn find(
        &mut self,
        relation: Relation,
        figure: &str,
        claim: impl Into<String>,
        found: impl Into<String>,
    ) {
        let (claim, found) = (claim.into(), found.into());
        self.findings.push(Finding { claim, found, relation, figure: figure.to_owned() });
    }
}
