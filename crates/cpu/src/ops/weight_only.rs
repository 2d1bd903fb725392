//! Products with constant weights of 8 or 4 bits, which stay so in memory.

use webnn_core::{DataType, Node, NodeId, Op};
use webnn_kernels::gemm::{Bits, PackedQuantized, Quantized, Tile};

use crate::kernel::{Built, Cx, floats, sizes};
use crate::ops::matmul::{lower_gemm_product, lower_product};
use crate::ops::matrix::Right;

/// The kernel for a product whose second operand is dequantised, perhaps transposed, and the
/// element-wise nodes after it; `None` where scales do not lie as the kernel wants them.
#[inline(never)]
pub(crate) fn lower(cx: &Cx<'_>, after: &[NodeId]) -> Option<Built> {
    let mut maker = producer(cx, cx.node.inputs[1]?)?;
    let is_transposed = matches!(maker.op, Op::Transpose(_));
    if is_transposed {
        maker = producer(cx, maker.inputs[0]?)?;
    }
    if !matches!(maker.op, Op::DequantizeLinear(_)) {
        return None;
    }
    match &cx.node.op {
        Op::Matmul(_) => {
            let right = pack(cx, maker, is_transposed)?;
            lower_product(cx, Some(right), after)
        }
        Op::Gemm(op) if op.alpha == 1.0 => {
            let right = pack(cx, maker, is_transposed != op.b_transpose)?;
            lower_gemm_product(op, cx, Some(right), after)
        }
        _scaled_or_no_product => None,
    }
}

fn producer<'a>(cx: &Cx<'a>, value: webnn_core::ValueId) -> Option<&'a Node> {
    cx.graph.producer(value).map(|id| cx.graph.node(id))
}

/// Packs the weights of a dequantization: a scale per block of rows and column.
fn pack(cx: &Cx<'_>, node: &Node, is_transposed: bool) -> Option<Right> {
    let [weights, scale, zero_point] = [node.inputs[0]?, node.inputs[1]?, node.inputs[2]?];
    let desc = cx.graph.desc(weights);
    let bits = match desc.data_type {
        DataType::Int8 => Bits::Int8,
        DataType::Uint8 => Bits::Uint8,
        DataType::Int4 => Bits::Int4,
        DataType::Uint4 => Bits::Uint4,
        DataType::Float32
        | DataType::Float16
        | DataType::Int32
        | DataType::Uint32
        | DataType::Int64
        | DataType::Uint64 => return None,
    };
    let (shape, scales) = (sizes(&desc), sizes(&cx.graph.desc(scale)));
    let rank = shape.len();
    if rank < 2 || shape[..rank - 2].iter().any(|&size| size != 1) {
        return None;
    }
    // Sizes of the weights and of their scales, rows and columns of the product's operand first.
    let turn = |[rows, columns]: [usize; 2]| {
        if is_transposed { [columns, rows] } else { [rows, columns] }
    };
    let [k, n] = turn([shape[rank - 2], shape[rank - 1]]);
    let [blocks, per_column] = turn([scales[rank - 2], scales[rank - 1]]);
    if per_column != n && per_column != 1 {
        return None;
    }
    let strides = turn([shape[rank - 1], 1]);
    let [down, across] = turn([scales[rank - 1], 1]);
    let at = |block: usize, column: usize| {
        block * down + if per_column == 1 { 0 } else { column * across }
    };
    let order = || (0..blocks).flat_map(|block| (0..n).map(move |column| at(block, column)));
    let given = floats(cx.graph.constant(scale)?, cx.graph.desc(scale).data_type)?;
    let zeros = cx.graph.constant(zero_point)?;
    let zero = |i: usize| match bits {
        Bits::Int8 => i32::from(zeros[i] as i8),
        Bits::Uint8 => i32::from(zeros[i]),
        Bits::Uint4 => i32::from(zeros[i / 2] >> (4 * (i % 2)) & 15),
        Bits::Int4 => i32::from(((zeros[i / 2] >> (4 * (i % 2)) << 4) as i8) >> 4),
    };
    let quantized = Quantized {
        data: cx.graph.constant(weights)?,
        bits,
        shape: [k, n],
        strides,
        block: k / blocks,
        scales: &order().map(|i| given[i]).collect::<Vec<f32>>(),
        zero_points: &order().map(zero).collect::<Vec<i32>>(),
    };
    Some(Right::Quantized(Box::new(PackedQuantized::new(Tile::of(cx.isa), &quantized)), k * n))
}
