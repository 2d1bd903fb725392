//! Depthwise convolution of 8-bit integers, exact.
//!
//! Some rows of the input at a time become floats, less their zero point, and pass through the
//! f32 kernel: products of bytes and sums of so few of them are whole numbers that f32 holds.

use std::ops::Range;

use super::{Images, PackedTaps, Rows};
use crate::Isa;
use crate::buffer::{Plain, Scratch};
use crate::gemm::int8::finish::{Columns, Job};
use crate::gemm::int8::{Byte, Finish, MAX_WIDTH};
use crate::gemm::{MatrixMut, Window};
use crate::simd::{ForEachIsa, Simd, dispatch};

/// The most taps whose sum of products of bytes is exact in f32.
pub const MAX_TAPS: usize = (1 << 24) / (255 * 255);

/// An 8-bit depthwise filter, packed.
#[derive(Debug)]
pub struct PackedBytes(PackedTaps);

impl PackedBytes {
    /// Packs a filter of `[height, width, channels]` elements with these strides, and a zero point
    /// per channel, or one for all.
    ///
    /// # Panics
    ///
    /// When the filter is shorter than its shape says, has more than [`MAX_TAPS`] taps, or the
    /// number of zero points is neither one nor that of the channels.
    pub fn new<T: Byte>(
        isa: Isa,
        filter: &[T],
        shape: [usize; 3],
        strides: [usize; 3],
        zero_points: &[i32],
    ) -> Self {
        let [height, width, channels] = shape;
        assert!(height * width <= MAX_TAPS, "{height} x {width} taps, expected at most {MAX_TAPS}");
        assert!(
            zero_points.len() == 1 || zero_points.len() == channels,
            "{} zero points for {channels} channels",
            zero_points.len()
        );
        let mut floats = Vec::with_capacity(height * width * channels);
        for y in 0..height {
            for x in 0..width {
                for c in 0..channels {
                    let zero = zero_points[if zero_points.len() == 1 { 0 } else { c }];
                    let value = filter[y * strides[0] + x * strides[1] + c * strides[2]].value();
                    floats.push((value - zero) as f32);
                }
            }
        }
        let strides = [width * channels, channels, 1];
        Self(PackedTaps::new(isa, &floats, shape, strides, None))
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.0.channels
    }
}

/// Images of bytes.
#[derive(Clone, Copy, Debug)]
pub struct ByteImages<'a, T> {
    /// The first channel of the first pixel, and all that follows.
    pub data: &'a [T],
    /// From one pixel to the next, in elements.
    pub pixel_stride: usize,
    /// What stands for zero, and pads the image.
    pub zero_point: i32,
}

/// Rows of output that are computed together: so many that the floats under them stay in the
/// second-level cache.
fn rows_together(window: &Window, channels: usize) -> usize {
    const BYTES: usize = 256 << 10;
    let row = (window.input[1] * channels * size_of::<f32>()).max(1);
    (BYTES / row).saturating_sub(window.kernel[0]) / window.strides[0] + 1
}

/// The rows of input under so many rows of output.
fn rows_under(window: &Window, rows: usize) -> usize {
    (rows - 1) * window.strides[0] + (window.kernel[0] - 1) * window.dilations[0] + 1
}

/// The scratch that [`depthwise`] takes.
pub fn scratch_bytes(filter: &PackedBytes, window: &Window) -> usize {
    let channels = filter.0.channels;
    let rows = rows_together(window, channels);
    Scratch::bytes_for::<f32>(rows_under(window, rows) * window.input[1] * channels)
        + Scratch::bytes_for::<f32>(rows * window.output[1] * channels)
        + Scratch::bytes_for::<i32>(rows * window.output[1] * channels + MAX_WIDTH)
}

/// Computes some rows of the output, counted over all images; the output has a row per pixel of
/// them and a column per channel.
///
/// # Panics
///
/// When shapes do not fit together, or the scratch is less than [`scratch_bytes`].
pub fn depthwise<T: Byte>(
    x: ByteImages<'_, T>,
    filter: &PackedBytes,
    window: &Window,
    rows: Range<usize>,
    mut finish: Finish<'_>,
    scratch: &mut [u8],
) {
    let taps = &filter.0;
    let [height, width] = window.output;
    let channels = taps.channels;
    assert_eq!(taps.kernel, window.kernel, "the filter's size is the window's");
    finish.check([rows.len() * width, channels], channels);
    let together = rows_together(window, channels);
    let mut scratch = Scratch::new(scratch);
    let floats = scratch.take::<f32>(rows_under(window, together) * window.input[1] * channels);
    let results = scratch.take::<f32>(together * width * channels);
    let sums = scratch.take::<i32>(together * width * channels + MAX_WIDTH);
    let mut next = rows.start;
    while next < rows.end {
        // Not beyond the end of an image.
        let image = next / height;
        let end = rows.end.min(next + together).min((image + 1) * height);
        let under = rows_under_range(window, next % height..(end - 1) % height + 1);
        let first_row = image * window.input[0] + under.start;
        let pixels = first_row * window.input[1]..(first_row + under.len()) * window.input[1];
        let floats = &mut floats[..pixels.len() * channels];
        dispatch(taps.isa, ToFloats { x, pixels, channels, floats });
        let count = (end - next) * width;
        let results = &mut results[..count * channels];
        dispatch(
            taps.isa,
            Rows {
                x: Images { data: floats, pixel_stride: channels },
                first_row,
                filter: taps,
                window,
                rows: next..end,
                y: MatrixMut::new(results, [count, channels], channels),
                clamp: [f32::NEG_INFINITY, f32::INFINITY],
                post: None,
            },
        );
        dispatch(taps.isa, ToIntegers { from: results, to: sums });
        let at = (next - rows.start) * width;
        for first in (0..channels).step_by(MAX_WIDTH) {
            let wide = MAX_WIDTH.min(channels - first);
            let columns = Columns::new(&finish, first, wide, |_| 0);
            let job = Job {
                sums: &sums[first..],
                stride: channels,
                width: wide.next_multiple_of(taps.lanes()),
                columns: &columns,
                row_sums: &[],
                at: [at..at + count, first..first + wide],
                output: &mut finish.output,
            };
            dispatch(taps.isa, job);
        }
        next = end;
    }
}

/// The rows of input under rows of output of one image.
fn rows_under_range(window: &Window, rows: Range<usize>) -> Range<usize> {
    let first = (rows.start * window.strides[0]).saturating_sub(window.padding[0]);
    let last =
        (rows.end - 1) * window.strides[0] + (window.kernel[0] - 1) * window.dilations[0] + 1;
    let end = last.saturating_sub(window.padding[0]).min(window.input[0]);
    first.min(end)..end
}

/// Turns pixels into floats without gaps.
struct ToFloats<'a, T> {
    x: ByteImages<'a, T>,
    pixels: Range<usize>,
    channels: usize,
    floats: &'a mut [f32],
}

impl<T: Byte + Plain> ForEachIsa for ToFloats<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { x, pixels, channels, floats } = self;
        if channels == x.pixel_stride {
            let from = &x.data[pixels.start * channels..][..floats.len()];
            floats.iter_mut().zip(from).for_each(
                #[inline(always)]
                |(to, &x_)| *to = (x_.value() - x.zero_point) as f32,
            );
            return;
        }
        for (pixel, to) in pixels.zip(floats.chunks_exact_mut(channels)) {
            let from = &x.data[pixel * x.pixel_stride..][..channels];
            to.iter_mut().zip(from).for_each(
                #[inline(always)]
                |(to, &x_)| *to = (x_.value() - x.zero_point) as f32,
            );
        }
    }
}

/// Turns floats that are whole numbers into integers.
struct ToIntegers<'a> {
    from: &'a [f32],
    to: &'a mut [i32],
}

impl ForEachIsa for ToIntegers<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let whole = self.from.len() - self.from.len() % S::LANES;
        let (from, rest) = self.from.split_at(whole);
        let (to, behind) = self.to.split_at_mut(whole);
        for (from, to) in from.chunks_exact(S::LANES).zip(to.chunks_exact_mut(S::LANES)) {
            s.store_i32(s.to_i32(s.load(from)), to);
        }
        for (to, &from) in behind.iter_mut().zip(rest) {
            *to = from as i32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::int8::{Output, Requantize};

    fn bytes(len: usize, seed: usize) -> Vec<u8> {
        (0..len)
            .map(|i| if i % 11 == 0 { 255 } else { ((i * 73 + seed * 29) % 256) as u8 })
            .collect()
    }

    fn windows() -> [Window; 4] {
        let window = |input: [usize; 2], output, kernel, strides, padding| Window {
            input,
            output,
            kernel,
            strides,
            dilations: [1, 1],
            padding,
        };
        [
            window([9, 17], [9, 17], [3, 3], [1, 1], [1, 1]),
            window([9, 17], [5, 9], [3, 3], [2, 2], [1, 1]),
            window([6, 6], [6, 6], [5, 5], [1, 1], [2, 2]),
            window([4, 7], [2, 3], [2, 3], [2, 2], [0, 0]),
        ]
    }

    #[test]
    fn every_set_is_exact() {
        let (images, zero_point) = (2, 113);
        for isa in Isa::available() {
            for window in windows() {
                for (channels, stride) in [(1, 1), (5, 6), (32, 32), (70, 70)] {
                    let ([height, width], [oh, ow]) = (window.input, window.output);
                    let x = bytes(images * height * width * stride, 1);
                    let taps = window.taps();
                    // The filter lies as [channels, height, width].
                    let filter: Vec<i8> =
                        bytes(channels * taps, 2).into_iter().map(|x| x as i8).collect();
                    let bias: Vec<i32> = (0..channels as i32).map(|c| c * 20_000_001).collect();
                    let shape = [window.kernel[0], window.kernel[1], channels];
                    let strides = [window.kernel[1], 1, taps];
                    let packed = PackedBytes::new(isa, &filter, shape, strides, &[3]);
                    let input = ByteImages { data: &x, pixel_stride: stride, zero_point };
                    let mut exact = vec![0; images * oh * ow * channels];
                    let mut rescaled = vec![0_u8; exact.len()];
                    let requantize =
                        Requantize { scales: &[1e-3], zero_point: 128, clamp: [0, 255] };
                    let rows = images * oh;
                    let mut scratch = vec![0x55; scratch_bytes(&packed, &window)];
                    for range in [0..rows / 3, rows / 3..rows] {
                        let pixels = range.start * ow * channels..range.end * ow * channels;
                        let shape = [range.len() * ow, channels];
                        let to = MatrixMut::new(&mut exact[pixels.clone()], shape, channels);
                        let finish = Finish { bias: &bias, output: Output::I32(to) };
                        depthwise(input, &packed, &window, range.clone(), finish, &mut scratch);
                        let to = MatrixMut::new(&mut rescaled[pixels], shape, channels);
                        let finish = Finish { bias: &[], output: Output::U8(to, requantize) };
                        depthwise(input, &packed, &window, range, finish, &mut scratch);
                    }
                    for (at, &got) in exact.iter().enumerate() {
                        let (pixel, c) = (at / channels, at % channels);
                        let (image, oy, ox) = (pixel / (oh * ow), pixel / ow % oh, pixel % ow);
                        let mut sum = 0;
                        for tap in 0..taps {
                            let (ky, kx) = (tap / window.kernel[1], tap % window.kernel[1]);
                            let y = (oy * window.strides[0] + ky).wrapping_sub(window.padding[0]);
                            let xx = (ox * window.strides[1] + kx).wrapping_sub(window.padding[1]);
                            if y < height && xx < width {
                                let from = ((image * height + y) * width + xx) * stride + c;
                                sum += (i32::from(x[from]) - zero_point)
                                    * (i32::from(filter[c * taps + tap]) - 3);
                            }
                        }
                        let byte =
                            ((sum as f32 * 1e-3).round_ties_even() as i32 + 128).clamp(0, 255);
                        assert_eq!(
                            (got, i32::from(rescaled[at])),
                            (sum + bias[c], byte),
                            "{isa:?}, {window:?}, {channels} channels: pixel {pixel}, channel {c}"
                        );
                    }
                }
            }
        }
    }
}
