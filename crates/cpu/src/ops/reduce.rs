//! Reductions over any dimensions.

use std::marker::PhantomData;

use webnn_core::DataType;
use webnn_core::ops::Reduce;
use webnn_core::ops::reduce::ReduceKind;
use webnn_kernels::Isa;
use webnn_kernels::buffer::Plain;
use webnn_kernels::integer::Integer;
use webnn_kernels::reduce::{
    FloatReduction, IntegerReduction, Reduction, reduce_floats, reduce_integers,
};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer operand elements are folded by one thread.
const LEAST: usize = 1 << 14;

struct Floats {
    kind: FloatReduction,
    reduction: Reduction,
    isa: Isa,
}

struct Integers<T> {
    kind: IntegerReduction,
    reduction: Reduction,
    element: PhantomData<T>,
}

pub(crate) fn lower(op: &Reduce, cx: &Cx<'_>) -> Built {
    let shape = sizes(&cx.input(0));
    let axes: Vec<usize> = op.options.axes(shape.len()).iter().map(|&axis| axis as usize).collect();
    let reduction = Reduction::new(&shape, &axes);
    match cx.input(0).data_type {
        DataType::Float32 => floats(op.kind, reduction, cx),
        DataType::Int8 => integers::<i8>(op.kind, reduction, cx),
        DataType::Uint8 => integers::<u8>(op.kind, reduction, cx),
        DataType::Int32 => integers::<i32>(op.kind, reduction, cx),
        DataType::Uint32 => integers::<u32>(op.kind, reduction, cx),
        DataType::Int64 => integers::<i64>(op.kind, reduction, cx),
        DataType::Uint64 => integers::<u64>(op.kind, reduction, cx),
        DataType::Float16 => unreachable!("half precision is computed in single"),
        DataType::Int4 | DataType::Uint4 => {
            unreachable!("the builder checked that the type is of whole bytes")
        }
    }
}

fn floats(kind: ReduceKind, reduction: Reduction, cx: &Cx<'_>) -> Built {
    let kind = match kind {
        ReduceKind::L1 => FloatReduction::L1,
        ReduceKind::L2 => FloatReduction::L2,
        ReduceKind::LogSum => FloatReduction::LogSum,
        ReduceKind::LogSumExp => FloatReduction::LogSumExp,
        ReduceKind::Max => FloatReduction::Max,
        ReduceKind::Mean => FloatReduction::Mean,
        ReduceKind::Min => FloatReduction::Min,
        ReduceKind::Product => FloatReduction::Product,
        ReduceKind::Sum => FloatReduction::Sum,
        ReduceKind::SumSquare => FloatReduction::SumSquare,
    };
    Built::new(Floats { kind, reduction, isa: cx.isa }, cx, &[0])
}

fn integers<T: Integer + Plain>(kind: ReduceKind, reduction: Reduction, cx: &Cx<'_>) -> Built {
    let kind = match kind {
        ReduceKind::L1 => IntegerReduction::L1,
        ReduceKind::Max => IntegerReduction::Max,
        ReduceKind::Min => IntegerReduction::Min,
        ReduceKind::Product => IntegerReduction::Product,
        ReduceKind::Sum => IntegerReduction::Sum,
        ReduceKind::SumSquare => IntegerReduction::SumSquare,
        ReduceKind::L2 | ReduceKind::LogSum | ReduceKind::LogSumExp | ReduceKind::Mean => {
            unreachable!("the builder checked that the type is a float")
        }
    };
    Built::new(Integers { kind, reduction, element: PhantomData::<T> }, cx, &[0])
}

impl Kernel for Floats {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<f32>(0);
        let least = LEAST.div_ceil(self.reduction.count());
        threads.rows(io.write::<f32>(0), 1, least, |range, out| {
            reduce_floats(self.isa, self.kind, &self.reduction, x, range, out);
        });
    }
}

impl<T: Integer + Plain> Kernel for Integers<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        let least = LEAST.div_ceil(self.reduction.count());
        threads.rows(io.write::<T>(0), 1, least, |range, out| {
            reduce_integers(self.kind, &self.reduction, x, range, out);
        });
    }
}
