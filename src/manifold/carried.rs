//! The nearest point and its tangent space on any carrier, by Newton's method on the carrier itself.

use super::{Manifold, Piece, Place};
use crate::linalg::svd;
use crate::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;
use serde::{Deserialize, Serialize};

/// Newton steps on the carrier: each gives one more order of derivatives, and carriers have at most three.
const ORDERS: usize = 4;

/// A part of a vector at a point off the manifold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// In the tangent space of the nearest point.
    Tangent,
    /// Orthogonal to it.
    Normal,
}

impl Manifold {
    /// Replaces the vector `w` at x by one part of it, split at the nearest point of x; exact on every carrier.
    ///
    /// Defined for points x nearer than the reach whose nearest point is interior;
    /// NaN where no nearest point is found.
    pub fn keep_part<S: Scalar>(&self, part: Part, x: &[S], w: &mut [S]) {
        let Some(local) = LocalFrame::at(self, x) else {
            return w.fill(S::from(f64::NAN));
        };
        let tangent = local.tangent_part(w);
        for (w, tangent) in w.iter_mut().zip(tangent) {
            *w = match part {
                Part::Tangent => tangent,
                Part::Normal => *w - tangent,
            };
        }
    }
}

/// d tangent vectors at the nearest point of x, on the carrier of x.
struct LocalFrame<S> {
    /// Columns of ∂X/∂c, d vectors of length D.
    columns: Vec<Vec<S>>,
    /// The inverse of their Gram matrix at the real part.
    inverse_gram: DMatrix<f64>,
}

impl<S: Scalar> LocalFrame<S> {
    fn at(manifold: &Manifold, x: &[S]) -> Option<Self> {
        let real: Vec<f64> = x.iter().map(|x| x.re()).collect();
        let foot = manifold.nearest(&real).ok()?;
        let piece = &manifold.pieces[foot.place.piece];
        let coordinates = Coordinates::at(manifold, piece, &foot.place)?;
        let mut c = vec![S::from(0.0); coordinates.directions.ncols()];
        let inverse_hessian = coordinates.hessian(x)?.try_inverse()?;
        for _ in 0..ORDERS {
            let (point, columns) = coordinates.jet(&c);
            let off: Vec<S> = x.iter().zip(&point).map(|(x, p)| *x - *p).collect();
            let slope: Vec<S> = columns.iter().map(|column| inner(column, &off)).collect();
            let step = apply(&inverse_hessian, &slope);
            c.iter_mut().zip(step).for_each(|(c, step)| *c += step);
        }
        let columns = coordinates.jet(&c).1;
        let d = columns.len();
        let gram = DMatrix::from_fn(d, d, |i, j| inner(&columns[i], &columns[j]).re());
        Some(Self { columns, inverse_gram: gram.try_inverse()? })
    }

    /// P w, from the normal equations solved by iteration on the carrier.
    fn tangent_part(&self, w: &[S]) -> Vec<S> {
        let mut rest = w.to_vec();
        for _ in 0..ORDERS {
            let slope: Vec<S> = self.columns.iter().map(|column| inner(column, &rest)).collect();
            for (column, weight) in self.columns.iter().zip(apply(&self.inverse_gram, &slope)) {
                rest.iter_mut().zip(column).for_each(|(r, t)| *r -= *t * weight);
            }
        }
        w.iter().zip(rest).map(|(w, r)| *w - r).collect()
    }
}

/// d coordinates c ↦ X(u + B c) around a place; a sphere has one parameter more than dimensions.
struct Coordinates<'a> {
    piece: &'a Piece,
    matrix: DMatrix<f64>,
    shift: Vec<f64>,
    u: &'a [f64],
    directions: DMatrix<f64>,
}

impl<'a> Coordinates<'a> {
    fn at(manifold: &Manifold, piece: &'a Piece, place: &'a Place) -> Option<Self> {
        let parameters = place.u.len();
        let matrix = piece.motion.matrix();
        let shift = piece.motion.apply(&vec![0.0; piece.motion.chart_dim()]);
        let identity = DMatrix::identity(parameters, parameters);
        let all = Self { piece, matrix, shift, u: &place.u, directions: identity };
        let columns = all.jet(&vec![0.0; parameters]).1;
        let jacobian = DMatrix::from_fn(manifold.ambient(), parameters, |i, j| columns[j][i]);
        let directions = svd(&jacobian).ok()?.right.columns(0, manifold.dim()).into_owned();
        Some(Self { directions, ..all })
    }

    fn point<S: Scalar>(&self, c: &[S]) -> Vec<S> {
        let mut u: Vec<S> = self.u.iter().map(|&u| S::from(u)).collect();
        for (u, row) in u.iter_mut().zip(self.directions.row_iter()) {
            *u += row.iter().zip(c).fold(S::from(0.0), |sum, (&b, &c)| sum + c * b);
        }
        let mut local = vec![S::from(0.0); self.piece.chart.ambient()];
        self.piece.chart.point(&u, &mut local);
        self.matrix
            .row_iter()
            .zip(&self.shift)
            .map(|(row, &shift)| {
                row.iter().zip(&local).fold(S::from(shift), |sum, (&q, &x)| sum + x * q)
            })
            .collect()
    }

    /// X and ∂X/∂c.
    fn jet<S: Scalar>(&self, c: &[S]) -> (Vec<S>, Vec<Vec<S>>) {
        let column = |j: usize| -> Vec<Dual<S>> {
            let seed = |i: usize| S::from(f64::from(u8::from(i == j)));
            let c: Vec<Dual<S>> =
                c.iter().enumerate().map(|(i, &c)| Dual::new(c, seed(i))).collect();
            self.point(&c)
        };
        let columns = (0..c.len()).map(|j| column(j).iter().map(|x| x.eps).collect()).collect();
        (self.point(c), columns)
    }

    /// The second derivative of |x − X|²/2 at the real part: the Gram matrix less ⟨x − X, ∂²X⟩.
    fn hessian<S: Scalar>(&self, x: &[S]) -> Option<DMatrix<f64>> {
        let d = self.directions.ncols();
        let off = DVector::from_iterator(x.len(), x.iter().map(|x| x.re()));
        let slopes = |j: usize| -> Vec<f64> {
            let seed = |i: usize| Dual::new(0.0, f64::from(u8::from(i == j)));
            let c: Vec<Dual<f64>> = (0..d).map(seed).collect();
            let (point, columns) = self.jet(&c);
            let entry = |column: &Vec<Dual<f64>>| {
                let pairs = column.iter().zip(point.iter().zip(&off));
                pairs.map(|(t, (p, x))| *t * (*p - *x)).fold(Dual::from(0.0), |a, b| a + b).eps
            };
            columns.iter().map(entry).collect()
        };
        let hessian = DMatrix::from_vec(d, d, (0..d).flat_map(slopes).collect());
        hessian.iter().all(|h| h.is_finite()).then_some(hessian)
    }
}

fn inner<S: Scalar>(a: &[S], b: &[S]) -> S {
    a.iter().zip(b).fold(S::from(0.0), |sum, (&a, &b)| sum + a * b)
}

fn apply<S: Scalar>(matrix: &DMatrix<f64>, v: &[S]) -> Vec<S> {
    let rows = matrix.row_iter();
    rows.map(|row| row.iter().zip(v).fold(S::from(0.0), |sum, (&m, &v)| sum + v * m)).collect()
}
