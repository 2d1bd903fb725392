//! Random graphs compute the same before and after the passes.

mod common;

use common::{Numbers, random_graph, random_inputs, rules};
use webnn_core::reference;
use webnn_core::reference::{Data, Tensor};
use webnn_passes::{Pattern, group, optimize};

/// Sums that are added in another order, and weights that were scaled, differ in the last bits.
fn assert_close(seed: u64, name: &str, actual: &Tensor, expected: &Tensor) {
    assert_eq!(actual.desc, expected.desc, "seed {seed}, {name}");
    match (&actual.data, &expected.data) {
        (Data::Float(a), Data::Float(e)) => {
            let scale = e.iter().filter(|x| x.is_finite()).fold(1.0f64, |s, x| s.max(x.abs()));
            for (i, (&a, &e)) in a.iter().zip(e).enumerate() {
                let is_close =
                    (a - e).abs() <= 1e-4 * scale || a == e || (a.is_nan() && e.is_nan());
                assert!(is_close, "seed {seed}, {name}[{i}]: {a}, expected {e}");
            }
        }
        (a, e) => assert_eq!(a, e, "seed {seed}, {name}"),
    }
}

#[test]
fn passes_keep_results() {
    for channels_last in [false, true] {
        for seed in 0..1500 {
            let mut numbers = Numbers::new(seed);
            let graph = random_graph(&mut numbers);
            let inputs = random_inputs(&graph, &mut numbers);
            let expected = reference::run(&graph, &inputs).unwrap();
            let optimized = optimize(graph.clone(), &rules(channels_last)).unwrap();
            assert_eq!(optimized.inputs().len(), graph.inputs().len());
            let actual = reference::run(&optimized, &inputs).unwrap();
            for ((port, actual), expected) in graph.outputs().iter().zip(&actual).zip(&expected) {
                assert_close(seed, &port.name, actual, expected);
            }
        }
    }
}

#[test]
fn groups_hold_every_node_once_and_come_in_order() {
    for seed in 0..1500 {
        let graph = random_graph(&mut Numbers::new(seed));
        let rules = rules(true);
        let graph = optimize(graph, &rules).unwrap();
        let groups = group(&graph, &rules);
        let mut computed = vec![false; graph.values().len()];
        let mut seen = vec![false; graph.nodes().len()];
        for value in (0..computed.len())
            .filter(|&i| !matches!(graph.values()[i].source, webnn_core::Source::Node(..)))
        {
            computed[value] = true;
        }
        for group in &groups {
            let mut inside = Vec::new();
            for &id in &group.nodes {
                assert!(!std::mem::replace(&mut seen[id.index()], true), "seed {seed}: twice");
                let node = graph.node(id);
                for input in node.inputs.iter().flatten() {
                    let is_there = computed[input.index()] || inside.contains(input);
                    assert!(is_there, "seed {seed}: {input:?} is used before it is computed");
                }
                inside.extend(&node.outputs);
            }
            let last = graph.node(*group.nodes.last().unwrap());
            let count = if group.pattern == Pattern::Single { last.outputs.len() } else { 1 };
            let visible = &last.outputs[..count];
            visible.iter().for_each(|id| computed[id.index()] = true);
        }
        assert!(seen.iter().all(|&seen| seen), "seed {seed}: a node is in no group");
        assert!(graph.outputs().iter().all(|port| computed[port.value.index()]), "seed {seed}");
    }
}
