//! The 8-bit tile: one body, compiled for each instruction set and each size.

use crate::gemm::tile::{LINE, prefetch, token};
use crate::simd::{ForEachIsa, Scalar, Simd};

/// What a tile multiplies: how A and B are held in words of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Four unsigned bytes of A, four signed bytes of B.
    #[allow(dead_code, reason = "not every architecture has every format")]
    U8,
    /// Four signed bytes of each.
    #[allow(dead_code, reason = "not every architecture has every format")]
    I8,
    /// Two 16-bit integers of each, less their zero points.
    I16,
}

impl Format {
    /// The elements of a word.
    pub(crate) fn group(self) -> usize {
        match self {
            Format::U8 | Format::I8 => 4,
            Format::I16 => 2,
        }
    }
}

/// What one call of a tile works on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// For each segment of k, one pointer per row of the tile to `words` words of A.
    pub(crate) rows: *const *const u8,
    pub(crate) segments: usize,
    pub(crate) words: usize,
    /// The bytes from one row of A to the next, for tiles of registers that want one distance.
    #[allow(dead_code, reason = "not every architecture has such registers")]
    pub(crate) stride: usize,
    /// The packed panel.
    pub(crate) b: *const i32,
    /// What the sums of each column start from.
    pub(crate) start: *const i32,
    /// Where the sums go: rows of the tile's width, one after the other.
    pub(crate) sums: *mut i32,
}

/// A tile compiled for one instruction set, number of rows and number of vectors.
///
/// # Safety
///
/// The machine has the instruction set, and all that [`Call`] points to is valid for the tile's
/// rows and columns.
pub(crate) type Run = unsafe fn(&Call);

/// The instruction that tiles are made of.
pub(crate) trait Dot: Simd {
    /// For each lane, adds the products of the elements of two words, without saturation.
    fn dot(self, a: Self::I32, b: Self::I32, sum: Self::I32) -> Self::I32;
}

/// Computes `MR` rows of `NV` vectors.
///
/// # Safety
///
/// As for [`Run`].
pub(crate) unsafe fn run<S: Dot, const MR: usize, const NV: usize>(call: &Call) {
    // SAFETY: the caller vouches for the instruction set.
    let s = unsafe { token::<S>() };
    s.call(Sums::<'_, S, MR, NV> { call, s });
}

/// The work of [`run`]. Only `run` makes one, so that its promises hold.
struct Sums<'a, S, const MR: usize, const NV: usize> {
    call: &'a Call,
    s: S,
}

impl<S: Dot, const MR: usize, const NV: usize> ForEachIsa for Sums<'_, S, MR, NV> {
    type Output = ();

    #[inline(always)]
    fn run<Same: Simd>(self, _: Same) {
        let (s, call) = (self.s, self.call);
        let mut start = [s.splat_i32(0); NV];
        for (v, start) in start.iter_mut().enumerate() {
            let from = call.start.wrapping_add(v * S::LANES);
            // SAFETY: there is a start for each column.
            *start = s.load_i32(unsafe { std::slice::from_raw_parts(from, S::LANES) });
        }
        let mut sums = [start; MR];
        let mut b = call.b;
        for segment in 0..call.segments {
            let rows = call.rows.wrapping_add(segment * MR).cast::<[*const u8; MR]>();
            // SAFETY: the table has `MR` pointers for each segment.
            let rows = unsafe { rows.read() };
            for word in 0..call.words {
                let mut columns = [s.splat_i32(0); NV];
                for (v, column) in columns.iter_mut().enumerate() {
                    let from = b.wrapping_add(v * S::LANES);
                    // SAFETY: the panel holds a row of the tile for each of `segments * words`.
                    *column = s.load_i32(unsafe { std::slice::from_raw_parts(from, S::LANES) });
                    // Two narrower vectors would ask for the same line.
                    if S::LANES >= LINE {
                        prefetch(from.wrapping_add(AHEAD));
                    }
                }
                for (i, row) in sums.iter_mut().enumerate() {
                    let from = rows[i].wrapping_add(4 * word).cast::<i32>();
                    // SAFETY: each pointer of the table has `words` words behind it.
                    let a = s.splat_i32(unsafe { from.read_unaligned() });
                    for (sum, &column) in row.iter_mut().zip(&columns) {
                        *sum = s.dot(a, column, *sum);
                    }
                }
                b = b.wrapping_add(NV * S::LANES);
            }
        }
        for (i, row) in sums.iter().enumerate() {
            for (v, &sum) in row.iter().enumerate() {
                let to = call.sums.wrapping_add((i * NV + v) * S::LANES);
                // SAFETY: `sums` holds `MR` rows of `NV` vectors.
                s.store_i32(sum, unsafe { std::slice::from_raw_parts_mut(to, S::LANES) });
            }
        }
    }
}

/// How far ahead of its use a panel's line is asked for, in words.
const AHEAD: usize = 512;

impl Dot for Scalar {
    #[inline(always)]
    fn dot(self, a: i32, b: i32, sum: i32) -> i32 {
        let halves = |x: i32| (i32::from(x as i16), x >> 16);
        let ((a0, a1), (b0, b1)) = (halves(a), halves(b));
        sum + a0 * b0 + a1 * b1
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Dot;
    use crate::simd::{Avx2, Avx512};

    impl Dot for Avx2 {
        #[inline(always)]
        fn dot(self, a: __m256i, b: __m256i, sum: __m256i) -> __m256i {
            #[inline]
            #[target_feature(enable = "avx2")]
            fn inner(a: __m256i, b: __m256i, sum: __m256i) -> __m256i {
                _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
            }
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(a, b, sum) }
        }
    }

    impl Dot for Avx512 {
        #[inline(always)]
        fn dot(self, a: __m512i, b: __m512i, sum: __m512i) -> __m512i {
            #[inline]
            #[target_feature(enable = "avx512f,avx512vnni")]
            fn inner(a: __m512i, b: __m512i, sum: __m512i) -> __m512i {
                _mm512_dpbusd_epi32(sum, a, b)
            }
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(a, b, sum) }
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::*;
    use std::arch::asm;

    use super::Dot;
    use crate::simd::Neon;

    impl Dot for Neon {
        #[inline(always)]
        fn dot(self, a: int32x4_t, b: int32x4_t, sum: int32x4_t) -> int32x4_t {
            let mut sum = sum;
            // The intrinsic is not stable yet.
            // SAFETY: a token exists only where the machine has dot products; the instruction
            // touches nothing but its registers.
            unsafe {
                asm!(
                    ".arch_extension dotprod",
                    "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
                    sum = inout(vreg) sum,
                    a = in(vreg) a,
                    b = in(vreg) b,
                    options(pure, nomem, nostack, preserves_flags)
                );
            }
            sum
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use std::arch::wasm32::*;

    use super::Dot;
    use crate::simd::Simd128;

    impl Dot for Simd128 {
        #[inline(always)]
        fn dot(self, a: v128, b: v128, sum: v128) -> v128 {
            i32x4_add(sum, i32x4_dot_i16x8(a, b))
        }
    }
}
