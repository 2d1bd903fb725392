//! The element-wise operators, and how they are applied to slices.

use crate::map::math;
use crate::simd::{ForEachIsa, Simd, dispatch};
use crate::{Isa, convert};

/// An operator on one float. Truth values are floats: zero is false, and results are 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "named after the specification's methods and options")]
pub enum Unary {
    Abs,
    Ceil,
    Cos,
    Erf,
    Exp,
    Floor,
    Identity,
    Log,
    Neg,
    Reciprocal,
    RoundEven,
    Sin,
    Sign,
    Sqrt,
    Tan,
    Relu,
    Sigmoid,
    Tanh,
    Softplus,
    Softsign,
    Gelu,
    HardSwish,
    /// `x * sigmoid(x)`, with the bits of the two.
    Silu,
    Clamp {
        min: f32,
        max: f32,
    },
    Elu {
        alpha: f32,
    },
    HardSigmoid {
        alpha: f32,
        beta: f32,
    },
    LeakyRelu {
        alpha: f32,
    },
    Linear {
        alpha: f32,
        beta: f32,
    },
    IsNan,
    IsInfinite,
    LogicalNot,
    /// To the nearest half-precision value: a cast to float16 in the midst of a chain.
    RoundToHalf,
}

/// An operator on two floats. Truth values are floats: zero is false, and results are 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the specification's methods")]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Pow,
    /// The second operand is the slope.
    Prelu,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Lesser,
    LesserOrEqual,
    LogicalAnd,
    LogicalOr,
    LogicalXor,
}

/// Applies `op` to each element.
///
/// # Panics
///
/// If the lengths differ.
pub fn unary(isa: Isa, op: Unary, x: &[f32], out: &mut [f32]) {
    assert_eq!(x.len(), out.len());
    dispatch(isa, UnarySlices { op, x: Operand::Apart(x), out });
}

/// Applies `op` to each pair of elements.
///
/// # Panics
///
/// If the lengths differ.
pub fn binary(isa: Isa, op: Binary, x: &[f32], y: &[f32], out: &mut [f32]) {
    assert!(x.len() == y.len() && x.len() == out.len());
    dispatch(isa, BinarySlices { op, x: Operand::Apart(x), y: Operand::Apart(y), out });
}

/// Moves elements between bounds; NaN stays NaN.
///
/// Not `f32::clamp`: compilers may turn a loop of those into relaxed WebAssembly, which loses NaN.
pub fn clamp_in_place(isa: Isa, x: &mut [f32], [min, max]: [f32; 2]) {
    dispatch(isa, UnarySlices { op: Unary::Clamp { min, max }, x: Operand::InPlace, out: x });
}

/// Where an operator on slices finds an operand.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    /// In memory of its own, at least as long as the result.
    Apart(&'a [f32]),
    /// Where the result goes.
    InPlace,
}

impl Operand<'_> {
    /// The first of `len` elements, the result's being `out`.
    fn start(self, out: *const f32, len: usize) -> *const f32 {
        match self {
            Operand::Apart(x) => x[..len].as_ptr(),
            Operand::InPlace => out,
        }
    }
}

pub(super) struct UnarySlices<'a> {
    pub(super) op: Unary,
    pub(super) x: Operand<'a>,
    pub(super) out: &'a mut [f32],
}

impl ForEachIsa for UnarySlices<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        apply_unary(s, self.op, self.x, self.out);
    }
}

pub(super) struct BinarySlices<'a> {
    pub(super) op: Binary,
    pub(super) x: Operand<'a>,
    pub(super) y: Operand<'a>,
    pub(super) out: &'a mut [f32],
}

impl ForEachIsa for BinarySlices<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        apply_binary(s, self.op, self.x, self.y, self.out);
    }
}

/// `x` where `condition` is not zero, else `y`.
pub(super) struct SelectSlices<'a> {
    pub(super) condition: &'a [f32],
    pub(super) x: &'a [f32],
    pub(super) y: &'a [f32],
    pub(super) out: &'a mut [f32],
}

impl ForEachIsa for SelectSlices<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let pairs = self.x.iter().zip(self.y);
        for ((out, &c), (&x, &y)) in self.out.iter_mut().zip(self.condition).zip(pairs) {
            *out = if c != 0.0 { x } else { y };
        }
    }
}

/// `out[i] = f(x[i])`.
#[inline(always)]
fn each<S: Simd>(s: S, x: Operand<'_>, out: &mut [f32], f: impl Fn(S::F32) -> S::F32) {
    each_pair(
        s,
        x,
        x,
        out,
        #[inline(always)]
        |x, _| f(x),
    );
}

/// `out[i] = f(x[i], y[i])`.
#[inline(always)]
fn each_pair<S: Simd>(
    s: S,
    x: Operand<'_>,
    y: Operand<'_>,
    out: &mut [f32],
    f: impl Fn(S::F32, S::F32) -> S::F32,
) {
    let len = out.len();
    let out = out.as_mut_ptr();
    let (x, y) = (x.start(out, len), y.start(out, len));
    let operand = |start: *const f32, at: usize, len: usize| {
        // SAFETY: `start` has as many elements as `out`, where `at..at + len` lies, and none of
        // them is borrowed mutably while the result lives.
        unsafe { std::slice::from_raw_parts(start.wrapping_add(at), len) }
    };
    let result = |at: usize, len: usize| {
        // SAFETY: `at..at + len` lies inside `out`, which was borrowed mutably, and no operand
        // is borrowed any more.
        unsafe { std::slice::from_raw_parts_mut(out.wrapping_add(at), len) }
    };
    let whole = len - len % S::LANES;
    for at in (0..whole).step_by(S::LANES) {
        let v = s.load(operand(x, at, S::LANES));
        let w = s.load(operand(y, at, S::LANES));
        s.store(f(v, w), result(at, S::LANES));
    }
    if whole < len {
        let v = s.load_partial(operand(x, whole, len - whole));
        let w = s.load_partial(operand(y, whole, len - whole));
        s.store_partial(f(v, w), result(whole, len - whole));
    }
}

/// 1 where the mask is set, else 0.
#[inline(always)]
fn truth<S: Simd>(s: S, mask: S::Mask) -> S::F32 {
    s.select(mask, s.splat(1.0), s.splat(0.0))
}

/// `x` held between two bounds; NaN stays.
#[inline(always)]
fn clamp<S: Simd>(s: S, x: S::F32, min: f32, max: f32) -> S::F32 {
    s.clamp(x, s.splat(min), s.splat(max))
}

/// Applies `op`.
#[inline(always)]
fn apply_unary<S: Simd>(s: S, op: Unary, x: Operand<'_>, out: &mut [f32]) {
    macro_rules! each {
        ($v:ident => $f:expr) => {
            each(
                s,
                x,
                out,
                #[inline(always)]
                |$v| $f,
            )
        };
    }
    match op {
        Unary::Abs => each!(v => s.abs(v)),
        Unary::Ceil => each!(v => s.ceil(v)),
        Unary::Cos => each!(v => math::cos(s, v)),
        Unary::Erf => each!(v => math::erf(s, v)),
        Unary::Exp => each!(v => math::exp(s, v)),
        Unary::Floor => each!(v => s.floor(v)),
        Unary::Identity => each!(v => v),
        Unary::Log => each!(v => math::log(s, v)),
        Unary::Neg => each!(v => s.neg(v)),
        Unary::Reciprocal => each!(v => s.div(s.splat(1.0), v)),
        Unary::RoundEven => each!(v => s.round_even(v)),
        Unary::Sin => each!(v => math::sin(s, v)),
        Unary::Sign => each!(v => {
            let zero = s.splat(0.0);
            let below = s.select(s.lt(v, zero), s.splat(-1.0), zero);
            s.select(s.lt(zero, v), s.splat(1.0), below)
        }),
        Unary::Sqrt => each!(v => s.sqrt(v)),
        Unary::Tan => each!(v => math::tan(s, v)),
        Unary::Relu => each!(v => s.max_fast(s.splat(0.0), v)),
        Unary::Sigmoid => each!(v => math::sigmoid(s, v)),
        Unary::Tanh => each!(v => math::tanh(s, v)),
        Unary::Softplus => each!(v => math::softplus(s, v)),
        Unary::Softsign => each!(v => s.div(v, s.add(s.splat(1.0), s.abs(v)))),
        Unary::Gelu => each!(v => math::gelu(s, v)),
        Unary::HardSwish => each!(v => {
            let part = clamp(s, s.add(v, s.splat(3.0)), 0.0, 6.0);
            s.mul(v, s.mul(part, s.splat(1.0 / 6.0)))
        }),
        Unary::Silu => each!(v => s.mul(v, math::sigmoid(s, v))),
        Unary::Clamp { min, max } => each!(v => clamp(s, v, min, max)),
        Unary::Elu { alpha } => each!(v => math::elu(s, v, alpha)),
        Unary::HardSigmoid { alpha, beta } => each!(v => {
            clamp(s, s.mul_add(s.splat(alpha), v, s.splat(beta)), 0.0, 1.0)
        }),
        Unary::LeakyRelu { alpha } => each!(v => {
            s.select(s.le(s.splat(0.0), v), v, s.mul(s.splat(alpha), v))
        }),
        Unary::Linear { alpha, beta } => each!(v => s.mul_add(s.splat(alpha), v, s.splat(beta))),
        Unary::IsNan => each!(v => truth(s, s.is_nan(v))),
        Unary::IsInfinite => each!(v => truth(s, s.eq(s.abs(v), s.splat(f32::INFINITY)))),
        Unary::LogicalNot => each!(v => truth(s, s.eq(v, s.splat(0.0)))),
        Unary::RoundToHalf => each!(v => convert::round_to_half(s, v)),
    }
}

/// Applies `op`.
#[inline(always)]
fn apply_binary<S: Simd>(s: S, op: Binary, x: Operand<'_>, y: Operand<'_>, out: &mut [f32]) {
    macro_rules! each {
        ($v:ident, $w:ident => $f:expr) => {
            each_pair(
                s,
                x,
                y,
                out,
                #[inline(always)]
                |$v, $w| $f,
            )
        };
    }
    macro_rules! test {
        ($v:ident, $w:ident => $f:expr) => {
            each!($v, $w => truth(s, $f))
        };
    }
    macro_rules! logic {
        ($v:ident, $w:ident => $f:expr) => {{
            let zero = s.splat(0.0);
            each!($v, $w => {
                let ($v, $w) = (s.not(s.eq($v, zero)), s.not(s.eq($w, zero)));
                truth(s, $f)
            })
        }};
    }
    match op {
        Binary::Add => each!(v, w => s.add(v, w)),
        Binary::Sub => each!(v, w => s.sub(v, w)),
        Binary::Mul => each!(v, w => s.mul(v, w)),
        Binary::Div => each!(v, w => s.div(v, w)),
        Binary::Max => each!(v, w => s.max(v, w)),
        Binary::Min => each!(v, w => s.min(v, w)),
        Binary::Pow => each!(v, w => math::pow(s, v, w)),
        Binary::Prelu => each!(v, w => s.select(s.lt(v, s.splat(0.0)), s.mul(v, w), v)),
        Binary::Equal => test!(v, w => s.eq(v, w)),
        Binary::NotEqual => test!(v, w => s.not(s.eq(v, w))),
        Binary::Greater => test!(v, w => s.lt(w, v)),
        Binary::GreaterOrEqual => test!(v, w => s.le(w, v)),
        Binary::Lesser => test!(v, w => s.lt(v, w)),
        Binary::LesserOrEqual => test!(v, w => s.le(v, w)),
        Binary::LogicalAnd => logic!(v, w => s.and(v, w)),
        Binary::LogicalOr => logic!(v, w => s.or(v, w)),
        Binary::LogicalXor => logic!(v, w => s.or(s.and(v, s.not(w)), s.and(w, s.not(v)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every value an operator may treat apart; odd in number, so that all sets have a tail.
    const VALUES: [f32; 21] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        2.9,
        -2.9,
        3.5,
        -3.5,
        7.25,
        -7.25,
        1e-3,
        -1e-3,
        1e20,
        -1e20,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ];

    fn close(a: f32, b: f32, ulps: i32) -> bool {
        let order = |x: f32| {
            let bits = x.to_bits() as i32;
            if bits < 0 { i32::MIN.wrapping_sub(bits) } else { bits }
        };
        (a.is_nan() && b.is_nan()) || order(a).abs_diff(order(b)) <= ulps as u32
    }

    fn bit(x: bool) -> f32 {
        f32::from(u8::from(x))
    }

    #[test]
    fn unary_operators_match_their_definitions() {
        type Row = (Unary, fn(f32) -> f32, i32);
        let table: [Row; 19] = [
            (Unary::Abs, f32::abs, 0),
            (Unary::Ceil, f32::ceil, 0),
            (Unary::Floor, f32::floor, 0),
            (Unary::Identity, |x| x, 0),
            (Unary::Neg, |x| -x, 0),
            (Unary::Reciprocal, |x| 1.0 / x, 0),
            (Unary::RoundEven, f32::round_ties_even, 0),
            (Unary::Sign, |x| if x > 0.0 { 1.0 } else { -bit(x < 0.0) }, 0),
            (Unary::Sqrt, f32::sqrt, 0),
            (Unary::Relu, |x| if x < 0.0 { 0.0 } else { x }, 0),
            (Unary::Clamp { min: -1.5, max: 2.75 }, |x| x.clamp(-1.5, 2.75), 0),
            (
                Unary::HardSwish,
                |x| (f64::from(x) * (f64::from(x) + 3.0).clamp(0.0, 6.0) / 6.0) as f32,
                2,
            ),
            (
                Unary::HardSigmoid { alpha: 0.25, beta: 0.5 },
                |x| (0.25 * x + 0.5).clamp(0.0, 1.0),
                1,
            ),
            (Unary::LeakyRelu { alpha: 0.1 }, |x| if x < 0.0 { 0.1 * x } else { x }, 0),
            (Unary::Linear { alpha: 3.0, beta: -1.0 }, |x| 3.0 * x - 1.0, 1),
            (Unary::IsNan, |x| bit(x.is_nan()), 0),
            (Unary::IsInfinite, |x| bit(x.is_infinite()), 0),
            (Unary::LogicalNot, |x| bit(x == 0.0), 0),
            (Unary::RoundToHalf, |x| half::f16::from_f32(x).to_f32(), 0),
        ];
        let x: Vec<f32> = VALUES.iter().copied().chain([f32::NAN]).collect();
        for isa in Isa::available() {
            for (op, expected, ulps) in table {
                let mut y = vec![0.0; x.len()];
                unary(isa, op, &x, &mut y);
                for (&x, &y) in x.iter().zip(&y) {
                    let expected = expected(x);
                    assert!(close(y, expected, ulps), "{op:?} of {x} on {isa:?}: {y}, {expected}");
                }
            }
        }
    }

    #[test]
    fn binary_operators_match_their_definitions() {
        type Row = (Binary, fn(f32, f32) -> f32);
        let table: [Row; 16] = [
            (Binary::Add, |x, y| x + y),
            (Binary::Sub, |x, y| x - y),
            (Binary::Mul, |x, y| x * y),
            (Binary::Div, |x, y| x / y),
            (Binary::Max, |x, y| if x.is_nan() || y.is_nan() { f32::NAN } else { x.max(y) }),
            (Binary::Min, |x, y| if x.is_nan() || y.is_nan() { f32::NAN } else { x.min(y) }),
            (Binary::Prelu, |x, y| if x < 0.0 { x * y } else { x }),
            (Binary::Equal, |x, y| bit(x == y)),
            (Binary::NotEqual, |x, y| bit(x != y)),
            (Binary::Greater, |x, y| bit(x > y)),
            (Binary::GreaterOrEqual, |x, y| bit(x >= y)),
            (Binary::Lesser, |x, y| bit(x < y)),
            (Binary::LesserOrEqual, |x, y| bit(x <= y)),
            (Binary::LogicalAnd, |x, y| bit(x != 0.0 && y != 0.0)),
            (Binary::LogicalOr, |x, y| bit(x != 0.0 || y != 0.0)),
            (Binary::LogicalXor, |x, y| bit((x != 0.0) != (y != 0.0))),
        ];
        let values: Vec<f32> = VALUES.iter().copied().chain([f32::NAN]).collect();
        let x: Vec<f32> = values.iter().flat_map(|&x| values.iter().map(move |_| x)).collect();
        let y: Vec<f32> = values.iter().flat_map(|_| values.iter().copied()).collect();
        for isa in Isa::available() {
            for (op, expected) in table {
                let mut z = vec![0.0; x.len()];
                binary(isa, op, &x, &y, &mut z);
                for i in 0..x.len() {
                    let expected = expected(x[i], y[i]);
                    assert!(
                        z[i] == expected || close(z[i], expected, 0),
                        "{op:?} of {} and {} on {isa:?}: {}, expected {expected}",
                        x[i],
                        y[i],
                        z[i]
                    );
                }
            }
        }
    }
}
