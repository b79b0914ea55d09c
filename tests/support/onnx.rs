//! ONNX files put together by hand, right or wrong.
#![allow(dead_code, reason = "every test target uses a part of it")]

/// A field of a protocol-buffer message: a length and bytes.
pub fn record(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [varint(u64::from(tag) << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A field that is a number.
pub fn number(tag: u8, value: i64) -> Vec<u8> {
    [varint(u64::from(tag) << 3), varint(value as u64)].concat()
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

pub fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let names = |tag: u8, names: &[&str]| {
        names.iter().flat_map(|n| record(tag, n.as_bytes())).collect::<Vec<u8>>()
    };
    let attributes: Vec<u8> = attributes.iter().flat_map(|a| record(5, a)).collect();
    let body =
        [names(1, inputs), names(2, outputs), record(4, operator.as_bytes()), attributes].concat();
    record(1, &body)
}

/// A float32 tensor in the graph.
pub fn weight(name: &str, dims: &[i64], data: &[f32]) -> Vec<u8> {
    record(5, &tensor(name, dims, data))
}

pub fn tensor(name: &str, dims: &[i64], data: &[f32]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|n| number(1, *n)).collect();
    let raw: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
    [dims, number(2, 1), record(8, name.as_bytes()), record(9, &raw)].concat()
}

/// An int64 vector in the graph.
pub fn integers(name: &str, data: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
    record(
        5,
        &[number(1, data.len() as i64), number(2, 7), record(8, name.as_bytes()), record(9, &raw)]
            .concat(),
    )
}

pub fn port(tag: u8, name: &str, dims: &[i64]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|n| record(1, &number(1, *n))).collect();
    let kind = record(1, &[number(1, 1), record(2, &dims)].concat());
    record(tag, &[record(1, name.as_bytes()), record(2, &kind)].concat())
}

/// A model of these parts, with an input x of shape [1, 2] and an output y.
pub fn model(parts: &[Vec<u8>]) -> Vec<u8> {
    shaped(&[1, 2], 17, parts)
}

pub fn shaped(dims: &[i64], opset: i64, parts: &[Vec<u8>]) -> Vec<u8> {
    let graph = [parts.concat(), port(11, "x", dims), port(12, "y", &[])].concat();
    [number(1, 8), record(7, &graph), record(8, &number(2, opset))].concat()
}
