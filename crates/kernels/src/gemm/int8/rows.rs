//! The rows of A in the form that a tile multiplies: where they lie, or converted.

use std::ops::Range;

use super::Tile;
use super::pack::{Byte, column_words};
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
    /// The bytes from one row to the next, where the tile asks for one distance.
    pub(super) stride: usize,
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
    /// Whether the tile wants rows in one segment and at equal distances: then the words of one,
    /// whole steps.
    pub(super) even: Option<usize>,
    /// A's zero point.
    pub(super) zero_point: i32,
}

impl Conversion {
    pub(super) fn new(tile: &Tile, depth: Depth, zero_point: i32) -> Self {
        let even = tile.registers.map(|_| column_words(tile, depth));
        Self { format: tile.format, even, zero_point }
    }

    /// Whether elements of this type are what the tile multiplies.
    fn is_none<T: Byte>(self) -> bool {
        match self.format {
            Format::U8 => !T::SIGNED,
            Format::I8 => T::SIGNED,
            Format::I16 => size_of::<T>() == size_of::<i16>(),
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

    /// The words of a converted segment of `len` elements.
    fn segment_words(self, len: usize) -> usize {
        len.div_ceil(self.format.group())
    }

    /// The bytes of a converted segment of `len` elements, whole words.
    fn segment_bytes(self, len: usize) -> usize {
        spread(4 * self.segment_words(len))
    }

    /// The bytes of a converted row.
    fn row_bytes(self, depth: Depth) -> usize {
        let apart = depth.segments.max(1) * self.segment_bytes(depth.len);
        self.even.map_or(apart, |words| spread(4 * words))
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

/// As many bytes or more: rows a multiple of 1024 apart would share few lines of the first-level
/// cache.
fn spread(bytes: usize) -> usize {
    if bytes > 0 && bytes.is_multiple_of(1024) { bytes + 64 } else { bytes }
}

impl<'a, T: Byte> Bytes<'a, T> {
    pub(super) fn bytes(rows: usize, depth: Depth, conversion: Conversion) -> usize {
        let segments = depth.segments.max(1);
        Room::<T>::bytes(rows, depth, depth.elements())
            + Scratch::bytes_for::<*const u8>(rows * segments)
            + Scratch::bytes_for::<u8>(rows * conversion.row_bytes(depth))
            + Scratch::bytes_for::<i32>(rows)
    }

    pub(super) fn take(
        scratch: &mut Scratch<'a>,
        rows: usize,
        depth: Depth,
        conversion: Conversion,
    ) -> Self {
        let segments = depth.segments.max(1);
        Self {
            room: Room::take(scratch, rows, depth, depth.elements()),
            pointers: scratch.take(rows * segments),
            converted: scratch.take(rows * conversion.row_bytes(depth)),
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
        let ready = a.ready(rows, heights, &piece, columns, &mut self.room);
        if wants_sums {
            let shift = conversion.converted_zero_point::<T>() - conversion.zero_point;
            sum(&ready, heights, shift, self.sums);
        }
        let sums = &*self.sums;
        if let Some(words) = conversion.even {
            let even = |pointers, stride| ReadyBytes { pointers, segments: 1, words, stride, sums };
            return match distance(&ready, conversion, words) {
                Some(distance) => even(as_bytes(ready.pointers), distance),
                None => {
                    let to = (&mut *self.pointers, &mut *self.converted);
                    let stride = gather(&ready, heights, conversion, words, to);
                    even(self.pointers, stride)
                }
            };
        }
        let Ready { pointers, segments, len } = ready;
        let words = conversion.segment_words(len);
        // A last word that is not full reaches beyond the row.
        let full = len.is_multiple_of(conversion.format.group());
        if conversion.is_none::<T>() && full {
            return ReadyBytes { pointers: as_bytes(pointers), segments, words, stride: 0, sums };
        }
        let used = &mut self.pointers[..pointers.len()];
        let data = a.data();
        let stride = conversion.segment_bytes(len);
        for (i, (pointer, &from)) in used.iter_mut().zip(pointers).enumerate() {
            // What is beyond a row meets zeros in B, but must not lie beyond A.
            let at = from.addr().wrapping_sub(data.as_ptr().addr()) / size_of::<T>();
            let inside = at < data.len() && 4 * words <= data.len() - at;
            if conversion.is_none::<T>() && inside {
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
        ReadyBytes { pointers: used, segments, words, stride: 0, sums }
    }
}

/// Pointers to elements as pointers to bytes.
fn as_bytes<T: Byte>(pointers: &[*const T]) -> &[*const u8] {
    // SAFETY: pointers are alike, and integers may be read as bytes.
    unsafe { std::slice::from_raw_parts(pointers.as_ptr().cast(), pointers.len()) }
}

/// The segments of rows that are ready, each with its row and its number.
fn segments<'r, T: Byte>(
    ready: &Ready<'r, T>,
    heights: Heights,
) -> impl Iterator<Item = (usize, usize, &'r [T])> {
    let (pointers, count, len) = (ready.pointers, ready.segments, ready.len);
    (0..heights.tiles).map(move |tile| heights.rows(tile)).flat_map(move |tile| {
        let table = &pointers[tile.start * count..tile.end * count];
        table.chunks_exact(tile.len().max(1)).enumerate().flat_map(move |(segment, rows)| {
            rows.iter().enumerate().map(move |(i, &from)| {
                // SAFETY: `ready` has pointers to `len` elements each, that live as it does.
                (tile.start + i, segment, unsafe { std::slice::from_raw_parts(from, len) })
            })
        })
    })
}

/// Sums the elements of each row, each of which is `shift` more.
fn sum<T: Byte>(ready: &Ready<'_, T>, heights: Heights, shift: i32, sums: &mut [i32]) {
    for (row, segment, elements) in segments(ready, heights) {
        let before = if segment == 0 { 0 } else { sums[row] };
        sums[row] = before + elements.iter().map(|x| x.value() + shift).sum::<i32>();
    }
}

/// The bytes from one row to the next where rows lie as an even tile wants them, of `words` words.
fn distance<T: Byte>(ready: &Ready<'_, T>, conversion: Conversion, words: usize) -> Option<usize> {
    let rows = ready.pointers;
    let between = |pair: &[*const T]| pair[1].addr().wrapping_sub(pair[0].addr());
    let distance = rows.get(..2).map_or(4 * words, between);
    (conversion.is_none::<T>()
        && ready.segments == 1
        && ready.len == 4 * words
        && rows.windows(2).all(|pair| between(pair) == distance))
    .then_some(distance)
}

/// Puts the segments of each row together, as the tile multiplies them; gives the bytes from one row
/// to the next.
fn gather<T: Byte>(
    ready: &Ready<'_, T>,
    heights: Heights,
    conversion: Conversion,
    words: usize,
    (pointers, to): (&mut [*const u8], &mut [u8]),
) -> usize {
    let (stride, len) = (spread(4 * words), 4 * conversion.segment_words(ready.len));
    // What follows a row's last segment meets zeros in B.
    for (row, segment, elements) in segments(ready, heights) {
        let at = row * stride + segment * len;
        conversion.convert(elements, &mut to[at..][..len]);
    }
    for (pointer, row) in pointers.iter_mut().zip(to.chunks_exact(stride.max(1))) {
        *pointer = row.as_ptr();
    }
    stride
}
