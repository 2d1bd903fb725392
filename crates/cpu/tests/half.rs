//! Graphs of half precision are computed in single and rounded once: their results are those of the
//! same graphs in single precision, to the bit.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Fill, Random, args, check_op, engines, f32s, run};
use webnn_core::reference::Tensor as Defined;
use webnn_core::{DataType, Desc, Graph, GraphBuilder, Limits, Operand};

/// Builds a graph in one of the two types from numbers that half precision holds.
struct Build {
    builder: GraphBuilder,
    data_type: DataType,
    random: Random,
    inputs: Vec<Defined>,
}

impl Build {
    fn new(data_type: DataType) -> Build {
        let builder = GraphBuilder::new(Limits::default());
        Build { builder, data_type, random: Random::new(7), inputs: Vec::new() }
    }

    fn numbers(&mut self, shape: &[u32], fill: Fill) -> Defined {
        let half = Desc::checked(DataType::Float16, shape).unwrap();
        let numbers = self.random.tensor(half, fill).floats().to_vec();
        Defined::float(Desc::checked(self.data_type, shape).unwrap(), numbers)
    }

    fn input(&mut self, shape: &[u32]) -> Operand {
        let tensor = self.numbers(shape, Fill::Any);
        self.inputs.push(tensor);
        let name = format!("input{}", self.inputs.len());
        self.builder.input(&name, self.data_type, shape).unwrap()
    }

    fn constant(&mut self, shape: &[u32], fill: Fill) -> Operand {
        let tensor = self.numbers(shape, fill);
        self.builder.constant(self.data_type, shape, tensor.to_bytes()).unwrap()
    }

    fn add(&mut self, method: &str, operands: &[Operand], attributes: &str) -> Operand {
        let operands: Vec<Option<Operand>> = operands.iter().copied().map(Some).collect();
        self.builder.add(method, &operands, &args(attributes), "").unwrap()[0]
    }

    fn finish(mut self, outputs: &[Operand]) -> (Graph, Vec<Defined>) {
        let names: Vec<String> = (0..outputs.len()).map(|i| format!("output{i}")).collect();
        let outputs: Vec<(&str, Operand)> =
            names.iter().map(String::as_str).zip(outputs.iter().copied()).collect();
        (self.builder.build(&outputs).unwrap(), self.inputs)
    }
}

/// Compares what `graph` computes in half precision with what it does in single.
fn check(name: &str, graph: impl Fn(&mut Build) -> Vec<Operand>) {
    for engine in engines() {
        let [half, single] = [DataType::Float16, DataType::Float32].map(|data_type| {
            let mut build = Build::new(data_type);
            let outputs = graph(&mut build);
            let (graph, inputs) = build.finish(&outputs);
            let outputs = graph.outputs().iter().map(|port| graph.desc(port.value));
            let outputs: Vec<Desc> = outputs.collect();
            let results = run(&engine, &graph, &inputs);
            let results = outputs.iter().zip(&results);
            results.map(|(&desc, result)| Defined::from_bytes(desc, result).unwrap()).collect()
        });
        let (half, single): (Vec<Defined>, Vec<Defined>) = (half, single);
        for (i, (half, single)) in half.iter().zip(&single).enumerate() {
            let rounded = Defined::float(half.desc, single.floats().to_vec()).rounded();
            let pairs = half.floats().iter().zip(rounded.floats()).enumerate();
            for (at, (&actual, &expected)) in pairs {
                let is_same = actual == expected || (actual.is_nan() && expected.is_nan());
                assert!(is_same, "{name}, output {i}, element {at}: {actual}, expected {expected}");
            }
        }
    }
}

#[test]
fn products_with_large_weights_round_once() {
    check("two layers", |b| {
        let x = b.input(&[5, 256]);
        let [up, down] = [[256, 300], [300, 256]].map(|shape| b.constant(&shape, Fill::Small));
        let bias = b.constant(&[300], Fill::Any);
        let (scale, shift) = (b.constant(&[256], Fill::Any), b.constant(&[256], Fill::Any));
        let h = b.add("matmul", &[x, up], "");
        let h = b.add("add", &[h, bias], "");
        let h = b.add("gelu", &[h], "");
        let y = b.add("matmul", &[h, down], "");
        let y = b.add("add", &[y, x], "");
        let y = b.add("layerNormalization", &[y, scale, shift], "axes=[1]");
        // The first product's result is wanted twice, rounded where it leaves.
        vec![y, h]
    });
}

#[test]
fn weights_of_two_products_and_transposed_ones_are_read_rightly() {
    check("tied", |b| {
        let x = b.input(&[3, 200]);
        let w = b.constant(&[200, 200], Fill::Small);
        let y = b.add("matmul", &[x, w], "");
        let t = b.add("transpose", &[w], "");
        let y = b.add("matmul", &[y, t], "");
        let y = b.add("matmul", &[y, w], "");
        let z = b.add("gemm", &[y, w], "alpha=0.5 bTranspose=true");
        vec![z]
    });
}

#[test]
fn filters_that_are_read_in_each_run_are_cast() {
    // Taps that are not finite keep a transposed convolution's filter from being packed.
    check("convTranspose2d", |b| {
        let x = b.input(&[1, 4, 4, 64]);
        let w = b.constant(&[64, 3, 3, 64], Fill::Infinite);
        let attributes = "inputLayout=nhwc filterLayout=iohw";
        let w = b.add("transpose", &[w], "permutation=[0,3,1,2]");
        vec![b.add("convTranspose2d", &[x, w], attributes)]
    });
    check("conv2d", |b| {
        let x = b.input(&[1, 64, 8, 8]);
        let (w, bias) = (b.constant(&[64, 64, 3, 3], Fill::Small), b.constant(&[64], Fill::Any));
        let y = b.add("conv2d", &[x, w], "padding=[1,1,1,1]");
        let bias = b.add("reshape", &[bias], "newShape=[1,64,1,1]");
        let y = b.add("add", &[y, bias], "");
        vec![b.add("relu", &[y], "")]
    });
}

#[test]
fn what_is_moved_and_computed_and_given_back_is_right_in_each_place() {
    check("a cache", |b| {
        let (past, next) = (b.input(&[2, 7, 16]), b.input(&[2, 1, 16]));
        let [keys, table] = [[16, 40], [40, 16]].map(|shape| b.constant(&shape, Fill::Small));
        let next = b.add("tanh", &[next], "");
        let all = b.add("concat", &[past, next], "axis=1");
        let turned = b.add("transpose", &[past], "permutation=[1,0,2]");
        let part = b.add("slice", &[all], "starts=[0,2,0] sizes=[2,3,16]");
        let scores = b.add("matmul", &[part, keys], "");
        let y = b.add("softmax", &[scores], "axis=2");
        let y = b.add("matmul", &[y, table], "");
        vec![all, turned, part, y]
    });
}

#[test]
fn an_explicit_cast_rounds() {
    let engines = engines();
    check_op(&engines, "cast", &[f32s(&[300])], "dataType=float16");
    let mut builder = GraphBuilder::new(Limits::default());
    let x = builder.input("x", DataType::Float32, &[300]).unwrap();
    let half = builder.add("cast", &[Some(x)], &args("dataType=float16"), "").unwrap()[0];
    let back = builder.add("cast", &[Some(half)], &args("dataType=float32"), "").unwrap()[0];
    let graph = builder.build(&[("y", back)]).unwrap();
    let x = Random::new(3).tensor(Desc::checked(DataType::Float32, &[300]).unwrap(), Fill::Any);
    common::check(&engines, "there and back", &graph, &[x], 0.0);
}
