//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gatherelements>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::ensure_axis;
use crate::ops::{INDICES, Inputs, Method, Operator};
use crate::reference::{Tensor, clamped_index, coordinates, required};
use crate::types::{DataTypes, Desc, MAX_RANK};

attrs! {
    /// For each index the element of the input at the same place but for one axis.
    ///
    /// A negative index counts from the end; one that is out of range is clamped.
    pub struct GatherElements() {
        /// The dimension that is indexed.
        axis: u32 = 0,
    }
}

impl Operator for GatherElements {
    const METHODS: &'static [Method] = &[Method {
        name: "gatherElements",
        slots: &[
            Slot::new("input", DataTypes::ANY).ranks(1, MAX_RANK),
            Slot::new("indices", INDICES).rank_of(0),
        ],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (input, indices) = (inputs.get(0), inputs.get(1));
        let axis = ensure_axis(self.axis, input.rank())?;
        ensure!(
            indices.shape.with(axis, 1) == input.shape.with(axis, 1),
            "indices has shape {}, expected that of input, {}, but for axis {axis}",
            indices.shape,
            input.shape
        );
        Ok(vec![Desc::new(input.data_type, indices.shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (input, indices) = (required(inputs, 0), required(inputs, 1));
        let shape = &input.desc.shape;
        let strides = shape.strides();
        let axis = self.axis as usize;
        vec![input.gathered(outputs[0], |i| {
            let mut at = coordinates(i, &indices.desc.shape);
            at[axis] = clamped_index(indices.ints()[i], shape[axis]);
            (0..shape.rank()).map(|axis| at[axis] * strides[axis]).sum()
        })]
    }
}
