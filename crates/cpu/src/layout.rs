//! Which values share memory: reshaped values are their operands, parts lie in what they are joined
//! to, and the graph's inputs, outputs and constants lie in the memory that the caller gave.

use std::collections::HashMap;

use webnn_core::{Graph, Source, ValueId};
use webnn_passes::{Life, place};

use crate::io::Place;

/// Where a value lies relative to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inside {
    value: ValueId,
    offset: usize,
}

/// Memory of its own, for a value that lies in no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    Arena,
    Input(usize),
    Output(usize),
    Constant,
}

/// Which values lie in which.
pub(crate) struct Layout<'a> {
    graph: &'a Graph,
    inside: Vec<Option<Inside>>,
    homes: Vec<Home>,
}

impl<'a> Layout<'a> {
    pub(crate) fn new(graph: &'a Graph) -> Layout<'a> {
        let home = |source: &Source| match source {
            Source::Input(index) => Home::Input(*index),
            Source::Constant(_) => Home::Constant,
            Source::Node(..) => Home::Arena,
        };
        let values = graph.values();
        Layout {
            graph,
            inside: vec![None; values.len()],
            homes: values.iter().map(|value| home(&value.source)).collect(),
        }
    }

    fn bytes(&self, value: ValueId) -> usize {
        self.graph.desc(value).byte_length() as usize
    }

    /// Whether a value has memory of its own, that of the arena.
    pub(crate) fn is_apart(&self, value: ValueId) -> bool {
        self.inside[value.index()].is_none() && self.homes[value.index()] == Home::Arena
    }

    /// The value whose memory holds the given one, and where in it.
    pub(crate) fn root(&self, value: ValueId) -> (ValueId, usize) {
        let (mut value, mut offset) = (value, 0);
        while let Some(inside) = self.inside[value.index()] {
            value = inside.value;
            offset += inside.offset;
        }
        (value, offset)
    }

    /// Says that a result is the bytes of an operand from an offset on.
    pub(crate) fn alias(&mut self, result: ValueId, operand: ValueId, offset: usize) {
        self.inside[result.index()] = Some(Inside { value: operand, offset });
    }

    /// Lets a value be computed in an output's memory; fails where it cannot, so that it must be
    /// copied there.
    pub(crate) fn bind_output(&mut self, value: ValueId, output: usize) -> bool {
        let (root, offset) = self.root(value);
        let fits = offset == 0 && self.bytes(root) == self.bytes(value);
        if fits && self.homes[root.index()] == Home::Arena {
            self.homes[root.index()] = Home::Output(output);
            return true;
        }
        false
    }

    /// For each of some values, whether it lies in other memory than all others of them.
    pub(crate) fn are_alone(&self, values: &[ValueId]) -> Vec<bool> {
        let roots: Vec<ValueId> = values.iter().map(|&value| self.root(value).0).collect();
        let mut counts: HashMap<ValueId, usize> = HashMap::new();
        roots.iter().for_each(|&root| *counts.entry(root).or_default() += 1);
        roots.iter().map(|root| counts[root] == 1).collect()
    }

    /// Lets every value lie in its root at once, so that finding it takes one step.
    fn settle(&mut self) {
        for value in 0..self.inside.len() {
            let mut root = ValueId(value as u32);
            let mut way = Vec::new();
            while let Some(inside) = self.inside[root.index()] {
                way.push((root, inside.offset));
                root = inside.value;
            }
            let mut offset = 0;
            for (value, inner) in way.into_iter().rev() {
                offset += inner;
                self.inside[value.index()] = Some(Inside { value: root, offset });
            }
        }
    }

    /// Lets a part be computed where it is joined with others; fails where it cannot, so that it
    /// must be copied there.
    pub(crate) fn join(&mut self, part: ValueId, whole: ValueId, offset: usize) -> bool {
        let (root, inner) = self.root(part);
        let fits = inner == 0 && self.bytes(root) == self.bytes(part);
        if fits && self.homes[root.index()] == Home::Arena && self.root(whole).0 != root {
            self.inside[root.index()] = Some(Inside { value: whole, offset });
            return true;
        }
        false
    }
}

/// What a step reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// A value, wherever it lies.
    Value(ValueId),
    /// The graph's output of this index, which a value that lies elsewhere is copied to.
    Output(usize),
}

/// What a step touches.
pub(crate) struct Touched {
    pub(crate) reads: Vec<Site>,
    pub(crate) writes: Vec<Site>,
    pub(crate) scratch_bytes: usize,
}

/// Every value's place.
pub(crate) struct Placed {
    /// Reads, writes, scratch of each step.
    pub(crate) steps: Vec<(Vec<Place>, Vec<Place>, Place)>,
    pub(crate) arena_bytes: usize,
    /// The constants that steps read, in the order of their bases.
    pub(crate) constants: Vec<ValueId>,
}

/// Gives each value a place: base 0 is the arena, then come inputs, outputs and constants.
pub(crate) fn place_values(layout: &mut Layout<'_>, steps: &[Touched]) -> Placed {
    layout.settle();
    let layout = &*layout;
    let graph = layout.graph;
    let mut lives: Vec<Life> = Vec::new();
    let mut life_of: HashMap<ValueId, usize> = HashMap::new();
    let mut constants: Vec<ValueId> = Vec::new();
    let mut is_read = vec![false; graph.values().len()];
    for (at, step) in steps.iter().enumerate() {
        for site in step.reads.iter().chain(&step.writes) {
            let Site::Value(value) = *site else { continue };
            let (root, _) = layout.root(value);
            match layout.homes[root.index()] {
                Home::Arena => {
                    let life = *life_of.entry(root).or_insert_with(|| {
                        lives.push(Life { bytes: layout.bytes(root), first: at, last: at });
                        lives.len() - 1
                    });
                    lives[life].last = at;
                }
                Home::Constant => {
                    if !std::mem::replace(&mut is_read[root.index()], true) {
                        constants.push(root);
                    }
                }
                Home::Input(_) | Home::Output(_) => {}
            }
        }
    }
    let values = lives.len();
    lives.extend(steps.iter().enumerate().map(|(at, step)| Life {
        bytes: step.scratch_bytes,
        first: at,
        last: at,
    }));
    let (offsets, arena_bytes) = place(&lives);
    let first_output = 1 + graph.inputs().len();
    let first_constant = first_output + graph.outputs().len();
    let base_of: HashMap<ValueId, usize> =
        constants.iter().enumerate().map(|(i, &id)| (id, first_constant + i)).collect();
    let at = |site: &Site| {
        let value = match *site {
            Site::Value(value) => value,
            Site::Output(index) => {
                let bytes = layout.bytes(graph.outputs()[index].value);
                return Place { base: first_output + index, offset: 0, bytes };
            }
        };
        let (root, offset) = layout.root(value);
        let (base, start) = match layout.homes[root.index()] {
            Home::Arena => (0, offsets[life_of[&root]]),
            Home::Input(index) => (1 + index, 0),
            Home::Output(index) => (first_output + index, 0),
            Home::Constant => (base_of[&root], 0),
        };
        Place { base, offset: start + offset, bytes: layout.bytes(value) }
    };
    let steps = steps.iter().enumerate().map(|(i, step)| {
        let scratch = Place { base: 0, offset: offsets[values + i], bytes: step.scratch_bytes };
        (step.reads.iter().map(at).collect(), step.writes.iter().map(at).collect(), scratch)
    });
    Placed { steps: steps.collect(), arena_bytes, constants }
}

#[cfg(test)]
mod tests {
    use webnn_core::ops::{Reshape, Unary};
    use webnn_core::{DataType, Desc, Shape};

    use super::*;

    #[test]
    fn roots_of_long_chains_are_one_step_away() {
        let mut graph = Graph::new();
        let desc = Desc { data_type: DataType::Float32, shape: Shape::new(&[2]).unwrap() };
        let x = graph.push_input("x", desc);
        let mut last = graph.push_node(Unary::Relu, vec![Some(x)], "").unwrap()[0];
        let first = last;
        let mut chain = Vec::new();
        for _ in 0..1000 {
            let reshape = Reshape::new(vec![2]);
            last = graph.push_node(reshape, vec![Some(last)], "").unwrap()[0];
            chain.push(last);
        }
        // Each lies 4 bytes into the one before, and the first in nothing.
        let mut layout = Layout::new(&graph);
        let mut operand = first;
        for &value in &chain {
            layout.alias(value, operand, 4);
            operand = value;
        }
        layout.settle();
        for (i, value) in chain.iter().enumerate() {
            let expected = Inside { value: first, offset: 4 * (i + 1) };
            assert_eq!(layout.inside[value.index()], Some(expected));
        }
        assert_eq!(layout.are_alone(&[first, x]), [true, true]);
        assert_eq!(layout.are_alone(&[first, x, last]), [false, true, false]);
    }
}
