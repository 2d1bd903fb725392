//! Long short-term memory: one product for the inputs of all steps, then step by step.

use webnn_core::Result;
use webnn_core::ops::lstm::{Direction, lstm_activations};
use webnn_core::ops::{Lstm, LstmCell};
use webnn_kernels::Isa;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::gemm::Start;
use webnn_kernels::map::{Unary, unary};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel};
use crate::ops::recurrent::{Floats, Operands, Weight, activate, product, projection, unary_of};
use crate::threads::Threads;

struct Network {
    isa: Isa,
    steps: usize,
    batch: usize,
    hidden: usize,
    direction: Direction,
    /// The places of i, o, f and g.
    gates: [usize; 4],
    /// For i, o and f, for g, and for c.
    activations: [Unary; 3],
    input: Floats,
    weight: Weight,
    recurrent: Weight,
    biases: [Floats; 2],
    peephole: Floats,
    states: [Floats; 2],
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
    let mut operands = Operands::default();
    let rows = 4 * hidden;
    let kernel = Network {
        isa: cx.isa,
        steps,
        batch: input.elements() / steps / features,
        hidden,
        direction: op.direction,
        gates: op.layout.gates(),
        activations: lstm_activations(&op.activations).map(unary_of),
        input: operands.floats(cx, 0),
        weight: Weight::new(&mut operands, cx, 1, [directions, rows, features], 0..rows),
        recurrent: Weight::new(&mut operands, cx, 2, [directions, rows, hidden], 0..rows),
        biases: slots.biases.map(|slot| operands.floats(cx, slot)),
        peephole: operands.floats(cx, slots.peephole),
        states: slots.states.map(|slot| operands.floats(cx, slot)),
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

    fn projection_bytes(&self, threads: usize) -> usize {
        let rows = self.steps * self.batch;
        let bytes = self.weight.product_bytes(rows).next_multiple_of(64) * threads;
        bytes.max(self.recurrent.product_bytes(self.batch))
    }

    /// One step of one direction: `sums` holds the products with the input, `scratch` is for the
    /// product with the hidden state.
    fn step(
        &self,
        sums: &mut [f32],
        peephole: &[f32],
        [hidden, cell]: [&mut [f32]; 2],
        room: &mut [f32],
    ) {
        let size = self.hidden;
        let [i, o, f, g] = self.gates;
        let [gates, candidate, output] = self.activations;
        let rows = sums.chunks_exact_mut(4 * size);
        let states = hidden.chunks_exact_mut(size).zip(cell.chunks_exact_mut(size));
        for (sums, (hidden, cell)) in rows.zip(states) {
            // The peephole weights lie in the order i, o, f.
            for (gate, weights) in [i, o, f].into_iter().zip(peephole.chunks_exact(size)) {
                let sums = sums[gate * size..][..size].iter_mut();
                for ((sum, weight), cell) in sums.zip(weights).zip(cell.iter()) {
                    *sum += weight * cell;
                }
            }
            for (gate, op) in [(i, gates), (o, gates), (f, gates), (g, candidate)] {
                activate(self.isa, op, &mut sums[gate * size..][..size], room);
            }
            let gate = |gate: usize| &sums[gate * size..][..size];
            let products = gate(i).iter().zip(gate(g)).zip(gate(f));
            for (cell, ((i, g), f)) in cell.iter_mut().zip(products) {
                *cell = f * *cell + i * g;
            }
            unary(self.isa, output, cell, hidden);
            for (hidden, o) in hidden.iter_mut().zip(gate(o)) {
                *hidden *= o;
            }
        }
    }
}

impl Kernel for Network {
    fn scratch_bytes(&self, threads: usize) -> usize {
        let f32s = Scratch::bytes_for::<f32>;
        let states = 2 * f32s(self.directions() * self.state());
        let sums = f32s(self.steps * self.batch * 4 * self.hidden);
        self.weight.scratch_bytes()
            + self.recurrent.scratch_bytes()
            + states
            + sums
            + f32s(self.sequence())
            + f32s(4 * self.hidden)
            + f32s(self.hidden)
            + Scratch::bytes_for::<u8>(self.projection_bytes(threads))
    }

    fn packed_bytes(&self) -> usize {
        self.weight.packed_bytes() + self.recurrent.packed_bytes()
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let mut scratch = Scratch::new(io.scratch());
        let scratch = &mut scratch;
        let (size, state) = (self.hidden, self.state());
        let input = self.input.get(io);
        let weights = self.weight.elements(io);
        let recurrents = self.recurrent.elements(io);
        let weight_room = self.weight.room(scratch);
        let recurrent_room = self.recurrent.room(scratch);
        let biases = [0, 1].map(|i| self.biases[i].get(io));
        let peepholes = self.peephole.get(io);
        let initial = [0, 1].map(|i| self.states[i].get(io));
        let mut states = [0, 1].map(|_| scratch.take::<f32>(self.directions() * state));
        for (state, initial) in states.iter_mut().zip(initial) {
            if initial.is_empty() { state.fill(0.0) } else { state.copy_from_slice(initial) }
        }
        let sums = scratch.take::<f32>(self.steps * self.batch * 4 * size);
        let sequence = scratch.take::<f32>(self.sequence());
        let bias = scratch.take::<f32>(4 * size);
        let room = scratch.take::<f32>(size);
        let products = scratch.take::<u8>(self.projection_bytes(threads.count()));
        for pass in 0..self.directions() {
            bias.fill(0.0);
            for part in biases.iter().filter(|part| !part.is_empty()) {
                let part = &part[pass * bias.len()..][..bias.len()];
                bias.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            let weight = self.weight.get(pass, weights, weight_room);
            projection(threads, input, weight, bias, sums, products);
            let recurrent = self.recurrent.get(pass, recurrents, recurrent_room);
            let peephole = match peepholes.is_empty() {
                true => peepholes,
                false => &peepholes[pass * 3 * size..][..3 * size],
            };
            for step in 0..self.steps {
                let step =
                    if self.direction.is_backward(pass) { self.steps - 1 - step } else { step };
                let range = pass * state..(pass + 1) * state;
                let [hidden, cell] = states.each_mut().map(|state| &mut state[range.clone()]);
                let sums = &mut sums[step * 4 * state..][..4 * state];
                product(hidden, self.batch, recurrent, Start::Accumulate, sums, products);
                self.step(sums, peephole, [hidden, cell], room);
                if self.has_sequence {
                    let at = (step * self.directions() + pass) * state;
                    sequence[at..at + state].copy_from_slice(&states[0][range]);
                }
            }
        }
        io.write::<f32>(0).copy_from_slice(states[0]);
        io.write::<f32>(1).copy_from_slice(states[1]);
        if self.has_sequence {
            io.write::<f32>(2).copy_from_slice(sequence);
        }
    }
}
