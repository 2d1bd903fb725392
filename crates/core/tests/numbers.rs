//! What the operators' definitions give where arithmetic has edges: overflow, zero, NaN, halves,
//! indices that are out of range. Expected values are the specification's, or where it is silent
//! the ones that every engine has to agree on.

use webnn_core::reference::{Tensor, run};
use webnn_core::{Graph, Result};

/// The result of a call on constants, as a constant in text.
fn evaluate(operands: &[&str], call: &str) -> Result<String> {
    let names = ["%a", "%b", "%c"].iter().zip(operands);
    let constants: String =
        names.map(|(name, operand)| format!("{name} = constant {operand}\n")).collect();
    let results = if call.starts_with("lstmCell") { "%y, %z" } else { "%y" };
    let graph: Graph = format!("{constants}{results} = {call}\noutput \"y\" = %y\n").parse()?;
    shown(&run(&graph, &[])?[0])
}

/// A tensor as a constant in text.
fn shown(tensor: &Tensor) -> Result<String> {
    let mut graph = Graph::new();
    graph.push_constant(tensor.desc, tensor.into())?;
    let text = graph.to_string();
    Ok(text.trim_start_matches("%0 = constant ").trim_end().to_owned())
}

fn check(cases: &[(&[&str], &str, &str)]) {
    for (operands, call, expected) in cases {
        let result = evaluate(operands, call);
        assert_eq!(result.as_deref(), Ok(*expected), "{call} of {operands:?}");
    }
}

#[test]
fn integers_wrap_and_never_trap() {
    check(&[
        (&["int8[2] {127, -128}", "int8[2] {1, -1}"], "add(%a, %b)", "int8[2] {-128, 127}"),
        (&["uint8[2] {0, 255}", "uint8[2] {1, 255}"], "sub(%a, %b)", "uint8[2] {255, 0}"),
        (&["int32[1] {65536}", "int32[1] {65536}"], "mul(%a, %b)", "int32[1] {0}"),
        (
            &["uint64[1] {18446744073709551615}", "uint64[1] {18446744073709551615}"],
            "mul(%a, %b)",
            "uint64[1] {1}",
        ),
        (
            &["int64[1] {-9223372036854775808}", "int64[1] {-9223372036854775808}"],
            "mul(%a, %b)",
            "int64[1] {0}",
        ),
        (
            &["int8[5] {7, -7, -128, 5, -5}", "int8[5] {2, 2, -1, 0, 0}"],
            "div(%a, %b)",
            "int8[5] {3, -3, -128, 0, 0}",
        ),
        (
            &["int64[2] {-9223372036854775808, 1}", "int64[2] {-1, 0}"],
            "div(%a, %b)",
            "int64[2] {-9223372036854775808, 0}",
        ),
        (&["uint32[2] {7, 7}", "uint32[2] {2, 0}"], "div(%a, %b)", "uint32[2] {3, 0}"),
        (
            &["int32[8] {3, 2, 1, -1, -1, 0, 0, 2}", "int32[8] {4, 31, -5, -5, -4, -1, 0, -1}"],
            "pow(%a, %b)",
            "int32[8] {81, -2147483648, 1, -1, 1, 0, 1, 0}",
        ),
        (
            &["uint64[2] {3, 2}", "uint64[2] {18446744073709551615, 64}"],
            "pow(%a, %b)",
            // 3⁻¹ modulo 2⁶⁴, for 3 has an order that divides 2⁶².
            "uint64[2] {12297829382473034411, 0}",
        ),
        (&["int8[2] {-128, -5}"], "abs(%a)", "int8[2] {-128, 5}"),
        (&["int64[1] {-9223372036854775808}"], "neg(%a)", "int64[1] {-9223372036854775808}"),
        (&["int8[3] {-128, 0, 127}"], "sign(%a)", "int8[3] {-1, 0, 1}"),
        (&["int8[2] {-128, 7}"], "relu(%a)", "int8[2] {0, 7}"),
        (&["int8[2] {-128, 7}", "int8[] {3}"], "prelu(%a, %b)", "int8[2] {-128, 7}"),
        (&["int32[3] {2147483647, 1, 1}"], "reduceSum(%a)", "int32[] {-2147483647}"),
        (&["uint32[2] {65536, 65537}"], "reduceProduct(%a)", "uint32[] {65536}"),
        (&["int32[2] {65536, 3}"], "reduceSumSquare(%a)", "int32[] {9}"),
        (&["int32[2] {-2147483648, -1}"], "reduceL1(%a)", "int32[] {-2147483647}"),
        (
            &["int64[2] {9223372036854775807, 1}"],
            "cumulativeSum(%a) { axis: 0 }",
            "int64[2] {9223372036854775807, -9223372036854775808}",
        ),
        (
            &["int8[4] {-128, -1, 0, 127}"],
            "clamp(%a) { minValue: -1.5, maxValue: 1e9 }",
            "int8[4] {-2, -1, 0, 127}",
        ),
    ]);
}

#[test]
fn nan_and_infinities_go_where_they_must() {
    check(&[
        (
            &["float32[3] {NaN, 1, NaN}", "float32[3] {1, NaN, NaN}"],
            "max(%a, %b)",
            "float32[3] {NaN, NaN, NaN}",
        ),
        (
            &["float32[3] {NaN, 1, 2}", "float32[3] {1, NaN, -3}"],
            "min(%a, %b)",
            "float32[3] {NaN, NaN, -3}",
        ),
        (&["float32[3] {NaN, -1, -0}"], "relu(%a)", "float32[3] {NaN, 0, -0}"),
        (
            &["float32[4] {NaN, -5, 0.5, Infinity}"],
            "clamp(%a) { minValue: -1, maxValue: 1 }",
            "float32[4] {NaN, -1, 0.5, 1}",
        ),
        (
            &["float32[2] {-Infinity, 5}"],
            "clamp(%a) { minValue: NaN, maxValue: 1 }",
            "float32[2] {-Infinity, 1}",
        ),
        (&["float32[4] {NaN, -0, 7, -Infinity}"], "sign(%a)", "float32[4] {0, 0, 1, -1}"),
        (&["float32[3] {NaN, 1, 3}"], "reduceMax(%a)", "float32[] {NaN}"),
        (&["float32[3] {1, NaN, 3}"], "reduceMin(%a)", "float32[] {NaN}"),
        (&["float32[4] {NaN, 1, 3, 3}"], "argMax(%a) { axis: 0 }", "int32[] {2}"),
        (&["float32[4] {NaN, 1, 1, 3}"], "argMin(%a) { axis: 0 }", "int32[] {1}"),
        (&["float32[2] {NaN, NaN}"], "argMin(%a) { axis: 0 }", "int32[] {0}"),
        (&["float32[2] {NaN, 1}", "float32[2] {NaN, 1}"], "equal(%a, %b)", "uint8[2] {0, 1}"),
        (&["float32[2] {NaN, 1}", "float32[2] {NaN, 1}"], "notEqual(%a, %b)", "uint8[2] {1, 0}"),
        (
            &["float32[2] {NaN, 1}", "float32[2] {1, 1}"],
            "greaterOrEqual(%a, %b)",
            "uint8[2] {0, 1}",
        ),
        (
            &["float32[2] {1, 0}", "float32[2] {NaN, -0}"],
            "lesserOrEqual(%a, %b)",
            "uint8[2] {0, 1}",
        ),
        (&["float32[4] {NaN, Infinity, -Infinity, 0}"], "isNaN(%a)", "uint8[4] {1, 0, 0, 0}"),
        (&["float16[4] {NaN, Infinity, -Infinity, 0}"], "isInfinite(%a)", "uint8[4] {0, 1, 1, 0}"),
        (
            &["float32[3] {NaN, 1, 2}", "float32[3] {0, NaN, -1}"],
            "pow(%a, %b)",
            "float32[3] {1, 1, 0.5}",
        ),
        (
            &["float32[3] {1, -1, 0}", "float32[3] {0, 0, 0}"],
            "div(%a, %b)",
            "float32[3] {Infinity, -Infinity, NaN}",
        ),
        (
            &["uint8[2] {1, 0}", "float32[2] {1, NaN}", "float32[2] {NaN, 2}"],
            "where(%a, %b, %c)",
            "float32[2] {1, 2}",
        ),
        (
            &["float32[2, 2] {1, NaN, Infinity, 2}"],
            "triangular(%a) { upper: false }",
            "float32[2, 2] {1, 0, Infinity, 2}",
        ),
        (
            &["float32[1, 1, 1, 3] {1, NaN, 2}"],
            "maxPool2d(%a) { windowDimensions: [1, 2] }",
            "float32[1, 1, 1, 2] {NaN, NaN}",
        ),
        (
            &["float32[2] {Infinity, 1}", "float32[2] {0, 0}"],
            "prelu(%a, %b)",
            "float32[2] {Infinity, 1}",
        ),
        (
            &["float32[1, 1] {1}", "float32[1, 1] {2}", "float32[] {NaN}"],
            "gemm(%a, %b, c: %c) { beta: 0 }",
            "float32[1, 1] {NaN}",
        ),
    ]);
}

#[test]
fn infinite_weights_meet_padding_but_nothing_that_is_absent() {
    check(&[
        // The padding of a convolution is zeros: the first output is 0 · ∞ + 2 · 1.
        (
            &["float32[1, 1, 1, 2] {2, 3}", "float32[1, 1, 1, 2] {Infinity, 1}"],
            "conv2d(%a, %b) { padding: [0, 0, 1, 0] }",
            "float32[1, 1, 1, 2] {NaN, Infinity}",
        ),
        // Of a transposed one there is none: the last output is 3 · 1 alone.
        (
            &["float32[1, 1, 1, 2] {2, 3}", "float32[1, 1, 1, 2] {Infinity, 1}"],
            "convTranspose2d(%a, %b)",
            "float32[1, 1, 1, 3] {Infinity, Infinity, 3}",
        ),
        // No peephole weights are not peephole weights of zero: c = 0.5 · ∞ + 0.5 · 0.
        (
            &["float32[1, 1] {0}", "float32[4, 1] {0, 0, 0, 0}", "float32[1, 1] {Infinity}"],
            "lstmCell(%a, %b, %b, %a, %c) { hiddenSize: 1 }",
            "float32[1, 1] {0.5}",
        ),
        // A scale alone keeps the sign of zero, which adding a bias of zero would lose.
        (
            &["float32[1, 2] {1, 1}", "float32[2] {-1, -1}"],
            "layerNormalization(%a, scale: %b)",
            "float32[1, 2] {-0, -0}",
        ),
        (
            &["float32[1, 1] {0}", "float32[1] {0}", "float32[1] {-1}"],
            "batchNormalization(%a, %b, %b, scale: %c)",
            "float32[1, 1] {-0}",
        ),
        (
            &["float32[1, 1, 1, 1] {3}", "float32[1] {-1}"],
            "instanceNormalization(%a, scale: %b)",
            "float32[1, 1, 1, 1] {-0}",
        ),
    ]);
}

#[test]
fn large_arguments_do_not_overflow_on_the_way() {
    check(&[
        (
            &["float32[3] {100, -100, Infinity}"],
            "softplus(%a)",
            "float32[3] {100, 3.8e-44, Infinity}",
        ),
        (
            &["float32[4] {1000, -1000, Infinity, -Infinity}"],
            "sigmoid(%a)",
            "float32[4] {1, 0, 1, 0}",
        ),
        (&["float32[3] {1000, -1000, -Infinity}"], "tanh(%a)", "float32[3] {1, -1, -1}"),
        (&["float32[2] {1000, 1000}"], "reduceLogSumExp(%a)", "float32[] {1000.6932}"),
        (&["float32[2] {-Infinity, -Infinity}"], "reduceLogSumExp(%a)", "float32[] {-Infinity}"),
        (&["float32[2] {Infinity, 0}"], "reduceLogSumExp(%a)", "float32[] {Infinity}"),
        (
            &["float32[3] {1000, 1000, -1000}"],
            "softmax(%a) { axis: 0 }",
            "float32[3] {0.5, 0.5, 0}",
        ),
        (&["float16[2] {60000, 60000}"], "reduceMean(%a)", "float16[] {60000}"),
        (&["float16[2] {60000, 60000}"], "reduceSum(%a)", "float16[] {Infinity}"),
        (&["float32[2] {1e30, 1e30}"], "reduceL2(%a)", "float32[] {1.4142135e30}"),
        (
            &["float32[4] {30, -30, Infinity, -Infinity}"],
            "gelu(%a)",
            "float32[4] {30, -0, Infinity, 0}",
        ),
    ]);
}

#[test]
fn options_are_cast_to_the_type_of_the_operand() {
    check(&[
        // 0.1 is 0.0999755859375 in half precision, and 1e-8 is 0 there.
        (&["float16[1] {1000}"], "linear(%a) { alpha: 0.1 }", "float16[1] {100}"),
        (&["float32[1] {1000000}"], "linear(%a) { alpha: 0.1 }", "float32[1] {100000}"),
        (&["float16[1] {2048}"], "linear(%a) { alpha: 0.1, beta: -204.75 }", "float16[1] {0}"),
        (
            &["float32[1] {2048}"],
            "linear(%a) { alpha: 0.1, beta: -204.75 }",
            "float32[1] {0.05000305}",
        ),
        (
            &["float16[1, 2] {1, 1}"],
            "layerNormalization(%a) { epsilon: 1e-8 }",
            "float16[1, 2] {NaN, NaN}",
        ),
    ]);
    let text = "%a = input \"a\" float16[1]\n%y = linear(%a) { alpha: 0.1 }\noutput \"y\" = %y\n";
    let graph: Graph = text.parse().expect("valid");
    let text = graph.with_options_cast().to_string();
    assert!(text.contains("{ alpha: 0.0999755859375 }"), "{text}");
}

#[test]
fn casts_truncate_saturate_and_keep_low_bits() {
    check(&[
        (
            &["float32[6] {1.9, -1.9, NaN, 1e10, -1e10, 127.5}"],
            "cast(%a) { dataType: \"int8\" }",
            "int8[6] {1, -1, 0, 127, -128, 127}",
        ),
        (
            &["float32[4] {-0.9, -1, 256, Infinity}"],
            "cast(%a) { dataType: \"uint8\" }",
            "uint8[4] {0, 0, 255, 255}",
        ),
        (
            &["float32[2] {Infinity, -Infinity}"],
            "cast(%a) { dataType: \"int64\" }",
            "int64[2] {9223372036854775807, -9223372036854775808}",
        ),
        (
            &["int32[4] {255, 256, -1, 128}"],
            "cast(%a) { dataType: \"int8\" }",
            "int8[4] {-1, 0, -1, -128}",
        ),
        (
            &["int64[2] {4294967297, -1}"],
            "cast(%a) { dataType: \"uint32\" }",
            "uint32[2] {1, 4294967295}",
        ),
        (&["int32[3] {17, -9, 8}"], "cast(%a) { dataType: \"int4\" }", "int4[3] {1, 7, -8}"),
        (
            &["float32[2] {65519, 65520}"],
            "cast(%a) { dataType: \"float16\" }",
            "float16[2] {65504, Infinity}",
        ),
        // Between two halves of float32: a double in between would round the second time wrongly.
        (
            &["int64[1] {9007199791611905}"],
            "cast(%a) { dataType: \"float32\" }",
            "float32[1] {9007200000000000}",
        ),
        (&["uint8[2] {0, 255}"], "cast(%a) { dataType: \"float32\" }", "float32[2] {0, 255}"),
        (&["float32[4] {0.5, 1.5, -0.5, 2.5}"], "roundEven(%a)", "float32[4] {0, 2, -0, 2}"),
    ]);
}

#[test]
fn quantization_rounds_halves_to_even_and_saturates() {
    check(&[
        (
            &["float32[6] {0.5, 1.5, 2.5, NaN, 1e9, -1e9}", "float32[1] {1}", "uint8[1] {128}"],
            "quantizeLinear(%a, %b, %c)",
            "uint8[6] {128, 130, 130, 0, 255, 0}",
        ),
        (
            &["float32[4] {1, 2, 3, 4}", "float32[2] {0.5, 2}", "int4[2] {0, -8}"],
            "quantizeLinear(%a, %b, %c)",
            "int4[4] {2, 4, -6, -6}",
        ),
        (
            &["float32[3] {Infinity, -Infinity, 0}", "float32[1] {1}", "int32[1] {-5}"],
            "quantizeLinear(%a, %b, %c)",
            "int32[3] {2147483647, -2147483648, -5}",
        ),
        (
            &["int32[2] {-2147483648, 2147483647}", "float32[1] {1}", "int32[1] {2147483647}"],
            "dequantizeLinear(%a, %b, %c)",
            "float32[2] {-4294967300, 0}",
        ),
        (
            &[
                "uint4[2, 4] {0, 1, 2, 3, 4, 5, 6, 15}",
                "float32[1, 2] {0.5, 2}",
                "uint4[1, 2] {1, 8}",
            ],
            "dequantizeLinear(%a, %b, %c)",
            "float32[2, 4] {-0.5, 0, -12, -10, 1.5, 2, -4, 14}",
        ),
    ]);
}

#[test]
fn indices_count_from_the_end_and_are_clamped() {
    check(&[
        (
            &["int8[3] {1, 2, 3}", "int32[6] {0, -1, -3, -4, 3, 2147483647}"],
            "gather(%a, %b)",
            "int8[6] {1, 3, 1, 1, 3, 3}",
        ),
        (&["int8[3] {1, 2, 3}", "uint32[2] {4294967295, 1}"], "gather(%a, %b)", "int8[2] {3, 2}"),
        (
            &["int8[3] {1, 2, 3}", "int64[2] {-9223372036854775808, 9223372036854775807}"],
            "gather(%a, %b)",
            "int8[2] {1, 3}",
        ),
        (
            &["int8[2, 2] {1, 2, 3, 4}", "int32[2, 1] {-1, -9}"],
            "gatherElements(%a, %b) { axis: 1 }",
            "int8[2, 1] {2, 3}",
        ),
        (
            &["int8[2, 2] {1, 2, 3, 4}", "int32[2, 2] {-1, 0, 9, -9}"],
            "gatherND(%a, %b)",
            "int8[2] {3, 3}",
        ),
        (
            &["int8[2, 2] {1, 2, 3, 4}", "int32[1, 2] {0, 1}", "int8[1, 2] {8, 9}"],
            "scatterElements(%a, %b, %c)",
            "int8[2, 2] {8, 2, 3, 9}",
        ),
        (
            &["int8[2] {1, 2}", "int32[3] {5, -1, -7}", "int8[3] {7, 8, 9}"],
            "scatterElements(%a, %b, %c)",
            "int8[2] {9, 8}",
        ),
        (
            &[
                "int8[2, 2] {1, 2, 3, 4}",
                "int32[3, 1] {1, -1, 7}",
                "int8[3, 2] {5, 6, 7, 8, 9, 10}",
            ],
            "scatterND(%a, %b, %c)",
            "int8[2, 2] {1, 2, 9, 10}",
        ),
    ]);
}

#[test]
fn windows_and_borders_are_those_of_the_text() {
    check(&[
        // Padding does not count in the mean, wins no maximum, and alone gives the least number.
        (
            &["float32[1, 1, 1, 2] {2, 4}"],
            "averagePool2d(%a) { windowDimensions: [1, 2], padding: [0, 0, 1, 1] }",
            "float32[1, 1, 1, 3] {2, 3, 4}",
        ),
        (
            &["int8[1, 1, 1, 2] {-2, -4}"],
            "maxPool2d(%a) { windowDimensions: [1, 2], padding: [0, 0, 1, 2] }",
            "int8[1, 1, 1, 4] {-2, -2, -4, -128}",
        ),
        (
            &["float32[1, 1, 1, 1] {-2}"],
            "maxPool2d(%a) { windowDimensions: [1, 1], padding: [0, 0, 0, 1] }",
            "float32[1, 1, 1, 2] {-2, -Infinity}",
        ),
        (
            &["float32[1, 1, 1, 1] {-2}"],
            "averagePool2d(%a) { windowDimensions: [1, 1], padding: [0, 0, 0, 1] }",
            "float32[1, 1, 1, 2] {-2, 0}",
        ),
        (
            &["float32[1, 1, 1, 3] {3, 4, 5}"],
            "l2Pool2d(%a) { windowDimensions: [1, 2], strides: [1, 2], outputShapeRounding: \"ceil\" }",
            "float32[1, 1, 1, 2] {5, 5}",
        ),
        // Halves go down.
        (
            &["uint8[1, 1, 1, 4] {0, 1, 2, 3}"],
            "resample2d(%a) { sizes: [1, 2] }",
            "uint8[1, 1, 1, 2] {0, 2}",
        ),
        (
            &["uint8[1, 1, 1, 2] {0, 1}"],
            "resample2d(%a) { sizes: [1, 5] }",
            "uint8[1, 1, 1, 5] {0, 0, 0, 1, 1}",
        ),
        (
            &["float32[1, 1, 1, 2] {0, 1}"],
            "resample2d(%a) { sizes: [1, 4], mode: \"linear\" }",
            "float32[1, 1, 1, 4] {0, 0.25, 0.75, 1}",
        ),
        (
            &["int8[1, 1, 1, 2] {0, 10}"],
            "resample2d(%a) { sizes: [1, 4], mode: \"linear\" }",
            "int8[1, 1, 1, 4] {0, 2, 8, 10}",
        ),
        (
            &["float32[1, 1, 1, 2] {1, Infinity}"],
            "resample2d(%a) { sizes: [1, 2], mode: \"linear\" }",
            "float32[1, 1, 1, 2] {1, Infinity}",
        ),
        (
            &["int8[3] {1, 2, 3}"],
            "pad(%a) { beginningPadding: [2], endingPadding: [2], mode: \"reflection\" }",
            "int8[7] {3, 2, 1, 2, 3, 2, 1}",
        ),
        (
            &["int8[3] {1, 2, 3}"],
            "pad(%a) { beginningPadding: [2], endingPadding: [1], mode: \"edge\" }",
            "int8[6] {1, 1, 1, 2, 3, 3}",
        ),
        (
            &["int8[1] {1}"],
            "pad(%a) { beginningPadding: [1], endingPadding: [1], value: 300 }",
            "int8[3] {127, 1, 127}",
        ),
        (
            &["int8[6] {1, 2, 3, 4, 5, 6}"],
            "slice(%a) { starts: [1], sizes: [4], strides: [3] }",
            "int8[2] {2, 5}",
        ),
        (
            &["int8[2, 3] {1, 2, 3, 4, 5, 6}"],
            "triangular(%a) { diagonal: 1 }",
            "int8[2, 3] {0, 2, 3, 0, 0, 6}",
        ),
        (
            &["int32[3] {1, 2, 3}"],
            "cumulativeSum(%a) { axis: 0, exclusive: true, reversed: true }",
            "int32[3] {5, 3, 0}",
        ),
        (
            &["float32[2, 2] {1, 3, 5, 9}", "float32[2, 2] {1, 10, 100, 1000}"],
            "layerNormalization(%a, scale: %b) { axes: [1, 0], epsilon: 0 }",
            "float32[2, 2] {-1.183216, -50.709255, 1.6903085, 1521.2777}",
        ),
        (
            &["float32[2] {5, 7}", "float32[] {3}"],
            "layerNormalization(%a, bias: %b) { axes: [] }",
            "float32[2] {3, 3}",
        ),
        (&["float32[2] {-5, 7}"], "reduceL1(%a) { axes: [] }", "float32[2] {5, 7}"),
        (&["float32[] {-5}"], "reduceSumSquare(%a)", "float32[] {25}"),
        (&["float32[] {-5}"], "reverse(%a)", "float32[] {-5}"),
    ]);
}
