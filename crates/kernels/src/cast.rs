//! Casts between the element types: to floats the nearest, from floats truncated and saturated with
//! NaN as 0, between integers the low bits.

use half::f16;

use crate::buffer::Plain;

/// A type whose numbers can become another's.
pub trait CastTo<T>: Plain {
    /// The number as the other type has it.
    fn cast(self) -> T;
}

macro_rules! casts {
    ($($from:ty => $($to:ty),*;)*) => {$($(
        impl CastTo<$to> for $from {
            #[inline(always)]
            fn cast(self) -> $to {
                self as $to
            }
        }
    )*)*};
}
casts! {
    f32 => f32, i8, u8, i32, u32, i64, u64;
    i8 => f32, i8, u8, i32, u32, i64, u64;
    u8 => f32, i8, u8, i32, u32, i64, u64;
    i32 => f32, i8, u8, i32, u32, i64, u64;
    u32 => f32, i8, u8, i32, u32, i64, u64;
    i64 => f32, i8, u8, i32, u32, i64, u64;
    u64 => f32, i8, u8, i32, u32, i64, u64;
}

macro_rules! halves {
    ($($type:ty),*) => {$(
        impl CastTo<f16> for $type {
            #[inline(always)]
            fn cast(self) -> f16 {
                // A double holds every number that a half does not round to infinity.
                f16::from_f64(self as f64)
            }
        }

        impl CastTo<$type> for f16 {
            #[inline(always)]
            fn cast(self) -> $type {
                self.to_f32() as $type
            }
        }
    )*};
}
halves!(i8, u8, i32, u32, i64, u64, f32);

impl CastTo<f16> for f16 {
    #[inline(always)]
    fn cast(self) -> f16 {
        self
    }
}

/// Casts each element.
///
/// # Panics
///
/// If the lengths differ.
pub fn cast<T: CastTo<U>, U>(x: &[T], out: &mut [U]) {
    assert_eq!(x.len(), out.len());
    for (x, out) in x.iter().zip(out) {
        *out = x.cast();
    }
}

/// Reads 4-bit integers from `start` on, two to a byte, the first in the low half.
///
/// # Panics
///
/// If the bytes hold too few.
pub fn unpack_nibbles(is_signed: Signed, bytes: &[u8], start: usize, out: &mut [i8]) {
    for (i, out) in (start..).zip(out) {
        let nibble = bytes[i / 2] >> (4 * (i % 2)) & 0xf;
        *out = match is_signed {
            Signed::Yes => (nibble << 4) as i8 >> 4,
            Signed::No => nibble as i8,
        };
    }
}

/// Writes the low halves of `x`, two to a byte, the first in the low half.
///
/// # Panics
///
/// If the bytes are not as many as the elements fill.
pub fn pack_nibbles(x: &[i8], bytes: &mut [u8]) {
    assert_eq!(x.len().div_ceil(2), bytes.len());
    for (pair, byte) in x.chunks(2).zip(bytes) {
        let high = pair.get(1).map_or(0, |&x| (x as u8) << 4);
        *byte = pair[0] as u8 & 0xf | high;
    }
}

/// Whether an integer type has negative numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It has.
    Yes,
    /// It has not.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_truncated_and_saturated() {
        let x = [1.9, -1.9, f32::NAN, f32::INFINITY, -1e20, 300.0];
        let mut bytes = [0u8; 6];
        cast(&x, &mut bytes);
        assert_eq!(bytes, [1, 0, 0, 255, 0, 255]);
        let mut wide = [0i64; 6];
        cast(&x, &mut wide);
        assert_eq!(wide, [1, -1, 0, i64::MAX, i64::MIN, 300]);
    }

    #[test]
    fn integers_keep_their_low_bits() {
        let mut bytes = [0i8; 3];
        cast(&[128i64, -129, 256], &mut bytes);
        assert_eq!(bytes, [-128, 127, 0]);
    }

    #[test]
    fn halves_are_rounded_once() {
        // Through single precision this would first become a tie.
        let mut half = [f16::ZERO];
        cast(&[2049 * 16384 + 1], &mut half);
        assert_eq!(half[0], f16::INFINITY);
        cast(&[2049i32], &mut half);
        assert_eq!(half[0].to_f32(), 2048.0);
        cast(&[2051i32], &mut half);
        assert_eq!(half[0].to_f32(), 2052.0);
    }

    #[test]
    fn nibbles_survive_both_ways() {
        let x = [-8, 7, 0, -1, 3];
        let mut bytes = [0; 3];
        pack_nibbles(&x, &mut bytes);
        let mut back = [0; 5];
        unpack_nibbles(Signed::Yes, &bytes, 0, &mut back);
        assert_eq!(back, x);
        unpack_nibbles(Signed::No, &bytes, 2, &mut back[..2]);
        assert_eq!(back[..2], [0, 15]);
    }
}
