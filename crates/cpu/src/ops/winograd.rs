//! Convolutions by Winograd's algorithm, where fewer products pay for the transforms.

use std::ops::Range;
use std::sync::Mutex;

use webnn_core::{Bytes, DataType, NodeId};
use webnn_kernels::Isa;
use webnn_kernels::depthwise::Images;
use webnn_kernels::gemm::{Block, MatrixMut, Post, Tile, Window, pack};
use webnn_kernels::winograd::{
    Convolution, Finish, PackedPoints, first_pixel, scratch_bytes, tile_rows, winograd,
};

use crate::blocks::{Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::chain::as_floats;
use crate::ops::epilogue::{Bias, Epilogue, EpilogueBuilder};
use crate::ops::matrix::FilterView;
use crate::threads::{Pieces, Threads};

/// A 3x3 convolution.
struct Winograd {
    filter: PackedPoints,
    window: Window,
    /// The filter as it was, for results that are not finite.
    taps: Taps,
    epilogue: Epilogue,
    /// The columns of the matrix that the result lies in, and the first that is the result's.
    inside: [usize; 2],
    /// The rows of tiles at which the result is cut.
    cuts: Vec<usize>,
    cells: Cells,
    parts: usize,
    isa: Isa,
}

/// A constant filter of floats.
struct Taps {
    bytes: Bytes,
    is_half: bool,
    view: FilterView,
}

impl Taps {
    /// The filter of a convolution, if it is such.
    fn of(cx: &Cx<'_>, view: FilterView) -> Option<Taps> {
        let (bytes, data_type) = cx.constant(cx.id(1))?;
        let is_half = match data_type {
            DataType::Float32 => false,
            DataType::Float16 => true,
            _integers => return None,
        };
        Some(Taps { bytes: bytes.clone(), is_half, view })
    }

    /// Transforms all of it; `None` where that gives what is not finite.
    fn points(&self, tile: &'static Tile) -> Option<PackedPoints> {
        if self.is_half {
            PackedPoints::new(tile, self.view.of(self.bytes.as_chunks::<2>().0))
        } else {
            PackedPoints::new(tile, self.view.of(self.bytes.as_chunks::<4>().0))
        }
    }

    /// Packs some panels as they are.
    fn pack(&self, tile: &Tile, panels: Range<usize>, into: &mut [f32]) {
        if self.is_half {
            pack(tile, self.view.of(self.bytes.as_chunks::<2>().0), panels, into);
        } else {
            pack(tile, self.view.of(self.bytes.as_chunks::<4>().0), panels, into);
        }
    }
}

/// Whether fewer products pay for the transforms: they are in proportion to the tiles and to either
/// number of channels, the products to both. Nor do they pay for tiles that reach far beyond the
/// output, or for a filter that is larger than before and is read for a few of them: with many
/// channels little time is won for much memory.
fn pays(window: &Window, images: usize, [channels, outputs]: [usize; 2]) -> bool {
    const LEAST_CHANNELS: usize = 16;
    const LEAST_TILES: usize = 9;
    const CHANNELS_PER_TILE: usize = 16;
    let is_plain =
        window.kernel == [3, 3] && window.strides == [1, 1] && window.dilations == [1, 1];
    let tiles = tile_rows(window, images) * window.output[1].div_ceil(2);
    let pixels = images * window.output[0] * window.output[1];
    is_plain
        && channels.min(outputs) >= LEAST_CHANNELS
        && tiles >= LEAST_TILES
        && channels.min(outputs) <= tiles * CHANNELS_PER_TILE
        && pixels >= 3 * tiles
}

/// The kernel for an ungrouped convolution of channels-last images with a constant filter, and the
/// element-wise nodes after it; `None` where it does not pay, or cannot be done so.
#[inline(never)]
pub(crate) fn lower(
    cx: &Cx<'_>,
    after: &[NodeId],
    window: Window,
    view: FilterView,
) -> Option<Built> {
    let (input, output) = (sizes(&cx.input(0)), sizes(&cx.output(0)));
    let [images, channels, outputs] = [input[0], view.shape[2], view.shape[3]];
    if !pays(&window, images, [channels, outputs]) {
        return None;
    }
    let mut reads = vec![cx.id(0)];
    let (epilogue, result) = EpilogueBuilder::new(*cx, &mut reads).convolution(after)?;
    if matches!(epilogue.bias, Bias::ReadRows(_)) {
        return None;
    }
    let tile = Tile::of(cx.isa);
    let taps = Taps::of(cx, view)?;
    let filter = taps.points(tile)?;
    let rows = tile_rows(&window, images);
    let [down, across] = grid(
        [rows, window.output[1].div_ceil(2)],
        outputs.div_ceil(tile.nr),
        tile.nr,
        cx.threads.count(),
    );
    let cuts: Vec<usize> = (0..=down).map(|i| i * rows / down).collect();
    let panels = outputs.div_ceil(tile.nr);
    let columns = (0..=across).map(|i| (i * panels / across * tile.nr).min(outputs)).collect();
    let pixels = cuts.iter().map(|&row| first_pixel(&window, row)).collect();
    let kernel = Winograd {
        filter,
        window,
        taps,
        epilogue,
        inside: [output[3], 0],
        cuts,
        cells: Cells::new(pixels, columns),
        parts: down * across,
        isa: cx.isa,
    };
    Some(Built { kernel: Box::new(kernel), reads, writes: vec![result] })
}

/// How rows of tiles and panels are shared out: so many cells down, so many across.
fn grid([rows, tiles]: [usize; 2], panels: usize, nr: usize, threads: usize) -> [usize; 2] {
    /// The columns whose products take as long as the transform of the input, which each cell of
    /// a row makes for itself.
    const TRANSFORM: usize = 8;
    let cost = |[down, across]: [usize; 2]| {
        rows.div_ceil(down) * tiles * (panels.div_ceil(across) * nr + TRANSFORM)
    };
    (1..=threads.clamp(1, rows.max(1)))
        .map(|down| [down, (threads / down).clamp(1, panels.max(1))])
        .min_by_key(|&grid| cost(grid))
        .unwrap_or([1, 1])
}

impl Winograd {
    /// The working bytes of one thread.
    fn part_bytes(&self) -> [usize; 2] {
        let rows = self.cuts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let tiles = scratch_bytes(&self.filter, &self.window, rows);
        [tiles.next_multiple_of(64), self.epilogue.scratch_bytes()]
    }
}

impl Kernel for Winograd {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        let [tiles, post] = self.part_bytes();
        self.parts * (tiles + post)
    }

    fn packed_bytes(&self) -> usize {
        self.filter.bytes() + self.epilogue.packed_bytes()
    }

    fn write_inside(&mut self, columns: usize, first: usize) -> bool {
        self.inside = [columns, first];
        true
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let [tiles, post] = self.part_bytes();
        let (scratch, posts) = io.scratch().split_at_mut(self.parts * tiles);
        let scratches = Pieces::new(scratch, tiles, self.parts);
        let posts = Pieces::new(as_floats(posts), post / size_of::<f32>(), self.parts);
        let output = io.write::<f32>(0);
        let io = &*io;
        let pack = |panels: Range<usize>, into: &mut [f32]| {
            self.taps.pack(self.filter.tile(), panels, into);
        };
        let convolution = Convolution {
            x: Images::whole(io.read(0), self.filter.channels()),
            filter: &self.filter,
            window: &self.window,
            pack: &pack,
        };
        let bias = match &self.epilogue.bias {
            Bias::Columns(values) => values,
            Bias::ReadColumns(index) => io.read(*index),
            Bias::None | Bias::ReadRows(_) => &[],
        };
        let [stride, first] = self.inside;
        let size = [output.len() / stride, self.filter.outputs()];
        let matrix = MatrixMut::new(&mut output[first..], size, stride);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        threads.run(self.parts, &|part| {
            let (_, scratch) = scratches.take(part);
            let (_, post_scratch) = posts.take(part);
            let post_scratch = Mutex::new(post_scratch);
            let post = |rows: Range<usize>,
                        columns: Range<usize>,
                        block: &mut MatrixMut<'_, f32>| {
                let mut scratch = post_scratch.lock().unwrap_or_else(|error| error.into_inner());
                self.epilogue.finish(self.isa, rows, columns, block, io, &mut scratch);
            };
            let post: Option<&Post<'_>> = if self.epilogue.has_post() { Some(&post) } else { None };
            let finish = Finish { bias, clamp: self.epilogue.clamp, post };
            for cell in cells.take(part) {
                let rows = self.cuts[cell.down]..self.cuts[cell.down + 1];
                let block = Block { rows, columns: cell.columns };
                winograd(&convolution, &block, cell.matrix, &finish, scratch);
            }
        });
    }
}
