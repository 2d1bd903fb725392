//! A graph to text.

use std::fmt::{self, Write};

use crate::attrs::camel_case;
use crate::bytes::Bytes;
use crate::graph::{Graph, Node, Source, ValueId};
use crate::limits::Presence;
use crate::reference::{Data, Tensor};
use crate::types::Desc;

use super::parse::elements;

/// Up to so many elements a constant's are listed.
const LISTED: usize = 16;

/// Shows a graph with large constants shortened to a hash.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a>(&'a Graph);

/// The graph with large constants shortened to a hash, for people only.
pub fn summary(graph: &Graph) -> Summary<'_> {
    Summary(graph)
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.0, f, |f, _, desc, bytes| {
            elements_or(f, desc, bytes, |f| write!(f, "#{:016x}", hash(bytes)))
        })
    }
}

/// Shows a graph without the bytes of its constants.
#[derive(Clone, Copy, Debug)]
pub struct Detached<'a>(&'a Graph);

/// The graph with all constants external, by the number of their values; see
/// [`parse_with`](super::parse_with).
pub fn detached(graph: &Graph) -> Detached<'_> {
    Detached(graph)
}

impl fmt::Display for Detached<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.0, f, |f, value, _, _| write!(f, "external {value}"))
    }
}

impl fmt::Display for Graph {
    /// The text that reads back as an equal graph; see [`crate::text`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self, f, |f, _, desc, bytes| match bytes.external_id() {
            Some(id) => write!(f, "external {id}"),
            None => elements_or(f, desc, bytes, |f| {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }),
        })
    }
}

/// Prints what stands behind a constant's type; its value's number comes first.
type PrintBytes = fn(&mut fmt::Formatter<'_>, usize, Desc, &Bytes) -> fmt::Result;

fn print(graph: &Graph, f: &mut fmt::Formatter<'_>, elements: PrintBytes) -> fmt::Result {
    for (i, value) in graph.values().iter().enumerate() {
        match &value.source {
            Source::Input(input) => {
                let name = graph.inputs().get(*input).map_or("", |port| &port.name);
                writeln!(f, "%{i} = input {name:?} {}", value.desc)?;
            }
            Source::Constant(bytes) => {
                write!(f, "%{i} = constant {} ", value.desc)?;
                elements(f, i, value.desc, bytes)?;
                f.write_char('\n')?;
            }
            // A node's results follow each other.
            Source::Node(id, 0) => print_node(graph.node(*id), f)?,
            Source::Node(..) => {}
        }
    }
    for port in graph.outputs() {
        writeln!(f, "output {:?} = %{}", port.name, port.value.index())?;
    }
    Ok(())
}

fn print_node(node: &Node, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let method = node.op.method();
    let value = |id: &ValueId| format!("%{}", id.index());
    let outputs: Vec<String> = node.outputs.iter().map(value).collect();
    write!(f, "{} = {}(", outputs.join(", "), method.name)?;
    let mut separator = "";
    for (i, id) in node.inputs.iter().enumerate() {
        let Some(id) = id else { continue };
        f.write_str(separator)?;
        separator = ", ";
        match method.slots.get(i) {
            Some(slot) if slot.presence == Presence::Optional => {
                write!(f, "{}: {}", slot.name, value(id))?;
            }
            _required_or_item => f.write_str(&value(id))?,
        }
    }
    f.write_char(')')?;
    let attributes = node.op.attributes();
    let mut options: Vec<String> =
        attributes.iter().map(|(name, attr)| format!("{}: {attr}", camel_case(name))).collect();
    if !node.label.is_empty() {
        options.push(format!("label: {:?}", node.label));
    }
    if !options.is_empty() {
        write!(f, " {{ {} }}", options.join(", "))?;
    }
    f.write_char('\n')
}

/// The elements where they are few or all the same, else what `large` prints.
fn elements_or(
    f: &mut fmt::Formatter<'_>,
    desc: Desc,
    bytes: &[u8],
    large: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    match listed(desc, bytes).or_else(|| splat(desc, bytes)) {
        Some(text) => f.write_str(&text),
        None => large(f),
    }
}

/// The elements in braces, where they are few and nothing would be lost.
fn listed(desc: Desc, bytes: &[u8]) -> Option<String> {
    let words = (desc.elements() <= LISTED).then(|| words(desc, bytes)).flatten()?;
    reads_back(desc, &words, bytes).then(|| format!("{{{}}}", words.join(", ")))
}

/// The one element that all are equal to.
fn splat(desc: Desc, bytes: &[u8]) -> Option<String> {
    let bits = desc.data_type.bits() as usize;
    let first = bytes.get(..bits.div_ceil(8))?;
    if bits == 4 {
        let words = words(desc, bytes)?;
        let first = words.first()?.clone();
        return (words.iter().all(|word| *word == first) && reads_back(desc, &words, bytes))
            .then(|| format!("splat {first}"));
    }
    if !bytes.chunks_exact(first.len()).all(|element| element == first) {
        return None;
    }
    let one = Desc::new(desc.data_type, crate::types::Shape::SCALAR);
    let words = words(one, first)?;
    reads_back(one, &words, first).then(|| format!("splat {}", words[0]))
}

/// Each element as text.
fn words(desc: Desc, bytes: &[u8]) -> Option<Vec<String>> {
    let tensor = Tensor::from_bytes(desc, bytes).ok()?;
    Some(match &tensor.data {
        Data::Float(data) => data.iter().map(|&x| float_word(x as f32)).collect(),
        Data::Int(data) => data.iter().map(i128::to_string).collect(),
    })
}

/// The shortest digits that read back as the same number.
fn float_word(x: f32) -> String {
    if x.is_infinite() {
        return if x < 0.0 { "-Infinity" } else { "Infinity" }.into();
    }
    let word = format!("{x:?}");
    word.strip_suffix(".0").map(str::to_owned).unwrap_or(word)
}

fn reads_back(desc: Desc, words: &[String], bytes: &[u8]) -> bool {
    let words = words.iter().map(String::as_str);
    elements(desc, words).is_ok_and(|tensor| tensor.to_bytes() == bytes)
}

/// FNV-1a, of 64 bits: enough to tell constants apart by eye.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
