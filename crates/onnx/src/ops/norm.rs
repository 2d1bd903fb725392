//! Normalizations.

use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::{Tensor, axis_of, size_of};

/// The dimensions of a list that lies along one axis of a tensor.
fn along(rank: usize, axis: usize, size: u32) -> Vec<u32> {
    let mut dims = vec![1; rank];
    if let Some(place) = dims.get_mut(axis) {
        *place = size;
    }
    dims
}

pub(crate) fn batch(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    if cx.flag("training_mode", false) || cx.wants(3) {
        return batch_training(cx, &x);
    }
    if cx.version < 7 && !cx.flag("is_test", false) && cx.wants(1) {
        fault!(Training, "the statistics of a batch are training");
    }
    let (scale, bias, mean, variance) = (cx.x(1)?, cx.x(2)?, cx.x(3)?, cx.x(4)?);
    let epsilon = cx.float_or("epsilon", f64::from(1e-5f32));
    let elem = x.elem();
    // Newer versions let the statistics be of another type.
    let cast = |g: &mut Emit<'_>, t: &Tensor| g.cast(t, elem);
    let [mean, variance] = [cast(cx.g, &mean)?, cast(cx.g, &variance)?];
    let [scale, bias] = [cast(cx.g, &scale)?, cast(cx.g, &bias)?];
    if x.rank() < 2 {
        let result =
            cx.g.batch_normalization(&x, [&mean, &variance, &scale, &bias], x.rank() - 1, epsilon)?;
        return one(result);
    }
    one(cx.g.batch_normalization(&x, [&mean, &variance, &scale, &bias], 1, epsilon)?)
}

/// With the batch's own statistics, and the running ones moved towards them.
fn batch_training(cx: &mut Cx<'_, '_, '_>, x: &Tensor) -> Outcome<Vec<Value>> {
    if cx.version < 14 {
        fault!(Training, "the statistics of a batch are training");
    }
    let (scale, bias, mean, variance) = (cx.x(1)?, cx.x(2)?, cx.x(3)?, cx.x(4)?);
    let epsilon = cx.float_or("epsilon", f64::from(1e-5f32));
    let momentum = cx.float_or("momentum", f64::from(0.9f32));
    require!(x.rank() >= 2, "shape {:?} has no channels", x.dims());
    let g = &mut *cx.g;
    let axes: Vec<usize> = (0..x.rank()).filter(|&axis| axis != 1).collect();
    let (own_mean, own_variance) = moments(g, x, &axes)?;
    let list = [x.dims()[1]];
    let (own_mean, own_variance) = (g.reshape(&own_mean, &list)?, g.reshape(&own_variance, &list)?);
    let y = g.batch_normalization(x, [&own_mean, &own_variance, &scale, &bias], 1, epsilon)?;
    let moved = |g: &mut Emit<'_>, old: &Tensor, new: &Tensor| {
        let (old, new) = (g.linear(old, momentum, 0.0)?, g.linear(new, 1.0 - momentum, 0.0)?);
        g.add(&old, &new)
    };
    let (mean, variance) = (moved(g, &mean, &own_mean)?, moved(g, &variance, &own_variance)?);
    all(vec![y, mean, variance])
}

/// Mean and biased variance over the axes, which stay with size 1.
fn moments(g: &mut Emit<'_>, x: &Tensor, axes: &[usize]) -> Outcome<(Tensor, Tensor)> {
    let mean = g.reduce(ReduceKind::Mean, x, axes)?;
    let off = g.sub(x, &mean)?;
    let square = g.mul(&off, &off)?;
    let variance = g.reduce(ReduceKind::Mean, &square, axes)?;
    Ok((mean, variance))
}

/// Per sample and channel, over all dimensions behind.
pub(crate) fn instance(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, scale, bias) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let epsilon = cx.float_or("epsilon", f64::from(1e-5f32));
    require!(x.rank() >= 2, "shape {:?} has no channels", x.dims());
    let g = &mut *cx.g;
    // WebNN wants four dimensions; the image's may be taken as one or get one more.
    let (n, c) = (x.dims()[0], x.dims()[1]);
    let flat = if x.rank() == 4 {
        x.clone()
    } else {
        let pixels = crate::known::count(&x.dims()[2..])?;
        g.reshape(&x, &[n, c, size_of(pixels.into())?, 1])?
    };
    let result = g.instance_normalization(&flat, Some(&scale), Some(&bias), epsilon)?;
    one(g.reshape(&result, x.dims())?)
}

/// Channels in groups, each normalized with all dimensions behind.
pub(crate) fn group(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, scale, bias) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let groups = size_of(cx.int_or("num_groups", 1).into())?;
    let epsilon = cx.float_or("epsilon", f64::from(1e-5f32));
    require!(
        x.rank() >= 2 && x.dims()[1].checked_rem(groups) == Some(0),
        "{groups} groups of the channels of {:?}",
        x.dims()
    );
    let g = &mut *cx.g;
    let (n, c) = (x.dims()[0], x.dims()[1]);
    let pixels = crate::known::count(&x.dims()[2..])?;
    let pixels = size_of(pixels.into())?;
    let parts = g.reshape(&x, &[n, groups, c / groups, pixels])?;
    let normal = g.layer_normalization(&parts, None, None, &[2, 3], epsilon)?;
    // Until version 21 there was one scale per group.
    if scale.dims() == [groups] && groups != c {
        let dims = along(4, 1, groups);
        let (scale, bias) = (g.reshape(&scale, &dims)?, g.reshape(&bias, &dims)?);
        let result = g.mul(&normal, &scale)?;
        let result = g.add(&result, &bias)?;
        return one(g.reshape(&result, x.dims())?);
    }
    let whole = g.reshape(&normal, x.dims())?;
    let dims = along(x.rank(), 1, c);
    let (scale, bias) = (g.reshape(&scale, &dims)?, g.reshape(&bias, &dims)?);
    let result = g.mul(&whole, &scale)?;
    one(g.add(&result, &bias)?)
}

pub(crate) fn layer(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, scale, bias) = (cx.x(0)?, cx.opt(1)?, cx.opt(2)?);
    let axis = axis_of(cx.int_or("axis", -1), x.rank())?;
    let epsilon = cx.float_or("epsilon", f64::from(1e-5f32));
    layer_of(cx, &x, scale, bias, axis, epsilon, 1)
}

/// Layer normalization from an axis on; mean and 1/deviation as further results where wanted.
pub(crate) fn layer_of(
    cx: &mut Cx<'_, '_, '_>,
    x: &Tensor,
    scale: Option<Tensor>,
    bias: Option<Tensor>,
    axis: usize,
    epsilon: f64,
    statistics: usize,
) -> Outcome<Vec<Value>> {
    let axes: Vec<usize> = (axis..x.rank()).collect();
    let (wants_mean, wants_deviation) = (cx.wants(statistics), cx.wants(statistics + 1));
    let g = &mut *cx.g;
    let y = normalized(g, x, scale.as_ref(), bias.as_ref(), &axes, epsilon)?;
    let mut results = vec![y];
    if wants_mean || wants_deviation {
        let wide = g.cast(x, ElemType::Float32)?;
        let (mean, variance) = moments(g, &wide, &axes)?;
        let moved = g.linear(&variance, 1.0, epsilon)?;
        let deviation = g.sqrt(&moved)?;
        results.extend([mean, g.reciprocal(&deviation)?]);
    }
    all(results)
}

/// The operation itself where scale and bias have its shape, else they are applied behind it.
fn normalized(
    g: &mut Emit<'_>,
    x: &Tensor,
    scale: Option<&Tensor>,
    bias: Option<&Tensor>,
    axes: &[usize],
    epsilon: f64,
) -> Outcome<Tensor> {
    let dims: Vec<u32> = axes.iter().map(|&axis| x.dims()[axis]).collect();
    let fits = |t: Option<&Tensor>| t.is_none_or(|t| t.dims() == dims && t.elem() == x.elem());
    if fits(scale) && fits(bias) {
        return g.layer_normalization(x, scale, bias, axes, epsilon);
    }
    let mut y = g.layer_normalization(x, None, None, axes, epsilon)?;
    if let Some(scale) = scale {
        let scale = g.cast(scale, x.elem())?;
        y = g.mul(&y, &scale)?;
    }
    if let Some(bias) = bias {
        let bias = g.cast(bias, x.elem())?;
        y = g.add(&y, &bias)?;
    }
    Ok(y)
}

/// x / √(mean(x²) + ε) · scale
pub(crate) fn rms_of(
    g: &mut Emit<'_>,
    x: &Tensor,
    scale: Option<&Tensor>,
    axes: &[usize],
    epsilon: f64,
) -> Outcome<(Tensor, Tensor)> {
    // Squares of float16 leave its range early, so they are computed in float32.
    let wide = g.cast(x, ElemType::Float32)?;
    let square = g.mul(&wide, &wide)?;
    let mean = g.reduce(ReduceKind::Mean, &square, axes)?;
    let moved = g.linear(&mean, 1.0, epsilon)?;
    let root = g.sqrt(&moved)?;
    let inverse = g.reciprocal(&root)?;
    let y = g.mul(&wide, &inverse)?;
    let mut y = g.cast(&y, x.elem())?;
    if let Some(scale) = scale {
        let scale = g.cast(scale, x.elem())?;
        y = g.mul(&y, &scale)?;
    }
    Ok((y, inverse))
}

pub(crate) fn rms(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, scale) = (cx.x(0)?, cx.opt(1)?);
    let axis = axis_of(cx.int_or("axis", -1), x.rank())?;
    let epsilon = cx.float_or("epsilon", f64::from(1e-5f32));
    let axes: Vec<usize> = (axis..x.rank()).collect();
    let (y, inverse) = rms_of(cx.g, &x, scale.as_ref(), &axes, epsilon)?;
    all(vec![y, inverse])
}

/// Minus the mean, divided by the deviation.
pub(crate) fn mean_variance(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axes = match cx.int_list("axes") {
        Some(axes) => crate::tensor::axes_of(&axes, x.rank())?,
        None => vec![0, 2, 3],
    };
    let g = &mut *cx.g;
    let (mean, variance) = moments(g, &x, &axes)?;
    let off = g.sub(&x, &mean)?;
    let deviation = g.sqrt(&variance)?;
    // ONNX's own definition of the function adds this much to the deviation.
    let deviation = g.linear(&deviation, 1.0, 1e-9)?;
    one(g.div(&off, &deviation)?)
}

/// x / (bias + α/size · sum of squares of neighbouring channels)^β
pub(crate) fn local_response(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let size = size_of(cx.int_or("size", 0).into())?;
    require!(size > 0 && x.rank() >= 2, "{size} channels of {:?}", x.dims());
    let alpha = cx.float_or("alpha", f64::from(0.0001f32));
    let beta = cx.float_or("beta", 0.75);
    let bias = cx.float_or("bias", 1.0);
    let channels = x.dims()[1];
    if u64::from(channels) * u64::from(channels) > 1 << 20 {
        fault!(Limit, "{channels} channels");
    }
    let g = &mut *cx.g;
    // A band matrix over the channels adds each one's neighbours.
    let (before, after) = ((size - 1) / 2, size / 2);
    let near = |c: u32, d: u32| d + before >= c && d <= c.saturating_add(after);
    let band = (0..channels)
        .flat_map(|c| (0..channels).map(move |d| f64::from(u8::from(near(c, d)))))
        .collect();
    let band = g.list(x.elem(), &[channels, channels], band);
    let pixels = size_of(crate::known::count(&x.dims()[2..])?.into())?;
    let flat = g.reshape(&x, &[x.dims()[0], channels, pixels])?;
    let square = g.mul(&flat, &flat)?;
    let sum = g.matmul(&band, &square)?;
    let below = g.linear(&sum, alpha / f64::from(size), bias)?;
    let power = g.scalar(x.elem(), beta);
    let below = g.pow(&below, &power)?;
    let y = g.div(&flat, &below)?;
    one(g.reshape(&y, x.dims())?)
}
