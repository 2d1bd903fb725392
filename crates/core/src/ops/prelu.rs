//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-prelu>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::broadcast;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::Tensor;
use crate::types::{DataType, DataTypes, Desc};

attrs! {
    /// max(0, x) + slope · min(0, x), both broadcast to each other.
    pub struct Prelu() {}
}

impl Operator for Prelu {
    const METHODS: &'static [Method] = &[Method {
        name: "prelu",
        slots: &[
            Slot::new(
                "input",
                DataTypes::of(&[
                    DataType::Float32,
                    DataType::Float16,
                    DataType::Int64,
                    DataType::Int32,
                    DataType::Int8,
                ]),
            ),
            Slot::same("slope", 0),
        ],
        outputs: &[Slot::same("output", 0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (input, slope) = (inputs.get(0), inputs.get(1));
        Ok(vec![Desc::new(input.data_type, broadcast(&input.shape, &slope.shape)?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        todo!()
    }
}
