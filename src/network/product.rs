//! Products of two matrices that both vary.

use crate::scalar::Scalar;

/// Products of `batch` row-major matrices, `rows×depth` times `depth×columns`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) batch: usize,
    pub(super) rows: usize,
    pub(super) depth: usize,
    pub(super) columns: usize,
}

impl Product {
    pub(super) fn eval<S: Scalar>(&self, a: &[S], b: &[S], out: &mut [S]) {
        let factors =
            a.chunks_exact(self.rows * self.depth).zip(b.chunks_exact(self.depth * self.columns));
        let outs = out.chunks_exact_mut(self.rows * self.columns);
        for ((a, b), out) in factors.zip(outs) {
            for (i, row) in a.chunks_exact(self.depth).enumerate() {
                for j in 0..self.columns {
                    let terms = row.iter().zip(b[j..].iter().step_by(self.columns));
                    out[i * self.columns + j] =
                        terms.fold(S::from(0.0), |sum, (a, b)| sum + *a * *b);
                }
            }
        }
    }

    /// out = a·b + keep·out for each matrix of the batch.
    pub(super) fn run(&self, a: &[f64], b: &[f64], out: &mut [f64], keep: f64) {
        let Self { rows, depth, columns, batch } = *self;
        for i in 0..batch {
            gemm(
                [rows, depth, columns],
                (&a[i * rows * depth..], (depth, 1)),
                (&b[i * depth * columns..], (columns, 1)),
                keep,
                (&mut out[i * rows * columns..], (columns, 1)),
            );
        }
    }
}

/// out = a·b + keep·out, of shapes `m×k`, `k×n`, `m×n` with these (row, column) strides.
pub(super) fn gemm(
    [m, k, n]: [usize; 3],
    (a, sa): (&[f64], (usize, usize)),
    (b, sb): (&[f64], (usize, usize)),
    keep: f64,
    (out, so): (&mut [f64], (usize, usize)),
) {
    if m * n == 0 {
        return;
    }
    let fits = |length: usize, rows: usize, columns: usize, (row, column): (usize, usize)| {
        rows * columns == 0 || (rows - 1) * row + (columns - 1) * column < length
    };
    assert!(fits(a.len(), m, k, sa) && fits(b.len(), k, n, sb) && fits(out.len(), m, n, so));
    // SAFETY: the assertion above keeps every entry of the three matrices inside its slice.
    unsafe {
        matrixmultiply::dgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            sa.0 as isize,
            sa.1 as isize,
            b.as_ptr(),
            sb.0 as isize,
            sb.1 as isize,
            keep,
            out.as_mut_ptr(),
            so.0 as isize,
            so.1 as isize,
        );
    }
}
