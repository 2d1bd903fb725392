//! x86-64: AVX2 with FMA and F16C, and AVX-512.

use std::arch::x86_64::*;
use std::sync::LazyLock;

use half::f16;

use super::{ForEachIsa, Simd, vector_methods};
use crate::Isa;

/// Proof of [`Isa::Avx2`].
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, if the machine has the instructions.
    #[inline(always)]
    pub fn new() -> Option<Self> {
        // Asking for every feature anew would cost as much as a short kernel.
        static AVAILABLE: LazyLock<bool> = LazyLock::new(|| Isa::Avx2.is_available());
        AVAILABLE.then_some(Avx2(()))
    }
}

/// Proof of [`Isa::Avx512`].
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// The token, if the machine has the instructions.
    #[inline(always)]
    pub fn new() -> Option<Self> {
        // Asking for every feature anew would cost as much as a short kernel.
        static AVAILABLE: LazyLock<bool> = LazyLock::new(|| Isa::Avx512.is_available());
        AVAILABLE.then_some(Avx512(()))
    }
}

/// Lanes `0..n` set.
#[inline]
#[target_feature(enable = "avx2")]
fn first_lanes(n: usize) -> __m256i {
    let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), lane)
}

impl Simd for Avx2 {
    type F32 = __m256;
    type I32 = __m256i;
    type Mask = __m256;

    const LANES: usize = 8;
    const ISA: Isa = Isa::Avx2;
    const REGISTERS: usize = 16;
    const FUSED: bool = true;

    #[inline(always)]
    fn call<W: ForEachIsa>(self, work: W) -> W::Output {
        #[inline(never)]
        #[target_feature(enable = "avx2,fma,f16c")]
        fn inner<W: ForEachIsa>(s: Avx2, work: W) -> W::Output {
            work.run(s)
        }
        // SAFETY: a token exists only where the machine has the features.
        unsafe { inner(self, work) }
    }

    vector_methods! { "avx2,fma,f16c":
        fn splat(x: f32) -> __m256 { _mm256_set1_ps(x) }
        fn load(x: &[f32]) -> __m256 {
            let x = &x[..8];
            // SAFETY: `x` has 8 elements.
            unsafe { _mm256_loadu_ps(x.as_ptr()) }
        }
        fn store(v: __m256, to: &mut [f32]) {
            let to = &mut to[..8];
            // SAFETY: `to` has 8 elements.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), v) }
        }
        fn stream(v: __m256, to: &mut [f32]) {
            let to = &mut to[..8];
            if to.as_ptr().addr().is_multiple_of(32) {
                // SAFETY: `to` has 8 elements and is aligned to 32 bytes.
                unsafe { _mm256_stream_ps(to.as_mut_ptr(), v) }
            } else {
                // SAFETY: `to` has 8 elements.
                unsafe { _mm256_storeu_ps(to.as_mut_ptr(), v) }
            }
        }
        fn load_partial(x: &[f32]) -> __m256 {
            assert!(x.len() <= 8);
            let mask = first_lanes(x.len());
            // SAFETY: the mask covers as many lanes as `x` has elements; others are not read.
            unsafe { _mm256_maskload_ps(x.as_ptr(), mask) }
        }
        fn store_partial(v: __m256, to: &mut [f32]) {
            assert!(to.len() <= 8);
            let mask = first_lanes(to.len());
            // SAFETY: the mask covers as many lanes as `to` has elements; others are not written.
            unsafe { _mm256_maskstore_ps(to.as_mut_ptr(), mask, v) }
        }
        fn load_f16(x: &[f16]) -> __m256 {
            let x = &x[..8];
            // SAFETY: `x` has 8 elements of 2 bytes.
            let bits = unsafe { _mm_loadu_si128(x.as_ptr().cast()) };
            _mm256_cvtph_ps(bits)
        }
        fn store_f16(v: __m256, to: &mut [f16]) {
            let to = &mut to[..8];
            let bits = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(v);
            // SAFETY: `to` has 8 elements of 2 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), bits) }
        }

        fn add(a: __m256, b: __m256) -> __m256 { _mm256_add_ps(a, b) }
        fn sub(a: __m256, b: __m256) -> __m256 { _mm256_sub_ps(a, b) }
        fn mul(a: __m256, b: __m256) -> __m256 { _mm256_mul_ps(a, b) }
        fn div(a: __m256, b: __m256) -> __m256 { _mm256_div_ps(a, b) }
        fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fmadd_ps(a, b, c) }
        fn neg_mul_add(a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fnmadd_ps(a, b, c) }
        fn min_fast(a: __m256, b: __m256) -> __m256 { _mm256_min_ps(a, b) }
        fn max_fast(a: __m256, b: __m256) -> __m256 { _mm256_max_ps(a, b) }
        fn sqrt(a: __m256) -> __m256 { _mm256_sqrt_ps(a) }
        fn round_even(a: __m256) -> __m256 {
            _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
        }
        fn floor(a: __m256) -> __m256 { _mm256_floor_ps(a) }
        fn ceil(a: __m256) -> __m256 { _mm256_ceil_ps(a) }

        fn lt(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b) }
        fn le(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_LE_OQ>(a, b) }
        fn eq(a: __m256, b: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b) }
        fn select(mask: __m256, a: __m256, b: __m256) -> __m256 { _mm256_blendv_ps(b, a, mask) }
        fn and(a: __m256, b: __m256) -> __m256 { _mm256_and_ps(a, b) }
        fn or(a: __m256, b: __m256) -> __m256 { _mm256_or_ps(a, b) }
        fn not(a: __m256) -> __m256 {
            _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))
        }
        fn mask_bits(a: __m256) -> u32 { _mm256_movemask_ps(a).cast_unsigned() }
        fn reduce_add(a: __m256) -> f32 {
            let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)))
        }

        fn splat_i32(x: i32) -> __m256i { _mm256_set1_epi32(x) }
        fn load_i32(x: &[i32]) -> __m256i {
            let x = &x[..8];
            // SAFETY: `x` has 8 elements.
            unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
        }
        fn store_i32(v: __m256i, to: &mut [i32]) {
            let to = &mut to[..8];
            // SAFETY: `to` has 8 elements.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), v) }
        }
        fn load_u8(x: &[u8]) -> __m256i {
            let x = &x[..8];
            // SAFETY: `x` has 8 bytes.
            _mm256_cvtepu8_epi32(unsafe { _mm_loadl_epi64(x.as_ptr().cast()) })
        }
        fn store_u8(v: __m256i, to: &mut [u8]) {
            let to = &mut to[..8];
            let words = _mm256_and_si256(_mm256_packs_epi32(v, v), _mm256_set1_epi16(0xff));
            let bytes = _mm256_packus_epi16(words, words);
            // Each half of the vector has its four bytes in front.
            let bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_set1_epi64x(4 << 32));
            let bytes = _mm256_castsi256_si128(bytes);
            // SAFETY: `to` has 8 bytes.
            unsafe { _mm_storel_epi64(to.as_mut_ptr().cast(), bytes) }
        }
        fn store_u8x2(a: __m256i, b: __m256i, to: &mut [u8]) {
            let to = &mut to[..16];
            let words = _mm256_and_si256(_mm256_packs_epi32(a, b), _mm256_set1_epi16(0xff));
            let bytes = _mm256_packus_epi16(words, words);
            // Each half of the vector has four bytes of `a`, then four of `b` in front.
            let order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
            let bytes = _mm256_permutevar8x32_epi32(bytes, order);
            let bytes = _mm256_castsi256_si128(bytes);
            // SAFETY: `to` has 16 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), bytes) }
        }
        fn to_bits(a: __m256) -> __m256i { _mm256_castps_si256(a) }
        fn with_bits(a: __m256i) -> __m256 { _mm256_castsi256_ps(a) }
        fn to_i32(a: __m256) -> __m256i { _mm256_cvttps_epi32(a) }
        fn nearest_i32(a: __m256) -> __m256i { _mm256_cvtps_epi32(a) }
        fn to_f32(a: __m256i) -> __m256 { _mm256_cvtepi32_ps(a) }
        fn add_i32(a: __m256i, b: __m256i) -> __m256i { _mm256_add_epi32(a, b) }
        fn sub_i32(a: __m256i, b: __m256i) -> __m256i { _mm256_sub_epi32(a, b) }
        fn mul_i32(a: __m256i, b: __m256i) -> __m256i { _mm256_mullo_epi32(a, b) }
        fn and_i32(a: __m256i, b: __m256i) -> __m256i { _mm256_and_si256(a, b) }
        fn or_i32(a: __m256i, b: __m256i) -> __m256i { _mm256_or_si256(a, b) }
        fn xor_i32(a: __m256i, b: __m256i) -> __m256i { _mm256_xor_si256(a, b) }
        fn shl_i32<const N>(a: __m256i) -> __m256i {
            _mm256_sll_epi32(a, _mm_cvtsi32_si128(N as i32))
        }
        fn shr_i32<const N>(a: __m256i) -> __m256i {
            _mm256_sra_epi32(a, _mm_cvtsi32_si128(N as i32))
        }
        fn eq_i32(a: __m256i, b: __m256i) -> __m256 {
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b))
        }
        fn gt_i32(a: __m256i, b: __m256i) -> __m256 {
            _mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b))
        }

        fn zip(a: __m256, b: __m256) -> (__m256, __m256) {
            let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let lower = _mm256_permute2f128_ps::<0x20>(low, high);
            (lower, _mm256_permute2f128_ps::<0x31>(low, high))
        }
    }
}

impl Simd for Avx512 {
    type F32 = __m512;
    type I32 = __m512i;
    type Mask = __mmask16;

    const LANES: usize = 16;
    const ISA: Isa = Isa::Avx512;
    const REGISTERS: usize = 32;
    const FUSED: bool = true;

    #[inline(always)]
    fn call<W: ForEachIsa>(self, work: W) -> W::Output {
        #[inline(never)]
        #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
        fn inner<W: ForEachIsa>(s: Avx512, work: W) -> W::Output {
            work.run(s)
        }
        // SAFETY: a token exists only where the machine has the features.
        unsafe { inner(self, work) }
    }

    vector_methods! { "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq":
        fn splat(x: f32) -> __m512 { _mm512_set1_ps(x) }
        fn load(x: &[f32]) -> __m512 {
            let x = &x[..16];
            // SAFETY: `x` has 16 elements.
            unsafe { _mm512_loadu_ps(x.as_ptr()) }
        }
        fn store(v: __m512, to: &mut [f32]) {
            let to = &mut to[..16];
            // SAFETY: `to` has 16 elements.
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), v) }
        }
        fn stream(v: __m512, to: &mut [f32]) {
            let to = &mut to[..16];
            if to.as_ptr().addr().is_multiple_of(64) {
                // SAFETY: `to` has 16 elements and is aligned to 64 bytes.
                unsafe { _mm512_stream_ps(to.as_mut_ptr(), v) }
            } else {
                // SAFETY: `to` has 16 elements.
                unsafe { _mm512_storeu_ps(to.as_mut_ptr(), v) }
            }
        }
        fn load_partial(x: &[f32]) -> __m512 {
            assert!(x.len() <= 16);
            let mask = ((1u32 << x.len()) - 1) as __mmask16;
            // SAFETY: the mask covers as many lanes as `x` has elements; others are not read.
            unsafe { _mm512_maskz_loadu_ps(mask, x.as_ptr()) }
        }
        fn store_partial(v: __m512, to: &mut [f32]) {
            assert!(to.len() <= 16);
            let mask = ((1u32 << to.len()) - 1) as __mmask16;
            // SAFETY: the mask covers as many lanes as `to` has elements; others are not written.
            unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), mask, v) }
        }
        fn load_f16(x: &[f16]) -> __m512 {
            let x = &x[..16];
            // SAFETY: `x` has 16 elements of 2 bytes.
            let bits = unsafe { _mm256_loadu_si256(x.as_ptr().cast()) };
            _mm512_cvtph_ps(bits)
        }
        fn store_f16(v: __m512, to: &mut [f16]) {
            let to = &mut to[..16];
            let bits = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(v);
            // SAFETY: `to` has 16 elements of 2 bytes.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), bits) }
        }

        fn add(a: __m512, b: __m512) -> __m512 { _mm512_add_ps(a, b) }
        fn sub(a: __m512, b: __m512) -> __m512 { _mm512_sub_ps(a, b) }
        fn mul(a: __m512, b: __m512) -> __m512 { _mm512_mul_ps(a, b) }
        fn div(a: __m512, b: __m512) -> __m512 { _mm512_div_ps(a, b) }
        fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmadd_ps(a, b, c) }
        fn neg_mul_add(a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fnmadd_ps(a, b, c) }
        fn min_fast(a: __m512, b: __m512) -> __m512 { _mm512_min_ps(a, b) }
        fn max_fast(a: __m512, b: __m512) -> __m512 { _mm512_max_ps(a, b) }
        fn sqrt(a: __m512) -> __m512 { _mm512_sqrt_ps(a) }
        fn round_even(a: __m512) -> __m512 {
            _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
        }
        fn floor(a: __m512) -> __m512 {
            _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a)
        }
        fn ceil(a: __m512) -> __m512 {
            _mm512_roundscale_ps::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(a)
        }

        fn scale(a: __m512, n: __m512) -> __m512 { _mm512_scalef_ps(a, n) }
        fn scale_down(a: __m512, n: __m512) -> __m512 { _mm512_scalef_ps(a, n) }

        fn lt(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
        fn le(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b) }
        fn eq(a: __m512, b: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
        fn select(mask: __mmask16, a: __m512, b: __m512) -> __m512 {
            _mm512_mask_blend_ps(mask, b, a)
        }
        fn and(a: __mmask16, b: __mmask16) -> __mmask16 { a & b }
        fn or(a: __mmask16, b: __mmask16) -> __mmask16 { a | b }
        fn not(a: __mmask16) -> __mmask16 { !a }
        fn mask_bits(a: __mmask16) -> u32 { u32::from(a) }
        fn reduce_add(a: __m512) -> f32 {
            let a = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)))
        }

        fn splat_i32(x: i32) -> __m512i { _mm512_set1_epi32(x) }
        fn load_i32(x: &[i32]) -> __m512i {
            let x = &x[..16];
            // SAFETY: `x` has 16 elements.
            unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
        }
        fn store_i32(v: __m512i, to: &mut [i32]) {
            let to = &mut to[..16];
            // SAFETY: `to` has 16 elements.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), v) }
        }
        fn load_u8(x: &[u8]) -> __m512i {
            let x = &x[..16];
            // SAFETY: `x` has 16 bytes.
            _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(x.as_ptr().cast()) })
        }
        fn store_u8(v: __m512i, to: &mut [u8]) {
            let to = &mut to[..16];
            let bytes = _mm512_cvtepi32_epi8(v);
            // SAFETY: `to` has 16 bytes.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), bytes) }
        }
        fn store_u8x2(a: __m512i, b: __m512i, to: &mut [u8]) {
            let to = &mut to[..32];
            let words = _mm512_and_si512(_mm512_packs_epi32(a, b), _mm512_set1_epi16(0xff));
            let bytes = _mm512_packus_epi16(words, words);
            // Each quarter of the vector has four bytes of `a`, then four of `b` in front.
            let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 0, 4, 8, 12, 1, 5, 9, 13);
            let bytes = _mm512_castsi512_si256(_mm512_permutexvar_epi32(order, bytes));
            // SAFETY: `to` has 32 bytes.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), bytes) }
        }
        fn to_bits(a: __m512) -> __m512i { _mm512_castps_si512(a) }
        fn with_bits(a: __m512i) -> __m512 { _mm512_castsi512_ps(a) }
        fn to_i32(a: __m512) -> __m512i { _mm512_cvttps_epi32(a) }
        fn nearest_i32(a: __m512) -> __m512i { _mm512_cvtps_epi32(a) }
        fn to_f32(a: __m512i) -> __m512 { _mm512_cvtepi32_ps(a) }
        fn add_i32(a: __m512i, b: __m512i) -> __m512i { _mm512_add_epi32(a, b) }
        fn sub_i32(a: __m512i, b: __m512i) -> __m512i { _mm512_sub_epi32(a, b) }
        fn mul_i32(a: __m512i, b: __m512i) -> __m512i { _mm512_mullo_epi32(a, b) }
        fn and_i32(a: __m512i, b: __m512i) -> __m512i { _mm512_and_si512(a, b) }
        fn or_i32(a: __m512i, b: __m512i) -> __m512i { _mm512_or_si512(a, b) }
        fn xor_i32(a: __m512i, b: __m512i) -> __m512i { _mm512_xor_si512(a, b) }
        fn shl_i32<const N>(a: __m512i) -> __m512i { _mm512_slli_epi32::<N>(a) }
        fn shr_i32<const N>(a: __m512i) -> __m512i { _mm512_srai_epi32::<N>(a) }
        fn eq_i32(a: __m512i, b: __m512i) -> __mmask16 { _mm512_cmpeq_epi32_mask(a, b) }
        fn gt_i32(a: __m512i, b: __m512i) -> __mmask16 { _mm512_cmpgt_epi32_mask(a, b) }

        fn zip(a: __m512, b: __m512) -> (__m512, __m512) {
            let lower = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let upper = _mm512_add_epi32(lower, _mm512_set1_epi32(8));
            (_mm512_permutex2var_ps(a, lower, b), _mm512_permutex2var_ps(a, upper, b))
        }
    }
}
