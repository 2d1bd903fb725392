//! Casts between the element types.

use half::f16;

use crate::Isa;
use crate::float::load_up_to;
use crate::simd::{ForEachIsa, MAX_LANES, Simd, dispatch};

/// Widens each element; the slices have the same length.
pub(crate) struct Widen<'a> {
    pub(crate) x: &'a [f16],
    pub(crate) out: &'a mut [f32],
}

impl ForEachIsa for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        widen(s, self.x, self.out);
    }
}

/// Rounds each element to the nearest half, ties to even; the slices have the same length.
pub(crate) struct Narrow<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) out: &'a mut [f16],
}

impl ForEachIsa for Narrow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        narrow(s, self.x, self.out);
    }
}

/// Widens each element; the slices have the same length.
#[inline(always)]
pub(crate) fn widen<S: Simd>(s: S, x: &[f16], out: &mut [f32]) {
    let whole = x.len() - x.len() % S::LANES;
    let (x, x_tail) = x.split_at(whole);
    let (out, out_tail) = out.split_at_mut(whole);
    for (x, out) in x.chunks_exact(S::LANES).zip(out.chunks_exact_mut(S::LANES)) {
        s.store(s.load_f16(x), out);
    }
    if !x_tail.is_empty() {
        let mut lanes = [f16::ZERO; MAX_LANES];
        lanes[..x_tail.len()].copy_from_slice(x_tail);
        s.store_partial(s.load_f16(&lanes), out_tail);
    }
}

/// Rounds each element; the slices have the same length.
#[inline(always)]
pub(crate) fn narrow<S: Simd>(s: S, x: &[f32], out: &mut [f16]) {
    let whole = x.len() - x.len() % S::LANES;
    let (x, x_tail) = x.split_at(whole);
    let (out, out_tail) = out.split_at_mut(whole);
    for (x, out) in x.chunks_exact(S::LANES).zip(out.chunks_exact_mut(S::LANES)) {
        s.store_f16(s.load(x), out);
    }
    if !x_tail.is_empty() {
        let mut lanes = [f16::ZERO; MAX_LANES];
        s.store_f16(s.load_partial(x_tail), &mut lanes);
        out_tail.copy_from_slice(&lanes[..out_tail.len()]);
    }
}

/// See [`CastTo`]; the slices have the same length.
pub(crate) struct ToBytes<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) out: &'a mut [u8],
}

impl ForEachIsa for ToBytes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        const TILE: usize = 128;
        let zero = s.splat(0.0);
        let mut tile = [0; TILE];
        for (x, out) in self.x.chunks(TILE).zip(self.out.chunks_mut(TILE)) {
            for (i, x) in x.chunks(S::LANES).enumerate() {
                let v = load_up_to(s, x);
                let v = s.select(s.is_nan(v), zero, v);
                let v = s.clamp(v, zero, s.splat(255.0));
                s.store_i32(s.to_i32(v), &mut tile[i * S::LANES..]);
            }
            for (out, &x) in out.iter_mut().zip(&tile) {
                *out = x as u8;
            }
        }
    }
}

/// The nearest values that halves have.
#[inline(always)]
pub(crate) fn round_to_half<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let mut halves = [f16::ZERO; MAX_LANES];
    s.store_f16(x, &mut halves);
    s.load_f16(&halves)
}

/// An element that can be cast to another type.
///
/// Floats become integers by truncation, held to the range, and NaN becomes 0. Integers keep
/// their low bits. What becomes a float is rounded to nearest even.
pub trait CastTo<T>: Copy {
    /// The value in the other type.
    fn cast(self) -> T;
}

macro_rules! casts {
    ($from:ident: $($to:ident)*) => { $(
        impl CastTo<$to> for $from {
            #[inline(always)]
            #[allow(clippy::cast_lossless, reason = "one rule for all pairs")]
            fn cast(self) -> $to {
                self as $to
            }
        }
    )*
        impl CastTo<f16> for $from {
            #[inline(always)]
            #[allow(clippy::cast_lossless, reason = "one rule for all types")]
            fn cast(self) -> f16 {
                // No integer is rounded twice: what a float does not hold is infinite here.
                f16::from_f32(self as f32)
            }
        }
        impl CastTo<$from> for f16 {
            #[inline(always)]
            fn cast(self) -> $from {
                self.to_f32() as $from
            }
        }
    };
}
casts!(f32: f32 i64 u64 i32 u32 i8 u8);
casts!(i64: f32 i64 u64 i32 u32 i8 u8);
casts!(u64: f32 i64 u64 i32 u32 i8 u8);
casts!(i32: f32 i64 u64 i32 u32 i8 u8);
casts!(u32: f32 i64 u64 i32 u32 i8 u8);
casts!(i8: f32 i64 u64 i32 u32 i8 u8);
casts!(u8: f32 i64 u64 i32 u32 i8 u8);

impl CastTo<f16> for f16 {
    #[inline(always)]
    fn cast(self) -> f16 {
        self
    }
}

/// Casts each element. Between the two float types and to bytes programs of [`map`](crate::map) are faster.
///
/// # Panics
///
/// If the lengths differ.
pub fn cast<A: CastTo<B>, B>(isa: Isa, x: &[A], out: &mut [B]) {
    assert_eq!(x.len(), out.len());
    dispatch(isa, Cast { x, out });
}

struct Cast<'a, A, B> {
    x: &'a [A],
    out: &'a mut [B],
}

impl<A: CastTo<B>, B> ForEachIsa for Cast<'_, A, B> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (out, x) in self.out.iter_mut().zip(self.x) {
            *out = x.cast();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one<A: CastTo<B>, B: Default + Copy>(x: A) -> B {
        let mut out = [B::default()];
        for isa in Isa::available() {
            cast(isa, &[x], &mut out);
        }
        out[0]
    }

    #[test]
    fn floats_truncate_and_saturate() {
        assert_eq!(one::<f32, i8>(-1.9), -1);
        assert_eq!(one::<f32, u8>(-1.9), 0);
        assert_eq!(one::<f32, u8>(300.0), 255);
        assert_eq!(one::<f32, i64>(f32::NAN), 0);
        assert_eq!(one::<f32, u64>(f32::INFINITY), u64::MAX);
        assert_eq!(one::<f16, i32>(f16::NEG_INFINITY), i32::MIN);
        assert_eq!(one::<f16, u32>(f16::from_f32(2.75)), 2);
    }

    #[test]
    fn bytes_are_cast_alike_with_vectors() {
        let mut x: Vec<f32> = (0..300).map(|i| i as f32 * 1.37 - 60.0).collect();
        x.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.9, 255.9, 1e20, -1e20]);
        let expected: Vec<u8> = x.iter().map(|&x| x as u8).collect();
        for isa in Isa::available() {
            let mut out = vec![9; x.len()];
            dispatch(isa, ToBytes { x: &x, out: &mut out });
            assert_eq!(out, expected, "{isa:?}");
        }
    }

    #[test]
    fn integers_keep_their_low_bits() {
        assert_eq!(one::<i32, i8>(0x1234_56f0), 0xf0u8 as i8);
        assert_eq!(one::<i8, u64>(-1), u64::MAX);
        assert_eq!(one::<u32, i32>(u32::MAX), -1);
        assert_eq!(one::<i64, i32>(1 << 40 | 7), 7);
    }

    #[test]
    fn what_becomes_a_float_is_rounded_once() {
        assert_eq!(one::<i64, f32>(i64::MAX), 9_223_372_036_854_775_807_i64 as f32);
        assert_eq!(one::<u32, f32>(16_777_217), 16_777_216.0);
        assert_eq!(one::<i32, f16>(2049), f16::from_f32(2048.0));
        assert_eq!(one::<i32, f16>(70_000), f16::INFINITY);
        assert_eq!(one::<f32, f16>(65_519.0), f16::MAX);
        assert_eq!(one::<f32, f16>(65_520.0), f16::INFINITY);
    }

    #[test]
    fn slices_of_any_length_convert_to_half_and_back() {
        for n in [0, 1, 7, 8, 15, 16, 17, 100] {
            let x: Vec<f32> = (0..n).map(|i| i as f32 * 0.37 - 9.0).collect();
            let expected: Vec<f16> = x.iter().map(|&x| f16::from_f32(x)).collect();
            for isa in Isa::available() {
                let mut narrow = vec![f16::ZERO; n];
                dispatch(isa, Narrow { x: &x, out: &mut narrow });
                assert_eq!(narrow, expected, "{n} elements on {isa:?}");
                let mut wide = vec![0.0; n];
                dispatch(isa, Widen { x: &narrow, out: &mut wide });
                let expected: Vec<f32> = expected.iter().map(|x| x.to_f32()).collect();
                assert_eq!(wide, expected, "{n} elements on {isa:?}");
            }
        }
    }
}
