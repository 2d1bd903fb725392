//! Graphs of few-bit integers that are computed without making floats of them, against their
//! definitions one by one.

mod common;

use common::{Fill, Random, check, engines};
use webnn_core::{Limits, text};

/// Compares a graph, given as text, with its definition, and says how many steps it takes.
fn check_steps(name: &str, source: &str, tolerance: f64) -> usize {
    let graph =
        text::parse(source, Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut random = Random::new(source.len() as u64);
    let inputs: Vec<_> = graph
        .inputs()
        .iter()
        .map(|port| {
            let desc = graph.desc(port.value);
            let fill = if desc.data_type.is_float() { Fill::Any } else { Fill::Below(256) };
            random.tensor(desc, fill)
        })
        .collect();
    let engines = engines();
    check(&engines, name, &graph, &inputs, tolerance);
    engines[0].compile(graph).expect("the graph compiles").steps().len()
}

/// One, as often as a shape has dimensions.
fn ones(shape: &str) -> String {
    format!("[{}]", vec!["1"; shape.matches(',').count() + 1].join(", "))
}

#[test]
fn operators_between_quantizations_take_one_step() {
    // (operator, shapes of its operands, shape of its result)
    for (op, a, b, y) in [
        ("add(%a, %b)", "[2, 7, 6, 33]", "[2, 7, 6, 33]", "[2, 7, 6, 33]"),
        ("add(%b, %a)", "[3, 70]", "[1, 1]", "[3, 70]"),
        ("sub(%a, %b)", "[3, 70]", "[3, 70]", "[3, 70]"),
        ("sub(%a, %b)", "[3, 70]", "[1, 1]", "[3, 70]"),
        ("mul(%a, %b)", "[3, 70]", "[3, 70]", "[3, 70]"),
        ("mul(%a, %a)", "[3, 70]", "", "[3, 70]"),
        ("sigmoid(%a)", "[3, 700]", "", "[3, 700]"),
        ("leakyRelu(%a) { alpha: 0.1 }", "[3, 70]", "", "[3, 70]"),
        ("clamp(%a) { minValue: -1, maxValue: 2.1 }", "[3, 70]", "", "[3, 70]"),
        ("concat(%a, %b) { axis: 2 }", "[2, 3, 5, 4]", "[2, 3, 2, 4]", "[2, 3, 7, 4]"),
        (
            "averagePool2d(%a) { layout: \"nhwc\", windowDimensions: [3, 3], padding: [1, 1, 1, 1] }",
            "[2, 5, 6, 20]",
            "",
            "[2, 5, 6, 20]",
        ),
        (
            "averagePool2d(%a) { layout: \"nhwc\", windowDimensions: [2, 2], strides: [2, 2] }",
            "[1, 6, 6, 20]",
            "",
            "[1, 3, 3, 20]",
        ),
        ("averagePool2d(%a) { layout: \"nhwc\" }", "[2, 7, 7, 70]", "", "[2, 1, 1, 70]"),
        (
            "reduceMean(%a) { axes: [1, 2], keepDimensions: true }",
            "[2, 7, 7, 9]",
            "",
            "[2, 1, 1, 9]",
        ),
        ("reduceMean(%a) { axes: [3], keepDimensions: true }", "[2, 3, 4, 50]", "", "[2, 3, 4, 1]"),
    ] {
        for (first, second, result, zero) in [
            ("uint8", "int8", "uint8", 131),
            ("int8", "int8", "int8", -9),
            ("int8", "uint8", "uint8", 4),
        ] {
            let operand = |name: &str, data_type: &str, shape: &str, scale: f32, zero: i32| {
                if shape.is_empty() {
                    return String::new();
                }
                let one = ones(shape);
                format!(
                    "%{name}i = input \"{name}\" {data_type}{shape}
%{name}s = constant float32{one} splat {scale}
%{name}z = constant {data_type}{one} splat {zero}
%{name} = dequantizeLinear(%{name}i, %{name}s, %{name}z)
"
                )
            };
            let one = ones(y);
            let source = format!(
                "{}{}%s = constant float32{one} splat 0.0437
%z = constant {result}{one} splat {zero}
%y = {op}
%r = clamp(%y) {{ minValue: -1.7, maxValue: 3.1 }}
%q = quantizeLinear(%r, %s, %z)
output \"q\" = %q
",
                operand("a", first, a, 0.0123, 17),
                operand("b", second, b, 0.0311, -3 + 20 * i32::from(second == "uint8")),
            );
            let name = format!("{op} of {first}{a} and {second}{b}");
            assert_eq!(check_steps(&name, &source, 0.0), 1, "{name}");
        }
    }
}

#[test]
fn convolutions_of_bytes_match_whatever_their_groups() {
    let mut random = Random::new(7);
    for case in 0..60 {
        let mut one_of = |choices: &[usize]| choices[random.below(choices.len() as u64) as usize];
        let groups = one_of(&[1, 2, 3, 5, 8]);
        let (inputs, outputs) = (one_of(&[1, 2, 4, 7, 16]), groups * one_of(&[1, 3, 4, 17, 40]));
        let (channels, kernel) = (groups * inputs, [one_of(&[1, 2, 3]), one_of(&[1, 1, 3, 5])]);
        let (strides, padding) = (one_of(&[1, 1, 2]), one_of(&[0, 1, 2]));
        let (batch, height, width) = (one_of(&[1, 2]), one_of(&[5, 8, 11]), one_of(&[5, 9]));
        let (input, weights, output) = [
            ("uint8", "int8", "uint8"),
            ("int8", "int8", "int8"),
            ("int8", "uint8", "uint8"),
            ("uint8", "uint8", "int8"),
        ][case % 4];
        let [h, w] = kernel;
        let (layout, shape, of_columns) = match case % 3 {
            0 => ("ohwi", [outputs, h, w, inputs], 0),
            1 => ("hwio", [h, w, inputs, outputs], 3),
            _ihwo => ("ihwo", [inputs, h, w, outputs], 3),
        };
        let mut per_column = [1; 4];
        if case % 5 > 0 {
            per_column[of_columns] = outputs;
        }
        let least = if weights == "int8" { -128 } else { 0 };
        let mut list = |count: usize, value: &dyn Fn(u64) -> String| {
            (0..count).map(|_| value(random.next())).collect::<Vec<_>>().join(", ")
        };
        let columns = per_column[of_columns];
        let integers = list(shape.iter().product(), &|x| (least + (x % 256) as i32).to_string());
        // Powers of two, of which no product lies nearer to a half than another.
        let scales = list(columns, &|x| (1.0 / (64 << (x % 3)) as f64).to_string());
        let zeros = list(columns, &|x| (least + 100 + (x % 50) as i32).to_string());
        let bias = list(outputs, &|x| ((x % 200) as f64 / 8.0 - 12.0).to_string());
        let source = format!(
            "%x = input \"x\" {input}[{batch}, {height}, {width}, {channels}]
%sx = constant float32[1, 1, 1, 1] splat 0.125
%zx = constant {input}[1, 1, 1, 1] splat 13
%w = constant {weights}{shape:?} {{{integers}}}
%sw = constant float32{per_column:?} {{{scales}}}
%zw = constant {weights}{per_column:?} {{{zeros}}}
%bias = constant float32[{outputs}] {{{bias}}}
%so = constant float32[1, 1, 1, 1] splat 2
%zo = constant {output}[1, 1, 1, 1] splat 21
%a = dequantizeLinear(%x, %sx, %zx)
%b = dequantizeLinear(%w, %sw, %zw)
%y = conv2d(%a, %b, bias: %bias) {{ groups: {groups}, inputLayout: \"nhwc\", filterLayout: \"{layout}\", strides: [{strides}, {strides}], padding: [{padding}, {padding}, {padding}, {padding}] }}
%r = clamp(%y) {{ minValue: -31, maxValue: 200 }}
%q = quantizeLinear(%r, %so, %zo)
output \"q\" = %q
"
        );
        let name = format!("case {case}: {groups} groups of {inputs} by {kernel:?} to {outputs}");
        assert_eq!(check_steps(&name, &source, 0.0), 1, "{name}");
    }
}

#[test]
fn products_with_few_bit_weights_take_one_step() {
    for (data_type, least, count) in
        [("int8", -128, 256), ("uint8", 0, 256), ("int4", -8, 16), ("uint4", 0, 16)]
    {
        for (op, weights, scales) in [
            // A scale for all, for each column, for each column of each of four blocks of rows.
            ("matmul(%x, %b)", [64, 40], [1, 1]),
            ("matmul(%x, %b)", [64, 40], [1, 40]),
            ("matmul(%x, %b)", [64, 40], [4, 40]),
            ("gemm(%x, %b, c: %c) { bTranspose: true }", [40, 64], [40, 1]),
            ("gemm(%x, %b, c: %c) { bTranspose: true }", [40, 64], [40, 4]),
        ] {
            for rows in [1, 3, 17] {
                let list = |count: usize, value: &dyn Fn(usize) -> String| {
                    (0..count).map(value).collect::<Vec<_>>().join(", ")
                };
                let ([k, n], [down, across]) = (weights, scales);
                let integers = list(k * n, &|i| (least + (i * 7919 % count) as i32).to_string());
                let zeros = list(down * across, &|i| (least + (i * 5 % count) as i32).to_string());
                let scale = list(down * across, &|i| format!("{}", 0.01 + i as f32 * 1e-4));
                let bias = list(40, &|i| format!("{}", i as f32 * 0.125 - 2.0));
                let source = format!(
                    "%x = input \"x\" float32[{rows}, 64]
%w = constant {data_type}[{k}, {n}] {{{integers}}}
%s = constant float32[{down}, {across}] {{{scale}}}
%z = constant {data_type}[{down}, {across}] {{{zeros}}}
%c = constant float32[40] {{{bias}}}
%b = dequantizeLinear(%w, %s, %z)
%p = {op}
%y = relu(%p)
output \"y\" = %y
"
                );
                let name = format!("{rows} rows, {op} with {data_type}{weights:?} by {scales:?}");
                assert_eq!(check_steps(&name, &source, 2e-5), 1, "{name}");
            }
        }
    }
}
