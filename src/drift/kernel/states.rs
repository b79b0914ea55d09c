//! Posterior weights of states, in any dimension.

use super::pack::{Columns, PANEL, Panels};
use super::product::{Dense, Product, Shape};
use super::simd::{Kernel, Simd};
use super::softmax::{LEAST_EXPONENT, add_and_largest, exponentials_and_sum};

/// Inner products lose this many times the rounding in a log weight before they are computed again from differences.
const LARGEST_CONDITION: f64 = 4096.0;

/// The centred law as the kernel keeps it, seen through one channel.
#[derive(Clone, Copy)]
pub(super) struct Prior<'a> {
    /// Dimension D.
    pub(super) dim: usize,
    /// Centred atoms in panels of `height` atoms: `height` first coordinates, then the second ones, ….
    pub(super) centres: &'a [f64],
    /// Atoms of a panel.
    pub(super) height: usize,
    /// log w_i; −∞ for padding.
    pub(super) log_weights: &'a [f64],
    /// log w_i − a²|p_i|²/(2 b_t²).
    pub(super) offsets: &'a [f64],
    /// a.
    pub(super) signal: f64,
    /// a/b_t².
    pub(super) gain: f64,
    /// max |p_i|.
    pub(super) radius: f64,
}

impl Prior<'_> {
    /// True when log weights from inner products lose more than [`LARGEST_CONDITION`] roundings.
    #[inline(always)]
    pub(super) fn needs_refinement(&self, state: &[f64]) -> bool {
        let square: f64 = state.iter().map(|x| x * x).sum();
        // The terms that cancel: a⟨x, p⟩/b_t² and a²|p|²/(2 b_t²).
        let reach = self.gain * self.radius;
        reach * (square.sqrt() + self.signal * self.radius) > LARGEST_CONDITION
    }

    #[inline(always)]
    fn atom(&self, i: usize, d: usize) -> f64 {
        self.centres[(i / self.height) * self.height * self.dim + d * self.height + i % self.height]
    }
}

/// Replaces the log weights that matter by log odds against the likeliest atom o,
/// (a/b_t²) ⟨x − a (p_i + o)/2, p_i − o⟩ + log w_i/w_o, and returns the largest.
///
/// Differences of nearby atoms are nearly exact, so this keeps all digits however
/// small the noise, where inner products lose a R²/b_t² roundings.
#[inline(always)]
pub(super) fn refine<S: Simd>(
    s: S,
    prior: &Prior<'_>,
    state: &[f64],
    logits: &mut [f64],
    largest: f64,
) -> f64 {
    let Some(origin) = logits.iter().position(|l| *l == largest) else {
        return largest; // Every log weight is NaN.
    };
    let half = s.splat(-0.5 * prior.signal);
    let mut best = f64::NEG_INFINITY;
    let panels = prior.centres.chunks_exact(prior.height * prior.dim);
    let log_weights = prior.log_weights.chunks_exact(prior.height);
    let logits = logits.chunks_exact_mut(prior.height);
    for ((panel, log_weights), logits) in panels.zip(log_weights).zip(logits) {
        for first in (0..prior.height).step_by(S::LANES) {
            let logits = &mut logits[first..][..S::LANES];
            // One more than the least exponent, since the inexact log weight may be off.
            if !s.any_from(s.load(logits), largest + LEAST_EXPONENT - 1.0) {
                logits.fill(f64::NEG_INFINITY);
                continue;
            }
            let mut closer = s.splat(0.0);
            for (d, x) in state.iter().enumerate() {
                let p = s.load(&panel[d * prior.height + first..]);
                let o = s.splat(prior.atom(origin, d));
                let from_middle = s.mul_add(half, s.add(p, o), s.splat(*x));
                closer = s.mul_add(from_middle, s.sub(p, o), closer);
            }
            let odds = s.sub(s.load(&log_weights[first..]), s.splat(prior.log_weights[origin]));
            let odds = s.mul_add(s.splat(prior.gain), closer, odds);
            best = best.max(s.largest(odds));
            s.store(odds, logits);
        }
    }
    best
}

/// Unnormalised posterior weights and their sums, for the states of a few trajectories.
pub(super) struct Weights<'a> {
    /// The centred law and the channel.
    pub(super) prior: Prior<'a>,
    /// States less a times the mean of the atoms, `D×T`.
    pub(super) states: &'a [f64],
    /// The same times a/b_t².
    pub(super) scaled: &'a [f64],
    /// Weights, `padded atoms×T`.
    pub(super) weights: &'a mut [f64],
    /// Their sums, T.
    pub(super) masses: &'a mut [f64],
}

impl Kernel for Weights<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { prior, states, scaled, weights, masses } = self;
        let (dim, padded) = (prior.dim, prior.offsets.len());
        let inner_products = Product {
            a: Panels { data: prior.centres, rows: padded, depth: dim },
            panels: 0..padded / PANEL,
            depth: 0..dim,
            b: Columns::plain(scaled, dim, masses.len()),
            shape: Shape::Full,
        };
        inner_products.run(s, &mut Dense { out: weights, stride: padded, add: false });
        let columns = weights.chunks_exact_mut(padded).zip(states.chunks_exact(dim));
        for ((logits, state), mass) in columns.zip(masses) {
            let mut largest = add_and_largest(s, logits, prior.offsets);
            if prior.needs_refinement(state) {
                largest = refine(s, &prior, state, logits, largest);
            }
            *mass = exponentials_and_sum(s, logits, largest);
        }
    }
}

/// ⟨m, v⟩ for the mean of each group and its columns.
pub(super) struct InnerProducts<'a> {
    /// Means, `stride` apart, zero beyond D.
    pub(super) means: &'a [f64],
    /// From one mean to the next.
    pub(super) stride: usize,
    /// The columns.
    pub(super) columns: Columns<'a>,
    /// Their length D.
    pub(super) dim: usize,
    /// One number a column.
    pub(super) out: &'a mut [f64],
}

impl Kernel for InnerProducts<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (j, out) in self.out.iter_mut().enumerate() {
            let mean = &self.means[(j / self.columns.group) * self.stride..][..self.dim];
            let column = self.columns.column(j, self.dim);
            let (wide, rest) = column.split_at(self.dim - self.dim % S::LANES);
            let mut sum = s.splat(0.0);
            for (m, v) in mean.chunks_exact(S::LANES).zip(wide.chunks_exact(S::LANES)) {
                sum = s.mul_add(s.load(m), s.load(v), sum);
            }
            *out = s.sum(sum);
            for (m, v) in mean[wide.len()..].iter().zip(rest) {
                *out += m * v;
            }
        }
    }
}
