//! Runs graphs and cases on a context.

use webnn::{Context, Graph, Tensor, TensorDescriptor};
use webnn_core::error::{Result, bail};
use webnn_core::reference;

use crate::vectors::{Case, Known, known};

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All outputs were as expected.
    Passed,
    /// What went wrong.
    Failed(String),
    /// Why the engine need not pass it.
    Skipped(String),
    /// It ran and failed, as the list of known failures says; and why.
    Known(String),
}

/// The cases that an engine is known to fail, by the kind of its device.
pub fn known_failures(kind: &str) -> Result<Vec<Known<'static>>> {
    match kind {
        "cpu" => known(include_str!("../known/cpu.txt")),
        "reference" => known(include_str!("../known/reference.txt")),
        _without => Ok(Vec::new()),
    }
}

/// Runs a case of a suite on a context. One that is known to fail must fail.
pub fn run_case(context: &Context, suite: &str, case: &Case, known: &[Known<'_>]) -> Outcome {
    let known = known.iter().find(|known| known.suite == suite && known.case == case.name);
    match (try_case(context, case), known) {
        (Ok(()), None) => Outcome::Passed,
        (Ok(()), Some(known)) => {
            Outcome::Failed(format!("passes, but is known to fail: {}", known.reason))
        }
        (Err(_), Some(known)) => Outcome::Known(known.reason.to_owned()),
        (Err(error), None) => match unsupported(context, case) {
            Some(reason) => Outcome::Skipped(reason),
            None => Outcome::Failed(error.message().to_owned()),
        },
    }
}

/// A data type that the engine does not take; no reason where every engine must take it.
fn unsupported(context: &Context, case: &Case) -> Option<String> {
    let supported = context.op_support_limits().data_types;
    let inputs = case.inputs.iter().map(|input| input.tensor.desc);
    let descs = inputs.chain(case.outputs.iter().map(|(_, tensor)| tensor.desc));
    let missing = descs.map(|desc| desc.data_type).find(|&of| !supported.contains(of));
    let missing = missing.filter(|_| !case.is_required);
    missing.map(|data_type| format!("the engine does not take {data_type}"))
}

fn try_case(context: &Context, case: &Case) -> Result<()> {
    let graph = context.compile(case.build(context.op_support_limits().clone())?)?;
    let inputs = case.inputs.iter().map(|input| (input.name.as_str(), &input.tensor));
    for (name, result) in compute(context, &graph, &inputs.collect::<Vec<_>>())? {
        case.check(&name, &result)?;
    }
    Ok(())
}

/// Dispatches a graph once; inputs that it does not need may be given, too.
pub fn compute(
    context: &Context,
    graph: &Graph,
    inputs: &[(&str, &reference::Tensor)],
) -> Result<Vec<(String, reference::Tensor)>> {
    let mut bound: Vec<(&str, Tensor)> = Vec::new();
    for (name, desc) in graph.inputs() {
        let Some((_, data)) = inputs.iter().find(|(given, _)| given == name) else {
            bail!("input {name:?} is missing");
        };
        let tensor = context.create_tensor(&TensorDescriptor::from(*desc).writable())?;
        context.write_tensor(&tensor, &data.to_bytes())?;
        bound.push((name, tensor));
    }
    let mut results: Vec<(&str, Tensor)> = Vec::new();
    for (name, desc) in graph.outputs() {
        results.push((name, context.create_tensor(&TensorDescriptor::from(*desc).readable())?));
    }
    fn by_name<'a>(tensors: &'a [(&'a str, Tensor)]) -> Vec<(&'a str, &'a Tensor)> {
        tensors.iter().map(|(name, tensor)| (*name, tensor)).collect()
    }
    context.dispatch_blocking(graph, &by_name(&bound), &by_name(&results))?;
    let read = |(name, tensor): &(&str, Tensor)| {
        let bytes = context.read_tensor_blocking(tensor)?;
        Ok(((*name).to_owned(), reference::Tensor::from_bytes(tensor.desc(), &bytes)?))
    };
    results.iter().map(read).collect()
}
