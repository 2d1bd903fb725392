//! The rows of A in the form that a tile multiplies: where they lie, or converted.

use std::ops::Range;

use super::pack::Byte;
use super::tile::Format;
use crate::buffer::Scratch;
use crate::gemm::depth::{Depth, Piece};
use crate::gemm::rows::{Heights, Ready, Room, Rows};

/// The memory in which a block of A is made ready.
pub(super) struct Bytes<'a, T> {
    room: Room<'a, T>,
    pointers: &'a mut [*const u8],
    converted: &'a mut [u8],
    sums: &'a mut [i32],
}

/// A block of A, ready for tiles.
pub(super) struct ReadyBytes<'r> {
    pointers: &'r [*const u8],
    pub(super) segments: usize,
    pub(super) words: usize,
    /// The sum of each row's elements as the tile sees them, where it was asked for.
    pub(super) sums: &'r [i32],
}

impl ReadyBytes<'_> {
    pub(super) fn table(&self, rows: &Range<usize>) -> *const *const u8 {
        self.pointers[rows.start * self.segments..rows.end * self.segments].as_ptr()
    }
}

/// How the elements of A differ from what the tile multiplies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion {
    pub(super) format: Format,
    /// A's zero point.
    pub(super) zero_point: i32,
}

impl Conversion {
    /// Whether elements of this type are what the tile multiplies.
    fn is_none<T: Byte>(self) -> bool {
        match self.format {
            Format::U8 => !T::SIGNED,
            Format::I8 => T::SIGNED,
            Format::I16 => false,
        }
    }

    /// The zero point of the converted elements.
    pub(super) fn converted_zero_point<T: Byte>(self) -> i32 {
        match (self.format, T::SIGNED) {
            (Format::U8, false) | (Format::I8, true) => self.zero_point,
            (Format::U8, true) => self.zero_point + 128,
            (Format::I8, false) => self.zero_point - 128,
            (Format::I16, _) => 0,
        }
    }

    /// The bytes of a converted segment of `len` elements, whole words.
    fn segment_bytes(self, len: usize) -> usize {
        let bytes = 4 * len.div_ceil(self.format.group());
        // Rows a multiple of this apart would share few lines of the first-level cache.
        if bytes > 0 && bytes.is_multiple_of(1024) { bytes + 64 } else { bytes }
    }

    #[inline(always)]
    fn convert<T: Byte>(self, from: &[T], to: &mut [u8]) {
        match self.format {
            Format::U8 | Format::I8 => {
                let shift = if self.is_none::<T>() { 0 } else { 0x80 };
                let (elements, rest) = to.split_at_mut(from.len());
                for (to, &x) in elements.iter_mut().zip(from) {
                    *to = (x.value() as u8) ^ shift;
                }
                rest.fill(0);
            }
            Format::I16 => {
                let (elements, rest) = to.split_at_mut(2 * from.len());
                for (to, &x) in elements.as_chunks_mut::<2>().0.iter_mut().zip(from) {
                    *to = ((x.value() - self.zero_point) as i16).to_ne_bytes();
                }
                rest.fill(0);
            }
        }
    }
}

impl<'a, T: Byte> Bytes<'a, T> {
    pub(super) fn bytes(rows: usize, depth: Depth, format: Format) -> usize {
        let conversion = Conversion { format, zero_point: 0 };
        let segments = depth.segments.max(1);
        Room::<T>::bytes(rows, depth, depth.elements())
            + Scratch::bytes_for::<*const u8>(rows * segments)
            + Scratch::bytes_for::<u8>(rows * segments * conversion.segment_bytes(depth.len))
            + Scratch::bytes_for::<i32>(rows)
    }

    pub(super) fn take(
        scratch: &mut Scratch<'a>,
        rows: usize,
        depth: Depth,
        format: Format,
    ) -> Self {
        let conversion = Conversion { format, zero_point: 0 };
        let segments = depth.segments.max(1);
        Self {
            room: Room::take(scratch, rows, depth, depth.elements()),
            pointers: scratch.take(rows * segments),
            converted: scratch.take(rows * segments * conversion.segment_bytes(depth.len)),
            sums: scratch.take(rows),
        }
    }

    /// Makes some rows ready, and sums them if `b` has zero points.
    pub(super) fn ready<'r>(
        &'r mut self,
        a: &Rows<'_, T>,
        rows: Range<usize>,
        heights: Heights,
        columns: usize,
        conversion: Conversion,
        wants_sums: bool,
    ) -> ReadyBytes<'r> {
        let depth = a.depth();
        let piece = Piece::whole(depth);
        let count = rows.len();
        let Ready { pointers, segments, len } =
            a.ready(rows, heights, &piece, columns, &mut self.room);
        let words = len.div_ceil(conversion.format.group());
        // A last word that is not full reaches beyond the row.
        let full = len.is_multiple_of(conversion.format.group());
        if conversion.is_none::<T>() && full && !wants_sums {
            // SAFETY: pointers to elements of a byte are pointers to bytes.
            let pointers =
                unsafe { std::slice::from_raw_parts(pointers.as_ptr().cast(), pointers.len()) };
            return ReadyBytes { pointers, segments, words, sums: self.sums };
        }
        let used = &mut self.pointers[..count * segments];
        let data = a.data();
        let stride = conversion.segment_bytes(len);
        for (i, (pointer, &from)) in used.iter_mut().zip(pointers).enumerate() {
            // What is beyond a row meets zeros in B, but must not lie beyond A.
            let at = from.addr().wrapping_sub(data.as_ptr().addr()) / size_of::<T>();
            let inside = at < data.len() && 4 * words <= data.len() - at;
            if conversion.is_none::<T>() && full {
                *pointer = from.cast();
            } else if conversion.is_none::<T>() && inside {
                // From all of A, as more than the row is read.
                *pointer = data.as_ptr().wrapping_add(at).cast();
            } else {
                // SAFETY: `ready` gives pointers to `len` elements each.
                let from = unsafe { std::slice::from_raw_parts(from, len) };
                let to = &mut self.converted[i * stride..][..4 * words];
                conversion.convert(from, to);
                *pointer = to.as_ptr();
            }
        }
        if wants_sums {
            let shift = conversion.converted_zero_point::<T>() - conversion.zero_point;
            for tile in (0..heights.tiles).map(|i| heights.rows(i)) {
                for (i, row) in tile.clone().enumerate() {
                    let table = &pointers[tile.start * segments..];
                    self.sums[row] = (0..segments)
                        .map(|segment| {
                            let from = table[segment * tile.len() + i];
                            // SAFETY: `ready` gives pointers to `len` elements each.
                            let from = unsafe { std::slice::from_raw_parts(from, len) };
                            from.iter().map(|x| x.value() + shift).sum::<i32>()
                        })
                        .sum();
                }
            }
        }
        ReadyBytes { pointers: self.pointers, segments, words, sums: self.sums }
    }
}
