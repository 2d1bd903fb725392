//! What the fuzzers call. Each target takes any bytes and panics where a promise is broken.
//!
//! The fuzzers themselves stand in `fuzz/` and need a nightly compiler; the replay of their corpus
//! is a plain test of this crate.

mod builder;
mod onnx;
mod text;

pub use builder::builder;
pub use onnx::onnx;
pub use text::text;

/// What a fuzzer calls with bytes that it makes up.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const TARGETS: &[(&str, Target)] = &[("builder", builder), ("onnx", onnx), ("text", text)];

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_corpus_replays_without_a_finding() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        for (name, target) in super::TARGETS {
            target(&[]);
            let mut seeds = 0;
            for entry in std::fs::read_dir(corpus.join(name)).expect("each target has a corpus") {
                let path = entry.expect("the folder can be read").path();
                target(&std::fs::read(&path).expect("a seed can be read"));
                seeds += 1;
            }
            assert!(seeds > 0, "{name} has no seeds");
        }
    }
}
