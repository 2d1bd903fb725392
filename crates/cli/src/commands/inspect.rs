//! `webnn inspect`: what a model is made of, and what running it takes.

use std::collections::BTreeMap;

use anstream::println;
use anyhow::Result;
use serde_json::{Value, json};
use webnn::{Desc, StepInfo};

use crate::device::DeviceArguments;
use crate::model::{Built, Model, ModelArguments};
use crate::output::{self, BOLD, DIM};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// List every step of the compiled graph.
    #[arg(long)]
    steps: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let context = arguments.device.context()?;
    let (model, built) = arguments.model.build(&context)?;
    let steps = built.graph.steps();
    if arguments.json {
        let json = as_json(&model, &built, &steps, &context.device().to_string());
        println!("{}", serde_json::to_string_pretty(&json)?);
        return Ok(());
    }
    print(&model, &built, &steps);
    if arguments.steps {
        println!("{BOLD}steps{BOLD:#}");
        for step in &steps {
            println!(
                "  {:<14} {:<40} {:>8} {DIM}{}{DIM:#}",
                step.pattern,
                step.ops,
                output::count(step.flops),
                step.label
            );
        }
    }
    println!("{BOLD}device{BOLD:#}      {}", context.device());
    Ok(())
}

fn print(model: &Model, built: &Built, steps: &[StepInfo]) {
    match model {
        Model::Onnx(model) => {
            let opset = model.opset().map_or_else(String::new, |opset| format!(", opset {opset}"));
            let producer =
                model.producer().filter(|name| !name.is_empty()).map(|name| format!(", by {name}"));
            println!("{BOLD}format{BOLD:#}      ONNX{opset}{}", producer.unwrap_or_default());
        }
        Model::Text(_) => println!("{BOLD}format{BOLD:#}      graph text"),
    }
    ports("inputs", built.graph.inputs());
    ports("outputs", built.graph.outputs());
    let statistics = &built.statistics;
    println!(
        "{BOLD}parameters{BOLD:#}  {} in {}",
        output::count(statistics.parameters),
        output::bytes(statistics.parameter_bytes)
    );
    println!("{BOLD}operations{BOLD:#}  {} per run", output::count(flops(steps)));
    let methods = statistics.methods.iter().map(|(name, count)| format!("{name} {count}"));
    println!(
        "{BOLD}operators{BOLD:#}   {}: {}",
        statistics.nodes,
        methods.collect::<Vec<_>>().join(", ")
    );
    let groups = patterns(steps).into_iter().map(|(name, count)| format!("{name} {count}"));
    println!(
        "{BOLD}groups{BOLD:#}      {}: {}",
        steps.len(),
        groups.collect::<Vec<_>>().join(", ")
    );
    let memory = built.graph.memory();
    println!(
        "{BOLD}memory{BOLD:#}      {} at its peak: {} of values, {} of packed constants, {} of \
         others",
        output::bytes(memory.peak_bytes() as u64),
        output::bytes(memory.arena_bytes as u64),
        output::bytes(memory.packed_bytes as u64),
        output::bytes((memory.shared_bytes + memory.copied_bytes) as u64)
    );
    println!(
        "{BOLD}built in{BOLD:#}    {}: {} to import, {} to compile",
        output::duration(built.import + built.compile),
        output::duration(built.import),
        output::duration(built.compile)
    );
}

fn ports(what: &str, ports: &[(String, Desc)]) {
    for (i, (name, desc)) in ports.iter().enumerate() {
        let what = if i == 0 { what } else { "" };
        println!("{BOLD}{what:<12}{BOLD:#}{name} {desc}");
    }
}

fn flops(steps: &[StepInfo]) -> u64 {
    steps.iter().map(|step| step.flops).sum()
}

fn patterns(steps: &[StepInfo]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for step in steps {
        *counts.entry(step.pattern).or_insert(0) += 1;
    }
    counts
}

fn as_json(model: &Model, built: &Built, steps: &[StepInfo], device: &str) -> Value {
    let port = |(name, desc): &(String, Desc)| json!({ "name": name, "dataType": desc.data_type.name(), "shape": &desc.shape[..] });
    let ports = |ports: &[(String, Desc)]| -> Value { ports.iter().map(port).collect() };
    let (format, opset, producer) = match model {
        Model::Onnx(model) => ("onnx", model.opset(), model.producer()),
        Model::Text(_) => ("text", None, None),
    };
    let memory = built.graph.memory();
    let step = |step: &StepInfo| {
        json!({ "pattern": step.pattern, "ops": step.ops, "label": step.label,
                "flops": step.flops, "bytes": step.bytes })
    };
    json!({
        "format": format, "opset": opset, "producer": producer,
        "inputs": ports(built.graph.inputs()), "outputs": ports(built.graph.outputs()),
        "operators": built.statistics.methods.iter().copied().collect::<BTreeMap<_, _>>(),
        "parameters": built.statistics.parameters,
        "parameterBytes": built.statistics.parameter_bytes,
        "flops": flops(steps), "groups": patterns(steps),
        "memory": {
            "peakBytes": memory.peak_bytes(), "arenaBytes": memory.arena_bytes,
            "packedBytes": memory.packed_bytes, "sharedBytes": memory.shared_bytes,
            "copiedBytes": memory.copied_bytes,
        },
        "importNs": built.import.as_nanos() as u64, "compileNs": built.compile.as_nanos() as u64,
        "device": device, "steps": steps.iter().map(step).collect::<Vec<_>>(),
    })
}
