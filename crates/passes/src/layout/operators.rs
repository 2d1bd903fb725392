//! The operators that ask for an order, or whose attributes depend on it in more than one place.

use webnn_core::ops::conv2d::InputLayout;
use webnn_core::ops::{
    ArgMinMax, Concat, Conv2d, Gemm, LayerNormalization, Reduce, Resample2d, Reshape, Softmax,
};
use webnn_core::{Node, Result, ValueId};

use super::{Pass, Stored, first};
use crate::order::Order;

impl Pass<'_> {
    /// The order that an operator on images asks for, and the layout that it then has.
    pub(super) fn image_order(&self, layout: InputLayout) -> (Order, InputLayout) {
        match layout {
            InputLayout::Nchw if self.channels_last => (Order::CHANNELS_LAST, InputLayout::Nhwc),
            InputLayout::Nchw | InputLayout::Nhwc => (Order::identity(4), layout),
        }
    }

    pub(super) fn conv2d(&mut self, node: &Node, op: &Conv2d) -> Result<()> {
        let (mut order, input_layout) = self.image_order(op.input_layout);
        let filter = self.shape(node.inputs[1].expect("a convolution has a filter"));
        let (_, _, h, w) = op.filter_layout.axes();
        let is_pointwise = filter[h] == 1 && filter[w] == 1 && input_layout == InputLayout::Nhwc;
        if is_pointwise && op.padding == [0; 4] && op.strides == [1, 1] {
            // Rows and columns are all the same to it: any order with the channels last will do.
            let stored = self.stored(first(node)).order;
            let ends = |order: Order| (order.axes().next(), order.axes().next_back());
            if ends(stored) == ends(order) {
                order = stored;
            }
        }
        self.image(node, Conv2d { input_layout, ..op.clone() }, order)
    }

    pub(super) fn resample2d(&mut self, node: &Node, op: &Resample2d) -> Result<()> {
        let order = if self.channels_last && op.axes == [2, 3] {
            Order::CHANNELS_LAST
        } else {
            self.stored(first(node)).order
        };
        let axes = op.axes.map(|axis| order.place_of(axis as usize) as u32);
        self.image(node, Resample2d { axes, ..op.clone() }, order)
    }

    pub(super) fn quantization(&mut self, node: &Node) -> Result<()> {
        let order = self.stored(first(node)).order;
        let operands = node.inputs.iter().flatten();
        let operands = operands.map(|&id| Ok(Some(self.arranged(id, order)?)));
        let operands = operands.collect::<Result<Vec<_>>>()?;
        self.push(node, node.op.clone(), operands, order)
    }

    /// Normalises in the stored order unless the axes lie innermost only in the graph's; scale and
    /// bias are transposed so that the axes ascend.
    pub(super) fn layer_normalization(
        &mut self,
        node: &Node,
        op: &LayerNormalization,
    ) -> Result<()> {
        let rank = self.shape(first(node)).rank();
        let axes = op.axes(rank);
        let order = self.order_for(first(node), |axis| axes.contains(&(axis as u32)));
        let mut places: Vec<(u32, u32)> = axes
            .iter()
            .zip(0..)
            .map(|(&axis, i)| (order.place_of(axis as usize) as u32, i))
            .collect();
        places.sort_unstable();
        let permutation: Vec<u32> = places.iter().map(|&(_, i)| i).collect();
        let mut operands = vec![Some(self.arranged(first(node), order)?)];
        for &id in &node.inputs[1..] {
            let order = Order::from_permutation(&permutation);
            operands.push(id.map(|id| self.arranged(id, order)).transpose()?);
        }
        let axes = Some(places.iter().map(|&(place, _)| place).collect());
        self.push(node, LayerNormalization { axes, ..op.clone() }, operands, order)
    }

    pub(super) fn softmax(&mut self, node: &Node, op: &Softmax) -> Result<()> {
        let order = self.order_for(first(node), |axis| axis == op.axis as usize);
        let axis = order.place_of(op.axis as usize) as u32;
        self.image(node, Softmax { axis }, order)
    }

    /// The order for an operator that works along some axes, best when they lie innermost.
    fn order_for(&mut self, id: ValueId, along: impl Fn(usize) -> bool) -> Order {
        let stored = self.stored(id).order;
        let plain = Order::identity(stored.rank());
        let count = plain.axes().filter(|&axis| along(axis)).count();
        let is_innermost = |order: Order| order.axes().rev().take(count).all(&along);
        if is_innermost(plain) && !is_innermost(stored) { plain } else { stored }
    }

    pub(super) fn reduce(&mut self, node: &Node, op: &Reduce) -> Result<()> {
        let order = self.stored(first(node)).order;
        let axes = op.options.axes(order.rank());
        let mut places: Vec<u32> =
            axes.iter().map(|&axis| order.place_of(axis as usize) as u32).collect();
        places.sort_unstable();
        let mut op = op.clone();
        op.options.axes = Some(places);
        let result = if op.options.keep_dimensions {
            order
        } else {
            order.without(|axis| axes.contains(&(axis as u32)))
        };
        self.follow(node, op, result)
    }

    pub(super) fn arg(&mut self, node: &Node, op: &ArgMinMax) -> Result<()> {
        let order = self.stored(first(node)).order;
        let axis = op.options.axis as usize;
        let mut op = op.clone();
        op.options.axis = order.place_of(axis) as u32;
        let result =
            if op.options.keep_dimensions { order } else { order.without(|other| other == axis) };
        self.follow(node, op, result)
    }

    pub(super) fn concat(&mut self, node: &Node, op: &Concat) -> Result<()> {
        let ids: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
        let order = self.cheapest(&ids, self.shape(node.outputs[0]).rank());
        let operands = ids.iter().map(|&id| Ok(Some(self.arranged(id, order)?)));
        let operands = operands.collect::<Result<Vec<_>>>()?;
        let axis = order.place_of(op.axis as usize) as u32;
        self.push(node, Concat { axis }, operands, order)
    }

    pub(super) fn reshape(&mut self, node: &Node) -> Result<()> {
        let (from, to) = (self.shape(first(node)), self.shape(node.outputs[0]));
        let order = self.stored(first(node)).order;
        let (ready, result) = match order.after_reshape(&from, &to) {
            Some(result) => (order, result),
            None => {
                let ready = order.ready_to_reshape(&from, &to);
                match ready.after_reshape(&from, &to) {
                    Some(result) => (ready, result),
                    None => (Order::identity(from.rank()), Order::identity(to.rank())),
                }
            }
        };
        let value = self.arranged(first(node), ready)?;
        self.apply(node, Reshape::new(result.shape(&to).to_vec()), value, result)
    }

    /// A second operand that is stored transposed is taken as it is.
    pub(super) fn gemm(&mut self, node: &Node, op: &Gemm) -> Result<()> {
        let b = node.inputs[1].expect("a product has two factors");
        let Stored { value, order } = self.stored(b);
        if order.is_identity() {
            return self.keep(node);
        }
        let mut operands = vec![Some(self.plain(first(node))?), Some(value)];
        if let Some(&Some(c)) = node.inputs.get(2) {
            operands.push(Some(self.plain(c)?));
        }
        let op = Gemm { b_transpose: !op.b_transpose, ..op.clone() };
        self.push(node, op, operands, Order::identity(2))
    }

    /// Two matrices, the second of them stored transposed, are a gemm.
    pub(super) fn matmul(&mut self, node: &Node) -> Result<()> {
        let b = node.inputs[1].expect("a product has two factors");
        let Stored { value, order } = self.stored(b);
        let ranks = (self.shape(first(node)).rank(), order.rank());
        if order.is_identity() || ranks != (2, 2) {
            return self.keep(node);
        }
        let operands = vec![Some(self.plain(first(node))?), Some(value)];
        let op = Gemm { b_transpose: true, ..Gemm::new() };
        self.push(node, op, operands, Order::identity(2))
    }
}
