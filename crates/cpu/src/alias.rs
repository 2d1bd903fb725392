//! Which operators move no bytes: their results are their operands, or parts of them.

use webnn_core::ops::split::Splits;
use webnn_core::ops::unary::Unary;
use webnn_core::{DataType, Desc, Graph, Node, Op, Shape};

/// What lies in what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Aliased {
    /// Each result is the bytes of the first operand from an offset on.
    Results(Vec<usize>),
    /// Each operand is the bytes of the result from an offset on.
    Operands(Vec<usize>),
    /// The operator must compute.
    Nothing,
}

/// Whether a node's results can be made without moving a byte.
pub(crate) fn aliased(graph: &Graph, node: &Node) -> Aliased {
    let same = || Aliased::Results(vec![0]);
    let input = || graph.desc(node.inputs[0].expect("these operators have a first operand"));
    let when = |holds: bool| if holds { same() } else { Aliased::Nothing };
    match &node.op {
        Op::Reshape(_) | Op::Unary(Unary::Identity) => same(),
        Op::Cast(op) => when(op.data_type == input().data_type),
        Op::Expand(_) => when(graph.desc(node.outputs[0]).elements() == input().elements()),
        Op::Tile(_) => when(graph.desc(node.outputs[0]).elements() == input().elements()),
        Op::Transpose(op) => when(keeps_order(&input().shape, &op.permutation(input().rank()))),
        Op::Slice(op) => {
            let input = input();
            let result = graph.desc(node.outputs[0]).shape;
            let starts = &op.starts;
            // Everything outside the outermost dimension that is cut must be of size 1.
            let first_cut = (0..input.rank()).find(|&axis| result[axis] != input.shape[axis]);
            let Some(axis) = first_cut else { return same() };
            let is_plain = |axis: usize| result[axis] == input.shape[axis];
            let outer_ones = input.shape[..axis].iter().all(|&size| size == 1);
            let run = result[axis] == 1 || op.sizes[axis] == result[axis];
            if !outer_ones || !run || !(axis + 1..input.rank()).all(is_plain) {
                return Aliased::Nothing;
            }
            let offset = starts[axis] as usize * input.shape.strides()[axis];
            Aliased::Results(vec![offset * size_of(&input)])
        }
        Op::Split(op) => {
            let input = input();
            let axis = op.axis as usize;
            let whole = matches!(op.splits, Splits::Count(1));
            if !whole && input.shape[..axis].iter().any(|&size| size != 1) {
                return Aliased::Nothing;
            }
            Aliased::Results(offsets(node.outputs.iter().map(|&id| graph.desc(id))))
        }
        Op::Concat(op) => {
            let result = graph.desc(node.outputs[0]).shape;
            if result[..op.axis as usize].iter().any(|&size| size != 1) {
                return Aliased::Nothing;
            }
            Aliased::Operands(offsets(node.inputs.iter().flatten().map(|&id| graph.desc(id))))
        }
        Op::ArgMinMax(_)
        | Op::BatchNormalization(_)
        | Op::Binary(_)
        | Op::Clamp(_)
        | Op::Compare(_)
        | Op::Conv2d(_)
        | Op::ConvTranspose2d(_)
        | Op::CumulativeSum(_)
        | Op::Elu(_)
        | Op::HardSigmoid(_)
        | Op::LeakyRelu(_)
        | Op::Linear(_)
        | Op::Gather(_)
        | Op::GatherElements(_)
        | Op::GatherNd(_)
        | Op::Gemm(_)
        | Op::Gru(_)
        | Op::GruCell(_)
        | Op::InstanceNormalization(_)
        | Op::LayerNormalization(_)
        | Op::Lstm(_)
        | Op::LstmCell(_)
        | Op::Matmul(_)
        | Op::Pad(_)
        | Op::Pool2d(_)
        | Op::Prelu(_)
        | Op::QuantizeLinear(_)
        | Op::DequantizeLinear(_)
        | Op::Reduce(_)
        | Op::Resample2d(_)
        | Op::Reverse(_)
        | Op::ScatterElements(_)
        | Op::ScatterNd(_)
        | Op::Softmax(_)
        | Op::Triangular(_)
        | Op::Unary(
            Unary::Abs
            | Unary::Ceil
            | Unary::Cos
            | Unary::Erf
            | Unary::Exp
            | Unary::Floor
            | Unary::Gelu
            | Unary::HardSwish
            | Unary::IsInfinite
            | Unary::IsNan
            | Unary::Log
            | Unary::LogicalNot
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
            | Unary::Tanh,
        )
        | Op::Where(_) => Aliased::Nothing,
    }
}

/// Whether a transposition moves only dimensions of size 1.
fn keeps_order(shape: &Shape, permutation: &[u32]) -> bool {
    let long = permutation.iter().filter(|&&axis| shape[axis as usize] != 1);
    long.is_sorted()
}

/// Where each of several tensors begins when they lie one after another.
fn offsets(descs: impl Iterator<Item = Desc>) -> Vec<usize> {
    let mut end = 0;
    descs
        .map(|desc| {
            let start = end;
            end += desc.byte_length() as usize;
            start
        })
        .collect()
}

/// The bytes of an element; 4-bit types are neither sliced nor split.
pub(crate) fn size_of(desc: &Desc) -> usize {
    size_of_type(desc.data_type)
}

/// The bytes of an element of a type of whole bytes.
pub(crate) fn size_of_type(data_type: DataType) -> usize {
    (data_type.bits() as usize).div_ceil(8)
}
