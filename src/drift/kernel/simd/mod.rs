//! Vector arithmetic chosen at run time. The only `unsafe` code is in `x86`.
//!
//! The binary is built for the baseline processor; each kernel is written once
//! over [`Simd`] and compiled for every instruction set below, and [`Level`]
//! says which one runs. A value that implements [`Simd`] is proof that the
//! processor has the instructions, so its methods are safe to call.

#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::{Add, Mul, Sub};

/// An instruction set that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

impl Level {
    /// Plain Rust, on every processor.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// Every level that this processor can run, slowest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut))]
        let mut levels = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(x86::Avx2::detect().map(|found| Self(Kind::Avx2(found))));
            levels.extend(x86::Avx512::detect().map(|found| Self(Kind::Avx512(found))));
        }
        levels
    }

    /// The fastest level that this processor can run.
    pub fn best() -> Self {
        *Self::available().last().expect("the portable level is always there")
    }

    /// Its common name, in lower case.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "avx512",
        }
    }

    /// Runs `kernel` compiled for this level.
    pub(super) fn run<K: Kernel>(self, kernel: K) {
        match self.0 {
            Kind::Portable => kernel.run(Portable),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(found) => found.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(found) => found.run(kernel),
        }
    }
}

/// A computation that can be compiled for each level. `run` must be `#[inline(always)]`, or
/// the vector instructions stay calls.
pub(super) trait Kernel {
    fn run<S: Simd>(self, s: S);
}

/// Operations on vectors of `LANES` numbers.
pub(super) trait Simd: Copy {
    /// A vector.
    type V: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Vectors that fit the registers.
    const REGISTERS: usize;
    /// Columns of the widest product tile that fits the registers, three vectors high.
    const COLUMNS: usize;

    fn splat(self, x: f64) -> Self::V;
    /// The first `LANES` numbers of `from`.
    fn load(self, from: &[f64]) -> Self::V;
    fn store(self, v: Self::V, to: &mut [f64]);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a·b + c, in one rounding where the processor has it.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger of each pair; `b` where either is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// `v` where `x` ≥ `bound` or is NaN, 0 elsewhere.
    fn keep_from(self, x: Self::V, bound: f64, v: Self::V) -> Self::V;
    /// True when some lane of `x` is ≥ `bound` or NaN.
    fn any_from(self, x: Self::V, bound: f64) -> bool;
    /// The numbers whose bits are those of `v` shifted left by 52: mantissa into exponent.
    fn bits_to_exponent(self, v: Self::V) -> Self::V;
    /// The sum of the lanes, in a fixed order.
    fn sum(self, v: Self::V) -> f64;
    /// [`Simd::sum`] of each, bit for bit.
    #[inline(always)]
    fn sums(self, v: [Self::V; 4]) -> [f64; 4] {
        v.map(|v| self.sum(v))
    }
    /// The largest lane.
    fn largest(self, v: Self::V) -> f64;
}

/// Plain arrays; the compiler turns them into whatever the build's target has.
#[derive(Clone, Copy)]
pub(super) struct Portable;

const PORTABLE_LANES: usize = 4;

#[inline(always)]
fn each(
    a: [f64; PORTABLE_LANES],
    b: [f64; PORTABLE_LANES],
    op: impl Fn(f64, f64) -> f64,
) -> [f64; PORTABLE_LANES] {
    [op(a[0], b[0]), op(a[1], b[1]), op(a[2], b[2]), op(a[3], b[3])]
}

impl Simd for Portable {
    type V = [f64; PORTABLE_LANES];
    const LANES: usize = PORTABLE_LANES;
    const REGISTERS: usize = 8; // 16 of two numbers each.
    const COLUMNS: usize = 1; // 16 registers of two numbers: six for a tile of 12 rows, six for the centres.

    #[inline(always)]
    fn splat(self, x: f64) -> Self::V {
        [x; PORTABLE_LANES]
    }
    #[inline(always)]
    fn load(self, from: &[f64]) -> Self::V {
        [from[0], from[1], from[2], from[3]]
    }
    #[inline(always)]
    fn store(self, v: Self::V, to: &mut [f64]) {
        to[..PORTABLE_LANES].copy_from_slice(&v);
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, Add::add)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, Sub::sub)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, Mul::mul)
    }
    #[inline(always)]
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        each(each(a, b, Mul::mul), c, Add::add) // `f64::mul_add` is a slow library call without the instruction.
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        each(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn keep_from(self, x: Self::V, bound: f64, v: Self::V) -> Self::V {
        each(x, v, |x, v| if x < bound { 0.0 } else { v })
    }
    #[inline(always)]
    fn any_from(self, x: Self::V, bound: f64) -> bool {
        !(x[0] < bound && x[1] < bound && x[2] < bound && x[3] < bound)
    }
    #[inline(always)]
    fn bits_to_exponent(self, v: Self::V) -> Self::V {
        v.map(|x| f64::from_bits(x.to_bits() << 52))
    }
    #[inline(always)]
    fn sum(self, v: Self::V) -> f64 {
        (v[0] + v[2]) + (v[1] + v[3])
    }
    #[inline(always)]
    fn largest(self, v: Self::V) -> f64 {
        let pairs = self.max(v, [v[2], v[3], v[0], v[1]]);
        if pairs[0] > pairs[1] { pairs[0] } else { pairs[1] }
    }
}
