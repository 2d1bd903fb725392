//! What models become.

mod common;

use common::*;
use webnn_onnx::wire::*;
use webnn_onnx::{ElemType, Error, Fixed, Model, Options, Reason};

#[test]
fn what_maps_one_to_one_stays_one_operation() {
    let image = || value("x", FLOAT, &["1", "3", "8", "8"]);
    let matrix = || value("x", FLOAT, &["2", "4"]);
    let cases = [
        (
            "conv2d",
            image(),
            node("Conv", &["x", "w", "b"], &["y"]),
            vec![floats("w", &[5, 3, 3, 3], 1.0), floats("b", &[5], 0.0)],
        ),
        (
            "maxPool2d",
            image(),
            with(node("MaxPool", &["x"], &["y"]), ints("kernel_shape", &[2, 2])),
            vec![],
        ),
        ("averagePool2d", image(), node("GlobalAveragePool", &["x"], &["y"]), vec![]),
        (
            "gemm",
            matrix(),
            node("Gemm", &["x", "w", "b"], &["y"]),
            vec![floats("w", &[4, 6], 1.0), floats("b", &[6], 0.0)],
        ),
        ("matmul", matrix(), node("MatMul", &["x", "w"], &["y"]), vec![floats("w", &[4, 6], 1.0)]),
        (
            "layerNormalization",
            matrix(),
            node("LayerNormalization", &["x", "w", "b"], &["y"]),
            vec![floats("w", &[4], 1.0), floats("b", &[4], 0.0)],
        ),
        ("softmax", matrix(), node("Softmax", &["x"], &["y"]), vec![]),
        (
            "clamp",
            matrix(),
            node("Clip", &["x", "l", "h"], &["y"]),
            vec![floats("l", &[], 0.0), floats("h", &[], 6.0)],
        ),
        (
            "reduceMean",
            matrix(),
            node("ReduceMean", &["x", "a"], &["y"]),
            vec![int_list("a", &[-1])],
        ),
    ];
    for (operation, input, node, constants) in cases {
        let graph =
            built(model(graph(vec![input], constants, vec![node], &["y"])), &Options::default());
        assert_eq!(operations(&graph.unwrap()), [operation]);
    }
}

/// Flattens everything behind the first dimension, as exporters spell it.
fn flattening() -> GraphProto {
    graph(
        vec![value("x", FLOAT, &["batch", "4", "5"])],
        vec![scalar("zero", INT64, 0), int_list("axis", &[0]), int_list("rest", &[-1])],
        vec![
            node("Shape", &["x"], &["shape"]),
            node("Gather", &["shape", "zero"], &["count"]),
            node("Unsqueeze", &["count", "axis"], &["list"]),
            with(node("Concat", &["list", "rest"], &["to"]), int("axis", 0)),
            node("Reshape", &["x", "to"], &["y"]),
        ],
        &["y"],
    )
}

#[test]
fn shape_arithmetic_never_reaches_the_graph() {
    let options = Options { dims: [("batch".to_owned(), 3)].into(), ..Options::default() };
    let graph = built(model(flattening()), &options).unwrap();
    assert_eq!(operations(&graph), ["reshape"]);
    let output = graph.outputs()[0].value;
    assert_eq!(graph.desc(output).shape[..], [3, 20]);
}

#[test]
fn free_dimensions_must_be_named_by_the_caller() {
    let missing = problems(model(flattening()), &Options::default());
    assert_eq!(missing.len(), 1);
    assert!(missing[0].message.contains("\"batch\""), "{}", missing[0]);
    let options = Options { dims: [("bathc".to_owned(), 1)].into(), ..Options::default() };
    let error = built(model(flattening()), &options).unwrap_err();
    assert_eq!(error.to_string(), "there is no free dimension \"bathc\"; the model has batch");
}

#[test]
fn everything_that_is_missing_is_reported_at_once() {
    let nodes = vec![
        node("NoSuchThing", &["x"], &["a"]),
        node("RandomNormalLike", &["x"], &["b"]),
        node("NonZero", &["x"], &["c"]),
        node("AlsoNone", &["a"], &["d"]),
        node("Relu", &["b"], &["e"]),
        node("Reshape", &["x", "s"], &["f"]),
    ];
    let inputs = vec![value("x", FLOAT, &["2", "2"]), value("s", INT64, &["1"])];
    let found = problems(model(graph(inputs, vec![], nodes, &["e", "f"])), &Options::default());
    let listed: Vec<_> = found.iter().map(|p| (p.operator.as_str(), p.reason)).collect();
    assert_eq!(
        listed,
        [
            ("NoSuchThing", Reason::UnknownOperator),
            ("RandomNormalLike", Reason::Random),
            ("NonZero", Reason::DataDependentShape),
            ("AlsoNone", Reason::UnknownOperator),
            ("Reshape", Reason::RuntimeParameter),
        ]
    );
    assert_eq!(found[4].needs, ["s"]);
}

#[test]
fn a_fixed_input_is_a_constant() {
    let graph = graph(
        vec![value("x", FLOAT, &["2", "2"]), value("s", INT64, &["1"])],
        vec![],
        vec![node("Reshape", &["x", "s"], &["y"])],
        &["y"],
    );
    let fixed =
        Fixed { elem: ElemType::Int64, dims: vec![1], bytes: 4i64.to_le_bytes().to_vec().into() };
    let options = Options { fixed: [("s".to_owned(), fixed)].into(), ..Options::default() };
    let graph = built(model(graph), &options).unwrap();
    assert_eq!(graph.inputs().len(), 1);
    assert_eq!(operations(&graph), ["reshape"]);
}

#[test]
fn a_known_condition_chooses_its_branch() {
    let branch = |op: &str| graph(vec![], vec![], vec![node(op, &["x"], &["r"])], &["r"]);
    for (condition, operation) in [(1, "relu"), (0, "tanh")] {
        let choice = node("If", &["c"], &["y"]);
        let choice = with(
            with(choice, body("then_branch", branch("Relu"))),
            body("else_branch", branch("Tanh")),
        );
        let inputs = vec![value("x", FLOAT, &["2"])];
        let whole = graph(inputs, vec![scalar("c", BOOL, condition)], vec![choice], &["y"]);
        assert_eq!(operations(&built(model(whole), &Options::default()).unwrap()), [operation]);
    }
}

fn counted_loop(rounds: i64) -> ModelProto {
    let inside = graph(
        vec![value("i", INT64, &[]), value("go", BOOL, &[]), value("s", FLOAT, &["2"])],
        vec![],
        vec![node("Relu", &["s"], &["t"]), node("Identity", &["go"], &["on"])],
        &["on", "t"],
    );
    let repeated = with(node("Loop", &["n", "", "x"], &["y"]), body("body", inside));
    model(graph(
        vec![value("x", FLOAT, &["2"])],
        vec![scalar("n", INT64, rounds)],
        vec![repeated],
        &["y"],
    ))
}

#[test]
fn a_loop_of_known_length_is_written_out() {
    let graph = built(counted_loop(3), &Options::default()).unwrap();
    assert_eq!(operations(&graph), ["relu"; 3]);
    let endless = problems(counted_loop(i64::MAX), &Options::default());
    assert_eq!(endless[0].reason, Reason::Limit);
}

#[test]
fn functions_are_inlined_with_their_attributes() {
    let mut leak = node("LeakyRelu", &["a"], &["b"]);
    leak.attribute.push(AttributeProto {
        name: Some("alpha".into()),
        ref_attr_name: Some("slope".into()),
        ..AttributeProto::default()
    });
    let function = FunctionProto {
        name: Some("Leak".into()),
        domain: Some("own".into()),
        input: vec!["a".into()],
        output: vec!["b".into()],
        attribute: vec!["slope".into()],
        node: vec![leak],
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(18) }],
        ..FunctionProto::default()
    };
    let mut call = node("Leak", &["x"], &["y"]);
    call.domain = Some("own".into());
    call.attribute.push(AttributeProto {
        name: Some("slope".into()),
        f: Some(0.25),
        ..AttributeProto::default()
    });
    let mut proto = model(graph(vec![value("x", FLOAT, &["2"])], vec![], vec![call], &["y"]));
    proto.functions.push(function);
    let graph = built(proto, &Options::default()).unwrap();
    let webnn_core::Op::LeakyRelu(op) = &graph.nodes()[0].op else { panic!("{:?}", graph.nodes()) };
    assert_eq!(op.alpha, 0.25);
}

#[test]
fn tensors_without_elements_fold_away() {
    let inputs = vec![value("x", FLOAT, &["2", "3"]), value("none", FLOAT, &["0", "3"])];
    let nodes = vec![
        with(node("Concat", &["none", "x"], &["c"]), int("axis", 0)),
        node("Relu", &["c"], &["y"]),
    ];
    let graph = built(model(graph(inputs, vec![], nodes, &["y"])), &Options::default()).unwrap();
    assert_eq!(operations(&graph), ["relu"]);
    assert_eq!(graph.inputs().len(), 1);
}

#[test]
fn outputs_that_are_known_or_inputs_become_results() {
    let inputs = vec![value("x", FLOAT, &["2", "3"])];
    let nodes = vec![node("Shape", &["x"], &["s"]), node("Identity", &["x"], &["y"])];
    let graph =
        built(model(graph(inputs, vec![], nodes, &["s", "y"])), &Options::default()).unwrap();
    assert_eq!(operations(&graph), ["identity", "identity"]);
}

#[test]
fn unsorted_nodes_are_sorted_and_cycles_named() {
    let inputs = || vec![value("x", FLOAT, &["2"])];
    let nodes = vec![node("Relu", &["a"], &["y"]), node("Tanh", &["x"], &["a"])];
    let graph_of = |nodes| model(graph(inputs(), vec![], nodes, &["y"]));
    let sorted = built(graph_of(nodes), &Options::default()).unwrap();
    assert_eq!(operations(&sorted), ["tanh", "relu"]);
    let nodes = vec![node("Add", &["x", "y"], &["a"]), node("Relu", &["a"], &["y"])];
    let found = problems(graph_of(nodes), &Options::default());
    assert!(found[0].message.contains("cycle"), "{}", found[0]);
    assert_eq!(found[0].node, "Add_a");
}

#[test]
fn wrong_models_name_the_node() {
    let matrix = || vec![value("x", FLOAT, &["2", "3"])];
    for (nodes, place, sentence) in [
        (vec![node("Relu", &["nowhere"], &["y"])], "Relu_y", "input \"nowhere\" is not defined"),
        (
            vec![node("Relu", &["x"], &["y"]), node("Tanh", &["x"], &["y"])],
            "Tanh_y",
            "\"y\" is made twice",
        ),
        (vec![node("MatMul", &["x", "x"], &["y"])], "MatMul_y", "columns and rows differ"),
        (
            vec![with(node("Softmax", &["x"], &["y"]), int("axis", 9))],
            "Softmax_y",
            "axis 9 is out of range",
        ),
    ] {
        let found = problems(model(graph(matrix(), vec![], nodes, &["y"])), &Options::default());
        assert_eq!((found[0].node.as_str(), found[0].reason), (place, Reason::Invalid));
        assert!(found[0].message.contains(sentence), "{}", found[0]);
    }
}

#[test]
fn ports_keep_the_names_of_free_dimensions() {
    let model = Model::from_proto(model(flattening()), &Options::default()).unwrap();
    let inputs = model.inputs();
    assert_eq!(inputs[0].elem, Some(ElemType::Float32));
    assert_eq!(inputs[0].dims.as_ref().unwrap()[0], webnn_onnx::Dim::Named("batch".into()));
    assert_eq!(model.opset(), Some(18));
    assert!(matches!(
        Model::from_bytes(b"PK\x03\x04".to_vec(), &Options::default()),
        Err(Error::Malformed(_))
    ));
}
