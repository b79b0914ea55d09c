//! Damaged, hostile and unsuitable network files: each is one clear error that names what is wrong.

#[path = "support/onnx.rs"]
mod onnx;

use driftproof::network::Network;
use onnx::{integers, model, node, number, record, shaped, weight};
use std::path::{Path, PathBuf};

/// What the library says of a model; nothing when it can be evaluated.
fn complaint(bytes: &[u8]) -> Option<String> {
    let network = Network::from_onnx(Path::new("model.onnx"), bytes);
    network.and_then(|network| network.field("x", None)).err().map(|error| {
        assert!(error.is_input());
        error.to_string()
    })
}

fn expect(bytes: &[u8], words: &[&str]) {
    let complaint = complaint(bytes).expect("refused");
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in: {complaint}");
    }
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/models")
}

#[test]
fn a_right_model_is_accepted() {
    assert_eq!(complaint(&model(&[node("Sin", &["x"], &["y"], &[])])), None);
}

#[test]
fn every_truncation_is_refused() {
    let whole = std::fs::read(models().join("moons_vp_eps_mlp3x128.ts17.onnx")).unwrap();
    for length in (0..whole.len()).step_by(97).chain(whole.len() - 40..whole.len()) {
        assert!(complaint(&whole[..length]).is_some(), "{length} bytes were accepted");
    }
    let whole = std::fs::read(models().join("moons_vp_eps_mlp3x128.safetensors")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.safetensors");
    std::fs::copy(models().join("moons_vp_eps_mlp3x128.toml"), folder.path().join("cut.toml"))
        .unwrap();
    for length in (0..whole.len()).step_by(9973) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(Network::read(&path).is_err(), "{length} bytes were accepted");
    }
}

#[test]
fn impossible_sizes_are_refused_before_they_are_allocated() {
    let huge = 1_i64 << 40;
    expect(&model(&[weight("w", &[huge, huge], &[1.0])]), &["\"w\"", "impossible shape"]);
    expect(&model(&[weight("w", &[huge, 0], &[])]), &["\"w\"", "impossible shape"]);
    expect(&model(&[weight("w", &[-1], &[1.0])]), &["\"w\"", "impossible shape"]);
    expect(&model(&[weight("w", &[3], &[1.0])]), &["\"w\"", "takes 12 bytes and has 4"]);
    expect(&shaped(&[huge, huge], 17, &[node("Sin", &["x"], &["y"], &[])]), &["larger than"]);
    for (operator, values) in [("Expand", [huge, 2]), ("Tile", [huge, 2]), ("Tile", [huge, 0])] {
        let parts = [integers("n", &values), node(operator, &["x", "n"], &["y"], &[])];
        expect(&model(&parts), &[operator, "larger than"]);
    }
    let parts = [integers("n", &[0, huge, 0, 0]), node("Pad", &["x", "n"], &["y"], &[])];
    expect(&model(&parts), &["Pad", "larger than"]);
    let parts = [integers("n", &[1 << 20, 1 << 20]), node("ConstantOfShape", &["n"], &["y"], &[])];
    expect(&model(&parts), &["ConstantOfShape", "larger than"]);
    // Each of these is allowed, all together are not: 2^20 numbers, doubled in every step.
    let mut parts = vec![integers("n", &[1 << 20, 1]), node("Expand", &["x", "n"], &["a0"], &[])];
    for i in 0..10 {
        let (from, to) = (format!("a{i}"), format!("a{}", i + 1));
        let axis = [record(1, b"axis"), number(3, 0), number(20, 2)].concat();
        parts.push(node("Concat", &[&from, &from], &[&to], &[axis]));
    }
    parts.push(node("Identity", &["a10"], &["y"], &[]));
    expect(&model(&parts), &["Concat", "numbers"]);
}

#[test]
fn many_empty_parts_do_not_take_many_times_their_size() {
    let attributes = vec![vec![]; 200_000];
    let complaint = complaint(&model(&[node("Sin", &["x"], &["y"], &attributes)]));
    assert!(complaint.unwrap().contains("records"));
}

#[test]
fn graphs_that_are_not_in_order_are_refused() {
    let cycle = [
        node("Add", &["x", "b"], &["a"], &[]),
        node("Sin", &["a"], &["b"], &[]),
        node("Neg", &["b"], &["y"], &[]),
    ];
    expect(&model(&cycle), &["Add", "\"b\"", "a cycle or is not sorted"]);
    expect(&model(&[node("Sin", &["nowhere"], &["y"], &[])]), &["\"nowhere\"", "nothing writes"]);
    let twice = [node("Sin", &["x"], &["y"], &[]), node("Cos", &["x"], &["y"], &[])];
    expect(&model(&twice), &["\"y\" is written twice"]);
    let twice =
        [weight("w", &[1], &[1.0]), weight("w", &[1], &[1.0]), node("Sin", &["x"], &["y"], &[])];
    expect(&model(&twice), &["two weights are called \"w\""]);
    expect(&model(&[node("Sin", &["x"], &["z"], &[])]), &["nothing writes the output \"y\""]);
    expect(
        &model(&[weight("w", &[1, 2], &[1.0, 2.0]), node("Sin", &["w"], &["y"], &[])]),
        &["does not depend on \"x\""],
    );
}

#[test]
fn shapes_that_do_not_fit_name_the_node() {
    let parts = [weight("w", &[3, 2], &[1.0; 6]), node("MatMul", &["x", "w"], &["y"], &[])];
    expect(&model(&parts), &["MatMul", "[1, 2]", "[3, 2]"]);
    let parts = [weight("w", &[3], &[1.0; 3]), node("Add", &["x", "w"], &["y"], &[])];
    expect(&model(&parts), &["Add", "cannot be broadcast"]);
    let parts = [weight("w", &[2, 3], &[1.0; 6]), node("MatMul", &["x", "w"], &["y"], &[])];
    expect(&model(&parts), &["no output has the 2 numbers of the state", "[1, 3]"]);
}

#[test]
fn operators_on_empty_tensors_are_answered() {
    // Whatever is said, nothing panics.
    for operator in [
        "MatMul",
        "Gemm",
        "Conv",
        "ConvTranspose",
        "AveragePool",
        "LayerNormalization",
        "InstanceNormalization",
        "Softmax",
        "ReduceMax",
        "Resize",
        "Pad",
        "Gather",
        "Split",
        "Einsum",
        "Attention",
        "GroupNormalization",
        "Concat",
        "Slice",
    ] {
        for dims in [&[0_i64][..], &[0, 2], &[2, 0], &[1, 0, 3], &[0, 1, 1], &[1, 1, 0, 1], &[]] {
            for inputs in [&["x", "w", "w"][..], &["w", "x", "w"], &["w", "w", "x", "w"], &["w"]] {
                let data = if dims.is_empty() { &[0.0][..] } else { &[] };
                let parts = [
                    weight("w", dims, data),
                    node(operator, inputs, &["z"], &[]),
                    node("Add", &["x", "z"], &["y"], &[]),
                ];
                let _ = complaint(&model(&parts));
            }
        }
    }
}

#[test]
fn weights_that_are_not_numbers_are_named() {
    let parts = |bad: f32| {
        [
            weight("layer.weight", &[1, 2], &[1.0, bad]),
            node("Add", &["x", "layer.weight"], &["y"], &[]),
        ]
    };
    expect(&model(&parts(f32::NAN)), &["\"layer.weight\"", "NaN at entry 1"]);
    expect(&model(&parts(f32::INFINITY)), &["\"layer.weight\"", "inf at entry 1"]);
    // −∞ among zeros is a mask.
    let mask = [
        weight("mask", &[1, 2], &[0.0, f32::NEG_INFINITY]),
        node("Add", &["x", "mask"], &["y"], &[]),
    ];
    assert_eq!(complaint(&model(&mask)), None);
}

#[test]
fn all_unsupported_nodes_are_listed_at_once() {
    let parts = [
        node("GridSample", &["x"], &["a"], &[]),
        node("Sin", &["a"], &["b"], &[]),
        node("TopK", &["b"], &["c"], &[]),
        node("Resize", &["x", "", "x"], &["d"], &[]),
        node("Add", &["c", "d"], &["y"], &[]),
        node("NotNeeded", &["x"], &["e"], &[]),
    ];
    expect(
        &model(&parts),
        &["3 of 5 nodes", "GridSample", "TopK", "Resize", "opset 17", "torch.onnx.export"],
    );
    assert!(!complaint(&model(&parts)).unwrap().contains("NotNeeded"));
    expect(&shaped(&[1, 2], 9, &[]), &["opset 9", "13 to 25"]);
    expect(&shaped(&[1, 2], 99, &[]), &["opset 99", "13 to 25"]);
}

#[test]
fn inputs_are_named_when_they_are_asked_for_wrongly() {
    let network = Network::read(&models().join("moons_vp_eps_mlp3x128.ts17.onnx")).unwrap();
    let complaint =
        |state: &str, time: Option<&str>| network.field(state, time).unwrap_err().to_string();
    assert!(complaint("z", Some("t")).contains("no input \"z\"; it has x, t"));
    assert!(complaint("x", None).contains("inputs t are neither"));
    assert!(complaint("t", Some("x")).contains("is it the state?"));
}

/// A model whose weight lies in another file.
fn external(location: &str, offset: &str) -> Vec<u8> {
    let entry = |key: &str, value: &str| {
        record(13, &[record(1, key.as_bytes()), record(2, value.as_bytes())].concat())
    };
    let tensor = [
        number(1, 1),
        number(1, 2),
        number(2, 1),
        record(8, b"w"),
        entry("location", location),
        entry("offset", offset),
        number(14, 1),
    ];
    model(&[record(5, &tensor.concat()), node("Add", &["x", "w"], &["y"], &[])])
}

#[test]
fn external_data_outside_the_folder_is_refused() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("inner");
    std::fs::create_dir(&folder).unwrap();
    let data: Vec<u8> = [1.5_f32, 2.5].iter().flat_map(|x| x.to_le_bytes()).collect();
    for path in ["secret", "inner/data", "inner/short"] {
        std::fs::write(outer.path().join(path), &data[..if path == "inner/short" { 7 } else { 8 }])
            .unwrap();
    }
    let read = |location: &str, offset: &str| {
        let path = folder.join("model.onnx");
        std::fs::write(&path, external(location, offset)).unwrap();
        Network::read(&path)
    };
    let field = read("data", "0").unwrap().field("x", None).unwrap();
    let mut out = [0.0; 2];
    field.eval(0.0, &[0.0, 0.0], &mut out);
    assert_eq!(out, [1.5, 2.5]);
    let absolute = outer.path().join("secret");
    for location in ["../secret", absolute.to_str().unwrap(), "", ".", "a/../../secret"] {
        let error = read(location, "0").unwrap_err().to_string();
        assert!(error.contains("leaves the folder"), "{location}: {error}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).unwrap();
        std::os::unix::fs::symlink(outer.path(), folder.join("out")).unwrap();
        for location in ["link", "out/secret"] {
            assert!(read(location, "0").unwrap_err().to_string().contains("symbolic link"));
        }
    }
    for (location, offset) in [("short", "0"), ("data", "1"), ("data", "18446744073709551615")] {
        assert!(
            read(location, offset).unwrap_err().to_string().contains("truncated"),
            "{location} {offset}"
        );
    }
    assert!(read("data", "-1").unwrap_err().to_string().contains("not a number"));
    assert!(read("missing", "0").unwrap_err().to_string().contains("missing"));
}

#[test]
fn unsuitable_paths_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, word) in [("a.onnx", "a.onnx"), ("a.pt", "neither a .onnx nor a .safetensors")] {
        assert!(Network::read(&folder.path().join(name)).unwrap_err().to_string().contains(word));
    }
    let directory = folder.path().join("b.onnx");
    std::fs::create_dir(&directory).unwrap();
    assert!(Network::read(&directory).unwrap_err().to_string().contains("not a regular file"));
}

#[test]
fn descriptions_of_perceptrons_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moons.safetensors");
    std::fs::copy(models().join("moons_vp_eps_mlp3x128.safetensors"), &path).unwrap();
    assert!(Network::read(&path).unwrap_err().to_string().contains("activation = \"silu\""));
    let right = std::fs::read_to_string(models().join("moons_vp_eps_mlp3x128.toml")).unwrap();
    for (from, to, word) in [
        ("silu", "swoosh", "known are silu"),
        ("frequencies = \"te.freqs\"", "", "te.freqs"),
        ("te.freqs", "te.frequencies", "te.frequencies"),
        ("time = \"t\"", "", "one state is needed"),
        ("inputs = [\"x\", \"t\"]", "inputs = [\"x\"]", "te.freqs"),
        ("activation", "activations", "activations"),
        ("activation", "layers = [\"net.0\", \"net.2\", \"net.4\"]\nactivation", "net.6"),
    ] {
        std::fs::write(path.with_extension("toml"), right.replace(from, to)).unwrap();
        let read = Network::read(&path).and_then(|network| network.field("x", Some("t")));
        let error = read.unwrap_err().to_string();
        assert!(error.contains(word), "{to}: {error}");
    }
}
