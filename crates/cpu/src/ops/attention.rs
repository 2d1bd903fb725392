//! Attention: every head by itself, without the scores in memory.

use webnn_core::{DataType, ValueId};
use webnn_kernels::Isa;
use webnn_kernels::attention::{self, attention};
use webnn_kernels::gemm::{Matrix, MatrixMut};
use webnn_passes::{Attention, View};

use crate::blocks::{Cells, SharedCells};
use crate::half;
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel};
use crate::threads::{Pieces, Threads};

/// Pieces of a head's queries are multiples of this.
const QUERIES: usize = 32;

/// Multiplications and additions that are worth waking a thread for.
const LEAST_FLOPS: usize = 400_000;

/// To read a key and a value takes as long as computing with so many queries.
const LEAST_ROWS: usize = 4;

/// An operand: the kernel's read of an index, seen as batch, heads, rows and columns.
struct Operand {
    read: usize,
    view: View,
}

struct Heads {
    q: Operand,
    k: Operand,
    v: Operand,
    mask: Option<Operand>,
    scale: f32,
    /// Heads and queries.
    sizes: [usize; 2],
    /// The result as a matrix: a row per query.
    shape: [usize; 2],
    /// Whether the heads of a query lie side by side in its row, or in rows further down.
    are_across: bool,
    cells: Cells,
    parts: usize,
    isa: Isa,
}

/// The kernel for a group; `cx` is its last node's. `None` where the result cannot be written row
/// by row.
#[inline(never)]
pub(crate) fn lower(group: &Attention, cx: &Cx<'_>) -> Option<Built> {
    let is_half = cx.graph.desc(group.q.value).data_type == DataType::Float16;
    let built = build(group, cx)?;
    if is_half { half::wrap(built, cx.graph, cx.threads.count(), cx.isa) } else { Some(built) }
}

fn build(group: &Attention, cx: &Cx<'_>) -> Option<Built> {
    let [batch, heads, rows, columns] = group.output.sizes;
    if columns > 1 && group.output.strides[3] != 1 {
        return None;
    }
    let types = [Some(&group.q), Some(&group.k), Some(&group.v), group.mask.as_ref()];
    let data_type = cx.graph.desc(group.q.value).data_type;
    if types.into_iter().flatten().any(|view| cx.graph.desc(view.value).data_type != data_type) {
        return None;
    }
    let mut reads: Vec<ValueId> = Vec::new();
    let mut operand = |view: &View| {
        let read = reads.iter().position(|&id| id == view.value).unwrap_or_else(|| {
            reads.push(view.value);
            reads.len() - 1
        });
        Operand { read, view: *view }
    };
    let (q, k, v) = (operand(&group.q), operand(&group.k), operand(&group.v));
    let mask = group.mask.as_ref().map(&mut operand);
    let (depth, keys) = (group.q.sizes[3], group.k.sizes[2]);
    let flops = 2 * batch * heads * rows.max(LEAST_ROWS) * keys * (depth + columns);
    let parts = (flops / LEAST_FLOPS).clamp(1, cx.threads.count());
    // Heads are shared out whole where there are enough of them.
    let queries = match batch * heads >= 2 * parts {
        true => rows,
        false => rows.div_ceil(parts).next_multiple_of(QUERIES).min(rows),
    };
    let View { offset, strides, .. } = group.output;
    let across = [rows * heads * columns, columns, heads * columns];
    let down = [heads * rows * columns, rows * columns, columns];
    let agrees = |expected: [usize; 3]| {
        let sizes = [batch, heads, rows];
        offset == 0 && (0..3).all(|i| sizes[i] == 1 || strides[i] == expected[i])
    };
    let (stacked, width) = match (agrees(across), agrees(down)) {
        (true, _) => (batch, heads),
        (false, true) => (batch * heads, 1),
        (false, false) => return None,
    };
    let starts = (0..stacked)
        .flat_map(|i| (0..rows).step_by(queries.max(1)).map(move |query| i * rows + query));
    let kernel = Heads {
        q,
        k,
        v,
        mask,
        scale: group.scale,
        sizes: [heads, rows],
        shape: [stacked * rows, width * columns],
        are_across: agrees(across),
        cells: Cells::new(
            starts.chain([stacked * rows]).collect(),
            (0..=width).map(|i| i * columns).collect(),
        ),
        parts,
        isa: cx.isa,
    };
    Some(Built { kernel: Box::new(kernel), reads, writes: vec![cx.node.outputs[0]] })
}

impl Operand {
    /// The matrix of one head.
    fn matrix<'a>(&self, io: &Io<'a>, batch: usize, head: usize) -> Matrix<'a, f32> {
        let View { offset, sizes, strides, repeat, .. } = self.view;
        let start = offset + batch * strides[0] + head / repeat.max(1) * strides[1];
        let data: &'a [f32] = io.read(self.read);
        Matrix::new(&data[start..], [sizes[2], sizes[3]], [strides[2], strides[3]])
    }
}

impl Heads {
    fn part_bytes(&self) -> usize {
        attention::scratch_bytes(self.isa, self.q.view.sizes[3], self.v.view.sizes[3])
            .next_multiple_of(64)
    }
}

impl Kernel for Heads {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        self.parts * self.part_bytes() + 64
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let scratch = Pieces::new(io.scratch(), self.part_bytes(), self.parts);
        let output = io.write::<f32>(0);
        let io = &*io;
        let matrix = MatrixMut::new(output, self.shape, self.shape[1]);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        let [heads, rows] = self.sizes;
        threads.run(self.parts, &|part| {
            let (_, scratch) = scratch.take(part);
            for cell in cells.take(part) {
                let stacked = cell.rows.start / rows;
                let (batch, head) = match self.are_across {
                    true => (stacked, cell.across),
                    false => (stacked / heads, stacked % heads),
                };
                let operands = attention::Attention {
                    q: self.q.matrix(io, batch, head),
                    k: self.k.matrix(io, batch, head),
                    v: self.v.matrix(io, batch, head),
                    mask: self.mask.as_ref().map(|mask| mask.matrix(io, batch, head)),
                    scale: self.scale,
                };
                let first = cell.rows.start - stacked * rows;
                let queries = first..first + cell.rows.len();
                attention(self.isa, &operands, queries, cell.matrix, scratch);
            }
        });
    }
}
