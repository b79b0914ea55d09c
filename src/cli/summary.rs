//! The result of a check as text: tables, reasons, and the command that repeats each.

use super::check::Options;
use super::terminal::{self, Column};
use super::{data, detail};
use crate::campaign::LEAST_WORLDS_FOR_MUTANTS;
use crate::record::{ClaimRecord, ClaimSummary, Extreme, Outcome, Record};
use crate::verdict::Verdict;
use std::path::Path;

/// A conclusion judged in a smaller share of the worlds in scope is pointed out.
const RARE: f64 = 0.05;

/// The outcome as it stands in the table.
pub fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Stands => "stands",
        Outcome::Fell => "COUNTEREXAMPLE",
        Outcome::MutantSurvived => "mutant survived",
        Outcome::Undecided => "undecided",
        Outcome::Vacuous => "vacuous",
    }
}

/// Everything that is printed without `--json`.
pub fn shown(options: &Options, record: &Record, path: Option<&Path>) -> String {
    let mut text = String::new();
    if !record.claims.is_empty() {
        text += &claim_table(record);
        let example = record.claims.iter().find_map(|claim| {
            Some(options.repeat_world(&claim.summary.claim, worst(&claim.summary)?.index))
        });
        if let Some(command) = example {
            text += &format!("Repeat the world of a row, here of the first: {command}\n");
        }
        text += &rarely_judged(record);
        text += &never_in_scope(record);
    }
    if !options.claims.is_empty() {
        text.extend(record.claims.iter().map(|claim| detail::shown(&claim.summary)));
    }
    if !record.data.is_empty() {
        text += &format!("\n{}", data::table(&record.data));
    }
    for claim in record.claims.iter().filter(|c| c.summary.outcome != Outcome::Stands) {
        text += &format!("\n{}", reason(options, claim));
    }
    text + &format!("\n{}\n", conclusion(record, path))
}

/// A line for each claim with conclusions that few worlds in scope judged.
fn rarely_judged(record: &Record) -> String {
    let line = |claim: &ClaimRecord| {
        let s = &claim.summary;
        let few = |judged: usize| (judged as f64) < RARE * s.in_scope as f64;
        let rare = s.conclusions.iter().filter(|c| few(c.judged));
        let parts: Vec<String> =
            rare.map(|c| format!("{} in {} of {}", c.form, c.judged, s.in_scope)).collect();
        match parts.is_empty() {
            true => String::new(),
            false => {
                terminal::note(&format!("Rarely judged: {}: {}", s.claim, parts.join("; ")), 2)
            }
        }
    };
    record.claims.iter().map(line).collect()
}

/// A line for each claim with families or corners of which no world met the hypotheses.
fn never_in_scope(record: &Record) -> String {
    let line = |claim: &ClaimRecord| {
        let s = &claim.summary;
        let never = s.families.iter().chain(&s.corners).filter(|group| group.never_in_scope());
        let parts: Vec<String> =
            never.map(|group| format!("{} (0 of {})", group.name, group.worlds)).collect();
        // In few worlds a family may fail by chance: the column of the table says so anyway.
        match parts.is_empty() || s.worlds < LEAST_WORLDS_FOR_MUTANTS {
            true => String::new(),
            false => {
                terminal::note(&format!("Never in scope: {}: {}", s.claim, parts.join("; ")), 2)
            }
        }
    };
    record.claims.iter().map(line).collect()
}

/// The extreme whose world the table names: the least room, or the largest misfit of equalities.
fn worst(summary: &ClaimSummary) -> Option<&Extreme> {
    summary.least_room.as_ref().or(summary.largest_misfit.as_ref())
}

/// Of the families that are meant to be in scope, how many have a world that is.
fn families_in_scope(summary: &ClaimSummary) -> String {
    let meant = summary.families.iter().filter(|group| group.meant_in_scope);
    let never = meant.clone().filter(|group| group.never_in_scope()).count();
    format!("{}/{}", meant.clone().count() - never, meant.count())
}

fn claim_table(record: &Record) -> String {
    let columns = [
        Column::text("claim"),
        Column::text("outcome"),
        Column::number("in scope\nof worlds"),
        Column::number("families\nin scope").minor(3),
        Column::number("un-\ndecided"),
        Column::number("vio-\nlated"),
        Column::number("least\nroom"),
        Column::number("in\nworld").minor(5),
        Column::number("median\nroom").minor(1),
        Column::number("largest\nmisfit").minor(4),
        Column::number("rate\nbelow").minor(2),
        Column::number("mutants\ncaught"),
    ];
    let rows = record.claims.iter().map(|claim| {
        let s = &claim.summary;
        let unknown = || "–".to_owned();
        let misfit = s.largest_misfit.as_ref();
        vec![
            s.claim.clone(),
            words(s.outcome).to_owned(),
            format!("{}/{}", s.in_scope, s.worlds),
            families_in_scope(s),
            s.undecided.to_string(),
            s.violated.to_string(),
            s.least_room.as_ref().map_or_else(unknown, |least| terminal::number(least.value)),
            worst(s).map_or_else(unknown, |worst| worst.index.to_string()),
            s.room_quantiles.map_or_else(unknown, |q| terminal::number(q[2])),
            misfit.map_or_else(unknown, |largest| terminal::number(largest.value)),
            terminal::number(s.violation_rate_bound),
            format!("{}/{}", s.mutants_caught(), s.mutants.len()),
        ]
    });
    terminal::table(&columns, rows)
}

/// Why a claim does not stand, and the command that repeats it.
fn reason(options: &Options, claim: &ClaimRecord) -> String {
    let s: &ClaimSummary = &claim.summary;
    let world = |verdict| claim.worlds.iter().find(|world| world.verdict == verdict);
    let repeat_world = |index| options.repeat_world(&s.claim, index);
    let (why, command) = match s.outcome {
        Outcome::Stands => return String::new(),
        Outcome::Fell => {
            let tightest = s.tightest.as_ref().expect("a violated world has a slack");
            let (index, slack) = (tightest.index, terminal::number(tightest.slack));
            let why = format!(
                "{} of {} worlds violate it; worst: world {index}, {}, slack {slack}",
                s.violated, s.in_scope, tightest.conclusion
            );
            (why, repeat_world(index))
        }
        Outcome::MutantSurvived => {
            let survivors = s.mutants.iter().filter(|mutant| mutant.refuted_by == 0);
            let names: Vec<&str> = survivors.map(|mutant| mutant.name.as_str()).collect();
            let why = format!("no world refutes its wrong version {}", names.join(", "));
            (why, options.repeat(&s.claim))
        }
        Outcome::Vacuous if s.never_judged().next().is_some() && s.in_scope > 0 => {
            let names: Vec<&str> = s.never_judged().collect();
            let why = format!("no world in scope judges its conclusion {}", names.join(", "));
            (why, options.repeat(&s.claim))
        }
        Outcome::Vacuous => {
            let outside = world(Verdict::OutOfScope);
            let example = outside.and_then(|w| Some((w.index, w.hypothesis.as_ref()?)));
            let example = example.map_or_else(String::new, |(index, hypothesis)| {
                format!("; e.g. world {index} fails {}", hypothesis.name)
            });
            let why =
                format!("only {} of {} worlds met the hypotheses{example}", s.in_scope, s.worlds);
            (why, options.repeat(&s.claim))
        }
        Outcome::Undecided => {
            let first = world(Verdict::Undecided);
            let example = first.map_or_else(String::new, |w| match (&w.error, &w.conclusion) {
                (Some(error), _) => format!("; e.g. world {}: {error}", w.index),
                (None, Some(c)) => format!(
                    "; e.g. world {}: {}, slack {} ± {}",
                    w.index,
                    c.name,
                    terminal::number(c.slack),
                    terminal::number(c.bar)
                ),
                (None, None) => format!("; e.g. world {} has no conclusion", w.index),
            });
            let why =
                format!("{} of {} worlds could not be decided{example}", s.undecided, s.worlds);
            (why, first.map_or_else(|| options.repeat(&s.claim), |w| repeat_world(w.index)))
        }
    };
    let why = terminal::note(&format!("  {why}"), 4);
    format!("{}: {}\n{why}  repeat: {command}\n", words(s.outcome), s.claim)
}

/// The last lines: how it all ends, and where the record is.
fn conclusion(record: &Record, path: Option<&Path>) -> String {
    let standing = record.claims.iter().filter(|c| c.summary.outcome == Outcome::Stands).count();
    let worlds: usize = record.claims.iter().map(|claim| claim.summary.worlds).sum();
    let (asked, sets) = (record.parameters.claims.len(), record.data.len());
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let mut parts = Vec::new();
    if asked > 0 {
        let verb = if standing == 1 { "stands" } else { "stand" };
        let of = plural(asked, "claim");
        parts.push(format!("{standing} of {of} {verb} in {}", plural(worlds, "random world")));
    }
    if sets > 0 {
        parts.push(format!("{} described", plural(sets, "data set")));
    }
    if record.interrupted {
        parts.push("STOPPED before the end".to_owned());
    }
    let (seed, seconds) = (record.parameters.seed, record.timing.seconds);
    let mut text = format!("{} (seed {seed}, {seconds:.1} s).", parts.join("; "));
    if let Some(path) = path {
        text += &format!("\nRecord: {}", path.display());
    }
    text
}
