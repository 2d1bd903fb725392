//! Test vectors: graphs with inputs, expected outputs and a tolerance, as JSON.
//!
//! The files are figures from the web-platform-tests, one file per operation; their own README
//! describes the format, `webnn-test-vectors/1`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use half::f16;
use serde_json::{Map, Value};
use webnn_core::attrs::{Args, Attr};
use webnn_core::error::{Error, Result, bail, ensure};
use webnn_core::limits::Presence;
use webnn_core::ops::{Method, method};
use webnn_core::reference::{Data, Tensor};
use webnn_core::{DataType, Desc, Graph, GraphBuilder, Limits, Number, Operand};

/// The cases of one file.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The file's name without its ending.
    pub name: String,
    /// The cases, in order.
    pub cases: Vec<Case>,
}

/// A graph with inputs and what must come out.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is tested; nearly always unique in the file.
    pub name: String,
    /// The tensors that go in.
    pub inputs: Vec<Input>,
    /// The tensors that come out, by name.
    pub outputs: Vec<(String, Tensor)>,
    /// How far they may be off.
    pub tolerance: Tolerance,
    /// Whether every implementation of the specification must take these types and ranks.
    pub is_required: bool,
    calls: Vec<Call>,
}

/// A tensor that goes in.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name.
    pub name: String,
    /// The elements.
    pub tensor: Tensor,
    /// Whether it is a constant of the graph rather than an input.
    pub is_constant: bool,
}

/// How far an element may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// So many values of the type lie between, at most.
    Ulp(f64),
    /// The absolute difference.
    Absolute(f64),
    /// No bit differs, but for NaNs.
    Exact,
}

/// A call of a builder's method.
#[derive(Clone, Debug)]
struct Call {
    method: &'static Method,
    /// Names of operands by slot; for a sequence, by item.
    operands: Vec<Option<String>>,
    attributes: Args,
    label: String,
    outputs: Vec<String>,
}

/// Reads every file of a folder that holds cases, in the order of their names.
pub fn read_folder(folder: &Path) -> Result<Vec<Suite>> {
    let failed =
        |error: std::io::Error| Error::type_error(format!("{}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut suites = Vec::new();
    for path in paths {
        suites.extend(read_file(&path)?);
    }
    Ok(suites)
}

/// Reads one file; `None` where it holds no cases.
pub fn read_file(path: &Path) -> Result<Option<Suite>> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path)
        .map_err(|error| Error::type_error(format!("{}: {error}", path.display())))?;
    read(&name, &text).map_err(|error| error.at(path.display()))
}

/// Reads a file's text; `None` where it holds no cases.
pub fn read(name: &str, text: &str) -> Result<Option<Suite>> {
    let file: Value =
        serde_json::from_str(text).map_err(|error| Error::type_error(error.to_string()))?;
    let Some(cases) = file.get("tests") else { return Ok(None) };
    let format = file.get("format").and_then(Value::as_str).unwrap_or_default();
    ensure!(format == "webnn-test-vectors/1", "the format is {format:?}");
    let cases = list(cases)?
        .iter()
        .enumerate()
        .map(|(i, case)| Case::read(case).map_err(|error| error.at(format!("case {i}"))))
        .collect::<Result<_>>()?;
    Ok(Some(Suite { name: name.into(), cases }))
}

/// A case that is known to fail, from a line `file | case | reason` of `known/<engine>.txt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// The name of the suite.
    pub suite: &'a str,
    /// The name of the case.
    pub case: &'a str,
    /// Why it fails.
    pub reason: &'a str,
}

/// The cases that are known to fail; lines that begin with `#` are comments.
pub fn known(text: &str) -> Result<Vec<Known<'_>>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let known = lines.map(|line| {
        let mut parts = line.splitn(3, " | ");
        match (parts.next(), parts.next(), parts.next()) {
            (Some(suite), Some(case), Some(reason)) => Ok(Known { suite, case, reason }),
            _too_few => bail!("{line:?} is not file | case | reason"),
        }
    });
    known.collect()
}

impl Case {
    fn read(case: &Value) -> Result<Case> {
        let inputs = object(member(case, "inputs")?)?.iter().map(|(name, value)| {
            let tensor = tensor(value).map_err(|error| error.at(name))?;
            let is_constant = value.get("constant").and_then(Value::as_bool) == Some(true);
            Ok(Input { name: name.clone(), tensor, is_constant })
        });
        let outputs = object(member(case, "outputs")?)?.iter().map(|(name, value)| {
            Ok((name.clone(), tensor(value).map_err(|error| error.at(name))?))
        });
        Ok(Case {
            name: text(member(case, "name")?)?.into(),
            inputs: inputs.collect::<Result<_>>()?,
            outputs: outputs.collect::<Result<_>>()?,
            tolerance: Tolerance::read(case)?,
            is_required: case.get("required").and_then(Value::as_bool) == Some(true),
            calls: list(member(case, "nodes")?)?.iter().map(Call::read).collect::<Result<_>>()?,
        })
    }

    /// Builds the graph with the same calls that a script would make.
    pub fn build(&self, limits: Limits) -> Result<Graph> {
        let mut builder = GraphBuilder::new(limits);
        let mut operands: HashMap<&str, Operand> = HashMap::new();
        for Input { name, tensor, is_constant } in &self.inputs {
            let Desc { data_type, shape } = tensor.desc;
            let operand = if *is_constant {
                builder.constant(data_type, &shape, tensor.to_bytes())?
            } else {
                builder.input(name, data_type, &shape)?
            };
            operands.insert(name, operand);
        }
        for call in &self.calls {
            let slots = call.operands.iter().map(|name| match name {
                None => Ok(None),
                Some(name) => Ok(Some(find(&operands, name)?)),
            });
            let slots: Vec<Option<Operand>> = slots.collect::<Result<_>>()?;
            let results = builder.add(call.method.name, &slots, &call.attributes, &call.label)?;
            operands.extend(call.outputs.iter().map(String::as_str).zip(results));
        }
        let outputs =
            self.outputs.iter().map(|(name, _)| Ok((name.as_str(), find(&operands, name)?)));
        builder.build(&outputs.collect::<Result<Vec<_>>>()?)
    }

    /// The tensor that goes in under a name.
    pub fn input(&self, name: &str) -> Result<&Tensor> {
        match self.inputs.iter().find(|input| input.name == name) {
            Some(input) => Ok(&input.tensor),
            None => bail!("there is no input {name:?}"),
        }
    }

    /// Fails unless a result is what is expected under its name, within the tolerance.
    pub fn check(&self, name: &str, actual: &Tensor) -> Result<()> {
        let Some((_, expected)) = self.outputs.iter().find(|(output, _)| output == name) else {
            bail!("there is no output {name:?}");
        };
        ensure!(
            actual.desc == expected.desc,
            "output {name:?} is {}, expected {}",
            actual.desc,
            expected.desc
        );
        match self.tolerance.first_miss(actual, expected) {
            None => Ok(()),
            Some(miss) => bail!("output {name:?}, {miss}"),
        }
    }
}

fn find(operands: &HashMap<&str, Operand>, name: &str) -> Result<Operand> {
    match operands.get(name) {
        Some(operand) => Ok(*operand),
        None => bail!("there is no operand {name:?}"),
    }
}

impl Call {
    fn read(node: &Value) -> Result<Call> {
        let method = method(text(member(node, "op")?)?)?;
        let is_sequence = method.slots.iter().any(|slot| slot.presence == Presence::Repeated);
        let mut call = Call {
            method,
            operands: vec![None; if is_sequence { 0 } else { method.slots.len() }],
            attributes: Args::new(),
            label: String::new(),
            outputs: strings(member(node, "outputs")?)?,
        };
        for argument in list(member(node, "args")?)? {
            call.argument(text(member(argument, "param")?)?, argument)?;
        }
        for (name, argument) in object(member(node, "options")?)? {
            call.argument(name, argument)?;
        }
        Ok(call)
    }

    fn argument(&mut self, name: &str, argument: &Value) -> Result<()> {
        if let Some(operands) = argument.get("operands") {
            self.operands.extend(strings(operands)?.into_iter().map(Some));
        } else if let Some(operand) = argument.get("operand") {
            match self.method.slots.iter().position(|slot| slot.name == name) {
                Some(slot) => self.operands[slot] = Some(text(operand)?.into()),
                None => bail!("{} has no operand {name:?}", self.method.name),
            }
        } else if name == "label" {
            self.label = text(member(argument, "value")?)?.into();
        } else {
            self.attributes.push(name, attribute(member(argument, "value")?)?);
        }
        Ok(())
    }
}

impl Tolerance {
    fn read(case: &Value) -> Result<Tolerance> {
        if case.get("exact").and_then(Value::as_bool) == Some(true) {
            return Ok(Tolerance::Exact);
        }
        let tolerance = member(case, "tolerance")?;
        let value = match member(tolerance, "value")?.as_f64() {
            Some(value) => value,
            None => bail!("the tolerance's value is no number"),
        };
        match text(member(tolerance, "metricType")?)? {
            "ULP" => Ok(Tolerance::Ulp(value)),
            "ATOL" => Ok(Tolerance::Absolute(value)),
            other => bail!("there is no metric {other:?}"),
        }
    }

    /// Says where two tensors of one descriptor differ by more.
    pub fn first_miss(self, actual: &Tensor, expected: &Tensor) -> Option<String> {
        let miss = |i: usize, a: String, e: String| {
            format!("element {i} of {}: {a}, expected {e} within {self:?}", expected.desc)
        };
        match (&actual.data, &expected.data) {
            (Data::Float(a), Data::Float(e)) => {
                let data_type = expected.desc.data_type;
                let mut pairs = a.iter().zip(e).enumerate();
                let off = pairs.find(|(_, (a, e))| !self.takes_float(**a, **e, data_type));
                off.map(|(i, (a, e))| miss(i, format!("{a:?}"), format!("{e:?}")))
            }
            (Data::Int(a), Data::Int(e)) => {
                let mut pairs = a.iter().zip(e).enumerate();
                let off = pairs.find(|(_, (a, e))| !self.takes_int(**a, **e));
                off.map(|(i, (a, e))| miss(i, a.to_string(), e.to_string()))
            }
            (Data::Float(_), Data::Int(_)) | (Data::Int(_), Data::Float(_)) => {
                Some(format!("{}, expected {}", actual.desc, expected.desc))
            }
        }
    }

    fn takes_float(self, actual: f64, expected: f64, data_type: DataType) -> bool {
        if actual.is_nan() || expected.is_nan() {
            return actual.is_nan() && expected.is_nan();
        }
        match self {
            Tolerance::Exact => actual.to_bits() == expected.to_bits(),
            Tolerance::Absolute(most) => actual == expected || (actual - expected).abs() <= most,
            Tolerance::Ulp(most) => {
                let steps = ordinal(actual, data_type).abs_diff(ordinal(expected, data_type));
                f64::from(steps) <= most
            }
        }
    }

    fn takes_int(self, actual: i128, expected: i128) -> bool {
        match self {
            Tolerance::Exact => actual == expected,
            Tolerance::Ulp(most) | Tolerance::Absolute(most) => {
                actual.abs_diff(expected) as f64 <= most
            }
        }
    }
}

/// The place of a float among all values of its type; both zeros are 0.
fn ordinal(value: f64, data_type: DataType) -> i32 {
    let (magnitude, is_negative) = if data_type == DataType::Float16 {
        let value = f16::from_f64(value);
        (i32::from(value.to_bits() & 0x7fff), value.is_sign_negative())
    } else {
        let value = value as f32;
        ((value.to_bits() & 0x7fff_ffff) as i32, value.is_sign_negative())
    };
    if is_negative { -magnitude } else { magnitude }
}

fn tensor(value: &Value) -> Result<Tensor> {
    let name = text(member(value, "dataType")?)?;
    let Some(data_type) = DataType::from_name(name) else { bail!("{name:?} is no data type") };
    let sizes = list(member(value, "shape")?)?.iter().map(|size| {
        match size.as_u64().and_then(|size| u32::try_from(size).ok()) {
            Some(size) => Ok(size),
            None => bail!("{size} is no size"),
        }
    });
    let desc = Desc::checked(data_type, &sizes.collect::<Result<Vec<u32>>>()?)?;
    if let Some(element) = value.get("fill") {
        return Ok(Tensor::filled(desc, number(element)?));
    }
    let elements = list(member(value, "data")?)?;
    ensure!(
        elements.len() == desc.elements(),
        "{} elements were given, expected {}",
        elements.len(),
        desc.elements()
    );
    let elements = elements.iter().map(|element| Ok(number(element)?.cast(data_type)));
    let elements = elements.collect::<Result<Vec<Number>>>()?;
    Ok(if data_type.is_float() {
        Tensor::float(desc, elements.into_iter().map(Number::to_f64).collect())
    } else {
        let integer = |number| match number {
            Number::Int(value) => value,
            Number::Float(_) => unreachable!("a cast to an integer type gives an integer"),
        };
        Tensor::int(desc, elements.into_iter().map(integer).collect())
    })
}

/// An element or a literal that stands for a number.
fn number(value: &Value) -> Result<Number> {
    let number = match value {
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Some(Number::from(integer)),
            None => number.as_f64().map(Number::Float),
        },
        Value::String(text) => match text.as_str() {
            "NaN" => Some(Number::Float(f64::NAN)),
            "Infinity" => Some(Number::Float(f64::INFINITY)),
            "-Infinity" => Some(Number::Float(f64::NEG_INFINITY)),
            digits => digits.parse().ok().map(Number::Int),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match number {
        Some(number) => Ok(number),
        None => bail!("{value} is no number"),
    }
}

fn attribute(value: &Value) -> Result<Attr> {
    Ok(match value {
        Value::Bool(value) => Attr::Bool(*value),
        Value::Array(items) => Attr::List(items.iter().map(attribute).collect::<Result<_>>()?),
        Value::String(text) => match number(value) {
            Ok(number) => Attr::Number(number),
            Err(_) => Attr::Text(text.clone()),
        },
        Value::Number(_) | Value::Null | Value::Object(_) => Attr::Number(number(value)?),
    })
}

fn member<'a>(value: &'a Value, name: &str) -> Result<&'a Value> {
    match value.get(name) {
        Some(member) => Ok(member),
        None => bail!("{name} is missing"),
    }
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    match value.as_array() {
        Some(list) => Ok(list),
        None => bail!("expected a list"),
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    match value.as_object() {
        Some(object) => Ok(object),
        None => bail!("expected an object"),
    }
}

fn text(value: &Value) -> Result<&str> {
    match value.as_str() {
        Some(text) => Ok(text),
        None => bail!("{value} is no text"),
    }
}

fn strings(value: &Value) -> Result<Vec<String>> {
    list(value)?.iter().map(|item| Ok(text(item)?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_values_of_the_type() {
        let (f32, f16) = (DataType::Float32, DataType::Float16);
        for (tolerance, actual, expected, data_type, is_taken) in [
            (Tolerance::Ulp(1.0), 1.0, 1.0 + f64::from(f32::EPSILON), f32, true),
            (Tolerance::Ulp(1.0), 1.0, 1.0 + 2.0 * f64::from(f32::EPSILON), f32, false),
            (Tolerance::Ulp(0.0), -0.0, 0.0, f32, true),
            (Tolerance::Exact, -0.0, 0.0, f32, false),
            (Tolerance::Ulp(1.0), f64::from(f32::MAX), f64::INFINITY, f32, true),
            (Tolerance::Ulp(1.0), 65504.0, f64::INFINITY, f16, true),
            (Tolerance::Ulp(2.0), 2f64.powi(-24), -(2f64.powi(-24)), f16, true),
            (Tolerance::Ulp(9.0), f64::NAN, f64::NAN, f16, true),
            (Tolerance::Absolute(9.0), 0.0, f64::NAN, f16, false),
            (Tolerance::Absolute(0.0), f64::INFINITY, f64::INFINITY, f32, true),
            (Tolerance::Absolute(0.5), 1.0, 1.5, f32, true),
            (Tolerance::Absolute(0.5), 1.0, 1.75, f32, false),
        ] {
            assert_eq!(
                tolerance.takes_float(actual, expected, data_type),
                is_taken,
                "{tolerance:?}: {actual} and {expected} as {data_type}"
            );
        }
    }

    #[test]
    fn known_failures_are_listed_with_their_reason() {
        let expected = Known { suite: "add", case: "add int8", reason: "wraps" };
        assert_eq!(known("# why\n\nadd | add int8 | wraps\n"), Ok(vec![expected]));
        assert!(known("add | wraps").is_err());
    }

    #[test]
    fn a_case_is_read_built_and_checked() {
        let text = r#"{"format": "webnn-test-vectors/1", "tests": [{
            "name": "clamped sum", "required": true,
            "nodes": [
                {"op": "concat", "args": [{"param": "inputs", "operands": ["a", "b"]},
                    {"param": "axis", "value": 0}], "options": {}, "outputs": ["ab"]},
                {"op": "clamp", "args": [{"param": "input", "operand": "ab"}],
                    "options": {"maxValue": {"value": "Infinity"}, "minValue": {"value": -0.5},
                    "label": {"value": "both"}}, "outputs": ["y"]}],
            "inputs": {
                "a": {"dataType": "float16", "shape": [1], "data": ["-Infinity"]},
                "b": {"dataType": "float16", "shape": [2], "fill": 2, "constant": true}},
            "outputs": {"y": {"dataType": "float16", "shape": [3], "data": [-0.5, 2, 2]}},
            "tolerance": {"metricType": "ULP", "value": 0}}]}"#;
        let suite = read("sample", text).unwrap().unwrap();
        let case = &suite.cases[0];
        assert!(case.is_required);
        let graph = case.build(Limits::default()).unwrap();
        assert_eq!(
            graph.to_string(),
            "%0 = input \"a\" float16[1]\n%1 = constant float16[2] {2, 2}\n\
             %2 = concat(%0, %1) { axis: 0 }\n\
             %3 = clamp(%2) { minValue: -0.5, maxValue: Infinity, label: \"both\" }\n\
             output \"y\" = %3\n"
        );
        let good = case.outputs[0].1.clone();
        assert_eq!(case.check("y", &good), Ok(()));
        let bad = good.map_floats(|x| if x < 0.0 { x * 1.01 } else { x });
        let message = case.check("y", &bad).unwrap_err();
        assert!(message.message().contains("element 0"), "{message}");
    }
}
