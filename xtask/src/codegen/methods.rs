//! The methods of `webnn::GraphBuilder`, one per row of the list.

use super::table::{anchor, kind_in_words};
use super::{is_option, slot_in_words};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use webnn_core::attrs::{Field, camel_case};
use webnn_core::limits::{Presence, Slot};
use webnn_core::ops::Method;

const HEAD: &str = "\
//! Written by `cargo xtask codegen` from the list of operators; do not edit.

use webnn_core::attrs::{Args, Attribute};
";

const HELPER: &str = "
/// Adds an attribute that is given; any other keeps its default.
fn set<T: Attribute>(args: &mut Args, name: &'static str, value: Option<T>) {
    if let Some(attr) = value.and_then(|value| value.write()) {
        args.push(name, attr);
    }
}
";

pub(super) fn module(methods: &[&Method]) -> String {
    let mut code = String::new();
    let mut options = BTreeMap::new();
    for method in methods {
        if has_options(method) {
            options.entry(options_name(method.name)).or_insert(*method);
        }
    }
    for (name, method) in options {
        options_struct(&mut code, &name, method);
    }
    put(&mut code, "\nimpl GraphBuilder {");
    for method in methods {
        function(&mut code, method);
    }
    put(&mut code, "}");

    let fields = methods.iter().flat_map(|method| method.fields);
    let mut imports: BTreeSet<String> =
        fields.flat_map(|field| own_types(field.rust_type)).collect();
    imports.extend(["GraphBuilder", "Operand", "Result"].map(String::from));
    let imports: Vec<String> = imports.into_iter().collect();
    format!("{HEAD}\nuse crate::{{{}}};\n{HELPER}{code}", imports.join(", "))
}

fn put(code: &mut String, line: impl AsRef<str>) {
    code.push_str(line.as_ref());
    code.push('\n');
}

/// The names in a type that the prelude does not have.
fn own_types(rust_type: &str) -> Vec<String> {
    rust_type
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()))
        .filter(|word| !["Option", "Vec"].contains(word))
        .map(String::from)
        .collect()
}

fn has_options(method: &Method) -> bool {
    method.slots.iter().any(is_option) || method.fields.iter().any(|field| !field.is_parameter)
}

/// The specification's dictionary without its prefix: families share one.
fn options_name(method: &str) -> String {
    match method {
        "argMin" | "argMax" => "ArgMinMaxOptions".into(),
        "scatterElements" => "ScatterOptions".into(),
        name if name.starts_with("reduce") => "ReduceOptions".into(),
        name if name.ends_with("Pool2d") => "Pool2dOptions".into(),
        name => {
            let (first, rest) = name.split_at(1);
            format!("{}{rest}Options", first.to_uppercase())
        }
    }
}

/// `gatherND` is `gather_nd`, and `where`, which is a word of the language, is `where_`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = !c.is_ascii_uppercase();
        snake.push(c.to_ascii_lowercase());
    }
    match snake.as_str() {
        "where" => "where_".into(),
        "is_na_n" => "is_nan".into(),
        _ => snake,
    }
}

fn options_struct(code: &mut String, name: &str, method: &Method) {
    let family = match name {
        "ArgMinMaxOptions" => "`arg_min` and `arg_max`".into(),
        "ReduceOptions" => "every reduction".into(),
        "Pool2dOptions" => "every pooling".into(),
        _ => format!("[`GraphBuilder::{}`]", snake_case(method.name)),
    };
    put(code, format!("\n/// Options of {family}; `None` is the specification's default."));
    put(code, "#[derive(Clone, Debug, Default, PartialEq)]");
    put(code, format!("pub struct {name} {{"));
    for slot in method.slots.iter().filter(|slot| is_option(slot)) {
        put(code, format!("/// `{}`: {}.", slot.name, slot_in_words(method, slot)));
        put(code, format!("pub {}: Option<Operand>,", snake_case(slot.name)));
    }
    for field in method.fields.iter().filter(|field| !field.is_parameter) {
        let words = kind_in_words(&field.kind);
        put(code, format!("/// `{}`: {words}.", camel_case(field.name)));
        put(code, format!("pub {}: Option<{}>,", field.name, bare(field)));
    }
    put(code, "}");
}

/// The type of an attribute that is there.
fn bare(field: &Field) -> &'static str {
    let whole = field.rust_type;
    whole.strip_prefix("Option<").and_then(|inner| inner.strip_suffix('>')).unwrap_or(whole)
}

/// A parameter's type, and how to make a value of the attribute's type from it.
fn parameter(field: &Field) -> (String, String) {
    let name = field.name;
    match field.rust_type.strip_prefix("Vec<").and_then(|inner| inner.strip_suffix('>')) {
        Some(item) => (format!("&[{item}]"), format!("{name}.to_vec()")),
        None => (field.rust_type.into(), name.into()),
    }
}

fn function(code: &mut String, method: &Method) {
    let mut parameters = String::new();
    let mut operands = Vec::new();
    for slot in method.slots {
        let name = snake_case(slot.name);
        match slot.presence {
            Presence::Required => {
                write!(parameters, ", {name}: Operand").expect("writing to a string cannot fail");
                operands.push(format!("Some({name})"));
            }
            Presence::Repeated => {
                write!(parameters, ", {name}: &[Operand]")
                    .expect("writing to a string cannot fail");
            }
            Presence::Optional => operands.push(format!("options.{name}")),
        }
    }
    let operands = match method.slots {
        [slot] if slot.presence == Presence::Repeated => {
            format!("&{}.iter().copied().map(Some).collect::<Vec<_>>()", snake_case(slot.name))
        }
        _ => format!("&[{}]", operands.join(", ")),
    };
    let mut attributes = String::new();
    for field in method.fields {
        let name = field.name;
        let value = if field.is_parameter {
            let (rust_type, value) = parameter(field);
            write!(parameters, ", {name}: {rust_type}").expect("writing to a string cannot fail");
            format!("Some({value})")
        } else {
            format!("options.{name}")
        };
        put(&mut attributes, format!("set(&mut args, \"{name}\", {value});"));
    }
    if has_options(method) {
        write!(parameters, ", options: {}", options_name(method.name))
            .expect("writing to a string cannot fail");
    }
    let (call, result) = match method.outputs {
        [Slot { presence: Presence::Required, .. }] => ("call_one", "Operand"),
        _ => ("call", "Vec<Operand>"),
    };
    let args = if method.fields.is_empty() { "&Args::new()" } else { "&args" };

    let name = method.name;
    let link = anchor(name);
    put(
        code,
        format!(
            "/// The specification's [`{name}`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-{link})."
        ),
    );
    put(code, "///");
    for slot in method.slots.iter().filter(|slot| !is_option(slot)) {
        let words = slot_in_words(method, slot);
        put(code, format!("/// - `{}`: {words}", snake_case(slot.name)));
    }
    put(code, format!("pub fn {}(&self{parameters}) -> Result<{result}> {{", snake_case(name)));
    if !method.fields.is_empty() {
        put(code, "let mut args = Args::new();");
        code.push_str(&attributes);
    }
    put(code, format!("self.{call}(\"{name}\", {operands}, {args})"));
    put(code, "}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_both_languages() {
        let cases = [
            ("conv2d", "conv2d"),
            ("convTranspose2d", "conv_transpose2d"),
            ("gatherND", "gather_nd"),
            ("isNaN", "is_nan"),
            ("l2Pool2d", "l2_pool2d"),
            ("reduceLogSumExp", "reduce_log_sum_exp"),
            ("where", "where_"),
        ];
        for (name, expected) in cases {
            assert_eq!(snake_case(name), expected);
        }
        assert_eq!(options_name("reduceL1"), "ReduceOptions");
        assert_eq!(options_name("lstmCell"), "LstmCellOptions");
    }

    #[test]
    fn every_method_is_written_once() {
        let methods: Vec<&Method> = webnn_core::ops::methods().collect();
        let code = module(&methods);
        for method in methods {
            let start = format!("pub fn {}(", snake_case(method.name));
            assert_eq!(code.matches(&start).count(), 1, "{}", method.name);
        }
    }
}
