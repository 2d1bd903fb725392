//! B held in 4 or 8 bits: weights that become floats on their way into the registers.
//!
//! For many rows a panel's piece is turned into floats in the cache, `(element - zero point) * scale`
//! in f32, and then is a panel like any other. For few, which are bound by the memory that the
//! weights come from, the floats never leave the registers ([`super::few`]).

use std::marker::PhantomData;
use std::ops::Range;

use super::Tile;
use super::pack::{PackedRef, Panels};
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
    /// How many bits an element has.
    pub(super) fn count(self) -> usize {
        match self {
            Bits::Int4 | Bits::Uint4 => 4,
            Bits::Int8 | Bits::Uint8 => 8,
        }
    }

    /// How many elements share a word.
    fn per_word(self) -> usize {
        32 / self.count()
    }

    /// What is added to make an element unsigned.
    fn shift(self) -> i32 {
        match self {
            Bits::Int4 => 8,
            Bits::Int8 => 128,
            Bits::Uint4 | Bits::Uint8 => 0,
        }
    }

    /// Rows of a column as a word.
    fn word(self, b: &Quantized<'_>, rows: Range<usize>, column: usize) -> i32 {
        let bits = self.count();
        let element = |i| self.unsigned(b.data, i * b.strides[0] + column * b.strides[1]);
        let fields = rows.enumerate().map(|(place, i)| u32::from(element(i)) << (place * bits));
        fields.fold(0, |word, field| word | field).cast_signed()
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
    /// As many zero points, or none for zeros. They are of the elements' type.
    pub zero_points: &'a [i32],
}

/// A packed quantized B.
#[derive(Debug)]
pub struct PackedQuantized {
    pub(super) tile: &'static Tile,
    pub(super) k: usize,
    n: usize,
    pub(super) bits: Bits,
    pub(super) block: usize,
    /// Strips of a vector of columns: rows of words, each word some elements of its column, the
    /// first in the lowest bits. A block of rows begins with a word.
    data: Buffer<i32>,
    /// Strips as well: a row of scales per block.
    scales: Buffer<f32>,
    /// The zero points of the unsigned elements.
    zeros: Zeros,
}

#[derive(Debug)]
enum Zeros {
    /// All are the same.
    One(u8),
    /// They lie as the scales do.
    Each(Buffer<u8>),
}

/// One strip of a packed quantized B.
#[derive(Clone, Copy)]
pub(super) struct Strip<'a> {
    pub(super) data: &'a [i32],
    pub(super) scales: &'a [f32],
    pub(super) zeros: StripZeros<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum StripZeros<'a> {
    One(u8),
    Each(&'a [u8]),
}

impl PackedQuantized {
    /// Packs B.
    ///
    /// # Panics
    ///
    /// When elements, scales or zero points are fewer than the shape says, or zero points are not
    /// of the elements' type.
    pub fn new(tile: &'static Tile, b: &Quantized<'_>) -> Self {
        let ([k, n], lanes, bits) = (b.shape, tile.lanes, b.bits);
        let block = b.block.clamp(1, k.max(1));
        let blocks = k.div_ceil(block);
        assert!(b.scales.len() >= blocks * n, "{} scales, expected {}", b.scales.len(), blocks * n);
        assert!(
            b.zero_points.is_empty() || b.zero_points.len() >= blocks * n,
            "{} zero points, expected {}",
            b.zero_points.len(),
            blocks * n
        );
        let columns = n.next_multiple_of(lanes);
        let mut packed = Self {
            tile,
            k,
            n,
            bits,
            block,
            data: Buffer::zeroed(0),
            scales: Buffer::zeroed(columns * blocks),
            zeros: Zeros::One(0),
        };
        packed.data = Buffer::zeroed(columns * packed.words());
        let mut rows_of_words = packed.data.chunks_exact_mut(lanes);
        for first in (0..n).step_by(lanes) {
            for start in (0..k).step_by(block) {
                let end = k.min(start + block);
                for row in (start..end).step_by(bits.per_word()) {
                    let rows = row..end.min(row + bits.per_word());
                    let words = rows_of_words.next().expect("there is room for each row of words");
                    for (word, column) in words.iter_mut().zip(first..n) {
                        *word = bits.word(b, rows.clone(), column);
                    }
                }
            }
        }
        let place = |i: usize, j: usize| (j / lanes * blocks + i) * lanes + j % lanes;
        let each = || (0..blocks).flat_map(|i| (0..n).map(move |j| (i, j)));
        for (i, j) in each() {
            packed.scales[place(i, j)] = b.scales[i * n + j];
        }
        let zero = |index: usize| {
            let zero = b.zero_points.get(index).map_or(0, |zero| *zero) + bits.shift();
            u8::try_from(zero).expect("a zero point is of the elements' type")
        };
        let is_one = (0..b.zero_points.len().min(blocks * n)).all(|i| zero(i) == zero(0));
        packed.zeros = if is_one {
            Zeros::One(zero(0))
        } else {
            let mut zeros = Buffer::zeroed(packed.scales.len());
            each().for_each(|(i, j)| zeros[place(i, j)] = zero(i * n + j));
            Zeros::Each(zeros)
        };
        packed
    }

    /// What the driver takes.
    pub fn view(&self) -> PackedRef<'_> {
        PackedRef {
            data: Panels::Quantized(self),
            k: self.k,
            n: self.n,
            tile: self.tile,
            near: false,
            in_parts: false,
        }
    }

    /// The words of a column.
    fn words(&self) -> usize {
        let per_word = self.bits.per_word();
        let (whole, rest) = (self.k / self.block, self.k % self.block);
        whole * self.block.div_ceil(per_word) + rest.div_ceil(per_word)
    }

    /// The strip that begins with a column.
    pub(super) fn strip(&self, column: usize) -> Strip<'_> {
        let (words, blocks) = (self.words(), self.k.div_ceil(self.block));
        let column = column / self.tile.lanes * self.tile.lanes;
        let part = |len: usize| column * len..(column + self.tile.lanes) * len;
        Strip {
            data: &self.data[part(words)],
            scales: &self.scales[part(blocks)],
            zeros: match &self.zeros {
                Zeros::One(zero) => StripZeros::One(*zero),
                Zeros::Each(zeros) => StripZeros::Each(&zeros[part(blocks)]),
            },
        }
    }

    /// Turns some rows of one panel into floats: rows of `width`, at most `nr`.
    pub(super) fn floats(&self, panel: usize, rows: Range<usize>, width: usize, to: &mut [f32]) {
        dispatch(self.tile.isa, Floats { b: self, panel, rows, width, to });
    }
}

/// How elements of `BITS` are taken out of words: some at a time become fractions of floats.
pub(super) struct Fields<S, const BITS: usize>(PhantomData<S>);

impl<S: Simd, const BITS: usize> Fields<S, BITS> {
    /// The elements that are taken together, each from a place of its own. For each place there are
    /// constants, which should stay in registers.
    pub(super) const PLACES: usize = if S::ISA.has_many_registers() { 16 / BITS } else { 2 };

    /// What [`Fields::at`] adds: of this power of two's fraction the bits at the last place count
    /// ones.
    pub(super) const OFFSET: f32 = f32::from_bits(Self::EXPONENT);

    const EXPONENT: u32 = (127 + 23 - (Self::PLACES - 1) * BITS) as u32 * (1 << 23);

    /// What an element is multiplied by in [`Fields::at`]: 1 at the last place.
    pub(super) const fn weight(place: usize) -> f32 {
        1.0 / (1 << ((Self::PLACES - 1 - place) * BITS)) as f32
    }

    /// The first elements of words, as fractions of one float.
    #[inline(always)]
    pub(super) fn first(s: S, words: S::I32) -> S::I32 {
        let mask = s.splat_i32((1 << (Self::PLACES * BITS)) - 1);
        s.or_i32(s.and_i32(words, mask), s.splat_i32(Self::EXPONENT as i32))
    }

    /// Moves the elements after the first ones to their places.
    #[inline(always)]
    pub(super) fn shift(s: S, words: S::I32) -> S::I32 {
        if Self::PLACES * BITS == 16 { s.shr_i32::<16>(words) } else { s.shr_i32::<8>(words) }
    }

    /// The `index`-th elements of words, plus the offset.
    #[inline(always)]
    pub(super) fn one(s: S, words: &[i32], index: usize) -> S::F32 {
        let mut line = [0; MAX_LANES];
        for (to, word) in line[..S::LANES].iter_mut().zip(words) {
            *to = (word >> (index * BITS) & ((1 << BITS) - 1)) << ((Self::PLACES - 1) * BITS);
        }
        s.with_bits(s.or_i32(s.load_i32(&line), s.splat_i32(Self::EXPONENT as i32)))
    }

    /// The element at a place of [`Fields::first`] times its weight, exactly, plus the offset.
    #[inline(always)]
    pub(super) fn at(s: S, first: S::I32, place: usize) -> S::F32 {
        let element = ((1 << BITS) - 1) << (place * BITS);
        s.with_bits(s.and_i32(first, s.splat_i32(0x7f80_0000 | element)))
    }
}

/// The work of [`PackedQuantized::floats`].
struct Floats<'a> {
    b: &'a PackedQuantized,
    panel: usize,
    rows: Range<usize>,
    width: usize,
    to: &'a mut [f32],
}

impl ForEachIsa for Floats<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for at in (0..self.width).step_by(S::LANES) {
            let strip = self.b.strip(self.panel * self.b.tile.nr + at);
            if self.b.bits.count() == 4 {
                self.strip::<S, 4>(s, strip, at);
            } else {
                self.strip::<S, 8>(s, strip, at);
            }
        }
    }
}

impl Floats<'_> {
    #[inline(always)]
    fn strip<S: Simd, const BITS: usize>(&mut self, s: S, strip: Strip<'_>, at: usize) {
        let (block, rows) = (self.b.block, self.rows.clone());
        let (per_word, places) = (32 / BITS, Fields::<S, BITS>::PLACES);
        let block_words = block.div_ceil(per_word);
        for index in rows.start / block..rows.end.div_ceil(block) {
            // The rows of this block that are wanted, counted from its first.
            let block_start = index * block;
            let inside = rows.start.saturating_sub(block_start)..block.min(rows.end - block_start);
            let scale = s.load(&strip.scales[index * S::LANES..]);
            let minus_zero = s.neg(match strip.zeros {
                StripZeros::One(zero) => s.splat(f32::from(zero)),
                StripZeros::Each(zeros) => s.to_f32(s.load_u8(&zeros[index * S::LANES..])),
            });
            for word in inside.start / per_word..inside.end.div_ceil(per_word) {
                let mut words = s.load_i32(&strip.data[(index * block_words + word) * S::LANES..]);
                for i in 0..per_word {
                    if i > 0 && i.is_multiple_of(places) {
                        words = Fields::<S, BITS>::shift(s, words);
                    }
                    let row = word * per_word + i;
                    if inside.contains(&row) {
                        let first = Fields::<S, BITS>::first(s, words);
                        let x = Fields::<S, BITS>::at(s, first, i % places);
                        let x = s.sub(x, s.splat(Fields::<S, BITS>::OFFSET));
                        let unit = s.splat(1.0 / Fields::<S, BITS>::weight(i % places));
                        let x = s.mul_add(x, unit, minus_zero);
                        let to = &mut self.to[(block_start + row - rows.start) * self.width + at..];
                        s.store(s.mul(x, scale), to);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::{
        Block, F32, Filter, Finish, Matrix, MatrixMut, PackedB, Rows, Start, gemm, scratch_bytes,
    };

    /// A quantized B, and the floats that it stands for.
    struct Case {
        data: Vec<u8>,
        bits: Bits,
        shape: [usize; 2],
        strides: [usize; 2],
        block: usize,
        scales: Vec<f32>,
        zero_points: Vec<i32>,
    }

    impl Case {
        fn all(shape: [usize; 2]) -> impl Iterator<Item = Case> {
            let [k, n] = shape;
            let lay = [(k, [n, 1], 0), (32, [1, k], 5), (32, [1, k], 1), (5, [n, 1], 3)];
            let kinds = [Bits::Int4, Bits::Uint4, Bits::Int8, Bits::Uint8];
            let all = kinds.into_iter().flat_map(move |bits| lay.map(|lay| (bits, lay)));
            all.map(move |(bits, (block, strides, zeros))| {
                let count = k.div_ceil(block) * n;
                let zero = |i: usize| (i % zeros) as i32 + 8 - bits.shift().min(9);
                Case {
                    data: (0..n * k).map(|i| (i * 157 + i / 7 * 31) as u8).collect(),
                    bits,
                    shape,
                    strides,
                    block,
                    scales: (0..count).map(|i| 0.01 + (i % 17) as f32 * 1e-3).collect(),
                    zero_points: (0..count.min(count * zeros)).map(zero).collect(),
                }
            })
        }

        fn pack(&self, tile: &'static Tile) -> PackedQuantized {
            let Case { data, bits, shape, strides, block, scales, zero_points } = self;
            let (bits, shape, strides, block) = (*bits, *shape, *strides, *block);
            let b = Quantized { data, bits, shape, strides, block, scales, zero_points };
            PackedQuantized::new(tile, &b)
        }

        fn floats(&self) -> Vec<f32> {
            let [k, n] = self.shape;
            let mut floats = vec![0.0; k * n];
            for i in 0..k {
                for j in 0..n {
                    let index = i * self.strides[0] + j * self.strides[1];
                    let nibble = i32::from(self.data[index / 2] >> (index % 2 * 4) & 15);
                    let x = match self.bits {
                        Bits::Uint8 => i32::from(self.data[index]),
                        Bits::Int8 => i32::from(self.data[index] as i8),
                        Bits::Uint4 => nibble,
                        Bits::Int4 if nibble > 7 => nibble - 16,
                        Bits::Int4 => nibble,
                    };
                    let at = i / self.block * n + j;
                    let zero = self.zero_points.get(at).copied().unwrap_or(0);
                    floats[i * n + j] = (x - zero) as f32 * self.scales[at];
                }
            }
            floats
        }

        fn name(&self) -> String {
            let Case { bits, shape, block, zero_points, .. } = self;
            format!("{shape:?} of {bits:?} by {block}, {} zero points", zero_points.len())
        }
    }

    fn left(len: usize) -> Vec<f32> {
        (0..len).map(|i| (i % 29) as f32 / 7.0 - 2.0).collect()
    }

    /// A product, of which each call computes some rows and panels.
    fn product(a: &[f32], b: PackedRef<'_>, [m, n, k]: [usize; 3], cut: [usize; 2]) -> Vec<f32> {
        let rows = Rows::Matrix(Matrix::row_major(a, [m, k]));
        let mut c = vec![f32::NAN; m * n];
        let mut scratch = vec![0; scratch_bytes(rows.depth(), m)];
        for top in (0..m).step_by(cut[0]) {
            for first in (0..n).step_by(cut[1]) {
                let block =
                    Block { rows: top..m.min(top + cut[0]), columns: first..n.min(first + cut[1]) };
                let mut c = MatrixMut::new(&mut c, [m, n], n);
                let to = c.part(block.rows.clone(), block.columns.clone());
                gemm(&rows, b, to, &block, &Finish::NONE, &mut scratch);
            }
        }
        c
    }

    #[test]
    fn products_of_many_rows_have_the_bits_of_weights_dequantized_beforehand() {
        for tile in F32.iter().filter(|tile| tile.isa.is_available()) {
            for [m, n, k] in [[5, 40, 300], [40, 65, 520], [7, 1, 1]] {
                let a = left(m * k);
                for case in Case::all([k, n]) {
                    let floats = case.floats();
                    let filter = Filter::from(Matrix::row_major(&floats, [k, n]));
                    let (plain, quantized) = (PackedB::new(tile, filter), case.pack(tile));
                    assert_eq!(
                        product(&a, quantized.view(), [m, n, k], [m, n]),
                        product(&a, plain.view(), [m, n, k], [m, n]),
                        "{}: {m} rows, {}",
                        tile.name,
                        case.name()
                    );
                }
            }
        }
    }

    #[test]
    fn products_of_few_rows_match_their_definition_however_they_are_cut() {
        for tile in F32.iter().filter(|tile| tile.isa.is_available()) {
            for [m, n, k] in [[1, 1, 1], [1, 300, 96], [2, 70, 33], [3, 33, 270], [4, 81, 520]] {
                let a = left(m * k);
                for case in Case::all([k, n]) {
                    let name = format!("{}: {m} rows, {}", tile.name, case.name());
                    let (floats, b) = (case.floats(), case.pack(tile));
                    let whole = product(&a, b.view(), [m, n, k], [m, n]);
                    for (at, &y) in whole.iter().enumerate() {
                        let (i, j) = (at / n, at % n);
                        let terms =
                            (0..k).map(|l| f64::from(a[i * k + l]) * f64::from(floats[l * n + j]));
                        let (sum, size) =
                            terms.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
                        let error = (f64::from(y) - sum).abs();
                        assert!(error <= 2e-7 * size, "{name}: {y} at {i}, {j}, expected {sum}");
                    }
                    for cut in [[1, n], [2, tile.nr], [3, 2 * tile.nr]] {
                        let parts = product(&a, b.view(), [m, n, k], cut);
                        assert_eq!(parts, whole, "{name}, cut into {cut:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn products_of_few_rows_are_finished_as_those_of_floats() {
        for tile in F32.iter().filter(|tile| tile.isa.is_available()) {
            let [m, n, k] = [3, 2 * tile.nr + 1, 64];
            // Whole numbers, so that sums are exact in any order.
            let a: Vec<f32> = (0..m * k).map(|i| (i % 9) as f32 - 4.0).collect();
            let (bias, added) = (left(n), left(m * n));
            for mut case in Case::all([k, n]) {
                case.scales.fill(0.5);
                let floats = case.floats();
                let filter = Filter::from(Matrix::row_major(&floats, [k, n]));
                let (plain, quantized) = (PackedB::new(tile, filter), case.pack(tile));
                let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
                let mut scratch = vec![0; scratch_bytes(rows.depth(), m)];
                let block = Block { rows: 0..m, columns: 0..n };
                let post = |_: Range<usize>, _: Range<usize>, c: &mut MatrixMut<'_, f32>| {
                    for i in 0..c.rows() {
                        c.row(i).iter_mut().for_each(|x| *x *= 0.25);
                    }
                };
                for start in
                    [Start::Zero, Start::Columns(&bias), Start::Rows(&bias), Start::Accumulate]
                {
                    let finish = Finish {
                        start,
                        residual: Some(Matrix::row_major(&added, [m, n])),
                        clamp: [-90.0, 70.0],
                        post: Some(&post),
                    };
                    let [expected, y] = [plain.view(), quantized.view()].map(|b| {
                        let mut c = added.clone();
                        let to = MatrixMut::new(&mut c, [m, n], n);
                        gemm(&rows, b, to, &block, &finish, &mut scratch);
                        c
                    });
                    assert_eq!(y, expected, "{}: {}, {start:?}", tile.name, case.name());
                }
            }
        }
    }
}
