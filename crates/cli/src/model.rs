//! Model files: ONNX, and graphs as text.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use webnn::core::{self, GraphBuilder, Source};
use webnn::{Context, DataType, Desc, Graph, Tensor};
use webnn_onnx::{Dim, ElemType, Fixed};

use crate::failure::misuse;
use crate::input::{Content, json, pair};

/// Which model, and how its free dimensions are settled.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ModelArguments {
    /// An ONNX model, or a graph as text (`.webnn`).
    pub(crate) model: PathBuf,
    /// The size of a free dimension.
    #[arg(long, value_name = "NAME=SIZE", value_delimiter = ',')]
    dims: Vec<String>,
    /// The value of an input that decides shapes or branches: a number or JSON. The graph is built
    /// for it and has no such input any more.
    #[arg(long, value_name = "NAME=VALUE")]
    fix: Vec<String>,
}

/// What the caller settles before a graph is built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settled {
    pub(crate) dims: BTreeMap<String, u32>,
    pub(crate) shapes: BTreeMap<String, Vec<u32>>,
    pub(crate) fixed: BTreeMap<String, Fixed>,
}

/// An input or output as the file declares it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Port {
    pub(crate) name: String,
    /// The data type that the tensor will have; `None` where there is none like it.
    pub(crate) data_type: Option<DataType>,
    /// The element type's name in the file.
    pub(crate) elem: Option<&'static str>,
    /// Sizes, `None` where they are free; no list where not even their number is known.
    pub(crate) dims: Option<Vec<Option<u32>>>,
}

/// A model that has been read.
pub(crate) enum Model {
    Onnx(Box<webnn_onnx::Model>),
    Text(String),
}

/// A graph ready to run, and what it took to get there.
pub(crate) struct Built {
    pub(crate) graph: Graph,
    pub(crate) statistics: Statistics,
    /// From the open file to a checked graph.
    pub(crate) import: Duration,
    /// From the graph to what the engine runs.
    pub(crate) compile: Duration,
}

/// What a graph is made of, before an engine has changed it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statistics {
    pub(crate) nodes: usize,
    /// Methods and how often each is called, the most frequent first.
    pub(crate) methods: Vec<(&'static str, usize)>,
    pub(crate) parameters: u64,
    pub(crate) parameter_bytes: u64,
}

/// Why a model was not built.
pub(crate) enum Obstacle {
    /// These inputs must be known when the graph is built.
    Needs(Vec<String>, anyhow::Error),
    Other(anyhow::Error),
}

impl ModelArguments {
    /// Reads the model, with what the command line settles, which may be added to.
    pub(crate) fn open(&self) -> Result<(Model, Settled)> {
        let mut settled = self.settled()?;
        let model = Model::open(&self.model, &settled)?;
        if self.fix.is_empty() {
            return Ok((model, settled));
        }
        let ports = model.inputs()?;
        for text in &self.fix {
            let wrong = |why: &str| misuse(format!("--fix {text:?}: {why}"));
            let (name, value) = pair(text).ok_or_else(|| wrong("expected NAME=VALUE"))?;
            let port = ports.iter().find(|port| port.name == name);
            let port = port.ok_or_else(|| wrong("there is no such input"))?;
            let content =
                json::read(value.as_bytes()).map_err(|error| wrong(&error.to_string()))?;
            let fixed = port.fixed(&content).ok_or_else(|| wrong(&format!("expected {port}")))?;
            settled.fixed.insert(name.to_owned(), fixed);
        }
        Ok((Model::open(&self.model, &settled)?, settled))
    }

    /// The sizes that the command line gives.
    fn settled(&self) -> Result<Settled> {
        let mut settled = Settled::default();
        for text in &self.dims {
            let size = pair(text).and_then(|(name, size)| Some((name, size.parse().ok()?)));
            let Some((name, size)) = size else {
                return Err(misuse(format!("--dims {text:?}: expected NAME=SIZE")));
            };
            settled.dims.insert(name.to_owned(), size);
        }
        Ok(settled)
    }

    /// Reads, builds and compiles, with every free dimension settled by the command line.
    pub(crate) fn build(&self, context: &Context) -> Result<(Model, Built)> {
        let (model, _) = self.open()?;
        let built = model.build(context).map_err(Obstacle::into_error);
        Ok((model, built.with_context(|| self.model.display().to_string())?))
    }
}

impl Obstacle {
    pub(crate) fn into_error(self) -> anyhow::Error {
        match self {
            Obstacle::Needs(_, error) | Obstacle::Other(error) => error,
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Obstacle {
    fn from(error: E) -> Obstacle {
        Obstacle::Other(error.into())
    }
}

impl Model {
    pub(crate) fn open(path: &Path, settled: &Settled) -> Result<Model> {
        if path.extension().is_some_and(|ending| ending == "webnn") {
            if let Some(name) = settled.dims.keys().next() {
                return Err(misuse(format!("--dims {name}: a graph has no free dimensions")));
            }
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            return Ok(Model::Text(text));
        }
        let options = webnn_onnx::Options {
            dims: settled.dims.clone(),
            input_shapes: settled.shapes.clone(),
            fixed: settled.fixed.clone(),
            ..webnn_onnx::Options::default()
        };
        match webnn_onnx::Model::open(path, &options) {
            Ok(model) => Ok(Model::Onnx(Box::new(model))),
            Err(webnn_onnx::Error::Option(message)) => Err(misuse(message)),
            // The file's name is in the error already.
            Err(error @ webnn_onnx::Error::Io { .. }) => Err(error.into()),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// The inputs that a caller feeds.
    pub(crate) fn inputs(&self) -> Result<Vec<Port>> {
        Ok(match self {
            Model::Onnx(model) => model.inputs().iter().map(Port::from).collect(),
            Model::Text(text) => {
                let graph = core::text::parse(text, core::Limits::default())?;
                let port = |port: &core::graph::Port| {
                    let desc = graph.desc(port.value);
                    Port {
                        name: port.name.clone(),
                        data_type: Some(desc.data_type),
                        elem: None,
                        dims: Some(desc.shape.iter().map(|&size| Some(size)).collect()),
                    }
                };
                graph.inputs().iter().map(port).collect()
            }
        })
    }

    /// Builds the graph and compiles it.
    pub(crate) fn build(&self, context: &Context) -> Result<Built, Obstacle> {
        let start = Instant::now();
        let graph = self.graph(context)?;
        let statistics = Statistics::of(&graph);
        let import = start.elapsed();
        let start = Instant::now();
        let graph = context.compile(graph)?;
        Ok(Built { graph, statistics, import, compile: start.elapsed() })
    }

    fn graph(&self, context: &Context) -> Result<core::Graph, Obstacle> {
        let limits = context.op_support_limits().clone();
        let model = match self {
            Model::Onnx(model) => model,
            Model::Text(text) => return Ok(core::text::parse(text, limits)?),
        };
        let mut builder = GraphBuilder::new(limits);
        let outputs = match model.build(&mut builder) {
            Ok(outputs) => outputs,
            Err(error) => {
                let needs = match &error {
                    webnn_onnx::Error::Problems(problems) => {
                        problems.iter().flat_map(|problem| problem.needs.clone()).collect()
                    }
                    webnn_onnx::Error::Io { .. }
                    | webnn_onnx::Error::Malformed(_)
                    | webnn_onnx::Error::Option(_) => Vec::new(),
                };
                return Err(Obstacle::Needs(needs, error.into()));
            }
        };
        let outputs: Vec<(&str, core::Operand)> =
            outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
        Ok(builder.build(&outputs)?)
    }
}

impl Statistics {
    fn of(graph: &core::Graph) -> Statistics {
        let mut counts = BTreeMap::new();
        for node in graph.nodes() {
            *counts.entry(node.op.method().name).or_insert(0) += 1;
        }
        let mut methods: Vec<(&'static str, usize)> = counts.into_iter().collect();
        methods.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
        let mut statistics =
            Statistics { nodes: graph.nodes().len(), methods, ..Statistics::default() };
        for value in graph.values() {
            match &value.source {
                Source::Constant(bytes) => {
                    statistics.parameters += value.desc.shape.elements();
                    statistics.parameter_bytes += bytes.len() as u64;
                }
                Source::Input(_) | Source::Node(..) => {}
            }
        }
        statistics
    }
}

/// Tensors with their names, as a dispatch takes them.
pub(crate) fn by_name<'a>(tensors: &'a [(&'a str, Tensor)]) -> Vec<(&'a str, &'a Tensor)> {
    tensors.iter().map(|(name, tensor)| (*name, tensor)).collect()
}

impl Port {
    /// The content as the value of an input that is known when the graph is built.
    pub(crate) fn fixed(&self, content: &Content) -> Option<Fixed> {
        let (data_type, shape) = (self.data_type?, content.shape_for(self)?);
        let desc = Desc::checked(data_type, &shape).ok()?;
        let bytes = content.bytes_for(desc).ok()?.into();
        let elem = ElemType::from_name(self.elem.unwrap_or(data_type.name()))?;
        // A type that is carried by a wider one is not laid out as the file would have it.
        let is_same = elem.bits() == data_type.bits();
        is_same.then_some(Fixed { elem, dims: shape, bytes })
    }
}

impl From<&webnn_onnx::Port> for Port {
    fn from(port: &webnn_onnx::Port) -> Port {
        let size = |dim: &Dim| match dim {
            Dim::Size(size) => Some(*size),
            Dim::Named(_) | Dim::Unknown => None,
        };
        Port {
            name: port.name.clone(),
            data_type: port.elem.and_then(ElemType::carrier),
            elem: port.elem.map(ElemType::name),
            dims: port.dims.as_ref().map(|dims| dims.iter().map(size).collect()),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.data_type {
            Some(data_type) => write!(f, "{data_type}")?,
            None => f.write_str("of another type")?,
        }
        let Some(dims) = &self.dims else { return Ok(()) };
        let size = |dim: &Option<u32>| dim.map_or_else(|| "?".to_owned(), |dim| dim.to_string());
        write!(f, "[{}]", dims.iter().map(size).collect::<Vec<_>>().join(", "))
    }
}
