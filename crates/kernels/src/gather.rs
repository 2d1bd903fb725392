//! Reads and writes at places that a tensor of indices names.
//!
//! Indices are data: negative ones count from the end, and what is still outside is held to the
//! nearest valid index, so that nothing outside the tensor is ever touched.

use std::ops::Range;

/// An index in a tensor of indices.
pub trait Index: Copy + Send + Sync + 'static {
    /// The place that the index names among `size` places, of which there is at least one.
    fn resolve(self, size: usize) -> usize;
}

macro_rules! indices {
    ($($type:ident)*) => { $(
        impl Index for $type {
            #[inline(always)]
            fn resolve(self, size: usize) -> usize {
                let last = size as i64 - 1;
                let index = self as i64;
                (if index < 0 { index + size as i64 } else { index }).clamp(0, last) as usize
            }
        }
    )* };
}
indices!(i32 u32 i64);

/// Computes the rows `rows` of `[outer, indices, inner]` from `x` of `[outer, axis, inner]`:
/// row (o, i) is row `indices[i]` of part o. `out` holds just those rows.
///
/// # Panics
///
/// If a length does not agree.
pub fn gather<T: Copy, I: Index>(
    [axis, inner]: [usize; 2],
    x: &[T],
    indices: &[I],
    rows: Range<usize>,
    out: &mut [T],
) {
    assert_eq!(out.len(), rows.len() * inner);
    for (row, out) in rows.zip(out.chunks_exact_mut(inner)) {
        let (part, index) = (row / indices.len(), indices[row % indices.len()]);
        let at = (part * axis + index.resolve(axis)) * inner;
        out.copy_from_slice(&x[at..][..inner]);
    }
}

/// Computes the elements `range` of a result of shape `[outer, picked, inner]` from `x` of
/// `[outer, axis, inner]`: element (o, i, k) is element (o, `indices[o, i, k]`, k).
///
/// # Panics
///
/// If a length does not agree.
pub fn gather_elements<T: Copy, I: Index>(
    [axis, picked, inner]: [usize; 3],
    x: &[T],
    indices: &[I],
    range: Range<usize>,
    out: &mut [T],
) {
    assert_eq!(out.len(), range.len());
    let part = picked * inner;
    for ((at, out), index) in range.clone().zip(out).zip(&indices[range]) {
        *out = x[(at / part * axis + index.resolve(axis)) * inner + at % inner];
    }
}

/// The sizes of the dimensions that a tuple of indices addresses, and of what it addresses.
#[derive(Clone, Copy, Debug)]
pub struct Tuples<'a> {
    /// Sizes of the leading dimensions: as many as a tuple has indices.
    pub dims: &'a [usize],
    /// Elements per tuple.
    pub inner: usize,
}

impl Tuples<'_> {
    /// Where the elements of a tuple start.
    #[inline(always)]
    fn start<I: Index>(&self, tuple: &[I]) -> usize {
        let pairs = self.dims.iter().zip(tuple);
        pairs.fold(0, |at, (&size, index)| at * size + index.resolve(size)) * self.inner
    }

    /// The tuple of this number.
    #[inline(always)]
    fn tuple<'i, I>(&self, indices: &'i [I], number: usize) -> &'i [I] {
        &indices[number * self.dims.len()..][..self.dims.len()]
    }
}

/// Computes the rows `rows` of the result, one row of `inner` elements per tuple. `out` holds
/// just those rows.
///
/// # Panics
///
/// If a length does not agree.
pub fn gather_tuples<T: Copy, I: Index>(
    tuples: Tuples<'_>,
    x: &[T],
    indices: &[I],
    rows: Range<usize>,
    out: &mut [T],
) {
    assert_eq!(out.len(), rows.len() * tuples.inner);
    for (row, out) in rows.zip(out.chunks_exact_mut(tuples.inner)) {
        let at = tuples.start(tuples.tuple(indices, row));
        out.copy_from_slice(&x[at..][..tuples.inner]);
    }
}

/// Overwrites elements of `out`, which holds the input: element (o, `indices[o, i, k]`, k) becomes
/// `updates[o, i, k]`. `out` has the shape `[outer, axis, inner]`, the others
/// `[outer, picked, inner]`; they may be the same part of the outer dimension of all three. Where
/// a place is named twice the later update stays.
///
/// # Panics
///
/// If a length does not agree.
pub fn scatter_elements<T: Copy, I: Index>(
    [axis, picked, inner]: [usize; 3],
    indices: &[I],
    updates: &[T],
    out: &mut [T],
) {
    assert_eq!(indices.len(), updates.len());
    let part = picked * inner;
    for (at, (index, &update)) in indices.iter().zip(updates).enumerate() {
        out[(at / part * axis + index.resolve(axis)) * inner + at % inner] = update;
    }
}

/// Overwrites parts of `out`, which holds the input: the elements of each tuple become the next
/// `inner` elements of `updates`. Where a place is named twice the later update stays.
///
/// # Panics
///
/// If a length does not agree.
pub fn scatter_tuples<T: Copy, I: Index>(
    tuples: Tuples<'_>,
    indices: &[I],
    updates: &[T],
    out: &mut [T],
) {
    for (number, update) in updates.chunks_exact(tuples.inner).enumerate() {
        let at = tuples.start(tuples.tuple(indices, number));
        out[at..][..tuples.inner].copy_from_slice(update);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_count_from_the_end_and_stay_inside() {
        for (index, expected) in [(0, 0), (2, 2), (3, 2), (-1, 2), (-3, 0), (-4, 0)] {
            assert_eq!(index.resolve(3), expected, "{index}");
            assert_eq!(i64::from(index).resolve(3), expected, "{index}");
        }
        assert_eq!(u32::MAX.resolve(3), 2);
        assert_eq!(i64::MAX.resolve(3), 2);
        assert_eq!(i64::MIN.resolve(3), 0);
        assert_eq!(i32::MIN.resolve(1), 0);
    }

    #[test]
    fn rows_are_gathered_in_any_range() {
        let x: Vec<u16> = (0..24).collect();
        let indices = [2, 0, -1];
        // [2, 4, 3] to [2, 3, 3].
        let expected = [6, 7, 8, 0, 1, 2, 9, 10, 11, 18, 19, 20, 12, 13, 14, 21, 22, 23];
        for start in 0..=6 {
            for end in start..=6 {
                let mut out = vec![99; (end - start) * 3];
                gather([4, 3], &x, &indices, start..end, &mut out);
                assert_eq!(out, expected[start * 3..end * 3], "{start}..{end}");
            }
        }
    }

    #[test]
    fn elements_are_gathered_along_an_axis() {
        // [2, 3, 2], two picked per axis.
        let x: Vec<u8> = (0..12).collect();
        let indices = [0i64, 2, 1, -1, 5, 0, -9, 1];
        let expected = [0, 5, 2, 5, 10, 7, 6, 9];
        let mut out = [99; 8];
        gather_elements([3, 2, 2], &x, &indices, 0..8, &mut out);
        assert_eq!(out, expected);
        gather_elements([3, 2, 2], &x, &indices, 3..6, &mut out[..3]);
        assert_eq!(out[..3], expected[3..6]);
    }

    #[test]
    fn tuples_address_leading_dimensions() {
        let x: Vec<u32> = (0..24).collect();
        let tuples = Tuples { dims: &[2, 3], inner: 4 };
        let mut out = [0; 12];
        gather_tuples(tuples, &x, &[1i32, 0, -1, -1, 0, 9], 0..3, &mut out);
        assert_eq!(out, [12, 13, 14, 15, 20, 21, 22, 23, 8, 9, 10, 11]);
    }

    #[test]
    fn the_last_update_stays() {
        let mut out = [0u8; 6];
        scatter_elements([3, 3, 1], &[1u32, 1, 7, 0, 2, 0], &[1, 2, 3, 4, 5, 6], &mut out);
        assert_eq!(out, [0, 2, 3, 6, 0, 5]);
        let mut out = [0u64; 6];
        let tuples = Tuples { dims: &[3], inner: 2 };
        scatter_tuples(tuples, &[-1i64, 0, 2], &[1, 2, 3, 4, 5, 6], &mut out);
        assert_eq!(out, [3, 4, 0, 0, 5, 6]);
    }
}
