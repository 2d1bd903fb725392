//! Arithmetic with neutral elements, and bounds.
//!
//! Zeros keep their sign (x + 0 stays, x − 0 goes) and NaN stays NaN. The one exception:
//! where a bound is a zero, a maximum or minimum becomes a clamp, and which of two zeros wins is
//! left open by either.

use webnn_core::ops::{Binary, Clamp, Unary};
use webnn_core::{DataType, Number, Op, Result, ValueId};

use super::{Site, Values};
use crate::constants::uniform;

impl Site<'_, '_> {
    pub(super) fn arithmetic(&mut self) -> Result<Values> {
        if let Op::Unary(op) = self.node.op {
            self.unary(op)
        } else if let Op::Binary(op) = self.node.op {
            self.binary(op)
        } else if let Op::Clamp(op) = &self.node.op {
            self.clamp(op)
        } else {
            Ok(None)
        }
    }

    fn unary(&mut self, op: Unary) -> Result<Values> {
        let input = self.operand(0);
        if op == Unary::Identity {
            return Ok(Some(vec![input]));
        }
        let Some(maker) = self.maker(input) else { return Ok(None) };
        let Op::Unary(inner) = maker.op else { return Ok(None) };
        let source = maker.inputs[0].expect("unary operators have an operand");
        match (op, inner) {
            (Unary::Neg, Unary::Neg) => Ok(Some(vec![source])),
            (Unary::Abs, Unary::Neg) => self.push(Unary::Abs, &[source]),
            (Unary::Abs, Unary::Abs)
            | (Unary::Relu, Unary::Relu)
            | (Unary::Ceil, Unary::Ceil)
            | (Unary::Floor, Unary::Floor)
            | (Unary::RoundEven, Unary::RoundEven) => Ok(Some(vec![input])),
            _other => Ok(None),
        }
    }

    fn binary(&mut self, op: Binary) -> Result<Values> {
        let (a, b) = (self.operand(0), self.operand(1));
        let result = self.result();
        let is_float = result.data_type.is_float();
        let minus_zero = |value: f64| value == 0.0 && (value.is_sign_negative() || !is_float);
        let zero = |value: f64| value == 0.0 && (value.is_sign_positive() || !is_float);
        if let Some(value) = uniform(self.graph(), b) {
            let is_neutral = match op {
                Binary::Add => minus_zero(value),
                Binary::Sub => zero(value),
                Binary::Mul | Binary::Div | Binary::Pow => value == 1.0,
                Binary::Max => value == f64::NEG_INFINITY,
                Binary::Min => value == f64::INFINITY,
            };
            if is_neutral && self.desc(a) == result {
                return Ok(Some(vec![a]));
            }
            match op {
                Binary::Pow if value == 2.0 && self.desc(a) == result => {
                    return self.push(Binary::Mul, &[a, a]);
                }
                Binary::Div
                    if result.data_type == DataType::Float32 && has_exact_inverse(value) =>
                {
                    let desc = self.desc(b);
                    let inverse = (1.0 / value as f32).to_le_bytes();
                    let bytes = inverse.repeat(desc.elements());
                    let inverse = self.rewrite.constant(desc, bytes.into());
                    return self.push(Binary::Mul, &[a, inverse]);
                }
                Binary::Max | Binary::Min => return self.bound(op, a, value),
                Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow => {}
            }
        }
        if let Some(value) = uniform(self.graph(), a) {
            let is_neutral = match op {
                Binary::Add => minus_zero(value),
                Binary::Mul => value == 1.0,
                Binary::Max => value == f64::NEG_INFINITY,
                Binary::Min => value == f64::INFINITY,
                Binary::Sub | Binary::Div | Binary::Pow => false,
            };
            if is_neutral && self.desc(b) == result {
                return Ok(Some(vec![b]));
            }
            match op {
                Binary::Max | Binary::Min => return self.bound(op, b, value),
                Binary::Div if is_float && value == 1.0 && self.desc(b) == result => {
                    return self.push(Unary::Reciprocal, &[b]);
                }
                Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow => {}
            }
        }
        Ok(None)
    }

    /// A maximum or minimum with a number bounds the other operand.
    fn bound(&mut self, op: Binary, input: ValueId, value: f64) -> Result<Values> {
        // Wide integers do not fit into a double.
        if value.is_nan() || self.desc(input) != self.result() || value.abs() > 2f64.powi(52) {
            return Ok(None);
        }
        let bound = Some(Number::Float(value));
        let mut clamp = Clamp::new();
        match op {
            Binary::Max => clamp.min_value = bound,
            Binary::Min => clamp.max_value = bound,
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow => return Ok(None),
        }
        self.push(clamp, &[input])
    }

    /// No bounds at all, or one clamp after another.
    fn clamp(&mut self, op: &Clamp) -> Result<Values> {
        let input = self.operand(0);
        let data_type = self.result().data_type;
        let (min, max) = op.bounds(data_type);
        let no_min = min.is_none_or(|min| min.to_f64() == f64::NEG_INFINITY);
        let no_max = max.is_none_or(|max| max.to_f64() == f64::INFINITY);
        if no_min && no_max {
            return Ok(Some(vec![input]));
        }
        let Some(maker) = self.maker(input) else { return Ok(None) };
        let Op::Clamp(inner) = &maker.op else { return Ok(None) };
        let (inner_min, inner_max) = inner.bounds(data_type);
        // Bounds of one side each, in order, are one clamp whichever comes first.
        let both = match ((inner_min, inner_max), (min, max)) {
            ((Some(min), None), (None, Some(max))) | ((None, Some(max)), (Some(min), None))
                if min.to_f64() <= max.to_f64() =>
            {
                Clamp { min_value: Some(min), max_value: Some(max) }
            }
            _other => return Ok(None),
        };
        let source = maker.inputs[0].expect("clamp has an operand");
        self.push(both, &[source])
    }
}

/// Whether multiplying by 1 / x is dividing by x: powers of two whose inverse is not denormal.
fn has_exact_inverse(value: f64) -> bool {
    let exponent = value.abs().log2();
    exponent == exponent.trunc() && exponent.abs() <= 100.0 && value != 1.0
}

#[cfg(test)]
mod tests {
    use crate::simplify::simplify;
    use crate::testing::{RULES, assert_pass};

    fn assert_simplified(number: &str, body: &str, after: &str) {
        let head = "%x = input \"x\" float32[2, 4]";
        let before =
            format!("{head}\n%c = constant float32[] {{{number}}}\n{body}\noutput \"y\" = %y");
        let after = if after == "unchanged" {
            before.clone()
        } else {
            format!("{head}\n{after}\noutput \"y\" = %y")
        };
        assert_pass(|graph| simplify(graph, &RULES), &before, &after);
    }

    #[test]
    fn only_neutral_elements_vanish() {
        for (number, body) in [
            ("1", "%y = mul(%x, %c)"),
            ("1", "%y = mul(%c, %x)"),
            ("1", "%y = div(%x, %c)"),
            ("1", "%y = pow(%x, %c)"),
            ("0", "%y = sub(%x, %c)"),
            ("-0.0", "%y = add(%c, %x)"),
            ("-Infinity", "%y = max(%x, %c)"),
        ] {
            assert_simplified(number, body, "%y = identity(%x)");
        }
        // −0 + 0 is 0, −0 − −0 is 0.
        for (number, body) in
            [("0", "%y = add(%x, %c)"), ("-0.0", "%y = sub(%x, %c)"), ("1", "%y = sub(%x, %c)")]
        {
            assert_simplified(number, body, "unchanged");
        }
    }

    #[test]
    fn a_neutral_element_that_broadcasts_stays() {
        let text = "%x = input \"x\" float32[4]\n%c = constant float32[2, 1] splat 1\n\
                    %y = mul(%x, %c)\noutput \"y\" = %y";
        assert_pass(|graph| simplify(graph, &RULES), text, text);
    }

    #[test]
    fn operators_become_cheaper_ones() {
        for (number, body, after) in [
            ("2", "%y = pow(%x, %c)", "%y = mul(%x, %x)"),
            ("8", "%y = div(%x, %c)", "%d = constant float32[] {0.125}\n%y = mul(%x, %d)"),
            ("3", "%y = div(%x, %c)", "unchanged"),
            ("6", "%y = min(%x, %c)", "%y = clamp(%x) { maxValue: 6.0 }"),
            (
                "6",
                "%z = constant float32[] {-1}\n%a = max(%x, %z)\n%y = min(%c, %a)",
                "%y = clamp(%x) { minValue: -1.0, maxValue: 6.0 }",
            ),
            ("1", "%e = exp(%x)\n%y = div(%c, %e)", "%e = exp(%x)\n%y = reciprocal(%e)"),
        ] {
            assert_simplified(number, body, after);
        }
    }

    #[test]
    fn equal_nodes_become_one() {
        assert_simplified(
            "1",
            "%a = exp(%x)\n%b = exp(%x)\n%y = add(%a, %b)",
            "%a = exp(%x)\n%y = add(%a, %a)",
        );
    }
}
