//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-where>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::broadcast;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, required};
use crate::types::{DataTypes, Desc};

attrs! {
    /// The true value where the condition is not 0, else the false value; all three broadcast.
    pub struct Where() {}
}

impl Operator for Where {
    const METHODS: &'static [Method] = &[Method {
        name: "where",
        slots: &[
            Slot::new("condition", DataTypes::UINT8),
            Slot::new("trueValue", DataTypes::ANY),
            Slot::same("falseValue", 1),
        ],
        outputs: &[Slot::same("output", 1)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (condition, yes, no) = (inputs.get(0), inputs.get(1), inputs.get(2));
        let shape = broadcast(&condition.shape, &broadcast(&yes.shape, &no.shape)?)?;
        Ok(vec![Desc::new(yes.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let shape = outputs[0].shape;
        let condition = required(inputs, 0).broadcast(shape);
        let yes = required(inputs, 1).broadcast(shape);
        let mut output = required(inputs, 2).broadcast(shape);
        for (i, &condition) in condition.ints().iter().enumerate() {
            if condition != 0 {
                output.copy_element(i, &yes, i);
            }
        }
        vec![output]
    }
}
