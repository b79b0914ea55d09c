//! Trained networks against float64 values computed with PyTorch on the same weights: outputs, Jacobian-vector
//! products and Jacobians, through every way of evaluation.

use driftproof::network::{Batch, Field, Network, Room};
use driftproof::scalar::Tangents;
use nalgebra::{DMatrix, SVector};
use num_dual::Derivative;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Weights are the same float32 numbers on both sides; what is left is the rounding of float64 sums.
const ROUNDING: f64 = 1e-12;
/// Exporters write constants such as 1e-5 and √32 as float32, up to 6e-8 off, where PyTorch in float64 has them exactly.
const ROUNDED_CONSTANTS: f64 = 1e-8;

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

struct Golden(HashMap<String, Array>);

impl Golden {
    fn read(path: &Path) -> Self {
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    fn row(&self, name: &str, i: usize) -> &[f64] {
        let array = &self.0[name];
        let width = array.shape[1..].iter().product::<usize>();
        &array.data[i * width..][..width]
    }

    fn count(&self) -> usize {
        self.0["x"].shape[0]
    }
}

fn close(got: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    let size = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    assert!(size > 0.0 && got.len() == expected.len(), "{what}");
    let worst = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance * size, "{what}: off by {worst:e} of {size:e}");
}

/// Everything that the golden values say, by the definition, by push and by pull.
fn check(field: &Field, golden: &Golden, tolerance: f64) {
    let (d, room) = (field.dim(), &mut Room::default());
    for i in 0..golden.count() {
        let (x, t, v) = (golden.row("x", i), golden.0["t"].data[i], golden.row("v", i));
        let mut out = vec![0.0; d];
        field.eval(t, x, &mut out);
        close(&out, golden.row("out", i), tolerance, "value by the definition");

        let mut pushed = vec![0.0; 2 * d];
        field.push(t, &[x, v].concat(), 1, 1, &mut pushed, room);
        close(&pushed[..d], golden.row("out", i), tolerance, "value by push");
        close(&pushed[d..], golden.row("jvp", i), tolerance, "tangent by push");

        let dual = |(x, v): (&f64, &f64)| {
            let mut eps = SVector::zeros();
            eps[0] = *v;
            Tangents::new(*x, Derivative::some(eps))
        };
        let along: Vec<Tangents> = x.iter().zip(v).map(dual).collect();
        let mut duals = vec![Tangents::from(0.0); d];
        field.eval(Tangents::from(t), &along, &mut duals);
        let tangent: Vec<f64> = duals
            .iter()
            .map(|y| y.eps.unwrap_generic(nalgebra::Const, nalgebra::Const)[0])
            .collect();
        close(&tangent, golden.row("jvp", i), tolerance, "tangent by the definition");

        // ⟨w, J v⟩ = ⟨Jᵀ w, v⟩, beside other covectors; and a tangent beside others is what it is alone.
        let w = DMatrix::from_fn(d, 3, |i, j| (1.0 + i as f64 + 7.0 * j as f64).sin());
        let pulled = field.pull(t, x, &w, room);
        let jv = nalgebra::DVector::from_column_slice(golden.row("jvp", i));
        let v_column = nalgebra::DVector::from_column_slice(v);
        close(
            (pulled.tr_mul(&v_column)).as_slice(),
            w.tr_mul(&jv).as_slice(),
            tolerance,
            "adjoint",
        );
        let mut beside = vec![0.0; 5 * d];
        field.push(t, &[x, w.as_slice(), v].concat(), 1, 4, &mut beside, room);
        assert_eq!(beside[4 * d..], pushed[d..]);

        if !golden.0.contains_key("jac") {
            continue;
        }
        let jacobian = DMatrix::from_row_slice(d, d, golden.row("jac", i));
        let identity = DMatrix::identity(d, d);
        let mut columns = vec![0.0; d * (d + 1)];
        field.push(t, &[x, identity.as_slice()].concat(), 1, d, &mut columns, room);
        close(&columns[d..], jacobian.as_slice(), tolerance, "Jacobian by push");
        let transposed = field.pull(t, x, &identity, room);
        close(
            transposed.as_slice(),
            jacobian.transpose().as_slice(),
            tolerance,
            "Jacobian by pull",
        );
    }
    // All states beside one another, with time the same: each column is what it is alone, bit for bit.
    let (t, n) = (golden.0["t"].data[0], golden.count());
    let block: Vec<f64> =
        (0..n).flat_map(|i| [golden.row("x", i), golden.row("v", i)].concat()).collect();
    let mut together = vec![0.0; block.len()];
    field.push(t, &block, n, 1, &mut together, room);
    for (from, beside) in block.chunks(2 * d).zip(together.chunks(2 * d)) {
        let mut alone = vec![0.0; 2 * d];
        field.push(t, from, 1, 1, &mut alone, room);
        assert_eq!(alone, beside);
    }
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models")
}

#[test]
fn noise_prediction_on_moons_has_the_values_of_pytorch() {
    let golden = Golden::read(&committed().join("moons_vp_eps_mlp3x128.golden.json"));
    for file in ["moons_vp_eps_mlp3x128.ts17.onnx", "moons_vp_eps_mlp3x128.safetensors"] {
        let network = Network::read(&committed().join(file)).unwrap();
        let names: Vec<&str> = network.inputs().iter().map(|port| port.name.as_str()).collect();
        assert_eq!(names, ["x", "t"]);
        assert_eq!(network.kinks(), []);
        let field = network.field("x", Some("t")).unwrap();
        assert_eq!((field.shape(), field.batch()), (&[2][..], Batch::Free));
        // Layers 18 → 128 → 128 → 128 → 2.
        assert_eq!(field.multiply_adds(), 18 * 128 + 2 * 128 * 128 + 128 * 2);
        check(&field, &golden, ROUNDING);
    }
}

#[test]
fn velocity_on_moons_exported_for_three_states_is_rewritten_for_one() {
    let golden = Golden::read(&committed().join("moons_cfm_mlp256.golden.json"));
    let network = Network::read(&committed().join("moons_cfm_mlp256.default_args.onnx")).unwrap();
    assert_eq!(network.inputs()[0].name, "t");
    let field = network.field("x", Some("t")).unwrap();
    assert_eq!((field.shape(), field.batch()), (&[2][..], Batch::Rewritten(3)));
    check(&field, &golden, ROUNDING);
}

/// The folder with all trained networks and their golden values as JSON (data/models/golden.py), if there is one.
fn all_models() -> Option<PathBuf> {
    let folder = std::env::var_os("DRIFTPROOF_MODELS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: DRIFTPROOF_MODELS does not name the folder of the models");
    }
    folder
}

#[test]
#[ignore = "skipped without the models that DRIFTPROOF_MODELS names"]
fn v_prediction_on_digits_has_the_values_of_pytorch() {
    let Some(models) = all_models() else {
        return;
    };
    let golden = Golden::read(&models.join("digits8x8_vp_v_mlp3x256.golden.json"));
    for exporter in ["ts17", "dynamo20"] {
        let file = models.join(format!("digits8x8_vp_v_mlp3x256.{exporter}.onnx"));
        check(&Network::read(&file).unwrap().field("x", Some("t")).unwrap(), &golden, ROUNDING);
    }
}

#[test]
#[ignore = "skipped without the models that DRIFTPROOF_MODELS names"]
fn all_exports_of_the_networks_on_moons_have_the_values_of_pytorch() {
    let Some(models) = all_models() else {
        return;
    };
    for name in
        ["moons_vp_eps_mlp3x128.ts17", "moons_vp_eps_mlp3x128.dynamo20", "moons_cfm_mlp256.ts17"]
    {
        let (base, _) = name.split_once('.').unwrap();
        let golden = Golden::read(&models.join(format!("{base}.golden.json")));
        let network = Network::read(&models.join(format!("{name}.onnx"))).unwrap();
        check(&network.field("x", Some("t")).unwrap(), &golden, ROUNDING);
    }
}

#[test]
#[ignore = "skipped without the models that DRIFTPROOF_MODELS names"]
fn noise_prediction_of_a_unet_has_the_values_of_pytorch() {
    let Some(models) = all_models() else {
        return;
    };
    let golden = Golden::read(&models.join("mnist28_unetlite_eps.golden.json"));
    let network = Network::read(&models.join("mnist28_unetlite_eps.ts17.onnx")).unwrap();
    let field = network.field("x", Some("t")).unwrap();
    assert_eq!(field.shape(), [1, 28, 28]);
    check(&field, &golden, ROUNDED_CONSTANTS);
}
