//! `MLGraphBuilder` over the specification's builder: state of the context and constant tensors.

use std::sync::{Arc, Mutex};

use webnn_core::attrs::Args;
use webnn_core::error::ensure;
use webnn_core::graph::Port;
use webnn_core::ops::Inputs;
use webnn_core::{
    Bytes, DataType, Desc, Error, ErrorKind, GraphBuilder as Builder, Number, Operand, Result,
    Source,
};

use crate::context::Inner;
use crate::element::Element;
use crate::engine::{Engine, Program};
use crate::graph::Graph;
use crate::sync::lock;
use crate::tensor::Tensor;
use crate::timeline::panicked;

/// Builds one graph. Clones, such as [`GraphBuilder::label`] gives, are the same builder.
///
/// Methods are named as in the specification, with Rust's spelling: required operands and
/// parameters first, then the options.
///
/// ```
/// use webnn::{Conv2dOptions, ContextOptions, DataType, Ml};
///
/// let context = Ml::new().create_context(&ContextOptions::default())?;
/// let builder = context.graph_builder()?;
/// let image = builder.input("image", DataType::Float32, &[1, 8, 32, 32])?;
/// let filter = builder.input("filter", DataType::Float32, &[16, 3, 3, 3])?;
/// let options = Conv2dOptions { padding: Some([1; 4]), ..Default::default() };
/// let error = builder.label("stem").conv2d(image, filter, options).unwrap_err();
/// assert_eq!(
///     error.message(),
///     "conv2d [stem]: filter has 3 input channels, expected 8 (8 channels in 1 groups)"
/// );
/// # Ok::<(), webnn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GraphBuilder {
    shared: Arc<Shared>,
    label: Arc<str>,
}

struct Shared {
    context: Arc<Inner>,
    state: Mutex<State>,
}

struct State {
    builder: Builder,
    constant_tensors: Vec<(Operand, Tensor)>,
}

impl GraphBuilder {
    pub(crate) fn new(context: Arc<Inner>) -> GraphBuilder {
        let builder = Builder::new(context.limits.clone());
        let state = Mutex::new(State { builder, constant_tensors: Vec::new() });
        GraphBuilder { shared: Arc::new(Shared { context, state }), label: "".into() }
    }

    /// This builder, giving what it adds a label: for messages and profiles.
    pub fn label(&self, label: &str) -> GraphBuilder {
        GraphBuilder { shared: self.shared.clone(), label: label.into() }
    }

    /// An input of the graph; the name is not empty and no other input's.
    pub fn input(&self, name: &str, data_type: DataType, shape: &[u32]) -> Result<Operand> {
        self.edit("input", |builder| builder.input(name, data_type, shape))
    }

    /// A constant with the given elements, row-major and little-endian. [`Bytes`] are shared, not
    /// copied.
    pub fn constant(
        &self,
        data_type: DataType,
        shape: &[u32],
        bytes: impl Into<Bytes>,
    ) -> Result<Operand> {
        self.edit("constant", |builder| builder.constant(data_type, shape, bytes))
    }

    /// A constant of so many bytes that lie in another place: see [`Bytes::external`]. Only a
    /// context [elsewhere](crate::Context::elsewhere) builds with it.
    pub fn constant_external(
        &self,
        data_type: DataType,
        shape: &[u32],
        byte_length: usize,
        id: u32,
    ) -> Result<Operand> {
        self.edit("constant", |builder| {
            builder.constant_external(data_type, shape, byte_length, id)
        })
    }

    /// Adds an operator by the specification's names: the method's, and those of the operands.
    ///
    /// ```
    /// use webnn::core::attrs::{Args, Attr};
    /// use webnn::{ContextOptions, DataType, Ml, Number};
    ///
    /// let builder = Ml::new().create_context(&ContextOptions::default())?.graph_builder()?;
    /// let x = builder.input("x", DataType::Float32, &[2, 3])?;
    /// let args = Args::new().with("axis", Attr::Number(Number::Int(1)));
    /// let results = builder.add_named("softmax", &[("input", vec![x])], &args, "scores")?;
    /// assert_eq!(results[0].shape().to_vec(), [2, 3]);
    /// # Ok::<(), webnn::Error>(())
    /// ```
    pub fn add_named(
        &self,
        method: &str,
        operands: &[(&str, Vec<Operand>)],
        attributes: &Args,
        label: &str,
    ) -> Result<Vec<Operand>> {
        self.edit(method, |builder| builder.add_named(method, operands, attributes, label))
    }

    /// A constant with the elements of a slice.
    pub fn constant_slice<T: Element>(&self, shape: &[u32], elements: &[T]) -> Result<Operand> {
        self.constant(T::DATA_TYPE, shape, bytemuck::cast_slice::<T, u8>(elements).to_vec())
    }

    /// A constant of shape `[]`; the number is rounded and clamped to the data type.
    pub fn scalar(&self, data_type: DataType, value: impl Into<Number>) -> Result<Operand> {
        self.edit("constant", |builder| builder.scalar(data_type, value))
    }

    /// A constant tensor of the same context as a constant.
    pub fn constant_tensor(&self, tensor: &Tensor) -> Result<Operand> {
        let refuse = |message: &str| Err(Error::type_error(message).at("constant"));
        if !Arc::ptr_eq(&tensor.0.context, &self.shared.context) {
            return refuse("the tensor belongs to another context");
        }
        if tensor.0.is_destroyed() {
            return refuse("the tensor is destroyed");
        }
        let Some(bytes) = tensor.0.constant() else {
            return refuse("the tensor is not constant");
        };
        let operand = self.constant(tensor.data_type(), &tensor.shape(), bytes)?;
        lock(&self.shared.state).constant_tensors.push((operand, tensor.clone()));
        Ok(operand)
    }

    /// Lets a function add to the graph through the specification's builder beneath, as importers
    /// of model files do.
    pub fn with_core<T>(&self, add: impl FnOnce(&mut Builder) -> T) -> Result<T> {
        self.edit("MLGraphBuilder", |builder| Ok(add(builder)))
    }

    /// Compiles what the named operands need. A failed check leaves the builder usable; otherwise
    /// it has done its work.
    pub fn build(&self, outputs: &[(&str, Operand)]) -> Result<Graph> {
        let graph = self.finish(outputs)?;
        compile(&self.shared.context, graph)
    }

    /// The checks of [`GraphBuilder::build`], and what it would compile: for
    /// [`Context::compile`](crate::Context::compile) on another thread, or in another place.
    pub fn finish(&self, outputs: &[(&str, Operand)]) -> Result<webnn_core::Graph> {
        let mut state = self.open("build")?;
        if let Some(name) = state.destroyed_tensor(outputs) {
            let message = format!("a constant tensor that output {name:?} needs is destroyed");
            return Err(Error::type_error(message).at("build"));
        }
        state.builder.build(outputs)
    }

    pub(crate) fn call(
        &self,
        method: &'static str,
        operands: &[Option<Operand>],
        args: &Args,
    ) -> Result<Vec<Operand>> {
        self.edit(method, |builder| builder.add(method, operands, args, &self.label))
    }

    pub(crate) fn call_one(
        &self,
        method: &'static str,
        operands: &[Option<Operand>],
        args: &Args,
    ) -> Result<Operand> {
        Ok(self.call(method, operands, args)?[0])
    }

    fn edit<T>(&self, place: &str, add: impl FnOnce(&mut Builder) -> Result<T>) -> Result<T> {
        add(&mut self.open(place)?.builder)
    }

    /// The builder beneath, unless the context is lost. That it has built, it says itself.
    fn open(&self, place: &str) -> Result<std::sync::MutexGuard<'_, State>> {
        self.shared.context.check_not_lost(place)?;
        Ok(lock(&self.shared.state))
    }
}

impl State {
    /// The name of an output that needs a constant tensor which is destroyed.
    fn destroyed_tensor<'a>(&self, outputs: &[(&'a str, Operand)]) -> Option<&'a str> {
        let destroyed = self.constant_tensors.iter().filter(|(_, tensor)| tensor.0.is_destroyed());
        let destroyed: Vec<Operand> = destroyed.map(|&(operand, _)| operand).collect();
        let needs = |output| destroyed.iter().any(|&one| self.builder.depends_on(output, one));
        outputs.iter().find(|&&(_, output)| needs(output)).map(|&(name, _)| name)
    }
}

/// Compiles a graph on a context's engine.
pub(crate) fn compile(context: &Arc<Inner>, graph: webnn_core::Graph) -> Result<Graph> {
    let ports = |ports: &[Port]| -> Vec<(String, Desc)> {
        ports.iter().map(|port| (port.name.clone(), graph.desc(port.value))).collect()
    };
    let (inputs, outputs) = (ports(graph.inputs()), ports(graph.outputs()));
    let program = program(context, graph).map_err(|error| error.at("build"))?;
    // It may have been lost meanwhile.
    context.check_not_lost("build")?;
    Ok(Graph::new(context.clone(), inputs, outputs, program))
}

/// What the engine makes of a graph.
fn program(context: &Arc<Inner>, graph: webnn_core::Graph) -> Result<Program> {
    if !matches!(context.engine, Engine::Elsewhere) {
        check_constants(&graph)?;
    }
    let compile = std::panic::AssertUnwindSafe(|| context.engine.compile(graph));
    std::panic::catch_unwind(compile).unwrap_or_else(|panic| {
        let reason = panicked("build", panic.as_ref());
        context.lose(&reason);
        Err(Error::new(ErrorKind::Operation, reason))
    })
}

/// Fails unless every constant's bytes are here.
fn check_constants(graph: &webnn_core::Graph) -> Result<()> {
    for value in graph.values() {
        if let Source::Constant(bytes) = &value.source {
            let id = bytes.external_id();
            ensure!(id.is_none(), "the bytes of constant {} lie in another place", id.unwrap_or(0));
        }
    }
    Ok(())
}

/// Fails unless every node's results are what its operator infers.
pub(crate) fn verify(graph: &webnn_core::Graph) -> Result<()> {
    for node in graph.nodes() {
        let operands: Vec<Option<Desc>> =
            node.inputs.iter().map(|id| id.map(|id| graph.desc(id))).collect();
        let inferred = node.op.infer(&Inputs(&operands))?;
        let results: Vec<Desc> = node.outputs.iter().map(|&id| graph.desc(id)).collect();
        let name = node.op.method().name;
        ensure!(inferred == results, "{name} results in {results:?}, expected {inferred:?}");
    }
    Ok(())
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        lock(&self.state).builder.fmt(f)
    }
}
