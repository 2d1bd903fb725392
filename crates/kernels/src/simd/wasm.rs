//! WebAssembly with 128-bit SIMD.

use std::arch::wasm32::*;

use half::f16;

use super::{ForEachIsa, Simd, vector_methods};
use crate::Isa;

/// Proof of [`Isa::Simd128`]: the type exists only in modules built with the feature.
#[derive(Clone, Copy, Debug)]
pub struct Simd128;

impl Simd for Simd128 {
    type F32 = v128;
    type I32 = v128;
    type Mask = v128;

    const LANES: usize = 4;
    const ISA: Isa = Isa::Simd128;
    // Some of an x86's sixteen are the browser's own, and its compiler moves values more than others do.
    const REGISTERS: usize = 12;
    const FUSED: bool = false;

    #[inline(always)]
    fn call<W: ForEachIsa>(self, work: W) -> W::Output {
        #[inline(never)]
        fn inner<W: ForEachIsa>(work: W) -> W::Output {
            work.run(Simd128)
        }
        inner(work)
    }

    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> v128 {
        let mut lanes = [0.0; 4];
        lanes[..x.len()].copy_from_slice(x);
        self.load(&lanes)
    }
    #[inline(always)]
    fn store_partial(self, v: v128, to: &mut [f32]) {
        let mut lanes = [0.0; 4];
        self.store(v, &mut lanes);
        to.copy_from_slice(&lanes[..to.len()]);
    }

    // Relaxed products may be rounded once or twice, as the machine likes: hence not `FUSED`.
    #[cfg(target_feature = "relaxed-simd")]
    vector_methods! { "simd128,relaxed-simd":
        fn mul_add(a: v128, b: v128, c: v128) -> v128 { f32x4_relaxed_madd(a, b, c) }
        fn neg_mul_add(a: v128, b: v128, c: v128) -> v128 { f32x4_relaxed_nmadd(a, b, c) }
        // LLVM 22 turns `pmin` into what may lose NaN (llvm-project#177968), so that is put back.
        fn min_fast(a: v128, b: v128) -> v128 { v128_or(f32x4_relaxed_min(a, b), f32x4_ne(b, b)) }
        fn max_fast(a: v128, b: v128) -> v128 { v128_or(f32x4_relaxed_max(a, b), f32x4_ne(b, b)) }
        fn max_number(a: v128, b: v128) -> v128 { f32x4_relaxed_max(a, b) }
        fn clamp(x: v128, low: v128, high: v128) -> v128 {
            v128_or(f32x4_relaxed_min(high, f32x4_relaxed_max(low, x)), f32x4_ne(x, x))
        }
    }

    #[cfg(not(target_feature = "relaxed-simd"))]
    vector_methods! { "simd128":
        fn mul_add(a: v128, b: v128, c: v128) -> v128 { f32x4_add(f32x4_mul(a, b), c) }
        fn neg_mul_add(a: v128, b: v128, c: v128) -> v128 { f32x4_sub(c, f32x4_mul(a, b)) }
        // `pmin(b, a)` is `a < b ? a : b`.
        fn min_fast(a: v128, b: v128) -> v128 { f32x4_pmin(b, a) }
        fn max_fast(a: v128, b: v128) -> v128 { f32x4_pmax(b, a) }
    }

    vector_methods! { "simd128":
        fn splat(x: f32) -> v128 { f32x4_splat(x) }
        fn load(x: &[f32]) -> v128 {
            let x = &x[..4];
            // SAFETY: `x` has 4 elements.
            unsafe { v128_load(x.as_ptr().cast()) }
        }
        fn store(v: v128, to: &mut [f32]) {
            let to = &mut to[..4];
            // SAFETY: `to` has 4 elements.
            unsafe { v128_store(to.as_mut_ptr().cast(), v) }
        }
        fn load_f16(x: &[f16]) -> v128 {
            let x = &x[..4];
            // SAFETY: `x` has 4 elements of 2 bytes.
            let bits = unsafe { v128_load64_zero(x.as_ptr().cast()) };
            let bits = u32x4_extend_low_u16x8(bits);
            let sign = u32x4_shl(v128_and(bits, u32x4_splat(0x8000)), 16);
            // Exponent and mantissa in place, scaled by 2^(127 - 15) to move the bias: a product
            // that is exact, for subnormals too.
            let magnitude = u32x4_shl(v128_and(bits, u32x4_splat(0x7fff)), 13);
            let scaled = f32x4_mul(magnitude, u32x4_splat((254 - 15) << 23));
            let special = u32x4_ge(magnitude, u32x4_splat(0x7c00 << 13));
            let wide = v128_or(scaled, v128_and(special, u32x4_splat(0xff << 23)));
            v128_or(wide, sign)
        }
        fn store_f16(v: v128, to: &mut [f16]) {
            let to = &mut to[..4];
            let sign = u32x4_shr(v128_and(v, u32x4_splat(1 << 31)), 16);
            let magnitude = v128_and(v, u32x4_splat(0x7fff_ffff));
            // Normal results: the bias is moved, and the 13 bits that go are rounded to even.
            let odd = v128_and(u32x4_shr(magnitude, 13), u32x4_splat(1));
            let rounded = u32x4_add(u32x4_add(magnitude, u32x4_splat(0xfff)), odd);
            let normal = u32x4_shr(u32x4_sub(rounded, u32x4_splat((127 - 15) << 23)), 13);
            // Subnormal results: adding 1/2 leaves the last place of the sum at 2^-24.
            let half = f32x4_splat(0.5);
            let subnormal = u32x4_sub(f32x4_add(magnitude, half), half);
            let small = u32x4_lt(magnitude, u32x4_splat((127 - 14) << 23));
            let finite = v128_bitselect(subnormal, normal, small);
            // 65520 is halfway between the greatest finite value and the next.
            let overflow = u32x4_ge(magnitude, f32x4_splat(65520.0));
            let wide = v128_bitselect(u32x4_splat(0x7c00), finite, overflow);
            let nan = u32x4_gt(magnitude, u32x4_splat(0xff << 23));
            let wide = v128_bitselect(u32x4_splat(0x7e00), wide, nan);
            let bits = v128_or(wide, sign);
            let bits = u16x8_narrow_i32x4(bits, bits);
            // SAFETY: `to` has 4 elements of 2 bytes.
            unsafe { v128_store64_lane::<0>(bits, to.as_mut_ptr().cast()) }
        }

        fn add(a: v128, b: v128) -> v128 { f32x4_add(a, b) }
        fn sub(a: v128, b: v128) -> v128 { f32x4_sub(a, b) }
        fn mul(a: v128, b: v128) -> v128 { f32x4_mul(a, b) }
        fn div(a: v128, b: v128) -> v128 { f32x4_div(a, b) }
        fn min(a: v128, b: v128) -> v128 { f32x4_min(a, b) }
        fn max(a: v128, b: v128) -> v128 { f32x4_max(a, b) }
        fn sqrt(a: v128) -> v128 { f32x4_sqrt(a) }
        fn round_even(a: v128) -> v128 { f32x4_nearest(a) }
        fn floor(a: v128) -> v128 { f32x4_floor(a) }
        fn ceil(a: v128) -> v128 { f32x4_ceil(a) }
        fn abs(a: v128) -> v128 { f32x4_abs(a) }
        fn neg(a: v128) -> v128 { f32x4_neg(a) }

        fn lt(a: v128, b: v128) -> v128 { f32x4_lt(a, b) }
        fn le(a: v128, b: v128) -> v128 { f32x4_le(a, b) }
        fn eq(a: v128, b: v128) -> v128 { f32x4_eq(a, b) }
        fn select(mask: v128, a: v128, b: v128) -> v128 { v128_bitselect(a, b, mask) }
        fn and(a: v128, b: v128) -> v128 { v128_and(a, b) }
        fn or(a: v128, b: v128) -> v128 { v128_or(a, b) }
        fn not(a: v128) -> v128 { v128_not(a) }
        fn mask_bits(a: v128) -> u32 { u32::from(i32x4_bitmask(a)) }

        fn splat_i32(x: i32) -> v128 { i32x4_splat(x) }
        fn load_i32(x: &[i32]) -> v128 {
            let x = &x[..4];
            // SAFETY: `x` has 4 elements.
            unsafe { v128_load(x.as_ptr().cast()) }
        }
        fn store_i32(v: v128, to: &mut [i32]) {
            let to = &mut to[..4];
            // SAFETY: `to` has 4 elements.
            unsafe { v128_store(to.as_mut_ptr().cast(), v) }
        }
        fn load_u8(x: &[u8]) -> v128 {
            let bytes = u32::from_le_bytes([x[0], x[1], x[2], x[3]]);
            let words = u16x8_extend_low_u8x16(u32x4(bytes, 0, 0, 0));
            u32x4_extend_low_u16x8(words)
        }
        fn store_u8(v: v128, to: &mut [u8]) {
            let words = v128_and(i16x8_narrow_i32x4(v, v), u16x8_splat(0xff));
            let bytes = i32x4_extract_lane::<0>(u8x16_narrow_i16x8(words, words));
            to[..4].copy_from_slice(&bytes.to_le_bytes());
        }
        fn to_bits(a: v128) -> v128 { a }
        fn with_bits(a: v128) -> v128 { a }
        fn to_i32(a: v128) -> v128 { i32x4_trunc_sat_f32x4(a) }
        fn to_f32(a: v128) -> v128 { f32x4_convert_i32x4(a) }
        fn add_i32(a: v128, b: v128) -> v128 { i32x4_add(a, b) }
        fn sub_i32(a: v128, b: v128) -> v128 { i32x4_sub(a, b) }
        fn mul_i32(a: v128, b: v128) -> v128 { i32x4_mul(a, b) }
        fn and_i32(a: v128, b: v128) -> v128 { v128_and(a, b) }
        fn or_i32(a: v128, b: v128) -> v128 { v128_or(a, b) }
        fn xor_i32(a: v128, b: v128) -> v128 { v128_xor(a, b) }
        fn shl_i32<const N>(a: v128) -> v128 { i32x4_shl(a, N) }
        fn shr_i32<const N>(a: v128) -> v128 { i32x4_shr(a, N) }
        fn eq_i32(a: v128, b: v128) -> v128 { i32x4_eq(a, b) }
        fn gt_i32(a: v128, b: v128) -> v128 { i32x4_gt(a, b) }

        fn zip(a: v128, b: v128) -> (v128, v128) {
            (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b))
        }
    }
}
