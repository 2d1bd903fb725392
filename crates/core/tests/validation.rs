//! What each operator refuses, and that the message names the rule, what is and what was expected.

use webnn_core::ops::methods;
use webnn_core::{ErrorKind, Graph};

/// Operands that the calls take; their names tell type and shape.
const OPERANDS: &str = r#"
%s = input "s" float32[]
%s8 = input "s8" uint8[]
%f2 = input "f2" float32[2]
%f3 = input "f3" float32[3]
%f23 = input "f23" float32[2, 3]
%f32 = input "f32" float32[3, 2]
%f234 = input "f234" float32[2, 3, 4]
%h3 = input "h3" float16[3]
%h23 = input "h23" float16[2, 3]
%i23 = input "i23" int32[2, 3]
%i3 = input "i3" int32[3]
%u23 = input "u23" uint8[2, 3]
%n3 = constant int4[3] {1, 2, 3}
%x = input "x" float32[1, 4, 5, 6]
%filter = input "filter" float32[8, 4, 3, 3]
%kernel = input "kernel" float32[4, 8, 3, 3]
%rank8 = input "rank8" float32[1, 1, 1, 1, 1, 1, 1, 2]
%long = input "long" uint8[1000000]
%steps = input "steps" float32[5, 2, 4]
%w4 = input "w4" float32[1, 12, 4]
%r4 = input "r4" float32[1, 12, 3]
%w3 = input "w3" float32[1, 9, 4]
%r3 = input "r3" float32[1, 9, 3]
%row = input "row" float32[2, 4]
%cw4 = input "cw4" float32[12, 4]
%cr4 = input "cr4" float32[12, 3]
%cw3 = input "cw3" float32[9, 4]
%cr3 = input "cr3" float32[9, 3]
%state = input "state" float32[2, 3]
"#;

/// The call of the text's last line, and the error it gives.
fn error(call: &str) -> webnn_core::Error {
    let text = format!("{OPERANDS}%y = {call}\n");
    match text.parse::<Graph>() {
        Ok(_) => panic!("{call} is accepted"),
        Err(error) => error,
    }
}

fn check(cases: &[(&str, &str)]) {
    for (call, expected) in cases {
        let error = error(call);
        assert_eq!(error.kind(), ErrorKind::Type, "{call}");
        let (_, message) = error.message().split_once(", column ").expect("a place");
        let (_, message) = message.split_once(": ").expect("a place");
        let method = call.split('(').next().unwrap_or_default();
        assert!(message.starts_with(method), "{call} gives {message:?}");
        assert!(message.contains(expected), "{call} gives {message:?}");
    }
}

#[test]
fn the_operands_are_valid() {
    let graph: Graph = OPERANDS.parse().expect("the operands are valid");
    assert!(graph.nodes().is_empty());
}

#[test]
fn element_wise_operators_refuse() {
    check(&[
        (
            "abs(%u23)",
            "input has data type uint8, expected one of float32, float16, int32, int64, int8",
        ),
        ("neg(%u23)", "input has data type uint8"),
        ("relu(%u23)", "input has data type uint8"),
        ("sign(%u23)", "input has data type uint8"),
        ("ceil(%i23)", "input has data type int32, expected one of float32, float16"),
        ("cos(%i23)", "data type int32"),
        ("erf(%i23)", "data type int32"),
        ("exp(%i23)", "data type int32"),
        ("floor(%i23)", "data type int32"),
        ("gelu(%i23)", "data type int32"),
        ("hardSwish(%i23)", "data type int32"),
        ("identity(%n3)", "input has data type int4"),
        ("isInfinite(%i23)", "a has data type int32"),
        ("isNaN(%i23)", "a has data type int32"),
        ("log(%i23)", "data type int32"),
        ("logicalNot(%i23)", "a has data type int32, expected one of uint8"),
        ("reciprocal(%i23)", "data type int32"),
        ("roundEven(%i23)", "data type int32"),
        ("sigmoid(%i23)", "data type int32"),
        ("sin(%i23)", "data type int32"),
        ("softplus(%i23)", "data type int32"),
        ("softsign(%i23)", "data type int32"),
        ("sqrt(%i23)", "data type int32"),
        ("tan(%i23)", "data type int32"),
        ("tanh(%i23)", "data type int32"),
        ("elu(%i23)", "data type int32"),
        ("elu(%f2) { alpha: NaN }", "alpha: NaN is not a finite number"),
        ("hardSigmoid(%i23)", "data type int32"),
        ("hardSigmoid(%f2) { beta: Infinity }", "beta: Infinity is not a finite number"),
        ("leakyRelu(%i23)", "data type int32"),
        ("leakyRelu(%f2) { alpha: \"1\" }", "alpha: \"1\" is not a finite number"),
        ("linear(%i23)", "data type int32"),
        ("linear(%f2) { beta: true }", "beta: true is not a finite number"),
        ("clamp(%n3)", "data type int4"),
        (
            "clamp(%f2) { minValue: 2, maxValue: 1 }",
            "minValue 2.0 is greater than maxValue 1.0 as float32",
        ),
        ("clamp(%i3) { minValue: 1.6, maxValue: 1.4 }", "minValue 2 is greater than maxValue 1"),
        ("clamp(%f2) { minValue: [1] }", "minValue: [1] is not a number"),
        ("cast(%f2)", "dataType is missing"),
        ("cast(%f2) { dataType: \"float64\" }", "\"float64\" is not a data type"),
        ("prelu(%u23, %u23)", "input has data type uint8"),
        ("prelu(%f2, %f3)", "shapes [2] and [3] cannot be broadcast"),
        ("prelu(%f3, %h3)", "slope has data type float16, expected float32 as input has"),
        ("where(%i23, %f23, %f23)", "condition has data type int32"),
        (
            "where(%u23, %f23, %h23)",
            "falseValue has data type float16, expected float32 as trueValue has",
        ),
        ("where(%u23, %f2, %f3)", "shapes [2] and [3] cannot be broadcast"),
        ("where(%u23, %f2, %f2)", "shapes [2, 3] and [2] cannot be broadcast"),
    ]);
}

#[test]
fn operators_of_two_operands_refuse() {
    for name in ["add", "sub", "mul", "div", "max", "min", "pow"] {
        check(&[
            (&format!("{name}(%f23, %f2)"), "shapes [2, 3] and [2] cannot be broadcast"),
            (&format!("{name}(%f23, %h23)"), "b has data type float16, expected float32 as a has"),
            (&format!("{name}(%n3, %n3)"), "a has data type int4"),
            (&format!("{name}(%f23)"), "b is missing"),
        ]);
    }
    for name in ["equal", "notEqual", "greater", "greaterOrEqual", "lesser", "lesserOrEqual"] {
        check(&[
            (&format!("{name}(%f23, %f2)"), "shapes [2, 3] and [2] cannot be broadcast"),
            (&format!("{name}(%f23, %i23)"), "b has data type int32, expected float32 as a has"),
        ]);
    }
    for name in ["logicalAnd", "logicalOr", "logicalXor"] {
        check(&[
            (&format!("{name}(%f23, %f23)"), "a has data type float32, expected one of uint8"),
            (&format!("{name}(%u23, %f23)"), "b has data type float32"),
        ]);
    }
}

#[test]
fn operators_that_move_elements_refuse() {
    check(&[
        ("concat() { axis: 0 }", "0 inputs were given, expected 1 to 8192"),
        ("concat(%f2)", "axis is missing"),
        ("concat(%s, %s) { axis: 0 }", "inputs has shape [] of rank 0, expected a rank of 1 to 8"),
        ("concat(%f2, %f3) { axis: 1 }", "axis 1 is out of range for rank 1"),
        (
            "concat(%f23, %f32) { axis: 0 }",
            "input 1 has shape [3, 2], expected that of input 0, [2, 3]",
        ),
        ("concat(%f2, %f23) { axis: 0 }", "input 1 has shape [2, 3]"),
        ("concat(%f3, %h3) { axis: 0 }", "input 1 has data type float16, expected float32"),
        ("expand(%f2) { newShape: [3] }", "input has shape [2], which cannot be broadcast to [3]"),
        ("expand(%f23) { newShape: [3] }", "cannot be broadcast to [3]"),
        ("expand(%s) { newShape: [0] }", "dimension 0 of shape [0] is 0"),
        (
            "expand(%s) { newShape: [65536, 65536] }",
            "4294967296 elements, expected at most 2147483647",
        ),
        ("expand(%s) { newShape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }", "rank 9 is not supported"),
        ("expand(%s) { newShape: [-1] }", "newShape: -1 is not an integer of 0 to 4294967295"),
        ("expand(%s) { newShape: [1e9] }", "output: float32[1000000000] takes 4000000000 bytes"),
        ("gather(%s, %i3)", "input has shape [] of rank 0"),
        ("gather(%f23, %f2)", "indices has data type float32"),
        ("gather(%f23, %i3) { axis: 2 }", "axis 2 is out of range for rank 2"),
        ("gather(%rank8, %i23) { axis: 7 }", "rank 9 is not supported, expected at most 8"),
        ("gatherElements(%f23, %i3)", "indices has rank 1, expected 2 as input has"),
        ("gatherElements(%f32, %i23)", "indices has shape [2, 3], expected that of input, [3, 2]"),
        ("gatherElements(%f23, %i23) { axis: 2 }", "axis 2 is out of range for rank 2"),
        ("gatherND(%f23, %i3)", "3 coordinates, expected at most 2"),
        ("gatherND(%f23, %f2)", "indices has data type float32"),
        (
            "pad(%f23) { beginningPadding: [1], endingPadding: [1, 1] }",
            "beginningPadding has 1 items, expected 2",
        ),
        (
            "pad(%f23) { beginningPadding: [1, 1], endingPadding: [1] }",
            "endingPadding has 1 items, expected 2",
        ),
        (
            "pad(%f2) { beginningPadding: [2], endingPadding: [0], mode: \"reflection\" }",
            "size 2 is padded by 2 and 0",
        ),
        (
            "pad(%f2) { beginningPadding: [2], endingPadding: [0], mode: \"wrap\" }",
            "mode: \"wrap\" is not one of constant, edge, reflection",
        ),
        (
            "pad(%f2) { beginningPadding: [2147483647], endingPadding: [0] }",
            "a padded dimension would be 2147483649",
        ),
        ("pad(%f2) { beginningPadding: [0] }", "endingPadding is missing"),
        (
            "reshape(%f23) { newShape: [5] }",
            "newShape [5] has 5 elements, expected 6 as input of shape [2, 3] has",
        ),
        ("reshape(%f23) { newShape: [] }", "has 1 elements, expected 6"),
        ("reshape(%f23) { newShape: [6, 0] }", "dimension 1 of shape [6, 0] is 0"),
        ("reverse(%f23) { axes: [2] }", "axis 2 is out of range for rank 2"),
        ("reverse(%f23) { axes: [1, 1] }", "axis 1 is given twice"),
        ("scatterElements(%f23, %i23, %h23)", "updates has data type float16, expected float32"),
        (
            "scatterElements(%f32, %i23, %f23)",
            "indices has shape [2, 3], expected that of input, [3, 2]",
        ),
        ("scatterElements(%f23, %i23, %f32)", "updates has shape [3, 2], expected [2, 3]"),
        ("scatterElements(%f23, %i23, %f23) { axis: 5 }", "axis 5 is out of range"),
        ("scatterND(%f23, %i3, %f2)", "3 coordinates, expected at most 2"),
        ("scatterND(%f234, %i23, %f3)", "updates has shape [3], expected [2]"),
        ("slice(%f23) { starts: [0], sizes: [1, 1] }", "starts has 1 items, expected 2"),
        ("slice(%f23) { starts: [0, 0], sizes: [1] }", "sizes has 1 items, expected 2"),
        (
            "slice(%f23) { starts: [0, 0], sizes: [1, 1], strides: [1] }",
            "strides has 1 items, expected 2",
        ),
        ("slice(%f23) { starts: [0, 0], sizes: [0, 1] }", "size 0 is 0, expected at least 1"),
        (
            "slice(%f23) { starts: [0, 0], sizes: [1, 1], strides: [1, 0] }",
            "stride 1 is 0, expected at least 1",
        ),
        (
            "slice(%f23) { starts: [0, 2], sizes: [1, 2] }",
            "start 2 and size 2 reach beyond dimension 1 of size 3",
        ),
        (
            "slice(%f23) { starts: [0, 4294967295], sizes: [1, 4294967295] }",
            "reach beyond dimension 1",
        ),
        ("split(%s) { splits: 1 }", "input has shape [] of rank 0"),
        ("split(%f3) { splits: 2 }", "3 cannot be split into 2 equal parts"),
        ("split(%f3) { splits: 0 }", "0 parts were asked for, expected 1 to 8192"),
        ("split(%f3) { splits: [] }", "0 parts were asked for"),
        ("split(%f3) { splits: [3, 0] }", "splits are [3, 0], expected none to be 0"),
        ("split(%f3) { splits: [1, 1] }", "splits add up to 2, expected 3"),
        ("split(%f3) { splits: 1, axis: 1 }", "axis 1 is out of range for rank 1"),
        ("split(%long) { splits: 10000 }", "10000 parts were asked for, expected 1 to 8192"),
        ("tile(%f23) { repetitions: [2] }", "repetitions has 1 items, expected 2"),
        ("tile(%f23) { repetitions: [2, 0] }", "repetitions are [2, 0], expected none to be 0"),
        (
            "tile(%f23) { repetitions: [2, 4294967295] }",
            "a repeated dimension would be 12884901885",
        ),
        ("tile(%f23) { repetitions: [65536, 65536] }", "elements, expected at most 2147483647"),
        ("transpose(%f23) { permutation: [0] }", "permutation has 1 items, expected 2"),
        ("transpose(%f23) { permutation: [0, 0] }", "axis 0 is given twice"),
        ("transpose(%f23) { permutation: [0, 2] }", "axis 2 is out of range"),
        ("triangular(%f2)", "input has shape [2] of rank 1, expected a rank of 2 to 8"),
        (
            "triangular(%f23) { diagonal: 2147483648 }",
            "2147483648 is not an integer of -2147483648 to 2147483647",
        ),
    ]);
}

#[test]
fn operators_over_windows_refuse() {
    check(&[
        ("conv2d(%f23, %filter)", "input has shape [2, 3] of rank 2, expected rank 4"),
        ("conv2d(%x, %f23)", "filter has shape [2, 3] of rank 2, expected rank 4"),
        ("conv2d(%x, %filter, bias: %f23)", "bias has shape [2, 3] of rank 2, expected rank 1"),
        ("conv2d(%x, %filter, bias: %f2)", "bias has shape [2], expected [8]"),
        ("conv2d(%x, %kernel)", "filter has 8 input channels, expected 4 (4 channels in 1 groups)"),
        (
            "conv2d(%x, %filter) { groups: 2 }",
            "filter has 4 input channels, expected 2 (4 channels in 2 groups)",
        ),
        ("conv2d(%x, %filter) { groups: 0 }", "groups is 0, expected at least 1"),
        ("conv2d(%x, %filter) { padding: [1, 1] }", "padding: has 2 items, expected 4"),
        ("conv2d(%x, %filter) { strides: [1] }", "strides: has 1 items, expected 2"),
        ("conv2d(%x, %filter) { strides: [0, 1] }", "strides are [0, 1], expected none to be 0"),
        (
            "conv2d(%x, %filter) { dilations: [1, 0] }",
            "dilations are [1, 0], expected none to be 0",
        ),
        (
            "conv2d(%x, %filter) { dilations: [3, 1] }",
            "output height: a window of 3 with dilation 3 does not fit into 5",
        ),
        (
            "conv2d(%x, %filter) { inputLayout: \"nchwc\" }",
            "inputLayout: \"nchwc\" is not one of nchw, nhwc",
        ),
        (
            "conv2d(%x, %filter) { filterLayout: \"iohw\" }",
            "filterLayout: \"iohw\" is not one of oihw, hwio, ohwi, ihwo",
        ),
        (
            "conv2d(%x, %filter) { padding: [0, 0, 4294967295, 0] }",
            "output width would be 4294967299",
        ),
        ("convTranspose2d(%x, %filter)", "filter has 8 input channels, expected 4 as input has"),
        ("convTranspose2d(%x, %kernel, bias: %f2)", "bias has shape [2], expected [8]"),
        (
            "convTranspose2d(%x, %kernel) { groups: 3 }",
            "input has 4 channels, expected a multiple of 3 groups",
        ),
        ("convTranspose2d(%x, %kernel) { groups: 0 }", "groups is 0"),
        ("convTranspose2d(%x, %kernel) { strides: [0, 1] }", "strides are [0, 1]"),
        ("convTranspose2d(%x, %kernel) { dilations: [0, 1] }", "dilations are [0, 1]"),
        (
            "convTranspose2d(%x, %kernel) { outputPadding: [1, 0] }",
            "outputPadding is [1, 0], expected less than strides [1, 1]",
        ),
        (
            "convTranspose2d(%x, %kernel) { outputSizes: [6, 8] }",
            "output height is 6, expected 7 up to 7",
        ),
        (
            "convTranspose2d(%x, %kernel) { padding: [9, 9, 0, 0] }",
            "output height would be below 1",
        ),
        (
            "convTranspose2d(%x, %kernel) { strides: [4294967295, 1], dilations: [4294967295, 1] }",
            "output height would be",
        ),
        (
            "convTranspose2d(%x, %kernel) { filterLayout: \"oihw\" }",
            "filterLayout: \"oihw\" is not one of iohw, hwoi, ohwi",
        ),
    ]);
    for name in ["averagePool2d", "l2Pool2d", "maxPool2d"] {
        let call = |options: &str| format!("{name}(%x) {{ {options} }}");
        check(&[
            (&format!("{name}(%f23)"), "input has shape [2, 3] of rank 2, expected rank 4"),
            (
                &call("windowDimensions: [0, 1]"),
                "windowDimensions are [0, 1], expected none to be 0",
            ),
            (&call("windowDimensions: [1]"), "windowDimensions: has 1 items, expected 2"),
            (
                &call("windowDimensions: [6, 1]"),
                "a window of 6 x 1 with dilations [1, 1] does not fit into input [1, 4, 5, 6]",
            ),
            (&call("strides: [0, 1]"), "strides are [0, 1]"),
            (&call("dilations: [0, 1]"), "dilations are [0, 1]"),
            (&call("padding: [0]"), "padding: has 1 items, expected 4"),
            (&call("layout: \"hwc\""), "layout: \"hwc\" is not one of nchw, nhwc"),
            (&call("outputShapeRounding: \"round\""), "is not one of floor, ceil"),
            (
                &call("windowDimensions: [2, 2], strides: [2, 2], outputSizes: [3, 2]"),
                "outputSizes are [3, 2], expected [2, 3] or [3, 3]",
            ),
        ]);
    }
    check(&[
        ("averagePool2d(%i23)", "input has data type int32"),
        ("l2Pool2d(%i23)", "input has data type int32"),
        ("resample2d(%f23)", "input has shape [2, 3] of rank 2, expected rank 4"),
        ("resample2d(%i23)", "input has data type int32"),
        ("resample2d(%x) { scales: [0, 1] }", "scales are [0.0, 1.0], expected all to be above 0"),
        ("resample2d(%x) { scales: [1] }", "scales: has 1 items, expected 2"),
        ("resample2d(%x) { scales: [1e300, 1] }", "scales: 1e300 is out of the range of a float"),
        ("resample2d(%x) { scales: [1e30, 1] }", "a resampled dimension would be"),
        ("resample2d(%x) { scales: [0.1, 1] }", "a resampled dimension would be 0"),
        ("resample2d(%x) { sizes: [0, 1] }", "sizes are [0, 1], expected none to be 0"),
        ("resample2d(%x) { axes: [2, 2] }", "axis 2 is given twice"),
        ("resample2d(%x) { axes: [2, 4] }", "axis 4 is out of range for rank 4"),
        (
            "resample2d(%x) { mode: \"cubic\" }",
            "mode: \"cubic\" is not one of nearest-neighbor, linear",
        ),
    ]);
}

#[test]
fn operators_that_normalise_and_multiply_refuse() {
    check(&[
        ("batchNormalization(%s, %f3, %f3)", "input has shape [] of rank 0"),
        ("batchNormalization(%f23, %f2, %f3)", "mean has shape [2], expected [3]"),
        ("batchNormalization(%f23, %f3, %f2)", "variance has shape [2], expected [3]"),
        ("batchNormalization(%f23, %f3, %f3, scale: %f2)", "scale has shape [2], expected [3]"),
        ("batchNormalization(%f23, %f3, %f3, bias: %f2)", "bias has shape [2], expected [3]"),
        ("batchNormalization(%f23, %h3, %f3)", "mean has data type float16"),
        ("batchNormalization(%f23, %f3, %f3) { axis: 2 }", "axis 2 is out of range for rank 2"),
        (
            "batchNormalization(%f23, %f3, %f3) { epsilon: NaN }",
            "epsilon: NaN is not a finite number",
        ),
        ("instanceNormalization(%f23)", "input has shape [2, 3] of rank 2, expected rank 4"),
        ("instanceNormalization(%x, scale: %f2)", "scale has shape [2], expected [4]"),
        (
            "instanceNormalization(%x, bias: %f2) { layout: \"nhwc\" }",
            "bias has shape [2], expected [6]",
        ),
        ("layerNormalization(%i23)", "input has data type int32"),
        ("layerNormalization(%f23) { axes: [2] }", "axis 2 is out of range for rank 2"),
        ("layerNormalization(%f23) { axes: [0, 0] }", "axis 0 is given twice"),
        ("layerNormalization(%f23, scale: %f2)", "scale has shape [2], expected [3]"),
        (
            "layerNormalization(%f23, bias: %f23) { axes: [1, 0] }",
            "bias has shape [2, 3], expected [3, 2]",
        ),
        ("softmax(%f23) { axis: 2 }", "axis 2 is out of range for rank 2"),
        ("softmax(%f23)", "axis is missing"),
        ("softmax(%s) { axis: 0 }", "input has shape [] of rank 0"),
        ("cumulativeSum(%f23) { axis: 2 }", "axis 2 is out of range"),
        ("cumulativeSum(%u23) { axis: 0 }", "input has data type uint8"),
        ("argMin(%f23) { axis: 2 }", "axis 2 is out of range"),
        ("argMax(%s) { axis: 0 }", "input has shape [] of rank 0"),
        (
            "argMax(%f23) { axis: 0, outputDataType: \"uint8\" }",
            "outputDataType is uint8, expected int32 or int64",
        ),
        ("gemm(%f23, %f23)", "a has 3 columns and b 2 rows"),
        ("gemm(%f23, %f234)", "b has shape [2, 3, 4] of rank 3, expected rank 2"),
        ("gemm(%f23, %f32, c: %f3)", "c has shape [3], which cannot be broadcast to [2, 2]"),
        (
            "gemm(%f23, %f32, c: %f234)",
            "c has shape [2, 3, 4] of rank 3, expected a rank of 0 to 2",
        ),
        ("gemm(%f23, %f32) { alpha: Infinity }", "alpha: Infinity is not a finite number"),
        ("gemm(%f23, %f32) { aTranspose: 1 }", "aTranspose: 1 is not a boolean"),
        ("matmul(%f2, %f23)", "a has shape [2] of rank 1, expected a rank of 2 to 8"),
        ("matmul(%f23, %f23)", "a has 3 columns and b 2 rows (shapes [2, 3] and [2, 3])"),
        ("matmul(%f234, %steps)", "rows"),
        ("matmul(%i23, %i23)", "a has data type int32"),
        ("quantizeLinear(%i23, %i23, %u23)", "input has data type int32"),
        (
            "quantizeLinear(%f23, %h23, %u23)",
            "scale has data type float16, expected float32 as input has",
        ),
        ("quantizeLinear(%f23, %f23, %f23)", "zeroPoint has data type float32"),
        ("quantizeLinear(%f23, %f3, %u23)", "scale has rank 1, expected 2 as input has"),
        (
            "quantizeLinear(%f23, %f32, %u23)",
            "zeroPoint has shape [2, 3], expected [3, 2] as scale has",
        ),
        ("dequantizeLinear(%f23, %f23, %f23)", "input has data type float32"),
        ("dequantizeLinear(%u23, %f23, %i23)", "zeroPoint has data type int32, expected"),
        ("dequantizeLinear(%n3, %f2, %n3)", "zeroPoint has shape [3], expected [2] as scale has"),
    ]);
    for method in methods().filter(|method| method.name.starts_with("reduce")) {
        let name = method.name;
        check(&[
            (&format!("{name}(%f23) {{ axes: [2] }}"), "axis 2 is out of range for rank 2"),
            (&format!("{name}(%f23) {{ axes: [1, 1] }}"), "axis 1 is given twice"),
            (
                &format!("{name}(%f23) {{ keepDimensions: \"yes\" }}"),
                "keepDimensions: \"yes\" is not a boolean",
            ),
            (&format!("{name}(%n3)"), "input has data type int4"),
        ]);
    }
}

#[test]
fn recurrent_networks_refuse() {
    let lstm = |rest: &str| format!("lstm(%steps, %w4, %r4{rest}");
    let gru = |rest: &str| format!("gru(%steps, %w3, %r3{rest}");
    check(&[
        (&lstm(") { hiddenSize: 3 }"), "steps is missing"),
        (&lstm(") { steps: 4, hiddenSize: 3 }"), "steps is 4, expected 5 as input has"),
        (&lstm(") { steps: 5, hiddenSize: 0 }"), "hiddenSize is 0, expected at least 1"),
        (&lstm(") { steps: 5, hiddenSize: 4294967295 }"), "8 times hiddenSize would be"),
        (
            &lstm(") { steps: 5, hiddenSize: 4 }"),
            "weight has shape [1, 12, 4], expected [1, 16, 4]",
        ),
        (
            &lstm(") { steps: 5, hiddenSize: 3, direction: \"both\" }"),
            "weight has shape [1, 12, 4], expected [2, 12, 4]",
        ),
        (
            &lstm(", bias: %f23) { steps: 5, hiddenSize: 3 }"),
            "bias has shape [2, 3], expected [1, 12]",
        ),
        (
            &lstm(", peepholeWeight: %f23) { steps: 5, hiddenSize: 3 }"),
            "peepholeWeight has shape [2, 3], expected [1, 9]",
        ),
        (
            &lstm(", initialCellState: %f234) { steps: 5, hiddenSize: 3 }"),
            "initialCellState has shape [2, 3, 4], expected [1, 2, 3]",
        ),
        (
            &lstm(") { steps: 5, hiddenSize: 3, activations: [\"tanh\"] }"),
            "activations has 1 items, expected 3",
        ),
        (
            &lstm(") { steps: 5, hiddenSize: 3, activations: [\"gelu\"] }"),
            "activations: \"gelu\" is not one of relu, sigmoid, tanh",
        ),
        (
            &lstm(") { steps: 5, hiddenSize: 3, layout: \"zrn\" }"),
            "layout: \"zrn\" is not one of iofg, ifgo",
        ),
        (
            &lstm(") { steps: 5, hiddenSize: 3, direction: \"up\" }"),
            "direction: \"up\" is not one of forward, backward, both",
        ),
        (
            "lstmCell(%row, %cw4, %cr4, %state, %f23) { hiddenSize: 2 }",
            "weight has shape [12, 4], expected [8, 4]",
        ),
        (
            "lstmCell(%row, %cw4, %cr4, %state, %f32) { hiddenSize: 3 }",
            "cellState has shape [3, 2], expected [2, 3]",
        ),
        (
            "lstmCell(%row, %cw4, %cr4, %state, %state, bias: %f3) { hiddenSize: 3 }",
            "bias has shape [3], expected [12]",
        ),
        (
            "lstmCell(%row, %cw4, %cr4, %state, %state) { hiddenSize: 3, activations: [] }",
            "activations has 0 items, expected 3",
        ),
        ("lstmCell(%row, %cw4, %cr4, %state) { hiddenSize: 3 }", "cellState is missing"),
        (&gru(") { steps: 6, hiddenSize: 3 }"), "steps is 6, expected 5 as input has"),
        (&gru(") { steps: 5, hiddenSize: 0 }"), "hiddenSize is 0"),
        (&gru(") { steps: 5, hiddenSize: 1000000000 }"), "6 times hiddenSize would be 6000000000"),
        (&gru(") { steps: 5, hiddenSize: 4 }"), "weight has shape [1, 9, 4], expected [1, 12, 4]"),
        (
            &gru(", recurrentBias: %f23) { steps: 5, hiddenSize: 3 }"),
            "recurrentBias has shape [2, 3], expected [1, 9]",
        ),
        (
            &gru(", initialHiddenState: %f234) { steps: 5, hiddenSize: 3 }"),
            "initialHiddenState has shape [2, 3, 4]",
        ),
        (
            &gru(") { steps: 5, hiddenSize: 3, activations: [\"tanh\"] }"),
            "activations has 1 items, expected 2",
        ),
        (
            &gru(") { steps: 5, hiddenSize: 3, layout: \"iofg\" }"),
            "layout: \"iofg\" is not one of zrn, rzn",
        ),
        (
            "gruCell(%row, %cw3, %cr3, %f32) { hiddenSize: 3 }",
            "hiddenState has shape [3, 2], expected [2, 3]",
        ),
        (
            "gruCell(%row, %cw3, %cr4, %state) { hiddenSize: 3 }",
            "recurrentWeight has shape [12, 3], expected [9, 3]",
        ),
        ("gruCell(%row, %cw3, %cr3, %state) { hiddenSize: 0 }", "hiddenSize is 0"),
        (
            "gruCell(%f234, %cw3, %cr3, %state) { hiddenSize: 3 }",
            "input has shape [2, 3, 4] of rank 3, expected rank 2",
        ),
    ]);
}

#[test]
fn a_label_stands_in_the_message() {
    let message = error("relu(%s8) { label: \"stem/relu\\n\" }");
    assert!(message.message().contains(": relu [stem/relu\\n]: input has"), "{message}");
}
