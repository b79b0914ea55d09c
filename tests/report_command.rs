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
fn a_chapter_is_made_drawn_again_and_compared_with_its_record() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let called = |arguments: &[&str]| {
        let output = run(root, &[&["report", "--out", "gallery"], arguments].concat());
        (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap(), stderr(&output))
    };
    let cheap = "model-classes";
    // One figure alone: its three files, and no page that would tell of others.
    let (code, said, errors) = called(&["--only", "contraction"]);
    assert_eq!(code, Some(0), "{errors}");
    let chapter = root.join("gallery").join(cheap);
    let count = || std::fs::read_dir(&chapter).unwrap().count();
    assert_eq!((said.lines().count(), count()), (3, 3), "{said}");
    assert!(said.lines().all(|path| root.join(path).is_file()), "{said}");

    let (code, said, errors) = called(&["--only", cheap]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(root.join(said.lines().last().unwrap().strip_prefix("begin at ").unwrap()).is_file());
    let (whole, figure) = (count(), chapter.join("contraction.svg"));
    let drawn = std::fs::read(&figure).unwrap();
    assert_eq!(called(&["--check", "--only", cheap]).0, Some(0));
    std::fs::remove_file(&figure).unwrap();
    assert_eq!(called(&["--redraw", "--only", cheap]).0, Some(0));
    assert!(std::fs::read(&figure).unwrap() == drawn);

    // A record that tells other numbers, and a figure that nothing makes any more.
    let path = chapter.join("record.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let figures = record["figures"].as_array_mut().unwrap();
    let stale = serde_json::json!({ "name": "made-no-more" });
    let mut other = figures.iter().find(|figure| figure["name"] == "contraction").unwrap().clone();
    other["name"] = stale["name"].clone();
    let of = figures.iter_mut().find(|figure| figure["name"] == "contraction").unwrap();
    let mark = of["panels"][0]["layers"][0]["mark"].as_object_mut().unwrap();
    mark.values_mut().next().unwrap()["y"][0] = 1e3.into();
    figures.push(other);
    std::fs::write(&path, record.to_string()).unwrap();
    std::fs::write(chapter.join("made-no-more.svg"), "").unwrap();
    std::fs::write(chapter.join("notes.txt"), "mine").unwrap();
    let (code, said, _) = called(&["--check", "--only", cheap]);
    assert_eq!(code, Some(1), "{said}");
    let differ: Vec<&str> = said.lines().filter(|line| line.starts_with("DIFFERS")).collect();
    assert!(differ.len() == 2 && differ[0].contains("contraction"), "{said}");
    let (code, _, errors) = called(&["--only", "contraction"]);
    assert!(code == Some(2) && errors.contains("holds another one"), "{errors}");
    for arguments in [&["--check", "--only", cheap][..], &["--only", "contraction"]] {
        let (code, _, errors) = called(&[arguments, &["--seed", "2"]].concat());
        assert!(code == Some(2) && errors.contains("made with seed 1"), "{errors}");
    }
    assert_eq!(called(&["--only", cheap]).0, Some(0));
    assert!(std::fs::read(&figure).unwrap() == drawn);
    assert!(chapter.join("notes.txt").is_file() && count() == whole + 1);

    // A damaged record of any chapter is told of before anything is computed.
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    let (code, _, errors) = called(&["--only", "tangent-bundle"]);
    assert!(code == Some(2) && errors.contains("truncated"), "{errors}");
    assert!(!root.join("gallery/tangent-bundle").exists());
    // Except of the one that is made anew.
    assert_eq!(called(&["--only", cheap]).0, Some(0));
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
