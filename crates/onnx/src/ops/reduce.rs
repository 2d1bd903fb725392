//! Reductions and what is computed along an axis.

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::ReduceKind;
use crate::error::{Outcome, fault};
use crate::import::Value;
use crate::tensor::{Tensor, axis_of};

/// A reduction over axes given as an input or an attribute, or over all.
pub(crate) fn reduce(cx: &mut Cx<'_, '_, '_>, kind: ReduceKind) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axes = match cx.axes(1, x.rank())? {
        Some(axes) if !axes.is_empty() => axes,
        _none if cx.flag("noop_with_empty_axes", false) => {
            // The element-wise part stays: squares, absolute values, logarithms.
            return one(over(cx, kind, &x, &[])?);
        }
        _all => (0..x.rank()).collect(),
    };
    let result = over(cx, kind, &x, &axes)?;
    if cx.flag("keepdims", true) {
        return one(result);
    }
    let kept = (0..x.rank()).filter(|axis| !axes.contains(axis));
    let dims: Vec<u32> = kept.map(|axis| x.dims()[axis]).collect();
    one(cx.g.reshape(&result, &dims)?)
}

fn over(cx: &mut Cx<'_, '_, '_>, kind: ReduceKind, x: &Tensor, axes: &[usize]) -> Outcome<Tensor> {
    let g = &mut *cx.g;
    let floats_only = [ReduceKind::Mean, ReduceKind::L2, ReduceKind::LogSum, ReduceKind::LogSumExp];
    if x.elem().is_float() || !floats_only.contains(&kind) {
        return g.reduce(kind, x, axes);
    }
    let wide = g.cast(x, ElemType::Float32)?;
    let result = g.reduce(kind, &wide, axes)?;
    g.cast(&result, x.elem())
}

pub(crate) fn arg(cx: &mut Cx<'_, '_, '_>, greatest: bool) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axis = axis_of(cx.int_or("axis", 0), x.rank())?;
    let keep = cx.flag("keepdims", true);
    if !cx.flag("select_last_index", false) {
        return one(cx.g.arg(&x, axis, greatest, keep)?);
    }
    // The last of equals is the first from behind.
    let g = &mut *cx.g;
    let back = g.reverse(&x, &[axis])?;
    let index = g.arg(&back, axis, greatest, keep)?;
    let last = g.scalar(ElemType::Int64, f64::from(x.dim(axis)) - 1.0);
    one(g.sub(&last, &index)?)
}

pub(crate) fn cumulative_sum(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axis = axis_of(cx.scalar(1)? as i64, x.rank())?;
    let (exclusive, reverse) = (cx.flag("exclusive", false), cx.flag("reverse", false));
    one(cx.g.cumulative_sum(&x, axis, exclusive, reverse)?)
}

/// x divided by its norm along an axis.
pub(crate) fn lp_normalization(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axis = axis_of(cx.int_or("axis", -1), x.rank())?;
    let kind = match cx.int_or("p", 2) {
        1 => ReduceKind::L1,
        2 => ReduceKind::L2,
        p => fault!(Invalid, "p is {p}, expected 1 or 2"),
    };
    let g = &mut *cx.g;
    let norm = g.reduce(kind, &x, &[axis])?;
    // Where the norm is 0 all elements are, and they stay.
    let zero = g.scalar(x.elem(), 0.0);
    let unit = g.scalar(x.elem(), 1.0);
    let empty = g.equal(&norm, &zero)?;
    let norm = g.select(&empty, &unit, &norm)?;
    one(g.div(&x, &norm)?)
}
