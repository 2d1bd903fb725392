//! Products of few rows with a quantized B, which are bound by the memory that B comes from.
//!
//! B is read once, from front to back. Its elements become floats in the registers, exactly and less
//! their zero points, and are multiplied as such; a block's sums are multiplied by its scales.

use std::ops::Range;

use super::block::{Block, Finish, POST_COLUMNS};
use super::quantized::{Fields, PackedQuantized, Strip, StripZeros};
use super::tile::prefetch;
use super::view::{Matrix, MatrixMut};
use crate::simd::{ForEachIsa, Simd, dispatch};

/// The most rows of A that are few.
const FEW: usize = 4;

/// Whether a product is computed here. That depends on the whole of A, and the sums of an element not
/// on how many rows pass together: so bits do not depend on how C is cut into blocks.
pub(super) fn are_few(a: &Matrix<'_, f32>) -> bool {
    a.rows <= FEW && (a.column_stride == 1 || a.columns <= 1)
}

/// Computes a block of C, which is `c`, as [`super::gemm`] does; the rows of A [are few](are_few).
pub(super) fn product(
    a: &Matrix<'_, f32>,
    b: &PackedQuantized,
    c: &mut MatrixMut<'_, f32>,
    block: &Block,
    finish: &Finish<'_>,
) {
    dispatch(b.tile.isa, Product { a, b, c, block, finish });
}

struct Product<'a, 'c> {
    a: &'a Matrix<'a, f32>,
    b: &'a PackedQuantized,
    c: &'a mut MatrixMut<'c, f32>,
    block: &'a Block,
    finish: &'a Finish<'a>,
}

impl ForEachIsa for Product<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Block { rows, columns } = self.block;
        let mut finished = columns.start;
        for at in columns.clone().step_by(2 * S::LANES) {
            let end = columns.end.min(at + 2 * S::LANES);
            let mut first = rows.start;
            while first < rows.end {
                first += self.rows::<S>(s, first, at..end);
            }
            if let Some(post) = self.finish.post
                && (end - finished >= POST_COLUMNS || end == columns.end)
            {
                let base = columns.start;
                let mut done = self.c.part(0..rows.len(), finished - base..end - base);
                post(rows.clone(), finished..end, &mut done);
                finished = end;
            }
        }
    }
}

impl Product<'_, '_> {
    /// Computes some rows, from `row` on, of one or two strips of columns; gives how many. As many
    /// sums are made at a time as there are registers for.
    #[inline(always)]
    fn rows<S: Simd>(&mut self, s: S, row: usize, columns: Range<usize>) -> usize {
        let has_many = S::ISA.has_many_registers();
        let left = self.block.rows.end - row;
        if left == 1 && columns.len() > S::LANES && !has_many {
            self.strips::<S, 1, 2>(s, row, columns.start);
            return 1;
        }
        for at in columns.step_by(S::LANES) {
            match left {
                1 => self.strips::<S, 1, 1>(s, row, at),
                FEW if !has_many => self.strips::<S, FEW, 1>(s, row, at),
                _more => self.strips::<S, 2, 1>(s, row, at),
            }
        }
        match left {
            FEW if !has_many => FEW,
            _fewer => left.min(2),
        }
    }

    /// Computes some rows of some strips, from `[row, column]` on.
    #[inline(always)]
    fn strips<S: Simd, const MR: usize, const NS: usize>(
        &mut self,
        s: S,
        row: usize,
        column: usize,
    ) {
        let mut a: [&[f32]; MR] = [&[]; MR];
        for (i, a) in a.iter_mut().enumerate() {
            *a = &self.a.data[(row + i) * self.a.row_stride..][..self.b.k];
        }
        let mut strips = [self.b.strip(column); NS];
        for (i, strip) in strips.iter_mut().enumerate().skip(1) {
            *strip = self.b.strip(column + i * S::LANES);
        }
        let sums = if self.b.bits.count() == 4 {
            sums::<S, MR, NS, 4>(s, a, strips, self.b.block)
        } else {
            sums::<S, MR, NS, 8>(s, a, strips, self.b.block)
        };
        let Block { rows, columns } = self.block;
        for (j, sums) in sums.into_iter().enumerate() {
            let from = column + j * S::LANES;
            let to = from..columns.end.min(from + S::LANES);
            for (row, sum) in (row..).zip(sums) {
                let c = self.c.row(row - rows.start);
                let c = &mut c[to.start - columns.start..to.end - columns.start];
                self.finish.vector(s, sum, [row, from], c);
            }
        }
    }
}

/// The sums of all products, for each strip and row.
#[inline(always)]
fn sums<S: Simd, const MR: usize, const NS: usize, const BITS: usize>(
    s: S,
    a: [&[f32]; MR],
    strips: [Strip<'_>; NS],
    block: usize,
) -> [[S::F32; MR]; NS] {
    // One zero point for all is a constant of the loop.
    match strips[0].zeros {
        StripZeros::One(_) => blocks::<S, MR, NS, BITS, false>(s, a, strips, block),
        StripZeros::Each(_) => blocks::<S, MR, NS, BITS, true>(s, a, strips, block),
    }
}

/// A vector for each place, or for each of a row's sums; not all instruction sets use all four.
type Places<T> = [T; 4];

/// What is subtracted from fields: what they have been added to, and the zero points.
#[inline(always)]
fn less<S: Simd, const BITS: usize>(s: S, zeros: S::F32) -> Places<S::F32> {
    let mut offsets = [zeros; 4];
    for (place, zeros) in offsets.iter_mut().take(Fields::<S, BITS>::PLACES).enumerate() {
        let weight = s.splat(Fields::<S, BITS>::weight(place));
        *zeros = s.mul_add(*zeros, weight, s.splat(Fields::<S, BITS>::OFFSET));
    }
    offsets
}

/// The same where a strip has one zero point for all its columns and blocks, or one for `EACH`.
#[inline(always)]
fn blocks<S: Simd, const MR: usize, const NS: usize, const BITS: usize, const EACH: bool>(
    s: S,
    a: [&[f32]; MR],
    strips: [Strip<'_>; NS],
    block: usize,
) -> [[S::F32; MR]; NS] {
    let k = a[0].len();
    let mut totals = [[s.splat(0.0); MR]; NS];
    let mut offsets = [[s.splat(0.0); 4]; NS];
    if let StripZeros::One(zero) = strips[0].zeros {
        offsets = [less::<S, BITS>(s, s.splat(f32::from(zero))); NS];
    }
    let block_words = block.div_ceil(32 / BITS) * S::LANES;
    for index in 0..k.div_ceil(block) {
        let (start, end) = (index * block, k.min((index + 1) * block));
        for (offsets, strip) in offsets.iter_mut().zip(&strips) {
            if let StripZeros::Each(zeros) = strip.zeros
                && EACH
            {
                let zeros = s.load_u8(&zeros[index * S::LANES..]);
                *offsets = less::<S, BITS>(s, s.to_f32(zeros));
            }
        }
        let mut sums = [[[s.splat(0.0); 4]; MR]; NS];
        let mut words: [&[i32]; NS] = [&[]; NS];
        for (words, strip) in words.iter_mut().zip(&strips) {
            *words = &strip.data[index * block_words..];
        }
        let mut whole: [&[[f32; STEP]]; MR] = [&[]; MR];
        let mut rest: [&[f32]; MR] = [&[]; MR];
        for (a, (whole, rest)) in a.iter().zip(whole.iter_mut().zip(&mut rest)) {
            (*whole, *rest) = a[start..end].as_chunks();
        }
        for i in 0..whole[0].len() {
            let mut a = [&[0.0; STEP]; MR];
            for (a, whole) in a.iter_mut().zip(whole) {
                *a = &whole[i];
            }
            let mut step = words;
            for (step, words) in step.iter_mut().zip(&mut words) {
                (*step, *words) = words.split_at(STEP / (32 / BITS) * S::LANES);
            }
            add::<S, MR, NS, BITS>(s, a, step, &offsets, &mut sums);
        }
        if !rest[0].is_empty() {
            add_rest::<S, MR, NS, BITS>(s, rest, words, &offsets, &mut sums);
        }
        for ((totals, sums), strip) in totals.iter_mut().zip(&sums).zip(&strips) {
            let scale = s.load(&strip.scales[index * S::LANES..]);
            for (total, sums) in totals.iter_mut().zip(sums) {
                *total = s.mul_add(in_ones::<S, BITS>(s, sums), scale, *total);
            }
        }
    }
    totals
}

/// How many sums a row has: as many as there are places, or more, so that they do not wait for each
/// other.
const fn sums_per_row<S: Simd>() -> usize {
    if S::ISA.has_many_registers() { 4 } else { 2 }
}

/// The sum of a row's sums, each of which counts in its place's weight.
#[inline(always)]
fn in_ones<S: Simd, const BITS: usize>(s: S, &[a, b, c, d]: &Places<S::F32>) -> S::F32 {
    // The weights of neighbours are so far apart.
    let place = s.splat((1 << BITS) as f32);
    let lower = s.mul_add(a, place, b);
    if sums_per_row::<S>() == 2 {
        return lower;
    }
    let upper = s.mul_add(c, place, d);
    match Fields::<S, BITS>::PLACES {
        2 => s.add(lower, upper),
        _four => s.mul_add(lower, s.mul(place, place), upper),
    }
}

/// The rows of B that are multiplied at a time: those of one or two words.
const STEP: usize = 8;

/// Adds the products of some rows. Sums are of one place, and of products times its weight.
#[inline(always)]
fn add<S: Simd, const MR: usize, const NS: usize, const BITS: usize>(
    s: S,
    a: [&[f32; STEP]; MR],
    words: [&[i32]; NS],
    offsets: &[Places<S::F32>; NS],
    sums: &mut [[Places<S::F32>; MR]; NS],
) {
    let places = Fields::<S, BITS>::PLACES;
    let mut columns = [s.splat_i32(0); NS];
    for i in (0..STEP).step_by(places) {
        for (column, words) in columns.iter_mut().zip(words) {
            if i % (32 / BITS) == 0 {
                let words = &words[i / (32 / BITS) * S::LANES..];
                prefetch(words.as_ptr().wrapping_add(AHEAD));
                *column = s.load_i32(words);
            } else {
                *column = Fields::<S, BITS>::shift(s, *column);
            }
        }
        let mut first = columns;
        for first in &mut first {
            *first = Fields::<S, BITS>::first(s, *first);
        }
        for place in 0..places {
            for ((first, offsets), sums) in first.iter().zip(offsets).zip(sums.iter_mut()) {
                let factor = s.sub(Fields::<S, BITS>::at(s, *first, place), offsets[place]);
                for (sums, a) in sums.iter_mut().zip(a) {
                    let sum = &mut sums[(i + place) % sums_per_row::<S>()];
                    *sum = s.mul_add(s.splat(a[i + place]), factor, *sum);
                }
            }
        }
    }
}

/// Adds the products of the rows of a block that are left, one by one.
#[inline(always)]
fn add_rest<S: Simd, const MR: usize, const NS: usize, const BITS: usize>(
    s: S,
    a: [&[f32]; MR],
    words: [&[i32]; NS],
    offsets: &[Places<S::F32>; NS],
    sums: &mut [[Places<S::F32>; MR]; NS],
) {
    let last = Fields::<S, BITS>::PLACES - 1;
    for i in 0..a[0].len() {
        for ((words, offsets), sums) in words.iter().zip(offsets).zip(sums.iter_mut()) {
            let words = &words[i / (32 / BITS) * S::LANES..];
            let factor = Fields::<S, BITS>::one(s, words, i % (32 / BITS));
            let factor = s.sub(factor, offsets[last]);
            for (sums, a) in sums.iter_mut().zip(a) {
                sums[last] = s.mul_add(s.splat(a[i]), factor, sums[last]);
            }
        }
    }
}

/// How far ahead of its use a line is asked for, in words.
const AHEAD: usize = 1024;
