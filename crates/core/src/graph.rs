//! Graphs: nodes in topological order over values with concrete shapes.

use crate::bytes::Bytes;
use crate::error::{Result, ensure};
use crate::limits::Presence;
use crate::ops::{Inputs, Op};
use crate::types::Desc;

/// A value of a graph, as an index into [`Graph::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

/// A node of a graph, as an index into [`Graph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl ValueId {
    /// The index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl NodeId {
    /// The index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The graph's input of this index.
    Input(usize),
    /// These bytes, as long as the descriptor says.
    Constant(Bytes),
    /// The node's output of this index.
    Node(NodeId, usize),
}

/// A tensor that flows through a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Type and shape.
    pub desc: Desc,
    /// Where it comes from.
    pub source: Source,
}

/// An operator with its operands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// One per slot; `None` where an optional operand is absent.
    pub inputs: Vec<Option<ValueId>>,
    /// The results.
    pub outputs: Vec<ValueId>,
    /// The caller's label, for messages and profiles.
    pub label: Box<str>,
}

/// A named end of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The name, unique among the graph's inputs or among its outputs.
    pub name: String,
    /// The value that goes in or out.
    pub value: ValueId,
}

/// A graph: every node after those whose results it takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    values: Vec<Value>,
    nodes: Vec<Node>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Graph {
        Graph::default()
    }

    /// All values, by [`ValueId`].
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// All nodes, by [`NodeId`], in topological order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The inputs in the order in which they were made.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// The outputs in the order in which they were named.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// A value.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A value's type and shape.
    pub fn desc(&self, id: ValueId) -> Desc {
        self.values[id.index()].desc
    }

    /// A value's bytes, where it is a constant.
    pub fn constant(&self, id: ValueId) -> Option<&Bytes> {
        match &self.values[id.index()].source {
            Source::Constant(bytes) => Some(bytes),
            Source::Input(_) | Source::Node(..) => None,
        }
    }

    /// The node that computes a value.
    pub fn producer(&self, id: ValueId) -> Option<NodeId> {
        match self.values[id.index()].source {
            Source::Node(node, _) => Some(node),
            Source::Input(_) | Source::Constant(_) => None,
        }
    }

    /// For each value the nodes that take it, in order, once per slot.
    pub fn consumers(&self) -> Vec<Vec<NodeId>> {
        let mut consumers = vec![Vec::new(); self.values.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            for input in node.inputs.iter().flatten() {
                consumers[input.index()].push(NodeId(i as u32));
            }
        }
        consumers
    }

    /// Adds an input; the caller answers for the name being unique.
    pub fn push_input(&mut self, name: impl Into<String>, desc: Desc) -> ValueId {
        let value = self.push_value(desc, Source::Input(self.inputs.len()));
        self.inputs.push(Port { name: name.into(), value });
        value
    }

    /// Adds a constant; fails unless the bytes are as long as the descriptor says, or in another
    /// place.
    pub fn push_constant(&mut self, desc: Desc, bytes: Bytes) -> Result<ValueId> {
        ensure!(
            bytes.len() as u64 == desc.byte_length() || bytes.external_id().is_some(),
            "constant has {} bytes, expected {} for {desc}",
            bytes.len(),
            desc.byte_length()
        );
        Ok(self.push_value(desc, Source::Constant(bytes)))
    }

    /// Adds a node after checking its operands as the operator says, and gives its results.
    ///
    /// Slots are the caller's matter: operands must be there where the method requires them.
    pub fn push_node(
        &mut self,
        op: impl Into<Op>,
        inputs: Vec<Option<ValueId>>,
        label: &str,
    ) -> Result<Vec<ValueId>> {
        let op = op.into();
        let descs: Vec<Option<Desc>> = inputs.iter().map(|id| id.map(|id| self.desc(id))).collect();
        let results = op.infer(&Inputs(&descs))?;
        for result in &results {
            result.check()?;
        }
        Ok(self.push_inferred(op, inputs, &results, label))
    }

    /// Adds a node whose results' descriptors are known to be what the operator infers.
    pub fn push_inferred(
        &mut self,
        op: Op,
        mut inputs: Vec<Option<ValueId>>,
        results: &[Desc],
        label: &str,
    ) -> Vec<ValueId> {
        let node = NodeId(self.nodes.len() as u32);
        let slots = op.method().slots;
        if slots.iter().all(|slot| slot.presence != Presence::Repeated) {
            inputs.resize(slots.len(), None);
        }
        let outputs: Vec<ValueId> = results
            .iter()
            .enumerate()
            .map(|(i, &desc)| self.push_value(desc, Source::Node(node, i)))
            .collect();
        self.nodes.push(Node { op, inputs, outputs: outputs.clone(), label: label.into() });
        outputs
    }

    /// Names an output; one value may have several names.
    pub fn push_output(&mut self, name: impl Into<String>, value: ValueId) {
        self.outputs.push(Port { name: name.into(), value });
    }

    fn push_value(&mut self, desc: Desc, source: Source) -> ValueId {
        self.values.push(Value { desc, source });
        ValueId((self.values.len() - 1) as u32)
    }

    /// The same graph with every operator's options as its first operand's data type holds them;
    /// see [`Op::with_options_as`]. An engine asks for it once, before it chooses kernels.
    #[must_use]
    pub fn with_options_cast(mut self) -> Graph {
        for node in &mut self.nodes {
            if let Some(first) = node.inputs.first().copied().flatten() {
                node.op = node.op.with_options_as(self.values[first.index()].desc.data_type);
            }
        }
        self
    }

    /// The part of the graph that the outputs need, inputs that nothing needs left out.
    pub fn reachable(&self) -> Graph {
        let mut needed = vec![false; self.values.len()];
        for output in &self.outputs {
            needed[output.value.index()] = true;
        }
        // Topological order backwards: consumers have marked a value before its producer is seen.
        for node in self.nodes.iter().rev() {
            if node.outputs.iter().any(|id| needed[id.index()]) {
                node.outputs.iter().for_each(|id| needed[id.index()] = true);
                node.inputs.iter().flatten().for_each(|id| needed[id.index()] = true);
            }
        }
        let mut graph = Graph::new();
        let mut new_ids = vec![None; self.values.len()];
        for port in self.inputs.iter().filter(|port| needed[port.value.index()]) {
            let id = graph.push_input(port.name.clone(), self.desc(port.value));
            new_ids[port.value.index()] = Some(id);
        }
        for (i, value) in self.values.iter().enumerate() {
            if let (Source::Constant(bytes), true) = (&value.source, needed[i]) {
                let id = graph.push_value(value.desc, Source::Constant(bytes.clone()));
                new_ids[i] = Some(id);
            }
        }
        for node in &self.nodes {
            if !node.outputs.iter().any(|id| needed[id.index()]) {
                continue;
            }
            let inputs =
                node.inputs.iter().map(|id| id.and_then(|id| new_ids[id.index()])).collect();
            let descs: Vec<Desc> = node.outputs.iter().map(|&id| self.desc(id)).collect();
            let outputs = graph.push_inferred(node.op.clone(), inputs, &descs, &node.label);
            for (old, new) in node.outputs.iter().zip(outputs) {
                new_ids[old.index()] = Some(new);
            }
        }
        for port in &self.outputs {
            let value = new_ids[port.value.index()].expect("outputs were marked as needed");
            graph.push_output(port.name.clone(), value);
        }
        graph
    }
}
