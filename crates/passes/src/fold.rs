//! Computes at build time what depends on constants alone.
//!
//! Three things stay: results much larger than what they are made of, because memory is worth more
//! than the little work; the dequantization of weights, because engines compute with the packed
//! ones; and transposed weights, because most products take them as they are. In the end
//! [`crate::dequantize`] folds of the latter two what nothing wanted.

use webnn_core::{Bytes, Desc, Graph, Node, Op, ValueId};

use crate::Rules;
use crate::rewrite::Rewrite;

/// A result of this size is always folded.
pub(crate) const SMALL_BYTES: u64 = 64 * 1024;

/// A larger result is folded if it is at most this many times as large as the operands.
const GROWTH: u64 = 8;

/// The constants in a node's place, where its operands, of the new graph, are all constants.
pub(crate) fn fold(
    rewrite: &mut Rewrite<'_>,
    node: &Node,
    results: &[Desc],
    operands: &[Option<ValueId>],
    rules: &Rules<'_>,
) -> Option<Vec<ValueId>> {
    let is_transposed = matches!(node.op, Op::Transpose(_))
        && results.iter().map(Desc::byte_length).sum::<u64>() > SMALL_BYTES;
    if is_transposed || is_weight(rewrite.graph(), &node.op, operands) {
        return None;
    }
    evaluate(rewrite, node, results, operands, rules)
}

/// Whether the node makes weights of 8 or 4 bits into floats.
fn is_weight(graph: &Graph, op: &Op, operands: &[Option<ValueId>]) -> bool {
    let (Op::DequantizeLinear(_), Some(&Some(input))) = (op, operands.first()) else {
        return false;
    };
    let desc = graph.desc(input);
    desc.data_type.bits() <= 8 && desc.rank() >= 2 && desc.elements() > 1
}

/// The constants that a node's constant operands result in, unless they are too large.
pub(crate) fn evaluate(
    rewrite: &mut Rewrite<'_>,
    node: &Node,
    results: &[Desc],
    operands: &[Option<ValueId>],
    rules: &Rules<'_>,
) -> Option<Vec<ValueId>> {
    let graph = rewrite.graph();
    let constants: Option<Vec<Option<(Desc, &Bytes)>>> = operands
        .iter()
        .map(|operand| match operand {
            Some(id) => Some(Some((graph.desc(*id), graph.constant(*id)?))),
            None => Some(None),
        })
        .collect();
    let constants = constants?;
    let before: u64 = constants.iter().flatten().map(|(desc, _)| desc.byte_length()).sum();
    let after: u64 = results.iter().map(Desc::byte_length).sum();
    // Broadcasting has no arithmetic in it: engines do it while they read.
    let is_copy = matches!(node.op, Op::Expand(_) | Op::Tile(_));
    let growth = if is_copy { 1 } else { GROWTH };
    if after > SMALL_BYTES.max(growth * before) {
        return None;
    }
    let bytes = (rules.evaluate)(node, results, &constants).ok()?;
    let is_whole = bytes.len() == results.len()
        && bytes.iter().zip(results).all(|(bytes, desc)| bytes.len() as u64 == desc.byte_length());
    is_whole.then(|| {
        results.iter().zip(bytes).map(|(&desc, bytes)| rewrite.constant(desc, bytes)).collect()
    })
}
