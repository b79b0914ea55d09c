//! Records: read back as written, refused when damaged.

use driftproof::campaign;
use driftproof::claims;
use driftproof::facts::{Facts, Grade, Quantity};
use driftproof::figure::{Ink, Mark, Panel};
use driftproof::record::{
    self, DataRecord, Detail, FILE_NAME, Outcome, Parameters, Record, Schema, Timing,
    TrajectoryRecord, Versions,
};
use driftproof::verdict::{Judgement, Margin, Verdict};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use tempfile::tempdir;

/// A record with everything in it, also what JSON has no number for.
fn sample() -> Record {
    let claim = claims::find("qr_subspace_tracks_singular_subspace").unwrap();
    let results = campaign::run(claim, 9, 12, &AtomicBool::new(false), &|| ());
    let mut checked = campaign::record(claim, 9, &results);
    let mut facts = Facts::new();
    facts.set("unknown", Quantity::UNKNOWN);
    facts.set_series("odd", vec![Quantity::new(f64::INFINITY, 0.1 + 0.2, Grade::Enclosed); 3]);
    let nan = Margin::at_most("H1 of nothing", Quantity::UNKNOWN, Quantity::exact(1.0));
    checked.worlds[1].error = Some("singular".into());
    checked.worlds[1].detail = Some(Detail {
        judgement: Judgement { hypotheses: vec![nan], conclusions: Vec::new() },
        facts: facts.clone(),
        picture: Some(Panel::plane("a world").with(
            "gap",
            Ink::Data,
            Mark::line(vec![0.5], vec![f64::INFINITY]),
        )),
    });
    checked.summary.violation_rate_bound = f64::NAN;
    Record {
        schema: Schema::current(),
        versions: Versions::current(),
        parameters: Parameters {
            claims: vec![claim.id.into()],
            data: vec!["a.npy".into()],
            normals: true,
            scale: "none".into(),
            worlds: 12,
            world: None,
            seed: u64::MAX,
        },
        interrupted: true,
        claims: vec![checked],
        data: vec![DataRecord {
            name: "a.npy".into(),
            notes: vec!["a note".into()],
            world: serde_json::json!({ "dim": 3 }),
            facts,
            trajectories: vec![TrajectoryRecord {
                claim: claim.id.into(),
                dimension: 2,
                verdict: Verdict::Undecided,
                judgement: Judgement::default(),
            }],
            error: Some("flow: not finite".into()),
        }],
        scenario: None,
        timing: Timing { threads: 2, seconds: 0.1, claims: BTreeMap::new() },
    }
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let folder = tempdir().unwrap();
    let sample = sample();
    let path = record::write(&sample, &folder.path().join("new/folder"), FILE_NAME).unwrap();
    let back = record::read(&path).unwrap();
    assert_eq!(record::to_json(&back), record::to_json(&sample));
    assert!(back.data[0].facts.series("odd")[0].value.is_nan());
    assert_eq!(back.data[0].facts.series("odd")[0].bar, 0.1 + 0.2);
    assert_eq!(back.parameters.seed, u64::MAX);
}

#[test]
fn a_record_cut_anywhere_is_refused() {
    let folder = tempdir().unwrap();
    let whole = record::to_json(&sample());
    let path = folder.path().join("cut.json");
    for part in 0..40 {
        let mut at = (whole.len() - 2) * part / 39;
        while !whole.is_char_boundary(at) {
            at += 1;
        }
        std::fs::write(&path, &whole[..at]).unwrap();
        let error = record::read(&path).unwrap_err();
        assert!(error.is_input() && error.to_string().contains("cut.json"), "{error}");
    }
}

#[test]
fn damaged_and_foreign_files_are_refused_with_what_was_expected() {
    let folder = tempdir().unwrap();
    let whole = record::to_json(&sample());
    let newer = whole.replacen("\"version\":1", "\"version\":2", 1);
    let missing = whole.replacen("\"interrupted\":true,", "", 1);
    let worlds = whole.replacen("\"worlds\":12,\"in_scope\"", "\"worlds\":13,\"in_scope\"", 1);
    let verdict = whole.replacen("\"verdict\":\"holds\"", "\"verdict\":\"maybe\"", 1);
    let cases: &[(&[u8], &str)] = &[
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"hello", "not JSON"),
        (b"[1, 2]", "not a record"),
        (b"{\"name\": \"x\"}", "driftproof-record version 1"),
        (b"{\"schema\": {\"name\": \"x\", \"version\": 1}}", "schema x version 1; expected"),
        (&[0xff, 0xfe, 0x00], "cannot be read"),
        (newer.as_bytes(), "version 2; expected"),
        (missing.as_bytes(), "missing field `interrupted`"),
        (worlds.as_bytes(), "tells of 13 worlds and holds 12"),
        (verdict.as_bytes(), "unknown variant `maybe`"),
    ];
    for (bytes, expected) in cases {
        let path = folder.path().join("bad.json");
        std::fs::write(&path, bytes).unwrap();
        let message = record::read(&path).unwrap_err().to_string();
        assert!(message.contains(expected), "{expected:?} in {message}");
    }
    assert!(record::read(&folder.path().join("absent.json")).is_err());
    assert!(record::read(folder.path()).is_err());
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let folder = tempdir().unwrap();
    // A folder stands where the record should be: the rename fails after the text is written.
    std::fs::create_dir_all(folder.path().join("out/record.json/inside")).unwrap();
    let out = folder.path().join("out");
    let error = record::write(&sample(), &out, FILE_NAME).unwrap_err();
    assert!(error.is_input(), "{error}");
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);
}

#[test]
fn every_key_is_documented() {
    fn keys<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, inner) in map {
                    found.push(key);
                    // Below these the keys are the names of claims, facts and parameters.
                    if !["facts", "world"].contains(&key.as_str()) {
                        keys(inner, found);
                    }
                }
            }
            serde_json::Value::Array(list) => list.iter().for_each(|inner| keys(inner, found)),
            _ => (),
        }
    }
    let sample: serde_json::Value = serde_json::from_str(&record::to_json(&sample())).unwrap();
    let mut found = Vec::new();
    keys(&sample, &mut found);
    let page = include_str!("../src/record/RECORD.md");
    for key in found {
        assert!(page.contains(&format!("`{key}`")), "{key} is not in RECORD.md");
    }
}

#[test]
fn details_are_kept_where_they_matter() {
    let claim = claims::find("qr_subspace_tracks_singular_subspace").unwrap();
    let stop = AtomicBool::new(false);
    let frugal = campaign::run_frugally(claim, 4, 40, &stop, &|| ());
    let whole = campaign::run(claim, 4, 40, &stop, &|| ());
    let (frugal, whole) = (campaign::record(claim, 4, &frugal), campaign::record(claim, 4, &whole));
    let json = |r| serde_json::to_string(r).unwrap();
    assert_eq!(json(&frugal), json(&whole));
    assert_eq!(frugal.summary.outcome, Outcome::Stands);
    let tightest = frugal.summary.tightest.as_ref().unwrap().index;
    let detail = frugal.worlds[tightest].detail.as_ref().unwrap();
    assert!(detail.facts.iter().count() > 0);
    assert!(detail.judgement.conclusions.len() > 1);
}
