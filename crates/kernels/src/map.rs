//! Element-wise operators: elementary functions on vectors, and fused chains of them.

pub(crate) mod math;
mod ops;

pub use ops::{Binary, Unary, binary, unary};
