//! What threads fill together: cut into parts, each of which is handed out once.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::threads::{MAX_THREADS, share};

/// What can be cut into parts that threads use at the same time.
pub(crate) trait Split {
    /// A part.
    type Part<'s>
    where
        Self: 's;

    /// A part; `part` is less than the number of parts.
    ///
    /// # Safety
    ///
    /// Each part is asked for once, and nothing else is done with what is split.
    unsafe fn part(&self, part: usize) -> Self::Part<'_>;
}

impl<A: Split, B: Split> Split for (A, B) {
    type Part<'s>
        = (A::Part<'s>, B::Part<'s>)
    where
        Self: 's;

    unsafe fn part(&self, part: usize) -> Self::Part<'_> {
        // SAFETY: the caller vouches for it.
        let a = unsafe { self.0.part(part) };
        // SAFETY: as above.
        (a, unsafe { self.1.part(part) })
    }
}

impl<A: Split, const N: usize> Split for [A; N] {
    type Part<'s>
        = [A::Part<'s>; N]
    where
        Self: 's;

    unsafe fn part(&self, part: usize) -> Self::Part<'_> {
        // SAFETY: the caller vouches for it.
        self.each_ref().map(|all| unsafe { all.part(part) })
    }
}

/// Hands out each part once, to whichever thread asks for it.
pub(crate) struct Once<S> {
    all: S,
    parts: usize,
    taken: AtomicU64,
}

impl<S: Split> Once<S> {
    /// # Panics
    ///
    /// When there are more parts than [`MAX_THREADS`].
    pub(crate) fn new(all: S, parts: usize) -> Once<S> {
        assert!(parts <= MAX_THREADS, "{parts} parts, expected at most {MAX_THREADS}");
        Once { all, parts, taken: AtomicU64::new(0) }
    }

    /// One part.
    ///
    /// # Panics
    ///
    /// When there is no such part, or it has been taken before.
    pub(crate) fn take(&self, part: usize) -> S::Part<'_> {
        assert!(part < self.parts, "part {part} of {}", self.parts);
        let before = self.taken.fetch_or(1 << part, Ordering::Relaxed);
        assert!(before & (1 << part) == 0, "part {part} is taken twice");
        // SAFETY: it has not been asked for before, and only here is anything done with it.
        unsafe { self.all.part(part) }
    }

    /// Hands out parts of both together: one request passes between the threads instead of two.
    ///
    /// # Panics
    ///
    /// When a part has been taken, or one has more parts than the other.
    pub(crate) fn and<T: Split>(self, other: Once<T>) -> Once<(S, T)> {
        assert_eq!(self.parts, other.parts, "as many parts");
        let parts = self.parts;
        Once::new((self.untouched(), other.untouched()), parts)
    }

    /// The same for several.
    ///
    /// # Panics
    ///
    /// When a part has been taken, or they have not `parts` parts.
    pub(crate) fn all<const N: usize>(several: [Once<S>; N], parts: usize) -> Once<[S; N]> {
        assert!(several.iter().all(|one| one.parts == parts), "as many parts");
        Once::new(several.map(Once::untouched), parts)
    }

    fn untouched(self) -> S {
        assert_eq!(self.taken.into_inner(), 0, "no part has been taken");
        self.all
    }
}

/// Equal pieces of a slice.
pub(crate) struct Pieces<'a, T> {
    start: AtomicPtr<T>,
    rows: usize,
    row: usize,
    parts: usize,
    borrow: PhantomData<&'a ()>,
}

impl<'a, T: Send + 'a> Pieces<'a, T> {
    /// `data` as rows of `row` elements, in as many parts of whole rows, with the rows' numbers; what is
    /// left over after the last whole row belongs to none.
    ///
    /// # Panics
    ///
    /// When there are more parts than [`MAX_THREADS`].
    pub(crate) fn new(data: &'a mut [T], row: usize, parts: usize) -> Once<Pieces<'a, T>> {
        let rows = data.len() / row.max(1);
        let start = AtomicPtr::new(data.as_mut_ptr());
        Once::new(Pieces { rows, row, start, parts, borrow: PhantomData }, parts)
    }
}

impl<'a, T: Send + 'a> Split for Pieces<'a, T> {
    type Part<'s>
        = (Range<usize>, &'a mut [T])
    where
        Self: 's;

    unsafe fn part(&self, part: usize) -> Self::Part<'_> {
        let rows = share(self.rows, self.parts, part);
        let start = self.start.load(Ordering::Relaxed);
        // SAFETY: the rows lie inside the slice that is borrowed for 'a.
        let start = unsafe { start.add(rows.start * self.row) };
        // SAFETY: shares do not overlap, and each is handed out once: the access is the only one.
        let piece = unsafe { std::slice::from_raw_parts_mut(start, rows.len() * self.row) };
        (rows, piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "taken twice")]
    fn a_piece_is_handed_out_once() {
        let mut data = [0; 4];
        let pieces = Pieces::new(&mut data, 1, 2);
        pieces.take(1);
        pieces.take(1);
    }

    #[test]
    fn several_are_handed_out_together() {
        let (mut a, mut b, mut c) = ([0; 5], [0; 3], [0; 6]);
        let several = [&mut b[..], &mut c].map(|data| Pieces::new(data, 1, 2));
        let together = Pieces::new(&mut a, 1, 2).and(Once::all(several, 2));
        for part in 0..2 {
            let ((_, a), [(_, b), (rows, c)]) = together.take(part);
            assert_eq!(rows, 3 * part..3 * part + 3);
            [a, b, c].into_iter().for_each(|piece| piece.fill(part + 1));
        }
        assert_eq!((a, b, c), ([1, 1, 1, 2, 2], [1, 1, 2], [1, 1, 1, 2, 2, 2]));
    }

    #[test]
    #[should_panic(expected = "no part has been taken")]
    fn what_has_been_taken_is_not_handed_out_with_others() {
        let (mut a, mut b) = ([0; 4], [0; 4]);
        let pieces = Pieces::new(&mut a, 1, 2);
        pieces.take(0);
        let _both = Pieces::new(&mut b, 1, 2).and(pieces);
    }
}
