//! A value on its way into the graph: known already, or an operand of the builder.

use std::rc::Rc;

use webnn_core::Operand;

use crate::elem::ElemType;
use crate::error::{Outcome, fault, require};
use crate::known::{Array, Known, MAX_KNOWN};

/// A dense tensor of the model.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    elem: ElemType,
    dims: Vec<u32>,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Known(Rc<Known>),
    Operand(Operand),
}

impl Tensor {
    /// A result of the builder that stands for elements of the given type.
    pub(crate) fn operand(elem: ElemType, operand: Operand) -> Tensor {
        Tensor { elem, dims: operand.shape().to_vec(), place: Place::Operand(operand) }
    }

    pub(crate) fn elem(&self) -> ElemType {
        self.elem
    }

    pub(crate) fn dims(&self) -> &[u32] {
        &self.dims
    }

    pub(crate) fn rank(&self) -> usize {
        self.dims.len()
    }

    /// The size of a dimension; 1 where there is none.
    pub(crate) fn dim(&self, axis: usize) -> u32 {
        self.dims.get(axis).copied().unwrap_or(1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.dims.contains(&0)
    }

    pub(crate) fn elements(&self) -> u64 {
        self.dims.iter().fold(1u64, |count, &size| count.saturating_mul(u64::from(size)))
    }

    /// The operand, where it is not a known value.
    pub(crate) fn as_operand(&self) -> Option<Operand> {
        match &self.place {
            Place::Operand(operand) => Some(*operand),
            Place::Known(_) => None,
        }
    }

    /// The known value.
    pub(crate) fn known(&self) -> Option<&Rc<Known>> {
        match &self.place {
            Place::Known(known) => Some(known),
            Place::Operand(_) => None,
        }
    }

    /// The elements, where they are known and few enough to compute with.
    pub(crate) fn array(&self) -> Option<Rc<Array>> {
        // Long lists of floats are weights, which the compiler folds where that pays; integers
        // are shapes and indices, which may decide what the graph is.
        let limit = if self.elem.is_float() { MAX_KNOWN >> 4 } else { MAX_KNOWN };
        let known = self.known().filter(|known| known.is_small(limit))?;
        known.array().ok()
    }

    /// The same operand, its elements read as another type with the same carrier.
    pub(crate) fn retyped(mut self, elem: ElemType) -> Tensor {
        self.elem = elem;
        self
    }
}

impl From<Known> for Tensor {
    fn from(known: Known) -> Tensor {
        Tensor {
            elem: known.elem(),
            dims: known.dims().to_vec(),
            place: Place::Known(Rc::new(known)),
        }
    }
}

impl From<Array> for Tensor {
    fn from(array: Array) -> Tensor {
        Known::from(array).into()
    }
}

/// The shape that two shapes broadcast to, each side's ones repeated.
pub(crate) fn broadcast(a: &[u32], b: &[u32]) -> Outcome<Vec<u32>> {
    let rank = a.len().max(b.len());
    let size = |dims: &[u32], axis: usize| {
        (axis + dims.len()).checked_sub(rank).and_then(|i| dims.get(i)).copied().unwrap_or(1)
    };
    let mut dims = Vec::with_capacity(rank);
    for axis in 0..rank {
        match (size(a, axis), size(b, axis)) {
            (x, y) if x == y => dims.push(x),
            (1, y) => dims.push(y),
            (x, 1) => dims.push(x),
            _differ => fault!(Invalid, "shapes {a:?} and {b:?} do not broadcast"),
        }
    }
    Ok(dims)
}

/// The axis counted from the front.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Outcome<usize> {
    let from_front = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    match from_front.and_then(|axis| usize::try_from(axis).ok()) {
        Some(axis) if axis < rank => Ok(axis),
        _outside => fault!(Invalid, "axis {axis} is out of range for rank {rank}"),
    }
}

/// The axes counted from the front, sorted; none twice.
pub(crate) fn axes_of(axes: &[i64], rank: usize) -> Outcome<Vec<usize>> {
    let mut list = axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Outcome<Vec<_>>>()?;
    list.sort_unstable();
    require!(list.windows(2).all(|pair| pair[0] != pair[1]), "axes {axes:?} name one axis twice");
    Ok(list)
}

/// A size of the model as a dimension.
pub(crate) fn size_of(value: i128) -> Outcome<u32> {
    match u32::try_from(value) {
        Ok(size) if size <= i32::MAX as u32 => Ok(size),
        _outside => fault!(Invalid, "size {value} is out of range, expected 0 to {}", i32::MAX),
    }
}
