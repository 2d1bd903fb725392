//! From data types to the types of elements.

/// Evaluates an expression with the unsigned integer that is as wide as a data type's elements.
macro_rules! with_width {
    ($data_type:expr, $T:ident => $body:expr) => {
        match $data_type.bits() {
            64 => {
                type $T = u64;
                $body
            }
            32 => {
                type $T = u32;
                $body
            }
            16 => {
                type $T = u16;
                $body
            }
            _byte => {
                type $T = u8;
                $body
            }
        }
    };
}

/// Evaluates an expression with the type of a tensor of indices.
macro_rules! with_index {
    ($data_type:expr, $I:ident => $body:expr) => {
        match $data_type {
            DataType::Int32 => {
                type $I = i32;
                $body
            }
            DataType::Uint32 => {
                type $I = u32;
                $body
            }
            DataType::Int64 => {
                type $I = i64;
                $body
            }
            DataType::Float32
            | DataType::Float16
            | DataType::Uint64
            | DataType::Int8
            | DataType::Uint8
            | DataType::Int4
            | DataType::Uint4 => unreachable!("the builder checked the type of indices"),
        }
    };
}

pub(super) use {with_index, with_width};
