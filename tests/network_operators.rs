//! Every operator against the reference evaluator of ONNX (tests/network/make.py): values, tangents against
//! differences of the reference, and the laws that tie the ways of evaluation together.

use driftproof::network::{Field, Network, Room};
use driftproof::scalar::Tangents;
use nalgebra::{Const, DMatrix, SVector};
use num_dual::Derivative;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Case {
    name: String,
    model: String,
    x: Vec<f64>,
    v: Vec<f64>,
    out: Vec<f64>,
    jvp: Vec<f64>,
    /// Of values, relative: the reference sums in another order.
    tolerance: f64,
}

/// Five-point differences at steps of 1e-3: truncation 1e-12, rounding 1e-16/1e-3, times a margin for large derivatives.
const DIFFERENCES: f64 = 3e-9;
/// Sums in another order.
const ROUNDING: f64 = 1e-13;

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("network/cases.json")).unwrap()
}

/// What the characters of base64 stand for.
fn decode(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => 0,
    };
    let padding = text.bytes().rev().take_while(|c| *c == b'=').count();
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks_exact(4) {
        let bits = group.iter().fold(0_u32, |bits, c| bits << 6 | u32::from(value(*c)));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    bytes.truncate(bytes.len() - padding);
    bytes
}

fn field(case: &Case) -> Result<Field, String> {
    let network = Network::from_onnx(Path::new("case.onnx"), &decode(&case.model));
    network.and_then(|network| network.field("x", None)).map_err(|e| e.to_string())
}

fn distance(got: &[f64], expected: &[f64]) -> f64 {
    let size = expected.iter().fold(1e-3_f64, |m, x| m.max(x.abs()));
    assert_eq!(got.len(), expected.len());
    got.iter()
        .zip(expected)
        .map(|(a, b)| if a == b { 0.0 } else { (a - b).abs() / size })
        .fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m })
}

/// What is wrong with a case.
fn faults(case: &Case) -> Vec<String> {
    let field = match field(case) {
        Ok(field) => field,
        Err(error) => return vec![format!("{}: {error}", case.name)],
    };
    let mut faults = Vec::new();
    let mut expect = |what: &str, got: &[f64], expected: &[f64], tolerance: f64| {
        let off = distance(got, expected);
        if off.is_nan() || off > tolerance {
            faults.push(format!(
                "{}: {what} off by {off:e}\n  got {got:?}\n  not {expected:?}",
                case.name
            ));
        }
    };
    let (d, room) = (field.dim(), &mut Room::default());
    let mut value = vec![0.0; d];
    field.eval(0.0, &case.x, &mut value);
    expect("value", &value, &case.out, case.tolerance);

    // Two different states, with two tangents each.
    let other: Vec<f64> = case.x.iter().map(|x| 0.9 * x + 0.01).collect();
    let turned: Vec<f64> = case.v.iter().rev().map(|v| v + 0.5).collect();
    let block = [&case.x[..], &case.v, &turned, &other, &turned, &case.v].concat();
    let mut pushed = vec![0.0; 6 * d];
    field.push(0.0, &block, 2, 2, &mut pushed, room);
    expect("value by push", &pushed[..d], &value, ROUNDING);
    expect("tangent by push", &pushed[d..2 * d], &case.jvp, DIFFERENCES.max(10.0 * case.tolerance));

    // Each is what the definition says, over duals.
    for (state, start) in [(&case.x, 0), (&other, 3)] {
        let lift = |i: usize| {
            let mut eps = SVector::zeros();
            eps[0] = block[(start + 1) * d + i];
            eps[1] = block[(start + 2) * d + i];
            Tangents::new(state[i], Derivative::some(eps))
        };
        let mut duals = vec![Tangents::from(0.0); d];
        field.eval(Tangents::from(0.0), &(0..d).map(lift).collect::<Vec<_>>(), &mut duals);
        for lane in 0..2 {
            let tangent: Vec<f64> =
                duals.iter().map(|y| y.eps.unwrap_generic(Const, Const)[lane]).collect();
            expect(
                "tangent by push against duals",
                &pushed[(start + 1 + lane) * d..][..d],
                &tangent,
                ROUNDING,
            );
        }
    }

    // ⟨w, J v⟩ = ⟨Jᵀ w, v⟩, for each w of a basis: the transposed Jacobian is the Jacobian transposed.
    let identity = DMatrix::<f64>::identity(d, d);
    let mut columns = vec![0.0; d * (d + 1)];
    field.push(0.0, &[&case.x, identity.as_slice()].concat(), 1, d, &mut columns, room);
    let jacobian = DMatrix::from_column_slice(d, d, &columns[d..]);
    let transposed = field.pull(0.0, &case.x, &identity, room);
    expect("transposed Jacobian", transposed.as_slice(), jacobian.transpose().as_slice(), ROUNDING);
    faults
}

#[test]
fn operators_have_the_values_and_tangents_of_the_reference() {
    let cases = cases();
    assert!(cases.len() > 150);
    let faults: Vec<String> = cases.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_wrong_value_is_seen() {
    let mut case = cases().swap_remove(0);
    case.out[0] += 1e-9;
    assert_eq!(faults(&case).len(), 1);
}

#[test]
fn every_operator_of_the_list_has_a_case() {
    let models: Vec<Vec<u8>> = cases().iter().map(|case| decode(&case.model)).collect();
    for operator in "Add Sub Mul Div Neg Pow Sqrt Reciprocal Exp Log Sin Cos Tanh Sigmoid Erf Gelu Selu Elu Relu LeakyRelu \
        Softplus Mish Abs Gemm MatMul Concat Unsqueeze ReduceSum ReduceMean LayerNormalization Constant Identity Conv \
        ConvTranspose Resize InstanceNormalization GroupNormalization BatchNormalization RMSNormalization Attention Reshape \
        Shape Gather Slice Split Squeeze Transpose Softmax Pad Expand Cast Einsum ConstantOfShape Greater Less Where Clip \
        ReduceL2 ReduceMax AveragePool"
        .split_whitespace()
    {
        // Field 4 of a node: the operator, with its length.
        let record = [&[0x22, operator.len() as u8], operator.as_bytes()].concat();
        let used = |model: &Vec<u8>| model.windows(record.len()).any(|window| window == record);
        assert!(models.iter().any(used), "{operator} has no case");
    }
}
