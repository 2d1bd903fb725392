//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gathernd>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::{INDICES, Inputs, Method, Operator};
use crate::reference::{Tensor, required, slice_start};
use crate::types::{DataTypes, Desc, MAX_RANK, Shape};

attrs! {
    /// Slices of the input chosen by coordinates, the last dimension of the indices.
    ///
    /// A negative coordinate counts from the end; one that is out of range is clamped.
    pub struct GatherNd() {}
}

impl Operator for GatherNd {
    const METHODS: &'static [Method] = &[Method {
        name: "gatherND",
        slots: &[
            Slot::new("input", DataTypes::ANY).ranks(1, MAX_RANK),
            Slot::new("indices", INDICES).ranks(1, MAX_RANK),
        ],
        outputs: &[Slot::same("output", 0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (input, indices) = (inputs.get(0), inputs.get(1));
        let last = indices.rank() - 1;
        let depth = indices.shape[last] as usize;
        ensure!(
            depth <= input.rank(),
            "indices has shape {}: {depth} coordinates, expected at most {} as input has dimensions",
            indices.shape,
            input.rank()
        );
        let sizes = [&indices.shape[..last], &input.shape[depth..]].concat();
        Ok(vec![Desc::new(input.data_type, Shape::new(&sizes)?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (input, indices) = (required(inputs, 0), required(inputs, 1));
        let depth = indices.desc.shape[indices.desc.rank() - 1] as usize;
        let slice: usize = input.desc.shape[depth..].iter().map(|&size| size as usize).product();
        vec![input.gathered(outputs[0], |i| {
            let at = &indices.ints()[i / slice * depth..][..depth];
            slice_start(&input.desc.shape, at) + i % slice
        })]
    }
}
