//! Gives each quantized operator dequantizations of its own and folds those of constants, and casts of
//! weights, that no group takes. The last of the passes: others would undo it.

use webnn_core::{Desc, Graph, Op, Result, Source};

use crate::group::{Pattern, group, quantized_matches};
use crate::rewrite::Rewrite;
use crate::{Rules, fold, live};

/// The graph with dequantizations and casts of constants folded unless a group computes with the
/// narrow ones, and all that then is constant.
pub(crate) fn fold(graph: &Graph, rules: &Rules<'_>) -> Result<Graph> {
    let mut is_kept = vec![false; graph.nodes().len()];
    if rules.patterns.quantized {
        let nodes = quantized_matches(graph).into_iter().flat_map(|found| found.dequantize);
        nodes.for_each(|id| is_kept[id.index()] = true);
    }
    for group in group(graph, rules) {
        match group.pattern {
            Pattern::WeightOnly { root } | Pattern::Matrix { root } => {
                let before = group.nodes.iter().filter(|&&id| id < root);
                before.for_each(|id| is_kept[id.index()] = true);
            }
            Pattern::Single
            | Pattern::Pointwise
            | Pattern::Normalize { .. }
            | Pattern::Attention(_)
            | Pattern::Quantized { .. } => {}
        }
    }
    let mut rewrite = Rewrite::new(graph);
    for (node, is_kept) in graph.nodes().iter().zip(is_kept) {
        let operands = rewrite.operands(node);
        let results: Vec<Desc> = node.outputs.iter().map(|&id| graph.desc(id)).collect();
        let folded = if is_kept {
            None
        } else {
            fold::evaluate(&mut rewrite, node, &results, &operands, rules)
        };
        match folded {
            Some(values) => rewrite.set_all(node, &values),
            None => rewrite.keep(node, operands),
        }
    }
    rewrite.finish()
}

/// The graph with a copy of each dequantization for every quantized operator that takes it, so
/// that it can be a part of more than one group: it then is no work at all.
pub(crate) fn unshare(graph: &Graph, rules: &Rules<'_>) -> Result<Graph> {
    if !rules.patterns.quantized {
        return Ok(graph.clone());
    }
    let mut is_root = vec![false; graph.nodes().len()];
    quantized_matches(graph).iter().for_each(|found| is_root[found.root.index()] = true);
    let uses = live::uses(graph);
    let mut copy = Graph::new();
    let mut values = Vec::with_capacity(graph.values().len());
    for value in graph.values() {
        values.push(match &value.source {
            Source::Input(index) => {
                Some(copy.push_input(graph.inputs()[*index].name.clone(), value.desc))
            }
            Source::Constant(bytes) => Some(copy.push_constant(value.desc, bytes.clone())?),
            Source::Node(..) => None,
        });
    }
    for (node, is_root) in graph.nodes().iter().zip(is_root) {
        let mut operands = Vec::with_capacity(node.inputs.len());
        for (slot, input) in node.inputs.iter().enumerate() {
            let maker = input.and_then(|id| graph.producer(id)).map(|id| graph.node(id));
            let operand = match (maker, *input) {
                (Some(maker), Some(id))
                    if is_root
                        && uses[id.index()] > 1
                        && matches!(maker.op, Op::DequantizeLinear(_)) =>
                {
                    match node.inputs[..slot].iter().position(|other| *other == Some(id)) {
                        Some(earlier) => operands[earlier],
                        None => {
                            let inputs =
                                maker.inputs.iter().map(|id| id.and_then(|id| values[id.index()]));
                            let inputs = inputs.collect();
                            let results = [graph.desc(id)];
                            let op = maker.op.clone();
                            Some(copy.push_inferred(op, inputs, &results, &maker.label)[0])
                        }
                    }
                }
                (_, id) => id.and_then(|id| values[id.index()]),
            };
            operands.push(operand);
        }
        let results: Vec<Desc> = node.outputs.iter().map(|&id| graph.desc(id)).collect();
        let outputs = copy.push_inferred(node.op.clone(), operands, &results, &node.label);
        for (old, new) in node.outputs.iter().zip(outputs) {
            values[old.index()] = Some(new);
        }
    }
    for port in graph.outputs() {
        let value = values[port.value.index()].expect("nodes are in topological order");
        copy.push_output(port.name.clone(), value);
    }
    Ok(live::sweep(&copy))
}
