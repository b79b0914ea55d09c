//! Round spheres.

use super::{Axis, Foot, Patch, check_length, check_storage};
use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::linalg::dot;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// R u/|u|, u in R^{k+1} minus the origin: one parameter more than dimensions, and no pole.
///
/// K = 1/R, reach R.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sphere {
    /// Intrinsic dimension k ≥ 1.
    pub dim: usize,
    /// Radius R.
    pub radius: f64,
}

impl Patch for Sphere {
    fn check(&self) -> Result<()> {
        if self.dim == 0 {
            return Err(Error::input("sphere", "has dimension 0", "give dim ≥ 1"));
        }
        check_storage("sphere", self.dim.saturating_add(1), self.dim.saturating_add(1))?;
        check_length("sphere radius", self.radius)
    }
    fn ambient(&self) -> usize {
        self.dim + 1
    }
    fn dim(&self) -> usize {
        self.dim
    }
    fn axes(&self) -> Vec<Axis> {
        vec![Axis::Direction; self.dim + 1]
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let square = u.iter().fold(S::from(0.0), |sum, &u| sum + u * u);
        let scale = square.sqrt().recip() * self.radius;
        for (x, &u) in out.iter_mut().zip(u) {
            *x = u * scale;
        }
    }
    fn curvature(&self) -> Option<Quantity> {
        Some(Quantity::rounded(1.0 / self.radius, 1.0))
    }
    fn reach(&self) -> Option<Quantity> {
        Some(Quantity::exact(self.radius))
    }
    /// Closed form; the centre has no single nearest point, so there the gap is 0.
    fn foot(&self, y: &[f64]) -> Option<Foot> {
        let rho = dot(y, y).sqrt();
        let square = (rho - self.radius) * (rho - self.radius);
        let (u, runner_up) = if rho > 0.0 {
            (y.iter().map(|y| y / rho).collect(), f64::INFINITY)
        } else {
            ((0..y.len()).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect(), square)
        };
        Some(Foot { u, square, runner_up, candidates: 1 })
    }
    fn stretch(&self) -> f64 {
        self.radius.powi(self.dim.min(i32::MAX as usize) as i32)
    }
    fn support(&self, c: &[f64]) -> f64 {
        self.radius * dot(c, c).sqrt()
    }
}
