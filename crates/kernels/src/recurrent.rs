//! What LSTM and GRU compute of one row's gates: everything between the products of a step and
//! its states, in one pass.
//!
//! Gates lie in turns of a vector each: that of the first `LANES` units for every gate, one after the
//! other, then those of the next units. The last turn may have fewer units, but is as long.

use crate::Isa;
use crate::float::{load_up_to, store_up_to};
use crate::map::math;
use crate::simd::{ForEachIsa, Simd, dispatch};

/// An activation function of a recurrent network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `max(0, x)`.
    Relu,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    #[inline(always)]
    fn of<S: Simd>(self, s: S, x: S::F32) -> S::F32 {
        match self {
            Activation::Relu => s.max_fast(s.splat(0.0), x),
            Activation::Sigmoid => math::sigmoid(s, x),
            Activation::Tanh => math::tanh(s, x),
        }
    }
}

/// A step of a long short-term memory, for some units of one row.
#[derive(Debug)]
pub struct Lstm<'a> {
    /// Of the gates i, o and f, of g, and of the cell state.
    pub activations: [Activation; 3],
    /// The sums of i, o, f and g, in turns.
    pub sums: &'a [f32],
    /// The weights of the cell state in the gates i, o and f.
    pub peephole: Option<[&'a [f32]; 3]>,
    /// The cell state before the step, and after it.
    pub cell: &'a mut [f32],
    /// The hidden state after the step.
    pub hidden: &'a mut [f32],
}

/// Computes the states of a step.
///
/// # Panics
///
/// When there are not as many elements as units.
pub fn lstm(isa: Isa, step: Lstm<'_>) {
    let units = step.cell.len();
    assert_eq!(step.hidden.len(), units, "hidden and cell states");
    let mut peepholes = step.peephole.iter().flatten();
    assert!(peepholes.all(|weights| weights.len() == units), "peephole weights");
    dispatch(isa, step);
}

impl ForEachIsa for Lstm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [gates, candidate, output] = self.activations;
        let states = self.cell.chunks_mut(S::LANES).zip(self.hidden.chunks_mut(S::LANES));
        for (turn, (cell, hidden)) in states.enumerate() {
            let before = load_up_to(s, cell);
            let mut sums = turn_of::<S, 4>(s, self.sums, turn);
            if let Some(peephole) = self.peephole {
                for (sum, weights) in sums.iter_mut().zip(peephole) {
                    let weights = load_up_to(s, &weights[turn * S::LANES..][..cell.len()]);
                    *sum = s.add(*sum, s.mul(weights, before));
                }
            }
            let [i, o, f, g] = sums;
            let (i, o, f) = (gates.of(s, i), gates.of(s, o), gates.of(s, f));
            let after = s.add(s.mul(f, before), s.mul(i, candidate.of(s, g)));
            store_up_to(s, after, cell);
            store_up_to(s, s.mul(output.of(s, after), o), hidden);
        }
    }
}

/// A step of a gated recurrent unit, for some units of one row.
#[derive(Clone, Copy, Debug)]
pub struct Gru<'a> {
    /// Of the gates z and r, and of n.
    pub activations: [Activation; 2],
    /// The input's products of z, r and n, in turns.
    pub sums: &'a [f32],
    /// The hidden state before the step.
    pub hidden: &'a [f32],
}

impl Gru<'_> {
    /// Writes the hidden state after the step, the reset gate having its effect on n's recurrent
    /// product: `products` are the recurrent ones of z, r and n, in turns.
    ///
    /// # Panics
    ///
    /// When there are not as many elements as units.
    pub fn reset_after(self, isa: Isa, products: &[f32], next: &mut [f32]) {
        self.check(next);
        dispatch(isa, ResetAfter { step: self, products, next });
    }

    /// Writes the hidden state as the reset gate leaves it, for n's recurrent product; `gates` are
    /// the recurrent products of z and r, in turns.
    ///
    /// # Panics
    ///
    /// When there are not as many elements as units.
    pub fn reset(self, isa: Isa, gates: &[f32], reset: &mut [f32]) {
        self.check(reset);
        dispatch(isa, Reset { step: self, gates, reset });
    }

    /// Writes the hidden state after the step from the recurrent products of z and r, in turns, and
    /// that of n with the [reset state](Gru::reset).
    ///
    /// # Panics
    ///
    /// When there are not as many elements as units.
    pub fn reset_before(self, isa: Isa, gates: &[f32], new: &[f32], next: &mut [f32]) {
        self.check(next);
        dispatch(isa, ResetBefore { step: self, gates, new, next });
    }

    fn check(&self, to: &[f32]) {
        assert_eq!(self.hidden.len(), to.len(), "hidden states before and after");
    }

    /// `z * hidden + (1 - z) * n`.
    #[inline(always)]
    fn mix<S: Simd>(&self, s: S, z: S::F32, new: S::F32, turn: usize, next: &mut [f32]) {
        let hidden = load_up_to(s, &self.hidden[turn * S::LANES..][..next.len()]);
        let new = self.activations[1].of(s, new);
        let rest = s.mul(s.sub(s.splat(1.0), z), new);
        store_up_to(s, s.add(s.mul(z, hidden), rest), next);
    }
}

struct ResetAfter<'a> {
    step: Gru<'a>,
    products: &'a [f32],
    next: &'a mut [f32],
}

impl ForEachIsa for ResetAfter<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let gates = self.step.activations[0];
        for (turn, next) in self.next.chunks_mut(S::LANES).enumerate() {
            let [z, r, n] = turn_of::<S, 3>(s, self.step.sums, turn);
            let [from_z, from_r, from_n] = turn_of::<S, 3>(s, self.products, turn);
            let z = gates.of(s, s.add(from_z, z));
            let r = gates.of(s, s.add(from_r, r));
            self.step.mix(s, z, s.add(s.mul(r, from_n), n), turn, next);
        }
    }
}

struct Reset<'a> {
    step: Gru<'a>,
    gates: &'a [f32],
    reset: &'a mut [f32],
}

impl ForEachIsa for Reset<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (turn, reset) in self.reset.chunks_mut(S::LANES).enumerate() {
            let [_, r, _] = turn_of::<S, 3>(s, self.step.sums, turn);
            let [_, from_r] = turn_of::<S, 2>(s, self.gates, turn);
            let r = self.step.activations[0].of(s, s.add(from_r, r));
            let hidden = load_up_to(s, &self.step.hidden[turn * S::LANES..][..reset.len()]);
            store_up_to(s, s.mul(r, hidden), reset);
        }
    }
}

struct ResetBefore<'a> {
    step: Gru<'a>,
    gates: &'a [f32],
    new: &'a [f32],
    next: &'a mut [f32],
}

impl ForEachIsa for ResetBefore<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (turn, next) in self.next.chunks_mut(S::LANES).enumerate() {
            let [z, _, n] = turn_of::<S, 3>(s, self.step.sums, turn);
            let [from_z, _] = turn_of::<S, 2>(s, self.gates, turn);
            let [from_n] = turn_of::<S, 1>(s, self.new, turn);
            let z = self.step.activations[0].of(s, s.add(from_z, z));
            self.step.mix(s, z, s.add(from_n, n), turn, next);
        }
    }
}

/// The vectors of all gates in one turn.
#[inline(always)]
fn turn_of<S: Simd, const GATES: usize>(s: S, gates: &[f32], turn: usize) -> [S::F32; GATES] {
    let gates = &gates[turn * GATES * S::LANES..][..GATES * S::LANES];
    let mut vectors = [s.splat(0.0); GATES];
    for (vector, gate) in vectors.iter_mut().zip(gates.chunks_exact(S::LANES)) {
        *vector = s.load(gate);
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::Tile;

    const ALL: [Activation; 3] = [Activation::Relu, Activation::Sigmoid, Activation::Tanh];

    fn exact(activation: Activation, x: f64) -> f64 {
        match activation {
            Activation::Relu => x.max(0.0),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Tanh => x.tanh(),
        }
    }

    /// Values from -3 to 3 in no order.
    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 37 + seed * 101) % 61) as f32 / 10.0 - 3.0).collect()
    }

    /// Gates, unit by unit each, in turns of so many lanes.
    fn in_turns(gates: &[Vec<f32>], lanes: usize) -> Vec<f32> {
        let turn = |turn: usize| {
            let lanes_of = move |gate: &Vec<f32>| -> Vec<f32> {
                (0..lanes).map(|lane| *gate.get(turn * lanes + lane).unwrap_or(&9.0)).collect()
            };
            gates.iter().flat_map(lanes_of)
        };
        (0..gates[0].len().div_ceil(lanes)).flat_map(turn).collect()
    }

    fn assert_close(found: &[f32], expected: &[f64], what: &str) {
        for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
            let error = (f64::from(found) - expected).abs();
            assert!(error < 2e-6 * expected.abs().max(1.0), "{what}, {i}: {found}, {expected}");
        }
    }

    #[test]
    fn lstm_steps_match_their_definition() {
        for isa in Isa::available() {
            for units in [1, 4, 15, 16, 37] {
                for (k, has_peephole) in [(0, false), (1, true), (2, true)] {
                    let activations = [ALL[k], ALL[(k + 1) % 3], ALL[(k + 2) % 3]];
                    let gates: Vec<_> = (0..4).map(|gate| values(units, gate)).collect();
                    let weights: Vec<_> = (4..7).map(|gate| values(units, gate)).collect();
                    let before = values(units, 7);
                    let (mut cell, mut hidden) = (before.clone(), vec![0.0; units]);
                    let peephole = || std::array::from_fn(|i| &weights[i][..]);
                    let step = Lstm {
                        activations,
                        sums: &in_turns(&gates, Tile::of(isa).lanes),
                        peephole: has_peephole.then(peephole),
                        cell: &mut cell,
                        hidden: &mut hidden,
                    };
                    lstm(isa, step);
                    let sum = |gate: usize, unit: usize| {
                        let peephole = match has_peephole && gate < 3 {
                            true => f64::from(weights[gate][unit]) * f64::from(before[unit]),
                            false => 0.0,
                        };
                        f64::from(gates[gate][unit]) + peephole
                    };
                    let after = |unit: usize| {
                        let [i, f] = [0, 2].map(|gate| exact(activations[0], sum(gate, unit)));
                        f * f64::from(before[unit]) + i * exact(activations[1], sum(3, unit))
                    };
                    let out = |unit: usize| {
                        exact(activations[0], sum(1, unit)) * exact(activations[2], after(unit))
                    };
                    let what = format!("{isa:?}, {units} units, {activations:?}");
                    assert_close(&cell, &(0..units).map(after).collect::<Vec<_>>(), &what);
                    assert_close(&hidden, &(0..units).map(out).collect::<Vec<_>>(), &what);
                }
            }
        }
    }

    #[test]
    fn gru_steps_match_their_definition() {
        for isa in Isa::available() {
            let lanes = Tile::of(isa).lanes;
            for units in [1, 4, 15, 16, 37] {
                for k in 0..3 {
                    let activations = [ALL[k], ALL[(k + 1) % 3]];
                    let sums: Vec<_> = (0..3).map(|gate| values(units, gate)).collect();
                    let products: Vec<_> = (3..6).map(|gate| values(units, gate)).collect();
                    let hidden = values(units, 6);
                    let what = format!("{isa:?}, {units} units, {activations:?}");
                    let turns = in_turns(&sums, lanes);
                    let step = Gru { activations, sums: &turns, hidden: &hidden };
                    let gate = |gate: usize, unit: usize| {
                        let sum = f64::from(products[gate][unit]) + f64::from(sums[gate][unit]);
                        exact(activations[0], sum)
                    };
                    let mix = |unit: usize, product: f64| {
                        let new = exact(activations[1], product + f64::from(sums[2][unit]));
                        let z = gate(0, unit);
                        z * f64::from(hidden[unit]) + (1.0 - z) * new
                    };
                    let product = |unit: usize| f64::from(products[2][unit]);

                    let mut next = vec![0.0; units];
                    step.reset_after(isa, &in_turns(&products, lanes), &mut next);
                    let expected = (0..units).map(|unit| mix(unit, gate(1, unit) * product(unit)));
                    assert_close(&next, &expected.collect::<Vec<_>>(), &what);

                    let gates = in_turns(&products[..2], lanes);
                    let mut reset = vec![0.0; units];
                    step.reset(isa, &gates, &mut reset);
                    let expected = (0..units).map(|unit| gate(1, unit) * f64::from(hidden[unit]));
                    assert_close(&reset, &expected.collect::<Vec<_>>(), &what);

                    let new = in_turns(&products[2..], lanes);
                    step.reset_before(isa, &gates, &new, &mut next);
                    let expected = (0..units).map(|unit| mix(unit, product(unit)));
                    assert_close(&next, &expected.collect::<Vec<_>>(), &what);
                }
            }
        }
    }
}
