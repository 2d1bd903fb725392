//! The support table, docs/operators.md.

use super::{is_option, slot_in_words};
use std::fmt::Write;
use webnn_core::attrs::{Field, Kind, camel_case};
use webnn_core::limits::Presence;
use webnn_core::ops::Method;

pub(super) fn page(methods: &[&Method]) -> String {
    let mut page = format!(
        "<!-- Written by `cargo xtask codegen` from the list of operators; do not edit. -->\n\n\
         # Operators\n\n\
         The {} operators of `MLGraphBuilder`. The CPU engine computes every one of them for every \
         data type and rank below. Operands and attributes that belong to the options are marked \
         with a question mark; \"type of\" and \"rank of\" refer to another operand. A rank that \
         is not given is anything up to {}.\n\n\
         | method | operands | results | attributes |\n\
         |---|---|---|---|\n",
        methods.len(),
        webnn_core::MAX_RANK,
    );
    let mut sorted = methods.to_vec();
    sorted.sort_by_key(|method| method.name.to_lowercase());
    for method in sorted {
        let name = method.name;
        let link = format!("https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-{}", anchor(name));
        let operands = cell(method.slots.iter().map(|slot| {
            let mark = if is_option(slot) { "?" } else { dots(slot.presence) };
            format!("`{}`{mark}: {}", slot.name, slot_in_words(method, slot))
        }));
        let results = cell(method.outputs.iter().map(|slot| {
            format!("`{}`{}: {}", slot.name, dots(slot.presence), slot_in_words(method, slot))
        }));
        let attributes = cell(method.fields.iter().map(attribute));
        writeln!(page, "| [`{name}`]({link}) | {operands} | {results} | {attributes} |")
            .expect("writing to a string cannot fail");
    }
    page
}

/// The specification's anchors are in lower case.
pub(super) fn anchor(name: &str) -> String {
    name.to_lowercase()
}

fn dots(presence: Presence) -> &'static str {
    match presence {
        Presence::Repeated => "…",
        Presence::Required | Presence::Optional => "",
    }
}

fn cell(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join("<br>")
}

fn attribute(field: &Field) -> String {
    let mark = if field.is_parameter { "" } else { "?" };
    format!("`{}`{mark}: {}", camel_case(field.name), kind_in_words(&field.kind))
}

pub(super) fn kind_in_words(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "boolean".into(),
        Kind::U32 => "unsigned long".into(),
        Kind::I32 => "long".into(),
        Kind::F32 => "float".into(),
        Kind::F64 => "double".into(),
        Kind::Number => "number".into(),
        Kind::Enum(names) => names.join(", "),
        Kind::List(item) => format!("sequence of {}", kind_in_words(item)),
        Kind::Array(item, length) => format!("{length} × {}", kind_in_words(item)),
        Kind::Optional(inner) => kind_in_words(inner),
        Kind::Splits => "unsigned long or sequence of unsigned long".into(),
    }
}
