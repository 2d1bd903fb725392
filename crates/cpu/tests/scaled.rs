//! Convolutions of images whose channels are multiplied by factors, against their definitions. Filters
//! are large here: factors of images that are much larger multiply the filter.

mod common;

use common::{Fill, Random, check, engines};
use webnn_core::{Graph, Limits, text};

/// A pointwise convolution of `%i`, with what `body` makes of `%x`, `%f` and others.
struct Case {
    /// The shape of `%x`.
    image: [u32; 4],
    /// The shape of `%f`.
    factors: &'static [u32],
    outputs: u32,
    body: &'static str,
}

const PLAIN: &str = "%i = mul(%x, %f)
%y = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
output \"y\" = %y";

impl Case {
    fn graph(&self) -> Graph {
        let Case { image: [n, h, w, c], factors, outputs, body } = self;
        let source = format!(
            "%x = input \"x\" float32[{n}, {h}, {w}, {c}]
%f = input \"f\" float32{factors:?}
%r = input \"r\" float32[{n}, {h}, {w}, {outputs}]
%v = input \"v\" float32[{c}, 1, 1, {outputs}]
%w = constant float32[{c}, 1, 1, {outputs}] {}
{body}",
            numbers(c * outputs)
        );
        text::parse(&source, Limits::default()).unwrap_or_else(|error| panic!("{error}\n{source}"))
    }

    /// Checks the results, and whether the convolution multiplies by itself.
    fn check(&self, is_one_step: bool) {
        let graph = self.graph();
        let mut random = Random::new(5);
        let ports = graph.inputs().iter();
        let inputs: Vec<_> =
            ports.map(|port| random.tensor(graph.desc(port.value), Fill::Any)).collect();
        let name = format!("{:?} {:?} {}", self.image, self.factors, self.body);
        check(&engines(), &name, &graph, &inputs, 1e-4);
        for engine in engines() {
            let program = engine.compile(graph.clone()).unwrap_or_else(|error| panic!("{error}"));
            let steps: Vec<&str> = program.steps().iter().map(|step| &step.ops[..]).collect();
            let found = steps.iter().any(|ops| ops.starts_with("mul+conv2d"));
            assert_eq!(found, is_one_step, "{name}: {steps:?}");
        }
    }
}

/// Numbers of both signs that differ from their neighbours.
fn numbers(count: u32) -> String {
    let numbers = (0..count).map(|i| ((i * 37) % 29) as f32 / 28.0 - 0.5);
    format!("{{{}}}", numbers.map(|x| x.to_string()).collect::<Vec<_>>().join(", "))
}

#[test]
fn convolutions_multiply_by_themselves() {
    for body in [
        PLAIN,
        "%i = mul(%f, %x)
%c = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
%s = add(%c, %r)
%y = tanh(%s)
output \"y\" = %y",
        // The filter is packed in each run.
        "%i = mul(%x, %f)
%y = conv2d(%i, %v) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
output \"y\" = %y",
        // The image is taken by others, too.
        "%i = mul(%x, %f)
%y = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
%z = neg(%x)
output \"y\" = %y
output \"z\" = %z",
    ] {
        for factors in [&[1, 1, 1, 20][..], &[20]] {
            Case { image: [1, 7, 6, 20], factors, outputs: 37, body }.check(true);
        }
    }
}

#[test]
fn rows_are_multiplied_some_at_a_time() {
    // Two threads share the rows of the first and the columns of the second.
    Case { image: [1, 20, 19, 600], factors: &[600], outputs: 140, body: PLAIN }.check(true);
    Case { image: [1, 10, 11, 601], factors: &[601], outputs: 900, body: PLAIN }.check(true);
}

#[test]
fn the_first_of_a_chain_of_strips_multiplies() {
    let body = "%i = mul(%x, %f)
%c = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
%b = relu(%c)
%q = constant float32[400, 1, 1, 3] splat 0.125
%y = conv2d(%b, %q) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
output \"y\" = %y";
    let case = Case { image: [1, 40, 25, 24], factors: &[24], outputs: 400, body };
    case.check(true);
    for engine in engines() {
        let program = engine.compile(case.graph()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(program.steps().len(), 1, "{} threads", engine.threads());
    }
}

#[test]
fn other_products_are_computed_before() {
    let image = [1, 6, 6, 6];
    for (image, factors, body) in [
        // Factors of each image, of each column, and of each pixel.
        ([2, 6, 6, 6], &[2, 1, 1, 6][..], PLAIN),
        ([2, 6, 6, 6], &[6], PLAIN),
        (image, &[1, 1, 6, 1], PLAIN),
        (image, &[1, 6, 6, 6], PLAIN),
        // Windows that pass over the image.
        (
            image,
            &[6],
            "%i = mul(%x, %f)
%y = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\", strides: [2, 2] }
output \"y\" = %y",
        ),
        (
            image,
            &[6],
            "%i = mul(%x, %f)
%y = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\", padding: [1, 1, 0, 0] }
output \"y\" = %y",
        ),
        // The product is taken twice, or is an output.
        (
            image,
            &[6],
            "%i = mul(%x, %f)
%y = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
%z = conv2d(%i, %v) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
output \"y\" = %y
output \"z\" = %z",
        ),
        (
            image,
            &[6],
            "%i = mul(%x, %f)
%y = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
output \"y\" = %y
output \"i\" = %i",
        ),
        // A chain makes the product.
        (
            image,
            &[6],
            "%e = tanh(%x)
%i = mul(%e, %f)
%y = conv2d(%i, %w) { inputLayout: \"nhwc\", filterLayout: \"ihwo\" }
output \"y\" = %y",
        ),
        // A single row.
        ([1, 1, 1, 6], &[6], PLAIN),
    ] {
        Case { image, factors, outputs: 7, body }.check(false);
    }
}
