//! Any text as a graph: what is read prints, and what is printed reads back as the same graph.

use webnn_core::{Limits, text};

/// A few letters may ask for a constant of any size; so much is enough here.
const MAX_BYTES: u64 = 1 << 16;

/// Reads a graph from the bytes, if they are text.
pub fn text(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let limits = Limits { max_tensor_byte_length: MAX_BYTES, ..Limits::default() };
    if let Ok(graph) = text::parse(source, limits.clone()) {
        let printed = graph.to_string();
        let again = text::parse(&printed, limits).expect("what is printed reads back");
        assert_eq!(again, graph, "{printed}");
    }
}
