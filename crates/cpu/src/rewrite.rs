//! Operators that have no kernel of their own in the graph as it stands, in terms of others: image
//! operators with channels first become transpositions around channels-last ones.

use webnn_core::ops::Transpose;
use webnn_core::ops::conv2d::InputLayout;
use webnn_core::{Graph, Node, Op, Result, Source, ValueId};

const TO_LAST: [u32; 4] = [0, 2, 3, 1];
const TO_FIRST: [u32; 4] = [0, 3, 1, 2];

/// The same graph with every image operator channels-last.
pub(crate) fn channels_last(graph: &Graph) -> Result<Option<Graph>> {
    if graph.nodes().iter().all(|node| turned(&node.op).is_none()) {
        return Ok(None);
    }
    let mut result = Graph::new();
    let mut ids: Vec<Option<ValueId>> = vec![None; graph.values().len()];
    for port in graph.inputs() {
        ids[port.value.index()] =
            Some(result.push_input(port.name.clone(), graph.desc(port.value)));
    }
    for (i, value) in graph.values().iter().enumerate() {
        if let Source::Constant(bytes) = &value.source {
            ids[i] = Some(result.push_constant(value.desc, bytes.clone())?);
        }
    }
    for node in graph.nodes() {
        let inputs: Vec<Option<ValueId>> =
            node.inputs.iter().map(|id| id.and_then(|id| ids[id.index()])).collect();
        let outputs = push(&mut result, node, inputs)?;
        for (old, new) in node.outputs.iter().zip(outputs) {
            ids[old.index()] = Some(new);
        }
    }
    for port in graph.outputs() {
        let value = ids[port.value.index()].expect("every value has been made");
        result.push_output(port.name.clone(), value);
    }
    Ok(Some(result))
}

fn push(graph: &mut Graph, node: &Node, mut inputs: Vec<Option<ValueId>>) -> Result<Vec<ValueId>> {
    let Some(op) = turned(&node.op) else {
        return graph.push_node(node.op.clone(), inputs, &node.label);
    };
    let transpose = |graph: &mut Graph, id: ValueId, order: [u32; 4]| -> Result<ValueId> {
        let op = Transpose { permutation: Some(order.to_vec()) };
        Ok(graph.push_node(op, vec![Some(id)], &node.label)?[0])
    };
    let image = inputs[0].expect("image operators have an input");
    inputs[0] = Some(transpose(graph, image, TO_LAST)?);
    let output = graph.push_node(op, inputs, &node.label)?[0];
    Ok(vec![transpose(graph, output, TO_FIRST)?])
}

/// The channels-last twin of an operator on images with channels first.
fn turned(op: &Op) -> Option<Op> {
    let nhwc = InputLayout::Nhwc;
    match op {
        Op::Conv2d(op) if op.input_layout != nhwc => {
            let mut op = op.clone();
            op.input_layout = nhwc;
            Some(op.into())
        }
        Op::ConvTranspose2d(op) if op.input_layout != nhwc => {
            let mut op = op.clone();
            op.input_layout = nhwc;
            Some(op.into())
        }
        Op::Pool2d(op) if op.options.layout != nhwc => {
            let mut op = op.clone();
            op.options.layout = nhwc;
            Some(op.into())
        }
        _channels_are_last_or_do_not_matter => None,
    }
}
