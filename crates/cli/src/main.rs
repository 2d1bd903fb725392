//! The webnn command.
fn main() {}
