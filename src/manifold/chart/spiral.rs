//! Archimedean spirals: the profile of the Swiss roll.

use super::{Axis, Patch, check_length};
use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// ρ(t)(cos t, sin t) with ρ = inner + growth·t, 0 ≤ t ≤ angle; its two ends are boundary.
///
/// Curvature (ρ² + 2g²)/(ρ² + g²)^{3/2}, decreasing in ρ, so K is at the inner
/// end. The reach (about half the spacing 2πg of the turns) has no closed form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spiral {
    /// Radius at t = 0.
    pub inner: f64,
    /// Growth g of the radius per radian.
    pub growth: f64,
    /// Total angle, in radians.
    pub angle: f64,
}

impl Spiral {
    fn outer(&self) -> f64 {
        self.inner + self.growth * self.angle
    }
}

impl Patch for Spiral {
    fn check(&self) -> Result<()> {
        check_length("spiral inner", self.inner)?;
        check_length("spiral growth", self.growth)?;
        check_length("spiral angle", self.angle)?;
        if self.angle <= 100.0 * TAU {
            return Ok(());
        }
        Err(Error::input("spiral angle", format!("{} rad", self.angle), "give at most 100 turns"))
    }
    fn ambient(&self) -> usize {
        2
    }
    fn dim(&self) -> usize {
        1
    }
    fn axes(&self) -> Vec<Axis> {
        vec![Axis::Interval { from: 0.0, to: self.angle }]
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let (sin, cos) = u[0].sin_cos();
        let rho = u[0] * self.growth + self.inner;
        out[0] = rho * cos;
        out[1] = rho * sin;
    }
    fn curvature(&self) -> Option<Quantity> {
        let (rho2, g2) = (self.inner * self.inner, self.growth * self.growth);
        Some(Quantity::rounded((rho2 + 2.0 * g2) / (rho2 + g2).powf(1.5), 8.0))
    }
    fn oscillations(&self) -> f64 {
        (self.angle / TAU).max(1.0)
    }
    fn stretch(&self) -> f64 {
        self.outer().hypot(self.growth)
    }
    fn support(&self, c: &[f64]) -> f64 {
        self.outer() * c[0].hypot(c[1])
    }
}
