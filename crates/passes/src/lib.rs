//! Graph in, graph out: what an engine wants done before it compiles.
//!
//! [`optimize`] rewrites a graph into one that computes the same with less work; [`group()`] then
//! says which nodes one kernel computes together; [`place()`] puts values that live at different
//! times into the same memory. This crate knows no engine: [`Rules`] say what one likes.

mod constants;
mod dequantize;
mod elementwise;
mod fold;
pub mod group;
mod layout;
mod live;
mod order;
mod parts;
pub mod place;
mod print;
mod recognise;
mod rewrite;
mod scale;
mod simplify;
#[cfg(test)]
mod testing;
mod widen;

use webnn_core::{Bytes, Desc, Graph, Node, Result};

pub use group::{Attention, Group, Pattern, View, group};
pub use place::{ALIGNMENT, Life, place};
pub use print::print_groups;
pub use widen::widen;

/// What an engine can do and likes.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Evaluates a node whose operands are all constants; one descriptor and one buffer per
    /// result. A failure only means that the node stays.
    pub evaluate: &'a Evaluate,
    /// Whether images are laid out with their channels last.
    pub channels_last: bool,
    /// Whether half precision is computed in single: see [`widen()`].
    pub single_for_half: bool,
    /// The groups that the engine has kernels for.
    pub patterns: Patterns,
}

/// Evaluates a node: results' descriptors, then operands by slot.
pub type Evaluate = dyn Fn(&Node, &[Desc], &[Option<(Desc, &Bytes)>]) -> Result<Vec<Bytes>>;

/// The patterns that an engine can compute as one; the others are never formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patterns {
    /// [`Pattern::Pointwise`]
    pub pointwise: bool,
    /// [`Pattern::Matrix`]
    pub matrix: bool,
    /// [`Pattern::Normalize`]
    pub normalize: bool,
    /// [`Pattern::Attention`]
    pub attention: bool,
    /// [`Pattern::Quantized`]
    pub quantized: bool,
    /// [`Pattern::WeightOnly`]
    pub weight_only: bool,
}

impl Patterns {
    /// Every pattern.
    pub const ALL: Patterns = Patterns {
        pointwise: true,
        matrix: true,
        normalize: true,
        attention: true,
        quantized: true,
        weight_only: true,
    };

    /// Only [`Pattern::Single`].
    pub const NONE: Patterns = Patterns {
        pointwise: false,
        matrix: false,
        normalize: false,
        attention: false,
        quantized: false,
        weight_only: false,
    };
}

/// The graph with constants folded, identities removed, decompositions recognised and images laid
/// out as the rules say. Names, descriptors and order of inputs and outputs stay.
pub fn optimize(graph: Graph, rules: &Rules<'_>) -> Result<Graph> {
    let graph = simplify::simplify(graph, rules)?;
    let graph = recognise::recognise(graph, rules)?;
    let graph = layout::lay_out(&graph, rules)?;
    let graph = simplify::simplify(graph, rules)?;
    let graph = scale::fold(graph, rules)?;
    let graph = parts::take_apart(&graph)?;
    let graph = if rules.single_for_half { widen(graph, rules)? } else { graph };
    let graph = dequantize::fold(&graph, rules)?;
    dequantize::unshare(&graph, rules)
}
