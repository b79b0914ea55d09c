//! Vectorised exponential, and its use: unnormalised posterior weights from log weights.

use super::simd::{Kernel, Level, Simd};

/// Below this the exponential is taken as 0: e^−708 is the last power before subnormal numbers.
pub const LEAST_EXPONENT: f64 = -708.0;

/// 1.5·2^52 + 1023: adding it rounds to an integer n, and leaves n + 1023, the exponent bits of 2^n, in the low bits.
const ROUND_TO_EXPONENT: f64 = 6_755_399_441_055_744.0 + 1023.0;

/// ln 2 in two parts; n times the first is exact for |n| < 2^20, with or without fused multiplication.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// (e^r − 1)/r on |r| ≤ 0.501·ln 2, Chebyshev-fitted in 40 digits: error below 2e−17. Highest power first.
const POLYNOMIAL: [f64; 11] = [
    2.5105312729622103e-8,
    2.7626495546432196e-7,
    2.755725517000089e-6,
    2.4801504014426906e-5,
    0.0001984126987500228,
    0.0013888888932751,
    0.008333333333326084,
    0.04166666666657239,
    0.1666666666666667,
    0.5000000000000006,
    1.0,
];

/// e^x for x ≤ 0, within 1 ulp; 0 below [`LEAST_EXPONENT`], NaN for NaN.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    let shifted = s.mul_add(x, s.splat(std::f64::consts::LOG2_E), s.splat(ROUND_TO_EXPONENT));
    let n = s.sub(shifted, s.splat(ROUND_TO_EXPONENT));
    let r = s.mul_add(n, s.splat(-LN_2_HIGH), x);
    let r = s.mul_add(n, s.splat(-LN_2_LOW), r);
    let mut p = s.splat(POLYNOMIAL[0]);
    for c in &POLYNOMIAL[1..] {
        p = s.mul_add(p, r, s.splat(*c));
    }
    let p = s.mul_add(p, r, s.splat(1.0));
    s.keep_from(x, LEAST_EXPONENT, s.mul(p, s.bits_to_exponent(shifted)))
}

/// x ← e^x for x ≤ 0: within 1 ulp, 0 below [`LEAST_EXPONENT`], NaN for NaN.
pub fn exponentials(level: Level, x: &mut [f64]) {
    struct Job<'a>(&'a mut [f64]);
    impl Kernel for Job<'_> {
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            let mut chunks = self.0.chunks_exact_mut(S::LANES);
            for chunk in &mut chunks {
                s.store(exp(s, s.load(chunk)), chunk);
            }
            let rest = chunks.into_remainder();
            let mut padded = [0.0; 8];
            padded[..rest.len()].copy_from_slice(rest);
            s.store(exp(s, s.load(&padded)), &mut padded);
            rest.copy_from_slice(&padded[..rest.len()]);
        }
    }
    level.run(Job(x));
}

/// x ← x + offset; returns the largest sum.
///
/// *Shapes*: lengths equal, multiples of eight.
#[inline(always)]
pub(super) fn add_and_largest<S: Simd>(s: S, x: &mut [f64], offset: &[f64]) -> f64 {
    let mut largest = s.splat(f64::NEG_INFINITY);
    for (x, offset) in x.chunks_exact_mut(S::LANES).zip(offset.chunks_exact(S::LANES)) {
        let sum = s.add(s.load(x), s.load(offset));
        largest = s.max(sum, largest);
        s.store(sum, x);
    }
    s.largest(largest)
}

/// x ← e^(x − largest); returns the sum.
///
/// *Shapes*: the length is a multiple of eight.
#[inline(always)]
pub(super) fn exponentials_and_sum<S: Simd>(s: S, x: &mut [f64], largest: f64) -> f64 {
    let top = s.splat(largest);
    let mut sum = s.splat(0.0);
    for x in x.chunks_exact_mut(S::LANES) {
        let power = exp(s, s.sub(s.load(x), top));
        sum = s.add(sum, power);
        s.store(power, x);
    }
    s.sum(sum)
}
