//! Products with so few columns that tiles would be mostly empty: a dot product for each element.

use super::block::Finish;
use super::rows::{Heights, Ready};
use super::view::MatrixMut;
use crate::Isa;
use crate::simd::{ForEachIsa, Simd, dispatch};

/// The most columns of a C that is computed element by element.
pub(super) const NARROW: usize = 3;

/// Some rows of C, for one piece of the depth.
pub(super) struct Dots<'a, 'c> {
    /// The rows of A.
    pub(super) ready: &'a Ready<'a, f32>,
    pub(super) heights: Heights,
    /// The piece of B, column by column.
    pub(super) columns: &'a [f32],
    /// What the sums of each column start from; what C holds where there is none.
    pub(super) start: Option<[f32; NARROW]>,
    pub(super) finish: &'a Finish<'a>,
    /// Whether the sums are whole after this piece.
    pub(super) last: bool,
    /// The first row in the whole C.
    pub(super) first_row: usize,
    pub(super) c: &'a mut MatrixMut<'c, f32>,
}

impl Dots<'_, '_> {
    /// Computes the rows.
    ///
    /// # Safety
    ///
    /// The pointers in `ready` are valid for its lengths.
    pub(super) unsafe fn run(self, isa: Isa) {
        dispatch(isa, Work(self));
    }
}

/// The work of [`Dots::run`]. Only it makes one, so that its promise holds.
struct Work<'a, 'c>(Dots<'a, 'c>);

impl ForEachIsa for Work<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Work(Dots { ready, heights, columns, start, finish, last, first_row, c }) = self;
        let (n, len) = (c.columns(), ready.len);
        let depth = ready.segments * len;
        let [low, high] = if last { finish.clamp } else { Finish::NONE.clamp };
        let residual = finish.residual.filter(|_| last);
        for rows in (0..heights.tiles).map(|tile| heights.rows(tile)) {
            let table = ready.pointers_of(&rows);
            for i in 0..rows.len() {
                let to = c.row(rows.start + i);
                for j in 0..n {
                    let column = &columns[j * depth..][..depth];
                    let mut sums = s.splat(0.0);
                    for segment in 0..ready.segments {
                        let a = table[segment * rows.len() + i];
                        // SAFETY: `run`'s caller vouches for the pointers.
                        let a = unsafe { std::slice::from_raw_parts(a, len) };
                        sums = add_products(s, a, &column[segment * len..][..len], sums);
                    }
                    let mut sum = start.map_or(to[j], |start| start[j]) + s.reduce_add(sums);
                    if let Some(residual) = &residual {
                        let row = first_row + rows.start + i;
                        sum += residual.data[row * residual.row_stride + j];
                    }
                    // NaN is neither below nor above.
                    if sum < low {
                        sum = low;
                    } else if sum > high {
                        sum = high;
                    }
                    to[j] = sum;
                }
            }
        }
    }
}

/// Adds products to sums, lane by lane.
#[inline(always)]
fn add_products<S: Simd>(s: S, a: &[f32], b: &[f32], mut sums: S::F32) -> S::F32 {
    let whole = a.len() - a.len() % S::LANES;
    let (a, a_rest) = a.split_at(whole);
    let (b, b_rest) = b.split_at(whole);
    for (a, b) in a.chunks_exact(S::LANES).zip(b.chunks_exact(S::LANES)) {
        sums = s.mul_add(s.load(a), s.load(b), sums);
    }
    if a_rest.is_empty() {
        return sums;
    }
    s.mul_add(s.load_partial(a_rest), s.load_partial(b_rest), sums)
}
