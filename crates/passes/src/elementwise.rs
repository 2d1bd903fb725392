//! Which nodes compute every element of their result from elements at the same place.

use webnn_core::{DataType, Graph, Node, Op};

/// Whether an operator is element-wise, operands broadcast to each other.
pub(crate) fn is_elementwise_form(op: &Op) -> bool {
    match op {
        Op::Binary(_)
        | Op::Cast(_)
        | Op::Clamp(_)
        | Op::Compare(_)
        | Op::Elu(_)
        | Op::HardSigmoid(_)
        | Op::LeakyRelu(_)
        | Op::Linear(_)
        | Op::Prelu(_)
        | Op::Unary(_)
        | Op::Where(_) => true,
        Op::ArgMinMax(_)
        | Op::BatchNormalization(_)
        | Op::Concat(_)
        | Op::Conv2d(_)
        | Op::ConvTranspose2d(_)
        | Op::CumulativeSum(_)
        | Op::DequantizeLinear(_)
        | Op::Expand(_)
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
        | Op::QuantizeLinear(_)
        | Op::Reduce(_)
        | Op::Resample2d(_)
        | Op::Reshape(_)
        | Op::Reverse(_)
        | Op::ScatterElements(_)
        | Op::ScatterNd(_)
        | Op::Slice(_)
        | Op::Softmax(_)
        | Op::Split(_)
        | Op::Tile(_)
        | Op::Transpose(_)
        | Op::Triangular(_) => false,
    }
}

/// Whether an operator is a product of matrices at heart.
pub(crate) fn is_matrix(op: &Op) -> bool {
    matches!(op, Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Gemm(_) | Op::Matmul(_))
}

/// Whether a node is element-wise over floats and logical values, operands broadcast.
pub(crate) fn is_elementwise(graph: &Graph, node: &Node) -> bool {
    // Integers are rare and wrap or saturate each in their own way; conditions are common.
    let is_condition = matches!(node.op, Op::Compare(_) | Op::Where(_) | Op::Unary(_));
    let mut values = node.inputs.iter().flatten().chain(&node.outputs);
    is_elementwise_form(&node.op)
        && values.all(|&id| {
            let data_type = graph.desc(id).data_type;
            data_type.is_float() || (is_condition && data_type == DataType::Uint8)
        })
}
