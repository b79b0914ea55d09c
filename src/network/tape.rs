//! A network lowered to a tape of a few primitives with static shapes, and their definition over [`Scalar`].

use super::convolution::Convolution;
use super::function::{Function, Pairing};
use super::linear::Linear;
use super::plan::Plan;
use super::product::Product;
use crate::scalar::Scalar;
use std::sync::Arc;

/// The index of [`Op::Take`] that gives 0.
pub(super) const GAP: u32 = u32::MAX;

/// The slot of time, of length 1.
pub(super) const TIME: usize = 0;

/// The slot of the state.
pub(super) const STATE: usize = 1;

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
    Convolution(Convolution),
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

/// The whole network.
#[derive(Clone, Debug)]
pub(super) struct Tape {
    pub(super) slots: Vec<Slot>,
    pub(super) steps: Vec<Step>,
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
        values[TIME] = vec![t];
        values[STATE] = x.to_vec();
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
            Self::Linear(l) | Self::Convolution(Convolution { linear: l, .. }) => {
                product(&[l.parts, l.count, l.depth, l.rows])
            }
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
            Self::Convolution(convolution) => convolution.eval(inputs[0], out),
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
