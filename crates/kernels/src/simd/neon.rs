//! 64-bit Arm.

use std::arch::aarch64::*;
use std::sync::LazyLock;

use half::f16;

use super::{ForEachIsa, Simd, vector_methods};
use crate::Isa;

/// Proof of [`Isa::Neon`].
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// The token, if the machine has the instructions.
    #[inline(always)]
    pub fn new() -> Option<Self> {
        static AVAILABLE: LazyLock<bool> = LazyLock::new(|| Isa::Neon.is_available());
        AVAILABLE.then_some(Neon(()))
    }
}

impl Simd for Neon {
    type F32 = float32x4_t;
    type I32 = int32x4_t;
    type Mask = uint32x4_t;

    const LANES: usize = 4;
    const ISA: Isa = Isa::Neon;
    const REGISTERS: usize = 32;
    const FUSED: bool = true;

    #[inline(always)]
    fn call<W: ForEachIsa>(self, work: W) -> W::Output {
        #[inline(never)]
        #[target_feature(enable = "neon,fp16,dotprod")]
        fn inner<W: ForEachIsa>(s: Neon, work: W) -> W::Output {
            work.run(s)
        }
        // SAFETY: a token exists only where the machine has the features.
        unsafe { inner(self, work) }
    }

    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> float32x4_t {
        let mut lanes = [0.0; 4];
        lanes[..x.len()].copy_from_slice(x);
        self.load(&lanes)
    }
    #[inline(always)]
    fn store_partial(self, v: float32x4_t, to: &mut [f32]) {
        let mut lanes = [0.0; 4];
        self.store(v, &mut lanes);
        to.copy_from_slice(&lanes[..to.len()]);
    }

    vector_methods! { "neon,fp16,dotprod":
        fn splat(x: f32) -> float32x4_t { vdupq_n_f32(x) }
        fn load(x: &[f32]) -> float32x4_t {
            let x = &x[..4];
            // SAFETY: `x` has 4 elements.
            unsafe { vld1q_f32(x.as_ptr()) }
        }
        fn store(v: float32x4_t, to: &mut [f32]) {
            let to = &mut to[..4];
            // SAFETY: `to` has 4 elements.
            unsafe { vst1q_f32(to.as_mut_ptr(), v) }
        }
        fn load_f16(x: &[f16]) -> float32x4_t {
            let x = &x[..4];
            // SAFETY: `x` has 4 elements of 2 bytes.
            let bits = unsafe { vld1_u16(x.as_ptr().cast()) };
            vcvt_f32_f16(vreinterpret_f16_u16(bits))
        }
        fn store_f16(v: float32x4_t, to: &mut [f16]) {
            let to = &mut to[..4];
            let bits = vreinterpret_u16_f16(vcvt_f16_f32(v));
            // SAFETY: `to` has 4 elements of 2 bytes.
            unsafe { vst1_u16(to.as_mut_ptr().cast(), bits) }
        }

        fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t { vaddq_f32(a, b) }
        fn sub(a: float32x4_t, b: float32x4_t) -> float32x4_t { vsubq_f32(a, b) }
        fn mul(a: float32x4_t, b: float32x4_t) -> float32x4_t { vmulq_f32(a, b) }
        fn div(a: float32x4_t, b: float32x4_t) -> float32x4_t { vdivq_f32(a, b) }
        fn mul_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
            vfmaq_f32(c, a, b)
        }
        fn neg_mul_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
            vfmsq_f32(c, a, b)
        }
        fn min_fast(a: float32x4_t, b: float32x4_t) -> float32x4_t { vminq_f32(a, b) }
        fn max_fast(a: float32x4_t, b: float32x4_t) -> float32x4_t { vmaxq_f32(a, b) }
        fn min(a: float32x4_t, b: float32x4_t) -> float32x4_t { vminq_f32(a, b) }
        fn max(a: float32x4_t, b: float32x4_t) -> float32x4_t { vmaxq_f32(a, b) }
        fn sqrt(a: float32x4_t) -> float32x4_t { vsqrtq_f32(a) }
        fn round_even(a: float32x4_t) -> float32x4_t { vrndnq_f32(a) }
        fn floor(a: float32x4_t) -> float32x4_t { vrndmq_f32(a) }
        fn ceil(a: float32x4_t) -> float32x4_t { vrndpq_f32(a) }

        fn lt(a: float32x4_t, b: float32x4_t) -> uint32x4_t { vcltq_f32(a, b) }
        fn le(a: float32x4_t, b: float32x4_t) -> uint32x4_t { vcleq_f32(a, b) }
        fn eq(a: float32x4_t, b: float32x4_t) -> uint32x4_t { vceqq_f32(a, b) }
        fn select(mask: uint32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
            vbslq_f32(mask, a, b)
        }
        fn and(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t { vandq_u32(a, b) }
        fn or(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t { vorrq_u32(a, b) }
        fn not(a: uint32x4_t) -> uint32x4_t { vmvnq_u32(a) }
        fn mask_bits(a: uint32x4_t) -> u32 {
            let mut lanes = [0; 4];
            // SAFETY: `lanes` has 4 elements.
            unsafe { vst1q_u32(lanes.as_mut_ptr(), a) };
            lanes[0] & 1 | lanes[1] & 2 | lanes[2] & 4 | lanes[3] & 8
        }

        fn splat_i32(x: i32) -> int32x4_t { vdupq_n_s32(x) }
        fn load_i32(x: &[i32]) -> int32x4_t {
            let x = &x[..4];
            // SAFETY: `x` has 4 elements.
            unsafe { vld1q_s32(x.as_ptr()) }
        }
        fn store_i32(v: int32x4_t, to: &mut [i32]) {
            let to = &mut to[..4];
            // SAFETY: `to` has 4 elements.
            unsafe { vst1q_s32(to.as_mut_ptr(), v) }
        }
        fn load_u8(x: &[u8]) -> int32x4_t {
            let bytes = u32::from_le_bytes([x[0], x[1], x[2], x[3]]);
            let words = vmovl_u8(vcreate_u8(u64::from(bytes)));
            vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words)))
        }
        fn store_u8(v: int32x4_t, to: &mut [u8]) {
            let words = vmovn_s32(v);
            let bytes = vmovn_s16(vcombine_s16(words, words));
            let bytes = vget_lane_u32::<0>(vreinterpret_u32_s8(bytes));
            to[..4].copy_from_slice(&bytes.to_le_bytes());
        }
        fn to_bits(a: float32x4_t) -> int32x4_t { vreinterpretq_s32_f32(a) }
        fn with_bits(a: int32x4_t) -> float32x4_t { vreinterpretq_f32_s32(a) }
        fn to_i32(a: float32x4_t) -> int32x4_t { vcvtq_s32_f32(a) }
        fn nearest_i32(a: float32x4_t) -> int32x4_t { vcvtnq_s32_f32(a) }
        fn to_f32(a: int32x4_t) -> float32x4_t { vcvtq_f32_s32(a) }
        fn add_i32(a: int32x4_t, b: int32x4_t) -> int32x4_t { vaddq_s32(a, b) }
        fn sub_i32(a: int32x4_t, b: int32x4_t) -> int32x4_t { vsubq_s32(a, b) }
        fn mul_i32(a: int32x4_t, b: int32x4_t) -> int32x4_t { vmulq_s32(a, b) }
        fn and_i32(a: int32x4_t, b: int32x4_t) -> int32x4_t { vandq_s32(a, b) }
        fn or_i32(a: int32x4_t, b: int32x4_t) -> int32x4_t { vorrq_s32(a, b) }
        fn xor_i32(a: int32x4_t, b: int32x4_t) -> int32x4_t { veorq_s32(a, b) }
        fn shl_i32<const N>(a: int32x4_t) -> int32x4_t { vshlq_s32(a, vdupq_n_s32(N as i32)) }
        fn shr_i32<const N>(a: int32x4_t) -> int32x4_t { vshlq_s32(a, vdupq_n_s32(-(N as i32))) }
        fn eq_i32(a: int32x4_t, b: int32x4_t) -> uint32x4_t { vceqq_s32(a, b) }
        fn gt_i32(a: int32x4_t, b: int32x4_t) -> uint32x4_t { vcgtq_s32(a, b) }

        fn zip(a: float32x4_t, b: float32x4_t) -> (float32x4_t, float32x4_t) {
            (vzip1q_f32(a, b), vzip2q_f32(a, b))
        }
    }
}
