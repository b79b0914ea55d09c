//! Linear maps with known weights.

use super::product::gemm;
use super::push::{Columns, Source};
use crate::scalar::Scalar;
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

    /// All columns: one matrix product where their vectors lie one after another.
    pub(super) fn run(&self, x: Source<'_>, columns: Columns, out: &mut [f64]) {
        if self.parts == 1 && !self.across {
            self.product(0, self.count * columns.count(), x.data, out);
        } else {
            let xs = x.data.chunks_exact(self.count * self.depth);
            let outs = out.chunks_exact_mut(self.count * self.rows);
            for (part, (x, out)) in xs.zip(outs).enumerate() {
                self.product(part, self.count, x, out);
            }
        }
        self.add_bias(columns, out);
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

    /// Adds the bias to the values, which tangents do not have.
    pub(super) fn add_bias(&self, columns: Columns, out: &mut [f64]) {
        let size = self.count * self.rows;
        for value in out.chunks_exact_mut(self.parts * size * (1 + columns.tangents)) {
            for (part, out) in value.chunks_exact_mut(size).take(self.parts).enumerate() {
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
    }

    /// Adds Wᵀ times the covectors of all columns.
    pub(super) fn back(&self, columns: usize, from: &[f64], to: &mut [f64]) {
        if self.parts == 1 && !self.across {
            return self.transposed(0, self.count * columns, from, to);
        }
        let froms = from.chunks_exact(self.count * self.rows);
        for (part, (from, to)) in
            froms.zip(to.chunks_exact_mut(self.count * self.depth)).enumerate()
        {
            self.transposed(part, self.count, from, to);
        }
    }

    /// Adds Wᵀ·from.
    fn transposed(&self, part: usize, count: usize, from: &[f64], to: &mut [f64]) {
        gemm(
            [self.depth, self.rows, count],
            (self.matrix(part), (1, self.depth)),
            (from, self.strides(self.rows)),
            1.0,
            (to, self.strides(self.depth)),
        );
    }
}
