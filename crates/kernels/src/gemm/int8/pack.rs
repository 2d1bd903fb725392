//! The packed form of an 8-bit B: panels of columns in words of the tile's format.

use super::Tile;
use super::tile::Format;
use crate::buffer::{Buffer, Plain};
use crate::gemm::depth::Depth;
use crate::gemm::pack::Filter;

/// An 8-bit integer of either sign.
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
        let group = tile.format.group();
        let words = depth.len.div_ceil(group);
        let width = n.next_multiple_of(tile.lanes);
        let mut data = Buffer::zeroed(width * depth.segments * words);
        let mut sums = Buffer::zeroed(n);
        let panel_len = tile.nr * depth.segments * words;
        for (j, sum) in sums.iter_mut().enumerate() {
            let panel = &mut data[j / tile.nr * panel_len..];
            let panel_width = tile.nr.min(width - j / tile.nr * tile.nr);
            for row in 0..k {
                let (tap, channel) = (row / b.channels, row % b.channels);
                let from = tap / b.taps[1] * b.tap_strides[0]
                    + tap % b.taps[1] * b.tap_strides[1]
                    + channel * b.channel_stride
                    + j * b.column_stride;
                let (segment, at) = (row / depth.len, row % depth.len);
                let word = (segment * words + at / group) * panel_width + j % tile.nr;
                let value = b.data[from].value();
                let value = match tile.format {
                    Format::I16 => value - zero_point(j),
                    Format::U8 | Format::I8 => value - shift,
                };
                *sum += value;
                let bits = 32 / group;
                let mask = u32::MAX >> (32 - bits);
                let element = (value.cast_unsigned() & mask) << (at % group * bits);
                panel[word] |= element.cast_signed();
            }
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
        self.depth.segments * self.segment_words()
    }

    /// The words of a column in one segment.
    pub(crate) fn segment_words(&self) -> usize {
        self.depth.len.div_ceil(self.tile.format.group())
    }
}
