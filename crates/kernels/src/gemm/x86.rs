//! The f32 tiles of x86-64.

use std::arch::x86_64::*;

use super::lanes::Lanes;
use super::tile::{Call, body};

/// Vectors of 16 `f32`.
#[derive(Clone, Copy)]
struct Avx512(());

impl Lanes for Avx512 {
    type V = __m512;
    const N: usize = 16;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: `self` exists only in functions that are compiled for AVX-512.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: as for `splat`.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn at_least(self, x: __m512, bound: __m512) -> __m512 {
        // The instruction returns its second operand when one is NaN.
        // SAFETY: as for `splat`.
        unsafe { _mm512_max_ps(bound, x) }
    }

    #[inline(always)]
    fn at_most(self, x: __m512, bound: __m512) -> __m512 {
        // SAFETY: as for `splat`.
        unsafe { _mm512_min_ps(bound, x) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: the caller vouches for 16 elements.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: __m512) {
        // SAFETY: the caller vouches for 16 elements.
        unsafe { _mm512_storeu_ps(to, x) }
    }

    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a prefetch of any address is harmless.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
}

/// # Safety
///
/// The machine has AVX-512 F; the rest as for [`super::tile::Run`].
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,fma,avx2")]
pub(super) unsafe fn f32_avx512<const MR: usize, const NV: usize, const VP: usize>(call: &Call) {
    // SAFETY: the caller's.
    unsafe { body::<Avx512, MR, NV, VP>(Avx512(()), call) }
}

/// Vectors of 8 `f32`.
#[derive(Clone, Copy)]
struct Avx2(());

impl Lanes for Avx2 {
    type V = __m256;
    const N: usize = 8;

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: `self` exists only in functions that are compiled for AVX2 and FMA.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: as for `splat`.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn at_least(self, x: __m256, bound: __m256) -> __m256 {
        // The instruction returns its second operand when one is NaN.
        // SAFETY: as for `splat`.
        unsafe { _mm256_max_ps(bound, x) }
    }

    #[inline(always)]
    fn at_most(self, x: __m256, bound: __m256) -> __m256 {
        // SAFETY: as for `splat`.
        unsafe { _mm256_min_ps(bound, x) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: the caller vouches for 8 elements.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: __m256) {
        // SAFETY: the caller vouches for 8 elements.
        unsafe { _mm256_storeu_ps(to, x) }
    }

    #[inline(always)]
    fn prefetch(self, at: *const f32) {
        // SAFETY: a prefetch of any address is harmless.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
}

/// # Safety
///
/// The machine has AVX2 and FMA; the rest as for [`super::tile::Run`].
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn f32_avx2<const MR: usize, const NV: usize, const VP: usize>(call: &Call) {
    // SAFETY: the caller's.
    unsafe { body::<Avx2, MR, NV, VP>(Avx2(()), call) }
}
