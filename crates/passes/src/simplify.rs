//! Removes what computes nothing, one node at a time: each rule looks at a node and at the nodes
//! that made its operands. Every rule keeps every bit of the result but where its file says so.

mod arithmetic;
mod convolution;
mod movement;
mod quantization;

use webnn_core::{Desc, Graph, Node, Op, Result, ValueId};

use crate::Rules;
use crate::fold::fold;
use crate::live;
use crate::rewrite::Rewrite;

/// More rounds than any rule's result needs to be seen by the others.
const ROUNDS: usize = 8;

/// The graph after all rules, and folding, until nothing changes.
pub(crate) fn simplify(mut graph: Graph, rules: &Rules<'_>) -> Result<Graph> {
    for _ in 0..ROUNDS {
        let (simpler, has_changed) = round(&graph, rules)?;
        graph = simpler;
        if !has_changed {
            break;
        }
    }
    Ok(graph)
}

fn round(graph: &Graph, rules: &Rules<'_>) -> Result<(Graph, bool)> {
    let uses = live::uses(graph);
    let mut rewrite = Rewrite::new(graph);
    let mut has_changed = false;
    for node in graph.nodes() {
        let operands = rewrite.operands(node);
        let results: Vec<Desc> = node.outputs.iter().map(|&id| graph.desc(id)).collect();
        let folded = fold(&mut rewrite, node, &results, &operands, rules);
        let replaced = match folded {
            Some(values) => Some(values),
            None => {
                let mut site = Site { rewrite: &mut rewrite, node, uses: &uses, operands, results };
                let replaced = site.simplify()?;
                if replaced.is_none() {
                    let operands = site.operands;
                    rewrite.keep(node, operands);
                }
                replaced
            }
        };
        if let Some(values) = replaced {
            has_changed = true;
            rewrite.set_all(node, &values);
        }
    }
    // An output that is an input stays behind an identity, which is no change.
    let new = rewrite.finish()?;
    let has_changed = has_changed && new != *graph;
    Ok((new, has_changed))
}

/// A node about to be taken over into the new graph.
struct Site<'s, 'a> {
    rewrite: &'s mut Rewrite<'a>,
    node: &'a Node,
    /// How often each old value is taken.
    uses: &'s [u32],
    /// Values of the new graph.
    operands: Vec<Option<ValueId>>,
    results: Vec<Desc>,
}

impl Site<'_, '_> {
    /// The operand in a required slot.
    fn operand(&self, slot: usize) -> ValueId {
        self.operands[slot].expect("required operands are there")
    }

    fn result(&self) -> Desc {
        self.results[0]
    }

    fn graph(&self) -> &Graph {
        self.rewrite.graph()
    }

    fn desc(&self, value: ValueId) -> Desc {
        self.graph().desc(value)
    }

    /// The node of the new graph that made a value.
    fn maker(&self, value: ValueId) -> Option<&Node> {
        Some(self.graph().node(self.graph().producer(value)?))
    }

    /// Whether this node alone takes the value in the slot.
    fn is_only_use(&self, slot: usize) -> bool {
        self.node.inputs[slot].is_some_and(|old| self.uses[old.index()] == 1)
    }

    fn push(&mut self, op: impl Into<Op>, operands: &[ValueId]) -> Result<Option<Vec<ValueId>>> {
        let operands = operands.iter().copied().map(Some).collect();
        self.rewrite.push(op, operands, &self.node.label).map(Some)
    }

    /// The values in the place of the node's results, if there are simpler ones.
    fn simplify(&mut self) -> Result<Option<Vec<ValueId>>> {
        for rules in [Self::movement, Self::arithmetic, Self::quantization, Self::convolution] {
            if let Some(values) = rules(self)? {
                return Ok(Some(values));
            }
        }
        Ok(None)
    }
}
