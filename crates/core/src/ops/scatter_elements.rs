//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-scatterelements>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::{ensure_axis, ensure_shape};
use crate::ops::{INDICES, Inputs, Method, Operator};
use crate::reference::{Tensor, clamped_index, coordinates, required};
use crate::types::{DataTypes, Desc, MAX_RANK};

attrs! {
    /// A copy of the input with updates written at indices along an axis.
    ///
    /// A negative index counts from the end; one that is out of range is clamped. Of several
    /// updates of one element the last in row-major order stays.
    pub struct ScatterElements() {
        /// The dimension that is indexed.
        axis: u32 = 0,
    }
}

impl Operator for ScatterElements {
    const METHODS: &'static [Method] = &[Method {
        name: "scatterElements",
        slots: &[
            Slot::new("input", DataTypes::ANY).ranks(1, MAX_RANK),
            Slot::new("indices", INDICES).rank_of(0),
            Slot::same("updates", 0).rank_of(0),
        ],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (input, indices, updates) = (inputs.get(0), inputs.get(1), inputs.get(2));
        let axis = ensure_axis(self.axis, input.rank())?;
        ensure!(
            indices.shape.with(axis, 1) == input.shape.with(axis, 1),
            "indices has shape {}, expected that of input, {}, but for axis {axis}",
            indices.shape,
            input.shape
        );
        ensure_shape("updates", &updates.shape, &indices.shape)?;
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], _: &[Desc]) -> Vec<Tensor> {
        let (input, indices, updates) =
            (required(inputs, 0), required(inputs, 1), required(inputs, 2));
        let shape = &input.desc.shape;
        let strides = shape.strides();
        let axis = self.axis as usize;
        let mut output = input.clone();
        for i in 0..updates.desc.elements() {
            let mut at = coordinates(i, &indices.desc.shape);
            at[axis] = clamped_index(indices.ints()[i], shape[axis]);
            let target = (0..shape.rank()).map(|axis| at[axis] * strides[axis]).sum();
            output.copy_element(target, updates, i);
        }
        vec![output]
    }
}
