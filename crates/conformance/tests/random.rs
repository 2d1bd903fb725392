//! The engine and the definitions agree on random graphs. `WEBNN_RANDOM_GRAPHS` asks for more of
//! them than the thousand of every test run.

use std::collections::BTreeSet;

use webnn::{ContextOptions, Ml};
use webnn_conformance::random::{check, sample};

#[test]
fn the_cpu_agrees_with_the_definitions() {
    let count = std::env::var("WEBNN_RANDOM_GRAPHS").map_or(1000, |text| text.parse().unwrap());
    let mut context = Ml::new().create_context(&ContextOptions::default()).unwrap();
    let (mut compared, mut unstable) = (0, 0);
    let mut differences = Vec::new();
    for seed in 0..count {
        match check(&context, seed) {
            Ok(coverage) => {
                compared += coverage.compared;
                unstable += coverage.unstable;
            }
            Err(difference) => differences.push(difference),
        }
        if context.lost().now().is_some() {
            context = Ml::new().create_context(&ContextOptions::default()).unwrap();
        }
    }
    // All of them in a line each, and the first graphs whole.
    let lines: Vec<&str> = differences.iter().filter_map(|text| text.lines().next()).collect();
    let few: Vec<&str> = differences.iter().take(3).map(String::as_str).collect();
    assert!(
        differences.is_empty(),
        "{} of {count}:\n{}\n\n{}",
        lines.len(),
        lines.join("\n"),
        few.join("\n")
    );
    // A comparison that calls most elements unstable would compare nothing.
    assert!(compared > 9 * unstable, "{compared} elements compared, {unstable} unstable");
}

#[test]
fn a_seed_always_gives_the_same_graph() {
    for seed in 0..20 {
        let (first, second) = (sample(seed), sample(seed));
        assert_eq!(first.graph, second.graph, "seed {seed}");
        assert!((1..=60).contains(&first.graph.nodes().len()) || first.graph.nodes().is_empty());
    }
}

#[test]
fn every_method_has_a_recipe() {
    let mut missing: BTreeSet<&str> =
        webnn_core::ops::methods().map(|method| method.name).collect();
    for seed in 0..1000 {
        for node in sample(seed).graph.nodes() {
            missing.remove(node.op.method().name);
        }
    }
    assert!(missing.is_empty(), "no random graph has {missing:?}");
}
