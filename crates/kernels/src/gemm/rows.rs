//! How a tile finds the rows of A: a table of pointers, to A itself wherever it can be.

use std::ops::Range;

use super::depth::{Depth, Piece};
use super::view::{Matrix, Pixels, Window};
use crate::buffer::{Plain, Scratch};

/// A: the rows of a matrix, or a convolution's view of its input.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a, T> {
    /// A matrix of m rows and k columns.
    Matrix(Matrix<'a, T>),
    /// A row per output pixel.
    Pixels(Pixels<'a, T>),
}

impl<'a, T: Plain> Rows<'a, T> {
    /// The number of rows: m.
    pub fn rows(&self) -> usize {
        match self {
            Rows::Matrix(a) => a.rows,
            Rows::Pixels(a) => a.rows(),
        }
    }

    /// The inner dimension, and how it is cut.
    pub fn depth(&self) -> Depth {
        match self {
            Rows::Matrix(a) => Depth::matrix(a.columns),
            Rows::Pixels(a) => Depth::window(a.window, a.channels, a.pixel_stride),
        }
    }

    /// The elements that rows are taken from.
    pub(crate) fn data(&self) -> &'a [T] {
        match self {
            Rows::Matrix(a) => a.data,
            Rows::Pixels(a) => a.data,
        }
    }

    /// From one row to the next, in bytes, where rows are adjacent pieces of A.
    fn stride_bytes(&self) -> usize {
        let stride = match self {
            Rows::Matrix(a) => a.row_stride,
            Rows::Pixels(a) => a.pixel_stride * a.window.strides[1],
        };
        stride * size_of::<T>()
    }
}

/// How many rows a tile of one block has: as equal as can be, the taller ones first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heights {
    pub(crate) tiles: usize,
    base: usize,
    taller: usize,
}

impl Heights {
    pub(crate) fn new(rows: usize, most: usize) -> Self {
        let tiles = rows.div_ceil(most).max(1);
        Self { tiles, base: rows / tiles, taller: rows % tiles }
    }

    /// The rows of a tile, counted from the block's first.
    pub(crate) fn rows(self, tile: usize) -> Range<usize> {
        let start = |tile: usize| tile * self.base + tile.min(self.taller);
        start(tile)..start(tile + 1)
    }
}

/// The memory in which a block of A is made ready.
pub(crate) struct Room<'a, T> {
    pointers: &'a mut [*const T],
    copies: &'a mut [T],
    padding: &'a mut [T],
}

/// Copied rows are this many bytes further apart than long, rounded to cache lines, so that the
/// rows of a tile do not fall on the same lines of the cache.
const GAP: usize = 64;

impl<'a, T: Plain> Room<'a, T> {
    /// Elements from one copied row to the next.
    fn copy_stride(elements: usize) -> usize {
        let lines = (elements * size_of::<T>()).div_ceil(GAP);
        // An odd number of lines is coprime to every cache's number of sets.
        (lines | 1) * GAP / size_of::<T>()
    }

    /// The scratch that blocks of `rows` rows and pieces of up to `elements` may take.
    pub(crate) fn bytes(rows: usize, depth: Depth, elements: usize) -> usize {
        let segments = depth.segments.min(elements.max(1));
        Scratch::bytes_for::<*const T>(rows * segments)
            + Scratch::bytes_for::<T>(rows * Self::copy_stride(elements))
            + Scratch::bytes_for::<T>(depth.len)
    }

    pub(crate) fn take(
        scratch: &mut Scratch<'a>,
        rows: usize,
        depth: Depth,
        elements: usize,
    ) -> Self {
        let segments = depth.segments.min(elements.max(1));
        Self {
            pointers: scratch.take(rows * segments),
            copies: scratch.take(rows * Self::copy_stride(elements)),
            padding: scratch.take(depth.len),
        }
    }
}

/// A block of A, ready for tiles: their tables of pointers, one after the other.
pub(crate) struct Ready<'r, T> {
    pub(crate) pointers: &'r [*const T],
    pub(crate) segments: usize,
    pub(crate) len: usize,
}

impl<T> Ready<'_, T> {
    /// The table of the tile that starts at `row` of the block and has `rows`: for each segment a
    /// pointer per row.
    pub(crate) fn table(&self, rows: &Range<usize>) -> *const *const T {
        self.pointers_of(rows).as_ptr()
    }

    /// The same as a slice.
    pub(crate) fn pointers_of(&self, rows: &Range<usize>) -> &[*const T] {
        &self.pointers[rows.start * self.segments..rows.end * self.segments]
    }
}

impl<'a, T: Plain> Rows<'a, T> {
    /// Whether the rows of a tile should be copied together before they are read.
    ///
    /// Reading in place fails where the elements of a row are not adjacent, and is slow where rows
    /// fall on the same few lines of the cache: then a tile's rows push each other out.
    fn wants_copies(&self, tile_rows: usize, columns: usize) -> bool {
        if let Rows::Matrix(a) = self
            && a.column_stride != 1
        {
            return true;
        }
        let stride = self.stride_bytes();
        // The way of a first-level cache: addresses this far apart share their lines.
        const WAY: usize = 4096;
        let places = WAY >> stride.trailing_zeros().min(12);
        // Copying costs as much as some 16 columns of products.
        stride > 0 && tile_rows > 4 * places && columns >= 64
    }

    /// Whether tiles of so many rows read a matrix where it lies.
    pub(crate) fn is_in_place(&self, tile_rows: usize, columns: usize) -> bool {
        matches!(self, Rows::Matrix(_)) && !self.wants_copies(tile_rows, columns)
    }

    /// Makes `rows` of one piece of the depth ready. Tables hold pointers into `self` and `room`.
    pub(crate) fn ready<'r>(
        &self,
        rows: Range<usize>,
        heights: Heights,
        piece: &Piece,
        columns: usize,
        room: &'r mut Room<'_, T>,
    ) -> Ready<'r, T> {
        let tallest = heights.rows(0).len();
        let copy = self.wants_copies(tallest, columns);
        match self {
            Rows::Matrix(a) if copy => {
                let stride = Room::<T>::copy_stride(piece.len);
                for (i, row) in rows.clone().enumerate() {
                    let to = &mut room.copies[i * stride..][..piece.len];
                    let from = row * a.row_stride + piece.start * a.column_stride;
                    if a.column_stride == 1 {
                        to.copy_from_slice(&a.data[from..][..piece.len]);
                    } else {
                        for (k, x) in to.iter_mut().enumerate() {
                            *x = a.data[from + k * a.column_stride];
                        }
                    }
                    room.pointers[i] = to.as_ptr();
                }
                Ready { pointers: room.pointers, segments: 1, len: piece.len }
            }
            Rows::Matrix(a) => {
                let last = rows.len().saturating_sub(1) * a.row_stride + piece.len;
                let from = &a.data[rows.start * a.row_stride + piece.start..][..last];
                for (i, pointer) in room.pointers[..rows.len()].iter_mut().enumerate() {
                    *pointer = from.as_ptr().wrapping_add(i * a.row_stride);
                }
                Ready { pointers: room.pointers, segments: 1, len: piece.len }
            }
            Rows::Pixels(a) => a.ready(rows, heights, piece, copy, room),
        }
    }
}

impl<T: Plain> Pixels<'_, T> {
    fn ready<'r>(
        &self,
        rows: Range<usize>,
        heights: Heights,
        piece: &Piece,
        copy: bool,
        room: &'r mut Room<'_, T>,
    ) -> Ready<'r, T> {
        let window = self.window;
        room.padding[..piece.len].fill(self.padding);
        let segments = piece.segments.len();
        let copy_stride = Room::<T>::copy_stride(piece.elements());
        for tile in 0..heights.tiles {
            let range = heights.rows(tile);
            let table = &mut room.pointers[range.start * segments..range.end * segments];
            let mut i = 0;
            while i < range.len() {
                let place = Place::new(window, rows.start + range.start + i);
                let count = (range.len() - i).min(window.output[1] - place.x);
                let copies = &mut room.copies[(range.start + i) * copy_stride..];
                for (s, segment) in piece.segments.clone().enumerate() {
                    let mut span = Span {
                        pointers: &mut table[s * range.len() + i..][..count],
                        copies: &mut copies[s * piece.len..],
                        copy_stride,
                        padding: &room.padding[..piece.len],
                        copy,
                    };
                    self.span(&place, segment, piece.start, &mut span);
                }
                i += count;
            }
        }
        Ready { pointers: room.pointers, segments, len: piece.len }
    }

    /// Points to one segment of adjacent output pixels, from the channel `start` on.
    fn span(&self, place: &Place, segment: usize, start: usize, span: &mut Span<'_, T>) {
        let window = self.window;
        let len = span.padding.len();
        // A segment is one tap, or a whole filter row.
        let (tap_y, tap_x, taps) = if self.joins() {
            (segment, 0, window.kernel[1])
        } else {
            (segment / window.kernel[1], segment % window.kernel[1], 1)
        };
        let Some(y) = window.source(0, place.y, tap_y) else {
            span.pointers.fill(span.padding.as_ptr());
            return;
        };
        let [height, width] = window.input;
        let row = (place.image * height + y) * width * self.pixel_stride;
        let row = &self.data[row..][..(width - 1) * self.pixel_stride + self.channels];
        let (stride, shift) = (window.strides[1], tap_x * window.dilations[1]);
        let before = window.padding[1];
        // The pixels whose taps are all inside the image.
        let count = span.pointers.len();
        let first =
            before.saturating_sub(shift).div_ceil(stride).saturating_sub(place.x).min(count);
        let end = (width + before + 1)
            .saturating_sub(shift + taps)
            .div_ceil(stride)
            .saturating_sub(place.x)
            .clamp(first, count);
        for i in (0..first).chain(end..count) {
            span.pointers[i] = if taps == 1 {
                span.padding.as_ptr()
            } else {
                let copy = &mut span.copies[i * span.copy_stride..][..len];
                self.run(row, place.x + i, copy, span.padding);
                copy.as_ptr()
            };
        }
        if first == end {
            return;
        }
        let step = stride * self.pixel_stride;
        let from = ((place.x + first) * stride + shift - before) * self.pixel_stride + start;
        let inside = &row[from..][..(end - first - 1) * step + len];
        for (i, pointer) in span.pointers[first..end].iter_mut().enumerate() {
            if span.copy {
                let copy = &mut span.copies[(first + i) * span.copy_stride..][..len];
                copy.copy_from_slice(&inside[i * step..][..len]);
                *pointer = copy.as_ptr();
            } else {
                *pointer = inside.as_ptr().wrapping_add(i * step);
            }
        }
    }

    /// Copies a filter row of adjacent pixels of which some are padding.
    fn run(&self, row: &[T], x: usize, copy: &mut [T], padding: &[T]) {
        for (tap, copy) in copy.chunks_exact_mut(self.channels).enumerate() {
            match self.window.source(1, x, tap) {
                None => copy.copy_from_slice(&padding[..self.channels]),
                Some(x) => copy.copy_from_slice(&row[x * self.channels..][..self.channels]),
            }
        }
    }

    /// Whether segments are filter rows rather than taps.
    fn joins(&self) -> bool {
        let depth = Depth::window(self.window, self.channels, self.pixel_stride);
        depth.len != self.channels
    }
}

/// Adjacent output pixels of one tile, at one segment.
struct Span<'a, T> {
    pointers: &'a mut [*const T],
    copies: &'a mut [T],
    copy_stride: usize,
    /// A segment of padding.
    padding: &'a [T],
    copy: bool,
}

/// An output pixel.
struct Place {
    image: usize,
    y: usize,
    x: usize,
}

impl Place {
    fn new(window: &Window, row: usize) -> Self {
        let [height, width] = window.output;
        Self { image: row / (height * width), y: row / width % height, x: row % width }
    }
}
