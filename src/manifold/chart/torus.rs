//! The torus of revolution.

use super::{Axis, Foot, Patch, check_length};
use crate::error::{Error, Result};
use crate::facts::Quantity;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// ((R + r cos φ) cos θ, (R + r cos φ) sin θ, r sin φ), parameters (θ, φ), 0 < r < R.
///
/// Principal curvatures 1/r and cos φ/(R + r cos φ), so K = max(1/r, 1/(R−r));
/// the medial axis is the core circle (distance r) and the axis of revolution
/// (distance R−r), so the reach is min(r, R−r). Volume density r(R + r cos φ).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Torus {
    /// Radius R of the core circle.
    pub major: f64,
    /// Radius r of the tube.
    pub minor: f64,
}

impl Patch for Torus {
    fn check(&self) -> Result<()> {
        check_length("torus major", self.major)?;
        check_length("torus minor", self.minor)?;
        if self.minor < self.major {
            return Ok(());
        }
        let problem = format!("minor {} is not below major {}", self.minor, self.major);
        Err(Error::input("torus", problem, "give minor < major, so that there is a hole"))
    }
    fn ambient(&self) -> usize {
        3
    }
    fn dim(&self) -> usize {
        2
    }
    fn axes(&self) -> Vec<Axis> {
        vec![Axis::Angle; 2]
    }
    fn point<S: Scalar>(&self, u: &[S], out: &mut [S]) {
        let (sin_theta, cos_theta) = u[0].sin_cos();
        let (sin_phi, cos_phi) = u[1].sin_cos();
        let rho = cos_phi * self.minor + self.major;
        out[0] = rho * cos_theta;
        out[1] = rho * sin_theta;
        out[2] = sin_phi * self.minor;
    }
    fn curvature(&self) -> Option<Quantity> {
        Some(Quantity::exact(1.0) / self.reach()?)
    }
    fn reach(&self) -> Option<Quantity> {
        // R − r rounds relative to R, not to the difference.
        let hole = Quantity::exact(self.major - self.minor).widened(f64::EPSILON * self.major);
        Some(Quantity::exact(self.minor).min(hole))
    }
    /// Closed form: first the half plane through y and the axis, then the tube in it.
    fn foot(&self, y: &[f64]) -> Option<Foot> {
        let rho = y[0].hypot(y[1]);
        let (out, up) = (rho - self.major, y[2]);
        let core = out.hypot(up);
        let square = (core - self.minor) * (core - self.minor);
        let u = vec![y[1].atan2(y[0]), up.atan2(out)];
        // On the axis or on the core circle a whole circle is nearest.
        let runner_up = if rho == 0.0 || core == 0.0 { square } else { f64::INFINITY };
        Some(Foot { u, square, runner_up, candidates: 1 })
    }
    fn stretch(&self) -> f64 {
        self.minor * (self.major + self.minor)
    }
    fn support(&self, c: &[f64]) -> f64 {
        let plane = c[0].hypot(c[1]);
        self.major * plane + self.minor * plane.hypot(c[2])
    }
}
