//! Data sets of the check: from what was typed to what is recorded and shown.

use super::interrupt;
use super::progress::Progress;
use super::terminal::{self, Column};
use crate::claims::adiabatic_gap_forces_alignment::CLAIM as ADIABATIC;
use crate::error::Result;
use crate::facts::Facts;
use crate::observe::{self, data::Watch};
use crate::points::{PointSet, Scaling};
use crate::record::{DataRecord, TrajectoryRecord};
use crate::verdict::Verdict;
use clap::ValueEnum;
use std::collections::BTreeSet;
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

/// Observes one data set, and judges what can be judged on its trajectories.
pub fn examine(set: &PointSet, seed: u64) -> Result<DataRecord> {
    let label = format!("{}, {} points in {} dimensions", set.name, set.len(), set.dim());
    let progress = Progress::begin(&label, observe::data::FLOWS, "sets of trajectories");
    let watch = Watch { stop: interrupt::flag(), after_each: &|| progress.advance() };
    let seen = observe::data::observe(set, seed, watch)?;
    progress.end();
    let judged = |(dimension, facts): &(usize, Facts)| {
        let judgement = ADIABATIC.judge(facts);
        let (claim, verdict) = (ADIABATIC.id.to_owned(), judgement.verdict());
        TrajectoryRecord { claim, dimension: *dimension, verdict, judgement }
    };
    Ok(DataRecord {
        name: set.name.clone(),
        notes: set.notes.clone(),
        world: seen.observation.world,
        facts: seen.observation.facts,
        trajectories: seen.adiabatic.iter().map(judged).collect(),
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
        text += &format!("{}\n", set.name);
        for line in set.notes.iter().cloned().chain(findings(set)) {
            text += &format!("  {line}\n");
        }
    }
    text
}

/// What was found out about a data set, a line each.
fn findings(set: &DataRecord) -> Vec<String> {
    let value = |name: &str| set.facts.get(name).value;
    let shown = |name: &str| terminal::number(value(name));
    let whole = |name: &str| format!("{:.0}", value(name));
    let degrees = |name: &str| terminal::number(value(name).to_degrees());
    let mut lines = vec![format!(
        "noise levels: {} trajectories from {} down to {}; below {} each point is its own basin \
         and alignment is lost",
        whole("trajectories"),
        shown("sigma_start"),
        shown("sigma_end"),
        shown("basin_sigma"),
    )];
    let growth = set.facts.series("log_growth");
    let first = growth.iter().take(6).map(|q| terminal::number(q.value)).collect::<Vec<_>>();
    let dots = if growth.len() > 6 { " …" } else { "" };
    lines.push(format!("log singular values of the flow: {}{dots}", first.join(" ")));
    let p = shown("gap_p_value");
    lines.push(match value("gap_index") {
        _ if value("gap_p_value").is_nan() => {
            "gap not judged: the draws of the null were stopped".into()
        }
        index if index.is_nan() => {
            format!("no significant gap: p = {p} against Gaussian data of the same covariance")
        }
        index => format!(
            "gap below singular value {index}: p = {p} against Gaussian data of the same covariance"
        ),
    });
    let (d, neighbours) = (whole("tangent_dimension"), whole("pca_neighbours"));
    if value("tangent_known") == 1.0 {
        lines.push(format!(
            "angle to the known {d}-dimensional tangent planes: flow {}°, local PCA {}° \
             (at its best, {neighbours} neighbours)",
            degrees("tangent_angle"),
            degrees("pca_angle"),
        ));
    } else if value("pca_angle").is_finite() {
        lines.push(format!(
            "angle between the top {d} end-point vectors and local PCA: {}° ({neighbours} neighbours)",
            degrees("pca_angle"),
        ));
    }
    lines.extend(condition(&set.trajectories));
    lines
}

/// How the alignment condition fared, dimensions of the same result on one line.
fn condition(trajectories: &[TrajectoryRecord]) -> Vec<String> {
    let dimensions: BTreeSet<usize> = trajectories.iter().map(|t| t.dimension).collect();
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for d in dimensions {
        let at_d = || trajectories.iter().filter(|t| t.dimension == d);
        let count = |verdict| at_d().filter(|t| t.verdict == verdict).count();
        let result = format!(
            "met on {} of {} trajectories and its bound kept, undecided on {}, bound violated on {}",
            count(Verdict::Holds),
            at_d().count(),
            count(Verdict::Undecided),
            count(Verdict::Violated),
        );
        match lines.last_mut() {
            Some((last, at)) if *last == result => at.push(d.to_string()),
            _ => lines.push((result, vec![d.to_string()])),
        }
    }
    lines
        .into_iter()
        .map(|(result, at)| format!("alignment condition T2.4 at d = {}: {result}", at.join(", ")))
        .collect()
}
