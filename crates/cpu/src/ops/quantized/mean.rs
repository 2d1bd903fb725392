//! Means of bytes: over windows of channels-last images, or over neighbouring dimensions.

use webnn_core::ops::conv2d::InputLayout;
use webnn_core::ops::pool2d::PoolKind;
use webnn_core::ops::reduce::ReduceKind;
use webnn_core::ops::{Pool2d, Reduce};
use webnn_kernels::Isa;
use webnn_kernels::bytes::{Scale, Target, mean};
use webnn_kernels::gemm::Window;

use super::{Made, Source};
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements of windows are summed by one thread.
const LEAST: usize = 1 << 14;

/// The means of windows of pixels.
struct Mean {
    window: Window,
    channels: usize,
    from: Scale,
    to: Target,
    isa: Isa,
}

pub(super) fn lower_pool(op: &Pool2d, cx: &Cx<'_>, made: &Made) -> Option<Built> {
    let options = &op.options;
    if op.kind != PoolKind::Average || options.layout != InputLayout::Nhwc {
        return None;
    }
    let (input, output) = (sizes(&cx.input(0)), sizes(&cx.output(0)));
    let size = [input[1], input[2]];
    let window = Window {
        input: size,
        output: [output[1], output[2]],
        kernel: options.window_dimensions.map_or(size, |window| window.map(|n| n as usize)),
        strides: options.strides.map(|n| n as usize),
        dilations: options.dilations.map(|n| n as usize),
        padding: [options.padding[0] as usize, options.padding[2] as usize],
    };
    build(cx, made, window, input[3])
}

pub(super) fn lower_reduce(op: &Reduce, cx: &Cx<'_>, made: &Made) -> Option<Built> {
    let shape = sizes(&cx.input(0));
    let mut axes = op.options.axes(shape.len());
    axes.sort_unstable();
    let (first, last) = (*axes.first()? as usize, *axes.last()? as usize);
    if op.kind != ReduceKind::Mean || last - first + 1 != axes.len() {
        return None;
    }
    let product = |range: std::ops::Range<usize>| shape[range].iter().product::<usize>();
    let (outer, count) = (product(0..first), product(first..last + 1));
    // An image of one row for each place before the axes: a window is the whole image.
    let window = Window {
        input: [count * outer, 1],
        output: [outer, 1],
        kernel: [count, 1],
        strides: [count, 1],
        dilations: [1, 1],
        padding: [0, 0],
    };
    build(cx, made, window, product(last + 1..shape.len()))
}

fn build(cx: &Cx<'_>, made: &Made, window: Window, channels: usize) -> Option<Built> {
    let source = Source::of(cx, 0)?;
    let is_empty =
        |axis: usize| (0..window.output[axis]).any(|at| window.taps_inside(axis, at).is_empty());
    // Sums of bytes are exact in 32 bits.
    if window.taps() >= 1 << 23 || is_empty(0) || is_empty(1) {
        return None;
    }
    let kernel = Mean { window, channels, from: source.scale, to: made.to, isa: cx.isa };
    Some(Built { kernel: Box::new(kernel), reads: vec![source.value], writes: vec![made.value] })
}

impl Kernel for Mean {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let Mean { window, channels, from, to, isa } = self;
        let x = io.read::<u8>(0);
        let [height, width] = window.output;
        let least = LEAST.div_ceil((channels * window.taps()).max(1));
        threads.rows(io.write::<u8>(0), *channels, least, |pixels, y| {
            for (pixel, y) in pixels.zip(y.chunks_exact_mut((*channels).max(1))) {
                let (image, oy, ox) =
                    (pixel / (height * width), pixel / width % height, pixel % width);
                let [down, across] = [(0, oy), (1, ox)].map(|(axis, at)| {
                    let taps = window.taps_inside(axis, at);
                    let padded = at * window.strides[axis] + taps.start * window.dilations[axis];
                    (padded - window.padding[axis], taps.len())
                });
                let ((top, rows), (left, columns)) = (down, across);
                let row = |i: usize| {
                    let y = top + i / columns * window.dilations[0];
                    let column = left + i % columns * window.dilations[1];
                    let line = image * window.input[0] + y;
                    &x[(line * window.input[1] + column) * channels..][..*channels]
                };
                mean(*isa, rows * columns, row, *from, *to, y);
            }
        });
    }
}
