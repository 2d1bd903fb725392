//! Attention of one head: `softmax(scale * Q * Kᵀ + mask) * V`, without the scores in memory.
//!
//! Queries are taken a panel at a time, one per lane, and the keys pass by in blocks. A block of
//! scores is computed transposed, a row per key: so the softmax runs down the lanes, and the
//! weights already lie as the packed panel that the product with V needs. K and V are read where
//! they lie. When a block raises a query's greatest score, what was summed before is scaled down.
//! Few queries would leave most lanes of a panel empty, and are computed one by one.

mod rows;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use rows::FEW;
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

/// Keys and values.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// A row per key.
    pub k: Matrix<'a, f32>,
    /// A row per key.
    pub v: Matrix<'a, f32>,
}

/// Where keys and values are joined: the rows of all parts, one after the other.
#[derive(Debug)]
pub struct Joined<'a> {
    /// All keys.
    pub k: &'a mut [f32],
    /// All values.
    pub v: &'a mut [f32],
    /// How they get there.
    pub way: Way,
}

/// How rows are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through the caches.
    Cached,
    /// Past them.
    Streamed,
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
    let Attention { q, k, v, .. } = operands;
    check(operands, &[Part { k: *k, v: *v }], &queries, &out);
    let tile = Tile::of(isa);
    if rows::are_few(operands) {
        return few(tile, operands, &[Part { k: *k, v: *v }], queries, out, scratch, None);
    }
    let mut scratch = Scratch::new(scratch);
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

/// The same where more keys and values follow: the mask has columns for them all. Rows of both are
/// joined on the way, if they are to be.
///
/// # Panics
///
/// As for [`attention`]; when there are more queries than [`FEW`], or elements of a row that are
/// no neighbours; and when rows to be joined are apart, or there is no place for them.
pub fn attention_joined(
    isa: Isa,
    operands: &Attention<'_>,
    next: Part<'_>,
    out: MatrixMut<'_, f32>,
    scratch: &mut [u8],
    joined: Option<Joined<'_>>,
) {
    let parts = [Part { k: operands.k, v: operands.v }, next];
    let queries = 0..operands.q.rows;
    check(operands, &parts, &queries, &out);
    assert!(rows::are_few(operands), "there are {} queries", operands.q.rows);
    for matrix in parts.iter().flat_map(|part| [&part.k, &part.v]) {
        assert_eq!(matrix.column_stride, 1, "the elements of a row are neighbours");
        assert!(joined.is_none() || matrix.row_stride == matrix.columns, "rows are neighbours");
    }
    few(Tile::of(isa), operands, &parts, queries, out, scratch, joined);
}

fn check(
    operands: &Attention<'_>,
    parts: &[Part<'_>],
    queries: &Range<usize>,
    out: &MatrixMut<'_, f32>,
) {
    let Attention { q, v, mask, .. } = operands;
    assert!(queries.start <= queries.end && queries.end <= q.rows, "{queries:?} of {}", q.rows);
    for part in parts {
        assert_eq!(q.columns, part.k.columns, "queries are as long as keys");
        assert_eq!(part.k.rows, part.v.rows, "there is a value for each key");
        assert_eq!(v.columns, part.v.columns, "values are of one length");
    }
    assert!(
        out.rows() == queries.len() && out.columns() == v.columns,
        "the result is {} x {}, expected {} x {}",
        out.rows(),
        out.columns(),
        queries.len(),
        v.columns
    );
    let keys: usize = parts.iter().map(|part| part.k.rows).sum();
    if let Some(mask) = mask {
        assert!(
            mask.rows == q.rows && mask.columns == keys,
            "the mask is {} x {}, expected {} x {keys}",
            mask.rows,
            mask.columns,
            q.rows,
        );
    }
}

/// Computes the results of few queries.
fn few(
    tile: &'static Tile,
    operands: &Attention<'_>,
    parts: &[Part<'_>],
    queries: Range<usize>,
    mut out: MatrixMut<'_, f32>,
    scratch: &mut [u8],
    joined: Option<Joined<'_>>,
) {
    let mut scratch = Scratch::new(scratch);
    let work = Rows {
        operands,
        parts,
        queries,
        query: scratch.take(operands.q.columns * tile.nr),
        scores: scratch.take(KEYS),
        sums: scratch.take(operands.v.columns * tile.nr),
        out: &mut out,
        joined,
    };
    dispatch(tile.isa, work);
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
