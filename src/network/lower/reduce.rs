//! Sums, means, norms and maxima over axes; Softmax.

use super::{Call, Lower, Lowered, Value, axis};
use crate::network::arithmetic::kept;
use crate::network::function::{Function, Pairing};

pub(super) fn operator(name: &str) -> Option<Lower> {
    Some(match name {
        "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceL1" | "ReduceL2"
        | "ReduceSumSquare" | "ReduceProd" => reduce,
        "GlobalAveragePool" => global_average,
        "Softmax" | "LogSoftmax" => |call| {
            let x = call.input(0)?;
            let axis = axis(call.integer("axis", -1)?, x.rank())?;
            let soft = if call.node.operator == "Softmax" { softmax } else { log_softmax };
            Ok(vec![soft(call, &x, axis)?])
        },
        _ => return None,
    })
}

fn reduce(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let numbers = call.list("axes", 1)?.unwrap_or_default();
    let keep = call.integer("keepdims", 1)? != 0;
    let axes = if !numbers.is_empty() {
        call.axes(&numbers, x.rank())?
    } else if call.integer("noop_with_empty_axes", 0)? != 0 {
        return Ok(vec![x]);
    } else {
        (0..x.rank()).collect()
    };
    let tape = &mut *call.tape;
    let result = match call.node.operator.as_str() {
        "ReduceSum" => tape.sum(&x, &axes)?,
        "ReduceMean" => tape.mean(&x, &axes)?,
        "ReduceMax" => tape.max(&x, &axes, false)?,
        "ReduceMin" => {
            let negative = tape.unary(Function::Negate, &x)?;
            let largest = tape.max(&negative, &axes, false)?;
            tape.unary(Function::Negate, &largest)?
        }
        "ReduceL1" => {
            let size = tape.unary(Function::Abs, &x)?;
            tape.sum(&size, &axes)?
        }
        "ReduceProd" if tape.known(&x).is_some() => {
            let rows = tape.rows(&x, &axes)?;
            let width = rows.shape[rows.rank() - 1].max(1);
            let data = tape.known(&rows).expect("a constant rearranged is a constant");
            let data = data.chunks(width).map(|row| row.iter().product()).collect();
            tape.constant(x.kind, kept(&x.shape, &axes), data)?
        }
        "ReduceProd" => return super::unsupported("a product of numbers that are not constants"),
        other => {
            let square = tape.mul(&x, &x)?;
            let sum = tape.sum(&square, &axes)?;
            if other == "ReduceL2" { tape.unary(Function::Sqrt, &sum)? } else { sum }
        }
    };
    if keep {
        return Ok(vec![result]);
    }
    let shape = (0..x.rank()).filter(|i| !axes.contains(i)).map(|i| x.shape[i]).collect();
    Ok(vec![call.tape.reshape(&result, shape)?])
}

fn global_average(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let axes: Vec<usize> = (2..x.rank()).collect();
    Ok(vec![call.tape.mean(&x, &axes)?])
}

/// e^x over its sum along an axis; the largest is taken off first, which changes nothing.
pub(super) fn softmax(call: &mut Call<'_>, x: &Value, axis: usize) -> Lowered<Value> {
    let tape = &mut *call.tape;
    let largest = tape.max(x, &[axis], true)?;
    let shifted = tape.sub(x, &largest)?;
    let exp = tape.unary(Function::Exp, &shifted)?;
    let sum = tape.sum(&exp, &[axis])?;
    tape.binary(Pairing::Div, &exp, &sum)
}

fn log_softmax(call: &mut Call<'_>, x: &Value, axis: usize) -> Lowered<Value> {
    let tape = &mut *call.tape;
    let largest = tape.max(x, &[axis], true)?;
    let shifted = tape.sub(x, &largest)?;
    let exp = tape.unary(Function::Exp, &shifted)?;
    let sum = tape.sum(&exp, &[axis])?;
    let log = tape.unary(Function::Log, &sum)?;
    tape.sub(&shifted, &log)
}
