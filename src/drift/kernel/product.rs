//! Matrix products with the packed centres: a register tile, and the loops around it.
//!
//! Entry (i, j) is always the sum over k in increasing order, so a column's
//! result does not depend on the columns beside it, nor on how the sum over
//! atoms was cut into blocks.

use super::pack::{Columns, PANEL, Panels};
use super::simd::{Kernel, Level, Simd};
use std::ops::Range;

/// Which entries of a product are computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// All.
    Full,
    /// Those on and below the diagonal, and some above it.
    Lower,
}

/// The part of a product to compute: panels of rows × columns, summed over `depth`.
pub(super) struct Product<'a> {
    /// The packed factor.
    pub(super) a: Panels<'a>,
    /// Which of its panels.
    pub(super) panels: Range<usize>,
    /// Which of its columns.
    pub(super) depth: Range<usize>,
    /// The other factor: its row 0 goes with column `depth.start` of the packed one.
    pub(super) b: Columns<'a>,
    /// Which entries.
    pub(super) shape: Shape,
}

impl Product<'_> {
    /// Computes it tile by tile.
    #[inline(always)]
    pub(super) fn run<S: Simd>(&self, s: S, tile: &mut Dense<'_>) {
        let depth = self.depth.len();
        for p in self.panels.clone() {
            let panel = &self.a.data[p * PANEL * self.a.depth..][self.depth.start * PANEL..];
            let panel = &panel[..depth * PANEL];
            let rows = (self.a.rows - p * PANEL).min(PANEL);
            let columns = match self.shape {
                Shape::Full => self.b.count,
                Shape::Lower => self.b.count.min((p + 1) * PANEL),
            };
            let mut j = 0;
            while j < columns {
                let left = (columns - j).min(S::COLUMNS);
                j += match left {
                    8.. => self.strip::<S, 8>(s, panel, p, rows, j, tile),
                    4.. => self.strip::<S, 4>(s, panel, p, rows, j, tile),
                    2.. => self.strip::<S, 2>(s, panel, p, rows, j, tile),
                    _ => self.strip::<S, 1>(s, panel, p, rows, j, tile),
                };
            }
        }
    }

    /// `NR` columns from column j of one panel.
    #[inline(always)]
    fn strip<S: Simd, const NR: usize>(
        &self,
        s: S,
        panel: &[f64],
        p: usize,
        rows: usize,
        j: usize,
        tile: &mut Dense<'_>,
    ) -> usize {
        if NR > S::COLUMNS {
            return NR; // Never taken: keeps tiles that would spill the registers from being compiled.
        }
        let depth = self.depth.len();
        let mut columns: [&[f64]; NR] = [&[]; NR];
        for (i, column) in columns.iter_mut().enumerate() {
            *column = self.b.column(j + i, depth);
        }
        let mut row = 0;
        while row < rows {
            row += S::LANES
                * match (rows - row).div_ceil(S::LANES) {
                    3.. => sums::<S, 3, NR>(s, panel, &columns, (p, row, j), tile),
                    2 => sums::<S, 2, NR>(s, panel, &columns, (p, row, j), tile),
                    _ => sums::<S, 1, NR>(s, panel, &columns, (p, row, j), tile),
                };
        }
        NR
    }
}

/// One register tile: MV vectors of rows × NR columns, summed over the whole depth.
#[inline(always)]
fn sums<S: Simd, const MV: usize, const NR: usize>(
    s: S,
    panel: &[f64],
    columns: &[&[f64]; NR],
    (p, first, column): (usize, usize, usize),
    tile: &mut Dense<'_>,
) -> usize {
    let row = p * PANEL + first;
    let mut sums = [[s.splat(0.0); MV]; NR];
    for (j, sums) in sums.iter_mut().enumerate() {
        *sums = tile.start(s, row, column + j);
    }
    for (k, rows) in panel.chunks_exact(PANEL).enumerate() {
        let rows = &rows[first..][..MV * S::LANES];
        let mut a = [s.splat(0.0); MV];
        for (i, a) in a.iter_mut().enumerate() {
            *a = s.load(&rows[i * S::LANES..]);
        }
        for (column, sums) in columns.iter().zip(&mut sums) {
            let b = s.splat(column[k]);
            for (a, sum) in a.iter().zip(sums) {
                *sum = s.mul_add(*a, b, *sum);
            }
        }
    }
    for (j, sums) in sums.into_iter().enumerate() {
        tile.finish(s, row, column + j, sums);
    }
    MV
}

/// Writes or adds a product to a column-major matrix whose columns have room for whole panels.
pub(super) struct Dense<'a> {
    /// The matrix.
    pub(super) out: &'a mut [f64],
    /// From one column to the next.
    pub(super) stride: usize,
    /// Columns of a group.
    pub(super) group: usize,
    /// From one group to the next.
    pub(super) group_stride: usize,
    /// Whether the product is added to what is there.
    pub(super) add: bool,
}

impl<'a> Dense<'a> {
    /// All columns `stride` apart.
    pub(super) fn plain(out: &'a mut [f64], stride: usize, add: bool) -> Self {
        Self { out, stride, group: usize::MAX, group_stride: 0, add }
    }

    #[inline(always)]
    fn offset(&self, row: usize, column: usize) -> usize {
        (column / self.group) * self.group_stride + (column % self.group) * self.stride + row
    }

    /// The numbers to which the products are added.
    #[inline(always)]
    fn start<S: Simd, const MV: usize>(&self, s: S, row: usize, column: usize) -> [S::V; MV] {
        let mut start = [s.splat(0.0); MV];
        if self.add {
            let from = &self.out[self.offset(row, column)..][..MV * S::LANES];
            for (i, start) in start.iter_mut().enumerate() {
                *start = s.load(&from[i * S::LANES..]);
            }
        }
        start
    }

    /// Takes the sums.
    #[inline(always)]
    fn finish<S: Simd, const MV: usize>(
        &mut self,
        s: S,
        row: usize,
        column: usize,
        sums: [S::V; MV],
    ) {
        let offset = self.offset(row, column);
        let to = &mut self.out[offset..][..MV * S::LANES];
        for (i, sum) in sums.into_iter().enumerate() {
            s.store(sum, &mut to[i * S::LANES..]);
        }
    }
}

impl Kernel for (Product<'_>, Dense<'_>) {
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        self.0.run(s, &mut self.1);
    }
}

/// The product A·B of dense column-major matrices, `rows×depth` and `depth×columns`.
///
/// *Accuracy*: each entry is one sum in increasing k. Packs A afresh: for tests
/// and one-off use; the centres are packed once.
pub fn product(level: Level, rows: usize, depth: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
    let columns = b.len() / depth;
    let mut data = vec![0.0; super::pack::panels_length(rows, depth)];
    super::pack::pack(PANEL, rows, depth, &mut data, |i, k| a[i + k * rows]);
    let stride = super::pack::round_up(rows, PANEL);
    let mut out = vec![0.0; stride * columns];
    let product = Product {
        a: Panels { data: &data, rows, depth },
        panels: 0..rows.div_ceil(PANEL),
        depth: 0..depth,
        b: Columns::plain(b, depth, columns),
        shape: Shape::Full,
    };
    level.run((product, Dense::plain(&mut out, stride, false)));
    (0..columns).flat_map(|j| out[j * stride..][..rows].to_vec()).collect()
}
