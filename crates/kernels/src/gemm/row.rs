//! Products of one row, which are bound by the memory that B comes from.
//!
//! B is read once, from front to back, and nothing is done between its panels that memory would
//! have to wait for. A matrix that lies in a cache is read several panels at a time instead.

use std::ops::Range;

use super::block::{Block, Finish, POST_COLUMNS, STREAM};
use super::narrow::NARROW;
use super::pack::PackedRef;
use super::tile::{AHEAD, LINE, prefetch, prefetch_far};
use super::view::{Matrix, MatrixMut};
use crate::simd::{ForEachIsa, Simd, dispatch};

/// Elements of k that are summed before they are added to the others: sums of few elements are more
/// exact.
const KC: usize = 1024;

/// Panels that are read at a time from a cache: one sum after the other would wait for the one before.
const TOGETHER: usize = 4;

/// How far ahead a line is asked for, in elements, where a vector is less than a line: machines with
/// such vectors follow a stream by themselves, and are slower if they are asked for what lies far off.
const AHEAD_OF_HALVES: usize = 256;

/// Whether a product is computed here. That depends on the whole of A and of B, so that bits do not
/// depend on how C is cut into blocks.
pub(super) fn is_one(a: &Matrix<'_, f32>, b: &PackedRef<'_>) -> bool {
    a.rows == 1 && (a.column_stride == 1 || a.columns <= 1) && b.n > NARROW
}

/// Computes some columns of C, which are `c`, as [`super::gemm`] does; A [has one row](is_one), and
/// `panels` are those of the whole B.
pub(super) fn product(
    a: &Matrix<'_, f32>,
    b: &PackedRef<'_>,
    panels: &[f32],
    c: &mut MatrixMut<'_, f32>,
    block: &Block,
    finish: &Finish<'_>,
) {
    let columns = block.columns.clone();
    let work = Product { a: &a.data[..b.k], b, panels, c, columns, finish };
    dispatch(b.tile.isa, work);
}

struct Product<'a, 'c> {
    a: &'a [f32],
    b: &'a PackedRef<'a>,
    panels: &'a [f32],
    c: &'a mut MatrixMut<'c, f32>,
    columns: Range<usize>,
    finish: &'a Finish<'a>,
}

impl ForEachIsa for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (nr, columns) = (self.b.tile.nr, self.columns.clone());
        let is_far = !self.b.near && columns.len() * self.b.k >= STREAM;
        let (mut at, mut finished) = (columns.start, columns.start);
        while at < columns.end {
            at = if is_far || columns.end - at < TOGETHER * nr {
                self.panels::<S, 1>(s, at)
            } else {
                self.panels::<S, TOGETHER>(s, at)
            };
            if let Some(post) = self.finish.post
                && (at - finished >= POST_COLUMNS || at == columns.end)
            {
                let inside = finished - columns.start..at - columns.start;
                post(0..1, finished..at, &mut self.c.part(0..1, inside));
                finished = at;
            }
        }
    }
}

impl Product<'_, '_> {
    /// Computes the columns of so many panels, of which each is whole or the last; gives the column
    /// after them.
    #[inline(always)]
    fn panels<S: Simd, const NP: usize>(&mut self, s: S, column: usize) -> usize {
        let nr = self.b.tile.nr;
        let end = self.columns.end.min(column + NP * nr);
        let vectors = (end - column).min(nr).div_ceil(S::LANES);
        match vectors {
            1 => self.vectors::<S, NP, 1>(s, column, end),
            2 => self.vectors::<S, NP, 2>(s, column, end),
            3 => self.vectors::<S, NP, 3>(s, column, end),
            4 => self.vectors::<S, NP, 4>(s, column, end),
            _more => unreachable!("panels have at most four vectors"),
        }
        end
    }

    /// The same for panels of `NV` vectors.
    #[inline(always)]
    fn vectors<S: Simd, const NP: usize, const NV: usize>(
        &mut self,
        s: S,
        column: usize,
        end: usize,
    ) {
        let len = self.b.k * NV * S::LANES;
        let first = column / self.b.tile.nr * self.b.k * self.b.tile.nr;
        let panels = std::array::from_fn(|p| &self.panels[first + p * len..][..len]);
        let sums = sums::<S, NP, NV>(s, self.a, panels);
        for (i, &sum) in sums.as_flattened().iter().enumerate() {
            let from = column + i * S::LANES;
            let to = end.min(from + S::LANES);
            let base = self.columns.start;
            let c = &mut self.c.row(0)[from - base..to - base];
            self.finish.vector(s, sum, [0, from], c);
        }
    }
}

/// The sums of all products, for each panel.
#[inline(always)]
fn sums<S: Simd, const NP: usize, const NV: usize>(
    s: S,
    a: &[f32],
    panels: [&[f32]; NP],
) -> [[S::F32; NV]; NP] {
    let width = NV * S::LANES;
    let mut totals = [[s.splat(0.0); NV]; NP];
    for (piece, a) in a.chunks(KC).enumerate() {
        let panels = panels.map(|panel| &panel[piece * KC * width..][..a.len() * width]);
        let sums = match NP {
            1 => far::<S, NP, NV>(s, a, panels),
            _more => near::<S, NP, NV>(s, a, panels),
        };
        for (total, &sum) in totals.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
            *total = s.add(*total, sum);
        }
    }
    totals
}

/// The sums of some products with panels that come from memory.
///
/// Each vector of a panel is read by one instruction, in the same steps all along, which the machine
/// foresees: checked indices keep the compiler from unrolling the loop.
#[inline(always)]
fn far<S: Simd, const NP: usize, const NV: usize>(
    s: S,
    a: &[f32],
    panels: [&[f32]; NP],
) -> [[S::F32; NV]; NP] {
    let width = NV * S::LANES;
    let mut sums = [[s.splat(0.0); NV]; NP];
    for (k, &x) in a.iter().enumerate() {
        let x = s.splat(x);
        for (sums, panel) in sums.iter_mut().zip(&panels) {
            let row = &panel[k * width..][..width];
            for (v, (sum, column)) in sums.iter_mut().zip(row.chunks_exact(S::LANES)).enumerate() {
                // One request for each pair of vectors: of two lines the other one comes by itself.
                if v % 2 == 0 {
                    let at = column.as_ptr();
                    if S::LANES >= LINE {
                        prefetch_far(at.wrapping_add(AHEAD));
                    } else {
                        prefetch(at.wrapping_add(AHEAD_OF_HALVES));
                    }
                }
                *sum = s.mul_add(x, s.load(column), *sum);
            }
        }
    }
    sums
}

/// The same for panels that lie in a cache: requests would take as many slots as products.
#[inline(always)]
fn near<S: Simd, const NP: usize, const NV: usize>(
    s: S,
    a: &[f32],
    panels: [&[f32]; NP],
) -> [[S::F32; NV]; NP] {
    let width = NV * S::LANES;
    assert!(panels.iter().all(|panel| panel.len() == a.len() * width));
    let mut sums = [[s.splat(0.0); NV]; NP];
    for (k, &x) in a.iter().enumerate() {
        let x = s.splat(x);
        for (sums, panel) in sums.iter_mut().zip(&panels) {
            for (v, sum) in sums.iter_mut().enumerate() {
                let from = panel.as_ptr().wrapping_add(k * width + v * S::LANES);
                // SAFETY: a panel has `NV` vectors for each element of A.
                let column = s.load(unsafe { std::slice::from_raw_parts(from, S::LANES) });
                *sum = s.mul_add(x, column, *sum);
            }
        }
    }
    sums
}
