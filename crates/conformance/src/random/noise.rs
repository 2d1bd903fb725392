//! How much the last bits of intermediate results matter to each element of an output.

use webnn_core::ops::resample2d::InterpolationMode;
use webnn_core::ops::{Op, Resample2d, Unary};
use webnn_core::reference::{Data, Tensor};
use webnn_core::{DataType, Desc, Graph, Source};

use super::Sample;

/// How often the definitions are computed with noise.
const ROUNDS: u64 = 8;

/// How many times the distance that noise causes an engine may be off.
pub(super) const FACTOR: f64 = 6.0;

/// An output by definition, and how far noise moves its elements.
pub(super) struct Spread {
    pub(super) expected: Tensor,
    /// The greatest distance of a noisy element; infinite or NaN where they do not compare.
    pub(super) distance: Vec<f64>,
}

impl Spread {
    pub(super) fn desc(&self) -> &Desc {
        &self.expected.desc
    }
}

/// What an operator does to the last bits of floats.
enum Rounding {
    /// Nothing: results are defined to the bit.
    Exact,
    /// Each element is rounded.
    Element,
    /// Terms are summed in some order, so the greatest element tells the size of the error.
    Sum,
    /// Neighbours are blended and, for integers, rounded.
    Blend,
    /// What NaN becomes is left to implementations.
    Quantized,
}

fn rounding(op: &Op) -> Rounding {
    match op {
        Op::ArgMinMax(_)
        | Op::Cast(_)
        | Op::Clamp(_)
        | Op::Compare(_)
        | Op::Concat(_)
        | Op::Expand(_)
        | Op::Gather(_)
        | Op::GatherElements(_)
        | Op::GatherNd(_)
        | Op::Pad(_)
        | Op::Reshape(_)
        | Op::Reverse(_)
        | Op::ScatterElements(_)
        | Op::ScatterNd(_)
        | Op::Slice(_)
        | Op::Split(_)
        | Op::Tile(_)
        | Op::Transpose(_)
        | Op::Triangular(_)
        | Op::Where(_) => Rounding::Exact,
        Op::Unary(
            Unary::Abs
            | Unary::Ceil
            | Unary::Floor
            | Unary::Identity
            | Unary::IsInfinite
            | Unary::IsNan
            | Unary::LogicalNot
            | Unary::Neg
            | Unary::Relu
            | Unary::RoundEven
            | Unary::Sign,
        ) => Rounding::Exact,
        Op::Unary(
            Unary::Cos
            | Unary::Erf
            | Unary::Exp
            | Unary::HardSwish
            | Unary::Log
            | Unary::Reciprocal
            | Unary::Sigmoid
            | Unary::Sin
            | Unary::Softplus
            | Unary::Softsign
            | Unary::Sqrt
            | Unary::Tan
            | Unary::Tanh,
        ) => Rounding::Element,
        Op::QuantizeLinear(_) => Rounding::Quantized,
        Op::Resample2d(Resample2d { mode: InterpolationMode::NearestNeighbor, .. }) => {
            Rounding::Exact
        }
        Op::Resample2d(Resample2d { mode: InterpolationMode::Linear, .. }) => Rounding::Blend,
        Op::Binary(_)
        | Op::Elu(_)
        | Op::LeakyRelu(_)
        | Op::Prelu(_)
        | Op::DequantizeLinear(_) => Rounding::Element,
        // 1 + erf may cancel.
        Op::Unary(Unary::Gelu) => Rounding::Sum,
        Op::BatchNormalization(_)
        | Op::Conv2d(_)
        | Op::ConvTranspose2d(_)
        | Op::CumulativeSum(_)
        | Op::Gemm(_)
        | Op::Gru(_)
        | Op::GruCell(_)
        // The product is rounded where there is no fused instruction, and may cancel the rest.
        | Op::HardSigmoid(_)
        | Op::Linear(_)
        | Op::InstanceNormalization(_)
        | Op::LayerNormalization(_)
        | Op::Lstm(_)
        | Op::LstmCell(_)
        | Op::Matmul(_)
        | Op::Pool2d(_)
        | Op::Reduce(_)
        | Op::Softmax(_) => Rounding::Sum,
    }
}

/// The outputs by definition, with the distances that noise causes.
pub(super) fn spreads(sample: &Sample, seed: u64) -> Vec<Spread> {
    let graph = &sample.graph;
    let mut spreads: Vec<Spread> = evaluate(graph, &sample.inputs, None)
        .into_iter()
        .map(|expected| Spread { distance: vec![0.0; expected.desc.elements()], expected })
        .collect();
    for round in 0..ROUNDS {
        let mut rng = fastrand::Rng::with_seed(seed ^ (round + 1).rotate_left(32));
        let noisy = evaluate(graph, &sample.inputs, Some(&mut rng));
        for (spread, noisy) in spreads.iter_mut().zip(noisy) {
            let distances = distances(&spread.expected, &noisy);
            for (greatest, distance) in spread.distance.iter_mut().zip(distances) {
                // NaN stays: such elements do not compare.
                if distance > *greatest || distance.is_nan() {
                    *greatest = distance;
                }
            }
        }
    }
    spreads.iter_mut().for_each(settle);
    spreads
}

/// Where noise moves some elements of a tensor, an engine may round each of them.
fn settle(spread: &mut Spread) {
    let Data::Float(expected) = &spread.expected.data else { return };
    if spread.distance.iter().any(|&distance| distance != 0.0) {
        let relative = relative_noise(spread.expected.desc.data_type);
        for (distance, x) in spread.distance.iter_mut().zip(expected) {
            if *distance < relative * x.abs() {
                *distance = relative * x.abs();
            }
        }
    }
}

fn distances(expected: &Tensor, noisy: &Tensor) -> Vec<f64> {
    match (&expected.data, &noisy.data) {
        (Data::Float(expected), Data::Float(noisy)) => expected
            .iter()
            .zip(noisy)
            .map(|(&e, &n)| if e == n || (e.is_nan() && n.is_nan()) { 0.0 } else { (e - n).abs() })
            .collect(),
        (Data::Int(expected), Data::Int(noisy)) => {
            expected.iter().zip(noisy).map(|(&e, &n)| e.abs_diff(n) as f64).collect()
        }
        (Data::Float(_), Data::Int(_)) | (Data::Int(_), Data::Float(_)) => {
            unreachable!("both come from the same graph")
        }
    }
}

/// The outputs by definition, with noise after every operator that rounds.
fn evaluate(
    graph: &Graph,
    inputs: &[(String, Tensor)],
    mut noise: Option<&mut fastrand::Rng>,
) -> Vec<Tensor> {
    let mut values: Vec<Option<Tensor>> = graph
        .values()
        .iter()
        .map(|value| match &value.source {
            Source::Input(input) => {
                let name = &graph.inputs()[*input].name;
                inputs.iter().find(|(given, _)| given == name).map(|(_, tensor)| tensor.clone())
            }
            Source::Constant(bytes) => Tensor::from_bytes(value.desc, bytes).ok(),
            Source::Node(..) => None,
        })
        .collect();
    for node in graph.nodes() {
        let operands: Vec<Option<&Tensor>> =
            node.inputs.iter().map(|id| id.and_then(|id| values[id.index()].as_ref())).collect();
        let descs: Vec<Desc> = node.outputs.iter().map(|&id| graph.desc(id)).collect();
        let mut results = node.op.reference(&operands, &descs);
        if let Some(rng) = &mut noise {
            let rounding = rounding(&node.op);
            if is_recurrent(&node.op) && nears_infinity(&operands, &results) {
                results.iter_mut().for_each(unsettle);
            }
            results.iter_mut().for_each(|result| disturb(result, &rounding, rng));
            if let (Rounding::Quantized, Some(Some(input))) = (rounding, operands.first()) {
                results.iter_mut().for_each(|result| requantize_nan(result, input));
            }
        }
        for (id, result) in node.outputs.iter().zip(results) {
            values[id.index()] = Some(result);
        }
    }
    let output = |port: &webnn_core::graph::Port| values[port.value.index()].clone();
    graph.outputs().iter().map(|port| output(port).expect("nodes are in order")).collect()
}

/// Whether the operator has gates and states that no operand or result shows.
fn is_recurrent(op: &Op) -> bool {
    matches!(op, Op::Gru(_) | Op::GruCell(_) | Op::Lstm(_) | Op::LstmCell(_))
}

/// Whether an infinity goes in, comes out, or may be there in between.
///
/// What becomes of it depends on how many bits the states have: a gate of 10⁻⁵⁰ is zero in single
/// precision, and a state of 10⁵⁰ infinite.
fn nears_infinity(operands: &[Option<&Tensor>], results: &[Tensor]) -> bool {
    // Where squares overflow, so may sums of products.
    let is_great = |x: f64| x.abs() > f64::from(f32::MAX).sqrt();
    let any = |tensor: &Tensor, is: fn(f64) -> bool| match &tensor.data {
        Data::Float(elements) => elements.iter().any(|&x| is(x)),
        Data::Int(_) => false,
    };
    let mut given = operands.iter().copied().flatten();
    let is_given_nan = given.clone().any(|tensor| any(tensor, f64::is_nan));
    given.any(|tensor| any(tensor, is_great))
        || results.iter().any(|tensor| any(tensor, is_great))
        || !is_given_nan && results.iter().any(|tensor| any(tensor, f64::is_nan))
}

/// Makes every element one that does not compare with what it was.
fn unsettle(result: &mut Tensor) {
    if let Data::Float(elements) = &mut result.data {
        elements.iter_mut().for_each(|x| *x = if x.is_nan() { 0.0 } else { f64::NAN });
    }
}

/// Puts another value wherever NaN was quantized.
fn requantize_nan(result: &mut Tensor, input: &Tensor) {
    if let (Data::Int(codes), Data::Float(input)) = (&mut result.data, &input.data) {
        let of_nan = codes.iter_mut().zip(input).filter(|(_, x)| x.is_nan());
        of_nan.for_each(|(code, _)| *code = if *code == 0 { 1 } else { 0 });
    }
}

/// Some sixteen or two units of the last place: an engine may approximate and round in between.
fn relative_noise(data_type: DataType) -> f64 {
    if data_type == DataType::Float16 { 2e-3 } else { 2e-6 }
}

fn disturb(tensor: &mut Tensor, rounding: &Rounding, rng: &mut fastrand::Rng) {
    let relative = relative_noise(tensor.desc.data_type);
    let elements = match (&mut tensor.data, rounding) {
        (Data::Int(elements), Rounding::Blend) => {
            elements.iter_mut().for_each(|x| *x += rng.i128(-1..=1));
            return;
        }
        (Data::Int(_), _) => return,
        (Data::Float(elements), _) => elements,
    };
    let absolute = match rounding {
        Rounding::Exact | Rounding::Quantized => return,
        Rounding::Element => 0.0,
        Rounding::Sum | Rounding::Blend => {
            let finite = elements.iter().filter(|x| x.is_finite());
            relative * finite.fold(0.0f64, |greatest, x| greatest.max(x.abs()))
        }
    };
    for x in elements.iter_mut().filter(|x| x.is_finite()) {
        let size = relative * x.abs() + absolute;
        // Never next to nothing, and never the same twice: two such steps must not cancel out.
        let part = 0.5 + 0.5 * rng.f64();
        *x += if rng.bool() { part * size } else { -part * size };
    }
}
