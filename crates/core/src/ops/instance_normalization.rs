//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-instancenorm>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::conv2d::InputLayout;
use crate::ops::shapes::ensure_shape;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{affine, Tensor, coordinates, lanes, normalize, optional, required};
use crate::types::{DataTypes, Desc};

attrs! {
    /// Each channel of each image normalised over its pixels, then scaled and shifted.
    pub struct InstanceNormalization() {
        /// Keeps the quotient finite.
        epsilon: f64 = 1e-5,
        /// The order of the dimensions.
        layout: InputLayout = InputLayout::Nchw,
    }
}

impl Operator for InstanceNormalization {
    const METHODS: &'static [Method] = &[Method {
        name: "instanceNormalization",
        slots: &[
            Slot::new("input", DataTypes::FLOATS).rank(4),
            Slot::same("scale", 0).rank(1).optional(),
            Slot::same("bias", 0).rank(1).optional(),
        ],
        outputs: &[Slot::same("output", 0).rank(4)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let channels = input.shape[self.layout.axes().0];
        for (slot, name) in [(1, "scale"), (2, "bias")] {
            if let Some(operand) = inputs.opt(slot) {
                ensure_shape(name, &operand.shape, &[channels])?;
            }
        }
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let (scale, bias) = (optional(inputs, 1), optional(inputs, 2));
        let (c, h, w) = self.layout.axes();
        let mut data = input.floats().to_vec();
        for lane in lanes(&input.desc.shape, &[h as u32, w as u32]) {
            normalize(&mut data, &lane, self.epsilon);
            let channel = coordinates(lane[0], &input.desc.shape)[c];
            let [scale, bias] = [scale, bias].map(|vector| vector.map(|v| v.floats()[channel]));
            for i in lane {
                data[i] = affine(data[i], scale, bias);
            }
        }
        vec![Tensor::float(outputs[0], data)]
    }
}
