//! Running sums along an axis.

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

/// What can be summed; integers wrap.
pub trait Summand: Copy + Send + Sync + 'static {
    /// The sum of nothing.
    const ZERO: Self;

    /// The sum with one element more.
    fn add(self, sum: Self) -> Self;
}

macro_rules! summands {
    ($($type:ty: $zero:expr, $add:expr;)*) => { $(
        impl Summand for $type {
            const ZERO: Self = $zero;

            #[inline(always)]
            fn add(self, sum: Self) -> Self {
                let add: fn(Self, Self) -> Self = $add;
                add(sum, self)
            }
        }
    )* };
}
summands! {
    f32: 0.0, |sum, x| sum + x;
    i32: 0, Integer::wrapping_add;
    u32: 0, Integer::wrapping_add;
    i64: 0, Integer::wrapping_add;
    u64: 0, Integer::wrapping_add;
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
                    *out = match bounds {
                        Bounds::Inclusive => next,
                        Bounds::Exclusive => *sum,
                    };
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
    fn integers_wrap() {
        let mut out = [0; 3];
        cumulative_sum(Bounds::Inclusive, Origin::Start, [3, 1], &[i32::MAX, 1, 1], &mut out);
        assert_eq!(out, [i32::MAX, i32::MIN, i32::MIN + 1]);
    }
}
