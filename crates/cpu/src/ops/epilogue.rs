//! What follows a product of matrices: a bias, bounds, and any chain of element-wise operators on
//! finished blocks.

use std::ops::Range;

use webnn_core::ops::{Binary, Unary};
use webnn_core::{DataType, NodeId, Op, ValueId};
use webnn_kernels::Isa;
use webnn_kernels::gemm::MatrixMut;
use webnn_kernels::map::{self, BlockInput, Program, Slice, Storage};
use webnn_kernels::strided::{Space, broadcast};

use crate::io::Io;
use crate::kernel::{Cx, sizes};
use crate::ops::chain::{ChainBuilder, MAX_INPUTS, clamp_bounds};

/// What the sums start from.
pub(crate) enum Bias {
    None,
    /// Numbers known when the graph was compiled, one per column.
    Columns(Vec<f32>),
    /// The kernel's read of this index, one number per column.
    ReadColumns(usize),
    /// The kernel's read of this index, one number per row.
    ReadRows(usize),
}

/// An operand of the chain: a read of the kernel, and its steps per row and column.
struct Operand {
    read: usize,
    storage: Storage,
    strides: [usize; 2],
}

/// What happens to the sums.
pub(crate) struct Epilogue {
    pub(crate) bias: Bias,
    /// The least and the greatest result.
    pub(crate) clamp: [f32; 2],
    /// The kernel's read of this index is added element by element before the bounds: only where
    /// [`EpilogueBuilder::with_residual`] allows it.
    pub(crate) residual: Option<usize>,
    post: Option<(Program, Vec<Operand>)>,
}

/// Collects what follows a root, step by step, in the simplest form that can hold it.
pub(crate) struct EpilogueBuilder<'a> {
    cx: Cx<'a>,
    /// The result's shape; its last dimension are the columns.
    shape: Vec<usize>,
    bias: Bias,
    clamp: [f32; 2],
    is_clamped: bool,
    takes_residual: bool,
    residual: Option<usize>,
    /// The chain, once there is one, and what its value is now.
    chain: Option<(ChainBuilder<'a>, map::Value)>,
    /// The value that the steps so far give.
    value: ValueId,
    reads: &'a mut Vec<ValueId>,
}

const UNBOUND: [f32; 2] = [f32::NEG_INFINITY, f32::INFINITY];

impl<'a> EpilogueBuilder<'a> {
    /// Nothing so far; `cx` is the root's, `reads` what the kernel reads before.
    pub(crate) fn new(cx: Cx<'a>, reads: &'a mut Vec<ValueId>) -> EpilogueBuilder<'a> {
        EpilogueBuilder {
            shape: sizes(&cx.output(0)),
            value: cx.node.outputs[0],
            cx,
            bias: Bias::None,
            clamp: UNBOUND,
            is_clamped: false,
            takes_residual: false,
            residual: None,
            chain: None,
            reads,
        }
    }

    /// The same for a kernel that adds [`Epilogue::residual`].
    pub(crate) fn with_residual(self) -> EpilogueBuilder<'a> {
        EpilogueBuilder { takes_residual: true, ..self }
    }

    fn columns(&self) -> usize {
        self.shape[self.shape.len() - 1]
    }

    fn rows(&self) -> usize {
        self.shape[..self.shape.len() - 1].iter().product()
    }

    /// Steps per row and per column of an operand that is broadcast to the result; `None` where
    /// two numbers do not say it.
    fn strides(&self, id: ValueId) -> Option<[usize; 2]> {
        let (rows, columns) = self.shape.split_at(self.shape.len() - 1);
        let strides = broadcast(&sizes(&self.cx.desc(id)), &self.shape);
        let (row_strides, column_stride) = strides.split_at(rows.len());
        let space = Space::new(rows, &[row_strides]);
        if space.dims().len() > 1 {
            return None;
        }
        let moving = rows.iter().zip(row_strides).rev().find(|(size, _)| **size > 1);
        let column_stride = if columns[0] == 1 { 0 } else { column_stride[0] };
        Some([moving.map_or(0, |(_, &stride)| stride), column_stride])
    }

    /// Adds an operand to all sums, before anything else happens to them.
    pub(crate) fn add(&mut self, id: ValueId) -> Option<()> {
        let [down, across] = self.strides(id)?;
        if self.is_residual(id) {
            self.residual = Some(self.read(id));
            return Some(());
        }
        let is_float = self.cx.desc(id).data_type == DataType::Float32;
        let is_first = matches!(self.bias, Bias::None)
            && self.residual.is_none()
            && !self.is_clamped
            && self.chain.is_none();
        if is_float && is_first {
            if down == 0
                && let Some(values) = self.cx.floats(id)
            {
                let columns = self.columns();
                self.bias = Bias::Columns(match across {
                    0 => vec![values[0]; columns],
                    _one => values,
                });
                return Some(());
            }
            if (down, across) == (0, 1) {
                self.bias = Bias::ReadColumns(self.read(id));
                return Some(());
            }
            if (down, across) == (1, 0) && self.rows() > 1 {
                self.bias = Bias::ReadRows(self.read(id));
                return Some(());
            }
        }
        let (mut chain, value) = self.start_chain();
        let operand = chain.operand(id)?;
        let value = chain.binary(map::Binary::Add, value, operand);
        self.chain = Some((chain, value));
        Some(())
    }

    /// Whether an operand can be added in the kernel, before anything but the bias.
    fn is_residual(&self, id: ValueId) -> bool {
        let desc = self.cx.desc(id);
        self.takes_residual
            && self.residual.is_none()
            && !self.is_clamped
            && self.chain.is_none()
            && desc.data_type == DataType::Float32
            && sizes(&desc) == self.shape
    }

    /// All of it for a convolution: its bias, and the nodes after it.
    pub(crate) fn convolution(mut self, after: &[NodeId]) -> Option<(Epilogue, ValueId)> {
        if let Some(bias) = self.cx.opt(2) {
            self.add(bias)?;
        }
        for &node in after {
            self.push(node)?;
        }
        self.finish()
    }

    /// Scales the sums.
    pub(crate) fn scale(&mut self, alpha: f32) {
        let (mut chain, value) = self.start_chain();
        let value = chain.unary(map::Unary::Linear { alpha, beta: 0.0 }, value);
        self.chain = Some((chain, value));
    }

    /// Adds a scaled operand.
    pub(crate) fn add_scaled(&mut self, id: ValueId, beta: f32) -> Option<()> {
        self.strides(id)?;
        let (mut chain, value) = self.start_chain();
        let operand = chain.operand(id)?;
        let operand = chain.unary(map::Unary::Linear { alpha: beta, beta: 0.0 }, operand);
        let value = chain.binary(map::Binary::Add, value, operand);
        self.chain = Some((chain, value));
        Some(())
    }

    fn read(&mut self, id: ValueId) -> usize {
        self.reads.push(id);
        self.reads.len() - 1
    }

    fn start_chain(&mut self) -> (ChainBuilder<'a>, map::Value) {
        self.chain.take().unwrap_or_else(|| {
            let mut chain = ChainBuilder::new(self.cx.graph);
            let value = chain.input(self.value, Storage::F32);
            (chain, value)
        })
    }

    /// Adds a node that takes the value so far; `None` where it cannot be done in the blocks.
    pub(crate) fn push(&mut self, id: NodeId) -> Option<()> {
        let node = self.cx.graph.node(id);
        let result = node.outputs[0];
        if sizes(&self.cx.desc(result)) != self.shape {
            return None;
        }
        let others = || node.inputs.iter().flatten().filter(|&&id| id != self.value);
        for &other in others() {
            self.strides(other)?;
        }
        if self.chain.is_none() {
            match &node.op {
                Op::Binary(Binary::Add) if !self.is_clamped && others().count() == 1 => {
                    let other = *others().next()?;
                    if matches!(self.bias, Bias::None) || self.is_residual(other) {
                        self.add(other)?;
                        return self.settle(result);
                    }
                }
                Op::Unary(Unary::Relu) => {
                    self.clamp = self.clamp.map(|bound| bound.max(0.0));
                    self.is_clamped = true;
                    return self.settle(result);
                }
                Op::Clamp(op) => {
                    let [least, greatest] = clamp_bounds(op, DataType::Float32);
                    self.clamp = self.clamp.map(|bound| bound.max(least).min(greatest));
                    self.is_clamped = true;
                    return self.settle(result);
                }
                _further => {}
            }
        }
        let (mut chain, value) = self.start_chain();
        chain.alias(self.value, value);
        let value = chain.push(node)?;
        self.chain = Some((chain, value));
        self.settle(result)
    }

    fn settle(&mut self, result: ValueId) -> Option<()> {
        self.value = result;
        if let Some((chain, value)) = &mut self.chain {
            chain.alias(result, *value);
        }
        Some(())
    }

    /// The epilogue, and the value that it gives.
    pub(crate) fn finish(mut self) -> Option<(Epilogue, ValueId)> {
        if self.cx.desc(self.value).data_type != DataType::Float32 {
            return None;
        }
        let post = match self.chain.take() {
            None => None,
            Some((chain, value)) => {
                let chain = chain.finish(value, Storage::F32);
                let mut operands = Vec::new();
                for (&id, &storage) in chain.inputs.iter().zip(chain.program.inputs()).skip(1) {
                    let strides = self.strides(id)?;
                    operands.push(Operand { read: self.read(id), storage, strides });
                }
                if operands.len() > MAX_INPUTS {
                    return None;
                }
                Some((chain.program, operands))
            }
        };
        let Self { bias, clamp, residual, value, .. } = self;
        Some((Epilogue { bias, clamp, residual, post }, value))
    }
}

impl Epilogue {
    /// Whether there is a chain.
    pub(crate) fn has_post(&self) -> bool {
        self.post.is_some()
    }

    /// The working bytes that the chain takes on one thread.
    pub(crate) fn scratch_bytes(&self) -> usize {
        self.post.as_ref().map_or(0, |(program, _)| program.scratch_len() * size_of::<f32>())
    }

    /// The bytes of constants.
    pub(crate) fn packed_bytes(&self) -> usize {
        match &self.bias {
            Bias::Columns(values) => values.len() * size_of::<f32>(),
            Bias::None | Bias::ReadColumns(_) | Bias::ReadRows(_) => 0,
        }
    }

    /// Runs the chain on a block of the whole result.
    pub(crate) fn finish(
        &self,
        isa: Isa,
        rows: Range<usize>,
        columns: Range<usize>,
        block: &mut MatrixMut<'_, f32>,
        io: &Io<'_>,
        scratch: &mut [f32],
    ) {
        let Some((program, operands)) = &self.post else { return };
        let mut inputs = [BlockInput { data: Slice::U8(&[]), strides: [0; 2] }; MAX_INPUTS];
        for (input, operand) in inputs.iter_mut().zip(operands) {
            input.strides = operand.strides;
            input.data = match operand.storage {
                Storage::F32 => Slice::F32(io.read(operand.read)),
                Storage::F16 => Slice::F16(io.read(operand.read)),
                Storage::U8 => Slice::U8(io.read(operand.read)),
            };
        }
        let inputs = &inputs[..operands.len()];
        let first = [rows.start, columns.start];
        // One long row takes fewer steps than many short ones.
        let is_even = |input: &BlockInput<'_>| {
            input.strides == [0; 2] || input.strides == [block.columns(), 1]
        };
        if inputs.iter().all(is_even)
            && let Some(mut row) = block.flat()
        {
            program.run_matrix(isa, first, &mut row, inputs, scratch);
            return;
        }
        program.run_matrix(isa, first, block, inputs, scratch);
    }
}
