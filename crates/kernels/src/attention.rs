//! Attention of one head: `softmax(scale * Q * Kᵀ + mask) * V`, without the scores in memory.
//!
//! Queries are taken a panel at a time, one per lane, and the keys pass by in blocks. A block of
//! scores is computed transposed, a row per key: so the softmax runs down the lanes, and the
//! weights already lie as the packed panel that the product with V needs. K and V are read where
//! they lie. When a block raises a query's greatest score, what was summed before is scaled down.
//! Few queries would leave most lanes of a panel empty, and are computed one by one.

mod rows;

use std::ops::Range;

use rows::Rows;

use crate::Isa;
use crate::buffer::Scratch;
use crate::float::Float;
use crate::gemm::rows::Heights;
use crate::gemm::tile::Call;
use crate::gemm::{Matrix, MatrixMut, Tile};
use crate::map::math::exp_negative;
use crate::simd::{ForEachIsa, MAX_LANES, Simd, dispatch};

/// The operands of one head.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// A row per query.
    pub q: Matrix<'a, f32>,
    /// A row per key, as long as a query.
    pub k: Matrix<'a, f32>,
    /// A row per key, as long as a result.
    pub v: Matrix<'a, f32>,
    /// What is added to the scores: a row per query, a column per key; strides may be zero.
    pub mask: Option<Matrix<'a, f32>>,
    /// What products of queries and keys are multiplied by.
    pub scale: f32,
}

/// Keys whose scores are computed together: with a panel of queries they stay in the first-level
/// cache. Sums over keys are cut here, so it is the same number for all instruction sets.
const KEYS: usize = 128;

/// The scratch that [`attention`] takes.
pub fn scratch_bytes(isa: Isa, query_len: usize, value_len: usize) -> usize {
    let nr = Tile::of(isa).nr;
    Scratch::bytes_for::<f32>(query_len * nr)
        + Scratch::bytes_for::<f32>(KEYS * nr)
        + Scratch::bytes_for::<f32>(value_len * nr)
        + 3 * Scratch::bytes_for::<f32>(nr)
        + Scratch::bytes_for::<*const f32>(KEYS.max(value_len))
}

/// Computes the results of some queries; `out` has a row for each of them.
///
/// The bits of a result do not depend on which other queries are computed with it.
///
/// # Panics
///
/// When shapes do not fit together, or the scratch is less than [`scratch_bytes`].
pub fn attention(
    isa: Isa,
    operands: &Attention<'_>,
    queries: Range<usize>,
    mut out: MatrixMut<'_, f32>,
    scratch: &mut [u8],
) {
    let Attention { q, k, v, mask, .. } = operands;
    assert!(queries.start <= queries.end && queries.end <= q.rows, "{queries:?} of {}", q.rows);
    assert_eq!(q.columns, k.columns, "queries are as long as keys");
    assert_eq!(k.rows, v.rows, "there is a value for each key");
    assert!(
        out.rows() == queries.len() && out.columns() == v.columns,
        "the result is {} x {}, expected {} x {}",
        out.rows(),
        out.columns(),
        queries.len(),
        v.columns
    );
    if let Some(mask) = mask {
        assert!(
            mask.rows == q.rows && mask.columns == k.rows,
            "the mask is {} x {}, expected {} x {}",
            mask.rows,
            mask.columns,
            q.rows,
            k.rows
        );
    }
    let tile = Tile::of(isa);
    let mut scratch = Scratch::new(scratch);
    if rows::are_few(operands) {
        let work = Rows {
            operands,
            queries,
            query: scratch.take(q.columns * tile.nr),
            scores: scratch.take(KEYS),
            sums: scratch.take(v.columns * tile.nr),
            out: &mut out,
        };
        return dispatch(tile.isa, work);
    }
    let mut panel = Panel {
        tile,
        width: 0,
        packed: scratch.take(q.columns * tile.nr),
        scores: scratch.take(KEYS * tile.nr),
        sums: scratch.take(v.columns * tile.nr),
        greatest: scratch.take(tile.nr),
        total: scratch.take(tile.nr),
        zeros: scratch.take(tile.nr),
        pointers: scratch.take(KEYS.max(v.columns)),
    };
    panel.zeros.fill(0.0);
    for first in queries.clone().step_by(tile.nr) {
        let end = queries.end.min(first + tile.nr);
        panel.start(operands, first..end);
        for from in (0..k.rows).step_by(KEYS) {
            let to = k.rows.min(from + KEYS);
            panel.keys(operands, first..end, from..to);
        }
        let rows = first - queries.start..end - queries.start;
        panel.finish(&mut out.part(rows, 0..v.columns));
    }
}

/// The state of one panel of queries.
struct Panel<'a> {
    tile: &'static Tile,
    /// The lanes in use: queries rounded up to vectors. Rows of what follows are this long.
    width: usize,
    /// The queries, transposed and scaled.
    packed: &'a mut [f32],
    /// Per key of a block: scores, then weights.
    scores: &'a mut [f32],
    /// Per column of V: weighted sums so far.
    sums: &'a mut [f32],
    /// The greatest score so far.
    greatest: &'a mut [f32],
    /// The sum of weights so far.
    total: &'a mut [f32],
    zeros: &'a mut [f32],
    pointers: &'a mut [*const f32],
}

impl Panel<'_> {
    fn start(&mut self, operands: &Attention<'_>, queries: Range<usize>) {
        self.width = queries.len().next_multiple_of(self.tile.lanes);
        let packed = &mut self.packed[..operands.q.columns * self.width];
        let Attention { q, scale, .. } = *operands;
        dispatch(self.tile.isa, PackQueries { q, queries, scale, packed, width: self.width });
        self.sums.fill(0.0);
        self.total.fill(0.0);
        // Not infinity: where all scores so far are minus infinity, differences stay defined.
        self.greatest.fill(f32::MIN);
    }

    fn keys(&mut self, operands: &Attention<'_>, queries: Range<usize>, keys: Range<usize>) {
        let Attention { k, v, .. } = operands;
        let width = self.width;
        for (pointer, key) in self.pointers.iter_mut().zip(keys.clone()) {
            *pointer = k.data.as_ptr().wrapping_add(key * k.row_stride);
        }
        self.product(keys.len(), k.columns, k.column_stride, Product::Scores);
        if let Some(mask) = operands.mask {
            let scores = &mut self.scores[..keys.len() * width];
            dispatch(self.tile.isa, AddMask { mask, queries, keys: keys.clone(), scores, width });
        }
        dispatch(
            self.tile.isa,
            Weigh {
                scores: &mut self.scores[..keys.len() * width],
                sums: &mut self.sums[..v.columns * width],
                greatest: &mut self.greatest[..width],
                total: &mut self.total[..width],
            },
        );
        for (i, pointer) in self.pointers[..v.columns].iter_mut().enumerate() {
            let from = keys.start * v.row_stride + i * v.column_stride;
            *pointer = v.data.as_ptr().wrapping_add(from);
        }
        self.product(v.columns, keys.len(), v.row_stride, Product::Sums);
    }

    /// Multiplies `rows` rows of `depth` elements, `step` apart, behind the pointers by a panel.
    fn product(&mut self, rows: usize, depth: usize, step: usize, which: Product) {
        let width = self.width;
        let heights = Heights::new(rows, self.tile.mr);
        let (b, c) = match which {
            Product::Scores => (self.packed.as_ptr(), self.scores.as_mut_ptr()),
            Product::Sums => (self.scores.as_ptr(), self.sums.as_mut_ptr()),
        };
        if rows == 0 {
            return;
        }
        for rows in (0..heights.tiles).map(|i| heights.rows(i)) {
            let c = c.wrapping_add(rows.start * width);
            let (start, start_stride) = match which {
                Product::Scores => (self.zeros.as_ptr(), 0),
                Product::Sums => (c.cast_const(), width),
            };
            let call = Call {
                rows: self.pointers[rows.clone()].as_ptr(),
                segments: 1,
                depth,
                step,
                b,
                panel_stride: 0,
                start,
                start_stride,
                residual: std::ptr::null(),
                residual_stride: 0,
                ahead: b,
                ahead_step: 0,
                c,
                c_stride: width,
                low: f32::NEG_INFINITY,
                high: f32::INFINITY,
            };
            // SAFETY: `attention` entered only if the tile's instruction set is available, which
            // `Tile::of` checks. The pointers are to rows of K, or columns of V, of `depth`
            // elements each, as their `Matrix` has checked; `packed` has a row of the width for
            // each element of a key and `scores` for each key of a block; `c` has one for each
            // row of the product.
            unsafe { self.tile.run(rows.len(), width)(&call) };
        }
    }

    fn finish(&mut self, out: &mut MatrixMut<'_, f32>) {
        let sums = &mut self.sums[..out.columns() * self.width];
        dispatch(self.tile.isa, Divide { sums, total: &self.total[..self.width], out });
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
            *vector = f32::load_up_to(s, &row(i, first)[..len]);
        }
        let block = transposed(s, block);
        for (i, &vector) in block[..len].iter().enumerate() {
            put(first + i, vector);
        }
    }
}

/// Scales and transposes queries into a panel, whose other lanes become zero.
struct PackQueries<'a> {
    q: Matrix<'a, f32>,
    queries: Range<usize>,
    scale: f32,
    packed: &'a mut [f32],
    width: usize,
}

impl ForEachIsa for PackQueries<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PackQueries { q, queries, scale, packed, width } = self;
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
}

/// Adds a mask to the scores of a block.
struct AddMask<'a> {
    mask: Matrix<'a, f32>,
    queries: Range<usize>,
    keys: Range<usize>,
    scores: &'a mut [f32],
    width: usize,
}

impl ForEachIsa for AddMask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let AddMask { mask, queries, keys, scores, width } = self;
        let Matrix { data, row_stride, column_stride, .. } = mask;
        let start = queries.start * row_stride + keys.start * column_stride;
        if row_stride == 0 {
            for (k, line) in scores.chunks_exact_mut(width).enumerate() {
                let x = data[start + k * column_stride];
                line.iter_mut().for_each(|score| *score += x);
            }
            return;
        }
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
}

/// Divides rows of weighted sums by the sums of weights, and transposes them into the result.
struct Divide<'a, 'b, 'c> {
    sums: &'a mut [f32],
    total: &'a [f32],
    out: &'b mut MatrixMut<'c, f32>,
}

impl ForEachIsa for Divide<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Divide { sums, total, out } = self;
        let (width, queries, columns) = (total.len(), out.rows(), out.columns());
        for at in (0..width).step_by(S::LANES) {
            let share = s.div(s.splat(1.0), s.load(&total[at..]));
            for row in sums.chunks_exact_mut(width) {
                s.store(s.mul(s.load(&row[at..]), share), &mut row[at..]);
            }
        }
        for first in (0..columns).step_by(S::LANES) {
            let rows = S::LANES.min(columns - first);
            for_each_column(
                s,
                rows,
                queries,
                #[inline(always)]
                |i, query| &sums[(first + i) * width + query..],
                #[inline(always)]
                |query, column| {
                    f32::store_up_to(s, column, &mut out.row(query)[first..][..rows]);
                },
            );
        }
    }
}

/// The two products of a block of keys.
#[derive(Clone, Copy)]
enum Product {
    /// `K * Qᵀ`, into the scores.
    Scores,
    /// `Vᵀ * weights`, added to the sums.
    Sums,
}

/// Turns a block of scores into weights relative to the greatest score so far.
struct Weigh<'a> {
    scores: &'a mut [f32],
    sums: &'a mut [f32],
    greatest: &'a mut [f32],
    total: &'a mut [f32],
}

impl ForEachIsa for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let width = self.greatest.len();
        for at in (0..width).step_by(S::LANES) {
            let before = s.load(&self.greatest[at..]);
            // Four at a time, as each waits for the one before; the order does not matter.
            let mut most = [before; 4];
            for rows in self.scores.chunks(4 * width) {
                for (most, row) in most.iter_mut().zip(rows.chunks_exact(width)) {
                    *most = s.max_fast(*most, s.load(&row[at..]));
                }
            }
            let greatest = s.max_fast(s.max_fast(most[0], most[1]), s.max_fast(most[2], most[3]));
            let mut total = s.splat(0.0);
            for row in self.scores.chunks_exact_mut(width) {
                let weight = exp_negative(s, s.sub(s.load(&row[at..]), greatest));
                s.store(weight, &mut row[at..]);
                total = s.add(total, weight);
            }
            let scale = exp_negative(s, s.sub(before, greatest));
            let total = s.mul_add(s.load(&self.total[at..]), scale, total);
            s.store(total, &mut self.total[at..]);
            s.store(greatest, &mut self.greatest[at..]);
            if s.mask_bits(s.not(s.eq(before, greatest))) != 0 {
                for row in self.sums.chunks_exact_mut(width) {
                    s.store(s.mul(s.load(&row[at..]), scale), &mut row[at..]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    fn run(isa: Isa, operands: &Attention<'_>, parts: usize) -> Vec<f32> {
        let (rows, columns) = (operands.q.rows, operands.v.columns);
        let mut out = vec![5.0; rows * columns];
        let mut scratch = vec![0xff; scratch_bytes(isa, operands.q.columns, columns)];
        for part in 0..parts {
            let queries = part * rows / parts..(part + 1) * rows / parts;
            let to = &mut out[queries.start * columns..queries.end * columns];
            let to = MatrixMut::new(to, [queries.len(), columns], columns);
            attention(isa, operands, queries, to, &mut scratch);
        }
        out
    }

    /// One result of the definition in f64.
    fn expected(operands: &Attention<'_>, query: usize) -> Vec<f64> {
        let Attention { q, k, v, mask, scale } = operands;
        let at = |m: &Matrix<'_, f32>, i: usize, j: usize| {
            f64::from(m.data[i * m.row_stride + j * m.column_stride])
        };
        let scores: Vec<f64> = (0..k.rows)
            .map(|key| {
                let dot: f64 = (0..q.columns).map(|i| at(q, query, i) * at(k, key, i)).sum();
                dot * f64::from(*scale) + mask.as_ref().map_or(0.0, |mask| at(mask, query, key))
            })
            .collect();
        let greatest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let weights: Vec<f64> = scores.iter().map(|score| (score - greatest).exp()).collect();
        let total: f64 = weights.iter().sum();
        (0..v.columns)
            .map(|i| {
                weights.iter().enumerate().map(|(key, w)| w * at(v, key, i)).sum::<f64>() / total
            })
            .collect()
    }

    #[test]
    fn every_set_matches_the_definition() {
        let causal: Vec<f32> = (0..400 * 400)
            .map(|i| if i % 400 > i / 400 { f32::NEG_INFINITY } else { 0.5 })
            .collect();
        for isa in Isa::available() {
            for [queries, keys, len, value_len] in [
                [1, 1, 1, 1],
                [1, 300, 64, 64],
                [2, 129, 67, 150],
                [4, 31, 16, 8],
                [5, 7, 3, 2],
                [33, 129, 64, 20],
                [70, 400, 16, 33],
            ] {
                let q = numbers(queries * len * 3, 1);
                let k = numbers(keys * len * 2, 2);
                let v = numbers(keys * (value_len + 2), 3);
                let key_mask = numbers(keys, 4);
                for (strides, mask) in [
                    ([len, 1], None),
                    ([2 * len, 2], Some(Matrix::new(&key_mask, [queries, keys], [0, 1]))),
                    ([1, keys], Some(Matrix::new(&causal, [queries, keys], [400, 1]))),
                ] {
                    let operands = Attention {
                        q: Matrix::new(&q, [queries, len], [3 * len, 1]),
                        k: Matrix::new(&k, [keys, len], strides),
                        v: Matrix::new(&v, [keys, value_len], [value_len + 2, 1]),
                        mask,
                        scale: 2.5,
                    };
                    let out = run(isa, &operands, 1);
                    for query in 0..queries {
                        for (i, expected) in expected(&operands, query).into_iter().enumerate() {
                            let got = out[query * value_len + i];
                            assert!(
                                (f64::from(got) - expected).abs() < 2e-5,
                                "{isa:?}: {queries} queries, {keys} keys of {len}: result {i} of \
                                 query {query} is {got}, expected {expected}"
                            );
                        }
                    }
                    for parts in [2, 7] {
                        let apart = run(isa, &operands, parts);
                        assert!(
                            out.iter().zip(&apart).all(|(x, y)| x.to_bits() == y.to_bits()),
                            "{isa:?}: {queries} queries, {keys} keys in {parts} parts"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn great_scores_do_not_overflow() {
        for isa in Isa::available() {
            let k: Vec<f32> = (0..300).map(|i| i as f32).collect();
            let v: Vec<f32> = (0..300).map(|i| i as f32).collect();
            for (q, expected) in [(1000.0, 299.0), (-1000.0, 0.0)] {
                let q = [q];
                let operands = Attention {
                    q: Matrix::row_major(&q, [1, 1]),
                    k: Matrix::row_major(&k, [300, 1]),
                    v: Matrix::row_major(&v, [300, 1]),
                    mask: None,
                    scale: 1.0,
                };
                assert_eq!(run(isa, &operands, 1), [expected], "{isa:?}");
            }
        }
    }

    #[test]
    fn a_query_without_keys_and_one_with_a_nan_are_nan() {
        for isa in Isa::available() {
            let mask: Vec<f32> =
                (0..2 * 200).map(|i| if i < 200 { f32::NEG_INFINITY } else { 0.0 }).collect();
            let ones = vec![1.0; 200];
            let mut with_nan = ones.clone();
            with_nan[3] = f32::NAN;
            let operands = |k| Attention {
                q: Matrix::row_major(&[1.0, 1.0], [2, 1]),
                k: Matrix::row_major(k, [200, 1]),
                v: Matrix::row_major(&[2.0; 200], [200, 1]),
                mask: Some(Matrix::row_major(&mask, [2, 200])),
                scale: 1.0,
            };
            let out = run(isa, &operands(&ones), 1);
            assert!(out[0].is_nan() && (out[1] - 2.0).abs() < 1e-6, "{isa:?}: {out:?}");
            assert!(run(isa, &operands(&with_nan), 1)[1].is_nan(), "{isa:?}");
        }
    }
}
