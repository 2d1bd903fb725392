//! Operators that have no kernel of their own as they stand, in terms of others: convolutions with
//! channels first become transpositions around channels-last ones, and layer normalisation along
//! scattered axes one along the innermost.

use webnn_core::ops::Transpose;
use webnn_core::ops::conv2d::InputLayout;
use webnn_core::{Graph, Node, Op, Result, Source, ValueId};

/// The same graph made of operators that have kernels; `None` where it is so already.
pub(crate) fn rewrite(graph: &Graph) -> Result<Option<Graph>> {
    if graph.nodes().iter().all(|node| turned(graph, node).is_none()) {
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
        let outputs = push(graph, &mut result, node, inputs)?;
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

fn push(
    old: &Graph,
    graph: &mut Graph,
    node: &Node,
    mut inputs: Vec<Option<ValueId>>,
) -> Result<Vec<ValueId>> {
    let Some(Turned { op, order }) = turned(old, node) else {
        return graph.push_node(node.op.clone(), inputs, &node.label);
    };
    let mut inverse = vec![0; order.len()];
    for (to, &from) in order.iter().enumerate() {
        inverse[from as usize] = to as u32;
    }
    let transpose = |graph: &mut Graph, id: ValueId, order: Vec<u32>| -> Result<ValueId> {
        let op = Transpose { permutation: Some(order) };
        Ok(graph.push_node(op, vec![Some(id)], &node.label)?[0])
    };
    let input = inputs[0].expect("these operators have an input");
    inputs[0] = Some(transpose(graph, input, order)?);
    let output = graph.push_node(op, inputs, &node.label)?[0];
    Ok(vec![transpose(graph, output, inverse)?])
}

/// An operator on the first operand transposed, whose result is transposed back.
struct Turned {
    op: Op,
    order: Vec<u32>,
}

/// How an operator that has no kernel as it stands is computed.
fn turned(graph: &Graph, node: &Node) -> Option<Turned> {
    let channels_last = |op: Op| Some(Turned { op, order: vec![0, 2, 3, 1] });
    match &node.op {
        Op::Conv2d(op) if op.input_layout == InputLayout::Nchw => {
            let mut op = op.clone();
            op.input_layout = InputLayout::Nhwc;
            channels_last(op.into())
        }
        Op::ConvTranspose2d(op) if op.input_layout == InputLayout::Nchw => {
            let mut op = op.clone();
            op.input_layout = InputLayout::Nhwc;
            channels_last(op.into())
        }
        Op::LayerNormalization(op) => {
            let rank = graph.desc(node.inputs[0]?).rank();
            let axes = op.axes(rank);
            let innermost: Vec<u32> = ((rank - axes.len()) as u32..rank as u32).collect();
            if axes == innermost {
                return None;
            }
            let kept = (0..rank as u32).filter(|axis| !axes.contains(axis));
            let order = kept.chain(axes.iter().copied()).collect();
            let mut op = op.clone();
            op.axes = Some(innermost);
            Some(Turned { op: op.into(), order })
        }
        _others_have_kernels_as_they_stand => None,
    }
}
