//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-cast>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::number::Number;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Data, Tensor, required};
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
        let input = required(inputs, 0);
        let data = match (&input.data, outputs[0].data_type.integer_range()) {
            // The conversion truncates, saturates, and takes NaN to 0.
            (Data::Float(data), Some((least, greatest))) => {
                Data::Int(data.iter().map(|&x| (x as i128).clamp(least, greatest)).collect())
            }
            (Data::Int(data), None) => {
                let float = |&x: &i128| Number::Int(x).cast(self.data_type).to_f64();
                Data::Float(data.iter().map(float).collect())
            }
            (Data::Float(_), None) | (Data::Int(_), Some(_)) => input.data.clone(),
        };
        vec![Tensor { desc: outputs[0], data }]
    }
}
