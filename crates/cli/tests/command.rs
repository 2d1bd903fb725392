//! The command as people and scripts meet it: what it prints, writes and exits with.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn webnn(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_webnn")).args(arguments).output().unwrap()
}

/// Expects success, and gives what was printed.
#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let output = webnn(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Expects an exit code, and an error of one line that holds the text.
#[track_caller]
fn fails(arguments: &[&str], code: i32, text: &str) {
    let output = webnn(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(errors.starts_with("error: ") && errors.contains(text), "{arguments:?}: {errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

fn digits(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/digits");
    folder.join(file).to_str().unwrap().to_owned()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }
}

/// y = x + x
const DOUBLE: &str = "%x = input \"x\" float32[2]\n%y = add(%x, %x)\noutput \"y\" = %y\n";

#[test]
fn a_digit_is_recognised() {
    for digit in 0..10 {
        let picture = digits(&format!("samples/{digit}.png"));
        let printed = succeeds(&[
            "run",
            &digits("digits.onnx"),
            "--input",
            &picture,
            "--labels",
            &digits("labels.txt"),
            "--top",
            "1",
            "--json",
        ]);
        let printed: Value = serde_json::from_str(&printed).unwrap();
        let top = &printed["outputs"]["probabilities"]["top"][0];
        assert_eq!(top.as_array().unwrap().len(), 1);
        assert_eq!(top[0]["index"], digit, "{printed}");
    }
}

#[test]
fn outputs_are_written_and_compared() {
    let folder = Folder::new();
    let model = folder.write("double.webnn", DOUBLE);
    let x = folder.write("x.json", "[1.5, -2]");
    let y = folder.path("y.npy");
    succeeds(&["run", &model, "--input", &x, "--output", &format!("y={y}")]);
    let written = fs::read(&y).unwrap();
    assert!(written.ends_with(&[3.0f32, -4.0].map(f32::to_le_bytes).concat()));

    succeeds(&["run", &model, "--input", &format!("x={x}"), "--compare", &y]);
    let printed = succeeds(&["run", &model, "--input", &x, "--device", "reference", "--json"]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["outputs"]["y"]["data"], json!([3.0, -4.0]));

    let other = folder.write("other.json", "[3, -4.1]");
    fails(&["run", &model, "--input", &x, "--compare", &other], 1, "differs from");
    // A file that would be written after a failed comparison is there; one that cannot is not.
    let nowhere = folder.path("no/such/folder/y.npy");
    fails(&["run", &model, "--input", &x, "--output", &nowhere], 1, "cannot write");
}

#[test]
fn wrong_use_exits_with_2() {
    let folder = Folder::new();
    let model = folder.write("double.webnn", DOUBLE);
    let x = folder.write("x.json", "[1, 2]");
    fails(&["run", &model], 2, "input \"x\" (float32[2]) has no file");
    fails(&["run", &model, "--input", "z=x.json"], 2, "expected NAME=FILE with one of x");
    fails(&["run", &model, "--input", &x, "--input", &x], 2, "given twice");
    fails(&["run", &model, "--input", &x, "--output", "z=y.npy"], 2, "with one of y");
    fails(&["run", &digits("digits.onnx"), "--dims", "batch"], 2, "expected NAME=SIZE");
    fails(&["run", &digits("digits.onnx"), "--dims", "batch=1"], 2, "no free dimension");
    fails(&["run", &digits("digits.onnx"), "--fix", "sr=1"], 2, "no such input");
    fails(&["run", &model, "--input", &x, "--device", "abacus"], 2, "abacus");
    fails(&["conformance", "--filter", "(", &folder.path("")], 2, "--filter");
    fails(&["dance"], 2, "dance");
}

#[test]
fn failures_exit_with_1_and_name_the_place() {
    let folder = Folder::new();
    let model = folder.write("double.webnn", DOUBLE);
    let x = folder.write("x.json", "[1, 2]");
    fails(&["run", &folder.path("none.onnx"), "--input", &x], 1, "none.onnx");
    fails(&["run", &model, "--input", &folder.path("none.npy")], 1, "none.npy");
    let shape = folder.write("shape.json", "[1, 2, 3]");
    fails(&["run", &model, "--input", &shape], 1, "the shape is [3], expected [2]");
    let picture = folder.write("broken.png", "no picture");
    fails(&["run", &digits("digits.onnx"), "--input", &picture], 1, "broken.png");
    let whole = fs::read(digits("digits.onnx")).unwrap();
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        let cut = folder.write("cut.onnx", &whole[..length]);
        fails(&["inspect", &cut], 1, "cut.onnx");
    }
    let text = folder.write("bad.webnn", "%x = input \"x\" float32[2]\n%y = ad(%x)\n");
    fails(&["inspect", &text], 1, "bad.webnn");
    fails(&["run", &model, "--input", &x, "--device", "gpu"], 1, "there is only the CPU");
    fails(&["conformance", &folder.path("")], 2, "no case was run");
    fails(&["conformance", &folder.path("none")], 1, "none");
}

#[test]
fn a_model_is_inspected() {
    let printed = succeeds(&["inspect", &digits("digits.onnx"), "--json"]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["parameters"], 22_954);
    assert_eq!(printed["inputs"][0]["shape"], json!([1, 1, 8, 8]));
    assert!(printed["memory"]["peakBytes"].as_u64().unwrap() > 4 * 22_954);
    assert!(succeeds(&["inspect", &digits("digits.onnx"), "--steps"]).contains("conv2d"));
}

#[test]
fn a_model_is_timed_and_traced() {
    let folder = Folder::new();
    let trace = folder.path("trace.json");
    let model = digits("digits.onnx");
    let printed =
        succeeds(&["bench", &model, "--runs", "5", "--json", "--profile", "--trace", &trace]);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["runs"], 5);
    assert!(printed["leastNs"].as_u64() <= printed["medianNs"].as_u64());
    let trace: Value = serde_json::from_slice(&fs::read(&trace).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let steps = printed["steps"].as_array().unwrap();
    assert_eq!(events.len(), steps.len() + 2);
    assert!(events.iter().all(|event| event["ph"] == "X" && event["dur"].is_number()));
}

#[test]
fn steps_are_held_against_what_the_machine_can_do() {
    let model = digits("digits.onnx");
    let arguments = ["bench", &model, "--runs", "2", "--threads", "1", "--profile", "--roofline"];
    let printed = succeeds(&[&arguments[..], &["--json"]].concat());
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let total = &printed["roofline"];
    assert!(total["floatOpsPerSecond"].as_f64().unwrap() > 1e6, "{total}");
    assert!(total["int8OpsPerSecond"].as_f64().unwrap() > 1e6, "{total}");
    assert_eq!(total["reads"].as_array().unwrap().len(), 4);
    // No other thread has a line to pass.
    assert!(total["lineNs"].is_null(), "{total}");
    let steps = printed["steps"].as_array().unwrap();
    let least = |of: &Value| of["leastNs"].as_f64().unwrap();
    let sum: f64 = steps.iter().map(|step| least(&step["roofline"])).sum();
    assert!((sum - least(total)).abs() <= steps.len() as f64, "{sum} {total}");
    let table = succeeds(&arguments);
    assert!(table.contains("of peak") && table.contains("in all"), "{table}");
    fails(&["bench", &model, "--roofline"], 2, "--profile");
    fails(&[&arguments[..], &["--device", "reference"]].concat(), 1, "no peak is known");
}

#[test]
fn the_worker_speaks_the_protocol() {
    let folder = Folder::new();
    let x: Vec<u8> = (0..64u8).flat_map(|i| (f32::from(i) / 64.0).to_le_bytes()).collect();
    let x = folder.write("x.bin", x);
    let model = digits("digits.onnx");
    let outputs = json!([{ "name": "probabilities", "dtype": "float32", "shape": [1, 10] }]);
    let load = |model: &str| {
        json!({ "cmd": "load", "id": "m", "model": model,
                "inputs": [{ "name": "image", "dtype": "float32", "shape": [1, 1, 8, 8], "file": x }],
                "outputs": outputs })
    };
    let requests = [
        json!({ "cmd": "init", "threads": 1, "more": "is ignored" }),
        json!({ "cmd": "run", "id": "m", "warmup": 0, "iters": 1 }),
        load("/no/such/model.onnx"),
        load(&model),
        json!({ "cmd": "run", "id": "m", "warmup": 1, "iters": 3 }),
        json!({ "cmd": "dump", "id": "m", "dir": folder.path(""), "outputs": outputs }),
        json!({ "cmd": "unload", "id": "m" }),
        json!({ "cmd": "dance" }),
        json!({ "cmd": "exit" }),
    ];
    let mut worker = Command::new(env!("CARGO_BIN_EXE_webnn"))
        .arg("bench-worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = worker.stdin.take().unwrap();
    for request in &requests {
        writeln!(stdin, "{request}").unwrap();
    }
    drop(stdin);
    let output = worker.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ok: Vec<bool> = answers.iter().map(|answer| answer["ok"].as_bool().unwrap()).collect();
    assert_eq!(ok, [true, false, false, true, true, true, true, false, true], "{text}");
    assert!(answers[0]["version"].as_str().unwrap().contains("1 thread"), "{text}");
    assert!(answers[3]["load_ns"].is_u64() && answers[3]["compile_ns"].is_u64());
    assert_eq!(answers[4]["ns"].as_array().unwrap().len(), 3);
    let dumped = &answers[5]["outputs"][0];
    assert_eq!(dumped["shape"], json!([1, 10]));
    let file = fs::read(PathBuf::from(dumped["file"].as_str().unwrap())).unwrap();
    let (elements, _) = file.as_chunks::<4>();
    let sum: f32 = elements.iter().map(|&element| f32::from_le_bytes(element)).sum();
    assert!(elements.len() == 10 && (sum - 1.0).abs() < 1e-5, "{sum}");
}

#[test]
fn completions_are_printed() {
    assert!(succeeds(&["completions", "bash"]).contains("bench-worker"));
}
