//! Storage in the order in which the product kernel reads it.

use std::ops::{Deref, DerefMut};

/// Rows of a panel: three vectors of AVX-512, so that a tile of 24×8 fills the registers.
pub const PANEL: usize = 24;

/// Numbers in a cache line, to which buffers are aligned.
pub(super) const LINE: usize = 8;

/// The smallest multiple of `step` that is at least `n`.
pub(super) fn round_up(n: usize, step: usize) -> usize {
    n.div_ceil(step) * step
}

/// The part of `buffer` that begins at a cache line, [`LINE`] numbers shorter.
pub(super) fn aligned(buffer: &mut [f64]) -> &mut [f64] {
    let length = buffer.len() - LINE;
    let start = buffer.as_ptr().align_offset(64).min(LINE);
    &mut buffer[start..start + length]
}

/// Numbers that begin at a cache line, where vector loads never straddle two.
#[derive(Debug)]
pub(super) struct Aligned {
    raw: Vec<f64>,
    start: usize,
}

impl Aligned {
    /// `length` zeros.
    pub(super) fn zeros(length: usize) -> Self {
        let raw = vec![0.0; length + LINE];
        let start = raw.as_ptr().align_offset(64).min(LINE);
        Self { raw, start }
    }
}

impl Deref for Aligned {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.raw[self.start..][..self.raw.len() - LINE]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f64] {
        let length = self.raw.len() - LINE;
        &mut self.raw[self.start..][..length]
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

/// A matrix cut into panels of [`PANEL`] rows, each column by column; the last is padded with zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panels<'a> {
    /// Numbers, `PANEL·depth` a panel.
    pub(super) data: &'a [f64],
    /// Rows that are not padding.
    pub(super) rows: usize,
    /// Columns of the matrix.
    pub(super) depth: usize,
}

/// Length of the panels of a `rows×depth` matrix.
pub(super) fn panels_length(rows: usize, depth: usize) -> usize {
    round_up(rows, PANEL) * depth
}

/// Writes the matrix with those entries in panels of `height` rows, each column by column, padded with zeros.
pub(super) fn pack(
    height: usize,
    rows: usize,
    depth: usize,
    data: &mut [f64],
    at: impl Fn(usize, usize) -> f64,
) {
    for (p, panel) in data.chunks_exact_mut(height * depth).enumerate() {
        for (k, column) in panel.chunks_exact_mut(height).enumerate() {
            for (r, entry) in column.iter_mut().enumerate() {
                let row = p * height + r;
                *entry = if row < rows { at(row, k) } else { 0.0 };
            }
        }
    }
}

/// Columns of equal length at a stride, in groups at another: the tangents of a block of trajectories.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    /// Where they lie.
    pub(super) data: &'a [f64],
    /// From one column to the next.
    pub(super) stride: usize,
    /// Columns of a group.
    pub(super) group: usize,
    /// From one group to the next.
    pub(super) group_stride: usize,
    /// Number of columns in all.
    pub(super) count: usize,
}

impl<'a> Columns<'a> {
    /// `count` columns, `stride` apart.
    pub(super) fn plain(data: &'a [f64], stride: usize, count: usize) -> Self {
        Self { data, stride, group: count.max(1), group_stride: 0, count }
    }

    /// The first `length` numbers of column j.
    #[inline(always)]
    pub(super) fn column(&self, j: usize, length: usize) -> &'a [f64] {
        let start = (j / self.group) * self.group_stride + (j % self.group) * self.stride;
        &self.data[start..][..length]
    }
}
