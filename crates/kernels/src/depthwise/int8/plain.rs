//! Any depthwise filter of integers, tap by tap.

use std::ops::Range;

use super::{ByteImages, Filter, PackedBytes, Terms};
use crate::Isa;
use crate::buffer::Buffer;
use crate::depthwise::lanes;
use crate::gemm::int8::Byte;
use crate::gemm::{MatrixMut, Window};
use crate::simd::{ForEachIsa, MAX_LANES, Simd};

/// Taps as integers: for each vector of channels, those of a channel per lane.
#[derive(Debug)]
pub(super) struct Plain {
    is_signed: bool,
    zero_point: i32,
    taps: Buffer<i32>,
    bias: Buffer<i32>,
    scales: Buffer<f32>,
}

impl Plain {
    pub(super) fn new<T: Byte>(
        isa: Isa,
        filter: &Filter<'_, T>,
        window: &Window,
        terms: &Terms<'_>,
    ) -> Self {
        let (lanes, taps) = (lanes(isa), window.taps());
        let padded = filter.channels.next_multiple_of(lanes);
        let mut plain = Self {
            is_signed: terms.is_signed,
            zero_point: terms.zero_point,
            taps: Buffer::zeroed(padded * taps),
            bias: Buffer::zeroed(padded),
            scales: Buffer::zeroed(padded),
        };
        for c in 0..filter.channels {
            plain.bias[c] = terms.bias(c);
            plain.scales[c] = terms.scale(c);
            let to = &mut plain.taps[c / lanes * lanes * taps..];
            for tap in 0..taps {
                let (y, x) = (tap / window.kernel[1], tap % window.kernel[1]);
                to[tap * lanes + c % lanes] = filter.tap(y, x, c);
            }
        }
        plain
    }

    /// At most a vector of bytes as integers, less the zero point.
    #[inline(always)]
    fn load<S: Simd>(&self, s: S, bytes: &[u8]) -> S::I32 {
        let mut line = [0; MAX_LANES];
        if self.is_signed {
            for (to, &byte) in line.iter_mut().zip(bytes) {
                *to = i32::from(byte.cast_signed());
            }
        } else {
            for (to, &byte) in line.iter_mut().zip(bytes) {
                *to = i32::from(byte);
            }
        }
        s.sub_i32(s.load_i32(&line), s.splat_i32(self.zero_point))
    }
}

/// Rows of output, counted over all images.
pub(super) struct Rows<'a, 'b> {
    pub(super) x: ByteImages<'a>,
    pub(super) filter: &'a PackedBytes,
    pub(super) plain: &'a Plain,
    pub(super) rows: Range<usize>,
    pub(super) to: &'a mut MatrixMut<'b, u8>,
}

impl ForEachIsa for Rows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { x, filter, plain, rows, to } = self;
        let window = &filter.window;
        let [height, width] = window.output;
        let taps = window.taps();
        for (i, row) in rows.enumerate() {
            let (image, oy) = (row / height, row % height);
            let down = window.taps_inside(0, oy);
            for ox in 0..width {
                let across = window.taps_inside(1, ox);
                let to = to.row(i * width + ox);
                for (c, to) in (0..filter.channels).step_by(S::LANES).zip(to.chunks_mut(S::LANES)) {
                    let weights = &plain.taps[c * taps..][..S::LANES * taps];
                    let mut sum = s.load_i32(&plain.bias[c..]);
                    for ky in down.clone() {
                        let y = oy * window.strides[0] + ky * window.dilations[0];
                        let line = image * window.input[0] + y - window.padding[0];
                        for kx in across.clone() {
                            let column = ox * window.strides[1] + kx * window.dilations[1];
                            let pixel = line * window.input[1] + column - window.padding[1];
                            let from = &x.data[pixel * x.pixel_stride + c..][..to.len()];
                            let weight =
                                s.load_i32(&weights[(ky * window.kernel[1] + kx) * S::LANES..]);
                            sum = s.add_i32(sum, s.mul_i32(plain.load(s, from), weight));
                        }
                    }
                    let mut line = [0; MAX_LANES];
                    let scale = s.load(&plain.scales[c..]);
                    s.store_i32(filter.bounds.apply(s, sum, scale), &mut line);
                    for (to, &x) in to.iter_mut().zip(&line) {
                        *to = x as u8;
                    }
                }
            }
        }
    }
}
