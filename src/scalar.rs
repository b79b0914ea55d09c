//! The number a field is written over, and its carriers.
//!
//! A drift, denoiser, schedule or chart is one generic function over
//! [`Scalar`]. Its carriers: `f64` gives values; [`Tangents`] (a dual with
//! [`TANGENT_LANES`] directions side by side) exact Jacobian columns;
//! nested duals second derivatives. A field may not branch on `re()` nor
//! compare, so that an interval type can join later without touching a field.
//!
//! Known faults of plain duals that fields must avoid: `sqrt` at 0 (the
//! derivative is NaN: work with squares), `tanh` beyond |x| = 710, `powf`
//! with an exponent near 2, `powi(-1)` of tiny numbers.

use nalgebra::Const;
use num_dual::{Dual, DualNum, DualSVec64, DualVec};

/// Directions carried side by side by [`Tangents`].
pub const TANGENT_LANES: usize = 8;

/// A value with [`TANGENT_LANES`] directional derivatives.
pub type Tangents = DualSVec64<TANGENT_LANES>;

/// A number that fields can be evaluated on.
///
/// The special functions have defaults for nilpotent carriers (duals of any
/// nesting up to third order); an enclosure type overrides them.
pub trait Scalar: DualNum<Primitive = f64> + Copy + Send + Sync {
    /// f(self), from f's Taylor coefficients `f(r), f'(r), f''(r)/2, f'''(r)/6`
    /// at r = re(self). Exact for carriers of derivative order at most 3.
    fn compose(self, taylor: impl FnOnce(f64) -> [f64; 4]) -> Self {
        const { assert!(Self::NDERIV <= 3, "compose carries three derivatives") };
        let r = self.re();
        let c = taylor(r);
        let h = self - r;
        ((h * c[3] + c[2]) * h + c[1]) * h + c[0]
    }

    /// The circle constant π, which an enclosure type must widen.
    fn pi() -> Self {
        Self::from(std::f64::consts::PI)
    }
}

impl Scalar for f64 {}
impl<T: Scalar> Scalar for Dual<T> {}
impl<T: Scalar, const N: usize> Scalar for DualVec<T, Const<N>> {}
