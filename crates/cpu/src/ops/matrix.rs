//! Products of matrices with what follows them, for matmul, gemm and conv2d alike: blocks of one
//! result, shared out to the threads.

use std::ops::Range;
use std::sync::Mutex;

use webnn_core::{DataType, ValueId};
use webnn_kernels::Isa;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::gemm::{
    self, Block, Filter, Matrix, MatrixMut, PackedB, PackedQuantized, PackedRef, Pixels, Rows,
    Start, Tile, ToF32, Window, gemm, pack, packed_len, partition,
};
use webnn_kernels::map::{Binary, binary};

use crate::blocks::{Cell, Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{Built, ByRows, Cx, Kernel, Strip};
use crate::ops::epilogue::{Bias, Epilogue};
use crate::threads::{Pieces, Threads, share};

/// Multiplications and additions that are worth waking a thread for.
const LEAST_FLOPS: usize = 400_000;

/// To read the left operand takes as long as its products with so many columns.
const LEAST_COLUMNS: usize = 8;

/// Elements of the left operand that a second-level cache holds beside those of the right one.
const SCALED: usize = 1 << 16;

/// Fewer rows are read from memory faster than they are cut into parts.
const LEAST_ROWS_IN_PARTS: usize = 16;

/// Fewer elements are packed by one thread.
const LEAST_PACKED: usize = 1 << 14;

/// How the rows of the left operand are found.
pub(crate) enum Left {
    /// A matrix of each problem, with strides of rows and columns.
    Matrix {
        /// From row to row and from column to column.
        strides: [usize; 2],
        /// The kernel's read that multiplies each row, element by element, of adjacent elements.
        factors: Option<usize>,
    },
    /// The windows of an image: one problem for each group of channels.
    Pixels { window: Window, batch: usize, pixel_stride: usize },
}

/// Where the right operands come from.
pub(crate) enum Right {
    /// Packed when the graph was compiled.
    Packed(Vec<PackedB>),
    /// One operand of few bits, and its elements.
    Quantized(Box<PackedQuantized>, usize),
    /// The kernel's read of index 1, packed in each run.
    Read(Vec<FilterView>),
}

/// A right operand inside a larger one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilterView {
    /// Where it begins.
    pub(crate) offset: usize,
    /// Height, width, input channels, output channels.
    pub(crate) shape: [usize; 4],
    /// The distances between neighbours.
    pub(crate) strides: [usize; 4],
}

impl FilterView {
    /// A matrix of k rows and n columns.
    pub(crate) fn matrix(offset: usize, [k, n]: [usize; 2], strides: [usize; 2]) -> FilterView {
        FilterView { offset, shape: [1, 1, k, n], strides: [0, 0, strides[0], strides[1]] }
    }

    pub(crate) fn of<'a, T>(&self, data: &'a [T]) -> Filter<'a, T> {
        Filter::new(&data[self.offset..], self.shape, self.strides)
    }
}

impl Right {
    /// Packs a constant of floats where it lies; `None` for what is none.
    pub(crate) fn constant(cx: &Cx<'_>, id: ValueId, views: &[FilterView]) -> Option<Right> {
        let (bytes, data_type) = cx.constant(id)?;
        match data_type {
            DataType::Float32 => Some(Right::pack(bytes.as_chunks::<4>().0, views, cx)),
            DataType::Float16 => Some(Right::pack(bytes.as_chunks::<2>().0, views, cx)),
            _integers => None,
        }
    }

    /// Packs right operands, sharing the panels out to the threads.
    pub(crate) fn pack<T: ToF32 + Sync>(data: &[T], views: &[FilterView], cx: &Cx<'_>) -> Right {
        let tile = Tile::of(cx.isa);
        Right::Packed(views.iter().map(|view| packed(tile, view.of(data), cx.threads)).collect())
    }
}

/// A right operand packed by all threads, each some panels.
pub(crate) fn packed<T: ToF32 + Sync>(
    tile: &'static Tile,
    b: Filter<'_, T>,
    threads: &Threads,
) -> PackedB {
    let (k, n) = (b.rows(), b.columns());
    let mut packed = PackedB::zeroed(tile, [k, n]);
    // The last panel may be narrower.
    let (whole, panel) = (n / tile.nr, k * tile.nr);
    let (panels, rest) = packed.panels_mut().split_at_mut(whole * panel);
    let least = LEAST_PACKED.div_ceil(panel.max(1));
    threads.rows(panels, panel, least, |range, into| pack(tile, b, range, into));
    pack(tile, b, whole..tile.panels(n), rest);
    packed
}

/// Problems down the result's rows, and groups across its columns.
pub(crate) struct Problems {
    /// For each problem: where its left operand begins, and which right operand it takes.
    pub(crate) down: Vec<(usize, usize)>,
    /// Rows, columns and depth of one problem and group.
    pub(crate) sizes: [usize; 3],
    /// How many groups there are; group g takes the g-th right operand after the problem's, and
    /// its left operand begins g depths later.
    pub(crate) groups: usize,
}

/// The kernel.
struct Product {
    problems: Problems,
    left: Left,
    right: Right,
    epilogue: Epilogue,
    /// The columns of the matrix that the result lies in, and the first that is the result's.
    inside: [usize; 2],
    cells: Cells,
    /// How many rows and columns of cells each problem and each group has.
    grid: [usize; 2],
    parts: usize,
    tile: &'static Tile,
    /// Whether operands are multiplied in parts.
    in_parts: bool,
    isa: Isa,
    packed_bytes: usize,
}

/// The kernel for some products; `reads` are the left operand, the right one where it is read at
/// run time, and what the epilogue reads.
#[allow(clippy::too_many_arguments, reason = "each is one part of a product")]
pub(crate) fn build(
    problems: Problems,
    left: Left,
    right: Right,
    epilogue: Epilogue,
    reads: Vec<ValueId>,
    output: ValueId,
    isa: Isa,
    threads: usize,
) -> Built {
    let tile = Tile::of(isa);
    let [m, n, k] = problems.sizes;
    let count = problems.down.len() * problems.groups;
    let flops = 2 * m * n.max(LEAST_COLUMNS) * k * count;
    let parts = (flops / LEAST_FLOPS).clamp(1, threads);
    let grid = partition(tile, [m, n, k], parts.div_ceil(count));
    let blocks = || (0..grid.len()).map(|i| grid.block(i));
    let row_cuts = blocks().step_by(grid.across).map(|block| block.rows.start);
    let column_cuts: Vec<usize> = blocks().take(grid.across).map(|b| b.columns.start).collect();
    let row_cuts: Vec<usize> = row_cuts.collect();
    let cuts = |count: usize, size: usize, inside: &[usize]| -> Vec<usize> {
        let all = (0..count).flat_map(|i| inside.iter().map(move |cut| i * size + cut));
        all.chain([count * size]).collect()
    };
    let cells =
        Cells::new(cuts(problems.down.len(), m, &row_cuts), cuts(problems.groups, n, &column_cuts));
    let packed_bytes = match &right {
        Right::Packed(all) => all.iter().map(|b| packed_len(tile, b.view().rows(), n) * 4).sum(),
        Right::Quantized(_, elements) => *elements,
        Right::Read(_) => 0,
    };
    let parts = parts.min(cells.len());
    let grid = [grid.down, grid.across];
    let inside = [n * problems.groups, 0];
    let kernel = Product {
        problems,
        left,
        right,
        epilogue,
        inside,
        cells,
        grid,
        parts,
        tile,
        in_parts: tile.is_in_parts() && m >= LEAST_ROWS_IN_PARTS,
        isa,
        packed_bytes,
    };
    Built { kernel: Box::new(kernel), reads, writes: vec![output] }
}

impl Product {
    /// The elements that a right operand takes when it is packed in each run.
    fn packed_len(&self) -> usize {
        let [_, n, k] = self.problems.sizes;
        self.tile.panels(n) * self.tile.nr * k
    }

    /// The inner dimension, as the left operand has it.
    fn depth(&self) -> gemm::Depth {
        match &self.left {
            Left::Matrix { .. } => gemm::Depth::matrix(self.problems.sizes[2]),
            Left::Pixels { window, pixel_stride, .. } => {
                let channels = self.problems.sizes[2] / window.taps();
                gemm::Depth::window(window, channels, *pixel_stride)
            }
        }
    }

    /// The working bytes of one thread: for the tiles, and for what follows them.
    fn part_bytes(&self) -> [usize; 2] {
        let tiles = self.tiles_bytes(self.cells.tallest());
        [tiles.next_multiple_of(64), self.epilogue.scratch_bytes()]
    }

    /// The working bytes for the tiles of so many rows, and for rows that are multiplied before.
    fn tiles_bytes(&self, rows: usize) -> usize {
        let tiles = self.product_bytes(rows);
        match self.left {
            Left::Matrix { factors: Some(_), .. } => {
                let scaled = self.scaled_rows(rows) * self.scaled_stride();
                Scratch::bytes_for::<f32>(scaled) + Scratch::bytes_for::<u8>(tiles)
            }
            Left::Matrix { factors: None, .. } | Left::Pixels { .. } => tiles,
        }
    }

    /// The working bytes for the tiles of so many rows.
    fn product_bytes(&self, rows: usize) -> usize {
        let parts = if self.in_parts { gemm::split_scratch_bytes(self.depth(), rows) } else { 0 };
        gemm::scratch_bytes(self.depth(), rows) + parts
    }

    /// Elements from one multiplied row to the next: an odd number of cache lines, so that rows do
    /// not fall on the same ones.
    fn scaled_stride(&self) -> usize {
        const LINE: usize = 16;
        (self.problems.sizes[2].div_ceil(LINE) | 1) * LINE
    }

    /// How many of some rows are multiplied at a time.
    fn scaled_rows(&self, rows: usize) -> usize {
        (SCALED / self.scaled_stride()).max(self.tile.mr).min(rows)
    }

    /// Packs all right operands, every thread some panels.
    fn pack(&self, data: &[f32], views: &[FilterView], into: &mut [f32], threads: &Threads) {
        let panels = self.tile.panels(self.problems.sizes[1]);
        let len = self.packed_len();
        if let [view] = views {
            let panel = len / panels.max(1);
            threads.rows(into, panel, 4, |range, into| {
                pack(self.tile, view.of(data), range, into);
            });
            return;
        }
        let least = LEAST_PACKED.div_ceil(len.max(1));
        threads.rows(into, len, least, |range, into| {
            for (view, into) in views[range].iter().zip(into.chunks_exact_mut(len)) {
                pack(self.tile, view.of(data), 0..panels, into);
            }
        });
    }

    /// Computes one cell.
    fn cell(
        &self,
        cell: Cell<'_, f32>,
        left: &[f32],
        right: PackedRef<'_>,
        io: &Io<'_>,
        scratch: &mut [u8],
        post: &Mutex<&mut [f32]>,
    ) {
        let [m, n, k] = self.problems.sizes;
        let (problem, group) = (cell.down / self.grid[0], cell.across / self.grid[1]);
        let (top, start) = (problem * m, group * n);
        let offset = self.problems.down[problem].0;
        let columns = cell.columns.start - start..cell.columns.end - start;
        let rows = match &self.left {
            Left::Matrix { factors: Some(factors), .. } => {
                let (rows, factors) = (cell.rows, io.read(*factors));
                let left = &left[rows.start * k..];
                return self.scaled(
                    rows,
                    columns,
                    (left, factors),
                    right,
                    cell.matrix,
                    io,
                    scratch,
                    post,
                );
            }
            Left::Matrix { strides, factors: None } => {
                let data = &left[offset + group * k * strides[1]..];
                Rows::Matrix(Matrix::new(data, [m, k], *strides))
            }
            Left::Pixels { window, batch, pixel_stride } => {
                let channels = k / window.taps();
                let data = &left[group * channels..];
                Rows::Pixels(Pixels::new(data, window, *batch, channels, *pixel_stride, 0.0))
            }
        };
        let block = Block { rows: cell.rows.start - top..cell.rows.end - top, columns };
        let at = At { top, start, block };
        self.block(&at, &rows, right, cell.matrix, io, scratch, post);
    }

    /// Computes some rows and columns of the one problem, some rows at a time: those of the left
    /// operand, which begins with the first, are multiplied by factors before.
    #[allow(clippy::too_many_arguments, reason = "operands, place, result and working memory")]
    fn scaled(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        (left, factors): (&[f32], &[f32]),
        right: PackedRef<'_>,
        mut result: MatrixMut<'_, f32>,
        io: &Io<'_>,
        scratch: &mut [u8],
        post: &Mutex<&mut [f32]>,
    ) {
        let k = self.problems.sizes[2];
        let (most, stride) = (self.scaled_rows(rows.len()), self.scaled_stride());
        let mut scratch = Scratch::new(scratch);
        let product = scratch.take::<f32>(most * stride);
        let tiles = scratch.take::<u8>(self.product_bytes(most));
        let parts = rows.len().div_ceil(most.max(1));
        for part in (0..parts).map(|part| share(rows.len(), parts, part)) {
            let from = left[part.start * k..part.end * k].chunks_exact(k);
            for (from, to) in from.zip(product.chunks_exact_mut(stride)) {
                binary(self.isa, Binary::Mul, from, &factors[..k], &mut to[..k]);
            }
            let left = Rows::Matrix(Matrix::new(product, [part.len(), k], [stride, 1]));
            let block = Block { rows: 0..part.len(), columns: columns.clone() };
            let at = At { top: rows.start + part.start, start: 0, block };
            let result = result.part(part, 0..columns.len());
            self.block(&at, &left, right, result, io, tiles, post);
        }
    }

    /// Computes a block of the result from rows that stand for those of a whole problem.
    #[allow(clippy::too_many_arguments, reason = "operands, place, result and working memory")]
    fn block(
        &self,
        at: &At,
        left: &Rows<'_, f32>,
        right: PackedRef<'_>,
        result: MatrixMut<'_, f32>,
        io: &Io<'_>,
        scratch: &mut [u8],
        post_scratch: &Mutex<&mut [f32]>,
    ) {
        let (m, n) = (left.rows(), self.problems.sizes[1]);
        let &At { top, start, ref block } = at;
        let values = match &self.epilogue.bias {
            Bias::None => Start::Zero,
            Bias::Columns(values) => Start::Columns(&values[start..start + n]),
            Bias::ReadColumns(index) => Start::Columns(&io.read(*index)[start..start + n]),
            Bias::ReadRows(index) => Start::Rows(&io.read(*index)[top..top + m]),
        };
        let post = |rows: Range<usize>, columns: Range<usize>, block: &mut MatrixMut<'_, f32>| {
            let rows = top + rows.start..top + rows.end;
            let columns = start + columns.start..start + columns.end;
            let mut scratch = post_scratch.lock().unwrap_or_else(|error| error.into_inner());
            self.epilogue.finish(self.isa, rows, columns, block, io, &mut scratch);
        };
        let columns = n * self.problems.groups;
        let residual = self.epilogue.residual.map(|index| {
            let data = &io.read::<f32>(index)[top * columns + start..];
            Matrix::new(data, [m, n], [columns, 1])
        });
        let finish = gemm::Finish {
            start: values,
            residual,
            clamp: self.epilogue.clamp,
            post: if self.epilogue.has_post() { Some(&post) } else { None },
        };
        let right = if self.in_parts { right.in_parts() } else { right };
        gemm(left, right, result, block, &finish, scratch);
    }
}

/// Where a block lies in the result.
struct At {
    /// The row of the result that the block's rows are counted from.
    top: usize,
    /// The column of the result that its columns are counted from.
    start: usize,
    block: Block,
}

impl ByRows for Product {
    fn takes(&self, rows: Range<usize>) -> Option<Range<usize>> {
        matches!(self.left, Left::Matrix { .. }).then_some(rows)
    }

    fn columns(&self) -> usize {
        self.problems.sizes[1]
    }

    fn inside(&self) -> [usize; 2] {
        self.inside
    }

    fn part_bytes(&self, rows: usize) -> usize {
        let tiles = self.tiles_bytes(rows);
        Scratch::bytes_for::<u8>(tiles) + Scratch::bytes_for::<u8>(self.epilogue.scratch_bytes())
    }

    fn compute(
        &self,
        rows: Range<usize>,
        operand: Strip<'_>,
        result: MatrixMut<'_, f32>,
        io: &Io<'_>,
        scratch: &mut [u8],
    ) {
        let Right::Packed(right) = &self.right else {
            unreachable!("`by_rows` gives products with packed operands only")
        };
        let [_, n, k] = self.problems.sizes;
        let mut scratch = Scratch::new(scratch);
        let tiles = scratch.take::<u8>(self.tiles_bytes(rows.len()));
        let post = Mutex::new(scratch.take(self.epilogue.scratch_bytes() / size_of::<f32>()));
        let right = right[0].view();
        let (left, top) = match &self.left {
            Left::Matrix { factors, .. } => {
                let at = (rows.start - operand.first) % operand.held;
                let data = &operand.data[at * k..];
                if let Some(factors) = factors {
                    let left = (data, io.read(*factors));
                    return self.scaled(rows, 0..n, left, right, result, io, tiles, &post);
                }
                (Rows::Matrix(Matrix::row_major(data, [rows.len(), k])), rows.start)
            }
            Left::Pixels { window, batch, pixel_stride } => {
                let channels = k / window.taps();
                let pixels =
                    Pixels::new(operand.data, window, *batch, channels, *pixel_stride, 0.0);
                (Rows::Pixels(pixels), 0)
            }
        };
        let block = Block { rows: rows.start - top..rows.end - top, columns: 0..n };
        let at = At { top, start: 0, block };
        self.block(&at, &left, right, result, io, tiles, &post);
    }
}

impl Kernel for Product {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        let packed = match &self.right {
            Right::Packed(_) | Right::Quantized(..) => 0,
            Right::Read(views) => Scratch::bytes_for::<f32>(views.len() * self.packed_len()),
        };
        let [tiles, post] = self.part_bytes();
        packed + Scratch::bytes_for::<u8>(self.parts * tiles) + self.parts * post + 64
    }

    fn packed_bytes(&self) -> usize {
        self.packed_bytes + self.epilogue.packed_bytes()
    }

    fn write_inside(&mut self, columns: usize, first: usize) -> bool {
        self.inside = [columns, first];
        true
    }

    fn by_rows(&self) -> Option<&dyn ByRows> {
        let is_one = matches!(&self.problems.down[..], [(0, 0)]) && self.problems.groups == 1;
        let [_, _, k] = self.problems.sizes;
        let is_adjacent = match self.left {
            Left::Matrix { strides, .. } => strides == [k, 1],
            Left::Pixels { .. } => true,
        };
        let is_packed = matches!(self.right, Right::Packed(_));
        (is_one && is_adjacent && is_packed).then_some(self)
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let [m, n, k] = self.problems.sizes;
        let mut scratch = Scratch::new(io.scratch());
        let output = io.write::<f32>(0);
        let io = &*io;
        let left = io.read::<f32>(0);
        let packed: &[f32] = match &self.right {
            Right::Packed(_) | Right::Quantized(..) => &[],
            Right::Read(views) => {
                let packed = scratch.take::<f32>(views.len() * self.packed_len());
                self.pack(io.read(1), views, packed, threads);
                packed
            }
        };
        let [tiles, post] = self.part_bytes();
        let tiles = Pieces::new(scratch.take::<u8>(self.parts * tiles), tiles, self.parts);
        let post = post / size_of::<f32>();
        let posts = Pieces::new(scratch.take::<f32>(self.parts * post), post, self.parts);
        let size = [m * self.problems.down.len(), n * self.problems.groups];
        let [stride, first] = self.inside;
        let matrix = MatrixMut::new(&mut output[first..], size, stride);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        threads.run(self.parts, &|part| {
            let (_, scratch) = tiles.take(part);
            let (_, post) = posts.take(part);
            let post = Mutex::new(post);
            for cell in cells.take(part) {
                let (problem, group) = (cell.down / self.grid[0], cell.across / self.grid[1]);
                let index = self.problems.down[problem].1 + group;
                let right = match &self.right {
                    Right::Packed(all) => all[index].view(),
                    Right::Quantized(b, _) => b.view(),
                    Right::Read(_) => {
                        let packed = &packed[index * self.packed_len()..];
                        PackedRef::new(self.tile, packed, [k, n])
                    }
                };
                self.cell(cell, left, right, io, scratch, &post);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_pack_what_one_packs_wherever_the_floats_lie() {
        let isa = Isa::best();
        let tile = Tile::of(isa);
        let threads = Threads::new(3);
        for [k, n] in [[1, 1], [3, 5], [300, 70], [17, 7 * tile.nr], [600, 5 * tile.nr + 1]] {
            let data: Vec<f32> = (0..k * n).map(|i| i as f32).collect();
            let bytes: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
            for strides in [[n, 1], [1, k]] {
                let view = FilterView::matrix(0, [k, n], strides);
                let mut expected = PackedB::new(tile, view.of(&data));
                let mut shared = packed(tile, view.of(&data), &threads);
                assert_eq!(shared.panels_mut(), expected.panels_mut(), "{k} x {n}, {strides:?}");
                let mut shared = packed(tile, view.of(bytes.as_chunks::<4>().0), &threads);
                assert_eq!(shared.panels_mut(), expected.panels_mut(), "{k} x {n}, bytes");
            }
        }
    }
}
