//! What can be wrong with a model, all of it reported at once.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// The result of reading a model.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a model cannot be read or built.
#[derive(Debug)]
pub enum Error {
    /// A file cannot be read.
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is no ONNX model, or one that breaks the format's rules.
    Malformed(String),
    /// An option does not fit the model.
    Option(String),
    /// Nodes, inputs or outputs that the graph cannot have; never empty.
    Problems(Vec<Problem>),
}

/// A node, input or output that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The node's name, or the name of its first output where it has none.
    pub node: String,
    /// Its operator, with the domain where that is not ONNX's own.
    pub operator: String,
    /// The reason, one of a short list.
    pub reason: Reason,
    /// The reason, told for this very node.
    pub message: String,
    /// Graph inputs that would have to be known when the graph is built.
    pub needs: Vec<String>,
}

/// Why a node cannot become part of a static dense graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The model is wrong: a shape, type, attribute or name breaks the operator's rules.
    Invalid,
    /// The operator is not known.
    UnknownOperator,
    /// The value is a sequence, an optional or a map.
    SequenceOrOptional,
    /// The value holds strings.
    String,
    /// The output's shape depends on the data.
    DataDependentShape,
    /// A shape, axis or count is computed at run time; as a constant it would do.
    RuntimeParameter,
    /// The result is random.
    Random,
    /// The operator serves training.
    Training,
    /// A branch or the number of rounds is decided at run time.
    RuntimeControlFlow,
    /// The data type has no counterpart.
    UnsupportedType,
    /// A tensor without elements is needed at run time.
    ZeroSize,
    /// No WebNN operations compute this.
    NotExpressible,
    /// A limit of the importer is exceeded.
    Limit,
}

impl Reason {
    /// The reason in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Invalid => "invalid model",
            Reason::UnknownOperator => "unknown operator",
            Reason::SequenceOrOptional => "sequence, optional or map",
            Reason::String => "string",
            Reason::DataDependentShape => "data-dependent shape",
            Reason::RuntimeParameter => "run-time parameter",
            Reason::Random => "random",
            Reason::Training => "training",
            Reason::RuntimeControlFlow => "run-time control flow",
            Reason::UnsupportedType => "unsupported type",
            Reason::ZeroSize => "tensor without elements",
            Reason::NotExpressible => "not expressible",
            Reason::Limit => "limit exceeded",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {} ({})", self.operator, self.node, self.message, self.reason)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Error::Malformed(message) => write!(f, "not a valid ONNX model: {message}"),
            Error::Option(message) => f.write_str(message),
            Error::Problems(problems) => {
                let plural = if problems.len() == 1 { "problem" } else { "problems" };
                write!(f, "the model cannot be built, {} {plural}:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Malformed(_) | Error::Option(_) | Error::Problems(_) => None,
        }
    }
}

/// What an operator's importer says; the node is added where it is called.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    pub(crate) message: String,
    /// The value that is not known, by its name in the graph.
    pub(crate) unknown: Option<String>,
}

/// The result of importing a node.
pub(crate) type Outcome<T> = std::result::Result<T, Fault>;

impl Fault {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Fault {
        Fault { reason, message: message.into(), unknown: None }
    }
}

impl From<webnn_core::Error> for Fault {
    fn from(error: webnn_core::Error) -> Fault {
        Fault::new(Reason::Invalid, error.message())
    }
}

/// Returns a fault with the formatted sentence; without a reason the model is invalid.
macro_rules! fault {
    ($reason:ident, $($message:tt)+) => {
        return Err($crate::error::Fault::new(
            $crate::error::Reason::$reason,
            format!($($message)+),
        ))
    };
}

/// Returns the fault of an invalid model unless the condition holds.
macro_rules! require {
    ($condition:expr, $($message:tt)+) => {
        let holds: bool = $condition;
        if !holds {
            $crate::error::fault!(Invalid, $($message)+);
        }
    };
}

pub(crate) use {fault, require};
