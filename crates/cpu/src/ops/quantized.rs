//! Products and convolutions between quantizations, computed with integers.

use webnn_core::ops::Conv2d;
use webnn_core::ops::conv2d::InputLayout;
use webnn_core::{DataType, Node, NodeId, Op, ValueId};
use webnn_kernels::buffer::Plain;
use webnn_kernels::depthwise::int8 as depthwise;
use webnn_kernels::gemm::int8::{
    self, Byte, Finish, Output, PackedB, Requantize, Tile, gemm, scratch_bytes,
};
use webnn_kernels::gemm::{Block, Depth, Matrix, MatrixMut, Pixels, Rows, Window};

use crate::blocks::{Cell, Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, floats, sizes};
use crate::ops::chain::clamp_bounds;
use crate::ops::conv2d::window;
use crate::ops::matrix::FilterView;
use crate::threads::{Pieces, Threads};

/// Multiplications and additions that are worth waking a thread for.
const LEAST_FLOPS: usize = 1_000_000;

/// Scales and zero points of a tensor: one, or one for each place along an axis.
struct Parameters {
    scales: Vec<f32>,
    zeros: Vec<i32>,
    /// The dimension that they lie along, where there are several.
    axis: Option<usize>,
}

/// How the left operand is seen.
enum Left {
    Matrix,
    Pixels { window: Window, batch: usize },
    Depthwise { window: Window },
}

enum Right {
    Packed(PackedB),
    Taps(depthwise::PackedBytes),
}

struct Product<T> {
    left: Left,
    right: Right,
    /// Rows, columns and depth.
    sizes: [usize; 3],
    zero_point: i32,
    pad: T,
    bias: Vec<i32>,
    scales: Vec<f32>,
    output_zero: i32,
    clamp: [i32; 2],
    is_signed: bool,
    /// The columns of the matrix that the result lies in, and the first that is the result's.
    inside: [usize; 2],
    cells: Cells,
    parts: usize,
}

/// The kernel for a group of which `cx` has the root; `None` where its nodes are computed with
/// floats.
#[inline(never)]
pub(crate) fn lower(cx: &Cx<'_>, nodes: &[NodeId]) -> Option<Built> {
    let quantize = cx.graph.node(*nodes.last()?);
    let input = dequantized(cx, cx.node.inputs[0]?)?;
    match cx.graph.desc(input.inputs[0]?).data_type {
        DataType::Uint8 => build::<u8>(cx, nodes, input, quantize),
        DataType::Int8 => build::<i8>(cx, nodes, input, quantize),
        _wider_or_narrower => None,
    }
}

fn dequantized<'a>(cx: &Cx<'a>, value: ValueId) -> Option<&'a Node> {
    let node = cx.graph.node(cx.graph.producer(value)?);
    matches!(node.op, Op::DequantizeLinear(_)).then_some(node)
}

/// The bytes of a constant as numbers.
fn integers(cx: &Cx<'_>, value: ValueId) -> Option<Vec<i32>> {
    let bytes = cx.graph.constant(value)?;
    match cx.graph.desc(value).data_type {
        DataType::Uint8 => Some(bytes.iter().map(|&x| i32::from(x)).collect()),
        DataType::Int8 => Some(bytes.iter().map(|&x| i32::from(x as i8)).collect()),
        _wider_or_narrower => None,
    }
}

impl Parameters {
    /// Those of a quantization or dequantization.
    fn of(cx: &Cx<'_>, node: &Node) -> Option<Parameters> {
        let [scale, zero] = [node.inputs[1]?, node.inputs[2]?];
        let desc = cx.graph.desc(scale);
        let scales = floats(cx.graph.constant(scale)?, desc.data_type)?;
        let zeros = integers(cx, zero)?;
        let mut long = (0..desc.rank()).filter(|&axis| desc.shape[axis] > 1);
        let axis = long.next();
        (long.next().is_none()).then_some(Parameters { scales, zeros, axis })
    }

    /// The one scale and zero point.
    fn single(&self) -> Option<(f32, i32)> {
        self.axis.is_none().then(|| (self.scales[0], self.zeros[0]))
    }
}

/// The elements of a constant of bytes.
enum Weights<'a> {
    I8(Vec<i8>),
    U8(&'a [u8]),
}

impl<'a> Weights<'a> {
    fn of(bytes: &'a [u8], data_type: DataType) -> Option<Weights<'a>> {
        match data_type {
            DataType::Int8 => {
                Some(Weights::I8(bytes.iter().map(|&byte| byte.cast_signed()).collect()))
            }
            DataType::Uint8 => Some(Weights::U8(bytes)),
            _wider_or_narrower => None,
        }
    }

    /// Packs them for the machine's tile.
    fn pack(
        &self,
        cx: &Cx<'_>,
        view: FilterView,
        depth: Depth,
        parameters: &Parameters,
    ) -> PackedB {
        let (tile, zeros) = (Tile::of(cx.isa), &parameters.zeros);
        match self {
            Weights::I8(data) => PackedB::new(tile, view.of(data), depth, zeros),
            Weights::U8(data) => PackedB::new(tile, view.of(data), depth, zeros),
        }
    }
}

fn build<T>(cx: &Cx<'_>, nodes: &[NodeId], input: &Node, quantize: &Node) -> Option<Built>
where
    T: Byte + Plain + TryFrom<i32> + Send + Sync,
{
    let (input_scale, zero_point) = Parameters::of(cx, input)?.single()?;
    let (output_scale, output_zero) = Parameters::of(cx, quantize)?.single()?;
    let weights = dequantized(cx, cx.opt(1)?)?;
    let parameters = Parameters::of(cx, weights)?;
    let filter_desc = cx.graph.desc(weights.inputs[0]?);
    let filter = Weights::of(cx.graph.constant(weights.inputs[0]?)?, filter_desc.data_type)?;
    let shape = sizes(&cx.graph.desc(cx.node.outputs[0]));
    let columns = shape[shape.len() - 1];
    let rows = shape[..shape.len() - 1].iter().product::<usize>();
    let (left, right, depth, channel_axis) = match &cx.node.op {
        Op::Conv2d(op) => {
            let (left, right) = convolution(op, cx, &filter, &parameters)?;
            let (o, ..) = op.filter_layout.axes();
            let depth = filter_desc.elements() / columns;
            (left, right, depth, o)
        }
        Op::Matmul(_) if filter_desc.rank() == 2 => {
            let k = filter_desc.shape[0] as usize;
            let view = FilterView::matrix(0, [k, columns], [columns, 1]);
            let right = filter.pack(cx, view, Depth::matrix(k), &parameters);
            (Left::Matrix, Right::Packed(right), k, 1)
        }
        Op::Gemm(op) if op.alpha == 1.0 && op.beta == 1.0 && !op.a_transpose => {
            let [down, across] = [filter_desc.shape[0], filter_desc.shape[1]].map(|n| n as usize);
            let (k, strides, axis) =
                if op.b_transpose { (across, [1, across], 0) } else { (down, [across, 1], 1) };
            let view = FilterView::matrix(0, [k, columns], strides);
            let right = filter.pack(cx, view, Depth::matrix(k), &parameters);
            (Left::Matrix, Right::Packed(right), k, axis)
        }
        _no_product => return None,
    };
    if parameters.axis.is_some_and(|axis| axis != channel_axis) {
        return None;
    }
    let weight_scale = |j: usize| parameters.scales[if parameters.axis.is_some() { j } else { 0 }];
    let bias = match cx.opt(2) {
        None => Vec::new(),
        Some(bias) => {
            let given = cx.floats(bias)?;
            if given.len() != columns {
                return None;
            }
            let whole = |j: usize| {
                let unit = f64::from(input_scale) * f64::from(weight_scale(j));
                (f64::from(given[j]) / unit).round_ties_even() as i32
            };
            (0..columns).map(whole).collect()
        }
    };
    let output = cx.graph.desc(quantize.outputs[0]);
    let is_signed = match output.data_type {
        DataType::Int8 => true,
        DataType::Uint8 => false,
        _wider_or_narrower => return None,
    };
    let mut clamp = if is_signed { [-128, 127] } else { [0, 255] };
    // What lies between the root and the quantization only bounds.
    for &id in nodes.iter().filter(|&&id| id > cx.node_id && id != nodes[nodes.len() - 1]) {
        let bounds = match &cx.graph.node(id).op {
            Op::Unary(webnn_core::ops::Unary::Relu) => [0.0, f32::INFINITY],
            Op::Clamp(op) => clamp_bounds(op, DataType::Float32),
            _no_bounds => return None,
        };
        let bounds = bounds.map(|bound| {
            let steps = (f64::from(bound) / f64::from(output_scale)).round_ties_even();
            (steps as i32).saturating_add(output_zero)
        });
        clamp = clamp.map(|limit| limit.max(bounds[0]).min(bounds[1]));
    }
    let scales = |j: usize| {
        let unit = f64::from(input_scale) * f64::from(weight_scale(j));
        (unit / f64::from(output_scale)) as f32
    };
    let flops = 2 * rows * columns * depth;
    let parts = (flops / LEAST_FLOPS).clamp(1, cx.threads.count());
    let cells = match &left {
        Left::Depthwise { window } => {
            let lines = rows / window.output[1];
            let cuts = (0..=parts).map(|part| part * lines / parts * window.output[1]).collect();
            Cells::new(cuts, vec![0, columns])
        }
        Left::Matrix | Left::Pixels { .. } => {
            let grid = int8::partition(Tile::of(cx.isa), [rows, columns], parts);
            let blocks = || (0..grid.len()).map(|i| grid.block(i));
            let down = blocks().step_by(grid.across).map(|block| block.rows.start);
            let across = blocks().take(grid.across).map(|block| block.columns.start);
            Cells::new(down.chain([rows]).collect(), across.chain([columns]).collect())
        }
    };
    let kernel = Product {
        left,
        right,
        sizes: [rows, columns, depth],
        zero_point,
        pad: T::try_from(zero_point).ok()?,
        bias,
        scales: (0..columns).map(scales).collect(),
        output_zero,
        clamp,
        is_signed,
        inside: [columns, 0],
        parts: parts.min(cells.len()),
        cells,
    };
    let reads = vec![input.inputs[0]?];
    Some(Built { kernel: Box::new(kernel), reads, writes: vec![quantize.outputs[0]] })
}

fn convolution(
    op: &Conv2d,
    cx: &Cx<'_>,
    filter: &Weights<'_>,
    parameters: &Parameters,
) -> Option<(Left, Right)> {
    if op.input_layout == InputLayout::Nchw {
        return None;
    }
    let (input, shape, output) = (sizes(&cx.input(0)), sizes(&cx.input(1)), sizes(&cx.output(0)));
    let window = window(op, &input, &shape, &output);
    let (o, i, kh, kw) = op.filter_layout.axes();
    let filter_strides = cx.input(1).shape.strides();
    let strides = [kh, kw, i, o].map(|axis| filter_strides[axis]);
    let groups = op.groups as usize;
    if groups == 1 {
        let view =
            FilterView { offset: 0, shape: [shape[kh], shape[kw], shape[i], shape[o]], strides };
        let is_pointwise = window.kernel == [1, 1]
            && window.strides == [1, 1]
            && window.padding == [0, 0]
            && window.input == window.output;
        let (left, depth) = if is_pointwise {
            (Left::Matrix, Depth::matrix(shape[i]))
        } else {
            let depth = Depth::window(&window, input[3], input[3]);
            (Left::Pixels { window, batch: input[0] }, depth)
        };
        return Some((left, Right::Packed(filter.pack(cx, view, depth, parameters))));
    }
    if groups != input[3] || shape[o] != groups || window.taps() > depthwise::MAX_TAPS {
        return None;
    }
    let dims = [shape[kh], shape[kw], groups];
    let strides = [strides[0], strides[1], strides[3]];
    let zeros = &parameters.zeros;
    let taps = match filter {
        Weights::I8(data) => depthwise::PackedBytes::new(cx.isa, data, dims, strides, zeros),
        Weights::U8(data) => depthwise::PackedBytes::new(cx.isa, data, dims, strides, zeros),
    };
    Some((Left::Depthwise { window }, Right::Taps(taps)))
}

impl<T: Byte + Plain + Send + Sync> Product<T> {
    fn part_bytes(&self) -> usize {
        let bytes = match (&self.right, &self.left) {
            (Right::Taps(taps), Left::Depthwise { window }) => {
                depthwise::scratch_bytes(taps, window)
            }
            (Right::Packed(b), _) => scratch_bytes(b, self.cells.tallest()),
            (Right::Taps(_), Left::Matrix | Left::Pixels { .. }) => 0,
        };
        bytes.next_multiple_of(64)
    }

    fn requantize(&self) -> Requantize<'_> {
        Requantize { scales: &self.scales, zero_point: self.output_zero, clamp: self.clamp }
    }

    fn share<'a, U: Plain + Send + Sync>(
        &'a self,
        input: &[T],
        output: &'a mut [U],
        scratch: &mut [u8],
        threads: &Threads,
        target: impl Fn(MatrixMut<'a, U>, Requantize<'a>) -> Output<'a> + Sync,
    ) {
        let [rows, columns, _] = self.sizes;
        let scratch = Pieces::new(scratch, self.part_bytes(), self.parts);
        let [stride, first] = self.inside;
        let matrix = MatrixMut::new(&mut output[first..], [rows, columns], stride);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        threads.run(self.parts, &|part| {
            let (_, scratch) = scratch.take(part);
            for Cell { rows, columns, matrix, .. } in cells.take(part) {
                let output = target(matrix, self.requantize());
                let finish = Finish { bias: &self.bias, output };
                self.block(input, Block { rows, columns }, finish, scratch);
            }
        });
    }

    fn block(&self, input: &[T], block: Block, finish: Finish<'_>, scratch: &mut [u8]) {
        let [m, _, k] = self.sizes;
        match (&self.left, &self.right) {
            (Left::Matrix, Right::Packed(b)) => {
                let a = Rows::Matrix(Matrix::row_major(input, [m, k]));
                gemm(&a, self.zero_point, b, &block, finish, scratch);
            }
            (Left::Pixels { window, batch }, Right::Packed(b)) => {
                let channels = k / window.taps();
                let pixels = Pixels::new(input, window, *batch, channels, channels, self.pad);
                gemm(&Rows::Pixels(pixels), self.zero_point, b, &block, finish, scratch);
            }
            (Left::Depthwise { window }, Right::Taps(taps)) => {
                let images = depthwise::ByteImages {
                    data: input,
                    pixel_stride: taps.channels(),
                    zero_point: self.zero_point,
                };
                let width = window.output[1];
                let rows = block.rows.start / width..block.rows.end / width;
                depthwise::depthwise(images, taps, window, rows, finish, scratch);
            }
            (Left::Depthwise { .. }, Right::Packed(_)) | (_, Right::Taps(_)) => {
                unreachable!("taps are for depthwise convolutions, and for those alone")
            }
        }
    }
}

impl<T: Byte + Plain + Send + Sync> Kernel for Product<T> {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        self.parts * self.part_bytes() + 64
    }

    fn packed_bytes(&self) -> usize {
        let [_, columns, depth] = self.sizes;
        columns * depth
    }

    fn write_inside(&mut self, columns: usize, first: usize) -> bool {
        self.inside = [columns, first];
        true
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let scratch = io.scratch();
        if self.is_signed {
            let output = io.write::<i8>(0);
            self.share(io.read(0), output, scratch, threads, Output::I8);
        } else {
            let output = io.write::<u8>(0);
            self.share(io.read(0), output, scratch, threads, Output::U8);
        }
    }
}
