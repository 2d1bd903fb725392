//! Attention as ONNX Runtime's contributed operators spell it.

use super::attention::{Reach, Scoring, attend, bias_of, join_heads, rotated, split_heads, steps};
use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::Emit;
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::{Tensor, size_of};

fn heads_of(cx: &Cx<'_, '_, '_>, name: &str) -> Outcome<u32> {
    let heads = size_of(cx.int_or(name, 0).into())?;
    require!(heads > 0, "{name} is {heads}");
    Ok(heads)
}

fn scoring(cx: &Cx<'_, '_, '_>) -> Scoring {
    Scoring {
        scale: cx.float("scale").filter(|&scale| scale != 0.0),
        softcap: cx.float_or("softcap", 0.0).max(0.0),
        precision: None,
        guards_empty_rows: false,
    }
}

/// Keys that are padding, as something to add to the scores; `None` where none is.
///
/// The mask is `[batch]` with the number of keys, `[batch, keys]`, `[batch, rows, keys]` or
/// `[batch, 1, rows, keys]` with 0 for those that are hidden.
fn padding_bias(
    g: &mut Emit<'_>,
    mask: Option<Tensor>,
    batch: u32,
    keys: u32,
    elem: ElemType,
    filter: f64,
) -> Outcome<Option<Tensor>> {
    let Some(mask) = mask else { return Ok(None) };
    let shown = match mask.dims() {
        &[n] if n == batch => {
            let places = steps(g, [1, 1, 1, keys], keys)?;
            let counts = g.cast(&mask, ElemType::Int64)?;
            let counts = g.reshape(&counts, &[batch, 1, 1, 1])?;
            g.lesser(&places, &counts)?
        }
        &[n, t] => {
            let mask = g.reshape(&mask, &[n, 1, 1, t])?;
            g.cast(&mask, ElemType::Bool)?
        }
        &[n, s, t] => {
            let mask = g.reshape(&mask, &[n, 1, s, t])?;
            g.cast(&mask, ElemType::Bool)?
        }
        [_, _, _, _] => g.cast(&mask, ElemType::Bool)?,
        _other => fault!(NotExpressible, "a mask of shape {:?}", mask.dims()),
    };
    let (zero, hidden) = (g.scalar(elem, 0.0), g.scalar(elem, filter));
    Ok(Some(g.select(&shown, &zero, &hidden)?))
}

fn sum_of(g: &mut Emit<'_>, parts: [Option<Tensor>; 3]) -> Outcome<Option<Tensor>> {
    let mut sum: Option<Tensor> = None;
    for part in parts.into_iter().flatten() {
        sum = Some(match sum {
            Some(sum) => g.add(&sum, &part)?,
            None => part,
        });
    }
    Ok(sum)
}

/// The causal part as something to add.
fn causal_bias(
    g: &mut Emit<'_>,
    causal: bool,
    rows: u32,
    keys: u32,
    elem: ElemType,
) -> Outcome<Option<Tensor>> {
    if !causal {
        return Ok(None);
    }
    let reach = Reach { causal, left: None, right: None };
    let offset = i64::from(keys) - i64::from(rows);
    let mask = reach.fixed(g, rows, keys, offset)?;
    mask.map(|mask| bias_of(g, &mask, elem)).transpose()
}

pub(crate) fn multi_head(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (q, k, v, bias) = (cx.x(0)?, cx.opt(1)?, cx.opt(2)?, cx.opt(3)?);
    let (padding, added, past_key, past_value) = (cx.opt(4)?, cx.opt(5)?, cx.opt(6)?, cx.opt(7)?);
    let heads = heads_of(cx, "num_heads")?;
    let filter = cx.float_or("mask_filter_value", -10000.0);
    let causal = cx.flag("unidirectional", false);
    let scoring = scoring(cx);
    let g = &mut *cx.g;
    let (mut q, mut k, mut v) = unpacked(g, q, k, v)?;
    if let Some(bias) = bias {
        // The biases of queries, keys and values one after the other.
        let width =
            |x: &Tensor| if x.rank() == 4 { heads.saturating_mul(x.dim(3)) } else { x.dim(2) };
        let parts = g.split(&bias, 0, &[width(&q), width(&k), width(&v)])?;
        for (x, bias) in [&mut q, &mut k, &mut v].into_iter().zip(&parts) {
            *x = match x.rank() {
                4 => {
                    let bias = g.reshape(bias, &[heads, 1, x.dim(3)])?;
                    g.add(x, &bias)?
                }
                _flat => g.add(x, bias)?,
            };
        }
    }
    let q = split_heads(g, &q, heads)?;
    let mut k = split_heads(g, &k, heads)?;
    let mut v = split_heads(g, &v, heads)?;
    if let (Some(past_key), Some(past_value)) = (past_key, past_value) {
        k = g.concat(&[past_key, k], 2)?;
        v = g.concat(&[past_value, v], 2)?;
    }
    let (batch, rows, keys) = (q.dim(0), q.dim(2), k.dim(2));
    let padding = padding_bias(g, padding, batch, keys, q.elem(), filter)?;
    let causal = causal_bias(g, causal, rows, keys, q.elem())?;
    let bias = sum_of(g, [added, padding, causal])?;
    let attended = attend(g, [&q, &k, &v], bias.as_ref(), &scoring)?;
    let output = join_heads(g, &attended.output)?;
    all(vec![output, k, v])
}

/// Queries, keys and values, which may come packed into fewer tensors.
fn unpacked(
    g: &mut Emit<'_>,
    q: Tensor,
    k: Option<Tensor>,
    v: Option<Tensor>,
) -> Outcome<(Tensor, Tensor, Tensor)> {
    // `[batch, length, heads, parts, size]` to one `[batch, heads, length, size]` per part.
    let parts_of = |g: &mut Emit<'_>, x: &Tensor, count: u32| -> Outcome<Vec<Tensor>> {
        require!(x.rank() == 5 && x.dims()[3] == count, "packed heads of {:?}", x.dims());
        let [batch, length, heads, size] = [x.dim(0), x.dim(1), x.dim(2), x.dim(4)];
        let mut parts = Vec::new();
        for part in g.split(x, 3, &vec![1; count as usize])? {
            let flat = g.reshape(&part, &[batch, length, heads, size])?;
            parts.push(g.swap(&flat, 1, 2)?);
        }
        Ok(parts)
    };
    match (k, v) {
        (Some(k), Some(v)) => Ok((q, k, v)),
        (Some(packed), None) => {
            let mut parts = parts_of(g, &packed, 2)?.into_iter();
            match (parts.next(), parts.next()) {
                (Some(k), Some(v)) => Ok((q, k, v)),
                _fewer => fault!(Invalid, "keys and values are missing"),
            }
        }
        (None, _) => {
            let mut parts = parts_of(g, &q, 3)?.into_iter();
            match (parts.next(), parts.next(), parts.next()) {
                (Some(q), Some(k), Some(v)) => Ok((q, k, v)),
                _fewer => fault!(Invalid, "queries, keys and values are missing"),
            }
        }
    }
}

/// Attention with the projections of queries, keys and values inside.
pub(crate) fn packed(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, weights, bias, mask, past, added) =
        (cx.x(0)?, cx.x(1)?, cx.opt(2)?, cx.opt(3)?, cx.opt(4)?, cx.opt(5)?);
    let heads = heads_of(cx, "num_heads")?;
    let filter = cx.float_or("mask_filter_value", -10000.0);
    let causal = cx.flag("unidirectional", false);
    if cx.flag("do_rotary", false) {
        fault!(NotExpressible, "rotary embedding without tables");
    }
    let sizes = cx.int_list("qkv_hidden_sizes").filter(|sizes| sizes.len() == 3);
    let scoring = scoring(cx);
    let g = &mut *cx.g;
    let mut all_three = super::matrix::product(g, &x, &weights)?;
    if let Some(bias) = bias {
        all_three = g.add(&all_three, &bias)?;
    }
    let sizes = match sizes {
        Some(sizes) => super::shape::dims_of(&sizes)?,
        None => vec![all_three.dim(2) / 3; 3],
    };
    let mut parts = Vec::new();
    for part in g.split(&all_three, 2, &sizes)? {
        parts.push(split_heads(g, &part, heads)?);
    }
    let [q, k, v] = &parts[..] else { fault!(Invalid, "the projection has no three parts") };
    let (mut k, mut v) = (k.clone(), v.clone());
    if let Some(past) = past {
        let old = g.split(&past, 0, &[1, 1])?;
        let dims = past.dims()[1..].to_vec();
        let [old_key, old_value] = &old[..] else { fault!(Invalid, "the past has no two parts") };
        let (old_key, old_value) = (g.reshape(old_key, &dims)?, g.reshape(old_value, &dims)?);
        k = g.concat(&[old_key, k], 2)?;
        v = g.concat(&[old_value, v], 2)?;
    }
    let (batch, rows, keys) = (q.dim(0), q.dim(2), k.dim(2));
    let padding = padding_bias(g, mask, batch, keys, q.elem(), filter)?;
    let causal = causal_bias(g, causal, rows, keys, q.elem())?;
    let bias = sum_of(g, [added, padding, causal])?;
    let attended = attend(g, [q, &k, &v], bias.as_ref(), &scoring)?;
    let output = join_heads(g, &attended.output)?;
    if !cx.wants(1) {
        return one(output);
    }
    let g = &mut *cx.g;
    let front = |g: &mut Emit<'_>, x: &Tensor| g.reshape(x, &[&[1], x.dims()].concat());
    let (k, v) = (front(g, &k)?, front(g, &v)?);
    let present = g.concat(&[k, v], 0)?;
    all(vec![output, present])
}

/// Rows of a table of angles for the given places `[batch, length]`.
fn angles(g: &mut Emit<'_>, table: &Tensor, places: &Tensor) -> Outcome<Tensor> {
    let rows = g.gather(table, places, 0)?;
    require!(rows.rank() == 3, "angles of shape {:?}", rows.dims());
    g.reshape(&rows, &[rows.dims()[0], 1, rows.dims()[1], rows.dims()[2]])
}

pub(crate) fn rotary_contrib(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, places, cos, sin) = (cx.x(0)?, cx.x(1)?, cx.x(2)?, cx.x(3)?);
    let interleaved = cx.flag("interleaved", false);
    let scale = cx.float_or("scale", 1.0);
    let given = size_of(cx.int_or("rotary_embedding_dim", 0).into())?;
    let mut heads = size_of(cx.int_or("num_heads", 0).into())?;
    let flat = x.rank() == 3;
    if flat && heads == 0 {
        // Without a number the tables say how wide a head is.
        heads = x.dim(2) / cos.dim(1).saturating_mul(2).max(1);
    }
    let g = &mut *cx.g;
    let x = split_heads(g, &x, heads)?;
    let (batch, length) = (x.dim(0), x.dim(2));
    let places = g.cast(&places, ElemType::Int64)?;
    // One number stands for the first place of every sequence.
    let places = if places.elements() == 1 && (batch, length) != (1, 1) {
        let first = g.reshape(&places, &[1, 1])?;
        let own = g.int_list(ElemType::Int64, &[1, length], (0..i128::from(length)).collect());
        let row = g.add(&first, &own)?;
        g.expand(&row, &[batch, length])?
    } else {
        g.reshape(&places, &[batch, length])?
    };
    let (cos, sin) = (angles(g, &cos, &places)?, angles(g, &sin, &places)?);
    let size = if given == 0 { x.dim(3) } else { given };
    let mut y = rotated(g, &x, &cos, &sin, size, interleaved)?;
    if scale != 1.0 {
        y = g.linear(&y, scale, 0.0)?;
    }
    one(if flat { join_heads(g, &y)? } else { y })
}

/// Fewer heads of keys and values than of queries, with a cache and rotary embedding.
///
/// Where the total length is known and no longer than the cache, the cache is a buffer that the
/// new keys are written into at each sequence's own length; else they are appended to it.
pub(crate) fn group_query(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (q, k, v) = (cx.x(0)?, cx.opt(1)?, cx.opt(2)?);
    let (past_key, past_value) = (cx.opt(3)?, cx.opt(4)?);
    let (counts, total) = (cx.x(5)?, cx.opt(6)?);
    let (cos, sin, given_places, added) = (cx.opt(7)?, cx.opt(8)?, cx.opt(9)?, cx.opt(10)?);
    let (heads, own) = (heads_of(cx, "num_heads")?, heads_of(cx, "kv_num_heads")?);
    let interleaved = cx.flag("rotary_interleaved", false);
    let turns = cx.flag("do_rotary", false);
    let window = cx.int("local_window_size").filter(|&size| size > 0);
    let scoring = scoring(cx);
    if cx.opt(11)?.is_some() {
        fault!(NotExpressible, "a sink beside the keys");
    }
    let g = &mut *cx.g;
    let (q, k, v) = match (k, v) {
        (Some(k), Some(v)) => (q, k, v),
        _packed => {
            let size = q.dim(2) / heads.saturating_add(own.saturating_mul(2)).max(1);
            let widths = [heads, own, own].map(|n| n.saturating_mul(size));
            let parts = g.split(&q, 2, &widths)?;
            let [q, k, v] = &parts[..] else { fault!(Invalid, "packed heads have three parts") };
            (q.clone(), k.clone(), v.clone())
        }
    };
    let mut q = split_heads(g, &q, heads)?;
    let (mut k, v) = (split_heads(g, &k, own)?, split_heads(g, &v, own)?);
    let (batch, length) = (q.dim(0), q.dim(2));
    let past = past_key.as_ref().map_or(0, |past| past.dim(2));
    let known_total = total.and_then(|total| total.array()?.to_ints().first().copied());
    let buffered = past > 0 && known_total.is_some_and(|total| total <= i128::from(past));
    // The place of each new token: behind what its sequence has, or behind the cache.
    let row = g.int_list(ElemType::Int64, &[1, length], (0..i128::from(length)).collect());
    let places = if buffered {
        let counts = g.cast(&counts, ElemType::Int64)?;
        let counts = g.reshape(&counts, &[batch, 1])?;
        let before = g.int_list(ElemType::Int64, &[], vec![i128::from(length) - 1]);
        let first = g.sub(&counts, &before)?;
        g.add(&first, &row)?
    } else {
        let first = g.scalar(ElemType::Int64, f64::from(past));
        g.add(&row, &first)?
    };
    if turns {
        let (Some(cos), Some(sin)) = (cos, sin) else {
            fault!(Invalid, "rotary embedding without tables");
        };
        let at = match given_places {
            Some(given) => g.cast(&given, ElemType::Int64)?,
            None => places.clone(),
        };
        let size = cos.dim(1).saturating_mul(2);
        let (cos, sin) = (angles(g, &cos, &at)?, angles(g, &sin, &at)?);
        q = rotated(g, &q, &cos, &sin, size, interleaved)?;
        k = rotated(g, &k, &cos, &sin, size, interleaved)?;
    }
    let (k, v) = match (past_key, past_value) {
        (Some(past_key), Some(past_value)) if buffered => {
            let at = g.reshape(&places, &[batch, 1, length, 1])?;
            let written = |g: &mut Emit<'_>, cache: &Tensor, new: &Tensor| {
                let at = g.expand(&at, new.dims())?;
                g.scatter_elements(cache, &at, new, 2)
            };
            (written(g, &past_key, &k)?, written(g, &past_value, &v)?)
        }
        (Some(past_key), Some(past_value)) => {
            (g.concat(&[past_key, k], 2)?, g.concat(&[past_value, v], 2)?)
        }
        _none => (k, v),
    };
    let keys = k.dim(2);
    let reach = Reach { causal: true, left: window.map(|size| size - 1), right: None };
    let mask = if buffered {
        let at = g.reshape(&places, &[batch, 1, length, 1])?;
        let all_keys = steps(g, [1, 1, 1, keys], keys)?;
        reach.moving(g, &at, &all_keys)?
    } else {
        reach.fixed(g, length, keys, past.into())?
    };
    let bias = match mask {
        Some(mask) => Some(bias_of(g, &mask, q.elem())?),
        None => None,
    };
    let bias = sum_of(g, [added, bias, None])?;
    let attended = attend(g, [&q, &k, &v], bias.as_ref(), &scoring)?;
    let output = join_heads(g, &attended.output)?;
    all(vec![output, k, v])
}
