//! LSTM and GRU against their definitions: layouts, directions, activations, absent operands.

mod common;

use common::{Arg, Fill, arg, check_some, engines};
use webnn_core::DataType;

const STEPS: u32 = 5;
const BATCH: u32 = 3;
const INPUT: u32 = 7;
const HIDDEN: u32 = 9;

/// Operands of these shapes, each there if its bit is set; constants from the second one on.
fn operands(
    shapes: &[&[u32]],
    present: u32,
    data_type: DataType,
    is_constant: bool,
) -> Vec<Option<Arg>> {
    let operand = |(i, shape): (usize, &&[u32])| {
        let arg = arg(data_type, shape).fill(Fill::Small);
        let arg = if is_constant && i > 0 { arg.constant() } else { arg };
        (present & (1 << i) != 0).then_some(arg)
    };
    shapes.iter().enumerate().map(operand).collect()
}

/// All data types, constant or not, with all optional operands or none.
fn check(name: &str, shapes: &[&[u32]], required: u32, attributes: &str) {
    let engines = engines();
    let all = (1 << shapes.len()) - 1;
    for (data_type, tolerance) in [(DataType::Float32, 1e-4), (DataType::Float16, 2e-2)] {
        for is_constant in [true, false] {
            for present in [required, all] {
                let operands = operands(shapes, present, data_type, is_constant);
                check_some(&engines, name, &operands, attributes, tolerance);
            }
        }
    }
}

#[test]
fn few_steps_of_a_deep_input_have_the_same_bits_however_they_are_shared() {
    // Of three steps two threads have two and one, and three have one each.
    const DEEP: u32 = 1100;
    for (name, gates) in [("lstm", 4), ("gru", 3)] {
        let shapes: [&[u32]; 3] = [&[3, 1, DEEP], &[1, gates * 64, DEEP], &[1, gates * 64, 64]];
        for is_constant in [true, false] {
            let operands = operands(&shapes, 0b111, DataType::Float32, is_constant);
            check_some(&engines(), name, &operands, "steps=3 hiddenSize=64", 1e-4);
        }
    }
}

#[test]
fn lstm_matches_in_every_layout_and_direction() {
    for (direction, count) in [("forward", 1), ("backward", 1), ("both", 2)] {
        for layout in ["iofg", "ifgo"] {
            for rest in ["", "returnSequence=true", "activations=[relu,sigmoid,tanh]"] {
                let attributes = format!(
                    "steps={STEPS} hiddenSize={HIDDEN} direction={direction} layout={layout} {rest}"
                );
                let shapes: [&[u32]; 8] = [
                    &[STEPS, BATCH, INPUT],
                    &[count, 4 * HIDDEN, INPUT],
                    &[count, 4 * HIDDEN, HIDDEN],
                    &[count, 4 * HIDDEN],
                    &[count, 4 * HIDDEN],
                    &[count, 3 * HIDDEN],
                    &[count, BATCH, HIDDEN],
                    &[count, BATCH, HIDDEN],
                ];
                check("lstm", &shapes, 0b111, &attributes);
            }
        }
    }
}

#[test]
fn gru_matches_in_every_layout_and_direction() {
    for (direction, count) in [("forward", 1), ("backward", 1), ("both", 2)] {
        for layout in ["zrn", "rzn"] {
            for rest in
                ["", "returnSequence=true", "resetAfter=false", "activations=[relu,sigmoid]"]
            {
                let attributes = format!(
                    "steps={STEPS} hiddenSize={HIDDEN} direction={direction} layout={layout} {rest}"
                );
                let shapes: [&[u32]; 6] = [
                    &[STEPS, BATCH, INPUT],
                    &[count, 3 * HIDDEN, INPUT],
                    &[count, 3 * HIDDEN, HIDDEN],
                    &[count, 3 * HIDDEN],
                    &[count, 3 * HIDDEN],
                    &[count, BATCH, HIDDEN],
                ];
                check("gru", &shapes, 0b111, &attributes);
            }
        }
    }
}

#[test]
fn cells_match_in_every_layout() {
    for layout in ["iofg", "ifgo"] {
        let attributes = format!("hiddenSize={HIDDEN} layout={layout}");
        let shapes: [&[u32]; 8] = [
            &[BATCH, INPUT],
            &[4 * HIDDEN, INPUT],
            &[4 * HIDDEN, HIDDEN],
            &[BATCH, HIDDEN],
            &[BATCH, HIDDEN],
            &[4 * HIDDEN],
            &[4 * HIDDEN],
            &[3 * HIDDEN],
        ];
        check("lstmCell", &shapes, 0b11111, &attributes);
    }
    for rest in ["layout=zrn", "layout=rzn resetAfter=false"] {
        let attributes = format!("hiddenSize={HIDDEN} {rest}");
        let shapes: [&[u32]; 6] = [
            &[BATCH, INPUT],
            &[3 * HIDDEN, INPUT],
            &[3 * HIDDEN, HIDDEN],
            &[BATCH, HIDDEN],
            &[3 * HIDDEN],
            &[3 * HIDDEN],
        ];
        check("gruCell", &shapes, 0b1111, &attributes);
    }
}

#[test]
fn infinite_cell_states_stay_infinite_without_peephole_weights() {
    for attributes in ["hiddenSize=9", "hiddenSize=9 layout=ifgo activations=[sigmoid,tanh,tanh]"] {
        let shapes: [&[u32]; 5] = [&[3, 7], &[36, 7], &[36, 9], &[3, 9], &[3, 9]];
        let mut operands = operands(&shapes, 0b11111, DataType::Float32, true);
        operands[4] = Some(arg(DataType::Float32, &[3, 9]).fill(Fill::Infinite));
        check_some(&engines(), "lstmCell", &operands, attributes, 1e-4);
    }
}

#[test]
fn long_sequences_are_projected_by_several_threads() {
    let shapes: [&[u32]; 3] = [&[200, 2, 40], &[1, 4 * 64, 40], &[1, 4 * 64, 64]];
    let operands = operands(&shapes, 0b111, DataType::Float32, true);
    check_some(&engines(), "lstm", &operands, "steps=200 hiddenSize=64 returnSequence=true", 1e-4);
}

#[test]
fn steps_have_the_same_bits_however_many_threads_share_their_units() {
    // The last panel of units is narrower than the others, and the last vector not whole.
    const HIDDEN: u32 = 149;
    for (name, gates, rest) in [
        ("lstm", 4, "direction=both layout=ifgo"),
        ("gru", 3, "direction=backward layout=rzn"),
        ("gru", 3, "resetAfter=false"),
    ] {
        let directions = if rest.contains("both") { 2 } else { 1 };
        let shapes: [&[u32]; 5] = [
            &[4, 3, 20],
            &[directions, gates * HIDDEN, 20],
            &[directions, gates * HIDDEN, HIDDEN],
            &[directions, gates * HIDDEN],
            &[directions, gates * HIDDEN],
        ];
        let attributes = format!("steps=4 hiddenSize={HIDDEN} returnSequence=true {rest}");
        for is_constant in [true, false] {
            let operands = operands(&shapes, 0b11111, DataType::Float32, is_constant);
            check_some(&engines(), name, &operands, &attributes, 1e-4);
        }
    }
    let shapes: [&[u32]; 8] = [
        &[3, 20],
        &[4 * HIDDEN, 20],
        &[4 * HIDDEN, HIDDEN],
        &[3, HIDDEN],
        &[3, HIDDEN],
        &[4 * HIDDEN],
        &[4 * HIDDEN],
        &[3 * HIDDEN],
    ];
    let operands = operands(&shapes, 0xff, DataType::Float32, true);
    check_some(&engines(), "lstmCell", &operands, &format!("hiddenSize={HIDDEN}"), 1e-4);
}
