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

    /// The channels of a vector.
    fn lanes(&self) -> usize {
        lanes(self.isa)
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

/// The input: images of `window.input` pixels, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// The first channel of the first pixel, and all that follows.
    pub data: &'a [f32],
    /// From one pixel to the next, in elements.
    pub pixel_stride: usize,
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
    let [height, width] = window.input;
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
    let images = rows.end.div_ceil(window.output[0].max(1));
    let pixels = images * height * width;
    assert!(
        rows.is_empty()
            || pixels == 0
            || (pixels - 1) * x.pixel_stride + filter.channels <= x.data.len(),
        "{pixels} pixels do not fit into {} elements",
        x.data.len()
    );
    dispatch(filter.isa, Rows { x, first_row: 0, filter, window, rows, y, clamp, post });
}

struct Rows<'a> {
    x: Images<'a>,
    /// The row of input pixels, counted over all images, with which `x` starts.
    first_row: usize,
    filter: &'a PackedTaps,
    window: &'a Window,
    rows: Range<usize>,
    y: MatrixMut<'a, f32>,
    clamp: [f32; 2],
    post: Option<&'a Post<'a>>,
}

/// Adjacent output pixels that one pass over the channels computes where nothing is padding.
const PIXELS: usize = 4;

impl ForEachIsa for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let width = self.window.output[1];
        let whole = self.window.whole(1);
        let common =
            matches!((self.window.kernel, self.window.strides[1]), ([3, 3] | [5, 5], 1 | 2));
        let blocks = common && self.window.dilations[1] == 1 && whole.len() >= PIXELS;
        for (i, row) in self.rows.clone().enumerate() {
            let (image, oy) = (row / self.window.output[0], row % self.window.output[0]);
            let taps = self.window.taps_inside(0, oy);
            let line = Line { image, oy, taps };
            let mut ox = 0;
            while ox < width {
                if !(blocks && whole.contains(&ox)) {
                    ox += self.pixel(s, &line, ox, i * width + ox);
                    continue;
                }
                // The last block begins early rather than leave pixels over: they are computed
                // twice, to the same bits.
                ox = ox.min(whole.end - PIXELS);
                let pixel = i * width + ox;
                ox += match (self.window.kernel, self.window.strides[1]) {
                    ([3, 3], 1) => self.pixels::<S, PIXELS, 3, 1>(s, &line, ox, pixel),
                    ([3, 3], 2) => self.pixels::<S, PIXELS, 3, 2>(s, &line, ox, pixel),
                    ([5, 5], 1) => self.pixels::<S, PIXELS, 5, 1>(s, &line, ox, pixel),
                    ([5, 5], 2) => self.pixels::<S, PIXELS, 5, 2>(s, &line, ox, pixel),
                    other => unreachable!("blocks are for the common filters, not {other:?}"),
                };
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
}

impl Rows<'_> {
    /// Where the pixel under a tap starts in the input.
    #[inline(always)]
    fn at(&self, line: &Line, ky: usize, x: usize) -> usize {
        let window = self.window;
        let y = line.oy * window.strides[0] + ky * window.dilations[0] - window.padding[0];
        let row = line.image * window.input[0] + y - self.first_row;
        (row * window.input[1] + x) * self.x.pixel_stride
    }

    /// Any one pixel.
    #[inline(always)]
    fn pixel<S: Simd>(&mut self, s: S, line: &Line, ox: usize, pixel: usize) -> usize {
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
            // A NaN in the second operand is kept.
            let sum = s.min_fast(high, s.max_fast(low, sum));
            s.store_partial(sum, &mut self.y.row(pixel)[c..][..lanes]);
        }
        1
    }

    /// `P` adjacent pixels whose taps all lie inside the image, with a filter of `K x K` taps.
    #[inline(always)]
    fn pixels<S: Simd, const P: usize, const K: usize, const SX: usize>(
        &mut self,
        s: S,
        line: &Line,
        ox: usize,
        pixel: usize,
    ) -> usize {
        let channels = self.filter.channels;
        let stride = self.x.pixel_stride;
        let columns = (P - 1) * SX + K;
        let mut rows: [&[f32]; K] = [&[]; K];
        for (row, ky) in rows.iter_mut().zip(line.taps.clone()) {
            let from = self.at(line, ky, ox * SX - self.window.padding[1]);
            *row = &self.x.data[from..][..(columns - 1) * stride + channels];
        }
        let mut part = self.y.part(pixel..pixel + P, 0..channels);
        let patch = Patch {
            rows: &rows[..line.taps.len()],
            stride,
            taps: &self.filter.taps,
            first: line.taps.start,
            bias: &self.filter.bias,
            clamp: self.clamp,
            channels,
        };
        let full = channels - channels % S::LANES;
        for c in (0..full).step_by(S::LANES) {
            patch.vector::<S, P, K, SX, true>(s, c, &mut part);
        }
        if full < channels {
            patch.vector::<S, P, K, SX, false>(s, full, &mut part);
        }
        P
    }
}

/// Some adjacent pixels of a row, and what they are computed from.
struct Patch<'a> {
    /// From the first column under the pixels, a slice per filter row inside the image.
    rows: &'a [&'a [f32]],
    stride: usize,
    taps: &'a [f32],
    /// The first filter row inside the image.
    first: usize,
    bias: &'a [f32],
    clamp: [f32; 2],
    channels: usize,
}

impl Patch<'_> {
    /// One vector of channels: all of its lanes, or fewer at the end.
    #[inline(always)]
    fn vector<S: Simd, const P: usize, const K: usize, const SX: usize, const FULL: bool>(
        &self,
        s: S,
        c: usize,
        y: &mut MatrixMut<'_, f32>,
    ) {
        /// The columns of the widest case: four pixels two apart, five taps.
        const COLUMNS: usize = 11;
        const { assert!((P - 1) * SX + K <= COLUMNS) };
        let columns = (P - 1) * SX + K;
        let lanes = if FULL { S::LANES } else { self.channels - c };
        let mut sums = [s.load(&self.bias[c..]); P];
        let taps = &self.taps[c * K * K..][..K * K * S::LANES];
        for (row, taps) in self.rows.iter().zip(taps.chunks_exact(K * S::LANES).skip(self.first)) {
            let row = &row[..(columns - 1) * self.stride + c + lanes];
            let mut inputs = [s.splat(0.0); COLUMNS];
            for (j, input) in inputs.iter_mut().take(columns).enumerate() {
                let from = j * self.stride + c;
                // SAFETY: `row` reaches to the end of the last column's lanes.
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
            // A NaN in the second operand is kept.
            let sum = s.min_fast(high, s.max_fast(low, sum));
            let to = &mut y.row(p)[c..][..lanes];
            if FULL { s.store(sum, to) } else { s.store_partial(sum, to) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(
        input: [usize; 2],
        kernel: [usize; 2],
        strides: [usize; 2],
        dilations: [usize; 2],
        padding: [usize; 2],
    ) -> Window {
        let output = [0, 1].map(|axis| {
            let reach = (kernel[axis] - 1) * dilations[axis] + 1;
            (input[axis] + 2 * padding[axis] - reach) / strides[axis] + 1
        });
        Window { input, output, kernel, strides, dilations, padding }
    }

    fn windows() -> Vec<Window> {
        vec![
            window([9, 17], [3, 3], [1, 1], [1, 1], [1, 1]),
            window([9, 17], [3, 3], [2, 2], [1, 1], [1, 1]),
            window([12, 14], [5, 5], [1, 1], [1, 1], [2, 2]),
            window([12, 30], [5, 5], [2, 2], [1, 1], [2, 2]),
            window([8, 9], [3, 3], [1, 1], [2, 2], [2, 2]),
            window([8, 9], [2, 7], [3, 1], [1, 1], [0, 3]),
            window([3, 2], [5, 5], [1, 1], [1, 1], [2, 2]),
            window([1, 1], [3, 3], [1, 1], [1, 1], [1, 1]),
            window([4, 6], [3, 3], [1, 1], [1, 1], [0, 0]),
        ]
    }

    /// Numbers that are sums of few powers of two, so that sums of their products are exact.
    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + seed * 13) % 31) as f32 / 4.0 - 4.0).collect()
    }

    #[test]
    fn every_path_matches_the_definition() {
        let images = 2;
        for isa in Isa::available() {
            for window in windows() {
                for (channels, stride) in [(1, 1), (5, 7), (16, 16), (33, 40), (64, 64)] {
                    let [height, width] = window.input;
                    let [oh, ow] = window.output;
                    let x = numbers(images * height * width * stride, 1);
                    // The filter lies as [channels, height, width].
                    let taps = window.taps();
                    let filter = numbers(channels * taps, 2);
                    let bias = numbers(channels, 3);
                    let shape = [window.kernel[0], window.kernel[1], channels];
                    let packed =
                        PackedTaps::new(isa, &filter, shape, [shape[1], 1, taps], Some(&bias));
                    let clamp = [-200.0, 100.0];
                    let mut y = vec![7.0; images * oh * ow * (channels + 1)];
                    let rows = images * oh;
                    for range in [0..rows / 2, rows / 2..rows] {
                        let part = &mut y[range.start * ow * (channels + 1)..];
                        depthwise(
                            Images { data: &x, pixel_stride: stride },
                            &packed,
                            &window,
                            range.clone(),
                            MatrixMut::new(part, [range.len() * ow, channels], channels + 1),
                            clamp,
                            None,
                        );
                    }
                    for (at, &got) in y.iter().enumerate() {
                        let (pixel, c) = (at / (channels + 1), at % (channels + 1));
                        if c == channels {
                            assert_eq!(got, 7.0, "{isa:?} writes beside the output");
                            continue;
                        }
                        let (image, oy, ox) = (pixel / (oh * ow), pixel / ow % oh, pixel % ow);
                        let mut sum = bias[c];
                        for ky in 0..window.kernel[0] {
                            for kx in 0..window.kernel[1] {
                                let y = (oy * window.strides[0] + ky * window.dilations[0])
                                    .wrapping_sub(window.padding[0]);
                                let xx = (ox * window.strides[1] + kx * window.dilations[1])
                                    .wrapping_sub(window.padding[1]);
                                if y < height && xx < width {
                                    let from = ((image * height + y) * width + xx) * stride + c;
                                    sum += x[from] * filter[c * taps + ky * window.kernel[1] + kx];
                                }
                            }
                        }
                        let expected = sum.clamp(clamp[0], clamp[1]);
                        assert_eq!(
                            got, expected,
                            "{isa:?}, {window:?}, {channels} channels: pixel {pixel}, channel {c}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn nan_passes_through_the_clamp() {
        let window = window([1, 9], [1, 3], [1, 1], [1, 1], [0, 1]);
        for isa in Isa::available() {
            let packed = PackedTaps::new(isa, &[0.0, 1.0, 0.0], [1, 3, 1], [3, 1, 3], None);
            let x = [-1.0, 9.0, f32::NAN, 1.0, 1.0, 1.0, 1.0, -5.0, 2.0];
            let mut y = [0.5; 9];
            let out = MatrixMut::new(&mut y, [9, 1], 1);
            let images = Images { data: &x, pixel_stride: 1 };
            depthwise(images, &packed, &window, 0..1, out, [0.0, 6.0], None);
            // 0 * NaN is NaN too.
            for (i, expected) in [(0, 0.0), (4, 1.0), (7, 0.0), (8, 2.0)] {
                assert_eq!(y[i], expected, "{isa:?}");
            }
            assert!(y[1..4].iter().all(|x| x.is_nan()), "{isa:?}: {y:?}");
        }
    }

    #[test]
    fn finished_rows_are_handed_over_once() {
        let window = window([5, 6], [3, 3], [1, 1], [1, 1], [1, 1]);
        for isa in Isa::available() {
            let filter = vec![0.0; 9 * 3];
            let packed = PackedTaps::new(isa, &filter, [3, 3, 3], [9, 3, 1], None);
            let x = vec![1.0; 30 * 3];
            let mut y = vec![-1.0; 30 * 3];
            let post: &Post<'_> = &|rows, _, y| {
                for (i, row) in rows.enumerate() {
                    y.row(i).iter_mut().for_each(|x| *x += row as f32);
                }
            };
            let images = Images { data: &x, pixel_stride: 3 };
            let out = MatrixMut::new(&mut y, [30, 3], 3);
            depthwise(images, &packed, &window, 0..5, out, [-9.0, 9.0], Some(post));
            assert!(y.iter().enumerate().all(|(i, &y)| y == (i / 3) as f32), "{isa:?}: {y:?}");
        }
    }
}
