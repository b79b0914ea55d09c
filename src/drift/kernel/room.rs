//! Scratch of a push.

use super::centres::Centres;
use super::pack::{LINE, PANEL, aligned, round_up};
use super::tangents::BLOCK;
use super::thirds::STATES;
use crate::drift::scratch;

/// All scratch of one push, D > [`super::small::SMALL`].
pub(super) struct Room<'a> {
    /// From one column of atoms to the next: not a multiple of 4096 bytes, which would crowd one cache set.
    pub(super) stride: usize,
    pub(super) offsets: &'a mut [f64],
    pub(super) states: &'a mut [f64],
    pub(super) scaled: &'a mut [f64],
    pub(super) columns: &'a mut [f64],
    pub(super) masses: &'a mut [f64],
    pub(super) moments: &'a mut [f64],
    pub(super) origins: &'a mut [f64],
    pub(super) product_totals: &'a mut [f64],
    pub(super) deviations: &'a mut [f64],
    pub(super) totals: &'a mut [f64],
    pub(super) lower: &'a mut [f64],
    pub(super) packed: &'a mut [f64],
    pub(super) applied: &'a mut [f64],
    pub(super) thirds: &'a mut [f64],
}

impl<'a> Room<'a> {
    /// Room for trajectories carrying tangents, and for a covariance applied to `applied` tangents.
    pub(super) fn carve(
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
                trajectories * (dim + 1) + 8 * STATES * dim,
            ],
        );
        let [offsets, states, scaled, columns, masses, moments, origins, rest @ ..] = pieces;
        let [product_totals, deviations, totals, lower, packed, applied, thirds] = rest;
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
            thirds,
        }
    }
}

/// Cuts scratch into pieces that each begin at a cache line.
pub(super) fn carve<const N: usize>(work: &mut Vec<f64>, lengths: [usize; N]) -> [&mut [f64]; N] {
    let total: usize = lengths.iter().map(|n| round_up(*n, LINE)).sum();
    let mut rest = aligned(scratch(work, total + LINE));
    lengths.map(|length| {
        let (piece, after) = std::mem::take(&mut rest).split_at_mut(round_up(length, LINE));
        rest = after;
        &mut piece[..length]
    })
}
