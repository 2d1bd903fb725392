//! A model: what a file holds, its inputs and outputs, and the graph made of it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use prost::Message;
use webnn_core::{GraphBuilder, Operand};
use webnn_file::MappedFile;

use crate::constants::Constants;
use crate::elem::ElemType;
use crate::error::{Error, Problem, Reason, Result};
use crate::import;
use crate::wire::{
    DimensionValue, FunctionProto, GraphProto, ModelProto, OperatorSetIdProto, TensorShapeProto,
    TypeValue, ValueInfoProto,
};

/// What the caller settles before a graph is built, and how far a model may go.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sizes of free dimensions by name.
    pub dims: BTreeMap<String, u32>,
    /// Whole shapes of inputs by name; they come before `dims`.
    pub input_shapes: BTreeMap<String, Vec<u32>>,
    /// Inputs that are known: they become constants, and the graph has no such input.
    pub fixed: BTreeMap<String, Fixed>,
    /// The most nodes that are looked at, those of functions and unrolled loops counted each time.
    pub max_nodes: u64,
    /// The most rounds of an unrolled loop.
    pub max_rounds: u64,
    /// The most elements that nodes of known values may have computed together.
    pub max_known: u64,
    /// The deepest nesting of functions, branches and loops.
    pub max_depth: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            dims: BTreeMap::new(),
            input_shapes: BTreeMap::new(),
            fixed: BTreeMap::new(),
            max_nodes: 1 << 18,
            max_rounds: 1 << 12,
            max_known: 1 << 26,
            max_depth: 16,
        }
    }
}

/// The value of an input that is known when the graph is built.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed {
    /// The type of the elements.
    pub elem: ElemType,
    /// The shape; sizes may be zero.
    pub dims: Vec<u32>,
    /// The elements, row-major, as an ONNX file lays them out.
    pub bytes: webnn_core::Bytes,
}

/// A size, or the name of a free one; `None` where the model says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// The size.
    Size(u32),
    /// A free size and its name.
    Named(String),
    /// A free size without a name.
    Unknown,
}

/// An input or output as the model declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The name.
    pub name: String,
    /// The element type; `None` for sequences and other values that are no dense tensors.
    pub elem: Option<ElemType>,
    /// The shape; `None` where even the rank is not known.
    pub dims: Option<Vec<Dim>>,
}

/// An ONNX model, read and checked but not yet built.
#[derive(Debug)]
pub struct Model {
    pub(crate) proto: ModelProto,
    pub(crate) options: Options,
    pub(crate) constants: Constants,
}

/// The newest version of the format that this reader was written for.
const NEWEST_IR: i64 = 14;
/// The oldest and the newest version of ONNX's own operators.
const OPSETS: std::ops::RangeInclusive<i64> = 1..=28;

impl Model {
    /// Maps the file and reads the model; constants stay where they lie.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Model> {
        let path = path.as_ref();
        let file =
            MappedFile::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        let file = Arc::new(file);
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _here => Path::new(".").to_owned(),
        };
        let bytes = bytes::Bytes::from_owner(Mapped(file.clone()));
        Model::decode(bytes, Constants::new(Some(file), Some(folder)), options)
    }

    /// Reads a model from memory; constants stay in these bytes, and there are no other files.
    pub fn from_bytes(bytes: Vec<u8>, options: &Options) -> Result<Model> {
        Model::from_parts(bytes, HashMap::new(), options)
    }

    /// Reads a model from memory together with the files that it keeps weights in, by the names
    /// that it gives them.
    pub fn from_parts(
        bytes: Vec<u8>,
        files: HashMap<String, Vec<u8>>,
        options: &Options,
    ) -> Result<Model> {
        Model::decode(bytes.into(), Constants::in_memory(files), options)
    }

    /// A model made of messages, for tests and tools.
    pub fn from_proto(proto: ModelProto, options: &Options) -> Result<Model> {
        let model =
            Model { proto, options: options.clone(), constants: Constants::new(None, None) };
        model.check()?;
        Ok(model)
    }

    fn decode(bytes: bytes::Bytes, constants: Constants, options: &Options) -> Result<Model> {
        let proto =
            ModelProto::decode(bytes).map_err(|error| Error::Malformed(error.to_string()))?;
        let model = Model { proto, options: options.clone(), constants };
        model.check()?;
        Ok(model)
    }

    fn check(&self) -> Result<()> {
        let malformed = |message: String| Err(Error::Malformed(message));
        let Some(graph) = &self.proto.graph else {
            return malformed("there is no graph".into());
        };
        match self.proto.ir_version {
            None | Some(..1) => return malformed("there is no version of the format".into()),
            Some(version) if version > NEWEST_IR => {
                return malformed(format!(
                    "the format's version is {version}, expected at most {NEWEST_IR}"
                ));
            }
            Some(_) => {}
        }
        if let Some(version) = versions(&self.proto.opset_import).get("")
            && !OPSETS.contains(version)
        {
            return malformed(format!(
                "operator set {version}, expected {} to {}",
                OPSETS.start(),
                OPSETS.end()
            ));
        }
        let mut names = HashSet::new();
        for input in &graph.input {
            if !names.insert(name_of(input)) {
                return malformed(format!("input {:?} is declared twice", name_of(input)));
            }
        }
        if graph.output.is_empty() {
            return malformed("the graph has no outputs".into());
        }
        let mut names = HashSet::new();
        for output in &graph.output {
            if !names.insert(name_of(output)) {
                return malformed(format!("output {:?} is declared twice", name_of(output)));
            }
        }
        self.check_options(graph)
    }

    fn check_options(&self, graph: &GraphProto) -> Result<()> {
        let inputs: HashSet<&str> = graph.input.iter().map(name_of).collect();
        let given = self.options.input_shapes.keys().chain(self.options.fixed.keys());
        for name in given {
            if !inputs.contains(name.as_str()) {
                let mut known: Vec<&str> = inputs.into_iter().collect();
                known.sort_unstable();
                return Err(Error::Option(format!(
                    "there is no input {name:?}; the model has {}",
                    listed(&known)
                )));
            }
        }
        let mut free: Vec<&str> = Vec::new();
        for input in &graph.input {
            for dim in shape_of(input).map_or(&[][..], |shape| &shape.dim) {
                if let Some(DimensionValue::Name(name)) = &dim.value {
                    free.push(name);
                }
            }
        }
        free.sort_unstable();
        free.dedup();
        match self.options.dims.keys().find(|name| !free.contains(&name.as_str())) {
            Some(name) => Err(Error::Option(format!(
                "there is no free dimension {name:?}; the model has {}",
                listed(&free)
            ))),
            None => Ok(()),
        }
    }

    pub(crate) fn graph(&self) -> &GraphProto {
        self.proto.graph.as_ref().expect("`check` found the graph")
    }

    /// The inputs that a caller feeds: those without a default.
    pub fn inputs(&self) -> Vec<Port> {
        let defaults: HashSet<&str> =
            self.graph().initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect();
        let inputs = self.graph().input.iter().filter(|input| !defaults.contains(name_of(input)));
        inputs.map(port).collect()
    }

    /// The outputs.
    pub fn outputs(&self) -> Vec<Port> {
        self.graph().output.iter().map(port).collect()
    }

    /// The version of ONNX's own operators that the model asks for.
    pub fn opset(&self) -> Option<i64> {
        versions(&self.proto.opset_import).get("").copied()
    }

    /// The tool that wrote the file.
    pub fn producer(&self) -> Option<&str> {
        self.proto.producer_name.as_deref()
    }

    /// Free text by key.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let props = self.proto.metadata_props.iter();
        props.filter_map(|prop| Some((prop.key.as_deref()?, prop.value.as_deref()?)))
    }

    /// How often the main graph uses each operator, the most frequent first.
    pub fn operators(&self) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for node in &self.graph().node {
            *counts.entry(import::operator_name(node)).or_default() += 1;
        }
        let mut list: Vec<_> = counts.into_iter().collect();
        list.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        list
    }

    /// Adds the model's nodes to the builder; the operands are the model's outputs in their
    /// order, each one a result that [`GraphBuilder::build`] takes.
    ///
    /// An input without elements is a constant: the graph has no such input.
    pub fn build(&self, builder: &mut GraphBuilder) -> Result<Vec<(String, Operand)>> {
        import::build(self, builder)
    }

    /// The functions that the model defines, by domain, name and overload.
    pub(crate) fn functions(&self) -> HashMap<(&str, &str, &str), &FunctionProto> {
        let functions = self.proto.functions.iter();
        functions
            .map(|function| {
                let key = (
                    import::domain_of(function.domain.as_deref()),
                    function.name.as_deref().unwrap_or(""),
                    function.overload.as_deref().unwrap_or(""),
                );
                (key, function)
            })
            .collect()
    }

    /// The shape of an input once the caller's options are applied.
    pub(crate) fn input_dims(&self, input: &ValueInfoProto) -> Result<Vec<u32>, Problem> {
        let name = name_of(input);
        if let Some(dims) = self.options.input_shapes.get(name) {
            return Ok(dims.clone());
        }
        let problem = |reason, message| Problem {
            node: name.to_owned(),
            operator: "input".to_owned(),
            reason,
            message,
            needs: Vec::new(),
        };
        let Some(shape) = shape_of(input) else {
            return Err(problem(
                Reason::RuntimeParameter,
                "the rank is not known; give the input's shape".into(),
            ));
        };
        let mut dims = Vec::with_capacity(shape.dim.len());
        for (axis, dim) in shape.dim.iter().enumerate() {
            let size = match &dim.value {
                Some(DimensionValue::Size(size)) => u32::try_from(*size).map_err(|_| {
                    problem(Reason::Invalid, format!("dimension {axis} has size {size}"))
                }),
                Some(DimensionValue::Name(free)) => {
                    self.options.dims.get(free).copied().ok_or_else(|| {
                        problem(
                            Reason::RuntimeParameter,
                            format!("dimension {axis} is free; give {free:?} a size"),
                        )
                    })
                }
                None => Err(problem(
                    Reason::RuntimeParameter,
                    format!("dimension {axis} is free and has no name; give the input's shape"),
                )),
            };
            dims.push(size?);
        }
        Ok(dims)
    }
}

/// The mapped file as the owner of what is decoded from it.
struct Mapped(Arc<MappedFile>);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The version of each operator set by domain, ONNX's own under the empty name.
pub(crate) fn versions(imports: &[OperatorSetIdProto]) -> HashMap<&str, i64> {
    let version = |import: &'_ OperatorSetIdProto| import.version.unwrap_or(1);
    imports.iter().map(|i| (import::domain_of(i.domain.as_deref()), version(i))).collect()
}

pub(crate) fn name_of(value: &ValueInfoProto) -> &str {
    value.name.as_deref().unwrap_or("")
}

/// The element type of a dense tensor.
pub(crate) fn elem_of(value: &ValueInfoProto) -> Option<ElemType> {
    match value.r#type.as_ref()?.value.as_ref()? {
        TypeValue::Tensor(tensor) => ElemType::from_wire(tensor.elem_type?).ok(),
        TypeValue::Sequence(_)
        | TypeValue::Map(_)
        | TypeValue::SparseTensor(_)
        | TypeValue::Optional(_) => None,
    }
}

fn shape_of(value: &ValueInfoProto) -> Option<&TensorShapeProto> {
    match value.r#type.as_ref()?.value.as_ref()? {
        TypeValue::Tensor(tensor) => tensor.shape.as_ref(),
        TypeValue::Sequence(_)
        | TypeValue::Map(_)
        | TypeValue::SparseTensor(_)
        | TypeValue::Optional(_) => None,
    }
}

fn port(value: &ValueInfoProto) -> Port {
    let dims = shape_of(value).map(|shape| {
        let dims = shape.dim.iter().map(|dim| match &dim.value {
            Some(DimensionValue::Size(size)) => {
                u32::try_from(*size).map_or(Dim::Unknown, Dim::Size)
            }
            Some(DimensionValue::Name(name)) if !name.is_empty() => Dim::Named(name.clone()),
            Some(DimensionValue::Name(_)) | None => Dim::Unknown,
        });
        dims.collect()
    });
    Port { name: name_of(value).to_owned(), elem: elem_of(value), dims }
}
