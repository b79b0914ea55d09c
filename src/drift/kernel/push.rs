//! The order of the computation: which way is taken, and in what memory.

use super::centres::{Centres, Gauge};
use super::pack::{Columns, LINE, PANEL, round_up};
use super::room::{Room, carve};
use super::small::{ROWS, SMALL, SmallPush, Wanted};
use super::states::{InnerProducts, Softmax};
use super::tangents::{Sums, Weighted, covariance_is_cheaper};
use super::thirds::Thirds;
use crate::drift::{Channel, Lanes};

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
        self.products(channel, block, lanes, (out, None), work);
    }

    /// [`Centres::push`], and the trace of each Jacobian with its derivatives along the tangents.
    ///
    /// *Shapes*: `divergence` has length `lanes.columns()`.
    pub fn push_with_divergence(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        out: &mut [f64],
        divergence: &mut [f64],
        work: &mut Vec<f64>,
    ) {
        self.products(channel, block, lanes, (out, Some(divergence)), work);
    }

    fn products(
        &self,
        channel: Channel<f64>,
        block: &[f64],
        lanes: Lanes,
        (out, mut divergence): (&mut [f64], Option<&mut [f64]>),
        work: &mut Vec<f64>,
    ) {
        let (dim, tangents) = (self.dim, lanes.tangents);
        let gauge = self.gauge(channel);
        if dim <= SMALL {
            let wanted = Wanted::Products { tangents, out, divergence };
            return self.small(gauge, block, wanted, work);
        }
        let by_covariance = covariance_is_cheaper(dim, tangents);
        let carried = if by_covariance { 0 } else { tangents };
        let most = self.at_once(lanes.trajectories, 1 + carried);
        let mut room = Room::carve(self, (most, carried), by_covariance, tangents, work);
        let rows = round_up(dim, PANEL);
        let width = dim * (1 + tangents);
        let factor = gauge.atoms * gauge.gain;
        let groups = block.chunks(width * most).zip(out.chunks_mut(width * most));
        for (group, (block, out)) in groups.enumerate() {
            self.moments(&gauge, block, width, carried, &mut room);
            if divergence.is_some() {
                self.thirds(block.len() / width, carried, &mut room);
            }
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
                if let Some(divergence) = &mut divergence {
                    let at = (group * most + t) * (1 + tangents);
                    let (to, third) =
                        (&mut divergence[at..][..1 + tangents], &room.thirds[t * (dim + 1)..]);
                    gauge.divergence(third[dim], &third[..dim], &from[dim..], to);
                }
            }
        }
    }

    /// Fills `room.thirds` for that many trajectories, from the weights and means of [`Centres::moments`].
    fn thirds(&self, count: usize, carried: usize, room: &mut Room<'_>) {
        let (out, totals) = room.thirds.split_at_mut(count * (self.dim + 1));
        self.level.run(Thirds {
            by_atom: &self.by_atom,
            dim: self.dim,
            weights: room.columns,
            stride: room.stride * (1 + carried),
            masses: &room.masses[..count],
            means: room.moments,
            means_stride: round_up(self.dim, PANEL) * (1 + carried),
            totals,
            out,
        });
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
