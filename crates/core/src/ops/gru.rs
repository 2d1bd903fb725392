//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gru>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::lstm::{Activation, Direction, ensure_activations};
use crate::ops::shapes::{ensure_shape, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::Tensor;
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
        todo!()
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
        todo!()
    }
}
