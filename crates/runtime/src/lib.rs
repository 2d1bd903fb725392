//! The W3C Web Neural Network API for Rust: contexts, tensors, graphs, dispatch.
//!
//! ```
//! use webnn::{ContextOptions, DataType, Ml, TensorDescriptor};
//!
//! # fn main() -> webnn::Result<()> {
//! let context = Ml::new().create_context(&ContextOptions::default())?;
//!
//! // relu(x · w), compiled once.
//! let builder = context.graph_builder()?;
//! let x = builder.input("x", DataType::Float32, &[1, 2])?;
//! let w = builder.constant_slice(&[2, 2], &[1.0f32, -1.0, 2.0, -2.0])?;
//! let product = builder.matmul(x, w)?;
//! let y = builder.relu(product)?;
//! let graph = builder.build(&[("y", y)])?;
//!
//! // Tensors live with the context; writes, dispatches and reads happen in the order of the calls.
//! let x = context.create_tensor(&TensorDescriptor::new(DataType::Float32, &[1, 2]).writable())?;
//! let y = context.create_tensor(&TensorDescriptor::new(DataType::Float32, &[1, 2]).readable())?;
//! context.write_slice(&x, &[3.0f32, 4.0])?;
//! context.dispatch(&graph, &[("x", &x)], &[("y", &y)])?;
//! assert_eq!(context.read_vec::<f32>(&y)?, [11.0, 0.0]);
//! # Ok(())
//! # }
//! ```
//!
//! Checks, their order and the kinds of errors are the specification's. What a call refuses is
//! named in the error: the method, the label where there is one, what is and what was expected.

mod builder;
mod context;
mod element;
mod engine;
mod future;
mod graph;
#[path = "methods.gen.rs"]
#[allow(clippy::too_many_arguments, reason = "the specification's methods have as many")]
mod methods;
mod ml;
mod sync;
mod tensor;
mod timeline;

pub use builder::GraphBuilder;
pub use context::Context;
pub use element::Element;
pub use future::{Lost, ReadTensor};
pub use graph::Graph;
pub use methods::*;
pub use ml::{ContextOptions, Device, DeviceType, Ml, PowerPreference};
pub use tensor::{Tensor, TensorDescriptor};
/// The specification, executable: the builder beneath, the list of operators, reference results.
pub use webnn_core as core;
pub use webnn_core::limits::{Limits, PreferredLayout, TensorLimits};
pub use webnn_core::ops::conv_transpose2d::TransposeFilterLayout;
pub use webnn_core::ops::conv2d::{FilterLayout, InputLayout};
pub use webnn_core::ops::gru::GruLayout;
pub use webnn_core::ops::lstm::{Activation, Direction, LstmLayout};
pub use webnn_core::ops::pad::PaddingMode;
pub use webnn_core::ops::pool2d::RoundingType;
pub use webnn_core::ops::resample2d::InterpolationMode;
pub use webnn_core::ops::split::Splits;
pub use webnn_core::{
    Bytes, DataType, DataTypes, Desc, Error, ErrorKind, Number, Operand, Result, Shape,
};

pub use webnn_cpu::{Arithmetic, Helper, Peaks, Stats, StepInfo};

#[cfg(test)]
mod tests;
