//! The experiments of the gallery: settings → figures, tables and findings as data. One file per chapter.
//!
//! They compute and do not draw; [`crate::report`] draws and does not compute.

pub mod along;
pub mod curve;
pub mod lyapunov_vectors;
pub mod sufficient_condition;
mod wording;

use crate::error::{Error, Result};
use crate::random::Stream;
use crate::record::Chapter;

/// One chapter of the gallery.
pub struct Experiment {
    /// Its name, in kebab-case: a folder of the gallery.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Names of its figures and tables.
    pub figures: &'static [&'static str],
    /// Computes it.
    pub run: fn(&Setting) -> Result<Chapter>,
}

/// What an experiment is run with.
pub struct Setting<'a> {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Told what is begun, for the progress that people see.
    pub begin: &'a (dyn Fn(&str) + Sync),
}

impl Setting<'_> {
    /// The random numbers of a chapter.
    pub fn stream(&self, chapter: &str) -> Stream {
        Stream::root(self.seed).named("gallery").named(chapter)
    }
}

/// Every chapter, in the order of the gallery.
pub const ALL: &[Experiment] = &[
    Experiment {
        name: lyapunov_vectors::NAME,
        title: lyapunov_vectors::TITLE,
        figures: lyapunov_vectors::FIGURES,
        run: lyapunov_vectors::run,
    },
    Experiment {
        name: sufficient_condition::NAME,
        title: sufficient_condition::TITLE,
        figures: sufficient_condition::FIGURES,
        run: sufficient_condition::run,
    },
];

/// The chapter of that name, or the chapter that has a figure or table of that name, and that name.
///
/// *Errors*: [`Error::Input`] for an unknown one.
pub fn find(name: &str) -> Result<(&'static Experiment, Option<&str>)> {
    for experiment in ALL {
        if experiment.name == name {
            return Ok((experiment, None));
        }
        if experiment.figures.contains(&name) {
            return Ok((experiment, Some(name)));
        }
    }
    let chapters: Vec<&str> = ALL.iter().map(|experiment| experiment.name).collect();
    let hint = format!("a chapter ({}), or one of its figures", chapters.join(", "));
    Err(Error::input(name, "no chapter or figure of the gallery has this name", hint))
}
