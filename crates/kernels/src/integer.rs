//! Element-wise operators on integers: arithmetic wraps, and nothing traps.

use std::ops::Range;

use crate::buffer::Plain;
use crate::strided::{Space, View};

/// Elements that operands are made ready for at a time.
const TILE: usize = 512;

/// An operator on one integer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary<T> {
    /// The absolute value; of the least integer, itself.
    Abs,
    /// −x; of the least integer, itself.
    Neg,
    /// max(0, x)
    Relu,
    /// −1, 0 or 1
    Sign,
    /// Held between two bounds.
    Clamp {
        /// The least result.
        min: T,
        /// The greatest result.
        max: T,
    },
}

/// An operator on two integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a · b
    Mul,
    /// a / b, truncated; 0 where b is 0.
    Div,
    /// The greater.
    Max,
    /// The lesser.
    Min,
    /// a to the power of b; with a negative exponent the truncated quotient.
    Pow,
    /// a where it is not negative, else a · b.
    Prelu,
}

/// A comparison of two integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// a = b
    Equal,
    /// a ≠ b
    NotEqual,
    /// a > b
    Greater,
    /// a ≥ b
    GreaterOrEqual,
    /// a < b
    Lesser,
    /// a ≤ b
    LesserOrEqual,
}

/// An integer type.
pub trait Integer: Plain + Ord + Default + Send + Sync {
    /// The operator's result.
    fn unary(self, op: Unary<Self>) -> Self;
    /// a + b
    fn add(self, other: Self) -> Self;
    /// a − b
    fn sub(self, other: Self) -> Self;
    /// a · b
    fn mul(self, other: Self) -> Self;
    /// a / b
    fn div(self, other: Self) -> Self;
    /// a to the power of b
    fn pow(self, other: Self) -> Self;
}

macro_rules! integer {
    ($($type:ty: $abs:expr, $sign:expr, $is_negative:expr;)*) => {$(
        impl Integer for $type {
            #[inline(always)]
            fn unary(self, op: Unary<Self>) -> Self {
                match op {
                    Unary::Abs => $abs(self),
                    Unary::Neg => self.wrapping_neg(),
                    Unary::Relu => self.max(0),
                    Unary::Sign => $sign(self),
                    Unary::Clamp { min, max } => self.max(min).min(max),
                }
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }

            #[inline(always)]
            fn div(self, other: Self) -> Self {
                if other == 0 { 0 } else { self.wrapping_div(other) }
            }

            fn pow(self, exponent: Self) -> Self {
                if $is_negative(exponent) {
                    return match self {
                        1 => 1,
                        base if base == (0 as $type).wrapping_sub(1) => {
                            if exponent & 1 == 0 { 1 } else { base }
                        }
                        _ => 0,
                    };
                }
                let (mut power, mut square, mut rest): (Self, Self, Self) = (1, self, exponent);
                while rest > 0 {
                    if rest & 1 == 1 {
                        power = power.wrapping_mul(square);
                    }
                    square = square.wrapping_mul(square);
                    rest >>= 1;
                }
                power
            }
        }
    )*};
}
integer! {
    i8: i8::wrapping_abs, i8::signum, |x: i8| x < 0;
    i32: i32::wrapping_abs, i32::signum, |x: i32| x < 0;
    i64: i64::wrapping_abs, i64::signum, |x: i64| x < 0;
    u8: |x| x, |x: u8| x.min(1), |_| false;
    u32: |x| x, |x: u32| x.min(1), |_| false;
    u64: |x| x, |x: u64| x.min(1), |_| false;
}

/// Applies `op` to each element.
///
/// # Panics
///
/// If the lengths differ.
pub fn unary<T: Integer>(op: Unary<T>, x: &[T], out: &mut [T]) {
    assert_eq!(x.len(), out.len());
    macro_rules! each {
        ($op:expr) => {
            x.iter().zip(out).for_each(|(x, out)| *out = x.unary($op))
        };
    }
    // The operator is known in each arm, so that the loop has no branch.
    match op {
        Unary::Abs => each!(Unary::Abs),
        Unary::Neg => each!(Unary::Neg),
        Unary::Relu => each!(Unary::Relu),
        Unary::Sign => each!(Unary::Sign),
        Unary::Clamp { min, max } => each!(Unary::Clamp { min, max }),
    }
}

/// Computes the elements `range` of `space`, whose operands are `a` and `b`, into `out`.
///
/// # Panics
///
/// If the lengths do not fit together.
pub fn binary<T: Integer>(
    op: Binary,
    space: &Space,
    range: Range<usize>,
    a: &[T],
    b: &[T],
    out: &mut [T],
) {
    match op {
        Binary::Add => zip(space, range, a, b, out, T::add),
        Binary::Sub => zip(space, range, a, b, out, T::sub),
        Binary::Mul => zip(space, range, a, b, out, T::mul),
        Binary::Div => zip(space, range, a, b, out, T::div),
        Binary::Max => zip(space, range, a, b, out, T::max),
        Binary::Min => zip(space, range, a, b, out, T::min),
        Binary::Pow => zip(space, range, a, b, out, T::pow),
        Binary::Prelu => {
            zip(space, range, a, b, out, |a, b| if a < T::default() { a.mul(b) } else { a })
        }
    }
}

/// Compares the elements `range` of `space`, whose operands are `a` and `b`: 0 or 1 into `out`.
///
/// # Panics
///
/// If the lengths do not fit together.
pub fn compare<T: Integer>(
    test: Test,
    space: &Space,
    range: Range<usize>,
    a: &[T],
    b: &[T],
    out: &mut [u8],
) {
    match test {
        Test::Equal => zip(space, range, a, b, out, |a, b| u8::from(a == b)),
        Test::NotEqual => zip(space, range, a, b, out, |a, b| u8::from(a != b)),
        Test::Greater => zip(space, range, a, b, out, |a, b| u8::from(a > b)),
        Test::GreaterOrEqual => zip(space, range, a, b, out, |a, b| u8::from(a >= b)),
        Test::Lesser => zip(space, range, a, b, out, |a, b| u8::from(a < b)),
        Test::LesserOrEqual => zip(space, range, a, b, out, |a, b| u8::from(a <= b)),
    }
}

/// The elements `range` of `space`: those of `yes` where `condition` is not zero, else of `no`.
/// The space's operands are `condition`, `yes` and `no`, in this order.
///
/// # Panics
///
/// If the lengths do not fit together.
pub fn select<T: Plain + Default>(
    space: &Space,
    range: Range<usize>,
    condition: &[u8],
    [yes, no]: [&[T]; 2],
    out: &mut [T],
) {
    assert!(space.operands() == 3 && out.len() == range.len());
    let mut conditions = [0; TILE];
    let mut first = [T::default(); TILE];
    let mut second = [T::default(); TILE];
    for (start, out) in (range.start..).step_by(TILE).zip(out.chunks_mut(TILE)) {
        let tile = start..start + out.len();
        let condition = gather(space.view(0), tile.clone(), condition, &mut conditions);
        let yes = gather(space.view(1), tile.clone(), yes, &mut first);
        let no = gather(space.view(2), tile, no, &mut second);
        for (((out, &c), &yes), &no) in out.iter_mut().zip(condition).zip(yes).zip(no) {
            *out = if c != 0 { yes } else { no };
        }
    }
}

/// `out[i] = f(a[i], b[i])` for the elements `range` of a space of two operands.
#[inline(always)]
fn zip<T: Plain + Default, U>(
    space: &Space,
    range: Range<usize>,
    a: &[T],
    b: &[T],
    out: &mut [U],
    f: impl Fn(T, T) -> U,
) {
    assert!(space.operands() == 2 && out.len() == range.len());
    let mut first = [T::default(); TILE];
    let mut second = [T::default(); TILE];
    for (start, out) in (range.start..).step_by(TILE).zip(out.chunks_mut(TILE)) {
        let tile = start..start + out.len();
        let a = gather(space.view(0), tile.clone(), a, &mut first);
        let b = gather(space.view(1), tile, b, &mut second);
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = f(a, b);
        }
    }
}

/// The elements of a tile in order: where they lie, or copied to `into`.
fn gather<'a, T: Plain>(
    view: View<'_>,
    tile: Range<usize>,
    data: &'a [T],
    into: &'a mut [T],
) -> &'a [T] {
    if view.is_linear() {
        return &data[tile];
    }
    let into = &mut into[..tile.len()];
    view.for_each_run(tile, |run| {
        let to = &mut into[run.at..][..run.len];
        match run.stride {
            0 => to.fill(data[run.offset]),
            1 => to.copy_from_slice(&data[run.offset..][..run.len]),
            stride => {
                let from = data[run.offset..].iter().step_by(stride);
                to.iter_mut().zip(from).for_each(|(to, &x)| *to = x);
            }
        }
    });
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_wraps_and_never_traps() {
        for (op, a, b, expected) in [
            (Binary::Add, i8::MAX, 1, i8::MIN),
            (Binary::Sub, i8::MIN, 1, i8::MAX),
            (Binary::Mul, 64, 2, -128),
            (Binary::Div, 7, 0, 0),
            (Binary::Div, i8::MIN, -1, i8::MIN),
            (Binary::Div, -7, 2, -3),
            (Binary::Max, -1, 3, 3),
            (Binary::Min, -1, 3, -1),
            (Binary::Pow, 3, 4, 81),
            (Binary::Pow, 2, 7, i8::MIN),
            (Binary::Pow, 2, -1, 0),
            (Binary::Pow, -1, -3, -1),
            (Binary::Pow, -1, -2, 1),
            (Binary::Pow, 0, 0, 1),
            (Binary::Prelu, -3, 5, -15),
            (Binary::Prelu, 3, 5, 3),
        ] {
            let mut out = [0];
            let space = Space::broadcast(&[1], &[&[1], &[1]]);
            binary(op, &space, 0..1, &[a], &[b], &mut out);
            assert_eq!(out, [expected], "{op:?} of {a} and {b}");
        }
        for (op, x, expected) in [
            (Unary::Abs, i32::MIN, i32::MIN),
            (Unary::Neg, i32::MIN, i32::MIN),
            (Unary::Abs, -5, 5),
            (Unary::Relu, -5, 0),
            (Unary::Sign, -5, -1),
            (Unary::Clamp { min: -2, max: 2 }, 5, 2),
        ] {
            let mut out = [0];
            unary(op, &[x], &mut out);
            assert_eq!(out, [expected], "{op:?} of {x}");
        }
        let mut out = [0u64];
        let space = Space::broadcast(&[1], &[&[1], &[1]]);
        binary(Binary::Pow, &space, 0..1, &[3], &[41], &mut out);
        assert_eq!(out, [3u64.wrapping_pow(41)]);
    }

    #[test]
    fn operands_are_broadcast_over_any_range() {
        let (rows, columns) = (5, 333);
        let a: Vec<i64> = (0..columns as i64).collect();
        let b: Vec<i64> = (0..rows as i64).map(|i| i * 1000).collect();
        let condition: Vec<u8> = (0..rows * columns).map(|i| (i % 3) as u8).collect();
        let shape = [rows, columns];
        let space = Space::broadcast(&shape, &[&[columns], &[rows, 1]]);
        let selected = Space::broadcast(&shape, &[&shape, &[columns], &[rows, 1]]);
        for range in [0..rows * columns, 7..1500, 600..601] {
            let at = |i: usize| (a[i % columns], b[i / columns]);
            let mut sum = vec![0; range.len()];
            binary(Binary::Add, &space, range.clone(), &a, &b, &mut sum);
            let mut less = vec![0; range.len()];
            compare(Test::Lesser, &space, range.clone(), &a, &b, &mut less);
            let mut either = vec![0; range.len()];
            select(&selected, range.clone(), &condition, [&a, &b], &mut either);
            for (k, i) in range.enumerate() {
                let (a, b) = at(i);
                assert_eq!(sum[k], a + b, "element {i}");
                assert_eq!(less[k], u8::from(a < b), "element {i}");
                assert_eq!(either[k], if condition[i] != 0 { a } else { b }, "element {i}");
            }
        }
    }
}
