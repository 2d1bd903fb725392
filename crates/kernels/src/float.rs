//! The two stored float types, for kernels that are written over both and compute in `f32`.

use half::f16;

use crate::simd::{MAX_LANES, Simd};

mod sealed {
    /// Keeps [`Float`](super::Float) to the two types that the specification has.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for half::f16 {}
}

/// `f32` or `f16`.
pub trait Float: sealed::Sealed + Copy + Default + Send + Sync + PartialOrd + 'static {
    /// Whether the type holds every `f32`, so that intermediate values may be stored in it.
    const HOLDS_F32: bool;

    /// The first `LANES` elements; panics if there are fewer.
    fn load<S: Simd>(s: S, x: &[Self]) -> S::F32;
    /// All elements of `x`, of which there are at most `LANES`, then zeros.
    fn load_partial<S: Simd>(s: S, x: &[Self]) -> S::F32;
    /// Writes the first `LANES` elements; panics if there are fewer.
    fn store<S: Simd>(s: S, v: S::F32, to: &mut [Self]);
    /// Fills `to`, which has at most `LANES` elements, from the first lanes.
    fn store_partial<S: Simd>(s: S, v: S::F32, to: &mut [Self]);
    /// All elements of `x`, of which there are at most `LANES`, then anything.
    #[inline(always)]
    fn load_up_to<S: Simd>(s: S, x: &[Self]) -> S::F32 {
        if x.len() == S::LANES { Self::load(s, x) } else { Self::load_partial(s, x) }
    }
    /// Fills `to`, which has at most `LANES` elements, from the first lanes.
    #[inline(always)]
    fn store_up_to<S: Simd>(s: S, v: S::F32, to: &mut [Self]) {
        if to.len() == S::LANES { Self::store(s, v, to) } else { Self::store_partial(s, v, to) }
    }
    /// As `f32`, exactly.
    fn to_f32(self) -> f32;
    /// The nearest value, ties to even.
    fn from_f32(x: f32) -> Self;
}

impl Float for f32 {
    const HOLDS_F32: bool = true;

    #[inline(always)]
    fn load<S: Simd>(s: S, x: &[f32]) -> S::F32 {
        s.load(x)
    }
    #[inline(always)]
    fn load_partial<S: Simd>(s: S, x: &[f32]) -> S::F32 {
        s.load_partial(x)
    }
    #[inline(always)]
    fn store<S: Simd>(s: S, v: S::F32, to: &mut [f32]) {
        s.store(v, to);
    }
    #[inline(always)]
    fn store_partial<S: Simd>(s: S, v: S::F32, to: &mut [f32]) {
        s.store_partial(v, to);
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
    #[inline(always)]
    fn from_f32(x: f32) -> f32 {
        x
    }
}

impl Float for f16 {
    const HOLDS_F32: bool = false;

    #[inline(always)]
    fn load<S: Simd>(s: S, x: &[f16]) -> S::F32 {
        s.load_f16(x)
    }
    #[inline(always)]
    fn load_partial<S: Simd>(s: S, x: &[f16]) -> S::F32 {
        let mut lanes = [f16::ZERO; MAX_LANES];
        lanes[..x.len()].copy_from_slice(x);
        s.load_f16(&lanes)
    }
    #[inline(always)]
    fn store<S: Simd>(s: S, v: S::F32, to: &mut [f16]) {
        s.store_f16(v, to);
    }
    #[inline(always)]
    fn store_partial<S: Simd>(s: S, v: S::F32, to: &mut [f16]) {
        let mut lanes = [f16::ZERO; MAX_LANES];
        s.store_f16(v, &mut lanes);
        to.copy_from_slice(&lanes[..to.len()]);
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }
    #[inline(always)]
    fn from_f32(x: f32) -> f16 {
        f16::from_f32(x)
    }
}

/// A mask of the lanes before the `n`th.
#[inline(always)]
pub(crate) fn first_lanes<S: Simd>(s: S, n: usize) -> S::Mask {
    const LANE: [i32; MAX_LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    s.gt_i32(s.splat_i32(n as i32), s.load_i32(&LANE))
}

/// `out[i] = f(x[i])`; the slices have the same length.
#[inline(always)]
pub(crate) fn map_row<S: Simd, T: Float>(
    s: S,
    x: &[T],
    out: &mut [T],
    f: impl Fn(S::F32) -> S::F32,
) {
    let whole = x.len() - x.len() % S::LANES;
    let (x, x_tail) = x.split_at(whole);
    let (out, out_tail) = out.split_at_mut(whole);
    for (x, out) in x.chunks_exact(S::LANES).zip(out.chunks_exact_mut(S::LANES)) {
        T::store(s, f(T::load(s, x)), out);
    }
    if !x_tail.is_empty() {
        T::store_partial(s, f(T::load_partial(s, x_tail)), out_tail);
    }
}
