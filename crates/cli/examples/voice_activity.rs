//! Finds where somebody speaks in a recording, with Silero VAD:
//!
//! ```sh
//! cargo run --release -p webnn-cli --example voice_activity -- silero_vad.onnx speech_16k.wav
//! ```
//!
//! The network looks at windows of 32 milliseconds, one after another, and carries a state from
//! each to the next.

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use support::{Result, Session};
use webnn_onnx::{ElemType, Fixed, Options};

/// The only rate that this example takes, in samples a second.
const RATE: usize = 16_000;
/// The samples of a window, and how many of those before it are looked at again.
const WINDOW: usize = 512;
const CONTEXT: usize = 64;
/// The elements of the carried state.
const STATE: usize = 2 * 128;

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [model, recording] = arguments.as_slice() else {
        return Err("expected: MODEL RECORDING".into());
    };
    let probabilities = probabilities(model, &samples(recording)?)?;
    for (start, end) in segments(&probabilities) {
        let seconds = |window: usize| (window * WINDOW) as f64 / RATE as f64;
        println!("{:7.2} s to {:7.2} s", seconds(start), seconds(end));
    }
    Ok(())
}

/// The samples of a recording, from -1 to 1.
fn samples(recording: &Path) -> Result<Vec<f32>> {
    let mut reader = hound::WavReader::open(recording)?;
    let spec = reader.spec();
    if spec.channels != 1 || spec.sample_rate as usize != RATE || spec.bits_per_sample != 16 {
        return Err("expected one channel of 16-bit samples, 16000 a second".into());
    }
    reader.samples::<i16>().map(|sample| Ok(f32::from(sample?) / 32768.0)).collect()
}

/// The probability of speech in each window.
fn probabilities(model: &Path, samples: &[f32]) -> Result<Vec<f32>> {
    // The model branches on the rate, so the rate is settled when the graph is built.
    let rate = Fixed {
        elem: ElemType::Int64,
        dims: Vec::new(),
        bytes: (RATE as i64).to_le_bytes().to_vec().into(),
    };
    let shapes = [("input", vec![1, (CONTEXT + WINDOW) as u32]), ("state", vec![2, 1, 128])];
    let options = Options {
        input_shapes: shapes.map(|(name, shape)| (name.to_owned(), shape)).into(),
        fixed: BTreeMap::from([("sr".to_owned(), rate)]),
        ..Options::default()
    };
    let session = Session::open(model, &options)?;
    let mut state = vec![0f32; STATE];
    let mut input = vec![0f32; CONTEXT + WINDOW];
    let mut probabilities = Vec::new();
    for window in samples.chunks_exact(WINDOW) {
        input.copy_within(WINDOW.., 0);
        input[CONTEXT..].copy_from_slice(window);
        session.set("input", &input)?;
        session.set("state", &state)?;
        session.run()?;
        probabilities.push(session.get("output")?[0]);
        state = session.get("stateN")?;
    }
    Ok(probabilities)
}

/// From which window to before which one somebody speaks.
fn segments(probabilities: &[f32]) -> Vec<(usize, usize)> {
    let mut segments: Vec<(usize, usize)> = Vec::new();
    for (window, _) in probabilities.iter().enumerate().filter(|(_, speech)| **speech >= 0.5) {
        match segments.last_mut() {
            Some((_, end)) if *end == window => *end += 1,
            _ => segments.push((window, window + 1)),
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_windows_are_one_segment() {
        assert_eq!(segments(&[0.1, 0.5, 0.9, 0.2, 0.7]), [(1, 3), (4, 5)]);
        assert_eq!(segments(&[]), []);
    }

    /// What ONNX Runtime 1.31.1 finds in the same recording, window by window.
    const EXPECTED: &[(usize, usize)] = &[
        (1, 63),
        (84, 145),
        (156, 214),
        (292, 321),
        (324, 355),
        (358, 415),
        (424, 447),
        (450, 471),
        (480, 495),
        (510, 559),
        (575, 591),
        (594, 612),
        (636, 824),
        (826, 892),
        (897, 962),
        (964, 1017),
        (1023, 1111),
        (1118, 1175),
        (1187, 1216),
        (1247, 1309),
        (1312, 1352),
        (1364, 1394),
        (1408, 1461),
        (1527, 1561),
        (1597, 1670),
        (1674, 1694),
        (1703, 1768),
        (1770, 1793),
        (1798, 1861),
        (1872, 1875),
    ];

    #[test]
    fn speech_is_found_where_it_is() {
        let Some(models) = support::models() else {
            eprintln!("skipped: WEBNN_SHARED does not say where the models are");
            return;
        };
        let samples = samples(&models.join("speech_16k.wav")).unwrap();
        for model in ["silero_vad_op18_ifless.onnx", "silero_vad.onnx"] {
            let probabilities = probabilities(&models.join(model), &samples).unwrap();
            assert_eq!(segments(&probabilities), EXPECTED, "{model}");
        }
    }
}
