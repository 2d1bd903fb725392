//! The driver of 8-bit products. Sums are whole before they leave the registers.

use super::finish::{Columns, Finish, Job, Output};
use super::pack::{Byte, PackedB};
use super::rows::{Bytes, Conversion, ReadyBytes};
use super::tile::Call;
use super::{MAX_TILE, MAX_WIDTH};
use crate::Isa;
use crate::buffer::Scratch;
use crate::gemm::block::Block;
use crate::gemm::depth::Depth;
use crate::gemm::registers::Shaped;
use crate::gemm::rows::{Heights, Rows};
use crate::simd::{ForEachIsa, Simd, dispatch};

/// How many rows of A are made ready together: so many that they stay in the second-level cache.
fn ready_rows(depth: Depth) -> usize {
    const BYTES: usize = 256 << 10;
    (BYTES / depth.elements().max(1)).clamp(28, 224)
}

/// The scratch that [`gemm`] takes for blocks of up to `rows` rows of bytes.
pub fn scratch_bytes(b: &PackedB, rows: usize) -> usize {
    scratch_bytes_for::<u8>(b, rows)
}

/// The same for rows of any elements.
pub fn scratch_bytes_for<T: Byte>(b: &PackedB, rows: usize) -> usize {
    let conversion = Conversion::new(b.tile, b.depth, 0);
    Bytes::<T>::bytes(rows.min(ready_rows(b.depth)), b.depth, conversion)
}

/// Computes a block of C; the output is that block. `zero_point` is A's, and what pads it.
///
/// # Panics
///
/// When shapes do not fit together, or the scratch is less than [`scratch_bytes`].
pub fn gemm<T: Byte>(
    a: &Rows<'_, T>,
    zero_point: i32,
    b: &PackedB,
    block: &Block,
    mut finish: Finish<'_>,
    scratch: &mut [u8],
) {
    check(a, b, block, &finish);
    if block.rows.is_empty() || block.columns.is_empty() {
        return;
    }
    let conversion = Conversion::new(b.tile, b.depth, zero_point);
    let blocks = Heights::new(block.rows.len(), ready_rows(b.depth));
    let most = blocks.rows(0).len();
    let mut bytes = Bytes::take(&mut Scratch::new(scratch), most, b.depth, conversion);
    // SAFETY: `check` has found the instruction set available.
    let shaped = b.tile.registers.map(|registers| unsafe { Shaped::new(registers) });
    let mut sums = Sums { shaped, sums: [0; MAX_TILE] };
    for i in 0..blocks.tiles {
        let inside = blocks.rows(i);
        let rows = block.rows.start + inside.start..block.rows.start + inside.end;
        let heights = Heights::new(rows.len(), b.tile.mr);
        let ready =
            bytes.ready(a, rows, heights, block.columns.len(), conversion, b.zero_points.is_some());
        for first in block.columns.clone().step_by(b.tile.nr) {
            let count = b.tile.nr.min(block.columns.end - first);
            let zero_point = conversion.converted_zero_point::<T>();
            let columns = columns(b, zero_point, first, count, &finish);
            let to = first - block.columns.start;
            let at = [inside.start, to, count];
            let panel = Panel { b, ready: &ready, heights, first, columns: &columns, at };
            panel.run(&mut finish.output, &mut sums);
        }
    }
}

fn check<T: Byte>(a: &Rows<'_, T>, b: &PackedB, block: &Block, finish: &Finish<'_>) {
    assert_eq!(a.depth(), b.depth, "A and B cut their inner dimension in the same way");
    assert!(b.tile.isa.is_available(), "B is packed for {}", b.tile.name);
    let Block { rows, columns } = block;
    assert!(rows.start <= rows.end && rows.end <= a.rows(), "rows {rows:?} of {}", a.rows());
    assert!(columns.start <= columns.end && columns.end <= b.n, "columns {columns:?} of {}", b.n);
    assert!(
        columns.start.is_multiple_of(b.tile.nr)
            && (columns.end == b.n || columns.end.is_multiple_of(b.tile.nr)),
        "columns {columns:?} are not whole panels of {}",
        b.tile.nr
    );
    finish.check([rows.len(), columns.len()], b.n);
}

/// Takes A's zero point from bytes, for tiles that [multiply 16 bits](super::Tile::is_wide): where many
/// rows share an element it need not be done for each. The zero point is 0 then.
///
/// # Panics
///
/// When the lengths differ.
pub fn widen<T: Byte>(isa: Isa, from: &[T], zero_point: i32, to: &mut [i16]) {
    struct Widen<'a, T>(&'a [T], i32, &'a mut [i16]);

    impl<T: Byte> ForEachIsa for Widen<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd>(self, _: S) {
            for (from, to) in self.0.iter().zip(self.2) {
                *to = (from.value() - self.1) as i16;
            }
        }
    }

    assert_eq!(from.len(), to.len());
    dispatch(isa, Widen(from, zero_point, to));
}

/// What is needed of each column of a panel.
fn columns(
    b: &PackedB,
    zero_point: i32,
    first: usize,
    count: usize,
    finish: &Finish<'_>,
) -> Columns {
    let shift = |j: usize| b.zero_points.as_ref().map_or(0, |zero_points| zero_points[j]);
    let k = b.depth.elements() as i32;
    // With the zero points multiplied out, two of the terms are the column's alone.
    let own = |j: usize| zero_point.wrapping_mul(k.wrapping_mul(shift(j)).wrapping_sub(b.sums[j]));
    let mut columns = Columns::new(finish, first, count, own);
    if let Some(all) = &b.zero_points {
        let mut zero_points = [0; MAX_WIDTH];
        zero_points[..count].copy_from_slice(&all[first..][..count]);
        columns.zero_points = Some(zero_points);
    }
    columns
}

/// What a tile computes in.
///
/// Aligned so that no store crosses a cache line.
#[repr(align(64))]
struct Sums {
    sums: [i32; MAX_TILE],
    shaped: Option<Shaped>,
}

/// The columns of one panel of all rows that are ready.
struct Panel<'a> {
    b: &'a PackedB,
    ready: &'a ReadyBytes<'a>,
    heights: Heights,
    /// The first of its columns in the whole C.
    first: usize,
    columns: &'a Columns,
    /// Row and column in the block, and the number of columns.
    at: [usize; 3],
}

impl Panel<'_> {
    fn run(&self, output: &mut Output<'_>, sums: &mut Sums) {
        let Panel { b, ready, heights, first, columns, at: [row, column, count] } = *self;
        let tile = b.tile;
        let width = count.next_multiple_of(tile.lanes);
        let packed = &b.data[first / tile.nr * tile.nr * b.words()..][..width * b.words()];
        debug_assert_eq!(ready.segments * ready.words, b.words(), "A and B have the same words");
        for rows in (0..heights.tiles).map(|i| heights.rows(i)) {
            let call = Call {
                rows: ready.table(&rows),
                segments: ready.segments,
                words: ready.words,
                stride: ready.stride,
                b: packed.as_ptr(),
                start: columns.offsets.as_ptr(),
                sums: sums.sums.as_mut_ptr(),
            };
            if let Some(shaped) = &mut sums.shaped {
                shaped.shape(rows.len());
            }
            let run = tile.sizes[rows.len() - 1][width / tile.lanes - 1];
            // SAFETY: `check` has found the instruction set available. The table comes from `ready`
            // for these rows, in the form that the tile wants; the panel holds a row of the width
            // for all words; there is a start for every column of the widest panel, and `sums` is
            // wide enough for every tile.
            unsafe { run(&call) };
            let job = Job {
                sums: &sums.sums[..rows.len() * width],
                width,
                columns,
                row_sums: &ready.sums[rows.clone()],
                at: [row + rows.start..row + rows.end, column..column + count],
                output: &mut *output,
            };
            // SAFETY: as above.
            unsafe { (tile.finish)(job) };
        }
    }
}
