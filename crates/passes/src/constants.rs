//! Reading constants.

use webnn_core::reference::{Data, Tensor};
use webnn_core::{DataType, Desc, Graph, ValueId};

/// Larger constants are weights: nobody spells a number out so often.
const MOST_BYTES: usize = 64 * 1024;

/// The number that every element of a constant is, where all are the same.
pub(crate) fn uniform(graph: &Graph, value: ValueId) -> Option<f64> {
    let bytes = graph.constant(value).filter(|bytes| bytes.len() <= MOST_BYTES)?;
    let desc = graph.desc(value);
    let size = desc.data_type.bits() as usize / 8;
    let first = bytes.get(..size.max(1))?;
    if desc.elements() > 1 {
        // Nibbles come two to a byte; nothing asks for many of them.
        if size == 0 || bytes.chunks_exact(size).any(|element| element != first) {
            return None;
        }
    }
    let one = Desc::new(desc.data_type, webnn_core::Shape::SCALAR);
    match Tensor::from_bytes(one, first).ok()?.data {
        Data::Float(data) => data.first().copied(),
        Data::Int(data) => data.first().map(|&number| number as f64),
    }
}

/// Whether a constant is one number everywhere, to within the precision of its type.
pub(crate) fn is_about(graph: &Graph, value: ValueId, expected: f64) -> bool {
    let tolerance = match graph.desc(value).data_type {
        DataType::Float16 => 1e-3,
        DataType::Float32
        | DataType::Int32
        | DataType::Uint32
        | DataType::Int64
        | DataType::Uint64
        | DataType::Int8
        | DataType::Uint8
        | DataType::Int4
        | DataType::Uint4 => 1e-6,
    };
    uniform(graph, value)
        .is_some_and(|number| (number - expected).abs() <= tolerance * expected.abs())
}

/// The elements of an integer constant.
pub(crate) fn integers(graph: &Graph, value: ValueId) -> Option<Vec<i128>> {
    let bytes = graph.constant(value)?;
    match Tensor::from_bytes(graph.desc(value), bytes).ok()?.data {
        Data::Int(data) => Some(data),
        Data::Float(_) => None,
    }
}

/// The elements of a float constant.
pub(crate) fn floats(graph: &Graph, value: ValueId) -> Option<Vec<f64>> {
    let bytes = graph.constant(value)?;
    match Tensor::from_bytes(graph.desc(value), bytes).ok()?.data {
        Data::Float(data) => Some(data),
        Data::Int(_) => None,
    }
}
