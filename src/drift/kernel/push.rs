//! The order of the computation: which way is taken, and in what memory.

use super::centres::{Centres, Gauge};
use super::pack::{Columns, LINE, PANEL, aligned, round_up};
use super::small::{SMALL, SmallPush};
use super::states::{Prior, Weights};
use super::tangents::{
    COVARIANCE_BLOCK, CovarianceRoom, PRODUCT_BLOCK, Posterior, ProductRoom, covariance_is_cheaper,
};
use crate::drift::{Channel, Lanes, scratch};

/// Columns of tangents worked on at a time: their products with a block of atoms stay in the cache.
const COLUMNS_AT_A_TIME: usize = 64;

/// How products with tangents are formed, D > [`SMALL`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// There are no tangents.
    Mean,
    /// By products with all atoms, there and back.
    Products,
    /// By the covariance.
    Covariance,
}

impl Centres {
    /// Posterior means of states, and products of their Jacobian with tangents, for the
    /// channel (a, b²) with b² + a²s² > 0.
    ///
    /// *Shapes*: `block` and `out` are `D × lanes.columns()`, column-major. Allocates
    /// nothing once `work` has grown.
    pub fn push(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        work: &mut Vec<f64>,
    ) {
        let (dim, tangents) = (self.dim, lanes.tangents);
        let gauge = self.gauge(channel);
        if dim <= SMALL {
            let padded = self.log_weights.len();
            let [offsets, weights] = carve(work, [padded, padded]);
            let prior = self.prior(&gauge, offsets);
            let mean = &self.mean;
            self.level.run(SmallPush { prior, gauge, mean, tangents, weights, block, out });
            return;
        }
        let most = (COLUMNS_AT_A_TIME / tangents.max(1)).clamp(1, lanes.trajectories.max(1));
        let way = match tangents {
            0 => Way::Mean,
            k if covariance_is_cheaper(dim, k) => Way::Covariance,
            _ => Way::Products,
        };
        let mut room = Room::carve(self, most, tangents, way, work);
        let prior = self.prior(&gauge, room.offsets);
        let width = dim * (1 + tangents);
        for (block, out) in block.chunks(width * most).zip(out.chunks_mut(width * most)) {
            let count = block.len() / width;
            let states = block.chunks_exact(width).map(|trajectory| &trajectory[..dim]);
            let posterior = self.posterior_of(&prior, states, &mut room.states);
            let columns = Columns {
                data: &block[dim.min(block.len() - 1)..],
                stride: dim,
                group: tangents.max(1),
                group_stride: width,
                count: count * tangents,
            };
            let stride = round_up(dim, PANEL);
            let applied = &mut room.applied[..columns.count * stride];
            match way {
                Way::Mean => {}
                Way::Products => posterior.products(columns, &mut room.products, applied),
                Way::Covariance => {
                    for (t, applied) in applied.chunks_exact_mut(stride * tangents).enumerate() {
                        let one = posterior.single(t);
                        one.covariance(&mut room.covariance, room.lower);
                        let data = &columns.data[t * width..];
                        let columns = Columns::plain(data, dim, tangents);
                        one.apply(room.lower, columns, room.packed, applied);
                    }
                }
            }
            let factor = gauge.atoms * gauge.gain;
            let trajectories = block.chunks_exact(width).zip(out.chunks_exact_mut(width));
            for (t, (from, to)) in trajectories.enumerate() {
                let mean = &posterior.means[t * stride..];
                self.posterior_mean(&gauge, mean, &from[..dim], &mut to[..dim]);
                let columns = from[dim..].chunks_exact(dim).zip(to[dim..].chunks_exact_mut(dim));
                for (j, (from, to)) in columns.enumerate() {
                    let applied = &applied[(t * tangents + j) * stride..];
                    for ((to, v), c) in to.iter_mut().zip(from).zip(applied) {
                        *to = factor * c + gauge.state * v;
                    }
                }
            }
        }
    }

    /// Posterior means and covariances of many states, for the channel (a, b²) with a > 0 and b > 0.
    ///
    /// *Shapes*: `states` and `means` are `D×T`, `covariances` T matrices `D×D`.
    /// A covariance is a symmetric product, at half the cost of a push of D tangents.
    pub fn posteriors(
        &self,
        channel: Channel<f64>,
        states: &[f64],
        means: &mut [f64],
        covariances: &mut [f64],
        work: &mut Vec<f64>,
    ) {
        let dim = self.dim;
        let gauge = self.gauge(channel);
        if dim <= SMALL {
            return self.small_posteriors(channel, &gauge, states, means, covariances, work);
        }
        let stride = round_up(dim, PANEL);
        let mut room = Room::carve(self, COLUMNS_AT_A_TIME, 0, Way::Covariance, work);
        let prior = self.prior(&gauge, room.offsets);
        let chunks = states.chunks(dim * COLUMNS_AT_A_TIME).zip(
            means
                .chunks_mut(dim * COLUMNS_AT_A_TIME)
                .zip(covariances.chunks_mut(dim * dim * COLUMNS_AT_A_TIME)),
        );
        for (states, (means, covariances)) in chunks {
            let columns = states.chunks_exact(dim);
            let posterior = self.posterior_of(&prior, columns.clone(), &mut room.states);
            let outputs = means.chunks_exact_mut(dim).zip(covariances.chunks_exact_mut(dim * dim));
            for (t, (state, (mean, covariance))) in columns.zip(outputs).enumerate() {
                let one = posterior.single(t);
                one.covariance(&mut room.covariance, room.lower);
                self.posterior_mean(&gauge, one.means, state, mean);
                let factor = gauge.atoms * gauge.atoms;
                for (j, lower) in room.lower.chunks_exact(stride).enumerate() {
                    for (i, entry) in lower[..dim].iter().enumerate().skip(j) {
                        covariance[j * dim + i] = factor * entry;
                        covariance[i * dim + j] = factor * entry;
                    }
                    covariance[j * dim + j] += self.variance * gauge.atoms;
                }
            }
        }
    }

    /// [`Centres::posteriors`] from the Jacobian (a/b²) Cov(X|x): few unit tangents cost nothing beside the weights.
    fn small_posteriors(
        &self,
        channel: Channel<f64>,
        gauge: &Gauge,
        states: &[f64],
        means: &mut [f64],
        covariances: &mut [f64],
        work: &mut Vec<f64>,
    ) {
        let (dim, padded) = (self.dim, self.log_weights.len());
        let width = dim * (dim + 1);
        let [offsets, weights] = carve(work, [padded, padded]);
        let prior = self.prior(gauge, offsets);
        let outputs = means.chunks_exact_mut(dim).zip(covariances.chunks_exact_mut(dim * dim));
        for (state, (mean, covariance)) in states.chunks_exact(dim).zip(outputs) {
            let mut block = [0.0; SMALL * (SMALL + 1)];
            let mut out = block;
            block[..dim].copy_from_slice(state);
            (0..dim).for_each(|i| block[dim * (i + 1) + i] = 1.0);
            self.level.run(SmallPush {
                prior,
                gauge: *gauge,
                mean: &self.mean,
                tangents: dim,
                weights,
                block: &block[..width],
                out: &mut out[..width],
            });
            mean.copy_from_slice(&out[..dim]);
            let factor = channel.noise_variance / channel.signal;
            let jacobian = &out[dim..width];
            covariance.iter_mut().zip(jacobian).for_each(|(entry, j)| *entry = factor * j);
        }
    }

    /// (b²/b_t²) m + (a s²/b_t²) x, from the mean m of the centred atoms.
    fn posterior_mean(&self, gauge: &Gauge, centred: &[f64], state: &[f64], out: &mut [f64]) {
        let means = centred.iter().zip(&self.mean);
        for ((out, x), (m, centre)) in out.iter_mut().zip(state).zip(means) {
            *out = gauge.atoms * (m + centre) + gauge.state * x;
        }
    }

    /// Weights and means of the given states.
    fn posterior_of<'a, 'b>(
        &'a self,
        prior: &Prior<'_>,
        from: impl ExactSizeIterator<Item = &'b [f64]>,
        room: &'a mut StateRoom<'_>,
    ) -> Posterior<'a> {
        let (dim, padded, count) = (self.dim, self.log_weights.len(), from.len());
        let states = &mut room.states[..count * dim];
        let scaled = &mut room.scaled[..count * dim];
        let columns = states.chunks_exact_mut(dim).zip(scaled.chunks_exact_mut(dim));
        for (from, (state, scaled)) in from.zip(columns) {
            for (i, (x, centre)) in from.iter().zip(&self.mean).enumerate() {
                state[i] = x - prior.signal * centre;
                scaled[i] = prior.gain * state[i];
            }
        }
        let weights = &mut room.weights[..count * padded];
        let masses = &mut room.masses[..count];
        self.level.run(Weights { prior: *prior, states, scaled, weights, masses });
        let means = &mut room.means[..count * round_up(dim, PANEL)];
        let mut posterior = Posterior {
            level: self.level,
            dim,
            by_atom: &self.by_atom,
            by_coordinate: &self.by_coordinate,
            weights,
            masses,
            means: &[],
        };
        posterior.mean(means);
        posterior.means = means;
        posterior
    }
}

/// Scratch for the states of a few trajectories.
struct StateRoom<'a> {
    states: &'a mut [f64],
    scaled: &'a mut [f64],
    weights: &'a mut [f64],
    masses: &'a mut [f64],
    means: &'a mut [f64],
}

/// All scratch of one push.
struct Room<'a> {
    offsets: &'a mut [f64],
    states: StateRoom<'a>,
    applied: &'a mut [f64],
    products: ProductRoom<'a>,
    covariance: CovarianceRoom<'a>,
    lower: &'a mut [f64],
    packed: &'a mut [f64],
}

impl<'a> Room<'a> {
    /// Room for `most` trajectories at a time, and for one way only.
    fn carve(
        centres: &Centres,
        most: usize,
        tangents: usize,
        way: Way,
        work: &'a mut Vec<f64>,
    ) -> Self {
        let (dim, padded) = (centres.dim, centres.log_weights.len());
        let stride = round_up(dim, PANEL);
        let columns = most * tangents;
        let through = if way == Way::Products { columns } else { 0 };
        let square = if way == Way::Covariance { dim } else { 0 };
        let sizes = [
            padded,
            most * dim,
            most * dim,
            most * padded,
            most,
            most * stride,
            columns * stride,
            through,
            through * 8,
            through * PRODUCT_BLOCK * PANEL,
            square * COVARIANCE_BLOCK * PANEL,
            square * 8,
            square * stride,
            square * stride,
        ];
        let [offsets, states, scaled, weights, masses, means, applied, rest @ ..] =
            carve(work, sizes);
        let [centre, product_totals, products, weighted, totals, lower, packed] = rest;
        Self {
            offsets,
            states: StateRoom { states, scaled, weights, masses, means },
            applied,
            products: ProductRoom { centre, totals: product_totals, products },
            covariance: CovarianceRoom { weighted, totals },
            lower,
            packed,
        }
    }
}

/// Cuts scratch into pieces that each begin at a cache line.
fn carve<const N: usize>(work: &mut Vec<f64>, lengths: [usize; N]) -> [&mut [f64]; N] {
    let total: usize = lengths.iter().map(|n| round_up(*n, LINE)).sum();
    let mut rest = aligned(scratch(work, total + LINE));
    lengths.map(|length| {
        let (piece, after) = std::mem::take(&mut rest).split_at_mut(round_up(length, LINE));
        rest = after;
        &mut piece[..length]
    })
}
