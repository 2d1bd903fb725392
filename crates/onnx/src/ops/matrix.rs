//! Matrix products.

use webnn_core::ops;

use crate::cx::{Cx, one};
use crate::emit::Emit;
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::Tensor;

/// numpy's matmul: a list on the left is a row, on the right a column.
pub(crate) fn product(g: &mut Emit<'_>, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
    require!(a.rank() > 0 && b.rank() > 0, "{:?} times {:?}", a.dims(), b.dims());
    let left = if a.rank() == 1 { g.reshape(a, &[1, a.dims()[0]])? } else { a.clone() };
    let right = if b.rank() == 1 { g.reshape(b, &[b.dims()[0], 1])? } else { b.clone() };
    let result = g.matmul(&left, &right)?;
    let mut dims = result.dims().to_vec();
    if b.rank() == 1 {
        dims.pop();
    }
    if a.rank() == 1 {
        dims.remove(dims.len() - 1 - usize::from(b.rank() != 1));
    }
    g.reshape(&result, &dims)
}

pub(crate) fn matmul(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (a, b) = (cx.x(0)?, cx.x(1)?);
    one(product(cx.g, &a, &b)?)
}

pub(crate) fn gemm(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (a, b, c) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?);
    require!(a.rank() == 2 && b.rank() == 2, "{:?} times {:?}", a.dims(), b.dims());
    let op = ops::Gemm {
        alpha: cx.float_or("alpha", 1.0),
        beta: cx.float_or("beta", 1.0),
        a_transpose: cx.flag("transA", false),
        b_transpose: cx.flag("transB", false),
    };
    let g = &mut *cx.g;
    if a.elem().is_float() && !a.is_empty() && !b.is_empty() {
        // WebNN's third operand has at most two dimensions.
        let c = match c {
            Some(c) if c.rank() > 2 => {
                let dims = c.dims()[c.rank() - 2..].to_vec();
                Some(g.reshape(&c, &dims)?)
            }
            other => other,
        };
        return one(g.gemm(&a, &b, c.as_ref(), op)?);
    }
    let a = if op.a_transpose { g.swap(&a, 0, 1)? } else { a };
    let b = if op.b_transpose { g.swap(&b, 0, 1)? } else { b };
    let mut y = g.matmul(&a, &b)?;
    let (alpha, beta) = (g.scalar(y.elem(), op.alpha), g.scalar(y.elem(), op.beta));
    if op.alpha != 1.0 {
        y = g.mul(&y, &alpha)?;
    }
    if let Some(c) = c {
        let c = if op.beta == 1.0 { c } else { g.mul(&c, &beta)? };
        y = g.add(&y, &c)?;
    }
    one(y)
}

/// The largest matrix whose determinant is expanded.
const MAX_ROWS: u32 = 4;

pub(crate) fn det(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    require!(x.rank() >= 2, "shape {:?} has no matrices", x.dims());
    let (rows, columns) = (x.dims()[x.rank() - 2], x.dims()[x.rank() - 1]);
    require!(rows == columns && rows > 0, "shape {:?} has no square matrices", x.dims());
    if rows > MAX_ROWS {
        fault!(NotExpressible, "the determinant of {rows} rows, expected at most {MAX_ROWS}");
    }
    let all: Vec<u32> = (0..columns).collect();
    let result = minor(cx.g, &x, 0, &all)?;
    one(cx.g.reshape(&result, &x.dims()[..x.rank() - 2])?)
}

/// The determinant of the rows from `row` on and the given columns, along the first of the rows.
fn minor(g: &mut Emit<'_>, x: &Tensor, row: u32, columns: &[u32]) -> Outcome<Tensor> {
    let rank = x.rank();
    let line = g.narrow(x, rank - 2, row, 1)?;
    let mut sum: Option<Tensor> = None;
    for (i, &column) in columns.iter().enumerate() {
        let mut term = g.narrow(&line, rank - 1, column, 1)?;
        let rest: Vec<u32> = columns.iter().copied().filter(|&other| other != column).collect();
        if !rest.is_empty() {
            let below = minor(g, x, row + 1, &rest)?;
            term = g.mul(&term, &below)?;
        }
        sum = Some(match sum {
            None => term,
            Some(sum) if i % 2 == 1 => g.sub(&sum, &term)?,
            Some(sum) => g.add(&sum, &term)?,
        });
    }
    match sum {
        Some(sum) => Ok(sum),
        None => fault!(Invalid, "the matrix has no columns"),
    }
}
