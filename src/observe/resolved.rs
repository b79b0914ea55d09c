//! One orbit at two resolutions: every number measured along it comes with a bar.

use crate::drift::Drift;
use crate::error::Result;
use crate::facts::{Grade, Quantity};
use crate::flow::{Sampler, Trajectory};
use crate::linalg::{graph_operator, orthonormalise, spectral_norm};
use crate::lyapunov::{Cocycle, qr_sweep};
use nalgebra::{DMatrix, DVector};

/// Rounding of a sum over some hundred steps, relative to the size of what is summed.
const ROUNDING: f64 = 2e-13;

/// The orbit of a drift on a grid of times, and on its refinement.
pub struct Resolved<'a, F> {
    coarse: Trajectory<'a, F>,
    fine: Trajectory<'a, F>,
}

/// A matrix whose entries have bars.
pub struct Measured {
    /// The values, from the finer grid.
    pub values: DMatrix<f64>,
    /// Their bars.
    pub bars: DMatrix<f64>,
    /// ‖(I − UUᵀ) J U‖ at most: what J carries out of the range of the frame U.
    pub outside: f64,
}

impl Measured {
    /// One entry.
    pub fn at(&self, row: usize, column: usize) -> Quantity {
        let bar = self.bars[(row, column)];
        Quantity::new(self.values[(row, column)], bar, Grade::Estimated)
    }

    /// The size of the largest entry off the diagonal, or outside the range of the frame.
    pub fn leak(&self) -> Quantity {
        let (rows, columns) = self.values.shape();
        let places = (0..columns).flat_map(|c| (0..rows).map(move |r| (r, c)));
        let sizes = places.filter(|(r, c)| r != c).map(|(r, c)| self.at(r, c).abs());
        let outside = Quantity::new(self.outside, self.bar(), Grade::Estimated);
        sizes.fold(outside, |a, b| if b.value - b.bar > a.value - a.bar { b } else { a })
    }

    /// The largest bar.
    pub fn bar(&self) -> f64 {
        self.bars.amax()
    }
}

impl<'a, F: Drift> Resolved<'a, F> {
    /// The orbit from `start` on both grids; `refined` is the refinement of `sampler`.
    ///
    /// *Errors*: as [`Trajectory::from`].
    pub fn new(drift: &'a F, sampler: &'a Sampler, refined: &'a Sampler, start: &[f64]) -> Result<Self> {
        let coarse = Trajectory::from(drift, sampler, start)?;
        Ok(Self { coarse, fine: Trajectory::from(drift, refined, start)? })
    }

    /// The state at the k-th time of the coarse grid, with a bar for every direction.
    pub fn state(&self, k: usize) -> (&DVector<f64>, f64) {
        let state = &self.fine.states[2 * k];
        (state, (state - &self.coarse.states[k]).norm() + ROUNDING * state.norm())
    }

    /// UᵀJU for an orthonormal frame U, and what J carries out of its range.
    pub fn jacobian_in(&self, frame: &DMatrix<f64>) -> Measured {
        let image = |orbit: &Trajectory<'a, F>| {
            (0..orbit.len()).fold(frame.clone(), |block, k| orbit.push(k, &block))
        };
        let (fine, coarse) = (image(&self.fine), image(&self.coarse));
        let values = frame.tr_mul(&fine);
        let mut bars = (&values - frame.tr_mul(&coarse)).abs();
        for (mut bar, column) in bars.column_iter_mut().zip(values.column_iter()) {
            bar.add_scalar_mut(ROUNDING * column.norm());
        }
        let outside = (fine - frame * &values).norm();
        Measured { values, bars, outside }
    }

    /// ‖L‖ of the end plane J·plane over the range of `tangent`, against `normal`, by QR iteration.
    ///
    /// *Errors*: as [`graph_operator`].
    pub fn slope(
        &self,
        plane: &DMatrix<f64>,
        tangent: &DMatrix<f64>,
        normal: &DMatrix<f64>,
    ) -> Result<Quantity> {
        let mut start = plane.clone();
        orthonormalise(&mut start);
        let slope = |orbit: &Trajectory<'a, F>| {
            let end = qr_sweep(orbit, &start).frame;
            spectral_norm(&graph_operator(&end, tangent, normal)?)
        };
        let (fine, coarse) = (slope(&self.fine)?, slope(&self.coarse)?);
        let bar = (fine - coarse).abs() + ROUNDING * (1.0 + fine * fine);
        Ok(Quantity::new(fine, bar, Grade::Estimated))
    }
}
