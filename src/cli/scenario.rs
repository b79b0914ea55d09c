//! `driftproof run`, `explain`, `new`, and `check --scenario`: worlds stated in a file.

use super::terminal::{self, Column, number};
use super::{Exit, check, print, program};
use crate::campaign::scenario;
use crate::claims::Claim;
use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::formula::closest;
use crate::record::{self, Record, ScenarioRecord};
use crate::scenario_file::{
    self, CLAIMS, Expected, FACTS, Free, Outcome, TEMPLATES, World, explained,
};
use crate::verdict::Verdict;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Trajectories whose facts are printed.
const SHOWN: usize = 3;

/// The options of `driftproof run`.
#[derive(clap::Args)]
pub struct Run {
    /// A scenario file; `driftproof new` writes one
    file: PathBuf,
    /// Folder of the record and its page [default: driftproof-out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the record, as JSON, in place of the tables
    #[arg(long)]
    json: bool,
    /// Worker threads, 1 to 1024; by default one a core
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// The options of `driftproof explain`.
#[derive(clap::Args)]
pub struct Explain {
    /// A scenario file
    file: PathBuf,
    /// Print the symbolic Jacobian of its formulas too
    #[arg(long)]
    jacobian: bool,
}

/// The options of `driftproof new`.
#[derive(clap::Args)]
pub struct New {
    /// An example; without one they are listed
    name: Option<String>,
    /// Folder of the new file [default: here]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Computes what is known of the world of a file.
pub fn run(options: &Run) -> Result<Exit> {
    let folder = options.out.as_deref().unwrap_or(Path::new(check::FOLDER));
    let (record, written, free) = recorded(&options.file, folder, options.threads, &[])?;
    let found = record.scenario.as_ref().expect("a record of a scenario file");
    print(&match options.json {
        true => record::to_json(&record),
        false => shown(found, &free, &written),
    })?;
    Ok(exit(found))
}

/// Prints the world of a file as it is run.
pub fn explain(options: &Explain) -> Result<Exit> {
    let (world, ..) = World::read(&options.file)?;
    let mut text = explained(&world, &world.weaknesses());
    if options.jacobian {
        match scenario_file::jacobian(&world) {
            Some(jacobian) => text += &format!("\n{jacobian}"),
            None => text += "\nThe model has no formulas, so that there is no symbolic Jacobian.\n",
        }
    }
    print(&text)?;
    Ok(Exit::Stands)
}

/// Writes an example as a new file, or lists them.
pub fn new(options: &New) -> Result<Exit> {
    let Some(name) = &options.name else {
        let rows: Vec<Vec<String>> = TEMPLATES
            .iter()
            .map(|template| vec![template.name.to_owned(), template.title().to_owned()])
            .collect();
        let command = program();
        print(&format!(
            "{}\n`{command} new NAME` writes NAME.toml; `{command} run NAME.toml` runs it.\n",
            terminal::broken_table(&rows)
        ))?;
        return Ok(Exit::Stands);
    };
    let Some(template) = scenario_file::template(name) else {
        let names = || TEMPLATES.iter().map(|template| template.name);
        let hint = closest(name, names()).unwrap_or(names().collect::<Vec<_>>().join(", "));
        let shown: String = name.chars().take(60).collect();
        return Err(Error::input(format!("example {shown:?}"), "there is none of this name", hint));
    };
    let folder = options.out.as_deref().unwrap_or(Path::new("."));
    let file = format!("{}.toml", template.name);
    let (text, beside) = template.apart();
    let files: Vec<(&str, &[u8])> =
        [(file.as_str(), text.as_bytes())].into_iter().chain(beside).collect();
    if let Some((file, _)) = files.iter().find(|(file, _)| folder.join(file).exists()) {
        let problem = "is there already, and is not overwritten";
        return Err(Error::file(folder.join(file), problem, "--out DIR with another folder"));
    }
    for (file, bytes) in files {
        let path = record::write_file(folder, file, bytes)?;
        print(&format!("{}\n", path.display()))?;
    }
    Ok(Exit::Stands)
}

/// Judges claims on the world of a file: all that are asked for, each with what is said of it.
pub fn judge(options: &check::Options, claims: &[&Claim], file: &Path) -> Result<Exit> {
    let folder = options.out.as_deref().unwrap_or(Path::new(check::FOLDER));
    let (record, written, _) = recorded(file, folder, options.threads, claims)?;
    let found = record.scenario.as_ref().expect("a record of a scenario file");
    if options.json {
        print(&record::to_json(&record))?;
    } else {
        let columns = [
            Column::text("claim"),
            Column::number("holds"),
            Column::number("violated"),
            Column::number("undecided"),
            Column::number("out of\nscope"),
            Column::text(""),
        ];
        let rows = claims.iter().flat_map(|claim| {
            let wrong = wrong_wordings(found, claim.id);
            std::iter::once(row(found, claim.id)).chain(wrong)
        });
        let table = terminal::table(&columns, rows);
        print(&format!("{}\n\n{table}Record: {}\n", found.name, written.display()))?;
    }
    let wanted = |id: &str| claims.iter().any(|claim| claim.id == id);
    let verdicts: Vec<Verdict> = found
        .trajectories
        .iter()
        .flat_map(|t| &t.claims)
        .filter(|judged| wanted(&judged.claim))
        .map(|judged| judged.verdict)
        .collect();
    Ok(if verdicts.contains(&Verdict::Violated) {
        Exit::Counterexample
    } else if verdicts.contains(&Verdict::Undecided)
        || !verdicts.contains(&Verdict::Holds)
        || found.trajectories.iter().any(|t| t.error.is_some())
    {
        Exit::Undecided
    } else {
        Exit::Stands
    })
}

/// What is said of a claim on the trajectories of a file.
fn row(found: &ScenarioRecord, id: &str) -> Vec<String> {
    let count = |verdict: Verdict| {
        let judged = found.trajectories.iter().flat_map(|t| &t.claims);
        judged.filter(|judged| judged.claim == id && judged.verdict == verdict).count()
    };
    let counts = [Verdict::Holds, Verdict::Violated, Verdict::Undecided, Verdict::OutOfScope];
    let counts = counts.map(count);
    let unjudged = found.trajectories.iter().find(|t| t.claims.iter().all(|c| c.claim != id));
    // Of a wrong wording, CLAIM--WORDING, the claim says why it is not judged.
    let claim = id.split("--").next().unwrap_or(id);
    let note = match counts.iter().sum::<usize>() {
        n if n == found.trajectories.len() => String::new(),
        0 if !CLAIMS.contains(&id) => "out of scope: not judged on scenario files".to_owned(),
        _ => match unjudged.map(|t| (t.why_silent(claim), &t.error)) {
            Some((Some(why), Some(error))) if why == error => format!("not measured: {error}"),
            Some((Some(why), _)) => format!("out of scope: {why}"),
            _ => "out of scope: this world lacks what it speaks of".to_owned(),
        },
    };
    let shown = counts.map(|count| if count == 0 { "–".to_owned() } else { count.to_string() });
    std::iter::once(id.to_owned()).chain(shown).chain([note]).collect()
}

/// The wrong wordings of a claim that the file asks for.
fn wrong_wordings(found: &ScenarioRecord, id: &str) -> Vec<Vec<String>> {
    let mut names: Vec<&str> =
        found.trajectories.iter().flat_map(|t| &t.claims).map(|c| c.claim.as_str()).collect();
    names.retain(|name| name.strip_prefix(id).is_some_and(|rest| rest.starts_with("--")));
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| row(found, name)).collect()
}

/// Runs a file and writes its record and page; the constants that are free in it.
fn recorded(
    file: &Path,
    folder: &Path,
    threads: Option<u16>,
    claims: &[&Claim],
) -> Result<(Record, PathBuf, Vec<Free>)> {
    // Everything that can be refused is refused before anything is computed or written.
    let (world, source) = World::read(file)?;
    let pool = super::pool(threads)?;
    record::check_writable(folder)?;
    let started = Instant::now();
    let found = pool.install(|| scenario::run_world(&world, &source));
    let options = check::Options { seed: world.seed, ..check::Options::default() };
    let mut record = check::begin(&options, claims, false, pool.current_num_threads());
    (record.parameters.worlds, record.scenario) = (1, Some(found));
    record.timing.seconds = started.elapsed().as_secs_f64();
    let written = record::write(&record, folder, record::FILE_NAME)?;
    pool.install(|| super::report::write_page(folder, &record::read(&written)?))?;
    Ok((record, written, world.free))
}

/// A failed check decides, then what could not be decided, and a claim that fell unexpectedly.
fn exit(found: &ScenarioRecord) -> Exit {
    let expected = |claim: &str, trajectory: usize| {
        let words = [None, Some(trajectory)].map(|on| Expected::Violated.of(claim, on));
        found.checks.iter().any(|c| c.outcome == Outcome::Pass && words.contains(&c.expected))
    };
    let mut judged = (found.trajectories.iter().enumerate())
        .flat_map(|(i, t)| t.claims.iter().map(move |judged| (i, judged)));
    let unexpected = judged.any(|(i, j)| j.verdict == Verdict::Violated && !expected(&j.claim, i));
    if found.outcome() == Outcome::Fail || unexpected {
        Exit::Counterexample
    } else if found.outcome() == Outcome::Inconclusive
        || found.trajectories.iter().any(|t| t.error.is_some())
    {
        Exit::Undecided
    } else {
        Exit::Stands
    }
}

fn shown(found: &ScenarioRecord, free: &[Free], written: &Path) -> String {
    let mut text = format!("{}\n", found.name);
    for free in free {
        text += &terminal::note(&format!("free: {free}"), 2);
    }
    for note in &found.notes {
        text += &terminal::note(&format!("weakness: {note}"), 2);
    }
    for (i, trajectory) in found.trajectories.iter().take(SHOWN).enumerate() {
        let start: Vec<String> = trajectory.start.iter().take(6).map(|x| number(*x)).collect();
        let _ = writeln!(text, "\nTrajectory {i} from {}", start.join(", "));
        for fact in FACTS {
            let series = trajectory.facts.series(fact.name);
            if !series.is_empty() {
                let values: Vec<String> = series.iter().take(6).copied().map(measured).collect();
                let more = if series.len() > 6 { ", …" } else { "" };
                text +=
                    &terminal::note(&format!("  {:<21} {}{more}", fact.name, values.join(", ")), 4);
            }
        }
        for judged in &trajectory.claims {
            let verdict = judged.verdict;
            text += &terminal::note(&format!("  {:<38} {verdict}", judged.claim), 4);
        }
        for (claim, why) in &trajectory.silent {
            text += &terminal::note(&format!("  {claim:<38} not judged: {why}"), 4);
        }
        if let Some(error) = &trajectory.error {
            text += &terminal::note(&format!("  COULD NOT BE MEASURED: {error}"), 4);
        }
    }
    if found.trajectories.len() > SHOWN {
        let _ = writeln!(
            text,
            "\n{} more trajectories are in the record.",
            found.trajectories.len() - SHOWN
        );
    }
    if !found.checks.is_empty() {
        text.push('\n');
    }
    for check in &found.checks {
        let outcome = match check.outcome {
            Outcome::Pass => "pass",
            Outcome::Fail => "FAIL",
            Outcome::Inconclusive => "inconclusive",
        };
        let measured = match (&check.measured, &check.found) {
            (Some(q), _) => measured(*q),
            (_, Some(words)) => words.clone(),
            _ => String::new(),
        };
        text += &terminal::note(&format!("{outcome:<12} {}: {measured}", check.expected), 4);
    }
    let _ = writeln!(text, "Record: {}", written.display());
    text
}

/// A number in the digits that its bar leaves, at most ten, with the bar.
fn measured(quantity: Quantity) -> String {
    let Quantity { value, bar, .. } = quantity;
    if !value.is_finite() {
        return "–".to_owned();
    }
    if !bar.is_finite() {
        return format!("{} (no bar)", number(value));
    }
    let finest = (1e-9 * value.abs()).max(f64::MIN_POSITIVE);
    let digits = (value.abs() / bar.max(finest)).log10().ceil() + 1.0;
    let digits = digits.clamp(1.0, 10.0);
    let shown = match value.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e5).contains(&size) => {
            let decimals = (digits - 1.0 - size.log10().floor()).max(0.0);
            format!("{value:.*}", decimals as usize)
        }
        _ => format!("{value:.*e}", digits as usize - 1),
    };
    if bar == 0.0 { shown } else { format!("{shown} ± {bar:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Grade};
    use crate::record::{CheckRecord, ScenarioTrajectory, TrajectoryRecord};
    use crate::verdict::Judgement;

    /// A run on which both claims fell, of which one was expected to.
    fn run_of(fallen: &[&str], expected: &str) -> ScenarioRecord {
        let judged = |claim: &&str| TrajectoryRecord {
            claim: (*claim).to_owned(),
            dimension: 1,
            verdict: Verdict::Violated,
            judgement: Judgement::default(),
        };
        let trajectory = ScenarioTrajectory {
            start: vec![0.0],
            facts: Facts::new(),
            claims: fallen.iter().map(judged).collect(),
            silent: Vec::new(),
            error: None,
        };
        let check = CheckRecord {
            expected: Expected::Violated.of(expected, None),
            outcome: Outcome::Pass,
            trajectory: 0,
            measured: None,
            found: None,
        };
        ScenarioRecord {
            file: String::new(),
            text: String::new(),
            name: String::new(),
            resolved: String::new(),
            notes: Vec::new(),
            trajectories: vec![trajectory],
            checks: vec![check],
            figures: Vec::new(),
        }
    }

    #[test]
    fn an_expected_violation_excuses_its_own_claim_alone() {
        assert_eq!(exit(&run_of(&["one"], "one")), Exit::Stands);
        assert_eq!(exit(&run_of(&["one", "other"], "one")), Exit::Counterexample);
        let mut found = run_of(&["one"], "one");
        for (trajectory, wanted) in [(0, Exit::Stands), (1, Exit::Counterexample)] {
            found.checks[0].expected = Expected::Violated.of("one", Some(trajectory));
            assert_eq!(exit(&found), wanted);
        }
    }

    #[test]
    fn a_trajectory_that_failed_is_undecided_and_says_why() {
        let mut found = run_of(&[], "one");
        found.trajectories[0].error = Some("the state overflows".to_owned());
        assert_eq!(exit(&found), Exit::Undecided);
        let note = row(&found, CLAIMS[0]).pop();
        assert_eq!(note.as_deref(), Some("not measured: the state overflows"));
    }

    #[test]
    fn numbers_have_the_digits_that_their_bars_leave() {
        let shown = |value, bar| measured(Quantity::new(value, bar, Grade::Estimated));
        assert_eq!(shown(-14.572_345, 0.002), "-14.572 ± 2.0e-3");
        assert_eq!(shown(0.5, 1e-12), "0.5000000000 ± 1.0e-12");
        assert_eq!(shown(0.001_234, 0.01), "0.001 ± 1.0e-2");
        assert_eq!(shown(1.234e-7, 1e-9), "1.234e-7 ± 1.0e-9");
        assert_eq!(shown(0.0, 0.0), "0");
        assert_eq!(shown(f64::NAN, 0.1), "–");
        assert_eq!(shown(2.0, f64::INFINITY), "2.00 (no bar)");
    }
}
