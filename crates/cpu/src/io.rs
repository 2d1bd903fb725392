//! What a step reads and writes: places in an arena, in tensors and in constants, decided when the
//! plan is made, and the one way from a place to a slice.

use std::marker::PhantomData;
use std::ops::Range;

use webnn_core::{Error, ErrorKind, Result};
use webnn_kernels::buffer::Plain;

/// Bytes of a run's memory: a range of one of its bases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The index of the base: the arena, or a tensor, or a constant.
    pub(crate) base: usize,
    /// Where the bytes begin in it.
    pub(crate) offset: usize,
    /// How many there are.
    pub(crate) bytes: usize,
}

impl Place {
    fn range(self) -> Range<usize> {
        self.offset..self.offset + self.bytes
    }

    fn overlaps(self, other: Place) -> bool {
        let (a, b) = (self.range(), other.range());
        self.base == other.base && a.start < b.end && b.start < a.end
    }
}

/// Where a step's operands and results lie.
#[derive(Debug)]
pub(crate) struct Places {
    reads: Vec<Place>,
    writes: Vec<Place>,
    scratch: Place,
}

impl Places {
    /// Checks what [`Io`] relies on: that the places lie within bases of the given sizes, and that
    /// what is written overlaps nothing else of the step.
    pub(crate) fn new(
        reads: Vec<Place>,
        writes: Vec<Place>,
        scratch: Place,
        bases: &[usize],
    ) -> Result<Places> {
        let broken = |what: &str| {
            Err(Error::new(ErrorKind::Operation, format!("the plan is broken: {what}")))
        };
        for place in reads.iter().chain(&writes).chain([&scratch]) {
            let end = place.offset.checked_add(place.bytes);
            if end.is_none_or(|end| bases.get(place.base).is_none_or(|&size| end > size)) {
                return broken("a place reaches outside its memory");
            }
        }
        let mut written: Vec<Place> = writes.iter().chain([&scratch]).copied().collect();
        written.retain(|place| place.bytes > 0);
        written.sort_by_key(|place| (place.base, place.offset));
        if written.windows(2).any(|pair| pair[0].overlaps(pair[1])) {
            return broken("two results overlap");
        }
        for read in &reads {
            let after = written.partition_point(|place| {
                (place.base, place.offset + place.bytes) <= (read.base, read.offset)
            });
            if written.get(after).is_some_and(|place| place.overlaps(*read)) {
                return broken("a result overlaps an operand");
            }
        }
        Ok(Places { reads, writes, scratch })
    }

    /// The bytes of all that the step reads and that `is_counted` holds for, by base.
    pub(crate) fn read_bytes(&self, is_counted: impl Fn(usize) -> bool) -> usize {
        self.reads.iter().filter(|place| is_counted(place.base)).map(|place| place.bytes).sum()
    }

    /// The bytes that the step writes.
    pub(crate) fn written_bytes(&self) -> usize {
        self.writes.iter().map(|place| place.bytes).sum()
    }
}

/// The memory that places are ranges of, for the time of one run.
#[derive(Clone, Copy)]
pub(crate) struct Base {
    start: *mut u8,
    len: usize,
    writable: bool,
}

// SAFETY: a base is an address; what it points to is reached through `Io` only, during a run that
// has borrowed it.
unsafe impl Send for Base {}
// SAFETY: shared access reads the address only, and `Io` reads what no thread writes meanwhile.
unsafe impl Sync for Base {}

impl Base {
    /// No memory.
    pub(crate) const NONE: Base = Base {
        start: std::ptr::NonNull::<u64>::dangling().as_ptr().cast(),
        len: 0,
        writable: false,
    };

    /// Memory that is only read.
    pub(crate) fn shared(bytes: &[u8]) -> Base {
        Base { start: bytes.as_ptr().cast_mut(), len: bytes.len(), writable: false }
    }

    /// Memory that steps may write.
    pub(crate) fn exclusive(bytes: &mut [u8]) -> Base {
        Base { start: bytes.as_mut_ptr(), len: bytes.len(), writable: true }
    }
}

/// A run's memory: bases that are borrowed for `'a`, each apart from the others if it is writable.
pub(crate) struct Memory<'a> {
    bases: &'a [Base],
    borrow: PhantomData<&'a mut [u8]>,
}

impl<'a> Memory<'a> {
    /// The memory of one run.
    ///
    /// # Safety
    ///
    /// What the bases were made from stays borrowed, as it was then, for `'a`.
    pub(crate) unsafe fn new(bases: &'a [Base]) -> Memory<'a> {
        Memory { bases, borrow: PhantomData }
    }

    /// One step's operands and results; no other step's can be had meanwhile.
    pub(crate) fn io<'b>(&'b mut self, places: &'b Places) -> Io<'b> {
        Io { bases: self.bases, places, first: 0, next: 0, has_scratch: true }
    }
}

/// The operands and results of one step.
pub(crate) struct Io<'a> {
    bases: &'a [Base],
    places: &'a Places,
    /// The operand that counts as the first.
    first: usize,
    /// The next result that may be taken.
    next: usize,
    has_scratch: bool,
}

impl<'a> Io<'a> {
    /// The operand at an index of the kernel's reads.
    pub(crate) fn read<T: Plain>(&self, index: usize) -> &'a [T] {
        let (start, len) = self.elements::<T>(self.places.reads[self.first + index], false);
        // SAFETY: `elements` has checked bounds and alignment; `Places` has checked that nothing
        // that this step writes overlaps, and the memory is borrowed for the time of the step.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// The operands from one on, and no results.
    pub(crate) fn reads_from(&self, first: usize) -> Io<'a> {
        Io { first: self.first + first, next: usize::MAX, has_scratch: false, ..*self }
    }

    /// The result at an index of the kernel's writes; they are taken in order, each once.
    pub(crate) fn write<T: Plain>(&mut self, index: usize) -> &'a mut [T] {
        assert!(index >= self.next, "result {index} is taken twice");
        self.next = index + 1;
        let (start, len) = self.elements::<T>(self.places.writes[index], true);
        // SAFETY: `elements` has checked bounds, alignment and that the base may be written;
        // `Places` has checked that nothing else of this step overlaps, and it is handed out once.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// The kernel's working memory, of unspecified content; to be had once.
    pub(crate) fn scratch(&mut self) -> &'a mut [u8] {
        assert!(std::mem::take(&mut self.has_scratch), "scratch is taken twice");
        let place = self.places.scratch;
        if place.bytes == 0 {
            return &mut [];
        }
        let (start, len) = self.elements::<u8>(place, true);
        // SAFETY: as for `write`.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// The first element of a place and how many there are.
    fn elements<T: Plain>(&self, place: Place, is_written: bool) -> (*mut T, usize) {
        let base = self.bases[place.base];
        assert!(base.writable || !is_written, "base {} is only read", place.base);
        assert!(place.offset + place.bytes <= base.len, "{place:?} reaches outside its base");
        let start = base.start.wrapping_add(place.offset).cast::<T>();
        assert!(start.is_aligned(), "{place:?} is not aligned for its elements");
        (start, place.bytes / size_of::<T>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(base: usize, offset: usize, bytes: usize) -> Place {
        Place { base, offset, bytes }
    }

    #[test]
    fn places_that_overlap_or_reach_outside_are_refused() {
        let bases = [128, 64];
        for (reads, writes, scratch, ok) in [
            (vec![place(0, 0, 64)], vec![place(0, 64, 64)], place(1, 0, 64), true),
            (vec![place(0, 0, 65)], vec![place(0, 64, 64)], place(1, 0, 0), false),
            (vec![], vec![place(0, 0, 64), place(0, 32, 8)], place(1, 0, 0), false),
            (vec![], vec![place(0, 0, 64)], place(0, 0, 1), false),
            (vec![place(1, 0, 65)], vec![], place(0, 0, 0), false),
            (vec![place(2, 0, 0)], vec![], place(0, 0, 0), false),
            (vec![place(1, 0, 8), place(1, 0, 8)], vec![], place(0, 0, 0), true),
        ] {
            let row = format!("{reads:?} {writes:?} {scratch:?}");
            assert_eq!(Places::new(reads, writes, scratch, &bases).is_ok(), ok, "{row}");
        }
    }

    #[test]
    #[should_panic(expected = "taken twice")]
    fn a_result_is_taken_once() {
        let mut bytes = [0u8; 64];
        let bases = [Base::exclusive(&mut bytes)];
        // SAFETY: `bytes` outlives the memory and is not used meanwhile.
        let mut memory = unsafe { Memory::new(&bases) };
        let places = Places::new(vec![], vec![place(0, 0, 64)], place(0, 0, 0), &[64]).unwrap();
        let mut io = memory.io(&places);
        io.write::<u8>(0);
        io.write::<u8>(0);
    }
}
