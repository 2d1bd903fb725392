//! Gathers, scatters, searches, running sums and triangles against their definitions.

mod common;

use common::{Arg, Fill, arg, check_op, engines};
use webnn_core::{DataType, DataTypes};

const INDICES: [DataType; 3] = [DataType::Int32, DataType::Uint32, DataType::Int64];

/// Indices some of which are out of range, or count from the end where the type has a sign.
fn indices(data_type: DataType, shape: &[u32]) -> Arg {
    let any = arg(data_type, shape);
    if data_type == DataType::Uint32 { any.fill(Fill::Below(9)) } else { any }
}

#[test]
fn gathers_match_for_every_type_and_index() {
    let engines = engines();
    for data_type in DataTypes::ANY.iter() {
        for index in INDICES {
            let x = arg(data_type, &[3, 5, 4]);
            for (shape, axis) in [(&[][..], 0), (&[2, 3], 1), (&[1], 2)] {
                let operands = [x.clone(), indices(index, shape)];
                check_op(&engines, "gather", &operands, &format!("axis={axis}"));
            }
            for (shape, axis) in [([7, 5, 4], 0), ([3, 2, 4], 1), ([3, 5, 9], 2)] {
                let operands = [x.clone(), indices(index, &shape)];
                check_op(&engines, "gatherElements", &operands, &format!("axis={axis}"));
            }
            for shape in [&[3][..], &[2, 1], &[2, 2, 2], &[4, 3]] {
                check_op(&engines, "gatherND", &[x.clone(), indices(index, shape)], "");
            }
        }
    }
    let large = [arg(DataType::Float32, &[50, 300]), indices(DataType::Int64, &[90, 2])];
    check_op(&engines, "gather", &large, "");
}

#[test]
fn scatters_match_for_every_type_and_index() {
    let engines = engines();
    for data_type in DataTypes::ANY.iter() {
        for index in INDICES {
            let x = arg(data_type, &[3, 5, 4]);
            for (shape, axis) in [([7, 5, 4], 0), ([3, 2, 4], 1), ([3, 5, 9], 2)] {
                let operands = [x.clone(), indices(index, &shape), arg(data_type, &shape)];
                check_op(&engines, "scatterElements", &operands, &format!("axis={axis}"));
            }
            for (shape, updates) in
                [(&[3][..], &[][..]), (&[2, 1], &[2, 5, 4]), (&[2, 2, 2], &[2, 2, 4])]
            {
                let operands = [x.clone(), indices(index, shape), arg(data_type, updates)];
                check_op(&engines, "scatterND", &operands, "");
            }
        }
    }
}

#[test]
fn searches_match_for_every_type() {
    let engines = engines();
    for method in ["argMin", "argMax"] {
        for data_type in DataTypes::ANY.iter() {
            for rest in ["", "keepDimensions=true outputDataType=int64"] {
                for axis in 0..3 {
                    let x = arg(data_type, &[3, 70, 4]).fill(Fill::Special);
                    check_op(&engines, method, &[x], &format!("axis={axis} {rest}"));
                }
            }
        }
    }
}

#[test]
fn running_sums_match() {
    let engines = engines();
    for data_type in [
        DataType::Float32,
        DataType::Float16,
        DataType::Int32,
        DataType::Uint32,
        DataType::Int64,
        DataType::Uint64,
    ] {
        for rest in ["", "exclusive=true", "reversed=true", "exclusive=true reversed=true"] {
            for axis in 0..3 {
                let x = arg(data_type, &[3, 70, 4]).fill(Fill::Positive);
                check_op(&engines, "cumulativeSum", &[x], &format!("axis={axis} {rest}"));
            }
        }
    }
}

#[test]
fn triangles_match_for_every_type() {
    let engines = engines();
    for data_type in DataTypes::ANY.iter() {
        for upper in [true, false] {
            for diagonal in [-9, -1, 0, 2, 9] {
                let x = arg(data_type, &[2, 5, 7]).fill(Fill::Special);
                let attributes = format!("upper={upper} diagonal={diagonal}");
                check_op(&engines, "triangular", &[x], &attributes);
            }
        }
    }
}
