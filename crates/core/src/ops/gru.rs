//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gru>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::lstm::{Activation, Direction, Weights, ensure_activations};
use crate::ops::shapes::{ensure_shape, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, optional, required};
use crate::types::{DataTypes, Desc, Shape};

attrs! {
    /// The order of the gates in the weights: update z, reset r, new n.
    pub enum GruLayout {
        /// Update, reset, new.
        Zrn = "zrn",
        /// Reset, update, new.
        Rzn = "rzn",
    }
}

impl GruLayout {
    /// The places of z, r and n.
    pub fn gates(self) -> [usize; 3] {
        match self {
            GruLayout::Zrn => [0, 1, 2],
            GruLayout::Rzn => [1, 0, 2],
        }
    }
}

attrs! {
    /// A gated recurrent unit over a sequence.
    ///
    /// h = z · h' + (1 − z) · n, with z and r the first activation of x · W + h' · R + biases,
    /// and n the second one. Results: the last hidden state of each direction, and with
    /// `return_sequence` all of them, in the order of the input.
    pub struct Gru(
        /// The number of steps, the input's first dimension.
        steps: u32,
        /// The size of the hidden state.
        hidden_size: u32,
    ) {
        /// Whether r applies after the product with the recurrent weight, not before.
        reset_after: bool = true,
        /// Whether all hidden states are a result, too.
        return_sequence: bool = false,
        /// The order of the steps.
        direction: Direction = Direction::Forward,
        /// The order of the gates.
        layout: GruLayout = GruLayout::Zrn,
        /// For z and r, and for n; by default sigmoid and tanh.
        activations: Option<Vec<Activation>> = None,
    }
}

attrs! {
    /// One step of [`Gru`].
    pub struct GruCell(
        /// The size of the hidden state.
        hidden_size: u32,
    ) {
        /// Whether r applies after the product with the recurrent weight, not before.
        reset_after: bool = true,
        /// The order of the gates.
        layout: GruLayout = GruLayout::Zrn,
        /// For z and r, and for n; by default sigmoid and tanh.
        activations: Option<Vec<Activation>> = None,
    }
}

/// The activations of a GRU: for z and r, and for n.
pub fn gru_activations(activations: &Option<Vec<Activation>>) -> [Activation; 2] {
    match activations.as_deref() {
        Some(&[gates, new]) => [gates, new],
        _default => [Activation::Sigmoid, Activation::Tanh],
    }
}

impl Operator for Gru {
    const METHODS: &'static [Method] = &[Method {
        name: "gru",
        slots: &[
            Slot::new("input", DataTypes::FLOATS).rank(3),
            Slot::same("weight", 0).rank(3),
            Slot::same("recurrentWeight", 0).rank(3),
            Slot::same("bias", 0).rank(2).optional(),
            Slot::same("recurrentBias", 0).rank(2).optional(),
            Slot::same("initialHiddenState", 0).rank(3).optional(),
        ],
        outputs: &[Slot::same("output0", 0).rank(3), Slot::same("output1", 0).rank(4)],
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
        to_dimension("6 times hiddenSize", 6 * u64::from(hidden))?;
        let gates = 3 * hidden;
        let expected: [&[u32]; 5] = [
            &[directions, gates, input.shape[2]],
            &[directions, gates, hidden],
            &[directions, gates],
            &[directions, gates],
            &[directions, batch, hidden],
        ];
        for (i, sizes) in expected.iter().enumerate() {
            if let Some(operand) = inputs.opt(i + 1) {
                ensure_shape(Self::METHODS[0].slots[i + 1].name, &operand.shape, sizes)?;
            }
        }
        ensure_activations(&self.activations, 2)?;
        let state = Shape::from_iter([directions, batch, hidden]);
        let mut results = vec![Desc::new(input.data_type, state)];
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
        let mut hidden = match optional(inputs, 5) {
            Some(tensor) => tensor.floats().to_vec(),
            None => vec![0.0; state.elements()],
        };
        let mut sequence = vec![0.0; state.elements() * self.steps as usize];
        let step_size = input.desc.elements() / self.steps as usize;
        let state_size = state.elements() / directions;
        let cell = GruCell {
            hidden_size: self.hidden_size,
            reset_after: self.reset_after,
            layout: self.layout,
            activations: self.activations.clone(),
        };
        for pass in 0..directions {
            let weights = Weights::of(inputs, [1, 2, 3, 4], None, (pass, directions));
            let range = pass * state_size..(pass + 1) * state_size;
            for t in self.direction.order(pass, self.steps) {
                let x = &input.floats()[t * step_size..][..step_size];
                let h = cell.step(&weights, x, &hidden[range.clone()]);
                sequence[(t * directions + pass) * state_size..][..state_size].copy_from_slice(&h);
                hidden[range.clone()].copy_from_slice(&h);
            }
        }
        let results = [hidden, sequence];
        outputs.iter().zip(results).map(|(&desc, data)| Tensor::float(desc, data)).collect()
    }
}

impl Operator for GruCell {
    const METHODS: &'static [Method] = &[Method {
        name: "gruCell",
        slots: &[
            Slot::new("input", DataTypes::FLOATS).rank(2),
            Slot::same("weight", 0).rank(2),
            Slot::same("recurrentWeight", 0).rank(2),
            Slot::same("hiddenState", 0).rank(2),
            Slot::same("bias", 0).rank(1).optional(),
            Slot::same("recurrentBias", 0).rank(1).optional(),
        ],
        outputs: &[Slot::same("output", 0).rank(2)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let (hidden, batch) = (self.hidden_size, input.shape[0]);
        ensure!(hidden > 0, "hiddenSize is 0, expected at least 1");
        to_dimension("6 times hiddenSize", 6 * u64::from(hidden))?;
        let gates = 3 * hidden;
        let expected: [&[u32]; 5] =
            [&[gates, input.shape[1]], &[gates, hidden], &[batch, hidden], &[gates], &[gates]];
        for (i, sizes) in expected.iter().enumerate() {
            if let Some(operand) = inputs.opt(i + 1) {
                ensure_shape(Self::METHODS[0].slots[i + 1].name, &operand.shape, sizes)?;
            }
        }
        ensure_activations(&self.activations, 2)?;
        Ok(vec![Desc::new(input.data_type, Shape::from_iter([batch, hidden]))])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let weights = Weights::of(inputs, [1, 2, 4, 5], None, (0, 1));
        let (x, hidden) = (required(inputs, 0).floats(), required(inputs, 3).floats());
        vec![Tensor::float(outputs[0], self.step(&weights, x, hidden))]
    }
}

impl GruCell {
    /// The hidden states after one step.
    fn step(&self, weights: &Weights<'_>, x: &[f64], hidden: &[f64]) -> Vec<f64> {
        let size = weights.hidden_size;
        let batches = x.chunks(weights.input_size).zip(hidden.chunks(size));
        batches.flat_map(|(x, hidden)| self.step_of_one(weights, x, hidden)).collect()
    }

    /// The same for one item of the batch.
    fn step_of_one(&self, weights: &Weights<'_>, x: &[f64], hidden: &[f64]) -> Vec<f64> {
        let size = weights.hidden_size;
        let [z, r, n] = self.layout.gates();
        let [gates, new] = gru_activations(&self.activations);
        let gate = |gate: usize| -> Vec<f64> {
            let rows = gate * size..(gate + 1) * size;
            let sums = rows.map(|row| weights.input(row, x) + weights.recurrent(row, hidden));
            sums.map(|sum| gates.apply(sum)).collect()
        };
        let (update, reset) = (gate(z), gate(r));
        let gated: Vec<f64> = reset.iter().zip(hidden).map(|(r, h)| r * h).collect();
        let state = |unit: usize| {
            let row = n * size + unit;
            let recurrent = if self.reset_after {
                reset[unit] * weights.recurrent(row, hidden)
            } else {
                weights.recurrent(row, &gated)
            };
            let candidate = new.apply(weights.input(row, x) + recurrent);
            update[unit] * hidden[unit] + (1.0 - update[unit]) * candidate
        };
        (0..size).map(state).collect()
    }
}
