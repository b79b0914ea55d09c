//! The order of the computation: which way is taken, and in what memory.

use super::centres::{Centres, Gauge};
use super::pack::{Columns, LINE, PANEL, aligned, round_up};
use super::small::{ROWS, SMALL, SmallPush, Wanted};
use super::states::{InnerProducts, Softmax};
use super::tangents::{BLOCK, Sums, Weighted, covariance_is_cheaper};
use crate::drift::{Channel, Lanes, scratch};

/// Columns worked on at a time: enough to pay for reading the atoms, few enough for the cache.
const COLUMNS_AT_A_TIME: usize = 72;

/// Inner products with atoms held at a time, 8 MB, unless one trajectory has more.
const PRODUCTS_AT_A_TIME: usize = 1 << 20;

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
            return self.small(gauge, block, Wanted::Products { tangents, out }, work);
        }
        let by_covariance = covariance_is_cheaper(dim, tangents);
        let carried = if by_covariance { 0 } else { tangents };
        let most = self.at_once(lanes.trajectories, 1 + carried);
        let mut room = Room::carve(self, (most, carried), by_covariance, tangents, work);
        let rows = round_up(dim, PANEL);
        let width = dim * (1 + tangents);
        let factor = gauge.atoms * gauge.gain;
        for (block, out) in block.chunks(width * most).zip(out.chunks_mut(width * most)) {
            self.moments(&gauge, block, width, carried, &mut room);
            let trajectories = block.chunks_exact(width).zip(out.chunks_exact_mut(width));
            for (t, (from, to)) in trajectories.enumerate() {
                let moments = &room.moments[t * rows * (1 + carried)..][..rows * (1 + carried)];
                let (mean, mut products) = moments.split_at(rows);
                self.posterior_mean(&gauge, mean, &from[..dim], &mut to[..dim]);
                if by_covariance {
                    let weights = (&room.columns[t * room.stride..], room.masses[t]);
                    let (deviations, totals) = (&mut *room.deviations, &mut *room.totals);
                    self.sums().covariance(weights, mean, deviations, totals, room.lower);
                    let columns = Columns::plain(&from[dim..], dim, tangents);
                    self.sums().apply(room.lower, columns, room.packed, room.applied);
                    products = room.applied;
                }
                let columns = from[dim..].chunks_exact(dim).zip(to[dim..].chunks_exact_mut(dim));
                for ((from, to), product) in columns.zip(products.chunks_exact(rows)) {
                    for ((to, v), c) in to.iter_mut().zip(from).zip(product) {
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
            let wanted = Wanted::Covariances { variance: self.variance, means, covariances };
            return self.small(gauge, states, wanted, work);
        }
        let rows = round_up(dim, PANEL);
        let most = self.at_once(states.len() / dim, 1);
        let mut room = Room::carve(self, (most, 0), true, 0, work);
        let factor = gauge.atoms * gauge.atoms;
        let outputs = means.chunks_mut(dim * most).zip(covariances.chunks_mut(dim * dim * most));
        for (states, (means, covariances)) in states.chunks(dim * most).zip(outputs) {
            self.moments(&gauge, states, dim, 0, &mut room);
            let outputs = means.chunks_exact_mut(dim).zip(covariances.chunks_exact_mut(dim * dim));
            for (t, (state, (mean, covariance))) in
                states.chunks_exact(dim).zip(outputs).enumerate()
            {
                let centred = &room.moments[t * rows..][..rows];
                self.posterior_mean(&gauge, centred, state, mean);
                let weights = (&room.columns[t * room.stride..], room.masses[t]);
                let (deviations, totals) = (&mut *room.deviations, &mut *room.totals);
                self.sums().covariance(weights, centred, deviations, totals, room.lower);
                unfold(dim, room.lower, rows, factor, covariance);
                for d in 0..dim {
                    covariance[d * dim + d] += self.variance * gauge.atoms;
                }
            }
        }
    }

    /// [`Centres::push`] or [`Centres::posteriors`], D ≤ [`SMALL`].
    fn small(&self, gauge: Gauge, block: &[f64], wanted: Wanted<'_>, work: &mut Vec<f64>) {
        let padded = self.log_weights.len();
        let [offsets, weights] = carve(work, [padded, ROWS * padded]);
        let prior = self.prior(&gauge, offsets);
        self.level.run(SmallPush { prior, gauge, mean: &self.mean, weights, block, wanted });
    }

    /// (b²/b_t²) m + (a s²/b_t²) x, from the mean m of the centred atoms.
    fn posterior_mean(&self, gauge: &Gauge, centred: &[f64], state: &[f64], out: &mut [f64]) {
        let means = centred.iter().zip(&self.mean);
        for ((out, x), (m, centre)) in out.iter_mut().zip(state).zip(means) {
            *out = gauge.atoms * (m + centre) + gauge.state * x;
        }
    }

    /// How many of so many trajectories are worked on at a time, at least 1.
    fn at_once(&self, trajectories: usize, columns: usize) -> usize {
        let held = PRODUCTS_AT_A_TIME / (self.log_weights.len() * columns);
        (COLUMNS_AT_A_TIME / columns).min(held).min(trajectories).max(1)
    }

    /// Weights and means of the states of a block, and C v for its tangents when they are `carried`.
    fn moments(
        &self,
        gauge: &Gauge,
        block: &[f64],
        width: usize,
        carried: usize,
        room: &mut Room<'_>,
    ) {
        let (dim, stride) = (self.dim, room.stride);
        let count = block.len() / width;
        let prior = self.prior(gauge, room.offsets);
        let (states, scaled) = (&mut room.states[..count * dim], &mut room.scaled[..count * dim]);
        let columns = states.chunks_exact_mut(dim).zip(scaled.chunks_exact_mut(dim));
        for (from, (state, scaled)) in block.chunks_exact(width).zip(columns) {
            for (i, (x, centre)) in from.iter().zip(&self.mean).enumerate() {
                state[i] = x - gauge.signal * centre;
                scaled[i] = gauge.gain * state[i];
            }
        }
        let columns = &mut room.columns[..count * (1 + carried) * stride];
        let masses = &mut room.masses[..count];
        let tangents = Columns {
            data: &block[dim.min(block.len() - 1)..],
            stride: dim,
            group: carried.max(1),
            group_stride: width,
            count: count * carried,
        };
        let (out, largest) = (&mut *columns, &mut *masses);
        self.level.run(InnerProducts { prior, scaled, tangents, out, stride, largest });
        let (part, masses_out) = (stride * (1 + carried), &mut *masses);
        let softmax = Softmax { prior, states, columns, stride: part, masses: masses_out };
        self.level.run(softmax);
        let weighted = Weighted { columns, stride, tangents: carried, masses };
        let moments = &mut room.moments[..count * (1 + carried) * round_up(dim, PANEL)];
        let (origins, totals) = (&mut *room.origins, &mut *room.product_totals);
        self.sums().moments(weighted, origins, totals, moments);
    }

    fn sums(&self) -> Sums<'_> {
        Sums {
            level: self.level,
            dim: self.dim,
            padded: self.log_weights.len(),
            by_atom: &self.by_atom,
            by_coordinate: &self.by_coordinate,
        }
    }
}

/// All scratch of one push, D > [`SMALL`].
struct Room<'a> {
    /// From one column of atoms to the next: not a multiple of 4096 bytes, which would crowd one cache set.
    stride: usize,
    offsets: &'a mut [f64],
    states: &'a mut [f64],
    scaled: &'a mut [f64],
    columns: &'a mut [f64],
    masses: &'a mut [f64],
    moments: &'a mut [f64],
    origins: &'a mut [f64],
    product_totals: &'a mut [f64],
    deviations: &'a mut [f64],
    totals: &'a mut [f64],
    lower: &'a mut [f64],
    packed: &'a mut [f64],
    applied: &'a mut [f64],
}

impl<'a> Room<'a> {
    /// Room for trajectories carrying tangents, and for a covariance applied to `applied` tangents.
    fn carve(
        centres: &Centres,
        (trajectories, carried): (usize, usize),
        covariance: bool,
        applied: usize,
        work: &'a mut Vec<f64>,
    ) -> Self {
        let (dim, padded) = (centres.dim, centres.log_weights.len());
        let rows = round_up(dim, PANEL);
        let stride = if padded.is_multiple_of(64) { padded + LINE } else { padded };
        let columns = trajectories * (1 + carried);
        let square = if covariance { dim } else { 0 };
        let applied = if covariance { applied } else { 0 };
        let pieces = carve(
            work,
            [
                padded,
                trajectories * dim,
                trajectories * dim,
                columns * stride,
                trajectories,
                columns * rows,
                trajectories * carried,
                trajectories * carried * 8,
                square * BLOCK * PANEL,
                square * 8,
                square * rows,
                if applied > 0 { square * rows } else { 0 },
                applied * rows,
            ],
        );
        let [offsets, states, scaled, columns, masses, moments, origins, rest @ ..] = pieces;
        let [product_totals, deviations, totals, lower, packed, applied] = rest;
        Self {
            stride,
            offsets,
            states,
            scaled,
            columns,
            masses,
            moments,
            origins,
            product_totals,
            deviations,
            totals,
            lower,
            packed,
            applied,
        }
    }
}

/// The symmetric matrix whose lower triangle is `factor` times that of `lower`, written line by line.
fn unfold(dim: usize, lower: &[f64], rows: usize, factor: f64, out: &mut [f64]) {
    for first in (0..dim).step_by(LINE) {
        for i in first..dim {
            for j in first..(first + LINE).min(i + 1) {
                let entry = factor * lower[j * rows + i];
                out[j * dim + i] = entry;
                out[i * dim + j] = entry;
            }
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
