//! `webnn run`: a model's outputs from files.

use std::path::PathBuf;
use std::time::Instant;

use anstream::println;
use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use webnn::{Context, Desc, Tensor, TensorDescriptor};

use crate::device::DeviceArguments;
use crate::failure::misuse;
use crate::input::{self, Content, npy, pair, picture};
use crate::model::{Built, Model, ModelArguments, Obstacle, Port, Settled, by_name};
use crate::output::{self, BOLD, DIM, GOOD};
use crate::values::{Difference, Numbers};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// A file for an input: npy, png, jpg, bmp, wav, json, or else the raw elements. The name may
    /// be left out where there is one input.
    #[arg(long, short, value_name = "[NAME=]FILE")]
    input: Vec<String>,
    #[command(flatten)]
    picture: picture::Options,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the greatest elements of the last dimension, with their probabilities.
    #[arg(long, value_name = "K")]
    top: Option<usize>,
    /// A file with a line for each element of the last dimension.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Write an output as a NumPy file.
    #[arg(long, short, value_name = "[NAME=]FILE")]
    output: Vec<String>,
    /// Compare an output with a file; fails where they differ by more than the tolerance.
    #[arg(long, value_name = "[NAME=]FILE")]
    compare: Vec<String>,
    /// The greatest difference that `--compare` takes, relative to the norm of what is expected.
    #[arg(long, default_value_t = 1e-4, requires = "compare")]
    tolerance: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// An output that has been read back.
struct Output {
    name: String,
    desc: Desc,
    bytes: Vec<u8>,
    numbers: Numbers,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let context = arguments.device.context()?;
    let (model, settled) = arguments.model.open()?;
    let ports = model.inputs()?;
    let contents = read_inputs(arguments, &ports)?;
    let built = build(arguments, &context, model, settled, &ports, &contents)?;
    let start = Instant::now();
    let outputs = compute(&context, &built, &ports, &contents)?;
    let elapsed = start.elapsed();

    let saves = targets("output", &arguments.output, &outputs)?;
    let comparisons = targets("compare", &arguments.compare, &outputs)?;
    let differences = compare(&outputs, &comparisons)?;
    if arguments.json {
        let json = as_json(arguments, &context, &outputs, &differences)?;
        println!("{}", serde_json::to_string_pretty(&json)?);
    } else {
        for output in &outputs {
            print(arguments, output)?;
        }
        for (output, path, difference) in &differences {
            println!(
                "{GOOD}{}{GOOD:#} against {}: relative {:.3e}, greatest {:.3e} at element {}",
                outputs[*output].name,
                path.display(),
                difference.relative,
                difference.absolute,
                difference.at
            );
        }
        println!("{DIM}{} on {}{DIM:#}", output::duration(elapsed), context.device());
    }
    for (output, path) in &saves {
        let output = &outputs[*output];
        output::write_whole(path, &npy::write(output.desc, &output.bytes)?)?;
    }
    // Not "greater than": a difference that is NaN is no agreement.
    let agrees = |difference: &Difference| difference.relative <= arguments.tolerance;
    match differences.iter().find(|(_, _, difference)| !agrees(difference)) {
        None => Ok(()),
        Some((output, path, difference)) => bail!(
            "output {:?} differs from {} by {:.3e}, expected at most {:e}",
            outputs[*output].name,
            path.display(),
            difference.relative,
            arguments.tolerance
        ),
    }
}

/// The files for the inputs, by the input's place.
fn read_inputs(arguments: &Arguments, ports: &[Port]) -> Result<Vec<Option<Content>>> {
    let mut contents: Vec<Option<Content>> = vec![None; ports.len()];
    for text in &arguments.input {
        let (place, file) = find(text, ports.iter().map(|port| port.name.as_str()))
            .map_err(|error| misuse(format!("--input {text:?}: {error}")))?;
        if contents[place].is_some() {
            return Err(misuse(format!("--input {:?} is given twice", ports[place].name)));
        }
        let path = PathBuf::from(file);
        let content = input::at(&path, input::read(&path, &ports[place], &arguments.picture))?;
        contents[place] = Some(content);
    }
    Ok(contents)
}

/// The place of the name in `NAME=VALUE`, or of the only one there is, and the value.
fn find<'a>(
    text: &'a str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<(usize, &'a str), String> {
    if let Some((name, value)) = pair(text)
        && let Some(place) = names.clone().position(|known| known == name)
    {
        return Ok((place, value));
    }
    let known: Vec<&str> = names.collect();
    match known.as_slice() {
        // A name that is not known may be a part of a path.
        [_only] if pair(text).is_none() || std::path::Path::new(text).exists() => Ok((0, text)),
        _ => Err(format!("expected NAME=FILE with one of {}", known.join(", "))),
    }
}

/// Builds the model, its free dimensions and parameters taken from the inputs where they are.
fn build(
    arguments: &Arguments,
    context: &Context,
    model: Model,
    mut settled: Settled,
    ports: &[Port],
    contents: &[Option<Content>],
) -> Result<Built> {
    let path = &arguments.model.model;
    let place = || path.display().to_string();
    let mut model = model;
    for (port, content) in ports.iter().zip(contents) {
        let is_free = |dims: &Vec<Option<u32>>| dims.iter().any(Option::is_none);
        if settled.dims.is_empty()
            && port.dims.as_ref().is_none_or(is_free)
            && let Some(shape) = content.as_ref().and_then(|content| content.shape_for(port))
        {
            settled.shapes.insert(port.name.clone(), shape);
        }
    }
    if !settled.shapes.is_empty() {
        model = Model::open(path, &settled)?;
    }
    let (needs, error) = match model.build(context) {
        Ok(built) => return Ok(built),
        Err(Obstacle::Other(error)) => return Err(error).with_context(place),
        Err(Obstacle::Needs(needs, error)) => (needs, error),
    };
    // What decides a shape must be known now; the files say it.
    for name in &needs {
        let given = ports.iter().zip(contents).find(|(port, _)| port.name == *name);
        if let Some((port, Some(content))) = given
            && let Some(fixed) = port.fixed(content)
        {
            settled.fixed.insert(name.clone(), fixed);
        }
    }
    if needs.is_empty() || settled.fixed.is_empty() {
        return Err(error).with_context(place);
    }
    let built = Model::open(path, &settled)?.build(context);
    built.map_err(Obstacle::into_error).with_context(place)
}

fn compute(
    context: &Context,
    built: &Built,
    ports: &[Port],
    contents: &[Option<Content>],
) -> Result<Vec<Output>> {
    let graph = &built.graph;
    let mut inputs: Vec<(&str, Tensor)> = Vec::new();
    for (name, desc) in graph.inputs() {
        let given = ports.iter().zip(contents).find(|(port, _)| port.name == *name);
        let Some((_, Some(content))) = given else {
            return Err(misuse(format!(
                "input {name:?} ({desc}) has no file: --input {name}=FILE"
            )));
        };
        let place = || format!("input {name:?}");
        let tensor = context.create_tensor(&TensorDescriptor::from(*desc).writable())?;
        context.write_tensor(&tensor, &content.bytes_for(*desc).with_context(place)?)?;
        inputs.push((name, tensor));
    }
    let mut outputs: Vec<(&str, Tensor)> = Vec::new();
    for (name, desc) in graph.outputs() {
        outputs.push((name, context.create_tensor(&TensorDescriptor::from(*desc).readable())?));
    }
    context.dispatch_blocking(graph, &by_name(&inputs), &by_name(&outputs))?;
    let read = |(name, tensor): &(&str, Tensor)| {
        let bytes = context.read_tensor_blocking(tensor)?;
        let numbers = Numbers::from_bytes(tensor.desc(), &bytes)?;
        Ok(Output { name: (*name).to_owned(), desc: tensor.desc(), bytes, numbers })
    };
    outputs.iter().map(read).collect()
}

/// Which output each `[NAME=]FILE` means.
fn targets(option: &str, texts: &[String], outputs: &[Output]) -> Result<Vec<(usize, PathBuf)>> {
    let target = |text: &String| {
        let (place, file) = find(text, outputs.iter().map(|output| output.name.as_str()))
            .map_err(|error| misuse(format!("--{option} {text:?}: {error}")))?;
        Ok((place, PathBuf::from(file)))
    };
    texts.iter().map(target).collect()
}

fn compare(
    outputs: &[Output],
    targets: &[(usize, PathBuf)],
) -> Result<Vec<(usize, PathBuf, Difference)>> {
    let compare = |(place, path): &(usize, PathBuf)| {
        let output = &outputs[*place];
        let expected = input::at(path, input::expected(path, output.desc))?;
        Ok((*place, path.clone(), Difference::of(&output.numbers, &expected)))
    };
    targets.iter().map(compare).collect()
}

/// An element that is among the greatest.
struct Ranked {
    index: usize,
    probability: f64,
    value: f64,
}

/// The greatest elements of each row along the last dimension.
fn top(output: &Output, count: usize) -> Vec<Vec<Ranked>> {
    let values = output.numbers.to_floats();
    let width = output.desc.shape.last().map_or(1, |&size| size as usize);
    values.chunks(width).map(|row| top_of_row(row, count)).collect()
}

fn top_of_row(row: &[f64], count: usize) -> Vec<Ranked> {
    let sum: f64 = row.iter().sum();
    let are_probabilities =
        row.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < 1e-2;
    let greatest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scale: f64 = row.iter().map(|value| (value - greatest).exp()).sum();
    let ranked = |(index, &value): (usize, &f64)| {
        let softmax = (value - greatest).exp() / scale;
        Ranked { index, value, probability: if are_probabilities { value } else { softmax } }
    };
    let mut ranked: Vec<Ranked> = row.iter().enumerate().map(ranked).collect();
    ranked.sort_by(|a, b| b.value.total_cmp(&a.value));
    ranked.truncate(count);
    ranked
}

fn labels(arguments: &Arguments, output: &Output) -> Result<Option<Vec<String>>> {
    let width = output.desc.shape.last().map_or(1, |&size| size as usize);
    arguments.labels.as_deref().map(|path| input::labels(path, width)).transpose()
}

/// How many of the greatest to show; a file with labels asks for some.
fn wanted_top(arguments: &Arguments) -> Option<usize> {
    arguments.top.or(arguments.labels.as_ref().map(|_| 5))
}

fn print(arguments: &Arguments, output: &Output) -> Result<()> {
    println!("{BOLD}{}{BOLD:#} {}", output.name, output.desc);
    let Some(count) = wanted_top(arguments) else {
        println!("  {}", shortened(output));
        return Ok(());
    };
    let labels = labels(arguments, output)?;
    for row in top(output, count) {
        for Ranked { index, probability, value } in row {
            let label = labels.as_ref().map_or("", |labels| &labels[index]);
            println!(
                "  {:>6.2} %  {index:>5}  {label}  {DIM}{value:.4}{DIM:#}",
                100.0 * probability
            );
        }
    }
    Ok(())
}

/// The first elements, and what all of them are like.
fn shortened(output: &Output) -> String {
    const SHOWN: usize = 8;
    let texts =
        (0..output.numbers.len().min(SHOWN)).map(|i| output.numbers.text(i, output.desc.data_type));
    let first = texts.collect::<Vec<_>>().join(", ");
    if output.numbers.len() <= SHOWN {
        return format!("[{first}]");
    }
    let values = output.numbers.to_floats();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    format!("[{first}, …]  from {least:.6} to {greatest:.6}, mean {mean:.6}")
}

fn as_json(
    arguments: &Arguments,
    context: &Context,
    outputs: &[Output],
    differences: &[(usize, PathBuf, Difference)],
) -> Result<Value> {
    let mut list = Map::new();
    for (i, output) in outputs.iter().enumerate() {
        let mut entry = Map::new();
        entry.insert("dataType".into(), json!(output.desc.data_type.name()));
        entry.insert("shape".into(), json!(&output.desc.shape[..]));
        match wanted_top(arguments) {
            Some(count) => {
                let labels = labels(arguments, output)?;
                let row = |row: Vec<Ranked>| -> Value {
                    let item = |item: &Ranked| {
                        let label = labels.as_ref().map(|labels| &labels[item.index]);
                        json!({ "index": item.index, "label": label, "value": item.value,
                                "probability": item.probability })
                    };
                    row.iter().map(item).collect()
                };
                let rows: Vec<Value> = top(output, count).into_iter().map(row).collect();
                entry.insert("top".into(), rows.into());
            }
            None => {
                let data: Vec<Value> = match &output.numbers {
                    // JSON has no NaN and no infinities.
                    Numbers::Floats(items) => items
                        .iter()
                        .map(|&x| if x.is_finite() { json!(x) } else { json!(x.to_string()) })
                        .collect(),
                    Numbers::Integers(items) => items.iter().map(|&x| json!(x as i64)).collect(),
                };
                entry.insert("data".into(), data.into());
            }
        }
        if let Some((_, _, difference)) = differences.iter().find(|(place, ..)| *place == i) {
            entry.insert("relativeDifference".into(), json!(difference.relative));
            entry.insert("greatestDifference".into(), json!(difference.absolute));
        }
        list.insert(output.name.clone(), entry.into());
    }
    Ok(json!({ "device": context.device().to_string(), "outputs": list }))
}
