//! Slices of Rust's numbers as the bytes of tensors, and back.

use webnn_core::error::{Result, ensure};
use webnn_core::{DataType, Desc};

/// A Rust type that is the elements' type of a tensor.
pub trait Element: bytemuck::Pod {
    /// The data type of tensors with such elements.
    const DATA_TYPE: DataType;
}

macro_rules! elements {
    ($($element:ty = $data_type:ident),+) => {
        $(impl Element for $element {
            const DATA_TYPE: DataType = DataType::$data_type;
        })+
    };
}

elements! {
    f32 = Float32, half::f16 = Float16, i32 = Int32, u32 = Uint32, i64 = Int64, u64 = Uint64,
    i8 = Int8, u8 = Uint8
}

/// Fails unless tensors of the descriptor have elements of the Rust type.
pub(crate) fn ensure_element<T: Element>(desc: &Desc) -> Result<()> {
    ensure!(
        desc.data_type == T::DATA_TYPE,
        "elements are {}, expected {}",
        T::DATA_TYPE,
        desc.data_type
    );
    Ok(())
}

/// The elements that bytes of any alignment hold.
pub(crate) fn to_vec<T: Element>(bytes: &[u8]) -> Vec<T> {
    bytemuck::allocation::pod_collect_to_vec(bytes)
}
