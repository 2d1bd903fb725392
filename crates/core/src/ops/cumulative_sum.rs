//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-cumulativesum>

use crate::attrs::{FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::ensure_axis;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Data, Tensor, lanes, required};
use crate::types::{DataType, DataTypes, Desc, MAX_RANK};

attrs! {
    /// The running sum along an axis.
    pub struct CumulativeSum(
        /// The dimension along which it runs.
        axis: u32,
    ) {
        /// Whether an element's own value is left out of its sum.
        exclusive: bool = false,
        /// Whether the sum runs from the high end.
        reversed: bool = false,
    }
}

impl Operator for CumulativeSum {
    const METHODS: &'static [Method] = &[Method {
        name: "cumulativeSum",
        slots: &[Slot::new(
            "input",
            DataTypes::of(&[
                DataType::Float32,
                DataType::Float16,
                DataType::Int32,
                DataType::Uint32,
                DataType::Int64,
                DataType::Uint64,
            ]),
        )
        .ranks(1, MAX_RANK)],
        outputs: &[Slot::same("output", 0).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        ensure_axis(self.axis, input.rank())?;
        Ok(vec![input])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let mut lanes = lanes(&input.desc.shape, &[self.axis]);
        if self.reversed {
            lanes.iter_mut().for_each(|lane| lane.reverse());
        }
        let data = match &input.data {
            Data::Float(data) => Data::Float(self.sums(data, 0.0, &lanes, |a, b| a + b)),
            Data::Int(data) => Data::Int(self.sums(data, 0, &lanes, i128::wrapping_add)),
        };
        vec![Tensor { desc: outputs[0], data }]
    }
}

impl CumulativeSum {
    fn sums<T: Copy>(
        &self,
        data: &[T],
        zero: T,
        lanes: &[Vec<usize>],
        add: impl Fn(T, T) -> T,
    ) -> Vec<T> {
        let mut sums = vec![zero; data.len()];
        for lane in lanes {
            let mut sum = zero;
            for &i in lane {
                let next = add(sum, data[i]);
                sums[i] = if self.exclusive { sum } else { next };
                sum = next;
            }
        }
        sums
    }
}
