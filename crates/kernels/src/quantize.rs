//! Quantised numbers: to and from integers with a scale and a zero point, and 4-bit integers.

use std::ops::Range;

use crate::Isa;
use crate::float::{load_up_to, store_up_to};
use crate::simd::{ForEachIsa, Simd, dispatch};
use crate::strided::{Space, View, row_major};

/// An integer that stands for a number. 4-bit integers are unpacked to 8 bits first.
pub trait Quantized: Copy + Default + Send + Sync + 'static {
    /// `rounded + zero`, held to the range; 0 for NaN.
    fn above(zero: Self, rounded: f32) -> Self;
    /// `self - zero`, rounded to nearest.
    fn distance(self, zero: Self) -> f32;
    /// The least and the greatest value, if single precision holds all sums near them.
    const LIMITS: Option<[f32; 2]>;
    /// The low bits.
    fn truncated(x: i32) -> Self;
}

macro_rules! quantized {
    ($($type:ident in $wide:ident, $limits:expr;)*) => { $(
        impl Quantized for $type {
            const LIMITS: Option<[f32; 2]> = $limits;

            #[inline(always)]
            fn truncated(x: i32) -> Self {
                x as $type
            }
            #[inline(always)]
            fn above(zero: Self, rounded: f32) -> Self {
                if rounded.is_nan() {
                    return 0;
                }
                // The conversion holds to the range.
                let sum = (rounded as $wide).saturating_add($wide::from(zero));
                sum.clamp($wide::from($type::MIN), $wide::from($type::MAX)) as $type
            }
            #[inline(always)]
            fn distance(self, zero: Self) -> f32 {
                ($wide::from(self) - $wide::from(zero)) as f32
            }
        }
    )* };
}
quantized! {
    i8 in i32, Some([-128.0, 127.0]);
    u8 in i32, Some([0.0, 255.0]);
    i32 in i64, None;
    u32 in i64, None;
}

/// The space in which a tensor of `shape` is quantised with scales and zero points of shape
/// `blocks`, each of which serves equally many neighbours along each dimension. Operand 0 is the
/// tensor, operand 1 the scales and zero points.
///
/// # Panics
///
/// If the ranks differ or a size is no multiple of the number of blocks.
pub fn blockwise(shape: &[usize], blocks: &[usize]) -> Space {
    assert_eq!(shape.len(), blocks.len());
    let (mut dims, mut tensor, mut scales) = (Vec::new(), Vec::new(), Vec::new());
    let strides = row_major(shape).into_iter().zip(row_major(blocks));
    for ((&size, &count), (stride, block_stride)) in shape.iter().zip(blocks).zip(strides) {
        assert!(size.is_multiple_of(count), "{shape:?} has no {blocks:?} equal blocks");
        let len = size / count;
        dims.extend([count, len]);
        tensor.extend([len * stride, stride]);
        scales.extend([block_stride, 0]);
    }
    Space::new(&dims, &[&tensor, &scales])
}

/// Elements that are converted at a time.
const TILE: usize = 256;

/// Computes the elements `range` of `x` divided by their scale, rounded to nearest even, plus
/// their zero point, held to the range of the type. `space` is that of [`blockwise`]; `x` is the
/// whole tensor, `out` holds just the elements of `range`.
///
/// # Panics
///
/// If a length does not agree.
pub fn quantize<Q: Quantized>(
    isa: Isa,
    space: &Space,
    range: Range<usize>,
    x: &[f32],
    scale: &[f32],
    zero: &[Q],
    out: &mut [Q],
) {
    assert_eq!(out.len(), range.len());
    let x = &x[range.clone()];
    dispatch(isa, Quantize { blocks: space.view(1), start: range.start, x, scale, zero, out });
}

/// Computes the elements `range` of `x` minus their zero point, times their scale. `space` is that
/// of [`blockwise`]; `x` is the whole tensor, `out` holds just the elements of `range`.
///
/// # Panics
///
/// If a length does not agree.
pub fn dequantize<Q: Quantized>(
    isa: Isa,
    space: &Space,
    range: Range<usize>,
    x: &[Q],
    scale: &[f32],
    zero: &[Q],
    out: &mut [f32],
) {
    assert_eq!(out.len(), range.len());
    let x = &x[range.clone()];
    dispatch(isa, Dequantize { blocks: space.view(1), start: range.start, x, scale, zero, out });
}

struct Quantize<'a, Q> {
    blocks: View<'a>,
    start: usize,
    x: &'a [f32],
    scale: &'a [f32],
    zero: &'a [Q],
    out: &'a mut [Q],
}

impl<Q: Quantized> ForEachIsa for Quantize<'_, Q> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Quantize { blocks, start, x, scale, zero, out } = self;
        if let ([scale], [zero], Some(limits)) = (scale, zero, Q::LIMITS) {
            quantize_alike(s, x, *scale, *zero, limits, out);
            return;
        }
        let (mut scales, mut zeros, mut wide) = ([0.0; TILE], [Q::default(); TILE], [0.0; TILE]);
        for (i, (x, out)) in x.chunks(TILE).zip(out.chunks_mut(TILE)).enumerate() {
            let at = start + i * TILE;
            fill(blocks, at..at + x.len(), scale, &mut scales);
            fill(blocks, at..at + x.len(), zero, &mut zeros);
            for (j, x) in x.chunks(S::LANES).enumerate() {
                let at = j * S::LANES;
                let quotient = s.div(load_up_to(s, x), s.load(&scales[at..]));
                s.store(s.round_even(quotient), &mut wide[at..]);
            }
            let Some([least, greatest]) = Q::LIMITS else {
                for ((out, &rounded), &zero) in out.iter_mut().zip(&wide).zip(&zeros) {
                    *out = Q::above(zero, rounded);
                }
                continue;
            };
            let (mut zero_distances, mut integers) = ([0.0; TILE], [0; TILE]);
            for (distance, zero) in zero_distances.iter_mut().zip(zeros) {
                *distance = zero.distance(Q::default());
            }
            for at in (0..x.len()).step_by(S::LANES) {
                let sum = s.add(s.load(&wide[at..]), s.load(&zero_distances[at..]));
                let held = s.clamp(sum, s.splat(least), s.splat(greatest));
                let held = s.select(s.is_nan(sum), s.splat(0.0), held);
                s.store_i32(s.to_i32(held), &mut integers[at..]);
            }
            for (out, &x) in out.iter_mut().zip(&integers) {
                *out = Q::truncated(x);
            }
        }
    }
}

/// Quantizes elements that all have one scale and zero point, to integers that single precision
/// holds.
#[inline(always)]
fn quantize_alike<S: Simd, Q: Quantized>(
    s: S,
    x: &[f32],
    scale: f32,
    zero: Q,
    [least, greatest]: [f32; 2],
    out: &mut [Q],
) {
    let (scale, zero) = (s.splat(scale), s.splat(zero.distance(Q::default())));
    let mut integers = [0; TILE];
    for (x, out) in x.chunks(TILE).zip(out.chunks_mut(TILE)) {
        for (x, to) in x.chunks(S::LANES).zip(integers.chunks_exact_mut(S::LANES)) {
            let rounded = s.round_even(s.div(load_up_to(s, x), scale));
            let sum = s.add(rounded, zero);
            let held = s.clamp(sum, s.splat(least), s.splat(greatest));
            let held = s.select(s.is_nan(sum), s.splat(0.0), held);
            s.store_i32(s.to_i32(held), to);
        }
        for (out, &x) in out.iter_mut().zip(&integers) {
            *out = Q::truncated(x);
        }
    }
}

struct Dequantize<'a, Q> {
    blocks: View<'a>,
    start: usize,
    x: &'a [Q],
    scale: &'a [f32],
    zero: &'a [Q],
    out: &'a mut [f32],
}

impl<Q: Quantized> ForEachIsa for Dequantize<'_, Q> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Dequantize { blocks, start, x, scale, zero, out } = self;
        let (mut scales, mut zeros, mut wide) = ([0.0; TILE], [Q::default(); TILE], [0.0; TILE]);
        for (i, (x, out)) in x.chunks(TILE).zip(out.chunks_mut(TILE)).enumerate() {
            let at = start + i * TILE;
            fill(blocks, at..at + x.len(), scale, &mut scales);
            fill(blocks, at..at + x.len(), zero, &mut zeros);
            for ((wide, &x), &zero) in wide.iter_mut().zip(x).zip(&zeros) {
                *wide = x.distance(zero);
            }
            for (j, out) in out.chunks_mut(S::LANES).enumerate() {
                let at = j * S::LANES;
                let product = s.mul(s.load(&wide[at..]), s.load(&scales[at..]));
                store_up_to(s, product, out);
            }
        }
    }
}

/// Repeats per element of `tile` what its block has.
#[inline(always)]
fn fill<A: Copy>(blocks: View<'_>, tile: Range<usize>, values: &[A], out: &mut [A; TILE]) {
    blocks.for_each_run(
        tile,
        #[inline(always)]
        |run| {
            let out = &mut out[run.at..][..run.len];
            if run.stride == 0 {
                out.fill(values[run.offset]);
            } else {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = values[run.offset + i * run.stride];
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_even_and_the_range_holds() {
        let x = [0.25, 0.75, 1.25, -0.25, -0.75, 1000.0, -1000.0, f32::NAN, f32::INFINITY];
        let space = blockwise(&[9], &[1]);
        for isa in Isa::available() {
            let mut out = [0u8; 9];
            quantize(isa, &space, 0..9, &x, &[0.5], &[128], &mut out);
            assert_eq!(out, [128, 130, 130, 128, 126, 255, 0, 0, 255], "{isa:?}");
            let mut out = [0i32; 9];
            quantize(isa, &space, 0..9, &x, &[0.5], &[-5], &mut out);
            assert_eq!(out, [-5, -3, -3, -5, -7, 1995, -2005, 0, i32::MAX], "{isa:?}");
            let mut out = [0u32; 9];
            quantize(isa, &space, 0..9, &x, &[0.5], &[3], &mut out);
            assert_eq!(out, [3, 5, 5, 3, 1, 2003, 0, 0, u32::MAX], "{isa:?}");
        }
    }

    #[test]
    fn blocks_have_their_own_scale() {
        // Two blocks of two rows, three of 100 columns.
        let (shape, blocks) = ([4, 300], [2, 3]);
        let space = blockwise(&shape, &blocks);
        let n = 1200;
        let x: Vec<i8> = (0..n).map(|i| ((i * 37) % 256) as u8 as i8).collect();
        let scale: Vec<f32> = (1..=6).map(|i| i as f32 * 0.125).collect();
        let zero: Vec<i8> = (0..6).map(|i| i * 20 - 50).collect();
        let block = |i: usize| i / 600 * 3 + i % 300 / 100;
        for isa in Isa::available() {
            for range in [0..n, 77..900] {
                let mut out = vec![0.0; range.len()];
                dequantize(isa, &space, range.clone(), &x, &scale, &zero, &mut out);
                for (out, i) in out.iter().zip(range.clone()) {
                    let distance = f32::from(i16::from(x[i]) - i16::from(zero[block(i)]));
                    assert_eq!(*out, distance * scale[block(i)], "element {i} on {isa:?}");
                }
                let all: Vec<f32> = (0..n)
                    .map(|i| {
                        f32::from(i16::from(x[i]) - i16::from(zero[block(i)])) * scale[block(i)]
                    })
                    .collect();
                let mut back = vec![0i8; range.len()];
                quantize(isa, &space, range.clone(), &all, &scale, &zero, &mut back);
                assert_eq!(back, x[range], "{isa:?}");
            }
        }
    }

    #[test]
    fn differences_of_wide_integers_do_not_wrap() {
        let space = blockwise(&[2], &[1]);
        let mut out = [0.0f32; 2];
        let x = [i32::MAX, i32::MIN];
        dequantize(Isa::best(), &space, 0..2, &x, &[1.0], &[i32::MIN], &mut out);
        assert_eq!(out, [4_294_967_296.0, 0.0]);
    }
}
