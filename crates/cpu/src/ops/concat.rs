//! Joins tensors along an axis.

use webnn_core::Result;
use webnn_core::ops::Concat;

use crate::alias::size_of;
use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel};
use crate::ops::copy::LEAST_BYTES;
use crate::threads::Threads;

/// Rows of the result, each made of a piece of every operand.
struct Join {
    /// The bytes of a row of the result.
    row: usize,
    /// Where the piece of each operand begins in a row, and its bytes.
    pieces: Vec<(usize, usize)>,
}

/// `is_placed` says of each operand whether it has been computed in the result's memory.
#[inline(never)]
pub(crate) fn lower(op: &Concat, cx: &Cx<'_>, is_placed: &[bool]) -> Result<Option<Built>> {
    let axis = op.axis as usize;
    let output = cx.output(0);
    let inner = |desc: &webnn_core::Desc| {
        desc.shape[axis..].iter().map(|&size| size as usize).product::<usize>() * size_of(desc)
    };
    let mut start = 0;
    let mut pieces = Vec::new();
    let mut slots = Vec::new();
    for slot in 0..cx.node.inputs.len() {
        let bytes = inner(&cx.input(slot));
        if !is_placed.get(slot).copied().unwrap_or(false) {
            pieces.push((start, bytes));
            slots.push(slot);
        }
        start += bytes;
    }
    if pieces.is_empty() {
        return Ok(None);
    }
    Ok(Some(Built::new(Join { row: inner(&output), pieces }, cx, &slots)))
}

impl Kernel for Join {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let least = LEAST_BYTES.div_ceil(self.row);
        let to = io.write::<u8>(0);
        let io = &*io;
        threads.rows(to, self.row, least, |rows, to| {
            for (index, &(start, bytes)) in self.pieces.iter().enumerate() {
                let from = &io.read::<u8>(index)[rows.start * bytes..rows.end * bytes];
                for (from, to) in from.chunks_exact(bytes).zip(to.chunks_exact_mut(self.row)) {
                    to[start..start + bytes].copy_from_slice(from);
                }
            }
        });
    }
}
