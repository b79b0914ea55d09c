//! Isometric embeddings x ↦ shift + Qx of a small space into a larger one.

use super::chart::check_storage;
use crate::error::{Error, Result};
use crate::linalg::{dot, frame_from_normals};
use crate::random::Stream;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// How far from orthonormal the columns of a motion may be: rounding, with room for numbers read from text.
const ORTHONORMAL: f64 = 1e-9;

/// x ↦ shift + Qx, with Q a `D×n` frame: a rigid motion, followed by zeros in further coordinates when n < D.
///
/// ```
/// use driftproof::manifold::Motion;
/// let motion = Motion::identity(2, 3).unwrap().shifted(&[0.0, 0.0, 5.0]).unwrap();
/// assert_eq!(motion.apply(&[1.0, 2.0]), [1.0, 2.0, 5.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    columns: Vec<f64>,
    shift: Vec<f64>,
}

impl Motion {
    /// The embedding of R^n as the first coordinates of R^D.
    ///
    /// *Errors*: [`Error::Input`] when n > D, or when Q has more than 1e8 entries.
    pub fn identity(n: usize, ambient: usize) -> Result<Self> {
        Self::checked(n, ambient)?;
        let frame = DMatrix::<f64>::identity(ambient, n);
        Ok(Self { columns: frame.as_slice().to_vec(), shift: vec![0.0; ambient] })
    }

    /// A uniformly distributed frame of R^n in R^D, without shift.
    ///
    /// *Errors*: as [`Motion::identity`].
    pub fn random(n: usize, ambient: usize, stream: Stream) -> Result<Self> {
        Self::checked(n, ambient)?;
        let frame = frame_from_normals(ambient, n, &stream.normals(ambient * n));
        Ok(Self { columns: frame.as_slice().to_vec(), shift: vec![0.0; ambient] })
    }

    /// The same motion, then a translation.
    ///
    /// *Errors*: [`Error::Input`] when `by` has not length D.
    pub fn shifted(mut self, by: &[f64]) -> Result<Self> {
        if by.len() != self.ambient() {
            let problem = format!("has length {}, not {}", by.len(), self.ambient());
            return Err(Error::input("shift", problem, "give one number for each coordinate"));
        }
        self.shift.iter_mut().zip(by).for_each(|(s, b)| *s += b);
        Ok(self)
    }

    /// This motion, followed by `next`.
    ///
    /// *Errors*: [`Error::Input`] when the dimensions do not fit.
    pub fn then(&self, next: &Self) -> Result<Self> {
        if next.chart_dim() != self.ambient() {
            let problem = format!("lands in R^{}, not R^{}", self.ambient(), next.chart_dim());
            return Err(Error::input("motion", problem, "compose motions of fitting dimensions"));
        }
        let columns = self.columns.chunks_exact(self.ambient()).flat_map(|c| next.turn(c));
        Ok(Self { columns: columns.collect(), shift: next.apply(&self.shift) })
    }

    fn checked(n: usize, ambient: usize) -> Result<()> {
        check_storage("motion", ambient, n)?;
        if n >= 1 && n <= ambient {
            return Ok(());
        }
        let problem = format!("R^{n} does not fit into R^{ambient}");
        Err(Error::input("motion", problem, "give an ambient dimension that is large enough"))
    }

    /// Refuses what is not an isometry of R^n, as a file may hold.
    pub(crate) fn check(&self, n: usize) -> Result<()> {
        let bad = |problem: String| Err(Error::input("motion", problem, "draw it afresh"));
        Self::checked(n, self.ambient())?;
        if self.columns.len() != n * self.ambient() {
            return bad(format!("has {} entries for R^{n}", self.columns.len()));
        }
        if !self.shift.iter().all(|x| x.is_finite()) {
            return bad("the shift is not finite".into());
        }
        for (i, a) in self.columns.chunks_exact(self.ambient()).enumerate() {
            for (j, b) in self.columns.chunks_exact(self.ambient()).enumerate().take(i + 1) {
                let error = (dot(a, b) - f64::from(i == j)).abs();
                // Written so that NaN is refused too.
                if !matches!(error.partial_cmp(&ORTHONORMAL), Some(std::cmp::Ordering::Less)) {
                    return bad(format!("columns {j} and {i} are not orthonormal ({error:e})"));
                }
            }
        }
        Ok(())
    }

    /// Dimension D of the target.
    pub fn ambient(&self) -> usize {
        self.shift.len()
    }

    /// Dimension n of the source.
    pub fn chart_dim(&self) -> usize {
        self.columns.len() / self.ambient()
    }

    /// The matrix Q, `D×n`.
    pub fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_column_slice(self.ambient(), self.chart_dim(), &self.columns)
    }

    /// shift + Qx.
    pub fn apply(&self, x: &[f64]) -> Vec<f64> {
        let mut out = self.turn(x);
        out.iter_mut().zip(&self.shift).for_each(|(o, s)| *o += s);
        out
    }

    /// Qx: what the motion does to vectors.
    pub(crate) fn turn(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.ambient()];
        for (column, x) in self.columns.chunks_exact(self.ambient()).zip(x) {
            out.iter_mut().zip(column).for_each(|(o, c)| *o += c * x);
        }
        out
    }

    /// Qᵀv: the coordinates of the orthogonal projection of a vector.
    pub(crate) fn turn_back(&self, v: &[f64]) -> Vec<f64> {
        self.columns.chunks_exact(self.ambient()).map(|column| dot(column, v)).collect()
    }

    /// Coordinates of the projection of y on the image, and its squared distance from it.
    pub(crate) fn pull(&self, y: &[f64]) -> (Vec<f64>, f64) {
        let off: Vec<f64> = y.iter().zip(&self.shift).map(|(y, s)| y - s).collect();
        let local = self.turn_back(&off);
        if local.len() == off.len() {
            return (local, 0.0);
        }
        // The remainder vector, not a difference of squares, so that a point of the image is at distance ~ε.
        let back = self.turn(&local);
        let square = off.iter().zip(&back).map(|(o, b)| (o - b) * (o - b)).sum();
        (local, square)
    }
}
