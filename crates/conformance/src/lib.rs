//! Runs test vectors on an engine, and random graphs on an engine and by definition.

pub mod onnx_suite;
pub mod random;
pub mod run;
pub mod vectors;
