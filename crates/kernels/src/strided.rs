//! Iteration spaces: the elements of a result in row-major order, and where in each operand the
//! element that belongs to one of them lies.

use std::ops::Range;

/// The most dimensions of a view: a tensor has at most 8, and tiling splits each in two.
pub const MAX_DIMS: usize = 16;

/// Strides, in elements, of a tensor whose elements lie in row-major order.
pub fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d] * shape[d];
    }
    strides
}

/// Strides with which a row-major tensor of shape `from` is read as one of shape `to`: sizes are
/// aligned at the right, and where `from` has size 1 its element is repeated.
pub fn broadcast(from: &[usize], to: &[usize]) -> Vec<usize> {
    let missing = to.len() - from.len();
    let mut strides = vec![0; missing];
    for (&stride, (&have, &want)) in row_major(from).iter().zip(from.iter().zip(&to[missing..])) {
        debug_assert!(have == want || have == 1, "{from:?} does not broadcast to {to:?}");
        strides.push(if have == 1 { 0 } else { stride });
    }
    strides
}

/// Strides and offset with which a row-major tensor of `shape` is read backwards along `axes`.
pub fn reversed(shape: &[usize], axes: &[usize]) -> (Vec<usize>, usize) {
    let mut strides = row_major(shape);
    let mut offset = 0;
    for &axis in axes {
        offset += (shape[axis] - 1) * strides[axis];
        strides[axis] = strides[axis].wrapping_neg();
    }
    (strides, offset)
}

/// The space of a row-major tensor of `shape` repeated `repetitions` times along each dimension.
pub fn tiled(shape: &[usize], repetitions: &[usize]) -> Space {
    let strides = row_major(shape);
    let (mut dims, mut steps) = (Vec::new(), Vec::new());
    for ((&size, &times), &stride) in shape.iter().zip(repetitions).zip(&strides) {
        dims.extend([times, size]);
        steps.extend([0, stride]);
    }
    Space::new(&dims, &[&steps])
}

/// A row-major space of elements with the strides of the operands that are read for them.
///
/// Dimensions that all operands step through as if they were one are merged, so that walks have
/// few and long runs. Strides may be negative: two's complement, as `wrapping_neg` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    dims: Vec<usize>,
    /// Per operand, one stride per dimension.
    strides: Vec<Vec<usize>>,
}

impl Space {
    /// The space of `shape`; `strides` holds one slice per operand, as long as `shape`.
    ///
    /// # Panics
    ///
    /// If the lengths do not agree.
    pub fn new(shape: &[usize], strides: &[&[usize]]) -> Space {
        for operand in strides {
            assert_eq!(operand.len(), shape.len(), "an operand has one stride per dimension");
        }
        let mut dims: Vec<usize> = Vec::new();
        let mut merged: Vec<Vec<usize>> = vec![Vec::new(); strides.len()];
        for (d, &size) in shape.iter().enumerate() {
            if size == 1 {
                continue;
            }
            let continues = !dims.is_empty()
                && strides.iter().zip(&merged).all(|(operand, kept)| {
                    kept.last().is_some_and(|&outer| outer == operand[d].wrapping_mul(size))
                });
            if let (true, Some(last)) = (continues, dims.last_mut()) {
                *last *= size;
                for (operand, kept) in strides.iter().zip(&mut merged) {
                    if let Some(stride) = kept.last_mut() {
                        *stride = operand[d];
                    }
                }
            } else {
                dims.push(size);
                for (operand, kept) in strides.iter().zip(&mut merged) {
                    kept.push(operand[d]);
                }
            }
        }
        if dims.is_empty() {
            dims.push(1);
            for kept in &mut merged {
                kept.push(0);
            }
        }
        Space { dims, strides: merged }
    }

    /// The space of `shape` with operands of these shapes, broadcast to it.
    pub fn broadcast(shape: &[usize], operands: &[&[usize]]) -> Space {
        let strides: Vec<Vec<usize>> = operands.iter().map(|from| broadcast(from, shape)).collect();
        let strides: Vec<&[usize]> = strides.iter().map(Vec::as_slice).collect();
        Space::new(shape, &strides)
    }

    /// How many elements the space has.
    #[allow(clippy::len_without_is_empty, reason = "an empty space is nothing special")]
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// The sizes after merging.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// How many operands the space was made for.
    pub fn operands(&self) -> usize {
        self.strides.len()
    }

    /// How operand `index` is read.
    pub fn view(&self, index: usize) -> View<'_> {
        View { dims: &self.dims, strides: &self.strides[index] }
    }
}

/// How one operand is read over a row-major space.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    dims: &'a [usize],
    strides: &'a [usize],
}

/// Elements `offset + i * stride` of an operand, for `i` in `0..len`, that belong to consecutive
/// elements of the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where the run starts, counted from the start of the range that is walked.
    pub at: usize,
    /// Index in the operand of the first element; may wrap where strides are negative.
    pub offset: usize,
    /// Step in the operand.
    pub stride: usize,
    /// Number of elements.
    pub len: usize,
}

impl<'a> View<'a> {
    /// A view of these sizes and strides, of equal number from 1 to [`MAX_DIMS`].
    pub fn new(dims: &'a [usize], strides: &'a [usize]) -> View<'a> {
        assert!(dims.len() == strides.len() && (1..=MAX_DIMS).contains(&dims.len()));
        View { dims, strides }
    }

    /// The sizes, and the strides.
    pub(crate) fn parts(self) -> (&'a [usize], &'a [usize]) {
        (self.dims, self.strides)
    }

    /// Whether element `i` of the space reads element `i` of the operand.
    pub fn is_linear(self) -> bool {
        let mut expected = 1;
        for (&size, &stride) in self.dims.iter().zip(self.strides).rev() {
            if stride != expected {
                return false;
            }
            expected *= size;
        }
        true
    }

    /// Whether the innermost dimension steps from neighbour to neighbour.
    pub fn is_innermost(self) -> bool {
        self.strides.last() == Some(&1)
    }

    /// Whether all elements read the operand's first.
    pub fn is_splat(self) -> bool {
        self.strides.iter().all(|&stride| stride == 0)
    }

    /// Calls `f` with the runs that make up `range`, in order.
    #[inline(always)]
    pub fn for_each_run(self, range: Range<usize>, mut f: impl FnMut(Run)) {
        let rank = self.dims.len();
        let (inner, stride) = (self.dims[rank - 1], self.strides[rank - 1]);
        if range.is_empty() {
            return;
        }
        let mut index = [0; MAX_DIMS];
        let mut offset = 0usize;
        // Most walks start at the first element; divisions would cost as much as a short walk.
        if range.start > 0 {
            let mut rest = range.start;
            for d in (0..rank).rev() {
                index[d] = rest % self.dims[d];
                rest /= self.dims[d];
                offset = index[d].wrapping_mul(self.strides[d]).wrapping_add(offset);
            }
        }
        let mut at = 0;
        let count = range.len();
        let mut column = index[rank - 1];
        loop {
            let len = (inner - column).min(count - at);
            f(Run { at, offset, stride, len });
            at += len;
            if at == count {
                return;
            }
            // The next row: carry into the outer dimensions.
            offset = offset.wrapping_sub(column.wrapping_mul(stride));
            column = 0;
            for d in (0..rank - 1).rev() {
                index[d] += 1;
                offset = offset.wrapping_add(self.strides[d]);
                if index[d] < self.dims[d] {
                    break;
                }
                offset = offset.wrapping_sub(self.dims[d].wrapping_mul(self.strides[d]));
                index[d] = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcast_repeats_where_the_size_is_one() {
        assert_eq!(broadcast(&[3, 1, 5], &[2, 3, 4, 5]), [0, 5, 0, 1]);
        assert_eq!(broadcast(&[], &[2, 3]), [0, 0]);
        assert_eq!(broadcast(&[1], &[1]), [0]);
    }

    #[test]
    fn dimensions_merge_where_every_operand_allows() {
        let same = Space::broadcast(&[2, 3, 4], &[&[2, 3, 4], &[2, 3, 4]]);
        assert_eq!(same.dims(), [24]);
        assert!(same.view(0).is_linear());
        let bias = Space::broadcast(&[2, 3, 4, 5], &[&[2, 3, 4, 5], &[3, 1, 1]]);
        assert_eq!(bias.dims(), [2, 3, 20]);
        assert!(bias.view(0).is_linear());
        assert!(!bias.view(1).is_linear());
        let scalar = Space::broadcast(&[2, 3], &[&[2, 3], &[]]);
        assert_eq!(scalar.dims(), [6]);
        assert!(scalar.view(1).is_splat());
        assert_eq!(Space::broadcast(&[1, 1], &[&[]]).dims(), [1]);
    }

    #[test]
    fn reversed_and_tiled_views_read_the_right_elements() {
        let (strides, offset) = reversed(&[2, 3], &[1]);
        let space = Space::new(&[2, 3], &[&strides]);
        let mut seen = Vec::new();
        space.view(0).for_each_run(1..6, |run| {
            seen.extend(
                (0..run.len).map(|i| {
                    offset.wrapping_add(run.offset).wrapping_add(i.wrapping_mul(run.stride))
                }),
            );
        });
        assert_eq!(seen, [1, 0, 5, 4, 3]);
        let space = tiled(&[2, 2], &[2, 3]);
        let mut seen = Vec::new();
        space.view(0).for_each_run(0..24, |run| {
            seen.extend((0..run.len).map(|i| run.offset + i * run.stride));
        });
        let half = [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3];
        assert_eq!(seen, [half, half].concat());
    }

    #[test]
    fn runs_cover_any_range_in_order() {
        let shape = [3, 1, 4, 5];
        let strides = [1, 9, 0, 3];
        let space = Space::new(&shape, &[&strides]);
        let mut expected = Vec::new();
        for i in 0..3 {
            for _ in 0..4 {
                for k in 0..5 {
                    expected.push(i + 3 * k);
                }
            }
        }
        for start in 0..=60 {
            for end in start..=60 {
                let mut seen = Vec::new();
                space.view(0).for_each_run(start..end, |run| {
                    assert_eq!(run.at, seen.len());
                    seen.extend((0..run.len).map(|i| run.offset + i * run.stride));
                });
                assert_eq!(seen, expected[start..end], "{start}..{end}");
            }
        }
    }
}
