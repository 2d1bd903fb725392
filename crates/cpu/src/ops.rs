//! From operators to kernels: one exhaustive match.

use webnn_core::{NodeId, Op, Result};

use crate::kernel::{Built, Cx};

mod arg;
pub(crate) mod attention;
pub(crate) mod chain;
pub(crate) mod concat;
mod conv2d;
mod conv_transpose2d;
pub(crate) mod copy;
mod cumulative_sum;
mod element;
mod epilogue;
mod gather;
mod gru;
mod integer;
mod lstm;
mod matmul;
mod matrix;
mod normalization;
mod pad;
mod pool2d;
mod quantize;
pub(crate) mod quantized;
mod recurrent;
mod reduce;
mod resample2d;
mod scatter;
mod softmax;
pub(crate) mod strips;
mod triangular;
mod view;
mod weight_only;
mod winograd;

/// The kernel for one node.
///
/// Like the lowerings of its kinds a function of its own: inlined into one another they make one of
/// 80 kB, and browsers compile a function when it is called, and again when it is called often, as a
/// whole.
#[inline(never)]
pub(crate) fn lower(cx: &Cx<'_>) -> Result<Built> {
    let chain = || chain::lower(cx.graph, &[cx.node_id], cx.isa);
    if let Some(built) = chain() {
        return Ok(built);
    }
    if let Some(built) = lower_matrix(cx, &[]) {
        return Ok(built);
    }
    Ok(match &cx.node.op {
        Op::Unary(op) => integer::unary(*op, cx),
        Op::Clamp(op) => integer::clamp(op, cx),
        Op::Binary(op) => integer::binary(*op, cx),
        Op::Prelu(_) => integer::prelu(cx),
        Op::Compare(op) => integer::compare(*op, cx),
        Op::Where(_) => integer::select(cx),
        Op::Cast(op) => integer::lower_cast(op, cx),
        Op::ArgMinMax(op) => arg::lower(op, cx)?,
        Op::CumulativeSum(op) => cumulative_sum::lower(op, cx)?,
        Op::Gather(op) => gather::lower(op, cx)?,
        Op::GatherElements(op) => gather::lower_elements(op, cx)?,
        Op::GatherNd(_) => gather::lower_nd(cx)?,
        Op::QuantizeLinear(_) => quantize::lower(cx)?,
        Op::DequantizeLinear(_) => quantize::lower_back(cx)?,
        Op::ScatterElements(op) => scatter::lower_elements(op, cx)?,
        Op::ScatterNd(_) => scatter::lower_nd(cx)?,
        Op::Triangular(op) => triangular::lower(op, cx)?,
        Op::Lstm(op) => lstm::lower(op, cx)?,
        Op::LstmCell(op) => lstm::lower_cell(op, cx)?,
        Op::Gru(op) => gru::lower(op, cx)?,
        Op::GruCell(op) => gru::lower_cell(op, cx)?,
        Op::BatchNormalization(op) => {
            normalization::lower_batch(op, cx).expect("five operands fit into a chain")
        }
        Op::InstanceNormalization(op) => normalization::lower_instance(op, cx),
        Op::LayerNormalization(op) => normalization::lower_layer(op, cx),
        Op::Pad(op) => pad::lower(op, cx),
        Op::Pool2d(op) => pool2d::lower(op, cx),
        Op::Reduce(op) => reduce::lower(op, cx),
        Op::Resample2d(op) => resample2d::lower(op, cx),
        Op::Softmax(op) => softmax::lower(op, cx),
        Op::Expand(_)
        | Op::Reverse(_)
        | Op::Slice(_)
        | Op::Split(_)
        | Op::Tile(_)
        | Op::Transpose(_) => view::lower(cx),
        Op::Concat(_) | Op::Elu(_) | Op::HardSigmoid(_) | Op::LeakyRelu(_) | Op::Linear(_) => {
            unreachable!("these are lowered before, or are chains of floats")
        }
        Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Gemm(_) | Op::Matmul(_) => {
            unreachable!("every product has a kernel when nothing follows it")
        }
        Op::Reshape(_) => unreachable!("a reshaped value is its operand"),
    })
}

/// The kernel for a matrix operator and the element-wise nodes after it; `None` where it has none
/// that takes them all.
#[inline(never)]
pub(crate) fn lower_matrix(cx: &Cx<'_>, after: &[NodeId]) -> Option<Built> {
    match &cx.node.op {
        Op::Matmul(op) => matmul::lower(op, cx, after),
        Op::Gemm(op) => matmul::lower_gemm(op, cx, after),
        Op::Conv2d(op) => conv2d::lower(op, cx, after),
        Op::ConvTranspose2d(op) => conv_transpose2d::lower(op, cx, after),
        _others_are_no_products => None,
    }
}

/// The kernel for a product with weights of few bits and the element-wise nodes after it; `cx` is
/// the product's.
#[inline(never)]
pub(crate) fn lower_weight_only(cx: &Cx<'_>, nodes: &[NodeId]) -> Option<Built> {
    let after: Vec<NodeId> = nodes.iter().copied().filter(|&id| id > cx.node_id).collect();
    weight_only::lower(cx, &after)
}
