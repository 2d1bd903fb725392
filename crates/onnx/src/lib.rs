//! ONNX files as GraphBuilder calls.
