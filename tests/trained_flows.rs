//! Flows of trained networks against float64 values computed with PyTorch on the same weights: end states, tangent maps, singular
//! values, and one QR sweep, by 400 (digits: 200) steps of RK4.

use driftproof::drift::{Convention, Prediction, Trained};
use driftproof::flow::{Method, Sampler, Trajectory, uniform_times};
use driftproof::lyapunov::{product, qr_sweep, spectrum, top_pairs};
use driftproof::network::{Field, Network};
use driftproof::random::Stream;
use nalgebra::DMatrix;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Tangent maps of some hundred steps: rounding of 1e-9 in each, grown by the flow.
const FLOW: f64 = 1e-7;

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

fn golden(path: &Path) -> HashMap<String, Array> {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A column of the sweep is what the earlier ones leave of it: a small part, with an error that is as much larger relative to it.
const SWEEP: f64 = 1e-5;

fn close(got: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    let size = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let worst = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(
        got.len() == expected.len() && worst <= tolerance * size,
        "{what}: off by {worst:e} of {size:e}"
    );
}

fn trained(path: &Path, inputs: (&str, &str), preset: &str, predicts: &str) -> Trained<Field> {
    let network = Network::read(path).unwrap().field(inputs.0, Some(inputs.1)).unwrap();
    let predicts = Prediction::named(predicts, 0.5).unwrap();
    Trained { network, convention: Convention::preset(preset, predicts, None).unwrap() }
}

/// The end of the flow: a few decimals, kept as float32.
fn last_time(golden: &HashMap<String, Array>) -> f64 {
    (golden["flow_s1"].data[0] * 1e3).round() / 1e3
}

fn check(model: &Trained<Field>, golden: &HashMap<String, Array>) {
    let starts = &golden["flow_x0"];
    let (count, d) = (starts.shape[0], starts.shape[1]);
    let row = |name: &str, i: usize| {
        let width = golden[name].data.len() / count;
        &golden[name].data[i * width..][..width]
    };
    let steps = golden["flow_N"].data[0] as usize;
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, last_time(golden), steps));
    for i in 0..count {
        let path = Trajectory::from(model, &sampler, row("flow_x0", i)).unwrap();
        close(path.end().as_slice(), row("flow_x1", i), FLOW, "end of the flow");
        let jacobian = product(&path);
        let expected = DMatrix::from_row_slice(d, d, row("flow_dphi", i));
        close(jacobian.as_slice(), expected.as_slice(), FLOW, "tangent map of the flow");
        let values: Vec<f64> =
            spectrum(&jacobian).unwrap().log_growth.iter().map(|g| g.exp()).collect();
        close(&values, row("flow_singular_values", i), FLOW, "singular values");
        let sweep = qr_sweep(&path, &DMatrix::identity(d, d));
        close(
            &sweep.log_growth,
            row("flow_qr_log_growth", i),
            SWEEP,
            "one QR sweep from the identity",
        );
        // Which is not the spectrum: T3(b).
        let logs: Vec<f64> = row("flow_singular_values", i).iter().map(|v| v.ln()).collect();
        let total = |values: &[f64]| values.iter().sum::<f64>();
        assert!(
            (total(&sweep.log_growth) - total(&logs)).abs() < 1e-6 * (1.0 + total(&logs).abs())
        );
    }
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models").join(name)
}

#[test]
fn the_noise_prediction_of_moons_flows_as_in_pytorch() {
    let golden = golden(&here("moons_vp_eps_mlp3x128.golden.json"));
    check(
        &trained(&here("moons_vp_eps_mlp3x128.ts17.onnx"), ("x", "t"), "vp-linear", "eps"),
        &golden,
    );
}

#[test]
fn the_velocity_of_moons_flows_as_in_pytorch() {
    let golden = golden(&here("moons_cfm_mlp256.golden.json"));
    check(
        &trained(&here("moons_cfm_mlp256.default_args.onnx"), ("x", "t"), "flow", "velocity"),
        &golden,
    );
}

#[test]
#[ignore = "skipped without the models that DRIFTPROOF_MODELS names"]
fn the_v_prediction_of_digits_flows_as_in_pytorch() {
    let Some(folder) = std::env::var_os("DRIFTPROOF_MODELS").map(PathBuf::from) else {
        println!("skipped: DRIFTPROOF_MODELS does not name the folder of the models");
        return;
    };
    let golden = golden(&folder.join("digits8x8_vp_v_mlp3x256.golden.json"));
    let network = folder.join("digits8x8_vp_v_mlp3x256.ts17.onnx");
    let model = trained(&network, ("x", "t"), "vp-linear", "v");
    check(&model, &golden);
    // Leading pairs without the matrix, by pushes and pulls, are those of the matrix.
    let sampler = Sampler::new(Method::Rk4, uniform_times(0.0, last_time(&golden), 200));
    let path = Trajectory::from(&model, &sampler, &golden["flow_x0"].data[..64]).unwrap();
    let pairs = top_pairs(&path, 8, 1e-9, 40, Stream::root(1)).unwrap();
    let values: Vec<f64> = pairs.spectrum.log_growth.iter().map(|g| g.exp()).collect();
    close(&values, &golden["flow_singular_values"].data[..8], FLOW, "leading pairs");
    assert!(pairs.residuals.iter().all(|r| *r < 1e-6), "{:?}", pairs.residuals);
}
