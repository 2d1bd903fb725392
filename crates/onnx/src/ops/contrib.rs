//! ONNX Runtime's fused operators, taken apart again.

use super::conv::convolve;
use super::norm;
use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::Tensor;

pub(crate) fn bias_gelu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, bias) = (cx.x(0)?, cx.x(1)?);
    let sum = cx.g.add(&x, &bias)?;
    one(cx.g.gelu(&sum)?)
}

/// The tanh form, after an optional bias.
pub(crate) fn fast_gelu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, bias) = (cx.x(0)?, cx.opt(1)?);
    let x = match bias {
        Some(bias) => cx.g.add(&x, &bias)?,
        None => x,
    };
    one(super::activation::gelu_tanh(cx.g, &x)?)
}

/// The activation that a fused operator names.
fn activated(cx: &mut Cx<'_, '_, '_>, x: &Tensor) -> Outcome<Tensor> {
    let name = cx.text_or("activation", "");
    let parameters = cx.float_list("activation_params").unwrap_or_default();
    let parameter = |i: usize, default: f64| parameters.get(i).copied().unwrap_or(default);
    let g = &mut *cx.g;
    match name.as_str() {
        "" => Ok(x.clone()),
        "Relu" => g.relu(x),
        "Tanh" => g.tanh(x),
        "Sigmoid" => g.sigmoid(x),
        "LeakyRelu" => g.leaky_relu(x, parameter(0, 0.01)),
        "Clip" => g.clamp(
            x,
            Some(parameter(0, f64::from(f32::MIN))),
            Some(parameter(1, f64::from(f32::MAX))),
        ),
        "HardSigmoid" => g.hard_sigmoid(x, parameter(0, 0.2), parameter(1, 0.5)),
        other => fault!(UnknownOperator, "the activation {other:?} is not known"),
    }
}

pub(crate) fn fused_conv(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, filter, bias, added) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?, cx.opt(3)?);
    let mut y = convolve(cx, &x, &filter, bias.as_ref())?;
    if let Some(added) = added {
        y = cx.g.add(&y, &added)?;
    }
    one(activated(cx, &y)?)
}

pub(crate) fn fused_gemm(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    match super::matrix::gemm(cx)?.pop() {
        Some(Value::Tensor(y)) => one(activated(cx, &y)?),
        _none => fault!(Invalid, "the product has no result"),
    }
}

pub(crate) fn fused_matmul(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (a, b) = (cx.x(0)?, cx.x(1)?);
    let alpha = cx.float_or("alpha", 1.0);
    let (turn_a, turn_b) = (cx.flag("transA", false), cx.flag("transB", false));
    let (batch_a, batch_b) = (cx.flag("transBatchA", false), cx.flag("transBatchB", false));
    let g = &mut *cx.g;
    let turned = |g: &mut Emit<'_>, x: Tensor, batch: bool, turn: bool| {
        let rank = x.rank();
        let mut order: Vec<usize> = (0..rank).collect();
        if batch && rank > 2 {
            // The first dimension goes behind the other ones of the batch.
            order[..rank - 1].rotate_left(1);
        }
        if turn && rank > 1 {
            order.swap(rank - 2, rank - 1);
        }
        g.transpose(&x, &order)
    };
    let (a, b) = (turned(g, a, batch_a, turn_a)?, turned(g, b, batch_b, turn_b)?);
    let y = super::matrix::product(g, &a, &b)?;
    one(if alpha == 1.0 { y } else { g.linear(&y, alpha, 0.0)? })
}

/// Layer or root-mean-square normalization of a sum; the sum itself is the fourth result.
pub(crate) fn skip_normalization(cx: &mut Cx<'_, '_, '_>, simple: bool) -> Outcome<Vec<Value>> {
    let (x, skip, scale) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let (shift, bias) = if simple { (None, cx.opt(3)?) } else { (cx.opt(3)?, cx.opt(4)?) };
    let epsilon = cx.float_or("epsilon", f64::from(1e-12f32));
    let mut sum = cx.g.add(&x, &skip)?;
    if let Some(bias) = bias {
        sum = cx.g.add(&sum, &bias)?;
    }
    require!(sum.rank() > 0, "a scalar has no dimension to normalize");
    let axis = sum.rank() - 1;
    let mut results = if simple {
        let (y, _) = norm::rms_of(cx.g, &sum, Some(&scale), &[axis], epsilon)?;
        vec![Value::Tensor(y)]
    } else {
        norm::layer_of(cx, &sum, Some(scale), shift, axis, epsilon, 1)?
    };
    results.resize(3, Value::Unknown);
    results.push(Value::Tensor(sum));
    Ok(results)
}

/// Word, position and segment embeddings added and normalized.
pub(crate) fn embed(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (ids, segments) = (cx.x(0)?, cx.opt(1)?);
    let (words, positions, kinds) = (cx.x(2)?, cx.x(3)?, cx.opt(4)?);
    let (scale, shift, mask, places) = (cx.x(5)?, cx.x(6)?, cx.opt(7)?, cx.opt(8)?);
    let epsilon = cx.float_or("epsilon", f64::from(1e-12f32));
    require!(ids.rank() == 2, "ids of shape {:?}", ids.dims());
    let g = &mut *cx.g;
    let mut sum = g.gather(&words, &ids, 0)?;
    let place = match places {
        Some(places) => g.gather(&positions, &places, 0)?,
        None => g.narrow(&positions, 0, 0, ids.dims()[1])?,
    };
    sum = g.add(&sum, &place)?;
    if let (Some(segments), Some(kinds)) = (segments, kinds) {
        let kind = g.gather(&kinds, &segments, 0)?;
        sum = g.add(&sum, &kind)?;
    }
    let y = g.layer_normalization(&sum, Some(&scale), Some(&shift), &[2], epsilon)?;
    let counts = match mask {
        Some(mask) => {
            let mask = g.cast(&mask, ElemType::Int32)?;
            let counts = g.reduce(ReduceKind::Sum, &mask, &[1])?;
            g.reshape(&counts, &[ids.dims()[0]])?
        }
        None => g.filled(ElemType::Int32, &[ids.dims()[0]], 0.0)?,
    };
    all(vec![y, counts, sum])
}

/// A product of integers, scaled.
pub(crate) fn matmul_integer_to_float(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (a, b, a_scale, b_scale) = (cx.x(0)?, cx.x(1)?, cx.x(2)?, cx.x(3)?);
    let (a_zero, b_zero, bias) = (cx.opt(4)?, cx.opt(5)?, cx.opt(6)?);
    let (rows, columns) = (a.rank().saturating_sub(2), b.rank().saturating_sub(1));
    let g = &mut *cx.g;
    let left = super::quant::dequantized(g, &a, &a_scale, a_zero.as_ref(), rows)?;
    let right = super::quant::dequantized(g, &b, &b_scale, b_zero.as_ref(), columns)?;
    let mut y = super::matrix::product(g, &left, &right)?;
    if let Some(bias) = bias {
        y = g.add(&y, &bias)?;
    }
    one(y)
}

/// A product with quantized weights; the other operand's quantization to the data's own range is
/// a matter of speed, so it is left out.
pub(crate) fn dynamic_matmul(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (a, b, b_scale) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let (b_zero, bias) = (cx.opt(3)?, cx.opt(4)?);
    let columns = b.rank().saturating_sub(1);
    let g = &mut *cx.g;
    let right = super::quant::dequantized(g, &b, &b_scale, b_zero.as_ref(), columns)?;
    let mut y = super::matrix::product(g, &a, &right)?;
    if let Some(bias) = bias {
        y = g.add(&y, &bias)?;
    }
    one(y)
}
