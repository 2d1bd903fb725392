//! Runs the conformance vectors on an engine.
