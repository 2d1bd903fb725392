//! Graph in, graph out: what an engine wants done before it compiles.
