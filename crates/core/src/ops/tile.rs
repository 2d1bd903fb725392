//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-tile>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::{ensure_length, ensure_positive, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, required};
use crate::types::{DataTypes, Desc, Shape};

attrs! {
    /// The whole input repeated along each dimension.
    pub struct Tile(
        /// How often, for each dimension.
        repetitions: Vec<u32>,
    ) {}
}

impl Operator for Tile {
    const METHODS: &'static [Method] = &[Method {
        name: "tile",
        slots: &[Slot::new("input", DataTypes::ANY)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        ensure_length("repetitions", self.repetitions.len(), input.rank())?;
        ensure_positive("repetitions", &self.repetitions)?;
        let sizes = input.shape.iter().zip(&self.repetitions);
        let shape: Result<Shape> = sizes
            .map(|(&size, &count)| {
                to_dimension("a repeated dimension", u64::from(size) * u64::from(count))
            })
            .collect();
        Ok(vec![Desc::new(input.data_type, shape?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let (shape, strides) = (&input.desc.shape, input.desc.shape.strides());
        vec![input.gathered(outputs[0], |i| {
            let at = coordinates(i, &outputs[0].shape);
            (0..shape.rank()).map(|axis| at[axis] % shape[axis] as usize * strides[axis]).sum()
        })]
    }
}
