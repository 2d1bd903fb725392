//! Layer normalisation and softmax.

use webnn_core::ops::reduce::ReduceKind;
use webnn_core::ops::{Binary, LayerNormalization, Softmax, Unary};
use webnn_core::{Desc, Op, Result, Shape, ValueId};

use super::both;
use crate::constants::uniform;
use crate::simplify::{Site, Values};

impl Site<'_, '_> {
    pub(super) fn normalization(&mut self) -> Result<Values> {
        if let Some((x, axis)) = self.softmax() {
            return self.push(Softmax { axis }, &[x]);
        }
        if let Some((x, axes, epsilon)) = self.layer_norm()
            && self.desc(x) == self.result()
        {
            return self.push(LayerNormalization { axes: Some(axes), epsilon }, &[x]);
        }
        for (op, slot) in [(Binary::Mul, 1), (Binary::Add, 2)] {
            for operands in both([0, 1]) {
                if self.node.op == Op::Binary(op)
                    && let Some(values) = self.affine(operands, slot)?
                {
                    return Ok(Some(values));
                }
            }
        }
        Ok(None)
    }

    /// exp(x) / Σ exp(x), perhaps with the maximum subtracted from x.
    fn softmax(&self) -> Option<(ValueId, u32)> {
        let [power, sum] = self.is_binary(Binary::Div)?;
        let (summed, axes) = self.reduced(sum, ReduceKind::Sum)?;
        let &[axis] = &axes[..] else { return None };
        let source = self.of_unary(power, Unary::Exp).filter(|_| summed == power)?;
        let shifted = self.of_binary(source, Binary::Sub).and_then(|[x, greatest]| {
            let (of, along) = self.reduced(greatest, ReduceKind::Max)?;
            (of == x && along == [axis] && self.desc(x) == self.desc(source)).then_some(x)
        });
        Some((shifted.unwrap_or(source), axis))
    }

    /// What was reduced, keeping dimensions, and along which axes, ascending.
    fn reduced(&self, value: ValueId, kind: ReduceKind) -> Option<(ValueId, Vec<u32>)> {
        let maker = self.maker(value)?;
        let Op::Reduce(op) = &maker.op else { return None };
        let source = maker.inputs[0]?;
        let mut axes = op.options.axes(self.desc(source).rank());
        axes.sort_unstable();
        (op.kind == kind && op.options.keep_dimensions).then_some((source, axes))
    }

    /// (x − mean) / √(mean of squares + epsilon)
    fn layer_norm(&self) -> Option<(ValueId, Vec<u32>, f64)> {
        if let Some([centred, deviation]) = self.is_binary(Binary::Div) {
            return self.normalized(centred, deviation);
        }
        both(self.is_binary(Binary::Mul)?).into_iter().find_map(|[centred, inverse]| {
            self.normalized(centred, self.of_unary(inverse, Unary::Reciprocal)?)
        })
    }

    fn normalized(&self, centred: ValueId, deviation: ValueId) -> Option<(ValueId, Vec<u32>, f64)> {
        let root = self.of_unary(deviation, Unary::Sqrt).or_else(|| {
            let [base, exponent] = self.of_binary(deviation, Binary::Pow)?;
            self.is_number(exponent, 0.5).then_some(base)
        })?;
        let (variance, epsilon) = both(self.of_binary(root, Binary::Add)?)
            .into_iter()
            .find_map(|[variance, epsilon]| Some((variance, uniform(self.graph(), epsilon)?)))?;
        let (squares, axes) = self.reduced(variance, ReduceKind::Mean)?;
        let is_square = self.of_binary(squares, Binary::Mul) == Some([centred, centred]);
        let [x, mean] = self.of_binary(centred, Binary::Sub)?;
        let (of, along) = self.reduced(mean, ReduceKind::Mean)?;
        let is_centred = of == x && along == axes;
        let is_sound = epsilon.is_finite() && epsilon >= 0.0;
        (is_square && is_centred && is_sound).then_some((x, axes, epsilon))
    }

    /// A normalisation times its scale, or plus its bias, for the slot of either.
    fn affine(&mut self, [product, number]: [usize; 2], slot: usize) -> Result<Values> {
        let Some(maker) = self.maker(self.operand(product)) else { return Ok(None) };
        let Op::LayerNormalization(op) = &maker.op else { return Ok(None) };
        let op = op.clone();
        let mut operands = maker.inputs.clone();
        operands.resize(3, None);
        if operands[slot..].iter().any(Option::is_some) || !self.is_only_use(product) {
            return Ok(None);
        }
        let input = self.desc(self.operand(product));
        let axes = op.axes(input.rank());
        let value = self.operand(number);
        let desc = self.desc(value);
        let Some(bytes) = self.graph().constant(value).cloned() else { return Ok(None) };
        let Some(missing) = input.rank().checked_sub(desc.rank()) else { return Ok(None) };
        // One number for each place along the axes, none for the other dimensions.
        let size = |axis: usize| axis.checked_sub(missing).map_or(1, |axis| desc.shape[axis]);
        let fits = (0..input.rank()).all(|axis| {
            let is_normalized = axes.contains(&(axis as u32));
            size(axis) == if is_normalized { input.shape[axis] } else { 1 }
        });
        if !fits || !axes.is_sorted() {
            return Ok(None);
        }
        let shape: Shape = axes.iter().map(|&axis| input.shape[axis as usize]).collect();
        operands[slot] = Some(self.rewrite.constant(Desc::new(desc.data_type, shape), bytes));
        self.rewrite.push(op, operands, &self.node.label).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::recognise::recognise;
    use crate::simplify::simplify;
    use crate::testing::{RULES, assert_pass};
    use webnn_core::{Graph, Result};

    fn pass(graph: Graph) -> Result<Graph> {
        recognise(simplify(graph, &RULES)?, &RULES)
    }

    #[test]
    fn layer_normalization_is_found_with_scale_and_bias() {
        for (square, quotient) in [
            ("pow(%d, %two)", "%n = div(%d, %s)"),
            ("mul(%d, %d)", "%r = div(%one, %s)\n %n = mul(%r, %d)"),
        ] {
            let before = format!(
                r#"
                %x = input "x" float32[2, 3, 4]
                %one = constant float32[] {{1}}
                %two = constant float32[] {{2}}
                %eps = constant float32[] {{0.5}}
                %scale = constant float32[4] {{1, 2, 3, 4}}
                %bias = constant float32[1, 1, 4] {{5, 6, 7, 8}}
                %m = reduceMean(%x) {{ axes: [2], keepDimensions: true }}
                %d = sub(%x, %m)
                %q = {square}
                %v = reduceMean(%q) {{ axes: [2], keepDimensions: true }}
                %w = add(%v, %eps)
                %s = sqrt(%w)
                {quotient}
                %a = mul(%n, %scale)
                %y = add(%bias, %a)
                output "y" = %y
                "#
            );
            let after = r#"
                %x = input "x" float32[2, 3, 4]
                %scale = constant float32[4] {1, 2, 3, 4}
                %bias = constant float32[4] {5, 6, 7, 8}
                %y = layerNormalization(%x, scale: %scale, bias: %bias)
                    { axes: [2], epsilon: 0.5 }
                output "y" = %y
            "#
            .replace("\n                    {", " {");
            assert_pass(pass, &before, &after);
        }
    }

    #[test]
    fn a_scale_per_row_is_not_taken_in() {
        let text = r#"
            %x = input "x" float32[3, 4]
            %scale = constant float32[3, 1] {1, 2, 3}
            %n = layerNormalization(%x) { axes: [1] }
            %y = mul(%n, %scale)
            output "y" = %y
        "#;
        assert_pass(pass, text, text);
    }

    #[test]
    fn softmax_is_found_with_and_without_the_maximum() {
        for shifted in [
            "%e = exp(%x)",
            "%m = reduceMax(%x) { axes: [1], keepDimensions: true }\n %d = sub(%x, %m)\n %e = exp(%d)",
        ] {
            let before = format!(
                "%x = input \"x\" float32[3, 4]\n {shifted}\n
                 %s = reduceSum(%e) {{ axes: [1], keepDimensions: true }}
                 %y = div(%e, %s)\n output \"y\" = %y"
            );
            let after =
                "%x = input \"x\" float32[3, 4]\n %y = softmax(%x) { axis: 1 }\n output \"y\" = %y";
            assert_pass(pass, &before, after);
        }
    }
}
