//! The two products of attention: tiles of so many rows and vectors, kept in registers.

use crate::gemm::tile::{LINE, prefetch};
use crate::simd::{ForEachIsa, Simd};

/// The most rows of a tile of two vectors: they, a column of each and a factor stay in registers.
pub(super) const fn most_rows<S: Simd>() -> usize {
    (S::REGISTERS - 4) / 2
}

/// How many keys ahead of its use a value is asked for.
const AHEAD: usize = 8;

/// The scores of some keys, a row for each, with a panel of queries: `K * Qᵀ`.
#[derive(Clone, Copy)]
pub(super) struct Scores {
    /// The first of the keys, which are `stride` apart and their elements `step`.
    pub(super) keys: *const f32,
    pub(super) stride: usize,
    pub(super) step: usize,
    pub(super) depth: usize,
    /// For each element of a key: that of the queries.
    pub(super) packed: *const f32,
    /// What is added to the scores of a key, `mask_step` apart, or null for nothing.
    pub(super) mask: *const f32,
    pub(super) mask_step: usize,
    pub(super) to: *mut f32,
}

/// Sums of values for some queries, a row for each: `weightsᵀ * V`.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    /// For each key, `width` apart: the weights of the queries.
    pub(super) weights: *const f32,
    pub(super) width: usize,
    /// For each key, `stride` apart: the value.
    pub(super) values: *const f32,
    pub(super) stride: usize,
    pub(super) keys: usize,
    /// The sums so far, `before_stride` apart, or null for none, and what each is multiplied by.
    pub(super) before: *const f32,
    pub(super) before_stride: usize,
    pub(super) scale: *const f32,
    /// What each result is multiplied by, or null for nothing.
    pub(super) share: *const f32,
    pub(super) to: *mut f32,
    pub(super) to_stride: usize,
}

/// Defines the function of a kind of tile: for each number of rows its own code.
macro_rules! by_rows {
    ($name:ident, $call:ty, $work:ident; $($rows:literal),*) => {
        /// Computes a tile of so many rows of `NV` vectors.
        ///
        /// Each element is summed in ascending order, whatever the size of the tile.
        ///
        /// # Safety
        ///
        /// All that the call points to is valid for so many rows and `NV` vectors, and what is
        /// written overlaps nothing else but the sums so far, to which it may be equal.
        pub(super) unsafe fn $name<S: Simd, const NV: usize>(s: S, rows: usize, call: &$call) {
            match rows {
                $($rows => s.call($work::<'_, $rows, NV>(call)),)*
                _more => unreachable!("a tile has at most {} rows", most_rows::<S>()),
            }
        }
    };
}
by_rows!(scores, Scores, ScoresWork; 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
by_rows!(sums, Sums, SumsWork; 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);

/// The work of [`scores`]. Only that makes one, so that its promises hold.
struct ScoresWork<'a, const MR: usize, const NV: usize>(&'a Scores);

impl<const MR: usize, const NV: usize> ForEachIsa for ScoresWork<'_, MR, NV> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if MR > most_rows::<S>() {
            unreachable!("heights are at most as many");
        }
        let Scores { keys, stride, step, depth, mut packed, mask, mask_step, to } = *self.0;
        let next = keys.wrapping_add(MR * stride);
        let keys: [*const f32; MR] = std::array::from_fn(|i| keys.wrapping_add(i * stride));
        let mut sums = [[s.splat(0.0); NV]; MR];
        for k in 0..depth {
            // SAFETY: there is a row of the panel for each element of a key.
            let columns = unsafe { row::<S, NV>(s, packed) };
            packed = packed.wrapping_add(NV * S::LANES);
            // One after the other, the lines of the keys that follow.
            prefetch(next.wrapping_add(k % LINE * stride + (k - k % LINE)));
            for (sums, key) in sums.iter_mut().zip(&keys) {
                // SAFETY: keys have `depth` elements.
                let x = s.splat(unsafe { *key.wrapping_add(k * step) });
                for (sum, &column) in sums.iter_mut().zip(&columns) {
                    *sum = s.mul_add(x, column, *sum);
                }
            }
        }
        if !mask.is_null() {
            for (i, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the mask has an element for each key.
                let x = s.splat(unsafe { *mask.wrapping_add(i * mask_step) });
                for sum in sums {
                    *sum = s.add(*sum, x);
                }
            }
        }
        for (i, &sums) in sums.iter().enumerate() {
            // SAFETY: there is room for a row for each key.
            unsafe { put(s, sums, to.wrapping_add(i * NV * S::LANES)) };
        }
    }
}

/// The work of [`sums`]. Only that makes one, so that its promises hold.
struct SumsWork<'a, const MR: usize, const NV: usize>(&'a Sums);

impl<const MR: usize, const NV: usize> ForEachIsa for SumsWork<'_, MR, NV> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if MR > most_rows::<S>() {
            unreachable!("heights are at most as many");
        }
        let Sums { mut weights, width, mut values, stride, keys, .. } = *self.0;
        let mut sums = [[s.splat(0.0); NV]; MR];
        for _key in 0..keys {
            // SAFETY: there is a value for each key.
            let columns = unsafe { row::<S, NV>(s, values) };
            for (i, sums) in sums.iter_mut().enumerate() {
                // SAFETY: there is a weight for each key and query.
                let x = s.splat(unsafe { *weights.wrapping_add(i) });
                for (sum, &column) in sums.iter_mut().zip(&columns) {
                    *sum = s.mul_add(x, column, *sum);
                }
            }
            for v in 0..NV {
                prefetch(values.wrapping_add(AHEAD * stride + v * S::LANES));
            }
            weights = weights.wrapping_add(width);
            values = values.wrapping_add(stride);
        }
        let Sums { before, before_stride, scale, share, to, to_stride, .. } = *self.0;
        if !before.is_null() {
            for (i, sums) in sums.iter_mut().enumerate() {
                // SAFETY: there is a row of sums for each query.
                let before = unsafe { row::<S, NV>(s, before.wrapping_add(i * before_stride)) };
                // SAFETY: there is a factor for each query.
                let scale = s.splat(unsafe { *scale.wrapping_add(i) });
                for (sum, &before) in sums.iter_mut().zip(&before) {
                    *sum = s.mul_add(before, scale, *sum);
                }
            }
        }
        if !share.is_null() {
            for (i, sums) in sums.iter_mut().enumerate() {
                // SAFETY: there is a factor for each query.
                let share = s.splat(unsafe { *share.wrapping_add(i) });
                for sum in sums {
                    *sum = s.mul(*sum, share);
                }
            }
        }
        for (i, &sums) in sums.iter().enumerate() {
            // SAFETY: there is room for a row for each query.
            unsafe { put(s, sums, to.wrapping_add(i * to_stride)) };
        }
    }
}

/// Reads `NV` vectors.
///
/// # Safety
///
/// They lie at `from`.
#[inline(always)]
unsafe fn row<S: Simd, const NV: usize>(s: S, from: *const f32) -> [S::F32; NV] {
    // SAFETY: the caller vouches for it.
    let from = unsafe { std::slice::from_raw_parts(from, NV * S::LANES) };
    std::array::from_fn(
        #[inline(always)]
        |v| s.load(&from[v * S::LANES..]),
    )
}

/// Writes `NV` vectors.
///
/// # Safety
///
/// There is room for them at `to`, and nothing else refers to it.
#[inline(always)]
unsafe fn put<S: Simd, const NV: usize>(s: S, vectors: [S::F32; NV], to: *mut f32) {
    // SAFETY: the caller vouches for it.
    let to = unsafe { std::slice::from_raw_parts_mut(to, NV * S::LANES) };
    for (v, &vector) in vectors.iter().enumerate() {
        s.store(vector, &mut to[v * S::LANES..]);
    }
}
