//! Branches and loops that are decided when the graph is built.

use crate::cx::Cx;
use crate::elem::ElemType;
use crate::error::{Fault, Outcome, Reason, fault, require};
use crate::import::Value;
use crate::known::Array;
use crate::model::name_of;
use crate::tensor::{Tensor, axis_of};
use crate::wire::GraphProto;

/// The branch that a known condition chooses.
pub(crate) fn branch(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let condition = cx.x(0)?;
    let Some(array) = condition.known().map(|known| known.array()).transpose()? else {
        return Err(undecided(cx, 0, "the condition"));
    };
    let holds = array.to_ints().first().is_some_and(|&value| value != 0);
    let body = cx.body(if holds { "then_branch" } else { "else_branch" })?;
    let scope = cx.scope.inner();
    cx.walk.body(cx.g, body, scope)
}

/// An input that decides what is run, and is not known.
fn undecided(cx: &Cx<'_, '_, '_>, index: usize, what: &str) -> Fault {
    let name = cx.node.input.get(index).cloned().unwrap_or_default();
    let message = format!("{what}, {name:?}, is not known before the run");
    Fault { reason: Reason::RuntimeControlFlow, message, unknown: Some(name) }
}

/// Runs a body once; its inputs are bound in order.
fn round<'m>(
    cx: &mut Cx<'_, 'm, '_>,
    body: &'m GraphProto,
    inputs: Vec<Value>,
) -> Outcome<Vec<Value>> {
    require!(
        body.input.len() == inputs.len(),
        "the body takes {} values, expected {}",
        body.input.len(),
        inputs.len()
    );
    let mut scope = cx.scope.inner();
    scope.values.extend(body.input.iter().map(name_of).zip(inputs));
    cx.walk.body(cx.g, body, scope)
}

/// A truth that is known, or `None`.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Tensor(tensor) => tensor.array()?.to_ints().first().map(|&value| value != 0),
        Value::Sequence(_) | Value::Nothing | Value::Unknown => None,
    }
}

/// A loop whose rounds are known, written out.
pub(crate) fn repeat(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let body = cx.body("body")?;
    let count = match cx.opt(0)? {
        Some(tensor) => match tensor.array() {
            Some(array) => array.to_ints().first().copied(),
            None => return Err(undecided(cx, 0, "the number of rounds")),
        },
        None => None,
    };
    let mut go_on = match cx.value(1) {
        None | Some(Value::Nothing) => true,
        Some(value) => match truth(value) {
            Some(truth) => truth,
            None => return Err(undecided(cx, 1, "the condition")),
        },
    };
    let mut carried: Vec<Value> = Vec::new();
    for index in 2..cx.inputs.len() {
        carried.push(cx.value(index).cloned().unwrap_or(Value::Nothing));
    }
    let states = carried.len();
    let scans = cx.node.output.len().saturating_sub(states);
    let mut collected: Vec<Vec<Tensor>> = vec![Vec::new(); scans];
    let limit = cx.walk.model.options.max_rounds;
    let mut rounds = 0;
    while go_on && count.is_none_or(|count| i128::from(rounds) < count) {
        if rounds >= limit {
            fault!(Limit, "more than {limit} rounds");
        }
        let now = Array::ints(ElemType::Int64, &[], vec![rounds.into()]);
        let truth_now = Array::ints(ElemType::Bool, &[], vec![1]);
        let mut inputs = vec![Value::Tensor(now.into()), Value::Tensor(truth_now.into())];
        inputs.append(&mut carried);
        let mut outputs = round(cx, body, inputs)?.into_iter();
        go_on = match outputs.next() {
            Some(Value::Unknown) => return Ok(Vec::new()),
            Some(value) => match truth(&value) {
                Some(truth) => truth,
                None => fault!(RuntimeControlFlow, "when to stop is decided at run time"),
            },
            None => fault!(Invalid, "the body has no outputs"),
        };
        carried = outputs.by_ref().take(states).collect();
        for list in &mut collected {
            match outputs.next() {
                Some(Value::Tensor(tensor)) => list.push(tensor),
                Some(Value::Unknown) => return Ok(Vec::new()),
                Some(Value::Sequence(_) | Value::Nothing) | None => {
                    fault!(Invalid, "the body collects what is no tensor")
                }
            }
        }
        rounds += 1;
    }
    let mut results = carried;
    for (i, list) in collected.into_iter().enumerate() {
        if list.is_empty() {
            let output = body.output.get(1 + states + i);
            let elem = output.and_then(crate::model::elem_of).unwrap_or(ElemType::Float32);
            results.push(Value::Tensor(Array::empty(elem, &[0]).into()));
            continue;
        }
        results.push(Value::Tensor(stacked(cx, &list, 0)?));
    }
    Ok(results)
}

/// The tensors side by side along a new axis.
fn stacked(cx: &mut Cx<'_, '_, '_>, list: &[Tensor], axis: usize) -> Outcome<Tensor> {
    let mut parts = Vec::with_capacity(list.len());
    for tensor in list {
        let mut dims = tensor.dims().to_vec();
        require!(axis <= dims.len(), "axis {axis} is out of range for rank {}", dims.len());
        dims.insert(axis, 1);
        parts.push(cx.g.reshape(tensor, &dims)?);
    }
    cx.g.concat(&parts, axis)
}

/// A body for every slice of its inputs, written out.
pub(crate) fn scan(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let body = cx.body("body")?;
    let scans = usize::try_from(cx.int_or("num_scan_inputs", 0)).unwrap_or(usize::MAX);
    // Version 8 has a batch, and lengths in front.
    let old = cx.version < 9;
    let mut inputs = cx.rest(usize::from(old))?;
    if old {
        if cx.value(0).is_some() {
            fault!(NotExpressible, "sequences of different lengths");
        }
        let single = inputs.iter().all(|tensor| tensor.rank() > 0 && tensor.dims()[0] == 1);
        if !single {
            fault!(NotExpressible, "a scan over a batch of more than one");
        }
        for tensor in &mut inputs {
            let dims = tensor.dims()[1..].to_vec();
            *tensor = cx.g.reshape(tensor, &dims)?;
        }
    }
    require!(scans > 0 && scans <= inputs.len(), "{scans} of {} inputs are scanned", inputs.len());
    let states = inputs.len() - scans;
    let (name_in, name_out) =
        if old { ("directions", "") } else { ("scan_input_directions", "scan_output_directions") };
    let flags = |name: &str, count: usize| {
        let mut list = cx.int_list(name).unwrap_or_default();
        list.resize(count, 0);
        list
    };
    let directions = flags(name_in, scans);
    let input_axes = flags("scan_input_axes", scans);
    let outputs = body.output.len().saturating_sub(states);
    let output_directions = flags(name_out, outputs);
    let output_axes = flags("scan_output_axes", outputs);
    let sources = inputs.split_off(states);
    let mut axes = Vec::new();
    for (source, &axis) in sources.iter().zip(&input_axes) {
        axes.push(axis_of(axis, source.rank())?);
    }
    let rounds = sources[0].dims()[axes[0]];
    require!(
        sources.iter().zip(&axes).all(|(source, &axis)| source.dims()[axis] == rounds),
        "the scanned inputs differ in length"
    );
    let limit = cx.walk.model.options.max_rounds;
    if u64::from(rounds) > limit {
        fault!(Limit, "{rounds} rounds, expected at most {limit}");
    }
    let mut carried: Vec<Value> = inputs.into_iter().map(Value::Tensor).collect();
    let mut collected: Vec<Vec<Tensor>> = vec![Vec::new(); outputs];
    for i in 0..rounds {
        let mut values = std::mem::take(&mut carried);
        for ((source, &axis), &backward) in sources.iter().zip(&axes).zip(&directions) {
            let at = if backward == 0 { i } else { rounds - 1 - i };
            let slice = cx.g.narrow(source, axis, at, 1)?;
            let mut dims = slice.dims().to_vec();
            dims.remove(axis);
            values.push(Value::Tensor(cx.g.reshape(&slice, &dims)?));
        }
        let mut results = round(cx, body, values)?.into_iter();
        carried = results.by_ref().take(states).collect();
        for list in &mut collected {
            match results.next() {
                Some(Value::Tensor(tensor)) => list.push(tensor),
                Some(Value::Unknown) => return Ok(Vec::new()),
                Some(Value::Sequence(_) | Value::Nothing) | None => {
                    fault!(Invalid, "the body collects what is no tensor")
                }
            }
        }
    }
    let mut results = carried;
    for ((mut list, &axis), &backward) in
        collected.into_iter().zip(&output_axes).zip(&output_directions)
    {
        if backward != 0 {
            list.reverse();
        }
        let Some(first) = list.first() else { fault!(ZeroSize, "a scan over nothing") };
        let axis = axis_of(axis, first.rank() + 1)?;
        results.push(Value::Tensor(stacked(cx, &list, axis)?));
    }
    if old {
        for value in &mut results {
            if let Value::Tensor(tensor) = value {
                let dims = [&[1], tensor.dims()].concat();
                *tensor = cx.g.reshape(tensor, &dims)?;
            }
        }
    }
    Ok(results)
}
