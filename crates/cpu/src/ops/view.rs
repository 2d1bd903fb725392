//! Operators that only read elements in another order: transpose, slice, reverse, expand, tile and
//! split. Each result is a view of the operand: a start and a stride per dimension.

use std::marker::PhantomData;

use webnn_core::Op;
use webnn_core::ops::split::Splits;
use webnn_kernels::Isa;
use webnn_kernels::buffer::Plain;
use webnn_kernels::copy::read;
use webnn_kernels::strided::{Space, broadcast, row_major};

use crate::alias::size_of;
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::copy::LEAST_BYTES;
use crate::threads::Threads;

/// One result: how it is read.
struct View {
    space: Space,
    offset: usize,
}

impl View {
    fn new(shape: &[usize], strides: &[usize], offset: usize) -> View {
        View { space: Space::new(shape, &[strides]), offset }
    }
}

struct Read<T> {
    views: Vec<View>,
    isa: Isa,
    element: PhantomData<T>,
}

/// The kernel for a node whose results are views of its operand.
pub(crate) fn lower(cx: &Cx<'_>) -> Built {
    let views = views(cx);
    fn kernel<T: Plain + Default + Send + Sync>(views: Vec<View>, cx: &Cx<'_>) -> Built {
        Built::new(Read::<T> { views, isa: cx.isa, element: PhantomData }, cx, &[0])
    }
    match size_of(&cx.input(0)) {
        8 => kernel::<u64>(views, cx),
        4 => kernel::<u32>(views, cx),
        2 => kernel::<u16>(views, cx),
        _byte => kernel::<u8>(views, cx),
    }
}

/// The views that a node's results are.
fn views(cx: &Cx<'_>) -> Vec<View> {
    let input = cx.input(0);
    let shape = sizes(&input);
    let strides = row_major(&shape);
    let output = || sizes(&cx.output(0));
    match &cx.node.op {
        Op::Transpose(op) => {
            let permuted: Vec<usize> =
                op.permutation(shape.len()).iter().map(|&axis| strides[axis as usize]).collect();
            vec![View::new(&output(), &permuted, 0)]
        }
        Op::Slice(op) => {
            let step =
                |axis: usize| op.strides.as_ref().map_or(1, |strides| strides[axis] as usize);
            let offset = op.starts.iter().zip(&strides).map(|(&start, s)| start as usize * s).sum();
            let stepped: Vec<usize> = (0..shape.len()).map(|d| strides[d] * step(d)).collect();
            vec![View::new(&output(), &stepped, offset)]
        }
        Op::Reverse(op) => {
            let mut offset = 0;
            let mut reversed = strides;
            for axis in op.axes(shape.len()) {
                let axis = axis as usize;
                offset += (shape[axis] - 1) * reversed[axis];
                // Views walk with wrapping arithmetic: this is a step back.
                reversed[axis] = reversed[axis].wrapping_neg();
            }
            vec![View::new(&shape, &reversed, offset)]
        }
        Op::Expand(_) => {
            let output = output();
            vec![View::new(&output, &broadcast(&shape, &output), 0)]
        }
        Op::Tile(op) => {
            // A dimension is one of repetitions, which stay where they are, and one of elements.
            let counts = op.repetitions.iter().map(|&count| count as usize);
            let dims: Vec<usize> = counts.zip(&shape).flat_map(|(c, &s)| [c, s]).collect();
            let strides: Vec<usize> = strides.iter().flat_map(|&stride| [0, stride]).collect();
            vec![View::new(&dims, &strides, 0)]
        }
        Op::Split(op) => {
            let axis = op.axis as usize;
            let parts: Vec<usize> = match &op.splits {
                Splits::Count(count) => {
                    vec![shape[axis] / *count as usize; *count as usize]
                }
                Splits::Sizes(sizes) => sizes.iter().map(|&size| size as usize).collect(),
            };
            let mut start = 0;
            let part = |size: usize| {
                let mut dims = shape.clone();
                dims[axis] = size;
                let view = View::new(&dims, &strides, start * strides[axis]);
                start += size;
                view
            };
            parts.into_iter().map(part).collect()
        }
        op => unreachable!("{} does not only move elements", op.method().name),
    }
}

impl<T: Plain + Default + Send + Sync> Kernel for Read<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        for (i, view) in self.views.iter().enumerate() {
            let least = LEAST_BYTES / 2 / std::mem::size_of::<T>();
            threads.rows(io.write::<T>(i), 1, least, |range, out| {
                read(self.isa, view.space.view(0), view.offset, x, range, out);
            });
        }
    }
}
