//! What LSTM and GRU share: operands as floats, packed weights, the products with them, and how the
//! threads share a step.

use std::ops::Range;
use std::time::Duration;

use webnn_core::ops::lstm;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::gemm::{
    Block, Depth, Filter, Finish, Matrix, MatrixMut, PackedB, PackedRef, Rows, Start, Tile, gemm,
    pack, packed_len, scratch_bytes,
};
use webnn_kernels::recurrent::Activation;

use crate::blocks::{Cells, SharedCells};
use crate::io::Io;
use crate::kernel::Cx;
use crate::ops::matrix::packed;
use crate::peak::line;
use crate::threads::{Pieces, Threads};

/// A product with fewer multiplications is left to one thread.
const LEAST_PRODUCTS: usize = 1 << 17;

/// The same within a step: threads that spin from one step to the next share it in half a microsecond.
const LEAST_IN_STEP: usize = 1 << 14;

/// With so many, a step is shared even where the threads' cores have no cache together: that takes some
/// three microseconds.
const LEAST_APART: usize = 1 << 17;

/// From so many steps on it pays to find out how the cores lie.
const LEAST_STEPS: usize = 16;

/// A line takes longer to a core that has no cache together with the one that wrote it.
const APART: Duration = Duration::from_nanos(80);

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

/// The transposed weight of each direction, packed when the graph is compiled if the weight is
/// constant. The columns of some gates lie in turns of a vector of units each, as the kernels that
/// take the gates' sums ask for.
pub(super) struct Weight {
    elements: Floats,
    packed: Vec<PackedB>,
    tile: &'static Tile,
    turns: Turns,
    /// The gates of the weight.
    all: usize,
    /// The weight's columns: the depth of the product.
    depth: usize,
}

/// How the columns of gates lie.
struct Turns {
    /// The gates' places in the operand, in the order of a turn.
    gates: Vec<usize>,
    units: usize,
    lanes: usize,
}

impl Turns {
    fn columns(&self) -> usize {
        self.units.next_multiple_of(self.lanes) * self.gates.len()
    }

    /// Puts rows of `depth` elements into the order of the columns, with zeros past the last unit.
    fn order(&self, from: &[f32], depth: usize, to: &mut [f32]) {
        for (turn, to) in to.chunks_exact_mut(self.lanes * depth).enumerate() {
            let gate = self.gates[turn % self.gates.len()];
            let unit = turn / self.gates.len() * self.lanes;
            let len = self.lanes.min(self.units - unit) * depth;
            to[..len].copy_from_slice(&from[(gate * self.units + unit) * depth..][..len]);
            to[len..].fill(0.0);
        }
    }
}

impl Weight {
    /// Some gates of a weight of `[directions, gates * units, depth]`, in this order.
    pub(super) fn new(
        operands: &mut Operands,
        cx: &Cx<'_>,
        slot: usize,
        [directions, all, units, depth]: [usize; 4],
        gates: &[usize],
    ) -> Weight {
        let tile = Tile::of(cx.isa);
        let turns = Turns { gates: gates.to_vec(), units, lanes: tile.lanes };
        let elements = operands.floats(cx, slot);
        let mut weight = Weight { elements, packed: Vec::new(), tile, turns, all, depth };
        if let Floats::Constant(elements) = &weight.elements {
            let mut ordered = vec![0.0; weight.columns() * depth];
            let pack = |pass| {
                weight.order(elements, pass, &mut ordered);
                packed(tile, weight.filter(&ordered), cx.threads)
            };
            weight.packed = (0..directions).map(pack).collect();
            weight.elements = Floats::Absent;
        }
        weight
    }

    /// The columns of the product.
    pub(super) fn columns(&self) -> usize {
        self.turns.columns()
    }

    fn order(&self, elements: &[f32], pass: usize, to: &mut [f32]) {
        let len = self.all * self.turns.units * self.depth;
        self.turns.order(&elements[pass * len..][..len], self.depth, to);
    }

    fn filter<'a>(&self, ordered: &'a [f32]) -> Filter<'a, f32> {
        Matrix::row_major(ordered, [self.columns(), self.depth]).transposed().into()
    }

    /// One direction's part of a bias in the order of the columns; zeros where there is none.
    pub(super) fn bias(&self, bias: &[f32], pass: usize, to: &mut [f32]) {
        if bias.is_empty() {
            return to.fill(0.0);
        }
        let len = self.all * self.turns.units;
        self.turns.order(&bias[pass * len..][..len], 1, to);
    }

    pub(super) fn packed_bytes(&self) -> usize {
        4 * self.packed.len() * self.packed_len()
    }

    fn packed_len(&self) -> usize {
        packed_len(self.tile, self.depth, self.columns())
    }

    /// What [`Weight::room`] takes of the scratch.
    pub(super) fn scratch_bytes(&self) -> usize {
        match self.packed.is_empty() {
            true => 2 * Scratch::bytes_for::<f32>(self.packed_len()),
            false => 0,
        }
    }

    /// The unpacked elements, to be handed to [`Weight::get`].
    pub(super) fn elements<'a>(&'a self, io: &Io<'a>) -> &'a [f32] {
        self.elements.get(io)
    }

    /// Room to order and to pack one direction at a time; empty where that has been done.
    pub(super) fn room<'a>(&self, scratch: &mut Scratch<'a>) -> [&'a mut [f32]; 2] {
        match self.packed.is_empty() {
            true => [0, 1].map(|_| scratch.take(self.packed_len())),
            false => [&mut [], &mut []],
        }
    }

    /// The weight of one direction.
    pub(super) fn get<'a>(
        &'a self,
        pass: usize,
        elements: &[f32],
        [ordered, room]: &'a mut [&mut [f32]; 2],
    ) -> PackedRef<'a> {
        if let Some(packed) = self.packed.get(pass) {
            return packed.view();
        }
        self.order(elements, pass, ordered);
        let columns = self.columns();
        pack(self.tile, self.filter(ordered), 0..self.tile.panels(columns), room);
        PackedRef::new(self.tile, room, [self.depth, columns])
    }

    /// The scratch that one [`product`] of so many rows takes.
    pub(super) fn product_bytes(&self, rows: usize) -> usize {
        scratch_bytes(Depth::matrix(self.depth), rows).next_multiple_of(64)
    }
}

/// How threads share a step: each computes all gates of some units.
pub(super) struct Shares {
    /// The state's columns.
    units: Cells,
    parts: usize,
    batch: usize,
    lanes: usize,
    steps: usize,
    /// The multiplications of a step.
    products: usize,
}

impl Shares {
    /// For so many steps that multiply `batch` rows with the weight.
    pub(super) fn new(weight: &Weight, [steps, batch]: [usize; 2], threads: &Threads) -> Shares {
        let (units, nr) = (weight.turns.units, weight.tile.nr);
        let panels = units.div_ceil(nr);
        let products = batch * weight.columns() * weight.depth;
        let parts = threads.parts(products, LEAST_IN_STEP).min(panels);
        let cuts = (0..=parts).map(|part| (part * panels / parts * nr).min(units)).collect();
        let lanes = weight.turns.lanes;
        let units = Cells::new(vec![0, batch], cuts);
        Shares { units, parts, batch, lanes, steps, products }
    }

    /// The threads, if it is faster to share the steps of a sequence. That changes no bit.
    pub(super) fn of<'t>(&self, threads: &'t Threads) -> Option<&'t Threads> {
        if self.parts == 1 {
            return None;
        }
        // WebAssembly has no clock, and its steps take longer.
        if cfg!(target_arch = "wasm32") || self.products >= LEAST_APART {
            return Some(threads);
        }
        // A few turns, and a wait that is short beside a sequence.
        let is_near = || line(threads, 8, 1 << 8).is_some_and(|line| line < APART);
        (self.steps >= LEAST_STEPS && is_near()).then_some(threads)
    }

    /// The columns of so many gates, cut likewise.
    pub(super) fn gates(&self, count: usize) -> Cells {
        let cuts = self.units.column_cuts().iter().map(|&unit| self.column(unit, count));
        Cells::new(vec![0, self.batch], cuts.collect())
    }

    /// The columns of so many gates that belong to some units.
    pub(super) fn columns(&self, units: &Range<usize>, gates: usize) -> Range<usize> {
        self.column(units.start, gates)..self.column(units.end, gates)
    }

    fn column(&self, unit: usize, gates: usize) -> usize {
        unit.next_multiple_of(self.lanes) * gates
    }

    /// Multiplies `x` with a recurrent weight and computes states from the sums, which stay where
    /// they are: every thread some units, row by row. `scratch` is for the products, one part after
    /// the other.
    pub(super) fn step<const STATES: usize>(
        &self,
        threads: Option<&Threads>,
        (x, recurrent): (&[f32], Recurrent<'_>),
        sums: &mut [f32],
        states: [&mut [f32]; STATES],
        scratch: &mut [u8],
        compute: &Compute<'_, STATES>,
    ) {
        let Recurrent { weight, start, cells } = recurrent;
        let weight = if self.steps > 1 { weight.again() } else { weight };
        let (batch, parts, columns, hidden) =
            (self.batch, self.parts, weight.columns(), weight.rows());
        let x = Matrix::row_major(x, [batch, hidden]);
        let sums = SharedCells::new(MatrixMut::new(sums, [batch, columns], columns), cells, parts);
        let states = states.map(|state| {
            SharedCells::new(MatrixMut::new(state, [batch, hidden], hidden), &self.units, parts)
        });
        let room = scratch.len() / parts;
        let rooms = Pieces::new(scratch, room, parts);
        let work = |part| {
            let (_, scratch) = rooms.take(part);
            let only = "each part has one cell";
            let mut sums = sums.take(part).next().expect(only);
            let mut states = states.each_ref().map(|state| state.take(part).next().expect(only));
            let block = Block { rows: 0..batch, columns: sums.columns };
            let to = sums.matrix.part(0..batch, 0..block.columns.len());
            product(x, weight, block, start, to, scratch);
            let mut at = At { row: 0, units: states[0].columns.clone() };
            for row in 0..batch {
                at.row = row;
                let states = states.each_mut().map(|state| state.matrix.row(row));
                compute(&at, sums.matrix.row(row), states);
            }
        };
        match threads {
            Some(threads) => threads.run(parts, &work),
            None => (0..parts).for_each(work),
        }
    }
}

/// A recurrent weight of one direction, what its products are added to, and how the threads share
/// them.
#[derive(Clone, Copy)]
pub(super) struct Recurrent<'a> {
    pub(super) weight: PackedRef<'a>,
    pub(super) start: Start<'a>,
    pub(super) cells: &'a Cells,
}

/// Some units of a row.
pub(super) struct At {
    pub(super) row: usize,
    pub(super) units: Range<usize>,
}

/// Computes states of some units of a row from the sums of their gates.
pub(super) type Compute<'a, const STATES: usize> =
    dyn Fn(&At, &[f32], [&mut [f32]; STATES]) + Sync + 'a;

/// Computes some columns, `to`, of `x · weight`, added to what the sums start from.
///
/// How sums are cut depends on the whole of `x`.
fn product(
    x: Matrix<'_, f32>,
    weight: PackedRef<'_>,
    block: Block,
    start: Start<'_>,
    to: MatrixMut<'_, f32>,
    scratch: &mut [u8],
) {
    gemm(&Rows::Matrix(x), weight, to, &block, &Finish { start, ..Finish::NONE }, scratch);
}

/// A product of many rows, cut over the threads; `scratch` is cut likewise.
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
        let to = MatrixMut::new(to, [rows.len(), columns], columns);
        product(x, weight, Block { rows, columns: 0..columns }, Start::Columns(bias), to, scratch);
    });
}

/// The kernels' name of an activation.
pub(super) fn activation_of(activation: lstm::Activation) -> Activation {
    match activation {
        lstm::Activation::Relu => Activation::Relu,
        lstm::Activation::Sigmoid => Activation::Sigmoid,
        lstm::Activation::Tanh => Activation::Tanh,
    }
}
