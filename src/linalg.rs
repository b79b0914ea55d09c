//! Frames, angles and factorisations: the only module that names nalgebra's decompositions.
//!
//! A *frame* is a `D×k` matrix with orthonormal columns.

use crate::error::{Error, Result};
use crate::scalar::Real;
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, DVector};
use std::cmp::Ordering;

/// Orthonormalises the columns in place (modified Gram–Schmidt, twice) and
/// returns the logarithms of the diagonal of R in V = QR, R_ii > 0.
///
/// *Shapes*: `D×k` with k ≤ D. A zero or dependent column gives −∞ or a value
/// near it; its direction is then arbitrary, or zero.
pub fn orthonormalise<R: Real>(v: &mut DMatrix<R>) -> Vec<R> {
    let (rows, columns) = v.shape();
    let mut log_r = vec![R::from(0.0); columns];
    orthonormalise_columns(v.as_mut_slice(), rows, &mut log_r);
    log_r
}

/// [`orthonormalise`] on a column-major slice; writes log R_ii to `log_r`. Allocates nothing.
pub fn orthonormalise_columns<R: Real>(v: &mut [R], rows: usize, log_r: &mut [R]) {
    for (i, out) in log_r.iter_mut().enumerate() {
        let (done, rest) = v.split_at_mut(i * rows);
        let column = &mut rest[..rows];
        // "Twice is enough": one pass loses orthogonality in proportion to the conditioning.
        for _ in 0..2 {
            for q in done.chunks_exact(rows) {
                let overlap = dot(q, column);
                for (c, q) in column.iter_mut().zip(q) {
                    *c -= overlap * *q;
                }
            }
        }
        let norm = dot(column, column).sqrt();
        *out = norm.ln();
        if norm > 0.0 {
            for c in column.iter_mut() {
                *c /= norm;
            }
        }
    }
}

/// Inner product of two slices of equal length.
///
/// Eight sums side by side, which the compiler can keep in vectors; always in the same order.
pub fn dot<R: Real>(a: &[R], b: &[R]) -> R {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [R::from(0.0); 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: R = a_rest.iter().zip(b_rest).map(|(x, y)| *x * *y).sum();
    sums.into_iter().sum::<R>() + rest
}

/// out ← A·block for a square matrix A of order `n` and columns of length `n`, all column-major.
pub fn matrix_product(a: &[f64], n: usize, block: &[f64], out: &mut [f64]) {
    let a = DMatrixView::from_slice(a, n, n);
    let columns = block.len() / n;
    let mut out = DMatrixViewMut::from_slice(out, n, columns);
    out.gemm(1.0, &a, &DMatrixView::from_slice(block, n, columns), 0.0);
}

/// A singular value decomposition with values in decreasing order.
#[derive(Clone, Debug)]
pub struct Svd {
    /// Left vectors, `m×min(m,n)`.
    pub left: DMatrix<f64>,
    /// Values, decreasing.
    pub values: DVector<f64>,
    /// Right vectors as columns, `n×min(m,n)`.
    pub right: DMatrix<f64>,
}

/// Sweeps of Jacobi rotations after which a decomposition is given up; convergence is quadratic, so 30 is ample.
const MOST_SWEEPS: usize = 30;

/// The thin singular value decomposition, values decreasing; those below D·ε·σ_1 are rounding.
///
/// One-sided Jacobi rotations: our own, because nalgebra 0.35's iteration
/// returns factors whose product is off by up to 1 % on one in 300 products of
/// near-identity maps, exactly the matrices met here (a test keeps such cases).
///
/// *Errors*: [`Error::Numeric`] when an entry is not finite or the iteration does not converge.
pub fn svd(a: &DMatrix<f64>) -> Result<Svd> {
    if a.nrows() < a.ncols() {
        let Svd { left, values, right } = svd(&a.transpose())?;
        return Ok(Svd { left: right, values, right: left });
    }
    let n = a.ncols();
    let Rotated { directions, turns, norms, rank } = rotated(a)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
    let values = DVector::from_fn(n, |c, _| norms[order[c]]);
    let left = DMatrix::from_fn(a.nrows(), rank, |r, c| directions[(r, order[c])]);
    // The complement of a tall frame is a large matrix: only where it is needed.
    let left =
        if rank == n {
            left
        } else {
            let missing = complement(&left).columns(0, n - rank).into_owned();
            DMatrix::from_fn(a.nrows(), n, |r, c| {
                if c < rank { left[(r, c)] } else { missing[(r, c - rank)] }
            })
        };
    Ok(Svd { left, values, right: DMatrix::from_fn(n, n, |r, c| turns[(r, order[c])]) })
}

/// A tall matrix U = A V with orthogonal columns, V orthogonal: A = (U/|U|) diag|U| Vᵀ.
struct Rotated<R> {
    /// U/|U|.
    directions: DMatrix<R>,
    /// V.
    turns: DMatrix<R>,
    /// |U|, in no particular order.
    norms: Vec<R>,
    /// How many of them are not rounding. The other columns have no direction of their own: their places are to be
    /// filled orthonormally.
    rank: usize,
}

/// Rotates columns until they are orthogonal.
///
/// *Errors*: as [`svd`].
fn rotated<R: Real>(a: &DMatrix<R>) -> Result<Rotated<R>> {
    if !a.iter().all(|x| x.re().is_finite()) {
        return Err(Error::numeric("singular value decomposition", "an entry is not finite"));
    }
    // Squares of entries must neither vanish nor overflow; a power of two changes no digit.
    let size = a.iter().map(|x| x.re().abs()).fold(0.0, f64::max);
    if size > 0.0 && !(1e-100..1e100).contains(&size) {
        let factor = 2.0_f64.powi(if size < 1.0 { 600 } else { -600 });
        let scaled = rotated(&a.map(|x| x * factor))?;
        let norms = scaled.norms.iter().map(|norm| *norm / factor).collect();
        return Ok(Rotated { norms, ..scaled });
    }
    let n = a.ncols();
    // Inner products of columns are known to about this part of |x||y|.
    let rounding = R::EPSILON * a.nrows() as f64;
    let (mut u, mut v) = (a.clone(), DMatrix::identity(n, n));
    let largest: R = u.column_iter().map(|column| column.dot(&column)).sum();
    for _ in 0..MOST_SWEEPS {
        let mut converged = true;
        for p in 0..n {
            for q in p + 1..n {
                let (pp, qq) = (u.column(p).dot(&u.column(p)), u.column(q).dot(&u.column(q)));
                let pq = u.column(p).dot(&u.column(q));
                // Columns below rounding of the largest are noise: they never become orthogonal.
                let least = if pp < qq { pp } else { qq };
                let noise = least <= largest * (rounding * rounding);
                if noise || pq.abs() <= (pp * qq).sqrt() * rounding {
                    continue;
                }
                converged = false;
                let zeta = (qq - pp) / (pq * 2.0);
                let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(R::from(1.0)));
                let cosine = tangent.hypot(R::from(1.0)).recip();
                for matrix in [&mut u, &mut v] {
                    rotate_columns(matrix, p, q, cosine, cosine * tangent);
                }
            }
        }
        if converged {
            let norms: Vec<R> = u.column_iter().map(|column| column.dot(&column).sqrt()).collect();
            let noise = largest.sqrt() * rounding;
            let rank = norms.iter().filter(|norm| **norm > noise).count();
            let directions = DMatrix::from_fn(a.nrows(), n, |r, c| u[(r, c)] / norms[c]);
            return Ok(Rotated { directions, turns: v, norms, rank });
        }
    }
    Err(Error::numeric("singular value decomposition", "no convergence"))
}

/// Columns (p, q) ← (c·p − s·q, s·p + c·q), p < q.
fn rotate_columns<R: Real>(matrix: &mut DMatrix<R>, p: usize, q: usize, c: R, s: R) {
    let rows = matrix.nrows();
    let (head, tail) = matrix.as_mut_slice().split_at_mut(q * rows);
    for (x, y) in head[p * rows..(p + 1) * rows].iter_mut().zip(&mut tail[..rows]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// Singular values, decreasing; empty for an empty matrix.
///
/// *Errors*: as [`svd`].
pub fn singular_values<R: Real>(a: &DMatrix<R>) -> Result<Vec<R>> {
    if a.is_empty() {
        return Ok(Vec::new());
    }
    if a.nrows() < a.ncols() {
        return singular_values(&a.transpose());
    }
    let mut values = rotated(a)?.norms;
    values.sort_by(|a, b| b.partial_cmp(a).unwrap_or(Ordering::Equal));
    Ok(values)
}

/// The spectral norm; 0 for an empty matrix.
///
/// *Errors*: as [`svd`].
pub fn spectral_norm<R: Real>(a: &DMatrix<R>) -> Result<R> {
    Ok(singular_values(a)?.first().copied().unwrap_or(R::from(0.0)))
}

/// The least singular value of a square or tall matrix; ∞ for an empty one.
///
/// *Errors*: as [`svd`].
pub fn least_singular_value<R: Real>(a: &DMatrix<R>) -> Result<R> {
    Ok(singular_values(a)?.last().copied().unwrap_or(R::from(f64::INFINITY)))
}

/// The symmetric part of a square matrix; None where an entry is not finite, on which nalgebra's iteration invents eigenvalues.
fn finite_symmetric_part(a: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    Some((a + a.transpose()) * 0.5).filter(|part| part.iter().all(|x| x.is_finite()))
}

/// Eigenvalues (decreasing) and eigenvectors (columns) of the symmetric part of `a`; all NaN where an entry is not finite.
pub fn symmetric_eigen(a: &DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    let n = a.nrows();
    let Some(part) = finite_symmetric_part(a) else {
        return (vec![f64::NAN; n], DMatrix::from_element(n, n, f64::NAN));
    };
    let raw = nalgebra::SymmetricEigen::new(part);
    let mut order: Vec<usize> = (0..raw.eigenvalues.len()).collect();
    order.sort_by(|&i, &j| raw.eigenvalues[j].total_cmp(&raw.eigenvalues[i]));
    let values = order.iter().map(|&i| raw.eigenvalues[i]).collect();
    let vectors = DMatrix::from_fn(n, n, |r, c| raw.eigenvectors[(r, order[c])]);
    (values, vectors)
}

/// All eigenvalues (re, im) of a square matrix, in no particular order.
///
/// *Errors*: [`Error::Numeric`] when an entry is not finite or the iteration does not converge.
pub fn eigenvalues(a: &DMatrix<f64>) -> Result<Vec<(f64, f64)>> {
    if !a.iter().all(|x| x.is_finite()) {
        return Err(Error::numeric("eigenvalues", "an entry is not finite"));
    }
    let schur = nalgebra::Schur::try_new(a.clone(), f64::EPSILON, 10_000)
        .ok_or_else(|| Error::numeric("eigenvalues", "no convergence"))?;
    Ok(schur.complex_eigenvalues().iter().map(|z| (z.re, z.im)).collect())
}

/// The largest eigenvalue of sym(A) = (A + Aᵀ)/2, written μ_max(A); −∞ for an empty matrix.
pub fn mu_max(a: &DMatrix<f64>) -> f64 {
    symmetric_eigenvalues(a).max_by(f64::total_cmp).unwrap_or(f64::NEG_INFINITY)
}

/// The smallest eigenvalue of sym(A), written μ_min(A); ∞ for an empty matrix.
pub fn mu_min(a: &DMatrix<f64>) -> f64 {
    symmetric_eigenvalues(a).min_by(f64::total_cmp).unwrap_or(f64::INFINITY)
}

/// The spectral norm of sym(A), which costs a tenth of [`spectral_norm`]; 0 for an empty matrix.
pub fn symmetric_norm(a: &DMatrix<f64>) -> f64 {
    symmetric_eigenvalues(a).map(f64::abs).max_by(f64::total_cmp).unwrap_or(0.0)
}

/// The eigenvalues of sym(A), in no particular order; all NaN where an entry is not finite.
fn symmetric_eigenvalues(a: &DMatrix<f64>) -> impl Iterator<Item = f64> {
    let values = match finite_symmetric_part(a) {
        _ if a.is_empty() => Vec::new(),
        Some(part) => part.symmetric_eigenvalues().as_slice().to_vec(),
        None => vec![f64::NAN; a.nrows()],
    };
    values.into_iter()
}

/// The inverse of a square matrix.
///
/// *Errors*: [`Error::Numeric`] when it is singular to working precision.
pub fn inverse<R: Real>(a: &DMatrix<R>) -> Result<DMatrix<R>> {
    R::inverse(a)
}

/// An orthonormal basis of the orthogonal complement of a frame: `D×(D−k)`.
pub fn complement(frame: &DMatrix<f64>) -> DMatrix<f64> {
    let (rows, k) = frame.shape();
    let mut basis = frame.clone().resize_horizontally(rows, 0.0);
    let mut filled = k;
    let mut residual_squared: Vec<f64> =
        (0..rows).map(|r| 1.0 - frame.row(r).norm_squared()).collect();
    while filled < rows {
        // The unit vector worst represented so far: its remainder has squared length at least (D−k)/D.
        let pivot = (0..rows)
            .max_by(|&i, &j| residual_squared[i].total_cmp(&residual_squared[j]))
            .expect("rows > 0");
        let mut column = DVector::zeros(rows);
        column[pivot] = 1.0;
        for _ in 0..2 {
            for j in 0..filled {
                let overlap = basis.column(j).dot(&column);
                column.axpy(-overlap, &basis.column(j), 1.0);
            }
            column /= column.norm();
        }
        for (r, residual) in residual_squared.iter_mut().enumerate() {
            *residual -= column[r] * column[r];
        }
        basis.set_column(filled, &column);
        filled += 1;
    }
    basis.columns(k, rows - k).into_owned()
}

/// Principal angles between the ranges of two frames, increasing, in radians in [0, π/2].
///
/// *Shapes*: `D×k` and `D×m`, k ≤ m: k angles. Accurate for small angles too
/// (sines from the part of `a` outside `b`, cosines from the part inside).
///
/// *Errors*: as [`svd`].
pub fn principal_angles(a: &DMatrix<f64>, b: &DMatrix<f64>) -> Result<Vec<f64>> {
    let inside = b.transpose() * a;
    let cosines = svd(&inside)?;
    // Pair each cosine with the sine along the same right vector, so that atan2 sees one direction.
    let outside = (a - b * &inside) * &cosines.right;
    let angles = (0..a.ncols()).map(|i| outside.column(i).norm().atan2(cosines.values[i]));
    let mut angles: Vec<f64> = angles.collect();
    angles.sort_by(f64::total_cmp);
    Ok(angles)
}

/// The largest principal angle between the ranges of two frames, in radians.
///
/// *Errors*: as [`svd`].
pub fn largest_angle(a: &DMatrix<f64>, b: &DMatrix<f64>) -> Result<f64> {
    Ok(principal_angles(a, b)?.last().copied().unwrap_or(0.0))
}

/// The graph operator L of the subspace E over span U_T: E = {U_T u + U_N L u}, `(D−d)×d`.
///
/// ‖L‖ is the tangent of the largest principal angle. `e` may be any basis of E, `D×d`.
///
/// *Errors*: [`Error::Numeric`] when E is not transversal to span U_N.
pub fn graph_operator<R: Real>(
    e: &DMatrix<R>,
    tangent: &DMatrix<R>,
    normal: &DMatrix<R>,
) -> Result<DMatrix<R>> {
    Ok(normal.transpose() * e * inverse(&(tangent.transpose() * e))?)
}

/// A uniformly distributed frame of `k` columns in R^D, from standard normal numbers (at least D·k of them).
pub fn frame_from_normals(rows: usize, k: usize, normals: &[f64]) -> DMatrix<f64> {
    let mut frame = DMatrix::from_column_slice(rows, k, &normals[..rows * k]);
    orthonormalise(&mut frame);
    frame
}
