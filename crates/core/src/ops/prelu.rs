//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-prelu>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::broadcast;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Data, Tensor, required};
use crate::types::{DataType, DataTypes, Desc};

attrs! {
    /// x, but slope · x where x is below 0; both are broadcast to each other. Integers wrap.
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
        let shape = outputs[0].shape;
        let input = required(inputs, 0).broadcast(shape);
        let slope = required(inputs, 1).broadcast(shape);
        vec![match (&input.data, &slope.data) {
            (Data::Float(input), Data::Float(slope)) => {
                let result = |(&x, &slope)| if x < 0.0 { slope * x } else { x };
                Tensor::float(outputs[0], input.iter().zip(slope).map(result).collect())
            }
            (Data::Int(input), Data::Int(slope)) => {
                let result = |(&x, &slope): (&i128, &i128)| if x < 0 { slope * x } else { x };
                Tensor::int(outputs[0], input.iter().zip(slope).map(result).collect())
            }
            (Data::Float(_), Data::Int(_)) | (Data::Int(_), Data::Float(_)) => {
                unreachable!("the builder checked that the types are equal")
            }
        }]
    }
}
