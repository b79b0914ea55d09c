//! A carrier with twice the digits of f64, for a second look at what was computed with one.

use super::{Real, Scalar};
use crate::error::{Error, Result};
use nalgebra::DMatrix;
use num_dual::linalg::LU;
use num_dual::{DualNum, DualStruct, Mappable};
use num_traits::{FloatConst, FromPrimitive, Inv, Num, One, Signed, Zero};
use std::cmp::Ordering;
use std::fmt;
use std::iter::{Product, Sum};
use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};
use xprec::Df64;

/// The sum of two f64 that do not overlap: 106 bits, or 31 digits, in the range of f64.
///
/// Functions of which only f64 values are known are not a number on it: see [`Scalar::LONG`].
///
/// ```
/// use driftproof::scalar::Extended;
/// use num_dual::DualStruct;
/// // 1 + 10⁻²⁵ − 1 is 0 in f64.
/// let [one, small] = [1.0, 1e-25].map(Extended::from);
/// assert!(((one + small - one).re() - 1e-25).abs() < 1e-31);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Extended(Df64);

/// Decimal digits of [`Extended`].
pub const DIGITS: u32 = 31;

macro_rules! operators {
    ($($trait:ident $method:ident $assign_trait:ident $assign:ident),*) => {$(
        impl $trait for Extended {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }
        impl $trait<&Extended> for Extended {
            type Output = Self;
            fn $method(self, other: &Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }
        impl $trait<f64> for Extended {
            type Output = Self;
            fn $method(self, other: f64) -> Self {
                Self(self.0.$method(other))
            }
        }
        impl $assign_trait for Extended {
            fn $assign(&mut self, other: Self) {
                self.0.$assign(other.0);
            }
        }
        impl $assign_trait<f64> for Extended {
            fn $assign(&mut self, other: f64) {
                self.0.$assign(other);
            }
        }
    )*};
}
operators!(
    Add add AddAssign add_assign,
    Sub sub SubAssign sub_assign,
    Mul mul MulAssign mul_assign,
    Div div DivAssign div_assign,
    Rem rem RemAssign rem_assign
);

impl Neg for Extended {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl Inv for Extended {
    type Output = Self;
    fn inv(self) -> Self {
        Self(self.0.recip())
    }
}
impl Zero for Extended {
    fn zero() -> Self {
        Self::from(0.0)
    }
    fn is_zero(&self) -> bool {
        *self == 0.0
    }
}
impl One for Extended {
    fn one() -> Self {
        Self::from(1.0)
    }
}
impl Num for Extended {
    type FromStrRadixErr = <f64 as Num>::FromStrRadixErr;
    fn from_str_radix(text: &str, radix: u32) -> std::result::Result<Self, Self::FromStrRadixErr> {
        f64::from_str_radix(text, radix).map(Self::from)
    }
}
impl Signed for Extended {
    fn abs(&self) -> Self {
        Self(self.0.abs())
    }
    fn abs_sub(&self, other: &Self) -> Self {
        if self > other { *self - *other } else { Self::zero() }
    }
    fn signum(&self) -> Self {
        Self::from(self.re().signum())
    }
    fn is_positive(&self) -> bool {
        *self > 0.0
    }
    fn is_negative(&self) -> bool {
        *self < 0.0
    }
}
impl Sum for Extended {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::zero(), Add::add)
    }
}
impl Product for Extended {
    fn product<I: Iterator<Item = Self>>(factors: I) -> Self {
        factors.fold(Self::one(), Mul::mul)
    }
}
impl FromPrimitive for Extended {
    fn from_i64(n: i64) -> Option<Self> {
        Df64::from_i64(n).map(Self)
    }
    fn from_u64(n: u64) -> Option<Self> {
        Df64::from_u64(n).map(Self)
    }
}
impl From<f64> for Extended {
    fn from(value: f64) -> Self {
        Self(value.into())
    }
}
impl PartialEq<f64> for Extended {
    fn eq(&self, other: &f64) -> bool {
        *self == Self::from(*other)
    }
}
impl PartialOrd<f64> for Extended {
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.partial_cmp(&Self::from(*other))
    }
}
impl fmt::Display for Extended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl DualStruct for Extended {
    type Real = f64;
    type Inner = Self;
    /// The nearest f64.
    fn re(&self) -> f64 {
        self.0.hi()
    }
    fn from_inner(inner: &Self) -> Self {
        *inner
    }
}
impl Mappable<Self> for Extended {
    type Output<O> = O;
    fn map_dual<M: Fn(Self) -> O, O>(self, f: M) -> O {
        f(self)
    }
}

macro_rules! forward {
    ($($name:ident)*) => {$(
        fn $name(&self) -> Self {
            Self(self.0.$name())
        }
    )*};
}

/// Functions that no field needs and the carrier does not have.
macro_rules! unknown {
    ($($name:ident)*) => {$(
        fn $name(&self) -> Self {
            Self::from(f64::NAN)
        }
    )*};
}

impl DualNum for Extended {
    type Primitive = f64;
    const NDERIV: usize = 0;
    type InnerDual = Self;
    fn from_re(re: Self) -> Self {
        re
    }
    fn scale(self, factor: &Self) -> Self {
        self * factor
    }
    fn powi(&self, n: i32) -> Self {
        Self(self.0.powi(n))
    }
    fn powf(&self, n: f64) -> Self {
        Self(self.0.powf(n.into()))
    }
    fn log(&self, base: f64) -> Self {
        self.ln() / Self::from(base).ln()
    }
    fn atan2(&self, other: Self) -> Self {
        Self(self.0.atan2(other.0))
    }
    fn sin_cos(&self) -> (Self, Self) {
        let (sin, cos) = self.0.sin_cos();
        (Self(sin), Self(cos))
    }
    forward!(recip sqrt exp exp2 exp_m1 ln log2 log10 ln_1p sin cos tan asin acos atan sinh cosh
        tanh asinh acosh atanh);
    unknown!(cbrt sph_j0 sph_j1 sph_j2);
}

impl Scalar for Extended {
    const LONG: bool = true;

    fn pi() -> Self {
        Self(Df64::PI())
    }
}

impl Real for Extended {
    /// Products and quotients are known to 6·2⁻¹⁰⁶.
    const EPSILON: f64 = 8.0 / (1_u64 << 53) as f64 / (1_u64 << 53) as f64;

    fn hypot(self, other: Self) -> Self {
        Self(self.0.hypot(other.0))
    }

    fn inverse(matrix: &DMatrix<Self>) -> Result<DMatrix<Self>> {
        let singular = |_| Error::numeric("matrix inverse", "the matrix is singular");
        LU::new(matrix.clone()).map(|factors| factors.inverse()).map_err(singular)
    }
}
