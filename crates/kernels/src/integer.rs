//! Element-wise operators on integers: they wrap, and nothing traps.

use std::ops::Range;

use crate::strided::Space;

/// One of the integer types of tensors.
pub trait Integer: Copy + Default + Ord + Send + Sync + 'static {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The smallest value.
    const MIN: Self;
    /// The largest value.
    const MAX: Self;

    /// `self + y`.
    fn wrapping_add(self, y: Self) -> Self;
    /// `self - y`.
    fn wrapping_sub(self, y: Self) -> Self;
    /// `self * y`.
    fn wrapping_mul(self, y: Self) -> Self;
    /// `self / y` truncated; 0 where `y` is 0; the smallest value divided by -1 stays.
    fn divide(self, y: Self) -> Self;
    /// `self` to the power of `y`; where `y` is negative, the quotient truncated, and 0 for 0.
    fn power(self, y: Self) -> Self;
    /// Without the sign; the smallest value stays.
    fn wrapping_abs(self) -> Self;
    /// With the other sign; the smallest value stays.
    fn wrapping_neg(self) -> Self;
    /// -1, 0 or 1.
    fn sign(self) -> Self;
}

macro_rules! integers {
    ($($type:ident: $abs:expr, $sign:expr, $inverse:expr;)*) => { $(
        impl Integer for $type {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const MIN: Self = $type::MIN;
            const MAX: Self = $type::MAX;

            #[inline(always)]
            fn wrapping_add(self, y: Self) -> Self {
                $type::wrapping_add(self, y)
            }
            #[inline(always)]
            fn wrapping_sub(self, y: Self) -> Self {
                $type::wrapping_sub(self, y)
            }
            #[inline(always)]
            fn wrapping_mul(self, y: Self) -> Self {
                $type::wrapping_mul(self, y)
            }
            #[inline(always)]
            fn divide(self, y: Self) -> Self {
                if y == 0 { 0 } else { self.wrapping_div(y) }
            }
            #[inline(always)]
            fn power(self, y: Self) -> Self {
                let inverse: fn($type, $type) -> Option<$type> = $inverse;
                if let Some(result) = inverse(self, y) {
                    return result;
                }
                let (mut base, mut exponent, mut result) = (self, y, 1 as $type);
                while exponent > 0 {
                    if exponent & 1 == 1 {
                        result = result.wrapping_mul(base);
                    }
                    base = base.wrapping_mul(base);
                    exponent >>= 1;
                }
                result
            }
            #[inline(always)]
            fn wrapping_abs(self) -> Self {
                let abs: fn($type) -> $type = $abs;
                abs(self)
            }
            #[inline(always)]
            fn wrapping_neg(self) -> Self {
                $type::wrapping_neg(self)
            }
            #[inline(always)]
            fn sign(self) -> Self {
                let sign: fn($type) -> $type = $sign;
                sign(self)
            }
        }
    )* };
}

/// `x^y` for negative `y`.
macro_rules! inverse {
    () => {
        |x, y| match (y < 0, x) {
            (false, _) => None,
            (true, 1) => Some(1),
            (true, -1) => Some(if y & 1 == 0 { 1 } else { -1 }),
            (true, _) => Some(0),
        }
    };
}

integers! {
    i8: i8::wrapping_abs, i8::signum, inverse!();
    i32: i32::wrapping_abs, i32::signum, inverse!();
    i64: i64::wrapping_abs, i64::signum, inverse!();
    u8: |x| x, |x| x.min(1), |_, _| None;
    u32: |x| x, |x| x.min(1), |_, _| None;
    u64: |x| x, |x| x.min(1), |_, _| None;
}

/// An operator on one integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the specification's methods and options")]
pub enum IntegerUnary<T> {
    Abs,
    Neg,
    Sign,
    Relu,
    Clamp { min: T, max: T },
}

/// An operator on two integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the specification's methods")]
pub enum IntegerBinary {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Pow,
    /// The second operand is the slope.
    Prelu,
}

/// A comparison, or a logical operator on numbers that are true unless zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the specification's methods")]
pub enum Test {
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
pub fn unary<T: Integer>(op: IntegerUnary<T>, x: &[T], out: &mut [T]) {
    assert_eq!(x.len(), out.len());
    let pairs = out.iter_mut().zip(x);
    match op {
        IntegerUnary::Abs => pairs.for_each(|(out, x)| *out = x.wrapping_abs()),
        IntegerUnary::Neg => pairs.for_each(|(out, x)| *out = x.wrapping_neg()),
        IntegerUnary::Sign => pairs.for_each(|(out, x)| *out = x.sign()),
        IntegerUnary::Relu => pairs.for_each(|(out, &x)| *out = x.max(T::ZERO)),
        IntegerUnary::Clamp { min, max } => {
            pairs.for_each(|(out, &x)| *out = x.max(min).min(max));
        }
    }
}

/// `out[i] = x[i] == 0`.
///
/// # Panics
///
/// If the lengths differ.
pub fn logical_not(x: &[u8], out: &mut [u8]) {
    assert_eq!(x.len(), out.len());
    for (out, &x) in out.iter_mut().zip(x) {
        *out = u8::from(x == 0);
    }
}

/// Computes the elements `range` of a space with the two operands `x` and `y`.
///
/// # Panics
///
/// If the space reads beyond an operand or `out` is not as long as `range`.
pub fn binary<T: Integer>(
    op: IntegerBinary,
    space: &Space,
    range: Range<usize>,
    x: &[T],
    y: &[T],
    out: &mut [T],
) {
    match op {
        IntegerBinary::Add => zip(space, range, x, y, out, T::wrapping_add),
        IntegerBinary::Sub => zip(space, range, x, y, out, T::wrapping_sub),
        IntegerBinary::Mul => zip(space, range, x, y, out, T::wrapping_mul),
        IntegerBinary::Div => zip(space, range, x, y, out, T::divide),
        IntegerBinary::Max => zip(space, range, x, y, out, T::max),
        IntegerBinary::Min => zip(space, range, x, y, out, T::min),
        IntegerBinary::Pow => zip(space, range, x, y, out, T::power),
        IntegerBinary::Prelu => {
            zip(space, range, x, y, out, |x, y| if x < T::ZERO { x.wrapping_mul(y) } else { x })
        }
    }
}

/// Computes the elements `range` of a space with the two operands `x` and `y`: 0 or 1.
///
/// # Panics
///
/// If the space reads beyond an operand or `out` is not as long as `range`.
pub fn test<T: Integer>(
    test: Test,
    space: &Space,
    range: Range<usize>,
    x: &[T],
    y: &[T],
    out: &mut [u8],
) {
    let zero = T::ZERO;
    match test {
        Test::Equal => zip(space, range, x, y, out, |x, y| u8::from(x == y)),
        Test::NotEqual => zip(space, range, x, y, out, |x, y| u8::from(x != y)),
        Test::Greater => zip(space, range, x, y, out, |x, y| u8::from(x > y)),
        Test::GreaterOrEqual => zip(space, range, x, y, out, |x, y| u8::from(x >= y)),
        Test::Lesser => zip(space, range, x, y, out, |x, y| u8::from(x < y)),
        Test::LesserOrEqual => zip(space, range, x, y, out, |x, y| u8::from(x <= y)),
        Test::LogicalAnd => {
            zip(space, range, x, y, out, |x, y| u8::from((x != zero) & (y != zero)));
        }
        Test::LogicalOr => {
            zip(space, range, x, y, out, |x, y| u8::from((x != zero) | (y != zero)));
        }
        Test::LogicalXor => {
            zip(space, range, x, y, out, |x, y| u8::from((x != zero) ^ (y != zero)));
        }
    }
}

/// Elements that are gathered at a time where an operand is not read in order.
const TILE: usize = 512;

/// `out[i] = f(x at i, y at i)`.
fn zip<T: Integer, U>(
    space: &Space,
    range: Range<usize>,
    x: &[T],
    y: &[T],
    out: &mut [U],
    f: impl Fn(T, T) -> U,
) {
    assert_eq!(out.len(), range.len());
    let (mut x_tile, mut y_tile) = ([T::ZERO; TILE], [T::ZERO; TILE]);
    for (i, out) in out.chunks_mut(TILE).enumerate() {
        let start = range.start + i * TILE;
        let tile = start..start + out.len();
        let x = gather(space, 0, tile.clone(), x, &mut x_tile);
        let y = gather(space, 1, tile, y, &mut y_tile);
        for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
            *out = f(x, y);
        }
    }
}

/// `x` where the condition is not zero, else `y`: for the elements `range` of a space with the
/// operands `condition`, `x` and `y`. Only moves data, so one instance per element width serves.
///
/// # Panics
///
/// If the space reads beyond an operand or `out` is not as long as `range`.
pub fn select<T: Copy + Default>(
    space: &Space,
    range: Range<usize>,
    condition: &[u8],
    x: &[T],
    y: &[T],
    out: &mut [T],
) {
    assert_eq!(out.len(), range.len());
    let (mut x_tile, mut y_tile) = ([T::default(); TILE], [T::default(); TILE]);
    let mut condition_tile = [0; TILE];
    for (i, out) in out.chunks_mut(TILE).enumerate() {
        let start = range.start + i * TILE;
        let tile = start..start + out.len();
        let condition = gather(space, 0, tile.clone(), condition, &mut condition_tile);
        let x = gather(space, 1, tile.clone(), x, &mut x_tile);
        let y = gather(space, 2, tile, y, &mut y_tile);
        for (((out, &c), &x), &y) in out.iter_mut().zip(condition).zip(x).zip(y) {
            *out = if c != 0 { x } else { y };
        }
    }
}

/// The elements of a tile in order: where they lie if they do so in order, else in `buffer`.
fn gather<'a, T: Copy>(
    space: &Space,
    operand: usize,
    tile: Range<usize>,
    x: &'a [T],
    buffer: &'a mut [T; TILE],
) -> &'a [T] {
    let view = space.view(operand);
    let len = tile.len();
    if view.is_linear() {
        return &x[tile];
    }
    view.for_each_run(tile, |run| {
        let target = &mut buffer[run.at..][..run.len];
        match run.stride {
            0 => target.fill(x[run.offset]),
            1 => target.copy_from_slice(&x[run.offset..][..run.len]),
            stride => {
                for (i, target) in target.iter_mut().enumerate() {
                    *target = x[run.offset + i * stride];
                }
            }
        }
    });
    &buffer[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary_of<T: Integer>(op: IntegerBinary, x: T, y: T) -> T {
        let mut out = [T::ZERO];
        binary(op, &Space::broadcast(&[1], &[&[1], &[]]), 0..1, &[x], &[y], &mut out);
        out[0]
    }

    #[test]
    fn nothing_traps() {
        assert_eq!(binary_of(IntegerBinary::Div, 7, 0), 0);
        assert_eq!(binary_of(IntegerBinary::Div, i32::MIN, -1), i32::MIN);
        assert_eq!(binary_of(IntegerBinary::Div, -7, 2), -3);
        assert_eq!(binary_of(IntegerBinary::Add, u8::MAX, 2), 1);
        assert_eq!(binary_of(IntegerBinary::Sub, 0u64, 1), u64::MAX);
        assert_eq!(binary_of(IntegerBinary::Mul, i64::MIN, -1), i64::MIN);
        assert_eq!(i8::MIN.wrapping_abs(), i8::MIN);
        assert_eq!(Integer::wrapping_neg(1u32), u32::MAX);
    }

    #[test]
    fn powers_are_exact_and_wrap() {
        for (x, y, expected) in [
            (2, 10, 1024),
            (-3, 3, -27),
            (5, 0, 1),
            (0, 0, 1),
            (2, -1, 0),
            (1, -5, 1),
            (-1, -5, -1),
            (-1, -4, 1),
            (0, -1, 0),
            (10, 10, 1_410_065_408),
        ] {
            assert_eq!(binary_of(IntegerBinary::Pow, x, y), expected, "{x} ^ {y}");
        }
        assert_eq!(binary_of(IntegerBinary::Pow, 2u8, 8), 0);
    }

    #[test]
    fn unary_operators_match_their_definitions() {
        let x = [i8::MIN, -5, 0, 7, i8::MAX];
        let mut out = [0; 5];
        for (op, expected) in [
            (IntegerUnary::Abs, [i8::MIN, 5, 0, 7, i8::MAX]),
            (IntegerUnary::Neg, [i8::MIN, 5, 0, -7, -i8::MAX]),
            (IntegerUnary::Sign, [-1, -1, 0, 1, 1]),
            (IntegerUnary::Relu, [0, 0, 0, 7, i8::MAX]),
            (IntegerUnary::Clamp { min: -3, max: 7 }, [-3, -3, 0, 7, 7]),
        ] {
            unary(op, &x, &mut out);
            assert_eq!(out, expected, "{op:?}");
        }
        let mut out = [9; 3];
        logical_not(&[0, 1, 200], &mut out);
        assert_eq!(out, [1, 0, 0]);
    }

    #[test]
    fn operands_broadcast_in_any_range() {
        let shape = [3, 4, 301];
        let n: usize = shape.iter().product();
        let x: Vec<i32> = (0..n as i32).collect();
        let y = [100, 200, 300, 400];
        let space = Space::broadcast(&shape, &[&shape, &[4, 1]]);
        for range in [0..n, 5..6, 299..2000] {
            let mut out = vec![0; range.len()];
            binary(IntegerBinary::Sub, &space, range.clone(), &x, &y, &mut out);
            for (out, i) in out.iter().zip(range.clone()) {
                assert_eq!(*out, i as i32 - y[i / 301 % 4], "element {i} of {range:?}");
            }
        }
        let mut out = vec![9; n];
        test(Test::GreaterOrEqual, &space, 0..n, &x, &y, &mut out);
        assert!((0..n).all(|i| out[i] == u8::from(i as i32 >= y[i / 301 % 4])));
    }

    #[test]
    fn tests_match_their_definitions() {
        type Row = (Test, fn(i64, i64) -> bool);
        let table: [Row; 9] = [
            (Test::Equal, |x, y| x == y),
            (Test::NotEqual, |x, y| x != y),
            (Test::Greater, |x, y| x > y),
            (Test::GreaterOrEqual, |x, y| x >= y),
            (Test::Lesser, |x, y| x < y),
            (Test::LesserOrEqual, |x, y| x <= y),
            (Test::LogicalAnd, |x, y| x != 0 && y != 0),
            (Test::LogicalOr, |x, y| x != 0 || y != 0),
            (Test::LogicalXor, |x, y| (x != 0) != (y != 0)),
        ];
        let (x, y) = ([0, 0, 3, 3, -4], [0, 2, 0, 3, 5]);
        let space = Space::broadcast(&[5], &[&[5], &[5]]);
        for (op, expected) in table {
            let mut out = [9; 5];
            test(op, &space, 0..5, &x, &y, &mut out);
            for i in 0..5 {
                assert_eq!(out[i], u8::from(expected(x[i], y[i])), "{op:?} {} {}", x[i], y[i]);
            }
        }
    }

    #[test]
    fn select_broadcasts_its_condition() {
        let space = Space::broadcast(&[2, 3], &[&[2, 1], &[2, 3], &[3]]);
        let mut out = [0u16; 6];
        select(&space, 0..6, &[0, 7], &[1, 2, 3, 4, 5, 6], &[10, 20, 30], &mut out);
        assert_eq!(out, [10, 20, 30, 4, 5, 6]);
    }
}
