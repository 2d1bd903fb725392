//! Running sums along an axis.

use std::marker::PhantomData;

use webnn_core::ops::CumulativeSum;
use webnn_core::{DataType, Result};
use webnn_kernels::buffer::Plain;
use webnn_kernels::scan::{Bounds, Origin, Summand, cumulative_sum};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements are summed by one thread.
const LEAST: usize = 1 << 14;

struct Running<T> {
    bounds: Bounds,
    origin: Origin,
    /// The axis, and what is after it.
    shape: [usize; 2],
    element: PhantomData<T>,
}

pub(super) fn lower(op: &CumulativeSum, cx: &Cx<'_>) -> Result<Built> {
    fn build<T: Summand + Plain>(op: &CumulativeSum, cx: &Cx<'_>) -> Built {
        let input = sizes(&cx.input(0));
        let axis = op.axis as usize;
        let kernel = Running::<T> {
            bounds: if op.exclusive { Bounds::Exclusive } else { Bounds::Inclusive },
            origin: if op.reversed { Origin::End } else { Origin::Start },
            shape: [input[axis], input[axis + 1..].iter().product()],
            element: PhantomData,
        };
        Built::new(kernel, cx, &[0])
    }
    Ok(match cx.input(0).data_type {
        DataType::Float32 => build::<f32>(op, cx),
        DataType::Int32 => build::<i32>(op, cx),
        DataType::Uint32 => build::<u32>(op, cx),
        DataType::Int64 => build::<i64>(op, cx),
        DataType::Uint64 => build::<u64>(op, cx),
        DataType::Float16 => unreachable!("half precision is computed in single"),
        DataType::Int8 | DataType::Uint8 | DataType::Int4 | DataType::Uint4 => {
            unreachable!("the builder takes no narrow integers here")
        }
    })
}

impl<T: Summand + Plain> Kernel for Running<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        let part = self.shape[0] * self.shape[1];
        threads.rows(io.write::<T>(0), part, LEAST.div_ceil(part), |parts, out| {
            let x = &x[parts.start * part..parts.end * part];
            cumulative_sum(self.bounds, self.origin, self.shape, x, out);
        });
    }
}
