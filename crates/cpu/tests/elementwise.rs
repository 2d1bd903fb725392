//! Element-wise operators against their definitions, for every data type they take.

#![allow(clippy::unwrap_used, reason = "a helper of tests")]

mod common;

use common::{Arg, Fill, arg, check_op, check_op_with, engines, f32s};
use webnn_core::limits::SlotTypes;
use webnn_core::ops::method;
use webnn_core::{DataType, DataTypes};

/// The types that the method's first slot takes.
fn types(name: &str) -> DataTypes {
    match method(name).unwrap().slots[0].types {
        SlotTypes::OneOf(types) => types,
        SlotTypes::SameAs(_) => unreachable!("the first slot has types of its own"),
    }
}

const SHAPES: [&[u32]; 5] = [&[], &[1], &[7], &[3, 1, 5, 67], &[2, 1, 3, 1, 2, 2, 1, 3]];

#[test]
fn operators_of_one_operand_match() {
    let engines = engines();
    for name in [
        "abs",
        "ceil",
        "cos",
        "erf",
        "exp",
        "floor",
        "gelu",
        "hardSwish",
        "identity",
        "isInfinite",
        "isNaN",
        "logicalNot",
        "neg",
        "relu",
        "roundEven",
        "sigmoid",
        "sign",
        "sin",
        "softplus",
        "softsign",
        "tanh",
        "elu",
        "hardSigmoid",
        "leakyRelu",
        "linear",
    ] {
        for data_type in types(name).iter() {
            for shape in SHAPES {
                check_op(&engines, name, &[arg(data_type, shape)], "");
            }
        }
    }
    for name in ["log", "reciprocal", "sqrt", "tan"] {
        for data_type in types(name).iter() {
            for shape in SHAPES {
                check_op(&engines, name, &[arg(data_type, shape).fill(Fill::Positive)], "");
            }
        }
    }
    check_op(&engines, "relu", &[f32s(&[70_000])], "");
    check_op(&engines, "elu", &[f32s(&[33])], "alpha=0.3");
    check_op(&engines, "hardSigmoid", &[f32s(&[33])], "alpha=0.3 beta=-0.1");
    check_op(&engines, "leakyRelu", &[f32s(&[33])], "alpha=-0.3");
    check_op(&engines, "linear", &[f32s(&[33])], "alpha=-3 beta=2.5");
}

#[test]
fn special_values_match() {
    let engines = engines();
    for name in [
        "abs",
        "ceil",
        "floor",
        "identity",
        "isInfinite",
        "isNaN",
        "neg",
        "relu",
        "roundEven",
        "sign",
        "hardSwish",
        "sigmoid",
        "tanh",
        "erf",
        "softplus",
        "elu",
        "hardSigmoid",
        "leakyRelu",
    ] {
        for data_type in types(name).iter() {
            check_op(&engines, name, &[arg(data_type, &[100]).fill(Fill::Special)], "");
        }
    }
    for name in ["add", "sub", "mul", "div", "max", "min"] {
        for data_type in types(name).iter() {
            let operand = || arg(data_type, &[100]).fill(Fill::Special);
            check_op(&engines, name, &[operand(), operand()], "");
        }
    }
    for data_type in DataTypes::ANY.iter() {
        let operand = || arg(data_type, &[100]).fill(Fill::Special);
        check_op(&engines, "equal", &[operand(), operand()], "");
        check_op(&engines, "greater", &[operand(), operand()], "");
        check_op(&engines, "clamp", &[operand()], "minValue=-1 maxValue=2");
    }
}

const PAIRS: [(&[u32], &[u32]); 6] = [
    (&[], &[]),
    (&[2, 3, 5], &[2, 3, 5]),
    (&[2, 3, 5], &[3, 1]),
    (&[4, 1, 6], &[1, 5, 1]),
    (&[], &[9]),
    (&[2, 1, 2, 1, 2, 1, 2, 3], &[1, 2, 1, 2, 1, 2, 1, 3]),
];

#[test]
fn operators_of_two_operands_match() {
    let engines = engines();
    for name in [
        "add",
        "sub",
        "mul",
        "div",
        "max",
        "min",
        "pow",
        "equal",
        "notEqual",
        "greater",
        "greaterOrEqual",
        "lesser",
        "lesserOrEqual",
        "logicalAnd",
        "logicalOr",
        "logicalXor",
        "prelu",
    ] {
        for data_type in types(name).iter() {
            for (a, b) in PAIRS {
                let fill = if name == "pow" { Fill::Positive } else { Fill::Any };
                let (a, b) = (arg(data_type, a).fill(fill), arg(data_type, b).fill(fill));
                check_op(&engines, name, &[a.clone(), b.clone()], "");
                check_op(&engines, name, &[a, b.constant()], "");
            }
        }
    }
    check_op(&engines, "pow", &[arg(DataType::Int32, &[50]), arg(DataType::Int32, &[50])], "");
    check_op(&engines, "add", &[f32s(&[100, 700]), f32s(&[700])], "");
}

#[test]
fn choices_match() {
    let engines = engines();
    for data_type in DataTypes::ANY.iter() {
        for (condition, a, b) in
            [(&[][..], &[][..], &[][..]), (&[3, 1], &[2, 1, 5], &[1]), (&[2, 3], &[2, 3], &[2, 3])]
        {
            let condition = arg(DataType::Uint8, condition).fill(Fill::Below(3));
            check_op(&engines, "where", &[condition, arg(data_type, a), arg(data_type, b)], "");
        }
    }
}

#[test]
fn bounds_match() {
    let engines = engines();
    for data_type in DataTypes::ANY.iter() {
        for bounds in ["", "minValue=0", "maxValue=1.5", "minValue=-1 maxValue=1"] {
            check_op(&engines, "clamp", &[arg(data_type, &[3, 17])], bounds);
        }
    }
}

#[test]
fn casts_match() {
    let engines = engines();
    let all = DataTypes::ANY.or(DataTypes::NIBBLES);
    for from in all.iter() {
        for to in all.iter() {
            for fill in [Fill::Any, Fill::Special] {
                let operand: Arg = arg(from, &[5, 7]).fill(fill);
                check_op_with(&engines, "cast", &[operand], &format!("dataType={to}"), 0.0);
            }
        }
    }
}
