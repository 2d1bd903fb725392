//! Every tile against plain loops with f64 sums.

use super::*;

/// Numbers in -0.5..0.5 without a pattern that sums could hide behind.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        })
        .collect()
}

fn tiles() -> impl Iterator<Item = &'static Tile> {
    F32.iter().filter(|tile| tile.isa.is_available())
}

/// The scratch of products in parts or not.
fn in_parts_bytes(depth: Depth, rows: usize) -> usize {
    scratch_bytes(depth, rows) + split_scratch_bytes(depth, rows)
}

/// Computes C in the blocks that `threads` threads would compute.
fn product(
    a: &Rows<'_, f32>,
    b: &PackedB,
    c: &mut [f32],
    stride: usize,
    finish: &Finish<'_>,
    threads: usize,
) {
    let b = b.view().in_parts();
    let (m, n) = (a.rows(), b.columns());
    let mut c = MatrixMut::new(c, [m, n], stride);
    let grid = partition(b.tile(), [m, n, a.depth().elements()], threads);
    for i in 0..grid.len() {
        let block = grid.block(i);
        let mut scratch = vec![0x7f; in_parts_bytes(a.depth(), block.rows.len())];
        let part = c.part(block.rows.clone(), block.columns.clone());
        gemm(a, b, part, &block, finish, &mut scratch);
    }
}

/// A sum of products and the sum of their magnitudes, which bounds its error.
fn sum(terms: impl Iterator<Item = (f32, f32)>) -> (f64, f64) {
    terms.fold((0.0, 0.0), |(sum, size), (x, y)| {
        let term = f64::from(x) * f64::from(y);
        (sum + term, size + term.abs())
    })
}

fn close(got: f32, (expected, size): (f64, f64)) -> bool {
    // A few roundings of half a unit in the last place each; sums of 1300 terms stay far below.
    (f64::from(got) - expected).abs() <= (size + 1.0) * 16.0 * f64::from(f32::EPSILON)
}

const SIZES: &[[usize; 3]] = &[
    [1, 1, 1],
    [1, 300, 70],
    [2, 129, 33],
    [3, 65, 400],
    // Read panel by panel where one thread has it all, piece by piece where many share it.
    [1, 1001, 300],
    [3, 700, 600],
    // More than one row's run.
    [1, 40, 1300],
    [4, 64, 16],
    [5, 7, 3],
    [6, 96, 40],
    [13, 31, 17],
    [14, 32, 385],
    [15, 33, 64],
    [29, 100, 27],
    [240, 17, 5],
    [7, 40, 0],
    [450, 8, 9],
    [30, 24, 50],
    [33, 56, 300],
    [20, 2, 600],
    [31, 3, 21],
    [5, 2, 0],
];

#[test]
fn every_tile_matches_the_definition() {
    for tile in tiles() {
        for &[m, n, k] in SIZES {
            for (layout, strides) in
                [("row-major", [k + 3, 1]), ("column-major", [1, m + 2]), ("a column", [2 * k, 2])]
            {
                let a = numbers(m.max(1) * (2 * k + 3) + k * (m + 2), 1);
                let b = numbers(n * (k + 1) + 1, 2);
                let rows = Rows::Matrix(Matrix::new(&a, [m, k], strides));
                for transposed in [false, true] {
                    let b_strides = if transposed { [1, k + 1] } else { [n, 1] };
                    let packed = PackedB::new(tile, Matrix::new(&b, [k, n], b_strides).into());
                    let mut c = vec![9.0; m * (n + 5)];
                    product(&rows, &packed, &mut c, n + 5, &Finish::NONE, 1);
                    for i in 0..m {
                        for j in 0..n {
                            let expected = sum((0..k).map(|p| {
                                let at = i * strides[0] + p * strides[1];
                                (a[at], b[p * b_strides[0] + j * b_strides[1]])
                            }));
                            assert!(
                                close(c[i * (n + 5) + j], expected),
                                "{}: {m} x {n} x {k}, A {layout}, B transposed {transposed}: \
                                 C[{i}, {j}] is {}, expected {}",
                                tile.name,
                                c[i * (n + 5) + j],
                                expected.0
                            );
                        }
                        let gap = &c[i * (n + 5) + n..][..5];
                        assert_eq!(gap, [9.0; 5], "{}: {m} x {n} x {k} writes beside C", tile.name);
                    }
                }
            }
        }
    }
}

#[test]
fn sums_start_where_they_are_told_and_are_clamped() {
    let clamp = [-0.25, 0.75];
    for tile in tiles() {
        for &[m, n, k] in SIZES {
            let (a, b, old) = (numbers(m * k, 3), numbers(n * k, 4), numbers(m * n, 5));
            let (per_row, per_column) = (numbers(m, 6), numbers(n, 7));
            let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
            let packed = PackedB::new(tile, Matrix::row_major(&b, [k, n]).into());
            for start in
                [Start::Zero, Start::Columns(&per_column), Start::Rows(&per_row), Start::Accumulate]
            {
                let mut c = old.clone();
                product(&rows, &packed, &mut c, n, &Finish { start, clamp, ..Finish::NONE }, 3);
                for (at, &got) in c.iter().enumerate() {
                    let (i, j) = (at / n, at % n);
                    let first = match start {
                        Start::Zero => 0.0,
                        Start::Columns(values) => values[j],
                        Start::Rows(values) => values[i],
                        Start::Accumulate => old[at],
                    };
                    let products = (0..k).map(|p| (a[i * k + p], b[p * n + j]));
                    let (whole, size) = sum(products.chain([(first, 1.0)]));
                    let expected = whole.clamp(f64::from(clamp[0]), f64::from(clamp[1]));
                    assert!(
                        close(got, (expected, size)),
                        "{}: {m} x {n} x {k} from {start:?}: C[{i}, {j}] is {got}, expected {expected}",
                        tile.name
                    );
                }
            }
        }
    }
}

#[test]
fn a_residual_is_added_before_the_clamp() {
    let clamp = [-0.25, 0.75];
    for tile in tiles() {
        for &[m, n, k] in SIZES {
            let (a, b, bias) = (numbers(m * k, 3), numbers(n * k, 4), numbers(n, 5));
            let added = numbers(m * (n + 3), 6);
            let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
            let packed = PackedB::new(tile, Matrix::row_major(&b, [k, n]).into());
            let residual = Some(Matrix::new(&added, [m, n], [n + 3, 1]));
            for threads in [1, 3] {
                let finish = Finish { start: Start::Columns(&bias), residual, clamp, post: None };
                let mut c = vec![7.0; m * n];
                product(&rows, &packed, &mut c, n, &finish, threads);
                for (at, &got) in c.iter().enumerate() {
                    let (i, j) = (at / n, at % n);
                    let products = (0..k).map(|p| (a[i * k + p], b[p * n + j]));
                    let others = [(bias[j], 1.0), (added[i * (n + 3) + j], 1.0)];
                    let (whole, size) = sum(products.chain(others));
                    let expected = whole.clamp(f64::from(clamp[0]), f64::from(clamp[1]));
                    assert!(
                        close(got, (expected, size)),
                        "{}: {m} x {n} x {k}: C[{i}, {j}] is {got}, expected {expected}",
                        tile.name
                    );
                }
            }
        }
    }
}

#[test]
fn nan_passes_through_the_clamp() {
    for tile in tiles() {
        for n in [1, tile.nr, tile.nr + 1] {
            let a = [1.0, f32::NAN, -1.0];
            let b = vec![1.0; n];
            let packed = PackedB::new(tile, Matrix::row_major(&b, [1, n]).into());
            let mut c = vec![0.0; 3 * n];
            let finish = Finish { clamp: [0.0, 6.0], ..Finish::NONE };
            product(&Rows::Matrix(Matrix::row_major(&a, [3, 1])), &packed, &mut c, n, &finish, 1);
            assert!(c[..n].iter().all(|&x| x == 1.0), "{}: {c:?}", tile.name);
            assert!(c[n..2 * n].iter().all(|x| x.is_nan()), "{}: {c:?}", tile.name);
            assert!(c[2 * n..].iter().all(|&x| x == 0.0), "{}: {c:?}", tile.name);
        }
    }
}

#[test]
fn what_is_no_number_or_huge_stays_in_its_row_and_column() {
    let [m, n, k] = [37, 83, 70];
    for tile in tiles() {
        for odd in [f32::NAN, f32::INFINITY, f32::MAX] {
            let (mut a, mut b) = (numbers(m * k, 8), numbers(n * k, 9));
            a[20 * k + 50] = odd;
            b[33 * n + 3] = odd;
            let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
            let packed = PackedB::new(tile, Matrix::row_major(&b, [k, n]).into());
            let mut c = vec![0.0; m * n];
            product(&rows, &packed, &mut c, n, &Finish::NONE, 1);
            for (at, &got) in c.iter().enumerate() {
                let (i, j) = (at / n, at % n);
                let expected = sum((0..k).map(|p| (a[i * k + p], b[p * n + j])));
                let same = match expected.0 {
                    nan if nan.is_nan() => got.is_nan(),
                    large if large.abs() > f64::from(f32::MAX) => got == large as f32,
                    _number => close(got, expected),
                };
                assert!(same, "{}, {odd}: C[{i}, {j}] is {got}, expected {expected:?}", tile.name);
            }
            let mut parts = vec![0.0; m * n];
            product(&rows, &packed, &mut parts, n, &Finish::NONE, 3);
            let same = |(x, y): (&f32, &f32)| x.to_bits() == y.to_bits();
            assert!(c.iter().zip(&parts).all(same), "{}, {odd}: cut in three", tile.name);
        }
    }
}

#[test]
fn partitions_do_not_change_a_bit() {
    for tile in tiles() {
        for &[m, n, k] in SIZES {
            let (a, b) = (numbers(m * k, 8), numbers(n * k, 9));
            let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
            let packed = PackedB::new(tile, Matrix::row_major(&b, [k, n]).into());
            let mut whole = vec![0.0; m * n];
            product(&rows, &packed, &mut whole, n, &Finish::NONE, 1);
            for threads in [2, 3, 8] {
                let mut c = vec![0.0; m * n];
                product(&rows, &packed, &mut c, n, &Finish::NONE, threads);
                assert!(
                    whole.iter().zip(&c).all(|(x, y)| x.to_bits() == y.to_bits()),
                    "{}: {m} x {n} x {k} with {threads} threads",
                    tile.name
                );
            }
        }
    }
}

#[test]
fn a_matrix_that_is_read_again_gives_the_same_bits() {
    for tile in tiles() {
        for [m, n, k] in [[1, 300, 70], [1, 17, 1300], [1, 520, 530], [3, 100, 40]] {
            let (a, b) = (numbers(m * k, 10), numbers(n * k, 11));
            let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
            let packed = PackedB::new(tile, Matrix::row_major(&b, [k, n]).into());
            let [once, again] = [packed.view(), packed.view().again()].map(|b| {
                let mut c = vec![0.0; m * n];
                let mut scratch = vec![0; scratch_bytes(Depth::matrix(k), m)];
                let block = Block { rows: 0..m, columns: 0..n };
                let to = MatrixMut::new(&mut c, [m, n], n);
                gemm(&rows, b, to, &block, &Finish::NONE, &mut scratch);
                c
            });
            assert_eq!(once, again, "{}: {m} x {n} x {k}", tile.name);
        }
    }
}

#[test]
fn every_block_is_handed_over_once_when_it_is_done() {
    for tile in tiles() {
        for &[m, n, k] in SIZES {
            let (a, b) = (numbers(m * k, 10), numbers(n * k, 11));
            let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
            let packed = PackedB::new(tile, Matrix::row_major(&b, [k, n]).into());
            let mut plain = vec![0.0; m * n];
            product(&rows, &packed, &mut plain, n, &Finish::NONE, 1);
            let post: &Post<'_> = &|rows, columns, c| {
                for (i, row) in rows.clone().enumerate() {
                    for (x, column) in c.row(i).iter_mut().zip(columns.clone()) {
                        *x = 2.0 * *x + (row * n + column) as f32;
                    }
                }
            };
            let mut c = vec![0.0; m * n];
            product(&rows, &packed, &mut c, n, &Finish { post: Some(post), ..Finish::NONE }, 2);
            for (at, (&x, &got)) in plain.iter().zip(&c).enumerate() {
                assert_eq!(got, 2.0 * x + at as f32, "{}: {m} x {n} x {k} at {at}", tile.name);
            }
        }
    }
}

/// Channels, outputs, groups, batch and window of a convolution.
fn convolutions() -> Vec<(usize, usize, usize, usize, Window)> {
    let window = |input, output, kernel, strides, dilations, padding| Window {
        input,
        output,
        kernel,
        strides,
        dilations,
        padding,
    };
    vec![
        (3, 20, 1, 2, window([9, 11], [5, 6], [3, 3], [2, 2], [1, 1], [1, 1])),
        (3, 8, 1, 1, window([12, 13], [6, 7], [7, 7], [2, 2], [1, 1], [3, 3])),
        (1, 5, 1, 1, window([6, 1], [6, 1], [3, 3], [1, 1], [1, 1], [1, 1])),
        (2, 33, 1, 1, window([5, 8], [5, 8], [3, 5], [1, 1], [2, 1], [2, 2])),
        (2, 3, 1, 1, window([7, 9], [7, 5], [3, 3], [1, 1], [1, 2], [1, 0])),
        (24, 16, 1, 2, window([5, 6], [5, 6], [2, 2], [1, 1], [1, 1], [1, 1])),
        (64, 40, 1, 1, window([6, 7], [6, 7], [3, 3], [1, 1], [1, 1], [1, 1])),
        (24, 64, 4, 2, window([5, 4], [3, 2], [3, 3], [2, 2], [1, 1], [1, 1])),
        (8, 8, 4, 1, window([5, 4], [5, 4], [3, 3], [1, 1], [1, 1], [1, 1])),
        (1024, 70, 1, 1, window([6, 8], [3, 4], [1, 1], [2, 2], [1, 1], [0, 0])),
        (400, 3, 1, 1, window([3, 3], [3, 3], [3, 1], [1, 1], [1, 1], [1, 0])),
    ]
}

#[test]
fn convolutions_match_the_definition() {
    for tile in tiles() {
        for (channels, outputs, groups, batch, window) in convolutions() {
            let [height, width] = window.input;
            let [kernel_height, kernel_width] = window.kernel;
            let x = numbers(batch * height * width * channels, 12);
            // The filter lies as [outputs, channels per group, height, width].
            let (group_in, group_out) = (channels / groups, outputs / groups);
            let taps = window.taps();
            let filter = numbers(outputs * group_in * taps, 13);
            let pixels = batch * window.output[0] * window.output[1];
            let mut y = vec![0.0; pixels * outputs];
            for group in 0..groups {
                let packed = PackedB::new(
                    tile,
                    Filter::new(
                        &filter[group * group_out * group_in * taps..],
                        [kernel_height, kernel_width, group_in, group_out],
                        [kernel_width, 1, taps, group_in * taps],
                    ),
                );
                let rows = Rows::Pixels(Pixels::new(
                    &x[group * group_in..],
                    &window,
                    batch,
                    group_in,
                    channels,
                    0.0,
                ));
                product(&rows, &packed, &mut y[group * group_out..], outputs, &Finish::NONE, 3);
            }
            for (at, &got) in y.iter().enumerate() {
                let (pixel, output) = (at / outputs, at % outputs);
                let [out_height, out_width] = window.output;
                let (image, oy, ox) = (
                    pixel / (out_height * out_width),
                    pixel / out_width % out_height,
                    pixel % out_width,
                );
                let group = output / group_out;
                let mut terms = Vec::new();
                for ky in 0..kernel_height {
                    for kx in 0..kernel_width {
                        let iy = (oy * window.strides[0] + ky * window.dilations[0]) as isize
                            - window.padding[0] as isize;
                        let ix = (ox * window.strides[1] + kx * window.dilations[1]) as isize
                            - window.padding[1] as isize;
                        if iy < 0 || ix < 0 || iy >= height as isize || ix >= width as isize {
                            continue;
                        }
                        for c in 0..group_in {
                            let at = ((image * height + iy as usize) * width + ix as usize)
                                * channels
                                + group * group_in
                                + c;
                            let tap = (output * group_in + c) * taps + ky * kernel_width + kx;
                            terms.push((x[at], filter[tap]));
                        }
                    }
                }
                let expected = sum(terms.into_iter());
                assert!(
                    close(got, expected),
                    "{}: {channels} to {outputs} in {groups} groups, {window:?}: at {at} {got}, \
                     expected {}",
                    tile.name,
                    expected.0
                );
            }
        }
    }
}

#[test]
fn f16_is_packed_as_f32() {
    for tile in tiles() {
        let b: Vec<half::f16> = numbers(35, 14).into_iter().map(half::f16::from_f32).collect();
        let packed = PackedB::new(tile, Matrix::row_major(&b, [1, 35]).into());
        let mut c = vec![0.0; 35];
        product(
            &Rows::Matrix(Matrix::row_major(&[1.0], [1, 1])),
            &packed,
            &mut c,
            35,
            &Finish::NONE,
            1,
        );
        assert!(c.iter().zip(&b).all(|(&x, y)| x == y.to_f32()), "{}", tile.name);
    }
}

#[test]
fn panels_packed_apart_are_the_panels_packed_together() {
    for tile in tiles() {
        let (k, n) = (19, 5 * tile.nr + 3);
        let b = numbers(k * n, 15);
        let filter = Filter::from(Matrix::row_major(&b, [k, n]));
        let mut together = vec![1.0; packed_len(tile, k, n)];
        pack(tile, filter, 0..tile.panels(n), &mut together);
        let mut apart = vec![2.0; packed_len(tile, k, n)];
        let (left, right) = apart.split_at_mut(2 * tile.nr * k);
        pack(tile, filter, 0..2, left);
        pack(tile, filter, 2..tile.panels(n), right);
        assert_eq!(together, apart, "{}", tile.name);
    }
}

#[test]
fn a_matrix_without_gaps_is_one_row() {
    let mut data: Vec<usize> = (0..12).collect();
    let mut whole = MatrixMut::new(&mut data, [3, 4], 4);
    let mut flat = whole.flat().expect("rows follow one another");
    assert_eq!(flat.row(0), (0..12).collect::<Vec<_>>());
    assert!(whole.part(0..3, 1..4).flat().is_none());
    assert_eq!(whole.part(1..2, 1..4).flat().expect("there is one row").row(0), [5, 6, 7]);
}
