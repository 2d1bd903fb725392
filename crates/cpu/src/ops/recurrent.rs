//! What LSTM and GRU share: operands as floats, packed weights, the products with them.

use std::ops::Range;

use webnn_core::ops::lstm::Activation;
use webnn_kernels::Isa;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::gemm::{
    Block, Depth, Filter, Finish, Matrix, MatrixMut, PackedB, PackedRef, Rows, Start, Tile, gemm,
    pack, packed_len, scratch_bytes,
};
use webnn_kernels::map::{Unary, unary};

use crate::io::Io;
use crate::kernel::Cx;
use crate::threads::{Pieces, Threads};

/// A product with fewer multiplications is left to one thread.
const LEAST_PRODUCTS: usize = 1 << 17;

/// The operands of a kernel by slot, constants read once and the others at each run.
#[derive(Default)]
pub(super) struct Operands {
    /// The slots whose values are read at each run, in order.
    pub(super) reads: Vec<usize>,
}

/// A float operand.
pub(super) enum Floats {
    Absent,
    Constant(Vec<f32>),
    /// Read at each run: the index among the reads.
    Read(usize),
}

impl Operands {
    /// The operand in a slot.
    pub(super) fn floats(&mut self, cx: &Cx<'_>, slot: usize) -> Floats {
        if let Some(constant) = cx.opt(slot).and_then(|id| cx.floats(id)) {
            return Floats::Constant(constant);
        }
        if cx.opt(slot).is_none() {
            return Floats::Absent;
        }
        self.reads.push(slot);
        Floats::Read(self.reads.len() - 1)
    }
}

impl Floats {
    /// The elements; none where the operand is absent.
    pub(super) fn get<'a>(&'a self, io: &Io<'a>) -> &'a [f32] {
        match self {
            Floats::Absent => &[],
            Floats::Constant(elements) => elements,
            Floats::Read(index) => io.read(*index),
        }
    }
}

/// Some columns of the transposed weight of each direction, packed when the graph is compiled if
/// the weight is constant.
pub(super) struct Weight {
    elements: Floats,
    packed: Vec<PackedB>,
    tile: &'static Tile,
    /// The weight's rows in all, and those that are used: columns of the product.
    rows: usize,
    used: std::ops::Range<usize>,
    /// The weight's columns: the depth of the product.
    depth: usize,
}

impl Weight {
    /// The rows `used` of a weight of `[directions, rows, depth]`.
    pub(super) fn new(
        operands: &mut Operands,
        cx: &Cx<'_>,
        slot: usize,
        [directions, rows, depth]: [usize; 3],
        used: std::ops::Range<usize>,
    ) -> Weight {
        let mut weight = Weight {
            elements: operands.floats(cx, slot),
            packed: Vec::new(),
            tile: Tile::of(cx.isa),
            rows,
            used,
            depth,
        };
        if let Floats::Constant(elements) = &weight.elements {
            let filter = |pass| PackedB::new(weight.tile, weight.filter(elements, pass));
            weight.packed = (0..directions).map(filter).collect();
            weight.elements = Floats::Absent;
        }
        weight
    }

    fn filter<'a>(&self, elements: &'a [f32], pass: usize) -> Filter<'a, f32> {
        let all = &elements[pass * self.rows * self.depth..][..self.rows * self.depth];
        let used = &all[self.used.start * self.depth..self.used.end * self.depth];
        Matrix::row_major(used, [self.used.len(), self.depth]).transposed().into()
    }

    pub(super) fn packed_bytes(&self) -> usize {
        4 * self.packed.len() * self.packed_len()
    }

    fn packed_len(&self) -> usize {
        packed_len(self.tile, self.depth, self.used.len())
    }

    /// What [`Weight::room`] takes of the scratch.
    pub(super) fn scratch_bytes(&self) -> usize {
        match self.packed.is_empty() {
            true => Scratch::bytes_for::<f32>(self.packed_len()),
            false => 0,
        }
    }

    /// The unpacked elements, to be handed to [`Weight::get`].
    pub(super) fn elements<'a>(&'a self, io: &Io<'a>) -> &'a [f32] {
        self.elements.get(io)
    }

    /// Room to pack one direction at a time; empty where that has been done.
    pub(super) fn room<'a>(&self, scratch: &mut Scratch<'a>) -> &'a mut [f32] {
        match self.packed.is_empty() {
            true => scratch.take(self.packed_len()),
            false => &mut [],
        }
    }

    /// The weight of one direction.
    pub(super) fn get<'a>(
        &'a self,
        pass: usize,
        elements: &[f32],
        room: &'a mut [f32],
    ) -> PackedRef<'a> {
        if let Some(packed) = self.packed.get(pass) {
            return packed.view();
        }
        let filter = self.filter(elements, pass);
        pack(self.tile, filter, 0..self.tile.panels(self.used.len()), room);
        PackedRef::new(self.tile, room, [self.depth, self.used.len()])
    }

    /// The scratch that one [`product`] of so many rows takes.
    pub(super) fn product_bytes(&self, rows: usize) -> usize {
        scratch_bytes(Depth::matrix(self.depth), rows)
    }
}

/// Adds `x · weight` to what the sums start from, or to what `to` holds.
pub(super) fn product(
    x: &[f32],
    rows: usize,
    weight: PackedRef<'_>,
    start: Start<'_>,
    to: &mut [f32],
    scratch: &mut [u8],
) {
    let x = Matrix::row_major(x, [rows, weight.rows()]);
    product_rows(x, 0..rows, weight, start, to, scratch);
}

/// The same for some rows: how sums are cut depends on the whole of `x`.
fn product_rows(
    x: Matrix<'_, f32>,
    rows: Range<usize>,
    weight: PackedRef<'_>,
    start: Start<'_>,
    to: &mut [f32],
    scratch: &mut [u8],
) {
    let columns = weight.columns();
    let to = MatrixMut::new(to, [rows.len(), columns], columns);
    let finish = Finish { start, ..Finish::NONE };
    gemm(&Rows::Matrix(x), weight, to, &Block { rows, columns: 0..columns }, &finish, scratch);
}

/// A [`product`] of many rows, cut over the threads; `scratch` is cut likewise.
pub(super) fn projection(
    threads: &Threads,
    x: &[f32],
    weight: PackedRef<'_>,
    bias: &[f32],
    to: &mut [f32],
    scratch: &mut [u8],
) {
    let (depth, columns) = (weight.rows(), weight.columns());
    let rows = to.len() / columns;
    let parts = threads.parts(rows, LEAST_PRODUCTS.div_ceil(depth * columns));
    let results = Pieces::new(to, columns, parts);
    let x = Matrix::row_major(x, [rows, depth]);
    let room = scratch.len() / parts;
    let rooms = Pieces::new(scratch, room, parts);
    threads.run(parts, &|part| {
        let (rows, to) = results.take(part);
        let (_, scratch) = rooms.take(part);
        product_rows(x, rows, weight, Start::Columns(bias), to, scratch);
    });
}

/// The kernels' name of an activation.
pub(super) fn unary_of(activation: Activation) -> Unary {
    match activation {
        Activation::Relu => Unary::Relu,
        Activation::Sigmoid => Unary::Sigmoid,
        Activation::Tanh => Unary::Tanh,
    }
}

/// Applies an activation in place, by way of `room`.
pub(super) fn activate(isa: Isa, op: Unary, x: &mut [f32], room: &mut [f32]) {
    let room = &mut room[..x.len()];
    room.copy_from_slice(x);
    unary(isa, op, room, x);
}
