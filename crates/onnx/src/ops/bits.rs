//! Bitwise operators, by arithmetic: WebNN has none on bits.

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::count;
use crate::tensor::{Tensor, broadcast, size_of};

/// What becomes of each pair of bits.
#[derive(Clone, Copy)]
pub(crate) enum Bitwise {
    And,
    Or,
    Xor,
}

/// An unsigned type of 32 or 64 bits that holds the integer's bits.
fn unsigned(elem: ElemType) -> Outcome<(ElemType, u32)> {
    if elem.integer_range().is_none() || elem == ElemType::Bool || elem.is_narrow() {
        fault!(Invalid, "{elem} has no bits to work with");
    }
    let wide = if elem.bits() == 64 { ElemType::Uint64 } else { ElemType::Uint32 };
    Ok((wide, elem.bits()))
}

pub(crate) fn binary(cx: &mut Cx<'_, '_, '_>, kind: Bitwise) -> Outcome<Vec<Value>> {
    let (a, b) = (cx.x(0)?, cx.x(1)?);
    require!(a.elem() == b.elem(), "operands are of types {} and {}", a.elem(), b.elem());
    if let (Some(x), Some(y)) = (a.array(), b.array()) {
        let apply = |a: i128, b: i128| match kind {
            Bitwise::And => a & b,
            Bitwise::Or => a | b,
            Bitwise::Xor => a ^ b,
        };
        return one(crate::host::zip(a.elem(), &x, &y, apply, |a, _| a)?.into());
    }
    let (wide, width) = unsigned(a.elem())?;
    let dims = broadcast(a.dims(), b.dims())?;
    let g = &mut *cx.g;
    let (x, y) = (digits(g, &a, wide, width, &dims)?, digits(g, &b, wide, width, &dims)?);
    let bits = match kind {
        Bitwise::And => g.mul(&x, &y)?,
        Bitwise::Or => g.max(&x, &y)?,
        Bitwise::Xor => {
            let differ = g.equal(&x, &y)?;
            let differ = g.logical_not(&differ)?;
            g.cast(&differ, wide)?
        }
    };
    let weights = powers(g, wide, width);
    let parts = g.mul(&bits, &weights)?;
    let sum = g.reduce(ReduceKind::Sum, &parts, &[1])?;
    let sum = g.reshape(&sum, &dims)?;
    one(g.cast(&sum, a.elem())?)
}

/// 1, 2, 4 ... as a row.
fn powers(g: &Emit<'_>, elem: ElemType, width: u32) -> Tensor {
    g.int_list(elem, &[1, width], (0..width).map(|i| 1i128 << i).collect())
}

/// The bits of each element as a row of zeros and ones, the lowest first.
fn digits(
    g: &mut Emit<'_>,
    x: &Tensor,
    wide: ElemType,
    width: u32,
    dims: &[u32],
) -> Outcome<Tensor> {
    let x = g.cast(x, wide)?;
    let x = g.expand(&x, dims)?;
    let x = g.reshape(&x, &[size_of(count(dims)?.into())?, 1])?;
    let weights = powers(g, wide, width);
    let shifted = g.div(&x, &weights)?;
    let two = g.scalar(wide, 2.0);
    let halves = g.div(&shifted, &two)?;
    let even = g.mul(&halves, &two)?;
    g.sub(&shifted, &even)
}

/// −x − 1
pub(crate) fn not(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let Some((least, greatest)) = x.elem().integer_range() else {
        fault!(Invalid, "{} has no bits to work with", x.elem());
    };
    // Of an unsigned number: the greatest minus it; of a signed one: −1 minus it.
    let all = if least < 0 { -1 } else { greatest };
    let all = cx.g.int_list(x.elem(), &[], vec![all]);
    one(cx.g.sub(&all, &x)?)
}

/// Times or divided by a power of two; shifted out of its width, nothing is left.
pub(crate) fn shift(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, by) = (cx.x(0)?, cx.x(1)?);
    let left = match cx.text_or("direction", "").as_str() {
        "LEFT" => true,
        "RIGHT" => false,
        other => fault!(Invalid, "direction is {other:?}, expected \"LEFT\" or \"RIGHT\""),
    };
    let (wide, width) = unsigned(x.elem())?;
    let g = &mut *cx.g;
    let table = (0..width).map(|i| 1i128 << i).chain([0]).collect();
    let table = g.int_list(wide, &[width + 1], table);
    let by = g.cast(&by, ElemType::Int64)?;
    let (low, high) = (g.scalar(ElemType::Int64, 0.0), g.scalar(ElemType::Int64, f64::from(width)));
    // A negative number of places counts as too many.
    let under = g.lesser(&by, &low)?;
    let by = g.min(&by, &high)?;
    let by = g.select(&under, &high, &by)?;
    let power = g.gather(&table, &by, 0)?;
    if left {
        let bits = g.cast(&x, wide)?;
        let y = g.mul(&bits, &power)?;
        return one(g.cast(&y, x.elem())?);
    }
    let signed = x.elem().integer_range().is_some_and(|(least, _)| least < 0);
    if !signed {
        let bits = g.cast(&x, wide)?;
        // Division by the 0 at the table's end gives 0.
        let y = g.div(&bits, &power)?;
        return one(g.cast(&y, x.elem())?);
    }
    // Of a negative number the shift rounds down: −1 − ((−1 − x) >> n).
    let (minus, zero) = (g.scalar(x.elem(), -1.0), g.scalar(x.elem(), 0.0));
    let mirrored = g.sub(&minus, &x)?;
    let negative = g.lesser(&x, &zero)?;
    let size = g.select(&negative, &mirrored, &x)?;
    let size = g.cast(&size, wide)?;
    let y = g.div(&size, &power)?;
    let y = g.cast(&y, x.elem())?;
    let back = g.sub(&minus, &y)?;
    one(g.select(&negative, &back, &y)?)
}
