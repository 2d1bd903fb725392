//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-clamp>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::number::Number;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, required};
use crate::types::{DataType, DataTypes, Desc};

attrs! {
    /// min(max(x, minValue), maxValue); NaN stays, an absent bound or one that is NaN is no bound.
    pub struct Clamp() {
        /// The lower bound.
        min_value: Option<Number> = None,
        /// The upper bound.
        max_value: Option<Number> = None,
    }
}

impl Clamp {
    /// The bounds cast to the operand's data type.
    pub fn bounds(&self, data_type: DataType) -> (Option<Number>, Option<Number>) {
        let cast = |bound: Option<Number>| {
            bound.filter(|bound| !bound.to_f64().is_nan()).map(|bound| bound.cast(data_type))
        };
        (cast(self.min_value), cast(self.max_value))
    }
}

impl Operator for Clamp {
    const METHODS: &'static [Method] = &[Method {
        name: "clamp",
        slots: &[Slot::new("input", DataTypes::ANY)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        if let (Some(min), Some(max)) = self.bounds(input.data_type) {
            let ordered = match (min, max) {
                (Number::Int(min), Number::Int(max)) => min <= max,
                (min, max) => min.to_f64() <= max.to_f64(),
            };
            ensure!(
                ordered,
                "minValue {min} is greater than maxValue {max} as {}",
                input.data_type
            );
        }
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], _: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let (min, max) = self.bounds(input.desc.data_type);
        let float = |x: f64| match (min.map(Number::to_f64), max.map(Number::to_f64)) {
            (Some(min), _) if x < min => min,
            (_, Some(max)) if x > max => max,
            _inside_or_nan => x,
        };
        let int = |x: i128| match (min, max) {
            (Some(Number::Int(min)), _) if x < min => min,
            (_, Some(Number::Int(max))) if x > max => max,
            _inside => x,
        };
        vec![input.map(float, int)]
    }
}
