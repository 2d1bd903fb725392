//! Groups as text, for people: what `webnn inspect` shows and what the tests of groups compare.

use std::fmt::Write;

use webnn_core::{Graph, Node, Source, ValueId};

use crate::group::{Group, Pattern, View};

impl Pattern {
    /// A word for the pattern.
    pub fn name(&self) -> &'static str {
        match self {
            Pattern::Single => "single",
            Pattern::Pointwise => "pointwise",
            Pattern::Matrix { .. } => "matrix",
            Pattern::Normalize { .. } => "normalize",
            Pattern::Attention(_) => "attention",
            Pattern::Quantized { .. } => "quantized",
            Pattern::WeightOnly { .. } => "weight-only",
        }
    }
}

/// A line per group, with what it is made of and its result, and a line per node below groups of
/// several.
pub fn print_groups(graph: &Graph, groups: &[Group]) -> String {
    let mut text = String::new();
    for group in groups {
        let nodes: Vec<&Node> = group.nodes.iter().map(|&id| graph.node(id)).collect();
        if let [node] = nodes[..] {
            let _ = writeln!(text, "{}: {}", group.pattern.name(), print_node(graph, node));
            continue;
        }
        let names: Vec<&str> = nodes.iter().map(|node| node.op.method().name).collect();
        let _ = writeln!(text, "{}: {}", group.pattern.name(), names.join(" + "));
        if let Pattern::Attention(attention) = &group.pattern {
            let _ = write!(text, "    scale {}", attention.scale);
            let views = [("q", &attention.q), ("k", &attention.k), ("v", &attention.v)];
            for (name, view) in views.into_iter().chain(attention.mask.iter().map(|m| ("mask", m)))
            {
                let _ = write!(text, ", {name} {}", print_view(graph, view));
            }
            text.push('\n');
        }
        for node in nodes {
            let _ = writeln!(text, "    {}", print_node(graph, node));
        }
    }
    text
}

/// `%3 = conv2d(%0, const, const) float32[1, 8, 8, 4]` and the attributes.
pub(crate) fn print_node(graph: &Graph, node: &Node) -> String {
    let operands: Vec<String> = node
        .inputs
        .iter()
        .map(|input| input.map_or_else(|| "-".into(), |id| print_value(graph, id)))
        .collect();
    let results: Vec<String> = node.outputs.iter().map(|&id| print_value(graph, id)).collect();
    let mut text = format!(
        "{} = {}({}) {}",
        results.join(", "),
        node.op.method().name,
        operands.join(", "),
        graph.desc(node.outputs[0])
    );
    for (name, attr) in node.op.attributes() {
        let _ = write!(text, " {name} {attr}");
    }
    text
}

fn print_value(graph: &Graph, id: ValueId) -> String {
    match &graph.value(id).source {
        Source::Input(index) => graph.inputs()[*index].name.clone(),
        Source::Constant(_) => format!("const{}", graph.desc(id).shape),
        Source::Node(..) => format!("%{}", id.0),
    }
}

fn print_view(graph: &Graph, view: &View) -> String {
    let mut text =
        format!("{}{:?} by {:?}", print_value(graph, view.value), view.sizes, view.strides);
    if view.offset > 0 {
        let _ = write!(text, " from {}", view.offset);
    }
    if view.repeat > 1 {
        let _ = write!(text, " shared by {} heads", view.repeat);
    }
    text
}
