//! The engines, as one closed set: what they take, compile and run.

use std::sync::Mutex;
use std::time::Duration;

use webnn_core::limits::Limits;
use webnn_core::{Desc, Error, ErrorKind, Graph, Result, reference};
use webnn_cpu::{Helper, Options, Peaks, Stats, StepInfo, Tensor};

use crate::tensor::Memory;

/// Compiles graphs.
pub(crate) enum Engine {
    Cpu(webnn_cpu::Engine),
    /// The definitions of the operators, by plain loops.
    Reference,
    /// An engine in another place: calls are checked here, and computed there.
    Elsewhere,
}

/// A compiled graph.
pub(crate) enum Program {
    Cpu(webnn_cpu::Program),
    Reference(Graph),
    Elsewhere,
}

impl Engine {
    pub(crate) fn cpu(threads: Option<usize>) -> Engine {
        Engine::Cpu(webnn_cpu::Engine::new(Options { threads }))
    }

    /// What it computes with, in words.
    pub(crate) fn details(&self) -> String {
        match self {
            Engine::Cpu(engine) => {
                let count = engine.threads();
                let threads = if count == 1 { "thread" } else { "threads" };
                format!("{}, {count} {threads}", engine.isa().name())
            }
            Engine::Reference => "plain loops".into(),
            Engine::Elsewhere => "in another place".into(),
        }
    }

    /// Places for threads that the host is to start.
    pub(crate) fn helpers(&self) -> Vec<Helper> {
        match self {
            Engine::Cpu(engine) => engine.helpers(),
            Engine::Reference | Engine::Elsewhere => Vec::new(),
        }
    }

    /// What the device can do at most; nothing where it is not computed with here.
    pub(crate) fn measure_peaks(&self) -> Option<Peaks> {
        match self {
            Engine::Cpu(engine) => Some(engine.measure_peaks()),
            Engine::Reference | Engine::Elsewhere => None,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        match self {
            Engine::Cpu(engine) => engine.limits(),
            Engine::Reference => Limits::default(),
            // Every engine of ours is the CPU's, wherever it runs.
            Engine::Elsewhere => webnn_cpu::limits(),
        }
    }

    /// Zeroed memory; fails where there is none.
    pub(crate) fn tensor(&self, desc: &Desc) -> Result<Memory> {
        if let Engine::Elsewhere = self {
            return Ok(Memory::Elsewhere);
        }
        // The allocation proper would end the process when it fails; this one says so.
        let length = usize::try_from(desc.byte_length()).unwrap_or(usize::MAX);
        Vec::<u8>::new().try_reserve_exact(length).map_err(|_| {
            let message = format!("{desc} takes {length} bytes, more memory than there is");
            Error::new(ErrorKind::Unknown, message)
        })?;
        let tensor = match self {
            Engine::Cpu(engine) => engine.tensor(desc)?,
            Engine::Reference | Engine::Elsewhere => Tensor::zeroed(*desc)?,
        };
        Ok(Memory::Timeline(Mutex::new(Some(tensor))))
    }

    pub(crate) fn compile(&self, graph: Graph) -> Result<Program> {
        match self {
            Engine::Cpu(engine) => engine.compile(graph).map(Program::Cpu),
            Engine::Reference => Ok(Program::Reference(graph)),
            Engine::Elsewhere => Ok(Program::Elsewhere),
        }
    }
}

impl Program {
    /// Computes the outputs from the inputs, both in the order of the graph's ports.
    pub(crate) fn run(&self, inputs: &[&Tensor], outputs: &mut [&mut Tensor]) -> Result<()> {
        match self {
            Program::Cpu(program) => program.run(inputs, outputs),
            Program::Reference(graph) => run_reference(graph, inputs, outputs),
            Program::Elsewhere => Ok(()),
        }
    }

    /// The same, and the time that each step took.
    pub(crate) fn run_profiled(
        &self,
        inputs: &[&Tensor],
        outputs: &mut [&mut Tensor],
    ) -> Result<Vec<Duration>> {
        match self {
            Program::Cpu(program) => program.run_profiled(inputs, outputs),
            Program::Reference(graph) => {
                run_reference(graph, inputs, outputs)?;
                Ok(Vec::new())
            }
            Program::Elsewhere => Ok(Vec::new()),
        }
    }

    pub(crate) fn steps(&self) -> Vec<StepInfo> {
        match self {
            Program::Cpu(program) => program.steps().to_vec(),
            Program::Reference(_) | Program::Elsewhere => Vec::new(),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        match self {
            Program::Cpu(program) => program.stats(),
            Program::Reference(_) | Program::Elsewhere => Stats::default(),
        }
    }
}

fn run_reference(graph: &Graph, inputs: &[&Tensor], outputs: &mut [&mut Tensor]) -> Result<()> {
    let inputs: Result<Vec<reference::Tensor>> =
        inputs.iter().map(|tensor| reference::Tensor::from_bytes(*tensor.desc(), tensor)).collect();
    for (result, output) in reference::run(graph, &inputs?)?.iter().zip(outputs) {
        output.copy_from_slice(&result.to_bytes());
    }
    Ok(())
}
