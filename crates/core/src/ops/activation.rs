//! Element-wise activations with attributes:
//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-elu> and its neighbours.

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, maximum, minimum, required};
use crate::types::{DataTypes, Desc};

const SLOTS: &[Slot] = &[Slot::new("input", DataTypes::FLOATS)];
const OUTPUTS: &[Slot] = &[Slot::same("output", 0).rank_of(0)];

attrs! {
    /// max(0, x) + alpha · (exp(min(0, x)) − 1)
    pub struct Elu() {
        /// Scales what is below 0.
        alpha: f64 = 1.0,
    }
}

attrs! {
    /// max(0, min(1, alpha · x + beta))
    pub struct HardSigmoid() {
        /// The slope.
        alpha: f64 = 0.2,
        /// The value at 0.
        beta: f64 = 0.5,
    }
}

attrs! {
    /// max(0, x) + alpha · min(0, x)
    pub struct LeakyRelu() {
        /// The slope below 0.
        alpha: f64 = 0.01,
    }
}

attrs! {
    /// alpha · x + beta
    pub struct Linear() {
        /// The slope.
        alpha: f64 = 1.0,
        /// The value at 0.
        beta: f64 = 0.0,
    }
}

impl Operator for Elu {
    const METHODS: &'static [Method] = &[Method {
        name: "elu",
        slots: SLOTS,
        outputs: OUTPUTS,
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        Ok(vec![inputs.get(0)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], _: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        vec![input.map_floats(|x| if x < 0.0 { self.alpha * libm::expm1(x) } else { x })]
    }
}

impl Operator for HardSigmoid {
    const METHODS: &'static [Method] = &[Method {
        name: "hardSigmoid",
        slots: SLOTS,
        outputs: OUTPUTS,
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        Ok(vec![inputs.get(0)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], _: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        vec![input.map_floats(|x| maximum(0.0, minimum(1.0, self.alpha * x + self.beta)))]
    }
}

impl Operator for LeakyRelu {
    const METHODS: &'static [Method] = &[Method {
        name: "leakyRelu",
        slots: SLOTS,
        outputs: OUTPUTS,
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        Ok(vec![inputs.get(0)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], _: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        vec![input.map_floats(|x| if x < 0.0 { self.alpha * x } else { x })]
    }
}

impl Operator for Linear {
    const METHODS: &'static [Method] = &[Method {
        name: "linear",
        slots: SLOTS,
        outputs: OUTPUTS,
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        Ok(vec![inputs.get(0)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], _: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        vec![input.map_floats(|x| self.alpha * x + self.beta)]
    }
}
