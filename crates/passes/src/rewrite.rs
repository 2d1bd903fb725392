//! The walk that every graph-to-graph pass makes: old nodes in order, new nodes out.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use webnn_core::ops::Unary;
use webnn_core::{Bytes, Desc, Graph, Node, NodeId, Op, Result, Source, ValueId};

use crate::live;

/// Constants of at most this many bytes are compared and shared.
const SHARED_BYTES: usize = 256;

/// So many nodes of one kind over the same operands are compared with a new one; more, like the
/// slices of one value, would take quadratic time.
const MOST_COMPARED: usize = 32;

type Key = (Discriminant<Op>, Vec<Option<ValueId>>);

/// A new graph under construction beside the old one that it replaces.
///
/// Equal nodes with equal operands become one. [`Rewrite::finish`] drops what nothing needs.
pub(crate) struct Rewrite<'a> {
    old: &'a Graph,
    new: Graph,
    /// New values by old ones.
    values: Vec<Option<ValueId>>,
    nodes: HashMap<Key, Vec<NodeId>>,
    constants: HashMap<(Desc, Vec<u8>), ValueId>,
}

impl<'a> Rewrite<'a> {
    /// An empty graph with the old one's inputs.
    pub(crate) fn new(old: &'a Graph) -> Rewrite<'a> {
        let mut rewrite = Rewrite {
            old,
            new: Graph::new(),
            values: vec![None; old.values().len()],
            nodes: HashMap::new(),
            constants: HashMap::new(),
        };
        for port in old.inputs() {
            let value = rewrite.new.push_input(port.name.clone(), old.desc(port.value));
            rewrite.values[port.value.index()] = Some(value);
        }
        rewrite
    }

    /// The graph so far.
    pub(crate) fn graph(&self) -> &Graph {
        &self.new
    }

    /// Whether [`Rewrite::value`] has an answer.
    pub(crate) fn is_known(&self, old: ValueId) -> bool {
        self.values[old.index()].is_some() || self.old.constant(old).is_some()
    }

    /// The new value in an old one's place; constants come over when they are first asked for.
    pub(crate) fn value(&mut self, old: ValueId) -> ValueId {
        if let Some(value) = self.values[old.index()] {
            return value;
        }
        let graph = self.old;
        let bytes = graph.constant(old).expect("nodes are in topological order").clone();
        let value = self.constant(graph.desc(old), bytes);
        self.values[old.index()] = Some(value);
        value
    }

    /// The new values of a node's operands.
    pub(crate) fn operands(&mut self, node: &Node) -> Vec<Option<ValueId>> {
        node.inputs.iter().map(|input| input.map(|input| self.value(input))).collect()
    }

    /// Puts a new value in an old one's place.
    pub(crate) fn set(&mut self, old: ValueId, new: ValueId) {
        debug_assert_eq!(self.old.desc(old), self.new.desc(new));
        self.values[old.index()] = Some(new);
    }

    /// Puts new values in the place of all of an old node's results.
    pub(crate) fn set_all(&mut self, node: &Node, new: &[ValueId]) {
        for (&old, &new) in node.outputs.iter().zip(new) {
            self.set(old, new);
        }
    }

    /// A constant; small ones that are equal become one.
    pub(crate) fn constant(&mut self, desc: Desc, bytes: Bytes) -> ValueId {
        let key = (bytes.len() <= SHARED_BYTES).then(|| (desc, bytes.to_vec()));
        if let Some(key) = &key
            && let Some(&value) = self.constants.get(key)
        {
            return value;
        }
        let value = self.new.push_constant(desc, bytes).expect("constants are as long as they say");
        if let Some(key) = key {
            self.constants.insert(key, value);
        }
        value
    }

    /// A node over new values, or the equal one that is there already.
    pub(crate) fn push(
        &mut self,
        op: impl Into<Op>,
        operands: Vec<Option<ValueId>>,
        label: &str,
    ) -> Result<Vec<ValueId>> {
        let op = op.into();
        let key = (discriminant(&op), operands);
        if let Some(outputs) = self.find(&op, &key) {
            return Ok(outputs);
        }
        let outputs = self.new.push_node(op, key.1.clone(), label)?;
        self.remember(key);
        Ok(outputs)
    }

    /// A node with one result over operands that are all there.
    pub(crate) fn push_one(
        &mut self,
        op: impl Into<Op>,
        operands: &[ValueId],
        label: &str,
    ) -> Result<ValueId> {
        Ok(self.push(op, operands.iter().copied().map(Some).collect(), label)?[0])
    }

    /// The old node over the given new operands, whose descriptors are those of the old ones.
    pub(crate) fn keep(&mut self, node: &Node, operands: Vec<Option<ValueId>>) {
        let key = (discriminant(&node.op), operands);
        let outputs = self.find(&node.op, &key).unwrap_or_else(|| {
            let results: Vec<Desc> = node.outputs.iter().map(|&id| self.old.desc(id)).collect();
            let outputs =
                self.new.push_inferred(node.op.clone(), key.1.clone(), &results, &node.label);
            self.remember(key);
            outputs
        });
        self.set_all(node, &outputs);
    }

    fn find(&self, op: &Op, key: &Key) -> Option<Vec<ValueId>> {
        let equal = self.nodes.get(key)?.iter().map(|&id| self.new.node(id)).find(|other| {
            // `==` takes zeros of either sign for equal; the text does not.
            other.op == *op && format!("{:?}", other.op) == format!("{op:?}")
        })?;
        Some(equal.outputs.clone())
    }

    fn remember(&mut self, key: Key) {
        let id = NodeId((self.new.nodes().len() - 1) as u32);
        let nodes = self.nodes.entry(key).or_default();
        if nodes.len() < MOST_COMPARED {
            nodes.push(id);
        }
    }

    /// The new graph with the old one's outputs, without nodes that nothing needs.
    ///
    /// An output that would be an input or a constant becomes a copy of it, so that engines find
    /// every output computed by a node.
    pub(crate) fn finish(mut self) -> Result<Graph> {
        for port in self.old.outputs() {
            let mut value = self.value(port.value);
            if !matches!(self.new.value(value).source, Source::Node(..)) {
                value = self.push_one(Unary::Identity, &[value], "")?;
            }
            self.new.push_output(port.name.clone(), value);
        }
        Ok(live::sweep(&self.new))
    }
}
