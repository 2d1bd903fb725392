//! Sequences of a length that is known, and optional values: they live in the importer alone.

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::Array;
use crate::model::name_of;
use crate::tensor::{Tensor, axis_of, size_of};

fn sequence(cx: &Cx<'_, '_, '_>, index: usize) -> Outcome<Vec<Value>> {
    match cx.value(index) {
        Some(Value::Sequence(list)) => Ok(list.clone()),
        _other => fault!(Invalid, "input {index} is no sequence"),
    }
}

/// A place in a list, counted from the end where it is negative.
fn place(cx: &Cx<'_, '_, '_>, index: usize, length: usize) -> Outcome<usize> {
    axis_of(cx.scalar(index)? as i64, length)
}

pub(crate) fn empty(_cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    Ok(vec![Value::Sequence(Vec::new())])
}

pub(crate) fn construct(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    Ok(vec![Value::Sequence(cx.rest(0)?.into_iter().map(Value::Tensor).collect())])
}

pub(crate) fn at(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let list = sequence(cx, 0)?;
    let i = place(cx, 1, list.len())?;
    Ok(list.into_iter().skip(i).take(1).collect())
}

pub(crate) fn insert(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let mut list = sequence(cx, 0)?;
    let i = match cx.opt(2)? {
        // Behind the last element is a place, too, but not one to count from.
        Some(_) => match cx.scalar(2)? as i64 {
            end if end == list.len() as i64 => list.len(),
            _inside => place(cx, 2, list.len())?,
        },
        None => list.len(),
    };
    list.insert(i, Value::Tensor(cx.x(1)?));
    Ok(vec![Value::Sequence(list)])
}

pub(crate) fn erase(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let mut list = sequence(cx, 0)?;
    require!(!list.is_empty(), "the sequence is empty");
    let i = match cx.opt(1)? {
        Some(_) => place(cx, 1, list.len())?,
        None => list.len() - 1,
    };
    list.remove(i);
    Ok(vec![Value::Sequence(list)])
}

pub(crate) fn length(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let length = sequence(cx, 0)?.len();
    one(Array::ints(ElemType::Int64, &[], vec![length as i128]).into())
}

pub(crate) fn split(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axis = axis_of(cx.int_or("axis", 0), x.rank())?;
    let total = x.dims()[axis];
    let (sizes, keeps) = match cx.opt(1)? {
        None => (vec![1; total as usize], cx.flag("keepdims", true)),
        Some(split) if split.rank() == 0 => {
            let each = size_of(cx.scalar(1)? as i128)?;
            require!(each > 0, "parts of size 0");
            let parts = total.div_ceil(each);
            ((0..parts).map(|i| each.min(total - i * each)).collect(), true)
        }
        Some(_) => (super::shape::dims_of(&cx.ints(1)?)?, true),
    };
    let mut list = Vec::new();
    for part in cx.g.split(&x, axis, &sizes)? {
        let mut dims = part.dims().to_vec();
        if !keeps {
            dims.remove(axis);
        }
        list.push(Value::Tensor(cx.g.reshape(&part, &dims)?));
    }
    Ok(vec![Value::Sequence(list)])
}

pub(crate) fn concat(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let adds = cx.flag("new_axis", false);
    let axis = cx.int_or("axis", 0);
    let mut parts: Vec<Tensor> = Vec::new();
    for value in sequence(cx, 0)? {
        match value {
            Value::Tensor(tensor) => parts.push(tensor),
            Value::Sequence(_) | Value::Nothing | Value::Unknown => {
                fault!(SequenceOrOptional, "the sequence holds what is no tensor")
            }
        }
    }
    let rank = parts.first().map_or(0, Tensor::rank) + usize::from(adds);
    let axis = axis_of(axis, rank)?;
    if adds {
        for part in &mut parts {
            let mut dims = part.dims().to_vec();
            require!(axis <= dims.len(), "axis {axis} is out of range for rank {}", dims.len());
            dims.insert(axis, 1);
            *part = cx.g.reshape(part, &dims)?;
        }
    }
    one(cx.g.concat(&parts, axis)?)
}

/// A body for every element.
pub(crate) fn map(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let body = cx.body("body")?;
    let first = sequence(cx, 0)?;
    let mut lists = vec![Vec::new(); body.output.len()];
    for (i, value) in first.into_iter().enumerate() {
        let mut values = vec![value];
        for index in 1..cx.inputs.len() {
            values.push(match cx.value(index) {
                Some(Value::Sequence(list)) => match list.get(i) {
                    Some(value) => value.clone(),
                    None => fault!(Invalid, "the sequences differ in length"),
                },
                Some(value) => value.clone(),
                None => Value::Nothing,
            });
        }
        let mut scope = cx.scope.inner();
        scope.values.extend(body.input.iter().map(name_of).zip(values));
        let results = cx.walk.body(cx.g, body, scope)?;
        lists.iter_mut().zip(results).for_each(|(list, value)| list.push(value));
    }
    Ok(lists.into_iter().map(Value::Sequence).collect())
}

/// A value that may be absent, and here is known to be or not to be.
pub(crate) fn optional(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    Ok(vec![cx.value(0).cloned().unwrap_or(Value::Nothing)])
}

pub(crate) fn optional_has(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let there = !matches!(cx.value(0), None | Some(Value::Nothing));
    one(Array::ints(ElemType::Bool, &[], vec![i128::from(there)]).into())
}

pub(crate) fn optional_get(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    match cx.value(0) {
        None | Some(Value::Nothing) => fault!(Invalid, "the optional value is absent"),
        Some(value) => Ok(vec![value.clone()]),
    }
}
