//! Tangents and covectors of trained networks, one thread.
//!
//! Prints the arithmetic that the job needs beside the best time: `cargo bench --bench network`. The U-Net is read from
//! the folder that DRIFTPROOF_MODELS names, and skipped without it.

#[path = "inputs/stopwatch.rs"]
mod stopwatch;

use criterion::{Criterion, criterion_group, criterion_main};
use driftproof::network::{Field, Network, Room};
use nalgebra::DMatrix;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::HashMap;
use std::path::Path;
use stopwatch::Stopwatch;

/// State, tangents and trajectories of the perceptron.
const PERCEPTRON: (usize, usize, usize) = (64, 64, 16);
/// Width of each of its three hidden layers.
const WIDTH: usize = 256;
/// Tangents of the U-Net, of one trajectory.
const UNET_TANGENTS: usize = 8;

/// Numbers between −1 and 1 without a pattern.
fn weights(count: usize, size: f64) -> Vec<u8> {
    let at = |i: usize| ((i as f64 * 0.7548776662).fract() * 2.0 - 1.0) * size;
    (0..count).flat_map(|i| (at(i) as f32).to_le_bytes()).collect()
}

/// A perceptron of SiLU units with time as one more input.
fn perceptron(dim: usize) -> Field {
    let sizes = [dim + 1, WIDTH, WIDTH, WIDTH, dim];
    let layers: Vec<(String, Vec<usize>, Vec<u8>)> = sizes
        .windows(2)
        .enumerate()
        .flat_map(|(i, size)| {
            let data = weights(size[0] * size[1], 3.0 / (size[0] as f64).sqrt());
            let bias = (format!("{i}.bias"), vec![size[1]], weights(size[1], 0.1));
            [(format!("{i}.weight"), vec![size[1], size[0]], data), bias]
        })
        .collect();
    let views = layers.iter().map(|(name, shape, data)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), data).expect("a shape that fits"))
    });
    let text = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let description =
        HashMap::from([text("inputs", "x, t"), text("time", "t"), text("activation", "silu")]);
    let bytes = serialize(views, Some(description)).expect("serialisable");
    let network = Network::from_safetensors(Path::new("perceptron"), &bytes).expect("a perceptron");
    network.field("x", Some("t")).expect("a field")
}

/// Pushes trajectories with tangents, and pulls as many covectors back at one state.
fn measure(
    criterion: &mut Criterion,
    name: &str,
    field: &Field,
    tangents: usize,
    trajectories: usize,
) {
    let (d, columns) = (field.dim(), trajectories * (1 + tangents));
    let block: Vec<f64> = (0..d * columns).map(|i| (0.37 * i as f64).sin()).collect();
    let (mut out, mut room) = (vec![0.0; block.len()], Room::default());
    let mut group = criterion.benchmark_group("network");
    group.sample_size(10);
    let mut pushes = Stopwatch::default();
    group.bench_function(format!("{name}/push"), |bencher| {
        bencher.iter_custom(|runs| {
            pushes.time(runs, || {
                field.push(0.5, &block, trajectories, tangents, &mut out, &mut room);
                out[0]
            })
        });
    });
    let flops = 2.0 * field.multiply_adds() as f64;
    pushes.print(&format!("network/{name}/push"), flops * columns as f64);
    let covectors = DMatrix::from_column_slice(d, tangents, &block[d..][..d * tangents]);
    let mut pulls = Stopwatch::default();
    group.bench_function(format!("{name}/pull"), |bencher| {
        bencher.iter_custom(|runs| {
            pulls.time(runs, || field.pull(0.5, &block[..d], &covectors, &mut room)[(0, 0)])
        });
    });
    // The state forward, the covectors back.
    pulls.print(&format!("network/{name}/pull"), flops * (1 + tangents) as f64);
    group.finish();
}

fn network(criterion: &mut Criterion) {
    let (dim, tangents, trajectories) = PERCEPTRON;
    measure(criterion, "perceptron 3x256, K = 64", &perceptron(dim), tangents, trajectories);
    let Some(folder) = std::env::var_os("DRIFTPROOF_MODELS") else {
        println!("the U-Net is skipped: DRIFTPROOF_MODELS does not name a folder");
        return;
    };
    let path = Path::new(&folder).join("mnist28_unetlite_eps.ts17.onnx");
    let unet = Network::read(&path).and_then(|network| network.field("x", Some("t")));
    let unet = unet.unwrap_or_else(|error| panic!("{error}"));
    measure(criterion, "U-Net, K = 8", &unet, UNET_TANGENTS, 1);
}

criterion_group!(benches, network);
criterion_main!(benches);
