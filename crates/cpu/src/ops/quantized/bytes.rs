//! Element-wise operators and joins of bytes.

use webnn_core::ops::Concat;
use webnn_core::reference::Tensor;
use webnn_core::{DataType, Desc};
use webnn_kernels::Isa;
use webnn_kernels::bytes::{Operands, Operation, Scale, Target, binary, look_up};

use super::{Made, Source, byte};
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements are computed by one thread.
const LEAST: usize = 1 << 14;

struct Binary {
    operation: Operation,
    scales: [Scale; 2],
    to: Target,
    isa: Isa,
}

pub(super) fn lower_binary(operation: Operation, cx: &Cx<'_>, made: &Made) -> Option<Built> {
    let mut sources = [Source::of(cx, 0)?, Source::of(cx, 1)?];
    let size = |slot: usize| cx.input(slot).elements();
    let elements = cx.output(0).elements();
    if size(0) != elements {
        if operation == Operation::Sub {
            return None;
        }
        sources.swap(0, 1);
    }
    let [larger, smaller] = [size(0).max(size(1)), size(0).min(size(1))];
    if larger != elements || !(smaller == elements || smaller == 1) {
        return None;
    }
    let [a, b] = sources;
    let kernel = Binary { operation, scales: [a.scale, b.scale], to: made.to, isa: cx.isa };
    Some(Built {
        kernel: Box::new(kernel),
        reads: vec![a.value, b.value],
        writes: vec![made.value],
    })
}

impl Kernel for Binary {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let y = io.write::<u8>(0);
        let [a, b] = [io.read::<u8>(0), io.read::<u8>(1)];
        let is_one = b.len() != y.len();
        threads.rows(y, 1, LEAST, |range, y| {
            let b = if is_one { b } else { &b[range.clone()] };
            let x = Operands { data: [&a[range], b], scales: self.scales };
            binary(self.isa, self.operation, x, self.to, y);
        });
    }
}

/// A result for each byte.
struct Table([u8; 256]);

pub(super) fn lower_unary(cx: &Cx<'_>, made: &Made) -> Option<Built> {
    let source = Source::of(cx, 0)?;
    let function = |values: &[f32; 256]| {
        let desc = Desc::new(DataType::Float32, [256].into_iter().collect());
        let values = values.iter().map(|&x| f64::from(x)).collect();
        let results = cx.node.op.reference(&[Some(&Tensor::float(desc, values))], &[desc]);
        std::array::from_fn(|i| results[0].floats()[i] as f32)
    };
    let kernel = Table(table(source.scale, made.to, function));
    Some(Built { kernel: Box::new(kernel), reads: vec![source.value], writes: vec![made.value] })
}

/// What bytes become that are dequantized, given to a function and quantized.
fn table(from: Scale, to: Target, function: impl FnOnce(&[f32; 256]) -> [f32; 256]) -> [u8; 256] {
    let values: [f32; 256] = std::array::from_fn(|i| {
        let byte = i as u8;
        let value = if from.is_signed { i32::from(byte.cast_signed()) } else { i32::from(byte) };
        (value - from.zero_point) as f32 * from.scale
    });
    function(&values).map(|x| {
        let held = byte(x, to.scale).clamp(to.clamp[0], to.clamp[1]);
        if x.is_nan() { 0 } else { held as u8 }
    })
}

impl Kernel for Table {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let y = io.write::<u8>(0);
        let x = io.read::<u8>(0);
        threads.rows(y, 1, LEAST, |range, y| look_up(&self.0, &x[range], y));
    }
}

/// Rows of the result, each made of a piece of every operand.
struct Join {
    row: usize,
    pieces: Vec<Piece>,
}

struct Piece {
    /// Where it begins in a row, and its elements.
    start: usize,
    len: usize,
    /// What its bytes become; none where they stay.
    table: Option<[u8; 256]>,
}

pub(super) fn lower_concat(op: &Concat, cx: &Cx<'_>, made: &Made) -> Option<Built> {
    let axis = op.axis as usize;
    let inner = |desc: &Desc| sizes(desc)[axis..].iter().product::<usize>();
    let (mut start, mut pieces, mut reads) = (0, Vec::new(), Vec::new());
    for slot in 0..cx.node.inputs.len() {
        let source = Source::of(cx, slot)?;
        let len = inner(&cx.input(slot));
        let stays = source.scale == made.to.scale && made.to.clamp == made.to.scale.range();
        let table = (!stays).then(|| table(source.scale, made.to, |values| *values));
        pieces.push(Piece { start, len, table });
        reads.push(source.value);
        start += len;
    }
    let kernel = Join { row: inner(&cx.output(0)), pieces };
    Some(Built { kernel: Box::new(kernel), reads, writes: vec![made.value] })
}

impl Kernel for Join {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let least = LEAST.div_ceil(self.row.max(1));
        let to = io.write::<u8>(0);
        let io = &*io;
        threads.rows(to, self.row, least, |rows, to| {
            for (index, Piece { start, len, table }) in self.pieces.iter().enumerate() {
                let from = &io.read::<u8>(index)[rows.start * len..rows.end * len];
                let pairs = from.chunks_exact((*len).max(1)).zip(to.chunks_exact_mut(self.row));
                for (from, to) in pairs {
                    let to = &mut to[*start..start + len];
                    match table {
                        Some(table) => look_up(table, from, to),
                        None => to.copy_from_slice(from),
                    }
                }
            }
        });
    }
}
