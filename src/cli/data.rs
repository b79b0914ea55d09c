//! Data sets of the check: from what was typed to what is recorded and shown.

use super::interrupt;
use super::progress::Progress;
use super::terminal::{self, Column};
use crate::claims::Claim;
use crate::claims::adiabatic_gap_forces_alignment::CLAIM as ADIABATIC;
use crate::claims::posterior_moments_certify_alignment::CLAIM as CERTIFICATE;
use crate::error::Result;
use crate::facts::Facts;
use crate::observe::{self, data::Watch};
use crate::points::{Columns, PointSet, Scaling};
use crate::record::{DataRecord, TrajectoryRecord};
use crate::verdict::Verdict;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Leading pairs closer than this to the true ones, in radians, are called converged.
const CONVERGED: f64 = 0.1;

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

/// Reads the files, or the built-in sets when there is none; `normals` tells that the last half of the
/// columns of every file are unit normals.
pub fn read(files: &[PathBuf], scale: Scale, normals: bool) -> Result<Vec<PointSet>> {
    if files.is_empty() {
        return PointSet::built_in(scale.scaling());
    }
    let columns = if normals { Columns::PointsAndNormals } else { Columns::Points };
    files.iter().map(|file| PointSet::read(file, columns, scale.scaling())).collect()
}

/// Observes one data set, and judges what can be judged on its trajectories.
///
/// What fails ends with this set, and is told in its record.
pub fn examine(set: &PointSet, seed: u64) -> DataRecord {
    let label = format!("{}, {} points in {} dimensions", set.name, set.len(), set.dim());
    let progress = Progress::begin(&label, observe::data::flows(set), "sets of trajectories");
    let watch = Watch { stop: interrupt::flag(), after_each: &|| progress.advance() };
    let seen = observe::data::observe(set, seed, watch);
    progress.end();
    let judged = |claim: &Claim, (dimension, facts): &(usize, Facts)| {
        let judgement = claim.judge(facts);
        let (claim, verdict) = (claim.id.to_owned(), judgement.verdict());
        TrajectoryRecord { claim, dimension: *dimension, verdict, judgement }
    };
    let adiabatic = seen.adiabatic.iter().map(|seen| judged(&ADIABATIC, seen));
    let certified = seen.certified.iter().map(|seen| judged(&CERTIFICATE, seen));
    DataRecord {
        name: set.name.clone(),
        notes: set.notes.clone(),
        world: seen.observation.world,
        facts: seen.observation.facts,
        trajectories: adiabatic.chain(certified).collect(),
        error: seen.error.map(|error| error.to_string()),
    }
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
    text += &super::planes::table(sets).map_or_else(String::new, |table| format!("\n{table}\n"));
    for set in sets {
        text += &format!("{}\n", set.name);
        for line in set.notes.iter().cloned().chain(findings(set)) {
            text += &terminal::note(&format!("  {line}"), 4);
        }
    }
    text.extend(sets.iter().map(super::robustness::table));
    text
}

/// What was found out about a data set, a line each; nothing of what was not measured.
fn findings(set: &DataRecord) -> Vec<String> {
    let value = |name: &str| set.facts.get(name).value;
    let growth = set.facts.series("log_growth");
    let mut lines = Vec::new();
    if let Some(error) = &set.error {
        lines.push(format!("COULD NOT BE MEASURED: {error}"));
    }
    if value("sigma_end").is_finite() {
        lines.extend(noise_levels(&set.facts));
    }
    if !growth.is_empty() {
        let first = growth.iter().take(6).map(|q| terminal::number(q.value)).collect::<Vec<_>>();
        let dots = if growth.len() > 6 { " …" } else { "" };
        lines.push(format!("log singular values of the flow: {}{dots}", first.join(" ")));
        lines.extend(leading_pairs(&set.facts));
        lines.push(gap(&set.facts));
        lines.extend(planes(&set.facts));
        lines.extend(dimension(&set.facts));
    }
    lines.extend(judged(&set.trajectories, &ADIABATIC, "alignment condition T2.4"));
    lines.extend(judged(&set.trajectories, &CERTIFICATE, "certificate T2.5"));
    lines
}

/// Between which noise levels the flow was run, and where single points take over.
fn noise_levels(facts: &Facts) -> Vec<String> {
    let value = |name: &str| facts.get(name).value;
    let shown = |name: &str| terminal::number(value(name));
    let (start, end, basin) = (shown("sigma_start"), shown("sigma_end"), shown("basin_sigma"));
    let least = facts.series("sigma_level").last().map_or(f64::NAN, |level| level.value);
    let trajectories = value("trajectories");
    let run = match trajectories.is_finite() {
        true => format!("noise levels: {trajectories} trajectories from {start} down to {end}"),
        false => format!("noise levels: from {start} down to {end}"),
    };
    if value("basin_sigma").is_nan() {
        let least = terminal::number(least);
        return vec![format!(
            "{run}; no level down to {least} at which a posterior sees one point"
        )];
    }
    let mut lines = vec![format!(
        "{run}; below {basin} a posterior sees one point: at half of that the largest eigenvalue of \
         C/σ² is {} (1 along a resolved surface)",
        shown("basin_covariance")
    )];
    if value("sigma_end") <= value("basin_sigma") {
        lines.push(
            "WARNING: the run ends at or below that level: at its end each point is its own basin"
                .into(),
        );
    }
    lines
}

/// How far leading pairs may be off, where they stand for the whole spectrum.
fn leading_pairs(facts: &Facts) -> Option<String> {
    let bound = facts.get("pairs_angle_bound").value;
    let pairs = facts.series("log_growth").len();
    let degrees = terminal::number(bound.to_degrees());
    match bound {
        _ if bound.is_nan() => None,
        _ if bound < CONVERGED => Some(format!(
            "leading {pairs} singular pairs, angle to the true subspace below {degrees}°"
        )),
        _ => Some(format!(
            "leading {pairs} singular pairs, NOT CONVERGED: angle to the true subspace up to {degrees}°"
        )),
    }
}

/// Whether a gap stands out of the null.
fn gap(facts: &Facts) -> String {
    let (p, draws) = (facts.get("gap_p_value").value, facts.get("null_draws").value);
    let least = 1.0 / (1.0 + draws);
    let floor = match p <= least {
        true => format!(", the least that {draws} draws allow,"),
        false => String::new(),
    };
    let p_value = terminal::number(p);
    match facts.get("gap_index").value {
        _ if p.is_nan() => "gap not judged: the draws of the null were stopped".into(),
        index if index.is_nan() => {
            format!(
                "no significant gap: p = {p_value} against Gaussian data of the same covariance"
            )
        }
        index => format!(
            "gap below singular value {index}: p = {p_value}{floor} against Gaussian data of the same \
             covariance"
        ),
    }
}

/// The dimension by nearest distances.
fn dimension(facts: &Facts) -> Option<String> {
    let dimension = facts.get("intrinsic_dimension");
    dimension.value.is_finite().then(|| {
        let shown = terminal::with_bar(dimension.value, dimension.bar, "");
        format!("dimension by the distances to the two nearest points: {shown}")
    })
}

/// Planes of the flow beside those of local PCA where no exact ones are known, or why there are none.
fn planes(facts: &Facts) -> Option<String> {
    let value = |name: &str| facts.get(name).value;
    let (d, pairs, neighbours) =
        (value("tangent_dimension"), value("tangent_pairs"), value("pca_neighbours"));
    if d > pairs {
        return Some(format!(
            "tangent planes not compared: they have dimension {d}, and {pairs} leading singular pairs \
             are at hand"
        ));
    }
    let pca = facts.get("pca_angle");
    pca.value.is_finite().then(|| {
        let pca = terminal::with_bar(pca.value.to_degrees(), pca.bar.to_degrees(), "°");
        format!(
            "angle between the top {d} end-point vectors and local PCA: {pca} ({neighbours} \
             neighbours, fixed beforehand)"
        )
    })
}

/// How a claim fared on the trajectories, dimensions of the same result on one line.
fn judged(trajectories: &[TrajectoryRecord], claim: &Claim, title: &str) -> Vec<String> {
    let mut by_dimension: BTreeMap<usize, Vec<&TrajectoryRecord>> = BTreeMap::new();
    for trajectory in trajectories.iter().filter(|t| t.claim == claim.id) {
        by_dimension.entry(trajectory.dimension).or_default().push(trajectory);
    }
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (d, here) in by_dimension {
        let count = |verdict| here.iter().filter(|t| t.verdict == verdict).count();
        let failed =
            fails_most_often(&here).map_or_else(String::new, |name| format!(" (mostly {name})"));
        let parts = [
            (count(Verdict::Holds), "met on", " and its bound kept"),
            (count(Verdict::OutOfScope), "not met on", &failed),
            (count(Verdict::Undecided), "undecided on", ""),
            (count(Verdict::Violated), "its bound VIOLATED on", ""),
        ];
        let seen = parts.iter().filter(|(count, ..)| *count > 0);
        let seen: Vec<String> = seen.map(|(n, what, more)| format!("{what} {n}{more}")).collect();
        let result = format!("of {} trajectories {}", here.len(), seen.join(", "));
        match lines.last_mut() {
            Some((last, at)) if *last == result => at.push(d.to_string()),
            _ => lines.push((result, vec![d.to_string()])),
        }
    }
    let line =
        |(result, at): (String, Vec<String>)| format!("{title} at d = {}: {result}", at.join(", "));
    lines.into_iter().map(line).collect()
}

/// The hypothesis that fails on most trajectories out of scope, the earlier one of two equal.
fn fails_most_often<'a>(trajectories: &[&'a TrajectoryRecord]) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for trajectory in trajectories.iter().filter(|t| t.verdict == Verdict::OutOfScope) {
        let failed =
            trajectory.judgement.hypotheses.iter().filter(|h| h.verdict() == Verdict::Violated);
        failed.for_each(|h| *counts.entry(&h.name).or_default() += 1);
    }
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Quantity;
    use crate::verdict::{Judgement, Margin};

    fn facts(values: &[(&str, f64)]) -> Facts {
        let mut facts = Facts::new();
        values.iter().for_each(|(name, value)| facts.set(name, Quantity::exact(*value)));
        facts
    }

    #[test]
    fn the_hypothesis_that_fails_most_often_is_named() {
        let trajectory = |met: [bool; 2]| {
            let hypothesis = |(name, met)| Margin::condition(name, met);
            let hypotheses = [("H1 small", met[0]), ("H2 smooth", met[1])].map(hypothesis).to_vec();
            let conclusions = vec![Margin::condition("bound", true)];
            let judgement = Judgement { hypotheses, conclusions };
            let (claim, verdict) = (ADIABATIC.id.to_owned(), judgement.verdict());
            TrajectoryRecord { claim, dimension: 3, verdict, judgement }
        };
        let seen = [[true, true], [false, false], [true, false]].map(trajectory);
        assert_eq!(
            judged(&seen, &ADIABATIC, "T"),
            [
                "T at d = 3: of 3 trajectories met on 1 and its bound kept, not met on 2 (mostly H2 smooth)"
            ]
        );
        assert!(judged(&seen, &CERTIFICATE, "T").is_empty());
    }

    #[test]
    fn pairs_are_called_converged_only_below_their_bound() {
        let line = |bound| leading_pairs(&facts(&[("pairs_angle_bound", bound)])).unwrap();
        assert!(line(0.05).contains("angle to the true subspace below 2.86°"), "{}", line(0.05));
        assert!(line(1.0).contains("NOT CONVERGED"), "{}", line(1.0));
        assert!(leading_pairs(&facts(&[])).is_none());
    }

    #[test]
    fn a_p_value_at_the_floor_says_so() {
        let line = |p, index| {
            gap(&facts(&[("gap_p_value", p), ("null_draws", 19.0), ("gap_index", index)]))
        };
        assert!(line(0.05, 2.0).contains("p = 0.0500, the least that 19 draws allow,"));
        assert!(!line(0.1, f64::NAN).contains("the least"));
        assert!(gap(&facts(&[("null_draws", 19.0)])).contains("not judged"));
    }

    #[test]
    fn what_was_not_measured_has_no_line() {
        assert_eq!(planes(&facts(&[])), None);
        let fits = [("tangent_dimension", 2.0), ("tangent_pairs", 3.0)];
        assert_eq!(planes(&facts(&fits)), None);
        let pca = planes(&facts(&[&fits[..], &[("pca_angle", 1.0)]].concat())).unwrap();
        assert!(pca.contains("local PCA: 57.3°"), "{pca}");
        let wide = planes(&facts(&[("tangent_dimension", 199.0), ("tangent_pairs", 24.0)]));
        assert!(wide.unwrap().contains("not compared"));
    }

    #[test]
    fn data_on_the_sphere_are_certified_against_it_and_others_are_not() {
        // A spiral of equal area over S².
        let golden = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
        let spiral = (0..600).flat_map(|i| {
            let height = 1.0 - (f64::from(i) + 0.5) / 300.0;
            let (radius, angle) = ((1.0 - height * height).sqrt(), golden * f64::from(i));
            [radius * angle.cos(), radius * angle.sin(), height]
        });
        let mut set = PointSet {
            name: "spiral".into(),
            rows: 600,
            points: nalgebra::DMatrix::from_iterator(3, 600, spiral),
            log_weights: vec![-600.0_f64.ln(); 600],
            constant_columns: Vec::new(),
            normals: None,
            notes: Vec::new(),
        };
        let certified = |record: &DataRecord, verdict| {
            let of_claim = record.trajectories.iter().filter(|t| t.claim == CERTIFICATE.id);
            of_claim.filter(|t| t.dimension == 2 && t.verdict == verdict).count()
        };
        let record = examine(&set, 1);
        assert_eq!(record.error, None);
        assert_eq!(record.facts.get("null_draws").value, 99.0);
        assert_eq!(certified(&record, Verdict::Violated), 0);
        assert!(certified(&record, Verdict::Holds) >= 6, "{:?}", findings(&record));
        assert!(table(std::slice::from_ref(&record)).contains("certificate T2.5 at d = 2: of "));

        // Off the sphere its planes are not known.
        set.points *= 1.1;
        let record = examine(&set, 1);
        assert!(record.trajectories.iter().all(|t| t.claim == ADIABATIC.id));
    }
}
