//! B held in 4 or 8 bits: weights that become floats on their way into the registers.
//!
//! An element becomes `(element - zero point) * scale`, in f32, before it is multiplied. For many
//! rows a panel's piece is turned into floats in the cache and then is a panel like any other; for
//! few, which are bound by the memory that the weights come from, it happens in the registers.

use std::ops::Range;

use super::Tile;
use super::pack::{PackedRef, Panels};
use super::tile::{Call, expect, finish, prefetch};
use crate::buffer::Buffer;
use crate::simd::{ForEachIsa, MAX_LANES, Simd, dispatch};

/// The elements of a quantized B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// -8 to 7, two in a byte, the first in the lower half.
    Int4,
    /// 0 to 15, two in a byte, the first in the lower half.
    Uint4,
    /// -128 to 127.
    Int8,
    /// 0 to 255.
    Uint8,
}

impl Bits {
    /// Whether two elements share a byte.
    fn is_half(self) -> bool {
        match self {
            Bits::Int4 | Bits::Uint4 => true,
            Bits::Int8 | Bits::Uint8 => false,
        }
    }

    /// What is added to make an element unsigned.
    fn shift(self) -> i32 {
        match self {
            Bits::Int4 => 8,
            Bits::Int8 => 128,
            Bits::Uint4 | Bits::Uint8 => 0,
        }
    }

    /// The unsigned form of an element.
    fn unsigned(self, data: &[u8], index: usize) -> u8 {
        match self {
            Bits::Uint8 => data[index],
            Bits::Int8 => data[index] ^ 0x80,
            Bits::Uint4 => data[index / 2] >> (index % 2 * 4) & 15,
            Bits::Int4 => (data[index / 2] >> (index % 2 * 4) & 15) ^ 8,
        }
    }
}

/// A quantized B before it is packed: k rows and n columns.
#[derive(Clone, Copy, Debug)]
pub struct Quantized<'a> {
    /// The elements.
    pub data: &'a [u8],
    /// How they are held.
    pub bits: Bits,
    /// k and n.
    pub shape: [usize; 2],
    /// From one row, and from one column, to the next, in elements.
    pub strides: [usize; 2],
    /// How many rows share a scale and a zero point: k where there is one per column.
    pub block: usize,
    /// A scale per block of rows and column: n for each block in turn.
    pub scales: &'a [f32],
    /// As many zero points, or none for zeros.
    pub zero_points: &'a [i32],
}

/// A packed quantized B.
#[derive(Debug)]
pub struct PackedQuantized {
    tile: &'static Tile,
    k: usize,
    n: usize,
    bits: Bits,
    block: usize,
    /// Panels of `nr` columns: a row of bytes for each row, or for each two.
    data: Buffer<u8>,
    /// Panels of `nr` columns: per block a row of scales, then one of zero points.
    scales: Buffer<f32>,
}

impl PackedQuantized {
    /// Packs B.
    ///
    /// # Panics
    ///
    /// When elements, scales or zero points are fewer than the shape says.
    pub fn new(tile: &'static Tile, b: &Quantized<'_>) -> Self {
        let ([k, n], nr, bits) = (b.shape, tile.nr, b.bits);
        let block = b.block.clamp(1, k.max(1));
        let blocks = k.div_ceil(block);
        assert!(b.scales.len() >= blocks * n, "{} scales, expected {}", b.scales.len(), blocks * n);
        assert!(
            b.zero_points.is_empty() || b.zero_points.len() >= blocks * n,
            "{} zero points, expected {}",
            b.zero_points.len(),
            blocks * n
        );
        let panels = tile.panels(n);
        let mut packed = Self {
            tile,
            k,
            n,
            bits,
            block,
            data: Buffer::zeroed(0),
            scales: Buffer::zeroed(panels * blocks * 2 * nr),
        };
        packed.data = Buffer::zeroed(panels * packed.rows(k) * nr);
        let panel_len = packed.rows(k) * nr;
        for j in 0..n {
            let data = &mut packed.data[j / nr * panel_len..];
            for i in 0..k {
                let x = bits.unsigned(b.data, i * b.strides[0] + j * b.strides[1]);
                if bits.is_half() {
                    data[i / 2 * nr + j % nr] |= x << (i % 2 * 4);
                } else {
                    data[i * nr + j % nr] = x;
                }
            }
            let scales = &mut packed.scales[j / nr * blocks * 2 * nr..];
            for i in 0..blocks {
                let zero = b.zero_points.get(i * n + j).copied().unwrap_or(0);
                scales[2 * i * nr + j % nr] = b.scales[i * n + j];
                scales[(2 * i + 1) * nr + j % nr] = (zero + bits.shift()) as f32;
            }
        }
        packed
    }

    /// What the driver takes.
    pub fn view(&self) -> PackedRef<'_> {
        PackedRef { data: Panels::Quantized(self), k: self.k, n: self.n, tile: self.tile }
    }

    /// The rows of bytes that hold so many rows.
    fn rows(&self, k: usize) -> usize {
        if self.bits.is_half() { k.div_ceil(2) } else { k }
    }

    /// Turns some rows of one panel into floats: rows of `width`, at most `nr`.
    pub(crate) fn floats(&self, panel: usize, rows: Range<usize>, width: usize, to: &mut [f32]) {
        let nr = self.tile.nr;
        let blocks = self.k.div_ceil(self.block);
        let panel_len = self.rows(self.k) * nr;
        dispatch(
            self.tile.isa,
            Floats {
                data: &self.data[panel * panel_len..][..panel_len],
                scales: &self.scales[panel * blocks * 2 * nr..][..blocks * 2 * nr],
                nr,
                half: self.bits.is_half(),
                block: self.block,
                rows,
                width,
                to,
            },
        );
    }
}

/// The most rows that are multiplied without floats in memory.
pub(crate) const FEW: usize = 4;

impl PackedQuantized {
    /// Computes a tile of at most [`FEW`] rows and one panel of `width` columns.
    ///
    /// # Safety
    ///
    /// As for [`super::tile::Run`], but for the call's `b`, which is not used.
    pub(crate) unsafe fn few(
        &self,
        call: &Call,
        rows: usize,
        panel: usize,
        first: usize,
        width: usize,
    ) {
        let nr = self.tile.nr;
        let blocks = self.k.div_ceil(self.block);
        let panel_len = self.rows(self.k) * nr;
        let few = Few {
            call,
            rows,
            width,
            first,
            data: &self.data[panel * panel_len..][..panel_len],
            scales: &self.scales[panel * blocks * 2 * nr..][..blocks * 2 * nr],
            nr,
            half: self.bits.is_half(),
            block: self.block,
        };
        dispatch(self.tile.isa, few);
    }
}

/// The work of [`PackedQuantized::few`]. Only it makes one, so that its promises hold.
struct Few<'a> {
    call: &'a Call,
    rows: usize,
    width: usize,
    /// The first element of k.
    first: usize,
    data: &'a [u8],
    scales: &'a [f32],
    nr: usize,
    half: bool,
    block: usize,
}

impl ForEachIsa for Few<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.width / S::LANES {
            1 => self.vectors::<S, 1>(s),
            2 => self.vectors::<S, 2>(s),
            3 => self.vectors::<S, 3>(s),
            4 => self.vectors::<S, 4>(s),
            vectors => unreachable!("a panel of {vectors} vectors"),
        }
    }
}

impl Few<'_> {
    #[inline(always)]
    fn vectors<S: Simd, const NV: usize>(&self, s: S) {
        match self.rows {
            1 => self.sums::<S, 1, NV>(s),
            2 => self.sums::<S, 2, NV>(s),
            3 => self.sums::<S, 3, NV>(s),
            FEW => self.sums::<S, FEW, NV>(s),
            rows => unreachable!("{rows} rows are not few"),
        }
    }

    #[inline(always)]
    fn sums<S: Simd, const MR: usize, const NV: usize>(&self, s: S) {
        if self.half {
            self.sums_of::<S, MR, NV, true>(s);
        } else {
            self.sums_of::<S, MR, NV, false>(s);
        }
    }

    #[inline(always)]
    fn sums_of<S: Simd, const MR: usize, const NV: usize, const HALF: bool>(&self, s: S) {
        let call = self.call;
        let mut sums = [[s.splat(0.0); NV]; MR];
        expect::<S, MR, NV>(call);
        for segment in 0..call.segments {
            let rows = call.rows.wrapping_add(segment * MR).cast::<[*const f32; MR]>();
            // SAFETY: the table has `MR` pointers for each segment.
            let rows = unsafe { rows.read() };
            let start = self.first + segment * call.depth;
            let mut next = start;
            while next < start + call.depth {
                // The rows of B that share a scale.
                let end = (start + call.depth).min((next / self.block + 1) * self.block);
                let shared = &self.scales[next / self.block * 2 * self.nr..];
                let mut scales = [(s.splat(0.0), s.splat(0.0)); NV];
                for (v, scale) in scales.iter_mut().enumerate() {
                    let at = v * S::LANES;
                    *scale = (s.load(&shared[at..]), s.load(&shared[self.nr + at..]));
                }
                for k in next..end {
                    let from = if HALF { k / 2 } else { k } * self.nr;
                    let bytes = &self.data[from..][..NV * S::LANES];
                    prefetch(bytes.as_ptr().wrapping_add(AHEAD));
                    let mut columns = [s.splat(0.0); NV];
                    for (v, column) in columns.iter_mut().enumerate() {
                        *column = float::<S, HALF>(s, &bytes[v * S::LANES..], k, scales[v]);
                    }
                    for (i, row) in sums.iter_mut().enumerate() {
                        // SAFETY: each pointer of the table has `depth` elements behind it.
                        let a = s.splat(unsafe { *rows[i].wrapping_add((k - start) * call.step) });
                        for (sum, &column) in row.iter_mut().zip(&columns) {
                            *sum = s.mul_add(a, column, *sum);
                        }
                    }
                }
                next = end;
            }
        }
        // SAFETY: `few`'s caller vouches for `start` and `c`.
        unsafe { finish(s, call, sums) };
    }
}

/// How far ahead of its use a panel's line is asked for, in bytes.
const AHEAD: usize = 2048;

/// A vector of row `k` of B: its bytes as floats.
#[inline(always)]
fn float<S: Simd, const HALF: bool>(
    s: S,
    bytes: &[u8],
    k: usize,
    (scale, zero): (S::F32, S::F32),
) -> S::F32 {
    let x = integers::<S>(s, bytes);
    let x = match (HALF, k % 2) {
        (false, _) => x,
        (true, 0) => s.and_i32(x, s.splat_i32(15)),
        (true, _) => s.shr_i32::<4>(x),
    };
    s.mul(s.sub(s.to_f32(x), zero), scale)
}

/// The work of [`PackedQuantized::floats`].
struct Floats<'a> {
    data: &'a [u8],
    scales: &'a [f32],
    nr: usize,
    half: bool,
    block: usize,
    rows: Range<usize>,
    width: usize,
    to: &'a mut [f32],
}

impl ForEachIsa for Floats<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.half { self.rows::<S, true>(s) } else { self.rows::<S, false>(s) }
    }
}

impl Floats<'_> {
    #[inline(always)]
    fn rows<S: Simd, const HALF: bool>(self, s: S) {
        let Self { data, scales, nr, block, rows, width, to, .. } = self;
        for at in (0..width).step_by(S::LANES) {
            let mut next = rows.start;
            while next < rows.end {
                // The rows that share a scale.
                let end = rows.end.min((next / block + 1) * block);
                let scales = &scales[next / block * 2 * nr + at..];
                let (scale, zero) = (s.load(scales), s.load(&scales[nr..]));
                let to = &mut to[(next - rows.start) * width..(end - rows.start) * width];
                for (k, to) in (next..end).zip(to.chunks_exact_mut(width)) {
                    let from = if HALF { k / 2 * nr + at } else { k * nr + at };
                    let x = float::<S, HALF>(s, &data[from..], k, (scale, zero));
                    s.store(x, &mut to[at..]);
                }
                next = end;
            }
        }
    }
}

/// A vector of integers from as many bytes.
#[inline(always)]
fn integers<S: Simd>(s: S, bytes: &[u8]) -> S::I32 {
    let mut line = [0; MAX_LANES];
    for (to, &x) in line[..S::LANES].iter_mut().zip(&bytes[..S::LANES]) {
        *to = i32::from(x);
    }
    s.load_i32(&line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::{
        Block, F32, Filter, Finish, Matrix, MatrixMut, PackedB, Rows, gemm, scratch_bytes,
    };

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 157 + i / 7 * 31) as u8).collect()
    }

    fn product(a: &[f32], b: PackedRef<'_>, [m, n, k]: [usize; 3]) -> Vec<f32> {
        let rows = Rows::Matrix(Matrix::row_major(a, [m, k]));
        let mut c = vec![f32::NAN; m * n];
        let mut scratch = vec![0; scratch_bytes(rows.depth(), m)];
        let block = Block { rows: 0..m, columns: 0..n };
        let to = MatrixMut::new(&mut c, [m, n], n);
        gemm(&rows, b, to, &block, &Finish::NONE, &mut scratch);
        c
    }

    #[test]
    fn products_have_the_bits_of_weights_dequantized_beforehand() {
        for tile in F32.iter().filter(|tile| tile.isa.is_available()) {
            for [m, n, k] in [[1, 1, 1], [1, 300, 96], [2, 70, 33], [5, 40, 300], [40, 65, 520]] {
                for bits in [Bits::Int4, Bits::Uint4, Bits::Int8, Bits::Uint8] {
                    for (block, strides) in [(k, [n, 1]), (32, [1, k]), (5, [n, 1])] {
                        let data = bytes(n * k);
                        let blocks = k.div_ceil(block);
                        let scales: Vec<f32> =
                            (0..blocks * n).map(|i| 0.01 + (i % 17) as f32 * 1e-3).collect();
                        let zero_points: Vec<i32> =
                            (0..blocks * n).map(|i| (i % 5) as i32 - 1).collect();
                        let a: Vec<f32> = (0..m * k).map(|i| (i % 29) as f32 / 7.0 - 2.0).collect();
                        let mut floats = vec![0.0; k * n];
                        for i in 0..k {
                            for j in 0..n {
                                let index = i * strides[0] + j * strides[1];
                                let nibble = i32::from(data[index / 2] >> (index % 2 * 4) & 15);
                                let x = match bits {
                                    Bits::Uint8 => i32::from(data[index]),
                                    Bits::Int8 => i32::from(data[index] as i8),
                                    Bits::Uint4 => nibble,
                                    Bits::Int4 => {
                                        if nibble > 7 {
                                            nibble - 16
                                        } else {
                                            nibble
                                        }
                                    }
                                };
                                let at = i / block * n + j;
                                floats[i * n + j] = (x - zero_points[at]) as f32 * scales[at];
                            }
                        }
                        let filter = Filter::from(Matrix::row_major(&floats, [k, n]));
                        let plain = PackedB::new(tile, filter);
                        let quantized = PackedQuantized::new(
                            tile,
                            &Quantized {
                                data: &data,
                                bits,
                                shape: [k, n],
                                strides,
                                block,
                                scales: &scales,
                                zero_points: &zero_points,
                            },
                        );
                        assert_eq!(
                            product(&a, quantized.view(), [m, n, k]),
                            product(&a, plain.view(), [m, n, k]),
                            "{}: {m} x {n} x {k}, {bits:?}, blocks of {block}",
                            tile.name
                        );
                    }
                }
            }
        }
    }
}
