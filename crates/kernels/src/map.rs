//! Element-wise operators: elementary functions on vectors, and fused chains of them.

pub(crate) mod math;
mod ops;
mod program;
mod run;

pub use ops::{Binary, Unary, binary, clamp_in_place, unary};
pub use program::{Program, ProgramBuilder, Storage, Value};
pub use run::{Block, BlockInput, Slice, SliceMut, TILE};
