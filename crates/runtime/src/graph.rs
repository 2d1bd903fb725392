//! Compiled graphs.

use std::fmt;
use std::sync::{Arc, Mutex};

use webnn_core::{Desc, Error, ErrorKind, Result};
use webnn_cpu::{Stats, StepInfo};

use crate::context::Inner;
use crate::engine::Program;
use crate::ml::Device;
use crate::sync::lock;

/// A graph, compiled. Clones are the same graph; it may be dispatched from any thread.
#[derive(Clone)]
pub struct Graph(pub(crate) Arc<GraphInner>);

pub(crate) struct GraphInner {
    pub(crate) context: Arc<Inner>,
    pub(crate) inputs: Vec<(String, Desc)>,
    pub(crate) outputs: Vec<(String, Desc)>,
    program: Mutex<Option<Arc<Program>>>,
}

impl Graph {
    pub(crate) fn new(
        context: Arc<Inner>,
        inputs: Vec<(String, Desc)>,
        outputs: Vec<(String, Desc)>,
        program: Program,
    ) -> Graph {
        let program = Mutex::new(Some(Arc::new(program)));
        Graph(Arc::new(GraphInner { context, inputs, outputs, program }))
    }

    /// The inputs that a dispatch needs: names, types and shapes.
    pub fn inputs(&self) -> &[(String, Desc)] {
        &self.0.inputs
    }

    /// The outputs that a dispatch gives: names, types and shapes.
    pub fn outputs(&self) -> &[(String, Desc)] {
        &self.0.outputs
    }

    /// What the graph computes on, and why.
    pub fn devices(&self) -> Vec<Device> {
        vec![self.0.context.device().clone()]
    }

    /// What the engine does, step by step; nothing once the graph is destroyed.
    pub fn steps(&self) -> Vec<StepInfo> {
        self.0.program().map_or_else(|_| Vec::new(), |program| program.steps())
    }

    /// The memory that the compiled graph takes, apart from the tensors given to a dispatch.
    pub fn memory(&self) -> Stats {
        self.0.program().map_or_else(|_| Stats::default(), |program| program.stats())
    }

    /// Gives the compiled graph back once the work that is already queued is done. Again does
    /// nothing.
    pub fn destroy(&self) {
        // Dropped outside the lock.
        let _program = lock(&self.0.program).take();
    }
}

impl GraphInner {
    pub(crate) fn program(&self) -> Result<Arc<Program>> {
        let program = lock(&self.program).clone().filter(|_| !self.context.is_lost());
        program.ok_or_else(|| Error::new(ErrorKind::InvalidState, "the graph is destroyed"))
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph")
            .field("inputs", &self.0.inputs)
            .field("outputs", &self.0.outputs)
            .field("is_destroyed", &self.0.program().is_err())
            .finish()
    }
}
