//! The README against the command and the tests that it shows.

mod support;

use driftproof::claims::{self, Claim};
use support::{blocks, run, stdout};
use tempfile::tempdir;

/// The claim whose test target the README shows.
const SHOWN: &str = support::CHEAP;

/// The columns of the claim table whose numbers depend on rounding, and so on the machine.
const ROUNDED: std::ops::Range<usize> = 6..11;

fn cells(row: &str) -> Vec<&str> {
    row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

fn is_claim_row(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| claims::find(word).is_some())
}

/// What must agree on every machine: all but times, and slacks with their worlds.
fn mask_output(text: &str) -> String {
    let mask_line = |line: &str| {
        if is_claim_row(line) {
            let mut row = cells(line);
            let last = row.len();
            row[ROUNDED.start.min(last)..ROUNDED.end.min(last)].fill("#");
            return row.join("  ");
        }
        if line.starts_with("Repeat the world of a row") {
            return "Repeat the world of a row: #".to_owned();
        }
        if line.chars().all(|c| "─═".contains(c)) {
            return line.chars().take(1).collect();
        }
        match line.rsplit_once(", ") {
            Some((start, seconds)) if seconds.ends_with(" s).") => format!("{start}, # s)."),
            _ => line.split_whitespace().map(mask_decimals).collect::<Vec<_>>().join(" "),
        }
    };
    text.lines().map(mask_line).collect::<Vec<_>>().join("\n")
}

fn mask_decimals(word: &str) -> &str {
    let decimal = word
        .split_once('.')
        .is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    if decimal { "#" } else { word }
}

fn fenced(text: &str) -> String {
    format!("```text\n{text}```\n")
}

#[test]
#[ignore = "runs the whole main job; .ci/run does it"]
fn the_shown_output_of_the_main_job_is_true() {
    let folder = tempdir().unwrap();
    let output = stdout(&run(folder.path(), &[]));
    blocks::same("README.md", "main job", &fenced(&output), mask_output);
}

/// The same without the cost: names, columns, data sets; not the outcomes.
#[test]
fn the_shown_output_of_the_main_job_has_the_shape_of_today() {
    if blocks::updating() {
        return;
    }
    let folder = tempdir().unwrap();
    let today = stdout(&run(folder.path(), &["check", "--worlds", "1"]));
    let shape = |text: &str| {
        let names: Vec<String> = text
            .lines()
            .filter(|line| is_claim_row(line))
            .map(|line| cells(line)[0].to_owned())
            .collect();
        let heads =
            text.lines().filter(|line| line.starts_with("claim ") || line.starts_with("data "));
        let sets = text.lines().filter(|line| line.contains(".npy"));
        let rest: Vec<String> = heads.chain(sets).map(mask_output).collect();
        (names, rest)
    };
    assert_eq!(
        shape(&blocks::part("README.md", "main job")),
        shape(&today),
        "{}",
        "UPDATE_README=1"
    );
}

#[test]
fn the_shown_tests_are_those_of_the_file() {
    let source = std::fs::read_to_string(blocks::path(&format!("theorems/{SHOWN}.rs"))).unwrap();
    let mut names: Vec<&str> =
        source.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split('(').next()).collect();
    names.sort_unstable();
    let mut text = format!("     Running theorems/{SHOWN}.rs\n\nrunning {} tests\n", names.len());
    for name in &names {
        text += &format!("test {name} ... ok\n");
    }
    text += &format!("\ntest result: ok. {} passed; 0 failed\n", names.len());
    blocks::same("README.md", "tests", &fenced(&text), str::to_owned);
}

#[test]
fn the_table_of_claims_is_that_of_the_code() {
    let mut table =
        "| claim | states | standing | wrong versions that must fall |\n|---|---|---|---|\n"
            .to_owned();
    let row = |claim: &&Claim| {
        let standing = claim.standing();
        let standing = standing.split(';').next().unwrap_or_default();
        let (id, theory, mutants) = (claim.id, claim.theory.join(", "), claim.mutants.len());
        format!(
            "| [`{id}`](theorems/{id}.md) ({theory}) | {} | {standing} | {mutants} |\n",
            claim.summary
        )
    };
    table.extend(claims::ALL.iter().map(row));
    blocks::same("README.md", "claims", &table, str::to_owned);
}

#[test]
fn the_version_facts_are_those_of_the_manifest() {
    let readme = std::fs::read_to_string(blocks::path("README.md")).unwrap();
    assert!(readme.contains(&format!("Rust {}", env!("CARGO_PKG_RUST_VERSION"))));
    assert!(readme.contains(&format!("version = {{{}}}", env!("CARGO_PKG_VERSION"))));
    let log = std::fs::read_to_string(blocks::path("CHANGELOG.md")).unwrap();
    assert!(log.contains(&format!("## {}", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn every_linked_file_is_there() {
    for page in ["README.md", "CONTRIBUTING.md", "theorems/README.md", "data/README.md"] {
        let text = std::fs::read_to_string(blocks::path(page)).unwrap();
        let folder = blocks::path(page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let local = !link.contains("://") && !link.starts_with('#');
            assert!(!local || folder.join(link).exists(), "{page} links to {link}");
        }
    }
}

#[test]
fn masking_keeps_outcomes_and_hides_rounding() {
    let row = |outcome: &str, slack: &str| {
        format!("{SHOWN}   {outcome}   200   174   0   0   {slack}   65   8.14e-12   0.0171   6/6")
    };
    assert_eq!(mask_output(&row("stands", "6e-14")), mask_output(&row("stands", "7e-13")));
    assert_ne!(mask_output(&row("stands", "6e-14")), mask_output(&row("undecided", "6e-14")));
    assert_eq!(mask_output("x (seed 1, 0.3 s)."), mask_output("x (seed 1, 12.0 s)."));
}
