//! Operators that read or write by index.

use super::activation::places;
use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::{Array, count, small_count};
use crate::tensor::{Tensor, axis_of, size_of};

pub(crate) fn gather(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, indices) = (cx.x(0)?, cx.x(1)?);
    let axis = axis_of(cx.int_or("axis", 0), x.rank())?;
    one(cx.g.gather(&x, &indices, axis)?)
}

pub(crate) fn gather_elements(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, indices) = (cx.x(0)?, cx.x(1)?);
    let axis = axis_of(cx.int_or("axis", 0), x.rank())?;
    one(cx.g.gather_elements(&x, &indices, axis)?)
}

pub(crate) fn gather_nd(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, indices) = (cx.x(0)?, cx.x(1)?);
    let batch = usize::try_from(cx.int_or("batch_dims", 0)).unwrap_or(usize::MAX);
    if batch == 0 {
        return one(cx.g.gather_nd(&x, &indices)?);
    }
    require!(
        batch < x.rank() && batch < indices.rank() && x.dims()[..batch] == indices.dims()[..batch],
        "{:?} and {:?} do not share {batch} leading dimensions",
        x.dims(),
        indices.dims()
    );
    // The batch's own coordinates are put in front of those that the indices name.
    let g = &mut *cx.g;
    let indices = g.cast(&indices, ElemType::Int64)?;
    let mut dims = indices.dims().to_vec();
    let last = dims.len() - 1;
    dims[last] = 1;
    let mut parts = Vec::new();
    for axis in 0..batch {
        let along = places(g, &indices, axis)?;
        parts.push(g.expand(&along, &dims)?);
    }
    parts.push(indices);
    let indices = g.concat(&parts, last)?;
    one(g.gather_nd(&x, &indices)?)
}

/// What becomes of an element that is written.
fn reduction(cx: &Cx<'_, '_, '_>) -> Outcome<Option<Combine>> {
    Ok(match cx.text_or("reduction", "none").as_str() {
        "none" => None,
        "add" => Some(Combine::Add),
        "mul" => Some(Combine::Mul),
        "max" => Some(Combine::Max),
        "min" => Some(Combine::Min),
        other => fault!(Invalid, "reduction is {other:?}"),
    })
}

#[derive(Clone, Copy)]
enum Combine {
    Add,
    Mul,
    Max,
    Min,
}

impl Combine {
    fn apply(self, g: &mut Emit<'_>, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
        match self {
            Combine::Add => g.add(a, b),
            Combine::Mul => g.mul(a, b),
            Combine::Max => g.max(a, b),
            Combine::Min => g.min(a, b),
        }
    }
}

/// The most rounds in which updates of one place are combined one after the other.
const MAX_ROUNDS: u32 = 64;

pub(crate) fn scatter_elements(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, indices, updates) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let axis = axis_of(cx.int_or("axis", 0), x.rank())?;
    let Some(combine) = reduction(cx)? else {
        return one(cx.g.scatter_elements(&x, &indices, &updates, axis)?);
    };
    require!(axis < indices.rank(), "axis {axis} of indices {:?}", indices.dims());
    if indices.is_empty() {
        return one(x);
    }
    // Along the axis no two updates of one slice are at one time: each slice in its own round,
    // read, combined and written back.
    let rounds = indices.dims()[axis];
    if rounds > MAX_ROUNDS {
        fault!(Limit, "{rounds} updates along axis {axis}, expected at most {MAX_ROUNDS}");
    }
    let g = &mut *cx.g;
    let mut result = x;
    for round in 0..rounds {
        let at = g.narrow(&indices, axis, round, 1)?;
        let by = g.narrow(&updates, axis, round, 1)?;
        let old = g.gather_elements(&result, &at, axis)?;
        let new = combine.apply(g, &old, &by)?;
        result = g.scatter_elements(&result, &at, &new, axis)?;
    }
    one(result)
}

pub(crate) fn scatter_nd(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, indices, updates) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let Some(combine) = reduction(cx)? else {
        return one(cx.g.scatter_nd(&x, &indices, &updates)?);
    };
    if indices.is_empty() {
        return one(x);
    }
    let Some((&depth, outer)) = indices.dims().split_last() else {
        fault!(Invalid, "the indices are a scalar, expected at least one dimension");
    };
    let rounds = size_of(count(outer)?.into())?;
    if rounds > MAX_ROUNDS {
        fault!(Limit, "{rounds} updates, expected at most {MAX_ROUNDS}");
    }
    require!(depth as usize <= x.rank(), "indices name {depth} axes of {:?}", x.dims());
    let rest = x.dims()[depth as usize..].to_vec();
    let g = &mut *cx.g;
    let flat = g.reshape(&indices, &[rounds, depth])?;
    let changes = g.reshape(&updates, &[&[rounds], &rest[..]].concat())?;
    let mut result = x;
    for round in 0..rounds {
        let at = g.narrow(&flat, 0, round, 1)?;
        let by = g.narrow(&changes, 0, round, 1)?;
        let old = g.gather_nd(&result, &at)?;
        let new = combine.apply(g, &old, &by)?;
        result = g.scatter_nd(&result, &at, &new)?;
    }
    one(result)
}

/// A cache written at an index along the axis, per batch.
pub(crate) fn tensor_scatter(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (cache, update) = (cx.x(0)?, cx.x(1)?);
    let axis = axis_of(cx.int_or("axis", -2), cache.rank())?;
    require!(axis > 0 && update.rank() == cache.rank(), "axis {axis} of {:?}", cache.dims());
    let circular = match cx.text_or("mode", "linear").as_str() {
        "linear" => false,
        "circular" => true,
        other => fault!(Invalid, "mode is {other:?}"),
    };
    let starts = cx.opt(2)?;
    let g = &mut *cx.g;
    let steps = places(g, &update, axis)?;
    let indices = match starts {
        Some(starts) => {
            let mut dims = vec![1; cache.rank()];
            dims[0] = starts.dim(0);
            let starts = g.cast(&starts, ElemType::Int64)?;
            let starts = g.reshape(&starts, &dims)?;
            g.add(&starts, &steps)?
        }
        None => steps,
    };
    let indices = if circular {
        let size = g.scalar(ElemType::Int64, f64::from(cache.dims()[axis]));
        let turns = g.div(&indices, &size)?;
        let whole = g.mul(&turns, &size)?;
        g.sub(&indices, &whole)?
    } else {
        indices
    };
    let indices = g.expand(&indices, update.dims())?;
    one(g.scatter_elements(&cache, &indices, &update, axis)?)
}

pub(crate) fn one_hot(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (indices, values) = (cx.x(0)?, cx.x(2)?);
    let depth = small_count(&[size_of(cx.scalar(1)? as i128)?])? as u32;
    let axis = axis_of(cx.int_or("axis", -1), indices.rank() + 1)?;
    let g = &mut *cx.g;
    let indices = g.cast(&indices, ElemType::Int64)?;
    // Indices below zero count from the end.
    let (zero, size) =
        (g.scalar(ElemType::Int64, 0.0), g.scalar(ElemType::Int64, f64::from(depth)));
    let below = g.lesser(&indices, &zero)?;
    let moved = g.add(&indices, &size)?;
    let indices = g.select(&below, &moved, &indices)?;
    let mut dims = indices.dims().to_vec();
    dims.insert(axis, 1);
    let indices = g.reshape(&indices, &dims)?;
    let mut along = vec![1; dims.len()];
    along[axis] = depth;
    let classes = g.int_list(ElemType::Int64, &along, (0..i128::from(depth)).collect());
    let hit = g.equal(&indices, &classes)?;
    let off = g.narrow(&values, 0, 0, 1)?;
    let on = g.narrow(&values, 0, 1, 1)?;
    let (off, on) = (g.reshape(&off, &[])?, g.reshape(&on, &[])?);
    one(g.select(&hit, &on, &off)?)
}

/// Elements where a known condition holds.
pub(crate) fn compress(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, condition) = (cx.x(0)?, cx.x(1)?);
    let Some(condition) = condition.array() else {
        fault!(DataDependentShape, "how many elements are kept is not known before the run");
    };
    let kept = condition.to_ints().into_iter().enumerate().filter(|(_, keep)| *keep != 0);
    let kept: Vec<i128> = kept.map(|(i, _)| i as i128).collect();
    let (x, axis) = match cx.int("axis") {
        Some(axis) => (x.clone(), axis_of(axis, x.rank())?),
        None => (cx.g.reshape(&x, &[size_of(count(x.dims())?.into())?])?, 0),
    };
    let indices = cx.g.int_list(ElemType::Int64, &[kept.len() as u32], kept);
    one(cx.g.gather(&x, &indices, axis)?)
}

/// Coordinates of what is not zero in a known value.
pub(crate) fn non_zero(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let Some(array) = x.array() else {
        fault!(DataDependentShape, "how many elements are not zero is not known before the run");
    };
    let steps = crate::host::strides(x.dims());
    let hits: Vec<usize> = array
        .to_floats()
        .iter()
        .enumerate()
        .filter_map(|(i, &value)| (value != 0.0).then_some(i))
        .collect();
    let mut values = Vec::with_capacity(hits.len() * x.rank());
    for (axis, step) in steps.iter().enumerate() {
        let size = x.dims()[axis].max(1) as usize;
        values.extend(hits.iter().map(|i| ((i / step.max(&1)) % size) as i128));
    }
    one(Array::ints(ElemType::Int64, &[x.rank() as u32, hits.len() as u32], values).into())
}

/// The greatest `k` where elements have to be compared with one another.
const MAX_RANKED: u32 = 512;

/// The greatest or least `k` elements along an axis and their indices.
pub(crate) fn top_k(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let k = if cx.version < 10 {
        cx.int_or("k", 0) as i128
    } else {
        cx.known(1)?.to_ints().first().copied().unwrap_or(0)
    };
    let axis = axis_of(cx.int_or("axis", -1), x.rank())?;
    let greatest = cx.flag("largest", true);
    let (k, size) = (size_of(k)?, x.dims()[axis]);
    require!(k <= size, "{k} elements of axis {axis}, which has {size}");
    let g = &mut *cx.g;
    if k == 0 || x.is_empty() {
        let mut dims = x.dims().to_vec();
        dims[axis] = k;
        let values = Array::empty(x.elem(), &dims);
        return all(vec![values.into(), Array::empty(ElemType::Int64, &dims).into()]);
    }
    if k == 1 {
        let index = g.arg(&x, axis, greatest, true)?;
        let value = g.gather_elements(&x, &index, axis)?;
        return all(vec![value, index]);
    }
    if size > MAX_RANKED {
        fault!(NotExpressible, "sorting {size} elements, expected at most {MAX_RANKED}");
    }
    let ranks = ranks(g, &x, axis, greatest)?;
    // The element of rank r goes to place r: the inverse permutation, by a scatter.
    let steps = places(g, &x, axis)?;
    let steps = g.expand(&steps, x.dims())?;
    let order = g.scatter_elements(&steps, &ranks, &steps, axis)?;
    let indices = g.narrow(&order, axis, 0, k)?;
    let values = g.gather_elements(&x, &indices, axis)?;
    all(vec![values, indices])
}

/// How many elements along the axis come before each; of equals the one with the lower index.
fn ranks(g: &mut Emit<'_>, x: &Tensor, axis: usize, greatest: bool) -> Outcome<Tensor> {
    let size = x.dims()[axis];
    let mut across = x.dims().to_vec();
    across.insert(axis, 1);
    let mut down = x.dims().to_vec();
    down.insert(axis + 1, 1);
    // `mine` lies along axis + 1, `other` along axis; all pairs are compared.
    let mine = g.reshape(x, &across)?;
    let other = g.reshape(x, &down)?;
    let before = if greatest { g.greater(&other, &mine)? } else { g.lesser(&other, &mine)? };
    let same = g.equal(&other, &mine)?;
    let mut dims = vec![1; x.rank() + 1];
    (dims[axis], dims[axis + 1]) = (size, size);
    small_count(&dims)?;
    let first = (0..size).flat_map(|o| (0..size).map(move |m| i128::from(o < m))).collect();
    let first = g.int_list(ElemType::Bool, &dims, first);
    let tie = g.logical_and(&same, &first)?;
    let ahead = g.logical_or(&before, &tie)?;
    let ahead = g.cast(&ahead, ElemType::Int32)?;
    let sum = g.reduce(ReduceKind::Sum, &ahead, &[axis])?;
    let sum = g.reshape(&sum, x.dims())?;
    g.cast(&sum, ElemType::Int64)
}

/// The distinct elements of a known value.
pub(crate) fn unique(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let Some(array) = x.array() else {
        fault!(DataDependentShape, "how many elements are distinct is not known before the run");
    };
    if cx.int("axis").is_some() && x.rank() != 1 {
        fault!(NotExpressible, "distinct slices");
    }
    let values = array.to_floats();
    let mut order: Vec<usize> = (0..values.len()).collect();
    if cx.flag("sorted", true) {
        order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    }
    // Each distinct value with its first place, and which of them every element is.
    let mut firsts: Vec<usize> = Vec::new();
    let mut counts: Vec<i128> = Vec::new();
    let mut inverse = vec![0i128; values.len()];
    let mut seen = std::collections::HashMap::new();
    for i in order {
        let id = *seen.entry(values[i].to_bits()).or_insert_with(|| {
            firsts.push(i);
            counts.push(0);
            firsts.len() - 1
        });
        firsts[id] = firsts[id].min(i);
        counts[id] += 1;
        inverse[i] = id as i128;
    }
    let dims = [firsts.len() as u32];
    let list = |values: Vec<i128>| {
        let dims = [values.len() as u32];
        Tensor::from(Array::ints(ElemType::Int64, &dims, values))
    };
    all(vec![
        array.pick(&dims, firsts.iter().copied()).into(),
        list(firsts.iter().map(|&i| i as i128).collect()),
        list(inverse),
        list(counts),
    ])
}
