//! The index of the least or greatest element along an axis.

use std::marker::PhantomData;

use webnn_core::ops::ArgMinMax;
use webnn_core::ops::arg::ArgKind;
use webnn_core::{DataType, Result};
use webnn_kernels::arg::{Extreme, StoredIndex, arg_extreme};
use webnn_kernels::buffer::Plain;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements are searched by one thread.
const LEAST: usize = 1 << 14;

struct Search<T, I> {
    extreme: Extreme,
    /// What is before the axis, the axis, and what is after it.
    shape: [usize; 3],
    types: PhantomData<(T, I)>,
}

pub(super) fn lower(op: &ArgMinMax, cx: &Cx<'_>) -> Result<Built> {
    let input = sizes(&cx.input(0));
    let axis = op.options.axis as usize;
    let extreme = match op.kind {
        ArgKind::Min => Extreme::Min,
        ArgKind::Max => Extreme::Max,
    };
    let shape =
        [input[..axis].iter().product(), input[axis], input[axis + 1..].iter().product::<usize>()];
    let is_wide = op.options.output_data_type == DataType::Int64;
    fn build<T>(extreme: Extreme, shape: [usize; 3], is_wide: bool, cx: &Cx<'_>) -> Built
    where
        T: Plain + PartialOrd + Send + Sync,
    {
        match is_wide {
            true => Built::new(Search::<T, i64> { extreme, shape, types: PhantomData }, cx, &[0]),
            false => Built::new(Search::<T, i32> { extreme, shape, types: PhantomData }, cx, &[0]),
        }
    }
    Ok(match cx.input(0).data_type {
        DataType::Float32 => build::<f32>(extreme, shape, is_wide, cx),
        DataType::Int32 => build::<i32>(extreme, shape, is_wide, cx),
        DataType::Uint32 => build::<u32>(extreme, shape, is_wide, cx),
        DataType::Int64 => build::<i64>(extreme, shape, is_wide, cx),
        DataType::Uint64 => build::<u64>(extreme, shape, is_wide, cx),
        DataType::Int8 => build::<i8>(extreme, shape, is_wide, cx),
        DataType::Uint8 => build::<u8>(extreme, shape, is_wide, cx),
        DataType::Float16 => unreachable!("half precision is computed in single"),
        DataType::Int4 | DataType::Uint4 => {
            unreachable!("the builder takes no 4-bit integers here")
        }
    })
}

impl<T, I> Kernel for Search<T, I>
where
    T: Plain + PartialOrd + Send + Sync,
    I: Plain + StoredIndex,
{
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        let least = LEAST.div_ceil(self.shape[1]);
        threads.rows(io.write::<I>(0), 1, least, |range, out| {
            arg_extreme(self.extreme, self.shape, x, range, out);
        });
    }
}
