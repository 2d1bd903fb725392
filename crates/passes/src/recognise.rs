//! Finds the operators that exporters took apart.
//!
//! The operator computes what its parts did, but rounds less often, so results may differ in the
//! last bits; and a softmax without the greatest element subtracted, which overflowed, no longer
//! does.

mod activation;
mod normalization;

use webnn_core::ops::{Binary, Unary};
use webnn_core::{Graph, Op, Result, ValueId};

use crate::Rules;
use crate::constants::is_about;
use crate::simplify::{Site, apply};

/// The graph with decompositions put together.
pub(crate) fn recognise(graph: Graph, rules: &Rules<'_>) -> Result<Graph> {
    apply(graph, rules, &[|site| site.normalization(), |site| site.activation()])
}

/// Matching what made a value.
impl Site<'_, '_> {
    /// The operand of the unary operator that made a value.
    fn of_unary(&self, value: ValueId, op: Unary) -> Option<ValueId> {
        let maker = self.maker(value)?;
        if maker.op == Op::Unary(op) { maker.inputs[0] } else { None }
    }

    /// The operands of the binary operator that made a value.
    fn of_binary(&self, value: ValueId, op: Binary) -> Option<[ValueId; 2]> {
        let maker = self.maker(value)?;
        if maker.op == Op::Binary(op) { Some([maker.inputs[0]?, maker.inputs[1]?]) } else { None }
    }

    /// The two operands of this node, if it is that operator.
    fn is_binary(&self, op: Binary) -> Option<[ValueId; 2]> {
        (self.node.op == Op::Binary(op)).then(|| [self.operand(0), self.operand(1)])
    }

    /// The value that was added to a number, or multiplied by one.
    fn with_number(&self, operands: [ValueId; 2], number: f64) -> Option<ValueId> {
        let [a, b] = operands;
        if self.is_number(b, number) {
            Some(a)
        } else if self.is_number(a, number) {
            Some(b)
        } else {
            None
        }
    }

    /// Whether a value is a constant of about this number.
    fn is_number(&self, value: ValueId, number: f64) -> bool {
        is_about(self.graph(), value, number)
    }

    /// What a value is, divided by a number or multiplied by its inverse.
    fn divided(&self, value: ValueId, number: f64) -> Option<ValueId> {
        match self.of_binary(value, Binary::Div) {
            Some([a, b]) => self.is_number(b, number).then_some(a),
            None => self.with_number(self.of_binary(value, Binary::Mul)?, 1.0 / number),
        }
    }
}

/// The pairs in both orders.
fn both<T: Copy>([a, b]: [T; 2]) -> [[T; 2]; 2] {
    [[a, b], [b, a]]
}
