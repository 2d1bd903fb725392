//! Nodes that are computed together, against their definitions one by one.

mod common;

use common::{Fill, Random, check, engines};
use webnn_core::{Limits, text};

/// Compares a graph, given as text, with its definition.
fn check_text(name: &str, source: &str, tolerance: f64) {
    let graph =
        text::parse(source, Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut random = Random::new(source.len() as u64);
    let inputs: Vec<_> = graph
        .inputs()
        .iter()
        .map(|port| random.tensor(graph.desc(port.value), Fill::Any))
        .collect();
    check(&engines(), name, &graph, &inputs, tolerance);
}

#[test]
fn attention_of_heads_matches() {
    for (heads, rows, keys, depth) in
        [(1, 1, 1, 4), (2, 5, 7, 8), (3, 70, 33, 16), (4, 197, 197, 64)]
    {
        for data_type in ["float32", "float16"] {
            // By definition the scores are rounded to half precision before the softmax: where
            // they are large, the results differ by much.
            if data_type == "float16" && depth > 16 {
                continue;
            }
            let width = heads * depth;
            let source = format!(
                "%0 = input \"q\" {data_type}[2, {rows}, {width}]
%1 = input \"k\" {data_type}[2, {keys}, {width}]
%2 = input \"v\" {data_type}[2, {keys}, {width}]
%3 = input \"mask\" {data_type}[2, 1, 1, {keys}]
%4 = reshape(%0) {{ newShape: [2, {rows}, {heads}, {depth}] }}
%5 = transpose(%4) {{ permutation: [0, 2, 1, 3] }}
%6 = reshape(%1) {{ newShape: [2, {keys}, {heads}, {depth}] }}
%7 = transpose(%6) {{ permutation: [0, 2, 3, 1] }}
%8 = reshape(%2) {{ newShape: [2, {keys}, {heads}, {depth}] }}
%9 = transpose(%8) {{ permutation: [0, 2, 1, 3] }}
%10 = matmul(%5, %7)
%11 = add(%10, %3)
%12 = softmax(%11) {{ axis: 3 }}
%13 = matmul(%12, %9)
%14 = transpose(%13) {{ permutation: [0, 2, 1, 3] }}
%15 = reshape(%14) {{ newShape: [2, {rows}, {width}] }}
output \"y\" = %15
output \"heads\" = %13
"
            );
            let last_only = source.replace("output \"heads\" = %13\n", "");
            let tolerance = if data_type == "float16" { 3e-2 } else { 2e-5 };
            let name = format!("{heads} {rows} {keys} {data_type}");
            check_text(&name, &source, tolerance);
            check_text(&name, &last_only, tolerance);
        }
    }
}

#[test]
fn attention_joins_past_keys_and_values_with_new_ones() {
    // Batch, heads, heads of keys, queries, past and new keys, and whether the concats are left to
    // the attention.
    for (batch, heads, kept, rows, past, new, is_joined) in [
        (1, 3, 3, 1, 130, 1, true),
        (2, 4, 2, 4, 9, 4, true),
        (2, 3, 3, 2, 1, 300, true),
        (1, 3, 3, 5, 20, 5, false),
        (1, 1, 1, 1, 20, 1, false),
    ] {
        let (keys, shared) = (past + new, heads / kept);
        let spread = |from: &str, to: &str| {
            format!(
                "%{to}1 = reshape(%{from}) {{ newShape: [{batch}, {kept}, 1, {keys}, 20] }}
%{to}2 = expand(%{to}1) {{ newShape: [{batch}, {kept}, {shared}, {keys}, 20] }}
%{to} = reshape(%{to}2) {{ newShape: [{batch}, {heads}, {keys}, 20] }}
"
            )
        };
        let source = format!(
            "%q = input \"q\" float32[{batch}, {heads}, {rows}, 20]
%pk = input \"pk\" float32[{batch}, {kept}, {past}, 20]
%pv = input \"pv\" float32[{batch}, {kept}, {past}, 20]
%nk = input \"nk\" float32[{batch}, {kept}, {new}, 20]
%nv = input \"nv\" float32[{batch}, {kept}, {new}, 20]
%m = input \"m\" float32[{batch}, 1, {rows}, {keys}]
%k = concat(%pk, %nk) {{ axis: 2 }}
%v = concat(%pv, %nv) {{ axis: 2 }}
{}{}%t = transpose(%ks) {{ permutation: [0, 1, 3, 2] }}
%s = matmul(%q, %t)
%a = add(%s, %m)
%w = softmax(%a) {{ axis: 3 }}
%y = matmul(%w, %vs)
output \"y\" = %y
output \"k\" = %k
output \"v\" = %v
",
            spread("k", "ks"),
            spread("v", "vs")
        );
        let name = format!("{heads} heads, {rows} queries, {past} and {new} keys");
        check_text(&name, &source, 2e-5);
        let graph = text::parse(&source, Limits::default()).unwrap();
        let program = engines()[0].compile(graph).unwrap();
        let steps: Vec<&str> = program.steps().iter().map(|step| &step.ops[..]).collect();
        assert_eq!(!steps.contains(&"concat"), is_joined, "{name}: {steps:?}");
    }
}

#[test]
fn what_follows_a_product_matches() {
    for (after, shape) in [
        ("%3 = relu(%2)", "[1]"),
        ("%3 = add(%2, %9)", "[40]"),
        ("%3 = add(%2, %9)", "[3, 50, 1]"),
        ("%3 = add(%2, %9)", "[3, 50, 40]"),
        ("%3 = sub(%9, %2)", "[50, 40]"),
        ("%8 = gelu(%2)\n%3 = mul(%8, %9)", "[40]"),
        ("%8 = add(%2, %9)\n%7 = clamp(%8) { maxValue: 1, minValue: -1 }\n%3 = tanh(%7)", "[40]"),
        ("%8 = relu(%2)\n%3 = add(%8, %9)", "[]"),
        ("%3 = mul(%2, %2)", "[1]"),
    ] {
        for data_type in ["float32", "float16"] {
            let source = format!(
                "%0 = input \"a\" {data_type}[3, 50, 30]
%1 = input \"b\" {data_type}[30, 40]
%9 = input \"c\" {data_type}{shape}
%2 = matmul(%0, %1)
{after}
output \"y\" = %3
"
            );
            check_text(&format!("{after} {shape} {data_type}"), &source, 5e-5);
        }
    }
}

#[test]
fn quantized_products_match() {
    // (kind of input, operator, shapes) where the sums stay away from the halves between steps.
    for (input, weights, output) in
        [("uint8", "int8", "uint8"), ("int8", "int8", "int8"), ("uint8", "uint8", "uint8")]
    {
        for (op, x, w, channels, scale) in [
            ("matmul(%a, %b)", "[7, 40]", "[40, 33]", 33, "[1, 33]"),
            (
                "conv2d(%a, %b, bias: %bias) { inputLayout: \"nhwc\", filterLayout: \"ohwi\", padding: [1, 1, 1, 1] }",
                "[1, 6, 7, 20]",
                "[9, 3, 3, 20]",
                9,
                "[9, 1, 1, 1]",
            ),
            (
                "conv2d(%a, %b, bias: %bias) { inputLayout: \"nhwc\", filterLayout: \"ohwi\" }",
                "[2, 5, 5, 20]",
                "[40, 1, 1, 20]",
                40,
                "[1, 1, 1, 1]",
            ),
            (
                "conv2d(%a, %b, bias: %bias) { groups: 20, inputLayout: \"nhwc\", filterLayout: \"ihwo\", strides: [2, 2], padding: [1, 1, 1, 1] }",
                "[1, 9, 9, 20]",
                "[1, 3, 3, 20]",
                20,
                "[1, 1, 1, 20]",
            ),
        ] {
            let ones = |shape: &str| "1, ".repeat(shape.matches(',').count()) + "1";
            let source = format!(
                "%x = input \"x\" {input}{x}
%sx = constant float32[{}] splat 0.5
%zx = constant {input}[{}] splat 3
%w = constant {weights}{w} splat 2
%sw = constant float32{scale} splat 0.25
%zw = constant {weights}{scale} splat 1
%bias = constant float32[{channels}] splat 1.5
%so = constant float32[{}] splat 0.75
%zo = constant {output}[{}] splat 5
%a = dequantizeLinear(%x, %sx, %zx)
%b = dequantizeLinear(%w, %sw, %zw)
%y = {op}
%r = relu(%y)
%q = quantizeLinear(%r, %so, %zo)
output \"q\" = %q
",
                ones(x),
                ones(x),
                ones(x),
                ones(x)
            );
            check_text(&format!("{input} {weights} {op}"), &source, 0.0);
        }
    }
}

#[test]
fn products_are_written_where_they_are_joined() {
    let convolutions = "%x = input \"x\" float32[2, 6, 5, 8]
%p = constant float32[1, 1, 8, 5] splat 0.25
%k = input \"k\" float32[3, 3, 8, 7]
%d = input \"d\" float32[3, 3, 1, 8]
%r = input \"r\" float32[2, 6, 5, 7]
%0 = conv2d(%x, %p) { inputLayout: \"nhwc\", filterLayout: \"hwio\" }
%1 = relu(%0)
%2 = conv2d(%x, %k) { inputLayout: \"nhwc\", filterLayout: \"hwio\", padding: [1, 1, 1, 1] }
%3 = sigmoid(%2)
%4 = mul(%3, %r)
%5 = conv2d(%x, %d) { inputLayout: \"nhwc\", filterLayout: \"hwio\", padding: [1, 1, 1, 1], groups: 8 }
";
    for (name, source, concats) in [
        ("all", format!("{convolutions}%y = concat(%1, %4, %5) {{ axis: 3 }}\n"), 0),
        // Nothing computes the input.
        ("with an input", format!("{convolutions}%y = concat(%4, %x, %1) {{ axis: 3 }}\n"), 1),
        ("one twice", format!("{convolutions}%y = concat(%1, %4, %1) {{ axis: 3 }}\n"), 1),
        (
            "one that others take",
            format!(
                "{convolutions}%6 = concat(%1, %5) {{ axis: 3 }}\n%y = neg(%6)\noutput \"z\" = %1\n"
            ),
            1,
        ),
        (
            "a concat of a concat",
            format!(
                "{convolutions}%6 = concat(%1, %4) {{ axis: 3 }}\n%y = concat(%6, %5) {{ axis: 3 }}\n"
            ),
            0,
        ),
        (
            "matrices",
            "%a = input \"a\" float32[70, 40]
%b = constant float32[40, 33] splat 0.5
%c = input \"c\" float32[40, 50]
%0 = matmul(%a, %b)
%1 = gemm(%a, %c)
%2 = concat(%1, %0) { axis: 1 }
%y = reshape(%2) { newShape: [35, 166] }
"
            .into(),
            0,
        ),
    ] {
        let source = format!("{source}output \"y\" = %y\n");
        check_text(name, &source, 1e-5);
        let graph = text::parse(&source, Limits::default()).unwrap();
        let program = engines()[0].compile(graph).unwrap();
        let joins = program.steps().iter().filter(|step| step.ops == "concat");
        assert_eq!(joins.count(), concats, "{name}");
    }
}
