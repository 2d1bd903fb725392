//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-scatternd>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::ensure_shape;
use crate::ops::{INDICES, Inputs, Method, Operator};
use crate::reference::{Tensor, required, slice_start};
use crate::types::{DataTypes, Desc, MAX_RANK};

attrs! {
    /// A copy of the input with slices replaced at coordinates, the last dimension of the indices.
    ///
    /// A negative coordinate counts from the end; one that is out of range is clamped. Of several
    /// updates of one slice the last in row-major order stays.
    pub struct ScatterNd() {}
}

impl Operator for ScatterNd {
    const METHODS: &'static [Method] = &[Method {
        name: "scatterND",
        slots: &[
            Slot::new("input", DataTypes::ANY).ranks(1, MAX_RANK),
            Slot::new("indices", INDICES).ranks(1, MAX_RANK),
            Slot::same("updates", 0),
        ],
        outputs: &[Slot::same("output", 0).ranks(1, MAX_RANK)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (input, indices, updates) = (inputs.get(0), inputs.get(1), inputs.get(2));
        let last = indices.rank() - 1;
        let depth = indices.shape[last] as usize;
        ensure!(
            depth <= input.rank(),
            "indices has shape {}: {depth} coordinates, expected at most {} as input has dimensions",
            indices.shape,
            input.rank()
        );
        let expected = [&indices.shape[..last], &input.shape[depth..]].concat();
        ensure_shape("updates", &updates.shape, &expected)?;
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], _: &[Desc]) -> Vec<Tensor> {
        let (input, indices, updates) =
            (required(inputs, 0), required(inputs, 1), required(inputs, 2));
        let depth = indices.desc.shape[indices.desc.rank() - 1] as usize;
        let slice: usize = input.desc.shape[depth..].iter().map(|&size| size as usize).product();
        let mut output = input.clone();
        for i in 0..updates.desc.elements() {
            let at = &indices.ints()[i / slice * depth..][..depth];
            output.copy_element(slice_start(&input.desc.shape, at) + i % slice, updates, i);
        }
        vec![output]
    }
}
