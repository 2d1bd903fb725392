//! Running sums along an axis.

use crate::float::Float;
use crate::integer::Integer;

/// Which elements a running sum has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    /// All up to the element itself.
    Inclusive,
    /// All before the element.
    Exclusive,
}

/// Where a running sum starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// At the first element.
    Start,
    /// At the last element.
    End,
}

/// How elements are summed: floats in single precision, integers wrapping.
pub trait Summand: Copy + Send + Sync + 'static {
    /// What the sum is held in.
    type Sum: Copy;
    /// The sum of nothing.
    const ZERO: Self::Sum;

    /// The sum with one element more.
    fn add(self, sum: Self::Sum) -> Self::Sum;
    /// The sum as an element.
    fn of(sum: Self::Sum) -> Self;
}

macro_rules! summands {
    ($($type:ty: $sum:ty, $zero:expr, $add:expr, $of:expr;)*) => { $(
        impl Summand for $type {
            type Sum = $sum;
            const ZERO: $sum = $zero;

            #[inline(always)]
            fn add(self, sum: $sum) -> $sum {
                let add: fn($sum, $type) -> $sum = $add;
                add(sum, self)
            }
            #[inline(always)]
            fn of(sum: $sum) -> Self {
                let of: fn($sum) -> $type = $of;
                of(sum)
            }
        }
    )* };
}
summands! {
    f32: f32, 0.0, |sum, x| sum + x, |sum| sum;
    half::f16: f32, 0.0, |sum, x| sum + x.to_f32(), Float::from_f32;
    i32: i32, 0, Integer::wrapping_add, |sum| sum;
    u32: u32, 0, Integer::wrapping_add, |sum| sum;
    i64: i64, 0, Integer::wrapping_add, |sum| sum;
    u64: u64, 0, Integer::wrapping_add, |sum| sum;
}

/// Columns whose sums are held at a time.
const WIDTH: usize = 64;

/// Computes running sums along the axis of `[.., axis, inner]`; `x` and `out` hold the same part of
/// the outer dimension.
///
/// # Panics
///
/// If the lengths differ or are no multiple of `axis * inner`.
pub fn cumulative_sum<T: Summand>(
    bounds: Bounds,
    origin: Origin,
    [axis, inner]: [usize; 2],
    x: &[T],
    out: &mut [T],
) {
    let part = axis * inner;
    assert!(x.len() == out.len() && x.len().is_multiple_of(part));
    if part == 0 {
        return;
    }
    for (x, out) in x.chunks_exact(part).zip(out.chunks_exact_mut(part)) {
        for first in (0..inner).step_by(WIDTH) {
            let width = WIDTH.min(inner - first);
            let mut sums = [T::ZERO; WIDTH];
            for i in 0..axis {
                let row = match origin {
                    Origin::Start => i,
                    Origin::End => axis - 1 - i,
                };
                let at = row * inner + first;
                let (x, out) = (&x[at..][..width], &mut out[at..][..width]);
                for ((sum, &x), out) in sums.iter_mut().zip(x).zip(out) {
                    let next = x.add(*sum);
                    *out = T::of(match bounds {
                        Bounds::Inclusive => next,
                        Bounds::Exclusive => *sum,
                    });
                    *sum = next;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_directions() {
        let x = [1, 2, 3, 4];
        for (bounds, origin, expected) in [
            (Bounds::Inclusive, Origin::Start, [1, 3, 6, 10]),
            (Bounds::Exclusive, Origin::Start, [0, 1, 3, 6]),
            (Bounds::Inclusive, Origin::End, [10, 9, 7, 4]),
            (Bounds::Exclusive, Origin::End, [9, 7, 4, 0]),
        ] {
            let mut out = [0; 4];
            cumulative_sum(bounds, origin, [4, 1], &x, &mut out);
            assert_eq!(out, expected, "{bounds:?} {origin:?}");
            let wide: Vec<f32> = x.iter().flat_map(|&x| [x as f32; 100]).collect();
            let mut out = vec![0.0; 400];
            cumulative_sum(bounds, origin, [4, 100], &wide, &mut out);
            for (i, out) in out.iter().enumerate() {
                assert_eq!(*out, expected[i / 100] as f32, "{bounds:?} {origin:?} at {i}");
            }
        }
    }

    #[test]
    fn integers_wrap_and_halves_are_summed_in_single_precision() {
        let mut out = [0; 3];
        cumulative_sum(Bounds::Inclusive, Origin::Start, [3, 1], &[i32::MAX, 1, 1], &mut out);
        assert_eq!(out, [i32::MAX, i32::MIN, i32::MIN + 1]);
        let ones = vec![half::f16::ONE; 3000];
        let mut out = vec![half::f16::ZERO; 3000];
        cumulative_sum(Bounds::Inclusive, Origin::Start, [3000, 1], &ones, &mut out);
        assert_eq!(out[2999].to_f32(), 3000.0);
    }
}
