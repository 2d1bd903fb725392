//! Fused chains of element-wise operators: how one is built.

use std::collections::HashMap;

use crate::map::{Binary, Unary};

/// How the elements of an input or output of a chain are stored. Inside, all are 32-bit floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Single precision.
    F32,
    /// Half precision: widened on the way in, rounded to nearest even on the way out.
    F16,
    /// Integers from 0 to 255, or truth values: on the way out, truncated and held to the range.
    U8,
}

/// A value inside a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value(usize);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Node {
    Input(usize),
    Constant(f32),
    Unary(Unary, Value),
    Binary(Binary, Value, Value),
    /// The second where the first is not zero, else the third.
    Select(Value, Value, Value),
}

impl Node {
    fn operands(self) -> impl Iterator<Item = Value> {
        match self {
            Node::Input(_) | Node::Constant(_) => [None; 3],
            Node::Unary(_, x) => [Some(x), None, None],
            Node::Binary(_, x, y) => [Some(x), Some(y), None],
            Node::Select(c, x, y) => [Some(c), Some(x), Some(y)],
        }
        .into_iter()
        .flatten()
    }
}

/// Builds a [`Program`], operator by operator.
#[derive(Clone, Debug, Default)]
pub struct ProgramBuilder {
    nodes: Vec<Node>,
    inputs: Vec<Storage>,
    constants: HashMap<u32, Value>,
}

impl ProgramBuilder {
    /// A chain without operators.
    pub fn new() -> Self {
        Self::default()
    }

    fn push(&mut self, node: Node) -> Value {
        self.nodes.push(node);
        Value(self.nodes.len() - 1)
    }

    /// The next input.
    pub fn input(&mut self, storage: Storage) -> Value {
        self.inputs.push(storage);
        self.push(Node::Input(self.inputs.len() - 1))
    }

    /// The same number everywhere.
    pub fn constant(&mut self, x: f32) -> Value {
        if let Some(&value) = self.constants.get(&x.to_bits()) {
            return value;
        }
        let value = self.push(Node::Constant(x));
        self.constants.insert(x.to_bits(), value);
        value
    }

    /// `op` of a value.
    pub fn unary(&mut self, op: Unary, x: Value) -> Value {
        if op == Unary::Identity { x } else { self.push(Node::Unary(op, x)) }
    }

    /// `op` of two values.
    pub fn binary(&mut self, op: Binary, x: Value, y: Value) -> Value {
        if let (Binary::Pow, Node::Constant(exponent)) = (op, self.nodes[y.0]) {
            // Exponents that exporters write and that need no logarithm.
            if exponent == 1.0 {
                return x;
            } else if exponent == 2.0 {
                return self.push(Node::Binary(Binary::Mul, x, x));
            } else if exponent == 3.0 {
                let square = self.push(Node::Binary(Binary::Mul, x, x));
                return self.push(Node::Binary(Binary::Mul, square, x));
            } else if exponent == -1.0 {
                return self.push(Node::Unary(Unary::Reciprocal, x));
            }
        }
        if op == Binary::Mul {
            for (x, gate) in [(x, y), (y, x)] {
                if self.nodes[gate.0] == Node::Unary(Unary::Sigmoid, x) {
                    return self.push(Node::Unary(Unary::Silu, x));
                }
            }
        }
        self.push(Node::Binary(op, x, y))
    }

    /// `x` where `condition` is not zero, else `y`.
    pub fn select(&mut self, condition: Value, x: Value, y: Value) -> Value {
        self.push(Node::Select(condition, x, y))
    }

    /// The finished chain with its outputs in this order.
    pub fn finish(self, outputs: &[(Value, Storage)]) -> Program {
        let uses = self.count_uses(outputs);
        let mut registers = Registers::new(self.inputs.len());
        let mut place: Vec<Option<Place>> = vec![None; self.nodes.len()];
        let mut constants = Vec::new();
        // Inputs and constants have registers of their own: constants are filled once per run.
        for (i, &node) in self.nodes.iter().enumerate() {
            if let Node::Input(index) = node {
                place[i] = Some(Place::Input(index));
            } else if let (Node::Constant(x), true) = (node, uses[i] > 0) {
                let register = registers.fresh();
                constants.push((register, x));
                place[i] = Some(Place::Register(register));
            }
        }
        let mut left = uses.clone();
        let mut instructions = Vec::new();
        for (i, &node) in self.nodes.iter().enumerate() {
            let at = |v: Value| place[v.0].expect("operands come before what uses them");
            let operation = match node {
                _ if uses[i] == 0 => continue,
                Node::Input(_) | Node::Constant(_) => continue,
                Node::Unary(op, x) => Operation::Unary(op, at(x)),
                Node::Binary(op, x, y) => Operation::Binary(op, at(x), at(y)),
                Node::Select(c, x, y) => Operation::Select(at(c), at(x), at(y)),
            };
            // Taken before the operands' are given back: an instruction never writes what it
            // reads.
            let target = registers.take();
            place[i] = Some(Place::Register(target));
            let mut wanted = outputs.iter().enumerate().filter(|(_, (value, _))| value.0 == i);
            let direct = match (uses[i], wanted.next()) {
                (1, Some((index, (_, Storage::F32)))) => Some(index),
                _ => None,
            };
            instructions.push(Instruction { operation, target, direct });
            for operand in node.operands() {
                left[operand.0] -= 1;
                let temporary =
                    !matches!(self.nodes[operand.0], Node::Input(_) | Node::Constant(_));
                if let (0, true, Some(Place::Register(register))) =
                    (left[operand.0], temporary, place[operand.0])
                {
                    registers.give_back(register);
                }
            }
        }
        let outputs = outputs
            .iter()
            .map(|&(value, storage)| {
                (place[value.0].expect("outputs are counted as uses"), storage)
            })
            .collect();
        Program {
            inputs: self.inputs,
            constants,
            instructions,
            outputs,
            registers: registers.count,
        }
    }

    /// How often each value is read by what leads to an output, or is one.
    fn count_uses(&self, outputs: &[(Value, Storage)]) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        for (value, _) in outputs {
            uses[value.0] += 1;
        }
        for (i, &node) in self.nodes.iter().enumerate().rev() {
            if uses[i] > 0 {
                for operand in node.operands() {
                    uses[operand.0] += 1;
                }
            }
        }
        uses
    }
}

/// Numbers of tile buffers that are free or in use.
struct Registers {
    count: usize,
    free: Vec<usize>,
}

impl Registers {
    /// The first registers are the inputs'.
    fn new(inputs: usize) -> Self {
        Registers { count: inputs, free: Vec::new() }
    }

    fn fresh(&mut self) -> usize {
        self.count += 1;
        self.count - 1
    }

    fn take(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| self.fresh())
    }

    fn give_back(&mut self, register: usize) {
        // Taking it twice would hand one buffer to two values: `finish` releases a value once,
        // though it may be two operands of one instruction.
        debug_assert!(!self.free.contains(&register));
        self.free.push(register);
    }
}

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An input: its own memory, or its register where that does not serve.
    Input(usize),
    Register(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operation {
    Unary(Unary, Place),
    Binary(Binary, Place, Place),
    Select(Place, Place, Place),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Instruction {
    pub(super) operation: Operation,
    pub(super) target: usize,
    /// The output that nothing else reads and that the result can be written to at once.
    pub(super) direct: Option<usize>,
}

/// A fused chain of element-wise operators, run tile by tile so that what lies between them
/// stays in the nearest cache.
///
/// The results have the bits that the operators give one by one, except that values between
/// them are not rounded to half precision ([`Unary::RoundToHalf`] asks for that).
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    pub(super) inputs: Vec<Storage>,
    /// Registers that are filled once per run.
    pub(super) constants: Vec<(usize, f32)>,
    pub(super) instructions: Vec<Instruction>,
    pub(super) outputs: Vec<(Place, Storage)>,
    pub(super) registers: usize,
}

impl Program {
    /// How the inputs are stored, in order.
    pub fn inputs(&self) -> &[Storage] {
        &self.inputs
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// How many operators are left after what no output needs was dropped.
    pub fn operators(&self) -> usize {
        self.instructions.len()
    }
}
