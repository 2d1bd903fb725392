//! Operators that compute element by element.

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::{Emit, Unary};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::{Tensor, axis_of};

/// One operation on the one input.
pub(crate) fn unary(cx: &mut Cx<'_, '_, '_>, kind: Unary) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let unsigned = matches!(
        x.elem(),
        ElemType::Uint8 | ElemType::Uint16 | ElemType::Uint32 | ElemType::Uint64 | ElemType::Bool
    );
    // WebNN lacks these for types on which they do nothing.
    let idle = [Unary::Abs, Unary::Relu].contains(&kind) && unsigned
        || [Unary::Ceil, Unary::Floor, Unary::RoundEven].contains(&kind) && !x.elem().is_float();
    if idle {
        return one(x);
    }
    if kind == Unary::Sign && unsigned {
        let unit = cx.g.scalar(x.elem(), 1.0);
        return one(cx.g.min(&x, &unit)?);
    }
    one(cx.g.unary(kind, &x)?)
}

/// Two operands; before version 7, the second may be laid along an axis of the first.
pub(crate) fn binary<'b>(
    cx: &mut Cx<'_, '_, 'b>,
    compute: fn(&mut Emit<'b>, &Tensor, &Tensor) -> Outcome<Tensor>,
) -> Outcome<Vec<Value>> {
    let (a, mut b) = (cx.x(0)?, cx.x(1)?);
    if cx.version < 7
        && cx.flag("broadcast", false)
        && let Some(axis) = cx.int("axis")
    {
        let axis = axis_of(axis, a.rank())?;
        require!(axis + b.rank() <= a.rank(), "{:?} does not fit at axis {axis}", b.dims());
        let mut dims = b.dims().to_vec();
        dims.resize(a.rank() - axis, 1);
        b = cx.g.reshape(&b, &dims)?;
    }
    one(compute(cx.g, &a, &b)?)
}

/// Any number of operands.
pub(crate) fn variadic<'b>(
    cx: &mut Cx<'_, '_, 'b>,
    compute: fn(&mut Emit<'b>, &Tensor, &Tensor) -> Outcome<Tensor>,
) -> Outcome<Vec<Value>> {
    let mut result = cx.x(0)?;
    for other in cx.rest(1)? {
        result = compute(cx.g, &result, &other)?;
    }
    one(result)
}

pub(crate) fn mean(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let mut sum = cx.x(0)?;
    for other in cx.rest(1)? {
        sum = cx.g.add(&sum, &other)?;
    }
    let count = cx.g.scalar(sum.elem(), cx.inputs.len() as f64);
    one(cx.g.div(&sum, &count)?)
}

/// Base and exponent may have different types: the result has the base's.
pub(crate) fn pow(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (base, exponent) = (cx.x(0)?, cx.x(1)?);
    if !base.elem().is_float() && exponent.elem().is_float() {
        let wide = cx.g.cast(&base, exponent.elem())?;
        let power = cx.g.pow(&wide, &exponent)?;
        return one(cx.g.cast(&power, base.elem())?);
    }
    let exponent = cx.g.cast(&exponent, base.elem())?;
    one(cx.g.pow(&base, &exponent)?)
}

/// `x − floor(x / y) · y`, or with `fmod` cut towards zero.
pub(crate) fn modulo(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (a, b) = (cx.x(0)?, cx.x(1)?);
    let cut = cx.flag("fmod", false);
    if let (Some(x), Some(y)) = (a.array(), b.array()) {
        let ints = |a: i128, b: i128| {
            let rest = a.checked_rem(b).unwrap_or(0);
            if !cut && rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        };
        let floats = |a: f64, b: f64| {
            let rest = a % b;
            match cut {
                true => rest,
                false if rest == 0.0 => rest.copysign(b),
                false if (rest < 0.0) != (b < 0.0) => rest + b,
                false => rest,
            }
        };
        return one(crate::host::zip(a.elem(), &x, &y, ints, floats)?.into());
    }
    let g = &mut *cx.g;
    one(match (a.elem().is_float(), cut) {
        (true, true) => float_remainder(g, &a, &b)?,
        (true, false) => {
            let rest = float_remainder(g, &a, &b)?;
            let rest = with_divisors_sign(g, &rest, &b)?;
            zero_with_sign(g, &rest, &b)?
        }
        (false, _) => integer_remainder(g, &a, &b, cut)?,
    })
}

/// C's fmod: it keeps the sign of the dividend, of a zero too, and the dividend itself where the
/// divisor is infinite.
fn float_remainder(g: &mut Emit<'_>, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
    let (size, divisor) = (g.abs(a)?, g.abs(b)?);
    let quotient = g.div(&size, &divisor)?;
    let whole = g.floor(&quotient)?;
    let product = g.mul(&whole, &divisor)?;
    let rest = g.sub(&size, &product)?;
    let endless = g.is_infinite(b)?;
    let finite = g.is_infinite(a)?;
    let finite = g.logical_not(&finite)?;
    let kept = g.logical_and(&endless, &finite)?;
    let rest = g.select(&kept, &size, &rest)?;
    // The reciprocal tells minus zero from zero.
    let zero = g.scalar(a.elem(), 0.0);
    let reciprocal = g.reciprocal(a)?;
    let (below, under) = (g.lesser(a, &zero)?, g.lesser(&reciprocal, &zero)?);
    let negative = g.logical_or(&below, &under)?;
    let minus = g.neg(&rest)?;
    g.select(&negative, &minus, &rest)
}

/// The value, where it is a zero with the sign of `b`.
fn zero_with_sign(g: &mut Emit<'_>, value: &Tensor, b: &Tensor) -> Outcome<Tensor> {
    let zero = g.scalar(b.elem(), 0.0);
    let is_zero = g.equal(value, &zero)?;
    let plus = g.abs(value)?;
    let minus = g.neg(&plus)?;
    let is_negative = g.lesser(b, &zero)?;
    let signed = g.select(&is_negative, &minus, &plus)?;
    g.select(&is_zero, &signed, value)
}

fn integer_remainder(g: &mut Emit<'_>, a: &Tensor, b: &Tensor, cut: bool) -> Outcome<Tensor> {
    let quotient = g.div(a, b)?;
    let product = g.mul(&quotient, b)?;
    let rest = g.sub(a, &product)?;
    if cut || a.elem().integer_range().is_none_or(|(least, _)| least >= 0) {
        return Ok(rest);
    }
    with_divisors_sign(g, &rest, b)
}

/// The rest of a quotient that was cut towards zero, for one that is rounded down: where rest and
/// divisor differ in sign, one divisor more.
fn with_divisors_sign(g: &mut Emit<'_>, rest: &Tensor, b: &Tensor) -> Outcome<Tensor> {
    let zero = g.scalar(b.elem(), 0.0);
    let exact = g.equal(rest, &zero)?;
    let inexact = g.logical_not(&exact)?;
    let (left, right) = (g.lesser(rest, &zero)?, g.lesser(b, &zero)?);
    let differ = g.logical_xor(&left, &right)?;
    let wrong = g.logical_and(&inexact, &differ)?;
    let moved = g.add(rest, b)?;
    g.select(&wrong, &moved, rest)
}

/// Bounds come as inputs since version 11, as attributes before; either may be absent.
pub(crate) fn clip(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    if cx.version < 11 {
        let (min, max) = (cx.float("min"), cx.float("max"));
        return one(cx.g.clamp(&x, min, max)?);
    }
    let (min, max) = (cx.opt(1)?, cx.opt(2)?);
    let number = |bound: &Option<Tensor>| {
        bound.as_ref().and_then(|bound| bound.array()?.to_floats().first().copied())
    };
    let (least, greatest) = (number(&min), number(&max));
    let are_known = min.is_some() == least.is_some() && max.is_some() == greatest.is_some();
    let ordered = match (least, greatest) {
        (Some(least), Some(greatest)) => least <= greatest,
        _open => true,
    };
    // Integers beyond those that a double holds go the long way.
    let exact = [least, greatest].into_iter().flatten().all(|v| v.abs() < 2f64.powi(53));
    if are_known && ordered && (exact || x.elem().is_float()) && x.known().is_none() {
        return one(cx.g.clamp(&x, least, greatest)?);
    }
    let mut result = x;
    if let Some(min) = min {
        result = cx.g.max(&result, &min)?;
    }
    if let Some(max) = max {
        result = cx.g.min(&result, &max)?;
    }
    one(result)
}

pub(crate) fn is_inf(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    match (cx.flag("detect_positive", true), cx.flag("detect_negative", true)) {
        (true, true) => one(cx.g.is_infinite(&x)?),
        (false, false) => one(cx.g.filled(ElemType::Bool, x.dims(), 0.0)?),
        (positive, _) => {
            let bound = if positive { f64::INFINITY } else { f64::NEG_INFINITY };
            let bound = cx.g.scalar(x.elem(), bound);
            one(cx.g.equal(&x, &bound)?)
        }
    }
}

pub(crate) fn is_nan(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    one(cx.g.is_nan(&x)?)
}

pub(crate) fn not(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    one(cx.g.logical_not(&x)?)
}

pub(crate) fn select(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (condition, a, b) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    one(cx.g.select(&condition, &a, &b)?)
}

pub(crate) fn cast(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    match cx.elem("to")? {
        Some(ElemType::String) => fault!(String, "casting to strings"),
        Some(to) => one(cx.g.cast(&x, to)?),
        None => fault!(Invalid, "attribute \"to\" is missing"),
    }
}

pub(crate) fn cast_like(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, like) = (cx.x(0)?, cx.x(1)?);
    one(cx.g.cast(&x, like.elem())?)
}

/// The product along an axis of all elements up to each.
pub(crate) fn cumulative_product(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let axis = axis_of(cx.scalar(1)? as i64, x.rank())?;
    let (exclusive, reverse) = (cx.flag("exclusive", false), cx.flag("reverse", false));
    let g = &mut *cx.g;
    let size = x.dim(axis);
    if x.is_empty() {
        return one(x);
    }
    let x = if reverse { g.reverse(&x, &[axis])? } else { x };
    // The neighbour at a distance before each element, 1 where there is none.
    let before = |g: &mut Emit<'_>, x: &Tensor, distance: u32| {
        let mut dims = x.dims().to_vec();
        dims[axis] = distance;
        let ones = g.filled(x.elem(), &dims, 1.0)?;
        let kept = g.narrow(x, axis, 0, size - distance)?;
        g.concat(&[ones, kept], axis)
    };
    let mut product = if exclusive { before(g, &x, 1)? } else { x };
    // Doubling: after the step of distance d each element is the product of 2d neighbours.
    let mut distance = 1;
    while distance < size {
        let other = before(g, &product, distance)?;
        product = g.mul(&product, &other)?;
        distance *= 2;
    }
    one(if reverse { g.reverse(&product, &[axis])? } else { product })
}
