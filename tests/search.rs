//! The search for counterexamples: found where a hypothesis is dropped, from nearly every seed; the same whatever the threads and
//! interruptions; simplified, confirmed, stored and replayed.

use driftproof::claims::{self, Claim};
use driftproof::observe::observe;
use driftproof::random::Knobs;
use driftproof::search::archive::{self, Standing};
use driftproof::search::confirm::confirm;
use driftproof::search::journal::Journal;
use driftproof::search::simplify::simplify;
use driftproof::search::store::{self, Counterexample, Found};
use driftproof::search::{CLEAR, Effort, Point, Score, Search, Seen, Stopped, Target, Worlds};
use driftproof::verdict::Verdict;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tempfile::tempdir;

const RELATIVE: &Claim = &claims::relative_compression_forces_alignment::CLAIM;

fn effort(worlds: usize, seed: u64) -> Effort {
    Effort { budget: Duration::from_secs(3600), worlds, seed }
}

fn searched(target: Target, effort: Effort, journal: &Journal<Score>) -> (Seen, Stopped) {
    Search::new(target, effort, journal, &AtomicBool::new(false), &|_| ()).run().unwrap()
}

fn found(target: Target, seed: u64) -> Option<Point> {
    let (seen, stopped) = searched(target, effort(3000, seed), &Journal::none());
    (stopped == Stopped::Found).then(|| seen.best.unwrap())
}

#[test]
fn each_hypothesis_of_the_sufficient_condition_is_needed_from_nearly_every_seed() {
    for mutant in RELATIVE.mutants {
        let target = Target { claim: RELATIVE, wording: Some(mutant) };
        let mut confirmed = 0;
        for seed in 1..=10 {
            let Some(point) = found(target, seed) else { continue };
            let plain = simplify(target, &point);
            assert!(plain.score.value < 0.0 && point.score.value < -CLEAR, "{}", mutant.name);
            let nonzero = |knobs: &[f64]| knobs.iter().filter(|knob| **knob != 0.0).count();
            assert!(nonzero(&plain.knobs) <= nonzero(&point.knobs));
            // The claim as stated does not fail there.
            let stated = Target { claim: RELATIVE, wording: None };
            let score = stated.score(&mut Knobs::new(&plain.knobs));
            assert_ne!(score.verdict, Verdict::Violated, "{}", mutant.name);
            confirmed += usize::from(confirm(target, &plain).is_confirmed());
        }
        assert!(confirmed >= 9, "{}: {confirmed} of 10 seeds", mutant.name);
    }
}

/// From random starts in all the planar worlds and all the data laws of the two claims of T7.
#[test]
fn the_counterexamples_of_the_theory_are_found_again() {
    let alone = &claims::compression_alone_does_not_align::CLAIM;
    let apart = &claims::alignment_and_robustness_are_independent::CLAIM;
    for (claim, naive, number) in [
        (alone, "vanishing_cross_derivatives_align", "C1"),
        (alone, "total_compression_aligns", "C2"),
        (alone, "jacobian_on_manifold_suffices", "C3"),
        (apart, "alignment_implies_robustness", "C7"),
        (apart, "compression_attenuates_every_error", "C8"),
        (apart, "c0_small_errors_keep_alignment", "C9"),
    ] {
        let target = Target { claim, wording: Some(claim.mutant(naive).unwrap()) };
        let (mut confirmed, mut numbers) = (0, Vec::new());
        for seed in 1..=4 {
            let Some(point) = found(target, seed) else { continue };
            let world = observe(claim.id, &mut Knobs::new(&point.knobs)).unwrap().world;
            numbers.push(world["number"].as_str().unwrap_or_default().to_owned());
            confirmed += usize::from(confirm(target, &simplify(target, &point)).is_confirmed());
        }
        assert!(confirmed >= 3, "{naive}: {confirmed} of 4 seeds");
        // C1b is a variant of C1.
        let is_family = |found: &String| found.trim_end_matches('b') == number;
        assert!(numbers.iter().any(is_family), "{naive}: {numbers:?}");
    }
}

#[test]
fn a_claim_as_stated_meets_no_counterexample_and_the_search_says_how_near_it_came() {
    let target = Target { claim: RELATIVE, wording: None };
    let (seen, stopped) = searched(target, effort(700, 3), &Journal::none());
    assert_eq!(stopped, Stopped::Worlds);
    let best = seen.best.as_ref().unwrap();
    assert!(best.score.value >= 0.0 && best.score.in_scope());
    assert!(seen.in_scope > 400 && seen.adaptations >= 1 && seen.drawn.1 == 0);
    // Clopper and Pearson with no event: 1 − 0.05^(1/n).
    let bound = 1.0 - 0.05_f64.powf(1.0 / seen.drawn.0 as f64);
    assert!((seen.rate_bound() - bound).abs() < 1e-9);
}

#[test]
fn threads_and_interruptions_change_nothing() {
    let target = Target { claim: RELATIVE, wording: None };
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.journal");
    let best = |seen: &Seen| seen.best.as_ref().unwrap().knobs.clone();
    let name = target.name();
    let journal = Journal::create(&path, &name, 5).unwrap();
    let (whole, _) = searched(target, effort(640, 5), &journal);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let (alone, _) = one.install(|| searched(target, effort(640, 5), &Journal::none()));
    assert_eq!((best(&alone), alone.worlds), (best(&whole), whole.worlds));

    // Cut in the middle of a line: what is left is known, the rest is computed, and the end is the same.
    drop(journal);
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, &text[..text.len() * 2 / 3]).unwrap();
    let journal = Journal::resume(&path, &name, 5).unwrap();
    assert!(journal.len() > 300 && journal.len() < 640);
    let (resumed, _) = searched(target, effort(640, 5), &journal);
    assert_eq!((best(&resumed), resumed.in_scope), (best(&whole), whole.in_scope));
    drop(journal);
    assert_eq!(Journal::<Score>::resume(&path, &name, 5).unwrap().len(), 640);
    for (other, seed) in [(name.as_str(), 6), ("another", 5)] {
        let error = Journal::<Score>::resume(&path, other, seed).err().unwrap().to_string();
        assert!(error.contains("the journal of") && error.contains("without --resume"), "{error}");
    }
}

#[test]
fn a_map_keeps_the_worst_world_of_each_place() {
    for claim in [RELATIVE, &claims::adiabatic_gap_forces_alignment::CLAIM] {
        a_map_of(claim);
    }
    assert!(archive::chart(claims::ALL[0]).is_err());
}

fn a_map_of(claim: &Claim) {
    let chart = archive::chart(claim).unwrap();
    let (map, stopped) =
        archive::fill(&chart, effort(1200, 1), &Journal::none(), &AtomicBool::new(false), &|_| ())
            .unwrap();
    assert_eq!(stopped, Stopped::Worlds);
    let filled: Vec<_> = map.cells.iter().flatten().collect();
    assert!(
        filled.len() > 60 && filled.iter().map(|elite| elite.worlds).sum::<usize>() <= map.worlds
    );
    // What the condition guarantees is aligned: its bound is above what was measured.
    for elite in filled {
        if elite.standing() == Standing::Guaranteed {
            assert!(elite.look.sine <= elite.look.bound.unwrap() + 1e-6);
        }
    }
    assert!(map.count(Standing::Fails) > 0 && map.count(Standing::Guaranteed) > 0);
}

#[test]
fn a_counterexample_is_stored_and_read_back_as_it_was() {
    let target = Target { claim: RELATIVE, wording: Some(RELATIVE.mutant("eta_dropped").unwrap()) };
    let plain = simplify(target, &found(target, 1).unwrap());
    let seen = Found { driftproof: "0".into(), seed: 1, worlds: 9 };
    let kept = Counterexample::new(target, &plain, seen, confirm(target, &plain)).unwrap();
    let folder = tempdir().unwrap();
    let path = kept.write(folder.path()).unwrap();
    assert_eq!(store::read(&path).unwrap(), kept);
    assert_eq!(kept.replay().unwrap()[0].verdict(), Verdict::Violated);
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to, words) in [
        ("claim = ", "clam = ", "clam"),
        ("knobs = [", "knobs = [true, ", "line"),
        ("[found]", "[found", "line"),
    ] {
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = store::read(&path).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let mut stale = kept.clone();
    stale.world.insert("dim".into(), toml::Value::Integer(-1));
    assert!(stale.replay().unwrap_err().to_string().contains("another world"));
    let other = Counterexample { wording: Some("nonsense".into()), ..kept };
    assert!(other.target().is_err());
}

/// The worlds that are stored in a folder of the package, with their files.
fn stored(folder: &str) -> Vec<(PathBuf, Counterexample)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let worlds = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    worlds.map(|path| (path.clone(), store::read(&path).unwrap())).collect()
}

/// Every stored counterexample is one still, and none of the claim as stated.
#[test]
fn stored_counterexamples_are_replayed() {
    let mut replayed = 0;
    for (path, kept) in stored("reports/counterexamples") {
        let [wording, stated] = kept.replay().unwrap().map(|judgement| judgement.verdict());
        assert_eq!(wording, Verdict::Violated, "{}", path.display());
        assert!(kept.wording.is_some() && kept.confirmed.is_confirmed(), "{}", path.display());
        assert_ne!(stated, Verdict::Violated, "{}", path.display());
        replayed += 1;
    }
    assert!(replayed >= 20, "{replayed}");
}

/// Worlds that searches of stated claims took for counterexamples while a bar was too small.
#[test]
fn false_alarms_of_earlier_searches_stay_mended() {
    let all = stored("tests/false_alarms");
    assert!(!all.is_empty());
    for (path, kept) in all {
        assert!(kept.wording.is_none() && kept.fails.slack < 0.0, "{}", path.display());
        let [_, stated] = kept.replay().unwrap().map(|judgement| judgement.verdict());
        assert_ne!(stated, Verdict::Violated, "{}", path.display());
    }
}

fn explore(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftproof"));
    command.arg("explore").args(arguments).current_dir(folder);
    command
}

#[test]
fn a_search_that_is_killed_at_any_moment_goes_on_where_it_was() {
    let folder = tempdir().unwrap();
    let common = ["T2.1", "--worlds", "640", "--budget", "1h", "--out", "kept", "--seed", "2"];
    let journal = folder.path().join("kept/.relative_compression_forces_alignment-seed-2.journal");
    let lines = |path: &PathBuf| std::fs::read_to_string(path).map_or(0, |t| t.lines().count());
    let mut before = 0;
    for pause in [30, 170, 90, 310, 250] {
        let resume = if lines(&journal) > 0 { &["--resume"][..] } else { &[] };
        let mut child = explore(folder.path(), &[&common[..], resume].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
        // Nothing that was written is lost, but for a line that was cut off.
        let after = lines(&journal);
        assert!(after + 1 >= before, "{after} after {before}");
        before = after;
    }
    let resume = if before > 0 { &["--resume"][..] } else { &[] };
    let told = explore(folder.path(), &[&common[..], resume].concat()).output().unwrap();
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
    let mut elsewhere = common;
    elsewhere[6] = "afresh";
    let afresh = explore(folder.path(), &elsewhere).output().unwrap();
    let least = |output: &[u8]| {
        let text = String::from_utf8_lossy(output).into_owned();
        let line = text.lines().find(|line| line.starts_with("Least score"));
        line.map(str::to_owned).unwrap_or(text)
    };
    assert_eq!(least(&told.stdout), least(&afresh.stdout));
}

#[test]
fn bad_input_gets_one_error() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "claim = 3\n").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["nonsense"], "no claim of that name"),
        (&["T7"], "covered by 2 claims"),
        (&["T2.1", "--drop", "H9"], "cross_terms_dropped"),
        (&["T2.1", "--budget", "soon"], "--budget"),
        (&["T2.1", "--resume"], "no journal to resume"),
        (&["T2.6", "--archive"], "there is no map"),
        (&["--replay", "absent.toml"], "cannot be read"),
        (&["--replay", "bad.toml"], "line 1"),
        (&[], "CLAIM"),
    ];
    for (arguments, words) in cases {
        let output = explore(folder.path(), arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words) && said.starts_with("error: "), "{arguments:?}: {said}");
    }
}
