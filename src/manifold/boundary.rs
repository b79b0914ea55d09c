//! Tangent cones: half spaces and corners where a chart's parameters meet their ends.

use super::chart::{Adapted, Axis, Chart, jacobian};
use crate::linalg::dot;
use nalgebra::{DMatrix, DVector};

/// The tangent cone of a chart at a place: the tangent space, cut by the faces the place lies on.
pub(crate) struct Cone {
    jacobian: DMatrix<f64>,
    /// Orthonormal basis of the tangent space, `n×d`.
    frame: DMatrix<f64>,
    /// For each parameter +1 or −1 when it may only grow or shrink, else 0.
    sides: Vec<f64>,
}

/// For each parameter +1 at the lower end of its interval, −1 at the upper end, else 0.
pub(crate) fn sides(axes: &[Axis], u: &[f64]) -> Vec<f64> {
    let side = |(axis, &u): (&Axis, &f64)| match *axis {
        Axis::Interval { from, .. } if u == from => 1.0,
        Axis::Interval { to, .. } if u == to => -1.0,
        _ => 0.0,
    };
    axes.iter().zip(u).map(side).collect()
}

impl Cone {
    /// The cone at parameters `u`.
    pub fn new(chart: &Chart, axes: &[Axis], u: &[f64]) -> Self {
        let jacobian = jacobian(chart, u);
        let frame = Adapted::new(&jacobian, chart.dim()).frame;
        Self { jacobian, frame, sides: sides(axes, u) }
    }

    /// True when the place lies on a face.
    pub fn is_boundary(&self) -> bool {
        self.sides.iter().any(|&side| side != 0.0)
    }

    /// Lengths of the projection of v on the cone, and of the rest: the distance from it.
    pub fn split(&self, v: &[f64]) -> (f64, f64) {
        let v = DVector::from_column_slice(v);
        let inside =
            if self.is_boundary() { self.project(&v) } else { &self.frame * self.frame.tr_mul(&v) };
        (inside.norm(), (v - inside).norm())
    }

    /// min |v − Jα| with α_i of the sign its face allows, by cyclic coordinate descent.
    ///
    /// A convex problem in at most d unknowns, one of which at least is constrained;
    /// charts are far from degenerate, so the sweeps converge geometrically.
    fn project(&self, v: &DVector<f64>) -> DVector<f64> {
        /// Sweeps after which the remaining error is accepted.
        const SWEEPS: usize = 2_000;
        let columns: Vec<&[f64]> =
            self.jacobian.as_slice().chunks_exact(self.jacobian.nrows()).collect();
        let mut alpha = vec![0.0_f64; columns.len()];
        let mut rest = v.clone();
        for _ in 0..SWEEPS {
            let mut moved = 0.0_f64;
            for ((column, alpha), &side) in columns.iter().zip(&mut alpha).zip(&self.sides) {
                let square = dot(column, column);
                if square == 0.0 {
                    continue;
                }
                let mut target = *alpha + dot(column, rest.as_slice()) / square;
                if side * target < 0.0 {
                    target = 0.0;
                }
                let step = target - *alpha;
                rest.iter_mut().zip(*column).for_each(|(r, c)| *r -= step * c);
                *alpha = target;
                moved = moved.max(step.abs() * square.sqrt());
            }
            if moved <= 1e-15 * v.norm() {
                break;
            }
        }
        v - rest
    }
}
