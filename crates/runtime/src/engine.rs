//! The engines, as one closed set: what they take, compile and run.

use webnn_core::limits::Limits;
use webnn_core::reference::{self, Tensor};
use webnn_core::{Graph, Result};

/// Compiles graphs.
pub(crate) enum Engine {
    /// The definitions of the operators, by plain loops.
    Reference,
}

/// A compiled graph.
pub(crate) enum Program {
    Reference(Graph),
}

impl Engine {
    pub(crate) fn cpu(threads: Option<usize>) -> Result<Engine> {
        let _ = threads;
        Ok(Engine::Reference)
    }

    pub(crate) fn limits(&self) -> Limits {
        match self {
            Engine::Reference => Limits::default(),
        }
    }

    pub(crate) fn compile(&self, graph: Graph) -> Result<Program> {
        match self {
            Engine::Reference => Ok(Program::Reference(graph)),
        }
    }
}

impl Program {
    /// Computes the outputs from the inputs, both in the order of the graph's ports.
    pub(crate) fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<()> {
        match self {
            Program::Reference(graph) => run_reference(graph, inputs, outputs),
        }
    }
}

fn run_reference(graph: &Graph, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<()> {
    let tensors: Result<Vec<Tensor>> = graph
        .inputs()
        .iter()
        .zip(inputs)
        .map(|(port, bytes)| Tensor::from_bytes(graph.desc(port.value), bytes))
        .collect();
    for (result, output) in reference::run(graph, &tensors?)?.iter().zip(outputs) {
        output.copy_from_slice(&result.to_bytes());
    }
    Ok(())
}
