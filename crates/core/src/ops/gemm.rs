//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-gemm>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::ensure_broadcastable;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, optional, required};
use crate::types::{DataTypes, Desc, Shape};

attrs! {
    /// alpha · A · B + beta · C, where A and B may be transposed and C is broadcast.
    ///
    /// No term is left out: NaN in c stays NaN even where beta is 0.
    pub struct Gemm() {
        /// Scales the product.
        alpha: f64 = 1.0,
        /// Scales c.
        beta: f64 = 1.0,
        /// Whether a is transposed first.
        a_transpose: bool = false,
        /// Whether b is transposed first.
        b_transpose: bool = false,
    }
}

impl Operator for Gemm {
    const METHODS: &'static [Method] = &[Method {
        name: "gemm",
        slots: &[
            Slot::new("a", DataTypes::FLOATS).rank(2),
            Slot::same("b", 0).rank(2),
            Slot::same("c", 0).ranks(0, 2).optional(),
        ],
        outputs: &[Slot::same("output", 0).rank(2)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (a, b) = (inputs.get(0), inputs.get(1));
        let (m, k) = sides(&a.shape, self.a_transpose);
        let (rows, n) = sides(&b.shape, self.b_transpose);
        ensure!(
            k == rows,
            "a has {k} columns and b {rows} rows (shapes {} and {}, aTranspose {}, bTranspose {}), \
             expected as many",
            a.shape,
            b.shape,
            self.a_transpose,
            self.b_transpose
        );
        let shape = Shape::from_iter([m, n]);
        if let Some(c) = inputs.opt(2) {
            ensure_broadcastable("c", &c.shape, &shape)?;
        }
        Ok(vec![Desc::new(a.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (a, b) = (required(inputs, 0), required(inputs, 1));
        let c = optional(inputs, 2).map(|c| c.broadcast(outputs[0].shape));
        let (_, depth) = sides(&a.desc.shape, self.a_transpose);
        let (a_row, a_column) = steps(&a.desc.shape, self.a_transpose);
        let (b_row, b_column) = steps(&b.desc.shape, self.b_transpose);
        let columns = outputs[0].shape[1] as usize;
        let result = |index: usize| {
            let (i, j) = (index / columns, index % columns);
            let product = |k| a.floats()[i * a_row + k * a_column] * b.floats()[k * b_row + j * b_column];
            let sum: f64 = (0..depth as usize).map(product).sum();
            self.alpha * sum + c.as_ref().map_or(0.0, |c| self.beta * c.floats()[index])
        };
        vec![Tensor::float(outputs[0], (0..outputs[0].elements()).map(result).collect())]
    }
}

/// Rows and columns of a matrix that may be transposed.
fn sides(shape: &Shape, transpose: bool) -> (u32, u32) {
    if transpose { (shape[1], shape[0]) } else { (shape[0], shape[1]) }
}

/// The distances, in elements, between rows and between columns of a matrix that may be
/// transposed.
fn steps(shape: &Shape, transpose: bool) -> (usize, usize) {
    let width = shape[1] as usize;
    if transpose { (1, width) } else { (width, 1) }
}
