//! Files that were broken or made to harm: a clear error, never a panic, a hang or a huge allocation.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::*;
use prost::Message;
use webnn_core::{GraphBuilder, Limits};
use webnn_onnx::wire::*;
use webnn_onnx::{Error, Model, Options, Reason};

/// A model with a bit of everything: weights, shapes, a branch.
fn sample() -> Vec<u8> {
    let branch = |op: &str| graph(vec![], vec![], vec![node(op, &["c"], &["r"])], &["r"]);
    let choice = node("If", &["yes"], &["e"]);
    let choice = with(choice, body("then_branch", branch("Relu")));
    let choice = with(choice, body("else_branch", branch("Tanh")));
    let conv = with(node("Conv", &["x", "w"], &["c"]), ints("pads", &[1, 1, 1, 1]));
    let constants =
        vec![floats("w", &[2, 1, 3, 3], 0.5), scalar("yes", BOOL, 1), int_list("to", &[1, -1])];
    let nodes = vec![conv, choice, node("Reshape", &["e", "to"], &["y"])];
    let inputs = vec![value("x", FLOAT, &["1", "1", "4", "4"])];
    model(graph(inputs, constants, nodes, &["y"])).encode_to_vec()
}

/// Reads and builds within small limits; what comes of it does not matter.
fn attempt(bytes: Vec<u8>) -> Result<(), Error> {
    let model = Model::from_bytes(bytes, &Options::default())?;
    let limits = Limits { max_tensor_byte_length: 1 << 20, ..Limits::default() };
    model.build(&mut GraphBuilder::new(limits)).map(|_| ())
}

#[test]
fn every_prefix_of_a_model_is_read_without_panic() {
    let whole = sample();
    attempt(whole.clone()).unwrap();
    for length in 0..whole.len() {
        let _either = attempt(whole[..length].to_vec());
    }
}

#[test]
fn flipped_bits_are_read_without_panic() {
    let whole = sample();
    // A linear congruential generator, so that every run flips the same bits.
    let mut state = 1u64;
    let mut next = |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    for _ in 0..1500 {
        let mut bytes = whole.clone();
        for _ in 0..=next(4) {
            let place = next(bytes.len());
            bytes[place] ^= 1 << next(8);
        }
        let _either = attempt(bytes);
    }
}

#[test]
fn declared_sizes_allocate_nothing() {
    let huge = |dims: &[i64]| TensorProto {
        name: Some("w".into()),
        dims: dims.into(),
        data_type: Some(FLOAT),
        raw_data: Some(vec![0; 4].into()),
        ..TensorProto::default()
    };
    for dims in [&[1 << 40][..], &[i64::MAX, i64::MAX], &[-1], &[1 << 20, 1 << 20], &[2]] {
        let nodes = vec![node("Relu", &["w"], &["y"])];
        let found =
            problems(model(graph(vec![], vec![huge(dims)], nodes, &["y"])), &Options::default());
        assert_eq!(found[0].node, "w", "{dims:?}");
    }
    // Shapes that are computed may ask for any size, too.
    for (op, list) in [
        ("ConstantOfShape", &[1 << 20, 1 << 20][..]),
        ("ConstantOfShape", &[i64::MAX]),
        ("ConstantOfShape", &[-5]),
    ] {
        let nodes = vec![node(op, &["s"], &["y"])];
        let whole = graph(vec![], vec![int_list("s", list)], nodes, &["y"]);
        assert!(!problems(model(whole), &Options::default()).is_empty(), "{list:?}");
    }
    let bounds = ["a", "b", "c"].into_iter().zip([0, i64::MAX, 1]);
    let constants = bounds.map(|(name, number)| scalar(name, INT64, number)).collect();
    let nodes = vec![node("Range", &["a", "b", "c"], &["y"])];
    assert!(
        !problems(model(graph(vec![], constants, nodes, &["y"])), &Options::default()).is_empty()
    );
}

#[test]
fn known_values_have_a_limit_together() {
    let bounds = ["a", "b", "c"].into_iter().zip([0, 1000, 1]);
    let constants = bounds.map(|(name, number)| scalar(name, INT64, number)).collect();
    let names: Vec<String> = (0..20).map(|i| format!("y{i}")).collect();
    let nodes =
        names.iter().map(|name| node("Range", &["a", "b", "c"], &[name.as_str()])).collect();
    let outputs: Vec<&str> = names.iter().map(String::as_str).collect();
    let whole = model(graph(vec![], constants, nodes, &outputs));
    assert!(built(whole.clone(), &Options::default()).is_ok());
    let found = problems(whole, &Options { max_known: 10_000, ..Options::default() });
    assert_eq!((found[0].node.as_str(), found[0].reason), ("Range_y10", Reason::Limit));
}

#[test]
fn sizes_that_overflow_are_refused() {
    let repeats = int_list("r", &[i64::from(i32::MAX), i64::from(i32::MAX)]);
    let pads = int_list("p", &[i64::MAX, 0, i64::MIN, 0]);
    for (op, name, constant) in [("Tile", "r", repeats), ("Pad", "p", pads)] {
        let inputs = vec![value("x", FLOAT, &["2", "3"])];
        let whole = graph(inputs, vec![constant], vec![node(op, &["x", name], &["y"])], &["y"]);
        assert!(!problems(model(whole), &Options::default()).is_empty(), "{op}");
    }
    let slice = ["s", "e", "a", "t"];
    let numbers = [i64::MIN, i64::MAX, 0, i64::MIN];
    let constants = slice.iter().zip(numbers).map(|(name, n)| int_list(name, &[n])).collect();
    let nodes = vec![node("Slice", &["x", "s", "e", "a", "t"], &["y"])];
    let whole = graph(vec![value("x", FLOAT, &["2", "3"])], constants, nodes, &["y"]);
    assert!(!problems(model(whole), &Options::default()).is_empty());
}

#[test]
fn deep_nesting_is_refused() {
    let leaf = || graph(vec![], vec![], vec![node("Relu", &["x"], &["r"])], &["r"]);
    let mut inside = leaf();
    for _ in 0..40 {
        let choice = with(node("If", &["yes"], &["r"]), body("then_branch", inside));
        inside = graph(vec![], vec![], vec![with(choice, body("else_branch", leaf()))], &["r"]);
    }
    let choice = with(node("If", &["yes"], &["y"]), body("then_branch", inside));
    let inputs = vec![value("x", FLOAT, &["2"])];
    let whole = model(graph(inputs, vec![scalar("yes", BOOL, 1)], vec![choice], &["y"]));
    // Deeper than the decoder goes, and deeper than the importer does.
    assert!(matches!(attempt(whole.encode_to_vec()), Err(Error::Malformed(_))));
    let found = problems(whole, &Options::default());
    assert!(found.iter().any(|problem| problem.reason == Reason::Limit), "{found:?}");
}

#[test]
fn a_function_that_calls_itself_ends() {
    let mut call = node("Again", &["a"], &["b"]);
    call.domain = Some("own".into());
    let function = FunctionProto {
        name: Some("Again".into()),
        domain: Some("own".into()),
        input: vec!["a".into()],
        output: vec!["b".into()],
        node: vec![call.clone(), call.clone()],
        ..FunctionProto::default()
    };
    let mut outer = node("Again", &["x"], &["y"]);
    outer.domain = Some("own".into());
    let mut proto = model(graph(vec![value("x", FLOAT, &["2"])], vec![], vec![outer], &["y"]));
    proto.functions.push(function);
    assert!(!problems(proto, &Options::default()).is_empty());
}

/// A model whose one weight lies in another file.
fn external(location: &str, offset: i64, length: i64) -> ModelProto {
    let entry = |key: &str, value: String| StringStringEntryProto {
        key: Some(key.into()),
        value: Some(value),
    };
    let weight = TensorProto {
        name: Some("w".into()),
        dims: vec![2],
        data_type: Some(FLOAT),
        data_location: Some(1),
        external_data: vec![
            entry("location", location.into()),
            entry("offset", offset.to_string()),
            entry("length", length.to_string()),
        ],
        ..TensorProto::default()
    };
    let inputs = vec![value("x", FLOAT, &["2"])];
    model(graph(inputs, vec![weight], vec![node("Add", &["x", "w"], &["y"])], &["y"]))
}

/// A folder of this test's own, gone when the value is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("webnn-onnx-{}-{name}", std::process::id()));
        let _absent = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("model"))
            .expect("the folder for temporary files can be written");
        fs::write(path.join("secret"), [0; 64])
            .expect("the folder for temporary files can be written");
        fs::write(path.join("model/weights"), [0; 16])
            .expect("the folder for temporary files can be written");
        Folder(path)
    }

    fn open(&self, proto: &ModelProto) -> Result<(), Error> {
        let path = self.0.join("model/model.onnx");
        fs::write(&path, proto.encode_to_vec())
            .expect("the folder for temporary files can be written");
        let model = Model::open(&path, &Options::default())?;
        model.build(&mut GraphBuilder::new(Limits::default())).map(|_| ())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn external_data_stays_in_the_models_folder_and_in_its_file() {
    let folder = Folder::new("external");
    for (location, offset, length, why) in [
        ("weights", 8, 8, ""),
        ("./weights", 0, 8, ""),
        ("../secret", 0, 8, "expected a file in the model's folder"),
        ("sub/../../secret", 0, 8, "expected a file in the model's folder"),
        ("/etc/passwd", 0, 8, "expected a file in the model's folder"),
        ("missing", 0, 8, "external data in \"missing\""),
        ("", 0, 8, "external data"),
        (".", 0, 8, "not a regular file"),
        ("weights", 12, 8, "lies outside"),
        ("weights", i64::MAX, 8, "lies outside"),
        ("weights", -1, 8, "offset"),
        ("weights", 0, 4, "expected 8"),
        ("weights", 0, i64::MAX, "expected 8"),
    ] {
        match folder.open(&external(location, offset, length)) {
            Ok(()) => assert_eq!(why, "", "{location} {offset} {length}"),
            Err(error) => {
                let error = error.to_string();
                assert!(!why.is_empty() && error.contains(why), "{location} {offset}: {error}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_refused() {
    let folder = Folder::new("links");
    std::os::unix::fs::symlink(folder.0.join("secret"), folder.0.join("model/link")).unwrap();
    let error = folder.open(&external("link", 0, 8)).unwrap_err().to_string();
    assert!(error.contains("leads out"), "{error}");
}

#[test]
fn what_is_no_file_is_an_error_with_its_path() {
    for path in ["/nonexistent/model.onnx", "/"] {
        let error = Model::open(Path::new(path), &Options::default()).unwrap_err();
        assert!(matches!(error, Error::Io { .. }) && error.to_string().contains(path), "{error}");
    }
}

#[test]
fn models_without_the_necessary_are_malformed() {
    let good = || {
        model(graph(
            vec![value("x", FLOAT, &["2"])],
            vec![],
            vec![node("Relu", &["x"], &["y"])],
            &["y"],
        ))
    };
    type Damage = fn(&mut ModelProto);
    let broken: [(&str, Damage); 5] = [
        ("graph", |proto| proto.graph = None),
        ("version", |proto| proto.ir_version = Some(99)),
        ("operator set", |proto| proto.opset_import[0].version = Some(1000)),
        ("outputs", |proto| proto.graph.as_mut().unwrap().output.clear()),
        ("twice", |proto| {
            let inputs = &mut proto.graph.as_mut().unwrap().input;
            inputs.push(inputs[0].clone());
        }),
    ];
    for (word, damage) in broken {
        let mut proto = good();
        damage(&mut proto);
        let error = built(proto, &Options::default()).unwrap_err();
        assert!(
            matches!(error, Error::Malformed(_)) && error.to_string().contains(word),
            "{error}"
        );
    }
}
