//! Depthwise convolution of channels-last images: every channel has a filter of its own.
//!
//! Vectors run over channels. Each output sums its taps in the order of the filter's rows and
//! columns, whichever path computes it.

pub mod int8;

use std::ops::Range;

use crate::Isa;
use crate::buffer::Buffer;
use crate::gemm::{MatrixMut, Post, Window};
use crate::simd::{ForEachIsa, Simd, dispatch};

/// A depthwise filter, packed for an instruction set: for each vector of channels, its taps.
#[derive(Debug)]
pub struct PackedTaps {
    isa: Isa,
    kernel: [usize; 2],
    channels: usize,
    taps: Buffer<f32>,
    bias: Buffer<f32>,
}

impl PackedTaps {
    /// Packs a filter of `[height, width, channels]` elements with these strides, and a bias per
    /// channel, or none for zeros.
    ///
    /// # Panics
    ///
    /// When the filter or the bias is shorter than its shape says.
    pub fn new(
        isa: Isa,
        filter: &[f32],
        [height, width, channels]: [usize; 3],
        [y_stride, x_stride, channel_stride]: [usize; 3],
        bias: Option<&[f32]>,
    ) -> Self {
        let lanes = lanes(isa);
        let padded = channels.next_multiple_of(lanes);
        let mut taps = Buffer::zeroed(padded * height * width);
        for c in 0..channels {
            let block = &mut taps[c / lanes * lanes * height * width..];
            for y in 0..height {
                for x in 0..width {
                    let from = y * y_stride + x * x_stride + c * channel_stride;
                    block[(y * width + x) * lanes + c % lanes] = filter[from];
                }
            }
        }
        let mut packed_bias = Buffer::zeroed(padded);
        if let Some(bias) = bias {
            packed_bias[..channels].copy_from_slice(&bias[..channels]);
        }
        Self { isa, kernel: [height, width], channels, taps, bias: packed_bias }
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }
}

/// The lanes of an instruction set's vectors.
fn lanes(isa: Isa) -> usize {
    struct Lanes;
    impl ForEachIsa for Lanes {
        type Output = usize;

        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> usize {
            S::LANES
        }
    }
    dispatch(isa, Lanes)
}

/// The input: images of `window.input` pixels, one after the other, or as many rows of them as are
/// needed. Row `i` of pixels, counted over all images, is the one at place
/// `(i - first_row) % held_rows` of `data`.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// The first channel of a row's first pixel, and all that follows.
    pub data: &'a [f32],
    /// From one pixel to the next, in elements.
    pub pixel_stride: usize,
    /// The row at place 0.
    pub first_row: usize,
    /// How many places there are.
    pub held_rows: usize,
}

impl<'a> Images<'a> {
    /// All rows of all images.
    pub fn whole(data: &'a [f32], pixel_stride: usize) -> Images<'a> {
        Images { data, pixel_stride, first_row: 0, held_rows: usize::MAX }
    }

    /// Whether these are all rows of all images.
    pub(crate) fn is_whole(&self) -> bool {
        (self.first_row, self.held_rows) == (0, usize::MAX)
    }
}

/// Computes some rows of the output, counted over all images; `y` has a row per pixel of them.
///
/// Results are clamped to `clamp` (NaN stays NaN), then given to `post`, an output row at a time,
/// with the pixels counted over all images.
///
/// # Panics
///
/// When shapes do not fit together.
pub fn depthwise(
    x: Images<'_>,
    filter: &PackedTaps,
    window: &Window,
    rows: Range<usize>,
    y: MatrixMut<'_, f32>,
    clamp: [f32; 2],
    post: Option<&Post<'_>>,
) {
    let width = window.input[1];
    assert_eq!(filter.kernel, window.kernel, "the filter's size is the window's");
    assert!(x.pixel_stride >= filter.channels, "pixels {} apart", x.pixel_stride);
    assert!(
        y.rows() == rows.len() * window.output[1] && y.columns() == filter.channels,
        "the output is {} x {}, expected {} x {}",
        y.rows(),
        y.columns(),
        rows.len() * window.output[1],
        filter.channels
    );
    let taken = window.taken(rows.clone());
    let places = (taken.end.saturating_sub(x.first_row)).min(x.held_rows);
    assert!(
        taken.is_empty()
            || width == 0
            || taken.start >= x.first_row
                && taken.len() <= x.held_rows
                && (places * width - 1) * x.pixel_stride + filter.channels <= x.data.len(),
        "rows {taken:?} of {width} pixels are not in {} elements from row {} on, {} rows",
        x.data.len(),
        x.first_row,
        x.held_rows
    );
    dispatch(filter.isa, Rows { x, filter, window, rows, y, clamp, post });
}

struct Rows<'a> {
    x: Images<'a>,
    filter: &'a PackedTaps,
    window: &'a Window,
    rows: Range<usize>,
    y: MatrixMut<'a, f32>,
    clamp: [f32; 2],
    post: Option<&'a Post<'a>>,
}

/// The columns of the widest block: eight pixels two apart, five taps.
const COLUMNS: usize = 19;

/// The bytes of which a second-level cache surely holds most.
const CACHE: usize = 1 << 20;

impl ForEachIsa for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let width = self.window.output[1];
        for (i, row) in self.rows.clone().enumerate() {
            let (image, oy) = (row / self.window.output[0], row % self.window.output[0]);
            let taps = self.window.taps_inside(0, oy);
            let line = Line { image, oy, taps, pixel: i * width };
            match (self.window.kernel, self.window.strides[1], self.block()) {
                ([3, 3], 1, Some(block)) => self.line::<S, 3, 1>(s, &line, block),
                ([3, 3], 2, Some(block)) => self.line::<S, 3, 2>(s, &line, block),
                ([5, 5], 1, Some(block)) => self.line::<S, 5, 1>(s, &line, block),
                ([5, 5], 2, Some(block)) => self.line::<S, 5, 2>(s, &line, block),
                _other => (0..width).for_each(
                    #[inline(always)]
                    |ox| self.pixel(s, &line, ox),
                ),
            }
            if let Some(post) = self.post {
                let channels = self.filter.channels;
                let mut done = self.y.part(i * width..(i + 1) * width, 0..channels);
                post(row * width..(row + 1) * width, 0..channels, &mut done);
            }
        }
    }
}

/// A row of output pixels, and the filter rows that fall inside the image there.
struct Line {
    image: usize,
    oy: usize,
    taps: Range<usize>,
    /// The first pixel of the row in the output.
    pixel: usize,
}

impl Rows<'_> {
    /// How many adjacent pixels of a row are best computed together; `None` where each is
    /// computed alone.
    fn block(&self) -> Option<usize> {
        let width = self.window.output[1];
        // The last block begins early: blocks take the time of the pixels that they compute, and
        // some more each.
        let time = |block: usize| width.div_ceil(block) * (block + 1);
        // Wide blocks of pixels that are two apart read from so many places at a time that the
        // cache does not see what comes next: in images that it does not hold, narrow ones are
        // faster.
        let is_narrow = self.window.strides[1] > 1 && size_of_val(self.x.data) > CACHE;
        let blocks = [8, 7, 4].into_iter().filter(|&block| block <= width);
        let blocks = blocks.filter(|&block| block == 4 || !is_narrow);
        blocks.min_by_key(|&block| time(block)).filter(|_| self.window.dilations[1] == 1)
    }

    /// Where the pixel under a tap starts in the input.
    #[inline(always)]
    fn at(&self, line: &Line, ky: usize, x: usize) -> usize {
        let window = self.window;
        let y = line.oy * window.strides[0] + ky * window.dilations[0] - window.padding[0];
        let row = line.image * window.input[0] + y - self.x.first_row;
        let row = row % self.x.held_rows;
        (row * window.input[1] + x) * self.x.pixel_stride
    }

    /// Any one pixel.
    #[inline(always)]
    fn pixel<S: Simd>(&mut self, s: S, line: &Line, ox: usize) {
        let window = self.window;
        let columns = window.taps_inside(1, ox);
        let [low, high] = self.clamp.map(
            #[inline(always)]
            |bound| s.splat(bound),
        );
        let taps = window.taps();
        for c in (0..self.filter.channels).step_by(S::LANES) {
            let lanes = S::LANES.min(self.filter.channels - c);
            let weights = &self.filter.taps[c * taps..][..S::LANES * taps];
            let mut sum = s.load(&self.filter.bias[c..]);
            for ky in line.taps.clone() {
                for kx in columns.clone() {
                    let x = ox * window.strides[1] + kx * window.dilations[1] - window.padding[1];
                    let from = &self.x.data[self.at(line, ky, x) + c..][..lanes];
                    let x = if lanes == S::LANES { s.load(from) } else { s.load_partial(from) };
                    let weight = s.load(&weights[(ky * window.kernel[1] + kx) * S::LANES..]);
                    sum = s.mul_add(x, weight, sum);
                }
            }
            let sum = s.clamp(sum, low, high);
            s.store_partial(sum, &mut self.y.row(line.pixel + ox)[c..][..lanes]);
        }
    }

    /// A row of pixels in blocks, with a filter of `K x K` taps `SX` pixels from one output to the
    /// next.
    #[inline(always)]
    fn line<S: Simd, const K: usize, const SX: usize>(&mut self, s: S, line: &Line, block: usize) {
        let (channels, stride) = (self.filter.channels, self.x.pixel_stride);
        let [width, out_width] = [self.window.input[1], self.window.output[1]];
        let mut rows: [&[f32]; K] = [&[]; K];
        for (row, ky) in rows.iter_mut().zip(line.taps.clone()) {
            *row = &self.x.data[self.at(line, ky, 0)..][..(width - 1) * stride + channels];
        }
        let columns = (block - 1) * SX + K;
        let mut y = self.y.part(line.pixel..line.pixel + out_width, 0..channels);
        let mut ox = 0;
        while ox < out_width {
            // The last block begins early rather than leave pixels over: they are computed twice,
            // to the same bits.
            ox = ox.min(out_width - block);
            let (x, before) = (ox * SX, self.window.padding[1]);
            let first = before.saturating_sub(x).min(columns);
            let inside = first..(width + before).saturating_sub(x).clamp(first, columns);
            let patch = Patch {
                rows: &rows[..line.taps.len()],
                // Counted from column 0, which may lie before the row.
                first: x.wrapping_sub(before).wrapping_mul(stride),
                stride,
                inside,
                taps: &self.filter.taps,
                first_tap: line.taps.start,
                bias: &self.filter.bias,
                clamp: self.clamp,
                channels,
            };
            let mut y = y.part(ox..ox + block, 0..channels);
            match block {
                8 => patch.block::<S, 8, K, SX>(s, &mut y),
                7 => patch.block::<S, 7, K, SX>(s, &mut y),
                4 => patch.block::<S, 4, K, SX>(s, &mut y),
                other => unreachable!("blocks have 4, 7 or 8 pixels, not {other}"),
            }
            ox += block;
        }
    }
}

/// Some adjacent pixels of a row, and what they are computed from.
struct Patch<'a> {
    /// The input's rows under the filter rows that are inside the image.
    rows: &'a [&'a [f32]],
    /// Where the first column under the pixels starts in a row, and how far the next one is.
    first: usize,
    stride: usize,
    /// The columns that are inside the image; the others are zeros.
    inside: Range<usize>,
    taps: &'a [f32],
    /// The first filter row inside the image.
    first_tap: usize,
    bias: &'a [f32],
    clamp: [f32; 2],
    channels: usize,
}

impl Patch<'_> {
    /// `P` pixels, all channels.
    #[inline(always)]
    fn block<S: Simd, const P: usize, const K: usize, const SX: usize>(
        &self,
        s: S,
        y: &mut MatrixMut<'_, f32>,
    ) {
        let full = self.channels - self.channels % S::LANES;
        if self.inside == (0..(P - 1) * SX + K) {
            for c in (0..full).step_by(S::LANES) {
                self.vector::<S, P, K, SX, false, true>(s, c, y);
            }
        } else {
            for c in (0..full).step_by(S::LANES) {
                self.vector::<S, P, K, SX, true, true>(s, c, y);
            }
        }
        if full < self.channels {
            self.vector::<S, P, K, SX, true, false>(s, full, y);
        }
    }

    /// One vector of channels: all of its lanes if `FULL`, or fewer at the end. Columns may be
    /// outside the image if `EDGE`.
    #[inline(always)]
    fn vector<
        S: Simd,
        const P: usize,
        const K: usize,
        const SX: usize,
        const EDGE: bool,
        const FULL: bool,
    >(
        &self,
        s: S,
        c: usize,
        y: &mut MatrixMut<'_, f32>,
    ) {
        const { assert!((P - 1) * SX + K <= COLUMNS) };
        let lanes = if FULL { S::LANES } else { self.channels - c };
        let mut sums = [s.load(&self.bias[c..]); P];
        let taps = &self.taps[c * K * K..][..K * K * S::LANES];
        let taps = taps.chunks_exact(K * S::LANES).skip(self.first_tap);
        for (row, taps) in self.rows.iter().zip(taps) {
            let mut inputs = [s.splat(0.0); COLUMNS];
            for (j, input) in inputs.iter_mut().take((P - 1) * SX + K).enumerate() {
                if EDGE && !self.inside.contains(&j) {
                    continue;
                }
                let from = self.first.wrapping_add(j * self.stride + c);
                debug_assert!(from + lanes <= row.len());
                // SAFETY: the column is inside the image, and a row reaches to the last channel of
                // its last pixel.
                let x = unsafe { row.get_unchecked(from..from + lanes) };
                *input = if FULL { s.load(x) } else { s.load_partial(x) };
            }
            for kx in 0..K {
                let tap = s.load(&taps[kx * S::LANES..]);
                for (p, sum) in sums.iter_mut().enumerate() {
                    *sum = s.mul_add(inputs[p * SX + kx], tap, *sum);
                }
            }
        }
        let (low, high) = (s.splat(self.clamp[0]), s.splat(self.clamp[1]));
        for (p, &sum) in sums.iter().enumerate() {
            let sum = s.clamp(sum, low, high);
            let to = &mut y.row(p)[c..][..lanes];
            if FULL { s.store(sum, to) } else { s.store_partial(sum, to) }
        }
    }
}

#[cfg(test)]
mod tests;
