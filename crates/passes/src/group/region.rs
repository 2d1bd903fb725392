//! Growing a set of nodes forwards until one value comes out of it.

use std::collections::BTreeSet;

use webnn_core::{NodeId, ValueId};

use super::Grouping;

/// The most nodes in a group: more would keep too many values at hand at once.
pub(super) const MOST_NODES: usize = 32;

/// The most values that a group reads, which engines keep at hand for every element.
pub(super) const MOST_INPUTS: usize = 12;

/// Nodes, together with what is still to be taken of their results.
pub(super) struct Region {
    nodes: Vec<NodeId>,
    /// Results of the nodes that others take, and how often.
    pending: Vec<(ValueId, u32)>,
    /// Takers of the results that are not in the region.
    next: BTreeSet<NodeId>,
}

impl Region {
    pub(super) fn new() -> Region {
        Region { nodes: Vec::new(), pending: Vec::new(), next: BTreeSet::new() }
    }

    /// Adds a node that makes one value.
    pub(super) fn add(&mut self, grouping: &Grouping<'_>, id: NodeId) {
        let node = grouping.node(id);
        for input in node.inputs.iter().flatten() {
            if let Some(pending) = self.pending.iter_mut().find(|(value, _)| value == input) {
                pending.1 -= 1;
            }
        }
        self.pending.retain(|&(_, count)| count > 0);
        let output = node.outputs[0];
        self.pending.push((output, grouping.uses[output.index()]));
        self.next.remove(&id);
        self.next.extend(&grouping.consumers[output.index()]);
        self.nodes.push(id);
    }

    /// Whether the last node's result is all that others take.
    fn is_closed(&self) -> bool {
        self.pending.len() == 1
    }

    /// Takes in consumers, in the graph's order, as long as they are welcome; gives the largest
    /// set on the way that only one value comes out of, or none.
    ///
    /// A value that an unwelcome node takes stays visible for good, so the search ends there.
    pub(super) fn grow(
        mut self,
        grouping: &Grouping<'_>,
        is_welcome: impl Fn(NodeId) -> bool,
    ) -> Option<Vec<NodeId>> {
        let mut best = if self.is_closed() { self.nodes.len() } else { 0 };
        while let Some(id) = self.next.first().copied() {
            let is_full = self.nodes.len() == MOST_NODES;
            if is_full || grouping.is_taken[id.index()] || !is_welcome(id) {
                break;
            }
            self.add(grouping, id);
            if grouping.inputs(&self.nodes) > MOST_INPUTS {
                break;
            }
            if self.is_closed() {
                best = self.nodes.len();
            }
        }
        self.nodes.truncate(best);
        (best > 0).then_some(self.nodes)
    }
}

impl Grouping<'_> {
    /// How many values the nodes take that none of them makes.
    pub(super) fn inputs(&self, nodes: &[NodeId]) -> usize {
        let made: Vec<ValueId> =
            nodes.iter().flat_map(|&id| &self.node(id).outputs).copied().collect();
        let taken: BTreeSet<ValueId> =
            nodes.iter().flat_map(|&id| self.node(id).inputs.iter().flatten()).copied().collect();
        taken.iter().filter(|value| !made.contains(value)).count()
    }
}
