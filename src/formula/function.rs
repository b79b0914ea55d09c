//! The functions of one number, and of two, on every carrier.

use crate::scalar::Scalar;

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    Exp,
    Log,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Expm1,
    Log1p,
    Sigmoid,
    Softplus,
    Erf,
    Abs,
    Sign,
    Floor,
    /// g_n(z) = A_n(√z)/√z, where A_n = I_{n/2}/I_{n/2−1}.
    BesselQuotient(u32),
}

/// Functions of one number by their names; the Bessel quotient takes its order as another argument.
const NAMED: &[(&str, Function)] = &[
    ("exp", Function::Exp),
    ("log", Function::Log),
    ("sqrt", Function::Sqrt),
    ("sin", Function::Sin),
    ("cos", Function::Cos),
    ("tan", Function::Tan),
    ("asin", Function::Asin),
    ("acos", Function::Acos),
    ("atan", Function::Atan),
    ("sinh", Function::Sinh),
    ("cosh", Function::Cosh),
    ("tanh", Function::Tanh),
    ("expm1", Function::Expm1),
    ("log1p", Function::Log1p),
    ("sigmoid", Function::Sigmoid),
    ("softplus", Function::Softplus),
    ("erf", Function::Erf),
    ("abs", Function::Abs),
    ("sign", Function::Sign),
    ("floor", Function::Floor),
];

/// The other functions, and how each is called.
const OTHERS: &[(&str, &str)] = &[
    ("atan2", "atan2(y, x)"),
    ("min", "min(a, b)"),
    ("max", "max(a, b)"),
    ("bessel_ratio", "bessel_ratio(n, kappa)"),
    ("bessel_quotient", "bessel_quotient(n, z)"),
    ("if", "if(condition, then, otherwise)"),
    ("dot", "dot(x, y)"),
    ("norm", "norm(x)"),
    ("norm2", "norm2(x)"),
    ("sum", "sum(i in 0..3, x[i]), or sum(x)"),
    ("product", "product(i in 0..3, x[i])"),
    ("vector", "vector(i in 0..3, x[i])"),
];

/// Words that are neither functions nor free for names.
const WORDS: &[&str] = &["and", "or", "not", "in", "pi", "e"];

/// Names of all functions.
pub(crate) fn functions() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, _)| *name).chain(OTHERS.iter().map(|(name, _)| *name))
}

pub(crate) fn is_function(name: &str) -> bool {
    functions().any(|function| function == name)
}

/// True of words that cannot name a variable.
pub(crate) fn reserved(name: &str) -> bool {
    WORDS.contains(&name) || is_function(name)
}

impl Function {
    pub(crate) fn named(name: &str) -> Option<Self> {
        NAMED.iter().find(|(other, _)| *other == name).map(|(_, function)| *function)
    }

    /// How a function is called, for messages.
    pub(crate) fn usage(name: &str) -> String {
        let other = OTHERS.iter().find(|(other, _)| *other == name);
        other.map_or_else(|| format!("{name}(x)"), |(_, usage)| (*usage).to_owned())
    }

    pub(crate) fn name(self) -> &'static str {
        let named = NAMED.iter().find(|(_, function)| *function == self);
        named.map_or("bessel_quotient", |(name, _)| name)
    }

    /// The order of the Bessel quotient, which is its first argument.
    pub(crate) fn order(self) -> Option<u32> {
        match self {
            Self::BesselQuotient(n) => Some(n),
            _ => None,
        }
    }

    /// True unless the function has kinks or jumps inside its domain.
    pub(crate) fn is_smooth(self) -> bool {
        !matches!(self, Self::Abs | Self::Sign | Self::Floor)
    }

    /// The function on a carrier.
    pub(crate) fn apply<S: Scalar>(self, x: S) -> S {
        match self {
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Sinh => x.sinh(),
            Self::Cosh => x.cosh(),
            Self::Tanh if S::LONG => x.tanh(),
            Self::Tanh => carried(x, tanh_taylor),
            Self::Expm1 => x.exp_m1(),
            Self::Log1p => x.ln_1p(),
            Self::Sigmoid if S::LONG => ((-x).exp() + 1.0).recip(),
            Self::Sigmoid => carried(x, sigmoid_taylor),
            Self::Softplus => carried(x, softplus_taylor),
            Self::Erf => x.erf(),
            Self::Abs => x * sign(x.re()),
            Self::Sign => S::from(sign(x.re())),
            Self::Floor => S::from(x.re().floor()),
            Self::BesselQuotient(n) => x.bessel_ratio(n as usize),
        }
    }
}

/// −1, 0 or 1; not a number where x is none.
fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { x.signum() }
}

/// By Taylor coefficients, without those that the carrier has no use for: an infinite one would spoil the value.
fn carried<S: Scalar>(x: S, taylor: impl FnOnce(f64) -> [f64; 4]) -> S {
    if S::NDERIV == 0 && !S::LONG {
        return S::from(taylor(x.re())[0]);
    }
    x.compose(|r| {
        let mut c = taylor(r);
        c.iter_mut().skip(S::NDERIV + 1).for_each(|c| *c = 0.0);
        c
    })
}

/// The one of plain duals divides infinities beyond |x| = 710.
fn tanh_taylor(x: f64) -> [f64; 4] {
    let t = x.tanh();
    let slope = 4.0 * sigmoid_slope(2.0 * x); // 1/cosh² without the cancellation of 1 − tanh²
    [t, slope, -t * slope, slope * (2.0 * t * t - slope) / 3.0]
}

/// e^{−|x|}/(1 + e^{−|x|})².
fn sigmoid_slope(x: f64) -> f64 {
    let tail = (-x.abs()).exp();
    tail / ((1.0 + tail) * (1.0 + tail))
}

fn sigmoid_taylor(x: f64) -> [f64; 4] {
    let tail = (-x.abs()).exp();
    let value = if x < 0.0 { tail / (1.0 + tail) } else { 1.0 / (1.0 + tail) };
    let (slope, half) = (sigmoid_slope(x), (x / 2.0).tanh());
    [value, slope, -0.5 * half * slope, slope * (1.0 - 6.0 * slope) / 6.0]
}

fn softplus_taylor(x: f64) -> [f64; 4] {
    let [value, slope, bend, _] = sigmoid_taylor(x);
    let height = if x.is_nan() { x } else { x.max(0.0) };
    [height + (-x.abs()).exp().ln_1p(), value, slope / 2.0, bend / 3.0]
}

/// x^n by squaring; exact derivatives at 0, where those of plain duals divide.
pub(crate) fn integer_power<S: Scalar>(x: S, n: i32) -> S {
    let mut rest = n.unsigned_abs();
    let mut square = x;
    let mut product = None;
    while rest > 0 {
        if rest & 1 == 1 {
            product = Some(product.map_or(square, |p: S| p * square));
        }
        rest >>= 1;
        if rest > 0 {
            square = square * square;
        }
    }
    match product {
        None => S::from(1.0),
        Some(power) if n < 0 => S::from(1.0) / power,
        Some(power) => power,
    }
}

/// x^p for a number p that is no small integer, x ≥ 0.
pub(crate) fn constant_power<S: Scalar>(x: S, p: f64) -> S {
    carried(x, |r| {
        // At 0 the value and every finite derivative are right: 0^q is 0, 1 or infinite there.
        let term = |k: i32, factor: f64| {
            if factor == 0.0 { 0.0 } else { factor * r.powf(p - f64::from(k)) }
        };
        [
            term(0, 1.0),
            term(1, p),
            term(2, p * (p - 1.0) / 2.0),
            term(3, p * (p - 1.0) * (p - 2.0) / 6.0),
        ]
    })
}

/// x^y = e^{y log x}, x > 0; not a number for negative x, whatever the exponent.
pub(crate) fn general_power<S: Scalar>(x: S, y: S) -> S {
    if S::NDERIV == 0 && !S::LONG {
        return if x.re() < 0.0 { S::from(f64::NAN) } else { S::from(x.re().powf(y.re())) };
    }
    (x.ln() * y).exp()
}

/// The angle of (x, y), turned to the axis first: the quotient y/x of plain duals fails at x = 0.
pub(crate) fn angle<S: Scalar>(y: S, x: S) -> S {
    let length = x.re().hypot(y.re());
    if S::NDERIV == 0 || length == 0.0 || !length.is_finite() {
        return y.atan2(x);
    }
    let (c, s) = (x.re() / length, y.re() / length);
    let turned = ((y * c - x * s) / (x * c + y * s)).atan();
    if S::LONG {
        return turned + S::from(s).atan2(S::from(c));
    }
    turned - turned.re() + y.re().atan2(x.re())
}

/// The smaller one; not a number where either is none.
pub(crate) fn smaller<S: Scalar>(a: S, b: S) -> S {
    if a.re() <= b.re() || a.re().is_nan() { a } else { b }
}

/// The larger one; not a number where either is none.
pub(crate) fn larger<S: Scalar>(a: S, b: S) -> S {
    if a.re() >= b.re() || a.re().is_nan() { a } else { b }
}
