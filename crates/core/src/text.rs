//! A graph as text, both ways: for people, and for tests that compare graphs.
//!
//! ```text
//! %0 = input "x" float32[1, 3, 224, 224]
//! %1 = constant float32[8, 3, 1, 1] splat 0.5
//! %2 = constant float32[8] {0, 1, -2.5, 1e-3, NaN, -Infinity, 6, 7}
//! %3 = conv2d(%0, %1, bias: %2) { strides: [2, 2], label: "stem/conv" }
//! %4, %5 = split(%3) { splits: 2, axis: 1 }
//! output "y" = %4
//! ```
//!
//! One statement stands on a line; `//` begins a comment.
//!
//! ```text
//! statement = value "=" "input" string desc
//!           | value "=" "constant" desc elements
//!           | value { "," value } "=" method "(" [ operand { "," operand } ] ")" [ options ]
//!           | "output" string "=" value
//! value     = "%" then letters, digits and underscores
//! desc      = data type "[" [ size { "," size } ] "]"
//! elements  = "{" number { "," number } "}"    one per element, row-major
//!           | "splat" number                   all the same
//!           | "0x" then hexadecimal digits     the bytes in memory, two digits each
//!           | "external" number                bytes that travel beside the text, by their number
//! operand   = value                            the next required slot, or item of a sequence
//!           | slot ":" value                   an optional slot by its name
//! options   = "{" [ name ":" attr { "," name ":" attr } ] "}"
//! attr      = "true" | "false" | number | string | "[" [ attr { "," attr } ] "]"
//! number    = as Rust writes it, "NaN", "Infinity" or "-Infinity"
//! string    = as Rust writes it, in double quotes
//! ```
//!
//! Methods, slots and attributes have the specification's names; attributes that are not named
//! have their default; `label` labels the node. A value must be made above where it is taken.
//!
//! Printing with [`Display`](std::fmt::Display) loses nothing: what is read back equals the
//! graph. [`summary`] shortens large constants to a hash and cannot be read back.
//!
//! Reading goes through the checks of [`GraphBuilder`](crate::GraphBuilder), but takes graphs as
//! passes leave them, too: parts that no output needs, and outputs that are inputs or constants.

mod lex;
mod parse;
mod print;

use std::str::FromStr;

use crate::bytes::Bytes;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::limits::Limits;

pub use print::{Detached, Summary, detached, summary};

/// Reads a graph; an error names line and column.
pub fn parse(text: &str, limits: Limits) -> Result<Graph> {
    parse::graph(text, limits, &[])
}

/// Reads a graph some of whose constants travel beside the text: `external 3` is the fourth.
///
/// ```
/// use webnn_core::{Bytes, Limits, text};
///
/// let text = r#"
///     %w = constant float32[2] external 0
///     %y = neg(%w)
///     output "y" = %y
/// "#;
/// let graph = text::parse_with(text, Limits::default(), &[Bytes::from(vec![0; 8])])?;
/// assert!(text::parse(text, Limits::default()).is_err());
/// # Ok::<(), webnn_core::Error>(())
/// ```
pub fn parse_with(text: &str, limits: Limits, external: &[Bytes]) -> Result<Graph> {
    parse::graph(text, limits, external)
}

impl FromStr for Graph {
    type Err = Error;

    /// As [`parse`], within all that the specification allows.
    fn from_str(text: &str) -> Result<Graph> {
        parse(text, Limits::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_is_printed_reads_back() {
        let text = r#"%0 = input "a \"quoted\" name\n" float32[1, 2]
%1 = constant float32[1] {-0.5}
%2 = constant float32[3] {NaN, -Infinity, -0}
%3 = constant float32[1] 0xffffffff
%4 = constant float16[17] splat 0.099975586
%5 = constant int4[3] {-8, 7, 0}
%6 = constant int64[] {-9223372036854775808}
%7 = add(%0, %1) { label: "sum\u{202e}" }
%8, %9 = split(%7) { splits: [1, 1], axis: 1 }
%10 = clamp(%8) { minValue: -Infinity, maxValue: 6.0 }
%11 = gemm(%0, %0, c: %1) { bTranspose: true }
output "y" = %9
output "x" = %0
"#;
        let graph: Graph = text.parse().unwrap();
        assert_eq!(graph.to_string(), text);
        assert_eq!(graph.to_string().parse::<Graph>().unwrap(), graph);
    }

    #[test]
    fn what_a_person_writes_is_taken() {
        let text = "\n// a comment\n  %x=input \"x//y\" float32[2]// another\r\n\
                    %two = constant float32 [] { 2 }\n\
                    %y = mul ( %x , %two ) {}\noutput \"y\" = %y";
        let expected = "%0 = input \"x//y\" float32[2]\n%1 = constant float32[] {2}\n\
                        %2 = mul(%0, %1)\noutput \"y\" = %2\n";
        assert_eq!(text.parse::<Graph>().unwrap().to_string(), expected);
    }

    #[test]
    fn external_constants_travel_beside_the_text() {
        let mut builder = crate::GraphBuilder::new(Limits::default());
        let f32 = crate::DataType::Float32;
        let error = builder.constant_external(f32, &[2], 7, 5).unwrap_err();
        assert_eq!(error.message(), "constant: 7 bytes were given, expected 8 for float32[2]");
        let w = builder.constant_external(f32, &[2], 8, 1).unwrap();
        let args = crate::attrs::Args::new();
        let y = builder.add_named("neg", &[("input", vec![w])], &args, "").unwrap();
        let text = builder.build(&[("y", y[0])]).unwrap().to_string();
        let expected = "%0 = constant float32[2] external 1\n%1 = neg(%0)\noutput \"y\" = %1\n";
        assert_eq!(text, expected);

        let bytes = [Bytes::from(vec![]), Bytes::from(vec![0, 0, 128, 63, 0, 0, 0, 64])];
        let graph = parse_with(&text, Limits::default(), &bytes).unwrap();
        assert_eq!(graph.to_string(), text.replace("external 1", "{1, 2}"));
        assert_eq!(detached(&graph).to_string(), text.replace("external 1", "external 0"));
        for (bytes, expected) in [
            (&bytes[..1], "there is no external constant 1, 1 came with the text"),
            (&bytes[..], "constant has 0 bytes, expected 8"),
        ] {
            let text = if bytes.len() == 2 { text.replace("nal 1", "nal 0") } else { text.clone() };
            let error = parse_with(&text, Limits::default(), bytes).unwrap_err();
            assert!(error.message().contains(expected), "{error}");
        }
    }

    #[test]
    fn large_constants_are_summarised() {
        let bytes: Vec<String> = (0..17).map(|i| i.to_string()).collect();
        let text = format!("%0 = constant uint8[17] {{{}}}\n", bytes.join(", "));
        let graph: Graph = text.parse().unwrap();
        assert_eq!(
            graph.to_string(),
            "%0 = constant uint8[17] 0x000102030405060708090a0b0c0d0e0f10\n"
        );
        let short = summary(&graph).to_string();
        assert!(short.starts_with("%0 = constant uint8[17] #"), "{short}");
        assert!(short.parse::<Graph>().is_err());
    }

    /// Each text's error begins with the place and contains the words.
    fn check_errors(above: &str, cases: &[(&str, usize, &str)]) {
        for (text, column, expected) in cases {
            let text = format!("{above}{text}");
            let error = text.parse::<Graph>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Type);
            let place = format!("line {}, column {column}: ", text.lines().count());
            let message = error.message();
            assert!(message.starts_with(&place), "{text:?} gives {message:?}, not at {column}");
            assert!(message.contains(expected), "{text:?} gives {message:?}");
        }
    }

    #[test]
    fn errors_name_line_and_column() {
        let cases = [
            ("%0 = ", 5, "expected a method"),
            ("%0 = input x", 12, "expected a name in quotes"),
            ("%0 = input \"x", 12, "not closed"),
            ("%0 = input \"\\q\" float32[]", 13, "escape"),
            ("%0 = input \"x\" float33[2]", 16, "data type"),
            ("%0 = input \"x\" float32[0]", 6, "expected 1 to"),
            ("%0 = input \"x\" float32[2147483648]", 6, "expected 1 to"),
            ("%0 = input \"x\" float32[4294967296]", 24, "is not a size"),
            ("%0 = input \"x\" float32[-1]", 24, "is not a size"),
            ("%0 = input \"\" float32[2]", 6, "empty"),
            ("%0 = input \"x\" float32[2] 3", 27, "expected the end"),
            ("ä %0", 1, "unexpected"),
            ("%0 = constant float32[2] {1}", 26, "1 elements were given, expected 2"),
            ("%0 = constant int8[1] {128}", 24, "is not an element of int8"),
            ("%0 = constant int8[1] {1.0}", 24, "is not an element of int8"),
            ("%0 = constant int8[1] {x}", 24, "expected a number"),
            ("%0 = constant int8[1] 0x0", 23, "odd"),
            ("%0 = constant int8[1] 0x0g", 23, "hexadecimal"),
            ("%0 = constant int8[1] 0x0001", 6, "2 bytes"),
            ("%0 = constant int8[1] #1234", 23, "unexpected"),
            ("%0 = constant int8[2147483647] splat 1", 32, "bytes"),
            ("output \"y\" = %7", 14, "%7 is not made above"),
        ];
        check_errors("", &cases);
        check_errors("// ä\n\n", &cases);
    }

    #[test]
    fn errors_of_nodes_and_outputs_name_line_and_column() {
        check_errors(
            "%0 = input \"x\" float32[2]\n",
            &[
                ("%1 = relux(%0)", 6, "relux"),
                ("%1 = relu()", 6, "input is missing"),
                ("%1 = relu(%0, %0)", 15, "takes 1 operands"),
                ("%1 = relu(input: %0)", 11, "no optional operand"),
                ("%1 = relu(%0", 13, "expected"),
                ("%1 = relu(%0) { alpha: 1 }", 17, "no attribute"),
                ("%1 = elu(%0) { alpha: 1, alpha: 1 }", 26, "twice"),
                ("%1 = elu(%0) { alpha: \"1\" }", 6, "finite number"),
                ("%1 = elu(%0) { label: 1 }", 23, "expected a text"),
                ("%1 = elu(%0) { alpha: [[[[[1]]]]] }", 27, "too deep"),
                ("%1 = elu(%0) { alpha: 1..2 }", 23, "is not a number"),
                ("%0 = relu(%0)", 1, "%0 is made twice"),
                ("%1, %2 = relu(%0)", 10, "1 results, expected 2"),
                ("%1 = conv2d(%0, %0)", 6, "rank 4"),
                ("%1 = input \"x\" float32[]", 6, "already used"),
                ("output \"\" = %0", 8, "empty"),
                ("output \"äö\" ü", 13, "unexpected"),
                ("output \"y\" = %0\noutput \"y\" = %0", 8, "twice"),
            ],
        );
    }

    #[test]
    fn no_prefix_and_no_lost_byte_panics() {
        let text = "%0 = input \"x\\u{1f600}\" float32[2, 3]\n%1 = constant int4[3] {1, -2, 3}\n\
                    %2, %3 = split(%0) { splits: [1, 2], axis: 1, label: \"ü\" }\n\
                    %4 = constant float16[99] splat 1e-3 // ä\noutput \"y\" = %2\n";
        assert!(text.parse::<Graph>().is_ok());
        for (i, c) in text.char_indices() {
            let _ = text[..i].parse::<Graph>();
            for replacement in ["", "\u{0}", "9", "\"", "{", "%", "-", "\u{301}"] {
                let changed = [&text[..i], replacement, &text[i + c.len_utf8()..]].concat();
                if let Ok(graph) = changed.parse::<Graph>() {
                    assert_eq!(graph.to_string().parse::<Graph>().as_ref(), Ok(&graph));
                }
            }
        }
    }
}
