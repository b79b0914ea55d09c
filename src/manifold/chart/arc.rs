//! Arcs of circles.

use super::{Axis, Foot, Patch, check_length};
use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, TAU};

/// R(cos t, sin t), from ≤ t ≤ to, of opening angle below 2π; its two ends are boundary.
///
/// K = 1/R. Reach R up to a half circle; beyond it the ends face each other
/// across a gap of angle 2π − (to−from), and the reach is half that chord.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arc {
    /// Radius R.
    pub radius: f64,
    /// Angle of the first end, in radians.
    pub from: f64,
    /// Angle of the last end, in radians.
    pub to: f64,
}

impl Patch for Arc {
    fn check(&self) -> Result<()> {
        check_length("arc radius", self.radius)?;
        check_length("arc opening angle", self.to - self.from)?;
        if self.to - self.from < TAU {
            return Ok(());
        }
        let problem = format!("opens by {} rad, which is not below 2π", self.to - self.from);
        Err(Error::input("arc", problem, "use an ellipse with a = b for the full circle"))
    }
    fn ambient(&self) -> usize {
        2
    }
    fn dim(&self) -> usize {
        1
    }
    fn axes(&self) -> Vec<Axis> {
        vec![Axis::Interval { from: self.from, to: self.to }]
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let (sin, cos) = u[0].sin_cos();
        out[0] = cos * self.radius;
        out[1] = sin * self.radius;
    }
    fn curvature(&self) -> Option<Quantity> {
        Some(Quantity::rounded(1.0 / self.radius, 1.0))
    }
    fn reach(&self) -> Option<Quantity> {
        let half = (self.to - self.from) / 2.0;
        if 2.0 * half <= PI {
            return Some(Quantity::exact(self.radius));
        }
        // The sine rounds absolutely near half = π.
        let bar = 4.0 * f64::EPSILON * self.radius;
        Some(Quantity::exact(self.radius * half.sin()).widened(bar))
    }
    /// Closed form: |y − x(t)|² = R² + ρ² − 2Rρ cos(t − t_y) has minima at t_y and at ends it descends to.
    fn foot(&self, y: &[f64]) -> Option<Foot> {
        let (radius, rho) = (self.radius, y[0].hypot(y[1]));
        let angle = y[1].atan2(y[0]);
        let turned = self.from + (angle - self.from).rem_euclid(TAU);
        let mut minima = Vec::with_capacity(3);
        if turned <= self.to {
            minima.push((turned, (rho - radius) * (rho - radius)));
        }
        // Rounding must not lose both ends of an arc that is nearly closed.
        let outside = turned > self.to;
        for (end, inward) in [(self.from, 1.0), (self.to, -1.0)] {
            let apart = end - angle;
            let descends = inward * apart.sin() >= if outside { -1e-15 } else { 0.0 };
            if end != turned && descends {
                // Written without cancellation: (R−ρ)² + 4Rρ sin²(apart/2).
                let half = (apart / 2.0).sin();
                let square = (rho - radius) * (rho - radius) + 4.0 * radius * rho * half * half;
                minima.push((end, square));
            }
        }
        minima.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (t, square) = minima[0];
        let mut runner_up = minima.get(1).map_or(f64::INFINITY, |m| m.1);
        if rho == 0.0 {
            runner_up = square;
        }
        Some(Foot { u: vec![t], square, runner_up, candidates: 1 })
    }
    fn stretch(&self) -> f64 {
        self.radius
    }
    fn support(&self, c: &[f64]) -> f64 {
        self.radius * c[0].hypot(c[1])
    }
}
