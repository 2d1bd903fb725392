//! How long graphs of growing size take to compile; weights are small, so that packing them is not
//! what is timed. A line whose time per node grows with the nodes shows a pass that is worse than
//! linear.
//!
//! An argument selects graphs whose name contains it: `cargo bench -p webnn-cpu --bench compile`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use webnn_core::{Graph, Limits, text};
use webnn_cpu::{Engine, Options};

/// About so many nodes.
const SIZES: [usize; 4] = [500, 1000, 2000, 4000];

/// A graph of about as many nodes, as text.
type Generator = fn(usize) -> String;

const GRAPHS: &[(&str, Generator)] = &[
    ("element-wise chain", chain),
    ("convolutions", convolutions),
    ("transformer", transformer),
    ("dense concats", dense),
    ("wide", wide),
    ("quantized", quantized),
    ("reshapes and transposes", movement),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let engine = Engine::new(Options { threads: Some(1) });
    for (name, generate) in GRAPHS {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        print!("{name:<24}");
        for size in SIZES {
            let graph = text::parse(&generate(size), Limits::default())
                .expect("the generated text is a graph");
            let nodes = graph.nodes().len();
            let time = (0..3).map(|_| compile(&engine, graph.clone())).min().unwrap_or_default();
            let ms = time.as_secs_f64() * 1e3;
            print!("  {nodes:>5} nodes {ms:>7.2} ms ({:>5.1} µs)", ms * 1e3 / nodes as f64);
        }
        println!();
    }
}

fn compile(engine: &Engine, graph: Graph) -> Duration {
    let start = Instant::now();
    engine.compile(graph).expect("the generated graph compiles");
    start.elapsed()
}

/// Writes lines to a text, which cannot fail.
macro_rules! line {
    ($text:ident, $($format:tt)*) => {
        writeln!($text, $($format)*).expect("a text takes every line")
    };
}

fn chain(size: usize) -> String {
    let mut text = String::from("%v0 = input \"x\" float32[4, 8]\n");
    for i in 1..=size {
        let op = ["tanh", "sigmoid", "neg"][i % 3];
        line!(text, "%v{i} = {op}(%v{})", i - 1);
    }
    line!(text, "output \"y\" = %v{size}");
    text
}

fn convolutions(size: usize) -> String {
    let mut text = String::from("%x0 = input \"x\" float32[1, 8, 8, 8]\n");
    let blocks = size / 5;
    for i in 1..=blocks {
        let before = i - 1;
        line!(text, "%w{i} = constant float32[8, 8, 1, 1] splat 0.{i}");
        line!(text, "%m{i} = constant float32[8] splat 0.{i}");
        line!(text, "%d{i} = constant float32[8, 1, 3, 3] splat 0.{i}");
        line!(text, "%a{i} = conv2d(%x{before}, %w{i})");
        line!(text, "%b{i} = batchNormalization(%a{i}, %m{i}, %m{i})");
        line!(text, "%c{i} = clamp(%b{i}) {{ minValue: 0, maxValue: 6 }}");
        line!(text, "%e{i} = conv2d(%c{i}, %d{i}) {{ padding: [1, 1, 1, 1], groups: 8 }}");
        line!(text, "%x{i} = add(%e{i}, %x{before})");
    }
    line!(text, "output \"y\" = %x{blocks}");
    text
}

fn transformer(size: usize) -> String {
    let mut text = String::from("%x0 = input \"x\" float32[1, 8, 16]\n");
    let blocks = size / 20;
    for i in 1..=blocks {
        let before = i - 1;
        line!(text, "%w{i} = constant float32[16, 16] splat 0.{i}");
        line!(text, "%s{i} = constant float32[16] splat 0.{i}");
        line!(text, "%n{i} = layerNormalization(%x{before}, scale: %s{i}) {{ axes: [2] }}");
        for part in ["q", "k", "v"] {
            line!(text, "%{part}a{i} = matmul(%n{i}, %w{i})");
            line!(text, "%{part}b{i} = add(%{part}a{i}, %s{i})");
            line!(text, "%{part}c{i} = reshape(%{part}b{i}) {{ newShape: [1, 8, 2, 8] }}");
            let order = if part == "k" { "[0, 2, 3, 1]" } else { "[0, 2, 1, 3]" };
            line!(text, "%{part}d{i} = transpose(%{part}c{i}) {{ permutation: {order} }}");
        }
        line!(text, "%t{i} = matmul(%qd{i}, %kd{i})");
        line!(text, "%p{i} = softmax(%t{i}) {{ axis: 3 }}");
        line!(text, "%o{i} = matmul(%p{i}, %vd{i})");
        line!(text, "%g{i} = transpose(%o{i}) {{ permutation: [0, 2, 1, 3] }}");
        line!(text, "%h{i} = reshape(%g{i}) {{ newShape: [1, 8, 16] }}");
        line!(text, "%l{i} = matmul(%h{i}, %w{i})");
        line!(text, "%x{i} = add(%l{i}, %x{before})");
    }
    line!(text, "output \"y\" = %x{blocks}");
    text
}

/// Every layer reads the concat of all before it.
fn dense(size: usize) -> String {
    let mut text = String::from("%x0 = input \"x\" float32[1, 8, 4, 4]\n");
    let blocks = size / 3;
    for i in 1..=blocks {
        let before = i - 1;
        line!(text, "%a{i} = relu(%x{before})");
        line!(text, "%s{i} = slice(%a{i}) {{ starts: [0, 0, 0, 0], sizes: [1, 1, 4, 4] }}");
        line!(text, "%x{i} = concat(%x{before}, %s{i}) {{ axis: 1 }}");
    }
    line!(text, "output \"y\" = %x{blocks}");
    text
}

/// Many branches of one value that come together again in one node.
fn wide(size: usize) -> String {
    let mut text = String::from("%x = input \"x\" float32[4, 8]\n");
    let branches = size / 2;
    for i in 0..branches {
        line!(text, "%c{i} = constant float32[8] splat 0.{i}");
        line!(text, "%a{i} = mul(%x, %c{i})");
        line!(text, "%b{i} = tanh(%a{i})");
    }
    let parts: Vec<String> = (0..branches).map(|i| format!("%b{i}")).collect();
    line!(text, "%y = concat({}) {{ axis: 0 }}", parts.join(", "));
    line!(text, "output \"y\" = %y");
    text
}

fn quantized(size: usize) -> String {
    let mut text = String::from(
        "%x = input \"x\" float32[1, 4, 4, 8]\n\
         %s = constant float32[1, 1, 1, 1] {0.5}\n\
         %z = constant uint8[1, 1, 1, 1] {128}\n\
         %wz = constant int8[8, 1, 1, 1] splat 0\n\
         %q0 = quantizeLinear(%x, %s, %z)\n",
    );
    let blocks = size / 5;
    for i in 1..=blocks {
        let before = i - 1;
        line!(text, "%w{i} = constant int8[8, 1, 1, 8] splat {}", i % 100);
        line!(text, "%ws{i} = constant float32[8, 1, 1, 1] splat 0.{i}");
        line!(text, "%d{i} = dequantizeLinear(%q{before}, %s, %z)");
        line!(text, "%f{i} = dequantizeLinear(%w{i}, %ws{i}, %wz)");
        line!(
            text,
            "%c{i} = conv2d(%d{i}, %f{i}) {{ inputLayout: \"nhwc\", filterLayout: \"ohwi\" }}"
        );
        line!(text, "%r{i} = relu(%c{i})");
        line!(text, "%q{i} = quantizeLinear(%r{i}, %s, %z)");
    }
    line!(text, "%y = dequantizeLinear(%q{blocks}, %s, %z)");
    line!(text, "output \"y\" = %y");
    text
}

/// What moves without being computed, between nodes that keep it from vanishing.
fn movement(size: usize) -> String {
    let mut text = String::from("%x0 = input \"x\" float32[2, 3, 4]\n");
    let blocks = size / 4;
    for i in 1..=blocks {
        let before = i - 1;
        line!(text, "%a{i} = transpose(%x{before}) {{ permutation: [2, 0, 1] }}");
        line!(text, "%b{i} = reshape(%a{i}) {{ newShape: [3, 4, 2] }}");
        line!(text, "%c{i} = softmax(%b{i}) {{ axis: 2 }}");
        line!(text, "%x{i} = reshape(%c{i}) {{ newShape: [2, 3, 4] }}");
    }
    line!(text, "output \"y\" = %x{blocks}");
    text
}
