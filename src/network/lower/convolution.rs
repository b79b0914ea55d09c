//! Convolutions, their transposes, and pooling: windows of entries, then products or sums.

use super::{Call, Lower, Lowered, Value, invalid, unsupported};
use crate::network::convolution::Convolution;
use crate::network::graph::Kind;
use crate::network::linear::Linear;
use crate::network::shapes::{count, strides, walk};
use crate::network::tape::{GAP, Op, Sparse};

pub(super) fn operator(name: &str) -> Option<Lower> {
    Some(match name {
        "Conv" => convolution,
        "ConvTranspose" => transposed,
        "AveragePool" | "MaxPool" => pool,
        _ => return None,
    })
}

/// Windows that slide over the axes after the second.
struct Windows {
    kernel: Vec<usize>,
    stride: Vec<usize>,
    dilation: Vec<usize>,
    /// Padding before each axis, then after each.
    pads: Vec<usize>,
    /// Windows along each axis.
    places: Vec<usize>,
}

/// Lengths given by an attribute, each at least `least`.
fn lengths(call: &Call<'_>, name: &str, missing: Vec<usize>, least: i64) -> Lowered<Vec<usize>> {
    let Some(list) = call.integers(name)? else {
        return Ok(missing);
    };
    if list.len() != missing.len() || list.iter().any(|n| *n < least || *n > 1 << 30) {
        return invalid(format!("{name} = {list:?}"));
    }
    Ok(list.into_iter().map(|n| n as usize).collect())
}

impl Windows {
    /// As the attributes of a convolution or pool of this kernel say.
    fn new(call: &Call<'_>, sizes: &[usize], kernel: Vec<usize>) -> Lowered<Self> {
        let axes = sizes.len();
        let stride = lengths(call, "strides", vec![1; axes], 1)?;
        let dilation = lengths(call, "dilations", vec![1; axes], 1)?;
        let mut pads = lengths(call, "pads", vec![0; 2 * axes], 0)?;
        let span: Vec<usize> =
            (0..axes).map(|i| (kernel[i].max(1) - 1) * dilation[i] + 1).collect();
        let automatic = call.text("auto_pad", "NOTSET")?;
        let round_up = call.integer("ceil_mode", 0)? != 0;
        let mut places = Vec::with_capacity(axes);
        for i in 0..axes {
            if automatic.starts_with("SAME") {
                let wanted = sizes[i].div_ceil(stride[i]);
                let total = (wanted.max(1) - 1) * stride[i] + span[i];
                let total = total.saturating_sub(sizes[i]);
                let (less, more) = (total / 2, total.div_ceil(2));
                (pads[i], pads[axes + i]) =
                    if automatic == "SAME_UPPER" { (less, more) } else { (more, less) };
            } else if automatic == "VALID" {
                (pads[i], pads[axes + i]) = (0, 0);
            } else if automatic != "NOTSET" {
                return unsupported(format!("auto_pad = {automatic:?}"));
            }
            let Some(room) = (sizes[i] + pads[i] + pads[axes + i]).checked_sub(span[i]) else {
                return invalid(format!(
                    "a window of {} on an axis of length {}",
                    span[i], sizes[i]
                ));
            };
            let mut count = room / stride[i] + 1;
            if round_up && room % stride[i] != 0 && count * stride[i] < sizes[i] + pads[i] {
                // One more window, unless it would begin in the padding behind.
                count += 1;
            }
            places.push(count);
        }
        Ok(Self { kernel, stride, dilation, pads, places })
    }

    /// For each window, then each place in it, an index into the axes of `sizes`, or a gap; with it
    /// the number of places inside the padded array.
    fn each(&self, sizes: &[usize], mut visit: impl FnMut(&[Option<usize>], usize)) -> Lowered<()> {
        let (axes, steps) = (sizes.len(), strides(sizes));
        let area = count(&self.kernel)?;
        count(&[count(&self.places)?, area])?;
        let (windows, inside) = (digits(&self.places)?, digits(&self.kernel)?);
        let mut entries = vec![None; area];
        for window in windows.chunks_exact(axes) {
            let mut padded = 0;
            for (entry, place) in entries.iter_mut().zip(inside.chunks_exact(axes)) {
                let mut at = Some(0);
                let mut within = true;
                for i in 0..axes {
                    let position = window[i] * self.stride[i] + place[i] * self.dilation[i];
                    within &= position < sizes[i] + self.pads[i] + self.pads[axes + i];
                    let position = position.checked_sub(self.pads[i]).filter(|p| *p < sizes[i]);
                    at = at.zip(position).map(|(sum, p)| sum + p * steps[i] as usize);
                }
                padded += usize::from(within);
                *entry = at;
            }
            visit(&entries, padded);
        }
        Ok(())
    }
}

/// All indices of a shape, one after another.
fn digits(shape: &[usize]) -> Lowered<Vec<usize>> {
    let mut found = Vec::with_capacity(count(&[count(shape)?, shape.len()])?);
    let steps = strides(shape);
    walk(shape, &steps, 0, |at| {
        let of = |i: usize| at as usize / steps[i] as usize % shape[i].max(1);
        found.extend((0..shape.len()).map(of));
    });
    Ok(found)
}

/// The weights, which must be known, and the number of groups.
fn weights(call: &Call<'_>, x: &Value) -> Lowered<(Value, std::sync::Arc<[f64]>, usize)> {
    let weight = call.input(1)?;
    if x.rank() < 3 || weight.rank() != x.rank() {
        return invalid(format!("weights of shape {:?} for {:?}", weight.shape, x.shape));
    }
    let Some(known) = call.tape.known(&weight) else {
        return unsupported("weights that are not constants");
    };
    let groups = call.integer("group", 1)?;
    let channels = x.shape[1];
    match usize::try_from(groups)
        .ok()
        .filter(|g| *g > 0 && channels.is_multiple_of(*g) && weight.shape[0].is_multiple_of(*g))
    {
        Some(groups) => Ok((weight, known, groups)),
        None => invalid(format!(
            "{groups} groups of {channels} channels with weights {:?}",
            weight.shape
        )),
    }
}

/// Adds one number a channel.
fn add_bias(call: &mut Call<'_>, value: Value) -> Lowered<Value> {
    let Some(bias) = call.optional(2) else {
        return Ok(value);
    };
    if bias.shape != [value.shape[1]] {
        return invalid(format!("a bias of shape {:?} for {:?}", bias.shape, value.shape));
    }
    let shape = [&bias.shape[..], &vec![1; value.rank() - 2]].concat();
    let bias = call.tape.reshape(&bias, shape)?;
    call.tape.add(&value, &bias)
}

fn convolution(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let (weight, known, groups) = weights(call, &x)?;
    let (channels, outputs) = (x.shape[1] / groups, weight.shape[0]);
    if weight.shape[1] != channels {
        return invalid(format!("weights {:?} for {:?} in {groups} groups", weight.shape, x.shape));
    }
    let sizes = &x.shape[2..];
    let windows = Windows::new(call, sizes, weight.shape[2..].to_vec())?;
    let (places, area) = (count(&windows.places)?, count(&windows.kernel)?);
    let (batch, plane) = (x.shape[0], count(sizes)?);
    let depth = channels * area;
    count(&[batch, groups, places, depth])?;
    if depth == 0 || batch * places * outputs == 0 {
        return invalid(format!("weights {:?} for {:?}: no entries", weight.shape, x.shape));
    }
    call.tape.charge(places * area * 3)?;
    // What each window sees, once for all channels.
    let mut seen = Vec::with_capacity(places * area);
    windows.each(sizes, |entries, _| seen.extend_from_slice(entries))?;
    let entry =
        |channel: usize, at: Option<usize>| at.map_or(GAP, |at| (channel * plane + at) as u32);
    // batch × groups × (channels of the group × places in the window) × windows.
    let mut map = Vec::with_capacity(batch * groups * places * depth);
    for channel in 0..x.shape[0] * x.shape[1] {
        for place in 0..area {
            map.extend(seen.iter().skip(place).step_by(area).map(|at| entry(channel, *at)));
        }
    }
    let identity = map.len() == x.length() && map.iter().enumerate().all(|(i, at)| *at == i as u32);
    call.tape.charge(2 * map.len())?;
    let bias =
        call.optional(2).and_then(|bias| call.tape.known(&bias).filter(|b| b.len() == outputs));
    let folded = bias.is_some();
    let linear = Linear {
        parts: batch * groups,
        groups,
        count: places,
        depth,
        rows: outputs / groups,
        across: true,
        weights: known,
        bias: bias.unwrap_or_default(),
    };
    let op =
        if identity { Op::Linear(linear) } else { Op::Convolution(Convolution::new(linear, &map)) };
    let shape = [&[batch, outputs], &windows.places[..]].concat();
    let result = call.tape.apply(op, &[&x], shape, Kind::Float)?;
    Ok(vec![if folded { result } else { add_bias(call, result)? }])
}

fn transposed(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let (weight, known, groups) = weights(call, &x)?;
    if weight.shape[0] != x.shape[1] || call.text("auto_pad", "NOTSET")? != "NOTSET" {
        return unsupported(format!(
            "weights {:?} for {:?}, or automatic padding",
            weight.shape, x.shape
        ));
    }
    let (batch, channels, outputs) = (x.shape[0], x.shape[1] / groups, weight.shape[1]);
    let (sizes, kernel) = (x.shape[2..].to_vec(), weight.shape[2..].to_vec());
    let axes = sizes.len();
    let stride = lengths(call, "strides", vec![1; axes], 1)?;
    let dilation = lengths(call, "dilations", vec![1; axes], 1)?;
    let pads = lengths(call, "pads", vec![0; 2 * axes], 0)?;
    let extra = lengths(call, "output_padding", vec![0; axes], 0)?;
    let mut full = Vec::with_capacity(axes);
    for i in 0..axes {
        let length =
            (sizes[i].max(1) - 1) * stride[i] + (kernel[i].max(1) - 1) * dilation[i] + 1 + extra[i];
        match length.checked_sub(pads[i] + pads[axes + i]).filter(|n| *n > 0) {
            Some(length) => full.push(length),
            None => return invalid(format!("pads {pads:?} of {length} entries")),
        }
    }
    if let Some(shape) = call.integers("output_shape")? {
        return unsupported(format!("output_shape = {shape:?}: use output_padding"));
    }
    // As a convolution of the result: window w covers what entry w of x adds to.
    let windows = Windows { kernel: kernel.clone(), stride, dilation, pads, places: sizes.clone() };
    let (places, area, plane) = (count(&sizes)?, count(&kernel)?, count(&full)?);
    let rows = outputs * area;
    count(&[batch, groups, places, rows])?;
    if channels * rows * batch * places == 0 {
        return invalid(format!("weights {:?} for {:?}: no entries", weight.shape, x.shape));
    }
    call.tape.charge(places * area * 6 + plane * 3)?;
    // Weights of a group, channels × rows, the other way round.
    let turned: Vec<f64> = (0..groups)
        .flat_map(|g| {
            (0..rows).flat_map(move |r| (0..channels).map(move |c| (g * channels + c) * rows + r))
        })
        .map(|at| known[at])
        .collect();
    call.tape.charge(turned.len())?;
    let linear = Linear {
        parts: batch * groups,
        groups,
        count: places,
        depth: channels,
        rows,
        across: true,
        weights: turned.into(),
        bias: [].into(),
    };
    let shape = vec![batch, groups * rows, places];
    let spread = call.tape.apply(Op::Linear(linear), &[&x], shape, Kind::Float)?;
    // What reaches each entry of one plane of the result: (window, place in it).
    let mut reached: Vec<Vec<(usize, usize)>> = vec![Vec::new(); plane];
    let mut window = 0;
    windows.each(&full, |entries, _| {
        for (place, at) in entries.iter().enumerate() {
            if let Some(at) = at {
                reached[*at].push((window, place));
            }
        }
        window += 1;
    })?;
    count(&[batch, groups, outputs, places * area])?;
    let rows = (0..batch * groups * outputs).flat_map(|o| {
        let from = move |(w, p): &(usize, usize)| ((o * area + p) * places + w, 1.0);
        reached.iter().map(move |list| list.iter().map(from).collect())
    });
    let shape = [&[batch, groups * outputs], &full[..]].concat();
    let result = call.tape.sparse(&spread, shape, Sparse::from_rows(rows))?;
    Ok(vec![add_bias(call, result)?])
}

fn pool(call: &mut Call<'_>) -> Lowered<Vec<Value>> {
    let x = call.input(0)?;
    let Some(kernel) = call.integers("kernel_shape")?.filter(|k| x.rank() == k.len() + 2) else {
        return invalid(format!("no kernel_shape for {:?}", x.shape));
    };
    let kernel = lengths(call, "kernel_shape", vec![1; kernel.len()], 1)?;
    let sizes = x.shape[2..].to_vec();
    let windows = Windows::new(call, &sizes, kernel)?;
    let (planes, plane) = (x.shape[0] * x.shape[1], count(&sizes)?);
    let (places, area) = (count(&windows.places)?, count(&windows.kernel)?);
    count(&[planes, places, area])?;
    let shape = [&x.shape[..2], &windows.places[..]].concat();
    let mut seen = Vec::with_capacity(places);
    let padding_counts = call.integer("count_include_pad", 0)? != 0;
    call.tape.charge(places * area * 3)?;
    windows.each(&sizes, |entries, padded| {
        let found: Vec<usize> = entries.iter().flatten().copied().collect();
        let counted = if padding_counts { padded } else { found.len() };
        seen.push((found, counted));
    })?;
    if call.node.operator == "AveragePool" {
        let row = |p: usize, (found, counted): &(Vec<usize>, usize)| {
            found.iter().map(|at| (p * plane + at, 1.0 / *counted as f64)).collect()
        };
        let rows = (0..planes).flat_map(|p| seen.iter().map(move |window| row(p, window)));
        return Ok(vec![call.tape.sparse(&x, shape, Sparse::from_rows(rows))?]);
    }
    // Missing places repeat one that is there, which changes no maximum.
    let mut map = Vec::with_capacity(planes * places * area);
    for p in 0..planes {
        for (found, _) in &seen {
            let Some(first) = found.first() else {
                return invalid("a window that sees only padding");
            };
            let fill = std::iter::repeat_n(first, area - found.len());
            map.extend(found.iter().chain(fill).map(|at| (p * plane + at) as u32));
        }
    }
    let rows = call.tape.take(&x, vec![planes, places, area], map)?;
    let largest = call.tape.max(&rows, &[2], false)?;
    Ok(vec![call.tape.reshape(&largest, shape)?])
}
