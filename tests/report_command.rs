//! `driftproof report` and the page of a run, as they are called.

use driftproof::experiments;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::tempdir;

/// A claim that is quickly checked.
const CHEAP: &str = "tangential_alignment_bounds_score_overlap";

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_driftproof"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_run_writes_a_page_that_is_drawn_again_from_its_record_bit_by_bit() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    assert_eq!(run(root, &["check", CHEAP, "--worlds", "5"]).status.code(), Some(0));
    let record = "driftproof-out/record.json";
    let again = run(root, &["report", "--run", record, "--out", "again"]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let mut compared = 0;
    for name in [
        "report.html",
        "report.md",
        &format!("figures/{CHEAP}.svg"),
        &format!("figures/{CHEAP}.png"),
        &format!("figures/{CHEAP}.csv"),
    ] {
        let of = |place: &str| std::fs::read(root.join(place).join(name)).unwrap();
        assert!(of("driftproof-out") == of("again"), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 5);
    assert!(!root.join("again/record.json").exists());
}

#[test]
fn bad_names_and_records_get_one_error_and_write_nothing() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    std::fs::write(
        root.join("bad.json"),
        "{\"schema\":{\"name\":\"driftproof-record\",\"version\":99}}",
    )
    .unwrap();
    std::fs::write(root.join("cut.json"), "{\"schema\":{\"na").unwrap();
    let chapter = experiments::ALL[0].name;
    std::fs::create_dir_all(root.join("old").join(chapter)).unwrap();
    let old = root.join("old").join(chapter).join("record.json");
    std::fs::write(&old, "{\"schema\":{\"name\":\"driftproof-gallery\",\"version\":0}}").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["report", "--only", "nonsense", "--out", "new"], "no chapter or figure of the gallery"),
        (&["report", "--run", "absent.json", "--out", "new"], "cannot be read"),
        (&["report", "--run", "bad.json", "--out", "new"], "version 99"),
        (&["report", "--run", "cut.json", "--out", "new"], "truncated"),
        (&["report", "--redraw", "--out", "new", "--only", chapter], "cannot be read"),
        (&["report", "--check", "--out", "old", "--only", chapter], "version 0"),
        (&["report", "--redraw", "--check"], "cannot be used with"),
    ];
    for (arguments, words) in cases {
        let output = run(root, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = stderr(&output);
        assert!(said.contains(words) && said.starts_with("error: "), "{arguments:?}: {said}");
        let written = std::fs::read_dir(root.join("new")).map_or(0, Iterator::count);
        assert_eq!(written, 0, "{arguments:?}");
    }
}

#[test]
fn names_in_records_cannot_lead_out_of_the_folder() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    assert_eq!(run(root, &["check", CHEAP, "--worlds", "5"]).status.code(), Some(0));
    let record = root.join("driftproof-out/record.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace(CHEAP, "../../evil")).unwrap();
    let output = run(root, &["report", "--run", "driftproof-out/record.json", "--out", "deep/new"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("leads out of the folder"), "{}", stderr(&output));
    assert!(!root.join("evil.svg").exists() && !root.join("deep/new").exists());
}

#[test]
fn names_of_chapters_and_figures_are_told_apart() {
    let mut names: Vec<&str> = Vec::new();
    for experiment in experiments::ALL {
        names.push(experiment.name);
        names.extend(experiment.figures);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
