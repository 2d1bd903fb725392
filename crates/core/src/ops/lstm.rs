//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstm>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::{ensure_shape, to_dimension};
use crate::ops::unary::sigmoid;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, maximum, optional, required};
use crate::types::{DataTypes, Desc, Shape};

attrs! {
    /// A function of recurrent gates.
    pub enum Activation {
        /// max(0, x)
        Relu = "relu",
        /// 1 / (1 + exp(−x))
        Sigmoid = "sigmoid",
        /// The hyperbolic tangent.
        Tanh = "tanh",
    }
}

impl Activation {
    pub(super) fn apply(self, x: f64) -> f64 {
        match self {
            Activation::Relu => maximum(0.0, x),
            Activation::Sigmoid => sigmoid(x),
            Activation::Tanh => libm::tanh(x),
        }
    }
}

attrs! {
    /// The order in which a recurrent network takes its steps.
    pub enum Direction {
        /// From the first to the last.
        Forward = "forward",
        /// From the last to the first.
        Backward = "backward",
        /// Both, each with weights of its own.
        Both = "both",
    }
}

impl Direction {
    /// How many passes there are.
    pub fn count(self) -> u32 {
        match self {
            Direction::Forward | Direction::Backward => 1,
            Direction::Both => 2,
        }
    }

    /// Whether the pass of the given index starts at the last step.
    pub fn is_backward(self, pass: usize) -> bool {
        match self {
            Direction::Forward => false,
            Direction::Backward => true,
            Direction::Both => pass == 1,
        }
    }

    /// The steps in the order in which the pass of the given index takes them.
    pub(super) fn order(self, pass: usize, steps: u32) -> Vec<usize> {
        let forward = 0..steps as usize;
        if self.is_backward(pass) { forward.rev().collect() } else { forward.collect() }
    }
}

attrs! {
    /// The order of the gates in the weights: input i, output o, forget f, cell g.
    pub enum LstmLayout {
        /// Input, output, forget, cell.
        Iofg = "iofg",
        /// Input, forget, cell, output.
        Ifgo = "ifgo",
    }
}

impl LstmLayout {
    /// The places of i, o, f and g.
    pub fn gates(self) -> [usize; 4] {
        match self {
            LstmLayout::Iofg => [0, 1, 2, 3],
            LstmLayout::Ifgo => [0, 3, 1, 2],
        }
    }
}

attrs! {
    /// A long short-term memory over a sequence.
    ///
    /// c = f · c' + i · g and h = o · act(c). The peephole weights, packed i, o, f, multiply the
    /// previous cell state for all three gates; where there are none, nothing is added, not even of
    /// an infinite state. Results: the last hidden and cell states of each
    /// direction, and with `return_sequence` all hidden states, in the order of the input.
    pub struct Lstm(
        /// The number of steps, the input's first dimension.
        steps: u32,
        /// The size of the hidden state.
        hidden_size: u32,
    ) {
        /// Whether all hidden states are a result, too.
        return_sequence: bool = false,
        /// The order of the steps.
        direction: Direction = Direction::Forward,
        /// The order of the gates.
        layout: LstmLayout = LstmLayout::Iofg,
        /// For i, o and f, for g, and for c; by default sigmoid, tanh and tanh.
        activations: Option<Vec<Activation>> = None,
    }
}

attrs! {
    /// One step of [`Lstm`].
    pub struct LstmCell(
        /// The size of the hidden state.
        hidden_size: u32,
    ) {
        /// The order of the gates.
        layout: LstmLayout = LstmLayout::Iofg,
        /// For i, o and f, for g, and for c; by default sigmoid, tanh and tanh.
        activations: Option<Vec<Activation>> = None,
    }
}

/// The activations of an LSTM: for i, o and f, for g, and for c.
pub fn lstm_activations(activations: &Option<Vec<Activation>>) -> [Activation; 3] {
    match activations.as_deref() {
        Some(&[gates, cell, hidden]) => [gates, cell, hidden],
        _default => [Activation::Sigmoid, Activation::Tanh, Activation::Tanh],
    }
}

/// Fails unless the activations, where given, are as many as expected.
pub(super) fn ensure_activations(list: &Option<Vec<Activation>>, expected: usize) -> Result<()> {
    if let Some(list) = list {
        let count = list.len();
        ensure!(count == expected, "activations has {count} items, expected {expected}");
    }
    Ok(())
}

impl Operator for Lstm {
    const METHODS: &'static [Method] = &[Method {
        name: "lstm",
        slots: &[
            Slot::new("input", DataTypes::FLOATS).rank(3),
            Slot::same("weight", 0).rank(3),
            Slot::same("recurrentWeight", 0).rank(3),
            Slot::same("bias", 0).rank(2).optional(),
            Slot::same("recurrentBias", 0).rank(2).optional(),
            Slot::same("peepholeWeight", 0).rank(2).optional(),
            Slot::same("initialHiddenState", 0).rank(3).optional(),
            Slot::same("initialCellState", 0).rank(3).optional(),
        ],
        outputs: &[
            Slot::same("output0", 0).rank(3),
            Slot::same("output1", 0).rank(3),
            Slot::same("output2", 0).rank(4),
        ],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let directions = self.direction.count();
        let (hidden, batch) = (self.hidden_size, input.shape[1]);
        ensure!(
            self.steps == input.shape[0] && self.steps > 0,
            "steps is {}, expected {} as input has",
            self.steps,
            input.shape[0]
        );
        ensure!(hidden > 0, "hiddenSize is 0, expected at least 1");
        to_dimension("8 times hiddenSize", 8 * u64::from(hidden))?;
        let gates = 4 * hidden;
        let state = [directions, batch, hidden];
        let expected: [&[u32]; 7] = [
            &[directions, gates, input.shape[2]],
            &[directions, gates, hidden],
            &[directions, gates],
            &[directions, gates],
            &[directions, 3 * hidden],
            &state,
            &state,
        ];
        for (i, sizes) in expected.iter().enumerate() {
            if let Some(operand) = inputs.opt(i + 1) {
                ensure_shape(Self::METHODS[0].slots[i + 1].name, &operand.shape, sizes)?;
            }
        }
        ensure_activations(&self.activations, 3)?;
        let state = Desc::new(input.data_type, Shape::from_iter(state));
        let mut results = vec![state, state];
        if self.return_sequence {
            let all = Shape::from_iter([self.steps, directions, batch, hidden]);
            results.push(Desc::new(input.data_type, all));
        }
        Ok(results)
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let state = outputs[0];
        let directions = self.direction.count() as usize;
        let start = |slot| match optional(inputs, slot) {
            Some(tensor) => tensor.floats().to_vec(),
            None => vec![0.0; state.elements()],
        };
        let (mut hidden, mut cell) = (start(6), start(7));
        let mut sequence = vec![0.0; state.elements() * self.steps as usize];
        let step_size = input.desc.elements() / self.steps as usize;
        let state_size = state.elements() / directions;
        for pass in 0..directions {
            let weights = Weights::of(inputs, [1, 2, 3, 4], Some(5), (pass, directions));
            let range = pass * state_size..(pass + 1) * state_size;
            for t in self.direction.order(pass, self.steps) {
                let x = &input.floats()[t * step_size..][..step_size];
                let states = (&hidden[range.clone()], &cell[range.clone()]);
                let (h, c) = step(&weights, x, states, self.layout, &self.activations);
                sequence[(t * directions + pass) * state_size..][..state_size].copy_from_slice(&h);
                hidden[range.clone()].copy_from_slice(&h);
                cell[range.clone()].copy_from_slice(&c);
            }
        }
        let results = [hidden, cell, sequence];
        outputs.iter().zip(results).map(|(&desc, data)| Tensor::float(desc, data)).collect()
    }
}

impl Operator for LstmCell {
    const METHODS: &'static [Method] = &[Method {
        name: "lstmCell",
        slots: &[
            Slot::new("input", DataTypes::FLOATS).rank(2),
            Slot::same("weight", 0).rank(2),
            Slot::same("recurrentWeight", 0).rank(2),
            Slot::same("hiddenState", 0).rank(2),
            Slot::same("cellState", 0).rank(2),
            Slot::same("bias", 0).rank(1).optional(),
            Slot::same("recurrentBias", 0).rank(1).optional(),
            Slot::same("peepholeWeight", 0).rank(1).optional(),
        ],
        outputs: &[Slot::same("output0", 0).rank(2), Slot::same("output1", 0).rank(2)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let (hidden, batch) = (self.hidden_size, input.shape[0]);
        ensure!(hidden > 0, "hiddenSize is 0, expected at least 1");
        to_dimension("8 times hiddenSize", 8 * u64::from(hidden))?;
        let gates = 4 * hidden;
        let expected: [&[u32]; 7] = [
            &[gates, input.shape[1]],
            &[gates, hidden],
            &[batch, hidden],
            &[batch, hidden],
            &[gates],
            &[gates],
            &[3 * hidden],
        ];
        for (i, sizes) in expected.iter().enumerate() {
            if let Some(operand) = inputs.opt(i + 1) {
                ensure_shape(Self::METHODS[0].slots[i + 1].name, &operand.shape, sizes)?;
            }
        }
        ensure_activations(&self.activations, 3)?;
        let state = Desc::new(input.data_type, Shape::from_iter([batch, hidden]));
        Ok(vec![state, state])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let weights = Weights::of(inputs, [1, 2, 5, 6], Some(7), (0, 1));
        let x = required(inputs, 0).floats();
        let states = (required(inputs, 3).floats(), required(inputs, 4).floats());
        let (h, c) = step(&weights, x, states, self.layout, &self.activations);
        vec![Tensor::float(outputs[0], h), Tensor::float(outputs[1], c)]
    }
}

/// The weights of one pass of a recurrent network; rows belong to units, gate after gate.
pub(super) struct Weights<'a> {
    input: &'a [f64],
    recurrent: &'a [f64],
    bias: Option<&'a [f64]>,
    recurrent_bias: Option<&'a [f64]>,
    peephole: Option<&'a [f64]>,
    /// The number of inputs.
    pub(super) input_size: usize,
    /// The number of hidden units.
    pub(super) hidden_size: usize,
}

impl<'a> Weights<'a> {
    /// The part of one pass of `passes` in the slots of weight, recurrent weight and the biases.
    pub(super) fn of(
        operands: &[Option<&'a Tensor>],
        slots: [usize; 4],
        peephole: Option<usize>,
        (pass, passes): (usize, usize),
    ) -> Weights<'a> {
        let part = |tensor: &'a Tensor| {
            let size = tensor.desc.elements() / passes;
            &tensor.floats()[pass * size..][..size]
        };
        let [weight, recurrent, bias, recurrent_bias] = slots;
        let columns = |tensor: &Tensor| tensor.desc.shape[tensor.desc.rank() - 1] as usize;
        let (weight, recurrent) = (required(operands, weight), required(operands, recurrent));
        Weights {
            input: part(weight),
            recurrent: part(recurrent),
            bias: optional(operands, bias).map(part),
            recurrent_bias: optional(operands, recurrent_bias).map(part),
            peephole: peephole.and_then(|slot| optional(operands, slot)).map(part),
            input_size: columns(weight),
            hidden_size: columns(recurrent),
        }
    }

    /// A row of the weight times an input, plus the bias.
    pub(super) fn input(&self, row: usize, x: &[f64]) -> f64 {
        dot(&self.input[row * self.input_size..], x) + self.bias.map_or(0.0, |bias| bias[row])
    }

    /// A row of the recurrent weight times a hidden state, plus the recurrent bias.
    pub(super) fn recurrent(&self, row: usize, hidden: &[f64]) -> f64 {
        let bias = self.recurrent_bias.map_or(0.0, |bias| bias[row]);
        dot(&self.recurrent[row * self.hidden_size..], hidden) + bias
    }

    /// A peephole weight times a cell state; nothing where there are no such weights.
    fn peephole(&self, row: usize, cell: f64) -> f64 {
        self.peephole.map_or(0.0, |peephole| peephole[row] * cell)
    }
}

/// The product of a vector with as many leading elements of a row.
fn dot(row: &[f64], x: &[f64]) -> f64 {
    row.iter().zip(x).map(|(a, b)| a * b).sum()
}

/// The hidden and cell states after one step.
fn step(
    weights: &Weights<'_>,
    x: &[f64],
    (hidden, cell): (&[f64], &[f64]),
    layout: LstmLayout,
    activations: &Option<Vec<Activation>>,
) -> (Vec<f64>, Vec<f64>) {
    let size = weights.hidden_size;
    let [i, o, f, g] = layout.gates();
    let [gates, new, filter] = lstm_activations(activations);
    let mut states = (Vec::with_capacity(hidden.len()), Vec::with_capacity(cell.len()));
    let batches = x.chunks(weights.input_size).zip(hidden.chunks(size)).zip(cell.chunks(size));
    for ((x, hidden), cell) in batches {
        for (unit, &previous) in cell.iter().enumerate() {
            let sum = |gate: usize| {
                let row = gate * size + unit;
                weights.input(row, x) + weights.recurrent(row, hidden)
            };
            // Peephole weights are packed i, o, f whatever the layout.
            let peep = |place: usize| weights.peephole(place * size + unit, previous);
            let c = gates.apply(sum(f) + peep(2)) * previous
                + gates.apply(sum(i) + peep(0)) * new.apply(sum(g));
            states.0.push(gates.apply(sum(o) + peep(1)) * filter.apply(c));
            states.1.push(c);
        }
    }
    states
}
