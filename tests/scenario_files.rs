//! The examples of scenario files, the schema of the format, and the commands that read them.

mod support;

use driftproof::campaign::scenario::run_file;
use driftproof::claims;
use driftproof::drift::{Drift, Workspace};
use driftproof::record::ScenarioRecord;
use driftproof::scenario_file::{
    CLAIMS, FACTS, Outcome, Source, TEMPLATES, WORDINGS, World, explained,
};
use driftproof::verdict::Verdict;
use std::path::{Path, PathBuf};
use support::{run, stderr, stdout};
use tempfile::tempdir;

/// Fewer examples than this do not show the format.
const LEAST_EXAMPLES: usize = 12;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/scenarios")
}

fn example(name: &str) -> ScenarioRecord {
    run_file(&folder().join(format!("{name}.toml"))).unwrap()
}

/// Every check passes, every trajectory is measured, and no claim falls.
fn passes(name: &str) -> ScenarioRecord {
    let found = example(name);
    assert!(!found.checks.is_empty(), "{name} expects nothing");
    for check in &found.checks {
        assert_eq!(check.outcome, Outcome::Pass, "{name}: {check:?}");
    }
    for trajectory in &found.trajectories {
        assert_eq!(trajectory.error, None, "{name}");
        for judged in &trajectory.claims {
            assert_ne!(judged.verdict, Verdict::Violated, "{name}: {judged:?}");
        }
    }
    found
}

macro_rules! examples {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                passes($name);
            }
        )*

        const TESTED: &[&str] = &[$($name),*];
    };
}

examples! {
    alignment_without_robustness: "alignment-without-robustness",
    ancestral_sampling: "ancestral-sampling",
    chart_of_a_torus: "chart-of-a-torus",
    circle_by_samples: "circle-by-samples",
    ddim: "ddim",
    earthquakes_on_the_sphere: "earthquakes-on-the-sphere",
    ellipse: "ellipse",
    equation_of_an_ellipse: "equation-of-an-ellipse",
    free_coupling: "free-coupling",
    gaussian_path: "gaussian-path",
    henon_map: "henon-map",
    late_error: "late-error",
    lorenz_63: "lorenz-63",
    own_drift: "own-drift",
    rotating_linear_flow: "rotating-linear-flow",
    swiss_roll: "swiss-roll",
    torus: "torus",
    trained_moons: "trained-moons",
    two_moons: "two-moons",
    uniform_sphere: "uniform-sphere",
    union_of_circles: "union-of-circles",
    without_a_low_start: "without-a-low-start",
    without_relative_compression: "without-relative-compression",
    without_small_cross_derivatives: "without-small-cross-derivatives",
    without_small_derivatives_of_the_error: "without-small-derivatives-of-the-error",
    without_small_second_derivatives: "without-small-second-derivatives",
    without_transversality: "without-transversality",
}

#[test]
fn every_example_comes_with_the_command_and_is_tested() {
    let mut files: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
    assert_eq!(files, names);
    assert_eq!(names, TESTED);
    assert!(files.len() >= LEAST_EXAMPLES);
    for template in TEMPLATES {
        assert_ne!(template.title(), template.name, "{} has no title", template.name);
    }
}

#[test]
fn the_claims_that_are_judged_are_claims() {
    for id in CLAIMS {
        assert!(claims::find(id).is_some(), "{id}");
    }
    for (id, wordings) in CLAIMS.iter().zip(WORDINGS) {
        let mutants = claims::find(id).unwrap().mutants.iter().map(|mutant| mutant.name);
        assert!(mutants.eq(wordings.iter().copied()), "{id}");
    }
}

#[test]
fn each_wrong_wording_is_judged_once_in_the_order_of_names() {
    let text = std::fs::read_to_string(folder().join("free-coupling.toml")).unwrap();
    let check = |wording: &str| {
        format!("[[checks]]\nclaim = '{}'\nwording = '{wording}'\nverdict = 'holds'\n", CLAIMS[0])
    };
    let checks = ["eta_dropped", "absolute_compression", "eta_dropped"].map(check).concat();
    let folder = tempdir().unwrap();
    let path = folder.path().join("again.toml");
    std::fs::write(&path, format!("{text}\n{checks}")).unwrap();
    let found = run_file(&path).unwrap();
    let names = found.trajectories[0].claims.iter().map(|judged| judged.claim.as_str());
    let wrong: Vec<&str> = names.filter_map(|name| Some(name.split_once("--")?.1)).collect();
    assert_eq!(wrong, ["absolute_compression", "cross_terms_dropped", "eta_dropped"]);
}

#[test]
fn facts_are_explained_where_records_are() {
    let page = include_str!("../src/record/RECORD.md");
    for fact in FACTS {
        assert!(page.contains(&format!("`{}`", fact.name)), "{} is not in RECORD.md", fact.name);
    }
}

/// Edits an example and says what becomes of its checks.
fn outcomes(name: &str, old: &str, new: &str) -> Vec<Outcome> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    assert_eq!(text.matches(old).count(), 1, "{old} in {name}");
    let folder = tempdir().unwrap();
    let path = folder.path().join("edited.toml");
    std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
    run_file(&path).unwrap().checks.iter().map(|check| check.outcome).collect()
}

#[test]
fn wrong_expectations_fail_and_coarse_steps_are_inconclusive() {
    use Outcome::{Fail, Inconclusive, Pass};
    // A wrong rate of rotation moves the end, not the exponents.
    let edited = outcomes("rotating-linear-flow", "- w*y", "- 1.1*w*y");
    assert!(edited[..2] == [Fail, Fail], "{edited:?}");
    // A wrong sign of the shear.
    let edited = outcomes("without-small-cross-derivatives", "k*x - c*y", "-k*x - c*y");
    assert_eq!(edited, [Pass, Fail, Pass]);
    // Coarse steps do not give seven digits: two resolutions differ by more than the check allows.
    let edited = outcomes("rotating-linear-flow", "tolerance = 1e-10", "tolerance = 1e-3");
    assert!(edited[..2] == [Inconclusive, Inconclusive], "{edited:?}");
    // Expecting a verdict that is not the case.
    let edited = outcomes("without-a-low-start", "\"out-of-scope\"", "\"holds\"");
    assert_eq!(edited[1], Fail, "{edited:?}");
}

#[test]
fn kinks_in_the_formula_of_an_error_are_told() {
    let notes = example("late-error").notes;
    assert!(notes.iter().any(|note| note.contains("in the formula of an error")), "{notes:?}");
}

#[test]
fn the_example_of_the_readme_passes() {
    let readme = include_str!("../README.md");
    let text = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempdir().unwrap();
    let path = folder.path().join("readme.toml");
    std::fs::write(&path, text).unwrap();
    let found = run_file(&path).unwrap();
    assert_eq!(found.outcome(), Outcome::Pass, "{:?}", found.checks);
}

#[test]
fn a_trajectory_that_leaves_the_finite_numbers_says_where_and_when() {
    let text = "
        state.names = ['x']
        model.map = { image = ['x^2'], maps = 20 }
        start.points = [[2], [0.5]]
        [[checks]]
        fact = 'end_state[0]'
        equals = 0
        within = 1e-9";
    let folder = tempdir().unwrap();
    let path = folder.path().join("squares.toml");
    std::fs::write(&path, text).unwrap();
    let found = run_file(&path).unwrap();
    // 2^(2^k) is finite up to k = 9; the other start is measured all the same.
    let error = found.trajectories[0].error.as_deref().unwrap();
    assert!(error.contains("not finite after map 9, from x = (1.340781e154)"), "{error}");
    assert_eq!(found.trajectories[1].error, None);
    assert_eq!((found.checks[0].outcome, found.checks[0].trajectory), (Outcome::Inconclusive, 0));
}

#[test]
fn jacobians_by_duals_symbols_and_differences_agree() {
    let (world, ..) = World::read(&folder().join("lorenz-63.toml")).unwrap();
    let field = world.formulas().unwrap();
    let x = [1.5, -2.0, 25.0];
    let by_duals = field.jacobian(0.0, &x, &mut Workspace::default());
    let by_rules = field.jacobian_by(&field.symbolic(), 0.0, &x);
    // Written by hand: rows of (σ(y − x), x(ρ − z) − y, xy − βz).
    let expected = nalgebra::dmatrix![
        -10.0, 10.0, 0.0;
        28.0 - 25.0, -1.0, -1.5;
        -2.0, 1.5, -8.0 / 3.0
    ];
    assert!((by_duals - &expected).amax() < 1e-14);
    assert!((by_rules - &expected).amax() < 1e-14);
    // Along a run the largest difference is told: two routes that share no rounding differ by some.
    let run = example("own-drift");
    let told = run.trajectories[0].facts.get("jacobian_difference").value;
    assert!(told > 0.0 && told < 1e-13, "{told}");
}

#[test]
fn worlds_are_the_same_for_any_number_of_threads() {
    let record = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| example("ancestral-sampling"));
        serde_json::to_string(&found).unwrap()
    };
    assert!(record(1) == record(3));
}

#[test]
fn a_file_that_is_written_from_its_keys_reads_as_the_same_world() {
    let told = |world: &World| explained(world, &world.weaknesses());
    for template in TEMPLATES {
        let source = Source { path: folder().join("again.toml"), text: template.text.to_owned() };
        let file = source.parse().unwrap();
        let again = Source { text: toml::to_string(&file).unwrap(), ..source.clone() };
        let (first, second) =
            (World::of(&source, &file), World::of(&again, &again.parse().unwrap()));
        assert_eq!(told(&first.unwrap()), told(&second.unwrap()), "{}", template.name);
    }
}

#[test]
fn the_commands_write_run_explain_and_judge() {
    let root = tempdir().unwrap();
    let done = |arguments: &[&str], code: i32| {
        let output = run(root.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    };
    assert!(done(&["new"], 0).contains("lorenz-63"));
    done(&["new", "without-a-low-start"], 0);
    let file = "without-a-low-start.toml";
    assert!(stderr(&run(root.path(), &["new", "without-a-low-start"])).contains("not overwritten"));

    // A network comes with the file that names it.
    done(&["new", "trained-moons"], 0);
    let text = done(&["explain", "trained-moons.toml"], 0);
    assert!(
        text.contains("`x` [free, 2], `t` [free]") && text.contains("vp-linear, eps"),
        "{text}"
    );

    let text = done(&["explain", file, "--jacobian"], 0);
    for piece in ["x' = -y", "y' = -y", "∂x'/∂y = -1", "∂y'/∂x = 0", "seed         1"] {
        assert!(text.contains(piece), "{piece} in {text}");
    }
    let text = done(&["run", file], 0);
    assert!(text.contains("pass") && !text.contains("FAIL"), "{text}");
    for name in ["record.json", "report.html", "report.md", "figures/states.svg"] {
        assert!(root.path().join("driftproof-out").join(name).exists(), "{name}");
    }
    // The page is drawn again from its record.
    done(&["report", "--run", "driftproof-out/record.json", "--out", "again"], 0);
    let page = |folder: &str| std::fs::read(root.path().join(folder).join("report.html")).unwrap();
    assert!(page("driftproof-out") == page("again"));

    // Out of scope is not a claim that holds; what is not judged is out of scope.
    let text = done(&["check", "--scenario", file, "T2.1", "T3"], 3);
    assert!(text.contains("relative_compression_forces_alignment"), "{text}");
    assert!(text.contains("out of scope: not judged on scenario files"), "{text}");
    done(&["new", "without-small-cross-derivatives"], 0);
    done(&["check", "--scenario", "without-small-cross-derivatives.toml", "T2.1"], 0);

    // A failed check is a counterexample.
    let path = root.path().join(file);
    let wrong = std::fs::read_to_string(&path).unwrap().replace("slope = 3", "slope = 2.5\nT2 = 1");
    std::fs::write(&path, wrong.replace("h*slope/c*(1", "h*slope/c*(2")).unwrap();
    assert!(done(&["run", file], 1).contains("FAIL"));
}
