//! Reductions of the rows of a matrix to one row, some rows at a time.

use super::{FloatReduction, Fold, Max, Square, Sum};
use crate::Isa;
use crate::simd::{ForEachIsa, Simd, dispatch};

/// Rows that are folded into one before that joins the total, which is then read and written less
/// often; it also bounds the error of long sums.
const TOGETHER: usize = 8;

impl FloatReduction {
    /// How rows that [`fold_down`] has made of parts of a matrix become one; `None` where it makes
    /// no such rows.
    pub fn joint(self) -> Option<FloatReduction> {
        match self {
            FloatReduction::L2
            | FloatReduction::LogSum
            | FloatReduction::Mean
            | FloatReduction::Sum
            | FloatReduction::SumSquare => Some(FloatReduction::Sum),
            FloatReduction::Max => Some(FloatReduction::Max),
            FloatReduction::L1
            | FloatReduction::LogSumExp
            | FloatReduction::Min
            | FloatReduction::Product => None,
        }
    }
}

/// Folds all rows of `x`, each as long as `out`, into one, but does not finish: [`join_down`] does.
///
/// # Panics
///
/// If `x` has no whole number of rows, or such reductions have no [joint](FloatReduction::joint).
pub fn fold_down(isa: Isa, kind: FloatReduction, x: &[f32], out: &mut [f32]) {
    assert!(out.is_empty() || x.len().is_multiple_of(out.len()), "`x` has whole rows");
    assert!(kind.joint().is_some(), "{kind:?} of parts cannot be joined");
    if !out.is_empty() {
        dispatch(isa, Down { kind, x, out });
    }
}

/// Joins rows that [`fold_down`] has made of parts of a matrix, which has `count` rows altogether.
///
/// # Panics
///
/// As [`fold_down`].
pub fn join_down(isa: Isa, kind: FloatReduction, parts: &[f32], count: usize, out: &mut [f32]) {
    let joint = kind.joint().expect("the caller has asked whether there is a joint");
    fold_down(isa, joint, parts, out);
    for x in out {
        *x = kind.finish(*x, count);
    }
}

struct Down<'a> {
    kind: FloatReduction,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl ForEachIsa for Down<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.kind {
            FloatReduction::L2 | FloatReduction::SumSquare => s.call(DownBy(self, Square)),
            FloatReduction::LogSum | FloatReduction::Mean | FloatReduction::Sum => {
                s.call(DownBy(self, Sum));
            }
            FloatReduction::Max => s.call(DownBy(self, Max)),
            FloatReduction::L1
            | FloatReduction::LogSumExp
            | FloatReduction::Min
            | FloatReduction::Product => unreachable!("such reductions have no joint"),
        }
    }
}

struct DownBy<'a, F>(Down<'a>, F);

impl<F: Fold> ForEachIsa for DownBy<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Down { x, out, .. } = self.0;
        out.fill(F::NEUTRAL);
        let mut groups = x.chunks_exact(TOGETHER * out.len());
        for group in &mut groups {
            take_rows::<S, F, TOGETHER>(s, group, out);
        }
        for row in groups.remainder().chunks_exact(out.len()) {
            take_rows::<S, F, 1>(s, row, out);
        }
    }
}

/// Folds `N` rows into the totals.
#[inline(always)]
fn take_rows<S: Simd, F: Fold, const N: usize>(s: S, x: &[f32], totals: &mut [f32]) {
    let len = totals.len();
    let rows: [&[f32]; N] = std::array::from_fn(|i| &x[i * len..][..len]);
    let (neutral, zero) = (s.splat(F::NEUTRAL), s.splat(0.0));
    let whole = len - len % S::LANES;
    for at in (0..whole).step_by(S::LANES) {
        let mut sums = [neutral; 2];
        for (i, row) in rows.iter().enumerate() {
            sums[i % 2] = F::take(s, sums[i % 2], s.load(&row[at..at + S::LANES]), zero);
        }
        let total = &mut totals[at..at + S::LANES];
        s.store(F::merge(s, s.load(total), F::merge(s, sums[0], sums[1])), total);
    }
    if whole < len {
        let mut sums = [neutral; 2];
        for (i, row) in rows.iter().enumerate() {
            sums[i % 2] = F::take(s, sums[i % 2], s.load_partial(&row[whole..]), zero);
        }
        let total = &mut totals[whole..];
        let sum = F::merge(s, s.load_partial(total), F::merge(s, sums[0], sums[1]));
        s.store_partial(sum, total);
    }
}
