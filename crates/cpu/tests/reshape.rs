//! Operators that move elements, against their definitions.

mod common;

use common::{arg, check_op, check_op_with, engines};
use webnn_core::DataTypes;

#[test]
fn views_match_for_every_type() {
    let engines = engines();
    for data_type in DataTypes::ANY.iter() {
        for (method, shape, attributes) in [
            ("transpose", &[][..], ""),
            ("transpose", &[5], ""),
            ("transpose", &[3, 40, 50], "permutation=[0,2,1]"),
            ("transpose", &[2, 3, 4, 5], "permutation=[2,0,3,1]"),
            ("transpose", &[1, 3, 1, 5], "permutation=[2,1,0,3]"),
            ("transpose", &[2, 1, 2, 3, 1, 2, 2, 2], "permutation=[7,6,5,4,3,2,1,0]"),
            ("slice", &[5, 6, 7], "starts=[1,2,3] sizes=[3,4,4]"),
            ("slice", &[5, 6, 7], "starts=[1,2,3] sizes=[4,4,4] strides=[2,3,1]"),
            ("slice", &[5, 6, 7], "starts=[2,0,0] sizes=[2,6,7]"),
            ("slice", &[1, 6, 7], "starts=[0,3,0] sizes=[1,3,7]"),
            ("slice", &[1, 1, 7], "starts=[0,0,5] sizes=[1,1,1]"),
            ("slice", &[4, 7], "starts=[1,0] sizes=[2,7] strides=[2,1]"),
            ("reverse", &[3, 4, 5], ""),
            ("reverse", &[3, 4, 5], "axes=[1]"),
            ("reverse", &[3, 4, 5], "axes=[]"),
            ("expand", &[3, 1], "newShape=[2,3,4]"),
            ("expand", &[], "newShape=[2,3]"),
            ("expand", &[3], "newShape=[1,3]"),
            ("tile", &[2, 3], "repetitions=[3,2]"),
            ("tile", &[1, 3], "repetitions=[1,1]"),
            ("tile", &[1, 2, 1, 2, 1, 2, 1, 2], "repetitions=[2,1,2,1,2,1,2,2]"),
            ("split", &[6, 5], "splits=3"),
            ("split", &[3, 6, 5], "splits=[1,2,3] axis=1"),
            ("split", &[3, 4], "splits=1 axis=1"),
            ("reshape", &[6, 5], "newShape=[2,3,5,1]"),
            ("pad", &[3, 4], "beginningPadding=[1,2] endingPadding=[2,0] value=7"),
            ("pad", &[3, 4], "beginningPadding=[1,2] endingPadding=[2,3] mode=edge"),
            ("pad", &[3, 4], "beginningPadding=[2,3] endingPadding=[1,3] mode=reflection"),
            ("pad", &[], "beginningPadding=[] endingPadding=[]"),
        ] {
            check_op_with(&engines, method, &[arg(data_type, shape)], attributes, 0.0);
        }
    }
}

#[test]
fn concat_matches_for_every_type() {
    let engines = engines();
    for data_type in DataTypes::ANY.iter() {
        for (shapes, axis) in [
            (&[&[2, 3][..]][..], 0),
            (&[&[2, 3], &[4, 3], &[1, 3]], 0),
            (&[&[2, 3], &[2, 1], &[2, 5]], 1),
            (&[&[1, 3, 4], &[1, 1, 4]], 1),
        ] {
            let operands: Vec<_> = shapes.iter().map(|shape| arg(data_type, shape)).collect();
            check_op(&engines, "concat", &operands, &format!("axis={axis}"));
            let constants: Vec<_> = operands.into_iter().map(|arg| arg.constant()).collect();
            check_op(&engines, "concat", &constants, &format!("axis={axis}"));
        }
    }
}
