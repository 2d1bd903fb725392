//! Takes splits apart into slices where a split would copy: parts that nothing needs, or that are
//! read where they lie, then are not copied.

use webnn_core::ops::Slice;
use webnn_core::{Graph, Op, Result, ValueId};

use crate::rewrite::Rewrite;

/// Above so many parts, one step that copies them all is cheaper than a step for each.
const MOST_PARTS: usize = 16;

/// The graph with slices in the place of splits whose parts do not lie in one piece.
pub(crate) fn take_apart(graph: &Graph) -> Result<Graph> {
    let mut rewrite = Rewrite::new(graph);
    for node in graph.nodes() {
        let operands = rewrite.operands(node);
        let input = node.inputs.first().copied().flatten();
        let shape = input.map(|input| graph.desc(input).shape);
        let (Op::Split(op), Some(shape), Some(&Some(source))) = (&node.op, shape, operands.first())
        else {
            rewrite.keep(node, operands);
            continue;
        };
        let axis = op.axis as usize;
        let lies_in_one_piece = shape[..axis].iter().all(|&size| size == 1);
        if lies_in_one_piece || node.outputs.len() > MOST_PARTS {
            rewrite.keep(node, operands);
            continue;
        }
        let mut starts = vec![0; shape.rank()];
        let mut parts: Vec<ValueId> = Vec::with_capacity(node.outputs.len());
        for &output in &node.outputs {
            let sizes = graph.desc(output).shape;
            let slice = Slice::new(starts.clone(), sizes.to_vec());
            parts.push(rewrite.push_one(slice, &[source], &node.label)?);
            starts[axis] += sizes[axis];
        }
        rewrite.set_all(node, &parts);
    }
    rewrite.finish()
}

#[cfg(test)]
mod tests {
    use super::take_apart;
    use crate::testing::assert_pass;

    #[test]
    fn parts_in_many_pieces_are_slices() {
        assert_pass(
            |graph| take_apart(&graph),
            "%x = input \"x\" float32[2, 6]\n%a, %b = split(%x) { splits: [4, 2], axis: 1 }\n\
             output \"y\" = %b",
            "%x = input \"x\" float32[2, 6]\n%b = slice(%x) { starts: [0, 4], sizes: [2, 2] }\n\
             output \"y\" = %b",
        );
        let whole = "%x = input \"x\" float32[1, 6]\n%a, %b = split(%x) { splits: 2, axis: 1 }\n\
                     output \"y\" = %b";
        assert_pass(|graph| take_apart(&graph), whole, whole);
    }
}
