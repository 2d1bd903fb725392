//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-lstm>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::{ensure_shape, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::Tensor;
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
    /// previous cell state for all three gates. Results: the last hidden and cell states of each
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
        todo!()
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
        todo!()
    }
}
