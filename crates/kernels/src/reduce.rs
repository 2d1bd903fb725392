//! Reductions along any set of axes.
//!
//! Sums of floats are taken in single precision, in blocks and in an order that depends on the
//! shape and the instruction set only.

mod fold;
mod integer;

use std::ops::Range;

use crate::Isa;
use crate::float::Float;
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
    /// What is left to do when `count` elements were folded.
    fn finish(self, folded: f32, count: usize) -> f32 {
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
pub fn reduce_floats<T: Float>(
    isa: Isa,
    kind: FloatReduction,
    reduction: &Reduction,
    x: &[T],
    range: Range<usize>,
    out: &mut [T],
) {
    assert_eq!(out.len(), range.len());
    dispatch(isa, Reduce { kind, reduction, x, range, out });
}

struct Reduce<'a, T> {
    kind: FloatReduction,
    reduction: &'a Reduction,
    x: &'a [T],
    range: Range<usize>,
    out: &'a mut [T],
}

impl<T: Float> ForEachIsa for Reduce<'_, T> {
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

struct ReduceBy<'a, T, F>(Reduce<'a, T>, F);

impl<T: Float, F: Fold> ForEachIsa for ReduceBy<'_, T, F> {
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
                        let (value, shift) = fold_one::<S, T, F>(s, x, folded, count);
                        *out = T::from_f32(kind.finish(value, count) + shift);
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
                            fold_columns::<S, T, F, 4>(s, &x[at..], folded, count, wide);
                        for j in 0..4 {
                            let out = &mut out[at + j * S::LANES..][..S::LANES];
                            finish_lanes(s, kind, count, values[j], shifts[j], out);
                        }
                        at += wide;
                    }
                    for out in out[at..].chunks_mut(S::LANES) {
                        let (values, shifts) =
                            fold_columns::<S, T, F, 1>(s, &x[at..], folded, count, out.len());
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
fn finish_lanes<S: Simd, T: Float>(
    s: S,
    kind: FloatReduction,
    count: usize,
    values: S::F32,
    shifts: S::F32,
    out: &mut [T],
) {
    let mut lanes = [0.0; crate::simd::MAX_LANES];
    s.store(values, &mut lanes);
    for lane in &mut lanes[..out.len()] {
        *lane = kind.finish(*lane, count);
    }
    T::store_partial(s, s.add(s.load(&lanes), shifts), out);
}

/// Folds all elements of `folded`, and returns what must be added after finishing.
#[inline(always)]
fn fold_one<S: Simd, T: Float, F: Fold>(
    s: S,
    x: &[T],
    folded: View<'_>,
    count: usize,
) -> (f32, f32) {
    let shift = if F::SHIFTED {
        // The largest exponent: what is added after the logarithm.
        let largest = fold_rows::<S, T, Max>(s, x, folded, count, s.splat(0.0));
        if largest.is_finite() { largest } else { 0.0 }
    } else {
        0.0
    };
    (fold_rows::<S, T, F>(s, x, folded, count, s.splat(shift)), shift)
}

#[inline(always)]
fn fold_rows<S: Simd, T: Float, F: Fold>(
    s: S,
    x: &[T],
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
            let part = row::<S, T, F>(s, &x[run.offset..][..run.len], shift);
            total = F::merge_two(total, part);
        },
    );
    total
}

/// Folds `W` vectors of neighbouring columns, of which only the first `width` elements are there,
/// and returns what must be added after finishing.
#[inline(always)]
fn fold_columns<S: Simd, T: Float, F: Fold, const W: usize>(
    s: S,
    x: &[T],
    folded: View<'_>,
    count: usize,
    width: usize,
) -> ([S::F32; W], [S::F32; W]) {
    let zero = s.splat(0.0);
    let mut shifts = [zero; W];
    if F::SHIFTED {
        let largest = column::<S, T, Max, W>(s, x, folded, count, width, shifts);
        for (shift, largest) in shifts.iter_mut().zip(largest) {
            let finite = s.lt(s.abs(largest), s.splat(f32::INFINITY));
            *shift = s.select(finite, largest, zero);
        }
    }
    (column::<S, T, F, W>(s, x, folded, count, width, shifts), shifts)
}

#[cfg(test)]
mod tests;
