//! One lane, portable.

use half::f16;

use super::{ForEachIsa, Simd};
use crate::Isa;

/// The token that every machine has.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

impl Simd for Scalar {
    type F32 = f32;
    type I32 = i32;
    type Mask = bool;

    const LANES: usize = 1;
    const ISA: Isa = Isa::Scalar;
    const REGISTERS: usize = 16;
    const FUSED: bool = false;

    #[inline(always)]
    fn call<W: ForEachIsa>(self, work: W) -> W::Output {
        #[inline(never)]
        fn inner<W: ForEachIsa>(work: W) -> W::Output {
            work.run(Scalar)
        }
        inner(work)
    }

    #[inline(always)]
    fn splat(self, x: f32) -> f32 {
        x
    }
    #[inline(always)]
    fn load(self, x: &[f32]) -> f32 {
        x[0]
    }
    #[inline(always)]
    fn store(self, v: f32, to: &mut [f32]) {
        to[0] = v;
    }
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> f32 {
        x.first().copied().unwrap_or(0.0)
    }
    #[inline(always)]
    fn store_partial(self, v: f32, to: &mut [f32]) {
        to.fill(v);
    }
    #[inline(always)]
    fn load_f16(self, x: &[f16]) -> f32 {
        x[0].to_f32()
    }
    #[inline(always)]
    fn store_f16(self, v: f32, to: &mut [f16]) {
        to[0] = f16::from_f32(v);
    }

    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }
    #[inline(always)]
    fn div(self, a: f32, b: f32) -> f32 {
        a / b
    }
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
    #[inline(always)]
    fn neg_mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        c - a * b
    }
    #[inline(always)]
    fn min_fast(self, a: f32, b: f32) -> f32 {
        if a < b { a } else { b }
    }
    #[inline(always)]
    fn max_fast(self, a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }
    #[inline(always)]
    fn sqrt(self, a: f32) -> f32 {
        a.sqrt()
    }
    #[inline(always)]
    fn round_even(self, a: f32) -> f32 {
        a.round_ties_even()
    }
    #[inline(always)]
    fn floor(self, a: f32) -> f32 {
        a.floor()
    }
    #[inline(always)]
    fn ceil(self, a: f32) -> f32 {
        a.ceil()
    }

    #[inline(always)]
    fn lt(self, a: f32, b: f32) -> bool {
        a < b
    }
    #[inline(always)]
    fn le(self, a: f32, b: f32) -> bool {
        a <= b
    }
    #[inline(always)]
    fn eq(self, a: f32, b: f32) -> bool {
        a == b
    }
    #[inline(always)]
    fn select(self, mask: bool, a: f32, b: f32) -> f32 {
        if mask { a } else { b }
    }
    #[inline(always)]
    fn and(self, a: bool, b: bool) -> bool {
        a & b
    }
    #[inline(always)]
    fn or(self, a: bool, b: bool) -> bool {
        a | b
    }
    #[inline(always)]
    fn not(self, a: bool) -> bool {
        !a
    }
    #[inline(always)]
    fn mask_bits(self, a: bool) -> u32 {
        u32::from(a)
    }

    #[inline(always)]
    fn splat_i32(self, x: i32) -> i32 {
        x
    }
    #[inline(always)]
    fn load_i32(self, x: &[i32]) -> i32 {
        x[0]
    }
    #[inline(always)]
    fn store_i32(self, v: i32, to: &mut [i32]) {
        to[0] = v;
    }
    #[inline(always)]
    fn to_bits(self, a: f32) -> i32 {
        a.to_bits().cast_signed()
    }
    #[inline(always)]
    fn with_bits(self, a: i32) -> f32 {
        f32::from_bits(a.cast_unsigned())
    }
    #[inline(always)]
    fn to_i32(self, a: f32) -> i32 {
        a as i32
    }
    #[inline(always)]
    fn to_f32(self, a: i32) -> f32 {
        a as f32
    }
    #[inline(always)]
    fn add_i32(self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn sub_i32(self, a: i32, b: i32) -> i32 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn mul_i32(self, a: i32, b: i32) -> i32 {
        a.wrapping_mul(b)
    }
    #[inline(always)]
    fn and_i32(self, a: i32, b: i32) -> i32 {
        a & b
    }
    #[inline(always)]
    fn or_i32(self, a: i32, b: i32) -> i32 {
        a | b
    }
    #[inline(always)]
    fn xor_i32(self, a: i32, b: i32) -> i32 {
        a ^ b
    }
    #[inline(always)]
    fn shl_i32<const N: u32>(self, a: i32) -> i32 {
        a << N
    }
    #[inline(always)]
    fn shr_i32<const N: u32>(self, a: i32) -> i32 {
        a >> N
    }
    #[inline(always)]
    fn eq_i32(self, a: i32, b: i32) -> bool {
        a == b
    }
    #[inline(always)]
    fn gt_i32(self, a: i32, b: i32) -> bool {
        a > b
    }

    #[inline(always)]
    fn zip(self, a: f32, b: f32) -> (f32, f32) {
        (a, b)
    }
}
