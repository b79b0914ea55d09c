//! ψ_ε = Φ^ε ∘ Φ⁻¹: where an inexact model puts what the exact one puts at y.

use crate::error::{Error, Result};
use crate::flow::{Maps, Orbit};
use crate::linalg::inverse;
use crate::lyapunov::product;
use crate::response::sensitivities;
use nalgebra::{DMatrix, DVector};

/// Newton steps to the start of an end point, and chord steps with the Jacobian of the last of them.
const STEPS: usize = 30;

/// Relative distance to an end point at which its start is found.
const FOUND: f64 = 4.0 * f64::EPSILON;

/// Newton steps, relative to the state, that are rounding when they stop shrinking below this.
const SETTLED: f64 = 1e-9;

/// Where the orbit of the maps at error size ε must start to end at `end`, and dx_K/dx_0 there.
///
/// *Errors*: [`Error::Numeric`] when Newton's steps do not shrink to rounding.
pub fn start_of(
    maps: &impl Maps,
    epsilon: f64,
    end: &DVector<f64>,
    guess: DVector<f64>,
) -> Result<(DVector<f64>, DMatrix<f64>)> {
    let mut x = guess;
    let mut last = f64::INFINITY;
    for _ in 0..STEPS {
        let orbit = Orbit::from(maps, epsilon, x.as_slice())?;
        let jacobian = product(&orbit);
        let step = inverse(&jacobian)? * (orbit.end() - end);
        let size = step.norm() / (1.0 + x.norm());
        if size == 0.0 || (size >= 0.5 * last && size <= SETTLED) {
            return Ok((x, jacobian));
        }
        last = size;
        x -= step;
    }
    Err(Error::numeric("start of an end point", "Newton's steps do not shrink"))
}

/// ψ_ε around one end point of the exact maps.
pub struct Displaced<'a, M> {
    maps: &'a M,
    start: DVector<f64>,
    end: DVector<f64>,
    /// dΦ⁻¹ at the end; None where the exact maps are the identity.
    back: Option<DMatrix<f64>>,
}

impl<'a, M: Maps> Displaced<'a, M> {
    /// Around `end`, where the exact maps are the identity.
    pub fn resting(maps: &'a M, end: &[f64]) -> Self {
        let end = DVector::from_column_slice(end);
        Self { maps, start: end.clone(), end, back: None }
    }

    /// Around `end`, from a guess of its start.
    ///
    /// *Errors*: [`Error::Numeric`] when Newton's method does not find the start.
    pub fn near(maps: &'a M, guess: &[f64], end: &[f64]) -> Result<Self> {
        let end = DVector::from_column_slice(end);
        let (start, jacobian) = start_of(maps, 0.0, &end, DVector::from_column_slice(guess))?;
        let mut found = Self { maps, start, end, back: Some(inverse(&jacobian)?) };
        found.start = found.start_of(found.end.as_slice())?;
        Ok(found)
    }

    /// Φ^ε.
    fn forward(&self, epsilon: f64, x: &mut DVector<f64>) {
        (0..self.maps.maps()).for_each(|k| self.maps.map(k, epsilon, x.as_mut_slice()));
    }

    /// Φ⁻¹(y) for y near the end point, by chords.
    fn start_of(&self, y: &[f64]) -> Result<DVector<f64>> {
        let y = DVector::from_column_slice(y);
        let Some(back) = &self.back else { return Ok(y) };
        let mut x = &self.start + back * (&y - &self.end);
        let mut last = f64::INFINITY;
        for _ in 0..STEPS {
            let mut image = x.clone();
            self.forward(0.0, &mut image);
            let miss = &y - image;
            let size = miss.norm();
            // As near as rounding lets it come.
            if size <= FOUND * (1.0 + y.norm()) || (size >= last && size < 1e-13) {
                return Ok(x);
            }
            last = size;
            x += back * miss;
        }
        Err(Error::numeric("start of an end point", "chord steps do not settle"))
    }

    /// ψ_ε(y) for y near the end point.
    ///
    /// *Errors*: [`Error::Numeric`] when the start of y is not found.
    pub fn moved(&self, y: &[f64], epsilon: f64) -> Result<DVector<f64>> {
        let mut x = self.start_of(y)?;
        self.forward(epsilon, &mut x);
        Ok(x)
    }

    /// δ = dψ_ε/dε at ε = 0, at the end point.
    ///
    /// *Errors*: as [`sensitivities`].
    pub fn delta(&self) -> Result<DVector<f64>> {
        let path = sensitivities(self.maps, self.start.as_slice())?;
        Ok(path.into_iter().last().map_or(DVector::zeros(self.end.len()), |(_, delta)| delta))
    }

    /// The start of the end point.
    pub fn start(&self) -> &DVector<f64> {
        &self.start
    }
}
