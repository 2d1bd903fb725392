//! Numbers in JSON: nested arrays, whose nesting is the shape.

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::Content;
use crate::values::Numbers;

pub(crate) fn read(bytes: &[u8]) -> Result<Content> {
    let value: Value = serde_json::from_slice(bytes)?;
    let mut shape = Vec::new();
    let mut first = &value;
    while let Value::Array(items) = first {
        shape.push(u32::try_from(items.len())?);
        let Some(item) = items.first() else { bail!("there is an empty array") };
        first = item;
    }
    let mut items = Vec::new();
    collect(&value, &shape, &mut items)?;
    let integers: Option<Vec<i128>> = items.iter().copied().map(integer).collect();
    let numbers = match integers {
        Some(integers) => Numbers::Integers(integers),
        None => Numbers::Floats(items.into_iter().map(float).collect::<Result<_>>()?),
    };
    Ok(Content::Array(shape, numbers))
}

fn collect<'a>(value: &'a Value, shape: &[u32], items: &mut Vec<&'a Value>) -> Result<()> {
    match (value, shape) {
        (Value::Array(array), [size, rest @ ..]) => {
            ensure!(
                array.len() == *size as usize,
                "an array has {} items, its neighbour {size}",
                array.len()
            );
            array.iter().try_for_each(|item| collect(item, rest, items))
        }
        (Value::Array(_), []) | (_, [_, ..]) => {
            bail!("arrays are nested more deeply here and there")
        }
        (item, []) => {
            items.push(item);
            Ok(())
        }
    }
}

fn integer(item: &Value) -> Option<i128> {
    match item {
        Value::Bool(value) => Some(i128::from(*value)),
        Value::Number(number) => number.as_i128(),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn float(item: &Value) -> Result<f64> {
    match item.as_f64() {
        Some(value) => Ok(value),
        None => bail!("{item} is not a number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_the_shape() {
        let array = |shape: &[u32], numbers| Some(Content::Array(shape.to_vec(), numbers));
        for (text, expected) in [
            ("16000", array(&[], Numbers::Integers(vec![16000]))),
            ("[[1, 2.5]]", array(&[1, 2], Numbers::Floats(vec![1.0, 2.5]))),
            ("[true, false]", array(&[2], Numbers::Integers(vec![1, 0]))),
            ("[[1], [2, 3]]", None),
            ("[1, [2]]", None),
            ("[[1], 2]", None),
            ("[]", None),
            ("[\"1\"]", None),
            ("[1", None),
        ] {
            assert_eq!(read(text.as_bytes()).ok(), expected, "{text}");
        }
    }
}
