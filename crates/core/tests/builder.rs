//! The builder's states and what belongs to whom.

use webnn_core::attrs::{Args, Attr};
use webnn_core::ops::{Op, Unary, methods};
use webnn_core::{
    Bytes, DataType, DataTypes, ErrorKind, GraphBuilder, Limits, Number, Operand, Result,
};

const F32: DataType = DataType::Float32;

fn builder() -> GraphBuilder {
    GraphBuilder::new(Limits::default())
}

fn relu(builder: &mut GraphBuilder, operand: Operand) -> Result<Operand> {
    builder.push_one(Unary::Relu, &[operand], "")
}

/// The kind and the message of what must be an error.
#[track_caller]
fn fails<T>(result: Result<T>, kind: ErrorKind, message: &str) {
    match result {
        Ok(_) => panic!("it is accepted, expected {message:?}"),
        Err(error) => assert_eq!((error.kind(), error.message()), (kind, message)),
    }
}

#[test]
fn inputs_have_a_name_of_their_own_and_a_valid_shape() {
    let mut builder = builder();
    builder.input("x", F32, &[2]).expect("the first of its name");
    fails(
        builder.input("x", F32, &[2]),
        ErrorKind::Type,
        "input \"x\": name is already used by another input",
    );
    fails(builder.input("", F32, &[2]), ErrorKind::Type, "input \"\": name is empty");
    fails(
        builder.input("y", F32, &[0]),
        ErrorKind::Type,
        "input \"y\": dimension 0 of shape [0] is 0, expected 1 to 2147483647",
    );
    fails(
        builder.input("y", F32, &[1; 9]),
        ErrorKind::Type,
        "input \"y\": rank 9 is not supported, expected at most 8",
    );
    // Nothing of a refused call stays, and any character may be in a name.
    for name in ["y", "\0", " ", "X"] {
        builder.input(name, F32, &[]).expect("the name is new");
    }
}

#[test]
fn constants_have_as_many_bytes_as_their_shape_says() {
    let mut builder = builder();
    for (data_type, shape, length, is_right) in [
        (F32, &[2][..], 8, true),
        (F32, &[2], 7, false),
        (F32, &[2], 12, false),
        (F32, &[], 4, true),
        (DataType::Int4, &[3], 2, true),
        (DataType::Int4, &[3], 1, false),
        (DataType::Uint64, &[1, 1], 8, true),
    ] {
        let result = builder.constant(data_type, shape, vec![0; length]);
        assert_eq!(result.is_ok(), is_right, "{length} bytes for {data_type}{shape:?}");
    }
    fails(
        builder.constant(F32, &[2], vec![0; 7]),
        ErrorKind::Type,
        "constant: constant has 7 bytes, expected 8 for float32[2]",
    );
}

#[test]
fn constants_are_shared_with_the_caller() {
    let mut builder = builder();
    let bytes = Bytes::from(vec![1, 2, 3, 4]);
    let x = builder.constant(F32, &[], bytes.clone()).expect("four bytes");
    assert!(builder.constant_bytes(x).is_some_and(|shared| shared.is_same(&bytes)));
    let y = relu(&mut builder, x).expect("a float");
    assert_eq!(builder.constant_bytes(y), None);
    let graph = builder.build(&[("y", y)]).expect("y is a result");
    let constant = graph.constant(graph.nodes()[0].inputs[0].expect("an operand"));
    assert!(constant.is_some_and(|shared| shared.is_same(&bytes)));
}

#[test]
fn scalars_are_cast_as_the_specification_casts_numbers() {
    for (data_type, number, expected) in [
        (F32, Number::Float(0.1), &0.1f32.to_le_bytes()[..]),
        (DataType::Int8, Number::Float(2.5), &[2]),
        (DataType::Uint8, Number::Float(-7.0), &[0]),
        (DataType::Uint64, Number::Int(u64::MAX.into()), &[255; 8]),
        (DataType::Int4, Number::Int(-1), &[15]),
    ] {
        let mut builder = builder();
        let scalar = builder.scalar(data_type, number).expect("any number");
        assert_eq!(scalar.shape().rank(), 0);
        let bytes = builder.constant_bytes(scalar).expect("a constant");
        assert_eq!(&bytes[..], expected, "{number} as {data_type}");
    }
}

#[test]
fn operands_of_other_builders_are_refused() {
    let (mut first, mut second) = (builder(), builder());
    let x = first.input("x", F32, &[2]).expect("valid");
    let message = "relu: an operand belongs to another builder";
    second.input("x", F32, &[2]).expect("valid");
    fails(relu(&mut second, x), ErrorKind::Type, message);
    let y = relu(&mut first, x).expect("its own");
    fails(
        second.build(&[("y", y)]),
        ErrorKind::Type,
        "build: output \"y\" belongs to another builder",
    );
    assert_eq!(second.constant_bytes(x), None);
}

#[test]
fn outputs_are_results_with_names_of_their_own() {
    let mut builder = builder();
    let x = builder.input("x", F32, &[2]).expect("valid");
    let c = builder.scalar(F32, 1.0).expect("valid");
    let y = relu(&mut builder, x).expect("valid");
    for (outputs, message) in [
        (&[][..], "build: there are no outputs"),
        (&[("", y)], "build: an output's name is empty"),
        (&[("y", y), ("y", y)], "build: output \"y\" is named twice"),
        (&[("x", x)], "build: output \"x\" is an input, expected a result"),
        (&[("y", y), ("c", c)], "build: output \"c\" is a constant, expected a result"),
    ] {
        fails(builder.build(outputs), ErrorKind::Type, message);
        assert!(!builder.has_built());
    }
    // One value may have several names, and inputs and outputs do not share theirs.
    let graph = builder.build(&[("x", y), ("y", y)]).expect("refused builds change nothing");
    assert_eq!(
        graph.to_string(),
        "%0 = input \"x\" float32[2]\n%1 = relu(%0)\noutput \"x\" = %1\noutput \"y\" = %1\n"
    );
}

#[test]
fn a_builder_builds_once() {
    let mut builder = builder();
    let x = builder.input("x", F32, &[2]).expect("valid");
    let y = relu(&mut builder, x).expect("valid");
    builder.build(&[("y", y)]).expect("valid");
    assert!(builder.has_built());
    let kind = ErrorKind::InvalidState;
    let rest = "the builder has already built";
    fails(builder.build(&[("y", y)]), kind, &format!("build: {rest}"));
    fails(builder.input("z", F32, &[2]), kind, &format!("input \"z\": {rest}"));
    fails(builder.constant(F32, &[], vec![0; 4]), kind, &format!("constant: {rest}"));
    fails(builder.scalar(F32, 1.0), kind, &format!("constant: {rest}"));
    fails(relu(&mut builder, x), kind, &format!("relu: {rest}"));
    // The state comes before anything else that is wrong.
    fails(builder.input("", F32, &[0]), kind, &format!("input \"\": {rest}"));
    fails(builder.add("nothing", &[], &Args::new(), ""), kind, &format!("nothing: {rest}"));
    fails(builder.add("elu", &[], &Args::new(), "l"), kind, &format!("elu [l]: {rest}"));
    assert_eq!(builder.constant_bytes(x), None);
}

#[test]
fn only_what_the_outputs_need_becomes_the_graph() {
    let mut builder = builder();
    let x = builder.input("x", F32, &[2, 2]).expect("valid");
    let unused = builder.input("unused", F32, &[2]).expect("valid");
    relu(&mut builder, unused).expect("valid");
    let args = Args::new().with("splits", Attr::Number(Number::Int(2)));
    let parts = builder.add("split", &[Some(x)], &args, "").expect("valid");
    let graph = builder.build(&[("second", parts[1])]).expect("valid");
    assert_eq!(
        graph.to_string(),
        "%0 = input \"x\" float32[2, 2]\n%1, %2 = split(%0) { splits: 2 }\noutput \"second\" = %2\n"
    );
}

#[test]
fn unknown_methods_are_refused_and_unknown_attributes_are_not() {
    let mut builder = builder();
    let x = builder.input("x", F32, &[2]).expect("valid");
    let args = Args::new().with("beta", Attr::Text("unknown".into()));
    builder.add("elu", &[Some(x)], &args, "").expect("a dictionary may have other members");
    fails(
        builder.add("einsum", &[Some(x)], &args, "sum"),
        ErrorKind::Type,
        "einsum [sum]: there is no method \"einsum\"",
    );
    fails(
        builder.add("elu", &[Some(x), Some(x)], &Args::new(), ""),
        ErrorKind::Type,
        "elu: 2 operands were given, expected at most 1",
    );
    fails(builder.add("elu", &[None], &Args::new(), ""), ErrorKind::Type, "elu: input is missing");
    let args = Args::new().with("axis", Attr::Number(Number::Int(0)));
    fails(
        builder.add("concat", &[Some(x), None], &args, ""),
        ErrorKind::Type,
        "concat: inputs has an empty item",
    );
}

#[test]
fn what_an_engine_does_not_take_is_refused() {
    let limits = Limits {
        data_types: DataTypes::FLOATS,
        max_tensor_byte_length: 64,
        max_nodes: 2,
        ..Limits::default()
    };
    let mut builder = GraphBuilder::new(limits);
    fails(
        builder.input("x", DataType::Int8, &[2]),
        ErrorKind::Type,
        "input \"x\": data type int8 is not supported, expected one of float32, float16",
    );
    fails(
        builder.input("x", F32, &[17]),
        ErrorKind::Type,
        "input \"x\": float32[17] takes 68 bytes, expected at most 64",
    );
    let x = builder.input("x", F32, &[16]).expect("64 bytes");
    let cast = |to: &str| Args::new().with("dataType", Attr::Text(to.into()));
    fails(
        builder.add("cast", &[Some(x)], &cast("int32"), ""),
        ErrorKind::Type,
        "cast: output: data type int32 is not supported, expected one of float32, float16",
    );
    let args = Args::new().with("repetitions", Attr::List(vec![Attr::Number(Number::Int(2))]));
    fails(
        builder.add("tile", &[Some(x)], &args, ""),
        ErrorKind::Type,
        "tile: output: float32[32] takes 128 bytes, expected at most 64",
    );
    let y = relu(&mut builder, x).and_then(|y| relu(&mut builder, y)).expect("two nodes");
    fails(relu(&mut builder, y), ErrorKind::Type, "relu: the graph has 2 nodes, expected no more");
}

#[test]
fn values_are_limited_however_few_nodes_make_them() {
    let mut builder = GraphBuilder::new(Limits { max_nodes: 2, ..Limits::default() });
    let x = builder.input("x", F32, &[31]).expect("valid");
    let args = Args::new().with("splits", Attr::Number(Number::Int(31)));
    builder.add("split", &[Some(x)], &args, "").expect("32 values");
    let message = "the graph would have more than 32 values";
    fails(relu(&mut builder, x), ErrorKind::Type, &format!("relu: {message}"));
    fails(builder.scalar(F32, 1.0), ErrorKind::Type, &format!("constant: {message}"));
    fails(builder.input("y", F32, &[]), ErrorKind::Type, &format!("input \"y\": {message}"));
}

#[test]
fn scalars_and_eight_dimensions_go_through() {
    let shape = [1, 2, 1, 2, 1, 2, 1, 2];
    for shape in [&[][..], &shape] {
        let mut builder = builder();
        let x = builder.input("x", F32, shape).expect("valid");
        for method in methods() {
            if method.slots.len() == 1 && method.fields.iter().all(|field| !field.is_parameter) {
                let limits = Limits::default().slot(method, &method.slots[0]);
                let (min, max) = limits.rank_range;
                let fits = limits.data_types.contains(F32) && (min..=max).contains(&shape.len());
                let result = builder.add(method.name, &[Some(x)], &Args::new(), "");
                assert_eq!(result.is_ok(), fits, "{} of rank {}", method.name, shape.len());
            }
        }
    }
}

#[test]
fn limits_list_every_operand_and_result() {
    let limits = Limits { data_types: DataTypes::of(&[F32, DataType::Int32]), ..Limits::default() };
    let op = Op::parse("quantizeLinear", &Args::new()).expect("it has no attributes");
    let rows = limits.method(op.method());
    let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["input", "scale", "zeroPoint", "output"]);
    for ((name, limits), expected) in rows.iter().zip([F32, F32, DataType::Int32, DataType::Int32])
    {
        assert_eq!(limits.data_types, DataTypes::of(&[expected]), "{name}");
        assert_eq!(limits.rank_range, (0, 8), "{name}");
    }
    assert_eq!(limits.tensors().data_types, limits.data_types);
    let op = Op::parse("where", &Args::new()).expect("it has no attributes");
    let rows = limits.method(op.method());
    assert_eq!(rows[0].1.data_types, DataTypes::of(&[]), "condition is uint8 alone");
    assert_eq!(rows[2].1.data_types, limits.data_types, "as trueValue");
}

#[test]
fn operands_go_by_name() {
    let mut builder = GraphBuilder::new(Limits::default());
    let x = builder.input("x", F32, &[2, 3]).unwrap();
    let c = builder.input("c", F32, &[2, 3]).unwrap();
    let args = Args::new().with("aTranspose", Attr::Bool(true));
    let named = [("c", vec![c]), ("b", vec![x]), ("a", vec![x])];
    let error = builder.add_named("gemm", &named, &args, "g").unwrap_err();
    assert!(error.message().starts_with("gemm [g]: "), "{error}");
    let joined = builder.add_named(
        "concat",
        &[("inputs", vec![x, c])],
        &Args::new().with("axis", Attr::Number(Number::Int(0))),
        "",
    );
    assert_eq!(joined.unwrap()[0].shape().to_vec(), [4, 3]);
    for (operands, expected) in [
        (vec![("x", vec![x])], "relu: there is no operand \"x\""),
        (vec![("input", vec![x, c])], "relu: input is a sequence, expected one operand"),
        (vec![], "relu: input is missing"),
    ] {
        let error = builder.add_named("relu", &operands, &Args::new(), "").unwrap_err();
        assert_eq!(error.message(), expected);
    }
}

#[test]
fn labels_are_shown_without_what_changes_how_text_looks() {
    let mut builder = GraphBuilder::new(Limits::default());
    let label = "a'b\"c\\d\n\u{202e}\u{2066}é";
    let error = builder.add_named("relu", &[], &Args::new(), label).unwrap_err();
    assert_eq!(error.message(), "relu [a'b\"c\\d\\n\\u{202e}\\u{2066}é]: input is missing");
}
