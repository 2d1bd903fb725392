//! Pooling over windows of images, channels last or first.

use std::ops::Range;

use crate::Isa;
use crate::float::{load_up_to, store_up_to};
use crate::integer::Integer;
use crate::reduce::{Fold, Max, Square, Sum};
use crate::simd::{ForEachIsa, Simd, dispatch};

/// Where the windows lie. Pairs are height, width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Size of an input image.
    pub input: [usize; 2],
    /// Size of an output image: as many windows.
    pub output: [usize; 2],
    /// Size of a window.
    pub window: [usize; 2],
    /// Steps from window to window.
    pub strides: [usize; 2],
    /// Steps from element to element in a window.
    pub dilations: [usize; 2],
    /// Rows above and columns left of the input that windows may cover. What follows below and
    /// to the right is known from the output's size.
    pub padding: [usize; 2],
}

impl Windows {
    /// The elements, along dimension `d`, of window `at` that lie in the input: the first one's
    /// place, and how many.
    #[inline(always)]
    fn taps(&self, d: usize, at: usize) -> (usize, usize) {
        let (start, step) = (at * self.strides[d], self.dilations[d]);
        let skipped = self.padding[d].saturating_sub(start).div_ceil(step).min(self.window[d]);
        let first = start + skipped * step;
        // `first` counts from the padding's edge.
        let end = self.input[d] + self.padding[d];
        let inside = end.saturating_sub(first).div_ceil(step).min(self.window[d] - skipped);
        (first.saturating_sub(self.padding[d]), inside)
    }

    /// Windows, along the columns, for which the element `tap` lies in the input.
    #[inline(always)]
    fn windows_with(&self, tap: usize) -> Range<usize> {
        let (offset, stride) = (tap * self.dilations[1], self.strides[1]);
        let first = self.padding[1].saturating_sub(offset).div_ceil(stride);
        let end = (self.input[1] + self.padding[1]).saturating_sub(offset).div_ceil(stride);
        let last = end.min(self.output[1]);
        first.min(last)..last
    }
}

/// How the elements of a window become one. Padding takes no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The mean.
    Average,
    /// The square root of the sum of squares.
    L2,
    /// The largest, or NaN if there is one; negative infinity where all is padding.
    Max,
}

/// Computes the rows `rows`, counted over all images, of `[batches, height, width, channels]`.
/// `x` is the whole input, `out` holds just those rows.
///
/// # Panics
///
/// If a length does not agree.
pub fn pool_channels_last(
    isa: Isa,
    pooling: Pooling,
    windows: &Windows,
    channels: usize,
    x: &[f32],
    rows: Range<usize>,
    out: &mut [f32],
) {
    assert_eq!(out.len(), rows.len() * windows.output[1] * channels);
    if channels > 0 {
        dispatch(isa, ChannelsLast(Work { pooling, windows, channels, x, rows, out }));
    }
}

/// Computes the rows `rows`, counted over all channels of all images, of
/// `[batches, channels, height, width]`. `x` is the whole input, `out` holds just those rows.
///
/// # Panics
///
/// If a length does not agree.
pub fn pool_channels_first(
    isa: Isa,
    pooling: Pooling,
    windows: &Windows,
    x: &[f32],
    rows: Range<usize>,
    out: &mut [f32],
) {
    assert_eq!(out.len(), rows.len() * windows.output[1]);
    dispatch(isa, ChannelsFirst(Work { pooling, windows, channels: 1, x, rows, out }));
}

struct Work<'a, T> {
    pooling: Pooling,
    windows: &'a Windows,
    channels: usize,
    x: &'a [T],
    rows: Range<usize>,
    out: &'a mut [T],
}

impl<T> Work<'_, T> {
    /// The input image that output row `row` belongs to, the first input row of its windows that
    /// is inside, and how many are.
    #[inline(always)]
    fn source(&self, row: usize) -> (&[T], usize, usize) {
        let windows = self.windows;
        let image = windows.input[0] * windows.input[1] * self.channels;
        let (first, count) = windows.taps(0, row % windows.output[0]);
        (&self.x[row / windows.output[0] * image..][..image], first, count)
    }
}

struct ChannelsLast<'a>(Work<'a, f32>);

impl ForEachIsa for ChannelsLast<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.0.pooling {
            Pooling::Average => s.call(ChannelsLastBy(self.0, Sum)),
            Pooling::L2 => s.call(ChannelsLastBy(self.0, Square)),
            Pooling::Max => s.call(ChannelsLastBy(self.0, Max)),
        }
    }
}

struct ChannelsLastBy<'a, F>(Work<'a, f32>, F);

impl<F: Fold> ForEachIsa for ChannelsLastBy<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (windows, channels) = (*self.0.windows, self.0.channels);
        let out = std::mem::take(&mut self.0.out);
        let rows = self.0.rows.clone();
        let row_len = windows.output[1] * channels;
        for (row, out) in rows.zip(out.chunks_exact_mut(row_len)) {
            let (image, top, height) = self.0.source(row);
            for (column, out) in out.chunks_exact_mut(channels).enumerate() {
                let (left, width) = windows.taps(1, column);
                let taps = Taps { windows: &windows, channels, image, top, height, left, width };
                let wide = 4 * S::LANES;
                let mut at = 0;
                while at + wide <= channels {
                    let sums = taps.fold::<S, F, 4>(s, at, wide);
                    for (j, sum) in sums.into_iter().enumerate() {
                        let out = &mut out[at + j * S::LANES..][..S::LANES];
                        s.store(taps.finish(s, self.0.pooling, sum), out);
                    }
                    at += wide;
                }
                while at < channels {
                    let rest = S::LANES.min(channels - at);
                    let [sum] = taps.fold::<S, F, 1>(s, at, rest);
                    let out = &mut out[at..][..rest];
                    store_up_to(s, taps.finish(s, self.0.pooling, sum), out);
                    at += rest;
                }
            }
        }
    }
}

/// The elements of one window that lie in the image.
struct Taps<'a> {
    windows: &'a Windows,
    channels: usize,
    image: &'a [f32],
    top: usize,
    height: usize,
    left: usize,
    width: usize,
}

impl Taps<'_> {
    /// Folds `count` channels from channel `at` on, of up to `W` vectors.
    #[inline(always)]
    fn fold<S: Simd, F: Fold, const W: usize>(&self, s: S, at: usize, count: usize) -> [S::F32; W] {
        let zero = s.splat(0.0);
        let mut sums = [s.splat(F::NEUTRAL); W];
        for y in 0..self.height {
            let row = (self.top + y * self.windows.dilations[0]) * self.windows.input[1];
            for x in 0..self.width {
                let pixel = row + self.left + x * self.windows.dilations[1];
                let x = &self.image[pixel * self.channels + at..][..count];
                for (j, sum) in sums.iter_mut().enumerate() {
                    let x = &x[j * S::LANES..count.min((j + 1) * S::LANES)];
                    *sum = F::take(s, *sum, load_up_to(s, x), zero);
                }
            }
        }
        sums
    }

    #[inline(always)]
    fn finish<S: Simd>(&self, s: S, pooling: Pooling, sum: S::F32) -> S::F32 {
        match pooling {
            // A window that is all padding has the sum 0, and keeps it.
            Pooling::Average => s.div(sum, s.splat((self.height * self.width).max(1) as f32)),
            Pooling::L2 => s.sqrt(sum),
            Pooling::Max => sum,
        }
    }
}

struct ChannelsFirst<'a>(Work<'a, f32>);

/// Windows whose sums are held at a time: whole vectors of any instruction set.
const WIDTH: usize = 128;

impl ForEachIsa for ChannelsFirst<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let windows = *self.0.windows;
        let out = std::mem::take(&mut self.0.out);
        let rows = self.0.rows.clone();
        let neutral = match self.0.pooling {
            Pooling::Average | Pooling::L2 => 0.0,
            Pooling::Max => f32::NEG_INFINITY,
        };
        for (row, out) in rows.zip(out.chunks_exact_mut(windows.output[1].max(1))) {
            let (image, top, height) = self.0.source(row);
            for (part, out) in out.chunks_mut(WIDTH).enumerate() {
                let first = part * WIDTH;
                let mut sums = [neutral; WIDTH];
                for y in 0..height {
                    let line = (top + y * windows.dilations[0]) * windows.input[1];
                    let line = &image[line..][..windows.input[1]];
                    for tap in 0..windows.window[1] {
                        let covered = windows.windows_with(tap);
                        let from = covered.start.clamp(first, first + out.len());
                        let to = covered.end.clamp(from, first + out.len());
                        let sums = &mut sums[from - first..to - first];
                        if sums.is_empty() {
                            continue;
                        }
                        let start = from * windows.strides[1] + tap * windows.dilations[1];
                        let line = &line[start - windows.padding[1]..];
                        fold_line(self.0.pooling, windows.strides[1], line, sums);
                    }
                }
                for (i, sum) in sums[..out.len()].iter_mut().enumerate() {
                    match self.0.pooling {
                        Pooling::Average => {
                            let (_, width) = windows.taps(1, first + i);
                            *sum /= (height * width).max(1) as f32;
                        }
                        Pooling::L2 => *sum = sum.sqrt(),
                        Pooling::Max => {}
                    }
                }
                for (sums, out) in sums.chunks(S::LANES).zip(out.chunks_mut(S::LANES)) {
                    store_up_to(s, s.load(sums), out);
                }
            }
        }
    }
}

/// Folds every `stride`th element of `line` into the sum of one window each.
#[inline(always)]
fn fold_line(pooling: Pooling, stride: usize, line: &[f32], sums: &mut [f32]) {
    match pooling {
        Pooling::Average => {
            fold_strided(
                stride,
                line,
                sums,
                #[inline(always)]
                |sum, x| sum + x,
            );
        }
        Pooling::L2 => {
            fold_strided(
                stride,
                line,
                sums,
                #[inline(always)]
                |sum, x| sum + x * x,
            );
        }
        Pooling::Max => {
            fold_strided(
                stride,
                line,
                sums,
                #[inline(always)]
                |sum, x| {
                    if x.is_nan() || sum < x { x } else { sum }
                },
            );
        }
    }
}

#[inline(always)]
fn fold_strided(stride: usize, line: &[f32], sums: &mut [f32], fold: impl Fn(f32, f32) -> f32) {
    let line = &line[..(sums.len() - 1) * stride + 1];
    if stride == 1 {
        for (sum, x) in sums.iter_mut().zip(line) {
            *sum = fold(*sum, *x);
        }
    } else {
        for (sum, x) in sums.iter_mut().zip(line.chunks(stride)) {
            *sum = fold(*sum, x[0]);
        }
    }
}

/// Computes the rows `rows`, counted over all images, of the largest integers of windows, where
/// an image has `channels` interleaved channels: all of them where channels are last, one where
/// they are first. `x` is the whole input, `out` holds just those rows.
///
/// # Panics
///
/// If a length does not agree.
pub fn max_pool_integers<T: Integer>(
    windows: &Windows,
    channels: usize,
    x: &[T],
    rows: Range<usize>,
    out: &mut [T],
) {
    let row_len = windows.output[1] * channels;
    assert_eq!(out.len(), rows.len() * row_len);
    let work = Work { pooling: Pooling::Max, windows, channels, x, rows: 0..0, out: &mut [] };
    for (row, out) in rows.zip(out.chunks_exact_mut(row_len.max(1))) {
        out.fill(T::MIN);
        let (image, top, height) = work.source(row);
        for (column, out) in out.chunks_exact_mut(channels).enumerate() {
            let (left, width) = windows.taps(1, column);
            for y in 0..height {
                let line = (top + y * windows.dilations[0]) * windows.input[1];
                for x in 0..width {
                    let pixel = line + left + x * windows.dilations[1];
                    let x = &image[pixel * channels..][..channels];
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = (*out).max(x);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
