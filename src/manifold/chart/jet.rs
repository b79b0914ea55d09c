//! First and second derivatives of charts, by duals and duals of duals.

use super::Chart;
use crate::linalg::symmetric_eigen;
use crate::scalar::{Scalar, TANGENT_LANES, Tangents, seeded};
use nalgebra::{DMatrix, DVector};
use num_dual::Dual;

/// The parameters as duals whose lanes carry the unit directions `first..first + TANGENT_LANES`.
fn lanes(u: &[f64], first: usize) -> impl Iterator<Item = Tangents> + '_ {
    u.iter().enumerate().map(move |(i, &u)| seeded(u, i, first))
}

/// The derivative in a lane.
fn lane(value: &Tangents, lane: usize) -> f64 {
    value.eps.0.map_or(0.0, |eps| eps[lane])
}

/// The `n×m` Jacobian of a chart with m parameters.
pub(crate) fn jacobian(chart: &Chart, u: &[f64]) -> DMatrix<f64> {
    first_order(chart.ambient(), u, |input, out| chart.point(input, out)).1
}

/// The values of a function to R^n, and its `n×m` Jacobian.
pub(super) fn first_order(
    n: usize,
    u: &[f64],
    mut evaluate: impl FnMut(&[Tangents], &mut [Tangents]),
) -> (DVector<f64>, DMatrix<f64>) {
    let mut jacobian = DMatrix::zeros(n, u.len());
    let mut out = vec![Tangents::from(0.0); n];
    for first in (0..u.len()).step_by(TANGENT_LANES) {
        let input: Vec<Tangents> = lanes(u, first).collect();
        evaluate(&input, &mut out);
        for column in first..u.len().min(first + TANGENT_LANES) {
            for (row, value) in out.iter().enumerate() {
                jacobian[(row, column)] = lane(value, column - first);
            }
        }
    }
    (DVector::from_iterator(n, out.iter().map(|value| value.re)), jacobian)
}

/// First and second derivatives of a chart at a place.
pub(crate) struct Jet {
    /// The `n×m` Jacobian.
    pub jacobian: DMatrix<f64>,
    /// Column j of the i-th matrix is ∂_i ∂_j x.
    pub second: Vec<DMatrix<f64>>,
}

/// Calls `visit(i, j, value)` with f at duals of duals, for all i and j.
fn for_each_pair<R>(
    u: &[f64],
    mut evaluate: impl FnMut(&[Dual<Tangents>]) -> R,
    mut visit: impl FnMut(usize, usize, usize, &R),
) {
    for i in 0..u.len() {
        for first in (0..u.len()).step_by(TANGENT_LANES) {
            let outer = |(k, inner)| Dual::new(inner, Tangents::from(f64::from(k == i)));
            let input: Vec<Dual<Tangents>> = lanes(u, first).enumerate().map(outer).collect();
            let value = evaluate(&input);
            for j in first..u.len().min(first + TANGENT_LANES) {
                visit(i, j, j - first, &value);
            }
        }
    }
}

/// The Jacobian and all second derivatives.
pub(crate) fn jet(chart: &Chart, u: &[f64]) -> Jet {
    let (n, m) = (chart.ambient(), u.len());
    let mut jacobian = DMatrix::zeros(n, m);
    let mut second = vec![DMatrix::zeros(n, m); m];
    let evaluate = |input: &[Dual<Tangents>]| {
        let mut out = vec![Dual::from(0.0); n];
        chart.point(input, &mut out);
        out
    };
    for_each_pair(u, evaluate, |i, j, at, out| {
        for (row, value) in out.iter().enumerate() {
            jacobian[(row, j)] = lane(&value.re, at);
            second[i][(row, j)] = lane(&value.eps, at);
        }
    });
    Jet { jacobian, second }
}

/// Value, gradient and Hessian of ½|y − x(u)|².
pub(crate) fn half_square(
    chart: &Chart,
    y: &[f64],
    u: &[f64],
) -> (f64, DVector<f64>, DMatrix<f64>) {
    let m = u.len();
    let (mut value, mut gradient, mut hessian) = (0.0, DVector::zeros(m), DMatrix::zeros(m, m));
    let mut out = vec![Dual::from(0.0); chart.ambient()];
    let evaluate = |input: &[Dual<Tangents>]| {
        chart.point(input, &mut out);
        half_square_sum(y, &out)
    };
    for_each_pair(u, evaluate, |i, j, at, sum| {
        value = sum.re.re;
        gradient[j] = lane(&sum.re, at);
        hessian[(i, j)] = lane(&sum.eps, at);
    });
    (value, gradient, hessian)
}

/// ½|y − x|².
pub(crate) fn half_square_sum<S: Scalar>(y: &[f64], x: &[S]) -> S {
    let sum = x.iter().zip(y).fold(S::from(0.0), |sum, (&x, &y)| sum + (x - y) * (x - y));
    sum * 0.5
}

/// An orthonormal tangent frame together with the parameter directions that produce it.
pub(crate) struct Adapted {
    /// Orthonormal basis of the range of the Jacobian, `n×d`.
    pub frame: DMatrix<f64>,
    /// `m×d`, with Jacobian × directions = frame.
    pub directions: DMatrix<f64>,
    /// Product of the d largest singular values of the Jacobian.
    pub volume: f64,
}

impl Adapted {
    /// From an `n×m` Jacobian of rank d: G = JᵀJ = VΛVᵀ gives directions VΛ^{−1/2}.
    ///
    /// Squaring the condition number is harmless here: charts are embeddings far from degenerate.
    pub fn new(jacobian: &DMatrix<f64>, dim: usize) -> Self {
        let (values, vectors) = symmetric_eigen(&jacobian.tr_mul(jacobian));
        let mut directions = vectors.columns(0, dim).into_owned();
        for (mut column, &value) in directions.column_iter_mut().zip(&values) {
            column /= value.sqrt();
        }
        let volume = values[..dim].iter().product::<f64>().sqrt();
        Self { frame: jacobian * &directions, directions, volume }
    }
}
