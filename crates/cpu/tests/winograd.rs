//! Convolutions that are large enough for Winograd's algorithm, against their definition.

mod common;

use common::{Fill, Random, arg, args, build, check, check_some, engines, f32s};
use webnn_core::reference::{Data, Tensor as Defined};
use webnn_core::{DataType, Desc, Graph, GraphBuilder, Limits, Operand};

#[test]
fn shapes_match() {
    let engines = engines();
    for data_type in [DataType::Float32, DataType::Float16] {
        for ([n, h, w], [i, o], padding) in [
            ([1, 8, 8], [16, 16], "[1,1,1,1]"),
            ([1, 13, 11], [16, 40], "[1,1,1,1]"),
            ([2, 7, 7], [33, 16], "[1,1,1,1]"),
            ([3, 9, 10], [17, 70], "[0,0,0,0]"),
            ([1, 9, 10], [20, 33], "[2,0,1,3]"),
        ] {
            for layouts in ["nchw oihw", "nhwc ohwi", "nhwc hwio", "nchw ihwo"] {
                let (layout, filter_layout) = layouts.split_once(' ').expect("two words");
                let input = if layout == "nchw" { [n, i, h, w] } else { [n, h, w, i] };
                let filter = match filter_layout {
                    "oihw" => [o, i, 3, 3],
                    "ohwi" => [o, 3, 3, i],
                    "hwio" => [3, 3, i, o],
                    _ihwo => [i, 3, 3, o],
                };
                for with_bias in [false, true] {
                    let operands = [
                        Some(arg(data_type, &input)),
                        Some(arg(data_type, &filter).fill(Fill::Small).constant()),
                        with_bias.then(|| arg(data_type, &[o]).constant()),
                    ];
                    let attributes = format!(
                        "padding={padding} inputLayout={layout} filterLayout={filter_layout}"
                    );
                    check_some(&engines, "conv2d", &operands, &attributes, 2e-5);
                }
            }
        }
    }
}

#[test]
fn a_pixel_that_is_not_finite_stays_in_its_windows() {
    let engines = engines();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for at in [0, 5 * 9 + 4, 7 * 9 + 8] {
            for clamp in ["", "relu"] {
                let operands = [Some(f32s(&[1, 20, 8, 9])), Some(f32s(&[40, 20, 3, 3]).constant())];
                let name = format!("{value} at {at} {clamp}");
                let (graph, mut inputs) = match clamp {
                    "" => build("conv2d", &operands, "padding=[1,1,1,1]", 1),
                    _relu => chain(&[("relu", None)]),
                };
                let Data::Float(data) = &mut inputs[0].data else { panic!("{name}: integers") };
                // The fourth channel.
                data[3 * 8 * 9 + at] = value;
                check(&engines, &name, &graph, &inputs, 2e-5);
            }
        }
    }
}

#[test]
fn filters_that_are_not_finite_match() {
    let filter = f32s(&[20, 16, 3, 3]).fill(Fill::Infinite).constant();
    let operands = [Some(f32s(&[1, 16, 9, 8])), Some(filter)];
    check_some(&engines(), "conv2d", &operands, "padding=[1,1,1,1]", 2e-5);
}

/// A method, and the shape of its second operand.
type Following<'a> = (&'a str, Option<&'a [u32]>);

/// A convolution of `[1, 20, 8, 9]` elements to 40 channels, and what follows it.
fn chain(after: &[Following<'_>]) -> (Graph, Vec<Defined>) {
    let mut builder = GraphBuilder::new(Limits::default());
    let mut random = Random::new(7);
    let mut inputs = Vec::new();
    let mut input = |builder: &mut GraphBuilder, shape: &[u32]| -> Operand {
        let desc = Desc::checked(DataType::Float32, shape).expect("a shape within the limits");
        inputs.push(random.tensor(desc, Fill::Any));
        let name = format!("input{}", inputs.len());
        builder.input(&name, DataType::Float32, shape).expect("a new name")
    };
    let x = input(&mut builder, &[1, 20, 8, 9]);
    let shape = [40, 20, 3, 3];
    let desc = Desc::checked(DataType::Float32, &shape).expect("a shape within the limits");
    let filter = Random::new(8).tensor(desc, Fill::Any).to_bytes();
    let filter = builder.constant(DataType::Float32, &shape, filter).expect("all bytes");
    let attributes = args("padding=[1,1,1,1]");
    let add = |builder: &mut GraphBuilder, method: &str, operands: &[Option<Operand>]| {
        let attributes = if method == "conv2d" { attributes.clone() } else { args("") };
        builder.add(method, operands, &attributes, "").expect("a valid call")[0]
    };
    let mut value = add(&mut builder, "conv2d", &[Some(x), Some(filter)]);
    for &(method, other) in after {
        let operands = match other {
            None => vec![Some(value)],
            Some(shape) => vec![Some(value), Some(input(&mut builder, shape))],
        };
        value = add(&mut builder, method, &operands);
    }
    (builder.build(&[("y", value)]).expect("a graph"), inputs)
}

#[test]
fn what_follows_matches() {
    let engines = engines();
    let chains: &[&[Following<'_>]] = &[
        &[("relu", None)],
        &[("hardSwish", None)],
        &[("add", Some(&[1, 40, 8, 9])), ("relu", None)],
        &[("add", Some(&[1, 40, 1, 1])), ("sigmoid", None)],
        &[("add", Some(&[1, 1, 8, 9]))],
        &[("mul", Some(&[1, 40, 1, 1])), ("tanh", None), ("add", Some(&[1, 40, 8, 9]))],
    ];
    for after in chains {
        let (graph, inputs) = chain(after);
        check(&engines, &format!("{after:?}"), &graph, &inputs, 2e-5);
    }
}

#[test]
fn parts_of_a_concat_match() {
    let mut builder = GraphBuilder::new(Limits::default());
    let mut random = Random::new(9);
    let shape = [1, 9, 10, 16];
    let x = builder.input("x", DataType::Float32, &shape).expect("a new name");
    let desc = Desc::checked(DataType::Float32, &shape).expect("a shape within the limits");
    let inputs = [random.tensor(desc, Fill::Any)];
    let parts = [24, 17].map(|outputs| {
        let shape = [outputs, 3, 3, 16];
        let desc = Desc::checked(DataType::Float32, &shape).expect("a shape within the limits");
        let bytes = random.tensor(desc, Fill::Any).to_bytes();
        let filter = builder.constant(DataType::Float32, &shape, bytes).expect("all bytes");
        let attributes = args("padding=[1,1,1,1] inputLayout=nhwc filterLayout=ohwi");
        let operands = [Some(x), Some(filter)];
        Some(builder.add("conv2d", &operands, &attributes, "").expect("a valid call")[0])
    });
    let whole = builder.add("concat", &parts, &args("axis=3"), "").expect("a valid call")[0];
    let graph = builder.build(&[("y", whole)]).expect("a graph");
    check(&engines(), "two parts", &graph, &inputs, 2e-5);
}
