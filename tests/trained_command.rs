//! `driftproof model` as a user meets it.

mod support;

use driftproof::random::Stream;
use std::f64::consts::PI;
use std::path::Path;
use support::{run, stderr, stdout};
use tempfile::{TempDir, tempdir};

const NETWORK: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/models/moons_vp_eps_mlp3x128.ts17.onnx");
const VELOCITY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/models/moons_cfm_mlp256.default_args.onnx");

/// A folder with 400 points of the two moons of the networks, with the noise off them that their samples have.
fn with_moons() -> TempDir {
    let folder = tempdir().unwrap();
    let stream = Stream::root(3);
    let (angles, noise) =
        (stream.named("angles").uniforms(400), stream.named("noise").normals(800));
    let mut text = String::new();
    for (i, angle) in angles.iter().enumerate() {
        let (sin, cos) = (PI * angle).sin_cos();
        let (x, y) = if i % 2 == 0 { (cos, sin) } else { (1.0 - cos, 0.5 - sin) };
        text += &format!("{},{}\n", x + 0.05 * noise[2 * i], y + 0.05 * noise[2 * i + 1]);
    }
    std::fs::write(folder.path().join("moons.csv"), text).unwrap();
    folder
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, &[&["model"], arguments].concat());
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(said.contains("try: ") || said.contains("error: "), "{said}");
    said
}

#[test]
fn a_model_under_its_convention_gets_its_page() {
    let folder = with_moons();
    let asked =
        ["model", NETWORK, "--preset", "vp-linear", "--predicts", "eps", "--data", "moons.csv"];
    let few = ["--steps", "60", "--samples", "150", "--trajectories", "8", "--manifold", "moons"];
    let output = run(folder.path(), &[&asked[..], &few[..]].concat());
    let text = stdout(&output).replace('\n', " ");
    assert_eq!(output.status.code(), Some(0), "{text} {}", stderr(&output));
    for said in [
        "state x",
        "time t",
        "dx/ds = a'/a*x + W/a*N(x, 1 - s)",
        "energy distance",
        "log singular values",
        "integrated divergence",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let page = folder.path().join("driftproof-out/moons-vp-eps-mlp3x128-ts17");
    let html = std::fs::read_to_string(page.join("index.html")).unwrap();
    for figure in [
        "samples",
        "spectrum",
        "alignment",
        "symmetry",
        "response",
        "denoiser",
        "conventions",
        "self-checks",
    ] {
        assert!(html.contains(&format!("id=\"{figure}\"")), "{figure}");
    }
    assert!(
        html.contains("driftproof")
            && html.contains("--preset vp-linear")
            && !html.contains("report --only")
    );
    assert!(page.join("spectrum.svg").is_file() && page.join("record.json").is_file());
}

#[test]
fn a_wrong_convention_is_refused_with_the_name_of_the_right_one() {
    let folder = with_moons();
    let declared = |preset: &'static str, predicts: &'static str| {
        ["--preset", preset, "--predicts", predicts, "--data", "moons.csv", "--samples", "200"]
    };
    let said = refused(folder.path(), &[&[NETWORK], &declared("vp-linear", "score")[..]].concat());
    assert!(said.contains("vp-linear, eps") && said.contains("--force"), "{said}");
    let said =
        refused(folder.path(), &[&[VELOCITY], &declared("flow-reversed", "velocity")[..]].concat());
    assert!(said.contains("`flow, velocity`"), "{said}");
    // Told to go on, it goes on and says so.
    let forced = [&["model", NETWORK], &declared("vp-linear", "score")[..]].concat();
    let few = ["--force", "--steps", "30", "--trajectories", "2"];
    let output = run(folder.path(), &[&forced[..], &few[..]].concat());
    assert!(
        stdout(&output).contains("vp-linear, eps is nearer to the data"),
        "{} {}",
        stdout(&output),
        stderr(&output)
    );
}

#[test]
fn the_time_may_come_first() {
    let folder = tempdir().unwrap();
    let asked = [
        "model",
        VELOCITY,
        "--preset",
        "flow",
        "--predicts",
        "velocity",
        "--steps",
        "30",
        "--json",
    ];
    let few = ["--trajectories", "2", "--samples", "20"];
    let output = run(folder.path(), &[&asked[..], &few[..]].concat());
    let record: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let about = record["about"].as_str().unwrap();
    assert!(
        about.contains("state `x` of 2 numbers, time `t`")
            && about.contains("exported for 3 states"),
        "{about}"
    );
    let said = record["findings"].to_string();
    assert!(said.contains("not judged: the null needs --data"), "{said}");
}

#[test]
fn bad_input_is_exit_code_2_with_what_to_try() {
    let folder = with_moons();
    let here = folder.path();
    std::fs::write(here.join("broken.onnx"), b"not a network").unwrap();
    std::fs::write(here.join("three.csv"), "1,2,3\n4,5,6\n7,8,10\n").unwrap();
    let declared = ["--preset", "vp-linear", "--predicts", "eps"];
    let with = |more: &[&'static str]| refused(here, &[&[NETWORK], &declared[..], more].concat());
    assert!(refused(here, &[&["broken.onnx"], &declared[..]].concat()).contains("broken.onnx"));
    assert!(refused(here, &[&["missing.onnx"], &declared[..]].concat()).contains("missing.onnx"));
    assert!(refused(here, &[NETWORK, "--preset", "vp", "--predicts", "eps"]).contains("vp-linear"));
    assert!(
        refused(here, &[NETWORK, "--preset", "vp-linear", "--predicts", "noise"]).contains("eps")
    );
    assert!(with(&["--data", "three.csv"]).contains("points have 3 numbers"));
    assert!(with(&["--data", "moons.csv", "--divide", "0"]).contains("--divide"));
    assert!(with(&["--shape", "28x28"]).contains("--shape"));
    assert!(with(&["--manifold", "klein"]).contains("moons, circle, sphere"));
    assert!(with(&["--dimension", "2"]).contains("--dimension"));
    assert!(with(&["--from", "0.9", "--until", "0.1"]).contains("[0, 1]"));
    assert!(with(&["--state", "y"]).contains("no input"));
    assert!(with(&["--steps", "0"]).contains("--steps"));
    assert!(with(&["--time", "tau"]).contains("log-sigma"));
}
