//! Sets on which functions of the space around them vanish, with independent gradients.

use super::jet::first_order;
use crate::linalg::{Svd, complement, svd};
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};

/// Steps onto the set; they converge quadratically.
const STEPS: usize = 50;

/// c functions on R^n, whose common zeros have dimension n − c.
///
/// Parameters of the set are points of R^n, which Newton's method moves onto it along its normals: the tangent space is the
/// kernel of the gradients.
pub(super) trait Zeros {
    /// n and c.
    fn sizes(&self) -> (usize, usize);

    /// Writes the c values at a point.
    fn values<S: Scalar>(&self, x: &[S], out: &mut [S]);

    /// The size of the region in which it is looked for.
    fn span(&self) -> f64;

    /// The values, and their gradients as rows.
    fn gradients(&self, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        first_order(self.sizes().1, x, |x, out| self.values(x, out))
    }

    /// The singular value decomposition of the gradients.
    fn split(&self, x: &[f64]) -> Option<Svd> {
        svd(&self.gradients(x).1).ok()
    }

    /// An orthonormal basis of the tangent space at a point, `n×d`.
    fn tangents(&self, x: &[f64]) -> Option<DMatrix<f64>> {
        Some(complement(&self.split(x)?.right))
    }

    /// Moves a point onto the set, by the shortest steps that solve the linearised equations.
    fn solved(&self, u: &[f64]) -> Option<Vec<f64>> {
        let mut x = DVector::from_column_slice(u);
        let span = self.span();
        let mut polished = 0;
        for _ in 0..STEPS {
            let (values, gradients) = self.gradients(x.as_slice());
            let step = inverse(&svd(&gradients).ok()?)? * values;
            let length = step.norm();
            // Far from it a step may go anywhere.
            x -= &step * (0.5 * span / length).min(1.0);
            if length <= 1e-6 * span {
                polished += 1;
            }
            // Quadratic convergence: after two more steps rounding is left.
            if polished == 3 {
                return Some(x.as_slice().to_vec());
            }
        }
        None
    }

    /// The point x on the set to which u moves, on any carrier, with the normals there kept fixed: a retraction, so that
    /// tangents and second fundamental forms are those of the set. NaN where there is no x.
    fn retract<S: Scalar>(&self, u: &[S], x: Option<Vec<f64>>, out: &mut [S]) {
        let Some((inverse, x)) = x.and_then(|x| Some((inverse(&self.split(&x)?)?, x))) else {
            return out.fill(S::from(f64::NAN));
        };
        for ((out, u), x) in out.iter_mut().zip(u).zip(x) {
            *out = *u + (x - u.re());
        }
        let mut values = vec![S::from(0.0); inverse.ncols()];
        // Each step gives one more order of derivatives.
        for _ in 0..S::NDERIV {
            self.values(out, &mut values);
            for (out, row) in out.iter_mut().zip(inverse.row_iter()) {
                row.iter().zip(&values).for_each(|(a, f)| *out -= *f * *a);
            }
        }
    }
}

/// The pseudoinverse, of full rank.
fn inverse(parts: &Svd) -> Option<DMatrix<f64>> {
    let Svd { left, values, right } = parts;
    if !values.iter().all(|value| *value > 0.0) {
        return None;
    }
    let mut scaled = right.clone();
    for (mut column, value) in scaled.column_iter_mut().zip(values.iter()) {
        column /= *value;
    }
    Some(scaled * left.transpose())
}
