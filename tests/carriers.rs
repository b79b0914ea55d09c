//! Another number type joins: a carrier written here runs the fields of the library.

use driftproof::drift::{
    Atoms, Channel, Denoise, Drift, Embedded, GaussianPath, LinearCoupling, MonotoneMap,
    PlaneField, ProductTransport, Schedule, Segment, Sphere, Thick,
};
use driftproof::scalar::Scalar;
use nalgebra::{DMatrix, DVector};
use num_dual::{Dual, DualNum, DualStruct, Mappable};
use num_traits::{FromPrimitive, Inv, Num, One, Signed, Zero};
use std::cmp::Ordering;
use std::fmt;
use std::iter::{Product, Sum};
use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

/// A number of this test's own: f64 inside, but a different type with its own special functions.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Wrapped(f64);

macro_rules! operator {
    ($($trait:ident $method:ident $assign_trait:ident $assign:ident $op:tt),*) => {$(
        impl $trait for Wrapped {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(self.0 $op other.0)
            }
        }
        impl $trait<&Wrapped> for Wrapped {
            type Output = Self;
            fn $method(self, other: &Self) -> Self {
                Self(self.0 $op other.0)
            }
        }
        impl $trait<f64> for Wrapped {
            type Output = Self;
            fn $method(self, other: f64) -> Self {
                Self(self.0 $op other)
            }
        }
        impl $assign_trait for Wrapped {
            fn $assign(&mut self, other: Self) {
                self.0 = self.0 $op other.0;
            }
        }
        impl $assign_trait<f64> for Wrapped {
            fn $assign(&mut self, other: f64) {
                self.0 = self.0 $op other;
            }
        }
    )*};
}
operator!(
    Add add AddAssign add_assign +,
    Sub sub SubAssign sub_assign -,
    Mul mul MulAssign mul_assign *,
    Div div DivAssign div_assign /,
    Rem rem RemAssign rem_assign %
);

impl Neg for Wrapped {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl Inv for Wrapped {
    type Output = Self;
    fn inv(self) -> Self {
        Self(1.0 / self.0)
    }
}
impl Zero for Wrapped {
    fn zero() -> Self {
        Self(0.0)
    }
    fn is_zero(&self) -> bool {
        self.0 == 0.0
    }
}
impl One for Wrapped {
    fn one() -> Self {
        Self(1.0)
    }
}
impl Num for Wrapped {
    type FromStrRadixErr = <f64 as Num>::FromStrRadixErr;
    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        f64::from_str_radix(text, radix).map(Self)
    }
}
impl Signed for Wrapped {
    fn abs(&self) -> Self {
        Self(self.0.abs())
    }
    fn abs_sub(&self, other: &Self) -> Self {
        Self((self.0 - other.0).max(0.0))
    }
    fn signum(&self) -> Self {
        Self(self.0.signum())
    }
    fn is_positive(&self) -> bool {
        self.0 > 0.0
    }
    fn is_negative(&self) -> bool {
        self.0 < 0.0
    }
}
impl Sum for Wrapped {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self(0.0), Add::add)
    }
}
impl Product for Wrapped {
    fn product<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self(1.0), Mul::mul)
    }
}
impl FromPrimitive for Wrapped {
    fn from_i64(n: i64) -> Option<Self> {
        f64::from_i64(n).map(Self)
    }
    fn from_u64(n: u64) -> Option<Self> {
        f64::from_u64(n).map(Self)
    }
}
impl From<f64> for Wrapped {
    fn from(value: f64) -> Self {
        Self(value)
    }
}
impl PartialEq<f64> for Wrapped {
    fn eq(&self, other: &f64) -> bool {
        self.0 == *other
    }
}
impl PartialOrd<f64> for Wrapped {
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.0.partial_cmp(other)
    }
}
impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl DualStruct for Wrapped {
    type Real = f64;
    type Inner = f64;
    fn re(&self) -> f64 {
        self.0
    }
    fn from_inner(inner: &f64) -> Self {
        Self(*inner)
    }
}
impl Mappable<Self> for Wrapped {
    type Output<O> = O;
    fn map_dual<M: Fn(Self) -> O, O>(self, f: M) -> O {
        f(self)
    }
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*)),*) => {$(
        fn $name(&self, $($argument: $type),*) -> Self {
            Self(DualNum::$name(&self.0, $($argument),*))
        }
    )*};
}

impl DualNum for Wrapped {
    type Primitive = f64;
    const NDERIV: usize = 0;
    type InnerDual = f64;
    fn from_re(re: f64) -> Self {
        Self(re)
    }
    fn scale(self, factor: &f64) -> Self {
        Self(self.0 * factor)
    }
    fn atan2(&self, other: Self) -> Self {
        Self(self.0.atan2(other.0))
    }
    fn sin_cos(&self) -> (Self, Self) {
        (Self(self.0.sin()), Self(self.0.cos()))
    }
    forward!(
        recip(), powi(n: i32), powf(n: f64), sqrt(), cbrt(), exp(), exp2(), exp_m1(), ln(),
        log(base: f64), log2(), log10(), ln_1p(), sin(), cos(), tan(), asin(), acos(), atan(),
        sinh(), cosh(), tanh(), asinh(), acosh(), atanh(), sph_j0(), sph_j1(), sph_j2()
    );
}

impl Scalar for Wrapped {
    /// An override, as an enclosure type would have: A_3(κ) = coth κ − 1/κ in closed form.
    fn bessel_ratio(self, n: usize) -> Self {
        assert_eq!(n, 3, "only the sphere of this test");
        let kappa = self.0.sqrt();
        Self((1.0 / kappa.tanh() - 1.0 / kappa) / kappa)
    }
}

/// The field on f64 and on the new carrier, at the same point.
fn assert_carried(name: &str, field: &impl Drift, s: f64, x: &[f64]) {
    let mut plain = vec![0.0; x.len()];
    field.velocity(s, x, &mut plain);
    let wrapped: Vec<Wrapped> = x.iter().map(|v| Wrapped(*v)).collect();
    let mut out = wrapped.clone();
    field.velocity(Wrapped(s), &wrapped, &mut out);
    for (plain, out) in plain.iter().zip(&out) {
        assert!((plain - out.0).abs() < 1e-13, "{name}: {plain} {out}");
    }
}

#[test]
fn a_foreign_carrier_runs_every_kind_of_drift() {
    let x = [0.4, -0.7, 0.2];
    let points = vec![0.1, 0.9, -0.3, 1.0, 0.0, 0.4];
    let atoms = Atoms::new(3, points, None, 0.1).unwrap();
    let sphere = Sphere::new(3, 1.2).unwrap();
    let thick = Thick::new(sphere.into(), 0.3).unwrap();
    let segment = Segment::new(0.8).unwrap();
    for schedule in [Schedule::FlowMatching, Schedule::VpLinear { beta_min: 0.1, beta_max: 20.0 }] {
        assert_carried("atoms", &GaussianPath { schedule, denoiser: &atoms }, 0.6, &x);
        assert_carried("sphere", &GaussianPath { schedule, denoiser: &sphere }, 0.6, &x);
        assert_carried("thick", &GaussianPath { schedule, denoiser: &thick }, 0.6, &x);
        assert_carried("segment", &GaussianPath { schedule, denoiser: &segment }, 0.6, &x[..1]);
    }
    let maps = vec![
        MonotoneMap::Segment { half_length: 0.5 },
        MonotoneMap::Gaussian { mean: 1.0, deviation: 0.2 },
        MonotoneMap::Segment { half_length: 2.0 },
    ];
    assert_carried("transport", &ProductTransport::new(maps).unwrap(), 0.7, &x);
    let coupling = LinearCoupling::rotated(&[1.0, 0.2, 0.5], 0.6).unwrap();
    assert_carried("coupling", &coupling, 0.7, &x);
    let field = PlaneField { lift: 0.5, ripple: 0.2, frequency: 3.0, ..PlaneField::default() };
    let normal = DVector::from_vec(vec![0.0, 0.6, 0.8]);
    let block = Embedded::new(field, DMatrix::identity(3, 1), normal).unwrap();
    assert_carried("counterexample", &block, 0.7, &x);
}

#[test]
fn a_carrier_may_replace_the_special_functions() {
    // The override above refuses every other dimension, so it is what the field calls.
    let circle = Sphere::new(2, 1.0).unwrap();
    let channel = Channel::canonical(Wrapped(1.0));
    let called = std::panic::catch_unwind(|| {
        let mut out = [Wrapped(0.0); 2];
        circle.denoise(channel, &[Wrapped(0.3), Wrapped(0.1)], &mut out);
    });
    assert!(called.is_err());
}

#[test]
fn duals_nest_over_a_foreign_carrier() {
    // d/ds of the flow-matching velocity of the segment, on Dual<Wrapped> and on Dual<f64>.
    let segment = Segment::new(0.8).unwrap();
    let field = GaussianPath { schedule: Schedule::FlowMatching, denoiser: &segment };
    let mut foreign = [Dual::<Wrapped>::from(0.0)];
    field.velocity(Dual::new(Wrapped(0.6), Wrapped(1.0)), &[Dual::from(0.4)], &mut foreign);
    let mut plain = [Dual::<f64>::from(0.0)];
    field.velocity(Dual::new(0.6, 1.0), &[Dual::from(0.4)], &mut plain);
    assert!((foreign[0].eps.0 - plain[0].eps).abs() < 1e-13 && plain[0].eps != 0.0);
}
