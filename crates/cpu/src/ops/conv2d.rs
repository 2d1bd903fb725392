//! Convolutions of channels-last images: products of matrices, or depthwise.

use std::ops::Range;
use std::sync::Mutex;

use webnn_core::NodeId;
use webnn_core::ops::Conv2d;
use webnn_core::ops::conv2d::InputLayout;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::depthwise::{Images, PackedTaps, depthwise};
use webnn_kernels::gemm::{MatrixMut, Post, Window};

use crate::blocks::{Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{Built, ByRows, Cx, Kernel, Strip, sizes};
use crate::ops::chain::as_floats;
use crate::ops::epilogue::{Bias, Epilogue, EpilogueBuilder};
use crate::ops::matrix::{FilterView, Left, Problems, Right, build};
use crate::ops::winograd;
use crate::threads::{Pieces, Threads};

/// The kernel for a convolution and the element-wise nodes after it; `None` for channels first,
/// which is laid out otherwise before.
#[inline(never)]
pub(crate) fn lower(op: &Conv2d, cx: &Cx<'_>, after: &[NodeId]) -> Option<Built> {
    if op.input_layout == InputLayout::Nchw {
        return None;
    }
    let (input, filter, output) = (sizes(&cx.input(0)), sizes(&cx.input(1)), sizes(&cx.output(0)));
    let window = window(op, &input, &filter, &output);
    let channels = input[3];
    let groups = op.groups as usize;
    let (o, i, kh, kw) = op.filter_layout.axes();
    let shape = [filter[kh], filter[kw], filter[i], filter[o] / groups];
    let filter_strides = cx.input(1).shape.strides();
    let strides = [kh, kw, i, o].map(|axis| filter_strides[axis]);
    if groups == channels
        && filter[o] == channels
        && groups > 1
        && let Some(data) = cx.floats(cx.id(1))
        // Depthwise convolutions pass over the padding, where such a tap makes NaN.
        && data.iter().all(|tap| tap.is_finite())
    {
        let strides = [strides[0], strides[1], strides[3]];
        if let Some(built) = lower_depthwise(cx, after, window, &data, strides) {
            return Some(built);
        }
    }
    let views: Vec<FilterView> = (0..groups)
        .map(|group| FilterView { offset: group * shape[3] * strides[3], shape, strides })
        .collect();
    if let [view] = views[..]
        && let Some(built) = winograd::lower(cx, after, window, view)
    {
        return Some(built);
    }
    let is_pointwise = window.kernel == [1, 1]
        && window.strides == [1, 1]
        && window.padding == [0, 0]
        && window.input == window.output;
    // A single row's sums are cut otherwise than those of many: every thread has several.
    let has_rows = output[1] * output[2] >= 2 * cx.threads.count();
    let is_scalable = is_pointwise && groups == 1 && input[0] == 1 && has_rows;
    if cx.scaled.is_some() && !is_scalable {
        return None;
    }
    let mut reads = vec![cx.scaled.map_or(cx.id(0), |scaled| scaled.image)];
    let right = Right::constant(cx, cx.id(1), &views).unwrap_or_else(|| {
        reads.push(cx.id(1));
        Right::Read(views)
    });
    let epilogue = EpilogueBuilder::new(*cx, &mut reads).with_residual();
    let (epilogue, result) = epilogue.convolution(after)?;
    let pixels = input[0] * output[1] * output[2];
    let problems = Problems {
        down: vec![(0, 0)],
        sizes: [pixels, shape[3], shape[0] * shape[1] * shape[2]],
        groups,
    };
    let left = if is_pointwise {
        let factors = cx.scaled.map(|scaled| {
            reads.push(scaled.factors);
            reads.len() - 1
        });
        Left::Matrix { strides: [channels, 1], factors }
    } else {
        Left::Pixels { window, batch: input[0], pixel_stride: channels }
    };
    Some(build(problems, left, right, epilogue, reads, result, cx.isa, cx.threads.count()))
}

/// How the filter moves over the image.
pub(crate) fn window(op: &Conv2d, input: &[usize], filter: &[usize], output: &[usize]) -> Window {
    let (_, _, kh, kw) = op.filter_layout.axes();
    Window {
        input: [input[1], input[2]],
        output: [output[1], output[2]],
        kernel: [filter[kh], filter[kw]],
        strides: op.strides.map(|stride| stride as usize),
        dilations: op.dilations.map(|dilation| dilation as usize),
        padding: [op.padding[0] as usize, op.padding[2] as usize],
    }
}

/// Multiplications and additions that are worth waking a thread for.
const LEAST_FLOPS: usize = 100_000;

/// A convolution in which every channel has a filter of its own.
struct Depthwise {
    filter: PackedTaps,
    window: Window,
    epilogue: Epilogue,
    /// The columns of the matrix that the result lies in, and the first that is the result's.
    inside: [usize; 2],
    /// Rows of pixels of all images, an equal share for each part.
    cells: Cells,
    parts: usize,
    packed_bytes: usize,
    isa: webnn_kernels::Isa,
}

fn lower_depthwise(
    cx: &Cx<'_>,
    after: &[NodeId],
    window: Window,
    data: &[f32],
    strides: [usize; 3],
) -> Option<Built> {
    let output = sizes(&cx.output(0));
    let channels = output[3];
    let mut reads = vec![cx.id(0)];
    let (mut epilogue, result) = EpilogueBuilder::new(*cx, &mut reads).convolution(after)?;
    let bias = match std::mem::replace(&mut epilogue.bias, Bias::None) {
        Bias::None => None,
        Bias::Columns(values) => Some(values),
        Bias::ReadColumns(_) | Bias::ReadRows(_) => return None,
    };
    let [height, width] = window.kernel;
    let shape = [height, width, channels];
    let filter = PackedTaps::new(cx.isa, data, shape, strides, bias.as_deref());
    let rows = output[0] * output[1];
    let flops = 2 * rows * output[2] * channels * window.taps();
    let parts = (flops / LEAST_FLOPS).clamp(1, cx.threads.count()).min(rows.max(1));
    let cuts = (0..=parts).map(|part| part * rows / parts * output[2]).collect();
    let kernel = Depthwise {
        filter,
        window,
        epilogue,
        inside: [channels, 0],
        cells: Cells::new(cuts, vec![0, channels]),
        parts,
        packed_bytes: (data.len() + channels) * size_of::<f32>(),
        isa: cx.isa,
    };
    Some(Built { kernel: Box::new(kernel), reads, writes: vec![result] })
}

impl Kernel for Depthwise {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        self.parts * self.epilogue.scratch_bytes()
    }

    fn packed_bytes(&self) -> usize {
        self.packed_bytes
    }

    fn write_inside(&mut self, columns: usize, first: usize) -> bool {
        self.inside = [columns, first];
        true
    }

    fn by_rows(&self) -> Option<&dyn ByRows> {
        Some(self)
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let scratch = as_floats(io.scratch());
        let output = io.write::<f32>(0);
        let io = &*io;
        let channels = self.filter.channels();
        let images = Strip::whole(io.read(0));
        let [stride, first] = self.inside;
        let pixels = output.len() / stride;
        let matrix = MatrixMut::new(&mut output[first..], [pixels, channels], stride);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        let scratches =
            Pieces::new(scratch, self.epilogue.scratch_bytes() / size_of::<f32>(), self.parts);
        threads.run(self.parts, &|part| {
            let (_, scratch) = scratches.take(part);
            let scratch = Mutex::new(scratch);
            for cell in cells.take(part) {
                self.pixels(cell.rows, images, cell.matrix, io, &scratch);
            }
        });
    }
}

impl Depthwise {
    /// Computes whole rows of pixels.
    fn pixels(
        &self,
        pixels: Range<usize>,
        operand: Strip<'_>,
        result: MatrixMut<'_, f32>,
        io: &Io<'_>,
        scratch: &Mutex<&mut [f32]>,
    ) {
        let [input_width, width] = [self.window.input[1], self.window.output[1]];
        let images = Images {
            data: operand.data,
            pixel_stride: self.filter.channels(),
            first_row: operand.first / input_width.max(1),
            held_rows: operand.held / input_width.max(1),
        };
        let post = |rows: Range<usize>, columns: Range<usize>, block: &mut MatrixMut<'_, f32>| {
            let mut scratch = scratch.lock().unwrap_or_else(|error| error.into_inner());
            self.epilogue.finish(self.isa, rows, columns, block, io, &mut scratch);
        };
        let post: Option<&Post<'_>> = if self.epilogue.has_post() { Some(&post) } else { None };
        let rows = pixels.start / width..pixels.end / width;
        depthwise(images, &self.filter, &self.window, rows, result, self.epilogue.clamp, post);
    }
}

impl ByRows for Depthwise {
    fn takes(&self, pixels: Range<usize>) -> Option<Range<usize>> {
        let [input_width, width] = [self.window.input[1], self.window.output[1]];
        let rows = self.window.taken(pixels.start / width..pixels.end / width);
        Some(rows.start * input_width..rows.end * input_width)
    }

    fn columns(&self) -> usize {
        self.filter.channels()
    }

    fn inside(&self) -> [usize; 2] {
        self.inside
    }

    fn part_bytes(&self, _rows: usize) -> usize {
        Scratch::bytes_for::<u8>(self.epilogue.scratch_bytes())
    }

    fn compute(
        &self,
        rows: Range<usize>,
        operand: Strip<'_>,
        result: MatrixMut<'_, f32>,
        io: &Io<'_>,
        scratch: &mut [u8],
    ) {
        let floats = self.epilogue.scratch_bytes() / size_of::<f32>();
        let scratch = Mutex::new(Scratch::new(scratch).take(floats));
        self.pixels(rows, operand, result, io, &scratch);
    }
}
