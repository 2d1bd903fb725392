//! Huge pages that buffers share.
//!
//! What comes from main memory in small pages comes at half the speed: each costs a walk through
//! the tables, and prefetching stops where it ends. A huge page is too much for most buffers, so
//! they lie side by side in regions of huge pages.

use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ALIGN;

/// Smaller buffers are left to the general allocator.
pub(super) const LEAST: usize = 64 << 10;

/// The size of a huge page.
const PAGE: usize = 2 << 20;

/// The bytes of a region, unless one buffer takes more. They are addresses: a page is memory once
/// it has been touched.
const REGION: usize = 32 * PAGE;

static REGIONS: Mutex<Vec<Region>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Region>> {
    // Nothing panics between two steps that belong together.
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Zeroed bytes, aligned to [`ALIGN`]; `None` where the system has no more.
pub(super) fn take(bytes: usize) -> Option<NonNull<u8>> {
    let bytes = bytes.checked_next_multiple_of(ALIGN)?;
    let mut regions = lock();
    if let Some(start) = regions.iter_mut().find_map(|region| region.take(bytes)) {
        return Some(start);
    }
    let mut region = Region::new(bytes.checked_next_multiple_of(PAGE)?.max(REGION))?;
    let start = region.take(bytes);
    regions.push(region);
    start
}

/// Gives back what [`take`] gave.
///
/// # Safety
///
/// So many bytes were taken, and nobody uses them any more.
pub(super) unsafe fn give_back(start: NonNull<u8>, bytes: usize) {
    let bytes = bytes.next_multiple_of(ALIGN);
    let mut regions = lock();
    let is_alone = regions.len() == 1;
    let mut places = regions.iter().enumerate();
    let place = places.find_map(|(index, region)| Some((index, region.offset(start)?)));
    let (index, offset) = place.expect("the bytes were taken from a region");
    let region = &mut regions[index];
    let given = offset..offset + bytes;
    let run = region.free.give(given.clone());
    if run == (0..region.len) && !is_alone {
        drop(regions.swap_remove(index));
        return;
    }
    let unused = unused(&run);
    // SAFETY: these bytes are free: the caller's, or free before.
    unsafe { region.discard(unused.clone()) };
    for rest in [given.start..given.end.min(unused.start), given.start.max(unused.end)..given.end] {
        if !rest.is_empty() {
            // SAFETY: these are bytes that the caller gives back.
            unsafe { region.zero(rest) };
        }
    }
}

/// The pages of a free run that the system gets back: all whole ones but the first, as who gives
/// a buffer back often takes another.
fn unused(run: &Range<usize>) -> Range<usize> {
    let start = run.start.next_multiple_of(PAGE) + PAGE;
    let end = run.end / PAGE * PAGE;
    if start < end { start..end } else { run.end..run.end }
}

/// The free parts of a region: where each begins, and how long it is. No two touch.
struct Free(BTreeMap<usize, usize>);

impl Free {
    /// The first part that is long enough.
    fn take(&mut self, bytes: usize) -> Option<usize> {
        let (&start, &len) = self.0.iter().find(|&(_, &len)| len >= bytes)?;
        self.0.remove(&start);
        if len > bytes {
            self.0.insert(start + bytes, len - bytes);
        }
        Some(start)
    }

    /// Adds a part; gives the whole that it and its neighbours now are.
    fn give(&mut self, part: Range<usize>) -> Range<usize> {
        let mut run = part;
        if let Some((&start, &len)) = self.0.range(..run.start).next_back()
            && start + len == run.start
        {
            run.start = start;
        }
        if let Some(len) = self.0.remove(&run.end) {
            run.end += len;
        }
        self.0.insert(run.start, run.len());
        run
    }
}

/// A mapping of huge pages, of which the free parts are zero.
struct Region {
    start: NonNull<u8>,
    len: usize,
    free: Free,
    /// What was mapped: the region is aligned inside it.
    mapped: (NonNull<u8>, usize),
}

// SAFETY: a region owns its mapping, as a boxed slice does its memory.
unsafe impl Send for Region {}

impl Region {
    /// A region of so many bytes, whole pages; `None` where the system has no more.
    fn new(len: usize) -> Option<Region> {
        let total = len.checked_add(PAGE)?;
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, at an address of the system's choice, touches no other memory.
        let mapped = unsafe { libc::mmap(std::ptr::null_mut(), total, access, kind, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return None;
        }
        let mapped = NonNull::new(mapped.cast::<u8>())?;
        // SAFETY: less than a page from its start on there are still `len` bytes of the mapping.
        let start = unsafe { mapped.add(mapped.align_offset(PAGE)) };
        // SAFETY: the range lies in the mapping; the advice changes no content. A refusal does not
        // matter: small pages do as well.
        unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_HUGEPAGE) };
        Some(Region { start, len, free: Free([(0, len)].into()), mapped: (mapped, total) })
    }

    fn take(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        let offset = self.free.take(bytes)?;
        // SAFETY: free parts lie in the region.
        Some(unsafe { self.start.add(offset) })
    }

    /// Where an address lies in the region, if it does.
    fn offset(&self, at: NonNull<u8>) -> Option<usize> {
        at.addr().get().checked_sub(self.start.addr().get()).filter(|&offset| offset < self.len)
    }

    /// Gives pages back to the system; from then on they are zero.
    ///
    /// # Safety
    ///
    /// Nobody uses these bytes, and they lie in the region.
    unsafe fn discard(&self, pages: Range<usize>) {
        if pages.is_empty() {
            return;
        }
        let start = self.start.as_ptr().wrapping_add(pages.start);
        // SAFETY: the caller vouches for the bytes; private pages without a file read as zero
        // after this advice.
        if unsafe { libc::madvise(start.cast(), pages.len(), libc::MADV_DONTNEED) } != 0 {
            // SAFETY: the caller vouches for it.
            unsafe { self.zero(pages) };
        }
    }

    /// Makes bytes zero.
    ///
    /// # Safety
    ///
    /// Nobody uses these bytes, and they lie in the region.
    unsafe fn zero(&self, bytes: Range<usize>) {
        let start = self.start.as_ptr().wrapping_add(bytes.start);
        // SAFETY: the caller vouches for it.
        unsafe { start.write_bytes(0, bytes.len()) };
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let (start, len) = self.mapped;
        // SAFETY: the mapping is the region's own, and it is dropped once.
        unsafe { libc::munmap(start.as_ptr().cast(), len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_are_free_become_one() {
        let mut free = Free([(0, 100)].into());
        let starts: Vec<_> = (0..5).map(|_| free.take(20)).collect();
        assert_eq!(starts, [0, 20, 40, 60, 80].map(Some));
        assert_eq!(free.take(1), None);
        for (part, run) in [
            (20..40, 20..40),
            (60..80, 60..80),
            (40..60, 20..80),
            (80..100, 20..100),
            (0..20, 0..100),
        ] {
            assert_eq!(free.give(part.clone()), run, "{part:?}");
        }
        assert_eq!(free.take(100), Some(0));
    }

    #[test]
    fn the_first_page_of_a_run_stays() {
        for (run, expected) in [
            (0..PAGE, None),
            (0..3 * PAGE, Some(PAGE..3 * PAGE)),
            (1..4 * PAGE + 1, Some(2 * PAGE..4 * PAGE)),
            (PAGE - 1..3 * PAGE - 1, None),
        ] {
            let found = unused(&run);
            assert_eq!(Some(found.clone()).filter(|range| !range.is_empty()), expected, "{run:?}");
            assert!(found.end <= run.end, "{run:?}");
        }
    }

    #[test]
    fn what_is_taken_again_is_zero() {
        // Lives on, so that the others share a region with it.
        let _first = super::super::Buffer::<u8>::zeroed(LEAST);
        for bytes in [LEAST, PAGE - 64, PAGE, 3 * PAGE + 5, 5 * PAGE, REGION + 1] {
            for _ in 0..3 {
                let mut buffers = [bytes, LEAST + 1, bytes].map(super::super::Buffer::<u8>::zeroed);
                for buffer in &mut buffers {
                    assert!(buffer.iter().all(|&x| x == 0), "{bytes} bytes are zero");
                    buffer.fill(0xff);
                }
            }
        }
    }
}
