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
    /// A matmul, gemm, conv2d or convTranspose2d, then element-wise nodes of the root's shape; before
    /// it, perhaps, the cast that makes its constant weights single.
    Matrix {
        /// The matrix operator.
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

#[cfg(test)]
mod tests {
    use crate::testing::assert_groups;

    #[test]
    fn matrix_operators_take_what_follows() {
        assert_groups(
            r#"
            %x = input "x" float32[4, 8]
            %r = input "r" float32[4, 8]
            %w = constant float32[8, 8] splat 0.5
            %b = constant float32[8] splat 0.25
            %a = matmul(%x, %w)
            %c = add(%a, %b)
            %s = sigmoid(%c)
            %d = mul(%c, %s)
            %e = add(%r, %d)
            output "y" = %e
            "#,
            &["matrix: matmul add sigmoid mul add"],
        );
    }

    #[test]
    fn a_value_that_others_take_ends_a_group() {
        assert_groups(
            r#"
            %x = input "x" float32[4, 8]
            %w = constant float32[8, 8] splat 0.5
            %a = matmul(%x, %w)
            %b = relu(%a)
            %c = tanh(%b)
            %d = softmax(%b) { axis: 0 }
            %e = add(%c, %d)
            output "y" = %e
            "#,
            &["matrix: matmul relu", "single: softmax", "pointwise: tanh add"],
        );
    }

    #[test]
    fn an_output_in_the_middle_ends_a_group() {
        assert_groups(
            r#"
            %x = input "x" float32[4, 8]
            %w = constant float32[8, 8] splat 0.5
            %a = matmul(%x, %w)
            %b = relu(%a)
            %c = tanh(%b)
            %d = exp(%c)
            output "b" = %b
            output "d" = %d
            "#,
            &["matrix: matmul relu", "pointwise: tanh exp"],
        );
    }

    #[test]
    fn element_wise_graphs_join_with_all_that_they_alone_need() {
        assert_groups(
            r#"
            %x = input "x" float32[4, 8]
            %z = input "z" float32[4, 1]
            %a = exp(%x)
            %b = tanh(%x)
            %c = sin(%b)
            %d = mul(%a, %c)
            %g = greater(%d, %z)
            %e = where(%g, %d, %a)
            output "y" = %e
            "#,
            &["pointwise: exp tanh sin mul greater where"],
        );
    }

    #[test]
    fn long_chains_and_many_operands_are_divided() {
        let mut text = String::from("%v0 = input \"x\" float32[4]\n");
        for i in 1..=40 {
            text += &format!("%v{i} = tanh(%v{})\n", i - 1);
        }
        let long: Vec<String> =
            [32, 8].map(|count| format!("pointwise:{}", " tanh".repeat(count))).into();
        assert_groups(&(text + "output \"y\" = %v40"), &[&long[0], &long[1]]);

        let mut text = String::from("%x0 = input \"x0\" float32[4]\n%v0 = neg(%x0)\n");
        for i in 1..=15 {
            text +=
                &format!("%x{i} = input \"x{i}\" float32[4]\n%v{i} = add(%v{}, %x{i})\n", i - 1);
        }
        let wide: Vec<String> = [("neg", 11), ("add", 3)]
            .map(|(first, count)| format!("pointwise: {first}{}", " add".repeat(count)))
            .into();
        assert_groups(&(text + "output \"y\" = %v15"), &[&wide[0], &wide[1]]);
    }

    #[test]
    fn shapes_that_differ_do_not_join() {
        assert_groups(
            r#"
            %x = input "x" float32[4, 8]
            %z = input "z" float32[8]
            %a = exp(%z)
            %b = mul(%x, %a)
            %c = neg(%b)
            output "y" = %c
            "#,
            &["single: exp", "pointwise: mul neg"],
        );
    }

    #[test]
    fn normalizations_take_what_surrounds_them() {
        assert_groups(
            r#"
            %x = input "x" float32[4, 8]
            %r = input "r" float32[4, 8]
            %w = constant float32[8] splat 0.5
            %e = constant float32[] {0.001}
            %a = add(%x, %r)
            %n = layerNormalization(%a, scale: %w)
            %q = mul(%n, %n)
            %m = reduceMean(%q) { axes: [1], keepDimensions: true }
            %v = add(%m, %e)
            %s = sqrt(%v)
            %d = div(%n, %s)
            %y = mul(%d, %w)
            output "y" = %y
            output "n" = %n
            "#,
            &["normalize: add layerNormalization", "normalize: mul reduceMean add sqrt div mul"],
        );
    }

    #[test]
    fn quantized_operators_own_their_dequantizations() {
        assert_groups(
            r#"
            %x = input "x" float32[1, 4, 4, 2]
            %s = constant float32[1, 1, 1, 1] {0.5}
            %z = constant uint8[1, 1, 1, 1] {128}
            %w = constant int8[2, 2, 1, 1] {1, 2, 3, 4}
            %ws = constant float32[2, 1, 1, 1] {0.5, 0.25}
            %wz = constant int8[2, 1, 1, 1] {0, 0}
            %q = quantizeLinear(%x, %s, %z)
            %d = dequantizeLinear(%q, %s, %z)
            %f = dequantizeLinear(%w, %ws, %wz)
            %c = conv2d(%d, %f) { inputLayout: "nhwc" }
            %r = relu(%c)
            %cq = quantizeLinear(%r, %s, %z)
            %cd = dequantizeLinear(%cq, %s, %z)
            %a = add(%cd, %d)
            %aq = quantizeLinear(%a, %s, %z)
            %y = dequantizeLinear(%aq, %s, %z)
            output "y" = %y
            "#,
            &[
                "single: quantizeLinear",
                "quantized: dequantizeLinear dequantizeLinear conv2d relu quantizeLinear",
                "quantized: dequantizeLinear dequantizeLinear add quantizeLinear",
                "single: dequantizeLinear",
            ],
        );
    }

    #[test]
    fn weights_stay_packed_for_products_alone() {
        assert_groups(
            r#"
            %x = input "x" float32[1, 2, 4]
            %w = constant int4[3, 4] {1, 2, 3, 4, 5, 6, 7, -8, 1, 2, 3, 4}
            %s = constant float32[3, 2] splat 0.5
            %z = constant int4[3, 2] splat 0
            %d = dequantizeLinear(%w, %s, %z)
            %t = transpose(%d)
            %m = matmul(%x, %t)
            %b = constant float32[3] {1, 2, 3}
            %y = add(%m, %b)
            %e = constant int8[4, 2] {1, 2, 3, 4, 5, 6, 7, 8}
            %es = constant float32[1, 1] {0.5}
            %ez = constant int8[1, 1] {0}
            %ed = dequantizeLinear(%e, %es, %ez)
            %i = input "i" int32[2]
            %g = gather(%ed, %i)
            output "y" = %y
            output "g" = %g
            "#,
            &[
                "weight-only: dequantizeLinear transpose matmul add",
                "single: gather",
                "single: dequantizeLinear",
            ],
        );
    }
}
