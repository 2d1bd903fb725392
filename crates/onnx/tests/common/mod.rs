//! Small models made of messages.
#![allow(dead_code, reason = "each test file uses some of it")]

use webnn_core::{Graph, GraphBuilder, Limits};
use webnn_onnx::wire::*;
use webnn_onnx::{Error, Model, Options, Problem};

pub(crate) fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        op_type: Some(op.into()),
        input: inputs.iter().map(|&name| name.into()).collect(),
        output: outputs.iter().map(|&name| name.into()).collect(),
        name: Some(format!("{op}_{}", outputs.first().unwrap_or(&""))),
        ..NodeProto::default()
    }
}

pub(crate) fn with(mut node: NodeProto, attribute: AttributeProto) -> NodeProto {
    node.attribute.push(attribute);
    node
}

pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: Some(name.into()), i: Some(value), ..AttributeProto::default() }
}

pub(crate) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: Some(name.into()), ints: values.into(), ..AttributeProto::default() }
}

pub(crate) fn body(name: &str, graph: GraphProto) -> AttributeProto {
    AttributeProto { name: Some(name.into()), g: Some(graph), ..AttributeProto::default() }
}

/// A dimension is a number or a name.
pub(crate) fn value(name: &str, elem: i32, dims: &[&str]) -> ValueInfoProto {
    let dim = |text: &&str| DimensionProto {
        value: Some(match text.parse() {
            Ok(size) => DimensionValue::Size(size),
            Err(_) => DimensionValue::Name((*text).into()),
        }),
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = TensorTypeProto { elem_type: Some(elem), shape: Some(shape) };
    ValueInfoProto {
        name: Some(name.into()),
        r#type: Some(TypeProto { value: Some(TypeValue::Tensor(tensor)) }),
    }
}

pub(crate) const FLOAT: i32 = 1;
pub(crate) const INT64: i32 = 7;
pub(crate) const BOOL: i32 = 9;

pub(crate) fn int_list(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: vec![values.len() as i64],
        data_type: Some(INT64),
        int64_data: values.into(),
        ..TensorProto::default()
    }
}

pub(crate) fn scalar(name: &str, elem: i32, value: i64) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        data_type: Some(elem),
        int64_data: if elem == INT64 { vec![value] } else { vec![] },
        int32_data: if elem == INT64 { vec![] } else { vec![value as i32] },
        ..TensorProto::default()
    }
}

pub(crate) fn floats(name: &str, dims: &[i64], value: f32) -> TensorProto {
    let count = dims.iter().product::<i64>() as usize;
    TensorProto {
        name: Some(name.into()),
        dims: dims.into(),
        data_type: Some(FLOAT),
        raw_data: Some(value.to_le_bytes().repeat(count).into()),
        ..TensorProto::default()
    }
}

pub(crate) fn graph(
    inputs: Vec<ValueInfoProto>,
    constants: Vec<TensorProto>,
    nodes: Vec<NodeProto>,
    outputs: &[&str],
) -> GraphProto {
    GraphProto {
        node: nodes,
        initializer: constants,
        input: inputs,
        output: outputs.iter().map(|name| value(name, FLOAT, &[])).collect(),
        ..GraphProto::default()
    }
}

pub(crate) fn model(graph: GraphProto) -> ModelProto {
    let set = |domain: &str, version| OperatorSetIdProto {
        domain: Some(domain.into()),
        version: Some(version),
    };
    ModelProto {
        ir_version: Some(9),
        opset_import: vec![set("", 18), set("com.microsoft", 1)],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

pub(crate) fn built(proto: ModelProto, options: &Options) -> Result<Graph, Error> {
    let model = Model::from_proto(proto, options)?;
    let mut builder = GraphBuilder::new(Limits::default());
    let outputs = model.build(&mut builder)?;
    let outputs: Vec<_> = outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
    Ok(builder.build(&outputs).expect("the importer gives results"))
}

/// The names of the graph's operations in order.
pub(crate) fn operations(graph: &Graph) -> Vec<&'static str> {
    graph.nodes().iter().map(|node| node.op.method().name).collect()
}

pub(crate) fn problems(proto: ModelProto, options: &Options) -> Vec<Problem> {
    match built(proto, options) {
        Err(Error::Problems(problems)) => problems,
        Err(error) => panic!("{error}"),
        Ok(graph) => panic!("{graph:?}"),
    }
}
