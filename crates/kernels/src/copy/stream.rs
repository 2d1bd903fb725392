//! Copies past the caches: for what is read again only after other memory has taken its place.

#[cfg(target_arch = "x86_64")]
use crate::gemm::tile::prefetch;

/// Copies whose results are seen by other threads once it is dropped.
#[derive(Debug, Default)]
pub struct Stream {
    _private: (),
}

impl Stream {
    /// Copies `from` to `to`, whose lines are not brought into a cache, where there are instructions
    /// for that. What lies after `from` is expected to be copied next, and asked for.
    ///
    /// # Panics
    ///
    /// If one is longer than the other.
    pub fn copy(&self, from: &[f32], to: &mut [f32]) {
        assert_eq!(from.len(), to.len());
        #[cfg(target_arch = "x86_64")]
        {
            let head = to.as_ptr().align_offset(LINE * size_of::<f32>()).min(to.len());
            let (from_head, from) = from.split_at(head);
            let (to_head, to) = to.split_at_mut(head);
            to_head.copy_from_slice(from_head);
            let (from, from_rest) = from.as_chunks::<LINE>();
            let (to, to_rest) = to.as_chunks_mut::<LINE>();
            if is_x86_feature_detected!("avx512f") {
                // SAFETY: the machine has the instructions.
                unsafe { whole_lines(from, to) };
            } else {
                for (from, to) in from.iter().zip(to) {
                    prefetch(std::ptr::from_ref(from).wrapping_add(AHEAD));
                    let quarters = from.as_chunks::<4>().0.iter().zip(to.as_chunks_mut::<4>().0);
                    quarters.for_each(|(from, to)| store(from, to));
                }
            }
            to_rest.copy_from_slice(from_rest);
        }
        #[cfg(not(target_arch = "x86_64"))]
        to.copy_from_slice(from);
    }
}

#[cfg(target_arch = "x86_64")]
impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: every x86-64 has the instruction.
        unsafe { std::arch::x86_64::_mm_sfence() };
    }
}

/// How far ahead of its use a line is asked for, in lines.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 32;

/// The elements of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 16;

/// Stores lines, each at once; `to` is aligned to them.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn whole_lines(from: &[[f32; LINE]], to: &mut [[f32; LINE]]) {
    use std::arch::x86_64::{_mm512_loadu_ps, _mm512_stream_ps};
    for (from, to) in from.iter().zip(to) {
        debug_assert!(to.as_ptr().align_offset(64) == 0);
        prefetch(std::ptr::from_ref(from).wrapping_add(AHEAD));
        // SAFETY: there are sixteen elements.
        let vector = unsafe { _mm512_loadu_ps(from.as_ptr()) };
        // SAFETY: as above; the one caller has cut `to` where it is aligned.
        unsafe { _mm512_stream_ps(to.as_mut_ptr(), vector) };
    }
}

/// Stores four elements; `to` is aligned to them.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn store(from: &[f32; 4], to: &mut [f32; 4]) {
    use std::arch::x86_64::{_mm_loadu_ps, _mm_stream_ps};
    debug_assert!(to.as_ptr().align_offset(16) == 0);
    // SAFETY: there are four elements, and every x86-64 has the instruction.
    let vector = unsafe { _mm_loadu_ps(from.as_ptr()) };
    // SAFETY: as above; the one caller has cut `to` where it is aligned.
    unsafe { _mm_stream_ps(to.as_mut_ptr(), vector) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_elements_arrive_wherever_they_lie() {
        let from: Vec<f32> = (0..100).map(|i| i as f32).collect();
        for start in 0..6 {
            for len in [0, 1, 3, 4, 17, 80] {
                let mut to = vec![-1.0; 100];
                Stream::default().copy(&from[7..7 + len], &mut to[start..start + len]);
                assert_eq!(to[start..start + len], from[7..7 + len], "{len} to {start}");
                assert!(to[start + len..].iter().chain(&to[..start]).all(|&x| x == -1.0));
            }
        }
    }
}
