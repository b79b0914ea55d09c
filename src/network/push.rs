//! The tape run over a block: values of many states and products with their tangents, in one pass.

use super::entrywise::{binary, unary};
use super::tape::{Op, Place, STATE, Step, TIME, Tape, largest};

/// Numbers in the buffers beyond which trajectories are run in turn (32 MB).
const MOST_AT_ONCE: usize = 1 << 22;

/// Scratch memory of a [`super::Field`], grown on first use and then reused.
#[derive(Debug, Default)]
pub struct Room {
    /// By buffer of the plan: all columns of a vector that depends on the state.
    pub(super) buffers: Vec<Vec<f64>>,
    /// By slot: vectors of one column, those that depend on time only or, on the way back, all.
    pub(super) values: Vec<Vec<f64>>,
    /// Derivatives of the entries of one vector.
    pub(super) slopes: Vec<f64>,
}

/// For each trajectory its state, then its tangents, column by column.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) trajectories: usize,
    pub(super) tangents: usize,
}

impl Columns {
    pub(super) fn count(self) -> usize {
        self.trajectories * (1 + self.tangents)
    }
}

/// An input of a step: one vector for all columns, or one each.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) data: &'a [f64],
    pub(super) length: usize,
    pub(super) varies: bool,
    pub(super) tangents: usize,
}

impl<'a> Source<'a> {
    pub(super) fn column(&self, c: usize) -> &'a [f64] {
        &self.data[if self.varies { c * self.length } else { 0 }..][..self.length]
    }

    /// The vector of a trajectory.
    pub(super) fn value(&self, trajectory: usize) -> &'a [f64] {
        self.column(trajectory * (1 + self.tangents))
    }

    /// Its tangent in a lane; none where the vector does not vary.
    pub(super) fn tangent(&self, trajectory: usize, lane: usize) -> Option<&'a [f64]> {
        self.varies.then(|| self.column(trajectory * (1 + self.tangents) + 1 + lane))
    }
}

/// Numbers of scratch, grown where there are too few.
pub(super) fn grown(buffer: &mut Vec<f64>, length: usize) -> &mut [f64] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}

impl Tape {
    /// Values and tangents of the output; `block` and `out` are column-major.
    pub(super) fn push(
        &self,
        t: f64,
        block: &[f64],
        columns: Columns,
        out: &mut [f64],
        room: &mut Room,
    ) {
        let (dim, width) = (self.slots[STATE].length, self.slots[self.output].length);
        assert_eq!(block.len(), dim * columns.count(), "the block does not fit the network");
        assert_eq!(out.len(), width * columns.count(), "the result does not fit the network");
        self.run_time(t, room);
        let lanes = 1 + columns.tangents;
        let numbers = self.plan.lengths.iter().sum::<usize>().max(1) * lanes;
        let at_once = (MOST_AT_ONCE / numbers).max(1);
        let parts =
            block.chunks(dim * lanes * at_once).zip(out.chunks_mut(width * lanes * at_once));
        for (block, out) in parts {
            let trajectories = block.len() / (dim * lanes);
            self.run_state(block, Columns { trajectories, ..columns }, out, room);
        }
    }

    /// The vectors that depend on time only.
    pub(super) fn run_time(&self, t: f64, room: &mut Room) {
        room.values.resize_with(self.slots.len().max(room.values.len()), Vec::new);
        grown(&mut room.values[TIME], 1)[0] = t;
        let once = Columns { trajectories: 1, tangents: 0 };
        for step in self.steps.iter().filter(|s| matches!(self.slots[s.output].place, Place::Time))
        {
            self.single(step, once, room);
        }
    }

    /// One step on single columns.
    pub(super) fn single(&self, step: &Step, once: Columns, room: &mut Room) {
        let mut out = std::mem::take(&mut room.values[step.output]);
        let result = grown(&mut out, self.slots[step.output].length);
        let values = &room.values;
        let source = |slot: usize| Source { varies: false, ..self.source(slot, values, &[], 0) };
        step.run(&source, once, result, &mut room.slopes);
        room.values[step.output] = out;
    }

    /// Where a slot lies.
    pub(super) fn source<'a>(
        &'a self,
        slot: usize,
        values: &'a [Vec<f64>],
        buffers: &'a [Vec<f64>],
        tangents: usize,
    ) -> Source<'a> {
        let length = self.slots[slot].length;
        let (data, varies): (&[f64], bool) = match &self.slots[slot].place {
            Place::Constant(data) => (data, false),
            Place::State if !buffers.is_empty() => (&buffers[self.plan.buffer[slot]], true),
            _ => (&values[slot], false),
        };
        Source { data, length, varies, tangents }
    }

    fn run_state(&self, block: &[f64], columns: Columns, out: &mut [f64], room: &mut Room) {
        let count = self.plan.lengths.len().max(room.buffers.len());
        room.buffers.resize_with(count, Vec::new);
        grown(&mut room.buffers[self.plan.buffer[STATE]], block.len()).copy_from_slice(block);
        for step in self.steps.iter().filter(|s| matches!(self.slots[s.output].place, Place::State))
        {
            let buffer = self.plan.buffer[step.output];
            let mut held = std::mem::take(&mut room.buffers[buffer]);
            let length = self.slots[step.output].length * columns.count();
            let (values, buffers) = (&room.values, &room.buffers);
            let source = |slot: usize| self.source(slot, values, buffers, columns.tangents);
            step.run(&source, columns, grown(&mut held, length), &mut room.slopes);
            room.buffers[buffer] = held;
        }
        out.copy_from_slice(&room.buffers[self.plan.buffer[self.output]][..out.len()]);
    }
}

impl Step {
    /// Writes all columns of the output.
    fn run<'a>(
        &self,
        source: &impl Fn(usize) -> Source<'a>,
        columns: Columns,
        out: &mut [f64],
        slopes: &mut Vec<f64>,
    ) {
        let length = out.len() / columns.count();
        let first = source(self.inputs[0]);
        match &self.op {
            Op::Linear(linear) => return linear.run(first, columns, out),
            Op::Convolution(convolution) => return convolution.run(first, columns, out, slopes),
            Op::Take(_) | Op::Sparse(_) => {
                return each(first, out, length, |x, out| self.op.eval(&[x], out));
            }
            Op::Sum(width) => {
                return each(first, out, length, |x, out| {
                    for (out, row) in out.iter_mut().zip(x.chunks_exact(*width)) {
                        *out = sum(row);
                    }
                });
            }
            _ => (),
        }
        let width = length * (1 + columns.tangents);
        for (trajectory, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
            let (value, tangents) = out.split_at_mut(length);
            let lanes = tangents.chunks_exact_mut(length).enumerate();
            match &self.op {
                Op::Join => {
                    let mut start = 0;
                    for input in &self.inputs {
                        let x = source(*input);
                        let range = start..start + x.length;
                        value[range.clone()].copy_from_slice(x.value(trajectory));
                        for (lane, out) in tangents.chunks_exact_mut(length).enumerate() {
                            match x.tangent(trajectory, lane) {
                                Some(tangent) => out[range.clone()].copy_from_slice(tangent),
                                None => out[range.clone()].fill(0.0),
                            }
                        }
                        start = range.end;
                    }
                }
                Op::Unary(function) => {
                    unary(*function, first, trajectory, value, lanes, grown(slopes, length));
                }
                Op::Binary(pairing) => {
                    let second = source(self.inputs[1]);
                    let slopes = grown(slopes, 2 * length);
                    binary(*pairing, [first, second], trajectory, value, lanes, slopes);
                }
                Op::Select => {
                    let choices = [source(self.inputs[1]), source(self.inputs[2])];
                    let condition = first.value(trajectory);
                    let pick = |columns: [Option<&[f64]>; 2], out: &mut [f64]| {
                        for (i, out) in out.iter_mut().enumerate() {
                            let chosen = columns[usize::from(condition[i] == 0.0)];
                            *out = chosen.map_or(0.0, |column| column[i]);
                        }
                    };
                    pick(choices.map(|x| Some(x.value(trajectory))), value);
                    for (lane, out) in lanes {
                        pick(choices.map(|x| x.tangent(trajectory, lane)), out);
                    }
                }
                Op::Max { width, held } => {
                    let rows = first.value(trajectory).chunks_exact(*width);
                    let slopes = grown(slopes, length);
                    for (i, row) in rows.enumerate() {
                        let at = largest(row.iter().copied());
                        value[i] = row[at];
                        // Where the largest is: exact, since an index is a small integer.
                        slopes[i] = (i * width + at) as f64;
                    }
                    for (lane, out) in lanes {
                        match first.tangent(trajectory, lane).filter(|_| !held) {
                            Some(x) => out
                                .iter_mut()
                                .zip(&*slopes)
                                .for_each(|(out, at)| *out = x[*at as usize]),
                            None => out.fill(0.0),
                        }
                    }
                }
                Op::Product(product) => {
                    let second = source(self.inputs[1]);
                    let (a, b) = (first.value(trajectory), second.value(trajectory));
                    product.run(a, b, value, 0.0);
                    for (lane, out) in lanes {
                        let (da, db) =
                            (first.tangent(trajectory, lane), second.tangent(trajectory, lane));
                        if let Some(da) = da {
                            product.run(da, b, out, 0.0);
                        }
                        if let Some(db) = db {
                            product.run(a, db, out, if da.is_some() { 1.0 } else { 0.0 });
                        }
                    }
                }
                Op::Linear(_) | Op::Convolution(_) | Op::Take(_) | Op::Sum(_) | Op::Sparse(_) => {
                    unreachable!("done above")
                }
            }
        }
    }
}

/// A sum of eight sums side by side, which the compiler can keep in vectors.
fn sum(row: &[f64]) -> f64 {
    let (eights, rest) = row.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        for (sum, x) in sums.iter_mut().zip(eight) {
            *sum += x;
        }
    }
    sums.iter().sum::<f64>() + rest.iter().sum::<f64>()
}

/// A linear map of one vector: the same for values and tangents.
fn each(x: Source<'_>, out: &mut [f64], length: usize, map: impl Fn(&[f64], &mut [f64])) {
    for (c, out) in out.chunks_exact_mut(length.max(1)).enumerate() {
        map(x.column(c), out);
    }
}
