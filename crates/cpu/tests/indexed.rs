//! Gathers, scatters, searches, running sums and triangles against their definitions.
#![allow(clippy::unwrap_used, reason = "a helper of tests")]

mod common;

use std::sync::Arc;

use common::{Arg, Fill, arg, check_op, engines};
use webnn_core::{Bytes, DataType, DataTypes, Desc, Limits, text};
use webnn_cpu::{Engine, Options, Tensor};

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

/// A table of 16 x 32 floats that lies at an odd address, as in a model's file.
fn unaligned_table() -> Bytes {
    const LEN: usize = 16 * 32 * 4;
    let mut storage = vec![0; LEN + 4];
    let start = if storage.as_ptr().addr().is_multiple_of(2) { 1 } else { 2 };
    for (i, value) in storage[start..][..LEN].as_chunks_mut().0.iter_mut().enumerate() {
        *value = (i as f32).to_le_bytes();
    }
    Bytes::slice_of(Arc::new(storage), start..start + LEN).unwrap()
}

/// What an engine gives, and the bytes of constants that it reads where they lie and that it copied.
fn of_table(text: &str) -> (Vec<f32>, usize, usize) {
    let graph = text::parse_with(text, Limits::default(), &[unaligned_table()]).unwrap();
    let program = Engine::new(Options { threads: Some(1) }).compile(graph).unwrap();
    let indices = Desc::checked(DataType::Int32, &[2]).unwrap();
    let rows: Vec<u8> = [3i32, -1].iter().flat_map(|row| row.to_le_bytes()).collect();
    let rows = Tensor::from_bytes(indices, &rows).unwrap();
    let mut y = Tensor::zeroed(Desc::checked(DataType::Float32, &[2, 32]).unwrap()).unwrap();
    program.run(&[&rows], &mut [&mut y]).unwrap();
    let floats = y.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect();
    (floats, program.stats().shared_bytes, program.stats().copied_bytes)
}

#[test]
fn a_table_is_read_where_it_lies_unless_its_elements_are_read() {
    let rows: Vec<f32> = (96..128).chain(480..512).map(|i| i as f32).collect();
    let gather = r#"
        %i = input "i" int32[2]
        %table = constant float32[16, 32] external 0
        %rows = gather(%table, %i) { axis: 0 }
    "#;
    let only_rows = format!("{gather} output \"y\" = %rows");
    assert_eq!(of_table(&only_rows), (rows.clone(), 2048, 0));
    let also_elements = format!(
        r#"{gather}
        %tuples = reshape(%i) {{ newShape: [2, 1] }}
        %same = gatherND(%table, %tuples)
        %sum = add(%rows, %same)
        output "y" = %sum"#
    );
    let twice = rows.iter().map(|x| 2.0 * x).collect();
    assert_eq!(of_table(&also_elements), (twice, 0, 2048));
}
