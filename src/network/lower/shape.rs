//! Operators that move entries, and the integers that say where to.

use super::{Call, Fault, Lower, Lowered, Value, axis, elementwise, invalid};
use crate::network::graph::{Attribute, Kind};
use crate::network::shapes::{common, count, entry, strides, unsupported, walk};
use crate::network::tape::GAP;

pub(super) fn operator(name: &str) -> Option<Lower> {
    Some(match name {
        "Constant" => elementwise::constant,
        "ConstantOfShape" => constant_of_shape,
        "Range" => range,
        "Shape" => shape,
        "Size" => |call| {
            let size = call.input(0)?.length();
            Ok(vec![call.tape.constant(Kind::Integer, vec![], vec![size as f64])?])
        },
        "Reshape" => reshape,
        "Flatten" => flatten,
        "Unsqueeze" => unsqueeze,
        "Squeeze" => squeeze,
        "Transpose" => transpose,
        "Concat" => concat,
        "Expand" => expand,
        "Tile" => tile,
        "Slice" => slice,
        "Split" => split,
        "Gather" => gather,
        "Pad" => pad,
        _ => return None,
    })
}

fn sizes(numbers: &[i64]) -> Lowered<Vec<usize>> {
    let size =
        |n: &i64| usize::try_from(*n).map_err(|_| Fault::Invalid(format!("a length of {n}")));
    let shape = numbers.iter().map(size).collect::<Lowered<Vec<usize>>>()?;
    count(&shape)?;
    Ok(shape)
}

fn required(list: Option<Vec<i64>>, what: &str) -> Lowered<Vec<i64>> {
    list.ok_or_else(|| Fault::Invalid(format!("{what} is missing")))
}

fn constant_of_shape(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let shape = sizes(&required(call.known_integers(0)?, "the shape")?)?;
    let (kind, value) = match call.node.attributes.get("value") {
        Some(Attribute::Tensor(tensor)) if tensor.data.len() == 1 => (tensor.kind, tensor.data[0]),
        None => (Kind::Float, 0.0),
        Some(_) => return invalid("attribute value is not one number"),
    };
    let length = count(&shape)?;
    call.tape.charge(length)?;
    Ok(vec![call.tape.constant(kind, shape, vec![value; length])?])
}

fn range(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let number = |i: usize| {
        let value = call.input(i)?;
        match call.tape.known(&value).filter(|data| data.len() == 1) {
            Some(data) => Ok((data[0], value.kind)),
            None => unsupported(format!("input {i} is not a constant number")),
        }
    };
    let ((start, kind), (limit, _), (delta, _)) = (number(0)?, number(1)?, number(2)?);
    let length = ((limit - start) / delta).ceil().max(0.0);
    if length >= 1e9 {
        return invalid(format!("a range from {start} to {limit} by {delta}"));
    }
    let length = count(&[length as usize])?;
    let data = (0..length).map(|i| start + i as f64 * delta).collect();
    Ok(vec![call.tape.constant(kind, vec![length], data)?])
}

fn shape(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let rank = x.rank() as i64;
    let place = |n: i64| (if n < 0 { n.saturating_add(rank) } else { n }).clamp(0, rank) as usize;
    let (start, end) = (place(call.integer("start", 0)?), place(call.integer("end", rank)?));
    let data: Vec<f64> = x.shape[start..end.max(start)].iter().map(|n| *n as f64).collect();
    Ok(vec![call.tape.constant(Kind::Integer, vec![data.len()], data)?])
}

fn reshape(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let wanted = required(call.known_integers(1)?, "the shape")?;
    let zero_is_zero = call.integer("allowzero", 0)? != 0;
    let mut shape = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (i, n) in wanted.iter().enumerate() {
        shape.push(match n {
            -1 if open.is_none() => {
                open = Some(i);
                1
            }
            0 if !zero_is_zero => match x.shape.get(i) {
                Some(n) => *n,
                None => {
                    return invalid(format!("shape {wanted:?} keeps axis {i} of {:?}", x.shape));
                }
            },
            n => sizes(&[*n])?[0],
        });
    }
    if let Some(open) = open {
        let rest = count(&shape)?;
        if rest == 0 || x.length() % rest != 0 {
            return invalid(format!("{:?} cannot be given the shape {wanted:?}", x.shape));
        }
        shape[open] = x.length() / rest;
    }
    Ok(vec![call.tape.reshape(&x, shape)?])
}

fn flatten(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let at = call.integer("axis", 1)?;
    let at = if at == x.rank() as i64 { x.rank() } else { axis(at, x.rank())? };
    let shape = vec![x.shape[..at].iter().product(), x.shape[at..].iter().product()];
    Ok(vec![call.tape.reshape(&x, shape)?])
}

fn unsqueeze(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let numbers = required(call.list("axes", 1)?, "the axes")?;
    let axes = call.axes(&numbers, x.rank() + numbers.len())?;
    let mut old = x.shape.iter();
    let shape = (0..x.rank() + axes.len())
        .map(|i| if axes.contains(&i) { 1 } else { *old.next().expect("as many as there are") })
        .collect();
    Ok(vec![call.tape.reshape(&x, shape)?])
}

fn squeeze(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let axes = match call.list("axes", 1)? {
        Some(numbers) => call.axes(&numbers, x.rank())?,
        None => (0..x.rank()).filter(|i| x.shape[*i] == 1).collect(),
    };
    let shape: Vec<usize> =
        (0..x.rank()).filter(|i| !axes.contains(i)).map(|i| x.shape[i]).collect();
    Ok(vec![call.tape.reshape(&x, shape)?])
}

fn transpose(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let order = match call.integers("perm")? {
        Some(numbers) => call.axes(&numbers, x.rank())?,
        None => (0..x.rank()).rev().collect(),
    };
    if order.len() != x.rank() {
        return invalid(format!("an order of {} axes for {:?}", order.len(), x.shape));
    }
    Ok(vec![call.tape.transpose(&x, &order)?])
}

fn concat(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let values = (0..call.inputs.len()).map(|i| call.input(i)).collect::<Lowered<Vec<_>>>()?;
    let rank = values.first().map_or(0, Value::rank);
    let axis = axis(call.integer("axis", 0)?, rank)?;
    Ok(vec![call.tape.concat(&values, axis)?])
}

fn expand(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let shape = sizes(&required(call.known_integers(1)?, "the shape")?)?;
    let shape = common(&x.shape, &shape)?;
    Ok(vec![call.tape.broadcast(&x, &shape)?])
}

fn tile(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let mut x = call.input(0)?;
    let repeats = sizes(&required(call.known_integers(1)?, "the repeats")?)?;
    if repeats.len() != x.rank() {
        return invalid(format!("{} repeats for {} axes", repeats.len(), x.rank()));
    }
    for (axis, times) in repeats.into_iter().enumerate() {
        let mut shape = x.shape.clone();
        shape.insert(axis, times);
        let mut steps = strides(&x.shape);
        steps.insert(axis, 0);
        count(&shape)?;
        let repeated = call.tape.strided(&x, shape.clone(), &steps, 0)?;
        let length = shape.remove(axis);
        shape[axis] *= length;
        x = call.tape.reshape(&repeated, shape)?;
    }
    Ok(vec![x])
}

fn slice(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let starts = required(call.known_integers(1)?, "starts")?;
    let ends = required(call.known_integers(2)?, "ends")?;
    let numbers = call.known_integers(3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let axes = call.axes(&numbers, x.rank())?;
    let by = call.known_integers(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || by.len() != starts.len() {
        return invalid("starts, ends, axes and steps differ in length");
    }
    let (mut shape, mut steps, mut offset) = (x.shape.clone(), strides(&x.shape), 0);
    for (i, axis) in axes.into_iter().enumerate() {
        let (length, by) = (x.shape[axis] as i64, by[i]);
        if by == 0 {
            return invalid("a step of 0");
        }
        let place = |n: i64| if n < 0 { n.saturating_add(length) } else { n };
        // Backwards, the end may lie before the first entry.
        let (low, high) = if by > 0 { (0, length) } else { (-1, length - 1) };
        let start = place(starts[i]).clamp(low.max(0), high.max(0));
        let end = place(ends[i]).clamp(low, high);
        let span = if by > 0 { end - start } else { start - end };
        let taken =
            if span <= 0 || length == 0 { 0 } else { (span as u64).div_ceil(by.unsigned_abs()) };
        shape[axis] = taken as usize;
        offset += start as isize * steps[axis];
        // A single entry has no neighbour, and a step of its own could overflow.
        steps[axis] = if taken > 1 { steps[axis] * by as isize } else { 0 };
    }
    Ok(vec![call.tape.strided(&x, shape, &steps, offset)?])
}

fn split(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let axis = axis(call.integer("axis", 0)?, x.rank())?;
    let length = x.shape[axis];
    let parts = match call.list("split", 1)? {
        Some(parts) => sizes(&parts)?,
        None => {
            let outputs = call.node.outputs.len() as i64;
            let parts = sizes(&[call.integer("num_outputs", outputs)?])?[0];
            if parts == 0 || parts > call.node.outputs.len() {
                return invalid(format!("{parts} parts for {outputs} outputs"));
            }
            // All of one length, the last smaller where it does not divide.
            let chunk = length.div_ceil(parts);
            (0..parts).map(|i| chunk.min(length.saturating_sub(i * chunk))).collect()
        }
    };
    if parts.iter().sum::<usize>() != length {
        return invalid(format!("parts {parts:?} of an axis of length {length}"));
    }
    let mut start = 0;
    let mut values = Vec::with_capacity(parts.len());
    for part in parts {
        values.push(call.tape.narrow(&x, axis, start, part)?);
        start += part;
    }
    Ok(values)
}

fn gather(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let axis = axis(call.integer("axis", 0)?, x.rank())?;
    let indices = required(call.known_integers(1)?, "the indices")?;
    let picked = call.input(1)?.shape;
    let length = x.shape[axis] as i64;
    let outer: usize = x.shape[..axis].iter().product();
    let inner: usize = x.shape[axis + 1..].iter().product();
    let shape = [&x.shape[..axis], &picked, &x.shape[axis + 1..]].concat();
    let mut map = Vec::with_capacity(count(&shape)?);
    for o in 0..outer {
        for index in &indices {
            let at = if *index < 0 { index.saturating_add(length) } else { *index };
            if !(0..length).contains(&at) {
                return invalid(format!("index {index} of an axis of length {length}"));
            }
            let first = (o * length as usize + at as usize) * inner;
            map.extend((first..first + inner).map(|i| i as u32));
        }
    }
    Ok(vec![call.tape.take(&x, shape, map)?])
}

fn pad(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let pads = required(call.list("pads", 1)?, "the pads")?;
    let numbers = call.known_integers(3)?.unwrap_or_else(|| (0..x.rank() as i64).collect());
    let axes = call.axes(&numbers, x.rank())?;
    if pads.len() != 2 * axes.len() {
        return invalid(format!("{} pads for {} axes", pads.len(), axes.len()));
    }
    let fill = match call.optional(2) {
        None => 0.0,
        Some(value) => match call.tape.known(&value) {
            Some(data) => data.first().copied().unwrap_or(0.0),
            None => return unsupported("padding with a number that is not a constant"),
        },
    };
    let mode = call.text("mode", "constant")?;
    let (mut before, mut shape) = (vec![0; x.rank()], x.shape.clone());
    for (i, axis) in axes.iter().enumerate() {
        before[*axis] = pads[i];
        let length = (x.shape[*axis] as i64)
            .checked_add(pads[i])
            .and_then(|n| n.checked_add(pads[axes.len() + i]));
        shape[*axis] =
            sizes(&[required(length.map(|n| vec![n]), "a length that can be counted")?[0]])?[0];
    }
    // For each axis, where each new entry comes from.
    let source = |i: usize, axis: usize| -> Lowered<Option<usize>> {
        let (n, at) = (x.shape[axis] as i64, i as i64 - before[axis]);
        let found = match mode.as_str() {
            "constant" => at,
            "edge" if n > 0 => at.clamp(0, n - 1),
            "wrap" if n > 0 => at.rem_euclid(n),
            "reflect" if n > 1 => {
                let period = 2 * (n - 1);
                let at = at.rem_euclid(period);
                at.min(period - at)
            }
            "reflect" if n == 1 => 0,
            _ => return unsupported(format!("mode = {mode:?} on an axis of length {n}")),
        };
        Ok(usize::try_from(found).ok().filter(|at| (*at as i64) < n))
    };
    let size = count(&shape)?;
    let mut lists = Vec::with_capacity(shape.len());
    for (axis, n) in shape.iter().enumerate() {
        lists.push((0..*n).map(|i| source(i, axis)).collect::<Lowered<Vec<_>>>()?);
    }
    let steps = strides(&x.shape);
    let mut map = Vec::with_capacity(size);
    walk(&shape, &strides(&shape), 0, |at| {
        let mut rest = at as usize;
        let mut found = Some(0);
        for axis in (0..shape.len()).rev() {
            let from = lists[axis][rest % shape[axis]];
            rest /= shape[axis];
            found = found.zip(from).map(|(sum, from)| sum + from * steps[axis] as usize);
        }
        map.push(entry(found));
    });
    if fill == 0.0 || mode != "constant" {
        return Ok(vec![call.tape.take(&x, shape, map)?]);
    }
    let fill = call.tape.number(fill)?;
    let both = call.tape.join(&[x.clone(), fill])?;
    let last = x.length() as u32;
    map.iter_mut().filter(|at| **at == GAP).for_each(|at| *at = last);
    Ok(vec![call.tape.take(&both, shape, map)?])
}
