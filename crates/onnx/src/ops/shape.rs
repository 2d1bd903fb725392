//! Operators that reshape, cut, join and fill.

use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::PaddingMode;
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::{Array, Known, count, small_count};
use crate::tensor::{Tensor, axes_of, axis_of, size_of};

/// Sizes of the model as dimensions.
pub(crate) fn dims_of(sizes: &[i64]) -> Outcome<Vec<u32>> {
    sizes.iter().map(|&size| size_of(size.into())).collect()
}

pub(crate) fn identity(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    match cx.value(0) {
        Some(value) => Ok(vec![value.clone()]),
        None => fault!(Invalid, "input 0 is missing"),
    }
}

/// A value in an attribute, one of several kinds.
pub(crate) fn constant(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    if let Some(known) = cx.tensor("value")? {
        return one(known.into());
    }
    if let Some(value) = cx.float("value_float") {
        return one(cx.g.scalar(ElemType::Float32, value));
    }
    if let Some(value) = cx.int("value_int") {
        return one(Array::ints(ElemType::Int64, &[], vec![value.into()]).into());
    }
    if let Some(values) = cx.float_list("value_floats") {
        return one(cx.g.list(ElemType::Float32, &[values.len() as u32], values));
    }
    if let Some(values) = cx.int_list("value_ints") {
        let dims = [values.len() as u32];
        let values = values.into_iter().map(i128::from).collect();
        return one(cx.g.int_list(ElemType::Int64, &dims, values));
    }
    let sparse = cx.attribute("sparse_value").and_then(|a| a.sparse_tensor.as_ref());
    if let Some(sparse) = sparse {
        return one(cx.walk.model.constants.sparse(sparse)?.into());
    }
    if cx.attribute("value_string").is_some() || cx.attribute("value_strings").is_some() {
        fault!(String, "a constant of strings");
    }
    fault!(Invalid, "the constant has no value")
}

pub(crate) fn shape(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let rank = x.rank() as i64;
    let bound =
        |value: i64| (if value < 0 { value.saturating_add(rank) } else { value }).clamp(0, rank);
    let start = bound(cx.int_or("start", 0)) as usize;
    let end = bound(cx.int_or("end", rank)) as usize;
    one(Array::shape(x.dims().get(start..end).unwrap_or(&[])).into())
}

pub(crate) fn size(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let count = count(cx.x(0)?.dims())?;
    one(Array::ints(ElemType::Int64, &[], vec![count.into()]).into())
}

pub(crate) fn reshape(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let shape = if cx.version < 5 { cx.int_list("shape").unwrap_or_default() } else { cx.ints(1)? };
    let keeps_zero = cx.flag("allowzero", false);
    let mut dims = Vec::with_capacity(shape.len());
    let mut open = None;
    for (axis, &size) in shape.iter().enumerate() {
        dims.push(match size {
            -1 => {
                require!(open.replace(axis).is_none(), "shape {shape:?} has more than one -1");
                1
            }
            0 if !keeps_zero => match x.dims().get(axis) {
                Some(&size) => size,
                None => fault!(Invalid, "shape {shape:?} copies axis {axis} of {:?}", x.dims()),
            },
            size => size_of(size.into())?,
        });
    }
    if let Some(axis) = open {
        let (total, rest) = (count(x.dims())?, count(&dims)?);
        require!(rest > 0 && total % rest == 0, "shape {:?} cannot be read as {shape:?}", x.dims());
        dims[axis] = size_of((total / rest).into())?;
    }
    one(cx.g.reshape(&x, &dims)?)
}

pub(crate) fn flatten(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axis = cx.int_or("axis", 1);
    let axis = if axis == x.rank() as i64 { x.rank() } else { axis_of(axis, x.rank())? };
    let (outer, inner) = x.dims().split_at(axis);
    let dims = [size_of(count(outer)?.into())?, size_of(count(inner)?.into())?];
    one(cx.g.reshape(&x, &dims)?)
}

pub(crate) fn squeeze(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axes = match cx.axes(1, x.rank())? {
        Some(axes) => axes,
        None => (0..x.rank()).filter(|&axis| x.dims()[axis] == 1).collect(),
    };
    require!(
        axes.iter().all(|&axis| x.dims()[axis] == 1),
        "axes {axes:?} of {:?} are not all of size 1",
        x.dims()
    );
    let dims: Vec<u32> =
        (0..x.rank()).filter(|axis| !axes.contains(axis)).map(|axis| x.dims()[axis]).collect();
    one(cx.g.reshape(&x, &dims)?)
}

pub(crate) fn unsqueeze(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let count = match cx.opt_ints(1)? {
        Some(axes) => axes.len(),
        None => cx.int_list("axes").map_or(0, |axes| axes.len()),
    };
    let rank = x.rank() + count;
    let axes = cx.axes(1, rank)?.unwrap_or_default();
    let mut rest = x.dims().iter().copied();
    let dims: Vec<u32> = (0..rank)
        .map(|axis| if axes.contains(&axis) { 1 } else { rest.next().unwrap_or(1) })
        .collect();
    one(cx.g.reshape(&x, &dims)?)
}

pub(crate) fn transpose(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let permutation = match cx.int_list("perm") {
        Some(list) => list.iter().map(|&axis| axis_of(axis, x.rank())).collect::<Outcome<_>>()?,
        None => (0..x.rank()).rev().collect::<Vec<usize>>(),
    };
    one(cx.g.transpose(&x, &permutation)?)
}

pub(crate) fn expand(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let dims = crate::tensor::broadcast(x.dims(), &dims_of(&cx.ints(1)?)?)?;
    one(cx.g.expand(&x, &dims)?)
}

pub(crate) fn tile(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    if cx.version < 6 {
        let axis = axis_of(cx.scalar(2)? as i64, x.rank())?;
        let mut repeats = vec![1; x.rank()];
        repeats[axis] = size_of(cx.scalar(1)? as i128)?;
        return one(cx.g.tile(&x, &repeats)?);
    }
    let repeats = dims_of(&cx.ints(1)?)?;
    one(cx.g.tile(&x, &repeats)?)
}

pub(crate) fn concat(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let parts = cx.rest(0)?;
    let rank = parts.first().map_or(0, Tensor::rank);
    let axis = axis_of(cx.int_or("axis", 1), rank)?;
    one(cx.g.concat(&parts, axis)?)
}

pub(crate) fn split(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axis = axis_of(cx.int_or("axis", 0), x.rank())?;
    let given = match cx.opt_ints(1)? {
        Some(sizes) => Some(sizes),
        None => cx.int_list("split"),
    };
    let sizes = match given {
        Some(sizes) => dims_of(&sizes)?,
        None => {
            let parts = cx.int("num_outputs").unwrap_or(cx.node.output.len() as i64);
            parts_of(x.dims()[axis], size_of(parts.into())?)?
        }
    };
    all(cx.g.split(&x, axis, &sizes)?)
}

/// So many parts, all but the last of one size.
fn parts_of(size: u32, parts: u32) -> Outcome<Vec<u32>> {
    require!(parts > 0, "the input is split into no parts");
    small_count(&[parts])?;
    let each = size.div_ceil(parts);
    let part = |i: u32| (size.saturating_sub(i.saturating_mul(each))).min(each);
    Ok((0..parts).map(part).collect())
}

/// Starts, ends, axes and steps, in attributes before version 10.
pub(crate) fn slice(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let old = cx.version < 10;
    let list = |cx: &Cx<'_, '_, '_>, index: usize, name: &str| {
        if old { Ok(cx.int_list(name)) } else { cx.opt_ints(index) }
    };
    let (Some(begins), Some(ends)) = (list(cx, 1, "starts")?, list(cx, 2, "ends")?) else {
        fault!(Invalid, "starts or ends are missing");
    };
    let axes = match list(cx, 3, "axes")? {
        Some(axes) => axes.iter().map(|&axis| axis_of(axis, x.rank())).collect::<Outcome<_>>()?,
        None => (0..begins.len()).collect::<Vec<usize>>(),
    };
    let steps = match cx.opt_ints(4)? {
        Some(steps) if !old => steps,
        _none => vec![1; begins.len()],
    };
    require!(
        begins.len() == axes.len() && ends.len() == axes.len() && steps.len() == axes.len(),
        "starts {begins:?}, ends {ends:?}, axes {axes:?} and steps {steps:?} differ in number"
    );
    axes_of(&axes.iter().map(|&axis| axis as i64).collect::<Vec<_>>(), x.rank())?;
    let mut start = vec![0i64; x.rank()];
    let mut step = vec![1i64; x.rank()];
    let mut counts = x.dims().to_vec();
    for (i, &axis) in axes.iter().enumerate() {
        let size = i64::from(x.dims()[axis]);
        require!(steps[i] != 0, "axis {axis} is walked in steps of 0");
        // No walk is longer than the axis, so no step needs to be.
        let by = steps[i].clamp(-size.max(1), size.max(1));
        let from_front = |place: i64| if place < 0 { place.saturating_add(size) } else { place };
        let (low, high) = if by > 0 { (0, size) } else { (-1, size - 1) };
        let begin = from_front(begins[i]).clamp(low.max(0), high.max(0));
        let end = from_front(ends[i]).clamp(low, high.max(low));
        let way = if by > 0 { end - begin } else { begin - end };
        counts[axis] =
            if way <= 0 { 0 } else { way.unsigned_abs().div_ceil(by.unsigned_abs()) as u32 };
        start[axis] = begin;
        step[axis] = by;
    }
    one(cx.g.slice(&x, &start, &step, &counts)?)
}

pub(crate) fn pad(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let old = cx.version < 11;
    let pads = if old {
        cx.int_list("pads").or_else(|| cx.int_list("paddings")).unwrap_or_default()
    } else {
        cx.ints(1)?
    };
    let value = if old {
        cx.float_or("value", 0.0)
    } else if cx.opt(2)?.is_some_and(|value| !value.is_empty()) {
        cx.scalar(2)?
    } else {
        0.0
    };
    let axes = match cx.opt_ints(3)? {
        Some(axes) if !old => {
            axes.iter().map(|&axis| axis_of(axis, x.rank())).collect::<Outcome<Vec<_>>>()?
        }
        _all => (0..x.rank()).collect(),
    };
    require!(pads.len() == 2 * axes.len(), "{} paddings for {} axes", pads.len(), axes.len());
    let (mut before, mut after) = (vec![0i64; x.rank()], vec![0i64; x.rank()]);
    for (i, &axis) in axes.iter().enumerate() {
        before[axis] = pads[i];
        after[axis] = pads[i + axes.len()];
    }
    let mode = cx.text_or("mode", "constant");
    one(padded(cx, &x, &before, &after, &mode, value)?)
}

/// Pads, or cuts where a padding is negative.
fn padded(
    cx: &mut Cx<'_, '_, '_>,
    x: &Tensor,
    before: &[i64],
    after: &[i64],
    mode: &str,
    value: f64,
) -> Outcome<Tensor> {
    let g = &mut *cx.g;
    let cut = |pads: &[i64], axis: usize| pads[axis].saturating_neg().max(0);
    let starts: Vec<i64> = (0..x.rank()).map(|axis| cut(before, axis)).collect();
    let rest = |axis: usize| {
        let all = i128::from(x.dims()[axis]) - i128::from(starts[axis]);
        size_of((all - i128::from(cut(after, axis))).max(0))
    };
    let counts = (0..x.rank()).map(rest).collect::<Outcome<Vec<u32>>>()?;
    let x = g.slice(x, &starts, &vec![1; x.rank()], &counts)?;
    let grow = |pads: &[i64]| -> Outcome<Vec<u32>> {
        pads.iter().map(|&size| size_of(size.max(0).into())).collect()
    };
    let (before, after) = (grow(before)?, grow(after)?);
    match mode {
        "constant" => g.pad(&x, &before, &after, PaddingMode::Constant, value),
        "edge" => g.pad(&x, &before, &after, PaddingMode::Edge, 0.0),
        "reflect" => {
            // A reflection wider than the tensor turns around several times: by indices.
            let fits = |axis: usize| before[axis].max(after[axis]) < x.dims()[axis];
            if (0..x.rank()).all(|axis| fits(axis) || before[axis] + after[axis] == 0) {
                return g.pad(&x, &before, &after, PaddingMode::Reflection, 0.0);
            }
            let period = |size: i128| (2 * size - 2).max(1);
            gathered(cx, &x, &before, &after, |i, size| {
                let i = i.rem_euclid(period(size));
                if i < size { i } else { period(size) - i }
            })
        }
        "wrap" => gathered(cx, &x, &before, &after, |i, size| i.rem_euclid(size)),
        other => fault!(Invalid, "mode is {other:?}"),
    }
}

/// Pads with elements of the tensor itself, whose places `source` names.
fn gathered(
    cx: &mut Cx<'_, '_, '_>,
    x: &Tensor,
    before: &[u32],
    after: &[u32],
    source: impl Fn(i128, i128) -> i128,
) -> Outcome<Tensor> {
    let mut result = x.clone();
    for axis in 0..x.rank() {
        if before[axis] == 0 && after[axis] == 0 {
            continue;
        }
        let size = i128::from(x.dims()[axis]);
        require!(size > 0, "there is nothing to pad axis {axis} with");
        let total = size + i128::from(before[axis]) + i128::from(after[axis]);
        let total = size_of(total)?;
        small_count(&[total])?;
        let places = (0..i128::from(total)).map(|i| source(i - i128::from(before[axis]), size));
        let indices = cx.g.int_list(ElemType::Int64, &[total], places.collect());
        result = cx.g.gather(&result, &indices, axis)?;
    }
    Ok(result)
}

/// Cut or padded around the middle to a shape.
pub(crate) fn center_crop_pad(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let sizes = dims_of(&cx.ints(1)?)?;
    let axes = match cx.int_list("axes") {
        Some(axes) => axes.iter().map(|&a| axis_of(a, x.rank())).collect::<Outcome<Vec<_>>>()?,
        None => (0..x.rank()).collect(),
    };
    require!(sizes.len() == axes.len(), "{} sizes for {} axes", sizes.len(), axes.len());
    let (mut before, mut after) = (vec![0i64; x.rank()], vec![0i64; x.rank()]);
    for (&axis, &size) in axes.iter().zip(&sizes) {
        let more = i64::from(size) - i64::from(x.dims()[axis]);
        // Of an odd difference, the smaller half lies in front.
        before[axis] = more.signum() * (more.abs() / 2);
        after[axis] = more - before[axis];
    }
    one(padded(cx, &x, &before, &after, "constant", 0.0)?)
}

pub(crate) fn depth_to_space(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let block = size_of(cx.int_or("blocksize", 0).into())?;
    require!(
        x.rank() == 4
            && block > 0
            && x.dims()[1].is_multiple_of(block.saturating_mul(block).max(1)),
        "shape {:?} has no blocks of {block}",
        x.dims()
    );
    let [n, c, h, w] = [x.dim(0), x.dim(1), x.dim(2), x.dim(3)];
    let rest = c / (block * block);
    let (dims, permutation) = match cx.text_or("mode", "DCR").as_str() {
        "DCR" => ([n, block, block, rest, h, w], [0, 3, 4, 1, 5, 2]),
        "CRD" => ([n, rest, block, block, h, w], [0, 1, 4, 2, 5, 3]),
        other => fault!(Invalid, "mode is {other:?}, expected \"DCR\" or \"CRD\""),
    };
    let parts = cx.g.reshape(&x, &dims)?;
    let moved = cx.g.transpose(&parts, &permutation)?;
    let dims = [n, rest, h.saturating_mul(block), w.saturating_mul(block)];
    one(cx.g.reshape(&moved, &dims)?)
}

pub(crate) fn space_to_depth(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let block = size_of(cx.int_or("blocksize", 0).into())?;
    let fits = |axis: usize| x.dim(axis).checked_rem(block) == Some(0);
    require!(x.rank() == 4 && fits(2) && fits(3), "shape {:?} has no blocks of {block}", x.dims());
    let [n, c, h, w] = [x.dim(0), x.dim(1), x.dim(2), x.dim(3)];
    let parts = cx.g.reshape(&x, &[n, c, h / block, block, w / block, block])?;
    let order = match cx.text_or("mode", "DCR").as_str() {
        "DCR" => [0, 3, 5, 1, 2, 4],
        "CRD" => [0, 1, 3, 5, 2, 4],
        other => fault!(Invalid, "mode is {other:?}, expected \"DCR\" or \"CRD\""),
    };
    let moved = cx.g.transpose(&parts, &order)?;
    let depth = c.saturating_mul(block).saturating_mul(block);
    one(cx.g.reshape(&moved, &[n, depth, h / block, w / block])?)
}

pub(crate) fn constant_of_shape(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let dims = dims_of(&cx.ints(0)?)?;
    let value: Tensor = match cx.tensor("value")? {
        Some(value) => value.into(),
        None => cx.g.scalar(ElemType::Float32, 0.0),
    };
    let value = cx.g.reshape(&value, &[])?;
    one(cx.g.expand(&value, &dims)?)
}

pub(crate) fn range(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let elem = cx.x(0)?.elem();
    let (start, limit, step) = (cx.known(0)?, cx.known(1)?, cx.known(2)?);
    let first = |array: &Array| array.to_floats().first().copied().unwrap_or(0.0);
    let (from, to, by) = (first(&start), first(&limit), first(&step));
    require!(by != 0.0, "the range has steps of 0");
    let rounds = ((to - from) / by).ceil().max(0.0);
    require!(rounds <= f64::from(i32::MAX), "the range has {rounds} elements");
    let count = small_count(&[rounds as u32])?;
    let dims = [count as u32];
    if elem.is_float() {
        let values = (0..count).map(|i| from + i as f64 * by).collect();
        return one(cx.g.list(elem, &dims, values));
    }
    let whole = |array: &Array| array.to_ints().first().copied().unwrap_or(0);
    let (from, by) = (whole(&start), whole(&step));
    one(cx.g.int_list(elem, &dims, (0..count as i128).map(|i| from + i * by).collect()))
}

pub(crate) fn eye_like(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    require!(x.rank() == 2, "shape {:?} is no matrix", x.dims());
    let elem = cx.elem("dtype")?.unwrap_or(x.elem());
    let shift = cx.int_or("k", 0);
    let (rows, columns) = (x.dims()[0], x.dims()[1]);
    small_count(x.dims())?;
    let on = |r: u32, c: u32| i64::from(c).checked_sub(i64::from(r)) == Some(shift);
    let values =
        (0..rows).flat_map(|r| (0..columns).map(move |c| f64::from(u8::from(on(r, c))))).collect();
    one(cx.g.list(elem, x.dims(), values))
}

pub(crate) fn trilu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let diagonal = if cx.opt(1)?.is_some() { cx.scalar(1)? as i64 } else { 0 };
    let diagonal = diagonal.clamp(-(1 << 30), 1 << 30) as i32;
    one(cx.g.triangular(&x, cx.flag("upper", true), diagonal)?)
}

/// The first elements of each sequence backwards, the rest as they are.
pub(crate) fn reverse_sequence(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, lengths) = (cx.x(0)?, cx.x(1)?);
    let time = axis_of(cx.int_or("time_axis", 0), x.rank())?;
    let batch = axis_of(cx.int_or("batch_axis", 1), x.rank())?;
    require!(time != batch && lengths.rank() == 1, "axes {time} and {batch} of {:?}", x.dims());
    let g = &mut *cx.g;
    // For step t of a sequence of length n: n − 1 − t below n, else t.
    let mut dims = vec![1; x.rank()];
    dims[batch] = x.dims()[batch];
    let lengths = g.cast(&lengths, ElemType::Int64)?;
    let lengths = g.reshape(&lengths, &dims)?;
    let steps = super::activation::places(g, &x, time)?;
    let unit = g.scalar(ElemType::Int64, 1.0);
    let last = g.sub(&lengths, &unit)?;
    let back = g.sub(&last, &steps)?;
    let inside = g.lesser(&steps, &lengths)?;
    let indices = g.select(&inside, &back, &steps)?;
    let indices = g.expand(&indices, x.dims())?;
    one(g.gather_elements(&x, &indices, time)?)
}

/// The same bits as another type; only for types of which one cannot see the difference.
pub(crate) fn bit_cast(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let Some(to) = cx.elem("to")? else { fault!(Invalid, "attribute \"to\" is missing") };
    require!(x.elem().bits() == to.bits(), "{} and {to} differ in size", x.elem());
    if let Some(bytes) = x.known().and_then(|known| known.bytes()) {
        return one(Known::from_bytes(to, x.dims(), bytes.clone())?.into());
    }
    // Between integers of one size a conversion keeps the bits.
    if x.elem().is_float() || to.is_float() || x.elem() == ElemType::Bool || to == ElemType::Bool {
        fault!(NotExpressible, "the bits of {} cannot be read as {to} at run time", x.elem());
    }
    one(cx.g.cast(&x, to)?)
}

/// Blocks laid side by side, overlaps added.
pub(crate) fn col2im(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let image = dims_of(&cx.ints(1)?)?;
    let block = dims_of(&cx.ints(2)?)?;
    let n = image.len();
    require!(block.len() == n && x.rank() == 3, "blocks {block:?} of an image {image:?}");
    let dilations = cx.sizes("dilations", n, 1, 1)?;
    let strides = cx.sizes("strides", n, 1, 1)?;
    let pads = cx.sizes("pads", 2 * n, 0, 0)?;
    let taps = small_count(&block)?;
    require!(
        taps > 0 && (x.dims()[1] as usize).is_multiple_of(taps),
        "{:?} has no blocks",
        x.dims()
    );
    let channels = x.dims()[1] / taps as u32;
    let mut counts = Vec::new();
    for d in 0..n {
        let reach = u64::from(dilations[d]) * (u64::from(block[d]) - 1) + 1;
        let room = u64::from(image[d]) + u64::from(pads[d]) + u64::from(pads[n + d]);
        require!(room >= reach, "blocks {block:?} do not fit {image:?}");
        counts.push(((room - reach) / u64::from(strides[d]) + 1) as u32);
    }
    // Each element's place in the padded image; then all are added there by a matrix of ones.
    let places = small_count(&counts)?;
    let size = small_count(&image)?;
    let columns = taps * places;
    require!(x.dims()[2] as usize == places, "{:?} has not {places} blocks", x.dims());
    small_count(&[columns as u32, size as u32])?;
    let mut matrix = vec![0.0; columns * size];
    for tap in 0..taps {
        for place in 0..places {
            let (mut t, mut p, mut flat, mut step, mut inside) = (tap, place, 0, 1, true);
            for d in (0..n).rev() {
                let (i, j) = (t % block[d] as usize, p % counts[d] as usize);
                (t, p) = (t / block[d] as usize, p / counts[d] as usize);
                let at = (i * dilations[d] as usize + j * strides[d] as usize) as i64
                    - i64::from(pads[d]);
                inside &= (0..i64::from(image[d])).contains(&at);
                flat += at.max(0) as usize * step;
                step *= image[d] as usize;
            }
            if inside {
                matrix[(tap * places + place) * size + flat] = 1.0;
            }
        }
    }
    let g = &mut *cx.g;
    let matrix = g.list(x.elem(), &[columns as u32, size as u32], matrix);
    let flat = g.reshape(&x, &[x.dims()[0], channels, columns as u32])?;
    let sum = g.matmul(&flat, &matrix)?;
    one(g.reshape(&sum, &[&[x.dims()[0], channels], &image[..]].concat())?)
}

/// The input itself: what is dropped is dropped in training alone.
pub(crate) fn dropout(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let training = match cx.opt(2)? {
        Some(_) => cx.scalar(2)? != 0.0,
        None => false,
    };
    let ratio = match cx.opt(1)? {
        Some(_) if training => cx.scalar(1)?,
        _inference => 0.5,
    };
    if training && ratio != 0.0 {
        fault!(Random, "what is dropped in training is random");
    }
    let mask = if cx.wants(1) { Some(cx.g.filled(ElemType::Bool, x.dims(), 1.0)?) } else { None };
    all([Some(x), mask].into_iter().flatten().collect())
}
