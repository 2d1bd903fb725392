//! Resampling along two axes.

use std::marker::PhantomData;

use webnn_core::DataType;
use webnn_core::ops::Resample2d;
use webnn_core::ops::resample2d::InterpolationMode;
use webnn_kernels::Isa;
use webnn_kernels::buffer::Plain;
use webnn_kernels::gemm::MatrixMut;
use webnn_kernels::resample::{Interpolation, Resampling, Sample};

use crate::blocks::{Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::{Threads, share};

/// Fewer elements are computed by one thread.
const LEAST: usize = 1 << 14;

struct Resample<T> {
    resampling: Resampling,
    /// The sizes between the two axes and after them.
    around: [usize; 2],
    /// The columns of the matrix that the result lies in, and the first that is the result's.
    inside: [usize; 2],
    /// Whether that matrix's columns are the result's innermost dimension.
    is_innermost: bool,
    /// Rows of that matrix, an equal share for each part.
    cells: Cells,
    parts: usize,
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
    let rows: usize = output[..=first].iter().product();
    fn kernel<T: Sample + Plain>(
        resampling: Resampling,
        around: [usize; 2],
        rows: usize,
        cx: &Cx<'_>,
    ) -> Built {
        let (lines, columns) = (resampling.lines(around), resampling.columns(around[1]));
        let parts = cx.threads.parts(rows, LEAST.div_ceil(lines * columns));
        let cuts = (0..parts).map(|part| share(rows, parts, part).start * lines);
        let cuts = cuts.chain([rows * lines]).collect();
        let kernel = Resample {
            resampling,
            around,
            inside: [columns, 0],
            is_innermost: cx.output(0).shape.last().is_some_and(|&size| size as usize == columns),
            cells: Cells::new(cuts, vec![0, columns]),
            parts,
            isa: cx.isa,
            element: PhantomData::<T>,
        };
        Built::new(kernel, cx, &[0])
    }
    match cx.input(0).data_type {
        DataType::Int8 => kernel::<i8>(resampling, around, rows, cx),
        DataType::Uint8 => kernel::<u8>(resampling, around, rows, cx),
        _single => kernel::<f32>(resampling, around, rows, cx),
    }
}

impl<T: Sample + Plain> Kernel for Resample<T> {
    fn write_inside(&mut self, columns: usize, first: usize) -> bool {
        if self.is_innermost {
            self.inside = [columns, first];
        }
        self.is_innermost
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        let output = io.write::<T>(0);
        let columns = self.resampling.columns(self.around[1]);
        let [stride, first] = self.inside;
        let size = [output.len() / stride, columns];
        let matrix = MatrixMut::new(&mut output[first..], size, stride);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        let lines = self.resampling.lines(self.around);
        threads.run(self.parts, &|part| {
            for cell in cells.take(part) {
                let rows = cell.rows.start / lines..cell.rows.end / lines;
                self.resampling.run(self.isa, self.around, x, rows, cell.matrix);
            }
        });
    }
}
