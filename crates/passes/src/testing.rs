//! What the tests of the passes share: graphs as text, before and after.

use webnn_core::reference::{self, Tensor};
use webnn_core::{Bytes, Desc, Graph, Node, Result};

use crate::group::group;
use crate::print::print_groups;
use crate::rewrite::Rewrite;
use crate::{Patterns, Rules, optimize};

fn evaluate(
    node: &Node,
    results: &[Desc],
    operands: &[Option<(Desc, &Bytes)>],
) -> Result<Vec<Bytes>> {
    let tensors: Result<Vec<Option<Tensor>>> = operands
        .iter()
        .map(|operand| operand.map(|(desc, bytes)| Tensor::from_bytes(desc, bytes)).transpose())
        .collect();
    let tensors = tensors?;
    let tensors: Vec<Option<&Tensor>> = tensors.iter().map(Option::as_ref).collect();
    Ok(node.op.reference(&tensors, results).iter().map(Bytes::from).collect())
}

pub(crate) const RULES: Rules<'static> = Rules {
    evaluate: &evaluate,
    channels_last: true,
    single_for_half: true,
    patterns: Patterns::ALL,
};

pub(crate) fn parse(text: &str) -> Graph {
    text.parse().unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

/// The graph with constants in the order in which nodes take them, as text.
fn canonical(graph: &Graph) -> String {
    let mut rewrite = Rewrite::new(graph);
    for node in graph.nodes() {
        let operands = rewrite.operands(node);
        rewrite.keep(node, operands);
    }
    rewrite.finish().expect("a copy is as valid").to_string()
}

/// Some numbers, the same for equal descriptors.
pub(crate) fn random(desc: Desc) -> Tensor {
    let element = |i: usize| ((i * 37 + 11) % 64) as i128;
    if desc.data_type.is_float() {
        let elements = (0..desc.elements()).map(|i| element(i) as f64 / 16.0 - 1.5);
        Tensor::float(desc, elements.collect())
    } else {
        Tensor::int(desc, (0..desc.elements()).map(element).collect())
    }
}

/// Asserts what a pass makes of a graph, and that both compute the same of some numbers.
pub(crate) fn assert_pass(pass: impl Fn(Graph) -> Result<Graph>, before: &str, after: &str) {
    let graph = parse(before);
    let result = pass(graph.clone()).expect("passes take every graph");
    let (actual, expected) = (canonical(&result), canonical(&parse(after)));
    assert_eq!(actual, expected, "\n{actual}\nexpected\n{expected}");
    let inputs: Vec<Tensor> =
        graph.inputs().iter().map(|port| random(graph.desc(port.value))).collect();
    let expected = reference::run(&graph, &inputs).expect("the graph is valid");
    let actual = reference::run(&result, &inputs).expect("the graph is valid");
    for (actual, expected) in actual.iter().zip(&expected) {
        assert_eq!(actual.desc, expected.desc);
        if !expected.desc.data_type.is_float() {
            assert_eq!(actual, expected);
            continue;
        }
        for (a, e) in actual.floats().iter().zip(expected.floats()) {
            assert!((a - e).abs() <= 1e-5 * e.abs().max(1.0) || a == e, "{a}, expected {e}");
        }
    }
}

/// Asserts the groups of a graph that has been optimized, one line each.
pub(crate) fn assert_groups(text: &str, expected: &[&str]) {
    let graph = optimize(parse(text), &RULES).expect("passes take every graph");
    let groups = group(&graph, &RULES);
    let text = print_groups(&graph, &groups);
    let lines: Vec<String> = groups
        .iter()
        .map(|group| {
            let names = group.nodes.iter().map(|&id| graph.node(id).op.method().name);
            format!("{}: {}", group.pattern.name(), names.collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(lines, expected, "\n{text}");
}
