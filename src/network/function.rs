//! Elementwise functions, each written once over [`Scalar`]: derivatives come from duals.

use crate::scalar::Scalar;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Negate,
    Sqrt,
    Reciprocal,
    Exp,
    Log,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    /// x·sigmoid(alpha·x) (SiLU).
    Swish(f64),
    Erf,
    /// x Φ(x).
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    Softplus,
    /// x tanh(softplus(x)).
    Mish,
    Abs,
    /// x^p, p constant.
    Power(f64),
    /// x where x ≥ 0, slope·x elsewhere (0: Relu).
    Leaky(f64),
    /// scale·x where x > 0, scale·alpha (e^{x/stretch} − 1) elsewhere (Elu, Selu, Celu).
    Elu {
        scale: f64,
        alpha: f64,
        stretch: f64,
    },
    Clip {
        low: f64,
        high: f64,
    },
    /// Cast to an integer; its derivative is 0.
    Truncate,
    Floor,
    Ceil,
    /// To the nearest, halves to even.
    Round,
    /// 1 where x ≠ 0, as a boolean.
    NonZero,
    /// 1 where x = 0, as a boolean.
    Not,
    Sign,
}

impl Function {
    /// Its value; a kink has the derivative of its right side, and a jump none.
    pub(super) fn eval<S: Scalar>(self, x: S) -> S {
        let step = |value: fn(f64) -> f64| S::from(value(x.re()));
        match self {
            Self::Negate => -x,
            Self::Sqrt => x.sqrt(),
            Self::Reciprocal => x.recip(),
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tanh => tanh(x),
            Self::Sigmoid => sigmoid(x),
            Self::Swish(alpha) => x * sigmoid(x * alpha),
            Self::Erf => x.erf(),
            Self::Gelu => x * 0.5 * ((x * FRAC_1_SQRT_2).erf() + 1.0),
            // sqrt(2/π) (x + 0.044715 x³), as ONNX and PyTorch write it.
            Self::GeluTanh => x * 0.5 * (tanh((x + x * x * x * 0.044715) * FRAC_2_PI.sqrt()) + 1.0),
            Self::Softplus => softplus(x),
            Self::Mish => x * tanh(softplus(x)),
            Self::Abs => {
                if x.re() < 0.0 {
                    -x
                } else {
                    x
                }
            }
            Self::Power(p) => power(x, p),
            Self::Leaky(slope) => {
                if x.re() < 0.0 {
                    x * slope
                } else {
                    x
                }
            }
            Self::Elu { scale, alpha, stretch } => {
                if x.re() > 0.0 {
                    x * scale
                } else {
                    (x / stretch).exp_m1() * (scale * alpha)
                }
            }
            Self::Clip { low, high } => {
                if x.re() < low {
                    S::from(low)
                } else if x.re() > high {
                    S::from(high)
                } else {
                    x
                }
            }
            Self::Truncate => step(f64::trunc),
            Self::Floor => step(f64::floor),
            Self::Ceil => step(f64::ceil),
            Self::Round => step(f64::round_ties_even),
            Self::NonZero => step(|x| f64::from(u8::from(x != 0.0))),
            Self::Not => step(|x| f64::from(u8::from(x == 0.0))),
            Self::Sign => step(|x| if x == 0.0 { 0.0 } else { x.signum() }),
        }
    }
}

/// What a corner means.
pub(super) const CORNER: &str =
    "its first derivative jumps: the field is not C¹, and tangents hold on the side where x is";
/// What a jump means.
pub(super) const JUMP: &str = "it jumps: the field is not continuous, and tangents do not see it";

/// 1/(1 + e^{−x}), without overflow.
fn sigmoid<S: Scalar>(x: S) -> S {
    x.compose(|x| {
        let (s, rest) = sigmoids(x);
        let slope = s * rest;
        [s, slope, slope * (rest - s) / 2.0, slope * (1.0 - 6.0 * slope) / 6.0]
    })
}

/// The sigmoid at x and at −x.
fn sigmoids(x: f64) -> (f64, f64) {
    let e = (-x.abs()).exp();
    let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
    if x < 0.0 { (small, large) } else { (large, small) }
}

/// log(1 + e^x), without overflow.
fn softplus<S: Scalar>(x: S) -> S {
    x.compose(|x| {
        let (s, rest) = sigmoids(x);
        let slope = s * rest;
        let value = x.max(0.0) + (-x.abs()).exp().ln_1p();
        [value, s, slope / 2.0, slope * (rest - s) / 6.0]
    })
}

/// tanh, with derivatives also where cosh overflows.
fn tanh<S: Scalar>(x: S) -> S {
    x.compose(|x| {
        let t = x.tanh();
        let (s, rest) = sigmoids(2.0 * x);
        let slope = 4.0 * s * rest;
        [t, slope, -t * slope, slope * (3.0 * t * t - 1.0) / 3.0]
    })
}

/// x^p for a constant p, with derivatives also at 0 where they exist.
fn power<S: Scalar>(x: S, p: f64) -> S {
    x.compose(|x| {
        let mut coefficient = 1.0;
        let mut taylor = [0.0; 4];
        for (i, entry) in taylor.iter_mut().enumerate() {
            // A vanished coefficient wins over an infinite power: x² has no third derivative at 0.
            *entry = if coefficient == 0.0 { 0.0 } else { coefficient * x.powf(p - i as f64) };
            coefficient *= (p - i as f64) / (i + 1) as f64;
        }
        taylor
    })
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pairing {
    Add,
    Sub,
    Mul,
    Div,
    /// Division of integers, towards 0.
    Quotient,
    /// a^b, b not constant.
    Power,
    Max,
    Min,
    Greater,
    Less,
    Equal,
    GreaterOrEqual,
    LessOrEqual,
    /// a < 0 gives a·b (PRelu).
    Prelu,
}

impl Pairing {
    /// Its value.
    pub(super) fn eval<S: Scalar>(self, a: S, b: S) -> S {
        let truth = |holds: bool| S::from(f64::from(u8::from(holds)));
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Quotient => S::from((a.re() / b.re()).trunc()),
            Self::Power => (a.ln() * b).exp(),
            Self::Max => {
                if a.re() < b.re() {
                    b
                } else {
                    a
                }
            }
            Self::Min => {
                if a.re() > b.re() {
                    b
                } else {
                    a
                }
            }
            Self::Greater => truth(a.re() > b.re()),
            Self::Less => truth(a.re() < b.re()),
            Self::Equal => truth(a.re() == b.re()),
            Self::GreaterOrEqual => truth(a.re() >= b.re()),
            Self::LessOrEqual => truth(a.re() <= b.re()),
            Self::Prelu => {
                if a.re() < 0.0 {
                    a * b
                } else {
                    a
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_dual::{Dual, Dual64};

    /// f and its first three derivatives.
    fn derivatives(f: Function, x: f64) -> [f64; 4] {
        let inner = Dual64::new(x, 1.0);
        let middle = Dual::new(inner, Dual64::from(1.0));
        let outer = Dual::new(middle, Dual::<Dual64>::from(1.0));
        let y = f.eval(outer);
        [y.re.re.re, y.re.re.eps, y.re.eps.eps, y.eps.eps.eps]
    }

    #[test]
    fn each_derivative_is_the_slope_of_the_one_before() {
        let smooth = [
            Function::Negate,
            Function::Sqrt,
            Function::Reciprocal,
            Function::Exp,
            Function::Log,
            Function::Sin,
            Function::Cos,
            Function::Tanh,
            Function::Sigmoid,
            Function::Swish(1.0),
            Function::Swish(1.7),
            Function::Erf,
            Function::Gelu,
            Function::GeluTanh,
            Function::Softplus,
            Function::Mish,
            Function::Power(2.5),
            Function::Power(-1.0),
            Function::Power(3.0),
            Function::Elu { scale: 1.1, alpha: 0.7, stretch: 2.0 },
        ];
        for f in smooth {
            for x in [0.21, 0.9, 2.3, 6.0] {
                // Both sides of 0, where the function is defined there.
                let signed = !matches!(f, Function::Sqrt | Function::Log | Function::Power(_));
                for x in [x, if signed { -x } else { x + 0.05 }] {
                    let h = 1e-3;
                    let at = |steps: f64| derivatives(f, x + steps * h);
                    let (all, plus, minus) = (at(0.0), at(1.0), at(-1.0));
                    let (further, before) = (at(2.0), at(-2.0));
                    for order in 0..3 {
                        let near = plus[order] - minus[order];
                        let far = further[order] - before[order];
                        let slope = (8.0 * near - far) / (12.0 * h);
                        // Truncation h⁴ times the fifth derivative, at most some 10⁵ near 0.2; rounding 1e-16/h.
                        let error = (slope - all[order + 1]).abs() / (1.0 + slope.abs());
                        assert!(error < 1e-7, "{f:?} at {x}, order {order}: {slope} {all:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn tails_neither_overflow_nor_lose_their_slope() {
        for x in [-1e4, -800.0, 800.0, 1e4] {
            for f in [
                Function::Sigmoid,
                Function::Tanh,
                Function::Softplus,
                Function::Mish,
                Function::Gelu,
            ] {
                assert!(derivatives(f, x).iter().all(|d| d.is_finite()), "{f:?} at {x}");
            }
        }
        // softplus(x) = log(1 + e^x) → e^x far left, with all its derivatives.
        for derivative in derivatives(Function::Softplus, -30.0) {
            assert!((derivative / (-30.0_f64).exp() - 1.0).abs() < 1e-12);
        }
        // x² is smooth at 0 as a power too.
        assert_eq!(derivatives(Function::Power(2.0), 0.0), [0.0, 0.0, 2.0, 0.0]);
    }
}
