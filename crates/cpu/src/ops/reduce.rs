//! Reductions over any dimensions.

use std::marker::PhantomData;
use std::ops::Range;

use webnn_core::DataType;
use webnn_core::ops::Reduce;
use webnn_core::ops::reduce::ReduceKind;
use webnn_kernels::Isa;
use webnn_kernels::buffer::{Plain, Scratch};
use webnn_kernels::integer::Integer;
use webnn_kernels::reduce::{
    FloatReduction, IntegerReduction, Reduction, reduce_floats, reduce_integers,
};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer operand elements are folded by one thread.
const LEAST: usize = 1 << 14;

/// What blocks are folded to is folded once more: of fewer pixels that is too much.
const LEAST_PIXELS: usize = 8;

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
    if cx.input(0).data_type == DataType::Float32
        && let Some(images) = images(&shape, axes)
        && let Some(built) = lower_images(floats(op.kind), images, cx)
    {
        return built;
    }
    match cx.input(0).data_type {
        DataType::Float32 => {
            let kind = floats(op.kind);
            Built::new(Floats { kind, reduction, isa: cx.isa }, cx, &[0])
        }
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

fn floats(kind: ReduceKind) -> FloatReduction {
    match kind {
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
    }
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

/// The sizes of a tensor of images: how many, their height, width and channels.
pub(crate) type Images = [usize; 4];

/// The images that a reduction along some axes folds each into one pixel, if they are such.
fn images(shape: &[usize], mut axes: Vec<usize>) -> Option<Images> {
    axes.sort_unstable();
    let (&first, &last) = (axes.first()?, axes.last()?);
    let product = |range: Range<usize>| shape[range].iter().product::<usize>();
    let images = [product(0..first), shape[first], product(first + 1..last + 1)];
    let [count, height, width] = images;
    (last - first + 1 == axes.len()).then(|| [count, height, width, product(last + 1..shape.len())])
}

/// Whole channels-last images, of each of which one pixel is made.
///
/// Every image is cut into blocks of rows, and a thread folds blocks that lie one after the other:
/// those that it wrote, most likely, as convolutions share out rows in the same way. Where the
/// blocks end is known from the shape alone, and so are the results' bits.
struct Blocks {
    kind: FloatReduction,
    /// How blocks are reduced, and what they give.
    by_parts: [FloatReduction; 2],
    images: Images,
    /// How many an image is cut into.
    count: usize,
    /// The reductions of a block of the least rows and of one more, and of what blocks give.
    low: Reduction,
    high: Reduction,
    joint: Reduction,
    isa: Isa,
}

/// The kernel that folds large images; `None` for others.
pub(crate) fn lower_images(kind: FloatReduction, images: Images, cx: &Cx<'_>) -> Option<Built> {
    let (count, by_parts) = (blocks(images)?, kind.by_parts()?);
    let [_, height, width, channels] = images;
    let down = |rows: usize| Reduction::new(&[rows, channels], &[0]);
    let (low, high) = (down(height / count * width), down((height / count + 1) * width));
    let joint = down(count);
    let blocks = Blocks { kind, by_parts, images, count, low, high, joint, isa: cx.isa };
    Some(Built::new(blocks, cx, &[0]))
}

/// How many blocks images are cut into, if they are at all.
fn blocks([_, height, width, channels]: Images) -> Option<usize> {
    let pixels = height * width;
    let most = (pixels * channels / LEAST).min(pixels / LEAST_PIXELS).min(height);
    // A power of two is cut where the rows of two, four or eight threads are.
    let count = 1 << most.max(1).ilog2();
    // Elements of a single channel are neighbours, which a reduction folds vector by vector.
    (count > 1 && channels > 1).then_some(count)
}

impl Blocks {
    /// The pixels of a block, counted over all images.
    fn pixels(&self, block: usize) -> Range<usize> {
        let [_, height, width, _] = self.images;
        let (image, block) = (block / self.count, block % self.count);
        // Where the rows of convolutions are cut, too. The product may have more than 32 bits.
        let cut = |block: usize| (block as u64 * height as u64 / self.count as u64) as usize;
        let row = |block: usize| image * height + cut(block);
        row(block) * width..row(block + 1) * width
    }
}

impl Kernel for Blocks {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        let [images, .., channels] = self.images;
        Scratch::bytes_for::<f32>(images * self.count * channels)
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let [images, height, width, channels] = self.images;
        let (pixels, blocks) = (height * width, images * self.count);
        let parts = Scratch::new(io.scratch()).take::<f32>(blocks * channels);
        let (x, out) = (io.read::<f32>(0), io.write::<f32>(0));
        threads.rows(parts, channels, 1, |blocks, parts| {
            for (block, part) in blocks.zip(parts.chunks_exact_mut(channels)) {
                let pixels = self.pixels(block);
                let is_low = pixels.len() == self.low.count();
                let down = if is_low { &self.low } else { &self.high };
                let x = &x[pixels.start * channels..];
                reduce_floats(self.isa, self.by_parts[0], down, x, 0..channels, part);
            }
        });
        let image = self.count * channels;
        threads.rows(out, channels, LEAST.div_ceil(image), |images, out| {
            let parts = parts[images.start * image..].chunks_exact(image);
            for (parts, out) in parts.zip(out.chunks_exact_mut(channels)) {
                reduce_floats(self.isa, self.by_parts[1], &self.joint, parts, 0..channels, out);
                out.iter_mut().for_each(|x| *x = self.kind.finish(*x, pixels));
            }
        });
    }
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
