//! The experiments of the gallery: settings → figures, tables and findings as data. One file per chapter.
//!
//! They compute and do not draw; [`crate::report`] draws and does not compute.

pub mod along;
pub mod curve;
pub mod density_response;
pub mod lyapunov_vectors;
pub mod model_class;
pub mod model_classes;
pub mod plane_accuracy;
pub mod real_data;
pub mod robustness_of_the_support;
pub mod shape;
pub mod sufficient_condition;
pub mod tangent_bundle;
pub mod thickness_and_memorisation;
mod wording;
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

/// Every chapter, in the order of the gallery.
pub const ALL: &[Experiment] = &[
    Experiment {
        name: "robustness-of-the-support",
        title: "Robustness of the support",
        figures: robustness_of_the_support::FIGURES,
        run: robustness_of_the_support::run,
    },
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
    Experiment {
        name: "model-classes",
        title: "Model classes compared fairly",
        figures: model_classes::FIGURES,
        run: model_classes::run,
    },
    Experiment {
        name: density_response::NAME,
        title: density_response::TITLE,
        figures: density_response::FIGURES,
        run: density_response::run,
    },
    Experiment {
        name: thickness_and_memorisation::NAME,
        title: thickness_and_memorisation::TITLE,
        figures: thickness_and_memorisation::FIGURES,
        run: thickness_and_memorisation::run,
    },
    Experiment {
        name: "real-data",
        title: "Real data under exact denoisers",
        figures: &[
            "exponents",
            "digits-vectors",
            "clothing-vectors",
            "moving",
            "leading-pairs",
            "image-planes",
            "surfaces",
            "surfaces-table",
        ],
        run: real_data::run,
    },
    Experiment {
        name: "tangent-bundle",
        title: "Tangent bundle: the dynamics beside local PCA",
        figures: &["accuracy", "scales", "accuracy-table"],
        run: tangent_bundle::run,
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
