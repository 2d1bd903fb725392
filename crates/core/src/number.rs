//! Numbers as callers give them, and elements as tensors store them.

use std::fmt;

use half::f16;

use crate::types::DataType;

/// The specification's `MLNumber`: a double, or an integer too wide for one.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A double, NaN and infinities included.
    Float(f64),
    /// An integer of any of the data types.
    Int(i128),
}

impl Number {
    /// The value as a double, rounded to the nearest.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Float(value) => value,
            Number::Int(value) => value as f64,
        }
    }

    /// The specification's cast of an `MLNumber` to a data type: to floats the nearest value; to
    /// integers NaN to 0, clamped to the range, then the nearest with halves to even.
    pub fn cast(self, data_type: DataType) -> Number {
        let Some((least, greatest)) = data_type.integer_range() else {
            return Number::Float(match self {
                // A wide integer is rounded once, not first to a double.
                Number::Int(value) if data_type == DataType::Float32 => f64::from(value as f32),
                // What a double cannot hold is far beyond what half precision can.
                Number::Int(value) => round_float(value as f64, data_type),
                Number::Float(value) => round_float(value, data_type),
            });
        };
        Number::Int(match self {
            Number::Int(value) => value.clamp(least, greatest),
            // A saturating conversion: out of i128's range is out of every data type's.
            Number::Float(value) => (value.round_ties_even() as i128).clamp(least, greatest),
        })
    }

    /// The bytes of the element that this number becomes in a tensor of the type; a 4-bit
    /// element fills the low half of its byte.
    pub fn to_element(self, data_type: DataType) -> Vec<u8> {
        match self.cast(data_type) {
            Number::Float(value) if data_type == DataType::Float16 => {
                to_f16(value).to_le_bytes().to_vec()
            }
            Number::Float(value) => (value as f32).to_le_bytes().to_vec(),
            Number::Int(value) => {
                let bytes = value.to_le_bytes();
                match data_type.bits() {
                    4 => vec![bytes[0] & 0xf],
                    bits => bytes[..bits as usize / 8].to_vec(),
                }
            }
        }
    }
}

impl PartialEq for Number {
    /// NaN equals NaN, so that operators compare by what they do.
    fn eq(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Float(a), Number::Float(b)) => a.to_bits() == b.to_bits(),
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Float(_), Number::Int(_)) | (Number::Int(_), Number::Float(_)) => false,
        }
    }
}

impl fmt::Display for Number {
    /// Digits that read back as the same number; a float has a point, an exponent, or is one of
    /// `NaN`, `Infinity` and `-Infinity`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Number::Int(value) => write!(f, "{value}"),
            Number::Float(f64::INFINITY) => f.write_str("Infinity"),
            Number::Float(f64::NEG_INFINITY) => f.write_str("-Infinity"),
            Number::Float(value) => write!(f, "{value:?}"),
        }
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Number {
        Number::Float(value)
    }
}

impl From<f32> for Number {
    fn from(value: f32) -> Number {
        Number::Float(f64::from(value))
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number::Int(i128::from(value))
    }
}

/// The nearest half-precision number, ties to even.
///
/// Twice rounding to the nearest can err. Rounding to single precision first with the last bit
/// set wherever something was cut off keeps the second rounding right.
pub fn to_f16(value: f64) -> f16 {
    let nearest = value as f32;
    let bits = nearest.to_bits();
    let is_exact = f64::from(nearest) == value || value.is_nan();
    if is_exact || bits & 1 == 1 {
        f16::from_f32(nearest)
    } else if f64::from(nearest).abs() > value.abs() {
        f16::from_f32(f32::from_bits(bits - 1))
    } else {
        f16::from_f32(f32::from_bits(bits + 1))
    }
}

/// The nearest value of the type, ties to even; integer types leave the value as it is.
///
/// The specification casts every option that is a double in this way to the operand's data type.
pub fn round_float(value: f64, data_type: DataType) -> f64 {
    match data_type {
        DataType::Float32 => f64::from(value as f32),
        DataType::Float16 => to_f16(value).to_f64(),
        DataType::Int32
        | DataType::Uint32
        | DataType::Int64
        | DataType::Uint64
        | DataType::Int8
        | DataType::Uint8
        | DataType::Int4
        | DataType::Uint4 => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_float16_are_told_from_what_is_just_above_them() {
        let half_step = 2f64.powi(-11);
        for (value, expected) in [
            (1.0 + half_step, 1.0),
            (1.0 + half_step + 2f64.powi(-50), 1.0 + 2.0 * half_step),
            (1.0 + 3.0 * half_step, 1.0 + 4.0 * half_step),
            (1.0 + 3.0 * half_step - 2f64.powi(-50), 1.0 + 2.0 * half_step),
            (-1e-300, -0.0),
            (1e300, f64::INFINITY),
            (2f64.powi(-25), 0.0),
            (2f64.powi(-25) * (1.0 + f64::EPSILON), 2f64.powi(-24)),
        ] {
            assert_eq!(to_f16(value).to_f64().to_bits(), expected.to_bits(), "{value:e}");
        }
    }

    #[test]
    fn casts_saturate_and_round_halves_to_even() {
        for (number, data_type, expected) in [
            (Number::Float(1.5), DataType::Int8, Number::Int(2)),
            (Number::Float(2.5), DataType::Int8, Number::Int(2)),
            (Number::Float(f64::NAN), DataType::Uint32, Number::Int(0)),
            (Number::Float(-1.0), DataType::Uint32, Number::Int(0)),
            (Number::Float(f64::INFINITY), DataType::Int64, Number::Int(i128::from(i64::MAX))),
            (Number::Int(-129), DataType::Int8, Number::Int(-128)),
            (Number::Int(i128::from(u64::MAX)), DataType::Uint64, Number::Int(u64::MAX.into())),
            (Number::Float(65520.0), DataType::Float16, Number::Float(f64::INFINITY)),
            (Number::Float(65519.0), DataType::Float16, Number::Float(65504.0)),
            (Number::Float(-0.0), DataType::Float32, Number::Float(-0.0)),
            (Number::Float(9.0), DataType::Int4, Number::Int(7)),
            (
                Number::Int((1 << 53) + (1 << 29) + 1),
                DataType::Float32,
                Number::Float(9007200328482816.0),
            ),
            (Number::Int(1 << 100), DataType::Float16, Number::Float(f64::INFINITY)),
        ] {
            assert_eq!(number.cast(data_type), expected, "{number:?} to {data_type}");
        }
    }
}
