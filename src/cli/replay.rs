//! One world again: the command that repeats what a table or a failure names.

use super::check::{Options, begin};
use super::terminal::{self, number};
use super::{Exit, print};
use crate::campaign::{self, WorldResult};
use crate::claims::Claim;
use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::record;
use crate::verdict::{Margin, Verdict};
use std::fmt::Write;
use std::time::Instant;

/// A longer series is shown by its first and last quantities.
const LONGEST_SERIES: usize = 12;

/// Judges world `--world` of the one claim and prints all that is known of it.
///
/// Writes a record only into a folder named by `--out`: the record of a
/// campaign is worth more than that of one of its worlds.
pub fn run(options: &Options, claims: &[&Claim], threads: usize) -> Result<Exit> {
    let index = options.world.expect("asked for a world") as usize;
    let [claim] = claims else {
        let problem = format!("a world belongs to one claim, but {} are asked for", claims.len());
        return Err(Error::input("--world", problem, "driftproof check CLAIM --world I"));
    };
    if let Some(folder) = &options.out {
        record::check_writable(folder)?;
    }
    let started = Instant::now();
    let result = campaign::judge_world(claim, options.seed, index);
    let mut record = begin(options, claims, false, threads);
    record.parameters.worlds = 1;
    record.claims.push(campaign::record(claim, options.seed, std::slice::from_ref(&result)));
    record.timing.seconds = started.elapsed().as_secs_f64();

    let written = options
        .out
        .as_ref()
        .map(|folder| record::write(&record, folder, &format!("{}-world-{index}.json", claim.id)));
    print(&match options.json {
        true => record::to_json(&record),
        false => shown(options, claim, &result),
    })?;
    written.transpose()?;
    Ok(match result.verdict {
        Verdict::Holds => Exit::Stands,
        Verdict::Violated => Exit::Counterexample,
        Verdict::Undecided | Verdict::OutOfScope => Exit::Undecided,
    })
}

fn shown(options: &Options, claim: &Claim, result: &WorldResult) -> String {
    let mut text = format!("{}\n{}\n", claim.id, terminal::paragraph(claim.summary));
    let verdict = result.verdict;
    let _ = writeln!(text, "World {} of seed {}: {verdict}", result.index, options.seed);
    let seen = match &result.observed {
        Ok(seen) => seen,
        Err(error) => {
            let _ = writeln!(text, "\nIt could not be computed: {error}");
            return text;
        }
    };
    let world = serde_json::to_string_pretty(&seen.world).expect("a JSON value");
    let _ = writeln!(text, "\nWorld\n{world}");
    let _ = writeln!(text, "\nHypotheses (slack ± bar)");
    margins(&mut text, &result.judgement.hypotheses, "met", "not met");
    let _ = writeln!(text, "\nConclusions (slack ± bar)");
    margins(&mut text, &result.judgement.conclusions, "holds", "VIOLATED");

    let refuted = claim.mutants.iter().zip(&result.refutes).filter(|(_, refuted)| **refuted);
    let names: Vec<&str> = refuted.map(|(mutant, _)| mutant.name).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    text += &format!("\n{}", terminal::note(&format!("Mutants refuted here: {names}"), 2));

    let _ = writeln!(text, "\nFacts (value ± bar)");
    for (name, series) in seen.facts.iter() {
        text += &terminal::note(&format!("  {name:<32} {}", quantities(series)), 6);
    }
    let _ = writeln!(text, "\nRepeat: {}", options.repeat_world(claim.id, result.index));
    text
}

fn margins(text: &mut String, margins: &[Margin], yes: &str, no: &str) {
    for margin in margins {
        let verdict = match margin.verdict() {
            Verdict::Holds => yes,
            Verdict::Violated => no,
            Verdict::Undecided | Verdict::OutOfScope => "undecided",
        };
        let (slack, bar) = (number(margin.slack), number(margin.bar));
        let _ = writeln!(text, "  {verdict:<9}  {:<44} {slack:>9} ± {bar}", margin.name);
    }
}

fn quantities(series: &[Quantity]) -> String {
    let one = |q: &Quantity| format!("{} ± {}", number(q.value), number(q.bar));
    let all = |part: &[Quantity]| part.iter().map(one).collect::<Vec<_>>().join(", ");
    match series.len() {
        0..=LONGEST_SERIES => all(series),
        n => {
            let half = LONGEST_SERIES / 2;
            format!("{}, … ({n} in all) …, {}", all(&series[..half]), all(&series[n - half..]))
        }
    }
}
