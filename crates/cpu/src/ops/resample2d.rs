//! Resampling along two axes.

use std::marker::PhantomData;

use half::f16;
use webnn_core::DataType;
use webnn_core::ops::Resample2d;
use webnn_core::ops::resample2d::InterpolationMode;
use webnn_kernels::Isa;
use webnn_kernels::buffer::Plain;
use webnn_kernels::resample::{Interpolation, Resampling, Sample};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements are computed by one thread.
const LEAST: usize = 1 << 14;

struct Resample<T> {
    resampling: Resampling,
    /// The sizes between the two axes and after them.
    around: [usize; 2],
    row: usize,
    isa: Isa,
    element: PhantomData<T>,
}

#[inline(never)]
pub(crate) fn lower(op: &Resample2d, cx: &Cx<'_>) -> Built {
    let (input, output) = (sizes(&cx.input(0)), sizes(&cx.output(0)));
    let mut axes = op.axes.map(|axis| axis as usize);
    axes.sort_unstable();
    let interpolation = match op.mode {
        InterpolationMode::NearestNeighbor => Interpolation::Nearest,
        InterpolationMode::Linear => Interpolation::Linear,
    };
    let [first, second] = axes;
    let resampling =
        Resampling::new(interpolation, axes.map(|axis| input[axis]), axes.map(|axis| output[axis]));
    let around =
        [input[first + 1..second].iter().product(), input[second + 1..].iter().product::<usize>()];
    let row = around[0] * output[second] * around[1];
    fn kernel<T: Sample + Plain>(
        resampling: Resampling,
        around: [usize; 2],
        row: usize,
        cx: &Cx<'_>,
    ) -> Built {
        let element = PhantomData::<T>;
        Built::new(Resample { resampling, around, row, isa: cx.isa, element }, cx, &[0])
    }
    match cx.input(0).data_type {
        DataType::Float16 => kernel::<f16>(resampling, around, row, cx),
        DataType::Int8 => kernel::<i8>(resampling, around, row, cx),
        DataType::Uint8 => kernel::<u8>(resampling, around, row, cx),
        _single => kernel::<f32>(resampling, around, row, cx),
    }
}

impl<T: Sample + Plain> Kernel for Resample<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        threads.rows(io.write::<T>(0), self.row, LEAST.div_ceil(self.row), |rows, out| {
            self.resampling.run(self.isa, self.around, x, rows, out);
        });
    }
}
