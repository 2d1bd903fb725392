//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-slice>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::ensure_length;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, required};
use crate::types::{DataTypes, Desc, Shape};

attrs! {
    /// A window of the input, of which every so many elements are taken.
    pub struct Slice(
        /// Where the window begins, for each dimension.
        starts: Vec<u32>,
        /// The window's sizes before striding.
        sizes: Vec<u32>,
    ) {
        /// The steps; by default 1.
        strides: Option<Vec<u32>> = None,
    }
}

impl Slice {
    /// The stride of a dimension, the default filled in.
    pub fn stride(&self, axis: usize) -> u32 {
        self.strides.as_ref().map_or(1, |strides| strides[axis])
    }
}

impl Operator for Slice {
    const METHODS: &'static [Method] = &[Method {
        name: "slice",
        slots: &[Slot::new("input", DataTypes::ANY)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        ensure_length("starts", self.starts.len(), input.rank())?;
        ensure_length("sizes", self.sizes.len(), input.rank())?;
        if let Some(strides) = &self.strides {
            ensure_length("strides", strides.len(), input.rank())?;
        }
        let shape: Result<Shape> = (0..input.rank())
            .map(|axis| {
                let (start, size, stride) =
                    (self.starts[axis], self.sizes[axis], self.stride(axis));
                ensure!(size > 0, "size {axis} is 0, expected at least 1");
                ensure!(stride > 0, "stride {axis} is 0, expected at least 1");
                ensure!(
                    u64::from(start) + u64::from(size) <= u64::from(input.shape[axis]),
                    "start {start} and size {size} reach beyond dimension {axis} of size {}",
                    input.shape[axis]
                );
                Ok(size.div_ceil(stride))
            })
            .collect();
        Ok(vec![Desc::new(input.data_type, shape?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let strides = input.desc.shape.strides();
        vec![input.gathered(outputs[0], |i| {
            let at = coordinates(i, &outputs[0].shape);
            let place = |axis: usize| self.starts[axis] as usize + at[axis] * self.stride(axis) as usize;
            (0..input.desc.rank()).map(|axis| place(axis) * strides[axis]).sum()
        })]
    }
}
