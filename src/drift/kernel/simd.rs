//! Vector arithmetic chosen at run time: the only `unsafe` code of the kernel.
//!
//! The binary is built for the baseline processor; each kernel is written once
//! over [`Simd`] and compiled for every instruction set below, and [`Level`]
//! says which one runs. A value that implements [`Simd`] is proof that the
//! processor has the instructions, so its methods are safe to call.

use std::ops::{Add, Mul, Sub};

/// An instruction set that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Plain Rust, on every processor.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// Every level that this processor can run, slowest first.
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut))]
        let mut levels = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Self(Kind::Avx2));
            if is_x86_feature_detected!("avx512f") {
                levels.push(Self(Kind::Avx512));
            }
        }
        levels
    }

    /// The fastest level that this processor can run.
    pub fn best() -> Self {
        *Self::available().last().expect("the portable level is always there")
    }

    /// Runs `kernel` compiled for this level.
    pub(super) fn run<K: Kernel>(self, kernel: K) {
        match self.0 {
            Kind::Portable => kernel.run(Portable),
            // SAFETY: such a Level is only made by `available`, after detection.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { run_avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { run_avx512(kernel) },
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

#[cfg(target_arch = "x86_64")]
use x86::{run_avx2, run_avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Simd};
    use std::arch::x86_64::*;

    /// Proof of AVX-512F, made only by [`run_avx512`].
    #[derive(Clone, Copy)]
    struct Avx512(());

    /// Proof of AVX2 and FMA, made only by [`run_avx2`].
    #[derive(Clone, Copy)]
    struct Avx2(());

    /// # Safety
    /// The processor has AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn run_avx2<K: Kernel>(kernel: K) {
        kernel.run(Avx2(()));
    }

    /// # Safety
    /// The processor has AVX-512F, AVX2 and FMA.
    #[target_feature(enable = "avx512f,avx2,fma")]
    pub(super) unsafe fn run_avx512<K: Kernel>(kernel: K) {
        kernel.run(Avx512(()));
    }

    /// Implements [`Simd`] by intrinsics.
    macro_rules! simd {
        ($token:ty, $vector:ty, $lanes:literal, $columns:literal,
         $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident,
         $mul_add:ident, $max:ident, $keep:ident, $any:ident, $shift:ident,
         $sum:ident, $largest:ident) => {
            // SAFETY, for every block: `self` proves that the processor has the
            // instructions; loads and stores go through references to whole arrays,
            // and need no alignment.
            impl Simd for $token {
                type V = $vector;
                const LANES: usize = $lanes;
                const COLUMNS: usize = $columns;

                #[inline(always)]
                fn splat(self, x: f64) -> Self::V {
                    unsafe { $splat(x) }
                }
                #[inline(always)]
                fn load(self, from: &[f64]) -> Self::V {
                    let from: &[f64] = &from[..$lanes];
                    unsafe { $load(from.as_ptr()) }
                }
                #[inline(always)]
                fn store(self, v: Self::V, to: &mut [f64]) {
                    let to: &mut [f64] = &mut to[..$lanes];
                    unsafe { $store(to.as_mut_ptr(), v) }
                }
                #[inline(always)]
                fn add(self, a: Self::V, b: Self::V) -> Self::V {
                    unsafe { $add(a, b) }
                }
                #[inline(always)]
                fn sub(self, a: Self::V, b: Self::V) -> Self::V {
                    unsafe { $sub(a, b) }
                }
                #[inline(always)]
                fn mul(self, a: Self::V, b: Self::V) -> Self::V {
                    unsafe { $mul(a, b) }
                }
                #[inline(always)]
                fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
                    unsafe { $mul_add(a, b, c) }
                }
                #[inline(always)]
                fn max(self, a: Self::V, b: Self::V) -> Self::V {
                    unsafe { $max(a, b) }
                }
                #[inline(always)]
                fn keep_from(self, x: Self::V, bound: f64, v: Self::V) -> Self::V {
                    unsafe { $keep(x, $splat(bound), v) }
                }
                #[inline(always)]
                fn any_from(self, x: Self::V, bound: f64) -> bool {
                    unsafe { $any(x, $splat(bound)) }
                }
                #[inline(always)]
                fn bits_to_exponent(self, v: Self::V) -> Self::V {
                    unsafe { $shift(v) }
                }
                #[inline(always)]
                fn sum(self, v: Self::V) -> f64 {
                    unsafe { $sum(v) }
                }
                #[inline(always)]
                fn largest(self, v: Self::V) -> f64 {
                    unsafe { $largest(v) }
                }
            }
        };
    }

    simd!(
        Avx512,
        __m512d,
        8,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_add_pd,
        _mm512_sub_pd,
        _mm512_mul_pd,
        _mm512_fmadd_pd,
        _mm512_max_pd,
        keep_512,
        any_512,
        shift_512,
        _mm512_reduce_add_pd,
        _mm512_reduce_max_pd
    );
    simd!(
        Avx2,
        __m256d,
        4,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_add_pd,
        _mm256_sub_pd,
        _mm256_mul_pd,
        _mm256_fmadd_pd,
        _mm256_max_pd,
        keep_256,
        any_256,
        shift_256,
        sum_256,
        largest_256
    );

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn keep_512(x: __m512d, bound: __m512d, v: __m512d) -> __m512d {
        _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_NLT_UQ>(x, bound), v)
    }
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn any_512(x: __m512d, bound: __m512d) -> bool {
        _mm512_cmp_pd_mask::<_CMP_NLT_UQ>(x, bound) != 0
    }
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn shift_512(v: __m512d) -> __m512d {
        _mm512_castsi512_pd(_mm512_slli_epi64::<52>(_mm512_castpd_si512(v)))
    }
    #[inline]
    #[target_feature(enable = "avx2")]
    fn keep_256(x: __m256d, bound: __m256d, v: __m256d) -> __m256d {
        _mm256_and_pd(_mm256_cmp_pd::<_CMP_NLT_UQ>(x, bound), v)
    }
    #[inline]
    #[target_feature(enable = "avx2")]
    fn any_256(x: __m256d, bound: __m256d) -> bool {
        _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_NLT_UQ>(x, bound)) != 0
    }
    #[inline]
    #[target_feature(enable = "avx2")]
    fn shift_256(v: __m256d) -> __m256d {
        _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(v)))
    }
    #[inline]
    #[target_feature(enable = "avx2")]
    fn sum_256(v: __m256d) -> f64 {
        let pair = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
        _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)))
    }
    #[inline]
    #[target_feature(enable = "avx2")]
    fn largest_256(v: __m256d) -> f64 {
        let pair = _mm_max_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
        _mm_cvtsd_f64(_mm_max_sd(pair, _mm_unpackhi_pd(pair, pair)))
    }
}
