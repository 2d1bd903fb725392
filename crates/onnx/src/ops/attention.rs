//! Attention: heads split off, scores, mask, softmax, values; ONNX's own operators.
//!
//! The core of it is emitted as exporters spell it (a product, a scale, an added mask, softmax, a
//! product), which is the form that compilers look for.

use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::{Emit, PaddingMode, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::model::name_of;
use crate::tensor::{Tensor, size_of};

pub(crate) use super::attention_contrib::{group_query, multi_head, packed, rotary_contrib};

/// What is done to the scores besides the mask.
pub(crate) struct Scoring {
    /// `None` for one over the root of the head's size.
    pub(crate) scale: Option<f64>,
    pub(crate) softcap: f64,
    /// The type that the softmax is computed in.
    pub(crate) precision: Option<ElemType>,
    /// Whether a row without any key gives zeros; else it gives NaN.
    pub(crate) guards_empty_rows: bool,
}

/// The scores at each stage and what comes of them.
pub(crate) struct Attended {
    pub(crate) output: Tensor,
    /// The product, capped, masked, and as probabilities.
    pub(crate) stages: [Tensor; 4],
}

/// `[batch, length, heads · size]` as `[batch, heads, length, size]`; four dimensions stay.
pub(crate) fn split_heads(g: &mut Emit<'_>, x: &Tensor, heads: u32) -> Outcome<Tensor> {
    if x.rank() == 4 {
        return Ok(x.clone());
    }
    require!(
        x.rank() == 3 && x.dims()[2].checked_rem(heads) == Some(0),
        "{heads} heads of {:?}",
        x.dims()
    );
    let parts = g.reshape(x, &[x.dims()[0], x.dims()[1], heads, x.dims()[2] / heads])?;
    g.swap(&parts, 1, 2)
}

/// The inverse of [`split_heads`].
pub(crate) fn join_heads(g: &mut Emit<'_>, x: &Tensor) -> Outcome<Tensor> {
    let [batch, heads, length, size] = [x.dim(0), x.dim(1), x.dim(2), x.dim(3)];
    let moved = g.swap(x, 1, 2)?;
    g.reshape(&moved, &[batch, length, heads.saturating_mul(size)])
}

/// Keys or values for every query head: each of the fewer heads serves a run of them.
fn repeated(g: &mut Emit<'_>, x: &Tensor, heads: u32) -> Outcome<Tensor> {
    let [batch, own, length, size] = [x.dim(0), x.dim(1), x.dim(2), x.dim(3)];
    if own == heads {
        return Ok(x.clone());
    }
    require!(heads.checked_rem(own) == Some(0), "{own} heads for {heads}");
    let parts = g.reshape(x, &[batch, own, 1, length, size])?;
    let parts = g.expand(&parts, &[batch, own, heads / own, length, size])?;
    g.reshape(&parts, &[batch, heads, length, size])
}

/// Softmax of scaled scores, times the values; all four-dimensional, heads second. The bias is
/// added to the scores.
pub(crate) fn attend(
    g: &mut Emit<'_>,
    [q, k, v]: [&Tensor; 3],
    bias: Option<&Tensor>,
    scoring: &Scoring,
) -> Outcome<Attended> {
    require!(
        q.rank() == 4 && k.rank() == 4 && v.rank() == 4,
        "queries {:?}, keys {:?}, values {:?}",
        q.dims(),
        k.dims(),
        v.dims()
    );
    let heads = q.dims()[1];
    let (k, v) = (repeated(g, k, heads)?, repeated(g, v, heads)?);
    let turned = g.swap(&k, 2, 3)?;
    let product = g.matmul(q, &turned)?;
    let scale = scoring.scale.unwrap_or(1.0 / f64::from(q.dims()[3]).sqrt());
    let scale = g.scalar(q.elem(), scale);
    let product = g.mul(&product, &scale)?;
    let capped = if scoring.softcap > 0.0 {
        let inner = g.linear(&product, 1.0 / scoring.softcap, 0.0)?;
        let inner = g.tanh(&inner)?;
        g.linear(&inner, scoring.softcap, 0.0)?
    } else {
        product.clone()
    };
    let masked = match bias {
        Some(bias) => g.add(&capped, bias)?,
        None => capped.clone(),
    };
    let wide = match scoring.precision {
        Some(elem) => g.cast(&masked, elem)?,
        None => masked.clone(),
    };
    let mut chances = g.softmax(&wide, 3)?;
    if scoring.guards_empty_rows {
        let top = g.reduce(ReduceKind::Max, &wide, &[3])?;
        let never = g.scalar(wide.elem(), f64::NEG_INFINITY);
        let empty = g.equal(&top, &never)?;
        let zero = g.scalar(wide.elem(), 0.0);
        chances = g.select(&empty, &zero, &chances)?;
    }
    let chances = g.cast(&chances, v.elem())?;
    let output = g.matmul(&chances, &v)?;
    Ok(Attended { output, stages: [product, capped, masked, chances] })
}

/// 0 where the mask holds, −∞ elsewhere.
pub(crate) fn bias_of(g: &mut Emit<'_>, mask: &Tensor, elem: ElemType) -> Outcome<Tensor> {
    let (zero, never) = (g.scalar(elem, 0.0), g.scalar(elem, f64::NEG_INFINITY));
    g.select(mask, &zero, &never)
}

/// Ones on and below a diagonal of a matrix that is too large to write down.
pub(crate) fn lower(g: &mut Emit<'_>, rows: u32, columns: u32, diagonal: i64) -> Outcome<Tensor> {
    let ones = g.filled(ElemType::Bool, &[rows, columns], 1.0)?;
    g.triangular(&ones, false, diagonal.clamp(-(1 << 30), 1 << 30) as i32)
}

/// Which keys a query may see by their distance alone.
pub(crate) struct Reach {
    pub(crate) causal: bool,
    /// How many keys before its own place and behind it; `None` for all.
    pub(crate) left: Option<i64>,
    pub(crate) right: Option<i64>,
}

impl Reach {
    fn bound(&self) -> Option<i64> {
        if self.causal { Some(self.right.unwrap_or(0).min(0)) } else { self.right }
    }

    /// The mask `[rows, columns]` where the queries stand `offset` behind the first key.
    pub(crate) fn fixed(
        &self,
        g: &mut Emit<'_>,
        rows: u32,
        columns: u32,
        offset: i64,
    ) -> Outcome<Option<Tensor>> {
        let right = match self.bound() {
            Some(right) => Some(lower(g, rows, columns, offset + right)?),
            None => None,
        };
        let left = match self.left {
            Some(left) => {
                let below = lower(g, rows, columns, offset - left - 1)?;
                Some(g.logical_not(&below)?)
            }
            None => None,
        };
        intersected(g, right, left)
    }

    /// The same for places `[batch, 1, rows, 1]` that are known at run time only.
    pub(crate) fn moving(
        &self,
        g: &mut Emit<'_>,
        places: &Tensor,
        keys: &Tensor,
    ) -> Outcome<Option<Tensor>> {
        let shifted = |g: &mut Emit<'_>, by: i64| {
            let by = g.int_list(ElemType::Int64, &[], vec![by.into()]);
            g.add(places, &by)
        };
        let right = match self.bound() {
            Some(right) => {
                let last = shifted(g, right)?;
                Some(g.lesser_or_equal(keys, &last)?)
            }
            None => None,
        };
        let left = match self.left {
            Some(left) => {
                let first = shifted(g, -left)?;
                Some(g.greater_or_equal(keys, &first)?)
            }
            None => None,
        };
        intersected(g, right, left)
    }
}

/// Both masks, of which either may be absent.
pub(crate) fn intersected(
    g: &mut Emit<'_>,
    a: Option<Tensor>,
    b: Option<Tensor>,
) -> Outcome<Option<Tensor>> {
    match (a, b) {
        (Some(a), Some(b)) => Ok(Some(g.logical_and(&a, &b)?)),
        (one, other) => Ok(one.or(other)),
    }
}

/// 0, 1, 2 … as a row or column of four dimensions.
pub(crate) fn steps(g: &Emit<'_>, dims: [u32; 4], count: u32) -> Outcome<Tensor> {
    crate::known::small_count(&[count])?;
    Ok(g.int_list(ElemType::Int64, &dims, (0..i128::from(count)).collect()))
}

pub(crate) fn attention(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (q, k, v) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let (mask, past_key, past_value, valid) = (cx.opt(3)?, cx.opt(4)?, cx.opt(5)?, cx.opt(6)?);
    let flat = q.rank() == 3;
    let heads = |name: &str| size_of(cx.int_or(name, 0).into());
    let (q_heads, kv_heads) = (heads("q_num_heads")?, heads("kv_num_heads")?);
    let window = |name: &str| cx.int(name).filter(|&size| size >= 0);
    let reach = Reach {
        causal: cx.flag("is_causal", false),
        left: window("left_window_size"),
        right: window("right_window_size"),
    };
    let precision = match cx.int_or("softmax_precision", 0) {
        0 => None,
        _given => cx.elem("softmax_precision")?,
    };
    let runtime = mask.as_ref().is_some_and(|mask| mask.known().is_none()) || valid.is_some();
    let scoring = Scoring {
        scale: cx.float("scale").filter(|&scale| scale != 0.0),
        softcap: cx.float_or("softcap", 0.0),
        precision,
        guards_empty_rows: runtime,
    };
    let stage = cx.int_or("qk_matmul_output_mode", 0);
    let g = &mut *cx.g;
    let q = split_heads(g, &q, q_heads)?;
    let mut k = split_heads(g, &k, kv_heads)?;
    let mut v = split_heads(g, &v, kv_heads)?;
    let past = past_key.as_ref().map_or(0, |past| past.dim(2));
    if let (Some(past_key), Some(past_value)) = (past_key, past_value) {
        k = g.concat(&[past_key, k], 2)?;
        v = g.concat(&[past_value, v], 2)?;
    }
    require!(q.rank() == 4 && k.rank() == 4, "queries {:?}, keys {:?}", q.dims(), k.dims());
    let (rows, columns) = (q.dims()[2], k.dims()[2]);
    let allowed = match &valid {
        Some(valid) => {
            let keys = steps(g, [1, 1, 1, columns], columns)?;
            let valid = g.cast(valid, ElemType::Int64)?;
            let valid = g.reshape(&valid, &[valid.dim(0), 1, 1, 1])?;
            let inside = g.lesser(&keys, &valid)?;
            let own = steps(g, [1, 1, rows, 1], rows)?;
            let places = if past > 0 {
                let past = g.scalar(ElemType::Int64, f64::from(past));
                g.add(&own, &past)?
            } else {
                let count = g.scalar(ElemType::Int64, f64::from(rows));
                let first = g.sub(&valid, &count)?;
                g.add(&own, &first)?
            };
            let near = reach.moving(g, &places, &keys)?;
            intersected(g, Some(inside), near)?
        }
        None => reach.fixed(g, rows, columns, past.into())?,
    };
    let bias = full_bias(g, mask, allowed, columns, q.elem())?;
    let attended = attend(g, [&q, &k, &v], bias.as_ref(), &scoring)?;
    let output = if flat { join_heads(g, &attended.output)? } else { attended.output };
    let [product, capped, masked, chances] = attended.stages;
    let shown = match stage {
        0 => product,
        1 => capped,
        2 => masked,
        3 => chances,
        other => fault!(Invalid, "qk_matmul_output_mode is {other}"),
    };
    all(vec![output, k, v, shown])
}

/// The given mask, truths or numbers to add, and the computed one as a bias.
fn full_bias(
    g: &mut Emit<'_>,
    mask: Option<Tensor>,
    allowed: Option<Tensor>,
    columns: u32,
    elem: ElemType,
) -> Outcome<Option<Tensor>> {
    let Some(mask) = mask else {
        return allowed.map(|allowed| bias_of(g, &allowed, elem)).transpose();
    };
    // A mask that is too short hides the keys behind its end.
    let last = mask.rank().saturating_sub(1);
    let missing = if mask.dim(last) == 1 { 0 } else { columns.saturating_sub(mask.dim(last)) };
    let before = vec![0; mask.rank()];
    let mut after = before.clone();
    if let Some(size) = after.last_mut() {
        *size = missing;
    }
    if mask.elem() == ElemType::Bool {
        let mask = g.pad(&mask, &before, &after, PaddingMode::Constant, 0.0)?;
        let both = intersected(g, Some(mask), allowed)?;
        return both.map(|both| bias_of(g, &both, elem)).transpose();
    }
    let mask = g.cast(&mask, elem)?;
    let mask = g.pad(&mask, &before, &after, PaddingMode::Constant, f64::NEG_INFINITY)?;
    match allowed {
        Some(allowed) => {
            let bias = bias_of(g, &allowed, elem)?;
            Ok(Some(g.add(&mask, &bias)?))
        }
        None => Ok(Some(mask)),
    }
}

/// Turns pairs of elements by angles; `x` is `[batch, heads, length, size]`, the tables
/// `[batch or 1, 1, length, half]`.
pub(crate) fn rotated(
    g: &mut Emit<'_>,
    x: &Tensor,
    cos: &Tensor,
    sin: &Tensor,
    size: u32,
    interleaved: bool,
) -> Outcome<Tensor> {
    let whole = x.dims()[3];
    require!(size <= whole && size.is_multiple_of(2), "{size} of {whole} elements are turned");
    let half = size / 2;
    let parts = g.split(x, 3, &[size, whole - size])?;
    let [turning, rest] = &parts[..] else { fault!(Invalid, "the head has no parts") };
    let [batch, heads, length] = [x.dim(0), x.dim(1), x.dim(2)];
    let (first, second) = if interleaved {
        let pairs = g.reshape(turning, &[batch, heads, length, half, 2])?;
        let pick = |g: &mut Emit<'_>, i: u32| {
            let one = g.narrow(&pairs, 4, i, 1)?;
            g.reshape(&one, &[batch, heads, length, half])
        };
        (pick(g, 0)?, pick(g, 1)?)
    } else {
        (g.narrow(turning, 3, 0, half)?, g.narrow(turning, 3, half, half)?)
    };
    let (a, b) = (g.mul(&first, cos)?, g.mul(&second, sin)?);
    let real = g.sub(&a, &b)?;
    let (a, b) = (g.mul(&first, sin)?, g.mul(&second, cos)?);
    let imaginary = g.add(&a, &b)?;
    let turned = if interleaved {
        let column = [batch, heads, length, half, 1];
        let (real, imaginary) = (g.reshape(&real, &column)?, g.reshape(&imaginary, &column)?);
        let pairs = g.concat(&[real, imaginary], 4)?;
        g.reshape(&pairs, &[batch, heads, length, size])?
    } else {
        g.concat(&[real, imaginary], 3)?
    };
    g.concat(&[turned, rest.clone()], 3)
}

pub(crate) fn rotary(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, cos, sin, places) = (cx.x(0)?, cx.x(1)?, cx.x(2)?, cx.opt(3)?);
    let heads = size_of(cx.int_or("num_heads", 0).into())?;
    let interleaved = cx.flag("interleaved", false);
    let given = size_of(cx.int_or("rotary_embedding_dim", 0).into())?;
    let flat = x.rank() == 3;
    let g = &mut *cx.g;
    let x = split_heads(g, &x, heads)?;
    let size = if given == 0 { x.dim(3) } else { given };
    let table = |g: &mut Emit<'_>, table: &Tensor| {
        let rows = match &places {
            Some(places) => g.gather(table, places, 0)?,
            None => table.clone(),
        };
        require!(rows.rank() == 3, "angles of shape {:?}", rows.dims());
        g.reshape(&rows, &[rows.dims()[0], 1, rows.dims()[1], rows.dims()[2]])
    };
    let (cos, sin) = (table(g, &cos)?, table(g, &sin)?);
    let y = rotated(g, &x, &cos, &sin, size, interleaved)?;
    one(if flat { join_heads(g, &y)? } else { y })
}

/// A state that is read and updated token by token.
pub(crate) fn linear(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (q, k, v) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let (past, decay, beta) = (cx.opt(3)?, cx.opt(4)?, cx.opt(5)?);
    let heads = size_of(cx.int_or("q_num_heads", 0).into())?;
    let own = size_of(cx.int_or("kv_num_heads", 0).into())?;
    let rule = cx.text_or("update_rule", "gated_delta");
    let (gated, delta) = match rule.as_str() {
        "linear" => (false, false),
        "gated" => (true, false),
        "delta" => (false, true),
        "gated_delta" => (true, true),
        other => fault!(Invalid, "update_rule is {other:?}"),
    };
    let limit = cx.walk.model.options.max_rounds;
    let given = cx.float_or("scale", 0.0);
    let g = &mut *cx.g;
    let elem = q.elem();
    // Many small updates add up in the state, so it is kept in float32.
    let wide = |g: &mut Emit<'_>, x: Tensor| g.cast(&x, ElemType::Float32);
    let maybe = |g: &mut Emit<'_>, x: Option<Tensor>| x.map(|x| wide(g, x)).transpose();
    let (q, k, v) = (wide(g, q)?, wide(g, k)?, wide(g, v)?);
    let (past, decay, beta) = (maybe(g, past)?, maybe(g, decay)?, maybe(g, beta)?);
    let (q, k, v) =
        (split_heads(g, &q, heads)?, split_heads(g, &k, own)?, split_heads(g, &v, own)?);
    let [batch, length, size] = [q.dim(0), q.dim(2), q.dim(3)];
    if u64::from(length) > limit {
        fault!(Limit, "{length} tokens one by one, expected at most {limit}");
    }
    let scale = if given == 0.0 { 1.0 / f64::from(size).sqrt() } else { given };
    let scale = g.scalar(q.elem(), scale);
    let per_head = |g: &mut Emit<'_>, x: Option<Tensor>| match x {
        Some(x) => {
            let heads = if x.dim(2) < own { 1 } else { own };
            split_heads(g, &x, heads).map(Some)
        }
        None => Ok(None),
    };
    let (decay, beta) = (per_head(g, decay)?, per_head(g, beta)?);
    let mut state = match past {
        Some(past) => past,
        None => g.filled(q.elem(), &[batch, own, size, v.dim(3)], 0.0)?,
    };
    let mut outputs = Vec::new();
    for t in 0..length {
        let at = |g: &mut Emit<'_>, x: &Tensor| g.narrow(x, 2, t, 1);
        let (query, key, value) = (at(g, &q)?, at(g, &k)?, at(g, &v)?);
        if let (true, Some(decay)) = (gated, &decay) {
            let gate = at(g, decay)?;
            let gate = g.exp(&gate)?;
            let gate = g.swap(&gate, 2, 3)?;
            state = g.mul(&state, &gate)?;
        }
        let mut change = value;
        if delta {
            let known = g.matmul(&key, &state)?;
            change = g.sub(&change, &known)?;
            if let Some(beta) = &beta {
                let rate = at(g, beta)?;
                change = g.mul(&change, &rate)?;
            }
        }
        let column = g.swap(&key, 2, 3)?;
        let outer = g.matmul(&column, &change)?;
        state = g.add(&state, &outer)?;
        let shared = repeated(g, &state, heads)?;
        let read = g.matmul(&query, &shared)?;
        outputs.push(g.mul(&read, &scale)?);
    }
    let output = g.concat(&outputs, 2)?;
    let output = join_heads(g, &output)?;
    let (output, state) = (g.cast(&output, elem)?, g.cast(&state, elem)?);
    all(vec![output, state])
}

/// Attention whose scores and probabilities go through bodies of the model's own.
pub(crate) fn flexible(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (q, k, v) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    require!(q.rank() == 4 && k.rank() == 4, "queries {:?}, keys {:?}", q.dims(), k.dims());
    let precision = match cx.elem("softmax_precision")? {
        Some(elem) => elem,
        None if q.elem() == ElemType::Float64 => ElemType::Float64,
        None => ElemType::Float32,
    };
    let scale = cx.float("scale").unwrap_or(1.0 / f64::from(q.dims()[3]).sqrt());
    let g = &mut *cx.g;
    let heads = q.dims()[1];
    let (k, v) = (repeated(g, &k, heads)?, repeated(g, &v, heads)?);
    let turned = g.swap(&k, 2, 3)?;
    let product = g.matmul(&q, &turned)?;
    let product = g.cast(&product, precision)?;
    let scale = g.scalar(precision, scale);
    let scores = g.mul(&product, &scale)?;
    let scores = modified(cx, "score_mod", scores)?;
    let chances = cx.g.softmax(&scores, 3)?;
    let chances = modified(cx, "prob_mod", chances)?;
    let g = &mut *cx.g;
    let chances = g.cast(&chances, v.elem())?;
    let y = g.matmul(&chances, &v)?;
    one(g.cast(&y, q.elem())?)
}

/// What a body of one input makes of the tensor; without a body, the tensor.
fn modified(cx: &mut Cx<'_, '_, '_>, name: &str, x: Tensor) -> Outcome<Tensor> {
    if cx.attribute(name).is_none() {
        return Ok(x);
    }
    let body = cx.body(name)?;
    let [input] = &body.input[..] else {
        fault!(Invalid, "{name} takes {} values, expected one", body.input.len());
    };
    let mut scope = cx.scope.inner();
    scope.values.insert(name_of(input), Value::Tensor(x));
    match cx.walk.body(cx.g, body, scope)?.into_iter().next() {
        Some(Value::Tensor(tensor)) => Ok(tensor),
        _none => fault!(Invalid, "{name} gives no tensor"),
    }
}
