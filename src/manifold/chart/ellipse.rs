//! Ellipses and circles.

use super::{Axis, Foot, Patch, check_length};
use crate::error::Result;
use crate::facts::Quantity;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// (a cos t, b sin t).
///
/// With a ≥ b: K = a/b² and reach b²/a, both at the ends of the long axis.
/// (The least chord normal at both ends, the short axis, gives b ≥ b²/a.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ellipse {
    /// Half axis along the first coordinate.
    pub a: f64,
    /// Half axis along the second coordinate; equal to `a` for a circle.
    pub b: f64,
}

impl Ellipse {
    fn least_radius(&self) -> Quantity {
        let (long, short) = (self.a.max(self.b), self.a.min(self.b));
        Quantity::rounded(short * (short / long), 4.0)
    }
}

impl Patch for Ellipse {
    fn check(&self) -> Result<()> {
        check_length("ellipse a", self.a)?;
        check_length("ellipse b", self.b)
    }
    fn ambient(&self) -> usize {
        2
    }
    fn dim(&self) -> usize {
        1
    }
    fn axes(&self) -> Vec<Axis> {
        vec![Axis::Angle]
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let (sin, cos) = u[0].sin_cos();
        out[0] = cos * self.a;
        out[1] = sin * self.b;
    }
    fn curvature(&self) -> Option<Quantity> {
        Some(Quantity::exact(1.0) / self.least_radius())
    }
    fn reach(&self) -> Option<Quantity> {
        Some(self.least_radius())
    }
    /// Closed form for the circle; the centre has no single nearest point, so there the gap is 0.
    fn foot(&self, y: &[f64]) -> Option<Foot> {
        if self.a != self.b {
            return None;
        }
        let rho = y[0].hypot(y[1]);
        let square = (rho - self.a) * (rho - self.a);
        let runner_up = if rho == 0.0 { square } else { f64::INFINITY };
        Some(Foot { u: vec![y[1].atan2(y[0])], square, runner_up, candidates: 1 })
    }
    fn oscillations(&self) -> f64 {
        // Minima crowd at the ends of the long axis as the ellipse gets thin.
        (self.a / self.b).max(self.b / self.a)
    }
    fn stretch(&self) -> f64 {
        self.a.max(self.b)
    }
    fn support(&self, c: &[f64]) -> f64 {
        (self.a * c[0]).hypot(self.b * c[1])
    }
}
