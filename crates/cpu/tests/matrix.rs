//! Products and convolutions against their definitions.

mod common;

use common::{Arg, Fill, arg, check_op_with, check_some, engines, f32s};
use webnn_core::DataType;

const FLOATS: [DataType; 2] = [DataType::Float32, DataType::Float16];

#[test]
fn matmul_matches() {
    let engines = engines();
    for data_type in FLOATS {
        for (a, b) in [
            (&[1, 1][..], &[1, 1][..]),
            (&[3, 5], &[5, 7]),
            (&[1, 64], &[64, 300]),
            (&[65, 33], &[33, 97]),
            (&[2, 3, 4, 5], &[2, 3, 5, 6]),
            (&[2, 3, 4, 5], &[5, 6]),
            (&[4, 5], &[2, 3, 5, 6]),
            (&[2, 1, 4, 5], &[3, 5, 6]),
            (&[1, 2, 1, 2, 1, 2, 3, 4], &[2, 1, 2, 1, 1, 1, 4, 5]),
            (&[160, 96], &[96, 160]),
        ] {
            let (a, b) = (arg(data_type, a), arg(data_type, b));
            check_op_with(&engines, "matmul", &[a.clone(), b.clone()], "", 2e-5);
            check_op_with(&engines, "matmul", &[a, b.constant()], "", 2e-5);
        }
    }
}

#[test]
fn gemm_matches() {
    let engines = engines();
    for data_type in FLOATS {
        for (flags, a, b) in [
            ("", [7, 5], [5, 9]),
            ("aTranspose=true", [5, 7], [5, 9]),
            ("bTranspose=true", [7, 5], [9, 5]),
            ("aTranspose=true bTranspose=true", [5, 7], [9, 5]),
        ] {
            for scales in ["", "alpha=0.5", "beta=0.25", "alpha=-2 beta=3", "alpha=0 beta=1"] {
                for c in
                    [None, Some(&[][..]), Some(&[9]), Some(&[1, 9]), Some(&[7, 1]), Some(&[7, 9])]
                {
                    for constant in [false, true] {
                        let fixed = |arg: Arg| if constant { arg.constant() } else { arg };
                        let operands = [
                            Some(arg(data_type, &a)),
                            Some(fixed(arg(data_type, &b))),
                            c.map(|c| fixed(arg(data_type, c))),
                        ];
                        let attributes = format!("{flags} {scales}");
                        check_some(&engines, "gemm", &operands, &attributes, 2e-5);
                    }
                }
            }
        }
    }
}

#[test]
fn conv2d_matches() {
    let engines = engines();
    for data_type in FLOATS {
        for (input, filter, attributes) in [
            ([1, 1, 1, 1], [1, 1, 1, 1], ""),
            ([2, 3, 9, 8], [5, 3, 3, 3], ""),
            ([1, 3, 9, 8], [5, 3, 3, 3], "padding=[1,2,0,1] strides=[2,1]"),
            ([1, 4, 9, 8], [6, 2, 3, 2], "groups=2 dilations=[2,3] padding=[2,2,3,3]"),
            ([1, 20, 7, 7], [33, 20, 1, 1], ""),
            ([2, 20, 7, 7], [33, 20, 1, 1], "strides=[2,2]"),
            ([2, 6, 7, 9], [6, 1, 3, 3], "groups=6 padding=[1,1,1,1]"),
            ([1, 40, 12, 9], [40, 1, 5, 3], "groups=40 padding=[2,2,1,1] strides=[2,1]"),
            ([1, 3, 5, 5], [6, 1, 3, 3], "groups=3"),
            ([1, 2, 4, 4], [2, 2, 3, 3], "padding=[3,3,4,4]"),
        ] {
            for with_bias in [false, true] {
                for constant in [false, true] {
                    for nhwc in [false, true] {
                        let fixed = |arg: Arg| if constant { arg.constant() } else { arg };
                        let [n, c, h, w] = input;
                        let [o, i, kh, kw] = filter;
                        let shapes = match nhwc {
                            false => (input, filter),
                            true => ([n, h, w, c], [o, kh, kw, i]),
                        };
                        let layouts = match nhwc {
                            false => "",
                            true => " inputLayout=nhwc filterLayout=ohwi",
                        };
                        let operands = [
                            Some(arg(data_type, &shapes.0)),
                            Some(fixed(arg(data_type, &shapes.1))),
                            with_bias.then(|| fixed(arg(data_type, &[o]))),
                        ];
                        let attributes = format!("{attributes}{layouts}");
                        check_some(&engines, "conv2d", &operands, &attributes, 2e-5);
                    }
                }
            }
        }
    }
}

#[test]
fn infinite_taps_make_nan_of_padding_in_every_kind_of_convolution() {
    let engines = engines();
    for (filter, groups) in [([5, 4, 3, 3], 1), ([6, 2, 3, 3], 2), ([4, 1, 3, 3], 4)] {
        let filter = f32s(&filter).fill(Fill::Infinite);
        for filter in [filter.clone().constant(), filter] {
            for rest in ["", "strides=[2,2]", "dilations=[2,3]"] {
                let rest = format!("groups={groups} padding=[1,2,2,1] {rest}");
                let operands = [f32s(&[2, 4, 9, 8]), filter.clone()];
                check_op_with(&engines, "conv2d", &operands, &rest, 1e-5);
            }
        }
    }
}

#[test]
fn filter_layouts_match() {
    let engines = engines();
    for (layout, filter) in [
        ("oihw", [5, 3, 2, 4]),
        ("hwio", [2, 4, 3, 5]),
        ("ohwi", [5, 2, 4, 3]),
        ("ihwo", [3, 2, 4, 5]),
    ] {
        let operands = [arg(DataType::Float32, &[1, 3, 6, 7]), arg(DataType::Float32, &filter)];
        check_op_with(&engines, "conv2d", &operands, &format!("filterLayout={layout}"), 2e-5);
    }
}
