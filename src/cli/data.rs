//! Data sets of the check: from what was typed to what is recorded and shown.

use super::terminal::{self, Column};
use crate::error::Result;
use crate::observe;
use crate::points::{PointSet, Scaling};
use crate::record::DataRecord;
use clap::ValueEnum;
use std::path::PathBuf;

/// [`Scaling`] on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Scale {
    /// As in the file
    #[default]
    None,
    /// Divide by the largest |entry|
    Unit,
    /// Subtract the mean, then divide by one number: mean square distance from the mean 1
    Centred,
    /// Each column to mean 0 and variance 1; this changes angles
    Standard,
}

impl Scale {
    /// What it asks for.
    pub fn scaling(self) -> Scaling {
        match self {
            Self::None => Scaling::None,
            Self::Unit => Scaling::Unit,
            Self::Centred => Scaling::Centred,
            Self::Standard => Scaling::Standard,
        }
    }

    /// As typed.
    pub fn name(self) -> String {
        self.to_possible_value().expect("no value is skipped").get_name().to_owned()
    }
}

/// Reads the files, or the built-in sets when there is none.
pub fn read(files: &[PathBuf], scale: Scale) -> Result<Vec<PointSet>> {
    if files.is_empty() {
        return PointSet::built_in(scale.scaling());
    }
    files.iter().map(|file| PointSet::read(file, scale.scaling())).collect()
}

/// Observes one data set.
pub fn examine(set: &PointSet, seed: u64) -> Result<DataRecord> {
    let seen = observe::data::observe(set, seed)?;
    println!("DBG {:#?}", seen.observation.facts);
    for (d, f) in &seen.adiabatic {
        let j = crate::claims::adiabatic_gap_forces_alignment::CLAIM.judge(f);
        println!("DBG {d} {} {:?} {:?}", f.series("time").len(), j.verdict(), j);
    }
    let seen = seen.observation;
    Ok(DataRecord {
        name: set.name.clone(),
        notes: set.notes.clone(),
        world: seen.world,
        facts: seen.facts,
    })
}

/// The table of data sets and their notes.
pub fn table(sets: &[DataRecord]) -> String {
    let columns = [
        Column::text("data"),
        Column::number("rows"),
        Column::number("distinct\npoints"),
        Column::number("dim"),
        Column::number("constant\ncolumns"),
        Column::number("nearest neighbour\nleast"),
        Column::number("\nmedian"),
        Column::number("\nlargest"),
    ];
    let rows = sets.iter().map(|set| {
        let length = |name: &str| terminal::number(set.facts.get(name).value);
        vec![
            set.name.clone(),
            set.world["rows"].to_string(),
            set.world["points"].to_string(),
            set.world["dim"].to_string(),
            set.world["constant_columns"].as_array().map_or(0, Vec::len).to_string(),
            length("spacing_least"),
            length("spacing_median"),
            length("spacing_largest"),
        ]
    });
    let mut text = terminal::table(&columns, rows);
    for set in sets {
        for note in &set.notes {
            text += &format!("  {}: {note}\n", set.name);
        }
    }
    text
}
