//! The search among the worlds of a scenario file: it moves what is free, finds what fails, and stores a file that says so.

mod support;

use driftproof::claims::{self, Claim};
use driftproof::random::Knobs;
use driftproof::scenario_file::{Outcome, World};
use driftproof::search::confirm::confirm;
use driftproof::search::journal::Journal;
use driftproof::search::simplify::simplify;
use driftproof::search::stated::Stated;
use driftproof::search::store::Found;
use driftproof::search::{Effort, Search, Seen, Stopped, Target, Worlds};
use driftproof::{campaign::scenario::run_file, scenario_file::Free};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use support::{run, stderr, stdout};
use tempfile::tempdir;

const RELATIVE: &Claim = &claims::relative_compression_forces_alignment::CLAIM;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/scenarios/free-coupling.toml")
}

fn target(wording: Option<&str>) -> Target {
    let wording = wording.map(|name| RELATIVE.mutant(name).unwrap());
    Target { claim: RELATIVE, wording }
}

fn searched(stated: &Stated, worlds: usize) -> (Seen, Stopped) {
    let effort = Effort { budget: Duration::from_secs(3600), worlds, seed: 1 };
    Search::new(stated, effort, &Journal::none(), &AtomicBool::new(false), &|_| ()).run().unwrap()
}

#[test]
fn compression_alone_is_refuted_by_a_coupling_and_the_claim_as_stated_by_none() {
    let stated = Stated::read(target(Some("cross_terms_dropped")), &example()).unwrap();
    let (seen, stopped) = searched(&stated, 200);
    assert_eq!(stopped, Stopped::Found);
    let plain = simplify(&stated, &seen.best.unwrap());
    let confirmed = confirm(&stated, &plain);
    assert!(confirmed.is_confirmed() && confirmed.has_steps);
    let found = Found { driftproof: String::new(), seed: 1, worlds: seen.worlds };
    let kept = stated.counterexample(&plain, &found, &confirmed).unwrap();
    let value = |name: &str| kept.values.iter().find(|(found, _)| found == name).unwrap().1;
    // The compression is not to blame, and stays as it is stated.
    let (c, k) = (value("c"), value("k"));
    assert!(c == 4.0 && k > 0.0 && (k * 1000.0).fract() == 0.0, "c = {c}, k = {k}");
    // y' = kx − cy from slope 0.1: the slope is k/c (1 − e^(−c)) + 0.1 e^(−c), without the coupling the last term alone.
    let (slope, bound) = (k / c * (1.0 - (-c).exp()) + 0.1 * (-c).exp(), 0.1 * (-c).exp());
    let [left, right] = kept.fails.sides.unwrap();
    assert_eq!(kept.fails.conclusion, "slope at 4/4");
    assert!((left - slope).abs() < 1e-7 && (right - bound).abs() < 1e-7, "{left} {right}");

    let folder = tempdir().unwrap();
    let path = kept.write(folder.path()).unwrap();
    let again = run_file(&path).unwrap();
    assert_eq!((again.checks.len(), again.outcome()), (1, Outcome::Pass));
    assert!(again.text.contains("[free] # what explore may move"), "comments stay");
    // What is stored can be searched again.
    assert!(Stated::read(target(None), &path).is_ok());

    let (seen, stopped) = searched(&Stated::read(target(None), &example()).unwrap(), 700);
    assert_eq!(stopped, Stopped::Worlds);
    assert!(seen.worlds >= 700 && seen.in_scope == seen.worlds);
    assert_eq!((seen.knobs, seen.drawn), (2, (512, 0)));
}

#[test]
fn a_world_that_fails_on_one_of_two_trajectories_expects_it_of_that_one() {
    // From x = −1 there is no coupling: 1 + tanh(−20) is rounding.
    let text = std::fs::read_to_string(example()).unwrap();
    let text = text.replace("k*x - c*y", "k*x*(1 + tanh(20*x))/2 - c*y");
    let folder = tempdir().unwrap();
    let path = folder.path().join("half.toml");
    std::fs::write(&path, text.replace("[[1, 0]]", "[[-1, 0], [1, 0]]")).unwrap();
    let stated = Stated::read(target(Some("cross_terms_dropped")), &path).unwrap();
    let (seen, stopped) = searched(&stated, 200);
    assert_eq!(stopped, Stopped::Found);
    let found = Found { driftproof: String::new(), seed: 1, worlds: seen.worlds };
    let best = seen.best.unwrap();
    let kept = stated.counterexample(&best, &found, &confirm(&stated, &best)).unwrap();
    let again = run_file(&kept.write(folder.path()).unwrap()).unwrap();
    assert!(again.text.contains("on 1 of 2 trajectories"), "{}", again.text);
    assert_eq!((again.checks.len(), again.outcome()), (1, Outcome::Pass));
    assert_eq!(again.checks[0].trajectory, 1);
    let everywhere = again.text.replace("trajectory = 1", "");
    std::fs::write(&path, everywhere).unwrap();
    assert_eq!(run_file(&path).unwrap().outcome(), Outcome::Fail);
}

#[test]
fn ranges_are_spread_as_they_say_and_hold_the_stated_value_exactly() {
    let (world, _) = World::read(&example()).unwrap();
    let [c, k] = world.free.as_slice() else { panic!("{:?}", world.free) };
    assert_eq!((c.value(0.0), c.value(1.0)), (1.0, 10.0));
    // Half way in the logarithm, to nine digits.
    assert!((c.value(0.5) - 10_f64.sqrt()).abs() < 1e-8);
    assert_eq!((k.value(0.0), k.value(0.5), k.value(1.0)), (0.0, 1.0, 2.0));
    for (stated, low, high, log) in [(0.1, -1.0, 3.0, false), (2.0 / 3.0, 1e-6, 1e6, true)] {
        let free = Free { name: "a".to_owned(), stated, low, high, log };
        assert_eq!(free.value(free.knob(stated)), stated);
        // The stated value is the plainest; then come few digits.
        let plainer: Vec<f64> =
            free.plainer(free.knob(2.3456)).into_iter().map(|knob| free.value(knob)).collect();
        let digits = if log { vec![stated, 1.0] } else { vec![stated, 0.0, 1.0] };
        assert_eq!(plainer, [digits, vec![2.0, 2.3, 2.35, 2.346]].concat());
        assert!(free.plainer(free.knob(stated)).is_empty());
    }
}

#[test]
fn a_world_that_cannot_be_computed_is_no_counterexample() {
    // At c = 800 the state is not finite.
    let text = std::fs::read_to_string(example()).unwrap();
    let folder = tempdir().unwrap();
    let path = folder.path().join("stiff.toml");
    let stiff =
        text.replace("k*x - c*y", "k*x + exp(c)*y^2 - c*y").replace("high = 10", "high = 800");
    std::fs::write(&path, stiff).unwrap();
    let stated = Stated::read(target(Some("cross_terms_dropped")), &path).unwrap();
    let score = stated.score(&mut Knobs::new(&[1.0, 1.0]));
    assert!(score.value > 1.0, "{score:?}");
}

#[test]
fn the_command_stores_a_file_that_replays() {
    let root = tempdir().unwrap();
    let file = example().display().to_string();
    let done = |arguments: &[&str], code: i32| {
        let output = run(root.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    };
    let drop = ["--drop", "cross_terms_dropped", "--out", "found"];
    let text = done(&[&["explore", "T2.1", "--scenario", &file], &drop[..]].concat(), 1);
    for piece in ["In scope", "Confirmed", "Fails: slope at 4/4", "c = 4", "Replay: "] {
        assert!(text.contains(piece), "{piece} in {text}");
    }
    let stored = text.lines().find_map(|line| line.strip_prefix("Stored: ")).unwrap();
    done(&["run", stored], 0);
    // As stated the claim holds there, and its wrong wording falls.
    let text = done(&["check", "--scenario", stored, "T2.1"], 0);
    let row = text.lines().find(|line| line.contains("--cross_terms_dropped")).unwrap();
    assert_eq!(row.split_whitespace().skip(1).collect::<Vec<_>>(), ["–", "1", "–", "–"]);
    let text = done(&["explore", "T2.1", "--scenario", &file, "--worlds", "64"], 0);
    assert!(text.contains("the ranges of the file span alone"), "{text}");
}
