//! Posterior moments in low dimension: every sum over atoms of a state stays in registers.
//!
//! A state is a chain of sweeps and reductions, each waiting for the last, so
//! several go side by side and their sums are reduced together. Every state sees
//! the operations, in the order, that it would see alone.

use super::pack::LINE;
use super::simd::Simd;
use super::softmax::exp;
use super::states::{Prior, refine};

/// Moments of the centred atoms p, for each state.
pub(super) struct Moments<const D: usize, const P: usize> {
    /// m = Σ w p.
    pub(super) means: [[f64; D]; P],
    /// The lower triangle of Σ w (p − m)(p − m)ᵀ.
    pub(super) covariances: [[[f64; D]; D]; P],
    /// Σ w |p − m|² (p − m), when it was asked for.
    pub(super) thirds: [[f64; D]; P],
}

/// Moments in three sweeps over the atoms. Weights lie in lines of eight, P of them a panel.
#[inline(always)]
pub(super) fn moments<S: Simd, const D: usize, const P: usize, const THIRDS: bool>(
    s: S,
    prior: &Prior<'_>,
    states: &[[f64; D]; P],
    weights: &mut [f64],
) -> Moments<D, P> {
    let (weights, row) = weights.split_at_mut(P * prior.offsets.len());
    let mut largest = log_weights(s, prior, states, weights);
    for (p, state) in states.iter().enumerate() {
        if prior.needs_refinement(state) {
            let row = &mut row[..prior.offsets.len()];
            let lines = row.chunks_exact_mut(LINE).zip(weights.chunks_exact(LINE * P));
            lines.for_each(|(row, lines)| row.copy_from_slice(&lines[p * LINE..][..LINE]));
            largest[p] = refine(s, prior, state, row, largest[p]);
            let lines = row.chunks_exact(LINE).zip(weights.chunks_exact_mut(LINE * P));
            lines.for_each(|(row, lines)| lines[p * LINE..][..LINE].copy_from_slice(row));
        }
    }
    let (mass, sums) = mass_and_first_moments::<S, D, P>(s, prior.centres, weights, &largest);
    let mut share = [0.0; P];
    let mut means = [[0.0; D]; P];
    for p in 0..P {
        share[p] = 1.0 / mass[p];
        for d in 0..D {
            means[p][d] = sums[d][p] * share[p];
        }
    }
    let (seconds, sums) = central_moments::<S, D, P, THIRDS>(s, prior.centres, weights, &means);
    let mut covariances = [[[0.0; D]; D]; P];
    let mut thirds = [[0.0; D]; P];
    for p in 0..P {
        for i in 0..D {
            for j in 0..=i {
                covariances[p][i][j] = seconds[i][j][p] * share[p];
            }
            thirds[p][i] = sums[i][p] * share[p];
        }
    }
    Moments { means, covariances, thirds }
}

/// The sum of each vector.
#[inline(always)]
fn each_sum<S: Simd, const P: usize>(s: S, v: &[S::V; P]) -> [f64; P] {
    let mut sums = [0.0; P];
    if P == 4 {
        sums.copy_from_slice(&s.sums([v[0], v[1], v[2], v[3]]));
    } else {
        for p in 0..P {
            sums[p] = s.sum(v[p]);
        }
    }
    sums
}

/// Writes the log weights; returns the largest of each state.
#[inline(always)]
fn log_weights<S: Simd, const D: usize, const P: usize>(
    s: S,
    prior: &Prior<'_>,
    states: &[[f64; D]; P],
    out: &mut [f64],
) -> [f64; P] {
    let mut scaled = [[s.splat(0.0); D]; P];
    for p in 0..P {
        for d in 0..D {
            scaled[p][d] = s.splat(prior.gain * states[p][d]);
        }
    }
    let mut largest = [s.splat(f64::NEG_INFINITY); P];
    let panels = prior.centres.chunks_exact(LINE * D).zip(prior.offsets.chunks_exact(LINE));
    for ((panel, offsets), out) in panels.zip(out.chunks_exact_mut(LINE * P)) {
        let mut at = 0;
        while at < LINE {
            for p in 0..P {
                let mut sum = s.load(&offsets[at..]);
                for d in 0..D {
                    sum = s.mul_add(scaled[p][d], s.load(&panel[d * LINE + at..]), sum);
                }
                largest[p] = s.max(sum, largest[p]);
                s.store(sum, &mut out[p * LINE + at..]);
            }
            at += S::LANES;
        }
    }
    largest.map(|largest| s.largest(largest))
}

/// Turns log weights into weights e^(l − largest); returns Σ w and Σ w p.
#[inline(always)]
fn mass_and_first_moments<S: Simd, const D: usize, const P: usize>(
    s: S,
    centres: &[f64],
    weights: &mut [f64],
    largest: &[f64; P],
) -> ([f64; P], [[f64; P]; D]) {
    let mut top = [s.splat(0.0); P];
    for p in 0..P {
        top[p] = s.splat(largest[p]);
    }
    let mut mass = [s.splat(0.0); P];
    let mut sums = [[s.splat(0.0); P]; D];
    for (panel, weights) in centres.chunks_exact(LINE * D).zip(weights.chunks_exact_mut(LINE * P)) {
        let mut at = 0;
        while at < LINE {
            for p in 0..P {
                let line = &mut weights[p * LINE + at..];
                let weight = exp(s, s.sub(s.load(line), top[p]));
                s.store(weight, line);
                mass[p] = s.add(mass[p], weight);
                for d in 0..D {
                    sums[d][p] = s.mul_add(weight, s.load(&panel[d * LINE + at..]), sums[d][p]);
                }
            }
            at += S::LANES;
        }
    }
    let mut first = [[0.0; P]; D];
    for d in 0..D {
        first[d] = each_sum(s, &sums[d]);
    }
    (each_sum(s, &mass), first)
}

/// Σ_i w_i (p_i − m)(p_i − m)ᵀ, on and below the diagonal, and Σ_i w_i |p_i − m|² (p_i − m) if `THIRDS`.
///
/// About the mean: the difference of raw moments would lose |m|²/|C| times the rounding.
#[inline(always)]
fn central_moments<S: Simd, const D: usize, const P: usize, const THIRDS: bool>(
    s: S,
    centres: &[f64],
    weights: &[f64],
    means: &[[f64; D]; P],
) -> ([[[f64; P]; D]; D], [[f64; P]; D]) {
    let mut centre = [[s.splat(0.0); D]; P];
    for p in 0..P {
        for d in 0..D {
            centre[p][d] = s.splat(means[p][d]);
        }
    }
    let mut sums = [[[s.splat(0.0); P]; D]; D];
    let mut cubes = [[s.splat(0.0); P]; D];
    let mut away = [s.splat(0.0); D];
    for (panel, weights) in centres.chunks_exact(LINE * D).zip(weights.chunks_exact(LINE * P)) {
        let mut at = 0;
        while at < LINE {
            for p in 0..P {
                let weight = s.load(&weights[p * LINE + at..]);
                for d in 0..D {
                    away[d] = s.sub(s.load(&panel[d * LINE + at..]), centre[p][d]);
                }
                let mut square = s.splat(0.0);
                for i in 0..D {
                    let weighted = s.mul(weight, away[i]);
                    if THIRDS {
                        square = s.mul_add(weighted, away[i], square);
                    }
                    for j in 0..=i {
                        sums[i][j][p] = s.mul_add(weighted, away[j], sums[i][j][p]);
                    }
                }
                if THIRDS {
                    for d in 0..D {
                        cubes[d][p] = s.mul_add(square, away[d], cubes[d][p]);
                    }
                }
            }
            at += S::LANES;
        }
    }
    let mut seconds = [[[0.0; P]; D]; D];
    let mut thirds = [[0.0; P]; D];
    for i in 0..D {
        for j in 0..=i {
            seconds[i][j] = each_sum(s, &sums[i][j]);
        }
        if THIRDS {
            thirds[i] = each_sum(s, &cubes[i]);
        }
    }
    (seconds, thirds)
}
