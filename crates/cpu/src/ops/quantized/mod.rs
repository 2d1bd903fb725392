//! Operators between quantizations, computed with integers.

mod bytes;
mod depthwise;
mod mean;
mod product;

use webnn_core::ops::Unary;
use webnn_core::{DataType, Desc, Node, NodeId, Op, ValueId};
use webnn_kernels::bytes::{Operation, Scale, Target};

use crate::kernel::{Built, Cx, floats};
use crate::ops::chain::clamp_bounds;

/// The kernel for a group of which `cx` has the root; `None` where its nodes are computed with
/// floats.
#[inline(never)]
pub(crate) fn lower(cx: &Cx<'_>, nodes: &[NodeId]) -> Option<Built> {
    let made = Made::of(cx, nodes)?;
    match &cx.node.op {
        Op::Conv2d(op) => product::lower_convolution(op, cx, &made),
        Op::Gemm(_) | Op::Matmul(_) => product::lower(cx, &made),
        Op::Binary(op) => {
            let operation = match op {
                webnn_core::ops::Binary::Add => Operation::Add,
                webnn_core::ops::Binary::Sub => Operation::Sub,
                webnn_core::ops::Binary::Mul => Operation::Mul,
                _other => return None,
            };
            bytes::lower_binary(operation, cx, &made)
        }
        Op::Concat(op) => bytes::lower_concat(op, cx, &made),
        Op::Pool2d(op) => mean::lower_pool(op, cx, &made),
        Op::Reduce(op) => mean::lower_reduce(op, cx, &made),
        Op::ConvTranspose2d(_) => None,
        _one_operand => bytes::lower_unary(cx, &made),
    }
}

/// What the group makes.
struct Made {
    value: ValueId,
    to: Target,
}

impl Made {
    fn of(cx: &Cx<'_>, nodes: &[NodeId]) -> Option<Made> {
        let quantize = *nodes.last()?;
        let value = cx.graph.node(quantize).outputs[0];
        let desc = cx.graph.desc(value);
        let scale = Parameters::of(cx, cx.graph.node(quantize))?.single(&desc)?;
        let mut clamp = scale.range();
        // What lies between the root and the quantization only bounds.
        for &id in nodes.iter().filter(|&&id| id > cx.node_id && id != quantize) {
            let bounds = match &cx.graph.node(id).op {
                Op::Unary(Unary::Relu) => [0.0, f32::INFINITY],
                Op::Clamp(op) => clamp_bounds(op, DataType::Float32),
                _no_bounds => return None,
            };
            clamp = clamp.map(|limit| {
                let [low, high] = bounds.map(|bound| byte(bound, scale));
                limit.max(low).min(high)
            });
        }
        Some(Made { value, to: Target { scale, clamp } })
    }
}

/// What a number is quantized to, beyond the range of bytes, too.
fn byte(x: f32, scale: Scale) -> i32 {
    ((x / scale.scale).round_ties_even() as i32).saturating_add(scale.zero_point)
}

/// A dequantized operand: where its bytes lie, and what they stand for.
struct Source {
    value: ValueId,
    scale: Scale,
}

impl Source {
    /// The operand of the root in a slot, if its bytes have one scale.
    fn of(cx: &Cx<'_>, slot: usize) -> Option<Source> {
        let node = dequantized(cx, cx.opt(slot)?)?;
        let value = node.inputs[0]?;
        let scale = Parameters::of(cx, node)?.single(&cx.graph.desc(value))?;
        Some(Source { value, scale })
    }
}

/// The node that makes floats of integers.
fn dequantized<'a>(cx: &Cx<'a>, value: ValueId) -> Option<&'a Node> {
    let node = cx.graph.node(cx.graph.producer(value)?);
    matches!(node.op, Op::DequantizeLinear(_)).then_some(node)
}

/// Scales and zero points of a tensor: one, or one for each place along an axis.
struct Parameters {
    scales: Vec<f32>,
    zeros: Vec<i32>,
    /// The dimension that they lie along, where there are several.
    axis: Option<usize>,
}

impl Parameters {
    /// Those of a quantization or dequantization.
    fn of(cx: &Cx<'_>, node: &Node) -> Option<Parameters> {
        let [scale, zero] = [node.inputs[1]?, node.inputs[2]?];
        let desc = cx.graph.desc(scale);
        let scales = floats(cx.graph.constant(scale)?, desc.data_type)?;
        let zeros = integers(cx, zero)?;
        let mut long = (0..desc.rank()).filter(|&axis| desc.shape[axis] > 1);
        let axis = long.next();
        (long.next().is_none()).then_some(Parameters { scales, zeros, axis })
    }

    /// The one scale of a tensor of bytes.
    fn single(&self, desc: &Desc) -> Option<Scale> {
        let is_signed = match desc.data_type {
            DataType::Int8 => true,
            DataType::Uint8 => false,
            _wider_or_narrower => return None,
        };
        let (scale, zero_point) = (self.scales[0], self.zeros[0]);
        self.axis.is_none().then_some(Scale { scale, zero_point, is_signed })
    }

    /// The scale at a place along the axis.
    fn scale(&self, at: usize) -> f32 {
        self.scales[if self.axis.is_some() { at } else { 0 }]
    }
}

/// The bytes of a constant as numbers.
fn integers(cx: &Cx<'_>, value: ValueId) -> Option<Vec<i32>> {
    let bytes = cx.graph.constant(value)?;
    match cx.graph.desc(value).data_type {
        DataType::Uint8 => Some(bytes.iter().map(|&x| i32::from(x)).collect()),
        DataType::Int8 => Some(bytes.iter().map(|&x| i32::from(x as i8)).collect()),
        _wider_or_narrower => None,
    }
}
