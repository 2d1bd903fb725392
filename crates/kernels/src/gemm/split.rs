//! Products of floats in the tile registers of AMX, which multiply bfloat16.
//!
//! A float has 24 significant bits, a bfloat16 8: so a float is the exact sum of three, each the
//! nearest to what the ones before it leave. Of the nine products of two floats' parts the six
//! greatest are added up, in f32; the other three together are less than 2^-24 of the float's
//! product. Parts below 2^-126 count as zero. Rows and panels with numbers that have no parts
//! (infinities, NaN, and what rounds to such) are multiplied in vectors.
//!
//! A register's row holds pairs of elements along k: here those that are [`SIDE`] apart, so that
//! vectors of A, and rows of B, become pairs without being shuffled.

use std::ops::Range;

use super::block::{Edge, Finish, Pass, Start};
use super::registers::Shaped;
use super::rows::{Heights, Ready};
use super::view::MatrixMut;
use crate::Isa;
use crate::amx::{REGISTERS, ROW, SIDE, load_a, multiply_b, start_zero, store_sums, width};
use crate::buffer::Scratch;
use crate::simd::{ForEachIsa, Simd, dispatch};

/// The most rows of a tile.
pub(super) const MR: usize = 2 * SIDE;
/// The columns of a panel.
const NR: usize = 2 * SIDE;
/// The elements of k that one instruction multiplies.
const STEP: usize = 2 * SIDE;
/// The parts of a float.
const PARTS: usize = 3;
/// At least the elements of a piece of k.
const LINE: usize = 512;

/// A block of A and a panel of B in parts.
pub(super) struct Split<'s> {
    /// For each row, for each step of k, for each part: a row of a register.
    a: &'s mut [i32],
    /// From one row to the next.
    stride: usize,
    /// For each step of k, for each part: the rows of a register, or of two, side by side.
    b: &'s mut [i32],
    /// Whether all elements of a row of A have parts.
    has_parts: &'s mut [u8],
    /// The table of one row.
    row: &'s mut [*const f32],
    shaped: Shaped,
}

/// The words of a row of A: an odd number of cache lines, so that rows do not fall on the same ones.
fn row_words(elements: usize) -> usize {
    ((elements.div_ceil(STEP) * PARTS) | 1) * SIDE
}

/// The words of a panel of B.
fn panel_words(elements: usize) -> usize {
    elements.div_ceil(STEP) * PARTS * SIDE * NR
}

/// The scratch that products in parts take beside [`gemm`](super::gemm)'s.
pub fn scratch_bytes(depth: super::Depth, rows: usize) -> usize {
    let (rows, longest) = (rows.min(super::block::MC), super::block::longest(depth));
    Scratch::bytes_for::<i32>(rows * row_words(longest))
        + Scratch::bytes_for::<i32>(panel_words(longest))
        + Scratch::bytes_for::<u8>(rows)
        + Scratch::bytes_for::<*const f32>(longest.max(1))
}

impl<'s> Split<'s> {
    /// Room for blocks of `rows` rows, and pieces of up to `longest` elements.
    ///
    /// # Panics
    ///
    /// Where there are no registers.
    pub(super) fn take(scratch: &mut Scratch<'s>, rows: usize, longest: usize) -> Self {
        assert!(Isa::AmxBf16.is_available(), "the machine has the registers");
        assert!(longest <= LINE, "pieces have at most {LINE} elements: {longest}");
        Self {
            a: scratch.take(rows * row_words(longest)),
            stride: row_words(longest),
            b: scratch.take(panel_words(longest)),
            has_parts: scratch.take(rows),
            row: scratch.take(longest.max(1)),
            // SAFETY: the machine has the registers.
            shaped: unsafe { Shaped::new(&REGISTERS) },
        }
    }

    /// Cuts one piece of the rows of A into parts.
    pub(super) fn rows(&mut self, ready: &Ready<'_, f32>, heights: Heights) {
        let (to, stride, has_parts) = (&mut *self.a, self.stride, &mut *self.has_parts);
        dispatch(Isa::Avx512, Left { ready, heights, to, stride, has_parts });
    }

    /// Computes some columns, at most those of a panel, of all rows of a pass.
    pub(super) fn panel(
        &mut self,
        pass: &Pass<'_>,
        c: &mut MatrixMut<'_, f32>,
        columns: Range<usize>,
        edges: &mut [Edge; 2],
        floats: &mut [f32],
    ) {
        /// Aligned so that no store crosses a cache line.
        #[repr(align(64))]
        struct Sums([f32; MR * NR]);

        let width = columns.len().next_multiple_of(SIDE);
        let elements = pass.piece.len();
        let (panel, _) = pass.packed(&columns, width, floats);
        let right = Right { panel: &panel[..elements * width], width, to: self.b };
        let has_parts = dispatch(Isa::Avx512, right);
        let steps = elements.div_ceil(STEP);
        let inside = columns.start - pass.columns.start..columns.end - pass.columns.start;
        let finish = pass.finish();
        let mut sums = Sums([0.0; MR * NR]);
        for rows in (0..pass.heights.tiles).map(|i| pass.heights.rows(i)) {
            self.shaped.shape(rows.len());
            let call = Call {
                a: self.a[rows.start * self.stride..].as_ptr().cast(),
                stride: 4 * self.stride,
                b: self.b.as_ptr().cast(),
                steps,
                sums: sums.0.as_mut_ptr().cast(),
            };
            let run = match (rows.len() > SIDE, width > SIDE) {
                (false, false) => run::<false, false>,
                (false, true) => run::<false, true>,
                (true, false) => run::<true, false>,
                (true, true) => run::<true, true>,
            };
            // SAFETY: the registers are there and shaped for these rows, whose parts `self.a`
            // holds; `self.b` holds those of the panel.
            unsafe { run(&call) };
            for (row, sums) in rows.clone().zip(sums.0.chunks_exact(width)) {
                if has_parts && self.has_parts[row] != 0 {
                    let c = &mut c.row(row)[inside.clone()];
                    let at = [pass.rows.start + row, columns.start];
                    dispatch(Isa::Avx512, Finished { finish: &finish, sums, at, c });
                } else {
                    let pointers = pass.ready.pointers_of(&rows);
                    let table = pointers[row - rows.start..].iter().step_by(rows.len());
                    self.row.iter_mut().zip(table).for_each(|(to, from)| *to = *from);
                    let all = c.columns();
                    pass.of_row(row, self.row).panel(
                        &mut c.part(row..row + 1, 0..all),
                        columns.clone(),
                        edges,
                        floats,
                    );
                }
            }
        }
    }
}

impl Pass<'_> {
    /// What happens to the sums of this piece.
    fn finish(&self) -> Finish<'_> {
        let start = match self.finish.start {
            start @ (Start::Zero | Start::Columns(_)) if self.first => start,
            // Values per row have been written before.
            Start::Zero | Start::Columns(_) | Start::Rows(_) | Start::Accumulate => {
                Start::Accumulate
            }
        };
        let sums = Finish { start, ..Finish::NONE };
        let Finish { residual, clamp, .. } = *self.finish;
        if self.last { Finish { residual, clamp, ..sums } } else { sums }
    }

    /// The same pass of one row of the block, which has this table.
    fn of_row<'s>(&'s self, row: usize, pointers: &'s [*const f32]) -> Pass<'s> {
        let Ready { segments, len, .. } = self.ready;
        Pass {
            b: self.b,
            piece: self.piece.clone(),
            ready: Ready { pointers, segments, len },
            rows: self.rows.start + row..self.rows.start + row + 1,
            columns: self.columns.clone(),
            heights: Heights::new(1, 1),
            finish: self.finish,
            first: self.first,
            last: self.last,
        }
    }
}

/// The parts of a vector of floats, and whether they are numbers.
struct Parts<S: Simd> {
    parts: [S::I32; PARTS],
    /// Zero, or NaN.
    check: S::F32,
}

/// The nearest bfloat16, as a float.
#[inline(always)]
fn nearest<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let up = s.add_i32(s.to_bits(x), s.splat_i32(0x8000));
    s.with_bits(s.and_i32(up, s.splat_i32(!0xffff)))
}

#[inline(always)]
fn parts<S: Simd>(s: S, x: S::F32) -> Parts<S> {
    let first = nearest(s, x);
    let rest = s.sub(x, first);
    let second = nearest(s, rest);
    let third = s.sub(rest, second);
    // Zero times what is no number is none.
    let check = s.mul_add(x, s.splat(0.0), s.mul(first, s.splat(0.0)));
    Parts {
        parts: [first, second, third].map(
            #[inline(always)]
            |x| s.to_bits(x),
        ),
        check,
    }
}

/// Pairs of elements, the first in the lower half: parts that are bfloat16 have their bits in the
/// upper one.
#[inline(always)]
fn pairs<S: Simd>(s: S, [low, high]: [S::I32; 2]) -> S::I32 {
    let low = s.and_i32(s.shr_i32::<16>(low), s.splat_i32(0xffff));
    s.or_i32(low, s.and_i32(high, s.splat_i32(!0xffff)))
}

/// The work of [`Split::rows`].
struct Left<'a> {
    ready: &'a Ready<'a, f32>,
    heights: Heights,
    to: &'a mut [i32],
    stride: usize,
    has_parts: &'a mut [u8],
}

impl ForEachIsa for Left<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        assert_eq!(S::LANES, SIDE, "a vector is a row of a register");
        let Ready { segments, len, .. } = *self.ready;
        let steps = (segments * len).div_ceil(STEP);
        let mut line = [0.0; LINE];
        for tile in (0..self.heights.tiles).map(|i| self.heights.rows(i)) {
            let table = self.ready.pointers_of(&tile);
            for row in tile.clone() {
                for segment in 0..segments {
                    let from = table[segment * tile.len() + row - tile.start];
                    // SAFETY: `ready` has pointers to `len` elements each.
                    let from = unsafe { std::slice::from_raw_parts(from, len) };
                    line[segment * len..][..len].copy_from_slice(from);
                }
                let to = self.to[row * self.stride..].chunks_exact_mut(PARTS * SIDE);
                let mut check = s.splat(0.0);
                for (from, to) in line.chunks_exact(STEP).take(steps).zip(to) {
                    let low = parts(s, s.load(from));
                    let high = parts(s, s.load(&from[SIDE..]));
                    check = s.add(check, s.add(low.check, high.check));
                    for part in 0..PARTS {
                        let pairs = pairs(s, [low.parts[part], high.parts[part]]);
                        s.store_i32(pairs, &mut to[part * SIDE..]);
                    }
                }
                self.has_parts[row] = u8::from(!s.reduce_add(check).is_nan());
            }
        }
    }
}

/// Cuts a panel of rows of `width` floats into parts; gives whether all have some.
struct Right<'a> {
    panel: &'a [f32],
    width: usize,
    to: &'a mut [i32],
}

impl ForEachIsa for Right<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> bool {
        let Right { panel, width, to } = self;
        let mut check = s.splat(0.0);
        let steps = panel.chunks(STEP * width).zip(to.chunks_exact_mut(PARTS * SIDE * width));
        for (panel, to) in steps {
            // Beyond the last k there are zeros.
            let row = |at: usize| {
                if at < panel.len() { s.load(&panel[at..]) } else { s.splat(0.0) }
            };
            for k in 0..SIDE {
                for at in (0..width).step_by(SIDE) {
                    let [low, high] = [k, k + SIDE].map(|k| parts(s, row(k * width + at)));
                    check = s.add(check, s.add(low.check, high.check));
                    for part in 0..PARTS {
                        let pairs = pairs(s, [low.parts[part], high.parts[part]]);
                        s.store_i32(pairs, &mut to[(part * SIDE + k) * width + at..]);
                    }
                }
            }
        }
        !s.reduce_add(check).is_nan()
    }
}

/// Finishes a row of sums.
struct Finished<'a> {
    finish: &'a Finish<'a>,
    sums: &'a [f32],
    at: [usize; 2],
    c: &'a mut [f32],
}

impl ForEachIsa for Finished<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [row, column] = self.at;
        for (i, c) in self.c.chunks_mut(S::LANES).enumerate() {
            let at = i * S::LANES;
            self.finish.vector(s, s.load(&self.sums[at..]), [row, column + at], c);
        }
    }
}

/// What a tile computes from.
struct Call {
    a: *const u8,
    /// The bytes from one row of A to the next.
    stride: usize,
    b: *const u8,
    steps: usize,
    sums: *mut u8,
}

/// Computes more rows than a register has if `TALL`, and more columns if `WIDE`.
///
/// # Safety
///
/// The machine has the registers, shaped for the rows; `a` and `b` have all parts of all steps, and
/// `sums` room for the sums of all rows.
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "each instruction is one")]
unsafe fn run<const TALL: bool, const WIDE: bool>(call: &Call) {
    let part = |step: usize, part: usize| step * PARTS + part;
    // SAFETY: as the caller vouches.
    unsafe {
        start_zero::<TALL, WIDE>();
        for step in 0..call.steps {
            for left in 0..PARTS {
                load_a::<TALL>(call.a.wrapping_add(part(step, left) * ROW), call.stride);
                for right in 0..PARTS - left {
                    let at = part(step, right) * SIDE * width(WIDE);
                    multiply_b!("tdpbf16ps", call.b.wrapping_add(at));
                }
            }
        }
        store_sums::<TALL, WIDE>(call.sums);
    }
}
