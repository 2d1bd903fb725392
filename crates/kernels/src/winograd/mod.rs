//! Convolutions of channels-last images with 3x3 filters by Winograd's algorithm: a tile of 2x2
//! output pixels takes 16 products where its windows have 36.
//!
//! With the matrices of F(2x2, 3x3) a tile is `A' [(G g G') * (B' d B)] A`, where `d` are the 4x4
//! input pixels under it and `g` the taps (A. Lavin and S. Gray, Fast Algorithms for Convolutional
//! Neural Networks, 2015). Summed over the channels, each of the 16 points is a product of
//! matrices: tiles by input channels, times input by output channels.
//!
//! **Error.** `B'` and `A'` only add, `G` is applied when the filter is packed, in double precision.
//! An input pixel becomes part of sums of up to 4, a product part of sums of up to 9, so rounding
//! is that of a direct convolution up to a small factor, while each sum over the channels has a
//! ninth of the terms: on random numbers the errors of both are alike. But rounding is relative to
//! the 4x4 pixels of the tile, also for an output that sees the smaller ones only. So tiles in which
//! a window holds nothing near the greatest pixel are computed by the definition.
//!
//! **What is not finite.** An infinite or NaN pixel would spread over its tile, and sums can
//! overflow that do not by the definition. Any output whose window holds an infinite or NaN pixel is
//! not finite here either, and no sum of what has become infinite or NaN on the way is finite again.
//! So it is enough to look at the results: where one is not finite, its tile is computed by the
//! definition.

mod pack;
#[cfg(test)]
mod tests;
mod transform;

use std::ops::Range;

pub use pack::PackedPoints;
use transform::{Forward, Inverse, Planes, Source, Tiling};

use crate::buffer::Scratch;
use crate::depthwise::Images;
use crate::gemm::rows::Heights;
use crate::gemm::tile::Call;
use crate::gemm::{
    self, Block, Depth, MatrixMut, PackedRef, Pixels, Post, Rows, Start, Tile, Window,
};
use crate::simd::dispatch;

/// The side of a tile of the output.
const OUTPUTS: usize = 2;
/// The side of the input under it.
const SIDE: usize = OUTPUTS + 2;
/// The taps of a filter.
const TAPS: usize = 9;
/// The products of a tile and pair of channels.
const POINTS: usize = SIDE * SIDE;

/// The floats of a block's transformed input: with the products of a panel it stays in the
/// second-level cache.
const INPUT: usize = 1 << 16;
/// The least and the most tiles of a block: each block reads the whole filter.
const BLOCK_TILES: [usize; 2] = [28, 224];
/// Input channels that are summed before a block's products are visited: a panel of the filter
/// then stays in the first-level cache.
const KC: usize = 256;

/// Packs some panels of the filter itself, as [`gemm::pack`] does.
pub type PackTaps<'a> = dyn Fn(Range<usize>, &mut [f32]) + Sync + 'a;

/// The rows of 2x2 tiles that `images` outputs have.
pub fn tile_rows(window: &Window, images: usize) -> usize {
    images * window.output[0].div_ceil(OUTPUTS)
}

/// The first output pixel of a row of tiles, counted over all images, as they are.
pub fn first_pixel(window: &Window, tile_row: usize) -> usize {
    let rows = window.output[0].div_ceil(OUTPUTS).max(1);
    let (image, row) = (tile_row / rows, tile_row % rows);
    (image * window.output[0] + row * OUTPUTS) * window.output[1]
}

/// The most tiles of a block.
fn most_tiles(channels: usize) -> usize {
    (INPUT / (POINTS * channels.max(1))).clamp(BLOCK_TILES[0], BLOCK_TILES[1])
}

/// A convolution: its input, and its filter.
#[derive(Clone, Copy)]
pub struct Convolution<'a> {
    /// The input.
    pub x: Images<'a>,
    /// The filter.
    pub filter: &'a PackedPoints,
    /// How it moves: a pixel at a time.
    pub window: &'a Window,
    /// Packs the filter as it was, for what is computed by the definition.
    pub pack: &'a PackTaps<'a>,
}

/// What happens to the sums.
#[derive(Clone, Copy)]
pub struct Finish<'a> {
    /// What is added to all: one number per column of the whole output, or none.
    pub bias: &'a [f32],
    /// The least and the greatest result; NaN stays NaN.
    pub clamp: [f32; 2],
    /// What becomes of finished rows of pixels.
    pub post: Option<&'a Post<'a>>,
}

/// The scratch that [`winograd`] takes for up to so many rows of tiles.
pub fn scratch_bytes(filter: &PackedPoints, window: &Window, tile_rows: usize) -> usize {
    let tiles = tile_rows * Tiling::new(window).across();
    let sizes = Sizes::new(filter, tiles.min(most_tiles(filter.channels())));
    Scratch::bytes_for::<f32>(filter.channels())
        + Scratch::bytes_for::<f32>(sizes.work)
        + Scratch::bytes_for::<u8>(sizes.broken)
        + Scratch::bytes_for::<u8>(direct_bytes(filter, window))
}

/// The scratch for rows of pixels that are computed by the definition.
fn direct_bytes(filter: &PackedPoints, window: &Window) -> usize {
    let depth = Depth::window(window, filter.channels(), filter.channels());
    gemm::scratch_bytes(depth, window.output[1])
}

/// How much blocks of so many tiles take.
struct Sizes {
    input: Planes,
    products: Planes,
    /// The floats of both, or of a panel of taps.
    work: usize,
    /// A flag for each tile of a block, then one for each and each panel.
    broken: usize,
}

impl Sizes {
    fn new(filter: &PackedPoints, tiles: usize) -> Self {
        let (channels, tile) = (filter.channels(), filter.tile());
        let input = Planes::new(tiles, channels);
        let products = Planes::new(tiles, tile.nr);
        Self {
            input,
            products,
            work: (input.len() + products.len()).max(TAPS * channels * tile.nr),
            broken: tiles * (1 + tile.panels(filter.outputs())),
        }
    }
}

/// Computes a block of the output: rows of tiles over all images, and whole panels of channels.
/// `y` has a row per pixel of them.
///
/// The bits of the result do not depend on how the output is cut into blocks.
///
/// # Panics
///
/// When shapes do not fit together, or the scratch is less than [`scratch_bytes`].
pub fn winograd(
    convolution: &Convolution<'_>,
    block: &Block,
    mut y: MatrixMut<'_, f32>,
    finish: &Finish<'_>,
    scratch: &mut [u8],
) {
    check(convolution, block, &y, finish);
    let Convolution { filter, window, .. } = *convolution;
    let tiling = Tiling::new(window);
    let tiles = block.rows.start * tiling.across()..block.rows.end * tiling.across();
    if tiles.is_empty() || block.columns.is_empty() {
        return;
    }
    // Blocks of nearly equal size.
    let count = tiles.len().div_ceil(most_tiles(filter.channels()));
    let block_tiles = tiles.len().div_ceil(count);
    let sizes = Sizes::new(filter, block_tiles);
    let mut scratch = Scratch::new(scratch);
    let zeros = scratch.take::<f32>(filter.channels());
    zeros.fill(0.0);
    let mut room = Room {
        work: scratch.take(sizes.work),
        broken: scratch.take(sizes.broken),
        direct: scratch.take(direct_bytes(filter, window)),
    };
    let first = first_pixel(window, block.rows.start);
    for start in tiles.clone().step_by(block_tiles) {
        let pass = Pass {
            convolution,
            tiling,
            tiles: start..tiles.end.min(start + block_tiles),
            columns: block.columns.clone(),
            first,
            finish,
            sizes: &sizes,
        };
        pass.products(zeros, &mut y, &mut room);
        pass.repair(&mut y, &mut room);
        pass.post(&mut y);
    }
}

fn check(
    convolution: &Convolution<'_>,
    block: &Block,
    y: &MatrixMut<'_, f32>,
    finish: &Finish<'_>,
) {
    let Convolution { x, filter, window, .. } = convolution;
    assert!(
        window.kernel == [3, 3] && window.strides == [1, 1] && window.dilations == [1, 1],
        "a convolution like {window:?}"
    );
    let tile = filter.tile();
    assert!(tile.isa.is_available(), "the filter is packed for {}", tile.name);
    assert!(x.pixel_stride >= filter.channels(), "pixels {} apart", x.pixel_stride);
    assert!(x.is_whole(), "rows from {} on, expected whole images", x.first_row);
    let Block { rows, columns } = block;
    assert!(rows.start <= rows.end && columns.start <= columns.end, "a block of {block:?}");
    assert!(
        columns.start.is_multiple_of(tile.nr)
            && (columns.end == filter.outputs() || columns.end.is_multiple_of(tile.nr))
            && columns.end <= filter.outputs(),
        "columns {columns:?} of {} are not panels of {}",
        filter.outputs(),
        tile.nr
    );
    let pixels = first_pixel(window, rows.end) - first_pixel(window, rows.start);
    assert!(
        y.rows() == pixels && y.columns() == columns.len(),
        "the output is {} x {}, expected {pixels} x {}",
        y.rows(),
        y.columns(),
        columns.len()
    );
    assert!(
        finish.bias.is_empty() || finish.bias.len() >= filter.outputs(),
        "{} values per column",
        finish.bias.len()
    );
}

/// The memory of a call.
struct Room<'a> {
    /// The transformed input and the products; later a panel of taps.
    work: &'a mut [f32],
    broken: &'a mut [u8],
    direct: &'a mut [u8],
}

/// The work on one block of tiles.
struct Pass<'a> {
    convolution: &'a Convolution<'a>,
    tiling: Tiling<'a>,
    tiles: Range<usize>,
    columns: Range<usize>,
    /// The pixel with which the output starts.
    first: usize,
    finish: &'a Finish<'a>,
    sizes: &'a Sizes,
}

impl Pass<'_> {
    /// The panels of the columns: the number of each, and its columns.
    fn panels(&self) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let (nr, columns) = (self.convolution.filter.tile().nr, self.columns.clone());
        let end = columns.end;
        columns.step_by(nr).map(move |start| (start / nr, start..end.min(start + nr)))
    }

    /// The bias of some columns.
    fn bias(&self, columns: &Range<usize>) -> &[f32] {
        match self.finish.bias {
            [] => &[],
            bias => &bias[columns.clone()],
        }
    }

    /// Computes all results of the block.
    fn products(&self, zeros: &[f32], y: &mut MatrixMut<'_, f32>, room: &mut Room<'_>) {
        let Convolution { x, filter, .. } = *self.convolution;
        let Sizes { input, products, .. } = *self.sizes;
        let isa = filter.tile().isa;
        let (uneven, broken) = room.broken.split_at_mut(self.tiles.len());
        let (transformed, rest) = room.work.split_at_mut(input.len());
        let sums = &mut rest[..products.len()];
        let forward = Forward {
            source: Source { x, channels: filter.channels(), tiling: self.tiling, zeros },
            tiles: self.tiles.clone(),
            planes: input,
            to: transformed,
            uneven,
        };
        dispatch(isa, forward);
        let rows = y.rows();
        let base = self.columns.start;
        for ((panel, columns), broken) in self.panels().zip(broken.chunks_exact_mut(uneven.len())) {
            self.panel(panel, columns.len(), transformed, sums);
            let inverse = Inverse {
                from: sums,
                planes: products,
                tiling: self.tiling,
                tiles: self.tiles.clone(),
                y: y.part(0..rows, columns.start - base..columns.end - base),
                first: self.first,
                bias: self.bias(&columns),
                clamp: self.finish.clamp,
                uneven,
                broken,
            };
            dispatch(isa, inverse);
        }
    }

    /// Multiplies the transformed input with one panel of the filter, point by point.
    fn panel(&self, panel: usize, columns: usize, input: &[f32], products: &mut [f32]) {
        let filter = self.convolution.filter;
        let tile = filter.tile();
        let width = columns.next_multiple_of(tile.lanes);
        let (rows, columns) = (self.sizes.input, self.sizes.products);
        let heights = Heights::new(self.tiles.len(), tile.mr);
        for point in 0..POINTS {
            let a = &input[point * rows.plane..][..rows.plane];
            let c = &mut products[point * columns.plane..][..columns.plane];
            let b = filter.panel(panel, width, point);
            for piece in Depth::matrix(filter.channels()).blocks(KC) {
                let start = piece.offset();
                let b = &b[start * width..][..piece.elements() * width];
                for range in (0..heights.tiles).map(|i| heights.rows(i)) {
                    let a = &a[range.start * rows.stride + start..];
                    let c = &mut c[range.start * columns.stride..];
                    let product =
                        Product { a, a_stride: rows.stride, b, width, c, c_stride: columns.stride };
                    product.run(tile, range.len(), piece.elements(), start > 0);
                }
            }
        }
    }

    /// Computes again by the definition what is not finite: each panel of each tile by itself, so
    /// that it does not matter which others a call computes.
    fn repair(&self, y: &mut MatrixMut<'_, f32>, room: &mut Room<'_>) {
        let Convolution { x, filter, window, pack } = *self.convolution;
        let count = self.tiles.len();
        let flags = room.broken[count..].chunks_exact(count);
        let images = self.tiling.place(self.tiles.end - 1).image + 1;
        let pixels = Pixels::new(x.data, window, images, filter.channels(), x.pixel_stride, 0.0);
        let rows = Rows::Pixels(pixels);
        let k = TAPS * filter.channels();
        for ((panel, columns), broken) in self.panels().zip(flags) {
            if broken.iter().all(|&flag| flag == 0) {
                continue;
            }
            let taps = &mut room.work[..k * columns.len().next_multiple_of(filter.tile().lanes)];
            pack(panel..panel + 1, taps);
            let taps = PackedRef::new(filter.tile(), taps, [k, columns.len()]);
            let bias = self.bias(&columns);
            let start = if bias.is_empty() { Start::Zero } else { Start::Columns(bias) };
            let finish = gemm::Finish { start, clamp: self.finish.clamp, ..gemm::Finish::NONE };
            let inside = columns.start - self.columns.start..columns.end - self.columns.start;
            for tile in self.tiles.clone().filter(|tile| broken[tile - self.tiles.start] != 0) {
                for range in self.tiling.pixels(tile..tile + 1) {
                    let own = range.start - self.first..range.end - self.first;
                    let block = Block { rows: range, columns: 0..columns.len() };
                    let to = y.part(own, inside.clone());
                    gemm::gemm(&rows, taps, to, &block, &finish, room.direct);
                }
            }
        }
    }

    /// Hands the finished rows of pixels on.
    fn post(&self, y: &mut MatrixMut<'_, f32>) {
        let Some(post) = self.finish.post else { return };
        let across = self.tiling.across();
        let mut start = self.tiles.start;
        while start < self.tiles.end {
            let end = self.tiles.end.min((start / across + 1) * across);
            for range in self.tiling.pixels(start..end) {
                let own = range.start - self.first..range.end - self.first;
                let mut done = y.part(own, 0..self.columns.len());
                post(range, self.columns.clone(), &mut done);
            }
            start = end;
        }
    }
}

/// The operands of one tile of a product: from its first row and its first element of the depth
/// on.
struct Product<'a> {
    a: &'a [f32],
    a_stride: usize,
    b: &'a [f32],
    /// The columns: those of the panel, as whole vectors.
    width: usize,
    c: &'a mut [f32],
    c_stride: usize,
}

/// At least the rows of the tallest tile.
const MAX_ROWS: usize = 14;

/// What sums start from.
#[repr(align(64))]
struct Zeros([f32; 32]);
static ZEROS: Zeros = Zeros([0.0; 32]);

impl Product<'_> {
    /// Sums over some elements of the depth, from zero or from what C holds.
    fn run(self, tile: &Tile, rows: usize, depth: usize, accumulate: bool) {
        let Product { a, a_stride, b, width, c, c_stride } = self;
        assert!(rows <= MAX_ROWS && width <= tile.nr.min(ZEROS.0.len()), "{rows} x {width}");
        assert!(b.len() >= depth * width, "B has {} elements", b.len());
        let c = &mut c[..(rows - 1) * c_stride + width];
        let mut pointers = [std::ptr::null(); MAX_ROWS];
        for (i, pointer) in pointers.iter_mut().enumerate().take(rows) {
            *pointer = a[i * a_stride..][..depth].as_ptr();
        }
        let call = Call {
            rows: pointers.as_ptr(),
            segments: 1,
            depth,
            step: 1,
            b: b.as_ptr(),
            panel_stride: 0,
            start: if accumulate { c.as_ptr() } else { ZEROS.0.as_ptr() },
            start_stride: if accumulate { c_stride } else { 0 },
            residual: std::ptr::null(),
            residual_stride: 0,
            ahead: b.as_ptr(),
            ahead_step: 0,
            c: c.as_mut_ptr(),
            c_stride,
            low: f32::NEG_INFINITY,
            high: f32::INFINITY,
        };
        // SAFETY: `check` has found the tile's instruction set available. Each of the `rows`
        // pointers has `depth` elements behind it, `b` has `width` for each of them, C holds `rows`
        // rows of `width`; they start from zeros of that width, or from C itself.
        unsafe { tile.run(rows, width)(&call) };
    }
}
