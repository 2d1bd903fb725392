//! Lays images out with their channels last and moves transposes to where they vanish.
//!
//! Every value has an order in which it is stored; operators that do not care keep the order of
//! their operands and take their attributes along, so a transpose is not computed where it stands
//! but where something needs another order, if at all. Convolutions, pools and their like ask for
//! channels last; what knows no other order than the graph's, like matmul, asks for that.
//!
//! Sums over several dimensions may add in another order than in the graph, which is as exact.

mod operators;

use webnn_core::ops::{
    BatchNormalization, ConvTranspose2d, CumulativeSum, Expand, InstanceNormalization, Pad, Pool2d,
    Reshape, Reverse, Slice, Split, Tile, Transpose,
};
use webnn_core::{Graph, Node, Op, Result, Shape, Source, Value, ValueId};

use crate::Rules;
use crate::order::Order;
use crate::rewrite::Rewrite;

/// The graph with values stored as its operators like them.
pub(crate) fn lay_out(graph: &Graph, rules: &Rules<'_>) -> Result<Graph> {
    let mut pass = Pass {
        graph,
        rewrite: Rewrite::new(graph),
        stored: vec![None; graph.values().len()],
        is_constant: constants(graph),
        channels_last: rules.channels_last,
    };
    for node in graph.nodes() {
        pass.node(node)?;
    }
    for port in graph.outputs() {
        let value = pass.plain(port.value)?;
        pass.rewrite.set(port.value, value);
    }
    pass.rewrite.finish()
}

/// A tensor of the new graph that holds a value of the old one in some order.
#[derive(Clone, Copy)]
struct Stored {
    value: ValueId,
    order: Order,
}

struct Pass<'a> {
    graph: &'a Graph,
    rewrite: Rewrite<'a>,
    /// By values of the old graph; inputs and constants are stored as they are.
    stored: Vec<Option<Stored>>,
    /// Whether a value depends on constants alone: it is arranged before the first run.
    is_constant: Vec<bool>,
    channels_last: bool,
}

impl Pass<'_> {
    fn shape(&self, old: ValueId) -> Shape {
        self.graph.desc(old).shape
    }

    fn stored(&mut self, old: ValueId) -> Stored {
        match self.stored[old.index()] {
            Some(stored) => stored,
            None => Stored {
                value: self.rewrite.value(old),
                order: Order::identity(self.shape(old).rank()),
            },
        }
    }

    /// The tensor that holds the value in the given order.
    fn arranged(&mut self, old: ValueId, order: Order) -> Result<ValueId> {
        let Stored { value, order: stored } = self.stored(old);
        let shape = self.shape(old);
        if stored == order {
            return Ok(value);
        }
        if stored.is_same_memory(order, &shape) {
            let reshape = Reshape::new(order.shape(&shape).to_vec());
            return self.rewrite.push_one(reshape, &[value], "");
        }
        let permutation = Some(stored.permutation_to(order));
        self.rewrite.push_one(Transpose { permutation }, &[value], "")
    }

    /// The tensor that holds the value as the old graph sees it.
    fn plain(&mut self, old: ValueId) -> Result<ValueId> {
        self.arranged(old, Order::identity(self.shape(old).rank()))
    }

    /// The tensor that, broadcast to the order of a wider shape, holds the value.
    fn broadcast(&mut self, old: ValueId, order: Order) -> Result<ValueId> {
        let Stored { value, order: stored } = self.stored(old);
        let shape = self.shape(old);
        if shape.elements() == 1 {
            return Ok(value);
        }
        let ones = std::iter::repeat_n(1, order.rank() - shape.rank());
        let padded: Shape = ones.chain(shape.iter().copied()).collect();
        let wanted = order.shape(&padded);
        let strip = |shape: &Shape| -> Vec<u32> {
            shape.iter().copied().skip_while(|&size| size == 1).collect()
        };
        let wide = stored.padded(order.rank());
        if wide.is_same_memory(order, &padded) {
            if strip(&wanted) == strip(&stored.shape(&shape)) {
                return Ok(value);
            }
            return self.rewrite.push_one(Reshape::new(wanted.to_vec()), &[value], "");
        }
        let mut value = value;
        if order.rank() > shape.rank() {
            let reshape = Reshape::new(wide.shape(&padded).to_vec());
            value = self.rewrite.push_one(reshape, &[value], "")?;
        }
        let permutation = Some(wide.permutation_to(order));
        self.rewrite.push_one(Transpose { permutation }, &[value], "")
    }

    /// The order of a result of the given rank that costs the least to bring all operands to.
    fn cheapest(&mut self, operands: &[ValueId], rank: usize) -> Order {
        let mut best = (u64::MAX, Order::identity(rank));
        let wide: Vec<(Order, Shape, u64)> = operands
            .iter()
            .filter(|&&id| !self.is_constant[id.index()] && self.shape(id).elements() > 1)
            .map(|&id| {
                let shape = self.shape(id);
                let ones = std::iter::repeat_n(1, rank - shape.rank());
                let padded = ones.chain(shape.iter().copied()).collect();
                let order = self.stored[id.index()]
                    .map_or(Order::identity(shape.rank()), |stored| stored.order);
                (order.padded(rank), padded, shape.elements())
            })
            .collect();
        for (i, &(order, ..)) in wide.iter().enumerate() {
            if wide[..i].iter().any(|&(earlier, ..)| earlier == order) {
                continue;
            }
            let cost = wide
                .iter()
                .filter(|(other, shape, _)| !other.is_same_memory(order, shape))
                .map(|(_, _, elements)| elements)
                .sum();
            // At the same cost the order that something asked for is the better one.
            if cost < best.0 || (cost == best.0 && best.1.is_identity()) {
                best = (cost, order);
            }
        }
        best.1
    }

    fn put(&mut self, old: ValueId, value: ValueId, order: Order) {
        debug_assert_eq!(order.shape(&self.shape(old)), self.rewrite.graph().desc(value).shape);
        self.stored[old.index()] = Some(Stored { value, order });
    }

    /// A node over the given tensors, whose results are all stored in one order.
    fn push(
        &mut self,
        node: &Node,
        op: impl Into<Op>,
        operands: Vec<Option<ValueId>>,
        order: Order,
    ) -> Result<()> {
        let outputs = self.rewrite.push(op, operands, &node.label)?;
        for (&old, new) in node.outputs.iter().zip(outputs) {
            self.put(old, new, order);
        }
        Ok(())
    }

    /// An operator that knows no order but the graph's.
    fn keep(&mut self, node: &Node) -> Result<()> {
        let operands = node.inputs.iter().map(|id| id.map(|id| self.plain(id)).transpose());
        let operands = operands.collect::<Result<Vec<_>>>()?;
        self.rewrite.keep(node, operands);
        Ok(())
    }

    /// An operator on the first operand's tensor, with attributes for its order; further operands
    /// as the graph has them.
    fn follow(&mut self, node: &Node, op: impl Into<Op>, result: Order) -> Result<()> {
        let Stored { value, .. } = self.stored(first(node));
        self.apply(node, op, value, result)
    }

    /// An operator on the first operand in the given order; further operands as the graph has them.
    fn image(&mut self, node: &Node, op: impl Into<Op>, order: Order) -> Result<()> {
        let value = self.arranged(first(node), order)?;
        self.apply(node, op, value, order)
    }

    fn apply(
        &mut self,
        node: &Node,
        op: impl Into<Op>,
        input: ValueId,
        result: Order,
    ) -> Result<()> {
        let mut operands = vec![Some(input)];
        for &id in &node.inputs[1..] {
            operands.push(id.map(|id| self.plain(id)).transpose()?);
        }
        self.push(node, op, operands, result)
    }

    /// An operator whose operands are broadcast to each other.
    fn pointwise(&mut self, node: &Node) -> Result<()> {
        let ids: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
        let order = self.cheapest(&ids, self.shape(node.outputs[0]).rank());
        let operands = ids.iter().map(|&id| Ok(Some(self.broadcast(id, order)?)));
        let operands = operands.collect::<Result<Vec<_>>>()?;
        self.push(node, node.op.clone(), operands, order)
    }

    fn node(&mut self, node: &Node) -> Result<()> {
        match &node.op {
            Op::Binary(_)
            | Op::Cast(_)
            | Op::Clamp(_)
            | Op::Compare(_)
            | Op::Elu(_)
            | Op::HardSigmoid(_)
            | Op::LeakyRelu(_)
            | Op::Linear(_)
            | Op::Prelu(_)
            | Op::Unary(_)
            | Op::Where(_) => self.pointwise(node),
            Op::QuantizeLinear(_) | Op::DequantizeLinear(_) => self.quantization(node),
            Op::Conv2d(op) => self.conv2d(node, op),
            Op::ConvTranspose2d(op) => {
                let (order, input_layout) = self.image_order(op.input_layout);
                self.image(node, ConvTranspose2d { input_layout, ..op.clone() }, order)
            }
            Op::Pool2d(op) => {
                let (order, layout) = self.image_order(op.options.layout);
                let mut op: Pool2d = op.clone();
                op.options.layout = layout;
                self.image(node, op, order)
            }
            Op::InstanceNormalization(op) => {
                let (order, layout) = self.image_order(op.layout);
                self.image(node, InstanceNormalization { layout, ..op.clone() }, order)
            }
            Op::Resample2d(op) => self.resample2d(node, op),
            Op::BatchNormalization(op) => {
                let order = self.stored(first(node)).order;
                let axis = order.place_of(op.axis as usize) as u32;
                self.follow(node, BatchNormalization { axis, ..op.clone() }, order)
            }
            Op::LayerNormalization(op) => self.layer_normalization(node, op),
            Op::Softmax(op) => self.softmax(node, op),
            Op::Reduce(op) => self.reduce(node, op),
            Op::ArgMinMax(op) => self.arg(node, op),
            Op::CumulativeSum(op) => {
                let order = self.stored(first(node)).order;
                let axis = order.place_of(op.axis as usize) as u32;
                self.follow(node, CumulativeSum { axis, ..op.clone() }, order)
            }
            Op::Concat(op) => self.concat(node, op),
            Op::Split(op) => {
                let order = self.stored(first(node)).order;
                let axis = order.place_of(op.axis as usize) as u32;
                self.follow(node, Split { axis, splits: op.splits.clone() }, order)
            }
            Op::Slice(op) => {
                let order = self.stored(first(node)).order;
                let op = Slice {
                    starts: order.arrange(&op.starts),
                    sizes: order.arrange(&op.sizes),
                    strides: op.strides.as_ref().map(|strides| order.arrange(strides)),
                };
                self.follow(node, op, order)
            }
            Op::Pad(op) => {
                let order = self.stored(first(node)).order;
                let op = Pad {
                    beginning_padding: order.arrange(&op.beginning_padding),
                    ending_padding: order.arrange(&op.ending_padding),
                    ..op.clone()
                };
                self.follow(node, op, order)
            }
            Op::Tile(op) => {
                let order = self.stored(first(node)).order;
                self.follow(node, Tile { repetitions: order.arrange(&op.repetitions) }, order)
            }
            Op::Reverse(op) => {
                let order = self.stored(first(node)).order;
                let axes = op.axes(order.rank());
                let axes = axes.iter().map(|&axis| order.place_of(axis as usize) as u32).collect();
                self.follow(node, Reverse { axes: Some(axes) }, order)
            }
            Op::Expand(op) => {
                let order = self.stored(first(node)).order.padded(op.new_shape.len());
                self.follow(node, Expand { new_shape: order.arrange(&op.new_shape) }, order)
            }
            Op::Reshape(_) => self.reshape(node),
            Op::Transpose(op) => {
                let Stored { value, order } = self.stored(first(node));
                let order = order.after_transpose(&op.permutation(order.rank()));
                self.put(node.outputs[0], value, order);
                Ok(())
            }
            Op::Gemm(op) => self.gemm(node, op),
            Op::Matmul(_) => self.matmul(node),
            Op::Gather(_)
            | Op::GatherElements(_)
            | Op::GatherNd(_)
            | Op::Gru(_)
            | Op::GruCell(_)
            | Op::Lstm(_)
            | Op::LstmCell(_)
            | Op::ScatterElements(_)
            | Op::ScatterNd(_)
            | Op::Triangular(_) => self.keep(node),
        }
    }
}

/// Which values depend on constants alone.
fn constants(graph: &Graph) -> Vec<bool> {
    let is_source = |value: &Value| matches!(value.source, Source::Constant(_));
    let mut is_constant: Vec<bool> = graph.values().iter().map(is_source).collect();
    for node in graph.nodes() {
        let all = node.inputs.iter().flatten().all(|id| is_constant[id.index()]);
        node.outputs.iter().for_each(|id| is_constant[id.index()] = all);
    }
    is_constant
}

/// The operand in the first slot.
fn first(node: &Node) -> ValueId {
    node.inputs[0].expect("the first slot is required")
}

#[cfg(test)]
mod tests {
    use super::lay_out;
    use crate::simplify::simplify;
    use crate::testing::{RULES, assert_pass};

    fn assert_laid_out(before: &str, after: &str) {
        let pass = |graph| simplify(lay_out(&graph, &RULES)?, &RULES);
        assert_pass(pass, before, after);
    }

    #[test]
    fn images_are_transposed_at_the_borders_alone() {
        assert_laid_out(
            r#"
            %x = input "x" float32[1, 3, 8, 8]
            %w = constant float32[4, 3, 3, 3] splat 0.5
            %v = constant float32[4, 1, 3, 3] splat 0.25
            %b = constant float32[1, 4, 1, 1] {1, 2, 3, 4}
            %a = conv2d(%x, %w) { padding: [1, 1, 1, 1] }
            %c = mul(%a, %b)
            %d = relu(%c)
            %e = conv2d(%d, %v) { padding: [1, 1, 1, 1], groups: 4 }
            %f = add(%d, %e)
            %g = maxPool2d(%f) { windowDimensions: [2, 2], strides: [2, 2] }
            %h, %i = split(%g) { splits: 2, axis: 1 }
            %j = concat(%i, %h) { axis: 1 }
            output "y" = %j
            "#,
            r#"
            %x = input "x" float32[1, 3, 8, 8]
            %w = constant float32[4, 3, 3, 3] splat 0.5
            %v = constant float32[4, 1, 3, 3] splat 0.25
            %b = constant float32[1, 1, 1, 4] {1, 2, 3, 4}
            %t = transpose(%x) { permutation: [0, 2, 3, 1] }
            %a = conv2d(%t, %w) { padding: [1, 1, 1, 1], inputLayout: "nhwc" }
            %c = mul(%a, %b)
            %d = relu(%c)
            %e = conv2d(%d, %v) { padding: [1, 1, 1, 1], groups: 4, inputLayout: "nhwc" }
            %f = add(%d, %e)
            %g = maxPool2d(%f) { windowDimensions: [2, 2], strides: [2, 2], layout: "nhwc" }
            %h, %i = split(%g) { splits: 2, axis: 3 }
            %j = concat(%i, %h) { axis: 3 }
            %y = transpose(%j) { permutation: [0, 3, 1, 2] }
            output "y" = %y
            "#,
        );
    }

    #[test]
    fn a_pooled_image_needs_no_transpose() {
        assert_laid_out(
            r#"
            %x = input "x" float32[1, 1, 8, 8]
            %w = constant float32[4, 1, 3, 3] splat 0.5
            %m = constant float32[4, 2] splat 0.5
            %a = conv2d(%x, %w)
            %b = averagePool2d(%a)
            %c = reshape(%b) { newShape: [1, 4] }
            %y = matmul(%c, %m)
            output "y" = %y
            "#,
            r#"
            %x = input "x" float32[1, 1, 8, 8]
            %w = constant float32[4, 1, 3, 3] splat 0.5
            %m = constant float32[4, 2] splat 0.5
            %t = reshape(%x) { newShape: [1, 8, 8, 1] }
            %a = conv2d(%t, %w) { inputLayout: "nhwc" }
            %b = averagePool2d(%a) { layout: "nhwc" }
            %c = reshape(%b) { newShape: [1, 4] }
            %y = matmul(%c, %m)
            output "y" = %y
            "#,
        );
    }

    #[test]
    fn patches_become_a_sequence_without_a_transpose() {
        assert_laid_out(
            r#"
            %x = input "x" float32[1, 2, 4, 4]
            %w = constant float32[6, 2, 2, 2] splat 0.5
            %a = conv2d(%x, %w) { strides: [2, 2] }
            %b = reshape(%a) { newShape: [1, 6, 4] }
            %c = transpose(%b) { permutation: [0, 2, 1] }
            %y = softmax(%c) { axis: 2 }
            output "y" = %y
            "#,
            r#"
            %x = input "x" float32[1, 2, 4, 4]
            %w = constant float32[6, 2, 2, 2] splat 0.5
            %t = transpose(%x) { permutation: [0, 2, 3, 1] }
            %a = conv2d(%t, %w) { strides: [2, 2], inputLayout: "nhwc" }
            %b = reshape(%a) { newShape: [1, 4, 6] }
            %y = softmax(%b) { axis: 2 }
            output "y" = %y
            "#,
        );
    }

    #[test]
    fn shuffled_channels_are_moved_once() {
        assert_laid_out(
            r#"
            %x = input "x" float32[1, 2, 3, 4]
            %w = constant float32[6, 2, 1, 1] splat 0.5
            %a = conv2d(%x, %w)
            %b = reshape(%a) { newShape: [1, 2, 3, 3, 4] }
            %c = transpose(%b) { permutation: [0, 2, 1, 3, 4] }
            %d = reshape(%c) { newShape: [1, 6, 3, 4] }
            %y = averagePool2d(%d)
            output "y" = %y
            "#,
            r#"
            %x = input "x" float32[1, 2, 3, 4]
            %w = constant float32[6, 2, 1, 1] splat 0.5
            %t = transpose(%x) { permutation: [0, 2, 3, 1] }
            %a = conv2d(%t, %w) { inputLayout: "nhwc" }
            %b = reshape(%a) { newShape: [1, 3, 4, 2, 3] }
            %c = transpose(%b) { permutation: [0, 1, 2, 4, 3] }
            %d = reshape(%c) { newShape: [1, 3, 4, 6] }
            %e = averagePool2d(%d) { layout: "nhwc" }
            %y = reshape(%e) { newShape: [1, 6, 1, 1] }
            output "y" = %y
            "#,
        );
    }

    #[test]
    fn attributes_follow_the_order() {
        assert_laid_out(
            r#"
            %x = input "x" float32[1, 2, 4, 3]
            %s = constant float32[2] {1, 2}
            %a = transpose(%x) { permutation: [0, 2, 3, 1] }
            %b = reduceMax(%a) { axes: [1], keepDimensions: true }
            %c = layerNormalization(%a, scale: %s) { axes: [3] }
            %d = add(%b, %c)
            %e = slice(%d) { starts: [0, 1, 0, 0], sizes: [1, 2, 3, 2] }
            %f = pad(%e) { beginningPadding: [0, 0, 2, 0], endingPadding: [0, 1, 0, 0] }
            %y = transpose(%f) { permutation: [0, 3, 1, 2] }
            output "y" = %y
            "#,
            r#"
            %x = input "x" float32[1, 2, 4, 3]
            %s = constant float32[2] {1, 2}
            %b = reduceMax(%x) { axes: [2], keepDimensions: true }
            %a = transpose(%x) { permutation: [0, 2, 3, 1] }
            %n = layerNormalization(%a, scale: %s) { axes: [3] }
            %m = transpose(%b) { permutation: [0, 2, 3, 1] }
            %d = add(%m, %n)
            %e = slice(%d) { starts: [0, 1, 0, 0], sizes: [1, 2, 3, 2] }
            %f = pad(%e) { beginningPadding: [0, 0, 2, 0], endingPadding: [0, 1, 0, 0] }
            %y = transpose(%f) { permutation: [0, 3, 1, 2] }
            output "y" = %y
            "#,
        );
    }

    #[test]
    fn a_product_takes_a_transposed_factor_as_it_is() {
        assert_laid_out(
            r#"
            %x = input "x" float32[2, 3]
            %w = input "w" float32[4, 3]
            %t = transpose(%w)
            %y = gemm(%x, %t)
            output "y" = %y
            "#,
            r#"
            %x = input "x" float32[2, 3]
            %w = input "w" float32[4, 3]
            %y = gemm(%x, %w) { bTranspose: true }
            output "y" = %y
            "#,
        );
    }
}
