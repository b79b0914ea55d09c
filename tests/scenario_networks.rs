//! Trained networks in scenario files, by networks that are formulas: both must be the same world.

#[path = "support/onnx.rs"]
mod onnx;

use driftproof::campaign::scenario::run_file;
use driftproof::claims;
use driftproof::record::ScenarioRecord;
use driftproof::scenario_file::{Source, World, explained};
use driftproof::search::journal::Journal;
use driftproof::search::stated::Stated;
use driftproof::search::store::Found;
use driftproof::search::{Effort, Search, Stopped, Target, confirm::confirm};
use onnx::{model, node, port, shaped, weight};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tempfile::{TempDir, tempdir};

/// N(x) = M x without a time, M by rows: 2×2, of numbers that float32 holds.
fn linear(folder: &Path, name: &str, m: [f32; 4]) {
    let transposed = [m[0], m[2], m[1], m[3]];
    let parts = [node("MatMul", &["x", "m"], &["y"], &[]), weight("m", &[2, 2], &transposed)];
    std::fs::write(folder.join(name), model(&parts)).unwrap();
}

fn run_text(folder: &TempDir, text: &str) -> ScenarioRecord {
    let path = folder.path().join("world.toml");
    std::fs::write(&path, text).unwrap();
    run_file(&path).unwrap()
}

fn network(preset: &str, predicts: &str, from: f64, to: f64) -> String {
    format!(
        "[model.network]\nfile = 'net.onnx'\npreset = '{preset}'\npredicts = '{predicts}'\nfrom = {from}\nto = {to}\n"
    )
}

fn value(found: &ScenarioRecord, name: &str, at: usize) -> f64 {
    let trajectory = &found.trajectories[0];
    assert_eq!(trajectory.error, None);
    trajectory.facts.at(name, at).value
}

const STEPS: &str = "[sampler.fixed]\nmethod = 'rk4'\nsteps = 60\n";

#[test]
fn a_network_and_the_formula_of_its_velocity_are_one_world() {
    let folder = tempdir().unwrap();
    linear(folder.path(), "net.onnx", [-0.5, 0.25, 1.5, -3.0]);
    let rest = format!(
        "[manifold.flat]\ndim = 1\n{STEPS}[start]\npoints = [[1, 0.5], [-0.3, 2]]\nplane = [[1, 0.25]]\n"
    );
    let of_network = network("flow", "velocity", 0.25, 1.0);
    let learned = run_text(&folder, &format!("{of_network}{rest}"));
    let stated = run_text(
        &folder,
        &format!(
            "[state]\nnames = ['x', 'y']\n[model.ode]\n\
             drift = ['-0.5*x + 0.25*y', '1.5*x - 3*y']\ntime = 's'\nfrom = 0.25\nto = 1\n{rest}"
        ),
    );
    let mut compared = 0;
    for (one, other) in learned.trajectories.iter().zip(&stated.trajectories) {
        for (name, series) in one.facts.iter() {
            let others = other.facts.series(name);
            assert_eq!(series.len(), others.len(), "{name}");
            for (a, b) in series.iter().zip(others) {
                // Distances are those of x/a, and a = s is 1 at the end alone.
                let off = (a.value - b.value).abs();
                assert!(off <= 1e-12 * (1.0 + b.value.abs()), "{name}: {} {}", a.value, b.value);
                compared += 1;
            }
        }
        let verdicts = |found: &driftproof::record::ScenarioTrajectory| {
            found.claims.iter().map(|c| (c.claim.clone(), c.verdict)).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(one), verdicts(other));
        assert_eq!(one.claims.len(), 2);
    }
    assert!(compared > 200, "{compared}");
    // The generator of another network is another world.
    linear(folder.path(), "net.onnx", [-0.5, 0.25, -1.5, -3.0]);
    let other = run_text(&folder, &format!("{of_network}{rest}"));
    assert!((value(&other, "end_state", 1) - value(&stated, "end_state", 1)).abs() > 0.1);
}

#[test]
fn the_score_of_standard_normal_data_stands_still_and_errs_by_the_closed_form_on_others() {
    let folder = tempdir().unwrap();
    // ∇ log p(x) = −x at all levels of a variance-preserving path.
    linear(folder.path(), "net.onnx", [-1.0, 0.0, 0.0, -1.0]);
    let world = |deviations: &str| {
        let law = format!("[law.gaussian]\nmean = [0, 0]\ndeviations = {deviations}\n");
        let rest =
            format!("[manifold.flat]\ndim = 1\n{law}{STEPS}[start]\npoints = [[0.75, -1.25]]\n");
        run_text(&folder, &format!("{}{rest}", network("vp-linear", "score", 0.0, 0.9)))
    };
    let exact = world("[1, 1]");
    for (at, x) in [0.75, -1.25].into_iter().enumerate() {
        assert!((value(&exact, "end_state", at) - x).abs() < 1e-12);
        assert!(value(&exact, "log_growth", at).abs() < 1e-12);
    }
    assert!(value(&exact, "end_denoiser_error", 0) < 1e-12);
    // There E[X|x] = a x; of variance λ it is aλx/(a²λ + b²).
    let wide = world("[2, 0.5]");
    let t: f64 = 0.1;
    let a = (-0.25 * t * t * 19.9 - 0.5 * t * 0.1).exp();
    let b2 = 1.0 - a * a;
    let off = |x: f64, lambda: f64| a * x - a * lambda * x / (a * a * lambda + b2);
    let (first, second) = (off(0.75, 4.0), off(-1.25, 0.25));
    assert!((value(&wide, "end_denoiser_error", 0) - first.hypot(second)).abs() < 1e-12);
    assert!((value(&wide, "end_denoiser_normal", 0) - second.abs()).abs() < 1e-12);
    let sigmas = wide.trajectories[0].facts.series("denoiser_sigma");
    let last = sigmas.last().unwrap().value;
    assert!((last - b2.sqrt() / a).abs() < 1e-12 && sigmas[0].value > 100.0);
}

#[test]
fn a_convention_that_fits_the_law_worse_than_a_rival_is_told() {
    let folder = tempdir().unwrap();
    linear(folder.path(), "net.onnx", [-1.0, 0.0, 0.0, -1.0]);
    let notes = |predicts: &str| {
        let law = "[law.gaussian]\nmean = [0, 0]\ndeviations = [1, 1]\n";
        let rest = format!("{law}{STEPS}[start]\ndraws = 1\n");
        run_text(&folder, &format!("{}{rest}", network("vp-linear", predicts, 0.0, 0.9))).notes
    };
    // −x is the score of standard normal data, and no noise prediction.
    let wrong = notes("eps");
    let better = "the convention vp-linear, score fits the law better than vp-linear, eps";
    assert!(wrong.iter().any(|note| note.contains(better)), "{wrong:?}");
    let right = notes("score");
    assert!(!right.iter().any(|note| note.contains("fits the law better")), "{right:?}");
}

#[test]
fn errors_of_its_predictions_are_added_under_its_levels() {
    let folder = tempdir().unwrap();
    linear(folder.path(), "net.onnx", [0.0; 4]);
    let displaced = |prediction: &str| {
        let error = format!(
            "[[errors]]\nprediction = '{prediction}'\nsize = 0.1\nfield.constant = [0, 1]\n"
        );
        let rest = format!("{STEPS}[start]\npoints = [[0, 0]]\n{error}");
        let found =
            run_text(&folder, &format!("{}{rest}", network("flow", "velocity", 0.25, 0.75)));
        value(&found, "displacement", 0)
    };
    // a = s and b = 1 − s: w = e, e/(1 − s), −e/s, −(1 − s)/s e for velocity, denoiser, noise and score.
    let ln3 = 3_f64.ln();
    for (prediction, moved) in
        [("velocity", 0.5), ("denoiser", ln3), ("noise", ln3), ("score", ln3 - 0.5)]
    {
        assert!((displaced(prediction) - 0.1 * moved).abs() < 1e-7, "{prediction}");
    }
}

#[test]
fn draws_are_noise_and_data_of_the_law() {
    let folder = tempdir().unwrap();
    linear(folder.path(), "net.onnx", [0.0; 4]);
    let starts = |law: &str| {
        let rest = format!("{law}{STEPS}[start]\ndraws = 3\n");
        let found = run_text(&folder, &format!("{}{rest}", network("vp-linear", "eps", 0.0, 0.9)));
        found.trajectories.iter().map(|t| t.start.clone()).collect::<Vec<_>>()
    };
    let noise = starts("");
    let with_data = starts("[law.gaussian]\nmean = [5, -2]\ndeviations = [0, 0]\n");
    let a = (-0.25_f64 * 19.9 - 0.05).exp();
    for (noise, both) in noise.iter().zip(&with_data) {
        assert!((both[0] - noise[0] - 5.0 * a).abs() < 1e-14);
        assert!((both[1] - noise[1] + 2.0 * a).abs() < 1e-14);
    }
    assert!(noise[0] != noise[1]);
}

#[test]
fn pure_noise_has_no_nearest_point_and_an_exact_claim_is_not_judged() {
    let folder = tempdir().unwrap();
    linear(folder.path(), "net.onnx", [-1.0, 0.0, 0.0, -2.0]);
    let rest = format!("[manifold.flat]\ndim = 1\n{STEPS}[start]\npoints = [[1, 1]]\n");
    let found = run_text(&folder, &format!("{}{rest}", network("flow", "velocity", 0.0, 1.0)));
    let (trajectory, ids) = (&found.trajectories[0], driftproof::scenario_file::CLAIMS);
    assert!(trajectory.claims.is_empty(), "{:?}", trajectory.claims);
    let why = |id: &str| trajectory.why_silent(id).unwrap_or_default();
    assert!(why(ids[0]).contains("hold no data") && why(ids[1]).contains("hold no data"));
    assert!(why(ids[2]).contains("exact denoisers"), "{}", why(ids[2]));
    assert!((value(&found, "end_distance", 0) - (-2_f64).exp()).abs() < 1e-6);
}

#[test]
fn what_is_integrated_and_what_is_not_smooth_is_explained() {
    let folder = tempdir().unwrap();
    let parts = [
        node("Relu", &["x"], &["r"], &[]),
        node("Relu", &["r"], &["q"], &[]),
        node("Mul", &["q", "t"], &["y"], &[]),
        port(11, "t", &[1, 1]),
    ];
    std::fs::write(folder.path().join("net.onnx"), model(&parts)).unwrap();
    let text = format!("{}{STEPS}[start]\ndraws = 1\n", network("trig", "v", 0.0, 0.5));
    let source = Source { path: folder.path().join("world.toml"), text };
    let world = World::of(&source, &source.parse().unwrap()).unwrap();
    let weaknesses = world.weaknesses();
    let said = explained(&world, &weaknesses);
    for piece in [
        "`net.onnx`, inputs `t` [1, 1], `x` [1, 2]; state `x` of 2 numbers, time `t`",
        "trig, v, as the file states it",
        "((a*a' + b*b')*x + W*N(x, s))/(a^2 + b^2)",
        "Trigonometric, x = a·data + b·noise",
        "the network is not smooth, where the theory asks for C²: Relu at 2 nodes",
    ] {
        assert!(said.contains(piece), "{piece} in {said}");
    }
    assert_eq!(weaknesses.len(), 1, "{weaknesses:?}");
}

#[test]
fn nodes_that_are_not_read_are_all_named() {
    let folder = tempdir().unwrap();
    let parts = [node("Hardmax", &["x"], &["r"], &[]), node("Det", &["r"], &["y"], &[])];
    std::fs::write(folder.path().join("net.onnx"), model(&parts)).unwrap();
    let text = format!("{}{STEPS}[start]\ndraws = 1\n", network("flow", "v", 0.0, 0.5));
    let source = Source { path: folder.path().join("world.toml"), text };
    let said = World::of(&source, &source.parse().unwrap()).unwrap_err().to_string();
    for piece in ["world.toml:2:8", "Hardmax", "Det", "try: "] {
        assert!(said.contains(piece), "{piece} in {said}");
    }
}

#[test]
fn networks_of_images_are_left_to_the_command_that_has_leading_pairs() {
    let folder = tempdir().unwrap();
    let bytes = shaped(&[1, 300], 17, &[node("Identity", &["x"], &["y"], &[])]);
    std::fs::write(folder.path().join("net.onnx"), bytes).unwrap();
    let text = format!("{}{STEPS}[start]\ndraws = 1\n", network("flow", "v", 0.0, 0.5));
    let source = Source { path: folder.path().join("world.toml"), text };
    let said = World::of(&source, &source.parse().unwrap()).unwrap_err().to_string();
    assert!(said.contains("300 numbers") && said.contains("`driftproof model`"), "{said}");
}

#[test]
fn a_search_moves_what_is_free_beside_a_network_and_stores_a_file_that_finds_it() {
    let folder = tempdir().unwrap();
    linear(folder.path(), "net.onnx", [0.0, 0.0, 0.0, -4.0]);
    // y' = k x − 4 y: compression, and a cross derivative by an error of the velocity.
    let text = format!(
        "[state]\nnames = ['x', 'y']\n[let]\nk = 0\n[free]\nk = {{ low = 0, high = 2 }}\n[manifold.flat]\ndim = 1\n\
         {}{STEPS}[start]\npoints = [[1, 0]]\nplane = [[1, 0.1]]\n\
         [[errors]]\nprediction = 'velocity'\nsize = 'k'\nfield.formula = ['0', 'x']\n",
        network("flow", "velocity", 0.25, 1.0)
    );
    let path = folder.path().join("world.toml");
    std::fs::write(&path, text).unwrap();
    let claim = claims::find("relative_compression_forces_alignment").unwrap();
    let target = Target { claim, wording: claim.mutant("cross_terms_dropped") };
    let stated = Stated::read(target, &path).unwrap();
    let effort = Effort { budget: Duration::from_secs(3600), worlds: 200, seed: 1 };
    let none = AtomicBool::new(false);
    let (seen, stopped) =
        Search::new(&stated, effort, &Journal::none(), &none, &|_| ()).run().unwrap();
    assert_eq!(stopped, Stopped::Found);
    let best = seen.best.unwrap();
    let found = Found { driftproof: String::new(), seed: 1, worlds: seen.worlds };
    let kept = stated.counterexample(&best, &found, &confirm(&stated, &best)).unwrap();
    // Elsewhere it finds the same network.
    let elsewhere = tempdir().unwrap();
    let again = run_file(&kept.write(elsewhere.path()).unwrap()).unwrap();
    assert_eq!(again.outcome(), driftproof::scenario_file::Outcome::Pass, "{:?}", again.checks);
}
