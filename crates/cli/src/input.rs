//! Files as the inputs of models.

pub(crate) mod audio;
pub(crate) mod json;
pub(crate) mod npy;
pub(crate) mod picture;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use webnn::Desc;

use crate::model::Port;
use crate::values::Numbers;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// Numbers with their shape.
    Array(Vec<u32>, Numbers),
    /// Numbers in a row, for any shape of as many elements.
    Row(Numbers),
    /// Elements as they lie in memory.
    Bytes(Vec<u8>),
}

/// Reads a file for an input, by the ending of its name.
pub(crate) fn read(path: &Path, port: &Port, options: &picture::Options) -> Result<Content> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_lowercase();
    let bytes = fs::read(path)?;
    match ending.as_str() {
        "npy" => npy::read(&bytes).map(|(shape, numbers)| Content::Array(shape, numbers)),
        "json" => json::read(&bytes),
        "png" | "jpg" | "jpeg" | "bmp" => picture::read(&bytes, port, options),
        "wav" => audio::read(&bytes).map(Content::Row),
        _raw => Ok(Content::Bytes(bytes)),
    }
}

impl Content {
    /// The whole shape of the input, where this content settles its free dimensions.
    pub(crate) fn shape_for(&self, port: &Port) -> Option<Vec<u32>> {
        let dims = port.dims.as_ref();
        let element_bits = port.data_type.map(|of| u64::from(of.bits()));
        match (self, dims) {
            (Content::Array(shape, _), Some(dims)) => fits(shape, dims).then(|| shape.clone()),
            (Content::Array(shape, _), None) => Some(shape.clone()),
            (Content::Row(numbers), Some(dims)) => fill(dims, numbers.len() as u64),
            (Content::Bytes(bytes), Some(dims)) => {
                fill(dims, bytes.len() as u64 * 8 / element_bits?)
            }
            (Content::Row(_) | Content::Bytes(_), None) => None,
        }
    }

    /// The elements for a tensor.
    pub(crate) fn bytes_for(&self, desc: Desc) -> Result<Vec<u8>> {
        match self {
            Content::Array(shape, numbers) => {
                // Exporters are not of one mind about leading ones.
                let squeezed = |shape: &[u32]| -> Vec<u32> {
                    shape.iter().copied().skip_while(|&size| size == 1).collect()
                };
                ensure!(
                    squeezed(shape) == squeezed(&desc.shape),
                    "the shape is {shape:?}, expected {}",
                    desc.shape
                );
                numbers.to_bytes(desc)
            }
            Content::Row(numbers) => numbers.to_bytes(desc),
            Content::Bytes(bytes) => {
                ensure!(
                    bytes.len() as u64 == desc.byte_length(),
                    "{} bytes, expected {} for {desc}",
                    bytes.len(),
                    desc.byte_length()
                );
                Ok(bytes.clone())
            }
        }
    }
}

fn fits(shape: &[u32], dims: &[Option<u32>]) -> bool {
    shape.len() == dims.len()
        && shape.iter().zip(dims).all(|(&size, dim)| dim.is_none_or(|dim| dim == size))
}

/// Sizes for the free dimensions: the last takes all elements, those before are 1.
fn fill(dims: &[Option<u32>], elements: u64) -> Option<Vec<u32>> {
    let known: u64 = dims.iter().flatten().map(|&size| u64::from(size)).product();
    let last = dims.iter().rposition(Option::is_none);
    if known == 0 || !elements.is_multiple_of(known) {
        return None;
    }
    let size = |(axis, dim): (usize, &Option<u32>)| match dim {
        Some(size) => Some(*size),
        None if Some(axis) == last => u32::try_from(elements / known).ok(),
        None => Some(1),
    };
    let shape: Option<Vec<u32>> = dims.iter().enumerate().map(size).collect();
    shape.filter(|shape| shape.iter().map(|&size| u64::from(size)).product::<u64>() == elements)
}

/// Reads what an output is to be compared with.
pub(crate) fn expected(path: &Path, desc: Desc) -> Result<Numbers> {
    let port = Port {
        name: String::new(),
        data_type: Some(desc.data_type),
        elem: None,
        dims: Some(desc.shape.iter().map(|&size| Some(size)).collect()),
    };
    let content = read(path, &port, &picture::Options::default())?;
    // Files from elsewhere are compared as they are, not rounded to our type first.
    match content {
        Content::Array(shape, numbers) => {
            ensure!(
                shape.iter().product::<u32>() as usize == desc.elements(),
                "the shape is {shape:?}, expected {}",
                desc.shape
            );
            Ok(numbers)
        }
        Content::Row(_) | Content::Bytes(_) => {
            let bytes = content.bytes_for(desc)?;
            Numbers::from_bytes(desc, &bytes)
        }
    }
}

/// One pair `NAME=VALUE` of the command line.
pub(crate) fn pair(text: &str) -> Option<(&str, &str)> {
    text.split_once('=').filter(|(name, _)| !name.is_empty())
}

/// Numbers for an input that nobody gave: small floats from a fixed seed, integers all zero.
pub(crate) fn synthetic(desc: Desc) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        // Steele's mix of a counter, good enough for data of a benchmark.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    if !desc.data_type.is_float() {
        return vec![0; desc.byte_length() as usize];
    }
    let numbers = Numbers::Floats((0..desc.elements()).map(|_| next()).collect());
    numbers.to_bytes(desc).expect("there are as many numbers as elements")
}

/// Adds the file's name to an error.
pub(crate) fn at<T>(path: &Path, result: Result<T>) -> Result<T> {
    result.with_context(|| path.display().to_string())
}

/// Fails unless the file holds as many labels as asked for.
pub(crate) fn labels(path: &Path, expected: usize) -> Result<Vec<String>> {
    let text = at(path, fs::read_to_string(path).map_err(Into::into))?;
    let labels: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    if labels.len() < expected {
        bail!("{}: {} labels, expected {expected}", path.display(), labels.len());
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use webnn::DataType;

    #[test]
    fn free_dimensions_take_what_is_there() {
        for (dims, elements, expected) in [
            (&[None, Some(3)][..], 6, Some(vec![2, 3])),
            (&[None, None], 6, Some(vec![1, 6])),
            (&[Some(2), Some(3)], 6, Some(vec![2, 3])),
            (&[Some(2), Some(3)], 7, None),
            (&[Some(4), None], 6, None),
            (&[], 1, Some(vec![])),
        ] {
            assert_eq!(fill(dims, elements), expected, "{dims:?} {elements}");
        }
    }

    #[test]
    fn arrays_must_have_the_shape_but_for_leading_ones() {
        let desc = Desc::checked(DataType::Uint8, &[1, 2]).unwrap();
        let array = |shape: &[u32]| Content::Array(shape.to_vec(), Numbers::Integers(vec![3, 4]));
        assert_eq!(array(&[2]).bytes_for(desc).unwrap(), [3, 4]);
        assert_eq!(array(&[1, 1, 2]).bytes_for(desc).unwrap(), [3, 4]);
        assert!(array(&[2, 1]).bytes_for(desc).is_err());
        assert!(Content::Bytes(vec![0; 3]).bytes_for(desc).is_err());
    }
}
