//! Facts that are measured in f64 and again in extended precision.

use crate::drift::PUSH_ROUNDING;
use crate::facts::{Grade, Quantity};
use crate::scalar::Real;

/// Most dimensions that are carried in extended precision.
pub const MOST_DIMENSIONS: usize = 16;

/// [`PUSH_ROUNDING`] in the precision of R.
pub fn push_rounding<R: Real>() -> f64 {
    PUSH_ROUNDING / f64::EPSILON * R::EPSILON
}

/// A number as a fact, which is one of f64.
pub fn stated<R: Real>(value: R, bar: f64, grade: Grade) -> Quantity {
    let shortened = if R::LONG { 0.5 * f64::EPSILON * value.re().abs() } else { 0.0 };
    Quantity::new(value.re(), bar + shortened, grade)
}
