//! Tensors of doubles or wide integers for results by definition, rounded once at the end.

use half::f16;

use crate::bytes::Bytes;
use crate::error::{Result, ensure};
use crate::graph::{Graph, Source};
use crate::number::{Number, round_float, to_f16};
use crate::types::{DataType, Desc, MAX_RANK, Shape};

/// A tensor's elements, wider than any data type.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Elements of a float type.
    Float(Vec<f64>),
    /// Elements of an integer type.
    Int(Vec<i128>),
}

/// A tensor for reference results.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Type and shape.
    pub desc: Desc,
    /// The elements, row-major.
    pub data: Data,
}

impl Tensor {
    /// A tensor of a float type.
    pub fn float(desc: Desc, data: Vec<f64>) -> Tensor {
        debug_assert!(desc.data_type.is_float() && data.len() == desc.elements());
        Tensor { desc, data: Data::Float(data) }
    }

    /// A tensor of an integer type.
    pub fn int(desc: Desc, data: Vec<i128>) -> Tensor {
        debug_assert!(!desc.data_type.is_float() && data.len() == desc.elements());
        Tensor { desc, data: Data::Int(data) }
    }

    /// Reads little-endian elements; the bytes must be as long as the descriptor says.
    pub fn from_bytes(desc: Desc, bytes: &[u8]) -> Result<Tensor> {
        ensure!(
            bytes.len() as u64 == desc.byte_length(),
            "{} bytes were given, expected {} for {desc}",
            bytes.len(),
            desc.byte_length()
        );
        fn read<const N: usize, T>(bytes: &[u8], element: impl Fn([u8; N]) -> T) -> Vec<T> {
            let (chunks, _rest) = bytes.as_chunks::<N>();
            chunks.iter().map(|&chunk| element(chunk)).collect()
        }
        let nibbles = |element: fn(u8) -> i128| {
            let both = bytes.iter().flat_map(|byte| [byte & 0xf, byte >> 4]);
            Data::Int(both.map(element).take(desc.elements()).collect())
        };
        let data = match desc.data_type {
            DataType::Float32 => Data::Float(read(bytes, |b| f32::from_le_bytes(b).into())),
            DataType::Float16 => Data::Float(read(bytes, |b| f16::from_le_bytes(b).to_f64())),
            DataType::Int32 => Data::Int(read(bytes, |b| i32::from_le_bytes(b).into())),
            DataType::Uint32 => Data::Int(read(bytes, |b| u32::from_le_bytes(b).into())),
            DataType::Int64 => Data::Int(read(bytes, |b| i64::from_le_bytes(b).into())),
            DataType::Uint64 => Data::Int(read(bytes, |b| u64::from_le_bytes(b).into())),
            DataType::Int8 => Data::Int(read(bytes, |b| i8::from_le_bytes(b).into())),
            DataType::Uint8 => Data::Int(read(bytes, |b| u8::from_le_bytes(b).into())),
            DataType::Int4 => nibbles(|nibble| i128::from((nibble << 4) as i8 >> 4)),
            DataType::Uint4 => nibbles(i128::from),
        };
        Ok(Tensor { desc, data })
    }

    /// The elements as little-endian bytes of the data type.
    pub fn to_bytes(&self) -> Vec<u8> {
        match (&self.data, self.desc.data_type) {
            (Data::Float(data), DataType::Float16) => {
                data.iter().flat_map(|&x| to_f16(x).to_le_bytes()).collect()
            }
            (Data::Float(data), _float32) => {
                data.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect()
            }
            (Data::Int(data), data_type) if data_type.bits() == 4 => data
                .chunks(2)
                .map(|pair| {
                    let high = pair.get(1).map_or(0, |&x| (x as u8) << 4);
                    (pair[0] as u8 & 0xf) | high
                })
                .collect(),
            (Data::Int(data), data_type) => {
                let size = data_type.bits() as usize / 8;
                data.iter().flat_map(|x| x.to_le_bytes().into_iter().take(size)).collect()
            }
        }
    }

    /// The elements of a float tensor.
    pub fn floats(&self) -> &[f64] {
        match &self.data {
            Data::Float(data) => data,
            Data::Int(_) => panic!("{} is no float tensor", self.desc),
        }
    }

    /// The elements of an integer tensor.
    pub fn ints(&self) -> &[i128] {
        match &self.data {
            Data::Int(data) => data,
            Data::Float(_) => panic!("{} is no integer tensor", self.desc),
        }
    }

    /// The elements rounded to the data type: floats to the nearest, integers to their low bits.
    #[must_use]
    pub fn rounded(mut self) -> Tensor {
        let data_type = self.desc.data_type;
        match &mut self.data {
            // Machines differ in the sign of the NaNs that they make.
            Data::Float(data) => data.iter_mut().for_each(|x| {
                *x = if x.is_nan() { f64::NAN } else { round_float(*x, data_type) };
            }),
            Data::Int(data) => data.iter_mut().for_each(|x| *x = wrap(*x, data_type)),
        }
        self
    }

    /// A tensor that is 0 everywhere.
    pub fn zeros(desc: Desc) -> Tensor {
        Tensor::filled(desc, Number::Int(0))
    }

    /// A tensor of equal elements: the number as the data type has it.
    pub fn filled(desc: Desc, value: Number) -> Tensor {
        let data = match value.cast(desc.data_type) {
            Number::Float(value) => Data::Float(vec![value; desc.elements()]),
            Number::Int(value) => Data::Int(vec![value; desc.elements()]),
        };
        Tensor { desc, data }
    }

    /// A uint8 tensor of 1 where the flag is true and 0 elsewhere.
    pub fn flags(shape: Shape, flags: impl Iterator<Item = bool>) -> Tensor {
        Tensor::int(Desc::new(DataType::Uint8, shape), flags.map(i128::from).collect())
    }

    /// A function of each element; of a float tensor only.
    #[must_use]
    pub fn map_floats(&self, float: impl FnMut(f64) -> f64) -> Tensor {
        Tensor::float(self.desc, self.floats().iter().copied().map(float).collect())
    }

    /// A function of each element, one for either kind of type.
    #[must_use]
    pub fn map(&self, float: impl Fn(f64) -> f64, int: impl Fn(i128) -> i128) -> Tensor {
        match &self.data {
            Data::Float(_) => self.map_floats(float),
            Data::Int(data) => Tensor::int(self.desc, data.iter().copied().map(int).collect()),
        }
    }

    /// The same tensor broadcast to a shape.
    #[must_use]
    pub fn broadcast(&self, shape: Shape) -> Tensor {
        let desc = Desc::new(self.desc.data_type, shape);
        self.gathered(desc, |i| broadcast_index(i, &shape, &self.desc.shape))
    }

    /// Replaces an element by one of another tensor of the same data type.
    pub fn copy_element(&mut self, index: usize, from: &Tensor, from_index: usize) {
        match (&mut self.data, &from.data) {
            (Data::Float(to), Data::Float(from)) => to[index] = from[from_index],
            (Data::Int(to), Data::Int(from)) => to[index] = from[from_index],
            (Data::Float(_), Data::Int(_)) | (Data::Int(_), Data::Float(_)) => {
                panic!("{} and {} differ in type", self.desc, from.desc)
            }
        }
    }

    /// The elements gathered: output element `i` is element `index(i)`, whatever the type.
    #[must_use]
    pub fn gathered(&self, desc: Desc, index: impl Fn(usize) -> usize) -> Tensor {
        let range = 0..desc.elements();
        let data = match &self.data {
            Data::Float(data) => Data::Float(range.map(|i| data[index(i)]).collect()),
            Data::Int(data) => Data::Int(range.map(|i| data[index(i)]).collect()),
        };
        Tensor { desc, data }
    }
}

/// The operand in a required slot.
pub fn required<'a>(operands: &[Option<&'a Tensor>], slot: usize) -> &'a Tensor {
    optional(operands, slot).expect("the builder checked that required operands are there")
}

/// The operand in a slot that may be empty.
pub fn optional<'a>(operands: &[Option<&'a Tensor>], slot: usize) -> Option<&'a Tensor> {
    operands.get(slot).copied().flatten()
}

/// The greater of two numbers, NaN where either is.
pub fn maximum(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// The lesser of two numbers, NaN where either is.
pub fn minimum(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

/// The place along a dimension that an index means: negative ones count from the end, and those
/// out of range are clamped.
pub fn clamped_index(index: i128, size: u32) -> usize {
    let size = i128::from(size);
    let index = if index < 0 { index + size } else { index };
    index.clamp(0, size - 1) as usize
}

/// An integer's low bits, read as the type says.
pub fn wrap(value: i128, data_type: DataType) -> i128 {
    let Some((least, greatest)) = data_type.integer_range() else { return value };
    (value.wrapping_sub(least)).rem_euclid(greatest - least + 1) + least
}

/// The coordinates of the element with the given row-major index.
pub fn coordinates(mut index: usize, shape: &Shape) -> [usize; MAX_RANK] {
    let mut at = [0; MAX_RANK];
    for axis in (0..shape.rank()).rev() {
        let size = shape[axis] as usize;
        at[axis] = index % size;
        index /= size;
    }
    at
}

/// The row-major index, in a tensor of shape `from`, of the element that broadcasting to shape
/// `to` puts at the given row-major index.
pub fn broadcast_index(index: usize, to: &Shape, from: &Shape) -> usize {
    let at = coordinates(index, to);
    let skipped = to.rank() - from.rank();
    let strides = from.strides();
    (0..from.rank())
        .filter(|&axis| from[axis] != 1)
        .map(|axis| at[skipped + axis] * strides[axis])
        .sum()
}

/// The row-major index of the element that lies at the given coordinates along the given axes.
pub fn index_along<const N: usize>(shape: &Shape, axes: [usize; N], at: [usize; N]) -> usize {
    let strides = shape.strides();
    axes.iter().zip(at).map(|(&axis, at)| strides[axis] * at).sum()
}

/// The elements that differ only along the given axes: their row-major indices, in order, for
/// each setting of the other coordinates, in order.
pub fn lanes(shape: &Shape, axes: &[u32]) -> Vec<Vec<usize>> {
    let is_inner = |axis: usize| axes.contains(&(axis as u32));
    let outer: Shape =
        (0..shape.rank()).map(|axis| if is_inner(axis) { 1 } else { shape[axis] }).collect();
    let mut lanes = vec![Vec::new(); outer.elements() as usize];
    for i in 0..shape.elements() as usize {
        lanes[broadcast_index(i, shape, &outer)].push(i);
    }
    lanes
}

/// The row-major index of the first element of the slice that leading coordinates choose.
pub fn slice_start(shape: &Shape, at: &[i128]) -> usize {
    let strides = shape.strides();
    let places = at.iter().enumerate().map(|(axis, &at)| clamped_index(at, shape[axis]));
    places.zip(strides).map(|(place, stride)| place * stride).sum()
}

/// An element times its scale plus its bias; what is absent changes nothing, not even the sign of
/// a zero.
pub fn affine(x: f64, scale: Option<f64>, bias: Option<f64>) -> f64 {
    let scaled = scale.map_or(x, |scale| x * scale);
    bias.map_or(scaled, |bias| scaled + bias)
}

/// Replaces the elements of a lane by (x − mean) / √(variance + epsilon).
pub fn normalize(data: &mut [f64], lane: &[usize], epsilon: f64) {
    let count = lane.len() as f64;
    let mean = lane.iter().map(|&i| data[i]).sum::<f64>() / count;
    let variance = lane.iter().map(|&i| (data[i] - mean).powi(2)).sum::<f64>() / count;
    for &i in lane {
        data[i] = (data[i] - mean) / (variance + epsilon).sqrt();
    }
}

/// Computes a graph's outputs, in order, from its inputs, in order, all by definition.
pub fn run(graph: &Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let mut values: Vec<Option<Tensor>> = vec![None; graph.values().len()];
    for (i, value) in graph.values().iter().enumerate() {
        values[i] = match &value.source {
            Source::Input(input) => {
                let Some(tensor) = inputs.get(*input) else {
                    crate::bail!("{} inputs were given, expected more", inputs.len());
                };
                ensure!(
                    tensor.desc == value.desc,
                    "input {input} is {}, expected {}",
                    tensor.desc,
                    value.desc
                );
                Some(tensor.clone())
            }
            Source::Constant(bytes) => Some(Tensor::from_bytes(value.desc, bytes)?),
            Source::Node(..) => None,
        };
    }
    for node in graph.nodes() {
        let operands: Vec<Option<&Tensor>> =
            node.inputs.iter().map(|id| id.and_then(|id| values[id.index()].as_ref())).collect();
        let descs: Vec<Desc> = node.outputs.iter().map(|&id| graph.desc(id)).collect();
        let results = node.op.reference(&operands, &descs);
        for (id, result) in node.outputs.iter().zip(results) {
            values[id.index()] = Some(result);
        }
    }
    Ok(graph
        .outputs()
        .iter()
        .map(|port| values[port.value.index()].clone().expect("nodes are in topological order"))
        .collect())
}

/// A tensor's bytes as constant storage.
impl From<&Tensor> for Bytes {
    fn from(tensor: &Tensor) -> Bytes {
        tensor.to_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_both_ways() {
        for data_type in DataType::ALL {
            let desc = Desc::checked(data_type, &[3]).unwrap();
            let tensor = if data_type.is_float() {
                Tensor::float(desc, vec![1.0, -2.5, f64::INFINITY])
            } else {
                Tensor::int(desc, vec![1, 7, data_type.integer_range().unwrap().0])
            };
            let bytes = tensor.to_bytes();
            assert_eq!(bytes.len() as u64, desc.byte_length());
            assert_eq!(Tensor::from_bytes(desc, &bytes).unwrap(), tensor, "{data_type}");
        }
    }

    #[test]
    fn lanes_run_along_their_axes() {
        let shape = Shape::new(&[2, 3]).unwrap();
        for (axes, expected) in [
            (&[0][..], vec![vec![0, 3], vec![1, 4], vec![2, 5]]),
            (&[1], vec![vec![0, 1, 2], vec![3, 4, 5]]),
            (&[1, 0], vec![vec![0, 1, 2, 3, 4, 5]]),
            (&[], (0..6).map(|i| vec![i]).collect()),
        ] {
            assert_eq!(lanes(&shape, axes), expected, "{axes:?}");
        }
    }

    #[test]
    fn indices_count_from_the_end_and_are_clamped() {
        for (index, expected) in [(0, 0), (2, 2), (3, 2), (-1, 2), (-3, 0), (-4, 0)] {
            assert_eq!(clamped_index(index, 3), expected, "{index}");
        }
        assert_eq!(clamped_index(i128::from(u64::MAX), 3), 2);
        assert_eq!(clamped_index(i128::from(i64::MIN), 3), 0);
    }

    #[test]
    fn integers_wrap_to_their_low_bits() {
        for (value, data_type, expected) in [
            (128, DataType::Int8, -128),
            (-1, DataType::Uint8, 255),
            (1 << 64, DataType::Uint64, 0),
            (8, DataType::Int4, -8),
        ] {
            assert_eq!(wrap(value, data_type), expected, "{value} as {data_type}");
        }
    }
}
