//! The f32 tile: one body, compiled for each instruction set and each size.

use std::ptr::NonNull;

use crate::simd::{ForEachIsa, Simd};

/// What one call of a tile works on: `rows x columns` of C over one block of k.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// For each segment of k, one pointer per row of the tile to `depth` elements of A.
    pub(crate) rows: *const *const f32,
    pub(crate) segments: usize,
    pub(crate) depth: usize,
    /// From one element of a row of A to the next.
    pub(crate) step: usize,
    /// The packed panel, at the first k of the block.
    pub(crate) b: *const f32,
    /// From one panel to the next, for the tiles that are wider than a panel.
    pub(crate) panel_stride: usize,
    /// What the sums are added to: a row per row of the tile, `start_stride` apart (0: one row).
    pub(crate) start: *const f32,
    pub(crate) start_stride: usize,
    /// What is added after that: a row per row of the tile, or null for nothing.
    pub(crate) residual: *const f32,
    pub(crate) residual_stride: usize,
    /// What the caller will read next, asked for while this tile computes: an address for each k.
    pub(crate) ahead: *const f32,
    pub(crate) ahead_step: usize,
    pub(crate) c: *mut f32,
    pub(crate) c_stride: usize,
    /// The result is clamped to `low..=high`; NaN stays NaN.
    pub(crate) low: f32,
    pub(crate) high: f32,
}

/// A tile compiled for one instruction set, number of rows and number of vectors.
///
/// # Safety
///
/// The machine has the instruction set, and all that [`Call`] points to is valid for the tile's
/// rows and columns, `ahead` excepted; `c` overlaps none of the rest except `start`, which may be
/// equal to it.
pub(crate) type Run = unsafe fn(&Call);

/// Computes `MR` rows of `NV` vectors; panels are `VP` vectors wide (a lone narrower one: `NV`).
///
/// Each element is summed over k in ascending order, whatever the size of the tile: so the
/// result does not depend on how a matrix is cut into tiles.
///
/// # Safety
///
/// As for [`Run`].
pub(crate) unsafe fn run<S: Simd, const MR: usize, const NV: usize, const VP: usize>(call: &Call) {
    // SAFETY: the caller vouches for the instruction set.
    let s = unsafe { token::<S>() };
    s.call(Sums::<'_, MR, NV, VP>(call));
}

/// The token of an instruction set.
///
/// # Safety
///
/// The machine has the instruction set.
pub(crate) unsafe fn token<S: Copy>() -> S {
    const { assert!(size_of::<S>() == 0, "a token carries no data") };
    // SAFETY: reading no bytes is sound; what the token stands for is the caller's promise.
    unsafe { NonNull::<S>::dangling().read() }
}

/// The work of [`run`]. Only `run` makes one, so that its promises hold.
struct Sums<'a, const MR: usize, const NV: usize, const VP: usize>(&'a Call);

impl<const MR: usize, const NV: usize, const VP: usize> ForEachIsa for Sums<'_, MR, NV, VP> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let call = self.0;
        let mut sums = [[s.splat(0.0); NV]; MR];
        expect::<S, MR, NV>(call);
        let step = if NV < VP { NV } else { VP } * S::LANES;
        let mut b = call.b;
        let mut ahead = call.ahead;
        for segment in 0..call.segments {
            let rows = call.rows.wrapping_add(segment * MR).cast::<[*const f32; MR]>();
            // SAFETY: the table has `MR` pointers for each segment.
            let rows = unsafe { rows.read() };
            for k in 0..call.depth {
                prefetch_far(ahead);
                ahead = ahead.wrapping_add(call.ahead_step);
                let mut columns = [s.splat(0.0); NV];
                for (v, column) in columns.iter_mut().enumerate() {
                    let from = b.wrapping_add(v / VP * call.panel_stride + v % VP * S::LANES);
                    // SAFETY: the panel holds `step` elements for each of `segments * depth` k.
                    *column = s.load(unsafe { std::slice::from_raw_parts(from, S::LANES) });
                    // A panel is read once from front to back.
                    prefetch(from.wrapping_add(AHEAD));
                }
                for (i, row) in sums.iter_mut().enumerate() {
                    // SAFETY: each pointer of the table has `depth` elements behind it.
                    let a = s.splat(unsafe { *rows[i].wrapping_add(k * call.step) });
                    for (sum, &column) in row.iter_mut().zip(&columns) {
                        *sum = s.mul_add(a, column, *sum);
                    }
                }
                b = b.wrapping_add(step);
            }
        }
        // SAFETY: `run`'s caller vouches for `start` and `c`.
        unsafe { finish(s, call, sums) };
    }
}

/// Computes `MR` rows of `NV` vectors of `S` and one of `H`, which is half as wide: panels are
/// packed in whole vectors, of which the last one has a lower half only.
///
/// # Safety
///
/// As for [`Run`]; a machine that has `S` has `H`.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn run_half<S: Simd, H: Simd, const MR: usize, const NV: usize>(call: &Call) {
    // SAFETY: the caller vouches for the instruction set.
    let s = unsafe { token::<S>() };
    // SAFETY: as above: a machine that has the one has the other.
    let h = unsafe { token::<H>() };
    s.call(HalfSums::<'_, H, MR, NV>(call, h));
}

/// The work of [`run_half`]. Only `run_half` makes one, so that its promises hold.
#[cfg(target_arch = "x86_64")]
struct HalfSums<'a, H, const MR: usize, const NV: usize>(&'a Call, H);

#[cfg(target_arch = "x86_64")]
impl<H: Simd, const MR: usize, const NV: usize> ForEachIsa for HalfSums<'_, H, MR, NV> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let HalfSums(call, h) = self;
        let mut sums = [[s.splat(0.0); NV]; MR];
        let mut halves = [[h.splat(0.0)]; MR];
        expect::<H, MR, 1>(call);
        let step = (NV + 1) * S::LANES;
        let mut b = call.b;
        for segment in 0..call.segments {
            let rows = call.rows.wrapping_add(segment * MR).cast::<[*const f32; MR]>();
            // SAFETY: the table has `MR` pointers for each segment.
            let rows = unsafe { rows.read() };
            for k in 0..call.depth {
                // SAFETY: the panel holds `step` elements for each of `segments * depth` k.
                let panel = unsafe { std::slice::from_raw_parts(b, step) };
                prefetch(b.wrapping_add(AHEAD));
                let mut columns = [s.splat(0.0); NV];
                for (v, column) in columns.iter_mut().enumerate() {
                    *column = s.load(&panel[v * S::LANES..]);
                }
                let half = h.load(&panel[NV * S::LANES..]);
                for (i, row) in sums.iter_mut().enumerate() {
                    // SAFETY: each pointer of the table has `depth` elements behind it.
                    let a = unsafe { *rows[i].wrapping_add(k * call.step) };
                    for (sum, &column) in row.iter_mut().zip(&columns) {
                        *sum = s.mul_add(s.splat(a), column, *sum);
                    }
                    halves[i][0] = h.mul_add(h.splat(a), half, halves[i][0]);
                }
                b = b.wrapping_add(step);
            }
        }
        // SAFETY: `run_half`'s caller vouches for `start`, `c` and `residual`.
        unsafe { finish(s, call, sums) };
        let column = NV * S::LANES;
        let rest = Call {
            start: call.start.wrapping_add(column),
            residual: if call.residual.is_null() {
                call.residual
            } else {
                call.residual.wrapping_add(column)
            },
            c: call.c.wrapping_add(column),
            ..*call
        };
        // SAFETY: as above, for the columns after those.
        unsafe { finish(h, &rest, halves) };
    }
}

/// Asks for the lines of C and of what is added to it: by the time the sums are done, they have
/// arrived.
#[inline(always)]
pub(crate) fn expect<S: Simd, const MR: usize, const NV: usize>(call: &Call) {
    for i in 0..MR {
        for v in (0..NV * S::LANES).step_by(LINE) {
            prefetch(call.c.wrapping_add(i * call.c_stride + v));
        }
    }
    if !call.residual.is_null() {
        for i in 0..MR {
            for v in (0..NV * S::LANES).step_by(LINE) {
                prefetch(call.residual.wrapping_add(i * call.residual_stride + v));
            }
        }
    }
}

/// Adds sums to what they start from, clamps and writes them.
///
/// # Safety
///
/// `start`, `c` and `residual` if it is not null hold `MR` rows of `NV` vectors.
#[inline(always)]
pub(crate) unsafe fn finish<S: Simd, const MR: usize, const NV: usize>(
    s: S,
    call: &Call,
    mut sums: [[S::F32; NV]; MR],
) {
    // SAFETY: the caller vouches for it.
    unsafe { add_rows(s, call.start, call.start_stride, &mut sums) };
    if !call.residual.is_null() {
        // SAFETY: the caller vouches for it.
        unsafe { add_rows(s, call.residual, call.residual_stride, &mut sums) };
    }
    let (low, high) = (s.splat(call.low), s.splat(call.high));
    for (i, row) in sums.iter().enumerate() {
        for (v, &sum) in row.iter().enumerate() {
            let sum = s.clamp(sum, low, high);
            let to = call.c.wrapping_add(i * call.c_stride + v * S::LANES);
            // SAFETY: the caller vouches for it.
            s.store(sum, unsafe { std::slice::from_raw_parts_mut(to, S::LANES) });
        }
    }
}

/// Adds rows that lie `stride` apart to sums.
///
/// # Safety
///
/// From `rows` on there are `MR` rows of `NV` vectors.
#[inline(always)]
unsafe fn add_rows<S: Simd, const MR: usize, const NV: usize>(
    s: S,
    rows: *const f32,
    stride: usize,
    sums: &mut [[S::F32; NV]; MR],
) {
    for (i, row) in sums.iter_mut().enumerate() {
        for (v, sum) in row.iter_mut().enumerate() {
            let from = rows.wrapping_add(i * stride + v * S::LANES);
            // SAFETY: the caller vouches for it.
            *sum = s.add(s.load(unsafe { std::slice::from_raw_parts(from, S::LANES) }), *sum);
        }
    }
}

/// How far ahead of its use a panel's line is asked for, in elements.
pub(crate) const AHEAD: usize = 1024;

/// Asks for the cache line at `at`, which need not be valid, where there is an instruction for it.
#[inline(always)]
pub(crate) fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 has the instruction, and any address is harmless to it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// The same for what is used later than the first-level cache would keep it.
#[inline(always)]
pub(crate) fn prefetch_far<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: every x86-64 has the instruction, and any address is harmless to it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// The elements of a cache line.
pub(crate) const LINE: usize = 16;

/// The tile functions of one set: for each number of rows, those of 1 to `$panel` vectors.
macro_rules! sizes {
    ($simd:ty, $panel:literal; $vectors:tt; $($rows:literal),*) => {
        &[$(sizes!(@ $simd, $panel, $rows, $vectors)),*]
    };
    (@ $simd:ty, $panel:literal, $rows:literal, [$($vectors:literal),*]) => {
        &[$(run::<$simd, $rows, $vectors, $panel>),*]
    };
}
pub(crate) use sizes;

/// For each number of rows, the tile functions of half a vector and of one and a half.
#[cfg(target_arch = "x86_64")]
macro_rules! halves {
    ($simd:ty, $half:ty; $($rows:literal),*) => {
        &[$([run_half::<$simd, $half, $rows, 0>, run_half::<$simd, $half, $rows, 1>]),*]
    };
}
#[cfg(target_arch = "x86_64")]
pub(crate) use halves;
