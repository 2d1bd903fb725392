//! Convolutions over one, two or three dimensions.

use webnn_core::ops;

use super::pool::Windows;
use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::{Emit, PaddingMode};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::{Tensor, size_of};

pub(crate) fn conv(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, filter, bias) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?);
    one(convolve(cx, &x, &filter, bias.as_ref())?)
}

/// A convolution with the node's attributes.
pub(crate) fn convolve(
    cx: &mut Cx<'_, '_, '_>,
    x: &Tensor,
    filter: &Tensor,
    bias: Option<&Tensor>,
) -> Outcome<Tensor> {
    let kernel = kernel_of(cx, x, filter)?;
    let windows = Windows::read(cx, &x.dims()[2..], kernel, false)?;
    let groups = size_of(cx.int_or("group", 1).into())?;
    convolved(cx.g, x, filter, bias, &windows, groups)
}

/// The size of a filter's windows, which `kernel_shape` must not contradict.
pub(super) fn kernel_of(cx: &Cx<'_, '_, '_>, x: &Tensor, filter: &Tensor) -> Outcome<Vec<u32>> {
    require!(
        x.rank() >= 3 && filter.rank() == x.rank(),
        "a filter of {:?} for {:?}",
        filter.dims(),
        x.dims()
    );
    let kernel = match cx.int_list("kernel_shape").filter(|list| !list.is_empty()) {
        Some(list) => super::shape::dims_of(&list)?,
        None => filter.dims()[2..].to_vec(),
    };
    require!(
        kernel == filter.dims()[2..],
        "kernel_shape is {kernel:?}, but the filter is {:?}",
        filter.dims()
    );
    Ok(kernel)
}

fn convolved(
    g: &mut Emit<'_>,
    x: &Tensor,
    filter: &Tensor,
    bias: Option<&Tensor>,
    windows: &Windows,
    groups: u32,
) -> Outcome<Tensor> {
    let pads = &windows.pads;
    match x.rank() - 2 {
        1 => {
            let row = |t: &Tensor| [t.dims()[0], t.dims()[1], 1, t.dims()[2]];
            let (image, taps) = (g.reshape(x, &row(x))?, g.reshape(filter, &row(filter))?);
            let op = ops::Conv2d {
                padding: [0, 0, pads[0], pads[1]],
                strides: [1, windows.strides[0]],
                dilations: [1, windows.dilations[0]],
                groups,
                ..ops::Conv2d::new()
            };
            let y = g.conv2d(&image, &taps, bias, op)?;
            let dims = [y.dim(0), y.dim(1), y.dim(3)];
            g.reshape(&y, &dims)
        }
        2 => {
            let op = ops::Conv2d {
                padding: [pads[0], pads[2], pads[1], pads[3]],
                strides: [windows.strides[0], windows.strides[1]],
                dilations: [windows.dilations[0], windows.dilations[1]],
                groups,
                ..ops::Conv2d::new()
            };
            g.conv2d(x, filter, bias, op)
        }
        3 => conv3d(g, x, filter, bias, windows, groups),
        n => fault!(NotExpressible, "a convolution over {n} dimensions"),
    }
}

/// The sum, over the depth of the filter, of flat convolutions of the slices that it meets.
fn conv3d(
    g: &mut Emit<'_>,
    x: &Tensor,
    filter: &Tensor,
    bias: Option<&Tensor>,
    windows: &Windows,
    groups: u32,
) -> Outcome<Tensor> {
    let pads = &windows.pads;
    let op = ops::Conv2d {
        padding: [pads[1], pads[4], pads[2], pads[5]],
        strides: [windows.strides[1], windows.strides[2]],
        dilations: [windows.dilations[1], windows.dilations[2]],
        groups,
        ..ops::Conv2d::new()
    };
    let deep =
        g.pad(x, &[0, 0, pads[0], 0, 0], &[0, 0, pads[3], 0, 0], PaddingMode::Constant, 0.0)?;
    let depth = windows.counts[0];
    let [n, c, h, w] = [x.dim(0), x.dim(1), x.dim(3), x.dim(4)];
    let steps = [1, 1, i64::from(windows.strides[0]), 1, 1];
    let mut sum: Option<Tensor> = None;
    for tap in 0..windows.kernel[0] {
        let start = i64::from(tap) * i64::from(windows.dilations[0]);
        let slices = g.slice(&deep, &[0, 0, start, 0, 0], &steps, &[n, c, depth, h, w])?;
        let slices = g.swap(&slices, 1, 2)?;
        let images = g.reshape(&slices, &[n.saturating_mul(depth), c, h, w])?;
        let taps = g.narrow(filter, 2, tap, 1)?;
        let taps = g.reshape(&taps, &[taps.dim(0), taps.dim(1), taps.dim(3), taps.dim(4)])?;
        let first = if tap == 0 { bias } else { None };
        let part = g.conv2d(&images, &taps, first, op.clone())?;
        sum = Some(match sum {
            Some(sum) => g.add(&sum, &part)?,
            None => part,
        });
    }
    let Some(sum) = sum else { fault!(Invalid, "the filter is empty") };
    let dims = [n, depth, sum.dim(1), sum.dim(2), sum.dim(3)];
    let result = g.reshape(&sum, &dims)?;
    g.swap(&result, 1, 2)
}

/// What a transposed convolution cuts from the full result, and what it adds behind.
struct Cut {
    begin: Vec<i64>,
    sizes: Vec<u32>,
    output_padding: Vec<u32>,
}

/// The size of the full result along a dimension, nothing cut.
fn full_size(x: &Tensor, filter: &Tensor, strides: &[u32], dilations: &[u32], d: usize) -> i64 {
    (i64::from(x.dim(2 + d)) - 1) * i64::from(strides[d])
        + (i64::from(filter.dim(2 + d)) - 1) * i64::from(dilations[d])
        + 1
}

pub(crate) fn conv_transpose(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, filter, bias) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?);
    require!(
        x.rank() >= 3 && filter.rank() == x.rank() && !x.is_empty() && !filter.is_empty(),
        "a filter of {:?} for {:?}",
        filter.dims(),
        x.dims()
    );
    let n = x.rank() - 2;
    let strides = cx.sizes("strides", n, 1, 1)?;
    let dilations = cx.sizes("dilations", n, 1, 1)?;
    let groups = size_of(cx.int_or("group", 1).into())?;
    let cut = cut_of(cx, &x, &filter, &strides, &dilations)?;
    let g = &mut *cx.g;
    // WebNN's own paddings, where they say what is cut.
    let full = |d: usize| full_size(&x, &filter, &strides, &dilations, d);
    let end = |d: usize| {
        full(d) + i64::from(cut.output_padding[d]) - cut.begin[d] - i64::from(cut.sizes[d])
    };
    let direct =
        (0..n).all(|d| cut.begin[d] >= 0 && end(d) >= 0 && cut.output_padding[d] < strides[d]);
    if n <= 2 && direct {
        let pads: Vec<u32> = (0..n).flat_map(|d| [cut.begin[d] as u32, end(d) as u32]).collect();
        let two =
            |list: &[u32], fill: u32| if n == 1 { [fill, list[0]] } else { [list[0], list[1]] };
        let op = ops::ConvTranspose2d {
            padding: if n == 1 {
                [0, 0, pads[0], pads[1]]
            } else {
                [pads[0], pads[1], pads[2], pads[3]]
            },
            strides: two(&strides, 1),
            dilations: two(&dilations, 1),
            output_padding: two(&cut.output_padding, 0),
            groups,
            ..ops::ConvTranspose2d::new()
        };
        let flat = |t: &Tensor| {
            let mut dims = t.dims().to_vec();
            if n == 1 {
                dims.insert(2, 1);
            }
            dims
        };
        let (image, taps) = (g.reshape(&x, &flat(&x))?, g.reshape(&filter, &flat(&filter))?);
        let y = g.conv_transpose2d(&image, &taps, bias.as_ref(), op)?;
        let mut dims = y.dims().to_vec();
        if n == 1 {
            dims.remove(2);
        }
        return one(g.reshape(&y, &dims)?);
    }
    one(transposed_by_zeros(g, &x, &filter, bias.as_ref(), (&strides, &dilations), groups, &cut)?)
}

/// Zeros between the elements, then a convolution with the filter turned around.
fn transposed_by_zeros(
    g: &mut Emit<'_>,
    x: &Tensor,
    filter: &Tensor,
    bias: Option<&Tensor>,
    (strides, dilations): (&[u32], &[u32]),
    groups: u32,
    cut: &Cut,
) -> Outcome<Tensor> {
    let n = x.rank() - 2;
    let (c, m) = (filter.dims()[0], filter.dims()[1]);
    require!(c.checked_rem(groups) == Some(0), "{groups} groups of {c} channels");
    // [c, m/g, k…] to [m, c/g, k…], each group for itself.
    let kernel = filter.dims()[2..].to_vec();
    let parts = g.reshape(filter, &[&[groups, c / groups, m], &kernel[..]].concat())?;
    let parts = g.swap(&parts, 1, 2)?;
    let taps =
        g.reshape(&parts, &[&[groups.saturating_mul(m), c / groups], &kernel[..]].concat())?;
    let taps = g.reverse(&taps, &(2..2 + n).collect::<Vec<_>>())?;
    let mut spread = x.clone();
    for d in 0..n {
        if strides[d] == 1 {
            continue;
        }
        let mut dims = spread.dims().to_vec();
        dims.insert(3 + d, 1);
        let split = g.reshape(&spread, &dims)?;
        let mut after = vec![0; dims.len()];
        after[3 + d] = strides[d] - 1;
        let padded = g.pad(&split, &vec![0; dims.len()], &after, PaddingMode::Constant, 0.0)?;
        dims.remove(3 + d);
        dims[2 + d] = dims[2 + d].saturating_mul(strides[d]);
        let joined = g.reshape(&padded, &dims)?;
        // Behind the last element there are no zeros to read.
        spread = g.narrow(&joined, 2 + d, 0, dims[2 + d] - (strides[d] - 1))?;
    }
    // Paddings such that window i begins where output i does; beyond the full result is nothing.
    let mut pads = vec![0u32; 2 * n];
    let (mut starts, mut after) = (vec![0i64; 2 + n], vec![0u32; 2 + n]);
    let mut counts = Vec::new();
    for d in 0..n {
        let reach = (kernel[d] - 1).saturating_mul(dilations[d]);
        (pads[d], pads[n + d]) = (reach, reach);
        counts.push(spread.dims()[2 + d].saturating_add(reach));
    }
    let windows = Windows {
        kernel: kernel.clone(),
        strides: vec![1; n],
        dilations: dilations.to_vec(),
        pads,
        counts: counts.clone(),
    };
    let mut y = convolved(g, &spread, &taps, None, &windows, groups)?;
    let mut before = vec![0u32; 2 + n];
    let mut sizes = y.dims().to_vec();
    for d in 0..n {
        let begin = cut.begin[d].max(0);
        let shift = (-cut.begin[d]).max(0);
        let rest = (i64::from(counts[d]) - begin).max(0);
        let wanted = (i64::from(cut.sizes[d]) - shift).max(0);
        starts[2 + d] = begin;
        before[2 + d] = shift as u32;
        sizes[2 + d] = rest.min(wanted) as u32;
        after[2 + d] = (wanted - rest).max(0) as u32;
    }
    y = g.slice(&y, &starts, &vec![1; 2 + n], &sizes)?;
    y = g.pad(&y, &before, &after, PaddingMode::Constant, 0.0)?;
    if let Some(bias) = bias {
        let mut dims = vec![1; 1 + n];
        dims[0] = bias.dim(0);
        let bias = g.reshape(bias, &dims)?;
        y = g.add(&y, &bias)?;
    }
    Ok(y)
}

fn cut_of(
    cx: &Cx<'_, '_, '_>,
    x: &Tensor,
    filter: &Tensor,
    strides: &[u32],
    dilations: &[u32],
) -> Outcome<Cut> {
    let n = x.rank() - 2;
    let output_padding = cx.sizes("output_padding", n, 0, 0)?;
    let auto = cx.text_or("auto_pad", "NOTSET");
    let same = matches!(auto.as_str(), "SAME_UPPER" | "SAME_LOWER");
    let pads = match cx.int_list("pads").filter(|list| list.len() == 2 * n) {
        Some(pads) if !same && auto != "VALID" => pads,
        _none => vec![0; 2 * n],
    };
    let shape = match cx.int_list("output_shape") {
        Some(shape) => {
            require!(shape.len() >= n, "output_shape is {shape:?}, expected {n} sizes");
            Some(super::shape::dims_of(&shape[shape.len() - n..])?)
        }
        None => None,
    };
    let mut cut = Cut { begin: vec![0; n], sizes: vec![0; n], output_padding };
    for d in 0..n {
        let full = full_size(x, filter, strides, dilations, d) + i64::from(cut.output_padding[d]);
        let size = match &shape {
            Some(shape) => Some(i64::from(shape[d])),
            None if same => Some(i64::from(x.dim(2 + d)) * i64::from(strides[d])),
            None => None,
        };
        match size {
            Some(size) => {
                let total = full - size;
                let half = total.div_euclid(2);
                cut.begin[d] = if auto == "SAME_UPPER" { half } else { total - half };
                if total < 0 {
                    // Nothing is cut: what is missing is added behind.
                    cut.begin[d] = 0;
                }
                cut.sizes[d] = size_of(size.into())?;
            }
            None => {
                cut.begin[d] = pads[d];
                cut.sizes[d] = size_of((full - pads[d] - pads[n + d]).into())?;
            }
        }
    }
    Ok(cut)
}

/// 8-bit operands minus their zero points, convolved; int32. Sums beyond 2²⁴ are rounded to
/// float32.
pub(crate) fn conv_integer(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, filter) = (cx.x(0)?, cx.x(1)?);
    let (x_zero, filter_zero) = (cx.opt(2)?, cx.opt(3)?);
    let unit = cx.g.scalar(ElemType::Float32, 1.0);
    let x = super::quant::dequantized(cx.g, &x, &unit, x_zero.as_ref(), 0)?;
    let filter = super::quant::dequantized(cx.g, &filter, &unit, filter_zero.as_ref(), 0)?;
    let y = convolve(cx, &x, &filter, None)?;
    one(cx.g.cast(&y, ElemType::Int32)?)
}
