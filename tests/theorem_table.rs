//! The statement pages against the claims of the code: nothing listed that is not there, nothing there unlisted.

mod support;

use driftproof::claims::{self, Claim};
use std::collections::BTreeSet;
use support::blocks;

/// The numbers of the theory that this release has to cover.
const REQUIRED: &[&str] = &[
    "T1.5", "T1.6", "T2.0", "T2.1", "T2.2", "T2.3", "T2.4", "T2.5", "T2.6", "T3", "T6.1", "T6.2",
    "T6.3", "T6.4", "T6.5", "T6.6", "T6.7", "T6.8",
];

/// Of these, those without a claim, or with one that lacks its page or its tests. Shrinks, and may not grow.
const NOT_YET: &[&str] = &[];

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
    let mut table = "| number | claim | statement | tests |\n|---|---|---|---|\n".to_owned();
    for number in numbers {
        let covering = covering(number);
        if covering.is_empty() {
            table += &format!("| {number} | not yet | | |\n");
        }
        for claim in covering {
            let id = claim.id;
            let file = |there: bool, extension: &str| match there {
                true => format!("[{id}.{extension}]({id}.{extension})"),
                false => "not yet".to_owned(),
            };
            let (page, tests) = (file(has_page(claim), "md"), file(has_tests(claim), "rs"));
            table += &format!("| {number} | `{id}` | {page} | {tests} |\n");
        }
    }
    blocks::same("theorems/README.md", "theorems", &table, str::to_owned);
}

#[test]
fn what_is_not_yet_there_is_known_and_what_landed_is_no_longer_called_missing() {
    let complete = |number: &&&str| {
        let covering = covering(number);
        !covering.is_empty() && covering.iter().all(|claim| has_page(claim) && has_tests(claim))
    };
    let missing: Vec<&str> = REQUIRED.iter().filter(|n| !complete(n)).copied().collect();
    for number in NOT_YET {
        assert!(missing.contains(number), "{number} has landed: take it off NOT_YET");
    }
    for number in missing {
        assert!(NOT_YET.contains(&number), "{number} lacks its claim, its page or its tests");
    }
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

#[test]
fn every_test_file_of_theorems_is_a_target_and_belongs_to_a_claim() {
    let manifest = include_str!("../Cargo.toml");
    for entry in std::fs::read_dir(blocks::path("theorems")).unwrap() {
        let file = entry.unwrap().file_name().to_string_lossy().into_owned();
        let Some(id) = file.strip_suffix(".rs").filter(|id| *id != "support") else { continue };
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

#[test]
fn a_page_with_a_forgotten_mutant_would_be_noticed() {
    let page = "# T\n\n## Mutants\n\n| mutant | what |\n|---|---|\n| `a` | x |\n| `b` | y |\n\n## Next\n\n| `c` | z |\n";
    assert_eq!(mutants_of_page(page), BTreeSet::from(["a", "b"]));
}
