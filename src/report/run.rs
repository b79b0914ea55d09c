//! The page of a run: what stands, what fell, what could not be decided, and claim by claim why.

mod campaign;
mod data;
mod scenario;

use super::gallery::{File, of_figure};
use super::text::escaped;
use super::{html as page, markdown};
use crate::claims;
use crate::error::Result;
use crate::figure::{Cell, Figure, Table};
use crate::record::{ClaimRecord, ClaimSummary, Outcome, Record};
use crate::verdict::Verdict;
use maud::{Markup, html};
use rayon::prelude::*;

/// The name of the page in its folder.
pub const PAGE: &str = "report.html";

/// The folder of the figures, beside the page.
pub const FIGURES: &str = "figures";

/// The files of the page of a run: the page itself, the same as Markdown, and every figure as SVG, PNG and CSV.
///
/// *Errors*: as [`of_figure`], and for text that cannot be set.
pub fn files(record: &Record) -> Result<Vec<File>> {
    let sections = sections(record);
    let figures: Vec<&Figure> = sections.iter().flat_map(|section| &section.figures).collect();
    let drawn: Vec<Vec<File>> = figures.into_par_iter().map(of_figure).collect::<Result<_>>()?;
    let inside = |(name, bytes): File| (format!("{FIGURES}/{name}"), bytes);
    let mut files: Vec<File> = drawn.into_iter().flatten().map(inside).collect();
    files.push((PAGE.to_owned(), html_page(record, &sections)?.into_bytes()));
    files.push(("report.md".to_owned(), markdown_page(record, &sections).into_bytes()));
    Ok(files)
}

/// What is said of one claim or one data set.
struct Section {
    /// Its name, an anchor.
    name: String,
    /// The statement, Markdown; empty for data sets.
    statement: String,
    /// What came out, Markdown.
    found: String,
    figures: Vec<Figure>,
    tables: Vec<Table>,
    /// The command that repeats it.
    command: String,
}

fn sections(record: &Record) -> Vec<Section> {
    let of_claim = |claim: &ClaimRecord| campaign::section(record, claim);
    let claims = record.claims.iter().map(of_claim);
    let sets = record.data.iter().map(|set| data::section(record, set));
    claims.chain(sets).chain(record.scenario.iter().map(scenario::section)).collect()
}

/// The outcome in a word, and its class.
fn outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Stands => ("stands", "good"),
        Outcome::Fell => ("counterexample", "bad"),
        Outcome::MutantSurvived => ("a mutant survived", "bad"),
        Outcome::Undecided => ("undecided", "open"),
        Outcome::Vacuous => ("vacuous", "open"),
    }
}

/// What a reader wants to know in ten seconds.
fn verdict(record: &Record) -> String {
    if let Some(found) = &record.scenario {
        return scenario::verdict(found);
    }
    let of = |wanted: Outcome| {
        let claims = record.claims.iter().filter(|claim| claim.summary.outcome == wanted);
        claims.map(|claim| claim.summary.claim.as_str()).collect::<Vec<_>>()
    };
    let worlds: usize = record.claims.iter().map(|claim| claim.summary.worlds).sum();
    let mut lines = vec![format!(
        "**{} of {} claims stand** in {worlds} random worlds; {} data sets looked at.",
        of(Outcome::Stands).len(),
        record.claims.len(),
        record.data.len(),
    )];
    let others = [
        (Outcome::Fell, "met a counterexample"),
        (Outcome::MutantSurvived, "let a wrong version pass: the check may be unable to fail"),
        (Outcome::Undecided, "could not be decided"),
        (
            Outcome::Vacuous,
            "vacuous: too few worlds met the hypotheses, or a conclusion was never judged",
        ),
    ];
    for (outcome, words) in others {
        let claims = of(outcome);
        if !claims.is_empty() {
            lines.push(format!("**{}** {words}: `{}`.", claims.len(), claims.join("`, `")));
        }
    }
    for set in &record.data {
        let violated = set.trajectories.iter().filter(|t| t.verdict == Verdict::Violated).count();
        let name = escaped(&set.name);
        if violated > 0 {
            lines.push(format!("**{violated} trajectories over {name} violate a claim.**"));
        }
        if set.error.is_some() {
            lines.push(format!("{name} **could not be measured** to the end."));
        }
    }
    if record.interrupted {
        lines.push("The run was **stopped**: worlds and claims are missing at the end.".to_owned());
    }
    lines.join("\n\n")
}

/// One row a claim.
fn overview(record: &Record) -> Table {
    let mut table = Table::new(
        "claims",
        "Claims",
        "*Rarer than*: the upper Clopper–Pearson limit at 95 % of the share of violations, among worlds of the kind that is drawn.",
        [
            "claim",
            "theory",
            "outcome",
            "in scope",
            "undecided",
            "violated",
            "rarer than",
            "mutants caught",
        ],
    );
    for ClaimRecord { summary: s, .. } in &record.claims {
        let theory = claims::find(&s.claim).map(|claim| claim.theory.join(", "));
        table.rows.push(vec![
            Cell::Words(format!("[{0}](#{0})", s.claim)),
            theory.unwrap_or_default().into(),
            outcome(s.outcome).0.into(),
            format!("{}/{}", s.in_scope, s.worlds).into(),
            s.undecided.into(),
            s.violated.into(),
            s.violation_rate_bound.into(),
            format!("{}/{}", s.mutants_caught(), s.mutants.len()).into(),
        ]);
    }
    table
}

/// Versions, seed, machine, time.
fn log(record: &Record) -> Table {
    let mut table = Table::new("log", "Log", "", ["", ""]);
    let p = &record.parameters;
    let mut add = |name: &str, value: Cell| table.rows.push(vec![name.into(), value]);
    add("driftproof", record.versions.driftproof.as_str().into());
    add("compiler", Cell::Words(record.versions.compiler()));
    add("machine", Cell::Words(record.versions.machine()));
    add("threads", record.timing.threads.into());
    add("seed", Cell::Words(p.seed.to_string()));
    add("worlds a claim", p.worlds.into());
    add("data", Cell::Words(if p.data.is_empty() { "none".to_owned() } else { p.data.join(", ") }));
    add("scaling of the data", p.scale.as_str().into());
    add("seconds", record.timing.seconds.into());
    table
}

const TITLE: &str = "A run of driftproof";

fn html_page(record: &Record, sections: &[Section]) -> Result<String> {
    let drawn: Vec<Markup> =
        sections.par_iter().map(|s| section_html(record, s)).collect::<Result<_>>()?;
    let body = html! {
        h1 { (TITLE) }
        (page::prose(&verdict(record))?)
        @if !record.claims.is_empty() { (page::table(&overview(record))?) }
        @for section in &drawn { (section) }
        h2 { "Log" }
        (page::table(&log(record))?)
    };
    Ok(page::page(TITLE, &body))
}

fn section_html(record: &Record, section: &Section) -> Result<Markup> {
    let of = record.claims.iter().find(|claim| claim.summary.claim == section.name);
    Ok(html! {
        h2 id=(section.name) {
            (section.name)
            @if let Some(claim) = of {
                @let (words, class) = outcome(claim.summary.outcome);
                " " span class=(class) { (words) }
            }
        }
        @if !section.statement.is_empty() { div.statement { (page::prose(&section.statement)?) } }
        (page::prose(&section.found)?)
        @for figure in &section.figures { (page::figure(figure, &section.command, None)?) }
        @for table in &section.tables { (page::table(table)?) }
    })
}

fn markdown_page(record: &Record, sections: &[Section]) -> String {
    let mut out = format!("# {TITLE}\n\n{}\n\n", verdict(record));
    if !record.claims.is_empty() {
        out.push_str(&markdown::table(&overview(record)));
    }
    for section in sections {
        let Section { name, statement, found, command, .. } = section;
        out.push_str(&format!("\n## {name}\n\n{statement}\n\n{found}\n"));
        for figure in &section.figures {
            out.push_str(&format!(
                "\n{}",
                markdown::figure(figure, command, &format!("{FIGURES}/"))
            ));
        }
        for table in &section.tables {
            out.push_str(&format!("\n{}", markdown::table(table)));
        }
    }
    out.push_str(&format!("\n{}", markdown::table(&log(record))));
    out
}

/// The command that repeats a claim of a run.
fn command(record: &Record, summary: &ClaimSummary) -> String {
    let (seed, worlds) = (record.parameters.seed, record.parameters.worlds);
    match record.parameters.world {
        Some(world) => format!("driftproof check {} --world {world} --seed {seed}", summary.claim),
        None => format!("driftproof check {} --worlds {worlds} --seed {seed}", summary.claim),
    }
}
