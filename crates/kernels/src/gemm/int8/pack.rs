//! The packed form of an 8-bit B: panels of columns in words of the tile's format.

use super::Tile;
use super::tile::Format;
use crate::buffer::{Buffer, Plain};
use crate::gemm::depth::Depth;
use crate::gemm::pack::Filter;

/// An element of A or B: an 8-bit integer of either sign, or of A one that is [widened](super::widen).
pub trait Byte: Plain {
    /// Whether it has a sign.
    const SIGNED: bool;
    /// Its value.
    fn value(self) -> i32;
}

impl Byte for u8 {
    const SIGNED: bool = false;

    #[inline(always)]
    fn value(self) -> i32 {
        i32::from(self)
    }
}

impl Byte for i8 {
    const SIGNED: bool = true;

    #[inline(always)]
    fn value(self) -> i32 {
        i32::from(self)
    }
}

impl Byte for i16 {
    const SIGNED: bool = true;

    #[inline(always)]
    fn value(self) -> i32 {
        i32::from(self)
    }
}

/// A packed B, with what is needed to account for zero points.
#[derive(Debug)]
pub struct PackedB {
    pub(crate) data: Buffer<i32>,
    pub(crate) tile: &'static Tile,
    pub(crate) depth: Depth,
    pub(crate) n: usize,
    /// Per column: the sum of the packed elements.
    pub(crate) sums: Buffer<i32>,
    /// Per column: the zero point of the packed elements; none where all are zero.
    pub(crate) zero_points: Option<Buffer<i32>>,
}

impl PackedB {
    /// Packs a matrix or a filter. Its rows are cut as A's `depth` is: a matrix's, or that of the
    /// convolution's window. There is a zero point per column, or one for all.
    ///
    /// # Panics
    ///
    /// When B has not as many rows as the depth has elements, or the number of zero points is
    /// neither one nor that of the columns.
    pub fn new<T: Byte>(
        tile: &'static Tile,
        b: Filter<'_, T>,
        depth: Depth,
        zero_points: &[i32],
    ) -> Self {
        let (k, n) = (b.rows(), b.columns);
        assert_eq!(k, depth.elements(), "B has {k} rows, A {} columns", depth.elements());
        assert!(
            zero_points.len() == 1 || zero_points.len() == n,
            "{} zero points for {n} columns",
            zero_points.len()
        );
        let zero_point = |j: usize| zero_points[if zero_points.len() == 1 { 0 } else { j }];
        // Unsigned bytes are packed as signed ones, 128 less.
        let shift = match (tile.format, T::SIGNED) {
            (Format::I16, _) | (_, true) => 0,
            (_, false) => 128,
        };
        let mut less = Buffer::<i32>::zeroed(n);
        less.iter_mut().enumerate().for_each(|(j, less)| {
            *less = if tile.format == Format::I16 { zero_point(j) } else { shift };
        });
        // Whole vectors of columns.
        let packed = n.next_multiple_of(tile.lanes) * column_words(tile, depth);
        let mut data = Buffer::zeroed(packed);
        let mut sums = Buffer::zeroed(n);
        match tile.format {
            Format::I16 => fill::<T, 2>(tile, &b, depth, &less, &mut data, &mut sums),
            Format::U8 | Format::I8 => fill::<T, 4>(tile, &b, depth, &less, &mut data, &mut sums),
        }
        let zero_points = match tile.format {
            Format::I16 => None,
            Format::U8 | Format::I8 if zero_points.iter().all(|&zero| zero == shift) => None,
            Format::U8 | Format::I8 => {
                let mut packed = Buffer::zeroed(n);
                packed.iter_mut().enumerate().for_each(|(j, zero)| *zero = zero_point(j) - shift);
                Some(packed)
            }
        };
        Self { data, tile, depth, n, sums, zero_points }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.n
    }

    /// The tile that it is packed for.
    pub fn tile(&self) -> &'static Tile {
        self.tile
    }

    /// The words of a column.
    pub(crate) fn words(&self) -> usize {
        column_words(self.tile, self.depth)
    }
}

/// The words of a column: those of all segments, and zeros up to a whole step of the tile.
pub(super) fn column_words(tile: &Tile, depth: Depth) -> usize {
    let words = depth.len.div_ceil(tile.format.group());
    (depth.segments * words).next_multiple_of(tile.step())
}

/// Writes the panels, of `GROUP` elements to a word, and adds up each column; `less` is taken from
/// every element of a column.
fn fill<T: Byte, const GROUP: usize>(
    tile: &Tile,
    b: &Filter<'_, T>,
    depth: Depth,
    less: &[i32],
    data: &mut [i32],
    sums: &mut [i32],
) {
    let n = b.columns;
    let width = n.next_multiple_of(tile.lanes);
    let (words, bits) = (depth.len.div_ceil(GROUP), 32 / GROUP);
    let from = |row: usize| {
        let (tap, channel) = (row / b.channels, row % b.channels);
        tap / b.taps[1] * b.tap_strides[0]
            + tap % b.taps[1] * b.tap_strides[1]
            + channel * b.channel_stride
    };
    // No rows, no words.
    let panel_len = (tile.nr * column_words(tile, depth)).max(1);
    for (first, panel) in (0..n).step_by(tile.nr).zip(data.chunks_mut(panel_len)) {
        let columns = first..n.min(first + tile.nr);
        let panel_width = tile.nr.min(width - first);
        let (less, sums) = (&less[columns.clone()], &mut sums[columns]);
        let rows = panel.chunks_exact_mut(panel_width).take(depth.segments * words);
        for (at, packed) in rows.enumerate() {
            let (segment, start) = (at / words, at % words * GROUP);
            let count = GROUP.min(depth.len - start);
            let mut rows = [0; GROUP];
            for (i, row) in rows[..count].iter_mut().enumerate() {
                *row = from(segment * depth.len + start + i);
            }
            let is_run = count == GROUP && rows.windows(2).all(|pair| pair[0] + 1 == pair[1]);
            let columns = packed.iter_mut().zip(&mut *sums).zip(less).enumerate();
            for (j, ((packed, sum), less)) in columns {
                let column = &b.data[(first + j) * b.column_stride..];
                *packed = if is_run {
                    let elements = column[rows[0]..].first_chunk::<GROUP>();
                    word(elements.expect("the last row lies inside"), bits, *less, sum)
                } else if count == GROUP {
                    word(&rows.map(|row| column[row]), bits, *less, sum)
                } else {
                    word(rows[..count].iter().map(|&row| &column[row]), bits, *less, sum)
                };
            }
        }
    }
}

/// At most as many elements as fit into a word, as one.
#[inline(always)]
fn word<'a, T: Byte>(
    elements: impl IntoIterator<Item = &'a T>,
    bits: usize,
    less: i32,
    sum: &mut i32,
) -> i32 {
    let mask = u32::MAX >> (32 - bits);
    let mut word = 0;
    for (i, element) in elements.into_iter().enumerate() {
        let value = element.value() - less;
        *sum += value;
        word |= (value.cast_unsigned() & mask) << (i * bits);
    }
    word.cast_signed()
}
