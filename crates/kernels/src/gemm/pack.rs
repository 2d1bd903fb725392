//! The packed form of B: panels of columns, each read from front to back by a tile.
//!
//! Panel p holds columns `p * nr ..` of all rows: the tile's row of B, for each k. The last panel
//! is as narrow as the vector allows; its missing columns are zero.

use std::ops::Range;

use super::Tile;
use super::quantized::PackedQuantized;
use super::view::Matrix;
use crate::buffer::Buffer;

/// A packed B that owns its memory: what a graph's constant becomes when it is built.
#[derive(Debug)]
pub struct PackedB {
    data: Buffer<f32>,
    k: usize,
    n: usize,
    tile: &'static Tile,
}

impl PackedB {
    /// Packs a matrix of k rows and n columns, or a convolution's filter.
    pub fn new<T: ToF32>(tile: &'static Tile, b: Filter<'_, T>) -> Self {
        let mut packed = Self::zeroed(tile, [b.rows(), b.columns]);
        pack(tile, b, 0..tile.panels(b.columns), packed.panels_mut());
        packed
    }

    /// Room for a matrix of k rows and n columns, whose [panels](pack) the caller fills in.
    pub fn zeroed(tile: &'static Tile, [k, n]: [usize; 2]) -> Self {
        Self { data: Buffer::zeroed(packed_len(tile, k, n)), k, n, tile }
    }

    /// All panels, one after the other.
    pub fn panels_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// What the driver takes.
    pub fn view(&self) -> PackedRef<'_> {
        PackedRef {
            data: Panels::F32(&self.data),
            k: self.k,
            n: self.n,
            tile: self.tile,
            near: false,
            in_parts: false,
        }
    }
}

/// What panels are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Panels<'a> {
    /// Floats, one panel after the other.
    F32(&'a [f32]),
    /// What becomes floats when it is used.
    Quantized(&'a PackedQuantized),
}

/// A packed B in memory that someone else owns.
#[derive(Clone, Copy, Debug)]
pub struct PackedRef<'a> {
    pub(crate) data: Panels<'a>,
    pub(crate) k: usize,
    pub(crate) n: usize,
    pub(crate) tile: &'static Tile,
    /// Whether it lies in a cache.
    pub(crate) near: bool,
    /// Whether floats are multiplied in parts.
    pub(crate) in_parts: bool,
}

impl<'a> PackedRef<'a> {
    /// A `k x n` matrix that [`pack`] has written to `data`.
    ///
    /// # Panics
    ///
    /// When `data` is shorter than [`packed_len`].
    pub fn new(tile: &'static Tile, data: &'a [f32], [k, n]: [usize; 2]) -> Self {
        assert!(
            packed_len(tile, k, n) <= data.len(),
            "a packed {k} x {n} matrix takes more than {} elements",
            data.len()
        );
        Self { data: Panels::F32(data), k, n, tile, near: false, in_parts: false }
    }

    /// The same, read again and again: if it is small enough, from a cache.
    pub fn again(self) -> Self {
        /// Elements that a cache of several cores keeps.
        const KEPT: usize = 1 << 22;
        Self { near: packed_len(self.tile, self.k, self.n) <= KEPT, ..self }
    }

    /// The same, multiplied in parts if that is what the tile is for: all of a product's blocks or
    /// none, as the sums differ in their last bits. It pays for some 16 rows or more.
    pub fn in_parts(self) -> Self {
        Self { in_parts: self.tile.is_in_parts(), ..self }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.n
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.k
    }

    /// The tile that it is packed for.
    pub fn tile(&self) -> &'static Tile {
        self.tile
    }
}

/// What can be packed for the f32 tiles.
pub trait ToF32: Copy {
    /// The same number as `f32`.
    fn to_f32(self) -> f32;
}

impl ToF32 for f32 {
    fn to_f32(self) -> f32 {
        self
    }
}

impl ToF32 for half::f16 {
    fn to_f32(self) -> f32 {
        half::f16::to_f32(self)
    }
}

/// A float as a file holds it, at any address.
impl ToF32 for [u8; 4] {
    fn to_f32(self) -> f32 {
        f32::from_le_bytes(self)
    }
}

/// The same of half precision.
impl ToF32 for [u8; 2] {
    fn to_f32(self) -> f32 {
        half::f16::from_le_bytes(self).to_f32()
    }
}

/// B before it is packed: its rows run over filter height, filter width and input channels, its
/// columns over output channels, each with a stride of its own. A plain matrix has one tap.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) taps: [usize; 2],
    pub(crate) tap_strides: [usize; 2],
    pub(crate) channels: usize,
    pub(crate) channel_stride: usize,
    pub(crate) columns: usize,
    pub(crate) column_stride: usize,
}

impl<'a, T> Filter<'a, T> {
    /// A filter of `[height, width, input channels, output channels]` with these strides.
    ///
    /// # Panics
    ///
    /// When the last element lies outside `data`.
    pub fn new(data: &'a [T], shape: [usize; 4], strides: [usize; 4]) -> Self {
        if shape.iter().all(|&size| size > 0) {
            let last: usize =
                shape.iter().zip(strides).map(|(size, stride)| (size - 1) * stride).sum();
            assert!(
                last < data.len(),
                "a filter {shape:?} with strides {strides:?} does not fit into {} elements",
                data.len()
            );
        }
        let ([height, width, channels, columns], [y, x, channel_stride, column_stride]) =
            (shape, strides);
        Self {
            data,
            taps: [height, width],
            tap_strides: [y, x],
            channels,
            channel_stride,
            columns,
            column_stride,
        }
    }

    /// The number of rows: k.
    pub fn rows(&self) -> usize {
        self.taps[0] * self.taps[1] * self.channels
    }

    /// The number of columns: n.
    pub fn columns(&self) -> usize {
        self.columns
    }
}

impl<'a, T> From<Matrix<'a, T>> for Filter<'a, T> {
    fn from(b: Matrix<'a, T>) -> Self {
        Self {
            data: b.data,
            taps: [1, 1],
            tap_strides: [0, 0],
            channels: b.rows,
            channel_stride: b.row_stride,
            columns: b.columns,
            column_stride: b.column_stride,
        }
    }
}

/// The elements of a packed `k x n` matrix.
pub fn packed_len(tile: &Tile, k: usize, n: usize) -> usize {
    n.next_multiple_of(tile.lanes) * k
}

/// Packs some panels of B to the front of `into`; panels start at multiples of `k * nr`.
///
/// Threads can pack together: each takes a range of panels and the part of the packed matrix
/// where they belong.
///
/// # Panics
///
/// When `into` is too short for the panels.
pub fn pack<T: ToF32>(tile: &Tile, b: Filter<'_, T>, panels: Range<usize>, into: &mut [f32]) {
    let mut rest = into;
    for panel in panels {
        let first = panel * tile.nr;
        let columns = tile.nr.min(b.columns - first);
        let width = columns.next_multiple_of(tile.lanes);
        for y in 0..b.taps[0] {
            for x in 0..b.taps[1] {
                let (packed, behind) = rest.split_at_mut(width * b.channels);
                rest = behind;
                let start = y * b.tap_strides[0] + x * b.tap_strides[1] + first * b.column_stride;
                pack_rows(&b, start, columns, width, packed);
            }
        }
    }
}

/// Packs one tap of a panel: `channels` rows of `columns`, padded to `width`.
fn pack_rows<T: ToF32>(
    b: &Filter<'_, T>,
    start: usize,
    columns: usize,
    width: usize,
    into: &mut [f32],
) {
    if b.column_stride == 1 {
        for (k, row) in into.chunks_exact_mut(width).enumerate() {
            let from = &b.data[start + k * b.channel_stride..][..columns];
            for (to, &x) in row.iter_mut().zip(from) {
                *to = x.to_f32();
            }
            row[columns..].fill(0.0);
        }
        return;
    }
    // Cache lines of B run down a column: some rows at a time, so that each is read once.
    const ROWS: usize = 16;
    for (block, rows) in into.chunks_mut(width * ROWS).enumerate() {
        let start = start + block * ROWS * b.channel_stride;
        for j in 0..columns {
            for (k, row) in rows.chunks_exact_mut(width).enumerate() {
                row[j] = b.data[start + k * b.channel_stride + j * b.column_stride].to_f32();
            }
        }
        for row in rows.chunks_exact_mut(width) {
            row[columns..].fill(0.0);
        }
    }
}
