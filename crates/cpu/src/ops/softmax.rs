//! Softmax along any axis.

use half::f16;
use webnn_core::DataType;
use webnn_core::ops::Softmax;
use webnn_kernels::Isa;
use webnn_kernels::buffer::Plain;
use webnn_kernels::float::Float;
use webnn_kernels::softmax::softmax;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements are computed by one thread.
const LEAST: usize = 1 << 13;

struct Along<T> {
    axis: usize,
    inner: usize,
    isa: Isa,
    element: std::marker::PhantomData<T>,
}

pub(crate) fn lower(op: &Softmax, cx: &Cx<'_>) -> Built {
    let shape = sizes(&cx.input(0));
    let axis = op.axis as usize;
    let inner = shape[axis + 1..].iter().product();
    fn kernel<T: Float + Plain>(axis: usize, inner: usize, cx: &Cx<'_>) -> Built {
        let element = std::marker::PhantomData::<T>;
        Built::new(Along { axis, inner, isa: cx.isa, element }, cx, &[0])
    }
    match cx.input(0).data_type {
        DataType::Float16 => kernel::<f16>(shape[axis], inner, cx),
        _single => kernel::<f32>(shape[axis], inner, cx),
    }
}

impl<T: Float + Plain> Kernel for Along<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        let row = self.axis * self.inner;
        threads.rows(io.write::<T>(0), row, LEAST.div_ceil(row), |range, out| {
            let x = &x[range.start * row..range.end * row];
            softmax(self.isa, range.len(), self.axis, self.inner, x, out);
        });
    }
}
