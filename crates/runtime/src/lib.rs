//! WebNN for Rust: contexts, tensors, graphs, dispatch.
