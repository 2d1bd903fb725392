//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-binary>

use crate::attrs::{Args, Attr, Attributes, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::broadcast;
use crate::ops::{Inputs, Method, Op, Operator};
use crate::reference::{Data, Tensor, maximum, minimum, required};
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
        let shape = outputs[0].shape;
        let a = required(inputs, 0).broadcast(shape);
        let b = required(inputs, 1).broadcast(shape);
        vec![match (&a.data, &b.data) {
            (Data::Float(a), Data::Float(b)) => {
                let result = |(&a, &b)| self.float(a, b);
                Tensor::float(outputs[0], a.iter().zip(b).map(result).collect())
            }
            (Data::Int(a), Data::Int(b)) => {
                let result = |(&a, &b)| self.int(a, b);
                Tensor::int(outputs[0], a.iter().zip(b).map(result).collect())
            }
            (Data::Float(_), Data::Int(_)) | (Data::Int(_), Data::Float(_)) => {
                unreachable!("the builder checked that the types are equal")
            }
        }]
    }
}

impl Binary {
    fn float(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Max => maximum(a, b),
            Binary::Min => minimum(a, b),
            Binary::Pow => libm::pow(a, b),
        }
    }

    /// The result but for its high bits, which the data type cuts off.
    fn int(self, a: i128, b: i128) -> i128 {
        match self {
            Binary::Add => a.wrapping_add(b),
            Binary::Sub => a.wrapping_sub(b),
            Binary::Mul => a.wrapping_mul(b),
            Binary::Div => a.checked_div(b).unwrap_or(0),
            Binary::Max => a.max(b),
            Binary::Min => a.min(b),
            Binary::Pow => int_pow(a, b),
        }
    }
}

/// An integer's power, low bits only; with a negative exponent the truncated quotient.
fn int_pow(base: i128, exponent: i128) -> i128 {
    if exponent < 0 {
        return match base {
            1 => 1,
            -1 if exponent % 2 == 0 => 1,
            -1 => -1,
            _small => 0,
        };
    }
    let (mut power, mut square, mut rest) = (1i128, base, exponent);
    while rest > 0 {
        if rest % 2 == 1 {
            power = power.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        rest /= 2;
    }
    power
}
