//! The number a field is written over, and its carriers.
//!
//! A drift, denoiser, schedule or chart is one generic function over
//! [`Scalar`]. Its carriers: `f64` gives values; [`Tangents`] (a dual with
//! [`TANGENT_LANES`] directions side by side) exact Jacobian columns;
//! [`SecondTangents`] and other nested duals second derivatives; [`Extended`] and duals over it twice the digits. A field
//! may not branch on `re()` nor compare, so that an interval type can join later without touching a field.
//!
//! Known faults of plain duals that fields must avoid: `sqrt` at 0 (the
//! derivative is NaN: work with squares), `tanh` beyond |x| = 710, `powf`
//! with an exponent near 2, `powi(-1)` of tiny numbers.

mod extended;

pub use extended::{DIGITS, Extended};

use crate::error::{Error, Result};
use crate::special::{self, TruncatedGaussian};
use nalgebra::{Const, DMatrix, SVector};
use num_dual::{Derivative, Dual, DualNum, DualSVec64, DualVec};

/// Directions carried side by side by [`Tangents`].
pub const TANGENT_LANES: usize = 8;

/// A value with [`TANGENT_LANES`] directional derivatives.
pub type Tangents = DualSVec64<TANGENT_LANES>;

/// A value and its derivative along one direction, both with [`TANGENT_LANES`] directional derivatives.
pub type SecondTangents = Dual<Tangents>;

/// Coordinate i of a state, with its own unit tangent in lane i − first, if it has one there.
pub(crate) fn seeded<S: Scalar>(x: S, i: usize, first: usize) -> DualVec<S, Const<TANGENT_LANES>> {
    let mut eps = SVector::<S, TANGENT_LANES>::from_element(S::from(0.0));
    if (first..first + TANGENT_LANES).contains(&i) {
        eps[i - first] = S::from(1.0);
    }
    DualVec::new(x, Derivative::some(eps))
}

/// A number that fields can be evaluated on.
///
/// The special functions have defaults for nilpotent carriers (duals of any
/// nesting up to third order); an enclosure type overrides them.
pub trait Scalar: DualNum<Primitive = f64> + Copy + Send + Sync {
    /// Whether it has more digits than f64: functions of which only f64 values are known are not a number on it.
    const LONG: bool = false;

    /// f(self), from f's Taylor coefficients `f(r), f'(r), f''(r)/2, f'''(r)/6`
    /// at r = re(self). Exact for carriers of derivative order at most 3.
    fn compose(self, taylor: impl FnOnce(f64) -> [f64; 4]) -> Self {
        const { assert!(Self::NDERIV <= 3, "compose carries three derivatives") };
        if Self::LONG {
            return Self::from(f64::NAN);
        }
        let r = self.re();
        let c = taylor(r);
        let h = self - r;
        ((h * c[3] + c[2]) * h + c[1]) * h + c[0]
    }

    /// f(self, other), from the Taylor coefficients `c[i][j]` of f at the real parts, i + j ≤ 3; the rest is 0.
    ///
    /// Exact for carriers of derivative order at most 3.
    fn compose2(self, other: Self, taylor: impl FnOnce(f64, f64) -> [[f64; 4]; 4]) -> Self {
        const { assert!(Self::NDERIV <= 3, "compose2 carries three derivatives") };
        if Self::LONG {
            return Self::from(f64::NAN);
        }
        let (h, k) = (self - self.re(), other - other.re());
        let c = taylor(self.re(), other.re());
        let row = |c: [f64; 4]| ((k * c[3] + c[2]) * k + c[1]) * k + c[0];
        ((h * c[3][0] + row(c[2])) * h + row(c[1])) * h + row(c[0])
    }

    /// The error function.
    fn erf(self) -> Self {
        self.compose(special::erf_taylor)
    }

    /// A_n(κ)/κ at κ² = self ≥ 0, where A_n = I_{n/2}/I_{n/2−1} and n ≥ 1 (T6.5).
    fn bessel_ratio(self, n: usize) -> Self {
        self.compose(|z| special::bessel_ratio_taylor(n, z))
    }

    /// log E[e^{κu}] − (√(κ² + n²/4) − n/2) at κ² = self, u a coordinate of a uniform point of S^{n−1}.
    fn log_bessel(self, n: usize) -> Self {
        self.compose(|z| special::log_bessel_taylor(n, z))
    }

    /// The mean of the density proportional to e^{pu − qu²/2} on [low, high], p = self, q ≥ 0.
    fn truncated_mean(self, q: Self, low: f64, high: f64) -> Self {
        self.compose2(q, |p, q| TruncatedGaussian::new(p, q, low, high).mean_taylor())
    }

    /// log ∫ e^{pu − qu²/2} du over [low, high], p = self, q ≥ 0.
    fn log_truncated_mass(self, q: Self, low: f64, high: f64) -> Self {
        self.compose2(q, |p, q| TruncatedGaussian::new(p, q, low, high).log_mass_taylor())
    }

    /// The circle constant π, which an enclosure type must widen.
    fn pi() -> Self {
        Self::from(std::f64::consts::PI)
    }
}

impl Scalar for f64 {}
impl<T: Scalar> Scalar for Dual<T> {
    const LONG: bool = T::LONG;

    fn pi() -> Self {
        Self::from_re(T::pi())
    }
}
impl<T: Scalar, const N: usize> Scalar for DualVec<T, Const<N>> {
    const LONG: bool = T::LONG;

    fn pi() -> Self {
        Self::from_re(T::pi())
    }
}

/// A number without derivatives, of which matrices are made.
pub trait Real: Scalar {
    /// Relative rounding of one operation.
    const EPSILON: f64;

    /// √(self² + other²).
    fn hypot(self, other: Self) -> Self;

    /// The inverse of a square matrix.
    ///
    /// *Errors*: [`Error::Numeric`] when it is singular to working precision.
    fn inverse(matrix: &DMatrix<Self>) -> Result<DMatrix<Self>>;
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;

    fn hypot(self, other: Self) -> Self {
        f64::hypot(self, other)
    }

    fn inverse(matrix: &DMatrix<Self>) -> Result<DMatrix<Self>> {
        matrix
            .clone()
            .try_inverse()
            .filter(|inverse| inverse.iter().all(|x| x.is_finite()))
            .ok_or_else(|| Error::numeric("matrix inverse", "the matrix is singular"))
    }
}
