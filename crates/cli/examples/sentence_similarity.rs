//! Tells how alike sentences are, with all-MiniLM-L6-v2:
//!
//! ```sh
//! cargo run --release -p webnn-cli --example sentence_similarity -- \
//!     model_fp16.onnx tokenizer.json "A cat sits here." "A kitten is sitting." "It rains."
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use support::{Result, Session};
use tokenizers::Tokenizer;
use webnn_onnx::Options;

/// The size of an embedding.
const SIZE: usize = 384;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, tokenizer, first, others @ ..] = arguments.as_slice() else {
        return Err("expected: MODEL TOKENIZER SENTENCE SENTENCE ...".into());
    };
    let (model, tokenizer) = (Path::new(model), Path::new(tokenizer));
    let first = embed(model, tokenizer, first)?;
    for other in others {
        let likeness = cosine(&first, &embed(model, tokenizer, other)?);
        println!("{likeness:.4}  {other}");
    }
    Ok(())
}

/// A sentence as a point on the unit sphere: the mean over its tokens.
fn embed(model: &Path, tokenizer: &Path, sentence: &str) -> Result<Vec<f32>> {
    let tokenizer = Tokenizer::from_file(tokenizer).map_err(|error| error.to_string())?;
    let encoding = tokenizer.encode(sentence, true).map_err(|error| error.to_string())?;
    // Files of this model are set up to fill sentences up; here each is as long as it is.
    let length = encoding.get_attention_mask().iter().filter(|&&token| token == 1).count();
    let wide = |items: &[u32]| -> Vec<i64> {
        items[..length].iter().map(|&item| i64::from(item)).collect()
    };
    let sizes = [("batch_size", 1), ("sequence_length", length as u32)];
    let dims: BTreeMap<String, u32> =
        sizes.into_iter().map(|(name, size)| (name.to_owned(), size)).collect();
    let session = Session::open(model, &Options { dims, ..Options::default() })?;
    session.set("input_ids", &wide(encoding.get_ids()))?;
    session.set("attention_mask", &wide(encoding.get_attention_mask()))?;
    session.set("token_type_ids", &wide(encoding.get_type_ids()))?;
    session.run()?;
    let states = session.get("last_hidden_state")?;
    let mut mean = vec![0f32; SIZE];
    for token in states.chunks_exact(SIZE) {
        mean.iter_mut().zip(token).for_each(|(sum, x)| *sum += x);
    }
    let norm = mean.iter().map(|x| x * x).sum::<f32>().sqrt();
    Ok(mean.into_iter().map(|x| x / norm).collect())
}

/// From -1 to 1; 1 for sentences of the same meaning.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_like_meaning_are_near() {
        let Some(models) = support::models() else {
            eprintln!("skipped: WEBNN_SHARED does not say where the models are");
            return;
        };
        let folder = models.join("all-MiniLM-L6-v2");
        let (model, tokenizer) =
            (folder.join("onnx/model_fp16.onnx"), folder.join("tokenizer.json"));
        let embed = |sentence: &str| embed(&model, &tokenizer, sentence).unwrap();

        // The figures of transformers.js's documentation, of float32 weights; these are float16.
        let simple = embed("This is a simple test.");
        assert!((simple[0] - 0.095_282_15).abs() < 1e-3, "{}", simple[0]);
        assert!((simple[1] + 0.024_730_17).abs() < 1e-3, "{}", simple[1]);

        let cat = embed("A cat sits on the mat.");
        let kitten = cosine(&cat, &embed("A kitten is sitting on a rug."));
        let stocks = cosine(&cat, &embed("Share prices fell sharply on Monday."));
        assert!(kitten > 0.5 && stocks < 0.2, "{kitten} {stocks}");
    }
}
