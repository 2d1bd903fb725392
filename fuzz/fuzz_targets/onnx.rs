#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| webnn_fuzz_targets::onnx(data));
