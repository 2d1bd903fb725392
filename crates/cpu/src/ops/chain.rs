//! Chains of element-wise operators on floats and truth values, as one program.

use std::collections::HashMap;

use half::f16;
use webnn_core::ops::{Binary, Compare, Unary};
use webnn_core::{DataType, Desc, Graph, Node, NodeId, Op, ValueId};
use webnn_kernels::Isa;
use webnn_kernels::buffer::Scratch;
use webnn_kernels::map::{self, Program, ProgramBuilder, Slice, SliceMut, Storage, TILE, Value};
use webnn_kernels::strided::{Space, broadcast};

use crate::io::Io;
use crate::kernel::{Built, Kernel, floats, sizes};
use crate::threads::{Pieces, Threads};

/// The most operands of a chain; longer lists are computed in several steps.
pub(crate) const MAX_INPUTS: usize = 12;

/// Fewer tiles are computed by one thread.
const LEAST_TILES: usize = 8;

/// A chain, and the values that its inputs are, in order.
pub(crate) struct Chain {
    pub(crate) program: Program,
    pub(crate) inputs: Vec<ValueId>,
}

/// Builds chains, node by node.
pub(crate) struct ChainBuilder<'a> {
    graph: &'a Graph,
    builder: ProgramBuilder,
    values: HashMap<ValueId, Value>,
    inputs: Vec<ValueId>,
}

impl<'a> ChainBuilder<'a> {
    pub(crate) fn new(graph: &'a Graph) -> ChainBuilder<'a> {
        ChainBuilder {
            graph,
            builder: ProgramBuilder::new(),
            values: HashMap::new(),
            inputs: Vec::new(),
        }
    }

    /// Says that a value is the program's next input, in the given storage.
    pub(crate) fn input(&mut self, id: ValueId, storage: Storage) -> Value {
        let value = self.builder.input(storage);
        self.inputs.push(id);
        self.values.insert(id, value);
        value
    }

    /// The value of an operand: computed before, or a number, or the next input.
    pub(crate) fn operand(&mut self, id: ValueId) -> Option<Value> {
        if let Some(&value) = self.values.get(&id) {
            return Some(value);
        }
        let desc = self.graph.desc(id);
        if let Some(bytes) = self.graph.constant(id)
            && desc.elements() == 1
        {
            let x = match desc.data_type {
                DataType::Uint8 => f32::from(bytes[0]),
                data_type => floats(bytes, data_type)?[0],
            };
            let value = self.builder.constant(x);
            self.values.insert(id, value);
            return Some(value);
        }
        Some(self.input(id, storage(&desc)?))
    }

    /// Says that a value is one that the chain has already.
    pub(crate) fn alias(&mut self, id: ValueId, value: Value) {
        self.values.insert(id, value);
    }

    /// Adds an operator.
    pub(crate) fn unary(&mut self, op: map::Unary, x: Value) -> Value {
        self.builder.unary(op, x)
    }

    /// Adds an operator.
    pub(crate) fn binary(&mut self, op: map::Binary, x: Value, y: Value) -> Value {
        self.builder.binary(op, x, y)
    }

    /// Adds a node; `None` where it is no operator of floats.
    pub(crate) fn push(&mut self, node: &Node) -> Option<Value> {
        let operand = |slot: usize| node.inputs.get(slot).copied().flatten();
        let result = self.graph.desc(node.outputs[0]);
        storage(&result)?;
        let first = self.graph.desc(operand(0)?);
        let value = match translate(&node.op, &first)? {
            Operator::Unary(op) => {
                let x = self.operand(operand(0)?)?;
                self.builder.unary(op, x)
            }
            Operator::Binary(op) => {
                let x = self.operand(operand(0)?)?;
                let y = self.operand(operand(1)?)?;
                self.builder.binary(op, x, y)
            }
            Operator::Select => {
                let condition = self.operand(operand(0)?)?;
                let x = self.operand(operand(1)?)?;
                let y = self.operand(operand(2)?)?;
                self.builder.select(condition, x, y)
            }
            Operator::Cast => {
                let x = self.operand(operand(0)?)?;
                let narrows = result.data_type == DataType::Float16;
                let op = if narrows { map::Unary::RoundToHalf } else { map::Unary::Identity };
                self.builder.unary(op, x)
            }
        };
        self.values.insert(node.outputs[0], value);
        Some(value)
    }

    /// The chain whose one output is the given value.
    pub(crate) fn finish(self, output: Value, storage: Storage) -> Chain {
        Chain { program: self.builder.finish(&[(output, storage)]), inputs: self.inputs }
    }
}

/// What an operator is in a program.
enum Operator {
    Unary(map::Unary),
    Binary(map::Binary),
    Select,
    Cast,
}

/// How floats and truth values are stored; `None` for integers.
fn storage(desc: &Desc) -> Option<Storage> {
    match desc.data_type {
        DataType::Float32 => Some(Storage::F32),
        DataType::Float16 => Some(Storage::F16),
        DataType::Uint8 => Some(Storage::U8),
        DataType::Int32
        | DataType::Uint32
        | DataType::Int64
        | DataType::Uint64
        | DataType::Int8
        | DataType::Int4
        | DataType::Uint4 => None,
    }
}

/// The operator on floats, or on truth values where the specification says so.
fn translate(op: &Op, first: &Desc) -> Option<Operator> {
    let is_float = first.data_type.is_float();
    let floats = |operator: Operator| is_float.then_some(operator);
    let unary = |op: map::Unary| floats(Operator::Unary(op));
    match op {
        Op::Unary(op) => match op {
            Unary::Abs => unary(map::Unary::Abs),
            Unary::Ceil => unary(map::Unary::Ceil),
            Unary::Cos => unary(map::Unary::Cos),
            Unary::Erf => unary(map::Unary::Erf),
            Unary::Exp => unary(map::Unary::Exp),
            Unary::Floor => unary(map::Unary::Floor),
            Unary::Gelu => unary(map::Unary::Gelu),
            Unary::HardSwish => unary(map::Unary::HardSwish),
            Unary::Identity => unary(map::Unary::Identity),
            Unary::IsInfinite => unary(map::Unary::IsInfinite),
            Unary::IsNan => unary(map::Unary::IsNan),
            Unary::Log => unary(map::Unary::Log),
            Unary::LogicalNot => Some(Operator::Unary(map::Unary::LogicalNot)),
            Unary::Neg => unary(map::Unary::Neg),
            Unary::Reciprocal => unary(map::Unary::Reciprocal),
            Unary::Relu => unary(map::Unary::Relu),
            Unary::RoundEven => unary(map::Unary::RoundEven),
            Unary::Sigmoid => unary(map::Unary::Sigmoid),
            Unary::Sign => unary(map::Unary::Sign),
            Unary::Sin => unary(map::Unary::Sin),
            Unary::Softplus => unary(map::Unary::Softplus),
            Unary::Softsign => unary(map::Unary::Softsign),
            Unary::Sqrt => unary(map::Unary::Sqrt),
            Unary::Tan => unary(map::Unary::Tan),
            Unary::Tanh => unary(map::Unary::Tanh),
        },
        Op::Clamp(op) => {
            let [min, max] = clamp_bounds(op, first.data_type);
            unary(map::Unary::Clamp { min, max })
        }
        Op::Elu(op) => unary(map::Unary::Elu { alpha: op.alpha as f32 }),
        Op::HardSigmoid(op) => {
            unary(map::Unary::HardSigmoid { alpha: op.alpha as f32, beta: op.beta as f32 })
        }
        Op::LeakyRelu(op) => unary(map::Unary::LeakyRelu { alpha: op.alpha as f32 }),
        Op::Linear(op) => {
            unary(map::Unary::Linear { alpha: op.alpha as f32, beta: op.beta as f32 })
        }
        Op::Binary(op) => floats(Operator::Binary(match op {
            Binary::Add => map::Binary::Add,
            Binary::Sub => map::Binary::Sub,
            Binary::Mul => map::Binary::Mul,
            Binary::Div => map::Binary::Div,
            Binary::Max => map::Binary::Max,
            Binary::Min => map::Binary::Min,
            Binary::Pow => map::Binary::Pow,
        })),
        Op::Prelu(_) => floats(Operator::Binary(map::Binary::Prelu)),
        Op::Compare(op) => {
            let is_plain = is_float || first.data_type == DataType::Uint8;
            is_plain.then_some(Operator::Binary(match op {
                Compare::Equal => map::Binary::Equal,
                Compare::NotEqual => map::Binary::NotEqual,
                Compare::Greater => map::Binary::Greater,
                Compare::GreaterOrEqual => map::Binary::GreaterOrEqual,
                Compare::Lesser => map::Binary::Lesser,
                Compare::LesserOrEqual => map::Binary::LesserOrEqual,
                Compare::LogicalAnd => map::Binary::LogicalAnd,
                Compare::LogicalOr => map::Binary::LogicalOr,
                Compare::LogicalXor => map::Binary::LogicalXor,
            }))
        }
        Op::Where(_) => Some(Operator::Select),
        Op::Cast(op) => {
            let from = is_float || first.data_type == DataType::Uint8;
            (from && op.data_type.is_float()).then_some(Operator::Cast)
        }
        Op::ArgMinMax(_)
        | Op::BatchNormalization(_)
        | Op::Concat(_)
        | Op::Conv2d(_)
        | Op::ConvTranspose2d(_)
        | Op::CumulativeSum(_)
        | Op::DequantizeLinear(_)
        | Op::Expand(_)
        | Op::Gather(_)
        | Op::GatherElements(_)
        | Op::GatherNd(_)
        | Op::Gemm(_)
        | Op::Gru(_)
        | Op::GruCell(_)
        | Op::InstanceNormalization(_)
        | Op::LayerNormalization(_)
        | Op::Lstm(_)
        | Op::LstmCell(_)
        | Op::Matmul(_)
        | Op::Pad(_)
        | Op::Pool2d(_)
        | Op::QuantizeLinear(_)
        | Op::Reduce(_)
        | Op::Resample2d(_)
        | Op::Reshape(_)
        | Op::Reverse(_)
        | Op::ScatterElements(_)
        | Op::ScatterNd(_)
        | Op::Slice(_)
        | Op::Softmax(_)
        | Op::Split(_)
        | Op::Tile(_)
        | Op::Transpose(_)
        | Op::Triangular(_) => None,
    }
}

/// A clamp's bounds as floats.
pub(crate) fn clamp_bounds(op: &webnn_core::ops::Clamp, data_type: DataType) -> [f32; 2] {
    let (min, max) = op.bounds(data_type);
    let bound = |bound: Option<webnn_core::Number>, none: f32| {
        bound.map_or(none, |bound| bound.to_f64() as f32)
    };
    [bound(min, f32::NEG_INFINITY), bound(max, f32::INFINITY)]
}

/// A chain over the elements of a result.
struct Pointwise {
    program: Program,
    space: Space,
    inputs: Vec<Storage>,
    output: Storage,
    isa: Isa,
}

/// The kernel for element-wise nodes of which only the last one's result is needed; `None` where
/// some are not on floats.
#[inline(never)]
pub(crate) fn lower(graph: &Graph, nodes: &[NodeId], isa: Isa) -> Option<Built> {
    let mut builder = ChainBuilder::new(graph);
    let mut last = None;
    for &id in nodes {
        let node = graph.node(id);
        last = Some((builder.push(node)?, node.outputs[0]));
    }
    let (value, output) = last?;
    let desc = graph.desc(output);
    let chain = builder.finish(value, storage(&desc)?);
    let shape = sizes(&desc);
    let operands: Vec<Vec<usize>> =
        chain.inputs.iter().map(|&id| broadcast(&sizes(&graph.desc(id)), &shape)).collect();
    lower_program(chain, &shape, &operands, output, storage(&desc)?, isa)
}

/// The kernel for a program over a shape, with the strides of its inputs.
pub(crate) fn lower_program(
    chain: Chain,
    shape: &[usize],
    strides: &[Vec<usize>],
    output: ValueId,
    storage: Storage,
    isa: Isa,
) -> Option<Built> {
    if chain.inputs.len() > MAX_INPUTS {
        return None;
    }
    let strides: Vec<&[usize]> = strides.iter().map(Vec::as_slice).collect();
    let kernel = Pointwise {
        inputs: chain.program.inputs().to_vec(),
        program: chain.program,
        space: Space::new(shape, &strides),
        output: storage,
        isa,
    };
    Some(Built { kernel: Box::new(kernel), reads: chain.inputs, writes: vec![output] })
}

impl Kernel for Pointwise {
    fn scratch_bytes(&self, threads: usize) -> usize {
        threads * self.program.scratch_len() * size_of::<f32>()
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let scratch = as_floats(io.scratch());
        match self.output {
            Storage::F32 => self.run_typed(io.write::<f32>(0), io, scratch, threads, SliceMut::F32),
            Storage::F16 => self.run_typed(io.write::<f16>(0), io, scratch, threads, SliceMut::F16),
            Storage::U8 => self.run_typed(io.write::<u8>(0), io, scratch, threads, SliceMut::U8),
        }
    }
}

impl Pointwise {
    fn run_typed<'a, T: Send + Sync + 'a>(
        &self,
        output: &'a mut [T],
        io: &Io<'_>,
        scratch: &mut [f32],
        threads: &Threads,
        slice: impl Fn(&'a mut [T]) -> SliceMut<'a> + Sync,
    ) {
        let mut inputs = [Slice::U8(&[]); MAX_INPUTS];
        for (i, (input, storage)) in inputs.iter_mut().zip(&self.inputs).enumerate() {
            *input = match storage {
                Storage::F32 => Slice::F32(io.read(i)),
                Storage::F16 => Slice::F16(io.read(i)),
                Storage::U8 => Slice::U8(io.read(i)),
            };
        }
        let inputs = &inputs[..self.inputs.len()];
        let parts = threads.parts(output.len(), LEAST_TILES * TILE);
        let outputs = Pieces::new(output, 1, parts);
        let scratches = Pieces::new(scratch, self.program.scratch_len(), parts);
        threads.run(parts, &|part| {
            let (range, output) = outputs.take(part);
            let (_, scratch) = scratches.take(part);
            let mut outputs = [slice(output)];
            self.program.run(self.isa, &self.space, range, inputs, &mut outputs, scratch);
        });
    }
}

/// Scratch as floats; it is aligned for them.
pub(crate) fn as_floats(bytes: &mut [u8]) -> &mut [f32] {
    match bytes.len() / size_of::<f32>() {
        0 => &mut [],
        len => Scratch::new(bytes).take(len),
    }
}
