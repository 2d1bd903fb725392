//! Losses, computed forwards.

use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::Tensor;

pub(crate) fn negative_log_likelihood(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, target, weight) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?);
    let (ignored, reduction) = (cx.int("ignore_index"), cx.text_or("reduction", "mean"));
    one(loss(cx.g, &x, &target, weight.as_ref(), ignored, &reduction)?)
}

pub(crate) fn softmax_cross_entropy(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, target, weight) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?);
    let (ignored, reduction) = (cx.int("ignore_index"), cx.text_or("reduction", "mean"));
    require!(x.rank() >= 2, "scores of shape {:?} have no classes", x.dims());
    let log = super::activation::log_softmax_of(cx.g, &x, 1)?;
    let value = loss(cx.g, &log, &target, weight.as_ref(), ignored, &reduction)?;
    all(vec![value, log])
}

/// Minus the target's score in each place, weighted by class, summed or averaged.
fn loss(
    g: &mut Emit<'_>,
    x: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    ignored: Option<i64>,
    reduction: &str,
) -> Outcome<Tensor> {
    require!(
        x.rank() >= 2 && target.rank() + 1 == x.rank(),
        "scores {:?} and targets {:?}",
        x.dims(),
        target.dims()
    );
    let target = g.cast(target, ElemType::Int64)?;
    let mut dims = target.dims().to_vec();
    dims.insert(1, 1);
    // An ignored target need not be a class at all: class 0 is read, and not counted.
    let (classes, counted) = match ignored {
        Some(ignored) => {
            let mark = g.int_list(ElemType::Int64, &[], vec![ignored.into()]);
            let skip = g.equal(&target, &mark)?;
            let zero = g.scalar(ElemType::Int64, 0.0);
            (g.select(&skip, &zero, &target)?, Some(g.logical_not(&skip)?))
        }
        None => (target, None),
    };
    let at = g.reshape(&classes, &dims)?;
    let score = g.gather_elements(x, &at, 1)?;
    let score = g.reshape(&score, classes.dims())?;
    let score = g.neg(&score)?;
    let mut weights = match weight {
        Some(weight) => Some(g.gather(weight, &classes, 0)?),
        None => None,
    };
    if let Some(counted) = &counted {
        let (unit, zero) = (g.scalar(x.elem(), 1.0), g.scalar(x.elem(), 0.0));
        let own = weights.as_ref().unwrap_or(&unit).clone();
        weights = Some(g.select(counted, &own, &zero)?);
    }
    let values = match &weights {
        Some(weights) => g.mul(&score, weights)?,
        None => score,
    };
    let axes: Vec<usize> = (0..values.rank()).collect();
    let total = |g: &mut Emit<'_>, t: &Tensor| {
        let sum = g.reduce(ReduceKind::Sum, t, &axes)?;
        g.reshape(&sum, &[])
    };
    match (reduction, &weights) {
        ("none", _) => Ok(values),
        ("sum", _) => total(g, &values),
        ("mean", Some(weights)) => {
            let (sum, of) = (total(g, &values)?, total(g, weights)?);
            g.div(&sum, &of)
        }
        ("mean", None) => {
            let mean = g.reduce(ReduceKind::Mean, &values, &axes)?;
            g.reshape(&mean, &[])
        }
        (other, _) => fault!(Invalid, "reduction is {other:?}"),
    }
}
