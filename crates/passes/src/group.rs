//! Groups: the nodes that one kernel computes together.

mod attention;
mod fuse;
mod quantized;
mod region;
mod views;

use webnn_core::{Graph, Node, NodeId, ValueId};

use crate::{Rules, live};

pub(crate) use quantized::matches as quantized_matches;

/// Nodes that are computed together, in topological order.
///
/// The last node's first result is the group's only result: whatever the other nodes compute is
/// used inside alone. [`Pattern::Single`] is the exception, whose node may have several results.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What the nodes make up.
    pub pattern: Pattern,
    /// The nodes.
    pub nodes: Vec<NodeId>,
}

/// What a group's nodes make up.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// One node, of any operator.
    Single,
    /// Several element-wise nodes; every operand broadcasts to the shape of the result.
    Pointwise,
    /// A matmul, gemm, conv2d or convTranspose2d, then element-wise nodes of the root's shape.
    Matrix {
        /// The matrix operator, the first of the nodes.
        root: NodeId,
    },
    /// A normalisation, softmax or reduction with element-wise nodes before and after it.
    Normalize {
        /// The normalisation.
        root: NodeId,
    },
    /// softmax(q · kᵀ · scale + mask) · v
    Attention(Box<Attention>),
    /// dequantizeLinear of the operands, the root, perhaps an activation, quantizeLinear.
    Quantized {
        /// The operator between the conversions.
        root: NodeId,
    },
    /// dequantizeLinear of constant weights, a matmul or gemm, then element-wise nodes.
    WeightOnly {
        /// The matrix operator.
        root: NodeId,
    },
}

/// The operands of softmax(q · kᵀ · scale + mask) · v, each a view of a value of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// Queries: batch, heads, rows, depth.
    pub q: View,
    /// Keys: batch, heads, columns of the scores, depth.
    pub k: View,
    /// Values: batch, heads, columns of the scores, depth of the result.
    pub v: View,
    /// Multiplies the product of queries and keys.
    pub scale: f32,
    /// Added to the scaled scores: batch, heads, rows, columns; dimensions that are broadcast
    /// have stride 0.
    pub mask: Option<View>,
    /// Where the result goes in the last node's output: batch, heads, rows, depth.
    pub output: View,
}

/// Four dimensions of a value, by strides: element `[b, h, i, j]` lies at
/// `offset + b·strides[0] + (h / repeat)·strides[1] + i·strides[2] + j·strides[3]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The value whose elements are seen.
    pub value: ValueId,
    /// Where the first element lies.
    pub offset: usize,
    /// The sizes: batch, heads, rows, columns.
    pub sizes: [usize; 4],
    /// The distances between neighbours, in elements.
    pub strides: [usize; 4],
    /// How many neighbouring heads share one, above 1 in grouped-query attention.
    pub repeat: usize,
}

/// Divides the graph into groups: every node is in exactly one, and each group comes after those
/// whose results it takes.
///
/// A group is computed where its last node stands. Only that node's result is seen outside, so
/// whoever takes it stands later, and so does their group's last node.
pub fn group(graph: &Graph, rules: &Rules<'_>) -> Vec<Group> {
    let mut grouping = Grouping::new(graph);
    let patterns = rules.patterns;
    if patterns.attention {
        grouping.attention();
    }
    if patterns.quantized {
        grouping.quantized();
    }
    if patterns.weight_only {
        grouping.weight_only();
    }
    if patterns.matrix {
        grouping.matrix();
    }
    if patterns.normalize {
        grouping.normalize();
    }
    if patterns.pointwise {
        grouping.pointwise();
    }
    grouping.finish()
}

/// Groups under construction.
struct Grouping<'a> {
    graph: &'a Graph,
    /// Takers of each value.
    consumers: Vec<Vec<NodeId>>,
    /// How often each value is taken, outputs counted.
    uses: Vec<u32>,
    is_taken: Vec<bool>,
    groups: Vec<Group>,
}

impl<'a> Grouping<'a> {
    fn new(graph: &'a Graph) -> Grouping<'a> {
        Grouping {
            graph,
            consumers: graph.consumers(),
            uses: live::uses(graph),
            is_taken: vec![false; graph.nodes().len()],
            groups: Vec::new(),
        }
    }

    fn node(&self, id: NodeId) -> &'a Node {
        self.graph.node(id)
    }

    fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.graph.nodes().len() as u32).map(NodeId)
    }

    /// The node that makes a value, unless it is in a group already.
    fn free_maker(&self, value: ValueId) -> Option<NodeId> {
        self.graph.producer(value).filter(|id| !self.is_taken[id.index()])
    }

    /// The node that alone takes a value which is no output, unless it is in a group already.
    fn only_consumer(&self, value: ValueId) -> Option<NodeId> {
        let [consumer] = self.consumers[value.index()][..] else { return None };
        (self.uses[value.index()] == 1 && !self.is_taken[consumer.index()]).then_some(consumer)
    }

    /// Makes a group of the nodes, in any order.
    fn take(&mut self, pattern: Pattern, mut nodes: Vec<NodeId>) {
        nodes.sort_unstable();
        nodes.iter().for_each(|id| self.is_taken[id.index()] = true);
        self.groups.push(Group { pattern, nodes });
    }

    fn finish(mut self) -> Vec<Group> {
        for id in self.ids() {
            if !self.is_taken[id.index()] {
                self.groups.push(Group { pattern: Pattern::Single, nodes: vec![id] });
            }
        }
        self.groups.sort_by_key(|group| group.nodes.last().copied());
        self.groups
    }
}
