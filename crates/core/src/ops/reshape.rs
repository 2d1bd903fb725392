//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reshape-method>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, required};
use crate::types::{DataTypes, Desc};

attrs! {
    /// The same elements, row-major, in another shape.
    pub struct Reshape(
        /// The shape of the result.
        new_shape: Vec<u32>,
    ) {}
}

impl Operator for Reshape {
    const METHODS: &'static [Method] = &[Method {
        name: "reshape",
        slots: &[Slot::new("input", DataTypes::ANY.or(DataTypes::NIBBLES))],
        outputs: &[Slot::same("output", 0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let output = Desc::checked(input.data_type, &self.new_shape)?;
        ensure!(
            output.shape.elements() == input.shape.elements(),
            "newShape {} has {} elements, expected {} as input of shape {} has",
            output.shape,
            output.shape.elements(),
            input.shape.elements(),
            input.shape
        );
        Ok(vec![output])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        vec![Tensor { desc: outputs[0], data: input.data.clone() }]
    }
}
