//! Models as they are published become graphs, where their files are at hand.

use std::path::PathBuf;

use webnn_core::{Graph, GraphBuilder, Limits, Op, Source};
use webnn_onnx::{ElemType, Fixed, Model, Options};

/// The graph of a model, or `None` where the models are not there.
fn graph(file: &str, options: &Options) -> Option<Graph> {
    let path = PathBuf::from(std::env::var_os("WEBNN_SHARED")?).join("models").join(file);
    if !path.exists() {
        eprintln!("skipped: {file}");
        return None;
    }
    let model = Model::open(&path, options).expect("the model is valid");
    let mut builder = GraphBuilder::new(Limits::default());
    let outputs = model.build(&mut builder).expect("the model can be built");
    let outputs: Vec<_> = outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
    Some(builder.build(&outputs).expect("the importer gives results"))
}

fn count(graph: &Graph, name: &str) -> usize {
    graph.nodes().iter().filter(|node| node.op.method().name == name).count()
}

fn dims(list: &[(&str, u32)]) -> Options {
    let dims = list.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect();
    Options { dims, ..Options::default() }
}

#[test]
fn mobilenet_keeps_its_convolutions() {
    let options = dims(&[("batch_size", 1)]);
    let Some(graph) = graph("mobilenetv2/mobilenetv2-fp32.onnx", &options) else { return };
    assert_eq!(count(&graph, "conv2d"), 52);
    assert_eq!(count(&graph, "reshape"), 1);
    assert_eq!(graph.nodes().len(), 100);
}

#[test]
fn quantized_mobilenet_keeps_its_integers() {
    let options = dims(&[("batch_size", 1)]);
    let Some(graph) = graph("mobilenetv2/mobilenetv2-int8-qdq.onnx", &options) else { return };
    assert_eq!(count(&graph, "conv2d"), 52);
    let constants =
        graph.values().iter().filter(|value| matches!(value.source, Source::Constant(_)));
    let bytes: u64 = constants.map(|value| value.desc.byte_length()).sum();
    assert!(bytes < 4 << 20, "{bytes} bytes of constants");
}

#[test]
fn minilm_has_no_shape_arithmetic_left() {
    let options = dims(&[("batch_size", 1), ("sequence_length", 16)]);
    let Some(graph) = graph("all-MiniLM-L6-v2/onnx/model_fp16.onnx", &options) else { return };
    assert_eq!(graph.inputs().len(), 3);
    assert_eq!(graph.desc(graph.outputs()[0].value).shape[..], [1, 16, 384]);
    let lists = graph.nodes().iter().filter(|node| matches!(node.op, Op::Concat(_)));
    assert_eq!(lists.count(), 0);
}

#[test]
fn magika_is_a_graph_of_one_input() {
    let options = Options {
        input_shapes: [("bytes".to_owned(), vec![1, 2048])].into(),
        ..Options::default()
    };
    let Some(graph) = graph("magika/standard_v3_3.onnx", &options) else { return };
    assert_eq!(graph.desc(graph.outputs()[0].value).shape[..], [1, 214]);
}

#[test]
fn the_sample_rate_takes_silero_apart() {
    let rate = Fixed {
        elem: ElemType::Int64,
        dims: vec![],
        bytes: 16000i64.to_le_bytes().to_vec().into(),
    };
    let shapes = [("input".to_owned(), vec![1, 576]), ("state".to_owned(), vec![2, 1, 128])];
    let mut options = Options { input_shapes: shapes.into(), ..Options::default() };
    options.fixed.insert("sr".to_owned(), rate);
    for file in ["silero_vad.onnx", "silero_vad_op18_ifless.onnx"] {
        let Some(graph) = graph(file, &options) else { continue };
        let names: Vec<&str> = graph.inputs().iter().map(|port| port.name.as_str()).collect();
        assert_eq!(names, ["input", "state"], "{file}");
        assert_eq!(graph.desc(graph.outputs()[0].value).shape[..], [1, 1], "{file}");
    }
}
