//! The operators of classical models that work on dense numbers.

use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::Tensor;

/// The input as float32.
fn floats(cx: &mut Cx<'_, '_, '_>, index: usize) -> Outcome<Tensor> {
    let x = cx.x(index)?;
    cx.g.cast(&x, ElemType::Float32)
}

fn row(g: &Emit<'_>, values: Vec<f64>) -> Tensor {
    g.list(ElemType::Float32, &[values.len() as u32], values)
}

pub(crate) fn extract(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, indices) = (cx.x(0)?, cx.x(1)?);
    require!(x.rank() > 0, "a scalar has no features");
    let count = crate::known::count(indices.dims())? as u32;
    let indices = cx.g.reshape(&indices, &[count])?;
    let axis = x.rank() - 1;
    let x = if axis == 0 { cx.g.reshape(&x, &[1, x.dim(0)])? } else { x };
    let axis = x.rank() - 1;
    one(cx.g.gather(&x, &indices, axis)?)
}

pub(crate) fn binarize(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let bound = cx.g.scalar(x.elem(), cx.float_or("threshold", 0.0));
    let above = cx.g.greater(&x, &bound)?;
    one(cx.g.cast(&above, x.elem())?)
}

pub(crate) fn join(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let mut parts = Vec::new();
    for index in 0..cx.inputs.len() {
        let x = floats(cx, index)?;
        parts.push(if x.rank() == 1 { cx.g.reshape(&x, &[1, x.dim(0)])? } else { x });
    }
    one(cx.g.concat(&parts, 1)?)
}

/// A value in the place of those that are missing.
pub(crate) fn impute(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let whole = cx.int_list("imputed_value_int64s").filter(|list| !list.is_empty());
    let values: Vec<f64> = match whole {
        Some(list) => list.into_iter().map(|value| value as f64).collect(),
        None => cx.float_list("imputed_value_floats").unwrap_or_default(),
    };
    let missing = match cx.int("replaced_value_int64") {
        Some(value) if !x.elem().is_float() => value as f64,
        _float => cx.float_or("replaced_value_float", 0.0),
    };
    let g = &mut *cx.g;
    let values = g.list(x.elem(), &[values.len() as u32], values);
    let hit = if missing.is_nan() {
        g.is_nan(&x)?
    } else {
        let mark = g.scalar(x.elem(), missing);
        g.equal(&x, &mark)?
    };
    one(g.select(&hit, &values, &x)?)
}

/// Numbers to numbers by a table of pairs.
pub(crate) fn encode_labels(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let texts = ["keys_strings", "values_strings", "classes_strings"];
    if texts.iter().any(|name| cx.attribute(name).is_some()) {
        fault!(String, "labels are strings");
    }
    let list = |kind: &str| -> Outcome<Option<(ElemType, Vec<f64>)>> {
        if let Some(known) = cx.tensor(&format!("{kind}_tensor"))? {
            return Ok(Some((known.elem(), known.array()?.to_floats())));
        }
        if let Some(list) = cx.int_list(&format!("{kind}_int64s")) {
            return Ok(Some((ElemType::Int64, list.into_iter().map(|v| v as f64).collect())));
        }
        Ok(cx.float_list(&format!("{kind}_floats")).map(|list| (ElemType::Float32, list)))
    };
    let (Some((_, keys)), Some((elem, values))) = (list("keys")?, list("values")?) else {
        fault!(Invalid, "the table has no keys or no values");
    };
    require!(keys.len() == values.len(), "{} keys for {} values", keys.len(), values.len());
    let default = match cx.tensor("default_tensor")? {
        Some(known) => known.array()?.to_floats().first().copied().unwrap_or(0.0),
        None if elem.is_float() => cx.float_or("default_float", -0.0),
        None => cx.int_or("default_int64", -1) as f64,
    };
    const MAX_LABELS: usize = 1 << 12;
    if keys.len() > MAX_LABELS {
        fault!(Limit, "{} labels, expected at most {MAX_LABELS}", keys.len());
    }
    let g = &mut *cx.g;
    let mut result = g.filled(elem, x.dims(), default)?;
    // The first of equal keys counts, so it is written last.
    for (&key, &value) in keys.iter().zip(&values).rev() {
        let hit = if key.is_nan() {
            g.is_nan(&x)?
        } else {
            let key = g.scalar(x.elem(), key);
            g.equal(&x, &key)?
        };
        let value = g.scalar(elem, value);
        result = g.select(&hit, &value, &result)?;
    }
    one(result)
}

/// What a classifier's scores go through.
fn transformed(g: &mut Emit<'_>, scores: &Tensor, transform: &str) -> Outcome<Tensor> {
    let last = scores.rank() - 1;
    match transform {
        "NONE" => Ok(scores.clone()),
        "LOGISTIC" => g.sigmoid(scores),
        "SOFTMAX" => g.softmax(scores, last),
        "SOFTMAX_ZERO" => {
            let zero = g.scalar(scores.elem(), 0.0);
            let empty = g.equal(scores, &zero)?;
            let chances = g.softmax(scores, last)?;
            g.select(&empty, &zero, &chances)
        }
        other => fault!(NotExpressible, "the transform {other:?}"),
    }
}

/// `x · coefficientsᵀ + intercepts`, one row of coefficients per result.
fn linear(cx: &mut Cx<'_, '_, '_>, rows: u32) -> Outcome<Tensor> {
    let x = floats(cx, 0)?;
    let coefficients = cx.float_list("coefficients").unwrap_or_default();
    let intercepts = cx.float_list("intercepts").unwrap_or_default();
    require!(
        rows > 0 && coefficients.len().is_multiple_of(rows as usize),
        "{} coefficients for {rows} results",
        coefficients.len()
    );
    let columns = coefficients.len() as u32 / rows;
    let g = &mut *cx.g;
    let x = if x.rank() == 1 { g.reshape(&x, &[1, x.dim(0)])? } else { x };
    let weights = g.list(ElemType::Float32, &[rows, columns], coefficients);
    let weights = g.swap(&weights, 0, 1)?;
    let y = g.matmul(&x, &weights)?;
    if intercepts.is_empty() {
        return Ok(y);
    }
    let intercepts = row(g, intercepts);
    g.add(&y, &intercepts)
}

pub(crate) fn linear_regressor(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let targets = cx.int_or("targets", 1).clamp(0, 1 << 20) as u32;
    let transform = cx.text_or("post_transform", "NONE");
    let y = linear(cx, targets)?;
    one(transformed(cx.g, &y, &transform)?)
}

pub(crate) fn linear_classifier(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let Some(classes) = cx.int_list("classlabels_ints").filter(|list| !list.is_empty()) else {
        fault!(String, "labels are strings");
    };
    let transform = cx.text_or("post_transform", "NONE");
    let rows = cx.float_list("intercepts").map_or(classes.len(), |list| list.len()) as u32;
    let mut scores = linear(cx, rows)?;
    let g = &mut *cx.g;
    if rows == 1 && classes.len() == 2 {
        // One score decides between two classes: its negative is the other's.
        let other = g.neg(&scores)?;
        scores = g.concat(&[other, scores], 1)?;
    }
    let labels = classes.iter().map(|&label| label.into()).collect();
    let labels = g.int_list(ElemType::Int64, &[classes.len() as u32], labels);
    let best = g.arg(&scores, 1, true, false)?;
    let label = g.gather(&labels, &best, 0)?;
    all(vec![label, transformed(g, &scores, &transform)?])
}

pub(crate) fn normalize(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let kind = match cx.text_or("norm", "MAX").as_str() {
        "MAX" => ReduceKind::Max,
        "L1" => ReduceKind::L1,
        "L2" => ReduceKind::L2,
        other => fault!(Invalid, "norm is {other:?}"),
    };
    let x = floats(cx, 0)?;
    require!(x.rank() > 0, "a scalar has no norm");
    let g = &mut *cx.g;
    let size = if kind == ReduceKind::Max { g.abs(&x)? } else { x.clone() };
    let norm = g.reduce(kind, &size, &[x.rank() - 1])?;
    one(g.div(&x, &norm)?)
}

pub(crate) fn one_hot(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let Some(classes) = cx.int_list("cats_int64s") else {
        fault!(String, "categories are strings");
    };
    let g = &mut *cx.g;
    let column = g.reshape(&x, &[x.dims(), &[1]].concat())?;
    let classes: Vec<i128> = classes.into_iter().map(i128::from).collect();
    let column = g.cast(&column, ElemType::Int64)?;
    let classes = g.int_list(ElemType::Int64, &[classes.len() as u32], classes);
    let hit = g.equal(&column, &classes)?;
    one(g.cast(&hit, ElemType::Float32)?)
}

pub(crate) fn scale(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = floats(cx, 0)?;
    let (offset, factor) = (cx.float_list("offset"), cx.float_list("scale"));
    let g = &mut *cx.g;
    let offset = row(g, offset.unwrap_or_else(|| vec![0.0]));
    let factor = row(g, factor.unwrap_or_else(|| vec![1.0]));
    let moved = g.sub(&x, &offset)?;
    one(g.mul(&moved, &factor)?)
}
