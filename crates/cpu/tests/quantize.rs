//! Quantised numbers against their definitions, for every type, whole or in blocks.

mod common;

use common::{Fill, arg, check_op, engines};
use webnn_core::DataType;

const FLOATS: [DataType; 2] = [DataType::Float32, DataType::Float16];
const INTEGERS: [DataType; 6] = [
    DataType::Int8,
    DataType::Uint8,
    DataType::Int32,
    DataType::Uint32,
    DataType::Int4,
    DataType::Uint4,
];

/// A tensor's shape with that of its scales.
const SHAPES: [(&[u32], &[u32]); 6] = [
    (&[], &[]),
    (&[7], &[1]),
    (&[3, 5], &[3, 1]),
    (&[4, 6, 9], &[2, 6, 3]),
    (&[2, 1, 3, 1, 2, 1, 3, 5], &[1, 1, 3, 1, 1, 1, 1, 5]),
    (&[40, 1000], &[40, 1]),
];

#[test]
fn quantised_numbers_match() {
    let engines = engines();
    for float in FLOATS {
        for integer in INTEGERS {
            for (shape, blocks) in SHAPES {
                let zero = arg(integer, blocks).fill(Fill::Below(5));
                let scale = arg(float, blocks).fill(Fill::Positive);
                let x = arg(float, shape);
                check_op(&engines, "quantizeLinear", &[x, scale.clone(), zero.clone()], "");
                let x = arg(integer, shape).fill(Fill::Special);
                check_op(&engines, "dequantizeLinear", &[x, scale, zero], "");
            }
        }
    }
}

#[test]
fn extremes_are_held_to_the_range() {
    let engines = engines();
    for integer in INTEGERS {
        let operands = [
            arg(DataType::Float32, &[64]).fill(Fill::Special),
            arg(DataType::Float32, &[1]).fill(Fill::Positive),
            arg(integer, &[1]).fill(Fill::Special),
        ];
        check_op(&engines, "quantizeLinear", &operands, "");
    }
}
