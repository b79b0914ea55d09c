//! Steps over registers, run on any carrier.

use super::function::{self, Function};
use super::syntax::Comparison;
use crate::scalar::Scalar;

/// A register by its number.
pub(crate) type Register = u32;

/// One operation. Numbers stand in the steps: a product with a number is cheaper than one of two duals.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Load(f64),
    Copy(Register),
    Add(Register, Register),
    Sub(Register, Register),
    Mul(Register, Register),
    Div(Register, Register),
    Neg(Register),
    /// a + number.
    Shift(Register, f64),
    /// number − a.
    From(Register, f64),
    /// number · a.
    Scale(Register, f64),
    /// a/number.
    Shrink(Register, f64),
    /// number/a.
    Over(Register, f64),
    /// a·b + c.
    MulAdd(Register, Register, Register),
    /// a·b − c.
    MulSub(Register, Register, Register),
    /// c − a·b.
    SubMul(Register, Register, Register),
    /// number · a + c.
    ScaleAdd(Register, f64, Register),
    /// number · (a − b).
    ScaleSub(Register, f64, Register),
    Square(Register),
    Integer(Register, i32),
    PowerNumber(Register, f64),
    Power(Register, Register),
    Min(Register, Register),
    Max(Register, Register),
    Angle(Register, Register),
    Apply(Function, Register),
    Choose(Comparison, [Register; 4]),
}

/// An operation, and the register of its result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub into: Register,
    pub operation: Operation,
}

/// The registers that formulas of one carrier run in; grown when needed, and reused from call to call.
#[derive(Clone, Debug)]
pub struct Workspace<S> {
    registers: Vec<S>,
}

impl<S> Default for Workspace<S> {
    fn default() -> Self {
        Self { registers: Vec::new() }
    }
}

impl<S: Scalar> Workspace<S> {
    /// At least that many registers.
    #[inline(always)]
    pub(super) fn registers(&mut self, registers: usize) -> &mut [S] {
        if self.registers.len() < registers {
            self.grow(registers);
        }
        &mut self.registers
    }

    #[cold]
    fn grow(&mut self, registers: usize) {
        self.registers.resize(registers, S::from(0.0));
    }
}

impl Operation {
    /// Passes the result on, with the registers to write it to: arithmetic in place; the rest by a call, which keeps
    /// the loop around this small.
    #[inline(always)]
    pub(crate) fn run<S: Scalar>(&self, w: &mut [S], result: impl FnOnce(&mut [S], S)) {
        macro_rules! at {
            ($register:expr) => {
                w[$register as usize]
            };
        }
        macro_rules! put {
            ($value:expr) => {{
                let value = $value;
                result(w, value)
            }};
        }
        match *self {
            Self::Add(a, b) => put!(at!(a) + at!(b)),
            Self::Sub(a, b) => put!(at!(a) - at!(b)),
            Self::Mul(a, b) => put!(at!(a) * at!(b)),
            Self::Div(a, b) => put!(at!(a) / at!(b)),
            Self::Shift(a, number) => put!(at!(a) + number),
            Self::From(a, number) => put!(-at!(a) + number),
            Self::Scale(a, number) => put!(at!(a) * number),
            Self::Shrink(a, number) => put!(at!(a) / number),
            Self::MulAdd(a, b, c) => put!(at!(a) * at!(b) + at!(c)),
            Self::MulSub(a, b, c) => put!(at!(a) * at!(b) - at!(c)),
            Self::SubMul(a, b, c) => put!(at!(c) - at!(a) * at!(b)),
            Self::ScaleAdd(a, number, c) => put!(at!(a) * number + at!(c)),
            Self::ScaleSub(a, number, b) => put!((at!(a) - at!(b)) * number),
            Self::Square(a) => put!(at!(a) * at!(a)),
            // Listed one by one: a jump without a check that the operation is in the table.
            Self::Load(..)
            | Self::Copy(..)
            | Self::Neg(..)
            | Self::Over(..)
            | Self::Integer(..)
            | Self::PowerNumber(..)
            | Self::Power(..)
            | Self::Min(..)
            | Self::Max(..)
            | Self::Angle(..)
            | Self::Apply(..)
            | Self::Choose(..) => put!(self.of(w)),
        }
    }

    /// The functions, and what else takes longer than a call.
    #[inline(never)]
    fn of<S: Scalar>(self, w: &[S]) -> S {
        let at = |register: Register| w[register as usize];
        match self {
            Self::Load(number) => S::from(number),
            Self::Copy(a) => at(a),
            Self::Neg(a) => -at(a),
            Self::Over(a, number) => S::from(number) / at(a),
            Self::Integer(a, n) => function::integer_power(at(a), n),
            Self::PowerNumber(a, p) => function::constant_power(at(a), p),
            Self::Power(a, b) => function::general_power(at(a), at(b)),
            Self::Min(a, b) => function::smaller(at(a), at(b)),
            Self::Max(a, b) => function::larger(at(a), at(b)),
            Self::Angle(y, x) => function::angle(at(y), at(x)),
            Self::Apply(function, a) => function.apply(at(a)),
            Self::Choose(comparison, [a, b, then, otherwise]) => {
                // The one place where a formula branches on a value; unknown is not "otherwise".
                let (a, b) = (at(a).re(), at(b).re());
                if a.is_nan() || b.is_nan() {
                    S::from(f64::NAN)
                } else if comparison.holds(a, b) {
                    at(then)
                } else {
                    at(otherwise)
                }
            }
            _ => unreachable!("arithmetic is done in place"),
        }
    }
}
