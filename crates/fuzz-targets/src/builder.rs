//! Any sequence of builder calls: no panic, and what was accepted keeps its promises.

use webnn_core::attrs::{Args, Attr, Kind};
use webnn_core::limits::Presence;
use webnn_core::ops::{self, Method};
use webnn_core::reference::{self, Tensor};
use webnn_core::{DataType, Graph, GraphBuilder, Limits, Number, Operand};

/// Graphs above so many elements in any value are not computed, only built.
const MAX_ELEMENTS: usize = 1 << 12;

/// Reads choices from the fuzzer's bytes; zeros once they are used up.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                byte
            }
            None => 0,
        }
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    /// Mostly small numbers, at times one at the edge of a type.
    fn number(&mut self) -> Number {
        match self.byte() {
            byte @ 0..=199 => Number::Int(i128::from(byte % 8)),
            byte @ 200..=219 => Number::Int(-i128::from(byte - 199)),
            220..=229 => Number::Float(f64::from(self.byte()) / 16.0 - 4.0),
            230..=239 => Number::Int(1 << (self.byte() % 70)),
            240..=244 => Number::Float(f64::NAN),
            245..=249 => Number::Float(f64::INFINITY),
            _edge => Number::Int(i128::from(u32::MAX) - i128::from(self.byte() % 3)),
        }
    }

    fn attr(&mut self, kind: &Kind) -> Attr {
        match kind {
            Kind::Bool => Attr::Bool(self.byte() % 2 == 1),
            Kind::U32 | Kind::I32 | Kind::F32 | Kind::F64 | Kind::Number => {
                Attr::Number(self.number())
            }
            Kind::Enum(names) => {
                let name = names.get(self.below(names.len() + 1)).copied();
                Attr::Text(name.unwrap_or("no such name").into())
            }
            Kind::List(item) => {
                let count = self.below(10);
                Attr::List((0..count).map(|_| self.attr(item)).collect())
            }
            Kind::Array(item, length) => {
                let count = if self.byte() > 250 { self.below(10) } else { *length };
                Attr::List((0..count).map(|_| self.attr(item)).collect())
            }
            Kind::Optional(kind) => self.attr(kind),
            Kind::Splits if self.byte().is_multiple_of(2) => Attr::Number(self.number()),
            Kind::Splits => self.attr(&Kind::List(&Kind::U32)),
        }
    }

    fn data_type(&mut self) -> DataType {
        DataType::ALL[self.below(DataType::ALL.len())]
    }

    fn shape(&mut self) -> Vec<u32> {
        let rank = self.below(10);
        let size = |byte: u8| if byte > 250 { u32::MAX >> (byte % 4) } else { u32::from(byte % 6) };
        (0..rank).map(|_| size(self.byte())).collect()
    }
}

/// Builds a graph from the bytes' choices; on small graphs, computes it by definition, too.
pub fn builder(data: &[u8]) {
    if let Some(graph) = graph(&mut Choices(data)) {
        check(&graph);
    }
}

fn graph(choices: &mut Choices<'_>) -> Option<Graph> {
    let methods: Vec<&Method> = ops::methods().collect();
    let mut builder = GraphBuilder::new(Limits::default());
    let mut operands: Vec<Operand> = Vec::new();
    let mut results: Vec<Operand> = Vec::new();
    for _ in 0..64 {
        if choices.0.is_empty() {
            break;
        }
        match choices.below(8) {
            0 => {
                let name = format!("x{}", choices.below(16));
                let (data_type, shape) = (choices.data_type(), choices.shape());
                operands.extend(builder.input(&name, data_type, &shape));
            }
            1 => {
                let (data_type, shape) = (choices.data_type(), choices.shape());
                let count =
                    shape.iter().fold(1u64, |n, &size| n.saturating_mul(size.into())).min(512);
                let bytes: Vec<u8> =
                    (0..data_type.byte_length(count)).map(|_| choices.byte()).collect();
                operands.extend(builder.constant(data_type, &shape, bytes));
            }
            _operator => {
                let method = methods[choices.below(methods.len())];
                let made = call(choices, &mut builder, method, &operands).unwrap_or_default();
                operands.extend(&made);
                results.extend(made);
            }
        }
    }
    let outputs: Vec<(String, Operand)> =
        results.iter().rev().take(3).enumerate().map(|(i, &y)| (format!("y{i}"), y)).collect();
    let outputs: Vec<(&str, Operand)> =
        outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
    builder.build(&outputs).ok()
}

fn call(
    choices: &mut Choices<'_>,
    builder: &mut GraphBuilder,
    method: &Method,
    operands: &[Operand],
) -> webnn_core::Result<Vec<Operand>> {
    let mut args = Args::new();
    for field in method.fields {
        if field.is_parameter || choices.byte().is_multiple_of(2) {
            args.push(field.name, choices.attr(&field.kind));
        }
    }
    let mut given = Vec::new();
    for slot in method.slots {
        let count = match slot.presence {
            Presence::Required => 1,
            Presence::Optional => choices.below(2),
            Presence::Repeated => choices.below(4),
        };
        let pick = |choices: &mut Choices<'_>| operands.get(choices.below(operands.len())).copied();
        if count == 0 && slot.presence == Presence::Optional {
            given.push(None);
        }
        given.extend((0..count).map(|_| pick(choices)));
    }
    builder.add(method.name, &given, &args, "")
}

fn check(graph: &Graph) {
    for value in graph.values() {
        value.desc.check().expect("a value of an accepted graph has a valid shape");
    }
    if graph.values().iter().any(|value| value.desc.elements() > MAX_ELEMENTS) {
        return;
    }
    let inputs: Vec<Tensor> = graph
        .inputs()
        .iter()
        .map(|port| {
            let desc = graph.desc(port.value);
            let bytes: Vec<u8> = (0..desc.byte_length()).map(|i| (i * 37 + 11) as u8).collect();
            Tensor::from_bytes(desc, &bytes).expect("there are as many bytes as it takes")
        })
        .collect();
    let outputs = reference::run(graph, &inputs).expect("the inputs are those of the graph");
    for (output, port) in outputs.iter().zip(graph.outputs()) {
        let desc = graph.desc(port.value);
        assert_eq!(output.desc, desc, "output {:?}", port.name);
        let length = output.to_bytes().len() as u64;
        assert_eq!(length, desc.byte_length(), "output {:?}", port.name);
    }
}
