//! Einstein sums of one or two tensors.

use super::{Call, Lower, Lowered, Value, invalid, unsupported};
use crate::network::shapes::strides;
use std::collections::HashMap;

pub(super) fn operator(name: &str) -> Option<Lower> {
    (name == "Einsum").then_some(einsum)
}

/// A tensor whose axes have letters.
struct Named {
    value: Value,
    axes: Vec<char>,
}

fn einsum(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let equation: String =
        call.text("equation", "")?.chars().filter(|c| !c.is_whitespace()).collect();
    if equation.contains("...") {
        return unsupported(format!("the equation {equation:?} with an ellipsis: name all axes"));
    }
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left, right.to_owned()),
        None => (&equation[..], implied(&equation)),
    };
    let terms: Vec<Vec<char>> = left.split(',').map(|term| term.chars().collect()).collect();
    if terms.len() != call.inputs.len() || !(1..=2).contains(&terms.len()) {
        return unsupported(format!(
            "the equation {equation:?} of {} inputs; read are one or two",
            call.inputs.len()
        ));
    }
    let wanted: Vec<char> = right.chars().collect();
    let mut sizes: HashMap<char, usize> = HashMap::new();
    let mut named = Vec::new();
    for (i, axes) in terms.into_iter().enumerate() {
        let value = call.input(i)?;
        if axes.len() != value.rank() {
            return invalid(format!(
                "the equation {equation:?} for an input of shape {:?}",
                value.shape
            ));
        }
        for (axis, size) in axes.iter().zip(&value.shape) {
            if *sizes.entry(*axis).or_insert(*size) != *size {
                return invalid(format!("axis {axis} of {equation:?} has two lengths"));
            }
        }
        named.push(diagonal(call, Named { value, axes })?);
    }
    let distinct = wanted.iter().enumerate().all(|(i, axis)| !wanted[..i].contains(axis));
    if !distinct || wanted.iter().any(|axis| !sizes.contains_key(axis)) {
        return invalid(format!("the result of the equation {equation:?}"));
    }
    let mut named = named.into_iter();
    let result = match (named.next(), named.next()) {
        (Some(a), Some(b)) => product(call, a, b, &wanted, &sizes)?,
        (Some(only), None) => keep(call, only, &wanted)?,
        (None, _) => unreachable!("one or two terms"),
    };
    let order: Vec<usize> = wanted.iter().map(|axis| place(&result.axes, *axis)).collect();
    Ok(vec![call.tape.transpose(&result.value, &order)?])
}

/// Without an arrow: the letters that stand once, in alphabetic order.
fn implied(left: &str) -> String {
    let mut letters: Vec<char> =
        left.chars().filter(|c| *c != ',' && left.matches(*c).count() == 1).collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

fn place(axes: &[char], axis: char) -> usize {
    axes.iter().position(|other| *other == axis).expect("checked against the inputs")
}

/// A letter that stands twice in one term is a diagonal.
fn diagonal(call: &mut Call<'_>, named: Named) -> Lowered<Named> {
    let mut axes: Vec<char> = Vec::new();
    let (mut shape, mut steps) = (Vec::new(), Vec::new());
    for (i, axis) in named.axes.iter().enumerate() {
        let stride = strides(&named.value.shape)[i];
        match axes.iter().position(|other| other == axis) {
            Some(at) => steps[at] += stride,
            None => {
                axes.push(*axis);
                shape.push(named.value.shape[i]);
                steps.push(stride);
            }
        }
    }
    let value = call.tape.strided(&named.value, shape, &steps, 0)?;
    Ok(Named { value, axes })
}

/// Sums over the letters that are not wanted.
fn keep(call: &mut Call<'_>, named: Named, wanted: &[char]) -> Lowered<Named> {
    let summed: Vec<usize> =
        (0..named.axes.len()).filter(|i| !wanted.contains(&named.axes[*i])).collect();
    if summed.is_empty() {
        return Ok(named);
    }
    let sum = call.tape.sum(&named.value, &summed)?;
    let left: Vec<usize> = (0..named.axes.len()).filter(|i| !summed.contains(i)).collect();
    let shape = left.iter().map(|i| named.value.shape[*i]).collect();
    let axes = left.iter().map(|i| named.axes[*i]).collect();
    Ok(Named { value: call.tape.reshape(&sum, shape)?, axes })
}

/// As a batch of matrix products: letters in both and the result, then rows, then columns.
fn product(
    call: &mut Call<'_>,
    a: Named,
    b: Named,
    wanted: &[char],
    sizes: &HashMap<char, usize>,
) -> Lowered<Named> {
    let needed = |other: &Named| [wanted, &other.axes].concat();
    let (for_a, for_b) = (needed(&b), needed(&a));
    let (a, b) = (keep(call, a, &for_a)?, keep(call, b, &for_b)?);
    let shared = |axis: &&char| b.axes.contains(axis);
    let batch: Vec<char> =
        a.axes.iter().filter(shared).filter(|axis| wanted.contains(axis)).copied().collect();
    let depth: Vec<char> =
        a.axes.iter().filter(shared).filter(|axis| !wanted.contains(axis)).copied().collect();
    let rows: Vec<char> = a.axes.iter().filter(|axis| !b.axes.contains(axis)).copied().collect();
    let columns: Vec<char> = b.axes.iter().filter(|axis| !a.axes.contains(axis)).copied().collect();
    let size = |axes: &[char]| axes.iter().map(|axis| sizes[axis]).product::<usize>();
    let mut matrix = |named: &Named, first: &[char], second: &[char]| {
        let order: Vec<usize> =
            batch.iter().chain(first).chain(second).map(|axis| place(&named.axes, *axis)).collect();
        let moved = call.tape.transpose(&named.value, &order)?;
        call.tape.reshape(&moved, vec![size(&batch), size(first), size(second)])
    };
    let (left, right) = (matrix(&a, &rows, &depth)?, matrix(&b, &depth, &columns)?);
    let product = call.tape.matmul(&left, &right, None)?;
    let axes = [batch, rows, columns].concat();
    let shape = axes.iter().map(|axis| sizes[axis]).collect();
    Ok(Named { value: call.tape.reshape(&product, shape)?, axes })
}
