//! Euclidean space and boxes.

use super::{Axis, Foot, Patch, check_length, check_storage};
use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// R^d, or the closed box |u_i| ≤ half_widths_i in it.
///
/// K = 0, and the reach is infinite: both sets are convex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flat {
    /// Half widths of the box; its length is the dimension.
    pub half_widths: Vec<f64>,
    /// True for the box with its boundary; false for the whole space, of which
    /// the box is only the part that points are drawn from.
    pub bounded: bool,
}

impl Patch for Flat {
    fn check(&self) -> Result<()> {
        if self.half_widths.is_empty() {
            return Err(Error::input("flat", "has dimension 0", "give at least one half width"));
        }
        check_storage("flat", self.half_widths.len(), self.half_widths.len())?;
        self.half_widths.iter().try_for_each(|&h| check_length("flat half width", h))
    }
    fn ambient(&self) -> usize {
        self.half_widths.len()
    }
    fn dim(&self) -> usize {
        self.half_widths.len()
    }
    fn axes(&self) -> Vec<Axis> {
        let axis = |&half: &f64| match self.bounded {
            true => Axis::Interval { from: -half, to: half },
            false => Axis::Line { half },
        };
        self.half_widths.iter().map(axis).collect()
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        out.copy_from_slice(u);
    }
    fn curvature(&self) -> Option<Quantity> {
        Some(Quantity::exact(0.0))
    }
    fn reach(&self) -> Option<Quantity> {
        Some(Quantity::exact(f64::INFINITY))
    }
    fn foot(&self, y: &[f64]) -> Option<Foot> {
        let pull = |(&y, &half): (&f64, &f64)| if self.bounded { y.clamp(-half, half) } else { y };
        let u: Vec<f64> = y.iter().zip(&self.half_widths).map(pull).collect();
        let square = u.iter().zip(y).map(|(u, y)| (u - y) * (u - y)).sum();
        Some(Foot { u, square, runner_up: f64::INFINITY, candidates: 1 })
    }
    fn stretch(&self) -> f64 {
        1.0
    }
    fn support(&self, c: &[f64]) -> f64 {
        c.iter().zip(&self.half_widths).map(|(c, half)| c.abs() * half).sum()
    }
}
