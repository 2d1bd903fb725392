//! Whether a context takes a graph, asked before the first call is made.

use webnn_core::limits::Presence;
use webnn_core::{Desc, Graph, Node, Source, ValueId};

/// What a context takes, as its `opSupportLimits()` says.
pub(crate) trait Support {
    /// The greatest tensor.
    fn max_byte_length(&self) -> Option<f64>;
    /// Whether there is such a method, or such a kind of tensor as `input`.
    fn has(&self, method: &str) -> bool;
    /// What an operand may be; of kinds of tensors where the slot is empty.
    fn limits(&self, method: &str, slot: &str) -> Option<TensorLimits>;
}

/// The data types and ranks of one operand; what is not said is not limited.
#[derive(Clone, Debug, Default)]
pub(crate) struct TensorLimits {
    pub(crate) data_types: Option<Vec<String>>,
    pub(crate) ranks: Option<(f64, f64)>,
}

/// A call or tensor that the context does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsupported {
    pub(crate) node: String,
    pub(crate) operator: String,
    pub(crate) message: String,
}

/// All that the context does not take; empty where it takes the graph.
pub(crate) fn problems(graph: &Graph, support: &dyn Support) -> Vec<Unsupported> {
    let mut problems = Vec::new();
    for port in graph.inputs() {
        tensor(graph, port.value, "input", &port.name, support, &mut problems);
    }
    for (i, value) in graph.values().iter().enumerate() {
        if let Source::Constant(_) = value.source {
            tensor(graph, ValueId(i as u32), "constant", "", support, &mut problems);
        }
    }
    for node in graph.nodes() {
        call(graph, node, support, &mut problems);
    }
    for port in graph.outputs() {
        tensor(graph, port.value, "output", &port.name, support, &mut problems);
    }
    problems
}

/// An input, a constant or an output.
fn tensor(
    graph: &Graph,
    value: ValueId,
    kind: &str,
    name: &str,
    support: &dyn Support,
    problems: &mut Vec<Unsupported>,
) {
    let desc = graph.desc(value);
    let mut note = |message: String| {
        let problem = Unsupported { node: name.into(), operator: kind.into(), message };
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    if let Some(most) = support.max_byte_length()
        && desc.byte_length() as f64 > most
    {
        note(format!("{desc} has {} bytes, the context takes {most}", desc.byte_length()));
    }
    if let Some(limits) = support.limits(kind, "")
        && let Some(message) = broken(kind, desc, &limits)
    {
        note(message);
    }
}

fn call(graph: &Graph, node: &Node, support: &dyn Support, problems: &mut Vec<Unsupported>) {
    let method = node.op.method();
    let mut note = |message: String| {
        let problem =
            Unsupported { node: node.label.to_string(), operator: method.name.into(), message };
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    if !support.has(method.name) {
        note("the context has no such operation".into());
        return;
    }
    for (i, id) in node.inputs.iter().enumerate() {
        let slot = match method.slots {
            [slot] if slot.presence == Presence::Repeated => Some(slot),
            slots => slots.get(i),
        };
        if let (Some(slot), Some(id)) = (slot, id)
            && let Some(limits) = support.limits(method.name, slot.name)
            && let Some(message) = broken(slot.name, graph.desc(*id), &limits)
        {
            note(message);
        }
    }
}

/// What the limits do not allow, in words.
fn broken(name: &str, desc: Desc, limits: &TensorLimits) -> Option<String> {
    if let Some(types) = &limits.data_types
        && !types.iter().any(|name| name == desc.data_type.name())
    {
        let types = types.join(", ");
        return Some(format!(
            "{name} has data type {}, the context takes {types}",
            desc.data_type.name()
        ));
    }
    let (min, max) = limits.ranks?;
    let rank = desc.rank() as f64;
    (rank < min || rank > max)
        .then(|| format!("{name} has rank {rank}, the context takes {min} to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A context that knows `relu` of one data type alone, and small tensors.
    struct Narrow;

    impl Support for Narrow {
        fn max_byte_length(&self) -> Option<f64> {
            Some(16.0)
        }
        fn has(&self, method: &str) -> bool {
            method == "relu"
        }
        fn limits(&self, method: &str, _: &str) -> Option<TensorLimits> {
            (method == "relu").then(|| TensorLimits {
                data_types: Some(vec!["float16".into()]),
                ranks: Some((0.0, 4.0)),
            })
        }
    }

    #[test]
    fn all_that_a_context_lacks_is_named_at_once() {
        let graph: Graph = "%0 = input \"x\" float32[1, 1, 1, 1, 5]\n\
             %1 = relu(%0) { label: \"first\" }\n\
             %2 = tanh(%1) { label: \"second\" }\n\
             output \"y\" = %2\n"
            .parse()
            .expect("the text is a graph");
        let found = problems(&graph, &Narrow);
        let shown: Vec<String> =
            found.iter().map(|p| format!("{} {}: {}", p.operator, p.node, p.message)).collect();
        assert_eq!(
            shown,
            [
                "input x: float32[1, 1, 1, 1, 5] has 20 bytes, the context takes 16",
                "relu first: input has data type float32, the context takes float16",
                "tanh second: the context has no such operation",
                "output y: float32[1, 1, 1, 1, 5] has 20 bytes, the context takes 16",
            ]
        );
    }
}
