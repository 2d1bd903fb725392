//! Computes half precision in single: what nodes compute of float16 becomes float32, between casts
//! where inputs are read and outputs written. What only moves halves to where halves are wanted still
//! does, and so does what picks a few of them.
//!
//! A value then is rounded where it leaves the graph and where the graph casts, not after every
//! operator, and it is converted as seldom. Large weights stay halves, each behind a cast of its own
//! that its product takes as a part of its group.

use webnn_core::graph::Value;
use webnn_core::ops::{Cast, Unary};
use webnn_core::{DataType, Desc, Graph, Node, Op, Result, ValueId};

use crate::Rules;
use crate::elementwise::is_matrix;
use crate::fold::{SMALL_BYTES, evaluate};
use crate::rewrite::Rewrite;

/// The graph with float32 in the place of float16 inside.
pub fn widen(graph: Graph, rules: &Rules<'_>) -> Result<Graph> {
    let is_half = |value: &Value| value.desc.data_type == DataType::Float16;
    if !graph.values().iter().any(is_half) {
        return Ok(graph);
    }
    let mut widening = Widening {
        graph: &graph,
        rules,
        rewrite: Rewrite::new(&graph),
        singles: vec![None; graph.values().len()],
        is_computed: computed(&graph),
    };
    for node in graph.nodes() {
        widening.node(node)?;
    }
    for port in graph.outputs() {
        widening.half(port.value)?;
    }
    widening.rewrite.finish()
}

struct Widening<'a> {
    graph: &'a Graph,
    rules: &'a Rules<'a>,
    /// Has the new values of the same type as the old ones.
    rewrite: Rewrite<'a>,
    /// The new values of float32 in the place of old ones of float16.
    singles: Vec<Option<ValueId>>,
    /// Of old values: whether something is computed of them, perhaps after they have been moved.
    is_computed: Vec<bool>,
}

impl Widening<'_> {
    fn is_half(&self, old: ValueId) -> bool {
        self.graph.desc(old).data_type == DataType::Float16
    }

    fn node(&mut self, node: &Node) -> Result<()> {
        if self.stays(node) {
            return self.keep(node);
        }
        let halves = || node.inputs.iter().flatten().filter(|&&id| self.is_half(id));
        if let (Op::Cast(Cast { data_type: DataType::Float32 }), Some(&half)) =
            (&node.op, halves().next())
        {
            let single = self.single(half, node, 0)?;
            self.rewrite.set(node.outputs[0], single);
            return Ok(());
        }
        let mut operands = Vec::with_capacity(node.inputs.len());
        for (slot, input) in node.inputs.iter().enumerate() {
            operands.push(match *input {
                Some(id) if self.is_half(id) => Some(self.single(id, node, slot)?),
                Some(id) => Some(self.rewrite.value(id)),
                None => None,
            });
        }
        let results = self.rewrite.push(node.op.clone(), operands, &node.label)?;
        for (&old, new) in node.outputs.iter().zip(results) {
            if self.is_half(old) {
                self.singles[old.index()] = Some(new);
            } else {
                self.rewrite.set(old, new);
            }
        }
        Ok(())
    }

    /// Whether a node's halves stay such.
    fn stays(&self, node: &Node) -> bool {
        if let Op::Cast(op) = &node.op {
            return op.data_type == DataType::Float16;
        }
        let is_computed = || node.outputs.iter().any(|id| self.is_computed[id.index()]);
        let mut halves = node.inputs.iter().flatten().filter(|&&id| self.is_half(id));
        moves(&node.op)
            && halves.all(|&id| {
                let is_wanted = || picks(&node.op) || !is_computed();
                self.graph.constant(id).is_some() || (self.rewrite.is_known(id) && is_wanted())
            })
    }

    /// Takes a node over as it is, its operands of the types that they had.
    fn keep(&mut self, node: &Node) -> Result<()> {
        for &input in node.inputs.iter().flatten() {
            self.half(input)?;
        }
        let operands = self.rewrite.operands(node);
        let results: Vec<_> = node.outputs.iter().map(|&id| self.graph.desc(id)).collect();
        match evaluate(&mut self.rewrite, node, &results, &operands, self.rules) {
            Some(values) => self.rewrite.set_all(node, &values),
            None => self.rewrite.keep(node, operands),
        }
        Ok(())
    }

    /// Makes an old value known in its own type.
    fn half(&mut self, old: ValueId) -> Result<()> {
        if let Some(single) = self.singles[old.index()]
            && !self.rewrite.is_known(old)
        {
            let half = self.rewrite.push_one(Cast::new(DataType::Float16), &[single], "")?;
            self.rewrite.set(old, half);
        }
        Ok(())
    }

    /// An old value of float16 as float32, for a node's slot.
    fn single(&mut self, old: ValueId, node: &Node, slot: usize) -> Result<ValueId> {
        if let Some(single) = self.singles[old.index()] {
            return Ok(single);
        }
        let half = self.rewrite.value(old);
        let is_weight = is_matrix(&node.op) && slot == 1;
        let cast = Node {
            op: Cast::new(DataType::Float32).into(),
            inputs: vec![Some(half)],
            outputs: Vec::new(),
            label: node.label.clone(),
        };
        if is_weight && self.graph.desc(old).byte_length() > SMALL_BYTES {
            return self.rewrite.push_one(cast.op, &[half], &cast.label);
        }
        let result = Desc { data_type: DataType::Float32, ..self.graph.desc(old) };
        let folded = evaluate(&mut self.rewrite, &cast, &[result], &cast.inputs, self.rules);
        let single = match folded {
            Some(values) => values[0],
            None => self.rewrite.push_one(cast.op, &[half], &cast.label)?,
        };
        self.singles[old.index()] = Some(single);
        Ok(single)
    }
}

/// For each value, whether a node computes with it, perhaps after others have moved it.
fn computed(graph: &Graph) -> Vec<bool> {
    let mut is_computed = vec![false; graph.values().len()];
    for node in graph.nodes().iter().rev() {
        let is_moved = moves(&node.op) && !picks(&node.op);
        if !is_moved || node.outputs.iter().any(|id| is_computed[id.index()]) {
            node.inputs.iter().flatten().for_each(|id| is_computed[id.index()] = true);
        }
    }
    is_computed
}

/// Whether an operator takes some elements out of many.
fn picks(op: &Op) -> bool {
    matches!(op, Op::Gather(_) | Op::GatherElements(_) | Op::GatherNd(_) | Op::Slice(_))
}

/// Whether an operator only moves elements.
fn moves(op: &Op) -> bool {
    matches!(
        op,
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
            | Op::Triangular(_)
            | Op::Unary(Unary::Identity)
    )
}

#[cfg(test)]
mod tests {
    use super::widen;
    use crate::testing::{RULES, assert_groups, assert_pass};

    fn assert_widened(before: &str, after: &str) {
        assert_pass(|graph| widen(graph, &RULES), before, after);
    }

    #[test]
    fn what_is_computed_is_single_between_inputs_and_outputs() {
        assert_widened(
            "%x = input \"x\" float16[4]\n%c = constant float16[1] {0.5}\n%a = mul(%x, %c)\n\
             %y = relu(%a)\n%z = cast(%y) { dataType: \"float32\" }\n\
             output \"a\" = %a\noutput \"z\" = %z",
            "%x = input \"x\" float16[4]\n%c = constant float32[1] {0.5}\n\
             %s = cast(%x) { dataType: \"float32\" }\n%a = mul(%s, %c)\n%y = relu(%a)\n\
             %h = cast(%a) { dataType: \"float16\" }\noutput \"a\" = %h\noutput \"z\" = %y",
        );
    }

    #[test]
    fn a_cast_to_half_still_rounds() {
        assert_widened(
            "%x = input \"x\" float32[4]\n%a = cast(%x) { dataType: \"float16\" }\n%y = neg(%a)\n\
             output \"y\" = %y",
            "%x = input \"x\" float32[4]\n%a = cast(%x) { dataType: \"float16\" }\n\
             %s = cast(%a) { dataType: \"float32\" }\n%y = neg(%s)\n\
             %h = cast(%y) { dataType: \"float16\" }\noutput \"y\" = %h",
        );
    }

    #[test]
    fn halves_that_are_only_moved_or_picked_stay() {
        let moved = "%x = input \"x\" float16[2, 3]\n%t = transpose(%x)\noutput \"y\" = %t";
        assert_widened(moved, moved);
        assert_widened(
            "%x = input \"x\" float16[9, 3]\n%i = input \"i\" int32[2]\n%g = gather(%x, %i)\n\
             %t = transpose(%g)\n%y = neg(%t)\noutput \"y\" = %y",
            "%x = input \"x\" float16[9, 3]\n%i = input \"i\" int32[2]\n%g = gather(%x, %i)\n\
             %s = cast(%g) { dataType: \"float32\" }\n%t = transpose(%s)\n%y = neg(%t)\n\
             %h = cast(%y) { dataType: \"float16\" }\noutput \"y\" = %h",
        );
    }

    #[test]
    fn large_weights_stay_halves_in_the_group_of_their_product() {
        let text = "%x = input \"x\" float16[2, 256]\n%w = constant float16[256, 256] splat 0.5\n\
                    %m = matmul(%x, %w)\n%y = tanh(%m)\noutput \"y\" = %y";
        assert_groups(text, &["single: cast", "matrix: cast matmul tanh", "single: cast"]);
        // Those that two products take are single.
        let twice = "%x = input \"x\" float16[2, 256]\n%w = constant float16[256, 256] splat 0.5\n\
                     %m = matmul(%x, %w)\n%y = matmul(%m, %w)\noutput \"y\" = %y";
        assert_groups(twice, &["single: cast", "single: matmul", "single: matmul", "single: cast"]);
    }
}
