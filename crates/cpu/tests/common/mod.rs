//! Builds a graph of one operator, and compares the engine with the definition.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::wildcard_enum_match_arm, reason = "tests tell two kinds of types apart")]
#![allow(dead_code, unreachable_pub, reason = "each test binary uses some of it")]

use webnn_core::attrs::{Args, Attr};
use webnn_core::reference::{self, Data, Tensor as Defined};
use webnn_core::{DataType, Desc, Graph, GraphBuilder, Limits, Number, Operand};
use webnn_cpu::{Engine, Options, Tensor};

/// What an operand's elements are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Small numbers of both signs.
    Any,
    /// Numbers from -0.2 to 0.2: weights with which recurrent networks do not diverge.
    Small,
    /// Numbers from 0.1 to 2.
    Positive,
    /// Integers from 0 to this, not included.
    Below(i64),
    /// NaN, infinities, zeros of both signs and extremes among small numbers.
    Special,
    /// Small numbers, and an infinity here and there.
    Infinite,
}

/// An operand of a case.
#[derive(Clone, Debug)]
pub struct Arg {
    pub data_type: DataType,
    pub shape: Vec<u32>,
    pub fill: Fill,
    pub is_constant: bool,
}

pub fn arg(data_type: DataType, shape: &[u32]) -> Arg {
    Arg { data_type, shape: shape.to_vec(), fill: Fill::Any, is_constant: false }
}

pub fn f32s(shape: &[u32]) -> Arg {
    arg(DataType::Float32, shape)
}

impl Arg {
    pub fn fill(mut self, fill: Fill) -> Arg {
        self.fill = fill;
        self
    }

    pub fn constant(mut self) -> Arg {
        self.is_constant = true;
        self
    }

    pub fn desc(&self) -> Desc {
        Desc::checked(self.data_type, &self.shape).unwrap()
    }
}

/// A small generator of repeatable numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// From 0 up to, not including, `count`.
    pub fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    pub fn tensor(&mut self, desc: Desc, fill: Fill) -> Defined {
        const SPECIAL: [f64; 8] =
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1e-40, 65504.0, -2.5];
        let count = desc.elements();
        if desc.data_type.is_float() {
            let element = |_| {
                let unit = self.next() as f64 / (1u64 << 53) as f64;
                match fill {
                    Fill::Any => unit * 4.0 - 2.0,
                    Fill::Small => unit * 0.4 - 0.2,
                    Fill::Positive => 0.1 + unit * 1.9,
                    Fill::Infinite if self.below(8) == 0 => f64::INFINITY.copysign(unit - 0.5),
                    Fill::Infinite => unit * 4.0 - 2.0,
                    Fill::Below(count) => (unit * count as f64).floor(),
                    Fill::Special => match self.below(12) {
                        i if i < 8 => SPECIAL[i as usize],
                        _small => unit * 8.0 - 4.0,
                    },
                }
            };
            return Defined::float(desc, (0..count).map(element).collect()).rounded();
        }
        let (least, greatest) = desc.data_type.integer_range().unwrap();
        let element = |_| match fill {
            Fill::Any | Fill::Small | Fill::Infinite => i128::from(self.next() % 21) - 10,
            Fill::Positive => i128::from(self.next() % 5) + 1,
            Fill::Below(count) => i128::from(self.next() % count as u64),
            Fill::Special => match self.below(4) {
                0 => least,
                1 => greatest,
                2 => 0,
                _small => i128::from(self.next() % 9) - 4,
            },
        };
        Defined::int(desc, (0..count).map(element).collect()).rounded()
    }
}

/// The attributes of a case from text: `axis=1 keepDimensions=true axes=[0,1] mode=edge`.
pub fn args(text: &str) -> Args {
    let mut args = Args::new();
    for part in text.split_whitespace() {
        let (name, value) = part.split_once('=').expect("an attribute is name=value");
        args.push(name, attr(value));
    }
    args
}

fn attr(text: &str) -> Attr {
    if let Some(list) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return Attr::List(list.split(',').filter(|item| !item.is_empty()).map(attr).collect());
    }
    match text {
        "true" => Attr::Bool(true),
        "false" => Attr::Bool(false),
        _ => match text.parse::<i128>() {
            Ok(number) => Attr::Number(Number::Int(number)),
            Err(_) => match text.parse::<f64>() {
                Ok(number) => Attr::Number(Number::Float(number)),
                Err(_) => Attr::Text(text.to_owned()),
            },
        },
    }
}

/// The graph of one operator, and tensors for its inputs.
pub fn build(
    method: &str,
    operands: &[Option<Arg>],
    attributes: &str,
    seed: u64,
) -> (Graph, Vec<Defined>) {
    let mut builder = GraphBuilder::new(Limits::default());
    let mut random = Random::new(seed);
    let mut inputs = Vec::new();
    let operands: Vec<Option<Operand>> = operands
        .iter()
        .enumerate()
        .map(|(i, arg)| {
            arg.as_ref().map(|arg| {
                let tensor = random.tensor(arg.desc(), arg.fill);
                if arg.is_constant {
                    return builder.constant(arg.data_type, &arg.shape, tensor.to_bytes()).unwrap();
                }
                inputs.push(tensor);
                builder.input(&format!("input{i}"), arg.data_type, &arg.shape).unwrap()
            })
        })
        .collect();
    let results = builder
        .add(method, &operands, &args(attributes), "")
        .unwrap_or_else(|error| panic!("{method} {attributes}: {error}"));
    let names: Vec<String> = (0..results.len()).map(|i| format!("output{i}")).collect();
    let outputs: Vec<(&str, Operand)> =
        names.iter().map(String::as_str).zip(results.iter().copied()).collect();
    (builder.build(&outputs).unwrap(), inputs)
}

/// Runs a graph on an engine.
pub fn run(engine: &Engine, graph: &Graph, inputs: &[Defined]) -> Vec<Tensor> {
    let program = engine.compile(graph.clone()).unwrap_or_else(|error| panic!("{error}"));
    let tensors: Vec<Tensor> = inputs
        .iter()
        .map(|tensor| Tensor::from_bytes(tensor.desc, &tensor.to_bytes()).unwrap())
        .collect();
    let mut outputs: Vec<Tensor> =
        program.outputs().iter().map(|port| engine.tensor(&port.desc).unwrap()).collect();
    // Old content must not show.
    outputs.iter_mut().for_each(|output| output.fill(0xa5));
    for _ in 0..2 {
        program
            .run(&tensors.iter().collect::<Vec<_>>(), &mut outputs.iter_mut().collect::<Vec<_>>())
            .unwrap();
    }
    outputs
}

/// Engines with 1, 2 and 3 threads.
pub fn engines() -> Vec<Engine> {
    [1, 2, 3].map(|threads| Engine::new(Options { threads: Some(threads) })).into()
}

/// Compares the engines with the definition, and with each other bit by bit.
pub fn check(engines: &[Engine], name: &str, graph: &Graph, inputs: &[Defined], tolerance: f64) {
    let expected = reference::run(graph, inputs).unwrap();
    let results: Vec<Vec<Tensor>> =
        engines.iter().map(|engine| run(engine, graph, inputs)).collect();
    for (i, expected) in expected.iter().enumerate() {
        let actual = Defined::from_bytes(expected.desc, &results[0][i]).unwrap();
        compare(&format!("{name}, output {i}"), &actual, expected, tolerance);
        for (engine, other) in engines.iter().zip(&results) {
            let threads = engine.threads();
            assert!(
                results[0][i][..] == other[i][..],
                "{name}, output {i}: {threads} threads differ"
            );
        }
    }
}

/// Fails unless floats are within the tolerance (relative to the greater of 1 and the expected
/// magnitude) and integers are equal.
pub fn compare(name: &str, actual: &Defined, expected: &Defined, tolerance: f64) {
    match (&actual.data, &expected.data) {
        (Data::Float(actual_data), Data::Float(data)) => {
            let tolerance = match expected.desc.data_type {
                DataType::Float16 => tolerance.max(2e-3),
                _single => tolerance,
            };
            for (i, (&a, &e)) in actual_data.iter().zip(data).enumerate() {
                let close = a == e
                    || (a.is_nan() && e.is_nan())
                    || (a - e).abs() <= tolerance * e.abs().max(1.0);
                assert!(close, "{name}, element {i} of {}: {a}, expected {e}", expected.desc);
            }
        }
        (Data::Int(actual_data), Data::Int(data)) => {
            for (i, (a, e)) in actual_data.iter().zip(data).enumerate() {
                assert_eq!(a, e, "{name}, element {i} of {}", expected.desc);
            }
        }
        _ => panic!("{name}: types differ"),
    }
}

/// One operator on some operands with some attributes.
pub fn check_op(engines: &[Engine], method: &str, operands: &[Arg], attributes: &str) {
    check_op_with(engines, method, operands, attributes, 1e-5);
}

pub fn check_op_with(
    engines: &[Engine],
    method: &str,
    operands: &[Arg],
    attributes: &str,
    tolerance: f64,
) {
    let operands: Vec<Option<Arg>> = operands.iter().cloned().map(Some).collect();
    check_some(engines, method, &operands, attributes, tolerance);
}

/// The same with operands that may be absent.
pub fn check_some(
    engines: &[Engine],
    method: &str,
    operands: &[Option<Arg>],
    attributes: &str,
    tolerance: f64,
) {
    let shown: Vec<String> = operands
        .iter()
        .map(|arg| arg.as_ref().map_or("none".into(), |arg| arg.desc().to_string()))
        .collect();
    let name = format!("{method}({}) {attributes}", shown.join(", "));
    let (graph, inputs) = build(method, operands, attributes, name.len() as u64);
    check(engines, &name, &graph, &inputs, tolerance);
}
