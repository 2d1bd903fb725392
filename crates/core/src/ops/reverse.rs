//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reverse-method>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::ensure_axes;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, required};
use crate::types::{DataTypes, Desc};

attrs! {
    /// The input flipped along some axes.
    pub struct Reverse() {
        /// The axes; by default all.
        axes: Option<Vec<u32>> = None,
    }
}

impl Reverse {
    /// The axes, the default filled in.
    pub fn axes(&self, rank: usize) -> Vec<u32> {
        self.axes.clone().unwrap_or_else(|| (0..rank as u32).collect())
    }
}

impl Operator for Reverse {
    const METHODS: &'static [Method] = &[Method {
        name: "reverse",
        slots: &[Slot::new("input", DataTypes::ANY)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        ensure_axes(&self.axes(input.rank()), input.rank())?;
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let shape = &input.desc.shape;
        let (axes, strides) = (self.axes(shape.rank()), shape.strides());
        vec![input.gathered(outputs[0], |i| {
            let at = coordinates(i, shape);
            let place = |axis: usize| {
                if axes.contains(&(axis as u32)) { shape[axis] as usize - 1 - at[axis] } else { at[axis] }
            };
            (0..shape.rank()).map(|axis| place(axis) * strides[axis]).sum()
        })]
    }
}
