//! Convolutions of an image whose channels are multiplied by factors: the product need not be stored,
//! as a thread can multiply the rows that it is about to take.

use std::collections::{HashMap, HashSet};

use webnn_core::ops::Binary;
use webnn_core::{DataType, Graph, NodeId, Op, ValueId};
use webnn_passes::{Group, Pattern};

/// An image times a factor per channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaled {
    /// The node that multiplies them.
    pub(crate) node: NodeId,
    pub(crate) image: ValueId,
    pub(crate) factors: ValueId,
}

/// The scaled images that only a convolution takes, by its node.
pub(crate) fn find(graph: &Graph, groups: &[Group], uses: &[usize]) -> HashMap<NodeId, Scaled> {
    let is_output: HashSet<ValueId> = graph.outputs().iter().map(|port| port.value).collect();
    // What is grouped with other nodes is computed with them.
    let alone: HashSet<NodeId> = groups
        .iter()
        .filter_map(|group| match group.nodes[..] {
            [node] => Some(node),
            [..] => None,
        })
        .collect();
    let scaled = |root: NodeId| {
        let Op::Conv2d(_) = graph.node(root).op else { return None };
        let image = graph.node(root).inputs[0]?;
        let node = graph.producer(image)?;
        let is_passed_on = uses[image.index()] == 1 && !is_output.contains(&image);
        let (image, factors) = operands(graph, node)?;
        (is_passed_on && alone.contains(&node)).then_some(Scaled { node, image, factors })
    };
    let roots = groups.iter().filter_map(root);
    roots.filter_map(|root| Some((root, scaled(root)?))).collect()
}

/// The node that others of its group come after.
pub(crate) fn root(group: &Group) -> Option<NodeId> {
    match (&group.pattern, &group.nodes[..]) {
        (Pattern::Matrix { root }, _) => Some(*root),
        (Pattern::Single, [node]) => Some(*node),
        _other => None,
    }
}

/// The image and the factors that a node multiplies, if they are such.
fn operands(graph: &Graph, node: NodeId) -> Option<(ValueId, ValueId)> {
    let node = graph.node(node);
    let Op::Binary(Binary::Mul) = node.op else { return None };
    let product = graph.desc(node.outputs[0]);
    let is_pair = |&(image, factors): &(ValueId, ValueId)| {
        let channels = product.shape.last().copied().unwrap_or(1);
        let factors = graph.desc(factors).shape;
        let is_per_channel =
            factors.last() == Some(&channels) && factors.elements() == u64::from(channels);
        graph.desc(image).shape == product.shape && is_per_channel
    };
    let (a, b) = (node.inputs[0]?, node.inputs[1]?);
    let pair = [(a, b), (b, a)].into_iter().find(is_pair);
    pair.filter(|_| product.data_type == DataType::Float32)
}
