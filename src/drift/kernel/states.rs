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

/// Log weights of the states of a few trajectories, and inner products of atoms with their tangents, in one pass over
/// the atoms.
pub(super) struct InnerProducts<'a> {
    /// The centred law and the channel.
    pub(super) prior: Prior<'a>,
    /// States less a times the mean of the atoms, times a/b_t²; `D×T`.
    pub(super) scaled: &'a [f64],
    /// Tangents, K a trajectory.
    pub(super) tangents: Columns<'a>,
    /// T·(1 + K) columns, one number an atom: for each trajectory its log weights, then the products.
    pub(super) out: &'a mut [f64],
    /// From one column to the next.
    pub(super) stride: usize,
    /// The largest log weight of each trajectory.
    pub(super) largest: &'a mut [f64],
}

impl Kernel for InnerProducts<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { prior, scaled, tangents, out, stride, largest } = self;
        let (dim, trajectories) = (prior.dim, largest.len());
        let group_stride = stride * (1 + tangents.count / trajectories);
        let a = Panels { data: prior.centres, rows: prior.offsets.len(), depth: dim };
        largest.fill(f64::NEG_INFINITY);
        for p in 0..prior.offsets.len() / PANEL {
            let states = Columns::plain(scaled, dim, trajectories);
            let product =
                Product { a, panels: p..p + 1, depth: 0..dim, b: states, shape: Shape::Full };
            product.run(s, &mut Dense { out, stride, group: 1, group_stride, add: false });
            let offsets = &prior.offsets[p * PANEL..][..PANEL];
            let mut negligible = true;
            for (t, largest) in largest.iter_mut().enumerate() {
                let logits = &mut out[t * group_stride + p * PANEL..][..PANEL];
                let here = add_and_largest(s, logits, offsets);
                *largest = if here > *largest { here } else { *largest };
                // One more than the least exponent, since inner products may be off.
                negligible &= here < *largest + LEAST_EXPONENT - 1.0;
            }
            if !negligible && tangents.count > 0 {
                let out = &mut out[stride..];
                let product = Product { b: tangents, ..product };
                let group = tangents.group;
                product.run(s, &mut Dense { out, stride, group, group_stride, add: false });
            }
        }
    }
}

/// Turns log weights into unnormalised weights, column by column.
pub(super) struct Softmax<'a> {
    /// The centred law and the channel.
    pub(super) prior: Prior<'a>,
    /// States less a times the mean of the atoms, `D×T`.
    pub(super) states: &'a [f64],
    /// The columns of [`InnerProducts`].
    pub(super) columns: &'a mut [f64],
    /// From one trajectory to the next.
    pub(super) stride: usize,
    /// In: the largest log weight of each trajectory. Out: the sum of its weights.
    pub(super) masses: &'a mut [f64],
}

impl Kernel for Softmax<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { prior, states, columns, stride, masses } = self;
        let columns = columns.chunks_mut(stride).zip(states.chunks_exact(prior.dim));
        for ((column, state), mass) in columns.zip(masses) {
            let logits = &mut column[..prior.offsets.len()];
            let mut largest = *mass;
            if prior.needs_refinement(state) {
                largest = refine(s, &prior, state, logits, largest);
            }
            *mass = exponentials_and_sum(s, logits, largest);
        }
    }
}

/// Turns the inner products of a run of atoms into weighted deviations w_i (⟨p_i, v⟩ − ⟨o, v⟩), o any atom.
pub(super) struct Deviations<'a> {
    /// The columns of [`InnerProducts`], their log weights replaced by weights, from the first atom of the run.
    pub(super) columns: &'a mut [f64],
    /// Atoms of the run.
    pub(super) atoms: usize,
    /// From one column to the next.
    pub(super) stride: usize,
    /// Tangents of a trajectory.
    pub(super) tangents: usize,
    /// ⟨o, v⟩ for each tangent.
    pub(super) origins: &'a [f64],
    /// Σ_i of each column, in eight parts.
    pub(super) totals: &'a mut [f64],
}

impl Kernel for Deviations<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { columns, atoms, stride, tangents, origins, totals } = self;
        let trajectories = columns.chunks_mut(stride * (1 + tangents));
        let sums = origins.chunks_exact(tangents).zip(totals.chunks_exact_mut(8 * tangents));
        for (trajectory, (origins, totals)) in trajectories.zip(sums) {
            let (weights, products) = trajectory.split_at_mut(stride);
            let sums = origins.iter().zip(totals.chunks_exact_mut(8));
            for (product, (origin, totals)) in products.chunks_mut(stride).zip(sums) {
                weigh(s, &weights[..atoms], &mut product[..atoms], *origin, totals);
            }
        }
    }
}

/// q ← w (q − origin), and adds the sum to the first lanes of `totals`.
#[inline(always)]
pub(super) fn weigh<S: Simd>(s: S, w: &[f64], q: &mut [f64], origin: f64, totals: &mut [f64]) {
    let origin = s.splat(origin);
    let mut total = s.load(totals);
    for (w, q) in w.chunks_exact(S::LANES).zip(q.chunks_exact_mut(S::LANES)) {
        let weighted = s.mul(s.load(w), s.sub(s.load(q), origin));
        total = s.add(total, weighted);
        s.store(weighted, q);
    }
    s.store(total, totals);
}
