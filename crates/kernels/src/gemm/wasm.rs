//! The f32 tiles of WebAssembly.

use std::arch::wasm32::*;

use super::lanes::Lanes;
use super::tile::{Call, body};

/// Vectors of 4 `f32`.
#[derive(Clone, Copy)]
struct Simd128;

impl Lanes for Simd128 {
    type V = v128;
    const N: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> v128 {
        f32x4_splat(x)
    }

    #[inline(always)]
    fn mul_add(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }

    #[inline(always)]
    fn at_least(self, x: v128, bound: v128) -> v128 {
        // `x < bound ? bound : x`: keeps a NaN in `x`, and is one instruction on every engine.
        f32x4_pmax(x, bound)
    }

    #[inline(always)]
    fn at_most(self, x: v128, bound: v128) -> v128 {
        f32x4_pmin(x, bound)
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> v128 {
        // SAFETY: the caller vouches for 4 elements.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: v128) {
        // SAFETY: the caller vouches for 4 elements.
        unsafe { v128_store(to.cast(), x) }
    }

    /// WebAssembly has no prefetch.
    #[inline(always)]
    fn prefetch(self, _at: *const f32) {}
}

/// # Safety
///
/// As for [`super::tile::Run`].
pub(super) unsafe fn f32_simd128<const MR: usize, const NV: usize, const VP: usize>(call: &Call) {
    // SAFETY: the caller's.
    unsafe { body::<Simd128, MR, NV, VP>(Simd128, call) }
}
