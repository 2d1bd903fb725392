//! A copy of a tensor with updates at places that indices name.

use std::marker::PhantomData;

use webnn_core::ops::ScatterElements;
use webnn_core::{DataType, Result};
use webnn_kernels::buffer::Plain;
use webnn_kernels::gather::{Index, Tuples, scatter_elements, scatter_tuples};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::copy::LEAST_BYTES;
use crate::ops::element::{with_index, with_width};
use crate::threads::Threads;

/// How the result is indexed.
enum How {
    /// Elements: the sizes of the axis in the result and in the updates, and of what follows it.
    Elements([usize; 3]),
    /// Parts of `inner` elements by the coordinates of the leading dimensions.
    Tuples { dims: Vec<usize>, inner: usize },
}

struct Scatter<T, I> {
    how: How,
    types: PhantomData<(T, I)>,
}

pub(super) fn lower_elements(op: &ScatterElements, cx: &Cx<'_>) -> Result<Built> {
    let (input, indices) = (sizes(&cx.input(0)), sizes(&cx.input(1)));
    let axis = op.axis as usize;
    let inner = input[axis + 1..].iter().product();
    Ok(build(How::Elements([input[axis], indices[axis], inner]), cx))
}

pub(super) fn lower_nd(cx: &Cx<'_>) -> Result<Built> {
    let (input, indices) = (sizes(&cx.input(0)), sizes(&cx.input(1)));
    let depth = indices[indices.len() - 1];
    let how = How::Tuples { dims: input[..depth].to_vec(), inner: input[depth..].iter().product() };
    Ok(build(how, cx))
}

fn build(how: How, cx: &Cx<'_>) -> Built {
    let index = cx.input(1).data_type;
    with_width!(cx.input(0).data_type, T => with_index!(index, I => {
        Built::new(Scatter::<T, I> { how, types: PhantomData }, cx, &[0, 1, 2])
    }))
}

impl<T, I> Kernel for Scatter<T, I>
where
    T: Plain + Send + Sync,
    I: Plain + Index,
{
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let out = io.write::<T>(0);
        let x = io.read::<T>(0);
        let (indices, updates) = (io.read::<I>(1), io.read::<T>(2));
        threads.rows(&mut *out, 1, LEAST_BYTES / size_of::<T>(), |range, out| {
            out.copy_from_slice(&x[range]);
        });
        // Where a place is named twice the later update stays: their order is that of one thread.
        match &self.how {
            How::Elements(sizes) => scatter_elements(*sizes, indices, updates, out),
            How::Tuples { dims, inner } => {
                scatter_tuples(Tuples { dims, inner: *inner }, indices, updates, out);
            }
        }
    }
}
