//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-triangular>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, required};
use crate::types::{DataTypes, Desc, MAX_RANK};

attrs! {
    /// Each matrix of the last two dimensions with one side of a diagonal set to 0.
    pub struct Triangular() {
        /// Whether the upper side is kept, not the lower one.
        upper: bool = true,
        /// Which diagonal; above the main one where positive. It is always kept.
        diagonal: i32 = 0,
    }
}

impl Operator for Triangular {
    const METHODS: &'static [Method] = &[Method {
        name: "triangular",
        slots: &[Slot::new("input", DataTypes::ANY).ranks(2, MAX_RANK)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        Ok(vec![inputs.get(0)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let (shape, rank) = (&input.desc.shape, input.desc.rank());
        let mut output = Tensor::zeros(outputs[0]);
        for i in 0..outputs[0].elements() {
            let at = coordinates(i, shape);
            let diagonal = at[rank - 1] as i64 - at[rank - 2] as i64;
            let is_kept = if self.upper {
                diagonal >= i64::from(self.diagonal)
            } else {
                diagonal <= i64::from(self.diagonal)
            };
            if is_kept {
                output.copy_element(i, input, i);
            }
        }
        vec![output]
    }
}
