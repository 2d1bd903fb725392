//! The CPU engine: graphs compiled to steps over an arena.
//!
//! [`Engine::compile`] decides everything: which nodes are computed together, by which kernel, and
//! where every value lies. [`Program::run`] then only computes: it allocates nothing, and its
//! results have the same bits for any number of threads.
#![allow(unsafe_code, reason = "views of the arena, and jobs for threads; every block says why")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "kernels take what they know; the lists of all operators are in ops.rs, alias.rs, cost.rs"
)]

mod alias;
mod blocks;
mod chains;
mod compile;
mod cost;
mod factors;
mod io;
mod kernel;
mod layout;
mod ops;
mod peak;
mod program;
mod rewrite;
mod tensor;
mod threads;

use std::sync::{Arc, Mutex, PoisonError};

use webnn_core::limits::PreferredLayout;
use webnn_core::{Bytes, Desc, Graph, Limits, Node, Result};
use webnn_kernels::Isa;

pub use peak::Peaks;
pub use program::{Arithmetic, Port, Profile, Program, Stats, StepInfo};
pub use tensor::Tensor;
pub use threads::{Helper, Threads};

/// How an engine is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The number of threads; `None` for as many as the machine has.
    pub threads: Option<usize>,
}

/// A CPU with some threads.
#[derive(Clone)]
pub struct Engine {
    threads: Arc<Threads>,
    helpers: Arc<Mutex<Vec<Helper>>>,
    isa: Isa,
}

/// What every engine of this kind takes, on whatever processor.
pub fn limits() -> Limits {
    Limits { preferred_input_layout: PreferredLayout::Nhwc, ..Limits::default() }
}

impl Engine {
    /// Starts the threads, or leaves that to the host: see [`Engine::helpers`].
    pub fn new(options: Options) -> Engine {
        let (threads, helpers) = start(options.threads);
        let helpers = Arc::new(Mutex::new(helpers));
        Engine { threads: Arc::new(threads), helpers, isa: Isa::best() }
    }

    /// Places for threads that the host is to start, each to call [`Helper::work`]; given out once.
    /// There are some where only the host can: in WebAssembly.
    pub fn helpers(&self) -> Vec<Helper> {
        std::mem::take(&mut *self.helpers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the engine takes.
    pub fn limits(&self) -> Limits {
        limits()
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.threads.count()
    }

    /// The instruction set that the kernels use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Measures what the machine can do at most with the engine's threads and instruction set,
    /// for about half a second.
    pub fn measure_peaks(&self) -> Peaks {
        Peaks::measure(self.isa, &self.threads)
    }

    /// A tensor full of zeros.
    pub fn tensor(&self, desc: &Desc) -> Result<Tensor> {
        Tensor::zeroed(*desc)
    }

    /// Decides how to compute a graph.
    pub fn compile(&self, graph: Graph) -> Result<Program> {
        compile::compile(self, graph)
    }

    /// Computes one node whose operands are constants.
    fn evaluate(
        &self,
        node: &Node,
        results: &[Desc],
        operands: &[Option<(Desc, &Bytes)>],
    ) -> Result<Vec<Bytes>> {
        let mut graph = Graph::new();
        let mut tensors = Vec::new();
        let mut inputs = Vec::new();
        for operand in operands {
            inputs.push(match operand {
                Some((desc, bytes)) => {
                    tensors.push(Tensor::from_bytes(*desc, bytes)?);
                    Some(graph.push_input(format!("{}", tensors.len()), *desc))
                }
                None => None,
            });
        }
        let outputs = graph.push_inferred(node.op.clone(), inputs, results, &node.label);
        for (i, &output) in outputs.iter().enumerate() {
            graph.push_output(format!("{i}"), output);
        }
        let program = compile::compile_as_is(self, graph)?;
        let mut computed =
            results.iter().map(|&desc| Tensor::zeroed(desc)).collect::<Result<Vec<Tensor>>>()?;
        let tensors: Vec<&Tensor> = tensors.iter().collect();
        program.run(&tensors, &mut computed.iter_mut().collect::<Vec<&mut Tensor>>())?;
        Ok(computed.iter().map(|tensor| tensor.to_vec().into()).collect())
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn start(count: Option<usize>) -> (Threads, Vec<Helper>) {
    let available = || std::thread::available_parallelism().map_or(1, usize::from);
    (Threads::new(count.unwrap_or_else(available)), Vec::new())
}

#[cfg(target_arch = "wasm32")]
fn start(count: Option<usize>) -> (Threads, Vec<Helper>) {
    // Memory that threads cannot share has no use for more than one.
    let most = if cfg!(target_feature = "atomics") { usize::MAX } else { 1 };
    Threads::hosted(count.unwrap_or(1).min(most))
}
