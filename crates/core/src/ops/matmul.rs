//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-matmul>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::broadcast;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, required};
use crate::types::{DataTypes, Desc, MAX_RANK, Shape};

attrs! {
    /// A stack of matrix products; all but the last two dimensions are broadcast.
    pub struct Matmul() {}
}

impl Operator for Matmul {
    const METHODS: &'static [Method] = &[Method {
        name: "matmul",
        slots: &[
            Slot::new("a", DataTypes::FLOATS).ranks(2, MAX_RANK),
            Slot::same("b", 0).ranks(2, MAX_RANK),
        ],
        outputs: &[Slot::same("output", 0).ranks(2, MAX_RANK)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (a, b) = (inputs.get(0), inputs.get(1));
        let (a_batch, a_matrix) = a.shape.split_at(a.rank() - 2);
        let (b_batch, b_matrix) = b.shape.split_at(b.rank() - 2);
        ensure!(
            a_matrix[1] == b_matrix[0],
            "a has {} columns and b {} rows (shapes {} and {}), expected as many",
            a_matrix[1],
            b_matrix[0],
            a.shape,
            b.shape
        );
        let batch = broadcast(&Shape::new(a_batch)?, &Shape::new(b_batch)?)?;
        let sizes = [&batch[..], &[a_matrix[0], b_matrix[1]]].concat();
        Ok(vec![Desc::new(a.data_type, Shape::new(&sizes)?)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (a, b) = (required(inputs, 0), required(inputs, 1));
        let shape = outputs[0].shape;
        let rank = shape.rank();
        let depth = a.desc.shape[a.desc.rank() - 1];
        // Both as stacks of the output's matrices.
        let a = a.broadcast(shape.with(rank - 1, depth));
        let b = b.broadcast(shape.with(rank - 2, depth));
        let (rows, columns) = (shape[rank - 2] as usize, shape[rank - 1] as usize);
        let depth = depth as usize;
        let result = |index: usize| {
            let (row, j) = (index / columns, index % columns);
            let product = |k| {
                a.floats()[row * depth + k] * b.floats()[(row / rows * depth + k) * columns + j]
            };
            (0..depth).map(product).sum::<f64>()
        };
        vec![Tensor::float(outputs[0], (0..outputs[0].elements()).map(result).collect())]
    }
}
