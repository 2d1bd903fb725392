//! Values seen through reshapes, transposes and slices: by strides instead of copies.

use webnn_core::ops::Binary;
use webnn_core::{Graph, Node, NodeId, Op, Shape, ValueId};

use crate::constants::uniform;

/// One dimension of a strided value: index `i` lies at `(i / repeat) * stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dimension {
    pub(super) size: usize,
    pub(super) stride: usize,
    pub(super) repeat: usize,
}

/// Part of another value, by strides, multiplied by a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Strided {
    pub(super) value: ValueId,
    pub(super) offset: usize,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) scale: f64,
    /// The nodes between the two, last first.
    pub(super) nodes: Vec<NodeId>,
}

/// The longest way back that strides can follow.
const MOST_STEPS: usize = 8;

/// The value as a part of the earliest one that it can be seen in; at worst of itself.
pub(super) fn trace(graph: &Graph, value: ValueId) -> Strided {
    trace_through(graph, value, view_of)
}

/// The same also through multiplications with numbers.
pub(super) fn trace_scaled(graph: &Graph, value: ValueId) -> Strided {
    trace_through(graph, value, |node| view_of(node).or_else(|| Some(scaled(graph, node)?.0)))
}

fn trace_through(
    graph: &Graph,
    value: ValueId,
    source_of: impl Fn(&Node) -> Option<ValueId>,
) -> Strided {
    // Each step: the node, and which of its results leads on.
    let mut steps: Vec<(NodeId, usize)> = Vec::new();
    let mut source = value;
    while steps.len() < MOST_STEPS
        && let Some(id) = graph.producer(source)
        && let Some(earlier) = source_of(graph.node(id))
    {
        let outputs = &graph.node(id).outputs;
        let result = outputs.iter().position(|&output| output == source).unwrap_or(0);
        steps.push((id, result));
        source = earlier;
    }
    loop {
        let first = match steps.last() {
            Some(&(id, _)) => source_of(graph.node(id)).expect("every step has a source"),
            None => value,
        };
        if let Some(strided) = follow(graph, first, &steps) {
            return strided;
        }
        // Reshapes that join what lies apart copy; what follows them can still be seen.
        steps.pop();
    }
}

/// What an operator that only moves elements, or repeats them, shows.
fn view_of(node: &Node) -> Option<ValueId> {
    let is_view = matches!(
        node.op,
        Op::Reshape(_) | Op::Transpose(_) | Op::Slice(_) | Op::Split(_) | Op::Expand(_)
    );
    if is_view { node.inputs[0] } else { None }
}

/// What a node multiplies by a number, and the number.
pub(super) fn scaled(graph: &Graph, node: &Node) -> Option<(ValueId, f64)> {
    let Op::Binary(op) = node.op else { return None };
    let [Some(a), Some(b)] = node.inputs[..] else { return None };
    let number = |value: ValueId| {
        uniform(graph, value)
            .filter(|number| graph.desc(value).elements() == 1 && number.is_finite())
    };
    let (source, scale) = match (op, number(a), number(b)) {
        (Binary::Mul, _, Some(scale)) => (a, scale),
        (Binary::Mul, Some(scale), None) => (b, scale),
        (Binary::Div, _, Some(scale)) if scale != 0.0 => (a, 1.0 / scale),
        _other => return None,
    };
    (graph.desc(source) == graph.desc(node.outputs[0])).then_some((source, scale))
}

fn contiguous(shape: &Shape) -> Vec<Dimension> {
    let strides = shape.strides();
    let sizes = shape.iter().zip(strides);
    sizes.map(|(&size, stride)| Dimension { size: size as usize, stride, repeat: 1 }).collect()
}

/// The strides after the steps, the last of which comes first.
fn follow(graph: &Graph, source: ValueId, steps: &[(NodeId, usize)]) -> Option<Strided> {
    let mut offset = 0;
    let mut scale = 1.0;
    let mut dimensions = contiguous(&graph.desc(source).shape);
    for &(id, result) in steps.iter().rev() {
        let node = graph.node(id);
        let shape = graph.desc(node.outputs[result]).shape;
        if let Op::Transpose(op) = &node.op {
            let permutation = op.permutation(dimensions.len());
            dimensions = permutation.iter().map(|&axis| dimensions[axis as usize]).collect();
        } else if let Op::Slice(op) = &node.op {
            for (axis, dimension) in dimensions.iter_mut().enumerate() {
                let (start, stride) = (op.starts[axis] as usize, op.stride(axis) as usize);
                if dimension.repeat > 1 && dimension.size != shape[axis] as usize {
                    return None;
                }
                offset += start * dimension.stride;
                dimension.stride *= stride;
                dimension.size = shape[axis] as usize;
            }
        } else if let Op::Split(op) = &node.op {
            let axis = op.axis as usize;
            let earlier = &node.outputs[..result];
            let start: usize = earlier.iter().map(|&id| graph.desc(id).shape[axis] as usize).sum();
            let dimension = &mut dimensions[axis];
            if dimension.repeat > 1 {
                return None;
            }
            offset += start * dimension.stride;
            dimension.size = shape[axis] as usize;
        } else if let Op::Expand(_) = &node.op {
            let new = shape.rank() - dimensions.len();
            let one = Dimension { size: 1, stride: 0, repeat: 1 };
            let padded = std::iter::repeat_n(one, new).chain(dimensions.iter().copied());
            dimensions = padded
                .zip(shape.iter())
                .map(|(dimension, &size)| match dimension.size == size as usize {
                    true => dimension,
                    false => Dimension { size: size as usize, ..one },
                })
                .collect();
        } else if let Some((_, number)) = scaled(graph, node) {
            scale *= number;
        } else {
            dimensions = reshape(&dimensions, &shape)?;
        }
    }
    let nodes = steps.iter().map(|&(id, _)| id).collect();
    Some(Strided { value: source, offset, dimensions, scale, nodes })
}

/// Dimensions of another shape over the same elements, where strides can say it.
fn reshape(from: &[Dimension], to: &Shape) -> Option<Vec<Dimension>> {
    let mut result = Vec::with_capacity(to.rank());
    let mut from = from.iter().copied().filter(|dimension| dimension.size > 1);
    // What is left of the dimension that is being divided.
    let mut current: Option<Dimension> = None;
    // Sizes of 1 have no neighbours: any stride will do.
    let one = Dimension { size: 1, stride: 0, repeat: 1 };
    for &size in to.iter() {
        let size = size as usize;
        if size == 1 {
            result.push(one);
            continue;
        }
        let mut joined = match current.take() {
            Some(dimension) => dimension,
            None => from.next()?,
        };
        while joined.size < size || !joined.size.is_multiple_of(size) {
            joined = join(joined, from.next()?)?;
        }
        let inner = joined.size / size;
        if inner == 1 {
            result.push(joined);
            continue;
        }
        if joined.repeat > 1 {
            return None;
        }
        let stride = joined.stride * inner;
        result.push(Dimension { size, stride, repeat: 1 });
        current = Some(Dimension { size: inner, stride: joined.stride, repeat: 1 });
    }
    (current.is_none() && from.next().is_none()).then_some(result)
}

/// Two neighbouring dimensions as one.
fn join(outer: Dimension, inner: Dimension) -> Option<Dimension> {
    let size = outer.size * inner.size;
    if outer.repeat == 1 && inner.repeat == 1 && outer.stride == inner.stride * inner.size {
        return Some(Dimension { size, ..inner });
    }
    // Every element of the outer one several times over.
    let is_repeated = inner.stride == 0 && outer.repeat == 1;
    is_repeated.then_some(Dimension { size, stride: outer.stride, repeat: inner.size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(sizes: &[u32]) -> Shape {
        Shape::new(sizes).unwrap()
    }

    #[test]
    fn reshapes_join_and_divide_dimensions() {
        let strides = |dimensions: &[Dimension]| -> Vec<(usize, usize)> {
            dimensions.iter().map(|dimension| (dimension.size, dimension.stride)).collect()
        };
        let rows = contiguous(&shape(&[4, 6]));
        assert_eq!(
            strides(&reshape(&rows, &shape(&[1, 4, 2, 3])).unwrap()),
            [(1, 0), (4, 6), (2, 3), (3, 1)]
        );
        assert_eq!(strides(&reshape(&rows, &shape(&[24])).unwrap()), [(24, 1)]);
        let columns: Vec<Dimension> = rows.iter().rev().copied().collect();
        assert_eq!(reshape(&columns, &shape(&[24])), None);
        assert_eq!(
            strides(&reshape(&columns, &shape(&[6, 2, 2])).unwrap()),
            [(6, 1), (2, 12), (2, 6)]
        );
        // Two heads, each seen three times.
        let mut heads = contiguous(&shape(&[2, 1, 5]));
        heads[1] = Dimension { size: 3, stride: 0, repeat: 1 };
        let shared = reshape(&heads, &shape(&[6, 5])).unwrap();
        assert_eq!(shared[0], Dimension { size: 6, stride: 5, repeat: 3 });
    }
}
