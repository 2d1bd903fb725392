//! Depthwise convolutions of bytes.

use webnn_kernels::depthwise::int8::{self, ByteImages, PackedBytes, depthwise};
use webnn_kernels::gemm::int8::Requantize;
use webnn_kernels::gemm::{MatrixMut, Window};

use super::product::{Elements, Terms, Weights};
use super::{Made, Source};
use crate::blocks::{Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Multiplications and additions that are worth waking a thread for. They are few: where one thread
/// computes alone what several have made before, it waits for their caches.
const LEAST_FLOPS: usize = 200_000;

/// A filter of one channel per group.
pub(super) struct Filter<'a> {
    pub(super) weights: Weights<'a>,
    pub(super) window: Window,
    /// Those of height, width and channels.
    pub(super) strides: [usize; 3],
}

pub(super) fn lower(
    cx: &Cx<'_>,
    made: &Made,
    input: &Source,
    filter: Filter<'_>,
    terms: &Terms,
) -> Built {
    let Filter { weights, window, strides } = filter;
    let output = sizes(&cx.output(0));
    let [rows, channels] = [output[0] * output[1], output[3]];
    let to = Requantize {
        scales: &terms.scales,
        zero_point: made.to.scale.zero_point,
        clamp: made.to.clamp,
    };
    macro_rules! pack {
        ($T:ty, $W:ty, $data:expr) => {{
            let zero_points = &weights.parameters.zeros;
            let filter = int8::Filter { data: $data, channels, strides, zero_points };
            let zero_point = input.scale.zero_point;
            PackedBytes::new::<$T, $W>(cx.isa, filter, &window, zero_point, &terms.bias, &to)
        }};
    }
    let filter = match (&weights.elements, input.scale.is_signed) {
        (Elements::I8(data), false) => pack!(u8, i8, data),
        (Elements::I8(data), true) => pack!(i8, i8, data),
        (Elements::U8(data), false) => pack!(u8, u8, data),
        (Elements::U8(data), true) => pack!(i8, u8, data),
    };
    let flops = 2 * rows * output[2] * channels * window.taps();
    let parts = (flops / LEAST_FLOPS).clamp(1, cx.threads.count()).min(rows.max(1));
    let cuts = (0..=parts).map(|part| part * rows / parts * output[2]).collect();
    let kernel = Depthwise {
        filter,
        width: output[2],
        inside: [channels, 0],
        cells: Cells::new(cuts, vec![0, channels]),
        parts,
        packed_bytes: channels * window.taps(),
    };
    Built { kernel: Box::new(kernel), reads: vec![input.value], writes: vec![made.value] }
}

struct Depthwise {
    filter: PackedBytes,
    /// The pixels of a row of output.
    width: usize,
    /// The columns of the matrix that the result lies in, and the first that is the result's.
    inside: [usize; 2],
    /// Rows of pixels of all images, an equal share for each part.
    cells: Cells,
    parts: usize,
    packed_bytes: usize,
}

impl Kernel for Depthwise {
    fn packed_bytes(&self) -> usize {
        self.packed_bytes
    }

    fn write_inside(&mut self, columns: usize, first: usize) -> bool {
        self.inside = [columns, first];
        true
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let output = io.write::<u8>(0);
        let channels = self.filter.channels();
        let images = ByteImages { data: io.read(0), pixel_stride: channels };
        let [stride, first] = self.inside;
        let pixels = output.len() / stride;
        let matrix = MatrixMut::new(&mut output[first..], [pixels, channels], stride);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        threads.run(self.parts, &|part| {
            for cell in cells.take(part) {
                let rows = cell.rows.start / self.width..cell.rows.end / self.width;
                depthwise(images, &self.filter, rows, cell.matrix);
            }
        });
    }
}
