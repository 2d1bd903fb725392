//! Names what is in a photograph, with MobileNetV2:
//!
//! ```sh
//! cargo run --release -p webnn-cli --example image_classification -- \
//!     mobilenetv2-fp32.onnx imagenet_classes.txt photograph.jpg
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{GenericImageView, RgbImage};
use support::{Result, Session, greatest, softmax};
use webnn_onnx::Options;

/// The mean and deviation of the photographs that the network was trained on.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [model, labels, photograph] = arguments.as_slice() else {
        return Err("expected: MODEL LABELS PHOTOGRAPH".into());
    };
    for (label, probability) in classify(model, labels, photograph)? {
        println!("{:6.2} %  {label}", 100.0 * probability);
    }
    Ok(())
}

/// The five likeliest labels with their probabilities.
fn classify(model: &Path, labels: &Path, photograph: &Path) -> Result<Vec<(String, f32)>> {
    let dims = BTreeMap::from([("batch_size".to_owned(), 1)]);
    let session = Session::open(model, &Options { dims, ..Options::default() })?;
    session.set("input", &planes(&centre(photograph)?))?;
    session.run()?;
    let probabilities = softmax(&session.get(session.first_output())?);
    let labels = std::fs::read_to_string(labels)?;
    let labels: Vec<&str> = labels.lines().collect();
    let named = |place: usize| (labels[place].to_owned(), probabilities[place]);
    Ok(greatest(&probabilities, 5).into_iter().map(named).collect())
}

/// 224 by 224 pixels from the middle, the shorter side resized to 256.
fn centre(photograph: &Path) -> Result<RgbImage> {
    let picture = image::open(photograph)?;
    let (width, height) = picture.dimensions();
    let scale = |side: u32| side * 256 / width.min(height);
    let (width, height) = (scale(width), scale(height));
    let resized = imageops::resize(&picture.to_rgb8(), width, height, FilterType::Triangle);
    Ok(imageops::crop_imm(&resized, (width - 224) / 2, (height - 224) / 2, 224, 224).to_image())
}

/// The channels one after another, as the network wants them.
fn planes(picture: &RgbImage) -> Vec<f32> {
    let value = |channel: usize| {
        let scale =
            move |value: u8| (f32::from(value) / 255.0 - MEAN[channel]) / DEVIATION[channel];
        picture.pixels().map(move |pixel| scale(pixel[channel]))
    };
    (0..3).flat_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_red_panda_is_recognised() {
        let Some(models) = support::models() else {
            eprintln!("skipped: WEBNN_SHARED does not say where the models are");
            return;
        };
        let folder = models.join("mobilenetv2");
        let labels = folder.join("imagenet_classes.txt");
        for model in ["mobilenetv2-fp32.onnx", "mobilenetv2-int8-qdq.onnx"] {
            let photograph = folder.join("test.jpg");
            let found = classify(&folder.join(model), &labels, &photograph).unwrap();
            assert_eq!(found[0].0, "lesser panda", "{model}: {found:?}");
            assert!(found[0].1 > 0.95, "{model}: {found:?}");
        }
    }
}
