//! Where along an axis the largest or smallest element is.

use std::ops::Range;

/// Which element is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the specification's methods")]
pub enum Extreme {
    Max,
    Min,
}

/// An index as a tensor stores it.
pub trait StoredIndex: Copy + Send + Sync + 'static {
    /// The index; sizes are limited so that it fits.
    fn from_usize(index: usize) -> Self;
}

impl StoredIndex for i32 {
    fn from_usize(index: usize) -> i32 {
        index as i32
    }
}

impl StoredIndex for i64 {
    fn from_usize(index: usize) -> i64 {
        index as i64
    }
}

/// Computes the elements `range` of the result for a row-major tensor of shape
/// `[outer, axis, inner]`: the first of equal elements, and never NaN unless all are, which
/// gives 0.
///
/// # Panics
///
/// If `range` reaches beyond `x`, or `out` is not as long as `range`.
pub fn arg_extreme<T: Copy + PartialOrd, I: StoredIndex>(
    extreme: Extreme,
    shape: [usize; 3],
    x: &[T],
    range: Range<usize>,
    out: &mut [I],
) {
    assert_eq!(out.len(), range.len());
    match extreme {
        Extreme::Max => search(shape, x, range, out, |a, b| a > b),
        Extreme::Min => search(shape, x, range, out, |a, b| a < b),
    }
}

fn search<T: Copy + PartialOrd, I: StoredIndex>(
    [_, axis, inner]: [usize; 3],
    x: &[T],
    range: Range<usize>,
    out: &mut [I],
    better: impl Fn(T, T) -> bool,
) {
    for (at, out) in range.zip(out) {
        let column = &x[at / inner * axis * inner + at % inner..][..(axis - 1) * inner + 1];
        let is_number = |x: &T| x.partial_cmp(x).is_some();
        let elements = || column.iter().step_by(inner).copied().enumerate();
        // Comparisons with NaN fail, so only the first candidate must not be one.
        let first = elements().find(|(_, x)| is_number(x)).unwrap_or((0, column[0]));
        let (best, _) = elements().skip(first.0 + 1).fold(first, |(best, held), (i, x)| {
            if better(x, held) { (i, x) } else { (best, held) }
        });
        *out = I::from_usize(best);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_wins_and_nan_never() {
        let nan = f32::NAN;
        for (x, max, min) in [
            ([1.0, 3.0, 3.0, 0.0], 1, 3),
            ([nan, 2.0, nan, 2.0], 1, 1),
            ([nan, nan, nan, nan], 0, 0),
            ([-1.0, nan, 5.0, -1.0], 2, 0),
        ] {
            let mut out = [9i32];
            arg_extreme(Extreme::Max, [1, 4, 1], &x, 0..1, &mut out);
            assert_eq!(out, [max], "largest of {x:?}");
            arg_extreme(Extreme::Min, [1, 4, 1], &x, 0..1, &mut out);
            assert_eq!(out, [min], "smallest of {x:?}");
        }
    }

    #[test]
    fn any_axis_and_any_range() {
        let x = [3u8, 1, 2, 4, 0, 9, 7, 8, 6, 5, 5, 5];
        let mut out = [9i64; 4];
        arg_extreme(Extreme::Max, [2, 3, 2], &x, 0..4, &mut out);
        assert_eq!(out, [0, 2, 0, 0]);
        arg_extreme(Extreme::Min, [2, 3, 2], &x, 1..3, &mut out[..2]);
        assert_eq!(out[..2], [0, 2]);
    }
}
