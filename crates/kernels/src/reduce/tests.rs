use super::*;

fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + 13) % 2003) as f32 / 1000.0 - 0.5).collect()
}

/// For each element of the result, the elements that are folded into it, in order.
fn groups(shape: &[usize], axes: &[usize]) -> Vec<Vec<usize>> {
    let mut result: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    let n: usize = shape.iter().product();
    for at in 0..n {
        let mut rest = at;
        let mut key = vec![0; shape.len()];
        for d in (0..shape.len()).rev() {
            key[d] = if axes.contains(&d) { 0 } else { rest % shape[d] };
            rest /= shape[d];
        }
        match result.iter_mut().find(|(k, _)| *k == key) {
            Some((_, members)) => members.push(at),
            None => result.push((key, vec![at])),
        }
    }
    result.sort();
    result.into_iter().map(|(_, members)| members).collect()
}

fn exact(kind: FloatReduction, x: &[f64]) -> f64 {
    let sum = |f: fn(f64) -> f64| x.iter().map(|&x| f(x)).sum::<f64>();
    match kind {
        FloatReduction::L1 => sum(f64::abs),
        FloatReduction::L2 => sum(|x| x * x).sqrt(),
        FloatReduction::LogSum => sum(|x| x).ln(),
        FloatReduction::LogSumExp => sum(f64::exp).ln(),
        FloatReduction::Max => x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        FloatReduction::Mean => sum(|x| x) / x.len() as f64,
        FloatReduction::Min => x.iter().copied().fold(f64::INFINITY, f64::min),
        FloatReduction::Product => x.iter().product(),
        FloatReduction::Sum => sum(|x| x),
        FloatReduction::SumSquare => sum(|x| x * x),
    }
}

const KINDS: [FloatReduction; 10] = [
    FloatReduction::L1,
    FloatReduction::L2,
    FloatReduction::LogSum,
    FloatReduction::LogSumExp,
    FloatReduction::Max,
    FloatReduction::Mean,
    FloatReduction::Min,
    FloatReduction::Product,
    FloatReduction::Sum,
    FloatReduction::SumSquare,
];

const CASES: [(&[usize], &[usize]); 11] = [
    (&[], &[]),
    (&[5], &[]),
    (&[7], &[0]),
    (&[3, 37], &[1]),
    (&[3, 517], &[1]),
    (&[37, 3], &[0]),
    (&[41, 150], &[0]),
    (&[2, 5, 3, 19], &[1, 3]),
    (&[2, 5, 3, 67], &[0, 2]),
    (&[3, 4, 5], &[0, 1, 2]),
    (&[6, 1, 4], &[1]),
];

#[test]
fn floats_match_their_definitions() {
    for (shape, axes) in CASES {
        let n = shape.iter().product();
        let x = numbers(n);
        let reduction = Reduction::new(shape, axes);
        let groups = groups(shape, axes);
        assert_eq!(reduction.outputs(), groups.len(), "{shape:?} along {axes:?}");
        for kind in KINDS {
            for isa in Isa::available() {
                let count = groups.len();
                for range in [0..count, count / 3..count - count / 4] {
                    let mut out = vec![0.0; range.len()];
                    reduce_floats(isa, kind, &reduction, &x, range.clone(), &mut out);
                    for (i, group) in groups[range].iter().enumerate() {
                        let wide: Vec<f64> = group.iter().map(|&at| f64::from(x[at])).collect();
                        let expected = exact(kind, &wide);
                        let size = wide.iter().map(|x| x.abs()).sum::<f64>().max(1.0);
                        let agree = (f64::from(out[i]) - expected).abs() <= 1e-6 * size
                            || (out[i].is_nan() && expected.is_nan());
                        // A logarithm near zero or of a small sum magnifies the sum's error.
                        let steep = kind == FloatReduction::LogSum && expected < 0.0;
                        assert!(
                            agree || steep,
                            "{kind:?} of {shape:?} along {axes:?} on {isa:?}: {}, {expected}",
                            out[i]
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn long_sums_stay_accurate() {
    let n = 1 << 20;
    let x = vec![0.1f32; n];
    let expected = f64::from(0.1f32) * n as f64;
    for isa in Isa::available() {
        for (shape, axis) in [([1, n], 1), ([n, 1], 0), ([n / 4, 4], 0)] {
            let reduction = Reduction::new(&shape, &[axis]);
            let outputs = reduction.outputs();
            let mut out = vec![0.0; outputs];
            reduce_floats(isa, FloatReduction::Sum, &reduction, &x, 0..outputs, &mut out);
            for out in out {
                let expected = expected / outputs as f64;
                let error = (f64::from(out) - expected).abs() / expected;
                assert!(error < 1e-4, "{shape:?} on {isa:?}: {out}, expected {expected}");
            }
        }
    }
}

#[test]
fn extremes_keep_nan_and_exponentials_do_not_overflow() {
    let nan = f32::NAN;
    for isa in Isa::available() {
        for n in [1, 5, 16, 100] {
            for bad in [0, n / 2, n - 1] {
                let mut x = vec![1.0; n];
                x[bad] = nan;
                for (shape, axes) in [([1, n], [1]), ([n, 1], [0])] {
                    let reduction = Reduction::new(&shape, &axes);
                    for kind in [FloatReduction::Max, FloatReduction::Min] {
                        let mut out = [0.0];
                        reduce_floats(isa, kind, &reduction, &x, 0..1, &mut out);
                        assert!(out[0].is_nan(), "{kind:?} of {n} with NaN at {bad} on {isa:?}");
                    }
                }
            }
        }
        let infinity = f32::INFINITY;
        for (x, expected) in [
            ([1000.0, 1000.0], 1000.0 + std::f32::consts::LN_2),
            ([-infinity, -infinity], -infinity),
            ([infinity, 0.0], infinity),
            ([-infinity, 3.0], 3.0),
        ] {
            // Once along a row, once across rows.
            for (shape, axes) in [(vec![2], [0]), (vec![2, 2], [0])] {
                let reduction = Reduction::new(&shape, &axes);
                let x: Vec<f32> =
                    x.iter().flat_map(|&x| vec![x; shape.iter().product::<usize>() / 2]).collect();
                let mut out = vec![0.0; reduction.outputs()];
                let all = 0..out.len();
                reduce_floats(isa, FloatReduction::LogSumExp, &reduction, &x, all, &mut out);
                assert!(out.iter().all(|&out| out == expected), "{out:?}, {expected} on {isa:?}");
            }
        }
    }
}

#[test]
fn integers_wrap() {
    for (shape, axes) in CASES {
        let n: usize = shape.iter().product();
        let x: Vec<i32> = (0..n as i32).map(|i| i.wrapping_mul(0x0123_4567) - 99).collect();
        let reduction = Reduction::new(shape, axes);
        let groups = groups(shape, axes);
        type Row = (IntegerReduction, i32, fn(i32, i32) -> i32);
        let table: [Row; 6] = [
            (IntegerReduction::L1, 0, |a, b| a.wrapping_add(b.wrapping_abs())),
            (IntegerReduction::Max, i32::MIN, |a, b| a.max(b)),
            (IntegerReduction::Min, i32::MAX, |a, b| a.min(b)),
            (IntegerReduction::Product, 1, i32::wrapping_mul),
            (IntegerReduction::Sum, 0, i32::wrapping_add),
            (IntegerReduction::SumSquare, 0, |a, b| a.wrapping_add(b.wrapping_mul(b))),
        ];
        for (kind, start, take) in table {
            let count = groups.len();
            for range in [0..count, count / 3..count - count / 4] {
                let mut out = vec![7; range.len()];
                reduce_integers(kind, &reduction, &x, range.clone(), &mut out);
                for (out, group) in out.iter().zip(&groups[range]) {
                    let expected = group.iter().fold(start, |a, &at| take(a, x[at]));
                    assert_eq!(*out, expected, "{kind:?} of {shape:?} along {axes:?}");
                }
            }
        }
    }
}

#[test]
fn reductions_by_parts_match_the_definition() {
    for (rows, columns) in [(2, 2), (3, 16), (8, 5), (21, 67), (40, 24), (131, 33)] {
        // The logarithm of a sum near zero would magnify the sum's error.
        let mut x: Vec<f32> = numbers(rows * columns).into_iter().map(|x| x + 0.6).collect();
        x[rows / 2 * columns] = f32::NAN;
        for (kind, [each, joint]) in
            KINDS.into_iter().filter_map(|kind| Some((kind, kind.by_parts()?)))
        {
            for isa in Isa::available() {
                let reduce = |kind, x: &[f32], out: &mut [f32]| {
                    let reduction = Reduction::new(&[x.len() / columns, columns], &[0]);
                    reduce_floats(isa, kind, &reduction, x, 0..columns, out);
                };
                let (above, below) = x.split_at((rows / 3).max(1) * columns);
                let (mut parts, mut out) = (vec![7.0; 2 * columns], vec![7.0; columns]);
                let (first, second) = parts.split_at_mut(columns);
                reduce(each, above, first);
                reduce(each, below, second);
                reduce(joint, &parts, &mut out);
                out.iter_mut().for_each(|x| *x = kind.finish(*x, rows));
                assert!(out[0].is_nan(), "{kind:?} of {rows}x{columns} with NaN on {isa:?}");
                for (j, &out) in out.iter().enumerate().skip(1) {
                    let column = x[j..].iter().step_by(columns);
                    let expected = exact(kind, &column.map(|&x| f64::from(x)).collect::<Vec<_>>());
                    let error = (f64::from(out) - expected).abs();
                    assert!(
                        error <= 1e-6 * expected.abs().max(1.0),
                        "{kind:?} of {rows}x{columns}, column {j} on {isa:?}: {out}, {expected}"
                    );
                }
            }
        }
    }
}
