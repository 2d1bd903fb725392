//! The f32 tiles of portable Rust.

use super::lanes::Lanes;
use super::tile::{Call, body};

/// Vectors of 4 `f32`, which every compiler turns into what the target has.
#[derive(Clone, Copy)]
struct Scalar;

impl Lanes for Scalar {
    type V = [f32; 4];
    const N: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; 4] {
        [x; 4]
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        // Not `f32::mul_add`, which is a library call where the compiler may not assume FMA.
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn at_least(self, x: [f32; 4], bound: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| if x[i] < bound[i] { bound[i] } else { x[i] })
    }

    #[inline(always)]
    fn at_most(self, x: [f32; 4], bound: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| if x[i] > bound[i] { bound[i] } else { x[i] })
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> [f32; 4] {
        // SAFETY: the caller vouches for 4 elements.
        unsafe { from.cast::<[f32; 4]>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: [f32; 4]) {
        // SAFETY: the caller vouches for 4 elements.
        unsafe { to.cast::<[f32; 4]>().write(x) }
    }

    #[inline(always)]
    fn prefetch(self, _at: *const f32) {}
}

/// # Safety
///
/// As for [`super::tile::Run`].
pub(super) unsafe fn f32_scalar<const MR: usize, const NV: usize, const VP: usize>(call: &Call) {
    // SAFETY: the caller's.
    unsafe { body::<Scalar, MR, NV, VP>(Scalar, call) }
}
