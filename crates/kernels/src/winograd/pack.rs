//! The transformed filter, as the products read it.

use std::ops::Range;

use super::{POINTS, SIDE};
use crate::buffer::Buffer;
use crate::gemm::{Filter, Tile, ToF32};
use crate::simd::{ForEachIsa, Simd, dispatch};

/// A filter of 3x3 taps at the points where the polynomials are evaluated: one matrix of input by
/// output channels for each. Panels of columns follow one another, each with all its points.
#[derive(Debug)]
pub struct PackedPoints {
    data: Buffer<f32>,
    tile: &'static Tile,
    channels: usize,
    outputs: usize,
}

impl PackedPoints {
    /// Transforms a filter; `None` where that gives what is not finite.
    ///
    /// # Panics
    ///
    /// When the filter has not 3x3 taps.
    pub fn new<T: ToF32>(tile: &'static Tile, filter: Filter<'_, T>) -> Option<Self> {
        assert_eq!(filter.taps, [3, 3], "the taps of a filter that can be transformed");
        let (channels, outputs) = (filter.channels, filter.columns);
        let mut data = Buffer::zeroed(packed_len(tile, channels, outputs));
        for first in (0..outputs).step_by(tile.nr) {
            let columns = first..outputs.min(first + tile.nr);
            let width = columns.len().next_multiple_of(tile.lanes);
            let to = &mut data[first * POINTS * channels..][..width * POINTS * channels];
            dispatch(tile.isa, Panel { filter, columns, width, to });
            if to.iter().any(|point| !point.is_finite()) {
                return None;
            }
        }
        Some(Self { data, tile, channels, outputs })
    }

    /// The number of input channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The number of output channels.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The tile that computes the products.
    pub fn tile(&self) -> &'static Tile {
        self.tile
    }

    /// The bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.data.len() * size_of::<f32>()
    }

    /// A panel of output channels at one point: a row of `width` for each input channel.
    pub(super) fn panel(&self, panel: usize, width: usize, point: usize) -> &[f32] {
        let first = panel * self.tile.nr * POINTS * self.channels;
        &self.data[first + point * self.channels * width..][..self.channels * width]
    }
}

fn packed_len(tile: &Tile, channels: usize, outputs: usize) -> usize {
    outputs.next_multiple_of(tile.lanes) * channels * POINTS
}

/// Transforms one panel.
struct Panel<'a, T> {
    filter: Filter<'a, T>,
    columns: Range<usize>,
    /// The columns as whole vectors.
    width: usize,
    to: &'a mut [f32],
}

/// Input channels that are transformed together, so that lines are written while in the cache.
const CHANNELS: usize = 16;
/// Columns that are transformed together.
const COLUMNS: usize = 8;

impl<T: ToF32> ForEachIsa for Panel<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Panel { filter, columns, width, to } = self;
        let channels = filter.channels;
        for first in (0..channels).step_by(CHANNELS) {
            for column in columns.clone().step_by(COLUMNS) {
                let count = COLUMNS.min(columns.end - column);
                for channel in first..channels.min(first + CHANNELS) {
                    let mut taps = [[[0.0; COLUMNS]; 3]; 3];
                    let start = channel * filter.channel_stride;
                    for j in 0..count {
                        let start = start + (column + j) * filter.column_stride;
                        for (y, taps) in taps.iter_mut().enumerate() {
                            for (x, tap) in taps.iter_mut().enumerate() {
                                let at = y * filter.tap_strides[0] + x * filter.tap_strides[1];
                                tap[j] = f64::from(filter.data[start + at].to_f32());
                            }
                        }
                    }
                    let rows = transform(taps);
                    for (i, points) in rows.as_flattened().iter().enumerate() {
                        let at = (i * channels + channel) * width + column - columns.start;
                        for (to, &point) in to[at..][..count].iter_mut().zip(points) {
                            // One rounding for the whole transform.
                            *to = point as f32;
                        }
                    }
                }
            }
        }
    }
}

/// `G g G'`, for several filters at once.
#[inline(always)]
fn transform(taps: [[[f64; COLUMNS]; 3]; 3]) -> [[[f64; COLUMNS]; SIDE]; SIDE] {
    let [a, b, c] = [0, 1, 2].map(
        #[inline(always)]
        |x| points([taps[0][x], taps[1][x], taps[2][x]]),
    );
    let mut all = [[[0.0; COLUMNS]; SIDE]; SIDE];
    for (i, row) in all.iter_mut().enumerate() {
        *row = points([a[i], b[i], c[i]]);
    }
    all
}

/// `G` times three taps.
#[inline(always)]
fn points([a, b, c]: [[f64; COLUMNS]; 3]) -> [[f64; COLUMNS]; SIDE] {
    let (mut sum, mut difference) = ([0.0; COLUMNS], [0.0; COLUMNS]);
    for j in 0..COLUMNS {
        let outer = a[j] + c[j];
        sum[j] = (outer + b[j]) / 2.0;
        difference[j] = (outer - b[j]) / 2.0;
    }
    [a, sum, difference, c]
}
