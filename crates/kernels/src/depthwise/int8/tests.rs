//! Every instruction set against plain loops.

use super::*;

fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|i| if i % 11 == 0 { 255 } else { ((i * 73 + seed * 29) % 256) as u8 }).collect()
}

fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|&x| x.cast_signed()).collect()
}

fn windows() -> Vec<Window> {
    let window = |input: [usize; 2], output, kernel, strides, padding| Window {
        input,
        output,
        kernel,
        strides,
        dilations: [1, 1],
        padding,
    };
    vec![
        window([9, 17], [9, 17], [3, 3], [1, 1], [1, 1]),
        window([9, 17], [5, 9], [3, 3], [2, 2], [1, 1]),
        window([8, 8], [4, 4], [3, 3], [2, 2], [0, 0]),
        window([1, 1], [1, 1], [3, 3], [1, 1], [1, 1]),
        window([6, 6], [6, 6], [5, 5], [1, 1], [2, 2]),
        window([7, 9], [4, 5], [5, 5], [2, 2], [2, 2]),
        window([4, 7], [2, 3], [2, 3], [2, 2], [0, 0]),
        Window { dilations: [2, 1], ..window([9, 6], [7, 6], [3, 3], [1, 1], [1, 1]) },
        Window { dilations: [1, 2], ..window([6, 9], [6, 7], [3, 3], [1, 1], [1, 1]) },
    ]
}

/// A convolution with `channels` of each pixel of `stride` elements.
struct Case<'a, T, W> {
    isa: Isa,
    window: &'a Window,
    x: &'a [T],
    filter: &'a [W],
    zero_points: [i32; 2],
    channels: usize,
    stride: usize,
}

impl<T: Byte, W: Byte> Case<'_, T, W> {
    const IMAGES: usize = 2;

    fn check(&self, data: &[u8]) {
        let Case { isa, window, channels, stride, zero_points: [zero_point, zero], .. } = *self;
        let ([height, width], [oh, ow]) = (window.input, window.output);
        let taps = window.taps();
        let bias: Vec<i32> = (0..channels as i32).map(|c| c * 301 - 7000).collect();
        let scales: Vec<f32> = (0..channels).map(|c| 1e-3 + c as f32 * 1e-5).collect();
        let to = Requantize { scales: &scales, zero_point: 100, clamp: [3, 250] };
        let filter = Filter {
            data: self.filter,
            channels,
            // It lies as [channels, height, width].
            strides: [window.kernel[1], 1, taps],
            zero_points: &[zero],
        };
        let packed = PackedBytes::new::<T, W>(isa, filter, window, zero_point, &bias, &to);
        let input = ByteImages { data, pixel_stride: stride };
        let mut got = vec![0_u8; Self::IMAGES * oh * ow * channels];
        let rows = Self::IMAGES * oh;
        for range in [0..rows / 3, rows / 3..rows] {
            let pixels = range.start * ow * channels..range.end * ow * channels;
            let shape = [range.len() * ow, channels];
            depthwise(input, &packed, range, MatrixMut::new(&mut got[pixels], shape, channels));
        }
        for (at, &got) in got.iter().enumerate() {
            let (pixel, c) = (at / channels, at % channels);
            let (image, oy, ox) = (pixel / (oh * ow), pixel / ow % oh, pixel % ow);
            let mut sum = bias[c];
            for tap in 0..taps {
                let (ky, kx) = (tap / window.kernel[1], tap % window.kernel[1]);
                if let (Some(y), Some(x)) = (window.source(0, oy, ky), window.source(1, ox, kx)) {
                    let from = ((image * height + y) * width + x) * stride + c;
                    let weight = self.filter[c * taps + tap].value() - zero;
                    sum += (self.x[from].value() - zero_point) * weight;
                }
            }
            let byte = ((sum as f32 * scales[c]).round_ties_even() as i32 + 100).clamp(3, 250);
            assert_eq!(
                i32::from(got),
                byte,
                "{isa:?}, {window:?}, {channels} channels, signed {} and {}: \
                 pixel {pixel}, channel {c}",
                T::SIGNED,
                W::SIGNED
            );
        }
    }
}

#[test]
fn every_set_is_exact() {
    for isa in Isa::available() {
        for window in &windows() {
            for (channels, stride) in [(1, 1), (5, 6), (32, 32), (70, 70), (130, 133)] {
                let x = bytes(2 * window.input[0] * window.input[1] * stride, 1);
                let filter = bytes(channels * window.taps(), 2);
                let (x_signed, filter_signed) = (signed(&x), signed(&filter));
                macro_rules! check {
                    ($x:expr, $filter:expr, $zero_points:expr) => {
                        Case {
                            isa,
                            window,
                            x: $x,
                            filter: $filter,
                            zero_points: $zero_points,
                            channels,
                            stride,
                        }
                        .check(&x)
                    };
                }
                check!(&x, &filter_signed, [113, 0]);
                check!(&x_signed, &filter_signed, [-13, 0]);
                // Some weights are then no signed bytes.
                check!(&x, &filter, [255, 3]);
                check!(&x_signed, &filter_signed, [127, -5]);
                check!(&x, &filter, [0, 128]);
            }
        }
    }
}

#[test]
fn common_filters_slide() {
    let [window, ..] = &windows()[..] else { unreachable!("there are windows") };
    for isa in Isa::available() {
        let taps = vec![1_i8; 9 * 96];
        let filter = Filter { data: &taps, channels: 96, strides: [3, 1, 9], zero_points: &[0] };
        let to = Requantize { scales: &[1.0], zero_point: 0, clamp: [0, 255] };
        let packed = PackedBytes::new::<u8, i8>(isa, filter, window, 0, &[], &to);
        assert!(matches!(packed.taps, Taps::Slide(_)), "{isa:?}");
    }
}
