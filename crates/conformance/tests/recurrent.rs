//! LSTM and GRU in every layout, direction and activation, with and without each optional operand,
//! against the definitions.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use fastrand::Rng;
use webnn::{Context, ContextOptions, Ml};
use webnn_conformance::run::compute;
use webnn_conformance::vectors::Tolerance;
use webnn_core::attrs::{Args, Attr};
use webnn_core::reference::{Tensor, run};
use webnn_core::{DataType, Desc, GraphBuilder, Limits, Number};

const ACTIVATIONS: [&str; 3] = ["relu", "sigmoid", "tanh"];
const DIRECTIONS: [&str; 3] = ["forward", "backward", "both"];
const STEPS: u32 = 3;
const BATCH: u32 = 2;
const FEATURES: u32 = 3;
const HIDDEN: u32 = 5;

/// Tuples of that many activations, all of them.
fn activations(count: u32) -> Vec<Vec<&'static str>> {
    (0..3usize.pow(count))
        .map(|code| (0..count).map(|i| ACTIVATIONS[code / 3usize.pow(i) % 3]).collect())
        .collect()
}

/// A call with random operands of these shapes, `None` for those that are left out.
fn agrees(
    context: &Context,
    method: &str,
    data_type: DataType,
    shapes: &[Option<Vec<u32>>],
    args: &Args,
) {
    let mut rng = Rng::with_seed(7);
    let mut builder = GraphBuilder::new(Limits::default());
    let (mut operands, mut inputs) = (Vec::new(), Vec::new());
    for (i, shape) in shapes.iter().enumerate() {
        let Some(shape) = shape else {
            operands.push(None);
            continue;
        };
        let desc = Desc::checked(data_type, shape).unwrap();
        let data = (0..desc.elements()).map(|_| rng.f64() * 2.0 - 1.0).collect();
        let tensor = Tensor::float(desc, data).rounded();
        let name = i.to_string();
        // The first three are an input and constant weights, as in a model.
        operands.push(Some(if i == 1 || i == 2 {
            builder.constant(data_type, shape, tensor.to_bytes()).unwrap()
        } else {
            let operand = builder.input(&name, data_type, shape).unwrap();
            inputs.push((name, tensor));
            operand
        }));
    }
    let results = builder.add(method, &operands, args, "").unwrap();
    let names: Vec<String> = (0..results.len()).map(|i| format!("y{i}")).collect();
    let outputs: Vec<_> = names.iter().map(String::as_str).zip(results).collect();
    let graph = builder.build(&outputs).unwrap();
    let place = || format!("{method} {data_type} {args:?} {shapes:?}");

    let tensors: Vec<Tensor> = inputs.iter().map(|(_, tensor)| tensor.clone()).collect();
    let expected = run(&graph, &tensors).unwrap();
    let named: Vec<(&str, &Tensor)> =
        inputs.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let compiled = context.compile(graph).unwrap();
    let actual = compute(context, &compiled, &named).unwrap();
    let tolerance = Tolerance::Absolute(if data_type == DataType::Float16 { 2e-2 } else { 2e-5 });
    for ((_, actual), expected) in actual.iter().zip(&expected) {
        assert_eq!(actual.desc, expected.desc, "{}", place());
        // relu lets states grow, so the distance is measured by the greatest of them.
        let greatest = expected.floats().iter().fold(1f64, |most, x| most.max(x.abs()));
        let scaled = |tensor: &Tensor| {
            Tensor::float(tensor.desc, tensor.floats().iter().map(|x| x / greatest).collect())
        };
        if let Some(miss) = tolerance.first_miss(&scaled(actual), &scaled(expected)) {
            panic!("{}: {miss}", place());
        }
    }
}

fn number(value: u32) -> Attr {
    Attr::Number(Number::Int(value.into()))
}

fn texts(names: &[&str]) -> Attr {
    Attr::List(names.iter().map(|&name| Attr::Text(name.into())).collect())
}

/// Every choice of which optional operands there are.
fn choices(optional: usize) -> impl Iterator<Item = Vec<bool>> {
    (0..1usize << optional).map(move |code| (0..optional).map(|i| code >> i & 1 == 1).collect())
}

struct Network {
    method: &'static str,
    gates: u32,
    layouts: &'static [&'static str],
    activations: u32,
}

const LSTM: Network =
    Network { method: "lstm", gates: 4, layouts: &["iofg", "ifgo"], activations: 3 };
const GRU: Network = Network { method: "gru", gates: 3, layouts: &["zrn", "rzn"], activations: 2 };

impl Network {
    /// Required and optional operands' shapes.
    fn shapes(&self, directions: u32) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
        let gates = self.gates * HIDDEN;
        let required = vec![
            vec![STEPS, BATCH, FEATURES],
            vec![directions, gates, FEATURES],
            vec![directions, gates, HIDDEN],
        ];
        let state = vec![directions, BATCH, HIDDEN];
        let bias = vec![directions, gates];
        let optional = match self.gates {
            4 => vec![bias.clone(), bias, vec![directions, 3 * HIDDEN], state.clone(), state],
            _ => vec![bias.clone(), bias, state],
        };
        (required, optional)
    }

    fn args(&self, direction: &str, layout: &str, activations: &[&str]) -> Args {
        Args::new()
            .with("steps", number(STEPS))
            .with("hiddenSize", number(HIDDEN))
            .with("direction", Attr::Text(direction.into()))
            .with("layout", Attr::Text(layout.into()))
            .with("activations", texts(activations))
            .with("returnSequence", Attr::Bool(true))
    }

    fn check(&self, resets: &[Option<bool>]) {
        let context = Ml::new().create_context(&ContextOptions::default()).unwrap();
        let with = |args: Args, reset: Option<bool>| match reset {
            Some(reset) => args.with("resetAfter", Attr::Bool(reset)),
            None => args,
        };
        for direction in DIRECTIONS {
            let (required, optional) = self.shapes(if direction == "both" { 2 } else { 1 });
            let shapes = |choice: &[bool]| -> Vec<Option<Vec<u32>>> {
                let chosen =
                    optional.iter().zip(choice).map(|(shape, &is)| is.then(|| shape.clone()));
                required.iter().cloned().map(Some).chain(chosen).collect()
            };
            for &layout in self.layouts {
                for &reset in resets {
                    let all = vec![true; optional.len()];
                    for names in activations(self.activations) {
                        let args = with(self.args(direction, layout, &names), reset);
                        agrees(&context, self.method, DataType::Float32, &shapes(&all), &args);
                    }
                    let usual = ["sigmoid", "tanh", "tanh"];
                    let usual = &usual[..self.activations as usize];
                    let args = with(self.args(direction, layout, usual), reset);
                    for choice in choices(optional.len()) {
                        agrees(&context, self.method, DataType::Float32, &shapes(&choice), &args);
                    }
                    agrees(&context, self.method, DataType::Float16, &shapes(&all), &args);
                }
            }
        }
    }

    fn check_cell(&self, resets: &[Option<bool>]) {
        let context = Ml::new().create_context(&ContextOptions::default()).unwrap();
        let gates = self.gates * HIDDEN;
        let state = Some(vec![BATCH, HIDDEN]);
        let mut shapes = vec![
            Some(vec![BATCH, FEATURES]),
            Some(vec![gates, FEATURES]),
            Some(vec![gates, HIDDEN]),
            state.clone(),
        ];
        if self.gates == 4 {
            shapes.push(state);
        }
        shapes.extend([Some(vec![gates]), Some(vec![gates])]);
        if self.gates == 4 {
            shapes.push(Some(vec![3 * HIDDEN]));
        }
        for &layout in self.layouts {
            for &reset in resets {
                for names in activations(self.activations) {
                    let mut args = Args::new()
                        .with("hiddenSize", number(HIDDEN))
                        .with("layout", Attr::Text(layout.into()))
                        .with("activations", texts(&names));
                    if let Some(reset) = reset {
                        args.push("resetAfter", Attr::Bool(reset));
                    }
                    let method = format!("{}Cell", self.method);
                    agrees(&context, &method, DataType::Float32, &shapes, &args);
                }
            }
        }
    }
}

#[test]
fn lstm_agrees_in_every_form() {
    LSTM.check(&[None]);
}

#[test]
fn gru_agrees_in_every_form() {
    GRU.check(&[Some(false), Some(true)]);
}

#[test]
fn cells_agree_in_every_form() {
    LSTM.check_cell(&[None]);
    GRU.check_cell(&[Some(false), Some(true)]);
}
