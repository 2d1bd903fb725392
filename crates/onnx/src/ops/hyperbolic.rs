//! Hyperbolic and inverse functions, which WebNN lacks, by those it has.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use crate::cx::{Cx, one};
use crate::emit::Emit;
use crate::error::Outcome;
use crate::import::Value;
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
pub(crate) enum Function {
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atanh,
    Cosh,
    Sinh,
}

pub(crate) fn function(cx: &mut Cx<'_, '_, '_>, function: Function) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let g = &mut *cx.g;
    one(match function {
        Function::Cosh => {
            let negative = g.neg(&x)?;
            let (up, down) = (g.exp(&x)?, g.exp(&negative)?);
            let sum = g.add(&up, &down)?;
            g.linear(&sum, 0.5, 0.0)?
        }
        Function::Sinh => sinh(g, &x)?,
        Function::Asinh => asinh(g, &x)?,
        // ln(x + √(x − 1) √(x + 1))
        Function::Acosh => {
            let (low, high) = (g.linear(&x, 1.0, -1.0)?, g.linear(&x, 1.0, 1.0)?);
            let (low, high) = (g.sqrt(&low)?, g.sqrt(&high)?);
            let root = g.mul(&low, &high)?;
            let sum = g.add(&x, &root)?;
            g.log(&sum)?
        }
        // ½ ln((1 + x) / (1 − x)) = ½ ln(1 + 2x / (1 − x))
        Function::Atanh => {
            let (twice, rest) = (g.linear(&x, 2.0, 0.0)?, g.linear(&x, -1.0, 1.0)?);
            let t = g.div(&twice, &rest)?;
            let value = ln_one_plus(g, &t)?;
            g.linear(&value, 0.5, 0.0)?
        }
        Function::Atan => atan(g, &x)?,
        // atan(x / √((1 − x)(1 + x)))
        Function::Asin => {
            let (below, above) = (g.linear(&x, -1.0, 1.0)?, g.linear(&x, 1.0, 1.0)?);
            let product = g.mul(&below, &above)?;
            let root = g.sqrt(&product)?;
            let ratio = g.div(&x, &root)?;
            atan(g, &ratio)?
        }
        // 2 atan(√((1 − x) / (1 + x)))
        Function::Acos => {
            let (below, above) = (g.linear(&x, -1.0, 1.0)?, g.linear(&x, 1.0, 1.0)?);
            let ratio = g.div(&below, &above)?;
            let root = g.sqrt(&ratio)?;
            let half = atan(g, &root)?;
            g.linear(&half, 2.0, 0.0)?
        }
    })
}

fn sinh(g: &mut Emit<'_>, x: &Tensor) -> Outcome<Tensor> {
    // Near zero through t = tanh(x/2), sinh x = 2t / (1 − t²), which keeps the digits that the
    // difference of exponentials loses; far from it that quotient overflows.
    let half = g.linear(x, 0.5, 0.0)?;
    let t = g.tanh(&half)?;
    let square = g.mul(&t, &t)?;
    let (twice, rest) = (g.linear(&t, 2.0, 0.0)?, g.linear(&square, -1.0, 1.0)?);
    let near = g.div(&twice, &rest)?;
    let negative = g.neg(x)?;
    let (up, down) = (g.exp(x)?, g.exp(&negative)?);
    let far = g.sub(&up, &down)?;
    let far = g.linear(&far, 0.5, 0.0)?;
    let size = g.abs(x)?;
    let bound = g.scalar(x.elem(), 1.0);
    let is_near = g.lesser(&size, &bound)?;
    g.select(&is_near, &near, &far)
}

/// sign x · ln(1 + t) with t = |x| + x² / (1 + √(x² + 1)), which keeps the digits near zero.
fn asinh(g: &mut Emit<'_>, x: &Tensor) -> Outcome<Tensor> {
    let size = g.abs(x)?;
    let square = g.mul(x, x)?;
    let root = g.linear(&square, 1.0, 1.0)?;
    let root = g.sqrt(&root)?;
    let below = g.linear(&root, 1.0, 1.0)?;
    let part = g.div(&square, &below)?;
    let t = g.add(&size, &part)?;
    let value = ln_one_plus(g, &t)?;
    let sign = g.sign(x)?;
    g.mul(&sign, &value)
}

/// ln(1 + t), exact for small t: t · ln(u) / (u − 1) with u the rounded 1 + t.
fn ln_one_plus(g: &mut Emit<'_>, t: &Tensor) -> Outcome<Tensor> {
    let u = g.linear(t, 1.0, 1.0)?;
    let log = g.log(&u)?;
    let back = g.linear(&u, 1.0, -1.0)?;
    let zero = g.scalar(t.elem(), 0.0);
    let tiny = g.equal(&back, &zero)?;
    let endless = g.is_infinite(t)?;
    let ratio = g.div(&log, &back)?;
    let value = g.mul(t, &ratio)?;
    let value = g.select(&endless, &log, &value)?;
    g.select(&tiny, t, &value)
}

/// The arc tangent: reduced to [0, tan(π/8)], there a polynomial.
fn atan(g: &mut Emit<'_>, x: &Tensor) -> Outcome<Tensor> {
    let size = g.abs(x)?;
    let (low, high) = ((PI / 8.0).tan(), (3.0 * PI / 8.0).tan());
    let (low, high) = (g.scalar(x.elem(), low), g.scalar(x.elem(), high));
    let is_high = g.greater(&size, &high)?;
    let is_low = g.lesser_or_equal(&size, &low)?;
    // Above tan(3π/8): π/2 + atan(−1/x); in between: π/4 + atan((x − 1) / (x + 1)).
    let inverse = g.reciprocal(&size)?;
    let inverse = g.neg(&inverse)?;
    let (less, more) = (g.linear(&size, 1.0, -1.0)?, g.linear(&size, 1.0, 1.0)?);
    let middle = g.div(&less, &more)?;
    let reduced = g.select(&is_low, &size, &middle)?;
    let reduced = g.select(&is_high, &inverse, &reduced)?;
    let bases = [0.0, FRAC_PI_4, FRAC_PI_2].map(|base| g.scalar(x.elem(), base));
    let base = g.select(&is_low, &bases[0], &bases[1])?;
    let base = g.select(&is_high, &bases[2], &base)?;
    // Cephes' atanf: minimax coefficients of (atan z − z) / z³ in z².
    let square = g.mul(&reduced, &reduced)?;
    let mut sum = g.linear(&square, 8.053_744_5e-2, -1.387_768_6e-1)?;
    for coefficient in [1.997_771_1e-1, -3.333_295e-1] {
        sum = g.mul(&sum, &square)?;
        sum = g.linear(&sum, 1.0, coefficient)?;
    }
    let cube = g.mul(&square, &reduced)?;
    let correction = g.mul(&sum, &cube)?;
    let value = g.add(&reduced, &correction)?;
    let value = g.add(&base, &value)?;
    let sign = g.sign(x)?;
    let signed = g.mul(&sign, &value)?;
    // NaN has the sign 0 and has to stay NaN.
    let nan = g.is_nan(x)?;
    g.select(&nan, x, &signed)
}
