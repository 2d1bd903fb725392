//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pad>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::number::Number;
use crate::ops::shapes::{ensure_length, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, required};
use crate::types::{DataTypes, Desc, Shape};

attrs! {
    /// What a [`Pad`] puts around the input.
    pub enum PaddingMode {
        /// A value.
        Constant = "constant",
        /// The element at the border.
        Edge = "edge",
        /// The elements mirrored at the border, which is not repeated.
        Reflection = "reflection",
    }
}

attrs! {
    /// The input with elements added before and after, along each dimension.
    pub struct Pad(
        /// How many before, for each dimension.
        beginning_padding: Vec<u32>,
        /// How many after, for each dimension.
        ending_padding: Vec<u32>,
    ) {
        /// What is added.
        mode: PaddingMode = PaddingMode::Constant,
        /// The added value, where the mode is constant.
        value: Number = Number::Float(0.0),
    }
}

impl Operator for Pad {
    const METHODS: &'static [Method] = &[Method {
        name: "pad",
        slots: &[Slot::new("input", DataTypes::ANY)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        ensure_length("beginningPadding", self.beginning_padding.len(), input.rank())?;
        ensure_length("endingPadding", self.ending_padding.len(), input.rank())?;
        let shape: Result<Shape> = (0..input.rank())
            .map(|axis| {
                let size = input.shape[axis];
                let (before, after) = (self.beginning_padding[axis], self.ending_padding[axis]);
                ensure!(
                    self.mode != PaddingMode::Reflection || before.max(after) < size,
                    "dimension {axis} of size {size} is padded by {before} and {after}, expected \
                     less than its size for reflection"
                );
                to_dimension(
                    "a padded dimension",
                    u64::from(size) + u64::from(before) + u64::from(after),
                )
            })
            .collect();
        Ok(vec![Desc::new(input.data_type, shape?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let (shape, strides) = (&input.desc.shape, input.desc.shape.strides());
        let mut output = Tensor::filled(outputs[0], self.value);
        for i in 0..outputs[0].elements() {
            let at = coordinates(i, &outputs[0].shape);
            let step = |axis| Some(self.source(axis, at[axis], shape[axis])? * strides[axis]);
            if let Some(source) = (0..shape.rank()).map(step).sum() {
                output.copy_element(i, input, source);
            }
        }
        vec![output]
    }
}

impl Pad {
    /// Where along a dimension an output's element comes from; `None` for the added value.
    fn source(&self, axis: usize, at: usize, size: u32) -> Option<usize> {
        let last = i64::from(size) - 1;
        let at = at as i64 - i64::from(self.beginning_padding[axis]);
        let source = match self.mode {
            PaddingMode::Constant => Some(at).filter(|at| (0..=last).contains(at))?,
            PaddingMode::Edge => at.clamp(0, last),
            PaddingMode::Reflection if at < 0 => -at,
            PaddingMode::Reflection if at > last => 2 * last - at,
            PaddingMode::Reflection => at,
        };
        Some(source as usize)
    }
}
