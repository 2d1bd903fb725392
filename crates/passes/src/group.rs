//! Groups: the nodes that one kernel computes together.

use webnn_core::{Graph, NodeId, ValueId};

use crate::Rules;

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
pub fn group(graph: &Graph, rules: &Rules<'_>) -> Vec<Group> {
    let _ = rules;
    (0..graph.nodes().len())
        .map(|i| Group { pattern: Pattern::Single, nodes: vec![NodeId(i as u32)] })
        .collect()
}
