//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-concat>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::{ensure_axis, to_dimension};
use crate::ops::{Inputs, MAX_TENSORS, Method, Operator};
use crate::reference::{Tensor, coordinates};
use crate::types::{DataTypes, Desc, MAX_RANK};

attrs! {
    /// The inputs one after another along an axis.
    pub struct Concat(
        /// The dimension along which they are joined.
        axis: u32,
    ) {}
}

impl Operator for Concat {
    const METHODS: &'static [Method] = &[Method {
        name: "concat",
        slots: &[Slot::new("inputs", DataTypes::ANY).ranks(1, MAX_RANK).repeated()],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let count = inputs.all().count();
        ensure!(
            (1..=MAX_TENSORS).contains(&count),
            "{count} inputs were given, expected 1 to {MAX_TENSORS}"
        );
        let first = inputs.get(0);
        let axis = ensure_axis(self.axis, first.rank())?;
        let mut size = 0u64;
        for (i, input) in inputs.all().enumerate() {
            ensure!(
                input.data_type == first.data_type,
                "input {i} has data type {}, expected {} as input 0 has",
                input.data_type,
                first.data_type
            );
            ensure!(
                input.rank() == first.rank()
                    && input.shape.with(axis, 1) == first.shape.with(axis, 1),
                "input {i} has shape {}, expected that of input 0, {}, but for axis {axis}",
                input.shape,
                first.shape
            );
            size += u64::from(input.shape[axis]);
        }
        let size = to_dimension("the joined dimension", size)?;
        Ok(vec![Desc::new(first.data_type, first.shape.with(axis, size))])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let mut output = Tensor::zeros(outputs[0]);
        let axis = self.axis as usize;
        let strides = outputs[0].shape.strides();
        let mut start = 0;
        for input in inputs.iter().flatten() {
            let shape = input.desc.shape;
            for i in 0..input.desc.elements() {
                let at = coordinates(i, &shape);
                let target: usize = (0..shape.rank()).map(|axis| at[axis] * strides[axis]).sum();
                output.copy_element(target + start * strides[axis], input, i);
            }
            start += shape[axis] as usize;
        }
        vec![output]
    }
}
