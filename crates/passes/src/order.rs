//! Orders of dimensions: how a value lies in memory, compared with how the graph sees it.

use webnn_core::{MAX_RANK, Shape};

/// Which of a value's dimensions lies at each place, outermost first.
///
/// Stored in order `[0, 2, 3, 1]`, a value of shape `[n, c, h, w]` is a tensor of shape
/// `[n, h, w, c]`: what a transpose with that permutation makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    axes: [u8; MAX_RANK],
    rank: u8,
}

impl Order {
    /// Batch, rows, columns, channels of a value seen as batch, channels, rows, columns.
    pub(crate) const CHANNELS_LAST: Order = Order { axes: [0, 2, 3, 1, 0, 0, 0, 0], rank: 4 };

    pub(crate) fn identity(rank: usize) -> Order {
        Order::from_axes(0..rank)
    }

    pub(crate) fn from_axes(axes: impl IntoIterator<Item = usize>) -> Order {
        let mut order = Order { axes: [0; MAX_RANK], rank: 0 };
        for axis in axes {
            order.axes[usize::from(order.rank)] = axis as u8;
            order.rank += 1;
        }
        order
    }

    /// The order that a transpose's permutation asks for.
    pub(crate) fn from_permutation(permutation: &[u32]) -> Order {
        Order::from_axes(permutation.iter().map(|&axis| axis as usize))
    }

    pub(crate) fn rank(self) -> usize {
        self.rank.into()
    }

    pub(crate) fn is_identity(self) -> bool {
        self.axes().enumerate().all(|(place, axis)| place == axis)
    }

    pub(crate) fn axes(self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.rank()).map(move |place| usize::from(self.axes[place]))
    }

    /// Where a dimension lies.
    pub(crate) fn place_of(self, axis: usize) -> usize {
        self.axes().position(|other| other == axis).expect("an order holds every axis")
    }

    /// A list with an item per dimension, by place.
    pub(crate) fn arrange<T: Copy>(self, items: &[T]) -> Vec<T> {
        self.axes().map(|axis| items[axis]).collect()
    }

    /// The shape of the stored tensor.
    pub(crate) fn shape(self, shape: &Shape) -> Shape {
        self.axes().map(|axis| shape[axis]).collect()
    }

    /// The order after new dimensions were put in front.
    pub(crate) fn padded(self, rank: usize) -> Order {
        let new = rank - self.rank();
        Order::from_axes((0..new).chain(self.axes().map(|axis| axis + new)))
    }

    /// The order of what stays when dimensions go.
    pub(crate) fn without(self, gone: impl Fn(usize) -> bool) -> Order {
        let shifted = |axis: usize| (0..axis).filter(|&other| !gone(other)).count();
        Order::from_axes(self.axes().filter(|&axis| !gone(axis)).map(shifted))
    }

    /// The order in which the same tensor shows the value after the value was transposed.
    pub(crate) fn after_transpose(self, permutation: &[u32]) -> Order {
        let seen = |axis: usize| permutation.iter().position(|&old| old as usize == axis);
        Order::from_axes(self.axes().map(|axis| seen(axis).expect("permutations are complete")))
    }

    /// The transpose that turns a tensor stored in this order into one in the other.
    pub(crate) fn permutation_to(self, other: Order) -> Vec<u32> {
        other.axes().map(|axis| self.place_of(axis) as u32).collect()
    }

    /// Whether tensors of a shape stored in the two orders have the same bytes: dimensions of
    /// size 1 may lie anywhere.
    pub(crate) fn is_same_memory(self, other: Order, shape: &Shape) -> bool {
        let wide = |order: Order| order.axes().filter(|&axis| shape[axis] > 1).collect::<Vec<_>>();
        wide(self) == wide(other)
    }

    /// The order after a reshape, where the stored tensor can be reshaped alone: no dimensions
    /// are joined that lie apart.
    pub(crate) fn after_reshape(self, from: &Shape, to: &Shape) -> Option<Order> {
        let wide: Vec<usize> = self.axes().filter(|&axis| from[axis] > 1).collect();
        let mut axes = Vec::with_capacity(to.rank());
        let groups = matching_groups(from, to)?;
        let mut next = wide.iter().copied().peekable();
        // Dimensions of size 1 in front of all others belong to no group.
        axes.extend(0..groups.first().map_or(to.rank(), |group| group.to.start));
        while let Some(&axis) = next.peek() {
            let group = groups.iter().find(|group| group.from.contains(&axis))?;
            // Whole groups must lie together, in their own order.
            for expected in group.from.clone().filter(|&axis| from[axis] > 1) {
                if next.next() != Some(expected) {
                    return None;
                }
            }
            axes.extend(group.to.clone());
        }
        Some(Order::from_axes(axes))
    }

    /// The order nearest to this one that a tensor can be reshaped in: dimensions that join are
    /// brought together, where the innermost of them lies, so that runs of elements stay whole.
    pub(crate) fn ready_to_reshape(self, from: &Shape, to: &Shape) -> Order {
        let Some(mut groups) = matching_groups(from, to) else {
            return Order::identity(self.rank());
        };
        let ones = 0..groups.first().map_or(self.rank(), |group| group.from.start);
        groups.sort_by_key(|group| {
            let wide = group.from.clone().filter(|&axis| from[axis] > 1);
            wide.map(|axis| self.place_of(axis)).max()
        });
        Order::from_axes(ones.chain(groups.into_iter().flat_map(|group| group.from)))
    }
}

struct GroupOfAxes {
    from: std::ops::Range<usize>,
    to: std::ops::Range<usize>,
}

/// The finest runs of dimensions of two shapes with the same products, in order. Dimensions of
/// size 1 belong to the run before them.
fn matching_groups(from: &Shape, to: &Shape) -> Option<Vec<GroupOfAxes>> {
    let skip = |shape: &Shape, mut axis: usize| {
        while axis < shape.rank() && shape[axis] == 1 {
            axis += 1;
        }
        axis
    };
    let mut groups = Vec::new();
    let (mut i, mut j) = (skip(from, 0), skip(to, 0));
    while i < from.rank() && j < to.rank() {
        let (first_i, first_j) = (i, j);
        let (mut a, mut b) = (u64::from(from[i]), u64::from(to[j]));
        (i, j) = (i + 1, j + 1);
        while a != b {
            if a < b {
                a *= u64::from(*from.get(i)?);
                i += 1;
            } else {
                b *= u64::from(*to.get(j)?);
                j += 1;
            }
        }
        (i, j) = (skip(from, i), skip(to, j));
        groups.push(GroupOfAxes { from: first_i..i, to: first_j..j });
    }
    Some(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(sizes: &[u32]) -> Shape {
        Shape::new(sizes).unwrap()
    }

    fn order(axes: &[usize]) -> Order {
        Order::from_axes(axes.iter().copied())
    }

    #[test]
    fn orders_compose_with_transposes() {
        // Stored as n h w c; seen as c w h n once transposed by [1, 3, 2, 0].
        let stored = Order::CHANNELS_LAST.after_transpose(&[1, 3, 2, 0]);
        assert_eq!(stored, order(&[3, 2, 1, 0]));
        assert_eq!(Order::CHANNELS_LAST.permutation_to(Order::identity(4)), [0, 3, 1, 2]);
        assert_eq!(Order::CHANNELS_LAST.without(|axis| axis == 2), order(&[0, 2, 1]));
        assert_eq!(order(&[1, 0]).padded(3), order(&[0, 2, 1]));
    }

    #[test]
    fn sizes_of_one_may_lie_anywhere() {
        let last = Order::CHANNELS_LAST;
        assert!(last.is_same_memory(Order::identity(4), &shape(&[2, 5, 1, 1])));
        assert!(last.is_same_memory(Order::identity(4), &shape(&[2, 1, 5, 4])));
        assert!(!last.is_same_memory(Order::identity(4), &shape(&[1, 2, 1, 2])));
    }

    #[test]
    fn reshapes_keep_an_order_unless_they_join_what_lies_apart() {
        for (stored, from, to, expected) in [
            // Rows and columns join, channels stay last.
            (&[0, 2, 3, 1][..], &[1, 8, 4, 5][..], &[1, 8, 20][..], Some(&[0, 2, 1][..])),
            // Channels are divided.
            (&[0, 2, 1], &[1, 64, 20], &[1, 4, 16, 20], Some(&[0, 3, 1, 2])),
            // A pooled image becomes a row.
            (&[0, 2, 3, 1], &[1, 8, 1, 1], &[1, 8], Some(&[0, 1])),
            // Channels and pixels would join, but they do not lie so.
            (&[0, 2, 3, 1], &[1, 8, 4, 5], &[1, 160], None),
            (&[1, 0], &[3, 4], &[12], None),
            (&[1, 0], &[3, 4], &[4, 3], None),
            (&[1, 0], &[3, 4], &[3, 1, 4, 1], Some(&[2, 3, 0, 1])),
            (&[0, 1], &[1, 1], &[1, 1, 1], Some(&[0, 1, 2])),
        ] {
            let result = order(stored).after_reshape(&shape(from), &shape(to));
            assert_eq!(result, expected.map(order), "{stored:?}: {from:?} to {to:?}");
        }
    }

    #[test]
    fn an_order_is_made_ready_for_a_reshape_where_it_lies() {
        for (stored, from, to, expected) in [
            // Channels in two groups that were swapped, last in memory.
            (&[0, 3, 4, 2, 1][..], &[1, 8, 2, 5, 6][..], &[1, 16, 5, 6][..], &[0, 3, 4, 1, 2][..]),
            // Heads between rows join with their elements.
            (&[0, 2, 1, 3], &[1, 5, 2, 3], &[1, 5, 6], &[0, 1, 2, 3]),
            (&[0, 2, 3, 1], &[1, 8, 5, 6], &[1, 240], &[0, 1, 2, 3]),
        ] {
            let (from, to) = (shape(from), shape(to));
            let ready = order(stored).ready_to_reshape(&from, &to);
            assert_eq!(ready, order(expected));
            assert!(ready.after_reshape(&from, &to).is_some());
        }
    }
}
