//! Products and convolutions of bytes.

use std::ops::Range;

use webnn_core::ops::Conv2d;
use webnn_core::ops::conv2d::InputLayout;
use webnn_core::{DataType, Desc, Op};
use webnn_kernels::Isa;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::bytes::Scale;
use webnn_kernels::gemm::int8::{
    self, Byte, Finish, Output, PackedB, Requantize, Tile, gemm, scratch_bytes, scratch_bytes_for,
    widen,
};
use webnn_kernels::gemm::{Block, Depth, Matrix, MatrixMut, Pixels, Rows, Window};

use super::{Made, Parameters, Source, depthwise, dequantized};
use crate::blocks::{Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::conv2d::window;
use crate::ops::matrix::FilterView;
use crate::threads::{Pieces, Threads};

/// Multiplications and additions that are worth waking a thread for.
const LEAST_FLOPS: usize = 1_000_000;

/// Fewer elements are widened by one thread.
const LEAST_WIDENED: usize = 1 << 16;

/// The elements of a constant of bytes.
pub(super) enum Elements<'a> {
    I8(Vec<i8>),
    U8(&'a [u8]),
}

/// The right operand: constants, packed as a matrix whose columns are the result's.
pub(super) struct Weights<'a> {
    pub(super) elements: Elements<'a>,
    pub(super) desc: Desc,
    pub(super) parameters: Parameters,
}

impl<'a> Weights<'a> {
    fn of(cx: &Cx<'a>) -> Option<Weights<'a>> {
        let node = dequantized(cx, cx.opt(1)?)?;
        let value = node.inputs[0]?;
        let (bytes, desc) = (cx.graph.constant(value)?, cx.graph.desc(value));
        let elements = match desc.data_type {
            DataType::Int8 => Elements::I8(bytes.iter().map(|byte| byte.cast_signed()).collect()),
            DataType::Uint8 => Elements::U8(bytes),
            _wider_or_narrower => return None,
        };
        Some(Weights { elements, desc, parameters: Parameters::of(cx, node)? })
    }

    /// Packs those of some columns for the machine's tile.
    fn pack(&self, cx: &Cx<'_>, view: FilterView, columns: Range<usize>, depth: Depth) -> PackedB {
        let tile = Tile::of(cx.isa, depth.elements());
        let zeros = &self.parameters.zeros;
        let zeros = if zeros.len() == 1 { zeros } else { &zeros[columns] };
        match &self.elements {
            Elements::I8(data) => PackedB::new(tile, view.of(data), depth, zeros),
            Elements::U8(data) => PackedB::new(tile, view.of(data), depth, zeros),
        }
    }
}

/// What is added to the sums of each column and what they are multiplied by.
pub(super) struct Terms {
    pub(super) bias: Vec<i32>,
    pub(super) scales: Vec<f32>,
}

impl Terms {
    /// Those of a root whose weights' scales lie along `axis`.
    fn of(
        cx: &Cx<'_>,
        made: &Made,
        input: Scale,
        parameters: &Parameters,
        axis: usize,
        columns: usize,
    ) -> Option<Terms> {
        if parameters.axis.is_some_and(|other| other != axis) {
            return None;
        }
        // Products and quotients are rounded as in ONNX Runtime, for the same bits.
        let scale = |j: usize| input.scale * parameters.scale(j) / made.to.scale.scale;
        let scales = (0..columns).map(scale).collect();
        let Some(bias) = cx.opt(2) else { return Some(Terms { bias: Vec::new(), scales }) };
        let given = cx.floats(bias)?;
        if given.len() != columns {
            return None;
        }
        let whole = |j: usize| {
            let unit = f64::from(input.scale) * f64::from(parameters.scale(j));
            (f64::from(given[j]) / unit).round_ties_even() as i32
        };
        Some(Terms { bias: (0..columns).map(whole).collect(), scales })
    }
}

/// The rows and columns of a result whose last dimension is the columns'.
fn rows_and_columns(cx: &Cx<'_>) -> [usize; 2] {
    let shape = sizes(&cx.graph.desc(cx.node.outputs[0]));
    let columns = shape[shape.len() - 1];
    [shape[..shape.len() - 1].iter().product(), columns]
}

/// The kernel for a matmul or gemm.
pub(super) fn lower(cx: &Cx<'_>, made: &Made) -> Option<Built> {
    let (input, weights) = (Source::of(cx, 0)?, Weights::of(cx)?);
    let [rows, columns] = rows_and_columns(cx);
    if weights.desc.rank() != 2 {
        return None;
    }
    let [down, across] = [weights.desc.shape[0], weights.desc.shape[1]].map(|n| n as usize);
    let (k, strides, axis) = match &cx.node.op {
        Op::Gemm(op) if op.alpha != 1.0 || op.beta != 1.0 || op.a_transpose => return None,
        Op::Gemm(op) if op.b_transpose => (across, [1, across], 0),
        _as_it_lies => (down, [across, 1], 1),
    };
    let terms = Terms::of(cx, made, input.scale, &weights.parameters, axis, columns)?;
    let view = FilterView::matrix(0, [k, columns], strides);
    let right = vec![weights.pack(cx, view, 0..columns, Depth::matrix(k))];
    build(cx, made, &input, Left::Matrix, right, [rows, columns, k], terms)
}

/// The kernel for a convolution of channels-last images.
pub(super) fn lower_convolution(op: &Conv2d, cx: &Cx<'_>, made: &Made) -> Option<Built> {
    if op.input_layout == InputLayout::Nchw {
        return None;
    }
    let (source, weights) = (Source::of(cx, 0)?, Weights::of(cx)?);
    let [rows, columns] = rows_and_columns(cx);
    let (input, shape, output) = (sizes(&cx.input(0)), sizes(&cx.input(1)), sizes(&cx.output(0)));
    let window = window(op, &input, &shape, &output);
    let (o, i, kh, kw) = op.filter_layout.axes();
    let terms = Terms::of(cx, made, source.scale, &weights.parameters, o, columns)?;
    let filter_strides = cx.input(1).shape.strides();
    let strides = [kh, kw, i, o].map(|axis| filter_strides[axis]);
    let groups = op.groups as usize;
    if groups > 1 && groups == input[3] && shape[o] == groups {
        let strides = [strides[0], strides[1], strides[3]];
        let filter = depthwise::Filter { weights, window, strides };
        return Some(depthwise::lower(cx, made, &source, filter, &terms));
    }
    let is_pointwise = window.kernel == [1, 1]
        && window.strides == [1, 1]
        && window.padding == [0, 0]
        && window.input == window.output;
    let (left, depth) = if is_pointwise {
        (Left::Matrix, Depth::matrix(shape[i]))
    } else {
        let depth = Depth::window(&window, shape[i], input[3]);
        (Left::Pixels { window, batch: input[0] }, depth)
    };
    let across = shape[o] / groups;
    let right = (0..groups).map(|group| {
        let offset = group * across * strides[3];
        let view = FilterView { offset, shape: [shape[kh], shape[kw], shape[i], across], strides };
        weights.pack(cx, view, group * across..(group + 1) * across, depth)
    });
    let k = shape[kh] * shape[kw] * shape[i];
    build(cx, made, &source, left, right.collect(), [rows, across, k], terms)
}

/// The kernel for a product, or for the groups of one: as many as there are right operands. Sizes are
/// those of one group.
fn build(
    cx: &Cx<'_>,
    made: &Made,
    input: &Source,
    left: Left,
    right: Vec<PackedB>,
    sizes: [usize; 3],
    terms: Terms,
) -> Option<Built> {
    let ([rows, columns, depth], groups) = (sizes, right.len());
    let parts = (2 * rows * columns * depth * groups / LEAST_FLOPS).clamp(1, cx.threads.count());
    let grid = int8::partition(right[0].tile(), [rows, columns, depth], parts.div_ceil(groups));
    let blocks = || (0..grid.len()).map(|i| grid.block(i));
    let down = blocks().step_by(grid.across).map(|block| block.rows.start);
    let inside: Vec<usize> = blocks().take(grid.across).map(|b| b.columns.start).collect();
    let across = (0..groups).flat_map(|group| inside.iter().map(move |at| group * columns + at));
    let all = groups * columns;
    let cells = Cells::new(down.chain([rows]).collect(), across.chain([all]).collect());
    let elements = cx.input(0).shape.elements();
    let product = Product {
        isa: cx.isa,
        widened: if widens(&left, &right) { elements as usize } else { 0 },
        left,
        right,
        sizes,
        input: input.scale,
        terms,
        output_zero: made.to.scale.zero_point,
        clamp: made.to.clamp,
        inside: [all, 0],
        across: grid.across,
        parts: parts.min(cells.len()),
        cells,
    };
    Some(Built { kernel: Box::new(product), reads: vec![input.value], writes: vec![made.value] })
}

/// How the left operand is seen.
enum Left {
    Matrix,
    Pixels { window: Window, batch: usize },
}

/// Whether elements are better widened before, as each is taken several times.
fn widens(left: &Left, right: &[PackedB]) -> bool {
    match left {
        Left::Matrix => false,
        Left::Pixels { window, .. } => {
            let apart = window.strides[0] * window.strides[1];
            right[0].tile().is_wide() && window.taps() > apart
        }
    }
}

struct Product {
    isa: Isa,
    /// The elements of the input, where they are widened.
    widened: usize,
    left: Left,
    /// One for each group of the columns.
    right: Vec<PackedB>,
    /// Rows, columns and depth of a group.
    sizes: [usize; 3],
    input: Scale,
    terms: Terms,
    output_zero: i32,
    clamp: [i32; 2],
    /// The columns of the matrix that the result lies in, and the first that is the result's.
    inside: [usize; 2],
    cells: Cells,
    /// How many columns of cells a group has.
    across: usize,
    parts: usize,
}

impl Product {
    fn part_bytes(&self) -> usize {
        let bytes = |right| match self.widened {
            0 => scratch_bytes(right, self.cells.tallest()),
            _some => scratch_bytes_for::<i16>(right, self.cells.tallest()),
        };
        self.right.iter().map(bytes).max().unwrap_or(0).next_multiple_of(64)
    }

    /// Computes the result from bytes of type `T`, in which `pad` stands for zero.
    fn of_bytes<T: Byte + Send + Sync>(&self, io: &mut Io<'_>, pad: T, threads: &Threads) {
        let mut scratch = Scratch::new(io.scratch());
        let parts = scratch.take::<u8>(self.parts * self.part_bytes());
        let widened = scratch.take::<i16>(self.widened);
        let (output, input) = (io.write::<u8>(0), io.read::<T>(0));
        if self.widened == 0 {
            return self.compute(input, pad, self.input.zero_point, output, parts, threads);
        }
        threads.rows(widened, 1, LEAST_WIDENED, |range, to| {
            widen(self.isa, &input[range], self.input.zero_point, to);
        });
        self.compute(widened, 0, 0, output, parts, threads);
    }

    /// Computes the result from elements in which `pad` stands for zero.
    fn compute<T: Byte + Send + Sync>(
        &self,
        input: &[T],
        pad: T,
        zero_point: i32,
        output: &mut [u8],
        scratch: &mut [u8],
        threads: &Threads,
    ) {
        let ([rows, columns, k], groups) = (self.sizes, self.right.len());
        let scratch = Pieces::new(scratch, self.part_bytes(), self.parts);
        let left = |group: usize| match &self.left {
            Left::Matrix => {
                Rows::Matrix(Matrix::new(&input[group * k..], [rows, k], [groups * k, 1]))
            }
            Left::Pixels { window, batch } => {
                let channels = k / window.taps();
                let data = &input[group * channels..];
                Rows::Pixels(Pixels::new(data, window, *batch, channels, groups * channels, pad))
            }
        };
        let [stride, first] = self.inside;
        let matrix = MatrixMut::new(&mut output[first..], [rows, groups * columns], stride);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        threads.run(self.parts, &|part| {
            let (_, scratch) = scratch.take(part);
            for cell in cells.take(part) {
                let group = cell.across / self.across;
                let start = group * columns;
                let Terms { bias, scales } = &self.terms;
                let to = Requantize {
                    scales: &scales[start..start + columns],
                    zero_point: self.output_zero,
                    clamp: self.clamp,
                };
                let bias = if bias.is_empty() { &[] } else { &bias[start..start + columns] };
                let finish = Finish { bias, output: Output::Bytes(cell.matrix, to) };
                let inside = cell.columns.start - start..cell.columns.end - start;
                let block = Block { rows: cell.rows, columns: inside };
                let (left, right) = (left(group), &self.right[group]);
                gemm(&left, zero_point, right, &block, finish, scratch);
            }
        });
    }
}

impl Kernel for Product {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        Scratch::bytes_for::<u8>(self.parts * self.part_bytes())
            + Scratch::bytes_for::<i16>(self.widened)
    }

    fn packed_bytes(&self) -> usize {
        let [_, columns, depth] = self.sizes;
        self.right.len() * columns * depth
    }

    fn write_inside(&mut self, columns: usize, first: usize) -> bool {
        self.inside = [columns, first];
        true
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        // A zero point is of the operand's type.
        if self.input.is_signed {
            self.of_bytes(io, self.input.zero_point as i8, threads);
        } else {
            self.of_bytes(io, self.input.zero_point as u8, threads);
        }
    }
}
