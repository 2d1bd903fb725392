//! ONNX files as calls of [`webnn_core::GraphBuilder`].
//!
//! A [`Model`] is a file, mapped and decoded: its weights stay where they lie. [`Model::build`]
//! walks its nodes with concrete shapes; whatever is computed from known values alone, all shape
//! arithmetic among it, is computed on the way and never reaches the graph. What a static dense
//! graph cannot have is reported at once for the whole model, by node and [`Reason`].
//!
//! Files are hostile input: nothing in one may panic, hang, read outside the file or the model's
//! folder, or allocate much more than the file's own size.

mod constants;
mod cx;
mod elem;
mod emit;
mod error;
mod host;
mod import;
mod known;
mod model;
mod ops;
mod table;
mod tensor;
pub mod wire;

pub use elem::ElemType;
pub use error::{Error, Problem, Reason, Result};
pub use model::{Dim, Fixed, Model, Options, Port};
