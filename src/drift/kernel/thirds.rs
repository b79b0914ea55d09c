//! Contracted third moments, D > 4: the derivative of the posterior covariance's trace.

use super::pack::PANEL;
use super::simd::{Kernel, Simd};

/// Σ w |p − m|² and Σ w |p − m|² (p − m) of one state, each in eight parts.
///
/// Deviations are formed before they are multiplied, so that nothing cancels
/// however narrow the posterior. A panel is read twice, the second time from the
/// nearest cache.
pub(super) struct Thirds<'a> {
    /// Centred atoms in panels of atoms.
    pub(super) by_atom: &'a [f64],
    /// Weights, one an atom.
    pub(super) weights: &'a [f64],
    /// m.
    pub(super) mean: &'a [f64],
    /// Where Σ w |p − m|² goes, eight numbers.
    pub(super) trace: &'a mut [f64],
    /// Where Σ w |p − m|² (p − m) goes, eight numbers a coordinate.
    pub(super) totals: &'a mut [f64],
}

impl Kernel for Thirds<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if S::LANES == 8 {
            self.sweep::<S, 3>(s);
        } else {
            self.sweep::<S, 6>(s);
        }
    }
}

impl Thirds<'_> {
    /// `V` vectors make a panel.
    #[inline(always)]
    fn sweep<S: Simd, const V: usize>(self, s: S) {
        let Self { by_atom, weights, mean, trace, totals } = self;
        totals.fill(0.0);
        let mut sum = s.splat(0.0);
        let panels = by_atom.chunks_exact(PANEL * mean.len());
        for (panel, weights) in panels.zip(weights.chunks_exact(PANEL)) {
            if weights.iter().all(|w| *w == 0.0) {
                continue;
            }
            let mut squares = [s.splat(0.0); V];
            for (column, m) in panel.chunks_exact(PANEL).zip(mean) {
                let m = s.splat(*m);
                for (v, square) in squares.iter_mut().enumerate() {
                    let away = s.sub(s.load(&column[v * S::LANES..]), m);
                    *square = s.mul_add(away, away, *square);
                }
            }
            for (v, square) in squares.iter_mut().enumerate() {
                *square = s.mul(*square, s.load(&weights[v * S::LANES..]));
                sum = s.add(sum, *square);
            }
            let columns = panel.chunks_exact(PANEL).zip(totals.chunks_exact_mut(8));
            for ((column, totals), m) in columns.zip(mean) {
                let m = s.splat(*m);
                let mut total = s.load(totals);
                for (v, square) in squares.iter().enumerate() {
                    let away = s.sub(s.load(&column[v * S::LANES..]), m);
                    total = s.mul_add(*square, away, total);
                }
                s.store(total, totals);
            }
        }
        trace.fill(0.0);
        s.store(sum, trace);
    }
}
