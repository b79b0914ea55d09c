//! Normalisations: a mean taken off, a division by the root of the variance, a scale and a shift.

use super::{Call, Lower, Lowered, Value, axis, invalid};
use crate::network::function::Function;

pub(super) fn operator(name: &str) -> Option<Lower> {
    Some(match name {
        "LayerNormalization" => layer,
        "RMSNormalization" => root_mean_square,
        "InstanceNormalization" => instance,
        "GroupNormalization" => group,
        "BatchNormalization" => batch,
        _ => return None,
    })
}

/// The default of the standard, a float32.
const EPSILON: f64 = 1e-5_f32 as f64;

/// (x − mean)/√(variance + epsilon) over axes, with the mean and the inverse root.
fn standardise(call: &mut Call<'_>, x: &Value, axes: &[usize]) -> Lowered<[Value; 3]> {
    let mean = call.tape.mean(x, axes)?;
    let centred = call.tape.sub(x, &mean)?;
    let inverse = inverse_root(call, &centred, axes)?;
    let normal = call.tape.mul(&centred, &inverse)?;
    Ok([normal, mean, inverse])
}

/// 1/√(mean of squares + epsilon).
fn inverse_root(call: &mut Call<'_>, x: &Value, axes: &[usize]) -> Lowered<Value> {
    let square = call.tape.mul(x, x)?;
    let variance = call.tape.mean(&square, axes)?;
    inverse_root_of(call, &variance)
}

/// 1/√(variance + epsilon).
fn inverse_root_of(call: &mut Call<'_>, variance: &Value) -> Lowered<Value> {
    let epsilon = call.float("epsilon", EPSILON)?;
    let tape = &mut *call.tape;
    let epsilon = tape.number(epsilon)?;
    let sum = tape.add(variance, &epsilon)?;
    let root = tape.unary(Function::Sqrt, &sum)?;
    tape.unary(Function::Reciprocal, &root)
}

/// x·scale + shift, broadcast, without changing the shape.
fn scale_and_shift(
    call: &mut Call<'_>,
    x: &Value,
    scale: Option<Value>,
    shift: Option<Value>,
) -> Lowered<Value> {
    let mut result = x.clone();
    if let Some(scale) = scale {
        let scale = call.tape.broadcast(&scale, &x.shape)?;
        result = call.tape.mul(&result, &scale)?;
    }
    if let Some(shift) = shift {
        let shift = call.tape.broadcast(&shift, &x.shape)?;
        result = call.tape.add(&result, &shift)?;
    }
    Ok(result)
}

/// One number a channel, to be broadcast against (N, C, …).
fn by_channel(call: &mut Call<'_>, value: &Value, x: &Value) -> Lowered<Value> {
    if x.rank() < 2 || value.shape != [x.shape[1]] {
        return invalid(format!(
            "{:?} is not one number for each channel of {:?}",
            value.shape, x.shape
        ));
    }
    let mut shape = vec![1; x.rank() - 1];
    shape[0] = x.shape[1];
    call.tape.reshape(value, shape)
}

fn layer(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let axes: Vec<usize> = (axis(call.integer("axis", -1)?, x.rank())?..x.rank()).collect();
    let [normal, mean, inverse] = standardise(call, &x, &axes)?;
    let result = scale_and_shift(call, &normal, Some(call.input(1)?), call.optional(2))?;
    Ok(vec![result, mean, inverse])
}

fn root_mean_square(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let axes: Vec<usize> = (axis(call.integer("axis", -1)?, x.rank())?..x.rank()).collect();
    let inverse = inverse_root(call, &x, &axes)?;
    let normal = call.tape.mul(&x, &inverse)?;
    Ok(vec![scale_and_shift(call, &normal, Some(call.input(1)?), None)?])
}

fn instance(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let axes: Vec<usize> = (2..x.rank()).collect();
    let (scale, shift) = (call.input(1)?, call.input(2)?);
    let (scale, shift) = (by_channel(call, &scale, &x)?, by_channel(call, &shift, &x)?);
    let [normal, ..] = standardise(call, &x, &axes)?;
    Ok(vec![scale_and_shift(call, &normal, Some(scale), Some(shift))?])
}

fn group(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let groups = usize::try_from(call.integer("num_groups", 0)?).unwrap_or(0);
    if x.rank() < 2 || groups == 0 || x.shape[1] % groups != 0 {
        return invalid(format!("{groups} groups of the channels of {:?}", x.shape));
    }
    let width = x.length() / (x.shape[0] * groups).max(1);
    let rows = call.tape.reshape(&x, vec![x.shape[0], groups, width])?;
    let [normal, ..] = standardise(call, &rows, &[2])?;
    let (scale, shift) = (call.input(1)?, call.input(2)?);
    // Until opset 20 there was one number a group, since then one a channel.
    let (normal, scale, shift) = if scale.shape == [groups] && (groups != x.shape[1]) {
        let (scale, shift) = (by_channel(call, &scale, &rows)?, by_channel(call, &shift, &rows)?);
        (normal, scale, shift)
    } else {
        let normal = call.tape.reshape(&normal, x.shape.clone())?;
        (normal, by_channel(call, &scale, &x)?, by_channel(call, &shift, &x)?)
    };
    let result = scale_and_shift(call, &normal, Some(scale), Some(shift))?;
    Ok(vec![call.tape.reshape(&result, x.shape)?])
}

fn batch(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    if call.integer("training_mode", 0)? != 0 {
        return super::unsupported("training_mode = 1: export in evaluation mode, model.eval()");
    }
    let mut channel = |i: usize| {
        let value = call.input(i)?;
        by_channel(call, &value, &x)
    };
    let (scale, shift, mean, variance) = (channel(1)?, channel(2)?, channel(3)?, channel(4)?);
    let inverse = inverse_root_of(call, &variance)?;
    let factor = call.tape.mul(&scale, &inverse)?;
    let centred = call.tape.sub(&x, &mean)?;
    Ok(vec![scale_and_shift(call, &centred, Some(factor), Some(shift))?])
}
