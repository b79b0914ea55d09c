//! Contracted third moments, D > 4: the derivative of the posterior covariance's trace.

use super::pack::PANEL;
use super::simd::{Kernel, Simd};

/// Most states side by side.
pub(super) const STATES: usize = 4;

/// tr C = Σ w |p − m|² and Σ w |p − m|² (p − m) of the states of a block, Σ w = 1.
///
/// Deviations are formed before they are multiplied, so that nothing cancels
/// however narrow the posterior. A few states share the reading of a panel, and
/// each sees the operations, in the order, that it would see alone.
pub(super) struct Thirds<'a> {
    /// Centred atoms in panels of atoms.
    pub(super) by_atom: &'a [f64],
    /// Dimension D.
    pub(super) dim: usize,
    /// Weights of each state, one an atom, not normalised.
    pub(super) weights: &'a [f64],
    /// From the weights of one state to those of the next.
    pub(super) stride: usize,
    /// Their sums, one a state.
    pub(super) masses: &'a [f64],
    /// m of each state.
    pub(super) means: &'a [f64],
    /// From one mean to the next.
    pub(super) means_stride: usize,
    /// Scratch of 8 [`STATES`] numbers a coordinate.
    pub(super) totals: &'a mut [f64],
    /// D + 1 numbers a state: the vector, then the trace.
    pub(super) out: &'a mut [f64],
}

impl Kernel for Thirds<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        match S::REGISTERS {
            32 => self.side_by_side::<S, 3, STATES>(s),
            16 => self.side_by_side::<S, 6, 2>(s),
            _ => self.side_by_side::<S, 6, 1>(s),
        }
    }
}

impl Thirds<'_> {
    #[inline(always)]
    fn side_by_side<S: Simd, const V: usize, const P: usize>(&mut self, s: S) {
        let count = self.masses.len();
        let rest = count - count % P;
        for first in (0..rest).step_by(P) {
            self.sweep::<S, V, P>(s, first);
        }
        for first in rest..count {
            self.sweep::<S, V, 1>(s, first);
        }
    }

    /// States `first..first + P`; `V` vectors make a panel.
    #[inline(always)]
    fn sweep<S: Simd, const V: usize, const P: usize>(&mut self, s: S, first: usize) {
        let dim = self.dim;
        let mut means: [&[f64]; P] = [&[]; P];
        for (p, mean) in means.iter_mut().enumerate() {
            *mean = &self.means[(first + p) * self.means_stride..][..dim];
        }
        let totals = &mut self.totals[..8 * P * dim];
        totals.fill(0.0);
        let mut traces = [s.splat(0.0); P];
        for (i, panel) in self.by_atom.chunks_exact(PANEL * dim).enumerate() {
            let mut weights: [&[f64]; P] = [&[]; P];
            for (p, weights) in weights.iter_mut().enumerate() {
                *weights = &self.weights[(first + p) * self.stride + i * PANEL..][..PANEL];
            }
            if weights.iter().all(|weights| weights.iter().all(|w| *w == 0.0)) {
                continue;
            }
            let mut squares = [[s.splat(0.0); V]; P];
            for (d, column) in panel.chunks_exact(PANEL).enumerate() {
                for p in 0..P {
                    let mean = s.splat(means[p][d]);
                    for v in 0..V {
                        let away = s.sub(s.load(&column[v * S::LANES..]), mean);
                        squares[p][v] = s.mul_add(away, away, squares[p][v]);
                    }
                }
            }
            for p in 0..P {
                for v in 0..V {
                    squares[p][v] = s.mul(squares[p][v], s.load(&weights[p][v * S::LANES..]));
                    traces[p] = s.add(traces[p], squares[p][v]);
                }
            }
            let columns = panel.chunks_exact(PANEL).zip(totals.chunks_exact_mut(8 * P));
            for (d, (column, totals)) in columns.enumerate() {
                for p in 0..P {
                    let mean = s.splat(means[p][d]);
                    let mut total = s.load(&totals[8 * p..]);
                    for v in 0..V {
                        let away = s.sub(s.load(&column[v * S::LANES..]), mean);
                        total = s.mul_add(squares[p][v], away, total);
                    }
                    s.store(total, &mut totals[8 * p..]);
                }
            }
        }
        for p in 0..P {
            let mass = self.masses[first + p];
            let out = &mut self.out[(first + p) * (dim + 1)..][..dim + 1];
            for (out, totals) in out.iter_mut().zip(totals.chunks_exact(8 * P)) {
                *out = s.sum(s.load(&totals[8 * p..])) / mass;
            }
            out[dim] = s.sum(traces[p]) / mass;
        }
    }
}
