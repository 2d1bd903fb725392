//! Finds softmax(q · kᵀ · scale + mask) · v around each softmax, with what brings heads together
//! and takes them apart absorbed as strides.

use webnn_core::ops::Binary;
use webnn_core::{Desc, NodeId, Op, ValueId};

use super::views::{Dimension, Strided, scaled, trace, trace_scaled};
use super::{Attention, Grouping, Pattern, View};

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
            if let Some((source, number)) = scaled(self.graph, node) {
                (scale, scores) = (scale * number, source);
                continue;
            }
            let is_mask = node.op == Op::Binary(Binary::Add) && mask.is_none() && scale == 1.0;
            let [Some(a), Some(b)] = node.inputs[..] else { return None };
            let whole = self.graph.desc(scores);
            (mask, scores) = if is_mask && self.leads_to_product(a, whole) {
                (Some(b), a)
            } else if is_mask && self.leads_to_product(b, whole) {
                (Some(a), b)
            } else {
                return None;
            };
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
        let mut q = trace_scaled(self.graph, q);
        let mut k = trace_scaled(self.graph, k);
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
            scale: (scale * q.scale * k.scale) as f32,
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
        (Strided { value, offset: 0, dimensions, scale: 1.0, nodes: Vec::new() }, nodes)
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

#[cfg(test)]
mod tests {
    use webnn_core::reference::{self, Tensor};
    use webnn_core::{Graph, ValueId};

    use crate::group::{Attention, Pattern, View, group};
    use crate::optimize;
    use crate::testing::{RULES, parse, random};

    /// The element of a viewed value at batch, head, row and column.
    fn at(view: &View, tensor: &Tensor, [b, h, i, j]: [usize; 4]) -> f64 {
        let [sb, sh, si, sj] = view.strides;
        tensor.floats()[view.offset + b * sb + h / view.repeat * sh + i * si + j * sj]
    }

    /// What the views say that the group computes, by definition.
    fn compute(attention: &Attention, value: impl Fn(ValueId) -> Tensor) -> Vec<f64> {
        let Attention { q, k, v, scale, mask, output } = attention;
        let read = |view: &View| value(view.value);
        let (qs, ks, vs) = (read(q), read(k), read(v));
        let masks = mask.as_ref().map(read);
        let mut result = vec![f64::NAN; output.sizes.iter().product()];
        let [batches, heads, rows, depth] = q.sizes;
        let columns = k.sizes[2];
        for (b, h, i) in (0..batches)
            .flat_map(|b| (0..heads).flat_map(move |h| (0..rows).map(move |i| (b, h, i))))
        {
            let scores: Vec<f64> = (0..columns)
                .map(|j| {
                    let product = |d| at(q, &qs, [b, h, i, d]) * at(k, &ks, [b, h, j, d]);
                    let sum: f64 = (0..depth).map(product).sum();
                    let bias = match (mask, &masks) {
                        (Some(view), Some(tensor)) => at(view, tensor, [b, h, i, j]),
                        _no_mask => 0.0,
                    };
                    (sum * f64::from(*scale) + bias).exp()
                })
                .collect();
            let total: f64 = scores.iter().sum();
            for d in 0..v.sizes[3] {
                let mean = |j: usize| scores[j] / total * at(v, &vs, [b, h, j, d]);
                let [sb, sh, si, sd] = output.strides;
                result[output.offset + b * sb + h * sh + i * si + d * sd] =
                    (0..columns).map(mean).sum();
            }
        }
        result
    }

    /// Asserts that a graph is one attention with so many nodes before it, and what its views say.
    fn assert_attention(text: &str, absorbed: usize) -> Attention {
        let graph = optimize(parse(text), &RULES).unwrap();
        let groups = group(&graph, &RULES);
        let listing = crate::print_groups(&graph, &groups);
        let found = groups.iter().find_map(|group| {
            let Pattern::Attention(attention) = &group.pattern else { return None };
            Some((attention, group))
        });
        let (attention, group) = found.unwrap_or_else(|| panic!("no attention in\n{listing}"));
        assert_eq!(group.nodes.len(), absorbed, "\n{listing}");
        let inputs: Vec<Tensor> =
            graph.inputs().iter().map(|port| random(graph.desc(port.value))).collect();
        let value = |id: ValueId| -> Tensor {
            let mut with_output: Graph = graph.clone();
            with_output.push_output("value", id);
            reference::run(&with_output, &inputs).unwrap().pop().unwrap()
        };
        let expected = value(attention.output.value);
        let actual = compute(attention, value);
        for (actual, expected) in actual.iter().zip(expected.floats()) {
            assert!((actual - expected).abs() < 1e-5, "{actual}, expected {expected}\n{listing}");
        }
        *attention.clone()
    }

    #[test]
    fn heads_are_read_where_projections_left_them() {
        let attention = assert_attention(
            r#"
            %x = input "x" float32[1, 5, 12]
            %m = input "mask" float32[1, 1, 1, 5]
            %c = constant float32[] {0.5}
            %q, %k, %v = split(%x) { splits: 3, axis: 2 }
            %q1 = reshape(%q) { newShape: [1, 5, 2, 2] }
            %k1 = reshape(%k) { newShape: [1, 5, 2, 2] }
            %v1 = reshape(%v) { newShape: [1, 5, 2, 2] }
            %q2 = transpose(%q1) { permutation: [0, 2, 1, 3] }
            %k2 = transpose(%k1) { permutation: [0, 2, 3, 1] }
            %v2 = transpose(%v1) { permutation: [0, 2, 1, 3] }
            %s = matmul(%q2, %k2)
            %t = mul(%s, %c)
            %u = add(%t, %m)
            %w = softmax(%u) { axis: 3 }
            %o = matmul(%w, %v2)
            %p = transpose(%o) { permutation: [0, 2, 1, 3] }
            %y = reshape(%p) { newShape: [1, 5, 4] }
            output "y" = %y
            "#,
            16,
        );
        assert_eq!((attention.scale, attention.q.sizes), (0.5, [1, 2, 5, 2]));
        assert_eq!((attention.q.strides, attention.k.offset), ([0, 2, 12, 1], 4));
        assert_eq!(attention.mask.unwrap().strides, [0, 0, 0, 1]);
        assert_eq!(attention.output.strides[1..], [2, 4, 1]);
    }

    #[test]
    fn keys_with_a_past_and_a_divided_score() {
        assert_attention(
            r#"
            %q = input "q" float32[2, 1, 3]
            %past = input "past" float32[2, 4, 3]
            %new = input "new" float32[2, 1, 3]
            %c = constant float32[] {3}
            %k = concat(%past, %new) { axis: 1 }
            %t = transpose(%k) { permutation: [0, 2, 1] }
            %s = matmul(%q, %t)
            %d = div(%s, %c)
            %w = softmax(%d) { axis: 2 }
            %y = matmul(%w, %k)
            output "y" = %y
            "#,
            5,
        );
    }

    #[test]
    fn grouped_queries_share_keys_and_values() {
        let attention = assert_attention(
            r#"
            %q = input "q" float32[1, 4, 3, 2]
            %k = input "k" float32[1, 2, 5, 2]
            %v = input "v" float32[1, 2, 5, 2]
            %k1 = reshape(%k) { newShape: [1, 2, 1, 5, 2] }
            %v1 = reshape(%v) { newShape: [1, 2, 1, 5, 2] }
            %k2 = expand(%k1) { newShape: [1, 2, 2, 5, 2] }
            %v2 = expand(%v1) { newShape: [1, 2, 2, 5, 2] }
            %k3 = reshape(%k2) { newShape: [1, 4, 5, 2] }
            %v3 = reshape(%v2) { newShape: [1, 4, 5, 2] }
            %t = transpose(%k3) { permutation: [0, 1, 3, 2] }
            %s = matmul(%q, %t)
            %w = softmax(%s) { axis: 3 }
            %y = matmul(%w, %v3)
            output "y" = %y
            "#,
            10,
        );
        assert_eq!((attention.k.repeat, attention.v.repeat), (2, 2));
    }

    #[test]
    fn scaled_queries_and_keys_become_the_scale() {
        let attention = assert_attention(
            r#"
            %q = input "q" float32[1, 3, 4]
            %k = input "k" float32[1, 5, 4]
            %v = input "v" float32[1, 5, 4]
            %c = constant float32[] {0.5}
            %q1 = reshape(%q) { newShape: [1, 3, 2, 2] }
            %k1 = reshape(%k) { newShape: [1, 5, 2, 2] }
            %v1 = reshape(%v) { newShape: [1, 5, 2, 2] }
            %q2 = transpose(%q1) { permutation: [0, 2, 1, 3] }
            %k2 = transpose(%k1) { permutation: [0, 2, 3, 1] }
            %v2 = transpose(%v1) { permutation: [0, 2, 1, 3] }
            %q3 = mul(%q2, %c)
            %k3 = mul(%c, %k2)
            %s = matmul(%q3, %k3)
            %w = softmax(%s) { axis: 3 }
            %y = matmul(%w, %v2)
            output "y" = %y
            "#,
            11,
        );
        assert_eq!((attention.scale, attention.q.strides), (0.25, [0, 2, 4, 1]));
    }

    #[test]
    fn weights_that_others_take_are_no_attention() {
        crate::testing::assert_groups(
            r#"
            %q = input "q" float32[3, 4]
            %k = input "k" float32[4, 5]
            %v = input "v" float32[5, 2]
            %s = matmul(%q, %k)
            %w = softmax(%s) { axis: 1 }
            %y = matmul(%w, %v)
            output "y" = %y
            output "w" = %w
            "#,
            &["single: matmul", "single: softmax", "single: matmul"],
        );
    }
}
