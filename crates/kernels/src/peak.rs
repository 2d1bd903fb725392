//! What a CPU can do at most, to hold a kernel's speed against: loops that do nothing else than
//! multiply, or read.

use std::hint::black_box;

use crate::Isa;
#[cfg(target_arch = "x86_64")]
use crate::gemm::int8::amx;
use crate::gemm::int8::{Dot, Tile};
#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use crate::simd::Simd128;
use crate::simd::{self, ForEachIsa, Scalar, Simd};
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};

/// Independent sums, for sets of 32 registers: more than any core's latency times its units.
const MANY: usize = 24;
/// The same for sets of 16 registers, two of which hold the factors.
const FEW: usize = 12;

/// Multiplies and adds floats in registers, `rounds` times; gives how many operations those were,
/// a multiplication and an addition being two.
pub fn multiply_add(isa: Isa, rounds: usize) -> u64 {
    if isa.has_many_registers() {
        simd::dispatch(isa, MultiplyAdd::<MANY>(rounds))
    } else {
        simd::dispatch(isa, MultiplyAdd::<FEW>(rounds))
    }
}

struct MultiplyAdd<const SUMS: usize>(usize);

impl<const SUMS: usize> ForEachIsa for MultiplyAdd<SUMS> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> u64 {
        // The sums tend to 1, so that no operand is ever slow.
        let (factor, term) = (s.splat(black_box(0.999)), s.splat(black_box(1e-3)));
        let mut sums = [s.splat(black_box(1.0)); SUMS];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = s.mul_add(*sum, factor, term);
            }
        }
        black_box(sums);
        (self.0 * SUMS * S::LANES * 2) as u64
    }
}

/// Multiplies and adds 8-bit integers in registers, as the tiles of the instruction set do; gives
/// how many operations those were.
pub fn dot(isa: Isa, rounds: usize) -> u64 {
    const HAVE: &str = "the caller asks only for instruction sets that are available";
    let dots = match isa {
        Isa::Scalar => dots(Scalar, rounds),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => dots(Avx2::new().expect(HAVE), rounds),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => dots(Avx512::new().expect(HAVE), rounds),
        #[cfg(target_arch = "x86_64")]
        Isa::Amx | Isa::AmxBf16 => amx::dots(rounds),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => dots(Neon::new().expect(HAVE), rounds),
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Isa::Simd128 => dots(Simd128, rounds),
        #[allow(unreachable_patterns, reason = "the sets of other architectures")]
        Isa::Avx2 | Isa::Avx512 | Isa::Amx | Isa::AmxBf16 | Isa::Neon | Isa::Simd128 => {
            panic!("{HAVE}: {isa:?}")
        }
    };
    dots * 2 * Tile::of(isa, usize::MAX).products_per_lane() as u64
}

/// The lanes that were multiplied.
fn dots<S: Dot>(s: S, rounds: usize) -> u64 {
    if S::ISA.has_many_registers() {
        s.call(Dots::<S, MANY> { s, rounds })
    } else {
        s.call(Dots::<S, FEW> { s, rounds })
    }
}

struct Dots<S, const SUMS: usize> {
    s: S,
    rounds: usize,
}

impl<S: Dot, const SUMS: usize> ForEachIsa for Dots<S, SUMS> {
    type Output = u64;

    #[inline(always)]
    fn run<Same: Simd>(self, _: Same) -> u64 {
        let s = self.s;
        let factor = s.splat_i32(black_box(0));
        let mut sums = [s.splat_i32(black_box(1)); SUMS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                // A sum is its own factor, so that no product is the same in every round.
                *sum = s.dot(*sum, factor, *sum);
            }
        }
        black_box(sums);
        (self.rounds * SUMS * S::LANES) as u64
    }
}

/// Reads all of `data`, as fast as its place in the caches allows.
pub fn read(isa: Isa, data: &[f32]) {
    black_box(simd::dispatch(isa, Read(data)));
}

struct Read<'a>(&'a [f32]);

impl ForEachIsa for Read<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let mut sums = [s.splat(0.0); 8];
        let mut chunks = self.0.chunks_exact(sums.len() * S::LANES);
        for chunk in &mut chunks {
            for (sum, values) in sums.iter_mut().zip(chunk.chunks_exact(S::LANES)) {
                *sum = s.add(*sum, s.load(values));
            }
        }
        let rest: f32 = chunks.remainder().iter().sum();
        sums.iter().fold(rest, |total, &sum| total + s.reduce_add(sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_counts_what_it_multiplies() {
        for isa in Isa::available() {
            let tile = Tile::of(isa, usize::MAX);
            let sums = if isa.has_many_registers() { MANY } else { FEW };
            let lanes = multiply_add(isa, 1) as usize / sums / 2;
            assert!(lanes.is_power_of_two() && lanes <= simd::MAX_LANES, "{isa:?}: {lanes}");
            assert_eq!(multiply_add(isa, 5), 5 * multiply_add(isa, 1));
            let vectors = if tile.isa == Isa::Amx { 4 * 16 * 16 } else { sums };
            let expected = 2 * 3 * vectors * lanes * tile.products_per_lane();
            assert_eq!(dot(isa, 3), expected as u64, "{isa:?}");
        }
    }

    #[test]
    fn all_elements_are_read() {
        for isa in Isa::available() {
            for count in [0, 1, 127, 128, 1000] {
                let data = vec![1.0; count];
                assert_eq!(simd::dispatch(isa, Read(&data)), count as f32, "{isa:?}");
            }
        }
    }
}
