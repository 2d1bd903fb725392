//! Softmax along any axis.

use webnn_core::ops::Softmax;
use webnn_kernels::Isa;
use webnn_kernels::softmax::softmax;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements are computed by one thread.
const LEAST: usize = 1 << 13;

struct Along {
    axis: usize,
    inner: usize,
    isa: Isa,
}

pub(crate) fn lower(op: &Softmax, cx: &Cx<'_>) -> Built {
    let shape = sizes(&cx.input(0));
    let axis = op.axis as usize;
    let inner = shape[axis + 1..].iter().product();
    Built::new(Along { axis: shape[axis], inner, isa: cx.isa }, cx, &[0])
}

impl Kernel for Along {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<f32>(0);
        let row = self.axis * self.inner;
        threads.rows(io.write::<f32>(0), row, LEAST.div_ceil(row), |range, out| {
            let x = &x[range.start * row..range.end * row];
            softmax(self.isa, range.len(), self.axis, self.inner, x, out);
        });
    }
}
