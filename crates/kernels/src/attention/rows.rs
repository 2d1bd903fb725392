//! Attention of few queries, each by itself: keys and values pass by in rows, as they lie.

use std::ops::Range;

use super::{Attention, Joined, KEYS, Part};
use crate::copy::Stream;
use crate::float::{load_up_to, store_up_to};
use crate::gemm::tile::{LINE, prefetch};
use crate::gemm::{Matrix, MatrixMut};
use crate::map::math::exp_weight;
use crate::simd::{ForEachIsa, MAX_LANES, Simd};

/// The most queries: more fill a panel well enough.
pub const FEW: usize = 4;

/// Vectors of a value that are summed in registers.
const VECTORS: usize = 4;

/// Whether the operands are taken: whichever queries are asked for, so that it does not show.
pub(super) fn are_few(operands: &Attention<'_>) -> bool {
    let Attention { q, k, v, .. } = operands;
    q.rows <= FEW && k.column_stride == 1 && v.column_stride == 1
}

/// The work for some queries; `out` has a row for each. The rest is working memory: a query, the
/// scores of a block of keys, and a value, each rounded up to whole vectors.
pub(super) struct Rows<'a, 'b, 'c> {
    pub(super) operands: &'a Attention<'a>,
    /// All keys and values: what `operands` has of them, and more.
    pub(super) parts: &'a [Part<'a>],
    pub(super) queries: Range<usize>,
    pub(super) query: &'a mut [f32],
    pub(super) scores: &'a mut [f32],
    pub(super) sums: &'a mut [f32],
    pub(super) out: &'b mut MatrixMut<'c, f32>,
    pub(super) joined: Option<Joined<'a>>,
}

impl ForEachIsa for Rows<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Rows { operands, parts, queries, query, scores, sums, out, mut joined } = self;
        let Attention { q, v, mask, scale, .. } = *operands;
        let query = &mut query[..q.columns.next_multiple_of(S::LANES)];
        let sums = &mut sums[..v.columns.next_multiple_of(S::LANES)];
        for (i, row) in queries.enumerate() {
            query.fill(0.0);
            for (d, x) in query[..q.columns].iter_mut().enumerate() {
                *x = q.data[row * q.row_stride + d * q.column_stride] * scale;
            }
            sums.fill(0.0);
            // Not infinity: where all scores so far are minus infinity, differences stay defined.
            let mut greatest = f32::MIN;
            let mut total = s.splat(0.0);
            let mut before_part = 0;
            for part in parts {
                for from in (0..part.k.rows).step_by(KEYS) {
                    let keys = from..part.k.rows.min(from + KEYS);
                    let scores = &mut scores[..keys.len().next_multiple_of(S::LANES)];
                    for (keys, scores) in
                        groups::<S>(keys.clone()).zip(scores.chunks_exact_mut(S::LANES))
                    {
                        let to = joined
                            .as_mut()
                            .and_then(|joined| joined.keys::<S>(part.k, keys.clone()));
                        s.store(score(s, query, part.k, keys, to), scores);
                    }
                    if let Some(mask) = mask {
                        let column = before_part + keys.start;
                        let start = row * mask.row_stride + column * mask.column_stride;
                        for (j, score) in scores[..keys.len()].iter_mut().enumerate() {
                            *score += mask.data[start + j * mask.column_stride];
                        }
                    }
                    scores[keys.len()..].fill(f32::NEG_INFINITY);
                    greatest = weigh(s, scores, greatest, &mut total, sums);
                    for (keys, scores) in groups::<S>(keys).zip(scores.chunks_exact(S::LANES)) {
                        let to = joined
                            .as_mut()
                            .and_then(|joined| joined.values::<S>(part.v, keys.clone()));
                        let scores = &scores[..keys.len()];
                        add_values(s, scores, part.v, keys.start, sums, to);
                    }
                }
                before_part += part.k.rows;
            }
            // The first query has joined all.
            joined = None;
            let share = s.splat(1.0 / s.reduce_add(total));
            let sums = sums.chunks_exact(S::LANES);
            for (sums, out) in sums.zip(out.row(i).chunks_mut(S::LANES)) {
                store_up_to(s, s.mul(s.load(sums), share), out);
            }
        }
    }
}

impl<'a> Joined<'a> {
    /// Gives the room of the next keys, if whoever computes with them is to write them there; copies
    /// them if not.
    #[inline(always)]
    fn keys<S: Simd>(&mut self, k: Matrix<'_, f32>, keys: Range<usize>) -> Option<&'a mut [f32]> {
        next::<S>(&mut self.k, k, keys, self.stream)
    }

    /// The same for values.
    #[inline(always)]
    fn values<S: Simd>(&mut self, v: Matrix<'_, f32>, keys: Range<usize>) -> Option<&'a mut [f32]> {
        next::<S>(&mut self.v, v, keys, self.stream)
    }
}

/// The front of the rest, which loses it, where it is to be written vector by vector: so that memory
/// takes some while others are computed with. Otherwise copies the rows there.
#[inline(always)]
fn next<'a, S: Simd>(
    rest: &mut &'a mut [f32],
    matrix: Matrix<'_, f32>,
    rows: Range<usize>,
    stream: Option<&Stream>,
) -> Option<&'a mut [f32]> {
    let is_whole = rows.len() == S::LANES && matrix.columns.is_multiple_of(VECTORS * S::LANES);
    if stream.is_none() || !is_whole {
        copy(rest, matrix, rows, stream);
        return None;
    }
    let (to, after) = std::mem::take(rest).split_at_mut(rows.len() * matrix.columns);
    *rest = after;
    Some(to)
}

/// Copies some rows to the front of the rest, which loses it.
#[inline(always)]
fn copy(
    rest: &mut &mut [f32],
    matrix: Matrix<'_, f32>,
    rows: Range<usize>,
    stream: Option<&Stream>,
) {
    let from = &matrix.data[rows.start * matrix.columns..rows.end * matrix.columns];
    let (to, after) = std::mem::take(rest).split_at_mut(from.len());
    *rest = after;
    match stream {
        Some(stream) => stream.copy(from, to),
        None => {
            to.copy_from_slice(from);
            // What comes next arrives while these are computed with.
            for line in (0..from.len()).step_by(LINE) {
                prefetch(from.as_ptr().wrapping_add(from.len() + line));
            }
        }
    }
}

/// Keys in groups of as many as there are lanes: copied and computed with in short turns, so that
/// the memory is never long without a request.
fn groups<S: Simd>(keys: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = keys.end;
    keys.step_by(S::LANES).map(move |first| first..end.min(first + S::LANES))
}

/// The products of a query with at most as many keys as there are lanes, which are also written to
/// their [next] place, if there is one.
#[inline(always)]
fn score<S: Simd>(
    s: S,
    query: &[f32],
    k: Matrix<'_, f32>,
    keys: Range<usize>,
    mut to: Option<&mut [f32]>,
) -> S::F32 {
    let mut sums = [s.splat(0.0); MAX_LANES];
    for (i, (sum, key)) in sums.iter_mut().zip(keys).enumerate() {
        let key = &k.data[key * k.row_stride..][..k.columns];
        let vectors = key.chunks(S::LANES).zip(query.chunks_exact(S::LANES));
        let mut total = s.splat(0.0);
        for (at, (key, query)) in (i * k.columns..).step_by(S::LANES).zip(vectors) {
            total = s.mul_add(vector(s, key, at, &mut to), s.load(query), total);
        }
        *sum = total;
    }
    sums_across(s, sums)
}

/// At most a vector of elements; a whole one, which is also written past the caches to its place, while
/// another one further on is asked for, where there is one.
#[inline(always)]
fn vector<S: Simd>(s: S, from: &[f32], at: usize, to: &mut Option<&mut [f32]>) -> S::F32 {
    /// How far on, in elements.
    const AHEAD: usize = 32 * LINE;
    let Some(to) = to else { return load_up_to(s, from) };
    prefetch(from.as_ptr().wrapping_add(AHEAD));
    let vector = s.load(from);
    s.stream(vector, &mut to[at..]);
    vector
}

/// For each vector the sum of its lanes.
#[inline(always)]
fn sums_across<S: Simd>(s: S, mut vectors: [S::F32; MAX_LANES]) -> S::F32 {
    let mut half = S::LANES / 2;
    while half > 0 {
        for i in 0..half {
            let (a, b) = s.zip(vectors[i], vectors[i + half]);
            vectors[i] = s.add(a, b);
        }
        half /= 2;
    }
    vectors[0]
}

/// Turns scores into weights relative to the greatest score so far, which it gives, adds them to
/// the total, and scales down what was summed before.
#[inline(always)]
fn weigh<S: Simd>(
    s: S,
    scores: &mut [f32],
    before: f32,
    total: &mut S::F32,
    sums: &mut [f32],
) -> f32 {
    let mut most = s.splat(before);
    for scores in scores.chunks_exact(S::LANES) {
        most = s.max_number(most, s.load(scores));
    }
    let greatest = s.reduce_max(most);
    let splat = s.splat(greatest);
    let scale = exp_weight(s, s.sub(s.splat(before), splat));
    *total = s.mul(*total, scale);
    for scores in scores.chunks_exact_mut(S::LANES) {
        let weight = exp_weight(s, s.sub(s.load(scores), splat));
        s.store(weight, scores);
        *total = s.add(*total, weight);
    }
    if before != greatest {
        for sums in sums.chunks_exact_mut(S::LANES) {
            s.store(s.mul(s.load(sums), scale), sums);
        }
    }
    greatest
}

/// Adds the values from a key on, each as often as its weight says; they are also written to their
/// [next] place, if there is one.
#[inline(always)]
fn add_values<S: Simd>(
    s: S,
    weights: &[f32],
    v: Matrix<'_, f32>,
    first: usize,
    sums: &mut [f32],
    mut to: Option<&mut [f32]>,
) {
    let row = |i: usize, at: usize, len: usize| &v.data[(first + i) * v.row_stride + at..][..len];
    let whole = v.columns - v.columns % (VECTORS * S::LANES);
    let (blocks, rest) = sums.split_at_mut(whole);
    for (block, sums) in blocks.chunks_exact_mut(VECTORS * S::LANES).enumerate() {
        let at = block * VECTORS * S::LANES;
        let mut vectors = [s.splat(0.0); VECTORS];
        for (vector, sums) in vectors.iter_mut().zip(sums.chunks_exact(S::LANES)) {
            *vector = s.load(sums);
        }
        for (i, &weight) in weights.iter().enumerate() {
            let (weight, value) = (s.splat(weight), row(i, at, VECTORS * S::LANES));
            let places = (i * v.columns + at..).step_by(S::LANES);
            let values = places.zip(value.chunks_exact(S::LANES));
            for (sum, (at, value)) in vectors.iter_mut().zip(values) {
                *sum = s.mul_add(weight, vector(s, value, at, &mut to), *sum);
            }
        }
        for (&vector, sums) in vectors.iter().zip(sums.chunks_exact_mut(S::LANES)) {
            s.store(vector, sums);
        }
    }
    for (at, sums) in (whole..v.columns).step_by(S::LANES).zip(rest.chunks_exact_mut(S::LANES)) {
        let len = S::LANES.min(v.columns - at);
        let mut vector = s.load(sums);
        for (i, &weight) in weights.iter().enumerate() {
            vector = s.mul_add(s.splat(weight), load_up_to(s, row(i, at, len)), vector);
        }
        s.store(vector, sums);
    }
}
