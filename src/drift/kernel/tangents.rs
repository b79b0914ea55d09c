//! Posterior covariances and their products with tangents, D > 4.

use super::pack::{Columns, PANEL, Panels, pack, round_up};
use super::product::{Dense, Product, Shape};
use super::simd::{Kernel, Level, Simd};
use super::states::{Deviations, weigh};
use std::ops::Range;

/// Panels of atoms that are summed over at a time: their weighted deviations stay in the cache.
pub(super) const BLOCK: usize = 22;

/// Whether D columns of a symmetric product cost less than two products for each of `tangents`.
///
/// An atom takes D (D + 1) + 6 D operations one way, a sixth more for tiles
/// across the diagonal, and 4 D·tangents the other.
pub(super) fn covariance_is_cheaper(dim: usize, tangents: usize) -> bool {
    4 * tangents > dim + dim / 6 + 7
}

/// A run of at most [`BLOCK`] panels from panel `from` on, without those whose atoms all have weight 0.
fn next_run(from: usize, panels: usize, matters: impl Fn(usize) -> bool) -> Option<Range<usize>> {
    let start = (from..panels).find(|p| matters(*p))?;
    let last = panels.min(start + BLOCK);
    Some(start..(start + 1..last).find(|p| !matters(*p)).unwrap_or(last))
}

fn any_weight(weights: &[f64], panel: usize) -> bool {
    weights[panel * PANEL..][..PANEL].iter().any(|w| *w != 0.0)
}

/// The centred atoms, for sums over them.
#[derive(Clone, Copy)]
pub(super) struct Sums<'a> {
    /// The instruction set.
    pub(super) level: Level,
    /// Dimension D.
    pub(super) dim: usize,
    /// Atoms, with padding.
    pub(super) padded: usize,
    /// Centred atoms in panels of atoms.
    pub(super) by_atom: &'a [f64],
    /// The same in panels of coordinates.
    pub(super) by_coordinate: &'a [f64],
}

/// Columns of trajectories: for each its weights, then its inner products with tangents.
pub(super) struct Weighted<'a> {
    /// One number an atom.
    pub(super) columns: &'a mut [f64],
    /// From one column to the next.
    pub(super) stride: usize,
    /// Tangents of a trajectory.
    pub(super) tangents: usize,
    /// Sums of the weights, one a trajectory.
    pub(super) masses: &'a [f64],
}

impl Sums<'_> {
    fn coordinates(&self) -> Panels<'_> {
        Panels { data: self.by_coordinate, rows: self.dim, depth: self.padded }
    }

    /// Writes the mean of each trajectory and C v for its tangents, T·(1 + K) columns of D rounded up to panels.
    ///
    /// `origins` and `totals` are scratch of one and eight numbers a tangent.
    pub(super) fn moments(
        &self,
        from: Weighted<'_>,
        origins: &mut [f64],
        totals: &mut [f64],
        out: &mut [f64],
    ) {
        let Weighted { columns, stride, tangents, masses } = from;
        let width = stride * (1 + tangents);
        for (t, trajectory) in columns.chunks_exact(width).enumerate() {
            // The likeliest atom: deviations from it are as small as those from the mean, which is not known yet.
            let origin = trajectory[..self.padded].iter().position(|w| *w == 1.0).unwrap_or(0);
            for j in 0..tangents {
                origins[t * tangents + j] = trajectory[(1 + j) * stride + origin];
            }
        }
        totals.fill(0.0);
        out.fill(0.0);
        let rows = round_up(self.dim, PANEL);
        let mut next = 0;
        while let Some(run) = next_run(next, self.padded / PANEL, |p| {
            columns.chunks_exact(width).any(|trajectory| any_weight(trajectory, p))
        }) {
            let (first, atoms) = (run.start * PANEL, run.len() * PANEL);
            let columns = &mut columns[first..];
            if tangents > 0 {
                let columns = &mut *columns;
                self.level.run(Deviations { columns, atoms, stride, tangents, origins, totals });
            }
            let product = Product {
                a: self.coordinates(),
                panels: 0..self.dim.div_ceil(PANEL),
                depth: first..first + atoms,
                b: Columns::plain(columns, stride, masses.len() * (1 + tangents)),
                shape: Shape::Full,
            };
            self.level.run((product, Dense::plain(out, rows, true)));
            next = run.end;
        }
        let trajectories = out.chunks_exact_mut(rows * (1 + tangents));
        for (t, (trajectory, mass)) in trajectories.zip(masses).enumerate() {
            let (mean, products) = trajectory.split_at_mut(rows);
            mean.iter_mut().for_each(|m| *m /= mass);
            for (j, product) in products.chunks_exact_mut(rows).enumerate() {
                normalise(product, mean, &totals[(t * tangents + j) * 8..][..8], *mass);
            }
        }
    }

    /// Writes the lower triangle of C to the `D×D` matrix `out`, its columns rounded up to panels.
    ///
    /// `deviations` and `totals` are scratch of [`BLOCK`] panels and eight numbers a coordinate.
    pub(super) fn covariance(
        &self,
        (weights, mass): (&[f64], f64),
        mean: &[f64],
        deviations: &mut [f64],
        totals: &mut [f64],
        out: &mut [f64],
    ) {
        let rows = round_up(self.dim, PANEL);
        totals.fill(0.0);
        out.fill(0.0);
        let mut next = 0;
        while let Some(run) = next_run(next, self.padded / PANEL, |p| any_weight(weights, p)) {
            let first = run.start * PANEL;
            next = run.end;
            let by_atom = &self.by_atom[first * self.dim..run.end * PANEL * self.dim];
            let weights = &weights[first..run.end * PANEL];
            self.level.run(CoordinateDeviations {
                by_atom,
                weights,
                mean,
                out: &mut *deviations,
                totals: &mut *totals,
            });
            let product = Product {
                a: self.coordinates(),
                panels: 0..self.dim.div_ceil(PANEL),
                depth: first..run.end * PANEL,
                b: Columns::plain(deviations, BLOCK * PANEL, self.dim),
                shape: Shape::Lower,
            };
            self.level.run((product, Dense::plain(out, rows, true)));
        }
        for (column, totals) in out.chunks_exact_mut(rows).zip(totals.chunks_exact(8)) {
            normalise(column, mean, totals, mass);
        }
    }

    /// Writes C v for every column v, from the lower triangle of C; `packed` is scratch of its size.
    pub(super) fn apply(
        &self,
        lower: &[f64],
        tangents: Columns<'_>,
        packed: &mut [f64],
        out: &mut [f64],
    ) {
        let (dim, rows) = (self.dim, round_up(self.dim, PANEL));
        pack(PANEL, dim, dim, packed, |i, j| lower[i.min(j) * rows + i.max(j)]);
        let product = Product {
            a: Panels { data: packed, rows: dim, depth: dim },
            panels: 0..dim.div_ceil(PANEL),
            depth: 0..dim,
            b: tangents,
            shape: Shape::Full,
        };
        self.level.run((product, Dense::plain(out, rows, false)));
    }
}

/// Turns Σ w p q, q the weighted deviations from some point, into the mean of (p − m) q.
fn normalise(column: &mut [f64], mean: &[f64], totals: &[f64], mass: f64) {
    let total: f64 = totals.iter().sum();
    for (entry, m) in column.iter_mut().zip(mean) {
        *entry = (*entry - m * total) / mass;
    }
}

/// w_i (p_i − m) for the atoms of a run of panels, a column for each coordinate, and the sums of each.
struct CoordinateDeviations<'a> {
    by_atom: &'a [f64],
    weights: &'a [f64],
    mean: &'a [f64],
    out: &'a mut [f64],
    totals: &'a mut [f64],
}

impl Kernel for CoordinateDeviations<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { by_atom, weights, mean, out, totals } = self;
        let dim = totals.len() / 8;
        let panels = by_atom.chunks_exact(PANEL * dim).zip(weights.chunks_exact(PANEL));
        for (p, (panel, weights)) in panels.enumerate() {
            let columns = out.chunks_exact_mut(BLOCK * PANEL).zip(totals.chunks_exact_mut(8));
            for ((atoms, mean), (column, totals)) in
                panel.chunks_exact(PANEL).zip(mean).zip(columns)
            {
                let column = &mut column[p * PANEL..][..PANEL];
                column.copy_from_slice(atoms);
                weigh(s, weights, column, *mean, totals);
            }
        }
    }
}
