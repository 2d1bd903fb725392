//! How a tile finds the rows of A: a table of pointers, to A itself wherever it can be.

use std::ops::Range;

use super::depth::{Depth, Piece};
use super::view::{Matrix, Pixels};
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
    pointers: &'r [*const T],
    pub(crate) segments: usize,
    pub(crate) len: usize,
}

impl<T> Ready<'_, T> {
    /// The table of the tile that starts at `row` of the block and has `rows`: for each segment a
    /// pointer per row.
    pub(crate) fn table(&self, rows: &Range<usize>) -> *const *const T {
        self.pointers[rows.start * self.segments..rows.end * self.segments].as_ptr()
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
                for (i, row) in rows.enumerate() {
                    let from = row * a.row_stride + piece.start;
                    room.pointers[i] = a.data[from..][..piece.len].as_ptr();
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
        let depth = Depth::window(window, self.channels, self.pixel_stride);
        let joined = depth.segments == window.kernel[0] && depth.len != self.channels;
        room.padding[..piece.len].fill(self.padding);
        let padding = room.padding[..piece.len].as_ptr();
        let segments = piece.segments.len();
        let copy_stride = Room::<T>::copy_stride(piece.elements());
        for tile in 0..heights.tiles {
            let range = heights.rows(tile);
            let table = &mut room.pointers[range.start * segments..range.end * segments];
            for (i, row) in range.clone().enumerate() {
                let copies = &mut room.copies[row * copy_stride..][..piece.elements()];
                let place = Place::new(window, rows.start + row);
                for (s, segment) in piece.segments.clone().enumerate() {
                    let copies = &mut copies[s * piece.len..][..piece.len];
                    table[s * range.len() + i] = if joined {
                        self.run(&place, segment, copies)
                    } else {
                        match self.tap(&place, segment, piece.start) {
                            None => padding,
                            Some(at) if copy => {
                                copies.copy_from_slice(&self.data[at..][..piece.len]);
                                copies.as_ptr()
                            }
                            Some(at) => self.data[at..][..piece.len].as_ptr(),
                        }
                    };
                }
            }
        }
        Ready { pointers: room.pointers, segments, len: piece.len }
    }

    /// Where the channels of a tap start, from the channel `start` on, unless it is padding.
    #[inline]
    fn tap(&self, place: &Place, tap: usize, start: usize) -> Option<usize> {
        let width = self.window.kernel[1];
        let y = self.window.source(0, place.y, tap / width)?;
        let x = self.window.source(1, place.x, tap % width)?;
        let [height, width] = self.window.input;
        Some(((place.image * height + y) * width + x) * self.pixel_stride + start)
    }

    /// A filter row of adjacent pixels: read in place, or copied where some of it is padding.
    fn run(&self, place: &Place, tap: usize, copies: &mut [T]) -> *const T {
        let [height, width] = self.window.input;
        let Some(y) = self.window.source(0, place.y, tap) else {
            copies.fill(self.padding);
            return copies.as_ptr();
        };
        let row = &self.data[(place.image * height + y) * width * self.channels..]
            [..width * self.channels];
        let before = self.window.padding[1];
        let at = place.x * self.window.strides[1];
        let taps = self.window.kernel[1];
        if at >= before && at - before + taps <= width {
            return row[(at - before) * self.channels..][..copies.len()].as_ptr();
        }
        for (x, copy) in copies.chunks_exact_mut(self.channels).enumerate() {
            match self.window.source(1, place.x, x) {
                None => copy.fill(self.padding),
                Some(x) => copy.copy_from_slice(&row[x * self.channels..][..self.channels]),
            }
        }
        copies.as_ptr()
    }
}

/// An output pixel.
struct Place {
    image: usize,
    y: usize,
    x: usize,
}

impl Place {
    fn new(window: &super::view::Window, row: usize) -> Self {
        let [height, width] = window.output;
        Self { image: row / (height * width), y: row / width % height, x: row % width }
    }
}
