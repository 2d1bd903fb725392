//! Transposed convolutions against their definition.

mod common;

use common::{Fill, build, check, check_op, check_some, engines, f32s};

/// Checks one geometry in both layouts, with a constant filter and with one that is not.
fn check_geometry(input: [u32; 4], filter: [u32; 4], groups: u32, rest: &str) {
    let engines = engines();
    let [n, c, h, w] = input;
    let [i, o, kh, kw] = filter;
    for (input_layout, input) in [("nhwc", [n, h, w, c]), ("nchw", [n, c, h, w])] {
        for (filter_layout, filter) in
            [("iohw", [i, o, kh, kw]), ("hwoi", [kh, kw, o, i]), ("ohwi", [o, kh, kw, i])]
        {
            for is_constant in [true, false] {
                let filter = if is_constant { f32s(&filter).constant() } else { f32s(&filter) };
                let bias = f32s(&[o * groups]).constant();
                for bias in [None, Some(bias)] {
                    let operands = [Some(f32s(&input)), Some(filter.clone()), bias];
                    let attributes = format!(
                        "inputLayout={input_layout} filterLayout={filter_layout} groups={groups} \
                         {rest}"
                    );
                    check_some(&engines, "convTranspose2d", &operands, &attributes, 1e-4);
                }
            }
        }
    }
}

#[test]
fn strides_paddings_and_dilations_match() {
    for rest in [
        "",
        "strides=[2,2]",
        "strides=[3,2] padding=[1,2,0,1]",
        "strides=[2,2] padding=[1,1,1,1] outputPadding=[1,1]",
        "strides=[2,3] dilations=[2,1]",
        "strides=[4,2] dilations=[2,3] padding=[2,1,3,0]",
        "dilations=[3,2] padding=[2,2,1,1]",
        "strides=[2,2] outputSizes=[11,14]",
    ] {
        check_geometry([2, 3, 5, 6], [3, 4, 3, 4], 1, rest);
    }
}

#[test]
fn phases_without_taps_hold_the_bias() {
    check_geometry([1, 2, 4, 3], [2, 3, 1, 2], 1, "strides=[3,4]");
}

#[test]
fn padding_beyond_the_first_taps_matches() {
    check_geometry([1, 2, 9, 9], [2, 3, 2, 2], 1, "strides=[2,2] padding=[5,3,4,6]");
}

#[test]
fn groups_match() {
    for rest in ["strides=[2,2] padding=[1,1,1,1]", "dilations=[2,2]"] {
        check_geometry([2, 6, 4, 5], [6, 2, 3, 3], 3, rest);
        check_geometry([1, 4, 4, 5], [4, 1, 4, 4], 4, rest);
    }
}

#[test]
fn many_channels_are_shared_out() {
    check_geometry([1, 24, 16, 16], [24, 40, 4, 4], 1, "strides=[2,2] padding=[1,1,1,1]");
}

#[test]
fn infinite_taps_add_nothing_where_no_element_is() {
    let engines = engines();
    for rest in ["", "padding=[1,0,2,1] strides=[2,3]", "groups=2 dilations=[2,1]"] {
        let filter = f32s(&[4, 3, 3, 2]).fill(Fill::Infinite);
        let bias = f32s(&[if rest.contains("groups") { 6 } else { 3 }]);
        for filter in [filter.clone().constant(), filter] {
            let operands = [f32s(&[2, 4, 5, 6]), filter, bias.clone()];
            check_op(&engines, "convTranspose2d", &operands, rest);
        }
    }
}

#[test]
fn what_follows_is_computed_with_it() {
    let text = "\
%x = input \"x\" float32[1, 8, 9, 6]
%r = input \"r\" float32[1, 16, 18, 5]
%w = input \"w\" float32[6, 5, 4, 4]
%b = constant float32[5] {0.5, -1, 2, 0.25, -0.125}
%0 = convTranspose2d(%x, %w, bias: %b) { strides: [2, 2], padding: [1, 1, 1, 1], inputLayout: \
\"nhwc\" }
%1 = relu(%0)
%2 = add(%1, %r)
%3 = sigmoid(%2)
output \"y\" = %3
";
    let graph: webnn_core::Graph = text.parse().unwrap();
    let mut random = common::Random::new(7);
    let inputs: Vec<_> = graph
        .inputs()
        .iter()
        .map(|port| random.tensor(graph.desc(port.value), common::Fill::Any))
        .collect();
    check(&engines(), "convTranspose2d and others", &graph, &inputs, 1e-4);
    let (half, tensors) = build(
        "convTranspose2d",
        &[
            Some(common::arg(webnn_core::DataType::Float16, &[1, 3, 4, 5])),
            Some(common::arg(webnn_core::DataType::Float16, &[3, 2, 3, 3])),
        ],
        "strides=[2,2]",
        3,
    );
    check(&engines(), "convTranspose2d of halves", &half, &tensors, 1e-2);
}
