//! Fused chains of element-wise operators: how one is run.

use std::ops::Range;

use half::f16;

use super::ops::{BinarySlices, Operand, SelectSlices, UnarySlices};
use super::program::{Instruction, Operation, Place, Program, Storage};
use super::{Binary, Unary};
use crate::Isa;
use crate::convert::{Narrow, ToBytes, Widen};
use crate::gemm::MatrixMut;
use crate::simd::{ForEachIsa, MAX_LANES, Simd, dispatch};
use crate::strided::{Space, View};

/// Elements per tile: a few registers of this size fit into the smallest first-level caches.
pub const TILE: usize = 1024;

/// Elements that a program reads.
#[derive(Clone, Copy, Debug)]
pub enum Slice<'a> {
    /// Of [`Storage::F32`].
    F32(&'a [f32]),
    /// Of [`Storage::F16`].
    F16(&'a [f16]),
    /// Of [`Storage::U8`].
    U8(&'a [u8]),
    /// What the output of this number holds before the run: element by element, in place.
    Output(usize),
}

/// Elements that a program writes.
#[derive(Debug)]
pub enum SliceMut<'a> {
    /// Of [`Storage::F32`].
    F32(&'a mut [f32]),
    /// Of [`Storage::F16`].
    F16(&'a mut [f16]),
    /// Of [`Storage::U8`].
    U8(&'a mut [u8]),
}

impl SliceMut<'_> {
    fn len(&self) -> usize {
        match self {
            SliceMut::F32(x) => x.len(),
            SliceMut::F16(x) => x.len(),
            SliceMut::U8(x) => x.len(),
        }
    }

    fn storage(&self) -> Storage {
        match self {
            SliceMut::F32(_) => Storage::F32,
            SliceMut::F16(_) => Storage::F16,
            SliceMut::U8(_) => Storage::U8,
        }
    }

    /// The elements as they would be read.
    fn as_slice(&self) -> Slice<'_> {
        match self {
            SliceMut::F32(x) => Slice::F32(x),
            SliceMut::F16(x) => Slice::F16(x),
            SliceMut::U8(x) => Slice::U8(x),
        }
    }
}

/// Part of a matrix that was just computed, to be finished by a program in place.
#[derive(Debug)]
pub struct Block<'a> {
    /// Which rows of the whole matrix.
    pub rows: Range<usize>,
    /// Which columns of the whole matrix.
    pub columns: Range<usize>,
    /// The elements: the program's input 0 and its output 0.
    pub elements: &'a mut [f32],
    /// Step from row to row in `elements`.
    pub row_stride: usize,
}

/// An operand of a program that finishes blocks: element (row, column) of the whole matrix reads
/// `data[row * strides[0] + column * strides[1]]`.
#[derive(Clone, Copy, Debug)]
pub struct BlockInput<'a> {
    /// The whole operand.
    pub data: Slice<'a>,
    /// Steps per row and per column; 0 repeats.
    pub strides: [usize; 2],
}

impl Program {
    /// How many elements `scratch` must have in a run.
    pub fn scratch_len(&self) -> usize {
        self.registers * TILE
    }

    /// Computes the elements `range` of `space`.
    ///
    /// `space` has one operand per input, and `inputs` are those operands whole; `outputs` hold
    /// just the elements of `range`. What `scratch` holds does not matter.
    ///
    /// # Panics
    ///
    /// If the numbers, lengths or types of the operands are not the program's.
    pub fn run(
        &self,
        isa: Isa,
        space: &Space,
        range: Range<usize>,
        inputs: &[Slice<'_>],
        outputs: &mut [SliceMut<'_>],
        scratch: &mut [f32],
    ) {
        assert!(inputs.len() == self.inputs.len() && space.operands() == inputs.len());
        assert_eq!(outputs.len(), self.outputs.len());
        for (output, &(_, storage)) in outputs.iter().zip(&self.outputs) {
            assert!(output.len() == range.len() && output.storage() == storage);
        }
        let source =
            |index: usize| Source { data: inputs[index], offset: 0, view: space.view(index) };
        dispatch(isa, Run { program: self, range, source, sinks: Sinks::Linear(outputs), scratch });
    }

    /// Finishes a block in place: input 0 is the block, `inputs` are the others.
    ///
    /// # Panics
    ///
    /// As [`Program::run_matrix`], and if the block's rows do not fit into its elements.
    pub fn run_block(
        &self,
        isa: Isa,
        block: Block<'_>,
        inputs: &[BlockInput<'_>],
        scratch: &mut [f32],
    ) {
        let size = [block.rows.len(), block.columns.len()];
        let mut matrix = MatrixMut::new(block.elements, size, block.row_stride);
        let first = [block.rows.start, block.columns.start];
        self.run_matrix(isa, first, &mut matrix, inputs, scratch);
    }

    /// Finishes part of a matrix in place: input 0 and the output are `block`, whose first element
    /// is that of row `first[0]` and column `first[1]` of the whole; `inputs` are the others.
    ///
    /// # Panics
    ///
    /// If the program's input 0 and only output are not [`Storage::F32`], or the numbers or
    /// lengths of the operands are not the program's.
    pub fn run_matrix(
        &self,
        isa: Isa,
        first: [usize; 2],
        block: &mut MatrixMut<'_, f32>,
        inputs: &[BlockInput<'_>],
        scratch: &mut [f32],
    ) {
        assert_eq!(inputs.len() + 1, self.inputs.len());
        assert!(self.outputs.len() == 1 && self.outputs[0].1 == Storage::F32);
        assert_eq!(self.inputs[0], Storage::F32);
        if let Some(operation) = self.alone()
            && let Some(work) = InPlace::new(operation, first, block, inputs)
        {
            return dispatch(isa, work);
        }
        let dims = [block.rows(), block.columns()];
        let source = |index: usize| match index.checked_sub(1) {
            None => Source { data: Slice::Output(0), offset: 0, view: View::new(&dims, &[0, 1]) },
            Some(index) => {
                let BlockInput { data, strides } = &inputs[index];
                let offset = first[0] * strides[0] + first[1] * strides[1];
                Source { data: *data, offset, view: View::new(&dims, strides) }
            }
        };
        let range = 0..dims[0] * dims[1];
        let sinks = Sinks::Block(block);
        dispatch(isa, Run { program: self, range, source, sinks, scratch });
    }

    /// The operation, where there is but one and the only output is its result.
    fn alone(&self) -> Option<Operation> {
        match (&self.instructions[..], &self.outputs[..]) {
            ([only], [(Place::Register(register), _)]) if *register == only.target => {
                Some(only.operation)
            }
            _more => None,
        }
    }
}

/// One operator on the rows of a block, in place.
struct InPlace<'m, 'a, 'x> {
    operator: Operator,
    matrix: &'m mut MatrixMut<'a, f32>,
    /// The other operand, from that of the first row on, and its step from row to row.
    other: Option<(&'x [f32], usize)>,
}

/// What [`InPlace`] does with an element of the block.
enum Operator {
    Unary(Unary),
    /// The block's element is the first operand.
    First(Binary),
    /// The block's element is the second operand.
    Second(Binary),
}

impl<'m, 'a, 'x> InPlace<'m, 'a, 'x> {
    /// `None` where an operand is not floats that lie as the block's rows do.
    fn new(
        operation: Operation,
        first: [usize; 2],
        matrix: &'m mut MatrixMut<'a, f32>,
        inputs: &[BlockInput<'x>],
    ) -> Option<Self> {
        let rows = |place: Place| {
            let Place::Input(index) = place else { return None };
            let BlockInput { data, strides: [down, across] } = &inputs[index.checked_sub(1)?];
            match data {
                Slice::F32(data) if *across == 1 => {
                    Some((&data[first[0] * down + first[1]..], *down))
                }
                Slice::F32(_) | Slice::F16(_) | Slice::U8(_) | Slice::Output(_) => None,
            }
        };
        let (operator, other) = match operation {
            Operation::Unary(op, Place::Input(0)) => (Operator::Unary(op), None),
            Operation::Binary(op, Place::Input(0), other) => {
                (Operator::First(op), Some(rows(other)?))
            }
            Operation::Binary(op, other, Place::Input(0)) => {
                (Operator::Second(op), Some(rows(other)?))
            }
            Operation::Unary(..) | Operation::Binary(..) | Operation::Select(..) => return None,
        };
        Some(InPlace { operator, matrix, other })
    }
}

impl ForEachIsa for InPlace<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let InPlace { operator, matrix, other } = self;
        let (mut rows, mut columns) = (matrix.rows(), matrix.columns());
        let mut matrix = matrix.part(0..rows, 0..columns);
        if matrix.stride() == columns && other.is_none_or(|(_, step)| step == columns) {
            // Rows without gaps are one.
            (rows, columns) = (1, rows * columns);
            let start = matrix.as_mut_ptr();
            // SAFETY: the rows lie one after the other, and `matrix` is the only access to them.
            let elements = unsafe { std::slice::from_raw_parts_mut(start, columns) };
            matrix = MatrixMut::new(elements, [rows, columns], columns);
        }
        for i in 0..rows {
            let out = matrix.row(i);
            let other = match other {
                Some((data, step)) => Operand::Apart(&data[i * step..][..out.len()]),
                None => Operand::InPlace,
            };
            match operator {
                Operator::Unary(op) => s.call(UnarySlices { op, x: Operand::InPlace, out }),
                Operator::First(op) => {
                    s.call(BinarySlices { op, x: Operand::InPlace, y: other, out });
                }
                Operator::Second(op) => {
                    s.call(BinarySlices { op, x: other, y: Operand::InPlace, out });
                }
            }
        }
    }
}

/// An operand and how it is read.
struct Source<'a> {
    data: Slice<'a>,
    /// Where in `data` the view starts.
    offset: usize,
    view: View<'a>,
}

/// Where results go.
enum Sinks<'s, 'a> {
    /// Elements of the range, in order.
    Linear(&'s mut [SliceMut<'a>]),
    /// The one output.
    Block(&'s mut MatrixMut<'a, f32>),
}

struct Run<'p, 's, 'a, F> {
    program: &'p Program,
    range: Range<usize>,
    source: F,
    sinks: Sinks<'s, 'a>,
    scratch: &'s mut [f32],
}

impl<'x, F: Fn(usize) -> Source<'x>> ForEachIsa for Run<'_, '_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Run { program, range, .. } = &self;
        let (program, range) = (*program, range.clone());
        let registers = &mut self.scratch[..program.registers * TILE];
        let used = padded(range.len().min(TILE));
        for &(register, x) in &program.constants {
            registers[register * TILE..][..used].fill(x);
        }
        for (index, &storage) in program.inputs.iter().enumerate() {
            let source = (self.source)(index);
            source.data.check(storage);
            if source.is_constant() {
                let register = &mut registers[index * TILE..][..used];
                source.data.copy(s, source.offset, 0, register);
            }
        }
        let mut start = range.start;
        while start < range.end {
            let tile = start..range.end.min(start + TILE);
            for index in 0..program.inputs.len() {
                let source = (self.source)(index);
                let register = &mut registers[index * TILE..][..tile.len()];
                if let Slice::Output(output) = source.data {
                    self.sinks.read_back(s, output, &tile, range.start, register);
                } else if !source.is_constant() && source.direct(&tile).is_none() {
                    source.view.for_each_run(tile.clone(), |run| {
                        let target = &mut register[run.at..][..run.len];
                        source.data.copy(s, source.offset + run.offset, run.stride, target);
                    });
                }
            }
            for instruction in &program.instructions {
                step(s, instruction, registers, &self.source, &mut self.sinks, &tile, range.start);
            }
            for (index, &(place, _)) in program.outputs.iter().enumerate() {
                let written = program.instructions.iter().any(|i| i.direct == Some(index));
                if written && self.sinks.direct(index, &tile, range.start).is_some() {
                    continue;
                }
                let register = match place {
                    Place::Register(register) | Place::Input(register) => register,
                };
                let buffer = &registers[register * TILE..][..tile.len()];
                let source = match place {
                    Place::Register(_) => None,
                    Place::Input(input) => (self.source)(input).direct(&tile),
                };
                self.sinks.write(s, index, &tile, range.start, source.unwrap_or(buffer));
            }
            start = tile.end;
        }
    }
}

/// The number of elements that whole vectors of any instruction set cover.
fn padded(len: usize) -> usize {
    len.next_multiple_of(MAX_LANES)
}

/// Runs one instruction on a tile.
fn step<'x, S: Simd>(
    s: S,
    instruction: &Instruction,
    registers: &mut [f32],
    source: &impl Fn(usize) -> Source<'x>,
    sinks: &mut Sinks<'_, '_>,
    tile: &Range<usize>,
    range_start: usize,
) {
    let len = padded(tile.len());
    let (below, rest) = registers.split_at_mut(instruction.target * TILE);
    let (target, above) = rest.split_at_mut(TILE);
    let read = |place: Place| -> &[f32] {
        let register = match place {
            Place::Register(register) => register,
            Place::Input(index) => match source(index).direct(tile) {
                Some(elements) => return elements,
                None => index,
            },
        };
        let at = register * TILE;
        // The target is in neither part: `finish` never reuses what an instruction reads.
        let part = if at < below.len() { &below[at..] } else { &above[at - below.len() - TILE..] };
        &part[..len]
    };
    let direct = instruction.direct.and_then(|index| sinks.direct(index, tile, range_start));
    let out = direct.unwrap_or(&mut target[..len]);
    match instruction.operation {
        Operation::Unary(op, x) => s.call(UnarySlices { op, x: Operand::Apart(read(x)), out }),
        Operation::Binary(op, x, y) => {
            let (x, y) = (Operand::Apart(read(x)), Operand::Apart(read(y)));
            s.call(BinarySlices { op, x, y, out });
        }
        Operation::Select(c, x, y) => {
            s.call(SelectSlices { condition: read(c), x: read(x), y: read(y), out });
        }
    }
}

impl<'a> Source<'a> {
    /// Whether one element serves all: its register is filled once.
    fn is_constant(&self) -> bool {
        self.view.is_splat() && !matches!(self.data, Slice::Output(_))
    }

    /// The elements of a tile where they lie, if that serves: floats in order, whole vectors.
    fn direct(&self, tile: &Range<usize>) -> Option<&'a [f32]> {
        match self.data {
            Slice::F32(x) if tile.len().is_multiple_of(MAX_LANES) && self.view.is_linear() => {
                Some(&x[self.offset..][tile.clone()])
            }
            Slice::F32(_) | Slice::F16(_) | Slice::U8(_) | Slice::Output(_) => None,
        }
    }
}

impl Slice<'_> {
    /// # Panics
    ///
    /// If the elements are not stored as the program expects.
    fn check(&self, storage: Storage) {
        let same = match self {
            Slice::F32(_) => storage == Storage::F32,
            Slice::F16(_) => storage == Storage::F16,
            Slice::U8(_) => storage == Storage::U8,
            Slice::Output(_) => true,
        };
        assert!(same, "an input of a program is not stored as {storage:?}");
    }

    /// Copies elements `offset + i * stride` as floats.
    fn copy<S: Simd>(&self, s: S, offset: usize, stride: usize, out: &mut [f32]) {
        match *self {
            Slice::F32(x) => match stride {
                1 => out.copy_from_slice(&x[offset..][..out.len()]),
                _ => spread(&x[offset..], stride, out, |x| x),
            },
            Slice::F16(x) => match stride {
                1 => s.call(Widen { x: &x[offset..][..out.len()], out }),
                _ => spread(&x[offset..], stride, out, f16::to_f32),
            },
            Slice::U8(x) => spread(&x[offset..], stride, out, f32::from),
            Slice::Output(_) => unreachable!("outputs are read back from their sink"),
        }
    }
}

/// `out[i] = f(x[i * stride])`.
#[inline(always)]
fn spread<T: Copy>(x: &[T], stride: usize, out: &mut [f32], f: impl Fn(T) -> f32) {
    if stride == 0 {
        out.fill(f(x[0]));
    } else if stride == 1 {
        let x = &x[..out.len()];
        for (out, &x) in out.iter_mut().zip(x) {
            *out = f(x);
        }
    } else {
        for (i, out) in out.iter_mut().enumerate() {
            *out = f(x[i * stride]);
        }
    }
}

impl Sinks<'_, '_> {
    /// The elements of a tile where they go, if results can be written there at once.
    fn direct(&mut self, index: usize, tile: &Range<usize>, start: usize) -> Option<&mut [f32]> {
        match self {
            Sinks::Linear(outputs) => match &mut outputs[index] {
                SliceMut::F32(x) if tile.len().is_multiple_of(MAX_LANES) => {
                    Some(&mut x[tile.start - start..tile.end - start])
                }
                SliceMut::F32(_) | SliceMut::F16(_) | SliceMut::U8(_) => None,
            },
            Sinks::Block(_) => None,
        }
    }

    /// Copies what an output held.
    fn read_back<S: Simd>(
        &mut self,
        s: S,
        index: usize,
        tile: &Range<usize>,
        start: usize,
        out: &mut [f32],
    ) {
        match self {
            Sinks::Linear(outputs) => {
                outputs[index].as_slice().copy(s, tile.start - start, 1, out);
            }
            Sinks::Block(matrix) => for_each_row(matrix, tile, |at, elements| {
                out[at..][..elements.len()].copy_from_slice(elements);
            }),
        }
    }

    /// Writes the elements of a tile.
    fn write<S: Simd>(&mut self, s: S, index: usize, tile: &Range<usize>, start: usize, x: &[f32]) {
        match self {
            Sinks::Linear(outputs) => {
                let at = tile.start - start..tile.end - start;
                match &mut outputs[index] {
                    SliceMut::F32(out) => out[at].copy_from_slice(x),
                    SliceMut::F16(out) => s.call(Narrow { x, out: &mut out[at] }),
                    SliceMut::U8(out) => s.call(ToBytes { x, out: &mut out[at] }),
                }
            }
            Sinks::Block(matrix) => for_each_row(matrix, tile, |at, elements| {
                elements.copy_from_slice(&x[at..][..elements.len()]);
            }),
        }
    }
}

/// Calls `f` with the parts of rows that make up a tile of a matrix, and where in the tile they
/// start.
#[inline(always)]
fn for_each_row(
    matrix: &mut MatrixMut<'_, f32>,
    tile: &Range<usize>,
    mut f: impl FnMut(usize, &mut [f32]),
) {
    let columns = matrix.columns();
    let (mut row, mut column) = match tile.start {
        0 => (0, 0),
        start => (start / columns, start % columns),
    };
    let mut at = 0;
    while at < tile.len() {
        let len = (columns - column).min(tile.len() - at);
        f(at, &mut matrix.row(row)[column..][..len]);
        at += len;
        (row, column) = (row + 1, 0);
    }
}

#[cfg(test)]
mod tests;
