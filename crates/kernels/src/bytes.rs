//! Element-wise arithmetic on quantized bytes, from bytes to bytes.
//!
//! Bytes are signed or not, as their [`Scale`] says. What the definition computes with three
//! roundings in single precision, here has the roundings of ONNX Runtime's operators: products
//! with quotients of scales.

use crate::Isa;
use crate::simd::{ForEachIsa, MAX_LANES, Simd, dispatch};

/// What bytes stand for: `(byte - zero_point) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// What one step stands for.
    pub scale: f32,
    /// What stands for zero.
    pub zero_point: i32,
    /// Whether the bytes have a sign.
    pub is_signed: bool,
}

impl Scale {
    /// The least and the greatest byte.
    pub fn range(self) -> [i32; 2] {
        if self.is_signed { [-128, 127] } else { [0, 255] }
    }
}

/// What bytes become: a scale, and the least and the greatest byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The result's.
    pub scale: Scale,
    /// The range of the type, or a part of it.
    pub clamp: [i32; 2],
}

/// An operation of two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
}

/// Two operands of as many elements, or the second of one.
#[derive(Clone, Copy, Debug)]
pub struct Operands<'a> {
    /// The elements of each.
    pub data: [&'a [u8]; 2],
    /// What they stand for.
    pub scales: [Scale; 2],
}

/// Computes an operation element by element.
///
/// # Panics
///
/// When an operand has not as many elements as the result, nor is the second of one.
pub fn binary(isa: Isa, operation: Operation, x: Operands<'_>, to: Target, y: &mut [u8]) {
    let [a, b] = x.data;
    assert_eq!(a.len(), y.len(), "the first operand has the result's size");
    assert!(b.len() == y.len() || b.len() == 1, "{} elements for {}", b.len(), y.len());
    dispatch(isa, Pairs { operation, x, to, y });
}

struct Pairs<'a> {
    operation: Operation,
    x: Operands<'a>,
    to: Target,
    y: &'a mut [u8],
}

impl ForEachIsa for Pairs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { operation, x, to, y } = self;
        let [a, b] = x.scales;
        match operation {
            Operation::Add | Operation::Sub => {
                let sign = if operation == Operation::Sub { -1.0 } else { 1.0 };
                let ratios = [a.scale / to.scale.scale, sign * (b.scale / to.scale.scale)];
                let zeros = ratios[0] * a.zero_point as f32 + ratios[1] * b.zero_point as f32;
                let fixed = s.splat(to.scale.zero_point as f32 - zeros);
                let [ratio_a, ratio_b] = [s.splat(ratios[0]), s.splat(ratios[1])];
                // Halves go to even before the zero point is added, not after.
                let odd = to.scale.zero_point & 1;
                let round = Round::new(s, to.clamp, odd);
                for_each_pair(
                    s,
                    x,
                    y,
                    #[inline(always)]
                    |a, b| {
                        let sum = s.mul_add(s.to_f32(b), ratio_b, fixed);
                        let sum = s.mul_add(s.to_f32(a), ratio_a, sum);
                        round.apply(s, s.sub(sum, s.splat(odd as f32)))
                    },
                );
            }
            Operation::Mul => {
                let scale = s.splat(a.scale * b.scale / to.scale.scale);
                let (zero_a, zero_b) = (s.splat_i32(a.zero_point), s.splat_i32(b.zero_point));
                let round = Round::new(s, to.clamp, to.scale.zero_point);
                for_each_pair(
                    s,
                    x,
                    y,
                    #[inline(always)]
                    |a, b| {
                        let product = s.mul_i32(s.sub_i32(a, zero_a), s.sub_i32(b, zero_b));
                        round.apply(s, s.mul(s.to_f32(product), scale))
                    },
                );
            }
        }
    }
}

/// Rounds, holds to a range and adds an integer.
struct Round<S: Simd> {
    low: S::F32,
    high: S::F32,
    plus: S::I32,
}

impl<S: Simd> Round<S> {
    #[inline(always)]
    fn new(s: S, clamp: [i32; 2], plus: i32) -> Self {
        let [low, high] = clamp;
        let (low, high) = (s.splat((low - plus) as f32), s.splat((high - plus) as f32));
        Self { low, high, plus: s.splat_i32(plus) }
    }

    #[inline(always)]
    fn apply(&self, s: S, x: S::F32) -> S::I32 {
        let held = s.clamp(x, self.low, self.high);
        s.add_i32(s.nearest_i32(held), self.plus)
    }
}

/// Reads bytes as integers.
#[derive(Clone, Copy)]
struct Widen<S: Simd> {
    /// Turns the sign bit over, and takes away what that adds.
    flip: S::I32,
    less: S::I32,
}

impl<S: Simd> Widen<S> {
    #[inline(always)]
    fn new(s: S, scale: Scale) -> Self {
        let bit = if scale.is_signed { 0x80 } else { 0 };
        Self { flip: s.splat_i32(bit), less: s.splat_i32(bit) }
    }

    #[inline(always)]
    fn load(&self, s: S, x: &[u8]) -> S::I32 {
        s.sub_i32(s.xor_i32(s.load_u8(x), self.flip), self.less)
    }

    /// At most a vector of bytes, then zeros.
    #[inline(always)]
    fn load_partial(&self, s: S, x: &[u8]) -> S::I32 {
        let mut line = [0; MAX_LANES];
        line[..x.len()].copy_from_slice(x);
        self.load(s, &line)
    }
}

/// Calls `function` with vectors of both operands and writes the bytes that it makes.
#[inline(always)]
fn for_each_pair<S: Simd>(
    s: S,
    x: Operands<'_>,
    y: &mut [u8],
    function: impl Fn(S::I32, S::I32) -> S::I32,
) {
    let [a, b] = x.data;
    let (widen_a, widen_b) = (Widen::new(s, x.scales[0]), Widen::new(s, x.scales[1]));
    let is_one = b.len() != y.len();
    let one = widen_b.load(s, &[b.first().copied().unwrap_or(0); MAX_LANES]);
    let whole = y.len() - y.len() % S::LANES;
    let (to, rest) = y.split_at_mut(whole);
    for (at, to) in (0..whole).step_by(S::LANES).zip(to.chunks_exact_mut(S::LANES)) {
        let b = if is_one { one } else { widen_b.load(s, &b[at..]) };
        s.store_u8(function(widen_a.load(s, &a[at..]), b), to);
    }
    if !rest.is_empty() {
        let b = if is_one { one } else { widen_b.load_partial(s, &b[whole..]) };
        let mut line = [0; MAX_LANES];
        s.store_u8(function(widen_a.load_partial(s, &a[whole..]), b), &mut line);
        rest.copy_from_slice(&line[..rest.len()]);
    }
}

/// Replaces each byte by the table's.
///
/// # Panics
///
/// When there are not as many results as elements.
pub fn look_up(table: &[u8; 256], x: &[u8], y: &mut [u8]) {
    assert_eq!(x.len(), y.len(), "as many results as elements");
    for (y, &x) in y.iter_mut().zip(x) {
        *y = table[usize::from(x)];
    }
}

/// Writes the means of rows of bytes, element by element: `row` gives the elements of each of
/// `count` rows, as many as there are results.
///
/// # Panics
///
/// When a row is too short.
pub fn mean<'a>(
    isa: Isa,
    count: usize,
    row: impl Fn(usize) -> &'a [u8],
    from: Scale,
    to: Target,
    y: &mut [u8],
) {
    dispatch(isa, Mean { count, row, from, to, y });
}

struct Mean<'y, F> {
    count: usize,
    row: F,
    from: Scale,
    to: Target,
    y: &'y mut [u8],
}

impl<'a, F: Fn(usize) -> &'a [u8]> ForEachIsa for Mean<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { count, row, from, to, y } = self;
        let scale = s.splat(from.scale / (to.scale.scale * count as f32));
        let round = Round::new(s, to.clamp, to.scale.zero_point);
        let widen = Widen::new(s, from);
        let start = s.splat_i32((count as i32).wrapping_mul(-from.zero_point));
        for (at, to) in (0..y.len()).step_by(S::LANES).zip(y.chunks_mut(S::LANES)) {
            let mut sum = start;
            for i in 0..count {
                let x = &row(i)[at..];
                sum = s.add_i32(
                    sum,
                    if x.len() >= S::LANES { widen.load(s, x) } else { widen.load_partial(s, x) },
                );
            }
            let mut line = [0; MAX_LANES];
            s.store_u8(round.apply(s, s.mul(s.to_f32(sum), scale)), &mut line);
            to.copy_from_slice(&line[..to.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize, seed: usize) -> Vec<u8> {
        (0..len).map(|i| ((i * 89 + seed * 31) % 256) as u8).collect()
    }

    fn value(byte: u8, is_signed: bool) -> i32 {
        if is_signed { i32::from(byte.cast_signed()) } else { i32::from(byte) }
    }

    fn real(byte: u8, scale: Scale) -> f64 {
        f64::from(value(byte, scale.is_signed) - scale.zero_point) * f64::from(scale.scale)
    }

    /// The byte that a number becomes by the definition; `None` where it lies so near to a half
    /// that roundings on the way decide.
    fn quantized(x: f64, to: Target) -> Option<u8> {
        let steps = x / f64::from(to.scale.scale);
        let is_decided = ((steps - steps.floor()) - 0.5).abs() > 1e-4;
        let byte = steps.round_ties_even() as i32 + to.scale.zero_point;
        is_decided.then_some(byte.clamp(to.clamp[0], to.clamp[1]) as u8)
    }

    fn scales() -> Vec<Scale> {
        let scale = |scale, zero_point, is_signed| Scale { scale, zero_point, is_signed };
        vec![
            scale(0.043, 7, false),
            scale(0.021, -13, true),
            scale(0.5, 129, false),
            scale(0.017, 255, false),
        ]
    }

    #[test]
    fn operations_follow_the_definition() {
        let (a, b) = (bytes(1003, 1), bytes(1003, 2));
        for isa in Isa::available() {
            for (i, &from) in scales().iter().enumerate() {
                let scales = [from, scales()[(i + 1) % 4]];
                for (&scale, clamp) in
                    self::scales().iter().zip([[0, 255], [-128, 100], [9, 255], [0, 255]])
                {
                    let to = Target { scale, clamp };
                    for (operation, exact) in [
                        (Operation::Add, (|a, b| a + b) as fn(f64, f64) -> f64),
                        (Operation::Sub, |a, b| a - b),
                        (Operation::Mul, |a, b| a * b),
                    ] {
                        for b in [&b[..], &b[..1]] {
                            let mut y = vec![0; a.len()];
                            let x = Operands { data: [&a, b], scales };
                            binary(isa, operation, x, to, &mut y);
                            for (i, &y) in y.iter().enumerate() {
                                let b = real(b[if b.len() == 1 { 0 } else { i }], scales[1]);
                                let x = exact(real(a[i], scales[0]), b);
                                let expected = quantized(x, to).unwrap_or(y);
                                assert_eq!(
                                    y, expected,
                                    "{isa:?}, {operation:?}, {scales:?}, {to:?}, element {i}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn exact_halves_go_to_even_whatever_the_zero_point() {
        let scale = |scale, zero_point| Scale { scale, zero_point, is_signed: false };
        for isa in Isa::available() {
            for zero_point in [4, 5] {
                let to = Target { scale: scale(1.0, zero_point), clamp: [0, 255] };
                let x = Operands {
                    data: [&[1, 3, 5, 0], &[10]],
                    scales: [scale(0.5, 0), scale(0.5, 10)],
                };
                let mut y = [0; 4];
                binary(isa, Operation::Add, x, to, &mut y);
                let zero = zero_point as u8;
                assert_eq!(y, [zero, zero + 2, zero + 2, zero], "{isa:?}");
            }
        }
    }

    #[test]
    fn means_follow_the_definition() {
        for isa in Isa::available() {
            for from in scales() {
                for (count, width) in [(1, 5), (49, 37), (9, 64)] {
                    let x = bytes(count * width, 3);
                    let to = Target { scale: scales()[1], clamp: [-128, 127] };
                    let mut y = vec![0; width];
                    mean(isa, count, |i| &x[i * width..][..width], from, to, &mut y);
                    for (j, &y) in y.iter().enumerate() {
                        let sum: f64 = (0..count).map(|i| real(x[i * width + j], from)).sum();
                        let expected = quantized(sum / count as f64, to).unwrap_or(y);
                        assert_eq!(y, expected, "{isa:?}, {from:?}, {count} rows, column {j}");
                    }
                }
            }
        }
    }
}
