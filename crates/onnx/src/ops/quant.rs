//! Quantization.

use super::conv::convolve;
use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::Array;
use crate::tensor::{Tensor, axis_of, size_of};

/// A scale or zero point with the rank of the tensor it is for: one number, one per step of an
/// axis, or one per block.
fn laid(
    g: &mut Emit<'_>,
    x: &Tensor,
    parameter: &Tensor,
    axis: usize,
    block: u32,
) -> Outcome<Tensor> {
    if parameter.elements() == 1 {
        return g.reshape(parameter, &vec![1; x.rank()]);
    }
    if parameter.rank() == 1 && x.rank() > 0 && block == 0 {
        require!(
            axis < x.rank() && parameter.dims()[0] == x.dims()[axis],
            "{} scales for axis {axis} of {:?}",
            parameter.dims()[0],
            x.dims()
        );
        let mut dims = vec![1; x.rank()];
        dims[axis] = parameter.dims()[0];
        return g.reshape(parameter, &dims);
    }
    require!(
        parameter.rank() == x.rank(),
        "scales of shape {:?} for {:?}",
        parameter.dims(),
        x.dims()
    );
    let (size, count) = (x.dim(axis), parameter.dim(axis));
    if block > 0 && size.checked_rem(count) != Some(0) {
        // The last block is cut off, which WebNN does not know: one parameter per element.
        crate::known::small_count(&[size])?;
        let places = (0..size).map(|i| i128::from((i / block).min(count.saturating_sub(1))));
        let indices = g.int_list(ElemType::Int32, &[size], places.collect());
        return g.gather(parameter, &indices, axis);
    }
    Ok(parameter.clone())
}

/// Zeros in the shape of the scales.
fn zeros(elem: ElemType, like: &Tensor) -> Outcome<Tensor> {
    Ok(Array::filled(elem, like.dims(), 0.0)?.into())
}

/// (x − zero point) · scale along an axis.
pub(crate) fn dequantized(
    g: &mut Emit<'_>,
    x: &Tensor,
    scale: &Tensor,
    zero_point: Option<&Tensor>,
    axis: usize,
) -> Outcome<Tensor> {
    dequantized_blocks(g, x, scale, zero_point, axis, 0)
}

fn dequantized_blocks(
    g: &mut Emit<'_>,
    x: &Tensor,
    scale: &Tensor,
    zero_point: Option<&Tensor>,
    axis: usize,
    block: u32,
) -> Outcome<Tensor> {
    // A list of zero points may stand beside a single scale.
    let wide = match zero_point {
        Some(zero_point) if zero_point.elements() > scale.elements() => {
            g.expand(scale, zero_point.dims())?
        }
        _as_many => scale.clone(),
    };
    let scale = laid(g, x, &wide, axis, block)?;
    if x.elem().is_float() {
        let wide = g.cast(x, scale.elem())?;
        return g.mul(&wide, &scale);
    }
    let zero_point = match zero_point {
        Some(zero_point) => {
            let laid = laid(g, x, zero_point, axis, block)?;
            g.expand(&laid, scale.dims())?
        }
        None => zeros(x.elem(), &scale)?,
    };
    require!(
        zero_point.elem() == x.elem(),
        "zero point of type {} for {}",
        zero_point.elem(),
        x.elem()
    );
    if matches!(x.elem(), ElemType::Int64 | ElemType::Uint64 | ElemType::Bool | ElemType::String) {
        fault!(Invalid, "{} cannot be dequantized", x.elem());
    }
    g.dequantize_linear(x, &scale, &zero_point)
}

fn axis_and_block(cx: &Cx<'_, '_, '_>, x: &Tensor) -> Outcome<(usize, u32)> {
    let rank = x.rank();
    let axis = cx.int_or("axis", 1);
    // For a single scale the axis is not looked at, and may lie outside.
    let axis = axis_of(axis, rank).unwrap_or(0);
    Ok((axis, size_of(cx.int_or("block_size", 0).into())?))
}

pub(crate) fn dequantize(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, scale, zero_point) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?);
    let (axis, block) = axis_and_block(cx, &x)?;
    let y = dequantized_blocks(cx.g, &x, &scale, zero_point.as_ref(), axis, block)?;
    let to = cx.elem("output_dtype")?.filter(|_| cx.int_or("output_dtype", 0) != 0);
    one(cx.g.cast(&y, to.unwrap_or(scale.elem()))?)
}

pub(crate) fn quantize(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, scale, zero_point) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?);
    let (axis, block) = axis_and_block(cx, &x)?;
    let given = match cx.int_or("output_dtype", 0) {
        0 => None,
        _some => cx.elem("output_dtype")?,
    };
    let elem = zero_point.as_ref().map(Tensor::elem).or(given).unwrap_or(ElemType::Uint8);
    one(quantized(cx.g, &x, &scale, zero_point.as_ref(), elem, axis, block)?)
}

/// saturate(round(x / scale) + zero point) in a type that WebNN may lack.
pub(crate) fn quantized(
    g: &mut Emit<'_>,
    x: &Tensor,
    scale: &Tensor,
    zero_point: Option<&Tensor>,
    elem: ElemType,
    axis: usize,
    block: u32,
) -> Outcome<Tensor> {
    let Some((least, greatest)) = elem.integer_range() else {
        fault!(UnsupportedType, "quantizing to {elem}");
    };
    let x = if x.elem().is_float() { x.clone() } else { g.cast(x, ElemType::Float32)? };
    let scale = g.cast(scale, x.elem())?;
    let scale = laid(g, &x, &scale, axis, block)?;
    let zero_point = match zero_point {
        Some(zero_point) => {
            let laid = laid(g, &x, zero_point, axis, block)?;
            g.expand(&laid, scale.dims())?
        }
        None => zeros(elem, &scale)?,
    };
    if elem.bits() == 64 || elem == ElemType::Bool {
        fault!(UnsupportedType, "quantizing to {elem}");
    }
    if elem.bits() == 32 || elem.bits() == 8 {
        return g.quantize_linear(&x, &scale, &zero_point);
    }
    // In int32 first, then cut to the range.
    let wide = g.cast(&zero_point, ElemType::Int32)?;
    let y = g.quantize_linear(&x, &scale, &wide)?;
    let y = g.clamp(&y, Some(least as f64), Some(greatest as f64))?;
    g.narrowed(&y, elem)
}

/// uint8 with a scale and a zero point taken from the data's range.
pub(crate) fn dynamic_quantize(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let g = &mut *cx.g;
    let axes: Vec<usize> = (0..x.rank()).collect();
    let zero = g.scalar(x.elem(), 0.0);
    let (high, low) =
        (g.reduce(ReduceKind::Max, &x, &axes)?, g.reduce(ReduceKind::Min, &x, &axes)?);
    let (high, low) = (g.max(&high, &zero)?, g.min(&low, &zero)?);
    let range = g.sub(&high, &low)?;
    let steps = g.scalar(x.elem(), 255.0);
    let scale = g.div(&range, &steps)?;
    // Zeros alone have no range; any scale gives zeros again.
    let unit = g.scalar(x.elem(), 1.0);
    let flat = g.equal(&scale, &zero)?;
    let scale = g.select(&flat, &unit, &scale)?;
    let below = g.div(&low, &scale)?;
    let below = g.neg(&below)?;
    let point = g.clamp(&below, Some(0.0), Some(255.0))?;
    let point = g.round_even(&point)?;
    let point = g.cast(&point, ElemType::Uint8)?;
    let y = g.quantize_linear(&x, &scale, &point)?;
    all(vec![y, g.reshape(&scale, &[])?, g.reshape(&point, &[])?])
}

/// Convolution of quantized operands, quantized again.
pub(crate) fn qlinear_conv(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, x_scale, x_zero) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let (filter, filter_scale, filter_zero) = (cx.x(3)?, cx.x(4)?, cx.x(5)?);
    let (y_scale, y_zero, bias) = (cx.x(6)?, cx.x(7)?, cx.opt(8)?);
    let image = dequantized(cx.g, &x, &x_scale, Some(&x_zero), 0)?;
    let taps = dequantized(cx.g, &filter, &filter_scale, Some(&filter_zero), 0)?;
    let bias = match bias {
        Some(bias) => {
            let (a, b) = (cx.g.reshape(&x_scale, &[])?, &filter_scale);
            let scale = cx.g.mul(&a, b)?;
            Some(dequantized(cx.g, &bias, &scale, None, 0)?)
        }
        None => None,
    };
    let y = convolve(cx, &image, &taps, bias.as_ref())?;
    one(quantized(cx.g, &y, &y_scale, Some(&y_zero), y_zero.elem(), 1, 0)?)
}

/// Matrix product of quantized operands, quantized again.
pub(crate) fn qlinear_matmul(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (a, a_scale, a_zero) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let (b, b_scale, b_zero) = (cx.x(3)?, cx.x(4)?, cx.x(5)?);
    let (y_scale, y_zero) = (cx.x(6)?, cx.x(7)?);
    let (rows, columns) = (a.rank().saturating_sub(2), b.rank().saturating_sub(1));
    let left = dequantized(cx.g, &a, &a_scale, Some(&a_zero), rows)?;
    let right = dequantized(cx.g, &b, &b_scale, Some(&b_zero), columns)?;
    let y = super::matrix::product(cx.g, &left, &right)?;
    let axis = y.rank().saturating_sub(2);
    one(quantized(cx.g, &y, &y_scale, Some(&y_zero), y_zero.elem(), axis, 0)?)
}

/// An operation of two quantized operands, quantized again.
pub(crate) fn qlinear_binary<'b>(
    cx: &mut Cx<'_, '_, 'b>,
    compute: fn(&mut Emit<'b>, &Tensor, &Tensor) -> Outcome<Tensor>,
) -> Outcome<Vec<Value>> {
    let (a, a_scale, a_zero) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?);
    let (b, b_scale, b_zero) = (cx.x(3)?, cx.x(4)?, cx.opt(5)?);
    let (y_scale, y_zero) = (cx.x(6)?, cx.opt(7)?);
    let left = dequantized(cx.g, &a, &a_scale, a_zero.as_ref(), 0)?;
    let right = dequantized(cx.g, &b, &b_scale, b_zero.as_ref(), 0)?;
    let y = compute(cx.g, &left, &right)?;
    one(quantized(cx.g, &y, &y_scale, y_zero.as_ref(), a.elem(), 0, 0)?)
}

/// Integers minus their zero points, multiplied; int32. Sums beyond 2²⁴ are rounded to float32.
pub(crate) fn matmul_integer(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (a, b) = (cx.x(0)?, cx.x(1)?);
    let (a_zero, b_zero) = (cx.opt(2)?, cx.opt(3)?);
    let unit = cx.g.scalar(ElemType::Float32, 1.0);
    let (rows, columns) = (a.rank().saturating_sub(2), b.rank().saturating_sub(1));
    let left = dequantized(cx.g, &a, &unit, a_zero.as_ref(), rows)?;
    let right = dequantized(cx.g, &b, &unit, b_zero.as_ref(), columns)?;
    let y = super::matrix::product(cx.g, &left, &right)?;
    one(cx.g.cast(&y, ElemType::Int32)?)
}
