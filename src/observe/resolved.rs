//! One orbit at two resolutions: every number measured along it comes with a bar.

use crate::drift::Drift;
use crate::error::Result;
use crate::facts::{Grade, Quantity};
use crate::flow::{Sampler, Trajectory};
use crate::linalg::{graph_operator, orthonormalise, spectral_norm};
use crate::lyapunov::{Cocycle, Spectrum, qr_history, spectrum};
use nalgebra::{DMatrix, DVector};

/// Rounding of a sum over some hundred steps, relative to the size of what is summed.
const ROUNDING: f64 = 2e-13;

/// A difference of two resolutions can pass through 0 by chance, where the errors of both are equal.
/// This share of all that the difference changed along the orbit, which cannot, is added to every bar.
const FLOOR: f64 = 1.0 / 8.0;

/// A drift that acts on a grid of times, with the refinement of that grid.
pub struct Stage<'a, F> {
    /// The drift.
    pub drift: &'a F,
    /// The grid.
    pub sampler: &'a Sampler,
    /// Its refinement.
    pub refined: &'a Sampler,
}

/// Trajectories one after the other, each from where the one before ended.
struct Orbit<'a, F> {
    parts: Vec<Trajectory<'a, F>>,
    /// The states of all of them, in order.
    states: Vec<DVector<f64>>,
}

impl<'a, F: Drift> Orbit<'a, F> {
    fn new(stages: impl Iterator<Item = (&'a F, &'a Sampler)>, start: &[f64]) -> Result<Self> {
        let mut orbit = Self { parts: Vec::new(), states: vec![DVector::from_column_slice(start)] };
        for (drift, sampler) in stages {
            let from = orbit.states.last().expect("a start at least");
            let part = Trajectory::from(drift, sampler, from.as_slice())?;
            orbit.states.extend_from_slice(&part.states[1..]);
            orbit.parts.push(part);
        }
        Ok(orbit)
    }

    /// The trajectory of the k-th map, and its place in there.
    fn part(&self, mut k: usize) -> (&Trajectory<'a, F>, usize) {
        let mut parts = self.parts.iter();
        loop {
            let part = parts.next().expect("a map of the orbit");
            match k.checked_sub(part.len()) {
                Some(rest) => k = rest,
                None => return (part, k),
            }
        }
    }
}

impl<F: Drift> Cocycle for Orbit<'_, F> {
    fn dim(&self) -> usize {
        self.states[0].len()
    }

    fn len(&self) -> usize {
        self.parts.iter().map(Cocycle::len).sum()
    }

    fn push(&self, k: usize, directions: &DMatrix<f64>) -> DMatrix<f64> {
        let (part, k) = self.part(k);
        part.push(k, directions)
    }

    fn pull(&self, k: usize, covectors: &DMatrix<f64>) -> DMatrix<f64> {
        let (part, k) = self.part(k);
        part.pull(k, covectors)
    }
}

/// The orbit of a drift on a grid of times, and on its refinement.
pub struct Resolved<'a, F> {
    coarse: Orbit<'a, F>,
    fine: Orbit<'a, F>,
    /// The total variation of the difference of their states, relative to the states.
    drifted: f64,
}

/// A matrix whose entries have bars.
pub struct Measured {
    /// The values, from the finer grid.
    pub values: DMatrix<f64>,
    /// The values from the coarser grid.
    pub coarse: DMatrix<f64>,
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

    /// The block of the first `k` directions of the frame.
    pub fn leading(&self, k: usize) -> Self {
        let block = |m: &DMatrix<f64>| m.view((0, 0), (k, k)).into_owned();
        Self {
            values: block(&self.values),
            coarse: block(&self.coarse),
            bars: block(&self.bars),
            outside: self.outside,
        }
    }

    /// Both spectra, of the values and of the coarser values.
    ///
    /// *Errors*: as [`spectrum`].
    pub fn spectra(&self) -> Result<(Spectrum, Spectrum)> {
        Ok((spectrum(&self.values)?, spectrum(&self.coarse)?))
    }

    /// The k-th singular values of [`Measured::spectra`] as one number with its bar.
    pub fn singular_value(&self, (fine, coarse): &(Spectrum, Spectrum), k: usize) -> Quantity {
        let value = |s: &Spectrum| s.log_growth[k].exp();
        let bar = (value(fine) - value(coarse)).abs() + FLOOR * self.bar();
        Quantity::new(value(fine), bar, Grade::Estimated)
    }
}

impl<'a, F: Drift> Resolved<'a, F> {
    /// The orbit from `start` on both grids; `refined` is the refinement of `sampler`.
    ///
    /// *Errors*: as [`Trajectory::from`].
    pub fn new(
        drift: &'a F,
        sampler: &'a Sampler,
        refined: &'a Sampler,
        start: &[f64],
    ) -> Result<Self> {
        Self::staged(&[Stage { drift, sampler, refined }], start)
    }

    /// The orbit from `start` through several stages, each from where the one before ended.
    ///
    /// *Errors*: as [`Trajectory::from`].
    pub fn staged(stages: &[Stage<'a, F>], start: &[f64]) -> Result<Self> {
        let coarse = Orbit::new(stages.iter().map(|s| (s.drift, s.sampler)), start)?;
        let fine = Orbit::new(stages.iter().map(|s| (s.drift, s.refined)), start)?;
        let pairs = coarse.states.iter().zip(fine.states.iter().step_by(2));
        let differences: Vec<_> = pairs.map(|(c, f)| (c - f) / f.norm()).collect();
        let drifted = differences.windows(2).map(|w| (&w[1] - &w[0]).norm()).sum();
        Ok(Self { coarse, fine, drifted })
    }

    /// The state at the k-th time of the coarse grid, with a bar for every direction.
    pub fn state(&self, k: usize) -> (&DVector<f64>, f64) {
        let state = &self.fine.states[2 * k];
        (state, (state - &self.coarse.states[k]).norm() + self.relative() * state.norm())
    }

    /// UᵀJU for an orthonormal frame U, and what J carries out of its range.
    pub fn jacobian_in(&self, frame: &DMatrix<f64>) -> Measured {
        let image = |orbit: &Orbit<'a, F>| {
            (0..orbit.len()).fold(frame.clone(), |block, k| orbit.push(k, &block))
        };
        let (fine, coarse) = (image(&self.fine), image(&self.coarse));
        let values = frame.tr_mul(&fine);
        let coarse = frame.tr_mul(&coarse);
        let mut bars = (&values - &coarse).abs();
        bars.add_scalar_mut(FLOOR * (bars.amax() + self.drifted * values.amax()));
        for (mut bar, column) in bars.column_iter_mut().zip(values.column_iter()) {
            bar.add_scalar_mut(ROUNDING * column.norm());
        }
        let outside = (fine - frame * &values).norm();
        Measured { values, coarse, bars, outside }
    }

    /// The graph L of J(t)·plane over the range of `tangent`, against `normal`, at every time of the
    /// coarse grid, by QR iteration; with ‖L‖, unknown where the plane is not transversal.
    ///
    /// *Errors*: as [`spectral_norm`].
    pub fn slopes(
        &self,
        plane: &DMatrix<f64>,
        tangent: &DMatrix<f64>,
        normal: &DMatrix<f64>,
    ) -> Result<Vec<(Quantity, DMatrix<f64>)>> {
        let relative = self.relative();
        let slope = |(fine, coarse): &(DMatrix<f64>, DMatrix<f64>)| {
            let graphs =
                (graph_operator(fine, tangent, normal), graph_operator(coarse, tangent, normal));
            let (Ok(graph), Ok(coarse)) = graphs else {
                return Ok((Quantity::UNKNOWN, DMatrix::zeros(normal.ncols(), tangent.ncols())));
            };
            let l = spectral_norm(&graph)?;
            let bar = spectral_norm(&(&graph - coarse))? + relative * (1.0 + l * l);
            Ok((Quantity::new(l, bar, Grade::Estimated), graph))
        };
        self.planes(plane).iter().map(slope).collect()
    }

    /// Orthonormal frames of J(t)·plane at every time of the coarse grid by QR iteration: of the finer
    /// orbit, and of the coarser one.
    pub fn planes(&self, plane: &DMatrix<f64>) -> Vec<(DMatrix<f64>, DMatrix<f64>)> {
        let mut start = plane.clone();
        orthonormalise(&mut start);
        let fine = qr_history(&self.fine, &start);
        let coarse = qr_history(&self.coarse, &start);
        fine.into_iter().step_by(2).zip(coarse).collect()
    }

    /// The Jacobians of the maps of the coarser orbit, `D×D`.
    pub fn jacobians(&self) -> Vec<DMatrix<f64>> {
        let identity = DMatrix::identity(self.coarse.dim(), self.coarse.dim());
        (0..self.coarse.len()).map(|k| self.coarse.push(k, &identity)).collect()
    }

    /// What is added to every bar, relative to the state.
    pub fn relative(&self) -> f64 {
        ROUNDING + FLOOR * self.drifted
    }

    /// The least det(TᵀQ(t)) over the fine grid, Q(t) the QR frame of J(t)·plane and T the range of
    /// `tangent`, positive at the start: negative once the plane has passed through a normal direction.
    pub fn transversality(&self, plane: &DMatrix<f64>, tangent: &DMatrix<f64>) -> Quantity {
        let mut start = plane.clone();
        orthonormalise(&mut start);
        let overlap = |q: &DMatrix<f64>| tangent.tr_mul(q).determinant();
        let sign = overlap(&start).signum();
        let least = |orbit| {
            let history = qr_history(orbit, &start);
            history.iter().map(|q| sign * overlap(q)).fold(f64::INFINITY, f64::min)
        };
        let (fine, coarse): (f64, f64) = (least(&self.fine), least(&self.coarse));
        Quantity::new(fine, (fine - coarse).abs() + ROUNDING, Grade::Estimated)
    }

    /// ‖L‖ of [`Resolved::slopes`] at the end.
    ///
    /// *Errors*: as [`Resolved::slopes`].
    pub fn end_slope(
        &self,
        plane: &DMatrix<f64>,
        tangent: &DMatrix<f64>,
        normal: &DMatrix<f64>,
    ) -> Result<Quantity> {
        let slopes = self.slopes(plane, tangent, normal)?;
        Ok(slopes.last().map_or(Quantity::UNKNOWN, |(slope, _)| *slope))
    }
}
