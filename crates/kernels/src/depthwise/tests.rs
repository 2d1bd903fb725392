//! Every path against plain loops.

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
        window([7, 7], [5, 5], [1, 1], [1, 1], [2, 2]),
        window([5, 7], [3, 3], [1, 1], [1, 1], [1, 1]),
        window([9, 14], [5, 5], [2, 2], [1, 1], [2, 2]),
        window([3, 15], [3, 3], [2, 2], [1, 1], [0, 1]),
        window([4, 2], [5, 5], [1, 1], [1, 1], [4, 5]),
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
                let packed = PackedTaps::new(isa, &filter, shape, [shape[1], 1, taps], Some(&bias));
                let clamp = [-200.0, 100.0];
                let mut y = vec![7.0; images * oh * ow * (channels + 1)];
                let rows = images * oh;
                for range in [0..rows / 2, rows / 2..rows] {
                    let part = &mut y[range.start * ow * (channels + 1)..];
                    // No more of the images than is needed; the last row is at the first place
                    // where there was one before it.
                    let (taken, row) = (window.taken(range.clone()), width * stride);
                    let turned = usize::from(taken.start > 0);
                    let (first_row, held_rows) = (taken.start - turned, taken.len());
                    let mut data = x[taken.start * row..taken.end * row].to_vec();
                    data.rotate_right(turned * row);
                    depthwise(
                        Images { data: &data, pixel_stride: stride, first_row, held_rows },
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
        let images = Images::whole(&x, 1);
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
        let images = Images::whole(&x, 3);
        let out = MatrixMut::new(&mut y, [30, 3], 3);
        depthwise(images, &packed, &window, 0..5, out, [-9.0, 9.0], Some(post));
        assert!(y.iter().enumerate().all(|(i, &y)| y == (i / 3) as f32), "{isa:?}: {y:?}");
    }
}
