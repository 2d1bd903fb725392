//! The element types of ONNX, and which of WebNN's types carries each.

use std::fmt;

use half::{bf16, f16};
use webnn_core::DataType;

use crate::error::{Outcome, fault};

/// The type of a tensor's elements, as ONNX names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are ONNX's")]
pub enum ElemType {
    Float32,
    Uint8,
    Int8,
    Uint16,
    Int16,
    Int32,
    Int64,
    String,
    Bool,
    Float16,
    Float64,
    Uint32,
    Uint64,
    Complex64,
    Complex128,
    Bfloat16,
    Float8E4M3,
    Float8E4M3Uz,
    Float8E5M2,
    Float8E5M2Uz,
    Uint4,
    Int4,
    Float4E2M1,
    Float8E8M0,
    Uint2,
    Int2,
    Float6E2M3,
    Float6E3M2,
}

use ElemType::*;

/// How a float type of at most eight bits is coded.
struct Minifloat {
    exponent_bits: u32,
    mantissa_bits: u32,
    bias: i32,
    /// Which codes are not numbers.
    special: Special,
}

enum Special {
    /// The greatest exponent means infinity and NaN, as in IEEE 754.
    Ieee,
    /// Only all ones is NaN.
    AllOnes,
    /// Only the code of minus zero is NaN.
    MinusZero,
    /// Every code is a number.
    None,
}

impl ElemType {
    const ALL: [ElemType; 28] = [
        Float32,
        Uint8,
        Int8,
        Uint16,
        Int16,
        Int32,
        Int64,
        String,
        Bool,
        Float16,
        Float64,
        Uint32,
        Uint64,
        Complex64,
        Complex128,
        Bfloat16,
        Float8E4M3,
        Float8E4M3Uz,
        Float8E5M2,
        Float8E5M2Uz,
        Uint4,
        Int4,
        Float4E2M1,
        Float8E8M0,
        Uint2,
        Int2,
        Float6E2M3,
        Float6E3M2,
    ];

    /// The type that a file's number stands for.
    pub(crate) fn from_wire(number: i32) -> Outcome<ElemType> {
        let known = usize::try_from(number).ok().and_then(|n| ElemType::ALL.get(n.checked_sub(1)?));
        match known {
            Some(elem) => Ok(*elem),
            None => fault!(Invalid, "there is no element type {number}"),
        }
    }

    /// The type of the given name, as [`ElemType::name`] or as the format's own text has it.
    pub fn from_name(name: &str) -> Option<ElemType> {
        match name {
            "float" => Some(Float32),
            "double" => Some(Float64),
            name => ElemType::ALL.into_iter().find(|elem| elem.name() == name),
        }
    }

    /// The number that stands for the type in a file.
    pub fn wire(self) -> i32 {
        self as i32 + 1
    }

    /// ONNX's name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Float32 => "float32",
            Uint8 => "uint8",
            Int8 => "int8",
            Uint16 => "uint16",
            Int16 => "int16",
            Int32 => "int32",
            Int64 => "int64",
            String => "string",
            Bool => "bool",
            Float16 => "float16",
            Float64 => "float64",
            Uint32 => "uint32",
            Uint64 => "uint64",
            Complex64 => "complex64",
            Complex128 => "complex128",
            Bfloat16 => "bfloat16",
            Float8E4M3 => "float8e4m3fn",
            Float8E4M3Uz => "float8e4m3fnuz",
            Float8E5M2 => "float8e5m2",
            Float8E5M2Uz => "float8e5m2fnuz",
            Uint4 => "uint4",
            Int4 => "int4",
            Float4E2M1 => "float4e2m1",
            Float8E8M0 => "float8e8m0",
            Uint2 => "uint2",
            Int2 => "int2",
            Float6E2M3 => "float6e2m3",
            Float6E3M2 => "float6e3m2",
        }
    }

    /// The bits that an element takes in a file; 0 for strings.
    pub fn bits(self) -> u32 {
        match self {
            Complex128 => 128,
            Int64 | Uint64 | Float64 | Complex64 => 64,
            Float32 | Int32 | Uint32 => 32,
            Uint16 | Int16 | Float16 | Bfloat16 => 16,
            Uint8 | Int8 | Bool | Float8E4M3 | Float8E4M3Uz | Float8E5M2 | Float8E5M2Uz
            | Float8E8M0 => 8,
            Float6E2M3 | Float6E3M2 => 6,
            Uint4 | Int4 | Float4E2M1 => 4,
            Uint2 | Int2 => 2,
            String => 0,
        }
    }

    /// The bytes that `count` elements take in a file; `None` for strings and on overflow.
    pub(crate) fn byte_length(self, count: u64) -> Option<u64> {
        if self == String {
            return None;
        }
        // Six-bit elements lie one per byte.
        let bits = if self.bits() == 6 { 8 } else { self.bits() };
        Some(count.checked_mul(u64::from(bits))?.div_ceil(8))
    }

    /// Whether the elements are real numbers with a fraction.
    pub fn is_float(self) -> bool {
        match self {
            Float32 | Float16 | Float64 | Bfloat16 | Float8E4M3 | Float8E4M3Uz | Float8E5M2
            | Float8E5M2Uz | Float4E2M1 | Float8E8M0 | Float6E2M3 | Float6E3M2 => true,
            Uint8 | Int8 | Uint16 | Int16 | Int32 | Int64 | String | Bool | Uint32 | Uint64
            | Complex64 | Complex128 | Uint4 | Int4 | Uint2 | Int2 => false,
        }
    }

    /// The least and the greatest value of an integer type.
    pub(crate) fn integer_range(self) -> Option<(i128, i128)> {
        let signed = |bits: u32| Some((-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1));
        let unsigned = |bits: u32| Some((0, (1i128 << bits) - 1));
        match self {
            Int8 | Int16 | Int32 | Int64 | Int4 | Int2 => signed(self.bits()),
            Uint8 | Uint16 | Uint32 | Uint64 | Uint4 | Uint2 => unsigned(self.bits()),
            Bool => Some((0, 1)),
            Float32 | String | Float16 | Float64 | Complex64 | Complex128 | Bfloat16
            | Float8E4M3 | Float8E4M3Uz | Float8E5M2 | Float8E5M2Uz | Float4E2M1 | Float8E8M0
            | Float6E2M3 | Float6E3M2 => None,
        }
    }

    /// The WebNN type that carries the values.
    ///
    /// float64 and bfloat16 are computed as float32: float64 values are rounded on the way in,
    /// bfloat16 ones keep more digits than they ask for. So are the smaller floats, all of whose
    /// values float32 has. 16-bit integers are computed as 32-bit ones and wrapped after each
    /// operation; those of four and two bits as int8 or uint8.
    pub fn carrier(self) -> Option<DataType> {
        match self {
            Float32 | Float64 | Bfloat16 | Float8E4M3 | Float8E4M3Uz | Float8E5M2
            | Float8E5M2Uz | Float4E2M1 | Float8E8M0 | Float6E2M3 | Float6E3M2 => {
                Some(DataType::Float32)
            }
            Float16 => Some(DataType::Float16),
            Int8 | Int4 | Int2 => Some(DataType::Int8),
            Uint8 | Bool | Uint4 | Uint2 => Some(DataType::Uint8),
            Int32 | Int16 => Some(DataType::Int32),
            Uint32 | Uint16 => Some(DataType::Uint32),
            Int64 => Some(DataType::Int64),
            Uint64 => Some(DataType::Uint64),
            String | Complex64 | Complex128 => None,
        }
    }

    /// Whether operators that compute this type's values round or wrap them as it asks.
    pub(crate) fn is_exact(self) -> bool {
        match self {
            Float32 | Uint8 | Int8 | Uint16 | Int16 | Int32 | Int64 | Bool | Float16 | Float64
            | Uint32 | Uint64 | Bfloat16 => true,
            String | Complex64 | Complex128 | Float8E4M3 | Float8E4M3Uz | Float8E5M2
            | Float8E5M2Uz | Uint4 | Int4 | Float4E2M1 | Float8E8M0 | Uint2 | Int2 | Float6E2M3
            | Float6E3M2 => false,
        }
    }

    /// Whether the elements are integers of fewer than eight bits.
    pub(crate) fn is_narrow(self) -> bool {
        matches!(self, Uint4 | Int4 | Uint2 | Int2)
    }

    /// The value rounded to this float type; integers and minifloats are returned unchanged.
    pub(crate) fn round(self, value: f64) -> f64 {
        if self == Float32 {
            f64::from(value as f32)
        } else if self == Float16 {
            f16::from_f64(value).to_f64()
        } else if self == Bfloat16 {
            bf16::from_f64(value).to_f64()
        } else {
            value
        }
    }

    /// The integer wrapped into this type's range, as its arithmetic does.
    pub(crate) fn wrap(self, value: i128) -> i128 {
        if self == Bool {
            return i128::from(value != 0);
        }
        match self.integer_range() {
            Some((least, greatest)) => (value - least).rem_euclid(greatest - least + 1) + least,
            None => value,
        }
    }

    fn minifloat(self) -> Option<Minifloat> {
        let (exponent_bits, mantissa_bits, bias, special) = match self {
            Float8E4M3 => (4, 3, 7, Special::AllOnes),
            Float8E4M3Uz => (4, 3, 8, Special::MinusZero),
            Float8E5M2 => (5, 2, 15, Special::Ieee),
            Float8E5M2Uz => (5, 2, 16, Special::MinusZero),
            Float4E2M1 => (2, 1, 1, Special::None),
            Float6E2M3 => (2, 3, 1, Special::None),
            Float6E3M2 => (3, 2, 3, Special::None),
            Float32 | Uint8 | Int8 | Uint16 | Int16 | Int32 | Int64 | String | Bool | Float16
            | Float64 | Uint32 | Uint64 | Complex64 | Complex128 | Bfloat16 | Uint4 | Int4
            | Float8E8M0 | Uint2 | Int2 => return None,
        };
        Some(Minifloat { exponent_bits, mantissa_bits, bias, special })
    }

    /// The value of a code of one of the float types of at most eight bits.
    pub(crate) fn decode_small(self, code: u8) -> f64 {
        if self == Float8E8M0 {
            return if code == 0xff { f64::NAN } else { 2f64.powi(i32::from(code) - 127) };
        }
        let Some(format) = self.minifloat() else { return f64::NAN };
        let width = 1 + format.exponent_bits + format.mantissa_bits;
        let code = u32::from(code) & ((1 << width) - 1);
        let sign = if code >> (width - 1) == 1 { -1.0 } else { 1.0 };
        let exponent = (code >> format.mantissa_bits) & ((1 << format.exponent_bits) - 1);
        let mantissa = code & ((1 << format.mantissa_bits) - 1);
        let top = exponent == (1 << format.exponent_bits) - 1;
        match format.special {
            Special::Ieee if top && mantissa == 0 => return sign * f64::INFINITY,
            Special::Ieee if top => return f64::NAN,
            Special::AllOnes if top && mantissa == (1 << format.mantissa_bits) - 1 => {
                return f64::NAN;
            }
            Special::MinusZero if code == 1 << (width - 1) => return f64::NAN,
            Special::Ieee | Special::AllOnes | Special::MinusZero | Special::None => {}
        }
        let fraction = f64::from(mantissa) / f64::from(1u32 << format.mantissa_bits);
        let exponent = exponent as i32;
        if exponent == 0 {
            return sign * fraction * 2f64.powi(1 - format.bias);
        }
        sign * (1.0 + fraction) * 2f64.powi(exponent - format.bias)
    }
}

impl fmt::Display for ElemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_files_name_types() {
        for (number, elem) in
            [(1, Float32), (7, Int64), (16, Bfloat16), (22, Int4), (28, Float6E3M2)]
        {
            assert_eq!(ElemType::from_wire(number).unwrap(), elem);
            assert_eq!(elem.wire(), number);
        }
        assert!(ElemType::from_wire(0).is_err());
        assert!(ElemType::from_wire(29).is_err());
        assert!(ElemType::from_wire(-1).is_err());
    }

    #[test]
    fn small_floats_decode_to_the_published_extremes() {
        for (elem, code, value) in [
            (Float8E4M3, 0x7e, 448.0),
            (Float8E4M3, 0x01, 2f64.powi(-9)),
            (Float8E4M3Uz, 0x7f, 240.0),
            (Float8E5M2, 0x7b, 57344.0),
            (Float8E5M2, 0x7c, f64::INFINITY),
            (Float8E5M2Uz, 0x7f, 57344.0),
            (Float4E2M1, 0x7, 6.0),
            (Float4E2M1, 0xf, -6.0),
            (Float6E2M3, 0x1f, 7.5),
            (Float6E3M2, 0x1f, 28.0),
            (Float8E8M0, 127, 1.0),
        ] {
            assert_eq!(elem.decode_small(code), value, "{elem} {code:#x}");
        }
        for (elem, code) in [(Float8E4M3, 0x7f), (Float8E4M3Uz, 0x80), (Float8E8M0, 0xff)] {
            assert!(elem.decode_small(code).is_nan(), "{elem} {code:#x}");
        }
    }

    #[test]
    fn integers_wrap_into_their_range() {
        for (elem, value, wrapped) in [
            (Int8, 130, -126),
            (Uint8, -1, 255),
            (Int64, 1 << 63, i128::from(i64::MIN)),
            (Bool, 7, 1),
        ] {
            assert_eq!(elem.wrap(value), wrapped, "{elem} {value}");
        }
    }
}
