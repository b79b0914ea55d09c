//! Networks exported for several states: rewritten for one where that is the same, repeated where it is not, and an axis
//! whose entries interact left in the state.

#[path = "support/onnx.rs"]
mod onnx;

use driftproof::network::{Batch, Field, Network, Room};
use nalgebra::DMatrix;
use onnx::{integers, node, shaped, weight};
use std::path::Path;

fn field(dims: &[i64], parts: &[Vec<u8>]) -> Field {
    let network = Network::from_onnx(Path::new("batch.onnx"), &shaped(dims, 17, parts)).unwrap();
    network.field("x", None).unwrap()
}

/// Values and the Jacobian, by the definition, push and pull, against a function of one state.
fn check(field: &Field, f: impl Fn(&[f64]) -> Vec<f64>, slope: impl Fn(&[f64]) -> DMatrix<f64>) {
    let d = field.dim();
    let (x, room) =
        ((0..d).map(|i| 0.3 + 0.4 * i as f64).collect::<Vec<_>>(), &mut Room::default());
    let identity = DMatrix::<f64>::identity(d, d);
    let (mut out, mut block) = (vec![0.0; d], vec![0.0; d * (d + 1)]);
    field.eval(0.0, &x, &mut out);
    field.push(0.0, &[&x, identity.as_slice()].concat(), 1, d, &mut block, room);
    for (got, expected) in out.iter().chain(&block[..d]).zip(f(&x).iter().cycle()) {
        assert!((got - expected).abs() < 1e-14);
    }
    let jacobian = DMatrix::from_column_slice(d, d, &block[d..]);
    assert!((&jacobian - slope(&x)).amax() < 1e-14);
    assert_eq!(field.pull(0.0, &x, &identity, room), jacobian.transpose());
}

fn sines(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x.sin()).collect()
}

fn cosines(x: &[f64]) -> DMatrix<f64> {
    DMatrix::from_fn(x.len(), x.len(), |i, j| if i == j { x[i].cos() } else { 0.0 })
}

#[test]
fn states_side_by_side_are_rewritten_for_one() {
    let field = field(&[3, 2], &[node("Sin", &["x"], &["y"], &[])]);
    assert_eq!((field.shape(), field.batch()), (&[2][..], Batch::Rewritten(3)));
    check(&field, sines, cosines);
}

#[test]
fn a_network_with_the_number_of_states_in_its_shapes_is_run_for_so_many() {
    let parts = [
        integers("flat", &[6]),
        integers("back", &[3, 2]),
        node("Reshape", &["x", "flat"], &["a"], &[]),
        node("Sin", &["a"], &["b"], &[]),
        node("Reshape", &["b", "back"], &["y"], &[]),
    ];
    let field = field(&[3, 2], &parts);
    assert_eq!((field.shape(), field.batch()), (&[2][..], Batch::Repeated(3)));
    check(&field, sines, cosines);
}

#[test]
fn rows_that_differ_by_their_place_are_not_rewritten() {
    // A shift that is another for each row: the first row's holds.
    let parts = [weight("w", &[3, 1], &[0.5, 1.5, 2.5]), node("Add", &["x", "w"], &["y"], &[])];
    let field = field(&[3, 2], &parts);
    assert_eq!((field.shape(), field.batch()), (&[2][..], Batch::Repeated(3)));
    check(&field, |x| x.iter().map(|x| x + 0.5).collect(), |x| DMatrix::identity(x.len(), x.len()));
}

#[test]
fn an_axis_whose_entries_interact_is_part_of_the_state() {
    // Rows mix: y = w x with w not symmetric.
    let w = [1.0, 2.0, 0.0, 0.0, 1.0, 3.0, 0.5, 0.0, 1.0];
    let small: Vec<f32> = w.iter().map(|w| *w as f32).collect();
    let parts = [weight("w", &[3, 3], &small), node("MatMul", &["w", "x"], &["y"], &[])];
    let field = field(&[3, 2], &parts);
    assert_eq!((field.shape(), field.batch()), (&[3, 2][..], Batch::Free));
    let map = DMatrix::from_row_slice(3, 3, &w).kronecker(&DMatrix::identity(2, 2));
    let value = |x: &[f64]| (&map * nalgebra::DVector::from_column_slice(x)).as_slice().to_vec();
    check(&field, value, |_| map.clone());
}

#[test]
fn a_single_vector_is_one_state() {
    let field = field(&[3], &[node("Sin", &["x"], &["y"], &[])]);
    assert_eq!((field.shape(), field.batch()), (&[3][..], Batch::Free));
    check(&field, sines, cosines);
}

#[test]
fn kinks_are_named_where_they_depend_on_an_input() {
    let parts = [
        weight("w", &[2], &[1.0, -1.0]),
        node("Relu", &["w"], &["a"], &[]),
        node("Relu", &["x"], &["b"], &[]),
        node("Greater", &["x", "a"], &["c"], &[]),
        node("Where", &["c", "b", "a"], &["y"], &[]),
    ];
    let bytes = shaped(&[1, 2], 17, &parts);
    let kinks = Network::from_onnx(Path::new("kinks.onnx"), &bytes).unwrap().kinks();
    let found: Vec<(&str, &str)> =
        kinks.iter().map(|kink| (kink.node.as_str(), kink.operator.as_str())).collect();
    assert_eq!(found, [("b", "Relu"), ("c", "Greater")]);
    let pooled = node("MaxPool", &["x"], &["y"], &[]);
    let pool = Network::from_onnx(Path::new("pool.onnx"), &shaped(&[1, 1, 4], 17, &[pooled]));
    assert!(pool.unwrap().kinks()[0].meaning.contains("not C¹"));
    assert!(kinks[0].meaning.contains("not C¹") && kinks[1].meaning.contains("jumps"));
}
