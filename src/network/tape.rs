//! A network lowered to a tape of a few primitives with static shapes, and their definition over [`Scalar`].

use super::function::{Function, Pairing};
use super::plan::Plan;
use crate::scalar::Scalar;
use std::ops::Range;
use std::sync::Arc;

/// The index of [`Op::Take`] that gives 0.
pub(super) const GAP: u32 = u32::MAX;

/// What a slot depends on; a later kind absorbs an earlier one.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Known before the run.
    Constant(Arc<[f64]>),
    /// On time only: computed once for all columns.
    Time,
    /// On the state.
    State,
}

/// A vector of the tape.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) length: usize,
    pub(super) place: Place,
}

/// Sums of weighted entries: row r is the sum of `weights[p] · x[columns[p]]` over p in starts[r]..starts[r + 1].
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse {
    pub(super) starts: Vec<u32>,
    pub(super) columns: Vec<u32>,
    pub(super) weights: Vec<f64>,
}

/// W_g X + bias for each part: a matrix X of `count` vectors of length `depth`, each of which is mapped to `rows` numbers.
///
/// There are `groups` matrices W; part p uses number p mod `groups`.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    pub(super) parts: usize,
    pub(super) groups: usize,
    pub(super) count: usize,
    pub(super) depth: usize,
    pub(super) rows: usize,
    /// False: vectors lie one after another, before and after. True: entry by entry, all vectors side by side.
    pub(super) across: bool,
    /// groups × rows × depth, row-major.
    pub(super) weights: Arc<[f64]>,
    /// groups × rows, or empty.
    pub(super) bias: Arc<[f64]>,
    /// Where the entries of all X come from, when they are not the input as it is.
    pub(super) gather: Option<Arc<Gather>>,
}

/// Entries by index, kept as runs of neighbours; what no run covers is 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Gather {
    pub(super) length: usize,
    /// (first in the result, first in the source, how many).
    runs: Vec<(u32, u32, u32)>,
}

/// Products of `batch` row-major matrices, `rows×depth` times `depth×columns`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) batch: usize,
    pub(super) rows: usize,
    pub(super) depth: usize,
    pub(super) columns: usize,
}

/// A primitive.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// The inputs one after another.
    Join,
    /// Entries by index, or 0 at a [`GAP`].
    Take(Arc<[u32]>),
    /// The sum of each so many entries.
    Sum(usize),
    Sparse(Arc<Sparse>),
    Linear(Linear),
    Product(Product),
    Unary(Function),
    Binary(Pairing),
    /// The second input where the first is not 0, else the third.
    Select,
    /// The largest of each `width` entries; `held`: as a constant, where the result does not depend on it.
    Max {
        width: usize,
        held: bool,
    },
}

/// One primitive applied to slots.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
}

/// The whole network; slot `time` has length 1.
#[derive(Clone, Debug)]
pub(super) struct Tape {
    pub(super) slots: Vec<Slot>,
    pub(super) steps: Vec<Step>,
    pub(super) time: usize,
    pub(super) state: usize,
    pub(super) output: usize,
    pub(super) plan: Plan,
}

impl Tape {
    /// The definition: every step in turn, over any carrier.
    pub(super) fn eval<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let lift = |slot: &Slot| match &slot.place {
            Place::Constant(data) => data.iter().map(|c| S::from(*c)).collect(),
            _ => Vec::new(),
        };
        let mut values: Vec<Vec<S>> = self.slots.iter().map(lift).collect();
        values[self.time] = vec![t];
        values[self.state] = x.to_vec();
        for step in &self.steps {
            let inputs: Vec<&[S]> = step.inputs.iter().map(|i| values[*i].as_slice()).collect();
            let mut result = vec![S::from(0.0); self.slots[step.output].length];
            step.op.eval(&inputs, &mut result);
            values[step.output] = result;
        }
        out.copy_from_slice(&values[self.output]);
    }

    /// Multiply-adds of one column: of the products only, where nearly all of the arithmetic is.
    pub(super) fn multiply_adds(&self) -> u64 {
        let varies = |step: &&Step| matches!(self.slots[step.output].place, Place::State);
        self.steps.iter().filter(varies).map(|step| step.op.multiply_adds()).sum()
    }
}

impl Op {
    /// Multiply-adds of one evaluation.
    pub(super) fn multiply_adds(&self) -> u64 {
        let product = |sizes: &[usize]| sizes.iter().map(|n| *n as u64).product();
        match self {
            Self::Sparse(sparse) => sparse.weights.len() as u64,
            Self::Linear(l) => product(&[l.parts, l.count, l.depth, l.rows]),
            Self::Product(p) => product(&[p.batch, p.rows, p.depth, p.columns]),
            _ => 0,
        }
    }

    /// Writes the result to `out`.
    pub(super) fn eval<S: Scalar>(&self, inputs: &[&[S]], out: &mut [S]) {
        match self {
            Self::Join => {
                let mut rest = out;
                for input in inputs {
                    let (head, tail) = rest.split_at_mut(input.len());
                    head.copy_from_slice(input);
                    rest = tail;
                }
            }
            Self::Take(map) => {
                for (out, index) in out.iter_mut().zip(map.iter()) {
                    *out = inputs[0].get(*index as usize).copied().unwrap_or(S::from(0.0));
                }
            }
            Self::Sum(width) => {
                for (out, row) in out.iter_mut().zip(inputs[0].chunks_exact(*width)) {
                    *out = row.iter().fold(S::from(0.0), |sum, x| sum + *x);
                }
            }
            Self::Sparse(sparse) => sparse.eval(inputs[0], out),
            Self::Linear(linear) => linear.eval(inputs[0], out),
            Self::Product(product) => product.eval(inputs[0], inputs[1], out),
            Self::Unary(function) => {
                for (out, x) in out.iter_mut().zip(inputs[0]) {
                    *out = function.eval(*x);
                }
            }
            Self::Binary(pairing) => {
                for ((out, a), b) in out.iter_mut().zip(inputs[0]).zip(inputs[1]) {
                    *out = pairing.eval(*a, *b);
                }
            }
            Self::Select => {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = inputs[if inputs[0][i].re() == 0.0 { 2 } else { 1 }][i];
                }
            }
            Self::Max { width, held } => {
                for (out, row) in out.iter_mut().zip(inputs[0].chunks_exact(*width)) {
                    let largest = row[largest(row.iter().map(|x| x.re()))];
                    *out = if *held { S::from(largest.re()) } else { largest };
                }
            }
        }
    }
}

/// Where the largest is, the first of equals.
pub(super) fn largest(row: impl Iterator<Item = f64>) -> usize {
    let mut found = (0, f64::NEG_INFINITY);
    for (i, x) in row.enumerate() {
        if x > found.1 {
            found = (i, x);
        }
    }
    found.0
}

impl Sparse {
    /// The (column, weight) pairs of a row.
    pub(super) fn row(&self, r: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[r] as usize..self.starts[r + 1] as usize;
        self.columns[range.clone()]
            .iter()
            .map(|c| *c as usize)
            .zip(self.weights[range].iter().copied())
    }

    /// From the entries of each row.
    pub(super) fn from_rows(rows: impl Iterator<Item = Vec<(usize, f64)>>) -> Self {
        let mut sparse = Self { starts: vec![0], ..Self::default() };
        for row in rows {
            for (column, weight) in row {
                sparse.columns.push(column as u32);
                sparse.weights.push(weight);
            }
            sparse.starts.push(sparse.columns.len() as u32);
        }
        sparse
    }

    fn eval<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        for (r, out) in out.iter_mut().enumerate() {
            *out = self.row(r).fold(S::from(0.0), |sum, (c, w)| sum + x[c] * w);
        }
    }
}

impl Gather {
    /// From the indices of all entries, [`GAP`] for 0.
    pub(super) fn new(map: &[u32]) -> Self {
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        for (to, from) in map.iter().enumerate().filter(|(_, from)| **from != GAP) {
            match runs.last_mut() {
                Some((start, first, count))
                    if *start + *count == to as u32 && *first + *count == *from =>
                {
                    *count += 1;
                }
                _ => runs.push((to as u32, *from, 1)),
            }
        }
        Self { length: map.len(), runs }
    }

    /// (result, source) ranges of each run.
    fn ranges(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let range = |start: u32, count: u32| start as usize..(start + count) as usize;
        self.runs.iter().map(move |(to, from, count)| (range(*to, *count), range(*from, *count)))
    }

    pub(super) fn eval<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        out.fill(S::from(0.0));
        for (to, from) in self.ranges() {
            out[to].copy_from_slice(&x[from]);
        }
    }

    /// Adds each entry of the result to where it comes from.
    pub(super) fn add_back(&self, result: &[f64], x: &mut [f64]) {
        for (to, from) in self.ranges() {
            x[from].iter_mut().zip(&result[to]).for_each(|(x, result)| *x += result);
        }
    }
}

impl Linear {
    /// The matrix of a part.
    pub(super) fn matrix(&self, part: usize) -> &[f64] {
        let size = self.rows * self.depth;
        &self.weights[part % self.groups * size..][..size]
    }

    /// The bias of a part, if there is one.
    pub(super) fn bias(&self, part: usize) -> Option<&[f64]> {
        (!self.bias.is_empty()).then(|| &self.bias[part % self.groups * self.rows..][..self.rows])
    }

    /// From one entry of a vector to the next, and from one vector to the next, of vectors of this length.
    pub(super) fn strides(&self, length: usize) -> (usize, usize) {
        if self.across { (self.count, 1) } else { (1, length) }
    }

    fn eval<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let mut gathered = Vec::new();
        let x = match &self.gather {
            None => x,
            Some(gather) => {
                gathered.resize(gather.length, S::from(0.0));
                gather.eval(x, &mut gathered);
                &gathered
            }
        };
        let (from, to) = (self.strides(self.depth), self.strides(self.rows));
        let parts = x.chunks_exact(self.count * self.depth);
        for (part, (x, out)) in parts.zip(out.chunks_exact_mut(self.count * self.rows)).enumerate()
        {
            for (r, weights) in self.matrix(part).chunks_exact(self.depth).enumerate() {
                let bias = S::from(self.bias(part).map_or(0.0, |bias| bias[r]));
                for j in 0..self.count {
                    let terms = weights.iter().zip(x[j * from.1..].iter().step_by(from.0));
                    out[r * to.0 + j * to.1] = terms.fold(bias, |sum, (w, x)| sum + *x * *w);
                }
            }
        }
    }
}

impl Product {
    fn eval<S: Scalar>(&self, a: &[S], b: &[S], out: &mut [S]) {
        let factors =
            a.chunks_exact(self.rows * self.depth).zip(b.chunks_exact(self.depth * self.columns));
        let outs = out.chunks_exact_mut(self.rows * self.columns);
        for ((a, b), out) in factors.zip(outs) {
            for (i, row) in a.chunks_exact(self.depth).enumerate() {
                for j in 0..self.columns {
                    let terms = row.iter().zip(b[j..].iter().step_by(self.columns));
                    out[i * self.columns + j] =
                        terms.fold(S::from(0.0), |sum, (a, b)| sum + *a * *b);
                }
            }
        }
    }
}
