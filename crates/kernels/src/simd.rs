//! Vectors of 32-bit lanes, written once for every instruction set.
//!
//! A value of a type that implements [`Simd`] can be made only where the machine has the
//! instructions, so holding one is the proof that its methods may run. Kernels implement
//! [`ForEachIsa`] and are entered through [`dispatch`], once per call and outside their loops.
//!
//! Everything on the way from `ForEachIsa::run` to the vector methods must be
//! `#[inline(always)]`: what is not inlined is compiled for the baseline instruction set. That
//! holds for closures too (`f(#[inline(always)] |x| ..)`).

mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

use half::f16;

use crate::Isa;
use crate::isa::FIXED;

#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use scalar::Scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::Simd128;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// The most lanes that any implementation has: buffers padded to it need no tail.
pub const MAX_LANES: usize = 16;

/// Work that is compiled for each instruction set.
pub trait ForEachIsa {
    /// What the work returns.
    type Output;

    /// Does the work with the instructions that `s` proves. Implement it `#[inline(always)]`.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// Runs `work` compiled for `isa`.
///
/// # Panics
///
/// If the machine lacks the instruction set.
#[inline]
pub fn dispatch<W: ForEachIsa>(isa: Isa, work: W) -> W::Output {
    const HAVE: &str = "the caller asks only for instruction sets that are available";
    match isa {
        Isa::Scalar if FIXED => panic!("{HAVE}: {isa:?}"),
        Isa::Scalar => Scalar.call(work),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => Avx2::new().expect(HAVE).call(work),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Amx | Isa::AmxBf16 => Avx512::new().expect(HAVE).call(work),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => Neon::new().expect(HAVE).call(work),
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Isa::Simd128 => Simd128.call(work),
        #[allow(unreachable_patterns, reason = "the sets of other architectures")]
        Isa::Avx2 | Isa::Avx512 | Isa::Amx | Isa::AmxBf16 | Isa::Neon | Isa::Simd128 => {
            panic!("{HAVE}: {isa:?}")
        }
    }
}

/// Vectors of `LANES` lanes: 32-bit floats, 32-bit integers, and masks.
///
/// Lane `i` of a result depends on the lanes `i` of the operands only, except in the `reduce`
/// methods. Integer arithmetic wraps.
pub trait Simd: Copy + Send + Sync + 'static {
    /// `LANES` floats.
    type F32: Copy;
    /// `LANES` integers.
    type I32: Copy;
    /// `LANES` truth values.
    type Mask: Copy;

    /// How many lanes a vector has: a power of two, at most [`MAX_LANES`].
    const LANES: usize;
    /// The instruction set that a value of this type proves.
    const ISA: Isa;
    /// How many vectors are sure to stay in registers.
    const REGISTERS: usize;
    /// Whether [`Simd::mul_add`] rounds once.
    const FUSED: bool;

    /// Runs `work` in a function of its own that is compiled for the instruction set.
    fn call<W: ForEachIsa>(self, work: W) -> W::Output;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::F32;
    /// The first `LANES` elements; panics if there are fewer.
    fn load(self, x: &[f32]) -> Self::F32;
    /// Writes the first `LANES` elements; panics if there are fewer.
    fn store(self, v: Self::F32, to: &mut [f32]);
    /// The same past the caches, where there is an instruction for that and `to` is aligned to a
    /// vector; other threads see it once a [`Stream`](crate::copy::Stream) is dropped.
    #[inline(always)]
    fn stream(self, v: Self::F32, to: &mut [f32]) {
        self.store(v, to);
    }
    /// All elements of `x`, of which there are at most `LANES`, then zeros.
    fn load_partial(self, x: &[f32]) -> Self::F32;
    /// Fills `to`, which has at most `LANES` elements, from the first lanes.
    fn store_partial(self, v: Self::F32, to: &mut [f32]);
    /// The first `LANES` elements, converted; panics if there are fewer.
    fn load_f16(self, x: &[f16]) -> Self::F32;
    /// Writes the first `LANES` elements, rounded to nearest even; panics if there are fewer.
    fn store_f16(self, v: Self::F32, to: &mut [f16]);

    /// `a + b`.
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a - b`.
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b`.
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a / b`, correctly rounded.
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b + c`, rounded once if [`Simd::FUSED`].
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `c - a * b`, rounded once if [`Simd::FUSED`].
    fn neg_mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// The smaller; NaN if `b` is NaN. What a NaN in `a` alone gives differs between machines.
    fn min_fast(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The larger; NaN if `b` is NaN. What a NaN in `a` alone gives differs between machines.
    fn max_fast(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The larger; what a NaN in either gives differs between machines.
    #[inline(always)]
    fn max_number(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.max_fast(a, b)
    }
    /// `x` held between two bounds; NaN stays NaN.
    #[inline(always)]
    fn clamp(self, x: Self::F32, low: Self::F32, high: Self::F32) -> Self::F32 {
        self.min_fast(high, self.max_fast(low, x))
    }
    /// The smaller; NaN if either is NaN.
    #[inline(always)]
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.select(self.is_nan(a), a, self.min_fast(a, b))
    }
    /// The larger; NaN if either is NaN.
    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        self.select(self.is_nan(a), a, self.max_fast(a, b))
    }
    /// The square root, correctly rounded.
    fn sqrt(self, a: Self::F32) -> Self::F32;
    /// To the nearest integer, halves to even.
    fn round_even(self, a: Self::F32) -> Self::F32;
    /// To the integer below.
    fn floor(self, a: Self::F32) -> Self::F32;
    /// To the integer above.
    fn ceil(self, a: Self::F32) -> Self::F32;
    /// `a * 2^n` for whole `n` from -252 to 254, `a` being near 1.
    #[inline(always)]
    fn scale(self, a: Self::F32, n: Self::F32) -> Self::F32 {
        // In two factors: one alone would leave the range of exponents at both ends.
        let n = self.to_i32(n);
        let half = self.shr_i32::<1>(n);
        let a = self.mul(a, self.power_of_two(half));
        self.mul(a, self.power_of_two(self.sub_i32(n, half)))
    }
    /// `a * 2^n` for whole `n` from -190 to 0, `a` being near 1.
    #[inline(always)]
    fn scale_down(self, a: Self::F32, n: Self::F32) -> Self::F32 {
        // The first product is exact, the second may be subnormal.
        let n = self.add_i32(self.to_i32(n), self.splat_i32(64));
        self.mul(self.mul(a, self.power_of_two(n)), self.splat(2.0f32.powi(-64)))
    }
    /// `2^n` for `n` from -126 to 127.
    #[inline(always)]
    fn power_of_two(self, n: Self::I32) -> Self::F32 {
        self.with_bits(self.shl_i32::<23>(self.add_i32(n, self.splat_i32(127))))
    }
    /// Without the sign.
    #[inline(always)]
    fn abs(self, a: Self::F32) -> Self::F32 {
        self.with_bits(self.and_i32(self.to_bits(a), self.splat_i32(0x7fff_ffff)))
    }
    /// With the other sign.
    #[inline(always)]
    fn neg(self, a: Self::F32) -> Self::F32 {
        self.with_bits(self.xor_i32(self.to_bits(a), self.splat_i32(i32::MIN)))
    }
    /// `magnitude`, which must not be negative, with the sign of `sign`.
    #[inline(always)]
    fn or_sign(self, magnitude: Self::F32, sign: Self::F32) -> Self::F32 {
        let bit = self.and_i32(self.to_bits(sign), self.splat_i32(i32::MIN));
        self.with_bits(self.or_i32(self.to_bits(magnitude), bit))
    }

    /// `a < b`, false for NaN.
    fn lt(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// `a <= b`, false for NaN.
    fn le(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// `a == b`, false for NaN.
    fn eq(self, a: Self::F32, b: Self::F32) -> Self::Mask;
    /// Whether a lane is NaN.
    #[inline(always)]
    fn is_nan(self, a: Self::F32) -> Self::Mask {
        self.not(self.eq(a, a))
    }
    /// `a` where the mask is set, else `b`.
    fn select(self, mask: Self::Mask, a: Self::F32, b: Self::F32) -> Self::F32;
    /// Set where both are.
    fn and(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Set where one is.
    fn or(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Set where `a` is not.
    fn not(self, a: Self::Mask) -> Self::Mask;
    /// Bit `i` is set where lane `i` is.
    fn mask_bits(self, a: Self::Mask) -> u32;

    /// All lanes `x`.
    fn splat_i32(self, x: i32) -> Self::I32;
    /// The first `LANES` elements; panics if there are fewer.
    fn load_i32(self, x: &[i32]) -> Self::I32;
    /// Writes the first `LANES` elements; panics if there are fewer.
    fn store_i32(self, v: Self::I32, to: &mut [i32]);
    /// The first `LANES` bytes, as integers from 0 to 255; panics if there are fewer.
    #[inline(always)]
    fn load_u8(self, x: &[u8]) -> Self::I32 {
        let mut lanes = [0; MAX_LANES];
        for (lane, &x) in lanes.iter_mut().zip(&x[..Self::LANES]) {
            *lane = i32::from(x);
        }
        self.load_i32(&lanes)
    }
    /// Writes the low bytes of `LANES` integers from -128 to 255; panics if there is less room.
    #[inline(always)]
    fn store_u8(self, v: Self::I32, to: &mut [u8]) {
        let mut lanes = [0; MAX_LANES];
        self.store_i32(v, &mut lanes);
        for (to, lane) in to[..Self::LANES].iter_mut().zip(lanes) {
            *to = lane as u8;
        }
    }
    /// [`Simd::store_u8`] of two vectors, one after the other.
    #[inline(always)]
    fn store_u8x2(self, a: Self::I32, b: Self::I32, to: &mut [u8]) {
        let (low, high) = to.split_at_mut(Self::LANES);
        self.store_u8(a, low);
        self.store_u8(b, high);
    }
    /// The bits of the floats.
    fn to_bits(self, a: Self::F32) -> Self::I32;
    /// The floats with these bits.
    fn with_bits(self, a: Self::I32) -> Self::F32;
    /// To an integer, rounded toward zero. Outside the range of `i32` the result differs between
    /// machines.
    fn to_i32(self, a: Self::F32) -> Self::I32;
    /// To the nearest integer, halves to even. Outside the range of `i32` the result differs between
    /// machines.
    #[inline(always)]
    fn nearest_i32(self, a: Self::F32) -> Self::I32 {
        self.to_i32(self.round_even(a))
    }
    /// To the nearest float.
    fn to_f32(self, a: Self::I32) -> Self::F32;
    /// `a + b`.
    fn add_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// `a - b`.
    fn sub_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// The low halves of the products.
    fn mul_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Bits set in both.
    fn and_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Bits set in one.
    fn or_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Bits set in exactly one.
    fn xor_i32(self, a: Self::I32, b: Self::I32) -> Self::I32;
    /// Shifted left by `N` bits.
    fn shl_i32<const N: u32>(self, a: Self::I32) -> Self::I32;
    /// Shifted right by `N` bits, the sign bit repeated.
    fn shr_i32<const N: u32>(self, a: Self::I32) -> Self::I32;
    /// `a == b`.
    fn eq_i32(self, a: Self::I32, b: Self::I32) -> Self::Mask;
    /// `a > b`, signed.
    fn gt_i32(self, a: Self::I32, b: Self::I32) -> Self::Mask;
    /// `a` where the mask is set, else `b`.
    #[inline(always)]
    fn select_i32(self, mask: Self::Mask, a: Self::I32, b: Self::I32) -> Self::I32 {
        self.to_bits(self.select(mask, self.with_bits(a), self.with_bits(b)))
    }

    /// The lanes of `a` and `b` in turns: those of the lower halves, then those of the upper ones.
    fn zip(self, a: Self::F32, b: Self::F32) -> (Self::F32, Self::F32);

    /// The sum of the lanes: halves are added until one lane is left.
    #[inline(always)]
    fn reduce_add(self, a: Self::F32) -> f32 {
        self.fold_halves(
            a,
            #[inline(always)]
            |x, y| x + y,
        )
    }
    /// The largest lane; NaN if one is NaN.
    #[inline(always)]
    fn reduce_max(self, a: Self::F32) -> f32 {
        self.fold_halves(
            a,
            #[inline(always)]
            |x, y| if y.is_nan() || x < y { y } else { x },
        )
    }
    /// The smallest lane; NaN if one is NaN.
    #[inline(always)]
    fn reduce_min(self, a: Self::F32) -> f32 {
        self.fold_halves(
            a,
            #[inline(always)]
            |x, y| if y.is_nan() || x > y { y } else { x },
        )
    }
    /// Folds the upper half of the lanes onto the lower until one lane is left.
    #[inline(always)]
    fn fold_halves(self, a: Self::F32, fold: impl Fn(f32, f32) -> f32) -> f32 {
        let mut lanes = [0.0; MAX_LANES];
        self.store(a, &mut lanes);
        let mut half = Self::LANES / 2;
        while half > 0 {
            for i in 0..half {
                lanes[i] = fold(lanes[i], lanes[i + half]);
            }
            half /= 2;
        }
        lanes[0]
    }
    /// Lane by lane with a scalar function: for lanes that a vector formula does not cover.
    /// Lanes whose bit is not set keep `otherwise`.
    #[inline(always)]
    fn patch(
        self,
        lanes: u32,
        a: Self::F32,
        b: Self::F32,
        otherwise: Self::F32,
        function: fn(f32, f32) -> f32,
    ) -> Self::F32 {
        let (mut x, mut y, mut out) = ([0.0; MAX_LANES], [0.0; MAX_LANES], [0.0; MAX_LANES]);
        self.store(a, &mut x);
        self.store(b, &mut y);
        self.store(otherwise, &mut out);
        for i in 0..Self::LANES {
            if lanes >> i & 1 == 1 {
                out[i] = function(x[i], y[i]);
            }
        }
        self.load(&out)
    }
}

/// Defines methods of a [`Simd`] whose bodies may use the intrinsics of `$features`.
macro_rules! vector_methods {
    ($features:literal: $(
        fn $name:ident $(<const $n:ident>)? ($($arg:ident: $type:ty),*) $(-> $out:ty)? $body:block
    )*) => { $(
        #[inline(always)]
        fn $name $(<const $n: u32>)? (self, $($arg: $type),*) $(-> $out)? {
            #[inline]
            #[target_feature(enable = $features)]
            fn inner $(<const $n: u32>)? ($($arg: $type),*) $(-> $out)? $body
            #[allow(unused_unsafe, reason = "where the whole build has the features")]
            // SAFETY: a token exists only where the machine has the features.
            unsafe {
                inner $(::<$n>)? ($($arg),*)
            }
        }
    )* };
}
#[allow(unused_imports, reason = "an architecture without vectors has no use for it")]
use vector_methods;

#[cfg(test)]
mod tests;
