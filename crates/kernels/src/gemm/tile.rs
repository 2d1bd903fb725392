//! The f32 tile: one body, compiled for each instruction set and each size.

use super::lanes::Lanes;

/// What one call of a tile works on: `rows x columns` of C over one block of k.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// For each segment of k, one pointer per row of the tile to `depth` elements of A.
    pub(crate) rows: *const *const f32,
    pub(crate) segments: usize,
    pub(crate) depth: usize,
    /// The packed panel, at the first k of the block.
    pub(crate) b: *const f32,
    /// From one panel to the next, for the tiles that are wider than a panel.
    pub(crate) panel_stride: usize,
    /// What the sum starts from: a row per row of the tile, `start_stride` apart (0: the same row).
    pub(crate) start: *const f32,
    pub(crate) start_stride: usize,
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
/// rows and columns; `c` overlaps none of the rest except `start`, which may be equal to it.
pub(crate) type Run = unsafe fn(&Call);

/// Computes `MR` rows of `NV` vectors; panels are `VP` vectors wide (a lone narrower one: `NV`).
///
/// Each element is summed over k in ascending order, whatever the size of the tile: so the
/// result does not depend on how a matrix is cut into tiles.
///
/// # Safety
///
/// As for [`Run`]; the instruction set is vouched for by `lanes`.
#[inline(always)]
pub(crate) unsafe fn body<L: Lanes, const MR: usize, const NV: usize, const VP: usize>(
    lanes: L,
    call: &Call,
) {
    let mut sums = [[lanes.splat(0.0); NV]; MR];
    for (i, row) in sums.iter_mut().enumerate() {
        for (v, sum) in row.iter_mut().enumerate() {
            let from = call.start.wrapping_add(i * call.start_stride + v * L::N);
            // SAFETY: `start` holds a full row of the tile for each `i`.
            *sum = unsafe { lanes.load(from) };
        }
    }
    let step = if NV < VP { NV } else { VP } * L::N;
    let mut b = call.b;
    for segment in 0..call.segments {
        let rows = call.rows.wrapping_add(segment * MR).cast::<[*const f32; MR]>();
        // SAFETY: the table has `MR` pointers for each segment.
        let rows = unsafe { rows.read() };
        for k in 0..call.depth {
            let mut columns = [lanes.splat(0.0); NV];
            for (v, column) in columns.iter_mut().enumerate() {
                let from = b.wrapping_add(v / VP * call.panel_stride + v % VP * L::N);
                // SAFETY: the panel holds `step` elements for each of the `segments * depth` k.
                *column = unsafe { lanes.load(from) };
                // A panel is read once from front to back; these lines are due in some 100 cycles.
                lanes.prefetch(from.wrapping_add(PREFETCH));
            }
            for (i, row) in sums.iter_mut().enumerate() {
                // SAFETY: each pointer of the table has `depth` elements behind it.
                let a = lanes.splat(unsafe { *rows[i].wrapping_add(k) });
                for (sum, &column) in row.iter_mut().zip(&columns) {
                    *sum = lanes.mul_add(a, column, *sum);
                }
            }
            b = b.wrapping_add(step);
        }
    }
    let (low, high) = (lanes.splat(call.low), lanes.splat(call.high));
    for (i, row) in sums.iter().enumerate() {
        for (v, &sum) in row.iter().enumerate() {
            let sum = lanes.at_most(lanes.at_least(sum, low), high);
            let to = call.c.wrapping_add(i * call.c_stride + v * L::N);
            // SAFETY: `c` holds a full row of the tile for each `i`.
            unsafe { lanes.store(to, sum) };
        }
    }
}

/// How far ahead of its use a panel's line is asked for, in elements.
const PREFETCH: usize = 512;

/// `[[rows 1], [rows 2], ..]`: the tile functions of one set, each row for 1 to `VP` vectors.
macro_rules! sizes {
    ($function:ident, $panel:literal; $($rows:literal),*; 1) => {
        &[$(&[$function::<$rows, 1, $panel>]),*]
    };
    ($function:ident, $panel:literal; $($rows:literal),*; 2) => {
        &[$(&[$function::<$rows, 1, $panel>, $function::<$rows, 2, $panel>]),*]
    };
    ($function:ident, $panel:literal; $($rows:literal),*; 3) => {
        &[$(&[
            $function::<$rows, 1, $panel>,
            $function::<$rows, 2, $panel>,
            $function::<$rows, 3, $panel>,
        ]),*]
    };
}
pub(crate) use sizes;
