//! Values that are known when the graph is built: initializers and what is computed from them.

use std::cell::OnceCell;
use std::rc::Rc;

use half::{bf16, f16};
use webnn_core::Bytes;

use crate::elem::ElemType;
use crate::error::{Outcome, fault, require};

/// The most elements that the importer computes with itself; more is left to the compiler.
pub(crate) const MAX_KNOWN: u64 = 1 << 20;

/// The elements of a known value, decoded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    /// Integers and booleans.
    Ints(Vec<i128>),
    /// Floats, each rounded to its type.
    Floats(Vec<f64>),
}

impl Data {
    pub(crate) fn len(&self) -> usize {
        match self {
            Data::Ints(values) => values.len(),
            Data::Floats(values) => values.len(),
        }
    }
}

/// A decoded tensor in host memory; any size may be zero.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) elem: ElemType,
    pub(crate) dims: Vec<u32>,
    pub(crate) data: Data,
}

/// The number of elements of a shape; fails where it cannot be counted.
pub(crate) fn count(dims: &[u32]) -> Outcome<u64> {
    if dims.contains(&0) {
        return Ok(0);
    }
    let product = dims.iter().try_fold(1u64, |count, &size| count.checked_mul(u64::from(size)));
    match product {
        Some(count) => Ok(count),
        None => fault!(Limit, "shape {dims:?} has too many elements"),
    }
}

/// The number of elements of a value that the importer is to compute itself.
pub(crate) fn small_count(dims: &[u32]) -> Outcome<usize> {
    let count = count(dims)?;
    if count > MAX_KNOWN {
        fault!(Limit, "a known value of {count} elements, expected at most {MAX_KNOWN}");
    }
    Ok(count as usize)
}

impl Array {
    /// Integers, wrapped into the type's range.
    pub(crate) fn ints(elem: ElemType, dims: &[u32], values: Vec<i128>) -> Array {
        let values = values.into_iter().map(|value| elem.wrap(value)).collect();
        Array { elem, dims: dims.to_vec(), data: Data::Ints(values) }
    }

    /// Floats, rounded to the type.
    pub(crate) fn floats(elem: ElemType, dims: &[u32], values: Vec<f64>) -> Array {
        let values = values.into_iter().map(|value| elem.round(value)).collect();
        Array { elem, dims: dims.to_vec(), data: Data::Floats(values) }
    }

    /// A list of int64, as shapes are.
    pub(crate) fn shape(values: &[u32]) -> Array {
        let dims = [values.len() as u32];
        Array::ints(ElemType::Int64, &dims, values.iter().map(|&v| i128::from(v)).collect())
    }

    /// A tensor without elements.
    pub(crate) fn empty(elem: ElemType, dims: &[u32]) -> Array {
        let data = if elem.is_float() { Data::Floats(Vec::new()) } else { Data::Ints(Vec::new()) };
        Array { elem, dims: dims.to_vec(), data }
    }

    /// One value everywhere.
    pub(crate) fn filled(elem: ElemType, dims: &[u32], value: f64) -> Outcome<Array> {
        let count = small_count(dims)?;
        Ok(if elem.is_float() {
            Array::floats(elem, dims, vec![value; count])
        } else {
            Array::ints(elem, dims, vec![value as i128; count])
        })
    }

    /// The elements at the given places, as a tensor of another shape.
    pub(crate) fn pick(&self, dims: &[u32], places: impl Iterator<Item = usize>) -> Array {
        let data = match &self.data {
            Data::Ints(values) => {
                Data::Ints(places.map(|i| values.get(i).copied().unwrap_or(0)).collect())
            }
            Data::Floats(values) => {
                Data::Floats(places.map(|i| values.get(i).copied().unwrap_or(0.0)).collect())
            }
        };
        Array { elem: self.elem, dims: dims.to_vec(), data }
    }

    /// The same elements under another shape.
    pub(crate) fn reshaped(&self, dims: &[u32]) -> Array {
        Array { elem: self.elem, dims: dims.to_vec(), data: self.data.clone() }
    }

    /// The elements as floats.
    pub(crate) fn to_floats(&self) -> Vec<f64> {
        match &self.data {
            Data::Ints(values) => values.iter().map(|&value| value as f64).collect(),
            Data::Floats(values) => values.clone(),
        }
    }

    /// The elements as integers, fractions cut off.
    pub(crate) fn to_ints(&self) -> Vec<i128> {
        match &self.data {
            Data::Ints(values) => values.clone(),
            Data::Floats(values) => values.iter().map(|&value| value as i128).collect(),
        }
    }

    /// The elements converted to another type, as Cast does.
    pub(crate) fn cast(&self, to: ElemType) -> Outcome<Array> {
        require!(to.carrier().is_some(), "{} cannot become {to}", self.elem);
        if !to.is_exact() && to.is_float() {
            fault!(UnsupportedType, "casting to {to}");
        }
        Ok(match (&self.data, to.is_float()) {
            (Data::Ints(values), true) => {
                Array::floats(to, &self.dims, values.iter().map(|&value| value as f64).collect())
            }
            (Data::Floats(values), true) => Array::floats(to, &self.dims, values.clone()),
            (Data::Ints(values), false) => Array::ints(to, &self.dims, values.clone()),
            (Data::Floats(values), false) if to == ElemType::Bool => {
                let values = values.iter().map(|&value| i128::from(value != 0.0)).collect();
                Array::ints(to, &self.dims, values)
            }
            (Data::Floats(values), false) => {
                let values = values.iter().map(|&value| value as i128).collect();
                Array::ints(to, &self.dims, values)
            }
        })
    }

    /// Decodes elements as they lie in a file.
    fn decode(elem: ElemType, dims: &[u32], bytes: &[u8]) -> Outcome<Array> {
        let count = small_count(dims)?;
        let floats = |values: Vec<f64>| Data::Floats(values);
        let ints = |values: Vec<i128>| Data::Ints(values);
        let data = match elem {
            ElemType::Float32 => floats(words(bytes, |b| f64::from(f32::from_le_bytes(b)))),
            ElemType::Float64 => floats(words(bytes, f64::from_le_bytes)),
            ElemType::Float16 => floats(words(bytes, |b| f16::from_le_bytes(b).to_f64())),
            ElemType::Bfloat16 => floats(words(bytes, |b| bf16::from_le_bytes(b).to_f64())),
            ElemType::Uint8 => ints(words(bytes, |b: [u8; 1]| i128::from(b[0]))),
            ElemType::Bool => ints(words(bytes, |b: [u8; 1]| i128::from(b[0] != 0))),
            ElemType::Int8 => ints(words(bytes, |b| i128::from(i8::from_le_bytes(b)))),
            ElemType::Uint16 => ints(words(bytes, |b| i128::from(u16::from_le_bytes(b)))),
            ElemType::Int16 => ints(words(bytes, |b| i128::from(i16::from_le_bytes(b)))),
            ElemType::Uint32 => ints(words(bytes, |b| i128::from(u32::from_le_bytes(b)))),
            ElemType::Int32 => ints(words(bytes, |b| i128::from(i32::from_le_bytes(b)))),
            ElemType::Uint64 => ints(words(bytes, |b| i128::from(u64::from_le_bytes(b)))),
            ElemType::Int64 => ints(words(bytes, |b| i128::from(i64::from_le_bytes(b)))),
            ElemType::Int4 | ElemType::Uint4 | ElemType::Int2 | ElemType::Uint2 => {
                let codes = parts(bytes, elem.bits(), count);
                ints(codes.map(|code| elem.wrap(i128::from(code))).collect())
            }
            ElemType::Float4E2M1 => {
                floats(parts(bytes, 4, count).map(|code| elem.decode_small(code)).collect())
            }
            ElemType::Float8E4M3
            | ElemType::Float8E4M3Uz
            | ElemType::Float8E5M2
            | ElemType::Float8E5M2Uz
            | ElemType::Float8E8M0
            | ElemType::Float6E2M3
            | ElemType::Float6E3M2 => {
                floats(bytes.iter().map(|&code| elem.decode_small(code)).collect())
            }
            ElemType::String => fault!(String, "a constant of strings"),
            ElemType::Complex64 | ElemType::Complex128 => {
                fault!(UnsupportedType, "a constant of {elem}")
            }
        };
        require!(data.len() == count, "a constant has {} elements, not {count}", data.len());
        Ok(Array { elem, dims: dims.to_vec(), data })
    }

    /// The elements as the carrying type lays them out.
    pub(crate) fn encode(&self) -> Outcome<Vec<u8>> {
        let Some(carrier) = self.elem.carrier() else {
            fault!(UnsupportedType, "{} cannot be carried", self.elem);
        };
        use webnn_core::DataType;
        Ok(match carrier {
            DataType::Float32 => bytes_of(&self.to_floats(), |value| (value as f32).to_le_bytes()),
            DataType::Float16 => {
                bytes_of(&self.to_floats(), |value| f16::from_f64(value).to_le_bytes())
            }
            DataType::Int64 | DataType::Uint64 => {
                bytes_of(&self.to_ints(), |value| (value as u64).to_le_bytes())
            }
            DataType::Int32 | DataType::Uint32 => {
                bytes_of(&self.to_ints(), |value| (value as u32).to_le_bytes())
            }
            DataType::Int8 | DataType::Uint8 | DataType::Int4 | DataType::Uint4 => {
                bytes_of(&self.to_ints(), |value| [value as u8])
            }
        })
    }
}

fn words<const N: usize, T>(bytes: &[u8], decode: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| decode(chunk)).collect()
}

/// Codes of fewer than eight bits, the first in the lowest bits of its byte.
fn parts(bytes: &[u8], bits: u32, count: usize) -> impl Iterator<Item = u8> {
    let per_byte = 8 / bits;
    let mask = ((1u16 << bits) - 1) as u8;
    let all =
        bytes.iter().flat_map(move |&byte| (0..per_byte).map(move |i| (byte >> (i * bits)) & mask));
    all.take(count)
}

fn bytes_of<T: Copy, const N: usize>(values: &[T], encode: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| encode(value)).collect()
}

/// A known value: bytes of the file, an array, or both.
#[derive(Debug)]
pub(crate) struct Known {
    elem: ElemType,
    dims: Vec<u32>,
    /// As they lie in the file; absent for values that the importer computed.
    bytes: Option<Bytes>,
    array: OnceCell<Rc<Array>>,
}

impl Known {
    /// A constant of the file, of exactly the bytes that its shape calls for.
    pub(crate) fn from_bytes(elem: ElemType, dims: &[u32], bytes: Bytes) -> Outcome<Known> {
        let expected = elem.byte_length(count(dims)?);
        require!(
            expected == Some(bytes.len() as u64),
            "{elem}{dims:?} has {} bytes, expected {}",
            bytes.len(),
            expected.map_or_else(|| "none".to_owned(), |n| n.to_string())
        );
        Ok(Known { elem, dims: dims.to_vec(), bytes: Some(bytes), array: OnceCell::new() })
    }

    pub(crate) fn elem(&self) -> ElemType {
        self.elem
    }

    pub(crate) fn dims(&self) -> &[u32] {
        &self.dims
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.dims.contains(&0)
    }

    /// The bytes in the file.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        self.bytes.as_ref()
    }

    /// The decoded elements; fails where there are too many.
    pub(crate) fn array(&self) -> Outcome<Rc<Array>> {
        if let Some(array) = self.array.get() {
            return Ok(array.clone());
        }
        let bytes = self.bytes.as_ref().map_or(&[][..], |bytes| bytes);
        let array = Rc::new(Array::decode(self.elem, &self.dims, bytes)?);
        Ok(self.array.get_or_init(|| array).clone())
    }

    /// Whether the importer may compute with it.
    pub(crate) fn is_small(&self, limit: u64) -> bool {
        count(&self.dims).is_ok_and(|count| count <= limit)
    }
}

impl From<Array> for Known {
    fn from(array: Array) -> Known {
        let cell = OnceCell::new();
        let (elem, dims) = (array.elem, array.dims.clone());
        cell.get_or_init(|| Rc::new(array));
        Known { elem, dims, bytes: None, array: cell }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_as_files_lay_them_out() {
        for (elem, dims, bytes, expected) in [
            (ElemType::Int4, &[3][..], &[0x8f, 0x07][..], &[-1.0, -8.0, 7.0][..]),
            (ElemType::Uint2, &[4], &[0b11100100], &[0.0, 1.0, 2.0, 3.0]),
            (ElemType::Bfloat16, &[1], &[0x80, 0x3f], &[1.0]),
            (ElemType::Float16, &[2], &[0x00, 0x3c, 0x00, 0xc0], &[1.0, -2.0]),
            (ElemType::Int16, &[1], &[0xfe, 0xff], &[-2.0]),
            (ElemType::Bool, &[2], &[0, 3], &[0.0, 1.0]),
            (ElemType::Float32, &[0, 5], &[], &[]),
        ] {
            let known = Known::from_bytes(elem, dims, bytes.to_vec().into()).unwrap();
            assert_eq!(known.array().unwrap().to_floats(), expected, "{elem}");
        }
    }

    #[test]
    fn the_bytes_must_be_as_many_as_the_shape_says() {
        for dims in [&[2][..], &[u32::MAX; 8], &[0]] {
            let known = Known::from_bytes(ElemType::Float32, dims, vec![0; 4].into());
            assert!(known.is_err(), "{dims:?}");
        }
    }
}
