//! Attention of many queries: panels of them, blocks of keys.

use std::ops::Range;

use super::tiles::{self, most_rows};
use super::{Attention, KEYS};
use crate::float::load_up_to;
use crate::gemm::rows::Heights;
use crate::gemm::{Matrix, MatrixMut};
use crate::map::math::exp_weight;
use crate::simd::{ForEachIsa, MAX_LANES, Simd};

/// The vectors of a panel: as many queries as they have lanes.
pub(super) const VECTORS: usize = 2;

/// The work for some queries; `out` has a row for each. The rest is working memory, whose rows are
/// at most `VECTORS` vectors long.
pub(super) struct Panels<'a, 'b, 'c> {
    pub(super) operands: &'a Attention<'a>,
    pub(super) queries: Range<usize>,
    /// Per element of a query: a panel of them, scaled.
    pub(super) packed: &'a mut [f32],
    /// Per key of a block: scores, then weights.
    pub(super) scores: &'a mut [f32],
    /// Per key of a block: some elements of its value, where they are not read where they lie.
    pub(super) values: &'a mut [f32],
    /// Per query of a panel: weighted sums so far, in whole vectors.
    pub(super) sums: &'a mut [f32],
    /// Per query: what sums so far are multiplied by.
    pub(super) scale: &'a mut [f32],
    /// Per query: what sums are multiplied by in the end.
    pub(super) share: &'a mut [f32],
    pub(super) out: &'b mut MatrixMut<'c, f32>,
}

impl ForEachIsa for Panels<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        if self.operands.k.rows == 0 {
            // Nothing divided by nothing.
            (0..self.out.rows()).for_each(|i| self.out.row(i).fill(f32::NAN));
            return;
        }
        let all = self.queries.clone();
        for first in all.clone().step_by(VECTORS * S::LANES) {
            let queries = first..all.end.min(first + VECTORS * S::LANES);
            if queries.len() > S::LANES {
                s.call(Panel::<'_, '_, '_, '_, VECTORS> { all: &mut self, queries });
            } else {
                s.call(Panel::<'_, '_, '_, '_, 1> { all: &mut self, queries });
            }
        }
    }
}

/// The work for the queries of one panel, which is `NV` vectors wide.
struct Panel<'p, 'a, 'b, 'c, const NV: usize> {
    all: &'p mut Panels<'a, 'b, 'c>,
    queries: Range<usize>,
}

impl<const NV: usize> ForEachIsa for Panel<'_, '_, '_, '_, NV> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Attention { q, k, scale, .. } = *self.all.operands;
        let width = NV * S::LANES;
        let packed = &mut self.all.packed[..q.columns * width];
        pack_queries(s, q, self.queries.clone(), scale, packed, width);
        // Not infinity: where all scores so far are minus infinity, differences stay defined.
        let mut greatest = [s.splat(f32::MIN); NV];
        let mut total = [s.splat(0.0); NV];
        for from in (0..k.rows).step_by(KEYS) {
            let keys = from..k.rows.min(from + KEYS);
            self.scores(s, keys.clone());
            let scores = &mut self.all.scores[..keys.len() * width];
            let scale = weigh(s, scores, &mut greatest, &mut total);
            for v in 0..NV {
                s.store(scale[v], &mut self.all.scale[v * S::LANES..]);
                let share = s.div(s.splat(1.0), total[v]);
                s.store(share, &mut self.all.share[v * S::LANES..]);
            }
            self.sums(s, keys);
        }
    }
}

impl<const NV: usize> Panel<'_, '_, '_, '_, NV> {
    /// Computes the scores of a block of keys.
    #[inline(always)]
    fn scores<S: Simd>(&mut self, s: S, keys: Range<usize>) {
        let Panels { operands, packed, scores, .. } = &mut *self.all;
        let Attention { k, mask, .. } = **operands;
        let width = NV * S::LANES;
        let of_keys = mask.filter(|mask| mask.row_stride == 0);
        let heights = Heights::new(keys.len(), most_rows::<S>());
        for rows in (0..heights.tiles).map(|i| heights.rows(i)) {
            let first = keys.start + rows.start;
            let call = tiles::Scores {
                keys: k.data.as_ptr().wrapping_add(first * k.row_stride),
                stride: k.row_stride,
                step: k.column_stride,
                depth: k.columns,
                packed: packed.as_ptr(),
                mask: of_keys.map_or(std::ptr::null(), |mask| {
                    mask.data.as_ptr().wrapping_add(first * mask.column_stride)
                }),
                mask_step: of_keys.map_or(0, |mask| mask.column_stride),
                to: scores[rows.start * width..rows.end * width].as_mut_ptr(),
            };
            // SAFETY: the rows are some of K, and columns of the mask, as their `Matrix` has
            // checked; `packed` has a row for each element of a key, and `to` one for each key.
            unsafe { tiles::scores::<S, NV>(s, rows.len(), &call) };
        }
        if let (Some(mask), None) = (mask, of_keys) {
            let scores = &mut scores[..keys.len() * width];
            add_mask(s, mask, self.queries.clone(), keys, scores, width);
        }
    }

    /// Adds the weighted values of a block of keys to the sums, or writes the result.
    #[inline(always)]
    fn sums<S: Simd>(&mut self, s: S, keys: Range<usize>) {
        let v = self.all.operands.v;
        for at in (0..v.columns).step_by(VECTORS * S::LANES) {
            if v.columns - at > S::LANES {
                self.sums_of::<S, VECTORS>(s, keys.clone(), at);
            } else {
                self.sums_of::<S, 1>(s, keys.clone(), at);
            }
        }
    }

    /// The same for `MV` vectors of a value, or what there is of them.
    #[inline(always)]
    fn sums_of<S: Simd, const MV: usize>(&mut self, s: S, keys: Range<usize>, at: usize) {
        let Panels { operands, queries: all, scores, values, sums, scale, share, out, .. } =
            &mut *self.all;
        let Attention { k, v, .. } = **operands;
        let width = MV * S::LANES;
        let len = width.min(v.columns - at);
        let start = keys.start * v.row_stride + at * v.column_stride;
        let (from, stride) = if len == width && v.column_stride == 1 {
            (v.data.as_ptr().wrapping_add(start), v.row_stride)
        } else {
            for (i, row) in values.chunks_exact_mut(width).take(keys.len()).enumerate() {
                row[len..].fill(0.0);
                for (j, x) in row[..len].iter_mut().enumerate() {
                    *x = v.data[start + i * v.row_stride + j * v.column_stride];
                }
            }
            (values.as_ptr(), width)
        };
        let before_stride = v.columns.next_multiple_of(S::LANES);
        let (is_first, is_last) = (keys.start == 0, keys.end == k.rows);
        let first_row = self.queries.start - all.start;
        let heights = Heights::new(self.queries.len(), most_rows::<S>());
        for rows in (0..heights.tiles).map(|i| heights.rows(i)) {
            let sums = &mut sums[rows.start * before_stride + at..];
            let mut result = out.part(first_row + rows.start..first_row + rows.end, at..at + len);
            let so_far = sums.as_mut_ptr();
            let (to, to_stride) = match is_last && len == width {
                true => (result.as_mut_ptr(), result.stride()),
                false => (so_far, before_stride),
            };
            let call = tiles::Sums {
                weights: scores[rows.start..].as_ptr(),
                width: NV * S::LANES,
                values: from,
                stride,
                keys: keys.len(),
                before: if is_first { std::ptr::null() } else { so_far },
                before_stride,
                scale: scale[rows.start..].as_ptr(),
                share: if is_last { share[rows.start..].as_ptr() } else { std::ptr::null() },
                to,
                to_stride,
            };
            // SAFETY: there are weights, factors and sums for each query of the panel, and a value
            // for each key, as its `Matrix` has checked; `to` has a row for each query.
            unsafe { tiles::sums::<S, MV>(s, rows.len(), &call) };
            if is_last && len < width {
                for i in 0..rows.len() {
                    result.row(i).copy_from_slice(&sums[i * before_stride..][..len]);
                }
            }
        }
    }
}

/// Turns a block of scores into weights relative to the greatest score so far. Gives what earlier
/// sums are to be multiplied by.
#[inline(always)]
fn weigh<S: Simd, const NV: usize>(
    s: S,
    scores: &mut [f32],
    greatest: &mut [S::F32; NV],
    total: &mut [S::F32; NV],
) -> [S::F32; NV] {
    let width = NV * S::LANES;
    let before = *greatest;
    // Four at a time, as each waits for the one before; the order does not matter.
    let mut most = [before; 4];
    for rows in scores.chunks(4 * width) {
        for (most, row) in most.iter_mut().zip(rows.chunks_exact(width)) {
            for (most, x) in most.iter_mut().zip(row.chunks_exact(S::LANES)) {
                *most = s.max_number(*most, s.load(x));
            }
        }
    }
    for v in 0..NV {
        let (a, b) = (s.max_number(most[0][v], most[1][v]), s.max_number(most[2][v], most[3][v]));
        greatest[v] = s.max_number(a, b);
    }
    let mut sums = [s.splat(0.0); NV];
    for row in scores.chunks_exact_mut(width) {
        for (v, x) in row.chunks_exact_mut(S::LANES).enumerate() {
            let weight = exp_weight(s, s.sub(s.load(x), greatest[v]));
            s.store(weight, x);
            sums[v] = s.add(sums[v], weight);
        }
    }
    let mut scale = before;
    for v in 0..NV {
        scale[v] = exp_weight(s, s.sub(before[v], greatest[v]));
        total[v] = s.mul_add(total[v], scale[v], sums[v]);
    }
    scale
}

/// Scales and transposes queries into a panel, whose other lanes become zero.
#[inline(always)]
fn pack_queries<S: Simd>(
    s: S,
    q: Matrix<'_, f32>,
    queries: Range<usize>,
    scale: f32,
    packed: &mut [f32],
    width: usize,
) {
    if q.column_stride != 1 {
        for (k, line) in packed.chunks_exact_mut(width).enumerate() {
            line.fill(0.0);
            for (x, query) in line.iter_mut().zip(queries.clone()) {
                *x = q.data[query * q.row_stride + k * q.column_stride] * scale;
            }
        }
        return;
    }
    for at in (0..width).step_by(S::LANES) {
        for_each_column(
            s,
            S::LANES.min(queries.len() - at),
            q.columns,
            #[inline(always)]
            |i, k| &q.data[(queries.start + at + i) * q.row_stride + k..],
            #[inline(always)]
            |k, column| {
                s.store(s.mul(column, s.splat(scale)), &mut packed[k * width + at..]);
            },
        );
    }
}

/// Adds a mask to the scores of a block.
#[inline(always)]
fn add_mask<S: Simd>(
    s: S,
    mask: Matrix<'_, f32>,
    queries: Range<usize>,
    keys: Range<usize>,
    scores: &mut [f32],
    width: usize,
) {
    let Matrix { data, row_stride, column_stride, .. } = mask;
    let start = queries.start * row_stride + keys.start * column_stride;
    if column_stride != 1 {
        for (k, line) in scores.chunks_exact_mut(width).enumerate() {
            let from = start + k * column_stride;
            for (i, score) in line[..queries.len()].iter_mut().enumerate() {
                *score += data[from + i * row_stride];
            }
        }
        return;
    }
    for at in (0..width).step_by(S::LANES) {
        let rows = S::LANES.min(queries.len() - at);
        let row = |i: usize| &data[start + (at + i) * row_stride..][..keys.len()];
        // Much of a mask is zeros: often there is nothing to add. Shifting drops their sign.
        let bits = |i: usize| row(i).iter().fold(0, |bits, x| bits | x.to_bits() << 1);
        if (0..rows).fold(0, |all, i| all | bits(i)) == 0 {
            continue;
        }
        for_each_column(
            s,
            rows,
            keys.len(),
            #[inline(always)]
            |i, k| &row(i)[k..],
            #[inline(always)]
            |k, column| {
                let scores = &mut scores[k * width + at..];
                s.store(s.add(s.load(scores), column), scores);
            },
        );
    }
}

/// A square of as many vectors as they have lanes, transposed.
#[inline(always)]
fn transposed<S: Simd>(s: S, mut rows: [S::F32; MAX_LANES]) -> [S::F32; MAX_LANES] {
    for _ in 0..S::LANES.ilog2() {
        let before = rows;
        for i in 0..S::LANES / 2 {
            (rows[2 * i], rows[2 * i + 1]) = s.zip(before[i], before[i + S::LANES / 2]);
        }
    }
    rows
}

/// Calls `put` for each of the first columns of some rows, one row per lane at most: with the
/// column's number and its elements, then zeros. `row` gives a row from a column on.
#[inline(always)]
fn for_each_column<'x, S: Simd>(
    s: S,
    rows: usize,
    columns: usize,
    row: impl Fn(usize, usize) -> &'x [f32],
    mut put: impl FnMut(usize, S::F32),
) {
    for first in (0..columns).step_by(S::LANES) {
        let len = S::LANES.min(columns - first);
        let mut block = [s.splat(0.0); MAX_LANES];
        for (i, vector) in block[..rows].iter_mut().enumerate() {
            *vector = load_up_to(s, &row(i, first)[..len]);
        }
        let block = transposed(s, block);
        for (i, &vector) in block[..len].iter().enumerate() {
            put(first + i, vector);
        }
    }
}
