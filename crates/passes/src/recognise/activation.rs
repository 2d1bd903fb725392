//! GELU, hard-swish, hard-sigmoid, sigmoid and softplus.

use std::f64::consts::SQRT_2;

use webnn_core::ops::{Binary, HardSigmoid, Unary};
use webnn_core::{Op, Result, ValueId};

use super::both;
use crate::constants::uniform;
use crate::simplify::{Site, Values};

impl Site<'_, '_> {
    pub(super) fn activation(&mut self) -> Result<Values> {
        if !self.result().data_type.is_float() {
            return Ok(None);
        }
        let unary = [
            (self.gelu(), Unary::Gelu),
            (self.hard_swish(), Unary::HardSwish),
            (self.sigmoid(), Unary::Sigmoid),
            (self.softplus(), Unary::Softplus),
        ];
        for (source, op) in unary {
            if let Some(x) = source
                && self.desc(x) == self.result()
            {
                return self.push(op, &[x]);
            }
        }
        if let Some((x, alpha, beta)) = self.hard_sigmoid()
            && self.desc(x) == self.result()
        {
            return self.push(HardSigmoid { alpha, beta }, &[x]);
        }
        Ok(None)
    }

    /// x · ½ · (1 + erf(x / √2)), multiplied in any order.
    fn gelu(&self) -> Option<ValueId> {
        let operands = self.is_binary(Binary::Mul)?;
        if let Some(product) = self.with_number(operands, 0.5) {
            let factors = self.of_binary(product, Binary::Mul)?;
            return both(factors).into_iter().find_map(|[x, e]| self.one_plus_erf(x, e));
        }
        both(operands).into_iter().find_map(|[a, b]| {
            let half = |value| self.with_number(self.of_binary(value, Binary::Mul)?, 0.5);
            let x_and_half = half(b).and_then(|e| self.one_plus_erf(a, e));
            x_and_half.or_else(|| self.one_plus_erf(half(a)?, b))
        })
    }

    /// `x`, if the value is 1 + erf(x / √2).
    fn one_plus_erf(&self, x: ValueId, value: ValueId) -> Option<ValueId> {
        let erf = self.with_number(self.of_binary(value, Binary::Add)?, 1.0)?;
        let source = self.divided(self.of_unary(erf, Unary::Erf)?, SQRT_2)?;
        (source == x).then_some(x)
    }

    /// x · clamp(x + 3, 0, 6) / 6, divided first or last.
    fn hard_swish(&self) -> Option<ValueId> {
        if let Some(operands) = self.is_binary(Binary::Mul) {
            let found = both(operands).into_iter().find_map(|[x, gate]| {
                let maker = self.maker(gate)?;
                let Op::HardSigmoid(HardSigmoid { alpha, beta }) = maker.op else { return None };
                let is_gate = (alpha - 1.0 / 6.0).abs() < 1e-6 && beta == 0.5;
                (is_gate && maker.inputs[0] == Some(x)).then_some(x)
            });
            if found.is_some() {
                return found;
            }
        }
        let product = self.divided_by_six()?;
        both(self.of_binary(product, Binary::Mul)?)
            .into_iter()
            .find_map(|[x, gate]| (self.clamped(gate, 0.0, 6.0, 3.0)? == x).then_some(x))
    }

    /// clamp(x + 3, 0, 6) / 6, or clamp(alpha · x + beta, 0, 1).
    fn hard_sigmoid(&self) -> Option<(ValueId, f64, f64)> {
        if let Some(x) = self.divided_by_six().and_then(|gate| self.clamped(gate, 0.0, 6.0, 3.0)) {
            return Some((x, 1.0 / 6.0, 0.5));
        }
        let Op::Clamp(op) = &self.node.op else { return None };
        if (number(op.min_value)?, number(op.max_value)?) != (0.0, 1.0) {
            return None;
        }
        let [line, beta] = self.of_binary(self.operand(0), Binary::Add)?;
        let beta = uniform(self.graph(), beta)?;
        let [x, alpha] = self.of_binary(line, Binary::Mul)?;
        let alpha = uniform(self.graph(), alpha)?;
        (alpha.is_finite() && beta.is_finite()).then_some((x, alpha, beta))
    }

    /// What this node divides by 6.
    fn divided_by_six(&self) -> Option<ValueId> {
        match self.is_binary(Binary::Div) {
            Some([a, b]) => self.is_number(b, 6.0).then_some(a),
            None => self.with_number(self.is_binary(Binary::Mul)?, 1.0 / 6.0),
        }
    }

    /// `x`, if the value is clamp(x + shift, min, max).
    fn clamped(&self, value: ValueId, min: f64, max: f64, shift: f64) -> Option<ValueId> {
        let maker = self.maker(value)?;
        let Op::Clamp(op) = &maker.op else { return None };
        let is_range = (number(op.min_value)?, number(op.max_value)?) == (min, max);
        let shifted = maker.inputs[0].filter(|_| is_range)?;
        self.with_number(self.of_binary(shifted, Binary::Add)?, shift)
    }

    /// 1 / (1 + exp(−x))
    fn sigmoid(&self) -> Option<ValueId> {
        if self.node.op != Op::Unary(Unary::Reciprocal) {
            return None;
        }
        let sum = self.of_binary(self.operand(0), Binary::Add)?;
        let power = self.of_unary(self.with_number(sum, 1.0)?, Unary::Exp)?;
        self.of_unary(power, Unary::Neg)
    }

    /// ln(1 + exp(x))
    fn softplus(&self) -> Option<ValueId> {
        if self.node.op != Op::Unary(Unary::Log) {
            return None;
        }
        let sum = self.of_binary(self.operand(0), Binary::Add)?;
        self.of_unary(self.with_number(sum, 1.0)?, Unary::Exp)
    }
}

fn number(bound: Option<webnn_core::Number>) -> Option<f64> {
    bound.map(webnn_core::Number::to_f64)
}

#[cfg(test)]
mod tests {
    use crate::recognise::recognise;
    use crate::simplify::simplify;
    use crate::testing::{RULES, assert_pass};

    const HEAD: &str = r#"
        %x = input "x" float32[2, 8]
        %half = constant float32[] {0.5}
        %one = constant float32[] {1}
        %three = constant float32[] {3}
        %six = constant float32[] {6}
        %sixth = constant float32[] {0.16666667}
        %root = constant float32[] {1.4142135}
        %inverse = constant float32[] {0.70710677}
    "#;

    fn assert_recognised(body: &str, after: &str) {
        let pass = |graph| recognise(simplify(graph, &RULES)?, &RULES);
        let before = format!("{HEAD}{body}\n output \"y\" = %y");
        let after = format!("%x = input \"x\" float32[2, 8]\n%y = {after}\noutput \"y\" = %y");
        assert_pass(pass, &before, &after);
    }

    #[test]
    fn gelu_is_found_in_any_order_of_its_factors() {
        for body in [
            "%a = div(%x, %root)\n %b = erf(%a)\n %c = add(%b, %one)\n %d = mul(%x, %c)\n %y = mul(%d, %half)",
            "%a = mul(%x, %inverse)\n %b = erf(%a)\n %c = add(%one, %b)\n %d = mul(%c, %half)\n %y = mul(%x, %d)",
            "%a = div(%x, %root)\n %b = erf(%a)\n %c = add(%b, %one)\n %d = mul(%half, %x)\n %y = mul(%d, %c)",
        ] {
            assert_recognised(body, "gelu(%x)");
        }
    }

    #[test]
    fn gelu_of_another_value_is_no_gelu() {
        let body = "%a = div(%x, %root)\n %b = erf(%a)\n %c = add(%b, %one)\n %n = neg(%x)\n \
                    %d = mul(%n, %c)\n %y = mul(%d, %half)\n output \"y\" = %y";
        let text = format!("{HEAD}{body}");
        assert_pass(|graph| recognise(graph, &RULES), &text, &text);
    }

    #[test]
    fn hard_swish_is_found_divided_first_or_last() {
        let gate = "%a = add(%x, %three)\n %g = clamp(%a) { minValue: 0, maxValue: 6 }\n ";
        for body in [
            "%d = mul(%x, %g)\n %y = div(%d, %six)",
            "%d = div(%g, %six)\n %y = mul(%x, %d)",
            "%d = mul(%g, %sixth)\n %y = mul(%d, %x)",
        ] {
            assert_recognised(&format!("{gate}{body}"), "hardSwish(%x)");
        }
    }

    #[test]
    fn hard_sigmoid_is_found_as_a_clamped_line() {
        let body = "%a = mul(%x, %half)\n %b = add(%a, %half)\n \
                    %y = clamp(%b) { minValue: 0, maxValue: 1 }";
        assert_recognised(body, "hardSigmoid(%x) { alpha: 0.5, beta: 0.5 }");
    }

    #[test]
    fn sigmoid_and_softplus_are_found_by_their_exponentials() {
        for (body, after) in [
            (
                "%a = neg(%x)\n %b = exp(%a)\n %c = add(%b, %one)\n %y = div(%one, %c)",
                "sigmoid(%x)",
            ),
            ("%a = exp(%x)\n %b = add(%one, %a)\n %y = log(%b)", "softplus(%x)"),
        ] {
            assert_recognised(body, after);
        }
    }
}
