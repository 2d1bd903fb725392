//! Runs the conformance vectors on an engine.

pub mod vectors;
