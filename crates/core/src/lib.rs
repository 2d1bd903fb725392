//! The WebNN specification, executable: types, operators, validation, graph.
