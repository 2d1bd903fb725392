use super::*;

const CASES: [Windows; 7] = [
    Windows {
        input: [7, 9],
        output: [5, 7],
        window: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        padding: [0, 0],
    },
    Windows {
        input: [8, 9],
        output: [4, 5],
        window: [3, 3],
        strides: [2, 2],
        dilations: [1, 1],
        padding: [1, 1],
    },
    Windows {
        input: [11, 6],
        output: [5, 2],
        window: [2, 3],
        strides: [2, 3],
        dilations: [3, 2],
        padding: [2, 1],
    },
    Windows {
        input: [5, 5],
        output: [1, 1],
        window: [5, 5],
        strides: [1, 1],
        dilations: [1, 1],
        padding: [0, 0],
    },
    // Longer than one part of a row.
    Windows {
        input: [2, 300],
        output: [2, 299],
        window: [1, 4],
        strides: [1, 1],
        dilations: [1, 1],
        padding: [0, 1],
    },
    // The last windows reach beyond the input by more than a stride.
    Windows {
        input: [4, 4],
        output: [3, 3],
        window: [3, 3],
        strides: [2, 2],
        dilations: [1, 1],
        padding: [0, 0],
    },
    // The first windows lie in the padding altogether.
    Windows {
        input: [2, 2],
        output: [5, 5],
        window: [1, 1],
        strides: [1, 1],
        dilations: [1, 1],
        padding: [2, 1],
    },
];

/// The values of a window that lie in the input.
fn window(windows: &Windows, at: [usize; 2], get: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut values = Vec::new();
    for i in 0..windows.window[0] {
        for j in 0..windows.window[1] {
            let place = |d: usize, tap: usize| {
                let place = at[d] * windows.strides[d] + tap * windows.dilations[d];
                place.checked_sub(windows.padding[d]).filter(|&place| place < windows.input[d])
            };
            if let (Some(y), Some(x)) = (place(0, i), place(1, j)) {
                values.push(get(y, x));
            }
        }
    }
    values
}

fn exact(pooling: Pooling, values: &[f64]) -> f64 {
    match pooling {
        Pooling::Average => values.iter().sum::<f64>() / values.len().max(1) as f64,
        Pooling::L2 => values.iter().map(|x| x * x).sum::<f64>().sqrt(),
        Pooling::Max if values.iter().any(|x| x.is_nan()) => f64::NAN,
        Pooling::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

fn agree(actual: f64, expected: f64, tolerance: f64) -> bool {
    actual == expected
        || (actual.is_nan() && expected.is_nan())
        || (actual - expected).abs() <= tolerance
}

#[test]
fn floats_match_the_definition_in_both_lay_outs() {
    for windows in CASES {
        for channels in [1, 3, 16, 85] {
            let [height, width] = windows.input;
            let [out_height, out_width] = windows.output;
            let n = 2 * height * width * channels;
            let mut x: Vec<f32> =
                (0..n).map(|i| ((i * 7919) % 2003) as f32 / 500.0 - 2.0).collect();
            x[n / 2] = f32::NAN;
            for pooling in [Pooling::Average, Pooling::L2, Pooling::Max] {
                for isa in Isa::available() {
                    let rows = 1..2 * out_height;
                    let mut out = vec![0.0; rows.len() * out_width * channels];
                    pool_channels_last(
                        isa,
                        pooling,
                        &windows,
                        channels,
                        &x,
                        rows.clone(),
                        &mut out,
                    );
                    for (i, &out) in out.iter().enumerate() {
                        let (channel, rest) = (i % channels, i / channels);
                        let (column, row) = (rest % out_width, rest / out_width + rows.start);
                        let image = row / out_height * height * width;
                        let values = window(&windows, [row % out_height, column], |y, j| {
                            f64::from(x[(image + y * width + j) * channels + channel])
                        });
                        let expected = exact(pooling, &values);
                        assert!(
                            agree(f64::from(out), expected, 1e-5),
                            "{pooling:?} {windows:?} on {isa:?}: {out}, expected {expected}"
                        );
                    }
                    // The same numbers, read as images of one channel each.
                    let rows = 1..2 * channels * out_height;
                    let mut out = vec![0.0; rows.len() * out_width];
                    pool_channels_first(isa, pooling, &windows, &x, rows.clone(), &mut out);
                    for (i, &out) in out.iter().enumerate() {
                        let (column, row) = (i % out_width, i / out_width + rows.start);
                        let image = row / out_height * height * width;
                        let values = window(&windows, [row % out_height, column], |y, j| {
                            f64::from(x[image + y * width + j])
                        });
                        let expected = exact(pooling, &values);
                        assert!(
                            agree(f64::from(out), expected, 1e-5),
                            "{pooling:?} {windows:?} first on {isa:?}: {out}, expected {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn integers_match_the_definition() {
    for windows in CASES {
        let channels = 3;
        let [height, width] = windows.input;
        let [out_height, out_width] = windows.output;
        let n = 2 * height * width * channels;
        let x: Vec<i8> = (0..n).map(|i| ((i * 7919) % 251) as u8 as i8).collect();
        let rows = 1..2 * out_height;
        let mut out = vec![0; rows.len() * out_width * channels];
        max_pool_integers(&windows, channels, &x, rows.clone(), &mut out);
        for (i, &out) in out.iter().enumerate() {
            let (channel, rest) = (i % channels, i / channels);
            let (column, row) = (rest % out_width, rest / out_width + rows.start);
            let image = row / out_height * height * width;
            let values = window(&windows, [row % out_height, column], |y, j| {
                f64::from(x[(image + y * width + j) * channels + channel])
            });
            let expected = exact(Pooling::Max, &values).max(-128.0);
            assert_eq!(f64::from(out), expected, "{windows:?}: element {i}");
        }
    }
}
