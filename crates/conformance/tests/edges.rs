//! What the vectors leave out: overflow, division by zero, NaN and infinities, scalars, eight
//! dimensions, 4-bit integers. Expected values are what the specification says, or our decision
//! where it leaves one to implementations; each row holds on the engine and by definition.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use webnn::{Context, ContextOptions, Ml};
use webnn_conformance::run::compute;
use webnn_conformance::vectors::Tolerance;
use webnn_core::reference::{Tensor, run};
use webnn_core::{DataType, Desc, Limits, text};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// Elements, as integers or floats.
#[derive(Clone, Copy, Debug)]
enum Of<'a> {
    I(&'a [i128]),
    F(&'a [f64]),
}
use Of::{F, I};

fn cpu() -> Context {
    Ml::new().create_context(&ContextOptions::default()).unwrap()
}

fn tensor(desc: Desc, elements: Of<'_>) -> Tensor {
    match elements {
        I(items) => Tensor::int(desc, items.to_vec()),
        F(items) => Tensor::float(desc, items.to_vec()).rounded(),
    }
}

/// Computes `call`, whose operands are `%0`, `%1` and so on, and compares; `tolerance` in units of
/// the last place.
#[track_caller]
fn gives(
    context: &Context,
    call: &str,
    operands: &[(DataType, &[u32], Of<'_>)],
    expected: (DataType, &[u32], Of<'_>),
    tolerance: f64,
) {
    let mut source = String::new();
    let mut inputs = Vec::new();
    for (i, (data_type, shape, elements)) in operands.iter().enumerate() {
        let desc = Desc::checked(*data_type, shape).unwrap();
        source += &format!("%{i} = input \"{i}\" {desc}\n");
        inputs.push((i.to_string(), tensor(desc, *elements)));
    }
    source += &format!("%y = {call}\noutput \"y\" = %y\n");
    let graph = text::parse(&source, Limits::default()).unwrap_or_else(|e| panic!("{source}{e}"));
    let expected = tensor(Desc::checked(expected.0, expected.1).unwrap(), expected.2);

    let tensors: Vec<Tensor> = inputs.iter().map(|(_, tensor)| tensor.clone()).collect();
    let defined = &run(&graph, &tensors).unwrap()[0];
    let named: Vec<(&str, &Tensor)> =
        inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let compiled = context.compile(graph).unwrap_or_else(|error| panic!("{source}{error}"));
    let computed = compute(context, &compiled, &named);
    let computed = &computed.unwrap_or_else(|error| panic!("{source}{error}"))[0].1;
    for (who, actual) in [("the definition", defined), ("the engine", computed)] {
        assert_eq!(actual.desc, expected.desc, "{who}: {source}");
        if let Some(miss) = Tolerance::Ulp(tolerance).first_miss(actual, &expected) {
            panic!("{who}: {call} of {operands:?}: {miss}");
        }
    }
}

fn integers() -> impl Iterator<Item = (DataType, i128, i128)> {
    DataType::ALL.into_iter().filter(|of| of.bits() >= 8).filter_map(|of| {
        let (least, greatest) = of.integer_range()?;
        Some((of, least, greatest))
    })
}

#[test]
fn integers_wrap() {
    let context = cpu();
    for (of, min, max) in integers() {
        let binary = |call: &str, a: &[i128], b: &[i128], expected: &[i128]| {
            let shape = &[a.len() as u32][..];
            let operands = [(of, shape, I(a)), (of, shape, I(b))];
            gives(&context, call, &operands, (of, shape, I(expected)), 0.0);
        };
        binary(
            "add(%0, %1)",
            &[max, max, 3],
            &[1, max, 4],
            &[min, max.wrapping_mul(2) - (max - min + 1), 7],
        );
        binary("sub(%0, %1)", &[min, 5], &[1, 2], &[max, 3]);
        binary("max(%0, %1)", &[min, max], &[max, min], &[max, max]);
        binary("min(%0, %1)", &[min, max], &[max, min], &[min, min]);
        // (2^n − 1)·2 and, for signed types, (2^(n−1) − 1)·2, without the bits that are too many.
        binary("mul(%0, %1)", &[max, 3], &[2, 5], &[if min < 0 { -2 } else { max - 1 }, 15]);
        // The least integer has no counterpart.
        if min < 0 && of != DataType::Int64 {
            let shape = &[3][..];
            for call in ["neg(%0)", "abs(%0)"] {
                let flipped = if call == "abs(%0)" { 7 } else { -7 };
                let expected = [min, flipped, max];
                let given = [min, 7, if call == "abs(%0)" { max } else { -max }];
                gives(&context, call, &[(of, shape, I(&given))], (of, shape, I(&expected)), 0.0);
            }
        }
    }
}

#[test]
fn integer_division_and_powers_never_trap() {
    let context = cpu();
    for (of, min, max) in integers() {
        let binary = |call: &str, a: &[i128], b: &[i128], expected: &[i128]| {
            let shape = &[a.len() as u32][..];
            let operands = [(of, shape, I(a)), (of, shape, I(b))];
            gives(&context, call, &operands, (of, shape, I(expected)), 0.0);
        };
        binary("div(%0, %1)", &[7, 7, 0, max], &[2, 0, 0, max], &[3, 0, 0, 1]);
        binary("pow(%0, %1)", &[3, 0, 0, 7], &[2, 0, 3, 1], &[9, 1, 0, 7]);
        if min < 0 {
            binary("div(%0, %1)", &[-7, 7, min, -1], &[2, -2, -1, 0], &[-3, -3, min, 0]);
            binary("pow(%0, %1)", &[2, 1, -1, -1, 0], &[-1, -5, -3, -2, -1], &[0, 1, -1, 1, 0]);
        }
    }
}

#[test]
fn integer_sums_and_products_wrap() {
    let context = cpu();
    for (of, min, max) in integers().filter(|(of, ..)| of.bits() >= 32) {
        let reduce = |call: &str, given: &[i128], expected: i128| {
            let shape = &[given.len() as u32][..];
            gives(&context, call, &[(of, shape, I(given))], (of, &[], I(&[expected])), 0.0);
        };
        reduce("reduceSum(%0)", &[max, 1, 1], min + 1);
        reduce("reduceProduct(%0)", &[max, 2], if min < 0 { -2 } else { max - 1 });
        reduce("reduceMax(%0)", &[min, max, 0], max);
        reduce("reduceMin(%0)", &[max, min, 0], min);
        let given = [(of, &[3][..], I(&[max, 1, 1]))];
        let sums = (of, &[3][..], I(&[max, min, min + 1]));
        gives(&context, "cumulativeSum(%0) { axis: 0 }", &given, sums, 0.0);
    }
}

#[test]
fn nan_and_infinities_are_ieee() {
    let context = cpu();
    for of in [DataType::Float32, DataType::Float16] {
        let unary = |call: &str, given: &[f64], expected: &[f64], ulp: f64| {
            let shape = &[given.len() as u32][..];
            gives(&context, call, &[(of, shape, F(given))], (of, shape, F(expected)), ulp);
        };
        let all = [NAN, INF, -INF, 1.0, -1.0];
        unary("relu(%0)", &all, &[NAN, INF, 0.0, 1.0, 0.0], 0.0);
        unary("clamp(%0) { minValue: -0.5, maxValue: 2 }", &all, &[NAN, 2.0, -0.5, 1.0, -0.5], 0.0);
        unary("sign(%0)", &all, &[0.0, 1.0, -1.0, 1.0, -1.0], 0.0);
        unary("abs(%0)", &all, &[NAN, INF, INF, 1.0, 1.0], 0.0);
        unary("ceil(%0)", &all, &all, 0.0);
        unary("exp(%0)", &[NAN, INF, -INF, 0.0, 1000.0], &[NAN, INF, 0.0, 1.0, INF], 0.0);
        unary("log(%0)", &[NAN, INF, 0.0, -1.0, 1.0], &[NAN, INF, -INF, NAN, 0.0], 0.0);
        unary("sqrt(%0)", &[NAN, INF, -1.0, 0.0, 4.0], &[NAN, INF, NAN, 0.0, 2.0], 0.0);
        unary("reciprocal(%0)", &[NAN, INF, 0.0, 2.0], &[NAN, 0.0, INF, 0.5], 0.0);
        unary("sigmoid(%0)", &[NAN, INF, -INF, 1000.0, 0.0], &[NAN, 1.0, 0.0, 1.0, 0.5], 0.0);
        unary("tanh(%0)", &[NAN, INF, -INF, 1000.0, 0.0], &[NAN, 1.0, -1.0, 1.0, 0.0], 0.0);
        unary("erf(%0)", &[NAN, INF, -INF, 30.0, 0.0], &[NAN, 1.0, -1.0, 1.0, 0.0], 0.0);
        unary("softplus(%0)", &[NAN, INF, -INF, 1000.0], &[NAN, INF, 0.0, 1000.0], 0.0);
        unary("sin(%0)", &[NAN, INF, -INF], &[NAN, NAN, NAN], 0.0);
        // Halves go to even, and what is large is an integer already.
        let halves = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.4, 1e4, INF, NAN];
        let rounded = [0.0, 2.0, 2.0, 0.0, -2.0, -2.0, 0.0, 1e4, INF, NAN];
        unary("roundEven(%0)", &halves, &rounded, 0.0);
        // The maximum is taken off before the exponential.
        unary("softmax(%0) { axis: 0 }", &[1000.0, 1000.0], &[0.5, 0.5], 1.0);
        unary("softmax(%0) { axis: 0 }", &[-INF, 0.0], &[0.0, 1.0], 0.0);

        let logical = |call: &str, given: &[f64], expected: &[i128]| {
            let shape = &[given.len() as u32][..];
            let expected = (DataType::Uint8, shape, I(expected));
            gives(&context, call, &[(of, shape, F(given))], expected, 0.0);
        };
        logical("isNaN(%0)", &[NAN, -NAN, INF, -INF, 0.0, 1.0], &[1, 1, 0, 0, 0, 0]);
        logical("isInfinite(%0)", &[NAN, INF, -INF, 0.0, 65504.0], &[0, 1, 1, 0, 0]);
    }
}

#[test]
fn nan_goes_through_pairs_and_reductions() {
    let context = cpu();
    for of in [DataType::Float32, DataType::Float16] {
        let shape = &[4][..];
        let operands =
            [(of, shape, F(&[NAN, 1.0, 0.0, -1.0])), (of, shape, F(&[1.0, NAN, 0.0, 0.0]))];
        for (call, expected) in [
            ("add(%0, %1)", [NAN, NAN, 0.0, -1.0]),
            ("max(%0, %1)", [NAN, NAN, 0.0, 0.0]),
            ("min(%0, %1)", [NAN, NAN, 0.0, -1.0]),
            ("div(%0, %1)", [NAN, NAN, NAN, -INF]),
        ] {
            gives(&context, call, &operands, (of, shape, F(&expected)), 0.0);
        }
        for (call, expected) in [
            ("equal(%0, %1)", [0, 0, 1, 0]),
            ("notEqual(%0, %1)", [1, 1, 0, 1]),
            ("greater(%0, %1)", [0, 0, 0, 0]),
            ("lesser(%0, %1)", [0, 0, 0, 1]),
            ("greaterOrEqual(%0, %1)", [0, 0, 1, 0]),
            ("lesserOrEqual(%0, %1)", [0, 0, 1, 1]),
        ] {
            gives(&context, call, &operands, (DataType::Uint8, shape, I(&expected)), 0.0);
        }
        let powers =
            [(of, shape, F(&[0.0, 0.0, -8.0, 2.0])), (of, shape, F(&[0.0, -1.0, 0.5, 1e4]))];
        gives(&context, "pow(%0, %1)", &powers, (of, shape, F(&[1.0, INF, NAN, INF])), 0.0);

        let reduce = |call: &str, given: &[f64], expected: f64, ulp: f64| {
            let given = [(of, &[given.len() as u32][..], F(given))];
            gives(&context, call, &given, (of, &[], F(&[expected])), ulp);
        };
        reduce("reduceMax(%0)", &[1.0, NAN, 3.0], NAN, 0.0);
        reduce("reduceMin(%0)", &[1.0, NAN, 3.0], NAN, 0.0);
        reduce("reduceSum(%0)", &[INF, -INF], NAN, 0.0);
        reduce("reduceSum(%0)", &[INF, 1.0], INF, 0.0);
        reduce("reduceLogSumExp(%0)", &[1000.0, 1000.0], 1000.0 + 2f64.ln(), 1.0);
        reduce("reduceLogSumExp(%0)", &[-INF, -INF], -INF, 0.0);

        // The first of equals, and never NaN where there is something else.
        let arg = |call: &str, given: &[f64], expected: i128| {
            let given = [(of, &[given.len() as u32][..], F(given))];
            gives(&context, call, &given, (DataType::Int32, &[], I(&[expected])), 0.0);
        };
        arg("argMax(%0) { axis: 0 }", &[NAN, 1.0, 3.0, 3.0], 2);
        arg("argMin(%0) { axis: 0 }", &[2.0, NAN, 1.0, 1.0], 2);
    }
}

#[test]
fn casts_saturate_cut_off_or_keep_the_low_bits() {
    let context = cpu();
    let cast = |from: DataType, given: Of<'_>, to: DataType, expected: Of<'_>| {
        let count = match given {
            I(items) => items.len(),
            F(items) => items.len(),
        };
        let shape = &[count as u32][..];
        let call = format!("cast(%0) {{ dataType: \"{to}\" }}");
        gives(&context, &call, &[(from, shape, given)], (to, shape, expected), 0.0);
    };
    use DataType::*;
    let floats = F(&[NAN, INF, -INF, 1.9, -1.9, 300.0, -300.0]);
    for from in [Float32, Float16] {
        cast(from, floats, Int8, I(&[0, 127, -128, 1, -1, 127, -128]));
        cast(from, floats, Uint8, I(&[0, 255, 0, 1, 0, 255, 0]));
        let (min, max) = (i128::from(i32::MIN), i128::from(i32::MAX));
        cast(from, floats, Int32, I(&[0, max, min, 1, -1, 300, -300]));
        cast(from, floats, Uint64, I(&[0, u64::MAX.into(), 0, 1, 0, 300, 0]));
        let (min, max) = (i128::from(i64::MIN), i128::from(i64::MAX));
        cast(from, floats, Int64, I(&[0, max, min, 1, -1, 300, -300]));
    }
    cast(Float32, F(&[65519.0, 65520.0, -1e9]), Float16, F(&[65504.0, INF, -INF]));
    cast(Int64, I(&[(1 << 32) + 5, -1, 1 << 31]), Int32, I(&[5, -1, i32::MIN.into()]));
    cast(Int32, I(&[-1, 256, 511]), Uint8, I(&[255, 0, 255]));
    cast(Uint64, I(&[u64::MAX.into()]), Int8, I(&[-1]));
    cast(Int32, I(&[16_777_217, -16_777_219]), Float32, F(&[16_777_216.0, -16_777_220.0]));
    cast(Uint64, I(&[u64::MAX.into()]), Float32, F(&[2f64.powi(64)]));
    cast(Int32, I(&[65519, 65520]), Float16, F(&[65504.0, INF]));
    cast(Int4, I(&[-8, 7, 0]), Float32, F(&[-8.0, 7.0, 0.0]));
    cast(Uint4, I(&[15, 0, 1]), Int32, I(&[15, 0, 1]));
}

#[test]
fn four_bit_integers_are_packed_and_saturate() {
    let context = cpu();
    use DataType::*;
    // An odd count: the last byte is half full.
    let shape = &[5][..];
    let codes = [-8, -1, 0, 1, 7];
    let dequantized = [-7.0, 0.0, 1.0, 2.0, 8.0].map(|x| 0.5 * x);
    let operands =
        [(Int4, shape, I(&codes)), (Float32, &[1][..], F(&[0.5])), (Int4, &[1][..], I(&[-1]))];
    gives(
        &context,
        "dequantizeLinear(%0, %1, %2)",
        &operands,
        (Float32, shape, F(&dequantized)),
        0.0,
    );
    let given = [
        (Float32, shape, F(&[-100.0, -1.0, 0.25, 1.0, 100.0])),
        (Float32, &[1][..], F(&[0.5])),
        (Int4, &[1][..], I(&[1])),
    ];
    // Halves to even before the zero point is added.
    gives(
        &context,
        "quantizeLinear(%0, %1, %2)",
        &given,
        (Int4, shape, I(&[-8, -1, 1, 3, 7])),
        0.0,
    );
    let given = [
        (Float32, shape, F(&[-100.0, 0.0, 0.75, 1.0, 100.0])),
        (Float32, &[1][..], F(&[0.5])),
        (Uint4, &[1][..], I(&[3])),
    ];
    gives(
        &context,
        "quantizeLinear(%0, %1, %2)",
        &given,
        (Uint4, shape, I(&[0, 3, 5, 5, 15])),
        0.0,
    );
    let reshaped = (Int4, &[1, 5][..], I(&codes));
    gives(&context, "reshape(%0) { newShape: [1, 5] }", &[(Int4, shape, I(&codes))], reshaped, 0.0);
}

#[test]
fn indices_are_clamped_and_the_last_update_wins() {
    let context = cpu();
    use DataType::*;
    let x = (Float32, &[3][..], F(&[10.0, 20.0, 30.0]));
    for of in [Int32, Int64] {
        let indices = (of, &[5][..], I(&[0, -1, 2, 99, -99]));
        let expected = (Float32, &[5][..], F(&[10.0, 30.0, 30.0, 30.0, 10.0]));
        gives(&context, "gather(%0, %1)", &[x, indices], expected, 0.0);
        gives(&context, "gatherElements(%0, %1)", &[x, indices], expected, 0.0);
    }
    let indices = (Int32, &[3][..], I(&[1, 1, -3]));
    let updates = (Float32, &[3][..], F(&[1.0, 2.0, 3.0]));
    let expected = (Float32, &[3][..], F(&[3.0, 2.0, 30.0]));
    gives(&context, "scatterElements(%0, %1, %2)", &[x, indices, updates], expected, 0.0);
}

#[test]
fn scalars_have_no_dimensions() {
    let context = cpu();
    use DataType::*;
    let x = (Float32, &[][..], F(&[-2.0]));
    for (call, expected) in [
        ("neg(%0)", 2.0),
        ("add(%0, %0)", -4.0),
        ("reduceSum(%0)", -2.0),
        ("transpose(%0)", -2.0),
        ("reverse(%0)", -2.0),
        ("expand(%0) { newShape: [] }", -2.0),
        ("tile(%0) { repetitions: [] }", -2.0),
        ("pad(%0) { beginningPadding: [], endingPadding: [] }", -2.0),
        ("clamp(%0) { minValue: -1 }", -1.0),
        ("linear(%0) { alpha: 3, beta: 1 }", -5.0),
    ] {
        gives(&context, call, &[x], (Float32, &[], F(&[expected])), 0.0);
    }
    let where_ = "where(%1, %0, %2)";
    let condition = (Uint8, &[][..], I(&[3]));
    gives(
        &context,
        where_,
        &[x, condition, (Float32, &[], F(&[7.0]))],
        (Float32, &[], F(&[-2.0])),
        0.0,
    );
    let gathered = [(Float32, &[3][..], F(&[1.0, 2.0, 3.0])), (Int32, &[][..], I(&[1]))];
    gives(&context, "gather(%0, %1)", &gathered, (Float32, &[], F(&[2.0])), 0.0);
}

#[test]
fn eight_dimensions_are_computed_by_definition() {
    let context = cpu();
    let shape = "[2, 1, 3, 2, 1, 2, 3, 2]";
    let calls = [
        "transpose(%0)",
        "transpose(%0) { permutation: [7, 2, 5, 0, 1, 6, 4, 3] }",
        "add(%0, %1)",
        "where(%2, %0, %1)",
        "reduceSum(%0) { axes: [0, 3, 6] }",
        "reduceMax(%0) { axes: [7, 2], keepDimensions: true }",
        "softmax(%0) { axis: 2 }",
        "softmax(%0) { axis: 7 }",
        "argMax(%0) { axis: 6 }",
        "concat(%0, %0) { axis: 5 }",
        "slice(%0) { starts: [1, 0, 1, 0, 0, 1, 0, 1], sizes: [1, 1, 2, 2, 1, 1, 3, 1], strides: [1, 1, 2, 1, 1, 1, 2, 1] }",
        "pad(%0) { beginningPadding: [1, 0, 0, 1, 0, 1, 0, 0], endingPadding: [0, 0, 2, 0, 1, 0, 0, 1], value: 7 }",
        "tile(%0) { repetitions: [1, 2, 1, 1, 3, 1, 1, 2] }",
        "expand(%1) { newShape: [2, 1, 3, 2, 4, 2, 3, 2] }",
        "reverse(%0) { axes: [0, 2, 7] }",
        "cumulativeSum(%0) { axis: 3 }",
        "gather(%0, %3) { axis: 6 }",
        "matmul(%0, %4)",
        "layerNormalization(%0) { axes: [2, 7] }",
        "triangular(%0)",
        "gelu(%0)",
        "greater(%0, %1)",
    ];
    for call in calls {
        let source = format!(
            "%0 = input \"0\" float32{shape}\n%1 = input \"1\" float32[2, 1, 2, 3, 2]\n\
             %2 = input \"2\" uint8[3, 1, 1, 2, 1, 1]\n%3 = input \"3\" int32[2]\n\
             %4 = input \"4\" float32[2, 3]\n%y = {call}\noutput \"y\" = %y\n"
        );
        let graph =
            text::parse(&source, Limits::default()).unwrap_or_else(|e| panic!("{call}: {e}"));
        let mut rng = fastrand::Rng::with_seed(8);
        let mut inputs = Vec::new();
        for port in graph.inputs() {
            let desc = graph.desc(port.value);
            let count = desc.elements();
            let tensor = if desc.data_type.is_float() {
                Tensor::float(desc, (0..count).map(|_| rng.f64() * 4.0 - 2.0).collect()).rounded()
            } else {
                Tensor::int(desc, (0..count).map(|_| rng.i128(0..2)).collect())
            };
            inputs.push((port.name.clone(), tensor));
        }
        let tensors: Vec<Tensor> = inputs.iter().map(|(_, tensor)| tensor.clone()).collect();
        let expected = run(&graph, &tensors).unwrap();
        let named: Vec<(&str, &Tensor)> =
            inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let compiled = context.compile(graph).unwrap_or_else(|error| panic!("{call}: {error}"));
        let actual = &compute(&context, &compiled, &named).unwrap()[0].1;
        let tolerance = Tolerance::Absolute(1e-5);
        assert_eq!(actual.desc, expected[0].desc, "{call}");
        if let Some(miss) = tolerance.first_miss(actual, &expected[0]) {
            panic!("{call}: {miss}");
        }
    }
}
