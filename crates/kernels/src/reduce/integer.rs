//! Reductions of integers, which wrap.

use std::ops::Range;

use super::Reduction;
use crate::integer::Integer;

/// How integers are reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the specification's methods")]
pub enum IntegerReduction {
    L1,
    Max,
    Min,
    Product,
    Sum,
    SumSquare,
}

/// Computes the elements `range` of the result.
///
/// # Panics
///
/// If `x` is shorter than the reduction's shape or `out` is not as long as `range`.
pub fn reduce_integers<T: Integer>(
    kind: IntegerReduction,
    reduction: &Reduction,
    x: &[T],
    range: Range<usize>,
    out: &mut [T],
) {
    assert_eq!(out.len(), range.len());
    match kind {
        IntegerReduction::L1 => {
            fold(reduction, x, range, out, T::ZERO, |sum, x| sum.wrapping_add(x.wrapping_abs()));
        }
        IntegerReduction::Max => fold(reduction, x, range, out, T::MIN, T::max),
        IntegerReduction::Min => fold(reduction, x, range, out, T::MAX, T::min),
        IntegerReduction::Product => fold(reduction, x, range, out, T::ONE, T::wrapping_mul),
        IntegerReduction::Sum => fold(reduction, x, range, out, T::ZERO, T::wrapping_add),
        IntegerReduction::SumSquare => {
            fold(reduction, x, range, out, T::ZERO, |sum, x| sum.wrapping_add(x.wrapping_mul(x)));
        }
    }
}

fn fold<T: Integer>(
    reduction: &Reduction,
    x: &[T],
    range: Range<usize>,
    out: &mut [T],
    neutral: T,
    take: impl Fn(T, T) -> T,
) {
    let (kept, folded) = (reduction.kept.view(0), reduction.folded.view(0));
    let count = reduction.count();
    if reduction.along_rows() {
        kept.for_each_run(range, |run| {
            for (i, out) in out[run.at..][..run.len].iter_mut().enumerate() {
                let x = &x[run.offset + i * run.stride..];
                let mut total = neutral;
                folded.for_each_run(0..count, |run| {
                    total = x[run.offset..][..run.len].iter().fold(total, |a, &b| take(a, b));
                });
                *out = total;
            }
        });
    } else {
        kept.for_each_run(range, |kept| {
            let out = &mut out[kept.at..][..kept.len];
            out.fill(neutral);
            folded.for_each_run(0..count, |run| {
                for i in 0..run.len {
                    let x = &x[kept.offset + run.offset + i * run.stride..][..kept.len];
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = take(*out, x);
                    }
                }
            });
        });
    }
}
