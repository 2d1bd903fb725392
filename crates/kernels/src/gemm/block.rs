//! The driver: a block of C from A's rows and a packed B, tile by tile.

use std::ops::Range;

use super::depth::Depth;
use super::few;
use super::narrow::{Dots, NARROW};
use super::pack::{PackedRef, Panels};
use super::row;
use super::rows::{Heights, Ready, Room, Rows};
use super::split::{self, Split};
use super::tile::Call;
use super::view::{Matrix, MatrixMut};
use super::{MAX_TILE, MAX_WIDTH, Tile};
use crate::buffer::Scratch;
use crate::float::{load_up_to, store_up_to};
use crate::simd::Simd;

/// What the sums start from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Zero.
    Zero,
    /// One value per column of the whole C: a bias per output channel.
    Columns(&'a [f32]),
    /// One value per row of the whole C.
    Rows(&'a [f32]),
    /// What C holds already.
    Accumulate,
}

/// A function that is called for each finished block of C while it is in the cache, with the
/// block's rows and columns in the whole C.
pub type Post<'a> = dyn Fn(Range<usize>, Range<usize>, &mut MatrixMut<'_, f32>) + Sync + 'a;

/// What happens to the sums besides summing.
#[derive(Clone, Copy)]
pub struct Finish<'a> {
    /// What they start from.
    pub start: Start<'a>,
    /// What is added to the sums, element by element: a matrix of the size of the whole C.
    pub residual: Option<Matrix<'a, f32>>,
    /// The least and the greatest result; NaN stays NaN.
    pub clamp: [f32; 2],
    /// What becomes of finished blocks.
    pub post: Option<&'a Post<'a>>,
}

impl Finish<'_> {
    /// Plain sums.
    pub const NONE: Finish<'static> = Finish {
        start: Start::Zero,
        residual: None,
        clamp: [f32::NEG_INFINITY, f32::INFINITY],
        post: None,
    };

    /// Finishes a vector of whole sums, or what there is of it, from `[row, column]` of the whole C on:
    /// `c`. What becomes of blocks is left to the caller.
    #[inline(always)]
    pub(super) fn vector<S: Simd>(
        &self,
        s: S,
        sum: S::F32,
        [row, column]: [usize; 2],
        c: &mut [f32],
    ) {
        let sum = match self.start {
            Start::Zero => sum,
            Start::Columns(values) => s.add(load_up_to(s, &values[column..][..c.len()]), sum),
            Start::Rows(values) => s.add(s.splat(values[row]), sum),
            Start::Accumulate => s.add(load_up_to(s, c), sum),
        };
        let sum = match &self.residual {
            None => sum,
            Some(residual) => {
                let added = &residual.data[row * residual.row_stride + column..][..c.len()];
                s.add(load_up_to(s, added), sum)
            }
        };
        let [low, high] = self.clamp;
        store_up_to(s, s.clamp(sum, s.splat(low), s.splat(high)), c);
    }
}

/// The part of C that one call computes. Columns start at a panel's first: a multiple of `nr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Rows of C.
    pub rows: Range<usize>,
    /// Columns of C.
    pub columns: Range<usize>,
}

/// Elements of k that are summed before C is visited: a panel of B then stays in the
/// first-level cache while the rows of a block pass by. Panels are narrow in WebAssembly.
const KC: usize = if cfg!(target_arch = "wasm32") { 512 } else { 256 };
/// Rows of A that are made ready together; they stay in the second-level cache.
pub(super) const MC: usize = 224;
/// The floats that quantized panels become at a time.
const FLOATS: usize = KC * MAX_WIDTH;
/// Columns after which finished blocks are handed to `post`.
pub(super) const POST_COLUMNS: usize = 256;
/// Elements of B that no cache near a core holds.
pub(super) const STREAM: usize = 1 << 18;

/// The scratch that [`gemm`] takes for blocks of up to `rows` rows.
pub fn scratch_bytes(depth: Depth, rows: usize) -> usize {
    Room::<f32>::bytes(rows.min(MC), depth, longest(depth)) + Scratch::bytes_for::<f32>(FLOATS)
}

/// The elements of the longest piece.
pub(super) fn longest(depth: Depth) -> usize {
    depth.blocks(KC).map(|piece| piece.elements()).max().unwrap_or(0)
}

/// Computes a block of `C = A * B`; `c` is that block.
///
/// The bits of the result do not depend on how C is cut into blocks.
///
/// # Panics
///
/// When shapes do not fit together, or the scratch is less than [`scratch_bytes`], and
/// [`split_scratch_bytes`](super::split_scratch_bytes) more where B is to be multiplied in parts.
pub fn gemm(
    a: &Rows<'_, f32>,
    b: PackedRef<'_>,
    mut c: MatrixMut<'_, f32>,
    block: &Block,
    finish: &Finish<'_>,
    scratch: &mut [u8],
) {
    let depth = a.depth();
    check(a, &b, &c, block, finish);
    if block.rows.is_empty() || block.columns.is_empty() {
        return;
    }
    match (a, b.data) {
        _in_parts if b.in_parts => {}
        (Rows::Matrix(a), Panels::Quantized(b)) if few::are_few(a) => {
            return few::product(a, b, &mut c, block, finish);
        }
        (Rows::Matrix(a), Panels::F32(panels)) if row::is_one(a, &b) => {
            return row::product(a, &b, panels, &mut c, block, finish);
        }
        _more => {}
    }
    let blocks = Heights::new(block.rows.len(), MC);
    let most = blocks.rows(0).len();
    let mut scratch = Scratch::new(scratch);
    let mut room = Room::take(&mut scratch, most, depth, longest(depth));
    let floats = scratch.take(FLOATS);
    let mut split = b.in_parts.then(|| Split::take(&mut scratch, most, longest(depth)));
    let mr = if b.in_parts { split::MR } else { b.tile.mr };
    let mut edges = [Edge([0.0; MAX_TILE]), Edge([0.0; MAX_TILE])];
    for i in 0..blocks.tiles {
        let inside = blocks.rows(i);
        let rows = block.rows.start + inside.start..block.rows.start + inside.end;
        let mut c = c.part(inside, 0..block.columns.len());
        if let Start::Rows(values) = finish.start {
            for (i, &value) in values[rows.clone()].iter().enumerate() {
                c.row(i).fill(value);
            }
        }
        let heights = Heights::new(rows.len(), mr);
        let mut passes =
            |columns: Range<usize>, c: &mut MatrixMut<'_, f32>, finish: &Finish<'_>| {
                let mut pieces = depth.blocks(KC).peekable();
                while let Some(piece) = pieces.next() {
                    let ready = a.ready(rows.clone(), heights, &piece, columns.len(), &mut room);
                    let pass = Pass {
                        b,
                        piece: piece.offset()..piece.offset() + piece.elements(),
                        ready,
                        rows: rows.clone(),
                        columns: columns.clone(),
                        heights,
                        finish,
                        first: piece.offset() == 0,
                        last: pieces.peek().is_none(),
                    };
                    if let Some(split) = &mut split {
                        split.rows(&pass.ready, heights);
                    }
                    pass.run(c, &mut edges, floats, split.as_mut());
                }
            };
        if !is_stream(a, &b, heights, block.columns.len()) {
            passes(block.columns.clone(), &mut c, finish);
            continue;
        }
        let sums = Finish { post: None, ..*finish };
        let base = block.columns.start;
        for from in block.columns.clone().step_by(POST_COLUMNS.next_multiple_of(b.tile.nr)) {
            let to = block.columns.end.min(from + POST_COLUMNS.next_multiple_of(b.tile.nr));
            for at in (from..to).step_by(b.tile.nr) {
                let panel = at..to.min(at + b.tile.nr);
                let inside = panel.start - base..panel.end - base;
                passes(panel, &mut c.part(0..rows.len(), inside), &sums);
            }
            if let Some(post) = finish.post {
                post(rows.clone(), from..to, &mut c.part(0..rows.len(), from - base..to - base));
            }
        }
    }
}

/// Whether B is read panel by panel, each from front to back, and not piece by piece: where one tile
/// is as high as C, B passes by once, and main memory is fastest where it is read in one stream. From a
/// cache several panels at a time are faster.
fn is_stream(a: &Rows<'_, f32>, b: &PackedRef<'_>, heights: Heights, columns: usize) -> bool {
    heights.tiles == 1
        && !b.near
        && !b.in_parts
        && a.is_in_place(heights.rows(0).len(), columns)
        && matches!(b.data, Panels::F32(_))
        && b.n > NARROW
        && columns * b.k >= STREAM
}

fn check(
    a: &Rows<'_, f32>,
    b: &PackedRef<'_>,
    c: &MatrixMut<'_, f32>,
    block: &Block,
    finish: &Finish<'_>,
) {
    let (m, k) = (a.rows(), a.depth().elements());
    assert_eq!(k, b.k, "A has {k} columns, B {} rows", b.k);
    assert!(b.tile.isa.is_available(), "B is packed for {}", b.tile.name);
    let Block { rows, columns } = block;
    assert!(rows.start <= rows.end && rows.end <= m, "rows {rows:?} of {m}");
    assert!(columns.start <= columns.end && columns.end <= b.n, "columns {columns:?} of {}", b.n);
    assert!(
        columns.start.is_multiple_of(b.tile.nr),
        "columns {columns:?} do not start at a panel of {}",
        b.tile.nr
    );
    assert!(
        columns.end == b.n || columns.end.is_multiple_of(b.tile.nr),
        "columns {columns:?} do not end at a panel of {}",
        b.tile.nr
    );
    assert!(
        c.rows() == rows.len() && c.columns() == columns.len(),
        "C is {} x {}, the block {} x {}",
        c.rows(),
        c.columns(),
        rows.len(),
        columns.len()
    );
    match finish.start {
        Start::Columns(values) => {
            assert!(values.len() >= b.n, "{} values per column", values.len())
        }
        Start::Rows(values) => assert!(values.len() >= m, "{} values per row", values.len()),
        Start::Zero | Start::Accumulate => {}
    }
    if let Some(residual) = &finish.residual {
        assert!(
            residual.rows == m && residual.columns == b.n && residual.column_stride == 1,
            "what is added is {} x {} with columns {} apart, C {m} x {}",
            residual.rows,
            residual.columns,
            residual.column_stride,
            b.n
        );
    }
}

/// One pass over the rows of a block of A, for one piece of the depth.
pub(super) struct Pass<'a> {
    pub(super) b: PackedRef<'a>,
    /// The elements of k.
    pub(super) piece: Range<usize>,
    pub(super) ready: Ready<'a, f32>,
    /// Rows and columns in the whole C.
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    pub(super) heights: Heights,
    pub(super) finish: &'a Finish<'a>,
    pub(super) first: bool,
    pub(super) last: bool,
}

impl Pass<'_> {
    fn run(
        &self,
        c: &mut MatrixMut<'_, f32>,
        edges: &mut [Edge; 2],
        floats: &mut [f32],
        mut split: Option<&mut Split<'_>>,
    ) {
        let tile = self.b.tile;
        if let Panels::F32(data) = self.b.data
            && self.b.n <= NARROW
        {
            return self.dots(c, data, floats);
        }
        let mut at = self.columns.start;
        let mut finished = at;
        while at < self.columns.end {
            // Few rows leave registers free: for them tiles are several panels wide.
            let wide = if split.is_some() { tile.nr } else { tile.wide_columns(self.rows.len()) };
            let to = if at + wide <= self.columns.end {
                at + wide
            } else {
                (at + tile.nr).min(self.columns.end)
            };
            match &mut split {
                Some(split) => split.panel(self, c, at..to, edges, floats),
                None => self.panel(c, at..to, edges, floats),
            }
            at = to;
            if let Some(post) = self.finish.post
                && self.last
                && (at - finished >= POST_COLUMNS || at == self.columns.end)
            {
                let base = self.columns.start;
                let mut done = c.part(0..self.rows.len(), finished - base..at - base);
                post(self.rows.clone(), finished..at, &mut done);
                finished = at;
            }
        }
    }

    /// Computes the one panel of a B that has few columns.
    fn dots(&self, c: &mut MatrixMut<'_, f32>, data: &[f32], floats: &mut [f32]) {
        let (n, len) = (self.b.n, self.piece.len());
        let width = n.next_multiple_of(self.b.tile.lanes);
        let panel = &data[self.piece.start * width..][..len * width];
        let columns = &mut floats[..n * len];
        for (k, row) in panel.chunks_exact(width).enumerate() {
            for (j, &x) in row[..n].iter().enumerate() {
                columns[j * len + k] = x;
            }
        }
        let start = match self.finish.start {
            Start::Zero if self.first => Some([0.0; NARROW]),
            Start::Columns(values) if self.first => {
                let mut start = [0.0; NARROW];
                start[..n].copy_from_slice(&values[..n]);
                Some(start)
            }
            Start::Zero | Start::Columns(_) | Start::Rows(_) | Start::Accumulate => None,
        };
        let dots = Dots {
            ready: &self.ready,
            heights: self.heights,
            columns,
            start,
            finish: self.finish,
            last: self.last,
            first_row: self.rows.start,
            c,
        };
        // SAFETY: `ready` was made for these rows and this piece.
        unsafe { dots.run(self.b.tile.isa) };
        if let Some(post) = self.finish.post
            && self.last
        {
            post(self.rows.clone(), self.columns.clone(), c);
        }
    }

    /// The packed panels of some columns, at the first k of the piece, and how far they are apart.
    pub(super) fn packed<'f>(
        &'f self,
        columns: &Range<usize>,
        width: usize,
        floats: &'f mut [f32],
    ) -> (&'f [f32], usize) {
        let (nr, first) = (self.b.tile.nr, columns.start / self.b.tile.nr);
        match self.b.data {
            Panels::F32(data) => {
                let len = nr * self.b.k;
                (&data[first * len + self.piece.start * width..], len)
            }
            Panels::Quantized(b) => {
                let len = self.piece.len() * nr;
                for panel in first..columns.end.div_ceil(nr) {
                    let to = &mut floats[(panel - first) * len..][..self.piece.len() * width];
                    b.floats(panel, self.piece.clone(), width, to);
                }
                (floats, len)
            }
        }
    }

    /// Computes some columns, at most those of a tile, of all rows.
    pub(super) fn panel(
        &self,
        c: &mut MatrixMut<'_, f32>,
        columns: Range<usize>,
        [edge, added]: &mut [Edge; 2],
        floats: &mut [f32],
    ) {
        let tile: &Tile = self.b.tile;
        let width = columns.len().min(tile.nr).next_multiple_of(tile.lanes);
        let (packed, panel_stride) = self.packed(&columns, width, floats);
        let base = self.columns.start;
        let mut c = c.part(0..self.rows.len(), columns.start - base..columns.end - base);
        // Columns that C does not have are computed beside it.
        let written = tile.written(columns.len());
        let whole = columns.len() == written;
        let accumulate =
            !self.first || matches!(self.finish.start, Start::Accumulate | Start::Rows(_));
        let mut first = [0.0; MAX_WIDTH];
        if let Start::Columns(values) = self.finish.start
            && !accumulate
        {
            first[..columns.len()].copy_from_slice(&values[columns.clone()]);
        }
        let [low, high] = if self.last { self.finish.clamp } else { Finish::NONE.clamp };
        let residual = self.finish.residual.filter(|_| self.last);
        let mut call = Call {
            rows: std::ptr::null(),
            segments: self.ready.segments,
            depth: self.ready.len,
            step: 1,
            b: packed.as_ptr(),
            panel_stride,
            start: first.as_ptr(),
            start_stride: 0,
            residual: std::ptr::null(),
            residual_stride: 0,
            ahead: packed.as_ptr(),
            ahead_step: if self.heights.tiles > 1 {
                tile.nr.div_ceil(self.heights.tiles)
            } else {
                0
            },
            c: edge.0.as_mut_ptr(),
            c_stride: columns.len().next_multiple_of(tile.lanes),
            low,
            high,
        };
        for (i, rows) in (0..self.heights.tiles).map(|i| self.heights.rows(i)).enumerate() {
            // While one panel is computed the next one comes from memory, a share with each tile.
            call.ahead =
                packed.as_ptr().wrapping_add(panel_stride + i * self.piece.len() * call.ahead_step);
            call.rows = self.ready.table(&rows);
            if whole {
                let mut part = c.part(rows.clone(), 0..columns.len());
                call.c = part.as_mut_ptr();
                call.c_stride = part.stride();
            } else if accumulate {
                for (i, row) in rows.clone().enumerate() {
                    edge.0[i * call.c_stride..][..columns.len()].copy_from_slice(c.row(row));
                }
            }
            if accumulate {
                call.start = call.c;
                call.start_stride = call.c_stride;
            }
            if let Some(residual) = &residual {
                let from = (self.rows.start + rows.start) * residual.row_stride + columns.start;
                let last = (rows.len() - 1) * residual.row_stride + columns.len();
                let from = &residual.data[from..][..last];
                (call.residual, call.residual_stride) = (from.as_ptr(), residual.row_stride);
                if !whole {
                    for (i, row) in from.chunks(residual.row_stride).enumerate() {
                        let to = &mut added.0[i * call.c_stride..][..columns.len()];
                        to.copy_from_slice(&row[..columns.len()]);
                    }
                    (call.residual, call.residual_stride) = (added.0.as_ptr(), call.c_stride);
                }
            }
            // SAFETY: `check` has found the tile's instruction set available. The table is from
            // `ready` for these rows; the packed panel (or panels: whole ones) holds all k from the
            // piece's first on; `start`, `residual` and `c` point to these rows of the tile's
            // width, outside `Edge` only where the width is whole.
            unsafe { tile.run(rows.len(), columns.len())(&call) };
            if !whole {
                for (i, row) in rows.enumerate() {
                    let from = &edge.0[i * call.c_stride..][..columns.len()];
                    c.row(row).copy_from_slice(from);
                }
            }
        }
    }
}

/// A tile's worth of memory at the right edge of C: for results, or for what is added to them.
#[repr(align(64))]
pub(super) struct Edge([f32; MAX_TILE]);
