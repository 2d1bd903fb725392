//! Elements, rows and parts of a tensor that indices name.

use std::marker::PhantomData;

use webnn_core::ops::{Gather, GatherElements};
use webnn_core::{DataType, Result};
use webnn_kernels::buffer::Plain;
use webnn_kernels::gather::{self, Index, Tuples};

use crate::alias;
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::element::{with_index, with_width};
use crate::threads::Threads;

/// Fewer bytes are moved by one thread.
const LEAST_BYTES: usize = 1 << 15;

/// Rows of as many bytes and more are moved as bytes, which may lie anywhere in a model's file.
const BYTES: usize = 64;

/// The fewest rows of so many bytes for one thread.
fn least(row_bytes: usize) -> usize {
    LEAST_BYTES.div_ceil(row_bytes.max(1))
}

/// How a tensor is indexed.
enum How {
    /// Rows of `inner` elements out of `axis`.
    Rows { axis: usize, inner: usize },
    /// Elements: the sizes of the axis in the input and in the result, and of what follows it.
    Elements { axis: usize, picked: usize, inner: usize },
    /// Parts of `inner` elements by the coordinates of the leading dimensions.
    Tuples { dims: Vec<usize>, inner: usize },
}

struct Indexed<T, I> {
    how: How,
    types: PhantomData<(T, I)>,
}

pub(super) fn lower(op: &Gather, cx: &Cx<'_>) -> Result<Built> {
    let input = sizes(&cx.input(0));
    let axis = op.axis as usize;
    let (axis, inner) = (input[axis], input[axis + 1..].iter().product());
    let row = inner * alias::size_of(&cx.input(0));
    if row < BYTES {
        return Ok(build(How::Rows { axis, inner }, cx));
    }
    let how = How::Rows { axis, inner: row };
    Ok(with_index!(cx.input(1).data_type, I => {
        Built::new(Indexed::<u8, I> { how, types: PhantomData }, cx, &[0, 1])
    }))
}

pub(super) fn lower_elements(op: &GatherElements, cx: &Cx<'_>) -> Result<Built> {
    let (input, indices) = (sizes(&cx.input(0)), sizes(&cx.input(1)));
    let axis = op.axis as usize;
    let how = How::Elements {
        axis: input[axis],
        picked: indices[axis],
        inner: input[axis + 1..].iter().product(),
    };
    Ok(build(how, cx))
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
        Built::new(Indexed::<T, I> { how, types: PhantomData }, cx, &[0, 1])
    }))
}

impl<T, I> Kernel for Indexed<T, I>
where
    T: Plain + Send + Sync,
    I: Plain + Index,
{
    fn reads_bytes(&self, read: usize) -> bool {
        read == 0 && size_of::<T>() == 1
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let out = io.write::<T>(0);
        let (x, indices) = (io.read::<T>(0), io.read::<I>(1));
        let size = size_of::<T>();
        match &self.how {
            How::Rows { axis, inner } => {
                threads.rows(out, *inner, least(inner * size), |rows, out| {
                    gather::gather([*axis, *inner], x, indices, rows, out);
                });
            }
            How::Elements { axis, picked, inner } => {
                threads.rows(out, 1, least(size), |range, out| {
                    gather::gather_elements([*axis, *picked, *inner], x, indices, range, out);
                });
            }
            How::Tuples { dims, inner } => {
                let tuples = Tuples { dims, inner: *inner };
                threads.rows(out, *inner, least(inner * size), |rows, out| {
                    gather::gather_tuples(tuples, x, indices, rows, out);
                });
            }
        }
    }
}
