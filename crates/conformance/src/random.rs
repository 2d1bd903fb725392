//! Random graphs: an engine and the definitions must agree on them.
//!
//! A graph comes from a seed alone. How far an element may be off is measured, not guessed: the
//! definitions are computed several times with a little noise after every operator that rounds,
//! and an element may differ by a few times what that noise moved it. So errors that a graph
//! amplifies are forgiven where they arise, and results of exact operators must be exact.

mod noise;
mod recipes;

use webnn::Context;
use webnn_core::reference::{Data, Tensor};
use webnn_core::text::summary;
use webnn_core::{DataType, Graph};

use crate::run::compute;
use noise::Spread;

/// A random graph with data for its inputs.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The graph.
    pub graph: Graph,
    /// Elements for the inputs, by name.
    pub inputs: Vec<(String, Tensor)>,
}

/// What a comparison covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Elements that had to agree.
    pub compared: usize,
    /// Elements that noise alone could change beyond recognition: at a step, or near infinity.
    pub unstable: usize,
}

/// The graph of a seed: 1 to 40 nodes.
pub fn sample(seed: u64) -> Sample {
    recipes::sample(seed)
}

/// Compares an engine's results for a seed's graph with the definitions.
pub fn check(context: &Context, seed: u64) -> Result<Coverage, String> {
    let sample = sample(seed);
    let describe = |text: String| format!("seed {seed}: {text}\n{}", summary(&sample.graph));
    let mut coverage = Coverage::default();
    let compiled = context.compile(sample.graph.clone()).map_err(|e| describe(e.to_string()))?;
    let inputs: Vec<(&str, &Tensor)> =
        sample.inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let results = compute(context, &compiled, &inputs).map_err(|e| describe(e.to_string()))?;
    let spreads = noise::spreads(&sample, seed);
    for (i, ((name, actual), spread)) in results.iter().zip(&spreads).enumerate() {
        compare(actual, spread, &mut coverage).map_err(|text| {
            let producer = sample.graph.producer(sample.graph.outputs()[i].value);
            let method = producer.map(|node| sample.graph.node(node).op.method().name);
            describe(format!("output {name:?} of {}: {text}", method.unwrap_or("nothing")))
        })?;
    }
    Ok(coverage)
}

fn compare(actual: &Tensor, spread: &Spread, coverage: &mut Coverage) -> Result<(), String> {
    let expected = &spread.expected;
    if actual.desc != expected.desc {
        return Err(format!("is {}, expected {}", actual.desc, expected.desc));
    }
    for i in 0..actual.desc.elements() {
        let verdict = match (&actual.data, &expected.data) {
            (Data::Float(actual), Data::Float(expected)) => {
                judge_float(actual[i], expected[i], spread.distance[i], spread.desc().data_type)
            }
            (Data::Int(actual), Data::Int(expected)) => {
                judge_integer(actual[i], expected[i], spread.distance[i])
            }
            (Data::Float(_), Data::Int(_)) | (Data::Int(_), Data::Float(_)) => {
                unreachable!("descriptors are equal")
            }
        };
        match verdict {
            Ok(true) => coverage.compared += 1,
            Ok(false) => coverage.unstable += 1,
            Err(text) => return Err(format!("element {i} {text}")),
        }
    }
    Ok(())
}

/// Whether the element had to agree, or how it does not.
fn judge_integer(actual: i128, expected: i128, distance: f64) -> Result<bool, String> {
    if distance > 0.0 {
        return Ok(false);
    }
    if actual == expected { Ok(true) } else { Err(format!("is {actual}, expected {expected}")) }
}

fn judge_float(actual: f64, expected: f64, distance: f64, of: DataType) -> Result<bool, String> {
    // Some devices flush what is smaller than normal.
    let (greatest, flushed) = if of == DataType::Float16 {
        (65504.0, 1.3e-7)
    } else {
        (f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE))
    };
    if !distance.is_finite() {
        return Ok(false);
    }
    let allowed = if distance == 0.0 { 0.0 } else { noise::FACTOR * distance + flushed };
    // Where squares overflow, so may what an engine keeps in between.
    let near_infinity =
        expected.is_finite() && (expected.abs() + allowed > greatest || allowed > greatest.sqrt());
    if near_infinity {
        return Ok(false);
    }
    let same = actual == expected || (actual.is_nan() && expected.is_nan());
    if same || (actual - expected).abs() <= allowed {
        return Ok(true);
    }
    Err(format!("is {actual:?}, expected {expected:?} within {allowed:e}"))
}
