//! The inner loops of reductions: along a row in memory, and across rows.

use crate::float::first_lanes;
use crate::map::math;
use crate::simd::Simd;
use crate::strided::View;

/// Elements of a row that are folded before the result joins the total, which bounds the error of
/// long sums.
const ROW_BLOCK: usize = 2048;

/// Likewise across rows.
const COLUMN_BLOCK: usize = 256;

/// How elements are folded into one.
pub(crate) trait Fold: Copy {
    /// The fold of nothing.
    const NEUTRAL: f32;
    /// Whether [`Fold::take`] subtracts a shift, which is then the largest element.
    const SHIFTED: bool = false;

    /// Folds in elements.
    fn take<S: Simd>(s: S, total: S::F32, x: S::F32, shift: S::F32) -> S::F32;
    /// Joins two folds.
    fn merge<S: Simd>(s: S, a: S::F32, b: S::F32) -> S::F32;
    /// Joins two folds.
    fn merge_two(a: f32, b: f32) -> f32;
}

/// The sum.
#[derive(Clone, Copy)]
pub(crate) struct Sum;
/// The sum of absolute values.
#[derive(Clone, Copy)]
pub(crate) struct Absolute;
/// The sum of squares.
#[derive(Clone, Copy)]
pub(crate) struct Square;
/// The sum of exponentials.
#[derive(Clone, Copy)]
pub(crate) struct ExpSum;
/// The product.
#[derive(Clone, Copy)]
pub(crate) struct Product;
/// The largest, or NaN.
#[derive(Clone, Copy)]
pub(crate) struct Max;
/// The smallest, or NaN.
#[derive(Clone, Copy)]
pub(crate) struct Min;

macro_rules! sums {
    ($($fold:ident, $shifted:expr, |$s:ident, $total:ident, $x:ident, $shift:ident| $take:expr;)*) => { $(
        impl Fold for $fold {
            const NEUTRAL: f32 = 0.0;
            const SHIFTED: bool = $shifted;

            #[inline(always)]
            fn take<S: Simd>($s: S, $total: S::F32, $x: S::F32, $shift: S::F32) -> S::F32 {
                $take
            }
            #[inline(always)]
            fn merge<S: Simd>(s: S, a: S::F32, b: S::F32) -> S::F32 {
                s.add(a, b)
            }
            #[inline(always)]
            fn merge_two(a: f32, b: f32) -> f32 {
                a + b
            }
        }
    )* };
}
sums! {
    Sum, false, |s, total, x, _shift| s.add(total, x);
    Absolute, false, |s, total, x, _shift| s.add(total, s.abs(x));
    Square, false, |s, total, x, _shift| s.mul_add(x, x, total);
    ExpSum, true, |s, total, x, shift| s.add(total, math::exp(s, s.sub(x, shift)));
}

impl Fold for Product {
    const NEUTRAL: f32 = 1.0;

    #[inline(always)]
    fn take<S: Simd>(s: S, total: S::F32, x: S::F32, _: S::F32) -> S::F32 {
        s.mul(total, x)
    }
    #[inline(always)]
    fn merge<S: Simd>(s: S, a: S::F32, b: S::F32) -> S::F32 {
        s.mul(a, b)
    }
    #[inline(always)]
    fn merge_two(a: f32, b: f32) -> f32 {
        a * b
    }
}

impl Fold for Max {
    const NEUTRAL: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn take<S: Simd>(s: S, total: S::F32, x: S::F32, _: S::F32) -> S::F32 {
        s.max(total, x)
    }
    #[inline(always)]
    fn merge<S: Simd>(s: S, a: S::F32, b: S::F32) -> S::F32 {
        s.max(a, b)
    }
    #[inline(always)]
    fn merge_two(a: f32, b: f32) -> f32 {
        if b.is_nan() || a < b { b } else { a }
    }
}

impl Fold for Min {
    const NEUTRAL: f32 = f32::INFINITY;

    #[inline(always)]
    fn take<S: Simd>(s: S, total: S::F32, x: S::F32, _: S::F32) -> S::F32 {
        s.min(total, x)
    }
    #[inline(always)]
    fn merge<S: Simd>(s: S, a: S::F32, b: S::F32) -> S::F32 {
        s.min(a, b)
    }
    #[inline(always)]
    fn merge_two(a: f32, b: f32) -> f32 {
        if b.is_nan() || a > b { b } else { a }
    }
}

/// Folds neighbouring elements.
#[inline(always)]
pub(crate) fn row<S: Simd, F: Fold>(s: S, x: &[f32], shift: S::F32) -> f32 {
    let neutral = s.splat(F::NEUTRAL);
    let mut total = F::NEUTRAL;
    for block in x.chunks(ROW_BLOCK) {
        // Four chains, to hide the latency of an addition.
        let mut sums = [neutral; 4];
        let mut wide = block.chunks_exact(4 * S::LANES);
        for x in &mut wide {
            for (j, sum) in sums.iter_mut().enumerate() {
                let x = s.load(&x[j * S::LANES..][..S::LANES]);
                *sum = F::take(s, *sum, x, shift);
            }
        }
        let mut narrow = wide.remainder().chunks_exact(S::LANES);
        for x in &mut narrow {
            sums[0] = F::take(s, sums[0], s.load(x), shift);
        }
        let tail = narrow.remainder();
        if !tail.is_empty() {
            let taken = F::take(s, sums[1], s.load_partial(tail), shift);
            sums[1] = s.select(first_lanes(s, tail.len()), taken, sums[1]);
        }
        let sum = F::merge(s, F::merge(s, sums[0], sums[1]), F::merge(s, sums[2], sums[3]));
        total = F::merge_two(total, s.fold_halves(sum, F::merge_two));
    }
    total
}

/// Folds, lane by lane, the `W` vectors that start at each of the elements of `folded`. Only the
/// first `width` elements are read; beyond, the result means nothing.
#[inline(always)]
pub(crate) fn column<S: Simd, F: Fold, const W: usize>(
    s: S,
    x: &[f32],
    folded: View<'_>,
    count: usize,
    width: usize,
    shifts: [S::F32; W],
) -> [S::F32; W] {
    let neutral = s.splat(F::NEUTRAL);
    let mut totals = [neutral; W];
    folded.for_each_run(
        0..count,
        #[inline(always)]
        |run| {
            let mut done = 0;
            while done < run.len {
                let rows = (run.len - done).min(COLUMN_BLOCK);
                let mut sums = [neutral; W];
                for i in done..done + rows {
                    let x = &x[run.offset + i * run.stride..][..width];
                    if width == W * S::LANES {
                        for j in 0..W {
                            let x = s.load(&x[j * S::LANES..][..S::LANES]);
                            sums[j] = F::take(s, sums[j], x, shifts[j]);
                        }
                    } else {
                        let x = s.load_partial(x);
                        sums[0] = F::take(s, sums[0], x, shifts[0]);
                    }
                }
                for (total, sum) in totals.iter_mut().zip(sums) {
                    *total = F::merge(s, *total, sum);
                }
                done += rows;
            }
        },
    );
    totals
}
