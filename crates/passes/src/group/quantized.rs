//! Operators between a dequantization and a quantization, and weights that stay packed.

use webnn_core::ops::pool2d::PoolKind;
use webnn_core::ops::reduce::ReduceKind;
use webnn_core::ops::{Binary, Unary};
use webnn_core::{DataType, Graph, Node, NodeId, Op, ValueId};

use super::{Grouping, Pattern};

/// The nodes of a quantized operator, in the graph's order but for the dequantizations.
pub(crate) struct Match {
    /// The conversions of the root's operands; others may take their results, too.
    pub(crate) dequantize: Vec<NodeId>,
    /// What is computed.
    pub(crate) root: NodeId,
    /// An activation, perhaps, and the conversion of the result.
    pub(crate) rest: Vec<NodeId>,
}

/// Every quantized operator of the graph, whoever else takes the dequantized operands.
pub(crate) fn matches(graph: &Graph) -> Vec<Match> {
    let grouping = Grouping::new(graph);
    grouping.ids().filter_map(|id| grouping.quantized_match(id)).collect()
}

impl Grouping<'_> {
    /// The quantized operator whose result a node quantizes.
    fn quantized_match(&self, quantize: NodeId) -> Option<Match> {
        let node = self.node(quantize);
        if !matches!(node.op, Op::QuantizeLinear(_)) || !self.has_constant_parameters(node) {
            return None;
        }
        let mut rest = vec![quantize];
        let mut root = self.only_maker(node.inputs[0]?)?;
        if is_activation(&self.node(root).op) && !self.is_dequantized(self.node(root).inputs[0]?) {
            rest.push(root);
            root = self.only_maker(self.node(root).inputs[0]?)?;
        }
        let node = self.node(root);
        let count = operands(&node.op)?;
        let taken = &node.inputs[..count.min(node.inputs.len())];
        let mut dequantize = Vec::with_capacity(taken.len());
        for &input in taken {
            let input = input?;
            if !self.is_dequantized(input) {
                return None;
            }
            let maker = self.graph.producer(input)?;
            if !dequantize.contains(&maker) {
                dequantize.push(maker);
            }
        }
        // A bias is a constant that the sums begin with.
        let others = node.inputs[taken.len()..].iter().flatten();
        let are_constant = others.into_iter().all(|&id| self.graph.constant(id).is_some());
        rest.reverse();
        are_constant.then_some(Match { dequantize, root, rest })
    }

    /// The maker of a value that no one else takes.
    pub(super) fn only_maker(&self, value: ValueId) -> Option<NodeId> {
        self.free_maker(value).filter(|_| self.uses[value.index()] == 1)
    }

    /// Whether a value of 8 bits or less was just made a float.
    fn is_dequantized(&self, value: ValueId) -> bool {
        self.graph.producer(value).is_some_and(|id| {
            let node = self.node(id);
            let is_narrow = |id: ValueId| self.graph.desc(id).data_type.bits() <= 8;
            matches!(node.op, Op::DequantizeLinear(_))
                && node.inputs[0].is_some_and(is_narrow)
                && self.graph.desc(value).data_type == DataType::Float32
                && self.has_constant_parameters(node)
        })
    }

    fn has_constant_parameters(&self, node: &Node) -> bool {
        node.inputs[1..].iter().flatten().all(|&id| self.graph.constant(id).is_some())
    }

    /// Quantized operators whose dequantized operands no one else takes.
    pub(super) fn quantized(&mut self) {
        for id in self.ids() {
            let Some(found) = self.quantized_match(id) else { continue };
            let root = found.root;
            let is_private = found.dequantize.iter().all(|&id| {
                let value = self.node(id).outputs[0];
                let inside = self.node(root).inputs.iter().flatten().filter(|&&i| i == value);
                !self.is_taken[id.index()] && self.uses[value.index()] as usize == inside.count()
            });
            if is_private {
                let mut nodes = found.dequantize;
                nodes.push(root);
                nodes.extend(found.rest);
                self.take(Pattern::Quantized { root }, nodes);
            }
        }
    }

    /// Products with constant weights of 8 or 4 bits.
    pub(super) fn weight_only(&mut self) {
        for root in self.ids() {
            let node = self.node(root);
            let is_root = matches!(node.op, Op::Gemm(_) | Op::Matmul(_));
            if !is_root || self.is_taken[root.index()] {
                continue;
            }
            let Some(mut nodes) = self.packed_weights(node) else { continue };
            nodes.push(root);
            let nodes = self.epilogue(nodes, root);
            self.take(Pattern::WeightOnly { root }, nodes);
        }
    }

    /// The nodes that make the second factor of constants for this product alone: a
    /// dequantization, perhaps a transpose of the last two dimensions.
    fn packed_weights(&self, product: &Node) -> Option<Vec<NodeId>> {
        let mut nodes = Vec::with_capacity(2);
        let mut maker = self.only_maker(product.inputs[1]?)?;
        if let Op::Transpose(op) = &self.node(maker).op {
            let rank = self.graph.desc(product.inputs[1]?).rank() as u32;
            let mut swapped: Vec<u32> = (0..rank).collect();
            swapped.swap(rank as usize - 2, rank as usize - 1);
            if op.permutation(rank as usize) != swapped {
                return None;
            }
            nodes.push(maker);
            maker = self.only_maker(self.node(maker).inputs[0]?)?;
        }
        let node = self.node(maker);
        let weights = node.inputs[0]?;
        let is_packed = matches!(node.op, Op::DequantizeLinear(_))
            && self.graph.constant(weights).is_some()
            && self.graph.desc(weights).data_type.bits() <= 8
            && self.has_constant_parameters(node);
        nodes.push(maker);
        nodes.reverse();
        is_packed.then_some(nodes)
    }
}

/// How many operands of an operator are dequantized, where it can be computed with integers.
fn operands(op: &Op) -> Option<usize> {
    match op {
        Op::Conv2d(_) | Op::ConvTranspose2d(_) | Op::Gemm(_) | Op::Matmul(_) => Some(2),
        Op::Binary(Binary::Add | Binary::Sub | Binary::Mul) => Some(2),
        Op::Binary(Binary::Div | Binary::Max | Binary::Min | Binary::Pow) => None,
        Op::Pool2d(op) => (op.kind == PoolKind::Average).then_some(1),
        Op::Reduce(op) => (op.kind == ReduceKind::Mean).then_some(1),
        Op::Concat(_) => Some(usize::MAX),
        // A table of 256 results.
        Op::Unary(_)
        | Op::Clamp(_)
        | Op::Elu(_)
        | Op::HardSigmoid(_)
        | Op::LeakyRelu(_)
        | Op::Linear(_) => Some(1),
        Op::ArgMinMax(_)
        | Op::BatchNormalization(_)
        | Op::Cast(_)
        | Op::Compare(_)
        | Op::CumulativeSum(_)
        | Op::DequantizeLinear(_)
        | Op::Expand(_)
        | Op::Gather(_)
        | Op::GatherElements(_)
        | Op::GatherNd(_)
        | Op::Gru(_)
        | Op::GruCell(_)
        | Op::InstanceNormalization(_)
        | Op::LayerNormalization(_)
        | Op::Lstm(_)
        | Op::LstmCell(_)
        | Op::Pad(_)
        | Op::Prelu(_)
        | Op::QuantizeLinear(_)
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
        | Op::Triangular(_)
        | Op::Where(_) => None,
    }
}

/// Whether an operator only bounds what it is given.
fn is_activation(op: &Op) -> bool {
    matches!(op, Op::Clamp(_) | Op::Unary(Unary::Relu))
}
