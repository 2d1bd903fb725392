//! Any bytes as an ONNX file: refused with a reason or built, never a panic.

use webnn_core::{GraphBuilder, Limits};
use webnn_onnx::{Model, Options};

/// A model of a few bytes may ask for tensors of any size; so much is enough here.
const MAX_BYTES: u64 = 1 << 16;

/// Reads a model and, if that succeeds, builds its graph.
pub fn onnx(data: &[u8]) {
    let options = Options::default();
    let Ok(model) = Model::from_bytes(data.to_vec(), &options) else { return };
    let limits =
        Limits { max_tensor_byte_length: MAX_BYTES, max_nodes: 1 << 10, ..Limits::default() };
    let mut builder = GraphBuilder::new(limits);
    if let Ok(outputs) = model.build(&mut builder) {
        let outputs: Vec<_> = outputs.iter().map(|(name, y)| (name.as_str(), *y)).collect();
        // The builder may still refuse outputs that are inputs or constants.
        let _ = builder.build(&outputs);
    }
}
