//! Posterior moments in low dimension: every sum over atoms of one state stays in registers.

use super::centres::Gauge;
use super::simd::{Kernel, Simd};
use super::softmax::{add_and_largest, exponentials_and_sum};
use super::states::{Prior, refine};

/// The largest dimension with moments in registers.
pub(super) const SMALL: usize = 4;

/// The whole of [`super::Centres::push`], D ≤ [`SMALL`].
pub(super) struct SmallPush<'a> {
    /// The centred law and the channel.
    pub(super) prior: Prior<'a>,
    /// The channel.
    pub(super) gauge: Gauge,
    /// What was subtracted from the atoms.
    pub(super) mean: &'a [f64],
    /// Tangents of a trajectory.
    pub(super) tangents: usize,
    /// Room for one weight an atom.
    pub(super) weights: &'a mut [f64],
    /// States and tangents.
    pub(super) block: &'a [f64],
    /// Posterior means and products.
    pub(super) out: &'a mut [f64],
}

impl Kernel for SmallPush<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.prior.dim {
            1 => self.push::<S, 1>(s),
            2 => self.push::<S, 2>(s),
            3 => self.push::<S, 3>(s),
            _ => self.push::<S, 4>(s),
        }
    }
}

impl SmallPush<'_> {
    #[inline(always)]
    fn push<S: Simd, const D: usize>(self, s: S) {
        let Self { prior, gauge, mean, tangents, weights, block, out } = self;
        let mut planes: [&[f64]; D] = [&[]; D];
        for (plane, from) in planes.iter_mut().zip(prior.centres.chunks_exact(prior.height)) {
            *plane = from;
        }
        let width = D * (1 + tangents);
        for (from, to) in block.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let mut state = [0.0; D];
            for d in 0..D {
                state[d] = from[d] - gauge.signal * mean[d];
            }
            let (centre, covariance) = moments(s, &prior, &planes, &state, weights);
            for d in 0..D {
                to[d] = gauge.atoms * (centre[d] + mean[d]) + gauge.state * from[d];
            }
            let factor = gauge.atoms * gauge.gain;
            let columns = from[D..].chunks_exact(D).zip(to[D..].chunks_exact_mut(D));
            for (v, product) in columns {
                for i in 0..D {
                    let mut sum = 0.0;
                    for j in 0..D {
                        sum += covariance[i.max(j)][i.min(j)] * v[j];
                    }
                    product[i] = factor * sum + gauge.state * v[i];
                }
            }
        }
    }
}

/// The mean and the lower triangle of the covariance of the centred atoms.
#[inline(always)]
fn moments<S: Simd, const D: usize>(
    s: S,
    prior: &Prior<'_>,
    planes: &[&[f64]; D],
    state: &[f64; D],
    weights: &mut [f64],
) -> ([f64; D], [[f64; D]; D]) {
    inner_products::<S, D>(s, prior.gain, state, planes, weights);
    let mut largest = add_and_largest(s, weights, prior.offsets);
    if prior.needs_refinement(state) {
        largest = refine(s, prior, state, weights, largest);
    }
    let share = 1.0 / exponentials_and_sum(s, weights, largest);
    let mean = first_moments::<S, D>(s, planes, weights).map(|sum| sum * share);
    let mut covariance = second_moments::<S, D>(s, planes, weights, &mean);
    for row in &mut covariance {
        for entry in row {
            *entry *= share;
        }
    }
    (mean, covariance)
}

/// out_i = gain·⟨x, p_i⟩.
#[inline(always)]
fn inner_products<S: Simd, const D: usize>(
    s: S,
    gain: f64,
    x: &[f64],
    planes: &[&[f64]; D],
    out: &mut [f64],
) {
    let mut scaled = [s.splat(0.0); D];
    for (scaled, x) in scaled.iter_mut().zip(x) {
        *scaled = s.splat(gain * x);
    }
    for (i, out) in out.chunks_exact_mut(S::LANES).enumerate() {
        let mut sum = s.mul(scaled[0], s.load(&planes[0][i * S::LANES..]));
        for (x, plane) in scaled.iter().zip(planes).skip(1) {
            sum = s.mul_add(*x, s.load(&plane[i * S::LANES..]), sum);
        }
        s.store(sum, out);
    }
}

/// Σ_i w_i p_i.
#[inline(always)]
fn first_moments<S: Simd, const D: usize>(s: S, planes: &[&[f64]; D], weights: &[f64]) -> [f64; D] {
    let mut sums = [s.splat(0.0); D];
    for (i, w) in weights.chunks_exact(S::LANES).enumerate() {
        let w = s.load(w);
        for (sum, plane) in sums.iter_mut().zip(planes) {
            *sum = s.mul_add(w, s.load(&plane[i * S::LANES..]), *sum);
        }
    }
    let mut first = [0.0; D];
    for (first, sum) in first.iter_mut().zip(sums) {
        *first = s.sum(sum);
    }
    first
}

/// Σ_i w_i (p_i − m)(p_i − m)ᵀ, on and below the diagonal.
///
/// About the mean: the difference of raw moments would lose |m|²/|C| times the rounding.
#[inline(always)]
fn second_moments<S: Simd, const D: usize>(
    s: S,
    planes: &[&[f64]; D],
    weights: &[f64],
    mean: &[f64; D],
) -> [[f64; D]; D] {
    let mut sums = [[s.splat(0.0); D]; D];
    let mut centre = [s.splat(0.0); D];
    for (centre, mean) in centre.iter_mut().zip(mean) {
        *centre = s.splat(*mean);
    }
    for (k, w) in weights.chunks_exact(S::LANES).enumerate() {
        let w = s.load(w);
        let mut away = [w; D];
        for ((away, plane), centre) in away.iter_mut().zip(planes).zip(centre) {
            *away = s.sub(s.load(&plane[k * S::LANES..]), centre);
        }
        for i in 0..D {
            let weighted = s.mul(w, away[i]);
            for j in 0..=i {
                sums[i][j] = s.mul_add(weighted, away[j], sums[i][j]);
            }
        }
    }
    let mut second = [[0.0; D]; D];
    for i in 0..D {
        for j in 0..=i {
            second[i][j] = s.sum(sums[i][j]);
        }
    }
    second
}
