//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-layernorm>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::{ensure_axes, ensure_shape};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{affine, Tensor, coordinates, lanes, normalize, optional, required};
use crate::types::{DataTypes, Desc};

attrs! {
    /// The input normalised over some axes, then scaled and shifted.
    ///
    /// The dimensions of scale and bias follow the order of the axes.
    pub struct LayerNormalization() {
        /// The axes; by default all but the first.
        axes: Option<Vec<u32>> = None,
        /// Keeps the quotient finite.
        epsilon: f64 = 1e-5,
    }
}

impl LayerNormalization {
    /// The axes, the default filled in.
    pub fn axes(&self, rank: usize) -> Vec<u32> {
        self.axes.clone().unwrap_or_else(|| (1..rank as u32).collect())
    }
}

impl Operator for LayerNormalization {
    const METHODS: &'static [Method] = &[Method {
        name: "layerNormalization",
        slots: &[
            Slot::new("input", DataTypes::FLOATS),
            Slot::same("scale", 0).optional(),
            Slot::same("bias", 0).optional(),
        ],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let axes = self.axes(input.rank());
        ensure_axes(&axes, input.rank())?;
        let sizes: Vec<u32> = axes.iter().map(|&axis| input.shape[axis as usize]).collect();
        for (slot, name) in [(1, "scale"), (2, "bias")] {
            if let Some(operand) = inputs.opt(slot) {
                ensure_shape(name, &operand.shape, &sizes)?;
            }
        }
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let (scale, bias) = (optional(inputs, 1), optional(inputs, 2));
        let shape = &input.desc.shape;
        let axes = self.axes(shape.rank());
        let mut data = input.floats().to_vec();
        for lane in lanes(shape, &axes) {
            normalize(&mut data, &lane, self.epsilon);
        }
        for (i, x) in data.iter_mut().enumerate() {
            let at = coordinates(i, shape);
            // The vectors' dimensions follow the order of the axes.
            let element = |tensor: &Tensor| {
                let strides = tensor.desc.shape.strides();
                let places = axes.iter().zip(strides).map(|(&axis, stride)| at[axis as usize] * stride);
                tensor.floats()[places.sum::<usize>()]
            };
            *x = affine(*x, scale.map(element), bias.map(element));
        }
        vec![Tensor::float(outputs[0], data)]
    }
}
