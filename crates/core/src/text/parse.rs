//! Text to a graph.

use std::collections::{HashMap, HashSet};

use crate::attrs::{Args, Attr, is_name};
use crate::builder::{GraphBuilder, Operand};
use crate::bytes::Bytes;
use crate::error::{Error, Result, bail, ensure};
use crate::graph::Graph;
use crate::limits::{Limits, Presence};
use crate::number::Number;
use crate::ops::{Method, method};
use crate::reference::{Data, Tensor};
use crate::types::{DataType, Desc, Shape};

use super::lex::{Placed, Token, tokens};

/// How deep sequences in attributes may be nested; no attribute needs more than one level.
const MAX_DEPTH: usize = 4;

/// How many bytes all splats of a text may take: a short text must not fill the memory.
const MAX_SPLAT_BYTES: u64 = 1 << 28;

pub(super) fn graph(text: &str, limits: Limits, external: &[Bytes]) -> Result<Graph> {
    let mut reader = Reader {
        builder: GraphBuilder::new(limits),
        values: HashMap::new(),
        outputs: Vec::new(),
        output_names: HashSet::new(),
        splat_bytes: 0,
        external,
    };
    for (i, text) in text.lines().enumerate() {
        let place = |at: usize| {
            let column = text.get(..at).map_or(1, |before| before.chars().count() + 1);
            format!("line {}, column {column}", i + 1)
        };
        let tokens =
            tokens(text).map_err(|(at, message)| Error::type_error(message).at(place(at)))?;
        let mut line = Line { tokens: &tokens, next: 0, length: text.trim_end().len() };
        reader.statement(&mut line).map_err(|error| error.at(place(line.last_at())))?;
    }
    let mut graph = reader.builder.into_graph();
    for (name, operand) in reader.outputs {
        graph.push_output(name, operand.value());
    }
    Ok(graph)
}

/// What the statements above have made.
struct Reader<'a> {
    builder: GraphBuilder,
    values: HashMap<String, Operand>,
    outputs: Vec<(String, Operand)>,
    output_names: HashSet<String>,
    splat_bytes: u64,
    external: &'a [Bytes],
}

/// The tokens of a line; an error is about the token that was taken last.
struct Line<'a> {
    tokens: &'a [Placed<'a>],
    next: usize,
    length: usize,
}

impl<'a> Line<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self) -> Option<&'a Token<'a>> {
        let token = self.peek();
        self.next += 1;
        token
    }

    /// Takes the mark if it is next.
    fn has(&mut self, mark: char) -> bool {
        let is_next = self.peek() == Some(&Token::Mark(mark));
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, mark: char) -> Result<()> {
        ensure!(self.take() == Some(&Token::Mark(mark)), "expected {mark:?}");
        Ok(())
    }

    /// Where the token lies that was taken last, in bytes.
    fn last_at(&self) -> usize {
        let token = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        token.map_or(self.length, |(at, _)| *at)
    }

    /// Makes an earlier token the one that an error is about.
    fn back_to(&mut self, token: usize) {
        self.next = token + 1;
    }

    fn value(&mut self) -> Result<&'a str> {
        match self.take() {
            Some(Token::Value(name)) => Ok(name),
            _other => bail!("expected a value, such as %0"),
        }
    }

    fn name(&mut self) -> Result<&'a str> {
        match self.take() {
            Some(Token::Text(name)) => Ok(name),
            _other => bail!("expected a name in quotes"),
        }
    }

    fn number(&mut self) -> Result<&'a str> {
        match self.take() {
            Some(Token::Number(text) | Token::Word(text @ ("NaN" | "Infinity"))) => Ok(text),
            _other => bail!("expected a number"),
        }
    }

    fn desc(&mut self) -> Result<(DataType, Vec<u32>)> {
        let data_type = match self.take() {
            Some(Token::Word(name)) => DataType::from_name(name),
            _other => None,
        };
        let Some(data_type) = data_type else { bail!("expected a data type, such as float32") };
        self.expect('[')?;
        let mut sizes = Vec::new();
        while !self.has(']') {
            if !sizes.is_empty() {
                self.expect(',')?;
            }
            let size = self.number()?;
            match size.parse() {
                Ok(size) => sizes.push(size),
                Err(_) => bail!("{} is not a size", shortened(size)),
            }
        }
        Ok((data_type, sizes))
    }

    fn attr(&mut self, depth: usize) -> Result<Attr> {
        Ok(match self.take() {
            Some(Token::Word("true")) => Attr::Bool(true),
            Some(Token::Word("false")) => Attr::Bool(false),
            Some(Token::Text(text)) => Attr::Text(text.clone()),
            Some(Token::Number(text) | Token::Word(text @ ("NaN" | "Infinity"))) => {
                Attr::Number(number(text)?)
            }
            Some(Token::Mark('[')) => {
                ensure!(depth < MAX_DEPTH, "sequences are nested too deep");
                let mut items = Vec::new();
                while !self.has(']') {
                    if !items.is_empty() {
                        self.expect(',')?;
                    }
                    items.push(self.attr(depth + 1)?);
                }
                Attr::List(items)
            }
            _other => bail!("expected an attribute's value"),
        })
    }
}

impl Reader<'_> {
    // Apart from the loop over lines, as tokens are.
    #[inline(never)]
    fn statement(&mut self, line: &mut Line<'_>) -> Result<()> {
        match line.peek() {
            None => return Ok(()),
            Some(Token::Word("output")) => self.output(line)?,
            Some(Token::Value(_)) => self.assignment(line)?,
            Some(_) => {
                line.take();
                bail!("unexpected start of a statement, expected a value or \"output\"");
            }
        }
        if line.take().is_some() {
            bail!("expected the end of the line");
        }
        Ok(())
    }

    fn output(&mut self, line: &mut Line<'_>) -> Result<()> {
        line.take();
        let name = line.name()?;
        ensure!(!name.is_empty(), "an output's name is empty");
        ensure!(self.output_names.insert(name.into()), "output {name:?} is named twice");
        line.expect('=')?;
        let operand = self.operand(line)?;
        self.outputs.push((name.into(), operand));
        Ok(())
    }

    /// A value that a statement above made.
    fn operand(&self, line: &mut Line<'_>) -> Result<Operand> {
        let name = line.value()?;
        match self.values.get(name) {
            Some(operand) => Ok(*operand),
            None => bail!("%{name} is not made above"),
        }
    }

    fn assignment(&mut self, line: &mut Line<'_>) -> Result<()> {
        let mut names: Vec<&str> = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let name = line.value()?;
            let is_new = !self.values.contains_key(name) && seen.insert(name);
            ensure!(is_new, "%{name} is made twice");
            names.push(name);
            if !line.has(',') {
                break;
            }
        }
        line.expect('=')?;
        let start = line.next;
        let operands = match line.take() {
            Some(Token::Word("input")) => vec![self.input(line, start)?],
            Some(Token::Word("constant")) => vec![self.constant(line, start)?],
            Some(Token::Word(name)) => self.node(name, line, start)?,
            _other => bail!("expected a method, \"input\" or \"constant\""),
        };
        if operands.len() != names.len() {
            line.back_to(start);
            bail!("{} results, expected {}", operands.len(), names.len());
        }
        let names = names.into_iter().map(str::to_owned);
        self.values.extend(names.zip(operands));
        Ok(())
    }

    fn input(&mut self, line: &mut Line<'_>, start: usize) -> Result<Operand> {
        let name = line.name()?;
        let (data_type, sizes) = line.desc()?;
        let end = line.next;
        line.back_to(start);
        let operand = self.builder.input(name, data_type, &sizes)?;
        line.next = end;
        Ok(operand)
    }

    fn constant(&mut self, line: &mut Line<'_>, start: usize) -> Result<Operand> {
        let (data_type, sizes) = line.desc()?;
        let end = line.next;
        line.back_to(start);
        let desc = Desc::new(data_type, Shape::new(&sizes)?);
        self.builder.limits().check(&desc)?;
        line.next = end;
        let bytes = self.elements(desc, line)?;
        let end = line.next;
        line.back_to(start);
        let operand = self.builder.constant(data_type, &sizes, bytes)?;
        line.next = end;
        Ok(operand)
    }

    fn elements(&mut self, desc: Desc, line: &mut Line<'_>) -> Result<Bytes> {
        let start = line.next;
        match line.take() {
            Some(Token::Hex(digits)) => hex(digits).map(Bytes::from),
            Some(Token::Word("external")) => self.external(line),
            Some(Token::Word("splat")) => {
                self.splat_bytes = self.splat_bytes.saturating_add(desc.byte_length());
                ensure!(
                    self.splat_bytes <= MAX_SPLAT_BYTES,
                    "splats take more than {MAX_SPLAT_BYTES} bytes"
                );
                let element = elements(Desc::new(desc.data_type, Shape::SCALAR), [line.number()?])?;
                Ok(element.broadcast(desc.shape).to_bytes().into())
            }
            Some(Token::Mark('{')) => {
                let one = Desc::new(desc.data_type, Shape::SCALAR);
                let mut words = Vec::new();
                while !line.has('}') {
                    if !words.is_empty() {
                        line.expect(',')?;
                    }
                    let word = line.number()?;
                    elements(one, [word])?;
                    words.push(word);
                }
                line.back_to(start);
                ensure!(
                    words.len() == desc.elements(),
                    "{} elements were given, expected {}",
                    words.len(),
                    desc.elements()
                );
                let tensor = elements(desc, words)?;
                line.next = line.tokens.len();
                Ok(tensor.to_bytes().into())
            }
            _other => bail!("expected elements in braces, \"splat\" or hexadecimal bytes"),
        }
    }

    /// Bytes that travel beside the text.
    fn external(&self, line: &mut Line<'_>) -> Result<Bytes> {
        let number = line.number()?;
        match number.parse().ok().and_then(|index: usize| self.external.get(index)) {
            Some(bytes) => Ok(bytes.clone()),
            None => bail!(
                "there is no external constant {}, {} came with the text",
                shortened(number),
                self.external.len()
            ),
        }
    }

    fn node(&mut self, name: &str, line: &mut Line<'_>, start: usize) -> Result<Vec<Operand>> {
        let method = method(name)?;
        let operands = self.operands(method, line)?;
        let (args, label) = options(method, line)?;
        let end = line.next;
        line.back_to(start);
        let results = self.builder.add(name, &operands, &args, label)?;
        line.next = end;
        Ok(results)
    }

    fn operands(&self, method: &Method, line: &mut Line<'_>) -> Result<Vec<Option<Operand>>> {
        let is_sequence = method.slots.iter().any(|slot| slot.presence == Presence::Repeated);
        let required =
            method.slots.iter().filter(|slot| slot.presence == Presence::Required).count();
        let mut positional = Vec::new();
        let mut optional = vec![None; if is_sequence { 0 } else { method.slots.len() - required }];
        line.expect('(')?;
        let mut is_first = true;
        while !line.has(')') {
            if !std::mem::take(&mut is_first) {
                line.expect(',')?;
            }
            if let Some(Token::Word(name)) = line.peek() {
                line.take();
                let slot = method
                    .slots
                    .iter()
                    .skip(required)
                    .position(|slot| slot.name == *name && !is_sequence);
                let place = match slot.and_then(|slot| optional.get_mut(slot)) {
                    Some(place) => place,
                    None => bail!("{} has no optional operand {}", method.name, shortened(name)),
                };
                ensure!(place.is_none(), "{name} is given twice");
                line.expect(':')?;
                *place = Some(self.operand(line)?);
            } else {
                positional.push(Some(self.operand(line)?));
                ensure!(
                    is_sequence || positional.len() <= required,
                    "{} takes {required} operands, and optional ones by name",
                    method.name
                );
            }
        }
        if !is_sequence {
            positional.resize(required, None);
        }
        positional.extend(optional);
        Ok(positional)
    }
}

/// The attributes and the label of a node.
fn options<'a>(method: &Method, line: &mut Line<'a>) -> Result<(Args, &'a str)> {
    let mut args = Args::new();
    let mut label = None;
    if !line.has('{') {
        return Ok((args, ""));
    }
    let mut is_first = true;
    while !line.has('}') {
        if !std::mem::take(&mut is_first) {
            line.expect(',')?;
        }
        let Some(Token::Word(name)) = line.take() else { bail!("expected an attribute's name") };
        let field = method.fields.iter().find(|field| is_name(name, field.name));
        let is_known = field.is_some() || *name == "label";
        ensure!(is_known, "{} has no attribute {}", method.name, shortened(name));
        let is_new = field.map_or(label.is_none(), |field| args.get(field.name).is_none());
        ensure!(is_new, "{name} is given twice");
        line.expect(':')?;
        match field {
            Some(field) => args.push(field.name, line.attr(0)?),
            None => match line.take() {
                Some(Token::Text(text)) => label = Some(text.as_str()),
                _other => bail!("expected a text"),
            },
        }
    }
    Ok((args, label.unwrap_or_default()))
}

/// A number in an attribute: an integer unless it has a point or an exponent.
fn number(text: &str) -> Result<Number> {
    let integer = text.parse().ok().map(Number::Int);
    match integer.or_else(|| float(text).map(Number::Float)) {
        Some(number) => Ok(number),
        None => bail!("{} is not a number", shortened(text)),
    }
}

/// A double by its digits, or the specification's names of the others.
fn float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust has other names for those, which are not ours.
        digits if digits.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E')) => {
            None
        }
        digits => digits.parse().ok(),
    }
}

/// The tensor of the given elements, as many as the descriptor says.
pub(super) fn elements<'a>(desc: Desc, words: impl IntoIterator<Item = &'a str>) -> Result<Tensor> {
    let not_one = |word| {
        Error::type_error(format!("{} is not an element of {}", shortened(word), desc.data_type))
    };
    let words = words.into_iter();
    let data = match desc.data_type.integer_range() {
        Some((least, greatest)) => {
            let element = |word: &'a str| {
                let value = word.parse().ok().filter(|value| (least..=greatest).contains(value));
                value.ok_or_else(|| not_one(word))
            };
            Data::Int(words.map(element).collect::<Result<_>>()?)
        }
        None => {
            let element = |word: &'a str| {
                let value = float(word).ok_or_else(|| not_one(word))?;
                // Rounding digits to a double first could move them onto a half of float32.
                let is_single = desc.data_type == DataType::Float32;
                Ok(word.parse::<f32>().ok().filter(|_| is_single).map_or(value, f64::from))
            };
            Data::Float(words.map(element).collect::<Result<_>>()?)
        }
    };
    Ok(Tensor { desc, data })
}

/// The bytes that hexadecimal digits stand for.
fn hex(digits: &str) -> Result<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    ensure!(rest.is_empty(), "the number of hexadecimal digits is odd");
    let digit = |c: u8| char::from(c).to_digit(16);
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok())
        .collect();
    match bytes {
        Some(bytes) => Ok(bytes),
        None => bail!("expected hexadecimal digits"),
    }
}

/// What a message repeats of the text.
fn shortened(text: &str) -> &str {
    text.get(..40).unwrap_or(text)
}
