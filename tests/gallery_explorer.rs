//! What the chapter on the explorer must obey: what it says was found fails, and is no world of the claim as it is stated.

use driftproof::claims::relative_compression_forces_alignment::CLAIM;
use driftproof::experiments::{explorer, find};
use driftproof::random::Knobs;
use driftproof::record::{Relation, read_chapter};
use driftproof::search::{CLEAR, Target, Worlds};
use driftproof::verdict::Verdict;
use std::path::Path;

#[test]
fn finds_fail_and_plain_ones_are_plainer() {
    let target = Target { claim: &CLAIM, wording: CLAIM.mutant("eta_dropped") };
    let found = explorer::needed::Find::search(target, 600, 2).unwrap().unwrap();
    let score = target.score(&mut Knobs::new(&found.found.knobs));
    assert!(score.value < -CLEAR && score == found.found.score && found.worlds <= 600);
    let (plain, confirmed) = found.plain(target);
    assert!(confirmed && plain.moved() < found.found.moved());
    let stated = Target { wording: None, ..target };
    assert_ne!(stated.score(&mut Knobs::new(&plain.knobs)).verdict, Verdict::Violated);
    // As it is stated nothing is found.
    assert!(explorer::needed::Find::search(stated, 64, 2).unwrap().is_none());
}

/// The stored chapter: every wording is met from nine of ten seeds, and what was looked at again is confirmed.
#[test]
fn the_chapter_says_what_the_issue_of_each_search_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/explorer");
    let chapter = read_chapter(&folder.join("record.json")).unwrap();
    let (experiment, _) = find(explorer::NAME).unwrap();
    let names =
        chapter.figures.iter().map(|f| &f.name).chain(chapter.tables.iter().map(|t| &t.name));
    assert!(names.eq(experiment.figures));
    assert_eq!(chapter.tables[0].rows.len(), CLAIM.mutants.len());
    for finding in &chapter.findings {
        assert_eq!(finding.relation, Relation::Agrees, "{}", finding.found);
    }
}
