//! What of a graph is needed, and how often.

use webnn_core::{Desc, Graph, Source};

/// How often each value is taken, by nodes' slots and as an output.
pub(crate) fn uses(graph: &Graph) -> Vec<u32> {
    let mut uses = vec![0; graph.values().len()];
    for input in graph.nodes().iter().flat_map(|node| node.inputs.iter().flatten()) {
        uses[input.index()] += 1;
    }
    for port in graph.outputs() {
        uses[port.value.index()] += 1;
    }
    uses
}

/// The graph without nodes and constants that no output needs; inputs stay, needed or not,
/// because callers bind them.
pub(crate) fn sweep(graph: &Graph) -> Graph {
    let mut needed = vec![false; graph.values().len()];
    for port in graph.inputs().iter().chain(graph.outputs()) {
        needed[port.value.index()] = true;
    }
    for node in graph.nodes().iter().rev() {
        if node.outputs.iter().any(|id| needed[id.index()]) {
            node.outputs.iter().chain(node.inputs.iter().flatten()).for_each(|id| {
                needed[id.index()] = true;
            });
        }
    }
    let mut swept = Graph::new();
    let mut values = vec![None; graph.values().len()];
    for port in graph.inputs() {
        values[port.value.index()] =
            Some(swept.push_input(port.name.clone(), graph.desc(port.value)));
    }
    for (i, value) in graph.values().iter().enumerate() {
        if let (Source::Constant(bytes), true) = (&value.source, needed[i]) {
            let constant = swept.push_constant(value.desc, bytes.clone());
            values[i] = Some(constant.expect("constants are as long as they say"));
        }
    }
    for node in graph.nodes().iter().filter(|node| needed[node.outputs[0].index()]) {
        let operands = node.inputs.iter().map(|id| id.and_then(|id| values[id.index()])).collect();
        let results: Vec<Desc> = node.outputs.iter().map(|&id| graph.desc(id)).collect();
        let outputs = swept.push_inferred(node.op.clone(), operands, &results, &node.label);
        for (old, new) in node.outputs.iter().zip(outputs) {
            values[old.index()] = Some(new);
        }
    }
    for port in graph.outputs() {
        let value = values[port.value.index()].expect("outputs are needed");
        swept.push_output(port.name.clone(), value);
    }
    swept
}
