//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-cumulativesum>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::ensure_axis;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::Tensor;
use crate::types::{DataType, DataTypes, Desc, MAX_RANK};

attrs! {
    /// The running sum along an axis.
    pub struct CumulativeSum(
        /// The dimension along which it runs.
        axis: u32,
    ) {
        /// Whether an element's own value is left out of its sum.
        exclusive: bool = false,
        /// Whether the sum runs from the high end.
        reversed: bool = false,
    }
}

impl Operator for CumulativeSum {
    const METHODS: &'static [Method] = &[Method {
        name: "cumulativeSum",
        slots: &[Slot::new(
            "input",
            DataTypes::of(&[
                DataType::Float32,
                DataType::Float16,
                DataType::Int32,
                DataType::Uint32,
                DataType::Int64,
                DataType::Uint64,
            ]),
        )
        .ranks(1, MAX_RANK)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        ensure_axis(self.axis, input.rank())?;
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        todo!()
    }
}
