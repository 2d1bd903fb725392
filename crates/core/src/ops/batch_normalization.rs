//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-batchnorm>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::{ensure_axis, ensure_shape};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{affine, Tensor, coordinates, optional, required};
use crate::types::{DataTypes, Desc, MAX_RANK};

attrs! {
    /// (input − mean) / √(variance + epsilon) · scale + bias, each vector along an axis.
    pub struct BatchNormalization() {
        /// The dimension that the vectors lie along.
        axis: u32 = 1,
        /// Keeps the quotient finite.
        epsilon: f64 = 1e-5,
    }
}

impl Operator for BatchNormalization {
    const METHODS: &'static [Method] = &[Method {
        name: "batchNormalization",
        slots: &[
            Slot::new("input", DataTypes::FLOATS).ranks(1, MAX_RANK),
            Slot::same("mean", 0).rank(1),
            Slot::same("variance", 0).rank(1),
            Slot::same("scale", 0).rank(1).optional(),
            Slot::same("bias", 0).rank(1).optional(),
        ],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let axis = ensure_axis(self.axis, input.rank())?;
        for (slot, operand) in Self::METHODS[0].slots.iter().zip(inputs.0).skip(1) {
            if let Some(operand) = operand {
                ensure_shape(slot.name, &operand.shape, &[input.shape[axis]])?;
            }
        }
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let (mean, variance) = (required(inputs, 1).floats(), required(inputs, 2).floats());
        let (scale, bias) = (optional(inputs, 3), optional(inputs, 4));
        let of = |vector: Option<&Tensor>, channel: usize| vector.map(|v| v.floats()[channel]);
        let shape = input.desc.shape;
        let result = |(i, &x): (usize, &f64)| {
            let channel = coordinates(i, &shape)[self.axis as usize];
            let normal = (x - mean[channel]) / (variance[channel] + self.epsilon).sqrt();
            affine(normal, of(scale, channel), of(bias, channel))
        };
        vec![Tensor::float(outputs[0], input.floats().iter().enumerate().map(result).collect())]
    }
}
