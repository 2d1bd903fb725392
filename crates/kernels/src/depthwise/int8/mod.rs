//! Depthwise convolution of 8-bit integers, exact in 32 bits, to 8-bit integers.
//!
//! Filters of 3 x 3 and 5 x 5 taps slide over a row: a block of channels at a time, each column of
//! the input is added to the sums of all outputs that it lies under. Other filters, weights that
//! are no signed bytes where such are multiplied, and fewer channels than a block has are computed
//! tap by tap.

mod plain;
mod quads;
mod slide;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::Isa;
use crate::gemm::int8::finish::Bounds;
use crate::gemm::int8::{Byte, Requantize};
use crate::gemm::{MatrixMut, Window};
use crate::simd::dispatch;
use plain::Plain;
use slide::Slide;

/// An 8-bit depthwise filter, packed, with how it moves and what its sums become.
#[derive(Debug)]
pub struct PackedBytes {
    isa: Isa,
    window: Window,
    channels: usize,
    bounds: Bounds,
    taps: Taps,
}

#[derive(Debug)]
enum Taps {
    Slide(Slide),
    Plain(Plain),
}

/// A depthwise filter of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a, T> {
    /// The elements.
    pub data: &'a [T],
    /// The number of channels.
    pub channels: usize,
    /// From one element to the next along height, width and channels.
    pub strides: [usize; 3],
    /// A zero point per channel, or one for all.
    pub zero_points: &'a [i32],
}

impl<T: Byte> Filter<'_, T> {
    /// A tap less its zero point.
    fn tap(&self, y: usize, x: usize, channel: usize) -> i32 {
        let [down, across, deep] = self.strides;
        let value = self.data[y * down + x * across + channel * deep].value();
        value - of_channel(self.zero_points, channel)
    }
}

/// A channel's number where there is one per channel, or one for all.
fn of_channel<T: Copy>(numbers: &[T], channel: usize) -> T {
    numbers[if numbers.len() == 1 { 0 } else { channel }]
}

/// What is known of the input, and what becomes of the sums.
#[derive(Clone, Copy, Debug)]
struct Terms<'a> {
    is_signed: bool,
    /// What stands for zero in the input, and pads it.
    zero_point: i32,
    /// A summand per channel; none if empty.
    bias: &'a [i32],
    /// A factor per channel, or one for all.
    scales: &'a [f32],
}

impl Terms<'_> {
    fn bias(&self, channel: usize) -> i32 {
        self.bias.get(channel).copied().unwrap_or(0)
    }

    fn scale(&self, channel: usize) -> f32 {
        of_channel(self.scales, channel)
    }
}

impl PackedBytes {
    /// Packs a filter for inputs of type `T` with a zero point. The bias is a summand per channel;
    /// none if empty.
    ///
    /// # Panics
    ///
    /// When the filter is shorter than its window says, or there are not as many zero points,
    /// scales or summands as there must be.
    pub fn new<T: Byte, W: Byte>(
        isa: Isa,
        filter: Filter<'_, W>,
        window: &Window,
        zero_point: i32,
        bias: &[i32],
        to: &Requantize<'_>,
    ) -> Self {
        let channels = filter.channels;
        for (what, count) in
            [("zero points", filter.zero_points.len()), ("scales", to.scales.len())]
        {
            assert!(count == 1 || count == channels, "{count} {what} for {channels} channels");
        }
        assert!(
            bias.is_empty() || bias.len() == channels,
            "{} summands for {channels} channels",
            bias.len()
        );
        let terms = Terms { is_signed: T::SIGNED, zero_point, bias, scales: to.scales };
        let taps = match Slide::new(isa, &filter, window, &terms) {
            Some(slide) => Taps::Slide(slide),
            None => Taps::Plain(Plain::new(isa, &filter, window, &terms)),
        };
        Self { isa, window: *window, channels, bounds: Bounds::new(to), taps }
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }
}

/// Images of bytes.
#[derive(Clone, Copy, Debug)]
pub struct ByteImages<'a> {
    /// The first channel of the first pixel, and all that follows: signed or not, as the filter was
    /// packed for.
    pub data: &'a [u8],
    /// From one pixel to the next, in elements.
    pub pixel_stride: usize,
}

/// Computes some rows of the output, counted over all images; the output has a row per pixel of
/// them and a column per channel.
///
/// # Panics
///
/// When shapes do not fit together.
pub fn depthwise(
    x: ByteImages<'_>,
    filter: &PackedBytes,
    rows: Range<usize>,
    mut to: MatrixMut<'_, u8>,
) {
    assert!(x.pixel_stride >= filter.channels, "pixels {} apart", x.pixel_stride);
    let shape = [rows.len() * filter.window.output[1], filter.channels];
    assert_eq!([to.rows(), to.columns()], shape, "the output is the rows");
    match &filter.taps {
        Taps::Slide(slide) => slide.run(x, filter, rows, &mut to),
        Taps::Plain(plain) => {
            dispatch(filter.isa, plain::Rows { x, filter, plain, rows, to: &mut to });
        }
    }
}
