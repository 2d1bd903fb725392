//! Chains of convolutions that are computed strip by strip, against their definitions and against
//! the same steps one by one.

mod common;

use common::{Fill, Random, check, engines, run};
use webnn_core::{Graph, Limits, text};
use webnn_cpu::{Engine, Options};

/// A depthwise convolution and the image before it.
struct Case {
    input: [u32; 3],
    window: &'static str,
    kernel: u32,
}

/// Channels of the wide images: large enough that three threads have more than their caches hold.
const WIDE: u32 = 72;

impl Case {
    /// A pointwise convolution, the depthwise one and a pointwise one; `outputs` names further
    /// values to give out.
    fn text(&self, after: [&str; 3], outputs: &str) -> String {
        let [images, height, width] = self.input;
        let Case { window, kernel, .. } = self;
        let nhwc = "inputLayout: \"nhwc\", filterLayout: ";
        let [expanded, filtered, projected] = after;
        format!(
            "%x = input \"x\" float32[{images}, {height}, {width}, 5]
%e = input \"e\" float32[{WIDE}]
%w0 = constant float32[1, 1, 5, {WIDE}] {}
%b0 = constant float32[{WIDE}] {}
%w1 = constant float32[1, {kernel}, {kernel}, {WIDE}] {}
%w2 = constant float32[1, 1, {WIDE}, 6] {}
%c0 = conv2d(%x, %w0, bias: %b0) {{ {nhwc}\"hwio\" }}
%i0 = {expanded}
%c1 = conv2d(%i0, %w1) {{ {nhwc}\"ihwo\", groups: {WIDE}{window} }}
%i1 = {filtered}
%c2 = conv2d(%i1, %w2) {{ {nhwc}\"hwio\" }}
{projected}
output \"y\" = %y
{outputs}",
            numbers(5 * WIDE, 0.25),
            numbers(WIDE, 0.125),
            numbers(kernel * kernel * WIDE, 0.125),
            numbers(WIDE * 6, 0.0625),
        )
    }
}

/// Numbers of both signs that differ from their neighbours.
fn numbers(count: u32, scale: f32) -> String {
    let numbers = (0..count).map(|i| (((i * 37) % 29) as f32 / 14.0 - 1.0) * scale);
    format!("{{{}}}", numbers.map(|x| x.to_string()).collect::<Vec<_>>().join(", "))
}

fn parse(source: &str) -> Graph {
    text::parse(source, Limits::default()).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

fn inputs(graph: &Graph) -> Vec<webnn_core::reference::Tensor> {
    let mut random = Random::new(7);
    let ports = graph.inputs().iter();
    ports.map(|port| random.tensor(graph.desc(port.value), Fill::Any)).collect()
}

fn steps(engine: &Engine, graph: &Graph) -> Vec<String> {
    let program = engine.compile(graph.clone()).unwrap_or_else(|error| panic!("{error}"));
    program.steps().iter().map(|step| step.ops.clone()).collect()
}

const CASES: [Case; 5] = [
    Case { input: [1, 77, 61], window: ", padding: [1, 1, 1, 1]", kernel: 3 },
    Case { input: [1, 76, 62], window: ", padding: [0, 1, 0, 1], strides: [2, 2]", kernel: 3 },
    Case { input: [1, 75, 63], window: ", padding: [2, 2, 2, 2], strides: [2, 2]", kernel: 5 },
    Case { input: [3, 26, 60], window: ", padding: [2, 0, 1, 1]", kernel: 5 },
    Case { input: [2, 40, 60], window: ", padding: [2, 2, 2, 2], dilations: [2, 2]", kernel: 3 },
];

const PLAIN: [&str; 3] =
    ["clamp(%c0) { minValue: 0, maxValue: 6 }", "relu(%c1)", "%y = identity(%c2)"];

#[test]
fn chains_match() {
    for case in CASES {
        let source = case.text(PLAIN, "");
        check(&engines(), case.window, &parse(&source), &inputs(&parse(&source)), 2e-5);
    }
}

#[test]
fn what_follows_each_convolution_matches() {
    let case = &CASES[0];
    for (name, after) in [
        ("a chain after each", ["hardSwish(%c0)", "sigmoid(%c1)", "%y = tanh(%c2)"]),
        ("operands that are read", ["mul(%c0, %e)", "max(%c1, %e)", "%y = relu(%c2)"]),
        (
            "a residual",
            [PLAIN[0], PLAIN[1], "%r = input \"r\" float32[1, 77, 61, 6]\n%y = add(%c2, %r)"],
        ),
        (
            "part of a concat",
            [
                PLAIN[0],
                PLAIN[1],
                "%r = input \"r\" float32[1, 77, 61, 2]\n%y = concat(%c2, %r) { axis: 3 }",
            ],
        ),
    ] {
        let graph = parse(&case.text(after, ""));
        check(&engines(), name, &graph, &inputs(&graph), 2e-5);
        let steps = steps(&engines()[1], &graph);
        assert!(steps.iter().any(|ops| ops.matches("conv2d").count() == 3), "{name}: {steps:?}");
    }
}

#[test]
fn depthwise_convolutions_at_both_ends_match() {
    for (name, window, kernel) in [
        ("overlapping rows", ", padding: [1, 1, 1, 1]", 3),
        ("every second row", ", padding: [1, 1, 1, 1], strides: [2, 2]", 3),
        ("rows that are passed over", ", strides: [3, 1]", 1),
    ] {
        let depthwise =
            format!("{{ inputLayout: \"nhwc\", filterLayout: \"ihwo\", groups: {WIDE}{window} }}");
        let source = format!(
            "%x = input \"x\" float32[1, 90, 61, {WIDE}]
%w0 = constant float32[1, 3, 3, {WIDE}] {}
%w1 = constant float32[1, 1, {WIDE}, {WIDE}] {}
%w2 = constant float32[1, {kernel}, {kernel}, {WIDE}] {}
%c0 = conv2d(%x, %w0) {{ inputLayout: \"nhwc\", filterLayout: \"ihwo\", groups: {WIDE}, padding: [1, 1, 1, 1] }}
%i0 = relu(%c0)
%c1 = conv2d(%i0, %w1) {{ inputLayout: \"nhwc\", filterLayout: \"hwio\" }}
%i1 = relu(%c1)
%y = conv2d(%i1, %w2) {depthwise}
output \"y\" = %y
",
            numbers(9 * WIDE, 0.125),
            numbers(WIDE * WIDE, 0.03125),
            numbers(kernel * kernel * WIDE, 0.25),
        );
        let graph = parse(&source);
        for engine in engines() {
            assert_eq!(steps(&engine, &graph).len(), 1, "{name}");
        }
        check(&engines(), name, &graph, &inputs(&graph), 2e-5);
    }
}

#[test]
fn strips_have_the_bits_of_whole_images() {
    for case in CASES {
        let joined = parse(&case.text(PLAIN, ""));
        let apart = parse(&case.text(PLAIN, "output \"i0\" = %i0\noutput \"i1\" = %i1\n"));
        for threads in 1..=3 {
            let engine = Engine::new(Options { threads: Some(threads) });
            assert_eq!(steps(&engine, &joined).len(), 1, "{} on {threads} threads", case.window);
            assert_eq!(steps(&engine, &apart).len(), 3, "{}", case.window);
            let inputs = inputs(&joined);
            let (strips, whole) = (run(&engine, &joined, &inputs), run(&engine, &apart, &inputs));
            assert_eq!(strips[0].to_vec(), whole[0].to_vec(), "{} {threads}", case.window);
        }
    }
}

#[test]
fn images_that_others_take_and_small_ones_are_whole() {
    let engine = &engines()[1];
    let text = |case: &Case, outputs: &str| parse(&case.text(PLAIN, outputs));
    let conv2d = |count: usize, steps: &[String]| {
        let joined: Vec<usize> = steps.iter().map(|ops| ops.matches("conv2d").count()).collect();
        assert_eq!(joined.iter().max(), Some(&count), "{steps:?}");
    };
    conv2d(3, &steps(engine, &text(&CASES[0], "")));
    conv2d(2, &steps(engine, &text(&CASES[0], "output \"i0\" = %i0\n")));
    conv2d(2, &steps(engine, &text(&CASES[0], "output \"i1\" = %i1\n")));
    let small = Case { input: [1, 20, 20], ..CASES[0] };
    conv2d(1, &steps(engine, &text(&small, "")));
    // Some rows, but too few for the threads to share.
    let flat = Case { input: [1, 10, 470], ..CASES[0] };
    conv2d(1, &steps(engine, &text(&flat, "")));
    conv2d(3, &steps(&engines()[0], &text(&flat, "")));
}
