//! What integer taps are made of on each instruction set: four filter rows at a time.
//!
//! A *quad* is the bytes of one channel under four filter rows. Interleaving four rows of a block
//! of channels gives four vectors of quads, each of a quarter of the channels; packing what becomes
//! of them into bytes puts the channels back into their order.

use crate::simd::{ForEachIsa, Scalar, Simd};

/// Proofs of instruction sets that multiply quads.
pub(super) trait Quads: Copy {
    /// The vectors, of a quarter of a block's channels each.
    type Simd: Simd;
    /// A vector of quads, ready to multiply.
    type Quad: Copy;

    /// The words that a lane's four weights take: one of bytes, two of 16-bit integers.
    const WORDS: usize;
    /// Whether the bytes that are multiplied have a sign.
    const SIGNED: bool;

    /// The proof that vectors may be used.
    fn simd(self) -> Self::Simd;
    /// Runs `work` in a function that is compiled for the instruction set.
    fn call<W: ForEachIsa<Output = ()>>(self, work: W);
    /// Which channel of the block a lane of one of the four vectors is.
    fn channel(vector: usize, lane: usize) -> usize;
    /// Interleaves rows, the first `4 * LANES` bytes of each, whose sign bits are turned over where
    /// `flip` is 0x80.
    fn quads(self, rows: [&[u8]; 4], flip: u8) -> [Self::Quad; 4];
    /// Adds to each lane the products of its bytes and its weights, which are `WORDS` vectors.
    fn dot(self, quad: Self::Quad, weights: &[i32], sum: Sum<Self>) -> Sum<Self>;
    /// Writes the low bytes of integers from -128 to 255 in the order of the channels: `4 * LANES`
    /// bytes.
    fn store_bytes(self, x: [Sum<Self>; 4], to: &mut [u8]);
}

/// A vector of sums.
pub(super) type Sum<Q> = <<Q as Quads>::Simd as Simd>::I32;

/// Defines the methods of [`Quads`] for an instruction set that [`Simd`] knows.
macro_rules! is_simd {
    () => {
        type Simd = Self;

        #[inline(always)]
        fn simd(self) -> Self {
            self
        }
        #[inline(always)]
        fn call<W: crate::simd::ForEachIsa<Output = ()>>(self, work: W) {
            crate::simd::Simd::call(self, work);
        }
    };
}

/// A lane's weights as one word of signed bytes.
#[allow(dead_code, reason = "not every architecture multiplies bytes")]
pub(super) fn bytes(weights: [i32; 4]) -> i32 {
    i32::from_le_bytes(weights.map(|weight| weight as u8))
}

/// A lane's weights as words of two 16-bit integers: of rows 0 and 2, and of rows 1 and 3.
pub(super) fn halves(weights: [i32; 4]) -> [i32; 2] {
    let pair = |low: i32, high: i32| (low & 0xffff) | (high << 16);
    [pair(weights[0], weights[2]), pair(weights[1], weights[3])]
}

impl Quads for Scalar {
    is_simd!();

    type Quad = [u8; 4];

    const WORDS: usize = 2;
    const SIGNED: bool = false;

    fn channel(vector: usize, _: usize) -> usize {
        vector
    }
    #[inline(always)]
    fn quads(self, rows: [&[u8]; 4], flip: u8) -> [[u8; 4]; 4] {
        let rows = rows.map(|row| &row[..4]);
        std::array::from_fn(|channel| rows.map(|row| row[channel] ^ flip))
    }
    #[inline(always)]
    fn dot(self, quad: [u8; 4], weights: &[i32], sum: i32) -> i32 {
        let halves = |word: i32| (i32::from(word as i16), word >> 16);
        let ((w0, w2), (w1, w3)) = (halves(weights[0]), halves(weights[1]));
        let [x0, x1, x2, x3] = quad.map(i32::from);
        sum.wrapping_add(x0 * w0 + x1 * w1 + x2 * w2 + x3 * w3)
    }
    #[inline(always)]
    fn store_bytes(self, x: [i32; 4], to: &mut [u8]) {
        to[..4].copy_from_slice(&x.map(|x| x as u8));
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;

    use super::Quads;
    use crate::simd::{Avx2, Avx512, ForEachIsa, Simd};

    /// Interleaving and packing work within parts of 128 bits.
    fn channel(vector: usize, lane: usize) -> usize {
        16 * (lane / 4) + 4 * vector + lane % 4
    }

    /// Interleaves four rows of 32 bytes.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn interleave([a, b, c, d]: [&[u8]; 4], flip: u8) -> [__m256i; 4] {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn load(row: &[u8], flip: u8) -> __m256i {
            let row = &row[..32];
            // SAFETY: `row` has 32 bytes.
            let bytes = unsafe { _mm256_loadu_si256(row.as_ptr().cast()) };
            _mm256_xor_si256(bytes, _mm256_set1_epi8(flip.cast_signed()))
        }
        let (a, b, c, d) = (load(a, flip), load(b, flip), load(c, flip), load(d, flip));
        let (low_ab, high_ab) = (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
        let (low_cd, high_cd) = (_mm256_unpacklo_epi8(c, d), _mm256_unpackhi_epi8(c, d));
        [
            _mm256_unpacklo_epi16(low_ab, low_cd),
            _mm256_unpackhi_epi16(low_ab, low_cd),
            _mm256_unpacklo_epi16(high_ab, high_cd),
            _mm256_unpackhi_epi16(high_ab, high_cd),
        ]
    }

    impl Quads for Avx2 {
        is_simd!();

        type Quad = [__m256i; 2];

        const WORDS: usize = 2;
        const SIGNED: bool = false;

        fn channel(vector: usize, lane: usize) -> usize {
            channel(vector, lane)
        }
        #[inline(always)]
        fn quads(self, rows: [&[u8]; 4], flip: u8) -> [[__m256i; 2]; 4] {
            #[inline]
            #[target_feature(enable = "avx2")]
            fn split(quads: __m256i) -> [__m256i; 2] {
                let even = _mm256_and_si256(quads, _mm256_set1_epi16(0xff));
                [even, _mm256_srli_epi16::<8>(quads)]
            }
            #[inline]
            #[target_feature(enable = "avx2")]
            fn inner(rows: [&[u8]; 4], flip: u8) -> [[__m256i; 2]; 4] {
                let [a, b, c, d] = interleave(rows, flip);
                [split(a), split(b), split(c), split(d)]
            }
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(rows, flip) }
        }
        #[inline(always)]
        fn dot(self, quad: [__m256i; 2], weights: &[i32], sum: __m256i) -> __m256i {
            #[inline]
            #[target_feature(enable = "avx2")]
            fn inner(quad: [__m256i; 2], weights: [__m256i; 2], sum: __m256i) -> __m256i {
                let even = _mm256_madd_epi16(quad[0], weights[0]);
                let odd = _mm256_madd_epi16(quad[1], weights[1]);
                _mm256_add_epi32(sum, _mm256_add_epi32(even, odd))
            }
            let weights = [self.load_i32(weights), self.load_i32(&weights[8..])];
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(quad, weights, sum) }
        }
        #[inline(always)]
        fn store_bytes(self, x: [__m256i; 4], to: &mut [u8]) {
            #[inline]
            #[target_feature(enable = "avx2")]
            fn inner([a, b, c, d]: [__m256i; 4], to: &mut [u8]) {
                let to = &mut to[..32];
                let byte = _mm256_set1_epi16(0xff);
                let low = _mm256_and_si256(_mm256_packs_epi32(a, b), byte);
                let high = _mm256_and_si256(_mm256_packs_epi32(c, d), byte);
                let bytes = _mm256_packus_epi16(low, high);
                // SAFETY: `to` has 32 bytes.
                unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), bytes) }
            }
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(x, to) }
        }
    }

    /// The half of an AVX-512 vector, for channels that do not fill whole ones.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Half {
        simd: Avx2,
        proof: Avx512,
    }

    impl Quads for Half {
        type Simd = Avx2;
        type Quad = __m256i;

        const WORDS: usize = 1;
        const SIGNED: bool = false;

        #[inline(always)]
        fn simd(self) -> Avx2 {
            self.simd
        }
        #[inline(always)]
        fn call<W: ForEachIsa<Output = ()>>(self, work: W) {
            Simd::call(self.proof, work);
        }
        fn channel(vector: usize, lane: usize) -> usize {
            channel(vector, lane)
        }
        #[inline(always)]
        fn quads(self, rows: [&[u8]; 4], flip: u8) -> [__m256i; 4] {
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { interleave(rows, flip) }
        }
        #[inline(always)]
        fn dot(self, quad: __m256i, weights: &[i32], sum: __m256i) -> __m256i {
            #[inline]
            #[target_feature(enable = "avx512vl,avx512vnni")]
            fn inner(quad: __m256i, weights: __m256i, sum: __m256i) -> __m256i {
                _mm256_dpbusd_epi32(sum, quad, weights)
            }
            let weights = self.simd.load_i32(weights);
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(quad, weights, sum) }
        }
        #[inline(always)]
        fn store_bytes(self, x: [__m256i; 4], to: &mut [u8]) {
            Quads::store_bytes(self.simd, x, to);
        }
    }

    impl Quads for Avx512 {
        is_simd!();

        type Quad = __m512i;

        const WORDS: usize = 1;
        const SIGNED: bool = false;

        fn channel(vector: usize, lane: usize) -> usize {
            channel(vector, lane)
        }
        #[inline(always)]
        fn quads(self, rows: [&[u8]; 4], flip: u8) -> [__m512i; 4] {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw")]
            fn load(row: &[u8], flip: u8) -> __m512i {
                let row = &row[..64];
                // SAFETY: `row` has 64 bytes.
                let bytes = unsafe { _mm512_loadu_si512(row.as_ptr().cast()) };
                _mm512_xor_si512(bytes, _mm512_set1_epi8(flip.cast_signed()))
            }
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw")]
            fn inner([a, b, c, d]: [&[u8]; 4], flip: u8) -> [__m512i; 4] {
                let (a, b, c, d) = (load(a, flip), load(b, flip), load(c, flip), load(d, flip));
                let (low_ab, high_ab) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
                let (low_cd, high_cd) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
                [
                    _mm512_unpacklo_epi16(low_ab, low_cd),
                    _mm512_unpackhi_epi16(low_ab, low_cd),
                    _mm512_unpacklo_epi16(high_ab, high_cd),
                    _mm512_unpackhi_epi16(high_ab, high_cd),
                ]
            }
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(rows, flip) }
        }
        #[inline(always)]
        fn dot(self, quad: __m512i, weights: &[i32], sum: __m512i) -> __m512i {
            #[inline]
            #[target_feature(enable = "avx512f,avx512vnni")]
            fn inner(quad: __m512i, weights: __m512i, sum: __m512i) -> __m512i {
                _mm512_dpbusd_epi32(sum, quad, weights)
            }
            let weights = self.load_i32(weights);
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(quad, weights, sum) }
        }
        #[inline(always)]
        fn store_bytes(self, x: [__m512i; 4], to: &mut [u8]) {
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw")]
            fn inner([a, b, c, d]: [__m512i; 4], to: &mut [u8]) {
                let to = &mut to[..64];
                let byte = _mm512_set1_epi16(0xff);
                let low = _mm512_and_si512(_mm512_packs_epi32(a, b), byte);
                let high = _mm512_and_si512(_mm512_packs_epi32(c, d), byte);
                let bytes = _mm512_packus_epi16(low, high);
                // SAFETY: `to` has 64 bytes.
                unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), bytes) }
            }
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(x, to) }
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use std::arch::aarch64::*;

    use super::Quads;
    use crate::gemm::int8::Dot;
    use crate::simd::{Neon, Simd};

    impl Quads for Neon {
        is_simd!();

        type Quad = int32x4_t;

        const WORDS: usize = 1;
        const SIGNED: bool = true;

        fn channel(vector: usize, lane: usize) -> usize {
            4 * vector + lane
        }
        #[inline(always)]
        fn quads(self, rows: [&[u8]; 4], flip: u8) -> [int32x4_t; 4] {
            #[inline]
            #[target_feature(enable = "neon")]
            fn load(row: &[u8], flip: u8) -> uint8x16_t {
                let row = &row[..16];
                // SAFETY: `row` has 16 bytes.
                let bytes = unsafe { vld1q_u8(row.as_ptr()) };
                veorq_u8(bytes, vdupq_n_u8(flip))
            }
            #[inline]
            #[target_feature(enable = "neon")]
            fn zip(a: uint8x16_t, b: uint8x16_t) -> [uint16x8_t; 2] {
                [vreinterpretq_u16_u8(vzip1q_u8(a, b)), vreinterpretq_u16_u8(vzip2q_u8(a, b))]
            }
            #[inline]
            #[target_feature(enable = "neon")]
            fn inner([a, b, c, d]: [&[u8]; 4], flip: u8) -> [int32x4_t; 4] {
                let [low_ab, high_ab] = zip(load(a, flip), load(b, flip));
                let [low_cd, high_cd] = zip(load(c, flip), load(d, flip));
                [
                    vreinterpretq_s32_u16(vzip1q_u16(low_ab, low_cd)),
                    vreinterpretq_s32_u16(vzip2q_u16(low_ab, low_cd)),
                    vreinterpretq_s32_u16(vzip1q_u16(high_ab, high_cd)),
                    vreinterpretq_s32_u16(vzip2q_u16(high_ab, high_cd)),
                ]
            }
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(rows, flip) }
        }
        #[inline(always)]
        fn dot(self, quad: int32x4_t, weights: &[i32], sum: int32x4_t) -> int32x4_t {
            Dot::dot(self, quad, self.load_i32(weights), sum)
        }
        #[inline(always)]
        fn store_bytes(self, x: [int32x4_t; 4], to: &mut [u8]) {
            #[inline]
            #[target_feature(enable = "neon")]
            fn inner([a, b, c, d]: [int32x4_t; 4], to: &mut [u8]) {
                let to = &mut to[..16];
                let low = vcombine_s8(
                    vmovn_s16(vcombine_s16(vmovn_s32(a), vmovn_s32(b))),
                    vmovn_s16(vcombine_s16(vmovn_s32(c), vmovn_s32(d))),
                );
                let low = vreinterpretq_u8_s8(low);
                // SAFETY: `to` has 16 bytes.
                unsafe { vst1q_u8(to.as_mut_ptr(), low) }
            }
            // SAFETY: a token exists only where the machine has the instructions.
            unsafe { inner(x, to) }
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm {
    use std::arch::wasm32::*;

    use super::Quads;
    use crate::simd::{Simd, Simd128};

    #[inline(always)]
    fn load(row: &[u8], flip: u8) -> v128 {
        let row = &row[..16];
        // SAFETY: `row` has 16 bytes.
        v128_xor(unsafe { v128_load(row.as_ptr().cast()) }, u8x16_splat(flip))
    }

    /// The bytes of two rows in turn.
    #[inline(always)]
    fn zip(a: &[u8], b: &[u8], flip: u8) -> [v128; 2] {
        let (a, b) = (load(a, flip), load(b, flip));
        [
            i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(a, b),
            i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(a, b),
        ]
    }

    /// Even bytes and odd ones as 16-bit integers.
    #[inline(always)]
    fn split(quads: v128) -> [v128; 2] {
        [v128_and(quads, u16x8_splat(0xff)), u16x8_shr(quads, 8)]
    }

    impl Quads for Simd128 {
        is_simd!();

        type Quad = [v128; 2];

        const WORDS: usize = 2;
        const SIGNED: bool = false;

        fn channel(vector: usize, lane: usize) -> usize {
            4 * vector + lane
        }
        #[inline(always)]
        fn quads(self, rows: [&[u8]; 4], flip: u8) -> [[v128; 2]; 4] {
            let (ab, cd) = (zip(rows[0], rows[1], flip), zip(rows[2], rows[3], flip));
            [
                split(i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(ab[0], cd[0])),
                split(i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(ab[0], cd[0])),
                split(i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(ab[1], cd[1])),
                split(i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(ab[1], cd[1])),
            ]
        }
        #[inline(always)]
        fn dot(self, quad: [v128; 2], weights: &[i32], sum: v128) -> v128 {
            let even = i32x4_dot_i16x8(quad[0], self.load_i32(weights));
            let odd = i32x4_dot_i16x8(quad[1], self.load_i32(&weights[4..]));
            i32x4_add(sum, i32x4_add(even, odd))
        }
        #[inline(always)]
        fn store_bytes(self, [a, b, c, d]: [v128; 4], to: &mut [u8]) {
            let to = &mut to[..16];
            let byte = u16x8_splat(0xff);
            let low = v128_and(i16x8_narrow_i32x4(a, b), byte);
            let high = v128_and(i16x8_narrow_i32x4(c, d), byte);
            // SAFETY: `to` has 16 bytes.
            unsafe { v128_store(to.as_mut_ptr().cast(), u8x16_narrow_i16x8(low, high)) }
        }
    }
}
