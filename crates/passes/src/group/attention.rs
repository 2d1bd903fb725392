//! Finds softmax(q · kᵀ · scale + mask) · v around each softmax, with what brings heads together
//! and takes them apart absorbed as strides.

use webnn_core::ops::Binary;
use webnn_core::{Desc, NodeId, Op, ValueId};

use super::views::{Dimension, Strided, trace};
use super::{Attention, Grouping, Pattern, View};
use crate::constants::uniform;

/// The core of an attention: what surely belongs to it.
struct Core {
    q: ValueId,
    /// Transposed: depth, then columns of the scores.
    k: ValueId,
    v: ValueId,
    scale: f64,
    mask: Option<ValueId>,
    /// Products, scaling, mask, softmax.
    nodes: Vec<NodeId>,
    /// The second product.
    last: NodeId,
}

impl Grouping<'_> {
    pub(super) fn attention(&mut self) {
        for softmax in self.ids() {
            if let Some(core) = self.core(softmax)
                && let Some((attention, nodes)) = self.around(core)
            {
                self.take(Pattern::Attention(Box::new(attention)), nodes);
            }
        }
    }

    fn core(&self, softmax: NodeId) -> Option<Core> {
        let node = self.node(softmax);
        let Op::Softmax(op) = &node.op else { return None };
        let weights = node.outputs[0];
        let rank = self.graph.desc(weights).rank();
        if op.axis as usize + 1 != rank || self.is_taken[softmax.index()] {
            return None;
        }
        let last = self.only_consumer(weights)?;
        let product = self.node(last);
        if !matches!(product.op, Op::Matmul(_)) || product.inputs[0] != Some(weights) {
            return None;
        }
        let v = product.inputs[1].filter(|&v| v != weights)?;
        let mut nodes = vec![softmax, last];
        let mut scores = node.inputs[0]?;
        let mut mask = None;
        let mut scale = 1.0;
        // From the softmax up: at most one mask, then scales, then the product.
        loop {
            let maker = self.free_maker(scores).filter(|_| self.uses[scores.index()] == 1)?;
            let node = self.node(maker);
            nodes.push(maker);
            if let Op::Matmul(_) = node.op {
                let [q, k] = [node.inputs[0]?, node.inputs[1]?];
                return Some(Core { q, k, v, scale, mask, nodes, last });
            }
            let Op::Binary(op) = node.op else { return None };
            let [a, b] = [node.inputs[0]?, node.inputs[1]?];
            let whole = self.graph.desc(scores);
            let number = |value: ValueId| {
                uniform(self.graph, value).filter(|_| self.graph.desc(value).elements() == 1)
            };
            match op {
                Binary::Mul if number(b).is_some() => (scale, scores) = (scale * number(b)?, a),
                Binary::Mul if number(a).is_some() => (scale, scores) = (scale * number(a)?, b),
                Binary::Div if number(b).is_some() => (scale, scores) = (scale / number(b)?, a),
                Binary::Add if mask.is_none() && scale == 1.0 => {
                    let leads_on = |value: ValueId| self.leads_to_product(value, whole);
                    (mask, scores) = if leads_on(a) {
                        (Some(b), a)
                    } else if leads_on(b) {
                        (Some(a), b)
                    } else {
                        return None;
                    };
                }
                Binary::Add
                | Binary::Sub
                | Binary::Mul
                | Binary::Div
                | Binary::Max
                | Binary::Min
                | Binary::Pow => return None,
            }
        }
    }

    /// Whether a value looks like scores rather than like a mask.
    fn leads_to_product(&self, value: ValueId, whole: Desc) -> bool {
        self.graph.desc(value) == whole
            && self.free_maker(value).is_some_and(|id| {
                matches!(self.node(id).op, Op::Matmul(_) | Op::Binary(Binary::Mul | Binary::Div))
            })
    }

    /// The views of the operands and of the result, and all nodes that only they need.
    fn around(&self, core: Core) -> Option<(Attention, Vec<NodeId>)> {
        let Core { q, k, v, scale, mask, mut nodes, last } = core;
        let (mut q, q_scale) = self.scaled(q);
        let (mut k, k_scale) = self.scaled(k);
        let mut v = trace(self.graph, v);
        let mut mask = mask.map(|mask| trace(self.graph, mask));
        let rank = q.dimensions.len();
        let k_rank = k.dimensions.len();
        k.dimensions.swap(k_rank - 2, k_rank - 1);
        let output = self.node(last).outputs[0];
        let (output, after) = self.output(output);
        let sizes = |strided: &Strided, axis: usize| strided.dimensions[axis].size;
        if !(2..=4).contains(&rank) || k.dimensions.len() != rank || v.dimensions.len() != rank {
            return None;
        }
        let (rows, columns) = (sizes(&q, rank - 2), sizes(&k, rank - 2));
        let batch = |axis: usize| sizes(&q, axis).max(sizes(&k, axis)).max(sizes(&v, axis));
        let batches: Vec<usize> = (0..rank - 2).map(batch).collect();
        let view = |strided: &Strided, matrix: [usize; 2]| {
            view(strided, &[&batches[..], &matrix].concat())
        };
        let views = (
            view(&q, [rows, sizes(&q, rank - 1)])?,
            view(&k, [columns, sizes(&k, rank - 1)])?,
            view(&v, [columns, sizes(&v, rank - 1)])?,
        );
        let mask_view = match &mask {
            Some(mask) => Some(view(mask, [rows, columns]).filter(|view| view.repeat == 1)?),
            None => None,
        };
        let output = view(&output, [rows, sizes(&v, rank - 1)])?;
        let attention = Attention {
            q: views.0,
            k: views.1,
            v: views.2,
            scale: (scale * q_scale * k_scale) as f32,
            mask: mask_view,
            output,
        };
        nodes.extend(after);
        let paths = [Some(&mut q), Some(&mut k), Some(&mut v), mask.as_mut()];
        let candidates =
            paths.into_iter().flatten().flat_map(|path| std::mem::take(&mut path.nodes));
        self.absorb_private(&mut nodes, candidates.collect());
        Some((attention, nodes))
    }

    /// A value through views and multiplications with numbers, which become part of the scale.
    fn scaled(&self, value: ValueId) -> (Strided, f64) {
        let strided = trace(self.graph, value);
        let unscaled = (strided.clone(), 1.0);
        let Some(id) = self.free_maker(strided.value) else { return unscaled };
        let node = self.node(id);
        let Op::Binary(op @ (Binary::Mul | Binary::Div)) = node.op else { return unscaled };
        let [Some(a), Some(b)] = node.inputs[..] else { return unscaled };
        let number = |value: ValueId| {
            uniform(self.graph, value).filter(|_| self.graph.desc(value).elements() == 1)
        };
        let (source, scale) = match (op, number(a), number(b)) {
            (Binary::Mul, _, Some(scale)) => (a, scale),
            (Binary::Mul, Some(scale), _) => (b, scale),
            (Binary::Div, _, Some(scale)) => (a, 1.0 / scale),
            _other => return unscaled,
        };
        // Worth it only if nobody needs the product itself.
        let is_private = self.uses[strided.value.index()] == 1
            && self.graph.desc(source) == self.graph.desc(strided.value)
            && scale.is_finite();
        if !is_private {
            return unscaled;
        }
        let mut nodes = strided.nodes;
        nodes.push(id);
        (Strided { value: source, nodes, ..strided }, scale)
    }

    /// Where the result goes once the transposes and reshapes after it are done, and those nodes.
    fn output(&self, product: ValueId) -> (Strided, Vec<NodeId>) {
        let shape = self.graph.desc(product).shape;
        let mut nodes = Vec::new();
        let mut value = product;
        // Which dimension of the product lies at each place; strides follow from it.
        let mut order: Vec<usize> = (0..shape.rank()).collect();
        let mut is_reshaped = false;
        while let Some(id) = self.only_consumer(value) {
            let node = self.node(id);
            if let (Op::Transpose(op), false) = (&node.op, is_reshaped) {
                let permutation = op.permutation(order.len());
                order = permutation.iter().map(|&axis| order[axis as usize]).collect();
            } else if let Op::Reshape(_) = node.op {
                is_reshaped = true;
            } else {
                break;
            }
            nodes.push(id);
            value = node.outputs[0];
        }
        let mut dimensions = vec![Dimension { size: 1, stride: 0, repeat: 1 }; shape.rank()];
        let mut stride = 1;
        for &axis in order.iter().rev() {
            let size = shape[axis] as usize;
            dimensions[axis] = Dimension { size, stride, repeat: 1 };
            stride *= size;
        }
        (Strided { value, offset: 0, dimensions, nodes: Vec::new() }, nodes)
    }

    /// Adds those candidates whose results are taken by the nodes alone.
    fn absorb_private(&self, nodes: &mut Vec<NodeId>, mut candidates: Vec<NodeId>) {
        candidates.sort_unstable();
        candidates.dedup();
        for id in candidates.into_iter().rev() {
            let is_private = self.node(id).outputs.iter().all(|output| {
                let consumers = &self.consumers[output.index()];
                consumers.len() == self.uses[output.index()] as usize
                    && consumers.iter().all(|consumer| nodes.contains(consumer))
            });
            if is_private && !self.is_taken[id.index()] {
                nodes.push(id);
            }
        }
    }
}

/// Four dimensions of the given sizes (less ones in front), broadcast from a strided value.
fn view(strided: &Strided, sizes: &[usize]) -> Option<View> {
    let mut view = View {
        value: strided.value,
        offset: strided.offset,
        sizes: [1; 4],
        strides: [0; 4],
        repeat: 1,
    };
    let front = 4 - sizes.len();
    view.sizes[front..].copy_from_slice(sizes);
    let skipped = sizes.len().checked_sub(strided.dimensions.len())?;
    for (axis, dimension) in strided.dimensions.iter().enumerate() {
        let place = front + skipped + axis;
        if dimension.size != view.sizes[place] && dimension.size != 1 {
            return None;
        }
        view.strides[place] = if dimension.size == 1 { 0 } else { dimension.stride };
        if dimension.repeat > 1 {
            if place != 1 {
                return None;
            }
            view.repeat = dimension.repeat;
        }
    }
    Some(view)
}
