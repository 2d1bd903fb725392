//! Rows of floats whose length is no multiple of a vector's.

use crate::simd::{MAX_LANES, Simd};

/// All elements of `x`, of which there are at most `LANES`, then anything.
#[inline(always)]
pub(crate) fn load_up_to<S: Simd>(s: S, x: &[f32]) -> S::F32 {
    if x.len() == S::LANES { s.load(x) } else { s.load_partial(x) }
}

/// Fills `to`, which has at most `LANES` elements, from the first lanes.
#[inline(always)]
pub(crate) fn store_up_to<S: Simd>(s: S, v: S::F32, to: &mut [f32]) {
    if to.len() == S::LANES { s.store(v, to) } else { s.store_partial(v, to) }
}

/// A mask of the lanes before the `n`th.
#[inline(always)]
pub(crate) fn first_lanes<S: Simd>(s: S, n: usize) -> S::Mask {
    const LANE: [i32; MAX_LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    s.gt_i32(s.splat_i32(n as i32), s.load_i32(&LANE))
}

/// `out[i] = f(x[i])`; the slices have the same length.
#[inline(always)]
pub(crate) fn map_row<S: Simd>(s: S, x: &[f32], out: &mut [f32], f: impl Fn(S::F32) -> S::F32) {
    let whole = x.len() - x.len() % S::LANES;
    let (x, x_tail) = x.split_at(whole);
    let (out, out_tail) = out.split_at_mut(whole);
    for (x, out) in x.chunks_exact(S::LANES).zip(out.chunks_exact_mut(S::LANES)) {
        s.store(f(s.load(x)), out);
    }
    if !x_tail.is_empty() {
        s.store_partial(f(s.load_partial(x_tail)), out_tail);
    }
}
