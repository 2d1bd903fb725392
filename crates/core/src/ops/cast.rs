//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-cast>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::Tensor;
use crate::types::{DataType, DataTypes, Desc};

const TYPES: DataTypes = DataTypes::ANY.or(DataTypes::NIBBLES);

attrs! {
    /// The same numbers in another data type.
    ///
    /// To floats the nearest value; from floats to integers truncated, saturated, NaN as 0;
    /// between integers the low bits.
    pub struct Cast(
        /// The type of the result.
        data_type: DataType,
    ) {}
}

impl Operator for Cast {
    const METHODS: &'static [Method] = &[Method {
        name: "cast",
        slots: &[Slot::new("input", TYPES)],
        outputs: &[Slot::new("output", TYPES).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        ensure!(TYPES.contains(self.data_type), "dataType is {}", self.data_type);
        Ok(vec![Desc::new(self.data_type, inputs.get(0).shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        todo!()
    }
}
