//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gather>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::ensure_axis;
use crate::ops::{INDICES, Inputs, Method, Operator};
use crate::reference::{Tensor, clamped_index, required};
use crate::types::{DataTypes, Desc, MAX_RANK, Shape};

attrs! {
    /// Slices of the input along an axis, chosen by index.
    ///
    /// A negative index counts from the end; one that is out of range is clamped.
    pub struct Gather() {
        /// The dimension that is indexed.
        axis: u32 = 0,
    }
}

impl Operator for Gather {
    const METHODS: &'static [Method] = &[Method {
        name: "gather",
        slots: &[
            Slot::new("input", DataTypes::ANY).ranks(1, MAX_RANK),
            Slot::new("indices", INDICES),
        ],
        outputs: &[Slot::same("output", 0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (input, indices) = (inputs.get(0), inputs.get(1));
        let axis = ensure_axis(self.axis, input.rank())?;
        let shape = &input.shape;
        let sizes = [&shape[..axis], &indices.shape[..], &shape[axis + 1..]].concat();
        Ok(vec![Desc::new(input.data_type, Shape::new(&sizes)?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (input, indices) = (required(inputs, 0), required(inputs, 1));
        let (shape, axis) = (&input.desc.shape, self.axis as usize);
        let outer: usize = shape[..axis].iter().map(|&size| size as usize).product();
        let inner = shape.strides()[axis];
        let size = shape[axis];
        // The output is [outer, indices, inner], the input [outer, size, inner].
        let count = indices.desc.elements();
        debug_assert_eq!(outer * count * inner, outputs[0].elements());
        vec![input.gathered(outputs[0], |i| {
            let place = clamped_index(indices.ints()[i / inner % count], size);
            (i / inner / count * size as usize + place) * inner + i % inner
        })]
    }
}
