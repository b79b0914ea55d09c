//! The packed law.

use super::pack::{Aligned, LINE, PANEL, pack, panels_length, round_up};
use super::simd::Level;
use super::small::SMALL;
use super::states::Prior;
use crate::drift::Channel;

/// A finite mixture Σ w_i N(p_i, s² I), centred and packed once for all products.
#[derive(Clone, Debug)]
pub struct Centres {
    pub(super) level: Level,
    pub(super) dim: usize,
    pub(super) variance: f64,
    /// The plain mean of the atoms, which is subtracted from them.
    pub(super) mean: Vec<f64>,
    radius: f64,
    pub(super) log_weights: Aligned,
    half_norms: Aligned,
    pub(super) by_atom: Aligned,
    pub(super) by_coordinate: Aligned,
}

/// The scalars of one channel, which lead from moments of atoms to the posterior.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauge {
    /// a.
    pub(super) signal: f64,
    /// a/b_t².
    pub(super) gain: f64,
    /// b²/b_t²: what thickness leaves of the moments of atoms.
    pub(super) atoms: f64,
    /// a s²/b_t²: what it takes of the state.
    pub(super) state: f64,
}

impl Gauge {
    /// Writes the trace of the posterior mean's Jacobian and its derivatives along `tangents`, from
    /// tr C and Σ w |p − m|² (p − m): a weight w moves by (a/b_t²) w ⟨p − m, v⟩.
    #[inline(always)]
    pub(super) fn divergence(&self, trace: f64, third: &[f64], tangents: &[f64], out: &mut [f64]) {
        let factor = self.atoms * self.gain;
        out[0] = factor * trace + self.state * third.len() as f64;
        for (out, v) in out[1..].iter_mut().zip(tangents.chunks_exact(third.len())) {
            let mut sum = 0.0;
            for (k, v) in third.iter().zip(v) {
                sum += k * v;
            }
            *out = factor * self.gain * sum;
        }
    }
}

impl Centres {
    /// Packs the atoms `points` (`dim`×N, column-major) of deviation `thickness`, for the fastest instruction set.
    pub fn new(dim: usize, points: &[f64], log_weights: &[f64], thickness: f64) -> Self {
        Self::with_level(Level::best(), dim, points, log_weights, thickness)
    }

    /// [`Centres::new`] for a chosen instruction set.
    pub fn with_level(
        level: Level,
        dim: usize,
        points: &[f64],
        log_weights: &[f64],
        thickness: f64,
    ) -> Self {
        let count = log_weights.len();
        let mut mean = vec![0.0; dim];
        for point in points.chunks_exact(dim) {
            mean.iter_mut().zip(point).for_each(|(m, p)| *m += p / count as f64);
        }
        let centred =
            |i: usize, d: usize| if i < count { points[i * dim + d] - mean[d] } else { 0.0 };
        let padded = round_up(count, panel_height(dim));
        let mut padded_weights = Aligned::zeros(padded);
        padded_weights.fill(f64::NEG_INFINITY);
        padded_weights[..count].copy_from_slice(log_weights);
        let mut half_norms = Aligned::zeros(padded);
        for (i, half_norm) in half_norms.iter_mut().enumerate() {
            *half_norm = 0.5 * (0..dim).map(|d| centred(i, d).powi(2)).sum::<f64>();
        }
        let mut by_atom = Aligned::zeros(padded * dim);
        let mut by_coordinate = Aligned::zeros(0);
        pack(panel_height(dim), count, dim, &mut by_atom, centred);
        if dim > SMALL {
            by_coordinate = Aligned::zeros(panels_length(dim, padded));
            pack(PANEL, dim, padded, &mut by_coordinate, |d, i| centred(i, d));
        }
        Self {
            level,
            dim,
            variance: thickness * thickness,
            radius: half_norms.iter().fold(0.0, |r: f64, h| r.max((2.0 * h).sqrt())),
            log_weights: padded_weights,
            half_norms,
            by_atom,
            by_coordinate,
            mean,
        }
    }

    /// The scalars of a channel.
    pub(super) fn gauge(&self, channel: Channel<f64>) -> Gauge {
        let Channel { signal, noise_variance } = channel;
        let total = noise_variance + signal * signal * self.variance;
        Gauge {
            signal,
            gain: signal / total,
            atoms: noise_variance / total,
            state: signal * self.variance / total,
        }
    }

    /// The law seen through a channel; fills `offsets`, one number an atom.
    pub(super) fn prior<'a>(&'a self, gauge: &Gauge, offsets: &'a mut [f64]) -> Prior<'a> {
        let atoms = self.log_weights.iter().zip(self.half_norms.iter());
        for (offset, (log_weight, half_norm)) in offsets.iter_mut().zip(atoms) {
            *offset = log_weight - gauge.gain * gauge.signal * half_norm;
        }
        Prior {
            dim: self.dim,
            centres: &self.by_atom,
            height: panel_height(self.dim),
            log_weights: &self.log_weights,
            offsets,
            signal: gauge.signal,
            gain: gauge.gain,
            radius: self.radius,
        }
    }
}

/// Atoms of a panel: whole register tiles, or in low dimension one vector.
fn panel_height(dim: usize) -> usize {
    if dim <= SMALL { LINE } else { PANEL }
}
