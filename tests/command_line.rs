//! The command as a user meets it: output, exit codes, records, interruption.

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;
use support::{CHEAP, command, run, stderr, stdout};
use tempfile::tempdir;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn without_timing(text: &str) -> Value {
    let mut record = json(text);
    assert!(record.as_object_mut().unwrap().remove("timing").is_some());
    record
}

#[test]
fn help_lists_commands_and_exit_codes() {
    let folder = tempdir().unwrap();
    let help = run(folder.path(), &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for word in ["check", "claims", "Exit codes", "counterexample"] {
        assert!(stdout(&help).contains(word), "{word}");
    }
    let help = stdout(&run(folder.path(), &["check", "--help"]));
    let options =
        ["--worlds", "--world", "--seed", "--threads", "--data", "--normals", "--scale", "--out"];
    for option in options.into_iter().chain(["--json"]) {
        assert!(help.contains(option), "{option}");
    }
    let version = stdout(&run(folder.path(), &["--version"]));
    assert_eq!(version.trim(), concat!("driftproof ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_standing_claim_exits_0_with_its_table_on_stdout_and_its_progress_on_stderr() {
    let folder = tempdir().unwrap();
    let output = run(folder.path(), &["check", CHEAP, "--worlds", "120"]);
    assert_eq!(output.status.code(), Some(0));
    let (table, progress) = (stdout(&output), stderr(&output));
    assert!(table.contains(CHEAP) && table.contains("stands"), "{table}");
    assert!(table.contains("1 of 1 claim stands in 120 random worlds"), "{table}");
    assert!(progress.contains("120 worlds"), "{progress}");
    assert!(!table.contains("finished") && !table.contains("about"), "{table}");
    assert!(folder.path().join("driftproof-out/record.json").is_file());
}

#[test]
fn something_is_seen_within_a_second() {
    let folder = tempdir().unwrap();
    let started = Instant::now();
    let mut child = command(folder.path(), &["check", "--worlds", "100000"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!line.trim().is_empty() && seconds < 1.0, "{line:?} after {seconds} s");
}

#[test]
fn one_and_two_threads_write_the_same_record_up_to_timing() {
    let folder = tempdir().unwrap();
    let record = |threads: &str| {
        // T2.5 runs the kernel on random laws, the data set nested parallel loops.
        let volcanoes = concat!(env!("CARGO_MANIFEST_DIR"), "/data/s2_gvp_volcanoes_xyz.npy");
        let asked = ["check", CHEAP, "T2.5", "--data", volcanoes, "--worlds", "12", "--seed", "5"];
        let asked = [&asked[..], &["--threads", threads]].concat();
        let output = run(folder.path(), &[&asked[..], &["--out", threads]].concat());
        assert!(output.status.code().is_some());
        std::fs::read_to_string(folder.path().join(threads).join("record.json")).unwrap()
    };
    let (one, two) = (record("1"), record("2"));
    assert_eq!(without_timing(&one), without_timing(&two));
    assert_eq!(json(&one)["timing"]["threads"], 1);
}

#[test]
fn another_seed_gives_other_worlds() {
    let folder = tempdir().unwrap();
    let worlds = |seed: &str| {
        let output =
            run(folder.path(), &["check", CHEAP, "--worlds", "3", "--seed", seed, "--json"]);
        json(&stdout(&output))["claims"][0]["worlds"].clone()
    };
    assert_ne!(worlds("1"), worlds("2"));
}

#[test]
fn json_is_the_record_byte_for_byte() {
    let folder = tempdir().unwrap();
    let output = run(folder.path(), &["check", CHEAP, "--worlds", "20", "--json", "--out", "here"]);
    let written = std::fs::read_to_string(folder.path().join("here/record.json")).unwrap();
    assert_eq!(stdout(&output), written);
}

#[test]
fn a_world_repeats_what_the_campaign_saw_of_it() {
    let folder = tempdir().unwrap();
    let all = json(&stdout(&run(folder.path(), &["check", CHEAP, "--worlds", "30", "--json"])));
    let tightest = all["claims"][0]["summary"]["tightest"]["index"].as_u64().unwrap();
    let index = tightest.to_string();
    let one = run(folder.path(), &["check", CHEAP, "--world", &index, "--json"]);
    let one = json(&stdout(&one));
    assert_eq!(one["claims"][0]["worlds"][0], all["claims"][0]["worlds"][tightest as usize]);

    let text = stdout(&run(folder.path(), &["check", "T3", "--world", &index]));
    for part in ["World\n", "Hypotheses", "Conclusions", "Facts", "singular_ratio", "Repeat: "] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_world_writes_nothing_unless_told_where() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["check", CHEAP, "--world", "3"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    run(folder.path(), &["check", CHEAP, "--world", "3", "--out", "there"]);
    assert!(folder.path().join(format!("there/{CHEAP}-world-3.json")).is_file());
}

#[test]
fn exit_codes_of_a_world_tell_verdicts_apart() {
    let folder = tempdir().unwrap();
    let all = json(&stdout(&run(folder.path(), &["check", CHEAP, "--worlds", "40", "--json"])));
    let worlds = all["claims"][0]["worlds"].as_array().unwrap();
    for (verdict, code) in [("holds", 0), ("out_of_scope", 3)] {
        let world = worlds.iter().find(|w| w["verdict"] == verdict).expect(verdict);
        let index = world["index"].to_string();
        let output = run(folder.path(), &["check", CHEAP, "--world", &index]);
        assert_eq!(output.status.code(), Some(code), "{verdict}");
    }
}

#[test]
fn ctrl_c_keeps_what_finished() {
    let folder = tempdir().unwrap();
    let mut child = command(folder.path(), &["check", CHEAP, "--worlds", "100000"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Once a rate is shown, worlds have finished and the handler is in place.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while !lines.next().expect("progress").unwrap().contains("/s, about") {}
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let output = child.wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(3), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("stopping")), "{rest:?}");
    assert!(stdout(&output).contains("STOPPED before the end"));
    let record = driftproof::record::read(&folder.path().join("driftproof-out/record.json"));
    let record = record.unwrap();
    assert!(record.interrupted);
    let finished = record.claims[0].summary.worlds;
    assert!(finished > 0 && finished < 100_000, "{finished}");
}

#[test]
fn a_reader_that_goes_away_is_no_bug() {
    let folder = tempdir().unwrap();
    let mut child = command(folder.path(), &["check", CHEAP, "--worlds", "5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_ne!(child.wait().unwrap().code(), Some(70));
}

#[cfg(unix)]
#[test]
fn a_full_disk_costs_neither_the_result_nor_the_older_record() {
    let folder = tempdir().unwrap();
    run(folder.path(), &["check", CHEAP, "--worlds", "3"]);
    let path = folder.path().join("driftproof-out/record.json");
    let older = std::fs::read_to_string(&path).unwrap();
    let older_page = std::fs::read_to_string(path.with_file_name("report.html")).unwrap();
    // A limit on the size of files, with its signal ignored, fails as a full disk does.
    let script = "trap '' XFSZ; ulimit -f 4; exec \"$0\" check \"$1\" --worlds 200";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_driftproof"), CHEAP])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("record.json cannot be written"), "{}", stderr(&output));
    assert!(stdout(&output).contains("random worlds"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), older);
    // The record, its page twice, and the folder of its figures, all of the first run.
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 4);
    assert_eq!(std::fs::read_to_string(path.with_file_name("report.html")).unwrap(), older_page);
}

#[test]
fn claims_lists_them_all_and_prints_a_statement() {
    let folder = tempdir().unwrap();
    let list = stdout(&run(folder.path(), &["claims"]));
    for claim in driftproof::claims::ALL {
        assert!(list.contains(claim.id), "{}", claim.id);
        // tests/theorem_table.rs keeps the list of pages that are yet to be written.
        if claim.page.is_empty() {
            continue;
        }
        let page = stdout(&run(folder.path(), &["claims", claim.id]));
        for part in ["Statement", "Mutants", "Standing", "What it does not show"] {
            assert!(page.contains(part), "{part} in the page of {}", claim.id);
        }
        assert!(!claim.standing().is_empty(), "{}", claim.id);
    }
    let list = json(&stdout(&run(folder.path(), &["claims", "--json"])));
    assert_eq!(list.as_array().unwrap().len(), driftproof::claims::ALL.len());
}

#[test]
fn a_data_set_is_described_with_what_was_done_to_it() {
    let folder = tempdir().unwrap();
    let text = "x,y,z\n0,0,7\n3,4,7\n0,0,7\n0,1,7\n";
    std::fs::write(folder.path().join("points.csv"), text).unwrap();
    let output = run(folder.path(), &["check", "--data", "points.csv"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = stdout(&output);
    assert!(shown.contains("1 of 4 rows repeat an earlier row"), "{shown}");
    assert!(shown.contains("1 of 3 columns are constant"), "{shown}");
    assert!(!shown.contains(CHEAP), "only what was asked for: {shown}");

    let record = run(folder.path(), &["check", "--data", "points.csv", "--json"]);
    let facts = json(&stdout(&record))["data"][0]["facts"].clone();
    // Distances: 1 between the two near points, √(3² + 3²) from (3, 4) to (0, 1).
    assert_eq!(facts["spacing_median"][0]["value"], 1.0);
    assert_eq!(facts["spacing_largest"][0]["value"], 18.0_f64.sqrt());
}

#[test]
fn normals_give_exact_planes_also_where_rows_repeat() {
    let folder = tempdir().unwrap();
    // Half of a sphere of radius 2 about (5, 0, 0): its normals are radii. Every tenth row stands twice.
    let row = |i: usize| {
        let (height, angle) = ((i as f64 + 0.5) / 300.0, 2.399_963 * i as f64);
        let radius = (1.0 - height * height).sqrt();
        let n = [radius * angle.cos(), radius * angle.sin(), height];
        let line = format!(
            "{},{},{},{},{},{}\n",
            5.0 + 2.0 * n[0],
            2.0 * n[1],
            2.0 * n[2],
            n[0],
            n[1],
            n[2]
        );
        if i.is_multiple_of(10) { line.repeat(2) } else { line }
    };
    std::fs::write(folder.path().join("half.csv"), (0..300).map(row).collect::<String>()).unwrap();
    let output = run(folder.path(), &["check", "--data", "half.csv", "--normals"]);
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(shown.contains("30 of 330 rows repeat an earlier row"), "{shown}");
    assert!(shown.contains("local PCA, at its best, "), "{shown}");
    assert!(!shown.contains("Robustness of "), "that is for data without exact planes: {shown}");
    let path = folder.path().join("driftproof-out/record.json");
    let record = driftproof::record::read(&path).unwrap();
    assert!(record.parameters.normals);
    let facts = &record.data[0].facts;
    for name in ["flow_angle_median", "pca_angle_median"] {
        // Spacing over radius: (2π/300)^½ = 0.14 rad.
        assert!(facts.get(name).value < 0.14, "{name}: {:?}", facts.get(name));
    }
    // Without normals the columns are six coordinates, and no plane is known.
    let output = run(folder.path(), &["check", "--data", "half.csv"]);
    assert!(stdout(&output).contains("Robustness of half.csv: "), "{}", stdout(&output));
    assert!(!stdout(&output).contains("against exact ones"));
}

#[test]
fn tiny_lengths_are_taken_once_scaled() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("tiny.csv"), "1e-160,0\n0,1e-160\n0,0\n").unwrap();
    let output = run(folder.path(), &["check", "--data", "tiny.csv", "--scale", "unit"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn planes_of_more_dimensions_than_singular_pairs_are_not_compared() {
    let folder = tempdir().unwrap();
    let row = |i: u64| {
        let x = driftproof::random::Stream::root(3).indexed(i).normals(200);
        let size = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        x.iter().map(|x| format!("{}", x / size)).collect::<Vec<_>>().join(",")
    };
    let text = (0..60).map(row).collect::<Vec<_>>().join("\n");
    std::fs::write(folder.path().join("unit.csv"), text).unwrap();
    let output = run(folder.path(), &["check", "--data", "unit.csv"]);
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(shown.contains("not compared: they have dimension 199, and 24 leading"), "{shown}");
    assert!(shown.contains("leading 24 singular pairs, "), "{shown}");
    assert!(!shown.contains('–') && !shown.contains("NaN"), "{shown}");
    let path = folder.path().join("driftproof-out/record.json");
    let facts = &driftproof::record::read(&path).unwrap().data[0].facts;
    let bound = facts.get("pairs_angle_bound").value;
    assert!(bound > 0.0 && bound <= std::f64::consts::FRAC_PI_2, "{bound}");
    assert!(facts.series("tangent_angle").is_empty() && facts.get("null_draws").value == 19.0);
}

#[test]
fn where_single_points_take_over_is_told_as_found() {
    let folder = tempdir().unwrap();
    let shown = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        stdout(&run(folder.path(), &["check", "--data", name]))
    };
    // Two points are told apart at every level of the run.
    let two = shown("two.csv", "0,0\n1,0\n");
    assert!(two.contains("below 0.500 a posterior sees one point"), "{two}");
    assert!(two.contains("WARNING: the run ends at or below that level"), "{two}");
    // Pairs closer than the scan reaches never look like single points.
    let pairs: String = (0..20)
        .map(|i| {
            let xy = driftproof::random::Stream::root(4).indexed(i).normals(2);
            let (x, y) = (xy[0], xy[1]);
            format!("{x},{y}\n{},{y}\n", x + 1e-9)
        })
        .collect();
    let pairs = shown("pairs.csv", &pairs);
    assert!(pairs.contains("no level down to") && !pairs.contains("WARNING"), "{pairs}");
    assert!(!pairs.contains("sees one point:"), "{pairs}");
}
