//! Attention: every head by itself, without the scores in memory.

use webnn_core::{DataType, Graph, NodeId, Op, ValueId};
use webnn_kernels::Isa;
use webnn_kernels::attention::{self, Joined, Part, attention, attention_joined};
use webnn_kernels::copy::Stream;
use webnn_kernels::gemm::{Matrix, MatrixMut};
use webnn_passes::{Attention, View};

use crate::blocks::{Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel};
use crate::threads::{MAX_THREADS, Pieces, Threads, share};

/// A head's queries are cut at multiples of this: the queries that are computed together.
const QUERIES: usize = 32;

/// Multiplications and additions that are worth waking a thread for.
const LEAST_FLOPS: usize = 400_000;

/// To read a key and a value takes as long as computing with so many queries.
const LEAST_ROWS: usize = 4;

/// From so many bytes of constants on, what a run writes has left the caches before the next one.
const FAR: u64 = 64 << 20;

/// A concat of keys or of values that nobody but the attention takes: past ones and new ones. They
/// are joined while they are in the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Join {
    pub(crate) node: NodeId,
    past: ValueId,
    next: ValueId,
    /// How many rows a head has in each.
    rows: [usize; 2],
}

/// The concats that an attention of these nodes can compute; `uses` says how often nodes take each value.
pub(crate) fn joins(
    graph: &Graph,
    group: &Attention,
    nodes: &[NodeId],
    uses: &[usize],
) -> Option<[Join; 2]> {
    let [batch, heads, rows, _] = group.q.sizes;
    if rows > attention::FEW {
        return None;
    }
    let join = |view: &View| -> Option<Join> {
        let node = graph.producer(view.value)?;
        let Op::Concat(op) = &graph.node(node).op else { return None };
        let [Some(past), Some(next)] = graph.node(node).inputs[..] else { return None };
        let whole = graph.desc(view.value);
        let taken = nodes.iter().flat_map(|&id| graph.node(id).inputs.iter().flatten());
        let is_private = taken.filter(|&&id| id == view.value).count() == uses[view.value.index()];
        let is_read = [past, next].iter().all(|&id| graph.constant(id).is_none());
        if whole.data_type != DataType::Float32 || !is_private || !is_read {
            return None;
        }
        let axis = op.axis as usize;
        let size = |sizes: &[u32]| sizes.iter().map(|&size| size as usize).product::<usize>();
        let stacked = batch * heads / view.repeat.max(1);
        let [.., keys, columns] = view.sizes;
        let expected = [heads / view.repeat.max(1) * keys * columns, keys * columns, columns, 1];
        let sizes = [batch, heads / view.repeat.max(1), keys, columns];
        let in_order = (0..4).all(|i| sizes[i] == 1 || view.strides[i] == expected[i]);
        let shape = &whole.shape[..];
        let fits = [size(&shape[..axis]), shape[axis] as usize, size(&shape[axis + 1..])]
            == [stacked, keys, columns];
        let part = |id: ValueId| graph.desc(id).shape[axis] as usize;
        // A concat of one stack, or along the innermost dimension, may be computed in place.
        let is_taken = fits && in_order && view.offset == 0 && stacked > 1 && columns > 1;
        (is_taken && stacked <= MAX_THREADS).then(|| Join {
            node,
            past,
            next,
            rows: [part(past), part(next)],
        })
    };
    let (k, v) = (join(&group.k)?, join(&group.v)?);
    let same_rows = k.rows == v.rows && group.k.repeat == group.v.repeat;
    (same_rows && k.node != v.node).then_some([k, v])
}

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
    joined: Option<Parts>,
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

/// Keys and values in parts, which are joined into the results after the first.
struct Parts {
    /// The reads of past and new keys, and of past and new values.
    reads: [[usize; 2]; 2],
    /// How many rows a head has in each part.
    rows: [usize; 2],
    /// Whether they get there past the caches.
    is_stream: bool,
}

/// The kernel for a group, with what it joins, and whether [past the caches](is_stream); `cx` is its
/// last node's. `None` where the result cannot be written row by row.
#[inline(never)]
pub(crate) fn lower(
    group: &Attention,
    joins: Option<(&[Join; 2], bool)>,
    cx: &Cx<'_>,
) -> Option<Built> {
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
    let mut read = |value: ValueId| {
        reads.iter().position(|&id| id == value).unwrap_or_else(|| {
            reads.push(value);
            reads.len() - 1
        })
    };
    let joined = joins.map(|(joins, is_stream)| Parts {
        reads: joins.map(|join| [read(join.past), read(join.next)]),
        rows: joins[0].rows,
        is_stream,
    });
    let mut operand = |view: &View| Operand { read: read(view.value), view: *view };
    let q = operand(&group.q);
    let mask = group.mask.as_ref().map(&mut operand);
    let [k, v] = match &joined {
        None => [&group.k, &group.v].map(operand),
        Some(parts) => [(0, group.k), (1, group.v)]
            .map(|(which, view)| Operand { read: parts.reads[which][0], view }),
    };
    let (depth, keys) = (group.q.sizes[3], group.k.sizes[2]);
    let flops = 2 * batch * heads * rows.max(LEAST_ROWS) * keys * (depth + columns);
    let parts = (flops / LEAST_FLOPS).clamp(1, cx.threads.count());
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
    let pieces = (1..=parts.min(rows.div_ceil(QUERIES)).max(1))
        .min_by_key(|&pieces| busiest(rows, pieces, stacked, width, parts))
        .expect("a head may stay whole");
    let starts = (0..stacked)
        .flat_map(|i| (0..pieces).map(move |piece| i * rows + cut(rows, pieces, piece)));
    let kernel = Heads {
        q,
        k,
        v,
        mask,
        joined,
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
    let mut writes = vec![cx.node.outputs[0]];
    let concats = joins.into_iter().flat_map(|(joins, _)| joins);
    writes.extend(concats.map(|join| cx.graph.node(join.node).outputs[0]));
    Some(Built { kernel: Box::new(kernel), reads, writes })
}

/// Where a piece of a head's queries starts.
fn cut(rows: usize, pieces: usize, piece: usize) -> usize {
    if piece == pieces {
        return rows;
    }
    ((rows * piece / pieces + QUERIES / 2) / QUERIES * QUERIES).min(rows)
}

/// How many queries the busiest part has if every head is cut so: `width` heads lie side by side,
/// and there are so many times as many.
fn busiest(rows: usize, pieces: usize, stacked: usize, width: usize, parts: usize) -> usize {
    let queries = |cell: usize| {
        let piece = cell / width % pieces;
        cut(rows, pieces, piece + 1) - cut(rows, pieces, piece)
    };
    let of_part = |part| share(stacked * pieces * width, parts, part).map(queries).sum();
    (0..parts).map(of_part).max().unwrap_or(0)
}

/// Whether rows are joined past the caches.
pub(crate) fn is_stream(graph: &Graph) -> bool {
    let constant = |i: usize| graph.constant(ValueId(i as u32)).map_or(0, |x| x.len() as u64);
    (0..graph.values().len()).map(constant).sum::<u64>() >= FAR
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
        let wholes = self.joined.as_ref().map(|_| {
            [(1, &self.k.view), (2, &self.v.view)].map(|(index, view)| {
                let [batch, heads, rows, columns] = view.sizes;
                let count = batch * heads / view.repeat.max(1);
                Pieces::new(io.write::<f32>(index), rows * columns, count)
            })
        });
        let io = &*io;
        let matrix = MatrixMut::new(output, self.shape, self.shape[1]);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        let [heads, rows] = self.sizes;
        threads.run(self.parts, &|part| {
            let (_, scratch) = scratch.take(part);
            let is_stream = self.joined.as_ref().is_some_and(|parts| parts.is_stream);
            let stream = is_stream.then(Stream::default);
            for cell in cells.take(part) {
                let stacked = cell.rows.start / rows;
                let (batch, head) = match self.are_across {
                    true => (stacked, cell.across),
                    false => (stacked / heads, stacked % heads),
                };
                let mask = self.mask.as_ref().map(|mask| mask.matrix(io, batch, head));
                let q = self.q.matrix(io, batch, head);
                if let (Some(parts), Some(wholes)) = (&self.joined, &wholes) {
                    let repeat = self.k.view.repeat.max(1);
                    let index = batch * (heads / repeat) + head / repeat;
                    let [past, next] = parts.of(io, index, [&self.k.view, &self.v.view]);
                    // The first of the heads that share keys and values joins them.
                    let joined = head.is_multiple_of(repeat).then(|| {
                        let [k, v] = wholes.each_ref().map(|whole| whole.take(index).1);
                        Joined { k, v, stream: stream.as_ref() }
                    });
                    let operands =
                        attention::Attention { q, k: past.k, v: past.v, mask, scale: self.scale };
                    attention_joined(self.isa, &operands, next, cell.matrix, scratch, joined);
                    continue;
                }
                let operands = attention::Attention {
                    q,
                    k: self.k.matrix(io, batch, head),
                    v: self.v.matrix(io, batch, head),
                    mask,
                    scale: self.scale,
                };
                let first = cell.rows.start - stacked * rows;
                let queries = first..first + cell.rows.len();
                attention(self.isa, &operands, queries, cell.matrix, scratch);
            }
        });
    }
}

impl Parts {
    /// The parts of one head's keys and values.
    fn of<'a>(&self, io: &Io<'a>, index: usize, views: [&View; 2]) -> [Part<'a>; 2] {
        [0, 1].map(|part| {
            let rows = self.rows[part];
            let matrix = |which: usize| {
                let columns = views[which].sizes[3];
                let data: &'a [f32] = io.read(self.reads[which][part]);
                let start = index * rows * columns;
                Matrix::row_major(&data[start..start + rows * columns], [rows, columns])
            };
            Part { k: matrix(0), v: matrix(1) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_shared_out_evenly() {
        for (rows, [stacked, width], parts, expected) in [
            (197, [1, 3], 2, 303),
            (197, [3, 1], 2, 298),
            (128, [1, 12], 2, 768),
            (1500, [1, 6], 4, 2292),
            (1, [1, 12], 5, 3),
        ] {
            let most = parts.min(usize::div_ceil(rows, QUERIES));
            let least = (1..=most).map(|pieces| busiest(rows, pieces, stacked, width, parts)).min();
            assert_eq!(least, Some(expected), "{rows} queries of {stacked} x {width} heads");
        }
    }
}
