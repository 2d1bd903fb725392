//! Gated recurrent units: one product for the inputs of all steps, then step by step.

use webnn_core::Result;
use webnn_core::ops::gru::gru_activations;
use webnn_core::ops::lstm::Direction;
use webnn_core::ops::{Gru, GruCell};
use webnn_kernels::Isa;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::gemm::Start;
use webnn_kernels::recurrent::{self, Activation};

use crate::blocks::Cells;
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel};
use crate::ops::recurrent::{
    At, Floats, Operands, Recurrent, Shares, Weight, activation_of, projection,
};
use crate::threads::Threads;

/// The gate n is the last one in every layout.
const NEW: usize = 2;

struct Network {
    isa: Isa,
    steps: usize,
    batch: usize,
    hidden: usize,
    direction: Direction,
    /// For z and r, and for n.
    activations: [Activation; 2],
    input: Floats,
    weight: Weight,
    /// The recurrent weight of z and r, and of n where the reset comes after its product.
    recurrent: Weight,
    /// The recurrent weight of n where the reset comes before.
    recurrent_new: Option<Weight>,
    biases: [Floats; 2],
    state: Floats,
    shares: Shares,
    /// The products of `recurrent` and of `recurrent_new`, as the threads share them.
    cells: [Cells; 2],
    /// Whether all hidden states are a result.
    has_sequence: bool,
}

#[inline(never)]
pub(super) fn lower(op: &Gru, cx: &Cx<'_>) -> Result<Built> {
    Ok(network(op, cx, [3, 4], 5))
}

#[inline(never)]
pub(super) fn lower_cell(op: &GruCell, cx: &Cx<'_>) -> Result<Built> {
    let network_op = Gru {
        reset_after: op.reset_after,
        layout: op.layout,
        activations: op.activations.clone(),
        ..Gru::new(1, op.hidden_size)
    };
    Ok(network(&network_op, cx, [4, 5], 3))
}

fn network(op: &Gru, cx: &Cx<'_>, biases: [usize; 2], state: usize) -> Built {
    let (steps, hidden) = (op.steps as usize, op.hidden_size as usize);
    let directions = op.direction.count() as usize;
    let input = cx.input(0);
    let features = input.shape[input.rank() - 1] as usize;
    let batch = input.elements() / steps / features;
    let mut operands = Operands::default();
    let gates = op.layout.gates();
    let first = operands.floats(cx, 0);
    let weight = Weight::new(&mut operands, cx, 1, [directions, 3, hidden, features], &gates);
    let mut recurrent =
        |gates: &[usize]| Weight::new(&mut operands, cx, 2, [directions, 3, hidden, hidden], gates);
    let (recurrent, recurrent_new) = match op.reset_after {
        true => (recurrent(&gates), None),
        false => (recurrent(&gates[..NEW]), Some(recurrent(&gates[NEW..]))),
    };
    let shares = Shares::new(&recurrent, [steps, batch], cx.threads);
    let kernel = Network {
        isa: cx.isa,
        steps,
        batch,
        hidden,
        direction: op.direction,
        activations: gru_activations(&op.activations).map(activation_of),
        input: first,
        weight,
        biases: biases.map(|slot| operands.floats(cx, slot)),
        state: operands.floats(cx, state),
        cells: [if op.reset_after { 3 } else { NEW }, 1].map(|count| shares.gates(count)),
        recurrent,
        recurrent_new,
        shares,
        has_sequence: op.return_sequence,
    };
    Built::new(kernel, cx, &operands.reads)
}

/// Working memory of a step.
struct Room<'a> {
    /// The recurrent products, batch by batch.
    gates: &'a mut [f32],
    new: &'a mut [f32],
    /// The hidden state after the reset.
    reset: &'a mut [f32],
    /// For the products, one part after the other.
    scratch: &'a mut [u8],
}

impl Network {
    fn directions(&self) -> usize {
        self.direction.count() as usize
    }

    /// The elements of a state of one direction.
    fn state_len(&self) -> usize {
        self.batch * self.hidden
    }

    fn sequence(&self) -> usize {
        if self.has_sequence { self.steps * self.directions() * self.state_len() } else { 0 }
    }

    fn weights(&self) -> impl Iterator<Item = &Weight> {
        [&self.weight, &self.recurrent].into_iter().chain(&self.recurrent_new)
    }

    /// The columns of n's product where it is one of its own.
    fn new_columns(&self) -> usize {
        self.recurrent_new.as_ref().map_or(0, Weight::columns)
    }

    fn products_bytes(&self, threads: usize) -> usize {
        let projection = self.weight.product_bytes(self.steps * self.batch);
        let step = self.weights().skip(1).map(|weight| weight.product_bytes(self.batch));
        step.fold(projection, usize::max) * threads
    }

    /// One step of one direction: `sums` holds the products with the input, and the bias that was
    /// added to them.
    fn step(
        &self,
        threads: Option<&Threads>,
        sums: &[f32],
        (gates, new): (Recurrent<'_>, Option<Recurrent<'_>>),
        hidden: &[f32],
        next: &mut [f32],
        room: &mut Room<'_>,
    ) {
        let Room { gates: products, new: new_products, reset, scratch } = room;
        let Some(new) = new else {
            let compute = |at: &At, from: &[f32], [to]: [&mut [f32]; 1]| {
                self.row(sums, hidden, at).reset_after(self.isa, from, to);
            };
            return self.shares.step(threads, (hidden, gates), products, [next], scratch, &compute);
        };
        self.shares.step(
            threads,
            (hidden, gates),
            products,
            [reset],
            scratch,
            &|at, from, [to]| {
                self.row(sums, hidden, at).reset(self.isa, from, to);
            },
        );
        self.shares.step(
            threads,
            (reset, new),
            new_products,
            [next],
            scratch,
            &|at, from, [to]| {
                let columns = self.shares.columns(&at.units, NEW);
                let gates = &products[at.row * self.recurrent.columns()..][columns];
                self.row(sums, hidden, at).reset_before(self.isa, gates, from, to);
            },
        );
    }

    /// What the kernel takes of some units of a row.
    fn row<'a>(&self, sums: &'a [f32], hidden: &'a [f32], at: &At) -> recurrent::Gru<'a> {
        let columns = self.shares.columns(&at.units, 3);
        recurrent::Gru {
            activations: self.activations,
            sums: &sums[at.row * self.weight.columns()..][columns],
            hidden: &hidden[at.row * self.hidden..][at.units.clone()],
        }
    }
}

impl Kernel for Network {
    fn scratch_bytes(&self, threads: usize) -> usize {
        let f32s = Scratch::bytes_for::<f32>;
        let state = self.state_len();
        let columns = [self.weight.columns(), self.recurrent.columns(), self.new_columns()];
        self.weights().map(Weight::scratch_bytes).sum::<usize>()
            + f32s(self.directions() * state)
            + f32s(self.steps * self.batch * columns[0])
            + f32s(self.sequence())
            + columns.map(f32s).iter().sum::<usize>()
            + columns[1..].iter().map(|&columns| f32s(self.batch * columns)).sum::<usize>()
            + 2 * f32s(state)
            + Scratch::bytes_for::<u8>(self.products_bytes(threads))
    }

    fn packed_bytes(&self) -> usize {
        self.weights().map(Weight::packed_bytes).sum()
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let mut scratch = Scratch::new(io.scratch());
        let scratch = &mut scratch;
        let state = self.state_len();
        let input = self.input.get(io);
        let mut weight_room = self.weight.room(scratch);
        let mut recurrent_room = self.recurrent.room(scratch);
        let new = self.recurrent_new.as_ref();
        let mut new_room = new.map(|new| (new, new.room(scratch)));
        let biases = [0, 1].map(|i| self.biases[i].get(io));
        let initial = self.state.get(io);
        let states = scratch.take::<f32>(self.directions() * state);
        if initial.is_empty() {
            states.fill(0.0)
        } else {
            states.copy_from_slice(initial)
        }
        let columns = self.weight.columns();
        let sums = scratch.take::<f32>(self.steps * self.batch * columns);
        let sequence = scratch.take::<f32>(self.sequence());
        let input_bias = scratch.take::<f32>(columns);
        let gates_bias = scratch.take::<f32>(self.recurrent.columns());
        let new_bias = scratch.take::<f32>(self.new_columns());
        let next = scratch.take::<f32>(state);
        let mut room = Room {
            gates: scratch.take(self.batch * self.recurrent.columns()),
            new: scratch.take(self.batch * self.new_columns()),
            reset: scratch.take(state),
            scratch: scratch.take(self.products_bytes(threads.count())),
        };
        for pass in 0..self.directions() {
            self.weight.bias(biases[0], pass, input_bias);
            let weight = self.weight.get(pass, self.weight.elements(io), &mut weight_room);
            projection(threads, input, weight, input_bias, sums, room.scratch);
            // The recurrent bias belongs to the recurrent product: where both sums nearly cancel, to
            // add it to the other one would lose what the specification's order keeps.
            self.recurrent.bias(biases[1], pass, gates_bias);
            let elements = self.recurrent.elements(io);
            let weight = self.recurrent.get(pass, elements, &mut recurrent_room);
            let start = Start::Columns(gates_bias);
            let gates = Recurrent { weight, start, cells: &self.cells[0] };
            let new = new_room.as_mut().map(|(new, room)| {
                new.bias(biases[1], pass, new_bias);
                let weight = new.get(pass, new.elements(io), room);
                Recurrent { weight, start: Start::Columns(new_bias), cells: &self.cells[1] }
            });
            let mut hidden = &mut states[pass * state..][..state];
            let mut next = &mut *next;
            let shared_by = self.shares.of(threads);
            for step in 0..self.steps {
                let step =
                    if self.direction.is_backward(pass) { self.steps - 1 - step } else { step };
                let sums = &sums[step * self.batch * columns..][..self.batch * columns];
                self.step(shared_by, sums, (gates, new), hidden, next, &mut room);
                std::mem::swap(&mut hidden, &mut next);
                if self.has_sequence {
                    let at = (step * self.directions() + pass) * state;
                    sequence[at..at + state].copy_from_slice(hidden);
                }
            }
            if !self.steps.is_multiple_of(2) {
                next.copy_from_slice(hidden);
            }
        }
        io.write::<f32>(0).copy_from_slice(states);
        if self.has_sequence {
            io.write::<f32>(1).copy_from_slice(sequence);
        }
    }
}
