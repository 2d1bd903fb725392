//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary>

use crate::attrs::{Args, Attr, Attributes, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::broadcast;
use crate::ops::{Inputs, Method, Op, Operator};
use crate::reference::Tensor;
use crate::types::{DataTypes, Desc};

attrs! {
    /// An element-wise operator of two operands that are broadcast to each other.
    ///
    /// Integers wrap; a division by zero gives 0, and a negative exponent the truncated quotient.
    /// `max` and `min` of floats pass NaN on.
    pub enum Binary {
        /// a + b
        Add = "add",
        /// a − b
        Sub = "sub",
        /// a · b
        Mul = "mul",
        /// a / b, truncated for integers
        Div = "div",
        /// The greater.
        Max = "max",
        /// The lesser.
        Min = "min",
        /// a to the power of b
        Pow = "pow",
    }
}

const SLOTS: &[Slot] = &[Slot::new("a", DataTypes::ANY), Slot::same("b", 0)];
const OUTPUTS: &[Slot] = &[Slot::same("output", 0)];

const fn row(name: &'static str, parse: fn(&Args) -> Result<Op>) -> Method {
    Method {
        name,
        slots: SLOTS,
        outputs: OUTPUTS,
        fields: &[],
        parse,
    }
}

impl Attributes for Binary {
    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }
}

impl Operator for Binary {
    const METHODS: &'static [Method] = &[
        row("add", |_| Ok(Binary::Add.into())),
        row("sub", |_| Ok(Binary::Sub.into())),
        row("mul", |_| Ok(Binary::Mul.into())),
        row("div", |_| Ok(Binary::Div.into())),
        row("max", |_| Ok(Binary::Max.into())),
        row("min", |_| Ok(Binary::Min.into())),
        row("pow", |_| Ok(Binary::Pow.into())),
    ];

    fn method(&self) -> &'static Method {
        &Self::METHODS[*self as usize]
    }

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (a, b) = (inputs.get(0), inputs.get(1));
        Ok(vec![Desc::new(a.data_type, broadcast(&a.shape, &b.shape)?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        todo!()
    }
}
