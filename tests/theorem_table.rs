//! The statement pages against the claims of the code: nothing listed that is not there, nothing there unlisted.

mod support;

use driftproof::claims::{self, Claim};
use driftproof::report::text;
use std::collections::BTreeSet;
use support::blocks;

/// The numbers of the theory. T2.7, its relation to the paper, is the second table of theorems/README.md.
const REQUIRED: &[&str] = &[
    "T1.1", "T1.2", "T1.3", "T1.4", "T1.5", "T1.6", "T2.0", "T2.1", "T2.2", "T2.3", "T2.4", "T2.5",
    "T2.6", "T3", "T4.1", "T4.2", "T4.3", "T5", "T6.1", "T6.2", "T6.3", "T6.4", "T6.5", "T6.6",
    "T6.7", "T6.8", "T7",
];

/// The counterexamples of T7; there is no C11, and C6 is C1.
const COUNTEREXAMPLES: &[&str] = &[
    "C1", "C1b", "C1c", "C2", "C2b", "C3", "C4", "C4b", "C5", "C6", "C7", "C8", "C9", "C10", "C12",
    "C13",
];

fn has_page(claim: &Claim) -> bool {
    !claim.page.trim().is_empty()
}

fn has_tests(claim: &Claim) -> bool {
    blocks::path(&format!("theorems/{}.rs", claim.id)).is_file()
}

fn covering(number: &str) -> Vec<&'static Claim> {
    claims::ALL.iter().copied().filter(|claim| claim.theory.contains(&number)).collect()
}

/// Names in the first column, in backquotes, of the table behind the heading `## Mutants`.
fn mutants_of_page(page: &str) -> BTreeSet<&str> {
    let section = page.split("\n## ").find(|section| section.starts_with("Mutants"));
    let rows = section.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).collect()
}

#[test]
fn the_table_of_theorems_is_that_of_the_code() {
    let mut numbers: Vec<&str> = REQUIRED.to_vec();
    for number in claims::ALL.iter().flat_map(|claim| claim.theory) {
        if !numbers.contains(number) {
            numbers.push(number);
        }
    }
    let mut table =
        "| number | claim | evidence | wrong versions | tests |\n|---|---|---|---|---|\n"
            .to_owned();
    for number in numbers {
        let covering = covering(number);
        if covering.is_empty() {
            table += &format!("| {number} | not yet | | | |\n");
        }
        for claim in covering {
            let id = claim.id;
            let tests = match has_tests(claim) {
                true => format!("[{id}.rs]({id}.rs)"),
                false => "not yet".to_owned(),
            };
            let (evidence, mutants) = (claim.standing(), claim.mutants.len());
            table +=
                &format!("| {number} | [`{id}`]({id}.md) | {evidence} | {mutants} | {tests} |\n");
        }
    }
    blocks::same("theorems/README.md", "theorems", &table, str::to_owned);
}

#[test]
fn every_page_lists_the_mutants_of_its_claim_and_no_others() {
    for claim in claims::ALL.iter().filter(|claim| has_page(claim)) {
        let coded: BTreeSet<&str> = claim.mutants.iter().map(|mutant| mutant.name).collect();
        assert_eq!(mutants_of_page(claim.page), coded, "mutants of {}", claim.id);
        assert_eq!(coded.len(), claim.mutants.len(), "a mutant of {} is there twice", claim.id);
        for hypothesis in coded.iter().filter_map(|name| name.strip_prefix("without_")) {
            let row = format!("\n| {hypothesis} ");
            assert!(claim.page.contains(&row), "{} has no hypothesis {hypothesis}", claim.id);
        }
    }
}

#[test]
fn every_page_has_its_parts() {
    for claim in claims::ALL.iter().filter(|claim| has_page(claim)) {
        let parts = ["**Covers**", "## Statement", "## Mutants", "## What it does not show"];
        for part in parts.iter().chain(claim.theory) {
            assert!(claim.page.contains(part), "the page of {} lacks {part}", claim.id);
        }
        assert!(!claim.standing().is_empty(), "the page of {} lacks its standing", claim.id);
    }
}

/// What lies between `from` and the next `to`, again and again.
fn between<'a>(text: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(from).skip(1).map(move |rest| rest.split(to).next().unwrap_or_default())
}

#[test]
fn every_statement_has_formulas_that_can_be_set() {
    for claim in claims::ALL {
        let html = text::html(claim.statement()).unwrap_or_else(|e| panic!("{}: {e}", claim.id));
        let formulas: Vec<&str> = between(&html, "<math", "</math>").collect();
        assert!(!formulas.is_empty(), "the statement of {} has no formula", claim.id);
        for formula in formulas {
            assert!(!formula.contains(['^', '_', '$', '\\']), "{}: {formula}", claim.id);
        }
        // Outside of formulas only names of facts have underscores.
        assert!(!html.contains('$'), "{}: a formula is not closed", claim.id);
        let words: String =
            html.split("<math").map(|part| part.rsplit("</math>").next().unwrap()).collect();
        let words: String =
            words.split("<code>").map(|part| part.rsplit("</code>").next().unwrap()).collect();
        assert!(!words.contains(['_', '^', '√', '≤', '≥']), "{}: {words}", claim.id);
    }
}

#[test]
fn pages_do_without_latex() {
    for claim in claims::ALL {
        let commands = claim.page.split('\\').skip(1).filter(|rest| !rest.starts_with('|'));
        assert_eq!(commands.count(), 0, "the terminal shows {} as it is written", claim.id);
    }
}

#[test]
fn every_test_file_of_theorems_is_a_target_and_belongs_to_a_claim() {
    let manifest = include_str!("../Cargo.toml");
    for entry in std::fs::read_dir(blocks::path("theorems")).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        let shared = ["support", "tampering", "wordings"];
        let Some(id) = file.strip_suffix(".rs").filter(|id| !shared.contains(id)) else {
            continue;
        };
        assert!(claims::find(id).is_some(), "theorems/{file} belongs to no claim");
        let target = format!("name = \"{id}\"\npath = \"theorems/{file}\"");
        assert!(manifest.contains(&target), "Cargo.toml lacks [[test]] {target}");
    }
}

#[test]
fn every_claim_has_wrong_versions_and_its_own_name() {
    let ids: BTreeSet<&str> = claims::ALL.iter().map(|claim| claim.id).collect();
    assert_eq!(ids.len(), claims::ALL.len());
    for claim in claims::ALL {
        assert!(claim.mutants.len() >= 2, "{}", claim.id);
        assert!(!claim.theory.is_empty() && claim.least_in_scope > 0.0, "{}", claim.id);
    }
}

/// The two tests that every claim has: that it is never violated, and that its wrong versions are refuted.
const EVIDENCE: [&str; 2] =
    ["support::no_world_violates(&CLAIM", "support::stands_and_refutes_its_mutants(&CLAIM)"];

#[test]
fn every_number_has_a_claim_with_evidence_and_mutants() {
    for number in REQUIRED {
        let covering = covering(number);
        assert!(!covering.is_empty(), "{number} has no claim");
        for claim in covering {
            let tests = blocks::path(&format!("theorems/{}.rs", claim.id));
            let tests = std::fs::read_to_string(tests).unwrap();
            for evidence in EVIDENCE {
                assert!(tests.contains(evidence), "{number}: {} lacks {evidence}", claim.id);
            }
            assert!(claim.mutants.len() >= 2, "{number}: {} has no mutants", claim.id);
            assert!(claim.page.contains("## Proof") || claim.page.contains("predict"), "{number}");
        }
    }
}

#[test]
fn every_counterexample_is_on_a_page_of_its_claim() {
    let pages: Vec<&str> = covering("T7").iter().map(|claim| claim.page).collect();
    for name in COUNTEREXAMPLES {
        let named = |page: &&str| page.split(|c: char| !c.is_alphanumeric()).any(|w| w == *name);
        assert!(pages.iter().any(named), "{name} is on no page of T7");
    }
}

#[test]
fn claims_named_beside_the_words_of_the_paper_exist() {
    let page = std::fs::read_to_string(blocks::path("theorems/README.md")).unwrap();
    let table = page.split("## What the paper says").nth(1).unwrap();
    let names: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    assert!(names.len() >= 8);
    let mutants = || claims::ALL.iter().flat_map(|claim| claim.mutants);
    for name in names {
        let known = claims::find(name).is_some() || mutants().any(|mutant| mutant.name == name);
        assert!(known, "{name} is neither a claim nor one of its mutants");
    }
}

#[test]
fn a_page_with_a_forgotten_mutant_would_be_noticed() {
    let page = "# T\n\n## Mutants\n\n| mutant | what |\n|---|---|\n| `a` | x |\n| `b` | y |\n\n## Next\n\n| `c` | z |\n";
    assert_eq!(mutants_of_page(page), BTreeSet::from(["a", "b"]));
}
