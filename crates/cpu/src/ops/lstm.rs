//! Long short-term memory: one product for the inputs of all steps, then step by step.

use webnn_core::Result;
use webnn_core::ops::lstm::{Direction, lstm_activations};
use webnn_core::ops::{Lstm, LstmCell};
use webnn_kernels::Isa;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::gemm::{PackedRef, Start};
use webnn_kernels::recurrent::{self, Activation, lstm};

use crate::blocks::Cells;
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel};
use crate::ops::recurrent::{
    At, Floats, Operands, Recurrent, Shares, Weight, activation_of, projection,
};
use crate::threads::Threads;

struct Network {
    isa: Isa,
    steps: usize,
    batch: usize,
    hidden: usize,
    direction: Direction,
    /// For i, o and f, for g, and for c.
    activations: [Activation; 3],
    input: Floats,
    weight: Weight,
    recurrent: Weight,
    biases: [Floats; 2],
    peephole: Floats,
    states: [Floats; 2],
    shares: Shares,
    /// The gates' sums of a step, as the threads share them.
    cells: Cells,
    /// Whether all hidden states are a result.
    has_sequence: bool,
}

/// The slots of biases, peephole weight and states, which differ between network and cell.
struct Slots {
    biases: [usize; 2],
    peephole: usize,
    states: [usize; 2],
}

#[inline(never)]
pub(super) fn lower(op: &Lstm, cx: &Cx<'_>) -> Result<Built> {
    let slots = Slots { biases: [3, 4], peephole: 5, states: [6, 7] };
    Ok(network(op, cx, &slots, op.return_sequence))
}

#[inline(never)]
pub(super) fn lower_cell(op: &LstmCell, cx: &Cx<'_>) -> Result<Built> {
    let slots = Slots { biases: [5, 6], peephole: 7, states: [3, 4] };
    let network_op = Lstm {
        layout: op.layout,
        activations: op.activations.clone(),
        ..Lstm::new(1, op.hidden_size)
    };
    Ok(network(&network_op, cx, &slots, false))
}

fn network(op: &Lstm, cx: &Cx<'_>, slots: &Slots, has_sequence: bool) -> Built {
    let (steps, hidden) = (op.steps as usize, op.hidden_size as usize);
    let directions = op.direction.count() as usize;
    let input = cx.input(0);
    let features = input.shape[input.rank() - 1] as usize;
    let batch = input.elements() / steps / features;
    let mut operands = Operands::default();
    let gates = op.layout.gates();
    let first = operands.floats(cx, 0);
    let mut weight =
        |slot, depth| Weight::new(&mut operands, cx, slot, [directions, 4, hidden, depth], &gates);
    let (weight, recurrent) = (weight(1, features), weight(2, hidden));
    let shares = Shares::new(&recurrent, [steps, batch], cx.threads);
    let kernel = Network {
        isa: cx.isa,
        steps,
        batch,
        hidden,
        direction: op.direction,
        activations: lstm_activations(&op.activations).map(activation_of),
        input: first,
        weight,
        recurrent,
        biases: slots.biases.map(|slot| operands.floats(cx, slot)),
        peephole: operands.floats(cx, slots.peephole),
        states: slots.states.map(|slot| operands.floats(cx, slot)),
        cells: shares.gates(4),
        shares,
        has_sequence,
    };
    Built::new(kernel, cx, &operands.reads)
}

impl Network {
    fn directions(&self) -> usize {
        self.direction.count() as usize
    }

    /// The elements of a state of one direction.
    fn state(&self) -> usize {
        self.batch * self.hidden
    }

    fn sequence(&self) -> usize {
        if self.has_sequence { self.steps * self.directions() * self.state() } else { 0 }
    }

    fn products_bytes(&self, threads: usize) -> usize {
        let projection = self.weight.product_bytes(self.steps * self.batch);
        projection.max(self.recurrent.product_bytes(self.batch)) * threads
    }

    /// One step of one direction, every thread some units: `sums` holds the products with the
    /// input, and the bias that was added to them.
    #[allow(clippy::too_many_arguments, reason = "operands, states and working memory")]
    fn step(
        &self,
        threads: Option<&Threads>,
        sums: &mut [f32],
        weight: PackedRef<'_>,
        peephole: &[f32],
        hidden: &[f32],
        states: [&mut [f32]; 2],
        scratch: &mut [u8],
    ) {
        let size = self.hidden;
        let recurrent = Recurrent { weight, start: Start::Accumulate, cells: &self.cells };
        let compute = |at: &At, sums: &[f32], [hidden, cell]: [&mut [f32]; 2]| {
            // The peephole weights lie in the order i, o, f.
            let weights = |gate: usize| &peephole[gate * size..][at.units.clone()];
            let peephole = (!peephole.is_empty()).then(|| [0, 1, 2].map(weights));
            let activations = self.activations;
            lstm(self.isa, recurrent::Lstm { activations, sums, peephole, cell, hidden });
        };
        self.shares.step(threads, (hidden, recurrent), sums, states, scratch, &compute);
    }
}

impl Kernel for Network {
    fn scratch_bytes(&self, threads: usize) -> usize {
        let f32s = Scratch::bytes_for::<f32>;
        let columns = self.weight.columns();
        self.weight.scratch_bytes()
            + self.recurrent.scratch_bytes()
            + 2 * f32s(self.directions() * self.state())
            + f32s(self.state())
            + f32s(self.steps * self.batch * columns)
            + f32s(self.sequence())
            + 2 * f32s(columns)
            + Scratch::bytes_for::<u8>(self.products_bytes(threads))
    }

    fn packed_bytes(&self) -> usize {
        self.weight.packed_bytes() + self.recurrent.packed_bytes()
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let mut scratch = Scratch::new(io.scratch());
        let scratch = &mut scratch;
        let (size, state) = (self.hidden, self.state());
        let input = self.input.get(io);
        let mut weight_room = self.weight.room(scratch);
        let mut recurrent_room = self.recurrent.room(scratch);
        let biases = [0, 1].map(|i| self.biases[i].get(io));
        let peepholes = self.peephole.get(io);
        let initial = [0, 1].map(|i| self.states[i].get(io));
        let mut states = [0, 1].map(|_| scratch.take::<f32>(self.directions() * state));
        for (state, initial) in states.iter_mut().zip(initial) {
            if initial.is_empty() { state.fill(0.0) } else { state.copy_from_slice(initial) }
        }
        let columns = self.weight.columns();
        let next = scratch.take::<f32>(state);
        let sums = scratch.take::<f32>(self.steps * self.batch * columns);
        let sequence = scratch.take::<f32>(self.sequence());
        let [bias, other] = [0, 1].map(|_| scratch.take::<f32>(columns));
        let products = scratch.take::<u8>(self.products_bytes(threads.count()));
        for pass in 0..self.directions() {
            self.weight.bias(biases[0], pass, bias);
            self.weight.bias(biases[1], pass, other);
            bias.iter_mut().zip(&*other).for_each(|(sum, other)| *sum += other);
            let weight = self.weight.get(pass, self.weight.elements(io), &mut weight_room);
            projection(threads, input, weight, bias, sums, products);
            let elements = self.recurrent.elements(io);
            let recurrent = self.recurrent.get(pass, elements, &mut recurrent_room);
            let peephole = match peepholes.is_empty() {
                true => peepholes,
                false => &peepholes[pass * 3 * size..][..3 * size],
            };
            let range = pass * state..(pass + 1) * state;
            let [mut hidden, cell] = states.each_mut().map(|state| &mut state[range.clone()]);
            let mut next = &mut *next;
            let shared_by = self.shares.of(threads);
            for step in 0..self.steps {
                let step =
                    if self.direction.is_backward(pass) { self.steps - 1 - step } else { step };
                let sums = &mut sums[step * self.batch * columns..][..self.batch * columns];
                self.step(shared_by, sums, recurrent, peephole, hidden, [next, cell], products);
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
        io.write::<f32>(0).copy_from_slice(states[0]);
        io.write::<f32>(1).copy_from_slice(states[1]);
        if self.has_sequence {
            io.write::<f32>(2).copy_from_slice(sequence);
        }
    }
}
