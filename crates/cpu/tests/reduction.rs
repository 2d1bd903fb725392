//! Reductions, softmax, normalisations, pooling and resampling against their definitions.

mod common;

use common::{Arg, Fill, arg, check_op_with, check_some, engines, f32s};
use webnn_core::DataType;
use webnn_core::limits::SlotTypes;
use webnn_core::ops::method;
use webnn_cpu::{Engine, Options};

const FLOATS: [DataType; 2] = [DataType::Float32, DataType::Float16];

#[test]
fn reductions_match_for_every_type() {
    let engines = engines();
    for name in [
        "reduceL1",
        "reduceL2",
        "reduceLogSum",
        "reduceLogSumExp",
        "reduceMax",
        "reduceMean",
        "reduceMin",
        "reduceProduct",
        "reduceSum",
        "reduceSumSquare",
    ] {
        let SlotTypes::OneOf(types) = method(name).unwrap().slots[0].types else { unreachable!() };
        for data_type in types.iter() {
            for (shape, attributes) in [
                (&[][..], ""),
                (&[7], ""),
                (&[3, 5, 6], "axes=[1]"),
                (&[3, 5, 6], "axes=[0,2] keepDimensions=true"),
                (&[3, 5, 6], "axes=[2]"),
                (&[3, 5], "axes=[]"),
                (&[2, 1, 2, 1, 3, 1, 2, 2], "axes=[1,4,7]"),
            ] {
                let fill = if name == "reduceProduct" || name == "reduceLogSum" {
                    Fill::Positive
                } else {
                    Fill::Any
                };
                let operand = arg(data_type, shape).fill(fill);
                check_op_with(&engines, name, &[operand], attributes, 2e-5);
            }
        }
    }
    check_op_with(&engines, "reduceMean", &[f32s(&[2, 49, 700])], "axes=[1]", 2e-5);
    check_op_with(&engines, "reduceMax", &[f32s(&[100]).fill(Fill::Special)], "", 0.0);
}

#[test]
fn softmax_matches() {
    let engines = engines();
    for data_type in FLOATS {
        for (shape, axis) in
            [(&[5][..], 0), (&[3, 70], 1), (&[4, 5, 33], 1), (&[300, 120], 1), (&[2, 3, 4, 5], 0)]
        {
            let operand = [arg(data_type, shape)];
            check_op_with(&engines, "softmax", &operand, &format!("axis={axis}"), 2e-6);
        }
    }
}

#[test]
fn normalisations_match() {
    let engines = engines();
    for data_type in FLOATS {
        for (shape, vector, attributes) in [
            (&[4, 5, 6][..], &[5, 6][..], ""),
            (&[4, 5, 6], &[6], "axes=[2]"),
            (&[4, 5, 6], &[4, 6], "axes=[0,2] epsilon=0.1"),
            (&[4, 5, 6], &[6, 5], "axes=[2,1]"),
            (&[4, 5, 6], &[4], "axes=[0]"),
            (&[4, 5], &[], "axes=[]"),
            (&[300, 96], &[96], ""),
        ] {
            for (scale, bias) in [(true, true), (true, false), (false, true), (false, false)] {
                let vector = |present: bool| present.then(|| arg(data_type, vector));
                let operands = [Some(arg(data_type, shape)), vector(scale), vector(bias)];
                check_some(&engines, "layerNormalization", &operands, attributes, 5e-5);
            }
        }
        for (shape, channels, attributes) in [
            ([2, 3, 4, 5], 3, ""),
            ([2, 4, 5, 3], 3, "layout=nhwc"),
            ([1, 40, 9, 9], 40, "epsilon=0.01"),
        ] {
            for (scale, bias) in [(true, true), (true, false), (false, true)] {
                let vector = |present: bool| present.then(|| arg(data_type, &[channels]));
                let operands = [Some(arg(data_type, &shape)), vector(scale), vector(bias)];
                check_some(&engines, "instanceNormalization", &operands, attributes, 5e-5);
            }
        }
        for (shape, channels, attributes) in [
            (&[2, 3, 4, 5][..], 3, ""),
            (&[2, 4, 5, 3], 3, "axis=3"),
            (&[7], 7, "axis=0 epsilon=0.01"),
        ] {
            for (scale, bias) in [(true, true), (true, false), (false, true)] {
                for constant in [false, true] {
                    let fixed = |arg: Arg| if constant { arg.constant() } else { arg };
                    let vector = || fixed(arg(data_type, &[channels]).fill(Fill::Positive));
                    let operands = [
                        Some(arg(data_type, shape)),
                        Some(vector()),
                        Some(vector()),
                        scale.then(vector),
                        bias.then(vector),
                    ];
                    check_some(&engines, "batchNormalization", &operands, attributes, 2e-5);
                }
            }
        }
    }
}

#[test]
fn pools_match() {
    let engines = engines();
    for name in ["averagePool2d", "l2Pool2d", "maxPool2d"] {
        let SlotTypes::OneOf(types) = method(name).unwrap().slots[0].types else { unreachable!() };
        for data_type in types.iter() {
            for attributes in [
                "",
                "windowDimensions=[3,2]",
                "windowDimensions=[3,3] padding=[1,1,1,1] strides=[2,2]",
                "windowDimensions=[3,3] padding=[1,0,2,1] strides=[2,3] outputShapeRounding=ceil",
                "windowDimensions=[2,2] dilations=[2,3]",
            ] {
                // The last is large enough for several threads to share it.
                for (shape, layout) in [
                    ([2, 3, 9, 8], "nchw"),
                    ([2, 9, 8, 3], "nhwc"),
                    ([1, 9, 8, 40], "nhwc"),
                    ([1, 30, 25, 70], "nhwc"),
                ] {
                    let attributes = format!("{attributes} layout={layout}");
                    let operand = [arg(data_type, &shape)];
                    check_op_with(&engines, name, &operand, &attributes, 1e-5);
                }
            }
        }
    }
}

#[test]
fn whole_images_match_for_any_number_of_threads() {
    let mut engines = engines();
    engines.push(Engine::new(Options { threads: Some(4) }));
    // Few and many blocks, of rows that are no multiple of theirs, with channels that leave a part
    // of a vector; one image and several, and some too small to be cut.
    for [n, h, w, c] in [
        [1, 7, 7, 672],
        [1, 30, 25, 70],
        [1, 31, 17, 151],
        [1, 57, 55, 37],
        [3, 13, 29, 101],
        [2, 9, 8, 40],
        [1, 2, 400, 96],
        [1, 1, 60, 1000],
        [1, 90, 90, 15],
        [1, 131, 127, 3],
        [1, 190, 180, 1],
        [1, 3, 2, 9001],
    ] {
        let operand = [f32s(&[n, h, w, c])];
        for name in ["averagePool2d", "l2Pool2d", "maxPool2d"] {
            for attributes in ["", "padding=[0,1,0,1] strides=[99,99]"] {
                let attributes = format!("{attributes} layout=nhwc");
                check_op_with(&engines, name, &operand, &attributes, 1e-5);
            }
        }
        for name in ["reduceMean", "reduceMax", "reduceLogSumExp", "reduceSumSquare"] {
            check_op_with(&engines, name, &operand, "axes=[2,1]", 1e-5);
        }
        check_op_with(&engines, "reduceL2", &operand, "axes=[1] keepDimensions=true", 1e-5);
        check_op_with(&engines, "reduceMean", &operand, "axes=[0,1,2]", 1e-5);
    }
}

#[test]
fn resampling_matches() {
    let engines = engines();
    for data_type in [DataType::Float32, DataType::Float16, DataType::Int8, DataType::Uint8] {
        for mode in ["nearest-neighbor", "linear"] {
            for attributes in [
                "sizes=[8,10]",
                "sizes=[3,2]",
                "scales=[2,2]",
                "scales=[0.5,1.5]",
                "sizes=[4,6] axes=[1,2]",
                "sizes=[4,6] axes=[3,0]",
                "sizes=[7,5] axes=[0,2]",
            ] {
                // Shares that are no binary fractions put integers on either side of a half.
                let is_exact = attributes.contains("=[8,10]") || attributes.contains("=[2,2]");
                if !data_type.is_float() && mode == "linear" && !is_exact {
                    continue;
                }
                let operand = [arg(data_type, &[2, 3, 4, 5])];
                let attributes = format!("{attributes} mode={mode}");
                check_op_with(&engines, "resample2d", &operand, &attributes, 1e-5);
            }
        }
    }
}
