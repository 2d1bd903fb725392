//! The builder as the operators' importers see it: every operation of WebNN on tensors that may
//! be known. What is computed from known values alone is computed at once and never reaches the
//! graph; so shape arithmetic folds away, and so do tensors without elements.

mod data;
mod math;
mod nn;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use webnn_core::{Bytes, DataType, GraphBuilder, Op, Operand};

use crate::elem::ElemType;
use crate::error::{Outcome, fault, require};
use crate::known::{Array, Known, count};
use crate::tensor::Tensor;

pub(crate) use math::{ReduceKind, Unary};
pub(crate) use webnn_core::ops::pad::PaddingMode;

/// Adds operations to a graph.
pub(crate) struct Emit<'b> {
    builder: &'b mut GraphBuilder,
    /// The node that is being imported; it labels what is added.
    pub(crate) label: String,
    /// Constants that are in the graph already, by the address of the value they stand for; the
    /// value is kept, so that the address stays its own.
    constants: HashMap<*const Known, (Rc<Known>, Operand)>,
    /// The graph's inputs, which cannot be its outputs.
    inputs: HashSet<Operand>,
}

impl<'b> Emit<'b> {
    pub(crate) fn new(builder: &'b mut GraphBuilder) -> Emit<'b> {
        Emit { builder, label: String::new(), constants: HashMap::new(), inputs: HashSet::new() }
    }

    /// An input of the graph; one without elements is a known value and no input.
    pub(crate) fn input(&mut self, name: &str, elem: ElemType, dims: &[u32]) -> Outcome<Tensor> {
        if dims.contains(&0) {
            return Ok(Array::empty(elem, dims).into());
        }
        let Some(carrier) = elem.carrier() else {
            fault!(UnsupportedType, "input {name:?} is of type {elem}");
        };
        let operand = self.builder.input(name, carrier, dims)?;
        self.inputs.insert(operand);
        Ok(Tensor::operand(elem, operand))
    }

    /// The operand that carries the tensor; a known value becomes a constant.
    pub(crate) fn operand(&mut self, tensor: &Tensor) -> Outcome<Operand> {
        let Some(known) = tensor.known() else {
            return match tensor.as_operand() {
                Some(operand) => Ok(operand),
                None => fault!(Invalid, "the value is neither known nor computed"),
            };
        };
        if let Some((_, operand)) = self.constants.get(&Rc::as_ptr(known)) {
            return Ok(*operand);
        }
        let operand = self.constant(known)?;
        self.constants.insert(Rc::as_ptr(known), (known.clone(), operand));
        Ok(operand)
    }

    fn constant(&mut self, known: &Known) -> Outcome<Operand> {
        let (elem, dims) = (known.elem(), known.dims());
        if known.is_empty() {
            fault!(ZeroSize, "a value of shape {dims:?} has no elements");
        }
        let Some(carrier) = elem.carrier() else {
            fault!(UnsupportedType, "a constant of type {elem}");
        };
        let bytes = match known.bytes() {
            Some(bytes) => carried(elem, dims, bytes)?,
            None => known.array()?.encode()?.into(),
        };
        Ok(self.builder.constant(carrier, dims, bytes)?)
    }

    /// A 4-bit constant in WebNN's own 4-bit type, which quantization takes; `None` for others.
    pub(crate) fn nibbles(&mut self, tensor: &Tensor) -> Outcome<Option<Operand>> {
        let data_type = if tensor.elem() == ElemType::Int4 {
            DataType::Int4
        } else if tensor.elem() == ElemType::Uint4 {
            DataType::Uint4
        } else {
            return Ok(None);
        };
        let bytes = match tensor.known().and_then(|known| known.bytes()) {
            Some(bytes) if !tensor.is_empty() => bytes.clone(),
            _computed => return Ok(None),
        };
        Ok(Some(self.builder.constant(data_type, tensor.dims(), bytes)?))
    }

    /// A constant in WebNN's own 4-bit type.
    pub(crate) fn nibble_constant(
        &mut self,
        data_type: DataType,
        dims: &[u32],
        bytes: impl Into<Bytes>,
    ) -> Outcome<Operand> {
        Ok(self.builder.constant(data_type, dims, bytes)?)
    }

    /// A known scalar.
    pub(crate) fn scalar(&self, elem: ElemType, value: f64) -> Tensor {
        if elem.is_float() {
            Array::floats(elem, &[], vec![value]).into()
        } else {
            Array::ints(elem, &[], vec![value as i128]).into()
        }
    }

    /// A known list of floats, or of whole numbers in an integer type.
    pub(crate) fn list(&self, elem: ElemType, dims: &[u32], values: Vec<f64>) -> Tensor {
        if elem.is_float() {
            Array::floats(elem, dims, values).into()
        } else {
            Array::ints(elem, dims, values.into_iter().map(|value| value as i128).collect()).into()
        }
    }

    /// Known integers.
    pub(crate) fn int_list(&self, elem: ElemType, dims: &[u32], values: Vec<i128>) -> Tensor {
        Array::ints(elem, dims, values).into()
    }

    /// A tensor of one value everywhere, small as a constant.
    pub(crate) fn filled(&mut self, elem: ElemType, dims: &[u32], value: f64) -> Outcome<Tensor> {
        if count(dims)? <= 1 << 12 {
            return Ok(Array::filled(elem, dims, value)?.into());
        }
        let scalar = self.scalar(elem, value);
        self.expand(&scalar, dims)
    }

    /// Adds an operation of one result, which has the given element type.
    fn push_one(
        &mut self,
        op: impl Into<Op>,
        operands: &[&Tensor],
        elem: ElemType,
    ) -> Outcome<Tensor> {
        let operands: Vec<Option<&Tensor>> = operands.iter().copied().map(Some).collect();
        let mut results = self.push(op, &operands, elem)?;
        match results.pop() {
            Some(result) => Ok(result),
            None => fault!(Invalid, "the operation has no result"),
        }
    }

    /// Adds an operation, all of whose results have the given element type.
    fn push(
        &mut self,
        op: impl Into<Op>,
        operands: &[Option<&Tensor>],
        elem: ElemType,
    ) -> Outcome<Vec<Tensor>> {
        let mut list = Vec::with_capacity(operands.len());
        for operand in operands {
            list.push(operand.map(|tensor| self.operand(tensor)).transpose()?);
        }
        let results = self.builder.push(op, &list, &self.label)?;
        Ok(results.into_iter().map(|operand| Tensor::operand(elem, operand)).collect())
    }

    /// The same values as a result of the graph, as outputs have to be.
    pub(crate) fn output(&mut self, tensor: &Tensor) -> Outcome<Operand> {
        let operand = self.operand(tensor)?;
        if tensor.known().is_none() && !self.inputs.contains(&operand) {
            return Ok(operand);
        }
        let result = self.push_one(Unary::Identity, &[tensor], tensor.elem())?;
        self.operand(&result)
    }
}

/// Fails unless both tensors have the same element type.
pub(crate) fn same_elem(a: &Tensor, b: &Tensor) -> Outcome<()> {
    require!(
        a.elem() == b.elem(),
        "operands are of types {} and {}, expected one type",
        a.elem(),
        b.elem()
    );
    Ok(())
}

/// The bytes of a constant in its carrier's layout: shared wherever that is the file's own.
fn carried(elem: ElemType, dims: &[u32], bytes: &Bytes) -> Outcome<Bytes> {
    use half::bf16;
    let floats: Vec<f32> = match elem {
        ElemType::Float64 => {
            bytes.as_chunks::<8>().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect()
        }
        ElemType::Bfloat16 => {
            bytes.as_chunks::<2>().0.iter().map(|&b| bf16::from_le_bytes(b).to_f32()).collect()
        }
        ElemType::Float8E4M3
        | ElemType::Float8E4M3Uz
        | ElemType::Float8E5M2
        | ElemType::Float8E5M2Uz
        | ElemType::Float8E8M0
        | ElemType::Float6E2M3
        | ElemType::Float6E3M2 => {
            bytes.iter().map(|&code| elem.decode_small(code) as f32).collect()
        }
        ElemType::Int16 => {
            let words = bytes.as_chunks::<2>().0.iter();
            let wide = words.flat_map(|&b| i32::from(i16::from_le_bytes(b)).to_le_bytes());
            return Ok(wide.collect::<Vec<u8>>().into());
        }
        ElemType::Uint16 => {
            let words = bytes.as_chunks::<2>().0.iter();
            let wide = words.flat_map(|&b| u32::from(u16::from_le_bytes(b)).to_le_bytes());
            return Ok(wide.collect::<Vec<u8>>().into());
        }
        ElemType::Float4E2M1
        | ElemType::Int4
        | ElemType::Uint4
        | ElemType::Int2
        | ElemType::Uint2 => {
            return Ok(Known::from_bytes(elem, dims, bytes.clone())?.array()?.encode()?.into());
        }
        ElemType::Float32
        | ElemType::Float16
        | ElemType::Uint8
        | ElemType::Int8
        | ElemType::Bool
        | ElemType::Int32
        | ElemType::Uint32
        | ElemType::Int64
        | ElemType::Uint64 => return Ok(bytes.clone()),
        ElemType::String | ElemType::Complex64 | ElemType::Complex128 => {
            fault!(UnsupportedType, "a constant of type {elem}");
        }
    };
    Ok(floats.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into())
}
