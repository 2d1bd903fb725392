//! Gated recurrent units: one product for the inputs of all steps, then step by step.

use webnn_core::Result;
use webnn_core::ops::gru::gru_activations;
use webnn_core::ops::lstm::Direction;
use webnn_core::ops::{Gru, GruCell};
use webnn_kernels::Isa;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::gemm::Start;
use webnn_kernels::map::Unary;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel};
use crate::ops::recurrent::{Floats, Operands, Weight, activate, product, projection, unary_of};
use crate::threads::Threads;

/// The gate n is the last one in every layout.
const NEW: usize = 2;

struct Network {
    isa: Isa,
    steps: usize,
    batch: usize,
    hidden: usize,
    direction: Direction,
    /// The places of z and r.
    gates: [usize; 2],
    /// For z and r, and for n.
    activations: [Unary; 2],
    reset_after: bool,
    input: Floats,
    weight: Weight,
    /// The recurrent weight's rows for z and r.
    recurrent: Weight,
    /// The recurrent weight's rows for n.
    recurrent_new: Weight,
    biases: [Floats; 2],
    state: Floats,
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
    let mut operands = Operands::default();
    let rows = 3 * hidden;
    let [z, r, _] = op.layout.gates();
    let recurrent = [directions, rows, hidden];
    let kernel = Network {
        isa: cx.isa,
        steps,
        batch: input.elements() / steps / features,
        hidden,
        direction: op.direction,
        gates: [z, r],
        activations: gru_activations(&op.activations).map(unary_of),
        reset_after: op.reset_after,
        input: operands.floats(cx, 0),
        weight: Weight::new(&mut operands, cx, 1, [directions, rows, features], 0..rows),
        recurrent: Weight::new(&mut operands, cx, 2, recurrent, 0..NEW * hidden),
        recurrent_new: Weight::new(&mut operands, cx, 2, recurrent, NEW * hidden..rows),
        biases: biases.map(|slot| operands.floats(cx, slot)),
        state: operands.floats(cx, state),
        has_sequence: op.return_sequence,
    };
    Built::new(kernel, cx, &operands.reads)
}

/// Working memory of a step.
struct Room<'a> {
    /// The recurrent products of z and r, and of n, batch by batch.
    gates: &'a mut [f32],
    new: &'a mut [f32],
    /// The hidden state after the reset.
    reset: &'a mut [f32],
    row: &'a mut [f32],
    products: &'a mut [u8],
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

    fn weights(&self) -> [&Weight; 3] {
        [&self.weight, &self.recurrent, &self.recurrent_new]
    }

    fn projection_bytes(&self, threads: usize) -> usize {
        let rows = self.steps * self.batch;
        let bytes = self.weight.product_bytes(rows).next_multiple_of(64) * threads;
        let step = [&self.recurrent, &self.recurrent_new].map(|w| w.product_bytes(self.batch));
        bytes.max(step[0]).max(step[1])
    }

    /// One step of one direction: `sums` holds the products with the input, and the bias that was
    /// added to them.
    fn step(
        &self,
        sums: &[f32],
        recurrent: [webnn_kernels::gemm::PackedRef<'_>; 2],
        bias: &[f32],
        hidden: &mut [f32],
        room: &mut Room<'_>,
    ) {
        let size = self.hidden;
        let [z, r] = self.gates;
        let [gates, new] = self.activations;
        // The recurrent bias belongs to the recurrent product: where both sums nearly cancel, to
        // add it to the other one would lose what the specification's order keeps.
        let (gate_bias, new_bias) = bias.split_at(NEW * size);
        let start = Start::Columns(gate_bias);
        product(hidden, self.batch, recurrent[0], start, room.gates, room.products);
        for (batch, gate_sums) in room.gates.chunks_exact_mut(2 * size).enumerate() {
            let sums = &sums[batch * 3 * size..][..2 * size];
            gate_sums.iter_mut().zip(sums).for_each(|(gate, sum)| *gate += sum);
            activate(self.isa, gates, gate_sums, room.row);
        }
        let gate = |batch: usize, gate: usize| batch * 2 * size + gate * size;
        let start = Start::Columns(new_bias);
        if self.reset_after {
            product(hidden, self.batch, recurrent[1], start, room.new, room.products);
            for (batch, new) in room.new.chunks_exact_mut(size).enumerate() {
                let reset = &room.gates[gate(batch, r)..][..size];
                new.iter_mut().zip(reset).for_each(|(new, reset)| *new *= reset);
            }
        } else {
            for (batch, to) in room.reset.chunks_exact_mut(size).enumerate() {
                let reset = &room.gates[gate(batch, r)..][..size];
                let hidden = &hidden[batch * size..][..size];
                for ((to, reset), hidden) in to.iter_mut().zip(reset).zip(hidden) {
                    *to = reset * hidden;
                }
            }
            product(room.reset, self.batch, recurrent[1], start, room.new, room.products);
        }
        for (batch, candidate) in room.new.chunks_exact_mut(size).enumerate() {
            let sums = &sums[batch * 3 * size + NEW * size..][..size];
            candidate.iter_mut().zip(sums).for_each(|(new, sum)| *new += sum);
            activate(self.isa, new, candidate, room.row);
            let update = &room.gates[gate(batch, z)..][..size];
            let hidden = &mut hidden[batch * size..][..size];
            for ((hidden, z), new) in hidden.iter_mut().zip(update).zip(candidate) {
                *hidden = z * *hidden + (1.0 - z) * *new;
            }
        }
    }
}

/// A direction's part of a bias; zeros where there is none.
fn part_of(bias: &[f32], pass: usize, part: &mut [f32]) {
    if bias.is_empty() {
        part.fill(0.0);
    } else {
        part.copy_from_slice(&bias[pass * part.len()..][..part.len()]);
    }
}

impl Kernel for Network {
    fn scratch_bytes(&self, threads: usize) -> usize {
        let f32s = Scratch::bytes_for::<f32>;
        let state = self.state_len();
        self.weights().iter().map(|weight| weight.scratch_bytes()).sum::<usize>()
            + f32s(self.directions() * state)
            + f32s(self.steps * 3 * state)
            + f32s(self.sequence())
            + 2 * f32s(3 * self.hidden)
            + f32s(2 * state)
            + 2 * f32s(state)
            + f32s(2 * self.hidden)
            + Scratch::bytes_for::<u8>(self.projection_bytes(threads))
    }

    fn packed_bytes(&self) -> usize {
        self.weights().iter().map(|weight| weight.packed_bytes()).sum()
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let mut scratch = Scratch::new(io.scratch());
        let scratch = &mut scratch;
        let (size, state) = (self.hidden, self.state_len());
        let input = self.input.get(io);
        let elements = self.weights().map(|weight| weight.elements(io));
        let [weight_room, recurrent_room, new_room] =
            self.weights().map(|weight| weight.room(scratch));
        let biases = [0, 1].map(|i| self.biases[i].get(io));
        let initial = self.state.get(io);
        let states = scratch.take::<f32>(self.directions() * state);
        if initial.is_empty() {
            states.fill(0.0)
        } else {
            states.copy_from_slice(initial)
        }
        let sums = scratch.take::<f32>(self.steps * 3 * state);
        let sequence = scratch.take::<f32>(self.sequence());
        let input_bias = scratch.take::<f32>(3 * size);
        let recurrent_bias = scratch.take::<f32>(3 * size);
        let mut room = Room {
            gates: scratch.take(2 * state),
            new: scratch.take(state),
            reset: scratch.take(state),
            row: scratch.take(2 * size),
            products: scratch.take(self.projection_bytes(threads.count())),
        };
        for pass in 0..self.directions() {
            part_of(biases[0], pass, input_bias);
            part_of(biases[1], pass, recurrent_bias);
            let weight = self.weight.get(pass, elements[0], weight_room);
            projection(threads, input, weight, input_bias, sums, room.products);
            let recurrent = [
                self.recurrent.get(pass, elements[1], recurrent_room),
                self.recurrent_new.get(pass, elements[2], new_room),
            ];
            let hidden = &mut states[pass * state..][..state];
            for step in 0..self.steps {
                let step =
                    if self.direction.is_backward(pass) { self.steps - 1 - step } else { step };
                let sums = &sums[step * 3 * state..][..3 * state];
                self.step(sums, recurrent, recurrent_bias, hidden, &mut room);
                if self.has_sequence {
                    let at = (step * self.directions() + pass) * state;
                    sequence[at..at + state].copy_from_slice(hidden);
                }
            }
        }
        io.write::<f32>(0).copy_from_slice(states);
        if self.has_sequence {
            io.write::<f32>(1).copy_from_slice(sequence);
        }
    }
}
