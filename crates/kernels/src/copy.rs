//! Moving elements: transpose, slice, reverse, expand, tile and split are reads through a view;
//! concatenation, padding and triangles have walks of their own.
//!
//! What only moves data is instantiated once per element width: callers pass the elements as
//! `u8`, `u16`, `u32` or `u64`.

mod pad;
mod stream;

use std::ops::Range;

use crate::Isa;
use crate::simd::{ForEachIsa, Simd, dispatch};
use crate::strided::View;

pub use pad::{Padding, PaddingMode};
pub use stream::Stream;

/// Rows and columns of a block that is transposed at a time.
const BLOCK: usize = 16;

/// `out[i] = x[offset + view(range.start + i)]`.
///
/// # Panics
///
/// If the view leads outside of `x` or `out` is not as long as `range`.
pub fn read<T: Copy + Default>(
    isa: Isa,
    view: View<'_>,
    offset: usize,
    x: &[T],
    range: Range<usize>,
    out: &mut [T],
) {
    assert_eq!(out.len(), range.len());
    if view.is_linear() {
        out.copy_from_slice(&x[offset + range.start..][..range.len()]);
        return;
    }
    let (dims, strides) = view.parts();
    if let ([outer @ .., columns], [outer_strides @ .., step]) = (dims, strides)
        && let ([.., rows], [.., 1]) = (outer, outer_strides)
        && *step != 0
        && *rows >= BLOCK / 2
        && *columns > 1
    {
        // The last two dimensions change places: whole rows are transposed in blocks.
        let first = range.start.next_multiple_of(*columns).min(range.end);
        let last = (range.end - range.end % columns).max(first);
        let (head, rest) = out.split_at_mut(first - range.start);
        let (whole, tail) = rest.split_at_mut(last - first);
        read_runs(view, offset, x, range.start..first, head);
        let row_view = View::new(outer, outer_strides);
        row_view.for_each_run(first / columns..last / columns, |run| {
            let out = &mut whole[run.at * columns..][..run.len * columns];
            let offset = offset.wrapping_add(run.offset);
            dispatch(isa, Transpose { x, offset, step: *step, columns: *columns, out });
        });
        read_runs(view, offset, x, last..range.end, tail);
        return;
    }
    read_runs(view, offset, x, range, out);
}

fn read_runs<T: Copy>(view: View<'_>, offset: usize, x: &[T], range: Range<usize>, out: &mut [T]) {
    view.for_each_run(range, |run| {
        let out = &mut out[run.at..][..run.len];
        let start = offset.wrapping_add(run.offset);
        match run.stride {
            0 => out.fill(x[start]),
            1 => out.copy_from_slice(&x[start..][..run.len]),
            stride => {
                let mut at = start;
                for out in out {
                    *out = x[at];
                    at = at.wrapping_add(stride);
                }
            }
        }
    });
}

/// `out[r][c] = x[offset + r + c * step]` with `columns` columns per row.
///
/// Compiled for each instruction set, which have shuffles of their own.
struct Transpose<'a, T> {
    x: &'a [T],
    offset: usize,
    step: usize,
    columns: usize,
    out: &'a mut [T],
}

impl<T: Copy + Default> ForEachIsa for Transpose<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        match self.columns {
            2 => self.interleave::<2>(),
            3 => self.interleave::<3>(),
            4 => self.interleave::<4>(),
            _more => self.blocks(),
        }
    }
}

impl<T: Copy + Default> Transpose<'_, T> {
    #[inline(always)]
    fn blocks(self) {
        let Transpose { x, offset, step, columns, out } = self;
        let rows = out.len() / columns;
        let at = |row: usize, column: usize| {
            offset.wrapping_add(row).wrapping_add(column.wrapping_mul(step))
        };
        for row in (0..rows).step_by(BLOCK) {
            for column in (0..columns).step_by(BLOCK) {
                let (height, width) = (BLOCK.min(rows - row), BLOCK.min(columns - column));
                if height == BLOCK && width == BLOCK {
                    let mut block = [[T::default(); BLOCK]; BLOCK];
                    for (c, line) in block.iter_mut().enumerate() {
                        line.copy_from_slice(&x[at(row, column + c)..][..BLOCK]);
                    }
                    for r in 0..BLOCK {
                        let out = &mut out[(row + r) * columns + column..][..BLOCK];
                        for c in 0..BLOCK {
                            out[c] = block[c][r];
                        }
                    }
                } else {
                    for c in 0..width {
                        let line = &x[at(row, column + c)..][..height];
                        for (r, &value) in line.iter().enumerate() {
                            out[(row + r) * columns + column + c] = value;
                        }
                    }
                }
            }
        }
    }

    /// The same for a few columns, which blocks would leave mostly empty: channels of a picture.
    #[inline(always)]
    fn interleave<const N: usize>(self) {
        let Transpose { x, offset, step, out, .. } = self;
        let (out, _) = out.as_chunks_mut::<N>();
        let lines: [&[T]; N] = std::array::from_fn(|column| {
            &x[offset.wrapping_add(column.wrapping_mul(step))..][..out.len()]
        });
        for (row, out) in out.iter_mut().enumerate() {
            *out = std::array::from_fn(|column| lines[column][row]);
        }
    }
}

/// A tensor that is joined with others along an axis.
#[derive(Clone, Copy, Debug)]
pub struct Joined<'a, T> {
    /// All its elements.
    pub elements: &'a [T],
    /// How many of them are neighbours in the result: its size along the axis times all inner
    /// sizes.
    pub chunk: usize,
}

/// Computes the elements `range` of the concatenation of `parts`.
///
/// # Panics
///
/// If `range` reaches beyond the parts, or `out` is not as long as `range`.
pub fn concat<T: Copy>(parts: &[Joined<'_, T>], range: Range<usize>, out: &mut [T]) {
    assert_eq!(out.len(), range.len());
    let row: usize = parts.iter().map(|part| part.chunk).sum();
    if range.is_empty() {
        return;
    }
    let (mut outer, mut skip) = (range.start / row, range.start % row);
    let mut rest = out;
    while !rest.is_empty() {
        for part in parts {
            if skip >= part.chunk {
                skip -= part.chunk;
                continue;
            }
            let count = (part.chunk - skip).min(rest.len());
            let (target, after) = rest.split_at_mut(count);
            target.copy_from_slice(&part.elements[outer * part.chunk + skip..][..count]);
            rest = after;
            skip = 0;
        }
        outer += 1;
    }
}

/// Which part of a matrix is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Triangle {
    /// On and above the diagonal.
    Upper,
    /// On and below the diagonal.
    Lower,
}

/// Computes the rows `rows` of matrices that lie one after the other, each `shape[0]` rows of
/// `shape[1]` columns: elements outside the triangle become zero. Column minus row is `diagonal`
/// on the diagonal. `out` holds just those rows, `x` all.
///
/// # Panics
///
/// If the lengths do not agree.
pub fn triangular<T: Copy + Default>(
    triangle: Triangle,
    diagonal: i32,
    shape: [usize; 2],
    x: &[T],
    rows: Range<usize>,
    out: &mut [T],
) {
    let [height, width] = shape;
    assert_eq!(out.len(), rows.len() * width);
    if width == 0 {
        return;
    }
    let x = &x[rows.start * width..rows.end * width];
    for ((row, x), out) in rows.zip(x.chunks_exact(width)).zip(out.chunks_exact_mut(width)) {
        let on_diagonal = (row % height) as i64 + i64::from(diagonal);
        let kept = match triangle {
            Triangle::Upper => on_diagonal.clamp(0, width as i64) as usize..width,
            Triangle::Lower => 0..(on_diagonal + 1).clamp(0, width as i64) as usize,
        };
        out.fill(T::default());
        out[kept.clone()].copy_from_slice(&x[kept]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strided::{Space, reversed, row_major};

    fn check(shape: &[usize], strides: &[usize], offset: usize, x: &[u32]) {
        let space = Space::new(shape, &[strides]);
        let n = space.len();
        let expected: Vec<u32> = (0..n)
            .map(|i| {
                let mut rest = i;
                let mut at = offset;
                for d in (0..shape.len()).rev() {
                    at = at.wrapping_add((rest % shape[d]).wrapping_mul(strides[d]));
                    rest /= shape[d];
                }
                x[at]
            })
            .collect();
        for range in [0..n, 0..0, 1..n, n / 3..n - n / 4, n / 2..n / 2 + 1] {
            let mut out = vec![0; range.len()];
            for isa in Isa::available() {
                read(isa, space.view(0), offset, x, range.clone(), &mut out);
                let name = format!("{shape:?} {strides:?} {range:?} on {isa:?}");
                assert_eq!(out, expected[range.clone()], "{name}");
                out.fill(0);
            }
        }
    }

    #[test]
    fn views_are_read_in_any_range() {
        let x: Vec<u32> = (0..20_000).map(|i| i * 3).collect();
        let permuted = |shape: &[usize], order: &[usize]| {
            let strides = row_major(shape);
            let dims: Vec<usize> = order.iter().map(|&d| shape[d]).collect();
            let steps: Vec<usize> = order.iter().map(|&d| strides[d]).collect();
            check(&dims, &steps, 0, &x);
        };
        permuted(&[2, 3, 4], &[2, 0, 1]);
        permuted(&[2, 37, 53], &[0, 2, 1]);
        permuted(&[2, 19, 3, 33], &[0, 2, 3, 1]);
        permuted(&[2, 19, 3, 33], &[0, 3, 1, 2]);
        permuted(&[5, 40, 7, 9], &[3, 2, 1, 0]);
        permuted(&[2, 8, 6, 4], &[0, 2, 1, 3]);
        permuted(&[64, 4], &[1, 0]);
        let (strides, offset) = reversed(&[3, 4, 5], &[0, 2]);
        check(&[3, 4, 5], &strides, offset, &x);
        check(&[3, 4, 5], &[400, 20, 2], 7, &x);
        check(&[3, 4, 5], &[0, 1, 0], 11, &x);
        check(&[1], &[0], 3, &x);
    }

    #[test]
    fn joined_parts_follow_each_other_in_every_row() {
        let (a, b, c) = ([1u8, 2, 3, 4], [5, 6], [7, 8, 9, 10, 11, 12]);
        let parts = [
            Joined { elements: &a[..], chunk: 2 },
            Joined { elements: &b, chunk: 1 },
            Joined { elements: &c, chunk: 3 },
        ];
        let expected = [1, 2, 5, 7, 8, 9, 3, 4, 6, 10, 11, 12];
        for start in 0..=12 {
            for end in start..=12 {
                let mut out = vec![0; end - start];
                concat(&parts, start..end, &mut out);
                assert_eq!(out, expected[start..end], "{start}..{end}");
            }
        }
    }

    #[test]
    fn triangles_keep_their_side() {
        let x: Vec<u16> = (1..=24).collect();
        for triangle in [Triangle::Upper, Triangle::Lower] {
            for diagonal in [-100, -3, -1, 0, 1, 2, 5, i32::MAX, i32::MIN] {
                let mut out = vec![99; 20];
                triangular(triangle, diagonal, [3, 4], &x, 1..6, &mut out);
                for (i, &out) in out.iter().enumerate() {
                    let (row, column) = ((i / 4 + 1) % 3, i % 4);
                    let difference = column as i64 - row as i64;
                    let kept = match triangle {
                        Triangle::Upper => difference >= i64::from(diagonal),
                        Triangle::Lower => difference <= i64::from(diagonal),
                    };
                    let expected = if kept { x[i + 4] } else { 0 };
                    assert_eq!(out, expected, "{triangle:?} {diagonal}: row {row}, {column}");
                }
            }
        }
    }
}
