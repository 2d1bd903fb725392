//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-softmax-method>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::ensure_axis;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, lanes, maximum, required};
use crate::types::{DataTypes, Desc, MAX_RANK};

attrs! {
    /// exp(x) divided by its sum along an axis.
    pub struct Softmax(
        /// The dimension along which the results add up to 1.
        axis: u32,
    ) {}
}

impl Operator for Softmax {
    const METHODS: &'static [Method] = &[Method {
        name: "softmax",
        slots: &[Slot::new("input", DataTypes::FLOATS).ranks(1, MAX_RANK)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        ensure_axis(self.axis, input.rank())?;
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let mut data = input.floats().to_vec();
        for lane in lanes(&input.desc.shape, &[self.axis]) {
            // Subtracting the maximum keeps exp finite; the quotient is unchanged.
            let max = lane.iter().map(|&i| data[i]).fold(f64::NEG_INFINITY, maximum);
            lane.iter().for_each(|&i| data[i] = libm::exp(data[i] - max));
            let sum: f64 = lane.iter().map(|&i| data[i]).sum();
            lane.iter().for_each(|&i| data[i] /= sum);
        }
        vec![Tensor::float(outputs[0], data)]
    }
}
