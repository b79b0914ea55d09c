//! AVX2 and AVX-512 by intrinsics: all `unsafe` code of the kernel.

use super::{Kernel, Simd};
use std::arch::x86_64::*;

/// Proof that the processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx2(());

/// Proof that the processor has AVX-512F, AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx512(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    pub(super) fn run<K: Kernel>(self, kernel: K) {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel>(kernel: K, found: Avx2) {
            kernel.run(found);
        }
        // SAFETY: `self` was made by `detect`.
        unsafe { compiled(kernel, self) }
    }
}

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        (Avx2::detect().is_some() && is_x86_feature_detected!("avx512f")).then_some(Self(()))
    }

    pub(super) fn run<K: Kernel>(self, kernel: K) {
        #[target_feature(enable = "avx512f,avx2,fma")]
        fn compiled<K: Kernel>(kernel: K, found: Avx512) {
            kernel.run(found);
        }
        // SAFETY: `self` was made by `detect`.
        unsafe { compiled(kernel, self) }
    }
}

/// Implements [`Simd`] by intrinsics.
macro_rules! simd {
    ($token:ty, $vector:ty, $lanes:literal, $registers:literal, $columns:literal,
     $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident,
     $mul_add:ident, $max:ident, $keep:ident, $any:ident, $shift:ident,
     $sum:ident, $sums:ident, $largest:ident) => {
        // SAFETY, for every block: `self` proves that the processor has the
        // instructions; loads and stores go through references to whole arrays,
        // and need no alignment.
        impl Simd for $token {
            type V = $vector;
            const LANES: usize = $lanes;
            const REGISTERS: usize = $registers;
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
            fn sums(self, v: [Self::V; 4]) -> [f64; 4] {
                unsafe { $sums(v) }
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
    32,
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
    sum_512,
    sums_512,
    _mm512_reduce_max_pd
);
simd!(
    Avx2,
    __m256d,
    4,
    16,
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
    sums_256,
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
/// The halves, then their halves, then the pair.
#[inline]
#[target_feature(enable = "avx512f,avx2")]
fn sum_512(v: __m512d) -> f64 {
    sum_256(_mm256_add_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd::<1>(v)))
}
#[inline]
#[target_feature(enable = "avx512f,avx2")]
fn sums_512(v: [__m512d; 4]) -> [f64; 4] {
    let halves = |a, b| {
        let low = _mm512_shuffle_f64x2::<0b01_00_01_00>(a, b);
        _mm512_add_pd(low, _mm512_shuffle_f64x2::<0b11_10_11_10>(a, b))
    };
    let (ac, bd) = (halves(v[0], v[2]), halves(v[1], v[3]));
    let low = _mm512_shuffle_f64x2::<0b10_00_10_00>(ac, bd);
    let pairs = _mm512_add_pd(low, _mm512_shuffle_f64x2::<0b11_01_11_01>(ac, bd));
    let (ac, bd) = (_mm512_castpd512_pd256(pairs), _mm512_extractf64x4_pd::<1>(pairs));
    array_256(_mm256_add_pd(_mm256_unpacklo_pd(ac, bd), _mm256_unpackhi_pd(ac, bd)))
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
fn sums_256(v: [__m256d; 4]) -> [f64; 4] {
    let halves = |a, b| {
        let low = _mm256_permute2f128_pd::<0x20>(a, b);
        _mm256_add_pd(low, _mm256_permute2f128_pd::<0x31>(a, b))
    };
    let (ac, bd) = (halves(v[0], v[2]), halves(v[1], v[3]));
    array_256(_mm256_add_pd(_mm256_unpacklo_pd(ac, bd), _mm256_unpackhi_pd(ac, bd)))
}
#[inline]
#[target_feature(enable = "avx2")]
fn array_256(v: __m256d) -> [f64; 4] {
    let mut array = [0.0; 4];
    // SAFETY: the array holds four numbers.
    unsafe { _mm256_storeu_pd(array.as_mut_ptr(), v) };
    array
}
#[inline]
#[target_feature(enable = "avx2")]
fn largest_256(v: __m256d) -> f64 {
    let pair = _mm_max_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v));
    _mm_cvtsd_f64(_mm_max_sd(pair, _mm_unpackhi_pd(pair, pair)))
}
