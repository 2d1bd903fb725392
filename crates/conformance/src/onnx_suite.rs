//! ONNX's backend tests, as `tools/onnx_suite.py` writes them down, on an engine.
//!
//! A test feeds everything as an input, shapes and axes too. Those that the importer has to know
//! are fixed at their values, and only those: it names them, and the model is built again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use webnn::Context;
use webnn_core::error::{Error, Result, bail, ensure};
use webnn_core::reference::{Data, Tensor};
use webnn_core::{Desc, GraphBuilder, Shape};
use webnn_onnx::{ElemType, Fixed, Model, Options, Problem, Reason};

use crate::run::{Outcome, compute};

/// A test's folder.
#[derive(Clone, Debug)]
pub struct Case {
    /// The kind of suite and the test's name, such as `node/test_abs`.
    pub name: String,
    folder: PathBuf,
}

/// A tensor of a test.
struct Array {
    name: String,
    /// `None` where it is no tensor of numbers.
    elem: Option<ElemType>,
    dims: Vec<u32>,
    raw: Vec<u8>,
    values: Data,
}

/// The tests below a folder, sorted by name.
pub fn read_folder(folder: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for kind in entries(folder)? {
        if kind.is_dir() {
            for folder in entries(&kind)? {
                if folder.join("case.json").is_file() {
                    let name = |path: &Path| {
                        path.file_name().unwrap_or_default().to_string_lossy().into_owned()
                    };
                    let name = format!("{}/{}", name(&kind), name(&folder));
                    cases.push(Case { name, folder });
                }
            }
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = fs::read_dir(folder).map_err(|error| failed(folder, error))?;
    list.map(|entry| Ok(entry.map_err(|error| failed(folder, error))?.path())).collect()
}

fn failed(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::type_error(format!("{}: {error}", path.display()))
}

/// Runs a test on a context.
pub fn run_case(context: &Context, case: &Case) -> Outcome {
    match try_case(context, case) {
        Ok(None) => Outcome::Passed,
        Ok(Some(reason)) => Outcome::Skipped(reason.name().to_owned()),
        Err(error) => Outcome::Failed(error.message().to_owned()),
    }
}

/// `None` for a test that passed, else the reason why a graph cannot have it.
fn try_case(context: &Context, case: &Case) -> Result<Option<Reason>> {
    let text = read(&case.folder.join("case.json"))?;
    let json: Value = serde_json::from_slice(&text).map_err(|error| failed(&case.folder, error))?;
    let inputs = arrays(case, &json["inputs"])?;
    let outputs = arrays(case, &json["outputs"])?;
    let (Some(relative), Some(absolute)) = (json["rtol"].as_f64(), json["atol"].as_f64()) else {
        bail!("the tolerances are missing");
    };
    if inputs.iter().chain(&outputs).any(overflows) {
        return Ok(Some(Reason::UnsupportedType));
    }
    let mut options = Options::default();
    for input in inputs.iter().filter(|input| input.elem.is_some()) {
        options.input_shapes.insert(input.name.clone(), input.dims.clone());
    }
    let (graph, names) = loop {
        let mut builder = GraphBuilder::new(context.op_support_limits().clone());
        match build(case, &options, &mut builder) {
            Ok(built) => break built,
            Err(problems) => match fixable(&problems, &inputs, &mut options) {
                true => {}
                false => return refused(&problems),
            },
        }
    };
    let graph = context.compile(graph)?;
    let mut given = Vec::new();
    for (name, desc) in graph.inputs() {
        let Some(input) = inputs.iter().find(|input| input.name == *name) else {
            bail!("there is no data for input {name:?}");
        };
        given.push((name.as_str(), Tensor { desc: *desc, data: input.values.clone() }.rounded()));
    }
    let given: Vec<(&str, &Tensor)> = given.iter().map(|(name, data)| (*name, data)).collect();
    let results = compute(context, &graph, &given)?;
    for output in outputs.iter().filter(|output| output.elem.is_some()) {
        // Outputs that the test leaves unnamed are none of the model's.
        if !names.contains(&output.name) {
            continue;
        }
        match results.iter().find(|(name, _)| *name == output.name) {
            Some((_, result)) => compare(case, output, result, relative, absolute)?,
            None => bail!("output {:?} is missing", output.name),
        }
    }
    Ok(None)
}

/// The graph and the names of its outputs, or all that is in the way.
fn build(
    case: &Case,
    options: &Options,
    builder: &mut GraphBuilder,
) -> std::result::Result<(webnn_core::Graph, Vec<String>), Vec<Problem>> {
    let invalid = |message: String| {
        vec![Problem {
            node: case.name.clone(),
            operator: "model".to_owned(),
            reason: Reason::Invalid,
            message,
            needs: Vec::new(),
        }]
    };
    let built =
        Model::open(case.folder.join("model.onnx"), options).and_then(|model| model.build(builder));
    let outputs = match built {
        Ok(outputs) => outputs,
        Err(webnn_onnx::Error::Problems(problems)) => return Err(problems),
        Err(error) => return Err(invalid(error.to_string())),
    };
    let list: Vec<_> = outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
    let graph = builder.build(&list).map_err(|error| invalid(error.message().to_owned()))?;
    Ok((graph, outputs.into_iter().map(|(name, _)| name).collect()))
}

/// Fixes the inputs that have to be known; false where that helps no further.
fn fixable(problems: &[Problem], inputs: &[Array], options: &mut Options) -> bool {
    let mut helped = false;
    for name in problems.iter().flat_map(|problem| &problem.needs) {
        let input = inputs.iter().find(|input| input.name == *name);
        if let Some(input) = input
            && let Some(elem) = input.elem
            && !options.fixed.contains_key(name)
        {
            let (dims, bytes) = (input.dims.clone(), input.raw.clone().into());
            options.fixed.insert(name.clone(), Fixed { elem, dims, bytes });
            helped = true;
        }
    }
    helped
}

/// The reason that stands behind the others; an invalid model is a failure of ours.
fn refused(problems: &[Problem]) -> Result<Option<Reason>> {
    match problems
        .iter()
        .find(|problem| matches!(problem.reason, Reason::Invalid | Reason::UnknownOperator))
    {
        Some(problem) => bail!("{problem}"),
        None => Ok(problems.iter().map(|problem| problem.reason).min()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| failed(path, error))
}

fn arrays(case: &Case, json: &Value) -> Result<Vec<Array>> {
    let Some(list) = json.as_array() else { bail!("the tensors are missing") };
    list.iter().map(|tensor| array(case, tensor)).collect()
}

fn array(case: &Case, json: &Value) -> Result<Array> {
    let text = |key: &str| json[key].as_str().unwrap_or_default();
    let name = text("name").to_owned();
    if json["type"].is_null() {
        let values = Data::Int(Vec::new());
        return Ok(Array { name, elem: None, dims: Vec::new(), raw: Vec::new(), values });
    }
    let Some(elem) = ElemType::from_name(text("type")) else {
        bail!("tensor {name:?} has type {}", json["type"]);
    };
    let sizes = json["dims"].as_array().map(Vec::as_slice).unwrap_or_default();
    let dims = sizes.iter().map(|size| size.as_u64().unwrap_or(0) as u32).collect();
    let numbers = read(&case.folder.join(text("num")))?;
    let (words, _) = numbers.as_chunks::<8>();
    let values = match text("kind") {
        "f64" => Data::Float(words.iter().map(|&word| f64::from_le_bytes(word)).collect()),
        "i64" => Data::Int(words.iter().map(|&word| i64::from_le_bytes(word).into()).collect()),
        "u64" => Data::Int(words.iter().map(|&word| u64::from_le_bytes(word).into()).collect()),
        other => bail!("tensor {name:?} has numbers of kind {other:?}"),
    };
    Ok(Array { name, elem: Some(elem), dims, raw: read(&case.folder.join(text("raw")))?, values })
}

/// The distance between neighbours of a float type of 16 bits at a value; 0 for other types.
///
/// The suite's own results in these types are rounded after each of several steps, so they are
/// known to a unit or two in the last place.
fn last_place(elem: Option<ElemType>, value: f64) -> f64 {
    let digits = match elem {
        Some(ElemType::Float16) => 10,
        Some(ElemType::Bfloat16) => 7,
        _wider => return 0.0,
    };
    let exponent = value.abs().max(f64::MIN_POSITIVE).log2().floor();
    2f64.powf(exponent - f64::from(digits))
}

/// An absolute tolerance of our own, where the suite's is at odds with its data.
fn own_tolerance(case: &Case) -> Option<f64> {
    match case.name.as_str() {
        // The zeros that are expected are the rounding noise, 2e-7, of a transform in float32.
        "node/test_dft_inverse" | "node/test_dft_inverse_opset19" => Some(1e-6),
        _other => None,
    }
}

/// Whether float64 values are too great for float32, which carries them.
fn overflows(array: &Array) -> bool {
    let great = |value: &f64| value.is_finite() && value.abs() > f64::from(f32::MAX);
    match &array.values {
        Data::Float(values) => values.iter().any(great),
        Data::Int(_) => false,
    }
}

/// Fails unless the result has the expected shape and, within the test's tolerances, values.
fn compare(
    case: &Case,
    expected: &Array,
    result: &Tensor,
    relative: f64,
    absolute: f64,
) -> Result<()> {
    let name = &expected.name;
    let shape: Shape = expected.dims.iter().copied().collect();
    ensure!(
        result.desc.shape == shape,
        "output {name:?} has shape {}, expected {shape}",
        result.desc.shape
    );
    let Some(carrier) = expected.elem.and_then(ElemType::carrier) else {
        bail!("output {name:?} has no type that can be compared");
    };
    let desc = Desc::new(carrier, shape);
    ensure!(result.desc == desc, "output {name:?} is {}, expected {desc}", result.desc);
    match (&expected.values, &result.data) {
        (Data::Float(wanted), Data::Float(got)) => {
            let absolute = own_tolerance(case).unwrap_or(absolute);
            for (i, (&wanted, &got)) in wanted.iter().zip(got).enumerate() {
                let same = wanted == got || (wanted.is_nan() && got.is_nan());
                let bound = absolute + relative * wanted.abs();
                let bound = bound.max(2.0 * last_place(expected.elem, wanted));
                ensure!(
                    same || (wanted.is_finite() && (wanted - got).abs() <= bound),
                    "element {i} of output {name:?} is {got}, expected {wanted}"
                );
            }
        }
        (Data::Int(wanted), Data::Int(got)) => {
            for (i, (wanted, got)) in wanted.iter().zip(got).enumerate() {
                let bound = absolute + relative * (*wanted as f64).abs();
                ensure!(
                    (wanted - got).unsigned_abs() as f64 <= bound,
                    "element {i} of output {name:?} is {got}, expected {wanted}"
                );
            }
        }
        (Data::Float(_), Data::Int(_)) | (Data::Int(_), Data::Float(_)) => {
            bail!("output {name:?} is {}, expected another kind of number", result.desc)
        }
    }
    Ok(())
}
