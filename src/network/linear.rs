//! Linear maps with known weights: the matrix products of a network, with the windows of its convolutions.

use super::product::gemm;
use super::push::{Columns, Source, grown};
use super::tape::GAP;
use crate::scalar::Scalar;
use std::ops::Range;
use std::sync::Arc;

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

    pub(super) fn eval<S: Scalar>(&self, x: &[S], out: &mut [S]) {
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

    /// Numbers of scratch that one column needs.
    fn scratch(&self) -> usize {
        self.gather.as_ref().map_or(0, |gather| gather.length)
    }

    /// All columns: one matrix product where their vectors lie one after another.
    pub(super) fn run(
        &self,
        x: Source<'_>,
        columns: Columns,
        out: &mut [f64],
        room: &mut Vec<f64>,
    ) {
        let gathered = grown(room, self.scratch());
        let length = self.parts * self.count * self.rows;
        if self.parts == 1 && !self.across && self.gather.is_none() {
            self.product(0, self.count * columns.count(), x.data, out);
        } else {
            for (c, out) in out.chunks_exact_mut(length).enumerate() {
                let x = match &self.gather {
                    None => x.column(c),
                    Some(gather) => {
                        gather.eval(x.column(c), gathered);
                        &*gathered
                    }
                };
                let parts = x.chunks_exact(self.count * self.depth);
                let outs = out.chunks_exact_mut(self.count * self.rows);
                for (part, (x, out)) in parts.zip(outs).enumerate() {
                    self.product(part, self.count, x, out);
                }
            }
        }
        for value in out.chunks_exact_mut(length * (1 + columns.tangents)) {
            self.add_bias(&mut value[..length]);
        }
    }

    /// The matrix of a part times so many vectors.
    fn product(&self, part: usize, count: usize, x: &[f64], out: &mut [f64]) {
        gemm(
            [self.rows, self.depth, count],
            (self.matrix(part), (self.depth, 1)),
            (x, self.strides(self.depth)),
            0.0,
            (out, self.strides(self.rows)),
        );
    }

    fn add_bias(&self, out: &mut [f64]) {
        for (part, out) in out.chunks_exact_mut(self.count * self.rows).enumerate() {
            let Some(bias) = self.bias(part) else {
                return;
            };
            if self.across {
                for (out, bias) in out.chunks_exact_mut(self.count).zip(bias) {
                    out.iter_mut().for_each(|out| *out += bias);
                }
            } else {
                for out in out.chunks_exact_mut(self.rows) {
                    out.iter_mut().zip(bias).for_each(|(out, bias)| *out += bias);
                }
            }
        }
    }

    /// Adds Wᵀ times the covectors of all columns.
    pub(super) fn back(&self, columns: usize, from: &[f64], to: &mut [f64], room: &mut Vec<f64>) {
        if self.parts == 1 && !self.across && self.gather.is_none() {
            return self.transposed(0, self.count * columns, from, 1.0, to);
        }
        let gathered = grown(room, self.gather.as_ref().map_or(0, |gather| gather.length));
        let width = to.len() / columns;
        let froms = from.chunks_exact(self.parts * self.count * self.rows);
        for (from, to) in froms.zip(to.chunks_exact_mut(width)) {
            let keep = if self.gather.is_some() { 0.0 } else { 1.0 };
            let (sums, back) = match &self.gather {
                None => (&mut *to, None),
                Some(gather) => (&mut *gathered, Some((gather, &mut *to))),
            };
            let parts = from.chunks_exact(self.count * self.rows);
            for (part, (from, sums)) in
                parts.zip(sums.chunks_exact_mut(self.count * self.depth)).enumerate()
            {
                self.transposed(part, self.count, from, keep, sums);
            }
            if let Some((gather, to)) = back {
                gather.add_back(sums, to);
            }
        }
    }

    /// sums = Wᵀ·from + keep·sums.
    fn transposed(&self, part: usize, count: usize, from: &[f64], keep: f64, sums: &mut [f64]) {
        gemm(
            [self.depth, self.rows, count],
            (self.matrix(part), (1, self.depth)),
            (from, self.strides(self.rows)),
            keep,
            (sums, self.strides(self.depth)),
        );
    }
}
