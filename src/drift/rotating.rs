//! Linear flows with a turning frame: every block of the moving-frame equation is prescribed.

use super::{Drift, Lanes, Workspace};
use crate::linalg::matrix_product;
use crate::scalar::Scalar;
use nalgebra::DMatrix;
use num_dual::Dual;
use serde::{Deserialize, Serialize};

/// A rotation in the coordinate plane (i, j) by the angle `phase + rate · t`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Turn {
    /// First axis.
    pub i: usize,
    /// Second axis, different from the first.
    pub j: usize,
    /// Angle at t = 0, in radians.
    pub phase: f64,
    /// Angular speed, radians per time.
    pub rate: f64,
}

/// The linear field v = A(t) x with A = U B Uᵀ (+ U' Uᵀ when the frame carries it along).
///
/// U(t) is a product of [`Turn`]s and B(t) = mean + wave · sin(frequency · t).
/// When carried, the moving-frame matrix Ã = UᵀAU − UᵀU' of T2.0 is B itself;
/// otherwise A and U commute with B's structure: for a diagonal B the frame is
/// the eigenframe of A (T2.4).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rotating {
    /// Rotations, applied from the last to the first.
    pub turns: Vec<Turn>,
    /// Time average of B, `D×D`.
    pub mean: DMatrix<f64>,
    /// Amplitude of B, `D×D`.
    pub wave: DMatrix<f64>,
    /// Angular frequency of B.
    pub frequency: f64,
    /// Whether A includes U' Uᵀ.
    pub carried: bool,
}

impl Rotating {
    /// U(t) as columns, `D×D` column-major.
    pub fn frame<S: Scalar>(&self, t: S) -> Vec<S> {
        let d = self.mean.nrows();
        let mut u: Vec<S> = (0..d * d).map(|k| S::from(f64::from(k % d == k / d))).collect();
        for turn in self.turns.iter().rev() {
            let (sin, cos) = (t * turn.rate + turn.phase).sin_cos();
            for column in u.chunks_exact_mut(d) {
                let (x, y) = (column[turn.i], column[turn.j]);
                column[turn.i] = cos * x - sin * y;
                column[turn.j] = sin * x + cos * y;
            }
        }
        u
    }

    /// (U, U') at time t, `D×D` each; U' by a dual in time.
    pub fn frame_and_rate(&self, t: f64) -> (DMatrix<f64>, DMatrix<f64>) {
        let d = self.mean.nrows();
        let u = self.frame(Dual::new(t, 1.0));
        let part = |f: fn(&Dual<f64>) -> f64| DMatrix::from_iterator(d, d, u.iter().map(f));
        (part(|x| x.re), part(|x| x.eps))
    }

    /// A(t), `D×D` column-major.
    pub fn generator<S: Scalar>(&self, t: S) -> Vec<S> {
        let d = self.mean.nrows();
        let u = self.frame(Dual::new(t, S::from(1.0)));
        let sine = (t * self.frequency).sin();
        let b = |r: usize, c: usize| sine * self.wave[(r, c)] + self.mean[(r, c)];
        // U B (+ U'), then times Uᵀ.
        let mut left = vec![S::from(0.0); d * d];
        for c in 0..d {
            for r in 0..d {
                let sum: S = (0..d).map(|k| u[k * d + r].re * b(k, c)).sum();
                left[c * d + r] = if self.carried { sum + u[c * d + r].eps } else { sum };
            }
        }
        (0..d * d)
            .map(|k| {
                let (r, c) = (k % d, k / d);
                (0..d).map(|j| left[j * d + r] * u[j * d + c].re).sum()
            })
            .collect()
    }
}

impl Drift for Rotating {
    fn dim(&self) -> usize {
        self.mean.nrows()
    }

    fn velocity<S: Scalar>(&self, t: S, x: &[S], out: &mut [S]) {
        let a = self.generator(t);
        for (r, o) in out.iter_mut().enumerate() {
            *o = x.iter().enumerate().map(|(c, x)| a[c * self.dim() + r] * *x).sum();
        }
    }

    fn push(&self, t: f64, block: &[f64], _: Lanes, out: &mut [f64], _: &mut Workspace) {
        // Linear: states and tangents move alike.
        matrix_product(&self.generator(t), self.dim(), block, out);
    }
}
