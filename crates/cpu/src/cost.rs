//! How much a node computes, about: for profiles, and for people.

use webnn_core::{Graph, Node, Op};

/// Whether an operator picks elements out of its operand: what it leaves is not read.
pub(crate) fn reads_a_part(op: &Op) -> bool {
    matches!(
        op,
        Op::Gather(_) | Op::GatherElements(_) | Op::GatherNd(_) | Op::Slice(_) | Op::Split(_)
    )
}

/// Multiplications and additions of a node; what only moves bytes counts none.
pub(crate) fn flops(graph: &Graph, node: &Node) -> u64 {
    let elements = |id: &webnn_core::ValueId| graph.desc(*id).shape.elements();
    let results: u64 = node.outputs.iter().map(elements).sum();
    let input = |slot: usize| node.inputs.get(slot).copied().flatten();
    let operand = |slot: usize| input(slot).map(|id| graph.desc(id).shape);
    match &node.op {
        Op::Conv2d(op) => operand(1).map_or(0, |filter| {
            let (outputs, ..) = op.filter_layout.axes();
            2 * results * (filter.elements() / u64::from(filter[outputs]))
        }),
        Op::ConvTranspose2d(op) => {
            let (inputs, ..) = op.filter_layout.axes();
            let taps = operand(1).map_or(0, |filter| filter.elements() / u64::from(filter[inputs]));
            2 * taps * operand(0).map_or(0, |shape| shape.elements())
        }
        Op::Matmul(_) => operand(0).map_or(0, |a| 2 * results * u64::from(a[a.rank() - 1])),
        Op::Gemm(op) => {
            operand(0).map_or(0, |a| 2 * results * u64::from(a[usize::from(!op.a_transpose)]))
        }
        Op::Lstm(_) | Op::Gru(_) | Op::LstmCell(_) | Op::GruCell(_) => {
            let weights: u64 = [1, 2].into_iter().filter_map(operand).map(|w| w.elements()).sum();
            let rows =
                operand(0).map_or(0, |x| x[..x.rank() - 1].iter().map(|&n| u64::from(n)).product());
            2 * weights * rows
        }
        Op::Pool2d(op) => operand(0).map_or(0, |shape| {
            let (_, h, w) = op.options.layout.axes();
            let window = op.options.window_dimensions.unwrap_or([shape[h], shape[w]]);
            results * u64::from(window[0]) * u64::from(window[1])
        }),
        Op::ArgMinMax(_)
        | Op::BatchNormalization(_)
        | Op::CumulativeSum(_)
        | Op::InstanceNormalization(_)
        | Op::LayerNormalization(_)
        | Op::Reduce(_)
        | Op::Softmax(_) => operand(0).map_or(0, |shape| shape.elements()),
        Op::Binary(_)
        | Op::Cast(_)
        | Op::Clamp(_)
        | Op::Compare(_)
        | Op::DequantizeLinear(_)
        | Op::Elu(_)
        | Op::HardSigmoid(_)
        | Op::LeakyRelu(_)
        | Op::Linear(_)
        | Op::Prelu(_)
        | Op::QuantizeLinear(_)
        | Op::Resample2d(_)
        | Op::Unary(_)
        | Op::Where(_) => results,
        Op::Concat(_)
        | Op::Expand(_)
        | Op::Gather(_)
        | Op::GatherElements(_)
        | Op::GatherNd(_)
        | Op::Pad(_)
        | Op::Reshape(_)
        | Op::Reverse(_)
        | Op::ScatterElements(_)
        | Op::ScatterNd(_)
        | Op::Slice(_)
        | Op::Split(_)
        | Op::Tile(_)
        | Op::Transpose(_)
        | Op::Triangular(_) => 0,
    }
}
