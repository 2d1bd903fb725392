//! Attention of one head: `softmax(scale * Q * Kᵀ + mask) * V`, without the scores in memory.
//!
//! Queries are taken a panel at a time, and the keys pass by in blocks. A block of scores is
//! computed transposed, a row per key and a query per lane: so the softmax runs down the lanes.
//! The product with V then has a row per query, which is what the result has. K and V are read
//! where they lie. When a block raises a query's greatest score, what was summed before is scaled
//! down as it is added. Few queries would leave most lanes of a panel empty, and are computed one
//! by one.

mod panels;
mod rows;
#[cfg(test)]
mod tests;
mod tiles;

use std::ops::Range;

use panels::{Panels, VECTORS};
pub use rows::FEW;
use rows::Rows;

use crate::Isa;
use crate::buffer::Scratch;
use crate::copy::Stream;
use crate::gemm::{Matrix, MatrixMut, Tile};
use crate::simd::dispatch;

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
    /// Takes them there past the caches; through the caches if there is none.
    pub stream: Option<&'a Stream>,
}

/// Keys whose scores are computed together: with a panel of queries they stay in the first-level
/// cache. Sums over keys are cut here, so it is the same number for all instruction sets.
const KEYS: usize = 128;

/// The scratch that [`attention`] takes.
pub fn scratch_bytes(isa: Isa, query_len: usize, value_len: usize) -> usize {
    let width = VECTORS * Tile::of(isa).lanes;
    Scratch::bytes_for::<f32>(query_len * width)
        + 2 * Scratch::bytes_for::<f32>(KEYS * width)
        + Scratch::bytes_for::<f32>(value_len.next_multiple_of(width) * width)
        + 2 * Scratch::bytes_for::<f32>(width)
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
    let width = VECTORS * tile.lanes;
    let mut scratch = Scratch::new(scratch);
    let panels = Panels {
        operands,
        queries,
        packed: scratch.take(q.columns * width),
        scores: scratch.take(KEYS * width),
        values: scratch.take(KEYS * width),
        sums: scratch.take(v.columns.next_multiple_of(width) * width),
        scale: scratch.take(width),
        share: scratch.take(width),
        out: &mut out,
    };
    dispatch(tile.isa, panels);
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
        query: scratch.take(operands.q.columns.next_multiple_of(tile.lanes)),
        scores: scratch.take(KEYS),
        sums: scratch.take(operands.v.columns.next_multiple_of(tile.lanes)),
        out: &mut out,
        joined,
    };
    dispatch(tile.isa, work);
}
