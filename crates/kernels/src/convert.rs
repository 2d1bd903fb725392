//! Casts between the element types, half precision, quantised values.

use half::f16;

use crate::Isa;
use crate::simd::{ForEachIsa, MAX_LANES, Simd, dispatch};

/// Widens each element.
///
/// # Panics
///
/// If the lengths differ.
pub fn f16_to_f32(isa: Isa, x: &[f16], out: &mut [f32]) {
    assert_eq!(x.len(), out.len());
    dispatch(isa, Widen { x, out });
}

/// Rounds each element to the nearest half, ties to even.
///
/// # Panics
///
/// If the lengths differ.
pub fn f32_to_f16(isa: Isa, x: &[f32], out: &mut [f16]) {
    assert_eq!(x.len(), out.len());
    dispatch(isa, Narrow { x, out });
}

/// See [`f16_to_f32`].
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

/// See [`f32_to_f16`].
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

/// Rounds each element to a value that a half has; the slices have the same length.
#[inline(always)]
pub(crate) fn round_to_half<S: Simd>(s: S, x: &[f32], out: &mut [f32]) {
    let mut lanes = [f16::ZERO; MAX_LANES];
    for (x, out) in x.chunks(S::LANES).zip(out.chunks_mut(S::LANES)) {
        narrow(s, x, &mut lanes[..x.len()]);
        widen(s, &lanes[..x.len()], out);
    }
}
