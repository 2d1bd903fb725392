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

/// What stands in the place of a node's results, where a rule has something better.
pub(crate) type Values = Option<Vec<ValueId>>;

/// Looks at a node before it is taken over.
pub(crate) type Rule = fn(&mut Site<'_, '_>) -> Result<Values>;

/// The graph after all rules, and folding, until nothing changes.
pub(crate) fn simplify(graph: Graph, rules: &Rules<'_>) -> Result<Graph> {
    let list: [Rule; 4] = [
        |site| site.movement(),
        |site| site.arithmetic(),
        |site| site.quantization(),
        |site| site.convolution(),
    ];
    apply(graph, rules, &list)
}

/// The graph after the first of the rules that applies to each node, and after folding, until
/// nothing changes.
pub(crate) fn apply(mut graph: Graph, rules: &Rules<'_>, list: &[Rule]) -> Result<Graph> {
    for _ in 0..ROUNDS {
        let (simpler, has_changed) = round(&graph, rules, list)?;
        graph = simpler;
        if !has_changed {
            break;
        }
    }
    Ok(graph)
}

fn round(graph: &Graph, rules: &Rules<'_>, list: &[Rule]) -> Result<(Graph, bool)> {
    let uses = live::uses(graph);
    let mut rewrite = Rewrite::new(graph);
    let mut has_changed = false;
    for node in graph.nodes() {
        let operands = rewrite.operands(node);
        let results: Vec<Desc> = node.outputs.iter().map(|&id| graph.desc(id)).collect();
        let mut values = fold(&mut rewrite, node, &results, &operands, rules);
        let mut site = Site { rewrite: &mut rewrite, node, uses: &uses, operands, results };
        for rule in list {
            if values.is_some() {
                break;
            }
            values = rule(&mut site)?;
        }
        let operands = site.operands;
        match values {
            Some(values) => {
                has_changed = true;
                rewrite.set_all(node, &values);
            }
            None => rewrite.keep(node, operands),
        }
    }
    let new = rewrite.finish()?;
    // An output that is an input stays behind an identity, which is no change.
    let has_changed = has_changed && new != *graph;
    Ok((new, has_changed))
}

/// A node about to be taken over into the new graph.
pub(crate) struct Site<'s, 'a> {
    pub(crate) rewrite: &'s mut Rewrite<'a>,
    pub(crate) node: &'a Node,
    /// How often each old value is taken.
    uses: &'s [u32],
    /// Values of the new graph.
    pub(crate) operands: Vec<Option<ValueId>>,
    results: Vec<Desc>,
}

impl Site<'_, '_> {
    /// The operand in a required slot.
    pub(crate) fn operand(&self, slot: usize) -> ValueId {
        self.operands[slot].expect("required operands are there")
    }

    pub(crate) fn result(&self) -> Desc {
        self.results[0]
    }

    pub(crate) fn graph(&self) -> &Graph {
        self.rewrite.graph()
    }

    pub(crate) fn desc(&self, value: ValueId) -> Desc {
        self.graph().desc(value)
    }

    /// The node of the new graph that made a value.
    pub(crate) fn maker(&self, value: ValueId) -> Option<&Node> {
        Some(self.graph().node(self.graph().producer(value)?))
    }

    /// Whether this node alone takes the value in the slot.
    pub(crate) fn is_only_use(&self, slot: usize) -> bool {
        self.node.inputs[slot].is_some_and(|old| self.uses[old.index()] == 1)
    }

    pub(crate) fn push(
        &mut self,
        op: impl Into<Op>,
        operands: &[ValueId],
    ) -> Result<Option<Vec<ValueId>>> {
        let operands = operands.iter().copied().map(Some).collect();
        self.rewrite.push(op, operands, &self.node.label).map(Some)
    }
}
