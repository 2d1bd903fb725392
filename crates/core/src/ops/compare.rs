//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-logical>

use crate::attrs::{Args, Attr, Attributes, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::broadcast;
use crate::ops::{Inputs, Method, Op, Operator};
use crate::reference::{Data, Tensor, required};
use crate::types::{DataType, DataTypes, Desc};

attrs! {
    /// A comparison or a logical operator of two operands; 0 or 1 as uint8.
    ///
    /// NaN is unequal to everything, itself included; any number but 0 is true.
    pub enum Compare {
        /// a = b
        Equal = "equal",
        /// a ≠ b
        NotEqual = "notEqual",
        /// a > b
        Greater = "greater",
        /// a ≥ b
        GreaterOrEqual = "greaterOrEqual",
        /// a < b
        Lesser = "lesser",
        /// a ≤ b
        LesserOrEqual = "lesserOrEqual",
        /// Both are true.
        LogicalAnd = "logicalAnd",
        /// One or both are true.
        LogicalOr = "logicalOr",
        /// Exactly one is true.
        LogicalXor = "logicalXor",
    }
}

const ANY: &[Slot] = &[Slot::new("a", DataTypes::ANY), Slot::same("b", 0)];
const LOGICAL: &[Slot] = &[Slot::new("a", DataTypes::UINT8), Slot::same("b", 0)];

const OUTPUTS: &[Slot] = &[Slot::new("output", DataTypes::UINT8)];

const fn row(
    name: &'static str,
    slots: &'static [Slot],
    parse: fn(&Args) -> Result<Op>,
) -> Method {
    Method {
        name,
        slots,
        outputs: OUTPUTS,
        fields: &[],
        parse,
    }
}

impl Attributes for Compare {
    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }
}

impl Operator for Compare {
    const METHODS: &'static [Method] = &[
        row("equal", ANY, |_| Ok(Compare::Equal.into())),
        row("notEqual", ANY, |_| Ok(Compare::NotEqual.into())),
        row("greater", ANY, |_| Ok(Compare::Greater.into())),
        row("greaterOrEqual", ANY, |_| Ok(Compare::GreaterOrEqual.into())),
        row("lesser", ANY, |_| Ok(Compare::Lesser.into())),
        row("lesserOrEqual", ANY, |_| Ok(Compare::LesserOrEqual.into())),
        row("logicalAnd", LOGICAL, |_| Ok(Compare::LogicalAnd.into())),
        row("logicalOr", LOGICAL, |_| Ok(Compare::LogicalOr.into())),
        row("logicalXor", LOGICAL, |_| Ok(Compare::LogicalXor.into())),
    ];

    fn method(&self) -> &'static Method {
        &Self::METHODS[*self as usize]
    }

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (a, b) = (inputs.get(0), inputs.get(1));
        Ok(vec![Desc::new(DataType::Uint8, broadcast(&a.shape, &b.shape)?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let shape = outputs[0].shape;
        let a = required(inputs, 0).broadcast(shape);
        let b = required(inputs, 1).broadcast(shape);
        vec![match (&a.data, &b.data) {
            (Data::Float(a), Data::Float(b)) => {
                Tensor::flags(shape, a.iter().zip(b).map(|(a, b)| self.holds(a, b, &0.0)))
            }
            (Data::Int(a), Data::Int(b)) => {
                Tensor::flags(shape, a.iter().zip(b).map(|(a, b)| self.holds(a, b, &0)))
            }
            (Data::Float(_), Data::Int(_)) | (Data::Int(_), Data::Float(_)) => {
                unreachable!("the builder checked that the types are equal")
            }
        }]
    }
}

impl Compare {
    fn holds<T: PartialOrd>(self, a: &T, b: &T, zero: &T) -> bool {
        match self {
            Compare::Equal => a == b,
            Compare::NotEqual => a != b,
            Compare::Greater => a > b,
            Compare::GreaterOrEqual => a >= b,
            Compare::Lesser => a < b,
            Compare::LesserOrEqual => a <= b,
            Compare::LogicalAnd => a != zero && b != zero,
            Compare::LogicalOr => a != zero || b != zero,
            Compare::LogicalXor => (a != zero) != (b != zero),
        }
    }
}
