//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-unary>

use crate::attrs::{Args, Attr, Attributes, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::{Inputs, Method, Op, Operator};
use crate::reference::{Data, Tensor, maximum, minimum, required};
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
        /// 0.5 · x · (1 + erf(x / √2)); its limit 0 at −∞.
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

const LOGICAL: Slot = Slot::new("output", DataTypes::UINT8);

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
        let input = required(inputs, 0);
        vec![match (self, &input.data) {
            (Unary::IsInfinite, Data::Float(data)) => {
                Tensor::flags(outputs[0].shape, data.iter().map(|x| x.is_infinite()))
            }
            (Unary::IsNan, Data::Float(data)) => {
                Tensor::flags(outputs[0].shape, data.iter().map(|x| x.is_nan()))
            }
            _element_wise => input.map(|x| self.float(x), |x| self.int(x)),
        }]
    }
}

/// 1 / (1 + exp(−x)) without overflow.
pub(super) fn sigmoid(x: f64) -> f64 {
    let power = libm::exp(-x.abs());
    if x < 0.0 { power / (1.0 + power) } else { 1.0 / (1.0 + power) }
}

impl Unary {
    fn float(self, x: f64) -> f64 {
        match self {
            Unary::Abs => x.abs(),
            Unary::Ceil => x.ceil(),
            Unary::Cos => libm::cos(x),
            Unary::Erf => libm::erf(x),
            Unary::Exp => libm::exp(x),
            Unary::Floor => x.floor(),
            Unary::Gelu if x == f64::NEG_INFINITY => 0.0,
            // 1 + erf(x / √2), without the cancellation far below 0.
            Unary::Gelu => 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
            Unary::HardSwish => x * maximum(0.0, minimum(6.0, x + 3.0)) / 6.0,
            Unary::Identity => x,
            Unary::Log => libm::log(x),
            Unary::Neg => -x,
            Unary::Reciprocal => 1.0 / x,
            Unary::Relu => if x < 0.0 { 0.0 } else { x },
            Unary::RoundEven => x.round_ties_even(),
            Unary::Sigmoid => sigmoid(x),
            Unary::Sign if x > 0.0 => 1.0,
            Unary::Sign if x < 0.0 => -1.0,
            Unary::Sign => 0.0,
            Unary::Sin => libm::sin(x),
            Unary::Softplus => maximum(x, 0.0) + libm::log1p(libm::exp(-x.abs())),
            Unary::Softsign => x / (1.0 + x.abs()),
            Unary::Sqrt => x.sqrt(),
            Unary::Tan => libm::tan(x),
            Unary::Tanh => libm::tanh(x),
            Unary::IsInfinite | Unary::IsNan | Unary::LogicalNot => {
                unreachable!("the result is no float")
            }
        }
    }

    /// The result but for its high bits, which the data type cuts off.
    fn int(self, x: i128) -> i128 {
        match self {
            Unary::Abs => x.abs(),
            Unary::Identity => x,
            Unary::LogicalNot => i128::from(x == 0),
            Unary::Neg => -x,
            Unary::Relu => x.max(0),
            Unary::Sign => x.signum(),
            Unary::Ceil
            | Unary::Cos
            | Unary::Erf
            | Unary::Exp
            | Unary::Floor
            | Unary::Gelu
            | Unary::HardSwish
            | Unary::IsInfinite
            | Unary::IsNan
            | Unary::Log
            | Unary::Reciprocal
            | Unary::RoundEven
            | Unary::Sigmoid
            | Unary::Sin
            | Unary::Softplus
            | Unary::Softsign
            | Unary::Sqrt
            | Unary::Tan
            | Unary::Tanh => unreachable!("the builder checked that the type is a float"),
        }
    }
}
