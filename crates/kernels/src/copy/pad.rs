//! Padding on both sides of any dimension.

use std::ops::Range;

use crate::strided::{MAX_DIMS, row_major};

/// What the elements around the input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaddingMode {
    /// One value.
    Constant,
    /// The nearest element of the input.
    Edge,
    /// The input mirrored at its first and last element, which are not repeated.
    Reflection,
}

/// How each element of a padded tensor is found; made once.
#[derive(Clone, Debug)]
pub struct Padding {
    dims: Vec<Dim>,
    /// Elements of the result.
    len: usize,
}

/// One dimension of the result.
#[derive(Clone, Debug)]
struct Dim {
    /// Per index of the result, where in the input its elements start; `None` outside.
    starts: Vec<Option<usize>>,
    /// Indices of the result at which the input itself lies.
    inside: Range<usize>,
}

impl Padding {
    /// Padding of a row-major tensor of `shape` by `before` and `after` elements per dimension.
    /// With [`PaddingMode::Reflection`] each is less than the dimension.
    ///
    /// # Panics
    ///
    /// If the lengths differ, or there is too little to mirror.
    pub fn new(mode: PaddingMode, shape: &[usize], before: &[usize], after: &[usize]) -> Padding {
        assert!(shape.len() == before.len() && shape.len() == after.len());
        let strides = row_major(shape);
        let dims: Vec<Dim> = (0..shape.len())
            .map(|d| {
                let size = shape[d];
                let starts = (0..before[d] + size + after[d])
                    .map(|i| index(mode, i, before[d], size).map(|i| i * strides[d]))
                    .collect();
                Dim { starts, inside: before[d]..before[d] + size }
            })
            .collect();
        let len = dims.iter().map(|dim| dim.starts.len()).product();
        Padding { dims, len }
    }

    /// How many elements the result has.
    #[allow(clippy::len_without_is_empty, reason = "an empty result is nothing special")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Computes the elements `range` of the result.
    ///
    /// # Panics
    ///
    /// If `range` reaches beyond the result, `x` is too short, or `out` is not as long as `range`.
    pub fn run<T: Copy>(&self, x: &[T], constant: T, range: Range<usize>, out: &mut [T]) {
        assert!(out.len() == range.len() && range.end <= self.len && self.dims.len() <= MAX_DIMS);
        let Some((inner, outer)) = self.dims.split_last() else {
            // Without dimensions there is nothing around the one element.
            out.copy_from_slice(&x[range]);
            return;
        };
        let width = inner.starts.len();
        let mut at = range.start;
        let mut rest = out;
        while !rest.is_empty() {
            let (mut row, column) = (at / width, at % width);
            let count = (width - column).min(rest.len());
            let (target, after) = rest.split_at_mut(count);
            let mut start = Some(0);
            for dim in outer.iter().rev() {
                let size = dim.starts.len();
                start = start.zip(dim.starts[row % size]).map(|(a, b)| a + b);
                row /= size;
            }
            match start {
                Some(start) => inner.row(&x[start..], constant, column, target),
                None => target.fill(constant),
            }
            rest = after;
            at += count;
        }
    }
}

impl Dim {
    /// Computes neighbours in the innermost dimension, from index `first` of the result.
    fn row<T: Copy>(&self, x: &[T], constant: T, first: usize, out: &mut [T]) {
        let last = first + out.len();
        let around = |at: usize| self.starts[at].map_or(constant, |start| x[start]);
        let from = self.inside.start.clamp(first, last);
        let to = self.inside.end.clamp(from, last);
        for (out, at) in out[..from - first].iter_mut().zip(first..from) {
            *out = around(at);
        }
        if from < to {
            let x = &x[from - self.inside.start..][..to - from];
            out[from - first..to - first].copy_from_slice(x);
        }
        for (out, at) in out[to - first..].iter_mut().zip(to..last) {
            *out = around(at);
        }
    }
}

/// Which index of the input index `i` of the result shows.
fn index(mode: PaddingMode, i: usize, before: usize, size: usize) -> Option<usize> {
    if (before..before + size).contains(&i) {
        return Some(i - before);
    }
    match mode {
        PaddingMode::Constant => None,
        PaddingMode::Edge if i < before => Some(0),
        PaddingMode::Edge => Some(size - 1),
        PaddingMode::Reflection => {
            let mirrored =
                if i < before { before - i } else { (2 * (size - 1) + before).wrapping_sub(i) };
            assert!(mirrored < size, "reflection reaches beyond the input");
            Some(mirrored)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dimension_by_hand() {
        let x = [1u8, 2, 3];
        for (mode, expected) in [
            (PaddingMode::Constant, [9, 9, 1, 2, 3, 9]),
            (PaddingMode::Edge, [1, 1, 1, 2, 3, 3]),
            (PaddingMode::Reflection, [3, 2, 1, 2, 3, 2]),
        ] {
            let padding = Padding::new(mode, &[3], &[2], &[1]);
            for start in 0..=6 {
                for end in start..=6 {
                    let mut out = vec![0; end - start];
                    padding.run(&x, 9, start..end, &mut out);
                    assert_eq!(out, expected[start..end], "{mode:?} {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn dimensions_are_independent() {
        let x = [1u32, 2, 3, 4];
        let shape = [1, 2, 2, 1];
        for (mode, expected) in [
            (PaddingMode::Constant, [0, 0, 0, 0, 1, 2, 0, 3, 4, 0, 0, 0]),
            (PaddingMode::Edge, [1, 1, 2, 1, 1, 2, 3, 3, 4, 3, 3, 4]),
            (PaddingMode::Reflection, [4, 3, 4, 2, 1, 2, 4, 3, 4, 2, 1, 2]),
        ] {
            let padding = Padding::new(mode, &shape, &[0, 1, 1, 0], &[0, 1, 0, 0]);
            let mut out = vec![0; padding.len()];
            padding.run(&x, 0, 0..12, &mut out);
            assert_eq!(out, expected, "{mode:?}");
        }
        let padding = Padding::new(PaddingMode::Edge, &[], &[], &[]);
        let mut out = [0];
        padding.run(&[5], 0, 0..1, &mut out);
        assert_eq!(out, [5]);
    }
}
