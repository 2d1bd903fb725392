//! The operators against the specification's own list: names, operands, types, ranks, attributes,
//! defaults and results.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use webnn_core::attrs::{Args, Attr, Kind, camel_case};
use webnn_core::limits::{Presence, Slot, SlotRanks, SlotTypes};
use webnn_core::ops::{Method, methods};
use webnn_core::{DataType, DataTypes, MAX_RANK, Number};

/// Where we differ on purpose: the specification's line, ours, and why.
const DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        "isNaN(a: any, rank 0 to 8, parameter)",
        "isNaN(a: float32 float16, rank 0 to 8, parameter)",
        "the steps take only floats, though the table says any",
    ),
    (
        "isInfinite(a: any, rank 0 to 8, parameter)",
        "isInfinite(a: float32 float16, rank 0 to 8, parameter)",
        "the steps take only floats, though the table says any",
    ),
    (
        "gather -> output: same as input, rank 1 to 8",
        "gather -> output: same as input, rank 0 to 8",
        "a scalar index into a vector gives a scalar",
    ),
    (
        "cast(input: any, rank 0 to 8, parameter)",
        "cast(input: any int4 uint4, rank 0 to 8, parameter)",
        NIBBLES,
    ),
    (
        "cast -> output: any, rank same as input",
        "cast -> output: any int4 uint4, rank same as input",
        NIBBLES,
    ),
    (
        "reshape(input: any, rank 0 to 8, parameter)",
        "reshape(input: any int4 uint4, rank 0 to 8, parameter)",
        NIBBLES,
    ),
    (
        "quantizeLinear(zeroPoint: int32 uint32 int8 uint8, rank same as input, parameter)",
        "quantizeLinear(zeroPoint: int32 uint32 int8 uint8 int4 uint4, rank same as input, parameter)",
        NIBBLES,
    ),
    (
        "dequantizeLinear(input: int32 uint32 int8 uint8, rank 0 to 8, parameter)",
        "dequantizeLinear(input: int32 uint32 int8 uint8 int4 uint4, rank 0 to 8, parameter)",
        NIBBLES,
    ),
];

const NIBBLES: &str =
    "weights of four bits: constants of ONNX, and of earlier drafts of the specification";

/// The specification's operations; `None` where the file is not at hand.
fn specification() -> Option<Value> {
    let Some(shared) = std::env::var_os("WEBNN_SHARED") else {
        eprintln!("skipped: WEBNN_SHARED does not say where the specification's list is");
        return None;
    };
    let text = fs::read_to_string(Path::new(&shared).join("spec/ops.json")).expect("ops.json");
    Some(serde_json::from_str(&text).expect("valid JSON"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The method of an operation of the list.
fn method_of(operation: &Value) -> Option<&'static Method> {
    methods().find(|method| method.name == text(operation, "name"))
}

fn types_line(types: DataTypes) -> String {
    let any = DataTypes::ANY.iter().all(|data_type| types.contains(data_type));
    let rest = types.iter().filter(|&data_type| !any || !DataTypes::ANY.contains(data_type));
    any.then_some("any").into_iter().chain(rest.map(DataType::name)).collect::<Vec<_>>().join(" ")
}

/// A slot as a line says it, ours.
fn our_slot(method: &Method, slot: &Slot) -> String {
    let types = match slot.types {
        SlotTypes::OneOf(types) => types_line(types),
        SlotTypes::SameAs(other) => format!("same as {}", method.slots[other].name),
    };
    let ranks = match slot.ranks {
        SlotRanks::Between(min, max) => format!("{min} to {max}"),
        SlotRanks::SameAs(other) => format!("same as {}", method.slots[other].name),
    };
    format!("{}: {types}, rank {ranks}", slot.name)
}

/// A slot as a line says it, the specification's.
fn their_slot(slot: &Value) -> String {
    let types = &slot["allowedDataTypes"];
    let types = match text(types, "rule") {
        "any" => "any".into(),
        "list" => {
            let names = list(types, "types").iter().filter_map(Value::as_str);
            let types: Vec<DataType> = names.filter_map(DataType::from_name).collect();
            types_line(DataTypes::of(&types))
        }
        same_as => same_as.to_owned(),
    };
    let ranks = &slot["allowedRanks"];
    let ranks = match text(ranks, "rule") {
        same_as if same_as.starts_with("same as") => same_as.to_owned(),
        _numbers => {
            let number = |name: &str| ranks[name].as_u64();
            let min = number("min").expect("ranks have a least one");
            format!("{min} to {}", number("max").unwrap_or(MAX_RANK as u64))
        }
    };
    // The lists of limits name the items of a sequence of results.
    let name = text(slot, "name").replace("outputs[", "output").replace(']', "");
    format!("{name}: {types}, rank {ranks}")
}

#[test]
fn operands_and_results_are_those_of_the_specification() {
    let Some(specification) = specification() else { return };
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for operation in list(&specification, "ops") {
        let name = text(operation, "name");
        for operand in list(operation, "operands") {
            let passed_as = text(operand, "passedAs");
            theirs.push(format!("{name}({}, {passed_as})", their_slot(operand)));
        }
        for output in list(operation, "outputs") {
            theirs.push(format!("{name} -> {}", their_slot(output)));
        }
        let Some(method) = method_of(operation) else { panic!("{name} is missing") };
        for slot in method.slots {
            let passed_as = match slot.presence {
                Presence::Required | Presence::Repeated => "parameter",
                Presence::Optional => "option",
            };
            ours.push(format!("{name}({}, {passed_as})", our_slot(method, slot)));
        }
        for slot in method.outputs {
            ours.push(format!("{name} -> {}", our_slot(method, slot)));
        }
    }
    for (spec, here, reason) in DEVIATIONS {
        let line = theirs.iter_mut().find(|line| *line == spec);
        let line = line.unwrap_or_else(|| panic!("{spec:?} is not in the specification: {reason}"));
        *line = (*here).to_owned();
    }
    let differences: Vec<String> = theirs
        .iter()
        .zip(&ours)
        .filter(|(theirs, ours)| theirs != ours)
        .map(|(theirs, ours)| format!("{theirs}\n    here {ours}"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert_eq!(theirs.len(), ours.len());
}

#[test]
fn there_are_no_other_methods() {
    let names: BTreeSet<&str> = methods().map(|method| method.name).collect();
    assert_eq!((names.len(), methods().count()), (95, 95));
    let Some(specification) = specification() else { return };
    let theirs = list(&specification, "ops").iter().map(|operation| text(operation, "name"));
    assert_eq!(names, theirs.collect());
}

/// A type as the specification would write it; an option may be absent whatever its type.
fn their_type(kind: Kind, enums: &Value) -> Vec<String> {
    match kind {
        Kind::Bool => vec!["boolean".into()],
        // Two methods lack the bounds, evidently by mistake.
        Kind::U32 => vec!["[EnforceRange] unsigned long".into(), "unsigned long".into()],
        Kind::I32 => vec!["[EnforceRange] long".into()],
        Kind::F32 => vec!["float".into()],
        Kind::F64 => vec!["double".into()],
        Kind::Number => vec!["MLNumber".into()],
        Kind::List(item) | Kind::Array(item, _) => {
            let items = their_type(*item, enums);
            items.iter().map(|item| format!("sequence<{item}>")).collect()
        }
        Kind::Optional(kind) => their_type(*kind, enums),
        Kind::Splits => {
            vec!["([EnforceRange] unsigned long or sequence<[EnforceRange] unsigned long>)".into()]
        }
        Kind::Enum(names) => {
            let is_same = |values: &Value| {
                let values = values.as_array().map_or(&[][..], Vec::as_slice);
                let theirs = values.iter().filter_map(Value::as_str);
                // Four bits are our addition.
                let ours = names.iter().copied().filter(|name| !matches!(*name, "int4" | "uint4"));
                theirs.eq(ours)
            };
            let enums = enums.as_object().expect("enums");
            enums
                .iter()
                .filter(|(_, values)| is_same(values))
                .map(|(name, _)| name.clone())
                .collect()
        }
    }
}

/// A default as a call would carry it; `None` where the specification's prose gives it.
fn default(value: &Value) -> Option<Attr> {
    match value {
        Value::Bool(value) => Some(Attr::Bool(*value)),
        Value::Number(number) => number.as_f64().map(Number::Float).map(Attr::Number),
        Value::String(text) => Some(Attr::Text(text.clone())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Some value of the type, for a parameter that must be there.
fn sample(kind: Kind) -> Attr {
    match kind {
        Kind::Enum(names) => Attr::Text(names[0].into()),
        Kind::List(_) => Attr::List(Vec::new()),
        Kind::U32 | Kind::Splits => Attr::Number(Number::Int(1)),
        Kind::Bool
        | Kind::I32
        | Kind::F32
        | Kind::F64
        | Kind::Number
        | Kind::Array(..)
        | Kind::Optional(_) => panic!("no parameter is {kind:?}"),
    }
}

#[test]
fn attributes_are_those_of_the_specification() {
    let Some(specification) = specification() else { return };
    for operation in list(&specification, "ops") {
        let name = text(operation, "name");
        let method = method_of(operation).expect("every operation has a method");
        let is_operand = |attribute: &&Value| {
            text(attribute, "type").contains("MLOperand>") || text(attribute, "type") == "MLOperand"
        };
        let parameters = list(operation, "params")
            .iter()
            .filter(|parameter| !is_operand(parameter) && text(parameter, "name") != "options");
        let options = list(&operation["options"], "members")
            .iter()
            .filter(|option| !is_operand(option) && text(option, "name") != "label");
        let theirs: Vec<(&Value, bool)> = parameters
            .map(|value| (value, true))
            .chain(options.map(|value| (value, false)))
            .collect();
        let names: Vec<String> = method.fields.iter().map(|field| camel_case(field.name)).collect();
        let their_names: Vec<&str> = theirs.iter().map(|(value, _)| text(value, "name")).collect();
        assert_eq!(names, their_names, "{name}");
        let args = method
            .fields
            .iter()
            .filter(|field| field.is_parameter)
            .fold(Args::new(), |args, field| args.with(field.name, sample(field.kind)));
        for (field, (theirs, is_parameter)) in method.fields.iter().zip(theirs) {
            let place = format!("{name}.{}", text(theirs, "name"));
            assert_eq!(field.is_parameter, is_parameter, "{place}");
            let their_types = their_type(field.kind, &specification["enums"]);
            assert!(
                their_types.iter().any(|name| name == text(theirs, "type")),
                "{place} is {}, here one of {their_types:?}",
                text(theirs, "type")
            );
            // What the specification has for a default does not differ from ours.
            if let Some(value) = theirs.get("default").and_then(default) {
                let op = (method.parse)(&args.clone().with(field.name, value.clone()));
                let attributes = op.expect("a default is valid").attributes();
                assert!(
                    attributes.iter().all(|(name, _)| *name != field.name),
                    "{place} is {value} by default, here it differs"
                );
            }
        }
    }
}
