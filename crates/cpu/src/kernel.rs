//! What a step computes with, and what it is made from.

use std::ops::Range;

use webnn_core::{Bytes, DataType, Desc, Graph, Node, NodeId, Op, ValueId};
use webnn_kernels::Isa;
use webnn_kernels::gemm::MatrixMut;

use crate::factors::Scaled;
use crate::io::Io;
use crate::threads::Threads;

/// Everything about a step that could be decided when the graph was compiled; it only computes.
pub(crate) trait Kernel: Send + Sync {
    /// The working memory that a run on so many threads takes.
    fn scratch_bytes(&self, threads: usize) -> usize {
        let _ = threads;
        0
    }

    /// The bytes of packed constants that the kernel owns.
    fn packed_bytes(&self) -> usize {
        0
    }

    /// Makes the kernel write the rows of its result, a matrix, into a wider one with so many columns,
    /// from the given column on; `false` where it cannot.
    fn write_inside(&mut self, columns: usize, first: usize) -> bool {
        let _ = (columns, first);
        false
    }

    /// Whether the operand at an index of the kernel's reads is read as bytes, wherever they lie.
    fn reads_bytes(&self, read: usize) -> bool {
        let _ = read;
        false
    }

    /// The kernel by rows, where it can compute some rows of its result alone.
    fn by_rows(&self) -> Option<&dyn ByRows> {
        None
    }

    /// Computes the results from the operands.
    fn run(&self, io: &mut Io<'_>, threads: &Threads);
}

/// A kernel of floats whose one result, a matrix with a row per pixel, can be computed by rows, from
/// rows of the operand at index 0.
pub(crate) trait ByRows {
    /// The rows of the operand, from the first to the last, that some rows of the result are computed
    /// from; rows further on take none that lie before. `None` where the whole operand has to be there.
    fn takes(&self, rows: Range<usize>) -> Option<Range<usize>>;

    /// The columns of the result.
    fn columns(&self) -> usize;

    /// The columns of the matrix that the result lies in, and the first that is the result's.
    fn inside(&self) -> [usize; 2];

    /// The working memory for so many rows at a time.
    fn part_bytes(&self, rows: usize) -> usize;

    /// Computes some rows, to the same bits however the result is cut. `io` reads what the kernel
    /// reads beside the operand, in which as many rows as the result's lie one after the other if
    /// those are all that is taken.
    fn compute(
        &self,
        rows: Range<usize>,
        operand: Strip<'_>,
        result: MatrixMut<'_, f32>,
        io: &Io<'_>,
        scratch: &mut [u8],
    );
}

/// An operand, or as many rows of one as are needed: row `i` lies in `data` at place
/// `(i - first) % held`.
#[derive(Clone, Copy)]
pub(crate) struct Strip<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) first: usize,
    pub(crate) held: usize,
}

impl<'a> Strip<'a> {
    /// All rows.
    pub(crate) fn whole(data: &'a [f32]) -> Strip<'a> {
        Strip { data, first: 0, held: usize::MAX }
    }
}

/// A kernel with the values that it reads and writes, in the order of its places.
pub(crate) struct Built {
    pub(crate) kernel: Box<dyn Kernel>,
    pub(crate) reads: Vec<ValueId>,
    pub(crate) writes: Vec<ValueId>,
}

impl Built {
    /// A kernel that reads these operands of a node, by slot, and writes its results.
    pub(crate) fn new(kernel: impl Kernel + 'static, cx: &Cx<'_>, slots: &[usize]) -> Built {
        Built {
            kernel: Box::new(kernel),
            reads: slots.iter().filter_map(|&slot| cx.opt(slot)).collect(),
            writes: cx.node.outputs.clone(),
        }
    }
}

/// What lowering a node may look at.
#[derive(Clone, Copy)]
pub(crate) struct Cx<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) node: &'a Node,
    pub(crate) node_id: NodeId,
    pub(crate) isa: Isa,
    pub(crate) threads: &'a Threads,
    /// What the first operand is, if nothing else computes it: the kernel has to.
    pub(crate) scaled: Option<Scaled>,
}

impl<'a> Cx<'a> {
    /// A value's type and shape.
    pub(crate) fn desc(&self, id: ValueId) -> Desc {
        self.graph.desc(id)
    }

    /// The value in a slot that may be empty.
    pub(crate) fn opt(&self, slot: usize) -> Option<ValueId> {
        self.node.inputs.get(slot).copied().flatten()
    }

    /// The value in a required slot.
    pub(crate) fn id(&self, slot: usize) -> ValueId {
        self.opt(slot).expect("the builder checked that required operands are there")
    }

    /// The descriptor of the operand in a required slot.
    pub(crate) fn input(&self, slot: usize) -> Desc {
        self.desc(self.id(slot))
    }

    /// The descriptor of a result.
    pub(crate) fn output(&self, index: usize) -> Desc {
        self.desc(self.node.outputs[index])
    }

    /// A constant and the type of its elements; one that a cast makes single is still of halves.
    pub(crate) fn constant(&self, id: ValueId) -> Option<(&'a Bytes, DataType)> {
        if let Some(bytes) = self.graph.constant(id) {
            return Some((bytes, self.desc(id).data_type));
        }
        let maker = self.graph.node(self.graph.producer(id)?);
        let half = maker.inputs.first().copied().flatten()?;
        let bytes = self.graph.constant(half)?;
        let is_widened = matches!(maker.op, Op::Cast(_))
            && self.desc(half).data_type == DataType::Float16
            && self.desc(id).data_type == DataType::Float32;
        is_widened.then_some((bytes, DataType::Float16))
    }

    /// The elements of a value that is a float constant.
    pub(crate) fn floats(&self, id: ValueId) -> Option<Vec<f32>> {
        let (bytes, data_type) = self.constant(id)?;
        floats(bytes, data_type)
    }
}

/// The sizes of a shape, as kernels take them.
pub(crate) fn sizes(desc: &Desc) -> Vec<usize> {
    desc.shape.iter().map(|&size| size as usize).collect()
}

/// The elements of a float type's bytes; `None` for integers.
pub(crate) fn floats(bytes: &[u8], data_type: DataType) -> Option<Vec<f32>> {
    match data_type {
        DataType::Float32 => {
            Some(bytes.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect())
        }
        DataType::Float16 => Some(
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|&chunk| half::f16::from_le_bytes(chunk).to_f32())
                .collect(),
        ),
        DataType::Int32
        | DataType::Uint32
        | DataType::Int64
        | DataType::Uint64
        | DataType::Int8
        | DataType::Uint8
        | DataType::Int4
        | DataType::Uint4 => None,
    }
}
