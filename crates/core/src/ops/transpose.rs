//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-transpose>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::{ensure_axes, ensure_length};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, required};
use crate::types::{DataTypes, Desc};

attrs! {
    /// The input with its dimensions in another order.
    pub struct Transpose() {
        /// Which dimension of the input each dimension of the result is; by default reversed.
        permutation: Option<Vec<u32>> = None,
    }
}

impl Transpose {
    /// The permutation, the default filled in.
    pub fn permutation(&self, rank: usize) -> Vec<u32> {
        self.permutation.clone().unwrap_or_else(|| (0..rank as u32).rev().collect())
    }
}

impl Operator for Transpose {
    const METHODS: &'static [Method] = &[Method {
        name: "transpose",
        slots: &[Slot::new("input", DataTypes::ANY)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let permutation = self.permutation(input.rank());
        ensure_length("permutation", permutation.len(), input.rank())?;
        ensure_axes(&permutation, input.rank())?;
        let shape = permutation.iter().map(|&axis| input.shape[axis as usize]).collect();
        Ok(vec![Desc::new(input.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let strides = input.desc.shape.strides();
        let permutation = self.permutation(input.desc.rank());
        vec![input.gathered(outputs[0], |i| {
            let at = coordinates(i, &outputs[0].shape);
            permutation.iter().zip(at).map(|(&axis, at)| at * strides[axis as usize]).sum()
        })]
    }
}
