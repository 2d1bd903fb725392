//! Between Rust's values and JavaScript's.

use js_sys::{Array, BigInt, Object, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use webnn_core::attrs::Attr;
use webnn_core::graph::Port;
use webnn_core::{Bytes, Desc, Graph, Number};
use webnn_onnx::{Dim, ElemType, Error, Fixed, Model, Options};

use crate::calls::{Call, Operands};
use crate::support::{Support, TensorLimits, Unsupported};

/// The greatest integer up to which a double holds every one.
const MAX_SAFE_INTEGER: i128 = (1 << 53) - 1;

fn object<const N: usize>(members: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    members.into_iter().for_each(|(name, value)| set(&object, name, &value));
    object
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Only a frozen object or a proxy refuses a member, and these are neither.
    let _ = Reflect::set(object, &name.into(), value);
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn texts<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Array {
    items.into_iter().map(|item| JsValue::from_str(item.as_ref())).collect()
}

/// What the file says of itself.
pub(crate) fn description(model: &Model) -> Object {
    let port = |port: &webnn_onnx::Port| -> JsValue {
        let dims = port.dims.as_ref().map_or(JsValue::NULL, |dims| {
            let dims = dims.iter().map(|dim| match dim {
                Dim::Size(size) => JsValue::from(*size),
                Dim::Named(name) => name.into(),
                Dim::Unknown => JsValue::NULL,
            });
            dims.collect::<Array>().into()
        });
        let elem = port.elem.map_or(JsValue::NULL, |elem| elem.name().into());
        object([("name", port.name.as_str().into()), ("dataType", elem), ("shape", dims)]).into()
    };
    let pair = |(name, count): (String, usize)| -> JsValue {
        Array::of2(&name.into(), &JsValue::from(count)).into()
    };
    let inputs: Array = model.inputs().iter().map(port).collect();
    let outputs: Array = model.outputs().iter().map(port).collect();
    let operators: Array = model.operators().into_iter().map(pair).collect();
    object([
        ("opset", model.opset().map_or(JsValue::NULL, |opset| JsValue::from(opset as f64))),
        ("producer", model.producer().unwrap_or("").into()),
        ("inputs", inputs.into()),
        ("outputs", outputs.into()),
        ("operators", operators.into()),
    ])
}

fn shape(desc: Desc) -> JsValue {
    desc.shape.iter().map(|&size| JsValue::from(size)).collect::<Array>().into()
}

/// Named ends of a graph.
pub(crate) fn ports(graph: &Graph, ports: &[Port]) -> Array {
    let port = |port: &Port| -> JsValue {
        let desc = graph.desc(port.value);
        object([
            ("name", port.name.as_str().into()),
            ("dataType", desc.data_type.name().into()),
            ("shape", shape(desc)),
            ("value", port.value.0.into()),
        ])
        .into()
    };
    ports.iter().map(port).collect()
}

/// A constant without its bytes.
pub(crate) fn constant(value: usize, desc: Desc) -> JsValue {
    object([
        ("value", JsValue::from(value)),
        ("dataType", desc.data_type.name().into()),
        ("shape", shape(desc)),
        ("byteLength", JsValue::from(desc.byte_length() as f64)),
    ])
    .into()
}

/// A call; a member is there only where it says something.
pub(crate) fn call(call: &Call) -> JsValue {
    let parameter = |operands: &Operands| -> JsValue {
        match operands {
            Operands::One(id) => id.0.into(),
            Operands::Sequence(ids) => {
                ids.iter().map(|id| JsValue::from(id.0)).collect::<Array>().into()
            }
        }
    };
    let options = Object::new();
    call.options.iter().for_each(|(name, attr)| set(&options, name, &attribute(attr)));
    if !call.label.is_empty() {
        set(&options, "label", &call.label.as_str().into());
    }
    let optional = Object::new();
    call.optional.iter().for_each(|(name, id)| set(&optional, name, &id.0.into()));
    let outputs: Array = call.outputs.iter().map(|id| JsValue::from(id.0)).collect();
    object([
        ("method", call.method.into()),
        ("operands", call.operands.iter().map(parameter).collect::<Array>().into()),
        ("parameters", call.parameters.iter().map(attribute).collect::<Array>().into()),
        ("options", options.into()),
        ("optional", optional.into()),
        ("outputs", outputs.into()),
        ("givesSequence", call.gives_sequence.into()),
    ])
    .into()
}

fn attribute(attr: &Attr) -> JsValue {
    match attr {
        Attr::Bool(value) => (*value).into(),
        Attr::Number(Number::Float(value)) => (*value).into(),
        Attr::Number(Number::Int(value)) if value.abs() <= MAX_SAFE_INTEGER => {
            (*value as f64).into()
        }
        Attr::Number(Number::Int(value)) => BigInt::from(*value).into(),
        Attr::Text(text) => text.as_str().into(),
        Attr::List(items) => items.iter().map(attribute).collect::<Array>().into(),
    }
}

/// Reads the caller's options.
pub(crate) fn options(value: &JsValue) -> Result<Options, JsValue> {
    let mut options = Options::default();
    for (name, size) in entries(&get(value, "dimensions")) {
        options.dims.insert(name.clone(), dimension(&size, &name)?);
    }
    for (name, shape) in entries(&get(value, "shapes")) {
        options.input_shapes.insert(name.clone(), dimensions(&shape, &name)?);
    }
    for (name, fixed) in entries(&get(value, "fixed")) {
        let data_type = get(&fixed, "dataType").as_string().unwrap_or_default();
        let Some(elem) = ElemType::from_name(&data_type) else {
            return Err(failure(&format!(
                "{name:?} is fixed with data type {data_type:?}, which ONNX has not"
            )));
        };
        let dims = dimensions(&get(&fixed, "shape"), &name)?;
        let data: Uint8Array = get(&fixed, "data").unchecked_into();
        options.fixed.insert(name, Fixed { elem, dims, bytes: Bytes::from(data.to_vec()) });
    }
    Ok(options)
}

fn entries(value: &JsValue) -> Vec<(String, JsValue)> {
    let Some(object) = value.dyn_ref::<Object>() else { return Vec::new() };
    let pairs = Object::entries(object);
    pairs
        .iter()
        .map(|pair| {
            let pair: Array = pair.unchecked_into();
            (pair.get(0).as_string().unwrap_or_default(), pair.get(1))
        })
        .collect()
}

fn dimensions(value: &JsValue, name: &str) -> Result<Vec<u32>, JsValue> {
    match value.dyn_ref::<Array>() {
        Some(sizes) => sizes.iter().map(|size| dimension(&size, name)).collect(),
        None => Err(failure(&format!("the shape of {name:?} is not an array"))),
    }
}

fn dimension(value: &JsValue, name: &str) -> Result<u32, JsValue> {
    match value.as_f64() {
        Some(size) if size.fract() == 0.0 && (0.0..=f64::from(i32::MAX)).contains(&size) => {
            Ok(size as u32)
        }
        _other => Err(failure(&format!("{name:?} has a size that is not a whole number"))),
    }
}

/// One sentence, and no list.
pub(crate) fn failure(message: &str) -> JsValue {
    object([("message", message.into()), ("problems", Array::new().into())]).into()
}

/// What is wrong with the model.
pub(crate) fn error(error: &Error) -> JsValue {
    let problems: &[webnn_onnx::Problem] = match error {
        Error::Problems(problems) => problems,
        Error::Io { .. } | Error::Malformed(_) | Error::Option(_) => &[],
    };
    let problem = |problem: &webnn_onnx::Problem| -> JsValue {
        object([
            ("node", problem.node.as_str().into()),
            ("operator", problem.operator.as_str().into()),
            ("reason", problem.reason.name().into()),
            ("message", problem.message.as_str().into()),
            ("needs", texts(&problem.needs).into()),
        ])
        .into()
    };
    let list: Array = problems.iter().map(problem).collect();
    object([("message", error.to_string().into()), ("problems", list.into())]).into()
}

/// What the context does not take.
pub(crate) fn unsupported(problems: &[Unsupported]) -> JsValue {
    let plural = if problems.len() == 1 { "problem" } else { "problems" };
    let mut message = format!("the context does not take the model, {} {plural}:", problems.len());
    let list = Array::new();
    for problem in problems {
        let Unsupported { node, operator, message: sentence } = problem;
        message.push_str(&format!("\n  {operator} {node:?}: {sentence}"));
        list.push(&object([
            ("node", node.as_str().into()),
            ("operator", operator.as_str().into()),
            ("reason", "unsupported by the context".into()),
            ("message", sentence.as_str().into()),
            ("needs", Array::new().into()),
        ]));
    }
    object([("message", message.into()), ("problems", list.into())]).into()
}

/// An `MLOpSupportLimits` dictionary.
pub(crate) struct SupportLimits<'a>(pub(crate) &'a JsValue);

impl Support for SupportLimits<'_> {
    fn max_byte_length(&self) -> Option<f64> {
        get(self.0, "maxTensorByteLength").as_f64()
    }

    fn has(&self, method: &str) -> bool {
        get(self.0, method).is_object()
    }

    fn limits(&self, method: &str, slot: &str) -> Option<TensorLimits> {
        let mut limits = get(self.0, method);
        if !slot.is_empty() {
            limits = get(&limits, slot);
        }
        if !limits.is_object() {
            return None;
        }
        let data_types = get(&limits, "dataTypes");
        let data_types = data_types
            .dyn_ref::<Array>()
            .map(|types| types.iter().filter_map(|name| name.as_string()).collect());
        let range = get(&limits, "rankRange");
        let ranks = get(&range, "min").as_f64().zip(get(&range, "max").as_f64());
        Some(TensorLimits { data_types, ranks })
    }
}
