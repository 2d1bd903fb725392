//! Activations that WebNN spells otherwise or lacks.

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault};
use crate::import::Value;
use crate::known::small_count;
use crate::tensor::{Tensor, axis_of};

pub(crate) fn elu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let alpha = cx.float_or("alpha", 1.0);
    one(cx.g.elu(&x, alpha)?)
}

/// max(0, x) + min(0, α (exp(x/α) − 1))
pub(crate) fn celu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let alpha = cx.float_or("alpha", 1.0);
    if alpha == 1.0 {
        return one(cx.g.elu(&x, 1.0)?);
    }
    let scaled = cx.g.linear(&x, 1.0 / alpha, 0.0)?;
    let value = cx.g.elu(&scaled, 1.0)?;
    one(cx.g.linear(&value, alpha, 0.0)?)
}

pub(crate) fn selu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let alpha = cx.float_or("alpha", 1.673_263_192_176_818_8);
    let gamma = cx.float_or("gamma", 1.050_700_902_938_842_8);
    let value = cx.g.elu(&x, alpha)?;
    one(cx.g.linear(&value, gamma, 0.0)?)
}

pub(crate) fn hard_sigmoid(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let (alpha, beta) = (cx.float_or("alpha", f64::from(0.2f32)), cx.float_or("beta", 0.5));
    one(cx.g.hard_sigmoid(&x, alpha, beta)?)
}

pub(crate) fn leaky_relu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let alpha = cx.float_or("alpha", f64::from(0.01f32));
    one(cx.g.leaky_relu(&x, alpha)?)
}

pub(crate) fn prelu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, mut slope) = (cx.x(0)?, cx.x(1)?);
    // Before version 7 a list of slopes meant one per channel.
    if cx.version < 7 && slope.rank() == 1 && slope.dim(0) > 1 && x.rank() > 2 {
        let mut dims = vec![1; x.rank() - 1];
        dims[0] = slope.dim(0);
        slope = cx.g.reshape(&slope, &dims)?;
    }
    if matches!(x.elem(), ElemType::Uint32 | ElemType::Uint64) {
        return one(x);
    }
    one(cx.g.prelu(&x, &slope)?)
}

/// x where it is above α, else 0.
pub(crate) fn thresholded_relu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let alpha = cx.g.scalar(x.elem(), cx.float_or("alpha", 1.0));
    let zero = cx.g.scalar(x.elem(), 0.0);
    let above = cx.g.greater(&x, &alpha)?;
    one(cx.g.select(&above, &x, &zero)?)
}

/// x − bias above λ, x + bias below −λ, else 0.
pub(crate) fn shrink(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let input = cx.x(0)?;
    let (bias, bound) = (cx.float_or("bias", 0.0), cx.float_or("lambd", 0.5));
    let elem = input.elem();
    let g = &mut *cx.g;
    let x = if elem.is_float() { input } else { g.cast(&input, ElemType::Float32)? };
    let (low, high) = (g.scalar(x.elem(), -bound), g.scalar(x.elem(), bound));
    let (below, above) = (g.lesser(&x, &low)?, g.greater(&x, &high)?);
    let (up, down) = (g.linear(&x, 1.0, bias)?, g.linear(&x, 1.0, -bias)?);
    let zero = g.scalar(x.elem(), 0.0);
    let result = g.select(&above, &down, &zero)?;
    let result = g.select(&below, &up, &result)?;
    one(g.cast(&result, elem)?)
}

/// x · tanh(softplus(x))
pub(crate) fn mish(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let soft = cx.g.softplus(&x)?;
    let gate = cx.g.tanh(&soft)?;
    one(cx.g.mul(&x, &gate)?)
}

/// x · sigmoid(α x)
pub(crate) fn swish(g: &mut Emit<'_>, x: &Tensor, alpha: f64) -> Outcome<Tensor> {
    let scaled = if alpha == 1.0 { x.clone() } else { g.linear(x, alpha, 0.0)? };
    let gate = g.sigmoid(&scaled)?;
    g.mul(x, &gate)
}

pub(crate) fn swish_node(cx: &mut Cx<'_, '_, '_>, default: f64) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let alpha = cx.float_or("alpha", default);
    one(swish(cx.g, &x, alpha)?)
}

pub(crate) fn gelu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    match cx.text_or("approximate", "none").as_str() {
        "none" => one(cx.g.gelu(&x)?),
        "tanh" => one(gelu_tanh(cx.g, &x)?),
        other => fault!(Invalid, "approximate is {other:?}, expected \"none\" or \"tanh\""),
    }
}

/// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))
pub(crate) fn gelu_tanh(g: &mut Emit<'_>, x: &Tensor) -> Outcome<Tensor> {
    let square = g.mul(x, x)?;
    let root = (2.0 / std::f64::consts::PI).sqrt();
    let inner = g.linear(&square, 0.044_715 * root, root)?;
    let inner = g.mul(x, &inner)?;
    let gate = g.tanh(&inner)?;
    let gate = g.linear(&gate, 0.5, 0.5)?;
    g.mul(x, &gate)
}

/// Applies `compute` along the node's axis. Before version 13 that meant all dimensions from the
/// axis on taken as one, which is the same where the axis is the last.
fn along<'b>(
    cx: &mut Cx<'_, '_, 'b>,
    compute: fn(&mut Emit<'b>, &Tensor, usize) -> Outcome<Tensor>,
) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let old = cx.version < 13;
    let axis = cx.int_or("axis", if old { 1 } else { -1 });
    if old && axis == x.rank() as i64 {
        // Nothing is left on the right: each element stands alone.
        let flat = cx.g.reshape(&x, &[x.dims(), &[1]].concat())?;
        let result = compute(cx.g, &flat, x.rank())?;
        return one(cx.g.reshape(&result, x.dims())?);
    }
    let axis = axis_of(axis, x.rank())?;
    if !old || axis + 1 == x.rank() {
        return one(compute(cx.g, &x, axis)?);
    }
    let rest = x.dims()[axis..].iter().try_fold(1u32, |n, &size| n.checked_mul(size));
    let Some(rest) = rest else { fault!(Limit, "{:?} is too large", x.dims()) };
    let flat = cx.g.reshape(&x, &[&x.dims()[..axis], &[rest]].concat())?;
    let result = compute(cx.g, &flat, axis)?;
    one(cx.g.reshape(&result, x.dims())?)
}

pub(crate) fn softmax(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    along(cx, Emit::softmax)
}

pub(crate) fn log_softmax(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    along(cx, log_softmax_of)
}

/// `log(sum(exp(x)))` subtracted along the axis.
pub(crate) fn log_softmax_of(g: &mut Emit<'_>, x: &Tensor, axis: usize) -> Outcome<Tensor> {
    let total = g.reduce(ReduceKind::LogSumExp, x, &[axis])?;
    g.sub(x, &total)
}

/// 1 at the first greatest element along the axis, 0 elsewhere.
pub(crate) fn hardmax(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    along(cx, |g, x, axis| {
        let best = g.arg(x, axis, true, true)?;
        let places = places(g, x, axis)?;
        let hit = g.equal(&best, &places)?;
        g.cast(&hit, x.elem())
    })
}

/// 0, 1, 2 ... along an axis, as int64 that broadcasts with the tensor.
pub(crate) fn places(g: &Emit<'_>, x: &Tensor, axis: usize) -> Outcome<Tensor> {
    let count = small_count(&[x.dim(axis)])?;
    let mut dims = vec![1; x.rank()];
    if let Some(size) = dims.get_mut(axis) {
        *size = count as u32;
    }
    Ok(g.int_list(ElemType::Int64, &dims, (0..count as i128).collect()))
}

/// The gate's swish, times the value.
pub(crate) fn swiglu(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (gate, value) = (cx.x(0)?, cx.x(1)?);
    let alpha = cx.float_or("alpha", 1.0);
    let gate = swish(cx.g, &gate, alpha)?;
    one(cx.g.mul(&gate, &value)?)
}
