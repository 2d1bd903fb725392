//! Matrices of which one side of a diagonal is kept.

use std::marker::PhantomData;

use webnn_core::Result;
use webnn_core::ops::Triangular;
use webnn_kernels::buffer::Plain;
use webnn_kernels::copy::{Triangle, triangular};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::copy::LEAST_BYTES;
use crate::ops::element::with_width;
use crate::threads::Threads;

struct Keep<T> {
    triangle: Triangle,
    diagonal: i32,
    /// Rows and columns of a matrix.
    shape: [usize; 2],
    element: PhantomData<T>,
}

pub(super) fn lower(op: &Triangular, cx: &Cx<'_>) -> Result<Built> {
    let input = sizes(&cx.input(0));
    let triangle = if op.upper { Triangle::Upper } else { Triangle::Lower };
    let (diagonal, shape) = (op.diagonal, [input[input.len() - 2], input[input.len() - 1]]);
    Ok(with_width!(cx.input(0).data_type, T => {
        Built::new(Keep::<T> { triangle, diagonal, shape, element: PhantomData }, cx, &[0])
    }))
}

impl<T: Plain + Default + Send + Sync> Kernel for Keep<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        let [_, width] = self.shape;
        let least = LEAST_BYTES.div_ceil(width * size_of::<T>());
        threads.rows(io.write::<T>(0), width, least, |rows, out| {
            triangular(self.triangle, self.diagonal, self.shape, x, rows, out);
        });
    }
}
