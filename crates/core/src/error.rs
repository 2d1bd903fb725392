//! What went wrong: a kind that a script sees and a sentence that a person reads.

use std::fmt;

/// What a caller can tell apart; each but `Type` is the name of a `DOMException`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// An argument is wrong: `TypeError`.
    Type,
    /// The object is in no state for the call: a used builder, a lost context.
    InvalidState,
    /// The engine does not offer what was asked for.
    NotSupported,
    /// The engine failed to compile a valid graph.
    Operation,
    /// The engine failed to allocate or copy.
    Unknown,
}

impl ErrorKind {
    /// The `DOMException` name; `None` means a plain `TypeError`.
    pub fn dom_exception(self) -> Option<&'static str> {
        match self {
            ErrorKind::Type => None,
            ErrorKind::InvalidState => Some("InvalidStateError"),
            ErrorKind::NotSupported => Some("NotSupportedError"),
            ErrorKind::Operation => Some("OperationError"),
            ErrorKind::Unknown => Some("UnknownError"),
        }
    }

    /// The name that a script sees, such as `TypeError`.
    pub fn name(self) -> &'static str {
        self.dom_exception().unwrap_or("TypeError")
    }
}

/// A kind and a sentence that says where, what is, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of the given kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into() }
    }

    /// A `TypeError`, the specification's answer to nearly every wrong argument.
    pub fn type_error(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Type, message)
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The sentence, without the kind's name.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same error with the place in front: `place: message`.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Error {
        Error { kind: self.kind, message: format!("{place}: {}", self.message) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for Error {}

/// Returns a `TypeError` with the formatted sentence.
#[macro_export]
macro_rules! bail {
    ($($message:tt)+) => {
        return Err($crate::error::Error::type_error(format!($($message)+)))
    };
}

/// Returns a `TypeError` with the formatted sentence unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            $crate::bail!($($message)+);
        }
    };
}

pub use crate::{bail, ensure};
