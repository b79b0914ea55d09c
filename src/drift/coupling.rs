//! Linear couplings with a rotation (T6.7): displacement drifts that are not gradients.

use super::Drift;
use crate::error::{Error, Result};
use crate::linalg::eigenvalues;
use crate::scalar::Scalar;
use nalgebra::DMatrix;

/// A linear coupling x_s = J(s) x_0, J(s) = (1 − s) I + s M: v = (M − I) J⁻¹ x (T6.7).
///
/// M = Λ^{1/2} R_θ carries N(0, I) to N(0, Λ) for every rotation R_θ, but
/// only the unrotated one is optimal: the others have a Jacobian A = J'J⁻¹
/// that is not symmetric.
///
/// ```
/// use driftproof::drift::{Drift, LinearCoupling};
/// // A quarter turn of the plane, J(s) = [[1 − s, −s], [s, 1 − s]].
/// let field = LinearCoupling::rotated(&[1.0, 1.0], std::f64::consts::FRAC_PI_2)?;
/// let mut v = [0.0; 2];
/// field.velocity(0.5, &[0.5, 0.5], &mut v);
/// // J(½) x_0 = (½, ½) gives x_0 = (1, 0), which moves to M x_0 = (0, 1): v = (−1, 1).
/// assert!((v[0] + 1.0).abs() < 1e-15 && (v[1] - 1.0).abs() < 1e-15);
/// # Ok::<(), driftproof::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinearCoupling {
    map: DMatrix<f64>,
}

impl LinearCoupling {
    /// The coupling by the square matrix M.
    ///
    /// *Errors*: [`Error::Input`] for a matrix that is not square and finite, and for a degenerate
    /// coupling: one whose lines meet at some time (see [`LinearCoupling::singular_time`]).
    pub fn new(map: DMatrix<f64>) -> Result<Self> {
        if map.is_empty() || !map.is_square() || map.iter().any(|v| !v.is_finite()) {
            return Err(Error::input(
                "linear coupling",
                format!("a {}×{} matrix, or an entry not finite", map.nrows(), map.ncols()),
                "give a square matrix of finite numbers",
            ));
        }
        if let Some(time) = Self::singular_time(&map)? {
            return Err(Error::input(
                "linear coupling",
                format!(
                    "det((1 − s) I + s M) = 0 at s = {time:.6}: lines from the noise meet there"
                ),
                "take a smaller angle of rotation, and positive variances",
            ));
        }
        Ok(Self { map })
    }

    /// M = diag(√λ) R_θ, R_θ the rotation by θ (`angle_rad`) in the plane of coordinates 0 and 1 (T6.7).
    ///
    /// *Errors*: [`Error::Input`] for fewer than two variances or one that is negative, and as
    /// [`LinearCoupling::new`]: λ = 0 is refused, and so is θ = π.
    pub fn rotated(variances: &[f64], angle_rad: f64) -> Result<Self> {
        if variances.len() < 2 || variances.iter().any(|v| !(*v >= 0.0 && v.is_finite())) {
            return Err(Error::input(
                "rotated coupling",
                format!("the variances {variances:?} do not span a plane"),
                "give at least two positive, finite variances",
            ));
        }
        let (sin, cos) = angle_rad.sin_cos();
        let mut map = DMatrix::identity(variances.len(), variances.len());
        map[(0, 0)] = cos;
        map[(0, 1)] = -sin;
        map[(1, 0)] = sin;
        map[(1, 1)] = cos;
        for (mut row, variance) in map.row_iter_mut().zip(variances) {
            row *= variance.sqrt();
        }
        Self::new(map)
    }

    /// The first s in (0, 1] at which (1 − s) I + s M is singular, if any: M has the eigenvalue −(1−s)/s ≤ 0.
    ///
    /// Imaginary parts up to 1e-8 ‖M‖ count as 0: rounding gives them to a double eigenvalue.
    ///
    /// *Errors*: as [`eigenvalues`].
    pub fn singular_time(map: &DMatrix<f64>) -> Result<Option<f64>> {
        let size = map.norm();
        let on_half_line = |&(re, im): &(f64, f64)| re <= 1e-14 * size && im.abs() <= 1e-8 * size;
        let times = eigenvalues(map)?.into_iter().filter(on_half_line);
        Ok(times.map(|(re, _)| 1.0 / (1.0 - re.min(0.0))).reduce(f64::min))
    }

    /// M.
    pub fn map(&self) -> &DMatrix<f64> {
        &self.map
    }

    /// J(s), `D×D`, the Jacobian of the flow from time 0 to s.
    pub fn jacobian_from_start(&self, s: f64) -> DMatrix<f64> {
        let d = self.map.nrows();
        DMatrix::identity(d, d) * (1.0 - s) + &self.map * s
    }
}

impl Drift for LinearCoupling {
    fn dim(&self) -> usize {
        self.map.nrows()
    }

    fn velocity<S: Scalar>(&self, s: S, x: &[S], out: &mut [S]) {
        let d = self.map.nrows();
        let mut matrix: Vec<S> = self.map.iter().map(|m| s * *m).collect();
        for i in 0..d {
            matrix[i * d + i] += S::from(1.0) - s;
        }
        let mut start = x.to_vec();
        solve(&mut matrix, &mut start);
        for (i, o) in out.iter_mut().enumerate() {
            *o = -start[i];
            for (j, start) in start.iter().enumerate() {
                *o += *start * self.map[(i, j)];
            }
        }
    }
}

/// Solves the column-major system in place by elimination; the solution replaces `right`.
///
/// Rows are swapped by the size of real parts: every order gives the same
/// solution exactly, this one keeps rounding small.
fn solve<S: Scalar>(matrix: &mut [S], right: &mut [S]) {
    let d = right.len();
    for k in 0..d {
        let size = |r: &usize| matrix[k * d + r].re().abs();
        let pivot = (k..d).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(k);
        right.swap(k, pivot);
        for column in k..d {
            matrix.swap(column * d + k, column * d + pivot);
        }
        for row in k + 1..d {
            let factor = matrix[k * d + row] / matrix[k * d + k];
            for column in k + 1..d {
                let subtracted = factor * matrix[column * d + k];
                matrix[column * d + row] -= subtracted;
            }
            let subtracted = factor * right[k];
            right[row] -= subtracted;
        }
    }
    for row in (0..d).rev() {
        let mut sum = right[row];
        for column in row + 1..d {
            sum -= matrix[column * d + row] * right[column];
        }
        right[row] = sum / matrix[row * d + row];
    }
}
