//! The f32 tiles of 64-bit Arm.

use std::arch::aarch64::*;

use super::lanes::Lanes;
use super::tile::{Call, body};

/// Vectors of 4 `f32`.
#[derive(Clone, Copy)]
struct Neon(());

impl Lanes for Neon {
    type V = float32x4_t;
    const N: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        // SAFETY: `self` exists only in functions that are compiled for NEON.
        unsafe { vdupq_n_f32(x) }
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: as for `splat`.
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    fn at_least(self, x: float32x4_t, bound: float32x4_t) -> float32x4_t {
        // SAFETY: as for `splat`.
        unsafe { vmaxq_f32(x, bound) }
    }

    #[inline(always)]
    fn at_most(self, x: float32x4_t, bound: float32x4_t) -> float32x4_t {
        // SAFETY: as for `splat`.
        unsafe { vminq_f32(x, bound) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        // SAFETY: the caller vouches for 4 elements.
        unsafe { vld1q_f32(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: float32x4_t) {
        // SAFETY: the caller vouches for 4 elements.
        unsafe { vst1q_f32(to, x) }
    }

    /// Arm's own prefetchers follow the few streams of a tile well.
    #[inline(always)]
    fn prefetch(self, _at: *const f32) {}
}

/// # Safety
///
/// The machine has NEON; the rest as for [`super::tile::Run`].
#[target_feature(enable = "neon")]
pub(super) unsafe fn f32_neon<const MR: usize, const NV: usize, const VP: usize>(call: &Call) {
    // SAFETY: the caller's.
    unsafe { body::<Neon, MR, NV, VP>(Neon(()), call) }
}
