//! Posterior moments in low dimension: every sum over atoms of one state stays in registers.

use super::centres::Gauge;
use super::pack::LINE;
use super::simd::{Kernel, Simd};
use super::softmax::exp;
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
        let width = D * (1 + tangents);
        for (from, to) in block.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let mut state = [0.0; D];
            for d in 0..D {
                state[d] = from[d] - gauge.signal * mean[d];
            }
            let (centre, covariance) = moments(s, &prior, &state, weights);
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

/// The mean and the lower triangle of the covariance of the centred atoms, in three sweeps over them.
#[inline(always)]
fn moments<S: Simd, const D: usize>(
    s: S,
    prior: &Prior<'_>,
    state: &[f64; D],
    weights: &mut [f64],
) -> ([f64; D], [[f64; D]; D]) {
    let mut largest = log_weights(s, prior, state, weights);
    if prior.needs_refinement(state) {
        largest = refine(s, prior, state, weights, largest);
    }
    let (mass, sums) = mass_and_first_moments::<S, D>(s, prior.centres, weights, largest);
    let share = 1.0 / mass;
    let mean = sums.map(|sum| sum * share);
    let mut covariance = second_moments::<S, D>(s, prior.centres, weights, &mean);
    for row in &mut covariance {
        for entry in row {
            *entry *= share;
        }
    }
    (mean, covariance)
}

/// Writes the log weights; returns the largest.
#[inline(always)]
fn log_weights<S: Simd, const D: usize>(
    s: S,
    prior: &Prior<'_>,
    state: &[f64; D],
    out: &mut [f64],
) -> f64 {
    let mut scaled = [s.splat(0.0); D];
    for d in 0..D {
        scaled[d] = s.splat(prior.gain * state[d]);
    }
    let mut largest = s.splat(f64::NEG_INFINITY);
    let panels = prior.centres.chunks_exact(LINE * D).zip(prior.offsets.chunks_exact(LINE));
    for ((panel, offsets), out) in panels.zip(out.chunks_exact_mut(LINE)) {
        let mut i = 0;
        while i < LINE {
            let mut sum = s.load(&offsets[i..]);
            for d in 0..D {
                sum = s.mul_add(scaled[d], s.load(&panel[d * LINE + i..]), sum);
            }
            largest = s.max(sum, largest);
            s.store(sum, &mut out[i..]);
            i += S::LANES;
        }
    }
    s.largest(largest)
}

/// Turns log weights into weights e^(l − largest); returns Σ w and Σ w p.
#[inline(always)]
fn mass_and_first_moments<S: Simd, const D: usize>(
    s: S,
    centres: &[f64],
    weights: &mut [f64],
    largest: f64,
) -> (f64, [f64; D]) {
    let largest = s.splat(largest);
    let mut mass = s.splat(0.0);
    let mut sums = [s.splat(0.0); D];
    for (panel, weights) in centres.chunks_exact(LINE * D).zip(weights.chunks_exact_mut(LINE)) {
        let mut i = 0;
        while i < LINE {
            let weight = exp(s, s.sub(s.load(&weights[i..]), largest));
            s.store(weight, &mut weights[i..]);
            mass = s.add(mass, weight);
            for d in 0..D {
                sums[d] = s.mul_add(weight, s.load(&panel[d * LINE + i..]), sums[d]);
            }
            i += S::LANES;
        }
    }
    let mut first = [0.0; D];
    for d in 0..D {
        first[d] = s.sum(sums[d]);
    }
    (s.sum(mass), first)
}

/// Σ_i w_i (p_i − m)(p_i − m)ᵀ, on and below the diagonal.
///
/// About the mean: the difference of raw moments would lose |m|²/|C| times the rounding.
#[inline(always)]
fn second_moments<S: Simd, const D: usize>(
    s: S,
    centres: &[f64],
    weights: &[f64],
    mean: &[f64; D],
) -> [[f64; D]; D] {
    let mut sums = [[s.splat(0.0); D]; D];
    let mut away = [s.splat(0.0); D];
    for (panel, weights) in centres.chunks_exact(LINE * D).zip(weights.chunks_exact(LINE)) {
        let mut at = 0;
        while at < LINE {
            let weight = s.load(&weights[at..]);
            for d in 0..D {
                away[d] = s.sub(s.load(&panel[d * LINE + at..]), s.splat(mean[d]));
            }
            for i in 0..D {
                let weighted = s.mul(weight, away[i]);
                for j in 0..=i {
                    sums[i][j] = s.mul_add(weighted, away[j], sums[i][j]);
                }
            }
            at += S::LANES;
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
