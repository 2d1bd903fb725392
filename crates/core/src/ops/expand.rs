//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-expand>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::ensure_broadcastable;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, required};
use crate::types::{DataTypes, Desc, Shape};

attrs! {
    /// The input repeated along dimensions of size 1 and along new leading ones.
    pub struct Expand(
        /// The shape of the result.
        new_shape: Vec<u32>,
    ) {}
}

impl Operator for Expand {
    const METHODS: &'static [Method] = &[Method {
        name: "expand",
        slots: &[Slot::new("input", DataTypes::ANY)],
        outputs: &[Slot::same("output", 0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let shape = Shape::new(&self.new_shape)?;
        ensure_broadcastable("input", &input.shape, &shape)?;
        Ok(vec![Desc::new(input.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        vec![required(inputs, 0).broadcast(outputs[0].shape)]
    }
}
