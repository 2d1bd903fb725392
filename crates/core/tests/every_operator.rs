//! One graph with every operator: as text both ways, and its results by definition.

use std::collections::BTreeSet;

use webnn_core::attrs::camel_case;
use webnn_core::number::Number;
use webnn_core::ops::methods;
use webnn_core::reference::{Data, Tensor, run};
use webnn_core::{Graph, Source, ValueId};

/// The graph of the text, every result of a node an output.
fn graph() -> Graph {
    let mut graph: Graph = include_str!("every_operator.txt").parse().expect("the text is right");
    let results: Vec<ValueId> =
        graph.nodes().iter().flat_map(|node| node.outputs.iter().copied()).collect();
    for (i, value) in results.into_iter().enumerate() {
        graph.push_output(format!("y{i}"), value);
    }
    graph
}

#[test]
fn every_operator_and_attribute_survives_as_text() {
    let graph = graph();
    let text = graph.to_string();
    let again: Graph = text.parse().expect("what is printed reads back");
    assert_eq!(again, graph);
    assert_eq!(again.to_string(), text);
}

#[test]
fn the_text_has_every_method_and_attribute() {
    let graph = graph();
    let mut missing: BTreeSet<String> = BTreeSet::new();
    for method in methods() {
        let nodes = || graph.nodes().iter().filter(|node| node.op.method().name == method.name);
        if nodes().next().is_none() {
            missing.insert(method.name.into());
        }
        for field in method.fields {
            let has = |(name, _): &(&str, _)| *name == field.name;
            if !nodes().any(|node| node.op.attributes().iter().any(has)) {
                missing.insert(format!("{}.{}", method.name, camel_case(field.name)));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_result_has_the_shape_and_the_range_that_was_inferred() {
    let graph = graph();
    let inputs: Vec<Tensor> = graph
        .inputs()
        .iter()
        .map(|port| Tensor::filled(graph.desc(port.value), Number::Float(2.5)))
        .collect();
    let results = run(&graph, &inputs).expect("the inputs are those of the graph");
    for (port, result) in graph.outputs().iter().zip(results) {
        let value = graph.value(port.value);
        let Source::Node(node, _) = value.source else { panic!("{} is no result", port.name) };
        let name = graph.node(node).op.method().name;
        assert_eq!(result.desc, value.desc, "{name}");
        // Bytes hold what the type can hold, so nothing was left to round.
        let bytes = result.to_bytes();
        let again = Tensor::from_bytes(result.desc, &bytes).expect("as many bytes");
        match (&result.data, &again.data) {
            (Data::Float(a), Data::Float(b)) => {
                let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
                assert!(a.len() == b.len() && a.iter().zip(b).all(same), "{name}: {a:?}, {b:?}");
            }
            (a, b) => assert_eq!(a, b, "{name}"),
        }
    }
}
