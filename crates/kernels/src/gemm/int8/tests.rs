//! Every tile against plain loops in i64.

use super::*;
use crate::gemm::{Block, Depth, Filter, Matrix, MatrixMut, Pixels, Rows, Window};

/// Bytes without a pattern, the extremes among them.
fn bytes(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..len)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match i % 17 {
                0 => 0,
                1 => 255,
                2 => 128,
                3 => 127,
                _ => (state >> 24) as u8,
            }
        })
        .collect()
}

fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|&x| x as i8).collect()
}

fn tiles() -> impl Iterator<Item = &'static Tile> {
    TILES.iter().filter(|tile| tile.isa.is_available())
}

/// Computes the sums in the blocks that `threads` threads would compute.
fn sums<T: Byte>(a: &Rows<'_, T>, zero_point: i32, b: &PackedB, threads: usize) -> Vec<i32> {
    let (m, n) = (a.rows(), b.columns());
    let mut c = vec![i32::MIN; m * n];
    let mut whole = MatrixMut::new(&mut c, [m, n], n);
    let grid = partition(b.tile(), [m, n, a.depth().elements()], threads);
    for block in (0..grid.len()).map(|i| grid.block(i)) {
        let mut scratch = vec![0xa5; scratch_bytes_for::<T>(b, block.rows.len())];
        let output = Output::I32(whole.part(block.rows.clone(), block.columns.clone()));
        gemm(a, zero_point, b, &block, Finish { bias: &[], output }, &mut scratch);
    }
    c
}

const SIZES: &[[usize; 3]] = &[
    [1, 1, 1],
    [1, 100, 70],
    [3, 33, 9],
    [14, 32, 64],
    [15, 17, 130],
    [29, 65, 27],
    [300, 5, 4],
    [8, 40, 1024],
    [4, 3, 0],
];

fn check<A: Byte, B: Byte>(tile: &'static Tile, a: &[A], b: &[B], zero_points: [i32; 2]) {
    for &[m, n, k] in SIZES {
        let (a, b) = (&a[..m * k], &b[..n * k]);
        let rows = Rows::Matrix(Matrix::row_major(a, [m, k]));
        let per_column: Vec<i32> = (0..n as i32).map(|j| zero_points[1] + j % 3).collect();
        for (name, zeros) in [("one", &[zero_points[1]][..]), ("several", &per_column)] {
            // B is transposed: a row per column of the product.
            let filter = Filter::from(Matrix::row_major(b, [n, k]).transposed());
            let packed = PackedB::new(tile, filter, Depth::matrix(k), zeros);
            for threads in [1, 4] {
                let c = sums(&rows, zero_points[0], &packed, threads);
                for i in 0..m {
                    for j in 0..n {
                        let zero = zeros[if zeros.len() == 1 { 0 } else { j }];
                        let expected: i32 = (0..k)
                            .map(|p| {
                                (a[i * k + p].value() - zero_points[0])
                                    * (b[j * k + p].value() - zero)
                            })
                            .sum();
                        assert_eq!(
                            c[i * n + j],
                            expected,
                            "{}: {m} x {n} x {k}, A signed {}, B signed {}, {zero_points:?}, \
                             {name} zero point(s), {threads} threads: C[{i}, {j}]",
                            tile.name,
                            A::SIGNED,
                            B::SIGNED
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn every_tile_is_exact() {
    let (a, b) = (bytes(1 << 16, 1), bytes(1 << 17, 2));
    for tile in tiles() {
        for zero in [0, 7, 128, 255] {
            check(tile, &a, &b, [zero, 130]);
            check(tile, &a, &signed(&b), [zero, 0]);
            check(tile, &signed(&a), &signed(&b), [zero - 128, 0]);
            check(tile, &signed(&a), &b, [zero - 128, 3]);
        }
    }
}

fn windows() -> [(usize, usize, usize, Window); 4] {
    let window = |input, output, kernel, strides, padding| Window {
        input,
        output,
        kernel,
        strides,
        dilations: [1, 1],
        padding,
    };
    [
        (3, 10, 1, window([9, 11], [5, 6], [3, 3], [2, 2], [1, 1])),
        (16, 33, 1, window([6, 7], [6, 7], [3, 3], [1, 1], [1, 1])),
        (20, 16, 2, window([4, 5], [4, 5], [3, 3], [1, 1], [1, 1])),
        (64, 40, 1, window([6, 6], [3, 3], [1, 1], [2, 2], [0, 0])),
    ]
}

#[test]
fn convolutions_are_exact() {
    let zero_point = 9;
    for tile in tiles() {
        for (channels, outputs, groups, window) in windows() {
            let ([height, width], taps) = (window.input, window.taps());
            let (group_in, group_out) = (channels / groups, outputs / groups);
            let x = bytes(height * width * channels, 3);
            // The filter lies as [outputs, channels per group, height, width].
            let filter = signed(&bytes(outputs * group_in * taps, 4));
            for group in 0..groups {
                let rows = Rows::Pixels(Pixels::new(
                    &x[group * group_in..],
                    &window,
                    1,
                    group_in,
                    channels,
                    zero_point as u8,
                ));
                let strides = [window.kernel[1], 1, taps, group_in * taps];
                let packed = PackedB::new(
                    tile,
                    Filter::new(
                        &filter[group * group_out * group_in * taps..],
                        [window.kernel[0], window.kernel[1], group_in, group_out],
                        strides,
                    ),
                    rows.depth(),
                    &[2],
                );
                let y = sums(&rows, zero_point, &packed, 3);
                if tile.is_wide() {
                    let mut wide = vec![0; x.len()];
                    widen(tile.isa, &x, zero_point, &mut wide);
                    let x = &wide[group * group_in..];
                    let pixels = Pixels::new(x, &window, 1, group_in, channels, 0);
                    let widened = sums(&Rows::Pixels(pixels), 0, &packed, 3);
                    assert_eq!(widened, y, "{}: {channels} to {outputs}, {window:?}", tile.name);
                }
                for (at, &got) in y.iter().enumerate() {
                    let (pixel, output) = (at / group_out, group * group_out + at % group_out);
                    let (oy, ox) = (pixel / window.output[1], pixel % window.output[1]);
                    let mut expected = 0;
                    for tap in 0..taps {
                        let (ky, kx) = (tap / window.kernel[1], tap % window.kernel[1]);
                        let y = (oy * window.strides[0] + ky).wrapping_sub(window.padding[0]);
                        let xx = (ox * window.strides[1] + kx).wrapping_sub(window.padding[1]);
                        if y >= height || xx >= width {
                            continue;
                        }
                        for c in 0..group_in {
                            let from = (y * width + xx) * channels + group * group_in + c;
                            let weight = filter[(output * group_in + c) * taps + tap];
                            expected += (x[from].value() - zero_point) * (weight.value() - 2);
                        }
                    }
                    assert_eq!(
                        got, expected,
                        "{}: {channels} to {outputs} in {groups} groups, {window:?}: pixel {pixel}, \
                         output {output}",
                        tile.name
                    );
                }
            }
        }
    }
}

#[test]
fn sums_are_rescaled_rounded_and_clamped_as_defined() {
    let (m, n, k) = (17, 37, 24);
    let (a, b) = (bytes(m * k, 5), signed(&bytes(n * k, 6)));
    let bias: Vec<i32> = (0..n as i32).map(|j| j * 100 - 900).collect();
    let scales: Vec<f32> = (0..n).map(|j| 0.001 + j as f32 * 1e-5).collect();
    let float_bias: Vec<f32> = (0..n).map(|j| j as f32).collect();
    // A power of two makes halves, which go to even.
    for (name, scales) in [("halves", &[1.0 / 256.0][..]), ("per column", &scales)] {
        for (tile, zero) in tiles().flat_map(|tile| [(tile, 0), (tile, 2)]) {
            let filter = Filter::from(Matrix::row_major(&b, [k, n]));
            let packed = PackedB::new(tile, filter, Depth::matrix(k), &[zero]);
            let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
            let block = Block { rows: 0..m, columns: 0..n };
            let mut scratch = vec![0; scratch_bytes(&packed, m)];
            let mut run = |output| {
                gemm(&rows, 3, &packed, &block, Finish { bias: &bias, output }, &mut scratch)
            };
            let (mut exact, mut float) = (vec![0; m * n], vec![0.0; m * n]);
            let (mut unsigned, mut with_sign) = (vec![0; m * n], vec![0; m * n]);
            run(Output::I32(MatrixMut::new(&mut exact, [m, n], n)));
            let requantize = Requantize { scales, zero_point: 100, clamp: [90, 255] };
            run(Output::Bytes(MatrixMut::new(&mut unsigned, [m, n], n), requantize));
            let requantize = Requantize { scales, zero_point: -5, clamp: [-128, 127] };
            run(Output::Bytes(MatrixMut::new(&mut with_sign, [m, n], n), requantize));
            run(Output::F32 {
                to: MatrixMut::new(&mut float, [m, n], n),
                scales,
                bias: &float_bias,
                clamp: [-5.0, 20.0],
            });
            for at in 0..m * n {
                let (i, j) = (at / n, at % n);
                let sum: i32 = (0..k)
                    .map(|p| (a[i * k + p].value() - 3) * (b[p * n + j].value() - zero))
                    .sum::<i32>()
                    + bias[j];
                let scaled = sum as f32 * scales[if scales.len() == 1 { 0 } else { j }];
                let rounded = scaled.round_ties_even() as i32;
                let expected = (
                    sum,
                    (rounded + 100).clamp(90, 255) as u8,
                    (rounded - 5).clamp(-128, 127) as u8,
                    (scaled + float_bias[j]).clamp(-5.0, 20.0),
                );
                let got = (exact[at], unsigned[at], with_sign[at], float[at]);
                assert_eq!(got, expected, "{}, {name}: C[{i}, {j}]", tile.name);
            }
        }
    }
}
