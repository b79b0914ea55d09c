//! Pushes and posteriors in low dimension, several states side by side.

use super::centres::Gauge;
use super::simd::{Kernel, Simd};
use super::states::Prior;
use super::sweeps::{Moments, moments};

/// The largest dimension with moments in registers.
pub(super) const SMALL: usize = 4;

/// What is asked of the moments.
pub(super) enum Wanted<'a> {
    /// Posterior means, and products of their Jacobian with the tangents of a block.
    Products {
        /// Tangents of a trajectory.
        tangents: usize,
        /// Laid out as the block.
        out: &'a mut [f64],
        /// The trace of each Jacobian and its derivatives along the tangents, when they are wanted.
        divergence: Option<&'a mut [f64]>,
    },
    /// Posterior means and covariances.
    Covariances {
        /// s².
        variance: f64,
        /// `D×T`.
        means: &'a mut [f64],
        /// T matrices `D×D`.
        covariances: &'a mut [f64],
    },
}

/// The whole of [`super::Centres::push`] and [`super::Centres::posteriors`], D ≤ [`SMALL`].
pub(super) struct SmallPush<'a> {
    /// The centred law and the channel.
    pub(super) prior: Prior<'a>,
    /// The channel.
    pub(super) gauge: Gauge,
    /// What was subtracted from the atoms.
    pub(super) mean: &'a [f64],
    /// Room for [`ROWS`] weights an atom.
    pub(super) weights: &'a mut [f64],
    /// States, each with the tangents of its trajectory.
    pub(super) block: &'a [f64],
    /// What is computed from the moments.
    pub(super) wanted: Wanted<'a>,
}

/// Most states side by side, and one more for a state that needs refinement.
pub(super) const ROWS: usize = 5;

impl Kernel for SmallPush<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.prior.dim {
            1 => self.side_by_side::<S, 1>(s),
            2 => self.side_by_side::<S, 2>(s),
            3 => self.side_by_side::<S, 3>(s),
            _ => self.side_by_side::<S, 4>(s),
        }
    }
}

impl SmallPush<'_> {
    /// As many states at a time as the registers hold sums for.
    #[inline(always)]
    fn side_by_side<S: Simd, const D: usize>(self, s: S) {
        match S::REGISTERS {
            32 if D <= 2 => self.push::<S, D, 4>(s),
            32 => self.push::<S, D, 2>(s),
            16 if D <= 2 => self.push::<S, D, 2>(s),
            _ => self.push::<S, D, 1>(s),
        }
    }

    #[inline(always)]
    fn push<S: Simd, const D: usize, const P: usize>(mut self, s: S) {
        let width = match &self.wanted {
            Wanted::Products { tangents, .. } => D * (1 + tangents),
            Wanted::Covariances { .. } => D,
        };
        let thirds = matches!(self.wanted, Wanted::Products { divergence: Some(_), .. });
        let block = self.block.chunks_exact(P * width);
        let rest = block.remainder().chunks_exact(width);
        let done = block.len() * P;
        for (group, from) in block.enumerate() {
            if thirds {
                self.group::<S, D, P, true>(s, group * P, from, width);
            } else {
                self.group::<S, D, P, false>(s, group * P, from, width);
            }
        }
        for (t, from) in rest.enumerate() {
            if thirds {
                self.group::<S, D, 1, true>(s, done + t, from, width);
            } else {
                self.group::<S, D, 1, false>(s, done + t, from, width);
            }
        }
    }

    /// Trajectories `first..first + P`, which are `from`.
    #[inline(always)]
    fn group<S: Simd, const D: usize, const P: usize, const THIRDS: bool>(
        &mut self,
        s: S,
        first: usize,
        from: &[f64],
        width: usize,
    ) {
        let mut states = [[0.0; D]; P];
        for (state, from) in states.iter_mut().zip(from.chunks_exact(width)) {
            for d in 0..D {
                state[d] = from[d] - self.gauge.signal * self.mean[d];
            }
        }
        let Moments { means, covariances, thirds } =
            moments::<S, D, P, THIRDS>(s, &self.prior, &states, self.weights);
        for (p, from) in from.chunks_exact(width).enumerate() {
            self.write(first + p, from, &means[p], &covariances[p], &thirds[p]);
        }
    }

    /// Turns the moments of centred atoms into what is wanted of trajectory `t`.
    #[inline(always)]
    fn write<const D: usize>(
        &mut self,
        t: usize,
        from: &[f64],
        centre: &[f64; D],
        covariance: &[[f64; D]; D],
        third: &[f64; D],
    ) {
        let gauge = self.gauge;
        let mut mean = [0.0; D];
        for d in 0..D {
            mean[d] = gauge.atoms * (centre[d] + self.mean[d]) + gauge.state * from[d];
        }
        match &mut self.wanted {
            Wanted::Products { out, divergence, tangents } => {
                let to = &mut out[t * from.len()..][..from.len()];
                to[..D].copy_from_slice(&mean);
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
                if let Some(divergence) = divergence {
                    let to = &mut divergence[t * (1 + *tangents)..][..1 + *tangents];
                    let mut trace = 0.0;
                    for (i, row) in covariance.iter().enumerate() {
                        trace += row[i];
                    }
                    gauge.divergence(trace, third, &from[D..], to);
                }
            }
            Wanted::Covariances { variance, means, covariances } => {
                means[t * D..][..D].copy_from_slice(&mean);
                let to = &mut covariances[t * D * D..][..D * D];
                let factor = gauge.atoms * gauge.atoms;
                for i in 0..D {
                    for j in 0..D {
                        to[i * D + j] = factor * covariance[i.max(j)][i.min(j)];
                    }
                    to[i * D + i] += *variance * gauge.atoms;
                }
            }
        }
    }
}
