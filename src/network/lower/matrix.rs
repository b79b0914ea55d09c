//! Matrix products.

use super::{Call, Lower, Lowered, Value, invalid};
use crate::network::shapes::common;

pub(super) fn operator(name: &str) -> Option<Lower> {
    Some(match name {
        "Gemm" => gemm,
        "MatMul" => matmul,
        _ => return None,
    })
}

fn gemm(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let (mut a, mut b) = (call.input(0)?, call.input(1)?);
    if a.rank() != 2 || b.rank() != 2 {
        return invalid(format!(
            "factors of shapes {:?} and {:?} are not matrices",
            a.shape, b.shape
        ));
    }
    if call.integer("transA", 0)? != 0 {
        a = call.tape.swap_last(&a)?;
    }
    if call.integer("transB", 0)? != 0 {
        b = call.tape.swap_last(&b)?;
    }
    let b = call.tape.scale(&b, call.float("alpha", 1.0)?)?;
    let beta = call.float("beta", 1.0)?;
    let Some(c) = call.optional(2).filter(|_| beta != 0.0) else {
        return Ok(vec![call.tape.matmul(&a, &b, None)?]);
    };
    let c = call.tape.scale(&c, beta)?;
    let shape = [a.shape[0], b.shape[1]];
    if common(&c.shape, &shape)? != shape {
        return invalid(format!("the summand of shape {:?} does not fit {shape:?}", c.shape));
    }
    let row = c.shape[..c.rank().saturating_sub(1)].iter().all(|n| *n == 1);
    if let Some(bias) = call.tape.known(&c).filter(|_| row) {
        let bias = if bias.len() == 1 { vec![bias[0]; shape[1]] } else { bias.to_vec() };
        return Ok(vec![call.tape.matmul(&a, &b, Some(&bias))?]);
    }
    let product = call.tape.matmul(&a, &b, None)?;
    Ok(vec![call.tape.add(&product, &c)?])
}

fn matmul(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if a.rank() == 0 || b.rank() == 0 {
        return invalid("a factor is a number");
    }
    // A vector is a row on the left and a column on the right; its axis is not in the result.
    let row = |value: &Value| [vec![1], value.shape.clone()].concat();
    let column = |value: &Value| [value.shape.clone(), vec![1]].concat();
    let left = if a.rank() == 1 { call.tape.reshape(&a, row(&a))? } else { a.clone() };
    let right = if b.rank() == 1 { call.tape.reshape(&b, column(&b))? } else { b.clone() };
    let product = call.tape.matmul(&left, &right, None)?;
    let mut shape = product.shape.clone();
    if b.rank() == 1 {
        shape.pop();
    }
    if a.rank() == 1 {
        shape.remove(shape.len() - if b.rank() == 1 { 1 } else { 2 });
    }
    Ok(vec![call.tape.reshape(&product, shape)?])
}
