//! Resizing along axes, to the nearest entry or linearly between two.

use super::{Call, Lower, Lowered, Value, invalid, unsupported};
use crate::network::shapes::count;
use crate::network::tape::Sparse;

pub(super) fn operator(name: &str) -> Option<Lower> {
    (name == "Resize").then_some(resize)
}

/// New lengths and the scale of each axis.
fn lengths(call: &Call<'_>, x: &Value) -> Lowered<Vec<(usize, f64)>> {
    let rank = x.rank();
    let axes = match call.integers("axes")? {
        Some(numbers) => call.axes(&numbers, rank)?,
        None => (0..rank).collect(),
    };
    let mut result: Vec<(usize, f64)> = x.shape.iter().map(|n| (*n, 1.0)).collect();
    let policy = call.text("keep_aspect_ratio_policy", "stretch")?;
    if policy != "stretch" {
        return unsupported(format!("keep_aspect_ratio_policy = {policy:?}"));
    }
    let fits = |length: usize| {
        if length == axes.len() {
            return Ok(());
        }
        invalid(format!("{length} scales or sizes for {} axes", axes.len()))
    };
    let sizes = call.known_integers(3)?.filter(|sizes| !sizes.is_empty());
    if let Some(sizes) = sizes {
        fits(sizes.len())?;
        for (axis, size) in axes.iter().zip(sizes) {
            let Some(size) = usize::try_from(size).ok().filter(|n| *n > 0) else {
                return invalid(format!("a length of {size}"));
            };
            result[*axis] = (size, size as f64 / x.shape[*axis] as f64);
        }
        return Ok(result);
    }
    let Some(scales) = call.optional(2).map(|scales| call.tape.known(&scales)) else {
        return invalid("neither scales nor sizes");
    };
    let Some(scales) = scales else {
        return unsupported("scales that are not constants");
    };
    fits(scales.len())?;
    for (axis, scale) in axes.iter().zip(scales.iter()) {
        let size = (x.shape[*axis] as f64 * scale).floor();
        if !(1.0..1e9).contains(&size) {
            return invalid(format!("a scale of {scale} for an axis of length {}", x.shape[*axis]));
        }
        result[*axis] = (size as usize, *scale);
    }
    Ok(result)
}

fn resize(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let mode = call.text("mode", "nearest")?;
    let rounding = call.text("nearest_mode", "round_prefer_floor")?;
    let coordinates = call.text("coordinate_transformation_mode", "half_pixel")?;
    if call.integer("antialias", 0)? != 0 {
        return unsupported("antialias = 1");
    }
    let mut result = x.clone();
    for (axis, (size, scale)) in lengths(call, &x)?.into_iter().enumerate() {
        let length = x.shape[axis];
        if size == length && scale == 1.0 {
            continue;
        }
        if length == 0 {
            return invalid(format!("an axis of length 0 in {:?}", x.shape));
        }
        // Each entry is a list of its own.
        call.tape.charge(8 * count(&[size])?)?;
        let mut rows = Vec::with_capacity(size);
        for i in 0..size {
            let at = coordinate(&coordinates, i as f64, (length as f64, size as f64, scale))?;
            let last = length as f64 - 1.0;
            rows.push(match mode.as_str() {
                "nearest" => {
                    let nearest = match rounding.as_str() {
                        "round_prefer_floor" => (at - 0.5).ceil(),
                        "round_prefer_ceil" => (at + 0.5).floor(),
                        "floor" => at.floor(),
                        "ceil" => at.ceil(),
                        other => return unsupported(format!("nearest_mode = {other:?}")),
                    };
                    vec![(nearest.clamp(0.0, last) as usize, 1.0)]
                }
                "linear" => {
                    let at = at.clamp(0.0, last);
                    let (low, part) = (at.floor(), at - at.floor());
                    let high = (low + 1.0).min(last);
                    if part == 0.0 {
                        vec![(low as usize, 1.0)]
                    } else {
                        vec![(low as usize, 1.0 - part), (high as usize, part)]
                    }
                }
                other => {
                    return unsupported(format!("mode = {other:?}; read are nearest and linear"));
                }
            });
        }
        result = along(call, &result, axis, &rows)?;
    }
    Ok(vec![result])
}

/// The place in the old axis of entry i of the new one.
fn coordinate(mode: &str, i: f64, (length, size, scale): (f64, f64, f64)) -> Lowered<f64> {
    Ok(match mode {
        "half_pixel" => (i + 0.5) / scale - 0.5,
        "half_pixel_symmetric" => {
            // The new length is rounded down; what is lost is split between both ends.
            let adjustment = size / (scale * length);
            length / 2.0 * (1.0 - adjustment) + (i + 0.5) / scale - 0.5
        }
        "pytorch_half_pixel" if size > 1.0 => (i + 0.5) / scale - 0.5,
        "pytorch_half_pixel" => 0.0,
        "align_corners" if size > 1.0 => i * (length - 1.0) / (size - 1.0),
        "align_corners" => 0.0,
        "asymmetric" => i / scale,
        other => return unsupported(format!("coordinate_transformation_mode = {other:?}")),
    })
}

/// Each entry along an axis as a weighted sum of old ones.
fn along(
    call: &mut Call<'_>,
    x: &Value,
    axis: usize,
    rows: &[Vec<(usize, f64)>],
) -> Lowered<Value> {
    let mut shape = x.shape.clone();
    let (length, outer) = (shape[axis], shape[..axis].iter().product::<usize>());
    let inner: usize = shape[axis + 1..].iter().product();
    shape[axis] = rows.len();
    let size = count(&shape)?;
    let place = |o: usize, from: usize, i: usize| (o * length + from) * inner + i;
    if rows.iter().all(|row| row.len() == 1) {
        let mut map = Vec::with_capacity(size);
        for o in 0..outer {
            for row in rows {
                map.extend((0..inner).map(|i| place(o, row[0].0, i) as u32));
            }
        }
        return call.tape.take(x, shape, map);
    }
    let sums = (0..outer).flat_map(|o| {
        rows.iter().flat_map(move |row| {
            (0..inner).map(move |i| row.iter().map(|(from, w)| (place(o, *from, i), *w)).collect())
        })
    });
    call.tape.sparse(x, shape, Sparse::from_rows(sums))
}
