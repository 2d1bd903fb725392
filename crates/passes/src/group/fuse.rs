//! Element-wise nodes around matrix operators, around normalisations, and among themselves.

use webnn_core::{DataType, Graph, Node, NodeId, Op, ValueId};

use super::region::{MOST_INPUTS, MOST_NODES, Region};
use super::{Grouping, Pattern};
use crate::elementwise::{is_elementwise, is_matrix};

impl Grouping<'_> {
    /// Matrix operators with what follows them.
    pub(super) fn matrix(&mut self) {
        for root in self.ids() {
            let node = self.node(root);
            if !is_matrix(&node.op) || self.is_taken[root.index()] {
                continue;
            }
            let mut nodes = Vec::from_iter(self.half_weights(node));
            nodes.push(root);
            let nodes = self.epilogue(nodes, root);
            if nodes.len() > 1 {
                self.take(Pattern::Matrix { root }, nodes);
            }
        }
    }

    /// The cast that makes constant weights of half precision single for this product alone.
    fn half_weights(&self, product: &Node) -> Option<NodeId> {
        let weights = product.inputs[1]?;
        let cast = self.only_maker(weights)?;
        let node = self.node(cast);
        let half = node.inputs[0]?;
        let is_cast = matches!(node.op, Op::Cast(_))
            && self.graph.desc(half).data_type == DataType::Float16
            && self.graph.desc(weights).data_type == DataType::Float32
            && self.graph.constant(half).is_some();
        is_cast.then_some(cast)
    }

    /// The nodes, the last of which is the root, with element-wise ones of the root's type and
    /// shape that can be computed on its result while it is at hand.
    pub(super) fn epilogue(&self, nodes: Vec<NodeId>, root: NodeId) -> Vec<NodeId> {
        let result = self.graph.desc(self.node(root).outputs[0]);
        let mut region = Region::new();
        nodes.iter().for_each(|&id| region.add(self, id));
        let grown = region.grow(self, |id| {
            let node = self.node(id);
            is_elementwise(self.graph, node) && self.graph.desc(node.outputs[0]) == result
        });
        grown.unwrap_or(nodes)
    }

    /// Normalisations, softmax and reductions over the innermost dimensions, with element-wise
    /// nodes before and after them.
    pub(super) fn normalize(&mut self) {
        for root in self.ids() {
            if self.is_taken[root.index()] || !works_on_rows(self.graph, self.node(root)) {
                continue;
            }
            let input = self.node(root).inputs[0].expect("the first slot is required");
            let (whole, reduced) =
                (self.graph.desc(input), self.graph.desc(self.node(root).outputs[0]));
            let with_shape = |id: NodeId| {
                let node = self.node(id);
                let desc = self.graph.desc(node.outputs[0]);
                is_elementwise(self.graph, node) && (desc == whole || desc == reduced)
            };
            // What comes before may be taken again after the root, as the operand of a root mean
            // square is: so it goes in first if the region closes, else not.
            let before = self.before(root, |id| {
                with_shape(id) && self.graph.desc(self.node(id).outputs[0]) == whole
            });
            let grown = (0..=before.len()).rev().find_map(|count| {
                let mut region = Region::new();
                before[..count].iter().rev().for_each(|&id| region.add(self, id));
                region.add(self, root);
                region.grow(self, with_shape).filter(|nodes| nodes.contains(&root))
            });
            if let Some(nodes) = grown.filter(|nodes| nodes.len() > 1) {
                self.take(Pattern::Normalize { root }, nodes);
            }
        }
    }

    /// The chain of nodes that leads to a node's first operand, nearest first.
    fn before(&self, root: NodeId, is_welcome: impl Fn(NodeId) -> bool) -> Vec<NodeId> {
        let mut chain: Vec<NodeId> = Vec::new();
        let mut node = root;
        while chain.len() < MOST_NODES / 4 {
            let inputs = self.node(node).inputs.iter().flatten();
            let makers = inputs.filter_map(|&input| self.free_maker(input));
            let Some(maker) = makers.filter(|&id| is_welcome(id)).max() else { break };
            if chain.contains(&maker) {
                break;
            }
            chain.push(maker);
            node = maker;
        }
        chain
    }

    /// What element-wise nodes are left, as large as they can be joined.
    pub(super) fn pointwise(&mut self) {
        for first in self.ids() {
            let node = self.node(first);
            if self.is_taken[first.index()] || !is_elementwise(self.graph, node) {
                continue;
            }
            let shape = self.graph.desc(node.outputs[0]).shape;
            let is_welcome = |id: NodeId| {
                let node = self.node(id);
                !self.is_taken[id.index()]
                    && is_elementwise(self.graph, node)
                    && self.graph.desc(node.outputs[0]).shape == shape
            };
            let mut region = Region::new();
            region.add(self, first);
            let Some(mut nodes) = region.grow(self, is_welcome) else { continue };
            self.absorb(&mut nodes, is_welcome);
            if nodes.len() > 1 {
                self.take(Pattern::Pointwise, nodes);
            }
        }
    }

    /// Takes in nodes that are computed for the given ones alone.
    fn absorb(&self, nodes: &mut Vec<NodeId>, is_welcome: impl Fn(NodeId) -> bool) {
        let mut at = 0;
        while at < nodes.len() {
            let inputs: Vec<ValueId> =
                self.node(nodes[at]).inputs.iter().flatten().copied().collect();
            for input in inputs {
                let Some(maker) = self.free_maker(input) else { continue };
                let consumers = &self.consumers[input.index()];
                let is_inside = consumers.len() == self.uses[input.index()] as usize
                    && consumers.iter().all(|id| nodes.contains(id));
                if is_inside && !nodes.contains(&maker) && is_welcome(maker) {
                    nodes.push(maker);
                    if nodes.len() > MOST_NODES || self.inputs(nodes) > MOST_INPUTS {
                        nodes.pop();
                        return;
                    }
                }
            }
            at += 1;
        }
    }
}

/// Whether a node normalises or reduces along dimensions that lie innermost, in order.
fn works_on_rows(graph: &Graph, node: &Node) -> bool {
    let Some(&Some(input)) = node.inputs.first() else { return false };
    let rank = graph.desc(input).rank();
    let are_innermost = |axes: &[u32]| {
        let first = rank - axes.len();
        !axes.is_empty() && axes.iter().enumerate().all(|(i, &axis)| axis as usize == first + i)
    };
    if let Op::Softmax(op) = &node.op {
        op.axis as usize + 1 == rank
    } else if let Op::LayerNormalization(op) = &node.op {
        are_innermost(&op.axes(rank))
    } else if let Op::Reduce(op) = &node.op {
        graph.desc(input).data_type.is_float() && are_innermost(&op.options.axes(rank))
    } else {
        false
    }
}
