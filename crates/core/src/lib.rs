//! The specification of the W3C Web Neural Network API, executable: types, operators with their
//! attributes, rules and shapes, the graph builder, and plain reference results.
//!
//! This crate knows no device, opens no file and starts no thread.

pub mod attrs;
pub mod builder;
pub mod bytes;
pub mod error;
pub mod graph;
pub mod limits;
pub mod number;
pub mod ops;
pub mod reference;
pub mod text;
pub mod types;

pub use builder::{GraphBuilder, Operand};
pub use bytes::{Bytes, Storage};
pub use error::{Error, ErrorKind, Result};
pub use graph::{Graph, Node, NodeId, Source, Value, ValueId};
pub use limits::Limits;
pub use number::Number;
pub use ops::{Method, Op};
pub use types::{DataType, DataTypes, Desc, MAX_RANK, Shape};
