//! The experiments of the gallery: settings → figures, tables and findings as data. One file per chapter.
//!
//! They compute and do not draw; [`crate::report`] draws and does not compute.

pub mod along;
pub mod curve;
pub mod density_response;
pub mod explorer;
pub mod lyapunov_vectors;
pub mod model_class;
pub mod model_classes;
pub mod plane_accuracy;
pub mod real_data;
pub mod relation;
pub mod robustness_of_the_support;
pub mod shape;
pub mod sufficient_condition;
pub mod tangent_bundle;
pub mod thickness_and_memorisation;
pub mod words;

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

/// The experiments of these modules.
macro_rules! experiments {
    ($($chapter:ident),* $(,)?) => {
        &[$(Experiment {
            name: $chapter::NAME,
            title: $chapter::TITLE,
            figures: $chapter::FIGURES,
            run: $chapter::run,
        }),*]
    };
}

/// Every chapter, in the order of the gallery.
pub const ALL: &[Experiment] = experiments![
    robustness_of_the_support,
    lyapunov_vectors,
    sufficient_condition,
    density_response,
    thickness_and_memorisation,
    real_data,
    model_classes,
    tangent_bundle,
    explorer,
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
