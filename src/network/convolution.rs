//! Convolutions with known weights: what the windows see is gathered, and multiplied before it leaves the cache.

use super::linear::Linear;
use super::product::gemm;
use super::push::{Columns, Source, grown};
use super::tape::GAP;
use crate::scalar::Scalar;
use std::ops::Range;
use std::sync::Arc;

/// A linear map, across, of what windows see: each of its vectors is gathered from the input.
#[derive(Clone, Debug)]
pub(super) struct Convolution {
    pub(super) linear: Linear,
    blocks: Arc<[Block]>,
}

/// What neighbouring windows of one part see: a matrix with a column for each.
#[derive(Clone, Debug)]
struct Block {
    part: usize,
    windows: Range<usize>,
    /// (first in the row-major matrix, first in the input, how many); what no run covers is 0.
    runs: Vec<(u32, u32, u32)>,
}

/// Numbers of a block: a quarter of a megabyte.
const BLOCK: usize = 1 << 15;

impl Block {
    /// (matrix, input) ranges of each run.
    fn ranges(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let range = |start: u32, count: u32| start as usize..(start + count) as usize;
        self.runs.iter().map(move |(to, from, count)| (range(*to, *count), range(*from, *count)))
    }

    fn gather<S: Scalar>(&self, x: &[S], matrix: &mut [S]) {
        matrix.fill(S::from(0.0));
        for (to, from) in self.ranges() {
            matrix[to].copy_from_slice(&x[from]);
        }
    }

    /// Adds each entry of the matrix to where it comes from.
    fn add_back(&self, matrix: &[f64], x: &mut [f64]) {
        for (to, from) in self.ranges() {
            x[from].iter_mut().zip(&matrix[to]).for_each(|(x, entry)| *x += entry);
        }
    }
}

impl Convolution {
    /// `map` says where each entry of parts × depth × windows comes from, [`GAP`] for 0.
    pub(super) fn new(linear: Linear, map: &[u32]) -> Self {
        let (depth, count) = (linear.depth, linear.count);
        let width = (BLOCK / depth).clamp(1, count);
        let mut blocks = Vec::new();
        for (part, map) in map.chunks_exact(depth * count).enumerate() {
            for first in (0..count).step_by(width) {
                let windows = first..(first + width).min(count);
                let rows = map.chunks_exact(count).map(|row| &row[windows.clone()]);
                let mut runs: Vec<(u32, u32, u32)> = Vec::new();
                for (to, from) in rows.flatten().enumerate().filter(|(_, from)| **from != GAP) {
                    match runs.last_mut() {
                        Some((start, first, count))
                            if *start + *count == to as u32 && *first + *count == *from =>
                        {
                            *count += 1;
                        }
                        _ => runs.push((to as u32, *from, 1)),
                    }
                }
                blocks.push(Block { part, windows, runs });
            }
        }
        Self { linear, blocks: blocks.into() }
    }

    pub(super) fn eval<S: Scalar>(&self, x: &[S], out: &mut [S]) {
        let linear = &self.linear;
        let mut room = vec![S::from(0.0); linear.depth * linear.count];
        for block in self.blocks.iter() {
            let width = block.windows.len();
            let matrix = &mut room[..linear.depth * width];
            block.gather(x, matrix);
            for (r, weights) in linear.matrix(block.part).chunks_exact(linear.depth).enumerate() {
                let bias = S::from(linear.bias(block.part).map_or(0.0, |bias| bias[r]));
                let out = &mut out[(block.part * linear.rows + r) * linear.count..];
                for (j, window) in block.windows.clone().enumerate() {
                    let terms = weights.iter().zip(matrix[j..].iter().step_by(width));
                    out[window] = terms.fold(bias, |sum, (w, x)| sum + *x * *w);
                }
            }
        }
    }

    /// All columns.
    pub(super) fn run(
        &self,
        x: Source<'_>,
        columns: Columns,
        out: &mut [f64],
        room: &mut Vec<f64>,
    ) {
        let linear = &self.linear;
        let length = linear.parts * linear.rows * linear.count;
        for (c, out) in out.chunks_exact_mut(length).enumerate() {
            for block in self.blocks.iter() {
                let width = block.windows.len();
                let matrix = grown(room, linear.depth * width);
                block.gather(x.column(c), matrix);
                let start = block.part * linear.rows * linear.count + block.windows.start;
                gemm(
                    [linear.rows, linear.depth, width],
                    (linear.matrix(block.part), (linear.depth, 1)),
                    (matrix, (width, 1)),
                    0.0,
                    (&mut out[start..], (linear.count, 1)),
                );
            }
        }
        linear.add_bias(columns, out);
    }

    /// Adds the transposed map of the covectors of all columns.
    pub(super) fn back(&self, columns: usize, from: &[f64], to: &mut [f64], room: &mut Vec<f64>) {
        let linear = &self.linear;
        let length = to.len() / columns;
        let froms = from.chunks_exact(linear.parts * linear.rows * linear.count);
        for (from, to) in froms.zip(to.chunks_exact_mut(length)) {
            for block in self.blocks.iter() {
                let width = block.windows.len();
                let matrix = grown(room, linear.depth * width);
                let start = block.part * linear.rows * linear.count + block.windows.start;
                gemm(
                    [linear.depth, linear.rows, width],
                    (linear.matrix(block.part), (1, linear.depth)),
                    (&from[start..], (linear.count, 1)),
                    0.0,
                    (matrix, (width, 1)),
                );
                block.add_back(matrix, to);
            }
        }
    }
}
