//! Deformable convolution: each element of a window is read where an offset, computed at run time, moves it.

use super::conv::kernel_of;
use super::pool::Windows;
use super::sample::{Padding, linear_taps, placed, sampled};
use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::Emit;
use crate::error::{Outcome, require};
use crate::import::Value;
use crate::known::{count, small_count};
use crate::tensor::{Tensor, size_of};

pub(crate) fn deform_conv(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, filter, offsets) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let (bias, mask) = (cx.opt(3)?, cx.opt(4)?);
    let groups = size_of(cx.int_or("group", 1).into())?;
    let moved = size_of(cx.int_or("offset_group", 1).into())?;
    let kernel = kernel_of(cx, &x, &filter)?;
    require!(!x.is_empty() && !filter.is_empty(), "{:?} by {:?}", x.dims(), filter.dims());
    let n = kernel.len();
    let windows = Windows::read(cx, &x.dims()[2..], kernel, false)?;
    let (batch, channels, results) = (x.dim(0), x.dim(1), filter.dim(0));
    let is_split = |count: u32, by: u32| by > 0 && count.is_multiple_of(by);
    require!(
        is_split(channels, groups) && is_split(results, groups) && is_split(channels, moved),
        "{channels} channels and {results} results in {groups} groups, offsets for {moved} groups"
    );
    require!(
        filter.dim(1) == channels / groups,
        "a filter of {:?} for {channels} channels in {groups} groups",
        filter.dims()
    );
    let taps = small_count(&windows.kernel)? as u32;
    let places = size_of(count(&windows.counts)?.into())?;
    let points = size_of(count(&[taps, places])?.into())?;
    let images = size_of(count(&[batch, moved])?.into())?;
    let expected = |numbers: u32| -> Outcome<Vec<u32>> {
        let per_place = size_of(count(&[moved, taps, numbers])?.into())?;
        Ok([&[batch, per_place], &windows.counts[..]].concat())
    };
    let dims = expected(n as u32)?;
    require!(offsets.dims() == dims, "offsets of {:?}, expected {dims:?}", offsets.dims());
    if let Some(mask) = &mask {
        let dims = expected(1)?;
        require!(mask.dims() == dims, "a mask of {:?}, expected {dims:?}", mask.dims());
    }

    let g = &mut *cx.g;
    let dims = [&[images, channels / moved], &x.dims()[2..]].concat();
    let parts = g.reshape(&x, &dims)?;
    let axes = positions(g, &offsets, images, &windows)?;
    let mut list = Vec::new();
    for (at, &size) in axes.iter().zip(&x.dims()[2..]) {
        let at = g.reshape(at, &[images, points])?;
        let neighbours = linear_taps(g, &at)?;
        let size = f64::from(size);
        list.push(placed(g, neighbours, size, Padding::Zeros, (0.0, size - 1.0))?);
    }
    let mut read = sampled(g, &parts, &list, points)?;
    if let Some(mask) = &mask {
        let mask = g.cast(mask, ElemType::Float32)?;
        let mask = g.reshape(&mask, &[images, 1, points])?;
        read = g.mul(&read, &mask)?;
    }
    let read = g.cast(&read, x.elem())?;
    let depth = size_of(count(&[channels / groups, taps])?.into())?;
    let columns = g.reshape(&read, &[batch, groups, depth, places])?;
    let rows = g.reshape(&filter, &[groups, results / groups, depth])?;
    let product = g.matmul(&rows, &columns)?;
    let product = g.reshape(&product, &[batch, results, places])?;
    let sum = match &bias {
        Some(bias) => {
            let bias = g.reshape(bias, &[results, 1])?;
            g.add(&product, &bias)?
        }
        None => product,
    };
    one(g.reshape(&sum, &[&[batch, results], &windows.counts[..]].concat())?)
}

/// Where each element of each window is read, for each dimension: `[images, taps, ..counts]`.
fn positions(
    g: &mut Emit<'_>,
    offsets: &Tensor,
    images: u32,
    windows: &Windows,
) -> Outcome<Vec<Tensor>> {
    let n = windows.kernel.len();
    let taps = small_count(&windows.kernel)?;
    let offsets = g.cast(offsets, ElemType::Float32)?;
    let dims = [&[images, taps as u32, n as u32], &windows.counts[..]].concat();
    let offsets = g.reshape(&offsets, &dims)?;
    let mut axes = Vec::new();
    for d in 0..n {
        let moved = g.narrow(&offsets, 2, d as u32, 1)?;
        let windows_along = windows.counts[d];
        small_count(&[taps as u32, windows_along])?;
        let behind: usize = windows.kernel[d + 1..].iter().map(|&size| size as usize).product();
        let mut still = Vec::with_capacity(taps * windows_along as usize);
        for tap in 0..taps {
            let along = (tap / behind) as u32 % windows.kernel[d];
            let first =
                f64::from(along) * f64::from(windows.dilations[d]) - f64::from(windows.pads[d]);
            still.extend(
                (0..windows_along).map(|i| first + f64::from(i) * f64::from(windows.strides[d])),
            );
        }
        let mut dims = vec![1; 3 + n];
        (dims[1], dims[3 + d]) = (taps as u32, windows_along);
        let still = g.list(ElemType::Float32, &dims, still);
        axes.push(g.add(&moved, &still)?);
    }
    Ok(axes)
}
