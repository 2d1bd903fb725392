//! Data types, shapes and descriptors: what a tensor is, apart from its bytes.

use std::fmt;
use std::ops::Deref;

use crate::error::{Result, bail, ensure};

/// The most dimensions that a shape can have.
pub const MAX_RANK: usize = 8;

/// The greatest valid dimension and element count, 2³¹ − 1.
pub const MAX_DIMENSION: u32 = i32::MAX as u32;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataType {
    /// IEEE single precision.
    Float32,
    /// IEEE half precision.
    Float16,
    /// Signed, 32 bits.
    Int32,
    /// Unsigned, 32 bits.
    Uint32,
    /// Signed, 64 bits.
    Int64,
    /// Unsigned, 64 bits.
    Uint64,
    /// Signed, 8 bits.
    Int8,
    /// Unsigned, 8 bits; also the type of logical values.
    Uint8,
    /// Signed, 4 bits, two per byte, the first in the low half.
    Int4,
    /// Unsigned, 4 bits, two per byte, the first in the low half.
    Uint4,
}

impl DataType {
    /// All data types.
    pub const ALL: [DataType; 10] = [
        DataType::Float32,
        DataType::Float16,
        DataType::Int32,
        DataType::Uint32,
        DataType::Int64,
        DataType::Uint64,
        DataType::Int8,
        DataType::Uint8,
        DataType::Int4,
        DataType::Uint4,
    ];

    /// The specification's name, such as `float32`.
    pub fn name(self) -> &'static str {
        match self {
            DataType::Float32 => "float32",
            DataType::Float16 => "float16",
            DataType::Int32 => "int32",
            DataType::Uint32 => "uint32",
            DataType::Int64 => "int64",
            DataType::Uint64 => "uint64",
            DataType::Int8 => "int8",
            DataType::Uint8 => "uint8",
            DataType::Int4 => "int4",
            DataType::Uint4 => "uint4",
        }
    }

    /// The data type with the specification's name.
    pub fn from_name(name: &str) -> Option<DataType> {
        DataType::ALL.into_iter().find(|data_type| data_type.name() == name)
    }

    /// The size of an element in bits.
    pub fn bits(self) -> u32 {
        match self {
            DataType::Int64 | DataType::Uint64 => 64,
            DataType::Float32 | DataType::Int32 | DataType::Uint32 => 32,
            DataType::Float16 => 16,
            DataType::Int8 | DataType::Uint8 => 8,
            DataType::Int4 | DataType::Uint4 => 4,
        }
    }

    /// Whether the type is float32 or float16.
    pub fn is_float(self) -> bool {
        DataTypes::FLOATS.contains(self)
    }

    /// The least and the greatest value of an integer type; `None` for floats.
    pub fn integer_range(self) -> Option<(i128, i128)> {
        let signed = |bits: u32| (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1);
        let unsigned = |bits: u32| (0, (1i128 << bits) - 1);
        match self {
            DataType::Float32 | DataType::Float16 => None,
            DataType::Int32 | DataType::Int64 | DataType::Int8 | DataType::Int4 => {
                Some(signed(self.bits()))
            }
            DataType::Uint32 | DataType::Uint64 | DataType::Uint8 | DataType::Uint4 => {
                Some(unsigned(self.bits()))
            }
        }
    }

    /// The bytes that `count` elements take, the last one filled up.
    pub fn byte_length(self, count: u64) -> u64 {
        (count * u64::from(self.bits())).div_ceil(8)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of data types.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DataTypes(u16);

impl DataTypes {
    /// The specification's eight types ("any").
    pub const ANY: DataTypes = DataTypes::of(&[
        DataType::Float32,
        DataType::Float16,
        DataType::Int32,
        DataType::Uint32,
        DataType::Int64,
        DataType::Uint64,
        DataType::Int8,
        DataType::Uint8,
    ]);
    /// float32 and float16.
    pub const FLOATS: DataTypes = DataTypes::of(&[DataType::Float32, DataType::Float16]);
    /// int4 and uint4, which only constants, casts and quantization take.
    pub const NIBBLES: DataTypes = DataTypes::of(&[DataType::Int4, DataType::Uint4]);
    /// uint8 alone.
    pub const UINT8: DataTypes = DataTypes::of(&[DataType::Uint8]);

    /// The set of the given types.
    pub const fn of(types: &[DataType]) -> DataTypes {
        let mut bits = 0;
        let mut i = 0;
        while i < types.len() {
            bits |= 1 << types[i] as u16;
            i += 1;
        }
        DataTypes(bits)
    }

    /// The types that are in either set.
    pub const fn or(self, other: DataTypes) -> DataTypes {
        DataTypes(self.0 | other.0)
    }

    /// Whether the type is in the set.
    pub const fn contains(self, data_type: DataType) -> bool {
        self.0 & (1 << data_type as u16) != 0
    }

    /// The types of the set, in the order of [`DataType::ALL`].
    pub fn iter(self) -> impl Iterator<Item = DataType> {
        DataType::ALL.into_iter().filter(move |&data_type| self.contains(data_type))
    }
}

impl fmt::Display for DataTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(DataType::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for DataTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

/// The sizes of a tensor's dimensions, outermost first; at most [`MAX_RANK`] of them.
///
/// Reads as a slice of `u32`. A shape alone promises nothing about its element count:
/// [`Desc::checked`] does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    sizes: [u32; MAX_RANK],
    rank: u8,
}

impl Shape {
    /// The shape of a scalar, `[]`.
    pub const SCALAR: Shape = Shape { sizes: [0; MAX_RANK], rank: 0 };

    /// The shape with the given sizes; fails above [`MAX_RANK`] dimensions.
    pub fn new(sizes: &[u32]) -> Result<Shape> {
        ensure!(
            sizes.len() <= MAX_RANK,
            "rank {} is not supported, expected at most {MAX_RANK}",
            sizes.len()
        );
        Ok(sizes.iter().copied().collect())
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        usize::from(self.rank)
    }

    /// The number of elements, which for a checked shape is at most [`MAX_DIMENSION`].
    pub fn elements(&self) -> u64 {
        self.iter().fold(1u64, |count, &size| count.saturating_mul(u64::from(size)))
    }

    /// The same shape with one size replaced.
    pub fn with(mut self, axis: usize, size: u32) -> Shape {
        self[axis] = size;
        self
    }

    /// The distance, in elements, between neighbours along each dimension in row-major order.
    pub fn strides(&self) -> [usize; MAX_RANK] {
        let mut strides = [0; MAX_RANK];
        let mut stride = 1;
        for axis in (0..self.rank()).rev() {
            strides[axis] = stride;
            stride *= self.sizes[axis] as usize;
        }
        strides
    }
}

impl FromIterator<u32> for Shape {
    /// Sizes beyond [`MAX_RANK`] are a mistake of the caller; [`Shape::new`] checks.
    fn from_iter<I: IntoIterator<Item = u32>>(sizes: I) -> Shape {
        let mut shape = Shape::SCALAR;
        for size in sizes {
            shape.sizes[shape.rank()] = size;
            shape.rank += 1;
        }
        shape
    }
}

impl Deref for Shape {
    type Target = [u32];
    fn deref(&self) -> &[u32] {
        &self.sizes[..self.rank()]
    }
}

impl std::ops::DerefMut for Shape {
    fn deref_mut(&mut self) -> &mut [u32] {
        let rank = self.rank();
        &mut self.sizes[..rank]
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, size) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{size}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A tensor's data type and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Desc {
    /// The type of the elements.
    pub data_type: DataType,
    /// The sizes of the dimensions.
    pub shape: Shape,
}

impl Desc {
    /// The descriptor of the given type and shape, unchecked.
    pub fn new(data_type: DataType, shape: Shape) -> Desc {
        Desc { data_type, shape }
    }

    /// The descriptor, once the specification's "check dimensions" passes: every size in
    /// 1 ..= 2³¹ − 1, at most [`MAX_RANK`] dimensions, and a valid element count.
    pub fn checked(data_type: DataType, sizes: &[u32]) -> Result<Desc> {
        let desc = Desc::new(data_type, Shape::new(sizes)?);
        desc.check()?;
        Ok(desc)
    }

    /// Fails unless every size and the element count are valid dimensions.
    pub fn check(&self) -> Result<()> {
        for (axis, &size) in self.shape.iter().enumerate() {
            ensure!(
                (1..=MAX_DIMENSION).contains(&size),
                "dimension {axis} of shape {} is {size}, expected 1 to {MAX_DIMENSION}",
                self.shape
            );
        }
        if self.shape.elements() > u64::from(MAX_DIMENSION) {
            bail!(
                "shape {} has {} elements, expected at most {MAX_DIMENSION}",
                self.shape,
                self.shape.elements()
            );
        }
        Ok(())
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    /// The number of elements.
    pub fn elements(&self) -> usize {
        usize::try_from(self.shape.elements()).unwrap_or(usize::MAX)
    }

    /// The bytes that the tensor's elements take.
    pub fn byte_length(&self) -> u64 {
        self.data_type.byte_length(self.shape.elements().min(1 << 60))
    }
}

impl fmt::Display for Desc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.data_type, self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nibbles_fill_up_the_last_byte() {
        for (data_type, count, bytes) in [
            (DataType::Int4, 1, 1),
            (DataType::Uint4, 3, 2),
            (DataType::Float16, 3, 6),
            (DataType::Int64, 2, 16),
        ] {
            assert_eq!(data_type.byte_length(count), bytes, "{count} of {data_type}");
        }
    }

    #[test]
    fn dimensions_are_checked() {
        for (sizes, ok) in [
            (&[][..], true),
            (&[1, 2, 3], true),
            (&[0], false),
            (&[MAX_DIMENSION], true),
            (&[MAX_DIMENSION + 1], false),
            (&[65536, 65536], false),
            (&[1; 8], true),
            (&[1; 9], false),
        ] {
            assert_eq!(Desc::checked(DataType::Int8, sizes).is_ok(), ok, "{sizes:?}");
        }
    }

    #[test]
    fn integer_ranges_are_those_of_the_types() {
        assert_eq!(DataType::Int4.integer_range(), Some((-8, 7)));
        assert_eq!(DataType::Uint64.integer_range(), Some((0, i128::from(u64::MAX))));
        assert_eq!(DataType::Float16.integer_range(), None);
    }
}
