//! What a matrix tile needs of a vector of `f32`.

/// A vector type of one instruction set. A value is the proof that the machine has the set.
pub(crate) trait Lanes: Copy {
    /// The vector.
    type V: Copy;
    /// Its number of elements.
    const N: usize;

    fn splat(self, x: f32) -> Self::V;
    /// `a * b + c`, rounded once where the set has a fused instruction.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The greater of `bound` and `x`; NaN if `x` is NaN.
    fn at_least(self, x: Self::V, bound: Self::V) -> Self::V;
    /// The lesser of `bound` and `x`; NaN if `x` is NaN.
    fn at_most(self, x: Self::V, bound: Self::V) -> Self::V;
    /// # Safety
    ///
    /// `N` elements can be read at `from`.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// # Safety
    ///
    /// `N` elements can be written at `to`.
    unsafe fn store(self, to: *mut f32, x: Self::V);
    /// Asks for the cache line at `at`, which need not be valid.
    fn prefetch(self, at: *const f32);
}
