//! Tells what kind of file something is from its bytes, with Magika:
//!
//! ```sh
//! cargo run --release -p webnn-cli --example file_type -- \
//!     standard_v3_3.onnx config.min.json src/main.rs
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

mod support;

use std::path::{Path, PathBuf};

use support::{Result, Session, greatest};
use webnn_onnx::Options;

/// So many bytes of the beginning and as many of the end are looked at.
const PART: usize = 1024;
/// Stands where a file has no more bytes.
const PADDING: i32 = 256;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [model, config, files @ ..] = arguments.as_slice() else {
        return Err("expected: MODEL CONFIG FILE ...".into());
    };
    let detector = Detector::open(model, config)?;
    for file in files {
        let (label, probability) = detector.detect(&std::fs::read(file)?)?;
        println!("{:6.2} %  {label:<12} {}", 100.0 * probability, file.display());
    }
    Ok(())
}

struct Detector {
    session: Session,
    labels: Vec<String>,
}

impl Detector {
    fn open(model: &Path, config: &Path) -> Result<Detector> {
        let config: serde_json::Value = serde_json::from_slice(&std::fs::read(config)?)?;
        let labels = serde_json::from_value(config["target_labels_space"].clone())?;
        let shape = ("bytes".to_owned(), vec![1, 2 * PART as u32]);
        let options = Options { input_shapes: [shape].into(), ..Options::default() };
        Ok(Detector { session: Session::open(model, &options)?, labels })
    }

    fn detect(&self, bytes: &[u8]) -> Result<(&str, f32)> {
        self.session.set("bytes", &features(bytes))?;
        self.session.run()?;
        let probabilities = self.session.get("target_label")?;
        let likeliest = greatest(&probabilities, 1)[0];
        Ok((&self.labels[likeliest], probabilities[likeliest]))
    }
}

/// The beginning and the end, without white space around the whole.
fn features(bytes: &[u8]) -> Vec<i32> {
    let bytes = bytes.trim_ascii();
    let count = bytes.len().min(PART);
    let wide = |part: &[u8]| -> Vec<i32> { part.iter().map(|&byte| i32::from(byte)).collect() };
    let padding = vec![PADDING; PART - count];
    let (first, last) = (wide(&bytes[..count]), wide(&bytes[bytes.len() - count..]));
    [&first[..], &padding, &padding, &last].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_taken() {
        let features = features(b" \n ab \n");
        assert_eq!(features.len(), 2 * PART);
        assert_eq!(features[..3], [97, 98, 256]);
        assert_eq!(features[2 * PART - 3..], [256, 97, 98]);
    }

    #[test]
    fn source_code_is_told_from_pictures() {
        let Some(models) = support::models() else {
            eprintln!("skipped: WEBNN_SHARED does not say where the models are");
            return;
        };
        let folder = models.join("magika");
        let (model, config) = (folder.join("standard_v3_3.onnx"), folder.join("config.min.json"));
        let detector = Detector::open(&model, &config).unwrap();

        // A ready input, of which ONNX Runtime says: python, 0.9995.
        let bytes = std::fs::read(folder.join("python-source.i32")).unwrap();
        let (chunks, _) = bytes.as_chunks::<4>();
        let ready: Vec<i32> = chunks.iter().map(|&chunk| i32::from_le_bytes(chunk)).collect();
        detector.session.set("bytes", &ready).unwrap();
        detector.session.run().unwrap();
        let probabilities = detector.session.get("target_label").unwrap();
        assert_eq!(greatest(&probabilities, 1), [143]);
        assert!((probabilities[143] - 0.9995).abs() < 1e-4, "{}", probabilities[143]);

        let picture = std::fs::read(models.join("mobilenetv2/test.jpg")).unwrap();
        assert_eq!(detector.detect(&picture).unwrap().0, "jpeg");
        assert_eq!(detector.detect(include_bytes!("file_type.rs")).unwrap().0, "rust");
    }
}
