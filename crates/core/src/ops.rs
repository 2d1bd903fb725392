//! The only list of operators.

use crate::attrs::{Args, Attr, Attributes, Field};
use crate::error::Result;
use crate::limits::Slot;
use crate::reference::Tensor;
use crate::types::{DataType, DataTypes, Desc};

pub mod shapes;

/// The most inputs of a concat and outputs of a split.
pub const MAX_TENSORS: usize = 8192;

/// The data types of indices.
pub const INDICES: DataTypes = DataTypes::of(&[DataType::Int32, DataType::Uint32, DataType::Int64]);

/// A method of `MLGraphBuilder` that makes an operator.
#[derive(Debug)]
pub struct Method {
    /// The specification's name.
    pub name: &'static str,
    /// The operands, parameters before options.
    pub slots: &'static [Slot],
    /// The results.
    pub outputs: &'static [Slot],
    /// The attributes, parameters before options.
    pub fields: &'static [Field],
    /// Makes the operator from a call's attributes.
    pub parse: fn(&Args) -> Result<Op>,
}

/// The operands' descriptors by slot, once the slots have been checked.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a>(pub &'a [Option<Desc>]);

impl Inputs<'_> {
    /// The operand in a required slot.
    pub fn get(&self, slot: usize) -> Desc {
        self.opt(slot).expect("the builder checked that required operands are there")
    }

    /// The operand in a slot that may be empty.
    pub fn opt(&self, slot: usize) -> Option<Desc> {
        self.0.get(slot).copied().flatten()
    }

    /// All operands of a repeated slot.
    pub fn all(&self) -> impl Iterator<Item = Desc> {
        self.0.iter().flatten().copied()
    }
}

/// An operator: attributes, rules, shape, and a plain definition of the result.
pub trait Operator: Attributes + Sized + Into<Op> {
    /// The methods that make it, one per member of a family.
    const METHODS: &'static [Method];

    /// The method that makes this very operator.
    fn method(&self) -> &'static Method {
        &Self::METHODS[0]
    }

    /// Checks the operands as the specification says and gives the results' descriptors.
    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>>;

    /// The results by plain loops; `outputs` is what [`Operator::infer`] said.
    ///
    /// Options have been rounded to the first operand's data type, and results need not be
    /// rounded to theirs: [`Op::reference`] does both.
    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor>;
}

/// Declares the operators' modules, the enumeration of them, and its forwarding matches.
macro_rules! ops {
    ($($module:ident { $($op:ident),+ $(,)? })+) => {
        $(pub mod $module;)+

        /// Any operator.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Op {
            $($(
                #[doc = concat!("See [`", stringify!($module), "::", stringify!($op), "`].")]
                $op($module::$op),
            )+)+
        }

        $($(
            impl From<$module::$op> for Op {
                fn from(op: $module::$op) -> Op {
                    Op::$op(op)
                }
            }
        )+)+

        $($(
            pub use $module::$op;
        )+)+

        impl Op {
            /// The method that makes this operator.
            pub fn method(&self) -> &'static Method {
                match self { $($(Op::$op(op) => op.method(),)+)+ }
            }

            /// The attributes that differ from their default, by their name in Rust.
            pub fn attributes(&self) -> Vec<(&'static str, Attr)> {
                match self { $($(Op::$op(op) => op.attributes(),)+)+ }
            }

            /// Checks the operands and gives the results' descriptors.
            pub fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
                match self { $($(Op::$op(op) => op.infer(inputs),)+)+ }
            }

            /// The operator with its options as the first operand's data type holds them.
            ///
            /// The specification casts doubles to that type when the method is called. A graph
            /// keeps what the caller said; what computes casts.
            #[must_use]
            pub fn with_options_as(&self, data_type: DataType) -> Op {
                let mut op = self.clone();
                match &mut op { $($(Op::$op(op) => op.round_doubles(data_type),)+)+ }
                op
            }

            /// The results by plain loops, rounded once to their data type.
            pub fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
                let op = match inputs.first().copied().flatten() {
                    Some(first) => self.with_options_as(first.desc.data_type),
                    None => self.clone(),
                };
                let results = match &op {
                    $($(Op::$op(op) => op.reference(inputs, outputs),)+)+
                };
                results.into_iter().map(Tensor::rounded).collect()
            }
        }

        /// Every method that makes an operator.
        pub fn methods() -> impl Iterator<Item = &'static Method> {
            [$($($module::$op::METHODS,)+)+].into_iter().flatten()
        }
    };
}

ops! {
    arg { ArgMinMax }
    batch_normalization { BatchNormalization }
    binary { Binary }
    cast { Cast }
    clamp { Clamp }
    compare { Compare }
    concat { Concat }
    conv2d { Conv2d }
    conv_transpose2d { ConvTranspose2d }
    cumulative_sum { CumulativeSum }
    activation { Elu, HardSigmoid, LeakyRelu, Linear }
    expand { Expand }
    gather { Gather }
    gather_elements { GatherElements }
    gather_nd { GatherNd }
    gemm { Gemm }
    gru { Gru, GruCell }
    instance_normalization { InstanceNormalization }
    layer_normalization { LayerNormalization }
    lstm { Lstm, LstmCell }
    matmul { Matmul }
    pad { Pad }
    pool2d { Pool2d }
    prelu { Prelu }
    quantize { QuantizeLinear, DequantizeLinear }
    reduce { Reduce }
    resample2d { Resample2d }
    reshape { Reshape }
    reverse { Reverse }
    scatter_elements { ScatterElements }
    scatter_nd { ScatterNd }
    slice { Slice }
    softmax { Softmax }
    split { Split }
    tile { Tile }
    transpose { Transpose }
    triangular { Triangular }
    unary { Unary }
    select { Where }
}

impl Op {
    /// Makes an operator from a method's name and a call's attributes, all of them known.
    pub fn parse(name: &str, args: &Args) -> Result<Op> {
        (method(name)?.parse)(args)
    }
}

/// The method of the given name.
pub fn method(name: &str) -> Result<&'static Method> {
    match methods().find(|method| method.name == name) {
        Some(method) => Ok(method),
        None => crate::error::bail!("there is no method {name:?}"),
    }
}
