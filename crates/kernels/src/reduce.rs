//! Reductions along any set of axes.
//!
//! Sums of floats are taken in blocks and in an order that depends on the shape and the instruction
//! set only.

mod fold;
mod integer;

use std::ops::Range;

use crate::Isa;
use crate::simd::{ForEachIsa, Simd, dispatch};
use crate::strided::{Space, View, row_major};

pub(crate) use fold::{ExpSum, Fold, Max, Square, Sum, column, row};
pub use integer::{IntegerReduction, reduce_integers};

/// Which elements of an input are folded into which element of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reduction {
    /// The elements of the result, with where in the input the first of each lies.
    kept: Space,
    /// The elements that are folded into one.
    folded: Space,
}

impl Reduction {
    /// A reduction of a row-major tensor of `shape` along `axes`.
    pub fn new(shape: &[usize], axes: &[usize]) -> Reduction {
        let strides = row_major(shape);
        let part = |folded: bool| {
            let dims = (0..shape.len()).filter(|d| axes.contains(d) == folded);
            let (shape, strides): (Vec<usize>, Vec<usize>) =
                dims.map(|d| (shape[d], strides[d])).unzip();
            Space::new(&shape, &[&strides])
        };
        Reduction { kept: part(false), folded: part(true) }
    }

    /// How many elements the result has.
    pub fn outputs(&self) -> usize {
        self.kept.len()
    }

    /// How many elements are folded into one.
    pub fn count(&self) -> usize {
        self.folded.len()
    }

    /// Whether folded elements are neighbours in memory, rather than kept ones.
    fn along_rows(&self) -> bool {
        self.folded.view(0).is_innermost() || !self.kept.view(0).is_innermost()
    }
}

/// How floats are reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the specification's methods")]
pub enum FloatReduction {
    L1,
    L2,
    LogSum,
    LogSumExp,
    Max,
    Mean,
    Min,
    Product,
    Sum,
    SumSquare,
}

impl FloatReduction {
    /// How parts of the elements are reduced, and then what they give, which [`finish`](Self::finish)
    /// makes the result; `None` where parts are not reduced apart.
    pub fn by_parts(self) -> Option<[FloatReduction; 2]> {
        use FloatReduction::*;
        match self {
            LogSum | Mean | Sum => Some([Sum, Sum]),
            L2 | SumSquare => Some([SumSquare, Sum]),
            L1 => Some([L1, Sum]),
            Max | Min | Product => Some([self, self]),
            LogSumExp => None,
        }
    }

    /// What is left to do when `count` elements were folded.
    pub fn finish(self, folded: f32, count: usize) -> f32 {
        match self {
            FloatReduction::L2 => folded.sqrt(),
            FloatReduction::LogSum | FloatReduction::LogSumExp => folded.ln(),
            FloatReduction::Mean => folded / count as f32,
            FloatReduction::L1
            | FloatReduction::Max
            | FloatReduction::Min
            | FloatReduction::Product
            | FloatReduction::Sum
            | FloatReduction::SumSquare => folded,
        }
    }
}

/// Computes the elements `range` of the result.
///
/// # Panics
///
/// If `x` is shorter than the reduction's shape or `out` is not as long as `range`.
pub fn reduce_floats(
    isa: Isa,
    kind: FloatReduction,
    reduction: &Reduction,
    x: &[f32],
    range: Range<usize>,
    out: &mut [f32],
) {
    assert_eq!(out.len(), range.len());
    dispatch(isa, Reduce { kind, reduction, x, range, out });
}

struct Reduce<'a> {
    kind: FloatReduction,
    reduction: &'a Reduction,
    x: &'a [f32],
    range: Range<usize>,
    out: &'a mut [f32],
}

impl ForEachIsa for Reduce<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.kind {
            FloatReduction::L1 => s.call(ReduceBy(self, fold::Absolute)),
            FloatReduction::L2 | FloatReduction::SumSquare => s.call(ReduceBy(self, Square)),
            FloatReduction::LogSum | FloatReduction::Mean | FloatReduction::Sum => {
                s.call(ReduceBy(self, Sum));
            }
            FloatReduction::LogSumExp => s.call(ReduceBy(self, ExpSum)),
            FloatReduction::Max => s.call(ReduceBy(self, Max)),
            FloatReduction::Min => s.call(ReduceBy(self, fold::Min)),
            FloatReduction::Product => s.call(ReduceBy(self, fold::Product)),
        }
    }
}

struct ReduceBy<'a, F>(Reduce<'a>, F);

impl<F: Fold> ForEachIsa for ReduceBy<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ReduceBy(work, _) = self;
        let Reduce { kind, reduction, x, range, out } = work;
        let (kept, folded) = (reduction.kept.view(0), reduction.folded.view(0));
        let count = reduction.count();
        if reduction.along_rows() {
            kept.for_each_run(
                range,
                #[inline(always)]
                |run| {
                    for (i, out) in out[run.at..][..run.len].iter_mut().enumerate() {
                        let x = &x[run.offset + i * run.stride..];
                        let (value, shift) = fold_one::<S, F>(s, x, folded, count);
                        *out = kind.finish(value, count) + shift;
                    }
                },
            );
        } else {
            kept.for_each_run(
                range,
                #[inline(always)]
                |run| {
                    let x = &x[run.offset..];
                    let out = &mut out[run.at..][..run.len];
                    let wide = 4 * S::LANES;
                    let mut at = 0;
                    while at + wide <= out.len() {
                        let (values, shifts) =
                            fold_columns::<S, F, 4>(s, &x[at..], folded, count, wide);
                        for j in 0..4 {
                            let out = &mut out[at + j * S::LANES..][..S::LANES];
                            finish_lanes(s, kind, count, values[j], shifts[j], out);
                        }
                        at += wide;
                    }
                    for out in out[at..].chunks_mut(S::LANES) {
                        let (values, shifts) =
                            fold_columns::<S, F, 1>(s, &x[at..], folded, count, out.len());
                        finish_lanes(s, kind, count, values[0], shifts[0], out);
                        at += out.len();
                    }
                },
            );
        }
    }
}

/// Finishes and stores the first lanes, as many as `out` has.
#[inline(always)]
fn finish_lanes<S: Simd>(
    s: S,
    kind: FloatReduction,
    count: usize,
    values: S::F32,
    shifts: S::F32,
    out: &mut [f32],
) {
    let mut lanes = [0.0; crate::simd::MAX_LANES];
    s.store(values, &mut lanes);
    for lane in &mut lanes[..out.len()] {
        *lane = kind.finish(*lane, count);
    }
    s.store_partial(s.add(s.load(&lanes), shifts), out);
}

/// Folds all elements of `folded`, and returns what must be added after finishing.
#[inline(always)]
fn fold_one<S: Simd, F: Fold>(s: S, x: &[f32], folded: View<'_>, count: usize) -> (f32, f32) {
    let shift = if F::SHIFTED {
        // The largest exponent: what is added after the logarithm.
        let largest = fold_rows::<S, Max>(s, x, folded, count, s.splat(0.0));
        if largest.is_finite() { largest } else { 0.0 }
    } else {
        0.0
    };
    (fold_rows::<S, F>(s, x, folded, count, s.splat(shift)), shift)
}

#[inline(always)]
fn fold_rows<S: Simd, F: Fold>(
    s: S,
    x: &[f32],
    folded: View<'_>,
    count: usize,
    shift: S::F32,
) -> f32 {
    let mut total = F::NEUTRAL;
    folded.for_each_run(
        0..count,
        #[inline(always)]
        |run| {
            debug_assert!(run.stride == 1 || run.len == 1);
            let part = row::<S, F>(s, &x[run.offset..][..run.len], shift);
            total = F::merge_two(total, part);
        },
    );
    total
}

/// Folds `W` vectors of neighbouring columns, of which only the first `width` elements are there,
/// and returns what must be added after finishing.
#[inline(always)]
fn fold_columns<S: Simd, F: Fold, const W: usize>(
    s: S,
    x: &[f32],
    folded: View<'_>,
    count: usize,
    width: usize,
) -> ([S::F32; W], [S::F32; W]) {
    let zero = s.splat(0.0);
    let mut shifts = [zero; W];
    if F::SHIFTED {
        let largest = column::<S, Max, W>(s, x, folded, count, width, shifts);
        for (shift, largest) in shifts.iter_mut().zip(largest) {
            let finite = s.lt(s.abs(largest), s.splat(f32::INFINITY));
            *shift = s.select(finite, largest, zero);
        }
    }
    (column::<S, F, W>(s, x, folded, count, width, shifts), shifts)
}

#[cfg(test)]
mod tests;
