//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary>

use crate::attrs::{Args, Attr, Attributes, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::{Inputs, Method, Op, Operator};
use crate::reference::Tensor;
use crate::types::{DataType, DataTypes, Desc};

attrs! {
    /// An element-wise operator of one operand without attributes.
    pub enum Unary {
        /// The absolute value; of the least integer, itself.
        Abs = "abs",
        /// Rounded up.
        Ceil = "ceil",
        /// The cosine.
        Cos = "cos",
        /// The error function.
        Erf = "erf",
        /// e to the power of x.
        Exp = "exp",
        /// Rounded down.
        Floor = "floor",
        /// 0.5 · x · (1 + erf(x / √2))
        Gelu = "gelu",
        /// x · max(0, min(6, x + 3)) / 6
        HardSwish = "hardSwish",
        /// A copy.
        Identity = "identity",
        /// 1 where x is infinite, as uint8.
        IsInfinite = "isInfinite",
        /// 1 where x is NaN, as uint8.
        IsNan = "isNaN",
        /// The natural logarithm.
        Log = "log",
        /// 1 where x is 0, else 0.
        LogicalNot = "logicalNot",
        /// −x; of the least integer, itself.
        Neg = "neg",
        /// 1 / x
        Reciprocal = "reciprocal",
        /// max(0, x); NaN stays.
        Relu = "relu",
        /// Rounded to the nearest, halves to even.
        RoundEven = "roundEven",
        /// 1 / (1 + exp(−x))
        Sigmoid = "sigmoid",
        /// −1, 0 or 1; 0 for NaN.
        Sign = "sign",
        /// The sine.
        Sin = "sin",
        /// ln(1 + exp(x))
        Softplus = "softplus",
        /// x / (1 + |x|)
        Softsign = "softsign",
        /// The square root.
        Sqrt = "sqrt",
        /// The tangent.
        Tan = "tan",
        /// The hyperbolic tangent.
        Tanh = "tanh",
    }
}

const ANY: DataTypes = DataTypes::ANY;
const FLOATS: DataTypes = DataTypes::FLOATS;
const SIGNED: DataTypes = DataTypes::of(&[
    DataType::Float32,
    DataType::Float16,
    DataType::Int64,
    DataType::Int32,
    DataType::Int8,
]);

macro_rules! row {
    ($variant:ident, $name:literal, $slot:literal, $types:expr) => {
        row!($variant, $name, $slot, $types, Slot::same("output", 0).rank_of(0))
    };
    ($variant:ident, $name:literal, $slot:literal, $types:expr, $output:expr) => {
        Method {
            name: $name,
            slots: &[Slot::new($slot, $types)],
            outputs: &[$output],
            fields: &[],
            parse: |_: &Args| -> Result<Op> { Ok(Unary::$variant.into()) },
        }
    };
}

const LOGICAL: Slot = Slot::new("output", DataTypes::UINT8).rank_of(0);

impl Attributes for Unary {
    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        Vec::new()
    }
}

impl Operator for Unary {
    const METHODS: &'static [Method] = &[
        row!(Abs, "abs", "input", SIGNED),
        row!(Ceil, "ceil", "input", FLOATS),
        row!(Cos, "cos", "input", FLOATS),
        row!(Erf, "erf", "input", FLOATS),
        row!(Exp, "exp", "input", FLOATS),
        row!(Floor, "floor", "input", FLOATS),
        row!(Gelu, "gelu", "input", FLOATS),
        row!(HardSwish, "hardSwish", "input", FLOATS),
        row!(Identity, "identity", "input", ANY),
        row!(IsInfinite, "isInfinite", "a", FLOATS, LOGICAL),
        row!(IsNan, "isNaN", "a", FLOATS, LOGICAL),
        row!(Log, "log", "input", FLOATS),
        row!(LogicalNot, "logicalNot", "a", DataTypes::UINT8, LOGICAL),
        row!(Neg, "neg", "input", SIGNED),
        row!(Reciprocal, "reciprocal", "input", FLOATS),
        row!(Relu, "relu", "input", SIGNED),
        row!(RoundEven, "roundEven", "input", FLOATS),
        row!(Sigmoid, "sigmoid", "input", FLOATS),
        row!(Sign, "sign", "input", SIGNED),
        row!(Sin, "sin", "input", FLOATS),
        row!(Softplus, "softplus", "input", FLOATS),
        row!(Softsign, "softsign", "input", FLOATS),
        row!(Sqrt, "sqrt", "input", FLOATS),
        row!(Tan, "tan", "input", FLOATS),
        row!(Tanh, "tanh", "input", FLOATS),
    ];

    fn method(&self) -> &'static Method {
        &Self::METHODS[*self as usize]
    }

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        Ok(vec![match self {
            Unary::IsInfinite | Unary::IsNan | Unary::LogicalNot => {
                Desc::new(DataType::Uint8, input.shape)
            }
            Unary::Abs
            | Unary::Ceil
            | Unary::Cos
            | Unary::Erf
            | Unary::Exp
            | Unary::Floor
            | Unary::Gelu
            | Unary::HardSwish
            | Unary::Identity
            | Unary::Log
            | Unary::Neg
            | Unary::Reciprocal
            | Unary::Relu
            | Unary::RoundEven
            | Unary::Sigmoid
            | Unary::Sign
            | Unary::Sin
            | Unary::Softplus
            | Unary::Softsign
            | Unary::Sqrt
            | Unary::Tan
            | Unary::Tanh => input,
        }])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        todo!()
    }
}
