//! The scenario file of a run: what was expected, what was measured, and the world drawn.

use super::Section;
use crate::figure::{Cell, Table};
use crate::record::ScenarioRecord;
use crate::report::text::escaped;
use crate::scenario_file::{FACTS, Outcome};
use crate::verdict::Verdict;

/// Trajectories that the table of numbers shows.
const SHOWN: usize = 20;

pub fn section(found: &ScenarioRecord) -> Section {
    let mut words: String =
        found.notes.iter().map(|note| format!("- {}\n", escaped(note))).collect();
    for (i, trajectory) in found.trajectories.iter().enumerate() {
        if let Some(error) = &trajectory.error {
            words += &format!("- trajectory {i} **could not be measured**: {}\n", escaped(error));
        }
    }
    let resolved: String = found.resolved.lines().map(|line| format!("    {line}\n")).collect();
    let file: String = found.text.lines().map(|line| format!("    {line}\n")).collect();
    words += &format!("\nAs it was run:\n\n{resolved}\nThe file:\n\n{file}");
    Section {
        name: found.name.clone(),
        statement: String::new(),
        found: words,
        figures: found.figures.clone(),
        tables: vec![checks(found), numbers(found), claims(found)],
        command: format!("driftproof run {}", found.file),
    }
}

/// The outcome of all checks in a line.
pub fn verdict(found: &ScenarioRecord) -> String {
    let count = |outcome| found.checks.iter().filter(|check| check.outcome == outcome).count();
    format!(
        "**{} of {} checks pass**, {} fail, {} are inconclusive, on {} trajectories.",
        count(Outcome::Pass),
        found.checks.len(),
        count(Outcome::Fail),
        count(Outcome::Inconclusive),
        found.trajectories.len(),
    )
}

fn checks(found: &ScenarioRecord) -> Table {
    let caption = "What the file expects. A check passes when it holds for every number within the bar, on every trajectory.";
    let head = ["expected", "outcome", "measured", "trajectory"];
    let mut table = Table::new("checks", "Checks", caption, head);
    for check in &found.checks {
        let outcome = match check.outcome {
            Outcome::Pass => "pass",
            Outcome::Fail => "**fail**",
            Outcome::Inconclusive => "inconclusive",
        };
        let measured = match (&check.measured, &check.found) {
            (Some(quantity), _) => Cell::from(*quantity),
            (None, words) => Cell::Words(escaped(words.as_deref().unwrap_or_default())),
        };
        let expected = Cell::Words(escaped(&check.expected));
        table.rows.push(vec![expected, outcome.into(), measured, check.trajectory.into()]);
    }
    table
}

fn numbers(found: &ScenarioRecord) -> Table {
    let caption = format!(
        "Angles in radians. At most {SHOWN} trajectories; series along a trajectory are in the record."
    );
    let head = ["trajectory", "quantity", "value", "what it is"];
    let mut table = Table::new("measured", "Measured", caption, head);
    for (i, trajectory) in found.trajectories.iter().take(SHOWN).enumerate() {
        for fact in FACTS {
            let series = trajectory.facts.series(fact.name);
            for (component, quantity) in series.iter().enumerate() {
                let name = match fact.each {
                    true => format!("`{}[{component}]`", fact.name),
                    false => format!("`{}`", fact.name),
                };
                let meaning = if component == 0 { fact.meaning } else { "" };
                let row = vec![i.into(), Cell::Words(name), (*quantity).into(), meaning.into()];
                table.rows.push(row);
            }
        }
    }
    table
}

fn claims(found: &ScenarioRecord) -> Table {
    let caption = "What is said of each claim on each trajectory.";
    let head = ["trajectory", "claim", "verdict", "least room"];
    let mut table = Table::new("judged", "Claims", caption, head);
    for (i, trajectory) in found.trajectories.iter().enumerate() {
        for judged in &trajectory.claims {
            let verdict = match judged.verdict {
                Verdict::Holds => "holds",
                Verdict::Violated => "**violated**",
                Verdict::Undecided => "undecided",
                Verdict::OutOfScope => "out of scope",
            };
            let room = judged.judgement.least_room().map_or(f64::NAN, |margin| margin.room);
            let claim = Cell::Words(escaped(&judged.claim));
            table.rows.push(vec![i.into(), claim, verdict.into(), room.into()]);
        }
        for (claim, why) in &trajectory.silent {
            let words = format!("not judged: {}", escaped(why));
            let claim = Cell::Words(escaped(claim));
            table.rows.push(vec![i.into(), claim, Cell::Words(words), f64::NAN.into()]);
        }
    }
    table
}
