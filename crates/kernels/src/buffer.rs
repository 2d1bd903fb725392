//! Aligned memory: buffers that own it, and scratch that is carved out of a byte slice.

#[cfg(target_os = "linux")]
mod pages;

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// The alignment of buffers and of carved slices: a cache line, and the widest vector.
pub const ALIGN: usize = 64;

/// A plain element: every bit pattern is a value, and there is nothing to drop.
///
/// # Safety
///
/// Any initialized bytes of the type's size must be a valid value of it.
pub unsafe trait Plain: Copy + 'static {}

macro_rules! plain {
    ($($element:ty),*) => {$(
        // SAFETY: integers and floats take every bit pattern.
        unsafe impl Plain for $element {}
    )*};
}
plain!(u8, i8, u16, i16, u32, i32, u64, i64, usize, f32, f64, half::f16);

// SAFETY: a raw pointer takes every bit pattern; only following it needs more.
unsafe impl<T: 'static> Plain for *const T {}

/// Zeroed memory, aligned to a cache line; much of it lies in huge pages, where there are such.
pub struct Buffer<T: Plain> {
    start: NonNull<T>,
    len: usize,
    source: Source,
    owns: PhantomData<T>,
}

/// Where a buffer's memory comes from.
enum Source {
    /// The general allocator.
    Heap(Layout),
    /// Pages that it shares with other buffers.
    #[cfg(target_os = "linux")]
    Pages,
}

impl<T: Plain> Buffer<T> {
    /// `len` zeroed elements.
    ///
    /// # Panics
    ///
    /// When the size in bytes does not fit in memory.
    pub fn zeroed(len: usize) -> Self {
        const FITS: &str = "a buffer's size fits in memory";
        let bytes = len.checked_mul(size_of::<T>()).expect(FITS);
        #[cfg(target_os = "linux")]
        if bytes >= pages::LEAST
            && let Some(start) = pages::take(bytes)
        {
            return Self { start: start.cast(), len, source: Source::Pages, owns: PhantomData };
        }
        // A layout of size zero may not be allocated.
        let layout = Layout::from_size_align(bytes.max(1), ALIGN).expect(FITS);
        // SAFETY: the layout's size is not zero.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        Self { start: memory.cast(), len, source: Source::Heap(layout), owns: PhantomData }
    }
}

impl<T: Plain> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the allocation holds `len` initialized elements and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Plain> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`; `&mut self` makes the access the only one.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Plain> Drop for Buffer<T> {
    fn drop(&mut self) {
        let memory = self.start.cast::<u8>();
        match self.source {
            // SAFETY: allocated in `zeroed` with this layout, and dropped once.
            Source::Heap(layout) => unsafe { dealloc(memory.as_ptr(), layout) },
            #[cfg(target_os = "linux")]
            // SAFETY: taken in `zeroed`, so many bytes, and dropped once.
            Source::Pages => unsafe { pages::give_back(memory, self.len * size_of::<T>()) },
        }
    }
}

impl<T: Plain> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} elements)", self.len)
    }
}

// SAFETY: a buffer owns its memory as a boxed slice does.
unsafe impl<T: Plain + Send> Send for Buffer<T> {}
// SAFETY: as above; shared access only reads.
unsafe impl<T: Plain + Sync> Sync for Buffer<T> {}

/// Working memory that a kernel call carves slices from; their old content is unspecified.
#[derive(Debug)]
pub struct Scratch<'a> {
    free: &'a mut [u8],
}

impl<'a> Scratch<'a> {
    /// Scratch over `bytes`, whose content is overwritten.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { free: bytes }
    }

    /// The bytes that taking `len` elements may use up, alignment included.
    pub const fn bytes_for<T: Plain>(len: usize) -> usize {
        len * size_of::<T>() + ALIGN
    }

    /// Takes `len` elements, aligned to [`ALIGN`].
    ///
    /// # Panics
    ///
    /// When too little is left: the caller gave less than the kernel asked for.
    pub fn take<T: Plain>(&mut self, len: usize) -> &'a mut [T] {
        let free = std::mem::take(&mut self.free);
        let skip = free.as_ptr().align_offset(ALIGN);
        let bytes = len * size_of::<T>();
        assert!(
            skip + bytes <= free.len(),
            "scratch has {} bytes left, {len} elements need {}",
            free.len(),
            skip + bytes
        );
        let (taken, rest) = free[skip..].split_at_mut(bytes);
        self.free = rest;
        // SAFETY: `T` takes any initialized bytes, and the bytes are handed out once.
        let (before, elements, after) = unsafe { taken.align_to_mut::<T>() };
        debug_assert!(before.is_empty() && after.is_empty(), "the bytes are aligned to 64");
        elements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_zeroed_and_aligned() {
        for len in [0, 1, 63, 1 << 10, (2 << 20) / 4, (5 << 20) / 4 + 3] {
            let mut buffer = Buffer::<f32>::zeroed(len);
            assert_eq!(buffer.len(), len);
            assert!(buffer.iter().all(|&x| x == 0.0), "{len} elements are zero");
            assert_eq!(buffer.as_ptr().align_offset(ALIGN), 0, "{len} elements are aligned");
            buffer.fill(1.0);
        }
    }

    #[test]
    fn scratch_slices_are_aligned_and_apart() {
        let mut bytes = vec![0; Scratch::bytes_for::<f32>(3) + Scratch::bytes_for::<usize>(5)];
        let mut scratch = Scratch::new(&mut bytes[..]);
        let a = scratch.take::<f32>(3);
        let b = scratch.take::<usize>(5);
        a.fill(1.0);
        b.fill(usize::MAX);
        assert_eq!(a, [1.0; 3]);
        assert_eq!(a.as_ptr().align_offset(ALIGN), 0);
        assert_eq!(b.as_ptr().align_offset(ALIGN), 0);
    }

    #[test]
    #[should_panic(expected = "scratch has")]
    fn too_little_scratch_is_refused() {
        Scratch::new(&mut [0; 64]).take::<f32>(64);
    }
}
